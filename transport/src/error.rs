//! What can go wrong on either end, said so that the local user knows what to do.

use std::net::SocketAddr;

use secagg::{Abort, Misuse, Refusal};

use crate::identity::{IdentityError, Pin};
use crate::record::RecordError;
use crate::status::Status;
use crate::tls::TlsSetup;

/// An error of a server or a client. Its text is one line for the local user; a peer is told a
/// [`Status`] byte and nothing else.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The UDP socket could not be opened.
    #[error(
        "cannot use the address {address}: {source}; choose another address or stop the program that uses it"
    )]
    Bind {
        /// The local address.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The server has no identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsSetup),
    /// No server answered.
    #[error(
        "no answer from {server} within {seconds} s; check the address, that the server runs, and that UDP passes"
    )]
    Unreachable {
        /// The server's address.
        server: SocketAddr,
        /// How long the client waited.
        seconds: u64,
    },
    /// The server is not the one that was asked for.
    #[error(
        "the server at {server} has the pin {shown}, not {expected}; ask its operator for the right pin, or you are being deceived"
    )]
    WrongPin {
        /// The server's address.
        server: SocketAddr,
        /// The pin of the certificate it showed.
        shown: Pin,
        /// The pin the client was given.
        expected: Pin,
    },
    /// The server speaks something else.
    #[error(
        "the server at {server} does not speak secagg/1; check the address and the versions of both ends"
    )]
    WrongProtocol {
        /// The server's address.
        server: SocketAddr,
    },
    /// The connection could not be made or was lost.
    #[error("the connection to {server} was lost: {why}; join again")]
    Lost {
        /// The server's address.
        server: SocketAddr,
        /// What QUIC said.
        why: String,
    },
    /// The server ended this client's part in the session.
    #[error("the server ended the session: {0}")]
    Refused(Status),
    /// The server sent something that this binding does not allow.
    #[error("the server sent a malformed frame ({0}); check that both ends run the same version")]
    Malformed(String),
    /// The server announced more than this client accepts.
    #[error("the server announces {length} bytes, this client accepts {limit}; raise its limit or leave")]
    TooLong {
        /// Bytes announced.
        length: u64,
        /// The client's limit in bytes.
        limit: u64,
    },
    /// The announced task is not the one the session is about.
    #[error("the server's task does not match the digest in its session; nothing was sent to it")]
    WrongTask,
    /// The name cannot be used.
    #[error("a name has 1 to 64 bytes of printable text")]
    BadName,
    /// The protocol ended the session.
    #[error("the session was aborted: {0}")]
    Abort(Abort),
    /// The session was set up wrongly.
    #[error("the session cannot be run: {0}")]
    Misuse(Misuse),
    /// Too few clients came.
    #[error(
        "{joined} clients joined before the deadline, {minimum} are needed; start more clients or allow more time"
    )]
    TooFewJoined {
        /// Clients waiting at the deadline.
        joined: usize,
        /// Clients needed.
        minimum: usize,
    },
    /// The caller's input could not be had.
    #[error("no input for the session: {0}")]
    Input(Box<dyn std::error::Error + Send + Sync>),
    /// The caller's observer told the client to leave.
    #[error("the client left the session")]
    Left,
    /// What the client remembers cannot be read or added to.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness: {0}")]
    Entropy(#[from] getrandom::Error),
    /// A worker thread panicked: a bug in this program.
    #[error("a worker stopped unexpectedly ({0}); please report this with the log")]
    Worker(String),
}

impl Error {
    /// Returns what a client that leaves with this error tells the server (spec §10.4).
    pub(crate) fn parting(&self) -> Status {
        match self {
            Error::Abort(abort) => Status::from(abort),
            Error::Misuse(misuse) => Status::from(&Abort::Misuse(misuse.clone())),
            Error::WrongTask => Status::from(&Abort::Refused(Refusal::WrongTask)),
            Error::Malformed(_) => Status::Malformed,
            Error::TooLong { .. } => Status::TooLong,
            _ => Status::Left,
        }
    }
}

impl From<Abort> for Error {
    fn from(abort: Abort) -> Self {
        Error::Abort(abort)
    }
}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Error::Misuse(misuse)
    }
}
