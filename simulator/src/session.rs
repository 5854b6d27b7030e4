//! One session: its rounds one after the other, whichever way they are played.

use secagg::{Abort, Config, Counts, Graph, Round};

use crate::cast::{Cast, Scene};
use crate::exchange::{Exchanges, rounds};
use crate::ledger::{Ledger, Page};
use crate::report::{ClassReport, Reason, RoundReport, SessionAdversary, SessionPrivacy, SessionReport};
use crate::scenario::{ScenarioError, Stage};
use crate::transcript::Record;
use crate::world::{World, nanoseconds};

/// A way of playing a session.
pub(crate) trait Mode {
    /// The requests of the open round.
    fn requests(&self) -> Requests;

    /// Plays the open round to its close.
    ///
    /// # Errors
    /// The simulator and the protocol disagree: a mistake in one of them.
    fn play(&mut self, play: &Play<'_>, page: &mut Page, ledger: &mut Ledger) -> Result<Closing, Broken>;

    /// What came of the session's adversaries, if it has any.
    fn adversary(&self) -> Option<SessionAdversary> {
        None
    }
}

/// The requests of a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Requests {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    /// The fewest and the most partners of an asked client.
    pub(crate) partners: (u32, u32),
    /// Clients that have advertised keys; none before that round is closed.
    pub(crate) roster: u32,
}

/// The round that is open.
pub(crate) struct Play<'a> {
    pub(crate) config: &'a Config,
    pub(crate) scene: &'a Scene<'a>,
    pub(crate) stage: &'a Stage,
    pub(crate) exchanges: &'a Exchanges,
}

/// How a round was closed.
pub(crate) struct Closing {
    pub(crate) reason: Reason,
    /// Nanoseconds from the round's opening.
    pub(crate) closed: u64,
    /// What the server did to close it.
    pub(crate) work: Counts,
    pub(crate) next: Next,
}

/// What comes after a round.
pub(crate) enum Next {
    Round,
    /// A sum, and in real mode whether it is exact, and the error of a noisy coordinate.
    Done {
        survivors: u32,
        exact: Option<bool>,
        error: Option<f64>,
    },
    Abort(Abort),
}

/// The simulator and the protocol disagree: a mistake in one of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "session {session}, {round}: {what}; this is a mistake in the simulator or in the protocol, please report it"
)]
pub struct Broken {
    /// The session's number among those of all cohorts.
    pub session: u64,
    /// The round.
    pub round: Round,
    /// What was expected and what was found.
    pub what: String,
}

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The session's number.
    pub session: u32,
    /// The cohort.
    pub cohort: u32,
    /// The round that opens.
    pub round: Round,
    /// Clients that are asked.
    pub asked: u32,
    /// Nanoseconds of the run.
    pub now: u64,
}

/// A session that was played.
pub(crate) struct Played {
    pub(crate) report: SessionReport,
    /// Whether it came to its end; if not, the report has the rounds that were done.
    pub(crate) whole: bool,
    pub(crate) records: Vec<Record>,
}

/// What holds for a session from its beginning.
pub(crate) struct Setting<'a> {
    pub(crate) cast: Cast<'a>,
    pub(crate) config: Config,
    pub(crate) number: u32,
    pub(crate) cohort: u32,
    /// Whether to keep every record.
    pub(crate) keep: bool,
}

impl<'a> Setting<'a> {
    /// Chooses the clients of a session that begins at `start`; how many are there if they are too few.
    ///
    /// # Errors
    /// Nothing is safe for so few clients as are there.
    pub(crate) fn new(
        world: &'a World,
        (number, cohort): (u32, u32),
        start: u64,
        keep: bool,
    ) -> Result<Result<Self, u32>, ScenarioError> {
        let cast = Cast::new(world, number, cohort, start);
        let clients = cast.clients();
        if clients < world.scenario.fewest_clients() {
            return Ok(Err(clients));
        }
        let nonce = crate::draw::bytes(world.scenario.seed, cast.session, "nonce", 0);
        let config = world.scenario.config(clients, nonce, world.design.as_ref())?;
        Ok(Ok(Self { cast, config, number, cohort, keep }))
    }

    /// Plays the session. `observe` is told of each round and says whether to go on.
    ///
    /// # Errors
    /// As [`Mode::play`].
    pub(crate) fn play(
        &self,
        mut mode: impl Mode,
        observe: &(dyn Fn(Progress) -> bool + Sync),
    ) -> Result<Played, Broken> {
        let rounds = rounds(self.config.suite);
        let last = rounds.last().copied().unwrap_or(Round::Unmasking);
        let mut ledger = Ledger::new(self.classes(), last, self.keep);
        let mut books = Books::default();
        let mut now = self.first_requests(&mode.requests());
        for round in rounds {
            let asked = mode.requests().messages as u32;
            let (session, cohort) = (self.number, self.cohort);
            if !observe(Progress { session, cohort, round: *round, asked, now: self.cast.start + now }) {
                return Ok(self.report(now, ledger, books, false));
            }
            let closing = self.round(&mut mode, (*round, rounds.len(), now), &mut ledger, &mut books)?;
            now += books.rounds.last().map_or(0, |report: &RoundReport| report.ended);
            match closing.next {
                Next::Round => {}
                Next::Done { survivors, exact, error } => {
                    (books.survivors, books.exact, books.error) = (survivors, exact, error);
                }
                Next::Abort(abort) => {
                    books.abort = Some(abort.to_string());
                    break;
                }
            }
        }
        books.adversary = mode.adversary();
        Ok(self.report(now, ledger, books, true))
    }

    fn round(
        &self,
        mode: &mut impl Mode,
        (round, rounds, opened): (Round, usize, u64),
        ledger: &mut Ledger,
        books: &mut Books,
    ) -> Result<Closing, Broken> {
        let world = self.cast.world;
        let stage = world.scenario.stages.of(round);
        let scene = self.cast.scene(round, rounds, opened);
        let exchanges = Exchanges::new(&self.config, round, &mode.requests(), world);
        let mut page = Page::new(nanoseconds(stage.deadline));
        let play = Play { config: &self.config, scene: &scene, stage: &stage, exchanges: &exchanges };
        let closing = mode.play(&play, &mut page, ledger)?;
        let next = matches!(closing.next, Next::Round).then(|| mode.requests()).unwrap_or_default();
        let work = self.closing_work(&closing.work, &next);
        let busy = closing.closed.max(page.inbox.done());
        let ended = busy.saturating_add(work.div_ceil(u64::from(world.scenario.compute.server_cores)));
        books.server_work = books.server_work.saturating_add(page.inbox.work()).saturating_add(work);
        books.server += page.taken_in;
        books.server += closing.work;
        books.hold(round, &page);
        let percentile = |percent| page.answers.percentile(percent);
        let report = RoundReport {
            round: round.name().to_owned(),
            opened,
            closed: closing.closed,
            ended,
            reason: closing.reason,
            asked: page.asked,
            answered: page.answered(),
            requests: page.requests,
            responses: page.responses,
            wasted: page.wasted,
            answers: [percentile(5), percentile(50), percentile(95), page.answers.most()],
        };
        ledger.transcript.close(&[opened, report.closed, ended, u64::from(report.asked)]);
        books.rounds.push(report);
        Ok(closing)
    }

    /// Nanoseconds of one core to close a round and make the next one's requests.
    fn closing_work(&self, counts: &Counts, next: &Requests) -> u64 {
        let server = &self.cast.world.server;
        let time = server.nanoseconds(counts, &self.config) + server.messages(next.messages, next.bytes);
        time.round() as u64
    }

    /// When the first round opens, in nanoseconds from the session's start.
    fn first_requests(&self, requests: &Requests) -> u64 {
        let work = self.closing_work(&Counts::default(), requests);
        work.div_ceil(u64::from(self.cast.world.scenario.compute.server_cores))
    }

    fn classes(&self) -> Vec<ClassReport> {
        let class =
            |class: &crate::world::Class| ClassReport { class: class.name.clone(), ..ClassReport::default() };
        let mut classes: Vec<ClassReport> = self.cast.world.classes.iter().map(class).collect();
        if let [only] = &mut classes[..] {
            only.clients = self.config.clients;
            return classes;
        }
        for client in 0..self.config.clients {
            classes[self.cast.class(self.cast.devices.of(client))].clients += 1;
        }
        classes
    }

    fn report(&self, duration: u64, mut ledger: Ledger, books: Books, whole: bool) -> Played {
        ledger.transcript.say(books.abort.as_deref().unwrap_or_default());
        ledger.transcript.close(&[u64::from(books.survivors), duration]);
        let degree = match self.config.graph {
            Graph::Complete => None,
            Graph::Regular { degree } | Graph::KOut { degree } => Some(degree),
        };
        let sums: u64 = self.config.vectors.iter().map(|spec| u64::from(spec.length) * lane(spec.bits)).sum();
        let report = SessionReport {
            session: self.number,
            cohort: self.cohort,
            start: self.cast.start,
            duration,
            clients: self.config.clients,
            degree,
            threshold: self.config.threshold,
            survivors: books.survivors,
            abort: books.abort,
            exact: books.exact,
            privacy: books
                .error
                .map(|error| SessionPrivacy { error_measured: Some(error), ..SessionPrivacy::default() }),
            adversary: books.adversary,
            rounds: books.rounds,
            classes: ledger.classes,
            client_operations: ledger.clients,
            server_operations: books.server,
            server_work: books.server_work,
            server_memory: sums + books.held,
            digest: ledger.transcript.digest(),
        };
        Played { report, whole, records: ledger.records.unwrap_or_default() }
    }
}

/// What a session's report is made of.
#[derive(Default)]
struct Books {
    rounds: Vec<RoundReport>,
    survivors: u32,
    exact: Option<bool>,
    error: Option<f64>,
    adversary: Option<SessionAdversary>,
    abort: Option<String>,
    server: Counts,
    server_work: u64,
    held: u64,
}

impl Books {
    /// Adds what the server keeps of a round's answers until the end: all but the masked inputs, which it adds up.
    fn hold(&mut self, round: Round, page: &Page) {
        if round != Round::MaskedInputCollection {
            self.held += page.responses.bytes;
        }
    }
}

/// Bytes of a coordinate in the sum.
pub(crate) fn lane(bits: u8) -> u64 {
    match bits {
        ..=16 => 2,
        17..=32 => 4,
        _ => 8,
    }
}
