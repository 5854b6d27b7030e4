//! The number by which a session knows a client.

use std::fmt;
use std::num::NonZeroU32;

/// The number by which a session knows a client: 1 to n.
///
/// It is also the point at which that client's Shamir shares are evaluated, so it is never zero and a share
/// needs no index of its own on the wire (spec §3.5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(NonZeroU32);

impl ClientId {
    /// Makes an id of `number`; `None` for zero.
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// The id as a number, 1 to n.
    pub fn get(self) -> u32 {
        self.0.get()
    }

    /// The ids 1 to `n`, ascending.
    pub(crate) fn first(n: u32) -> impl Iterator<Item = Self> {
        (1..=n).filter_map(Self::new)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {}", self.0)
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientId({})", self.0)
    }
}
