//! What a client advertises: its keys, in a signed suite who vouches for them, and in the pinned suite the commitment
//! to its draw (spec §4.2).

use std::collections::BTreeSet;

use crate::crypto::agree::MaskPublicKey;
use crate::crypto::hash;
use crate::crypto::sign::{SIGNATURE_LEN, Signed, VerifyingKey, all_valid};
use crate::wire::{Reader, Writer};
use crate::{ClientId, Config, Credentials, Misbehaviour, Suite, credentials};

/// The two public keys of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PublicKeys {
    pub(crate) encryption: [u8; 32],
    pub(crate) mask: [u8; 32],
}

impl PublicKeys {
    pub(crate) const LEN: usize = 64;

    pub(crate) fn encode(&self, out: &mut Writer) {
        out.bytes(&self.encryption);
        out.bytes(&self.mask);
    }

    pub(crate) fn decode(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        Ok(Self { encryption: input.array()?, mask: input.array()? })
    }
}

/// `Advertisement`: the keys, with a proof in a signed suite and without one in the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Advertisement {
    pub(crate) keys: PublicKeys,
    /// In the pinned suite.
    pub(crate) draw_commitment: Option<[u8; 32]>,
    /// Boxed: most rosters have none, and its room would be more than twice that of the keys.
    pub(crate) proof: Option<Box<Proof>>,
}

/// Who advertises: an identity, its certificate, and its signature over the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    pub(crate) identity: [u8; 32],
    pub(crate) certificate: [u8; SIGNATURE_LEN],
    pub(crate) signature: [u8; SIGNATURE_LEN],
}

impl Advertisement {
    /// Bytes in the suite of this number.
    pub(crate) const fn len(suite: u8) -> usize {
        let proof = if suite > 1 { 32 + 2 * SIGNATURE_LEN } else { 0 };
        PublicKeys::LEN + proof + if suite == 3 { 32 } else { 0 }
    }

    /// The advertisement of client `id`, signed by whom the credentials name if there are any.
    pub(crate) fn new(
        config: &Config,
        config_id: &[u8; 32],
        id: ClientId,
        keys: PublicKeys,
        draw: Option<&[u8; 32]>,
        credentials: Option<&Credentials>,
    ) -> Self {
        let draw_commitment = draw.map(|draw| commit_to_draw(config.suite, config_id, id, draw));
        let statement = || statement(config.suite, config_id, id, &keys, draw_commitment.as_ref());
        let proof = credentials.map(|credentials| {
            Box::new(Proof {
                identity: credentials.identity,
                certificate: credentials.certificate,
                signature: credentials.key.sign(&statement()),
            })
        });
        Self { keys, draw_commitment, proof }
    }

    pub(crate) fn encode(&self, out: &mut Writer) {
        self.keys.encode(out);
        if let Some(commitment) = &self.draw_commitment {
            out.bytes(commitment);
        }
        if let Some(proof) = &self.proof {
            out.bytes(&proof.identity);
            out.bytes(&proof.certificate);
            out.bytes(&proof.signature);
        }
    }

    /// Reads an advertisement of the suite of this number.
    pub(crate) fn decode(input: &mut Reader<'_>, suite: u8) -> Result<Self, Misbehaviour> {
        let keys = PublicKeys::decode(input)?;
        let draw_commitment = (suite == 3).then(|| input.array()).transpose()?;
        let proof = |input: &mut Reader<'_>| {
            Ok(Proof { identity: input.array()?, certificate: input.array()?, signature: input.array()? })
        };
        let proof = (suite > 1).then(|| proof(input).map(Box::new)).transpose()?;
        Ok(Self { keys, draw_commitment, proof })
    }

    /// Whether this is the draw that its client, `id`, has committed to.
    pub(crate) fn commits_to(
        &self,
        (suite, config_id): (Suite, &[u8; 32]),
        id: ClientId,
        draw: &[u8; 32],
    ) -> bool {
        self.draw_commitment == Some(commit_to_draw(suite, config_id, id, draw))
    }
}

/// What a client signs to advertise its keys: for this configuration, hence nonce and task, and for this place; in the
/// pinned suite with the commitment to its draw.
pub(crate) fn statement(
    suite: Suite,
    config_id: &[u8; 32],
    id: ClientId,
    keys: &PublicKeys,
    draw_commitment: Option<&[u8; 32]>,
) -> [u8; 32] {
    let commitment: &[u8] = draw_commitment.map_or(&[], |commitment| commitment);
    let id = id.get().to_be_bytes();
    hash(suite, "advertisement", &[config_id, &id, &keys.encryption, &keys.mask, commitment])
}

/// The commitment to a draw (spec §6.2).
pub(crate) fn commit_to_draw(suite: Suite, config_id: &[u8; 32], id: ClientId, draw: &[u8; 32]) -> [u8; 32] {
    hash(suite, "draw commitment", &[config_id, &id.get().to_be_bytes(), draw])
}

/// The keys and identities of a session so far: none may come twice.
#[derive(Default)]
pub(crate) struct Seen {
    keys: BTreeSet<[u8; 32]>,
    identities: BTreeSet<[u8; 32]>,
}

impl Seen {
    /// Notes an advertisement; an error if something of it was there already (`[4.2-3]`, `[4.2-5]`).
    pub(crate) fn note(&mut self, advertisement: &Advertisement) -> Result<(), Misbehaviour> {
        let PublicKeys { encryption, mask } = advertisement.keys;
        let known = |key| self.keys.contains(key);
        if encryption == mask || known(&encryption) || known(&mask) {
            return Err(Misbehaviour::DuplicateKey);
        }
        if advertisement.proof.as_ref().is_some_and(|proof| !self.identities.insert(proof.identity)) {
            return Err(Misbehaviour::DuplicateIdentity);
        }
        self.keys.extend([encryption, mask]);
        Ok(())
    }
}

/// The place of the first key that was there before.
pub(crate) fn first_repeated<'a>(keys: impl Iterator<Item = &'a [u8; 32]>, count: usize) -> Option<usize> {
    let mut places: Vec<(&[u8; 32], usize)> = Vec::with_capacity(count);
    places.extend(keys.zip(0..));
    places.sort_unstable();
    let pairs = places.iter().zip(places.iter().skip(1));
    pairs.filter(|(one, next)| one.0 == next.0).map(|(_, next)| next.1).min()
}

/// An advertisement whose points are sound: the mask key, and the identity in a signed suite.
pub(crate) struct Sound {
    pub(crate) mask_key: MaskPublicKey,
    pub(crate) identity: Option<VerifyingKey>,
}

impl Sound {
    /// Checks `[3.2-2]` and `[3.7-1]`.
    pub(crate) fn of(advertisement: &Advertisement) -> Result<Self, Misbehaviour> {
        let mask_key = MaskPublicKey::decode(&advertisement.keys.mask)?;
        let identity = match &advertisement.proof {
            None => None,
            Some(proof) => Some(VerifyingKey::decode(&proof.identity).ok_or(Misbehaviour::BadIdentity)?),
        };
        Ok(Self { mask_key, identity })
    }
}

/// Checks the certificates of advertisements and then their signatures (`[3.7-2]`, `[4.2-4]`); returns how many
/// signatures that were. There are none in an unsigned suite.
pub(crate) fn check_signatures<'a>(
    config: &Config,
    config_id: &[u8; 32],
    members: impl ExactSizeIterator<Item = (ClientId, &'a Advertisement, &'a VerifyingKey)> + Clone,
) -> Result<u64, Misbehaviour> {
    let Some(authority) = config.suite.authority() else { return Ok(0) };
    let authority = VerifyingKey::decode(&authority).ok_or(Misbehaviour::BadConfig)?;
    let count = 2 * members.len() as u64;
    let certificates = members.clone().map(|(_, advertisement, _)| {
        let proof = advertisement.proof.as_ref()?;
        let statement = credentials::statement(&proof.identity);
        Some(Signed { by: &authority, statement, signature: &proof.certificate })
    });
    if !all_valid(certificates) {
        return Err(Misbehaviour::BadCertificate);
    }
    let signatures = members.map(|(id, advertisement, by)| {
        let Advertisement { keys, draw_commitment, proof } = advertisement;
        let statement = statement(config.suite, config_id, id, keys, draw_commitment.as_ref());
        Some(Signed { by, statement, signature: &proof.as_ref()?.signature })
    });
    if all_valid(signatures) { Ok(count) } else { Err(Misbehaviour::BadKeySignature) }
}
