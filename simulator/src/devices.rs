//! Which devices take part in a session, and until when they are there.

use crate::draw::{Draws, Purpose, mix};
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
        let walk = Self::Walk { first, step, population, clients };
        if always {
            return walk;
        }
        // The cohorts look at different devices each: number 0, c, 2c, … of the walk and so on.
        let looked_at = (population - u64::from(cohort)).div_ceil(cohorts);
        let presence = Presence::new(world, start);
        let there = (0..looked_at as u32).filter_map(|at| {
            let device = walk.of(at);
            let left = presence.leaves(world, device).checked_sub(start).filter(|left| *left > 0)?;
            // One that goes before the next tick is as good as gone.
            Some((device, u32::try_from(left / world.tick).unwrap_or(u32::MAX)))
        });
        let (devices, leave) = there.take(clients as usize).unzip();
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

    #[inline]
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
    #[inline]
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
struct Presence {
    /// Nanoseconds of the run.
    now: u64,
    /// For each block of time from the one before `now` on: the lots, and the share that is there by time zone.
    blocks: Vec<(Draws, Vec<f64>)>,
    first: u64,
    /// What decides on a device's phase and time zone.
    own: Draws,
}

impl Presence {
    fn new(world: &World, now: u64) -> Self {
        let seed = world.scenario.seed;
        let own = Draws::new(seed, 0, Purpose::Absence, 0);
        let Availability::Diurnal { stay, zones, .. } = &world.scenario.availability else {
            return Self { now, blocks: Vec::new(), first: 0, own };
        };
        let first = (now as f64 / 1e9 / stay) as u64;
        let block = |block: u64| {
            let hour = (block as f64 + 0.5) * stay / HOUR;
            let share = |zone| {
                let shift = f64::from(zone) * 24.0 / f64::from(*zones);
                present(&world.scenario.availability, hour + shift)
            };
            (Draws::new(seed, 0, Purpose::Absence, block + 1), (0..*zones).map(share).collect())
        };
        Self { now, blocks: (first..=first + LONGEST).map(block).collect(), first, own }
    }

    /// When a device that is there goes, in nanoseconds of the run; `now` if it is not there.
    fn leaves(&self, world: &World, device: u32) -> u64 {
        match &world.scenario.availability {
            Availability::Always => u64::MAX,
            Availability::Trace(trace) => {
                let seconds = self.now as f64 / 1e9;
                let list = trace.intervals.get(device as usize % trace.intervals.len().max(1));
                let open = list.into_iter().flatten().find(|(from, to)| *from <= seconds && seconds < *to);
                open.map_or(self.now, |(_, to)| nanoseconds(*to))
            }
            Availability::Diurnal { stay, zones, .. } => {
                let own = self.own.bits(device);
                let phase = (own >> 32) as f64 / (1u64 << 32) as f64 * stay;
                let zone = ((own & 0xffff_ffff) % u64::from(*zones)) as usize;
                let block = ((self.now as f64 / 1e9 + phase) / stay) as u64;
                let later = self.blocks.get((block - self.first) as usize..).unwrap_or_default();
                let there = |(lots, shares): &&(Draws, Vec<f64>)| {
                    shares.get(zone).is_some_and(|p| lots.unit(device) < *p)
                };
                match later.iter().take_while(there).count() as u64 {
                    0 => self.now,
                    blocks => nanoseconds((block + blocks) as f64 * stay - phase).max(self.now + 1),
                }
            }
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
            (0..10_000).filter(|device| presence.leaves(&world, *device) > now).count()
        };
        assert!((7_600..8_100).contains(&there(2)), "{}", there(2));
        assert!((1_900..2_400).contains(&there(14)), "{}", there(14));
    }
}
