//! The clients of a demonstration in a suite with identities, and the authority that has certified them.

use std::sync::Arc;

use secagg::{Authority, Credentials, Misuse};
use zeroize::Zeroizing;

use crate::Randomness;

/// An authority, and clients with an identity each that lasts for all sessions.
pub(super) struct Population {
    authority: Arc<Authority>,
    secrets: Vec<Arc<Zeroizing<[u8; 32]>>>,
}

impl Population {
    /// Draws the keys of the authority and of so many clients.
    pub(super) fn new(clients: u32) -> Result<Self, getrandom::Error> {
        let randomness = Randomness::default();
        let authority = Arc::new(Authority::new(*randomness.secret()?));
        let secrets = (0..clients).map(|_| randomness.secret().map(Arc::new)).collect::<Result<_, _>>()?;
        Ok(Self { authority, secrets })
    }

    pub(super) fn authority(&self) -> [u8; 32] {
        self.authority.public()
    }

    /// The client with this index.
    pub(super) fn member(&self, index: usize) -> Member {
        Member { authority: self.authority.clone(), secret: self.secrets[index].clone() }
    }
}

/// A client that can be certified.
pub(super) struct Member {
    authority: Arc<Authority>,
    secret: Arc<Zeroizing<[u8; 32]>>,
}

impl Member {
    /// What it signs with in one session.
    pub(super) fn credentials(&self) -> Result<Credentials, Misuse> {
        let certificate = self.authority.certify(&Credentials::identity_of(&self.secret))?;
        Credentials::new(**self.secret, certificate, self.authority.public())
    }
}
