//! `secagg-simulator calibrate`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{Failure, Format, cannot_write, print};
use crate::Calibration;
use crate::measure::{self, Measured, Prediction, SessionShape};
use crate::results::{check_writable, write_text};

/// A session that is none of those that were measured.
const CHECK: SessionShape = SessionShape { clients: 80, degree: 20, length: 50_000, bits: 24, dropped: 6 };

/// Measure what each operation costs on this machine
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Write a calibration file here: TOML, or JSON if the name ends in .json
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Name of the profile
    #[arg(long, default_value = "this-machine")]
    name: String,
    /// Date to write into the profile, in any form [default: none]
    #[arg(long)]
    date: Option<String>,
    /// Form of what is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  secagg-simulator calibrate
      Show the costs, how far their rounds lie apart, and how well they predict a session.
  secagg-simulator calibrate --name laptop --date 2026-11-22 --output laptop.toml
      Keep them for simulations:
  secagg-simulator run my.toml --calibration laptop.toml
      charges what the scenario calls \"laptop\" by them.

Times are CPU time of one thread. Use a release build: the cost of each message is that of this program.";

/// What is printed for programs.
#[derive(Serialize)]
struct Output<'a> {
    name: &'a str,
    #[serde(flatten)]
    measured: &'a Measured,
    /// A session that was not measured before.
    check: (SessionShape, Prediction),
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let failed = |error: measure::MeasureError| Failure::Failed(error.to_string());
    if cfg!(debug_assertions) {
        eprintln!("secagg-simulator: this is a debug build: messages will seem to cost too much");
    }
    if let Some(path) = &arguments.output {
        check_writable(path).map_err(|error| cannot_write(path, &error))?;
    }
    let date = arguments.date.as_ref().map(|date| format!(" on {date}")).unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    let source = format!("measured by secagg-simulator {version}{date}: {}", measure::machine());
    let style = ProgressStyle::with_template("measuring {wide_bar} {pos}/{len}");
    let bar = ProgressBar::new(0).with_style(style.unwrap_or(ProgressStyle::default_bar()));
    let measured = measure::measure(&source, |done, of| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let measured = measured.map_err(failed)?;
    let prediction = measure::predict(&measured.profile, &CHECK).map_err(failed)?;
    if let Some(path) = &arguments.output {
        write(path, &arguments.name, &measured)?;
    }
    match arguments.format {
        Format::Text => print(&text(&arguments.name, &measured, &prediction)),
        Format::Json => {
            let output = Output { name: &arguments.name, measured: &measured, check: (CHECK, prediction) };
            let text = serde_json::to_string_pretty(&output);
            print(&format!("{}\n", text.map_err(|error| Failure::Failed(error.to_string()))?))
        }
    }
}

fn write(path: &Path, name: &str, measured: &Measured) -> Result<(), Failure> {
    let profiles = BTreeMap::from([(name.to_owned(), measured.profile.clone())]);
    let calibration = Calibration { profiles };
    let json = path.extension().is_some_and(|extension| extension == "json");
    let text = if json {
        serde_json::to_string_pretty(&calibration).map_err(|error| Failure::Failed(error.to_string()))?
    } else {
        let body = toml::to_string(&calibration).map_err(|error| Failure::Failed(error.to_string()))?;
        format!("# Nanoseconds an operation. SHA-256 of the costs: {}\n{body}", measured.hash)
    };
    write_text(path, &text).map_err(|error| cannot_write(path, &error))
}

fn text(name: &str, measured: &Measured, prediction: &Prediction) -> String {
    let mut out = format!("{name}: {}\n\n", measured.profile.source);
    out += &format!("{:<24}{:>14}{:>20}\n", "", "ns", "half of the rounds");
    for ((cost, value), spread) in measured.profile.costs().iter().zip(&measured.spread) {
        let between = format!("{:.2} to {:.2}", spread.low, spread.high);
        out += &format!("{cost:<24}{value:>14.4}{between:>20}\n");
    }
    let SessionShape { clients, degree, length, bits, dropped } = CHECK;
    out += &format!(
        "\na session of {clients} clients, degree {degree}, {length} coordinates of {bits} bits, {dropped} dropped:\n"
    );
    for (side, cpu) in [("clients", prediction.clients), ("server", prediction.server)] {
        let (predicted, measured) = (cpu.predicted * 1e3, cpu.measured * 1e3);
        out += &format!(
            "{side:<24}{predicted:>10.1} ms predicted{measured:>10.1} ms measured{:>8.2}\n",
            cpu.ratio()
        );
    }
    out + &format!("\ncosts {}\n", measured.hash)
}
