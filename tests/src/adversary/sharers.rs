//! Servers that lie about who shared, or give holders other bundles than those that were sealed to them.

use std::collections::BTreeMap;

use super::game::Game;
use super::proposals::too_many_corrupt;
use super::server::Expect::{Absent, Done, Ends, Leaks, Silent};
use super::server::{PLAIN, Scenario};
use super::survivors::{sets, twice};

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "victim-without-sharers",
        threat: "S11, S13",
        says: "tells the victim that nobody else has shared",
        expect: [Ends("4.4-2"); 3],
        attack: |game| isolated(game, &[]),
        control: |plan| plan.without = Some(&["4.4-2"]),
        ..PLAIN
    },
    Scenario {
        name: "sharers-that-are-none",
        threat: "S9",
        says: "names the victim sharers that are not its neighbours, and no others",
        expect: [Ends("4.4-1"); 3],
        attack: |game| {
            let n = game.plan.setting.n;
            isolated(game, &(n + 1..=n + game.plan.threshold()).collect::<Vec<_>>());
        },
        control: |plan| plan.without = Some(&["4.4-1"]),
        ..PLAIN
    },
    Scenario {
        name: "one-sharer-many-times",
        threat: "S2",
        says: "names the victim one corrupt sharer as often as it takes",
        expect: [Ends("4.4-1"), Ends("4.4-1"), Absent],
        prepare: |plan| plan.corrupt = plan.corrupt.max(1),
        attack: |game| isolated(game, &vec![game.plan.setting.n; game.plan.threshold() as usize]),
        control: |plan| plan.without = Some(&["4.4-1"]),
        ..PLAIN
    },
    Scenario {
        name: "private-sharers",
        threat: "S21",
        says: "shows the victim a list of sharers of its own, whose honest ones are later named dropped",
        expect: [Silent, Leaks, Absent],
        attack: private_sharers,
        control: too_many_corrupt,
        ..PLAIN
    },
    Scenario {
        name: "dropped-but-a-survivor",
        threat: "S13",
        says: "withholds the victim's bundles from all others and counts its input all the same",
        expect: [Ends("4.5-2"), Absent, Absent],
        pinned: Absent,
        sizes: 5..=16,
        attack: |game| {
            withheld(game);
            game.tell_all(1);
            let (everybody, honest) = (game.everybody(), game.honest());
            game.unmask(&honest[1..], &everybody);
        },
        prepare: |plan| plan.minimum = plan.setting.n - plan.corrupt,
        control: |plan| plan.without = Some(&["4.5-2", "4.6-12"]),
    },
    Scenario {
        name: "withhold-the-victim",
        threat: "S13",
        says: "withholds the victim's bundles and does without its input",
        expect: [Done, Done, Absent],
        sizes: 5..=16,
        attack: |game| {
            withheld(game);
            let (others, honest) = (game.everybody().split_off(1), game.honest());
            game.unmask(&honest[1..], &others);
        },
        control: |plan| plan.corrupt = plan.setting.n - 2,
        ..PLAIN
    },
    Scenario {
        name: "misroute-bundles",
        threat: "S9",
        says: "gives every holder bundles that were sealed to another one",
        attack: |game| {
            let n = game.plan.setting.n;
            rerouted(game, |bundles, sealed| {
                for ((owner, holder), bundle) in bundles {
                    if let Some(other) = sealed.get(&(*owner, *holder % n + 1)) {
                        bundle.clone_from(other);
                    }
                }
            });
        },
        ..REROUTED
    },
    Scenario {
        name: "reflect-bundles",
        threat: "S9",
        says: "gives every client its own bundles back, as those of its neighbours",
        attack: |game| {
            rerouted(game, |bundles, sealed| {
                for ((owner, holder), bundle) in bundles {
                    if let Some(own) = sealed.get(&(*holder, *owner)) {
                        bundle.clone_from(own);
                    }
                }
            });
        },
        ..REROUTED
    },
    Scenario {
        name: "garble-bundles",
        threat: "S9, S13",
        says: "changes a bit of every bundle of the victim",
        attack: |game| {
            rerouted(game, |bundles, _| {
                for (_, bundle) in bundles.iter_mut().filter(|((owner, _), _)| *owner == 1) {
                    bundle[40] ^= 1;
                }
            });
        },
        ..REROUTED
    },
];

/// Everybody but the victim is told of all sharers but the victim.
fn withheld(game: &mut Game) {
    game.advertise();
    game.share();
    for id in sets(game).1 {
        let others: Vec<u32> = sets(game).1.into_iter().filter(|one| *one != id).collect();
        game.tell(id, &others);
    }
}

/// What owners sealed to holders.
type Sealed = BTreeMap<(u32, u32), Vec<u8>>;

/// All is as it should be, but for the bundles that the server gives to holders; then it asks twice.
fn rerouted(game: &mut Game, change: impl FnOnce(&mut Sealed, &Sealed)) {
    game.advertise();
    game.share();
    let sealed = game.bundles.clone();
    change(&mut game.bundles, &sealed);
    game.mask();
    twice(game);
}

/// The frame of the scenarios in which bundles are misdirected: no check is left out, but all others are corrupt.
const REROUTED: Scenario =
    Scenario { expect: [Silent; 3], control: |plan| plan.corrupt = plan.setting.n - 1, ..PLAIN };

/// The victim is told of these sharers only, everybody else the truth; then all but the victim unmask.
fn isolated(game: &mut Game, sharers: &[u32]) {
    game.advertise();
    game.share();
    if !game.tell(1, sharers) {
        return;
    }
    game.everybody().into_iter().skip(1).for_each(|id| game.tell_all(id));
    let (everybody, honest) = (game.everybody(), game.honest());
    game.unmask(&honest[1..], &everybody);
}

/// The victim masks with corrupt clients and honest ones that the survivor set leaves out.
fn private_sharers(game: &mut Game) {
    game.advertise();
    game.share();
    let (honest, corrupt, t) = (game.honest(), game.corrupt(), game.plan.threshold() as usize);
    let needed = (t - 1).saturating_sub(corrupt.len()).min(honest.len() - 1);
    let (shown, others) = honest[1..].split_at(needed);
    let told: Vec<u32> = shown.iter().chain(&corrupt).copied().collect();
    game.tell(1, &told);
    game.everybody().into_iter().skip(1).for_each(|id| game.tell_all(id));
    let survivors: Vec<u32> = [1].iter().chain(others).chain(&corrupt).copied().collect();
    game.unmask(others, &survivors);
}
