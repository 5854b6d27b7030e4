//! Servers against suite 3: the attacks that broke earlier forms of it, and those that its rules are there for.

use super::game::{Game, bytes};
use super::secrets::Secrets;
use super::server::Expect::{Done, Ends, Silent};
use super::server::{PLAIN, Scenario};
use super::survivors::{equivocate, honest_but_curious};

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "pinned-as-it-should-be",
        threat: "",
        says: "keeps the rules and remembers what it sees",
        pinned: Done,
        sizes: 8..=16,
        attack: honest_but_curious,
        control: |plan| plan.corrupt = plan.setting.n - 1,
        ..PLAIN
    },
    Scenario {
        name: "pinned-private-sharers",
        threat: "S21",
        says: "tells the victim that only corrupt clients and honest ones that it names dropped have shared",
        pinned: Ends("4.6-14"),
        sizes: 16..=16,
        attack: private_sharers,
        control: |plan| plan.without = Some(&["4.6-14"]),
        ..PLAIN
    },
    Scenario {
        name: "pinned-zombies",
        threat: "S8",
        says: "puts old advertisements with opened mask keys into the roster, and names the victim's holders dropped",
        pinned: Silent,
        sizes: 16..=16,
        attack: zombies,
        control: |plan| plan.without = Some(&["4.5-3", "4.6-11"]),
        ..PLAIN
    },
    Scenario {
        name: "pinned-equivocate-survivors",
        threat: "S1",
        says: "tells half of the clients that the victim survived and the others that it dropped",
        pinned: Ends("4.6-11"),
        sizes: 16..=16,
        attack: equivocate,
        control: |plan| plan.without = Some(&["4.6-11"]),
        ..PLAIN
    },
    Scenario {
        name: "pinned-random-lies",
        threat: "S1, S21",
        says: "tells every client of sharers at random, keeps bundles back, and has a random survivor set signed",
        pinned: Silent,
        sizes: 8..=16,
        attack: random_lies,
        control: |plan| plan.corrupt = plan.setting.n - 1,
        ..PLAIN
    },
    Scenario {
        name: "pinned-quorum-of-the-sharers",
        threat: "S1",
        says: "tells two halves that nobody else has shared, so that each would be a quorum of these",
        pinned: Silent,
        sizes: 16..=16,
        attack: two_halves,
        control: |plan| plan.without = Some(&["4.4-2", "4.5-4", "4.5-6", "4.6-11"]),
        ..PLAIN
    },
];

/// Client 1 masks with nobody but those whose mask keys will be known; everybody else is told the truth.
fn private_sharers(game: &mut Game) {
    game.advertise();
    game.share();
    let (drawn, corrupt) = (game.drawn_by(1), game.corrupt());
    // As many as leave enough holders of the victim, and a quorum of the others.
    let (n, quorum) = (game.plan.setting.n, (game.plan.setting.n + game.plan.corrupt) / 2 + 1);
    let most = (drawn.len() - game.plan.threshold() as usize).min((n - 1 - quorum) as usize);
    let dropped: Vec<u32> =
        drawn.iter().copied().filter(|holder| !corrupt.contains(holder)).take(most).collect();
    // Those that the victim has not drawn make up the quorum; they are told of it, and it not of their bundles.
    let strangers: Vec<u32> = (2..=game.plan.setting.n).filter(|id| !drawn.contains(id)).collect();
    let told: Vec<u32> = dropped.iter().chain(&corrupt).chain(&strangers).copied().collect();
    let bundles = game.bundles.clone();
    game.bundles.retain(|(owner, holder), _| *holder != 1 || !strangers.contains(owner));
    game.tell(1, &told);
    game.bundles = bundles;
    game.everybody().into_iter().skip(1).for_each(|id| game.tell_all(id));
    let survivors: Vec<u32> = game.everybody().into_iter().filter(|id| !dropped.contains(id)).collect();
    let asked: Vec<u32> = game.honest().into_iter().skip(1).filter(|id| survivors.contains(id)).collect();
    game.unmask(&asked, &survivors);
}

/// Five of the honest clients are elsewhere; their mask keys are known from there. The victim's other honest holders are
/// named dropped and asked for shares nevertheless.
fn zombies(game: &mut Game) {
    // Who is drawn follows from the roster, so the roster is made first, by all; then five are taken for others.
    game.advertise();
    let victim = &game.records[&1].secrets;
    let session = game.session();
    let drawn = super::secrets::holders(&game.plan.config, &session, 1, &victim.draw, &game.everybody());
    let mut others: Vec<u32> = game.honest().split_off(1);
    others.sort_by_key(|id| drawn.contains(id));
    let (witness, zombies) = (others[0], others[1..6].to_vec());
    let dropped = others[6..].to_vec();
    for id in &zombies {
        let mut old = Secrets::new(&game.plan.config, *id, &bytes("entropy", *id));
        old.keys[0] = [0xff; 32]; // only its mask key was opened
        game.known.push(old);
        game.records.remove(id);
    }
    for id in game.everybody().into_iter().filter(|id| !zombies.contains(id)) {
        let members = game.roster();
        game.show(id, &session, &members);
    }
    // The server says that the zombies have shared too.
    let sharers = |id: u32| game.everybody().into_iter().filter(|one| *one != id).collect::<Vec<_>>();
    let told: Vec<(u32, Vec<u32>)> = [&[1, witness][..], &dropped, &game.corrupt()]
        .concat()
        .into_iter()
        .map(|id| (id, sharers(id)))
        .collect();
    let bundle = game.bundles.remove(&(witness, 1));
    for (id, sharers) in &told {
        game.tell(*id, sharers);
    }
    bundle.map(|bundle| game.bundles.insert((witness, 1), bundle));
    let survivors: Vec<u32> = game.everybody().into_iter().filter(|id| !dropped.contains(id)).collect();
    let mut asked = [&[1, witness][..], &dropped].concat();
    asked.sort_unstable();
    game.unmask(&asked, &survivors);
}

/// The first of a dozen sessions full of lies in which something leaks, or the last.
fn random_lies(game: &mut Game) {
    for round in 0..12 {
        let mut one = Game::new(game.plan.clone());
        one.advertise();
        one.share();
        let mut drawn = (0..).flat_map(|at| bytes("lie", 1000 * round + at));
        // One in eight, mostly for few clients at a time: so quorums are still to be had.
        let mut unlucky = || drawn.next().is_some_and(|byte| byte < 32);
        for id in one.everybody() {
            let all = one.bundles.clone();
            one.bundles.retain(|(_, holder), _| *holder != id || !unlucky());
            let sharers: Vec<u32> = match unlucky() {
                true => one.everybody().into_iter().filter(|other| *other != id && !unlucky()).collect(),
                false => one.everybody().into_iter().filter(|other| *other != id).collect(),
            };
            one.tell(id, &sharers);
            one.bundles = all;
        }
        let survivors: Vec<u32> = one.everybody().into_iter().filter(|_| !unlucky()).collect();
        let asked: Vec<u32> = one.honest().into_iter().filter(|id| survivors.contains(id)).collect();
        one.unmask(&asked, &survivors);
        let leaks = !super::oracle::judge(&one).is_none();
        *game = one;
        if leaks {
            return;
        }
    }
}

/// Each half is told that it shared, and the second one that client 1 has too; the first has client 1 certified as a
/// survivor, the second as dropped.
fn two_halves(game: &mut Game) {
    game.advertise();
    game.share();
    let (honest, corrupt) = (game.honest(), game.corrupt());
    let (first, second) = honest.split_at(honest.len() / 2);
    let with = |half: &[u32], more: &[u32]| [more, half, &corrupt].concat();
    let (told_first, told_second) = (with(first, &[]), with(second, &[1]));
    let without = |told: &[u32], id: u32| told.iter().copied().filter(|one| *one != id).collect::<Vec<_>>();
    for id in first {
        game.tell(*id, &without(&told_first, *id));
    }
    for id in second {
        game.tell(*id, &without(&told_second, *id));
    }
    // The corrupt ones sign for both.
    for (half, told, survivors) in
        [(first, &told_first, told_first.clone()), (second, &told_second, with(second, &[]))]
    {
        for id in &corrupt {
            game.tell(*id, &without(told, *id));
        }
        game.unmask(half, &survivors);
    }
}
