//! By how much a decoded sum is expected to be off.

use super::{CentredEncoding, Encoding, Task};

impl Encoding {
    /// The error to be expected of a coordinate of the decoded sum of so many `survivors`, each with a share of noise of
    /// this `variance` in squared integer units: the root of the mean square, in real units.
    ///
    /// Three independent parts: noise, roundings, and wraps, which move a coordinate by 2^b. As for the choice of the
    /// scale, vectors are taken to be as long as the clip and to point the same way, and rotated coordinates to be normal.
    pub fn expected_error(&self, survivors: u32, variance: f64) -> f64 {
        let ring = (self.scale(), self.wrap_probability());
        expected_error(self.task(), self.padded_dimension(), ring, 0, survivors, variance)
    }
}

impl CentredEncoding {
    /// As [`Encoding::expected_error`], for roundings to the grid.
    pub fn expected_error(&self, survivors: u32, variance: f64) -> f64 {
        let ring = (self.scale(), self.wrap_probability());
        expected_error(self.task(), self.padded_dimension(), ring, self.grid(), survivors, variance)
    }
}

fn expected_error(
    task: &Task,
    padded: u32,
    (scale, wrap_probability): (f64, f64),
    grid: u32,
    survivors: u32,
    variance: f64,
) -> f64 {
    let spread = task.clip * scale / f64::from(padded).sqrt();
    let fine = f64::exp2(f64::from(grid));
    let rounding = rounding_variance(spread * fine) / (fine * fine);
    let ring = f64::exp2(f64::from(task.bits));
    let wraps = wrap_probability * ring * ring;
    (f64::from(survivors) * (variance + rounding) + wraps).sqrt() / scale
}

/// The mean of f(1 − f), the variance of a stochastic rounding, where f is the fraction of a normal variable of
/// standard deviation `spread`: 1/6 − Σ_{j≥1} exp(−2π²j²·spread²)/(πj)².
fn rounding_variance(spread: f64) -> f64 {
    use std::f64::consts::PI;
    let term = |j: u32| (-2.0 * (PI * f64::from(j) * spread).powi(2)).exp() / (PI * f64::from(j)).powi(2);
    (1.0 / 6.0 - (1..=1000).rev().map(term).sum::<f64>()).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roundings_vary_as_the_fraction_does() {
        assert!((rounding_variance(3.0) - 1.0 / 6.0).abs() < 1e-12);
        assert!(rounding_variance(0.0) < 2e-4);
        // |x| far below 1 is rounded to ±1 with probability |x|: variance E|x| − E x².
        let spread: f64 = 0.05;
        let expected = spread * (2.0 / std::f64::consts::PI).sqrt() - spread * spread;
        assert!((rounding_variance(spread) / expected - 1.0).abs() < 0.01);
    }

    fn task(bits: u8) -> Task {
        let beta = (-0.5f64).exp();
        Task { clients: 100, bits, clip: 2.0, dimension: 1000, beta, wrap: 6.334e-5, greatest_scale: None }
    }

    #[test]
    fn in_a_wide_ring_only_the_noise_counts() {
        let rounded = Encoding::new(task(40), 0.5).unwrap();
        let centred = CentredEncoding::new(task(40), 0.5).unwrap();
        let noise = 80f64.sqrt() * 0.5;
        for error in [
            rounded.expected_error(80, rounded.sigma().powi(2)),
            centred.expected_error(80, centred.sigma().powi(2)),
        ] {
            assert!((error / noise - 1.0).abs() < 0.01, "{error}");
        }
    }

    #[test]
    fn in_a_narrow_ring_roundings_and_wraps_count_too() {
        let narrow = Encoding::new(task(10), 0.5).unwrap();
        let (variance, scale) = (narrow.sigma().powi(2), narrow.scale());
        let wraps = narrow.wrap_probability() * f64::exp2(20.0);
        // No fraction varies more than an even one.
        let expected = (80.0 * (variance + 1.0 / 6.0) + wraps).sqrt() / scale;
        let error = narrow.expected_error(80, variance);
        assert!(error <= expected && error > (80.0 * variance + wraps).sqrt() / scale, "{error}");
    }
}
