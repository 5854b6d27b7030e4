//! Which devices take part in a session, and until when they are there.

use crate::draw::{Draws, Purpose, Share, mix};
use crate::scenario::Availability;
use crate::world::{World, nanoseconds};

/// The devices of one session, by the number of the client from 0.
pub(crate) enum Devices {
    /// The client's number plus this.
    Direct(u32),
    /// Every `step`th of the population around the circle.
    Walk { first: u64, step: u64, population: u64, clients: u32 },
    /// As chosen among those that were there, with when they go, in ticks from the session's start.
    Listed { devices: Vec<u32>, leave: Vec<u32> },
}

/// Blocks of availability that a device is followed for at most.
const LONGEST: u64 = 1000;

const HOUR: f64 = 3600.0;

impl Devices {
    /// Chooses the devices of a cohort's session that begins at `start` (nanoseconds of the run).
    pub(crate) fn choose(world: &World, number: u32, cohort: u32, start: u64) -> Self {
        let scenario = &world.scenario;
        let (clients, cohorts) = (scenario.clients, u64::from(scenario.cohorts));
        let population = u64::from(scenario.population.unwrap_or(clients * scenario.cohorts));
        let always = matches!(scenario.availability, Availability::Always);
        if always && scenario.population.is_none() {
            return Self::Direct(cohort * clients);
        }
        let offset = mix(scenario.seed ^ mix(u64::from(number))) % population;
        let stride = step(scenario.seed, number, population);
        let first = (offset + u64::from(cohort) * stride) % population;
        let step = stride * cohorts % population;
        if always {
            return Self::Walk { first, step, population, clients };
        }
        // The cohorts look at different devices each: number 0, c, 2c, … of the walk and so on.
        let looked_at = (population - u64::from(cohort)).div_ceil(cohorts);
        let presence = Presence::new(world, start);
        let devices = presence.find((first, step, population), looked_at, clients);
        let leave = |device: &u32| {
            // One that goes before the next tick is as good as gone.
            let left = (presence.leaves(*device) - start) / world.tick;
            u32::try_from(left).unwrap_or(u32::MAX)
        };
        let leave = devices.iter().map(leave).collect();
        Self::Listed { devices, leave }
    }

    /// How many there are.
    pub(crate) fn count(&self, clients: u32) -> u32 {
        match self {
            Self::Direct(_) => clients,
            Self::Walk { clients, .. } => *clients,
            Self::Listed { devices, .. } => devices.len() as u32,
        }
    }

    #[inline(always)]
    pub(crate) fn of(&self, client: u32) -> u32 {
        match self {
            Self::Direct(first) => first + client,
            Self::Walk { first, step, population, .. } => {
                ((first + u64::from(client) * step) % population) as u32
            }
            Self::Listed { devices, .. } => devices.get(client as usize).copied().unwrap_or_default(),
        }
    }

    /// When a client's device goes, in ticks from the session's start; `u32::MAX` for never.
    #[inline(always)]
    pub(crate) fn leaves(&self, client: u32) -> u32 {
        match self {
            Self::Listed { leave, .. } => leave.get(client as usize).copied().unwrap_or(u32::MAX),
            _ => u32::MAX,
        }
    }
}

/// A step that visits every device once.
fn step(seed: u64, number: u32, population: u64) -> u64 {
    let drawn = mix(seed ^ mix(u64::from(number) ^ Purpose::Selection as u64)) % population;
    (drawn..).find(|step| *step > 0 && gcd(*step, population) == 1).unwrap_or(1) % population.max(2)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Who is there at one moment, and for how long.
struct Presence<'a> {
    availability: &'a Availability,
    /// Nanoseconds of the run.
    now: u64,
    /// The block of time in which `now` is.
    first: u64,
    /// The least phase of the devices that are in the next one already.
    next: u64,
    /// The lots of each block from the first on.
    lots: Vec<Draws>,
    /// For each of these blocks, the share that is there by time zone, one after the other.
    shares: Vec<Share>,
    /// What decides on a device's phase and time zone.
    own: Draws,
}

/// Phases of devices, in as many parts of a block.
const PHASES: u64 = 1 << 32;

/// Blocks that are drawn at once: whether a device stays, no processor foresees.
const AT_ONCE: usize = 4;

impl<'a> Presence<'a> {
    fn new(world: &'a World, now: u64) -> Self {
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
                let shift = |zone| f64::from(zone) * 24.0 / f64::from(*zones);
                let share = |zone| Share::new(present(availability, hour + shift(zone)));
                presence.shares.extend((0..*zones).map(share));
                presence.lots.push(Draws::new(seed, 0, Purpose::Absence, block + 1));
            }
        }
        presence
    }

    /// The first so many devices that are there, of the `looked_at` first ones of a walk: where it begins, its step and
    /// its circle.
    fn find(&self, (first, step, population): (u64, u64, u64), looked_at: u64, clients: u32) -> Vec<u32> {
        // Each device is written, and the place only taken if it is there: who is there, no processor foresees.
        let mut devices = vec![0; clients as usize + 1];
        let (mut device, mut found) = (first, 0);
        for _ in 0..looked_at {
            if found == clients as usize {
                break;
            }
            devices[found] = device as u32;
            found += usize::from(self.is_there(device as u32));
            device += step;
            device -= if device >= population { population } else { 0 };
        }
        devices.truncate(found);
        devices
    }

    #[inline]
    fn is_there(&self, device: u32) -> bool {
        match self.availability {
            Availability::Diurnal { zones, .. } => {
                let (phase, zone) = self.habits(device, *zones);
                self.stays(device, self.block(phase), (zone, *zones as usize))
            }
            _ => self.leaves(device) > self.now,
        }
    }

    /// When a device that is there goes, in nanoseconds of the run; `now` if a trace does not have it there.
    #[inline]
    fn leaves(&self, device: u32) -> u64 {
        match self.availability {
            Availability::Always => u64::MAX,
            Availability::Trace(trace) => {
                let seconds = self.now as f64 / 1e9;
                let list = trace.intervals.get(device as usize % trace.intervals.len().max(1));
                let open = list.into_iter().flatten().find(|(from, to)| *from <= seconds && seconds < *to);
                open.map_or(self.now, |(_, to)| nanoseconds(*to))
            }
            Availability::Diurnal { stay, zones, .. } => {
                let (phase, zone) = self.habits(device, *zones);
                let goes = self.goes(device, self.block(phase) + 1, (zone, *zones as usize));
                let phase = phase as f64 * (stay / PHASES as f64);
                nanoseconds((self.first + goes as u64) as f64 * stay - phase).max(self.now + 1)
            }
        }
    }

    /// The first block from `block` on in which a device is not there.
    #[inline]
    fn goes(&self, device: u32, mut block: usize, zone: (usize, usize)) -> usize {
        loop {
            let stays = |at| usize::from(self.stays(device, block + at, zone)) << at;
            let stayed = (0..AT_ONCE).map(stays).sum::<usize>().trailing_ones() as usize;
            block += stayed;
            if stayed < AT_ONCE {
                return block;
            }
        }
    }

    /// By how much a device's blocks begin before those of the run, in parts of a block, and its time zone.
    #[inline]
    fn habits(&self, device: u32, zones: u32) -> (u64, usize) {
        let own = self.own.bits(device);
        let zone = ((own & 0xffff_ffff) * u64::from(zones)) >> 32;
        (own >> 32, zone as usize)
    }

    /// The block in which a device is, counted from the run's.
    #[inline]
    fn block(&self, phase: u64) -> usize {
        usize::from(phase >= self.next)
    }

    /// Whether a device is there in a block; nobody is after the last one that is looked at.
    #[inline]
    fn stays(&self, device: u32, block: usize, (zone, zones): (usize, usize)) -> bool {
        let (lots, share) = (self.lots.get(block), self.shares.get(block * zones + zone));
        lots.zip(share).is_some_and(|(lots, share)| lots.hits(device, *share))
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
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Calibration, Scenario};

    fn world(more: &str) -> World {
        let text = format!(
            "clients = 100\ncohorts = 3\npopulation = 1000\n{more}\n[[vectors]]\nname = \"v\"\nlength = 1\nbits = 8"
        );
        World::new(Scenario::parse(&text, "test").unwrap(), &Calibration::built_in()).unwrap()
    }

    #[test]
    fn cohorts_have_different_devices_and_sessions_other_ones() {
        for more in ["", "availability = { kind = \"diurnal\", low = 0.4, high = 0.9 }"] {
            let world = world(more);
            let chosen = |number, cohort| {
                let devices = Devices::choose(&world, number, cohort, 0);
                (0..devices.count(100)).map(|client| devices.of(client)).collect::<BTreeSet<u32>>()
            };
            let all: BTreeSet<u32> = (0..3).flat_map(|cohort| chosen(0, cohort)).collect();
            assert_eq!(all.len(), 300, "{more}");
            assert!(all.iter().all(|device| *device < 1000));
            assert_ne!(chosen(0, 0), chosen(1, 0));
        }
    }

    #[test]
    fn as_many_are_there_as_the_hour_has() {
        let world = world("availability = { kind = \"diurnal\", low = 0.2, high = 0.8, peak = 2 }");
        let there = |hours: u64| {
            let now = hours * 3600 * 1_000_000_000;
            let presence = Presence::new(&world, now);
            (0..10_000).filter(|device| presence.is_there(*device)).count()
        };
        assert!((7_600..8_100).contains(&there(2)), "{}", there(2));
        assert!((1_900..2_400).contains(&there(14)), "{}", there(14));
    }
}
