//! `secagg serve`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use secagg::privacy::{Curve, PrivacyError, round_up};
use secagg::{Aggregate, ClientId, Config, Graph, Round, Suite, VectorSpec};
use secagg_transport::privacy::scheme::Scheme;
use secagg_transport::{
    Error, Identity, Limits, Outcome, SecaggServer, SessionPlan, SessionPolicy, Threshold, write_file,
};
use serde::Serialize;

use super::noise::{self, Planned};
use super::privacy::{ledger, warn_of_experiment};
use super::report::SessionReport;
use super::suite::SuiteArguments;
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
    #[arg(long = "vector", value_name = "NAME:LENGTH:BITS[:BOUND]", required_unless_present = "noise")]
    #[arg(value_parser = parse_vector)]
    vectors: Vec<VectorSpec>,
    /// A vector of real numbers to sum, to which each client adds noise as `secagg privacy plan --format json`
    /// planned it; repeat for several vectors
    #[arg(long, value_name = "NAME:PLAN.json", value_parser = Planned::parse)]
    noise: Vec<Planned>,
    /// Spend from this ledger of `secagg privacy ledger create`: a session that would overspend it is not run
    #[arg(long, value_name = "FILE", requires = "noise")]
    ledger: Option<PathBuf>,
    #[command(flatten)]
    suite: SuiteArguments,
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
  secagg privacy plan --epsilon 4 --delta 1e-6 --clients 100 --dropout 0.1 --corrupt 0.05 \\
      --clip 1 --dimension 10000 --format json > plan.json
  secagg serve --clients 100 --noise model:plan.json --ledger phones.ledger
  secagg serve --clients 100 --suite active --authority ca.pub --corrupt 10 --vector model:10000:24

The listening address and the pin that clients need are printed on stderr; the pin is also in the
file `pin` of the state directory. Each session gives one JSON object: {\"vectors\": {NAME: [...]},
\"survivors\": [NAME...], \"dropped\": {ROUND: [NAME...]}}. With --noise there are also \"real\": {NAME: [...]}, the
sums with noise, and \"privacy\": the ε that the noise in them makes in that session. --ledger adds sessions up.";

/// One session's result as JSON.
#[derive(Serialize)]
struct Released {
    vectors: BTreeMap<String, Vec<u64>>,
    /// Sums of real vectors with noise.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    real: BTreeMap<String, Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    privacy: Option<Privacy>,
    survivors: Vec<String>,
    dropped: BTreeMap<String, Vec<String>>,
}

/// What the vectors with noise gave away of one client against the server, in this session.
#[derive(Serialize)]
struct Privacy {
    /// With the noise of the survivors that are in the sum.
    epsilon_achieved: f64,
    /// With the fewest that may be.
    epsilon_planned: f64,
    delta: f64,
    /// Survivors whose noise is not counted.
    corrupt: u32,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let plan = plan(&arguments, arguments.suite.suite()?);
    check_noise(&arguments, &plan.config(arguments.clients, [0; 32]))?;
    plan.check().map_err(|misuse| Failure::Usage(misuse.to_string()))?;
    if arguments.degree.is_some() && !arguments.noise.is_empty() {
        note(
            "on a sparse graph the ε holds only if corrupt clients cannot unmask a part of the sum: see `secagg plan`",
        );
    }
    let state = arguments.state.clone().map_or_else(default_state, Ok)?;
    let identity = Identity::open(&state).map_err(Failure::failed)?;
    let mut server = SecaggServer::bind(arguments.listen, &identity, limits(arguments.clients))
        .map_err(Failure::failed)?;
    let work = async {
        note(&format!("listening on {}", server.local_address()));
        note(&format!("pin {}", server.pin()));
        if arguments.noise.iter().any(Planned::is_experimental) {
            warn_of_experiment(Scheme::Centred);
        }
        sessions(&arguments, &plan, &mut server).await
    };
    let result = unless_interrupted(work).await;
    server.shutdown().await;
    result?
}

/// Places for all clients of a session, and for as many again that wait for the next one.
fn limits(clients: u32) -> Limits {
    let usual = Limits::default();
    Limits { connections: usual.connections.max(2 * clients as usize), ..usual }
}

/// Refuses a session that would be less private than its plans say.
fn check_noise(arguments: &Arguments, config: &Config) -> Result<(), Failure> {
    let fewest = arguments.minimum_survivors.unwrap_or(u32::MAX);
    let (threshold, declared) = (config.threshold, config.suite.corrupt().unwrap_or(0));
    for Planned { vector, clients, minimum_survivors, corrupt, .. } in &arguments.noise {
        let name = &vector.name;
        if fewest < *minimum_survivors {
            return Err(Failure::Refused(format!(
                "refused: the noise of {name:?} is planned for at least {minimum_survivors} survivors, and \
                 --minimum-survivors is {fewest}: leave it out, or plan for more dropouts"
            )));
        }
        if threshold <= *corrupt {
            return Err(Failure::Refused(format!(
                "refused: the plan of {name:?} counts on {corrupt} corrupt clients, and {threshold} shares unmask any \
                 input: ask for a --threshold above {corrupt}"
            )));
        }
        if declared > *corrupt {
            return Err(Failure::Refused(format!(
                "refused: the session is for {declared} corrupt clients, and the plan of {name:?} counts on the noise of \
                 all but {corrupt}: plan with a --corrupt of at least {declared} of {} clients",
                arguments.clients
            )));
        }
        if arguments.clients > *clients || arguments.clients < *minimum_survivors {
            return Err(Failure::Refused(format!(
                "refused: {name:?} is planned for {minimum_survivors} to {clients} clients, and --clients is {}: plan \
                 again",
                arguments.clients
            )));
        }
    }
    Ok(())
}

/// The fewest survivors: as many as was asked for, or as all plans need.
fn minimum_survivors(arguments: &Arguments) -> Option<u32> {
    let planned = arguments.noise.iter().map(|planned| planned.minimum_survivors).max();
    arguments.minimum_survivors.max(planned)
}

fn plan(arguments: &Arguments, suite: Suite) -> SessionPlan {
    let graph = match (suite, arguments.degree) {
        (_, None) => Graph::Complete,
        (Suite::Pinned { .. }, Some(degree)) => Graph::KOut { degree },
        (_, Some(degree)) => Graph::Regular { degree },
    };
    let threshold = arguments.threshold.map_or(Threshold::Default, Threshold::Fixed);
    let needed = threshold.of(suite, graph, arguments.clients).max(minimum_survivors(arguments).unwrap_or(2));
    let minimum = arguments.minimum_clients.unwrap_or(needed);
    SessionPlan {
        suite,
        graph,
        clients: arguments.clients,
        threshold,
        minimum_survivors: minimum_survivors(arguments),
        vectors: arguments
            .vectors
            .iter()
            .chain(arguments.noise.iter().map(|one| &one.vector))
            .cloned()
            .collect(),
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
    let (mut ledger, fewest) = (
        arguments.ledger.as_deref().map(ledger::open).transpose()?,
        minimum_survivors(arguments).unwrap_or(1),
    );
    for _ in 0..arguments.rounds {
        let reserved = ledger.as_mut().map(|ledger| noise::reserve(ledger, &arguments.noise, fewest));
        let reserved = reserved.transpose().map_err(ledger::failure)?;
        if let Some(names) = &reserved {
            note(&format!(
                "reserved in the ledger: {}; cancel it if the session is not held",
                names.join(", ")
            ));
        }
        let outcome = match server.run_session(plan).await {
            Ok(outcome) => outcome,
            Err(error) => {
                // No client has been asked for anything.
                if let (Error::TooFewJoined { .. }, Some(ledger), Some(names)) =
                    (&error, &mut ledger, &reserved)
                {
                    noise::give_back(ledger, names).map_err(ledger::failure)?;
                }
                return Err(Failure::failed(error));
            }
        };
        if let (Some(ledger), Some(names)) = (&mut ledger, &reserved) {
            noise::settle(ledger, &arguments.noise, names, &outcome).map_err(ledger::failure)?;
        }
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
    let released = released(arguments, outcome, aggregate)?;
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

fn released(arguments: &Arguments, outcome: &Outcome, aggregate: &Aggregate) -> Result<Released, Failure> {
    let names = |ids: &Vec<ClientId>| ids.iter().map(|id| outcome.name_of(*id)).collect::<Vec<_>>();
    let dropped = outcome.dropped.iter().map(|(round, ids)| (round.to_string(), names(ids)));
    let plain = aggregate.vectors.iter().filter(|(spec, _)| spec.noise.is_none());
    let real = arguments.noise.iter().filter_map(|one| {
        let name = &one.vector.name;
        Some((name.clone(), aggregate.real(name)?))
    });
    Ok(Released {
        vectors: plain.map(|(spec, sum)| (spec.name.clone(), sum.iter().collect())).collect(),
        real: real.collect(),
        privacy: privacy(arguments, aggregate)?,
        survivors: names(&aggregate.survivors),
        dropped: dropped.collect(),
    })
}

/// For all vectors with noise together, at the least δ of their plans and for the most corrupt clients.
fn privacy(arguments: &Arguments, aggregate: &Aggregate) -> Result<Option<Privacy>, Failure> {
    let plans = || arguments.noise.iter();
    let Some(delta) = plans().map(|plan| plan.delta).reduce(f64::min) else { return Ok(None) };
    let corrupt = plans().map(|plan| plan.corrupt).max().unwrap_or(0);
    // What is given away does not depend on the suite.
    let config = self::plan(arguments, Suite::Curious).config(arguments.clients, [0; 32]);
    let epsilon = |curve: Result<Curve, PrivacyError>| {
        curve.and_then(|curve| curve.epsilon(delta)).map(|found| found.epsilon).map_err(Failure::failed)
    };
    Ok(Some(Privacy {
        epsilon_achieved: epsilon(aggregate.given_away(corrupt))?,
        epsilon_planned: epsilon(config.given_away_at_most(corrupt))?,
        delta,
        corrupt,
    }))
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
    for (name, sum) in &released.real {
        let shown: Vec<String> = sum.iter().take(SHOWN).map(|value| format!("{value:.4}")).collect();
        text += &format!("{name}: {} ... ({} coordinates, with noise)\n", shown.join(" "), sum.len());
    }
    if let Some(privacy) = &released.privacy {
        text += &format!(
            "each client has ε = {} at δ = {:e} against the server in this session (planned {})\n",
            round_up(privacy.epsilon_achieved, 3),
            privacy.delta,
            round_up(privacy.epsilon_planned, 3),
        );
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
