//! Sets of clients as bits: one for each client of a list that both sides know (spec §4.6).

/// The bits of a list, the first one least significant in the first byte.
pub(crate) fn pack(bits: impl ExactSizeIterator<Item = bool>) -> Vec<u8> {
    let mut packed = vec![0; bits.len().div_ceil(8)];
    for (at, bit) in bits.enumerate() {
        if let Some(byte) = packed.get_mut(at / 8) {
            *byte |= u8::from(bit) << (at % 8);
        }
    }
    packed
}

/// The bits for a list of `count`; `None` if there are more or fewer, or a bit behind the last is set.
pub(crate) fn unpack(packed: &[u8], count: usize) -> Option<Vec<bool>> {
    let bits = (0..count).map(|at| packed.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1));
    let bits: Vec<bool> = bits.collect();
    (pack(bits.iter().copied()) == packed).then_some(bits)
}
