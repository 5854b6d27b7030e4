//! AdvertiseKeys: the server proposes the session, each client answers with fresh public keys (spec §4.2).

use std::collections::{BTreeMap, BTreeSet};

use curve25519_dalek::scalar::Scalar;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Round, roll::Roll, share_keys};
use crate::crypto::agree::{EncryptionKey, MaskPublicKey, check_encryption_key, mask_public_key};
use crate::crypto::prg::{Bytes, Keystream};
use crate::crypto::{derive, hash};
use crate::graph::Neighbourhoods;
use crate::input::noise_seeds;
use crate::wire::{Body, HEADER_LEN, MessageType, Reader, Writer};
use crate::{Abort, ClientId, Config, Counts, Graph, Misbehaviour, Misuse, Policy, Requests};

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

/// `AdvertiseKeysResponse`: the two public keys of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PublicKeys {
    pub(crate) encryption: [u8; 32],
    pub(crate) mask: [u8; 32],
}

impl PublicKeys {
    pub(crate) const LEN: usize = 64;
    pub(crate) const MESSAGE_LEN: usize = HEADER_LEN + Self::LEN;

    pub(crate) fn encode(&self, out: &mut Writer) {
        out.bytes(&self.encryption);
        out.bytes(&self.mask);
    }

    pub(crate) fn decode(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        Ok(Self { encryption: input.array()?, mask: input.array()? })
    }
}

impl Body for PublicKeys {
    const TYPE: MessageType = MessageType::AdvertiseKeysResponse;

    fn encode_body(&self, out: &mut Writer) {
        self.encode(out);
    }

    fn decode_body(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        Self::decode(input)
    }

    fn message_len(&self) -> usize {
        Self::MESSAGE_LEN
    }
}

/// The rule that a configuration breaks.
pub(crate) fn broken(misuse: &Misuse) -> Misbehaviour {
    match misuse {
        Misuse::VectorNoise { .. } => Misbehaviour::BadNoise,
        _ => Misbehaviour::BadConfig,
    }
}

/// Notes the keys in `seen`; an error if one of them was there already (`[4.2-3]`).
pub(crate) fn note_keys(seen: &mut BTreeSet<[u8; 32]>, keys: &PublicKeys) -> Result<(), Misbehaviour> {
    let fresh =
        keys.encryption != keys.mask && !seen.contains(&keys.encryption) && !seen.contains(&keys.mask);
    if !fresh {
        return Err(Misbehaviour::DuplicateKey);
    }
    seen.extend([keys.encryption, keys.mask]);
    Ok(())
}

/// The session id: a hash of the configuration and of the keys of the roster (spec §6.1).
pub(crate) fn session_id<'a>(
    config: &Config,
    config_id: &[u8; 32],
    roster: impl ExactSizeIterator<Item = (ClientId, &'a PublicKeys)>,
) -> [u8; 32] {
    let mut out = Writer(Vec::with_capacity(36 + roster.len() * (4 + PublicKeys::LEN)));
    out.bytes(config_id);
    out.len32(roster.len());
    for (id, keys) in roster {
        out.id(id);
        keys.encode(&mut out);
    }
    hash(config.suite, "session", &[&out.0])
}

/// The secrets of a client for one session, all derived from its entropy (spec §3.6).
pub(crate) struct Secrets {
    pub(crate) encryption_key: EncryptionKey,
    pub(crate) mask_key: Zeroizing<Scalar>,
    pub(crate) self_mask: Zeroizing<Scalar>,
    coefficients: Zeroizing<[u8; 32]>,
    pub(crate) noise_seeds: Vec<Option<Zeroizing<[u8; 32]>>>,
}

impl Secrets {
    fn new(entropy: &[u8; 32], config: &Config, config_id: &[u8; 32], id: ClientId) -> Self {
        let suite = config.suite;
        let noise_seeds = noise_seeds(entropy, config, config_id, id);
        let id = id.get().to_be_bytes();
        let scalar = |label| {
            let wide = derive::<64>(suite, label, config_id, entropy, &[&id]);
            Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide))
        };
        Self {
            encryption_key: EncryptionKey::new(&derive(suite, "encryption key", config_id, entropy, &[&id])),
            mask_key: scalar("mask key"),
            self_mask: scalar("self mask seed"),
            coefficients: derive(suite, "coefficients", config_id, entropy, &[&id]),
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

/// A client that has not seen a configuration.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Client {
    pub(crate) entropy: [u8; 32],
    #[zeroize(skip)]
    pub(crate) policy: Policy,
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
        self.policy.check(&config).map_err(Abort::Refused)?;
        let secrets = Secrets::new(&self.entropy, &config, &config_id, id);
        let keys = PublicKeys {
            encryption: secrets.encryption_key.public,
            mask: mask_public_key(&secrets.mask_key),
        };
        counts.public_keys += 2;
        Ok((Body::encode(&keys, &config_id), share_keys::Client { config, config_id, id, secrets, keys }))
    }
}

/// A client as the server knows it: its advertised keys.
pub(crate) struct Member {
    pub(crate) keys: PublicKeys,
    pub(crate) mask_key: MaskPublicKey,
}

/// The server while keys come in.
pub(crate) struct Server {
    config: Config,
    config_id: [u8; 32],
    seen: BTreeSet<[u8; 32]>,
    pub(crate) roll: Roll<Member>,
}

impl Server {
    pub(crate) const RESPONSE_LEN: usize = PublicKeys::MESSAGE_LEN;

    pub(crate) fn open(config: Config) -> (Self, Requests) {
        let config_id = config.id();
        let ids = || ClientId::first(config.clients);
        let requests =
            ids().map(|id| (id, Request { id, config: config.clone() }.encode(&config_id))).collect();
        let roll = Roll::new(ids());
        (Self { config, config_id, seen: BTreeSet::new(), roll }, requests)
    }

    pub(crate) fn receive(
        &mut self,
        from: ClientId,
        response: &[u8],
        counts: &mut Counts,
    ) -> Result<(), Misbehaviour> {
        let (config_id, seen) = (&self.config_id, &mut self.seen);
        self.roll.receive(from, || {
            let keys = <PublicKeys as Body>::decode(response, config_id)?;
            counts.encryption_agreements += 1;
            check_encryption_key(&keys.encryption)?;
            let mask_key = MaskPublicKey::decode(&keys.mask)?;
            note_keys(seen, &keys)?;
            Ok(Member { keys, mask_key })
        })
    }

    /// How many clients the next round needs.
    pub(crate) fn needed(&self) -> u32 {
        let of_the_graph = match self.config.graph {
            Graph::Complete => self.config.threshold,
            Graph::Regular { degree } => degree + 1,
        };
        of_the_graph.max(self.config.minimum_survivors)
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
        let keys = roster.iter().map(|(&id, member)| (id, &member.keys));
        let session = session_id(&self.config, &self.config_id, keys);
        let graph = Neighbourhoods::new(&self.config, &session, roster.keys().copied().collect());
        Ok(share_keys::Server::open(self.config, session, roster, graph))
    }
}
