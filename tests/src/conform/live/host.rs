//! One session of the server that is played to a client: the client under test and the others, which are in here.

use std::collections::BTreeMap;
use std::time::Duration;

use quinn::{Connection, SendStream, VarInt};
use secagg::{
    Aggregate, Client, ClientId, Closed, Config, Graph, Input, Requests, Server, Suite, VectorSpec,
};
use sha2::{Digest, Sha256};

use super::binding::{JOIN, LONGEST_JOIN, RELEASED, closed, frame, name_of, read_frame, stage_of};
use super::client_cases::{Lie, Moment, Play, Tell, Told};
use super::identities::{Person, Population, Signed, client};
use super::limit::{Failure, within};
use super::scene::End;

/// The id of the client under test.
const GUEST: u32 = 2;

/// What is summed: this vector, and what the client under test gives.
pub(super) const VECTOR: &str = "conform";
pub(super) const BITS: u8 = 16;
pub(super) const INPUT: [u64; 4] = [1, 20, 300, 65535];

const TASK: &[u8] = b"conform";

/// The stage behind the last.
const THE_END: u8 = 6;

/// The client under test, which has joined.
pub(super) struct Guest {
    connection: Connection,
    reply: SendStream,
    limit: Duration,
}

/// What a session is besides its case.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    /// Who signs, if anybody does: the client under test is the first of them.
    pub(super) identities: Option<&'a Population>,
    /// Whether the client gives [`INPUT`].
    pub(super) input_is_known: bool,
    /// Distinguishes the sessions.
    pub(super) nonce: [u8; 32],
}

impl Guest {
    /// Takes the join of a client that has connected; it has to give this name, if one is known.
    pub(super) async fn welcome(
        connection: Connection,
        name: Option<&str>,
        limit: Duration,
    ) -> Result<Self, Failure> {
        let mut guest = None;
        let join = async {
            let (reply, mut receive) = connection.accept_bi().await.map_err(|error| error.to_string())?;
            guest = Some(reply);
            read_frame(&mut receive, LONGEST_JOIN).await.map_err(|no_frame| no_frame.to_string())
        };
        let join = within(limit, "no join came", join).await??;
        if join.tag != JOIN {
            return Err(format!("the first stage is {}, not {JOIN}", join.tag).into());
        }
        let found = name_of(&join.body)?;
        match (name, guest) {
            (Some(name), _) if name != found => Err(format!("the name is {found:?}, not {name:?}").into()),
            (_, Some(reply)) => Ok(Self { connection, reply, limit }),
            (_, None) => Err("no stream came".to_owned().into()),
        }
    }

    /// Plays the session, and checks how the client ends it.
    pub(super) async fn play(mut self, play: &Play, table: Table<'_>) -> Result<(), Failure> {
        let config = config(play, table);
        let mut others = others(&config, table.identities)?;
        let (mut server, mut requests) = Server::open(config.clone()).map_err(|error| error.to_string())?;
        loop {
            let request = of_guest(&requests)?;
            let stage = stage_of(request);
            let lost = play.lost.get(usize::from(stage) - 1).copied().unwrap_or_default();
            others_answer(&mut server, &mut others, &requests, lost)?;
            let moment = Moment { config: &config, task: TASK, request, identities: table.identities };
            if let Some(lie) = play.lie.filter(|lie| lie.stage == stage) {
                self.lie(&lie, &moment).await?;
                if play.told != Told::Released {
                    return self.aborted(play.told).await;
                }
            } else {
                self.say(&moment.framed(request)).await?;
            }
            let limit = server.response_limit(guest()?);
            let response = self.answer(stage, limit, play.told).await?;
            let received = server.receive(guest()?, &response);
            received.map_err(|fault| format!("its answer in stage {stage} breaks a rule: {}", fault.what))?;
            match server.close_round().map_err(|abort| format!("the session is aborted: {abort}"))? {
                Closed::Next(next) => requests = next,
                Closed::Done(aggregate) => {
                    check_sum(table, &aggregate)?;
                    return self.end(play, &moment).await;
                }
            }
        }
    }

    /// The sum is there: tells the client, which leaves; or lies once more.
    async fn end(&mut self, play: &Play, moment: &Moment<'_>) -> Result<(), Failure> {
        if let Some(lie) = play.lie.filter(|lie| lie.stage == THE_END) {
            self.lie(&lie, moment).await?;
            return self.aborted(play.told).await;
        }
        self.say(&frame(RELEASED, &[])).await?;
        match self.closed().await? {
            RELEASED => Ok(()),
            code => Err(format!("after the release it closed with {code}, not {RELEASED}").into()),
        }
    }

    async fn lie(&mut self, lie: &Lie, moment: &Moment<'_>) -> Result<(), Failure> {
        let (bytes, end) = match lie.tell {
            Tell::Bytes(tell) => tell(moment),
            Tell::Changed(change) => {
                let mut request = moment.request.to_vec();
                change(moment, &mut request);
                (moment.framed(&request), End::Finish)
            }
        };
        // A client that has had enough closes the connection, which is looked at later.
        let _ = within(self.limit, "the client does not read", self.reply.write_all(&bytes)).await?;
        match end {
            End::Finish => drop(self.reply.finish()),
            End::Reset => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                drop(self.reply.reset(VarInt::from_u32(0)));
            }
            End::Open => {}
        }
        Ok(())
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = within(self.limit, "the client does not read", self.reply.write_all(bytes)).await?;
        written.map_err(|error| format!("the client does not read: {error}"))?;
        self.reply.finish().map_err(|error| error.to_string())?;
        Ok(())
    }

    /// Takes the client's answer, and keeps the stream for what is said next.
    async fn answer(&mut self, stage: u8, limit: u64, told: Told) -> Result<Vec<u8>, Failure> {
        let answer = async {
            let (reply, mut receive) = match self.connection.accept_bi().await {
                Ok(stream) => stream,
                Err(error) => return Err(format!("no answer in stage {stage}, expected {told:?}: {error}")),
            };
            let frame = read_frame(&mut receive, limit).await;
            Ok((reply, frame.map_err(|no_frame| format!("its answer in stage {stage}: {no_frame}"))?))
        };
        let what = format!("no answer in stage {stage}");
        let (reply, frame) = within(self.limit, &what, answer).await??;
        if frame.tag != stage {
            return Err(format!("it answered stage {}, not {stage}", frame.tag).into());
        }
        self.reply = reply;
        Ok(frame.body)
    }

    /// The client has to close the connection so, and to answer nothing.
    async fn aborted(&mut self, told: Told) -> Result<(), Failure> {
        let connection = self.connection.clone();
        let code = async {
            tokio::select! {
                code = closed(&connection) => code,
                Ok(_) = connection.accept_bi() => Err(format!("it answered, but should have closed: {told:?}")),
            }
        };
        let what = format!("the client did not close, expected {told:?}");
        let code = within(self.limit, &what, code).await??;
        match told {
            Told::Code(expected) if code == expected => Ok(()),
            Told::NotReleased if code != RELEASED => Ok(()),
            _ => Err(format!("it closed with {code}, expected {told:?}").into()),
        }
    }

    async fn closed(&self) -> Result<u8, Failure> {
        Ok(within(self.limit, "the client did not close", closed(&self.connection)).await??)
    }
}

/// The code 203 tells a client that is left behind when a case has failed.
impl Drop for Guest {
    fn drop(&mut self) {
        self.connection.close(VarInt::from_u32(203), b"");
    }
}

fn guest() -> Result<ClientId, String> {
    ClientId::new(GUEST).ok_or_else(|| "no id".to_owned())
}

fn of_guest(requests: &Requests) -> Result<&[u8], String> {
    let request = requests.iter().find(|(id, _)| id.get() == GUEST);
    request.map(|(_, request)| request.as_slice()).ok_or_else(|| "nothing is asked of the client".to_owned())
}

/// How many clients a session has.
///
/// In suite 3 six, so that a quorum of them can hold fewer than a threshold of one client's holders.
fn clients_of(suite: Option<Signed>) -> u32 {
    if suite == Some(Signed::Pinned) { 6 } else { 5 }
}

fn config(play: &Play, table: Table<'_>) -> Config {
    let signed = table.identities.map(|population| (population.suite, population.authority));
    let (suite, graph, threshold) = match signed {
        None => {
            let regular = |degree| Graph::Regular { degree };
            (Suite::Curious, play.degree.map_or(Graph::Complete, regular), 2)
        }
        Some((Signed::Active, authority)) => (Suite::Active { corrupt: 0, authority }, Graph::Complete, 3),
        // Everybody draws all others, so that it is known who is whose holder. A policy reckons with one corrupt client.
        Some((Signed::Pinned, authority)) => {
            let (degree, threshold) = if play.lost[0].is_empty() { (5, 4) } else { (4, 3) };
            (Suite::Pinned { corrupt: 1, authority }, Graph::KOut { degree }, threshold)
        }
    };
    Config {
        suite,
        graph,
        clients: clients_of(signed.map(|(suite, _)| suite)),
        threshold,
        minimum_survivors: 2,
        vectors: vec![VectorSpec::new(VECTOR, INPUT.len() as u32, BITS)],
        task: Sha256::digest(TASK).into(),
        nonce: table.nonce,
    }
}

/// What another client gives.
fn input_of(id: u32) -> Vec<u64> {
    (0..INPUT.len() as u64).map(|at| u64::from(id) * 1000 + at).collect()
}

fn others(config: &Config, identities: Option<&Population>) -> Result<BTreeMap<u32, Client>, String> {
    let client = |id: u32| {
        let person = identities.map(|population| (population, place_of(id)));
        let mut client = client([id as u8; 32], person)?;
        let input = Input::new().with(VECTOR, input_of(id));
        client.set_input(input).map(|()| (id, client)).map_err(|misuse| misuse.to_string())
    };
    (1..=config.clients).filter(|id| *id != GUEST).map(client).collect()
}

/// The others answer, but for those that are lost.
fn others_answer(
    server: &mut Server,
    others: &mut BTreeMap<u32, Client>,
    requests: &Requests,
    lost: &[u32],
) -> Result<(), String> {
    for (id, request) in requests {
        if let Some(client) = others.get_mut(&id.get()).filter(|_| !lost.contains(&id.get())) {
            let response = client.handle(request).map_err(|abort| abort.to_string())?;
            server.receive(*id, &response).map_err(|fault| fault.to_string())?;
        }
    }
    Ok(())
}

/// The place of a client's identity: the guest's is the first.
fn place_of(id: u32) -> usize {
    match id {
        GUEST => 0,
        id if id < GUEST => id as usize,
        id => id as usize - 1,
    }
}

impl Population {
    /// Fails if there are too few for a session.
    pub(super) fn fills_a_session(&self) -> Result<(), String> {
        self.at_least(clients_of(Some(self.suite)) as usize)
    }

    /// Who has this id in a session.
    pub(super) fn player(&self, id: u32) -> &Person {
        &self.people[place_of(id)]
    }
}

fn check_sum(table: Table<'_>, aggregate: &Aggregate) -> Result<(), String> {
    let mut sum = INPUT.to_vec();
    for id in aggregate.survivors.iter().map(|id| id.get()).filter(|id| *id != GUEST) {
        sum.iter_mut().zip(input_of(id)).for_each(|(sum, value)| *sum += value);
    }
    sum.iter_mut().for_each(|sum| *sum %= 1 << BITS);
    let found: Vec<u64> = aggregate.vector(VECTOR).map(|lanes| lanes.iter().collect()).unwrap_or_default();
    if table.input_is_known && found != sum {
        return Err(format!("the sum is {found:?}, not {sum:?}: the masks or the input are wrong"));
    }
    Ok(())
}
