//! Servers of suite 2 that ask for shares under signatures that are not what they should be.

use super::game::{Game, Plan};
use super::server::Expect::{Absent, Ends};
use super::server::{PLAIN, Scenario};
use super::survivors::{sets, start, twice};
use super::wire;

/// How a control departs from a plan.
type Control = fn(&mut Plan);

/// The signatures are not looked at, and sets that are too small are signed.
const FORGED: Control = |plan| plan.without = Some(&["4.5-4", "4.6-11", "4.6-12"]);

/// A client forgets what it has signed.
const FORGETFUL: Control = |plan| plan.without = Some(&["132", "4.1-2", "4.6-11", "4.6-12"]);

/// The threshold leaves room for two quorums, and their number or also their signatures are not looked at.
const TWO_QUORUMS: Control = |plan| {
    plan.without = Some(&["130", "4.2-1", "4.6-11"]);
    plan.config.threshold = (plan.setting.n + plan.corrupt) / 2;
};
const TWO_QUORUMS_CROSSED: Control = |plan| {
    TWO_QUORUMS(plan);
    plan.without = Some(&["130", "4.2-1", "4.6-11", "4.6-12"]);
};

/// The frame of these scenarios: suite 2 alone, in which the honest clients end by this rule.
const fn ended(rule: &'static str, control: Control) -> Scenario {
    Scenario { expect: [Ends(rule), Absent, Absent], control, ..PLAIN }
}

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "certificate-of-the-other-set",
        threat: "S1",
        says: "has two survivor sets signed and shows each half the signatures of the other",
        attack: |game| crossed(game, true),
        ..ended("4.6-12", TWO_QUORUMS_CROSSED)
    },
    Scenario {
        name: "too-few-signatures",
        threat: "S1",
        says: "has two survivor sets signed and shows each half its own, a signature short",
        attack: |game| crossed(game, false),
        ..ended("4.6-11", TWO_QUORUMS)
    },
    Scenario {
        name: "one-signature-many-times",
        threat: "S1",
        says: "fills a certificate with one signature",
        attack: |game| {
            forged(game, |game, signed| {
                let first = signed.first().cloned();
                first.into_iter().cycle().take(game.plan.threshold() as usize).collect()
            });
        },
        ..ended("4.6-11", FORGED)
    },
    Scenario {
        name: "signatures-of-strangers",
        threat: "S1",
        says: "fills a certificate with signatures of ids that nobody has",
        attack: |game| {
            forged(game, |game, signed| {
                let (n, t) = (game.plan.setting.n, game.plan.threshold());
                signed
                    .iter()
                    .cycle()
                    .take(t as usize)
                    .zip(1..)
                    .map(|((_, one), at)| (n + at, one.clone()))
                    .collect()
            });
        },
        ..ended("4.6-11", FORGED)
    },
    Scenario {
        name: "forged-signatures",
        threat: "S1",
        says: "fills a certificate with bytes of no meaning",
        attack: |game| {
            forged(game, |game, _| game.everybody().into_iter().map(|id| (id, vec![0x5a; 64])).collect());
        },
        ..ended("4.6-12", FORGED)
    },
    Scenario {
        name: "no-signatures",
        threat: "S1",
        says: "asks for shares without any signature",
        attack: |game| forged(game, |_, _| Vec::new()),
        ..ended("4.6-11", FORGED)
    },
    Scenario {
        name: "signatures-of-another-session",
        threat: "S8",
        says: "shows a certificate that was made in an older session of the same clients",
        attack: |game| {
            let mut older = Game::new(game.plan.clone());
            older.plan.config.nonce = [9; 32];
            start(&mut older);
            let everybody = older.everybody();
            let signed: Vec<_> = everybody.iter().filter_map(|id| older.sign(*id, &everybody)).collect();
            forged(game, |_, _| signed);
        },
        ..ended("4.6-12", FORGED)
    },
    Scenario {
        name: "skip-consistency-check",
        threat: "S1",
        says: "asks for shares before anything was signed",
        attack: |game| {
            start(game);
            for id in game.honest() {
                let before = wire::certificate(&game.session_of(id), &[]);
                game.take_shares(id, &before);
            }
            twice(game);
        },
        ..ended("4.1-2", FORGETFUL)
    },
    Scenario {
        name: "sign-twice",
        threat: "S3, S15",
        says: "has every client sign one survivor set and then another",
        attack: |game| {
            start(game);
            let (everybody, without) = sets(game);
            for id in game.honest() {
                game.sign(id, &everybody);
                game.sign(id, if id == 1 { &everybody } else { &without });
            }
            twice(game);
        },
        ..ended("4.1-2", FORGETFUL)
    },
];

/// Two survivor sets are signed by half of the honest each; the signatures are swapped, or shown but for one.
fn crossed(game: &mut Game, swap: bool) {
    start(game);
    let honest = game.honest();
    let (alive, dead) = honest.split_at(honest.len().div_ceil(2));
    let (everybody, without) = sets(game);
    let corrupt = game.corrupt();
    let mut signed = |ids: &[u32], set: &[u32]| -> Vec<(u32, Vec<u8>)> {
        let ids = ids.iter().chain(&corrupt);
        let mut all: Vec<_> = ids.filter_map(|id| game.sign(*id, set)).collect();
        // Made up to a quorum, where that has to fail by the signatures, or cut to less than one.
        let quorum = game.plan.threshold() as usize;
        let missing = set.iter().filter(|id| !all.iter().any(|(one, _)| one == *id)).copied();
        let filling: Vec<_> =
            missing.take(quorum.saturating_sub(all.len())).map(|id| (id, vec![1; 64])).collect();
        if swap {
            all.extend(filling)
        } else {
            all.truncate(quorum - 1)
        }
        all.sort_unstable();
        all
    };
    let (first, second) = (signed(alive, &everybody), signed(dead, &without));
    let (for_alive, for_dead) = if swap { (second, first) } else { (first, second) };
    for id in alive {
        game.certify(*id, &for_alive);
    }
    for id in dead {
        // The victim is no survivor of theirs, so its signature would be refused for that.
        let shown: Vec<_> = for_dead.iter().filter(|(one, _)| *one != 1 || !swap).cloned().collect();
        let mut shown = shown;
        for id in &without {
            if swap && shown.len() < game.plan.threshold() as usize && !shown.iter().any(|(one, _)| one == id)
            {
                shown.push((*id, vec![1; 64]));
            }
        }
        shown.sort_unstable();
        game.certify(*id, &shown);
    }
}

/// Ids with signatures.
type Signed = Vec<(u32, Vec<u8>)>;

/// Every client signs that all survived, and is shown what `make` makes of the signatures. Where too small sets are
/// signed, every client is told that only itself and the victim survived.
fn forged(game: &mut Game, make: impl FnOnce(&Game, &Signed) -> Signed) {
    start(game);
    let everybody = game.everybody();
    let unchecked = game.plan.without.is_some_and(|without| without.contains(&"4.5-4"));
    let mut signed = Vec::new();
    for id in game.honest() {
        let alone = if id == 1 { vec![1] } else { vec![1, id] };
        signed.extend(game.sign(id, if unchecked { &alone } else { &everybody }));
    }
    let certificate = make(game, &signed);
    game.honest().into_iter().for_each(|id| game.certify(id, &certificate));
}
