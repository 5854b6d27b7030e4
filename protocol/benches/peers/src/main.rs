//! Draws of the discrete Gaussian a second beside those of the crates `opendp` and `prio`, in turn in one process.
//!
//! The peers draw fewer values a round, because they take seconds for 2^20 of them.

use std::hint::black_box;

use dashu::rational::RBig;
use prio::dp::Rational;
use prio::dp::distributions::DiscreteGaussian;
use rand::distr::Distribution;
use rand::rngs::StdRng;
use rand::SeedableRng;
use rustix::time::{ClockId, clock_gettime};
use secagg::privacy::{GaussianNoise, Variance};

const OURS: usize = 1 << 20;
const THEIRS: usize = 1 << 13;
const ROUNDS: usize = 7;

fn main() {
    println!("Draws of the discrete Gaussian; one thread, CPU time, medians of {ROUNDS} rounds\n");
    println!("{:<10}{:>16}{:>16}{:>16}{:>12}{:>12}", "σ", "secagg, M/s", "opendp, M/s", "prio, M/s", "/ opendp", "/ prio");
    // Each σ as tenths, which all three take exactly or above.
    for tenths in [13u32, 40, 1000, 100_000] {
        let sigma = f64::from(tenths) / 10.0;
        let noise = GaussianNoise::new(Variance::at_least(sigma).expect("a σ that can be drawn"));
        let scale = RBig::from_parts(tenths.into(), 10u32.into());
        let theirs = DiscreteGaussian::new(Rational::from_unsigned(tenths, 10u32).expect("a σ")).expect("a σ");
        let mut draws = vec![0i64; OURS];
        let mut random = StdRng::from_seed([7; 32]);
        let mut rounds: Vec<[f64; 3]> = (0..=ROUNDS)
            .map(|_| {
                [
                    rate(OURS, || noise.draw_into(&[7; 32], &mut draws)),
                    rate(THEIRS, || (0..THEIRS).for_each(|_| drop(black_box(opendp(&scale))))),
                    rate(THEIRS, || (0..THEIRS).for_each(|_| drop(black_box(theirs.sample(&mut random))))),
                ]
            })
            .collect();
        rounds.remove(0);
        let of = |measure: &dyn Fn(&[f64; 3]) -> f64| median(rounds.iter().map(measure).collect());
        let (own, one, other) = (of(&|r| r[0]), of(&|r| r[1]), of(&|r| r[2]));
        let (by_opendp, by_prio) = (of(&|r| r[0] / r[1]), of(&|r| r[0] / r[2]));
        println!("{sigma:<10}{own:>16.1}{one:>16.3}{other:>16.3}{by_opendp:>12.0}{by_prio:>12.0}");
    }
    println!("\ntargets: 200 times opendp, 500 times prio");
}

fn opendp(scale: &RBig) -> dashu::integer::IBig {
    opendp::traits::samplers::sample_discrete_gaussian(scale.clone()).expect("a draw")
}

/// Millions of draws a CPU second.
fn rate(draws: usize, work: impl FnOnce()) -> f64 {
    let begin = cpu();
    work();
    draws as f64 / (cpu() - begin) * 1e-6
}

fn cpu() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
