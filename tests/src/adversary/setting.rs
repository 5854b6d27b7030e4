//! Where a scenario is played: the number of clients, suite and graph, and what follows from them.

use secagg::{Authority, Config, Credentials, Graph, Policy, Suite, VectorSpec};

use super::secrets::{Bytes32, hash};
use crate::json::trusting;

/// The suite and the graph of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// Suite 2, on the complete graph.
    Active,
    /// Suite 1 on the complete graph.
    Curious,
    /// Suite 1 on a regular graph.
    Sparse,
    /// Suite 3, on a k-out graph.
    Pinned,
}

impl Ground {
    /// Those of suites 1 and 2.
    pub const ALL: [Self; 3] = [Self::Active, Self::Curious, Self::Sparse];

    /// The names of suite and graph.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Active => ("active", "complete"),
            Self::Curious => ("curious", "complete"),
            Self::Sparse => ("curious", "regular"),
            Self::Pinned => ("pinned", "k-out"),
        }
    }

    /// Whether its clients have identities and sign.
    pub(super) fn is_signed(self) -> bool {
        matches!(self, Self::Active | Self::Pinned)
    }

    /// The policy of its clients: the default one, but that suite 3 has to be allowed.
    pub(super) fn policy(self) -> Policy {
        Policy { safety: (self == Self::Pinned).then(trusting), ..Policy::default() }
    }
}

/// The numbers of clients that are played.
pub const SIZES: [u32; 4] = [3, 5, 8, 16];

/// Where a scenario is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Clients.
    pub n: u32,
    /// Suite and graph.
    pub ground: Ground,
}

impl Setting {
    /// Corrupt clients that the session is made for.
    pub(super) fn corrupt(self) -> u32 {
        match (self.n, self.ground) {
            (3, Ground::Active | Ground::Sparse) => 0,
            (..8, _) => 1,
            (8, _) => 2,
            _ => 4,
        }
    }

    /// The least threshold that suite 2 allows; one less, where it may be, in suite 1, which asks for t > c only.
    fn threshold(self) -> u32 {
        let half = (self.n + self.corrupt()) / 2;
        match self.ground {
            Ground::Active => half + 1,
            Ground::Curious => half,
            Ground::Sparse => self.degree() / 2 + 1,
            // One more than are corrupt, so that nothing is left to chance.
            Ground::Pinned => self.corrupt() + 1,
        }
    }

    fn degree(self) -> u32 {
        if self.ground == Ground::Pinned {
            return 2 * self.threshold();
        }
        match self.n {
            ..=3 => 2,
            4..=8 => 4,
            _ => 6,
        }
    }

    pub(super) fn config(self) -> Config {
        let suite = match self.ground {
            Ground::Active => Suite::Active { corrupt: self.corrupt(), authority: authority().public() },
            Ground::Pinned => Suite::Pinned { corrupt: self.corrupt(), authority: authority().public() },
            _ => Suite::Curious,
        };
        let graph = match self.ground {
            Ground::Sparse => Graph::Regular { degree: self.degree() },
            Ground::Pinned => Graph::KOut { degree: self.degree() },
            _ => Graph::Complete,
        };
        let (clients, threshold) = (self.n, self.threshold());
        let (task, nonce) = ([0x7a; 32], bytes("nonce", 0));
        Config { suite, graph, clients, threshold, minimum_survivors: 1, vectors: vectors(), task, nonce }
    }
}

/// What is summed: three coordinates, the last one with four bits of padding.
pub(super) fn vectors() -> Vec<VectorSpec> {
    vec![VectorSpec::new("v", 2, 16), VectorSpec::new("w", 1, 12)]
}

pub(super) fn authority() -> Authority {
    Authority::new(bytes("authority", 0))
}

/// Bytes that nobody else draws.
pub(super) fn bytes(what: &str, number: u32) -> Bytes32 {
    hash(0, "adversary", &[what.as_bytes(), &number.to_be_bytes()])
}

pub(super) fn certified(identity: &Bytes32) -> [u8; 64] {
    authority().certify(&Credentials::identity_of(identity)).expect("it can sign")
}

pub(super) fn input(id: u32) -> [u16; 3] {
    let drawn = bytes("input", id);
    let at = |place: usize| u16::from_le_bytes([drawn[place], drawn[place + 1]]);
    [at(0), at(2), at(4) & 0x0fff]
}
