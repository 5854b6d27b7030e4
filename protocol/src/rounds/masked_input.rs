//! A masked input in the making (spec §4.4, §7.3).

use rayon::prelude::*;

use super::masked_input_collection::Response;
use crate::Config;
use crate::crypto::sign::SIGNATURE_LEN;
use crate::mask::{MaskSeed, Masks, Sign, tile};
use crate::vector::{Arranged, Lane, each_lane, pack};
use crate::wire::{MessageType, Writer};

/// A masked input in the making: an iterator of the message's bytes, in chunks of one tile.
///
/// The masks are added in place, a tile at a time, so there is never a second copy of the vector.
pub(crate) struct MaskedInput {
    config: Config,
    session: [u8; 32],
    signature: Option<[u8; SIGNATURE_LEN]>,
    input: Arranged,
    seeds: Vec<(MaskSeed, Sign)>,
    masks: Option<Masks>,
    started: bool,
    vector: usize,
    first: usize,
}

impl MaskedInput {
    pub(crate) fn new(
        config: Config,
        session: [u8; 32],
        signature: Option<[u8; SIGNATURE_LEN]>,
        input: Arranged,
        seeds: Vec<(MaskSeed, Sign)>,
    ) -> Self {
        Self { config, session, signature, input, seeds, masks: None, started: false, vector: 0, first: 0 }
    }

    /// What comes before the vectors.
    fn head(&self, out: &mut Writer) {
        out.header(MessageType::MaskedInputResponse, &self.session);
        out.bytes(self.signature.as_ref().map_or(&[], |signature| signature));
    }

    /// Bytes of the whole message.
    pub(crate) fn message_len(&self) -> u64 {
        Response::len(&self.config)
    }

    /// The whole message; tiles are masked in parallel.
    pub(crate) fn into_message(mut self) -> Vec<u8> {
        let mut out = Writer(Vec::with_capacity(self.message_len() as usize));
        self.head(&mut out);
        let mut out = out.0;
        out.resize(self.message_len() as usize, 0);
        let (_, mut rest) = out.split_at_mut(Response::head_len(&self.config));
        let suite = self.config.suite;
        for ((index, spec), lanes) in (0..=u8::MAX).zip(&self.config.vectors).zip(&mut self.input.0) {
            let (packed, behind) = std::mem::take(&mut rest).split_at_mut(spec.packed_len() as usize);
            rest = behind;
            let masks = Masks::new(suite, &self.session, index, &self.seeds);
            each_lane!(lanes, values => mask_all(&masks, spec.bits, values, packed));
        }
        out
    }
}

impl Iterator for MaskedInput {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut out = Writer(Vec::new());
        if !std::mem::replace(&mut self.started, true) {
            self.head(&mut out);
        }
        let mut out = out.0;
        let spec = self.config.vectors.get(self.vector)?;
        let lanes = self.input.0.get_mut(self.vector)?;
        let (suite, session, index) = (self.config.suite, &self.session, self.vector as u8);
        let masks = self.masks.get_or_insert_with(|| Masks::new(suite, session, index, &self.seeds));
        self.first = each_lane!(lanes, values => mask_next(masks, spec.bits, values, self.first, &mut out));
        if self.first >= spec.length as usize {
            (self.vector, self.first, self.masks) = (self.vector + 1, 0, None);
        }
        Some(out)
    }
}

/// Masks and packs a whole vector.
fn mask_all<L: Lane>(masks: &Masks, bits: u8, values: &mut [L], packed: &mut [u8]) {
    let size = tile::<L>();
    let one = |(at, (tile, packed)): (usize, (&mut [L], &mut [u8]))| {
        masks.apply(at * size, tile);
        pack(tile, bits, packed);
    };
    let packed_tile = size / 8 * usize::from(bits);
    if values.len() <= size {
        one((0, (values, packed)));
    } else {
        values.par_chunks_mut(size).zip(packed.par_chunks_mut(packed_tile)).enumerate().for_each(one);
    }
}

/// Masks and packs the tile that begins at `first`; returns where the next one begins.
fn mask_next<L: Lane>(masks: &Masks, bits: u8, values: &mut [L], first: usize, out: &mut Vec<u8>) -> usize {
    let end = values.len().min(first + tile::<L>());
    let Some(values) = values.get_mut(first..end) else { return end };
    masks.apply(first, values);
    let begin = out.len();
    out.resize(begin + (values.len() * usize::from(bits)).div_ceil(8), 0);
    pack(values, bits, out.get_mut(begin..).unwrap_or_default());
    end
}
