//! The one encoding of every message: TLS presentation language, canonical and bounded (spec §4.1).

use crate::{ClientId, Misbehaviour};

/// The kinds of messages, as their first byte says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum MessageType {
    AdvertiseKeysRequest = 1,
    AdvertiseKeysResponse = 2,
    ShareKeysRequest = 3,
    ShareKeysResponse = 4,
    MaskedInputRequest = 5,
    MaskedInputResponse = 6,
    // 7 and 8 are kept for ConsistencyCheck.
    UnmaskingRequest = 9,
    UnmaskingResponse = 10,
}

impl MessageType {
    fn of(byte: u8) -> Option<Self> {
        [
            Self::AdvertiseKeysRequest,
            Self::AdvertiseKeysResponse,
            Self::ShareKeysRequest,
            Self::ShareKeysResponse,
            Self::MaskedInputRequest,
            Self::MaskedInputResponse,
            Self::UnmaskingRequest,
            Self::UnmaskingResponse,
        ]
        .into_iter()
        .find(|&one| one as u8 == byte)
    }
}

/// Bytes of the header that every message begins with: its type and its session.
pub(crate) const HEADER_LEN: usize = 33;

/// A message body: what follows the header.
pub(crate) trait Body: Sized {
    const TYPE: MessageType;

    fn encode_body(&self, out: &mut Writer);

    fn decode_body(input: &mut Reader<'_>) -> Result<Self, Misbehaviour>;

    /// Length in bytes of the whole message.
    fn message_len(&self) -> usize;

    fn encode(&self, session: &[u8; 32]) -> Vec<u8> {
        let mut out = Writer(Vec::with_capacity(self.message_len()));
        out.header(Self::TYPE, session);
        self.encode_body(&mut out);
        debug_assert_eq!(out.0.len(), self.message_len());
        out.0
    }

    /// Decodes a message of this type; the session it names must be `session`.
    fn decode(message: &[u8], session: &[u8; 32]) -> Result<Self, Misbehaviour> {
        let mut input = Reader(message);
        input.header(Self::TYPE, session)?;
        Self::decode_rest(input)
    }

    /// Decodes a message of this type and returns the session that it names.
    fn decode_any_session(message: &[u8]) -> Result<([u8; 32], Self), Misbehaviour> {
        let mut input = Reader(message);
        let session = input.session_of(Self::TYPE)?;
        Ok((session, Self::decode_rest(input)?))
    }

    fn decode_rest(mut input: Reader<'_>) -> Result<Self, Misbehaviour> {
        let body = Self::decode_body(&mut input)?;
        input.finish()?;
        Ok(body)
    }
}

/// Writes the primitive types.
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn header(&mut self, kind: MessageType, session: &[u8; 32]) {
        self.u8(kind as u8);
        self.bytes(session);
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.bytes(&value.to_be_bytes());
    }

    pub(crate) fn id(&mut self, id: ClientId) {
        self.u32(id.get());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Writes `bytes<0..2^32-1>`.
    pub(crate) fn opaque(&mut self, bytes: &[u8]) {
        self.len32(bytes.len());
        self.bytes(bytes);
    }

    /// Writes the length prefix of a list of `bytes` bytes.
    pub(crate) fn len32(&mut self, bytes: usize) {
        self.u32(u32::try_from(bytes).unwrap_or(u32::MAX));
    }
}

/// Reads the primitive types from untrusted bytes. Never allocates.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Misbehaviour> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(Misbehaviour::Malformed)?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Misbehaviour> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Misbehaviour::Malformed)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Misbehaviour> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Misbehaviour> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Misbehaviour> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Misbehaviour> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn id(&mut self) -> Result<ClientId, Misbehaviour> {
        ClientId::new(self.u32()?).ok_or(Misbehaviour::Malformed)
    }

    /// Reads the header of a message of type `kind` and returns the session that it names.
    fn session_of(&mut self, kind: MessageType) -> Result<[u8; 32], Misbehaviour> {
        let found = MessageType::of(self.u8()?).ok_or(Misbehaviour::Malformed)?;
        let session = self.array()?;
        if found == kind { Ok(session) } else { Err(Misbehaviour::WrongRound) }
    }

    /// Reads the header of a message of type `kind` and of session `session`.
    pub(crate) fn header(&mut self, kind: MessageType, session: &[u8; 32]) -> Result<(), Misbehaviour> {
        if self.session_of(kind)? == *session { Ok(()) } else { Err(Misbehaviour::WrongSession) }
    }

    /// Reads `opaque<0..2^32-1>`.
    pub(crate) fn opaque(&mut self) -> Result<&'a [u8], Misbehaviour> {
        let len = self.u32()?;
        self.take(usize::try_from(len).map_err(|_| Misbehaviour::Malformed)?)
    }

    /// Reads a list of items of `size` bytes each, prefixed by its length in bytes.
    ///
    /// The prefix is checked against the bytes that are there before anything is allocated.
    pub(crate) fn list<T>(
        &mut self,
        size: usize,
        item: impl Fn(&mut Reader<'a>) -> Result<T, Misbehaviour>,
    ) -> Result<Vec<T>, Misbehaviour> {
        let bytes = self.opaque()?;
        if bytes.len() % size != 0 {
            return Err(Misbehaviour::Malformed);
        }
        bytes.chunks_exact(size).map(|chunk| item(&mut Reader(chunk))).collect()
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    pub(crate) fn finish(&self) -> Result<(), Misbehaviour> {
        if self.0.is_empty() { Ok(()) } else { Err(Misbehaviour::Malformed) }
    }
}

/// Whether the ids are strictly ascending.
pub(crate) fn ascending(ids: impl IntoIterator<Item = ClientId>) -> bool {
    let mut last = 0;
    ids.into_iter().all(|id| std::mem::replace(&mut last, id.get()) < id.get())
}
