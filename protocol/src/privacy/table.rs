//! Tables of a law's distribution function, and draws from them that are exact to any depth.
#![cfg_attr(not(test), deny(clippy::float_arithmetic))]

use zeroize::Zeroizing;

use super::bits::{Bits, FromWords, WORDS};
use super::law::{Law, Thresholds};

/// Words of each threshold that a table holds: draws that need more make a deeper table.
const DEPTH: usize = 4;

/// Where at most this many thresholds have first words that are not all ones, they can be read from end to end at
/// every draw: neither time nor memory accesses then depend on what is drawn.
const SCANNED: usize = 48;

/// Draws whose words are taken together when tables are scanned.
const BLOCK: usize = 4;

/// Thresholds that are compared with a word at once.
const GROUP: usize = 4;

/// Bits of the first word by which longer tables are entered.
const GUIDE_BITS: u32 = 12;

/// A law on 0, 1, 2, …, ready to be drawn from.
#[derive(Clone, Debug)]
pub(super) struct Table {
    law: Law,
    /// What index 0 stands for.
    start: u64,
    /// At depth k and index i, the k-th word of the probability of at most `start` + i.
    words: Vec<Vec<u64>>,
    /// For each value of the top bits of a word, the first index whose threshold is not below all such words.
    guide: Vec<u32>,
    /// The halves of the first words that are not all ones, if they are few.
    scanned: Option<Vec<i64>>,
    /// The tops of these, up to the first that is all ones, which stands for all after it.
    tops: Vec<[i32; GROUP]>,
}

/// Half of a word, as a number with room for a sign.
#[inline]
fn half(word: u64) -> i64 {
    (word >> 1) as i64
}

/// The first 31 bits of a word, as a number with room for a sign.
#[inline]
pub(super) fn top(word: u64) -> i32 {
    (word >> 33) as i32
}

/// Does the rest for draws that the first bits of their words leave open: the only branch on a draw of a sampler that is
/// scanned, taken once in 2^26 draws or less. That it was taken tells of one word that it equals a threshold's in 31 bits.
///
/// It is a function of its own, and nothing else is in it, so that a search for branches on secrets can leave out this one
/// and no other. `rest` is to be a call of what is never inlined.
#[inline(never)]
pub(super) fn if_open(open: bool, rest: impl FnOnce()) {
    if open {
        rest();
    }
}

/// Draws from a table that is scanned, where 31 bits of each word decide.
struct Tops<'a> {
    tops: &'a [[i32; GROUP]],
    start: i64,
    draws: &'a mut [i64],
    words: &'a mut Vec<i32>,
    below: &'a mut Vec<i32>,
    open: &'a mut bool,
}

impl FromWords for Tops<'_> {
    #[inline(always)]
    fn run(self, words: &[u64]) -> usize {
        // What an undecided draw reads on in comes after its block.
        let words = words.as_chunks::<BLOCK>().0.as_flattened();
        self.words.clear();
        self.words.extend(words.iter().zip(&*self.draws).map(|(&word, _)| top(word)));
        self.below.clear();
        self.below.resize(self.words.len(), 0);
        *self.open = count_below(self.tops, self.words, self.below);
        for (draw, &below) in self.draws.iter_mut().zip(&*self.below) {
            *draw = self.start + i64::from(below);
        }
        self.below.len()
    }
}

/// Adds to each count how many thresholds are below the number, and tells whether one equals any of them, as happens
/// to a number once in 2^26 times.
///
/// Few thresholds with all numbers, and not all of them with each number, is what becomes comparisons of many numbers
/// at once.
#[inline(always)]
fn count_below(thresholds: &[[i32; GROUP]], numbers: &[i32], counts: &mut [i32]) -> bool {
    let mut equal = 0;
    for group in thresholds {
        for (number, count) in numbers.iter().zip(&mut *counts) {
            for threshold in group {
                *count += i32::from(threshold < number);
                equal |= i32::from(threshold == number);
            }
        }
    }
    equal != 0
}

impl Table {
    pub(super) fn new(law: Law) -> Self {
        Self::with_depth(law, DEPTH)
    }

    /// A table that decides all draws but those of probability 2^(−64·depth) or so.
    fn with_depth(law: Law, depth: usize) -> Self {
        let Thresholds { first: start, values } = law.thresholds(depth);
        let words: Vec<Vec<u64>> = (0..depth)
            .map(|at| values.iter().filter_map(|one| one.fraction().get(at).copied()).collect())
            .collect();
        let first = words.first().map(Vec::as_slice).unwrap_or_default();
        let guide = (0..1u64 << GUIDE_BITS)
            .map(|top| first.partition_point(|&word| word < top << (64 - GUIDE_BITS)) as u32)
            .collect();
        let shallow = first.partition_point(|&word| word < u64::MAX);
        let halves = || first.iter().take(shallow).map(|&word| half(word)).collect();
        let scanned = (shallow <= SCANNED).then(halves);
        let below = first.partition_point(|&word| top(word) < i32::MAX);
        let mut tops = vec![[i32::MAX; GROUP]; below / GROUP + 1];
        tops.as_flattened_mut()
            .iter_mut()
            .zip(first.iter().take(below))
            .for_each(|(at, &word)| *at = top(word));
        Self { law, start, words, guide, scanned, tops }
    }

    /// Draws an m: the least whose threshold exceeds a uniform number, of which one word nearly always decides.
    #[inline]
    pub(super) fn draw(&self, bits: &mut Bits) -> u64 {
        let word = bits.word();
        let first = self.words.first().map(Vec::as_slice).unwrap_or_default();
        let mut at = self.guide.get((word >> (64 - GUIDE_BITS)) as usize).map_or(0, |&from| from as usize);
        let threshold = |at: usize| first.get(at).copied().unwrap_or(u64::MAX);
        // Two steps without a branch are enough nearly always: few thresholds share their top bits.
        at += usize::from(threshold(at) < word);
        at += usize::from(threshold(at) < word);
        while threshold(at) < word {
            at += 1;
        }
        if threshold(at) == word {
            // The word equals a threshold's, or all its bits are ones.
            return self.resolve(word, bits);
        }
        self.start + at as u64
    }

    /// Whether the table is small enough for [`Table::draw_all`] to take the same time whatever it draws.
    pub(super) fn is_scanned(&self) -> bool {
        self.scanned.is_some()
    }

    /// Makes draws by comparing each word with every threshold.
    ///
    /// Words are taken by the block, of which the last is not always used up.
    pub(super) fn draw_all(&self, bits: &mut Bits, mut draws: &mut [i64]) {
        let (mut words, mut below) = (Zeroizing::new(Vec::new()), Zeroizing::new(Vec::new()));
        while !draws.is_empty() {
            let whole = draws.len() / BLOCK * BLOCK;
            let (many, _) = draws.split_at_mut(whole);
            let (tops, start, mut open) = (&self.tops, self.start as i64, false);
            let (words, below) = (&mut words, &mut below);
            let mut drawn =
                bits.take_widely(Tops { tops, start, draws: many, words, below, open: &mut open });
            if drawn == 0 {
                // Too few for a block.
                drawn = draws.len().min(WORDS);
                self.draw_blocks(bits, draws.get_mut(..drawn).unwrap_or_default());
            }
            let (done, rest) = draws.split_at_mut(drawn);
            if_open(open, || self.draw_again(bits, done));
            draws = rest;
        }
    }

    /// The draws of words that were taken together, by more bits of each.
    #[cold]
    #[inline(never)]
    fn draw_again(&self, bits: &mut Bits, draws: &mut [i64]) {
        bits.give_back(draws.len());
        self.draw_blocks(bits, draws);
    }

    /// The same by 63 bits of each word, block by block.
    fn draw_blocks(&self, bits: &mut Bits, draws: &mut [i64]) {
        for block in draws.chunks_mut(BLOCK) {
            let words: [u64; BLOCK] = std::array::from_fn(|_| bits.word());
            let (below, not_above) = self.scan(&words);
            let counts = below.iter().zip(&not_above);
            let mut open = 0;
            for ((draw, &word), (below, not_above)) in block.iter_mut().zip(&words).zip(counts) {
                *draw = (self.start + below) as i64;
                open |= (below ^ not_above) | u64::from(word == u64::MAX);
            }
            if_open(open != 0, || self.settle(bits, block, &words, [&below, &not_above]));
        }
    }

    /// Reads on for the draws of a block that are undecided, once in 2^57 draws: where half the word equals half a
    /// threshold's.
    #[cold]
    #[inline(never)]
    fn settle(
        &self,
        bits: &mut Bits,
        block: &mut [i64],
        words: &[u64; BLOCK],
        [below, not_above]: [&[u64; BLOCK]; 2],
    ) {
        for ((draw, &word), (below, not_above)) in
            block.iter_mut().zip(words).zip(below.iter().zip(not_above))
        {
            if below != not_above || word == u64::MAX {
                *draw = self.resolve(word, bits) as i64;
            }
        }
    }

    /// How many thresholds are below each word, and how many are not above it, both by halves.
    #[inline]
    fn scan(&self, words: &[u64; BLOCK]) -> ([u64; BLOCK], [u64; BLOCK]) {
        let halves = words.map(half);
        let (mut below, mut not_above) = ([0; BLOCK], [0; BLOCK]);
        for &threshold in self.scanned.as_deref().unwrap_or_default() {
            for ((below, not_above), word) in below.iter_mut().zip(&mut not_above).zip(&halves) {
                // Halves do not overflow when subtracted: the sign is the comparison.
                let beyond = threshold - word;
                *below += beyond as u64 >> 63;
                *not_above += (beyond - 1) as u64 >> 63;
            }
        }
        (below, not_above)
    }

    /// The draw that begins with a word that equals a threshold's, or exceeds all: reads on, and where this
    /// table ends makes a deeper one.
    #[cold]
    pub(super) fn resolve(&self, word: u64, bits: &mut Bits) -> u64 {
        let mut drawn = vec![word];
        if let Some(found) = self.find(&mut drawn, bits) {
            return found;
        }
        let mut depth = self.words.len();
        loop {
            depth *= 2;
            if let Some(found) = Self::with_depth(self.law, depth).find(&mut drawn, bits) {
                return found;
            }
        }
    }

    /// The least m whose threshold exceeds what was drawn, drawing more as needed; none if this table cannot
    /// tell.
    fn find(&self, drawn: &mut Vec<u64>, bits: &mut Bits) -> Option<u64> {
        // The thresholds that agree with all words so far, and none before them exceeds the draw.
        let mut agreeing = 0..self.words.first()?.len();
        for (at, thresholds) in self.words.iter().enumerate() {
            let word = drawn.get(at).copied().unwrap_or_else(|| {
                let word = bits.word();
                drawn.push(word);
                word
            });
            let some = thresholds.get(agreeing.clone())?;
            let (below, not_above) =
                (some.partition_point(|&one| one < word), some.partition_point(|&one| one <= word));
            agreeing = agreeing.start + below..agreeing.start + not_above;
            if agreeing.is_empty() {
                // Beyond the last threshold there are more, which a deeper table has.
                return (agreeing.end < thresholds.len()).then_some(self.start + agreeing.end as u64);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A discrete Gaussian's distance with σ² = `units`/2^16.
    fn law(units: u64) -> Law {
        Law::Gaussian { numerator: 1 << 15, denominator: units, doubled: true }
    }

    #[test]
    fn the_thresholds_have_their_known_digits() {
        // Of σ = 1: P(0) = 0.39894227826686170558 and P(≥3) = 0.0045671714178032526614, tests/oracles/privacy.csv.
        let table = Table::new(law(1 << 16));
        let digits = |threshold: u64, digits: u128| {
            let found = (u128::from(threshold) * 10u128.pow(19)) >> 64;
            assert!(found.abs_diff(digits / 10) <= 1, "{found} {digits}");
        };
        digits(table.words[0][0], 39894227826686170558);
        digits(table.words[0][2], 10u128.pow(20) - 2 * 456717141780325266);
        assert!(table.words[0].windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(table.scanned.map(|halves| halves.len()), Some(9));
    }

    #[test]
    fn depth_only_adds_words() {
        for units in [1 << 14, 1 << 16, 5 << 16, 10_000 << 16] {
            let (shallow, deep) = (Table::with_depth(law(units), 2), Table::with_depth(law(units), 5));
            for (one, other) in shallow.words.iter().zip(&deep.words) {
                assert!(one.iter().eq(other.iter().take(one.len())), "{units}");
            }
            assert!(shallow.words[0].len() < deep.words[0].len());
        }
    }

    /// What `find` says of these words, none to be drawn beyond them.
    fn found(table: &Table, words: &[u64]) -> Option<u64> {
        let mut drawn = words.to_vec();
        let found = table.find(&mut drawn, &mut Bits::new(&[0; 32], "test"));
        assert_eq!(drawn, words, "words were drawn");
        found
    }

    #[test]
    fn draws_that_agree_with_a_threshold_are_decided_further_on() {
        let table = Table::new(law(3 << 16));
        for m in 0..table.words[0].len() - 1 {
            let threshold: Vec<u64> = table.words.iter().map(|words| words[m]).collect();
            for depth in 0..DEPTH {
                let mut word = threshold[..=depth].to_vec();
                if let Some(less) = word[depth].checked_sub(1) {
                    word[depth] = less;
                    // Just below the threshold, unless that is below the one before, too.
                    let before = |at: usize| table.words.iter().map(|words| words[at]).collect::<Vec<u64>>();
                    if m == 0 || before(m - 1)[..=depth] < word[..] {
                        assert_eq!(found(&table, &word), Some(m as u64), "{m} {depth}");
                    }
                }
                let mut word = threshold[..=depth].to_vec();
                if let Some(more) = word[depth].checked_add(1) {
                    word[depth] = more;
                    let after: Vec<u64> = table.words.iter().map(|words| words[m + 1]).collect();
                    if word[..] < after[..=depth] {
                        assert_eq!(found(&table, &word), Some(m as u64 + 1), "{m} {depth}");
                    }
                }
            }
            // Only a deeper table can tell.
            assert_eq!(found(&table, &threshold), None);
        }
        assert_eq!(found(&table, &[u64::MAX; DEPTH]), None);
    }

    #[test]
    fn a_deeper_table_is_made_where_one_ends() {
        // One word deep, so that a draw that agrees in the first word needs the deeper table.
        let (short, long) = (Table::with_depth(law(3 << 16), 1), Table::new(law(3 << 16)));
        for m in [0, 1, 5] {
            let word = short.words[0][m];
            let mut bits = (Bits::new(&[9; 32], "test"), Bits::new(&[9; 32], "test"));
            let found = short.resolve(word, &mut bits.0);
            assert_eq!(Some(found), long.find(&mut vec![word], &mut bits.1));
            assert!(found == m as u64 || found == m as u64 + 1);
        }
        let far = short.resolve(u64::MAX, &mut Bits::new(&[9; 32], "test"));
        assert!((15..=16).contains(&far), "{far}");
    }

    #[test]
    fn what_lies_before_the_first_threshold_needs_a_deeper_table() {
        let table = Table::new(Law::Poisson { numerator: 10_000, denominator: 1 });
        assert_eq!(found(&table, &[0; DEPTH]), None);
        let (drawn, threshold) =
            ([0, 0, 0, u64::MAX], |at: usize| [0, 1, 2, 3].map(|depth| table.words[depth][at]));
        let first = (0..).find(|&at| threshold(at) > drawn).unwrap();
        assert!(first > 1);
        assert_eq!(found(&table, &drawn), Some(table.start + first as u64));
        assert!(table.words.iter().all(|words| words[0] == 0));
    }

    #[test]
    fn draws_that_are_made_again_are_the_same() {
        let (table, mut bits) = (Table::new(law(4 << 16)), Bits::new(&[8; 32], "test"));
        let (mut once, mut again) = (vec![0; WORDS], vec![0; WORDS]);
        table.draw_all(&mut bits, &mut once);
        table.draw_again(&mut bits, &mut again);
        assert_eq!(once, again);
    }

    #[test]
    fn undecided_draws_of_a_block_read_on() {
        let table = Table::new(law(4 << 16));
        let words = [table.words[0][3], 5, table.words[0][1], u64::MAX];
        let bits = || Bits::new(&[8; 32], "test");
        let (below, not_above) = table.scan(&words);
        let mut block = [7; BLOCK];
        table.settle(&mut bits(), &mut block, &words, [&below, &not_above]);
        let mut on = bits();
        let mut resolved = |word| table.resolve(word, &mut on) as i64;
        assert_eq!(block, [resolved(words[0]), 7, resolved(words[2]), resolved(words[3])]);
    }

    #[test]
    fn scanning_and_guiding_draw_the_same() {
        for units in [1 << 14, 1 << 16, 16 << 16] {
            let table = Table::new(law(units));
            assert!(table.is_scanned());
            let bits = || Bits::new(&[3; 32], "test");
            let (mut other, mut scanned, mut blocks) = (bits(), vec![0; 100_001], vec![0; 100_001]);
            table.draw_all(&mut bits(), &mut scanned);
            table.draw_blocks(&mut bits(), &mut blocks);
            assert_eq!(scanned, blocks);
            assert!(scanned.iter().all(|&drawn| drawn == table.draw(&mut other) as i64));
        }
        assert!(!Table::new(law(100 << 16)).is_scanned());
    }

    #[test]
    fn tops_are_trusted_only_where_they_tell() {
        let table = Table::new(law(1 << 16));
        assert_eq!(table.tops.as_flattened().last(), Some(&i32::MAX));
        let drawn = |word: u64, at: usize| {
            let mut shown = [1 << 33; 21];
            shown[at] = word;
            let (mut words, mut below, mut draws, mut open) = (Vec::new(), Vec::new(), [9; 24], false);
            let (words, below, draws_here) = (&mut words, &mut below, &mut draws);
            let tops = Tops { tops: &table.tops, start: 0, draws: draws_here, words, below, open: &mut open };
            (tops.run(&shown), open, draws)
        };
        let mut zeros = [0; 24];
        zeros[20..].fill(9);
        assert_eq!(drawn(1 << 33, 7), (20, false, zeros), "whole blocks");
        for &threshold in table.tops.as_flattened() {
            for low in [0, u64::MAX >> 31] {
                assert!(drawn((threshold as u64) << 33 | low, 7).1, "left open");
            }
        }
        // In the midst of draws, such words are drawn as by blocks: the deeper words come after their block.
        let (mut one, mut other) = (Bits::new(&[4; 32], "test"), Bits::new(&[4; 32], "test"));
        for skip in 0..40 {
            let (mut fast, mut slow) = (vec![0; 100 + skip], vec![0; 100 + skip]);
            table.draw_all(&mut one, &mut fast);
            table.draw_blocks(&mut other, &mut slow);
            assert_eq!(fast, slow);
            assert_eq!(one.word(), other.word());
        }
    }

    #[test]
    fn scanning_tells_ties() {
        let table = Table::new(law(1 << 16));
        let threshold = table.words[0][2];
        let (below, not_above) = table.scan(&[threshold; BLOCK]);
        assert_eq!((below[0], not_above[3]), (2, 3));
        let (below, not_above) = table.scan(&[threshold - 2; BLOCK]);
        assert_eq!((below, not_above), ([2; BLOCK], [2; BLOCK]));
        let (below, not_above) = table.scan(&[threshold + 2; BLOCK]);
        assert_eq!((below, not_above), ([3; BLOCK], [3; BLOCK]));
        let (below, not_above) = table.scan(&[u64::MAX; BLOCK]);
        assert_eq!((below, not_above), ([9; BLOCK], [9; BLOCK]));
    }
}
