//! The command line: what the commands share.

mod demo;
mod fields;
mod identity;
mod join;
mod noise;
mod plan;
mod privacy;
mod report;
mod serve;
mod suite;

use std::future::Future;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

/// Secure aggregation over QUIC: a server that learns the sum of its clients' vectors and
/// nothing else.
#[derive(Parser)]
#[command(name = "secagg", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  secagg demo
      Train a model on real handwritten digits through 40 clients, some of which vanish.
  secagg serve --clients 3 --vector steps:7:20
      Add up three clients' vectors of seven numbers below 2^20.
  secagg join 127.0.0.1:7744 --pin-file STATE/pin --name alice --input alice.json
      Take part as alice.
  secagg plan --clients 1000 --corrupt 0.05 --dropout 0.1 --graph sparse
      Find the fewest neighbours that are safe.
  secagg privacy plan --epsilon 4 --delta 1e-6 --clients 100 --dropout 0.1 --corrupt 0.05 \\
      --clip 1 --dimension 10000
      Find the noise that each client must add.

SECAGG_LOG=info (or debug) shows what happens on stderr.";

#[derive(Subcommand)]
enum Command {
    /// Run a server: wait for clients, print the sum of their vectors
    Serve(serve::Arguments),
    /// Take part in a server's next session with vectors from a file
    Join(join::Arguments),
    /// Train a model on handwritten digits through a real server and real clients on this machine
    Demo(demo::Arguments),
    /// Make and certify the identities that take part in the active suite
    Identity(identity::Arguments),
    /// Find the smallest safe degree and threshold, or judge a pair
    Plan(plan::Arguments),
    /// Plan, account for and audit differential privacy of the released sums
    Privacy(privacy::Arguments),
}

/// What stdout holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs: JSON and nothing else
    Json,
}

/// How long packets may take to leave when the program is interrupted.
const LAST_PACKETS: Duration = Duration::from_millis(20);

/// Why a command did not do what it was asked.
enum Failure {
    /// The command line cannot be carried out, whatever the world is like: exit code 2.
    Usage(String),
    /// Something went wrong: exit code 1.
    Failed(String),
    /// What was asked for is not safe: exit code 3.
    Refused(String),
    /// Ctrl-C, or asked to terminate: exit code 130, as shells have it.
    Interrupted,
}

impl Failure {
    fn failed(error: impl std::fmt::Display) -> Failure {
        Failure::Failed(error.to_string())
    }
}

/// Runs the program to its exit code.
pub(crate) fn run() -> ExitCode {
    // Clap itself ends a mistaken command line with exit code 2.
    let cli = Cli::parse();
    start_log();
    match in_runtime(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => complain(&message, 2),
        Err(Failure::Failed(message)) => complain(&message, 1),
        Err(Failure::Refused(message)) => complain(&message, 3),
        Err(Failure::Interrupted) => complain("interrupted", 130),
    }
}

fn in_runtime(command: Command) -> Result<(), Failure> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::failed)?;
    let result = runtime.block_on(async {
        match command {
            Command::Serve(arguments) => serve::run(arguments).await,
            Command::Join(arguments) => join::run(arguments).await,
            Command::Demo(arguments) => demo::run(arguments).await,
            Command::Identity(arguments) => identity::run(arguments),
            Command::Plan(arguments) => plan::run(arguments),
            Command::Privacy(arguments) => privacy::run(arguments).await,
        }
    });
    // A client's training that nobody waits for any more must not hold the exit up.
    runtime.shutdown_timeout(Duration::from_millis(200));
    result
}

fn start_log() {
    let filter = EnvFilter::try_from_env("SECAGG_LOG").unwrap_or_else(|_| EnvFilter::new("error"));
    // Only fails if a log is there already, which is then as good.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).try_init();
}

fn complain(message: &str, code: u8) -> ExitCode {
    // An error text may quote another program's; it still is one line.
    let message = message.replace(['\n', '\r'], " ");
    // If stderr is closed the exit code has to do.
    let _ = writeln!(io::stderr(), "secagg: {message}");
    ExitCode::from(code)
}

/// Does `work` until it is done, the user presses Ctrl-C, or the system asks the program to end.
async fn unless_interrupted<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    // The handlers stand before the work begins, and so before it tells anybody that it has.
    let interrupted = interruption();
    tokio::select! {
        done = work => return Ok(done),
        () = interrupted => {}
    }
    // The work is dropped by now; the packets that tell the other end of it may leave.
    tokio::time::sleep(LAST_PACKETS).await;
    Err(Failure::Interrupted)
}

/// Ends with the first signal that comes after the call.
#[cfg(unix)]
fn interruption() -> impl Future<Output = ()> {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    async fn of(handler: io::Result<Signal>) {
        match handler {
            Ok(mut handler) => drop(handler.recv().await),
            // Without a handler the signal ends the program by itself.
            Err(_) => std::future::pending().await,
        }
    }
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async {
        tokio::select! {
            () = of(interrupt) => {}
            () = of(terminate) => {}
        }
    }
}

#[cfg(not(unix))]
async fn interruption() {
    drop(tokio::signal::ctrl_c().await);
}

/// Prints text on stdout, as one piece.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::Failed(format!("cannot write to stdout: {error}")))
}

/// Tells the user something beside the results.
fn note(text: &str) {
    // Nothing depends on a note being read.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Reads a number of seconds, 1 to a year.
fn seconds(text: &str) -> Result<Duration, String> {
    const YEAR: u64 = 365 * 24 * 3600;
    match text.parse() {
        Ok(seconds @ 1..=YEAR) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("give whole seconds from 1 to {YEAR}")),
    }
}

/// Returns where a server keeps its identity if it is not told.
fn default_state() -> Result<PathBuf, Failure> {
    let from =
        |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = from("XDG_STATE_HOME").or_else(|| from("HOME").map(|home| home.join(".local/state")));
    let missing =
        || Failure::Usage("no home directory to keep the server's identity in; give --state DIR".into());
    Ok(base.ok_or_else(missing)?.join("secagg"))
}
