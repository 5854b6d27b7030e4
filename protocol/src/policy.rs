//! What a client insists on, whatever the server proposes.

use crate::{Config, Refusal};

/// What a client insists on: it makes no key for a session that asks for less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The smallest cohort, in clients.
    pub minimum_clients: u32,
    /// The lowest threshold, in shares.
    pub minimum_threshold: u32,
    /// The fewest inputs that a sum may be of: the least that the proposal must ask for.
    pub minimum_survivors: u32,
    /// The only task that the client takes part in, where it knows it.
    pub task: Option<[u8; 32]>,
}

impl Policy {
    /// Checks a proposal.
    ///
    /// # Errors
    /// The first rule of the policy that the proposal does not meet.
    pub fn check(&self, config: &Config) -> Result<(), Refusal> {
        if config.clients < self.minimum_clients {
            return Err(Refusal::TooFewClients { clients: config.clients, minimum: self.minimum_clients });
        }
        if config.threshold < self.minimum_threshold {
            return Err(Refusal::ThresholdTooLow {
                threshold: config.threshold,
                minimum: self.minimum_threshold,
            });
        }
        if config.minimum_survivors < self.minimum_survivors {
            return Err(Refusal::MinimumSurvivorsTooLow {
                proposed: config.minimum_survivors,
                minimum: self.minimum_survivors,
            });
        }
        if self.task.is_some_and(|task| task != config.task) {
            return Err(Refusal::WrongTask);
        }
        Ok(())
    }
}

/// Whatever the protocol itself allows.
impl Default for Policy {
    fn default() -> Self {
        Self { minimum_clients: 2, minimum_threshold: 2, minimum_survivors: 1, task: None }
    }
}
