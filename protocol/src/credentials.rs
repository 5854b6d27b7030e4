//! Who may take part in a signed suite: identities, and the authority that certifies them (spec §3.7).

use std::fmt;

use zeroize::Zeroizing;

use crate::Misuse;
use crate::crypto::hash;
use crate::crypto::sign::{SIGNATURE_LEN, SecretKey, Signed, VerifyingKey, is_valid};

/// A client's long-term signing key with the certificate that admits it.
///
/// The key signs nothing but this protocol's statements, and always the same signature for the same statement.
pub struct Credentials {
    pub(crate) key: SecretKey,
    pub(crate) certificate: [u8; SIGNATURE_LEN],
    pub(crate) identity: [u8; 32],
    pub(crate) authority: [u8; 32],
}

impl Credentials {
    /// The credentials of the identity whose secret is given, certified by `authority`.
    ///
    /// The client takes part in sessions of this authority only.
    ///
    /// # Security
    /// `secret` must be 32 uniformly random bytes, kept for as long as the identity is used.
    ///
    /// # Errors
    /// The certificate is not one of this identity by this authority.
    pub fn new(
        secret: [u8; 32],
        certificate: [u8; SIGNATURE_LEN],
        authority: [u8; 32],
    ) -> Result<Self, Misuse> {
        let key = SecretKey::new(&Zeroizing::new(secret));
        let identity = key.public();
        Authority::check(&authority, &identity, &certificate)?;
        Ok(Self { key, certificate, identity, authority })
    }

    /// The identity of a secret: what the authority certifies.
    pub fn identity_of(secret: &[u8; 32]) -> [u8; 32] {
        SecretKey::new(secret).public()
    }

    /// The identity: the public half of the key.
    pub fn identity(&self) -> [u8; 32] {
        self.identity
    }

    /// The authority's public key.
    pub fn authority(&self) -> [u8; 32] {
        self.authority
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(<redacted>)")
    }
}

/// Who decides whom the clients of a population may meet in a session.
///
/// It is needed to admit clients, not to run sessions; whoever holds its secret can invent clients.
pub struct Authority(SecretKey);

impl Authority {
    /// The authority of 32 uniformly random bytes.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(SecretKey::new(&Zeroizing::new(secret)))
    }

    /// The public key that configurations name and clients pin.
    pub fn public(&self) -> [u8; 32] {
        self.0.public()
    }

    /// The certificate of an identity.
    ///
    /// # Security
    /// The caller has made sure that the identity belongs to somebody who has no other one: a server may form a
    /// cohort of any identities that were ever certified.
    ///
    /// # Errors
    /// The identity is no key that could sign.
    pub fn certify(&self, identity: &[u8; 32]) -> Result<[u8; SIGNATURE_LEN], Misuse> {
        VerifyingKey::decode(identity).ok_or(Misuse::Certificate)?;
        Ok(self.0.sign(&statement(identity)))
    }

    /// Checks that `certificate` is the one of `identity` by the authority with this public key (`[3.7-1]`, `[3.7-2]`).
    ///
    /// # Errors
    /// It is not, or one of the two keys is none.
    pub fn check(
        authority: &[u8; 32],
        identity: &[u8; 32],
        certificate: &[u8; SIGNATURE_LEN],
    ) -> Result<(), Misuse> {
        let by = VerifyingKey::decode(authority).ok_or(Misuse::Authority)?;
        VerifyingKey::decode(identity).ok_or(Misuse::Certificate)?;
        let signed = Signed { by: &by, statement: statement(identity), signature: certificate };
        if is_valid(signed) { Ok(()) } else { Err(Misuse::Certificate) }
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority(<redacted>)")
    }
}

/// What an authority signs to admit an identity, to whatever suite.
pub(crate) fn statement(identity: &[u8; 32]) -> [u8; 32] {
    hash(None, "certificate", &[identity])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_need_a_certificate_of_their_own_authority() {
        let (authority, other) = (Authority::new([1; 32]), Authority::new([2; 32]));
        let secret = [3; 32];
        let certificate = authority.certify(&Credentials::identity_of(&secret)).unwrap();
        let credentials = Credentials::new(secret, certificate, authority.public()).unwrap();
        assert_eq!(credentials.identity(), Credentials::identity_of(&secret));
        assert_eq!(credentials.authority(), authority.public());
        let refused = |secret, authority| Credentials::new(secret, certificate, authority).unwrap_err();
        assert_eq!(refused(secret, other.public()), Misuse::Certificate);
        assert_eq!(refused([4; 32], authority.public()), Misuse::Certificate);
        assert_eq!(refused(secret, [0xff; 32]), Misuse::Authority);
        assert_eq!(authority.certify(&[0; 32]).unwrap_err(), Misuse::Certificate);
        assert_eq!(format!("{credentials:?} {authority:?}"), "Credentials(<redacted>) Authority(<redacted>)");
    }
}
