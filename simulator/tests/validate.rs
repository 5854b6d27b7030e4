//! `secagg-simulator validate` and `calibrate`, run as their users run them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secagg-simulator"));
    command.args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_calibration_is_measured_written_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("here.toml");
    let file = file.to_str().unwrap();
    let output =
        run(&["calibrate", "--output", file, "--name", "here", "--date", "today", "--format", "json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let measured: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(measured["hash"].as_str().unwrap().len(), 64);
    for cost in ["encryption_agreement", "keystream_byte", "share_term", "addition"] {
        assert!(measured["profile"][cost].as_f64().unwrap() > 0.0, "{cost}");
    }
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("on today") && text.contains(measured["hash"].as_str().unwrap()), "{text}");
    let output = run(&["profiles", "--calibration", file]);
    assert!(String::from_utf8(output.stdout).unwrap().contains("here"));
    let output = run(&["calibrate", "--output", "/no/such/folder/here.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("/no/such/folder/here.toml"));
}

#[cfg(target_os = "linux")]
#[test]
fn mistakes_end_with_two_and_are_named() {
    for (arguments, said) in [
        (&["validate", "no such set-up"][..], "no such set-up"),
        (&["validate", "--secagg", "/no/such/program"], "/no/such/program"),
        (&["validate", "--repeat", "0"], "--repeat"),
        (&["validate", "--secagg", "/bin/true", "--profile", "mainframe"], "mainframe"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
    let output = run(&["validate", "--list"]);
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().lines().count() > 6);
}

/// The times are for the command, on a quiet machine; the bytes and the operations hold on any.
#[cfg(target_os = "linux")]
#[test]
fn real_processes_send_the_bytes_and_do_the_operations_that_are_simulated() {
    let Some(secagg) = beside("secagg") else {
        println!("skipped: the program secagg is not built; `cargo build -p secagg-transport` builds it");
        return;
    };
    let secagg = secagg.to_str().unwrap();
    let setups = ["dropouts", "sparse"];
    let arguments = [&["validate"][..], &setups, &["--secagg", secagg, "--repeat", "1", "--format", "json"]];
    let output = run(&arguments.concat());
    if stderr(&output).contains("real sessions need") || stderr(&output).contains("install iproute2") {
        println!("skipped: {}", stderr(&output).trim());
        return;
    }
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
    let comparisons = report["comparisons"].as_array().unwrap();
    assert_eq!(comparisons.len(), setups.len());
    for one in comparisons {
        assert_eq!(one["differences"], Value::Array(Vec::new()), "{one}");
        assert_eq!(one["exact"], Value::Bool(true), "{one}");
        let ratio = one["wire_simulated"].as_f64().unwrap() / one["wire_seen"].as_f64().unwrap();
        assert!((0.95..1.05).contains(&ratio), "{ratio}: {one}");
        assert_eq!(one["stages"].as_array().unwrap().len(), 4);
    }
    assert_eq!(output.status.success(), report["holds"].as_bool().unwrap());
}

/// A program of another crate of this workspace, if it is built.
fn beside(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_BIN_EXE_secagg-simulator")).with_file_name(name);
    path.is_file().then_some(path)
}
