//! What all secrets of a client follow from.

use crate::crypto::Kept;

/// A client's 32 uniformly random bytes for one session (spec §3.6), in one place of the heap from the draw on; they are
/// overwritten when they are dropped.
pub struct Entropy(pub(crate) Kept<[u8; 32]>);

impl Entropy {
    /// The bytes that `draw` writes, which come by no other place.
    ///
    /// # Errors
    /// What `draw` says: then there is no entropy.
    pub fn draw<E>(draw: impl FnOnce(&mut [u8; 32]) -> Result<(), E>) -> Result<Self, E> {
        let mut entropy = Self::from([0; 32]);
        draw(&mut entropy.0)?;
        Ok(entropy)
    }
}

/// For tests and simulations: the array itself stays where it was.
impl From<[u8; 32]> for Entropy {
    fn from(bytes: [u8; 32]) -> Self {
        Self(Box::new(bytes.into()))
    }
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy(<redacted>)")
    }
}
