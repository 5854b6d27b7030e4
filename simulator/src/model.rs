//! A session by its numbers alone: the same events as the protocol's, in passes over flat arrays.
//!
//! What happens within a round never feeds back into it before it closes. So a round needs no event queue here: one pass
//! finds when answers begin and arrive, and enters those that are sure to count. If the server's link is shared there is a
//! pass before it that puts the answers on the link, and perhaps one that counts the requests. The few that are left wait
//! in a list for the close of the round.

mod books;
mod census;
mod chunk;
mod closing;
mod tables;
mod times;
mod whole;

use secagg::{Config, Counts, Graph, Round, operations};

use crate::cast::MANY;
use crate::circle::{Circle, SHARED, SURVIVED, count};
use crate::exchange::request;
use crate::ledger::{Ledger, Page};
use crate::link::Load;
use crate::session::{Broken, Closing, Mode, Next, Play, Requests};
use crate::world::nanoseconds;
use books::Books;
use census::Census;
use chunk::{Asked, Chunk, Partners};
use tables::{Lanes, Sent, Table};
use times::Times;
use whole::Whole;

/// The session: per client 2 bytes, 4 more for its partners if the graph is not complete, and 4 while answers wait for a
/// link that is shared; and 24 for each whose answer is not sure to count, or waits and is not as most are.
pub(crate) struct Model {
    config: Config,
    rounds: &'static [Round],
    /// For each client, how many rounds it has answered.
    answered: Vec<u8>,
    /// Rounds that are closed.
    closed: u8,
    circle: Circle,
    /// Once secrets have been shared on a graph that is not complete, how many partners each client has.
    partners: Vec<u32>,
    requests: Requests,
    /// Of the open round, if the link to the clients is shared and nothing is ever lost.
    census: Option<Census>,
    /// Those of the last round, so that the memory is used again.
    times: Times,
}

impl Model {
    pub(crate) fn new(config: Config) -> Self {
        let answered = vec![0; config.clients as usize];
        let circle = Circle::new(config.graph, &[]);
        let rounds = crate::exchange::rounds(config.suite);
        let (requests, times) = (Requests::default(), Times::default());
        let partners = Vec::new();
        let mut model =
            Self { config, rounds, answered, closed: 0, circle, partners, requests, census: None, times };
        model.requests = model.next_requests();
        model
    }

    /// Finds when requests have been sent and answers arrive, and notes at once the answers that will count whenever the
    /// round closes.
    fn begin(&mut self, play: &Play<'_>, times: &mut Times, books: &mut Books<'_>) {
        let (plain, requests) = (play.scene.plain(), self.requests);
        let partners = std::mem::take(&mut self.partners);
        let asked = Asked { closed: self.closed, partners: self.asked_partners(&partners) };
        let mut chunk = Chunk::default();
        let mut chunks = |each: &mut dyn FnMut(&mut Chunk)| {
            for first in (0..self.answered.len()).step_by(MANY) {
                chunk.take(first, &self.answered, asked);
                each(&mut chunk);
            }
        };
        let sent = match &plain {
            Some(plain) => {
                if self.census.is_none() && play.scene.cast.world.down.limits() {
                    let mut census = Census::new(play, &requests);
                    chunks(&mut |chunk| census.add(play, &requests, plain, chunk));
                    self.census = Some(census);
                }
                Sent::whole(play, &requests, self.census.as_ref())
            }
            None => Sent::each(play, &requests, |each| chunks(&mut |chunk| each(chunk))),
        };
        let whole = Whole::new(play, &requests, (plain.as_ref(), &sent), books.sure);
        let shared = play.scene.cast.world.up.limits();
        times.clear(self.answered.len(), shared);
        match shared {
            false => self.arrive_alone((play, asked), (&sent, &whole), times, books, &mut chunk),
            true => self.arrive_shared((play, asked), (&sent, &whole), times, books, &mut chunk),
        }
        times.everyone = times.everyone.max(books.last);
        self.partners = partners;
    }

    fn arrive_alone(
        &mut self,
        (play, asked): (&Play<'_>, Asked<'_>),
        (sent, whole): (&Sent, &Whole<'_>),
        times: &mut Times,
        books: &mut Books<'_>,
        chunk: &mut Chunk,
    ) {
        for first in (0..self.answered.len()).step_by(MANY) {
            chunk.take(first, &self.answered, asked);
            whole.arrive_alone(chunk);
            times.arrive_alone(play, chunk, sent, books.sure);
            books.accept(chunk, &mut self.answered);
        }
    }

    fn arrive_shared(
        &mut self,
        (play, asked): (&Play<'_>, Asked<'_>),
        (sent, whole): (&Sent, &Whole<'_>),
        times: &mut Times,
        books: &mut Books<'_>,
        chunk: &mut Chunk,
    ) {
        let (mut load, mut places, mut ends) =
            (Load::new(self.requests.messages as usize), [0; MANY], [0; MANY]);
        let lanes = Lanes::new(play, &self.requests, &mut load);
        for first in (0..self.answered.len()).step_by(MANY) {
            chunk.take(first, &self.answered, asked);
            whole.begin(chunk, times.begins(first), &mut places);
            times.wait(play, (chunk, &places), sent, (&mut load, &lanes));
        }
        let up = play.scene.cast.world.up.share(load);
        for first in (0..self.answered.len()).step_by(MANY) {
            chunk.take(first, &self.answered, asked);
            whole.meet(chunk, times.begins(first), &mut places);
            times.sent(first, (&places, &lanes), &up, &mut ends);
            whole.arrive_shared(chunk, &ends);
            times.arrive_shared(play, chunk, (&up, &ends), books.sure);
            books.accept(chunk, &mut self.answered);
        }
    }

    /// Until when answers count whenever the round closes. A quorum may close it before anything is sure.
    fn sure(&self, play: &Play<'_>) -> u64 {
        let asked = self.requests.messages as u32;
        if play.stage.quorum_of(asked) < asked { 0 } else { nanoseconds(play.stage.deadline) }
    }

    /// Notes what came of the asked clients whose answers were not entered at once.
    fn settle(&mut self, play: &Play<'_>, times: &Times, closed: u64, page: &mut Page, ledger: &mut Ledger) {
        let scene = play.scene;
        // By number of partners, how many clients did their work, and of how many the server took the answer in.
        let mut tally = Table::new(&self.requests, 1, play, |_, _| (0, 0));
        for rest in times.rest() {
            let exchange = play.exchanges.with(rest.partners);
            let (settled, record) = rest.settle(scene, exchange, closed);
            if let (Some(census), false) = (&mut self.census, settled.accepted) {
                census.remove(rest.partners, rest.down);
            }
            ledger.note(page, usize::from(rest.kind), record, exchange);
            let (worked, accepted) = tally.at_mut(rest.partners, 0);
            *worked += u64::from(settled.worked);
            *accepted += u64::from(settled.accepted);
            self.answered[rest.client as usize] += u8::from(settled.accepted);
        }
        for partners in self.requests.partners.0..=self.requests.partners.1 {
            let (worked, accepted) = tally.at(partners, 0);
            let exchange = play.exchanges.with(partners);
            ledger.clients += exchange.counts * worked;
            page.taken_in += exchange.taken_in * accepted;
        }
    }

    /// What the server does to take the masks off a sum of so many survivors.
    fn unmask(&self, survivors: u64) -> Counts {
        let others = |place| match self.config.graph {
            Graph::Complete => survivors,
            _ => u64::from(self.circle.partners_of(place, SURVIVED)),
        };
        let roster = self.answered.iter().filter(|rounds| **rounds > 0).enumerate();
        let out = roster.filter(|(_, rounds)| (SHARED..SURVIVED).contains(rounds));
        let pairs = out.map(|(place, _)| others(place)).filter(|others| *others > 0);
        let (dropped, pairs) = pairs.fold((0, 0), |(dropped, pairs), others| (dropped + 1, pairs + others));
        operations::unmask(&self.config, survivors, dropped, pairs)
    }
}

impl Model {
    /// The requests of the round that opens.
    fn next_requests(&mut self) -> Requests {
        let round = self.rounds[usize::from(self.closed)];
        if self.closed == SHARED && self.config.graph != Graph::Complete {
            self.circle.by_client(&self.answered, SHARED, &mut self.partners);
        }
        // By number of partners, from the fewest on, how many clients are asked.
        let (fewest, tally) = match self.asked_partners(&self.partners) {
            Partners::Same(partners) => {
                (partners, vec![count(&self.answered, |answered| answered == self.closed) as u64])
            }
            Partners::Each(partners) => {
                let mut tally = vec![0; self.circle.degree() as usize + 1];
                for (answered, partners) in self.answered.iter().zip(partners) {
                    tally[*partners as usize] += u64::from(*answered == self.closed);
                }
                (0, tally)
            }
        };
        let roster = self.circle.members();
        let bytes = |partners: u32| request(&self.config, round, partners as usize, roster as usize);
        let used = || (fewest..).zip(&tally).filter(|(_, count)| **count > 0);
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

    /// The partners of the open round's clients: none before there is a roster, then the neighbours, then those of them
    /// that shared.
    fn asked_partners<'a>(&self, partners: &'a [u32]) -> Partners<'a> {
        match (self.closed, self.config.graph) {
            (0, _) => Partners::Same(0),
            (1, _) => Partners::Same(self.circle.degree()),
            // Those who are asked have shared all.
            (_, Graph::Complete) => {
                let shared = count(&self.answered, |answered| answered >= SHARED) as u32;
                Partners::Same(shared.saturating_sub(1))
            }
            _ => Partners::Each(partners),
        }
    }
}

impl Mode for Model {
    fn requests(&self) -> Requests {
        self.requests
    }

    fn play(&mut self, play: &Play<'_>, page: &mut Page, ledger: &mut Ledger) -> Result<Closing, Broken> {
        let mut times = std::mem::take(&mut self.times);
        let requests = self.requests;
        let mut books = Books::new(play, (&requests, self.sure(play)), page, ledger);
        self.begin(play, &mut times, &mut books);
        books.close();
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
            // The partners are counted once secrets have been shared.
            let same = self.closed > SHARED;
            self.census = self.census.take().and_then(|census| census.next(&requests, &self.requests, same));
        }
        let (next, work) = match checked {
            Err(abort) => (Next::Abort(abort), Counts::default()),
            Ok(()) if !last => (Next::Round, Counts::default()),
            Ok(()) => {
                let survivors = count(&self.answered, |rounds| rounds >= SURVIVED) as u32;
                (Next::Done { survivors, exact: None, error: None }, self.unmask(survivors.into()))
            }
        };
        Ok(Closing { reason, closed, work, next })
    }
}
