//! `secagg plan` as its users run it.

use std::process::{Command, Output};

use serde_json::Value;

fn plan(arguments: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_secagg");
    Command::new(program).arg("plan").args(arguments.split_whitespace()).output().unwrap()
}

fn json(arguments: &str) -> (Option<i32>, Value) {
    let output = plan(&format!("{arguments} --format json"));
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn the_smallest_safe_pair_is_found() {
    let (code, plan) =
        json("--clients 1000 --corrupt 0.2 --dropout 0.1 --graph sparse --correctness-bits 30");
    assert_eq!(code, Some(0));
    assert_eq!((&plan["verdict"], &plan["reason"]), (&"accept".into(), &"ok".into()));
    assert_eq!((&plan["degree"], &plan["threshold"]), (&74.into(), &45.into()));
    assert_eq!((&plan["threshold_min"], &plan["threshold_max"]), (&45.into(), &45.into()));
    assert_eq!((&plan["min_honest"], &plan["log2_security"]), (&700.into(), &(-40.006312).into()));
    // Two public keys, 74 bundles, the vector and 74 shares, each with its header.
    let up = 33 + 64 + 33 + 32 + 4 + 74 * 80 + 33 + 400_000 + 33 + 8 + 74 * 32;
    assert_eq!(plan["bytes_up_per_client"], Value::from(up));
    assert_eq!(plan["expansion"], Value::from((f64::from(up) / 400_000.0 * 1e6).round() / 1e6));
}

#[test]
fn a_refusal_names_its_reason_and_exits_with_3() {
    let output = plan("--clients 1000 --corrupt 0.2 --dropout 0.2 --degree 100 --threshold 40");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("verdict                refuse\n"));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("secagg: refused, insecure: "));
    for (arguments, reason) in [
        ("--clients 10 --corrupt 0.5 --dropout 0.5", "threshold_range"),
        ("--clients 10 --corrupt 0.3 --dropout 0.5 --graph sparse", "degree"),
        ("--clients 1000 --corrupt 0.3 --dropout 0.4 --suite active --graph sparse", "quorum"),
        ("--clients 1000 --corrupt 0.1 --dropout 0.1 --graph sparse --min-honest 801", "min_honest"),
    ] {
        let (code, plan) = json(arguments);
        assert_eq!((code, &plan["reason"]), (Some(3), &reason.into()), "{arguments}");
    }
}

#[test]
fn an_active_adversary_is_planned_for() {
    let (code, plan) = json("--clients 100 --corrupt 0.33 --dropout 0.3 --suite active");
    assert_eq!((code, &plan["threshold"], &plan["min_honest"]), (Some(0), &67.into(), &34.into()));
    // Beside the curious suite: an identity with its certificate and signature, and the signature of the survivors.
    let (_, curious) = json("--clients 100 --corrupt 0.33 --dropout 0.3 --threshold 67");
    let bytes = |plan: &Value| plan["bytes_up_per_client"].as_u64().unwrap();
    assert_eq!(bytes(&plan) - bytes(&curious), 160 + 33 + 64);
    let (code, plan) = json("--clients 1000 --corrupt 0.05 --dropout 0.1 --suite active --graph sparse");
    assert_eq!((code, &plan["experimental"], &plan["dropped"]), (Some(0), &true.into(), &150.into()));
    let (code, pinned) = json("--clients 1000 --corrupt 0.05 --dropout 0.1 --suite pinned");
    assert_eq!((code, &pinned), (Some(0), &plan));
    // An advertisement and a draw, bundles and shares for the degree, and three signatures, beside the vector.
    let degree = plan["degree"].as_u64().unwrap();
    let bytes = 5 * 33 + 256 + 64 + 4 + 80 * degree + 64 + 400_000 + 64 + 8 + 32 * degree;
    assert_eq!(plan["bytes_up_per_client"], bytes);
}

#[test]
fn a_mistake_exits_with_2() {
    for arguments in [
        "",
        "--clients 1 --corrupt 0.1 --dropout 0.1",
        "--clients 10 --corrupt 1.1 --dropout 0.1",
        "--clients 10 --corrupt 0.1 --dropout 0.1 --graph sparse --threshold 3",
        "--clients 10 --corrupt 0.1 --dropout 0.1 --bits 63",
        "--clients 10 --corrupt 0.1 --dropout 0.1 --security-bits 99999",
        "--clients 10 --corrupt 0.1 --dropout 0.1 --roots 0",
    ] {
        let output = plan(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_thousand_million_clients_are_planned() {
    for (suite, degree) in [("curious", 60), ("active", 72)] {
        let (code, plan) = json(&format!(
            "--clients 1000000000 --corrupt 0.05 --dropout 0.1 --suite {suite} --graph sparse"
        ));
        assert_eq!((code, &plan["degree"]), (Some(0), &degree.into()));
    }
}
