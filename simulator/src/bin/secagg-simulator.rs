//! The program `secagg-simulator`.
//!
//! Exit codes: 0 done, 1 failed, 2 a mistake on the command line or in a scenario, 130 interrupted. Each error is
//! one line on stderr.

use std::process::ExitCode;

fn main() -> ExitCode {
    secagg_simulator::cli::run()
}
