//! How long the server waits in each round.

use secagg::Round;
use serde::{Deserialize, Serialize};

use super::{not_negative, share};

/// When a round closes, as the transport decides it: at the first of these. Every client that is still connected has
/// answered; the quorum has answered, the protocol could go on, and the grace time has passed since; the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stage {
    /// Longest wait, in seconds from when the requests are sent.
    pub deadline: f64,
    /// Share of the asked clients that is enough, 0 to 1.
    pub quorum: f64,
    /// How many more seconds the others have then.
    pub grace: f64,
}

impl Default for Stage {
    fn default() -> Self {
        Self { deadline: 60.0, quorum: 1.0, grace: 0.0 }
    }
}

/// The waits of all rounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stages {
    /// Where a round has none of its own.
    pub all: Stage,
    /// AdvertiseKeys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertise_keys: Option<Stage>,
    /// ShareKeys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_keys: Option<Stage>,
    /// MaskedInputCollection, training included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masked_input_collection: Option<Stage>,
    /// ConsistencyCheck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consistency_check: Option<Stage>,
    /// Unmasking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unmasking: Option<Stage>,
}

/// All rounds that a suite may have.
const ROUNDS: [Round; 5] = [
    Round::AdvertiseKeys,
    Round::ShareKeys,
    Round::MaskedInputCollection,
    Round::ConsistencyCheck,
    Round::Unmasking,
];

impl Stage {
    /// How many of `asked` answers are the quorum, at least one.
    pub(crate) fn quorum_of(&self, asked: u32) -> u32 {
        ((f64::from(asked) * self.quorum).ceil() as u32).clamp(1, asked.max(1))
    }
}

impl Stages {
    /// The wait of a round.
    pub fn of(&self, round: Round) -> Stage {
        let own = match round {
            Round::AdvertiseKeys => self.advertise_keys,
            Round::ShareKeys => self.share_keys,
            Round::MaskedInputCollection => self.masked_input_collection,
            Round::ConsistencyCheck => self.consistency_check,
            Round::Unmasking => self.unmasking,
        };
        own.unwrap_or(self.all)
    }

    /// Seconds that a session waits at the most.
    pub(super) fn longest(&self) -> f64 {
        ROUNDS.into_iter().map(|round| self.of(round).deadline).sum()
    }

    pub(super) fn check(&self, tick: f64) -> Result<(), String> {
        for round in ROUNDS {
            let stage = self.of(round);
            let field = |name: &str| format!("stages, {round}: {name}");
            not_negative(&field("deadline"), stage.deadline)?;
            not_negative(&field("grace"), stage.grace)?;
            share(&field("quorum"), stage.quorum)?;
            // Starts are counted in ticks, in 32 bits; a message may well begin after the deadline.
            if stage.deadline / tick > 1e9 {
                let (deadline, most) = (stage.deadline, tick * 1e9);
                return Err(format!(
                    "{} = {deadline:?}: with network.tick = {tick:?} at most {most:?}",
                    field("deadline")
                ));
            }
        }
        Ok(())
    }
}
