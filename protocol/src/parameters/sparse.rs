//! What the sparse graphs share: counting a client's neighbours, and the search for the smallest degree.

use super::hypergeometric::{Limit, Urn};
use super::setting::{Figures, Range, Setting};

/// A sparse graph model.
pub(super) trait Sparse {
    fn setting(&self) -> &Setting;

    /// The step from one degree to the next.
    fn step(&self) -> u64;

    /// The smallest degree at which anything but the shares can be safe.
    fn first_degree(&self) -> u64;

    /// Times n, the weight of the event that a client has too many corrupt neighbours.
    fn roots(&self) -> u64;

    /// How many corrupt neighbours of a client are too many at a threshold.
    fn too_many(&self, degree: u64, threshold: u64) -> u64;

    /// The least threshold at which `corrupt` neighbours are too many.
    fn threshold_for(&self, degree: u64, corrupt: u64) -> u64;

    /// By how many thresholds one dropped neighbour more lowers the room for corrupt ones.
    fn weight(&self) -> u64;

    /// The least threshold that is secure in all respects, `from` or more, at most `to`.
    fn least_secure(&self, degree: u64, from: u64, to: u64) -> Option<u64>;

    fn figures(&self, degree: u64, threshold: u64) -> Figures;

    /// A client's neighbours, the corrupt ones marked.
    fn corrupt_neighbours(&self, degree: u64) -> Urn {
        let population = self.setting().clients - 1;
        Urn { population, marked: self.setting().corrupt.min(population), drawn: degree }
    }

    /// A surviving client's neighbours, the dropped ones marked.
    fn dropped_neighbours(&self, degree: u64) -> Urn {
        let population = self.setting().clients - 1;
        Urn { population, marked: self.setting().dropped.min(population), drawn: degree }
    }

    /// The limit on the chance that any client has too many corrupt neighbours.
    fn share_limit(&self) -> Limit<'static> {
        let factor = u128::from(self.setting().clients) * u128::from(self.roots());
        Limit::of(factor, self.setting().security_bits)
    }

    /// The limit on the chance that any client keeps too few neighbours.
    fn correctness_limit(&self) -> Limit<'static> {
        Limit::of(self.setting().clients.into(), self.setting().correctness_bits)
    }

    /// The thresholds that are safe at a degree.
    fn range(&self, degree: u64) -> Range {
        let counts = Counts::default().at(self, degree);
        let from = self.threshold_for(degree, counts.corrupt);
        Range {
            min: self.least_secure(degree, from, degree),
            max: (degree + 1).checked_sub(counts.dropped).filter(|&max| max > 0),
        }
    }

    /// The smallest degree that has a safe threshold.
    ///
    /// Let u(k) be the least number of corrupt neighbours that is rare enough to be too many, and v(k) the same
    /// for dropped ones. A threshold fits between them only if u(k) + w·v(k) ≤ k + w, where w is 1, or 2 if the
    /// server may equivocate. Drawing one neighbour more never lowers u or v, so a degree that misses by g
    /// excludes the g − 1 degrees behind it, and no degree is passed over that might be safe.
    fn search(&self) -> Option<u64> {
        let last = self.setting().clients - 1;
        if self.hopeless() {
            return None;
        }
        let mut degree = self.first_degree();
        let mut counts = Counts::default();
        while degree <= last {
            counts = counts.at(self, degree);
            let needed = counts.corrupt + self.weight() * counts.dropped;
            match needed.saturating_sub(degree + self.weight()) {
                0 => {
                    let from = self.threshold_for(degree, counts.corrupt);
                    if self.least_secure(degree, from, degree + 1 - counts.dropped).is_some() {
                        return Some(degree);
                    }
                    degree += self.step();
                }
                missing => degree += missing.next_multiple_of(self.step()),
            }
        }
        None
    }

    /// Whether there are so many corrupt and dropped clients that no degree can be safe: c + w·d ≥ n − 1.
    ///
    /// Then the mean of X + w·Y is at least k, where X and Y are a client's corrupt and dropped neighbours. But
    /// if X < a and Y ≤ k − t except with probability 1/(2n) each, with a = t or 2t − k, the mean is at most
    /// a − 1 + w·(k − t) and less than 1 more, which is less than k.
    fn hopeless(&self) -> bool {
        let Setting { clients, corrupt, dropped, security_bits, correctness_bits, .. } = *self.setting();
        let rare = security_bits >= 1 && correctness_bits >= 1;
        rare && corrupt + self.weight() * dropped + 1 >= clients
    }
}

/// The least numbers of neighbours that are rare enough.
#[derive(Clone, Copy, Default)]
struct Counts {
    corrupt: u64,
    dropped: u64,
}

impl Counts {
    /// The same at a greater degree: neither gets smaller.
    fn at<S: Sparse + ?Sized>(self, sparse: &S, degree: u64) -> Self {
        let corrupt = sparse.corrupt_neighbours(degree).least_within(self.corrupt, &sparse.share_limit());
        let dropped =
            sparse.dropped_neighbours(degree).least_within(self.dropped, &sparse.correctness_limit());
        Self { corrupt: corrupt.unwrap_or(degree + 1), dropped: dropped.unwrap_or(degree + 1) }
    }
}
