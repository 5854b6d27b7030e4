//! The client: joins one session, answers its rounds, and learns how it ended.

use std::future::Future;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use quinn::{Connection, ConnectionError, Endpoint, RecvStream, SendStream};
use secagg::{Client, ClientId, Config, Counts, Credentials, Input, Policy, Round};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::connect;
use crate::error::Error;
use crate::frame::{FrameError, HEADER_BYTES, Header, Stage, read_body, write_frame};
use crate::identity::Pin;
use crate::lobby::{Join, is_valid_name};
use crate::meter::Meter;
use crate::outcome::Traffic;
use crate::randomness::Randomness;
use crate::record::ClientRecord;
use crate::status::Status;
use crate::step::{Observer, Step};
use crate::upload::{Sent, Upload};

/// Longest first request unless the caller sets another limit: the task, a model above all, and
/// the round's message. In bytes.
const ANNOUNCEMENT_LIMIT: u64 = 256 << 20;

/// Longest later request, in bytes.
const REQUEST_LIMIT: u64 = 64 << 20;

/// How long a client that leaves waits for what it has sent to arrive.
const PARTING: Duration = Duration::from_secs(1);

/// How long the packet that closes a connection may take to leave.
const GOODBYE: Duration = Duration::from_millis(100);

/// A client that has joined a server and waits for its next session.
pub struct SecaggClient {
    endpoint: Endpoint,
    server: SocketAddr,
    connection: Connection,
    first: RecvStream,
    observer: Observer,
    credentials: Option<Credentials>,
    memory: Option<Memory>,
    randomness: Randomness,
    announcement_limit: u64,
    meter: Meter,
}

/// What a client has done before, and for how long that counts.
struct Memory {
    record: ClientRecord,
    window: Duration,
}

impl Memory {
    /// Tells the policy what the client remembers. Without a memory it knows nothing, whatever it says, for nothing
    /// would be added: its rules about earlier sessions then refuse every one.
    fn inform(memory: Option<&Self>, policy: &mut Policy) {
        if let Some(budget) = &mut policy.budget {
            budget.attempted = memory.map(|memory| memory.record.attempted(memory.window));
        }
        if let Some(cohorts) = &mut policy.cohorts {
            cohorts.signed = memory.map(|memory| memory.record.signed().to_vec());
        }
    }
}

/// What a client is told of a session before it gives its input.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// This client's number in the session.
    pub id: ClientId,
    /// The session's configuration, which the client's policy has accepted.
    pub config: Config,
    /// The server's bytes for the clients, such as a model to train. Their SHA-256 is the
    /// configuration's task.
    pub task: Vec<u8>,
}

/// A released session as its client saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participation {
    /// This client's number in the session.
    pub id: ClientId,
    /// Application bytes, headers included.
    pub traffic: Traffic,
    /// What the client did, in operations.
    pub counts: Counts,
}

impl SecaggClient {
    /// Connects to a server and joins its next session under a name. The local address is
    /// usually `0.0.0.0:0` or `[::]:0`. Needs a Tokio runtime around it.
    ///
    /// The name is not authenticated: a newer client with the same name takes the place of one
    /// that still waits.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] after `patience`; [`Error::WrongPin`] if the server is another one;
    /// [`Error::WrongProtocol`], [`Error::Refused`], [`Error::Bind`], [`Error::BadName`].
    pub async fn join(
        server: SocketAddr,
        pin: Pin,
        name: &str,
        local: SocketAddr,
        patience: Duration,
    ) -> Result<SecaggClient, Error> {
        if !is_valid_name(name) {
            return Err(Error::BadName);
        }
        let (endpoint, connection) = connect::connect(server, pin, local, patience).await?;
        let (mut send, first) =
            connection.open_bi().await.map_err(|error| connect::lost(server, pin, None, error))?;
        let message = Join { name: name.to_owned() }.encode();
        let written = write_frame(&mut send, Stage::Join.byte(), &message).await;
        if written.is_err() || send.finish().is_err() {
            let reason = connection.close_reason().unwrap_or(ConnectionError::Reset);
            return Err(connect::lost(server, pin, None, reason));
        }
        let meter = Meter::default();
        meter.sent(HEADER_BYTES + message.len() as u64);
        let observer = Box::new(|_| ControlFlow::Continue(()));
        let announcement_limit = ANNOUNCEMENT_LIMIT;
        let (credentials, memory, randomness) = (None, None, Randomness::default());
        Ok(SecaggClient {
            endpoint,
            server,
            connection,
            first,
            observer,
            credentials,
            memory,
            randomness,
            announcement_limit,
            meter,
        })
    }

    /// Accepts announcements, which carry the server's task, up to this many bytes instead of
    /// 256 MiB.
    pub fn limit_announcement(mut self, bytes: u64) -> Self {
        self.announcement_limit = bytes;
        self
    }

    /// Signs as `credentials` say. The client then takes part in sessions of the active suite and of
    /// its own authority only; without credentials it takes part in the curious suite only.
    pub fn identify(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Notes in `record` the sessions that the client takes part in and the survivors that it signs for, each before
    /// the message leaves, and judges new ones by it: sessions of the last `window` by the policy's budget, survivors
    /// by its rule for cohorts. What the policy itself says was done before is not looked at. A policy with a budget or
    /// such a rule needs a record: without one the client refuses every session.
    pub fn remember(mut self, record: ClientRecord, window: Duration) -> Self {
        self.memory = Some(Memory { record, window });
        self
    }

    /// Draws what is secret from `randomness` instead of the operating system.
    pub fn draw_from(mut self, randomness: Randomness) -> Self {
        self.randomness = randomness;
        self
    }

    /// Has `observer` asked at every [`Step`]. `Break` makes the client vanish on the spot, as
    /// one does that is switched off: nothing more is sent, the connection is gone.
    pub fn observe(mut self, observer: impl FnMut(Step) -> ControlFlow<()> + Send + 'static) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// What this client has sent, received and computed, to be read at any time, even after an error.
    pub fn meter(&self) -> Meter {
        self.meter.clone()
    }

    /// Waits for the session, takes part in it to its end, and leaves.
    ///
    /// `input` is called once the session is announced and accepted by `policy`; its future, in
    /// which the client may train, runs while keys are exchanged. Computation that takes long
    /// belongs on a blocking thread. The masked vector is sent as it is made and never held
    /// whole. The client's entropy is drawn when the session is announced, and is in no other hands.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the server's status if the session was aborted or went on without
    /// this client; [`Error::Abort`] if this client refused the server's proposal or messages;
    /// [`Error::Input`] if there was no input; [`Error::Entropy`] if nothing could be drawn, before a key was made; [`Error::Left`] if the observer said so.
    pub async fn run_session<F, Fut, E>(mut self, policy: Policy, input: F) -> Result<Participation, Error>
    where
        F: FnOnce(Announcement) -> Fut,
        Fut: Future<Output = Result<Input, E>>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let result = self.take_part(policy, input).await;
        let status = result.as_ref().map_or_else(Error::parting, |_| Status::Released);
        self.connection.close(status.close_code(), b"");
        // Not to wait for the server: only for the close to leave, before the runtime may end.
        let _ = timeout(GOODBYE, self.endpoint.wait_idle()).await;
        result
    }

    async fn take_part<F, Fut, E>(&mut self, mut policy: Policy, input: F) -> Result<Participation, Error>
    where
        F: FnOnce(Announcement) -> Fut,
        Fut: Future<Output = Result<Input, E>>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (task, request) = self.announcement().await?;
        Memory::inform(self.memory.as_ref(), &mut policy);
        let (mut core, answer) = open(policy, &self.randomness, self.credentials.take(), &task, &request)?;
        self.meter.computed(core.counts());
        let (Some(id), Some(config)) = (core.id(), core.config().cloned()) else {
            return Err(Error::Malformed("the first request announces no session".into()));
        };
        if let Some(memory) = &mut self.memory {
            memory.record.begin(config.task)?;
        }
        let input = input(Announcement { id, config, task });
        let keys = self.exchange_keys(&mut core, answer);
        let input = async { input.await.map_err(|error| Error::Input(error.into())) };
        let (request, input) = tokio::try_join!(keys, input)?;
        core.set_input(input)?;
        let mut reply = self.upload(&mut core, &request).await?;
        while let Reply::Request(request) = reply {
            let round = next_round(&core)?;
            self.ask(Step::Received(round))?;
            let answer = core.handle(&request)?;
            self.meter.computed(core.counts());
            if let (Some(memory), Some(cohort)) = (&mut self.memory, core.signed_cohort()) {
                memory.record.sign(cohort)?;
            }
            reply = self.answer(round, &answer).await?;
        }
        Ok(Participation { id, traffic: self.meter.traffic(), counts: core.counts() })
    }

    /// Waits for the session's first frame: `uint64 length; opaque task[length]; request`.
    async fn announcement(&mut self) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let reply = match self.read_reply(None, self.announcement_limit).await? {
            Reply::Request(body) => body,
            Reply::Released => return Err(Error::Malformed("a session ended before it began".into())),
        };
        let announcement = split_announcement(reply);
        let (task, request) =
            announcement.ok_or_else(|| Error::Malformed("the announcement is cut short".into()))?;
        self.ask(Step::Received(Round::AdvertiseKeys))?;
        Ok((task, request))
    }

    /// Goes through the rounds before the masked input; returns the request for that.
    async fn exchange_keys(&mut self, core: &mut Client, first: Vec<u8>) -> Result<Vec<u8>, Error> {
        let mut round = Round::AdvertiseKeys;
        let mut answer = first;
        loop {
            let request = match self.answer(round, &answer).await? {
                Reply::Request(request) => request,
                Reply::Released => return Err(Error::Malformed("a sum was released without input".into())),
            };
            round = next_round(core)?;
            self.ask(Step::Received(round))?;
            if round >= Round::MaskedInputCollection {
                return Ok(request);
            }
            answer = core.handle(&request)?;
            self.meter.computed(core.counts());
        }
    }

    /// Sends a round's answer and waits for what the server makes of it.
    async fn answer(&mut self, round: Round, answer: &[u8]) -> Result<Reply, Error> {
        let (mut send, receive) = self.open_stage().await?;
        let total = answer.len() as u64;
        let sent = self.upload_of(round, total).send(&mut send, [answer]).await?;
        self.finish(round, send, receive, sent).await
    }

    /// Sends the masked input as the core makes it, piece by piece.
    async fn upload(&mut self, core: &mut Client, request: &[u8]) -> Result<Reply, Error> {
        let round = next_round(core)?;
        // A request that is refused must not open a stage.
        let response = core.respond(request)?;
        self.meter.computed(core.counts());
        let (mut send, receive) = self.open_stage().await?;
        let total = response.len();
        let sent = self.upload_of(round, total).send(&mut send, response).await?;
        self.finish(round, send, receive, sent).await
    }

    fn upload_of(&mut self, round: Round, total: u64) -> Upload<'_> {
        let SecaggClient { connection, observer, meter, .. } = self;
        Upload { connection, observer, meter, round, total }
    }

    async fn open_stage(&mut self) -> Result<(SendStream, RecvStream), Error> {
        self.connection.open_bi().await.map_err(|error| self.lost(error))
    }

    /// Ends a stage's stream and reads the reply. If the server did not take all of the answer,
    /// its reply says why.
    async fn finish(
        &mut self,
        round: Round,
        mut send: SendStream,
        receive: RecvStream,
        sent: Sent,
    ) -> Result<Reply, Error> {
        if let Sent::Whole = sent {
            // An error means that the server has stopped reading; its reply says why.
            let _ = send.finish();
            if let Err(left) = self.ask(Step::Sent(round)) {
                let _ = timeout(PARTING, send.stopped()).await;
                return Err(left);
            }
        }
        self.read_reply(Some(receive), REQUEST_LIMIT).await
    }

    /// Reads one frame of the server: from the stage's stream, or from the join's.
    async fn read_reply(&mut self, stream: Option<RecvStream>, limit: u64) -> Result<Reply, Error> {
        let mut own;
        let stream = match stream {
            Some(stream) => {
                own = stream;
                &mut own
            }
            None => &mut self.first,
        };
        let received = AtomicU64::new(0);
        let frame = async {
            let header = Header::read(stream).await?.at_most(limit)?;
            let body = read_body(stream, header.length, &received).await?;
            Ok((header.tag, body))
        };
        let frame: Result<(u8, Vec<u8>), FrameError> = frame.await;
        self.meter.received(HEADER_BYTES + received.into_inner());
        match frame {
            Ok((tag, body)) => Reply::of(Status::from_code(tag), body),
            Err(error) => self.no_frame(error),
        }
    }

    /// Finds out why the server's frame did not come: the connection's end may carry a status.
    fn no_frame(&self, error: FrameError) -> Result<Reply, Error> {
        match (self.connection.close_reason(), error) {
            (Some(reason), _) => match self.lost(reason) {
                Error::Refused(status) => Reply::of(status, Vec::new()),
                error => Err(error),
            },
            (None, FrameError::TooLong { length, limit }) => Err(Error::TooLong { length, limit }),
            (None, error) => Err(Error::Malformed(error.to_string())),
        }
    }

    fn lost(&self, error: ConnectionError) -> Error {
        connect::closed(self.server, error)
    }

    fn ask(&mut self, step: Step) -> Result<(), Error> {
        match (self.observer)(step) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Left),
        }
    }
}

/// A client that is dropped in the middle of a session leaves it at once.
impl Drop for SecaggClient {
    fn drop(&mut self) {
        self.connection.close(Status::Left.close_code(), b"");
    }
}

/// What the server makes of an answer.
#[derive(Debug, PartialEq, Eq)]
enum Reply {
    /// The next round's request.
    Request(Vec<u8>),
    /// The sum is out.
    Released,
}

impl Reply {
    fn of(status: Status, body: Vec<u8>) -> Result<Reply, Error> {
        match status {
            Status::Message => Ok(Reply::Request(body)),
            Status::Released => Ok(Reply::Released),
            other => Err(Error::Refused(other)),
        }
    }
}

fn split_announcement(mut body: Vec<u8>) -> Option<(Vec<u8>, Vec<u8>)> {
    let length = usize::try_from(u64::from_be_bytes(*body.first_chunk()?)).ok()?;
    let end = length.checked_add(8).filter(|end| *end <= body.len())?;
    let request = body.split_off(end);
    body.drain(..8);
    Some((body, request))
}

/// Starts the core on an announcement, bound to the task that came with it.
fn open(
    policy: Policy,
    randomness: &Randomness,
    credentials: Option<Credentials>,
    task: &[u8],
    request: &[u8],
) -> Result<(Client, Vec<u8>), Error> {
    let digest: [u8; 32] = Sha256::digest(task).into();
    if policy.task.is_some_and(|wanted| wanted != digest) {
        return Err(Error::WrongTask);
    }
    let entropy = randomness.entropy()?;
    let mut core = match credentials {
        Some(credentials) => Client::with_credentials(entropy, policy, credentials),
        None => Client::new(entropy, policy),
    };
    let answer = core.handle(request)?;
    if core.config().is_none_or(|config| config.task != digest) {
        return Err(Error::WrongTask);
    }
    Ok((core, answer))
}

fn next_round(core: &Client) -> Result<Round, Error> {
    core.round().ok_or_else(|| Error::Malformed("a request after the last round".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_is_split_where_it_says() {
        let body = [&3u64.to_be_bytes()[..], b"taskrequest"].concat();
        assert_eq!(split_announcement(body), Some((b"tas".to_vec(), b"krequest".to_vec())));
    }

    #[test]
    fn an_announcement_that_claims_too_much_is_refused() {
        assert_eq!(split_announcement(vec![0; 7]), None);
        for length in [1, u64::MAX, u64::MAX - 7] {
            assert_eq!(split_announcement(length.to_be_bytes().to_vec()), None, "{length}");
        }
    }
}
