//! The pinned set, experimental: a public random graph in which each client draws its own k holders, against an
//! active server, with the survivor set pinned by a quorum of signatures.

use num_bigint::BigUint;

use super::Reason;
use super::binomial::binomial;
use super::bounds::Bounds;
use super::exact::{self, Ratio};
use super::hypergeometric::{Limit, Urn};
use super::scaled::{Rounding, Scaled};
use super::setting::{Figures, Setting};
use super::sparse::Sparse;

/// Digits of a sum over groups, in bits, beyond which a tie that bounds leave open counts against acceptance.
const EXACT_BITS: u64 = 1 << 20;

/// The pinned set.
pub(super) struct Pinned {
    pub(super) setting: Setting,
}

impl Sparse for Pinned {
    fn setting(&self) -> &Setting {
        &self.setting
    }

    fn step(&self) -> u64 {
        1
    }

    fn first_degree(&self) -> u64 {
        1
    }

    fn roots(&self) -> u64 {
        self.setting.roots
    }

    fn too_many(&self, _degree: u64, threshold: u64) -> u64 {
        threshold
    }

    fn threshold_for(&self, _degree: u64, corrupt: u64) -> u64 {
        corrupt
    }

    fn weight(&self) -> u64 {
        1
    }

    fn least_secure(&self, degree: u64, from: u64, to: u64) -> Option<u64> {
        let safe =
            |threshold: &u64| self.secure(degree, *threshold) && self.group_reaches_floor(degree, *threshold);
        // Groups only get greater with the threshold, so the floor is worth a gallop; the rest is a step or two.
        let (mut below, mut at, mut step) = (from.checked_sub(1), from, 1);
        while !self.group_reaches_floor(degree, at) {
            if at >= to {
                return None;
            }
            below = Some(at);
            at = (at + step).min(to);
            step *= 2;
        }
        while let Some(low) = below.filter(|&low| low + 1 < at) {
            let middle = low + (at - low) / 2;
            if self.group_reaches_floor(degree, middle) {
                at = middle;
            } else {
                below = Some(middle);
            }
        }
        (at..=to).find(safe)
    }

    fn figures(&self, degree: u64, threshold: u64) -> Figures {
        let valid = (1..self.setting.clients).contains(&degree);
        let mut reasons = [
            (!valid, Reason::Degree),
            (!(1..=degree).contains(&threshold), Reason::ThresholdRange),
            (!self.has_quorum(), Reason::Quorum),
        ]
        .to_vec();
        if !valid {
            return Figures { reasons: Reason::that_hold(reasons), ..Figures::default() };
        }
        let dropped = self.dropped_neighbours(degree);
        let too_few = (degree + 1).saturating_sub(threshold);
        let correct = dropped.within(too_few, &self.correctness_limit());
        let (min_honest, graph) = self.group(degree, threshold);
        reasons.push((!self.secure(degree, threshold), Reason::Insecure));
        reasons.push((!correct || !self.has_quorum(), Reason::Incorrect));
        reasons.push((min_honest < self.setting.floor, Reason::MinHonest));
        let share = self.share(degree, threshold);
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

impl Pinned {
    /// Whether a quorum is left when all who may drop have dropped.
    pub(super) fn has_quorum(&self) -> bool {
        self.setting.quorum() <= self.setting.survivors()
    }

    /// The bound on the chance that any client has `threshold` corrupt holders, under any root.
    fn share(&self, degree: u64, threshold: u64) -> Bounds {
        self.share_limit().total(self.corrupt_neighbours(degree).tail(threshold))
    }

    /// Whether that chance and the chance of a group below the guarantee are small enough together.
    fn secure(&self, degree: u64, threshold: u64) -> bool {
        let urn = self.corrupt_neighbours(degree);
        if !urn.within(threshold, &self.share_limit()) {
            return false;
        }
        // The groups never take more than half of the allowance; most often the shares do not either.
        let factor = self.share_limit().factor;
        if urn.within(threshold, &Limit::of(factor, self.setting.security_bits + 1)) {
            return true;
        }
        let (least, graph) = self.group(degree, threshold);
        let limit = Scaled::power_of_two(-i64::from(self.setting.security_bits));
        self.share(degree, threshold).add(graph).at_most(limit).unwrap_or_else(|| {
            let graph = self.isolations_exact(degree, threshold, least - 1);
            graph.is_some_and(|graph| {
                exact::at_most(urn, threshold, factor, graph, self.setting.security_bits)
            })
        })
    }

    /// Whether every revealed sum holds at least the floor of honest inputs.
    fn group_reaches_floor(&self, degree: u64, threshold: u64) -> bool {
        let floor = self.setting.floor;
        floor <= 1
            || floor <= self.setting.honest() && self.isolations(degree, threshold, floor - 1).is_some()
    }

    /// The guaranteed number of honest inputs A in any revealed sum: the greatest for which all smaller groups
    /// together stand alone with probability at most 2^-(σ+1); and the bound on that probability.
    fn group(&self, degree: u64, threshold: u64) -> (u64, Bounds) {
        let below = |size: u64| self.isolations(degree, threshold, size - 1);
        let (mut least, mut beyond) = (1, self.setting.honest() + 1);
        while least + 1 < beyond {
            let middle = least + (beyond - least) / 2;
            if below(middle).is_some() {
                least = middle;
            } else {
                beyond = middle;
            }
        }
        (least.min(self.setting.honest()), below(least).unwrap_or(Bounds::ZERO))
    }

    /// The bound on the chance that a given number of honest clients stands alone: in one of the C(n − c, s)
    /// groups S of that size, each member has `threshold` holders among the corrupt and the rest of S. The members
    /// draw independently. (No holder outside S may have helped, because one that is alive is joined to S by a
    /// mask that stays.)
    pub(super) fn isolation(&self, degree: u64, threshold: u64, size: u64) -> Bounds {
        binomial(self.setting.honest(), size).mul(self.inward(degree, threshold, size).pow(size))
    }

    /// The chance that one client has `threshold` holders among the corrupt and `size` − 1 others.
    fn inward(&self, degree: u64, threshold: u64, size: u64) -> Bounds {
        let marked = size - 1 + self.setting.corrupt;
        Urn { marked, ..self.corrupt_neighbours(degree) }.tail(threshold)
    }

    /// The sum of `isolation` over the sizes 1 to `last`, times the number of roots; `None` if it is above
    /// 2^-(σ+1).
    fn isolations(&self, degree: u64, threshold: u64, last: u64) -> Option<Bounds> {
        let Setting { roots, security_bits, .. } = self.setting;
        let limit = Bounds::power_of_two(-i64::from(security_bits) - 1).div_integer(roots);
        let mut negligible = 96;
        loop {
            let sizes = Sizes { pinned: self, degree, threshold, limit: limit.high, negligible };
            let sum = sizes.sum(last)?;
            if sum.high > limit.low {
                let exact = self.isolations_exact(degree, threshold, last)?;
                return exact.at_most(security_bits + 1).then(|| sum.mul_integer(roots));
            }
            if sum.closer_than(40) || sum.is_zero() {
                return Some(sum.mul_integer(roots));
            }
            // What was waved through is not negligible beside so small a sum.
            negligible *= 2;
        }
    }

    /// The same sum as a fraction; `None` if it would have too many digits to be worth it.
    fn isolations_exact(&self, degree: u64, threshold: u64, last: u64) -> Option<Ratio> {
        let whole = exact::binomial(self.setting.clients - 1, degree);
        if last * whole.bits() > EXACT_BITS {
            return None;
        }
        // Over the common denominator whole^last, which grows with each size.
        let (mut numerator, mut denominator) = (BigUint::ZERO, BigUint::from(1u8));
        for size in 1..=last {
            let marked = size - 1 + self.setting.corrupt;
            let inward = exact::tail(Urn { marked, ..self.corrupt_neighbours(degree) }, threshold).numerator;
            let groups = exact::binomial(self.setting.honest(), size);
            numerator = numerator * &whole + groups * inward.pow(u32::try_from(size).ok()?);
            denominator *= &whole;
        }
        Some(Ratio { numerator: numerator * self.setting.roots, denominator })
    }
}

/// A sum over many sizes.
struct Sizes<'a> {
    pinned: &'a Pinned,
    degree: u64,
    threshold: u64,
    limit: Scaled,
    /// Blocks of sizes below limit · 2^-`negligible` are not looked into.
    negligible: i64,
}

impl Sizes<'_> {
    /// The sum over the sizes 1 to `last`; `None` if it is above the limit.
    ///
    /// A million sizes cannot be added one by one. A block of sizes a to b is at most
    /// (b − a + 1) · max C(n − c, s) · Pr[b]^a; if that is negligible it goes into the upper bound, and if not
    /// the block is halved, down to single sizes.
    fn sum(&self, last: u64) -> Option<Bounds> {
        let mut sum = Bounds::ZERO;
        let mut blocks = Vec::from([(1, last)]);
        while let Some((first, last)) = blocks.pop() {
            if first > last {
                continue;
            }
            let one = self.pinned.isolation(self.degree, self.threshold, last);
            if one.low > self.limit {
                return None;
            }
            if first == last {
                sum = sum.add(one);
            } else if let Some(high) = self.negligible_block(first, last) {
                sum.high = sum.high.add(high, Rounding::Up);
            } else {
                let middle = first + (last - first) / 2;
                blocks.extend([(first, middle), (middle + 1, last)]);
            }
            if sum.low > self.limit {
                return None;
            }
        }
        Some(sum)
    }

    fn negligible_block(&self, first: u64, last: u64) -> Option<Scaled> {
        let honest = self.pinned.setting.honest();
        let groups = binomial(honest, last.min(honest / 2));
        let inward = self.pinned.inward(self.degree, self.threshold, last).pow(first);
        let high = groups.mul(inward).mul_integer(last - first + 1).high;
        let enough = self.limit.mul(Scaled::power_of_two(-self.negligible), Rounding::Down);
        (high <= enough).then_some(high)
    }
}
