//! Suites and graphs: against whom a session is safe, and who shares with whom (spec §3, §6.2).

use std::fmt;
use std::str::FromStr;

use crate::Misbehaviour;
use crate::wire::{Reader, Writer};

/// The cryptographic suite; its number is in the input of every hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Suite {
    /// Against an honest-but-curious server and curious clients below the threshold: no signatures.
    Curious,
    /// Against a malicious server together with malicious clients: signed keys and a signed survivor set (Bonawitz
    /// et al. 2017, figure 4 with the underlined parts). On the complete graph only.
    Active {
        /// Corrupt clients c that the session withstands: the threshold t must satisfy 2t > n + c.
        ///
        /// It must bound the corrupt ones in every cohort that a server can form of those whom the authority has
        /// certified, not in an average one.
        corrupt: u32,
        /// The Ed25519 key of the authority that certifies who may take part (spec §3.7).
        authority: [u8; 32],
    },
    /// Against a malicious server together with malicious clients on a sparse graph: each client draws its own
    /// holders, and a quorum of the roster pins sharers and survivors. On a k-out graph only.
    ///
    /// **Experimental**: its theorem (`spec/pinned.md`) is this project's own and has had no outside review. Clients
    /// take part only if their [`crate::SafetyPolicy`] says so.
    Pinned {
        /// Corrupt clients c that the session withstands, in every cohort that a server can form.
        corrupt: u32,
        /// The Ed25519 key of the authority that certifies who may take part (spec §3.7).
        authority: [u8; 32],
    },
}

impl Suite {
    /// Its number in the registry (spec §12.1).
    pub fn number(self) -> u8 {
        match self {
            Self::Curious => 1,
            Self::Active { .. } => 2,
            Self::Pinned { .. } => 3,
        }
    }

    /// Its name in the registry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Curious => "curious",
            Self::Active { .. } => "active",
            Self::Pinned { .. } => "pinned",
        }
    }

    /// Whether clients sign their keys and the survivor set.
    pub fn is_signed(self) -> bool {
        self.authority().is_some()
    }

    /// The authority that certifies who may take part, in a signed suite.
    pub fn authority(self) -> Option<[u8; 32]> {
        match self {
            Self::Curious => None,
            Self::Active { authority, .. } | Self::Pinned { authority, .. } => Some(authority),
        }
    }

    /// The corrupt clients that the session withstands, in a signed suite.
    pub fn corrupt(self) -> Option<u32> {
        match self {
            Self::Curious => None,
            Self::Active { corrupt, .. } | Self::Pinned { corrupt, .. } => Some(corrupt),
        }
    }

    /// Whether clients draw their holders.
    pub(crate) fn is_pinned(self) -> bool {
        matches!(self, Self::Pinned { .. })
    }

    pub(crate) fn encode(self, out: &mut Writer) {
        out.u8(self.number());
        if let Some((corrupt, authority)) = self.corrupt().zip(self.authority()) {
            out.u32(corrupt);
            out.bytes(&authority);
        }
    }

    pub(crate) fn decode(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        match input.u8()? {
            1 => Ok(Self::Curious),
            2 => Ok(Self::Active { corrupt: input.u32()?, authority: input.array()? }),
            3 => Ok(Self::Pinned { corrupt: input.u32()?, authority: input.array()? }),
            _ => Err(Misbehaviour::BadConfig),
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads the name of a suite that needs nothing but its name.
impl FromStr for Suite {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "curious" => Ok(Self::Curious),
            "active" | "pinned" => {
                Err(format!("the suite {name:?} needs an authority, which cannot be named here"))
            }
            _ => Err(format!("unknown suite {name:?}: this version has \"curious\"")),
        }
    }
}

/// Who shares masks and shares with whom (spec §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Graph {
    /// Everyone with everyone (Bonawitz et al. 2017). Each secret has n shares, one kept by its owner.
    Complete,
    /// Everyone with `degree` others (Bell et al. 2020): a Harary graph on a random permutation.
    Regular {
        /// Neighbours of a client, itself not counted: even, 2 to n − 1.
        degree: u32,
    },
    /// Each client draws the holders of its shares by itself, in the suite [`Suite::Pinned`]: a random k-out graph.
    KOut {
        /// Holders of a client, itself not counted: 2 to n − 1. A client holds shares of as many others on average.
        degree: u32,
    },
}
