//! A session by its numbers alone: the same events as the protocol's, in passes over flat arrays.
//!
//! What happens within a round never feeds back into it before it closes. So a round needs no event queue here: one
//! pass finds when requests arrive, one when answers do, one what came of them when the round closed.

use secagg::{Abort, ClientId, Config, Counts, Graph, Round, operations};

use crate::cast::{Answering, Ending, Scene, Settled};
use crate::circle::{Circle, Partners};
use crate::histogram::{Histogram, bucket};
use crate::ledger::{Ledger, Page};
use crate::report::Reason;
use crate::session::{Broken, Closing, Mode, Next, Play, Requests};
use crate::transcript::Record;
use crate::world::nanoseconds;

/// Rounds after which a client has shared its secrets, and after which its input is in the sum.
const SHARED: u8 = 2;
const SURVIVED: u8 = 3;

/// Of a client that begins no answer.
const NEVER: u32 = u32::MAX;

/// The session: per client 1 byte, and during a round 13 more.
pub(crate) struct Model {
    config: Config,
    rounds: &'static [Round],
    /// For each client, how many rounds it has answered.
    answered: Vec<u8>,
    /// Rounds that are closed.
    closed: u8,
    circle: Circle,
}

/// When each client's answer begins, in ticks, and when it ends or the server notices that it will not.
struct Times {
    begins: Vec<u32>,
    ends: Vec<u64>,
    /// When every asked client has answered or is known to be gone.
    everyone: u64,
}

impl Model {
    pub(crate) fn new(config: Config) -> Self {
        let answered = vec![0; config.clients as usize];
        let circle = Circle::new(config.graph, &[]);
        let rounds = crate::exchange::rounds(config.suite);
        Self { config, rounds, answered, closed: 0, circle }
    }

    /// The asked clients, ascending, each with the number of its partners.
    fn asked(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let mut partners = match self.closed {
            0 => Source::Same(0),
            1 => Source::Same(self.circle.degree()),
            _ => Source::Each(self.circle.partners(SHARED)),
        };
        let closed = self.closed;
        (0..).zip(&self.answered).filter_map(move |(client, answered)| {
            let partners = if closed == 0 || *answered > 0 { partners.next() } else { 0 };
            (*answered == closed).then_some((client, partners))
        })
    }

    /// When requests have been sent and answers arrive.
    fn times(&self, play: &Play<'_>) -> Times {
        let (scene, exchanges) = (play.scene, play.exchanges);
        let world = scene.cast.world;
        let mut load = world.down.load();
        if world.scenario.network.server_up.is_some() {
            for (client, partners) in self.asked() {
                world.down.add(&mut load, scene.request(client, exchanges.with(partners)), 1);
            }
        }
        let down = world.down.share(load);
        let clients = self.answered.len();
        let mut times = Times { begins: vec![NEVER; clients], ends: vec![0; clients], everyone: 0 };
        let mut load = world.up.load();
        let shared = world.scenario.network.server_down.is_some();
        for (client, partners) in self.asked() {
            let (at, exchange) = (client as usize, exchanges.with(partners));
            let sent = world.down.end(&down, scene.request(client, exchange));
            match scene.answering(client, exchange, sent) {
                Answering::Gone { at: gone } => times.ends[at] = scene.noticed(gone),
                Answering::Sends { start } => {
                    times.begins[at] = start;
                    if shared {
                        world.up.add(&mut load, scene.response(client, exchange, start), 1);
                    }
                }
            }
        }
        let up = world.up.share(load);
        for (client, partners) in self.asked() {
            let at = client as usize;
            if times.begins[at] != NEVER {
                let flow = scene.response(client, exchanges.with(partners), times.begins[at]);
                times.ends[at] = scene.arrival(client, world.up.end(&up, flow));
            }
            times.everyone = times.everyone.max(times.known(scene, client));
        }
        times
    }

    /// When and why the round closes.
    fn close(&self, play: &Play<'_>, times: &Times) -> (u64, Reason) {
        let deadline = nanoseconds(play.stage.deadline);
        let (closed, reason) = match times.everyone <= deadline {
            true => (times.everyone, Reason::Everyone),
            false => (deadline, Reason::Deadline),
        };
        let quorum = self.quorum(play, times, closed);
        let grace = nanoseconds(play.stage.grace);
        match quorum.map(|at| at + grace) {
            Some(at) if at < closed => (at, Reason::Quorum),
            _ => (closed, reason),
        }
    }

    /// When the quorum has answered and the protocol could go on, if that is before `limit`.
    fn quorum(&self, play: &Play<'_>, times: &Times, limit: u64) -> Option<u64> {
        let asked = self.asked().count() as u32;
        let quorum = u64::from(play.stage.quorum_of(asked));
        if quorum == u64::from(asked) {
            return None;
        }
        let answers = || self.asked().filter_map(|(client, _)| times.answer(play.scene, client));
        let mut histogram = Histogram::default();
        answers().for_each(|(at, _)| histogram.add(at));
        if histogram.total() < quorum {
            return None;
        }
        let (first, below) = histogram.bucket_of(quorum)?;
        let mut open: Vec<(u64, u32)> =
            answers().filter(|(at, _)| bucket(*at) == first && *at < limit).collect();
        open.sort_unstable();
        let later = || {
            let mut later: Vec<(u64, u32)> =
                answers().filter(|(at, _)| bucket(*at) > first && *at < limit).collect();
            later.sort_unstable();
            later
        };
        let start = (quorum - below - 1) as usize;
        let now = open.get(start..).unwrap_or_default().iter().copied();
        let enough = |answer: &(u64, u32)| self.sufficient(play.scene, times, *answer);
        now.chain(std::iter::once_with(later).flatten()).find(enough).map(|(at, _)| at)
    }

    /// Whether the protocol could go on with the answers up to this one.
    fn sufficient(&self, scene: &Scene<'_>, times: &Times, last: (u64, u32)) -> bool {
        let mut answered = self.answered.clone();
        for (client, _) in self.asked() {
            if times.answer(scene, client).is_some_and(|answer| answer <= last) {
                answered[client as usize] += 1;
            }
        }
        let circle = Circle::new(self.config.graph, &answered);
        self.check(&answered, &circle).is_ok()
    }

    /// The core's rule for going on, were `answered` what the clients have answered when the round closes.
    fn check(&self, answered: &[u8], circle: &Circle) -> Result<(), Abort> {
        let round = self.rounds[usize::from(self.closed)];
        let present = self.closed + 1;
        let missing = || {
            let out = (1..).zip(answered).filter(|(_, rounds)| **rounds == self.closed);
            out.filter_map(|(id, _)| ClientId::new(id)).collect::<Vec<_>>()
        };
        let count = answered.iter().filter(|rounds| **rounds >= present).count() as u32;
        let threshold = self.config.threshold;
        if self.closed == 0 {
            let needed = match self.config.graph {
                Graph::Complete => threshold,
                Graph::Regular { degree } => degree + 1,
            };
            return match needed.saturating_sub(count) {
                0 => Ok(()),
                more => Err(Abort::TooFew { round, missing: missing(), more, about: None }),
            };
        }
        let complete = self.config.graph == Graph::Complete;
        let roster = (1..).zip(answered).filter(|(_, rounds)| **rounds > 0);
        let held = circle.partners(present).zip(circle.partners(SURVIVED));
        let owners = roster.zip(held).filter_map(|((id, rounds), (held, survivors))| {
            let needed = match self.closed {
                1 => *rounds >= SHARED,
                _ => *rounds >= SURVIVED || (*rounds >= SHARED && survivors > 0),
            };
            needed.then_some((if complete { count } else { held }, id))
        });
        match owners.min() {
            Some((held, _)) if held >= threshold => Ok(()),
            None => Err(Abort::TooFew { round, missing: missing(), more: threshold, about: None }),
            Some((held, owner)) => {
                let missing = missing();
                let about = (!complete || missing.is_empty()).then(|| ClientId::new(owner)).flatten();
                Err(Abort::TooFew { round, missing, more: threshold - held, about })
            }
        }
    }

    /// Notes what came of every asked client.
    fn settle(&mut self, play: &Play<'_>, times: &Times, closed: u64, page: &mut Page, ledger: &mut Ledger) {
        let scene = play.scene;
        let mut accepted = Vec::new();
        for (client, partners) in self.asked() {
            let (at, exchange) = (client as usize, play.exchanges.with(partners));
            let began = (times.begins[at] != NEVER).then_some(times.begins[at]);
            let settled = began.map_or(Settled::NOTHING, |begins| {
                scene.settle(client, exchange, (begins, times.ends[at]), closed)
            });
            let device = scene.cast.devices.of(client);
            let record = Record {
                round: scene.round,
                client: client + 1,
                request: exchange.request,
                began: began.map(|begins| u64::from(begins) * scene.cast.world.tick),
                ended: times.known(scene, client),
                accepted: settled.accepted,
                sent: settled.sent,
                work: if settled.worked { scene.work(device, exchange) } else { 0 },
            };
            if settled.worked {
                ledger.clients += exchange.counts;
            }
            ledger.note(page, scene.cast.class(device), record, exchange);
            if settled.accepted {
                accepted.push(client);
            }
        }
        accepted.into_iter().for_each(|client| self.answered[client as usize] += 1);
    }

    /// What the server does to take the masks off.
    fn unmask(&self) -> Counts {
        let (mut survivors, mut dropped, mut pairs) = (0, 0, 0);
        let roster = self.answered.iter().filter(|rounds| **rounds > 0);
        for (rounds, others) in roster.zip(self.circle.partners(SURVIVED)) {
            if *rounds >= SURVIVED {
                survivors += 1;
            } else if *rounds >= SHARED && others > 0 {
                dropped += 1;
                pairs += u64::from(others);
            }
        }
        operations::unmask(&self.config, survivors, dropped, pairs)
    }
}

impl Mode for Model {
    fn requests(&self) -> Requests {
        let round = self.rounds[usize::from(self.closed)];
        let mut counts = std::collections::BTreeMap::<u32, u64>::new();
        let mut run = (0, 0);
        for (_, partners) in self.asked() {
            // Mostly the same as before: the map is asked once a run.
            if run.0 != partners {
                *counts.entry(run.0).or_default() += run.1;
                run = (partners, 0);
            }
            run.1 += 1;
        }
        *counts.entry(run.0).or_default() += run.1;
        counts.retain(|_, count| *count > 0);
        let messages = counts.values().sum();
        let bytes =
            counts.iter().map(|(partners, count)| count * request(&self.config, round, *partners)).sum();
        let edge = |entry: Option<(&u32, &u64)>| entry.map_or(0, |(partners, _)| *partners);
        Requests {
            messages,
            bytes,
            partners: (edge(counts.first_key_value()), edge(counts.last_key_value())),
        }
    }

    fn play(&mut self, play: &Play<'_>, page: &mut Page, ledger: &mut Ledger) -> Result<Closing, Broken> {
        let times = self.times(play);
        let (closed, reason) = self.close(play, &times);
        self.settle(play, &times, closed, page, ledger);
        self.circle = Circle::new(self.config.graph, &self.answered);
        let checked = self.check(&self.answered, &self.circle);
        let last = usize::from(self.closed) + 1 == self.rounds.len();
        self.closed += 1;
        let (next, work) = match checked {
            Err(abort) => (Next::Abort(abort), Counts::default()),
            Ok(()) if !last => (Next::Round, Counts::default()),
            Ok(()) => {
                let survivors = self.answered.iter().filter(|rounds| **rounds >= SURVIVED).count() as u32;
                (Next::Done { survivors, exact: None }, self.unmask())
            }
        };
        Ok(Closing { reason, closed, work, next })
    }
}

/// Bytes of a round's request to a client with so many partners.
pub(crate) fn request(config: &Config, round: Round, partners: u32) -> u64 {
    use secagg::sizes;
    let partners = partners as usize;
    match round {
        Round::AdvertiseKeys => sizes::advertise_keys_request(config),
        Round::ShareKeys => sizes::share_keys_request(partners),
        Round::MaskedInputCollection => sizes::masked_input_request(partners),
        Round::ConsistencyCheck => 0,
        Round::Unmasking => sizes::unmasking_request(partners),
    }
}

impl Times {
    /// When the server knows what comes of a client.
    #[inline]
    fn known(&self, scene: &Scene<'_>, client: u32) -> u64 {
        let end = self.ends[client as usize];
        if self.begins[client as usize] == NEVER {
            return end;
        }
        match scene.ending(client, end) {
            Ending::Answer { at } | Ending::Lost { at } => at,
        }
    }

    /// When a client's answer comes, with the client.
    #[inline]
    fn answer(&self, scene: &Scene<'_>, client: u32) -> Option<(u64, u32)> {
        if self.begins[client as usize] == NEVER {
            return None;
        }
        match scene.ending(client, self.ends[client as usize]) {
            Ending::Answer { at } => Some((at, client)),
            Ending::Lost { .. } => None,
        }
    }
}

/// Numbers of partners, client by client.
enum Source<'a> {
    Same(u32),
    Each(Partners<'a>),
}

impl Source<'_> {
    #[inline]
    fn next(&mut self) -> u32 {
        match self {
            Self::Same(partners) => *partners,
            Self::Each(partners) => partners.next().unwrap_or_default(),
        }
    }
}
