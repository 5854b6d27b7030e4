//! The one-byte codes that a server tells a peer.
//!
//! A peer learns what happened to it from one of these bytes and from nothing else: no error text
//! ever leaves the machine it was made on. The same number closes the connection, so that a peer
//! that had no stream open learns it too.
//!
//! Code 0 carries a message, 1 to 191 are the protocol core's (a broken rule, or an abort), 192
//! and above are this binding's.

use std::fmt;

use secagg::{Abort, Fault};

/// First code that belongs to this binding.
const FIRST_OWN: u8 = 192;

/// What a server's frame, or the end of a connection, means.
///
/// On the wire it is the first byte of a server's frame, and the application error code of the
/// QUIC connection close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The frame's body is the next protocol message (0).
    Message,
    /// A code of the protocol core: the rule that this client's message broke, or why the session
    /// was aborted (1 to 191).
    Protocol(u8),
    /// The session is over and its sum was released (192).
    Released,
    /// The stage closed without this client's message; the session goes on without it (193).
    Late,
    /// The frame was malformed or ended before its announced length (194).
    Malformed,
    /// The announced length is above what a valid message can have (195).
    TooLong,
    /// The stage byte is not the stage that is open for this client (196).
    WrongStage,
    /// The join message asks for a version that this server does not speak (197).
    Version,
    /// The join message's name is empty, too long or not printable text (198).
    BadName,
    /// A newer connection has joined under the same name (199).
    Replaced,
    /// The server holds as many clients as it can (200).
    Busy,
    /// The message came more slowly than the server waits for (201).
    TooSlow,
    /// The server is shutting down (202).
    ShuttingDown,
    /// The server could not run the session (203).
    Failed,
    /// The client has left: its own choice, sent by clients only (204).
    Left,
    /// A code that this version does not know.
    Unknown(u8),
}

/// This binding's own codes, in their order from [`FIRST_OWN`].
const OWN: [Status; 13] = [
    Status::Released,
    Status::Late,
    Status::Malformed,
    Status::TooLong,
    Status::WrongStage,
    Status::Version,
    Status::BadName,
    Status::Replaced,
    Status::Busy,
    Status::TooSlow,
    Status::ShuttingDown,
    Status::Failed,
    Status::Left,
];

impl Status {
    /// Returns the code on the wire.
    pub fn code(self) -> u8 {
        match self {
            Status::Message => 0,
            Status::Protocol(code) | Status::Unknown(code) => code,
            own => OWN.iter().position(|one| *one == own).map_or(u8::MAX, |at| FIRST_OWN + at as u8),
        }
    }

    /// Returns the status with this code.
    pub fn from_code(code: u8) -> Status {
        match code {
            0 => Status::Message,
            1..FIRST_OWN => Status::Protocol(code),
            own => OWN.get(usize::from(own - FIRST_OWN)).copied().unwrap_or(Status::Unknown(own)),
        }
    }

    /// Returns the status that closes a connection as QUIC carries it.
    pub(crate) fn close_code(self) -> quinn::VarInt {
        quinn::VarInt::from_u32(u32::from(self.code()))
    }

    /// Returns the status that a QUIC close code stands for.
    pub(crate) fn from_close_code(code: quinn::VarInt) -> Status {
        u8::try_from(code.into_inner()).map_or(Status::Unknown(u8::MAX), Status::from_code)
    }
}

impl From<&Abort> for Status {
    fn from(abort: &Abort) -> Self {
        Status::Protocol(abort.code())
    }
}

impl From<&Fault> for Status {
    fn from(fault: &Fault) -> Self {
        Status::Protocol(fault.what.code())
    }
}

/// Writes one sentence for the local user, with what to do where there is something to do.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = match self {
            Status::Message => "the protocol goes on",
            Status::Protocol(128) => {
                "the session was aborted because too few clients were left, and nothing was released; \
                 join the next session"
            }
            Status::Protocol(code @ 129..) => {
                return write!(f, "the session was aborted and nothing was released (protocol code {code})");
            }
            Status::Protocol(code) => {
                return write!(
                    f,
                    "this client's message was refused (protocol code {code}); check that both ends run the same version"
                );
            }
            Status::Released => "the sum was released",
            Status::Late => "the round closed before this client's message was there; join the next session",
            Status::Malformed => {
                "this client's frame could not be read; check that both ends run the same version"
            }
            Status::TooLong => "this client's message is longer than a valid one can be",
            Status::WrongStage => "this client sent a stage that was not open for it",
            Status::Version => "the server speaks another version; install the server's version",
            Status::BadName => "the server refused the name; use 1 to 64 bytes of printable text",
            Status::Replaced => {
                "another client joined under the same name and took the place; give each client its own name"
            }
            Status::Busy => "the server holds as many clients as it can; try again later",
            Status::TooSlow => "the message came more slowly than the server waits for",
            Status::ShuttingDown => "the server is shutting down; try again later",
            Status::Failed => "the server could not run the session; its log says why",
            Status::Left => "the client left the session",
            Status::Unknown(code) => {
                return write!(f, "the other end sent code {code}, which this version does not know");
            }
        };
        f.write_str(sentence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_its_own_inverse() {
        for code in 0..=u8::MAX {
            assert_eq!(Status::from_code(code).code(), code);
        }
        for own in OWN {
            assert_eq!(Status::from_code(own.code()), own);
        }
    }

    #[test]
    fn a_close_code_above_one_byte_is_unknown() {
        let code = quinn::VarInt::from_u32(300);
        assert_eq!(Status::from_close_code(code), Status::Unknown(u8::MAX));
    }
}
