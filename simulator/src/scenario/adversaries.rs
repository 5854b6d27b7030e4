//! Who attacks: only the protocol's own clients and server can be lied to, so these are for real mode.

use secagg::Round;
use serde::{Deserialize, Serialize};

use super::share;

/// Who attacks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adversaries {
    /// Share of the clients that follow the protocol and tell the server all that they hold.
    pub colluding: f64,
    /// What the server does.
    pub server: ServerConduct,
    /// Clients that lie. A client tells the first lie that its lot falls on.
    pub lies: Vec<Liars>,
}

/// What the server does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerConduct {
    /// It follows the protocol.
    #[default]
    Honest,
    /// It tells every second honest survivor that one of them, the first, has dropped out, to get its other secret.
    Equivocating,
}

/// Clients that tell a lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Liars {
    /// What they do.
    pub lie: Lie,
    /// Share of the clients, each by its own lot.
    pub share: f64,
}

/// What a lying client does; in all else it is honest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lie {
    /// Advertises an encryption key of low order.
    BadEncryptionKey,
    /// Advertises a mask key that is no element of the group.
    BadMaskKey,
    /// Advertises what another client has advertised.
    CopiedKeys,
    /// Advertises with a certificate of no authority (suite active).
    BadCertificate,
    /// Advertises with an identity that is no key (suite active).
    BadIdentity,
    /// Does not sign its keys (suite active).
    BadKeySignature,
    /// Cuts its advertisement short.
    Malformed,
    /// Sends a bundle too few.
    MissingBundle,
    /// Sends its first neighbour a bundle that does not open.
    GarbageBundle,
    /// Commits to another seed than it shares.
    FalseCommitment,
    /// Sends a masked input that is a byte short.
    WrongLength,
    /// Sets bits behind the last coordinate of the last vector.
    Padding,
    /// Sends a masked input twice.
    Duplicate,
    /// Repeats its answer of the round before, then answers.
    Replay,
    /// Answers in another session, then in this one.
    OtherSession,
    /// Changes its masked input after masking: nobody can tell.
    WrongInput,
    /// Does not sign the survivor set (suite active).
    BadConsent,
    /// Gives wrong shares of all secrets.
    WrongShares,
    /// Gives a share that is no canonical scalar.
    NonCanonicalShare,
    /// Gives a share too few.
    MissingShare,
    /// Complains of a bundle that it was not asked about.
    FalseComplaint,
}

impl Lie {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::BadEncryptionKey,
        Self::BadMaskKey,
        Self::CopiedKeys,
        Self::BadCertificate,
        Self::BadIdentity,
        Self::BadKeySignature,
        Self::Malformed,
        Self::MissingBundle,
        Self::GarbageBundle,
        Self::FalseCommitment,
        Self::WrongLength,
        Self::Padding,
        Self::Duplicate,
        Self::Replay,
        Self::OtherSession,
        Self::WrongInput,
        Self::BadConsent,
        Self::WrongShares,
        Self::NonCanonicalShare,
        Self::MissingShare,
        Self::FalseComplaint,
    ];

    /// Its name in scenarios, in quotes.
    fn name(self) -> String {
        toml::Value::try_from(self).map_or_else(|_| format!("{self:?}"), |name| name.to_string())
    }

    /// The round in which it is told.
    pub fn round(self) -> Round {
        match self {
            Self::BadEncryptionKey
            | Self::BadMaskKey
            | Self::CopiedKeys
            | Self::BadCertificate
            | Self::BadIdentity
            | Self::BadKeySignature
            | Self::Malformed => Round::AdvertiseKeys,
            Self::MissingBundle | Self::GarbageBundle | Self::FalseCommitment => Round::ShareKeys,
            Self::WrongLength
            | Self::Padding
            | Self::Duplicate
            | Self::Replay
            | Self::OtherSession
            | Self::WrongInput => Round::MaskedInputCollection,
            Self::BadConsent => Round::ConsistencyCheck,
            Self::WrongShares | Self::NonCanonicalShare | Self::MissingShare | Self::FalseComplaint => {
                Round::Unmasking
            }
        }
    }

    /// Whether the client is put out of the session for it before any masked input is taken.
    pub(crate) fn is_put_out_before_masking(self) -> bool {
        self.round() < Round::MaskedInputCollection && self != Self::FalseCommitment
    }

    /// Whether the answer that it is told in is lost, and the client with it, before shares are asked for.
    pub(crate) fn loses_its_answer(self) -> bool {
        self.is_put_out_before_masking()
            || matches!(self, Self::WrongLength | Self::Padding | Self::BadConsent)
    }

    /// Whether only a suite with signatures has what it is about.
    pub fn is_of_signatures(self) -> bool {
        matches!(self, Self::BadCertificate | Self::BadIdentity | Self::BadKeySignature | Self::BadConsent)
    }
}

impl Adversaries {
    /// `signed` and `padded` say whether clients sign, and whether bits are left behind the last coordinate; `private`
    /// has the share of corrupt clients that the accounts of a private vector reckon with.
    pub(super) fn check(&self, signed: bool, padded: bool, private: Option<f64>) -> Result<(), String> {
        share("adversaries.colluding", self.colluding)?;
        if let Some(corrupt) = private.filter(|corrupt| self.colluding > *corrupt) {
            return Err(format!(
                "adversaries.colluding = {}: with [privacy] it must not be above corrupt = {corrupt}, or ε would count noise \
                 that the server knows",
                self.colluding
            ));
        }
        for liars in &self.lies {
            share("adversaries.lies: share", liars.share)?;
            if liars.lie.is_of_signatures() && !signed {
                return Err(format!("adversaries.lies: {} needs the suite \"active\"", liars.lie.name()));
            }
            if liars.lie == Lie::Padding && !padded {
                return Err("adversaries.lies: the last vector fills its bytes and has no padding".to_owned());
            }
        }
        Ok(())
    }
}
