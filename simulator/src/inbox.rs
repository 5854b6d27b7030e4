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
    bins: Vec<Bin>,
}

/// A bin.
#[derive(Clone, Copy)]
struct Bin {
    /// Nanoseconds from the opening of the round.
    first: u64,
    /// Nanoseconds of work, in parts that are added up at the end: additions to one number would wait for each other where
    /// many answers come at once.
    work: [u64; PARTS],
}

const PARTS: usize = 4;

impl Bin {
    const EMPTY: Self = Self { first: u64::MAX, work: [0; PARTS] };

    fn work(&self) -> u64 {
        self.work.iter().sum()
    }
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
            self.bins.resize(at + 1, Bin::EMPTY);
        }
        let bin = &mut self.bins[at];
        bin.first = arrival.min(bin.first);
        bin.work[0] += work;
    }

    /// The bin of an arrival.
    #[inline(always)]
    pub(crate) fn bin(&self, arrival: u64) -> u32 {
        (arrival >> self.shift) as u32
    }

    /// Adds answers of which the bins are known, the arrivals and the work, and of which `last` is the last that ever
    /// arrives.
    pub(crate) fn add_some(&mut self, bins: &[u32], (arrivals, work): (&[u64], &[u64]), last: u64) {
        let last = self.bin(last) as usize;
        if last >= self.bins.len() {
            self.bins.resize(last + 1, Bin::EMPTY);
        }
        let answers = bins.iter().zip(arrivals).zip(work);
        for (at, ((bin, arrival), work)) in answers.enumerate() {
            let bin = &mut self.bins[*bin as usize];
            // A branch that is hardly ever taken: nothing then waits for the last answer of the bin to be written.
            if *arrival < bin.first {
                bin.first = *arrival;
            }
            bin.work[at % PARTS] += work;
        }
    }

    /// Nanoseconds of work altogether.
    pub(crate) fn work(&self) -> u64 {
        self.bins.iter().map(Bin::work).sum()
    }

    /// When the last answer is taken in; 0 without answers.
    pub(crate) fn done(&self) -> u64 {
        let mut later = 0;
        let mut done = 0;
        for bin in self.bins.iter().rev().filter(|bin| bin.first < u64::MAX) {
            later += bin.work();
            done = done.max(bin.first + later);
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
            let mut many = Inbox::new(100_000);
            // With one that never arrives.
            let all = || answers.iter().copied().chain([(u64::MAX, 0)]);
            let bins: Vec<u32> = all().map(|(arrival, _)| if arrival < u64::MAX { many.bin(arrival) } else { 0 }).collect();
            let (arrivals, work): (Vec<u64>, Vec<u64>) = all().unzip();
            let last = answers.iter().map(|(arrival, _)| *arrival).max().unwrap_or(0);
            many.add_some(&bins, (&arrivals, &work), last);
            prop_assert_eq!((many.done(), many.work()), (inbox.done(), inbox.work()));
            answers.sort_unstable();
            let queue = answers.iter().fold(0, |free: u64, (arrival, work)| free.max(*arrival) + work);
            prop_assert!(inbox.done() <= queue && queue - inbox.done() <= 100_000 / 2048 + 1);
        }
    }
}
