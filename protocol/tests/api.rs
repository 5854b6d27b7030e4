//! The façade: inputs, chunks, counts, and the refusal of configurations that cannot be right.

mod cohort;

use cohort::{Cohort, id};
use secagg::{Abort, Client, Config, Graph, Input, Lanes, Misuse, Policy, Round, Server, VectorSpec};

fn cohort() -> Cohort {
    let vectors = vec![VectorSpec::new("large", 100_003, 20), VectorSpec::new("small", 9, 62)];
    Cohort::new(Graph::Complete, 3, 2, vectors, 4)
}

/// A masked input in chunks is the same bytes as the whole, and no chunk is large.
#[test]
fn chunks_are_the_whole() {
    let cohort = cohort();
    let (mut clients, _, requests) = cohort.requests_of(Round::MaskedInputCollection);
    let (mut again, _, _) = cohort.requests_of(Round::MaskedInputCollection);
    for (id, request) in requests {
        let whole = clients.get_mut(&id).unwrap().handle(&request).unwrap();
        let response = again.get_mut(&id).unwrap().respond(&request).unwrap();
        assert_eq!(response.len(), whole.len() as u64);
        let chunks: Vec<Vec<u8>> = response.collect();
        assert!(chunks.len() > 10);
        assert!(chunks.iter().all(|chunk| chunk.len() <= 64 << 10));
        assert_eq!(chunks.concat(), whole);
    }
}

#[test]
fn the_same_randomness_gives_the_same_bytes() {
    let (one, other) = (cohort(), cohort());
    for round in [Round::ShareKeys, Round::MaskedInputCollection, Round::Unmasking] {
        assert_eq!(one.requests_of(round).2, other.requests_of(round).2);
    }
}

#[test]
fn the_input_can_come_at_any_time_before_it_is_needed() {
    let cohort = cohort();
    let (_, mut server, requests) = cohort.requests_of(Round::AdvertiseKeys);
    let mut client = Client::new([9; 32], Policy::default());
    let mut others = cohort.clients();
    for (to, request) in &requests {
        let answer =
            if *to == id(1) { client.handle(request) } else { others.get_mut(to).unwrap().handle(request) };
        server.receive(*to, &answer.unwrap()).unwrap();
    }
    let Ok(secagg::Closed::Next(requests)) = server.close_round() else { panic!() };
    for (to, request) in &requests {
        let answer =
            if *to == id(1) { client.handle(request) } else { others.get_mut(to).unwrap().handle(request) };
        server.receive(*to, &answer.unwrap()).unwrap();
    }
    let Ok(secagg::Closed::Next(requests)) = server.close_round() else { panic!() };
    assert_eq!(client.handle(&requests[0].1).unwrap_err(), Abort::Misuse(Misuse::NoInput));
    assert_eq!(client.round(), Some(Round::MaskedInputCollection), "the client can still be given its input");

    let refused = |client: &mut Client, input| client.set_input(input).unwrap_err().to_string();
    let large = || vec![1u32; 100_003];
    let says = refused(&mut client, Input::new().with("large", large()));
    assert_eq!(says, r#"the input's vectors are ["large"], but the session asks for ["large", "small"]"#);
    let says = refused(&mut client, Input::new().with("large", large()).with("small", vec![0u16; 8]));
    assert_eq!(says, r#"vector "small" has 8 coordinates, but the session asks for 9"#);
    let mut too_large = large();
    too_large[77] = 1 << 20;
    let says = refused(&mut client, Input::new().with("large", too_large).with("small", vec![0u16; 9]));
    assert_eq!(says, r#"vector "large", coordinate 77 is above 1048575"#);
    client.set_input(Input::new().with("large", large()).with("small", vec![0u16; 9])).unwrap();
    assert!(client.handle(&requests[0].1).is_ok());
}

/// An honest session on the complete graph does exactly the work that the protocol asks for.
#[test]
fn counts_are_those_of_the_protocol() {
    let cohort = Cohort::new(Graph::Complete, 10, 6, vec![VectorSpec::new("v", 1000, 20)], 8);
    let (mut clients, mut server, requests) = cohort.requests_of(Round::Unmasking);
    for (to, request) in requests.iter().filter(|(to, _)| to.get() > 2) {
        server.receive(*to, &clients.get_mut(to).unwrap().handle(request).unwrap()).unwrap();
    }
    server.close_round().unwrap();
    let client = clients[&id(1)].counts();
    assert_eq!((client.encryption_agreements, client.mask_agreements, client.public_keys), (9, 9, 2));
    assert_eq!((client.share_evaluations, client.aead_bytes), (19, 2 * 9 * 80));
    assert_eq!(client.keystream_bytes, 10 * 4000);
    let server = server.counts();
    assert_eq!((server.reconstructions, server.additions), (10, 10_000));
    assert_eq!((server.keystream_bytes, server.mask_agreements), (10 * 4000, 0));
}

fn config() -> Config {
    cohort().config
}

#[test]
fn impossible_configurations_are_refused_with_their_numbers() {
    let refused = |config: Config| Server::open(config).map(drop).unwrap_err().to_string();
    let with = |vector: VectorSpec| Config { vectors: vec![vector], ..config() };
    for (config, says) in [
        (Config { clients: 1, ..config() }, "1 clients: a session needs 2 to 2^30"),
        (Config { threshold: 1, ..config() }, "threshold 1: with this graph it must be 2 to 3"),
        (Config { threshold: 4, ..config() }, "threshold 4: with this graph it must be 2 to 3"),
        (Config { graph: Graph::Regular { degree: 3 }, clients: 9, ..config() }, "degree 3: it must be even"),
        (Config { graph: Graph::Regular { degree: 4 }, clients: 4, ..config() }, "from 2 to 3 for 4 clients"),
        (Config { minimum_survivors: 0, ..config() }, "minimum of survivors 0: it must be 1 to 3"),
        (Config { minimum_survivors: 4, ..config() }, "minimum of survivors 4: it must be 1 to 3"),
        (Config { vectors: vec![], ..config() }, "0 vectors"),
        (with(VectorSpec::new("", 1, 1)), "vector name"),
        (with(VectorSpec::new("né", 1, 1)), "vector name"),
        (with(VectorSpec::new("v", 0, 1)), "has no coordinates"),
        (with(VectorSpec::new("v", 1, 0)), "0 bits, but a coordinate has 1 to 62"),
        (with(VectorSpec::new("v", 1, 63)), "63 bits"),
        (
            with(VectorSpec::new("v", 1, 16).with_bound(21_846)),
            "3 clients × bound 21846 = 65538, which is not below 2^16 = 65536; use at least 17 bits",
        ),
    ] {
        assert!(refused(config.clone()).contains(says), "{} is not {says}", refused(config));
    }
    let twice = vec![VectorSpec::new("v", 1, 1), VectorSpec::new("v", 2, 2)];
    assert!(refused(Config { vectors: twice, ..config() }).contains("unique"));
    assert!(Server::open(with(VectorSpec::new("v", 1, 16).with_bound(21_845))).is_ok());
}

#[test]
fn a_declared_bound_is_held_by_the_client() {
    let vectors = vec![VectorSpec::new("v", 2, 16).with_bound(100)];
    let (_, requests) = Server::open(Config { vectors, ..config() }).unwrap();
    let mut client = Client::new([1; 32], Policy::default());
    client.handle(&requests[0].1).unwrap();
    let says = client.set_input(Input::new().with("v", vec![100u16, 101])).unwrap_err().to_string();
    assert_eq!(says, r#"vector "v", coordinate 1 is above 100"#);
}

/// The most vectors that a session may have, through both ways of masking.
#[test]
fn two_hundred_and_fifty_five_vectors() {
    let vectors =
        (0..255).map(|at| VectorSpec::new(format!("v{at}"), 1 + at % 3, 1 + (at % 62) as u8)).collect();
    let cohort = Cohort::new(Graph::Complete, 2, 2, vectors, 10);
    cohort.assert_sum(&cohort.run(|_, _| None).unwrap());
    let (mut clients, _, requests) = cohort.requests_of(Round::MaskedInputCollection);
    let whole =
        cohort.requests_of(Round::MaskedInputCollection).0.get_mut(&id(1)).unwrap().handle(&requests[0].1);
    let chunks = clients.get_mut(&id(1)).unwrap().respond(&requests[0].1).unwrap();
    assert_eq!(chunks.collect::<Vec<_>>().concat(), whole.unwrap());
}

#[test]
fn secrets_are_not_printed() {
    let client = Client::new([0xab; 32], Policy::default());
    let printed =
        format!("{client:?} {:?} {:?}", Input::new().with("v", vec![171u16]), Lanes::U16(vec![171]));
    assert!(!printed.contains("171") && !printed.contains("ab, ab"), "{printed}");
}
