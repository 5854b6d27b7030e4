//! Key pairs and agreements: X25519 for share encryption, ristretto255 for masks (spec §3.2).

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_TABLE;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use zeroize::Zeroizing;

use super::x25519::{Built, PrivateKey};
use crate::Misbehaviour;

/// An X25519 key pair; its public key encrypts shares for its owner.
pub(crate) type EncryptionKey = EncryptionKeyOf<Built>;

/// The same by one library.
pub(crate) struct EncryptionKeyOf<K> {
    secret: K,
    pub(crate) public: [u8; 32],
}

impl<K: PrivateKey> EncryptionKeyOf<K> {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        let (secret, public) = K::pair(secret);
        Self { secret, public }
    }

    /// Agrees with the owner of `public` (`[3.2-1]`).
    pub(crate) fn agree(&self, public: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, Misbehaviour> {
        if !is_below_p(public) {
            return Err(Misbehaviour::BadEncryptionKey);
        }
        self.secret.agree(public).ok_or(Misbehaviour::BadEncryptionKey)
    }
}

/// Checks that an X25519 public key is canonical and not of low order (`[3.2-1]`).
///
/// An agreement with any scalar gives zero exactly for the points of low order, because scalars are clamped to
/// multiples of the cofactor.
pub(crate) fn check_encryption_key(public: &[u8; 32]) -> Result<(), Misbehaviour> {
    if is_below_p(public) && !LOW_ORDER.contains(public) {
        Ok(())
    } else {
        Err(Misbehaviour::BadEncryptionKey)
    }
}

/// The canonical encodings of the points of low order: 0, of order 2; 1 and on the twist p − 1, of order 4; and the two of
/// order 8 on the curve. The twist has none, its cofactor is 4.
const LOW_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    ONE,
    MINUS_ONE,
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda,
        0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04,
        0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
];

/// 1 and p − 1.
pub(crate) const ONE: [u8; 32] = {
    let mut bytes = [0; 32];
    bytes[0] = 1;
    bytes
};
pub(crate) const MINUS_ONE: [u8; 32] = {
    let mut bytes = [0xff; 32];
    (bytes[0], bytes[31]) = (0xec, 0x7f);
    bytes
};

/// Whether the bytes are a number below p = 2^255 − 19.
pub(crate) fn is_below_p(public: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = public;
    *last < 0x7f || (*last == 0x7f && (middle.iter().any(|&byte| byte != 0xff) || *first < 0xed))
}

/// The public half of a mask key: a ristretto255 element that is not the identity.
#[derive(Clone, Copy)]
pub(crate) struct MaskPublicKey(RistrettoPoint);

impl MaskPublicKey {
    /// Decodes an advertised key (`[3.2-2]`).
    pub(crate) fn decode(bytes: &[u8; 32]) -> Result<Self, Misbehaviour> {
        CompressedRistretto(*bytes)
            .decompress()
            .filter(|point| !point.is_identity())
            .map(Self)
            .ok_or(Misbehaviour::BadMaskKey)
    }

    /// The secret that the owner of `secret` shares with the owner of this key.
    pub(crate) fn agree(&self, secret: &Scalar) -> Zeroizing<[u8; 32]> {
        Zeroizing::new((self.0 * secret).compress().to_bytes())
    }
}

/// The encoding of the mask key's public half.
pub(crate) fn mask_public_key(secret: &Scalar) -> [u8; 32] {
    (RISTRETTO_BASEPOINT_TABLE * secret).compress().to_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The encodings of the points of low order on curve25519 and its twist that RFC 7748 decoding reaches,
    /// with their non-canonical forms (u-coordinates 0, 1, p−1, p, p+1 and the two of order 8).
    fn low_order() -> Vec<[u8; 32]> {
        let number = |first: u8, middle: u8, last: u8| {
            let mut bytes = [middle; 32];
            bytes[0] = first;
            bytes[31] = last;
            bytes
        };
        let mut all = vec![
            number(0, 0, 0),
            number(1, 0, 0),
            number(0xec, 0xff, 0x7f),
            number(0xed, 0xff, 0x7f),
            number(0xee, 0xff, 0x7f),
        ];
        for text in [
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        ] {
            let bytes: Vec<u8> =
                (0..32).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect();
            all.push(bytes.try_into().unwrap());
        }
        all
    }

    #[test]
    fn keys_of_low_order_are_refused() {
        let key = EncryptionKey::new(&[7; 32]);
        for public in low_order() {
            let mut high_bit = public;
            high_bit[31] |= 0x80;
            for public in [public, high_bit] {
                assert_eq!(check_encryption_key(&public), Err(Misbehaviour::BadEncryptionKey));
                assert_eq!(key.agree(&public).map(drop), Err(Misbehaviour::BadEncryptionKey));
            }
        }
    }

    proptest! {
        /// Near either end of the field all but the points of low order are fine, and so is nearly every other key.
        #[test]
        fn the_check_says_what_an_agreement_says(random: [u8; 32], near: u8, at_the_end: bool, which in 0..2) {
            let mut public = [if at_the_end { 0xff } else { 0 }; 32];
            (public[0], public[31]) = (near, if at_the_end { 0x7f } else { 0 });
            let public = if which == 0 { public } else { random };
            let agreed = EncryptionKey::new(&[7; 32]).agree(&public).map(drop);
            prop_assert_eq!(check_encryption_key(&public), agreed);
        }
    }

    #[test]
    fn honest_keys_agree_both_ways() {
        let (one, other) = (EncryptionKey::new(&[1; 32]), EncryptionKey::new(&[2; 32]));
        assert!(check_encryption_key(&one.public).is_ok());
        assert_eq!(one.agree(&other.public).unwrap(), other.agree(&one.public).unwrap());
        let mut twin = one.public;
        twin[31] ^= 0x80;
        assert_eq!(check_encryption_key(&twin), Err(Misbehaviour::BadEncryptionKey));
    }

    #[test]
    fn bad_mask_keys_are_refused() {
        assert!(MaskPublicKey::decode(&[0; 32]).is_err(), "identity");
        assert!(MaskPublicKey::decode(&[0xff; 32]).is_err(), "not canonical");
        let public = mask_public_key(&Scalar::from(5u8));
        assert!(MaskPublicKey::decode(&public).is_ok());
        let mut negative = public;
        negative[0] ^= 1;
        assert!(MaskPublicKey::decode(&negative).is_err(), "negative");
    }
}
