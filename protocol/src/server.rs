//! The server: receives many times, closes a round once.

use std::collections::BTreeMap;
use std::fmt;

use crate::config::given_away;
use crate::crypto::and_wipe;
use crate::graph::Circle;
use crate::input::rotation;
use crate::privacy::{Curve, Noise, PrivacyError};
use crate::rounds::roll::Roll;
use crate::rounds::share_keys::Session;
use crate::rounds::{
    Round, advertise_keys, consistency_check, masked_input_collection, share_keys, unmasking,
};
use crate::{Abort, ClientId, Config, Counts, Fault, Lanes, Misbehaviour, Misuse, Suite, VectorSpec};

/// The requests of one round: what to send to whom, ascending.
pub type Requests = Vec<(ClientId, Vec<u8>)>;

/// The server's part in one session (spec §4).
///
/// It has no clock: whoever drives it decides when a round is over, with [`Server::progress`] to go by, and
/// says so with [`Server::close_round`]. A client that has not answered by then has dropped out.
pub struct Server {
    state: State,
    config: Config,
    faults: Vec<Fault>,
    dropped: BTreeMap<Round, Vec<ClientId>>,
    counts: Counts,
}

enum State {
    AdvertiseKeys(advertise_keys::Server),
    ShareKeys(share_keys::Server),
    MaskedInputCollection(masked_input_collection::Server),
    ConsistencyCheck(consistency_check::Server),
    Unmasking(unmasking::Server),
    Over,
}

/// What closing a round gives.
#[derive(Debug)]
pub enum Closed {
    /// The requests of the next round, for the clients that are still in.
    Next(Requests),
    /// The sum: the session is over.
    Done(Aggregate),
}

/// The sum over the survivors, and who they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate {
    /// For each vector of the session, in the configuration's order, the sum of the survivors' inputs
    /// modulo 2^bits.
    pub vectors: Vec<(VectorSpec, Lanes)>,
    /// The clients whose inputs are in the sum, ascending.
    pub survivors: Vec<ClientId>,
    /// The clients that gave no valid answer to a round, by round. Those of ConsistencyCheck and of Unmasking are in
    /// the sum.
    pub dropped: BTreeMap<Round, Vec<ClientId>>,
    /// What clients did wrong.
    pub faults: Vec<Fault>,
    /// The session id.
    pub session: [u8; 32],
    /// The cryptographic suite.
    pub suite: Suite,
}

impl Aggregate {
    /// The sum of the real vectors that were handed in for the vector called `name`, clipped, with the noise of all
    /// survivors (spec §9.2); none if it has no noise.
    ///
    /// Takes memory and time for a rotation: keep what it returns.
    pub fn real(&self, name: &str) -> Option<Vec<f64>> {
        let mut vectors = (0..=u8::MAX).zip(&self.vectors);
        let (place, (spec, lanes)) = vectors.find(|(_, (spec, _))| spec.name == name)?;
        let sum: Vec<u64> = lanes.iter().collect();
        spec.noise.as_ref()?.decode(spec.bits, &sum, rotation(self.suite, &self.session, place)).ok()
    }

    /// What the sum gives away of one input to the server through the vectors with noise, for the noise that is really
    /// in it: that of the survivors less the `corrupt` clients that may be among them. Plain vectors are not counted.
    ///
    /// # Errors
    /// No honest survivor; noise for which there is no guarantee.
    pub fn given_away(&self, corrupt: u32) -> Result<Curve, PrivacyError> {
        given_away(self.vectors.iter().map(|(spec, _)| spec), |noise| self.noise_left(noise, corrupt))
    }

    /// How many components of noise of this kind so many honest clients left in the sum that the server cannot know.
    ///
    /// A survivor that has not answered Unmasking in time leaves all of its components in the sum. They do not count:
    /// the server may have seen the seeds of those that are superfluous, in an answer that came too late or was wrong.
    pub fn noise_left(&self, noise: &Noise, corrupt: u32) -> Vec<(u32, usize)> {
        let survivors = self.survivors.len() as u32;
        vec![(survivors.saturating_sub(corrupt), noise.kept(survivors))]
    }

    /// The sum of the vector called `name`.
    pub fn vector(&self, name: &str) -> Option<&Lanes> {
        self.vectors.iter().find(|(spec, _)| spec.name == name).map(|(_, lanes)| lanes)
    }
}

/// How far the open round is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The open round.
    pub round: Round,
    /// Clients that were asked.
    pub expected: u32,
    /// Valid answers so far.
    pub answered: u32,
    /// Valid answers without which closing certainly aborts.
    pub needed: u32,
    /// Whether closing now would go on to the next round: no secret would have too few holders.
    pub sufficient: bool,
}

impl Progress {
    fn of<T>(round: Round, roll: &Roll<T>, needed: u32, check: impl Fn() -> Result<(), Abort>) -> Self {
        let answered = roll.answers().len() as u32;
        // The check may look at the whole graph: it is not asked while it must fail.
        let sufficient = answered >= needed && check().is_ok();
        Self { round, expected: roll.asked() as u32, answered, needed, sufficient }
    }
}

impl Server {
    /// Opens a session and returns the first requests, one for each client 1 to n.
    ///
    /// # Security
    /// `config.nonce` must be 32 uniformly random bytes, fresh for this session.
    ///
    /// # Errors
    /// If the configuration breaks a rule.
    pub fn open(config: Config) -> Result<(Self, Requests), Misuse> {
        Self::open_on(config, Circle::Drawn)
    }

    /// Opens a session whose regular graph has the clients in the order of their ids.
    ///
    /// For simulations only, where what befalls a client does not depend on its id: there this order is as good as
    /// a drawn one, and a model that computes no keys knows it too.
    ///
    /// # Security
    /// Never over a network: clients could choose their neighbours.
    ///
    /// # Errors
    /// If the configuration breaks a rule.
    #[doc(hidden)]
    pub fn open_in_order(config: Config) -> Result<(Self, Requests), Misuse> {
        Self::open_on(config, Circle::Ascending)
    }

    fn open_on(config: Config, circle: Circle) -> Result<(Self, Requests), Misuse> {
        config.check()?;
        let (state, requests) = advertise_keys::Server::open(config.clone(), circle);
        let server = Self {
            state: State::AdvertiseKeys(state),
            config,
            faults: Vec::new(),
            dropped: BTreeMap::new(),
            counts: Counts::default(),
        };
        Ok((server, requests))
    }

    /// Takes a client's answer to the open round.
    ///
    /// # Errors
    /// The message breaks a rule and is not used. A duplicate, and a message of another round or session,
    /// leave their sender as it was; after any other fault its messages are not taken any more. The others
    /// are not affected.
    pub fn receive(&mut self, from: ClientId, response: &[u8]) -> Result<(), Fault> {
        let counts = &mut self.counts;
        let result = match &mut self.state {
            State::AdvertiseKeys(state) => state.receive(from, response, counts),
            State::ShareKeys(state) => state.receive(from, response),
            State::MaskedInputCollection(state) => state.receive(from, response, counts),
            State::ConsistencyCheck(state) => state.receive(from, response, counts),
            State::Unmasking(state) => and_wipe(|| state.receive(from, response)),
            State::Over => Err(Misbehaviour::WrongRound),
        };
        result.map_err(|what| {
            let fault = Fault { culprit: from, what, about: None };
            self.note(fault);
            fault
        })
    }

    /// Closes the open round: the clients that have not answered have dropped out.
    ///
    /// Closing Unmasking does the reconstruction and takes the masks off the sum; it uses all cores of the
    /// calling thread's rayon pool.
    ///
    /// # Errors
    /// Too few clients are left, or a secret cannot be reconstructed: the session is over and nothing of it is
    /// released.
    pub fn close_round(&mut self) -> Result<Closed, Abort> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::AdvertiseKeys(state) => {
                self.dropped.insert(Round::AdvertiseKeys, state.roll.missing());
                let (next, requests) = state.close()?;
                self.state = State::ShareKeys(next);
                Ok(Closed::Next(requests))
            }
            State::ShareKeys(state) => {
                self.dropped.insert(Round::ShareKeys, state.roll.missing());
                let (next, requests) = state.close()?;
                self.state = State::MaskedInputCollection(next);
                Ok(Closed::Next(requests))
            }
            State::MaskedInputCollection(state) => {
                self.dropped.insert(Round::MaskedInputCollection, state.roll.missing());
                let masked = state.close()?;
                Ok(Closed::Next(self.collected(masked)))
            }
            State::ConsistencyCheck(state) => {
                self.dropped.insert(Round::ConsistencyCheck, state.roll.missing());
                let (next, requests) = state.close()?;
                self.state = State::Unmasking(next);
                Ok(Closed::Next(requests))
            }
            State::Unmasking(state) => {
                self.dropped.insert(Round::Unmasking, state.roll.missing());
                let mut faults = Vec::new();
                let unmasked = and_wipe(|| state.close(&mut faults, &mut self.counts));
                // All at once: holders may report as many bundles as there are pairs.
                self.faults.extend(faults);
                self.faults.sort_unstable();
                self.faults.dedup();
                Ok(Closed::Done(self.aggregate(unmasked?)))
            }
            State::Over => Err(Abort::Over),
        }
    }

    /// Goes on once the masked inputs are in: the survivor set is signed in a signed suite, shares are asked for in
    /// the others.
    fn collected(&mut self, masked: masked_input_collection::Masked) -> Requests {
        let (state, requests) = if self.config.suite.is_signed() {
            let (next, requests) = consistency_check::Server::open(masked);
            (State::ConsistencyCheck(next), requests)
        } else {
            let (next, requests) = unmasking::Server::open(masked);
            (State::Unmasking(next), requests)
        };
        self.state = state;
        requests
    }

    /// How far the open round is; `None` when the session is over.
    ///
    /// On a regular graph `sufficient` looks at every neighbourhood, n · degree steps: ask once the number of
    /// answers makes it worth asking, not after each message.
    pub fn progress(&self) -> Option<Progress> {
        let threshold = self.config.threshold;
        let fewest = |session: &Session| session.quorum().max(threshold).max(self.config.minimum_survivors);
        match &self.state {
            State::AdvertiseKeys(state) => {
                Some(Progress::of(Round::AdvertiseKeys, &state.roll, state.needed(), || state.check()))
            }
            State::ShareKeys(state) => {
                let fewest = fewest(&state.session);
                Some(Progress::of(Round::ShareKeys, &state.roll, fewest, || state.check()))
            }
            State::MaskedInputCollection(state) => {
                let fewest = fewest(&state.session);
                Some(Progress::of(Round::MaskedInputCollection, &state.roll, fewest, || state.check()))
            }
            State::ConsistencyCheck(state) => {
                Some(Progress::of(Round::ConsistencyCheck, &state.roll, state.quorum(), || state.check()))
            }
            State::Unmasking(state) => {
                Some(Progress::of(Round::Unmasking, &state.roll, threshold, || state.check()))
            }
            State::Over => None,
        }
    }

    /// The greatest length in bytes of a valid response of `from` in the open round; 0 if none is awaited.
    pub fn response_limit(&self, from: ClientId) -> u64 {
        match &self.state {
            State::AdvertiseKeys(state) if state.roll.awaits(from) => {
                advertise_keys::response_len(self.config.suite) as u64
            }
            State::ShareKeys(state) if state.roll.awaits(from) => {
                share_keys::response_len(self.config.suite, state.session.graph.degree(from)) as u64
            }
            State::MaskedInputCollection(state) if state.roll.awaits(from) => {
                masked_input_collection::Response::len(&self.config)
            }
            State::ConsistencyCheck(state) if state.roll.awaits(from) => {
                consistency_check::Response::LEN as u64
            }
            State::Unmasking(state) if state.roll.awaits(from) => state.response_limit(from) as u64,
            _ => 0,
        }
    }

    /// What clients have done wrong so far, each thing once.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The clients that gave no valid answer to a closed round.
    pub fn dropped(&self) -> &BTreeMap<Round, Vec<ClientId>> {
        &self.dropped
    }

    /// The session's configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What the server has done so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn aggregate(&self, unmasked: unmasking::Unmasked) -> Aggregate {
        Aggregate {
            vectors: self.config.vectors.iter().cloned().zip(unmasked.sums).collect(),
            survivors: unmasked.survivors.into_iter().collect(),
            dropped: self.dropped.clone(),
            faults: self.faults.clone(),
            session: unmasked.session,
            suite: self.config.suite,
        }
    }

    /// Keeps each fault once, so that a peer cannot make the list grow, and only of clients that exist.
    fn note(&mut self, fault: Fault) {
        if fault.culprit.get() <= self.config.clients
            && let Err(at) = self.faults.binary_search(&fault)
        {
            self.faults.insert(at, fault);
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server {{ progress: {:?}, faults: {} }}", self.progress(), self.faults.len())
    }
}
