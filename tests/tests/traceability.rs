//! The specification and the code name the same rules, codes and sections.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use secagg::Misbehaviour;
use secagg_spec::{SPECIFICATION, musts, sections};

#[test]
fn every_rule_has_one_error_and_every_error_one_rule() {
    let mut specified: Vec<&str> = musts().iter().map(|must| must.id).collect();
    let mut coded: Vec<&str> = Misbehaviour::ALL.iter().map(|what| what.id()).collect();
    // A rule that was added later stands in its section but has the next free code.
    specified.sort_unstable();
    coded.sort_unstable();
    assert_eq!(specified, coded, "rules of the document beside variants of Misbehaviour");
}

#[test]
fn every_error_has_one_code_and_the_registry_says_which() {
    let (_, registry) = SPECIFICATION.split_once("\n### 12.3 Codes\n").unwrap();
    let rows = registry.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix("` |"));
    let registered: BTreeMap<u8, &str> = rows
        .filter_map(|row| row.split_once(" | `["))
        .map(|(code, id)| (code.parse().unwrap(), id.trim_end_matches(']')))
        .collect();
    let coded: BTreeMap<u8, &str> = Misbehaviour::ALL.iter().map(|what| (what.code(), what.id())).collect();
    assert_eq!(registered, coded);
    assert_eq!(coded.len(), Misbehaviour::ALL.len());
}

#[test]
fn sections_and_rules_that_the_code_cites_exist() {
    let sections = sections();
    let rules: BTreeSet<&str> = musts().iter().map(|must| must.id).collect();
    let mut cited = BTreeSet::new();
    for path in sources("protocol") {
        let text = fs::read_to_string(&path).unwrap();
        for rest in text.split("spec §").skip(1) {
            let number = prefix(rest, |c| c.is_ascii_digit() || c == '.').trim_end_matches('.');
            assert!(sections.contains(&number), "{}: §{number}", path.display());
        }
        for rest in text.split("`[").skip(1) {
            let id = prefix(rest, |c| c != ']');
            assert!(rules.contains(id), "{}: [{id}]", path.display());
            cited.insert(id.to_owned());
        }
    }
    assert!(!cited.is_empty());
}

#[test]
fn every_rule_is_checked_somewhere_in_the_code() {
    let checks = sources("protocol").into_iter().filter(|path| !path.ends_with("src/error.rs"));
    let code: String = checks.map(|path| fs::read_to_string(path).unwrap()).collect();
    for what in Misbehaviour::ALL {
        let name = format!("Misbehaviour::{what:?}");
        let used = code.match_indices(&name).any(|(at, _)| {
            !code[at + name.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_')
        });
        assert!(used, "nothing checks [{}], {name}", what.id());
    }
}

#[test]
fn every_round_of_the_code_has_its_section() {
    use secagg::Round::{AdvertiseKeys, ConsistencyCheck, MaskedInputCollection, ShareKeys, Unmasking};
    let rounds = [AdvertiseKeys, ShareKeys, MaskedInputCollection, ConsistencyCheck, Unmasking];
    for (number, round) in (2..).zip(rounds) {
        assert!(SPECIFICATION.contains(&format!("\n### 4.{number} {round}\n")), "{round}");
    }
}

/// The Rust files of a crate.
fn sources(name: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
    let mut folders = vec![root];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// The longest beginning of characters that are `kept`.
fn prefix(text: &str, kept: impl Fn(char) -> bool) -> &str {
    text.split(|c| !kept(c)).next().unwrap_or_default()
}
