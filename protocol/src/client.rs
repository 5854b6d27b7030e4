//! The client: one per session, bytes in and bytes out.

use std::fmt;

use crate::crypto::and_wipe;
use crate::input::Checked;
use crate::rounds::masked_input::MaskedInput;
use crate::rounds::masked_input_collection::Next;
use crate::rounds::{
    Round, advertise_keys, consistency_check, masked_input_collection, share_keys, unmasking,
};
use crate::{Abort, ClientId, Cohort, CohortPolicy, Config, Counts, Credentials, Input, Misuse, Policy};

/// One client's part in one session (spec §4).
///
/// It answers each request of the server once, in the order of the rounds. After any error it is over: its
/// secrets are wiped and it answers nothing more. The one exception is [`Misuse::NoInput`], after which the
/// input can be set and the same request handled again.
pub struct Client {
    state: State,
    input: Given,
    id: Option<ClientId>,
    config: Option<Config>,
    /// By how much survivor sets must differ.
    cohorts: Option<CohortPolicy>,
    /// The survivors that the client has signed for.
    signed: Option<Cohort>,
    counts: Counts,
}

enum State {
    AdvertiseKeys(Box<advertise_keys::Client>),
    ShareKeys(Box<share_keys::Client>),
    MaskedInputCollection(Box<masked_input_collection::Client>),
    ConsistencyCheck(Box<consistency_check::Client>),
    Unmasking(Box<unmasking::Client>),
    Over,
}

/// The input: not there yet, as the caller gave it, or in the order of the configuration.
enum Given {
    Nothing,
    Raw(Input),
    Checked(Checked),
}

impl Client {
    /// A client for one session of a suite without signatures.
    ///
    /// # Security
    /// `entropy` must be 32 uniformly random bytes, used for this session only: every secret of the client
    /// follows from it (spec §3.6).
    pub fn new(entropy: [u8; 32], policy: Policy) -> Self {
        Self::of(entropy, policy, None)
    }

    /// A client for one session of a signed suite, under the authority that its credentials name; it refuses all
    /// others, so that no server can talk it into less.
    ///
    /// # Security
    /// As [`Client::new`].
    pub fn with_credentials(entropy: [u8; 32], policy: Policy, credentials: Credentials) -> Self {
        Self::of(entropy, policy, Some(credentials))
    }

    fn of(entropy: [u8; 32], mut policy: Policy, credentials: Option<Credentials>) -> Self {
        // What was signed is looked at when the client is to sign; whether it will be, with the proposal.
        let cohorts = policy.cohorts.as_mut().map(|kept| {
            let signed = std::mem::take(&mut kept.signed);
            CohortPolicy { signed, ..*kept }
        });
        Self {
            state: State::AdvertiseKeys(Box::new(advertise_keys::Client {
                entropy: Box::new(entropy.into()),
                policy,
                credentials,
            })),
            input: Given::Nothing,
            id: None,
            config: None,
            cohorts,
            signed: None,
            counts: Counts::default(),
        }
    }

    /// Sets what the client contributes; possible at any time before MaskedInputCollection.
    ///
    /// # Errors
    /// If the configuration is known already and the input does not fit it; the client can be given another.
    pub fn set_input(&mut self, input: Input) -> Result<(), Misuse> {
        self.input = match &self.config {
            None => Given::Raw(input),
            Some(config) => Given::Checked(input.check(config)?),
        };
        Ok(())
    }

    /// Handles a request of the server and returns the whole response.
    ///
    /// # Errors
    /// The session is over for this client: the server broke a rule, the policy refuses, or the caller made a
    /// mistake.
    pub fn handle(&mut self, request: &[u8]) -> Result<Vec<u8>, Abort> {
        let response = self.respond(request)?;
        Ok(and_wipe(|| response.into_bytes()))
    }

    /// Handles a request of the server and returns the response in chunks, so that a masked vector need never
    /// be in memory as a whole.
    ///
    /// # Errors
    /// As [`Client::handle`].
    pub fn respond(&mut self, request: &[u8]) -> Result<Response, Abort> {
        if matches!((&self.state, &self.input), (State::MaskedInputCollection(_), Given::Nothing)) {
            return Err(Misuse::NoInput.into());
        }
        let response = and_wipe(|| self.step(request));
        if response.is_err() {
            self.input = Given::Nothing;
        }
        response.map(Response)
    }

    /// Takes the one step that the state allows; the state is over unless the step succeeds.
    fn step(&mut self, request: &[u8]) -> Result<Chunks, Abort> {
        let counts = &mut self.counts;
        match std::mem::replace(&mut self.state, State::Over) {
            State::AdvertiseKeys(state) => {
                let (response, next) = state.answer(request, counts)?;
                self.check_input(&next.config)?;
                (self.id, self.config) = (Some(next.id), Some(next.config.clone()));
                self.state = State::ShareKeys(Box::new(next));
                Ok(Chunks::Whole(Some(response)))
            }
            State::ShareKeys(state) => {
                let (response, next) = state.answer(request, counts)?;
                self.state = State::MaskedInputCollection(Box::new(next));
                Ok(Chunks::Whole(Some(response)))
            }
            State::MaskedInputCollection(state) => {
                let Given::Checked(input) = std::mem::replace(&mut self.input, Given::Nothing) else {
                    return Err(Misuse::NoInput.into());
                };
                let (response, next) = state.answer(request, input, counts)?;
                self.state = match next {
                    Next::ConsistencyCheck(next) => State::ConsistencyCheck(next),
                    Next::Unmasking(next) => State::Unmasking(next),
                };
                Ok(Chunks::Masked(Box::new(response)))
            }
            State::ConsistencyCheck(state) => {
                let (response, next, cohort) = state.answer(request, self.cohorts.as_ref(), counts)?;
                self.signed = Some(cohort);
                self.state = State::Unmasking(Box::new(next));
                Ok(Chunks::Whole(Some(response)))
            }
            State::Unmasking(state) => Ok(Chunks::Whole(Some(state.answer(request, counts)?))),
            State::Over => Err(Abort::Over),
        }
    }

    /// The id that the session gave this client, once it knows it.
    pub fn id(&self) -> Option<ClientId> {
        self.id
    }

    /// The session's configuration, once the client has accepted it.
    pub fn config(&self) -> Option<&Config> {
        self.config.as_ref()
    }

    /// The round whose request the client awaits; `None` when it is over.
    pub fn round(&self) -> Option<Round> {
        match self.state {
            State::AdvertiseKeys(_) => Some(Round::AdvertiseKeys),
            State::ShareKeys(_) => Some(Round::ShareKeys),
            State::MaskedInputCollection(_) => Some(Round::MaskedInputCollection),
            State::ConsistencyCheck(_) => Some(Round::ConsistencyCheck),
            State::Unmasking(_) => Some(Round::Unmasking),
            State::Over => None,
        }
    }

    /// The identities of the survivors whose set the client has signed, in a signed suite.
    ///
    /// Who keeps a [`CohortPolicy`] adds them to its record before the answer to the ConsistencyCheck request leaves.
    pub fn signed_cohort(&self) -> Option<&Cohort> {
        self.signed.as_ref()
    }

    /// What the client has done so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn check_input(&mut self, config: &Config) -> Result<(), Misuse> {
        if let Given::Raw(input) = std::mem::replace(&mut self.input, Given::Nothing) {
            self.input = Given::Checked(input.check(config)?);
        }
        Ok(())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client {{ id: {:?}, round: {:?}, <redacted> }}", self.id, self.round())
    }
}

/// A client's response, in chunks of at most some 64 KiB.
///
/// The chunks of a masked input are made as they are asked for.
pub struct Response(Chunks);

enum Chunks {
    Whole(Option<Vec<u8>>),
    Masked(Box<MaskedInput>),
}

impl Response {
    /// Bytes of the whole response; to be asked before the first chunk is taken.
    #[expect(clippy::len_without_is_empty, reason = "a response is never empty")]
    pub fn len(&self) -> u64 {
        match &self.0 {
            Chunks::Whole(bytes) => bytes.as_ref().map_or(0, Vec::len) as u64,
            Chunks::Masked(masked) => masked.message_len(),
        }
    }

    fn into_bytes(self) -> Vec<u8> {
        match self.0 {
            Chunks::Whole(bytes) => bytes.unwrap_or_default(),
            Chunks::Masked(masked) => masked.into_message(),
        }
    }
}

impl Iterator for Response {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        match &mut self.0 {
            Chunks::Whole(bytes) => bytes.take(),
            Chunks::Masked(masked) => and_wipe(|| masked.next()),
        }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} bytes)", self.len())
    }
}
