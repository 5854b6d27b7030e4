//! The time of a run: what the calibration charges for its operations and messages, and how much faster or slower than
//! that this machine is just now.

use std::time::Instant;

use secagg::{ClientId, Config, Counts, Graph};

use crate::inputs;
use crate::privacy::{Account, Design};
use crate::report::{Report, SessionReport, Traffic};
use crate::scenario::{Availability, Faults, GraphChoice, Scenario, ScenarioError, Stages};
use crate::{Calibration, Mode, RunError, Simulation};

/// Clients of the session that is timed, by numbers alone and really.
const PROBE_MODEL: u32 = 20_000;
const PROBE_REAL: u32 = 24;

/// Coordinates of each vector of the session that is timed, and of the private vector that is.
const PROBE_LENGTH: u32 = 100_000;
const PROBE_DIMENSION: u32 = 1 << 14;

/// Clients and sessions for which the charge is taken from model mode; of more it is extrapolated.
const CHARGED_CLIENTS: u32 = 200_000;
const CHARGED_SESSIONS: u32 = 4;

/// Seconds that a run takes on so many threads.
///
/// # Errors
/// The scenario cannot be run, or the session that is timed shows a mistake in the simulator.
pub fn seconds(
    scenario: &Scenario,
    calibration: &Calibration,
    mode: Mode,
    threads: usize,
) -> Result<f64, RunError> {
    let begin = Instant::now();
    let planned = planned(scenario)?;
    let design = Design::of(scenario)?;
    if let Some(account) = &mut Account::open(scenario, design.as_ref())? {
        if !account.reserve(0)? {
            // The budget is less than one session: the run ends before it.
            return Ok(begin.elapsed().as_secs_f64());
        }
        account.settle(0, scenario, &mut [])?;
    }
    // Exact planning takes time too, once in each session, and so does the account.
    let planning = begin.elapsed().as_secs_f64();
    let noise = match mode {
        Mode::Model => 0.0,
        Mode::Real => noise(scenario, design.as_ref())?,
    };
    let probe = probe(&planned, mode);
    let timed = (0..2).map(|_| {
        let begin = Instant::now();
        Simulation::new(probe.clone(), calibration, mode)?.run(&|_| true)?;
        Ok::<f64, RunError>(begin.elapsed().as_secs_f64())
    });
    let timed = timed.collect::<Result<Vec<f64>, _>>()?.into_iter().fold(f64::INFINITY, f64::min);
    let growth = match mode {
        Mode::Model => f64::from(planned.clients) / f64::from(probe.clients),
        Mode::Real => {
            let charging = charging(scenario, calibration);
            charge(&planned, scenario.sessions, &charging)? / charge(&probe, 1, &charging)?
        }
    };
    let sessions = f64::from(scenario.sessions) * f64::from(scenario.cohorts);
    let at_once = scenario.cohorts.min(u32::try_from(threads).unwrap_or(u32::MAX));
    Ok((planning + noise + timed * growth) * sessions / f64::from(at_once))
}

/// Nanoseconds that the calibration charges one machine for a whole run with real clients, but for drawing noise.
///
/// # Errors
/// The scenario cannot be run, or model mode shows a mistake in the simulator.
pub fn work(scenario: &Scenario, calibration: &Calibration) -> Result<f64, RunError> {
    let sessions = f64::from(scenario.sessions) * f64::from(scenario.cohorts);
    Ok(charge(&planned(scenario)?, scenario.sessions, calibration)? * sessions)
}

/// Nanoseconds that the calibration charges one machine for what a report says that clients and servers did.
///
/// # Errors
/// The report's scenario cannot be run.
pub fn charged(report: &Report, calibration: &Calibration) -> Result<f64, ScenarioError> {
    let design = Design::of(&report.scenario)?;
    let charged =
        report.sessions.iter().map(|session| session_charge(report, session, design.as_ref(), calibration));
    charged.sum()
}

/// One session of a scenario by numbers alone, with the graph that a planner finds.
fn planned(scenario: &Scenario) -> Result<Scenario, ScenarioError> {
    let scenario = scenario.plain()?;
    let config = scenario.config(scenario.clients, [0; 32], None)?;
    let graph = match config.graph {
        Graph::Complete => GraphChoice::Complete { threshold: None },
        Graph::Regular { degree } | Graph::KOut { degree } => {
            GraphChoice::Regular { degree, threshold: Some(config.threshold) }
        }
    };
    Ok(Scenario { graph, cohorts: 1, sessions: 1, pause: 0.0, ..scenario })
}

/// A small session of the same kind.
fn probe(scenario: &Scenario, mode: Mode) -> Scenario {
    match mode {
        Mode::Model => scenario.with_clients(scenario.clients.min(PROBE_MODEL)),
        Mode::Real => {
            let mut probe = scenario.with_clients(scenario.clients.min(PROBE_REAL));
            // Nobody is missing, so that every kind of work is done.
            (probe.population, probe.availability) = (None, Availability::Always);
            (probe.faults, probe.stages) = (Faults::default(), Stages::default());
            probe.vectors.iter_mut().for_each(|vector| vector.length = vector.length.min(PROBE_LENGTH));
            probe
        }
    }
}

/// Seconds in which this machine draws the noise of a session's clients and encodes their private vectors.
fn noise(scenario: &Scenario, design: Option<&Design>) -> Result<f64, ScenarioError> {
    let (Some(design), Some(id)) = (design, ClientId::new(1)) else { return Ok(0.0) };
    let mut spec = design.spec.clone();
    let length = spec.length;
    spec.length = length.min(PROBE_DIMENSION);
    if let Some(noise) = &mut spec.noise {
        noise.dimension = noise.dimension.min(spec.length);
    }
    let whole = scenario.config(scenario.clients, [0; 32], Some(design))?;
    let config = Config { vectors: vec![spec], ..whole };
    let timed = (0..2u8).map(|number| {
        let begin = Instant::now();
        let input = inputs::input(&config, (scenario.seed, 0, id.get()));
        let encoded = input.encoded(&config, &[0; 32], id, &[number; 32]);
        encoded.map_err(|misuse| ScenarioError::Impossible(misuse.to_string()))?;
        Ok::<f64, ScenarioError>(begin.elapsed().as_secs_f64())
    });
    // Tables are made once: the first vector may take longer.
    let timed = timed.collect::<Result<Vec<f64>, _>>()?.into_iter().fold(f64::INFINITY, f64::min);
    Ok(timed * f64::from(scenario.clients) * f64::from(length) / f64::from(length.min(PROBE_DIMENSION)))
}

/// The calibration, but with costs for a machine that is said to have none: real work takes time on it too.
fn charging(scenario: &Scenario, calibration: &Calibration) -> Calibration {
    let mut charging = calibration.clone();
    let name = &scenario.compute.server;
    if let Some(profile) = charging.profiles.get_mut(name)
        && profile.costs().iter().all(|(_, cost)| *cost == 0.0)
    {
        profile.clone_from(&Calibration::built_in().profiles["server"]);
    }
    charging
}

/// Nanoseconds that the calibration charges one machine for a session, clients and server together.
fn charge(scenario: &Scenario, sessions: u32, calibration: &Calibration) -> Result<f64, RunError> {
    let modelled = scenario.with_clients(scenario.clients.min(CHARGED_CLIENTS));
    let more = f64::from(scenario.clients) / f64::from(modelled.clients);
    let growth = match scenario.graph {
        // So many clients have so many partners, and of so many shares each evaluation and reconstruction is made.
        GraphChoice::Complete { .. } => more * more * more,
        _ => more,
    };
    let modelled = Scenario { sessions: sessions.min(CHARGED_SESSIONS), ..modelled };
    let report = Simulation::new(modelled, calibration, Mode::Model)?.run(&|_| true)?;
    Ok(charged(&report, calibration)? / report.sessions.len().max(1) as f64 * growth)
}

fn session_charge(
    report: &Report,
    session: &SessionReport,
    design: Option<&Design>,
    calibration: &Calibration,
) -> Result<f64, ScenarioError> {
    // Nobody was there: there is no configuration of such a session, and it costs next to nothing.
    if session.clients < 2 {
        return Ok(1.0);
    }
    let config = report.scenario.config(session.clients, [0; 32], design)?;
    // `Simulation::new` has found the profile.
    let machine = calibration.profiles.get(&report.scenario.compute.server).cloned().unwrap_or_default();
    let mut work = Counts::default();
    work += session.client_operations;
    work += session.server_operations;
    // Each message is made on one side and taken in on the other.
    let messages = |kind: fn(&crate::RoundReport) -> Traffic| {
        let rounds = session.rounds.iter().map(kind);
        rounds.map(|traffic| machine.messages(2 * traffic.messages, 2 * traffic.bytes)).sum::<f64>()
    };
    let messages = messages(|round| round.requests) + messages(|round| round.responses);
    Ok(machine.nanoseconds(&work, &config) + messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_grows_as_the_work_does() {
        let calibration = Calibration::built_in();
        let charged = |text: &str| {
            let base = "vectors = [{ name = \"v\", length = 100, bits = 16 }]\n";
            let scenario = Scenario::parse(&format!("{base}{text}"), "test").unwrap();
            charge(&scenario, 1, &calibration).unwrap()
        };
        let regular =
            |clients| charged(&format!("clients = {clients}\ngraph = {{ kind = \"regular\", degree = 10 }}"));
        assert!((9.5..10.5).contains(&(regular(2_000) / regular(200))));
        // Beyond what model mode is asked for it is extrapolated.
        assert!((9.5..10.5).contains(&(regular(2_000_000) / regular(200_000))));
        let complete = charged("clients = 1000") / charged("clients = 100");
        assert!((90.0..150.0).contains(&complete), "{complete}");
    }
}
