//! `secagg-simulator profiles`.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, Format, calibration, print};
use crate::{Calibration, Profile};

/// Show what an operation costs on each kind of machine
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// A calibration file (TOML or JSON), whose profiles come to the built-in ones or stand for them
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  secagg-simulator profiles
      The built-in kinds of machines, and where their figures come from.
  secagg-simulator calibrate --output here.toml
  secagg-simulator profiles --calibration here.toml
      This machine beside them.";

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let calibration = calibration(arguments.calibration.as_deref())?;
    match arguments.format {
        Format::Json => match serde_json::to_string_pretty(&calibration) {
            Ok(text) => print(&format!("{text}\n")),
            Err(error) => Err(Failure::Failed(error.to_string())),
        },
        Format::Text => print(&table(&calibration)),
    }
}

fn table(calibration: &Calibration) -> String {
    let mut out = format!("{:<24}", "ns per operation");
    calibration.profiles.keys().for_each(|name| out += &format!("{name:>12}"));
    for (row, (name, _)) in Profile::default().costs().into_iter().enumerate() {
        out += &format!("\n{name:<24}");
        for profile in calibration.profiles.values() {
            let cost = profile.costs().get(row).map_or(0.0, |(_, cost)| *cost);
            out += &format!("{cost:>12.3}");
        }
    }
    out += "\n\n";
    for (name, profile) in &calibration.profiles {
        out += &format!("{name}: {}\n", profile.source);
    }
    out
}
