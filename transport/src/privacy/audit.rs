//! An attack that bounds ε from below: was the victim's vector in the sum?
//!
//! Two worlds that are neighbours under zero-out adjacency: in both all clients take part and add their noise;
//! in one the victim's vector has the length of the clip, in the other it is zero. All other vectors are zero,
//! as if the adversary had subtracted them. Sums are made by the real samplers, roundings and ring. The statistic
//! is the decoded sum's component along the victim's vector: the likelihood ratio of two Gaussians of equal
//! covariance grows with it, and with nothing else.
//!
//! (ε, δ) demands `P[in] ≤ e^ε·P[out] + δ` for every event, and the same the other way. The event "the statistic
//! is at least t" and its complement are tried, with t chosen on one half of the sums; the other half then bounds
//! both probabilities (Clopper and Pearson 1934), so that the choice of t costs the confidence nothing.

use rayon::prelude::*;
use secagg::privacy::{PrivacyError, Rotation};

use super::binomial::Trials;
use super::coding::Coding;
use super::encoder::Encoder;
use super::measure::seeds;
use super::scheme::Scheme;
use crate::demo::seed::generator;

/// What is audited, and how hard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Audit {
    /// The mechanism.
    pub scheme: Scheme,
    /// What the claim was made for.
    pub encoding: Coding,
    /// The noise that is drawn, as a multiple of what the claim was made for; 0 switches it off.
    pub noise_factor: f64,
    /// Sums to simulate, in both worlds together; at least 8.
    pub trials: u32,
    /// δ of the claim.
    pub delta: f64,
    /// The probability with which the bound holds.
    pub confidence: f64,
    /// Seed of everything.
    pub seed: u64,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// A lower bound on ε; 0 if nothing is shown.
    pub epsilon: f64,
    /// The greatest bound that so many trials could have shown.
    pub greatest: f64,
    /// The threshold, in real units along the victim's vector.
    pub threshold: f64,
    /// Sums of each world that the bound is from.
    pub judged: usize,
    /// How many with the victim's vector were at or above the threshold.
    pub with: usize,
    /// How many without it were.
    pub without: usize,
}

/// Sums that are simulated between two calls of the progress.
const BLOCK: u32 = 500;

impl Audit {
    /// Simulates and judges; `progress` is told how many sums were made since it was last called.
    ///
    /// # Errors
    /// Noise that cannot be drawn.
    pub fn run(&self, progress: impl Fn(u32) + Sync) -> Result<Found, PrivacyError> {
        let encoder = Encoder::weakened(self.scheme, self.encoding, self.noise_factor)?;
        let quarter = self.trials.div_ceil(4);
        let half = |purpose: u64| -> Result<[Vec<f64>; 2], PrivacyError> {
            Ok([
                self.sums(&encoder, quarter, [purpose, 1], &progress)?,
                self.sums(&encoder, quarter, [purpose, 0], &progress)?,
            ])
        };
        let (chosen_on, judged_on) = (half(0)?, half(1)?);
        let judge = Judge {
            trials: Trials::new(quarter as usize),
            error: (1.0 - self.confidence) / 2.0,
            delta: self.delta,
        };
        let threshold = judge.choose(&chosen_on);
        let (with, without) = (at_least(&judged_on[0], threshold), at_least(&judged_on[1], threshold));
        let judged = quarter as usize;
        let (epsilon, greatest) =
            (judge.bound(with, without, judge.error), judge.bound(judged, 0, judge.error));
        Ok(Found { epsilon, greatest, threshold, judged, with, without })
    }

    /// The statistics of `count` sums of one world: `world` is what they are for and whether the victim is in,
    /// sorted.
    fn sums(
        &self,
        encoder: &Encoder,
        count: u32,
        world: [u64; 2],
        progress: &(impl Fn(u32) + Sync),
    ) -> Result<Vec<f64>, PrivacyError> {
        let block = |start: u32| {
            let size = BLOCK.min(count - start);
            let made = (start..start + size)
                .map(|trial| self.statistic(encoder, world, trial))
                .collect::<Result<Vec<f64>, _>>();
            progress(size);
            made
        };
        let starts: Vec<u32> = (0..count).step_by(BLOCK as usize).collect();
        let blocks: Vec<Vec<f64>> = starts.into_par_iter().map(block).collect::<Result<_, _>>()?;
        let mut all = blocks.concat();
        all.sort_unstable_by(f64::total_cmp);
        Ok(all)
    }

    /// One round: every client encodes, the ring adds, the sum is decoded and projected.
    fn statistic(
        &self,
        encoder: &Encoder,
        [purpose, victim]: [u64; 2],
        trial: u32,
    ) -> Result<f64, PrivacyError> {
        let task = encoder.encoding().task();
        let mut rng = generator(self.seed, "audit", &[purpose, victim, u64::from(trial)]);
        // The rotation is public, and the same in all trials: the adversary knows it.
        let rotation = Rotation::new([0; 32]);
        let coordinate = 1.0 / f64::from(task.dimension).sqrt();
        let nothing = vec![0.0; task.dimension as usize];
        let vector = vec![task.clip * coordinate * victim as f64; task.dimension as usize];
        let mut sum = encoder.encode(&vector, &rotation, &seeds(&mut rng))?;
        for _ in 1..task.clients {
            encoder.add(&mut sum, &encoder.encode(&nothing, &rotation, &seeds(&mut rng))?);
        }
        let decoded = encoder.encoding().decode(&sum, &rotation)?;
        Ok(decoded.iter().map(|value| value * coordinate).sum())
    }
}

/// Turns counts into bounds.
struct Judge {
    trials: Trials,
    /// What may go wrong with each of the two probabilities.
    error: f64,
    delta: f64,
}

impl Judge {
    /// The lower bound on ε from how many of all sums with and without the victim are in the event; of the event
    /// and its complement, the better one. What may go wrong with each of the two probabilities is `error`.
    ///
    /// Both use the same two statements, "with" is at least this and "without" at most that, so they hold
    /// together.
    fn bound(&self, with: usize, without: usize, error: f64) -> f64 {
        let (with, without) = (self.trials.lower(with, error), self.trials.upper(without, error));
        let of = |one: f64, other: f64| ((one - self.delta) / other).ln();
        of(with, without).max(of(1.0 - without, 1.0 - with)).max(0.0)
    }

    /// The threshold with the greatest bound, among ranks that grow by half from either end of both worlds' sums.
    ///
    /// The bound is taken with far more confidence than is asked for, lest a few lucky sums in the tails win.
    fn choose(&self, [with, without]: &[Vec<f64>; 2]) -> f64 {
        let ranks =
            (0..).map(|half| f64::exp2(f64::from(half) / 2.0) as usize).take_while(|&rank| rank < with.len());
        let at = |rank: usize| {
            [rank - 1, with.len() - rank].into_iter().flat_map(|at| [with.get(at), without.get(at)]).flatten()
        };
        let bound = |threshold: f64| {
            self.bound(at_least(with, threshold), at_least(without, threshold), self.error * CAUTION)
        };
        let candidates: Vec<f64> = ranks.flat_map(at).copied().collect();
        let judged = candidates.into_par_iter().map(|threshold| (bound(threshold), threshold));
        judged.max_by(|one, other| one.0.total_cmp(&other.0)).map_or(0.0, |(_, threshold)| threshold)
    }
}

/// What may go wrong when a threshold is chosen, as a part of what may go wrong when it is judged.
const CAUTION: f64 = 1e-3;

/// How many of the sorted values are at least `threshold`.
fn at_least(sorted: &[f64], threshold: f64) -> usize {
    sorted.len() - sorted.partition_point(|value| *value < threshold)
}
