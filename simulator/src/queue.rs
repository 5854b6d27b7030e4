//! The event queue: a radix heap with a total order.

/// When an event happens: by time, then by class, then in the order of insertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct When {
    /// Nanoseconds from the beginning.
    pub time: u64,
    /// Among the events of one time, the lower class comes first.
    pub class: u8,
}

/// A bucket of at most so many events is sorted; a longer one is spread over the lower buckets.
const SORTED: usize = 64;

/// Events inserted into the sorted run beyond which it is spread again.
const LONGEST_RUN: usize = 4 * SORTED;

/// Events in a total order: time, class, insertion.
///
/// A monotone radix heap (Ahuja, Mehlhorn, Orlin and Tarjan 1990): nothing may be inserted before the event that
/// was taken last. Bucket b holds the keys whose highest bit that differs from `last` is bit b, so the lowest bucket
/// that is not empty holds the least key, and a key only ever moves to lower buckets.
pub struct EventQueue<T> {
    /// No key is below it.
    last: u128,
    /// The key taken last.
    taken: u128,
    buckets: Vec<Vec<(u128, T)>>,
    /// Bit b is set if bucket b holds something.
    occupied: u128,
    /// The least keys, in descending order: all of bucket `floor` and below.
    run: Vec<(u128, T)>,
    floor: u32,
    inserted: u64,
    len: usize,
}

impl<T> Default for EventQueue<T> {
    fn default() -> Self {
        let buckets = (0..128).map(|_| Vec::new()).collect();
        Self { last: 0, taken: 0, buckets, occupied: 0, run: Vec::new(), floor: 0, inserted: 0, len: 0 }
    }
}

impl<T> EventQueue<T> {
    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Events that wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no event waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Inserts an event. One that lies before the event taken last happens next.
    pub fn push(&mut self, when: When, event: T) {
        let key = (u128::from(when.time) << 64) | (u128::from(when.class) << 56) | u128::from(self.inserted);
        let key = key.max(self.taken);
        self.inserted += 1;
        self.len += 1;
        if !self.run.is_empty() && bucket(key ^ self.last) <= self.floor {
            let at = self.run.partition_point(|(other, _)| *other > key);
            self.run.insert(at, (key, event));
            if self.run.len() > LONGEST_RUN {
                self.spread_run();
            }
        } else {
            self.file(key, event);
        }
    }

    /// Takes the next event.
    pub fn pop(&mut self) -> Option<(When, T)> {
        if self.run.is_empty() {
            self.refill();
        }
        let (key, event) = self.run.pop()?;
        self.len -= 1;
        self.taken = key;
        Some((When { time: (key >> 64) as u64, class: (key >> 56) as u8 }, event))
    }

    fn file(&mut self, key: u128, event: T) {
        let bucket = bucket(key ^ self.last);
        if let Some(list) = self.buckets.get_mut(bucket as usize) {
            list.push((key, event));
            self.occupied |= 1 << bucket;
        }
    }

    /// Makes the run of the lowest bucket, after spreading it if it is long.
    fn refill(&mut self) {
        while self.occupied != 0 {
            let lowest = self.occupied.trailing_zeros();
            let Some(slot) = self.buckets.get_mut(lowest as usize) else { return };
            let mut list = std::mem::take(slot);
            self.occupied &= !(1 << lowest);
            if list.len() <= SORTED {
                list.sort_unstable_by(|(one, _), (other, _)| other.cmp(one));
                // The empty run's memory serves the bucket.
                std::mem::swap(&mut self.run, &mut list);
                self.buckets[lowest as usize] = list;
                self.floor = lowest;
                return;
            }
            self.last = list.iter().map(|(key, _)| *key).min().unwrap_or(self.last);
            for (key, event) in list.drain(..) {
                self.file(key, event);
            }
            self.buckets[lowest as usize] = list;
        }
    }

    fn spread_run(&mut self) {
        let mut run = std::mem::take(&mut self.run);
        // Not the run's least key: a key between the one taken last and that may still come.
        self.last = self.taken;
        for (key, event) in run.drain(..) {
            self.file(key, event);
        }
        self.run = run;
    }
}

/// The highest bit of a difference; 0 for none.
fn bucket(difference: u128) -> u32 {
    difference.checked_ilog2().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Push { after: u64, class: u8 },
        Pop,
    }

    fn step() -> impl Strategy<Value = Step> {
        let after = prop_oneof![Just(0), 0u64..4, 0u64..1000, 0u64..1 << 40];
        prop_oneof![
            3 => (after, 0u8..3).prop_map(|(after, class)| Step::Push { after, class }),
            2 => Just(Step::Pop),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Pushes are never before the last pop: that is what a simulation does.
        #[test]
        fn events_come_in_the_order_of_a_sorted_list(steps in prop::collection::vec(step(), 0..3000)) {
            let mut queue = EventQueue::new();
            let mut sorted = BTreeMap::new();
            let mut now = When { time: 0, class: 0 };
            for (number, step) in (0u64..).zip(steps) {
                match step {
                    Step::Push { after, class } => {
                        let class = if after == 0 { class.max(now.class) } else { class };
                        let when = When { time: now.time + after, class };
                        queue.push(when, number);
                        sorted.insert((when, number), number);
                    }
                    Step::Pop => {
                        let expected = sorted.pop_first().map(|((when, _), number)| (when, number));
                        now = expected.map_or(now, |(when, _)| when);
                        prop_assert_eq!(queue.pop(), expected);
                    }
                }
                prop_assert_eq!(queue.len(), sorted.len());
            }
            while let Some(((when, _), number)) = sorted.pop_first() {
                prop_assert_eq!(queue.pop(), Some((when, number)));
            }
            prop_assert!(queue.pop().is_none());
        }
    }

    #[test]
    fn an_event_in_the_past_happens_next() {
        let mut queue = EventQueue::new();
        (0..1000).for_each(|time| queue.push(When { time, class: 0 }, time));
        (0..500).for_each(|time| assert_eq!(queue.pop().map(|(_, event)| event), Some(time)));
        queue.push(When { time: 3, class: 0 }, 3);
        assert_eq!(queue.pop().map(|(_, event)| event), Some(3));
        assert_eq!(queue.pop().map(|(_, event)| event), Some(500));
    }
}
