//! The certificate of a signed suite: signatures of a quorum over one survivor set, for which shares are given
//! (spec §4.6).

use crate::crypto::sign::{SIGNATURE_LEN, Signed, VerifyingKey, first_invalid};
use crate::wire::{Body, HEADER_LEN, MessageType, Reader, Writer, ascending};
use crate::{ClientId, Misbehaviour};

/// `UnmaskingRequest` of a signed suite: the signatures of a quorum of survivors, ascending.
pub(crate) struct CertifiedRequest {
    pub(crate) signatures: Vec<(ClientId, [u8; SIGNATURE_LEN])>,
}

impl CertifiedRequest {
    const ITEM_LEN: usize = 4 + SIGNATURE_LEN;

    pub(crate) fn len(signatures: usize) -> usize {
        HEADER_LEN + 4 + signatures * Self::ITEM_LEN
    }
}

impl Body for CertifiedRequest {
    const TYPE: MessageType = MessageType::UnmaskingRequest;

    fn encode_body(&self, out: &mut Writer) {
        out.len32(self.signatures.len() * Self::ITEM_LEN);
        for (id, signature) in &self.signatures {
            out.id(*id);
            out.bytes(signature);
        }
    }

    fn decode_body(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        Ok(Self { signatures: input.list(Self::ITEM_LEN, |item| Ok((item.id()?, item.array()?)))? })
    }

    fn message_len(&self) -> usize {
        Self::len(self.signatures.len())
    }
}

/// What a client of a signed suite signed in ConsistencyCheck, and with whose signatures it gives shares.
pub(crate) struct Agreed {
    pub(crate) statement: [u8; 32],
    /// The survivors, ascending.
    pub(crate) certifiers: Vec<(ClientId, VerifyingKey)>,
}

impl Agreed {
    /// Checks that a quorum of survivors has signed the same (`[4.6-11]`, `[4.6-12]`).
    pub(crate) fn check(
        &self,
        signatures: &[(ClientId, [u8; SIGNATURE_LEN])],
        threshold: u32,
    ) -> Result<(), Misbehaviour> {
        let of = |(id, signature)| {
            let at = self.certifiers.binary_search_by_key(id, |(id, _)| *id).ok()?;
            let (_, by) = self.certifiers.get(at)?;
            Some(Signed { by, statement: self.statement, signature })
        };
        let signed: Option<Vec<Signed<'_>>> = signatures.iter().map(|(id, one)| of((id, one))).collect();
        let in_order = ascending(signatures.iter().map(|(id, _)| *id));
        match signed {
            Some(signed) if in_order && signed.len() >= threshold as usize => match first_invalid(&signed) {
                None => Ok(()),
                Some(_) => Err(Misbehaviour::SurvivorSetMismatch),
            },
            _ => Err(Misbehaviour::BadCertifiers),
        }
    }

    pub(crate) fn survives(&self, id: ClientId) -> bool {
        self.certifiers.binary_search_by_key(&id, |(id, _)| *id).is_ok()
    }
}
