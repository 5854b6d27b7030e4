//! Masks: expanded from seeds straight into the coordinates, a cache tile at a time (spec §7.3).

use aes::cipher::consts::U16;
use aes::cipher::{Array, Block, BlockSizeUser, ParBlocks, StreamCipherBackend, StreamCipherClosure};
use rayon::prelude::*;
use zeroize::optimization_barrier;

use crate::crypto::prg::Keystream;
use crate::crypto::{Kept, and_wipe, derive};
use crate::vector::{Lane, Lanes, each_lane};
use crate::{ClientId, Suite};

/// Bytes of a tile: it and the keystream in flight stay in a core's own cache.
const TILE_BYTES: usize = 32 << 10;

/// Seeds whose ciphers are held at a time, so that memory does not grow with the square of the clients.
const SEEDS_AT_A_TIME: usize = 4096;

/// Pieces of work below which waking other threads costs more than it saves.
pub(crate) const PARALLEL: usize = 64;

/// Coordinates of a tile of a vector: a multiple of eight, so that a packed tile is of whole bytes.
pub(crate) const fn tile<L: Lane>() -> usize {
    TILE_BYTES / size_of::<L>()
}

/// What a mask does to the coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Add,
    Subtract,
}

impl Sign {
    /// The sign with which `me` applies the mask it shares with `other` (Bonawitz et al. 2017, figure 4,
    /// Δ): the greater id adds.
    pub(crate) fn of_pair(me: ClientId, other: ClientId) -> Self {
        if me > other { Self::Add } else { Self::Subtract }
    }
}

/// 32 secret bytes from which the mask of every vector of the session follows.
pub(crate) struct MaskSeed(Kept<[u8; 32]>);

impl MaskSeed {
    /// The seed that two neighbours share (spec §3.4).
    pub(crate) fn pairwise(
        suite: Suite,
        session: &[u8; 32],
        agreed: &[u8; 32],
        one: (ClientId, &[u8; 32]),
        other: (ClientId, &[u8; 32]),
    ) -> Self {
        let (low, high) = if one.0 < other.0 { (one, other) } else { (other, one) };
        let ids = [low.0.get().to_be_bytes(), high.0.get().to_be_bytes()];
        Self(Box::new(derive(suite, "pairwise mask", session, agreed, &[&ids[0], &ids[1], low.1, high.1])))
    }

    /// The seed of a client's own mask (spec §3.4).
    pub(crate) fn own(suite: Suite, session: &[u8; 32], self_mask: &[u8; 32], id: ClientId) -> Self {
        Self(Box::new(derive(suite, "self mask", session, self_mask, &[&id.get().to_be_bytes()])))
    }

    /// The keystream of the vector at `index` in the configuration.
    fn keystream(&self, suite: Suite, session: &[u8; 32], index: u8) -> Keystream {
        Keystream::new(&derive(suite, "mask keystream", session, self.0.as_slice(), &[&[index]]))
    }
}

/// The masks of one vector: the ciphers of all seeds, ready to be run over any tile.
pub(crate) struct Masks(Vec<(Keystream, Sign)>);

impl Masks {
    pub(crate) fn new(suite: Suite, session: &[u8; 32], index: u8, seeds: &[(MaskSeed, Sign)]) -> Self {
        let ready = |(seed, sign): &(MaskSeed, Sign)| (seed.keystream(suite, session, index), *sign);
        Self(match seeds.len() {
            ..PARALLEL => seeds.iter().map(ready).collect(),
            _ => seeds.par_iter().map(|seed| and_wipe(|| ready(seed))).collect(),
        })
    }

    /// Applies all masks to the tile that begins at coordinate `first` (a multiple of the tile's size).
    pub(crate) fn apply<L: Lane>(&self, first: usize, tile: &mut [L]) {
        let block = (first * size_of::<L>() / 16) as u64;
        for (keystream, sign) in &self.0 {
            match sign {
                Sign::Add => keystream.process(block, AddTo::<L, false>(tile)),
                Sign::Subtract => keystream.process(block, AddTo::<L, true>(tile)),
            }
        }
    }
}

/// Applies the masks of all seeds to a whole vector, tiles in parallel.
pub(crate) fn apply_all(
    suite: Suite,
    session: &[u8; 32],
    index: u8,
    seeds: &[(MaskSeed, Sign)],
    lanes: &mut Lanes,
) {
    for some in seeds.chunks(SEEDS_AT_A_TIME) {
        let masks = Masks::new(suite, session, index, some);
        each_lane!(&mut *lanes, values => apply_to_tiles(&masks, values));
    }
}

fn apply_to_tiles<L: Lane>(masks: &Masks, values: &mut [L]) {
    let size = tile::<L>();
    let apply = |(at, tile): (usize, &mut [L])| masks.apply(at * size, tile);
    match values.len() / size * masks.0.len() {
        ..PARALLEL => values.chunks_mut(size).enumerate().for_each(apply),
        _ => values.par_chunks_mut(size).enumerate().for_each(apply),
    }
}

/// Bytes of a cache line, and of the widest vector register.
const LINE: usize = 64;

/// Adds a keystream to coordinates without storing it anywhere but in registers and a few cache lines.
struct AddTo<'a, L, const SUBTRACT: bool>(&'a mut [L]);

impl<L: Lane, const SUBTRACT: bool> AddTo<'_, L, SUBTRACT> {
    const PER_BLOCK: usize = 16 / size_of::<L>();

    /// Coordinates before the first boundary of a cache line, if a keystream block ends there: a store across
    /// a boundary costs two.
    fn head(&self) -> usize {
        match self.0.as_ptr().align_offset(LINE) {
            head if head % Self::PER_BLOCK == 0 => head.min(self.0.len()),
            _ => 0,
        }
    }
}

impl<L, const SUBTRACT: bool> BlockSizeUser for AddTo<'_, L, SUBTRACT> {
    type BlockSize = U16;
}

impl<L: Lane, const SUBTRACT: bool> StreamCipherClosure for AddTo<'_, L, SUBTRACT> {
    #[inline(always)]
    fn call<B: StreamCipherBackend<BlockSize = U16>>(self, backend: &mut B) {
        let head = self.head();
        let (head, lines) = self.0.split_at_mut(head);
        let mut block = Block::<B>::default();
        for lanes in head.chunks_mut(Self::PER_BLOCK) {
            backend.gen_ks_block(&mut block);
            L::add_keystream::<SUBTRACT>(lanes, &block);
        }
        let mut blocks = ParBlocks::<B>::default();
        let mut runs = lines.chunks_exact_mut(Self::PER_BLOCK * blocks.len());
        for run in &mut runs {
            backend.gen_par_ks_blocks(&mut blocks);
            L::add_keystream::<SUBTRACT>(run, Array::slice_as_flattened(&blocks));
        }
        let rest = runs.into_remainder();
        if !rest.is_empty() {
            backend.gen_par_ks_blocks(&mut blocks);
            L::add_keystream::<SUBTRACT>(rest, Array::slice_as_flattened(&blocks));
        }
        // Byte by byte, as `Zeroize` does it, this would take a tenth of the time of a tile.
        block.fill(0);
        blocks.fill(block);
        optimization_barrier(&block);
        optimization_barrier(&blocks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: [u8; 32] = [3; 32];

    fn seeds(count: u8) -> Vec<(MaskSeed, Sign)> {
        (0..count)
            .map(|at| {
                (
                    MaskSeed(Box::new(zeroize::Zeroizing::new([at; 32]))),
                    if at % 3 == 0 { Sign::Subtract } else { Sign::Add },
                )
            })
            .collect()
    }

    /// The mask written out plainly: keystream bytes, least first, one lane each.
    fn expected(length: usize, size: usize, seeds: &[(MaskSeed, Sign)]) -> Vec<u64> {
        let mut sums = vec![0u64; length];
        for (seed, sign) in seeds {
            let bytes = seed.keystream(Suite::Curious, &SESSION, 1).bytes(length * size);
            for (sum, lane) in sums.iter_mut().zip(bytes.chunks_exact(size)) {
                let lane = lane.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
                *sum = match sign {
                    Sign::Add => sum.wrapping_add(lane),
                    Sign::Subtract => sum.wrapping_sub(lane),
                };
            }
        }
        sums
    }

    #[test]
    fn tiles_give_the_same_as_the_plain_keystream() {
        for length in [1usize, 7, 129, 4097, 40_000] {
            for (lanes, size) in [
                (Lanes::U16(vec![0; length]), 2),
                (Lanes::U32(vec![0; length]), 4),
                (Lanes::U64(vec![0; length]), 8),
            ] {
                let mut lanes = lanes;
                let seeds = seeds(3);
                apply_all(Suite::Curious, &SESSION, 1, &seeds, &mut lanes);
                let mask = u64::MAX >> (64 - 8 * size);
                assert!(lanes.iter().eq(expected(length, size, &seeds).iter().map(|sum| sum & mask)));
            }
        }
    }

    #[test]
    fn the_two_of_a_pair_cancel() {
        let (a, b) = (ClientId::new(4).unwrap(), ClientId::new(9).unwrap());
        assert_eq!((Sign::of_pair(a, b), Sign::of_pair(b, a)), (Sign::Subtract, Sign::Add));
        let (pa, pb) = ([1; 32], [2; 32]);
        let one = MaskSeed::pairwise(Suite::Curious, &SESSION, &[7; 32], (a, &pa), (b, &pb));
        let other = MaskSeed::pairwise(Suite::Curious, &SESSION, &[7; 32], (b, &pb), (a, &pa));
        assert_eq!(one.0, other.0);
    }
}
