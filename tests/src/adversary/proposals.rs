//! Servers that propose what no honest server would.

use secagg::{Authority, Config, Graph, Suite};

use super::game::{Game, Plan};
use super::rosters::invented;
use super::secrets::session_id;
use super::server::Expect::{Absent, Done, Ends, Leaks};
use super::server::{PLAIN, Scenario};
use super::setting::{Ground, authority, bytes};
use super::survivors::{equivocate, honest_but_curious};

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "honest-but-curious",
        threat: "M11",
        says: "follows the protocol and keeps everything; one client drops out",
        expect: [Done; 3],
        sizes: 5..=16,
        attack: honest_but_curious,
        control: |plan| plan.corrupt = plan.setting.n - 2,
        ..PLAIN
    },
    Scenario {
        name: "threshold-of-one",
        threat: "S10",
        says: "proposes that one share is enough",
        expect: [Ends("4.2-1"); 3],
        prepare: |plan| plan.config.threshold = 1,
        attack: equivocate,
        control: |plan| {
            plan.without = Some(&["4.2-1", "130"]);
            plan.corrupt = plan.corrupt.max(1);
        },
        ..PLAIN
    },
    Scenario {
        name: "threshold-below-quorum",
        threat: "S10",
        says: "proposes a threshold with which two survivor sets find a quorum each",
        expect: [Ends("4.2-1"), Absent, Absent],
        prepare: |plan| plan.config.threshold = (plan.setting.n + plan.corrupt) / 2,
        attack: equivocate,
        control: |plan| plan.without = Some(&["4.2-1", "130"]),
        ..PLAIN
    },
    Scenario {
        name: "threshold-below-policy",
        threat: "S10",
        says: "proposes a threshold that the protocol allows, but not the client",
        expect: [Absent, Ends("130 ThresholdTooLow"), Ends("130 ThresholdTooLow")],
        prepare: |plan| {
            plan.policy.minimum_threshold = plan.threshold() + 1;
            plan.config.threshold = 2;
        },
        attack: equivocate,
        control: |plan| {
            plan.without = Some(&["130"]);
            plan.corrupt = 2.min(plan.setting.n - 1);
        },
        ..PLAIN
    },
    Scenario {
        name: "fewer-corrupt-than-policy",
        threat: "S10",
        says: "proposes a session that withstands fewer corrupt clients than there are",
        expect: [Ends("130 CorruptTooLow"), Absent, Absent],
        prepare: |plan| {
            plan.corrupt = plan.corrupt.max(1);
            plan.policy.minimum_corrupt = plan.corrupt;
            plan.config.suite = Suite::Active { corrupt: 0, authority: authority().public() };
            plan.config.threshold = plan.setting.n / 2 + 1;
        },
        attack: equivocate,
        control: |plan| plan.without = Some(&["130"]),
        ..PLAIN
    },
    Scenario {
        name: "tiny-cohort",
        threat: "S5",
        says: "puts the victim in a cohort with one other client, which is corrupt",
        expect: [Ends("130 TooFewClients"), Ends("130 TooFewClients"), Absent],
        prepare: |plan| {
            plan.policy.minimum_clients = plan.setting.n;
            (plan.config.clients, plan.config.threshold) = (2, 2);
            plan.setting.n = 2;
            (plan.corrupt, plan.minimum) = (1, 2);
            if plan.setting.ground == Ground::Active {
                plan.config.suite = Suite::Active { corrupt: 1, authority: authority().public() };
            }
        },
        attack: honest_but_curious,
        control: |plan| plan.without = Some(&["130"]),
        ..PLAIN
    },
    Scenario {
        name: "sum-of-few",
        threat: "S11",
        says: "proposes sums of fewer inputs than the client wants to be among",
        expect: [Ends("130 MinimumSurvivorsTooLow"), Ends("130 MinimumSurvivorsTooLow"), Absent],
        pinned: Absent,
        sizes: 5..=16,
        prepare: |plan| {
            plan.policy.minimum_survivors = plan.setting.n;
            plan.minimum = plan.setting.n - plan.corrupt;
        },
        attack: honest_but_curious,
        control: |plan| plan.without = Some(&["130"]),
    },
    Scenario {
        name: "another-task",
        threat: "S4",
        says: "asks all but the victim for the update of a model that gives none away",
        expect: [Ends("130 WrongTask"); 3],
        prepare: |plan| plan.policy.task = Some([0x7b; 32]),
        attack: split_models,
        control: |plan| plan.without = Some(&["130", "4.2-4", "4.3-2"]),
        ..PLAIN
    },
    Scenario {
        name: "split-models",
        threat: "S4",
        says: "does that to clients that know of no task, under one session id",
        expect: [Ends("4.3-2"), Ends("4.3-2"), Leaks],
        attack: split_models,
        control: |plan| plan.without = Some(&["4.2-4", "4.3-2"]),
        ..PLAIN
    },
    Scenario {
        name: "talk-out-of-signing",
        threat: "S10",
        says: "offers the suite without signatures to clients that can sign, and invents their neighbours",
        expect: [Ends("130 WrongSuite"), Absent, Absent],
        prepare: |plan| plan.config.suite = Suite::Curious,
        attack: |game| invented(game, |game, keys, id| game.forge(keys, id, &[1; 32], [0; 64])),
        control: |plan| plan.without = Some(&["130"]),
        ..PLAIN
    },
    Scenario {
        name: "own-authority",
        threat: "S5, S6",
        says: "names an authority of its own, which certifies its inventions",
        expect: [Ends("130 WrongAuthority"), Absent, Absent],
        prepare: |plan| {
            plan.config.suite =
                Suite::Active { corrupt: plan.corrupt, authority: server_authority().public() };
        },
        attack: |game| {
            invented(game, |game, keys, id| {
                let identity = bytes("invented identity", id);
                let certificate = server_authority().certify(&secagg::Credentials::identity_of(&identity));
                game.forge(keys, id, &identity, certificate.expect("it can sign"))
            });
        },
        // The victim's own certificate is not by this authority either.
        control: |plan| plan.without = Some(&["130", "3.7-2"]),
        ..PLAIN
    },
    Scenario {
        name: "sparse-under-active",
        threat: "S12",
        says: "proposes a sparse graph in the suite that needs the complete one, and draws the graph to its liking",
        expect: [Ends("4.2-1"), Absent, Absent],
        prepare: |plan| plan.config.graph = Graph::Regular { degree: 2 },
        attack: |game| {
            invented(game, |game, keys, id| game.forge(keys, id, &bytes("invented identity", id), [0; 64]));
        },
        control: |plan| {
            plan.without = Some(&["4.2-1", "3.7-2"]);
            plan.config.threshold = 2;
        },
        ..PLAIN
    },
];

fn server_authority() -> Authority {
    Authority::new([0x66; 32])
}

/// Everybody but the victim is told another task, and the session is that of the others.
fn split_models(game: &mut Game) {
    let victim = game.plan.config.clone();
    let others = Config { task: [0xee; 32], ..victim.clone() };
    game.propose(1, &victim);
    (2..=game.plan.setting.n).for_each(|id| game.propose(id, &others));
    let session = session_id(&others, &game.roster());
    for id in game.everybody() {
        let members = game.neighbourhood(id);
        if !game.show(id, &session, &members) && id == 1 {
            return;
        }
    }
    game.mask();
    let (everybody, honest) = (game.everybody(), game.honest());
    game.unmask(&honest, &everybody);
}

/// Only what a plan of more corrupt clients than the session is made for needs.
pub(super) fn too_many_corrupt(plan: &mut Plan) {
    plan.corrupt = 2 * plan.threshold() - plan.setting.n;
}
