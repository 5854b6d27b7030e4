//! `secagg privacy ledger`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use secagg::privacy::ledger::{Against as Whose, Budget, Ledger, LedgerError, Release, State, Torn};
use secagg::privacy::round_up;
use secagg_transport::privacy::design::Against;
use secagg_transport::privacy::loss::Sampling;
use secagg_transport::{LedgerFile, LedgerFileError};
use serde_json::{Value, json};

use super::encoded::{Encoded, drawn};
use super::{clients, positive, probability, refusal, warn_of_experiment};
use crate::cli::fields::{Fields, lines, object};
use crate::cli::{Failure, Format, note, print};

/// Keep the budget of a population: what was spent, and whether another round fits
///
/// The ledger is a text file to which lines are only ever added, each with a checksum. Reserve a round before its
/// sum is unmasked, with the fewest survivors; settle it afterwards with those that were there, or cancel it if nothing
/// was released and nothing will be. A round that would overspend is refused with exit code 3.
#[derive(Args)]
#[command(arg_required_else_help = true, after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  secagg privacy ledger create phones.ledger --population phones --epsilon 8 --delta 1e-6
  secagg privacy ledger reserve phones.ledger --round monday --sigma 20 --scale 100 --clip 1 \\
      --dimension 10000 --survivors 85
  secagg privacy ledger settle phones.ledger --round monday --sigma 20 --scale 100 --clip 1 \\
      --dimension 10000 --survivors 91
  secagg privacy ledger show phones.ledger
  secagg demo --epsilon 8 --ledger phones.ledger

Lines that are cut off the end leave no trace in the file: keep last_checksum elsewhere to notice it.";

#[derive(Subcommand)]
enum Command {
    /// Begin a ledger in a file that does not exist
    Create {
        file: PathBuf,
        /// Name of the people whose data it is about
        #[arg(long, value_name = "NAME")]
        population: String,
        /// Greatest ε of all rounds together
        #[arg(long, value_name = "E", value_parser = positive)]
        epsilon: f64,
        /// δ of --epsilon
        #[arg(long, value_name = "D", value_parser = probability)]
        delta: f64,
        /// Who shall learn no more than ε
        #[arg(long, value_enum, default_value = "server")]
        against: Against,
    },
    /// Check every line, and print what was spent; changes nothing
    Show {
        file: PathBuf,
        /// What to print: text or json (one object)
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// How many more such rounds fit; changes nothing
    Check {
        file: PathBuf,
        #[command(flatten)]
        round: Round,
        /// What to print: text or json (one object)
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Set aside what a round may release at most, before it
    Reserve {
        file: PathBuf,
        /// Name of the round
        #[arg(long = "round", value_name = "NAME")]
        name: String,
        #[command(flatten)]
        round: Round,
    },
    /// Replace a reservation by what was released
    Settle {
        file: PathBuf,
        /// Name of the round
        #[arg(long = "round", value_name = "NAME")]
        name: String,
        #[command(flatten)]
        round: Round,
    },
    /// Give a reservation back: nothing was released, and nothing will be
    Cancel {
        file: PathBuf,
        /// Name of the round
        #[arg(long = "round", value_name = "NAME")]
        name: String,
    },
}

#[derive(Args)]
struct Round {
    #[command(flatten)]
    encoded: Encoded,
    /// Honest survivors: their shares of noise are in the sum
    #[arg(long, value_name = "M", value_parser = clients)]
    survivors: u32,
    /// Norm bound that clients kept their rounded vectors to, squared and in integer units, if it was not the usual one
    /// of scale, clip and dimension: norm_squared of the plan
    #[arg(long, value_name = "N", value_parser = positive)]
    norm_squared: Option<f64>,
    /// How clients were drawn, secretly: none, poisson:RATE or fixed:N/POPULATION
    #[arg(long, default_value = "none")]
    sampling: Sampling,
}

impl Round {
    fn release(&self) -> Result<Release, Failure> {
        let Encoded { mechanism, sigma, .. } = self.encoded;
        warn_of_experiment(mechanism);
        let release = self
            .encoded
            .coding()
            .and_then(|coding| mechanism.release(&coding, drawn(sigma)?, self.survivors, self.sampling));
        let release = release.map_err(refusal)?;
        Ok(Release { norm: self.norm_squared.map_or(release.norm, f64::sqrt), ..release })
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Create { file, population, epsilon, delta, against } => {
            let against = match against {
                Against::Server => Whose::Server,
                Against::Release => Whose::Public,
            };
            let budget = Budget { against, epsilon: *epsilon, delta: *delta };
            LedgerFile::create(file, population, budget).map_err(failure)?;
            note(&format!("began {}", file.display()));
            Ok(())
        }
        Command::Show { file, format } => show(&read(file)?, *format, None),
        Command::Check { file, round, format } => {
            let ledger = read(file)?;
            let fit = ledger.rounds_left(&round.release()?).map_err(Failure::failed)?;
            show(&ledger, *format, Some(fit))
        }
        Command::Reserve { file, name, round } => {
            let release = round.release()?;
            enter(file, |ledger| ledger.reserve(name, release))
        }
        Command::Settle { file, name, round } => {
            let release = round.release()?;
            enter(file, |ledger| ledger.settle(name, release))
        }
        Command::Cancel { file, name } => enter(file, |ledger| ledger.cancel(name)),
    }
}

/// Opens a ledger to add to it.
pub(in crate::cli) fn open(file: &Path) -> Result<LedgerFile, Failure> {
    let (ledger, torn) = LedgerFile::open(file).map_err(failure)?;
    if let Some(torn) = torn {
        note(&format!("{}, and was cut off", torn_line(file, torn)));
    }
    Ok(ledger)
}

/// A round that overspends is refused; all else has gone wrong.
pub(in crate::cli) fn failure(error: LedgerFileError) -> Failure {
    match error {
        LedgerFileError::Ledger { source: LedgerError::Overspent { .. }, .. } => {
            Failure::Refused(format!("refused: {error}"))
        }
        _ => Failure::failed(error),
    }
}

fn enter(
    file: &Path,
    add: impl FnOnce(&mut LedgerFile) -> Result<(), LedgerFileError>,
) -> Result<(), Failure> {
    let mut ledger = open(file)?;
    add(&mut ledger).map_err(failure)?;
    show(ledger.ledger(), Format::Text, None)
}

/// Reads without a lock, so that a ledger can be looked at while rounds run.
fn read(file: &Path) -> Result<Ledger, Failure> {
    let text = std::fs::read(file)
        .map_err(|error| Failure::Failed(format!("cannot read {}: {error}", file.display())))?;
    let (ledger, torn) =
        Ledger::read(&text).map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))?;
    if let Some(torn) = torn {
        note(&format!("{}; the next round that is entered cuts it off", torn_line(file, torn)));
    }
    Ok(ledger)
}

fn torn_line(file: &Path, torn: Torn) -> String {
    format!(
        "{}: line {} was torn by a crash after {} bytes and counts for nothing",
        file.display(),
        torn.line,
        torn.bytes
    )
}

fn show(ledger: &Ledger, format: Format, fit: Option<u32>) -> Result<(), Failure> {
    let (budget, spent) = (ledger.budget(), ledger.spent().map_err(Failure::failed)?);
    let epsilon = |value: f64| match format {
        Format::Text => Value::from(round_up(value, 4)),
        Format::Json => value.into(),
    };
    let count = |of: fn(&State) -> bool| ledger.rounds().filter(|(_, state)| of(state)).count();
    let whose = match budget.against {
        Whose::Server => "server",
        Whose::Public => "release",
    };
    let mut fields: Fields = vec![
        ("population", ledger.population().into()),
        ("budget_against", whose.into()),
        ("budget_epsilon", budget.epsilon.into()),
        ("delta", budget.delta.into()),
        ("epsilon_server", epsilon(spent.server)),
        ("epsilon_release", epsilon(spent.public)),
        ("settled", count(|state| matches!(state, State::Settled(_))).into()),
        ("reserved", count(|state| matches!(state, State::Reserved(_))).into()),
        ("cancelled", count(|state| matches!(state, State::Cancelled)).into()),
        ("last_checksum", ledger.last_checksum().into()),
    ];
    fields.extend(fit.map(|fit| ("such_rounds_that_fit", fit.into())));
    print(&match format {
        Format::Text => lines(&fields),
        Format::Json => {
            fields.push(("rounds", ledger.rounds().map(round_of).collect()));
            object(&fields)
        }
    })
}

fn round_of((name, state): (&str, &State)) -> Value {
    let (state, release) = match state {
        State::Reserved(release) => ("reserved", Some(release)),
        State::Settled(release) => ("settled", Some(release)),
        State::Cancelled => ("cancelled", None),
    };
    let shares = release.map(|release| release.shares.iter().map(|(count, _)| count).sum::<u32>());
    json!({ "round": name, "state": state, "honest_survivors": shares })
}
