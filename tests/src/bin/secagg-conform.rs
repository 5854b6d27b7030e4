//! `secagg-conform`: tests any implementation of the specification through a shim (`tests/conform/README.md`).

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use secagg_tests::conform::known::Known;
use secagg_tests::conform::mutants::{catch_all, offered};
use secagg_tests::conform::report::{Counts, Entry, Verdict, junit};
use secagg_tests::conform::shim::{Limits, Shim};
use secagg_tests::conform::suite::{Test, run};

/// Tests implementations of the secure-aggregation protocol against its specification.
///
/// Each shim takes all tests that it has commands for, by itself and in every pairing with the other. The exit code
/// is 0 only if all tests pass.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    mode: Option<Mode>,
    #[command(flatten)]
    tests: Tests,
}

#[derive(Subcommand)]
enum Mode {
    /// Checks that deliberate mistakes of a shim are caught by the tests of what they break.
    Mutants {
        /// The command of a shim that offers mutants.
        #[arg(long, value_name = "CMD", default_value = "python3 spec/reference/shim.py")]
        shim: String,
        #[command(flatten)]
        limits: Bounds,
    },
}

#[derive(Args)]
struct Tests {
    /// The command of a shim; it is split into words as a POSIX shell does, but no shell runs it.
    #[arg(long, value_name = "CMD")]
    client: Option<String>,
    /// The command of another shim, or the same.
    #[arg(long, value_name = "CMD")]
    server: Option<String>,
    /// Lists the tests and runs none.
    #[arg(long)]
    list: bool,
    /// Only the tests of this section or rule, such as 4.3 or 4.3-2, or the one of this name.
    #[arg(long)]
    section: Option<String>,
    /// A file of tests that are known to fail: one id a line. It is an error if one of them passes.
    #[arg(long, value_name = "FILE")]
    known_failing: Option<PathBuf>,
    /// Writes the results as JUnit's XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Text for people, or a JSON object a line (the last line of text then goes to standard error).
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    limits: Bounds,
}

#[derive(Args)]
struct Bounds {
    /// How long a shim may take for one answer.
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().step.as_secs_f64())]
    step_limit: f64,
    /// The longest line that a shim may write, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().line)]
    line_limit: usize,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.mode {
        Some(Mode::Mutants { shim, limits }) => mutants(&shim, &limits),
        None if arguments.tests.list => list(&arguments.tests),
        None => tests(&arguments.tests),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("secagg-conform: {why}");
            ExitCode::from(2)
        }
    }
}

impl Bounds {
    fn limits(&self) -> Result<Limits, String> {
        let step =
            Duration::try_from_secs_f64(self.step_limit).map_err(|error| format!("--step-limit: {error}"))?;
        if step.is_zero() || self.line_limit == 0 {
            return Err("--step-limit and --line-limit must be above zero".to_owned());
        }
        Ok(Limits { step, line: self.line_limit })
    }
}

/// Names each test once.
fn list(tests: &Tests) -> Result<bool, String> {
    let mut seen = BTreeSet::new();
    for test in Test::all(1, tests.section.as_deref()) {
        if seen.insert(test.id.clone()) {
            say(format_args!("{:13} {}", test.level.name(), test.id));
        }
    }
    Ok(true)
}

fn tests(arguments: &Tests) -> Result<bool, String> {
    let limits = arguments.limits.limits()?;
    let given: Vec<&String> = arguments.client.iter().chain(&arguments.server).collect();
    let commands: BTreeSet<&String> = given.iter().copied().collect();
    if commands.is_empty() {
        return Err("no shim: give --client CMD, --server CMD or both".to_owned());
    }
    let mut shims: Vec<Shim> = commands.into_iter().map(|command| Shim::new(command, limits)).collect();
    let mut known = match &arguments.known_failing {
        None => Known::default(),
        Some(path) => Known::parse(&std::fs::read_to_string(path).map_err(|error| at(path, &error))?),
    };
    let tests = Test::all(shims.len(), arguments.section.as_deref());
    if tests.is_empty() {
        return Err("no test is of that section: see --list".to_owned());
    }
    let entries = run(&tests, &mut shims, &mut known, &mut |entry| tell(entry, arguments.format));
    if let Some(path) = &arguments.junit {
        let text = junit(&entries).map_err(|error| error.to_string())?;
        std::fs::write(path, text).map_err(|error| at(path, &error))?;
    }
    // With a filter the rest of the list has not been tried.
    let stale = if arguments.section.is_none() { known.unused() } else { Vec::new() };
    for line in &stale {
        eprintln!("the list of known failures names no test: {line}");
    }
    let counts = Counts::of(&entries);
    match arguments.format {
        Format::Text => say(format_args!("{counts}")),
        Format::Json => eprintln!("{counts}"),
    }
    Ok(counts.failed == 0 && stale.is_empty())
}

/// Text tells of what did not pass only.
fn tell(entry: &Entry, format: Format) {
    match (format, &entry.verdict) {
        (Format::Json, _) => say(format_args!("{}", entry.to_json())),
        (Format::Text, Verdict::Passed) => {}
        (Format::Text, _) => say(format_args!("{entry}")),
    }
}

fn mutants(command: &str, bounds: &Bounds) -> Result<bool, String> {
    let limits = bounds.limits()?;
    let mutants = offered(command, limits).map_err(|trouble| trouble.to_string())?;
    if mutants.is_empty() {
        return Err(format!("the shim offers no mutants: {command}"));
    }
    let mut caught = 0;
    for (mutant, by) in mutants.iter().zip(catch_all(&mutants, command, limits)) {
        match by {
            Some((test, why)) => {
                caught += 1;
                let why: String = why.replace('\n', " ").chars().take(120).collect();
                say(format_args!("caught {} (breaks {}) by {test}: {why}", mutant.name, mutant.breaks));
            }
            None => say(format_args!("not caught {} (breaks {})", mutant.name, mutant.breaks)),
        }
    }
    say(format_args!("{caught} passed, {} failed", mutants.len() - caught));
    Ok(caught == mutants.len())
}

/// Prints a line. Nobody who reads: nothing more to do.
fn say(line: std::fmt::Arguments<'_>) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(2);
    }
}

fn at(path: &std::path::Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
