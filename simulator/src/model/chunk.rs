//! A few clients at a time, in arrays that stay in the fastest cache.

use crate::cast::{BEYOND, Crowd, MANY, Many, Scene};
use crate::exchange::Exchange;

/// Clients that are looked at together for whether any of them is one of the few: as many as a word has bytes.
const BLOCK: usize = 16;

/// Some clients that follow each other, and what is known of them in a round. What is said of a client that is not asked,
/// or that is not there, means nothing.
pub(super) struct Chunk {
    /// The first of them.
    pub(super) first: u32,
    pub(super) asked: Many<bool>,
    pub(super) partners: Many<u32>,
    /// The rows of the round's tables for these numbers of partners, once it is known who the clients are.
    pub(super) rows: Many<u32>,
    pub(super) crowd: Crowd,
    /// Nanoseconds of its work; [`BEYOND`] if that is far.
    pub(super) work: Many<u64>,
    /// The tick at which its answer begins.
    pub(super) start: Many<u64>,
    /// Nanoseconds from the round's opening at which the server has it.
    pub(super) arrival: Many<u64>,
    /// It is one whose whole answer begins then. Once arrivals are known: its answer counts whenever the round closes.
    pub(super) sure: Many<bool>,
}

impl Default for Chunk {
    fn default() -> Self {
        let (none, zeros, times) = ([false; MANY], [0; MANY], [0; MANY]);
        Self {
            first: 0,
            asked: none,
            partners: zeros,
            rows: zeros,
            crowd: Crowd::default(),
            work: times,
            start: times,
            arrival: times,
            sure: none,
        }
    }
}

impl Chunk {
    /// Takes the clients from `first` on, of all of whom it is known how many rounds they have answered.
    pub(super) fn take(&mut self, first: usize, answered: &[u8], asked: Asked<'_>) {
        self.first = first as u32;
        self.asked.fill(false);
        let some = answered.iter().skip(first);
        self.asked.iter_mut().zip(some).for_each(|(is_asked, of)| *is_asked = *of == asked.closed);
        match asked.partners {
            Partners::Same(all) => self.partners.fill(all),
            Partners::Each(list) => {
                let list = &list[first..];
                let count = list.len().min(MANY);
                self.partners[..count].copy_from_slice(&list[..count]);
            }
        }
    }

    /// Finds the places of the asked clients that are not sure.
    pub(super) fn others(&self) -> Others {
        let mut differ = [0; MANY];
        for (differ, (asked, sure)) in differ.iter_mut().zip(self.asked.iter().zip(&self.sure)) {
            *differ = u8::from(asked ^ sure);
        }
        let word = |bytes: &[u8; BLOCK]| u128::from_le_bytes(*bytes);
        let mut words = [0; MANY / BLOCK];
        words.iter_mut().zip(differ.as_chunks().0).for_each(|(of, bytes)| *of = word(bytes));
        Others { words, block: 0 }
    }

    /// Nanoseconds of a client's work, however much it is.
    pub(super) fn work(&self, scene: &Scene<'_>, at: usize, exchange: &Exchange) -> u64 {
        match self.work[at] {
            near @ ..BEYOND => near,
            _ => scene.work(self.crowd.who(at), exchange),
        }
    }

    pub(super) fn client(&self, at: usize) -> u32 {
        self.first + at as u32
    }
}

/// Places in a chunk, ascending.
pub(super) struct Others {
    /// A byte for each place: 1 for one that is among them.
    words: [u128; MANY / BLOCK],
    block: usize,
}

impl Iterator for Others {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        loop {
            let word = self.words.get_mut(self.block)?;
            if *word > 0 {
                let at = word.trailing_zeros() as usize / 8;
                *word &= *word - 1;
                return Some(self.block * BLOCK + at);
            }
            self.block += 1;
        }
    }
}

/// Who is asked in a round.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// So many rounds each of them has answered.
    pub(super) closed: u8,
    pub(super) partners: Partners<'a>,
}

/// Numbers of partners.
#[derive(Clone, Copy)]
pub(super) enum Partners<'a> {
    Same(u32),
    /// Client by client.
    Each(&'a [u32]),
}
