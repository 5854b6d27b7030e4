//! `secagg privacy account`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use secagg::privacy::{Variance, round_up};
use secagg_transport::privacy::loss::{Loss, Sampling};
use serde_json::Value;

use super::encoded::{Encoded, drawn};
use super::{clients, positive, probability, refusal, warn_of_experiment, whole};
use crate::cli::fields::{Fields, lines, object};
use crate::cli::{Failure, Format, print};

/// From what was run: ε
///
/// Counts the noise that was really in the sums: the shares of honest clients that survived. Clients
/// that dropped out, and clients that may be corrupt, must not be among --survivors.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    encoded: Encoded,
    /// δ
    #[arg(long, value_name = "D", value_parser = probability)]
    delta: f64,
    /// Honest survivors: one number for each round, or one for all with --rounds
    #[arg(long, value_name = "M,M,…", value_delimiter = ',', value_parser = clients)]
    #[arg(conflicts_with = "file", required_unless_present = "file")]
    survivors: Vec<u32>,
    /// Rounds, if all had the same number of survivors
    #[arg(long, value_name = "R", conflicts_with = "file", value_parser = |text: &str| whole(text, 1, u32::MAX))]
    rounds: Option<u32>,
    /// Rounds from a file: a header honest_survivors, or honest_survivors,sigma, and a line for each
    #[arg(long, value_name = "FILE.csv")]
    file: Option<PathBuf>,
    /// How clients were drawn, secretly: none, poisson:RATE or fixed:N/POPULATION
    #[arg(long, default_value = "none")]
    sampling: Sampling,
    /// What to print: text or json (one object)
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  secagg privacy account --sigma 20 --scale 100 --clip 1 --dimension 10000 --delta 1e-6 \\
      --survivors 85,91,88
  secagg privacy account --sigma 20 --scale 100 --clip 1 --dimension 10000 --delta 1e-6 \\
      --survivors 85 --rounds 50 --sampling poisson:0.01 --format json
  secagg privacy account --sigma 20 --scale 100 --clip 1 --dimension 10000 --delta 1e-6 \\
      --file rounds.csv

A sigma in the file stands for --sigma in that round. epsilon_server is what holds against the server,
which chose the cohort; epsilon_release is for whoever sees only the sums.";

/// How many rounds there were of each kind: by the noise of a client, and survivors.
type Rounds = BTreeMap<(Variance, u32), u32>;

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let rounds = rounds(arguments)?;
    let sensitivity = arguments.encoded.coding().and_then(|coding| coding.sensitivity()).map_err(refusal)?;
    let total = rounds.iter().try_fold(Loss::nothing(), |total, ((variance, survivors), times)| {
        let (mechanism, sampling) = (arguments.encoded.mechanism, arguments.sampling);
        Ok(total.and(&mechanism.loss_of(*variance, sensitivity, *survivors, sampling)?.times(*times)))
    });
    let figures = total.and_then(|total| total.epsilon(arguments.delta)).map_err(refusal)?;
    let epsilon = |value: f64| match arguments.format {
        Format::Text => Value::from(round_up(value, 4)),
        Format::Json => value.into(),
    };
    let fields: Fields = vec![
        ("mechanism", arguments.encoded.mechanism.name().into()),
        ("experimental", arguments.encoded.mechanism.is_experimental().into()),
        ("rounds", rounds.values().copied().map(u64::from).sum::<u64>().into()),
        ("fewest_honest_survivors", rounds.keys().map(|(_, survivors)| *survivors).min().into()),
        ("epsilon_server", epsilon(figures.server)),
        ("epsilon_release", epsilon(figures.release)),
        ("delta", arguments.delta.into()),
    ];
    print(&match arguments.format {
        Format::Text => lines(&fields),
        Format::Json => object(&fields),
    })?;
    warn_of_experiment(arguments.encoded.mechanism);
    Ok(())
}

fn rounds(arguments: &Arguments) -> Result<Rounds, Failure> {
    let mut rounds = Rounds::new();
    let usual = drawn(arguments.encoded.sigma).map_err(refusal)?;
    let mut add = |variance: Variance, survivors: u32, times: u32| {
        let found = rounds.entry((variance, survivors)).or_default();
        *found = found.saturating_add(times);
    };
    match (&arguments.file, arguments.rounds, &arguments.survivors[..]) {
        (Some(file), _, _) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| Failure::Failed(format!("cannot read {}: {error}", file.display())))?;
            for (survivors, sigma) in parse(&text).map_err(|error| located(file, &error))? {
                add(sigma.map_or(Ok(usual), drawn).map_err(refusal)?, survivors, 1);
            }
        }
        (None, Some(times), [survivors]) => add(usual, *survivors, times),
        (None, Some(times), several) if several.len() != times as usize => {
            return Err(Failure::Usage(format!(
                "--survivors has {} rounds and --rounds says {times}; give one number, or leave --rounds out",
                several.len()
            )));
        }
        (None, _, several) => several.iter().for_each(|survivors| add(usual, *survivors, 1)),
    }
    Ok(rounds)
}

fn located(file: &Path, error: &str) -> Failure {
    Failure::Failed(format!("{}: {error}", file.display()))
}

/// The rounds of a file: survivors, and the noise of a client if the file says.
fn parse(text: &str) -> Result<Vec<(u32, Option<f64>)>, String> {
    let mut rows = (1..).zip(text.lines());
    let with_sigma = match rows.next().map(|(_, header)| header.trim()) {
        Some("honest_survivors") => false,
        Some("honest_survivors,sigma") => true,
        _ => return Err("line 1: the header must be honest_survivors or honest_survivors,sigma".into()),
    };
    let parse_row = |(line, row): (u32, &str)| {
        let (survivors, sigma) = match row.trim().split_once(',') {
            Some((survivors, sigma)) if with_sigma => (survivors, Some(positive(sigma.trim()))),
            None if !with_sigma => (row, None),
            _ => return Err(format!("line {line}: not as many columns as the header")),
        };
        let told = |error| format!("line {line}: {error}");
        Ok((clients(survivors.trim()).map_err(told)?, sigma.transpose().map_err(told)?))
    };
    let rounds: Vec<_> =
        rows.filter(|(_, row)| !row.trim().is_empty()).map(parse_row).collect::<Result<_, _>>()?;
    if rounds.is_empty() { Err("no rounds below the header".into()) } else { Ok(rounds) }
}
