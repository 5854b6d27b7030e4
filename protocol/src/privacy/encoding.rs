//! Which scale carries real vectors into the ring, and how long they may be there.

use super::error::{PrivacyError, checked, positive, probability};
use super::mechanism::Sensitivity;
use super::special::{erfc, erfc_inverse};

/// The probability that |N(0, `sigma`²)| ≥ 2^(bits−1): that a coordinate of the sum leaves the ring of `bits` bits
/// and wraps. `sigma` is in integer units.
pub fn wrap_probability(bits: u8, sigma: f64) -> f64 {
    erfc(f64::exp2(f64::from(bits) - 1.0) / (sigma * 2f64.sqrt()))
}

/// The k for which |N(0, 1)| ≥ k with probability `wrap`.
///
/// # Errors
/// A probability outside (0, 1).
pub fn wrap_deviations(wrap: f64) -> Result<f64, PrivacyError> {
    Ok(2f64.sqrt() * erfc_inverse(probability("the wrap probability", wrap)?))
}

/// What the scale is chosen from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Task {
    /// Clients whose vectors are summed, n.
    pub clients: u32,
    /// Bits of a coordinate, b; 1 to 62.
    pub bits: u8,
    /// Greatest Euclidean norm of a client's vector, in real units.
    pub clip: f64,
    /// Coordinates before padding; at most 2^28.
    pub dimension: u32,
    /// The probability β, below 1, with which a rounding may exceed the norm bound and is drawn again; 0 for a
    /// bound that no rounding exceeds. Kairouz, Liu, Steinke 2021 take e^(−1/2).
    pub beta: f64,
    /// The probability with which one coordinate of the sum may wrap.
    pub wrap: f64,
    /// The greatest scale to use, if there is a limit.
    pub greatest_scale: Option<f64>,
}

/// The numbers that clients and server share: scale, noise and norm bound of one kind of round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Encoding {
    task: Task,
    padded: u32,
    deviations: f64,
    sigma: f64,
    scale: f64,
}

/// Greatest number of coordinates before padding.
const GREATEST_DIMENSION: u32 = 1 << 28;

impl Encoding {
    /// Chooses the scale for shares of noise of standard deviation `sigma`, in real units.
    ///
    /// The sum's coordinate, after the rotation, is taken as normal of variance (cn)²/d + (γ²/4 + σ²)n with
    /// γ = 1/s, and k standard deviations shall fit on either side of 2^b values:
    /// s = √(2^(2b) − nk²) / (2k·√(c²n²/d + nσ²)) (Kairouz, Liu, Steinke 2021, section 4 and its code).
    ///
    /// # Errors
    /// A number outside its range; a ring too small for the roundings alone.
    pub fn new(task: Task, sigma: f64) -> Result<Self, PrivacyError> {
        Self::on_grid(task, wrap_deviations(task.wrap)?, sigma, 0)
    }

    /// As [`Encoding::new`], but with roundings to multiples of 2^−`grid`, whose variance is 4^−`grid` as large, and with
    /// the [`wrap_deviations`] of the task, which take a search: whoever tries many σ makes it once.
    pub(super) fn on_grid(task: Task, deviations: f64, sigma: f64, grid: u32) -> Result<Self, PrivacyError> {
        check(&task)?;
        positive("the σ of a share", sigma)?;
        let padded = task.dimension.next_power_of_two();
        let (n, k) = (f64::from(task.clients), deviations);
        let values = |bits: u8| f64::exp2(2.0 * f64::from(bits));
        let roundings = n * k * k * f64::exp2(-2.0 * f64::from(grid));
        let room = values(task.bits) - roundings;
        if room <= 0.0 {
            let least = (1..=62).find(|&bits| values(bits) > roundings).unwrap_or(u8::MAX);
            return Err(PrivacyError::TooFewBits { found: task.bits, least });
        }
        let variance = (task.clip * n).powi(2) / f64::from(padded) + n * sigma * sigma;
        let scale = room.sqrt() / (2.0 * k * variance.sqrt());
        let scale = task.greatest_scale.map_or(scale, |greatest| scale.min(greatest));
        Ok(Self { task, padded, deviations, sigma, scale: positive("the scale", scale)? })
    }

    /// The same with another scale.
    pub(super) fn rescaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// As [`Encoding::new`] for noise that is, in the sum of all clients, `multiplier` times the clip:
    /// σ = multiplier·c/√n.
    ///
    /// # Errors
    /// As [`Encoding::new`].
    pub fn with_multiplier(task: Task, multiplier: f64) -> Result<Self, PrivacyError> {
        check(&task)?;
        Self::new(task, share(&task, multiplier))
    }

    /// The encoding with the least noise for which `epsilon` of it is at most `target`.
    ///
    /// `epsilon` must not grow with the noise, which all accountants of this module obey. The multiplier is found
    /// by bisection and the encoding that is returned has been accounted: a minimiser of the squared
    /// difference, as in the authors' code, may stop at a point that does not meet the target.
    /// An error of `epsilon` counts as no guarantee.
    ///
    /// # Errors
    /// A target that is not positive, or that no noise reaches with these bits.
    pub fn calibrate(
        task: Task,
        target: f64,
        epsilon: impl Fn(&Self) -> Result<f64, PrivacyError>,
    ) -> Result<Self, PrivacyError> {
        let deviations = wrap_deviations(task.wrap)?;
        let at = |multiplier| Self::on_grid(task, deviations, share(&task, multiplier), 0);
        calibrated(&task, target, at, epsilon)
    }

    /// The factor s from real to integer units.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The task that the encoding is for.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// Coordinates after padding to a power of two, d.
    pub fn padded_dimension(&self) -> u32 {
        self.padded
    }

    /// Standard deviations of the sum that fit on either side, k.
    pub fn deviations(&self) -> f64 {
        self.deviations
    }

    /// The parameter σ of a client's share of noise, in real units.
    pub fn sigma_real(&self) -> f64 {
        self.sigma
    }

    /// The parameter σ of a client's share of noise, in integer units.
    pub fn sigma(&self) -> f64 {
        self.sigma * self.scale
    }

    /// The square of the norm bound D₂ of a rounded vector, before it is cut to a whole number:
    /// min{(cs + √d)², (cs)² + d/4 + √(2 ln 1/β)·(cs + √d/2)} (Kairouz, Liu, Steinke 2021, algorithm 1).
    pub fn norm_squared(&self) -> f64 {
        let (clip, root) = (self.task.clip * self.scale, f64::from(self.padded).sqrt());
        let certain = (clip + root).powi(2);
        if self.task.beta == 0.0 {
            return certain;
        }
        let slack = (-2.0 * self.task.beta.ln()).sqrt() * (clip + root / 2.0);
        certain.min(clip * clip + root * root / 4.0 + slack)
    }

    /// The greatest sum of squares that a rounded vector may have: what the client checks in integers.
    ///
    /// # Errors
    /// A bound beyond 2^96, which no ring of 62 bits holds.
    pub fn greatest_sum_of_squares(&self) -> Result<u128, PrivacyError> {
        let squared = self.norm_squared();
        checked("the square of the norm bound", squared, squared < f64::exp2(96.0), "below 2^96")?;
        Ok(squared as u128)
    }

    /// The sensitivity of the sum to one client, from the real bound D₂, which the whole one does not exceed.
    ///
    /// # Errors
    /// A norm bound that is not finite.
    pub fn sensitivity(&self) -> Result<Sensitivity, PrivacyError> {
        Sensitivity::new(self.norm_squared().sqrt(), self.padded)
    }

    /// The probability that a given coordinate of the sum wraps, under the model of [`Encoding::new`].
    ///
    /// Below the one asked for where the scale was limited.
    pub fn wrap_probability(&self) -> f64 {
        self.wrap_probability_on_grid(0)
    }

    /// The same with roundings to multiples of 2^−`grid`.
    pub(super) fn wrap_probability_on_grid(&self, grid: u32) -> f64 {
        let n = f64::from(self.task.clients);
        let aligned = (self.task.clip * self.scale * n).powi(2) / f64::from(self.padded);
        let rounding = 0.25 * f64::exp2(-2.0 * f64::from(grid));
        wrap_probability(self.task.bits, (aligned + n * (rounding + self.sigma() * self.sigma())).sqrt())
    }
}

/// The σ of one of the task's shares if all of them together are `multiplier` times the clip.
pub(super) fn share(task: &Task, multiplier: f64) -> f64 {
    multiplier * task.clip / f64::from(task.clients).sqrt()
}

/// The encoding that `at` makes of the least noise multiplier for which `epsilon` is at most `target`, by bisection.
pub(super) fn calibrated<E>(
    task: &Task,
    target: f64,
    at: impl Fn(f64) -> Result<E, PrivacyError>,
    epsilon: impl Fn(&E) -> Result<f64, PrivacyError>,
) -> Result<E, PrivacyError> {
    positive("ε", target)?;
    check(task)?;
    let of = |z: f64| at(z).and_then(|encoding| epsilon(&encoding)).unwrap_or(f64::INFINITY);
    let enough = (-10..=40).map(f64::from).map(f64::exp2).find(|&z| of(z) <= target);
    let Some(high) = enough else {
        // Any error that is not a matter of the noise shows at an ordinary amount of it.
        epsilon(&at(1.0)?)?;
        let least = (-10..=40).map(|log| of(f64::exp2(f64::from(log)))).fold(f64::INFINITY, f64::min);
        return Err(PrivacyError::Unreachable { target, least, bits: task.bits });
    };
    // Within a factor of two above the least: 40 halvings leave less than a millionth of a millionth.
    let (mut low, mut high) = (high / 2.0, high);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if of(middle) <= target { high = middle } else { low = middle }
    }
    at(high)
}

fn check(task: &Task) -> Result<(), PrivacyError> {
    checked("the number of clients", f64::from(task.clients), task.clients > 0, "at least 1")?;
    checked("the bits of a coordinate", f64::from(task.bits), (1..=62).contains(&task.bits), "1 to 62")?;
    positive("the clip", task.clip)?;
    let dimension = task.dimension;
    checked(
        "the dimension",
        f64::from(dimension),
        (1..=GREATEST_DIMENSION).contains(&dimension),
        "1 to 2^28",
    )?;
    checked("β", task.beta, (0.0..1.0).contains(&task.beta), "at least 0 and below 1")?;
    task.greatest_scale.map_or(Ok(0.0), |greatest| positive("the greatest scale", greatest))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::DistributedGaussian;
    use super::*;

    fn task() -> Task {
        Task {
            clients: 100,
            bits: 16,
            clip: 0.03,
            dimension: 1_018_174,
            beta: (-0.5f64).exp(),
            wrap: 6.334e-5,
            greatest_scale: None,
        }
    }

    fn accounted(encoding: &Encoding) -> Result<f64, PrivacyError> {
        DistributedGaussian::new(100, encoding.sigma(), encoding.sensitivity()?)?.epsilon(1, 1e-5)
    }

    #[test]
    fn the_ring_holds_the_deviations_asked_for() {
        let encoding = Encoding::with_multiplier(task(), 1.0).unwrap();
        assert_eq!(encoding.padded_dimension(), 1 << 20);
        assert!((encoding.wrap_probability() / 6.334e-5 - 1.0).abs() < 1e-9);
        let limited = Task { greatest_scale: Some(1000.0), ..task() };
        let limited = Encoding::with_multiplier(limited, 1.0).unwrap();
        assert_eq!(limited.scale(), 1000.0);
        assert!(limited.wrap_probability() < 1e-100);
    }

    #[test]
    fn the_norm_bound_covers_the_rounding() {
        let encoding = Encoding::with_multiplier(task(), 1.0).unwrap();
        let clip = encoding.scale() * encoding.task().clip;
        assert!(encoding.norm_squared() > clip * clip + f64::from(1 << 18));
        let certain = Encoding::with_multiplier(Task { beta: 0.0, ..task() }, 1.0).unwrap();
        assert_eq!(certain.norm_squared(), (clip + 1024.0).powi(2));
        let whole = encoding.greatest_sum_of_squares().unwrap();
        assert!(whole as f64 <= encoding.norm_squared() && encoding.norm_squared() < (whole + 1) as f64);
    }

    #[test]
    fn calibration_meets_the_target_and_hardly_less() {
        for target in [0.3, 2.0, 50.0] {
            let encoding = Encoding::calibrate(task(), target, accounted).unwrap();
            let found = accounted(&encoding).unwrap();
            assert!(found <= target && found > target * (1.0 - 1e-9), "{target} {found}");
        }
    }

    #[test]
    fn a_ring_too_small_is_refused_with_the_least() {
        let refused = Encoding::with_multiplier(Task { bits: 5, ..task() }, 1.0).unwrap_err();
        assert_eq!(refused, PrivacyError::TooFewBits { found: 5, least: 6 });
        assert!(Encoding::with_multiplier(Task { bits: 6, ..task() }, 1.0).is_ok());
        let unreachable = Encoding::calibrate(Task { bits: 8, ..task() }, 1.0, accounted).unwrap_err();
        assert!(
            matches!(unreachable, PrivacyError::Unreachable { bits: 8, least, .. } if least > 1.0),
            "{unreachable}"
        );
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let wrong = [
            Task { clients: 0, ..task() },
            Task { bits: 0, ..task() },
            Task { bits: 63, ..task() },
            Task { clip: 0.0, ..task() },
            Task { clip: f64::NAN, ..task() },
            Task { clip: f64::INFINITY, ..task() },
            Task { dimension: 0, ..task() },
            Task { dimension: 1 << 30, ..task() },
            Task { beta: 1.0, ..task() },
            Task { beta: -0.1, ..task() },
            Task { wrap: 0.0, ..task() },
            Task { wrap: 1.0, ..task() },
            Task { greatest_scale: Some(0.0), ..task() },
        ];
        for task in wrong {
            assert!(Encoding::with_multiplier(task, 1.0).is_err(), "{task:?}");
            assert!(Encoding::calibrate(task, 1.0, accounted).is_err(), "{task:?}");
        }
        for multiplier in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Encoding::with_multiplier(task(), multiplier).is_err());
        }
        assert!(Encoding::calibrate(task(), f64::NAN, accounted).is_err());
    }
}
