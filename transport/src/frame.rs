//! The frames that carry the core's messages on QUIC streams.
//!
//! One client-opened bidirectional stream carries one stage. Both directions hold exactly one
//! frame and then end:
//!
//! ```text
//! client to server: uint8 stage;  uint64 length; opaque body[length];  FIN
//! server to client: uint8 status; uint64 length; opaque body[length];  FIN
//! ```
//!
//! A length above the reader's limit is refused from the header, before a byte of the body is
//! read. A stream that is reset, or that ends early, or that goes on after the body, makes the
//! whole message void.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use secagg::Round;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes in a frame's header: one byte of stage or status, eight of length.
pub const HEADER_BYTES: u64 = 9;

/// Buffer that a body may claim before any of it has come.
const FIRST_ALLOCATION: usize = 64 * 1024;

/// The stage a client's frame belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The client asks to be taken into the next session.
    Join,
    /// The client answers a round of the protocol.
    Round(Round),
}

impl Stage {
    /// Returns the stage's byte on the wire: 0 for join, then the rounds in their order.
    pub fn byte(self) -> u8 {
        match self {
            Stage::Join => 0,
            Stage::Round(Round::AdvertiseKeys) => 1,
            Stage::Round(Round::ShareKeys) => 2,
            Stage::Round(Round::MaskedInputCollection) => 3,
            Stage::Round(Round::ConsistencyCheck) => 4,
            Stage::Round(Round::Unmasking) => 5,
        }
    }
}

/// The nine bytes before a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Stage or status byte.
    pub(crate) tag: u8,
    /// Bytes of body that follow.
    pub(crate) length: u64,
}

/// Why a frame could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// The header announces more than the reader accepts.
    #[error("the frame announces {length} bytes, the limit is {limit}")]
    TooLong { length: u64, limit: u64 },
    /// The stream ended before the announced length.
    #[error("the stream ended before its frame was complete")]
    Cut,
    /// The stream went on after the announced length.
    #[error("the stream goes on after its frame")]
    Trailing,
    /// The stream was reset or its connection is gone.
    #[error("the stream broke off: {0}")]
    Lost(#[source] std::io::Error),
}

impl From<std::io::Error> for FrameError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => FrameError::Cut,
            _ => FrameError::Lost(error),
        }
    }
}

impl Header {
    /// Encodes the header.
    pub(crate) fn encode(self) -> [u8; HEADER_BYTES as usize] {
        let mut bytes = [0; HEADER_BYTES as usize];
        bytes[0] = self.tag;
        bytes[1..].copy_from_slice(&self.length.to_be_bytes());
        bytes
    }

    /// Reads a header.
    pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Header, FrameError> {
        let tag = stream.read_u8().await?;
        let length = stream.read_u64().await?;
        Ok(Header { tag, length })
    }

    /// Refuses a body that is longer than `limit` bytes.
    pub(crate) fn at_most(self, limit: u64) -> Result<Header, FrameError> {
        if self.length > limit {
            return Err(FrameError::TooLong { length: self.length, limit });
        }
        Ok(self)
    }
}

/// Reads a body of exactly `length` bytes and the end of its stream.
///
/// The caller has checked `length`. Memory grows with what has really come, and `received` counts
/// it, so that an upload that breaks off can be accounted for.
pub(crate) async fn read_body(
    stream: &mut (impl AsyncRead + Unpin),
    length: u64,
    received: &AtomicU64,
) -> Result<Vec<u8>, FrameError> {
    let length =
        usize::try_from(length).map_err(|_| FrameError::TooLong { length, limit: usize::MAX as u64 })?;
    let mut body = Vec::with_capacity(length.min(FIRST_ALLOCATION));
    while body.len() < length {
        let room = (length - body.len()) as u64;
        reserve_towards(&mut body, length);
        let read = (&mut *stream).take(room).read_buf(&mut body).await?;
        if read == 0 {
            return Err(FrameError::Cut);
        }
        received.fetch_add(read as u64, Relaxed);
    }
    match stream.read(&mut [0]).await? {
        0 => Ok(body),
        _ => Err(FrameError::Trailing),
    }
}

/// Doubles a full buffer, but never past the message's length: no more than one copy is held.
fn reserve_towards(body: &mut Vec<u8>, length: usize) {
    if body.len() == body.capacity() {
        let more = body.len().max(FIRST_ALLOCATION).min(length - body.len());
        body.reserve_exact(more);
    }
}

/// Writes a whole frame. Ending the stream stays with the caller.
pub(crate) async fn write_frame(
    stream: &mut (impl AsyncWrite + Unpin),
    tag: u8,
    body: &[u8],
) -> std::io::Result<()> {
    let header = Header { tag, length: body.len() as u64 };
    stream.write_all(&header.encode()).await?;
    stream.write_all(body).await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_all(mut bytes: &[u8], limit: u64) -> Result<(u8, Vec<u8>), FrameError> {
        let header = Header::read(&mut bytes).await?.at_most(limit)?;
        let received = AtomicU64::new(0);
        let body = read_body(&mut bytes, header.length, &received).await?;
        assert_eq!(received.into_inner(), header.length);
        Ok((header.tag, body))
    }

    #[tokio::test]
    async fn a_frame_comes_back_as_it_was_written() {
        for length in [0, 1, FIRST_ALLOCATION - 1, FIRST_ALLOCATION, 5 * FIRST_ALLOCATION + 3] {
            let body: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let mut bytes = Vec::new();
            write_frame(&mut bytes, 3, &body).await.unwrap();
            assert_eq!(bytes.len() as u64, HEADER_BYTES + length as u64);
            assert_eq!(read_all(&bytes, length as u64).await.unwrap(), (3, body));
        }
    }

    #[tokio::test]
    async fn every_truncation_is_void() {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, 1, b"twelve bytes").await.unwrap();
        for end in 0..bytes.len() {
            assert!(matches!(read_all(&bytes[..end], 100).await, Err(FrameError::Cut)), "{end}");
        }
    }

    #[tokio::test]
    async fn bytes_after_the_body_are_refused() {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, 1, b"body").await.unwrap();
        bytes.push(0);
        assert!(matches!(read_all(&bytes, 100).await, Err(FrameError::Trailing)));
    }

    #[tokio::test]
    async fn a_length_above_the_limit_is_refused_from_the_header() {
        for length in [11, u64::from(u32::MAX), 1 << 63, u64::MAX] {
            let bytes = Header { tag: 1, length }.encode();
            let refused = read_all(&bytes, 10).await;
            assert!(matches!(refused, Err(FrameError::TooLong { limit: 10, .. })), "{length}");
        }
    }

    #[test]
    fn a_buffer_never_grows_past_the_message() {
        let length = 3 * FIRST_ALLOCATION + 1;
        let mut body = Vec::with_capacity(FIRST_ALLOCATION);
        while body.len() < length {
            reserve_towards(&mut body, length);
            assert!(body.capacity() <= length);
            body.resize(body.capacity(), 0);
        }
    }
}
