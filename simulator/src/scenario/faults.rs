//! What goes wrong.

use secagg::Round;
use serde::{Deserialize, Serialize};

use super::{not_negative, share};

/// What goes wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Clients that vanish each for themselves. A client meets the rules in their order.
    pub dropouts: Vec<Dropout>,
    /// Clients that vanish together.
    pub outages: Vec<Outage>,
    /// Clients that are slow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stragglers: Option<Stragglers>,
}

/// Clients that vanish for the rest of the session, each by its own lot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// The round; none for each round of the suite with its part of the probability. In a round that the suite does not
    /// have nobody vanishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<RoundName>,
    /// Probability of each client that was asked in the round. Without a round it is divided by the number of rounds:
    /// whoever is still there in a later one meets it again, so that a little less than this vanish altogether.
    pub probability: f64,
    /// When in the round.
    #[serde(default)]
    pub moment: Moment,
}

/// When in a round a client vanishes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// As the request is sent.
    #[default]
    Before,
    /// After the request has come and before the answer begins.
    Computing,
    /// After 1 to 15 sixteenths of its answer: these bytes are sent for nothing.
    Uploading,
    /// Any of the three, equally likely.
    Any,
}

/// Clients that vanish together, for the rest of the session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// Seconds from the start of the session.
    pub at: f64,
    /// Share of the devices that it hits; the same ones in each session. Shares of several outages overlap from the
    /// same end: the smaller region lies within the greater.
    pub share: f64,
    /// Probability that it happens in a session.
    #[serde(default = "certain")]
    pub probability: f64,
}

/// Clients that compute and train more slowly in a session than they should.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stragglers {
    /// Share of the clients.
    pub share: f64,
    /// How many times longer they take, at least 1.
    pub slowdown: f64,
}

/// A round, as scenarios name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are those of `secagg::Round`")]
pub enum RoundName {
    AdvertiseKeys,
    ShareKeys,
    MaskedInputCollection,
    ConsistencyCheck,
    Unmasking,
}

impl From<RoundName> for Round {
    fn from(name: RoundName) -> Round {
        match name {
            RoundName::AdvertiseKeys => Round::AdvertiseKeys,
            RoundName::ShareKeys => Round::ShareKeys,
            RoundName::MaskedInputCollection => Round::MaskedInputCollection,
            RoundName::ConsistencyCheck => Round::ConsistencyCheck,
            RoundName::Unmasking => Round::Unmasking,
        }
    }
}

impl From<Round> for RoundName {
    fn from(round: Round) -> Self {
        match round {
            Round::AdvertiseKeys => Self::AdvertiseKeys,
            Round::ShareKeys => Self::ShareKeys,
            Round::MaskedInputCollection => Self::MaskedInputCollection,
            Round::ConsistencyCheck => Self::ConsistencyCheck,
            Round::Unmasking => Self::Unmasking,
        }
    }
}

impl Faults {
    /// The probability that a client meets one of the dropout rules before the end of a session of these rounds.
    pub(super) fn dropout_probability(&self, rounds: &[Round]) -> f64 {
        let stays = |rule: &Dropout| match rule.round {
            Some(name) if rounds.contains(&name.into()) => 1.0 - rule.probability,
            Some(_) => 1.0,
            None => libm::pow(1.0 - rule.probability / rounds.len() as f64, rounds.len() as f64),
        };
        1.0 - self.dropouts.iter().map(stays).product::<f64>()
    }

    /// The greatest share of the clients that vanishes in one of these rounds, or in an outage, at the most.
    pub(crate) fn vanish_at_once(&self, rounds: &[Round]) -> f64 {
        let share = |rule: &Dropout, round: Round| match rule.round {
            Some(name) if round == name.into() => rule.probability,
            Some(_) => 0.0,
            None => rule.probability / rounds.len() as f64,
        };
        let in_round = |round: &Round| self.dropouts.iter().map(|rule| share(rule, *round)).sum::<f64>();
        let outages: f64 = self.outages.iter().map(|outage| outage.share).fold(0.0, f64::max);
        (rounds.iter().map(in_round).fold(0.0, f64::max) + outages).min(1.0)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        for rule in &self.dropouts {
            share("faults.dropouts: probability", rule.probability)?;
            if rule.probability == 1.0 && rule.round.is_some() {
                return Err("faults.dropouts: probability = 1: nobody is left in that round".to_owned());
            }
        }
        for outage in &self.outages {
            not_negative("faults.outages: at", outage.at)?;
            share("faults.outages: share", outage.share)?;
            share("faults.outages: probability", outage.probability)?;
        }
        if let Some(stragglers) = &self.stragglers {
            share("faults.stragglers.share", stragglers.share)?;
            if !(stragglers.slowdown.is_finite() && stragglers.slowdown >= 1.0) {
                return Err(format!(
                    "faults.stragglers.slowdown = {}: it must be at least 1",
                    stragglers.slowdown
                ));
            }
        }
        Ok(())
    }
}

fn certain() -> f64 {
    1.0
}
