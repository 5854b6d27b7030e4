//! What a run is estimated to take, beside what the program takes; and runs that would take too much are not begun.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use secagg_simulator::estimate::{machine_memory, memory, seconds};
use secagg_simulator::{Calibration, Mode, Scenario};

/// Estimates of time are within a factor of 2 on a machine that does nothing else; here other tests run.
const TIME: f64 = 4.0;
const MEMORY: f64 = 2.0;

/// Tries for a time: what else the machine does changes.
const TRIES: usize = 3;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secagg-simulator"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(clients: u32, graph: &str, length: u32, more: &str) -> String {
    format!(
        "clients = {clients}\ngraph = {{ kind = {graph} }}\n\
         vectors = [{{ name = \"v\", length = {length}, bits = 16 }}]\n{more}\n\
         faults.dropouts = [{{ probability = 0.05 }}]\n"
    )
}

/// Seconds and the peak of memory in bytes of a run.
fn measured(scenario: &Path, mode: Mode) -> (f64, u64) {
    let begin = Instant::now();
    let mut child = program(&["run", scenario.to_str().unwrap(), "--mode", mode.name()]).spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak = line.map_or(peak, |kibibytes| kibibytes.trim().parse::<u64>().unwrap() << 10);
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(child.wait().unwrap().success());
    (begin.elapsed().as_secs_f64(), peak)
}

#[test]
fn estimates_are_near_what_a_run_takes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.toml");
    for (mode, text) in [
        (Mode::Real, text(160, "\"regular\", degree = 40", 10, "")),
        (Mode::Real, text(100, "\"complete\"", 10, "")),
        (Mode::Real, text(12, "\"regular\", degree = 4", 2_000_000, "")),
        (Mode::Real, text(20, "\"regular\", degree = 6", 10, "sessions = 60\ncohorts = 2")),
        (Mode::Model, text(400_000, "\"regular\", degree = 100", 10, "")),
        (
            Mode::Model,
            text(400_000, "\"complete\"", 10, "availability = { kind = \"diurnal\", low = 0.9, high = 1 }"),
        ),
    ] {
        fs::write(&file, &text).unwrap();
        let scenario = Scenario::read(&file).unwrap();
        let threads = std::thread::available_parallelism().unwrap().get();
        let mut ratios = Vec::new();
        for _ in 0..TRIES {
            let time = seconds(&scenario, &Calibration::built_in(), mode, threads).unwrap();
            let (took, held) = measured(&file, mode);
            let share = memory(&scenario, mode, threads).unwrap() as f64 / held as f64;
            assert!((1.0 / MEMORY..MEMORY).contains(&share), "{share} of the memory, {text}");
            println!("{} s for {took} s, {share} of {held} bytes: {text}", time);
            ratios.push(time / took);
            if (1.0 / TIME..TIME).contains(&(time / took)) {
                break;
            }
        }
        assert!(
            ratios.iter().any(|ratio| (1.0 / TIME..TIME).contains(ratio)),
            "{ratios:?} of the time, {text}"
        );
    }
}

#[test]
fn what_would_take_too_much_is_not_begun_and_what_would_fit_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.toml");
    let run = |text: String, more: &[&str]| {
        fs::write(&file, text).unwrap();
        program(&[&["run", file.to_str().unwrap()], more].concat()).output().unwrap()
    };
    let regular = |clients| text(clients, "\"regular\", degree = 20", 10, "sessions = 2");
    let output = run(regular(100_000_000), &["--mode", "real"]);
    assert_eq!(output.status.code(), Some(2));
    let machine = machine_memory().unwrap();
    assert!(said(&output).contains(&format!("this machine has {machine}")), "{}", said(&output));

    let output = run(regular(1_000_000), &["--memory", "20000000"]);
    assert_eq!(output.status.code(), Some(2));
    let said_it = said(&output);
    assert!(said_it.contains("--memory allows 20000000"), "{said_it}");
    let fits: u32 = said_it.split("clients = ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let output = run(regular(fits), &["--memory", "20000000"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(run(regular(fits + 1), &["--memory", "20000000"]).status.code(), Some(2));

    let output = run(text(500, "\"complete\"", 10, "sessions = 100"), &["--mode", "real", "--time", "30"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("--time allows 30 s; "), "{}", said(&output));
    assert!(run(regular(100), &["--time", "30"]).status.success());

    let design = folder.path().join("design.toml");
    fs::write(&file, regular(1000)).unwrap();
    fs::write(&design, "scenario = \"scenario.toml\"\nseeds = 1000000\n").unwrap();
    let parts = folder.path().join("parts");
    let (design, out) = (design.to_str().unwrap(), parts.to_str().unwrap());
    let sweep =
        |more: &[&str]| program(&[&["sweep", design, "--of", "10000", "--out", out], more].concat()).output();
    let output = sweep(&["--index", "0", "--time", "0.001"]).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("points would fit"), "{}", said(&output));
    assert!(!parts.exists());
    assert!(sweep(&["--index", "0", "--time", "600", "--memory", "1000000000"]).unwrap().status.success());
}
