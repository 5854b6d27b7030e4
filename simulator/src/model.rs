//! A session by its numbers alone: the same events as the protocol's, in passes over flat arrays.
//!
//! What happens within a round never feeds back into it before it closes. So a round needs no event queue here: one
//! pass finds when requests arrive, one when answers do, one what came of them when the round closed.

mod closing;

use secagg::{Config, Counts, Round, operations};

use crate::cast::{Answering, Ending, Scene, Settled};
use crate::circle::{Circle, Partners};
use crate::exchange::Exchange;
use crate::ledger::{Ledger, Page};
use crate::link::Schedule;
use crate::session::{Broken, Closing, Mode, Next, Play, Requests};
use crate::transcript::Record;

/// Rounds after which a client has shared its secrets, and after which its input is in the sum.
const SHARED: u8 = 2;
const SURVIVED: u8 = 3;

/// What comes of a client in a round, as far as it is known before the round closes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It begins no answer; its end is when the server notices that.
    Gone,
    /// It begins an answer that does not arrive; its end is when it would.
    Cut,
    /// It answers; its end is when the answer arrives.
    Answers,
}

/// The session: per client 2 bytes, and during a round 13 more.
pub(crate) struct Model {
    config: Config,
    rounds: &'static [Round],
    /// For each client, how many rounds it has answered.
    answered: Vec<u8>,
    /// Rounds that are closed.
    closed: u8,
    circle: Circle,
    requests: Requests,
}

/// For each client, when its answer begins, in ticks, when that ends, and how.
struct Times {
    begins: Vec<u32>,
    ends: Vec<u64>,
    fates: Vec<Fate>,
    /// When every asked client has answered or is known to be gone.
    everyone: u64,
}

impl Model {
    pub(crate) fn new(config: Config) -> Self {
        let answered = vec![0; config.clients as usize];
        let circle = Circle::new(config.graph, &[]);
        let rounds = crate::exchange::rounds(config.suite);
        let mut model = Self { config, rounds, answered, closed: 0, circle, requests: Requests::default() };
        model.requests = model.next_requests();
        model
    }

    /// The asked clients, ascending, each with the number of its partners.
    fn asked(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let mut partners = Source::of(&self.circle, self.closed);
        let closed = self.closed;
        (0..).zip(&self.answered).filter_map(move |(client, answered)| {
            let partners = if closed == 0 || *answered > 0 { partners.next() } else { 0 };
            (*answered == closed).then_some((client, partners))
        })
    }

    /// When requests have been sent and answers arrive.
    fn times(&self, play: &Play<'_>) -> Times {
        let (scene, world) = (play.scene, play.scene.cast.world);
        let down = self.share_down(play);
        let clients = self.answered.len();
        let mut times = Times {
            begins: vec![0; clients],
            ends: vec![0; clients],
            fates: vec![Fate::Gone; clients],
            everyone: 0,
        };
        let mut load = world.up.load();
        for (client, partners) in self.asked() {
            let (who, exchange) = (scene.cast.who(client), play.exchanges.with(partners));
            let moment = scene.moment(who);
            let sent = world.down.end(&down, scene.request(who, exchange));
            match scene.answering(who, moment, exchange, sent) {
                Answering::Gone { at } => times.ends[client as usize] = scene.noticed(at),
                Answering::Sends { start } => {
                    times.begins[client as usize] = start;
                    times.fates[client as usize] = if moment.is_some() { Fate::Cut } else { Fate::Answers };
                    world.up.add(&mut load, || scene.response(who, moment, exchange, start));
                }
            }
        }
        self.arrivals(play, &world.up.share(load), &mut times);
        times
    }

    fn share_down(&self, play: &Play<'_>) -> Schedule {
        let link = &play.scene.cast.world.down;
        let mut load = link.load();
        if link.limits() {
            for (client, partners) in self.asked() {
                let who = play.scene.cast.who(client);
                link.add(&mut load, || play.scene.request(who, play.exchanges.with(partners)));
            }
        }
        link.share(load)
    }

    /// When the answers that have begun end.
    fn arrivals(&self, play: &Play<'_>, up: &Schedule, times: &mut Times) {
        let (scene, link) = (play.scene, &play.scene.cast.world.up);
        for (client, partners) in self.asked() {
            let at = client as usize;
            let mut known = times.ends[at];
            if times.fates[at] != Fate::Gone {
                let who = scene.cast.who(client);
                let moment = if times.fates[at] == Fate::Cut { scene.moment(who) } else { None };
                let flow = scene.response(who, moment, play.exchanges.with(partners), times.begins[at]);
                times.ends[at] = scene.arrival(who, link.end(up, flow));
                known = match scene.ending(who, moment, times.ends[at]) {
                    Ending::Answer { at } => at,
                    Ending::Lost { at: known } => {
                        times.fates[at] = Fate::Cut;
                        known
                    }
                };
            }
            times.everyone = times.everyone.max(known);
        }
    }

    /// Notes what came of every asked client.
    fn settle(&mut self, play: &Play<'_>, times: &Times, closed: u64, page: &mut Page, ledger: &mut Ledger) {
        let scene = play.scene;
        let mut tally = Tally::default();
        let mut partners = Source::of(&self.circle, self.closed);
        for (client, answered) in (0..).zip(&mut self.answered) {
            let partners = if self.closed == 0 || *answered > 0 { partners.next() } else { 0 };
            if *answered == self.closed {
                let exchange = play.exchanges.with(partners);
                let (settled, record) = times.settle(scene, client, exchange, closed);
                ledger.note(page, scene.cast.class(scene.cast.devices.of(client)), record, exchange);
                tally.add(partners, &settled);
                *answered += u8::from(settled.accepted);
            }
        }
        for (partners, (worked, accepted)) in (0..).zip(tally.0).filter(|(_, (worked, _))| *worked > 0) {
            let exchange = play.exchanges.with(partners);
            ledger.clients += exchange.counts * worked;
            page.taken_in += exchange.taken_in * accepted;
        }
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

impl Model {
    /// The requests of the round that opens.
    fn next_requests(&self) -> Requests {
        let round = self.rounds[usize::from(self.closed)];
        let mut tally = Vec::<u64>::new();
        for (_, partners) in self.asked() {
            let at = partners as usize;
            if at >= tally.len() {
                tally.resize(at + 1, 0);
            }
            tally[at] += 1;
        }
        let used = || (0..).zip(&tally).filter(|(_, count)| **count > 0);
        Requests {
            messages: tally.iter().sum(),
            bytes: used().map(|(partners, count)| count * request(&self.config, round, partners)).sum(),
            partners: (
                used().next().map_or(0, |(partners, _)| partners),
                used().last().map_or(0, |(partners, _)| partners),
            ),
        }
    }
}

impl Mode for Model {
    fn requests(&self) -> Requests {
        self.requests
    }

    fn play(&mut self, play: &Play<'_>, page: &mut Page, ledger: &mut Ledger) -> Result<Closing, Broken> {
        let times = self.times(play);
        let (closed, reason) = self.close(play, &times);
        self.settle(play, &times, closed, page, ledger);
        self.circle = Circle::new(self.config.graph, &self.answered);
        let checked = self.check(&self.answered, &self.circle);
        let last = usize::from(self.closed) + 1 == self.rounds.len();
        self.closed += 1;
        if checked.is_ok() && !last {
            self.requests = self.next_requests();
        }
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
        Round::ShareKeys => sizes::share_keys_request(config, partners),
        Round::MaskedInputCollection => {
            sizes::masked_input_request(config, config.clients as usize, partners)
        }
        Round::ConsistencyCheck => 0,
        Round::Unmasking => sizes::unmasking_request(config, config.clients as usize, partners),
    }
}

impl Times {
    /// When a client's answer comes, with the client.
    #[inline]
    fn answer(&self, client: u32) -> Option<(u64, u32)> {
        let at = client as usize;
        (self.fates[at] == Fate::Answers).then_some((self.ends[at], client))
    }

    /// What came of a client when the round closed.
    #[inline]
    fn settle(&self, scene: &Scene<'_>, client: u32, exchange: &Exchange, closed: u64) -> (Settled, Record) {
        let at = client as usize;
        let (fate, start, end) = (self.fates[at], self.begins[at], self.ends[at]);
        let who = scene.cast.who(client);
        let (settled, ended) = match fate {
            Fate::Gone => (Settled::NOTHING, end),
            Fate::Answers => (scene.settle(who, None, exchange, (start, end), closed), end),
            Fate::Cut => {
                let moment = scene.moment(who);
                let (Ending::Answer { at } | Ending::Lost { at }) = scene.ending(who, moment, end);
                (scene.settle(who, moment, exchange, (start, end), closed), at)
            }
        };
        let record = Record {
            round: scene.round,
            client: client + 1,
            request: exchange.request,
            began: (fate != Fate::Gone).then(|| u64::from(start) * scene.cast.world.tick),
            ended,
            accepted: settled.accepted,
            sent: settled.sent,
            work: if settled.worked { scene.work(who, exchange) } else { 0 },
        };
        (settled, record)
    }
}

/// By number of partners, how many clients did their work, and of how many the server took the answer in.
#[derive(Default)]
struct Tally(Vec<(u64, u64)>);

impl Tally {
    #[inline]
    fn add(&mut self, partners: u32, settled: &Settled) {
        let at = partners as usize;
        if at >= self.0.len() {
            self.0.resize(at + 1, (0, 0));
        }
        self.0[at].0 += u64::from(settled.worked);
        self.0[at].1 += u64::from(settled.accepted);
    }
}

/// Numbers of partners, client by client.
enum Source<'a> {
    Same(u32),
    Each(Partners<'a>),
}

impl<'a> Source<'a> {
    /// The partners of a round's clients: none before there is a roster, then the neighbours, then those of them
    /// that shared.
    fn of(circle: &'a Circle, closed: u8) -> Self {
        match closed {
            0 => Self::Same(0),
            1 => Self::Same(circle.degree()),
            _ => Self::Each(circle.partners(SHARED)),
        }
    }

    #[inline]
    fn next(&mut self) -> u32 {
        match self {
            Self::Same(partners) => *partners,
            Self::Each(partners) => partners.next().unwrap_or_default(),
        }
    }
}
