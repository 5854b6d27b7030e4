//! AdvertiseKeys: the server proposes the session, each client answers with fresh public keys (spec §4.2).

use std::collections::BTreeMap;

use curve25519_dalek::scalar::Scalar;
use zeroize::Zeroizing;

use super::advertisement::{Advertisement, PublicKeys, Seen, Sound, check_signatures};
use super::{Round, roll::Roll, share_keys};
use crate::crypto::agree::{EncryptionKey, MaskPublicKey, check_encryption_key, mask_public_key};
use crate::crypto::prg::{Bytes, Keystream};
use crate::crypto::sign::VerifyingKey;
use crate::crypto::{Kept, derive, hash};
use crate::graph::{Circle, Neighbourhoods};
use crate::input::noise_seeds;
use crate::wire::{Body, HEADER_LEN, MessageType, Reader, Writer};
use crate::{
    Abort, ClientId, Config, Counts, Credentials, Misbehaviour, Misuse, Policy, Refusal, Requests, Suite,
};

/// `AdvertiseKeysRequest`.
pub(crate) struct Request {
    pub(crate) id: ClientId,
    pub(crate) config: Config,
}

impl Body for Request {
    const TYPE: MessageType = MessageType::AdvertiseKeysRequest;

    fn encode_body(&self, out: &mut Writer) {
        out.id(self.id);
        self.config.encode(out);
    }

    fn decode_body(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        Ok(Self { id: input.id()?, config: Config::decode(input)? })
    }

    fn message_len(&self) -> usize {
        Self::len(&self.config)
    }
}

impl Request {
    pub(crate) fn len(config: &Config) -> usize {
        HEADER_LEN + 4 + config.encoded_len()
    }
}

/// `AdvertiseKeysResponse`: what a client advertises in the suite of this number.
pub(crate) struct Response<const SUITE: u8>(pub(crate) Advertisement);

impl<const SUITE: u8> Body for Response<SUITE> {
    const TYPE: MessageType = MessageType::AdvertiseKeysResponse;

    fn encode_body(&self, out: &mut Writer) {
        self.0.encode(out);
    }

    fn decode_body(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        Advertisement::decode(input, SUITE).map(Self)
    }

    fn message_len(&self) -> usize {
        HEADER_LEN + Advertisement::len(SUITE)
    }
}

/// The rule that a configuration breaks.
pub(crate) fn broken(misuse: &Misuse) -> Misbehaviour {
    match misuse {
        Misuse::VectorNoise { .. } => Misbehaviour::BadNoise,
        _ => Misbehaviour::BadConfig,
    }
}

/// Bytes of `AdvertiseKeysResponse`.
pub(crate) fn response_len(suite: Suite) -> usize {
    HEADER_LEN + Advertisement::len(suite.number())
}

fn encode_response(suite: Suite, advertisement: Advertisement, config_id: &[u8; 32]) -> Vec<u8> {
    match suite {
        Suite::Curious => Response::<1>(advertisement).encode(config_id),
        Suite::Active { .. } => Response::<2>(advertisement).encode(config_id),
        Suite::Pinned { .. } => Response::<3>(advertisement).encode(config_id),
    }
}

fn decode_response(
    suite: Suite,
    message: &[u8],
    config_id: &[u8; 32],
) -> Result<Advertisement, Misbehaviour> {
    match suite {
        Suite::Curious => Response::<1>::decode(message, config_id).map(|response| response.0),
        Suite::Active { .. } => Response::<2>::decode(message, config_id).map(|response| response.0),
        Suite::Pinned { .. } => Response::<3>::decode(message, config_id).map(|response| response.0),
    }
}

/// The session id: a hash of the configuration and of what the roster advertised (spec §6.1).
pub(crate) fn session_id<'a>(
    config: &Config,
    config_id: &[u8; 32],
    roster: impl ExactSizeIterator<Item = (ClientId, &'a Advertisement)>,
) -> [u8; 32] {
    let member_len = 4 + Advertisement::len(config.suite.number());
    let mut out = Writer(Vec::with_capacity(36 + roster.len() * member_len));
    out.bytes(config_id);
    out.len32(roster.len());
    for (id, advertisement) in roster {
        out.id(id);
        advertisement.encode(&mut out);
    }
    hash(config.suite, "session", &[&out.0])
}

/// The secrets of a client for one session, all derived from its entropy (spec §3.6).
pub(crate) struct Secrets {
    pub(crate) encryption_key: Box<EncryptionKey>,
    pub(crate) mask_key: Kept<Scalar>,
    pub(crate) self_mask: Kept<Scalar>,
    coefficients: Kept<[u8; 32]>,
    /// In the pinned suite; secret until it is disclosed.
    pub(crate) draw: Option<Kept<[u8; 32]>>,
    pub(crate) noise_seeds: Vec<Option<Zeroizing<[u8; 32]>>>,
}

impl Secrets {
    pub(crate) fn new(entropy: &[u8; 32], config: &Config, config_id: &[u8; 32], id: ClientId) -> Self {
        let suite = config.suite;
        let noise_seeds = noise_seeds(entropy, config, config_id, id);
        let client = id;
        let id = id.get().to_be_bytes();
        let scalar = |label| {
            let wide = derive::<64>(suite, label, config_id, entropy, &[&id]);
            Box::new(Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide)))
        };
        Self {
            encryption_key: Box::new(EncryptionKey::new(&derive(
                suite,
                "encryption key",
                config_id,
                entropy,
                &[&id],
            ))),
            mask_key: scalar("mask key"),
            self_mask: scalar("self mask seed"),
            coefficients: Box::new(derive(suite, "coefficients", config_id, entropy, &[&id])),
            draw: suite.is_pinned().then(|| Box::new(draw(suite, entropy, config_id, client))),
            noise_seeds,
        }
    }

    /// The random coefficients of the two sharing polynomials: first the mask key's, then the self mask's.
    pub(crate) fn coefficients(&self, threshold: u32) -> [Zeroizing<Vec<Scalar>>; 2] {
        let keystream = Keystream::new(&self.coefficients);
        let mut bytes = Bytes::new(&keystream);
        [(); 2].map(|()| Zeroizing::new((1..threshold).map(|_| bytes.scalar()).collect()))
    }
}

/// From what a client's holders follow in the pinned suite (spec §3.6).
pub(crate) fn draw(
    suite: Suite,
    entropy: &[u8; 32],
    config_id: &[u8; 32],
    id: ClientId,
) -> Zeroizing<[u8; 32]> {
    derive(suite, "draw", config_id, entropy, &[&id.get().to_be_bytes()])
}

/// A client that has not seen a configuration.
pub(crate) struct Client {
    pub(crate) entropy: Kept<[u8; 32]>,
    pub(crate) policy: Policy,
    pub(crate) credentials: Option<Credentials>,
}

impl Client {
    pub(crate) fn answer(
        self,
        request: &[u8],
        counts: &mut Counts,
    ) -> Result<(Vec<u8>, share_keys::Client), Abort> {
        let (named, Request { id, config }) = Request::decode_any_session(request).map_err(Abort::Server)?;
        config.check().map_err(|misuse| Abort::Server(broken(&misuse)))?;
        let config_id = config.id();
        if named != config_id {
            return Err(Abort::Server(Misbehaviour::WrongSession));
        }
        if id.get() > config.clients {
            return Err(Abort::Server(Misbehaviour::BadId));
        }
        self.check_trust(config.suite).and_then(|()| self.policy.check(&config)).map_err(Abort::Refused)?;
        let secrets = Secrets::new(&self.entropy, &config, &config_id, id);
        let keys = PublicKeys {
            encryption: secrets.encryption_key.public,
            mask: mask_public_key(&secrets.mask_key),
        };
        let credentials = self.credentials;
        let draw = secrets.draw.as_ref().map(|draw| &***draw);
        let advertisement = Advertisement::new(&config, &config_id, id, keys, draw, credentials.as_ref());
        counts.public_keys += 2;
        counts.signatures += u64::from(credentials.is_some());
        let response = encode_response(config.suite, advertisement.clone(), &config_id);
        let policy = self.policy;
        let next = share_keys::Client { config, config_id, id, secrets, advertisement, credentials, policy };
        Ok((response, next))
    }

    /// A client signs if it can, for its own authority only: the server cannot talk it into a lesser suite.
    fn check_trust(&self, suite: Suite) -> Result<(), Refusal> {
        match (suite.authority(), &self.credentials) {
            (None, None) => Ok(()),
            (Some(authority), Some(credentials)) if credentials.authority == authority => Ok(()),
            (Some(_), Some(_)) => Err(Refusal::WrongAuthority),
            (_, credentials) => {
                Err(Refusal::WrongSuite { suite: suite.name(), signs: credentials.is_some() })
            }
        }
    }
}

/// A client as the server knows it: what it advertised.
pub(crate) struct Member {
    pub(crate) advertisement: Advertisement,
    pub(crate) mask_key: MaskPublicKey,
    /// In a signed suite.
    pub(crate) identity: Option<VerifyingKey>,
}

/// The server while keys come in.
pub(crate) struct Server {
    config: Config,
    config_id: [u8; 32],
    circle: Circle,
    seen: Seen,
    pub(crate) roll: Roll<Member>,
}

impl Server {
    pub(crate) fn open(config: Config, circle: Circle) -> (Self, Requests) {
        let config_id = config.id();
        let ids = || ClientId::first(config.clients);
        let requests =
            ids().map(|id| (id, Request { id, config: config.clone() }.encode(&config_id))).collect();
        let roll = Roll::new(ids());
        (Self { config, config_id, circle, seen: Seen::default(), roll }, requests)
    }

    pub(crate) fn receive(
        &mut self,
        from: ClientId,
        response: &[u8],
        counts: &mut Counts,
    ) -> Result<(), Misbehaviour> {
        let Self { config, config_id, seen, roll, .. } = self;
        roll.receive(from, || {
            let advertisement = decode_response(config.suite, response, config_id)?;
            check_encryption_key(&advertisement.keys.encryption)?;
            let Sound { mask_key, identity } = Sound::of(&advertisement)?;
            let signed = identity.iter().map(|identity| (from, &advertisement, identity));
            counts.verifications += check_signatures(config, config_id, signed)?;
            seen.note(&advertisement)?;
            Ok(Member { advertisement, mask_key, identity })
        })
    }

    /// How many clients the next round needs.
    pub(crate) fn needed(&self) -> u32 {
        self.config.smallest_roster().max(self.config.minimum_survivors)
    }

    /// Whether closing now would leave enough clients for the graph and the sum.
    pub(crate) fn check(&self) -> Result<(), Abort> {
        match self.needed().saturating_sub(self.roll.answers().len() as u32) {
            0 => Ok(()),
            more => {
                let (round, missing) = (Round::AdvertiseKeys, self.roll.missing());
                Err(Abort::TooFew { round, missing, more, about: None })
            }
        }
    }

    pub(crate) fn close(self) -> Result<(share_keys::Server, Requests), Abort> {
        self.check()?;
        let roster: BTreeMap<ClientId, Member> = self.roll.into_answers();
        let members = roster.iter().map(|(&id, member)| (id, &member.advertisement));
        let session = session_id(&self.config, &self.config_id, members);
        let graph =
            Neighbourhoods::new(&self.config, &session, roster.keys().copied().collect(), self.circle);
        Ok(share_keys::Server::open((self.config, self.config_id), session, roster, graph))
    }
}
