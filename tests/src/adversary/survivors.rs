//! Servers that lie about who shared and who survived, and servers that ask again.

use super::game::Game;
use super::proposals::too_many_corrupt;
use super::server::Expect::{Absent, Done, Ends, Leaks, Silent};
use super::server::{PLAIN, Scenario};
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
        name: "certificate-of-the-other-set",
        threat: "S1",
        says: "has two survivor sets signed and shows each half the signatures of the other",
        expect: [Ends("4.6-12"), Absent, Absent],
        attack: |game| crossed(game, true),
        control: |plan| {
            plan.without = Some(&["130", "4.2-1", "4.6-11", "4.6-12"]);
            plan.config.threshold = (plan.setting.n + plan.corrupt) / 2;
        },
        ..PLAIN
    },
    Scenario {
        name: "too-few-signatures",
        threat: "S1",
        says: "has two survivor sets signed and shows each half its own, a signature short",
        expect: [Ends("4.6-11"), Absent, Absent],
        attack: |game| crossed(game, false),
        control: |plan| {
            plan.without = Some(&["130", "4.2-1", "4.6-11"]);
            plan.config.threshold = (plan.setting.n + plan.corrupt) / 2;
        },
        ..PLAIN
    },
    Scenario {
        name: "one-signature-many-times",
        threat: "S1",
        says: "fills a certificate with one signature",
        expect: [Ends("4.6-11"), Absent, Absent],
        attack: |game| {
            forged(game, |game, signed| {
                let first = signed.first().cloned();
                first.into_iter().cycle().take(game.plan.threshold() as usize).collect()
            });
        },
        control: |plan| plan.without = Some(&["4.5-4", "4.6-11", "4.6-12"]),
        ..PLAIN
    },
    Scenario {
        name: "signatures-of-strangers",
        threat: "S1",
        says: "fills a certificate with signatures of ids that nobody has",
        expect: [Ends("4.6-11"), Absent, Absent],
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
        control: |plan| plan.without = Some(&["4.5-4", "4.6-11", "4.6-12"]),
        ..PLAIN
    },
    Scenario {
        name: "forged-signatures",
        threat: "S1",
        says: "fills a certificate with bytes of no meaning",
        expect: [Ends("4.6-12"), Absent, Absent],
        attack: |game| {
            forged(game, |game, _| game.everybody().into_iter().map(|id| (id, vec![0x5a; 64])).collect());
        },
        control: |plan| plan.without = Some(&["4.5-4", "4.6-11", "4.6-12"]),
        ..PLAIN
    },
    Scenario {
        name: "no-signatures",
        threat: "S1",
        says: "asks for shares without any signature",
        expect: [Ends("4.6-11"), Absent, Absent],
        attack: |game| forged(game, |_, _| Vec::new()),
        control: |plan| plan.without = Some(&["4.5-4", "4.6-11", "4.6-12"]),
        ..PLAIN
    },
    Scenario {
        name: "signatures-of-another-session",
        threat: "S8",
        says: "shows a certificate that was made in an older session of the same clients",
        expect: [Ends("4.6-12"), Absent, Absent],
        attack: |game| {
            let mut older = Game::new(game.plan.clone());
            older.plan.config.nonce = [9; 32];
            start(&mut older);
            let everybody = older.everybody();
            let signed: Vec<_> = everybody.iter().filter_map(|id| older.sign(*id, &everybody)).collect();
            forged(game, |_, _| signed);
        },
        control: |plan| plan.without = Some(&["4.5-4", "4.6-11", "4.6-12"]),
        ..PLAIN
    },
    Scenario {
        name: "skip-consistency-check",
        threat: "S1",
        says: "asks for shares before anything was signed",
        expect: [Ends("4.1-2"), Absent, Absent],
        attack: |game| {
            start(game);
            for id in game.honest() {
                let before = wire::certificate(&game.session_of(id), &[]);
                game.take_shares(id, &before);
            }
            twice(game);
        },
        control: |plan| plan.without = Some(&["132", "4.1-2", "4.6-11", "4.6-12"]),
        ..PLAIN
    },
    Scenario {
        name: "sign-twice",
        threat: "S3",
        says: "has every client sign one survivor set and then another",
        expect: [Ends("4.1-2"), Absent, Absent],
        attack: |game| {
            start(game);
            let (everybody, without) = sets(game);
            for id in game.honest() {
                game.sign(id, &everybody);
                game.sign(id, if id == 1 { &everybody } else { &without });
            }
            twice(game);
        },
        control: |plan| plan.without = Some(&["132", "4.1-2", "4.6-11", "4.6-12"]),
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
            game.advertise();
            game.share();
            for id in game.everybody().into_iter().filter(|id| *id != 1) {
                let others: Vec<u32> =
                    game.everybody().into_iter().filter(|one| *one != 1 && *one != id).collect();
                game.tell(id, &others);
            }
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
            game.advertise();
            game.share();
            for id in game.everybody().into_iter().filter(|id| *id != 1) {
                let others: Vec<u32> =
                    game.everybody().into_iter().filter(|one| *one != 1 && *one != id).collect();
                game.tell(id, &others);
            }
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
        expect: [Silent; 3],
        attack: |game| {
            game.advertise();
            game.share();
            let routed = game.bundles.clone();
            for ((owner, holder), bundle) in &mut game.bundles {
                let next = holder % game.plan.setting.n + 1;
                if let Some(other) = routed.get(&(*owner, next)) {
                    bundle.clone_from(other);
                }
            }
            game.mask();
            twice(game);
        },
        control: |plan| plan.corrupt = plan.setting.n - 1,
        ..PLAIN
    },
    Scenario {
        name: "reflect-bundles",
        threat: "S9",
        says: "gives every client its own bundles back, as those of its neighbours",
        expect: [Silent; 3],
        attack: |game| {
            game.advertise();
            game.share();
            let sealed = game.bundles.clone();
            for ((owner, holder), bundle) in &mut game.bundles {
                if let Some(own) = sealed.get(&(*holder, *owner)) {
                    bundle.clone_from(own);
                }
            }
            game.mask();
            twice(game);
        },
        control: |plan| plan.corrupt = plan.setting.n - 1,
        ..PLAIN
    },
    Scenario {
        name: "garble-bundles",
        threat: "S9, S13",
        says: "changes a bit of every bundle of the victim",
        expect: [Silent; 3],
        attack: |game| {
            game.advertise();
            game.share();
            for (_, bundle) in game.bundles.iter_mut().filter(|((owner, _), _)| *owner == 1) {
                bundle[40] ^= 1;
            }
            game.mask();
            twice(game);
        },
        control: |plan| plan.corrupt = plan.setting.n - 1,
        ..PLAIN
    },
    Scenario {
        name: "everybody-alone",
        threat: "S11",
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
fn start(game: &mut Game) {
    game.advertise();
    game.share();
    game.mask();
}

/// All, and all but the victim.
fn sets(game: &Game) -> (Vec<u32>, Vec<u32>) {
    (game.everybody(), game.everybody().split_off(1))
}

/// Everything as it should be, but that the last honest client drops out if there is one to spare.
pub(super) fn honest_but_curious(game: &mut Game) {
    start(game);
    let mut survivors = game.everybody();
    let (honest, n) = (game.honest(), game.plan.setting.n);
    let spare = n > 3 && game.plan.threshold() < n && honest.len() > 2;
    if spare && game.plan.setting.ground != super::Ground::Sparse {
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

/// Asks everybody for shares with all survivors, and then without the victim, each time with what must be signed.
fn twice(game: &mut Game) {
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

/// The signatures that clients gave last.
fn genuine(game: &Game, set: &[u32]) -> Signed {
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

fn whole_sums(plan: &mut super::game::Plan) {
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
