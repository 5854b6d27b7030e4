//! Which devices take part in a session, and until when they are there.

mod presence;
mod walk;

use crate::draw::{Purpose, mix};
use crate::scenario::Availability;
use crate::world::World;
use presence::Presence;
pub(crate) use walk::Walk;

/// The devices of one session, by the number of the client from 0.
pub(crate) enum Devices {
    /// The client's number plus this.
    Direct(u32),
    /// Around the circle of the population.
    Walk(Walk),
    /// As chosen among those that were there, with when they go, in ticks from the session's start.
    Listed { devices: Vec<u32>, leave: Vec<u32> },
}

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
        let walk = Walk::new((first, step, population), clients);
        if always {
            return Self::Walk(walk);
        }
        // The cohorts look at different devices each: number 0, c, 2c, … of the walk and so on.
        let looked_at = (population - u64::from(cohort)).div_ceil(cohorts);
        let presence = Presence::new(world, start);
        let devices = presence.find(&walk, looked_at);
        let leave = presence.leave(&devices, world.tick);
        Self::Listed { devices, leave }
    }

    /// How many there are.
    pub(crate) fn count(&self, clients: u32) -> u32 {
        match self {
            Self::Direct(_) => clients,
            Self::Walk(walk) => walk.clients(),
            Self::Listed { devices, .. } => devices.len() as u32,
        }
    }

    #[inline(always)]
    pub(crate) fn of(&self, client: u32) -> u32 {
        match self {
            Self::Direct(first) => first + client,
            Self::Walk(walk) => walk.place(client) as u32,
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
}
