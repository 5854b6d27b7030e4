//! `secagg-conform` against live endpoints: this project's server and client, and some that break the binding.

mod active;
#[cfg(unix)]
mod client;
#[cfg(unix)]
mod lax_client;
mod lax_server;
mod pinned;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, Endpoint, VarInt};
use secagg::{Config, Graph, Server, Suite, VectorSpec};
use secagg_transport::{Error, Identity, Limits, SecaggServer, SessionPlan, SessionPolicy, Threshold};
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;

const CONFORM: &str = env!("CARGO_BIN_EXE_secagg-conform");

/// How long the server under test waits for a silent client in a round, and otherwise.
const ROUND: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(1);

fn conform(arguments: &[&str]) -> Output {
    Command::new(CONFORM).args(arguments).output().unwrap()
}

fn text(output: &Output) -> (String, bool) {
    let text = [&output.stdout[..], &output.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), output.status.success())
}

fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// The counts of the last line: passed, failed, skipped.
fn counts(output: &Output) -> Vec<usize> {
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    last.split(", ").filter_map(|part| part.split(' ').next()?.parse().ok()).collect()
}

/// The ids of the cases that these arguments choose.
fn listed(arguments: &[&str]) -> Vec<String> {
    let output = conform(&[arguments, &["--list"]].concat());
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    lines.lines().filter_map(|line| Some(line.split_whitespace().nth(1)?.to_owned())).collect()
}

/// This project's server, which goes from session to session.
fn serve(runtime: &Runtime, clients: u32, graph: Graph, threshold: u32) -> (String, String) {
    serve_suite(runtime, Suite::Curious, clients, graph, threshold)
}

fn serve_suite(
    runtime: &Runtime,
    suite: Suite,
    clients: u32,
    graph: Graph,
    threshold: u32,
) -> (String, String) {
    let limits = Limits { join_patience: PATIENCE, upload_patience: PATIENCE, ..Limits::default() };
    let identity = Identity::ephemeral().unwrap();
    let _entered = runtime.enter();
    let mut server = SecaggServer::bind(loopback(), &identity, limits).unwrap();
    let (address, pin) = (server.local_address().to_string(), server.pin().to_string());
    let plan = SessionPlan {
        suite,
        graph,
        clients,
        threshold: Threshold::Fixed(threshold),
        minimum_survivors: None,
        vectors: vec![VectorSpec::new("odd", 5, 9), VectorSpec::new("bounded", 2, 40).with_bound(1 << 20)],
        task: Arc::from(&b"a task"[..]),
        nonce: None,
        policy: SessionPolicy::uniform(Duration::from_secs(600), clients, ROUND),
    };
    runtime.spawn(async move { while !matches!(server.run_session(&plan).await, Err(Error::Misuse(_))) {} });
    (address, pin)
}

#[test]
fn our_server_passes_every_case() {
    let runtime = Runtime::new().unwrap();
    let (address, pin) = serve(&runtime, 3, Graph::Complete, 2);
    let output = conform(&["server", &address, "--pin", &pin, "--deadline", "10"]);
    let counts = counts(&output);
    assert!(counts[0] >= 80 && counts[1..] == [0, 0], "{}", text(&output).0);
    assert!(output.status.success());
}

#[test]
fn our_server_passes_on_a_regular_graph() {
    let runtime = Runtime::new().unwrap();
    let (address, _) = serve(&runtime, 6, Graph::Regular { degree: 4 }, 2);
    let output = conform(&["server", &address, "--clients", "6", "--section", "4.6", "--format", "json"]);
    assert!(output.status.success(), "{}", text(&output).0);
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(lines.lines().count() >= 6, "{lines}");
    for line in lines.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&entry["level"], &entry["outcome"]), (&"live".into(), &"passed".into()), "{line}");
    }
}

#[test]
fn another_number_of_clients_is_told() {
    let runtime = Runtime::new().unwrap();
    let (address, _) = serve(&runtime, 2, Graph::Complete, 2);
    let (text, passed) =
        text(&conform(&["server", &address, "--section", "10.3/session", "--deadline", "1"]));
    assert!(!passed && text.contains("the session has 2 clients, not 3: see --clients"), "{text}");
}

#[test]
fn a_server_that_is_not_there_or_has_another_pin_fails_every_case_in_bounded_time() {
    let runtime = Runtime::new().unwrap();
    let (address, _) = serve(&runtime, 3, Graph::Complete, 2);
    let other = "00".repeat(32);
    let begun = Instant::now();
    for arguments in [["127.0.0.1:9", "--deadline", "0.3"], [&address, "--pin", &other]] {
        let output = conform(&[&["server"], &arguments[..]].concat());
        let (text, passed) = text(&output);
        // A handshake that has to fail does.
        assert!(!passed && counts(&output)[0] <= 1 && text.contains("not run: nothing came"), "{text}");
    }
    assert!(begun.elapsed() < Duration::from_secs(20));
}

/// Bare QUIC, with its address.
fn raw_endpoint(runtime: &Runtime) -> (Endpoint, String) {
    let made = rcgen::generate_simple_self_signed(["secagg".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    tls.alpn_protocols = vec![b"secagg/1".to_vec()];
    let config = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).unwrap()));
    let _entered = runtime.enter();
    let endpoint = Endpoint::server(config, loopback()).unwrap();
    let address = endpoint.local_addr().unwrap().to_string();
    (endpoint, address)
}

/// A server on bare QUIC that does this with each connection.
fn raw_server<F>(runtime: &Runtime, serve: impl Fn(Connection) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let (endpoint, address) = raw_endpoint(runtime);
    runtime.spawn(async move {
        while let Some(coming) = endpoint.accept().await {
            if let Ok(connection) = coming.await {
                tokio::spawn(serve(connection));
            }
        }
    });
    address
}

/// Runs one case against a server, which fails it for this reason.
fn fails(address: &str, case: &str, why: &str) {
    let (text, passed) =
        text(&conform(&["server", address, "--section", case, "--clients", "2", "--deadline", "1"]));
    assert!(!passed && text.contains(&format!("failed {case} ")) && text.contains(why), "{text}");
}

#[test]
fn a_server_that_tells_a_wrong_code_is_found() {
    let runtime = Runtime::new().unwrap();
    let address = raw_server(&runtime, |connection| async move {
        connection.close(VarInt::from_u32(7), b"");
    });
    fails(&address, "10.3/name-empty", "the connection was closed with 7, not [198]");
    fails(&address, "10.3/join-version-2", "the connection was closed with 7, not [197]");
    fails(&address, "10.3/session", "an honest join was refused with 7");
}

#[test]
fn a_server_that_never_closes_is_found() {
    let runtime = Runtime::new().unwrap();
    let address = raw_server(&runtime, |connection| async move {
        connection.closed().await;
    });
    fails(&address, "10.2/join-greatest-length", "the connection was not closed within 1s");
    fails(&address, "10.3/session", "no answer came within 1s");
    let (text, _) = text(&conform(&["server", &address, "--section", "10.2", "--deadline", "0.2"]));
    assert!(text.contains("not run: nothing came"), "{text}");
}

#[test]
fn a_server_that_opens_streams_is_found() {
    let runtime = Runtime::new().unwrap();
    let address = raw_server(&runtime, |connection| async move {
        let (mut send, _receive) = connection.open_bi().await.unwrap();
        send.write_all(b"hello").await.unwrap();
        connection.closed().await;
    });
    fails(&address, "10.3/session", "the server opened a stream");
}

/// A server that announces a session, and answers whatever comes with this frame and this close.
fn deaf_server(runtime: &Runtime, frame: Vec<u8>, close: u32) -> String {
    let config = Config {
        suite: Suite::Curious,
        graph: Graph::Complete,
        clients: 2,
        threshold: 2,
        minimum_survivors: 2,
        vectors: vec![VectorSpec::new("v", 3, 9)],
        task: Sha256::digest(b"").into(),
        nonce: [0; 32],
    };
    let requests = Server::open(config).unwrap().1;
    raw_server(runtime, move |connection| {
        let (requests, frame) = (requests.clone(), frame.clone());
        async move {
            let (mut first, mut join) = connection.accept_bi().await.unwrap();
            let join = join.read_to_end(100).await.unwrap();
            // The place in the order of the names is the end of the name.
            let place = usize::from(join[join.len() - 1] - b'0');
            let body = [&[0; 8], requests[place].1.as_slice()].concat();
            first.write_all(&[&[0], &(body.len() as u64).to_be_bytes()[..], &body].concat()).await.unwrap();
            first.finish().unwrap();
            let (mut reply, _answer) = connection.accept_bi().await.unwrap();
            reply.write_all(&frame).await.unwrap();
            reply.finish().unwrap();
            reply.stopped().await.ok();
            if close > 0 {
                connection.close(VarInt::from_u32(close), b"");
            }
            connection.closed().await;
        }
    })
}

#[test]
fn a_server_that_answers_wrongly_in_a_session_is_found() {
    let runtime = Runtime::new().unwrap();
    let frame = |code: u8| [&[code][..], &[0; 8]].concat();
    let address = deaf_server(&runtime, frame(3), 3);
    fails(&address, "4.1-1/empty", "an honest client, conform-001-0000, was told 3, not [128]");
    fails(&address, "3.2-2/identity", "was told 3, not");
    let address = deaf_server(&runtime, frame(3), 4);
    fails(&address, "10.3/session", "told 3 on the stream, but the close says 4");
    let address = deaf_server(&runtime, frame(3), 0);
    fails(&address, "10.3/session", "the connection was not closed within 1s");
    let address = deaf_server(&runtime, frame(192), 192);
    fails(&address, "10.3/session", "told 192 in stage 1");
    let address = deaf_server(&runtime, [&[192, 0, 0, 0, 0, 0, 0, 0, 1], &b"x"[..]].concat(), 0);
    fails(&address, "10.3/session", "status 192 came with a body of 1 bytes");
    let address = deaf_server(&runtime, vec![0xff; 9], 0);
    fails(&address, "10.3/session", "a frame announces 18446744073709551615 bytes");
}

#[test]
fn mistakes_of_the_caller_are_told() {
    for (arguments, why) in [
        (vec!["server", "nowhere"], "give HOST:PORT"),
        (vec!["server", "127.0.0.1:9", "--pin", "12"], "not a pin"),
        (vec!["server", "127.0.0.1:9", "--deadline", "0"], "--deadline"),
        (vec!["server", "127.0.0.1:9", "--section", "99"], "no test is of that section"),
        (vec!["client", "--step-limit", "0", "--client", "true"], "--step-limit"),
        (vec!["server", "127.0.0.1:9", "--identities", "no-such-folder"], "no-such-folder"),
        (vec!["client", "--identities", "no-such-folder", "--client", "true"], "no-such-folder"),
        (vec!["identities", "/"], "/"),
        (vec!["client", "--listen", "203.0.113.1:1", "--client", "true"], "203.0.113.1:1"),
    ] {
        let output = conform(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(why), "{:?}", text(&output));
    }
}

#[test]
fn cases_are_listed() {
    for end in ["server", "client"] {
        let (text, passed) = text(&conform(&[end, "--list", "--section", "10.2"]));
        assert!(passed && text.lines().count() > 5, "{text}");
        assert!(text.lines().all(|line| line.starts_with("live ") && line.contains(" 10.2/")), "{text}");
    }
    assert!(listed(&["client", "--section", "4.5"]).is_empty());
    assert!(listed(&["client", "--section", "4.5", "--identities", "any"]).len() >= 8);
}
