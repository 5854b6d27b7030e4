//! A client's answer on its way to the server, in pieces.

use std::time::Duration;

use quinn::{Connection, SendStream};
use secagg::Round;
use tokio::time::timeout;

use crate::error::Error;
use crate::frame::{Header, Stage};
use crate::meter::Meter;
use crate::status::Status;
use crate::step::{Observer, Step};

/// An upload is handed to QUIC in at least this many pieces, so that an observer sees it move.
const PIECES: u64 = 8;

/// Smallest and largest piece in bytes.
const PIECE: std::ops::RangeInclusive<u64> = 256..=65_536;

/// How long a client that leaves lets what it has written go out.
const LAST_PACKETS: Duration = Duration::from_millis(5);

/// Longest wait for the server to close after an upload was given up.
const GIVEN_UP: Duration = Duration::from_secs(1);

/// Whether an answer went out to its end.
pub(crate) enum Sent {
    /// All of it is handed to QUIC.
    Whole,
    /// The server does not want the rest, or is gone; the reply tells.
    Stopped,
}

/// An answer on its way.
pub(crate) struct Upload<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) observer: &'a mut Observer,
    /// Counts the bytes sent.
    pub(crate) meter: &'a Meter,
    pub(crate) round: Round,
    /// Bytes of the answer's body.
    pub(crate) total: u64,
}

impl Upload<'_> {
    /// Sends the frame of an answer that comes in chunks.
    ///
    /// # Errors
    ///
    /// [`Error::Left`] if the observer said so; the stream is then given up.
    pub(crate) async fn send<C: AsRef<[u8]>>(
        &mut self,
        stream: &mut SendStream,
        chunks: impl IntoIterator<Item = C>,
    ) -> Result<Sent, Error> {
        let header = Header { tag: Stage::Round(self.round).byte(), length: self.total };
        if !self.write(stream, &header.encode()).await {
            return Ok(Sent::Stopped);
        }
        let mut sent = 0;
        let piece = (self.total / PIECES).clamp(*PIECE.start(), *PIECE.end()) as usize;
        for chunk in chunks {
            for piece in chunk.as_ref().chunks(piece) {
                let step = Step::Sending { round: self.round, sent, total: self.total };
                if (self.observer)(step).is_break() {
                    self.break_off(stream).await;
                    return Err(Error::Left);
                }
                if !self.write(stream, piece).await {
                    return Ok(Sent::Stopped);
                }
                sent += piece.len() as u64;
            }
        }
        Ok(Sent::Whole)
    }

    /// Leaves in the middle of an upload.
    ///
    /// QUIC holds a connection's close back while data waits for a full congestion window, which
    /// then never empties. So the stream is given up first; the server answers a void message by
    /// closing the connection.
    async fn break_off(&mut self, stream: &mut SendStream) {
        tokio::time::sleep(LAST_PACKETS).await;
        // An error means that the stream is gone already.
        let _ = stream.reset(Status::Left.close_code());
        let _ = timeout(GIVEN_UP, self.connection.closed()).await;
    }

    /// Writes bytes; false if the server does not want more. Why not, the reply tells.
    async fn write(&mut self, stream: &mut SendStream, bytes: &[u8]) -> bool {
        let written = stream.write_all(bytes).await.is_ok();
        if written {
            self.meter.sent(bytes.len() as u64);
        }
        written
    }
}
