//! Mask expansion beside the raw keystream of the same cipher and beside a plain sum from memory.
//!
//! `cargo bench -p secagg --bench masks`

use std::hint::black_box;

use secagg::Lanes;
use secagg::bench::Seeds;

mod ctr_crate;
mod timing;

use timing::{Race, one_thread, time};

/// Seeds run over one vector, as on the server.
const SEEDS: u32 = 64;

/// Bytes of the vector.
const VECTOR: usize = 4 << 20;

/// Bytes of a buffer that stays in the first cache.
const BUFFER: usize = 16 << 10;

const ROUNDS: usize = 15;

/// The ways to make a raw keystream; the fastest is the reference.
const RAW: [&str; 4] = [
    "keystream, this crate's",
    "keystream, ctr crate, stack",
    "keystream, ctr crate, xor in L1",
    "keystream, ctr crate, into L1",
];

fn main() {
    one_thread();
    let keystream = SEEDS as usize * VECTOR;
    let seeds = Seeds::new(SEEDS);
    let cipher = ctr_crate::cipher();
    let (mut one, mut other) = (vec![0u8; BUFFER], vec![0u8; BUFFER]);
    let mut lanes16 = Lanes::from(vec![0u16; VECTOR / 2]);
    let mut lanes32 = Lanes::from(vec![0u32; VECTOR / 4]);
    let mut lanes64 = Lanes::from(vec![0u64; VECTOR / 8]);
    let (mut sums, values) = (vec![1u32; VECTOR / 4], vec![3u32; VECTOR / 4]);
    let race = Race::run(
        ROUNDS,
        &mut [
            (RAW[0], &mut || time(|| secagg::bench::keystream(keystream))),
            (RAW[1], &mut || time(|| ctr_crate::blocks(&cipher, keystream))),
            (RAW[2], &mut || time(|| ctr_crate::apply(&cipher, &mut one, keystream))),
            (RAW[3], &mut || time(|| ctr_crate::write(&cipher, &mut other, keystream))),
            ("masks, u16", &mut || time(|| seeds.apply(&mut lanes16))),
            ("masks, u32", &mut || time(|| seeds.apply(&mut lanes32))),
            ("masks, u64", &mut || time(|| seeds.apply(&mut lanes64))),
            ("acc += x, 4 MiB", &mut || time(|| (0..SEEDS).for_each(|_| add(&mut sums, black_box(&values))))),
        ],
    );
    let own = RAW[0];
    let theirs = race.fastest(&RAW[1..]);
    println!(
        "Masks of {SEEDS} seeds on a vector of 4 MiB; one thread, CPU time, medians of {ROUNDS} rounds\n"
    );
    println!("{:<32}{:>8}{:>14}{:>20}", "", "GB/s", "of own raw", "of the ctr crate's");
    for name in race.names() {
        let rate = keystream as f64 / race.seconds(name) * 1e-9;
        let (of_own, of_theirs) = (1.0 / race.ratio(name, own), 1.0 / race.ratio(name, theirs));
        println!("{name:<32}{rate:>8.1}{of_own:>14.2}{of_theirs:>20.2}");
    }
    println!("\ntarget for masks: 0.85 of the raw keystream");
}

#[inline(never)]
fn add(sums: &mut [u32], values: &[u32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum = sum.wrapping_add(*value);
    }
}
