//! Reconstruction when some shares are wrong: who lied, and what the secret is all the same (spec §4.6).

use curve25519_dalek::scalar::Scalar;

use super::field::dot;
use super::sharing::Basis;

/// Sets of shares that may be left out in turn in one session, when there are too many wrong ones to decode. Each
/// decoding counts as the sets that cost as much.
pub(crate) const ATTEMPTS: usize = 50_000;

/// What a decoding of so many shares counts for. To leave a set out takes some t·(m − t) + m multiplications; decoding
/// takes m² for the polynomial that vanishes at all points, m² to interpolate, and up to m² for Euclid's algorithm.
fn cost(count: usize, threshold: usize) -> usize {
    let spare = count.saturating_sub(threshold);
    (3 * count * count).div_ceil(threshold * spare + count)
}

/// What could be made of shares of which some are wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) secret: Scalar,
    /// Places of the shares to do without.
    pub(crate) left_out: Vec<usize>,
    /// Places of the shares that are wrong: those left out if they are at most half of the spare ones, or if
    /// no set of shares that gives the secret has them.
    pub(crate) wrong: Vec<usize>,
}

/// Finds the secret among `shares`, one for each point of `basis`, and the shares that are wrong.
///
/// Up to half of the shares above the threshold may be wrong at any size (Reed–Solomon decoding after Gao
/// 2003), as long as `attempts` pay for it: many owners can lie at once. Beyond that the commitment decides: sets are left out in turn while `attempts` last. `committed` says
/// whether a secret is the one that its owner committed to, so the secret is right in any case; and an honest
/// holder is named only if its owner dealt it a wrong share, or if more than half of the spare shares are wrong and
/// made to fit together.
pub(crate) fn decode(
    basis: &Basis,
    threshold: usize,
    shares: &[Scalar],
    attempts: &mut usize,
    committed: impl Fn(&Scalar) -> bool,
) -> Option<Decoded> {
    *attempts = attempts.checked_sub(cost(shares.len(), threshold))?;
    if let Some(polynomial) = gao(basis, threshold, shares) {
        let secret = polynomial.first().copied().unwrap_or_default();
        let wrong = basis.points().iter().zip(shares).enumerate();
        let wrong = wrong.filter(|(_, (x, y))| value(&polynomial, x) != **y);
        let wrong: Vec<usize> = wrong.map(|(at, _)| at).collect();
        if committed(&secret) {
            return Some(Decoded { secret, left_out: wrong.clone(), wrong });
        }
        if wrong.is_empty() {
            // Whatever is left out, shares that all agree give this same secret.
            return None;
        }
    }
    let spare = shares.len().saturating_sub(threshold);
    let gives =
        |left_out: &[usize]| Some(without(basis, shares, left_out)).filter(|secret| committed(secret));
    if combinations(shares.len(), spare) <= *attempts {
        every_way(shares.len(), spare, attempts, gives)
    } else {
        first_way(shares.len(), spare, attempts, gives)
    }
}

/// Leaves out every set of `spare` shares in turn. One of them holds all the wrong shares, so a share that
/// each set which gives the secret leaves out is wrong, however the liars arranged theirs.
fn every_way(
    count: usize,
    spare: usize,
    attempts: &mut usize,
    gives: impl Fn(&[usize]) -> Option<Scalar>,
) -> Option<Decoded> {
    let mut found: Option<Decoded> = None;
    let mut left_out: Vec<usize> = (0..spare).collect();
    if spare == 0 {
        return None;
    }
    loop {
        *attempts = attempts.saturating_sub(1);
        if let Some(secret) = gives(&left_out) {
            let mut wrong = found.map_or_else(|| left_out.clone(), |before| before.wrong);
            wrong.retain(|at| left_out.contains(at));
            found = Some(Decoded { secret, left_out: wrong.clone(), wrong });
        }
        if !next_combination(&mut left_out, count) {
            return found;
        }
    }
}

/// Leaves out small sets first and is content with the first that gives the secret; nobody is named.
fn first_way(
    count: usize,
    spare: usize,
    attempts: &mut usize,
    gives: impl Fn(&[usize]) -> Option<Scalar>,
) -> Option<Decoded> {
    for size in 1..=spare {
        let mut left_out: Vec<usize> = (0..size).collect();
        loop {
            *attempts = attempts.checked_sub(1)?;
            if let Some(secret) = gives(&left_out) {
                return Some(Decoded { secret, left_out, wrong: Vec::new() });
            }
            if !next_combination(&mut left_out, count) {
                break;
            }
        }
    }
    None
}

/// The number of sets of `size` among `count`, or a very large number.
fn combinations(count: usize, size: usize) -> usize {
    (1..=size.min(count.saturating_sub(size)))
        .try_fold(1usize, |product, step| product.checked_mul(count + 1 - step).map(|product| product / step))
        .unwrap_or(usize::MAX)
}

/// The secret that the shares give without those at the places `left_out`.
fn without(basis: &Basis, shares: &[Scalar], left_out: &[usize]) -> Scalar {
    let points = basis.points();
    let gone: Vec<Scalar> = left_out.iter().filter_map(|&at| points.get(at).copied()).collect();
    let kept = |at: &usize| !left_out.contains(at);
    // With w the weights over all points: w'ᵢ = wᵢ·Π(xᵢ − gone), and the coefficient at zero is
    // w'ᵢ·Π(−xⱼ)/(−xᵢ); the denominators are inverted together.
    let places: Vec<usize> = (0..points.len()).filter(kept).collect();
    let mut inverses: Vec<Scalar> = places.iter().filter_map(|&at| points.get(at).map(|x| -x)).collect();
    let all: Scalar = inverses.iter().product();
    Scalar::invert_batch_alloc(&mut inverses);
    let (coefficients, kept): (Vec<Scalar>, Vec<Scalar>) = places
        .iter()
        .zip(inverses)
        .filter_map(|(&at, inverse)| {
            let (x, weight, share) = (points.get(at)?, basis.weights().get(at)?, shares.get(at)?);
            let gone: Scalar = gone.iter().map(|gone| x - gone).product();
            Some((weight * gone * all * inverse, *share))
        })
        .unzip();
    dot(&coefficients, &kept)
}

/// Steps to the next set of places below `count`, in lexicographic order; false after the last.
fn next_combination(places: &mut [usize], count: usize) -> bool {
    let size = places.len();
    let Some(turn) =
        (0..size).rev().find(|&at| places.get(at).is_some_and(|&place| place + size - at < count))
    else {
        return false;
    };
    let first = places.get(turn).copied().unwrap_or_default() + 1;
    for (place, value) in places.iter_mut().skip(turn).zip(first..) {
        *place = value;
    }
    true
}

/// Reed–Solomon decoding (Gao, 2003): the one polynomial of degree below `threshold` that differs from the
/// shares in at most half of the places above the threshold.
fn gao(basis: &Basis, threshold: usize, shares: &[Scalar]) -> Option<Vec<Scalar>> {
    let count = shares.len();
    let vanishing = vanishing(basis.points());
    let interpolating = interpolate(basis, &vanishing, shares);
    // Euclid's algorithm on the two, with the cofactor of the second, down to degree below (count + t) / 2.
    let (mut above, mut below) = (vanishing, interpolating);
    let (mut cofactor_above, mut cofactor) = (Vec::new(), vec![Scalar::ONE]);
    while 2 * below.len() > count + threshold + 1 {
        let (quotient, rest) = divide(above, &below)?;
        let next = subtract(cofactor_above, &multiply(&quotient, &cofactor));
        (above, below) = (below, rest);
        (cofactor_above, cofactor) = (cofactor, next);
    }
    let (quotient, rest) = divide(below, &cofactor)?;
    (rest.is_empty() && quotient.len() <= threshold).then_some(quotient)
}

/// Π (X − xᵢ).
fn vanishing(points: &[Scalar]) -> Vec<Scalar> {
    let mut product = vec![Scalar::ONE];
    for x in points {
        product.insert(0, Scalar::ZERO);
        let lower: Vec<Scalar> = product.iter().skip(1).map(|c| c * x).collect();
        product = subtract(product, &lower);
    }
    product
}

/// The polynomial of degree below the number of points that takes the shares as its values.
fn interpolate(basis: &Basis, vanishing: &[Scalar], shares: &[Scalar]) -> Vec<Scalar> {
    let mut sum = vec![Scalar::ZERO; shares.len()];
    for ((x, weight), share) in basis.points().iter().zip(basis.weights()).zip(shares) {
        // Synthetic division of the vanishing polynomial by (X − x), highest degree first.
        let factor = weight * share;
        let mut carried = Scalar::ZERO;
        for (out, coefficient) in sum.iter_mut().zip(vanishing.iter().skip(1)).rev() {
            carried = carried * x + coefficient;
            *out += carried * factor;
        }
    }
    trim(sum)
}

/// Quotient and remainder; `None` if the divisor is zero.
fn divide(mut dividend: Vec<Scalar>, divisor: &[Scalar]) -> Option<(Vec<Scalar>, Vec<Scalar>)> {
    let inverse = divisor.last()?.invert();
    let mut quotient = vec![Scalar::ZERO; (dividend.len() + 1).saturating_sub(divisor.len())];
    for (shift, out) in quotient.iter_mut().enumerate().rev() {
        let lead = dividend.pop()? * inverse;
        for (target, coefficient) in dividend.iter_mut().skip(shift).zip(divisor) {
            *target -= lead * coefficient;
        }
        *out = lead;
    }
    Some((trim(quotient), trim(dividend)))
}

fn multiply(a: &[Scalar], b: &[Scalar]) -> Vec<Scalar> {
    let mut product = vec![Scalar::ZERO; (a.len() + b.len()).saturating_sub(1)];
    for (shift, a) in a.iter().enumerate() {
        for (out, b) in product.iter_mut().skip(shift).zip(b) {
            *out += a * b;
        }
    }
    trim(product)
}

fn subtract(mut a: Vec<Scalar>, b: &[Scalar]) -> Vec<Scalar> {
    a.resize(a.len().max(b.len()), Scalar::ZERO);
    for (a, b) in a.iter_mut().zip(b) {
        *a -= b;
    }
    trim(a)
}

/// Takes away leading zeros, so that the length is the degree plus one.
fn trim(mut polynomial: Vec<Scalar>) -> Vec<Scalar> {
    while polynomial.last() == Some(&Scalar::ZERO) {
        polynomial.pop();
    }
    polynomial
}

fn value(polynomial: &[Scalar], x: &Scalar) -> Scalar {
    polynomial.iter().rev().fold(Scalar::ZERO, |sum, c| sum * x + c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::hash;
    use crate::crypto::sharing::Polynomial;
    use crate::{ClientId, Suite};

    fn setting(count: usize, threshold: usize) -> (Basis, Vec<Scalar>, Scalar) {
        let secret = Scalar::from(42u8);
        let sharing = Polynomial::new(secret, (1..threshold).map(|at| Scalar::from(at as u64 + 1_000_003)));
        let ids: Vec<ClientId> = ClientId::first(2 * count as u32).step_by(2).collect();
        let shares = ids.iter().map(|&id| sharing.share(id)).collect();
        (Basis::new(&ids, threshold, &[]), shares, secret)
    }

    /// Errors without structure: small ones can cancel against small Lagrange coefficients.
    fn error(at: usize) -> Scalar {
        Scalar::from_bytes_mod_order(hash(Suite::Curious, "test error", &[&[at as u8]]))
    }

    #[test]
    fn large_binomials_do_not_look_small() {
        assert_eq!((combinations(5, 2), combinations(9, 0), combinations(40, 3)), (10, 1, 9880));
        assert_eq!(combinations(68, 64), 814_385);
        for (count, size) in [(100, 90), (200, 160), (1000, 949), (1000, 617), (4000, 2228)] {
            assert!(combinations(count, size) > ATTEMPTS, "{count} {size}");
        }
    }

    /// An owner whose shares agree but contradict its commitment costs no search.
    #[test]
    fn shares_that_agree_are_not_searched() {
        let (basis, shares, _) = setting(100, 10);
        let mut attempts = ATTEMPTS;
        assert_eq!(decode(&basis, 10, &shares, &mut attempts, |_| false), None);
        assert_eq!(attempts, ATTEMPTS - cost(100, 10));
    }

    /// Owners that deal wrong shares one after another: each costs the server a decoding of m² steps, and all of them no
    /// more than the search may cost.
    #[test]
    fn decodings_are_paid_for_until_nothing_is_left() {
        for (count, threshold) in [(12, 8), (60, 40), (100, 98)] {
            let (basis, mut shares, secret) = setting(count, threshold);
            shares[3] += error(3);
            let price = cost(count, threshold);
            assert!(price * (threshold * (count - threshold) + count) >= 3 * count * count);
            let (mut attempts, compared) = (5 * price + price - 1, std::cell::Cell::new(0));
            let mut turn = || {
                decode(&basis, threshold, &shares, &mut attempts, |found| {
                    compared.set(compared.get() + 1);
                    *found == secret
                })
            };
            for _ in 0..5 {
                assert_eq!(turn().unwrap().wrong, [3]);
            }
            assert_eq!((turn(), compared.get()), (None, 5), "the sixth is not begun");
        }
    }

    /// Two liars can choose their errors together so that leaving one honest share out gives the secret.
    #[test]
    fn liars_together_cannot_frame_an_honest_holder() {
        let (basis, shares, secret) = setting(6, 4);
        let coefficients: Vec<Scalar> = (0..6)
            .map(|at| {
                let mut unit = vec![Scalar::ZERO; 6];
                unit[at] = Scalar::ONE;
                without(&basis, &unit, &[5])
            })
            .collect();
        let mut shares = shares;
        shares[0] += coefficients[1];
        shares[1] -= coefficients[0];
        let decoded = decode(&basis, 4, &shares, &mut 5000, |found| *found == secret).unwrap();
        assert_eq!((decoded.secret, decoded.wrong), (secret, vec![0, 1]));
        // With too few attempts to try every way, the first that gives the secret does.
        let mut attempts = cost(6, 4) + 14;
        let decoded = decode(&basis, 4, &shares, &mut attempts, |found| *found == secret).unwrap();
        assert_eq!((decoded.secret, decoded.left_out, decoded.wrong), (secret, vec![5], vec![]));
        assert_eq!(decode(&basis, 4, &shares, &mut (cost(6, 4) + 3), |found| *found == secret), None);
    }

    proptest! {
        #[test]
        fn liars_up_to_half_of_the_spare_shares_are_named(
            count in 3usize..14, threshold in 2usize..10, places in prop::collection::btree_set(0usize..14, 0..7),
        ) {
            prop_assume!(threshold <= count);
            let (basis, mut shares, secret) = setting(count, threshold);
            let wrong: Vec<usize> =
                places.into_iter().filter(|&at| at < count).take((count - threshold) / 2).collect();
            for &at in &wrong {
                shares[at] += error(at);
            }
            let decoded = decode(&basis, threshold, &shares, &mut 5000, |found| *found == secret).unwrap();
            prop_assert_eq!((decoded.secret, decoded.wrong), (secret, wrong));
        }

        #[test]
        fn beyond_that_the_commitment_decides(
            count in 3usize..11, threshold in 2usize..8, places in prop::collection::btree_set(0usize..11, 1..7),
        ) {
            prop_assume!(threshold < count);
            let (basis, mut shares, secret) = setting(count, threshold);
            let wrong: Vec<usize> = places.into_iter().filter(|&at| at < count).take(count - threshold).collect();
            for &at in &wrong {
                shares[at] += error(at);
            }
            let decoded = decode(&basis, threshold, &shares, &mut 5000, |found| *found == secret).unwrap();
            prop_assert_eq!((decoded.secret, decoded.wrong), (secret, wrong));
        }
    }

    #[test]
    fn too_few_good_shares_give_nothing() {
        let (basis, mut shares, secret) = setting(6, 4);
        for (at, share) in shares.iter_mut().enumerate().take(3) {
            *share += error(at);
        }
        assert_eq!(decode(&basis, 4, &shares, &mut 5000, |found| *found == secret), None);
    }
}
