//! Sharing and reconstruction beside vsss-rs.
//!
//! `cargo bench -p secagg --bench sharing`

use std::hint::black_box;

use curve25519_dalek::scalar::Scalar;
use rand::{SeedableRng, rngs::StdRng};
use secagg::bench::{Answers, combine, split};
use vsss_rs::{DefaultShare, IdentifierPrimeField, ReadableShareSet, shamir};

mod timing;

use timing::{Race, one_thread, time};

type Share = DefaultShare<IdentifierPrimeField<Scalar>, IdentifierPrimeField<Scalar>>;

/// Threshold, clients, and rounds of the comparison.
const SIZES: [(u32, u32, usize); 3] = [(51, 100, 31), (334, 500, 7), (667, 1000, 5)];

/// Survivors of the complete graph of 1,000 clients.
const SURVIVORS: u32 = 900;

fn main() {
    one_thread();
    println!("One secret; one thread, CPU time, medians\n");
    println!(
        "{:<14}{:>12}{:>12}{:>9}{:>14}{:>12}{:>9}",
        "(t, n)", "split, µs", "vsss-rs", "times", "combine, µs", "vsss-rs", "times"
    );
    for (threshold, count, rounds) in SIZES {
        one_secret(threshold, count, rounds);
    }
    all_secrets();
}

fn one_secret(threshold: u32, count: u32, rounds: usize) {
    let ours = split(7, threshold, count);
    let theirs = vsss_split(threshold, count);
    let (few, some) = (&ours[..threshold as usize], &theirs[..threshold as usize]);
    let race = Race::run(
        rounds,
        &mut [
            ("split", &mut || time(|| split(7, threshold, count))),
            ("vsss split", &mut || time(|| vsss_split(threshold, count))),
            ("combine", &mut || time(|| combine(black_box(few)))),
            ("vsss combine", &mut || time(|| black_box(some).combine())),
        ],
    );
    let micros = |name: &str| race.seconds(name) * 1e6;
    println!(
        "{:<14}{:>12.0}{:>12.0}{:>9.1}{:>14.0}{:>12.0}{:>9.1}",
        format!("({threshold}, {count})"),
        micros("split"),
        micros("vsss split"),
        race.ratio("vsss split", "split"),
        micros("combine"),
        micros("vsss combine"),
        race.ratio("vsss combine", "combine"),
    );
}

fn vsss_split(threshold: u32, count: u32) -> Vec<Share> {
    let secret = IdentifierPrimeField(Scalar::from(7u8));
    shamir::split_secret(threshold as usize, count as usize, &secret, StdRng::seed_from_u64(1)).expect("fits")
}

/// All 1,000 secrets of the complete graph, with every check that the server makes, against one combine of
/// vsss-rs, without checks, times 1,000.
fn all_secrets() {
    let (threshold, clients) = (667, 1000);
    let of_owner = |owner| split(owner, threshold, SURVIVORS);
    let shares: Vec<Vec<Scalar>> = (1..=clients).map(of_owner).collect();
    let theirs = vsss_split(threshold, clients);
    let some = &theirs[..threshold as usize];
    let race = Race::run(
        5,
        &mut [
            ("all", &mut || {
                let answers = Answers::new(&shares);
                time(|| assert_eq!(answers.reconstruct(threshold), Some(clients as usize)))
            }),
            ("vsss-rs", &mut || time(|| black_box(some).combine())),
        ],
    );
    println!("\nAll {clients} secrets of a complete graph, threshold {threshold}, {SURVIVORS} answers");
    println!("  this crate, with parity and commitment checks: {:.1} ms", race.seconds("all") * 1e3);
    println!("  vsss-rs, one combine times {clients}:             {:.1} s", race.seconds("vsss-rs") * 1e3);
    println!("  {:.0} times faster; target 100", race.ratio("vsss-rs", "all") * f64::from(clients));
}
