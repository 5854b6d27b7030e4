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
    ConsistencyCheckRequest = 7,
    ConsistencyCheckResponse = 8,
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
            Self::ConsistencyCheckRequest,
            Self::ConsistencyCheckResponse,
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
        // At its size from the beginning: a list that grows leaves copies behind, and items may be secret.
        let mut items = Vec::with_capacity(bytes.len() / size);
        for chunk in bytes.chunks_exact(size) {
            items.push(item(&mut Reader(chunk))?);
        }
        Ok(items)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::privacy::{Noise, NoiseLaw};
    use crate::rounds::advertisement::{Advertisement, Proof, PublicKeys};
    use crate::rounds::{
        advertise_keys, certificate, consistency_check, drawn, masked_input_collection, share_keys, unmasking,
    };
    use crate::{Authority, Config, Graph, Suite, VectorSpec};

    /// `decode(encode(x)) = x`, and `encode(decode(b)) = b` for every `b` that decodes, however it was made.
    fn round_trip<B: Body>(body: &B, changes: &[(usize, u8)], cut: usize) {
        let session = [7; 32];
        let message = body.encode(&session);
        assert_eq!(message.len(), body.message_len());
        assert_eq!(B::decode(&message, &session).ok().unwrap().encode(&session), message);
        assert_eq!(B::decode(&message, &[8; 32]).map(drop), Err(Misbehaviour::WrongSession));
        let mut changed = message.clone();
        for &(at, value) in changes {
            let at = at % changed.len();
            changed[at] = value;
        }
        changed.truncate(message.len() - cut.min(message.len()));
        if let Ok((session, body)) = B::decode_any_session(&changed) {
            assert_eq!(body.encode(&session), changed);
        }
    }

    fn ids() -> impl Strategy<Value = Vec<ClientId>> {
        prop::collection::vec((1u32..).prop_filter_map("zero", ClientId::new), 0..9)
    }

    fn keys() -> impl Strategy<Value = PublicKeys> {
        any::<([u8; 32], [u8; 32])>().prop_map(|(encryption, mask)| PublicKeys { encryption, mask })
    }

    fn config() -> impl Strategy<Value = Config> {
        let plain = ("[ -~]{1,20}", 1u32.., 1u8..=62, prop::option::of(0u64..9))
            .prop_map(|(name, length, bits, bound)| VectorSpec { name, length, bits, bound, noise: None });
        let law = prop_oneof![Just(NoiseLaw::DiscreteGaussian), Just(NoiseLaw::Skellam)];
        let real = || (1u64 << 52)..(0x7ff << 52);
        let noisy = ("[ -~]{1,20}", law, 1u32..1 << 28, real(), real(), 1u64.., (1u64 << 14)..=1 << 40)
            .prop_map(|(name, law, dimension, clip, scale, norm_squared, variance)| VectorSpec {
                noise: Some(Noise { law, dimension, clip, scale, norm_squared, variance }),
                ..VectorSpec::new(name, dimension.next_power_of_two(), 20)
            });
        let vector = prop_oneof![plain, noisy];
        let graph = prop_oneof![
            Just(Graph::Complete),
            (1u32..50).prop_map(|half| Graph::Regular { degree: 2 * half })
        ];
        let authority = Authority::new([1; 32]).public();
        let suite = prop_oneof![
            3 => (Just(Suite::Curious), graph, Just(2u32)),
            1 => (0u32..100).prop_map(move |corrupt| {
                (Suite::Active { corrupt, authority }, Graph::Complete, (120 + corrupt) / 2 + 1)
            }),
            1 => (0u32..100, 2u32..119).prop_map(move |(corrupt, degree)| {
                (Suite::Pinned { corrupt, authority }, Graph::KOut { degree }, 2)
            }),
        ];
        (suite, prop::collection::vec(vector, 1..4), any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(
            |((suite, graph, threshold), vectors, task, nonce)| Config {
                suite,
                graph,
                clients: 120,
                threshold,
                minimum_survivors: 1,
                vectors,
                task,
                nonce,
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn every_message_has_one_encoding(
            config in config().prop_filter("invalid", |config| config.check().is_ok()),
            ids in ids(),
            keys in keys(),
            bytes in prop::collection::vec(any::<u8>(), 0..40),
            changes in prop::collection::vec((any::<usize>(), any::<u8>()), 0..4),
            cut in 0usize..3,
        ) {
            let id = ids.first().copied().unwrap_or_else(|| ClientId::new(1).unwrap());
            let plain = Advertisement { keys, draw_commitment: None, proof: None };
            let proof = Proof { identity: keys.mask, certificate: [1; 64], signature: [2; 64] };
            let signed = Advertisement { keys, draw_commitment: None, proof: Some(proof) };
            let drawing = Advertisement { keys, draw_commitment: Some([6; 32]), proof: Some(proof) };
            let neighbourhood = |one| ids.iter().map(|&id| (id, one)).collect();
            let owned = ids.iter().map(|&id| (id, [3; 80])).collect();
            let shares: Vec<[u8; 32]> = ids.iter().map(|_| keys.mask).collect();
            round_trip(&advertise_keys::Request { id, config }, &changes, cut);
            round_trip(&advertise_keys::Response::<1>(plain), &changes, cut);
            round_trip(&advertise_keys::Response::<2>(signed), &changes, cut);
            round_trip(&advertise_keys::Response::<3>(drawing), &changes, cut);
            round_trip(&share_keys::Request::<1> { neighbourhood: neighbourhood(plain) }, &changes, cut);
            round_trip(&share_keys::Request::<2> { neighbourhood: neighbourhood(signed) }, &changes, cut);
            round_trip(&share_keys::Request::<3> { neighbourhood: neighbourhood(drawing) }, &changes, cut);
            let dealt = |draw| {
                let bundles: Vec<[u8; 80]> = ids.iter().map(|_| [bytes.len() as u8; 80]).collect();
                share_keys::Dealt { commitment: keys.mask, draw, bundles }
            };
            round_trip(&share_keys::Response::<false>(dealt(None)), &changes, cut);
            round_trip(&share_keys::Response::<true>(dealt(Some([8; 32]))), &changes, cut);
            let drawn = |&owner: &ClientId| drawn::DrawnBundle { owner, draw: [9; 32], bundle: [3; 80] };
            let bundles = ids.iter().map(drawn).collect();
            round_trip(&drawn::Request { sharers: bytes.clone(), bundles }, &changes, cut);
            round_trip(&masked_input_collection::Request { bundles: owned }, &changes, cut);
            let signatures: Vec<_> = ids.iter().map(|&id| (id, [4; 64])).collect();
            let inputs = ids.iter().map(|_| [7; 64]).collect();
            round_trip(&certificate::PinnedRequest { signatures: signatures.clone(), inputs }, &changes, cut);
            round_trip(&consistency_check::Request { survivors: bytes.clone() }, &changes, cut);
            round_trip(&consistency_check::Response { signature: [5; 64] }, &changes, cut);
            round_trip(&certificate::CertifiedRequest { signatures }, &changes, cut);
            round_trip(&unmasking::Request { survivor_count: bytes.len() as u32, survivors: bytes }, &changes, cut);
            round_trip(&unmasking::Response { unopened: ids, shares: shares.into() }, &changes, cut);
        }

        /// Whatever comes, decoding ends without a panic, and a length that lies is refused before it is used.
        #[test]
        fn junk_does_not_decode_to_more_than_it_is(kind in 1u8..=10, junk in prop::collection::vec(any::<u8>(), 0..200)) {
            let message: Vec<u8> = [kind].into_iter().chain([0; 32]).chain(junk).collect();
            let longest = message.len();
            macro_rules! decode {
                ($($body:ty),*) => {
                    $(if let Ok((_, body)) = <$body>::decode_any_session(&message) {
                        prop_assert!(body.message_len() <= longest);
                    })*
                };
            }
            decode!(
                advertise_keys::Request, advertise_keys::Response<1>, advertise_keys::Response<2>,
                advertise_keys::Response<3>, share_keys::Request<1>, share_keys::Request<2>,
                share_keys::Request<3>, share_keys::Response<false>, share_keys::Response<true>,
                masked_input_collection::Request, drawn::Request, consistency_check::Request,
                consistency_check::Response, unmasking::Request, certificate::CertifiedRequest,
                certificate::PinnedRequest, unmasking::Response
            );
        }
    }
}
