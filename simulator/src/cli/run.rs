//! `secagg-simulator run`.

mod text;

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::interrupt::{interrupted, watch};
use super::limits::Limits;
use super::{Failure, Format, Kind, calibration, cannot_write, print};
use crate::broken::Found;
use crate::page::Sources;
use crate::results::{check_folder, check_writable, classes, rounds, sessions, write_parquet, write_text};
use crate::{Mode, Progress, Report, RunError, Scenario, Simulation};

/// Run a scenario and print what it cost and who survived
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The scenario (TOML)
    scenario: PathBuf,
    /// With the protocol's own cryptography, or by numbers alone
    #[arg(long, value_enum, default_value_t = Kind::Model)]
    mode: Kind,
    /// Another seed than the scenario's
    #[arg(long)]
    seed: Option<u64>,
    /// A calibration file (TOML or JSON), whose profiles come to the built-in ones or stand for them
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Also write report.json, scenario.toml, and tables of sessions, rounds and classes (CSV and Parquet) into this
    /// folder
    #[arg(long)]
    out: Option<PathBuf>,
    /// Also write one web page with plots, readable without a network
    #[arg(long)]
    html: Option<PathBuf>,
    /// Go on where an interrupted run stopped: the report.json that it left. All else must be as it was
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    limits: Limits,
}

const EXAMPLES: &str = "\
Examples:
  secagg-simulator run simulator/scenarios/google-dropout.toml
      Run a scenario of the gallery by numbers alone.
  secagg-simulator run my.toml --mode real --seed 7
      The same events with real clients, whose sum is checked.
  secagg-simulator run my.toml --format json --out results
      Figures for a program, and files. After Ctrl-C they have what was done until then;
  secagg-simulator run my.toml --format json --out results --resume results/report.json
      does the rest.";

/// Folder of the scenarios that show a mistake again, in the one of --out or here.
const BROKEN: &str = "secagg-broken";

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let calibration = calibration(arguments.calibration.as_deref())?;
    let mut scenario =
        Scenario::read(&arguments.scenario).map_err(|error| Failure::Usage(error.to_string()))?;
    scenario.seed = arguments.seed.unwrap_or(scenario.seed);
    let mode = Mode::from(arguments.mode);
    let mut simulation = Simulation::new(scenario.clone(), &calibration, mode)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let mut left = scenario.clone();
    if let Some(path) = &arguments.resume {
        let place = |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| place(&error))?;
        let earlier: Report = serde_json::from_str(&text).map_err(|error| place(&error))?;
        let done = earlier.sessions.len() as u32 / scenario.cohorts;
        left.sessions = left.sessions.saturating_sub(done).max(1);
        simulation = simulation.resume(earlier).map_err(|error| place(&error))?;
    }
    arguments.limits.check_run(&left, arguments.resume.is_some(), &calibration, mode)?;
    check_places(arguments)?;
    watch();
    let bar = Bar::new(simulation.rounds());
    let report = simulation.run(&|progress| bar.show(progress));
    bar.bar.finish_and_clear();
    let mut report = report.map_err(|error| match error {
        RunError::Scenario(error) => Failure::Usage(error.to_string()),
        RunError::Broken(error) => {
            let beside = arguments.scenario.parent().unwrap_or(Path::new(""));
            let folder = arguments.out.as_deref().unwrap_or(Path::new("")).join(BROKEN);
            let found = Found { scenario: &scenario, beside, calibration: &calibration, mode };
            Failure::Failed(format!("{error}; {}", found.keep(&folder, &|_| !interrupted())))
        }
    })?;
    report.replay = replay(arguments, scenario.seed);
    if let Some(folder) = &arguments.out {
        write(folder, &report, &scenario)?;
    }
    if let Some(path) = &arguments.html {
        super::report::write(&Sources { reports: vec![report.clone()], tables: Vec::new() }, path)?;
    }
    match arguments.format {
        Format::Json => print(&json(&report)?)?,
        Format::Text => print(&text::report(&report))?,
    }
    if report.complete { Ok(()) } else { Err(Failure::Interrupted) }
}

/// Finds out before the run whether its results can be kept.
fn check_places(arguments: &Arguments) -> Result<(), Failure> {
    let check = |path: &Option<PathBuf>, check: fn(&Path) -> std::io::Result<()>| match path {
        Some(path) => check(path).map_err(|error| cannot_write(path, &error)),
        None => Ok(()),
    };
    check(&arguments.out, check_folder)?;
    check(&arguments.html, check_writable)
}

fn json(report: &Report) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(report).map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(text + "\n")
}

/// The command that gives the same report again.
fn replay(arguments: &Arguments, seed: u64) -> String {
    let quoted = |path: &PathBuf| format!("'{}'", path.display().to_string().replace('\'', "'\\''"));
    let mode = Mode::from(arguments.mode).name();
    let calibration = arguments
        .calibration
        .as_ref()
        .map_or(String::new(), |path| format!(" --calibration {}", quoted(path)));
    format!("secagg-simulator run {} --mode {mode} --seed {seed}{calibration}", quoted(&arguments.scenario))
}

fn write(folder: &Path, report: &Report, scenario: &Scenario) -> Result<(), Failure> {
    let text = |name: &str, text: &str| {
        let path = folder.join(name);
        write_text(&path, text).map_err(|error| cannot_write(&path, &error))
    };
    text("report.json", &json(report)?)?;
    text("scenario.toml", &scenario.to_toml())?;
    for (name, table) in
        [("sessions", sessions(report)), ("rounds", rounds(report)), ("classes", classes(report))]
    {
        text(&format!("{name}.csv"), &table.to_csv())?;
        write_parquet(&table, &report.replay, &folder.join(format!("{name}.parquet")))
            .map_err(|error| Failure::Failed(error.to_string()))?;
    }
    Ok(())
}

/// Rounds done, clients asked a second, and virtual time.
struct Bar {
    bar: ProgressBar,
    asked: AtomicU64,
}

impl Bar {
    fn new(rounds: u64) -> Self {
        let bar =
            if std::io::stderr().is_terminal() { ProgressBar::new(rounds) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} rounds, {elapsed}");
        bar.set_style(style.unwrap_or(ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, asked: AtomicU64::new(0) }
    }

    /// Shows the progress; false if the run is to end.
    fn show(&self, progress: Progress) -> bool {
        let asked = u64::from(progress.asked);
        let events = self.asked.fetch_add(asked, Ordering::Relaxed);
        let rate = events as f64 / self.bar.elapsed().as_secs_f64().max(1e-3);
        let now = progress.now as f64 / 1e9;
        self.bar.set_message(format!(
            "session {}, {}, {now:.1} s of virtual time, {rate:.0} exchanges/s",
            progress.session, progress.round
        ));
        self.bar.inc(1);
        !interrupted()
    }
}
