//! A question in numbers, and what the models find out about it.

use super::bounds::Bounds;
use super::{Model, Question, Reason};

/// A question once its fractions are numbers of clients.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) clients: u64,
    pub(super) corrupt: u64,
    pub(super) dropped: u64,
    pub(super) security_bits: u32,
    pub(super) correctness_bits: u32,
    pub(super) roots: u64,
    pub(super) floor: u64,
}

impl Setting {
    pub(super) fn of(question: &Question) -> Self {
        let (corrupt, dropped) = question.counts();
        let setting = Self {
            clients: question.clients.into(),
            corrupt: corrupt.into(),
            dropped: dropped.into(),
            security_bits: question.security_bits,
            correctness_bits: question.correctness_bits,
            roots: question.roots,
            floor: 0,
        };
        let floor = match (question.min_honest, question.model) {
            (Some(floor), _) => floor.into(),
            (None, Model::PinnedSet) => setting.default_floor(),
            (None, _) => 1,
        };
        Self { floor, ..setting }
    }

    /// Signatures that make a certificate on the complete graph and in the pinned set: two certificates share
    /// an honest signer (Bonawitz et al. 2017, theorem 6.5).
    pub(super) fn quorum(&self) -> u64 {
        (self.clients + self.corrupt) / 2 + 1
    }

    pub(super) fn survivors(&self) -> u64 {
        self.clients.saturating_sub(self.dropped)
    }

    pub(super) fn honest(&self) -> u64 {
        self.clients.saturating_sub(self.corrupt)
    }

    /// Half of the honest inputs that a certificate guarantees on the complete graph.
    fn default_floor(&self) -> u64 {
        self.quorum().saturating_sub(self.corrupt).div_ceil(2)
    }
}

/// The thresholds that are safe at one degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// The least that is secure.
    pub(super) min: Option<u64>,
    /// The greatest that is correct.
    pub(super) max: Option<u64>,
}

impl Range {
    /// The least threshold that is both.
    pub(super) fn least(self) -> Option<u64> {
        self.min.filter(|&min| self.max.is_some_and(|max| min <= max))
    }
}

/// What a model says of one degree and threshold.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    pub(super) reasons: Vec<Reason>,
    pub(super) share: Option<Bounds>,
    pub(super) graph: Option<Bounds>,
    pub(super) security: Option<Bounds>,
    pub(super) correctness: Option<Bounds>,
    pub(super) min_honest: u64,
}

impl Figures {
    pub(super) fn refusing(reasons: impl IntoIterator<Item = Reason>) -> Self {
        Self { reasons: reasons.into_iter().collect(), ..Self::default() }
    }
}
