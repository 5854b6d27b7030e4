//! Who is there at one moment, and for how long.

use super::walk::Walk;
use crate::cast::{MANY, Many};
use crate::draw::{Draws, Purpose, Share};
use crate::scenario::Availability;
use crate::world::{World, nanoseconds, rounded};

/// Who is there at one moment, and for how long.
pub(super) struct Presence<'a> {
    availability: &'a Availability,
    /// Nanoseconds of the run.
    now: u64,
    /// The block of time in which `now` is.
    first: u64,
    /// The least phase of the devices that are in the next one already.
    next: u64,
    /// The lots of each block from the first on.
    lots: Vec<Draws>,
    /// For each of these blocks, the share that is there by time zone, [`ZONES`] of them one after the other.
    shares: Vec<Share>,
    /// What decides on a device's phase and time zone.
    own: Draws,
}

/// More than there are time zones; a power of two.
const ZONES: usize = 32;

/// Phases of devices, in as many parts of a block.
const PHASES: u64 = 1 << 32;

/// Blocks that a device is followed for at most.
const LONGEST: u64 = 1000;

/// Of these, how many are drawn for all devices, whether they have stayed so long or not.
const AT_ONCE: usize = 4;

const HOUR: f64 = 3600.0;

/// What some devices have for good.
struct Habits<'a> {
    device: &'a Many<u32>,
    /// By how much their blocks begin before those of the run, in parts of a block.
    phase: Many<u64>,
    /// Their time zones, and [`ZONES`] more if they are in their next block already.
    zone: Many<u32>,
}

impl<'a> Presence<'a> {
    pub(super) fn new(world: &'a World, now: u64) -> Self {
        let (seed, availability) = (world.scenario.seed, &world.scenario.availability);
        let own = Draws::new(seed, 0, Purpose::Absence, 0);
        let mut presence =
            Self { availability, now, first: 0, next: PHASES, lots: Vec::new(), shares: Vec::new(), own };
        if let Availability::Diurnal { stay, zones, .. } = availability {
            let seconds = now as f64 / 1e9;
            presence.first = (seconds / stay) as u64;
            let passed = seconds - presence.first as f64 * stay;
            presence.next = ((1.0 - passed / stay) * PHASES as f64).ceil() as u64;
            for block in presence.first..=presence.first + LONGEST {
                let hour = (block as f64 + 0.5) * stay / HOUR;
                let shift = |zone: usize| zone as f64 * 24.0 / f64::from(*zones);
                let share = |zone| Share::new(present(availability, hour + shift(zone)));
                presence.lots.push(Draws::new(seed, 0, Purpose::Absence, block + 1));
                let zones =
                    (0..ZONES).map(|zone| if zone < *zones as usize { share(zone) } else { Share::new(0.0) });
                presence.shares.extend(zones);
            }
        }
        presence
    }

    /// The first devices that are there, as many as there are clients, of the `looked_at` first ones of a walk.
    pub(super) fn find(&self, walk: &Walk, looked_at: u64) -> Vec<u32> {
        let wanted = walk.clients() as usize;
        let (mut found, mut place) = (vec![0; wanted + MANY], 0);
        let (mut devices, mut there) = ([0; MANY], [false; MANY]);
        for first in (0..looked_at).step_by(MANY) {
            if place >= wanted {
                break;
            }
            self.who_is_there((walk, walk.place(first as u32)), &mut devices, &mut there);
            // Each is written, and the place only taken if it is there: who is there, no processor foresees.
            for (device, there) in devices.iter().zip(&there).take((looked_at - first) as usize) {
                found[place] = *device;
                place += usize::from(*there);
            }
        }
        found.truncate(place.min(wanted));
        found
    }

    fn who_is_there(&self, (walk, from): (&Walk, u64), devices: &mut Many<u32>, there: &mut Many<bool>) {
        if let Availability::Diurnal { zones, .. } = self.availability {
            return pulp::Arch::new().dispatch(There {
                presence: self,
                zones: *zones,
                walk: (walk, from),
                devices,
                there,
            });
        }
        walk.some(from, devices);
        let is_there = |device: &u32| self.leaves_trace(*device) > self.now;
        there.iter_mut().zip(devices).for_each(|(there, device)| *there = is_there(device));
    }

    /// When devices that are there go, in ticks from now. One that goes before the next tick is as good as gone.
    pub(super) fn leave(&self, devices: &[u32], tick: u64) -> Vec<u32> {
        let Availability::Diurnal { stay, zones, .. } = self.availability else {
            let ticks = |device: &u32| (self.leaves_trace(*device) - self.now) / tick;
            return devices.iter().map(|device| u32::try_from(ticks(device)).unwrap_or(u32::MAX)).collect();
        };
        let mut list = Vec::with_capacity(devices.len());
        let (mut some, mut leave) = ([0; MANY], [0; MANY]);
        for chunk in devices.chunks(MANY) {
            some[..chunk.len()].copy_from_slice(chunk);
            let (presence, devices, leave) = (self, &some, &mut leave);
            pulp::Arch::new().dispatch(Leaving {
                presence,
                zones: *zones,
                stay: *stay,
                tick,
                devices,
                leave,
            });
            list.extend(leave.iter().take(chunk.len()));
        }
        list
    }

    /// When a device goes, in nanoseconds of the run; `now` if a trace does not have it there.
    fn leaves_trace(&self, device: u32) -> u64 {
        let Availability::Trace(trace) = self.availability else { return u64::MAX };
        let seconds = self.now as f64 / 1e9;
        let list = trace.intervals.get(device as usize % trace.intervals.len().max(1));
        let open = list.into_iter().flatten().find(|(from, to)| *from <= seconds && seconds < *to);
        open.map_or(self.now, |(_, to)| nanoseconds(*to))
    }

    #[inline(always)]
    fn habits<'b>(&self, zones: u32, devices: &'b Many<u32>) -> Habits<'b> {
        let mut habits = Habits { device: devices, phase: [0; MANY], zone: [0; MANY] };
        for ((phase, zone), device) in habits.phase.iter_mut().zip(&mut habits.zone).zip(devices) {
            let own = self.own.bits(*device);
            *phase = own >> 32;
            let late = if *phase >= self.next { ZONES as u32 } else { 0 };
            *zone = (((own & 0xffff_ffff) * u64::from(zones)) >> 32) as u32 + late;
        }
        habits
    }

    /// Whether devices are there so many blocks after the one in which each is: all bits set, or none.
    #[inline(always)]
    fn stay(&self, habits: &Habits<'_>, ahead: usize, stay: &mut Many<u64>) {
        let shares =
            self.shares.get(ahead * ZONES..).and_then(|shares| shares.first_chunk::<{ 2 * ZONES }>());
        let (Some(shares), [early, late, ..]) = (shares, &self.lots[ahead..]) else { return stay.fill(0) };
        let (mut share, early, late) = ([Share::new(0.0); MANY], *early, *late);
        for (share, zone) in share.iter_mut().zip(&habits.zone) {
            *share = shares[*zone as usize % (2 * ZONES)];
        }
        for ((stay, share), (device, zone)) in
            stay.iter_mut().zip(&share).zip(habits.device.iter().zip(&habits.zone))
        {
            let lot = if *zone < ZONES as u32 { early } else { late };
            *stay = if lot.hits(*device, *share) { u64::MAX } else { 0 };
        }
    }

    /// The first block from `block` on, counted from the run's, in which a device is not there. Nobody is after the last one
    /// that is looked at.
    fn goes(&self, device: u32, zone: u32, block: u64) -> u64 {
        let (mut block, zone) = (block as usize, zone as usize % ZONES);
        while let (Some(lot), Some(share)) = (self.lots.get(block), self.shares.get(block * ZONES + zone))
            && lot.hits(device, *share)
        {
            block += 1;
        }
        block as u64
    }
}

/// [`Presence::who_is_there`], by day and night.
struct There<'a> {
    presence: &'a Presence<'a>,
    zones: u32,
    /// With the device to begin at.
    walk: (&'a Walk, u64),
    devices: &'a mut Many<u32>,
    there: &'a mut Many<bool>,
}

impl pulp::NullaryFnOnce for There<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (walk, from) = self.walk;
        walk.some(from, self.devices);
        let habits = self.presence.habits(self.zones, self.devices);
        let mut stay = [0; MANY];
        self.presence.stay(&habits, 0, &mut stay);
        self.there.iter_mut().zip(&stay).for_each(|(there, stay)| *there = *stay > 0);
    }
}

/// [`Presence::leave`], by day and night.
struct Leaving<'a> {
    presence: &'a Presence<'a>,
    zones: u32,
    /// Seconds of a block.
    stay: f64,
    /// Nanoseconds.
    tick: u64,
    devices: &'a Many<u32>,
    leave: &'a mut Many<u32>,
}

impl pulp::NullaryFnOnce for Leaving<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { presence, zones, stay, tick, devices, leave } = self;
        let habits = presence.habits(zones, devices);
        let mut goes = [0; MANY];
        presence.first_away(&habits, &mut goes);
        let (part, ticks) = (stay / PHASES as f64, 1.0 / tick as f64);
        for ((leave, goes), phase) in leave.iter_mut().zip(&goes).zip(&habits.phase) {
            let seconds = (presence.first + goes) as i64 as f64 * stay - *phase as i64 as f64 * part;
            let left = nanoseconds(seconds).max(presence.now + 1) - presence.now;
            // Without a division: the product is off by less than a half as far as it is not too great anyway.
            let near = rounded(left as i64 as f64 * ticks).min(1 << 32);
            let whole = near - u64::from(near * tick > left);
            *leave = whole.min(u64::from(u32::MAX)) as u32;
        }
    }
}

impl Presence<'_> {
    /// The first block after its own, counted from the run's, in which each of some devices is not there.
    #[inline(always)]
    fn first_away(&self, habits: &Habits<'_>, goes: &mut Many<u64>) {
        let (mut stay, mut stayed) = ([0; MANY], [u64::MAX; MANY]);
        for (goes, zone) in goes.iter_mut().zip(&habits.zone) {
            *goes = 1 + u64::from(*zone >= ZONES as u32);
        }
        for ahead in 1..=AT_ONCE {
            self.stay(habits, ahead, &mut stay);
            for ((goes, stayed), stay) in goes.iter_mut().zip(&mut stayed).zip(&stay) {
                *stayed &= stay;
                *goes += *stayed & 1;
            }
        }
        for at in (0..MANY).filter(|at| stayed[*at] > 0) {
            goes[at] = self.goes(habits.device[at], habits.zone[at], goes[at]);
        }
    }
}

/// Share of the devices that are there at an hour.
fn present(availability: &Availability, hour: f64) -> f64 {
    let Availability::Diurnal { low, high, peak, .. } = availability else { return 1.0 };
    let from_peak = (hour - peak).rem_euclid(24.0);
    let distance = from_peak.min(24.0 - from_peak);
    low + (high - low) * (1.0 - distance / 12.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Calibration, Scenario};

    fn world(more: &str) -> World {
        let text = format!(
            "clients = 100\npopulation = 1000\n{more}\n[[vectors]]\nname = \"v\"\nlength = 1\nbits = 8"
        );
        World::new(Scenario::parse(&text, "test").unwrap(), &Calibration::built_in()).unwrap()
    }

    /// As its definition has it, one device and one block after the other.
    fn leaves(presence: &Presence<'_>, stay: f64, zones: u32, device: u32) -> u64 {
        let own = presence.own.bits(device);
        let zone = (((own & 0xffff_ffff) * u64::from(zones)) >> 32) as u32;
        let late = u64::from(own >> 32 >= presence.next);
        let goes = presence.goes(device, zone, late + 1);
        let phase = (own >> 32) as f64 * (stay / PHASES as f64);
        nanoseconds((presence.first + goes) as f64 * stay - phase).max(presence.now + 1)
    }

    #[test]
    fn those_are_found_that_are_there_one_by_one() {
        let diurnal = "availability = { kind = \"diurnal\", low = 0.02, high = 0.2 }";
        for more in ["", diurnal] {
            let world = world(more);
            let presence = Presence::new(&world, 7_200_000_000_000);
            for looked_at in [1, 255, 256, 257, 1000] {
                let walk = Walk::new((990, 333, 1000), 300);
                let there = |place: &u64| {
                    let device = ((990 + place * 333) % 1000) as u32;
                    let own = presence.own.bits(device);
                    let late = u64::from(own >> 32 >= presence.next);
                    let away = |zone| presence.goes(device, zone, late);
                    more.is_empty() || away(0) > late
                };
                let devices = (0..looked_at).filter(there).map(|place| ((990 + place * 333) % 1000) as u32);
                assert_eq!(
                    presence.find(&walk, looked_at),
                    devices.take(300).collect::<Vec<_>>(),
                    "{looked_at}"
                );
            }
        }
    }

    #[test]
    fn devices_leave_when_their_first_block_away_begins() {
        let world =
            world("availability = { kind = \"diurnal\", low = 0.3, high = 1, zones = 5, stay = 600 }");
        for (hours, tick) in [(0, 100_000_000), (30_000, 1_000), (3, 7_000_000_000_000)] {
            let now = hours * 3600 * 1_000_000_000 + 123_456_789;
            let presence = Presence::new(&world, now);
            let devices: Vec<u32> = (0..1000).collect();
            let leave = presence.leave(&devices, tick);
            for (device, leave) in devices.iter().zip(leave) {
                let ticks = (leaves(&presence, 600.0, 5, *device) - now) / tick;
                assert_eq!(u64::from(leave), ticks.min(u64::from(u32::MAX)), "{device} at {hours}");
            }
        }
    }

    #[test]
    fn as_many_are_there_as_the_hour_has() {
        let world = world("availability = { kind = \"diurnal\", low = 0.2, high = 0.8, peak = 2 }");
        let there = |hours: u64| {
            let now = hours * 3600 * 1_000_000_000;
            let presence = Presence::new(&world, now);
            presence.find(&Walk::new((0, 1, 10_000), 10_000), 10_000).len()
        };
        assert!((7_600..8_100).contains(&there(2)), "{}", there(2));
        assert!((1_900..2_400).contains(&there(14)), "{}", there(14));
    }
}
