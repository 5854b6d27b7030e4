//! The layouts of the messages, as far as an adversary takes them apart and puts them together (spec §4).

use super::secrets::Bytes32;

pub(super) const HEADER: usize = 33;
pub(super) const BUNDLE: usize = 80;

/// A session and ids with advertisements.
pub(super) type Named = (Bytes32, Vec<(u32, Vec<u8>)>);

pub(super) fn message(kind: u8, session: &Bytes32, parts: &[&[u8]]) -> Vec<u8> {
    [&[kind][..], session, &parts.concat()].concat()
}

pub(super) fn list(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

/// Reads from the front.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    pub(super) fn number(&mut self) -> Option<u32> {
        self.take(4).map(number)
    }

    /// A list of items of this length.
    pub(super) fn items(&mut self, length: usize) -> Option<Vec<&'a [u8]>> {
        let bytes = self.number()? as usize;
        let bytes = self.take(bytes)?;
        (bytes.len() % length == 0).then(|| bytes.chunks(length).collect())
    }

    /// The same, to the end.
    pub(super) fn whole_list(&mut self, length: usize) -> Option<Vec<&'a [u8]>> {
        let items = self.items(length)?;
        self.0.is_empty().then_some(items)
    }
}

pub(super) fn number(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |four| u32::from_be_bytes(*four))
}

/// The key at this place of an advertisement: encryption, mask, identity.
pub(super) fn key(advertisement: &[u8], place: usize) -> Bytes32 {
    advertisement.chunks_exact(32).nth(place).map_or([0; 32], |key| key.try_into().expect("32 bytes"))
}

pub(super) fn share_request(session: &Bytes32, roster: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let members: Vec<u8> =
        roster.iter().flat_map(|(id, one)| [&id.to_be_bytes()[..], one].concat()).collect();
    message(3, session, &[&list(&members)])
}

pub(super) fn roster(request: &[u8], advertisement: usize) -> Option<Named> {
    let session = *request.get(1..)?.first_chunk()?;
    let items = Reader(request.get(HEADER..)?).whole_list(4 + advertisement)?;
    Some((session, items.iter().map(|one| (number(one), one[4..].to_vec())).collect()))
}

pub(super) fn mask_request(session: &Bytes32, bundles: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let items: Vec<u8> = bundles.iter().flat_map(|(id, one)| [&id.to_be_bytes()[..], one].concat()).collect();
    message(5, session, &[&list(&items)])
}

/// An owner, its draw, and the bundle that it has sealed for whoever is asked.
pub(super) type Drawn = (u32, Vec<u8>, Vec<u8>);

pub(super) fn pinned_mask_request(session: &Bytes32, bits: &[u8], bundles: &[Drawn]) -> Vec<u8> {
    let item = |(id, draw, bundle): &Drawn| [&id.to_be_bytes()[..], draw, bundle].concat();
    let items: Vec<u8> = bundles.iter().flat_map(item).collect();
    message(5, session, &[&list(bits), &list(&items)])
}

pub(super) fn drawn_bundles(body: &[u8]) -> Option<(Vec<u8>, Vec<Drawn>)> {
    let mut input = Reader(body);
    let bits = input.items(1)?.concat();
    let items = input.whole_list(4 + 32 + BUNDLE)?;
    let item = |one: &&[u8]| (number(one), one[4..36].to_vec(), one[36..].to_vec());
    Some((bits, items.iter().map(item).collect()))
}

pub(super) fn pinned_certificate(
    session: &Bytes32,
    signatures: &[(u32, Vec<u8>)],
    inputs: &[Vec<u8>],
) -> Vec<u8> {
    [certificate(session, signatures), list(&inputs.concat())].concat()
}

pub(super) fn bundles(body: &[u8]) -> Option<Vec<(u32, Vec<u8>)>> {
    let items = Reader(body).whole_list(4 + BUNDLE)?;
    Some(items.iter().map(|one| (number(one), one[4..].to_vec())).collect())
}

pub(super) fn certificate(session: &Bytes32, signatures: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let items: Vec<u8> =
        signatures.iter().flat_map(|(id, one)| [&id.to_be_bytes()[..], one].concat()).collect();
    message(9, session, &[&list(&items)])
}

/// The bits of those members, least significant first.
pub(super) fn bits(members: &[u32], set: impl Fn(u32) -> bool) -> Vec<u8> {
    let mut bits = vec![0; members.len().div_ceil(8)];
    for (at, _) in members.iter().enumerate().filter(|(_, id)| set(**id)) {
        bits[at / 8] |= 1 << (at % 8);
    }
    bits
}

/// The members whose bits are set.
pub(super) fn members(members: &[u32], bits: &[u8]) -> Vec<u32> {
    let set = |at: usize| bits.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1);
    members.iter().enumerate().filter(|(at, _)| set(*at)).map(|(_, id)| *id).collect()
}

/// Coordinates of two vectors: two of 16 bits, and one of 12.
pub(super) fn packed(sum: [u16; 3]) -> Vec<u8> {
    sum.iter().flat_map(|one| one.to_le_bytes()).collect()
}
