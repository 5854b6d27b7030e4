//! ConsistencyCheck: in a signed suite each survivor signs whose inputs are in the sum, once (spec §4.5).

use std::collections::BTreeSet;

use super::certificate::Agreed;
use super::masked_input_collection::{Masked, needed_owners};
use super::share_keys::Session;
use super::{Round, roll::Roll, unmasking};
use crate::crypto::hash;
use crate::crypto::sign::{SIGNATURE_LEN, VerifyingKey, is_valid};
use crate::wire::{Body, HEADER_LEN, MessageType, Reader, Writer};
use crate::{
    Abort, ClientId, Cohort, CohortPolicy, Counts, Credentials, Misbehaviour, Requests, Suite, bitmap,
};

/// `ConsistencyCheckRequest`: one bit for each client of the roster, ascending; set for the survivors.
pub(crate) struct Request {
    pub(crate) survivors: Vec<u8>,
}

impl Request {
    /// Bytes with a bit for each client of a roster of this size.
    pub(crate) fn len(roster: usize) -> usize {
        HEADER_LEN + 4 + roster.div_ceil(8)
    }
}

impl Body for Request {
    const TYPE: MessageType = MessageType::ConsistencyCheckRequest;

    fn encode_body(&self, out: &mut Writer) {
        out.opaque(&self.survivors);
    }

    fn decode_body(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        Ok(Self { survivors: input.opaque()?.to_vec() })
    }

    fn message_len(&self) -> usize {
        HEADER_LEN + 4 + self.survivors.len()
    }
}

/// `ConsistencyCheckResponse`: the sender's signature.
pub(crate) struct Response {
    pub(crate) signature: [u8; SIGNATURE_LEN],
}

impl Response {
    pub(crate) const LEN: usize = HEADER_LEN + SIGNATURE_LEN;
}

impl Body for Response {
    const TYPE: MessageType = MessageType::ConsistencyCheckResponse;

    fn encode_body(&self, out: &mut Writer) {
        out.bytes(&self.signature);
    }

    fn decode_body(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        Ok(Self { signature: input.array()? })
    }

    fn message_len(&self) -> usize {
        Self::LEN
    }
}

/// What is signed: the session, who shared, and who survived, the latter two as bits over the roster.
pub(crate) fn statement(suite: Suite, session: &[u8; 32], sharers: &[u8], survivors: &[u8]) -> [u8; 32] {
    hash(suite, "survivors", &[session, sharers, survivors])
}

/// What a client needs to sign the survivor set and to check the signatures of others.
pub(crate) struct Witness {
    pub(crate) credentials: Credentials,
    /// The identities of the roster, ascending by id.
    pub(crate) roster: Vec<(ClientId, VerifyingKey)>,
}

/// A client that has sent its masked input. It signs one survivor set in its life.
pub(crate) struct Client {
    pub(crate) suite: Suite,
    pub(crate) holder: unmasking::Client,
    pub(crate) witness: Witness,
    /// Who of the roster has shared, as this client knows it.
    pub(crate) sharers: Vec<bool>,
    /// In the pinned suite the holders of the client, and of each owner of whom it holds shares.
    pub(crate) holders: Vec<Vec<ClientId>>,
    /// In the pinned suite what it has signed with its masked input.
    pub(crate) sharers_signed: Option<[u8; 32]>,
}

impl Client {
    /// The response, and the cohort that it is signed for; the policy may refuse that.
    pub(crate) fn answer(
        self,
        request: &[u8],
        cohorts: Option<&CohortPolicy>,
        counts: &mut Counts,
    ) -> Result<(Vec<u8>, unmasking::Client, Cohort), Abort> {
        let session = self.holder.session;
        let Request { survivors } = Request::decode(request, &session).map_err(Abort::Server)?;
        let alive = self.check(&survivors).map_err(Abort::Server)?;
        let Self { suite, mut holder, witness, sharers, sharers_signed, .. } = self;
        let survivors_of = witness.roster.iter().zip(&alive).filter(|(_, alive)| **alive);
        let cohort = Cohort::new(survivors_of.map(|((_, identity), _)| identity.bytes()));
        cohorts.map_or(Ok(()), |policy| policy.check(&cohort)).map_err(Abort::Refused)?;
        let sharers = bitmap::pack(sharers.into_iter());
        let statement = statement(suite, &session, &sharers, &survivors);
        let signature = witness.credentials.key.sign(&statement);
        counts.signatures += 1;
        let certifiers: Vec<(ClientId, VerifyingKey)> = witness
            .roster
            .into_iter()
            .zip(alive)
            .filter_map(|(member, alive)| alive.then_some(member))
            .collect();
        holder.agreed = Some(Agreed { statement, certifiers, sharers_signed });
        Ok((Response { signature }.encode(&session), holder, cohort))
    }

    /// The survivors among the roster (`[4.5-1]` to `[4.5-4]`, `[4.5-6]`).
    fn check(&self, survivors: &[u8]) -> Result<Vec<bool>, Misbehaviour> {
        let roster = &self.witness.roster;
        let alive = bitmap::unpack(survivors, roster.len()).ok_or(Misbehaviour::BadSurvivorBits)?;
        let survives = || roster.iter().zip(&alive).filter(|(_, alive)| **alive).map(|((id, _), _)| *id);
        if alive.iter().zip(&self.sharers).any(|(alive, shared)| *alive && !shared) {
            return Err(Misbehaviour::SurvivorNotSharer);
        }
        if !survives().any(|id| id == self.holder.id) {
            return Err(Misbehaviour::SelfNotSurvivor);
        }
        if survives().count() < self.holder.quorum.max(self.holder.minimum_survivors) as usize {
            return Err(Misbehaviour::NoQuorum);
        }
        let survivors: Vec<ClientId> = survives().collect();
        let survives = |id: &ClientId| survivors.binary_search(id).is_ok();
        let mine = std::iter::once(self.holder.id).chain(self.holder.held.iter().map(|(owner, _)| *owner));
        for (owner, holders) in mine.zip(&self.holders) {
            let alive = holders.iter().filter(|holder| survives(holder)).count();
            if survives(&owner) && alive < self.holder.threshold as usize {
                return Err(Misbehaviour::TooFewHolders);
            }
        }
        Ok(alive)
    }
}

/// The server while signatures come in.
pub(crate) struct Server {
    masked: Masked,
    statement: [u8; 32],
    pub(crate) roll: Roll<[u8; SIGNATURE_LEN]>,
}

impl Server {
    pub(crate) fn open(masked: Masked) -> (Self, Requests) {
        let Session { config, id, roster, .. } = &masked.session;
        let sharers = bitmap::pack(roster.keys().map(|one| masked.commitments.contains_key(one)));
        let survivors = bitmap::pack(roster.keys().map(|one| masked.survivors.contains(one)));
        let statement = statement(config.suite, id, &sharers, &survivors);
        let request = Request { survivors }.encode(id);
        let requests = masked.survivors.iter().map(|&to| (to, request.clone())).collect();
        let roll = Roll::new(masked.survivors.iter().copied());
        (Self { masked, statement, roll }, requests)
    }

    pub(crate) fn receive(
        &mut self,
        from: ClientId,
        response: &[u8],
        counts: &mut Counts,
    ) -> Result<(), Misbehaviour> {
        let Self { masked: Masked { session, .. }, statement, roll } = self;
        roll.receive(from, || {
            let Response { signature } = Response::decode(response, &session.id)?;
            let signed = session.signed_by(from, *statement, &signature).ok_or(Misbehaviour::BadIdentity)?;
            counts.verifications += 1;
            if is_valid(signed) { Ok(signature) } else { Err(Misbehaviour::BadSurvivorSignature) }
        })
    }

    /// Whether closing now would leave a quorum of signatures, and every secret that is needed with enough holders.
    pub(crate) fn check(&self) -> Result<(), Abort> {
        let present: BTreeSet<ClientId> = self.roll.answered();
        let Masked { session, commitments, survivors, .. } = &self.masked;
        session
            .check_count(Round::ConsistencyCheck, present.len(), session.quorum(), || self.roll.missing())?;
        let owners = needed_owners(session, commitments.keys().copied(), survivors);
        let held = |owner| session.graph.holders(owner, &present);
        session.check_holders(Round::ConsistencyCheck, owners, held, || self.roll.missing())
    }

    pub(crate) fn quorum(&self) -> u32 {
        self.masked.session.quorum()
    }

    pub(crate) fn close(self) -> Result<(unmasking::Server, Requests), Abort> {
        self.check()?;
        Ok(unmasking::Server::open_certified(self.masked, self.roll.into_answers()))
    }
}
