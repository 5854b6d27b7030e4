//! One session: the loop that owns the protocol core and decides when a round closes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use secagg::{Abort, Aggregate, ClientId, Closed, Counts, Requests, Round, Server};
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep_until, timeout};

use crate::credit::Credits;
use crate::error::Error;
use crate::frame::HEADER_BYTES;
use crate::lobby::Member;
use crate::outcome::{Outcome, StageReport, Traffic};
use crate::peer::{Ask, Event, Pace, Peer, Turn, request_bytes};
use crate::plan::SessionPlan;
use crate::policy::{LONGEST_WAIT, SessionPolicy};
use crate::randomness::Randomness;
use crate::status::Status;

/// Answers on their way to the loop; each holds byte credit, so this bounds their number only.
const EVENTS: usize = 64;

/// Turns a client's task may have before it: a request, and a dismissal that overtakes it.
const TURNS: usize = 2;

/// Answers above this many bytes are taken in on a blocking thread.
const HEAVY: usize = 256 * 1024;

/// Longest wait at the end of a session for clients to take the last word in.
const FAREWELL: Duration = Duration::from_secs(3);

/// Runs the session that `plan` asks for with the clients that have joined.
pub(crate) async fn run(
    plan: &SessionPlan,
    randomness: &Randomness,
    members: Vec<Member>,
    credits: &Credits,
    pace: Pace,
) -> Result<Outcome, Error> {
    let joined = u32::try_from(members.len()).unwrap_or(u32::MAX);
    let (core, requests) = match open(plan, randomness, joined) {
        Ok(opened) => opened,
        Err(error) => {
            for member in members {
                member.connection.close(Status::Failed.close_code(), b"");
            }
            return Err(error);
        }
    };
    let mut session = Session::start(core, plan, members, credits, pace);
    let result = session.rounds(requests).await;
    let last_word = match &result {
        Ok(Ok(_)) => Status::Released,
        Ok(Err(abort)) => Status::from(abort),
        Err(_) => Status::Failed,
    };
    session.end(last_word).await;
    Ok(session.outcome(result?))
}

fn open(plan: &SessionPlan, randomness: &Randomness, joined: u32) -> Result<(Server, Requests), Error> {
    let nonce = plan.nonce.map_or_else(|| randomness.nonce(), Ok)?;
    Ok(Server::open(plan.config(joined, nonce))?)
}

struct Session<'a> {
    core: Core,
    policy: &'a SessionPolicy,
    /// Given with the first request, then let go.
    task: Option<Arc<[u8]>>,
    /// The clients that are connected and not dismissed.
    links: BTreeMap<ClientId, mpsc::Sender<Turn>>,
    events: mpsc::Receiver<Event>,
    peers: JoinSet<()>,
    record: Record,
}

/// What is told at the end.
struct Record {
    members: BTreeMap<ClientId, String>,
    stages: Vec<StageReport>,
    traffic: BTreeMap<ClientId, BTreeMap<Round, Traffic>>,
    answered_after: BTreeMap<ClientId, BTreeMap<Round, f64>>,
    dropped: BTreeMap<Round, Vec<ClientId>>,
    /// When the requests of the open round went out.
    opened: Instant,
}

impl<'a> Session<'a> {
    fn start(
        core: Server,
        plan: &'a SessionPlan,
        members: Vec<Member>,
        credits: &Credits,
        pace: Pace,
    ) -> Self {
        let (sender, events) = mpsc::channel(EVENTS);
        let mut links = BTreeMap::new();
        let mut peers = JoinSet::new();
        let mut record = Record::new();
        for (id, member) in (1..).filter_map(ClientId::new).zip(members) {
            record.members.insert(id, member.name.clone());
            record.traffic(id, Round::AdvertiseKeys).up += member.joined_with;
            let (turns, receiver) = mpsc::channel(TURNS);
            links.insert(id, turns);
            let peer = Peer::new(id, member, credits.clone(), pace);
            peers.spawn(peer.serve(receiver, sender.clone()));
        }
        let (core, task) = (Core(Some(core)), Some(plan.task.clone()));
        Session { core, policy: &plan.policy, task, links, events, peers, record }
    }

    async fn rounds(&mut self, mut requests: Requests) -> Result<Result<Aggregate, Abort>, Error> {
        loop {
            let round = self.core.round()?;
            let expected: BTreeSet<ClientId> = requests.iter().map(|(id, _)| *id).collect();
            self.record.opened = Instant::now();
            let waiting = self.send(round, requests)?;
            tracing::info!(%round, expected = expected.len(), connected = waiting.len(), "round opened");
            let missing = self.collect(round, waiting, &expected).await?;
            let answered = (expected.len() - missing.len()) as u32;
            let closed = self.core.run(Server::close_round).await?;
            let report = StageReport {
                round,
                expected: expected.len() as u32,
                answered,
                seconds: self.record.opened.elapsed().as_secs_f64(),
            };
            tracing::info!(%round, answered, seconds = report.seconds, "round closed");
            self.record.stages.push(report);
            self.record.drop_in(round, missing);
            match closed {
                Ok(Closed::Next(next)) => requests = next,
                Ok(Closed::Done(aggregate)) => return Ok(Ok(aggregate)),
                Err(abort) => return Ok(Err(abort)),
            }
            self.dismiss_all_but(&requests, round);
        }
    }

    /// Sends a round's requests and returns the clients whose answer is worth waiting for.
    fn send(&mut self, round: Round, requests: Requests) -> Result<BTreeSet<ClientId>, Error> {
        let (task, deadline) = (self.task.take(), self.policy.stage(round).deadline);
        let mut waiting = BTreeSet::new();
        for (id, request) in requests {
            let Some(link) = self.links.get(&id) else { continue };
            let limit = self.core.get()?.response_limit(id);
            let bytes = request_bytes(task.as_deref(), &request);
            let turn = Turn::Request(Ask { round, task: task.clone(), request, limit, deadline });
            if link.try_send(turn).is_ok() {
                self.record.traffic(id, round).down += bytes;
                waiting.insert(id);
            } else {
                self.links.remove(&id);
            }
        }
        Ok(waiting)
    }

    /// Takes answers in until the round is to be closed; returns the clients without one.
    async fn collect(
        &mut self,
        round: Round,
        mut waiting: BTreeSet<ClientId>,
        expected: &BTreeSet<ClientId>,
    ) -> Result<BTreeSet<ClientId>, Error> {
        let policy = *self.policy.stage(round);
        let quorum = policy.quorum_of(expected.len() as u32) as usize;
        let mut missing = expected.clone();
        let mut close_at = Instant::now() + policy.deadline.min(LONGEST_WAIT);
        let mut quorum_reached = false;
        while !waiting.is_empty() {
            // An answer that is already there is taken before the clock is looked at.
            let event = tokio::select! {
                biased;
                event = self.events.recv() => event,
                () = sleep_until(close_at) => {
                    tracing::info!(%round, missing = waiting.len(), "closing without the missing clients");
                    break;
                }
            };
            let Some(event) = event else { break };
            if let Some(answered) = self.take(round, event, &mut waiting).await? {
                missing.remove(&answered);
            }
            // In this order: to ask the core whether it could go on looks at the whole graph.
            let enough = expected.len() - missing.len() >= quorum;
            if !quorum_reached && enough && !waiting.is_empty() && self.core.is_sufficient()? {
                quorum_reached = true;
                close_at = close_at.min(Instant::now() + policy.grace.min(LONGEST_WAIT));
            }
        }
        Ok(missing)
    }

    /// Takes one event in; returns the client whose answer was accepted.
    async fn take(
        &mut self,
        round: Round,
        event: Event,
        waiting: &mut BTreeSet<ClientId>,
    ) -> Result<Option<ClientId>, Error> {
        match event {
            Event::Lost { from, received } => {
                self.record.traffic(from, round).up += received;
                self.links.remove(&from);
                waiting.remove(&from);
                Ok(None)
            }
            // Too late: that round is closed and its client dismissed.
            Event::Answer { round: answered, .. } if answered != round => Ok(None),
            Event::Answer { from, body, at, credit, .. } => {
                self.record.traffic(from, round).up += HEADER_BYTES + body.len() as u64;
                self.record.answered(from, round, at);
                waiting.remove(&from);
                let accepted = self.core.receive(from, body).await?;
                drop(credit);
                if let Err(fault) = accepted {
                    tracing::warn!(client = %from, %round, %fault, "answer refused");
                    self.dismiss(from, round, Status::from(&fault));
                    return Ok(None);
                }
                Ok(Some(from))
            }
        }
    }

    fn dismiss_all_but(&mut self, requests: &Requests, round: Round) {
        let staying: BTreeSet<ClientId> = requests.iter().map(|(id, _)| *id).collect();
        let leaving: Vec<ClientId> = self.links.keys().filter(|id| !staying.contains(id)).copied().collect();
        for id in leaving {
            self.dismiss(id, round, Status::Late);
        }
    }

    fn dismiss(&mut self, id: ClientId, round: Round, status: Status) {
        if let Some(link) = self.links.remove(&id)
            && link.try_send(Turn::Dismiss(status)).is_ok()
        {
            self.record.traffic(id, round).down += HEADER_BYTES;
        }
    }

    /// Tells everybody who is still there how the session ended.
    async fn end(&mut self, last_word: Status) {
        let round = self.record.stages.last().map_or(Round::AdvertiseKeys, |stage| stage.round);
        let staying: Vec<ClientId> = self.links.keys().copied().collect();
        for id in staying {
            self.dismiss(id, round, last_word);
        }
        // Nobody reads events any more; a task that wants to send one must not wait for it.
        self.events.close();
        let all = async { while self.peers.join_next().await.is_some() {} };
        if timeout(FAREWELL, all).await.is_err() {
            self.peers.abort_all();
        }
    }

    fn outcome(self, result: Result<Aggregate, Abort>) -> Outcome {
        let Record { members, stages, traffic, answered_after, dropped, .. } = self.record;
        let counts = self.core.counts();
        Outcome { result, members, stages, traffic, answered_after, dropped, counts }
    }
}

impl Record {
    fn new() -> Record {
        Record {
            members: BTreeMap::new(),
            stages: Vec::new(),
            traffic: BTreeMap::new(),
            answered_after: BTreeMap::new(),
            dropped: BTreeMap::new(),
            opened: Instant::now(),
        }
    }

    fn traffic(&mut self, client: ClientId, round: Round) -> &mut Traffic {
        self.traffic.entry(client).or_default().entry(round).or_default()
    }

    fn answered(&mut self, client: ClientId, round: Round, at: Instant) {
        let after = at.duration_since(self.opened).as_secs_f64();
        self.answered_after.entry(client).or_default().insert(round, after);
    }

    fn drop_in(&mut self, round: Round, missing: BTreeSet<ClientId>) {
        if !missing.is_empty() {
            self.dropped.insert(round, missing.into_iter().collect());
        }
    }
}

/// The protocol core, lent to a blocking thread while it computes. Empty only after a panic there.
struct Core(Option<Server>);

impl Core {
    fn get(&self) -> Result<&Server, Error> {
        self.0.as_ref().ok_or_else(lost_core)
    }

    fn round(&self) -> Result<Round, Error> {
        let over = || Error::Worker("the protocol core has ended too early".into());
        Ok(self.get()?.progress().ok_or_else(over)?.round)
    }

    fn counts(&self) -> Counts {
        self.0.as_ref().map(Server::counts).unwrap_or_default()
    }

    fn is_sufficient(&self) -> Result<bool, Error> {
        Ok(self.get()?.progress().is_some_and(|progress| progress.sufficient))
    }

    async fn receive(&mut self, from: ClientId, body: Vec<u8>) -> Result<Result<(), secagg::Fault>, Error> {
        if body.len() > HEAVY {
            return self.run(move |core| core.receive(from, &body)).await;
        }
        Ok(self.0.as_mut().ok_or_else(lost_core)?.receive(from, &body))
    }

    async fn run<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Server) -> R + Send + 'static,
    ) -> Result<R, Error> {
        let mut core = self.0.take().ok_or_else(lost_core)?;
        let job = spawn_blocking(move || {
            let result = work(&mut core);
            (core, result)
        });
        let (core, result) = job.await.map_err(|error| Error::Worker(error.to_string()))?;
        self.0 = Some(core);
        Ok(result)
    }
}

fn lost_core() -> Error {
    Error::Worker("the protocol core is gone".into())
}
