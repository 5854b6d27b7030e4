//! The server's end of one client's connection during a session.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use quinn::{Connection, RecvStream, SendStream};
use secagg::{ClientId, Round};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, timeout};

use crate::credit::Credits;
use crate::endpoint;
use crate::frame::{FrameError, HEADER_BYTES, Header, Stage, read_body, write_frame};
use crate::lobby::Member;
use crate::status::Status;

/// Time a client has to take its last frame in before the connection is closed under it.
const FAREWELL: Duration = Duration::from_secs(2);

/// How fast an answer has to come once it may.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    /// How often the server looks.
    pub(crate) patience: Duration,
    /// Least bytes per second in between, of a short answer.
    pub(crate) rate: u32,
}

impl Pace {
    /// Returns the fewest bytes of an answer that must come while the patience lasts. What is held of the credit grows
    /// with the length, so the pace does too: half of what it takes to be over by the deadline. Only half, because clients
    /// that share a link need not share it evenly.
    fn least(self, length: u64, deadline: Duration) -> u64 {
        let half = length as f64 / (2.0 * deadline.as_secs_f64());
        (self.patience.as_secs_f64() * half.max(f64::from(self.rate))).max(1.0) as u64
    }
}

/// What the session tells a client's task.
pub(crate) enum Turn {
    /// Send this request, then read the round's answer.
    Request(Ask),
    /// Send this last status and close.
    Dismiss(Status),
}

/// A round's request, and what its answer may be.
pub(crate) struct Ask {
    pub(crate) round: Round,
    /// Goes before the first request.
    pub(crate) task: Option<Arc<[u8]>>,
    pub(crate) request: Vec<u8>,
    /// The longest answer, in bytes.
    pub(crate) limit: u64,
    /// The longest time that the round takes.
    pub(crate) deadline: Duration,
}

/// What a client's task tells the session.
pub(crate) enum Event {
    /// A whole answer has come. The credit is held until the answer has been taken in.
    Answer { from: ClientId, round: Round, body: Vec<u8>, at: Instant, credit: OwnedSemaphorePermit },
    /// Nothing more will come from this client; `received` bytes of an answer had.
    Lost { from: ClientId, received: u64 },
}

/// One client of a session.
pub(crate) struct Peer {
    id: ClientId,
    connection: Connection,
    /// The stream of the stage that the client has sent and the server has not answered.
    reply: Option<SendStream>,
    credits: Credits,
    pace: Pace,
    /// Bytes of the answer being read.
    received: AtomicU64,
    _place: OwnedSemaphorePermit,
}

/// Why a client's task ends, and what the client is told.
#[derive(Debug)]
struct Failure {
    status: Status,
    why: String,
}

impl Peer {
    pub(crate) fn new(id: ClientId, member: Member, credits: Credits, pace: Pace) -> Peer {
        endpoint::open_window(&member.connection);
        Peer {
            id,
            connection: member.connection,
            reply: Some(member.reply),
            credits,
            pace,
            received: AtomicU64::new(0),
            _place: member.place,
        }
    }

    /// Serves the client until it is dismissed or lost.
    pub(crate) async fn serve(mut self, mut turns: mpsc::Receiver<Turn>, events: mpsc::Sender<Event>) {
        loop {
            let turn = tokio::select! {
                turn = turns.recv() => turn,
                lost = self.connection.closed() => return self.lost(&events, &lost.to_string()).await,
            };
            let ask = match turn {
                Some(Turn::Request(ask)) => ask,
                Some(Turn::Dismiss(status)) => return self.dismiss(status).await,
                // The session is gone without a word: it was cancelled.
                None => return self.dismiss(Status::ShuttingDown).await,
            };
            let round = ask.round;
            let answer = tokio::select! {
                answer = self.exchange(ask) => answer,
                turn = turns.recv() => return self.dismiss(interruption(turn)).await,
            };
            match answer {
                Ok((body, credit)) => {
                    let at = Instant::now();
                    let event = Event::Answer { from: self.id, round, body, at, credit };
                    // If the session takes no more answers, its last word is the next turn.
                    let _ = events.send(event).await;
                }
                Err(failure) => {
                    self.lost(&events, &failure.why).await;
                    return self.dismiss(failure.status).await;
                }
            }
        }
    }

    /// Sends a round's request and reads its answer.
    async fn exchange(
        &mut self,
        Ask { round, task, request, limit, deadline }: Ask,
    ) -> Result<(Vec<u8>, OwnedSemaphorePermit), Failure> {
        self.received.store(0, Relaxed);
        if let Some(mut stream) = self.reply.take() {
            send_request(&mut stream, task.as_deref(), &request).await?;
        }
        drop((task, request));
        let (send, mut receive) = self.connection.accept_bi().await.map_err(Failure::connection)?;
        self.reply = Some(send);
        let header = Header::read(&mut receive).await?;
        self.received.store(HEADER_BYTES, Relaxed);
        if header.tag != Stage::Round(round).byte() {
            let why = format!("sent stage {} when {round} was open", header.tag);
            return Err(Failure { status: Status::WrongStage, why });
        }
        let header = header.at_most(limit)?;
        let credit = self.credits.take(header.length).await;
        let least = self.pace.least(header.length, deadline);
        let body = self.read_in_time(&mut receive, header.length, least).await?;
        // From here on the session counts these bytes with the answer.
        self.received.store(0, Relaxed);
        Ok((body, credit))
    }

    /// Reads a body as long as `least` bytes of it come while the patience lasts: a client that holds credit and sends
    /// next to nothing must not keep the others out until the deadline.
    async fn read_in_time(
        &self,
        stream: &mut RecvStream,
        length: u64,
        least: u64,
    ) -> Result<Vec<u8>, Failure> {
        let mut body = pin!(read_body(stream, length, &self.received));
        let mut before = self.received.load(Relaxed);
        loop {
            if let Ok(body) = timeout(self.pace.patience, &mut body).await {
                return Ok(body?);
            }
            let now = self.received.load(Relaxed);
            if now - before < least {
                return Err(Failure { status: Status::TooSlow, why: "sent too slowly".into() });
            }
            before = now;
        }
    }

    async fn lost(&self, events: &mpsc::Sender<Event>, why: &str) {
        tracing::info!(client = %self.id, why, "client lost");
        // If the session is over nobody needs to know.
        let _ = events.send(Event::Lost { from: self.id, received: self.received.load(Relaxed) }).await;
    }

    /// Says the last word on the open stream if there is one, and in the connection's close.
    async fn dismiss(&mut self, status: Status) {
        if let Some(mut stream) = self.reply.take() {
            let farewell = async {
                if write_frame(&mut stream, status.code(), &[]).await.is_ok() && stream.finish().is_ok() {
                    // Whether the client has read it or is gone, the connection can be closed.
                    let _ = stream.stopped().await;
                }
            };
            let _ = timeout(FAREWELL, farewell).await;
        }
        self.connection.close(status.close_code(), b"");
    }
}

/// A session that is cancelled leaves nobody waiting.
impl Drop for Peer {
    fn drop(&mut self) {
        self.connection.close(Status::ShuttingDown.close_code(), b"");
    }
}

/// Sends the core's request; the first one follows the task, as `uint64 length; opaque task`.
async fn send_request(stream: &mut SendStream, task: Option<&[u8]>, request: &[u8]) -> Result<(), Failure> {
    let prefix = task.map(|task| (task.len() as u64).to_be_bytes());
    let length = request_bytes(task, request) - HEADER_BYTES;
    let header = Header { tag: Status::Message.code(), length };
    stream.write_all(&header.encode()).await.map_err(Failure::stream)?;
    if let (Some(prefix), Some(task)) = (prefix, task) {
        stream.write_all(&prefix).await.map_err(Failure::stream)?;
        stream.write_all(task).await.map_err(Failure::stream)?;
    }
    stream.write_all(request).await.map_err(Failure::stream)?;
    stream.finish().map_err(Failure::stream)
}

/// Returns the bytes of a request's frame.
pub(crate) fn request_bytes(task: Option<&[u8]>, request: &[u8]) -> u64 {
    HEADER_BYTES + task.map_or(0, |task| 8 + task.len() as u64) + request.len() as u64
}

/// What a client is told whose answer is no longer waited for.
fn interruption(turn: Option<Turn>) -> Status {
    match turn {
        Some(Turn::Dismiss(status)) => status,
        // No request comes before the last one is answered, so this is a session that is gone.
        Some(Turn::Request(_)) | None => Status::ShuttingDown,
    }
}

impl Failure {
    fn connection(error: quinn::ConnectionError) -> Failure {
        Failure { status: Status::Malformed, why: error.to_string() }
    }

    fn stream(error: impl std::fmt::Display) -> Failure {
        Failure { status: Status::Malformed, why: format!("the request could not be sent: {error}") }
    }
}

impl From<FrameError> for Failure {
    fn from(error: FrameError) -> Self {
        let status = match error {
            FrameError::TooLong { .. } => Status::TooLong,
            FrameError::Cut | FrameError::Trailing | FrameError::Lost(_) => Status::Malformed,
        };
        Failure { status, why: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_an_answer_the_faster_it_has_to_come() {
        let pace = Pace { patience: Duration::from_secs(10), rate: 4096 };
        let minute = Duration::from_secs(60);
        // A short one at the minimum rate, of a long one half within the minute.
        let known = [(1, 40_960), (491_520, 40_960), (12_000_000, 1_000_000), (1_200_000_000, 100_000_000)];
        for (length, least) in known {
            assert_eq!(pace.least(length, minute), least, "{length}");
        }
        assert_eq!(pace.least(1 << 40, Duration::MAX), 40_960);
        assert_eq!(pace.least(1, Duration::ZERO), u64::MAX);
        assert_eq!(Pace { rate: 0, ..pace }.least(0, minute), 1);
    }
}
