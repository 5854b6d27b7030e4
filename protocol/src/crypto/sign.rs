//! Ed25519: what identities and authorities sign, and the check of many signatures at once (spec §3.7).
//!
//! Signing is ed25519-dalek's. Checking is the equation of RFC 8032 *with* its cofactor, here, because only that
//! one gives a batch and a single check the same verdict on every input.

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha512};

use super::agree::{MINUS_ONE, ONE, is_below_p};
use super::hash;
use super::prg::{Bytes, Keystream};

/// Bytes of a signature.
pub(crate) const SIGNATURE_LEN: usize = 64;

/// A key that signs: of an identity or of an authority. In one place of the heap, so that moves leave no copies, and
/// wiped when dropped.
pub(crate) struct SecretKey(Box<SigningKey>);

impl SecretKey {
    /// The key of 32 random bytes (RFC 8032, section 5.1.5).
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self(Box::new(SigningKey::from_bytes(secret)))
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// The signature of a statement: always the same one.
    pub(crate) fn sign(&self, statement: &[u8; 32]) -> [u8; SIGNATURE_LEN] {
        self.0.sign(statement).to_bytes()
    }
}

/// The public half: a canonical point that is not of small order (`[3.7-1]`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct VerifyingKey {
    bytes: [u8; 32],
    point: EdwardsPoint,
}

impl VerifyingKey {
    /// Decodes a key; `None` if it breaks `[3.7-1]`.
    pub(crate) fn decode(bytes: &[u8; 32]) -> Option<Self> {
        let point = decode_point(bytes).filter(|point| !point.is_small_order())?;
        Some(Self { bytes: *bytes, point })
    }

    pub(crate) fn bytes(&self) -> [u8; 32] {
        self.bytes
    }

    /// The verdict of ed25519-dalek's strict check, by the equation without the cofactor: a contender of benchmarks
    /// and tests.
    pub(crate) fn verify_strict(&self, statement: &[u8; 32], signature: &[u8; SIGNATURE_LEN]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        ed25519_dalek::VerifyingKey::from_bytes(&self.bytes)
            .is_ok_and(|key| key.verify_strict(statement, &signature).is_ok())
    }
}

/// What somebody is said to have signed.
#[derive(Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) by: &'a VerifyingKey,
    pub(crate) statement: [u8; 32],
    pub(crate) signature: &'a [u8; SIGNATURE_LEN],
}

/// Whether 8·(S·B − R − k·A) is zero: step 3 of spec §3.7.
pub(crate) fn is_valid(signed: Signed<'_>) -> bool {
    Parts::of(&signed).is_some_and(|Parts { commitment, response, challenge }| {
        let key = &signed.by.point;
        let sum = EdwardsPoint::vartime_double_scalar_mul_basepoint(&-challenge, key, &response);
        (sum - commitment).mul_by_cofactor().is_identity()
    })
}

/// Whether all signatures are valid; one that nobody there could have made is not.
///
/// They are checked in batches. Runs of one key cost least.
pub(crate) fn all_valid<'a>(signed: impl ExactSizeIterator<Item = Option<Signed<'a>>>) -> bool {
    let most = points_at_once(signed.len());
    let (mut batch, mut points) = (Vec::new(), 0);
    for one in signed {
        let Some(one) = one else { return false };
        let is_run = |last: &Signed<'_>| last.by.bytes == one.by.bytes;
        let more = if batch.last().is_some_and(is_run) { 1 } else { 2 };
        if points + more > most {
            if !is_valid_batch(&batch) {
                return false;
            }
            batch.clear();
            points = 0;
        }
        points += if batch.is_empty() { 2 } else { more };
        batch.push(one);
    }
    is_valid_batch(&batch)
}

/// The points of one batch: a commitment for each signature, and the key of each run.
///
/// A table of 1,280 bytes is made of each, in a list that doubles as it grows, so that memory peaks at 21 KB for 8
/// points and at 85 KB for 32. A peer that sends many signatures can make that grow, but by less than 90 bytes each.
fn points_at_once(signatures: usize) -> usize {
    1 << (signatures / 30).clamp(8, 32).ilog2()
}

/// A signature taken apart: R, S and the challenge k.
struct Parts {
    commitment: EdwardsPoint,
    response: Scalar,
    challenge: Scalar,
}

impl Parts {
    fn of(signed: &Signed<'_>) -> Option<Self> {
        let (commitment, response) = signed.signature.split_first_chunk::<32>()?;
        let challenge = Sha512::new()
            .chain_update(commitment)
            .chain_update(signed.by.bytes)
            .chain_update(signed.statement)
            .finalize();
        Some(Self {
            commitment: decode_point(commitment)?,
            response: Option::from(Scalar::from_canonical_bytes(response.try_into().ok()?))?,
            challenge: Scalar::from_bytes_mod_order_wide(&challenge.into()),
        })
    }
}

/// Whether 8·(Σ z·S·B − Σ z·R − Σ z·k·A) is zero, with weights z of 128 bits that depend on all signatures.
///
/// If each signature is valid by itself it is zero for all weights; if one is not, with a chance of 2^-128 at most.
fn is_valid_batch(signed: &[Signed<'_>]) -> bool {
    let Some(parts) = signed.iter().map(Parts::of).collect::<Option<Vec<Parts>>>() else { return false };
    let mut base = Scalar::ZERO;
    let mut terms: Vec<(Scalar, EdwardsPoint)> = Vec::with_capacity(2 * signed.len());
    let mut keys: Vec<(Scalar, &VerifyingKey)> = Vec::with_capacity(signed.len());
    for ((one, parts), weight) in signed.iter().zip(&parts).zip(weights(&parts)) {
        base += weight * parts.response;
        terms.push((-weight, parts.commitment));
        let factor = -(weight * parts.challenge);
        match keys.last_mut() {
            Some((sum, key)) if key.bytes == one.by.bytes => *sum += factor,
            _ => keys.push((factor, one.by)),
        }
    }
    terms.extend(keys.into_iter().map(|(factor, key)| (factor, key.point)));
    let (scalars, points): (Vec<Scalar>, Vec<EdwardsPoint>) = terms.into_iter().unzip();
    // The generator has a table of its own already.
    let sum = EdwardsPoint::mul_base(&base) + EdwardsPoint::vartime_multiscalar_mul(scalars, points);
    sum.mul_by_cofactor().is_identity()
}

/// The weights of a batch: numbers of 128 bits that nobody can choose, because they are drawn from a hash of all
/// signatures and of what they sign.
fn weights(parts: &[Parts]) -> Vec<Scalar> {
    let all: Vec<u8> =
        parts.iter().flat_map(|one| [one.challenge.to_bytes(), one.response.to_bytes()].concat()).collect();
    let keystream = Keystream::new(&hash(None, "signature batch", &[&all]));
    let mut bytes = Bytes::new(&keystream);
    parts.iter().map(|_| Scalar::from(u128::from_le_bytes(bytes.array()))).collect()
}

/// Decodes a point as RFC 8032, section 5.1.3 does: y below p, and no sign on x = 0.
fn decode_point(bytes: &[u8; 32]) -> Option<EdwardsPoint> {
    let mut y = *bytes;
    y[31] &= 0x7f;
    let sign = bytes[31] >> 7 == 1;
    // No other y has x = 0.
    let x_is_zero = y == ONE || y == MINUS_ONE;
    let canonical = is_below_p(&y) && !(sign && x_is_zero);
    canonical.then(|| CompressedEdwardsY(*bytes).decompress()).flatten()
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;

    use super::*;

    fn key(number: u8) -> (SecretKey, VerifyingKey) {
        let secret = SecretKey::new(&[number; 32]);
        let public = VerifyingKey::decode(&secret.public()).unwrap();
        (secret, public)
    }

    /// The library's strict verdict and ours agree on what honest signers make, and on every flipped bit of it.
    #[test]
    fn honest_signatures_are_valid_and_no_bit_of_them_may_change() {
        let (secret, public) = key(1);
        let statement = [7; 32];
        let signature = secret.sign(&statement);
        let valid = |signature: &[u8; 64]| is_valid(Signed { by: &public, statement, signature });
        let strict = |signature: &[u8; 64]| public.verify_strict(&statement, signature);
        assert!(valid(&signature) && strict(&signature));
        for bit in 0..512 {
            let mut bad = signature;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(!valid(&bad) && !strict(&bad), "bit {bit}");
        }
    }

    #[test]
    fn keys_of_small_order_and_other_encodings_are_refused() {
        for point in EIGHT_TORSION {
            assert!(VerifyingKey::decode(&point.compress().0).is_none());
        }
        let mut p = [0xff; 32];
        (p[0], p[31]) = (0xed, 0x7f);
        for more in 0..19 {
            let mut above = p;
            above[0] += more;
            assert!(decode_point(&above).is_none(), "y = p + {more}");
            above[31] |= 0x80;
            assert!(decode_point(&above).is_none(), "y = p + {more}, with a sign");
        }
        for mut y in [ONE, MINUS_ONE] {
            assert!(decode_point(&y).is_some());
            y[31] |= 0x80;
            assert!(decode_point(&y).is_none());
        }
    }

    /// A signer that adds a point of small order to R: valid with the cofactor, alone and in a batch of any company,
    /// where a strict check would refuse it.
    #[test]
    fn a_batch_and_a_single_check_agree_on_points_of_small_order() {
        let statement = [3; 32];
        let (_, honest) = key(9);
        let by_honest = key(9).0.sign(&statement);
        for torsion in EIGHT_TORSION {
            // S·B = R + k·A with R = r·B + T: so S = r + k·a, and the defect is T.
            let (r, a) = (Scalar::from(5u8), Scalar::from(6u8));
            let by = VerifyingKey::decode(&EdwardsPoint::mul_base(&a).compress().0).unwrap();
            let commitment = (EdwardsPoint::mul_base(&r) + torsion).compress().0;
            let challenge = Sha512::new()
                .chain_update(commitment)
                .chain_update(by.bytes)
                .chain_update(statement)
                .finalize();
            let response = r + Scalar::from_bytes_mod_order_wide(&challenge.into()) * a;
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&commitment);
            signature[32..].copy_from_slice(response.as_bytes());
            let odd = Signed { by: &by, statement, signature: &signature };
            let fine = Signed { by: &honest, statement, signature: &by_honest };
            for batch in [&[odd][..], &[odd, fine], &[fine, odd], &[odd, odd, fine]] {
                assert!(all_valid(batch.iter().map(|one| Some(*one))));
            }
            assert_eq!(by.verify_strict(&statement, &signature), torsion.is_identity());
        }
    }

    #[test]
    fn an_invalid_signature_of_a_batch_is_found() {
        let keys: Vec<_> = (1..40).map(key).collect();
        let statement = |at: usize| [at as u8; 32];
        let signatures: Vec<_> =
            keys.iter().enumerate().map(|(at, key)| key.0.sign(&statement(at))).collect();
        let batch = |bad: Option<usize>| {
            let one = |at: usize| Signed {
                by: &keys[at].1,
                statement: if bad == Some(at) { [0xff; 32] } else { statement(at) },
                signature: &signatures[at],
            };
            all_valid((0..keys.len()).map(|at| Some(one(at))))
        };
        assert!(batch(None));
        for bad in 0..keys.len() {
            assert!(!batch(Some(bad)), "{bad}");
        }
        // Two signatures swapped: each valid for the other's statement.
        let swapped = [(0, 1), (1, 0)].map(|(of, at)| Signed {
            by: &keys[of].1,
            statement: statement(at),
            signature: &signatures[at],
        });
        assert!(!all_valid(swapped.into_iter().map(Some)));
        assert!(all_valid(std::iter::empty()));
        // Nobody's signature, alone and behind good ones.
        assert!(!all_valid([None].into_iter()));
        let good = Signed { by: &keys[0].1, statement: statement(0), signature: &signatures[0] };
        assert!(!all_valid([Some(good), Some(good), None].into_iter()));
        assert!(all_valid([Some(good), Some(good)].into_iter()));
    }

    /// Batches of all sizes, of one key and of many, end in the same verdict.
    #[test]
    fn batches_grow_with_the_signatures_and_find_the_same() {
        assert_eq!([1, 479, 480, 960, 100_000].map(points_at_once), [8, 8, 16, 32, 32]);
        let keys: Vec<_> = (1..=40).map(key).collect();
        let signatures: Vec<_> = keys.iter().map(|key| key.0.sign(&[5; 32])).collect();
        for run in [1, 3, 40] {
            for count in [100, 300, 1000] {
                let place = |at: usize| at / run % keys.len();
                for bad in [None, Some(0), Some(41), Some(count - 1)] {
                    let one = |at: usize| {
                        let statement = if bad == Some(at) { [6; 32] } else { [5; 32] };
                        let (by, signature) = (&keys[place(at)].1, &signatures[place(at)]);
                        Some(Signed { by, statement, signature })
                    };
                    assert_eq!(all_valid((0..count).map(one)), bad.is_none());
                }
            }
        }
    }
}
