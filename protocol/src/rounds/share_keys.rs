//! ShareKeys: each client shares its two secrets among its neighbours (spec §4.3).

use std::collections::BTreeMap;

use curve25519_dalek::scalar::Scalar;
use zeroize::Zeroizing;

use super::advertise_keys::{Member, Secrets, session_id};
use super::advertisement::{Advertisement, PublicKeys, Seen, Sound, check_signatures};
use super::consistency_check::Witness;
use super::{Round, masked_input_collection, roll::Roll};
use crate::crypto::seal::{BUNDLE_LEN, Direction, Shares};
use crate::crypto::sharing::Polynomial;
use crate::crypto::sign::VerifyingKey;
use crate::crypto::{Kept, hash};
use crate::graph::Neighbourhoods;
use crate::input;
use crate::removal::Removal;
use crate::wire::{Body, HEADER_LEN, MessageType, Reader, Writer, ascending};
use crate::{Abort, ClientId, Config, Counts, Credentials, Graph, Misbehaviour, Requests, Suite};

/// `ShareKeysRequest`: the closed neighbourhood of a client, itself included, ascending; with proofs in a signed
/// suite.
pub(crate) struct Request<const SIGNED: bool> {
    pub(crate) neighbourhood: Vec<(ClientId, Advertisement)>,
}

impl<const SIGNED: bool> Request<SIGNED> {
    const ITEM_LEN: usize = 4 + Advertisement::len(SIGNED);
}

/// Bytes of `ShareKeysRequest` with so many clients, the asked one included.
pub(crate) fn request_len(signed: bool, members: usize) -> usize {
    HEADER_LEN + 4 + members * (4 + Advertisement::len(signed))
}

impl<const SIGNED: bool> Body for Request<SIGNED> {
    const TYPE: MessageType = MessageType::ShareKeysRequest;

    fn encode_body(&self, out: &mut Writer) {
        out.len32(self.neighbourhood.len() * Self::ITEM_LEN);
        for (id, advertisement) in &self.neighbourhood {
            out.id(*id);
            advertisement.encode(out);
        }
    }

    fn decode_body(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        let item = |item: &mut Reader<'_>| Ok((item.id()?, Advertisement::decode(item, SIGNED)?));
        Ok(Self { neighbourhood: input.list(Self::ITEM_LEN, item)? })
    }

    fn message_len(&self) -> usize {
        request_len(SIGNED, self.neighbourhood.len())
    }
}

/// The session that a request names and its neighbourhood.
type Neighbourhood = ([u8; 32], Vec<(ClientId, Advertisement)>);

fn decode_request(suite: Suite, message: &[u8]) -> Result<Neighbourhood, Misbehaviour> {
    if suite.is_signed() {
        let (session, request) = Request::<true>::decode_any_session(message)?;
        Ok((session, request.neighbourhood))
    } else {
        let (session, request) = Request::<false>::decode_any_session(message)?;
        Ok((session, request.neighbourhood))
    }
}

fn encode_request(
    suite: Suite,
    neighbourhood: Vec<(ClientId, Advertisement)>,
    session: &[u8; 32],
) -> Vec<u8> {
    if suite.is_signed() {
        Request::<true> { neighbourhood }.encode(session)
    } else {
        Request::<false> { neighbourhood }.encode(session)
    }
}

/// `ShareKeysResponse`: a commitment to the self mask seed, and a sealed bundle for each neighbour, ascending.
pub(crate) struct Response {
    pub(crate) commitment: [u8; 32],
    pub(crate) bundles: Vec<[u8; BUNDLE_LEN]>,
}

impl Response {
    pub(crate) fn len(neighbours: usize) -> usize {
        HEADER_LEN + 32 + 4 + neighbours * BUNDLE_LEN
    }
}

impl Body for Response {
    const TYPE: MessageType = MessageType::ShareKeysResponse;

    fn encode_body(&self, out: &mut Writer) {
        out.bytes(&self.commitment);
        out.opaque(self.bundles.as_flattened());
    }

    fn decode_body(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        Ok(Self { commitment: input.array()?, bundles: input.list(BUNDLE_LEN, |item| item.array())? })
    }

    fn message_len(&self) -> usize {
        Self::len(self.bundles.len())
    }
}

/// The commitment to a self mask seed (spec §3.4).
pub(crate) fn commit(suite: Suite, session: &[u8; 32], id: ClientId, self_mask: &Scalar) -> [u8; 32] {
    hash(suite, "self mask commitment", &[session, &id.get().to_be_bytes(), self_mask.as_bytes()])
}

/// A neighbour as a client knows it.
pub(crate) struct Neighbour {
    pub(crate) id: ClientId,
    pub(crate) keys: PublicKeys,
    /// The key that opens the bundle of this neighbour.
    pub(crate) opening_key: Kept<[u8; 32]>,
}

/// A client that has advertised its keys.
pub(crate) struct Client {
    pub(crate) config: Config,
    pub(crate) config_id: [u8; 32],
    pub(crate) id: ClientId,
    pub(crate) secrets: Secrets,
    pub(crate) advertisement: Advertisement,
    pub(crate) credentials: Option<Credentials>,
}

impl Client {
    pub(crate) fn answer(
        self,
        request: &[u8],
        counts: &mut Counts,
    ) -> Result<(Vec<u8>, masked_input_collection::Client), Abort> {
        let (session, neighbourhood) = decode_request(self.config.suite, request).map_err(Abort::Server)?;
        let identities = self.check(&session, &neighbourhood, counts).map_err(Abort::Server)?;
        let (mask_key, self_mask) = self.polynomials();
        let suite = self.config.suite;
        let me = (self.id, &self.advertisement.keys.encryption);
        let mut neighbours = Vec::with_capacity(neighbourhood.len());
        let mut bundles = Vec::with_capacity(neighbourhood.len());
        for (id, Advertisement { keys, .. }) in neighbourhood.into_iter().filter(|(id, _)| *id != self.id) {
            let agreed = self.secrets.encryption_key.agree(&keys.encryption).map_err(Abort::Server)?;
            let other = (id, &keys.encryption);
            let there = Direction { suite, session: &session, owner: me, holder: other };
            let back = Direction { suite, session: &session, owner: other, holder: me };
            let shares = Shares { mask_key: mask_key.share(id), self_mask: self_mask.share(id) };
            bundles.push(there.seal(&there.key(&agreed), &shares));
            let opening_key = Box::new(back.key(&agreed));
            neighbours.push(Neighbour { id, keys, opening_key });
        }
        let own_share = (self.config.graph == Graph::Complete)
            .then(|| Box::new(Zeroizing::new(self_mask.share(self.id))));
        let sealed = bundles.len() as u64;
        counts.encryption_agreements += sealed;
        counts.aead_bytes += sealed * BUNDLE_LEN as u64;
        counts.share_evaluations += 2 * sealed + u64::from(own_share.is_some());
        let commitment = commit(suite, &session, self.id, &self.secrets.self_mask);
        let response = Response { commitment, bundles }.encode(&session);
        let removal = Removal::new(&self.config, &session, self.id, &self.secrets.noise_seeds);
        let noise = input::prepare(&self.config, self.secrets.noise_seeds, &removal)?;
        let next = masked_input_collection::Client {
            config: self.config,
            session,
            id: self.id,
            mask_key: self.secrets.mask_key,
            self_mask: self.secrets.self_mask,
            keys: self.advertisement.keys,
            neighbours,
            own_share,
            witness: self.credentials.map(|credentials| Witness { credentials, roster: identities }),
            noise,
            removal,
        };
        Ok((response, next))
    }

    /// `[4.3-1]` to `[4.3-2]` and the rules of each advertisement; the encryption keys are checked as they are used.
    ///
    /// Returns the identities of the neighbourhood, in a signed suite.
    fn check(
        &self,
        session: &[u8; 32],
        neighbourhood: &[(ClientId, Advertisement)],
        counts: &mut Counts,
    ) -> Result<Vec<(ClientId, VerifyingKey)>, Misbehaviour> {
        let size_is_right = match self.config.graph {
            Graph::Complete => neighbourhood.len() >= self.config.threshold as usize,
            Graph::Regular { degree } => neighbourhood.len() == degree as usize + 1,
        };
        let last_is_right = neighbourhood.last().is_some_and(|(id, _)| id.get() <= self.config.clients);
        let own_is_right = neighbourhood.iter().any(|(id, one)| *id == self.id && *one == self.advertisement);
        let order_is_right = ascending(neighbourhood.iter().map(|(id, _)| *id));
        if !(size_is_right && last_is_right && own_is_right && order_is_right) {
            return Err(Misbehaviour::BadNeighbourhood);
        }
        if self.config.graph == Graph::Complete {
            let roster = neighbourhood.iter().map(|(id, advertisement)| (*id, advertisement));
            if session_id(&self.config, &self.config_id, roster) != *session {
                return Err(Misbehaviour::SessionNotDerived);
            }
        }
        let mut seen = Seen::default();
        let mut identities = Vec::new();
        for (id, advertisement) in neighbourhood {
            seen.note(advertisement)?;
            identities.extend(Sound::of(advertisement)?.identity.map(|identity| (*id, identity)));
        }
        let members: Vec<_> = neighbourhood
            .iter()
            .zip(&identities)
            .map(|((id, advertisement), (_, identity))| (*id, advertisement, Some(identity)))
            .collect();
        counts.verifications += check_signatures(&self.config, &self.config_id, &members)?;
        Ok(identities)
    }

    fn polynomials(&self) -> (Polynomial, Polynomial) {
        let [first, second] = self.secrets.coefficients(self.config.threshold);
        (
            Polynomial::new(**self.secrets.mask_key, first.iter().copied()),
            Polynomial::new(**self.secrets.self_mask, second.iter().copied()),
        )
    }
}

/// What the server and all later rounds know of a session: fixed once the roster is.
pub(crate) struct Session {
    pub(crate) config: Config,
    pub(crate) id: [u8; 32],
    pub(crate) roster: BTreeMap<ClientId, Member>,
    pub(crate) graph: Neighbourhoods,
}

impl Session {
    /// Refuses to go on if the sum would be of fewer inputs than the configuration asks for.
    pub(crate) fn check_minimum(
        &self,
        round: Round,
        answered: usize,
        missing: impl FnOnce() -> Vec<ClientId>,
    ) -> Result<(), Abort> {
        match self.config.minimum_survivors.saturating_sub(answered as u32) {
            0 => Ok(()),
            more => Err(Abort::TooFew { round, missing: missing(), more, about: None }),
        }
    }

    /// Refuses to go on if one of the secrets of `owners` has too few holders left, as `held` counts them.
    pub(crate) fn check_holders(
        &self,
        round: Round,
        owners: impl Iterator<Item = ClientId>,
        held: impl Fn(ClientId) -> usize,
        missing: impl FnOnce() -> Vec<ClientId>,
    ) -> Result<(), Abort> {
        let threshold = self.config.threshold as usize;
        let everyone_alike = self.graph.owner_holds();
        match owners.map(|owner| (held(owner), owner)).min() {
            Some((held, _)) if held >= threshold => Ok(()),
            None => {
                Err(Abort::TooFew { round, missing: missing(), more: self.config.threshold, about: None })
            }
            Some((held, owner)) => {
                let missing = missing();
                let about = (!everyone_alike || missing.is_empty()).then_some(owner);
                Err(Abort::TooFew { round, missing, more: (threshold - held) as u32, about })
            }
        }
    }
}

/// The server while shares come in.
pub(crate) struct Server {
    pub(crate) session: Session,
    pub(crate) roll: Roll<Response>,
}

impl Server {
    pub(crate) fn open(
        config: Config,
        id: [u8; 32],
        roster: BTreeMap<ClientId, Member>,
        graph: Neighbourhoods,
    ) -> (Self, Requests) {
        let advertised = |id: ClientId| roster.get(&id).map(|member| (id, member.advertisement.clone()));
        let requests = roster
            .keys()
            .map(|&to| {
                let mut members: Vec<ClientId> = graph.of(to).chain([to]).collect();
                members.sort_unstable();
                let neighbourhood = members.into_iter().filter_map(advertised).collect();
                (to, encode_request(config.suite, neighbourhood, &id))
            })
            .collect();
        let roll = Roll::new(roster.keys().copied());
        (Self { session: Session { config, id, roster, graph }, roll }, requests)
    }

    pub(crate) fn receive(&mut self, from: ClientId, response: &[u8]) -> Result<(), Misbehaviour> {
        let session = &self.session;
        self.roll.receive(from, || {
            let response = Response::decode(response, &session.id)?;
            if response.bundles.len() != session.graph.degree(from) {
                return Err(Misbehaviour::WrongBundleCount);
            }
            Ok(response)
        })
    }

    /// Whether closing now would leave enough clients, and every secret with enough holders.
    pub(crate) fn check(&self) -> Result<(), Abort> {
        let present = self.roll.answered();
        self.session.check_minimum(Round::ShareKeys, present.len(), || self.roll.missing())?;
        let owners = present.iter().copied();
        let held = |owner| self.session.graph.holders(owner, &present);
        self.session.check_holders(Round::ShareKeys, owners, held, || self.roll.missing())
    }

    pub(crate) fn close(self) -> Result<(masked_input_collection::Server, Requests), Abort> {
        self.check()?;
        Ok(masked_input_collection::Server::open(self.session, self.roll.into_answers()))
    }
}
