//! Noise in components, of which those that the number of survivors makes superfluous are removed (spec §9.6).

use super::{
    Curve, DistributedGaussian, GaussianNoise, Noise, NoiseLaw, PrivacyError, Sensitivity, Skellam,
    SkellamNoise, Variance,
};

/// More noise of each client, for sums of fewer inputs (spec §9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level {
    /// The level is needed if fewer inputs than this are in the sum.
    pub survivors: u32,
    /// σ² of the share that a client then keeps, in units of 2⁻¹⁶ of the squared integer unit.
    pub variance: u64,
}

/// Draws shares of noise, or of one component.
pub(crate) enum Sampler {
    Gaussian(GaussianNoise),
    Skellam(SkellamNoise),
}

impl Sampler {
    pub(crate) fn draw(&self, seed: &[u8; 32], count: usize) -> Vec<i64> {
        match self {
            Self::Gaussian(sampler) => sampler.draw(seed, count),
            Self::Skellam(sampler) => sampler.draw(seed, count),
        }
    }
}

/// The most levels of a vector.
pub(crate) const MOST_LEVELS: usize = u8::MAX as usize;

impl Noise {
    /// How many components of a client's noise stay in a sum of so many inputs: 1, and one for each level that is needed.
    pub fn kept(&self, survivors: u32) -> usize {
        1 + self.levels.iter().take_while(|level| survivors < level.survivors).count()
    }

    /// Whether a component is superfluous in a sum of so many inputs, so that its seed is disclosed.
    pub(crate) fn has_superfluous(&self, survivors: u32) -> bool {
        self.kept(survivors) <= self.levels.len()
    }

    /// The components of a client's noise, each as noise of its own.
    pub(crate) fn components(&self) -> Vec<Self> {
        let shares = self.shares();
        let before = [0].into_iter().chain(shares.iter().copied());
        shares
            .iter()
            .zip(before)
            .map(|(share, before)| Self {
                variance: share.saturating_sub(before),
                levels: Vec::new(),
                ..*self
            })
            .collect()
    }

    /// Of its first component, which is noise around zero.
    pub(crate) fn sampler(&self) -> Result<Sampler, PrivacyError> {
        let variance = Variance::new(self.variance)?;
        Ok(match self.law {
            NoiseLaw::DiscreteGaussian => Sampler::Gaussian(GaussianNoise::new(variance)),
            NoiseLaw::Skellam => Sampler::Skellam(SkellamNoise::new(variance)?),
            // It is around a vector, and not removed.
            NoiseLaw::Centred => return Err(PrivacyError::NoFractions),
        })
    }

    /// σ² of the first component, of the first two, and so on, in units of 2⁻¹⁶.
    fn shares(&self) -> Vec<u64> {
        [self.variance].into_iter().chain(self.levels.iter().map(|level| level.variance)).collect()
    }

    /// σ² of each component of a client's noise: one if there are no levels.
    ///
    /// # Errors
    /// A component that cannot be drawn.
    pub fn component_variances(&self) -> Result<Vec<Variance>, PrivacyError> {
        self.components().iter().map(|component| Variance::new(component.variance)).collect()
    }

    /// σ² of the noise in a sum to which `shares` clients each left so many components, in units of 2⁻¹⁶.
    pub fn left_of(&self, clients: &[(u32, usize)]) -> u128 {
        let shares = self.shares();
        let of = |&(clients, kept): &(u32, usize)| {
            let share = kept.checked_sub(1).and_then(|last| shares.get(last)).copied().unwrap_or_default();
            u128::from(clients) * u128::from(share)
        };
        clients.iter().map(of).sum()
    }

    /// What one release gives away against the server if the components that it does not know are those of so many
    /// clients, each of so many components.
    ///
    /// # Errors
    /// No component; parameters for which there is no guarantee.
    pub fn curve_of(&self, clients: &[(u32, usize)]) -> Result<Curve, PrivacyError> {
        // Centred noise has none.
        if self.levels.is_empty() || self.law == NoiseLaw::Centred {
            return self.curve(clients.iter().map(|(clients, _)| clients).sum());
        }
        let sensitivity = Sensitivity::new(self.norm(), self.padded())?;
        Ok(match self.law {
            NoiseLaw::DiscreteGaussian => {
                let mut sigmas = Vec::new();
                for (at, component) in self.component_variances()?.iter().enumerate() {
                    let with = clients.iter().filter(|(_, kept)| *kept > at).map(|(clients, _)| clients);
                    sigmas.push((with.sum(), component.sigma()));
                }
                Curve::of(&DistributedGaussian::grouped(&sigmas, sensitivity)?)
            }
            NoiseLaw::Skellam | NoiseLaw::Centred => {
                let variance = self.left_of(clients) as f64 / Variance::ONE as f64;
                Curve::of(&Skellam::new(variance, sensitivity)?)
            }
        })
    }

    /// Which rule of spec §9.1 the levels break, in words; no share may be above `greatest`.
    pub(super) fn levels_broken(&self, greatest: u64) -> Option<&'static str> {
        let steps = self.shares();
        let ascend = |pair: &[u64]| matches!(pair, [one, next] if next.saturating_sub(*one) >= Variance::LEAST.units());
        let descend = |pair: &[Level]| matches!(pair, [one, next] if next.survivors < one.survivors);
        let rules = [
            (self.levels.is_empty() || self.law != NoiseLaw::Centred, "centred noise has no levels"),
            (self.levels.len() <= MOST_LEVELS, "there are at most 255 levels"),
            (self.levels.windows(2).all(descend), "the survivors of the levels must descend"),
            (steps.windows(2).all(ascend), "σ² of the levels must ascend in steps of at least 1/4"),
            (
                steps.iter().all(|share| *share <= greatest),
                "σ² of the last level must be at most 2^44, or 2^24 with Skellam noise",
            ),
        ];
        rules.iter().find(|(holds, _)| !holds).map(|(_, says)| *says)
    }
}
