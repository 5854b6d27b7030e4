//! Shamir sharing over the scalar field of curve25519, with Lagrange coefficients once a set (spec §3.5).

use curve25519_dalek::scalar::Scalar;
use zeroize::Zeroizing;

use super::field::{dot, evaluate};
use crate::ClientId;

/// A secret and the random coefficients that share it: a polynomial of degree below the threshold.
pub(crate) struct Polynomial(Zeroizing<Vec<Scalar>>);

impl Polynomial {
    /// The polynomial with `secret` at zero and the other coefficients given, lowest degree first.
    pub(crate) fn new(secret: Scalar, coefficients: impl IntoIterator<Item = Scalar>) -> Self {
        Self(Zeroizing::new(std::iter::once(secret).chain(coefficients).collect()))
    }

    /// The share of `holder`: the value at its id.
    pub(crate) fn share(&self, holder: ClientId) -> Scalar {
        evaluate(&self.0, holder.get())
    }
}

/// A canonical scalar, or none (`[4.6-6]`).
pub(crate) fn decode_share(bytes: &[u8; 32]) -> Option<Scalar> {
    Scalar::from_canonical_bytes(*bytes).into_option()
}

/// What reconstruction needs to know of a set of holders; shared by all secrets that this set holds.
pub(crate) struct Basis {
    points: Vec<Scalar>,
    /// 1 / Π (xᵢ − xⱼ) over the other points j.
    weights: Vec<Scalar>,
    /// Lagrange coefficients at zero.
    at_zero: Vec<Scalar>,
    /// A random word of the dual code: its product with shares of one polynomial is zero.
    parity: Vec<Scalar>,
}

impl Basis {
    /// The basis of the holders `ids` (distinct), of which `threshold` suffice.
    ///
    /// `challenge` holds the coefficients of a random polynomial, at least one for each holder above the
    /// threshold; shares that do not lie on one polynomial of degree below the threshold pass the check with
    /// probability 1/ℓ if they were fixed before the challenge.
    pub(crate) fn new(ids: &[ClientId], threshold: usize, challenge: &[Scalar]) -> Self {
        let mut inverses: Vec<Scalar> = denominators(ids).collect();
        Scalar::invert_batch_alloc(&mut inverses);
        Self::with(ids, &inverses, threshold, challenge)
    }

    /// The bases of several sets of holders with one inversion, which takes longer than all else of a small basis.
    pub(crate) fn all(sets: &[Vec<ClientId>], threshold: usize, challenge: &[Scalar]) -> Vec<Self> {
        let mut inverses: Vec<Scalar> = sets.iter().flat_map(|ids| denominators(ids)).collect();
        Scalar::invert_batch_alloc(&mut inverses);
        let mut rest = inverses.as_slice();
        let basis = |ids: &Vec<ClientId>| {
            let (own, others) = rest.split_at(ids.len());
            rest = others;
            Self::with(ids, own, threshold, challenge)
        };
        sets.iter().map(basis).collect()
    }

    /// The same with the inverses of the [`denominators`].
    fn with(ids: &[ClientId], inverses: &[Scalar], threshold: usize, challenge: &[Scalar]) -> Self {
        let points: Vec<Scalar> = ids.iter().map(|id| Scalar::from(id.get())).collect();
        let weights: Vec<Scalar> = inverses.iter().zip(&points).map(|(inverse, x)| inverse * x).collect();
        // Π −xⱼ over the other points is Π −xⱼ over all, divided by −xᵢ.
        let all: Scalar = points.iter().map(|x| -x).product();
        let at_zero = inverses.iter().map(|inverse| -(inverse * all)).collect();
        let spare = challenge.get(..ids.len().saturating_sub(threshold)).unwrap_or_default();
        let parity = if spare.is_empty() {
            Vec::new()
        } else {
            weights.iter().zip(ids).map(|(weight, id)| weight * evaluate(spare, id.get())).collect()
        };
        Self { points, weights, at_zero, parity }
    }

    /// The value at zero of the polynomial through the shares, one for each holder in the basis' order.
    pub(crate) fn combine(&self, shares: &[Scalar]) -> Scalar {
        dot(&self.at_zero, shares)
    }

    /// Whether the shares lie on one polynomial of degree below the threshold.
    pub(crate) fn consistent(&self, shares: &[Scalar]) -> bool {
        dot(&self.parity, shares) == Scalar::ZERO
    }

    /// The points xᵢ.
    pub(crate) fn points(&self) -> &[Scalar] {
        &self.points
    }

    /// The weights 1 / Π (xᵢ − xⱼ).
    pub(crate) fn weights(&self) -> &[Scalar] {
        &self.weights
    }
}

/// xᵢ · Π (xᵢ − xⱼ) over the other points j: its inverse gives both the weight of a point and its coefficient at zero.
fn denominators(ids: &[ClientId]) -> impl Iterator<Item = Scalar> {
    ids.iter().map(|&id| Scalar::from(id.get()) * product_of_differences(id, ids))
}

/// Π (id − other) over all others, multiplied four differences at a time.
fn product_of_differences(id: ClientId, ids: &[ClientId]) -> Scalar {
    let mut negative = false;
    let mut product = Scalar::ONE;
    for four in ids.chunks(4) {
        let mut small = 1u128;
        for other in four.iter().filter(|&&other| other != id) {
            small *= u128::from(id.get().abs_diff(other.get()));
            negative ^= *other > id;
        }
        product *= Scalar::from(small);
    }
    if negative { -product } else { product }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vsss_rs::{DefaultShare, IdentifierPrimeField, ReadableShareSet, Share, shamir};

    use super::*;

    type OracleShare = DefaultShare<IdentifierPrimeField<Scalar>, IdentifierPrimeField<Scalar>>;

    fn polynomial(threshold: usize, seed: u64) -> Polynomial {
        let coefficient = |at: usize| {
            crate::crypto::hash(crate::Suite::Curious, "test", &[&[at as u8], &seed.to_be_bytes()])
        };
        let mut all = (0..threshold).map(|at| Scalar::from_bytes_mod_order(coefficient(at)));
        Polynomial::new(all.next().unwrap(), all)
    }

    fn challenge(len: usize) -> Vec<Scalar> {
        (0..len).map(|at| Scalar::from(at as u64 * 77 + 5)).collect()
    }

    proptest! {
        /// vsss-rs combines our shares to our secret.
        #[test]
        fn vsss_combines_our_shares(n in 2usize..20, spare in 0usize..18, seed: u64) {
            let threshold = n.saturating_sub(spare).max(2);
            let sharing = polynomial(threshold, seed);
            let shares: Vec<OracleShare> = ClientId::first(n as u32)
                .map(|id| OracleShare::with_identifier_and_value(
                    IdentifierPrimeField(Scalar::from(id.get())),
                    IdentifierPrimeField(sharing.share(id)),
                ))
                .collect();
            let secret = (&shares[n - threshold..]).combine().unwrap();
            prop_assert_eq!(secret.0, sharing.0[0]);
        }

        /// We combine the shares of vsss-rs to its secret, from any subset above the threshold.
        #[test]
        fn we_combine_the_shares_of_vsss(n in 2usize..20, spare in 0usize..18, drop in any::<u32>(), seed: u64) {
            use rand::SeedableRng;
            let threshold = n.saturating_sub(spare).max(2);
            let secret = Scalar::from(seed) * Scalar::from(u64::MAX);
            let mut rng = rand::rngs::StdRng::seed_from_u64(seed);
            let shares =
                shamir::split_secret::<OracleShare>(threshold, n, &IdentifierPrimeField(secret), &mut rng).unwrap();
            let mut kept: Vec<(ClientId, Scalar)> =
                ClientId::first(n as u32).zip(shares.iter().map(|share| share.value().0)).collect();
            let mut bits = drop;
            kept.retain(|_| { bits = bits.rotate_left(1); bits & 1 == 0 });
            if kept.len() < threshold {
                kept = ClientId::first(n as u32).zip(shares.iter().map(|share| share.value().0)).take(threshold).collect();
            }
            let (ids, mut values): (Vec<_>, Vec<_>) = kept.into_iter().unzip();
            let basis = Basis::new(&ids, threshold, &challenge(n));
            prop_assert_eq!(basis.combine(&values), secret);
            prop_assert!(basis.consistent(&values));
            let sets = [ids[..threshold].to_vec(), ids.clone(), Vec::new()];
            let together = Basis::all(&sets, threshold, &challenge(n));
            prop_assert_eq!(together[0].combine(&values[..threshold]), secret);
            prop_assert_eq!(together[1].combine(&values), secret);
            prop_assert_eq!(together[1].weights(), basis.weights());
            prop_assert!(together[1].consistent(&values));
            if ids.len() > threshold {
                values[0] += Scalar::ONE;
                prop_assert!(!basis.consistent(&values));
            }
        }
    }

    #[test]
    fn one_share_fewer_than_the_threshold_gives_another_secret() {
        let sharing = polynomial(5, 1);
        let ids: Vec<ClientId> = ClientId::first(4).collect();
        let shares: Vec<Scalar> = ids.iter().map(|&id| sharing.share(id)).collect();
        assert_ne!(Basis::new(&ids, 4, &[]).combine(&shares), sharing.0[0]);
    }
}
