//! Errors, by who is at fault (spec §5).

use std::fmt;

use crate::parameters::{QuestionError, Reason};
use crate::privacy::NoiseLaw;
use crate::{ClientId, Round};

/// A rule of the protocol that a message, or what it carries, breaks.
///
/// Each variant stands for one MUST of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Misbehaviour {
    /// An X25519 key that is not canonical or of low order.
    BadEncryptionKey,
    /// A mask key that is no canonical ristretto255 encoding, or the identity.
    BadMaskKey,
    /// Truncated, over-long, or not in the one canonical encoding.
    Malformed,
    /// A message of another round than the open one, or of the other direction.
    WrongRound,
    /// A message that names another session.
    WrongSession,
    /// A second message of one client in one round.
    Duplicate,
    /// A message of a client that is not, or no longer, part of the session.
    UnknownClient,
    /// A configuration that no session may have.
    BadConfig,
    /// An id above n.
    BadId,
    /// A key that another client, or the same client in another place, has advertised.
    DuplicateKey,
    /// A neighbourhood of the wrong size or order, with unknown ids, or without the client's own keys.
    BadNeighbourhood,
    /// A session id that does not follow from the configuration and the roster.
    SessionNotDerived,
    /// Not exactly one share bundle for each neighbour.
    WrongBundleCount,
    /// Share bundles of clients that are no neighbours, or not in ascending order.
    BadSharers,
    /// Fewer than the threshold of share holders are left in the neighbourhood.
    TooFewSharers,
    /// A share bundle that does not open, or holds no canonical shares.
    BadBundle,
    /// A masked input of another length than the configuration gives.
    WrongVectorLength,
    /// Bits that are not zero behind the last coordinate of a packed vector.
    NonZeroPadding,
    /// A survivor set of the wrong length or with bits behind its end.
    BadSurvivorSet,
    /// The client that is asked is itself named dropped.
    SelfDropped,
    /// Fewer survivors than the threshold.
    TooFewSurvivors,
    /// A list of unopened bundles with ids that were not asked for or not in ascending order.
    BadUnopenedList,
    /// Not exactly one share for each that was asked for.
    WrongShareCount,
    /// A share that is not a canonical scalar.
    NonCanonicalShare,
    /// A share that does not lie on the polynomial that the other shares and the commitment fix.
    WrongShare,
    /// Shares that agree with each other but not with what their owner committed to.
    WrongCommitment,
    /// A sum of fewer inputs than the configuration allows.
    BelowMinimumSurvivors,
    /// A number of survivors that cannot be, next to the survivors that the client sees.
    WrongSurvivorCount,
    /// Noise that no vector may have.
    BadNoise,
    /// An identity that is no canonical Ed25519 key, or of small order.
    BadIdentity,
    /// An identity that the session's authority has not certified.
    BadCertificate,
    /// Advertised keys that their identity has not signed for this place in this session.
    BadKeySignature,
    /// One identity in two places of a session.
    DuplicateIdentity,
    /// A survivor set that is not one bit for each client of the roster.
    BadSurvivorBits,
    /// A survivor that is none of the clients whose bundles the client has seen.
    SurvivorNotSharer,
    /// The client that is to sign is itself not among the survivors.
    SelfNotSurvivor,
    /// A survivor set from which no quorum of signatures can come, or of fewer than the configuration allows.
    NoQuorum,
    /// A signature that is not the sender's, or over another survivor set.
    BadSurvivorSignature,
    /// Signatures of too few, of others than survivors, or not in ascending order.
    BadCertifiers,
    /// A signature over another survivor set than the one this client signed, or none at all.
    SurvivorSetMismatch,
    /// A draw that its client has not committed to.
    WrongDraw,
    /// A set of sharers that is not one bit for each client of the roster.
    BadSharerBits,
    /// The client that is asked for its input is itself not among the sharers.
    SelfNotSharer,
    /// A bundle of an owner that, by its draw, has not drawn the client.
    NotAHolder,
    /// A signature that is not the sender's, or over another set of sharers.
    BadSharerSignature,
    /// Fewer than the threshold of holders of a survivor's secrets survive.
    TooFewHolders,
    /// Not exactly one signature for each survivor whose shares the client holds.
    WrongInputSignatures,
    /// A survivor has signed other sharers than this client, or none at all.
    SharersMismatch,
    /// Not exactly one seed for each vector with superfluous noise.
    WrongSeedCount,
}

impl Misbehaviour {
    /// Every variant, in the order of their codes.
    pub const ALL: &'static [Self] = &[
        Self::BadEncryptionKey,
        Self::BadMaskKey,
        Self::Malformed,
        Self::WrongRound,
        Self::WrongSession,
        Self::Duplicate,
        Self::UnknownClient,
        Self::BadConfig,
        Self::BadId,
        Self::DuplicateKey,
        Self::BadNeighbourhood,
        Self::SessionNotDerived,
        Self::WrongBundleCount,
        Self::BadSharers,
        Self::TooFewSharers,
        Self::BadBundle,
        Self::WrongVectorLength,
        Self::NonZeroPadding,
        Self::BadSurvivorSet,
        Self::SelfDropped,
        Self::TooFewSurvivors,
        Self::BadUnopenedList,
        Self::WrongShareCount,
        Self::NonCanonicalShare,
        Self::WrongShare,
        Self::WrongCommitment,
        Self::BelowMinimumSurvivors,
        Self::WrongSurvivorCount,
        Self::BadNoise,
        Self::BadIdentity,
        Self::BadCertificate,
        Self::BadKeySignature,
        Self::DuplicateIdentity,
        Self::BadSurvivorBits,
        Self::SurvivorNotSharer,
        Self::SelfNotSurvivor,
        Self::NoQuorum,
        Self::BadSurvivorSignature,
        Self::BadCertifiers,
        Self::SurvivorSetMismatch,
        Self::WrongDraw,
        Self::BadSharerBits,
        Self::SelfNotSharer,
        Self::NotAHolder,
        Self::BadSharerSignature,
        Self::TooFewHolders,
        Self::WrongInputSignatures,
        Self::SharersMismatch,
        Self::WrongSeedCount,
    ];

    /// The id of the MUST in the specification, such as `4.3-2`.
    pub fn id(self) -> &'static str {
        self.row().0
    }

    /// The code that the peer is told, 1 to 127 (spec §12.3).
    pub fn code(self) -> u8 {
        Self::ALL.iter().position(|&one| one == self).map_or(0, |at| at as u8 + 1)
    }

    fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::BadEncryptionKey => ("3.2-1", "the encryption key is not canonical or of low order"),
            Self::BadMaskKey => ("3.2-2", "the mask key is not a canonical, non-identity group element"),
            Self::Malformed => ("4.1-1", "the message is not in the canonical encoding"),
            Self::WrongRound => ("4.1-2", "the message belongs to another round or direction"),
            Self::WrongSession => ("4.1-3", "the message belongs to another session"),
            Self::Duplicate => ("4.1-4", "the client has already answered this round"),
            Self::UnknownClient => ("4.1-5", "the client is not, or no longer, part of the session"),
            Self::BadConfig => ("4.2-1", "the configuration breaks the rules for configurations"),
            Self::BadId => ("4.2-2", "the id is above the number of clients"),
            Self::DuplicateKey => ("4.2-3", "the key is already in use in this session"),
            Self::BadNeighbourhood => ("4.3-1", "the neighbourhood is not one that the graph allows"),
            Self::SessionNotDerived => ("4.3-2", "the session id does not follow from the roster"),
            Self::WrongBundleCount => ("4.3-3", "there is not exactly one share bundle per neighbour"),
            Self::BadSharers => ("4.4-1", "the share bundles are not of neighbours in ascending order"),
            Self::TooFewSharers => ("4.4-2", "fewer share holders than the threshold are left"),
            Self::BadBundle => ("4.4-3", "the share bundle does not open or holds no canonical shares"),
            Self::WrongVectorLength => ("4.4-4", "the masked input is not of the configured length"),
            Self::NonZeroPadding => ("4.4-5", "the bits behind the last coordinate are not zero"),
            Self::BadSurvivorSet => ("4.6-1", "the survivor set is not one bit per neighbour that shared"),
            Self::SelfDropped => ("4.6-2", "the asked client is itself named dropped"),
            Self::TooFewSurvivors => ("4.6-3", "the survivor set is smaller than the threshold"),
            Self::BadUnopenedList => ("4.6-4", "the unopened bundles are not among those asked for"),
            Self::WrongShareCount => ("4.6-5", "there is not exactly one share for each asked for"),
            Self::NonCanonicalShare => ("4.6-6", "the share is not a canonical scalar"),
            Self::WrongShare => ("4.6-7", "the share contradicts the other shares of the same secret"),
            Self::WrongCommitment => ("4.6-8", "the shares contradict what their owner committed to"),
            Self::BelowMinimumSurvivors => {
                ("4.6-9", "the sum is of fewer inputs than the configuration allows")
            }
            Self::WrongSurvivorCount => ("4.6-10", "the number of survivors contradicts the survivor set"),
            Self::BadNoise => ("9.1-1", "the parameters of the noise break the rules for them"),
            Self::BadIdentity => {
                ("3.7-1", "the identity is not a canonical Ed25519 key, or is of small order")
            }
            Self::BadCertificate => ("3.7-2", "the session's authority has not certified the identity"),
            Self::BadKeySignature => ("4.2-4", "the advertised keys are not signed by their identity"),
            Self::DuplicateIdentity => ("4.2-5", "the identity is already in use in this session"),
            Self::BadSurvivorBits => ("4.5-1", "the survivor set is not one bit per client of the roster"),
            Self::SurvivorNotSharer => ("4.5-2", "a survivor is named that did not share"),
            Self::SelfNotSurvivor => ("4.5-3", "the client that is asked to sign is not named a survivor"),
            Self::NoQuorum => {
                ("4.5-4", "the survivors are fewer than a quorum, or than the configuration allows")
            }
            Self::BadSurvivorSignature => {
                ("4.5-5", "the signature is not the sender's over the survivor set")
            }
            Self::BadCertifiers => {
                ("4.6-11", "the signatures are not of a quorum of survivors in ascending order")
            }
            Self::SurvivorSetMismatch => {
                ("4.6-12", "a signature is not over the survivor set that this client signed")
            }
            Self::WrongDraw => ("4.3-4", "the draw is not the one that its client has committed to"),
            Self::BadSharerBits => ("4.4-6", "the sharers are not one bit per client of the roster"),
            Self::SelfNotSharer => ("4.4-7", "the client that is asked is itself not named a sharer"),
            Self::NotAHolder => ("4.4-8", "the owner of a share bundle has not drawn this client"),
            Self::BadSharerSignature => ("4.4-9", "the signature is not the sender's over the sharers"),
            Self::TooFewHolders => ("4.5-6", "fewer holders of a survivor than the threshold survive"),
            Self::WrongInputSignatures => {
                ("4.6-13", "there is not exactly one signature per survivor whose shares are held")
            }
            Self::SharersMismatch => {
                ("4.6-14", "a survivor has not signed the sharers that this client signed")
            }
            Self::WrongSeedCount => {
                ("4.6-15", "there is not exactly one seed for each vector with superfluous noise")
            }
        }
    }
}

impl fmt::Display for Misbehaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, text) = self.row();
        write!(f, "{text} [{id}]")
    }
}

/// One client broke a rule; the session goes on without what it sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("{culprit}: {what}")]
pub struct Fault {
    /// Who sent what breaks the rule.
    ///
    /// For [`Misbehaviour::BadBundle`] this is the owner of the bundle as its holder reports it, and for
    /// [`Misbehaviour::WrongShare`] the holder of the share. A lying holder and a lying owner cannot be told apart,
    /// in the active suite neither, because shares and bundles bear no signature: [`Fault::about`] names the other
    /// one of the two. All other faults are about bytes of the culprit's own connection.
    pub culprit: ClientId,
    /// The rule.
    pub what: Misbehaviour,
    /// The other client that the fault speaks of, where there is one.
    pub about: Option<ClientId>,
}

/// The session is over for whoever returns this; nothing was released.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Abort {
    /// Too few clients answered a round.
    #[error("{}", too_few(.round, .more, .about, .missing))]
    TooFew {
        /// The round that was closed.
        round: Round,
        /// The clients that were asked and gave no valid answer, ascending.
        missing: Vec<ClientId>,
        /// How many more answers were needed.
        more: u32,
        /// The client whose secret has too few shares left; `None` if the whole session has too few clients.
        about: Option<ClientId>,
    },
    /// A secret could not be reconstructed from the shares that came.
    #[error(
        "the secret of {owner} cannot be reconstructed: {what}; \
         run the session again without the suspects {suspects:?}"
    )]
    Unrecoverable {
        /// Whose secret it is.
        owner: ClientId,
        /// What is wrong: [`Misbehaviour::WrongCommitment`] if the shares agree with each other, and otherwise
        /// [`Misbehaviour::WrongShare`].
        what: Misbehaviour,
        /// Who may have lied: the owner alone if the shares agree, or else it and all holders, ascending.
        suspects: Vec<ClientId>,
    },
    /// The server broke a rule (returned by clients).
    #[error("the server's message was refused: {0}")]
    Server(Misbehaviour),
    /// The client's policy does not allow the session.
    #[error("the session was refused: {0}")]
    Refused(Refusal),
    /// The caller made a mistake.
    #[error(transparent)]
    Misuse(#[from] Misuse),
    /// The session had already ended.
    #[error("the session is over: start a new one")]
    Over,
}

impl Abort {
    /// The code that the peer is told (spec §12.3); it gives away nothing but the kind.
    pub fn code(&self) -> u8 {
        match self {
            Self::Server(what) => what.code(),
            Self::TooFew { .. } => 128,
            Self::Unrecoverable { .. } => 129,
            Self::Refused(_) => 130,
            Self::Misuse(_) => 131,
            Self::Over => 132,
        }
    }
}

fn too_few(round: &Round, more: &u32, about: &Option<ClientId>, missing: &[ClientId]) -> String {
    let whose = about.map_or(String::new(), |owner| format!(" from holders of the shares of {owner}"));
    let shown: Vec<String> = missing.iter().take(20).map(|id| id.get().to_string()).collect();
    let rest = match missing.len().saturating_sub(20) {
        0 => String::new(),
        left => format!(" and {left} others"),
    };
    let who = match missing {
        [] => "all that were asked have answered".to_owned(),
        [_] => format!("no answer from client {}", shown.join(", ")),
        _ => format!("no answer from clients {}{rest}", shown.join(", ")),
    };
    let were = if *more == 1 { "answer was" } else { "answers were" };
    format!("{round}: {more} more {were} needed{whose}; {who}")
}

fn signing(signs: &bool) -> &'static str {
    if *signs {
        "this client has credentials and takes part in signed suites only"
    } else {
        "this client has no credentials to sign with"
    }
}

fn its_graph(suite: &str) -> &'static str {
    match suite {
        "active" => "needs the complete graph",
        "pinned" => "needs a k-out graph",
        _ => "needs the complete graph or a regular one",
    }
}

fn safe_instead(safe: &Option<(u32, u32)>) -> String {
    match safe {
        Some((least, greatest)) => format!("propose {least} to {greatest}"),
        None => "no threshold is safe on this graph: propose more neighbours or more clients".to_owned(),
    }
}

/// Why a client's policy does not allow a session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The cohort is smaller than the client accepts.
    #[error("{clients} clients, but the policy asks for at least {minimum}")]
    TooFewClients {
        /// Clients in the proposal.
        clients: u32,
        /// Clients that the policy asks for.
        minimum: u32,
    },
    /// The threshold is lower than the client accepts.
    #[error("a threshold of {threshold}, but the policy asks for at least {minimum}")]
    ThresholdTooLow {
        /// Threshold in the proposal.
        threshold: u32,
        /// Threshold that the policy asks for.
        minimum: u32,
    },
    /// The cohort is greater than the client works for.
    #[error("{clients} clients, but the policy allows at most {maximum}")]
    TooManyClients {
        /// Clients in the proposal.
        clients: u32,
        /// Clients that the policy allows.
        maximum: u32,
    },
    /// More neighbours than the client works for.
    #[error(
        "{neighbours} neighbours to share with, but the policy allows at most {maximum}: propose a lower degree"
    )]
    TooManyNeighbours {
        /// Neighbours in the proposal.
        neighbours: u32,
        /// Neighbours that the policy allows.
        maximum: u32,
    },
    /// The threshold is higher than the client works for.
    #[error("a threshold of {threshold}, but the policy allows at most {maximum}")]
    ThresholdTooHigh {
        /// Threshold in the proposal.
        threshold: u32,
        /// Threshold that the policy allows.
        maximum: u32,
    },
    /// Longer vectors, all together, than the client has room for.
    #[error(
        "vectors of {coordinates} coordinates together, but the policy allows at most {maximum}: raise it if there is \
         memory for them"
    )]
    TooManyCoordinates {
        /// Coordinates in the proposal.
        coordinates: u64,
        /// Coordinates that the policy allows.
        maximum: u64,
    },
    /// More levels of noise than the client computes what they give away for.
    #[error(
        "{levels} levels of noise: a policy about privacy is for {maximum} at most, in all vectors together"
    )]
    TooManyLevels {
        /// Levels in the proposal.
        levels: usize,
        /// The greatest number.
        maximum: usize,
    },
    /// The planner does not accept the proposal under the client's assumptions.
    #[error(
        "with {corrupt} corrupt clients and {dropped} that drop out, as the policy assumes, a threshold of {threshold} \
         is not safe ({reason}); {}", safe_instead(.safe)
    )]
    Unsafe {
        /// The planner's first reason.
        reason: Reason,
        /// Threshold in the proposal.
        threshold: u32,
        /// Corrupt clients that the policy assumes of so many.
        corrupt: u32,
        /// Clients that drop out, as the policy assumes.
        dropped: u32,
        /// The least and the greatest safe threshold on this graph; `None` if there is none.
        safe: Option<(u32, u32)>,
    },
    /// The planner cannot be asked with the policy's numbers.
    #[error("the policy's assumptions cannot be judged: {0}; correct the policy")]
    NotJudged(QuestionError),
    /// A sum may have fewer honest inputs than the client accepts.
    #[error(
        "sums of as few as {honest} honest inputs, {corrupt} corrupt ones not counted, but the policy asks for at \
         least {minimum}: propose a minimum of survivors of {}", u64::from(*minimum) + u64::from(*corrupt)
    )]
    TooFewHonest {
        /// Honest inputs in the smallest sum of the proposal.
        honest: u32,
        /// Corrupt clients that the policy assumes.
        corrupt: u32,
        /// Honest inputs that the policy asks for.
        minimum: u32,
    },
    /// A vector that the policy does not name.
    #[error("vector {0:?} is none of those that the policy allows")]
    VectorNotAllowed(String),
    /// A vector is longer, wider or of greater values than the client accepts.
    #[error("vector {vector:?} has {proposed} {what}, but the policy allows at most {maximum}")]
    VectorTooGreat {
        /// The vector.
        vector: String,
        /// What is too great.
        what: &'static str,
        /// The number in the proposal.
        proposed: u64,
        /// The number that the policy allows.
        maximum: u64,
    },
    /// A vector without a declared bound where the client insists on one.
    #[error("vector {vector:?} declares no bound, but the policy asks for one of at most {maximum}")]
    VectorUnbounded {
        /// The vector.
        vector: String,
        /// The greatest bound that the policy allows.
        maximum: u64,
    },
    /// The client compares cohorts, and the suite has no identities to compare.
    #[error(
        "the policy compares cohorts, which needs the suite active: in this one clients have no identities"
    )]
    NoIdentities,
    /// So few have to sign that a server could have two sums that are too near to each other signed by different clients.
    #[error(
        "{quorum} signatures of {clients} clients: with {corrupt} corrupt ones, survivor sets that differ by fewer than \
         {minimum_difference} clients are certain to meet one that remembers only from {needed} signatures on; propose \
         a threshold of {needed}{}", if *needed > u64::from(*clients) { ", which takes more clients" } else { "" }
    )]
    CohortsEscape {
        /// Signatures without which there is no sum, in the proposal.
        quorum: u32,
        /// The fewest with which the rule holds.
        needed: u64,
        /// Clients in the proposal.
        clients: u32,
        /// Corrupt clients that the proposal or the policy reckons with.
        corrupt: u32,
        /// The least difference that the policy asks for.
        minimum_difference: u32,
    },
    /// A rule about what the client did before, in a policy that does not say what that was.
    #[error(
        "the policy limits {0}, but it does not say what the client did before: give it the client's record, an empty \
         one for a client that begins"
    )]
    NoRecord(&'static str),
    /// The survivor set differs by too few from one that the client has signed before.
    #[error(
        "the survivors differ by {difference} from those of an earlier session, but the policy asks for none or at \
         least {minimum}: the two sums would show what those {difference} gave; nothing was signed"
    )]
    CohortDifference {
        /// Identities in one of the two sets and not in the other.
        difference: u32,
        /// The fewest that the policy asks for.
        minimum: u32,
    },
    /// The client has taken part in as many sessions as it may.
    #[error(
        "{attempted} sessions of {of} were attempted, and the policy allows {most}: wait, and ask the server's \
         operator why they fail"
    )]
    RetryBudget {
        /// Which sessions.
        of: &'static str,
        /// Sessions so far.
        attempted: u32,
        /// Sessions that the policy allows.
        most: u32,
    },
    /// The sum may be of fewer inputs than the client accepts.
    #[error("sums of as few as {proposed} inputs, but the policy asks for at least {minimum}")]
    MinimumSurvivorsTooLow {
        /// Fewest inputs in the proposal.
        proposed: u32,
        /// Fewest that the policy asks for.
        minimum: u32,
    },
    /// A vector without noise, of which the policy does not say that it may be.
    #[error("vector {0:?} has no noise, but the policy asks for it")]
    NoNoise(String),
    /// Noise of a law that the client does not accept.
    #[error("vector {vector:?} has {law} noise, which the policy does not accept")]
    NoiseLaw {
        /// The vector.
        vector: String,
        /// The law in the proposal.
        law: NoiseLaw,
    },
    /// A norm bound in which hardly any rounding of a clipped vector finds room.
    #[error("the norm bound of vector {0:?} is too small for vectors as long as its clip")]
    NoRoom(String),
    /// A regular graph, on which only the planner can say whether corrupt clients could unmask one input alone.
    #[error(
        "the policy asks for an ε although {corrupt} clients are corrupt, and on a regular graph it holds only if they \
         cannot unmask an input alone: add a safety policy that takes as many for corrupt"
    )]
    PrivacyNotJudged {
        /// The corrupt clients of the privacy policy.
        corrupt: u32,
    },
    /// Less privacy than the client insists on.
    #[error(
        "with {shares} honest shares of noise, those of the minimum of survivors less the corrupt, \
         ε is {epsilon} at δ = {delta}, but the policy asks for at most {greatest}"
    )]
    TooLittlePrivacy {
        /// Shares of noise that are certain to be in the sum and unknown to the server.
        shares: u32,
        /// ε of the proposal, rounded up.
        epsilon: String,
        /// δ of the policy.
        delta: String,
        /// The greatest ε that the policy accepts.
        greatest: String,
    },
    /// The task is another one than the client was told of.
    #[error("the task digest is not the one that the policy names")]
    WrongTask,
    /// The session withstands fewer corrupt clients than the client asks for.
    #[error("the session withstands {corrupt} corrupt clients, but the policy asks for at least {minimum}")]
    CorruptTooLow {
        /// Corrupt clients that the proposal withstands.
        corrupt: u32,
        /// Corrupt clients that the policy asks for.
        minimum: u32,
    },
    /// The suite is not one that the client takes part in: one with credentials signs, one without cannot.
    #[error("the suite is {suite}, but {}", signing(.signs))]
    WrongSuite {
        /// The suite of the proposal.
        suite: &'static str,
        /// Whether the client has credentials.
        signs: bool,
    },
    /// The experimental suite, which a client takes part in only if its policy names the number of roots.
    #[error(
        "the suite pinned is experimental: a policy that allows it says in its safety rules under how many session ids          honest clients may draw (roots)"
    )]
    PinnedNotAllowed,
    /// The authority is another one than the client trusts.
    #[error("the session's authority is not the one that certified this client")]
    WrongAuthority,
}

/// A mistake of the program that calls the library.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// The number of clients is out of range.
    #[error("{0} clients: a session needs 2 to 2^30")]
    Clients(u32),
    /// The threshold is out of range.
    #[error("threshold {threshold}: with this graph it must be 2 to {holders}, the holders of each secret")]
    Threshold {
        /// The threshold asked for.
        threshold: u32,
        /// Holders of each secret.
        holders: u32,
    },
    /// The minimum of survivors is out of range.
    #[error("minimum of survivors {minimum}: it must be 1 to {clients}, the clients of the session")]
    MinimumSurvivors {
        /// The minimum asked for.
        minimum: u32,
        /// Clients of the session.
        clients: u32,
    },
    /// The degree of a regular graph is out of range.
    #[error("degree {degree}: it must be even, and from 2 to {} for {clients} clients", clients.saturating_sub(1))]
    Degree {
        /// The degree asked for.
        degree: u32,
        /// Clients of the session.
        clients: u32,
    },
    /// The number of vectors is out of range.
    #[error("{0} vectors: a session needs 1 to 255")]
    VectorCount(usize),
    /// A vector's name is not usable.
    #[error("vector name {0:?}: it must be unique and of 1 to 255 printable ASCII characters")]
    VectorName(String),
    /// A vector's bit width is out of range.
    #[error("vector {name:?}: {bits} bits, but a coordinate has 1 to 62")]
    VectorBits {
        /// The vector.
        name: String,
        /// The width asked for.
        bits: u8,
    },
    /// A vector's noise is not usable.
    #[error("vector {name:?}: {what}")]
    VectorNoise {
        /// The vector.
        name: String,
        /// What must hold.
        what: &'static str,
    },
    /// A vector is empty.
    #[error("vector {0:?} has no coordinates")]
    VectorEmpty(String),
    /// The sum of a vector could wrap.
    #[error(
        "vector {name:?} could wrap: {clients} clients × bound {bound} = {}, which is not below 2^{bits} = {}; \
         use at least {needed} bits",
        u128::from(*clients) * u128::from(*bound), 1u128 << bits
    )]
    CouldWrap {
        /// The vector.
        name: String,
        /// Clients of the session.
        clients: u32,
        /// The greatest value that the caller declared.
        bound: u64,
        /// The width asked for.
        bits: u8,
        /// The least width that holds the sum.
        needed: u32,
    },
    /// The number of holders that a client is to draw is out of range.
    #[error("degree {degree}: a client draws 2 to {} holders of {clients} clients", clients.saturating_sub(1))]
    Holders {
        /// The degree asked for.
        degree: u32,
        /// Clients of the session.
        clients: u32,
    },
    /// A suite is asked for on a graph that is not its own.
    #[error("the suite {_0:?} {}", its_graph(_0))]
    SuiteGraph(&'static str),
    /// No roster gives a quorum.
    #[error("against {corrupt} corrupt clients there must be at least {}, not {clients}", u64::from(*corrupt) + 2)]
    QuorumOfRoster {
        /// Clients of the session.
        clients: u32,
        /// Corrupt clients to withstand.
        corrupt: u32,
    },
    /// The threshold is no quorum.
    #[error(
        "threshold {threshold}: against {corrupt} corrupt clients of {clients} it must be at least {}, \
         so that any two sets of signers share an honest one",
        (u64::from(*clients) + u64::from(*corrupt)) / 2 + 1
    )]
    Quorum {
        /// The threshold asked for.
        threshold: u32,
        /// Clients of the session.
        clients: u32,
        /// Corrupt clients to withstand.
        corrupt: u32,
    },
    /// The authority's key cannot be used.
    #[error("the authority's key is not a canonical Ed25519 key, or is of small order")]
    Authority,
    /// The identity cannot be certified, or its certificate is not the authority's.
    #[error("the certificate is not one of this identity by this authority: ask the authority for another")]
    Certificate,
    /// The input was not set before it was needed.
    #[error("no input: call set_input before the MaskedInputCollection request is handled")]
    NoInput,
    /// The input does not have the configured vectors.
    #[error("the input's vectors are {found:?}, but the session asks for {expected:?}")]
    InputVectors {
        /// Names in the input.
        found: Vec<String>,
        /// Names in the configuration.
        expected: Vec<String>,
    },
    /// Integers where the session takes real numbers, or the other way round.
    #[error("vector {name:?} takes {expected}")]
    InputKind {
        /// The vector.
        name: String,
        /// What it takes.
        expected: &'static str,
    },
    /// A real vector that cannot be brought into the ring.
    #[error("vector {name:?}: {why}")]
    InputNotEncodable {
        /// The vector.
        name: String,
        /// Why not.
        why: String,
    },
    /// A vector of the input has the wrong length.
    #[error("vector {name:?} has {found} coordinates, but the session asks for {expected}")]
    InputLength {
        /// The vector.
        name: String,
        /// Coordinates in the input.
        found: usize,
        /// Coordinates in the configuration.
        expected: u32,
    },
    /// A coordinate is greater than the vector allows.
    #[error("vector {name:?}, coordinate {at} is above {greatest}")]
    InputValue {
        /// The vector.
        name: String,
        /// Index of the coordinate, from 0.
        at: usize,
        /// The greatest that is allowed: the declared bound, or 2^bits − 1.
        greatest: u64,
    },
}
