//! CPU time of whole sessions: the mean of a client and the server, beside the least that they could take.
//!
//! Then the active suite beside the curious one, on the complete graph, and the pinned one beside it on sparse graphs.
//!
//! `cargo bench -p secagg --bench session`, or with `-- suites` the latter alone, at n = 100; with `-- thousand` the
//! active suite at n = 1,000.

use std::collections::BTreeMap;
use std::hint::black_box;

use secagg::parameters::Fraction;
use secagg::{
    Authority, Client, ClientId, Closed, Config, Counts, Credentials, Graph, Input, Policy, Round,
    SafetyPolicy, Server, Suite, VectorSpec,
};

mod timing;

use timing::{Race, median, one_thread, time};

/// The core of the targets: its AES-128-CTR in bytes a second.
const TARGET_RATE: f64 = 20e9;

/// At d = 10^6 and 10 % dropout, on that core.
const TARGET_CLIENT: f64 = 10e-3;
const TARGET_SERVER: f64 = 150e-3;

/// Bytes of keystream and of plain sums to measure the core by.
const PROBE: usize = 64 << 20;

#[derive(Clone, Copy)]
struct Case {
    suite: Suite,
    graph: Graph,
    clients: u32,
    threshold: u32,
    length: u32,
    bits: u8,
    dropped: u32,
    rounds: usize,
}

/// CPU seconds of one session.
struct Spent {
    /// All clients.
    clients: f64,
    server: f64,
    /// Bytes from and to all clients.
    up: usize,
    down: usize,
    client_counts: Counts,
    server_counts: Counts,
}

fn main() {
    one_thread();
    let only: Vec<String> = std::env::args().filter(|word| word == "suites" || word == "thousand").collect();
    let has = |part: &str| only.is_empty() || only.iter().any(|word| word == part);
    if only.is_empty() {
        sparse();
    }
    if has("suites") {
        active(100, 5);
        pinned(5);
    }
    if has("thousand") {
        active(1000, 1);
    }
}

/// Sessions of the regular graph beside their floor.
fn sparse() {
    println!("Whole sessions, threshold half the degree; one thread, CPU time, medians\n");
    println!(
        "{:>5} {:>6} {:>8} {:>4} {:>6} | {:>10} {:>8} {:>7} | {:>10} {:>8} {:>7} | {:>9}",
        "n",
        "degree",
        "d",
        "bits",
        "drop",
        "client, ms",
        "floor",
        "target",
        "server, ms",
        "floor",
        "target",
        "keystream"
    );
    let case = |length, bits, dropped, rounds| Case {
        suite: Suite::Curious,
        graph: Graph::Regular { degree: 20 },
        clients: 100,
        threshold: 11,
        length,
        bits,
        dropped,
        rounds,
    };
    for (length, rounds) in [(10_000, 7), (100_000, 5), (1_000_000, 3)] {
        for dropped in [0, 10] {
            report(&case(length, 32, dropped, rounds));
        }
    }
    report(&case(1_000_000, 24, 10, 3));
    report(&case(1_000_000, 16, 10, 3));
    let graph = Graph::Regular { degree: 100 };
    report(&Case { clients: 1000, graph, threshold: 51, ..case(10_000, 32, 100, 1) });
    println!(
        "\nclient: mean over the cohort; every other one gives its vector in chunks, the others whole\n\
         floor: keystream at the raw rate and coordinates at the rate of acc += x from memory, in the same run\n\
         target: share used of 10 ms and 150 ms at d = 10^6, scaled to the measured keystream from 20 GB/s"
    );
}

/// The active suite beside the curious one: the same graph, threshold and dropouts, a quarter corrupt.
fn active(clients: u32, rounds: usize) {
    let corrupt = clients / 4;
    println!(
        "\nActive beside curious: complete graph, t above (n + n/4)/2, d = 10^5, 32 bits, 10 % vanish\n"
    );
    let curious = Case {
        suite: Suite::Curious,
        graph: Graph::Complete,
        clients,
        threshold: (clients + corrupt) / 2 + 1,
        length: 100_000,
        bits: 32,
        dropped: clients / 10,
        rounds,
    };
    let suite = Suite::Active { corrupt, authority: authority().public() };
    compare(&curious, ("active", &Case { suite, ..curious }));
}

/// The pinned suite on the graph that `secagg plan` gives for 5 % corrupt and 10 % lost, beside the curious one on the
/// regular graph of the same degree.
///
/// On a k-out graph a client has twice as many neighbours: those that it has drawn and those that have drawn it.
fn pinned(rounds: usize) {
    println!("\nPinned, EXPERIMENTAL, beside curious: degree 22, t = 10, d = 10^5, 32 bits, 10 % vanish\n");
    let curious = Case {
        suite: Suite::Curious,
        graph: Graph::Regular { degree: 22 },
        clients: 100,
        threshold: 10,
        length: 100_000,
        bits: 32,
        dropped: 10,
        rounds,
    };
    let suite = Suite::Pinned { corrupt: 5, authority: authority().public() };
    compare(&curious, ("pinned", &Case { suite, graph: Graph::KOut { degree: 22 }, ..curious }));
}

/// Runs both in turn, round after round.
fn compare(curious: &Case, (name, signed): (&str, &Case)) {
    let runs: Vec<[Spent; 2]> = (0..curious.rounds).map(|_| [session(curious), session(signed)]).collect();
    let parts: [fn(&Spent) -> f64; 4] =
        [|spent| spent.clients, |spent| spent.server, |spent| spent.up as f64, |spent| spent.down as f64];
    println!(
        "{:>5} {:>8} | {:>12} {:>12} | {:>14} {:>14}",
        "n", "suite", "client, ms", "server, ms", "up/client, B", "down/client, B"
    );
    let (clients, each) = (curious.clients, f64::from(curious.clients));
    for (at, name) in ["curious", name].into_iter().enumerate() {
        let [client, server, up, down] = parts.map(|part| median(runs.iter().map(|run| part(&run[at]))));
        println!(
            "{clients:>5} {name:>8} | {:>12.2} {:>12.1} | {:>14.0} {:>14.0}",
            client / each * 1e3,
            server * 1e3,
            up / each,
            down / each
        );
    }
    let [client, server, up, down] =
        parts.map(|part| median(runs.iter().map(|[curious, signed]| part(signed) / part(curious))));
    println!("{:>5} {:>8} | {client:>12.2} {server:>12.2} | {up:>14.3} {down:>14.3}", "", "ratio");
    println!("\nratio: {name} over curious, the median of the ratios within a round");
}

fn report(case: &Case) {
    let (mut sums, values) = (vec![1u32; 1 << 20], vec![3u32; 1 << 20]);
    let mut spent = Vec::new();
    let race = Race::run(
        case.rounds,
        &mut [
            ("keystream", &mut || time(|| secagg::bench::keystream(PROBE))),
            ("memory", &mut || time(|| (0..PROBE >> 22).for_each(|_| add(&mut sums, black_box(&values))))),
            ("session", &mut || {
                spent.push(session(case));
                1.0
            }),
        ],
    );
    let keystream = PROBE as f64 / race.seconds("keystream");
    let memory = PROBE as f64 / race.seconds("memory");
    let clients = f64::from(case.clients);
    let lane = f64::from(if case.bits <= 16 { 2 } else { 4 });
    // What the clients add is one vector each, what the server adds is in its counts.
    let answered = clients - f64::from(case.dropped);
    let floor = |counts: &Counts, additions: f64| {
        counts.keystream_bytes as f64 / keystream + additions * lane / memory
    };
    let one = &spent[0];
    let client_floor = floor(&one.client_counts, answered * f64::from(case.length)) / clients;
    let server_floor = floor(&one.server_counts, one.server_counts.additions as f64);
    let client = median(spent.iter().map(|spent| spent.clients)) / clients;
    let server = median(spent.iter().map(|spent| spent.server));
    let share = |seconds: f64, target: f64| match case.length {
        1_000_000 => format!("{:.2}", seconds / (target * TARGET_RATE / keystream)),
        _ => String::new(),
    };
    println!(
        "{:>5} {:>6} {:>8} {:>4} {:>6} | {:>10.2} {:>8.2} {:>7} | {:>10.1} {:>8.1} {:>7} | {:>4.1} GB/s",
        case.clients,
        match case.graph {
            Graph::Complete => case.clients - 1,
            Graph::Regular { degree } | Graph::KOut { degree } => degree,
        },
        case.length,
        case.bits,
        case.dropped,
        client * 1e3,
        client_floor * 1e3,
        share(client, TARGET_CLIENT),
        server * 1e3,
        server_floor * 1e3,
        share(server, TARGET_SERVER),
        keystream * 1e-9,
    );
}

/// Runs a session in which the first clients vanish between ShareKeys and MaskedInputCollection.
fn session(case: &Case) -> Spent {
    let config = Config {
        suite: case.suite,
        graph: case.graph,
        clients: case.clients,
        threshold: case.threshold,
        minimum_survivors: 1,
        vectors: vec![VectorSpec::new("v", case.length, case.bits)],
        task: [0; 32],
        nonce: [9; 32],
    };
    let mut clients: BTreeMap<ClientId, Client> =
        (1..=case.clients).map(|number| new_client(number, case.suite)).collect();
    let (mut in_clients, mut in_server, mut up, mut down) = (0.0, 0.0, 0, 0);
    let (mut server, mut requests) =
        timed(&mut in_server, || Server::open(config)).expect("a fair configuration");
    let aggregate = loop {
        let round = server.progress().map(|progress| progress.round);
        for (id, request) in requests {
            if round == Some(Round::MaskedInputCollection) {
                if id.get() <= case.dropped {
                    continue;
                }
                let input = input(id, case);
                clients.get_mut(&id).expect("a client").set_input(input).expect("a fitting input");
            }
            let client = clients.get_mut(&id).expect("a client");
            let response = timed(&mut in_clients, || answer(client, id, &request));
            (up, down) = (up + response.len(), down + request.len());
            timed(&mut in_server, || server.receive(id, &response)).expect("an honest answer");
        }
        match timed(&mut in_server, || server.close_round()).expect("enough clients") {
            Closed::Next(next) => requests = next,
            Closed::Done(aggregate) => break aggregate,
        }
    };
    let mask = (1u64 << case.bits) - 1;
    let expected = aggregate.survivors.iter().map(|id| u64::from(id.get())).sum::<u64>() & mask;
    assert!(aggregate.vectors[0].1.iter().all(|sum| sum == expected));
    let client_counts = clients.values().fold(Counts::default(), |mut sum, client| {
        sum.keystream_bytes += client.counts().keystream_bytes;
        sum
    });
    Spent { clients: in_clients, server: in_server, up, down, client_counts, server_counts: server.counts() }
}

fn new_client(number: u32, suite: Suite) -> (ClientId, Client) {
    let mut entropy = [0; 32];
    entropy[..4].copy_from_slice(&number.to_be_bytes());
    let client = match suite.authority() {
        Some(trusted) => {
            let certificate = authority().certify(&Credentials::identity_of(&entropy)).expect("an identity");
            let credentials = Credentials::new(entropy, certificate, trusted).expect("a certificate");
            Client::with_credentials(entropy, policy(suite), credentials)
        }
        None => Client::new(entropy, Policy::default()),
    };
    (ClientId::new(number).expect("not zero"), client)
}

/// Allows the pinned suite; whether its parameters are safe is the planner's affair.
fn policy(suite: Suite) -> Policy {
    let usual = SafetyPolicy::new(Fraction::ZERO, Fraction::ZERO);
    let trusting =
        SafetyPolicy { security_bits: 0, correctness_bits: 0, minimum_honest: 1, roots: Some(1), ..usual };
    Policy { safety: matches!(suite, Suite::Pinned { .. }).then_some(trusting), ..Policy::default() }
}

fn authority() -> Authority {
    Authority::new([7; 32])
}

fn input(id: ClientId, case: &Case) -> Input {
    let length = case.length as usize;
    match case.bits {
        ..=16 => Input::new().with("v", vec![id.get() as u16; length]),
        _ => Input::new().with("v", vec![id.get(); length]),
    }
}

/// The whole message, or its chunks as a transport would send them, one behind the other.
fn answer(client: &mut Client, id: ClientId, request: &[u8]) -> Vec<u8> {
    if id.get().is_multiple_of(2) {
        return client.handle(request).expect("an honest server");
    }
    let response = client.respond(request).expect("an honest server");
    let mut message = Vec::with_capacity(response.len() as usize);
    response.for_each(|chunk| message.extend_from_slice(&chunk));
    message
}

fn timed<T>(total: &mut f64, work: impl FnOnce() -> T) -> T {
    let begin = timing::cpu();
    let result = work();
    *total += timing::cpu() - begin;
    result
}

#[inline(never)]
fn add(sums: &mut [u32], values: &[u32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum = sum.wrapping_add(*value);
    }
}
