//! Clients under test: this project's, and some that break the binding.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use secagg::{Input, Policy};
use secagg_tests::json::trusting;
use secagg_transport::enrolment::{KeyKind, credentials};
use secagg_transport::{Announcement, SecaggClient};

use super::*;

/// The command of a client that behaves so: the test of this name below, in a process of its own.
pub(crate) fn command(manner: &str) -> String {
    let this = std::env::current_exe().unwrap();
    let run = format!("exec \"{}\" --ignored --exact client::process", this.display());
    format!(
        "sh -c 'ADDR=$0 PIN=$1 NAME=$2 INPUT=$3 MANNER={manner} {run}' {{addr}} {{pin}} {{name}} {{input}}"
    )
}

/// The same with the identity that the tool names.
pub(crate) fn certified(manner: &str) -> String {
    format!(
        "env IDENTITY={{identity}} CERTIFICATE={{certificate}} AUTHORITY={{authority}} {}",
        command(manner)
    )
}

/// The same with a policy that allows the suite pinned.
pub(crate) fn allowing_pinned(manner: &str) -> String {
    format!("env PINNED=1 {}", certified(manner))
}

/// This project's client as a process.
#[test]
#[ignore = "run by the other tests"]
fn process() {
    let [address, pin, name, input, manner] =
        ["ADDR", "PIN", "NAME", "INPUT", "MANNER"].map(|name| std::env::var(name).unwrap());
    if manner == "lax" {
        return lax_client::run(address.parse().unwrap(), &name);
    }
    let input: BTreeMap<String, Vec<u64>> =
        serde_json::from_str(&std::fs::read_to_string(input).unwrap()).unwrap();
    Runtime::new().unwrap().block_on(async {
        let (address, pin) = (address.parse().unwrap(), pin.parse().unwrap());
        let patience = Duration::from_secs(5);
        let client = SecaggClient::join(address, pin, &name, loopback(), patience).await.unwrap();
        let client = match std::env::var("IDENTITY") {
            Ok(identity) => {
                let [certificate, authority] =
                    ["CERTIFICATE", "AUTHORITY"].map(|name| std::env::var(name).unwrap());
                let authority = KeyKind::Authority.public(&authority).unwrap();
                client.identify(credentials(identity.as_ref(), certificate.as_ref(), &authority).unwrap())
            }
            Err(_) => client,
        };
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
        client.run_session(policy(), input).await.ok();
    });
    if manner == "staying" {
        std::thread::sleep(Duration::from_secs(60));
    }
}

/// What the client under test insists on; whether the suite pinned is allowed the environment says.
pub(crate) fn policy() -> Policy {
    Policy { safety: std::env::var_os("PINNED").map(|_| trusting()), ..Policy::default() }
}

pub(crate) fn fails(command: &str, case: &str, why: &str) {
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
    for command in ["sleep 1000", "false", "no-such-program", "sh -c 'unbalanced", "sh -c 'echo why >&2'"] {
        let (text, passed) =
            text(&conform(&["client", "--client", command, "--section", "10.2", "--step-limit", "0.2"]));
        assert!(!passed && text.contains("failed 10.2/no-frame"), "{text}");
    }
    assert!(begun.elapsed() < Duration::from_secs(20));
}

/// Clients that somebody starts by hand, one for each case, where the tool says that it listens.
#[test]
fn clients_that_are_started_by_hand_are_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (pin, input) = (folder.path().join("pin"), folder.path().join("input.json"));
    std::fs::write(&input, "{\"conform\": [5, 6, 7, 8]}").unwrap();
    let cases = listed(&["client", "--section", "10.2"]);
    let listen = ["client", "--listen", "127.0.0.1:0", "--section", "10.2", "--wait", "10"];
    let mut tool = Command::new(CONFORM);
    tool.args(listen).arg("--pin-file").arg(&pin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut tool = tool.spawn().unwrap();
    let mut says = BufReader::new(tool.stderr.take().unwrap()).lines().map(Result::unwrap);
    let address = says.next().unwrap().strip_prefix("listening on ").unwrap().to_owned();
    let told = says.next().unwrap();
    let pin = std::fs::read_to_string(pin).unwrap();
    assert_eq!(told, format!("pin {}", pin.trim()));
    for (number, case) in cases.iter().enumerate() {
        assert_eq!(tool.try_wait().unwrap(), None, "it does not wait for {case}");
        let mut client = by_hand(&address, pin.trim(), &format!("anybody-{number}"), &input);
        assert!(client.wait().unwrap().success());
    }
    let output = tool.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output).0);
    assert_eq!(counts(&output), [cases.len(), 0, 0]);
}

fn by_hand(address: &str, pin: &str, name: &str, input: &Path) -> Child {
    let mut client = Command::new(std::env::current_exe().unwrap());
    client.args(["--ignored", "--exact", "client::process"]).env("INPUT", input);
    client.envs([("ADDR", address), ("PIN", pin), ("NAME", name), ("MANNER", "honest")]);
    client.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn nobody_who_is_started_by_hand_is_waited_for_for_ever() {
    let begun = Instant::now();
    let output = conform(&["client", "--section", "10.2", "--wait", "0.3"]);
    let (text, passed) = text(&output);
    assert!(!passed && text.contains("no client came within 300ms"), "{text}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}
