//! Vectors: lanes in memory, packed bits on the wire (spec §7).

use std::fmt;

use zeroize::Zeroize;

use crate::VectorSpec;

/// The coordinates of one vector, in the narrowest lane that holds its bit width: 16 bits up to b = 16,
/// 32 up to b = 32, 64 above.
#[derive(Clone, PartialEq, Eq)]
pub enum Lanes {
    /// Bit widths 1 to 16.
    U16(Vec<u16>),
    /// Bit widths 17 to 32.
    U32(Vec<u32>),
    /// Bit widths 33 to 62.
    U64(Vec<u64>),
}

/// Runs the same code on whichever lane there is.
macro_rules! each_lane {
    ($lanes:expr, $values:ident => $body:expr) => {
        match $lanes {
            $crate::Lanes::U16($values) => $body,
            $crate::Lanes::U32($values) => $body,
            $crate::Lanes::U64($values) => $body,
        }
    };
}
pub(crate) use each_lane;

impl Lanes {
    /// Zeros, for the bit width and length of `spec`.
    pub(crate) fn zeros(spec: &VectorSpec) -> Self {
        let length = spec.length as usize;
        match spec.bits {
            ..=16 => Self::U16(vec![0; length]),
            17..=32 => Self::U32(vec![0; length]),
            _ => Self::U64(vec![0; length]),
        }
    }

    /// Number of coordinates.
    pub fn len(&self) -> usize {
        each_lane!(self, values => values.len())
    }

    /// Whether there are no coordinates.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The coordinate at `index`.
    pub fn get(&self, index: usize) -> Option<u64> {
        each_lane!(self, values => values.get(index).map(|&value| value.wide()))
    }

    /// The coordinates in order.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.len()).map_while(|index| self.get(index))
    }

    /// The index of the first coordinate above `greatest`.
    pub(crate) fn first_above(&self, greatest: u64) -> Option<usize> {
        each_lane!(self, values => values.iter().position(|&value| value.wide() > greatest))
    }

    /// Moves the coordinates, which all fit, into the lane of `bits`.
    pub(crate) fn move_into_lane_of(&mut self, bits: u8) {
        let moved = match (&self, bits) {
            (Self::U16(_), ..=16) | (Self::U32(_), 17..=32) | (Self::U64(_), 33..) => return,
            (_, ..=16) => Self::U16(self.iter().map(|value| value as u16).collect()),
            (_, 17..=32) => Self::U32(self.iter().map(|value| value as u32).collect()),
            _ => Self::U64(self.iter().collect()),
        };
        self.zeroize();
        *self = moved;
    }

    /// Takes each coordinate modulo 2^bits.
    pub(crate) fn reduce(&mut self, bits: u8) {
        let mask = (1u64 << bits) - 1;
        each_lane!(self, values => values.iter_mut().for_each(|value| *value = Lane::of(value.wide() & mask)));
    }
}

impl Lanes {
    /// Subtracts integers, modulo the width of the lane; of none, nothing.
    pub(crate) fn subtract(&mut self, integers: &[i64]) {
        each_lane!(self, values => values.iter_mut().zip(integers).for_each(|(value, integer)| {
            *value = Lane::of(value.wide().wrapping_sub(*integer as u64));
        }));
    }
}

impl Zeroize for Lanes {
    fn zeroize(&mut self) {
        each_lane!(self, values => values.zeroize());
    }
}

/// Prints the lane and length only: the coordinates may be a client's secret.
impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = match self {
            Self::U16(_) => 16,
            Self::U32(_) => 32,
            Self::U64(_) => 64,
        };
        write!(f, "Lanes(u{width} × {})", self.len())
    }
}

impl From<Vec<u16>> for Lanes {
    fn from(values: Vec<u16>) -> Self {
        Self::U16(values)
    }
}

impl From<Vec<u32>> for Lanes {
    fn from(values: Vec<u32>) -> Self {
        Self::U32(values)
    }
}

impl From<Vec<u64>> for Lanes {
    fn from(values: Vec<u64>) -> Self {
        Self::U64(values)
    }
}

/// An input in the order and the lanes of its configuration. Wiped when dropped.
pub(crate) struct Arranged(pub(crate) Vec<Lanes>);

impl Drop for Arranged {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(Zeroize::zeroize);
    }
}

/// An unsigned integer that holds a coordinate; arithmetic is modulo its width.
pub(crate) trait Lane: Copy + Send + Sync + Default + Into<u64> + Zeroize + 'static {
    const BITS: u8;

    /// The low bits of `value`.
    fn of(value: u64) -> Self;

    /// The lane as a number.
    fn wide(self) -> u64 {
        self.into()
    }

    fn add(self, other: Self) -> Self;

    /// Reads a lane from its bytes, least first.
    fn load(bytes: &[u8]) -> Self;

    /// Writes a lane to its bytes, least first.
    fn store(self, bytes: &mut [u8]);

    /// Adds to (or subtracts from) the coordinates the lanes that a keystream holds, least byte first.
    /// The lanes may be fewer than the keystream has.
    fn add_keystream<const SUBTRACT: bool>(lanes: &mut [Self], keystream: &[u8]);

    /// [`pack`] for a width below the lane's.
    fn pack(values: &[Self], bits: u8, out: &mut [u8]);

    /// [`add_packed`] for a width below the lane's.
    fn add_packed(sums: &mut [Self], bits: u8, packed: &[u8]);
}

/// Coordinates of a group: packed, it is as many bytes as a coordinate has bits.
const GROUP: usize = 8;

/// A lane and the widths it is for; for each there is code that knows the width, some seven times faster.
macro_rules! lane {
    ($type:ty: $($bits:literal)*) => {
        impl Lane for $type {
            const BITS: u8 = <$type>::BITS as u8;

            fn of(value: u64) -> Self {
                value as Self
            }

            fn add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            #[inline(always)]
            fn load(bytes: &[u8]) -> Self {
                bytes.first_chunk().map_or(0, |bytes| Self::from_le_bytes(*bytes))
            }

            #[inline(always)]
            fn store(self, bytes: &mut [u8]) {
                if let Some(bytes) = bytes.first_chunk_mut() {
                    *bytes = self.to_le_bytes();
                }
            }

            #[inline(always)]
            fn add_keystream<const SUBTRACT: bool>(lanes: &mut [Self], keystream: &[u8]) {
                let (chunks, _) = keystream.as_chunks::<{ size_of::<$type>() }>();
                for (lane, chunk) in lanes.iter_mut().zip(chunks) {
                    let mask = <$type>::from_le_bytes(*chunk);
                    *lane = if SUBTRACT { lane.wrapping_sub(mask) } else { lane.wrapping_add(mask) };
                }
            }

            fn pack(values: &[Self], bits: u8, out: &mut [u8]) {
                match bits {
                    $($bits => pack_groups::<Self, $bits>(values, out),)*
                    _ => pack_some(values, u32::from(bits), out),
                }
            }

            fn add_packed(sums: &mut [Self], bits: u8, packed: &[u8]) {
                match bits {
                    $($bits => add_packed_groups::<Self, $bits>(sums, packed),)*
                    _ => add_packed_some(sums, u32::from(bits), packed),
                }
            }
        }
    };
}

lane!(u16: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
lane!(u32: 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
lane!(u64: 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62);

/// Packs the low `bits` of each value, least significant bit first, into the `⌈values · bits / 8⌉` bytes of
/// `out` (spec §7.2).
pub(crate) fn pack<L: Lane>(values: &[L], bits: u8, out: &mut [u8]) {
    if bits == L::BITS {
        for (bytes, &value) in out.chunks_exact_mut(usize::from(L::BITS / 8)).zip(values) {
            value.store(bytes);
        }
    } else {
        L::pack(values, bits, out);
    }
}

fn pack_groups<L: Lane, const BITS: usize>(values: &[L], out: &mut [u8]) {
    let (groups, rest) = values.as_chunks::<GROUP>();
    let (packed, packed_rest) = out.split_at_mut(out.len().min(groups.len() * BITS));
    for (values, out) in groups.iter().zip(packed.as_chunks_mut::<BITS>().0) {
        pack_some(values, BITS as u32, out);
    }
    pack_some(rest, BITS as u32, packed_rest);
}

#[inline(always)]
fn pack_some<L: Lane>(values: &[L], bits: u32, out: &mut [u8]) {
    let mask = (1u64 << bits) - 1;
    let (mut held, mut count) = (0u128, 0);
    let mut words = out.chunks_mut(8);
    for &value in values {
        held |= u128::from(value.wide() & mask) << count;
        count += bits;
        if count >= 64 {
            if let Some(word) = words.next() {
                word.copy_from_slice(&(held as u64).to_le_bytes());
            }
            held >>= 64;
            count -= 64;
        }
    }
    for (byte, value) in words.flatten().zip(held.to_le_bytes()) {
        *byte = value;
    }
}

/// Adds packed coordinates to `sums`. The caller has checked that the lengths agree.
pub(crate) fn add_packed<L: Lane>(sums: &mut [L], bits: u8, packed: &[u8]) {
    if bits == L::BITS {
        for (sum, bytes) in sums.iter_mut().zip(packed.chunks_exact(usize::from(L::BITS / 8))) {
            *sum = sum.add(L::load(bytes));
        }
    } else {
        L::add_packed(sums, bits, packed);
    }
}

fn add_packed_groups<L: Lane, const BITS: usize>(sums: &mut [L], packed: &[u8]) {
    let (groups, rest) = sums.as_chunks_mut::<GROUP>();
    let (packed, packed_rest) = packed.split_at(packed.len().min(groups.len() * BITS));
    for (sums, packed) in groups.iter_mut().zip(packed.as_chunks::<BITS>().0) {
        add_packed_some(sums, BITS as u32, packed);
    }
    add_packed_some(rest, BITS as u32, packed_rest);
}

#[inline(always)]
fn add_packed_some<L: Lane>(sums: &mut [L], bits: u32, packed: &[u8]) {
    let mask = (1u64 << bits) - 1;
    let (mut held, mut count) = (0u128, 0);
    let mut words = packed.chunks(8).map(little_endian);
    for sum in sums {
        if count < bits {
            held |= u128::from(words.next().unwrap_or_default()) << count;
            count += 64;
        }
        *sum = sum.add(L::of(held as u64 & mask));
        held >>= bits;
        count -= bits;
    }
}

/// Whether the bits behind the last coordinate are zero (`[4.4-5]`).
pub(crate) fn padding_is_zero(spec: &VectorSpec, packed: &[u8]) -> bool {
    let used = (u64::from(spec.length) * u64::from(spec.bits) % 8) as u32;
    used == 0 || packed.last().is_none_or(|last| last >> used == 0)
}

/// The number that at most eight bytes are, least first.
#[inline(always)]
fn little_endian(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    for (out, byte) in word.iter_mut().zip(bytes) {
        *out = *byte;
    }
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round_trip<L: Lane + PartialEq + fmt::Debug>(values: Vec<L>, bits: u8) {
        let mask = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
        let spec = VectorSpec::new("v", values.len() as u32, bits);
        let mut packed = vec![0xaa; spec.packed_len() as usize];
        pack(&values, bits, &mut packed);
        assert!(padding_is_zero(&spec, &packed));
        let mut sums = vec![L::of(3); values.len()];
        add_packed(&mut sums, bits, &packed);
        for (sum, value) in sums.iter().zip(&values) {
            assert_eq!(*sum, L::of(value.wide() & mask).add(L::of(3)));
        }
        // Bit j of coordinate i is bit i·b + j of the packed string.
        for (at, value) in values.iter().enumerate() {
            for bit in 0..bits {
                let place = at * usize::from(bits) + usize::from(bit);
                assert_eq!(packed[place / 8] >> (place % 8) & 1, (value.wide() >> bit & 1) as u8);
            }
        }
    }

    proptest! {
        #[test]
        fn packing_keeps_the_low_bits(values in prop::collection::vec(any::<u64>(), 1..50), bits in 1u8..=62) {
            match bits {
                ..=16 => round_trip(values.iter().map(|&v| v as u16).collect(), bits),
                17..=32 => round_trip(values.iter().map(|&v| v as u32).collect(), bits),
                _ => round_trip(values, bits),
            }
        }
    }

    #[test]
    fn padding_is_checked() {
        let spec = VectorSpec::new("v", 3, 3);
        assert!(padding_is_zero(&spec, &[0xff, 0x01]));
        assert!(!padding_is_zero(&spec, &[0xff, 0x02]));
        assert!(padding_is_zero(&VectorSpec::new("v", 8, 3), &[0xff, 0xff, 0xff]));
    }
}
