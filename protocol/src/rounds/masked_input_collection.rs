//! MaskedInputCollection: each client sends its input under all its masks; the server adds them up as they
//! come (spec §4.4).

use std::collections::{BTreeMap, BTreeSet};

use curve25519_dalek::scalar::Scalar;
use rayon::prelude::*;

use super::advertisement::PublicKeys;
use super::consistency_check::{self, Witness};
use super::share_keys::{self, Neighbour, Session};
use super::{Round, roll::Roll, unmasking};
use crate::crypto::Kept;
use crate::crypto::agree::MaskPublicKey;
use crate::crypto::seal::{BUNDLE_LEN, Direction};
use crate::input::{Checked, Share};
use crate::mask::{MaskSeed, Masks, Sign, tile};
use crate::removal::Removal;
use crate::vector::{Arranged, Lane, add_packed, each_lane, pack, padding_is_zero};
use crate::wire::{Body, HEADER_LEN, MessageType, Reader, Writer, ascending};
use crate::{Abort, ClientId, Config, Counts, Lanes, Misbehaviour, Requests, VectorSpec};

/// `MaskedInputRequest`: the bundles of the neighbours that shared, ascending by owner.
pub(crate) struct Request {
    pub(crate) bundles: Vec<(ClientId, [u8; BUNDLE_LEN])>,
}

impl Request {
    const ITEM_LEN: usize = 4 + BUNDLE_LEN;

    pub(crate) fn len(bundles: usize) -> usize {
        HEADER_LEN + 4 + bundles * Self::ITEM_LEN
    }
}

impl Body for Request {
    const TYPE: MessageType = MessageType::MaskedInputRequest;

    fn encode_body(&self, out: &mut Writer) {
        out.len32(self.bundles.len() * Self::ITEM_LEN);
        for (id, bundle) in &self.bundles {
            out.id(*id);
            out.bytes(bundle);
        }
    }

    fn decode_body(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        Ok(Self { bundles: input.list(Self::ITEM_LEN, |item| Ok((item.id()?, item.array()?)))? })
    }

    fn message_len(&self) -> usize {
        Self::len(self.bundles.len())
    }
}

/// `MaskedInputResponse`: the packed vectors, one behind the other; borrowed, because it is large.
pub(crate) struct Response<'a>(&'a [u8]);

impl<'a> Response<'a> {
    pub(crate) fn len(config: &Config) -> u64 {
        HEADER_LEN as u64 + config.packed_len()
    }

    fn decode(message: &'a [u8], session: &[u8; 32], config: &Config) -> Result<Self, Misbehaviour> {
        let mut input = Reader(message);
        input.header(MessageType::MaskedInputResponse, session)?;
        let packed = input.rest();
        if packed.len() as u64 != config.packed_len() {
            return Err(Misbehaviour::WrongVectorLength);
        }
        Ok(Self(packed))
    }

    /// Each vector's specification with its packed bytes.
    fn vectors(&self, config: &'a Config) -> impl Iterator<Item = (&'a VectorSpec, &'a [u8])> {
        let mut input = Reader(self.0);
        config
            .vectors
            .iter()
            .map(move |spec| (spec, input.take(spec.packed_len() as usize).unwrap_or_default()))
    }
}

/// A client that has shared its secrets.
pub(crate) struct Client {
    pub(crate) config: Config,
    pub(crate) session: [u8; 32],
    pub(crate) id: ClientId,
    pub(crate) mask_key: Kept<Scalar>,
    pub(crate) self_mask: Kept<Scalar>,
    pub(crate) keys: PublicKeys,
    pub(crate) neighbours: Vec<Neighbour>,
    /// Its own share of its self mask, on the complete graph.
    pub(crate) own_share: Option<Kept<Scalar>>,
    /// In a signed suite.
    pub(crate) witness: Option<Witness>,
    /// Its noise for each vector that has any.
    pub(crate) noise: Vec<Option<Share>>,
    /// What can be removed of it.
    pub(crate) removal: Removal,
}

/// The client's next state: in a signed suite it signs before it gives shares.
pub(crate) enum Next {
    ConsistencyCheck(Box<consistency_check::Client>),
    Unmasking(Box<unmasking::Client>),
}

impl Client {
    pub(crate) fn answer(
        self,
        request: &[u8],
        input: Checked,
        counts: &mut Counts,
    ) -> Result<(MaskedInput, Next), Abort> {
        let Request { bundles } = Request::decode(request, &self.session).map_err(Abort::Server)?;
        let sharers = self.sharers(&bundles).map_err(Abort::Server)?;
        let input = input.arrange(&self.config, &self.session, &self.noise)?;
        let suite = self.config.suite;
        let mut seeds = Vec::with_capacity(sharers.len() + 1);
        seeds.push((MaskSeed::own(suite, &self.session, self.self_mask.as_bytes(), self.id), Sign::Add));
        let mut held = Vec::with_capacity(sharers.len());
        for (neighbour, bundle) in sharers {
            seeds.push((self.pairwise(neighbour)?, Sign::of_pair(self.id, neighbour.id)));
            let direction = Direction {
                suite,
                session: &self.session,
                owner: (neighbour.id, &neighbour.keys.encryption),
                holder: (self.id, &self.keys.encryption),
            };
            held.push((neighbour.id, direction.open(&neighbour.opening_key, bundle)));
        }
        let sharers = held.len() as u64;
        counts.mask_agreements += sharers;
        counts.aead_bytes += sharers * BUNDLE_LEN as u64;
        let lane_bytes: u64 = self.config.vectors.iter().map(lane_bytes).sum();
        counts.keystream_bytes += seeds.len() as u64 * lane_bytes;
        let masked = MaskedInput::new(self.config.clone(), self.session, input, seeds);
        let holder = unmasking::Client {
            graph: self.config.graph,
            clients: self.config.clients,
            threshold: self.config.threshold,
            minimum_survivors: self.config.minimum_survivors,
            session: self.session,
            id: self.id,
            held,
            own_share: self.own_share,
            removal: self.removal,
            agreed: None,
        };
        let next = match self.witness {
            None => Next::Unmasking(Box::new(holder)),
            Some(witness) => {
                Next::ConsistencyCheck(Box::new(consistency_check::Client { suite, holder, witness }))
            }
        };
        Ok((masked, next))
    }

    /// Pairs the bundles with the neighbours that own them (`[4.4-1]`, `[4.4-2]`).
    fn sharers<'a>(
        &'a self,
        bundles: &'a [(ClientId, [u8; BUNDLE_LEN])],
    ) -> Result<Vec<(&'a Neighbour, &'a [u8; BUNDLE_LEN])>, Misbehaviour> {
        if !ascending(bundles.iter().map(|(id, _)| *id)) {
            return Err(Misbehaviour::BadSharers);
        }
        if bundles.len() + usize::from(self.own_share.is_some()) < self.config.threshold as usize {
            return Err(Misbehaviour::TooFewSharers);
        }
        let neighbour = |id: &ClientId| {
            let at = self.neighbours.binary_search_by_key(id, |neighbour| neighbour.id).ok()?;
            self.neighbours.get(at)
        };
        bundles
            .iter()
            .map(|(id, bundle)| Ok((neighbour(id).ok_or(Misbehaviour::BadSharers)?, bundle)))
            .collect()
    }

    fn pairwise(&self, neighbour: &Neighbour) -> Result<MaskSeed, Abort> {
        let public = MaskPublicKey::decode(&neighbour.keys.mask).map_err(Abort::Server)?;
        Ok(MaskSeed::pairwise(
            self.config.suite,
            &self.session,
            &public.agree(&self.mask_key),
            (self.id, &self.keys.mask),
            (neighbour.id, &neighbour.keys.mask),
        ))
    }
}

/// Bytes of keystream that one seed gives for a vector.
pub(crate) fn lane_bytes(spec: &VectorSpec) -> u64 {
    let lane = match spec.bits {
        ..=16 => 2,
        17..=32 => 4,
        _ => 8,
    };
    lane * u64::from(spec.length)
}

/// A masked input in the making: an iterator of the message's bytes, in chunks of one tile.
///
/// The masks are added in place, a tile at a time, so there is never a second copy of the vector.
pub(crate) struct MaskedInput {
    config: Config,
    session: [u8; 32],
    input: Arranged,
    seeds: Vec<(MaskSeed, Sign)>,
    masks: Option<Masks>,
    started: bool,
    vector: usize,
    first: usize,
}

impl MaskedInput {
    fn new(config: Config, session: [u8; 32], input: Arranged, seeds: Vec<(MaskSeed, Sign)>) -> Self {
        Self { config, session, input, seeds, masks: None, started: false, vector: 0, first: 0 }
    }

    /// Bytes of the whole message.
    pub(crate) fn message_len(&self) -> u64 {
        Response::len(&self.config)
    }

    /// The whole message; tiles are masked in parallel.
    pub(crate) fn into_message(mut self) -> Vec<u8> {
        let mut out = Writer(Vec::with_capacity(self.message_len() as usize));
        out.header(MessageType::MaskedInputResponse, &self.session);
        let mut out = out.0;
        out.resize(self.message_len() as usize, 0);
        let (_, mut rest) = out.split_at_mut(HEADER_LEN);
        let suite = self.config.suite;
        for ((index, spec), lanes) in (0..=u8::MAX).zip(&self.config.vectors).zip(&mut self.input.0) {
            let (packed, behind) = std::mem::take(&mut rest).split_at_mut(spec.packed_len() as usize);
            rest = behind;
            let masks = Masks::new(suite, &self.session, index, &self.seeds);
            each_lane!(lanes, values => mask_all(&masks, spec.bits, values, packed));
        }
        out
    }
}

impl Iterator for MaskedInput {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let spec = self.config.vectors.get(self.vector)?;
        let lanes = self.input.0.get_mut(self.vector)?;
        let (suite, session, index) = (self.config.suite, &self.session, self.vector as u8);
        let masks = self.masks.get_or_insert_with(|| Masks::new(suite, session, index, &self.seeds));
        let mut out = Writer(Vec::new());
        if !std::mem::replace(&mut self.started, true) {
            out.header(MessageType::MaskedInputResponse, session);
        }
        let mut out = out.0;
        self.first = each_lane!(lanes, values => mask_next(masks, spec.bits, values, self.first, &mut out));
        if self.first >= spec.length as usize {
            (self.vector, self.first, self.masks) = (self.vector + 1, 0, None);
        }
        Some(out)
    }
}

/// Masks and packs a whole vector.
fn mask_all<L: Lane>(masks: &Masks, bits: u8, values: &mut [L], packed: &mut [u8]) {
    let size = tile::<L>();
    let one = |(at, (tile, packed)): (usize, (&mut [L], &mut [u8]))| {
        masks.apply(at * size, tile);
        pack(tile, bits, packed);
    };
    let packed_tile = size / 8 * usize::from(bits);
    if values.len() <= size {
        one((0, (values, packed)));
    } else {
        values.par_chunks_mut(size).zip(packed.par_chunks_mut(packed_tile)).enumerate().for_each(one);
    }
}

/// Masks and packs the tile that begins at `first`; returns where the next one begins.
fn mask_next<L: Lane>(masks: &Masks, bits: u8, values: &mut [L], first: usize, out: &mut Vec<u8>) -> usize {
    let end = values.len().min(first + tile::<L>());
    let Some(values) = values.get_mut(first..end) else { return end };
    masks.apply(first, values);
    let begin = out.len();
    out.resize(begin + (values.len() * usize::from(bits)).div_ceil(8), 0);
    pack(values, bits, out.get_mut(begin..).unwrap_or_default());
    end
}

/// The server while masked inputs come in: one accumulator, whatever the number of clients.
pub(crate) struct Server {
    pub(crate) session: Session,
    /// The clients that shared, with their commitments.
    pub(crate) commitments: BTreeMap<ClientId, [u8; 32]>,
    sums: Vec<Lanes>,
    pub(crate) roll: Roll<()>,
}

impl Server {
    pub(crate) fn open(
        session: Session,
        shared: BTreeMap<ClientId, share_keys::Response>,
    ) -> (Self, Requests) {
        let bundle = |owner: ClientId, holder: ClientId| {
            let response = shared.get(&owner)?;
            let place = session.graph.place(owner, holder)?;
            Some((owner, *response.bundles.get(place)?))
        };
        let requests = shared
            .keys()
            .map(|&to| {
                let bundles = session.graph.of(to).filter_map(|owner| bundle(owner, to)).collect();
                (to, Request { bundles }.encode(&session.id))
            })
            .collect();
        let sums = session.config.vectors.iter().map(Lanes::zeros).collect();
        let roll = Roll::new(shared.keys().copied());
        let commitments = shared.into_iter().map(|(id, response)| (id, response.commitment)).collect();
        (Self { session, commitments, sums, roll }, requests)
    }

    pub(crate) fn receive(
        &mut self,
        from: ClientId,
        response: &[u8],
        counts: &mut Counts,
    ) -> Result<(), Misbehaviour> {
        let (session, sums) = (&self.session, &mut self.sums);
        self.roll.receive(from, || {
            let response = Response::decode(response, &session.id, &session.config)?;
            if !response.vectors(&session.config).all(|(spec, packed)| padding_is_zero(spec, packed)) {
                return Err(Misbehaviour::NonZeroPadding);
            }
            for ((spec, packed), sum) in response.vectors(&session.config).zip(sums) {
                each_lane!(sum, sum => add_packed(sum, spec.bits, packed));
                counts.additions += u64::from(spec.length);
            }
            Ok(())
        })
    }

    /// Whether closing now would leave enough inputs, and every secret that is needed with enough holders.
    pub(crate) fn check(&self) -> Result<(), Abort> {
        let present = self.roll.answered();
        self.session.check_minimum(Round::MaskedInputCollection, present.len(), || self.roll.missing())?;
        let owners = needed_owners(&self.session, self.commitments.keys().copied(), &present);
        let held = |owner| self.session.graph.holders(owner, &present);
        self.session.check_holders(Round::MaskedInputCollection, owners, held, || self.roll.missing())
    }

    pub(crate) fn close(self) -> Result<Masked, Abort> {
        self.check()?;
        let survivors = self.roll.answered();
        Ok(Masked { session: self.session, commitments: self.commitments, sums: self.sums, survivors })
    }
}

/// What the server holds once the masked inputs are in.
pub(crate) struct Masked {
    pub(crate) session: Session,
    /// The clients that shared, with their commitments.
    pub(crate) commitments: BTreeMap<ClientId, [u8; 32]>,
    pub(crate) sums: Vec<Lanes>,
    /// The clients whose inputs are in the sums.
    pub(crate) survivors: BTreeSet<ClientId>,
}

/// Those of the clients that shared whose secrets must be reconstructed: the survivors, and every other one
/// whose masks are in a survivor's input.
pub(crate) fn needed_owners<'a>(
    session: &'a Session,
    shared: impl Iterator<Item = ClientId> + 'a,
    survivors: &'a BTreeSet<ClientId>,
) -> impl Iterator<Item = ClientId> + 'a {
    shared.filter(|owner| {
        survivors.contains(owner) || session.graph.of(*owner).any(|other| survivors.contains(&other))
    })
}
