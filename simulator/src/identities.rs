//! Clients with their secrets, all from the seed.

use secagg::{Client, ClientId, Credentials, Policy, Suite};

use crate::draw;
use crate::scenario::{ScenarioError, authority};

/// The secret of a client's identity.
pub(crate) fn secret((seed, session): (u64, u64), id: ClientId) -> [u8; 32] {
    draw::bytes(seed, session, "identity", id.get())
}

/// A client, with credentials if the suite asks for them.
pub(crate) fn client(suite: Suite, whose: (u64, u64), id: ClientId) -> Result<Client, ScenarioError> {
    let (entropy, policy) = (draw::bytes(whose.0, whose.1, "entropy", id.get()), Policy::default());
    if suite == Suite::Curious {
        return Ok(Client::new(entropy, policy));
    }
    let (authority, identity) = (authority(whose.0), secret(whose, id));
    let certificate = authority.certify(&Credentials::identity_of(&identity));
    let credentials = certificate.and_then(|one| Credentials::new(identity, one, authority.public()));
    let credentials = credentials.map_err(|misuse| ScenarioError::Impossible(misuse.to_string()))?;
    Ok(Client::with_credentials(entropy, policy, credentials))
}
