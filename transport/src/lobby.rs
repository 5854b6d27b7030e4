//! Stage 0: clients that have joined and wait for the next session.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quinn::{Connection, SendStream};
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::Instant;

use crate::policy::LONGEST_WAIT;
use crate::status::Status;

/// Version of this binding that a join message names.
pub const VERSION: u16 = 1;

/// Longest name in bytes.
const NAME_BYTES: usize = 64;

/// Longest join message in bytes: the version, the name's length, the name.
pub(crate) const JOIN_BYTES: u64 = 2 + 1 + NAME_BYTES as u64;

/// What a client says first: `uint16 version; opaque name<1..64>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Join {
    /// The name the client asks to be known by, printable text.
    pub(crate) name: String,
}

impl Join {
    /// Encodes the message. The name must be valid, see [`is_valid_name`].
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = VERSION.to_be_bytes().to_vec();
        bytes.push(self.name.len().min(usize::from(u8::MAX)) as u8);
        bytes.extend_from_slice(self.name.as_bytes());
        bytes
    }

    /// Decodes the message, or returns the status to refuse it with.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Join, Status> {
        let (version, rest) = bytes.split_first_chunk().ok_or(Status::Malformed)?;
        if u16::from_be_bytes(*version) != VERSION {
            return Err(Status::Version);
        }
        let (&length, name) = rest.split_first().ok_or(Status::Malformed)?;
        if usize::from(length) != name.len() {
            return Err(Status::Malformed);
        }
        let name = std::str::from_utf8(name).map_err(|_| Status::BadName)?;
        if !is_valid_name(name) {
            return Err(Status::BadName);
        }
        Ok(Join { name: name.to_owned() })
    }
}

/// Tells whether a name is 1 to 64 bytes of text without control characters.
///
/// Names end up in logs and reports; a control character could forge a line there.
pub fn is_valid_name(name: &str) -> bool {
    (1..=NAME_BYTES).contains(&name.len()) && !name.chars().any(char::is_control)
}

/// A client that has joined, with the stream on which its first request will be sent.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) connection: Connection,
    pub(crate) reply: SendStream,
    /// Application bytes of its join message, header included.
    pub(crate) joined_with: u64,
    /// Its place among the connections the server holds, given back when it goes.
    pub(crate) place: OwnedSemaphorePermit,
}

impl Member {
    fn is_connected(&self) -> bool {
        self.connection.close_reason().is_none()
    }
}

/// The clients that wait for a session, by name.
#[derive(Clone, Default)]
pub(crate) struct Lobby(Arc<Inner>);

#[derive(Default)]
struct Inner {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Default)]
struct Waiting {
    /// Arrival number and member, by name.
    members: BTreeMap<String, (u64, Member)>,
    arrivals: u64,
}

impl Lobby {
    /// Adds a client. One that waits under the same name is replaced: a client that lost its
    /// network comes back before the server notices the loss.
    pub(crate) fn enter(&self, member: Member) {
        self.purge();
        let mut waiting = self.lock();
        waiting.arrivals += 1;
        let arrival = waiting.arrivals;
        if let Some((_, older)) = waiting.members.insert(member.name.clone(), (arrival, member)) {
            tracing::info!(name = older.name, "a newer connection took this name");
            older.connection.close(Status::Replaced.close_code(), b"");
        }
        drop(waiting);
        self.0.changed.notify_waiters();
    }

    /// Gives back the places of clients that have gone.
    pub(crate) fn purge(&self) {
        self.lock().members.retain(|_, (_, member)| member.is_connected());
    }

    /// Waits until `wanted` connected clients are there, or until the time is over, and takes
    /// them out: in the order of their names, so that a run with the same clients gives each the
    /// same id. If more than `wanted` wait, those who came first are taken.
    ///
    /// # Errors
    ///
    /// The number of clients there if it is below `minimum` at the end; they go on waiting.
    pub(crate) async fn gather(
        &self,
        wanted: usize,
        minimum: usize,
        patience: Duration,
    ) -> Result<Vec<Member>, usize> {
        let end = Instant::now() + patience.min(LONGEST_WAIT);
        loop {
            // Registered before looking, so that no arrival in between is missed.
            let changed = self.0.changed.notified();
            if self.connected() >= wanted {
                break;
            }
            if tokio::time::timeout_at(end, changed).await.is_err() {
                break;
            }
        }
        self.purge();
        let mut waiting = self.lock();
        let joined = waiting.members.len();
        if joined < minimum.max(1) {
            return Err(joined);
        }
        Ok(waiting.take_first(wanted))
    }

    /// Turns away everybody who waits.
    pub(crate) fn dismiss(&self, status: Status) {
        for (_, member) in std::mem::take(&mut self.lock().members).into_values() {
            member.connection.close(status.close_code(), b"");
        }
    }

    fn connected(&self) -> usize {
        self.lock().members.values().filter(|(_, member)| member.is_connected()).count()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn take_first(&mut self, wanted: usize) -> Vec<Member> {
        let mut arrivals: Vec<u64> = self.members.values().map(|(arrival, _)| *arrival).collect();
        arrivals.sort_unstable();
        let last = arrivals.get(wanted.saturating_sub(1)).copied().unwrap_or(u64::MAX);
        let late = self
            .members
            .iter()
            .filter(|(_, (arrival, _))| *arrival > last)
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>();
        let mut taken = std::mem::take(&mut self.members);
        for name in late {
            if let Some(entry) = taken.remove(&name) {
                self.members.insert(name, entry);
            }
        }
        taken.into_values().map(|(_, member)| member).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_join_message_comes_back_as_it_was_written() {
        for name in ["a", "client-007", "Zoë", &"x".repeat(64)] {
            let join = Join { name: name.to_owned() };
            let bytes = join.encode();
            assert!(bytes.len() as u64 <= JOIN_BYTES);
            assert_eq!(Join::decode(&bytes), Ok(join));
        }
    }

    #[test]
    fn every_other_message_is_refused_by_its_fault() {
        let good = Join { name: "ab".into() }.encode();
        for end in 0..good.len() {
            assert_eq!(Join::decode(&good[..end]), Err(Status::Malformed), "{end}");
        }
        assert_eq!(Join::decode(&[good.clone(), vec![0]].concat()), Err(Status::Malformed));
        assert_eq!(Join::decode(&[0, 2, 1, b'a']), Err(Status::Version));
        assert_eq!(Join::decode(&[0, 1, 0]), Err(Status::BadName));
        assert_eq!(Join::decode(&[0, 1, 1, 0xff]), Err(Status::BadName));
        assert_eq!(Join::decode(&[0, 1, 2, b'a', b'\n']), Err(Status::BadName));
        let long = Join { name: "x".repeat(65) }.encode();
        assert_eq!(Join::decode(&long), Err(Status::BadName));
    }
}
