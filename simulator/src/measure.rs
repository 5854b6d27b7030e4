//! Measures what the operations of [`secagg::Counts`] cost on this machine, and how well that predicts a session.
//!
//! All times are CPU time of one thread, so that other work on the machine disturbs them little. The operations are
//! measured in turn, round after round, and each cost is the median over the rounds.

mod operations;
mod session;

use std::fmt::Write;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::Profile;
use operations::Operations;
pub use session::{Cpu, Prediction, SessionShape};

/// Rounds over which the medians are taken.
const ROUNDS: usize = 9;

/// A profile of this machine and how sure it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// What was measured.
    pub profile: Profile,
    /// For each cost, the quarter point and the three-quarter point of its rounds as shares of the median.
    pub spread: Vec<Spread>,
    /// SHA-256 of the costs, in hexadecimal: what a run says that it was charged by.
    pub hash: String,
}

/// How far the rounds of one cost lie apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The cost.
    pub cost: &'static str,
    /// A quarter of the rounds took less than this share of the median.
    pub low: f64,
    /// A quarter of the rounds took more than this share of the median.
    pub high: f64,
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// No thread of its own.
    #[error("cannot start a thread to measure in: {0}")]
    Thread(String),
    /// The protocol core did something else than was asked.
    #[error("a session of honest clients failed: {0}")]
    Session(String),
}

/// Measures every cost. `source` is what the profile will say about itself; `progress` is told how many of how many
/// rounds are done.
///
/// # Errors
/// There is no thread to be had, or an honest session fails, which would be a defect of the core.
pub fn measure(
    source: &str,
    progress: impl Fn(usize, usize) + Send + Sync,
) -> Result<Measured, MeasureError> {
    in_one_thread(|| {
        let mut rounds = Vec::new();
        for round in 0..ROUNDS {
            progress(round, ROUNDS);
            let mut profile = Operations::new()?.measure();
            session::measure_messages(&mut profile)?;
            rounds.push(profile);
        }
        progress(ROUNDS, ROUNDS);
        Ok(summary(source, &rounds))
    })
}

/// Runs a session of this shape and compares its CPU time with what a profile predicts.
///
/// # Errors
/// As [`measure`].
pub fn predict(profile: &Profile, shape: &SessionShape) -> Result<Prediction, MeasureError> {
    in_one_thread(|| session::predict(profile, shape))
}

/// A description of this machine: the processor, its architecture and the system.
pub fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unknown processor", |(_, model)| model.trim());
    format!("{model}, {}, {}", std::env::consts::ARCH, std::env::consts::OS)
}

/// SHA-256 of a profile's costs, in hexadecimal.
pub fn hash(profile: &Profile) -> String {
    let mut text = String::new();
    for (name, cost) in profile.costs() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name} = {:016x}", cost.to_bits());
    }
    hex::encode(Sha256::digest(text))
}

/// Rayon's jobs stay in the thread, so that its CPU time is all there is.
fn in_one_thread<T: Send>(work: impl FnOnce() -> Result<T, MeasureError> + Send) -> Result<T, MeasureError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    pool.map_err(|error| MeasureError::Thread(error.to_string()))?.install(work)
}

fn summary(source: &str, rounds: &[Profile]) -> Measured {
    let quantile = |at: usize, part: f64| {
        let mut costs: Vec<f64> = rounds.iter().filter_map(|one| Some(one.costs().get(at)?.1)).collect();
        costs.sort_by(f64::total_cmp);
        costs.get((costs.len().saturating_sub(1) as f64 * part).round() as usize).copied().unwrap_or_default()
    };
    let median = |at| quantile(at, 0.5);
    let profile = Profile {
        source: source.to_owned(),
        encryption_agreement: median(0),
        mask_agreement: median(1),
        public_key: median(2),
        aead_byte: median(3),
        keystream_byte: median(4),
        share_term: median(5),
        reconstruction_term: median(6),
        basis_term: median(7),
        addition: median(8),
        signature: median(9),
        verification: median(10),
        message: median(11),
        message_byte: median(12),
    };
    let spread = |(at, (cost, median)): (usize, (&'static str, f64))| {
        let share = |part| if median > 0.0 { quantile(at, part) / median } else { 1.0 };
        Spread { cost, low: share(0.25), high: share(0.75) }
    };
    let spread = profile.costs().into_iter().enumerate().map(spread).collect();
    Measured { hash: hash(&profile), profile, spread }
}

/// CPU seconds of this thread.
fn cpu() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_the_median_of_its_rounds_and_the_hash_that_of_its_costs() {
        let profile = |cost: f64| Profile { addition: cost, message: 10.0 - cost, ..Profile::default() };
        let measured = summary("here", &[profile(3.0), profile(1.0), profile(2.0)]);
        assert_eq!((measured.profile.addition, measured.profile.message), (2.0, 8.0));
        assert_eq!(measured.profile.source, "here");
        assert_eq!(measured.hash, hash(&measured.profile));
        assert_ne!(measured.hash, hash(&profile(1.0)));
        let same = Profile { source: "there".to_owned(), ..measured.profile.clone() };
        assert_eq!(measured.hash, hash(&same), "a name is no cost");
    }

    #[test]
    fn a_prediction_is_made_of_a_real_session() {
        let shape = SessionShape { clients: 12, degree: 6, length: 500, bits: 20, dropped: 1 };
        let profile = Profile { message: 1e6, ..Profile::default() };
        let prediction = predict(&profile, &shape).unwrap();
        // Each of 12 clients takes in and makes at least two messages; one of them no more than those.
        assert!((prediction.clients.predicted - (11.0 * 8.0 + 4.0) * 1e-3).abs() < 1e-9);
        assert!(prediction.clients.measured > 0.0 && prediction.server.measured > 0.0);
    }
}
