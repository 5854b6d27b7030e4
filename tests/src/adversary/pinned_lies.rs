//! What malicious clients say that only suites with signatures have, or only suite 3: draws, and two sets of sharers or
//! survivors.

use ed25519_dalek::{Signer, SigningKey};
use secagg::Misbehaviour;
use secagg::Round::{ConsistencyCheck, MaskedInputCollection, ShareKeys};

use super::clients::Outcome::{PutOut, Refused};
use super::clients::{Lie, Scene};
use super::dealing_lies::bundles_at;
use super::lies::{SIGNED, harmless, lie, on, one, with};
use super::secrets::{Bytes32, Kind, Secrets, hash};
use super::setting::{Ground, bytes};
use super::wire::{self, BUNDLE, HEADER};

const PINNED: &[Ground] = &[Ground::Pinned];

pub(super) const ALL: &[Lie] = &[
    on(
        PINNED,
        lie(
            "another-draw",
            "S22",
            "discloses another draw than it has committed to",
            ShareKeys,
            |_, mut m| {
                m[HEADER + 32] ^= 1;
                one(m)
            },
            PutOut(Misbehaviour::WrongDraw),
        ),
    ),
    on(
        PINNED,
        lie(
            "borrowed-draw",
            "S22, M12",
            "discloses the draw of another client",
            ShareKeys,
            |s, m| one(with(m, HEADER + 32, &s.others[&1][HEADER + 32..HEADER + 64])),
            PutOut(Misbehaviour::WrongDraw),
        ),
    ),
    on(
        PINNED,
        harmless(
            "the bundle is behind all others, and a holder that is none is given none",
            lie(
                "holder-of-itself",
                "M3",
                "adds itself to its holders, with a bundle that it can open",
                ShareKeys,
                |s, m| {
                    let at = bundles_at(s);
                    one([&m[..at - 4], &wire::list(&[&m[at..], &to_itself(s, &m)].concat())].concat())
                },
                PutOut(Misbehaviour::WrongBundleCount),
            ),
        ),
    ),
    on(
        PINNED,
        lie(
            "unsigned-sharers",
            "M1",
            "does not sign whom it was told of",
            MaskedInputCollection,
            |_, m| one(with(m, HEADER, &[1; 64])),
            PutOut(Misbehaviour::BadSharerSignature),
        ),
    ),
    on(
        PINNED,
        lie(
            "borrowed-sharers",
            "M12",
            "sends another client's signature over the sharers",
            MaskedInputCollection,
            |s, m| one(with(m, HEADER, &s.others[&1][HEADER..HEADER + 64])),
            PutOut(Misbehaviour::BadSharerSignature),
        ),
    ),
    on(
        PINNED,
        lie(
            "other-sharers",
            "S21",
            "signs sharers without client 1, of whom it was told",
            MaskedInputCollection,
            |s, m| one(with(m, HEADER, &signed(s, "sharers", &[&all_but(s, 1)]))),
            PutOut(Misbehaviour::BadSharerSignature),
        ),
    ),
    on(
        PINNED,
        lie(
            "sharers-without-itself",
            "S21",
            "signs sharers without itself",
            MaskedInputCollection,
            |s, m| one(with(m, HEADER, &signed(s, "sharers", &[&all_but(s, s.liar)]))),
            PutOut(Misbehaviour::BadSharerSignature),
        ),
    ),
    on(
        PINNED,
        lie(
            "two-sets-of-sharers",
            "S21",
            "signs the sharers that it was told of and then others",
            MaskedInputCollection,
            // The second message adds nothing to the sum: what it does its signature does.
            |s, m| {
                let other = signed(s, "sharers", &[&all_but(s, 1)]);
                vec![m.clone(), [&m[..HEADER], &other, &[0; 6]].concat()]
            },
            Refused(Misbehaviour::Duplicate),
        ),
    ),
    on(
        SIGNED,
        lie(
            "other-survivors",
            "S1",
            "signs a survivor set without client 1",
            ConsistencyCheck,
            |s, m| one(with(m, HEADER, &signed(s, "survivors", &[&all_but(s, 0), &all_but(s, 1)]))),
            PutOut(Misbehaviour::BadSurvivorSignature),
        ),
    ),
    on(
        SIGNED,
        lie(
            "survivors-without-itself",
            "S1",
            "signs a survivor set without itself",
            ConsistencyCheck,
            |s, m| one(with(m, HEADER, &signed(s, "survivors", &[&all_but(s, 0), &all_but(s, s.liar)]))),
            PutOut(Misbehaviour::BadSurvivorSignature),
        ),
    ),
    on(
        SIGNED,
        harmless(
            "the first signature is the one that everybody else gives too",
            lie(
                "two-sets-of-survivors",
                "S1",
                "signs the survivors that it was told of and then others",
                ConsistencyCheck,
                |s, m| {
                    let other = signed(s, "survivors", &[&all_but(s, 0), &all_but(s, 1)]);
                    vec![m.clone(), with(m, HEADER, &other)]
                },
                Refused(Misbehaviour::Duplicate),
            ),
        ),
    ),
    on(
        PINNED,
        lie(
            "sharers-for-survivors",
            "M12",
            "sends its signature over the sharers in the place of that over the survivors",
            ConsistencyCheck,
            |s, m| one(with(m, HEADER, &s.before[2][HEADER..HEADER + 64])),
            PutOut(Misbehaviour::BadSurvivorSignature),
        ),
    ),
];

/// The signature of the liar over sets of this session.
fn signed(scene: &Scene, label: &str, sets: &[&[u8]]) -> [u8; 64] {
    let session: Bytes32 = wire::key(&scene.asked[1][1..], 0);
    let parts: Vec<&[u8]> = [&session[..]].into_iter().chain(sets.iter().copied()).collect();
    let statement = hash(scene.plan.config.suite.number(), label, &parts);
    SigningKey::from_bytes(&bytes("identity", scene.liar)).sign(&statement).to_bytes()
}

/// The bits of all clients but this one.
fn all_but(scene: &Scene, out: u32) -> Vec<u8> {
    let everybody: Vec<u32> = (1..=scene.plan.setting.n).collect();
    wire::bits(&everybody, |id| id != out)
}

/// A bundle of the liar's for itself.
fn to_itself(scene: &Scene, message: &[u8]) -> [u8; BUNDLE] {
    let (config, liar) = (&scene.plan.config, scene.liar);
    let secrets = Secrets::new(config, liar, &bytes("entropy", liar));
    let shares = [Kind::MaskKey, Kind::SelfMask].map(|kind| secrets.share(kind, liar));
    let session: Bytes32 = wire::key(&message[1..], 0);
    let bundle = secrets.seal(config.suite.number(), &session, (liar, &secrets.keys[0]), shares);
    bundle.try_into().expect("a bundle")
}
