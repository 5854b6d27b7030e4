//! Honest sessions, and parties brought into a state of one.

use std::collections::BTreeMap;

use secagg::privacy::{Level, Noise, NoiseLaw};
use secagg::{
    Abort, Aggregate, Client, ClientId, Closed, Config, Credentials, Graph, Input, Policy, Server, Suite,
    VectorSpec,
};

use super::super::secrets::{Bytes32, hash};
use super::super::setting::{Ground, authority, bytes, certified};
use super::super::wire::HEADER;

/// Clients of a session in which all forms of all messages are sent. It can do without two of them.
pub const CLIENTS: u32 = 7;

/// A session: what everybody is asked and answers.
pub(super) struct Scene {
    pub(super) ground: Ground,
    pub(super) config: Config,
    pub(super) policy: Policy,
    /// Which of several sessions of the same people.
    number: u32,
    pub(super) rounds: Vec<Exchange>,
}

/// One round: requests and responses by client.
pub(super) struct Exchange {
    /// The type of its requests.
    pub(super) kind: u8,
    pub(super) requests: BTreeMap<u32, Vec<u8>>,
    pub(super) responses: BTreeMap<u32, Vec<u8>>,
}

impl Scene {
    /// A session of so many clients.
    pub(super) fn new(ground: Ground, number: u32, clients: u32) -> Self {
        Self::played(ground, number, config(ground, number, clients))
    }

    /// A session of suite 3 that can do without the client that drops out, and without no other holder.
    pub(super) fn without_spare() -> Self {
        let config = Config { graph: Graph::KOut { degree: 3 }, ..config(Ground::Pinned, 0, CLIENTS) };
        Self::played(Ground::Pinned, 0, config)
    }

    fn played(ground: Ground, number: u32, config: Config) -> Self {
        let policy = all_laws(ground.policy());
        let mut scene = Self { ground, config, policy, number, rounds: Vec::new() };
        let outcome = scene.play(None);
        outcome.expect("an honest session ends with a sum");
        scene
    }

    /// A proposal with noise.
    pub(super) fn with_noise() -> Self {
        let levels = vec![Level { survivors: 6, variance: 1 << 21 }];
        let noise = Noise { levels, ..noise(NoiseLaw::DiscreteGaussian, 10_016) };
        Self::proposal(with(noise), all_laws(Policy::default()))
    }

    /// A proposal with centred noise to clients whose policy, the default one, does not allow it.
    pub(super) fn with_centred_noise() -> Self {
        Self::proposal(with(noise(NoiseLaw::Centred, 10_016 << 24)), Policy::default())
    }

    /// A proposal of suite 3 to clients whose policy does not allow it.
    pub(super) fn pinned() -> Self {
        Self::proposal(config(Ground::Pinned, 0, CLIENTS), all_laws(Policy::default()))
    }

    /// A session of which there is no more than the first request.
    fn proposal(config: Config, policy: Policy) -> Self {
        let ground =
            if matches!(config.suite, Suite::Pinned { .. }) { Ground::Pinned } else { Ground::Curious };
        let (_, requests) = Server::open(config.clone()).expect("a good configuration");
        let requests = requests.into_iter().map(|(id, request)| (id.get(), request)).collect();
        let first = Exchange { kind: 1, requests, responses: BTreeMap::new() };
        Self { ground, config, policy, number: 0, rounds: vec![first] }
    }

    /// The same session, of which nothing is recorded yet.
    pub(super) fn anew(&self) -> Self {
        let (config, policy) = (self.config.clone(), self.policy.clone());
        Self { ground: self.ground, config, policy, number: self.number, rounds: Vec::new() }
    }

    /// The client that drops out, the last one: it does not answer ShareKeys.
    pub(super) fn dropped(&self) -> u32 {
        self.config.clients
    }

    pub(super) fn suite(&self) -> u8 {
        self.config.suite.number()
    }

    pub(super) fn is_pinned(&self) -> bool {
        self.suite() == 3
    }

    pub(super) fn is_signed(&self) -> bool {
        self.config.suite != Suite::Curious
    }

    /// The authority that its clients trust, in the signed suites.
    pub(super) fn trusts(&self) -> Option<Bytes32> {
        self.is_signed().then(|| authority().public())
    }

    /// The session id; the config id if there is no more than a proposal.
    pub(super) fn session(&self) -> Bytes32 {
        let request = self.rounds.get(1).unwrap_or(&self.rounds[0]).requests.values().next();
        request.and_then(|request| request[1..HEADER].first_chunk()).copied().expect("a header")
    }

    /// What a client has advertised.
    pub(super) fn advertisement(&self, id: u32) -> Option<&[u8]> {
        self.rounds[0].responses.get(&id).map(|response| &response[HEADER..])
    }

    pub(super) fn client(&self, id: u32) -> Client {
        let entropy = hash(0, "adversary", &[b"entropy", &self.number.to_be_bytes(), &id.to_be_bytes()]);
        let identity = bytes("identity", id);
        match self.trusts() {
            Some(trusts) => {
                let credentials = Credentials::new(identity, certified(&identity), trusts);
                Client::with_credentials(entropy, self.policy.clone(), credentials.expect("it is certified"))
            }
            None => Client::new(entropy, self.policy.clone()),
        }
    }

    /// A client that has answered so many rounds; it has its input from the third on.
    pub(super) fn client_after(&self, id: u32, answered: usize, with_input: bool) -> Client {
        let mut client = self.client(id);
        for (place, round) in self.rounds.iter().enumerate().take(answered) {
            if place == 2 {
                client.set_input(input(id)).expect("an input that fits");
            }
            client.handle(&round.requests[&id]).expect("an honest request");
        }
        if with_input && answered == 2 {
            client.set_input(input(id)).expect("an input that fits");
        }
        client
    }

    /// A server in this round, which those in `answered` have answered.
    pub(super) fn server_in(&self, place: usize, answered: &[u32]) -> Server {
        let (mut server, _) = Server::open(self.config.clone()).expect("a good configuration");
        for round in &self.rounds[..place] {
            for (id, response) in &round.responses {
                server.receive(name(*id), response).expect("an honest response");
            }
            server.close_round().expect("enough answers");
        }
        for id in answered {
            server.receive(name(*id), &self.rounds[place].responses[id]).expect("an honest response");
        }
        server
    }

    /// Plays the session to its end, and keeps what everybody said if nothing is recorded yet. In the round of the
    /// `bad` message its sender sends that first, and then the honest one if it has kept its place.
    pub(super) fn play(&mut self, bad: Option<&Bad>) -> Result<Aggregate, Abort> {
        let record = self.rounds.is_empty();
        let mut clients: BTreeMap<ClientId, Client> =
            (1..=self.config.clients).map(|id| (name(id), self.client(id))).collect();
        let (mut server, mut requests) = Server::open(self.config.clone())?;
        for place in 0.. {
            let kind = requests.first().map_or(0, |(_, request)| request[0]);
            let mut round = Exchange { kind, requests: BTreeMap::new(), responses: BTreeMap::new() };
            for (id, request) in requests {
                round.requests.insert(id.get(), request.clone());
                if place >= 1 && id.get() == self.dropped() {
                    continue;
                }
                let client = clients.get_mut(&id).expect("a client");
                if place == 2 {
                    client.set_input(input(id.get()))?;
                }
                let response = client.handle(&request)?;
                for bad in bad.iter().filter(|bad| bad.place == place) {
                    if bad.sender == id.get() {
                        let _ = server.receive(id, bad.message);
                    } else if bad.harms == Some(id.get()) {
                        let _ = server.receive(id, &[]);
                    }
                }
                // One that is put out goes on, and is not heard.
                let _ = server.receive(id, &response);
                round.responses.insert(id.get(), response);
            }
            if record {
                self.rounds.push(round);
            }
            match server.close_round()? {
                Closed::Next(next) => requests = next,
                Closed::Done(aggregate) => return Ok(aggregate),
            }
        }
        Err(Abort::Over)
    }
}

/// A bad message that comes in the middle of a session.
pub(super) struct Bad<'a> {
    pub(super) place: usize,
    pub(super) sender: u32,
    pub(super) message: &'a [u8],
    /// A planted fault: the message costs this client its place too.
    pub(super) harms: Option<u32>,
}

/// An id.
pub(super) fn name(id: u32) -> ClientId {
    ClientId::new(id).expect("an id is not zero")
}

/// The coordinates of a client: small enough for the bound of the second vector.
pub(super) fn values(id: u32) -> [u64; 3] {
    let drawn = bytes("input", id);
    [u64::from(drawn[0]) << 8, u64::from(drawn[1]) << 8, u64::from(drawn[2])]
}

fn input(id: u32) -> Input {
    let [first, second, third] = values(id);
    Input::new().with("v", vec![first, second]).with("w", vec![third])
}

/// The policy, with all laws of noise allowed: proposals are changed into ones of each.
fn all_laws(policy: Policy) -> Policy {
    Policy { experimental_noise: true, ..policy }
}

/// Noise for a vector of 8 coordinates. `norm_squared` is in the units of the law, and leaves room for rounding.
fn noise(law: NoiseLaw, norm_squared: u64) -> Noise {
    let (clip, scale) = (1f64.to_bits(), 100f64.to_bits());
    Noise { law, dimension: 5, clip, scale, norm_squared, variance: 1 << 20, levels: Vec::new() }
}

/// A configuration of suite 1 with a third vector, of this noise.
fn with(noise: Noise) -> Config {
    let mut config = config(Ground::Curious, 0, CLIENTS);
    config.vectors.push(VectorSpec { noise: Some(noise), ..VectorSpec::new("x", 8, 20) });
    config
}

fn config(ground: Ground, number: u32, clients: u32) -> Config {
    let half = clients / 2 + 1;
    let (suite, graph, threshold) = match ground {
        Ground::Active => {
            (Suite::Active { corrupt: 0, authority: authority().public() }, Graph::Complete, half)
        }
        Ground::Curious => (Suite::Curious, Graph::Complete, half),
        Ground::Sparse => (Suite::Curious, Graph::Regular { degree: 4 }, 2),
        Ground::Pinned => {
            let suite = Suite::Pinned { corrupt: 1, authority: authority().public() };
            (suite, Graph::KOut { degree: 4 }, 2)
        }
    };
    Config {
        suite,
        graph,
        clients,
        threshold,
        minimum_survivors: clients - 2,
        vectors: vec![
            VectorSpec::new("v", 2, 16),
            VectorSpec { bound: (clients == CLIENTS).then_some(500), ..VectorSpec::new("w", 1, 12) },
        ],
        task: [0x7a; 32],
        nonce: bytes("nonce", number),
    }
}
