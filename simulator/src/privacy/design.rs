//! From a target to noise, scale and width: the choice that `secagg privacy plan` makes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use secagg::VectorSpec;
use secagg::privacy::ledger::{Release, Sampling};
use secagg::privacy::{Curve, Encoding, Gaussian, Noise, PrivacyError, Task, Variance};

use crate::scenario::{Against, Availability, Mechanism, Privacy, Scenario, ScenarioError};

/// By how much the error of the chosen width may exceed that of the widest.
const EXCESS: f64 = 0.05;
/// How far the greatest noise that a sampler draws is kept above what will be needed.
const HEADROOM: f64 = 2.5;
/// The widths to choose from: beyond, the ring is finer than any sampler.
const CHOICE: std::ops::RangeInclusive<u8> = 1..=40;
/// The widths that a figure shows.
const WIDTHS: std::ops::RangeInclusive<u8> = 6..=20;

/// A private vector as its sessions have it.
#[derive(Clone, Debug)]
pub(crate) struct Design {
    mechanism: Mechanism,
    encoding: Encoding,
    pub(crate) noise: Noise,
    sampling: Sampling,
    /// The vector of the session.
    pub(crate) spec: VectorSpec,
    /// The fewest honest shares of noise in a sum.
    pub(crate) fewest: u32,
    /// The error of the central Gaussian with the same guarantee: of a coordinate of the sum, in real units.
    pub(crate) central: f64,
}

/// What a design is made from.
#[derive(Clone, Copy, Debug)]
struct Question<'a> {
    privacy: &'a Privacy,
    mechanism: Mechanism,
    clients: u32,
    fewest: u32,
    rounds: u32,
    sampling: Sampling,
    /// Noise of the central Gaussian over the clip; 0 until it is computed.
    central: f64,
}

/// Designs by their questions: a scenario is asked when it is read, weighed and run, and the points of a sweep mostly
/// ask the same.
static KNOWN: Mutex<BTreeMap<String, Design>> = Mutex::new(BTreeMap::new());
/// When there are so many, all are forgotten.
const MOST_KNOWN: usize = 1 << 15;

impl Design {
    /// The design of a scenario's private vector, if it has one.
    ///
    /// # Errors
    /// No honest survivor is certain, or no noise meets the target.
    pub(crate) fn of(scenario: &Scenario) -> Result<Option<Self>, ScenarioError> {
        let Some(privacy) = &scenario.privacy else { return Ok(None) };
        let question = Question::of(scenario, privacy, privacy.mechanism)?;
        if let Some(design) = known().get(&question.key()) {
            return Ok(Some(design.clone()));
        }
        let design = question.answer()?;
        // Whoever has been told the bits asks with them.
        let told = Privacy { bits: Some(design.spec.bits), ..privacy.clone() };
        let again = Question { privacy: &told, ..question };
        let mut known = known();
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.extend([question, again].map(|question| (question.key(), design.clone())));
        Ok(Some(design))
    }

    /// What a session releases with so many honest shares of noise in its sum.
    pub(crate) fn release(&self, shares: u32) -> Result<Release, PrivacyError> {
        release(self.mechanism, &self.noise, shares, self.sampling)
    }

    /// The error to be expected of a coordinate of the decoded sum of so many survivors, in real units: the root of the
    /// mean square.
    pub(crate) fn error(&self, survivors: u32) -> f64 {
        let variance = self.noise.variance as f64 / Variance::ONE as f64;
        self.encoding.expected_error(survivors, variance)
    }
}

impl<'a> Question<'a> {
    fn of(scenario: &Scenario, privacy: &'a Privacy, mechanism: Mechanism) -> Result<Self, ScenarioError> {
        let (clients, minimum) = (scenario.clients, scenario.minimum_survivors);
        let corrupt = scenario.corrupt_of(clients)?;
        let fewest = minimum.saturating_sub(corrupt);
        if fewest == 0 {
            return Err(ScenarioError::Impossible(format!(
                "minimum_survivors = {minimum}: {corrupt} of {clients} clients may be corrupt, which leaves no honest \
                 share of noise; privacy needs at least {}",
                corrupt + 1
            )));
        }
        let sampling = match (scenario.population, &scenario.availability) {
            (Some(population), Availability::Always) => {
                Sampling::Fixed { cohort: clients * scenario.cohorts, population }
            }
            _ => Sampling::All,
        };
        let rounds = privacy.rounds.unwrap_or(scenario.sessions);
        Ok(Self { privacy, mechanism, clients, fewest, rounds, sampling, central: 0.0 })
    }

    /// All that the answer depends on; a number's shortest decimal is its own.
    fn key(&self) -> String {
        format!("{self:?}")
    }

    /// With the central Gaussian's noise.
    fn solved(self) -> Result<Self, ScenarioError> {
        Ok(Self { central: self.central().map_err(refused)?, ..self })
    }

    fn answer(self) -> Result<Design, ScenarioError> {
        let question = self.solved()?;
        match self.privacy.bits {
            None => question.choose().map_err(refused),
            Some(bits) => question.design(bits).map_err(|error| {
                ScenarioError::Impossible(format!(
                    "privacy.bits = {bits}: {error}; without bits they are chosen"
                ))
            }),
        }
    }

    /// The ε that the scenario limits, of all rounds, if one gives away what these curves say.
    fn target(&self, (server, public): &(Curve, Curve)) -> Result<f64, PrivacyError> {
        let curve = match self.privacy.against {
            Against::Server => server,
            Against::Release => public,
        };
        Ok(curve.times(self.rounds).epsilon(self.privacy.delta)?.epsilon)
    }

    /// The sampling, where the target depends on it: without it curves are quicker.
    fn sampling_that_counts(&self) -> Sampling {
        match self.privacy.against {
            Against::Server => Sampling::All,
            Against::Release => self.sampling,
        }
    }

    /// The multiplier of the central Gaussian that meets the target.
    fn central(&self) -> Result<f64, PrivacyError> {
        let Some(target) = self.privacy.epsilon else {
            return Ok(self.privacy.multiplier.unwrap_or_default());
        };
        let curves = |multiplier: f64| {
            let one = Gaussian::new(multiplier)?;
            let public = match self.sampling_that_counts() {
                Sampling::Fixed { cohort, population } => {
                    Curve::fixed_size(&one, &Gaussian::new(multiplier / 2.0)?, cohort, population)?
                }
                _ => Curve::of(&one),
            };
            Ok((Curve::of(&one), public))
        };
        let (mut low, mut high) = ((-20.0f64).exp2(), 40.0f64.exp2());
        // In the exponent first: the ends are eighteen orders of magnitude apart.
        for step in 0..60 {
            let middle = if step < 10 { (low * high).sqrt() } else { f64::midpoint(low, high) };
            if self.target(&curves(middle)?)? <= target { high = middle } else { low = middle }
        }
        Ok(high)
    }

    /// The design with the least noise that meets the target with so many bits.
    fn design(&self, bits: u8) -> Result<Design, PrivacyError> {
        let privacy = self.privacy;
        let share = self.central * privacy.clip / f64::from(self.fewest).sqrt();
        // Finer than the sampler draws is of no use, and the squared norm bound must stay below 2^64.
        let drawn = self.mechanism.greatest_sigma() / (HEADROOM * share);
        let task = Task {
            clients: self.clients,
            bits,
            clip: privacy.clip,
            dimension: privacy.dimension,
            beta: (-0.5f64).exp(),
            wrap: privacy.wrap,
            greatest_scale: Some(drawn.min(31.0f64.exp2() / privacy.clip)),
        };
        let law = self.mechanism.law();
        let epsilon = |encoding: &Encoding| {
            let noise = Noise::of(law, encoding)?;
            let one = release(self.mechanism, &noise, self.fewest, self.sampling_that_counts())?;
            self.target(&one.curves()?)
        };
        let encoding = match privacy.epsilon {
            Some(target) => Encoding::calibrate(task, target, epsilon)?,
            None => Encoding::new(task, share)?,
        };
        let noise = Noise::of(law, &encoding)?;
        // Noise below the floor of its theorem has no guarantee.
        release(self.mechanism, &noise, self.fewest, Sampling::All)?.curves()?;
        Ok(Design {
            mechanism: self.mechanism,
            encoding,
            noise,
            sampling: self.sampling,
            spec: VectorSpec::with_noise(&privacy.name, law, &encoding)?,
            fewest: self.fewest,
            central: self.central * privacy.clip,
        })
    }

    /// The error, for a given guarantee: where the noise is given, roundings weaken the guarantee instead.
    fn cost(&self, design: &Design) -> f64 {
        let norm = (design.noise.norm_squared as f64).sqrt() / design.noise.scale();
        let weaker = if self.privacy.epsilon.is_some() { 1.0 } else { norm };
        design.error(self.clients) * weaker
    }

    /// The fewest bits whose cost exceeds that of the widest ring by at most a twentieth.
    fn choose(&self) -> Result<Design, PrivacyError> {
        let (mut low, mut high) = CHOICE.into_inner();
        let mut chosen = self.design(high)?;
        let enough = self.cost(&chosen) * (1.0 + EXCESS);
        // Errors fall with the width: bits that are too few for the target are a limiting case.
        while low < high {
            let middle = u8::midpoint(low, high);
            match self.design(middle) {
                Ok(design) if self.cost(&design) <= enough => (chosen, high) = (design, middle),
                _ => low = middle + 1,
            }
        }
        Ok(chosen)
    }
}

/// Errors of a coordinate of the sum of all clients against the bits of a coordinate.
pub(crate) struct Figure {
    /// For each mechanism, bits and error where the target can be met.
    pub(crate) lines: Vec<(Mechanism, Vec<(f64, f64)>)>,
    /// The central Gaussian's error.
    pub(crate) central: f64,
}

/// The figure of a scenario's private vector, if it has one that can be.
pub(crate) fn figure(scenario: &Scenario) -> Option<Figure> {
    let privacy = scenario.privacy.as_ref()?;
    let mut figure = Figure { lines: Vec::new(), central: 0.0 };
    for mechanism in Mechanism::ALL {
        let question = Question::of(scenario, privacy, mechanism).ok()?.solved().ok()?;
        let point = |bits: u8| Some((f64::from(bits), question.design(bits).ok()?.error(scenario.clients)));
        figure.lines.push((mechanism, WIDTHS.filter_map(point).collect()));
        figure.central = question.central * privacy.clip;
    }
    Some(figure)
}

/// A design that a panic has left behind is whole: it is put there in one piece.
fn known() -> MutexGuard<'static, BTreeMap<String, Design>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn release(
    mechanism: Mechanism,
    noise: &Noise,
    shares: u32,
    sampling: Sampling,
) -> Result<Release, PrivacyError> {
    Ok(Release {
        kind: mechanism.kind(),
        shares: vec![(shares, Variance::new(noise.variance)?)],
        norm: (noise.norm_squared as f64).sqrt(),
        dimension: noise.dimension.next_power_of_two(),
        sampling,
    })
}

fn refused(error: PrivacyError) -> ScenarioError {
    ScenarioError::Impossible(format!("privacy: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(more: &str) -> Scenario {
        let text = format!(
            "clients = 77\nminimum_survivors = 60\ngraph = {{ kind = \"regular\", degree = 10 }}\n\
             privacy = {{ multiplier = 4.125, delta = 1e-5, dimension = 33 }}\n{more}"
        );
        Scenario::parse(&text, "test").unwrap()
    }

    #[test]
    fn a_design_is_made_once_for_all_that_ask_the_same() {
        let question = |scenario: &Scenario| {
            let privacy = scenario.privacy.clone().unwrap();
            Question::of(scenario, &privacy, privacy.mechanism).unwrap().key()
        };
        let one = scenario("");
        // Reading it has chosen the bits, and whoever asks with them is answered.
        let design = known().get(&question(&one)).cloned().unwrap();
        let privacy = one.privacy.clone().unwrap();
        assert_eq!(privacy.bits, Some(design.spec.bits));
        let anew = Question::of(&one, &privacy, privacy.mechanism).unwrap().answer().unwrap();
        assert_eq!(format!("{anew:?}"), format!("{design:?}"));
        // What has nothing to do with noise asks the same, all else another.
        assert_eq!(
            question(&scenario("seed = 5\nfaults.dropouts = [{ probability = 0.1 }]")),
            question(&one)
        );
        for other in ["sessions = 2", "corrupt = 0.1", "population = 100"] {
            assert_ne!(question(&scenario(other)), question(&one));
        }
    }
}
