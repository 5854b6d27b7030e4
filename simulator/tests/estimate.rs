//! What a run is estimated to take, beside what it takes; and runs that would take too much are not begun.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use secagg_simulator::estimate::{Parts, charged, machine_memory, memory, memory_of_each, seconds, work};
use secagg_simulator::{Calibration, Mode, Profile, Report, Scenario, Simulation};

/// How far an estimate may be from what is counted.
const NEAR: std::ops::Range<f64> = 0.7..1.5;

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
         vectors = [{{ name = \"v\", length = {length}, bits = 16 }}]\n\
         faults.dropouts = [{{ probability = 0.05 }}]\n{more}\n"
    )
}

/// Scenarios of all kinds of work, for both modes.
fn scenarios() -> Vec<Scenario> {
    let (complete, regular) = ("\"complete\"", "\"regular\", degree = 20");
    let private = |law: &str, dimension: u32| {
        format!(
            "minimum_survivors = 8\nprivacy = {{ mechanism = \"{law}\", multiplier = 4, delta = 1e-5, bits = 20, \
             dimension = {dimension} }}"
        )
    };
    let lies = |lies: &str| format!("adversaries = {{ server = \"equivocating\", lies = [{lies}] }}");
    let texts = [
        text(100, complete, 10, ""),
        text(110, "\"regular\", degree = 60", 10, ""),
        text(90, regular, 10, "sessions = 3\npopulation = 200"),
        text(12, "\"regular\", degree = 4", 300_000, ""),
        text(60, complete, 10, "suite = \"active\"\ncorrupt = 0.1"),
        text(20, regular, 10_000, "suite = \"active\"").replace(regular, complete),
        text(20, "\"regular\", degree = 10", 10, &private("ddg", 30_000)),
        text(16, "\"regular\", degree = 10", 10, &private("skellam", 100_000)),
        text(80, regular, 10, &lies("{ lie = \"missing-bundle\", share = 0.2 }")),
        text(20, "\"regular\", degree = 6", 100_000, &lies("{ lie = \"wrong-shares\", share = 0.1 }")),
        text(
            40,
            complete,
            10,
            &format!("suite = \"active\"\n{}", lies("{ lie = \"bad-consent\", share = 0.1 }")),
        ),
    ];
    texts.iter().map(|text| Scenario::parse(text, "test").unwrap_or_else(|e| panic!("{e}\n{text}"))).collect()
}

/// A run in this thread alone, and the most bytes that were asked of the allocator at one time.
fn run(scenario: &Scenario, mode: Mode) -> (Report, u64) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| {
        let mut report = None;
        let allocated = allocation_counter::measure(|| {
            let simulation = Simulation::new(scenario.clone(), &Calibration::built_in(), mode).unwrap();
            report = Some(simulation.run(&|_| true).unwrap());
        });
        (report.unwrap(), allocated.bytes_max)
    })
}

#[test]
fn estimates_are_near_what_is_counted() {
    let calibration = Calibration::built_in();
    for scenario in scenarios() {
        let (report, asked) = run(&scenario, Mode::Real);
        let parts = Parts::of(&scenario, Mode::Real).unwrap();
        let bytes = parts.asked() as f64 / asked as f64;
        let work = work(&scenario, &calibration).unwrap() / charged(&report, &calibration).unwrap();
        println!("{bytes:.2} of {asked} bytes, {work:.2} of the work: {}", scenario.to_toml());
        assert!(NEAR.contains(&bytes), "{bytes} of {asked} bytes, {parts:?}: {}", scenario.to_toml());
        assert!(NEAR.contains(&work), "{work} of the work: {}", scenario.to_toml());
    }
}

#[test]
fn arrays_of_the_model_are_counted() {
    let more = [
        "",
        "availability = { kind = \"diurnal\", low = 0.9, high = 1 }",
        "network = { server_down = 1e9, up = { median = 8e6, sigma = 0.7 } }",
        "network = { server_down = 1e9, latency = { median = 0.04, sigma = 0.5 }, loss = 0.01 }",
        "stages.all.quorum = 0.9",
    ];
    for more in more {
        let scenario = text(200_000, "\"regular\", degree = 100", 10, more);
        let scenario = Scenario::parse(&scenario, "test").unwrap();
        let (_, asked) = run(&scenario, Mode::Model);
        let bytes = Parts::of(&scenario, Mode::Model).unwrap().asked() as f64 / asked as f64;
        println!("{bytes:.2} of {asked} bytes in model mode");
        assert!(NEAR.contains(&bytes), "{bytes} of {asked}: {more}");
    }
}

/// The peak of memory in bytes of a run of the program.
fn resident(scenario: &Path, mode: Mode) -> u64 {
    let mut child = program(&["run", scenario.to_str().unwrap(), "--mode", mode.name()]).spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak = line.map_or(peak, |kibibytes| kibibytes.trim().parse::<u64>().unwrap() << 10);
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(child.wait().unwrap().success());
    peak
}

#[test]
fn the_program_and_the_allocator_hold_what_they_are_estimated_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.toml");
    for (mode, text) in [
        (Mode::Real, text(400, "\"regular\", degree = 60", 10, "")),
        (Mode::Real, text(20, "\"regular\", degree = 6", 10, "sessions = 20\ncohorts = 2")),
        (Mode::Model, text(1_000_000, "\"regular\", degree = 100", 10, "")),
    ] {
        fs::write(&file, &text).unwrap();
        let threads = std::thread::available_parallelism().unwrap().get();
        let needed = memory(&Scenario::read(&file).unwrap(), mode, threads).unwrap();
        let share = needed as f64 / resident(&file, mode) as f64;
        println!("{share:.2} of what is held");
        assert!((0.6..1.6).contains(&share), "{share} of the memory, {text}");
    }
}

#[test]
fn noise_takes_time() {
    let calibration = Calibration::built_in();
    let scenario = |dimension: u32| {
        let noise =
            "minimum_survivors = 8\nprivacy = { multiplier = 4, delta = 1e-5, bits = 20, dimension = ";
        let text = text(20, "\"regular\", degree = 4", 10, &format!("{noise}{dimension} }}"));
        Scenario::parse(&text, "test").unwrap()
    };
    let private = scenario(1 << 22);
    let mut plain = private.clone();
    plain.privacy = None;
    let time = |scenario| seconds(scenario, &calibration, Mode::Real, 1).unwrap();
    // Twenty times four million coordinates, of which none is drawn within a nanosecond on any machine.
    assert!(time(&private) > time(&plain) + 20.0 * 4e6 * 1e-9);
}

#[test]
fn a_profile_of_zeros_does_not_make_the_work_nothing() {
    let mut nothing = Calibration::built_in();
    nothing.profiles.insert("server".to_owned(), Profile::default());
    let scenario =
        |clients| Scenario::parse(&text(clients, "\"regular\", degree = 10", 10, ""), "test").unwrap();
    let time = |clients| seconds(&scenario(clients), &nothing, Mode::Real, 1).unwrap();
    // A machine that is busy at one moment and not at the next does not make it less than ten times as much.
    assert!(time(100_000) > 10.0 * time(100));
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

    // With a budget below one session the run ends before it, and takes no time.
    let private = "minimum_survivors = 8\nprivacy = { multiplier = 4, delta = 1e-5, bits = 20, dimension = 30, \
                   budget = 0.01 }";
    let output =
        run(text(20, "\"regular\", degree = 10", 10, private), &["--mode", "real", "--time", "1000"]);
    assert!(output.status.success(), "{}", said(&output));

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

    let all = |threads: &str, limit: u64| {
        let arguments = ["sweep", design, "--of", "8", "--out", out, "--memory", &limit.to_string()];
        program(&arguments).env("RAYON_NUM_THREADS", threads).output().unwrap()
    };
    fs::write(design, "scenario = \"scenario.toml\"\nseeds = 8\n").unwrap();
    let of_each = |threads| memory_of_each(&Scenario::read(&file).unwrap(), Mode::Model, threads).unwrap();
    let output = all("8", of_each(3));
    assert!(said(&output).contains("; RAYON_NUM_THREADS=3 would fit"), "{}", said(&output));
    let output = all("8", of_each(1) - 1);
    assert!(said(&output).contains(" would not fit with one thread"), "{}", said(&output));
    assert!(!parts.exists());
    assert!(all("3", of_each(3)).status.success());
    fs::remove_dir_all(&parts).unwrap();
    fs::write(design, "scenario = \"scenario.toml\"\nseeds = 1000000\n").unwrap();

    assert!(sweep(&["--index", "0", "--time", "600", "--memory", "1000000000"]).unwrap().status.success());
}
