//! Curves of Rényi divergences: they add over rounds, and one conversion at the end gives (ε, δ).

use super::error::{PrivacyError, checked, probability};
use super::mechanism::Mechanism;
use super::zcdp::overhead;

/// The relative amount by which results are enlarged, far above the errors of double precision.
pub const MARGIN: f64 = 1e-10;

/// An upper bound: `value` enlarged for the errors of double precision, and not negative.
pub(super) fn enlarge(value: f64) -> f64 {
    (value + value.abs() * MARGIN + MARGIN * 1e-2).max(0.0)
}

/// Number of the orders above 1 and up to 9 at which curves are kept: eight to each doubling of α − 1.
const FINE: usize = 121;

/// Number of the whole orders: 2 to 256, then every 64th up to 1024.
const WHOLE: usize = 255 + 12;

/// The orders at which curves are kept, ascending in each of two runs: eight to each doubling of α − 1 from
/// 2⁻¹² to 8, then the whole numbers 2 to 256 and 320, 384, …, 1024.
pub const ORDERS: usize = FINE + WHOLE;

/// The order at `index`.
fn order(index: usize) -> f64 {
    match index.checked_sub(FINE) {
        None => 1.0 + f64::exp2(index as f64 / 8.0 - 12.0),
        Some(whole @ ..=254) => whole as f64 + 2.0,
        Some(far) => ((far - 254) * 64 + 256) as f64,
    }
}

/// Bounds on the Rényi divergence of what has been released so far, at [`ORDERS`] orders.
///
/// Adaptive composition adds the divergences order by order (Mironov 2017, proposition 1); ε is computed once,
/// at the end. Adding ε instead would cost a factor of up to the square root of the number of rounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve(Vec<f64>);

/// The outcome of a conversion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epsilon {
    /// ε, rounded up.
    pub epsilon: f64,
    /// The order of divergence that gave it.
    pub order: f64,
}

impl Curve {
    /// Nothing released yet.
    pub fn nothing() -> Self {
        Self(vec![0.0; ORDERS])
    }

    /// One round of a mechanism, without amplification: this is the guarantee against the server.
    pub fn of(mechanism: &impl Mechanism) -> Self {
        Self::at_orders(|order| mechanism.divergence(order))
    }

    /// The curve of a bound on the divergence; what is not a number counts as infinite.
    pub(super) fn at_orders(divergence: impl Fn(f64) -> f64) -> Self {
        let at =
            |index| Some(divergence(order(index))).filter(|bound| !bound.is_nan()).unwrap_or(f64::INFINITY);
        Self((0..ORDERS).map(at).collect())
    }

    /// What this release and the other give away together.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, other)| one + other).collect())
    }

    /// What is given away at most, if it is this or the other.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, other)| one.max(*other)).collect())
    }

    /// What `rounds` such releases give away.
    #[must_use]
    pub fn times(&self, rounds: u32) -> Self {
        match rounds {
            0 => Self::nothing(),
            _ => Self(self.0.iter().map(|divergence| divergence * f64::from(rounds)).collect()),
        }
    }

    /// The least known ε at δ, rounded up (Canonne, Kamath, Steinke 2020, proposition 12).
    ///
    /// # Errors
    /// A δ outside (0, 1).
    pub fn epsilon(&self, delta: f64) -> Result<Epsilon, PrivacyError> {
        probability("δ", delta)?;
        let mut best = Epsilon { epsilon: f64::INFINITY, order: f64::INFINITY };
        for (index, divergence) in self.0.iter().enumerate() {
            let order = order(index);
            // A mechanism this close to saying nothing has a total variation distance of at most δ (Bretagnolle
            // and Huber 1979), which is (0, δ); the conversion would leave a positive ε.
            let silent = *divergence <= -(-delta * delta).ln_1p() * (1.0 - MARGIN);
            let epsilon = if silent { 0.0 } else { enlarge(divergence + overhead(order - 1.0, delta)) };
            if epsilon < best.epsilon {
                best = Epsilon { epsilon, order };
            }
        }
        Ok(best)
    }

    /// The least known δ at ε, rounded up (Canonne, Kamath, Steinke 2020, proposition 12).
    ///
    /// # Errors
    /// An ε that is negative or not finite.
    pub fn delta(&self, epsilon: f64) -> Result<f64, PrivacyError> {
        checked("ε", epsilon, epsilon >= 0.0, "finite and not negative")?;
        let of = |(index, divergence): (usize, &f64)| {
            let (alpha, beta) = (order(index), order(index) - 1.0);
            let exponent = beta * (divergence - epsilon) + beta * beta.ln() - alpha * alpha.ln();
            exponent.exp() * (1.0 + MARGIN * (1.0 + exponent.abs()))
        };
        Ok(self.0.iter().enumerate().map(of).fold(1.0, f64::min))
    }

    /// The bound at `order`, if it is one of [`ORDERS`].
    pub fn at(&self, order: f64) -> Option<f64> {
        let index = (0..ORDERS).find(|&index| self::order(index) == order)?;
        self.0.get(index).copied()
    }
}

/// The decimal of at most `digits` digits behind the point that is next above an ε or δ, for people to read.
///
/// A decimal cannot always be printed from the nearest double without going below it, so a text is returned.
pub fn round_up(value: f64, digits: u8) -> String {
    let digits = usize::from(digits);
    let nearest = format!("{value:.digits$}");
    match nearest.parse::<f64>() {
        Ok(printed) if printed < value => format!("{:.digits$}", value + 0.5 * 10f64.powi(-(digits as i32))),
        _ => nearest,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Amplification, DistributedGaussian, Gaussian, Sensitivity, Skellam, zcdp};
    use super::*;

    fn gaussian(shares: u32, sigma: f64) -> DistributedGaussian {
        DistributedGaussian::new(shares, sigma, Sensitivity::new(20.0, 64).unwrap()).unwrap()
    }

    #[test]
    fn the_orders_ascend_and_end_at_1024() {
        let whole: Vec<f64> = (FINE..ORDERS).map(order).collect();
        assert!(whole.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!((whole[0], whole[254], whole[255], whole[WHOLE - 1]), (2.0, 256.0, 320.0, 1024.0));
        assert_eq!((order(0), order(FINE - 1)), (1.0 + f64::exp2(-12.0), 9.0));
    }

    #[test]
    fn the_curve_is_close_to_the_closed_form() {
        for rho in [1e-3, 0.1, 3.0, 500.0f64] {
            let mechanism = Gaussian::new((0.5 / rho).sqrt()).unwrap();
            let (curve, closed) =
                (Curve::of(&mechanism).epsilon(1e-6).unwrap(), zcdp::epsilon(rho, 1e-6).unwrap());
            assert!(
                curve.epsilon >= closed * (1.0 - 1e-9) && curve.epsilon < closed * 1.002,
                "{curve:?} {closed}"
            );
        }
    }

    #[test]
    fn epsilon_and_delta_undo_each_other() {
        let curve = Curve::poisson(&gaussian(50, 4.0), 0.1, Amplification::Tight).unwrap().times(30);
        let found = curve.epsilon(1e-6).unwrap();
        let delta = curve.delta(found.epsilon).unwrap();
        assert!((delta / 1e-6 - 1.0).abs() < 1e-6, "{delta}");
    }

    #[test]
    fn rounds_compose_on_curves_not_on_epsilon() {
        let round = Curve::of(&gaussian(100, 10.0));
        let (one, hundred) = (round.epsilon(1e-6).unwrap(), round.times(100).epsilon(1e-6).unwrap());
        assert!(hundred.epsilon < 15.0 * one.epsilon, "{one:?} {hundred:?}");
        let added = (0..100).fold(Curve::nothing(), |sum, _| sum.and(&round)).epsilon(1e-6).unwrap();
        assert!((added.epsilon / hundred.epsilon - 1.0).abs() < 1e-9);
    }

    #[test]
    fn unlike_rounds_compose() {
        let skellam = Skellam::new(1e4, Sensitivity::new(20.0, 64).unwrap()).unwrap();
        let (one, other) = (Curve::of(&gaussian(100, 10.0)), Curve::of(&skellam));
        let both = one.and(&other).epsilon(1e-6).unwrap().epsilon;
        assert!(both > one.epsilon(1e-6).unwrap().epsilon && both > other.epsilon(1e-6).unwrap().epsilon);
    }

    #[test]
    fn dropouts_cost_what_they_took() {
        let planned = Curve::of(&gaussian(100, 10.0)).epsilon(1e-6).unwrap().epsilon;
        let survived = Curve::of(&gaussian(70, 10.0)).epsilon(1e-6).unwrap().epsilon;
        assert!(survived > 1.15 * planned && survived < 1.3 * planned, "{planned} {survived}");
    }

    #[test]
    fn the_server_is_not_the_public() {
        let mechanism = gaussian(100, 10.0);
        let server = Curve::of(&mechanism).times(50).epsilon(1e-6).unwrap().epsilon;
        let public = Curve::poisson(&mechanism, 0.01, Amplification::Tight).unwrap().times(50);
        assert!(public.epsilon(1e-6).unwrap().epsilon < server / 10.0);
        assert_eq!(Curve::poisson(&mechanism, 1.0, Amplification::Tight), Ok(Curve::of(&mechanism)));
    }

    #[test]
    fn nothing_released_costs_nothing() {
        assert_eq!(Curve::nothing().epsilon(1e-9).unwrap().epsilon, 0.0);
        assert_eq!(Curve::of(&gaussian(10, 2.0)).times(0), Curve::nothing());
        // But an infinite divergence is not nothing.
        let endless = Curve::at_orders(|_| f64::NAN);
        assert_eq!(endless.epsilon(1e-5).unwrap().epsilon, f64::INFINITY);
        assert_eq!(endless.delta(1.0), Ok(1.0));
    }

    #[test]
    fn silence_is_told_by_the_total_variation_distance() {
        // Two coins of bias ½ ± η have total variation distance 2η and divergence near 8η².
        let curve = Curve::at_orders(|_| 1e-13);
        assert_eq!(curve.epsilon(1e-6).unwrap().epsilon, 0.0);
        assert!(curve.epsilon(1e-7).unwrap().epsilon > 0.0);
    }

    #[test]
    fn printed_figures_are_never_below() {
        for value in [1.0, 0.1, 1.23456, 2.0 / 3.0, 7.4999999, 1e-7, 3.0000000001, 123456.7] {
            for digits in 0..6 {
                let printed: f64 = round_up(value, digits).parse().unwrap();
                assert!(
                    printed >= value && printed - value <= 1.01 * 10f64.powi(-i32::from(digits)),
                    "{value} {printed}"
                );
            }
        }
        assert_eq!((round_up(1.2301, 2), round_up(1.23, 2)), ("1.24".to_owned(), "1.23".to_owned()));
        assert_eq!(round_up(f64::INFINITY, 2), "inf");
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let curve = Curve::of(&gaussian(10, 2.0));
        for delta in [0.0, 1.0, -1.0, f64::NAN] {
            assert!(curve.epsilon(delta).is_err(), "{delta}");
        }
        for epsilon in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(curve.delta(epsilon).is_err(), "{epsilon}");
        }
        for rate in [0.0, -0.1, 1.1, f64::NAN] {
            assert!(Curve::poisson(&gaussian(10, 2.0), rate, Amplification::Tight).is_err(), "{rate}");
        }
    }
}
