//! `secagg-simulator sweep` and `secagg-simulator merge`.

use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget};
use rayon::prelude::*;

use super::interrupt::{interrupted, watch};
use super::limits::Limits;
use super::{Failure, Kind, calibration, cannot_write};
use crate::Mode;
use crate::results::{check_folder, write_parquet, write_text};
use crate::sweep::{Sweep, merge};

/// Parts of a sweep at the most: their number has six digits in their names.
const PARTS: u64 = 999_999;

/// Runs of one process at the most. Their scenarios are all read and checked before the first of them is run, and are held
/// in a kilobyte or two each.
const RUNS: u64 = 1_000_000;

/// Run a scenario at all points of a design
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Sweeping {
    /// The design (TOML)
    design: PathBuf,
    /// With the protocol's own cryptography, which attacks need, or by numbers alone
    #[arg(long, value_enum, default_value_t = Kind::Model)]
    mode: Kind,
    /// Folder of the parts; those that are there are not run again
    #[arg(long)]
    out: PathBuf,
    /// Parts [default: one for each run, at most 64]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=PARTS))]
    of: Option<u64>,
    /// The part to run, from 0
    /// [default: with --of HQ_TASK_ID, SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX; else all, on all cores]
    #[arg(long, requires = "of")]
    index: Option<u64>,
    /// A calibration file (TOML or JSON), whose profiles come to the built-in ones or stand for them
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
    #[command(flatten)]
    limits: Limits,
}

const EXAMPLES: &str = "\
Examples:
  secagg-simulator sweep simulator/sweeps/degree.toml --out parts
      On all cores; run it again after an interruption and it goes on.
  secagg-simulator sweep simulator/sweeps/degree.toml --index 3 --of 8 --out parts
      One part, for an engine on many machines.
  secagg-simulator merge parts -o sweep.parquet
  secagg-simulator report sweep.parquet";

const MERGING: &str = "\
Examples:
  secagg-simulator merge parts -o sweep.parquet
      One table of what `secagg-simulator sweep DESIGN --out parts` left, or which parts are missing.
  secagg-simulator merge parts -o sweep.csv
      The same for a spreadsheet.";

/// Put the parts of a sweep into one table
#[derive(Args)]
#[command(after_help = MERGING)]
pub(super) struct Merging {
    /// Folder of the parts
    folder: PathBuf,
    /// The table: CSV if its name ends in .csv, else Parquet
    #[arg(short, long, default_value = "sweep.parquet")]
    output: PathBuf,
}

pub(super) fn sweep(arguments: &Sweeping) -> Result<(), Failure> {
    let sweep = Sweep::read(&arguments.design, calibration(arguments.calibration.as_deref())?)
        .map_err(Failure::Usage)?;
    let mode = Mode::from(arguments.mode);
    let of = arguments.of.unwrap_or(sweep.points().min(64));
    let index = match (arguments.index, engine()) {
        (Some(index), _) => Some(("--index", index)),
        (None, Some((name, value))) if arguments.of.is_some() => Some((name, index_of(name, &value)?)),
        (None, Some((name, _))) => {
            eprintln!("secagg-simulator: {name} is not used, for without --of all parts are run here");
            None
        }
        (None, None) => None,
    };
    if let Some((name, index)) = index.filter(|(_, index)| *index >= of) {
        return Err(Failure::Usage(format!("{name} {index}: of {of} parts the last is {}", of - 1)));
    }
    let index = index.map(|(_, index)| index);
    let runs = if index.is_some() { sweep.points().div_ceil(of) } else { sweep.points() };
    if runs > RUNS {
        return Err(Failure::Usage(format!(
            "{runs} runs are too many for one process, which takes {RUNS}; run parts of the sweep, with --index and --of"
        )));
    }
    let parts: Vec<u64> = index.map_or_else(|| (0..of).collect(), |index| vec![index]);
    let points = sweep.scenarios(&parts, of, mode, &arguments.out).map_err(Failure::Usage)?;
    let threads = rayon::current_num_threads().min(parts.len());
    arguments.limits.check_sweep(&points, sweep.calibration(), mode, threads)?;
    check_folder(&arguments.out).map_err(|error| cannot_write(&arguments.out, &error))?;
    // Each is made again when it is run.
    drop(points);
    watch();
    let bar = ProgressBar::with_draw_target(Some(parts.len() as u64), ProgressDrawTarget::stderr());
    let done = parts.into_par_iter().map(|index| {
        let done = sweep.run((index, of), mode, &arguments.out, &|_| !interrupted());
        bar.inc(1);
        done
    });
    let done: Result<Vec<bool>, String> = done.collect();
    bar.finish_and_clear();
    match done.map_err(Failure::Failed)?.into_iter().all(|done| done) {
        true => Ok(()),
        false => Err(Failure::Interrupted),
    }
}

/// The variable in which HyperQueue, Slurm or Kubernetes has given this process its index, and what it holds.
fn engine() -> Option<(&'static str, String)> {
    let names = ["HQ_TASK_ID", "SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"];
    names.iter().find_map(|name| Some((*name, std::env::var(name).ok()?)))
}

fn index_of(name: &str, value: &str) -> Result<u64, Failure> {
    value.parse().map_err(|_| Failure::Usage(format!("{name}={value}: it must be a number from 0")))
}

pub(super) fn merging(arguments: &Merging) -> Result<(), Failure> {
    let (table, note) = merge(&arguments.folder).map_err(Failure::Usage)?;
    let path = &arguments.output;
    if path.extension().is_some_and(|end| end == "csv") {
        return write_text(path, &table.to_csv()).map_err(|error| cannot_write(path, &error));
    }
    write_parquet(&table, &note, path).map_err(|error| Failure::Failed(error.to_string()))
}
