//! Packed vectors: the fast packing and the sums of the core against one bit at a time (spec §7.2).

use arbitrary::{Result, Unstructured};
use secagg::conformance::packing as fast;

pub(super) fn packing(data: &[u8]) {
    let mut from = Unstructured::new(data);
    let Ok(bits) = from.int_in_range(1..=62) else { return };
    let Ok(length) = from.int_in_range(1..=300) else { return };
    let Ok(coordinates) = coordinates(&mut from, bits, length) else { return };
    let packed = bit_by_bit(bits, &coordinates);
    assert_eq!(fast(bits, &coordinates), packed);
    assert_eq!(unpacked(bits, length as u32, &packed), coordinates);
}

pub(super) fn coordinates(from: &mut Unstructured<'_>, bits: u8, length: usize) -> Result<Vec<u64>> {
    (0..length).map(|_| Ok(from.arbitrary::<u64>()? & ((1 << bits) - 1))).collect()
}

pub(super) fn bit_by_bit(bits: u8, coordinates: &[u64]) -> Vec<u8> {
    let width = usize::from(bits);
    let mut out = vec![0; (coordinates.len() * width).div_ceil(8)];
    for (place, value) in coordinates.iter().enumerate() {
        for at in 0..width {
            let to = place * width + at;
            out[to / 8] |= ((value >> at & 1) as u8) << (to % 8);
        }
    }
    out
}

pub(super) fn unpacked(bits: u8, length: u32, packed: &[u8]) -> Vec<u64> {
    let width = usize::from(bits);
    let bit = |at: usize| u64::from(packed[at / 8] >> (at % 8) & 1);
    let value = |place: usize| (0..width).map(|at| bit(place * width + at) << at).sum();
    (0..length as usize).map(value).collect()
}
