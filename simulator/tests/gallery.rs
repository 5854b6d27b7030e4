//! The gallery: every scenario can be run, tells the same twice, on any number of threads and in both modes.

use std::path::{Path, PathBuf};

use secagg_simulator::{Calibration, Mode, Report, Scenario, Simulation};

fn gallery() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    assert!(files.len() >= 10, "{files:?}");
    files
}

/// The scenario with at most so many clients, cohorts and coordinates.
fn scaled(path: &Path, clients: u32) -> Scenario {
    let mut scenario = Scenario::read(path).unwrap_or_else(|error| panic!("{error}"));
    if scenario.clients > clients {
        let population = scenario.population.map(|all| all / (scenario.clients / clients));
        let before = std::mem::replace(&mut scenario.clients, clients);
        scenario.population = population.map(|all| all.max(clients * scenario.cohorts));
        if let secagg_simulator::scenario::GraphChoice::Complete { threshold } = &mut scenario.graph {
            *threshold = None;
        }
        let minimum = u64::from(scenario.minimum_survivors) * u64::from(clients);
        scenario.minimum_survivors = minimum.div_ceil(u64::from(before)) as u32;
    }
    scenario.cohorts = scenario.cohorts.min(3);
    scenario
}

/// Runs a scenario; one with adversaries with real clients, because the model has nobody to lie to.
fn run(scenario: &Scenario, mode: Mode, threads: usize) -> Report {
    let mode = if scenario.adversaries.is_some() { Mode::Real } else { mode };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let simulation = Simulation::new(scenario.clone(), &Calibration::built_in(), mode).unwrap();
    pool.install(|| simulation.run(&|_| true)).unwrap()
}

#[test]
fn a_scenario_tells_the_same_on_any_number_of_threads() {
    for path in gallery() {
        let attacked = Scenario::read(&path).unwrap().adversaries.is_some();
        let mut scenario = scaled(&path, if attacked { 25 } else { 1500 });
        scenario.sessions = scenario.sessions.min(10);
        let (one, two) = (run(&scenario, Mode::Model, 1), run(&scenario, Mode::Model, 2));
        assert_eq!(one, two, "{}", path.display());
        let other = Scenario { seed: scenario.seed + 1, ..scenario };
        let other = run(&other, Mode::Model, 1);
        let random = one
            .sessions
            .iter()
            .any(|session| session.rounds.iter().any(|round| round.answered < round.asked));
        assert!(!random || other.transcript != one.transcript, "{}", path.display());
    }
}

#[test]
fn a_scenario_tells_the_same_with_real_clients() {
    for path in gallery() {
        let mut scenario = scaled(&path, 40);
        if scenario.adversaries.is_some() {
            continue;
        }
        scenario.vectors.iter_mut().for_each(|vector| vector.length = vector.length.min(100));
        scenario.privacy.iter_mut().for_each(|privacy| privacy.dimension = privacy.dimension.min(100));
        scenario.sessions = scenario.sessions.min(2);
        let (real, model) = (run(&scenario, Mode::Real, 2), run(&scenario, Mode::Model, 1));
        assert_eq!(real.transcript, model.transcript, "{}", path.display());
        assert_eq!(real.privacy, model.privacy, "{}", path.display());
    }
}

#[test]
fn the_scenarios_show_what_they_say() {
    let report = |name: &str, clients| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
        run(&scaled(&path, clients), Mode::Model, 1)
    };
    let dark = report("region-dark.toml", 1000);
    // A fifth goes, but a sixth of these have answered by then.
    assert!((795..=870).contains(&dark.sessions[0].survivors), "{}", dark.sessions[0].survivors);
    let too_dark = report("region-too-dark.toml", 1000);
    let abort = too_dark.sessions[0].abort.as_deref().unwrap_or_default();
    assert!(
        abort.starts_with("MaskedInputCollection: ") && abort.contains("more answers were needed"),
        "{abort}"
    );
    assert!(report("which-degree.toml", 1000).sessions[0].abort.is_none());
    let spent = report("privacy-budget.toml", 200);
    let privacy = spent.privacy.unwrap();
    assert!(privacy.ended && privacy.left == Some(0) && privacy.server <= 8.0, "{privacy:?}");
    // Were there no more than the fewest survivors, whose noise is 8 times the clip, it would be 128.
    assert!((150..185).contains(&privacy.sessions), "{privacy:?}");
    let lied = report("lying-clients.toml", 100).sessions.remove(0);
    let adversary = lied.adversary.unwrap();
    assert!(adversary.named >= 10 && adversary.blamed == 0 && adversary.rules.len() >= 9, "{adversary:?}");
    assert_eq!((lied.abort, lied.exact, adversary.leaked), (None, Some(true), false));
    let curious = report("equivocating-server.toml", 100).sessions.remove(0);
    assert_eq!(
        curious.adversary.map(|adversary| (adversary.leaked, adversary.smallest)),
        Some((true, Some(1)))
    );
    let active = report("equivocating-server-active.toml", 100).sessions.remove(0);
    assert!(!active.adversary.unwrap().leaked);
    assert!(active.abort.unwrap().starts_with("ConsistencyCheck"));
    let whole = report("bonawitz17-clients.toml", 500);
    assert_eq!(whole.sessions[0].survivors, 500);
    // 2n·a_K + (5n − 4)·a_S + m·25 bits is Bonawitz et al.'s figure for a client's traffic; ours has sealed shares of
    // both secrets, ids and headers on top.
    let class = &whole.sessions[0].classes[0];
    let each = (class.up + class.down) / 500;
    let formula = (2 * 500 * 256 + (5 * 500 - 4) * 256 + 100_000 * 25) / 8;
    assert!(formula < each && each < formula * 6 / 5, "{each} {formula}");
}

#[test]
fn numbers_that_cannot_work_are_named_with_their_place() {
    let error = |text: &str| {
        let base = "clients = 10\nvectors = [{ name = \"v\", length = 1, bits = 8 }]\n";
        Scenario::parse(&format!("{base}{text}"), "bad.toml").unwrap_err().to_string()
    };
    assert!(
        error("cleints = 3").starts_with("bad.toml:3:1: unknown field `cleints`"),
        "{}",
        error("cleints = 3")
    );
    assert!(error("[network]\nlatency = -1").contains("network.latency = -1"));
    assert!(error("[network]\nloss = 0.9").contains("network.loss reaches 0.9"));
    assert!(error("population = 9").contains("population = 9: the cohorts alone have 10 clients"));
    assert!(error("graph = { kind = \"complete\", threshold = 11 }").contains("threshold 11"));
    assert!(error("graph = { kind = \"complete\", treshold = 5 }").contains("unknown field `treshold`"));
    assert!(error("[stages.all]\nquorum = 1.5").contains("quorum = 1.5: it must be 0 to 1"));
    assert!(error("[faults]\nstragglers = { share = 0.1, slowdown = 0.5 }").contains("slowdown = 0.5"));
    let private = |text: &str| error(&format!("minimum_survivors = 5\n[privacy]\ndelta = 1e-5\n{text}"));
    assert!(private("dimension = 9").contains("either epsilon or multiplier"));
    assert!(private("dimension = 9\nepsilon = -1.0").contains("privacy.epsilon = -1"));
    assert!(private("dimension = 0\nepsilon = 1.0").contains("privacy.dimension = 0"));
    assert!(private("dimension = 9\nepsilon = 1.0\nnoise = 3").contains("unknown field `noise`"));
    let narrow = private("dimension = 9\nepsilon = 1e-3\nbits = 4");
    assert!(
        narrow.contains("privacy.bits = 4: ") && narrow.contains("without bits they are chosen"),
        "{narrow}"
    );
    let few =
        error("minimum_survivors = 5\ncorrupt = 0.5\n[privacy]\ndelta = 1e-5\ndimension = 9\nepsilon = 1.0");
    assert!(few.contains("minimum_survivors = 5: 5 of 10 clients may be corrupt"), "{few}");
    assert!(error("minimum_survivors = 11").contains("minimum of survivors 11"));
    assert!(error("corrupt = 1.5").contains("corrupt = 1.5"));
    assert!(error("suite = \"actve\"").contains("unknown variant `actve`"));
    let active = "suite = \"active\"\ncorrupt = 0.2\ngraph = { kind = \"complete\", threshold = 6 }";
    assert!(error(active).contains("threshold 6"), "{}", error(active));
    assert!(error("[network]\nup = -1").contains("network.up = -1"), "{}", error("[network]\nup = -1"));
    assert!(error("[network]\nserver_up = -5.0").contains("network.server_up = -5"));
    assert!(error("[stages.unmasking]\ngrace = -1.0").contains("grace = -1"));
    let nobody = error("faults.dropouts = [{ round = \"unmasking\", probability = 1.0 }]");
    assert!(nobody.contains("probability = 1: nobody is left"), "{nobody}");
    let lies = error("adversaries.lies = [{ lie = \"bad-consent\", share = 0.1 }]");
    assert!(lies.contains("needs the suite \"active\""), "{lies}");
    assert!(error("adversaries.colluding = 2.0").contains("adversaries.colluding = 2"));
    assert!(
        error("adversaries.lies = [{ lie = \"white\", share = 0.1 }]").contains("unknown variant `white`")
    );
    let attacked = "clients = 10\nadversaries.colluding = 0.1\n\
        vectors = [{ name = \"v\", length = 1, bits = 8 }]";
    let attacked = Scenario::parse(attacked, "attacked").unwrap();
    let error = Simulation::new(attacked, &Calibration::built_in(), Mode::Model).err().unwrap().to_string();
    assert!(error.contains("--mode real"), "{error}");
    let scenario = Scenario::parse(
        "clients = 10\nvectors = [{ name = \"v\", length = 1, bits = 8 }]\n\
        [compute]\nserver = \"toaster\"",
        "bad.toml",
    )
    .unwrap();
    let error = Simulation::new(scenario, &Calibration::built_in(), Mode::Model).err().unwrap().to_string();
    assert!(error.contains("no profile \"toaster\", but laptop, phone, server"), "{error}");
}

#[test]
fn a_bad_row_of_a_trace_is_named_with_its_file_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, trace) = (folder.path().join("scenario.toml"), folder.path().join("there.csv"));
    std::fs::write(
        &scenario,
        "clients = 10\nvectors = [{ name = \"v\", length = 1, bits = 8 }]\n\
         availability = { kind = \"trace\", file = \"there.csv\" }",
    )
    .unwrap();
    let error = || Scenario::read(&scenario).unwrap_err().to_string();
    assert!(error().starts_with(&format!("{}: ", trace.display())), "{}", error());
    std::fs::write(&trace, "device,from,to\n0,0,10\n1,5,x\n").unwrap();
    let place = format!("{}:3:5: \"x\" is no number of seconds", trace.display());
    assert!(error().starts_with(&place), "{}", error());
    std::fs::write(&trace, "device,from,to\n0,9,5\n").unwrap();
    assert!(error().contains(":2:5: the interval ends at 5 and begins at 9"), "{}", error());
}

#[test]
fn a_scenario_survives_being_written() {
    for path in gallery() {
        let scenario = Scenario::read(&path).unwrap();
        if !matches!(scenario.availability, secagg_simulator::scenario::Availability::Trace(_)) {
            assert_eq!(
                Scenario::parse(&scenario.to_toml(), "again").unwrap(),
                scenario,
                "{}",
                path.display()
            );
        }
    }
}
