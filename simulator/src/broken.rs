//! What to keep when a run is [`Broken`](crate::Broken): the scenario, and the least one that is still broken.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::scenario::{
    Availability, Compute, GraphChoice, Liars, Network, Privacy, Scenario, ServerConduct, Stages, Vector,
};
use crate::{Calibration, Mode, Progress, RunError, Simulation};

/// Runs that the search for a smaller scenario takes at most.
const TRIES: usize = 200;

/// A run that is broken: what was run, and the folder that its scenario's trace is relative to.
pub(crate) struct Found<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) beside: &'a Path,
    pub(crate) calibration: &'a Calibration,
    pub(crate) mode: Mode,
}

impl Found<'_> {
    /// Writes the scenario into `folder` as `found.toml`, and a smaller one that is broken too as `shrunk.toml`; says
    /// where they are, or why they could not be written. The search for a smaller one ends early when `observe` says
    /// so.
    pub(crate) fn keep(&self, folder: &Path, observe: &(dyn Fn(Progress) -> bool + Sync)) -> String {
        match self.write(folder, observe) {
            Ok([found, shrunk]) => format!(
                "`run --mode {} {}` shows it again, and {} is as small as was found",
                self.mode.name(),
                found.display(),
                shrunk.display()
            ),
            Err(error) => format!("its scenario could not be kept: {}: {error}", folder.display()),
        }
    }

    fn write(&self, folder: &Path, observe: &(dyn Fn(Progress) -> bool + Sync)) -> io::Result<[PathBuf; 2]> {
        let mut scenario = self.scenario.clone();
        if let Availability::Trace(trace) = &mut scenario.availability {
            trace.file = self.beside.join(&trace.file).canonicalize()?;
        }
        let [found, shrunk] = ["found.toml", "shrunk.toml"].map(|name| folder.join(name));
        fs::create_dir_all(folder)?;
        fs::write(&found, scenario.to_toml())?;
        let broken = |scenario: &Scenario| {
            let ran =
                Simulation::new(scenario.clone(), self.calibration, self.mode).map(|run| run.run(observe));
            matches!(ran, Ok(Err(RunError::Broken(_))))
        };
        fs::write(&shrunk, shrink(&scenario, broken).to_toml())?;
        Ok([found, shrunk])
    }
}

/// The least scenario that is reached by steps that each leave it broken.
fn shrink(scenario: &Scenario, broken: impl Fn(&Scenario) -> bool) -> Scenario {
    let mut least = scenario.clone();
    let mut tries = 0..TRIES;
    loop {
        let smaller = smaller(&least).into_iter().filter(|one| *one != least && one.check().is_ok());
        let Some(next) = smaller.zip(tries.by_ref()).find(|(one, _)| broken(one)) else { return least };
        least = next.0;
    }
}

/// All scenarios that are one step smaller, the greatest steps first; some may be no smaller, or impossible.
fn smaller(scenario: &Scenario) -> Vec<Scenario> {
    let steps: [fn(&mut Scenario); 21] = [
        |one| one.adversaries = None,
        drop_privacy,
        |one| one.sessions = 1,
        |one| one.cohorts = 1,
        |one| one.sessions = one.sessions.div_ceil(2),
        |one| one.cohorts = one.cohorts.div_ceil(2),
        |one| *one = one.with_clients(one.clients / 2),
        |one| one.availability = Availability::Always,
        |one| one.network = Network::default(),
        |one| one.compute = Compute::default(),
        |one| one.stages = Stages::default(),
        |one| one.faults.stragglers = None,
        |one| one.vectors.truncate(1),
        |one| one.vectors.iter_mut().for_each(|vector| vector.length = vector.length.div_ceil(2)),
        |one| one.privacy.iter_mut().for_each(|privacy| privacy.dimension = privacy.dimension.div_ceil(2)),
        |one| one.privacy.iter_mut().for_each(|privacy| privacy.budget = None),
        |one| one.adversaries.iter_mut().for_each(|adversaries| adversaries.server = ServerConduct::Honest),
        |one| one.adversaries.iter_mut().for_each(|adversaries| adversaries.colluding = 0.0),
        |one| halve_degree(&mut one.graph),
        |one| (one.task_bytes, one.pause, one.population) = (0, 0.0, None),
        |one| *one = one.with_clients(one.clients - 1),
    ];
    let stepped = steps.into_iter().map(|step| {
        let mut one = scenario.clone();
        step(&mut one);
        one
    });
    let dropouts = (0..scenario.faults.dropouts.len()).flat_map(|at| {
        let mut without = scenario.clone();
        without.faults.dropouts.remove(at);
        // The lots of a rule depend on its place, so the others may need one that does nothing before them.
        let mut idle = scenario.clone();
        idle.faults.dropouts[at].probability = 0.0;
        [without, idle]
    });
    let outages = (0..scenario.faults.outages.len()).map(|at| {
        let mut one = scenario.clone();
        one.faults.outages.remove(at);
        one
    });
    let told = scenario.adversaries.as_ref().map_or(0, |adversaries| adversaries.lies.len());
    let lies = (0..told).flat_map(|at| {
        let step = |change: &dyn Fn(&mut Vec<Liars>)| {
            let mut one = scenario.clone();
            one.adversaries.iter_mut().for_each(|adversaries| change(&mut adversaries.lies));
            one
        };
        // As with dropouts: the lots of a lie depend on its place.
        [step(&|lies| _ = lies.remove(at)), step(&|lies| lies[at].share = 0.0)]
    });
    stepped.chain(dropouts).chain(outages).chain(lies).collect()
}

/// Without noise: if nothing else is summed, the private vector becomes one of integers, as long.
fn drop_privacy(scenario: &mut Scenario) {
    if let Some(Privacy { name, dimension, bits, .. }) = scenario.privacy.take()
        && scenario.vectors.is_empty()
    {
        scenario.vectors.push(Vector { name, length: dimension, bits: bits.unwrap_or(16), bound: None });
    }
}

/// Half the neighbours, an even number, with the threshold that goes with them.
fn halve_degree(graph: &mut GraphChoice) {
    if let GraphChoice::Regular { degree, .. } = *graph {
        *graph = GraphChoice::Regular { degree: (degree / 4 * 2).max(2), threshold: None };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Lie;

    const TEXT: &str = r#"
        clients = 24
        population = 500
        sessions = 2
        cohorts = 2
        graph = { kind = "regular", degree = 16 }
        vectors = [{ name = "planted", length = 30, bits = 20 }, { name = "other", length = 4, bits = 8 }]
        stages.all = { deadline = 30 }
        network = { latency = { median = 0.05, sigma = 0.5 } }
        faults.stragglers = { share = 0.1, slowdown = 3 }
        faults.outages = [{ at = 900, share = 0.1 }]
        faults.dropouts = [
            { round = "unmasking", probability = 0.02 },
            { round = "share-keys", probability = 0.1 },
        ]
        minimum_survivors = 8
        privacy = { multiplier = 4, delta = 1e-5, dimension = 20, bits = 12 }
    "#;

    /// To be put after it.
    const ATTACKS: &str = r#"
        [adversaries]
        server = "equivocating"
        lies = [{ lie = "duplicate", share = 0.1 }, { lie = "malformed", share = 0.2 }]
    "#;

    /// The sum of a vector of this name is wrong whenever somebody has vanished: see `Real::exact`.
    #[test]
    fn a_broken_run_leaves_two_scenarios_that_are_broken_and_one_is_small() {
        let folder = tempfile::tempdir().unwrap();
        let scenario = Scenario::parse(TEXT, "test").unwrap();
        let calibration = Calibration::built_in();
        let broken = |scenario: &Scenario| {
            let simulation = Simulation::new(scenario.clone(), &calibration, Mode::Real).unwrap();
            matches!(simulation.run(&|_| true), Err(RunError::Broken(_)))
        };
        assert!(broken(&scenario));
        let beside = Path::new("");
        let found = Found { scenario: &scenario, beside, calibration: &calibration, mode: Mode::Real };
        let place = folder.path().join("secagg-broken");
        let said = found.keep(&place, &|_| true);
        let [found, shrunk] = ["found.toml", "shrunk.toml"].map(|name| place.join(name));
        assert!(said.contains(found.to_str().unwrap()) && said.contains(shrunk.to_str().unwrap()), "{said}");
        assert_eq!(Scenario::read(&found).unwrap(), scenario);
        let least = Scenario::read(&shrunk).unwrap();
        assert!(broken(&least));
        assert!(least.clients <= 10 && least.sessions == 1 && least.cohorts == 1, "{least:?}");
        let rules = least.faults.dropouts.iter().filter(|rule| rule.probability > 0.0);
        assert_eq!(rules.count(), 1, "{least:?}");
        assert!(least.faults.outages.is_empty() && least.faults.stragglers.is_none());
        assert_eq!((least.vectors.len(), least.vectors[0].length), (1, 1));
        assert_eq!(least.network, Network::default());
        assert_eq!(least.privacy, None);
    }

    #[test]
    fn what_a_mistake_needs_of_noise_and_attacks_is_all_that_is_left_of_them() {
        let scenario = Scenario::parse(&format!("{TEXT}{ATTACKS}"), "test").unwrap();
        let lies = |one: &Scenario| one.adversaries.clone().unwrap_or_default().lies;
        let malformed = |one: &Scenario| lies(one).iter().any(|liars| liars.lie == Lie::Malformed);
        let least = shrink(&scenario, malformed);
        let adversaries = least.adversaries.clone().unwrap();
        assert_eq!((adversaries.lies.len(), adversaries.server), (1, ServerConduct::Honest));
        assert_eq!((least.privacy, least.vectors.len()), (None, 1));

        let without = Scenario { vectors: Vec::new(), ..scenario };
        let least = shrink(&without, |one| one.privacy.is_some());
        assert_eq!((least.privacy.unwrap().dimension, least.adversaries), (1, None));
        let least = shrink(&without, |_| true);
        assert_eq!((least.privacy, least.vectors.len()), (None, 1));
    }

    #[test]
    fn a_search_that_is_ended_keeps_what_it_has() {
        let scenario = Scenario::parse(TEXT, "test").unwrap();
        assert_eq!(shrink(&scenario, |_| false), scenario);
        let tried = std::cell::Cell::new(0);
        shrink(&scenario, |one| {
            tried.set(tried.get() + 1);
            one.clients > 1
        });
        assert!(tried.get() <= TRIES);
    }
}
