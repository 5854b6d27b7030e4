//! The judge of privacy files: it accepts the numbers that were given, and no others.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use secagg_tests::oracle::table::TableError;
use secagg_tests::oracle::{Judgement, privacy};

fn oracle() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles/privacy.csv")
}

fn table() -> String {
    std::fs::read_to_string(oracle()).unwrap()
}

fn lines() -> Vec<String> {
    table().lines().map(str::to_owned).collect()
}

/// A table of these lines, judged.
fn judged(lines: &[String]) -> Result<Judgement, TableError> {
    privacy::judge(&lines.join("\n"))
}

fn cells(line: &str) -> Vec<String> {
    line.split(',').map(str::to_owned).collect()
}

#[test]
fn every_row_passes() {
    let verdict = privacy::judge(&table()).unwrap();
    assert_eq!((verdict.passed, verdict.failed), (524, 0), "{verdict}");
}

/// Every judged number of one row of each kind, pushed out of its tolerance.
#[test]
fn a_number_that_is_off_is_found() {
    let all = lines();
    let header = cells(&all[0]);
    let exact =
        ["k_stddevs", "sigma_local_real", "scale", "sigma_int", "D2_int", "D1_int", "tau_kls", "value"];
    let bounds = [
        "tau_tight",
        "eps_cdp_round",
        "rho_total",
        "eps_zcdp_opt",
        "eps_zcdp_bs16",
        "eps_rdp_full",
        "eps_rdp_q_general",
        "eps_rdp_q_tight",
        "eps_google",
        "eps_opendp",
        "delta_out",
    ];
    let mut found = std::collections::BTreeSet::new();
    for kind in ["ddg", "skellam", "zcdp", "tau", "params", "dg_stat", "wrap"] {
        for row in all.iter().skip(1).filter(|line| cells(line)[1] == kind).take(40) {
            let mut changed = vec![all[0].clone()];
            for (at, column) in header.iter().enumerate() {
                let mut cells = cells(row);
                let Ok(number) = cells[at].parse::<f64>() else { continue };
                let given = ["tau", "dg_stat", "wrap"].contains(&kind) && column == "sigma_int";
                let factor = match () {
                    () if given || number.abs() < 1e-290 => continue,
                    () if exact.contains(&column.as_str()) => 1.0 - 1e-5,
                    // Found over orders up to 256 only, so that the true figure may be far below.
                    () if column == "eps_google" => 0.01,
                    // Upper bounds, of which ours may be the better.
                    () if bounds.contains(&column.as_str()) => 0.5,
                    () => continue,
                };
                cells[0] = format!("{}/{column}", cells[0]);
                cells[at] = format!("{:e}", number * factor);
                changed.push(cells.join(","));
                found.insert(column.clone());
            }
            let verdict = judged(&changed).unwrap();
            assert_eq!(verdict.passed, 0, "{changed:#?} {verdict}");
        }
    }
    assert_eq!(found.len(), exact.len() + bounds.len(), "{found:?}");
}

#[test]
fn an_epsilon_below_the_central_gaussian_is_found() {
    let all = lines();
    let header = cells(&all[0]);
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    let (full, least) = (column("eps_rdp_full"), column("eps_gauss_pld_dpacc"));
    let mut row = all.iter().skip(1).map(|line| cells(line)).find(|row| !row[least].is_empty()).unwrap();
    row[least] = (row[full].parse::<f64>().unwrap() * 1.01).to_string();
    let verdict = judged(&[all[0].clone(), row.join(",")]).unwrap();
    assert!(verdict.differences.iter().any(|one| one.expected.starts_with("at least")), "{verdict}");
}

#[test]
fn lines_that_are_no_rows_are_named() {
    let all = lines();
    let number = |mut row: Vec<String>, at: usize, text: &str| {
        row[at] = text.to_owned();
        row.join(",")
    };
    let first = cells(&all[1]);
    for bad in [
        "p9,ddg".to_owned(),
        number(first.clone(), 1, "unheard"),
        number(first.clone(), 1, ""),
        number(first.clone(), 2, "-3"),
        number(first.clone(), 2, "1e99"),
        number(first.clone(), 9, ""),
        number(first, 9, "a clip"),
    ] {
        let found = judged(&[all[0].clone(), all[1].clone(), bad.clone()]);
        assert!(matches!(found, Err(TableError { line: 3, .. })), "{bad}: {found:?}");
    }
    assert!(matches!(judged(&[]), Err(TableError { line: 1, .. })));
    assert_eq!(run(Path::new("no such file")).status.code(), Some(2));
}

#[test]
fn a_configuration_without_a_guarantee_fails_its_row_only() {
    let all = lines();
    let mut row = cells(&all[1]);
    row[4] = "2".to_owned(); // bits that cannot hold the sum
    let verdict = judged(&[all[0].clone(), row.join(","), all[1].clone()]).unwrap();
    assert_eq!((verdict.passed, verdict.failed), (1, 1));
    assert!(verdict.differences[0].found.contains("refuses"), "{verdict}");
}

fn run(file: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_secagg-oracle")).arg("privacy").arg(file).output().unwrap()
}

#[test]
fn the_program_says_it_in_its_last_line_and_its_status() {
    let all = lines();
    let passed = run(&oracle());
    assert_eq!(passed.status.code(), Some(0));
    assert_eq!(String::from_utf8(passed.stdout).unwrap(), "524 passed, 0 failed\n");

    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("program.csv");
    let mut row = cells(&all[1]);
    row[12] = "3".to_owned();
    std::fs::write(&path, format!("{}\n{}\n{}\n", all[0], row.join(","), all[2])).unwrap();
    let failed = run(&path);
    assert_eq!(failed.status.code(), Some(1));
    let text = String::from_utf8(failed.stdout).unwrap();
    assert!(
        text.starts_with("p0000: scale: expected 3.0, found 33498.")
            && text.ends_with("\n1 passed, 1 failed\n")
    );

    std::fs::write(&path, format!("{}\nnonsense\n", all[0])).unwrap();
    let unreadable = run(&path);
    assert_eq!(unreadable.status.code(), Some(2));
    assert!(String::from_utf8(unreadable.stderr).unwrap().contains("line 2:"));
}
