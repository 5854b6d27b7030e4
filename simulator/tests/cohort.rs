//! Cohorts of real clients: exact sums, the same run from the same seed, and operations as a formula gives them.

use secagg::{Graph, VectorSpec};
use secagg_simulator::{Cohort, Operations, Report, Scenario};

fn scenario() -> Scenario {
    Scenario {
        graph: Graph::Regular { degree: 16 },
        clients: 60,
        threshold: 6,
        vectors: vec![
            VectorSpec::new("weights", 50, 16),
            VectorSpec::new("examples", 1, 33).with_bound(100_000_000),
            VectorSpec::new("mean", 9000, 20),
        ],
        dropout: 0.1,
        seed: 7,
    }
}

fn run(scenario: &Scenario) -> Report {
    Cohort::new(scenario).unwrap().run(|_| ())
}

#[test]
fn a_sparse_cohort_with_dropouts_gives_the_exact_sum() {
    let report = run(&scenario());
    assert_eq!(report.abort, None);
    assert!(report.exact);
    assert!(report.survivors < 60, "some are lost");
    assert!(report.dropped.iter().all(|lost| lost.clients > 0), "in every round: {:?}", report.dropped);
    assert_eq!(report.faults, 0);
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_one_another() {
    let one = run(&scenario());
    assert_eq!(run(&scenario()), one);
    let other = run(&Scenario { seed: 8, ..scenario() });
    assert_ne!(other.transcript, one.transcript);
}

#[test]
fn too_many_dropouts_abort() {
    let report = run(&Scenario { dropout: 0.9, ..scenario() });
    assert!(report.abort.is_some());
    assert_eq!((report.exact, report.survivors), (false, 0));
}

#[test]
fn the_operations_of_a_whole_cohort_are_as_the_formula_says() {
    for (graph, neighbours) in [(Graph::Regular { degree: 16 }, 16u64), (Graph::Complete, 59)] {
        let scenario = Scenario { graph, threshold: 12, dropout: 0.0, ..scenario() };
        let report = run(&scenario);
        assert!(report.exact);
        assert_eq!(report.survivors, 60);
        let lane_bytes = 50 * 2 + 8 + 9000 * 4;
        let own_share = u64::from(graph == Graph::Complete);
        let clients = 60;
        let expected = Operations {
            encryption_agreements: clients * neighbours,
            mask_agreements: clients * neighbours,
            public_keys: clients * 2,
            aead_bytes: clients * 2 * 80 * neighbours,
            keystream_bytes: clients * (neighbours + 1) * lane_bytes,
            share_evaluations: clients * (2 * neighbours + own_share),
            reconstructions: 0,
            additions: 0,
            signatures: 0,
            verifications: 0,
        };
        assert_eq!(report.client_operations, expected);
        let expected = Operations {
            encryption_agreements: clients,
            mask_agreements: 0,
            public_keys: 0,
            aead_bytes: 0,
            keystream_bytes: clients * lane_bytes,
            share_evaluations: 0,
            reconstructions: clients,
            additions: clients * 9051,
            signatures: 0,
            verifications: 0,
        };
        assert_eq!(report.server_operations, expected);
        let bytes = |name| report.messages.iter().find(|message| message.name == name).unwrap().bytes;
        let packed = 50 * 2 + (33u64).div_ceil(8) + 9000 * 20 / 8;
        assert_eq!(bytes("AdvertiseKeysResponse"), clients * (33 + 64));
        assert_eq!(bytes("ShareKeysRequest"), clients * (33 + 4 + 68 * (neighbours + 1)));
        assert_eq!(bytes("ShareKeysResponse"), clients * (33 + 32 + 4 + 80 * neighbours));
        assert_eq!(bytes("MaskedInputRequest"), clients * (33 + 4 + 84 * neighbours));
        assert_eq!(bytes("MaskedInputResponse"), clients * (33 + packed));
        assert_eq!(bytes("UnmaskingRequest"), clients * (33 + 4 + (neighbours + 1).div_ceil(8)));
        assert_eq!(bytes("UnmaskingResponse"), clients * (33 + 8 + 32 * (neighbours + own_share)));
    }
}
