//! `secagg serve`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use secagg::{Aggregate, ClientId, Graph, Round, Suite, VectorSpec};
use secagg_transport::{
    Identity, Limits, Outcome, SecaggServer, SessionPlan, SessionPolicy, Threshold, write_file,
};
use serde::Serialize;

use super::report::SessionReport;
use super::{Failure, Format, default_state, note, print, seconds, unless_interrupted};

/// Run a server: wait for clients, print the sum of their vectors
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Address to listen on, UDP; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7744")]
    listen: SocketAddr,
    /// Clients to wait for
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    clients: u32,
    /// Fewest clients to start with at the join deadline [default: the threshold, or the minimum of
    /// survivors if that is greater]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    minimum_clients: Option<u32>,
    /// Shares that rebuild a vanished client's secret [default: two thirds of the clients, or just
    /// over half of the degree]
    #[arg(long, value_name = "T")]
    threshold: Option<u32>,
    /// Fewest clients whose inputs a sum may be of; with fewer the session ends without one, and no
    /// client helps to make one [default: the threshold]
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u32).range(1..))]
    minimum_survivors: Option<u32>,
    /// Neighbours of each client [default: all other clients]
    #[arg(long, value_name = "K")]
    degree: Option<u32>,
    /// A vector to sum: LENGTH coordinates of BITS bits each (1 to 62), and if given the largest
    /// value that a client hands in; repeat for several vectors
    #[arg(long = "vector", value_name = "NAME:LENGTH:BITS[:BOUND]", required = true, value_parser = parse_vector)]
    vectors: Vec<VectorSpec>,
    /// Protocol suite
    #[arg(long, default_value = "curious")]
    suite: Suite,
    /// Directory of the server's certificate and pin, made on first use [default: the user's state
    /// directory]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Longest wait for clients to join, in seconds
    #[arg(long, value_name = "S", default_value = "300", value_parser = seconds)]
    join_deadline: Duration,
    /// Longest wait in each round, in seconds
    #[arg(long, value_name = "S", default_value = "60", value_parser = seconds)]
    stage_deadline: Duration,
    /// Sessions to run, one after another
    #[arg(long, value_name = "R", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Write the sums to this file, one JSON object a line, instead of stdout
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write what each session cost to this file, one JSON object a line: times, bytes by client and round,
    /// operations
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// What to print: json (the sum, nothing else on stdout) or text (a summary)
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  secagg serve --clients 3 --vector steps:7:20
  secagg serve --listen 0.0.0.0:7744 --clients 100 --degree 20 --vector model:10000:24:16000 \\
      --vector examples:1:20:1000 --rounds 10 --output sums.jsonl
  secagg serve --clients 100 --minimum-survivors 80 --vector model:10000:24

The listening address and the pin that clients need are printed on stderr; the pin is also in the
file `pin` of the state directory. Each session gives one JSON object: {\"vectors\": {NAME: [...]},
\"survivors\": [NAME...], \"dropped\": {ROUND: [NAME...]}}.";

/// One session's result as JSON.
#[derive(Serialize)]
struct Released {
    vectors: BTreeMap<String, Vec<u64>>,
    survivors: Vec<String>,
    dropped: BTreeMap<String, Vec<String>>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let plan = plan(&arguments);
    plan.check().map_err(|misuse| Failure::Usage(misuse.to_string()))?;
    let state = arguments.state.clone().map_or_else(default_state, Ok)?;
    let identity = Identity::open(&state).map_err(Failure::failed)?;
    let mut server = SecaggServer::bind(arguments.listen, &identity, limits(arguments.clients))
        .map_err(Failure::failed)?;
    note(&format!("listening on {}", server.local_address()));
    note(&format!("pin {}", server.pin()));
    let result = unless_interrupted(sessions(&arguments, &plan, &mut server)).await;
    server.shutdown().await;
    result?
}

/// Places for all clients of a session, and for as many again that wait for the next one.
fn limits(clients: u32) -> Limits {
    let usual = Limits::default();
    Limits { connections: usual.connections.max(2 * clients as usize), ..usual }
}

fn plan(arguments: &Arguments) -> SessionPlan {
    let graph = arguments.degree.map_or(Graph::Complete, |degree| Graph::Regular { degree });
    let threshold = arguments.threshold.map_or(Threshold::Default, Threshold::Fixed);
    let needed =
        threshold.of(arguments.suite, graph, arguments.clients).max(arguments.minimum_survivors.unwrap_or(2));
    let minimum = arguments.minimum_clients.unwrap_or(needed);
    SessionPlan {
        suite: arguments.suite,
        graph,
        clients: arguments.clients,
        threshold,
        minimum_survivors: arguments.minimum_survivors,
        vectors: arguments.vectors.clone(),
        task: Vec::new().into(),
        nonce: None,
        policy: SessionPolicy::uniform(arguments.join_deadline, minimum, arguments.stage_deadline),
    }
}

async fn sessions(
    arguments: &Arguments,
    plan: &SessionPlan,
    server: &mut SecaggServer,
) -> Result<(), Failure> {
    let (mut lines, mut reports, mut aborted) = (String::new(), String::new(), 0);
    for _ in 0..arguments.rounds {
        let outcome = server.run_session(plan).await.map_err(Failure::failed)?;
        if let Some(path) = &arguments.report {
            reports += &serde_json::to_string(&SessionReport::new(&outcome)).map_err(Failure::failed)?;
            reports.push('\n');
            write(path, &reports)?;
        }
        match &outcome.result {
            Ok(aggregate) => {
                lines += &publish(arguments, &outcome, aggregate, &lines)?;
            }
            Err(abort) => {
                aborted += 1;
                note(&format!("session aborted, nothing released: {abort}"));
            }
        }
    }
    match aborted {
        0 => Ok(()),
        _ => Err(Failure::Failed(format!("{aborted} of {} sessions were aborted", arguments.rounds))),
    }
}

/// Gives one session's result out; returns it as a line for the file.
fn publish(
    arguments: &Arguments,
    outcome: &Outcome,
    aggregate: &Aggregate,
    before: &str,
) -> Result<String, Failure> {
    let released = released(outcome, aggregate);
    let line = format!("{}\n", serde_json::to_string(&released).map_err(Failure::failed)?);
    match &arguments.output {
        Some(path) => write(path, &format!("{before}{line}"))?,
        None if arguments.format == Format::Json => print(&line)?,
        None => {}
    }
    if arguments.format == Format::Text {
        print(&summary(outcome, &released))?;
    }
    Ok(line)
}

fn released(outcome: &Outcome, aggregate: &Aggregate) -> Released {
    let names = |ids: &Vec<ClientId>| ids.iter().map(|id| outcome.name_of(*id)).collect::<Vec<_>>();
    let dropped = outcome.dropped.iter().map(|(round, ids)| (round.to_string(), names(ids)));
    let vectors = aggregate.vectors.iter().map(|(spec, sum)| (spec.name.clone(), sum.iter().collect()));
    Released {
        vectors: vectors.collect(),
        survivors: names(&aggregate.survivors),
        dropped: dropped.collect(),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    write_file(path, text.as_bytes())
        .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", path.display())))
}

fn summary(outcome: &Outcome, released: &Released) -> String {
    const SHOWN: usize = 8;
    let mut text = format!("{} survivors: {}\n", released.survivors.len(), released.survivors.join(", "));
    for (round, names) in &released.dropped {
        text += &format!("dropped in {round}: {}\n", names.join(", "));
    }
    for (name, sum) in &released.vectors {
        let shown: Vec<String> = sum.iter().take(SHOWN).map(u64::to_string).collect();
        let rest =
            if sum.len() > SHOWN { format!(" ... ({} coordinates)", sum.len()) } else { String::new() };
        text += &format!("{name}: {}{rest}\n", shown.join(" "));
    }
    let seconds: f64 = outcome.stages.iter().map(|stage| stage.seconds).sum();
    let clients = outcome.members.len().max(1) as u64;
    let upload = outcome.traffic_in(Round::MaskedInputCollection).up / clients;
    text + &format!("{seconds:.2} s, {upload} bytes of masked input per client\n")
}

/// Reads `NAME:LENGTH:BITS[:BOUND]`.
fn parse_vector(text: &str) -> Result<VectorSpec, String> {
    let mut parts = text.split(':');
    let (Some(name), Some(length), Some(bits)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("give NAME:LENGTH:BITS or NAME:LENGTH:BITS:BOUND, such as steps:7:20".into());
    };
    let bound = parts.next().map(|bound| bound.parse().map_err(|_| format!("{bound:?} is not a bound")));
    if parts.next().is_some() {
        return Err("there is more after the bound".into());
    }
    if name.is_empty() {
        return Err("the vector needs a name".into());
    }
    Ok(VectorSpec {
        name: name.to_owned(),
        length: length.parse().map_err(|_| format!("{length:?} is not a length"))?,
        bits: bits.parse().map_err(|_| format!("{bits:?} is not a number of bits from 1 to 62"))?,
        bound: bound.transpose()?,
        noise: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_read_or_its_mistake_named() {
        let spec = parse_vector("steps:7:20").unwrap();
        assert_eq!((spec.name.as_str(), spec.length, spec.bits, spec.bound), ("steps", 7, 20, None));
        assert_eq!(parse_vector("x:1:2:3").unwrap().bound, Some(3));
        for bad in ["", "x", "x:1", ":1:2", "x:-1:2", "x:1:300", "x:1:2:y", "x:1:2:3:4"] {
            assert!(parse_vector(bad).is_err(), "{bad:?}");
        }
    }
}
