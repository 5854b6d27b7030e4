//! Ctrl-C, as a terminal sends it: nothing is left broken, and the next run goes on.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use secagg::Round;
use secagg_simulator::{Calibration, Mode, Progress, Report, Scenario, Simulation};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secagg-simulator"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

/// Runs the program in a process group of its own and sends SIGINT to it, or to the group, when it is `ready`, which is
/// given its process.
fn interrupted(arguments: &[&str], group: bool, mut ready: impl FnMut(u32) -> bool) -> Output {
    let mut child = program(arguments).process_group(0).spawn().unwrap();
    let limit = Instant::now() + Duration::from_secs(120);
    while !ready(child.id()) {
        let ended = child.try_wait().unwrap();
        assert!(
            ended.is_none() && Instant::now() < limit,
            "it ended before it could be interrupted: {ended:?}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let process = Pid::from_child(&child);
    if group { kill_process_group(process, Signal::INT) } else { kill_process(process, Signal::INT) }
        .unwrap();
    child.wait_with_output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The files of a folder with the times at which they were written.
fn files(folder: &Path) -> BTreeMap<String, SystemTime> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    // One that is still written under another name may be gone when it is looked at.
    let file = |entry: fs::DirEntry| {
        Some((entry.file_name().into_string().unwrap(), entry.metadata().ok()?.modified().unwrap()))
    };
    entries.filter_map(file).collect()
}

#[test]
fn a_sweep_goes_on_with_the_parts_that_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let scenario = "clients = 20000\ngraph = { kind = \"regular\", degree = 20 }\n\
                    vectors = [{ name = \"v\", length = 10, bits = 16 }]\nfaults.dropouts = [{ probability = 0.1 }]\n";
    fs::write(at("scenario.toml"), scenario).unwrap();
    let design = "scenario = \"scenario.toml\"\nseeds = 2\n[grid]\n\"faults.dropouts.0.moment\" = [\"before\", \"any\"]\n\
                  [random]\npoints = 12\nseed = 3\n[random.fields]\n\"graph.degree\" = { from = 10, to = 60, step = 2 }\n\
                  \"faults.dropouts.0.probability\" = { from = 0.01, to = 0.2, scale = \"log\" }\n";
    fs::write(at("design.toml"), design).unwrap();
    let (design, parts) = (at("design.toml"), at("parts"));
    let sweep = ["sweep", &design, "--of", "16", "--out", &parts];

    let output = interrupted(&sweep, false, |_| files(parts.as_ref()).len() >= 2);
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let before = files(parts.as_ref());
    assert!((2..16).contains(&before.len()), "{before:?}");
    assert!(before.keys().all(|name| name.starts_with("part-") && name.ends_with(".parquet")), "{before:?}");
    let table = at("sweep.parquet");
    let output = run(&["merge", &parts, "-o", &table]);
    let missing = format!("{} of 16 parts are missing", 16 - before.len());
    assert!(stderr(&output).contains(&missing), "{}", stderr(&output));

    // Parts of another sweep are not taken for this one's.
    fs::write(at("scenario.toml"), format!("pause = 1\n{scenario}")).unwrap();
    let output = run(&sweep);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("it belongs to another design, scenario, mode, calibration or version"),
        "{}",
        stderr(&output)
    );
    fs::write(at("scenario.toml"), scenario).unwrap();
    let meanwhile = files(parts.as_ref());
    assert_eq!(meanwhile, before);

    let output = run(&sweep);
    assert!(output.status.success(), "{}", stderr(&output));
    let after = files(parts.as_ref());
    assert_eq!(after.len(), 16);
    assert!(before.iter().all(|(name, written)| after[name] == *written), "a part was written again");
    let (whole, other) = (at("whole"), at("whole.parquet"));
    for arguments in [
        &["merge", &parts, "-o", &table][..],
        &["sweep", &design, "--of", "1", "--out", &whole],
        &["merge", &whole, "-o", &other],
    ] {
        let output = run(arguments);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    assert!(fs::read(table).unwrap() == fs::read(other).unwrap(), "the tables differ");
}

#[test]
fn a_run_goes_on_where_it_was_and_tells_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let text = "clients = 20\nsessions = 100\ncohorts = 2\npopulation = 100\npause = 1\n\
                graph = { kind = \"regular\", degree = 6 }\nvectors = [{ name = \"v\", length = 10, bits = 16 }]\n\
                faults.dropouts = [{ probability = 0.1, moment = \"any\" }]\n";
    let scenario = folder.path().join("scenario.toml");
    fs::write(&scenario, text).unwrap();
    let (scenario, out) = (scenario.to_str().unwrap(), folder.path().join("out"));
    let (out, file) = (out.to_str().unwrap(), out.join("report.json"));
    let report = || -> Report { serde_json::from_slice(&fs::read(&file).unwrap()).unwrap() };
    let arguments = ["run", scenario, "--mode", "real", "--out", out];
    let simulation =
        Simulation::new(Scenario::parse(text, "test").unwrap(), &Calibration::built_in(), Mode::Real);
    let begin = Instant::now();
    let mut whole = simulation.unwrap().run(&|_| true).unwrap();
    // Two of these leave something to do, though the machine be eight times as fast as just now.
    let part = begin.elapsed() / 16;

    let after_a_part = || {
        let begin = Instant::now();
        move |_| begin.elapsed() > part
    };
    let output = interrupted(&arguments, false, after_a_part());
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let first = report();
    assert!(!first.complete && first.sessions.len() < 200);
    assert!(first.unfinished.iter().all(|session| (1..4).contains(&session.rounds.len())));
    assert!(String::from_utf8_lossy(&output.stdout).contains("interrupted"));

    let resume = [&arguments[..], &["--resume", file.to_str().unwrap()]].concat();
    let output = interrupted(&resume, false, after_a_part());
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let second = report();
    assert!(!second.complete && second.sessions[..first.sessions.len()] == first.sessions[..]);

    let other = [&resume[..], &["--seed", "9"]].concat();
    let output = run(&other);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("is of another scenario, seed"), "{}", stderr(&output));

    let output = run(&resume);
    assert!(output.status.success(), "{}", stderr(&output));
    let resumed = report();
    whole.replay.clone_from(&resumed.replay);
    assert_eq!(resumed.transcript, whole.transcript);
    assert!(resumed == whole, "the transcripts are the same, the reports are not");
}

/// Two cohorts; some sessions release nothing, and some only after shares were given.
const PRIVATE: &str = "clients = 12\nsessions = 4\ncohorts = 2\nminimum_survivors = 6\nseed = 2\n\
    graph = { kind = \"regular\", degree = 6 }\nfaults.dropouts = [{ probability = 0.3, moment = \"any\" }]\n\
    privacy = { multiplier = 4, delta = 1e-5, dimension = 20, bits = 12, ";

#[test]
fn a_private_run_goes_on_with_the_account_that_it_had() {
    for (budget, mode) in [("budget = 1.6 }", Mode::Real), ("budget = 9 }", Mode::Model)] {
        let scenario = Scenario::parse(&format!("{PRIVATE}{budget}"), "test").unwrap();
        let simulation = || Simulation::new(scenario.clone(), &Calibration::built_in(), mode).unwrap();
        let whole = simulation().run(&|_| true).unwrap();
        assert_eq!(whole.privacy.as_ref().unwrap().ended, budget.contains('6'));
        for session in 0..whole.sessions.last().unwrap().session {
            // One cohort is cut off before shares are given, when the other has released or aborted or has too.
            let cut = |cohort: Option<u32>| {
                move |at: Progress| {
                    at.session != session
                        || cohort.is_some_and(|cohort| at.cohort != cohort)
                        || at.round != Round::MaskedInputCollection
                }
            };
            for cohort in [Some(0), Some(1), None] {
                let first = simulation().run(&cut(cohort)).unwrap();
                let done = &whole.sessions[..first.sessions.len().min(2 * session as usize)];
                assert!(!first.complete && first.sessions[..done.len()] == *done, "{budget} {cohort:?}");
                assert_accounted(&first, &whole);
                let text = serde_json::to_string(&first).unwrap();
                let resumed = simulation().resume(serde_json::from_str(&text).unwrap()).unwrap();
                assert!(resumed.run(&|_| true).unwrap() == whole, "{budget} {cohort:?}");
            }
        }
    }
}

/// Every session that an interrupted run has shows what it has given away, as in the whole run, and the last one what all
/// have: without any it is nothing, whatever was set aside.
fn assert_accounted(first: &Report, whole: &Report) {
    for session in &first.sessions {
        let same =
            whole.sessions.iter().find(|one| (one.session, one.cohort) == (session.session, session.cohort));
        let [one, other] = [session, same.unwrap()].map(|session| session.privacy.unwrap());
        assert_eq!((one.shares, one.server, one.release), (other.shares, other.server, other.release));
        assert_eq!(one.server > 0.0, session.abort.is_none());
    }
    let last = first.sessions.last().and_then(|last| last.privacy).unwrap_or_default();
    assert_eq!(last.composed_server, first.privacy.as_ref().unwrap().server);
}

#[cfg(target_os = "linux")]
#[test]
fn validation_leaves_no_processes_namespaces_devices_or_files() {
    let secagg = Path::new(env!("CARGO_BIN_EXE_secagg-simulator")).with_file_name("secagg");
    if !secagg.is_file() {
        println!("skipped: the program secagg is not built; `cargo build -p secagg-transport` builds it");
        return;
    }
    let arguments = ["validate", "plain", "--secagg", secagg.to_str().unwrap(), "--repeat", "50"];
    let probe = run(&["validate", "plain", "--secagg", "/bin/true", "--repeat", "1"]);
    if stderr(&probe).contains("real sessions need") || stderr(&probe).contains("install iproute2") {
        println!("skipped: {}", stderr(&probe).trim());
        return;
    }
    for group in [false, true] {
        let mut process = 0;
        let output = interrupted(&arguments, group, |id| {
            process = id;
            processes_of(id) > 3
        });
        assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
        assert_eq!(processes_of(process), 0);
        let left =
            |folder: &str, name: &str| files(folder.as_ref()).keys().any(|file| file.starts_with(name));
        assert!(!left("/run/netns", &format!("secagg-{process}-")));
        assert!(!left("/sys/class/net", &format!("sa{process}")));
        assert!(!std::env::temp_dir().join(format!("secagg-reality-{process}")).exists());
    }
}

/// How many processes were told of the session folder of a validation, apart from that itself.
#[cfg(target_os = "linux")]
fn processes_of(validation: u32) -> usize {
    let folder = format!("secagg-reality-{validation}/");
    let lines = fs::read_dir("/proc").unwrap().flatten().map(|entry| fs::read(entry.path().join("cmdline")));
    lines.flatten().filter(|line| String::from_utf8_lossy(line).contains(&folder)).count()
}
