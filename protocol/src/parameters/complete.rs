//! The complete graph (Bonawitz et al. 2017, theorems 6.3 and 6.5): no probability, only counting.

use super::Reason;
use super::setting::{Figures, Range, Setting};

/// The complete graph, against a server that follows the protocol or one that does not.
pub(super) struct Complete {
    pub(super) setting: Setting,
    pub(super) active: bool,
}

impl Complete {
    /// Each client shares with all others.
    pub(super) fn degree(&self) -> u64 {
        self.setting.clients - 1
    }

    /// The thresholds that are secure and correct.
    ///
    /// The corrupt clients and the server must not reach the threshold by themselves: t > c. An active server
    /// that tells two stories about the survivors must find an honest client between any two sets of t holders:
    /// 2t > n + c. Of the survivors at least t are holders: t ≤ n − d.
    pub(super) fn range(&self) -> Range {
        let Setting { corrupt, floor, .. } = self.setting;
        let least = (corrupt + floor).max(self.secure());
        Range {
            min: Some(least).filter(|&least| least <= self.setting.clients),
            max: Some(self.setting.survivors()).filter(|&max| max > 0),
        }
    }

    /// The least threshold that is secure.
    fn secure(&self) -> u64 {
        if self.active { self.setting.quorum() } else { self.setting.corrupt + 1 }
    }

    pub(super) fn figures(&self, degree: u64, threshold: u64) -> Figures {
        let Setting { clients, corrupt, floor, .. } = self.setting;
        let min_honest = threshold.saturating_sub(corrupt);
        let reasons = [
            (degree != self.degree(), Reason::Degree),
            (!(1..=clients).contains(&threshold), Reason::ThresholdRange),
            (threshold < self.secure(), Reason::Insecure),
            (threshold > self.setting.survivors(), Reason::Incorrect),
            (min_honest < floor, Reason::MinHonest),
        ];
        Figures { reasons: Reason::that_hold(reasons), min_honest, ..Figures::default() }
    }
}
