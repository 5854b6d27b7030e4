//! Times counted in buckets a thousandth wide: percentiles of any number of clients in a few KiB.

/// Buckets for each power of two.
const PER_OCTAVE: u32 = 10;

/// Counts of times in nanoseconds, to one part in 1,024.
#[derive(Clone, Default)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    most: u64,
}

impl Histogram {
    #[inline]
    pub(crate) fn add(&mut self, time: u64) {
        let at = bucket(time);
        if at >= self.counts.len() {
            self.counts.resize(at + 1024, 0);
        }
        self.counts[at] += 1;
        self.total += 1;
        self.most = self.most.max(time);
    }

    /// Adds times of which the buckets are known, and of those that are `counted` how many they are and the greatest.
    pub(crate) fn add_some(&mut self, buckets: &[u32], counted: &[bool], (count, most): (u64, u64)) {
        if bucket(most) >= self.counts.len() {
            self.counts.resize(bucket(most) + 1024, 0);
        }
        for (bucket, counted) in buckets.iter().zip(counted) {
            self.counts[*bucket as usize] += u64::from(*counted);
        }
        self.total += count;
        self.most = self.most.max(most);
    }

    pub(crate) fn most(&self) -> u64 {
        self.most
    }

    /// The bucket that holds the `rank`th least time (from 1), and how many times lie in lower ones.
    pub(crate) fn bucket_of(&self, rank: u64) -> Option<(usize, u64)> {
        let mut below = 0;
        for (at, count) in self.counts.iter().enumerate() {
            if below + count >= rank {
                return Some((at, below));
            }
            below += count;
        }
        None
    }

    /// The time that so many percent do not exceed, rounded down to a bucket's lower end; 0 without times.
    pub(crate) fn percentile(&self, percent: u64) -> u64 {
        let rank = (self.total * percent).div_ceil(100).max(1);
        self.bucket_of(rank).map_or(0, |(at, _)| lower_end(at))
    }
}

/// The bucket of a time.
#[inline(always)]
pub(crate) fn bucket(time: u64) -> usize {
    let shift = (time | (1 << PER_OCTAVE)).ilog2() - PER_OCTAVE;
    ((u64::from(shift) << PER_OCTAVE) + (time >> shift)) as usize
}

fn lower_end(bucket: usize) -> u64 {
    let shift = (bucket as u64 >> PER_OCTAVE).saturating_sub(1);
    (bucket as u64 - (shift << PER_OCTAVE)) << shift
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bucket_holds_its_times_and_is_a_thousandth_wide(time: u64) {
            let low = lower_end(bucket(time));
            prop_assert!(low <= time && time - low <= time / 1024);
            prop_assert!(bucket(time.saturating_add(1)) - bucket(time) <= 1);
        }
    }

    #[test]
    fn percentiles_are_by_rank() {
        let mut histogram = Histogram::default();
        (1..=1000).for_each(|time| histogram.add(time));
        assert_eq!([5, 50, 95, 100].map(|percent| histogram.percentile(percent)), [50, 500, 950, 1000]);
        let mut some = Histogram::default();
        let buckets: Vec<u32> = (1..=1000).map(|time| bucket(time) as u32).collect();
        // Every other one.
        let counted: Vec<bool> = (1..=1000).map(|time| time % 2 == 0).collect();
        some.add_some(&buckets, &counted, (500, 1000));
        assert_eq!([5, 50, 95, 100].map(|percent| some.percentile(percent)), [50, 500, 950, 1000]);
        assert_eq!(some.most(), 1000);
    }
}
