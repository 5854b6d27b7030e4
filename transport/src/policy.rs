//! When the server stops waiting: deadlines and quorums, as plain data.

use std::time::Duration;

use secagg::Round;

/// Longer waits are cut to this, so that `Duration::MAX` can stand for no deadline.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 3600);

/// How long the server waits in one round.
///
/// A round closes at the first of: every client that is still connected has answered; the quorum
/// has answered and the grace time has passed since; the deadline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StagePolicy {
    /// Longest wait, from the moment the round's requests are sent.
    pub deadline: Duration,
    /// Share of the round's clients, 0 to 1, that is enough to close before the others. 1 waits
    /// for all. A quorum that the protocol could not go on with does not count as one.
    pub quorum: f64,
    /// How much longer the others may take once the quorum is there.
    pub grace: Duration,
}

impl StagePolicy {
    /// Waits for every connected client up to a deadline.
    pub const fn wait_for_all(deadline: Duration) -> StagePolicy {
        StagePolicy { deadline, quorum: 1.0, grace: Duration::ZERO }
    }

    /// Returns how many of `expected` answers are the quorum, at least one.
    pub fn quorum_of(&self, expected: u32) -> u32 {
        let share = if self.quorum.is_finite() { self.quorum.clamp(0.0, 1.0) } else { 1.0 };
        // At most `expected`, so the conversion is exact.
        ((f64::from(expected) * share).ceil() as u32).clamp(1, expected.max(1))
    }
}

/// How long the server waits in each round, and for clients to join.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SessionPolicy {
    /// Longest wait for clients to join, from the start of the session.
    pub join_deadline: Duration,
    /// Fewest clients to open the session with at the join deadline.
    pub minimum_clients: u32,
    /// AdvertiseKeys.
    pub advertise_keys: StagePolicy,
    /// ShareKeys.
    pub share_keys: StagePolicy,
    /// MaskedInputCollection, which includes the clients' training.
    pub masked_input_collection: StagePolicy,
    /// ConsistencyCheck.
    pub consistency_check: StagePolicy,
    /// Unmasking.
    pub unmasking: StagePolicy,
}

impl SessionPolicy {
    /// Waits for all clients, with the same deadline in every round.
    pub const fn uniform(
        join_deadline: Duration,
        minimum_clients: u32,
        stage_deadline: Duration,
    ) -> SessionPolicy {
        let stage = StagePolicy::wait_for_all(stage_deadline);
        SessionPolicy {
            join_deadline,
            minimum_clients,
            advertise_keys: stage,
            share_keys: stage,
            masked_input_collection: stage,
            consistency_check: stage,
            unmasking: stage,
        }
    }

    /// Returns the policy of a round.
    pub fn stage(&self, round: Round) -> &StagePolicy {
        match round {
            Round::AdvertiseKeys => &self.advertise_keys,
            Round::ShareKeys => &self.share_keys,
            Round::MaskedInputCollection => &self.masked_input_collection,
            Round::ConsistencyCheck => &self.consistency_check,
            Round::Unmasking => &self.unmasking,
        }
    }
}

/// A minute to join, a minute for each round, two clients at least.
impl Default for SessionPolicy {
    fn default() -> Self {
        SessionPolicy::uniform(Duration::from_secs(60), 2, Duration::from_secs(60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quorum(share: f64, expected: u32) -> u32 {
        StagePolicy { quorum: share, ..StagePolicy::wait_for_all(Duration::ZERO) }.quorum_of(expected)
    }

    #[test]
    fn a_quorum_is_rounded_up_and_stays_between_one_and_all() {
        assert_eq!(quorum(0.5, 9), 5);
        assert_eq!(quorum(1.0, 9), 9);
        assert_eq!(quorum(0.0, 9), 1);
        assert_eq!(quorum(7.0, 9), 9);
        assert_eq!(quorum(f64::NAN, 9), 9);
        assert_eq!(quorum(0.9, 0), 1);
    }
}
