//! A whole run: sessions one after the other, cohorts side by side, and the tree above them.

use std::collections::BTreeMap;

use rayon::prelude::*;
use secagg::Counts;
use sha2::{Digest, Sha256};

use crate::Calibration;
use crate::adversary::Adversary;
use crate::exchange::rounds;
use crate::model::Model;
use crate::privacy::Account;
use crate::real::Real;
use crate::report::{Amplification, Report, SessionReport, TreeReport};
use crate::scenario::{Availability, Scenario, ScenarioError};
use crate::session::{Broken, Played, Progress, Setting};
use crate::transcript::{Record, Transcript};
use crate::world::{World, nanoseconds};

/// How sessions are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// With the protocol's own clients and server, bytes and cryptography.
    Real,
    /// By numbers alone.
    Model,
}

impl Mode {
    /// Its name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Model => "model",
        }
    }
}

/// A scenario that is ready to run.
pub struct Simulation {
    world: World,
    /// The same without adversaries, by numbers alone, if there are any.
    honest: Option<Box<Simulation>>,
    mode: Mode,
    keep: bool,
    /// Of each session, if it is not aborted.
    rounds: usize,
    /// The hash of all that the run follows from.
    origin: String,
    /// Sessions of an earlier, interrupted run.
    done: BTreeMap<(u32, u32), SessionReport>,
}

/// Why a run did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The scenario cannot be run.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The simulator and the protocol disagree.
    #[error(transparent)]
    Broken(#[from] Broken),
}

impl Simulation {
    /// Makes a scenario ready.
    ///
    /// # Errors
    /// A number of the scenario cannot work, or the calibration lacks a profile.
    pub fn new(scenario: Scenario, calibration: &Calibration, mode: Mode) -> Result<Self, ScenarioError> {
        if mode == Mode::Model && scenario.adversaries.is_some() {
            return Err(ScenarioError::Impossible(
                "adversaries: the model has nobody to lie to; run the scenario in real mode (--mode real)"
                    .to_owned(),
            ));
        }
        let honest = scenario.adversaries.is_some().then(|| {
            let honest = Scenario { adversaries: None, ..scenario.clone() };
            Self::new(honest, calibration, Mode::Model).map(Box::new)
        });
        let honest = honest.transpose()?;
        let origin = origin(&scenario, calibration);
        let rounds = rounds(scenario.suite_of(scenario.clients)?).len();
        let world = World::new(scenario, calibration)?;
        Ok(Self { world, honest, mode, keep: false, rounds, origin, done: BTreeMap::new() })
    }

    /// Rounds that are still to be played, each of which is told to the observer, if no session is aborted.
    pub fn rounds(&self) -> u64 {
        let scenario = &self.world.scenario;
        let sessions = u64::from(scenario.sessions) * u64::from(scenario.cohorts);
        sessions.saturating_sub(self.done.len() as u64) * self.rounds as u64
    }

    /// Goes on where an interrupted run of the same scenario, mode and calibration stopped: its sessions are not run
    /// again, and the report is that of a run without the interruption.
    ///
    /// # Errors
    /// The report is of another run.
    pub fn resume(mut self, earlier: Report) -> Result<Self, ScenarioError> {
        if earlier.origin != self.origin || earlier.mode != self.mode.name() {
            return Err(ScenarioError::Impossible(
                "the report to go on from is of another scenario, seed, mode, calibration or version"
                    .to_owned(),
            ));
        }
        let key = |session: SessionReport| ((session.session, session.cohort), session);
        self.done = earlier.sessions.into_iter().map(key).collect();
        Ok(self)
    }

    /// Runs all sessions. `observe` is told of each round and says whether to go on; if not, the report has what was
    /// done until then, and [`Simulation::resume`] does the rest.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn run(&self, observe: &(dyn Fn(Progress) -> bool + Sync)) -> Result<Report, RunError> {
        self.all(observe).map(|(report, _)| report)
    }

    /// As [`Simulation::run`], with every record of every client.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn run_with_records(mut self) -> Result<(Report, Vec<Record>), RunError> {
        self.keep = true;
        self.all(&|_| true)
    }

    fn all(&self, observe: &(dyn Fn(Progress) -> bool + Sync)) -> Result<(Report, Vec<Record>), RunError> {
        let scenario = &self.world.scenario;
        let mut report = Report {
            title: scenario.title.clone(),
            mode: self.mode.name().to_owned(),
            seed: scenario.seed,
            replay: String::new(),
            scenario: scenario.clone(),
            origin: self.origin.clone(),
            complete: true,
            privacy: None,
            amplification: None,
            sessions: Vec::new(),
            unfinished: Vec::new(),
            trees: Vec::new(),
            transcript: String::new(),
        };
        let (mut transcript, mut records) = (Transcript::default(), Vec::new());
        let mut account = Account::open(scenario, self.world.design.as_ref())?;
        let mut start = 0;
        let mut ended = false;
        for number in 0..scenario.sessions {
            if let Some(account) = &mut account
                && !account.reserve(number)?
            {
                ended = true;
                break;
            }
            let cohorts = (0..scenario.cohorts).into_par_iter();
            let played: Result<Vec<_>, RunError> =
                cohorts.map(|cohort| self.session((number, cohort), start, observe)).collect();
            let played = played?;
            report.complete = played.iter().all(|session| session.whole);
            let first = report.sessions.len();
            for session in played {
                match session.whole {
                    true => report.sessions.push(session.report),
                    // One that had not even begun says nothing.
                    false if session.report.rounds.is_empty() => {}
                    false => report.unfinished.push(session.report),
                }
                records.extend(session.records);
            }
            // Of an interrupted session too: what its other cohorts have released is out.
            let sessions = report.sessions.get_mut(first..).unwrap_or_default();
            if let Some(account) = &mut account {
                account.settle(number, scenario, sessions)?;
            }
            if !report.complete {
                break;
            }
            sessions.iter().for_each(|session| transcript.say(&session.digest));
            let over = sessions.iter().map(|session| session.start + session.duration).max();
            let tree = self.tree(number, sessions);
            start = over.unwrap_or(start).max(tree.ended) + nanoseconds(scenario.pause);
            if scenario.cohorts > 1 {
                transcript.close(&[tree.ended, tree.survivors, tree.bytes]);
                report.trees.push(tree);
            }
        }
        report.privacy = account.map(|account| account.report(ended, scenario.clients)).transpose()?;
        report.transcript = transcript.digest();
        if let (Some(honest), true) = (&self.honest, report.complete) {
            report.amplification = Some(Amplification::of(&report, &honest.run(&|_| true)?));
        }
        Ok((report, records))
    }

    fn session(
        &self,
        (number, cohort): (u32, u32),
        start: u64,
        observe: &(dyn Fn(Progress) -> bool + Sync),
    ) -> Result<Played, RunError> {
        if let Some(report) = self.done.get(&(number, cohort)) {
            return Ok(Played { report: report.clone(), whole: true, records: Vec::new() });
        }
        let world = &self.world;
        let setting = match Setting::new(world, (number, cohort), start, self.keep)? {
            Ok(setting) => setting,
            Err(there) => {
                let fewest = world.scenario.fewest_clients();
                let why = format!("a session needs {fewest} devices, and {there} were there");
                return Ok(nobody((number, cohort), start, why));
            }
        };
        let config = setting.config.clone();
        let played = match self.mode {
            Mode::Model => setting.play(Model::new(config), observe)?,
            Mode::Real => {
                let adversary = Adversary::new(world, &config, setting.cast.session);
                let real = Real::new(&config, world.scenario.seed, setting.cast.session, adversary)?;
                setting.play(real, observe)?
            }
        };
        Ok(played)
    }

    /// The tree of aggregators above the cohorts of one session: each level waits for all sums below it, takes its
    /// `fan_in` of them in over its link, and adds them.
    fn tree(&self, session: u32, sessions: &[SessionReport]) -> TreeReport {
        let scenario = &self.world.scenario;
        let released = || sessions.iter().filter(|session| session.abort.is_none());
        let mut sums = released().count() as u32;
        let mut tree = TreeReport {
            session,
            sums,
            survivors: released().map(|session| u64::from(session.survivors)).sum(),
            levels: 0,
            bytes: 0,
            ended: released().map(|session| session.start + session.duration).max().unwrap_or(0),
        };
        let (packed, coordinates) = (scenario.packed_bytes(), scenario.coordinates());
        while sums > 1 {
            let fan_in = u64::from(sums.min(scenario.fan_in));
            let additions = Counts { additions: fan_in * coordinates, ..Counts::default() };
            let server = &self.world.server;
            let work =
                additions.additions as f64 * server.addition + server.messages(fan_in, fan_in * packed);
            let rate = scenario.network.server_down.map_or(f64::INFINITY, |bits| bits / 8.0);
            let transfer = (fan_in * self.world.wire(packed)) as f64 / rate;
            tree.ended += nanoseconds(transfer + scenario.network.tick) + work.round() as u64;
            tree.bytes += u64::from(sums) * packed;
            tree.levels += 1;
            sums = sums.div_ceil(scenario.fan_in);
        }
        tree
    }
}

/// A session for which too few devices were there.
fn nobody((session, cohort): (u32, u32), start: u64, why: String) -> Played {
    let report = SessionReport {
        session,
        cohort,
        start,
        duration: 0,
        clients: 0,
        degree: None,
        threshold: 0,
        survivors: 0,
        abort: Some(why),
        exact: None,
        privacy: None,
        adversary: None,
        rounds: Vec::new(),
        classes: Vec::new(),
        client_operations: Counts::default(),
        server_operations: Counts::default(),
        server_work: 0,
        server_memory: 0,
        digest: "nobody".to_owned(),
    };
    Played { report, whole: true, records: Vec::new() }
}

/// The hash of all that a run follows from, in hexadecimal.
fn origin(scenario: &Scenario, calibration: &Calibration) -> String {
    let trace = match &scenario.availability {
        Availability::Trace(trace) => format!("{:?}", trace.intervals),
        _ => String::new(),
    };
    // Every profile has a form in TOML, so this does not fail.
    let calibration = toml::to_string(calibration).unwrap_or_default();
    let mut hash = Sha256::new();
    for text in [env!("CARGO_PKG_VERSION"), &scenario.to_toml(), &trace, &calibration] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn as_many_rounds_are_told_as_there_are_to_be_played() {
        for (suite, rounds) in [("curious", 4), ("active", 5)] {
            let text = format!(
                "suite = \"{suite}\"\nclients = 5\nsessions = 2\ncohorts = 3\n\
                 vectors = [{{ name = \"v\", length = 1, bits = 1 }}]"
            );
            let scenario = Scenario::parse(&text, "test").unwrap();
            let new = || Simulation::new(scenario.clone(), &Calibration::built_in(), Mode::Model).unwrap();
            let told = AtomicU64::new(0);
            let tell = |_| told.fetch_add(1, Ordering::Relaxed) < 4 * rounds;
            assert_eq!(new().rounds(), 6 * rounds);
            let first = new().run(&tell).unwrap();
            let left = (6 - first.sessions.len() as u64) * rounds;
            let resumed = new().resume(first).unwrap();
            assert_eq!(resumed.rounds(), left);
            told.store(0, Ordering::Relaxed);
            resumed.run(&|_| told.fetch_add(1, Ordering::Relaxed) < u64::MAX).unwrap();
            assert_eq!(told.into_inner(), left);
        }
    }
}
