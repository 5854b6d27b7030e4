//! Servers that cut a short arc out of the circle of suite 1's regular graph, and holders that hand over all shares.

use std::collections::BTreeSet;

use secagg::SafetyPolicy;
use secagg::parameters::Fraction;

use super::game::{Game, Plan};
use super::server::Expect::{Absent, Done, Ends};
use super::server::{PLAIN, Scenario};
use super::setting::Ground;
use super::survivors::{honest_but_curious, start};

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "arc-isolation",
        threat: "S12",
        says: "names the clients on either side of a short arc dropped, so that nothing joins it to the others",
        expect: [Absent, Absent, Ends("4.6-3")],
        sizes: 16..=16,
        prepare: planned,
        attack: cut,
        // Nobody is corrupt: it is the arc alone that leaks.
        control: |plan| {
            low(plan);
            (plan.policy.safety, plan.corrupt) = (None, 0);
        },
        ..PLAIN
    },
    Scenario {
        name: "arc-below-the-planner",
        threat: "S12",
        says: "proposes a threshold of half the degree, with which the ends of an arc have holders enough in it",
        expect: [Absent, Absent, Ends("130 Unsafe")],
        sizes: 16..=16,
        prepare: |plan| {
            planned(plan);
            low(plan);
        },
        attack: cut,
        control: |plan| {
            plan.without = Some(&["130"]);
            plan.corrupt = 0;
        },
        ..PLAIN
    },
    Scenario {
        name: "corrupt-holders",
        threat: "M11",
        says: "is handed all shares that corrupt clients hold, one client's fewer than the threshold",
        expect: [Done; 3],
        pinned: Done,
        sizes: 5..=16,
        prepare: |plan| (plan.corrupt, plan.minimum) = (plan.threshold() - 1, 2),
        attack: honest_but_curious,
        // On the complete graph one more is enough; elsewhere not all of them are holders of one client.
        control: |plan| {
            plan.corrupt = match plan.setting.ground {
                Ground::Active | Ground::Curious => plan.threshold(),
                Ground::Sparse => plan.setting.n - 2,
                Ground::Pinned => plan.setting.n - 1,
            };
        },
    },
];

/// Clients that ask the planner, for so few of them with next to no bits. The arc has one input fewer than a sum may be of.
///
/// The planner's model of suite 1 has a server that follows the protocol. It refuses half of the degree because so many
/// neighbours can be corrupt; with fewer corrupt clients it would accept it, and an arc be left to a server that lies,
/// against which suite 1 promises nothing (§11.2).
fn planned(plan: &mut Plan) {
    let n = plan.setting.n;
    let safety = SafetyPolicy::new(Fraction::of(plan.corrupt, n), Fraction::of(2, n));
    plan.policy.safety = Some(SafetyPolicy { security_bits: 2, ..safety });
    plan.minimum = half(plan) + 2;
}

fn low(plan: &mut Plan) {
    plan.config.threshold = half(plan);
}

/// Half of the degree: the neighbours on one side.
fn half(plan: &Plan) -> u32 {
    match plan.config.graph {
        secagg::Graph::Regular { degree } => degree / 2,
        _ => 0,
    }
}

/// The victim and the next k/2 clients on the circle are an arc; the k/2 before it and after it are named dropped. All
/// others are asked for their shares.
fn cut(game: &mut Game) {
    start(game);
    let circle = circle(game);
    let half = half(&game.plan) as usize;
    if circle.len() < 4 * half + 2 {
        return; // the session did not come so far
    }
    let (arc, rest) = circle.split_at(half + 1);
    let (after, rest) = rest.split_at(half);
    let (others, before) = rest.split_at(rest.len() - half);
    let dropped: BTreeSet<u32> = after.iter().chain(before).copied().collect();
    let survivors: Vec<u32> = game.everybody().into_iter().filter(|id| !dropped.contains(id)).collect();
    let honest = game.honest();
    for id in arc.iter().chain(others).filter(|id| honest.contains(id)) {
        game.ask(*id, &survivors, survivors.len() as u32);
    }
}

/// The clients as they stand on the circle, from the victim on: the next is the one that has the most neighbours in
/// common with the last, and is not there yet.
fn circle(game: &Game) -> Vec<u32> {
    let near = |id: u32| -> BTreeSet<u32> { game.neighbourhood(id).iter().map(|(id, _)| *id).collect() };
    let mut circle = vec![1];
    while let Some(last) = circle.last().copied() {
        let of_last = near(last);
        let left = of_last.iter().copied().filter(|id| !circle.contains(id));
        let Some(next) = left.max_by_key(|id| near(*id).intersection(&of_last).count()) else { break };
        circle.push(next);
    }
    circle
}
