//! The laws that tables are made of, as thresholds of any precision, in integer arithmetic.
#![cfg_attr(not(test), deny(clippy::float_arithmetic))]

use super::fixed::Fixed;

/// Limbs beyond the words wanted: errors stay far below one unit of the last of those.
const GUARD: usize = 2;

/// What stands for zero in a law on all integers.
pub(super) const MIDDLE: u64 = 1 << 32;

/// A law on 0, 1, 2, ….
#[derive(Clone, Copy, Debug)]
pub(super) enum Law {
    /// The probability of m is proportional to exp(−m²·`numerator`/`denominator`); if `doubled`, those of all m
    /// but 0 count twice, as in the absolute value of a symmetric law. The exponent of m = 1 is at most 2.
    Gaussian {
        /// Of the exponent of m = 1.
        numerator: u64,
        /// Of the exponent of m = 1.
        denominator: u64,
        /// Whether all but zero count twice.
        doubled: bool,
    },
    /// A discrete Gaussian of σ² = `units`/2^16 around the centre `offset`/2^`grid`, which is from 0 to ½; m stands
    /// for the integer m − [`MIDDLE`]. σ is from 1 to 256 and the grid has at most 16 bits.
    Centred {
        /// σ² in units of 2^−16.
        units: u64,
        /// The centre in units of 2^−grid.
        offset: u64,
        /// Bits of fraction of the centre.
        grid: u32,
    },
    /// Poisson, of mean `numerator`/`denominator` below 2^24. The denominator is at most 2^32.
    Poisson {
        /// Of the mean.
        numerator: u64,
        /// Of the mean.
        denominator: u64,
    },
}

/// Bounds of a law's distribution function: at index i, the probability of at most `first` + i.
pub(super) struct Thresholds {
    pub(super) first: u64,
    pub(super) values: Vec<Fixed>,
}

impl Law {
    /// The thresholds with all values between 2^(−64·depth) and one minus that, whose first `depth` limbs are
    /// right. If there are smaller ones, one of them, as zero, comes before.
    pub(super) fn thresholds(&self, depth: usize) -> Thresholds {
        // Limbs are in doubt if what follows them is as good as zero or one, which more of them settle.
        let mut guard = GUARD;
        loop {
            let (first, sums) = self.cumulated(depth + guard);
            let one = Fixed::whole(1, depth + guard);
            let high =
                |sum: &Fixed| *sum >= one || sum.fraction().iter().take(depth).all(|&limb| limb == u64::MAX);
            let low = |sum: &Fixed| sum.fraction().iter().take(depth).all(|&limb| limb == 0);
            let doubtful = |sum: &Fixed| matches!(sum.fraction().get(depth), None | Some(&0 | &u64::MAX));
            let mut values: Vec<Fixed> = sums.into_iter().take_while(|sum| !high(sum)).collect();
            let half = self.half(first);
            if let Some(half) = half.and_then(|at| values.get_mut(at)) {
                *half = Fixed::half(depth + guard);
            }
            let zeros = values.partition_point(low);
            let mut computed = values.iter().enumerate().skip(zeros).filter(|(at, _)| Some(*at) != half);
            if !computed.any(|(_, sum)| doubtful(sum)) {
                values.drain(..zeros.saturating_sub(1));
                if let (1.., Some(zero)) = (zeros, values.first_mut()) {
                    *zero = Fixed::whole(0, depth + guard);
                }
                return Thresholds { first: first + zeros.saturating_sub(1) as u64, values };
            }
            guard += 1;
        }
    }

    /// The index from `first` at which the distribution function is one half, if it is so exactly: no precision would
    /// settle the limbs after its first.
    fn half(&self, first: u64) -> Option<usize> {
        match *self {
            Self::Centred { offset, grid, .. } if 2 * offset == 1 << grid => Some((MIDDLE - first) as usize),
            _ => None,
        }
    }

    /// The distribution function from the first m on whose weight counts at this precision.
    ///
    /// It is wrong by less than 2^63 units of the last limb. The Gaussians' at most 2^14 weights: the m-th from the
    /// first computed is wrong by at most m²·2^20 units. Poisson's at most 2^18: the m-th from the mode by at most 2m units.
    fn cumulated(&self, limbs: usize) -> (u64, Vec<Fixed>) {
        let (first, weights) = match *self {
            Self::Gaussian { numerator, denominator, doubled } => {
                (0, gaussian(numerator, denominator, doubled, limbs))
            }
            Self::Centred { units, offset, grid } => centred(units, offset, grid, limbs),
            Self::Poisson { numerator, denominator } => poisson(numerator, denominator, limbs),
        };
        let mut sum = Fixed::whole(0, limbs);
        let sums: Vec<Fixed> = weights
            .iter()
            .map(|weight| {
                sum = sum.add(weight);
                sum.clone()
            })
            .collect();
        let whole = sum.reciprocal();
        (first, sums.iter().map(|sum| sum.multiply(&whole)).collect())
    }
}

/// exp(−m²γ) = exp(−(m−1)²γ) · exp(−(2m−1)γ), from 0 on.
fn gaussian(numerator: u64, denominator: u64, doubled: bool, limbs: usize) -> Vec<Fixed> {
    let step = Fixed::exp_minus(2 * numerator, denominator, limbs);
    let first = Fixed::exp_minus(numerator, denominator, limbs);
    let count = |weight: Fixed| if doubled { weight.add(&weight) } else { weight };
    std::iter::once(Fixed::whole(1, limbs))
        .chain(falling(first, &step, limbs).into_iter().map(count))
        .collect()
}

/// first, first²·step, first³·step³, …: each is the one before times a ratio that falls by `step`, to the first zero.
fn falling(first: Fixed, step: &Fixed, limbs: usize) -> Vec<Fixed> {
    let (mut weight, mut ratio, nothing) = (Fixed::whole(1, limbs), first, Fixed::whole(0, limbs));
    let mut weights = Vec::new();
    while weight != nothing {
        weight = weight.multiply(&ratio);
        ratio = ratio.multiply(step);
        weights.push(weight.clone());
    }
    weights
}

/// exp(−(y−c)²/2σ²), relative to that of 0: from 0 to either side the ratios are exp(−(1∓2c)/2σ²), and each is
/// exp(−1/σ²) times the one before.
fn centred(units: u64, offset: u64, grid: u32, limbs: usize) -> (u64, Vec<Fixed>) {
    let (one, denominator) = (1u64 << grid, units << grid);
    let step = Fixed::exp_minus(1 << 16, units, limbs);
    let ratio = |distance: u64| Fixed::exp_minus(distance << 15, denominator, limbs);
    let mut weights = falling(ratio(one + 2 * offset), &step, limbs);
    let first = MIDDLE - weights.len() as u64;
    weights.reverse();
    weights.push(Fixed::whole(1, limbs));
    weights.extend(falling(ratio(one - 2 * offset), &step, limbs));
    (first, weights)
}

/// λ^k/k!, relative to the mode's, with the first k.
fn poisson(numerator: u64, denominator: u64, limbs: usize) -> (u64, Vec<Fixed>) {
    let mode = numerator / denominator;
    let nothing = Fixed::whole(0, limbs);
    let mut weights = Vec::new();
    let (mut weight, mut first) = (Fixed::whole(1, limbs), mode);
    // p(k−1) = p(k)·k/λ.
    while first > 0 && weight != nothing {
        weight = weight.scale(first * denominator, numerator);
        weights.push(weight.clone());
        first -= 1;
    }
    weights.reverse();
    let (mut weight, mut k) = (Fixed::whole(1, limbs), mode);
    // p(k+1) = p(k)·λ/(k+1).
    while weight != nothing {
        weights.push(weight.clone());
        k += 1;
        weight = weight.scale(numerator, k * denominator);
    }
    (first, weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first word of the threshold of `m`, as a probability.
    fn at(thresholds: &Thresholds, m: u64) -> f64 {
        let value = thresholds.values.get((m - thresholds.first) as usize);
        value.map_or(1.0, |value| value.fraction()[0] as f64 / f64::exp2(64.0))
    }

    #[test]
    fn poisson_has_its_known_probabilities() {
        for (numerator, denominator) in [(1, 4), (3, 1), (25, 2), (700, 1)] {
            let lambda = numerator as f64 / denominator as f64;
            let thresholds = Law::Poisson { numerator, denominator }.thresholds(4);
            let (mut ln_weight, mut sum) = (-lambda, 0.0);
            for m in 0..(3.0 * lambda) as u64 + 5 {
                sum += f64::exp(ln_weight);
                if m >= thresholds.first {
                    assert!((at(&thresholds, m) - sum).abs() < 1e-11, "{lambda} {m}");
                }
                ln_weight += (lambda / (m + 1) as f64).ln();
            }
        }
    }

    #[test]
    fn centred_laws_have_their_probabilities() {
        for (units, offset, grid) in [(72_254, 0, 9), (72_254, 100, 9), (110_756, 256, 9), (1 << 20, 1, 1)] {
            let (sigma, centre) =
                ((units as f64 / 65536.0).sqrt(), offset as f64 / f64::exp2(f64::from(grid)));
            let weight = |y: i64| (-((y as f64 - centre) / sigma).powi(2) / 2.0).exp();
            let mass: f64 = (-60..=60).map(weight).sum();
            let thresholds = Law::Centred { units, offset, grid }.thresholds(4);
            for y in -30..=30 {
                let expected = (-60..=y).map(weight).sum::<f64>() / mass;
                let m = (MIDDLE as i64 + y) as u64;
                let found = if m < thresholds.first { 0.0 } else { at(&thresholds, m) };
                assert!((found - expected).abs() < 1e-14, "σ² {units} at {centre}: {y} {found} {expected}");
            }
        }
    }

    #[test]
    fn the_middle_of_a_symmetric_law_is_exact() {
        for depth in [1, 2, 5] {
            let thresholds = Law::Centred { units: 90_000, offset: 4, grid: 3 }.thresholds(depth);
            let half = thresholds.values.iter().filter(|value| value.fraction()[0] == 1 << 63);
            assert!(
                half.clone().count() == 1
                    && half.into_iter().all(|half| half.fraction()[1..].iter().all(|&l| l == 0))
            );
        }
    }

    #[test]
    fn far_ends_are_left_out() {
        let short = Law::Poisson { numerator: 5, denominator: 1 }.thresholds(4);
        assert!(short.first == 0 && short.values[0] > Fixed::whole(0, 6));
        let long = Law::Poisson { numerator: 10_000, denominator: 1 }.thresholds(4);
        assert!((7_900..8_500).contains(&long.first), "{}", long.first);
        assert!(long.values[0] == Fixed::whole(0, 6) && long.values[1].fraction()[..4] != [0; 4]);
        assert!(long.values.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
