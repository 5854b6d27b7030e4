//! What a run will take on this machine, said before it is run.
//!
//! Memory is a closed form in clients, partners and coordinates, by its [`Parts`]. Time is that of a small session on this
//! machine, now, times how much greater the whole run is: by numbers alone in clients, with real clients in the time
//! that the calibration charges for all operations and messages, which model mode knows beforehand; drawing noise is timed
//! by itself. Of adversaries there are the answers that they keep, and a liar that is put out for its lie counts as one that
//! vanishes. `tests/estimate.rs` holds the bytes and the work that is charged to what is counted in runs; the clock, which
//! tells how busy the machine is too, is held to nothing.

mod memory;
mod time;

use std::fs;

use crate::Mode;
use crate::scenario::{Scenario, ScenarioError};

pub use memory::Parts;
pub use time::{charged, seconds, work};

/// What the program takes before it holds anything of a run, in bytes.
const PROGRAM: u64 = 16 << 20;

/// What a session's report takes.
const REPORT: u64 = 4 << 10;

/// Bytes at the peak of a run, on so many threads.
///
/// # Errors
/// A number of the scenario cannot work.
pub fn memory(scenario: &Scenario, mode: Mode, threads: usize) -> Result<u64, ScenarioError> {
    let sessions = u64::from(scenario.sessions) * u64::from(scenario.cohorts);
    let at_once = u64::from(scenario.cohorts).min(threads as u64);
    Ok(PROGRAM + at_once * Parts::of(scenario, mode)?.held() + sessions * REPORT)
}

/// Bytes at the peak of sessions that are not a run of their own, such as a sweep's, in each of so many threads.
///
/// # Errors
/// As [`memory`].
pub fn memory_of_each(scenario: &Scenario, mode: Mode, threads: usize) -> Result<u64, ScenarioError> {
    Ok(PROGRAM + threads as u64 * (memory(scenario, mode, 1)? - PROGRAM))
}

/// The greatest cohort that takes at most so many bytes, if there is one.
pub fn clients_within(scenario: &Scenario, mode: Mode, threads: usize, bytes: u64) -> Option<u32> {
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

/// The most sessions of each cohort that take at most so many bytes, if one does: each leaves a report.
pub fn sessions_within(scenario: &Scenario, mode: Mode, threads: usize, bytes: u64) -> Option<u32> {
    let of = |sessions| memory(&Scenario { sessions, ..scenario.clone() }, mode, threads).ok();
    let more = bytes.checked_sub(of(1)?)? / (REPORT * u64::from(scenario.cohorts));
    Some(u32::try_from(more).unwrap_or(u32::MAX).saturating_add(1))
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
    fn as_many_sessions_fit_as_are_said_to() {
        let scenario = scenario("clients = 50\ncohorts = 3\nsessions = 1000000");
        let of = |sessions| memory(&Scenario { sessions, ..scenario.clone() }, Mode::Model, 2).unwrap();
        let limit = of(scenario.sessions) / 7;
        let most = sessions_within(&scenario, Mode::Model, 2, limit).unwrap();
        assert!(of(most) <= limit && limit < of(most + 1), "{most}");
        assert_eq!(sessions_within(&scenario, Mode::Model, 2, PROGRAM), None);
    }
}
