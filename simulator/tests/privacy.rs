//! Private vectors in scenarios: real noise, what it costs, and when the budget is spent.

use secagg_simulator::{Calibration, Mode, Report, Scenario, Simulation};

fn scenario(privacy: &str, more: &str) -> Scenario {
    let text = format!(
        "clients = 24\nminimum_survivors = 16\ncorrupt = 0.1\ngraph = {{ kind = \"regular\", degree = 10 }}\n{more}\n\
         [privacy]\ndelta = 1e-5\ndimension = 4000\n{privacy}"
    );
    Scenario::parse(&text, "test").unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn run(scenario: &Scenario, mode: Mode) -> Report {
    Simulation::new(scenario.clone(), &Calibration::built_in(), mode).unwrap().run(&|_| true).unwrap()
}

#[test]
fn the_noise_is_in_the_sum_and_no_more_of_it_than_expected() {
    for mechanism in ["ddg", "skellam"] {
        let noise = format!("mechanism = \"{mechanism}\"\nepsilon = 3.0\nclip = 2.0\n");
        let report = run(&scenario(&noise, "faults.dropouts = [{ probability = 0.1 }]"), Mode::Real);
        let (session, whole) = (&report.sessions[0], report.privacy.as_ref().unwrap());
        let privacy = session.privacy.unwrap();
        let off = privacy.error_measured.unwrap() / privacy.error_expected;
        assert!((0.95..1.05).contains(&off), "{mechanism}: {off}");
        assert_eq!(privacy.shares, session.survivors - 3);
        // The noise was chosen for 13 honest shares, and more of them give away less.
        assert!(session.survivors > 16 && privacy.server < 3.0 && privacy.server > 2.0, "{privacy:?}");
        assert_eq!((whole.fewest_shares, whole.dimension, whole.sessions), (13, 4096, 1));
        assert!(whole.error > whole.error_central);
    }
}

#[test]
fn the_target_holds_for_the_fewest_honest_survivors() {
    let target = scenario("epsilon = 3.0\nrounds = 5\n", "sessions = 5");
    let report = run(&target, Mode::Model);
    let whole = report.privacy.unwrap();
    assert_eq!((whole.sessions, whole.left, whole.ended), (5, None, false));
    assert!(whole.server < 3.0 && whole.release == whole.server, "{whole:?}");
    // With a budget just of the target all five sessions fit, and a sixth does not.
    let mut six = target;
    (six.sessions, six.minimum_survivors) = (6, 24);
    let privacy = six.privacy.as_mut().unwrap();
    privacy.budget = Some(3.0);
    let whole = run(&six, Mode::Model).privacy.unwrap();
    assert_eq!((whole.sessions, whole.left, whole.ended), (5, Some(0), true));
    assert!(whole.server <= 3.0 && whole.server > 2.99, "{whole:?}");
}

#[test]
fn a_secret_sample_helps_against_the_public_only() {
    let report = run(&scenario("multiplier = 4.0\n", "population = 2400"), Mode::Model);
    let privacy = report.sessions[0].privacy.unwrap();
    assert!(privacy.release < privacy.server / 5.0, "{privacy:?}");
    // Who is there is seen by day and by night, so that being there is no secret lot.
    let seen = "population = 2400\navailability = { kind = \"diurnal\", low = 0.9, high = 1.0 }";
    let report = run(&scenario("multiplier = 4.0\n", seen), Mode::Model);
    let privacy = report.sessions[0].privacy.unwrap();
    assert_eq!(privacy.release, privacy.server);
}

#[test]
fn an_aborted_session_gives_away_nothing() {
    let gone = "faults.dropouts = [{ probability = 0.9 }]";
    let report = run(&scenario("multiplier = 4.0\nbudget = 9.0\n", gone), Mode::Model);
    let privacy = report.sessions[0].privacy.unwrap();
    assert!(report.sessions[0].abort.is_some());
    assert_eq!((privacy.server, privacy.composed_server, report.privacy.unwrap().sessions), (0.0, 0.0, 0));
}

#[test]
fn a_cohort_that_aborts_after_shares_were_given_spends_what_was_reserved() {
    let text = "clients = 12\nsessions = 4\ncohorts = 2\nminimum_survivors = 6\nseed = 2\n\
        graph = { kind = \"regular\", degree = 6 }\nfaults.dropouts = [{ probability = 0.3, moment = \"any\" }]\n\
        privacy = { multiplier = 4, delta = 1e-5, dimension = 20, bits = 12 }";
    let report = run(&Scenario::parse(text, "test").unwrap(), Mode::Model);
    let unmasking = |abort: &str| abort.starts_with("Unmasking");
    let sessions: Vec<_> = report.sessions.chunks(2).collect();
    let [first, second] = [&sessions[0][0], &sessions[0][1]];
    assert!(
        first.abort.is_none() && second.abort.as_deref().is_some_and(unmasking),
        "another seed is needed"
    );
    // That is what six shares give away, the fewest there could be, and not the ten of the cohort with a sum.
    let [one, other] = [first, second].map(|session| session.privacy.unwrap());
    assert!(one.shares > 6 && one.composed_server > one.server, "{one:?}");
    assert_eq!((other.shares, other.composed_server), (0, one.composed_server));
    let sums = sessions.iter().filter(|pair| pair.iter().any(|session| session.abort.is_none())).count();
    assert_eq!(report.privacy.unwrap().sessions as usize, sums);
}
