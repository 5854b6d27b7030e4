//! The command line: what the commands share.

#[cfg(unix)]
mod calibrate;
mod interrupt;
mod limits;
mod profiles;
mod report;
mod run;
mod sweep;
#[cfg(target_os = "linux")]
mod validate;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::{Calibration, Mode};

/// Secure aggregation in virtual time: what a session costs and survives, repeatable from a seed.
#[derive(Parser)]
#[command(name = "secagg-simulator", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  secagg-simulator run simulator/scenarios/google-dropout.toml
      Run a scenario and print what it cost and who survived.
  secagg-simulator run simulator/scenarios/google-dropout.toml --html report.html
      The same as a page with plots, readable without a network.
  secagg-simulator profiles
      Show what an operation costs on each built-in kind of machine.";

#[derive(Subcommand)]
enum Command {
    /// Run a scenario and print what it cost and who survived
    Run(run::Arguments),
    /// Make one web page of results, with plots, that needs no network
    Report(report::Arguments),
    /// Run a scenario at all points of a design
    Sweep(sweep::Sweeping),
    /// Put the parts of a sweep into one table
    Merge(sweep::Merging),
    /// Show what an operation costs on each kind of machine
    Profiles(profiles::Arguments),
    /// Measure what each operation costs on this machine
    #[cfg(unix)]
    Calibrate(calibrate::Arguments),
    /// Run sessions in reality and in the simulator, and compare
    #[cfg(target_os = "linux")]
    Validate(validate::Arguments),
}

/// What stdout holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs: JSON and nothing else
    Json,
}

/// How sessions are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// The protocol's own clients and server
    Real,
    /// Sizes and operations in closed form
    Model,
}

impl From<Kind> for Mode {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Real => Self::Real,
            Kind::Model => Self::Model,
        }
    }
}

/// Why a command did not do what it was asked.
enum Failure {
    /// The command line or a scenario cannot be carried out: exit code 2.
    Usage(String),
    /// Something went wrong: exit code 1.
    Failed(String),
    /// Ctrl-C: exit code 130, as shells have it.
    Interrupted,
}

/// Runs the program to its exit code.
pub fn run() -> ExitCode {
    // Clap itself ends a mistaken command line with exit code 2.
    let done = match Cli::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Sweep(arguments) => sweep::sweep(&arguments),
        Command::Merge(arguments) => sweep::merging(&arguments),
        Command::Profiles(arguments) => profiles::run(&arguments),
        #[cfg(unix)]
        Command::Calibrate(arguments) => calibrate::run(&arguments),
        #[cfg(target_os = "linux")]
        Command::Validate(arguments) => validate::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => complain(&message, 2),
        Err(Failure::Failed(message)) => complain(&message, 1),
        Err(Failure::Interrupted) => complain("interrupted", 130),
    }
}

fn complain(message: &str, code: u8) -> ExitCode {
    // An error text may quote another program's; it still is one line.
    let message = message.trim_end().replace(['\n', '\r'], " ");
    // If stderr is closed the exit code has to do.
    let _ = writeln!(io::stderr(), "secagg-simulator: {message}");
    ExitCode::from(code)
}

/// What operations cost by a file, if one is given, and else by the built-in profiles.
fn calibration(path: Option<&Path>) -> Result<Calibration, Failure> {
    path.map_or(Ok(Calibration::built_in()), Calibration::read)
        .map_err(|error| Failure::Usage(error.to_string()))
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::Failed(format!("cannot write {}: {error}", path.display()))
}

/// Prints text on stdout, as one piece.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    match written {
        // A reader that has seen enough, such as `head`, is no failure.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Failed(error.to_string())),
        _ => Ok(()),
    }
}
