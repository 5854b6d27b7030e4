//! Servers that lie about who takes part and with which keys: the victim, client 1, is shown neighbours that the
//! server has invented, and seals its shares to them.

use secagg::Credentials;

use super::game::{Game, bytes, certified};
use super::secrets::{Bytes32, Secrets, session_id};
use super::server::Expect::{Absent, Ends, Leaks};
use super::server::{PLAIN, Scenario};
use super::twin::Without;

const KEYS: Without = &["4.2-4"];

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "substitute-keys",
        threat: "S6",
        says: "replaces both keys of every neighbour and leaves identity and signature",
        expect: [Ends("4.2-4"), Leaks, Leaks],
        pinned: Ends("4.2-4"),
        attack: |game| invented(game, |game, keys, id| [&keys.concat(), &truth(game, id)[64..]].concat()),
        control: |plan| plan.without = Some(KEYS),
        ..PLAIN
    },
    Scenario {
        name: "substitute-encryption-keys",
        threat: "S6",
        says: "replaces the encryption key of every neighbour and nothing else",
        expect: [Ends("4.2-4"), Leaks, Leaks],
        pinned: Ends("4.2-4"),
        attack: |game| invented(game, |game, keys, id| [&keys[0], &truth(game, id)[32..]].concat()),
        control: |plan| plan.without = Some(KEYS),
        ..PLAIN
    },
    Scenario {
        name: "random-signatures",
        threat: "S6",
        says: "replaces keys and signatures, the latter by bytes of no meaning",
        expect: [Ends("4.2-4"), Absent, Absent],
        attack: |game| {
            invented(game, |game, keys, id| {
                let signature = [bytes("signature", id), [0; 32]].concat();
                [&keys.concat(), &truth(game, id)[64..160], &signature].concat()
            });
        },
        control: |plan| plan.without = Some(KEYS),
        ..PLAIN
    },
    Scenario {
        name: "uncertified-identities",
        threat: "S5",
        says: "invents neighbours with identities that nobody has certified",
        expect: [Ends("3.7-2"), Leaks, Leaks],
        attack: |game| sybils(game, |id| (bytes("invented identity", id), [0; 64])),
        control: |plan| plan.without = Some(&["3.7-2"]),
        ..PLAIN
    },
    Scenario {
        name: "foreign-certificates",
        threat: "S5",
        says: "invents neighbours that another authority has certified",
        expect: [Ends("3.7-2"), Absent, Absent],
        attack: |game| {
            sybils(game, |id| {
                let identity = bytes("invented identity", id);
                let by = secagg::Authority::new([0x44; 32]).certify(&Credentials::identity_of(&identity));
                (identity, by.expect("it can sign"))
            });
        },
        control: |plan| plan.without = Some(&["3.7-2"]),
        ..PLAIN
    },
    Scenario {
        name: "borrowed-certificates",
        threat: "S5",
        says: "gives invented identities the certificates of real ones",
        expect: [Ends("3.7-2"), Absent, Absent],
        attack: |game| {
            sybils(game, |id| (bytes("invented identity", id), certified(&bytes("identity", id))));
        },
        control: |plan| plan.without = Some(&["3.7-2"]),
        ..PLAIN
    },
    Scenario {
        name: "one-identity-many-places",
        threat: "S5, S7",
        says: "gives every place to one corrupt identity, each time with other keys, rightly signed",
        expect: [Ends("4.2-5"), Absent, Absent],
        attack: |game| {
            let identity = bytes("identity", 99);
            sybils(game, |_| (identity, certified(&identity)));
        },
        control: |plan| plan.without = Some(&["4.2-5"]),
        ..PLAIN
    },
    Scenario {
        name: "identity-of-small-order",
        threat: "S6",
        says: "invents neighbours whose identity is a point under which every statement is signed",
        expect: [Ends("3.7-1"), Absent, Absent],
        attack: |game| {
            let mut number = 0u8;
            invented(game, |_, keys, _| {
                // The neutral element; no two are the same string, so that this is not [4.2-5].
                number += 1;
                let mut neutral = [0; 32];
                neutral[0] = 1;
                neutral[31] = if number == 1 { 0 } else { 0x80 };
                [&keys.concat(), &neutral[..], &[0; 64], &neutral, &[0; 32]].concat()
            });
        },
        control: |plan| plan.without = Some(&["3.7-1", "3.7-2", "4.2-4", "4.2-5"]),
        ..PLAIN
    },
    Scenario {
        name: "keys-of-another-place",
        threat: "S7, S8",
        says: "shows certified advertisements that were signed for another place",
        expect: [Ends("4.2-4"), Absent, Absent],
        attack: |game| {
            invented(game, |game, keys, id| {
                let identity = bytes("identity", 100 + id);
                game.forge(keys, id + 1, &identity, certified(&identity))
            });
        },
        control: |plan| plan.without = Some(KEYS),
        ..PLAIN
    },
    Scenario {
        name: "keys-of-another-session",
        threat: "S8",
        says: "replays advertisements of an older session, whose keys it has learned since",
        expect: [Ends("4.2-4"), Absent, Absent],
        attack: |game| {
            invented(game, |game, keys, id| {
                let mut older = Game::new(game.plan.clone());
                older.plan.config.nonce = [9; 32];
                older.forge(keys, id, &bytes("identity", id), certified(&bytes("identity", id)))
            });
        },
        control: |plan| plan.without = Some(KEYS),
        ..PLAIN
    },
    Scenario {
        name: "one-key-for-all",
        threat: "S7",
        says: "gives all invented neighbours one encryption key",
        expect: [Ends("4.2-3"); 3],
        attack: |game| {
            let mut first = None;
            invented(game, move |game, keys, id| {
                let key = *first.get_or_insert(keys[0]);
                signed(game, &[key, keys[1]], id)
            });
        },
        control: |plan| plan.without = Some(&["4.2-3"]),
        ..PLAIN
    },
    Scenario {
        name: "one-mask-key-for-all",
        threat: "S7",
        says: "gives all invented neighbours one mask key",
        expect: [Ends("4.2-3"); 3],
        attack: |game| {
            let mut first = None;
            invented(game, move |game, keys, id| {
                let key = *first.get_or_insert(keys[1]);
                signed(game, &[keys[0], key], id)
            });
        },
        control: |plan| plan.without = Some(&["4.2-3"]),
        ..PLAIN
    },
    Scenario {
        name: "victims-key-elsewhere",
        threat: "S7, S9",
        says: "reflects the victim's mask key as that of all neighbours",
        expect: [Ends("4.2-3"); 3],
        attack: |game| {
            invented(game, |game, keys, id| {
                let own = super::wire::key(&truth(game, 1), 1);
                signed(game, &[keys[0], own], id)
            });
        },
        control: |plan| plan.without = Some(&["4.2-3"]),
        ..PLAIN
    },
    Scenario {
        name: "key-of-low-order",
        threat: "I1, S6",
        says: "gives an invented neighbour a key with which everybody agrees on zero",
        expect: [Ends("3.2-1"); 3],
        attack: |game| {
            let mut is_first = true;
            invented(game, move |game, keys, id| {
                let key = if is_first { [0; 32] } else { keys[0] };
                is_first = false;
                signed(game, &[key, keys[1]], id)
            });
        },
        control: |plan| plan.without = Some(&["3.2-1"]),
        ..PLAIN
    },
    Scenario {
        name: "one-key-in-two-forms",
        threat: "S23",
        says: "hides a repeated key behind the bit that X25519 ignores",
        expect: [Ends("3.2-1"); 3],
        pinned: Ends("3.2-1"),
        attack: |game| {
            invented(game, |game, keys, id| {
                let mut key = keys[0];
                key[31] |= 0x80;
                signed(game, &[key, keys[1]], id)
            });
        },
        control: |plan| plan.without = Some(&["3.2-1"]),
        ..PLAIN
    },
    Scenario {
        name: "no-mask-key",
        threat: "S6",
        says: "gives invented neighbours the neutral element as mask key",
        expect: [Ends("3.2-2"); 3],
        attack: |game| {
            let mut is_first = true;
            invented(game, move |game, keys, id| {
                let mask = if is_first { [0; 32] } else { keys[1] };
                is_first = false;
                signed(game, &[keys[0], mask], id)
            });
        },
        control: |plan| plan.without = Some(&["3.2-2"]),
        ..PLAIN
    },
    Scenario {
        name: "roster-out-of-order",
        threat: "S9",
        says: "shows invented neighbours in descending order",
        expect: [Ends("4.3-1"); 3],
        attack: |game| shown(game, signed, |roster| roster.reverse()),
        control: |plan| plan.without = Some(&["4.3-1"]),
        ..PLAIN
    },
    Scenario {
        name: "ids-above-n",
        threat: "S5",
        says: "adds invented neighbours above the number of clients",
        expect: [Ends("4.3-1"); 3],
        attack: |game| {
            let most = game.plan.setting.n;
            let above = move |id: u32| if id == 1 { 1 } else { id + most };
            shown(
                game,
                move |game, keys, id| signed(game, keys, above(id)),
                move |roster| roster.iter_mut().for_each(|(id, _)| *id = above(*id)),
            );
        },
        control: |plan| plan.without = Some(&["4.3-1"]),
        ..PLAIN
    },
    Scenario {
        name: "victims-keys-altered",
        threat: "S7",
        says: "shows the victim another advertisement in its own place",
        expect: [Ends("4.3-1"); 3],
        attack: |game| {
            let other = game.forge(&[[7; 32], [8; 32]], 1, &[9; 32], [0; 64]);
            shown(game, signed, move |roster| {
                if let Some((_, one)) = roster.iter_mut().find(|(id, _)| *id == 1) {
                    one.clone_from(&other);
                }
            });
        },
        control: |plan| plan.without = Some(&["4.3-1", "3.2-1", "3.2-2", "3.7-1", "3.7-2", "4.2-4"]),
        ..PLAIN
    },
    Scenario {
        name: "victim-left-out",
        threat: "S12",
        says: "shows the victim a neighbourhood without itself",
        expect: [Ends("4.3-1"); 3],
        attack: |game| {
            shown(game, signed, |roster| roster.retain(|(id, _)| *id != 1));
        },
        control: |plan| plan.without = Some(&["4.3-1"]),
        ..PLAIN
    },
    Scenario {
        name: "chosen-session-id",
        threat: "S8",
        says: "chooses the session id, with invented neighbours",
        expect: [Ends("4.3-2"), Ends("4.3-2"), Leaks],
        attack: |game| {
            game.advertise();
            let roster = roster_of(game, signed);
            game.show(1, &[0x11; 32], &roster);
        },
        control: |plan| plan.without = Some(&["4.3-2"]),
        ..PLAIN
    },
];

/// What the client at this place has really advertised.
fn truth(game: &Game, id: u32) -> Vec<u8> {
    game.advertised.get(&id).cloned().unwrap_or_else(|| vec![0; if game.is_active() { 224 } else { 64 }])
}

/// An advertisement by a certified identity of the server, one for each place: what an authority must not allow.
fn signed(game: &Game, keys: &[Bytes32; 2], id: u32) -> Vec<u8> {
    let identity = bytes("sybil", id);
    game.forge(keys, id, &identity, certified(&identity))
}

/// Invented neighbours with these identities and certificates.
fn sybils(game: &mut Game, who: impl Fn(u32) -> (Bytes32, [u8; 64])) {
    invented(game, |game, keys, id| {
        let (identity, certificate) = who(id);
        game.forge(keys, id, &identity, certificate)
    });
}

/// Shows the victim what `forge` makes of the server's keys in the place of every neighbour.
pub(super) fn invented(game: &mut Game, forge: impl FnMut(&Game, &[Bytes32; 2], u32) -> Vec<u8>) {
    shown(game, forge, |_| ());
}

fn shown(
    game: &mut Game,
    forge: impl FnMut(&Game, &[Bytes32; 2], u32) -> Vec<u8>,
    change: impl FnOnce(&mut Vec<(u32, Vec<u8>)>),
) {
    game.advertise();
    if !game.ends.is_empty() {
        return;
    }
    let mut roster = roster_of(game, forge);
    change(&mut roster);
    let session = session_id(&game.plan.config, &roster);
    game.show(1, &session, &roster);
}

fn roster_of(
    game: &mut Game,
    mut forge: impl FnMut(&Game, &[Bytes32; 2], u32) -> Vec<u8>,
) -> Vec<(u32, Vec<u8>)> {
    let config = game.plan.config.clone();
    let mut roster = game.neighbourhood(1);
    for (id, one) in roster.iter_mut().filter(|(id, _)| *id != 1) {
        let fake = Secrets::new(&config, *id, &bytes("invented", *id));
        *one = forge(game, &fake.keys, *id);
        game.known.push(fake);
    }
    roster
}
