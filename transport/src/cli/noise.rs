//! A vector with noise as `secagg privacy plan` planned it.

use std::path::Path;

use secagg::privacy::ledger::{Kind, Release, Sampling};
use secagg::privacy::{Noise, NoiseLaw, Variance};
use secagg::{Round, VectorSpec};
use secagg_transport::{LedgerFile, LedgerFileError, Outcome};
use serde::Deserialize;

/// A vector of a session, and what its plan counts on.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) vector: VectorSpec,
    noise: Noise,
    variance: Variance,
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
        if let Err(refused) = ledger.reserve(&name, plan.release(fewest)) {
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
        Ok(aggregate) => plans
            .iter()
            .zip(names)
            .try_for_each(|(plan, name)| ledger.settle(name, plan.release(aggregate.survivors.len() as u32))),
        Err(_) if outcome.stages.iter().all(|stage| stage.round != Round::Unmasking) => {
            give_back(ledger, names)
        }
        Err(_) => Ok(()),
    }
}

fn give_back(ledger: &mut LedgerFile, names: &[String]) -> Result<(), LedgerFileError> {
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
}

impl Planned {
    /// What a ledger keeps of a session with so many survivors.
    fn release(&self, survivors: u32) -> Release {
        let shares = survivors.saturating_sub(self.corrupt);
        let kind = match self.noise.law {
            NoiseLaw::Skellam => Kind::Skellam,
            NoiseLaw::Centred => Kind::Centred,
            _ => Kind::Gaussian,
        };
        let (norm, dimension) = (self.noise.norm(), self.vector.length);
        Release { kind, shares: vec![(shares, self.variance)], norm, dimension, sampling: Sampling::All }
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
        };
        let vector =
            VectorSpec { noise: Some(noise), ..VectorSpec::new(name, self.padded_dimension, self.bits) };
        if !noise.has_room() {
            return Err("its norm bound is too small for its clip and scale: plan again".into());
        }
        let corrupt = self.minimum_survivors.saturating_sub(self.minimum_honest_survivors);
        let variance = Variance::new(self.variance_units).map_err(|error| error.to_string())?;
        Ok(Planned {
            vector,
            noise,
            variance,
            clients: self.clients,
            minimum_survivors: self.minimum_survivors,
            corrupt,
            delta: self.delta,
        })
    }
}
