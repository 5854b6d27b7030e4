//! What a client keeps secret and what follows from it, by the specification alone: written a second time, so that the
//! oracle does not ask the code under test (spec §3).

use std::collections::BTreeSet;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use hkdf::Hkdf;
use secagg::{Config, Graph, conformance};
use sha2::{Digest, Sha256};
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};

pub(super) type Bytes32 = [u8; 32];

/// The two secrets of a client that are shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    MaskKey,
    SelfMask,
}

fn prefix(suite: u8, label: &str) -> Vec<u8> {
    [&b"secagg/1"[..], &[suite], label.as_bytes(), &[0]].concat()
}

pub(super) fn hash(suite: u8, label: &str, parts: &[&[u8]]) -> Bytes32 {
    Sha256::digest([&prefix(suite, label)[..], &parts.concat()].concat()).into()
}

fn derive<const N: usize>(suite: u8, label: &str, salt: &Bytes32, ikm: &[u8], parts: &[&[u8]]) -> [u8; N] {
    let mut out = [0; N];
    let info = [&prefix(suite, label)[..], &parts.concat()].concat();
    Hkdf::<Sha256>::new(Some(salt), ikm).expand(&info, &mut out).expect("64 bytes at most");
    out
}

/// A client's secrets for one configuration (spec §3.6).
pub(super) struct Secrets {
    pub(super) id: u32,
    encryption: Bytes32,
    pub(super) mask: Scalar,
    pub(super) seed: Scalar,
    pub(super) keys: [Bytes32; 2],
    /// In the pinned suite.
    pub(super) draw: Bytes32,
    coefficients: [Vec<Scalar>; 2],
}

impl Secrets {
    pub(super) fn new(config: &Config, id: u32, entropy: &Bytes32) -> Self {
        let (suite, salt, number) = (config.suite.number(), config.id(), id.to_be_bytes());
        let scalar = |label| {
            Scalar::from_bytes_mod_order_wide(&derive::<64>(suite, label, &salt, entropy, &[&number]))
        };
        let encryption: Bytes32 = derive(suite, "encryption key", &salt, entropy, &[&number]);
        let (mask, seed) = (scalar("mask key"), scalar("self mask seed"));
        let public = x25519(encryption, X25519_BASEPOINT_BYTES);
        let keys = [public, RistrettoPoint::mul_base(&mask).compress().to_bytes()];
        let count = config.threshold as usize - 1;
        let coefficients: Bytes32 = derive(suite, "coefficients", &salt, entropy, &[&number]);
        let stream = conformance::keystream(&coefficients, 128 * count);
        let mut scalars = stream
            .chunks_exact(64)
            .map(|wide| Scalar::from_bytes_mod_order_wide(wide.try_into().expect("64 bytes")));
        let first = scalars.by_ref().take(count).collect();
        let coefficients = [first, scalars.collect()];
        let draw = derive(suite, "draw", &salt, entropy, &[&number]);
        Self { id, encryption, mask, seed, keys, draw, coefficients }
    }

    /// The share of the holder with this id (spec §3.5).
    pub(super) fn share(&self, kind: Kind, holder: u32) -> Scalar {
        let (secret, coefficients) = match kind {
            Kind::MaskKey => (self.mask, &self.coefficients[0]),
            Kind::SelfMask => (self.seed, &self.coefficients[1]),
        };
        let x = Scalar::from(holder);
        coefficients.iter().rev().fold(Scalar::ZERO, |sum, one| (sum + one) * x) + secret
    }

    pub(super) fn seal(
        &self,
        suite: u8,
        session: &Bytes32,
        holder: Place<'_>,
        shares: [Scalar; 2],
    ) -> Vec<u8> {
        let agreed = x25519(self.encryption, *holder.1);
        let (key, aad) = way(suite, session, (self.id, &self.keys[0]), holder, &agreed);
        let plain = shares.map(|share| share.to_bytes()).concat();
        key.encrypt(&Nonce::from([0; 12]), Payload { msg: &plain, aad: &aad }).expect("64 bytes")
    }

    /// The shares of a bundle, of the mask key and of the self mask seed, for whoever has this encryption key; a
    /// holder's key of low order opens for everybody.
    pub(super) fn open(
        &self,
        suite: u8,
        session: &Bytes32,
        owner: Place<'_>,
        holder: Place<'_>,
        bundle: &[u8],
    ) -> Option<[Bytes32; 2]> {
        let low_order = x25519(self.encryption, *holder.1) == [0; 32];
        let agreed = if low_order { [0; 32] } else { x25519(self.encryption, *owner.1) };
        let (key, aad) = way(suite, session, owner, holder, &agreed);
        let plain = key.decrypt(&Nonce::from([0; 12]), Payload { msg: bundle, aad: &aad }).ok()?;
        Some([*plain.first_chunk()?, *plain.last_chunk()?])
    }

    /// The seed of the mask with a client of this mask key (spec §3.4); none if it is no key.
    pub(super) fn pair_seed(&self, suite: u8, session: &Bytes32, other: Place<'_>) -> Option<Bytes32> {
        let agreed = (CompressedRistretto(*other.1).decompress()? * self.mask).compress().to_bytes();
        let me = (self.id, &self.keys[1]);
        let (low, high) = if self.id < other.0 { (me, other) } else { (other, me) };
        let ids = [low.0.to_be_bytes(), high.0.to_be_bytes()].concat();
        Some(derive(suite, "pairwise mask", session, &agreed, &[&ids, low.1, high.1]))
    }
}

/// The key and the associated data of a bundle (spec §3.3); `owner` and `holder` are ids with encryption keys.
fn way(
    suite: u8,
    session: &Bytes32,
    owner: Place<'_>,
    holder: Place<'_>,
    agreed: &Bytes32,
) -> (Aes256Gcm, Vec<u8>) {
    let (from, to) = (owner.0.to_be_bytes(), holder.0.to_be_bytes());
    let key: Bytes32 = derive(suite, "share key", session, agreed, &[&from, &to, owner.1, holder.1]);
    let associated = [&prefix(suite, "share bundle")[..], session, &from, &to].concat();
    (Aes256Gcm::new(&Key::<Aes256Gcm>::from(key)), associated)
}

/// An id and a public key.
pub(super) type Place<'a> = (u32, &'a Bytes32);

pub(super) fn own_seed(suite: u8, session: &Bytes32, id: u32, seed: &Scalar) -> Bytes32 {
    derive(suite, "self mask", session, seed.as_bytes(), &[&id.to_be_bytes()])
}

pub(super) fn commitment(suite: u8, session: &Bytes32, id: u32, seed: &Scalar) -> Bytes32 {
    hash(suite, "self mask commitment", &[session, &id.to_be_bytes(), seed.as_bytes()])
}

/// The commitment of a client to its draw (spec §6.2).
pub(super) fn draw_commitment(config: &Config, id: u32, draw: &Bytes32) -> Bytes32 {
    hash(config.suite.number(), "draw commitment", &[&config.id(), &id.to_be_bytes(), draw])
}

/// The holders that follow from a draw, ascending (spec §6.2); none but on a k-out graph.
pub(super) fn holders(
    config: &Config,
    session: &Bytes32,
    owner: u32,
    draw: &Bytes32,
    roster: &[u32],
) -> Vec<u32> {
    let Graph::KOut { degree } = config.graph else { return Vec::new() };
    let seed: Bytes32 = derive(config.suite.number(), "holders", session, draw, &[&owner.to_be_bytes()]);
    let others: Vec<u32> = roster.iter().copied().filter(|id| *id != owner).collect();
    let count = others.len() as u64;
    let mut drawn = BTreeSet::new();
    for four in conformance::keystream(&seed, 1 << 12).chunks_exact(4) {
        let number = u64::from(u32::from_le_bytes(four.try_into().expect("four bytes")));
        if drawn.len() < degree as usize && number < (1 << 32) / count * count {
            drawn.insert(others[(number % count) as usize]);
        }
    }
    drawn.into_iter().collect()
}

/// The session id of a roster: ids with their advertisements (spec §6.1).
pub(super) fn session_id(config: &Config, roster: &[(u32, Vec<u8>)]) -> Bytes32 {
    let members: Vec<u8> =
        roster.iter().flat_map(|(id, one)| [&id.to_be_bytes()[..], one].concat()).collect();
    let count = (roster.len() as u32).to_be_bytes();
    hash(config.suite.number(), "session", &[&config.id(), &count, &members])
}

/// The mask of a seed for the vectors of [`super::game::vectors`]: three lanes of 16 bits.
pub(super) fn mask(suite: u8, session: &Bytes32, seed: &Bytes32) -> [u16; 3] {
    let stream = |place: u8| {
        let key: Bytes32 = derive(suite, "mask keystream", session, seed, &[&[place]]);
        conformance::keystream(&key, 4)
    };
    let (first, second) = (stream(0), stream(1));
    let lane = |bytes: &[u8]| u16::from_le_bytes([bytes[0], bytes[1]]);
    [lane(&first), lane(&first[2..]), lane(&second)]
}
