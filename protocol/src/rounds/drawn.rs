//! The pinned suite's part of MaskedInputCollection: a client is told who all the sharers are, and by whom it was drawn
//! (spec §4.4).

use std::collections::BTreeSet;

use super::advertisement::{Advertisement, PublicKeys};
use super::masked_input_collection::{Given, Pinned};
use crate::crypto::agree::EncryptionKey;
use crate::crypto::hash;
use crate::crypto::seal::{BUNDLE_LEN, Direction, Shares};
use crate::graph::drawn_holders;
use crate::wire::{Body, HEADER_LEN, MessageType, Reader, Writer, ascending};
use crate::{ClientId, Config, Counts, Graph, Misbehaviour, Suite, bitmap};

/// A bundle with its owner, and the draw by which the receiver is a holder.
#[derive(Clone, Copy)]
pub(crate) struct DrawnBundle {
    pub(crate) owner: ClientId,
    pub(crate) draw: [u8; 32],
    pub(crate) bundle: [u8; BUNDLE_LEN],
}

/// `MaskedInputRequest` of the pinned suite: the sharers, one bit for each client of the roster, and the bundles of
/// those of them that have drawn the receiver, ascending by owner.
pub(crate) struct Request {
    pub(crate) sharers: Vec<u8>,
    pub(crate) bundles: Vec<DrawnBundle>,
}

impl Request {
    const ITEM_LEN: usize = 4 + 32 + BUNDLE_LEN;

    /// Bytes with so many bundles, in a session with a roster of that many clients.
    pub(crate) fn len(roster: usize, bundles: usize) -> usize {
        HEADER_LEN + 4 + roster.div_ceil(8) + 4 + bundles * Self::ITEM_LEN
    }
}

impl Body for Request {
    const TYPE: MessageType = MessageType::MaskedInputRequest;

    fn encode_body(&self, out: &mut Writer) {
        out.opaque(&self.sharers);
        out.len32(self.bundles.len() * Self::ITEM_LEN);
        for DrawnBundle { owner, draw, bundle } in &self.bundles {
            out.id(*owner);
            out.bytes(draw);
            out.bytes(bundle);
        }
    }

    fn decode_body(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        let sharers = input.opaque()?.to_vec();
        let item = |item: &mut Reader<'_>| {
            Ok(DrawnBundle { owner: item.id()?, draw: item.array()?, bundle: item.array()? })
        };
        Ok(Self { sharers, bundles: input.list(Self::ITEM_LEN, item)? })
    }

    fn message_len(&self) -> usize {
        HEADER_LEN + 4 + self.sharers.len() + 4 + self.bundles.len() * Self::ITEM_LEN
    }
}

/// What a client signs with its masked input: the session, and who shared, as bits over the roster.
pub(crate) fn statement(suite: Suite, session: &[u8; 32], sharers: &[u8]) -> [u8; 32] {
    hash(suite, "sharers", &[session, sharers])
}

/// What a client of the pinned suite knows of the others once it has shared.
pub(crate) struct Drawn {
    pub(crate) config_id: [u8; 32],
    pub(crate) encryption_key: Box<EncryptionKey>,
    /// Ascending, the client itself included.
    pub(crate) roster: Vec<(ClientId, Advertisement)>,
    /// Those that the client has drawn, ascending.
    pub(crate) holders: Vec<ClientId>,
}

/// The session and the client in it.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) config: &'a Config,
    pub(crate) session: &'a [u8; 32],
    pub(crate) id: ClientId,
}

impl Drawn {
    /// What follows from a request: with whom to mask, what was dealt, and whom to pin.
    pub(crate) fn given(
        &self,
        request: &Request,
        place: Place<'_>,
        counts: &mut Counts,
    ) -> Result<Given, Misbehaviour> {
        let sharers = self.sharers(request, place)?;
        let members: Vec<ClientId> = self.roster.iter().map(|(id, _)| *id).collect();
        let mut holders = vec![self.holders.clone()];
        for drawn in &request.bundles {
            holders.push(self.holders_of(drawn, place, &members)?);
        }
        let opened = request.bundles.iter().map(|drawn| self.open(drawn, place));
        let held = opened.collect::<Result<Vec<_>, _>>()?;
        counts.encryption_agreements += held.len() as u64;
        // Every sharer that this client has drawn, whatever came from it: what is not masked with could be cut off.
        let mine = self.holders.iter().filter(|holder| self.shares(&sharers, **holder));
        let masks_with: BTreeSet<ClientId> =
            mine.copied().chain(request.bundles.iter().map(|drawn| drawn.owner)).collect();
        let masks_with = masks_with.into_iter().filter_map(|id| Some((id, self.keys(id)?.mask))).collect();
        Ok(Given { masks_with, held, pinned: Some(Pinned { sharers, holders }) })
    }

    /// Who of the roster has shared (`[4.4-6]`, `[4.4-7]`, `[4.4-2]`, `[4.4-1]`).
    fn sharers(&self, request: &Request, place: Place<'_>) -> Result<Vec<bool>, Misbehaviour> {
        let bits = bitmap::unpack(&request.sharers, self.roster.len()).ok_or(Misbehaviour::BadSharerBits)?;
        let shares = |id: ClientId| self.shares(&bits, id);
        if !shares(place.id) {
            return Err(Misbehaviour::SelfNotSharer);
        }
        let sharers = bits.iter().filter(|shares| **shares).count();
        let mine = self.holders.iter().filter(|holder| shares(**holder)).count();
        let quorum = place.config.quorum(self.roster.len());
        if sharers < quorum as usize || mine < place.config.threshold as usize {
            return Err(Misbehaviour::TooFewSharers);
        }
        let owners = || request.bundles.iter().map(|drawn| drawn.owner);
        if !ascending(owners()) || !owners().all(|owner| owner != place.id && shares(owner)) {
            return Err(Misbehaviour::BadSharers);
        }
        Ok(bits)
    }

    fn shares(&self, bits: &[bool], id: ClientId) -> bool {
        self.at(id).is_some_and(|at| bits.get(at) == Some(&true))
    }

    fn open(
        &self,
        drawn: &DrawnBundle,
        place: Place<'_>,
    ) -> Result<(ClientId, Option<Shares>), Misbehaviour> {
        let keys = self.keys(drawn.owner).ok_or(Misbehaviour::BadSharers)?;
        let agreed = self.encryption_key.agree(&keys.encryption)?;
        let direction = Direction {
            suite: place.config.suite,
            session: place.session,
            owner: drawn.owner,
            holder: place.id,
        };
        let key = direction.key(&direction.extract(&agreed), [&keys.encryption, &self.encryption_key.public]);
        Ok((drawn.owner, direction.open(&key, &drawn.bundle)))
    }

    /// The holders of the owner of a bundle, this client among them (`[4.4-8]`).
    fn holders_of(
        &self,
        drawn: &DrawnBundle,
        place: Place<'_>,
        members: &[ClientId],
    ) -> Result<Vec<ClientId>, Misbehaviour> {
        let DrawnBundle { owner, draw, .. } = drawn;
        let suite = place.config.suite;
        let (_, advertisement) =
            self.at(*owner).and_then(|at| self.roster.get(at)).ok_or(Misbehaviour::BadSharers)?;
        if !advertisement.commits_to((suite, &self.config_id), *owner, draw) {
            return Err(Misbehaviour::NotAHolder);
        }
        let holders = holders(place.config, place.session, *owner, draw, members);
        if holders.binary_search(&place.id).is_err() {
            return Err(Misbehaviour::NotAHolder);
        }
        Ok(holders)
    }

    fn at(&self, id: ClientId) -> Option<usize> {
        self.roster.binary_search_by_key(&id, |(id, _)| *id).ok()
    }

    fn keys(&self, id: ClientId) -> Option<&PublicKeys> {
        self.at(id).and_then(|at| self.roster.get(at)).map(|(_, advertisement)| &advertisement.keys)
    }
}

/// The holders that follow from a draw, ascending; none but on a k-out graph.
pub(crate) fn holders(
    config: &Config,
    session: &[u8; 32],
    owner: ClientId,
    draw: &[u8; 32],
    roster: &[ClientId],
) -> Vec<ClientId> {
    let Graph::KOut { degree } = config.graph else { return Vec::new() };
    drawn_holders((config.suite, session), owner, draw, roster, degree as usize)
}
