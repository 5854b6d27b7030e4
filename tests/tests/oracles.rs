//! The oracles, as the program `secagg-oracle` runs them.

use std::path::Path;
use std::process::{Command, Output};

fn oracle(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_secagg-oracle")).args(arguments).output().unwrap()
}

fn parameters(table: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("table.csv");
    std::fs::write(&file, table).unwrap();
    oracle(&["parameters", file.to_str().unwrap()])
}

fn committed() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles/parameters.csv");
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn the_planner_meets_its_table() {
    let output = parameters(&committed());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "8 passed, 0 failed\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_wrong_cell_is_named() {
    for (right, wrong, named) in [
        (",-40.006312,700,", ",-40.006315,700,", None),
        (
            "P5,search,HS,1000,0.20,0.10,200,100,40,30,74",
            "P5,search,HS,1000,0.20,0.10,200,100,40,30,76",
            Some("P5: k: expected 76, found 74\n"),
        ),
        ("accept,ok,,,,,1,", "refuse,ok,,,,,1,", Some("P1: verdict: expected refuse, found accept\n")),
        (
            "refuse,insecure,-10",
            "refuse,incorrect,-10",
            Some("P4: reason: expected incorrect, found insecure\n"),
        ),
        ("-179.341738", "-179.341735", Some("P8: log2_p_share: expected -179.341735, found -179.341738\n")),
        ("-37.528968,511", "-37.528968,510", Some("P8: min_honest: expected 510, found 511\n")),
    ] {
        let table = committed().replace(right, wrong);
        let output = parameters(&table);
        let (text, code) = match named {
            Some(named) => (format!("{named}7 passed, 1 failed\n"), 1),
            None => ("8 passed, 0 failed\n".to_owned(), 0),
        };
        assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        assert_eq!(output.status.code(), Some(code));
    }
}

#[test]
fn what_is_no_table_is_refused_with_its_line() {
    for (table, named) in [
        (String::new(), "line 1"),
        ("id,kind\nP1,check\n".to_owned(), "line 1"),
        (committed().replace("KA", "KX"), "line 9"),
        (committed().replace("0.33,0.30", "0.33,x"), "line 2"),
        (committed().replace("P3,check,BA,64", "P3,check,BA,1"), "line 4"),
    ] {
        let output = parameters(&table);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().contains(named), "{named}");
    }
    assert_eq!(oracle(&["parameters", "no such file"]).status.code(), Some(2));
    assert_eq!(oracle(&["parameters"]).status.code(), Some(2));
    assert_eq!(oracle(&["wisdom"]).status.code(), Some(2));
}
