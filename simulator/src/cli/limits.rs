//! `--memory` and `--time`: what would take more is not begun.

use clap::Args;

use super::Failure;
use crate::estimate::{clients_within, machine_memory, memory, memory_of_each, seconds, sessions_within};
use crate::sweep::Point;
use crate::{Calibration, Mode, Scenario};

/// Points of a sweep for which the time is estimated; the others are taken to be like them.
const SAMPLE: usize = 8;

/// What a run may take.
#[derive(Args)]
pub(super) struct Limits {
    /// Do not begin what is estimated to take more memory; what this machine has is a limit always
    #[arg(long, value_name = "BYTES")]
    memory: Option<u64>,
    /// Do not begin what is estimated to take longer
    #[arg(long, value_name = "SECONDS", value_parser = seconds_above_0, allow_negative_numbers = true)]
    time: Option<f64>,
}

impl Limits {
    /// Refuses a run that would take too much; if it is `resumed`, of what is left of it.
    pub(super) fn check_run(
        &self,
        scenario: &Scenario,
        resumed: bool,
        calibration: &Calibration,
        mode: Mode,
    ) -> Result<(), Failure> {
        let threads = rayon::current_num_threads();
        let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
        let needed = memory(scenario, mode, threads).map_err(|error| usage(&error))?;
        // All of its scenario must be as it was.
        let fixed = || "what is left of a run cannot be made smaller".to_owned();
        let fits = |limit| {
            if resumed {
                return fixed();
            }
            let sessions = sessions_within(scenario, mode, threads, limit);
            match (clients_within(scenario, mode, threads, limit), sessions) {
                (Some(clients), _) => format!("clients = {clients} would fit"),
                (None, Some(sessions)) => format!("sessions = {sessions} would fit"),
                (None, None) => "no cohort would fit".to_owned(),
            }
        };
        self.check_memory(needed, fits)?;
        let Some(limit) = self.time else { return Ok(()) };
        let needed = seconds(scenario, calibration, mode, threads).map_err(|error| usage(&error))?;
        let sessions = (limit / needed * f64::from(scenario.sessions)) as u32;
        // Linear in the clients of a regular graph; of a complete one this is too few.
        let clients = (limit / needed * f64::from(scenario.sessions) * f64::from(scenario.clients)) as u32;
        let fits = match (sessions, clients) {
            _ if resumed => fixed(),
            (0, ..2) => "no session would fit".to_owned(),
            (0, clients) => format!("one session of {clients} clients would fit"),
            _ => format!("sessions = {sessions} would fit"),
        };
        self.check_time(needed, &fits)
    }

    /// Refuses a sweep over these points, which would take too much.
    pub(super) fn check_sweep(
        &self,
        points: &[Point],
        calibration: &Calibration,
        mode: Mode,
        threads: usize,
    ) -> Result<(), Failure> {
        let usage =
            |one: &Point, error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", one.place));
        let needed = points.iter().map(|one| {
            let needed = memory_of_each(&one.scenario, mode, threads);
            needed.map(|needed| (needed, one)).map_err(|error| usage(one, &error))
        });
        let needed = needed.collect::<Result<Vec<_>, Failure>>()?;
        let Some((needed, worst)) = needed.into_iter().max_by_key(|(needed, _)| *needed) else {
            return Ok(());
        };
        self.check_memory(needed, |limit| {
            let fit = |threads: &usize| {
                memory_of_each(&worst.scenario, mode, *threads).is_ok_and(|needed| needed <= limit)
            };
            match (1..threads).rev().find(fit) {
                None => format!("{} would not fit with one thread", worst.place),
                Some(threads) => format!("RAYON_NUM_THREADS={threads} would fit"),
            }
        })?;
        let Some(limit) = self.time else { return Ok(()) };
        let sample = points.iter().step_by(points.len().div_ceil(SAMPLE).max(1)).map(|one| {
            let needed = seconds(&one.scenario, calibration, mode, 1);
            needed.map_err(|error| usage(one, &error))
        });
        let sample = sample.collect::<Result<Vec<f64>, Failure>>()?;
        let mean = sample.iter().sum::<f64>() / sample.len() as f64;
        let needed = mean * points.len() as f64 / threads as f64;
        let fit = limit / needed * points.len() as f64;
        self.check_time(needed, &format!("{} points would fit", fit as u64))
    }

    fn check_memory(&self, needed: u64, fits: impl Fn(u64) -> String) -> Result<(), Failure> {
        let own = self.memory.map(|limit| (limit, "--memory allows"));
        let machines = machine_memory().map(|limit| (limit, "this machine has"));
        let Some((limit, whose)) = own.into_iter().chain(machines).min() else { return Ok(()) };
        if self.memory.is_some() {
            eprintln!("estimated: {}", mebibytes(needed));
        }
        if needed <= limit {
            return Ok(());
        }
        Err(Failure::Usage(format!(
            "this is estimated to take {needed} bytes of memory ({}), and {whose} {limit} ({}); {}",
            mebibytes(needed),
            mebibytes(limit),
            fits(limit)
        )))
    }

    fn check_time(&self, needed: f64, fits: &str) -> Result<(), Failure> {
        let Some(limit) = self.time else { return Ok(()) };
        eprintln!("estimated: {needed:.1} s");
        if needed <= limit {
            return Ok(());
        }
        Err(Failure::Usage(format!(
            "this is estimated to take {needed:.1} s, and --time allows {limit} s; {fits}"
        )))
    }
}

fn seconds_above_0(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| seconds.is_finite() && *seconds > 0.0);
    seconds.ok_or_else(|| "it must be a number of seconds above 0".to_owned())
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20))
}
