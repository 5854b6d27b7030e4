//! What a client refuses because of what it did before: sums that would differ by too few inputs, and sessions that are
//! tried again and again.
//!
//! The core remembers nothing. Who drives it keeps the record, gives it with the policy, and adds to it before the
//! message in question leaves.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Config, Refusal, Suite};

/// The identities whose inputs are in a sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cohort(BTreeSet<[u8; 32]>);

impl Cohort {
    /// The cohort of these identities.
    pub fn new(identities: impl IntoIterator<Item = [u8; 32]>) -> Self {
        Self(identities.into_iter().collect())
    }

    /// Its identities, ascending.
    pub fn identities(&self) -> impl ExactSizeIterator<Item = &[u8; 32]> {
        self.0.iter()
    }

    /// How many identities are in one of the two and not in the other.
    pub fn difference(&self, other: &Self) -> u32 {
        self.0.symmetric_difference(&other.0).count() as u32
    }
}

/// The least by which two cohorts must differ, unless they are the same.
///
/// The sums of two cohorts that differ by one client differ by that client's input, as far as the inputs of the others
/// are the same in both (So et al. 2021, arXiv 2106.03328). The client signs no survivor set that differs from one that
/// it signed before by fewer than so many. It needs a suite with identities, it protects a client only if the others hold
/// it too, and a session in which it would not be certain to be noticed is refused: it is if
/// 2t > n + c + ⌊(B − 1)/2⌋ (spec §8.4). An identity takes part in one session at a time, or two of them do not see what
/// the other has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CohortPolicy {
    /// The fewest identities in the symmetric difference. Corrupt ones hide nobody, and each of the two cohorts may
    /// have c of its own: for h honest inputs in the difference ask for h + 2c.
    pub minimum_difference: u32,
    /// The cohorts that the client has signed, in whatever order. `None` if nobody has said: every session is then
    /// refused. A client that has signed nothing yet has an empty list.
    pub signed: Option<Vec<Cohort>>,
}

impl CohortPolicy {
    /// Whether two sums that are too near to each other are certain to need one honest signature twice, if at most
    /// `corrupt` clients of a cohort are corrupt.
    pub(super) fn check_quorum(&self, config: &Config, corrupt: u32) -> Result<(), Refusal> {
        if config.suite == Suite::Curious {
            return Err(Refusal::NoIdentities);
        }
        if self.signed.is_none() {
            return Err(Refusal::NoRecord("by how much survivor sets differ"));
        }
        let (clients, minimum_difference) = (config.clients, self.minimum_difference);
        // As many more than the greater of two such survivor sets may both of them together have.
        let more = minimum_difference.saturating_sub(1) / 2;
        let needed = (u64::from(clients) + u64::from(corrupt) + u64::from(more)) / 2 + 1;
        let (quorum, escapes) = match config.suite {
            // The roster may be smaller than the cohort and is not known yet. Of m clients a quorum is more than
            // (m + c) / 2, and need not be more than that by more than one half.
            Suite::Pinned { corrupt: own, .. } => ((clients + own) / 2 + 1, corrupt + more > own),
            _ => (config.threshold, u64::from(config.threshold) < needed),
        };
        if escapes {
            let needed = needed.max(u64::from(quorum) + 1);
            return Err(Refusal::CohortsEscape { quorum, needed, clients, corrupt, minimum_difference });
        }
        Ok(())
    }

    pub(crate) fn check(&self, cohort: &Cohort) -> Result<(), Refusal> {
        let differences = self.signed.iter().flatten().map(|signed| cohort.difference(signed));
        match differences.filter(|&difference| difference > 0).min() {
            Some(difference) if difference < self.minimum_difference => {
                Err(Refusal::CohortDifference { difference, minimum: self.minimum_difference })
            }
            _ => Ok(()),
        }
    }
}

/// How many sessions a client takes part in, so that a server cannot abort and retry as often as it likes.
///
/// What counts is a session for which the client has made keys, however it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionBudget {
    /// The most sessions of one task.
    pub per_task: u32,
    /// The most sessions of all tasks together.
    pub in_all: u32,
    /// Sessions so far, by the digest of their task. `None` if nobody has said: every session is then refused. A client
    /// that begins has an empty map.
    pub attempted: Option<BTreeMap<[u8; 32], u32>>,
}

impl SessionBudget {
    pub(super) fn check(&self, config: &Config) -> Result<(), Refusal> {
        let attempted =
            self.attempted.as_ref().ok_or(Refusal::NoRecord("how many sessions it takes part in"))?;
        let of_task = attempted.get(&config.task).copied().unwrap_or(0);
        let in_all = attempted.values().fold(0u32, |sum, count| sum.saturating_add(*count));
        match (of_task >= self.per_task, in_all >= self.in_all) {
            (true, _) => {
                Err(Refusal::RetryBudget { of: "this task", attempted: of_task, most: self.per_task })
            }
            (_, true) => Err(Refusal::RetryBudget { of: "all tasks", attempted: in_all, most: self.in_all }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cohort(identities: std::ops::Range<u8>) -> Cohort {
        Cohort::new(identities.map(|one| [one; 32]))
    }

    #[test]
    fn differences_are_counted_both_ways() {
        assert_eq!(cohort(0..5).difference(&cohort(0..5)), 0);
        assert_eq!(cohort(0..5).difference(&cohort(0..4)), 1);
        assert_eq!(cohort(0..4).difference(&cohort(0..5)), 1);
        assert_eq!(cohort(0..5).difference(&cohort(2..6)), 3);
        assert_eq!(Cohort::new([[1; 32], [1; 32]]).identities().len(), 1);
    }

    #[test]
    fn the_nearest_cohort_decides_and_the_same_one_is_fine() {
        let policy = CohortPolicy { minimum_difference: 3, signed: Some(vec![cohort(0..9), cohort(20..30)]) };
        assert_eq!(policy.check(&cohort(0..9)), Ok(()));
        assert_eq!(policy.check(&cohort(0..6)), Ok(()));
        let refused = |difference| Err(Refusal::CohortDifference { difference, minimum: 3 });
        assert_eq!(policy.check(&cohort(0..8)), refused(1));
        assert_eq!(policy.check(&cohort(0..11)), refused(2));
        assert_eq!(policy.check(&cohort(21..31)), refused(2));
    }
}
