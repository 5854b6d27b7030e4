//! A link that many transfers share: max-min fair, by virtual time in each class of rates.

mod load;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

pub(crate) use load::{Lane, Load, Schedule};

/// A transfer, or all those that begin at the same time with the same length and the same greatest rate: they end at
/// the same time too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Flow {
    /// Ticks from the opening of the round.
    pub(crate) start: u32,
    /// Index of its greatest rate.
    pub(crate) class: u8,
    /// Bytes on the wire.
    pub(crate) bytes: u64,
}

/// The server's end of the network in one direction.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// Bytes per second; none if the link never limits.
    capacity: Option<f64>,
    /// The clients' greatest rates by class, in bytes per second.
    caps: Vec<f64>,
    /// Nanoseconds of a byte at each of these rates.
    byte: Vec<f64>,
    /// Nanoseconds of a tick.
    tick: u64,
}

impl Link {
    pub(crate) fn new(capacity: Option<f64>, caps: Vec<f64>, tick: u64) -> Self {
        let byte = caps.iter().map(|cap| 1e9 / cap).collect();
        Self { capacity, caps, byte, tick }
    }

    /// Whether it may limit anything.
    pub(crate) fn limits(&self) -> bool {
        self.capacity.is_some()
    }

    /// Shares the link among the transfers.
    pub(crate) fn share(&self, load: Load) -> Schedule {
        // In a fixed order: sums of fractions depend on it.
        let groups = load.groups();
        let mut ends: Vec<u64> = groups.iter().map(|(flow, ..)| self.alone(*flow)).collect();
        let demand: f64 = groups.iter().map(|(flow, _, count)| self.cap(flow.class) * *count as f64).sum();
        if let Some(capacity) = self.capacity.filter(|capacity| demand > *capacity) {
            let mut sharing = Sharing::new(capacity, &self.caps);
            let mut now = None;
            for (group, (flow, _, count)) in (0..).zip(&groups) {
                if now.replace(flow.start) != Some(flow.start) {
                    sharing.until(f64::from(flow.start) * self.tick as f64 * 1e-9);
                }
                sharing.begin(group, *flow, *count);
            }
            sharing.until(f64::INFINITY);
            for (group, end) in sharing.ends {
                ends[group as usize] = (end * 1e9).ceil() as u64;
            }
        }
        let ends = groups.iter().zip(ends).map(|((flow, lane, _), end)| (*flow, *lane, end));
        load.schedule(ends)
    }

    /// When a transfer ends that is on the schedule or on a link that never limits, in nanoseconds from the opening of
    /// the round.
    #[inline]
    pub(crate) fn end(&self, schedule: &Schedule, flow: Flow) -> u64 {
        match self.limits() {
            false => self.alone(flow),
            true => schedule.end(flow),
        }
    }

    /// When a transfer ends that has all it can take, in nanoseconds from the opening of the round.
    #[inline]
    pub(crate) fn alone(&self, flow: Flow) -> u64 {
        let lasts = self.lasts(flow.class, flow.bytes);
        u64::from(flow.start).saturating_mul(self.tick).saturating_add(lasts)
    }

    /// Nanoseconds of a transfer that has all it can take.
    #[inline]
    pub(crate) fn lasts(&self, class: u8, bytes: u64) -> u64 {
        let byte = self.byte.get(usize::from(class)).copied().unwrap_or(0.0);
        // Up to the next nanosecond, without asking for the exact ceiling; signed, for which machines have instructions.
        (bytes as i64 as f64 * byte) as i64 as u64 + 1
    }

    #[inline]
    fn cap(&self, class: u8) -> f64 {
        self.caps.get(usize::from(class)).copied().unwrap_or(f64::INFINITY)
    }
}

/// The state of a shared link at one moment.
///
/// All transfers of a class get the same rate, so one number says how much each of them has had since the beginning:
/// the class's virtual time. A transfer ends when that number reaches its tag.
struct Sharing {
    capacity: f64,
    now: f64,
    /// By ascending rate.
    classes: Vec<Class>,
    /// Place in `classes` by index of the rate.
    place: Vec<usize>,
    /// By group.
    ends: Vec<(u32, f64)>,
}

struct Class {
    cap: f64,
    rate: f64,
    served: f64,
    active: u64,
    /// Tags with the groups they belong to and their sizes. Tags are not negative, so their bits sort as they do.
    tags: BinaryHeap<Reverse<(u64, u32, u64)>>,
}

impl Sharing {
    fn new(capacity: f64, caps: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..caps.len()).collect();
        order.sort_by(|one, other| caps[*one].total_cmp(&caps[*other]));
        let mut place = vec![0; caps.len()];
        order.iter().enumerate().for_each(|(at, class)| place[*class] = at);
        let class = |class: &usize| Class {
            cap: caps[*class],
            rate: 0.0,
            served: 0.0,
            active: 0,
            tags: BinaryHeap::new(),
        };
        let classes = order.iter().map(class).collect();
        Self { capacity, now: 0.0, classes, place, ends: Vec::new() }
    }

    fn begin(&mut self, group: u32, flow: Flow, count: u64) {
        let class = &mut self.classes[self.place[usize::from(flow.class)]];
        let tag = class.served + flow.bytes as f64;
        class.tags.push(Reverse((tag.to_bits(), group, count)));
        class.active += count;
    }

    /// Lets time pass up to `limit`, and notes what ends before.
    fn until(&mut self, limit: f64) {
        loop {
            self.divide();
            let first = self.classes.iter().enumerate().filter_map(|(at, class)| {
                let Reverse((tag, ..)) = class.tags.peek()?;
                Some((self.now + ((f64::from_bits(*tag) - class.served) / class.rate).max(0.0), at))
            });
            let first = first.min_by(|one, other| one.0.total_cmp(&other.0));
            match first {
                Some((time, at)) if time <= limit => {
                    self.advance(time);
                    self.finish(at);
                }
                _ => return self.advance(limit),
            }
        }
    }

    /// Gives each class its rate: what all can have is given to all, and who can take less leaves the rest.
    fn divide(&mut self) {
        let mut left = self.capacity;
        let mut waiting: u64 = self.classes.iter().map(|class| class.active).sum();
        let mut classes = self.classes.iter_mut().filter(|class| class.active > 0);
        for class in classes.by_ref() {
            if class.cap * waiting as f64 > left {
                // Those that follow can take no less than this one.
                class.rate = left / waiting as f64;
                let share = class.rate;
                return classes.for_each(|class| class.rate = share);
            }
            class.rate = class.cap;
            left -= class.rate * class.active as f64;
            waiting -= class.active;
        }
    }

    fn advance(&mut self, time: f64) {
        let passed = time - self.now;
        if passed > 0.0 && passed.is_finite() {
            for class in self.classes.iter_mut().filter(|class| class.active > 0) {
                class.served += class.rate * passed;
            }
            self.now = time;
        }
    }

    fn finish(&mut self, at: usize) {
        let class = &mut self.classes[at];
        if let Some(Reverse((tag, group, count))) = class.tags.pop() {
            // Not a rounding before or after.
            class.served = f64::from_bits(tag);
            class.active -= count;
            self.ends.push((group, self.now));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flow(start: u32, class: u8, bytes: u64) -> Flow {
        Flow { start, class, bytes }
    }

    /// Ends in milliseconds on a link with ticks of a millisecond.
    fn ends(capacity: f64, caps: &[f64], flows: &[Flow]) -> Vec<u64> {
        let link = Link::new(Some(capacity), caps.to_vec(), 1_000_000);
        let mut load = Load::new(flows.len());
        for flow in flows {
            load.add(*flow);
        }
        let schedule = link.share(load);
        flows.iter().map(|flow| link.end(&schedule, *flow).div_ceil(1_000_000)).collect()
    }

    #[test]
    fn transfers_share_what_the_slow_ones_leave() {
        // 100 bytes a second for two: the slow one takes 20, the fast one the other 80, and all of it once alone.
        let flows = [flow(0, 0, 20), flow(0, 1, 160)];
        assert_eq!(ends(100.0, &[20.0, 1000.0], &flows), [1000, 1800]);
        // One that comes later takes half from then on.
        let flows = [flow(0, 0, 100), flow(500, 0, 25)];
        assert_eq!(ends(100.0, &[1000.0], &flows), [1250, 1000]);
    }

    #[test]
    fn a_link_that_does_not_limit_changes_nothing() {
        let flows = [flow(0, 0, 50), flow(10, 0, 100)];
        assert_eq!(ends(1000.0, &[100.0], &flows), [501, 1011]);
    }

    /// The same by small steps of time.
    fn by_steps(capacity: f64, caps: &[f64], flows: &[Flow]) -> Vec<f64> {
        let step = 1e-3;
        let mut left: Vec<f64> = flows.iter().map(|flow| flow.bytes as f64).collect();
        let mut ends = vec![0.0; flows.len()];
        for number in 0.. {
            let active = |at: &usize| flows[*at].start <= number && left[*at] > 0.0;
            let mut open: Vec<usize> = (0..flows.len()).filter(active).collect();
            if open.is_empty() && left.iter().all(|left| *left <= 0.0) {
                return ends;
            }
            open.sort_by(|one, other| {
                caps[usize::from(flows[*one].class)].total_cmp(&caps[usize::from(flows[*other].class)])
            });
            let mut spare = capacity;
            for (before, at) in open.iter().enumerate() {
                let rate = caps[usize::from(flows[*at].class)].min(spare / (open.len() - before) as f64);
                spare -= rate;
                left[*at] -= rate * step;
                ends[*at] = f64::from(number + 1) * step;
            }
        }
        ends
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn sharing_is_max_min(
            capacity in 50.0f64..500.0,
            flows in prop::collection::vec((0u32..800, 0u8..4, 1u64..200), 1..12),
        ) {
            let caps = [10.0, 60.0, 100.0, 1000.0];
            let flows: Vec<Flow> =
                flows.into_iter().map(|(start, class, bytes)| flow(start, class, bytes)).collect();
            let exact = ends(capacity, &caps, &flows);
            for (exact, near) in exact.iter().zip(by_steps(capacity, &caps, &flows)) {
                let exact = *exact as f64 / 1000.0;
                // Each transfer may cost the stepped one a step.
                prop_assert!((exact - near).abs() <= 0.02 + 0.01 * near, "{exact} {near}");
            }
        }
    }
}
