//! The fuzz targets without a fuzzer: over the committed corpus, and over mutations of it for as many seconds a target
//! as the variable `SECAGG_FUZZ_SECONDS` says, for all targets or those in `SECAGG_FUZZ_TARGETS`.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use secagg_tests::fuzz::TARGETS;

#[test]
fn the_corpus_of_every_target_passes() {
    for (name, target) in TARGETS {
        let corpus = corpus(name);
        assert!(!corpus.is_empty(), "{name} has no corpus");
        for (path, input) in corpus {
            assert!(passes(name, target, &input), "{}", path.display());
        }
    }
}

/// Prints a line for the ledger of each target: its name, the engine, seconds, executions, crashes.
#[test]
fn mutations_of_the_corpus_pass() {
    let seconds = std::env::var("SECAGG_FUZZ_SECONDS").ok().map(|text| text.parse().expect("whole seconds"));
    let seed = if seconds.is_some() { rand::random() } else { 1 };
    let named = std::env::var("SECAGG_FUZZ_TARGETS").unwrap_or_default();
    let mut failed = Vec::new();
    for (name, target) in TARGETS {
        if !named.is_empty() && !named.split(' ').any(|one| one == name) {
            continue;
        }
        let corpus: Vec<Vec<u8>> = corpus(name).into_iter().map(|(_, input)| input).collect();
        let mut random = StdRng::seed_from_u64(seed);
        let (start, mut executions, mut crashed) = (Instant::now(), 0, false);
        let enough = |executions| match seconds {
            Some(seconds) => start.elapsed() >= Duration::from_secs(seconds),
            None => executions >= 100,
        };
        while !crashed && !enough(executions) {
            crashed = !passes(name, target, &mutated(&corpus, &mut random));
            executions += 1;
        }
        println!("{name},mutation,{},{executions},{}", start.elapsed().as_secs(), u8::from(crashed));
        failed.extend(crashed.then_some(name));
    }
    assert_eq!(failed, [""; 0], "seed {seed}");
}

fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Runs the target; an input that fails it is left behind, for the corpus.
fn passes(name: &str, target: fn(&[u8]), input: &[u8]) -> bool {
    let passed = catch_unwind(AssertUnwindSafe(|| target(input))).is_ok();
    if !passed {
        let path = std::env::temp_dir().join(format!("{name}-failed"));
        fs::write(&path, input).unwrap();
        eprintln!("{name} fails on the input in {}", path.display());
    }
    passed
}

/// An input of the corpus after some changes: bytes set, flipped, taken out, put in, or another input spliced on.
fn mutated(corpus: &[Vec<u8>], random: &mut StdRng) -> Vec<u8> {
    let mut input = corpus.choose(random).cloned().unwrap_or_default();
    for _ in 0..random.random_range(0..5) {
        let at = random.random_range(0..=input.len());
        match random.random_range(0..6) {
            0 if at < input.len() => input[at] = random.random(),
            1 if at < input.len() => input[at] ^= 1 << random.random_range(0..8),
            2 => input.truncate(at),
            3 => drop(input.splice(at..at, (0..random.random_range(1..40)).map(|_| 0))),
            4 => {
                let more: Vec<u8> = (0..random.random_range(1..40)).map(|_| random.random()).collect();
                input.splice(at..at, more);
            }
            _ => input.extend_from_slice(corpus.choose(random).map_or(&[], Vec::as_slice)),
        }
    }
    input
}
