//! The program `secagg`: `serve`, `join`, `demo`, `identity`, `plan` and `privacy`.
//!
//! Exit codes: 0 done, 1 failed, 2 a mistake on the command line, 3 refused as unsafe, 130 interrupted.
//! Each error is one line on stderr.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
