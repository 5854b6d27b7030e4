//! Unmasking: the survivors give the shares that take the masks off the sum (spec §4.6).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use curve25519_dalek::scalar::Scalar;
use rayon::prelude::*;
use zeroize::{Zeroize, Zeroizing};

use super::certificate::{Agreed, CertifiedRequest, PinnedRequest, SignedBy};
use super::masked_input_collection::{Masked, lane_bytes, needed_owners};
use super::reconstruction::{Collected, Secret, Secrets, reconstruct};
use super::share_keys::Session;
use super::{Round, roll::Roll};
use crate::crypto::seal::Shares;
use crate::crypto::sharing::decode_share;
use crate::crypto::sign::SIGNATURE_LEN;
use crate::crypto::{Kept, and_wipe, hash};
use crate::input::not_encodable;
use crate::mask::{MaskSeed, Sign, apply_all};
use crate::removal::{Chain, Removal, superfluous};
use crate::wire::{Body, HEADER_LEN, MessageType, Reader, Writer, ascending};
use crate::{
    Abort, ClientId, Counts, Fault, Graph, Lanes, Misbehaviour, Misuse, Requests, VectorSpec, bitmap,
};

/// `UnmaskingRequest`: of how many inputs the sum is, and one bit for each client of the neighbourhood that shared, the
/// asked one included, ascending; set for those whose masked input is in the sum.
pub(crate) struct Request {
    pub(crate) survivor_count: u32,
    pub(crate) survivors: Vec<u8>,
}

impl Request {
    /// Bytes with a bit for each of `members`, the asked one included.
    pub(crate) fn len(members: usize) -> usize {
        HEADER_LEN + 4 + 4 + members.div_ceil(8)
    }
}

impl Body for Request {
    const TYPE: MessageType = MessageType::UnmaskingRequest;

    fn encode_body(&self, out: &mut Writer) {
        out.u32(self.survivor_count);
        out.opaque(&self.survivors);
    }

    fn decode_body(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        Ok(Self { survivor_count: input.u32()?, survivors: input.opaque()?.to_vec() })
    }

    fn message_len(&self) -> usize {
        HEADER_LEN + 4 + 4 + self.survivors.len()
    }
}

/// `UnmaskingResponse`: the owners whose bundles did not open, and for each other one asked for, ascending,
/// the share of its self mask seed if it survives and of its mask key if it does not; then, to the end, the seeds of
/// superfluous noise.
pub(crate) struct Response {
    pub(crate) unopened: Vec<ClientId>,
    pub(crate) shares: Zeroizing<Vec<[u8; 32]>>,
    pub(crate) seeds: Zeroizing<Vec<[u8; 32]>>,
}

impl Response {
    /// Bytes with `opened` shares, `unopened` ids and so many `seeds`.
    pub(crate) fn len(opened: usize, unopened: usize, seeds: usize) -> usize {
        HEADER_LEN + 8 + unopened * 4 + (opened + seeds) * 32
    }
}

impl Body for Response {
    const TYPE: MessageType = MessageType::UnmaskingResponse;

    fn encode_body(&self, out: &mut Writer) {
        out.len32(self.unopened.len() * 4);
        self.unopened.iter().for_each(|&id| out.id(id));
        out.opaque(self.shares.as_flattened());
        out.bytes(self.seeds.as_flattened());
    }

    fn decode_body(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        let unopened = input.list(4, Reader::id)?;
        let shares = input.list(32, |item| item.array())?.into();
        let (seeds, behind) = input.rest().as_chunks();
        if !behind.is_empty() {
            return Err(Misbehaviour::Malformed);
        }
        Ok(Self { unopened, shares, seeds: seeds.to_vec().into() })
    }

    fn message_len(&self) -> usize {
        Self::len(self.shares.len(), self.unopened.len(), self.seeds.len())
    }
}

/// A client that has sent its masked input. It answers once and is then over.
pub(crate) struct Client {
    pub(crate) graph: Graph,
    pub(crate) clients: u32,
    pub(crate) threshold: u32,
    /// The signatures that a certificate needs, in a signed suite.
    pub(crate) quorum: u32,
    pub(crate) minimum_survivors: u32,
    pub(crate) session: [u8; 32],
    pub(crate) id: ClientId,
    /// The neighbours that shared, ascending, with their shares if their bundles opened.
    pub(crate) held: Vec<(ClientId, Option<Shares>)>,
    pub(crate) own_share: Option<Kept<Scalar>>,
    /// What can be removed of its noise.
    pub(crate) removal: Removal,
    /// In a signed suite, once it has signed.
    pub(crate) agreed: Option<Agreed>,
}

impl Client {
    pub(crate) fn answer(self, request: &[u8], counts: &mut Counts) -> Result<Vec<u8>, Abort> {
        let (bits, survivors) = self.survivors(request, counts).map_err(Abort::Server)?;
        let mut response = Response {
            unopened: Vec::new(),
            shares: Vec::with_capacity(bits.len()).into(),
            seeds: Vec::new().into(),
        };
        for (member, survives) in self.neighbourhood().zip(bits) {
            match member {
                Member::Me => response.shares.extend(self.own_share.iter().map(|share| share.to_bytes())),
                Member::Other(_, Some(shares)) => {
                    let share = if survives { &shares.self_mask } else { &shares.mask_key };
                    response.shares.push(share.to_bytes());
                }
                Member::Other(id, None) => response.unopened.push(id),
            }
        }
        response.seeds = self.removal.disclose(survivors);
        Ok(response.encode(&self.session))
    }

    /// Whether `id` is this client or a neighbour that shared.
    pub(crate) fn has_shared(&self, id: ClientId) -> bool {
        id == self.id || self.held.binary_search_by_key(&id, |(id, _)| *id).is_ok()
    }

    /// Who of the closed neighbourhood survives, and how many do in the whole session: as signed, if a quorum signed the
    /// same, or as the request says.
    fn survivors(&self, request: &[u8], counts: &mut Counts) -> Result<(Vec<bool>, u32), Misbehaviour> {
        let Some(agreed) = &self.agreed else {
            let request = Request::decode(request, &self.session)?;
            return Ok((self.check(&request)?, request.survivor_count));
        };
        match agreed.sharers_signed {
            None => {
                let CertifiedRequest { signatures } = CertifiedRequest::decode(request, &self.session)?;
                counts.verifications += signatures.len() as u64;
                agreed.check(&signatures, self.quorum)?;
            }
            Some(sharers) => {
                let PinnedRequest { signatures, inputs } = PinnedRequest::decode(request, &self.session)?;
                counts.verifications += (signatures.len() + inputs.len()) as u64;
                agreed.check(&signatures, self.quorum)?;
                let owners = self.held.iter().map(|(owner, _)| *owner);
                let owners: Vec<ClientId> = owners.filter(|owner| agreed.survives(*owner)).collect();
                agreed.check_inputs(sharers, &owners, &inputs)?;
            }
        }
        let survives = |member: Member<'_>| match member {
            Member::Me => true,
            Member::Other(id, _) => agreed.survives(id),
        };
        Ok((self.neighbourhood().map(survives).collect(), agreed.certifiers.len() as u32))
    }

    fn check(&self, request: &Request) -> Result<Vec<bool>, Misbehaviour> {
        let bits =
            bitmap::unpack(&request.survivors, self.held.len() + 1).ok_or(Misbehaviour::BadSurvivorSet)?;
        let mine = self.held.partition_point(|(id, _)| *id < self.id);
        if bits.get(mine) != Some(&true) {
            return Err(Misbehaviour::SelfDropped);
        }
        let survivors = bits.iter().filter(|&&survives| survives).count();
        let holders = survivors - usize::from(self.graph != Graph::Complete);
        if holders < self.threshold as usize {
            return Err(Misbehaviour::TooFewSurvivors);
        }
        if request.survivor_count < self.minimum_survivors {
            return Err(Misbehaviour::BelowMinimumSurvivors);
        }
        if !self.possible(survivors as u32).contains(&request.survivor_count) {
            return Err(Misbehaviour::WrongSurvivorCount);
        }
        Ok(bits)
    }

    /// How many survivors the whole session can have if so many are in the client's neighbourhood.
    fn possible(&self, survivors: u32) -> RangeInclusive<u32> {
        match self.graph {
            Graph::Complete => survivors..=survivors,
            Graph::Regular { degree } | Graph::KOut { degree } => {
                survivors..=(self.clients + survivors).saturating_sub(degree + 1)
            }
        }
    }

    /// The closed neighbourhood, ascending.
    fn neighbourhood(&self) -> impl Iterator<Item = Member<'_>> {
        let (before, behind) = self.held.split_at(self.held.partition_point(|(id, _)| *id < self.id));
        before.iter().map(Member::of).chain(std::iter::once(Member::Me)).chain(behind.iter().map(Member::of))
    }
}

enum Member<'a> {
    Me,
    Other(ClientId, Option<&'a Shares>),
}

impl<'a> Member<'a> {
    fn of((id, shares): &'a (ClientId, Option<Shares>)) -> Self {
        Self::Other(*id, shares.as_ref())
    }
}

/// What a survivor gave: the owners asked for, ascending, each with its share if there is one.
pub(crate) struct Answer {
    shares: Vec<(ClientId, Scalar)>,
    unopened: Vec<ClientId>,
    /// Of superfluous noise, for each vector that has any.
    seeds: Vec<[u8; 32]>,
    digest: [u8; 32],
}

/// The shares open masks: they are wiped once they have done so.
impl Drop for Answer {
    fn drop(&mut self) {
        self.shares.iter_mut().for_each(|(_, share)| share.zeroize());
        self.seeds.zeroize();
    }
}

/// The server while shares come back.
pub(crate) struct Server {
    session: Session,
    commitments: BTreeMap<ClientId, [u8; 32]>,
    sums: Vec<Lanes>,
    survivors: BTreeSet<ClientId>,
    pub(crate) roll: Roll<Answer>,
}

/// The sum, and whose inputs are in it.
pub(crate) struct Unmasked {
    pub(crate) sums: Vec<Lanes>,
    pub(crate) survivors: BTreeSet<ClientId>,
    pub(crate) session: [u8; 32],
}

impl Server {
    /// Asks all survivors.
    pub(crate) fn open(masked: Masked) -> (Self, Requests) {
        let asked: Vec<ClientId> = masked.survivors.iter().copied().collect();
        let server = Self::new(masked, asked);
        let requests = server
            .survivors
            .iter()
            .map(|&to| {
                let members = server.neighbourhood(to);
                let bits = members.iter().map(|member| server.survivors.contains(member));
                let request =
                    Request { survivor_count: server.survivors.len() as u32, survivors: bitmap::pack(bits) };
                (to, request.encode(&server.session.id))
            })
            .collect();
        (server, requests)
    }

    /// Asks the survivors that have signed, with the signatures of a quorum: of those with the lowest ids.
    pub(crate) fn open_certified(
        masked: Masked,
        signatures: BTreeMap<ClientId, [u8; SIGNATURE_LEN]>,
    ) -> (Self, Requests) {
        let asked: Vec<ClientId> = signatures.keys().copied().collect();
        let signatures: Vec<SignedBy> =
            signatures.into_iter().take(masked.session.quorum() as usize).collect();
        let (session, pins) = (&masked.session, &masked.pins);
        let requests = if session.config.suite.is_pinned() {
            let request = |to| {
                let inputs = session.graph.owners(to).filter_map(|owner| pins.get(&owner).copied());
                PinnedRequest { signatures: signatures.clone(), inputs: inputs.collect() }.encode(&session.id)
            };
            asked.iter().map(|&to| (to, request(to))).collect()
        } else {
            let request = CertifiedRequest { signatures }.encode(&session.id);
            asked.iter().map(|&to| (to, request.clone())).collect()
        };
        (Self::new(masked, asked), requests)
    }

    fn new(masked: Masked, asked: Vec<ClientId>) -> Self {
        let Masked { session, commitments, sums, survivors, .. } = masked;
        Self { session, commitments, sums, survivors, roll: Roll::new(asked) }
    }

    /// `id` and those of whom it holds shares, ascending.
    fn neighbourhood(&self, id: ClientId) -> Vec<ClientId> {
        let shared = |other: &ClientId| self.commitments.contains_key(other);
        let mut members: Vec<ClientId> = self.session.graph.owners(id).filter(shared).collect();
        members.insert(members.partition_point(|&other| other < id), id);
        members
    }

    /// The owners of which `id` is asked for a share, ascending.
    fn asked(&self, id: ClientId) -> Vec<ClientId> {
        let mut owners = self.neighbourhood(id);
        if !self.session.graph.owner_holds() {
            owners.retain(|&owner| owner != id);
        }
        owners
    }

    /// The greatest length of a response of `from`: an id and a share are never both given for one owner.
    pub(crate) fn response_limit(&self, from: ClientId) -> usize {
        Response::len(self.asked(from).len(), 0, self.disclosed())
    }

    pub(crate) fn receive(&mut self, from: ClientId, response: &[u8]) -> Result<(), Misbehaviour> {
        let (asked, disclosed) = (self.asked(from), self.disclosed());
        let session = &self.session;
        self.roll.receive(from, || Answer::of(response, from, asked, disclosed, session))
    }

    /// How many seeds of superfluous noise each survivor discloses.
    fn disclosed(&self) -> usize {
        self.session.config.disclosed(self.survivors.len() as u32)
    }

    /// Whether closing now would leave every secret that is needed with enough shares.
    pub(crate) fn check(&self) -> Result<(), Abort> {
        let present = self.roll.answered();
        let mut unopened: BTreeMap<ClientId, usize> = BTreeMap::new();
        for owner in self.roll.answers().values().flat_map(|answer| &answer.unopened) {
            *unopened.entry(*owner).or_default() += 1;
        }
        let held = |owner| {
            let lost = unopened.get(&owner).copied().unwrap_or_default();
            self.session.graph.holders(owner, &present).saturating_sub(lost)
        };
        self.session.check_holders(Round::Unmasking, self.needed(), held, || self.roll.missing())
    }

    fn needed(&self) -> impl Iterator<Item = ClientId> {
        needed_owners(&self.session, self.commitments.keys().copied(), &self.survivors)
    }

    /// Takes the masks off; what clients did wrong is added to `faults`, whatever the outcome.
    pub(crate) fn close(mut self, faults: &mut Vec<Fault>, counts: &mut Counts) -> Result<Unmasked, Abort> {
        faults.extend(self.unopened());
        self.check()?;
        let secrets = self.secrets(faults, counts)?;
        let seeds = self.seeds(&secrets, counts);
        let config = &self.session.config;
        let superfluous = self.superfluous()?;
        for (((index, spec), sum), noise) in
            (0..=u8::MAX).zip(&config.vectors).zip(&mut self.sums).zip(superfluous)
        {
            apply_all(config.suite, &self.session.id, index, &seeds, sum);
            sum.subtract(&noise);
            sum.reduce(spec.bits);
            counts.keystream_bytes += seeds.len() as u64 * lane_bytes(spec);
        }
        Ok(Unmasked { sums: self.sums, survivors: self.survivors, session: self.session.id })
    }

    /// For each vector the noise that survivors have disclosed; empty where there is none.
    fn superfluous(&self) -> Result<Vec<Vec<i64>>, Misuse> {
        let Session { config, id, .. } = &self.session;
        let survivors = self.survivors.len() as u32;
        let mut with_seeds = 0;
        let of = |(place, spec): (u8, &VectorSpec)| {
            let Some(noise) = spec.noise.as_ref().filter(|noise| noise.has_superfluous(survivors)) else {
                return Ok(Vec::new());
            };
            let chain = |client| Chain { suite: config.suite, session: id, client, place };
            let answers = self.roll.answers().iter();
            let disclosed: Vec<_> = answers
                .filter_map(|(&client, answer)| Some((chain(client), answer.seeds.get(with_seeds)?)))
                .collect();
            with_seeds += 1;
            superfluous(noise, spec.length as usize, survivors, &disclosed)
                .map_err(|why| not_encodable(spec, why))
        };
        (0..=u8::MAX).zip(&config.vectors).map(of).collect()
    }

    /// The bundles that holders report as unopened.
    fn unopened(&self) -> Vec<Fault> {
        let report = |(&holder, answer): (&ClientId, &Answer)| {
            let fault = |&owner: &ClientId| Fault {
                culprit: owner,
                what: Misbehaviour::BadBundle,
                about: Some(holder),
            };
            answer.unopened.iter().map(fault).collect::<Vec<_>>()
        };
        self.roll.answers().iter().flat_map(report).collect()
    }

    /// Reconstructs every secret that is needed and checks it against what its owner advertised.
    fn secrets(&self, faults: &mut Vec<Fault>, counts: &mut Counts) -> Result<Secrets, Abort> {
        let needed: BTreeSet<ClientId> = self.needed().collect();
        // Room for all that may come: a list that grew would leave shares behind.
        let most = |owner| self.session.graph.degree(owner) + 1;
        let mut shares: BTreeMap<ClientId, Vec<(ClientId, Scalar)>> =
            needed.iter().map(|&owner| (owner, Vec::with_capacity(most(owner)))).collect();
        for (&holder, answer) in self.roll.answers() {
            for &(owner, share) in &answer.shares {
                if let Some(list) = shares.get_mut(&owner) {
                    list.push((holder, share));
                }
            }
        }
        let threshold = self.session.config.threshold;
        let digests: Vec<u8> = self.roll.answers().values().flat_map(|answer| answer.digest).collect();
        let challenge = hash(self.session.config.suite, "share challenge", &[&self.session.id, &digests]);
        let collected = shares.into_iter().map(|(owner, shares)| Collected {
            owner,
            shares,
            secret: self.expected(owner),
        });
        let suite = self.session.config.suite;
        let found = reconstruct(suite, &self.session.id, threshold, collected.collect(), &challenge, faults)?;
        counts.reconstructions += found.len() as u64;
        counts.public_keys += found.keys().filter(|owner| !self.survivors.contains(owner)).count() as u64;
        Ok(found)
    }

    /// What the reconstructed secret of `owner` must fit.
    fn expected(&self, owner: ClientId) -> Secret {
        let commitment = self.commitments.get(&owner).copied().unwrap_or_default();
        match self.session.roster.get(&owner) {
            Some(member) if !self.survivors.contains(&owner) => {
                Secret::MaskKey(member.advertisement.keys.mask)
            }
            _ => Secret::SelfMask(commitment),
        }
    }

    /// The masks that are still in the sum, with the signs that take them out.
    fn seeds(&self, secrets: &Secrets, counts: &mut Counts) -> Vec<(MaskSeed, Sign)> {
        let session = &self.session;
        let suite = session.config.suite;
        let of_survivor = |owner, secret: &Scalar| {
            (MaskSeed::own(suite, &session.id, secret.as_bytes(), owner), Sign::Subtract)
        };
        let of_pair = |owner: ClientId, secret: &Scalar, other: ClientId| {
            let (mine, theirs) = (session.roster.get(&owner)?, session.roster.get(&other)?);
            let agreed = theirs.mask_key.agree(secret);
            let (mine, theirs) =
                ((owner, &mine.advertisement.keys.mask), (other, &theirs.advertisement.keys.mask));
            let seed = MaskSeed::pairwise(suite, &session.id, &agreed, mine, theirs);
            // What the survivor applied with its sign goes out with the dropped client's.
            Some((seed, Sign::of_pair(owner, other)))
        };
        let (alive, dead): (Vec<_>, Vec<_>) =
            secrets.iter().partition(|(owner, _)| self.survivors.contains(owner));
        let pairs: Vec<(ClientId, &Kept<Scalar>, ClientId)> = dead
            .into_iter()
            .flat_map(|(&owner, secret)| {
                let others = session.graph.of(owner).filter(|other| self.survivors.contains(other));
                others.map(move |other| (owner, secret, other))
            })
            .collect();
        counts.mask_agreements += pairs.len() as u64;
        let own = alive.into_iter().map(|(&owner, secret)| of_survivor(owner, secret));
        let pairwise =
            pairs.par_iter().filter_map(|&(owner, secret, other)| and_wipe(|| of_pair(owner, secret, other)));
        let mut seeds: Vec<_> = pairwise.collect();
        seeds.extend(own);
        seeds
    }
}

impl Answer {
    fn of(
        message: &[u8],
        from: ClientId,
        mut asked: Vec<ClientId>,
        disclosed: usize,
        session: &Session,
    ) -> Result<Self, Misbehaviour> {
        let Response { unopened, shares, seeds } = Response::decode(message, &session.id)?;
        let asked_for = |id: &ClientId| *id != from && asked.binary_search(id).is_ok();
        if !ascending(unopened.iter().copied()) || !unopened.iter().all(asked_for) {
            return Err(Misbehaviour::BadUnopenedList);
        }
        if shares.len() + unopened.len() != asked.len() {
            return Err(Misbehaviour::WrongShareCount);
        }
        asked.retain(|id| unopened.binary_search(id).is_err());
        let digest = hash(session.config.suite, "unmasking answer", &[&from.get().to_be_bytes(), message]);
        // A list that grows leaves copies behind.
        let mut answer =
            Self { shares: Vec::with_capacity(asked.len()), unopened, seeds: seeds.to_vec(), digest };
        for (owner, share) in asked.into_iter().zip(shares.iter()) {
            answer.shares.push((owner, decode_share(share).ok_or(Misbehaviour::NonCanonicalShare)?));
        }
        if answer.seeds.len() != disclosed {
            return Err(Misbehaviour::WrongSeedCount);
        }
        Ok(answer)
    }
}
