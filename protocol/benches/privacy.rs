//! Noise beside the keystream that it is drawn from, the rotation beside a pass over memory, and all that a client
//! does for 2^20 coordinates.
//!
//! `cargo bench -p secagg --bench privacy`

use std::hint::black_box;

use secagg::Lanes;
use secagg::bench::{Rotated, Seeds, words};
use secagg::privacy::{
    CentredEncoding, CentredNoise, Encoding, GaussianNoise, Rotation, SkellamNoise, Task, Variance,
};

mod ctr_crate;
mod timing;

use timing::{Race, one_thread, time};

const COORDINATES: usize = 1 << 20;

const ROUNDS: usize = 15;

/// Masks of a client: its own, and one for each neighbour of a sparse graph.
const MASKS: u32 = 21;

const OWN: &str = "keystream, this crate's";
const THEIRS: &str = "keystream, ctr crate";

fn main() {
    one_thread();
    noise();
    rotation();
    client();
}

fn at(sigma: f64) -> Variance {
    Variance::at_least(sigma).expect("a σ that can be drawn")
}

fn noise() {
    let bytes = 8 * COORDINATES;
    let cipher = ctr_crate::cipher();
    let mut buffer = vec![0u8; 16 << 10];
    let mut draws = vec![0i64; COORDINATES];
    let mut memory = vec![0u64; COORDINATES];
    let gaussians = [1.3, 4.0, 100.0, 1e4, 1e6].map(|sigma| (sigma, GaussianNoise::new(at(sigma))));
    let skellam = SkellamNoise::new(at(100.0)).expect("a variance that can be drawn");
    let centred = CentredNoise::new(at(1.3), 9).expect("a grid that can be drawn on");
    let centres: Vec<i64> = (0..COORDINATES as i64).map(|at| at * 7919 % 20_000 - 10_000).collect();
    let mut around = centres.clone();
    let names: Vec<String> =
        gaussians.iter().map(|(sigma, _)| format!("discrete Gaussian, σ {sigma}")).collect();
    let drawn = std::cell::RefCell::new(&mut draws);
    let mut work: Vec<Box<dyn FnMut() -> f64>> = gaussians
        .iter()
        .map(|(_, noise)| {
            let drawn = &drawn;
            Box::new(move || time(|| noise.draw_into(&[3; 32], &mut drawn.borrow_mut())))
                as Box<dyn FnMut() -> f64>
        })
        .collect();
    let (mut own, mut theirs) = (
        || time(|| secagg::bench::keystream(bytes)),
        || time(|| ctr_crate::write(&cipher, &mut buffer, bytes)),
    );
    let mut stored = || time(|| words(&[3; 32], &mut memory));
    let mut fractions = || {
        around.copy_from_slice(&centres);
        time(|| centred.draw_over(&mut around, &[3; 32]))
    };
    let mut difference = || time(|| skellam.draw(&[3; 32], COORDINATES));
    let mut contenders: Vec<(&str, &mut dyn FnMut() -> f64)> =
        vec![(OWN, &mut own), (THEIRS, &mut theirs), ("words of it, in memory", &mut stored)];
    contenders.extend(names.iter().map(String::as_str).zip(work.iter_mut().map(|work| &mut **work as _)));
    contenders.push(("centred, σ 1.3, grid 2^-9", &mut fractions));
    contenders.push(("Skellam, σ 100", &mut difference));
    let race = Race::run(ROUNDS, &mut contenders);
    drop(contenders);
    println!("Noise for 2^20 coordinates; one thread, CPU time, medians of {ROUNDS} rounds");
    println!("(8 bytes of keystream a coordinate: two levels and Skellam use more)\n");
    println!("{:<32}{:>8}{:>12}{:>14}{:>14}", "", "ms", "million/s", "of own raw", "of ctr crate");
    for name in race.names() {
        let seconds = race.seconds(name);
        let (own, theirs) = (1.0 / race.ratio(name, OWN), 1.0 / race.ratio(name, THEIRS));
        let rate = COORDINATES as f64 / seconds * 1e-6;
        println!("{name:<32}{:>8.2}{rate:>12.0}{own:>14.3}{theirs:>14.3}", seconds * 1e3);
    }
}

/// The transform reads and writes the vector once for each level that does not fit into the cache, at least.
fn rotation() {
    let mut vector = Rotated::new(COORDINATES);
    let (mut sums, values) = (vec![1.0f64; COORDINATES], vec![3.0f64; COORDINATES]);
    let race = Race::run(
        ROUNDS,
        &mut [
            ("acc += x, 8 MiB", &mut || time(|| add(&mut sums, black_box(&values)))),
            ("rotation", &mut || time(|| vector.rotate())),
        ],
    );
    println!("\nRotation of 2^20 doubles: {:.2} ms, ", race.seconds("rotation") * 1e3);
    println!("{:.1} times one pass of acc += x over 8 MiB", race.ratio("rotation", "acc += x, 8 MiB"));
}

#[inline(never)]
fn add(sums: &mut [f64], values: &[f64]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += *value;
    }
}

/// From the real vector to the masked one.
fn client() {
    let task = |bits| Task {
        clients: 100,
        bits,
        clip: 1.0,
        dimension: COORDINATES as u32,
        beta: (-0.5f64).exp(),
        wrap: 6.334e-5,
        greatest_scale: None,
    };
    let rounded = Encoding::with_multiplier(task(16), 1.0).expect("an encoding");
    let centred = CentredEncoding::with_multiplier(task(8), 1.0).expect("an encoding");
    let (gaussian, around) = (GaussianNoise::new(at(rounded.sigma())), centred.noise().expect("a sampler"));
    let vector: Vec<f64> = (0..COORDINATES).map(|at| ((at * 7919) % 1001) as f64 * 1e-6 - 5e-4).collect();
    let (rotation, seeds) = (Rotation::new([5; 32]), Seeds::new(MASKS));
    let masked = |elements: Vec<u64>| {
        let mut lanes = Lanes::from(elements.into_iter().map(|element| element as u16).collect::<Vec<_>>());
        seeds.apply(&mut lanes);
        lanes
    };
    let mut zeros = Lanes::from(vec![0u16; COORDINATES]);
    let race = Race::run(
        ROUNDS,
        &mut [
            ("masks alone", &mut || time(|| seeds.apply(&mut zeros))),
            ("discrete Gaussian, 16 bits", &mut || {
                time(|| {
                    let noise = gaussian.draw(&[1; 32], COORDINATES);
                    masked(rounded.encode(&vector, &rotation, &noise, &[2; 32]).expect("a vector"))
                })
            }),
            ("centred, 8 bits", &mut || {
                time(|| masked(centred.encode(&vector, &rotation, &around, &[2; 32]).expect("a vector")))
            }),
        ],
    );
    println!("\nEncode, noise and {MASKS} masks of 16-bit lanes, 2^20 coordinates\n");
    println!("{:<32}{:>8}{:>16}", "", "ms", "of masks alone");
    for name in race.names() {
        println!("{name:<32}{:>8.1}{:>16.1}", race.seconds(name) * 1e3, race.ratio(name, "masks alone"));
    }
}
