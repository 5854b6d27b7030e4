//! `secagg-conform` against live endpoints: this project's server and client, and some that break the binding.

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

/// This project's server, which goes from session to session.
fn serve(runtime: &Runtime, clients: u32, graph: Graph, threshold: u32) -> (String, String) {
    let limits = Limits { join_patience: PATIENCE, upload_patience: PATIENCE, ..Limits::default() };
    let identity = Identity::ephemeral().unwrap();
    let _entered = runtime.enter();
    let mut server = SecaggServer::bind(loopback(), &identity, limits).unwrap();
    let (address, pin) = (server.local_address().to_string(), server.pin().to_string());
    let plan = SessionPlan {
        suite: Suite::Curious,
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

/// A server on bare QUIC that does this with each connection.
fn raw_server<F>(runtime: &Runtime, serve: impl Fn(Connection) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
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

#[cfg(unix)]
mod client {
    use std::collections::BTreeMap;
    use std::ops::ControlFlow;

    use secagg::{Input, Policy};
    use secagg_transport::{Announcement, SecaggClient};

    use super::*;

    /// The command of a client that behaves so: the test of this name below, in a process of its own.
    fn command(manner: &str) -> String {
        let this = std::env::current_exe().unwrap();
        let run = format!("exec \"{}\" --ignored --exact client::process", this.display());
        format!(
            "sh -c 'ADDR=$0 PIN=$1 NAME=$2 INPUT=$3 MANNER={manner} {run}' {{addr}} {{pin}} {{name}} {{input}}"
        )
    }

    /// This project's client as a process.
    #[test]
    #[ignore = "run by the other tests"]
    fn process() {
        let [address, pin, name, input, manner] =
            ["ADDR", "PIN", "NAME", "INPUT", "MANNER"].map(|name| std::env::var(name).unwrap());
        let input: BTreeMap<String, Vec<u64>> =
            serde_json::from_str(&std::fs::read_to_string(input).unwrap()).unwrap();
        Runtime::new().unwrap().block_on(async {
            let (address, pin) = (address.parse().unwrap(), pin.parse().unwrap());
            let patience = Duration::from_secs(5);
            let client = SecaggClient::join(address, pin, &name, loopback(), patience).await.unwrap();
            let client = match manner.as_str() {
                "leaving" => client.observe(|_| ControlFlow::Break(())),
                _ => client,
            };
            let wrong = u64::from(manner == "wrong-input");
            let input = |_: Announcement| async move {
                let with = |sum: Input, (name, values): (&String, &Vec<u64>)| {
                    sum.with(name, values.iter().map(|value| value ^ wrong).collect::<Vec<u64>>())
                };
                Ok::<_, Error>(input.iter().fold(Input::new(), with))
            };
            client.run_session(Policy::default(), input).await.ok();
        });
        if manner == "staying" {
            std::thread::sleep(Duration::from_secs(60));
        }
    }

    fn fails(command: &str, case: &str, why: &str) {
        let arguments = ["client", "--client", command, "--section", case, "--step-limit", "1.5"];
        let (text, passed) = text(&conform(&arguments));
        assert!(!passed && text.contains(&format!("failed {case} ")) && text.contains(why), "{text}");
    }

    #[test]
    fn our_client_passes_every_case() {
        let folder = tempfile::tempdir().unwrap();
        let (pin, junit) = (folder.path().join("pin"), folder.path().join("junit.xml"));
        let (pin, junit) = (pin.to_str().unwrap(), junit.to_str().unwrap());
        let command = command("honest");
        let output = conform(&["client", "--client", &command, "--pin-file", pin, "--junit", junit]);
        let counts = counts(&output);
        assert!(counts[0] >= 50 && counts[1..] == [0, 0], "{}", text(&output).0);
        assert_eq!(std::fs::read_to_string(pin).unwrap().trim().len(), 64);
        assert!(std::fs::read_to_string(junit).unwrap().contains("10.3/session-on-a-regular-graph"));
    }

    #[test]
    fn clients_that_break_the_binding_are_found() {
        fails(&command("leaving"), "10.3/session", "no answer in stage 1");
        fails(&command("leaving"), "4.2-1/version-2", "closed with 204, expected Code(8)");
        fails(&command("wrong-input"), "10.3/session", "the masks or the input are wrong");
        fails(&command("staying"), "10.3/session", "its process did not end");
        // The tool as a client takes every certificate, joins under a name of its own, and more than once.
        let tool = format!("\"{CONFORM}\" server {{addr}} --section 10.3/session --clients 2 --deadline 1");
        fails(&tool, "10.1/other-certificate", "it accepted a server with another certificate");
        fails(&tool, "10.3/session", "the name is \"conform-001-000");
    }

    #[test]
    fn clients_that_do_not_come_cost_no_more_than_their_time() {
        let begun = Instant::now();
        for command in ["sleep 1000", "false", "no-such-program", "sh -c 'unbalanced", "sh -c 'echo why >&2'"]
        {
            let (text, passed) =
                text(&conform(&["client", "--client", command, "--section", "10.2", "--step-limit", "0.2"]));
            assert!(!passed && text.contains("failed 10.2/no-frame"), "{text}");
        }
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn mistakes_of_the_caller_are_told() {
    for (arguments, why) in [
        (vec!["server", "nowhere"], "give HOST:PORT"),
        (vec!["server", "127.0.0.1:9", "--pin", "12"], "not a pin"),
        (vec!["server", "127.0.0.1:9", "--deadline", "0"], "--deadline"),
        (vec!["server", "127.0.0.1:9", "--section", "99"], "no test is of that section"),
        (vec!["client", "--step-limit", "0", "--client", "true"], "--step-limit"),
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
}
