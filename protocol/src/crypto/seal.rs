//! Share bundles: the two shares that an owner sends to a holder, sealed with AES-256-GCM (spec §3.3).

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use curve25519_dalek::scalar::Scalar;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Extracted, sharing::decode_share};
use crate::{ClientId, Suite};

/// Bytes of a sealed bundle: two scalars and the tag.
pub(crate) const BUNDLE_LEN: usize = 80;
const TAG_LEN: usize = 16;
/// Constant: a key seals one message.
const NONCE: [u8; 12] = [0; 12];

/// What an owner gives to a holder.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Shares {
    pub(crate) mask_key: Scalar,
    pub(crate) self_mask: Scalar,
}

/// One direction of a pair: from the owner of the shares to their holder.
pub(crate) struct Direction<'a> {
    pub(crate) suite: Suite,
    pub(crate) session: &'a [u8; 32],
    pub(crate) owner: ClientId,
    pub(crate) holder: ClientId,
}

impl Direction<'_> {
    /// What both directions of the pair derive their keys from, of its agreement.
    pub(crate) fn extract(&self, agreed: &[u8; 32]) -> Extracted {
        Extracted::new(self.session, agreed)
    }

    /// The key of the one bundle that goes this way, from what was extracted and the encryption keys of owner and holder.
    pub(crate) fn key(
        &self,
        agreed: &Extracted,
        [owner_key, holder_key]: [&[u8; 32]; 2],
    ) -> Zeroizing<[u8; 32]> {
        let (owner, holder) = (self.owner.get().to_be_bytes(), self.holder.get().to_be_bytes());
        let parts: [&[u8]; 4] = [&owner, &holder, owner_key, holder_key];
        agreed.derive(self.suite, "share key", &parts)
    }

    fn associated_data(&self) -> Vec<u8> {
        let (owner, holder) = (self.owner.get().to_be_bytes(), self.holder.get().to_be_bytes());
        let parts: [&[u8]; 3] = [self.session, &owner, &holder];
        super::prefix(self.suite, "share bundle", &parts).flatten().copied().collect()
    }

    /// Seals the bundle.
    pub(crate) fn seal(&self, key: &[u8; 32], shares: &Shares) -> [u8; BUNDLE_LEN] {
        let mut out = [0; BUNDLE_LEN];
        let (text, tag) = out.split_at_mut(BUNDLE_LEN - TAG_LEN);
        let (one, other) = text.split_at_mut(32);
        one.copy_from_slice(shares.mask_key.as_bytes());
        other.copy_from_slice(shares.self_mask.as_bytes());
        let sealed = encrypt(key, &NONCE, &self.associated_data(), text);
        debug_assert!(sealed.is_some(), "64 bytes are within the limits of AES-GCM");
        tag.copy_from_slice(&sealed.unwrap_or_default());
        out
    }

    /// Opens a bundle; `None` if it was not sealed for this direction or holds no canonical scalars.
    pub(crate) fn open(&self, key: &[u8; 32], bundle: &[u8; BUNDLE_LEN]) -> Option<Shares> {
        let (text, tag) = bundle.split_at(BUNDLE_LEN - TAG_LEN);
        let mut text = Zeroizing::new(text.to_vec());
        decrypt(key, &NONCE, &self.associated_data(), text.as_mut_slice(), tag.try_into().ok()?)?;
        let (one, other) = text.split_first_chunk::<32>()?;
        Some(Shares { mask_key: decode_share(one)?, self_mask: decode_share(other.try_into().ok()?)? })
    }
}

/// Encrypts in place and gives the tag; `None` if the text is longer than AES-GCM allows.
pub(crate) fn encrypt(
    key: &[u8; 32],
    nonce: &[u8; 12],
    associated: &[u8],
    text: &mut [u8],
) -> Option<[u8; TAG_LEN]> {
    let cipher = Aes256Gcm::new(key.into());
    cipher.encrypt_inout_detached(&Nonce::from(*nonce), associated, text.into()).map(Into::into).ok()
}

/// Decrypts in place; `None` if the tag does not fit, and then the text is as it came.
pub(crate) fn decrypt(
    key: &[u8; 32],
    nonce: &[u8; 12],
    associated: &[u8],
    text: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Option<()> {
    let cipher = Aes256Gcm::new(key.into());
    cipher.decrypt_inout_detached(&Nonce::from(*nonce), associated, text.into(), &Tag::from(*tag)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_opens_only_in_its_own_direction() {
        let (a, b) = (ClientId::new(1).unwrap(), ClientId::new(2).unwrap());
        let (pa, pb) = ([1; 32], [2; 32]);
        let session = [9; 32];
        let there = Direction { suite: Suite::Curious, session: &session, owner: a, holder: b };
        let back = Direction { suite: Suite::Curious, session: &session, owner: b, holder: a };
        let shares = Shares { mask_key: Scalar::from(3u8), self_mask: Scalar::from(4u8) };
        let agreed = there.extract(&[5; 32]);
        let key = there.key(&agreed, [&pa, &pb]);
        let bundle = there.seal(&key, &shares);
        assert_eq!(there.open(&key, &bundle).unwrap().self_mask, shares.self_mask);
        assert!(back.open(&key, &bundle).is_none());
        assert!(back.open(&back.key(&agreed, [&pb, &pa]), &bundle).is_none());
        for bit in 0..8 * BUNDLE_LEN {
            let mut bad = bundle;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(there.open(&key, &bad).is_none(), "bit {bit}");
        }
    }
}
