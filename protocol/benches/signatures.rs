//! What a client of the active suite pays to check the signatures of its roster: one by one, in batches, and by
//! ed25519-dalek.
//!
//! `cargo bench -p secagg --bench signatures`

use secagg::bench::Signatures;

mod timing;

use timing::{Race, one_thread, time};

fn main() {
    one_thread();
    println!("Checks of Ed25519 signatures, µs each; one thread, CPU time, medians\n");
    println!("{:<12}{:>12}{:>12}{:>12}{:>18}", "signatures", "batch", "one by one", "dalek", "batch : dalek");
    for (count, rounds) in [(10, 101), (100, 31), (1000, 11)] {
        let signatures = Signatures::new(count);
        let race = Race::run(
            rounds,
            &mut [
                ("batch", &mut || time(|| assert!(signatures.batch()))),
                ("one by one", &mut || time(|| assert!(signatures.one_by_one()))),
                ("dalek", &mut || time(|| assert!(signatures.by_the_library()))),
            ],
        );
        let micros = |name: &str| race.seconds(name) * 1e6 / f64::from(count);
        println!(
            "{count:<12}{:>12.1}{:>12.1}{:>12.1}{:>18.2}",
            micros("batch"),
            micros("one by one"),
            micros("dalek"),
            race.ratio("batch", "dalek"),
        );
    }
    println!("\nTarget at 1,000: 15 µs each where dalek takes 33, which is 0.45.");
}
