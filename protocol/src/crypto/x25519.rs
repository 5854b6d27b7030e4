//! X25519 (RFC 7748) by one of two libraries, to the same bytes: x25519-dalek in pure Rust, or AWS-LC with the
//! feature `aws-lc`.

use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

/// The library that clients and servers of this build agree with.
#[cfg(not(feature = "aws-lc"))]
pub(crate) type Built = Dalek;
/// The library that clients and servers of this build agree with.
#[cfg(feature = "aws-lc")]
pub(crate) type Built = aws_lc::AwsLc;

/// The private half of a key pair, wiped when it is dropped.
pub(crate) trait PrivateKey: Sized {
    /// From 32 bytes, which are clamped when they are used, with the public half.
    fn pair(secret: &[u8; 32]) -> (Self, [u8; 32]);

    /// The agreement with the owner of `public`; none if it is zero.
    fn agree(&self, public: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>>;
}

/// x25519-dalek.
pub(crate) struct Dalek(StaticSecret);

impl PrivateKey for Dalek {
    fn pair(secret: &[u8; 32]) -> (Self, [u8; 32]) {
        let secret = StaticSecret::from(*secret);
        let public = PublicKey::from(&secret).to_bytes();
        (Self(secret), public)
    }

    fn agree(&self, public: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
        let shared = self.0.diffie_hellman(&PublicKey::from(*public));
        shared.was_contributory().then(|| Zeroizing::new(shared.to_bytes()))
    }
}

#[cfg(feature = "aws-lc")]
pub(crate) mod aws_lc {
    //! AWS-LC overwrites every allocation of its own when it frees it, private keys among them.

    use aws_lc_rs::agreement::{self, UnparsedPublicKey, X25519};
    use zeroize::Zeroizing;

    use super::PrivateKey;

    /// AWS-LC.
    pub(crate) struct AwsLc(agreement::PrivateKey);

    impl PrivateKey for AwsLc {
        #[expect(clippy::expect_used, reason = "as when Rust itself has no memory left")]
        fn pair(secret: &[u8; 32]) -> (Self, [u8; 32]) {
            let key = agreement::PrivateKey::from_private_key(&X25519, secret);
            let key = key.expect("fails only without memory");
            let public = key.compute_public_key().expect("fails only without memory");
            let mut bytes = [0; 32];
            bytes.copy_from_slice(public.as_ref());
            (Self(key), bytes)
        }

        fn agree(&self, public: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
            let public = UnparsedPublicKey::new(&X25519, public);
            let copy = |shared: &[u8]| Ok(Zeroizing::new(<[u8; 32]>::try_from(shared).map_err(drop)?));
            agreement::agree(&self.0, public, (), copy).ok()
        }
    }
}

#[cfg(all(test, feature = "aws-lc"))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any encoding: random, of a public key, and small or close to 2^255 − 19 with either high bit.
    fn public() -> impl Strategy<Value = [u8; 32]> {
        let near = |first: u8, rest: u8, last: u8| {
            let mut bytes = [rest; 32];
            (bytes[0], bytes[31]) = (first, last);
            bytes
        };
        prop_oneof![
            any::<[u8; 32]>(),
            any::<[u8; 32]>().prop_map(|secret| Dalek::pair(&secret).1),
            (any::<u8>(), prop_oneof![Just(0), Just(0x80)])
                .prop_map(move |(first, high)| near(first, 0, high)),
            (any::<u8>(), prop_oneof![Just(0x7f), Just(0xff)])
                .prop_map(move |(first, last)| near(first, 0xff, last)),
        ]
    }

    proptest! {
        #[test]
        fn both_libraries_give_the_same_bytes(secret: [u8; 32], public in public()) {
            let (dalek, one) = Dalek::pair(&secret);
            let (aws_lc, other) = aws_lc::AwsLc::pair(&secret);
            prop_assert_eq!(one, other);
            prop_assert_eq!(dalek.agree(&public), aws_lc.agree(&public));
        }
    }
}
