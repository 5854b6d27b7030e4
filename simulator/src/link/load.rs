//! Transfers that wait to be put on a link, and when they end: tables by what is alike.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::Flow;
use crate::draw::mix;

/// Transfers that wait to be put on a link, in groups of those that are alike.
#[derive(Default)]
pub(crate) struct Load {
    /// How many they are.
    groups: Groups<u32>,
    /// Ticks for which the tables may still have room.
    room: usize,
}

/// When the transfers of each group end, in nanoseconds from the opening of the round.
#[derive(Default)]
pub(crate) struct Schedule(Groups<u64>);

/// Something of each group of transfers that are alike.
///
/// Transfers of one length and one greatest rate are a lane. Who has many of them asks for the lane once; from there it is
/// a look into a table by the tick at which a transfer starts.
#[derive(Default)]
struct Groups<T> {
    /// The places of lanes.
    places: HashMap<u64, u32, BuildHasherDefault<Mixed>>,
    lanes: Vec<Alike<T>>,
    /// What the tables have no room for, by lane and start.
    far: HashMap<u64, T, BuildHasherDefault<Mixed>>,
}

/// A lane.
struct Alike<T> {
    class: u8,
    bytes: u64,
    /// By start.
    near: Vec<T>,
}

/// Transfers of one length and one greatest rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lane(u32);

impl Load {
    /// For so many transfers at the most.
    pub(crate) fn new(transfers: usize) -> Self {
        Self { groups: Groups::default(), room: 4 * transfers }
    }

    /// The lane of a class and a length.
    pub(crate) fn lane(&mut self, class: u8, bytes: u64) -> Lane {
        let Groups { places, lanes, .. } = &mut self.groups;
        Lane(*places.entry(lane_key(class, bytes)).or_insert_with(|| {
            lanes.push(Alike { class, bytes, near: Vec::new() });
            lanes.len() as u32 - 1
        }))
    }

    /// Adds a transfer.
    pub(crate) fn add(&mut self, flow: Flow) {
        self.add_many(flow, 1);
    }

    /// Adds so many transfers.
    pub(crate) fn add_many(&mut self, flow: Flow, count: u32) {
        let lane = self.lane(flow.class, flow.bytes);
        self.add_in(lane, flow.start, count);
    }

    /// Adds so many transfers of a lane, or none.
    #[inline(always)]
    pub(crate) fn add_in(&mut self, lane: Lane, start: u32, count: u32) {
        match self.groups.lanes[lane.0 as usize].near.get_mut(start as usize) {
            Some(counted) => *counted += count,
            None => self.add_first(lane, start, count),
        }
    }

    /// Adds the first ones that start so late, or some for which the tables have no room.
    #[cold]
    fn add_first(&mut self, lane: Lane, start: u32, count: u32) {
        if count == 0 {
            return;
        }
        let near = &mut self.groups.lanes[lane.0 as usize].near;
        let more = start as usize + 1 - near.len();
        if more <= self.room {
            self.room -= more;
            near.resize(near.len() + more, 0);
            near[start as usize] = count;
        } else {
            // What has no room once has none later: there is only less.
            *self.groups.far.entry(far_key(lane, start)).or_default() += count;
        }
    }

    /// All groups, each with its lane and how many are in it: by start, then by greatest rate, then by length.
    pub(super) fn groups(&self) -> Vec<(Flow, Lane, u64)> {
        let Groups { lanes, far, .. } = &self.groups;
        let flow = |place: u32, start| {
            let Alike { class, bytes, .. } = lanes[place as usize];
            (Flow { start, class, bytes }, Lane(place))
        };
        let mut groups = Vec::new();
        for (place, lane) in (0..).zip(lanes) {
            let some = (0..).zip(&lane.near).filter(|(_, count)| **count > 0);
            groups.extend(some.map(|(start, count)| (flow(place, start), *count)));
        }
        groups.extend(far.iter().map(|(key, count)| (flow((key >> 32) as u32, *key as u32), *count)));
        groups.sort_unstable_by_key(|((flow, _), _)| *flow);
        groups.into_iter().map(|((flow, lane), count)| (flow, lane, u64::from(count))).collect()
    }

    /// The schedule on which the groups end as told.
    pub(super) fn schedule(self, ends: impl Iterator<Item = (Flow, Lane, u64)>) -> Schedule {
        let Groups { places, lanes, .. } = self.groups;
        let empty =
            |lane: Alike<u32>| Alike { class: lane.class, bytes: lane.bytes, near: vec![0; lane.near.len()] };
        let mut lanes: Vec<Alike<u64>> = lanes.into_iter().map(empty).collect();
        let mut far = HashMap::default();
        for (flow, lane, end) in ends {
            match lanes[lane.0 as usize].near.get_mut(flow.start as usize) {
                Some(near) => *near = end,
                None => {
                    far.insert(far_key(lane, flow.start), end);
                }
            }
        }
        Schedule(Groups { places, lanes, far })
    }
}

impl Schedule {
    /// When the transfers of a lane end that have started at a tick; nothing is said of a group that has no transfers.
    #[inline(always)]
    pub(crate) fn end_in(&self, lane: Lane, start: u32) -> u64 {
        match self.0.lanes[lane.0 as usize].near.get(start as usize) {
            Some(end) => *end,
            None => self.end_far(lane, start),
        }
    }

    #[cold]
    fn end_far(&self, lane: Lane, start: u32) -> u64 {
        self.0.far.get(&far_key(lane, start)).copied().unwrap_or(u64::MAX)
    }

    /// When a transfer ends that is on the schedule.
    pub(super) fn end(&self, flow: Flow) -> u64 {
        let lane = self.0.places.get(&lane_key(flow.class, flow.bytes));
        lane.map_or(u64::MAX, |lane| self.end_in(Lane(*lane), flow.start))
    }
}

/// Lengths stay below 2⁵⁶: the scenario's numbers see to that.
#[inline]
fn lane_key(class: u8, bytes: u64) -> u64 {
    bytes << 8 | u64::from(class)
}

#[inline]
fn far_key(lane: Lane, start: u32) -> u64 {
    u64::from(lane.0) << 32 | u64::from(start)
}

/// Keys of one word, mixed.
#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.0 = mix(self.0 ^ value);
    }
}
