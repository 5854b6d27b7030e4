//! A session by its numbers alone: the same events as the protocol's, in passes over flat arrays.
//!
//! What happens within a round never feeds back into it before it closes. So a round needs no event queue here: one
//! pass finds when requests arrive, one when answers do, one what came of them when the round closed.

mod books;
mod chunk;
mod closing;
mod tables;
mod times;

use secagg::{Config, Counts, Round, operations};

use crate::cast::Settled;
use crate::circle::{Circle, Partners, SHARED, SURVIVED, count};
use crate::exchange::request;
use crate::ledger::{Ledger, Page};
use crate::session::{Broken, Closing, Mode, Next, Play, Requests};
use crate::world::nanoseconds;
use books::Books;
use chunk::{Chunk, Walk};
use tables::{Answers, Sent, Table};
use times::Times;

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

    /// The asked clients, ascending.
    fn asked(&self) -> impl Iterator<Item = u32> + '_ {
        (0..).zip(&self.answered).filter(|(_, answered)| **answered == self.closed).map(|(client, _)| client)
    }

    /// The same, some at a time and with their partners.
    fn walk(&self) -> Walk<'_> {
        Walk::new(Source::of(&self.circle, self.closed), self.closed)
    }

    /// Finds when requests have been sent and answers arrive, and notes at once the answers that will count whenever the
    /// round closes.
    fn begin(&mut self, play: &Play<'_>, times: &mut Times, books: &mut Books<'_>) {
        let world = play.scene.cast.world;
        let lasts = Table::new(&self.requests, world.up_levels.values().len(), play, |exchange, class| {
            world.up.lasts(class, exchange.response_wire)
        });
        let mut chunk = Chunk::default();
        let sent = Sent::new(play, &self.requests, |each| {
            let mut walk = self.walk();
            while walk.take(&self.answered, &mut chunk) {
                each(&mut chunk);
            }
        });
        let mut shared = world.up.limits().then(|| Answers::new(play, &self.requests));
        times.clear(self.answered.len());
        let mut walk = Walk::new(Source::of(&self.circle, self.closed), self.closed);
        while walk.take(&self.answered, &mut chunk) {
            chunk.meet(play);
            chunk.work(play);
            chunk.begin(play, &sent);
            match &mut shared {
                Some(answers) => times.wait(play, &chunk, answers),
                None => {
                    times.arrive_alone(play, &chunk, &lasts, books);
                    books.accept(&mut self.answered);
                }
            }
        }
        if let Some(answers) = shared {
            let schedule = world.up.share(answers.load);
            let mut walk = Walk::new(Source::of(&self.circle, self.closed), self.closed);
            while walk.take(&self.answered, &mut chunk) {
                chunk.meet(play);
                chunk.work(play);
                times.arrive_shared(play.scene, &chunk, &schedule, books);
                books.accept(&mut self.answered);
            }
        }
    }

    /// Until when answers count whenever the round closes. A quorum may close it before anything is sure.
    fn sure(&self, play: &Play<'_>) -> u64 {
        let asked = self.requests.messages as u32;
        if play.stage.quorum_of(asked) < asked { 0 } else { nanoseconds(play.stage.deadline) }
    }

    /// Notes what came of the asked clients of which that was not sure before the round closed.
    fn settle(&mut self, play: &Play<'_>, times: &Times, closed: u64, page: &mut Page, ledger: &mut Ledger) {
        let scene = play.scene;
        let mut tally = Tally::default();
        let mut chunk = Chunk::default();
        let mut walk = Walk::new(Source::of(&self.circle, self.closed), self.closed);
        while walk.take(&self.answered, &mut chunk) {
            for (client, partners) in chunk.clients.iter().zip(&chunk.partners) {
                let exchange = play.exchanges.with(*partners);
                let (settled, record) = times.settle(scene, *client, exchange, closed);
                ledger.note(page, scene.cast.class(scene.cast.devices.of(*client)), record, exchange);
                tally.add(*partners, &settled);
                self.answered[*client as usize] += u8::from(settled.accepted);
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
        let tally = match Source::of(&self.circle, self.closed) {
            Source::Same(partners) => {
                let mut tally = vec![0; partners as usize + 1];
                tally[partners as usize] = count(&self.answered, |answered| answered == self.closed) as u64;
                tally
            }
            Source::Each(_) => self.circle.tally(self.closed, SHARED),
        };
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
        let mut times = std::mem::take(&mut self.times);
        let mut books = Books::new(play, (&self.requests, self.sure(play)), page, ledger);
        self.begin(play, &mut times, &mut books);
        books.close(&self.requests);
        let (closed, reason) = self.close(play, &times);
        self.settle(play, &times, closed, page, ledger);
        ledger.order(play.scene.round);
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
                let survivors = count(&self.answered, |rounds| rounds >= SURVIVED) as u32;
                (Next::Done { survivors, exact: None, error: None }, self.unmask())
            }
        };
        Ok(Closing { reason, closed, work, next })
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

    /// Adds those of the next so many clients of the roster to a list.
    fn fill(&mut self, count: usize, list: &mut Vec<u32>) {
        match self {
            Self::Same(partners) => list.extend(std::iter::repeat_n(*partners, count)),
            Self::Each(partners) => partners.fill(count, list),
        }
    }

    /// Those of the client that comes so many after the next one.
    #[inline]
    fn ahead(&self, places: usize) -> u32 {
        match self {
            Self::Same(partners) => *partners,
            Self::Each(partners) => partners.ahead(places),
        }
    }

    /// Passes over the next so many clients of the roster.
    fn pass(&mut self, count: usize) {
        if let Self::Each(partners) = self {
            partners.pass(count);
        }
    }

    /// Clients that are looked at for the partners of one on its own.
    fn window(&self) -> usize {
        match self {
            Self::Same(_) => 0,
            Self::Each(partners) => partners.window(),
        }
    }
}
