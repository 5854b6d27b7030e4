//! `secagg privacy` and the private demonstration as their users run them.

use std::fs;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn secagg(arguments: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_secagg");
    let arguments = arguments.split_whitespace();
    Command::new(program).args(arguments).env_remove("SECAGG_LOG").stdin(Stdio::null()).output().unwrap()
}

/// The exit code, and the object on stdout.
#[track_caller]
fn json(arguments: &str) -> (Option<i32>, Value) {
    let output = secagg(&format!("{arguments} --format json"));
    let read = serde_json::from_slice(&output.stdout);
    (
        output.status.code(),
        read.unwrap_or_else(|_| panic!("{arguments}: {}", String::from_utf8_lossy(&output.stderr))),
    )
}

#[track_caller]
fn number(object: &Value, key: &str) -> f64 {
    object[key].as_f64().unwrap_or_else(|| panic!("{key} in {object}"))
}

/// Checks that a command prints nothing, fails with this code and says this.
#[track_caller]
fn assert_refused(arguments: &str, code: i32, said: &str) {
    let output = secagg(arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments}: {stderr}");
    assert!(stderr.contains(said), "{arguments}: {stderr}");
    assert!(!stderr.contains("panicked") && output.stdout.is_empty(), "{arguments}: {stderr}");
}

const MECHANISMS: [&str; 3] = ["ddg", "skellam", "centred"];

const PLAN: &str = "privacy plan --epsilon 4 --delta 1e-6 --clients 50 --dropout 0.1 --corrupt 0.1 --clip 2 \
                    --dimension 1000 --rounds 10";

#[test]
fn a_plan_meets_its_target_and_the_account_of_it_agrees() {
    for mechanism in MECHANISMS {
        let (code, plan) = json(&format!("{PLAN} --mechanism {mechanism}"));
        assert_eq!(code, Some(0));
        assert_eq!((&plan["minimum_survivors"], &plan["minimum_honest_survivors"]), (&45.into(), &40.into()));
        assert_eq!(plan["padded_dimension"], 1024);
        let planned = number(&plan, "epsilon_server");
        assert!(
            planned <= 4.0 && planned > 3.99 && plan["epsilon_release"] == plan["epsilon_server"],
            "{plan}"
        );
        assert!(number(&plan, "error_sum") > number(&plan, "error_sum_central"));
        // Keys, shares, and the vector: 1024 coordinates.
        let vector = 1024 * plan["bits"].as_u64().unwrap() / 8;
        let up = plan["bytes_up_per_client"].as_u64().unwrap();
        assert!(up > vector && up < vector + 50 * 150, "{plan}");

        let account = |survivors: &str| {
            let (sigma, scale) = (number(&plan, "sigma_integer"), number(&plan, "scale"));
            let (code, account) = json(&format!(
                "privacy account --mechanism {mechanism} --sigma {sigma} --scale {scale} --clip 2 --dimension 1000 \
                 --delta 1e-6 {survivors}"
            ));
            assert_eq!(code, Some(0));
            number(&account, "epsilon_server")
        };
        let same = account("--survivors 40 --rounds 10");
        assert!((same / planned - 1.0).abs() < 1e-9, "{same} {planned}");
        assert!((account(&format!("--survivors {}40", "40,".repeat(9))) / same - 1.0).abs() < 1e-9);
        // What dropped out is missed; what did not is a gain.
        assert!(account("--survivors 20 --rounds 10") > 1.3 * same);
        assert!(account("--survivors 50 --rounds 10") < same);
    }
}

#[test]
fn the_server_is_given_no_amplification() {
    let sampled = format!("{PLAN} --bits 16 --sampling poisson:0.01");
    let (_, server) = json(&sampled);
    assert!(number(&server, "epsilon_release") < 0.5 && number(&server, "epsilon_server") > 3.99, "{server}");
    let output = secagg(&format!("{sampled} --against release --format json"));
    let release: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        number(&release, "epsilon_release") > 3.99 && number(&release, "epsilon_server") > 4.5,
        "{release}"
    );
    assert!(number(&release, "sigma") < number(&server, "sigma"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("against the server"));
}

#[test]
fn a_secret_cohort_of_a_fixed_size_gains_for_the_released_sums_only() {
    for mechanism in MECHANISMS {
        let with = |sampling: &str| {
            json(&format!(
                "privacy account --mechanism {mechanism} --sigma 3 --scale 10 --clip 1 --dimension 100 --delta 1e-6 \
                 --survivors 40 --rounds 10 --sampling {sampling}"
            ))
            .1
        };
        let (fixed, poisson, whole) = (with("fixed:50/100000"), with("poisson:0.0005"), with("fixed:50/50"));
        let of = |account: &Value| number(account, "epsilon_release");
        assert!(4.0 * of(&fixed) < of(&whole) && of(&fixed) >= of(&poisson), "{fixed} {poisson}");
        assert_eq!(of(&whole), number(&whole, "epsilon_server"));
        assert!(whole["epsilon_server"] == fixed["epsilon_server"], "{whole}");
    }
    let (_, plan) = json(&format!("{PLAN} --bits 16 --sampling fixed:50/100000"));
    assert!(number(&plan, "epsilon_release") < 0.5 && number(&plan, "epsilon_server") > 3.99, "{plan}");
}

/// Nobody shall take the mechanism without having been told, in whatever form the figures come.
#[test]
fn the_centred_mechanism_says_everywhere_that_it_is_experimental() {
    let account = "privacy account --sigma 2 --scale 1 --clip 1 --dimension 9 --delta 1e-6 --survivors 30";
    let demo = DEMO.replace("--rounds 2", "--rounds 1");
    for command in [PLAN, AUDIT, account, demo.as_str()] {
        let centred = secagg(&format!("{command} --mechanism centred"));
        let (said, printed) =
            (String::from_utf8(centred.stderr).unwrap(), String::from_utf8(centred.stdout).unwrap());
        assert!(centred.status.success(), "{said}");
        assert!(said.contains("is experimental") && printed.contains("experimental"), "{said} {printed}");
        let (_, figures) = json(&format!("{command} --mechanism centred"));
        let told = figures.get("privacy").unwrap_or(&figures);
        assert_eq!(told["experimental"], true, "{figures}");
    }
    assert!(!String::from_utf8(secagg(account).stderr).unwrap().contains("experimental"));
    // Shares below the floor of its theorem are not accounted for.
    assert_refused(
        &format!("{} --mechanism centred", account.replace("--sigma 2", "--sigma 1")),
        3,
        "at least 1.05",
    );
}

#[test]
fn the_table_marks_the_choice_and_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let plot = folder.path().join("errors.svg");
    let small = PLAN.replace("--dimension 1000", "--dimension 200");
    let output = secagg(&format!("{small} --measure 1 --plot {}", plot.display()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with(" *")).count(), 1, "{text}");
    assert!(text.lines().all(|line| line.len() <= 120), "{text}");
    let svg = fs::read_to_string(plot).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("ddg, measured") && svg.contains("skellam, expected"));
    assert!(svg.contains("centred (experimental), expected") && text.contains("centred is experimental"));

    let (_, plan) = json(&format!("{small} --measure 1"));
    let rows = plan["table"].as_array().unwrap();
    for row in rows {
        let (expected, measured) = (number(row, "error_sum"), number(row, "error_sum_measured"));
        assert!((measured / expected - 1.0).abs() < 0.25, "{row}");
    }
    let bits = |mechanism: &str| rows.iter().filter(|row| row["mechanism"] == mechanism).count();
    assert!(bits("ddg") > 5 && bits("skellam") > 5 && bits("centred") > bits("ddg"));
}

#[test]
fn rounds_are_read_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rounds.csv");
    let run = "privacy account --sigma 20 --scale 100 --clip 1 --dimension 100 --delta 1e-6";
    let listed = json(&format!("{run} --survivors 85,91,88")).1;
    fs::write(&path, "honest_survivors,sigma\n85,20\n91,20.0\n\n88,20\n").unwrap();
    let file = json(&format!("{run} --file {}", path.display())).1;
    assert_eq!(file, listed);
    assert_eq!((&file["rounds"], &file["fewest_honest_survivors"]), (&3.into(), &85.into()));
    for (content, said) in [
        ("", "line 1: the header"),
        ("honest_survivors\n", "no rounds"),
        ("honest_survivors\n85,20\n", "line 2"),
        ("honest_survivors\n85\n0\n", "line 3: give a whole number from 1"),
        ("honest_survivors,sigma\n85,nan\n", "line 2: give a finite number above 0"),
    ] {
        fs::write(&path, content).unwrap();
        assert_refused(&format!("{run} --file {}", path.display()), 1, said);
    }
    assert_refused(&format!("{run} --file {}", folder.path().join("none").display()), 1, "cannot read");
}

const AUDIT: &str = "privacy audit --epsilon 1 --delta 0.01 --trials 12000 --clients 3 --dimension 2";

#[test]
fn an_audit_does_not_refute_what_is_true() {
    for mechanism in MECHANISMS {
        let (code, audit) = json(&format!("{AUDIT} --mechanism {mechanism}"));
        assert_eq!((code, &audit["verdict"]), (Some(0), &"not refuted".into()), "{audit}");
        let (bound, claim) = (number(&audit, "epsilon_lower_bound"), number(&audit, "epsilon_claimed"));
        // And it is an attack: a bound of nothing would not refute anything.
        assert!(bound > 0.3 && bound <= claim && claim <= 1.0, "{audit}");
    }
    let (one, other) = (json(AUDIT).1, json(AUDIT).1);
    assert_eq!(one, other, "seeded");
    assert_ne!(one["threshold"], json(&format!("{AUDIT} --seed 7")).1["threshold"]);
}

#[test]
fn an_audit_refutes_a_claim_with_too_little_noise() {
    for mechanism in MECHANISMS {
        for factor in ["0.5", "0"] {
            let (code, audit) = json(&format!("{AUDIT} --mechanism {mechanism} --noise-factor {factor}"));
            assert_eq!((code, &audit["verdict"]), (Some(1), &"refuted".into()), "{audit}");
            assert!(number(&audit, "epsilon_lower_bound") > number(&audit, "epsilon_claimed"));
        }
    }
    let output = secagg(&format!("{AUDIT} --noise-factor 0"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("too little noise"));
}

#[test]
fn what_admits_no_guarantee_is_refused_with_what_does() {
    let with = |from: &str, to: &str| {
        assert!(PLAN.contains(from));
        PLAN.replace(from, to)
    };
    for bad in ["nan", "inf", "-1", "0", "1e999", "x"] {
        for (flag, usual) in [("--epsilon", "4"), ("--delta", "1e-6"), ("--clip", "2")] {
            assert_refused(&with(&format!("{flag} {usual} "), &format!("{flag}={bad} ")), 2, "0");
        }
        assert_refused(&format!("{PLAN} --wrap={bad}"), 2, "between 0 and 1");
        assert_refused(&format!("{PLAN} --sampling=poisson:{bad}"), 2, "above 0 and at most 1");
        assert_refused(&with("--dropout 0.1", &format!("--dropout={}", bad.replace('0', "2"))), 2, "0 to 1");
        let account = "privacy account --delta 1e-6 --dimension 9 --survivors 3";
        assert_refused(&format!("{account} --sigma={bad} --scale 1 --clip 1"), 2, "above 0");
        assert_refused(&format!("{account} --sigma 5 --scale={bad} --clip 1"), 2, "above 0");
        assert_refused(&format!("{account} --sigma 5 --scale 1 --clip={bad}"), 2, "above 0");
        assert_refused(&format!("privacy audit --epsilon={bad}"), 2, "above 0");
        assert_refused(&format!("privacy audit --confidence={bad}"), 2, "between 0 and 1");
    }
    assert_refused(&with("--delta 1e-6", "--delta 1"), 2, "between 0 and 1");
    for dimension in ["0", "268435457", "1073741824", "-5", "99999999999"] {
        assert_refused(&with("--dimension 1000", &format!("--dimension={dimension}")), 2, "1 to 268435456");
    }
    for clients in ["0", "1048577", "4294967295"] {
        assert_refused(&with("--clients 50", &format!("--clients={clients}")), 2, "1 to 1048576");
    }
    assert_refused(&with("--rounds 10", "--rounds 0"), 2, "from 1");
    assert_refused(&format!("{PLAN} --bits 63"), 2, "1..=62");
    assert_refused(&format!("{PLAN} --sampling fixed:49/100"), 2, "50");
    assert_refused(&format!("{PLAN} --degree 50"), 2, "50");
    assert_refused(&format!("{PLAN} --measure 0"), 2, "1 to 1000");
    assert_refused("privacy audit --dimension 268435456", 2, "1 to 65536");
    let large = with("--dimension 1000", "--dimension 4194305");
    assert_refused(&format!("{large} --bits 22 --measure 1"), 2, "up to 4194304 coordinates");
    assert_refused("privacy audit --noise-factor 1.5", 2, "0 to 1");
    assert_refused("privacy audit --trials 10", 2, "1000");
    assert_refused(
        "privacy account --sigma 1 --scale 1 --clip 1 --dimension 9 --delta 1e-6",
        2,
        "--survivors",
    );
}

#[test]
fn what_cannot_be_had_is_refused_with_the_nearest_that_can() {
    assert_refused(&format!("{PLAN} --bits 4"), 3, "take at least 5");
    assert_refused(&format!("{PLAN} --bits 7"), 3, "ε cannot fall below");
    let nobody = PLAN.replace("--dropout 0.1", "--dropout 0.9");
    assert_refused(&nobody, 3, "together they must be at most 49");
    // A share's noise below the mechanism's floor.
    let account = "privacy account --scale 1 --clip 1 --dimension 9 --delta 1e-6 --survivors 3";
    assert_refused(&format!("{account} --sigma 0.2"), 2, "1/4 to 2^44");
    assert_refused(&format!("{account} --sigma 1e300"), 2, "1/4 to 2^44");
}

#[test]
fn numbers_at_the_ends_of_their_ranges_are_answered() {
    for plan in [
        "--epsilon 1e-3 --delta 1e-12 --clients 20000 --dropout 0 --corrupt 0 --clip 1e-300 --dimension 1",
        "--epsilon 1e6 --delta 0.9 --clients 2 --dropout 0 --corrupt 0 --clip 1e150 --dimension 268435456",
        "--epsilon 1 --delta 1e-300 --clients 1 --dropout 0 --corrupt 0 --clip 1 --dimension 1 --rounds 4294967295",
    ] {
        for mechanism in MECHANISMS {
            let output = secagg(&format!("privacy plan {plan} --mechanism {mechanism}"));
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert!(matches!(output.status.code(), Some(0 | 2 | 3)), "{plan}: {stderr}");
            assert!(!stderr.contains("panicked"), "{plan}: {stderr}");
        }
    }
}

#[test]
fn help_shows_examples() {
    for command in [
        "privacy --help",
        "privacy plan --help",
        "privacy account --help",
        "privacy audit --help",
        "privacy ledger --help",
    ] {
        let output = secagg(command);
        assert!(
            output.status.success() && String::from_utf8_lossy(&output.stdout).contains("Examples:\n"),
            "{command}"
        );
    }
}

const DEMO: &str = "demo --clients 8 --rounds 2 --dropout 0.25 --epsilon 50";

#[test]
fn a_private_demonstration_reports_what_was_really_spent() {
    let folder = tempfile::tempdir().unwrap();
    for mechanism in MECHANISMS {
        let report = folder.path().join(mechanism);
        let (code, run) = json(&format!("{DEMO} --mechanism {mechanism} --report {}", report.display()));
        assert_eq!(code, Some(0));
        let privacy = &run["privacy"];
        assert_eq!((&privacy["minimum_survivors"], &run["threshold"]), (&6.into(), &6.into()));
        assert_eq!(privacy["mechanism"], mechanism);
        let rounds = run["rounds"].as_array().unwrap();
        let (planned, achieved) = (number(privacy, "epsilon_planned"), number(privacy, "epsilon_achieved"));
        assert!(planned <= 50.0 && planned > 49.9 && achieved <= planned, "{privacy}");
        assert_eq!(number(&rounds[1], "epsilon"), achieved);
        assert!(number(&rounds[0], "epsilon") < achieved);
        // More noise in the sum than was planned for costs less; exactly as much costs the plan.
        let survivors: Vec<u64> = rounds.iter().map(|round| round["survivors"].as_u64().unwrap()).collect();
        let account = json(&format!(
            "privacy account --mechanism {mechanism} --sigma {} --scale {} --clip {} --dimension 650 --delta 1e-5 \
             --survivors {},{}",
            // The plan's σ is in real units; the account's is as it is drawn, a 2^16th above at most.
            number(privacy, "sigma") * number(privacy, "scale"),
            number(privacy, "scale"),
            number(privacy, "clip"),
            survivors[0],
            survivors[1],
        ));
        assert!(
            (number(&account.1, "epsilon_server") / achieved - 1.0).abs() < 1e-4,
            "{} {achieved}",
            account.1
        );
        for round in rounds {
            assert_eq!(round["sum_exact"], Value::Bool(true), "{round}");
        }
        // One vector of 1024 coordinates instead of 650 coordinates and a count, and no more than that.
        let (private, plain) =
            (number(privacy, "bytes_up_per_client"), number(privacy, "plain_bytes_up_per_client"));
        let vector = number(privacy, "bits") * 128.0;
        assert!(private > vector && private < vector + 2000.0 && plain > 1500.0, "{privacy}");
        let svg = fs::read_to_string(report.join("accuracy.svg")).unwrap();
        assert!(svg.contains(mechanism) && svg.contains("private"));
    }
}

#[test]
fn a_private_demonstration_says_its_epsilon_in_the_table() {
    let output = secagg(&format!("{DEMO} --bits 20"));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        text.contains("ε so far")
            && text.contains("privacy: each client has ε = ")
            && text.contains("2 of 2 sums exact")
    );
    assert!(text.contains("(planned 50.000)"), "{text}");
}

#[test]
fn a_demonstration_that_cannot_be_private_is_refused() {
    assert_refused("demo --epsilon 8 --dropout 1", 2, "honest survivors is 0");
    assert_refused("demo --epsilon 8 --bits 6", 3, "ε cannot fall below");
    assert_refused("demo --epsilon=-1", 2, "above 0");
    assert_refused("demo --epsilon nan", 2, "above 0");
    assert_refused("demo --epsilon 8 --delta 0", 2, "between 0 and 1");
    assert_refused("demo --mechanism skellam", 2, "--epsilon");
}

#[test]
fn a_ledger_refuses_the_round_that_would_overspend_with_the_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("phones.ledger");
    let ledger = |rest: &str| {
        let (command, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        format!("privacy ledger {command} {} {rest}", file.display())
    };
    let kind = "--sigma 60 --scale 100 --clip 1 --dimension 10000 --survivors";
    let begin = ledger("create --population phones --epsilon 4 --delta 1e-6");
    assert_refused(&ledger("show"), 1, "cannot read");
    assert!(secagg(&begin).status.success());
    assert_refused(&begin, 1, "already");
    let fit = json(&ledger(&format!("check {kind} 85"))).1["such_rounds_that_fit"].as_u64().unwrap();
    // Of twice the norm bound that this scale, clip and dimension have, each round gives away twice as much.
    let fit_of = |norm: u32| json(&ledger(&format!("check {kind} 85 --norm-squared {norm}"))).1;
    let [same, twice] =
        [14_257, 4 * 14_257].map(|norm| fit_of(norm)["such_rounds_that_fit"].as_u64().unwrap());
    assert!(same == fit && 0 < twice && twice < fit / 2, "{fit} {same} {twice}");
    // What the account says of that many rounds, and of one more.
    let of = |rounds: u64| {
        let account = format!("privacy account {kind} 85 --rounds {rounds} --delta 1e-6");
        number(&json(&account).1, "epsilon_server")
    };
    assert!(fit > 2 && of(fit) <= 4.0 && of(fit + 1) > 4.0, "{fit}");
    for round in 1..=fit {
        assert!(secagg(&ledger(&format!("reserve --round r{round} {kind} 85"))).status.success());
    }
    let over = ledger(&format!("reserve --round more {kind} 85"));
    assert_refused(&over, 3, "above the budget of 4; 0 more rounds");
    // More survivors than the fewest leave room; what was never released leaves all of its own.
    assert!(secagg(&ledger(&format!("settle --round r1 {kind} 95"))).status.success());
    assert_refused(&ledger(&format!("settle --round r1 {kind} 95")), 1, "settled or cancelled already");
    assert!(secagg(&ledger("cancel --round r2")).status.success());
    assert!(secagg(&over).status.success());
    let show = json(&ledger("show")).1;
    assert_eq!((&show["settled"], &show["cancelled"]), (&1.into(), &1.into()));
    assert!((number(&show, "epsilon_server") / of(fit) - 1.0).abs() < 0.1, "{show}");
    assert_eq!(show["rounds"].as_array().unwrap().len(), fit as usize + 1);
    // A changed line is found, a torn one is told and does no harm.
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}reserve\tto")).unwrap();
    assert!(String::from_utf8_lossy(&secagg(&ledger("show")).stderr).contains("torn by a crash"));
    fs::write(&file, text.replacen("85x", "86x", 1)).unwrap();
    assert_refused(&ledger("show"), 1, "line 2 of the ledger has a wrong checksum");
}

#[test]
fn a_demonstration_stops_before_the_round_that_would_overspend() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("digits.ledger");
    let create = "--population digits --epsilon 40 --delta 1e-5";
    assert!(secagg(&format!("privacy ledger create {} {create}", file.display())).status.success());
    // Two rounds are planned for 50; each alone costs less than 40.
    let demo = format!("{DEMO} --dropout 0 --ledger {} --format json", file.display())
        .replace("--dropout 0.25 ", "");
    let output = secagg(&demo);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("demo-2") && said.contains("above the budget of 40"), "{said}");
    let run: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(run["rounds"].as_array().unwrap().len(), 1);
    let show = json(&format!("privacy ledger show {}", file.display())).1;
    let spent = number(&show, "epsilon_server");
    assert!((spent / number(&run["privacy"], "epsilon_achieved") - 1.0).abs() < 1e-6, "{show}");
    assert_refused("demo --ledger x", 2, "--epsilon");
}

#[test]
fn a_plan_says_what_removing_surplus_noise_brings_and_carries_the_levels() {
    let plan = json(&format!("{PLAN} --bits 16 --noise add-then-remove")).1;
    let over = json(&format!("{PLAN} --bits 16")).1;
    let levels = plan["levels"].as_array().unwrap();
    assert_eq!(levels.len() as u64 + 1, plan["components"].as_u64().unwrap());
    // With all of them a client adds what it adds without levels, but for the rounding to whole units.
    let (last, share) = (levels.last().unwrap()["variance_units"].as_u64().unwrap(), &over["variance_units"]);
    assert!(share.as_u64().unwrap().abs_diff(last) <= 1, "{last} {share}");
    assert_eq!(levels[0]["survivors"], 50);
    assert!(over["levels"].is_null() && plan["variance_units"].as_u64().unwrap() < last * 9 / 10);
    let of = |name: &str| number(&plan, name);
    assert!(of("components") > 1.0);
    assert!(of("error_all_answer_add_then_remove") < 0.95 * of("error_all_answer_over_provision"), "{plan}");
    assert!(
        of("epsilon_all_answer_over_provision") < 0.95 * of("epsilon_all_answer_add_then_remove"),
        "{plan}"
    );
    for name in ["epsilon_all_answer_add_then_remove", "epsilon_fewest_answer_add_then_remove"] {
        assert!(of(name) <= 4.001 && of(name) > 3.5, "{name} {plan}");
    }
    assert_eq!(plan["epsilon_fewest_answer_over_provision"], plan["epsilon_server"]);
}
