//! The program `secagg-adversary`: plays malicious servers and clients against the core.
//!
//! Exit codes: 0 all passed, 1 a run failed, 2 a mistake on the command line.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use indicatif::ProgressBar;
use secagg_tests::adversary::{Expect, Ground, Row, SIZES, Setting, lies, play, scenarios, tell};

/// Play malicious servers and clients against the core
///
/// Each scenario has a control in which a check is taken away, or more are corrupt than a session is made for; there
/// the attack has to work. Ends with the line `N passed, N failed`.
#[derive(Parser)]
#[command(name = "secagg-adversary", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  secagg-adversary list
  secagg-adversary run
  secagg-adversary run --scenario equivocate-survivors --n 5 --format json

Exit codes: 0 all passed, 1 a run failed, 2 a mistake on the command line.";

#[derive(Subcommand)]
enum Command {
    /// List the scenarios
    List {
        /// How to print them
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Play the scenarios
    Run(Selection),
}

#[derive(Args)]
struct Selection {
    /// Only this scenario
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// Only with this number of clients
    #[arg(long, value_parser = ["3", "5", "8", "16"])]
    n: Option<String>,
    /// How to print what came of them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// All suites and graphs that are played.
fn grounds() -> impl Iterator<Item = Ground> {
    Ground::ALL.into_iter().chain([Ground::Pinned])
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::List { format } => list(format).map(|()| true),
        Command::Run(selection) => run(&selection),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            // If stderr is closed the exit code has to do.
            let _ = writeln!(io::stderr(), "secagg-adversary: {problem}");
            ExitCode::from(2)
        }
    }
}

fn list(format: Format) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let servers = scenarios().map(|one| ("server", one.name, one.threat, one.says));
    for (side, name, threat, says) in
        servers.chain(lies().map(|one| ("client", one.name, one.threat, one.says)))
    {
        match format {
            Format::Text => writeln!(out, "{side} {name:30} {threat:12} {says}")?,
            Format::Json => {
                let line =
                    serde_json::json!({"side": side, "scenario": name, "threat": threat, "says": says});
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(())
}

fn run(selection: &Selection) -> io::Result<bool> {
    let wanted = |name: &str| selection.scenario.as_deref().is_none_or(|one| one == name);
    if !scenarios().any(|one| wanted(one.name)) && !lies().any(|one| wanted(one.name)) {
        let problem = "no such scenario: see secagg-adversary list";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    let sizes = SIZES.iter().filter(|n| selection.n.as_ref().is_none_or(|one| *one == n.to_string()));
    let settings: Vec<Setting> =
        sizes.flat_map(|n| grounds().map(|ground| Setting { n: *n, ground })).collect();
    let chosen: Vec<_> = scenarios().filter(|one| wanted(one.name)).collect();
    let told: Vec<_> = lies().filter(|one| wanted(one.name)).collect();
    let bar = ProgressBar::new(((chosen.len() + told.len()) * settings.len()) as u64);
    let mut rows = Vec::new();
    for scenario in chosen {
        for setting in &settings {
            rows.extend(play(scenario, *setting));
            bar.inc(1);
        }
    }
    for lie in told {
        for setting in &settings {
            rows.extend(tell(lie, *setting));
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    report(&rows, selection.format)
}

fn report(rows: &[Row], format: Format) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    let failed = rows.iter().filter(|row| row.failure.is_some()).count();
    for row in rows {
        match (format, &row.failure) {
            (Format::Json, _) => writeln!(out, "{}", serde_json::to_string(row).map_err(io::Error::other)?)?,
            (Format::Text, None) => {}
            (Format::Text, Some(why)) => {
                let Row { scenario, n, suite, graph, expected, .. } = row;
                writeln!(out, "{scenario}: n = {n}, {suite}, {graph}: expected {expected}: {why}")?;
            }
        }
    }
    if format == Format::Text {
        let leaks = format!("{:?}", Expect::Leaks).to_lowercase();
        let leaks = rows.iter().filter(|row| row.expected == leaks && row.failure.is_none()).count();
        writeln!(out, "{leaks} of them leak as the specification says that suite 1 does")?;
    }
    writeln!(out, "{} passed, {failed} failed", rows.len() - failed)?;
    Ok(failed == 0)
}
