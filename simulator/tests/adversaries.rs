//! Lying clients and a lying server in scenarios: who is named, what leaks, and what it costs.

use secagg_simulator::scenario::Lie;
use secagg_simulator::{Calibration, Mode, Report, Scenario, Simulation};

fn run(text: &str) -> Report {
    run_of("{ name = \"v\", length = 9, bits = 12 }", text)
}

fn run_of(vectors: &str, text: &str) -> Report {
    let text = format!("vectors = [{vectors}]\n{text}");
    let scenario = Scenario::parse(&text, "test").unwrap_or_else(|error| panic!("{error}\n{text}"));
    Simulation::new(scenario, &Calibration::built_in(), Mode::Real).unwrap().run(&|_| true).unwrap()
}

/// The id at the end of a rule's words.
fn id(rule: &str) -> Option<&str> {
    Some(rule.rsplit_once('[')?.1.trim_end_matches(']'))
}

/// The rule by which a lie is found, as long as enough shares are right; none for those that nobody can tell.
fn rule(lie: Lie, signed: bool) -> Option<&'static str> {
    Some(match lie {
        Lie::BadEncryptionKey => "3.2-1",
        Lie::BadMaskKey => "3.2-2",
        Lie::CopiedKeys if signed => "4.2-4",
        Lie::CopiedKeys => "4.2-3",
        Lie::BadCertificate => "3.7-2",
        Lie::BadIdentity => "3.7-1",
        Lie::BadKeySignature => "4.2-4",
        Lie::Malformed => "4.1-1",
        Lie::MissingBundle => "4.3-3",
        Lie::GarbageBundle => "4.4-3",
        Lie::WrongLength => "4.4-4",
        Lie::Padding => "4.4-5",
        Lie::Duplicate => "4.1-4",
        Lie::Replay => "4.1-2",
        Lie::OtherSession => "4.1-3",
        Lie::BadConsent => "4.5-5",
        Lie::WrongShares => "4.6-7",
        Lie::NonCanonicalShare => "4.6-6",
        Lie::MissingShare => "4.6-5",
        Lie::FalseComplaint => "4.6-4",
        Lie::FalseCommitment | Lie::WrongInput => return None,
    })
}

#[test]
fn every_lie_is_named_by_its_rule_and_costs_no_honest_client_its_place() {
    let mut wrong = Vec::new();
    for (lie, signed) in Lie::ALL.into_iter().flat_map(|lie| [(lie, false), (lie, true)]) {
        if lie.is_of_signatures() && !signed {
            continue;
        }
        let name = toml::Value::try_from(lie).unwrap();
        let suite = if signed { "active" } else { "curious" };
        let report = run(&format!(
            "suite = \"{suite}\"\nclients = 20\nseed = 3\ngraph = {{ kind = \"complete\", threshold = 11 }}\n\
             adversaries.lies = [{{ lie = {name}, share = 0.1 }}]"
        ));
        let session = &report.sessions[0];
        let adversary = session.adversary.as_ref().unwrap();
        assert!((1..=4).contains(&adversary.liars), "{}", adversary.liars);
        let rules: Vec<&str> = adversary.rules.keys().filter_map(|rule| id(rule)).collect();
        let right = match rule(lie, signed) {
            Some(rule) => {
                rules == [rule]
                    && session.exact == Some(true)
                    && (adversary.named, adversary.blamed) == (adversary.liars, 0)
            }
            None if lie == Lie::WrongInput => rules.is_empty() && session.exact == Some(false),
            None => session.abort.as_ref().is_some_and(|abort| abort.contains("committed")),
        };
        if !right || adversary.leaked {
            wrong.push(format!("{lie:?} {suite} {rules:?} {:?} {:?}", session.abort, session.exact));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn wrong_inputs_do_not_cancel_each_other() {
    // Twelve clients: on nine coordinates some are changed by one of them alone.
    for vectors in [
        "{ name = \"v\", length = 9, bits = 12 }",
        // The padding of the first has to stay zero, or the liars are named.
        "{ name = \"v\", length = 13, bits = 1 }, { name = \"w\", length = 4, bits = 12 }",
        "{ name = \"v\", length = 1, bits = 13 }, { name = \"w\", length = 5, bits = 62 }",
    ] {
        for seed in 1..=10 {
            let report = run_of(
                vectors,
                &format!(
                    "clients = 12\nseed = {seed}\nadversaries.lies = [{{ lie = \"wrong-input\", share = 1 }}]"
                ),
            );
            let (session, adversary) = (&report.sessions[0], report.sessions[0].adversary.as_ref().unwrap());
            assert_eq!((session.survivors, session.exact), (12, Some(false)), "{vectors}, seed {seed}");
            assert!(adversary.rules.is_empty(), "{vectors}, seed {seed}: {adversary:?}");
        }
    }
}

#[test]
fn two_stories_give_an_input_exactly_if_the_threshold_is_too_low() {
    // Of 20 clients c collude; both stories have enough holders if and only if 2t is at most n + c.
    let attack = |threshold: u32, suite: &str| {
        let report = run(&format!(
            "suite = \"{suite}\"\nseed = 3\nclients = 20\ngraph = {{ kind = \"complete\", threshold = {threshold} }}\n\
             adversaries = {{ colluding = 0.2, server = \"equivocating\" }}"
        ));
        let colluding = report.sessions[0].adversary.as_ref().unwrap().colluding;
        (report, colluding)
    };
    for suite in ["curious", "active"] {
        let (_, colluding) = attack(11, suite);
        assert!((2..8).contains(&colluding), "{colluding}");
        // The suite active would refuse these thresholds, were it told how many collude.
        for threshold in 11..=19 {
            let (report, _) = attack(threshold, suite);
            let adversary = report.sessions[0].adversary.as_ref().unwrap();
            let low = 2 * threshold <= 20 + colluding;
            assert_eq!(adversary.leaked, low, "{suite}, threshold {threshold}: {adversary:?}");
        }
    }
}

#[test]
fn clients_refuse_the_certificate_of_what_they_did_not_sign() {
    let report = run("suite = \"active\"\nclients = 21\ngraph = { kind = \"complete\", threshold = 11 }\n\
        adversaries.server = \"equivocating\"");
    let (session, adversary) = (&report.sessions[0], report.sessions[0].adversary.as_ref().unwrap());
    // Eleven were told the truth: a quorum. The other ten know a survivor less than the certificate has.
    assert_eq!(adversary.refusals.values().sum::<u64>(), 10);
    assert!(adversary.refusals.keys().all(|rule| id(rule) == Some("4.6-11")), "{adversary:?}");
    assert_eq!((session.exact, adversary.leaked, adversary.smallest), (Some(true), false, Some(21)));
}

#[test]
fn attacks_are_weighed_against_the_honest_run() {
    let lies = "clients = 20\nadversaries.lies = [{ lie = \"missing-bundle\", share = 0.2 }]";
    let cost = run(lies).amplification.unwrap();
    // Who is put out in ShareKeys makes the others' masked inputs cheaper.
    assert!(cost.bytes < 1.0 && cost.bytes > 0.5 && cost.client_work < 1.0, "{cost:?}");
    let cost = run("clients = 20\n[adversaries]").amplification.unwrap();
    assert_eq!((cost.bytes, cost.duration, cost.client_work, cost.server_work), (1.0, 1.0, 1.0, 1.0));
}

#[test]
fn a_sweep_of_attacks_runs_in_real_mode_and_is_refused_at_once_in_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let scenario = "clients = 10\nvectors = [{ name = \"v\", length = 3, bits = 8 }]\n\
                    adversaries.lies = [{ lie = \"malformed\", share = 0.3 }]\n";
    std::fs::write(at("scenario.toml"), scenario).unwrap();
    std::fs::write(at("design.toml"), "scenario = \"scenario.toml\"\nseeds = 4\n").unwrap();
    let run = |arguments: &[&str]| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_secagg-simulator"));
        let output = program.args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let sweep = ["sweep", &at("design.toml"), "--out", &at("parts")];
    let (code, said) = run(&sweep);
    assert!(
        code == Some(2) && said.contains("point 0: adversaries") && said.contains("--mode real"),
        "{said}"
    );
    assert!(!folder.path().join("parts").exists());
    let (code, said) = run(&[&sweep[..], &["--mode", "real"]].concat());
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&["merge", &at("parts"), "-o", &at("all.csv")]);
    assert_eq!(code, Some(0), "{said}");
    let table = std::fs::read_to_string(at("all.csv")).unwrap();
    assert!(table.lines().count() == 5 && table.contains("liars_named"), "{table}");
    // Parts of one mode are not taken for those of another.
    std::fs::write(at("scenario.toml"), scenario.split("adversaries").next().unwrap()).unwrap();
    std::fs::remove_dir_all(at("parts")).unwrap();
    assert_eq!(run(&sweep).0, Some(0));
    let (code, said) = run(&[&sweep[..], &["--mode", "real"]].concat());
    assert!(
        code == Some(1) && said.contains("another design, scenario, mode, calibration or version"),
        "{said}"
    );
}
