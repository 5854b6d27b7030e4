//! Both modes over random scenarios: every record, byte, outcome and time is the same.
//!
//! `SECAGG_LONG=1 cargo test --release -p secagg-simulator --test modes` takes cohorts of up to 500.

use proptest::prelude::*;
use secagg_simulator::scenario::Lie;
use secagg_simulator::{Calibration, Mode, Record, Report, Scenario, Simulation};

fn run(scenario: &Scenario, mode: Mode) -> (Report, Vec<Record>) {
    let simulation = Simulation::new(scenario.clone(), &Calibration::built_in(), mode).unwrap();
    simulation.run_with_records().unwrap()
}

/// Compares the modes; returns the model's report.
fn compare(text: &str) -> Result<Report, TestCaseError> {
    let scenario =
        Scenario::parse(text, "drawn").map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
    let (mut real, real_records) = run(&scenario, Mode::Real);
    let (model, model_records) = run(&scenario, Mode::Model);
    for (real, model) in real_records.iter().zip(&model_records) {
        prop_assert_eq!(real, model);
    }
    prop_assert_eq!(real_records.len(), model_records.len());
    for session in &mut real.sessions {
        prop_assert_eq!(session.exact, session.abort.is_none().then_some(true));
        session.exact = None;
        if let Some(privacy) = &mut session.privacy {
            prop_assert_eq!(privacy.error_measured.is_some(), session.abort.is_none());
            privacy.error_measured = None;
        }
    }
    real.mode = "model".to_owned();
    prop_assert_eq!(&real, &model);
    Ok(model)
}

fn distribution(median: f64) -> impl Strategy<Value = String> {
    prop_oneof![
        Just(format!("{median}")),
        (0.1f64..1.5).prop_map(move |sigma| format!("{{ median = {median}, sigma = {sigma} }}")),
        Just(format!("{{ values = [{median}, {}], weights = [3, 1] }}", median * 4.0)),
    ]
}

fn network() -> impl Strategy<Value = String> {
    let limit = || prop_oneof![Just(String::new()), (1e5f64..1e8).prop_map(|rate| format!("{rate}"))];
    let loss =
        prop_oneof![Just("0".to_owned()), Just("0.02".to_owned()), Just("{ values = [0, 0.3] }".to_owned())];
    let tick = prop_oneof![Just(0.001), Just(0.05), Just(0.000_001)];
    (distribution(2e6), distribution(2e7), distribution(0.03), loss, tick, limit(), limit()).prop_map(
        |(up, down, latency, loss, tick, server_up, server_down)| {
            let limit = |name: &str, rate: String| match rate.as_str() {
                "" => String::new(),
                rate => format!("{name} = {rate}\n"),
            };
            format!(
                "[network]\nup = {up}\ndown = {down}\nlatency = {latency}\nloss = {loss}\ntick = {tick}\nsilence = 2\n\
                 {}{}",
                limit("server_up", server_up),
                limit("server_down", server_down)
            )
        },
    )
}

fn faults() -> impl Strategy<Value = String> {
    let round = prop_oneof![
        Just(""),
        Just("round = \"advertise-keys\""),
        Just("round = \"share-keys\""),
        Just("round = \"masked-input-collection\""),
        Just("round = \"unmasking\""),
        Just("round = \"consistency-check\""),
    ];
    let moment = prop_oneof![Just("before"), Just("computing"), Just("uploading"), Just("any")];
    let rule = (round, 0.0f64..0.2, moment).prop_map(|(round, probability, moment)| {
        format!("[[faults.dropouts]]\n{round}\nprobability = {probability}\nmoment = \"{moment}\"\n")
    });
    let outage = (0.0f64..2.0, 0.0f64..0.5, 0.3f64..1.0).prop_map(|(at, share, probability)| {
        format!("[[faults.outages]]\nat = {at}\nshare = {share}\nprobability = {probability}\n")
    });
    let stragglers = (0.0f64..0.3, 1.0f64..50.0).prop_map(|(share, slowdown)| {
        format!("[faults.stragglers]\nshare = {share}\nslowdown = {slowdown}\n")
    });
    (prop::collection::vec(rule, 0..3), prop::option::of(outage), prop::option::of(stragglers)).prop_map(
        |(rules, outage, stragglers)| {
            rules.concat() + &outage.unwrap_or_default() + &stragglers.unwrap_or_default()
        },
    )
}

fn stages() -> impl Strategy<Value = String> {
    let all = prop_oneof![
        Just(String::new()),
        (0.1f64..10.0, 0.3f64..1.0, prop_oneof![Just(0.0), 0.0f64..1.0]).prop_map(
            |(deadline, quorum, grace)| {
                format!("[stages.all]\ndeadline = {deadline}\nquorum = {quorum}\ngrace = {grace}\n")
            }
        ),
    ];
    let pair = prop_oneof![
        2 => Just(["advertise_keys", "share_keys"]),
        1 => Just(["consistency_check", "unmasking"]),
    ];
    let deadline = prop_oneof![0.03f64..0.15, 0.1f64..5.0];
    let own = prop::option::of((pair, deadline, 0.5f64..1.0)).prop_map(|own| {
        let own = own.map(|(pair, deadline, quorum)| {
            pair.map(|round| format!("[stages.{round}]\ndeadline = {deadline}\nquorum = {quorum}\n")).concat()
        });
        own.unwrap_or_default()
    });
    (all, own).prop_map(|(all, own)| all + &own)
}

fn availability() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(String::new()),
        1 => Just("[availability]\nkind = \"diurnal\"\nlow = 0.5\nhigh = 0.9\nzones = 3\nstay = 3\n".to_owned()),
    ]
}

fn privacy() -> impl Strategy<Value = String> {
    let privacy = (prop_oneof![Just("ddg"), Just("skellam")], 2.0f64..20.0, prop::option::of(1.0f64..20.0));
    prop_oneof![
        9 => Just(String::new()),
        1 => privacy.prop_map(|(mechanism, multiplier, budget)| {
            let budget = budget.map_or(String::new(), |budget| format!("budget = {budget}\n"));
            format!(
                "[privacy]\nmechanism = \"{mechanism}\"\nmultiplier = {multiplier}\ndelta = 1e-5\ndimension = 20\n\
                 {budget}"
            )
        }),
    ]
}

/// A whole scenario with cohorts of up to `most` clients.
fn scenario(most: u32) -> impl Strategy<Value = String> {
    let graph = prop_oneof![
        Just("{ kind = \"complete\" }".to_owned()),
        (2u32..8).prop_map(|half| format!("{{ kind = \"regular\", degree = {} }}", 2 * half)),
        (2u32..6, 2u32..5).prop_map(|(half, threshold)| {
            format!(
                "{{ kind = \"regular\", degree = {}, threshold = {} }}",
                2 * half,
                threshold.min(2 * half)
            )
        }),
    ];
    let curious = (graph, 1u32..6).prop_map(|(graph, divisor)| {
        // One in so many must survive; with more than the threshold the minimum decides.
        (format!("suite = \"curious\"\ngraph = {graph}\n"), divisor)
    });
    let active = (prop_oneof![Just("0"), Just("0.1")], 1u32..6).prop_map(|(corrupt, divisor)| {
        (format!("suite = \"active\"\ncorrupt = {corrupt}\ngraph = {{ kind = \"complete\" }}\n"), divisor)
    });
    let suite = prop_oneof![2 => curious, 1 => active];
    let size =
        (4u32..most, prop_oneof![3 => Just(1u32), 1 => Just(2)], prop_oneof![3 => Just(1u32), 1 => Just(2)]);
    let compute = prop_oneof![
        Just(String::new()),
        Just(
            "[compute]\nserver_cores = 2\ntraining = { median = 0.3, sigma = 1 }\nclasses = [{ name = \"a\", \
             profile = \"phone\", weight = 2, factor = { median = 1, sigma = 0.5 } }, { name = \"b\", \
             profile = \"laptop\" }]\n"
                .to_owned()
        ),
    ];
    (any::<u64>(), size, prop::option::of(0u32..50), suite, network(), compute, stages(), (faults(), privacy()), availability())
        .prop_map(|(seed, (clients, sessions, cohorts), spare, (suite, divisor), network, compute, stages, (faults, privacy), availability)| {
            // What secret samples are worth takes long to compute, and both modes ask the same code.
            let spare = spare.filter(|_| privacy.is_empty());
            let population =
                spare.map_or(String::new(), |spare| format!("population = {}\n", clients * cohorts + spare));
            format!(
                "seed = {}\nclients = {clients}\nsessions = {sessions}\ncohorts = {cohorts}\ntask_bytes = 1000\n\
                 minimum_survivors = {}\n{population}{suite}vectors = [{{ name = \"v\", length = 40, bits = 20 }}, {{ name = \"w\", \
                 length = 1, bits = 40, bound = 1000 }}]\n{network}{compute}{stages}{faults}{privacy}{availability}",
                seed >> 1,
                // An honest survivor is left beside a tenth of the clients.
                (clients / divisor).max(clients / 10 + 2).min(clients - 1)
            )
        })
}

/// Records and writes what fails, so that it is replayed for ever: see `regressions.rs`.
fn check(text: String) -> Result<(), TestCaseError> {
    compare(&text).map(drop).inspect_err(|_| {
        // The last one that is written is the shrunk one.
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/regressions");
        let file = if FIRST.set(()).is_ok() { "found.toml" } else { "shrunk.toml" };
        let _ =
            std::fs::create_dir_all(folder).and_then(|()| std::fs::write(format!("{folder}/{file}"), &text));
    })
}

/// The drawn scenarios reach what they are drawn for: otherwise equality would say little.
#[test]
fn drawn_scenarios_reach_every_outcome() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..400 {
        let text = scenario(40).new_tree(&mut runner).unwrap().current();
        let (report, records) = run(&Scenario::parse(&text, "drawn").unwrap(), Mode::Model);
        for session in &report.sessions {
            let abort = session.abort.as_deref().unwrap_or("released");
            let about = abort.contains("holders of the shares");
            let round = abort.split(':').next().unwrap_or_default();
            seen.insert(format!("{round} {about}"));
            if session.degree.is_some() && !about {
                seen.insert(format!("{round} minimum"));
            }
            seen.extend(session.rounds.iter().map(|round| format!("{} {:?}", round.round, round.reason)));
        }
        seen.extend(records.iter().filter(|record| !record.accepted).map(|record| match record {
            Record { began: None, round, .. } => format!("{round} gone"),
            Record { work: 0, round, .. } => format!("{round} late to begin"),
            Record { sent: 0, round, .. } => format!("{round} nothing sent"),
            Record { round, .. } => format!("{round} cut"),
        }));
    }
    let rounds = ["AdvertiseKeys", "ShareKeys", "MaskedInputCollection", "ConsistencyCheck", "Unmasking"];
    let mut wanted = vec!["released false".to_owned(), "AdvertiseKeys false".to_owned()];
    for round in rounds {
        wanted
            .extend(["Everyone", "Quorum", "Deadline", "gone", "cut"].map(|what| format!("{round} {what}")));
    }
    let too_few = ["ShareKeys", "MaskedInputCollection"].map(|round| format!("{round} minimum"));
    wanted.extend(too_few);
    // On the complete graph all secrets have the same holders.
    let sparse = rounds.iter().skip(1).filter(|round| **round != "ConsistencyCheck");
    wanted.extend(sparse.map(|round| format!("{round} true")));
    wanted.push("ConsistencyCheck false".to_owned());
    let missing: Vec<_> = wanted.into_iter().filter(|what| !seen.contains(what)).collect();
    assert!(missing.is_empty(), "never reached: {missing:?}; reached: {seen:?}");
}

static FIRST: std::sync::OnceLock<()> = std::sync::OnceLock::new();

fn long() -> bool {
    std::env::var_os("SECAGG_LONG").is_some()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if long() { 2000 } else { 150 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_modes_tell_the_same(text in scenario(if long() { 500 } else { 40 })) {
        check(text)?;
    }
}

/// Attacks in drawn scenarios: the simulator and the protocol agree on what an honest client may do, and nobody honest is
/// blamed.
fn attacks() -> impl Strategy<Value = String> {
    let lies = prop::collection::vec((prop::sample::select(Lie::ALL.to_vec()), 0.0f64..0.2), 0..4);
    let server = prop_oneof![Just("honest"), Just("equivocating")];
    (scenario(24), lies, server, 0.0f64..0.3).prop_map(|(text, lies, server, colluding)| {
        let signed = text.contains("suite = \"active\"");
        let told =
            lies.into_iter().filter(|(lie, _)| *lie != Lie::Padding && (signed || !lie.is_of_signatures()));
        let told = told.map(|(lie, share)| {
            format!("[[adversaries.lies]]\nlie = {}\nshare = {share}\n", toml::Value::try_from(lie).unwrap())
        });
        let lies: String = told.collect();
        // What is accounted of a private vector leaves out the noise of so many clients.
        let corrupt = if text.contains("corrupt = 0.1") { 0.1 } else { 0.0 };
        let colluding = if text.contains("[privacy]") { colluding.min(corrupt) } else { colluding };
        format!("{text}[adversaries]\nserver = \"{server}\"\ncolluding = {colluding}\n{lies}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn attacks_blame_nobody_honest(text in attacks()) {
        let scenario = Scenario::parse(&text, "drawn").map_err(|error| TestCaseError::fail(error.to_string()))?;
        let simulation = Simulation::new(scenario, &Calibration::built_in(), Mode::Real).unwrap();
        let report = simulation.run(&|_| true).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        for session in report.sessions.iter().filter_map(|session| session.adversary.as_ref()) {
            prop_assert_eq!(session.blamed, 0);
        }
    }
}

#[test]
fn every_scenario_that_ever_failed_passes() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/regressions");
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        compare(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

/// What the drawn ones, which are small, do not come to: more clients than are looked at together, by one or as many; a
/// neighbourhood as wide as whole blocks of clients; times beyond those that are exact as numbers with a fraction; rates
/// that divide each other.
#[test]
fn many_clients_and_far_times_are_told_the_same() {
    let round =
        "[network]\nup = { values = [2e6, 8e6] }\nserver_down = 16e6\nserver_up = 64e6\ntick = 0.001\n";
    let far = "[network]\ntick = 60\ndown = 1\n[compute]\ntraining = 1e7\n[stages.all]\ndeadline = 4e7\n";
    let never = "[network]\nlatency = { values = [0.05, 1e10] }\nwindow = 1\n[compute]\ntraining = 1e10\n";
    let day = "[availability]\nkind = \"diurnal\"\nlow = 0.5\nhigh = 0.9\nstay = 30\n";
    for (clients, degree, threshold, more) in [
        (255, 4, 3, round),
        (256, 6, 4, day),
        (257, 4, 3, "[network]\nloss = 0.01\nserver_down = 1e7\n"),
        (300, 100, 51, ""),
        (513, 4, 3, round),
        (40, 6, 4, far),
        (40, 6, 4, never),
    ] {
        let text = format!(
            "clients = {clients}\npopulation = 2000\n\
             graph = {{ kind = \"regular\", degree = {degree}, threshold = {threshold} }}\n\
             vectors = [{{ name = \"v\", length = 7, bits = 9 }}]\n{more}\
             [[faults.dropouts]]\nprobability = 0.02\nmoment = \"any\"\n"
        );
        compare(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
}
