//! `secagg-oracle`: judges files of independently computed numbers with the code of this project.
//!
//! Prints the rows that differ and ends with the line `N passed, N failed`. Exit status: 0 if none differs,
//! 1 if some do, 2 if the file cannot be read.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use secagg_tests::oracle;

/// Judges files of independently computed numbers with the code of this project.
#[derive(Parser)]
#[command(name = "secagg-oracle", version)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The privacy accountant, against a file with the columns of tests/oracles/privacy.csv.
    Privacy {
        /// The file.
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    let verdict = match Arguments::parse().what {
        What::Privacy { file } => oracle::privacy::judge(&file),
    };
    match verdict {
        Ok(verdict) => {
            println!("{verdict}");
            ExitCode::from(u8::from(verdict.failed > 0))
        }
        Err(unreadable) => {
            eprintln!("{unreadable}");
            ExitCode::from(2)
        }
    }
}
