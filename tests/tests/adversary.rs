//! The adversary, as the program `secagg-adversary` runs it: with few clients here, with all by the command.

use std::process::{Command, Output};

fn adversary(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_secagg-adversary")).args(arguments).output().unwrap()
}

#[test]
fn there_are_as_many_scenarios_as_the_catalogue_says() {
    let text = String::from_utf8(adversary(&["list"]).stdout).unwrap();
    let names = |side: &str| -> std::collections::BTreeSet<String> {
        let lines = text.lines().filter(|line| line.starts_with(side));
        lines.filter_map(|line| Some(line.split_whitespace().nth(1)?.to_owned())).collect()
    };
    assert!(names("server ").len() >= 78 && names("client ").len() >= 61, "{text}");
}

#[test]
fn every_threat_of_a_server_or_a_client_is_played() {
    let text = String::from_utf8(adversary(&["list", "--format", "json"]).stdout).unwrap();
    let rows: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |row: &serde_json::Value| -> Vec<String> {
        row["threat"].as_str().unwrap().split(", ").map(str::to_owned).collect()
    };
    let threats = (1..=23).map(|at| format!("S{at}")).chain((1..=12).map(|at| format!("M{at}")));
    for threat in threats {
        assert!(rows.iter().any(|row| of(row).contains(&threat)), "{threat}");
    }
    assert!(rows.iter().all(|row| row["side"] == "server" || row["side"] == "client"));
}

/// What a server announces is held against the messages that it received, in every recorded session.
#[test]
fn a_forged_sum_is_found_in_its_record() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/vectors");
    for suite in ["active", "complete", "pinned", "regular"] {
        let file = format!("{folder}/session-{suite}.json");
        let right = adversary(&["audit", &file]);
        assert_eq!(right.status.code(), Some(0), "{suite}: {}", String::from_utf8_lossy(&right.stdout));
        let mut session: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let operations = session["operations"].as_array_mut().unwrap();
        let last = operations.iter_mut().find(|one| one["aggregate"].is_object()).unwrap();
        let sums = last["aggregate"]["vectors"].as_object_mut().unwrap();
        let coordinate = sums.values_mut().next().unwrap().get_mut(0).unwrap();
        *coordinate = format!("{}1", coordinate.as_str().unwrap()).into();
        let mut forged = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut forged, session.to_string().as_bytes()).unwrap();
        let found = adversary(&["audit", forged.path().to_str().unwrap()]);
        assert_eq!(found.status.code(), Some(1), "{suite}");
        assert!(String::from_utf8(found.stdout).unwrap().contains("is another one"));
    }
}

#[test]
fn a_record_that_cannot_be_read_is_named() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/vectors/session-active.json");
    let good = std::fs::read_to_string(file).unwrap();
    let mut session: serde_json::Value = serde_json::from_str(&good).unwrap();
    session["config"]["nonce"] = "xy".into();
    for text in ["{", &session.to_string()] {
        let mut bad = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut bad, text.as_bytes()).unwrap();
        is_named(file, bad.path().to_str().unwrap());
    }
    is_named(file, "no such file");
}

fn is_named(good: &str, bad: &str) {
    let output = adversary(&["audit", good, bad]);
    let says = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{says}");
    assert!(says.starts_with(&format!("secagg-adversary: {bad}: ")), "{says}");
}

/// Every run that passes has a control in which the attack works, or is one, or says why there is none.
#[test]
fn no_adversary_of_a_small_cohort_wins_but_in_the_control() {
    let list = String::from_utf8(adversary(&["list", "--format", "json"]).stdout).unwrap();
    let listed: Vec<serde_json::Value> =
        list.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let without = |name: &serde_json::Value| {
        listed.iter().any(|row| row["scenario"] == *name && row["no_control"].is_string())
    };
    let output = adversary(&["run", "--n", "5", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut controls = 0;
    for row in rows {
        let has = row["control"].as_str().is_some_and(|control| !control.is_empty());
        assert!(has || row["expected"] == "leaks" || without(&row["scenario"]), "{row}");
        controls += usize::from(has);
    }
    assert!(controls >= 260, "{controls}");
}

/// What five clients are too few for.
#[test]
fn no_adversary_of_a_larger_cohort_wins_but_in_the_control() {
    let chosen = [
        ("arc-isolation", "16"),
        ("arc-below-the-planner", "16"),
        ("withheld-reveal", "16"),
        ("combination-of-three-sums", "8"),
    ];
    for (scenario, n) in chosen {
        let output = adversary(&["run", "--scenario", scenario, "--n", n]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.ends_with(" passed, 0 failed\n") && !text.ends_with("\n0 passed, 0 failed\n"), "{text}");
    }
}

#[test]
fn a_scenario_is_chosen_by_its_name() {
    let output = adversary(&["run", "--scenario", "equivocate-survivors", "--n", "3", "--format", "json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "two grounds and the count: {text}");
    let row: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
    assert_eq!((&row["suite"], &row["expected"]), (&"active".into(), &"silent".into()));
    assert!(row["control"].as_str().unwrap().starts_with("both secrets of [1"), "{row}");
    assert_eq!(lines[2], "2 passed, 0 failed");
    assert_eq!(adversary(&["run", "--scenario", "nobody"]).status.code(), Some(2));
}

/// A slice of the bad messages; all of them are sent by the command.
#[test]
fn bad_messages_end_as_the_specification_says() {
    let output = adversary(&["badinput", "--every", "100", "--seed", "2"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with(" passed, 0 failed\n"), "{text}");
    assert_eq!(output.status.code(), Some(0));
}

/// The room beside a message is the same for many clients as for few.
#[test]
fn memory_does_not_grow_with_the_roster() {
    let output = adversary(&["badinput", "--clients", "64", "--message", "share-keys-request"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(" had to end in ok") && text.ends_with(" passed, 0 failed\n"), "{text}");
    let output = adversary(&["badinput", "--clients", "64", "--message", "unmasking-request"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(" had to end in ok") && text.ends_with(" passed, 0 failed\n"), "{text}");
}

/// The control: what the command looks for, it finds.
#[test]
fn faults_that_are_planted_are_found() {
    for (plant, says) in [
        ("accept", "found ok"),
        ("allocate", "bytes of memory for"),
        ("panic", "found panic: planted"),
        ("harm", "and the session ends by"),
    ] {
        let output = adversary(&[
            "badinput",
            "--every",
            "100",
            "--state",
            "masked-input-collection",
            "--plant",
            plant,
        ]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{plant}: {text}");
        assert!(text.lines().any(|line| line.contains(says)), "{plant}: {text}");
    }
}

#[test]
fn bad_messages_are_chosen_by_message_and_state() {
    let chosen = ["badinput", "--message", "unmasking-response", "--state", "unmasking", "--every", "50"];
    let output = adversary(&[&chosen[..], &["--format", "json"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "what was expected, and the count: {text}");
    let counts: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
    assert!(counts["expected"]["4.6-4"].as_u64() > Some(0), "{counts}");
    assert_eq!(adversary(&["badinput", "--message", "letter"]).status.code(), Some(2));
}
