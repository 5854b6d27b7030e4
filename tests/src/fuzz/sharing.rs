//! Reconstruction, with and without wrong shares, against interpolation by the textbook over every subset.

use std::collections::BTreeSet;

use arbitrary::{Result, Unstructured};
use curve25519_dalek::scalar::Scalar;
use secagg::ClientId;
use secagg::conformance::{decoded, secret};

pub(super) fn sharing(data: &[u8]) {
    let _ = check(&mut Unstructured::new(data));
}

fn check(from: &mut Unstructured<'_>) -> Result<()> {
    let holders = from.int_in_range(2..=7usize)?;
    let threshold = from.int_in_range(2..=holders)?;
    let mut points = BTreeSet::new();
    while points.len() < holders {
        // Small ids and great ones, whose differences go through different code.
        let id =
            if from.arbitrary()? { from.int_in_range(1..=16)? } else { from.int_in_range(1..=u32::MAX)? };
        if !points.insert(id) && from.is_empty() {
            return Ok(());
        }
    }
    let polynomial = (0..threshold).map(|_| scalar(from)).collect::<Result<Vec<Scalar>>>()?;
    let mut shares: Vec<(u32, Scalar)> = points.into_iter().map(|x| (x, value(&polynomial, x))).collect();
    let mut wrong = Vec::new();
    for (at, (_, share)) in shares.iter_mut().enumerate() {
        if from.ratio(1, 3)? {
            let offset = scalar(from)?;
            *share += offset;
            wrong.extend((offset != Scalar::ZERO).then_some(at));
        }
    }
    let ours = |shares: &[(u32, Scalar)]| -> Vec<(ClientId, [u8; 32])> {
        shares.iter().map(|(x, y)| (ClientId::new(*x).expect("not zero"), y.to_bytes())).collect()
    };
    assert_eq!(secret(&ours(&shares)), textbook(&shares).to_bytes());

    let committed = polynomial[0].to_bytes();
    let found = decoded(&ours(&shares), threshold, |secret| *secret == committed);
    let possible = subsets(&shares, threshold).any(|some| textbook(&some) == polynomial[0]);
    assert_eq!(found.as_ref().map(|(secret, _)| *secret), possible.then_some(committed));
    if wrong.len() <= (holders - threshold) / 2 {
        assert_eq!(found, Some((committed, wrong)), "few enough liars are named, and nobody else");
    }
    Ok(())
}

fn scalar(from: &mut Unstructured<'_>) -> Result<Scalar> {
    Ok(Scalar::from_bytes_mod_order(from.arbitrary()?))
}

fn value(polynomial: &[Scalar], x: u32) -> Scalar {
    polynomial.iter().rev().fold(Scalar::ZERO, |sum, coefficient| sum * Scalar::from(x) + coefficient)
}

/// Lagrange's formula at zero.
fn textbook(shares: &[(u32, Scalar)]) -> Scalar {
    let term = |(x, y): &(u32, Scalar)| {
        let others = shares.iter().filter(|(other, _)| other != x);
        let factor = |(other, _): &(u32, Scalar)| {
            Scalar::from(*other) * (Scalar::from(*other) - Scalar::from(*x)).invert()
        };
        y * others.map(factor).product::<Scalar>()
    };
    shares.iter().map(term).sum()
}

fn subsets(shares: &[(u32, Scalar)], size: usize) -> impl Iterator<Item = Vec<(u32, Scalar)>> {
    let sets = (0u32..1 << shares.len()).filter(move |set| set.count_ones() as usize == size);
    sets.map(|set| (0..shares.len()).filter(|at| set >> at & 1 == 1).map(|at| shares[at]).collect())
}
