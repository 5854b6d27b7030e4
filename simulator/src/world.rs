//! A scenario made ready: tables and numbers instead of descriptions.

use secagg::Round;

use crate::distribution::Quantiles;
use crate::draw::{Draws, Purpose, Share};
use crate::link::Link;
use crate::privacy::Design;
use crate::scenario::{Moment, Scenario, ScenarioError};
use crate::{Calibration, Profile};

/// What holds for all sessions of a run.
pub(crate) struct World {
    pub(crate) scenario: Scenario,
    /// Of the private vector, if there is one.
    pub(crate) design: Option<Design>,
    pub(crate) server: Profile,
    pub(crate) classes: Vec<Class>,
    /// From the clients to the server.
    pub(crate) up: Link,
    /// From the server to the clients.
    pub(crate) down: Link,
    pub(crate) up_levels: Quantiles,
    pub(crate) down_levels: Quantiles,
    pub(crate) latency: Quantiles,
    pub(crate) loss: Quantiles,
    /// Nanoseconds from a device to the server or back by its latency, if nothing is ever lost.
    pub(crate) ways: Option<Vec<u64>>,
    pub(crate) training: Quantiles,
    /// Nanoseconds.
    pub(crate) tick: u64,
    /// Nanoseconds.
    pub(crate) silence: u64,
}

/// A kind of clients.
pub(crate) struct Class {
    pub(crate) name: String,
    pub(crate) profile: Profile,
    pub(crate) factor: Quantiles,
    /// Share of the clients that are of this kind or of one before it.
    pub(crate) until: f64,
}

/// A dropout rule as it applies to one round.
pub(crate) struct Rule {
    pub(crate) lot: Draws,
    pub(crate) probability: Share,
    pub(crate) moment: Moment,
}

impl World {
    /// Makes a scenario ready.
    ///
    /// # Errors
    /// A number of the scenario cannot work, or the calibration lacks a profile.
    pub(crate) fn new(scenario: Scenario, calibration: &Calibration) -> Result<Self, ScenarioError> {
        let design = scenario.designed()?;
        let profile = |name: &String| {
            calibration.profiles.get(name).cloned().ok_or_else(|| {
                let known: Vec<&str> = calibration.profiles.keys().map(String::as_str).collect();
                let known = known.join(", ");
                ScenarioError::Impossible(format!("the calibration has no profile {name:?}, but {known}"))
            })
        };
        let server = profile(&scenario.compute.server)?;
        let total: f64 = scenario.compute.classes.iter().map(|class| class.weight).sum();
        let mut seen = 0.0;
        let mut classes = Vec::new();
        for class in &scenario.compute.classes {
            seen += class.weight / total;
            let (name, factor) = (class.name.clone(), class.factor.quantiles());
            classes.push(Class { name, profile: profile(&class.profile)?, factor, until: seen });
        }
        let network = &scenario.network;
        let (up_levels, down_levels) = (network.up.levels(), network.down.levels());
        let link = |capacity: Option<f64>, levels: &Quantiles| {
            let caps = levels.values().iter().map(|bits| bits / 8.0).collect();
            Link::new(capacity.map(|bits| bits / 8.0), caps, nanoseconds(network.tick))
        };
        let (latency, loss) = (network.latency.quantiles(), network.loss.levels());
        let lossless = loss.values().iter().all(|loss| *loss == 0.0);
        Ok(Self {
            ways: lossless.then(|| latency.values().iter().map(|way| nanoseconds(*way)).collect()),
            server,
            classes,
            up: link(network.server_down, &up_levels),
            down: link(network.server_up, &down_levels),
            up_levels,
            down_levels,
            latency,
            loss,
            training: scenario.compute.training.quantiles(),
            tick: nanoseconds(network.tick),
            silence: nanoseconds(network.silence),
            scenario,
            design,
        })
    }

    /// The dropout rules of a round, in the scenario's order.
    pub(crate) fn rules(&self, session: u64, round: Round, rounds: usize) -> Vec<Rule> {
        let rules = self.scenario.faults.dropouts.iter().enumerate();
        let rule = |(at, rule): (usize, &crate::scenario::Dropout)| {
            let probability = match rule.round {
                Some(name) if Round::from(name) == round => rule.probability,
                Some(_) => return None,
                None => rule.probability / rounds as f64,
            };
            let lot = self.draws(session, Purpose::Fate, (at as u64) << 8 | round as u64);
            Some(Rule { lot, probability: Share::new(probability), moment: rule.moment })
        };
        rules.filter_map(rule).collect()
    }

    pub(crate) fn draws(&self, session: u64, purpose: Purpose, salt: u64) -> Draws {
        Draws::new(self.scenario.seed, session, purpose, salt)
    }

    /// Bytes per second that an answer has at most while so many clients all answer, by the client's own rate.
    pub(crate) fn rates(&self, clients: u32) -> Vec<f64> {
        let share = self.scenario.network.server_down.map_or(f64::INFINITY, |bits| bits / 8.0);
        let share = share / f64::from(clients);
        self.up_levels.values().iter().map(|bits| share.min(bits / 8.0)).collect()
    }

    /// Bytes on the wire, without losses, of a message of so many bytes.
    #[inline]
    pub(crate) fn wire(&self, message: u64) -> u64 {
        let network = &self.scenario.network;
        let framed = message + u64::from(network.frame);
        framed + framed.div_ceil(u64::from(network.payload)) * u64::from(network.overhead)
    }
}

/// Seconds, not negative, as nanoseconds, rounded; more than 292 years are taken for so many.
#[inline]
pub(crate) fn nanoseconds(seconds: f64) -> u64 {
    rounded(seconds * 1e9)
}

/// A whole number from which on a `f64` has none beside it that are not whole; so many nanoseconds are 52 days.
pub(crate) const FAR: u64 = 1 << 52;

/// The nearest whole number of one that is not negative, up to 2⁶³ − 1.
#[inline]
pub(crate) fn rounded(number: f64) -> u64 {
    if number < FAR as f64 { rounded_below_far(number) } else { number as i64 as u64 }
}

/// The same of a number below [`FAR`]; the even one of two that are as near.
///
/// A number added to 2⁵² has the bits behind the point rounded away, and those before it are its lowest. So it needs no
/// instruction but an addition, and compilers find one for many numbers at a time.
#[inline(always)]
pub(crate) fn rounded_below_far(number: f64) -> u64 {
    (number + FAR as f64).to_bits().wrapping_sub((FAR as f64).to_bits())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rounded_is_the_nearest(whole in 0u64..1 << 50, part in 0u64..8) {
            let number = whole as f64 + part as f64 / 8.0;
            prop_assert_eq!(rounded(number), number.round_ties_even() as u64);
            prop_assert_eq!(rounded((FAR + whole) as f64), FAR + whole);
        }
    }
}
