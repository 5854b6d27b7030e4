//! What malicious clients advertise and deal.

use secagg::Misbehaviour;

use super::clients::Outcome::{Aborts, Found, PutOut};
use super::clients::{Lie, Scene};
use super::game::Game;
use super::lies::{ALL_GROUNDS, SIGNED, harmless, lie, on, one, with};
use super::secrets::{Bytes32, Kind, Secrets};
use super::setting::{bytes, certified};
use super::twin::proof_at;
use super::wire::{self, BUNDLE, HEADER};

use secagg::Round::{AdvertiseKeys, ShareKeys};

pub(super) const ALL: &[Lie] = &[
    lie(
        "low-order-key",
        "I1",
        "advertises an encryption key of low order",
        AdvertiseKeys,
        |_, m| one(with(m, HEADER, &[0; 32])),
        PutOut(Misbehaviour::BadEncryptionKey),
    ),
    lie(
        "key-out-of-range",
        "M4",
        "advertises an encryption key above the prime",
        AdvertiseKeys,
        |_, m| one(with(m, HEADER, &[0xff; 32])),
        PutOut(Misbehaviour::BadEncryptionKey),
    ),
    lie(
        "neutral-mask-key",
        "M4",
        "advertises the neutral element as mask key",
        AdvertiseKeys,
        |_, m| one(with(m, HEADER + 32, &[0; 32])),
        PutOut(Misbehaviour::BadMaskKey),
    ),
    lie(
        "mask-key-of-no-point",
        "M4",
        "advertises a mask key that is no element",
        AdvertiseKeys,
        |_, m| one(with(m, HEADER + 32, &[0xff; 32])),
        PutOut(Misbehaviour::BadMaskKey),
    ),
    lie(
        "copied-key",
        "S7",
        "advertises the encryption key of another client, rightly signed",
        AdvertiseKeys,
        |s, m| one(rekeyed(s, &m, true)),
        PutOut(Misbehaviour::DuplicateKey),
    ),
    on(
        SIGNED,
        lie(
            "copied-advertisement",
            "M12",
            "sends another client's advertisement as its own",
            AdvertiseKeys,
            |s, m| one(s.others.get(&1).cloned().unwrap_or(m)),
            PutOut(Misbehaviour::BadKeySignature),
        ),
    ),
    on(
        SIGNED,
        lie(
            "borrowed-identity",
            "M12",
            "names another client's identity and certificate",
            AdvertiseKeys,
            |s, m| one(with_proof(m, 0, &s.others[&1][proof_at(&s.others[&1])..][..96])),
            PutOut(Misbehaviour::BadKeySignature),
        ),
    ),
    on(
        SIGNED,
        lie(
            "shared-identity",
            "S7",
            "takes part with the identity of another client, rightly signed",
            AdvertiseKeys,
            |s, m| one(rekeyed(s, &m, false)),
            PutOut(Misbehaviour::DuplicateIdentity),
        ),
    ),
    on(
        SIGNED,
        lie(
            "uncertified",
            "S5",
            "has a certificate of no authority",
            AdvertiseKeys,
            |_, m| one(with_proof(m, 32, &[1; 64])),
            PutOut(Misbehaviour::BadCertificate),
        ),
    ),
    on(
        SIGNED,
        lie(
            "identity-of-no-point",
            "S6",
            "has an identity that is no key",
            AdvertiseKeys,
            |_, m| one(with_proof(m, 0, &[0xff; 32])),
            PutOut(Misbehaviour::BadIdentity),
        ),
    ),
    on(
        SIGNED,
        lie(
            "unsigned-keys",
            "S6",
            "does not sign its keys",
            AdvertiseKeys,
            |_, m| one(with_proof(m, 96, &[1; 64])),
            PutOut(Misbehaviour::BadKeySignature),
        ),
    ),
    lie(
        "short-advertisement",
        "M3",
        "cuts its advertisement short",
        AdvertiseKeys,
        |_, mut m| {
            m.truncate(m.len() - 32);
            one(m)
        },
        PutOut(Misbehaviour::Malformed),
    ),
    lie(
        "no-bundles",
        "M3",
        "sends no bundles",
        ShareKeys,
        |s, m| one([&m[..bundles_at(s) - 4], &[0; 4]].concat()),
        PutOut(Misbehaviour::WrongBundleCount),
    ),
    lie(
        "bundle-too-many",
        "M3",
        "sends a bundle for somebody that is not there",
        ShareKeys,
        |s, m| {
            let at = bundles_at(s);
            one([&m[..at - 4], &wire::list(&[&[0; BUNDLE], &m[at..]].concat())].concat())
        },
        PutOut(Misbehaviour::WrongBundleCount),
    ),
    on(
        ALL_GROUNDS,
        harmless(
            "the shares of the other holders are enough",
            lie(
                "garbled-bundle",
                "M2",
                "sends its first neighbour a bundle that does not open",
                ShareKeys,
                |s, mut m| {
                    m[bundles_at(s) + 4] ^= 1;
                    one(m)
                },
                Found(Misbehaviour::BadBundle),
            ),
        ),
    ),
    on(
        ALL_GROUNDS,
        lie(
            "inconsistent-dealing",
            "M2",
            "seals a share to one holder that is on no polynomial of its others",
            ShareKeys,
            |s, m| one(misdealt(s, m)),
            Found(Misbehaviour::WrongShare),
        ),
    ),
    on(
        ALL_GROUNDS,
        harmless(
            "the secret that is shared is the right one: it cannot be told from a wrong one",
            lie(
                "false-commitment",
                "M2",
                "commits to another seed than it shares",
                ShareKeys,
                |_, mut m| {
                    m[HEADER] ^= 1;
                    one(m)
                },
                Aborts(129),
            ),
        ),
    ),
];

/// Where the bundles begin in a ShareKeysResponse.
pub(super) fn bundles_at(scene: &Scene) -> usize {
    HEADER + if scene.is_pinned() { 68 } else { 36 }
}

/// An advertisement with other bytes at this place of its proof: identity, certificate, signature.
fn with_proof(message: Vec<u8>, place: usize, bytes: &[u8]) -> Vec<u8> {
    let at = proof_at(&message) + place;
    with(message, at, bytes)
}

/// An advertisement with client 1's encryption key, or with its identity, signed as it must be.
fn rekeyed(scene: &Scene, message: &[u8], key: bool) -> Vec<u8> {
    let other = if key { 1 } else { scene.liar };
    let first: Bytes32 = wire::key(&scene.others.get(&other).map_or(message, |m| m)[HEADER..], 0);
    let keys = [first, wire::key(&message[HEADER..], 1)];
    let identity = bytes("identity", if key { scene.liar } else { 1 });
    let forged = Game::new(scene.plan.clone()).forge(&keys, scene.liar, &identity, certified(&identity));
    [&message[..HEADER], &forged].concat()
}

/// A bundle for client 1, or for the first neighbour, with another share of the mask key and of the self mask seed.
fn misdealt(scene: &Scene, message: Vec<u8>) -> Vec<u8> {
    let config = &scene.plan.config;
    let session: Bytes32 = wire::key(&message[1..], 0);
    let secrets = Secrets::new(config, scene.liar, &bytes("entropy", scene.liar));
    for holder in 1..scene.liar {
        let keys = Secrets::new(config, holder, &bytes("entropy", holder)).keys;
        let shares = |at| [Kind::MaskKey, Kind::SelfMask].map(|kind| secrets.share(kind, at));
        let suite = config.suite.number();
        let right = secrets.seal(suite, &session, (holder, &keys[0]), shares(holder));
        let wrong = secrets.seal(suite, &session, (holder, &keys[0]), shares(scene.liar + 9));
        let mut bundles = message[bundles_at(scene)..].chunks(BUNDLE);
        if let Some(at) = bundles.position(|bundle| bundle == right) {
            return with(message, bundles_at(scene) + at * BUNDLE, &wrong);
        }
    }
    message
}
