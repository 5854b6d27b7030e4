//! Harary graphs under random labels (Bell et al. 2020): each client is joined to the nearest k/2 on either
//! side of a random circle.

use super::Reason;
use super::binomial::binomial;
use super::bounds::Bounds;
use super::exact::{self, Ratio};
use super::hypergeometric::Limit;
use super::scaled::Scaled;
use super::setting::{Figures, Setting};
use super::sparse::Sparse;

/// A Harary graph, with a server that tells all clients the same survivors or one that may tell each its own.
pub(super) struct Harary {
    pub(super) setting: Setting,
    pub(super) equivocation: bool,
}

impl Sparse for Harary {
    fn setting(&self) -> &Setting {
        &self.setting
    }

    /// Half of the neighbours are on either side.
    fn step(&self) -> u64 {
        2
    }

    /// The chance that the graph falls apart does not depend on the threshold and falls in the degree.
    fn first_degree(&self) -> u64 {
        let halves = |half: u64| self.holds_together(2 * half);
        let (mut below, mut enough) = (0, self.setting.clients.div_ceil(2).max(1));
        while below + 1 < enough {
            let middle = below + (enough - below) / 2;
            if halves(middle) {
                enough = middle;
            } else {
                below = middle;
            }
        }
        2 * enough
    }

    fn roots(&self) -> u64 {
        1
    }

    /// Those that hold t shares; or, if h honest neighbours can be told one thing and k − a − h the other, with
    /// the a corrupt ones saying both: h + a ≥ t and k − h ≥ t for some h, that is k + a ≥ 2t.
    fn too_many(&self, degree: u64, threshold: u64) -> u64 {
        if self.equivocation { (2 * threshold).saturating_sub(degree) } else { threshold }
    }

    fn threshold_for(&self, degree: u64, corrupt: u64) -> u64 {
        if self.equivocation { (degree + corrupt).div_ceil(2) } else { corrupt }
    }

    fn weight(&self) -> u64 {
        if self.equivocation { 2 } else { 1 }
    }

    fn least_secure(&self, degree: u64, from: u64, to: u64) -> Option<u64> {
        let exactly = || self.disconnection_exact(degree);
        let limit =
            Limit { beside: self.disconnection(degree), beside_exact: &exactly, ..self.share_limit() };
        let from = self.too_many(degree, from);
        let corrupt = self.corrupt_neighbours(degree).least_within(from, &limit)?;
        Some(self.threshold_for(degree, corrupt)).filter(|&threshold| threshold <= to)
    }

    fn figures(&self, degree: u64, threshold: u64) -> Figures {
        let Setting { clients, corrupt, floor, .. } = self.setting;
        let min_honest = self.setting.survivors().saturating_sub(corrupt);
        let valid = degree >= 2 && degree < clients;
        let mut reasons = [
            (!valid || !degree.is_multiple_of(2), Reason::Degree),
            (!(1..=degree).contains(&threshold), Reason::ThresholdRange),
            (min_honest < floor, Reason::MinHonest),
        ]
        .to_vec();
        if !valid {
            return Figures { reasons: Reason::that_hold(reasons), min_honest, ..Figures::default() };
        }
        let (corrupt, dropped) = (self.corrupt_neighbours(degree), self.dropped_neighbours(degree));
        let (too_many, too_few) = (self.too_many(degree, threshold), (degree + 1).saturating_sub(threshold));
        let exactly = || self.disconnection_exact(degree);
        let graph = self.disconnection(degree);
        let secure = Limit { beside: graph, beside_exact: &exactly, ..self.share_limit() };
        reasons.push((!corrupt.within(too_many, &secure), Reason::Insecure));
        reasons.push((!dropped.within(too_few, &self.correctness_limit()), Reason::Incorrect));
        let share = self.share_limit().total(corrupt.tail(too_many));
        Figures {
            reasons: Reason::that_hold(reasons),
            share: Some(share),
            graph: Some(graph),
            security: Some(share.add(graph)),
            correctness: Some(self.correctness_limit().total(dropped.tail(too_few))),
            min_honest,
        }
    }
}

impl Harary {
    /// A bound on the chance that the honest survivors are not connected to one another.
    ///
    /// They fall apart just if two runs of k/2 neighbouring places on the circle are all corrupt or dropped, with
    /// a survivor between them on either side. There are n(n − k − 1)/2 pairs of such runs, and the m = c + d
    /// places lost are a uniform set, which holds k given places with probability C(m, k) / C(n, k).
    fn disconnection(&self, degree: u64) -> Bounds {
        let lost = binomial(self.lost(), degree);
        if lost.is_zero() {
            return Bounds::ZERO;
        }
        let pairs = u128::from(self.pairs_doubled(degree));
        lost.div(binomial(self.setting.clients, degree)).mul(Bounds::of(pairs)).div_integer(2)
    }

    fn disconnection_exact(&self, degree: u64) -> Ratio {
        Ratio {
            numerator: exact::binomial(self.lost(), degree) * self.pairs_doubled(degree),
            denominator: exact::binomial(self.setting.clients, degree) * 2u8,
        }
    }

    fn holds_together(&self, degree: u64) -> bool {
        let bits = self.setting.security_bits;
        let limit = Scaled::power_of_two(-i64::from(bits));
        let sure = self.disconnection(degree).at_most(limit);
        sure.unwrap_or_else(|| self.disconnection_exact(degree).at_most(bits))
    }

    fn lost(&self) -> u64 {
        self.setting.corrupt + self.setting.dropped
    }

    fn pairs_doubled(&self, degree: u64) -> u64 {
        self.setting.clients * (self.setting.clients.saturating_sub(degree + 1))
    }
}
