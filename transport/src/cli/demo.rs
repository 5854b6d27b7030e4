//! `secagg demo`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use secagg::parameters::{Convention, Fraction, Model, Question, Verdict};
use secagg::privacy::round_up;
use secagg_transport::LedgerFile;
use secagg_transport::demo::federation::{Federation, Protection, Settings, SetupError};
use secagg_transport::demo::report::{self, RoundReport, RunReport};
use secagg_transport::demo::{private, vanish};
use secagg_transport::privacy::scheme::Scheme;

use super::privacy::{ledger, positive, probability, refusal, warn_of_experiment};
use super::suite::SuiteName;
use super::{Failure, Format, note, print, unless_interrupted};

/// Train a model on handwritten digits through a real server and real clients on this machine
///
/// Starts one server and its clients as QUIC peers on loopback. Each client holds its own share of
/// 1,437 handwritten digits; in each round each trains the server's model on them and hands in
/// what it learned through secure aggregation, while some clients vanish. The plain average of the
/// same clients runs beside it: the sums must be equal, or the exit code is 1.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Clients
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(2..))]
    clients: u32,
    /// Rounds of training; each is one session of the protocol
    #[arg(long, value_name = "R", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Share of the clients that vanish at a random point of each round, 0 to 1
    #[arg(long, value_name = "SHARE", default_value = "0.15", value_parser = parse_share)]
    dropout: f64,
    /// Neighbours of each client; holders that each draws in the suite pinned [default: all other clients; in pinned the
    /// least that `secagg plan` accepts]
    #[arg(long, value_name = "K")]
    degree: Option<u32>,
    /// Shares that rebuild a vanished client's secret [default: two thirds of the clients, or just
    /// over half of the degree; in pinned what `secagg plan` says]
    #[arg(long, value_name = "T")]
    threshold: Option<u32>,
    /// Protocol suite; for active and for pinned, which is experimental, the program makes an authority and certifies
    /// its clients
    #[arg(long, value_enum, default_value = "curious")]
    suite: SuiteName,
    /// Corrupt clients that the suite withstands [default: a quarter of the clients; in pinned a twentieth]
    #[arg(long, value_name = "C")]
    corrupt: Option<u32>,
    /// Seed of the data's split, the training and the vanishing; keys are always fresh
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Train privately: no client's images, all together, may show beyond this ε in all rounds together
    #[arg(long, value_name = "E", value_parser = positive)]
    epsilon: Option<f64>,
    /// δ of --epsilon
    #[arg(long, value_name = "D", default_value = "1e-5", value_parser = probability, requires = "epsilon")]
    delta: f64,
    /// Mechanism of --epsilon
    #[arg(long, value_enum, default_value = "ddg", requires = "epsilon")]
    mechanism: Scheme,
    /// Bits of a coordinate with --epsilon [default: the fewest whose error is nearly the least]
    #[arg(long, value_name = "B", value_parser = clap::value_parser!(u8).range(1..=62), requires = "epsilon")]
    bits: Option<u8>,
    /// Spend from this ledger of `secagg privacy ledger create`: a round that would overspend it is not run
    #[arg(long, value_name = "FILE", requires = "epsilon")]
    ledger: Option<PathBuf>,
    /// What to print: text (a table) or json (one object)
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Write the report and SVG plots of accuracy and bytes into this directory
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  secagg demo
  secagg demo --clients 100 --degree 20 --dropout 0.3 --report report
  secagg demo --rounds 3 --format json
  secagg demo --rounds 3 --suite active
  secagg demo --rounds 3 --suite pinned          # EXPERIMENTAL: its theorem has had no outside review
  secagg demo --epsilon 8 --mechanism skellam
  secagg demo --epsilon 8 --rounds 3 --ledger digits.ledger

With --epsilon every client adds noise, sized for the fewest clients that the dropout leaves. Few clients
need much noise: what that costs shows beside the plain average.";

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    if arguments.corrupt.is_some() && arguments.suite == SuiteName::Curious {
        return Err(Failure::Usage("--corrupt belongs to --suite active or pinned".into()));
    }
    if arguments.corrupt == Some(0) && arguments.suite == SuiteName::Pinned {
        return Err(Failure::Usage(
            "--suite pinned reckons with one corrupt client at least: --corrupt 1".into(),
        ));
    }
    let settings = settings(&arguments)?;
    let mut federation = Federation::start(settings).map_err(cannot_start)?;
    warn_of_experiment(arguments.mechanism);
    if let Some(folder) = &arguments.report {
        // Better now than after all rounds.
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::Failed(format!("cannot make {}: {error}; choose another --report", folder.display()))
        })?;
    }
    let mut ledger = arguments.ledger.as_deref().map(ledger::open).transpose()?;
    let bar = progress_bar(arguments.rounds);
    let ended = unless_interrupted(train(&mut federation, ledger.as_mut(), arguments.rounds, &bar)).await;
    bar.finish_and_clear();
    let report = federation.report();
    federation.shutdown().await;
    publish(&arguments, &report)?;
    ended??;
    verdict(&report)
}

fn settings(arguments: &Arguments) -> Result<Settings, Failure> {
    let (corrupt, clients) = (arguments.corrupt, arguments.clients);
    let suite = match arguments.suite {
        SuiteName::Curious => Protection::Curious,
        SuiteName::Active => Protection::Active(corrupt.unwrap_or(clients / 4)),
        SuiteName::Pinned => Protection::Pinned(corrupt.unwrap_or_else(|| clients.div_ceil(20))),
    };
    let (degree, threshold) = match suite {
        Protection::Pinned(corrupt) => planned(arguments, corrupt)?,
        _ => (arguments.degree, arguments.threshold),
    };
    Ok(Settings {
        clients,
        dropout: arguments.dropout,
        degree,
        threshold,
        suite,
        seed: arguments.seed,
        privacy: arguments.epsilon.map(|epsilon| private::Settings {
            epsilon,
            delta: arguments.delta,
            scheme: arguments.mechanism,
            bits: arguments.bits,
            rounds: arguments.rounds,
        }),
    })
}

/// Degree and threshold in the suite pinned: as given, or as the planner says if corrupt clients fall silent too.
fn planned(arguments: &Arguments, corrupt: u32) -> Result<(Option<u32>, Option<u32>), Failure> {
    let clients = arguments.clients;
    let silent = vanish::count(clients, arguments.dropout).saturating_add(corrupt);
    let question = Question {
        degree: arguments.degree,
        threshold: arguments.threshold,
        // The numbers as they are.
        convention: Convention::Paper,
        ..Question::new(
            Model::PinnedSet,
            clients,
            Fraction::of(corrupt, clients),
            Fraction::of(silent, clients),
        )
    };
    let plan = question.answer().map_err(|error| Failure::Usage(error.to_string()))?;
    let given = arguments.degree.zip(arguments.threshold);
    let safe = plan.verdict == Verdict::Accept;
    let Some((degree, threshold)) = given.or(plan.degree.zip(plan.threshold).filter(|_| safe)) else {
        return Err(Failure::Usage(format!(
            "the planner finds no safe degree and threshold for {clients} clients of whom {corrupt} are corrupt: use more \
             --clients or a lower --dropout, or give --degree and --threshold"
        )));
    };
    let verdict = if safe { "safe" } else { "NOT safe" };
    note(&format!(
        "EXPERIMENTAL: the suite pinned rests on a theorem that has had no outside review; by it degree {degree} and \
         threshold {threshold} are {verdict} against {corrupt} corrupt clients"
    ));
    Ok((Some(degree), Some(threshold)))
}

fn cannot_start(error: SetupError) -> Failure {
    match error {
        SetupError::Server(error) => Failure::failed(error),
        SetupError::Entropy(error) => Failure::failed(error),
        SetupError::Privacy(error) => refusal(error),
        SetupError::Shards(_) | SetupError::Misuse(_) => Failure::Usage(error.to_string()),
    }
}

async fn train(
    federation: &mut Federation,
    mut ledger: Option<&mut LedgerFile>,
    rounds: u32,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    for round in 1..=rounds {
        let entered = ledger.as_mut().map(|ledger| reserve(ledger, federation)).transpose()?;
        federation.round().await.map_err(Failure::failed)?;
        if let (Some(ledger), Some(name)) = (&mut ledger, entered) {
            settle(ledger, &name, federation)?;
        }
        let Some(report) = federation.last() else { continue };
        if let Some(reason) = &report.aborted {
            bar.suspend(|| note(&format!("round {round} aborted, the model stays: {reason}")));
        }
        bar.set_message(progress(report));
        bar.inc(1);
    }
    Ok(())
}

/// Sets aside what the next round may give away at most, and names it.
fn reserve(ledger: &mut LedgerFile, federation: &Federation) -> Result<String, Failure> {
    let name = ledger.ledger().unused_name("demo");
    if let Some(private) = federation.private() {
        let release = private.release(private.minimum_survivors()).map_err(refusal)?;
        ledger.reserve(&name, release).map_err(ledger::failure)?;
    }
    Ok(name)
}

/// Counts what the round gave away. One that was aborted stays as it was reserved: an unmasking may have begun.
fn settle(ledger: &mut LedgerFile, name: &str, federation: &Federation) -> Result<(), Failure> {
    let survivors = federation.last().map_or(0, |report| report.survivors);
    match federation.private() {
        Some(private) if survivors > 0 => {
            let release = private.release(survivors).map_err(refusal)?;
            ledger.settle(name, release).map_err(ledger::failure)
        }
        _ => Ok(()),
    }
}

fn progress_bar(rounds: u32) -> ProgressBar {
    // The bar draws on stderr, and only if that is a terminal.
    let bar = ProgressBar::new(u64::from(rounds));
    if let Ok(style) = ProgressStyle::with_template("round {pos}/{len} {wide_bar} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn progress(report: &RoundReport) -> String {
    format!(
        "{} survivors, accuracy {:.2} %, {:.1} KiB per client",
        report.survivors,
        100.0 * report.accuracy,
        (report.bytes_up_per_client + report.bytes_down_per_client) / 1024.0,
    )
}

fn publish(arguments: &Arguments, run: &RunReport) -> Result<(), Failure> {
    match arguments.format {
        Format::Text => print(&report::table(run))?,
        Format::Json => print(&format!("{}\n", serde_json::to_string(run).map_err(Failure::failed)?))?,
    }
    if let Some(folder) = &arguments.report {
        for path in report::write(run, folder).map_err(Failure::failed)? {
            note(&format!("wrote {}", path.display()));
        }
    }
    Ok(())
}

/// Fails a run whose sums are wrong, that gave away more than was planned, or that released nothing.
fn verdict(run: &RunReport) -> Result<(), Failure> {
    let with = |wanted| move |(_, round): &(usize, &RoundReport)| round.sum_exact == Some(wanted);
    let rounds = || (1..).zip(&run.rounds);
    if let Some((round, _)) = rounds().find(with(false)) {
        return Err(Failure::Failed(format!("the secure sum of round {round} is not the plain sum: a bug")));
    }
    if let Some(privacy) =
        run.privacy.as_ref().filter(|privacy| privacy.epsilon_achieved > privacy.epsilon_planned)
    {
        return Err(Failure::Failed(format!(
            "ε = {} was spent and {} was planned: fewer than {} clients survived a round",
            round_up(privacy.epsilon_achieved, 3),
            round_up(privacy.epsilon_planned, 3),
            privacy.minimum_survivors,
        )));
    }
    match rounds().any(|round| with(true)(&round)) {
        true => Ok(()),
        false => Err(Failure::Failed(
            "no round released a sum; use a lower --dropout or --threshold, or more --clients".into(),
        )),
    }
}

fn parse_share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("give a share from 0 to 1, such as 0.15".into()),
    }
}
