//! The sizes that are told without making a message are those of real messages.

mod cohort;

use std::collections::BTreeMap;

use cohort::{Cohort, id};
use secagg::sizes::{self, Traffic};
use secagg::{ClientId, Closed, Config, Graph, Round, Server, VectorSpec};

/// The lengths of every request and response of a session in which `lost` send no shares.
fn session(cohort: &Cohort, lost: &[ClientId]) -> Vec<(Round, ClientId, usize, Option<usize>)> {
    let mut clients = cohort.clients();
    let (mut server, mut requests) = cohort.open();
    let mut lengths = Vec::new();
    loop {
        let round = server.progress().unwrap().round;
        for (id, request) in requests {
            let gone = round == Round::ShareKeys && lost.contains(&id);
            let response = (!gone).then(|| clients.get_mut(&id).unwrap().handle(&request).unwrap());
            lengths.push((round, id, request.len(), response.as_ref().map(Vec::len)));
            if let Some(response) = response {
                server.receive(id, &response).unwrap();
            }
        }
        match server.close_round().unwrap() {
            Closed::Next(next) => requests = next,
            Closed::Done(_) => return lengths,
        }
    }
}

fn cohorts() -> impl Iterator<Item = Cohort> {
    let vectors = || vec![VectorSpec::new("weights", 1001, 13), VectorSpec::new("examples", 1, 20)];
    let complete = [2, 3, 9, 17].map(|clients| (Graph::Complete, clients));
    let regular =
        [(2, 3), (4, 9), (8, 30), (16, 17)].map(|(degree, clients)| (Graph::Regular { degree }, clients));
    let cohort = move |(graph, clients)| Cohort::new(graph, clients, 2, vectors(), clients.into());
    let active = [2, 3, 9, 17].map(|clients| Cohort::active(clients, clients / 2 + 1, 0, vectors(), 3));
    // Each the holder of all others, so that nobody holds more shares than on average.
    let pinned = [4, 9, 17]
        .map(|clients| Cohort::pinned(clients, (clients - 1, clients - 2), 1, vectors(), clients.into()));
    complete.into_iter().chain(regular).map(cohort).chain(active).chain(pinned)
}

#[test]
fn a_session_that_nobody_leaves_has_the_bytes_that_were_told() {
    for cohort in cohorts() {
        let mut found: BTreeMap<ClientId, Traffic> = BTreeMap::new();
        for (_, id, request, response) in session(&cohort, &[]) {
            let traffic = found.entry(id).or_default();
            traffic.down += request as u64;
            traffic.up += response.unwrap() as u64;
        }
        assert_eq!(found.len(), cohort.config.clients as usize);
        assert!(found.values().all(|traffic| *traffic == sizes::per_client(&cohort.config)));
    }
}

#[test]
fn each_message_has_the_bytes_that_were_told() {
    // Everybody is everybody's neighbour, so that two lost clients are missed by all.
    let vectors = || vec![VectorSpec::new("v", 77, 9)];
    for cohort in [
        Cohort::new(Graph::Complete, 11, 5, vectors(), 1),
        Cohort::new(Graph::Regular { degree: 10 }, 11, 5, vectors(), 1),
        Cohort::active(11, 7, 2, vectors(), 1),
        Cohort::pinned(11, (10, 5), 2, vectors(), 1),
    ] {
        let graph = cohort.config.graph;
        let (neighbours, sharers) = (10, 8);
        let held = sharers + usize::from(graph == Graph::Complete);
        for (round, id, request, response) in session(&cohort, &[id(3), id(8)]) {
            let (down, up) = match round {
                Round::AdvertiseKeys => (
                    sizes::advertise_keys_request(&cohort.config),
                    sizes::advertise_keys_response(&cohort.config),
                ),
                Round::ShareKeys => (
                    sizes::share_keys_request(&cohort.config, neighbours),
                    sizes::share_keys_response(&cohort.config, neighbours),
                ),
                Round::MaskedInputCollection => (
                    sizes::masked_input_request(&cohort.config, 11, sharers),
                    sizes::masked_input_response(&cohort.config),
                ),
                Round::ConsistencyCheck => {
                    (sizes::consistency_check_request(11), sizes::consistency_check_response())
                }
                Round::Unmasking => (
                    sizes::unmasking_request(&cohort.config, 11, sharers),
                    sizes::unmasking_response(held, 0),
                ),
            };
            assert_eq!(request as u64, down, "{round} to {id}");
            assert!(response.is_none_or(|response| response as u64 == up), "{round} of {id}");
        }
    }
}

#[test]
fn a_declared_bound_is_counted() {
    let vectors = vec![VectorSpec::new("v", 77, 9).with_bound(3)];
    let config = Config { vectors, ..Cohort::new(Graph::Complete, 11, 5, Vec::new(), 1).config };
    let (_, requests) = Server::open(config.clone()).unwrap();
    assert!(requests.iter().all(|(_, one)| one.len() as u64 == sizes::advertise_keys_request(&config)));
}

#[test]
fn an_id_stands_for_a_share_that_is_not_there() {
    assert_eq!(sizes::unmasking_response(10, 0) - sizes::unmasking_response(9, 1), 32 - 4);
}
