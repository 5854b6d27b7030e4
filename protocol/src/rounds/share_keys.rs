//! ShareKeys: each client shares its two secrets among its neighbours, in the pinned suite among the holders that it
//! draws (spec §4.3).

use std::collections::BTreeMap;

use curve25519_dalek::scalar::Scalar;
use zeroize::Zeroizing;

use super::advertise_keys::{Member, Secrets, session_id};
use super::advertisement::{Advertisement, Sound, check_signatures, first_repeated};
use super::consistency_check::Witness;
use super::drawn::{self, Drawn};
use super::masked_input_collection::Others;
use super::{Round, masked_input_collection, roll::Roll};
use crate::crypto::agree::MaskPublicKey;
use crate::crypto::hash;
use crate::crypto::seal::{BUNDLE_LEN, Direction, Shares};
use crate::crypto::sharing::Polynomial;
use crate::crypto::sign::{SIGNATURE_LEN, Signed, VerifyingKey};
use crate::graph::Neighbourhoods;
use crate::input;
use crate::removal::Removal;
use crate::wire::{Body, HEADER_LEN, MessageType, Reader, Writer, ascending};
use crate::{Abort, ClientId, Config, Counts, Credentials, Graph, Misbehaviour, Policy, Requests, Suite};

/// `ShareKeysRequest` in the suite of this number: the closed neighbourhood of a client, itself included, ascending; in
/// the pinned suite the roster.
pub(crate) struct Request<const SUITE: u8> {
    pub(crate) neighbourhood: Vec<(ClientId, Advertisement)>,
}

impl<const SUITE: u8> Request<SUITE> {
    const ITEM_LEN: usize = 4 + Advertisement::len(SUITE);
}

/// Bytes of `ShareKeysRequest` with so many clients, the asked one included.
pub(crate) fn request_len(suite: Suite, members: usize) -> usize {
    HEADER_LEN + 4 + members * (4 + Advertisement::len(suite.number()))
}

impl<const SUITE: u8> Body for Request<SUITE> {
    const TYPE: MessageType = MessageType::ShareKeysRequest;

    fn encode_body(&self, out: &mut Writer) {
        out.len32(self.neighbourhood.len() * Self::ITEM_LEN);
        for (id, advertisement) in &self.neighbourhood {
            out.id(*id);
            advertisement.encode(out);
        }
    }

    fn decode_body(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        let item = |item: &mut Reader<'_>| Ok((item.id()?, Advertisement::decode(item, SUITE)?));
        Ok(Self { neighbourhood: input.list(Self::ITEM_LEN, item)? })
    }

    fn message_len(&self) -> usize {
        HEADER_LEN + 4 + self.neighbourhood.len() * Self::ITEM_LEN
    }
}

/// The session that a request names and its neighbourhood.
type Neighbourhood = ([u8; 32], Vec<(ClientId, Advertisement)>);

fn decode_request(suite: Suite, message: &[u8]) -> Result<Neighbourhood, Misbehaviour> {
    fn of<const SUITE: u8>(message: &[u8]) -> Result<Neighbourhood, Misbehaviour> {
        let (session, request) = Request::<SUITE>::decode_any_session(message)?;
        Ok((session, request.neighbourhood))
    }
    match suite {
        Suite::Curious => of::<1>(message),
        Suite::Active { .. } => of::<2>(message),
        Suite::Pinned { .. } => of::<3>(message),
    }
}

fn encode_request(
    suite: Suite,
    neighbourhood: Vec<(ClientId, Advertisement)>,
    session: &[u8; 32],
) -> Vec<u8> {
    match suite {
        Suite::Curious => Request::<1> { neighbourhood }.encode(session),
        Suite::Active { .. } => Request::<2> { neighbourhood }.encode(session),
        Suite::Pinned { .. } => Request::<3> { neighbourhood }.encode(session),
    }
}

/// What a client deals: a commitment to the self mask seed, and a sealed bundle for each holder, ascending.
pub(crate) struct Dealt {
    pub(crate) commitment: [u8; 32],
    /// In the pinned suite.
    pub(crate) draw: Option<[u8; 32]>,
    pub(crate) bundles: Vec<[u8; BUNDLE_LEN]>,
}

/// `ShareKeysResponse`, in the pinned suite with the draw from which the holders follow.
pub(crate) struct Response<const PINNED: bool>(pub(crate) Dealt);

/// Bytes of `ShareKeysResponse` with bundles for so many holders.
pub(crate) fn response_len(suite: Suite, holders: usize) -> usize {
    HEADER_LEN + 32 + if suite.is_pinned() { 32 } else { 0 } + 4 + holders * BUNDLE_LEN
}

impl<const PINNED: bool> Body for Response<PINNED> {
    const TYPE: MessageType = MessageType::ShareKeysResponse;

    fn encode_body(&self, out: &mut Writer) {
        out.bytes(&self.0.commitment);
        if let Some(draw) = &self.0.draw {
            out.bytes(draw);
        }
        out.opaque(self.0.bundles.as_flattened());
    }

    fn decode_body(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        Ok(Self(Dealt {
            commitment: input.array()?,
            draw: PINNED.then(|| input.array()).transpose()?,
            bundles: input.list(BUNDLE_LEN, |item| item.array())?,
        }))
    }

    fn message_len(&self) -> usize {
        HEADER_LEN + 32 + if PINNED { 32 } else { 0 } + 4 + self.0.bundles.len() * BUNDLE_LEN
    }
}

impl Dealt {
    fn encode(self, session: &[u8; 32]) -> Vec<u8> {
        match self.draw {
            Some(_) => Response::<true>(self).encode(session),
            None => Response::<false>(self).encode(session),
        }
    }

    fn decode(suite: Suite, message: &[u8], session: &[u8; 32]) -> Result<Self, Misbehaviour> {
        match suite.is_pinned() {
            true => Response::<true>::decode(message, session).map(|response| response.0),
            false => Response::<false>::decode(message, session).map(|response| response.0),
        }
    }
}

/// The commitment to a self mask seed (spec §3.4).
pub(crate) fn commit(suite: Suite, session: &[u8; 32], id: ClientId, self_mask: &Scalar) -> [u8; 32] {
    hash(suite, "self mask commitment", &[session, &id.get().to_be_bytes(), self_mask.as_bytes()])
}

/// A neighbour as a client knows it once it has shared.
pub(crate) struct Neighbour {
    pub(crate) id: ClientId,
    /// Its mask key, encoded.
    pub(crate) mask: [u8; 32],
    /// The key that opens the bundle of this neighbour. Not in a place of its own: the list of neighbours never moves.
    pub(crate) opening_key: Zeroizing<[u8; 32]>,
}

/// Mask keys that a client keeps decoded, 160 bytes each; it decodes the others again when it masks with them.
const DECODED: usize = 32;

/// What the checks of a neighbourhood give, ascending.
struct Checked {
    /// In a signed suite.
    identities: Vec<(ClientId, VerifyingKey)>,
    /// The mask keys of the first others.
    decoded: Vec<(ClientId, MaskPublicKey)>,
}

/// A client that has advertised its keys.
pub(crate) struct Client {
    pub(crate) config: Config,
    pub(crate) config_id: [u8; 32],
    pub(crate) id: ClientId,
    pub(crate) secrets: Secrets,
    pub(crate) advertisement: Advertisement,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) policy: Policy,
}

impl Client {
    pub(crate) fn answer(
        self,
        request: &[u8],
        counts: &mut Counts,
    ) -> Result<(Vec<u8>, masked_input_collection::Client), Abort> {
        let (session, neighbourhood) = decode_request(self.config.suite, request).map_err(Abort::Server)?;
        let Checked { identities, decoded } =
            self.check(&session, &neighbourhood, counts).map_err(Abort::Server)?;
        self.policy.check_roster(&self.config, neighbourhood.len()).map_err(Abort::Refused)?;
        let holders = self.holders(&session, &neighbourhood);
        let (mask_key, self_mask) = self.polynomials();
        let suite = self.config.suite;
        let (me, my_key) = (self.id, &self.advertisement.keys.encryption);
        let mut neighbours = Vec::with_capacity(holders.len());
        let mut bundles = Vec::with_capacity(holders.len());
        let is_holder = |id: &ClientId| holders.binary_search(id).is_ok();
        for &(id, Advertisement { keys, .. }) in neighbourhood.iter().filter(|(id, _)| is_holder(id)) {
            let agreed = self.secrets.encryption_key.agree(&keys.encryption).map_err(Abort::Server)?;
            let there = Direction { suite, session: &session, owner: me, holder: id };
            let back = Direction { suite, session: &session, owner: id, holder: me };
            let agreed = there.extract(&agreed);
            let shares = Shares { mask_key: mask_key.share(id), self_mask: self_mask.share(id) };
            bundles.push(there.seal(&there.key(&agreed, [my_key, &keys.encryption]), &shares));
            let opening_key = back.key(&agreed, [&keys.encryption, my_key]);
            neighbours.push(Neighbour { id, mask: keys.mask, opening_key });
        }
        let own_share = (self.config.graph == Graph::Complete)
            .then(|| Box::new(Zeroizing::new(self_mask.share(self.id))));
        let sealed = bundles.len() as u64;
        counts.encryption_agreements += sealed;
        counts.aead_bytes += sealed * BUNDLE_LEN as u64;
        counts.share_evaluations += 2 * sealed + u64::from(own_share.is_some());
        let commitment = commit(suite, &session, self.id, &self.secrets.self_mask);
        let draw = self.secrets.draw.map(|draw| **draw);
        let response = Dealt { commitment, draw, bundles }.encode(&session);
        let removal = Removal::new(&self.config, &session, self.id, &self.secrets.noise_seeds);
        let noise = input::prepare(&self.config, self.secrets.noise_seeds, &removal)?;
        let others = match draw {
            None => Others::Neighbours(neighbours),
            Some(_) => Others::Drawn(Drawn {
                config_id: self.config_id,
                encryption_key: self.secrets.encryption_key,
                roster: neighbourhood,
                holders,
            }),
        };
        let next = masked_input_collection::Client {
            config: self.config,
            session,
            id: self.id,
            mask_key: self.secrets.mask_key,
            self_mask: self.secrets.self_mask,
            mask_public_key: self.advertisement.keys.mask,
            others,
            decoded,
            own_share,
            witness: self.credentials.map(|credentials| Witness { credentials, roster: identities }),
            noise,
            removal,
        };
        Ok((response, next))
    }

    /// `[4.3-1]` to `[4.3-2]` and the rules of each advertisement; the encryption keys are checked as they are used.
    ///
    /// Returns what of it is needed later.
    fn check(
        &self,
        session: &[u8; 32],
        neighbourhood: &[(ClientId, Advertisement)],
        counts: &mut Counts,
    ) -> Result<Checked, Misbehaviour> {
        let smallest = self.config.smallest_roster() as usize;
        let size_is_right = match self.config.graph {
            Graph::Complete | Graph::KOut { .. } => neighbourhood.len() >= smallest,
            Graph::Regular { .. } => neighbourhood.len() == smallest,
        };
        let last_is_right = neighbourhood.last().is_some_and(|(id, _)| id.get() <= self.config.clients);
        let own_is_right = neighbourhood.iter().any(|(id, one)| *id == self.id && *one == self.advertisement);
        let order_is_right = ascending(neighbourhood.iter().map(|(id, _)| *id));
        if !(size_is_right && last_is_right && own_is_right && order_is_right) {
            return Err(Misbehaviour::BadNeighbourhood);
        }
        if !matches!(self.config.graph, Graph::Regular { .. }) {
            let roster = neighbourhood.iter().map(|(id, advertisement)| (*id, advertisement));
            if session_id(&self.config, &self.config_id, roster) != *session {
                return Err(Misbehaviour::SessionNotDerived);
            }
        }
        let advertisements = || neighbourhood.iter().map(|(_, advertisement)| advertisement);
        let keys = advertisements().flat_map(|one| [&one.keys.encryption, &one.keys.mask]);
        let again = first_repeated(keys, 2 * neighbourhood.len()).map(|place| place / 2);
        let identities = advertisements().filter_map(|one| one.proof.as_ref()).map(|proof| &proof.identity);
        let known = first_repeated(identities, neighbourhood.len());
        let signed = self.config.suite.authority().map_or(0, |_| neighbourhood.len());
        let mut identities = Vec::with_capacity(signed);
        let mut decoded = Vec::with_capacity(neighbourhood.len().min(DECODED));
        for (at, (id, advertisement)) in neighbourhood.iter().enumerate() {
            if again == Some(at) {
                return Err(Misbehaviour::DuplicateKey);
            }
            if known == Some(at) {
                return Err(Misbehaviour::DuplicateIdentity);
            }
            let Sound { mask_key, identity } = Sound::of(advertisement)?;
            identities.extend(identity.map(|identity| (*id, identity)));
            if decoded.len() < DECODED && *id != self.id {
                decoded.push((*id, mask_key));
            }
        }
        let members = neighbourhood.iter().zip(&identities);
        let members = members.map(|((id, advertisement), (_, identity))| (*id, advertisement, identity));
        counts.verifications += check_signatures(&self.config, &self.config_id, members)?;
        Ok(Checked { identities, decoded })
    }

    /// Who is to hold shares, ascending: the ones that were drawn, or all neighbours.
    fn holders(&self, session: &[u8; 32], neighbourhood: &[(ClientId, Advertisement)]) -> Vec<ClientId> {
        let members: Vec<ClientId> = neighbourhood.iter().map(|(id, _)| *id).collect();
        match &self.secrets.draw {
            Some(draw) => drawn::holders(&self.config, session, self.id, draw, &members),
            None => members.into_iter().filter(|id| *id != self.id).collect(),
        }
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
    pub(crate) config_id: [u8; 32],
    pub(crate) id: [u8; 32],
    pub(crate) roster: BTreeMap<ClientId, Member>,
    pub(crate) graph: Neighbourhoods,
}

impl Session {
    /// The signatures that a certificate needs; in the pinned suite more than a secret needs holders.
    pub(crate) fn quorum(&self) -> u32 {
        self.config.quorum(self.roster.len())
    }

    /// A signature as one of a client's identity over a statement.
    pub(crate) fn signed_by<'a>(
        &'a self,
        id: ClientId,
        statement: [u8; 32],
        signature: &'a [u8; SIGNATURE_LEN],
    ) -> Option<Signed<'a>> {
        let by = self.roster.get(&id)?.identity.as_ref()?;
        Some(Signed { by, statement, signature })
    }

    /// Refuses to go on if the sum would be of fewer inputs than the configuration asks for, or could not be certified.
    pub(crate) fn check_minimum(
        &self,
        round: Round,
        answered: usize,
        missing: impl FnOnce() -> Vec<ClientId>,
    ) -> Result<(), Abort> {
        let pinned = if self.config.suite.is_pinned() { self.quorum() } else { 0 };
        self.check_count(round, answered, self.config.minimum_survivors.max(pinned), missing)
    }

    /// Refuses to go on with fewer answers than `least`.
    pub(crate) fn check_count(
        &self,
        round: Round,
        answered: usize,
        least: u32,
        missing: impl FnOnce() -> Vec<ClientId>,
    ) -> Result<(), Abort> {
        match least.saturating_sub(answered as u32) {
            0 => Ok(()),
            more => Err(Abort::TooFew { round, missing: missing(), more, about: None }),
        }
    }

    /// Takes the holders that an owner has drawn into the graph, if it has committed to this draw (`[4.3-4]`).
    fn disclose(&mut self, owner: ClientId, draw: &[u8; 32]) -> Result<(), Misbehaviour> {
        let scope = (self.config.suite, &self.config_id);
        let advertised = self.roster.get(&owner).map(|member| &member.advertisement);
        if !advertised.is_some_and(|advertisement| advertisement.commits_to(scope, owner, draw)) {
            return Err(Misbehaviour::WrongDraw);
        }
        self.graph.disclose((self.config.suite, &self.id), owner, draw);
        Ok(())
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

/// Bundles by holder, each with its owner.
pub(crate) type Mail = BTreeMap<ClientId, Vec<(ClientId, [u8; BUNDLE_LEN])>>;

/// The server while shares come in.
pub(crate) struct Server {
    pub(crate) session: Session,
    /// The bundles that have come, which the answers are without: by holder, as they go out again.
    mail: Mail,
    pub(crate) roll: Roll<Dealt>,
}

impl Server {
    pub(crate) fn open(
        (config, config_id): (Config, [u8; 32]),
        id: [u8; 32],
        roster: BTreeMap<ClientId, Member>,
        graph: Neighbourhoods,
    ) -> (Self, Requests) {
        let advertised = |id: ClientId| roster.get(&id).map(|member| (id, member.advertisement.clone()));
        let requests = roster
            .keys()
            .map(|&to| {
                let mut members: Vec<ClientId> = graph.shown(to).chain([to]).collect();
                members.sort_unstable();
                let neighbourhood = members.into_iter().filter_map(advertised).collect();
                (to, encode_request(config.suite, neighbourhood, &id))
            })
            .collect();
        let roll = Roll::new(roster.keys().copied());
        let session = Session { config, config_id, id, roster, graph };
        (Self { session, mail: Mail::new(), roll }, requests)
    }

    pub(crate) fn receive(&mut self, from: ClientId, response: &[u8]) -> Result<(), Misbehaviour> {
        let Self { session, mail, roll } = self;
        roll.receive(from, || {
            let mut dealt = Dealt::decode(session.config.suite, response, &session.id)?;
            if dealt.bundles.len() != session.graph.degree(from) {
                return Err(Misbehaviour::WrongBundleCount);
            }
            if let Some(draw) = &dealt.draw {
                session.disclose(from, draw)?;
            }
            for (holder, bundle) in session.graph.holders_of(from).zip(std::mem::take(&mut dealt.bundles)) {
                mail.entry(holder).or_default().push((from, bundle));
            }
            Ok(dealt)
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
        Ok(masked_input_collection::Server::open(self.session, self.roll.into_answers(), self.mail))
    }
}
