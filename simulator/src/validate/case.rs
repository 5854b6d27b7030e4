//! The set-ups: scenarios that real processes can play too.

use std::collections::BTreeMap;
use std::path::Path;

use secagg::Round;

use super::simulate::Simulated;
use crate::cast::Cast;
use crate::distribution::Distribution;
use crate::reality::{Access, Network, Setup};
use crate::scenario::{Availability, Moment, Scenario, ScenarioError, SuiteName};
use crate::world::{World, nanoseconds};
use crate::{Calibration, Profile};

/// Bytes that a client's share of a queue holds: more than a connection has in flight, so nothing is dropped there.
const QUEUE: u64 = 4 << 20;

/// Most clients: each is a process.
const MOST_CLIENTS: u32 = 500;

/// The set-ups that are compared by default. In all of them the network is slower than two cores that run all the
/// processes.
const BUILT_IN: [(&str, &str); 8] = [
    ("plain", include_str!("../../scenarios/validation/plain.toml")),
    ("long-way", include_str!("../../scenarios/validation/long-way.toml")),
    ("shared-link", include_str!("../../scenarios/validation/shared-link.toml")),
    ("sparse", include_str!("../../scenarios/validation/sparse.toml")),
    ("two-rates", include_str!("../../scenarios/validation/two-rates.toml")),
    ("loss", include_str!("../../scenarios/validation/loss.toml")),
    ("dropouts", include_str!("../../scenarios/validation/dropouts.toml")),
    ("large-vector", include_str!("../../scenarios/validation/large-vector.toml")),
];

/// One set-up.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What tables call it.
    pub name: String,
    /// What happens in it.
    pub scenario: Scenario,
}

impl Case {
    /// The set-ups that are there without a file.
    ///
    /// # Errors
    /// None, unless a file that was compiled in is broken.
    pub fn built_in() -> Result<Vec<Self>, ScenarioError> {
        let case = |(name, text): (&str, &str)| Self::new(name, Scenario::parse(text, name)?);
        BUILT_IN.into_iter().map(case).collect()
    }

    /// A scenario file as a set-up.
    ///
    /// # Errors
    /// The file is no scenario, or has what real processes cannot do.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
        Self::new(&name, Scenario::read(path)?)
    }

    fn new(name: &str, scenario: Scenario) -> Result<Self, ScenarioError> {
        if let Some(unfit) = unfit(&scenario) {
            return Err(ScenarioError::Impossible(format!(
                "{name} cannot be run by real processes: {unfit}"
            )));
        }
        Ok(Self { name: name.to_owned(), scenario })
    }

    /// Has all machines cost what `profile` says, as they do if all processes run on one.
    pub fn on_one_machine(&mut self, profile: Profile) -> Calibration {
        let name = "this-machine".to_owned();
        self.scenario.compute.server.clone_from(&name);
        self.scenario.compute.classes.iter_mut().for_each(|class| class.profile.clone_from(&name));
        Calibration { profiles: BTreeMap::from([(name, profile)]) }
    }

    /// The set-up for real processes, in which those clients vanish that vanished in the simulation.
    ///
    /// # Errors
    /// As [`crate::Simulation::new`].
    pub fn setup(
        &self,
        calibration: &Calibration,
        simulated: &Simulated,
        seed: u64,
    ) -> Result<Setup, ScenarioError> {
        let config = self.scenario.config(self.scenario.clients, [0; 32], None)?;
        let world = World::new(self.scenario.clone(), calibration)?;
        let cast = Cast::new(&world, 0, 0, 0);
        let access = |client| {
            let (up, down, latency, loss) = cast.access(client);
            Access { up, down, latency: nanoseconds(latency), jitter: 0, loss }
        };
        let vanish = simulated.vanished.iter().map(|(client, round)| (*client, format!("before:{round}")));
        let network = &self.scenario.network;
        Ok(Setup {
            graph: config.graph,
            threshold: config.threshold,
            vectors: config.vectors,
            vanish: vanish.collect(),
            network: Network {
                clients: (0..self.scenario.clients).map(access).collect(),
                server_up: network.server_up.unwrap_or(f64::INFINITY),
                server_down: network.server_down.unwrap_or(f64::INFINITY),
                queue: QUEUE,
                seed,
            },
            deadline: (self.scenario.stages.of(Round::MaskedInputCollection).deadline.ceil() as u64).max(1),
        })
    }
}

/// What of a scenario real processes cannot do.
fn unfit(scenario: &Scenario) -> Option<&'static str> {
    let Scenario { faults, compute, .. } = scenario;
    let rules = [
        (scenario.clients > MOST_CLIENTS, "more than 500 clients"),
        (scenario.suite != SuiteName::Curious, "the active suite"),
        (scenario.privacy.is_some(), "a private vector"),
        (scenario.adversaries.is_some(), "adversaries"),
        (scenario.minimum_survivors > 1, "a minimum of survivors"),
        (scenario.sessions > 1 || scenario.cohorts > 1, "more than one session or cohort"),
        (scenario.population.is_some(), "a population"),
        (scenario.task_bytes > 0, "a task"),
        (scenario.availability != Availability::Always, "availability"),
        (!faults.outages.is_empty() || faults.stragglers.is_some(), "outages or stragglers"),
        (faults.dropouts.iter().any(|rule| rule.moment != Moment::Before), "dropouts after the request"),
        (compute.training != Distribution::Constant(0.0), "training"),
        (scenario.stages.all.quorum < 1.0, "a quorum"),
        (scenario.network.silence > 0.0 && !faults.dropouts.is_empty(), "clients that vanish in silence"),
    ];
    rules.into_iter().find(|(is, _)| *is).map(|(_, what)| what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_ups_are_possible() {
        assert!(Case::built_in().unwrap().len() >= 6);
    }

    #[test]
    fn what_processes_cannot_do_is_named() {
        let text = format!("sessions = 2\n{}", BUILT_IN[0].1);
        let error = Case::new("x", Scenario::parse(&text, "x").unwrap()).unwrap_err().to_string();
        assert!(error.contains("more than one session"), "{error}");
    }
}
