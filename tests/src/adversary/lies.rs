//! What malicious clients send behind their secrets, and what lies have in common.

use secagg::{Misbehaviour, Round};

use super::clients::Outcome::{Aborts, Found, Harmless, PutOut, Refused, RightOrNone, Unseen};
use super::clients::{Liars, Lie, Scene};
use super::setting::{Ground, bytes};
use super::wire::{self, HEADER};

pub(super) const ALL_GROUNDS: &[Ground] = &[Ground::Active, Ground::Curious, Ground::Sparse, Ground::Pinned];
/// Where the others can do without the liar.
const WITH_SPARE: &[Ground] = &[Ground::Active, Ground::Curious, Ground::Pinned];
pub(super) const SIGNED: &[Ground] = &[Ground::Active, Ground::Pinned];

/// A lie where the others can do without the liar.
pub(super) const fn lie(
    name: &'static str,
    threat: &'static str,
    says: &'static str,
    round: Round,
    tell: fn(&Scene, Vec<u8>) -> Vec<Vec<u8>>,
    outcome: super::clients::Outcome,
) -> Lie {
    let (liars, harmless) = (Liars::One, None);
    Lie { name, threat, says, grounds: WITH_SPARE, sizes: 3..=16, round, tell, outcome, liars, harmless }
}

pub(super) const fn on(grounds: &'static [Ground], lie: Lie) -> Lie {
    Lie { grounds, ..lie }
}

/// A lie of more than one client.
const fn told_by(liars: Liars, lie: Lie) -> Lie {
    Lie { liars, ..lie }
}

/// A lie that costs a server without checks nothing.
pub(super) const fn harmless(why: &'static str, lie: Lie) -> Lie {
    Lie { harmless: Some(why), ..lie }
}

use Round::{ConsistencyCheck, MaskedInputCollection, ShareKeys, Unmasking};

pub(super) const ALL: &[Lie] = &[
    harmless(
        "the server has nothing to subtract, and leaves the seed where it is",
        lie(
            "seed-of-no-noise",
            "M4",
            "discloses a seed although no noise is superfluous",
            Unmasking,
            |_, m| one([m, vec![7; 32]].concat()),
            PutOut(Misbehaviour::WrongSeedCount),
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
            m.truncate(vector_at(&m));
            one(m)
        },
        PutOut(Misbehaviour::WrongVectorLength),
    ),
    lie(
        "long-vector",
        "M3",
        "sends a coordinate more",
        MaskedInputCollection,
        |_, m| {
            let (head, vector) = m.split_at(vector_at(&m));
            one([head, &[0, 0], vector].concat())
        },
        PutOut(Misbehaviour::WrongVectorLength),
    ),
    harmless(
        "bits behind the end are in no coordinate: the rule is that there is one encoding",
        lie(
            "padding-bits",
            "M4",
            "sets bits behind the last coordinate",
            MaskedInputCollection,
            |_, mut m| {
                let last = m.len() - 1;
                m[last] |= 0x80;
                one(m)
            },
            PutOut(Misbehaviour::NonZeroPadding),
        ),
    ),
    on(
        ALL_GROUNDS,
        lie(
            "garbage-mask",
            "M5, M10",
            "adds what is not in its input",
            MaskedInputCollection,
            |_, m| {
                let at = vector_at(&m);
                let first = u16::from_le_bytes([m[at], m[at + 1]]).wrapping_add(1);
                one(with(m, at, &first.to_le_bytes()))
            },
            Unseen,
        ),
    ),
    on(
        SIGNED,
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
        SIGNED,
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
        SIGNED,
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
    told_by(
        Liars::Decoded,
        lie(
            "wrong-shares-that-decoding-finds",
            "M1",
            "are as many as decoding corrects, and give wrong shares of all secrets, each its own",
            Unmasking,
            |s, m| one(wrong_shares(s, m)),
            Found(Misbehaviour::WrongShare),
        ),
    ),
    told_by(
        Liars::OneMore,
        lie(
            "wrong-shares-one-too-many",
            "M1",
            "do that and are one more",
            Unmasking,
            |s, m| one(wrong_shares(s, m)),
            RightOrNone,
        ),
    ),
    told_by(
        Liars::TooMany,
        lie(
            "too-few-right-shares",
            "M1",
            "do that and leave fewer right shares than the threshold",
            Unmasking,
            |s, m| one(wrong_shares(s, m)),
            Aborts(129),
        ),
    ),
    lie(
        "thousand-forgeries",
        "M12",
        "sends a thousand complaints about all others, made for another session, and then its answer",
        Unmasking,
        |s, m| {
            let forged = (0..1000u32).map(|at| {
                let owner = at % (s.liar - 1) + 1;
                with(unopened(s, &m, owner, false), 1, &bytes("another session", at))
            });
            forged.chain([m.clone()]).collect()
        },
        Refused(Misbehaviour::WrongSession),
    ),
    lie(
        "share-missing",
        "M1",
        "gives a share less",
        Unmasking,
        |_, m| one([&m[..HEADER + 4], &wire::list(&m[HEADER + 40..])].concat()),
        PutOut(Misbehaviour::WrongShareCount),
    ),
    on(
        WITH_SPARE,
        harmless(
            "the shares of the other holders are enough: a fault is named, with both that may have lied",
            lie(
                "framed-owner",
                "M12",
                "says that a good bundle did not open",
                Unmasking,
                |s, m| one(unopened(s, &m, first_owner(s), true)),
                Found(Misbehaviour::BadBundle),
            ),
        ),
    ),
    lie(
        "framed-stranger",
        "M12",
        "says so of somebody that it was not asked about",
        Unmasking,
        |s, m| one(unopened(s, &m, s.liar + 7, true)),
        PutOut(Misbehaviour::BadUnopenedList),
    ),
    lie(
        "framed-itself",
        "M12",
        "says so of itself",
        Unmasking,
        |s, m| one(unopened(s, &m, s.liar, true)),
        PutOut(Misbehaviour::BadUnopenedList),
    ),
    lie(
        "share-and-complaint",
        "M12",
        "says so and gives all shares",
        Unmasking,
        |s, m| one(unopened(s, &m, first_owner(s), false)),
        PutOut(Misbehaviour::WrongShareCount),
    ),
    harmless(
        "silence breaks no rule: the shares of the others are enough",
        lie("silent-in-unmasking", "M9", "does not answer Unmasking", Unmasking, |_, _| Vec::new(), Harmless),
    ),
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
            "answers in another session, with another share, then in this one",
            Unmasking,
            |_, m| vec![with(with(m.clone(), 1, &[!m[1]]), HEADER + 8, &[1; 32]), m],
            Refused(Misbehaviour::WrongSession),
        ),
    ),
];

/// Wrong shares in the place of all; no two liars' fit.
fn wrong_shares(scene: &Scene, mut message: Vec<u8>) -> Vec<u8> {
    let by = bytes("wrong share", scene.liar);
    for share in message[HEADER + 8..].chunks_mut(32) {
        share[..30].iter_mut().zip(by).for_each(|(one, by)| *one ^= by);
    }
    message
}

pub(super) fn one(message: Vec<u8>) -> Vec<Vec<u8>> {
    vec![message]
}

pub(super) fn with(mut message: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    message[at..at + bytes.len()].copy_from_slice(bytes);
    message
}

/// Where the packed vectors begin in a masked input: they are its last six bytes.
fn vector_at(message: &[u8]) -> usize {
    message.len() - 6
}

/// The first owner whose bundle the liar holds.
fn first_owner(scene: &Scene) -> u32 {
    scene.owners().into_iter().next().unwrap_or_default()
}

/// An answer that lists an owner as unopened, with its share left out or not; the first one's if it is no
/// other client that was asked for.
fn unopened(scene: &Scene, message: &[u8], owner: u32, left_out: bool) -> Vec<u8> {
    let is_it = |one: &u32| *one == owner && owner != scene.liar;
    let at = scene.owners().iter().position(is_it).unwrap_or_default();
    let shares = &message[HEADER + 8..];
    let kept = match left_out {
        true => [&shares[..32 * at], &shares[32 * at + 32..]].concat(),
        false => shares.to_vec(),
    };
    [&message[..HEADER], &wire::list(&owner.to_be_bytes()), &wire::list(&kept)].concat()
}
