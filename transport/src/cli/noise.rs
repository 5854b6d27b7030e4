//! A vector with noise as `secagg privacy plan` planned it.

use std::path::Path;

use secagg::privacy::ledger::{Kind, Release, Sampling};
use secagg::privacy::{Level, Noise, NoiseLaw, Variance};
use secagg::{Round, VectorSpec};
use secagg_transport::{LedgerFile, LedgerFileError, Outcome};
use serde::Deserialize;

/// A vector of a session, and what its plan counts on.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) vector: VectorSpec,
    noise: Noise,
    /// σ² of each component of a client's noise; one if none is removed.
    components: Vec<Variance>,
    /// Clients that the ring has room for.
    pub(super) clients: u32,
    /// The fewest clients whose noise makes the plan's ε.
    pub(super) minimum_survivors: u32,
    /// Clients whose noise the plan does not count.
    pub(super) corrupt: u32,
    /// δ of the plan.
    pub(super) delta: f64,
}

/// Sets aside what one session may give away at most, a line for each vector, and names the lines.
pub(super) fn reserve(
    ledger: &mut LedgerFile,
    plans: &[Planned],
    fewest: u32,
) -> Result<Vec<String>, LedgerFileError> {
    let mut names = Vec::new();
    for plan in plans {
        let name = ledger.ledger().unused_name("serve");
        let delta = ledger.ledger().budget().delta;
        if let Err(refused) = ledger.reserve(&name, plan.worst_release(fewest, delta)) {
            give_back(ledger, &names)?;
            return Err(refused);
        }
        names.push(name);
    }
    Ok(names)
}

/// Counts what a session gave away. One that ended without a sum keeps its reservation if an unmasking had begun.
pub(super) fn settle(
    ledger: &mut LedgerFile,
    plans: &[Planned],
    names: &[String],
    outcome: &Outcome,
) -> Result<(), LedgerFileError> {
    match &outcome.result {
        Ok(aggregate) => plans.iter().zip(names).try_for_each(|(plan, name)| {
            ledger.settle(name, plan.release(&aggregate.noise_left(&plan.noise, plan.corrupt)))
        }),
        Err(_) if outcome.stages.iter().all(|stage| stage.round != Round::Unmasking) => {
            give_back(ledger, names)
        }
        Err(_) => Ok(()),
    }
}

/// Sets the reservations of a session free that has not begun, or has released nothing.
pub(super) fn give_back(ledger: &mut LedgerFile, names: &[String]) -> Result<(), LedgerFileError> {
    names.iter().try_for_each(|name| ledger.cancel(name))
}

/// What is read of `secagg privacy plan --format json`.
#[derive(Deserialize)]
struct File {
    mechanism: String,
    bits: u8,
    clients: u32,
    minimum_survivors: u32,
    minimum_honest_survivors: u32,
    delta: f64,
    dimension: u32,
    padded_dimension: u32,
    clip: f64,
    scale: f64,
    norm_squared: u64,
    variance_units: u64,
    #[serde(default)]
    levels: Vec<FileLevel>,
}

#[derive(Deserialize)]
struct FileLevel {
    survivors: u32,
    variance_units: u64,
}

impl Planned {
    /// What a ledger keeps of a session with the number of survivors, `fewest` or more, that gives most away at `delta`.
    fn worst_release(&self, fewest: u32, delta: f64) -> Release {
        let levels = self.noise.levels.iter().map(|level| level.survivors);
        let numbers = levels.filter(|number| (fewest..=self.clients).contains(number)).chain([fewest]);
        let left = |number: u32| vec![(number.saturating_sub(self.corrupt), self.noise.kept(number))];
        let epsilon = |left: &Vec<(u32, usize)>| {
            let curve = self.noise.curve_of(left).and_then(|curve| curve.epsilon(delta));
            curve.map_or(f64::INFINITY, |found| found.epsilon)
        };
        let worst = numbers.map(left).max_by(|one, other| epsilon(one).total_cmp(&epsilon(other)));
        self.release(&worst.unwrap_or_default())
    }

    /// What a ledger keeps of a session to which so many honest clients each left so many components.
    fn release(&self, left: &[(u32, usize)]) -> Release {
        let with = |at: usize| left.iter().filter(|(_, kept)| *kept > at).map(|(clients, _)| clients).sum();
        let shares: Vec<(u32, Variance)> =
            (0..).zip(&self.components).map(|(at, part)| (with(at), *part)).collect();
        let kind = match self.noise.law {
            NoiseLaw::Skellam => Kind::Skellam,
            NoiseLaw::Centred => Kind::Centred,
            _ => Kind::Gaussian,
        };
        let (norm, dimension) = (self.noise.norm(), self.vector.length);
        let shares = shares.into_iter().filter(|(clients, _)| *clients > 0).collect();
        Release { kind, shares, norm, dimension, sampling: Sampling::All }
    }

    /// Whether nobody outside of this project has reviewed the guarantee.
    pub(super) fn is_experimental(&self) -> bool {
        self.noise.law.is_experimental()
    }

    /// Reads `NAME:PLAN.json`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (name, path) = text
            .split_once(':')
            .filter(|(name, path)| !name.is_empty() && !path.is_empty())
            .ok_or("give NAME:PLAN.json, such as update:plan.json")?;
        let text = std::fs::read_to_string(Path::new(path))
            .map_err(|error| format!("cannot read {path}: {error}"))?;
        let file: File = serde_json::from_str(&text).map_err(|error| {
            format!("{path} is no plan: {error}; make one with `secagg privacy plan --format json`")
        })?;
        file.planned(name).map_err(|error| format!("{path}: {error}"))
    }
}

impl File {
    fn planned(&self, name: &str) -> Result<Planned, String> {
        let law = match self.mechanism.as_str() {
            "ddg" => NoiseLaw::DiscreteGaussian,
            "skellam" => NoiseLaw::Skellam,
            "centred" => NoiseLaw::Centred,
            other => return Err(format!("the protocol does not carry {other} noise")),
        };
        let noise = Noise {
            law,
            dimension: self.dimension,
            clip: self.clip.to_bits(),
            scale: self.scale.to_bits(),
            norm_squared: self.norm_squared,
            variance: self.variance_units,
            levels: self
                .levels
                .iter()
                .map(|level| Level { survivors: level.survivors, variance: level.variance_units })
                .collect(),
        };
        let vector = VectorSpec {
            noise: Some(noise.clone()),
            ..VectorSpec::new(name, self.padded_dimension, self.bits)
        };
        if !noise.has_room() {
            return Err("its norm bound is too small for its clip and scale: plan again".into());
        }
        let corrupt = self.minimum_survivors.saturating_sub(self.minimum_honest_survivors);
        let components = noise.component_variances().map_err(|error| error.to_string())?;
        Ok(Planned {
            vector,
            noise,
            components,
            clients: self.clients,
            minimum_survivors: self.minimum_survivors,
            corrupt,
            delta: self.delta,
        })
    }
}
