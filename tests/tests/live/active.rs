//! The active suite: this project's server and client, and some that leave out a check of it.

use secagg_transport::enrolment::{KeyKind, Roster};

use super::*;

/// A folder of the tool with an authority and identities.
pub(super) struct People(tempfile::TempDir);

impl People {
    pub(super) fn new() -> Self {
        let people = Self(tempfile::tempdir().unwrap());
        let output = conform(&["identities", &people.path("")]);
        assert!(output.status.success(), "{}", text(&output).0);
        people
    }

    /// A file of the folder, or the folder itself.
    pub(super) fn path(&self, name: &str) -> String {
        self.0.path().join("people").join(name).to_str().unwrap().to_owned()
    }

    pub(super) fn authority(&self) -> [u8; 32] {
        KeyKind::Authority.public(&self.path("ca.pub")).unwrap()
    }
}

/// The rules that only this suite has and that a server can be seen to break, and those for a client.
const OF_SERVERS: [&str; 5] = ["3.7-1", "3.7-2", "4.2-4", "4.2-5", "4.5-5"];
const OF_CLIENTS: [&str; 10] =
    ["3.7-1", "3.7-2", "4.2-4", "4.2-5", "4.5-1", "4.5-2", "4.5-3", "4.5-4", "4.6-11", "4.6-12"];

#[test]
fn the_identities_are_those_of_the_program() {
    let people = People::new();
    let roster = Roster::read(people.path("roster").as_ref()).unwrap();
    assert_eq!((roster.authority, roster.members.len()), (people.authority(), 6));
    for number in 1..=6 {
        let key = people.path(&format!("conform-{number:03}"));
        let identity = KeyKind::Identity.public(&format!("{key}.pub")).unwrap();
        assert!(roster.has(&identity));
    }
    // What has an owner is not overwritten.
    assert!(!conform(&["identities", &people.path("")]).status.success());
    // A certificate of somebody else is no certificate.
    std::fs::copy(people.path("conform-002.cert"), people.path("conform-001.cert")).unwrap();
    let (text, passed) = text(&conform(&["server", "127.0.0.1:9", "--identities", &people.path("")]));
    assert!(!passed && text.contains("conform-001"), "{text}");
}

#[test]
fn our_server_passes_every_case() {
    let (people, runtime) = (People::new(), Runtime::new().unwrap());
    let suite = Suite::Active { corrupt: 0, authority: people.authority() };
    let (address, pin) = serve_suite(&runtime, suite, 3, Graph::Complete, 2);
    let folder = people.path("");
    let output = conform(&["server", &address, "--pin", &pin, "--deadline", "10", "--identities", &folder]);
    let counts = counts(&output);
    assert!(counts[0] >= 105 && counts[1..] == [0, 0], "{}", text(&output).0);
    // Clients without identities, and too few of them.
    for (arguments, why) in [
        (&["--section", "10.3/session"][..], "see --identities"),
        (&["--clients", "7", "--identities", &folder], "has 6 identities, but 7 are needed"),
    ] {
        let (text, passed) = text(&conform(&[&["server", &address, "--deadline", "2"], arguments].concat()));
        assert!(!passed && text.contains(why), "{text}");
    }
}

#[test]
fn servers_that_leave_out_a_check_are_found_by_a_case_of_its_rule() {
    let (people, runtime) = (People::new(), Runtime::new().unwrap());
    let folder = people.path("");
    let config = || lax_server::active(&people);
    for rule in OF_SERVERS {
        let address = lax_server::start(&runtime, &people, config(), if rule == "4.5-5" { 4 } else { 1 });
        finds_lax_server(&["--clients", "3", "--identities", &folder], &address, rule);
    }
    // What it does check it tells rightly.
    let address = lax_server::start(&runtime, &people, config(), 1);
    let arguments = ["server", &address, "--deadline", "3", "--identities", &folder, "--section", "4.5-5"];
    let output = conform(&arguments);
    assert!(output.status.success(), "{}", text(&output).0);
}

/// Every case of the rule fails for this server, and for the reason that it takes what it must not take.
pub(super) fn finds_lax_server(suite: &[&str], address: &str, rule: &str) {
    let arguments = [&["server", address, "--deadline", "3", "--section", rule][..], suite].concat();
    let output = conform(&[&arguments[..], &["--format", "json"]].concat());
    let mut failed = 0;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(entry["outcome"], "failed", "{line}");
        assert!(entry["id"].as_str().unwrap().starts_with(&format!("{rule}/")), "{line}");
        // An advertisement with another key comes back to the client that it is said to be of.
        let why = entry["why"].as_str().unwrap();
        assert!(why.contains("was told 192, not [") || why.contains("[4.3-1]"), "{line}");
        assert!(entry["rule"].as_str().unwrap().contains("MUST"), "{line}");
        failed += 1;
    }
    assert!(failed > 0 && failed == listed(&arguments).len(), "{}", text(&output).0);
}

#[cfg(unix)]
#[test]
fn our_client_passes_every_case() {
    let people = People::new();
    let command = client::certified("honest");
    let output = conform(&["client", "--client", &command, "--identities", &people.path("")]);
    let counts = counts(&output);
    assert!(counts[0] >= 105 && counts[1..] == [0, 0], "{}", text(&output).0);
}

#[cfg(unix)]
#[test]
fn clients_that_leave_out_checks_are_found_by_the_cases_of_their_rules() {
    let (people, command) = (People::new(), client::certified("lax"));
    let arguments = ["client", "--client", &command, "--identities", &people.path(""), "--section"];
    for rule in OF_CLIENTS {
        finds_lax_client(&[&arguments[..], &[rule]].concat());
    }
    // Where the server does not lie such a client does all that it has to.
    let output = conform(&[&arguments[..], &["10.3/session"]].concat());
    assert!(output.status.success(), "{}", text(&output).0);
}

/// Every case that these arguments choose fails, because the client answers.
#[cfg(unix)]
pub(super) fn finds_lax_client(arguments: &[&str]) {
    let cases = listed(arguments);
    let (text, passed) = text(&conform(arguments));
    assert!(!passed && !cases.is_empty(), "{text}");
    for case in cases {
        assert!(text.contains(&format!("failed {case} ")), "{case}: {text}");
    }
    assert!(text.contains("it answered, but should have closed: Code("), "{text}");
    assert!(text.contains("the rule: ") && text.contains("MUST"), "{text}");
}

#[cfg(unix)]
#[test]
fn clients_of_the_other_suite_are_found() {
    let people = People::new();
    let command = client::command("honest");
    let folder = people.path("");
    let arguments = ["client", "--client", &command, "--identities", &folder, "--section", "10.3/session"];
    let (text, passed) = text(&conform(&arguments));
    assert!(!passed && text.contains("no answer in stage 1"), "{text}");
    client::fails(&client::certified("honest"), "10.3/session", "no answer");
}
