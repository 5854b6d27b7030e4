//! MaskedInputCollection: each client sends its input under all its masks; the server adds them up as they
//! come (spec §4.4).

use std::collections::{BTreeMap, BTreeSet};

use super::consistency_check::{self, Witness};
use super::drawn::{self, Drawn, DrawnBundle, Place};
use super::masked_input::MaskedInput;
use super::share_keys::{Dealt, Mail, Neighbour, Session};
use super::{Round, roll::Roll, unmasking};
use crate::crypto::Kept;
use crate::crypto::agree::MaskPublicKey;
use crate::crypto::seal::{BUNDLE_LEN, Direction, Shares};
use crate::crypto::sign::{SIGNATURE_LEN, is_valid};
use crate::input::{Checked, Share};
use crate::mask::{MaskSeed, Sign};
use crate::removal::Removal;
use crate::vector::{add_packed, each_lane, padding_is_zero};
use crate::wire::{Body, HEADER_LEN, MessageType, Reader, Writer, ascending};
use crate::{Abort, ClientId, Config, Counts, Lanes, Misbehaviour, Requests, VectorSpec, bitmap};
use curve25519_dalek::scalar::Scalar;

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
///
/// In the pinned suite the sender's signature over the sharers comes first.
pub(crate) struct Response<'a> {
    signature: Option<[u8; SIGNATURE_LEN]>,
    packed: &'a [u8],
}

impl<'a> Response<'a> {
    pub(crate) fn len(config: &Config) -> u64 {
        Self::head_len(config) as u64 + config.packed_len()
    }

    /// Bytes before the packed vectors.
    pub(crate) fn head_len(config: &Config) -> usize {
        HEADER_LEN + if config.suite.is_pinned() { SIGNATURE_LEN } else { 0 }
    }

    fn decode(message: &'a [u8], session: &[u8; 32], config: &Config) -> Result<Self, Misbehaviour> {
        let mut input = Reader(message);
        input.header(MessageType::MaskedInputResponse, session)?;
        let signature = config.suite.is_pinned().then(|| input.array()).transpose()?;
        let packed = input.rest();
        if packed.len() as u64 != config.packed_len() {
            return Err(Misbehaviour::WrongVectorLength);
        }
        Ok(Self { signature, packed })
    }

    /// Each vector's specification with its packed bytes.
    fn vectors(&self, config: &'a Config) -> impl Iterator<Item = (&'a VectorSpec, &'a [u8])> {
        let mut input = Reader(self.packed);
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
    /// Its own mask key's public half, encoded.
    pub(crate) mask_public_key: [u8; 32],
    pub(crate) others: Others,
    /// The mask keys of some of them, ascending by owner: those whose decoding was kept.
    pub(crate) decoded: Vec<(ClientId, MaskPublicKey)>,
    /// Its own share of its self mask, on the complete graph.
    pub(crate) own_share: Option<Kept<Scalar>>,
    /// In a signed suite.
    pub(crate) witness: Option<Witness>,
    /// Its noise for each vector that has any.
    pub(crate) noise: Vec<Option<Share>>,
    /// What can be removed of it.
    pub(crate) removal: Removal,
}

/// What a client knows of the others: its neighbours, or in the pinned suite the roster.
pub(crate) enum Others {
    Neighbours(Vec<Neighbour>),
    Drawn(Drawn),
}

/// What follows from the request.
pub(crate) struct Given {
    /// Whom to mask with, ascending, with their mask keys.
    pub(crate) masks_with: Vec<(ClientId, [u8; 32])>,
    /// The owners of the bundles, ascending, with their shares if their bundles opened.
    pub(crate) held: Vec<(ClientId, Option<Shares>)>,
    pub(crate) pinned: Option<Pinned>,
}

/// What a client of the pinned suite is told of everybody.
pub(crate) struct Pinned {
    /// Who of the roster has shared, ascending.
    pub(crate) sharers: Vec<bool>,
    /// The holders of the client, and of each owner of whom it holds shares.
    pub(crate) holders: Vec<Vec<ClientId>>,
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
        let Given { masks_with, held, pinned } = self.given(request, counts).map_err(Abort::Server)?;
        let input = input.arrange(&self.config, &self.session, &self.noise)?;
        let suite = self.config.suite;
        let mut seeds = Vec::with_capacity(masks_with.len() + 1);
        seeds.push((MaskSeed::own(suite, &self.session, self.self_mask.as_bytes(), self.id), Sign::Add));
        for (other, key) in &masks_with {
            seeds.push((self.pairwise(*other, key)?, Sign::of_pair(self.id, *other)));
        }
        counts.mask_agreements += masks_with.len() as u64;
        counts.aead_bytes += held.len() as u64 * BUNDLE_LEN as u64;
        let lane_bytes: u64 = self.config.vectors.iter().map(lane_bytes).sum();
        counts.keystream_bytes += seeds.len() as u64 * lane_bytes;
        let pin = pinned.as_ref().zip(self.witness.as_ref()).map(|(pinned, witness)| {
            let bits = bitmap::pack(pinned.sharers.iter().copied());
            let statement = drawn::statement(suite, &self.session, &bits);
            counts.signatures += 1;
            (statement, witness.credentials.key.sign(&statement))
        });
        let signature = pin.map(|(_, signature)| signature);
        let masked = MaskedInput::new(self.config.clone(), self.session, signature, input, seeds);
        let quorum = self.config.quorum(self.witness.as_ref().map_or(0, |witness| witness.roster.len()));
        let holder = unmasking::Client {
            graph: self.config.graph,
            clients: self.config.clients,
            threshold: self.config.threshold,
            quorum,
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
                let sharers_signed = pin.map(|(statement, _)| statement);
                let Pinned { sharers, holders } = pinned.unwrap_or_else(|| Pinned {
                    sharers: witness.roster.iter().map(|(id, _)| holder.has_shared(*id)).collect(),
                    holders: Vec::new(),
                });
                let next =
                    consistency_check::Client { suite, holder, witness, sharers, holders, sharers_signed };
                Next::ConsistencyCheck(Box::new(next))
            }
        };
        Ok((masked, next))
    }

    fn given(&self, request: &[u8], counts: &mut Counts) -> Result<Given, Misbehaviour> {
        match &self.others {
            Others::Neighbours(neighbours) => {
                let Request { bundles } = Request::decode(request, &self.session)?;
                let sharers = self.sharers(neighbours, &bundles)?;
                let masks_with =
                    sharers.iter().map(|(neighbour, _)| (neighbour.id, neighbour.mask)).collect();
                let held = sharers.into_iter().map(|(neighbour, bundle)| self.open(neighbour, bundle));
                Ok(Given { masks_with, held: held.collect(), pinned: None })
            }
            Others::Drawn(drawn) => {
                let request = drawn::Request::decode(request, &self.session)?;
                let place = Place { config: &self.config, session: &self.session, id: self.id };
                drawn.given(&request, place, counts)
            }
        }
    }

    fn open(&self, neighbour: &Neighbour, bundle: &[u8; BUNDLE_LEN]) -> (ClientId, Option<Shares>) {
        let direction = Direction {
            suite: self.config.suite,
            session: &self.session,
            owner: neighbour.id,
            holder: self.id,
        };
        (neighbour.id, direction.open(&neighbour.opening_key, bundle))
    }

    /// Pairs the bundles with the neighbours that own them (`[4.4-1]`, `[4.4-2]`).
    fn sharers<'a>(
        &self,
        neighbours: &'a [Neighbour],
        bundles: &'a [(ClientId, [u8; BUNDLE_LEN])],
    ) -> Result<Vec<(&'a Neighbour, &'a [u8; BUNDLE_LEN])>, Misbehaviour> {
        if !ascending(bundles.iter().map(|(id, _)| *id)) {
            return Err(Misbehaviour::BadSharers);
        }
        if bundles.len() + usize::from(self.own_share.is_some()) < self.config.threshold as usize {
            return Err(Misbehaviour::TooFewSharers);
        }
        let neighbour = |id: &ClientId| {
            let at = neighbours.binary_search_by_key(id, |neighbour| neighbour.id).ok()?;
            neighbours.get(at)
        };
        bundles
            .iter()
            .map(|(id, bundle)| Ok((neighbour(id).ok_or(Misbehaviour::BadSharers)?, bundle)))
            .collect()
    }

    fn pairwise(&self, other: ClientId, key: &[u8; 32]) -> Result<MaskSeed, Abort> {
        let kept = self.decoded.binary_search_by_key(&other, |(id, _)| *id).ok();
        let public = match kept.and_then(|at| self.decoded.get(at)) {
            Some((_, public)) => *public,
            None => MaskPublicKey::decode(key).map_err(Abort::Server)?,
        };
        Ok(MaskSeed::pairwise(
            self.config.suite,
            &self.session,
            &public.agree(&self.mask_key),
            (self.id, &self.mask_public_key),
            (other, key),
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

/// The server while masked inputs come in: one accumulator, whatever the number of clients.
pub(crate) struct Server {
    pub(crate) session: Session,
    /// The clients that shared, with their commitments.
    pub(crate) commitments: BTreeMap<ClientId, [u8; 32]>,
    sums: Vec<Lanes>,
    /// What each masked input comes with a signature of, in the pinned suite.
    pin: Option<[u8; 32]>,
    pub(crate) roll: Roll<Option<[u8; SIGNATURE_LEN]>>,
}

impl Server {
    pub(crate) fn open(
        session: Session,
        shared: BTreeMap<ClientId, Dealt>,
        mut mail: Mail,
    ) -> (Self, Requests) {
        let drawn = |(owner, bundle)| {
            let draw = shared.get(&owner).and_then(|dealt| dealt.draw)?;
            Some(DrawnBundle { owner, draw, bundle })
        };
        let suite = session.config.suite;
        let sharers = bitmap::pack(session.roster.keys().map(|id| shared.contains_key(id)));
        let pin = suite.is_pinned().then(|| drawn::statement(suite, &session.id, &sharers));
        let requests = shared
            .keys()
            .map(|&to| {
                let mut bundles = mail.remove(&to).unwrap_or_default();
                bundles.sort_unstable_by_key(|(owner, _)| *owner);
                let request = match pin {
                    None => Request { bundles }.encode(&session.id),
                    Some(_) => {
                        let bundles = bundles.into_iter().filter_map(drawn).collect();
                        drawn::Request { sharers: sharers.clone(), bundles }.encode(&session.id)
                    }
                };
                (to, request)
            })
            .collect();
        let sums = session.config.vectors.iter().map(Lanes::zeros).collect();
        let roll = Roll::new(shared.keys().copied());
        let commitments = shared.into_iter().map(|(id, dealt)| (id, dealt.commitment)).collect();
        (Self { session, commitments, sums, pin, roll }, requests)
    }

    pub(crate) fn receive(
        &mut self,
        from: ClientId,
        response: &[u8],
        counts: &mut Counts,
    ) -> Result<(), Misbehaviour> {
        let (session, sums, pin) = (&self.session, &mut self.sums, self.pin);
        self.roll.receive(from, || {
            let response = Response::decode(response, &session.id, &session.config)?;
            if !response.vectors(&session.config).all(|(spec, packed)| padding_is_zero(spec, packed)) {
                return Err(Misbehaviour::NonZeroPadding);
            }
            if let Some((statement, signature)) = pin.zip(response.signature.as_ref()) {
                counts.verifications += 1;
                if !session.signed_by(from, statement, signature).is_some_and(is_valid) {
                    return Err(Misbehaviour::BadSharerSignature);
                }
            }
            for ((spec, packed), sum) in response.vectors(&session.config).zip(sums) {
                each_lane!(sum, sum => add_packed(sum, spec.bits, packed));
                counts.additions += u64::from(spec.length);
            }
            Ok(response.signature)
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
        let signatures = self.roll.into_answers().into_iter();
        let pins = signatures.filter_map(|(id, signature)| Some((id, signature?))).collect();
        Ok(Masked { session: self.session, commitments: self.commitments, sums: self.sums, survivors, pins })
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
    /// Their signatures over the sharers, in the pinned suite.
    pub(crate) pins: BTreeMap<ClientId, [u8; SIGNATURE_LEN]>,
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
