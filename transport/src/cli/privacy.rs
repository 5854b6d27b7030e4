//! `secagg privacy`.

mod account;
mod audit;
mod encoded;
pub(super) mod ledger;
mod plan;

use std::time::Duration;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use secagg::privacy::PrivacyError;
use secagg_transport::privacy::scheme::Scheme;

use super::{Failure, note, unless_interrupted};

/// Plan, account for and audit differential privacy of the released sums
///
/// Each client adds a little integer noise inside the ring, so that nobody sees a value without noise.
/// Neighbours are two runs with the same participants in which one client's vector is zero in one of
/// them. Every ε is rounded up.
#[derive(Args)]
#[command(arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  secagg privacy plan --epsilon 4 --delta 1e-6 --clients 100 --dropout 0.1 --corrupt 0.05 \\
      --clip 1 --dimension 10000 --rounds 50
  secagg privacy account --scale 100 --sigma 20 --clip 1 --dimension 10000 \\
      --delta 1e-6 --survivors 85,91,88
  secagg privacy audit --epsilon 1 --mechanism skellam
  secagg privacy ledger create phones.ledger --population phones --epsilon 8 --delta 1e-6";

#[derive(Subcommand)]
enum Command {
    /// From a target ε: noise, bits, scale, error and bytes
    Plan(plan::Arguments),
    /// From what was run: ε
    Account(account::Arguments),
    /// Attack simulated sums: a lower bound on ε, which must not exceed the claim
    Audit(audit::Arguments),
    /// Keep the budget of a population: what was spent, and whether another round fits
    Ledger(ledger::Arguments),
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    // All of them compute for a while, and Ctrl-C ends that.
    let work = tokio::task::spawn_blocking(move || match arguments.command {
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Account(arguments) => account::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Ledger(arguments) => ledger::run(&arguments),
    });
    unless_interrupted(work).await?.map_err(Failure::failed)?
}

/// A number of the command line is outside its range, or what was asked for cannot be had.
pub(super) fn refusal(error: PrivacyError) -> Failure {
    match error {
        PrivacyError::OutOfRange { .. } => Failure::Usage(error.to_string()),
        _ => Failure::Refused(format!("refused: {error}")),
    }
}

/// Says so if a mechanism's guarantee has not been reviewed.
pub(super) fn warn_of_experiment(scheme: Scheme) {
    if scheme.is_experimental() {
        note(&format!(
            "the mechanism {} is experimental: nobody outside of this project has checked the proof of its guarantee \
             (spec/centred.md); do not protect people with it",
            scheme.name()
        ));
    }
}

/// Reads a finite number above 0.
pub(super) fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("give a finite number above 0".into()),
    }
}

/// Reads a probability, neither 0 nor 1.
pub(super) fn probability(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number < 1.0 => Ok(number),
        _ => Err("give a number between 0 and 1, both excluded, such as 1e-6".into()),
    }
}

/// Reads a number of clients that is planned for.
fn clients(text: &str) -> Result<u32, String> {
    whole(text, 1, 1 << 20)
}

/// Reads the number of coordinates.
fn dimension(text: &str) -> Result<u32, String> {
    whole(text, 1, 1 << 28)
}

/// Reads a whole number from `least` to `greatest`.
fn whole(text: &str, least: u32, greatest: u32) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(number) if (least..=greatest).contains(&number) => Ok(number),
        _ => Err(format!("give a whole number from {least} to {greatest}")),
    }
}

/// A bar on stderr, if that is a terminal.
fn progress_bar(steps: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(steps);
    if let Ok(style) = ProgressStyle::with_template("{msg} {pos}/{len} {wide_bar} {eta}") {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
