//! A cohort of clients and a server in one process, with clients that vanish as a plan says.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "shared by test binaries, each of which uses its part"
)]

use std::collections::{BTreeMap, BTreeSet};

use secagg::{
    Abort, Aggregate, Authority, Client, ClientId, Closed, Config, Credentials, Fault, Graph, Input, Policy,
    Requests, Round, SafetyPolicy, Server, Suite, VectorSpec, parameters::Fraction,
};

/// When in a round a client vanishes for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It never sees the request.
    BeforeRequest,
    /// It handles the request, but its answer is lost.
    BeforeAnswer,
    /// Its answer arrives, and it is gone.
    AfterAnswer,
}

/// A small deterministic generator (splitmix64), so that a failing case is its seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u32) -> u32 {
        (self.next() % u64::from(bound)) as u32
    }

    pub fn bytes(&mut self) -> [u8; 32] {
        std::array::from_fn(|_| self.next() as u8)
    }

    pub fn moment(&mut self) -> Moment {
        [Moment::BeforeRequest, Moment::BeforeAnswer, Moment::AfterAnswer][self.below(3) as usize]
    }
}

pub fn id(number: u32) -> ClientId {
    ClientId::new(number).unwrap()
}

/// The public parameters and every client's secrets and input.
pub struct Cohort {
    pub config: Config,
    pub entropy: Vec<[u8; 32]>,
    pub inputs: Vec<Vec<Vec<u64>>>,
}

/// The authority that has certified every client of every active cohort.
pub fn authority() -> Authority {
    Authority::new([0xa0; 32])
}

/// The secret of the identity of client `number`: the same in every cohort.
pub fn identity_secret(number: u32) -> [u8; 32] {
    [number as u8; 32]
}

pub fn credentials(number: u32) -> Credentials {
    let secret = identity_secret(number);
    let certificate = authority().certify(&Credentials::identity_of(&secret)).unwrap();
    Credentials::new(secret, certificate, authority().public()).unwrap()
}

impl Cohort {
    pub fn new(graph: Graph, clients: u32, threshold: u32, vectors: Vec<VectorSpec>, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let entropy = (0..clients).map(|_| random.bytes()).collect();
        let inputs = (0..clients)
            .map(|_| {
                let value =
                    |spec: &VectorSpec| (0..spec.length).map(|_| random.next() % (1 << spec.bits)).collect();
                vectors.iter().map(value).collect()
            })
            .collect();
        let config = Config {
            suite: Suite::Curious,
            graph,
            clients,
            threshold,
            minimum_survivors: 1,
            vectors,
            task: random.bytes(),
            nonce: random.bytes(),
        };
        Self { config, entropy, inputs }
    }

    /// A cohort in the active suite.
    pub fn active(clients: u32, threshold: u32, corrupt: u32, vectors: Vec<VectorSpec>, seed: u64) -> Self {
        let mut cohort = Self::new(Graph::Complete, clients, threshold, vectors, seed);
        cohort.config.suite = Suite::Active { corrupt, authority: authority().public() };
        cohort
    }

    /// A cohort in the pinned suite. No planner would accept so few clients, so they ask for nothing.
    pub fn pinned(
        clients: u32,
        (degree, threshold): (u32, u32),
        corrupt: u32,
        vectors: Vec<VectorSpec>,
        seed: u64,
    ) -> Self {
        let mut cohort = Self::new(Graph::KOut { degree }, clients, threshold, vectors, seed);
        cohort.config.suite = Suite::Pinned { corrupt, authority: authority().public() };
        cohort
    }

    pub fn is_active(&self) -> bool {
        self.config.suite != Suite::Curious
    }

    /// What the clients insist on: nothing, but that what is experimental has to be allowed.
    pub fn policy(&self) -> Policy {
        let trusting = SafetyPolicy {
            security_bits: 0,
            correctness_bits: 0,
            minimum_honest: 1,
            roots: Some(1),
            ..SafetyPolicy::new(Fraction::ZERO, Fraction::ZERO)
        };
        let pinned = matches!(self.config.suite, Suite::Pinned { .. });
        Policy { safety: pinned.then_some(trusting), experimental_noise: true, ..Policy::default() }
    }

    /// The rounds of the cohort's suite.
    pub fn rounds(&self) -> Vec<Round> {
        let all = [
            Round::AdvertiseKeys,
            Round::ShareKeys,
            Round::MaskedInputCollection,
            Round::ConsistencyCheck,
            Round::Unmasking,
        ];
        all.into_iter().filter(|round| self.is_active() || *round != Round::ConsistencyCheck).collect()
    }

    pub fn client(&self, number: u32) -> Client {
        let at = number as usize - 1;
        let mut client = match self.is_active() {
            true => Client::with_credentials(self.entropy[at], self.policy(), credentials(number)),
            false => Client::new(self.entropy[at], Policy::default()),
        };
        let input = self.config.vectors.iter().zip(&self.inputs[at]);
        let input = input.fold(Input::new(), |input, (spec, values)| input.with(&spec.name, values.clone()));
        client.set_input(input).unwrap();
        client
    }

    pub fn clients(&self) -> BTreeMap<ClientId, Client> {
        (1..=self.config.clients).map(|number| (id(number), self.client(number))).collect()
    }

    pub fn open(&self) -> (Server, Requests) {
        Server::open(self.config.clone()).unwrap()
    }

    /// Runs a session in which `fate` says when a client vanishes.
    pub fn run(&self, fate: impl Fn(u32, Round) -> Option<Moment>) -> Result<Aggregate, Abort> {
        let mut clients = self.clients();
        let (mut server, mut requests) = self.open();
        loop {
            let round = server.progress().unwrap().round;
            for (id, request) in requests {
                let fate = fate(id.get(), round);
                if fate == Some(Moment::BeforeRequest) {
                    clients.remove(&id);
                }
                let Some(client) = clients.get_mut(&id) else { continue };
                let response = client.handle(&request).unwrap();
                if fate.is_some() {
                    clients.remove(&id);
                }
                if fate != Some(Moment::BeforeAnswer) {
                    assert!(response.len() as u64 <= server.response_limit(id));
                    server.receive(id, &response).unwrap();
                }
            }
            let sufficient = server.progress().unwrap().sufficient;
            match server.close_round() {
                Ok(closed) => {
                    assert!(sufficient);
                    match closed {
                        Closed::Next(next) => requests = next,
                        Closed::Done(aggregate) => return Ok(aggregate),
                    }
                }
                Err(abort) => {
                    assert!(!sufficient, "{abort}");
                    assert!(matches!(server.close_round(), Err(Abort::Over)));
                    return Err(abort);
                }
            }
        }
    }

    /// Runs a session in which `tamper` may change what a client sends, or send more; the faults of each message
    /// come back beside the outcome.
    pub fn run_tampered(
        &self,
        mut tamper: impl FnMut(u32, Round, Vec<u8>) -> Vec<Vec<u8>>,
    ) -> (Vec<Fault>, Result<Aggregate, Abort>) {
        let mut clients = self.clients();
        let (mut server, mut requests) = self.open();
        let mut faults = Vec::new();
        loop {
            let round = server.progress().unwrap().round;
            for (id, request) in requests {
                let response = clients.get_mut(&id).unwrap().handle(&request).unwrap();
                for message in tamper(id.get(), round, response) {
                    faults.extend(server.receive(id, &message).err());
                }
            }
            match server.close_round() {
                Ok(Closed::Next(next)) => requests = next,
                Ok(Closed::Done(aggregate)) => return (faults, Ok(aggregate)),
                Err(abort) => return (faults, Err(abort)),
            }
        }
    }

    /// Runs a session up to the requests of `round`, everybody honest; returns them with the clients.
    pub fn requests_of(&self, round: Round) -> (BTreeMap<ClientId, Client>, Server, Requests) {
        let mut clients = self.clients();
        let (mut server, mut requests) = self.open();
        while server.progress().unwrap().round != round {
            for (id, request) in requests {
                let response = clients.get_mut(&id).unwrap().handle(&request).unwrap();
                server.receive(id, &response).unwrap();
            }
            let Ok(Closed::Next(next)) = server.close_round() else { panic!("everybody is honest") };
            requests = next;
        }
        (clients, server, requests)
    }

    /// Runs a session and checks it against what the threshold says of who is left.
    pub fn assert_outcome(&self, fate: impl Fn(u32, Round) -> Option<Moment>) {
        let expected = self.expected(&fate);
        match (self.run(&fate), expected) {
            (Ok(aggregate), Ok(survivors)) => {
                assert_eq!(aggregate.survivors.iter().map(|id| id.get()).collect::<BTreeSet<_>>(), survivors);
                self.assert_sum(&aggregate);
            }
            (Err(Abort::TooFew { round, .. }), Err(expected)) => assert_eq!(round, expected),
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    /// The survivors, or the round that must abort, from the rule alone: on the complete graph the threshold
    /// of all who answer; on a regular one the same of every neighbourhood, as the requests show it.
    fn expected(&self, fate: &impl Fn(u32, Round) -> Option<Moment>) -> Result<BTreeSet<u32>, Round> {
        let rounds = self.rounds();
        let mut alive: BTreeSet<u32> = (1..=self.config.clients).collect();
        let mut answered = Vec::new();
        for &round in &rounds {
            let here: BTreeSet<u32> = alive
                .iter()
                .copied()
                .filter(|&id| !matches!(fate(id, round), Some(Moment::BeforeRequest | Moment::BeforeAnswer)))
                .collect();
            alive = here.iter().copied().filter(|&id| fate(id, round).is_none()).collect();
            answered.push(here);
        }
        let threshold = self.config.threshold as usize;
        match self.config.graph {
            Graph::Complete => {
                for (round, answered) in rounds.iter().zip(&answered) {
                    if answered.len() < threshold {
                        return Err(*round);
                    }
                }
            }
            Graph::Regular { degree } => {
                if answered[0].len() <= degree as usize {
                    return Err(Round::AdvertiseKeys);
                }
                let neighbours = self.neighbours(&answered[0]);
                let short = |owner: &u32, present: &BTreeSet<u32>| {
                    neighbours[owner].intersection(present).count() < threshold
                };
                if answered[1].is_empty() || answered[1].iter().any(|owner| short(owner, &answered[1])) {
                    return Err(Round::ShareKeys);
                }
                for at in [2, 3] {
                    let needed = |owner: &&u32| {
                        answered[2].contains(owner) || !neighbours[owner].is_disjoint(&answered[2])
                    };
                    let mut needed = answered[1].iter().filter(needed).peekable();
                    if needed.peek().is_none() || needed.any(|owner| short(owner, &answered[at])) {
                        return Err(rounds[at]);
                    }
                }
            }
            Graph::KOut { degree } => {
                let corrupt = self.config.suite.corrupt().unwrap();
                let roster = answered[0].len() as u32;
                if roster < (degree + 1).max(corrupt + 2) {
                    return Err(Round::AdvertiseKeys);
                }
                let quorum = ((roster + corrupt) / 2 + 1) as usize;
                let holders = self.holders(&answered[0]);
                let short = |owner: &u32, present: &BTreeSet<u32>| {
                    holders[owner].intersection(present).count() < threshold
                };
                if answered[1].len() < quorum || answered[1].iter().any(|owner| short(owner, &answered[1])) {
                    return Err(Round::ShareKeys);
                }
                let survives = |id: &u32| answered[2].contains(id);
                let masks_with_one = |owner: &u32| {
                    let drew = |other: &&u32| holders[*other].contains(owner);
                    holders[owner].iter().any(survives) || answered[2].iter().any(|other| drew(&other))
                };
                for at in [2, 3, 4] {
                    let needed = answered[1].iter().filter(|owner| survives(owner) || masks_with_one(owner));
                    let few = at < 4 && answered[at].len() < quorum;
                    if few || needed.into_iter().any(|owner| short(owner, &answered[at])) {
                        return Err(rounds[at]);
                    }
                }
            }
        }
        Ok(answered[2].clone())
    }

    /// The holders of each client on a k-out graph over the clients that advertise keys, read off the
    /// MaskedInputCollection requests of a session in which all of them share.
    fn holders(&self, advertise: &BTreeSet<u32>) -> BTreeMap<u32, BTreeSet<u32>> {
        let mut clients = self.clients();
        let (mut server, mut requests) = self.open();
        while server.progress().unwrap().round != Round::MaskedInputCollection {
            for (id, request) in requests {
                if advertise.contains(&id.get()) {
                    let response = clients.get_mut(&id).unwrap().handle(&request).unwrap();
                    server.receive(id, &response).unwrap();
                }
            }
            let Ok(Closed::Next(next)) = server.close_round() else { panic!("all have shared") };
            requests = next;
        }
        let mut holders: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for (holder, request) in &requests {
            let bits = advertise.len().div_ceil(8);
            for item in request[33 + 4 + bits + 4..].chunks(116) {
                let owner = u32::from_be_bytes(item[..4].try_into().unwrap());
                holders.entry(owner).or_default().insert(holder.get());
            }
        }
        holders
    }

    /// The graph over the clients that advertise keys, read off the ShareKeys requests.
    fn neighbours(&self, advertise: &BTreeSet<u32>) -> BTreeMap<u32, BTreeSet<u32>> {
        let (mut server, requests) = self.open();
        for (id, request) in requests {
            if advertise.contains(&id.get()) {
                server.receive(id, &self.client(id.get()).handle(&request).unwrap()).unwrap();
            }
        }
        let Ok(Closed::Next(requests)) = server.close_round() else { panic!("enough have advertised") };
        let of_request = |(id, request): (ClientId, Vec<u8>)| {
            let items = request[37..].chunks(68);
            let ids = items.map(|item| u32::from_be_bytes(item[..4].try_into().unwrap()));
            (id.get(), ids.filter(|&other| other != id.get()).collect())
        };
        requests.into_iter().map(of_request).collect()
    }

    /// The sum over the survivors, in the clear, is what was released.
    pub fn assert_sum(&self, aggregate: &Aggregate) {
        for (index, (spec, sum)) in aggregate.vectors.iter().enumerate() {
            let mask = (1u64 << spec.bits) - 1;
            for at in 0..spec.length as usize {
                let values =
                    aggregate.survivors.iter().map(|id| self.inputs[id.get() as usize - 1][index][at]);
                let plain = values.fold(0u64, u64::wrapping_add) & mask;
                assert_eq!(sum.get(at), Some(plain), "{} coordinate {at}", spec.name);
            }
        }
    }
}
