//! A private vector: real numbers, to which each client adds its share of noise.

use secagg::privacy::ledger::Kind;
use secagg::privacy::{NoiseLaw, Variance};
use serde::{Deserialize, Serialize};

use super::share;

/// One vector of real numbers with noise, beside the plain ones, and what it may give away.
///
/// The guarantee is that of [`secagg::privacy`]: one client's vector against zero, counting the noise of the honest
/// survivors only: `minimum_survivors` less the corrupt clients when the noise is chosen, and the survivors that there
/// are, less the corrupt ones, when a session is accounted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Privacy {
    /// The vector's name.
    #[serde(default = "private")]
    pub name: String,
    /// Which noise.
    #[serde(default)]
    pub mechanism: Mechanism,
    /// The ε that `rounds` sessions may reach at δ with the fewest honest survivors; the noise is chosen for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// Instead of `epsilon`: the noise of the fewest honest survivors together, as a multiple of `clip`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiplier: Option<f64>,
    /// δ, above 0 and below 1.
    pub delta: f64,
    /// Sessions for which `epsilon` must hold together; without it those of the scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<u32>,
    /// Whose view `epsilon` and `budget` limit.
    #[serde(default)]
    pub against: Against,
    /// The ε at δ with which the run ends: a session that could bring it above is not begun. None for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<f64>,
    /// The greatest Euclidean norm of a client's vector.
    #[serde(default = "one")]
    pub clip: f64,
    /// Coordinates, 1 to 2^28; the vector has the next power of two.
    pub dimension: u32,
    /// Bits of a coordinate; without it the fewest whose error, for a given guarantee, is within a twentieth of the
    /// widest ring's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<u8>,
    /// The probability with which one coordinate of the sum may wrap.
    #[serde(default = "four_deviations")]
    pub wrap: f64,
}

/// Which noise each client adds. All that depends on the law is here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    /// The distributed discrete Gaussian (Kairouz, Liu, Steinke 2021).
    #[default]
    Ddg,
    /// Skellam (Agarwal, Kairouz, Liu 2021).
    Skellam,
}

/// Whose view is bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// The server, which knows who takes part.
    #[default]
    Server,
    /// Whoever sees the released sums only.
    Release,
}

impl Mechanism {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Ddg, Self::Skellam];

    /// Its name in scenarios.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ddg => "ddg",
            Self::Skellam => "skellam",
        }
    }

    pub(crate) fn law(self) -> NoiseLaw {
        match self {
            Self::Ddg => NoiseLaw::DiscreteGaussian,
            Self::Skellam => NoiseLaw::Skellam,
        }
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Ddg => Kind::Gaussian,
            Self::Skellam => Kind::Skellam,
        }
    }

    /// The greatest σ of a share that its sampler draws, in integer units.
    pub(crate) fn greatest_sigma(self) -> f64 {
        match self {
            Self::Ddg => Variance::GREATEST.sigma(),
            Self::Skellam => SKELLAM_GREATEST_SIGMA,
        }
    }
}

/// The variance of Skellam noise is below 2^24.
const SKELLAM_GREATEST_SIGMA: f64 = 4096.0;

impl Privacy {
    pub(super) fn check(&self) -> Result<(), String> {
        let above = |field: &str, value: f64| {
            let fine = value.is_finite() && value > 0.0;
            if fine { Ok(()) } else { Err(format!("privacy.{field} = {value}: it must be a number above 0")) }
        };
        match (self.epsilon, self.multiplier) {
            (Some(epsilon), None) => above("epsilon", epsilon)?,
            (None, Some(multiplier)) => above("multiplier", multiplier)?,
            _ => return Err("privacy: give either epsilon or multiplier".to_owned()),
        }
        for (field, value) in [("delta", self.delta), ("wrap", self.wrap)] {
            above(field, value)?;
            share(&format!("privacy.{field}"), value)?;
        }
        above("clip", self.clip)?;
        self.budget.map_or(Ok(()), |budget| above("budget", budget))?;
        if self.rounds == Some(0) {
            return Err("privacy.rounds = 0: there must be at least 1".to_owned());
        }
        if let Some(bits) = self.bits.filter(|bits| !(1..=62).contains(bits)) {
            return Err(format!("privacy.bits = {bits}: it must be 1 to 62"));
        }
        if !(1..=1 << 28).contains(&self.dimension) {
            return Err(format!("privacy.dimension = {}: it must be 1 to 2^28", self.dimension));
        }
        Ok(())
    }
}

fn private() -> String {
    "private".to_owned()
}

fn one() -> f64 {
    1.0
}

/// Of more than four standard deviations.
fn four_deviations() -> f64 {
    6.334e-5
}
