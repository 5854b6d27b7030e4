//! The certificate of a signed suite: signatures of a quorum over one survivor set, for which shares are given
//! (spec §4.6).

use crate::crypto::sign::{SIGNATURE_LEN, Signed, VerifyingKey, all_valid};
use crate::wire::{Body, HEADER_LEN, MessageType, Reader, Writer, ascending};
use crate::{ClientId, Misbehaviour};

/// A client's signature.
pub(crate) type SignedBy = (ClientId, [u8; SIGNATURE_LEN]);

/// `UnmaskingRequest` of a signed suite: the signatures of a quorum of survivors, ascending.
pub(crate) struct CertifiedRequest {
    pub(crate) signatures: Vec<SignedBy>,
}

impl CertifiedRequest {
    pub(crate) fn len(signatures: usize) -> usize {
        HEADER_LEN + 4 + signatures * ITEM_LEN
    }
}

impl Body for CertifiedRequest {
    const TYPE: MessageType = MessageType::UnmaskingRequest;

    fn encode_body(&self, out: &mut Writer) {
        encode_signatures(&self.signatures, out);
    }

    fn decode_body(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        Ok(Self { signatures: decode_signatures(input)? })
    }

    fn message_len(&self) -> usize {
        Self::len(self.signatures.len())
    }
}

/// `UnmaskingRequest` of the pinned suite: the certificate, and the signatures that came with the masked inputs of the
/// survivors of whom the receiver holds shares, ascending by these.
pub(crate) struct PinnedRequest {
    pub(crate) signatures: Vec<SignedBy>,
    pub(crate) inputs: Vec<[u8; SIGNATURE_LEN]>,
}

impl PinnedRequest {
    pub(crate) fn len(signatures: usize, inputs: usize) -> usize {
        CertifiedRequest::len(signatures) + 4 + inputs * SIGNATURE_LEN
    }
}

impl Body for PinnedRequest {
    const TYPE: MessageType = MessageType::UnmaskingRequest;

    fn encode_body(&self, out: &mut Writer) {
        encode_signatures(&self.signatures, out);
        out.opaque(self.inputs.as_flattened());
    }

    fn decode_body(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        let signatures = decode_signatures(input)?;
        Ok(Self { signatures, inputs: input.list(SIGNATURE_LEN, |item| item.array())? })
    }

    fn message_len(&self) -> usize {
        Self::len(self.signatures.len(), self.inputs.len())
    }
}

const ITEM_LEN: usize = 4 + SIGNATURE_LEN;

fn encode_signatures(signatures: &[SignedBy], out: &mut Writer) {
    out.len32(signatures.len() * ITEM_LEN);
    for (id, signature) in signatures {
        out.id(*id);
        out.bytes(signature);
    }
}

fn decode_signatures(input: &mut Reader<'_>) -> Result<Vec<SignedBy>, Misbehaviour> {
    input.list(ITEM_LEN, |item| Ok((item.id()?, item.array()?)))
}

/// What a client of a signed suite signed in ConsistencyCheck, and with whose signatures it gives shares.
pub(crate) struct Agreed {
    pub(crate) statement: [u8; 32],
    /// The survivors, ascending.
    pub(crate) certifiers: Vec<(ClientId, VerifyingKey)>,
    /// In the pinned suite, what it signed with its masked input.
    pub(crate) sharers_signed: Option<[u8; 32]>,
}

impl Agreed {
    /// Checks that a quorum of survivors has signed the same (`[4.6-11]`, `[4.6-12]`).
    pub(crate) fn check(&self, signatures: &[SignedBy], quorum: u32) -> Result<(), Misbehaviour> {
        let signers = || signatures.iter().map(|(id, _)| *id);
        let is_quorum = signatures.len() >= quorum as usize;
        if !is_quorum || !ascending(signers()) || !signers().all(|id| self.survives(id)) {
            return Err(Misbehaviour::BadCertifiers);
        }
        let signed = signatures.iter().map(|(id, one)| self.signed_by(*id, self.statement, one));
        if all_valid(signed) { Ok(()) } else { Err(Misbehaviour::SurvivorSetMismatch) }
    }

    /// Checks that the survivors among `owners` have signed the same sharers (`[4.6-13]`, `[4.6-14]`).
    pub(crate) fn check_inputs(
        &self,
        statement: [u8; 32],
        owners: &[ClientId],
        inputs: &[[u8; SIGNATURE_LEN]],
    ) -> Result<(), Misbehaviour> {
        if owners.len() != inputs.len() {
            return Err(Misbehaviour::WrongInputSignatures);
        }
        let signed = owners.iter().zip(inputs).map(|(owner, one)| self.signed_by(*owner, statement, one));
        if all_valid(signed) { Ok(()) } else { Err(Misbehaviour::SharersMismatch) }
    }

    /// A signature as one of a survivor over a statement.
    fn signed_by<'a>(
        &'a self,
        id: ClientId,
        statement: [u8; 32],
        signature: &'a [u8; SIGNATURE_LEN],
    ) -> Option<Signed<'a>> {
        let at = self.certifiers.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.certifiers.get(at).map(|(_, by)| Signed { by, statement, signature })
    }

    pub(crate) fn survives(&self, id: ClientId) -> bool {
        self.certifiers.binary_search_by_key(&id, |(id, _)| *id).is_ok()
    }
}
