//! Servers that keep openings back in suite 3 until the graph suits them.

use super::game::Game;
use super::secrets::{holders, session_id};
use super::server::Expect::Ends;
use super::server::{PLAIN, Scenario};

pub(super) const ALL: &[Scenario] = &[Scenario {
    name: "withheld-reveal",
    threat: "S22",
    says: "has the victim disclose its draw under one roster, and shows it another with which it draws corrupt holders",
    pinned: Ends("4.1-2"),
    sizes: 16..=16,
    // As many as the threshold: with fewer it does not matter who is drawn.
    prepare: |plan| plan.corrupt = plan.threshold(),
    attack: reroll,
    control: |plan| plan.without = Some(&["4.1-2"]),
    ..PLAIN
}];

/// The draw is known once it is disclosed. Of all rosters that leave out some of three honest clients, and so all roots,
/// the server takes one under which a threshold of the victim's holders is corrupt.
fn reroll(game: &mut Game) {
    game.advertise();
    let (all, corrupt) = (game.roster(), game.corrupt());
    let session = game.session();
    game.show(1, &session, &all);
    let Some(draw) = game.draws.get(&1).copied() else { return };
    let honest: Vec<u32> = game.honest().split_off(1);
    for left_out in 0u32..1 << honest.len() {
        let out =
            |id: u32| honest.iter().position(|one| *one == id).is_some_and(|at| left_out >> at & 1 == 1);
        let roster: Vec<_> = all.iter().filter(|(id, _)| !out(*id)).cloned().collect();
        let ids: Vec<u32> = roster.iter().map(|(id, _)| *id).collect();
        if left_out.count_ones() > 3 || left_out == 0 {
            continue;
        }
        let session = session_id(&game.plan.config, &roster);
        let drawn = holders(&game.plan.config, &session, 1, &draw, &ids);
        let bought = drawn.iter().filter(|holder| corrupt.contains(holder)).count();
        if bought >= game.plan.threshold() as usize {
            game.show(1, &session, &roster);
            return;
        }
    }
}
