//! Servers that lie about who survived, and servers that ask again.

use super::game::{Game, Plan};
use super::proposals::too_many_corrupt;
use super::server::Expect::{Absent, Ends, Leaks, Silent};
use super::server::{PLAIN, Scenario};
use super::setting::Ground;
use super::wire;

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "equivocate-survivors",
        threat: "S1",
        says: "tells half of the holders that the victim survived and the others that it dropped",
        expect: [Silent, Leaks, Absent],
        attack: equivocate,
        control: too_many_corrupt,
        ..PLAIN
    },
    Scenario {
        name: "equivocate-in-every-split",
        threat: "S1",
        says: "does that in every division of the honest holders",
        expect: [Silent, Leaks, Absent],
        sizes: 3..=5,
        attack: every_split,
        control: too_many_corrupt,
        ..PLAIN
    },
    Scenario {
        name: "unmask-twice",
        threat: "S2, S3, S15",
        says: "asks for shares a second time, with the victim named dropped",
        expect: [Ends("132"); 3],
        attack: |game| {
            start(game);
            twice(game);
        },
        control: |plan| plan.without = Some(&["132", "4.1-2", "4.6-3", "4.6-10", "4.6-11", "4.6-12"]),
        ..PLAIN
    },
    Scenario {
        name: "shares-in-another-session",
        threat: "S8",
        says: "sends the second request under the header of another session",
        expect: [Ends("4.1-3"); 3],
        attack: |game| {
            start(game);
            foreign_header(game);
            twice(game);
        },
        control: |plan| {
            plan.without = Some(&["132", "4.1-2", "4.1-3", "4.6-3", "4.6-10", "4.6-11", "4.6-12"])
        },
        ..PLAIN
    },
    Scenario {
        name: "set-up-again",
        threat: "S3, S20",
        says: "opens the session anew with clients that have sent their masked inputs",
        expect: [Ends("4.1-2"); 3],
        attack: |game| {
            start(game);
            for id in game.honest() {
                let request = wire::share_request(&game.session_of(id), &game.neighbourhood(id));
                if game.send(id, &request).is_some() {
                    game.tell_all(id);
                }
            }
            twice(game);
        },
        control: |plan| plan.without = Some(&["132", "4.1-2", "4.6-3", "4.6-10", "4.6-11", "4.6-12"]),
        ..PLAIN
    },
    Scenario {
        name: "everybody-alone",
        threat: "S11, S12",
        says: "tells every client that only itself and the victim survived",
        expect: [Ends("4.5-4"), Ends("4.6-3"), Ends("4.6-3")],
        sizes: 5..=16,
        attack: |game| {
            start(game);
            for id in game.honest() {
                let alone = if id == 1 { vec![1] } else { vec![1, id] };
                let seen = game.seen(id, &alone);
                if !game.is_active() {
                    game.ask(id, &alone, seen);
                } else if let Some(own) = game.sign(id, &alone) {
                    game.certify(id, &[own]);
                }
            }
        },
        control: |plan| plan.without = Some(&["4.5-4", "4.6-3", "4.6-11"]),
        ..PLAIN
    },
    Scenario {
        name: "below-minimum-survivors",
        threat: "S11",
        says: "has a sum unmasked of fewer inputs than the configuration asks for",
        expect: [Ends("4.5-4"), Ends("4.6-9"), Absent],
        prepare: whole_sums,
        attack: |game| shrunk(game, |few| few),
        control: |plan| plan.without = Some(&["4.5-4", "4.6-9"]),
        ..PLAIN
    },
    Scenario {
        name: "false-survivor-count",
        threat: "S11",
        says: "does that and says that all have survived",
        expect: [Absent, Ends("4.6-10"), Absent],
        prepare: whole_sums,
        attack: |game| {
            let n = game.plan.setting.n;
            shrunk(game, |_| n);
        },
        control: |plan| plan.without = Some(&["4.6-3", "4.6-10"]),
        ..PLAIN
    },
    Scenario {
        name: "victim-told-it-dropped",
        threat: "S2",
        says: "names every client it asks dropped, and all the others survivors",
        expect: [Ends("4.5-3"), Ends("4.6-2"), Ends("4.6-2")],
        sizes: 5..=16,
        attack: |game| {
            start(game);
            for id in game.honest() {
                let others: Vec<u32> = game.everybody().into_iter().filter(|one| *one != id).collect();
                let seen = game.seen(id, &others);
                if !game.is_active() {
                    game.ask(id, &others, seen);
                } else if let Some(own) = game.sign(id, &others) {
                    game.certify(id, &[own]);
                }
            }
            twice(game);
        },
        control: |plan| {
            plan.without = Some(&["132", "4.1-2", "4.5-3", "4.6-2", "4.6-3", "4.6-10", "4.6-11", "4.6-12"]);
        },
        ..PLAIN
    },
];

/// A session up to the masked inputs, as it should be.
pub(super) fn start(game: &mut Game) {
    game.advertise();
    game.share();
    game.mask();
}

/// All, and all but the victim.
pub(super) fn sets(game: &Game) -> (Vec<u32>, Vec<u32>) {
    (game.everybody(), game.everybody().split_off(1))
}

/// Everything as it should be, but that the last honest client drops out if there is one to spare.
pub(super) fn honest_but_curious(game: &mut Game) {
    start(game);
    let mut survivors = game.everybody();
    let (honest, n) = (game.honest(), game.plan.setting.n);
    let spare = n > 3 && game.plan.threshold() < n && honest.len() > 2;
    if spare && game.plan.setting.ground != Ground::Sparse {
        survivors.retain(|id| Some(id) != honest.last());
    }
    let asked: Vec<u32> = honest.into_iter().filter(|id| survivors.contains(id)).collect();
    game.unmask(&asked, &survivors);
}

/// Half of the honest clients, the victim among them, are told that all survived; the others that the victim did not.
pub(super) fn equivocate(game: &mut Game) {
    start(game);
    let honest = game.honest();
    let (alive, dead) = honest.split_at(honest.len().div_ceil(2));
    let (everybody, without) = sets(game);
    game.unmask(alive, &everybody);
    game.unmask(dead, &without);
}

/// The first leak among all divisions of the honest clients, or the last division.
fn every_split(game: &mut Game) {
    let honest = game.honest();
    for set in 0u32..1 << (honest.len() - 1) {
        let mut one = Game::new(game.plan.clone());
        start(&mut one);
        let told_dead = |id: &u32| *id != 1 && set >> (*id - 2) & 1 == 1;
        let (dead, alive): (Vec<u32>, Vec<u32>) = honest.iter().copied().partition(told_dead);
        let (everybody, without) = sets(&one);
        one.unmask(&alive, &everybody);
        one.unmask(&dead, &without);
        *game = one;
        if !super::oracle::judge(game).is_none() {
            return;
        }
    }
}

/// Asks everybody for shares with all survivors, and then without the victim, each time with what must be signed.
pub(super) fn twice(game: &mut Game) {
    let (everybody, without) = sets(game);
    for set in [&everybody, &without] {
        for id in game.honest().into_iter().filter(|id| set.contains(id)) {
            if !game.is_active() {
                game.ask(id, set, set.len() as u32);
                continue;
            }
            let request = game.sign_request(id, set);
            let first = set.len() == everybody.len();
            // A second set to sign is for clients that have forgotten the first: the others are asked for shares.
            let forgetful = game.plan.without.is_some_and(|without| without.contains(&"4.1-2"));
            if first || forgetful {
                game.send(id, &request);
            }
        }
        if game.is_active() {
            let signatures: Vec<_> = game.everybody().into_iter().map(|id| (id, vec![1; 64])).collect();
            let signatures = if set.len() == everybody.len() { genuine(game, set) } else { signatures };
            for id in game.honest().into_iter().filter(|id| set.contains(id)) {
                game.certify(id, &signatures);
            }
        }
    }
}

/// The signatures that clients gave last, with their ids.
fn genuine(game: &Game, set: &[u32]) -> Vec<(u32, Vec<u8>)> {
    let given: Vec<&Vec<u8>> =
        game.log.iter().filter_map(|one| one.as_ref().ok()).filter(|one| one[0] == 8).collect();
    let honest = game.honest().into_iter().filter(|id| set.contains(id));
    let last = given.len().saturating_sub(honest.clone().count());
    honest.zip(&given[last..]).map(|(id, one)| (id, one[wire::HEADER..].to_vec())).collect()
}

/// The next request of everybody, for all survivors, under the header of another session.
fn foreign_header(game: &mut Game) {
    let everybody = game.everybody();
    for id in game.honest() {
        let mut request = match game.is_active() {
            true => game.sign_request(id, &everybody),
            false => game.ask_request(id, &everybody, everybody.len() as u32),
        };
        request[1] ^= 1;
        match game.is_active() {
            true => drop(game.send(id, &request)),
            false => game.take_shares(id, &request),
        }
    }
}

/// A sum has to be of all.
fn whole_sums(plan: &mut Plan) {
    plan.config.minimum_survivors = plan.setting.n;
    plan.minimum = plan.setting.n - plan.corrupt;
}

/// One honest client is named dropped, to all others, with a count that `count` makes of the true one.
fn shrunk(game: &mut Game, count: impl Fn(u32) -> u32) {
    start(game);
    let (_, without) = sets(game);
    let asked = game.honest().split_off(1);
    if game.is_active() {
        game.unmask(&asked, &without);
    } else {
        asked.iter().for_each(|id| game.ask(*id, &without, count(without.len() as u32)));
    }
}
