//! The vectors are what the reference and the core answer: written anew and compared with the committed files.
//!
//! `SECAGG_REGENERATE=1 cargo test -p secagg-tests --test vectors` writes the files with the answers of the reference.
//! With the command of another shim in `SECAGG_SHIM` its answers are taken; what is asked, and which rules are broken,
//! is here.

mod active;
mod active_client;
mod active_server;
mod book;
mod derivations;
mod lying_client;
mod lying_server;
mod messages;
mod noise;
mod pinned;
mod pinned_client;
mod pinned_server;
mod rehearsal;
mod removal;
mod schema;
mod signatures;
mod weak_keys;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use secagg_spec::{VECTORS, musts, sections};
use secagg_tests::conform::vectors::File;

use crate::book::Book;

/// All files by name, with the answers of the shim of this command.
fn written(shim: &str) -> Vec<(String, File)> {
    let mut book = Book::new(shim);
    let sessions = messages::sessions(&mut book);
    derivations::write(&mut book);
    messages::write(&mut book, &sessions);
    let (complete, regular) = (&sessions[0].1, &sessions[1].1);
    lying_server::write(&mut book, &sessions);
    lying_client::write(&mut book, complete, regular);
    noise::write(&mut book);
    removal::write(&mut book);
    signatures::write(&mut book);
    let signed = active::sessions(&mut book);
    active::write(&mut book, &signed);
    active_server::write(&mut book, &signed[0].1, &signed[1].1);
    active_client::write(&mut book, &signed[0].1);
    let drawn = pinned::sessions(&mut book);
    pinned::write(&mut book, &drawn);
    pinned_server::write(&mut book, &drawn);
    pinned_client::write(&mut book, &drawn[0].1);
    for (name, session) in sessions.iter().chain(&signed).chain(&drawn) {
        session.record(&mut book, name, &[2, session.clients]);
    }
    book.finish()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors")
}

fn reference() -> PathBuf {
    folder().join("../reference")
}

fn compare(files: &[(String, File)]) {
    let committed: Vec<&str> = VECTORS.iter().map(|(name, _)| *name).collect();
    assert_eq!(committed, files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
    for ((name, text), (_, file)) in VECTORS.iter().zip(files) {
        assert!(*text == file.to_text(), "{name} is not what comes out: SECAGG_REGENERATE=1 writes it anew");
    }
}

#[test]
fn the_vectors_are_what_the_reference_answers() {
    let reference = format!("python3 '{}'", reference().join("shim.py").display());
    if std::env::var_os("SECAGG_REGENERATE").is_some() {
        return regenerate(&std::env::var("SECAGG_SHIM").unwrap_or(reference));
    }
    let new_enough = ["-c", "import sys; sys.exit(sys.version_info < (3, 11))"];
    if Command::new("python3").args(new_enough).status().is_ok_and(|status| status.success()) {
        compare(&written(&reference));
    } else {
        println!("skipped: no python3 of the version that is needed");
    }
}

#[test]
fn the_vectors_are_what_the_core_answers() {
    // While the files are being written, those that are compared are the ones of the last build.
    if std::env::var_os("SECAGG_REGENERATE").is_none() {
        compare(&written(&format!("'{}'", env!("CARGO_BIN_EXE_secagg-shim"))));
    }
}

/// Writes all files: the cases as the shim answers, the recorded sessions as the reference plays them.
fn regenerate(shim: &str) {
    for (name, file) in &written(shim) {
        std::fs::write(folder().join(name), file.to_text()).unwrap();
    }
    let status = Command::new("python3").arg(reference().join("sessions.py")).status().unwrap();
    assert!(status.success(), "the reference does not record its sessions");
}

#[test]
fn there_are_enough_and_they_name_what_exists() {
    let cases: Vec<_> = File::all().into_iter().flat_map(|file| file.cases).collect();
    let valid = cases.iter().filter(|case| case.valid).count();
    assert!(valid >= 200, "{valid} positive cases");
    assert!(cases.len() - valid >= 100, "{} negative cases", cases.len() - valid);
    let ids: BTreeSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids.len(), cases.len());
    let sections = sections();
    for case in &cases {
        let place = case.id.split('/').next().unwrap();
        assert!(sections.contains(&place.split('-').next().unwrap()), "{}", case.id);
        assert_eq!(case.must.as_deref(), (!case.valid).then_some(place), "{}", case.id);
    }
    let broken: BTreeSet<&str> = cases.iter().filter_map(|case| case.must.as_deref()).collect();
    let specified: BTreeSet<&str> = musts().iter().map(|must| must.id).collect();
    assert_eq!(broken, specified, "rules with a negative case beside rules of the document");
}
