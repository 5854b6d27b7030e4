//! What clients and server agree on for a vector with noise: its part of a configuration (spec §9).

use std::fmt;

use zeroize::Zeroizing;

use super::codec::Steps;
use super::{
    CentredEncoding, CentredGaussian, CentredNoise, Curve, DistributedGaussian, Encoding, Level,
    PrivacyError, Rotation, Sensitivity, Skellam, SkellamNoise, Variance,
    centred_noise::{self, GREATEST_GRID},
    round::{self, GRID_BITS},
};

/// The law of the noise that each client adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum NoiseLaw {
    /// The distributed discrete Gaussian.
    DiscreteGaussian = 1,
    /// Skellam.
    Skellam = 2,
    /// The centred discrete Gaussian, drawn around the vector. **Experimental**: its proof, `spec/centred.md`, has had no
    /// reader outside of this project.
    Centred = 3,
}

impl NoiseLaw {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::DiscreteGaussian, Self::Skellam, Self::Centred];

    /// Whether its guarantee is this project's own claim, which nobody outside has reviewed.
    pub fn is_experimental(self) -> bool {
        self == Self::Centred
    }
}

impl fmt::Display for NoiseLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DiscreteGaussian => "discrete gaussian",
            Self::Skellam => "skellam",
            Self::Centred => "centred discrete gaussian",
        })
    }
}

/// How real vectors are brought into the ring of a vector, and the noise that each client adds (spec §9.1).
///
/// Both reals are held as the bits of a binary64, as they are on the wire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Noise {
    /// The law of a client's share.
    pub law: NoiseLaw,
    /// Coordinates of a client's real vector, 1 to 2^28. The vector of the session has the next power of two.
    pub dimension: u32,
    /// Bits of the greatest Euclidean norm of a client's vector, in real units.
    pub clip: u64,
    /// Bits of the factor from real to integer units.
    pub scale: u64,
    /// The greatest sum of squares of a rounded vector, in squared integer units; in units of 2⁻²⁴ of them with centred
    /// noise, whose vectors are rounded to fractions.
    pub norm_squared: u64,
    /// σ² of a client's share, in units of 2⁻¹⁶ of the squared integer unit; with levels of its first component.
    pub variance: u64,
    /// More noise for fewer survivors, which is removed if it turns out to be superfluous (spec §9.6): with ever fewer
    /// survivors and ever greater shares. Empty if all noise stays.
    pub levels: Vec<Level>,
}

/// The bits of the least and of the first too great positive normal binary64.
const NORMAL: std::ops::Range<u64> = 1 << 52..0x7ff << 52;

/// σ² of centred noise at the floor of its theorem: 1.05² in units of 2⁻¹⁶, rounded up.
const LEAST_CENTRED: u64 = 72_254;

/// Shares beyond which more are not counted, so that no configuration makes counting long: more noise is no worse.
const COUNTED_SHARES: u32 = 1 << 20;

impl Noise {
    /// Of an encoding that has been chosen.
    ///
    /// # Errors
    /// An encoding whose noise cannot be drawn, or whose squared norm bound is 2^64 or more; centred noise, which is
    /// [`Noise::centred`]'s.
    pub fn of(law: NoiseLaw, encoding: &Encoding) -> Result<Self, PrivacyError> {
        if law == NoiseLaw::Centred {
            return Err(PrivacyError::NoFractions);
        }
        let squared = encoding.greatest_sum_of_squares()?;
        let norm_squared = u64::try_from(squared).map_err(|_| PrivacyError::OutOfRange {
            what: "the square of the norm bound",
            found: squared as f64,
            range: "below 2^64: take fewer bits or a limit to the scale",
        })?;
        let variance = encoding.variance()?;
        if law == NoiseLaw::Skellam {
            SkellamNoise::admits(variance)?;
        }
        Ok(Self {
            law,
            dimension: encoding.task().dimension,
            clip: encoding.task().clip.to_bits(),
            scale: encoding.scale().to_bits(),
            norm_squared,
            variance: variance.units(),
            levels: Vec::new(),
        })
    }

    /// Centred noise, of an encoding that has been chosen. **Experimental.**
    ///
    /// # Errors
    /// An encoding whose noise cannot be drawn, or whose squared norm bound is 2^40 or more.
    pub fn centred(encoding: &CentredEncoding) -> Result<Self, PrivacyError> {
        Ok(Self {
            law: NoiseLaw::Centred,
            dimension: encoding.task().dimension,
            clip: encoding.task().clip.to_bits(),
            scale: encoding.scale().to_bits(),
            norm_squared: encoding.norm_squared_units()?,
            variance: encoding.variance()?.units(),
            levels: Vec::new(),
        })
    }

    /// The greatest Euclidean norm of a client's vector, in real units.
    pub fn clip(&self) -> f64 {
        f64::from_bits(self.clip)
    }

    /// The factor from real to integer units.
    pub fn scale(&self) -> f64 {
        f64::from_bits(self.scale)
    }

    /// Bits of fraction f of a rounded vector's coordinates, which are multiples of 2^−f integer units: 0 to 12, and 0 but
    /// for centred noise (spec §9.1).
    pub fn fraction_bits(&self) -> u32 {
        match self.law {
            NoiseLaw::Centred => centred_noise::fraction_bits(self.norm_squared, self.padded().into()),
            NoiseLaw::DiscreteGaussian | NoiseLaw::Skellam => 0,
        }
    }

    /// The greatest Euclidean norm of a rounded vector, in integer units: what one client can change the sum by.
    pub fn norm(&self) -> f64 {
        (self.greatest() as f64).sqrt() / f64::from(1u32 << self.fraction_bits())
    }

    /// The greatest sum of squares of a rounded vector, in units of 4^−f squared integer units.
    fn greatest(&self) -> u64 {
        match self.law {
            NoiseLaw::Centred => self.norm_squared >> (2 * (GREATEST_GRID - self.fraction_bits())),
            NoiseLaw::DiscreteGaussian | NoiseLaw::Skellam => self.norm_squared,
        }
    }

    /// Coordinates after padding; a configuration that keeps the rules has no dimension that would overflow.
    pub(super) fn padded(&self) -> u32 {
        self.dimension.checked_next_power_of_two().unwrap_or(u32::MAX)
    }

    /// What one release gives away against the server, with `shares` shares of noise in the sum that it does not know;
    /// with levels, shares of which the first component only is counted.
    ///
    /// # Errors
    /// No share; parameters for which there is no guarantee.
    pub fn curve(&self, shares: u32) -> Result<Curve, PrivacyError> {
        let shares = shares.min(COUNTED_SHARES);
        let variance = Variance::new(self.variance)?;
        let (norm, padded) = (self.norm(), self.padded());
        let sensitivity = match self.law {
            NoiseLaw::DiscreteGaussian | NoiseLaw::Skellam => Sensitivity::new(norm, padded)?,
            NoiseLaw::Centred => Sensitivity::of_reals(norm, padded)?,
        };
        Ok(match self.law {
            NoiseLaw::DiscreteGaussian => {
                Curve::of(&DistributedGaussian::new(shares, variance.sigma(), sensitivity)?)
            }
            NoiseLaw::Skellam => {
                let of_one = self.variance as f64 / Variance::ONE as f64;
                Curve::of(&Skellam::new(of_one * f64::from(shares), sensitivity)?)
            }
            // The theorem's ζ at so many shares holds for every greater number: what more clients add is independent.
            NoiseLaw::Centred => Curve::of(&CentredGaussian::new(shares, variance.sigma(), sensitivity)?),
        })
    }

    /// Whether a rounding of every clipped vector is within the norm bound with a probability of 1 in 100 or more, by the
    /// bound of Kairouz, Liu and Steinke 2021; and whether all that is computed on the way is finite.
    ///
    /// Without it whether a rounding is found, which the server sees, would depend on the client's vector.
    pub fn has_room(&self) -> bool {
        let unit = f64::from(1u32 << self.fraction_bits());
        let (clip, root) = (self.clip() * self.scale() * unit, f64::from(self.padded()).sqrt());
        let likely = clip * clip + root * root / 4.0 + (-2.0 * 0.99f64.ln()).sqrt() * (clip + root / 2.0);
        let bound = (clip + root).powi(2).min(likely);
        (self.scale() * unit * f64::from(1u32 << GRID_BITS)).is_finite()
            && bound.floor() <= self.greatest() as f64
    }

    /// Which rule of spec §9.1 the parameters of a vector of this `length` break, in words.
    pub(crate) fn broken(&self, length: u32) -> Option<&'static str> {
        let variances = match self.law {
            NoiseLaw::DiscreteGaussian => 1 << 14..=1 << 60,
            NoiseLaw::Skellam => 1 << 14..=1 << 40,
            NoiseLaw::Centred => LEAST_CENTRED..=1 << 22,
        };
        let rules = [
            ((1..=1 << 28).contains(&self.dimension), "the dimension must be 1 to 2^28"),
            (
                self.dimension.checked_next_power_of_two() == Some(length),
                "the length must be the least power of two that is not below the dimension",
            ),
            (NORMAL.contains(&self.clip), "the clip must be positive, finite and not subnormal"),
            (NORMAL.contains(&self.scale), "the scale must be positive, finite and not subnormal"),
            (self.norm_squared >= 1, "the squared norm bound must be at least 1"),
            (
                variances.contains(&self.variance),
                "σ² must be at least 1/4 and at most 2^44, or 2^24 with Skellam noise; 1.05² to 64 with centred noise",
            ),
        ];
        let broken = rules.iter().find(|(holds, _)| !holds).map(|(_, says)| *says);
        broken.or_else(|| self.levels_broken(*variances.end()))
    }

    /// A share of noise for every coordinate of the session's vector, with levels its first component; or what draws it
    /// around the vector (spec §9.3).
    pub(crate) fn prepare(&self, seed: &[u8; 32], count: usize) -> Result<Prepared, PrivacyError> {
        if self.law == NoiseLaw::Centred {
            let variance = Variance::new(self.variance)?;
            return CentredNoise::new(variance, self.fraction_bits()).map(Prepared::Around);
        }
        Ok(Prepared::Drawn(Zeroizing::new(self.sampler()?.draw(seed, count))))
    }

    /// A client's ring elements for its real vector (spec §9.2).
    pub(crate) fn encode(
        &self,
        bits: u8,
        vector: &[f64],
        rotation: [u8; 32],
        share: (&[u8; 32], &Prepared),
    ) -> Result<Vec<u64>, PrivacyError> {
        let steps = self.steps(bits, self.fraction_bits());
        let grid = Zeroizing::new(steps.grid(vector, &Rotation::new(rotation))?);
        self.encode_grid(bits, &grid, share)
    }

    /// The ring elements for coordinates on the input grid: the steps that are the same in every implementation.
    pub(crate) fn encode_grid(
        &self,
        bits: u8,
        grid: &[i64],
        (seed, noise): (&[u8; 32], &Prepared),
    ) -> Result<Vec<u64>, PrivacyError> {
        let steps = self.steps(bits, self.fraction_bits());
        match noise {
            Prepared::Drawn(noise) => steps.ring(grid, noise, seed),
            Prepared::Around(noise) => steps.ring_around(grid, noise, seed),
        }
    }

    /// The real vector for a sum (spec §9.2).
    pub(crate) fn decode(&self, bits: u8, sum: &[u64], rotation: [u8; 32]) -> Result<Vec<f64>, PrivacyError> {
        self.steps(bits, 0).real(sum, &Rotation::new(rotation))
    }

    /// From real to units of 2^−`fraction_bits` integer units, or back.
    fn steps(&self, bits: u8, fraction_bits: u32) -> Steps {
        Steps {
            dimension: self.dimension,
            padded: self.padded(),
            clip: self.clip(),
            scale: self.scale() * f64::from(1u32 << fraction_bits),
            greatest: self.greatest().into(),
            bits,
        }
    }
}

/// What a client has of a vector's noise before it looks at the vector.
pub(crate) enum Prepared {
    /// Noise around zero, a share for every coordinate.
    Drawn(Zeroizing<Vec<i64>>),
    /// The sampler of noise around the coordinates.
    Around(CentredNoise),
}

/// Rounds a vector on the input grid (spec §9.2), for the vectors of the specification.
pub(crate) fn rounded(grid: &[i64], greatest: u64, seed: &[u8; 32]) -> Result<Vec<i64>, PrivacyError> {
    round::conditionally(grid, greatest.into(), seed)
}

/// Adds noise modulo 2^bits (spec §9.2).
pub(crate) fn wrapped(rounded: &[i64], noise: &[i64], bits: u8) -> Vec<u64> {
    round::wrap(rounded, noise, bits)
}

/// The representative nearest to zero (spec §9.2).
pub(crate) fn centred(element: u64, bits: u8) -> i64 {
    round::centre(element, bits)
}

#[cfg(test)]
mod tests {
    use super::super::Task;
    use super::*;

    fn encoding(bits: u8) -> Encoding {
        let task = Task {
            clients: 50,
            bits,
            clip: 2.0,
            dimension: 100,
            beta: 0.6,
            wrap: 1e-6,
            greatest_scale: None,
        };
        Encoding::with_multiplier(task, 1.0).unwrap()
    }

    #[test]
    fn what_was_chosen_is_what_is_agreed_on() {
        let encoding = encoding(16);
        let noise = Noise::of(NoiseLaw::DiscreteGaussian, &encoding).unwrap();
        assert_eq!(noise.broken(128), None);
        assert_eq!((noise.clip(), noise.scale()), (2.0, encoding.scale()));
        assert!(noise.has_room());
        let curve = noise.curve(50).unwrap().epsilon(1e-5).unwrap().epsilon;
        let planned =
            DistributedGaussian::new(50, encoding.sigma(), encoding.sensitivity().unwrap()).unwrap();
        let planned = Curve::of(&planned).epsilon(1e-5).unwrap().epsilon;
        assert!(curve <= planned && curve > planned * 0.99, "{curve} {planned}");
        // Fewer shares are less noise, and none is no guarantee.
        assert!(noise.curve(25).unwrap().epsilon(1e-5).unwrap().epsilon > planned * 1.3);
        assert!(noise.curve(0).is_err());
    }

    fn centred(multiplier: f64) -> CentredEncoding {
        let task = Task { clients: 50, bits: 12, ..*encoding(16).task() };
        CentredEncoding::with_multiplier(task, multiplier).unwrap()
    }

    #[test]
    fn a_centred_encoding_is_agreed_on_with_its_grid() {
        for multiplier in [0.5, 1.0, 10.0] {
            let encoding = centred(multiplier);
            let noise = Noise::centred(&encoding).unwrap();
            assert_eq!((noise.broken(128), noise.fraction_bits()), (None, encoding.grid()));
            assert!(noise.has_room() && noise.norm().powi(2) <= encoding.norm_squared());
            let curve = noise.curve(50).unwrap().epsilon(1e-5).unwrap().epsilon;
            let sensitivity = encoding.sensitivity().unwrap();
            let planned = CentredGaussian::new(50, encoding.variance().unwrap().sigma(), sensitivity);
            let planned = Curve::of(&planned.unwrap()).epsilon(1e-5).unwrap().epsilon;
            assert!(curve <= planned && curve > planned * 0.999, "{curve} {planned}");
            assert!(
                noise.curve(25).unwrap().epsilon(1e-5).unwrap().epsilon > planned && noise.curve(0).is_err()
            );
        }
        assert_eq!(Noise::of(NoiseLaw::Centred, &encoding(16)), Err(PrivacyError::NoFractions));
        let long = Task { bits: 60, clip: 1e9, greatest_scale: Some(1.0), ..*encoding(16).task() };
        let refused = Noise::centred(&CentredEncoding::with_multiplier(long, 1e-8).unwrap()).unwrap_err();
        assert!(refused.to_string().contains("below 2^40"), "{refused}");
    }

    #[test]
    fn centred_noise_below_the_theorems_floor_is_broken_and_gives_no_guarantee() {
        assert_eq!(Variance::at_least(crate::privacy::LEAST_CENTRED_SIGMA).unwrap().units(), LEAST_CENTRED);
        let noise = Noise::centred(&centred(1.0)).unwrap();
        let of = |variance| Noise { variance, ..noise.clone() };
        for (variance, holds) in
            [(LEAST_CENTRED - 1, false), (LEAST_CENTRED, true), (1 << 22, true), ((1 << 22) + 1, false)]
        {
            assert_eq!(of(variance).broken(128).is_none(), holds, "{variance}");
            assert!(!holds || of(variance).prepare(&[1; 32], 4).is_ok());
        }
        assert!(of(LEAST_CENTRED - 1).curve(50).is_err());
        // What hides the roundings of a vector must never be removed.
        let levels = vec![Level { survivors: 40, variance: 1 << 20 }];
        assert_eq!(Noise { levels, ..noise }.broken(128), Some("centred noise has no levels"));
    }

    #[test]
    fn what_cannot_be_agreed_on_is_refused() {
        let beyond = Noise::of(NoiseLaw::DiscreteGaussian, &encoding(50)).unwrap_err();
        assert!(beyond.to_string().contains("below 2^64"), "{beyond}");
        assert!(Noise::of(NoiseLaw::Skellam, &encoding(24)).is_err());
        let small = Noise { norm_squared: 3, ..Noise::of(NoiseLaw::Skellam, &encoding(12)).unwrap() };
        assert!(!small.has_room());
    }
}
