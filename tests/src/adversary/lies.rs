//! What malicious clients send.

use secagg::{Misbehaviour, Round};

use super::clients::Outcome::{Aborts, Found, Harmless, PutOut, Refused, Unseen};
use super::clients::{Lie, Scene};
use super::game::{Ground, bytes, certified};
use super::secrets::{Bytes32, Secrets};
use super::wire::{self, BUNDLE, HEADER};

const ALL_GROUNDS: &[Ground] = &Ground::ALL;
const COMPLETE: &[Ground] = &[Ground::Active, Ground::Curious];
const ACTIVE: &[Ground] = &[Ground::Active];

/// A lie on all grounds, of sizes in which the others can do without the liar.
const fn lie(
    name: &'static str,
    threat: &'static str,
    says: &'static str,
    round: Round,
    tell: fn(&Scene, Vec<u8>) -> Vec<Vec<u8>>,
    outcome: super::clients::Outcome,
) -> Lie {
    Lie { name, threat, says, grounds: COMPLETE, sizes: 3..=16, round, tell, outcome }
}

const fn on(grounds: &'static [Ground], lie: Lie) -> Lie {
    Lie { grounds, ..lie }
}

use Round::{AdvertiseKeys, ConsistencyCheck, MaskedInputCollection, ShareKeys, Unmasking};

pub(super) const ALL: &[Lie] = &[
    lie(
        "seed-of-no-noise",
        "M4",
        "discloses a seed although no noise is superfluous",
        Unmasking,
        |_, m| one([m, vec![7; 32]].concat()),
        PutOut(Misbehaviour::WrongSeedCount),
    ),
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
        ACTIVE,
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
        ACTIVE,
        lie(
            "borrowed-identity",
            "M12",
            "names another client's identity and certificate",
            AdvertiseKeys,
            |s, m| one(with(m, HEADER + 64, &s.others[&1][HEADER + 64..HEADER + 160])),
            PutOut(Misbehaviour::BadKeySignature),
        ),
    ),
    on(
        ACTIVE,
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
        ACTIVE,
        lie(
            "uncertified",
            "S5",
            "has a certificate of no authority",
            AdvertiseKeys,
            |_, m| one(with(m, HEADER + 96, &[1; 64])),
            PutOut(Misbehaviour::BadCertificate),
        ),
    ),
    on(
        ACTIVE,
        lie(
            "identity-of-no-point",
            "S6",
            "has an identity that is no key",
            AdvertiseKeys,
            |_, m| one(with(m, HEADER + 64, &[0xff; 32])),
            PutOut(Misbehaviour::BadIdentity),
        ),
    ),
    on(
        ACTIVE,
        lie(
            "unsigned-keys",
            "S6",
            "does not sign its keys",
            AdvertiseKeys,
            |_, m| one(with(m, HEADER + 160, &[1; 64])),
            PutOut(Misbehaviour::BadKeySignature),
        ),
    ),
    lie(
        "short-advertisement",
        "M3",
        "cuts its advertisement short",
        AdvertiseKeys,
        |_, mut m| {
            m.pop();
            one(m)
        },
        PutOut(Misbehaviour::Malformed),
    ),
    lie(
        "no-bundles",
        "M3",
        "sends no bundles",
        ShareKeys,
        |_, m| one([&m[..HEADER + 32], &[0; 4]].concat()),
        PutOut(Misbehaviour::WrongBundleCount),
    ),
    lie(
        "bundle-too-many",
        "M3",
        "sends a bundle for somebody that is not there",
        ShareKeys,
        |_, m| {
            let bundles = [&m[HEADER + 36..], &[0; BUNDLE]].concat();
            one([&m[..HEADER + 32], &wire::list(&bundles)].concat())
        },
        PutOut(Misbehaviour::WrongBundleCount),
    ),
    on(
        ALL_GROUNDS,
        lie(
            "garbled-bundle",
            "M2",
            "sends its first neighbour a bundle that does not open",
            ShareKeys,
            |_, mut m| {
                m[HEADER + 40] ^= 1;
                one(m)
            },
            Found(Misbehaviour::BadBundle),
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
    lie(
        "short-vector",
        "M3",
        "sends a coordinate less",
        MaskedInputCollection,
        |_, mut m| {
            m.truncate(m.len() - 2);
            one(m)
        },
        PutOut(Misbehaviour::WrongVectorLength),
    ),
    lie(
        "empty-vector",
        "M3",
        "sends no coordinate",
        MaskedInputCollection,
        |_, mut m| {
            m.truncate(HEADER);
            one(m)
        },
        PutOut(Misbehaviour::WrongVectorLength),
    ),
    lie(
        "long-vector",
        "M3",
        "sends a coordinate more",
        MaskedInputCollection,
        |_, m| one([&m[..], &[0, 0]].concat()),
        PutOut(Misbehaviour::WrongVectorLength),
    ),
    lie(
        "padding-bits",
        "M4",
        "sets bits behind the last coordinate",
        MaskedInputCollection,
        |_, mut m| {
            m[HEADER + 5] |= 0x80;
            one(m)
        },
        PutOut(Misbehaviour::NonZeroPadding),
    ),
    on(
        ALL_GROUNDS,
        lie(
            "garbage-mask",
            "M5, M10",
            "adds what is not in its input",
            MaskedInputCollection,
            |_, mut m| {
                let first = u16::from_le_bytes([m[HEADER], m[HEADER + 1]]).wrapping_add(1);
                m[HEADER..HEADER + 2].copy_from_slice(&first.to_le_bytes());
                one(m)
            },
            Unseen,
        ),
    ),
    on(
        ACTIVE,
        lie(
            "forged-consent",
            "M1",
            "does not sign the survivor set",
            ConsistencyCheck,
            |_, m| one(with(m, HEADER, &[1; 64])),
            PutOut(Misbehaviour::BadSurvivorSignature),
        ),
    ),
    on(
        ACTIVE,
        lie(
            "borrowed-consent",
            "M12",
            "sends another client's signature",
            ConsistencyCheck,
            |s, _| one(s.others[&1].clone()),
            PutOut(Misbehaviour::BadSurvivorSignature),
        ),
    ),
    on(
        ACTIVE,
        lie(
            "silent-in-consistency-check",
            "M9",
            "does not answer ConsistencyCheck",
            ConsistencyCheck,
            |_, _| Vec::new(),
            Harmless,
        ),
    ),
    on(
        ALL_GROUNDS,
        lie(
            "one-wrong-share",
            "M1",
            "gives a wrong share of one secret",
            Unmasking,
            |_, mut m| {
                m[HEADER + 8] ^= 1;
                one(m)
            },
            Found(Misbehaviour::WrongShare),
        ),
    ),
    on(
        ALL_GROUNDS,
        lie(
            "all-wrong-shares",
            "M1",
            "gives wrong shares of all secrets",
            Unmasking,
            |_, mut m| {
                m[HEADER + 8..].chunks_mut(32).for_each(|share| share[0] ^= 1);
                one(m)
            },
            Found(Misbehaviour::WrongShare),
        ),
    ),
    on(
        ALL_GROUNDS,
        lie(
            "shares-out-of-order",
            "M7",
            "gives the shares of two secrets in each other's place",
            Unmasking,
            |_, mut m| {
                let (first, rest) = m[HEADER + 8..].split_at_mut(32);
                first.swap_with_slice(&mut rest[..32]);
                one(m)
            },
            Found(Misbehaviour::WrongShare),
        ),
    ),
    on(
        ALL_GROUNDS,
        lie(
            "share-of-zero",
            "M8",
            "gives zero as a share",
            Unmasking,
            |_, m| one(with(m, HEADER + 8, &[0; 32])),
            Found(Misbehaviour::WrongShare),
        ),
    ),
    on(
        ALL_GROUNDS,
        lie(
            "share-out-of-range",
            "M4, M7",
            "gives a share that is no canonical scalar",
            Unmasking,
            |_, m| one(with(m, HEADER + 8, &[0xff; 32])),
            PutOut(Misbehaviour::NonCanonicalShare),
        ),
    ),
    lie(
        "share-missing",
        "M1",
        "gives a share less",
        Unmasking,
        |_, m| one([&m[..HEADER + 4], &wire::list(&m[HEADER + 8..m.len() - 32])].concat()),
        PutOut(Misbehaviour::WrongShareCount),
    ),
    on(
        COMPLETE,
        lie(
            "framed-owner",
            "M12",
            "says that a good bundle did not open",
            Unmasking,
            |s, m| one(unopened(&m, first_owner(s), true)),
            Found(Misbehaviour::BadBundle),
        ),
    ),
    lie(
        "framed-stranger",
        "M12",
        "says so of somebody that it was not asked about",
        Unmasking,
        |s, m| one(unopened(&m, s.liar + 7, true)),
        PutOut(Misbehaviour::BadUnopenedList),
    ),
    lie(
        "framed-itself",
        "M12",
        "says so of itself",
        Unmasking,
        |s, m| one(unopened(&m, s.liar, true)),
        PutOut(Misbehaviour::BadUnopenedList),
    ),
    lie(
        "share-and-complaint",
        "M12",
        "says so and gives all shares",
        Unmasking,
        |s, m| one(unopened(&m, first_owner(s), false)),
        PutOut(Misbehaviour::WrongShareCount),
    ),
    lie("silent-in-unmasking", "M9", "does not answer Unmasking", Unmasking, |_, _| Vec::new(), Harmless),
    lie(
        "silent-in-collection",
        "M9",
        "does not send its masked input",
        MaskedInputCollection,
        |_, _| Vec::new(),
        Harmless,
    ),
    lie("silent-in-sharing", "M9", "does not share its secrets", ShareKeys, |_, _| Vec::new(), Harmless),
    on(
        ALL_GROUNDS,
        lie(
            "answers-twice",
            "M6",
            "sends its masked input twice",
            MaskedInputCollection,
            |_, m| vec![m.clone(), m],
            Refused(Misbehaviour::Duplicate),
        ),
    ),
    on(
        ALL_GROUNDS,
        lie(
            "answers-late",
            "S8",
            "repeats the answer of the round before, then answers",
            MaskedInputCollection,
            |s, m| vec![s.before.last().cloned().unwrap_or_default(), m],
            Refused(Misbehaviour::WrongRound),
        ),
    ),
    on(
        ALL_GROUNDS,
        lie(
            "answers-elsewhere",
            "S8",
            "answers in another session, then in this one",
            Unmasking,
            |_, m| vec![with(m.clone(), 1, &[!m[1]]), m],
            Refused(Misbehaviour::WrongSession),
        ),
    ),
];

fn one(message: Vec<u8>) -> Vec<Vec<u8>> {
    vec![message]
}

fn with(mut message: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    message[at..at + bytes.len()].copy_from_slice(bytes);
    message
}

/// An owner whose bundle the liar holds, on any graph.
fn first_owner(scene: &Scene) -> u32 {
    scene.liar - 1
}

/// An advertisement with client 1's encryption key, or with its identity, signed as it must be.
fn rekeyed(scene: &Scene, message: &[u8], key: bool) -> Vec<u8> {
    let other = if key { 1 } else { scene.liar };
    let first: Bytes32 = wire::key(&scene.others.get(&other).map_or(message, |m| m)[HEADER..], 0);
    let keys = [first, wire::key(&message[HEADER..], 1)];
    let identity = bytes("identity", if key { scene.liar } else { 1 });
    let forged =
        super::game::Game::new(scene.plan.clone()).forge(&keys, scene.liar, &identity, certified(&identity));
    [&message[..HEADER], &forged].concat()
}

/// A bundle for client 1, or for the first neighbour, with another share of the mask key and of the self mask seed.
fn misdealt(scene: &Scene, message: Vec<u8>) -> Vec<u8> {
    use super::secrets::Kind;
    let config = &scene.plan.config;
    let session: Bytes32 = wire::key(&message[1..], 0);
    let secrets = Secrets::new(config, scene.liar, &bytes("entropy", scene.liar));
    for holder in 1..scene.liar {
        let keys = Secrets::new(config, holder, &bytes("entropy", holder)).keys;
        let shares = |at| [Kind::MaskKey, Kind::SelfMask].map(|kind| secrets.share(kind, at));
        let suite = config.suite.number();
        let right = secrets.seal(suite, &session, (holder, &keys[0]), shares(holder));
        let wrong = secrets.seal(suite, &session, (holder, &keys[0]), shares(scene.liar + 9));
        let mut bundles = message[HEADER + 36..].chunks(BUNDLE);
        if let Some(at) = bundles.position(|bundle| bundle == right) {
            return with(message, HEADER + 36 + at * BUNDLE, &wrong);
        }
    }
    message
}

/// An answer that lists an owner as unopened, with its share left out or not.
fn unopened(message: &[u8], owner: u32, left_out: bool) -> Vec<u8> {
    let shares = &message[HEADER + 8..];
    let keep = if left_out { shares.len() - 32 } else { shares.len() };
    // On the complete graph the shares are those of all ids: the owner's is the one before the liar's own.
    let last_but_one = shares.len().saturating_sub(64);
    let kept = match left_out {
        true => [&shares[..last_but_one], &shares[last_but_one + 32..]].concat(),
        false => shares[..keep].to_vec(),
    };
    [&message[..HEADER], &wire::list(&owner.to_be_bytes()), &wire::list(&kept)].concat()
}
