//! Where results go, and which part of a sweep a task is given: mistakes are said in words and cost nothing that was there.

use std::fs;
use std::process::{Command, Output};

const SCENARIO: &str = "clients = 10\nvectors = [{ name = \"v\", length = 10, bits = 16 }]\n";
const DESIGN: &str = "scenario = \"scenario.toml\"\nseeds = 2\n[grid]\nclients = [5, 6, 7]\n";
const ENGINES: [&str; 3] = ["HQ_TASK_ID", "SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"];

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secagg-simulator"));
    command.args(arguments);
    for name in ENGINES {
        command.env_remove(name);
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder with a scenario and a design, and a path in it.
fn place() -> (tempfile::TempDir, impl Fn(&str) -> String) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_owned();
    let at = move |name: &str| root.join(name).to_str().unwrap().to_owned();
    fs::write(at("scenario.toml"), SCENARIO).unwrap();
    fs::write(at("design.toml"), DESIGN).unwrap();
    (folder, at)
}

#[test]
fn a_place_that_cannot_be_written_to_is_said_before_anything_is_run() {
    let (_folder, at) = place();
    let (scenario, design, file, nowhere) =
        (at("scenario.toml"), at("design.toml"), at("file"), at("nowhere/page.html"));
    fs::write(&file, "mine").unwrap();
    for arguments in [
        &["run", &scenario, "--out", &file][..],
        &["run", &scenario, "--html", &nowhere],
        &["sweep", &design, "--out", &file],
        &["calibrate", "--output", &nowhere],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(said(&output).contains("cannot write "), "{arguments:?}: {}", said(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(fs::read_to_string(file).unwrap(), "mine");
}

#[test]
fn an_index_is_taken_from_the_engine_or_said_to_be_wrong_by_its_name() {
    let (_folder, at) = place();
    let (design, parts) = (at("design.toml"), at("parts"));
    let sweep = ["sweep", &design, "--of", "2", "--out", &parts];
    for (name, value, part) in [
        (ENGINES[0], "x", "HQ_TASK_ID=x: it must be a number from 0"),
        (ENGINES[1], "-1", "SLURM_ARRAY_TASK_ID=-1: it must be a number from 0"),
        (ENGINES[2], "2", "JOB_COMPLETION_INDEX 2: of 2 parts the last is 1"),
    ] {
        let output = program(&sweep).env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains(part), "{}", said(&output));
    }
    assert!(!fs::exists(&parts).unwrap());
    // A task of HyperQueue may run within one of Slurm.
    let output = program(&sweep).env(ENGINES[0], "1").env(ENGINES[1], "0").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let part = |index: u32| format!("{parts}/part-00000{index}-of-000002.parquet");
    assert!(fs::exists(part(1)).unwrap() && !fs::exists(part(0)).unwrap());
    let all = at("all");
    let output = program(&["sweep", &design, "--out", &all]).env(ENGINES[1], "0").output().unwrap();
    assert!(output.status.success());
    assert!(said(&output).contains("SLURM_ARRAY_TASK_ID is not used, for without --of"), "{}", said(&output));
    assert_eq!(fs::read_dir(all).unwrap().count(), 6);
}

#[test]
fn a_calibration_that_was_written_can_be_run_and_swept_with() {
    let (_folder, at) = place();
    let (scenario, design, parts, own) =
        (at("scenario.toml"), at("design.toml"), at("parts"), at("phone.toml"));
    let profiles = run(&["profiles", "--format", "json"]).stdout;
    let profiles: serde_json::Value = serde_json::from_slice(&profiles).unwrap();
    let mut phone = profiles["profiles"]["phone"].clone();
    phone["public_key"] = 1e8.into();
    fs::write(&own, format!("[profiles.phone]\n{}", toml::to_string(&phone).unwrap())).unwrap();
    let duration = |arguments: &[&str]| {
        let output = run(arguments);
        assert!(output.status.success(), "{}", said(&output));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        report["sessions"][0]["duration"].as_u64().unwrap()
    };
    let plain = duration(&["run", &scenario, "--format", "json"]);
    let slow = duration(&["run", &scenario, "--format", "json", "--calibration", &own]);
    assert!(slow > plain + 100_000_000, "{slow} {plain}");
    assert!(run(&["sweep", &design, "--of", "1", "--out", &parts]).status.success());
    let output = run(&["sweep", &design, "--of", "1", "--out", &parts, "--calibration", &own]);
    assert!(said(&output).contains("mode, calibration or version"), "{}", said(&output));
    let other = at("other");
    assert!(run(&["sweep", &design, "--of", "1", "--out", &other, "--calibration", &own]).status.success());
}

#[test]
fn a_part_under_the_name_of_another_is_not_merged() {
    let (_folder, at) = place();
    let (design, parts, table) = (at("design.toml"), at("parts"), at("table.csv"));
    assert!(run(&["sweep", &design, "--of", "2", "--out", &parts]).status.success());
    let part = |index: u32| format!("{parts}/part-00000{index}-of-000002.parquet");
    let one = fs::read(part(1)).unwrap();
    fs::copy(part(0), part(1)).unwrap();
    let output = run(&["merge", &parts, "-o", &table]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("it is another part, which has point 0"), "{}", said(&output));
    assert!(!fs::exists(&table).unwrap());
    fs::write(part(1), one).unwrap();
    assert!(run(&["merge", &parts, "-o", &table]).status.success());
    assert_eq!(fs::read_to_string(table).unwrap().lines().count(), 7);
}

#[test]
fn more_runs_than_a_process_can_hold_are_refused_and_parts_of_them_are_not() {
    let (_folder, at) = place();
    let (design, parts) = (at("design.toml"), at("parts"));
    fs::write(&design, DESIGN.replace("seeds = 2", "seeds = 1000000")).unwrap();
    let output = run(&["sweep", &design, "--out", &parts]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("3000000 runs are too many for one process"), "{}", said(&output));
    assert!(run(&["sweep", &design, "--of", "999999", "--index", "7", "--out", &parts]).status.success());
    let output = run(&["sweep", &design, "--of", "1000000", "--out", &parts]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_is_left_of_a_run_is_not_advised_to_be_smaller() {
    let (_folder, at) = place();
    let (scenario, out, left) = (at("scenario.toml"), at("out"), at("out/report.json"));
    fs::write(&scenario, format!("sessions = 3\n{SCENARIO}")).unwrap();
    assert!(run(&["run", &scenario, "--out", &out]).status.success());
    let resumed = ["run", &scenario, "--resume", &left];
    for (limit, allowed) in [("--memory", "1"), ("--time", "1e-9")] {
        let output = run(&[&resumed[..], &[limit, allowed]].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(
            said(&output).contains("; what is left of a run cannot be made smaller"),
            "{}",
            said(&output)
        );
    }
    assert!(run(&resumed).status.success());
}

#[test]
#[cfg(unix)]
fn a_page_can_go_where_standard_output_goes() {
    let (_folder, at) = place();
    let (scenario, out, page) = (at("scenario.toml"), at("out"), at("page.html"));
    assert!(run(&["run", &scenario, "--out", &out]).status.success());
    let file = fs::File::options().read(true).write(true).create_new(true).open(&page).unwrap();
    let mut open = file.try_clone().unwrap();
    let status = program(&["report", &out, "-o", "/dev/stdout"]).stdout(file).status().unwrap();
    assert!(status.success());
    // It is in the file that was open, not in another under its name.
    std::io::Seek::rewind(&mut open).unwrap();
    assert!(std::io::read_to_string(open).unwrap().contains("</html>"));
}
