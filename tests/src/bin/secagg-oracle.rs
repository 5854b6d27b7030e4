//! The program `secagg-oracle`: judges the project by tables of answers that were computed without it.
//!
//! Exit codes: 0 every row met, 1 a row differs, 2 a mistake on the command line or in the file.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use secagg_tests::oracle::table::TableError;
use secagg_tests::oracle::{Judgement, parameters, privacy};

/// Judge this project by tables of answers that were computed without it
///
/// Prints each cell that differs with what the table expects and what was found, and ends with the
/// line `N passed, N failed`, which counts rows.
#[derive(Parser)]
#[command(name = "secagg-oracle", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    oracle: Oracle,
}

const EXAMPLES: &str = "\
Examples:
  secagg-oracle parameters tests/oracles/parameters.csv
  secagg-oracle privacy tests/oracles/privacy.csv

Exit codes: 0 every row met, 1 a row differs, 2 a mistake on the command line or in the file.";

#[derive(Subcommand)]
enum Oracle {
    /// Judge the planner: which degrees and thresholds are safe
    Parameters {
        /// A table with the columns of tests/oracles/parameters.csv
        file: PathBuf,
    },
    /// Judge the privacy accountant: which ε a configuration has
    Privacy {
        /// A table with the columns of tests/oracles/privacy.csv
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    match Cli::parse().oracle {
        Oracle::Parameters { file } => run(&file, parameters::judge),
        Oracle::Privacy { file } => run(&file, privacy::judge),
    }
}

fn run(file: &Path, judge: impl Fn(&str) -> Result<Judgement, TableError>) -> ExitCode {
    let complain = |problem: String| {
        // If stderr is closed the exit code has to do.
        let _ = writeln!(io::stderr(), "secagg-oracle: {}: {problem}", file.display());
        ExitCode::from(2)
    };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return complain(error.to_string()),
    };
    match judge(&text) {
        Ok(judgement) => report(&judgement),
        Err(error) => complain(error.to_string()),
    }
}

fn report(judgement: &Judgement) -> ExitCode {
    let written = io::stdout().write_all(judgement.to_string().as_bytes());
    ExitCode::from(u8::from(judgement.failed > 0 || written.is_err()))
}
