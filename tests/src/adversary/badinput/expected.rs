//! What has to come of a message, and the checks that both parties share: by the specification, and not by the code
//! under test.

use std::collections::BTreeSet;
use std::fmt;

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use secagg::{Config, Suite};
use sha2::{Digest, Sha512};

use super::super::secrets::{Bytes32, hash};
use super::super::twin::{proof_at, sound_key};
use super::super::wire::{self, HEADER};

/// The rules in the order of their codes, from 1 (spec §12.3).
pub(super) const RULES: [&str; 49] = [
    "3.2-1", "3.2-2", "4.1-1", "4.1-2", "4.1-3", "4.1-4", "4.1-5", "4.2-1", "4.2-2", "4.2-3", "4.3-1",
    "4.3-2", "4.3-3", "4.4-1", "4.4-2", "4.4-3", "4.4-4", "4.4-5", "4.6-1", "4.6-2", "4.6-3", "4.6-4",
    "4.6-5", "4.6-6", "4.6-7", "4.6-8", "4.6-9", "4.6-10", "9.1-1", "3.7-1", "3.7-2", "4.2-4", "4.2-5",
    "4.5-1", "4.5-2", "4.5-3", "4.5-4", "4.5-5", "4.6-11", "4.6-12", "4.3-4", "4.4-6", "4.4-7", "4.4-8",
    "4.4-9", "4.5-6", "4.6-13", "4.6-14", "4.6-15",
];

/// The rules under which a message may be refused, or `ok` if it has to be taken. There are several where a message
/// breaks several and the specification gives no order.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Expected(BTreeSet<&'static str>);

impl Expected {
    pub(super) fn ok() -> Self {
        Self::only("ok")
    }

    pub(super) fn only(rule: &'static str) -> Self {
        Self(BTreeSet::from([rule]))
    }

    /// All of these; that the message is taken if there are none.
    pub(super) fn any(rules: BTreeSet<&'static str>) -> Self {
        if rules.is_empty() { Self::ok() } else { Self(rules) }
    }

    pub(super) fn is_ok(&self) -> bool {
        self.allows("ok")
    }

    pub(super) fn allows(&self, outcome: &str) -> bool {
        self.0.contains(outcome)
    }

    /// Whether a client that sends this keeps its place (spec §5).
    pub(super) fn spares_the_sender(&self) -> bool {
        self.0.iter().all(|rule| ["4.1-2", "4.1-3", "4.1-4", "4.1-5"].contains(rule))
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules: Vec<&str> = self.0.iter().copied().collect();
        f.write_str(&rules.join(" or "))
    }
}

/// The end of a check: the rule that is broken.
pub(super) type Check = Result<(), &'static str>;

pub(super) fn must(holds: bool, rule: &'static str) -> Check {
    if holds { Ok(()) } else { Err(rule) }
}

impl From<Check> for Expected {
    fn from(check: Check) -> Self {
        check.map_or_else(Self::only, |()| Self::ok())
    }
}

/// The header: its length, its type, and, unless the body says it, its session (spec §4.1).
pub(super) fn header(message: &[u8], awaited: u8, session: Option<&Bytes32>) -> Check {
    must(message.len() >= HEADER && (1..=10).contains(&message[0]), "4.1-1")?;
    must(message[0] == awaited, "4.1-2")?;
    must(session.is_none_or(|session| message[1..HEADER] == *session), "4.1-3")
}

/// The encryption key and the mask key of an advertisement.
pub(super) fn keys(advertisement: &[u8]) -> [Bytes32; 2] {
    [wire::key(advertisement, 0), wire::key(advertisement, 1)]
}

pub(super) fn sound_encryption_key(advertisement: &[u8]) -> bool {
    sound_key(&wire::key(advertisement, 0))
}

pub(super) fn sound_mask_key(advertisement: &[u8]) -> bool {
    let key = wire::key(advertisement, 1);
    key != [0; 32] && CompressedRistretto(key).decompress().is_some()
}

/// What an identity is: a point in its one encoding, and not of small order.
pub(super) fn identity(key: &Bytes32) -> Option<EdwardsPoint> {
    point(key).filter(|point| !point.is_small_order())
}

fn point(bytes: &Bytes32) -> Option<EdwardsPoint> {
    let point = CompressedEdwardsY(*bytes).decompress()?;
    (point.compress().to_bytes() == *bytes).then_some(point)
}

/// The signature check of §3.7, by the equation with the cofactor.
pub(super) fn signed(by: &Bytes32, statement: &Bytes32, signature: &[u8]) -> bool {
    let verdict = || {
        let (r, s) = (signature.first_chunk()?, signature.last_chunk()?);
        let (public, r_point) = (identity(by)?, point(r)?);
        let s: Scalar = Option::from(Scalar::from_canonical_bytes(*s))?;
        let digest = Sha512::new().chain_update(r).chain_update(by).chain_update(statement).finalize();
        let k = Scalar::from_bytes_mod_order_wide(&digest.into());
        let left = EdwardsPoint::mul_base(&s) - r_point - public * k;
        Some(left.mul_by_cofactor().is_identity())
    };
    verdict().unwrap_or(false)
}

/// The identity in an advertisement of a signed suite.
pub(super) fn named(advertisement: &[u8]) -> Bytes32 {
    wire::key(&advertisement[proof_at(advertisement)..], 0)
}

pub(super) fn certified(authority: &Bytes32, advertisement: &[u8]) -> bool {
    let proof = &advertisement[proof_at(advertisement)..];
    signed(authority, &hash(0, "certificate", &[&proof[..32]]), &proof[32..96])
}

/// Whether an advertisement in a session of this configuration is signed by its identity, for the client with this id.
pub(super) fn keys_signed(config: &Config, id: u32, advertisement: &[u8]) -> bool {
    let (what, proof) = advertisement.split_at(proof_at(advertisement));
    let parts: [&[u8]; 3] = [&config.id(), &id.to_be_bytes(), what];
    signed(&named(advertisement), &hash(config.suite.number(), "advertisement", &parts), &proof[96..])
}

/// The signatures that make a certificate, in a roster of so many clients (spec §4.5, §6.3).
pub(super) fn quorum(config: &Config, roster: usize) -> usize {
    match config.suite {
        Suite::Pinned { corrupt, .. } => (roster + corrupt as usize) / 2 + 1,
        _ => config.threshold as usize,
    }
}

/// Whether numbers are strictly ascending.
pub(super) fn ascending(ids: &[u32]) -> bool {
    ids.windows(2).all(|pair| pair[0] < pair[1])
}
