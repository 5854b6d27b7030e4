//! Starts the processes of a session, waits for them, and reads what they report.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use secagg::{Counts, Graph, VectorSpec};
use serde::Deserialize;

use super::RealityError;
use super::link::Network;
use super::namespaces::{MOST_CLIENTS, Namespaces, SERVER, address};
use super::pump::{Pump, Wire};

/// The server's UDP port.
const PORT: u16 = 7744;

/// How often the processes are looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Longest wait for all clients to have joined, in seconds.
const JOIN: u64 = 300;

/// Longest wait of a client for the server's first answer, in seconds.
const CONNECT: u64 = 60;

/// A session to run in reality.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Who shares with whom.
    pub graph: Graph,
    /// Shares that reconstruct a secret.
    pub threshold: u32,
    /// What is summed.
    pub vectors: Vec<VectorSpec>,
    /// Points at which clients vanish, by their numbers from 0, as `secagg join --vanish` has them.
    pub vanish: BTreeMap<usize, String>,
    /// The links, one for each client.
    pub network: Network,
    /// Longest wait in each round, in seconds.
    pub deadline: u64,
}

/// What was seen of a session.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Whether the released sum is the sum of its survivors' inputs.
    pub exact: bool,
    /// The rounds in their order.
    pub rounds: Vec<RoundSeen>,
    /// The clients in their order.
    pub clients: Vec<ClientSeen>,
    /// What the server did.
    pub server: Counts,
    /// What went over the wire.
    pub wire: Wire,
}

/// A round as the server saw it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct RoundSeen {
    /// Its name.
    pub round: String,
    /// Clients that were asked.
    pub expected: u32,
    /// Clients whose answer was accepted.
    pub answered: u32,
    /// Seconds from its requests to its end.
    pub seconds: f64,
}

/// A client.
#[derive(Clone, Debug)]
pub struct ClientSeen {
    /// By round: bytes of frames up and down, and seconds from the requests to the whole answer if there was one.
    pub rounds: BTreeMap<String, (u64, u64, Option<f64>)>,
    /// Bytes of frames that it has sent and received.
    pub sent: u64,
    /// Bytes of frames that it has received.
    pub received: u64,
    /// What it did.
    pub operations: Counts,
}

/// Runs a session with `program`, which is `secagg`, and tells `progress` how many clients are done.
///
/// # Errors
/// This machine does not permit it, a process failed, the session was aborted, or `interrupted` became true. In every case all processes and
/// namespaces are gone afterwards.
pub fn observe(
    setup: &Setup,
    program: &Path,
    interrupted: &AtomicBool,
    progress: impl Fn(usize),
) -> Result<Observed, RealityError> {
    let clients = setup.network.clients.len();
    if clients > MOST_CLIENTS {
        return Err(RealityError::Setup(format!(
            "{clients} clients, but there are {MOST_CLIENTS} addresses"
        )));
    }
    let folder = Folder::make()?;
    fs::write(folder.file("input.json"), input(&setup.vectors))?;
    let (namespaces, devices) = Namespaces::make()?;
    let pump = Pump::start(devices, &setup.network);
    let ran = Processes::start(setup, program, &folder, &namespaces)
        .and_then(|processes| processes.finish(setup, interrupted, progress));
    // The namespaces may not go before those that use them: `finish` has ended every process.
    let wire = pump.stop();
    drop(namespaces);
    let said = ran?;
    read(setup, &folder, &said, wire?)
}

/// What each client has for each vector: small numbers that any number of bits can hold.
fn input(vectors: &[VectorSpec]) -> String {
    let values = |spec: &VectorSpec| {
        let values = (0..spec.length).map(|at| value(spec, at));
        (spec.name.clone(), values.collect::<Vec<u64>>())
    };
    let vectors: BTreeMap<String, Vec<u64>> = vectors.iter().map(values).collect();
    serde_json::to_string(&vectors).unwrap_or_default()
}

fn value(spec: &VectorSpec, at: u32) -> u64 {
    let largest = spec.bound.unwrap_or(u64::MAX).min((1 << spec.bits) - 1);
    u64::from(at) % largest.saturating_add(1)
}

/// The session's files; gone when this goes.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self, RealityError> {
        let path = std::env::temp_dir().join(format!("secagg-reality-{}", std::process::id()));
        // What a killed process with the same number may have left.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The running processes; killed when this goes.
struct Processes {
    server: Child,
    clients: Vec<Child>,
}

impl Processes {
    fn start(
        setup: &Setup,
        program: &Path,
        folder: &Folder,
        namespaces: &Namespaces,
    ) -> Result<Self, RealityError> {
        let failed = |error| RealityError::Program { program: program.display().to_string(), error };
        let mut server = namespaces.at_server(program);
        serve(&mut server, setup, folder);
        let server = server.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(failed)?;
        let mut processes = Self { clients: Vec::new(), server };
        let pin = processes.pin()?;
        for client in 0..setup.network.clients.len() {
            let mut command = namespaces.at_clients(program);
            join(&mut command, setup, folder, client, &pin);
            let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
            processes.clients.push(spawned.map_err(failed)?);
        }
        Ok(processes)
    }

    /// Waits until the server listens; returns its pin.
    fn pin(&mut self) -> Result<String, RealityError> {
        let mut said = String::new();
        if let Some(stderr) = self.server.stderr.as_mut() {
            for line in BufReader::new(stderr).lines() {
                let line = line?;
                if let Some(pin) = line.strip_prefix("pin ") {
                    return Ok(pin.to_owned());
                }
                said = line;
            }
        }
        Err(RealityError::Process { who: "the server".into(), said })
    }

    /// Waits for all processes; returns what each client said.
    fn finish(
        mut self,
        setup: &Setup,
        interrupted: &AtomicBool,
        progress: impl Fn(usize),
    ) -> Result<Vec<String>, RealityError> {
        // The rounds, and some time to join and to leave.
        let limit = Instant::now() + Duration::from_secs(JOIN + 5 * setup.deadline);
        loop {
            let mut done = 0;
            for child in &mut self.clients {
                done += usize::from(child.try_wait()?.is_some());
            }
            progress(done);
            if done == self.clients.len() && self.server.try_wait()?.is_some() {
                break;
            }
            if interrupted.load(Ordering::Relaxed) {
                return Err(RealityError::Interrupted);
            }
            if Instant::now() > limit {
                let said = format!("no end after {} s; {done} clients are done", JOIN + 5 * setup.deadline);
                return Err(RealityError::Process { who: "the session".into(), said });
            }
            thread::sleep(LOOK);
        }
        let server = said(&mut self.server, "the server");
        let clients = self.clients.iter_mut().enumerate();
        let all = clients.map(|(number, child)| said(child, &format!("client {number}"))).collect();
        // If the server failed, that is why the clients did.
        server.and(all)
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in self.clients.iter_mut().chain([&mut self.server]) {
            // An error means that it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What an ended process has said on stdout.
fn said(child: &mut Child, who: &str) -> Result<String, RealityError> {
    let (mut stdout, mut stderr) = (String::new(), String::new());
    if let Some(pipe) = child.stdout.as_mut() {
        pipe.read_to_string(&mut stdout)?;
    }
    if child.wait()?.success() {
        return Ok(stdout);
    }
    if let Some(pipe) = child.stderr.as_mut() {
        pipe.read_to_string(&mut stderr)?;
    }
    let said = stderr.lines().last().unwrap_or("failed without a word").to_owned();
    Err(RealityError::Process { who: who.to_owned(), said })
}

fn serve(command: &mut Command, setup: &Setup, folder: &Folder) {
    command.args(["serve", "--format", "json", "--listen"]).arg(format!("{SERVER}:{PORT}"));
    command.args(["--clients", &setup.network.clients.len().to_string()]);
    command.args(["--threshold", &setup.threshold.to_string()]);
    if let Graph::Regular { degree } = setup.graph {
        command.args(["--degree", &degree.to_string()]);
    }
    for VectorSpec { name, length, bits, bound, .. } in &setup.vectors {
        let bound = bound.map(|bound| format!(":{bound}")).unwrap_or_default();
        command.args(["--vector", &format!("{name}:{length}:{bits}{bound}")]);
    }
    command.args(["--join-deadline", &JOIN.to_string(), "--stage-deadline", &setup.deadline.to_string()]);
    command.arg("--state").arg(folder.file("state"));
    command.arg("--output").arg(folder.file("sum.json"));
    command.arg("--report").arg(folder.file("report.json"));
}

fn join(command: &mut Command, setup: &Setup, folder: &Folder, client: usize, pin: &str) {
    command.arg("join").arg(format!("{SERVER}:{PORT}")).args(["--pin", pin, "--format", "json"]);
    // The server numbers clients by the order of their names.
    command.args(["--name", &name(client)]).arg("--bind").arg(format!("{}:0", address(client)));
    command.arg("--input").arg(folder.file("input.json"));
    command.args(["--connect-timeout", &CONNECT.to_string()]);
    if let Some(point) = setup.vanish.get(&client) {
        command.args(["--vanish", point]);
    }
}

fn name(client: usize) -> String {
    format!("client-{client:05}")
}

/// The server's report.
#[derive(Deserialize)]
struct ServerReport {
    rounds: Vec<RoundSeen>,
    clients: Vec<ServersClient>,
    operations: Counts,
}

#[derive(Deserialize)]
struct ServersClient {
    name: String,
    rounds: BTreeMap<String, ServersRound>,
}

#[derive(Deserialize)]
struct ServersRound {
    up: u64,
    down: u64,
    answered_after: Option<f64>,
}

/// A client's report.
#[derive(Deserialize)]
struct ClientReport {
    sent: u64,
    received: u64,
    operations: Counts,
}

/// The released sums.
#[derive(Deserialize)]
struct Released {
    vectors: BTreeMap<String, Vec<u64>>,
    survivors: Vec<String>,
}

fn read(setup: &Setup, folder: &Folder, said: &[String], wire: Wire) -> Result<Observed, RealityError> {
    let server: ServerReport =
        parse("the server's report", &fs::read_to_string(folder.file("report.json"))?)?;
    let mut clients = Vec::new();
    for (number, (said, seen)) in said.iter().zip(server.clients).enumerate() {
        if seen.name != name(number) {
            let said = format!("the server calls client {number} {:?}", seen.name);
            return Err(RealityError::Process { who: "the server".into(), said });
        }
        let ClientReport { sent, received, operations } = parse(&seen.name, said)?;
        let rounds = seen.rounds.into_iter();
        let rounds = rounds.map(|(name, one)| (name, (one.up, one.down, one.answered_after))).collect();
        clients.push(ClientSeen { rounds, sent, received, operations });
    }
    let sum = parse("the sum", &fs::read_to_string(folder.file("sum.json"))?)?;
    let (exact, rounds) = (is_sum(setup, &sum), server.rounds);
    Ok(Observed { exact, rounds, clients, server: server.operations, wire })
}

fn is_sum(setup: &Setup, released: &Released) -> bool {
    let survivors = released.survivors.len() as u64;
    setup.vectors.iter().all(|spec| {
        let expected = |at: u32| value(spec, at).wrapping_mul(survivors) & ((1 << spec.bits) - 1);
        let sum = released.vectors.get(&spec.name);
        sum.is_some_and(|sum| sum.iter().copied().eq((0..spec.length).map(expected)))
    })
}

fn parse<'a, T: Deserialize<'a>>(who: &str, text: &'a str) -> Result<T, RealityError> {
    serde_json::from_str(text)
        .map_err(|error| RealityError::Process { who: who.to_owned(), said: error.to_string() })
}
