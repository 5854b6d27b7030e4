//! `secagg-simulator validate`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::interrupt::{INTERRUPTED, interrupted, watch};
use super::{Failure, Format, calibration, cannot_write, print};
use crate::Profile;
use crate::reality::{Observed, RealityError, observe};
use crate::results::{check_writable, write_text};
use crate::validate::{Case, Comparison, MEDIAN, TAIL, WIRE, compare, simulate};

/// Run sessions as real processes and in the simulator, and compare
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Only these set-ups: names, which --list shows, or scenario files
    #[arg(value_name = "SET-UP")]
    only: Vec<String>,
    /// Show the set-ups and do nothing
    #[arg(long)]
    list: bool,
    /// The program `secagg` [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    secagg: Option<PathBuf>,
    /// Real sessions of each set-up; times are the medians over them
    #[arg(long, value_name = "R", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    repeat: u32,
    /// Seed of losses; each real session has the next
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A calibration file, as `calibrate` writes it, whose profiles come to the built-in ones or stand for them
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
    /// The profile of this machine in it
    #[arg(long, default_value = "server")]
    profile: String,
    /// Write every packet of the real sessions to this file: set-up,session,nanoseconds,direction,client,bytes
    #[arg(long, value_name = "FILE")]
    packets: Option<PathBuf>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  sudo secagg-simulator validate
      All set-ups, three real sessions of each; some minutes.
  secagg-simulator calibrate --output here.toml
  sudo secagg-simulator validate --calibration here.toml --profile this-machine --format json

Each client and the server is a process of its own; their packets go through an emulated network. That takes
Linux, /dev/net/tun, the command `ip`, and root or the capabilities NET_ADMIN and SYS_ADMIN. Exit code 1: not all
is within its bounds, or real sessions cannot be run here.";

/// What is printed for programs.
#[derive(Serialize)]
struct Output<'a> {
    holds: bool,
    wire_bound: f64,
    median_bound: f64,
    tail_bound: f64,
    comparisons: &'a [Comparison],
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let cases = chosen(&arguments.only)?;
    if arguments.list {
        return print(&list(&cases, arguments.format)?);
    }
    let profile = profile(arguments)?;
    let program = program(arguments)?;
    if let Some(path) = &arguments.packets {
        check_writable(path).map_err(|error| cannot_write(path, &error))?;
    }
    watch();
    let bar = ProgressBar::new(0).with_style(style());
    let (mut comparisons, mut packets) = (Vec::new(), String::new());
    'cases: for mut case in cases {
        let calibration = case.on_one_machine(profile.clone());
        let simulated = simulate(&case, &calibration)
            .map_err(|error| Failure::Failed(format!("{}: {error}", case.name)))?;
        let mut seen = Vec::new();
        for session in 0..u64::from(arguments.repeat) {
            bar.set_length(case.scenario.clients.into());
            bar.set_message(format!("{} {}/{}", case.name, session + 1, arguments.repeat));
            let setup = case.setup(&calibration, &simulated, arguments.seed + session);
            let setup = setup.map_err(|error| Failure::Usage(error.to_string()))?;
            let one = observe(&setup, &program, &INTERRUPTED, |done| bar.set_position(done as u64));
            let one = match one {
                // In a terminal it reaches every process: what they say of it is not why the session ended.
                Err(_) if interrupted() => break 'cases,
                one => one.map_err(|error| failure(&case, error))?,
            };
            if arguments.packets.is_some() {
                packets += &lines(&case, session, &one);
            }
            seen.push(one);
        }
        comparisons.push(compare(&case, &seen, &simulated));
    }
    bar.finish_and_clear();
    if let Some(path) = &arguments.packets {
        write_text(path, &packets).map_err(|error| cannot_write(path, &error))?;
    }
    let held = report(arguments, &comparisons);
    // The set-ups that were done have been told; whether they held is not the answer to what was asked.
    if interrupted() { Err(Failure::Interrupted) } else { held }
}

fn report(arguments: &Arguments, comparisons: &[Comparison]) -> Result<(), Failure> {
    let holds = comparisons.iter().all(Comparison::holds);
    match arguments.format {
        Format::Text => print(&table(comparisons))?,
        Format::Json => {
            let (wire_bound, median_bound, tail_bound) = (WIRE, MEDIAN, TAIL);
            let output = Output { holds, wire_bound, median_bound, tail_bound, comparisons };
            let text = serde_json::to_string_pretty(&output);
            print(&format!("{}\n", text.map_err(|error| Failure::Failed(error.to_string()))?))?;
        }
    }
    if holds {
        return Ok(());
    }
    let out = comparisons.iter().filter(|one| !one.holds()).count();
    Err(Failure::Failed(format!("{out} of {} set-ups are not within the bounds", comparisons.len())))
}

/// The set-ups of these names or files; all that are built in if none is named.
fn chosen(names: &[String]) -> Result<Vec<Case>, Failure> {
    let usage = |error: crate::ScenarioError| Failure::Usage(error.to_string());
    let built_in = Case::built_in().map_err(usage)?;
    if names.is_empty() {
        return Ok(built_in);
    }
    let of = |name: &String| match built_in.iter().find(|case| case.name == *name) {
        Some(case) => Ok(case.clone()),
        None if name.ends_with(".toml") => Case::read(name.as_ref()).map_err(usage),
        None => Err(Failure::Usage(format!(
            "there is no set-up {name:?}; --list shows them, or give a file.toml"
        ))),
    };
    names.iter().map(of).collect()
}

fn profile(arguments: &Arguments) -> Result<Profile, Failure> {
    let calibration = calibration(arguments.calibration.as_deref())?;
    let name = &arguments.profile;
    let unknown = || {
        let known: Vec<&str> = calibration.profiles.keys().map(String::as_str).collect();
        Failure::Usage(format!("the calibration has no profile {name:?}, but {}", known.join(", ")))
    };
    calibration.profiles.get(name).cloned().ok_or_else(unknown)
}

fn program(arguments: &Arguments) -> Result<PathBuf, Failure> {
    let beside = || std::env::current_exe().map(|own| own.with_file_name("secagg"));
    let path = arguments.secagg.clone().map_or_else(beside, Ok);
    let path = path.and_then(|path| {
        path.canonicalize()
            .map_err(|error| std::io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    });
    path.map_err(|error| {
        Failure::Usage(format!(
            "cannot find the program secagg: {error}; build it with `cargo build --release -p secagg-transport` or \
             name it with --secagg"
        ))
    })
}

fn failure(case: &Case, error: RealityError) -> Failure {
    match error {
        error if error.is_not_permitted() => Failure::Failed(error.to_string()),
        error => Failure::Failed(format!("{}: {error}", case.name)),
    }
}

fn lines(case: &Case, session: u64, seen: &Observed) -> String {
    let line = |packet: &crate::reality::Sent| {
        let direction = format!("{:?}", packet.direction).to_lowercase();
        let (name, at, client, bytes) = (&case.name, packet.at, packet.client, packet.bytes);
        format!("{name},{session},{at},{direction},{client},{bytes}\n")
    };
    seen.wire.packets.iter().map(line).collect()
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg:30} {wide_bar} {pos}/{len} clients done")
        .unwrap_or(ProgressStyle::default_bar())
}

fn list(cases: &[Case], format: Format) -> Result<String, Failure> {
    let titles = cases.iter().map(|case| (case.name.as_str(), case.scenario.title.as_str()));
    match format {
        Format::Text => Ok(titles.map(|(name, title)| format!("{name:<16}{title}\n")).collect()),
        Format::Json => {
            let text = serde_json::to_string_pretty(&titles.collect::<BTreeMap<_, _>>());
            text.map(|text| text + "\n").map_err(|error| Failure::Failed(error.to_string()))
        }
    }
}

/// A table in Markdown, with the rounds of each set-up below it.
fn table(comparisons: &[Comparison]) -> String {
    let mut out = String::from(
        "| set-up | bytes and operations | wire, seen | simulated | p50, worst round | p95, worst round | holds |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for one in comparisons {
        let equal = if one.differences.is_empty() && one.exact { "equal" } else { "**differ**" };
        out += &format!(
            "| {} | {equal} | {:.0} | {:+.2} % | {:+.1} % | {:+.1} % | {} |\n",
            one.name,
            one.wire_seen,
            one.wire_error() * 100.0,
            one.median_error() * 100.0,
            one.tail_error() * 100.0,
            if one.holds() { "yes" } else { "**no**" }
        );
    }
    out += "\nStage times in milliseconds, seen and simulated:\n\n";
    out += "| set-up | round | p50 | | p95 | | emulator late, p99 |\n| --- | --- | --- | --- | --- | --- | --- |\n";
    for one in comparisons {
        for stage in &one.stages {
            let ms = [stage.median_seen, stage.median_simulated, stage.tail_seen, stage.tail_simulated];
            let [a, b, c, d] = ms.map(|seconds| seconds * 1e3);
            out += &format!(
                "| {} | {} | {a:.1} | {b:.1} | {c:.1} | {d:.1} | {:.1} |\n",
                one.name, stage.round, one.late
            );
        }
    }
    for one in comparisons {
        one.differences.iter().for_each(|difference| out += &format!("\n{}: {difference}\n", one.name));
    }
    out
}
