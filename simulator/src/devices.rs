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
    /// As chosen among those that were there.
    Listed(Vec<u32>),
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
        let there = (0..looked_at as u32).map(|at| walk.of(at));
        let there = there.filter(|device| leaves(world, *device, start) > start);
        Self::Listed(there.take(clients as usize).collect())
    }

    /// How many there are.
    pub(crate) fn count(&self, clients: u32) -> u32 {
        match self {
            Self::Direct(_) => clients,
            Self::Walk { clients, .. } => *clients,
            Self::Listed(list) => list.len() as u32,
        }
    }

    #[inline]
    pub(crate) fn of(&self, client: u32) -> u32 {
        match self {
            Self::Direct(first) => first + client,
            Self::Walk { first, step, population, .. } => {
                ((first + u64::from(client) * step) % population) as u32
            }
            Self::Listed(list) => list.get(client as usize).copied().unwrap_or_default(),
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

/// When a device that is there at `now` goes, in nanoseconds of the run; `now` if it is not there.
pub(crate) fn leaves(world: &World, device: u32, now: u64) -> u64 {
    match &world.scenario.availability {
        Availability::Always => u64::MAX,
        Availability::Trace(trace) => {
            let seconds = now as f64 / 1e9;
            let list = trace.intervals.get(device as usize % trace.intervals.len().max(1));
            let open = list.into_iter().flatten().find(|(from, to)| *from <= seconds && seconds < *to);
            open.map_or(now, |(_, to)| nanoseconds(*to))
        }
        Availability::Diurnal { stay, zones, .. } => {
            let seed = world.scenario.seed;
            let own = Draws::new(seed, 0, Purpose::Absence, 0).bits(device);
            let phase = (own >> 32) as f64 / (1u64 << 32) as f64 * stay;
            let zone = (own & 0xffff_ffff) % u64::from(*zones);
            let shift = zone as f64 * 24.0 / f64::from(*zones);
            let block = ((now as f64 / 1e9 + phase) / stay) as u64;
            let there = |block: &u64| {
                let hour = ((*block as f64 + 0.5) * stay - phase) / HOUR + shift;
                let lot = Draws::new(seed, 0, Purpose::Absence, block + 1);
                lot.unit(device) < present(&world.scenario.availability, hour)
            };
            match (block..block + LONGEST).find(|block| !there(block)) {
                Some(gone) if gone == block => now,
                gone => nanoseconds(gone.unwrap_or(block + LONGEST) as f64 * stay - phase).max(now + 1),
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
            (0..10_000).filter(|device| leaves(&world, *device, now) > now).count()
        };
        assert!((7_600..8_100).contains(&there(2)), "{}", there(2));
        assert!((1_900..2_400).contains(&there(14)), "{}", there(14));
    }
}
