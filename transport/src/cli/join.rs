//! `secagg join`.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use secagg::privacy::NoiseLaw;
use secagg::{Counts, Credentials, Input, Policy, PrivacyPolicy};
use secagg_transport::demo::vanish::Point;
use secagg_transport::enrolment::{self, KeyKind};
use secagg_transport::privacy::scheme::Scheme;
use secagg_transport::{
    Announcement, ClientPolicy, ClientRecord, Error, Meter, Pin, SecaggClient, is_valid_name,
};
use serde::{Deserialize, Serialize};

use super::privacy::{positive, probability, warn_of_experiment};
use super::{Failure, Format, note, print, seconds, unless_interrupted};

/// Take part in a server's next session with vectors from a file
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The server: HOST:PORT
    #[arg(value_name = "ADDR")]
    server: String,
    #[command(flatten)]
    pin: PinArguments,
    #[command(flatten)]
    credentials: CredentialArguments,
    /// Name that the server reports this client by; each client needs its own
    #[arg(long, value_parser = parse_name)]
    name: String,
    /// JSON object from vector names to arrays of numbers: unsigned integers, or any for vectors with noise
    #[arg(long, value_name = "FILE.json")]
    input: PathBuf,
    /// Local address to use [default: any]
    #[arg(long, value_name = "ADDR")]
    bind: Option<SocketAddr>,
    /// Refuse sessions with fewer clients than this
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    minimum_clients: Option<u32>,
    /// Refuse sessions that would release a sum of fewer inputs than this
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u32).range(1..))]
    minimum_survivors: Option<u32>,
    /// Refuse sessions whose vectors with noise give away more than this ε of an input, by this client's own
    /// computation, or that have other vectors than those of --plain
    #[arg(long, value_name = "E", value_parser = positive, requires = "delta")]
    max_epsilon: Option<f64>,
    /// δ of --max-epsilon
    #[arg(long, value_name = "D", value_parser = probability, requires = "max_epsilon")]
    delta: Option<f64>,
    /// Survivors that may work with the server, so that their noise does not count for --max-epsilon
    #[arg(long, value_name = "C", default_value_t = 0, requires = "max_epsilon")]
    corrupt: u32,
    /// A vector that may have no noise despite --max-epsilon; repeat for several
    #[arg(long, value_name = "NAME", requires = "max_epsilon")]
    plain: Vec<String>,
    /// Accept noise whose guarantee is EXPERIMENTAL: nobody outside of this project has checked its proof
    #[arg(long)]
    accept_experimental: bool,
    /// What this client insists on, a TOML file; see `secagg join --help` for an example
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// What this client remembers of its sessions, made on first use; needed for [budget] and [cohorts] of --policy
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Longest wait for the server's first answer, in seconds
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds)]
    connect_timeout: Duration,
    /// Vanish at this point, to try how a server copes: before:ROUND, after:ROUND, or upload:SHARE, where
    /// SHARE of the masked input, 0 to 1, is sent
    #[arg(long, value_name = "POINT")]
    vanish: Option<Point>,
    /// What to print: text (one line) or json (bytes and operations)
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What taking part came to.
#[derive(Serialize)]
struct Report<'a> {
    name: &'a str,
    /// Whether the client vanished, as it was told to.
    vanished: bool,
    /// Bytes of frames, headers included.
    sent: u64,
    received: u64,
    operations: Counts,
}

/// Who the client is in a suite with identities.
#[derive(Args)]
struct CredentialArguments {
    /// This client's secret key, as `secagg identity new` makes it: take part in suites with identities only: active, and pinned if the policy says so
    #[arg(long, value_name = "FILE", requires_all = ["certificate", "authority"])]
    identity: Option<PathBuf>,
    /// The certificate of that identity
    #[arg(long, value_name = "FILE", requires = "identity")]
    certificate: Option<PathBuf>,
    /// The authority that this client trusts: 64 hexadecimal digits, or a file such as ca.pub
    #[arg(long, value_name = "HEX|FILE", requires = "identity")]
    authority: Option<String>,
}

/// How the server is known.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct PinArguments {
    /// The server's pin: 64 hexadecimal digits, which the server prints
    #[arg(long, value_name = "HEX")]
    pin: Option<Pin>,
    /// File with the server's pin
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  echo '{\"steps\": [1, 2, 3, 4, 5, 6, 7]}' > alice.json
  secagg join 127.0.0.1:7744 --pin-file STATE/pin --name alice --input alice.json
  secagg join server.example:7744 --pin 5f0c...e1 --name bob --input bob.json --minimum-clients 50
  secagg join server.example:7744 --pin-file pin --name eve --input eve.json --max-epsilon 4 --delta 1e-6
  secagg join server.example:7744 --pin 5f0c...e1 --name eve --input eve.json \\
      --identity eve --certificate eve.cert --authority ca.pub

A policy, of which every part can be left out but the version; the client refuses sessions that ask for less:
  version = 1
  minimum_clients = 50       # also maximum_clients, maximum_neighbours, minimum_threshold, maximum_threshold
  maximum_coordinates = 1000000
  minimum_survivors = 40     # also minimum_corrupt, task
  [safety]                   # the planner must accept the proposal under these assumptions
  corrupt = 0.05
  dropout = 0.1
  security_bits = 40         # also correctness_bits, minimum_honest; roots for suite pinned
  [[vector]]                 # no other vectors are handed in
  name = \"model\"
  maximum_length = 10000     # also maximum_bits, maximum_bound
  [privacy]                  # every vector has noise
  epsilon = 1.0
  delta = 1e-6
  corrupt = 3                # also laws, plain
  [cohorts]                  # suite active: survivors differ by none or so many from those of earlier sessions,
                             # in sessions where 2 * threshold > clients + corrupt + (minimum_difference - 1) / 2
  minimum_difference = 20
  [budget]                   # sessions, however they end
  per_task = 3
  in_all = 100
  window_seconds = 86400

The client waits until enough others have joined. It ends with exit code 0 once the server has
released the sum.";

/// The vectors of the input file.
type Vectors = BTreeMap<String, Values>;

/// The numbers of one vector.
#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    Integers(Vec<u64>),
    Real(Vec<f64>),
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Integers(values) => values.len(),
            Self::Real(values) => values.len(),
        }
    }

    fn real(self) -> Vec<f64> {
        match self {
            Self::Integers(values) => values.into_iter().map(|value| value as f64).collect(),
            Self::Real(values) => values,
        }
    }

    fn integers(self, name: &str) -> Result<Vec<u64>, String> {
        match self {
            Self::Integers(values) => Ok(values),
            Self::Real(values) => {
                let at = values.iter().position(|value| *value < 0.0 || value.fract() != 0.0).unwrap_or(0);
                let value = values.get(at).copied().unwrap_or_default();
                Err(format!(
                    "the vector {name:?} has {value} at {at}, and the session sums unsigned integers without noise"
                ))
            }
        }
    }
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let pin = pin(&arguments.pin)?;
    let vectors = read_input(&arguments.input)?;
    let credentials = credentials(&arguments.credentials)?;
    let policy = policy(&arguments)?;
    let record = arguments.record.as_deref().map(ClientRecord::open).transpose().map_err(Failure::failed)?;
    if let Some((path, torn)) = arguments.record.as_deref().zip(record.as_ref().and_then(ClientRecord::torn))
    {
        let (line, bytes) = (torn.line, torn.bytes);
        note(&format!(
            "{}: line {line} was torn by a crash after {bytes} bytes, and was cut off",
            path.display()
        ));
    }
    let part = take_part(&arguments, pin, credentials, (policy, record), vectors);
    let (vanished, meter) = unless_interrupted(part).await??;
    let (name, traffic) = (&arguments.name, meter.traffic());
    if arguments.format == Format::Json {
        let (sent, received) = (traffic.up, traffic.down);
        let report = Report { name, vanished, sent, received, operations: meter.counts() };
        return print(&format!("{}\n", serde_json::to_string(&report).map_err(Failure::failed)?));
    }
    let end = if vanished { "vanished as told" } else { "the sum was released" };
    print(&format!("{name}: {end}; {} bytes sent, {} received\n", traffic.up, traffic.down))
}

/// Takes part to the end or to the point to vanish at; returns whether the client vanished.
async fn take_part(
    arguments: &Arguments,
    pin: Pin,
    credentials: Option<Credentials>,
    (ClientPolicy { policy, window }, record): (ClientPolicy, Option<ClientRecord>),
    vectors: Vectors,
) -> Result<(bool, Meter), Failure> {
    let mut client = connect(arguments, pin).await?;
    if let Some(credentials) = credentials {
        client = client.identify(credentials);
    }
    if let Some(record) = record {
        client = client.remember(record, window);
    }
    if let Some(point) = arguments.vanish {
        client = client.observe(move |step| point.at(step));
    }
    let meter = client.meter();
    let input = |announcement: Announcement| async move { choose(&announcement, vectors) };
    match client.run_session(policy, input).await {
        Ok(_) => Ok((false, meter)),
        Err(Error::Left) if arguments.vanish.is_some() => Ok((true, meter)),
        Err(error) => Err(Failure::failed(error)),
    }
}

/// The policy of the file; the command line can ask for more.
fn policy(arguments: &Arguments) -> Result<ClientPolicy, Failure> {
    let file = arguments.policy.as_deref().map(ClientPolicy::read).transpose().map_err(Failure::failed)?;
    let mut read = file.unwrap_or_else(|| ClientPolicy { policy: Policy::default(), window: Duration::ZERO });
    if read.needs_record() && arguments.record.is_none() {
        return Err(Failure::Usage("[budget] and [cohorts] of the policy need --record FILE".into()));
    }
    let policy = &mut read.policy;
    if arguments.accept_experimental {
        warn_of_experiment(Scheme::Centred);
        policy.experimental_noise = true;
        if let Some(privacy) = &mut policy.privacy {
            privacy.laws = NoiseLaw::ALL.to_vec();
        }
    }
    if let Some((epsilon, delta)) = arguments.max_epsilon.zip(arguments.delta) {
        if policy.privacy.is_some() {
            return Err(Failure::Usage("--max-epsilon and [privacy] of the policy: give one of them".into()));
        }
        let usual = PrivacyPolicy::new(epsilon, delta, arguments.corrupt);
        let laws = if arguments.accept_experimental { NoiseLaw::ALL.to_vec() } else { usual.laws.clone() };
        policy.privacy = Some(PrivacyPolicy { plain: arguments.plain.clone(), laws, ..usual });
    }
    policy.minimum_clients = policy.minimum_clients.max(arguments.minimum_clients.unwrap_or(0));
    policy.minimum_survivors = policy.minimum_survivors.max(arguments.minimum_survivors.unwrap_or(0));
    Ok(read)
}

/// Joins at the first of the server's addresses that answers.
async fn connect(arguments: &Arguments, pin: Pin) -> Result<SecaggClient, Failure> {
    let mut failure = None;
    for server in resolve(arguments).await? {
        let local = arguments.bind.unwrap_or_else(|| any_like(server));
        let patience = arguments.connect_timeout;
        match SecaggClient::join(server, pin, &arguments.name, local, patience).await {
            Ok(client) => return Ok(client),
            Err(error @ Error::Unreachable { .. }) => failure = Some(error),
            Err(error) => return Err(Failure::failed(error)),
        }
    }
    let nowhere = || Failure::Failed(format!("{:?} has no address to use; check --bind", arguments.server));
    Err(failure.map_or_else(nowhere, Failure::failed))
}

/// Picks the session's vectors out of the file's, and says what does not fit.
fn choose(announcement: &Announcement, mut vectors: Vectors) -> Result<Input, String> {
    let mut input = Input::new();
    for spec in &announcement.config.vectors {
        let name = &spec.name;
        let values = vectors.remove(name).ok_or_else(|| format!("the input file has no vector {name:?}"))?;
        let needs = spec.noise.as_ref().map_or(spec.length, |noise| noise.dimension);
        if values.len() != needs as usize {
            let has = values.len();
            return Err(format!("the vector {name:?} has {has} coordinates, the session needs {needs}"));
        }
        if spec.noise.is_some() {
            input = input.with_real(name, values.real());
            continue;
        }
        let values = values.integers(name)?;
        let largest = spec.bound.unwrap_or(u64::MAX).min((1u64 << spec.bits.min(63)) - 1);
        if let Some(at) = values.iter().position(|value| *value > largest) {
            let value = values[at];
            return Err(format!("the vector {name:?} has {value} at {at}, the session allows {largest}"));
        }
        input = input.with(name, values);
    }
    Ok(input)
}

fn read_input(path: &Path) -> Result<Vectors, Failure> {
    let text = read(path, "--input")?;
    serde_json::from_str(&text).map_err(|error| {
        let shape = "give a JSON object from vector names to arrays of numbers";
        Failure::Failed(format!("{} cannot be used: {error}; {shape}", path.display()))
    })
}

fn credentials(arguments: &CredentialArguments) -> Result<Option<Credentials>, Failure> {
    let CredentialArguments {
        identity: Some(identity),
        certificate: Some(certificate),
        authority: Some(authority),
    } = arguments
    else {
        return Ok(None);
    };
    let authority = KeyKind::Authority.public(authority).map_err(Failure::failed)?;
    enrolment::credentials(identity, certificate, &authority).map(Some).map_err(Failure::failed)
}

fn pin(arguments: &PinArguments) -> Result<Pin, Failure> {
    match (&arguments.pin, &arguments.pin_file) {
        (Some(pin), _) => Ok(*pin),
        (None, Some(path)) => read(path, "--pin-file")?
            .parse()
            .map_err(|error| Failure::Failed(format!("{} holds no pin: {error}", path.display()))),
        (None, None) => Err(Failure::Usage("give --pin or --pin-file".into())),
    }
}

fn read(path: &Path, option: &str) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::Failed(format!("cannot read {}: {error}; check {option}", path.display())))
}

/// Finds the server's addresses: those that the local address can reach, IPv4 first.
async fn resolve(arguments: &Arguments) -> Result<Vec<SocketAddr>, Failure> {
    let server = &arguments.server;
    let found = tokio::net::lookup_host(server)
        .await
        .map_err(|error| Failure::Failed(format!("cannot find {server:?}: {error}; give HOST:PORT")))?;
    let reachable =
        |address: &SocketAddr| arguments.bind.is_none_or(|bind| bind.is_ipv4() == address.is_ipv4());
    let mut addresses: Vec<SocketAddr> = found.filter(reachable).collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    Ok(addresses)
}

fn any_like(server: SocketAddr) -> SocketAddr {
    match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

fn parse_name(text: &str) -> Result<String, String> {
    if is_valid_name(text) { Ok(text.to_owned()) } else { Err("use 1 to 64 bytes of printable text".into()) }
}
