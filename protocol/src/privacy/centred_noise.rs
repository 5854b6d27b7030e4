//! Draws of N_Z(c, σ²) around centres c on a fine grid, exact and in integer arithmetic only.
#![cfg_attr(not(test), deny(clippy::float_arithmetic))]

use zeroize::Zeroizing;

use super::bits::{Bits, WORDS};
use super::law::{Law, MIDDLE};
use super::table::{Table, if_open, top};
use super::{PrivacyError, Variance};

/// A discrete Gaussian of given σ² around any multiple of 2^−grid, ready to be drawn from: a row of thresholds for
/// each distance of a centre from the nearest integer.
///
/// A draw compares 31 bits of one random word with all thresholds of its row. If these leave it open, once in 2²⁶
/// draws or less, a table of the row's law is made and decides, however deep it must go.
///
/// # Security
/// Neither the number of operations nor any branch depends on the centre or on what is drawn, but for that rare
/// event. Which row is read does depend on the centre: where others share the processor's caches with a client, they
/// might learn something of the last bits of its centres. The noise around a centre cannot be drawn before the
/// centre is known, as [`super::GaussianNoise`] can.
#[derive(Clone, Debug)]
pub struct CentredNoise {
    variance: Variance,
    grid: u32,
    /// What no threshold at or below a draw stands for.
    start: i64,
    width: usize,
    /// Rows of the first 31 bits of the thresholds, from the centre 0 to ½.
    rows: Vec<i32>,
}

/// The greatest σ², in squared integer units.
const GREATEST_VARIANCE: u64 = 64;

/// The most bits of fraction that centres may have.
pub(super) const GREATEST_GRID: u32 = 12;

/// The bits of fraction that centres have whose squares sum up to at most `norm_squared`, in units of 2⁻²⁴: the fewest f
/// with which d/4·4^−f, what roundings add in the mean, is at most 1/512 of that; 12 if there are none (spec §9.1).
pub(super) fn fraction_bits(norm_squared: u64, dimension: u64) -> u32 {
    let wanted = u128::from(dimension) << (2 * GREATEST_GRID + 7);
    (0..GREATEST_GRID).find(|bits| u128::from(norm_squared) << (2 * bits) >= wanted).unwrap_or(GREATEST_GRID)
}

/// Thresholds that are compared at a time: rows are of a multiple of these.
const LANES: usize = 8;

impl CentredNoise {
    /// Computes the rows, 2^(grid−1) + 1 of them: some fifty microseconds each.
    ///
    /// # Errors
    /// A σ² outside 1 to 64; a grid of more than 12 bits.
    pub fn new(variance: Variance, grid: u32) -> Result<Self, PrivacyError> {
        let greatest = GREATEST_VARIANCE * Variance::ONE;
        within("σ² of centred noise, in units of 2^−16,", variance.units(), Variance::ONE, greatest)?;
        within("the bits of a centre's fraction", grid.into(), 0, GREATEST_GRID.into())?;
        let law = |offset| Law::Centred { units: variance.units(), offset, grid };
        let half = (1u64 << grid) / 2;
        let all: Vec<(u64, Vec<i32>)> = (0..=half).map(|offset| row(law(offset))).collect();
        let first = all.iter().map(|(first, _)| *first).min().unwrap_or(MIDDLE);
        let end = all.iter().map(|(first, tops)| first + tops.len() as u64).max().unwrap_or(MIDDLE);
        // One more than the longest, so that every row ends with what no draw exceeds.
        let width = ((end - first) as usize + 1).next_multiple_of(LANES);
        let mut rows = Vec::with_capacity(all.len() * width);
        for (own, tops) in &all {
            rows.extend(std::iter::repeat_n(0, (own - first) as usize).chain(tops.iter().copied()));
            rows.resize(rows.len().next_multiple_of(width), i32::MAX);
        }
        Ok(Self { variance, grid, start: first as i64 - MIDDLE as i64, width, rows })
    }

    /// The parameter σ².
    pub fn variance(&self) -> Variance {
        self.variance
    }

    /// Bits of fraction of the centres.
    pub fn grid(&self) -> u32 {
        self.grid
    }

    /// One draw around each centre, which is given in units of 2^−grid; they follow from the seed.
    ///
    /// The seed is used for nothing else.
    pub fn draw(&self, centres: &[i64], seed: &[u8; 32]) -> Vec<i64> {
        let mut draws = centres.to_vec();
        self.draw_over(&mut draws, seed);
        draws
    }

    /// As [`CentredNoise::draw`], in the place of the centres.
    pub fn draw_over(&self, mut centres: &mut [i64], seed: &[u8; 32]) {
        let mut bits = Bits::new(seed, "centred gaussian");
        let mut draws = Zeroizing::new([0; WORDS]);
        while !centres.is_empty() {
            let (words, mut open) = (bits.next_words(), 0);
            let count = words.len().min(centres.len());
            for ((draw, centre), &word) in draws.iter_mut().zip(&*centres).zip(words) {
                *draw = self.around(*centre, |offset| {
                    let (drawn, equal) = self.drawn_in(offset, word);
                    open |= equal;
                    drawn
                });
            }
            bits.skip(count);
            let (some, rest) = centres.split_at_mut(count);
            if_open(open != 0, || self.draw_again(&mut bits, some, &mut *draws));
            some.copy_from_slice(draws.get(..count).unwrap_or_default());
            centres = rest;
        }
    }

    /// The draws of words that were taken together, one by one: what is left open reads on before the next begins.
    #[cold]
    #[inline(never)]
    fn draw_again(&self, bits: &mut Bits, centres: &[i64], draws: &mut [i64]) {
        bits.give_back(centres.len());
        for (draw, centre) in draws.iter_mut().zip(centres) {
            *draw = self.around(*centre, |offset| self.decided_in(offset, bits));
        }
    }

    /// The law around −c is the mirror of that around c: rows are for distances only. `drawn` is a draw of the row of a
    /// distance.
    #[inline]
    fn around(&self, centre: i64, drawn: impl FnOnce(usize) -> i64) -> i64 {
        let half = (1i64 << self.grid) >> 1;
        let nearest = centre.wrapping_add(half) >> self.grid;
        let beyond = centre.wrapping_sub(nearest << self.grid);
        let flip = beyond >> 63;
        let offset = ((beyond ^ flip) - flip) as usize;
        nearest.wrapping_add((drawn(offset) ^ flip) - flip)
    }

    /// What a word draws of a row, and not 0 if that is left open.
    #[inline]
    fn drawn_in(&self, offset: usize, word: u64) -> (i64, i32) {
        let found = top(word);
        let row = self.rows.get(offset * self.width..(offset + 1) * self.width).unwrap_or_default();
        let (mut below, mut equal) = ([0i32; LANES], [0i32; LANES]);
        for thresholds in row.as_chunks::<LANES>().0 {
            for ((below, equal), threshold) in below.iter_mut().zip(&mut equal).zip(thresholds) {
                *below += i32::from(*threshold < found);
                *equal |= i32::from(*threshold == found);
            }
        }
        let open = equal.iter().fold(0, |open, equal| open | equal);
        (self.start + i64::from(below.iter().sum::<i32>()), open)
    }

    /// A draw of a row, however many words it takes.
    fn decided_in(&self, offset: usize, bits: &mut Bits) -> i64 {
        let word = bits.word();
        match self.drawn_in(offset, word) {
            (drawn, 0) => drawn,
            _ => self.resolve(offset, word, bits),
        }
    }

    #[cold]
    fn resolve(&self, offset: usize, word: u64, bits: &mut Bits) -> i64 {
        let law = Law::Centred { units: self.variance.units(), offset: offset as u64, grid: self.grid };
        Table::new(law).resolve(word, bits) as i64 - MIDDLE as i64
    }
}

/// The thresholds of a row by their first 31 bits, and what the first stands for: of those whose bits are all zeros only
/// the last, and none whose bits are all ones, for words with such bits are decided by the row's table.
fn row(law: Law) -> (u64, Vec<i32>) {
    let thresholds = law.thresholds(1);
    let tops = thresholds.values.iter().filter_map(|value| value.fraction().first().copied().map(top));
    let tops: Vec<i32> = tops.take_while(|&top| top < i32::MAX).collect();
    let zeros = tops.iter().take_while(|&&top| top == 0).count().saturating_sub(1);
    (thresholds.first + zeros as u64, tops.into_iter().skip(zeros).collect())
}

fn within(what: &'static str, found: u64, least: u64, greatest: u64) -> Result<(), PrivacyError> {
    match (least..=greatest).contains(&found) {
        true => Ok(()),
        false => Err(PrivacyError::NotDrawn { what, found, least, greatest }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(sigma: f64, grid: u32) -> CentredNoise {
        CentredNoise::new(Variance::at_least(sigma).unwrap(), grid).unwrap()
    }

    /// Every draw is the one that the row's whole table makes of the same word.
    #[test]
    fn rows_decide_as_tables_do() {
        for (sigma, grid) in [(1.05, 3), (1.3, 0), (2.0, 1), (8.0, 2)] {
            let noise = noise(sigma, grid);
            for offset in 0..=(1u64 << grid) / 2 {
                let law = Law::Centred { units: noise.variance.units(), offset, grid };
                let table = Table::new(law);
                let (mut one, mut other) = (Bits::new(&[1; 32], "test"), Bits::new(&[1; 32], "test"));
                for _ in 0..20_000 {
                    let expected = table.draw(&mut other) as i64 - MIDDLE as i64;
                    assert_eq!(
                        noise.decided_in(offset as usize, &mut one),
                        expected,
                        "{sigma} {offset}/2^{grid}"
                    );
                }
            }
        }
    }

    #[test]
    fn draws_that_are_made_again_are_the_same() {
        let noise = noise(1.3, 2);
        let centres: Vec<i64> = (0..WORDS as i64).map(|at| 3 * at - 700).collect();
        let (mut bits, mut draws) = (Bits::new(&[5; 32], "centred gaussian"), vec![0; WORDS]);
        bits.next_words();
        bits.skip(WORDS);
        noise.draw_again(&mut bits, &centres, &mut draws);
        assert_eq!(draws, noise.draw(&centres, &[5; 32]));
    }

    #[test]
    fn what_31_bits_leave_open_is_decided_further_on() {
        let noise = noise(1.3, 2);
        let law = Law::Centred { units: noise.variance.units(), offset: 1, grid: 2 };
        let (table, bits) = (Table::new(law), || Bits::new(&[2; 32], "test"));
        let row = &noise.rows[noise.width..2 * noise.width];
        assert_eq!(*row.last().unwrap(), i32::MAX);
        for &threshold in row {
            for word in [(threshold as u64) << 33, (threshold as u64) << 33 | (u64::MAX >> 31)] {
                let expected = table.resolve(word, &mut bits()) as i64 - MIDDLE as i64;
                assert_eq!(noise.resolve(1, word, &mut bits()), expected);
                assert!(row.contains(&((word >> 33) as i32)));
            }
        }
    }

    #[test]
    fn whole_parts_only_move_the_draw() {
        let noise = noise(1.3, 4);
        for (centre, by) in [(3i64, 5i64), (-3, 5), (8, -7), (-8, 1), (15, 1 << 40)] {
            let centres = |base: i64| vec![base; 1000];
            let (at, moved) =
                (noise.draw(&centres(centre), &[3; 32]), noise.draw(&centres(centre + (by << 4)), &[3; 32]));
            assert!(at.iter().zip(&moved).all(|(one, other)| one + by == *other), "{centre} {by}");
        }
        // The ends do not overflow.
        let ends = noise.draw(&[i64::MIN, i64::MAX], &[3; 32]);
        assert!(ends[0] < -(1 << 58) && ends[1].unsigned_abs() > 1 << 58);
    }

    #[test]
    fn draws_follow_from_the_seed_and_refusals_name_the_range() {
        let (noise, centres) = (noise(1.3, 9), [77; 64]);
        assert_eq!(noise.draw(&centres, &[1; 32]), noise.draw(&centres, &[1; 32]));
        assert_ne!(noise.draw(&centres, &[1; 32]), noise.draw(&centres, &[2; 32]));
        for sigma in [0.9, 8.1] {
            let refused = CentredNoise::new(Variance::at_least(sigma).unwrap(), 9).unwrap_err().to_string();
            assert!(refused.contains("65536 to 4194304"), "{refused}");
        }
        let refused = CentredNoise::new(noise.variance(), 13).unwrap_err().to_string();
        assert!(refused.contains("13") && refused.contains("12"), "{refused}");
    }
}
