//! The conformance tests of the core, of the reference and of a third shim; and shims that misbehave.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use secagg::{Authority, Credentials};
use secagg_tests::conform::shim::{Answer, Limits, Shim};
use serde_json::json;

const RUST: &str = env!("CARGO_BIN_EXE_secagg-shim");
const REFERENCE: &str = "python3 spec/reference/shim.py";
const THIRD: &str = "node tests/conform/shim.mjs";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn conform(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_secagg-conform")).args(arguments).current_dir(root()).output().unwrap()
}

fn text(output: &Output) -> (String, &'static str) {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (text, if output.status.success() { "success" } else { "failure" })
}

/// The numbers of the last line: passed, failed and maybe skipped.
fn counts(text: &str) -> Vec<usize> {
    let last = text.lines().last().unwrap_or_default();
    last.split(", ").filter_map(|part| part.split(' ').next()?.parse().ok()).collect()
}

/// Whether the program is there; a line says so if it is not.
fn there_is(program: &str, arguments: &[&str]) -> bool {
    let there = Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success());
    if !there {
        println!("skipped: no {program} of the version that is needed");
    }
    there
}

fn there_is_python() -> bool {
    there_is("python3", &["-c", "import sys; sys.exit(sys.version_info < (3, 11))"])
}

#[test]
fn the_core_passes_every_test() {
    let (text, end) = text(&conform(&["--client", RUST, "--server", RUST]));
    let counts = counts(&text);
    assert!((end, counts[1], counts[2]) == ("success", 0, 0) && counts[0] > 700, "{text}");
}

#[test]
fn the_core_and_the_reference_pass_in_every_pairing() {
    if there_is_python() {
        let (text, end) = text(&conform(&["--client", RUST, "--server", REFERENCE]));
        let counts = counts(&text);
        assert!((end, counts[1], counts[2]) == ("success", 0, 0) && counts[0] > 1500, "{text}");
    }
}

#[test]
fn mutants_of_the_reference_are_caught() {
    if there_is_python() {
        let (text, end) = text(&conform(&["mutants", "--shim", REFERENCE]));
        let counts = counts(&text);
        assert!((end, counts[1]) == ("success", 0) && counts[0] >= 30, "{text}");
    }
}

#[test]
fn a_small_shim_in_another_language_is_enough_for_decoding() {
    if there_is("node", &["--version"]) {
        let (text, end) = text(&conform(&["--client", THIRD]));
        let counts = counts(&text);
        assert!((end, counts[1]) == ("success", 0) && counts[0] > 200, "{text}");
    }
}

/// What a shim that misbehaves does to the tests of one section: all fail for this reason, in bounded time.
#[cfg(unix)]
fn misbehaves(shim: &str, why: &str) {
    let begun = Instant::now();
    let output =
        conform(&["--client", shim, "--section", "3.1", "--step-limit", "0.3", "--line-limit", "100000"]);
    let (text, end) = text(&output);
    assert!(begun.elapsed() < Duration::from_secs(30), "{shim}: {:?}", begun.elapsed());
    let counts = counts(&text);
    assert!(end == "failure" && counts[0] == 0 && counts[1] > 10 && counts[2] == 0, "{shim}: {text}");
    assert!(
        text.contains("failed 3.1/hash-empty") && text.contains("failed 3.1/key-of-graph"),
        "{shim}: {text}"
    );
    assert!(text.contains(why), "{shim}: {text}");
}

#[cfg(unix)]
#[test]
fn shims_that_misbehave_cost_their_tests_and_no_more() {
    let answer = |fields: &str| {
        format!(r#"sh -c 'while read -r line; do echo "{}"; done'"#, fields.replace('"', r#"\""#))
    };
    misbehaves("sleep 1000", "no answer from the shim within 300ms");
    misbehaves("sleep 1000", "not run: the shim was silent too often");
    misbehaves("false", "the shim ended: exit status: 1");
    misbehaves("sh -c 'echo what went wrong >&2; read -r line; exit 7'", "it said: what went wrong");
    misbehaves("sh -c 'read -r line; kill -SEGV $$'", "the shim ended: signal");
    misbehaves("sh -c 'exec >&-; sleep 1000'", "the shim closed its output");
    misbehaves(&answer("junk"), "the answer is not a JSON object: junk");
    misbehaves(&answer("[1]"), "the answer is not a JSON object");
    misbehaves(&answer(&"[".repeat(5000)), "the answer is not a JSON object");
    misbehaves(&answer(r#"{"id":0,"ok":{}}"#), "has the id 0");
    misbehaves(&answer(r#"{"ok":{}}"#), "has the id none");
    let echo = |fields: &str| format!(r#"sed -u 's/^{{"id":\([0-9]*\).*/{fields}/'"#);
    misbehaves(&echo(r#"{"id":\1}"#), "the answer has no ok, error or unsupported");
    misbehaves(&echo(r#"{"id":\1,"ok":{},"error":{}}"#), "the answer has no ok, error or unsupported");
    misbehaves(&echo(r#"{"id":\1,"ok":{}}"#), "ok.hash is missing");
    misbehaves(&echo(r#"{"id":\1,"error":{"must":"3.2-1"}}"#), "expected {\"ok\":");
    misbehaves("yes", "the answer is not a JSON object: y");
    misbehaves("cat /dev/zero", "a line of the shim is longer than 100000 bytes");
    misbehaves("sh -c 'sleep 1000 & sleep 1000 & wait'", "no answer from the shim");
    misbehaves("no-such-program", "the shim does not start");
    misbehaves("sh -c 'unbalanced", "its quotes do not match");
    misbehaves("''", "the shim does not start");
}

/// Requests of the right form that ask for what cannot be: the shim answers with the code of a mistake and lives on.
#[test]
fn the_shim_refuses_what_cannot_be_and_goes_on() {
    let zeros = "00".repeat(32);
    let graph = |roster: &[u32], degree| {
        let config = json!({
            "suite": "curious", "graph": "regular", "degree": degree, "clients": 9, "threshold": 2,
            "minimum_survivors": 1, "vectors": [{"name": "v", "length": 1, "bits": 4}], "task": zeros, "nonce": zeros,
        });
        json!({"command": "derive", "name": "graph", "session": zeros, "roster": roster, "config": config})
    };
    let secret = [3; 32];
    let certificate = Authority::new([1; 32]).certify(&Credentials::identity_of(&secret)).unwrap();
    let client = |authority: u8| {
        json!({
            "command": "client.new", "client": 1, "entropy": zeros, "policy": {},
            "credentials": {
                "secret": hex::encode(secret), "certificate": hex::encode(certificate),
                "authority": hex::encode(Authority::new([authority; 32]).public()),
            },
        })
    };
    let mut shim = Shim::new(RUST, Limits::default());
    let refused = Ok(Answer::Error(json!({"abort": 131})));
    for (request, fits) in [
        (graph(&[1, 2, 3, 4, 5], 4), true),
        (graph(&[1, 2, 3, 4], 4), false),
        (graph(&[1, 2], 8), false),
        (graph(&[], 2), false),
        (client(1), true),
        (client(2), false),
    ] {
        let answer = shim.ask(&request);
        assert_eq!(matches!(answer, Ok(Answer::Ok(_))), fits, "{request}: {answer:?}");
        assert!(fits || answer == refused, "{request}: {answer:?}");
    }
}

/// Two answers to each request: the second belongs to nothing.
#[cfg(unix)]
#[test]
fn answers_that_nothing_asked_for_are_noticed() {
    let shim =
        r#"sed -u 's/^{"id":\([0-9]*\).*/{"id":\1,"unsupported":true}\n{"id":\1,"unsupported":true}/'"#;
    let (text, end) = text(&conform(&["--client", shim, "--section", "3.1"]));
    // The second comes in time to be noticed before the next request, or is taken for the answer to it.
    assert!(end == "failure", "{text}");
    assert!(text.contains("nothing had asked for") || text.contains("has the id"), "{text}");
}

/// A shim that floods or sends endless lines does not make the runner grow.
#[cfg(target_os = "linux")]
#[test]
fn a_flood_does_not_fill_the_memory() {
    for flood in ["yes", "cat /dev/zero", "sh -c \"while read -r line; do yes | head -c 100000000; done\""] {
        let runner = env!("CARGO_BIN_EXE_secagg-conform");
        let script =
            format!("ulimit -v 400000; exec {runner} --client '{flood}' --section 3.1 --step-limit 1");
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let (text, end) = text(&output);
        assert!(end == "failure" && counts(&text)[1] > 10, "{flood}: {text}");
    }
}

#[test]
fn commands_that_a_shim_does_not_have_are_skipped() {
    if there_is("sed", &["--version"]) {
        let shim = r#"sed -u 's/^{"id":\([0-9]*\).*/{"id":\1,"unsupported":true}/'"#;
        let (text, end) = text(&conform(&["--client", shim]));
        let counts = counts(&text);
        assert!(end == "success" && counts[0] == 0 && counts[1] == 0 && counts[2] > 700, "{text}");
    }
}

#[test]
fn known_failures_are_run_and_must_fail() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("known");
    let list = list.to_str().unwrap();
    let arguments = ["--client", RUST, "--section", "6.1", "--known-failing", list];
    std::fs::write(list, "# nothing\n").unwrap();
    assert_eq!(text(&conform(&arguments)).1, "success");
    std::fs::write(list, "6.1/config-id-least # passes\n").unwrap();
    let (out, end) = text(&conform(&arguments));
    assert!(end == "failure" && out.contains("unexpected pass 6.1/config-id-least"), "{out}");
    let broken = ["--client", "false", "--section", "6.1/config-id-least", "--known-failing", list];
    let (out, end) = text(&conform(&broken));
    assert!(end == "success" && out.ends_with("0 passed, 0 failed, 1 skipped\n"), "{out}");
    std::fs::write(list, "6.1/no-such-test\n").unwrap();
    let output = conform(&["--client", RUST, "--known-failing", list]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("names no test: 6.1/no-such-test"));
}

#[test]
fn results_are_written_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let junit = folder.path().join("junit.xml");
    let arguments =
        ["--client", RUST, "--section", "3.6", "--format", "json", "--junit", junit.to_str().unwrap()];
    let output = conform(&arguments);
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    for line in lines.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(entry["outcome"], "passed");
    }
    let count = lines.lines().count();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(count >= 4 && said.ends_with(&format!("{count} passed, 0 failed, 0 skipped\n")), "{said}");
    let junit = std::fs::read_to_string(junit).unwrap();
    assert!(
        junit.contains("3.6/client-1-threshold-2-nonce-3") && junit.contains(&format!("tests=\"{count}\"")),
        "{junit}"
    );
}

#[test]
fn mistakes_of_the_caller_are_told() {
    for (arguments, why) in [
        (vec![], "no shim"),
        (vec!["--client", RUST, "--section", "99"], "no test is of that section"),
        (vec!["--client", RUST, "--known-failing", "no-such-file"], "no-such-file"),
        (vec!["--client", RUST, "--step-limit", "0"], "--step-limit"),
        (vec!["mutants", "--shim", RUST], "offers no mutants"),
    ] {
        let output = conform(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(why), "{arguments:?}");
    }
}

#[test]
fn tests_are_listed_once() {
    let (text, end) = text(&conform(&["--list", "--section", "4.3-2"]));
    assert_eq!(end, "success");
    assert!(
        text.contains("4.3-2/session-id-not-derived") && text.lines().all(|line| line.contains("4.3-2/")),
        "{text}"
    );
}
