//! The pinned suite: this project's server and client, and some that leave out a check of it.

use super::active::{People, finds_lax_server};
use super::*;

/// The rules of this suite that a server can be seen to break, with the stage of each.
const OF_SERVERS: [(&str, u8); 4] = [("4.2-4", 1), ("4.3-4", 2), ("4.4-9", 3), ("4.5-5", 4)];

/// Those that a client can, and those of the suite active that are others here.
#[cfg(unix)]
const OF_CLIENTS: [&str; 11] =
    ["4.2-4", "4.4-1", "4.4-2", "4.4-6", "4.4-7", "4.4-8", "4.5-4", "4.5-6", "4.6-11", "4.6-13", "4.6-14"];

#[test]
fn our_server_passes_every_case() {
    let (people, runtime) = (People::new(), Runtime::new().unwrap());
    let folder = people.path("");
    let suite = Suite::Pinned { corrupt: 1, authority: people.authority() };
    let (address, pin) = serve_suite(&runtime, suite, 5, Graph::KOut { degree: 4 }, 3);
    let arguments = ["server", &address, "--pin", &pin, "--identities", &folder, "--suite", "pinned"];
    let output = conform(&[&arguments[..], &["--clients", "5", "--deadline", "10"]].concat());
    let counts = counts(&output);
    assert!(counts[0] >= 115 && counts[1..] == [0, 0], "{}", text(&output).0);
    // A tool of the suite active is told why nothing can be played.
    let arguments = ["server", &address, "--clients", "5", "--deadline", "2", "--identities", &folder];
    let (text, passed) = text(&conform(&[&arguments[..], &["--section", "10.3/session"]].concat()));
    assert!(!passed && text.contains("--suite"), "{text}");
}

/// Here who is whose holder is not known beforehand.
#[test]
fn our_server_passes_on_a_sparse_graph() {
    let (people, runtime) = (People::new(), Runtime::new().unwrap());
    let suite = Suite::Pinned { corrupt: 1, authority: people.authority() };
    let (address, _) = serve_suite(&runtime, suite, 6, Graph::KOut { degree: 4 }, 3);
    for section in ["4.3", "4.4", "4.6"] {
        let arguments = ["server", &address, "--identities", &people.path(""), "--suite", "pinned"];
        let output = conform(&[&arguments[..], &["--clients", "6", "--section", section]].concat());
        let counts = counts(&output);
        assert!(counts[0] >= 3 && counts[1] == 0, "{}", text(&output).0);
    }
}

#[test]
fn servers_that_leave_out_a_check_are_found_by_a_case_of_its_rule() {
    let (people, runtime) = (People::new(), Runtime::new().unwrap());
    let folder = people.path("");
    for (rule, stage) in OF_SERVERS {
        let address = lax_server::start(&runtime, &people, lax_server::pinned(&people), stage);
        let suite = ["--clients", "5", "--identities", &folder, "--suite", "pinned"];
        finds_lax_server(&suite, &address, rule);
    }
}

#[cfg(unix)]
#[test]
fn our_client_passes_every_case() {
    let people = People::new();
    let command = client::allowing_pinned("honest");
    let arguments = ["client", "--client", &command, "--identities", &people.path(""), "--suite", "pinned"];
    let output = conform(&arguments);
    let counts = counts(&output);
    assert!(counts[0] >= 125 && counts[1..] == [0, 0], "{}", text(&output).0);
}

#[cfg(unix)]
#[test]
fn clients_that_leave_out_checks_are_found_by_the_cases_of_their_rules() {
    let (people, command) = (People::new(), client::allowing_pinned("lax"));
    let arguments = ["client", "--client", &command, "--identities", &people.path(""), "--suite", "pinned"];
    for rule in OF_CLIENTS {
        super::active::finds_lax_client(&[&arguments[..], &["--section", rule]].concat());
    }
    // Where the server does not lie such a client does all that it has to.
    let output = conform(&[&arguments[..], &["--section", "10.3/session"]].concat());
    assert!(output.status.success(), "{}", text(&output).0);
    // One that does not allow the suite refuses it, and one that allows it does so in suite 2 too.
    let command = client::certified("honest");
    let arguments = ["client", "--client", &command, "--identities", &people.path(""), "--suite", "pinned"];
    let (text, passed) = text(&conform(&[&arguments[..], &["--section", "10.3/session"]].concat()));
    assert!(!passed && text.contains("no answer in stage 1"), "{text}");
}
