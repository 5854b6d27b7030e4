//! One client of a session with a server under test: honest, or honest but for one turn.

use std::time::Duration;

use quinn::{Connection, ConnectionError, RecvStream};
use secagg::{Abort, Client, Config, Input, Refusal};
use sha2::{Digest, Sha256};

use super::binding::{
    Frame, JOIN, LEFT, LIMIT, NEXT, NoFrame, RELEASED, VERSION, closed, frame, join, read_frame,
    split_announcement, stage_of,
};
use super::identities::{Population, client};
use super::limit::{Failure, within};
use super::quic::{Link, Target};
use super::scene::{Act, End, Scene, Turn};

/// The last stage.
const UNMASKING: u8 = 5;

/// How long a client waits that answers behind the others.
const LATE: Duration = Duration::from_millis(500);

/// The most coordinates of an input that is made here.
const MOST_COORDINATES: u64 = 1 << 20;

/// A client to be.
pub(super) struct Player {
    pub(super) target: Target,
    pub(super) name: String,
    /// Its place in the order of the names, from 0, and that of its identity.
    pub(super) place: usize,
    pub(super) identities: Option<Population>,
    /// How many clients the session has to have: what it costs follows from that.
    pub(super) clients: u32,
    pub(super) turn: Option<Turn>,
}

/// How a client's session went.
pub(super) struct Played {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) config: Config,
    /// The code that it was told at the end, or that it left with.
    pub(super) code: u8,
    /// Whether its turn has come and was possible.
    pub(super) turned: bool,
}

/// What the server makes of an answer.
enum Reply {
    Next(Vec<u8>),
    Over(u8),
}

impl Player {
    /// Joins, and plays to the end.
    pub(super) async fn play(self) -> Result<Played, Failure> {
        let link = Link::connect(&self.target).await?;
        let first = frame(JOIN, &join(VERSION, self.name.as_bytes()));
        let announced = self.exchange(&link, &first, End::Finish).await.map_err(|failure| Failure {
            why: format!("the session was not announced to {}: {}", self.name, failure.why),
            ..failure
        })?;
        let played = match announced {
            Reply::Next(body) => self.rounds(&link, &body).await?,
            Reply::Over(code) => return Err(format!("an honest join was refused with {code}").into()),
        };
        link.leave(if played.code == RELEASED { RELEASED } else { LEFT }).await;
        Ok(played)
    }

    async fn rounds(&self, link: &Link, announcement: &[u8]) -> Result<Played, Failure> {
        let (task, request) = split_announcement(announcement)?;
        let entropy = Sha256::digest(&self.name).into();
        let person = self.identities.as_ref().map(|population| (population, self.place));
        let mut core = client(entropy, person)?;
        let mut response = handle(&mut core, request)?;
        let (id, config) = announced(&core, task, self.clients)?;
        core.set_input(ones(&config)?).map_err(|misuse| misuse.to_string())?;
        let (mut request, mut previous, mut turned) = (request.to_vec(), Vec::new(), false);
        loop {
            let stage = stage_of(&request);
            let turn = self.turn.filter(|turn| turn.stage == stage);
            let people = self.identities.as_ref().map_or(&[][..], |population| &population.people);
            let scene = Scene {
                stage,
                id,
                request: &request,
                response: &response,
                previous: &previous,
                config: &config,
                people,
            };
            let act = turn.map_or_else(|| Some(Act::Say(response.clone())), |turn| (turn.act)(&scene));
            turned |= turn.is_some() && act.is_some();
            let code = match self.act(link, stage, act.unwrap_or(Act::Leave)).await? {
                Reply::Next(next) => {
                    previous = std::mem::replace(&mut response, handle(&mut core, &next)?);
                    request = next;
                    continue;
                }
                Reply::Over(code) => code,
            };
            if code == RELEASED && stage != UNMASKING {
                return Err(format!("told {RELEASED} in stage {stage}").into());
            }
            return Ok(Played { id, name: self.name.clone(), config, code, turned });
        }
    }

    async fn act(&self, link: &Link, stage: u8, act: Act) -> Result<Reply, Failure> {
        let streams = match act {
            Act::Leave => return Ok(Reply::Over(LEFT)),
            Act::Say(response) => vec![(frame(stage, &response), End::Finish)],
            Act::Late(response) => {
                tokio::time::sleep(LATE).await;
                vec![(frame(stage, &response), End::Finish)]
            }
            Act::Streams(streams) => streams,
        };
        match <[_; 1]>::try_from(streams) {
            Ok([(bytes, end)]) => self.exchange(link, &bytes, end).await,
            Err(streams) => {
                let mut open = Vec::new();
                for (bytes, end) in streams {
                    open.push(self.send(link, &bytes, end).await);
                }
                self.close(link).await.map(Reply::Over)
            }
        }
    }

    async fn send(&self, link: &Link, bytes: &[u8], end: End) -> Result<RecvStream, String> {
        send(&link.connection, bytes, end, self.target.deadline).await
    }

    /// Sends on a stream of its own, and reads what the server makes of it.
    async fn exchange(&self, link: &Link, bytes: &[u8], end: End) -> Result<Reply, Failure> {
        match self.send(link, bytes, end).await {
            Ok(mut stream) => self.reply(link, &mut stream).await,
            Err(why) => self.lost(link, &why).await,
        }
    }

    /// Reads the server's answer; if it ends the session for this client, also how the connection is closed.
    async fn reply(&self, link: &Link, stream: &mut RecvStream) -> Result<Reply, Failure> {
        let connection = &link.connection;
        let answer = async {
            tokio::select! {
                frame = read_frame(stream, LIMIT) => Ok(frame),
                Ok(_) = connection.accept_bi() => Err("the server opened a stream".to_owned()),
                Ok(_) = connection.accept_uni() => Err("the server opened a stream".to_owned()),
            }
        };
        match within(self.target.deadline, "no answer came", answer).await?? {
            Ok(Frame { tag: NEXT, body }) => Ok(Reply::Next(body)),
            Ok(Frame { tag, body }) if !body.is_empty() => {
                Err(format!("status {tag} came with a body of {} bytes", body.len()).into())
            }
            Ok(Frame { tag: RELEASED, .. }) => Ok(Reply::Over(RELEASED)),
            Ok(Frame { tag, .. }) => match self.close(link).await? {
                code if code == tag => Ok(Reply::Over(code)),
                code => Err(format!("told {tag} on the stream, but the close says {code}").into()),
            },
            Err(NoFrame::Bad(why)) => Err(why.into()),
            Err(NoFrame::Lost(why)) => self.lost(link, &why).await,
        }
    }

    /// Without a stream the close says what has become of this client.
    async fn lost(&self, link: &Link, why: &str) -> Result<Reply, Failure> {
        match self.close(link).await? {
            RELEASED => Err(format!("told {RELEASED} by the close only, not on the stream: {why}").into()),
            code => Ok(Reply::Over(code)),
        }
    }

    async fn close(&self, link: &Link) -> Result<u8, Failure> {
        let closed = closed(&link.connection);
        Ok(within(self.target.deadline, "the connection was not closed", closed).await??)
    }
}

/// Opens a stream, sends the bytes and ends it so; gives up when the limit is over.
pub(super) async fn send(
    connection: &Connection,
    bytes: &[u8],
    end: End,
    limit: Duration,
) -> Result<RecvStream, String> {
    let sending = async {
        let (mut send, receive) = connection.open_bi().await?;
        // A server that does not want the rest says why in its answer.
        let _ = send.write_all(bytes).await;
        Ok((send, receive))
    };
    let sent = tokio::time::timeout(limit, sending).await;
    let sent = sent.map_err(|_| format!("the server has not taken what was sent within {limit:?}"))?;
    let (mut send, receive) =
        sent.map_err(|error: ConnectionError| format!("no stream can be opened: {error}"))?;
    match end {
        End::Finish => drop(send.finish()),
        End::Reset => {
            // What is written has to leave before it is taken back.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let _ = send.reset(quinn::VarInt::from_u32(LEFT.into()));
        }
        // A stream that is dropped would be finished.
        End::Open => drop(tokio::spawn({
            let connection = connection.clone();
            async move {
                connection.closed().await;
                drop(send);
            }
        })),
    }
    Ok(receive)
}

fn handle(core: &mut Client, request: &[u8]) -> Result<Vec<u8>, String> {
    core.handle(request).map_err(|abort| {
        let hint = match abort {
            Abort::Refused(
                Refusal::WrongSuite { .. } | Refusal::WrongAuthority | Refusal::PinnedNotAllowed,
            ) => "; see --identities and --suite",
            _ => "",
        };
        format!("a request of the server is refused: {abort}{hint}")
    })
}

/// The id and the configuration that were announced.
fn announced(core: &Client, task: &[u8], clients: u32) -> Result<(u32, Config), String> {
    let (Some(id), Some(config)) = (core.id(), core.config()) else {
        return Err("nothing was announced".to_owned());
    };
    if config.clients != clients {
        return Err(format!("the session has {} clients, not {clients}: see --clients", config.clients));
    }
    if config.task != <[u8; 32]>::from(Sha256::digest(task)) {
        return Err("the task is not the one that the configuration names".to_owned());
    }
    Ok((id.get(), config.clone()))
}

/// An input that every configuration allows.
fn ones(config: &Config) -> Result<Input, String> {
    let coordinates: u64 = config.vectors.iter().map(|spec| u64::from(spec.length)).sum();
    if coordinates > MOST_COORDINATES {
        return Err(format!(
            "the sessions have {coordinates} coordinates: {MOST_COORDINATES} are played at most"
        ));
    }
    let value = |bound: Option<u64>| bound.map_or(1, |bound| bound.min(1));
    let vectors = config.vectors.iter();
    Ok(vectors.fold(Input::new(), |input, spec| {
        input.with(&spec.name, vec![value(spec.bound); spec.length as usize])
    }))
}
