//! `secagg-conform`: tests any implementation of the specification, through a shim or over QUIC
//! (`tests/conform/README.md`).

use std::collections::BTreeSet;
use std::io::Write;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressFinish};
use secagg_tests::conform::known::Known;
use secagg_tests::conform::live::{Pin, Population, Signed, client, server};
use secagg_tests::conform::mutants::{catch_all, offered};
use secagg_tests::conform::report::{Counts, Entry, Verdict, junit};
use secagg_tests::conform::shim::{Limits, Shim};
use secagg_tests::conform::suite::{Test, run};

/// Tests implementations of the secure-aggregation protocol against its specification.
///
/// Each shim takes all tests that it has commands for, by itself and in every pairing with the other. The exit code
/// is 0 only if all tests pass.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    mode: Option<Mode>,
    #[command(flatten)]
    tests: Tests,
}

const EXAMPLES: &str = "\
Examples:
  secagg-conform --client ./my-shim --server \"python3 spec/reference/shim.py\"
  secagg-conform --list --section 4.3
  secagg-conform server 127.0.0.1:4433 --pin-file state/pin --clients 3
  secagg-conform client --client \"secagg join {addr} --pin-file {pin_file} --name {name} --input {input}\"";

#[derive(Subcommand)]
enum Mode {
    /// Plays honest and misbehaving clients to a running server, over QUIC.
    ///
    /// It needs to know the binding only (section 10): it joins with as many clients as the sessions have, learns the
    /// configuration, and plays a session for each case. In most of them one client breaks a rule, and has to be told
    /// its code; the others have to get to the end. The server has to go on from session to session, and needs a
    /// threshold below the number of clients. Silence is among the cases, so let it have short deadlines.
    #[command(after_help = SERVER_EXAMPLES)]
    Server(ServerTests),
    /// Plays an honest and an evil server to clients, over QUIC.
    ///
    /// Each connection is given the next case, with four other clients that are played in here, five in the suite pinned. The client has to
    /// leave with code 192 if all is well, and with the code of the rule if the server breaks one. The sessions sum
    /// one vector, `conform`, of 4 coordinates of 16 bits.
    #[command(after_help = CLIENT_EXAMPLES)]
    Client(ClientTests),
    /// Makes a folder with an authority and identities, for tests of the suites active and pinned.
    ///
    /// The files are those of `secagg identity authority`, `new` and `enrol`: `ca`, `conform-001`, `conform-002` and
    /// so on with `.pub` and `.cert`, and `roster`. Use them for tests and for nothing else.
    #[command(after_help = IDENTITIES_EXAMPLES)]
    Identities {
        /// The folder to make.
        folder: PathBuf,
        /// How many identities: one for each client of a session. The tests of a client take 6 at most.
        #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u16).range(2..=100))]
        count: u16,
    },
    /// Checks that deliberate mistakes of a shim are caught by the tests of what they break.
    Mutants {
        /// The command of a shim that offers mutants.
        #[arg(long, value_name = "CMD", default_value = "python3 spec/reference/shim.py")]
        shim: String,
        #[command(flatten)]
        limits: Bounds,
    },
}

const SERVER_EXAMPLES: &str = "\
Example:
  secagg serve --listen 127.0.0.1:4433 --clients 3 --vector weights:5:9 --state state --rounds 99 --stage-deadline 2 &
  secagg-conform server 127.0.0.1:4433 --pin-file state/pin --clients 3
  secagg-conform server --list --section 10.2

A server of the active suite, with an authority for the test; a folder of your own does as well (see --identities):
  secagg-conform identities people
  secagg serve --listen 127.0.0.1:4433 --clients 3 --vector weights:5:9 --state state --rounds 99 --stage-deadline 2 \
      --suite active --authority people/ca.pub --corrupt 0 --threshold 2 &
  secagg-conform server 127.0.0.1:4433 --pin-file state/pin --clients 3 --identities people

One of the suite pinned, where the least to play with is:
  secagg serve --listen 127.0.0.1:4433 --clients 5 --vector weights:5:9 --state state --rounds 99 --stage-deadline 2 \
      --suite pinned --authority people/ca.pub --corrupt 1 --degree 4 --threshold 3 &
  secagg-conform server 127.0.0.1:4433 --pin-file state/pin --clients 5 --identities people --suite pinned";

const IDENTITIES_EXAMPLES: &str = "\
Examples:
  secagg-conform identities people
  secagg-conform server 127.0.0.1:4433 --clients 3 --identities people
  secagg identity roster verify people/roster --authority people/ca.pub";

const CLIENT_EXAMPLES: &str = "\
In the command {addr}, {pin}, {pin_file}, {name} and {input} stand for the address, the pin, files with the pin and
with the input, and the name to join with. If {input} is used the sums are checked too. No shell runs it. With
--identities also {identity}, {certificate} and {authority} stand for files: those of the first identity.

Examples:
  secagg-conform client --client \"secagg join {addr} --pin-file {pin_file} --name {name} --input {input}\"
  secagg-conform client --listen 0.0.0.0:4433 --pin-file pin        # start a client by hand for each case
  secagg-conform identities people && secagg-conform client --identities people --client \"secagg join {addr} \
      --pin-file {pin_file} --name {name} --input {input} --identity {identity} --certificate {certificate} \
      --authority {authority}\"";

#[derive(Args)]
struct ServerTests {
    /// HOST:PORT of the server.
    #[arg(required_unless_present = "list", value_name = "HOST:PORT")]
    address: Option<String>,
    /// The server's pin, 64 hexadecimal digits [default: every certificate will do].
    #[arg(long, value_name = "HEX", conflicts_with = "pin_file")]
    pin: Option<Pin>,
    /// A file with the server's pin.
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
    /// How many clients the server's sessions have.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..=100))]
    clients: u32,
    /// How long the server may keep a client waiting: more than it waits itself for one that is silent.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    deadline: f64,
    /// Plays a suite with identities, as ones that the server's authority has certified: a folder as `secagg-conform
    /// identities` makes it, with `ca.pub`, and for each client a key NAME and its certificate NAME.cert.
    #[arg(long, value_name = "DIR")]
    identities: Option<PathBuf>,
    /// The suite of --identities.
    #[arg(long, value_enum, default_value = "active", requires = "identities")]
    suite: Signed,
    #[command(flatten)]
    report: Reporting,
}

#[derive(Args)]
struct ClientTests {
    /// The address to listen on; port 0 is any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Writes the pin to this file.
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
    /// The command that starts the client, run once for each case [default: waits for one started by hand].
    #[arg(long, value_name = "CMD")]
    client: Option<String>,
    /// How long the client may take for one step.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    step_limit: f64,
    /// How long a client may take to come [default: the step limit with --client, else 600].
    #[arg(long, value_name = "SECONDS")]
    wait: Option<f64>,
    /// Plays a suite with identities, to a client of the first one of this folder, which has six, or five for the suite
    /// active: one as `secagg-conform identities` makes it, with `ca.pub`, and for each client a key NAME and its
    /// certificate NAME.cert. The order is that of the names.
    #[arg(long, value_name = "DIR")]
    identities: Option<PathBuf>,
    /// The suite of --identities. A client under test of pinned has to allow it, and one of active must not.
    #[arg(long, value_enum, default_value = "active", requires = "identities")]
    suite: Signed,
    #[command(flatten)]
    report: Reporting,
}

#[derive(Args)]
struct Tests {
    /// The command of a shim; it is split into words as a POSIX shell does, but no shell runs it.
    #[arg(long, value_name = "CMD")]
    client: Option<String>,
    /// The command of another shim, or the same.
    #[arg(long, value_name = "CMD")]
    server: Option<String>,
    #[command(flatten)]
    report: Reporting,
    #[command(flatten)]
    limits: Bounds,
}

/// Which tests are run, and where the results go.
#[derive(Args)]
struct Reporting {
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
        Some(Mode::Server(arguments)) => test_server(&arguments),
        Some(Mode::Client(arguments)) => test_client(&arguments),
        Some(Mode::Identities { folder, count }) => Population::create(&folder, count.into()).map(|()| true),
        None if arguments.tests.report.list => list(&arguments.tests.report),
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
        if self.line_limit == 0 {
            return Err("--line-limit must be above zero".to_owned());
        }
        Ok(Limits { step: duration("--step-limit", self.step_limit)?, line: self.line_limit })
    }
}

/// Names each test once.
fn list(report: &Reporting) -> Result<bool, String> {
    let mut seen = BTreeSet::new();
    for test in Test::all(1, report.section.as_deref()) {
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
    let report = &arguments.report;
    let mut known = report.known()?;
    let tests = Test::all(shims.len(), report.section.as_deref());
    if tests.is_empty() {
        return Err(NO_TEST.to_owned());
    }
    let entries = run(&tests, &mut shims, &mut known, &mut report.teller(tests.len()));
    report.conclude(&entries, &known)
}

const NO_TEST: &str = "no test is of that section: see --list";

fn test_server(arguments: &ServerTests) -> Result<bool, String> {
    let report = &arguments.report;
    let section = report.section.as_deref();
    let ids = server::ids(arguments.identities.as_ref().map(|_| arguments.suite), section);
    if report.list || ids.is_empty() {
        return list_live(&ids);
    }
    let pin = match &arguments.pin_file {
        Some(path) => Some(std::fs::read_to_string(path).map_err(|error| at(path, &error))?.parse()?),
        None => arguments.pin,
    };
    let deadline = duration("--deadline", arguments.deadline)?;
    let address = resolve(arguments.address.as_deref().unwrap_or_default())?;
    let identities = population(arguments.identities.as_deref(), arguments.suite)?;
    let under_test = server::UnderTest { address, pin, clients: arguments.clients, deadline, identities };
    let mut known = report.known()?;
    let mut tell = report.teller(ids.len());
    let entries = unless_interrupted(server::run(&under_test, section, &mut known, &mut tell))??;
    report.conclude(&entries, &known)
}

fn test_client(arguments: &ClientTests) -> Result<bool, String> {
    let report = &arguments.report;
    let section = report.section.as_deref();
    let ids = client::ids(arguments.identities.as_ref().map(|_| arguments.suite), section);
    if report.list || ids.is_empty() {
        return list_live(&ids);
    }
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let step = duration("--step-limit", arguments.step_limit)?;
    let by_hand = Duration::from_secs(600);
    let wait = arguments.wait.map(|wait| duration("--wait", wait)).transpose()?;
    let under_test = client::UnderTest {
        listen: arguments.listen,
        pin_file: arguments.pin_file.clone().unwrap_or_else(|| folder.path().join("pin")),
        input_file: folder.path().join("input.json"),
        command: arguments.client.clone(),
        step,
        wait: wait.unwrap_or(if arguments.client.is_some() { step } else { by_hand }),
        identities: population(arguments.identities.as_deref(), arguments.suite)?,
    };
    let mut known = report.known()?;
    let mut listening = |address, pin| eprintln!("listening on {address}\npin {pin}");
    let mut tell = report.teller(ids.len());
    let entries =
        unless_interrupted(client::run(&under_test, section, &mut known, &mut listening, &mut tell))??;
    report.conclude(&entries, &known)
}

fn population(folder: Option<&Path>, suite: Signed) -> Result<Option<Population>, String> {
    folder.map(|folder| Population::read(folder, suite)).transpose()
}

fn list_live(ids: &[&str]) -> Result<bool, String> {
    if ids.is_empty() {
        return Err(NO_TEST.to_owned());
    }
    ids.iter().for_each(|id| say(format_args!("{:13} {id}", "live")));
    Ok(true)
}

fn resolve(address: &str) -> Result<SocketAddr, String> {
    let cannot = |why: String| format!("cannot find {address:?}: {why}; give HOST:PORT");
    let mut found = address.to_socket_addrs().map_err(|error| cannot(error.to_string()))?;
    found.next().ok_or_else(|| cannot("it has no address".to_owned()))
}

fn duration(option: &str, seconds: f64) -> Result<Duration, String> {
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(format!("{option} must be above zero and a time")),
    }
}

/// Runs a future to its end or to Ctrl-C, after which nothing that it started is left.
fn unless_interrupted<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| format!("no runtime: {error}"))?.block_on(async {
        tokio::select! {
            done = future => Ok(done),
            _ = tokio::signal::ctrl_c() => Err("interrupted".to_owned()),
        }
    })
}

impl Reporting {
    /// The list of known failures.
    fn known(&self) -> Result<Known, String> {
        match &self.known_failing {
            None => Ok(Known::default()),
            Some(path) => Ok(Known::parse(&std::fs::read_to_string(path).map_err(|error| at(path, &error))?)),
        }
    }

    /// Tells of each test as it ends, beside a bar if there is a terminal for it.
    fn teller(&self, tests: usize) -> impl FnMut(&Entry) {
        let (bar, format) =
            (ProgressBar::new(tests as u64).with_finish(ProgressFinish::AndClear), self.format);
        move |entry| {
            bar.suspend(|| tell(entry, format));
            bar.inc(1);
        }
    }

    /// Writes the results where they are wanted; whether all is well.
    fn conclude(&self, entries: &[Entry], known: &Known) -> Result<bool, String> {
        if let Some(path) = &self.junit {
            let text = junit(entries).map_err(|error| error.to_string())?;
            std::fs::write(path, text).map_err(|error| at(path, &error))?;
        }
        // With a filter the rest of the list has not been tried.
        let stale = if self.section.is_none() { known.unused() } else { Vec::new() };
        for line in &stale {
            eprintln!("the list of known failures names no test: {line}");
        }
        let counts = Counts::of(entries);
        match self.format {
            Format::Text => say(format_args!("{counts}")),
            Format::Json => eprintln!("{counts}"),
        }
        Ok(counts.failed == 0 && stale.is_empty())
    }
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

fn at(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
