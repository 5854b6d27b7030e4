//! The program `secagg-adversary`: plays malicious servers and clients against the core.
//!
//! Exit codes: 0 all passed, 1 a run failed, 2 a mistake on the command line.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use indicatif::ProgressBar;
use secagg_tests::adversary::badinput::{self, CLIENTS, Choice, MESSAGES, PLANTS, STATES, Summary};
use secagg_tests::adversary::{
    Expect, Ground, Row, SIZES, Setting, Unsound, audit, hold, lies, play, scenarios, tell, trials,
};
use secagg_tests::transcript::Transcript;

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
  secagg-adversary audit spec/vectors/session-active.json
  secagg-adversary badinput

Exit codes: 0 all passed, 1 a run failed, 2 a mistake on the command line.";

#[derive(Subcommand)]
enum Command {
    /// List the scenarios with their threats
    List {
        /// How to print them
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Play the scenarios
    Run(Selection),
    /// Make the sums of recorded sessions anew from what the server received
    ///
    /// The files are as in spec/vectors/session-*.json; the clients' secrets in them are not looked at. A sum that is
    /// announced has to be the one that the messages give. That the messages came from clients it does not show.
    #[command(after_help = AUDIT_EXAMPLES)]
    Audit {
        /// Recorded sessions
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Send bad messages to client and server in every state
    ///
    /// Every field of every message is set to 0 and its greatest value, one more and one less,
    /// truncated, extended, duplicated, put in another order, and taken from another session, client and round; and
    /// fields drawn at random are changed together. A message passes if it ends in the very error that the
    /// specification gives it, without a panic, with memory of at most twice its length, twice that of its answer and
    /// 24 KiB, and without harm to other clients. Ends with the line `N passed, N failed`.
    #[command(after_help = BADINPUT_EXAMPLES)]
    Badinput(BadInput),
}

const AUDIT_EXAMPLES: &str = "\
Examples:
  secagg-adversary audit spec/vectors/session-active.json

Exit codes: 0 every announced sum is right, 1 one is not, 2 a file that cannot be read.";

const BADINPUT_EXAMPLES: &str = "\
Examples:
  secagg-adversary badinput
  secagg-adversary badinput --every 20
  secagg-adversary badinput --message unmasking-request --state unmasking --format json
  secagg-adversary badinput --every 200 --plant allocate    # has to fail

Exit codes: 0 all passed, 1 a message failed, 2 a mistake on the command line.";

#[derive(Args)]
struct BadInput {
    /// Only forms of this message
    #[arg(long, value_name = "NAME", value_parser = MESSAGES)]
    message: Option<String>,
    /// Only in this state of client and server
    #[arg(long, value_name = "NAME", value_parser = STATES)]
    state: Option<String>,
    /// Send one in so many of the bad messages
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    every: u32,
    /// Clients of a session; with more than that, only a few forms of each message that is awaited
    #[arg(long, value_name = "N", default_value_t = CLIENTS, value_parser = clap::value_parser!(u32).range(i64::from(CLIENTS)..=200))]
    clients: u32,
    /// Bad messages to draw at random for each good one, beside those that are made field by field
    #[arg(long, value_name = "N", default_value_t = 300)]
    random: u32,
    /// Where they are drawn from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Plant a fault that has to be found
    #[arg(long, value_name = "FAULT", value_parser = PLANTS.map(|(name, _)| name))]
    plant: Option<String>,
    /// How to print what came of them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
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
        Command::Audit { files } => audited(&files),
        Command::Badinput(arguments) => bad_input(&arguments),
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
    let servers = scenarios().map(|one| ("server", one.name, one.threat, one.says, None));
    let clients = lies().map(|one| ("client", one.name, one.threat, one.says, one.harmless));
    let others = trials().map(|one| (one.side, one.name, one.threat, one.says, None));
    for (side, name, threat, says, why) in servers.chain(clients).chain(others) {
        match (format, why) {
            (Format::Text, None) => writeln!(out, "{side} {name:34} {threat:12} {says}")?,
            (Format::Text, Some(why)) => {
                writeln!(out, "{side} {name:34} {threat:12} {says} (no control: {why})")?;
            }
            (Format::Json, _) => {
                let line = serde_json::json!({
                    "side": side, "scenario": name, "threat": threat, "says": says, "no_control": why,
                });
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(())
}

fn run(selection: &Selection) -> io::Result<bool> {
    let wanted = |name: &str| selection.scenario.as_deref().is_none_or(|one| one == name);
    let mut names = scenarios().map(|one| one.name).chain(lies().map(|one| one.name));
    if !names.any(wanted) && !trials().any(|one| wanted(one.name)) {
        let problem = "no such scenario: see secagg-adversary list";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    let sizes = SIZES.iter().filter(|n| selection.n.as_ref().is_none_or(|one| *one == n.to_string()));
    let settings: Vec<Setting> =
        sizes.flat_map(|n| grounds().map(|ground| Setting { n: *n, ground })).collect();
    let chosen: Vec<_> = scenarios().filter(|one| wanted(one.name)).collect();
    let told: Vec<_> = lies().filter(|one| wanted(one.name)).collect();
    let held: Vec<_> = trials().filter(|one| wanted(one.name)).collect();
    let bar = ProgressBar::new(((chosen.len() + told.len() + held.len()) * settings.len()) as u64);
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
    for trial in held {
        for setting in &settings {
            rows.extend(hold(trial, *setting));
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
        writeln!(out, "{leaks} of them leak where the specification promises nothing else")?;
    }
    writeln!(out, "{} passed, {failed} failed", rows.len() - failed)?;
    Ok(failed == 0)
}

fn audited(files: &[PathBuf]) -> io::Result<bool> {
    let (mut out, mut failed) = (io::stdout().lock(), 0);
    for file in files {
        let unreadable = |why: &dyn Display| io::Error::other(format!("{}: {why}", file.display()));
        let text = std::fs::read_to_string(file).map_err(|why| unreadable(&why))?;
        let transcript: Transcript = serde_json::from_str(&text).map_err(|why| unreadable(&why))?;
        match audit(&transcript) {
            Ok(()) => {}
            Err(Unsound::Unreadable(why)) => return Err(unreadable(&why)),
            Err(Unsound::Wrong(why)) => {
                failed += 1;
                writeln!(out, "{}: {why}", file.display())?;
            }
        }
    }
    writeln!(out, "{} passed, {failed} failed", files.len() - failed)?;
    Ok(failed == 0)
}

fn bad_input(arguments: &BadInput) -> io::Result<bool> {
    let BadInput { message, state, every, clients, random, seed, plant, format } = arguments;
    let planted = PLANTS.iter().find(|(name, _)| plant.as_deref() == Some(*name)).map(|(_, plant)| *plant);
    let choice = Choice {
        clients: *clients,
        message: message.clone(),
        state: state.clone(),
        every: *every as usize,
        random: *random as usize,
        seed: *seed,
        plant: planted,
    };
    // A panic is a failure with the message in it; a backtrace of each is of no use.
    std::panic::set_hook(Box::new(|_| ()));
    let bar = ProgressBar::new(0);
    let summary = badinput::run(&choice, peak, |messages| bar.inc_length(messages), || bar.inc(1));
    bar.finish_and_clear();
    let passed = bad_input_report(&summary, *format)?;
    if summary.passed == 0 && passed {
        let problem = "no such message comes in that state";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    Ok(passed)
}

/// The greatest number of bytes that a step has allocated at one time, on this thread.
fn peak(step: &mut dyn FnMut()) -> u64 {
    allocation_counter::measure(step).bytes_max
}

fn bad_input_report(summary: &Summary, format: Format) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    for failure in &summary.failures {
        if format == Format::Json {
            writeln!(out, "{}", serde_json::to_string(failure).map_err(io::Error::other)?)?;
            continue;
        }
        let badinput::Failure { ground, party, state, message, how, client, expected, found } = failure;
        let to = if *party == "client" { "to" } else { "from" };
        writeln!(
            out,
            "{ground}: {message}, {how}, {to} client {client} in {state}: expected {expected}, found {found}"
        )?;
    }
    let Summary { passed, failures, expected, most_beyond, to_the_end } = summary;
    if format == Format::Json {
        let line =
            serde_json::json!({"expected": expected, "to_the_end": to_the_end, "most_beyond": most_beyond});
        writeln!(out, "{line}")?;
    } else {
        for (rule, count) in expected {
            writeln!(out, "{count:>9} had to end in {rule}")?;
        }
        writeln!(out, "{to_the_end} sessions with a bad message were played to their end")?;
        writeln!(
            out,
            "at most {most_beyond} bytes beyond twice the message and its answer were allocated at one time"
        )?;
    }
    writeln!(out, "{passed} passed, {} failed", failures.len())?;
    Ok(failures.is_empty())
}
