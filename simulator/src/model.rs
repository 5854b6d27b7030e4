//! A session by its numbers alone: the same events as the protocol's, in passes over flat arrays.
//!
//! What happens within a round never feeds back into it before it closes. So a round needs no event queue here: one
//! pass finds when requests arrive, one when answers do, one what came of them when the round closed.

mod closing;

use secagg::{Config, Counts, Round, operations};

use crate::cast::{Answering, Ending, Scene, Settled, Who};
use crate::circle::{Circle, Partners, SHARED, SURVIVED};
use crate::exchange::{Exchange, request};
use crate::ledger::{Ledger, Page};
use crate::link::{Load, Schedule};
use crate::session::{Broken, Closing, Mode, Next, Play, Requests};
use crate::transcript::Record;

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
    /// Those of the last round, so that the memory is used again.
    times: Times,
}

/// For each client, when its answer begins, in ticks, when that ends, and how.
#[derive(Default)]
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
        let (requests, times) = (Requests::default(), Times::default());
        let mut model = Self { config, rounds, answered, closed: 0, circle, requests, times };
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
    fn times(&self, play: &Play<'_>, mut times: Times) -> Times {
        let (scene, world) = (play.scene, play.scene.cast.world);
        let down = self.share_down(play);
        let shared = world.up.limits();
        let mut load = Load::default();
        times.clear(self.answered.len());
        for (client, partners) in self.asked() {
            let (at, who, exchange) =
                (client as usize, scene.cast.who(client), play.exchanges.with(partners));
            let moment = scene.moment(who);
            let sent = world.down.end(&down, scene.request(who, exchange));
            match scene.answering(who, moment, exchange, sent) {
                Answering::Gone { at: gone } => times.lose(at, scene.noticed(gone)),
                Answering::Sends { flow } => {
                    times.fates[at] = if moment.is_some() { Fate::Cut } else { Fate::Answers };
                    if shared {
                        // The group and the way for now: what makes the times of them is not known yet.
                        (times.begins[at], times.ends[at]) = (load.add(flow), scene.way_up(who));
                    } else {
                        times.begins[at] = flow.start;
                        times.arrive(scene, who, at, world.up.alone(flow).saturating_add(scene.way_up(who)));
                    }
                }
            }
        }
        if shared {
            self.arrivals(scene, &world.up.share(load), &mut times);
        }
        times
    }

    fn share_down(&self, play: &Play<'_>) -> Schedule {
        let link = &play.scene.cast.world.down;
        let mut load = Load::default();
        if link.limits() {
            for (client, partners) in self.asked() {
                let who = play.scene.cast.who(client);
                load.add(play.scene.request(who, play.exchanges.with(partners)));
            }
        }
        link.share(load)
    }

    /// When the answers that have begun end, on a link that is shared.
    fn arrivals(&self, scene: &Scene<'_>, up: &Schedule, times: &mut Times) {
        for (client, answered) in (0..).zip(&self.answered) {
            let at = client as usize;
            if *answered == self.closed && times.fates[at] != Fate::Gone {
                let (begins, sent) = up.times(times.begins[at]);
                times.begins[at] = begins;
                times.arrive(scene, scene.cast.who(client), at, sent.saturating_add(times.ends[at]));
            }
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
        let mut tally = vec![0u64; self.circle.degree() as usize + 1];
        match Source::of(&self.circle, self.closed) {
            Source::Same(partners) => {
                tally[partners as usize] =
                    self.answered.iter().filter(|answered| **answered == self.closed).count() as u64;
            }
            Source::Each(_) => self.asked().for_each(|(_, partners)| tally[partners as usize] += 1),
        }
        let roster = self.circle.members();
        let bytes = |partners: u32| request(&self.config, round, partners as usize, roster as usize);
        let used = || (0..).zip(&tally).filter(|(_, count)| **count > 0);
        Requests {
            messages: tally.iter().sum(),
            bytes: used().map(|(partners, count)| count * bytes(partners)).sum(),
            partners: (
                used().next().map_or(0, |(partners, _)| partners),
                used().last().map_or(0, |(partners, _)| partners),
            ),
            roster,
        }
    }
}

impl Mode for Model {
    fn requests(&self) -> Requests {
        self.requests
    }

    fn play(&mut self, play: &Play<'_>, page: &mut Page, ledger: &mut Ledger) -> Result<Closing, Broken> {
        let times = std::mem::take(&mut self.times);
        let times = self.times(play, times);
        let (closed, reason) = self.close(play, &times);
        self.settle(play, &times, closed, page, ledger);
        self.times = times;
        self.circle.renew(&self.answered);
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
                (Next::Done { survivors, exact: None, error: None }, self.unmask())
            }
        };
        Ok(Closing { reason, closed, work, next })
    }
}

impl Times {
    /// Of so many clients, of whom nobody has been asked.
    fn clear(&mut self, clients: usize) {
        self.begins.resize(clients, 0);
        self.ends.resize(clients, 0);
        self.fates.clear();
        self.fates.resize(clients, Fate::Gone);
        self.everyone = 0;
    }

    /// Notes that a client begins no answer.
    #[inline]
    fn lose(&mut self, at: usize, known: u64) {
        self.ends[at] = known;
        self.everyone = self.everyone.max(known);
    }

    /// Notes when a client's answer would arrive, and with it whether it does.
    #[inline]
    fn arrive(&mut self, scene: &Scene<'_>, who: Who, at: usize, arrival: u64) {
        self.ends[at] = arrival;
        let known = match scene.ending(who, self.fates[at] == Fate::Cut, arrival) {
            Ending::Answer { at } => at,
            Ending::Lost { at: known } => {
                self.fates[at] = Fate::Cut;
                known
            }
        };
        self.everyone = self.everyone.max(known);
    }

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
                let (Ending::Answer { at } | Ending::Lost { at }) = scene.ending(who, true, end);
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
