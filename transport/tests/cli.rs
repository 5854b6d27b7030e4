//! The program `secagg`, run as its users run it.

mod program;

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use program::{PIN, Serving, assert_fails, run, secagg};
use serde_json::Value;

fn join(address: &str, state: &Path, name: &str, input: &Path) -> Child {
    let pin = state.join("pin");
    let (pin, input) = (pin.to_str().unwrap(), input.to_str().unwrap());
    let arguments = ["join", address, "--pin-file", pin, "--name", name, "--input", input];
    secagg(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn help_shows_examples() {
    for arguments in [&["--help"][..], &["serve", "--help"], &["join", "--help"], &["demo", "--help"]] {
        let output = run(arguments);
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("Examples:\n"), "{text}");
    }
    assert!(run(&["--version"]).status.success());
}

#[test]
fn mistakes_on_the_command_line_end_with_two() {
    let vector = "x:1:8";
    assert_eq!(run(&[]).status.code(), Some(2));
    assert_fails(&["fly"], 2, "fly");
    assert_fails(&["serve", "--clients", "3"], 2, "--vector");
    assert_fails(&["serve", "--clients", "1", "--vector", vector], 2, "1");
    assert_fails(&["serve", "--clients", "3", "--vector", "x:1"], 2, "NAME:LENGTH:BITS");
    assert_fails(&["serve", "--clients", "3", "--vector", "x:1:63"], 2, "63");
    assert_fails(&["serve", "--clients", "3", "--vector", "x:1:8:200"], 2, "200");
    assert_fails(&["serve", "--clients", "3", "--vector", vector, "--vector", vector], 2, "x");
    assert_fails(&["serve", "--clients", "3", "--vector", vector, "--threshold", "4"], 2, "4");
    assert_fails(&["serve", "--clients", "3", "--vector", vector, "--degree", "8"], 2, "8");
    assert_fails(&["serve", "--clients", "3", "--vector", vector, "--listen", "here"], 2, "here");
    assert_fails(&["serve", "--clients", "3", "--vector", vector, "--join-deadline", "0"], 2, "seconds");
    assert_fails(&["join", "127.0.0.1:1", "--name", "a", "--input", "x"], 2, "--pin");
    assert_fails(&["join", "127.0.0.1:1", "--pin", "12", "--name", "a", "--input", "x"], 2, "64");
    assert_fails(&["join", "127.0.0.1:1", "--pin", PIN, "--name", "", "--input", "x"], 2, "1 to 64");
    assert_fails(
        &["join", "127.0.0.1:1", "--pin", PIN, "--vanish", "soon", "--name", "a", "--input", "x"],
        2,
        "soon",
    );
    assert_fails(&["demo", "--dropout", "1.5"], 2, "0 to 1");
    assert_fails(&["demo", "--clients", "5000"], 2, "5000");
    assert_fails(&["demo", "--clients", "8", "--threshold", "9"], 2, "9");
    assert_fails(&["demo", "--suite", "unknown"], 2, "unknown");
    assert_fails(&["demo", "--format", "xml"], 2, "xml");
}

#[test]
fn a_port_in_use_is_named() {
    let state = tempfile::tempdir().unwrap();
    let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let state = state.path().to_str().unwrap();
    let arguments = ["serve", "--listen", &address, "--clients", "3", "--vector", "x:1:8", "--state", state];
    assert_fails(&arguments, 1, &address);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let joining = |input: &str, said: &str| {
        let arguments = ["join", "127.0.0.1:1", "--pin", PIN, "--name", "a", "--input", input];
        assert_fails(&arguments, 1, said);
    };
    joining(&path("missing.json"), "missing.json");
    for (name, content) in [
        ("text.json", "not json"),
        ("list.json", "[1, 2]"),
        ("words.json", r#"{"x": ["1"]}"#),
        ("huge.json", r#"{"x": [1e999]}"#),
    ] {
        fs::write(path(name), content).unwrap();
        joining(&path(name), name);
    }
    fs::write(path("pin"), "no pin").unwrap();
    let pin = path("pin");
    assert_fails(&["join", "127.0.0.1:1", "--pin-file", &pin, "--name", "a", "--input", &pin], 1, "pin");
    // A file where a directory should be.
    let state = path("pin");
    let serve =
        ["serve", "--listen", "127.0.0.1:0", "--clients", "3", "--vector", "x:1:8", "--state", &state];
    assert_fails(&serve, 1, "pin");
    assert_fails(&["demo", "--rounds", "1", "--clients", "4", "--report", &state], 1, "--report");
}

#[test]
fn a_server_that_does_not_answer_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("input.json");
    fs::write(&input, "{}").unwrap();
    // Bound, so that nobody else answers, and silent.
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let input = input.to_str().unwrap();
    let arguments =
        ["join", &address, "--pin", PIN, "--name", "a", "--input", input, "--connect-timeout", "1"];
    assert_fails(&arguments, 1, &address);
    let arguments = ["join", "no port", "--pin", PIN, "--name", "a", "--input", input];
    assert_fails(&arguments, 1, "HOST:PORT");
}

#[test]
fn a_server_with_another_pin_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("input.json");
    fs::write(&input, r#"{"x": [1]}"#).unwrap();
    let server = Serving::start(folder.path(), &["--clients", "2", "--vector", "x:1:8"]);
    let input = input.to_str().unwrap();
    let arguments = ["join", &server.address, "--pin", PIN, "--name", "a", "--input", input];
    assert_fails(&arguments, 1, PIN);
}

#[test]
fn an_input_that_does_not_fit_the_session_is_explained_and_costs_that_client_only() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let good = write("good.json", r#"{"x": [1, 2]}"#);
    let bad = [
        (write("other.json", r#"{"y": [1, 2]}"#), "no vector"),
        (write("short.json", r#"{"x": [1]}"#), "1 coordinates"),
        (write("large.json", r#"{"x": [1, 256]}"#), "256"),
        (write("float.json", r#"{"x": [1, 1.5]}"#), "1.5 at 1"),
        (write("negative.json", r#"{"x": [-1, 1]}"#), "-1 at 0"),
    ];
    let server = Serving::start(folder.path(), &["--clients", "8", "--vector", "x:2:8", "--threshold", "3"]);
    let start = |name: &str, input: &Path| join(&server.address, folder.path(), name, input);
    let honest: Vec<_> = ["a", "b", "c"].iter().map(|name| start(name, &good)).collect();
    let faulty: Vec<_> = bad.iter().map(|(path, _)| start(path.to_str().unwrap_or("f"), path)).collect();
    for (client, (_, said)) in faulty.into_iter().zip(bad.iter()) {
        let output = client.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
    for client in honest {
        assert!(client.wait_with_output().unwrap().status.success());
    }
    let (code, stdout, stderr) = server.end();
    assert_eq!(code, Some(0), "{stderr}");
    let sum: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(sum["vectors"]["x"], serde_json::json!([3, 6]));
}

#[test]
fn three_processes_find_their_sum() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("sums.jsonl");
    let vectors = ["--vector", "steps:3:20", "--vector", "count:1:62:5"];
    let mut arguments = vec!["--clients", "2", "--rounds", "2", "--output", output.to_str().unwrap()];
    arguments.extend(vectors);
    arguments.extend(["--format", "text"]);
    let server = Serving::start(folder.path(), &arguments);
    for _ in 0..2 {
        let inputs = [
            ("bob", r#"{"steps": [1, 2, 3], "count": [2]}"#),
            ("alice", r#"{"count": [3], "steps": [10, 20, 1048000]}"#),
        ];
        let clients = inputs.map(|(name, content)| {
            let path = folder.path().join(format!("{name}.json"));
            fs::write(&path, content).unwrap();
            join(&server.address, folder.path(), name, &path)
        });
        for client in clients {
            let output = client.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert!(String::from_utf8_lossy(&output.stdout).contains("released"));
        }
    }
    let (code, stdout, stderr) = server.end();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("2 survivors: alice, bob\n"), "{stdout}");
    assert!(stdout.contains("steps: 11 22 1048003\n"), "{stdout}");
    let sums = fs::read_to_string(output).unwrap();
    assert_eq!(sums.lines().count(), 2);
    for line in sums.lines() {
        let expected = serde_json::json!({
            "vectors": {"steps": [11, 22, 1_048_003], "count": [5]},
            "survivors": ["alice", "bob"],
            "dropped": {},
        });
        assert_eq!(serde_json::from_str::<Value>(line).unwrap(), expected);
    }
}

#[test]
fn both_ends_report_the_same_bytes_and_a_client_vanishes_where_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.jsonl");
    let vector = ["--vector", "x:5:16", "--report", report.to_str().unwrap()];
    let server =
        Serving::start(folder.path(), &[&["--clients", "4", "--threshold", "3"], &vector[..]].concat());
    let input = folder.path().join("input.json");
    fs::write(&input, r#"{"x": [1, 2, 3, 4, 5]}"#).unwrap();
    let pin = folder.path().join("pin");
    let start = |name| {
        let files = ["--pin-file", pin.to_str().unwrap(), "--input", input.to_str().unwrap()];
        let mut client = secagg(&["join", &server.address, "--name", name, "--format", "json"]);
        if name == "dan" {
            client.args(["--vanish", "before:MaskedInputCollection"]);
        }
        client.args(files).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let clients: Vec<Child> = ["ann", "bob", "cat", "dan"].into_iter().map(start).collect();
    let clients: Vec<Value> = clients
        .into_iter()
        .map(|client| {
            let output = client.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            serde_json::from_slice(&output.stdout).unwrap()
        })
        .collect();
    let (code, _, stderr) = server.end();
    assert_eq!(code, Some(0), "{stderr}");
    let report: Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!(report["abort"], Value::Null);
    assert_eq!(report["operations"]["additions"], 15);
    for (at, client) in clients.iter().enumerate() {
        let seen = &report["clients"][at];
        assert_eq!((&seen["name"], &client["vanished"]), (&client["name"], &Value::Bool(at == 3)));
        let rounds = seen["rounds"].as_object().unwrap();
        assert_eq!(rounds.len(), if at == 3 { 3 } else { 4 });
        let sum = |key: &str| rounds.values().map(|round| round[key].as_u64().unwrap()).sum::<u64>();
        assert_eq!((&client["sent"], &client["received"]), (&sum("up").into(), &sum("down").into()));
        assert_eq!(client["operations"]["encryption_agreements"], 3);
        assert_eq!(client["operations"]["keystream_bytes"] == 0, at == 3);
        for (name, round) in rounds {
            let answered = at != 3 || name != "MaskedInputCollection";
            assert_eq!(round["answered_after"].as_f64().is_some_and(|after| after > 0.0), answered, "{name}");
        }
    }
}

#[test]
fn a_session_with_noise_is_planned_served_joined_and_accounted_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let plan = "privacy plan --epsilon 60 --delta 1e-6 --clients 4 --dropout 0.25 --corrupt 0 --clip 2 --dimension 6 \
                --bits 24 --format json";
    let planned = run(&plan.split_whitespace().collect::<Vec<_>>());
    fs::write(path("plan.json"), &planned.stdout).unwrap();
    let noise = format!("update:{}", path("plan.json"));
    let serve = ["serve", "--clients", "4", "--noise", &noise];
    assert_fails(&[&serve[..], &["--minimum-survivors", "2"]].concat(), 3, "at least 3 survivors");
    assert_fails(&["serve", "--clients", "5", "--noise", &noise], 3, "3 to 4 clients");
    assert_fails(&["serve", "--clients", "4", "--noise", "update:none"], 2, "cannot read none");
    let unknown = String::from_utf8_lossy(&planned.stdout).replacen("ddg", "laplace", 1);
    fs::write(path("unknown.json"), unknown).unwrap();
    let unknown = format!("u:{}", path("unknown.json"));
    assert_fails(&["serve", "--clients", "4", "--noise", &unknown], 2, "not carry laplace");

    let ledger = path("phones.ledger");
    let create = ["--population", "phones", "--epsilon", "60", "--delta", "1e-6"];
    assert!(run(&[&["privacy", "ledger", "create", &ledger], &create[..]].concat()).status.success());
    // A round of the name that the server would give its first one: entered by hand, and then cancelled.
    let by_hand = "--round serve-2 --sigma 60 --scale 10 --clip 1 --dimension 6 --survivors 3";
    let by_hand: Vec<&str> = by_hand.split_whitespace().collect();
    let reserve = run(&[&["privacy", "ledger", "reserve", &ledger], &by_hand[..]].concat());
    assert!(reserve.status.success(), "{}", String::from_utf8_lossy(&reserve.stderr));
    assert!(run(&["privacy", "ledger", "cancel", &ledger, "--round", "serve-2"]).status.success());
    let arguments = [
        "--clients",
        "4",
        "--noise",
        &noise,
        "--vector",
        "count:1:8",
        "--stage-deadline",
        "20",
        "--ledger",
        &ledger,
    ];
    let server = Serving::start(folder.path(), &arguments);
    fs::write(path("in.json"), r#"{"update": [1, -0.5, 0, 0.25, 0, 1], "count": [1]}"#).unwrap();
    let (pin, input) = (path("pin"), path("in.json"));
    let joins = |name: &str, policy: &str| {
        let fixed = ["join", &server.address, "--pin-file", &pin, "--name", name, "--input", &input];
        let policy: Vec<&str> = policy.split_whitespace().collect();
        secagg(&[&fixed[..], &policy].concat()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    // Three insist on what the plan gives; one insists on more, and makes no key.
    let strict = joins("strict", "--max-epsilon 1 --delta 1e-6 --plain count");
    let others = ["a", "b", "c"].map(|name| joins(name, "--max-epsilon 60 --delta 1e-6 --plain count"));
    let refused = strict.wait_with_output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(1) && said.contains("with 3 honest shares of noise"), "{said}");
    for other in others {
        let output = other.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let (code, stdout, stderr) = server.end();
    assert_eq!(code, Some(0), "{stderr}");
    let released: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(released["vectors"], serde_json::json!({"count": [3]}));
    let sum: Vec<f64> =
        released["real"]["update"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    assert_eq!(sum.len(), 6);
    // Three times the input, with noise of σ near 0.35 in the sum.
    assert!((sum[0] - 3.0).abs() < 4.0 && sum[0] != 3.0, "{sum:?}");
    let epsilon = |name: &str| released["privacy"][name].as_f64().unwrap();
    assert!(epsilon("epsilon_achieved") <= 60.0 && epsilon("epsilon_achieved") > 55.0, "{released}");
    // Exactly the fewest are in the sum.
    assert_eq!(epsilon("epsilon_achieved"), epsilon("epsilon_planned"));
    let show = run(&["privacy", "ledger", "show", &ledger, "--format", "json"]);
    let show: Value = serde_json::from_slice(&show.stdout).unwrap();
    let spent = show["epsilon_server"].as_f64().unwrap();
    assert!(show["settled"] == 1 && (spent / epsilon("epsilon_achieved") - 1.0).abs() < 1e-9, "{show}");
    // A second session would overspend, and is not begun.
    let state = path("");
    let again = [&["serve", "--listen", "127.0.0.1:0", "--state", &state][..], &arguments].concat();
    let refused = run(&again);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(3) && said.contains("above the budget of 60"), "{said}");
}

/// All four answer, and what was there for the one that might have dropped out is not in the sum.
#[test]
fn superfluous_noise_is_removed_where_the_plan_has_levels() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let plan = "privacy plan --epsilon 60 --delta 1e-6 --clients 4 --dropout 0.25 --corrupt 0 --clip 2 --dimension 6 \
                --bits 24 --noise add-then-remove --format json";
    let planned = run(&plan.split_whitespace().collect::<Vec<_>>());
    fs::write(path("plan.json"), &planned.stdout).unwrap();
    fs::write(path("in.json"), r#"{"update": [1, -0.5, 0, 0.25, 0, 1]}"#).unwrap();
    let ledger = path("phones.ledger");
    let create = ["--population", "phones", "--epsilon", "60.1", "--delta", "1e-6"];
    assert!(run(&[&["privacy", "ledger", "create", &ledger], &create[..]].concat()).status.success());
    let noise = format!("update:{}", path("plan.json"));
    let arguments = ["--clients", "4", "--noise", &noise, "--stage-deadline", "20", "--ledger", &ledger];
    let server = Serving::start(folder.path(), &arguments);
    let (pin, input) = (path("pin"), path("in.json"));
    let join = |name: &str| {
        let fixed = ["join", &server.address, "--pin-file", &pin, "--name", name, "--input", &input];
        let policy = ["--max-epsilon", "60.01", "--delta", "1e-6"];
        secagg(&[&fixed[..], &policy[..]].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    for client in ["a", "b", "c", "d"].map(join) {
        let output = client.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let (code, stdout, stderr) = server.end();
    assert_eq!(code, Some(0), "{stderr}");
    let released: Value = serde_json::from_str(&stdout).unwrap();
    let achieved = released["privacy"]["epsilon_achieved"].as_f64().unwrap();
    // Four whole shares would give about 50.
    assert!(achieved <= 60.01 && achieved > 59.0, "{released}");
    let show = run(&["privacy", "ledger", "show", &ledger, "--format", "json"]);
    let show: Value = serde_json::from_slice(&show.stdout).unwrap();
    let spent = show["epsilon_server"].as_f64().unwrap();
    assert!(show["settled"] == 1 && (spent / achieved - 1.0).abs() < 1e-9, "{show}");
}

#[test]
fn centred_noise_is_served_as_an_experiment_and_joined_by_who_accepts_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let plan = "privacy plan --epsilon 60 --delta 1e-6 --clients 4 --dropout 0.5 --corrupt 0 --clip 2 --dimension 6 \
                --mechanism centred --format json";
    let planned = run(&plan.split_whitespace().collect::<Vec<_>>());
    fs::write(path("plan.json"), &planned.stdout).unwrap();
    let noise = format!("update:{}", path("plan.json"));
    let ledger = path("phones.ledger");
    let create = ["--population", "phones", "--epsilon", "60", "--delta", "1e-6"];
    assert!(run(&[&["privacy", "ledger", "create", &ledger], &create[..]].concat()).status.success());
    let arguments = ["--clients", "4", "--noise", &noise, "--stage-deadline", "20", "--ledger", &ledger];
    let server = Serving::start(folder.path(), &arguments);
    fs::write(path("in.json"), r#"{"update": [1, -0.5, 0, 0.25, 0, 1]}"#).unwrap();
    fs::write(
        path("policy.toml"),
        "version = 1\n[privacy]\nepsilon = 60\ndelta = 1e-6\ncorrupt = 0\nlaws = [\"centred-discrete-gaussian\"]\n",
    )
    .unwrap();
    let (pin, input, policy) = (path("pin"), path("in.json"), path("policy.toml"));
    let joins = |name: &str, policy: &[&str]| {
        let fixed = ["join", &server.address, "--pin-file", &pin, "--name", name, "--input", &input];
        secagg(&[&fixed[..], policy].concat()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let usual = ["--max-epsilon", "60", "--delta", "1e-6"];
    let careful = joins("careful", &usual);
    let others = [
        joins("a", &[&usual[..], &["--accept-experimental"]].concat()),
        joins("b", &["--policy", &policy]),
        joins("c", &["--accept-experimental"]),
    ];
    let refused = careful.wait_with_output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(1) && said.contains("centred discrete gaussian noise"), "{said}");
    for other in others {
        let output = other.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let (code, stdout, stderr) = server.end();
    assert!(code == Some(0) && stderr.contains("experimental"), "{stderr}");
    let released: Value = serde_json::from_str(&stdout).unwrap();
    let sum: Vec<f64> =
        released["real"]["update"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    assert!(sum.len() == 6 && (sum[0] - 3.0).abs() < 4.0 && sum[0] != 3.0, "{sum:?}");
    let epsilon = |name: &str| released["privacy"][name].as_f64().unwrap();
    // One more than the fewest is in the sum.
    assert!(epsilon("epsilon_planned") <= 60.0 && epsilon("epsilon_planned") > 59.0, "{released}");
    assert!(epsilon("epsilon_achieved") < 0.9 * epsilon("epsilon_planned"), "{released}");
    let show = run(&["privacy", "ledger", "show", &ledger, "--format", "json"]);
    let show: Value = serde_json::from_slice(&show.stdout).unwrap();
    let spent = show["epsilon_server"].as_f64().unwrap();
    assert!(show["settled"] == 1 && (spent / epsilon("epsilon_achieved") - 1.0).abs() < 1e-9, "{show}");
}

#[test]
fn too_few_clients_fail_the_server_and_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("sum.json");
    let arguments = ["--clients", "3", "--vector", "x:1:8", "--join-deadline", "1", "--output"];
    let server = Serving::start(folder.path(), &[&arguments[..], &[output.to_str().unwrap()]].concat());
    let (code, stdout, stderr) = server.end();
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("0 clients joined"), "{stderr}");
    assert!(!output.exists());
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(folder.path(), &["--clients", "3", "--vector", "x:1:8"]);
    let interrupt = Command::new("kill").args(["-INT", &server.process.id().to_string()]).status();
    assert!(interrupt.unwrap().success());
    let (code, stdout, stderr) = server.end();
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(130), "", "secagg: interrupted\n"));
}

#[test]
fn a_short_demonstration_is_one_json_object_with_exact_sums() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    let short = ["demo", "--clients", "8", "--rounds", "3", "--dropout", "0.25", "--format", "json"];
    let output = run(&[&short[..], &["--report", report.to_str().unwrap()]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rounds = run["rounds"].as_array().unwrap();
    assert_eq!(rounds.len(), 3);
    for round in rounds {
        let vanished: u64 = round["dropped"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        assert!(vanished <= 2, "{round}");
        assert!(round["survivors"].as_u64().unwrap() >= 6, "{round}");
        assert_eq!(round["sum_exact"], Value::Bool(true), "{round}");
        assert!(round["accuracy"].as_f64().unwrap() > 0.2, "{round}");
        for key in ["bytes_up_per_client", "bytes_down_per_client"] {
            assert!(round[key].as_f64().unwrap() > 1000.0, "{round}");
        }
        let seconds = round["seconds"].as_object().unwrap();
        assert!(seconds.contains_key("AdvertiseKeys") && seconds.contains_key("Unmasking"), "{round}");
    }
    for key in ["final_accuracy", "plain_final_accuracy"] {
        assert!(run[key].as_f64().unwrap() > 0.2, "{key}");
    }
    for file in ["accuracy.svg", "bytes.svg", "report.json"] {
        assert!(report.join(file).is_file(), "{file}");
    }
}

#[test]
fn a_demonstration_that_releases_nothing_fails_after_its_table() {
    let output = run(&["demo", "--clients", "4", "--rounds", "2", "--dropout", "1", "--seed", "3"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("no round released a sum"), "{stderr}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("0 of 0 sums exact"));
}
