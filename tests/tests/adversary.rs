//! The adversary, as the program `secagg-adversary` runs it: with few clients here, with all by the command.

use std::process::{Command, Output};

fn adversary(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_secagg-adversary")).args(arguments).output().unwrap()
}

#[test]
fn no_adversary_of_a_small_cohort_wins() {
    let output = adversary(&["run", "--n", "5"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with(" passed, 0 failed\n"), "{text}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn there_are_as_many_scenarios_as_the_catalogue_says() {
    let text = String::from_utf8(adversary(&["list"]).stdout).unwrap();
    let names = |side: &str| -> std::collections::BTreeSet<String> {
        let lines = text.lines().filter(|line| line.starts_with(side));
        lines.filter_map(|line| Some(line.split_whitespace().nth(1)?.to_owned())).collect()
    };
    assert!(names("server ").len() >= 40 && names("client ").len() >= 25, "{text}");
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
