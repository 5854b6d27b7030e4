//! What a misbehaving client does in place of its honest answer.

use secagg::Config;

use super::identities::{Person, Proof, is_pinned, sign_keys};

/// What a client knows when it is about to answer.
pub(super) struct Scene<'a> {
    pub(super) stage: u8,
    pub(super) id: u32,
    pub(super) request: &'a [u8],
    /// What an honest client would answer now, and what it has answered in the round before.
    pub(super) response: &'a [u8],
    pub(super) previous: &'a [u8],
    pub(super) config: &'a Config,
    /// The identities of all clients, in the order of their ids; nobody in suite 1.
    pub(super) people: &'a [Person],
}

/// How the client departs from the protocol.
pub(super) enum Act {
    /// It answers this, in a good frame, and goes on as if nothing had happened.
    Say(Vec<u8>),
    /// It does so when the others have answered.
    Late(Vec<u8>),
    /// It sends these bytes on a stream each, and waits for what comes of it.
    Streams(Vec<(Vec<u8>, End)>),
    /// It closes the connection.
    Leave,
}

/// How a client ends its side of a stream.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum End {
    Finish,
    Reset,
    /// Not at all.
    Open,
}

/// A departure from the protocol in one stage; nothing if the session does not allow it.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    pub(super) stage: u8,
    pub(super) act: fn(&Scene<'_>) -> Option<Act>,
}

/// Bytes of a message's header: its type and its session.
pub(super) const BODY: usize = 33;

impl Scene<'_> {
    /// The honest response, changed.
    pub(super) fn changed(&self, change: impl FnOnce(&mut Vec<u8>)) -> Option<Act> {
        let mut response = self.response.to_vec();
        change(&mut response);
        Some(Act::Say(response))
    }

    /// The honest response with these bytes at a place of its body.
    pub(super) fn with(&self, place: usize, bytes: &[u8]) -> Option<Act> {
        let place = BODY + place;
        self.changed(|response| response[place..place + bytes.len()].copy_from_slice(bytes))
    }

    /// Where identity, certificate and signature are in an advertisement.
    pub(super) fn proof(&self) -> Proof {
        Proof::of(self.config)
    }

    /// Where the list of bundles is in the body of an answer to ShareKeys: behind the commitment, and in suite 3 the
    /// draw.
    pub(super) fn bundles(&self) -> usize {
        if is_pinned(self.config) { 64 } else { 32 }
    }

    /// Where the packed vectors are in the body of a masked input: in suite 3 behind the signature.
    pub(super) fn packed(&self) -> usize {
        if is_pinned(self.config) { 64 } else { 0 }
    }

    /// The person with this id.
    pub(super) fn person(&self, id: u32) -> Option<&Person> {
        self.people.get(id.checked_sub(1)? as usize)
    }

    /// The honest advertisement, changed, and then signed anew if it is signed at all.
    pub(super) fn advertised(&self, change: impl FnOnce(&mut [u8])) -> Option<Act> {
        self.changed(|response| {
            change(&mut response[BODY..]);
            if let Some(by) = self.person(self.id) {
                sign_keys(&mut response[BODY..], self.config, self.id, by);
            }
        })
    }
}
