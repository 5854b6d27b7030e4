//! When the server has taken in what has come.

/// Most bins of a round, up to its deadline.
const BINS: u64 = 4096;

/// Answers that the server takes in one after the other, in the order in which they come.
///
/// The server is done at the latest of these: for each moment, that moment and the work that comes from then on.
/// Moments are looked at by the first answer of each of 2,048 to 4,096 bins of the round, so what comes out may be early
/// by one bin at most; the order in which answers are noted does not matter.
pub(crate) struct Inbox {
    /// A bin is so wide, as a power of two of nanoseconds: each answer is put into its bin without a division.
    shift: u32,
    /// The first arrival and all the work of each bin, in nanoseconds.
    bins: Vec<(u64, u64)>,
}

impl Inbox {
    /// For a round with this deadline, in nanoseconds.
    pub(crate) fn new(deadline: u64) -> Self {
        Self { shift: deadline.div_ceil(BINS).next_power_of_two().ilog2(), bins: Vec::new() }
    }

    #[inline]
    pub(crate) fn add(&mut self, arrival: u64, work: u64) {
        let at = (arrival >> self.shift) as usize;
        if at >= self.bins.len() {
            self.bins.resize(at + 1, (u64::MAX, 0));
        }
        let (first, all) = &mut self.bins[at];
        *first = arrival.min(*first);
        *all += work;
    }

    /// Adds many answers.
    #[inline(never)]
    pub(crate) fn add_all(&mut self, answers: impl Iterator<Item = (u64, u64)> + Clone) {
        let shift = self.shift;
        let Some(last) = answers.clone().map(|(arrival, _)| arrival).max() else { return };
        let last = (last >> shift) as usize;
        if last >= self.bins.len() {
            self.bins.resize(last + 1, (u64::MAX, 0));
        }
        let bins = &mut self.bins[..];
        for (arrival, work) in answers {
            let (first, all) = &mut bins[(arrival >> shift) as usize];
            *first = arrival.min(*first);
            *all += work;
        }
    }

    /// Nanoseconds of work altogether.
    pub(crate) fn work(&self) -> u64 {
        self.bins.iter().map(|(_, work)| work).sum()
    }

    /// When the last answer is taken in; 0 without answers.
    pub(crate) fn done(&self) -> u64 {
        let mut later = 0;
        let mut done = 0;
        for (first, work) in self.bins.iter().rev().filter(|(first, _)| *first < u64::MAX) {
            later += work;
            done = done.max(first + later);
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_queue_but_for_a_bin(mut answers in prop::collection::vec((0u64..100_000, 0u64..500), 1..200)) {
            let mut inbox = Inbox::new(100_000);
            answers.iter().for_each(|(arrival, work)| inbox.add(*arrival, *work));
            answers.sort_unstable();
            let queue = answers.iter().fold(0, |free: u64, (arrival, work)| free.max(*arrival) + work);
            prop_assert!(inbox.done() <= queue && queue - inbox.done() <= 100_000 / 2048 + 1);
        }
    }
}
