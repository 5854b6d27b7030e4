//! What a run will take on this machine, said before it is run.
//!
//! Memory is a closed form whose terms were fitted to peaks of the program. Time is that of a small session on this
//! machine, now, times how much greater the whole run is: by numbers alone in clients, with real clients in the time
//! that the calibration charges for all operations and messages, which model mode knows beforehand. On a machine that
//! does nothing else both are within a factor of two. Noise is not in it: a private vector counts as one of integers.

use std::fs;
use std::time::Instant;

use secagg::{Counts, Graph};

use crate::report::{Report, SessionReport, Traffic};
use crate::scenario::{Availability, Faults, GraphChoice, Scenario, ScenarioError, Stages};
use crate::{Calibration, Mode, RunError, Simulation};

/// What the program takes before it holds anything of a run, in bytes.
const PROGRAM: u64 = 16 << 20;

/// What a session's report takes.
const REPORT: u64 = 4 << 10;

/// Clients of the session that is timed, by numbers alone and really.
const PROBE_MODEL: u32 = 20_000;
const PROBE_REAL: u32 = 24;

/// Coordinates of each vector of the session that is timed.
const PROBE_LENGTH: u32 = 100_000;

/// Clients and sessions for which the charge is taken from model mode; of more it is extrapolated.
const CHARGED_CLIENTS: u32 = 200_000;
const CHARGED_SESSIONS: u32 = 4;

/// Bytes at the peak of a run, on so many threads.
pub fn memory(scenario: &Scenario, mode: Mode, threads: usize) -> Result<u64, ScenarioError> {
    let sessions = u64::from(scenario.sessions) * u64::from(scenario.cohorts);
    let at_once = u64::from(scenario.cohorts).min(threads as u64);
    Ok(PROGRAM + at_once * session_memory(&scenario.plain()?, mode)? + sessions * REPORT)
}

/// Bytes at the peak of sessions that are not a run of their own, such as a sweep's, in each of so many threads.
pub fn memory_of_each(scenario: &Scenario, mode: Mode, threads: usize) -> Result<u64, ScenarioError> {
    Ok(PROGRAM + threads as u64 * (memory(scenario, mode, 1)? - PROGRAM))
}

fn session_memory(scenario: &Scenario, mode: Mode) -> Result<u64, ScenarioError> {
    let clients = u64::from(scenario.clients);
    let partners = match scenario.config(scenario.clients, [0; 32], None)?.graph {
        Graph::Complete => clients - 1,
        Graph::Regular { degree } | Graph::KOut { degree } => degree.into(),
    };
    let per_client = match mode {
        Mode::Model => {
            // A device and when it leaves, where these are chosen one by one; and costs by the number of partners.
            let devices = if scenario.availability == Availability::Always { 0 } else { 16 };
            17 + devices + 16 * partners / clients
        }
        Mode::Real => 3_000 + 280 * partners,
    };
    // The plain sum in 8 bytes a coordinate; the server's sum and one client's input in lanes; one masked input.
    let vector = |vector: &crate::scenario::Vector| {
        let (length, bits) = (u64::from(vector.length), u64::from(vector.bits));
        length * (8 + 2 * crate::session::lane(vector.bits)) + length * bits / 8
    };
    let vectors = match mode {
        Mode::Model => 0,
        Mode::Real => scenario.vectors.iter().map(vector).sum(),
    };
    Ok(clients * per_client + vectors)
}

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
    let scenario = &scenario.plain()?;
    let config = scenario.config(scenario.clients, [0; 32], None)?;
    // Exact planning takes time too, once in each session.
    let planning = begin.elapsed().as_secs_f64();
    let graph = match config.graph {
        Graph::Complete => GraphChoice::Complete { threshold: None },
        Graph::Regular { degree } | Graph::KOut { degree } => {
            GraphChoice::Regular { degree, threshold: Some(config.threshold) }
        }
    };
    let planned = Scenario { graph, cohorts: 1, sessions: 1, pause: 0.0, ..scenario.clone() };
    let probe = probe(&planned, mode);
    let timed = (0..2).map(|_| {
        let begin = Instant::now();
        Simulation::new(probe.clone(), calibration, mode)?.run(&|_| true)?;
        Ok::<f64, RunError>(begin.elapsed().as_secs_f64())
    });
    let timed = timed.collect::<Result<Vec<f64>, _>>()?.into_iter().fold(f64::INFINITY, f64::min);
    let growth = match mode {
        Mode::Model => f64::from(planned.clients) / f64::from(probe.clients),
        Mode::Real => charge(&planned, scenario.sessions, calibration)? / charge(&probe, 1, calibration)?,
    };
    let sessions = f64::from(scenario.sessions) * f64::from(scenario.cohorts);
    let at_once = scenario.cohorts.min(u32::try_from(threads).unwrap_or(u32::MAX));
    Ok((planning + timed * growth) * sessions / f64::from(at_once))
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
    let simulation = Simulation::new(modelled, calibration, Mode::Model)?;
    let report = simulation.run(&|_| true)?;
    let charged = report.sessions.iter().map(|session| session_charge(&report, session, calibration));
    let total = charged.sum::<Result<f64, ScenarioError>>()?;
    Ok(total / report.sessions.len().max(1) as f64 * growth)
}

fn session_charge(
    report: &Report,
    session: &SessionReport,
    calibration: &Calibration,
) -> Result<f64, ScenarioError> {
    // Nobody was there: there is no configuration of such a session, and it costs next to nothing.
    if session.clients < 2 {
        return Ok(1.0);
    }
    let config = report.scenario.config(session.clients, [0; 32], None)?;
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

/// The greatest cohort that takes at most so many bytes, if there is one.
pub fn clients_within(scenario: &Scenario, mode: Mode, threads: usize, bytes: u64) -> Option<u32> {
    let scenario = scenario.plain().ok()?;
    let fits =
        |clients| memory(&scenario.with_clients(clients), mode, threads).is_ok_and(|needed| needed <= bytes);
    let (mut fitting, mut not) = (2, scenario.clients);
    if !fits(fitting) {
        return None;
    }
    while fitting + 1 < not {
        let middle = fitting + (not - fitting) / 2;
        *(if fits(middle) { &mut fitting } else { &mut not }) = middle;
    }
    Some(fitting)
}

/// Bytes of memory that this machine, or the container that this process runs in, has; none if it does not say.
pub fn machine_memory() -> Option<u64> {
    let kibibytes = |text: String| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
        line?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
    };
    let all = fs::read_to_string("/proc/meminfo").ok().and_then(kibibytes);
    let own = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    all.into_iter().chain(own).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(text: &str) -> Scenario {
        let base = "vectors = [{ name = \"v\", length = 100, bits = 16 }]\n";
        Scenario::parse(&format!("{base}{text}"), "test").unwrap()
    }

    #[test]
    fn what_fits_is_the_most_that_fits() {
        for (text, mode) in [
            ("clients = 1000000", Mode::Model),
            ("clients = 5000", Mode::Real),
            ("clients = 90000\ngraph = { kind = \"regular\", degree = 40 }", Mode::Real),
        ] {
            let scenario = scenario(text);
            let needed = memory(&scenario, mode, 2).unwrap();
            let limit = PROGRAM + (needed - PROGRAM) / 3;
            let most = clients_within(&scenario, mode, 2, limit).unwrap();
            let of = |clients| memory(&scenario.with_clients(clients), mode, 2).unwrap();
            assert!(of(most) <= limit && limit < of(most + 1), "{text} {most}");
            assert_eq!(clients_within(&scenario, mode, 2, PROGRAM), None);
        }
    }

    #[test]
    fn a_charge_grows_as_the_work_does() {
        let calibration = Calibration::built_in();
        let charged = |text: &str| charge(&scenario(text), 1, &calibration).unwrap();
        let regular =
            |clients| charged(&format!("clients = {clients}\ngraph = {{ kind = \"regular\", degree = 10 }}"));
        assert!((9.5..10.5).contains(&(regular(2_000) / regular(200))));
        // Beyond what model mode is asked for it is extrapolated.
        assert!((9.5..10.5).contains(&(regular(2_000_000) / regular(200_000))));
        let complete = charged("clients = 1000") / charged("clients = 100");
        assert!((90.0..150.0).contains(&complete), "{complete}");
    }
}
