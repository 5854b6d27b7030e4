//! Key agreements, from the partner's encoded public key: X25519 by each library of the build, and ristretto255.
//!
//! `cargo bench -p secagg --features aws-lc --bench agreements`

use secagg::bench::{Agree, Pair, encryption_pairs};

mod timing;

use timing::{Race, one_thread, time};

/// Agreements of one measurement.
const COUNT: u32 = 100;

fn main() {
    one_thread();
    let mask = Pair::new().expect("two clients");
    let mut pairs = encryption_pairs();
    pairs.push(("ristretto255", Box::new(move || mask.agree_on_mask())));
    let count = |agree: &Agree| time(|| (0..COUNT).for_each(|_| assert!(agree())));
    let mut work: Vec<_> = pairs.iter().map(|(name, agree)| (*name, move || count(agree))).collect();
    let mut contenders: Vec<(&str, &mut dyn FnMut() -> f64)> = Vec::new();
    for (name, work) in &mut work {
        contenders.push((name, work));
    }
    let race = Race::run(101, &mut contenders);
    println!("Key agreements, µs each; one thread, CPU time, medians\n");
    println!("{:<16}{:>8}{:>18}", "", "µs", "x25519-dalek : it");
    for name in race.names() {
        let micros = race.seconds(name) * 1e6 / f64::from(COUNT);
        println!("{name:<16}{micros:>8.1}{:>18.2}", race.ratio("x25519-dalek", name));
    }
}
