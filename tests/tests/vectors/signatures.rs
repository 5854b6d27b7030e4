//! Identities, statements and the check of signatures (spec §3.7), and hashes of other suites than the first.

use secagg_tests::conform::scenario::{active, config, credentials, identity_secret};
use serde_json::json;

use crate::book::Book;
use crate::derivations::derive;
use crate::rehearsal::bytes;

/// What is no identity: points of small order, and what encodes no point (RFC 8032, section 5.1.3).
pub(crate) const BAD_IDENTITIES: [(&str, &str); 13] = [
    ("neutral", "0100000000000000000000000000000000000000000000000000000000000000"),
    ("order-two", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("order-four", "0000000000000000000000000000000000000000000000000000000000000000"),
    ("order-four-other", "0000000000000000000000000000000000000000000000000000000000000080"),
    ("order-eight-1", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    ("order-eight-2", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
    ("order-eight-3", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    ("order-eight-4", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
    ("zero-with-a-sign", "0100000000000000000000000000000000000000000000000000000000000080"),
    ("prime-plus-one", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("prime-plus-four", "f1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("off-the-curve", "0200000000000000000000000000000000000000000000000000000000000000"),
    ("all-bits", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
];

/// The public key of the secret 07…07, what it signs below, and its signature.
const KEY: &str = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";
const STATEMENT: [u8; 32] = [3; 32];
const SIGNATURE: &str = "47d8693b0cafc1845decc1093ea317b814c9cad0bc02329d5765c3c95d96a54b\
    3866f1c120b04579a8f5e9c1b0ac63db51561f2b7d1f64eb3c35dda329a4b004";

/// Signatures that only the owner of the secret can make, and the verdict. With a point of small order in R or in the
/// key the equation without the cofactor does not hold.
const ODD: [(&str, &str, &str, bool); 7] = [
    (
        "commitment-with-small-order",
        KEY,
        "d0424b701d60255de5df705071059ccd22b8349bb4138202ebbd65e9e0ad211b\
         9ec7002d793ad820793ed233b220aa00a009f14c674bd0d82e92d2f74a2d6d0a",
        true,
    ),
    (
        "commitment-of-small-order",
        KEY,
        "0000000000000000000000000000000000000000000000000000000000000080\
         10942cf445a9a91b5356147a8a25e80ef81232b43934f704a5bbc07f903d5003",
        true,
    ),
    (
        "commitment-neutral",
        KEY,
        "0100000000000000000000000000000000000000000000000000000000000000\
         32dea96fff700eb38a040a1f4d57418d603db1267e403d8e04e9368c6110dd0f",
        true,
    ),
    (
        "key-with-small-order",
        "1f4f580e73ac208f06760190e9edc6f5916775dabd9c1cdca393175c2d6d1083",
        "edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df\
         4f7289f2fab3f1c45fd7feeb0b49dd593e4af0e71948a8289e6b25fc16da1a01",
        true,
    ),
    (
        "commitment-not-canonical",
        KEY,
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f\
         51322e47704e84f9ba48f4f8e4010fbd28d85c11022e1fdc01041379392c5d0c",
        false,
    ),
    (
        "commitment-zero-with-a-sign",
        KEY,
        "0100000000000000000000000000000000000000000000000000000000000080\
         77afe095a7e849366f84353e90da51c0e2ec2dc42cf070ea36a6c9759d23f30f",
        false,
    ),
    (
        "response-plus-order",
        KEY,
        "47d8693b0cafc1845decc1093ea317b814c9cad0bc02329d5765c3c95d96a54b\
         253ae71e3b1358d17e92e1648fa642f051561f2b7d1f64eb3c35dda329a4b014",
        false,
    ),
];

pub(crate) fn write(book: &mut Book) {
    other_suites(book);
    signers(book);
    statements(book);
    checks(book);
}

fn other_suites(book: &mut Book) {
    for suite in [0, 2] {
        let request = json!({"suite": suite, "label": "certificate", "parts": "5a".repeat(32)});
        book.known(&format!("3.1/hash-of-suite-{suite}"), derive("hash", request));
    }
    let request = json!({
        "suite": 2, "label": "self mask", "salt": hex::encode([1; 32]), "ikm": hex::encode([2; 32]),
        "parts": "00000007",
    });
    book.known("3.1/key-of-suite-2", derive("key", request));
}

fn signers(book: &mut Book) {
    for number in 1..=3 {
        let secret = hex::encode(identity_secret(number));
        book.known(&format!("3.7/identity-{number}"), derive("identity", json!({"secret": secret})));
        let request = json!({"secret": secret, "statement": hex::encode([number as u8; 32])});
        book.known(&format!("3.7/signature-{number}"), derive("signature", request));
    }
}

/// The statements, and the one signature that each has.
fn statements(book: &mut Book) {
    let config = active(config(None, 5, 4, &[], 3), 2);
    for (name, session, sharers, survivors) in [
        ("one-byte", 1, "1f", "17"),
        ("two-bytes", 1, "ff01", "7f01"),
        ("other-session", 2, "1f", "17"),
        ("one-set", 1, "1f", "1f"),
    ] {
        let session = hex::encode([session; 32]);
        let request = json!({"session": session, "sharers": sharers, "survivors": survivors});
        book.known(&format!("3.7/survivors-statement-{name}"), derive("survivors statement", request));
    }
    for client in [1, 5] {
        let identity = derive("identity", json!({"secret": hex::encode(identity_secret(client))}));
        let identity = book.ask(&identity)["identity"].clone();
        let certificate = derive("certificate statement", json!({"identity": identity}));
        book.known(&format!("3.7/certificate-statement-{client}"), certificate.clone());
        let statement = book.ask(&certificate)["statement"].clone();
        let request = json!({
            "identity": config["authority"], "statement": statement,
            "signature": credentials(client)["certificate"],
        });
        book.known(&format!("3.7/certificate-of-{client}"), derive("checked signature", request));
        let request = json!({
            "config": config, "client": client, "encryption_key": "11".repeat(32), "mask_key": "22".repeat(32),
        });
        let id = format!("3.7/advertisement-statement-{client}");
        book.known(&id, derive("advertisement statement", request));
    }
}

fn checks(book: &mut Book) {
    let check = |identity: &str, statement: &[u8], signature: &str| {
        let statement = hex::encode(statement);
        derive(
            "checked signature",
            json!({"identity": identity, "statement": statement, "signature": signature}),
        )
    };
    let valid = book.known("3.7/check-honest", check(KEY, &STATEMENT, SIGNATURE));
    assert_eq!(valid["valid"], true);
    for (name, identity, signature, valid) in ODD {
        let answer = book.known(&format!("3.7/check-{name}"), check(identity, &STATEMENT, signature));
        assert_eq!(answer["valid"], valid, "{name}");
    }
    let signature = bytes(&SIGNATURE.into());
    for (name, at) in [("first", 0), ("last-of-commitment", 31), ("first-of-response", 32), ("last", 63)] {
        let mut spoilt = signature.clone();
        spoilt[at] ^= 1;
        let answer = book
            .known(&format!("3.7/check-changed-{name}-byte"), check(KEY, &STATEMENT, &hex::encode(spoilt)));
        assert_eq!(answer["valid"], false);
    }
    let answer = book.known("3.7/check-other-statement", check(KEY, &[4; 32], SIGNATURE));
    assert_eq!(answer["valid"], false);
    for (name, identity) in BAD_IDENTITIES {
        // Of a key of small order, this would be a signature of every eighth statement at least.
        let forged = format!("{identity}{}", "00".repeat(32));
        book.breaks(&format!("3.7-1/check-{name}"), check(identity, &STATEMENT, &forged));
    }
}
