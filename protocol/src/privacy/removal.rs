//! Noise that is right for every number of dropouts: clients add too much, and what turns out to be too much is
//! removed (add-then-remove: XNoise of Jiang, Wang, Chen 2024, "Dordis: Efficient Federated Learning with
//! Dropout-Resilient Differential Privacy", arXiv 2209.12528).
//!
//! A client's noise is a sum of components. Once the set of survivors is fixed, every survivor discloses the seed from
//! which those follow that are not needed any more, and the server subtracts them (spec §9.6). This module sizes the
//! components: [`AddThenRemove::levels`] is what a configuration carries.

use std::ops::Range;

use super::error::PrivacyError;
use super::{CentredGaussian, DistributedGaussian, Level, MOST_LEVELS, Sensitivity, Skellam, Variance};

/// The components of every client's noise, for a planned number of dropouts and colluding clients.
///
/// With d dropouts, C colluding clients and n clients at the start, the n − d − C honest survivors are to keep the noise
/// σ*² between them: a share of σ*²/(n − d − C) each, in whole units of 2^−16, rounded up. The first component is the
/// share for no dropouts and is never removed; each further one raises the sum of those before it to the share for
/// more dropouts.
///
/// A component below the floor is not made: its share is made for several numbers of dropouts at once, for the
/// greatest of them. Where that happens, more noise than planned remains, never less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddThenRemove {
    clients: u32,
    colluding: u32,
    levels: Vec<Enough>,
}

/// The components up to one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Enough {
    /// Up to so many dropouts they are enough.
    dropouts: u32,
    /// Sum of their σ².
    share: Variance,
}

impl AddThenRemove {
    /// Plans for `clients` clients, of which up to `dropouts` vanish and up to `colluding` know their own noise, so that
    /// honest survivors keep noise of `planned` between them and no component is below `floor`.
    ///
    /// # Errors
    /// No honest survivor; a first component below the floor or what can be drawn; a share beyond what can be drawn.
    pub fn new(
        clients: u32,
        dropouts: u32,
        colluding: u32,
        planned: Variance,
        floor: Variance,
    ) -> Result<Self, PrivacyError> {
        if u64::from(dropouts) + u64::from(colluding) >= u64::from(clients) {
            let greatest = clients.saturating_sub(1).saturating_sub(colluding);
            let what = "the number of dropouts, with so many colluding clients,";
            return Err(PrivacyError::NotDrawn {
                what,
                found: dropouts.into(),
                least: 0,
                greatest: greatest.into(),
            });
        }
        let share =
            |dropped: u32| Variance::new(planned.units().div_ceil((clients - dropped - colluding).into()));
        let first = share(0)?;
        if first < floor {
            let what = "σ² of the first component, in units of 2^−16,";
            let (least, greatest) = (floor.units(), Variance::GREATEST.units());
            return Err(PrivacyError::NotDrawn { what, found: first.units(), least, greatest });
        }
        let mut levels = vec![Enough { dropouts: 0, share: first }];
        for dropped in 1..=dropouts {
            let next = Enough { dropouts: dropped, share: share(dropped)? };
            let reached = levels.last().map_or(0, |level| level.share.units());
            if next.share.units() - reached >= floor.units() {
                levels.push(next);
            }
        }
        // The last level stands for all dropouts that are left, which only enlarges its component.
        if let Some(last) = levels.last_mut() {
            *last = Enough { dropouts, share: share(dropouts)? };
        }
        Ok(Self { clients, colluding, levels })
    }

    /// σ² of each component of a client's noise.
    pub fn components(&self) -> Vec<Variance> {
        self.parts(self.levels.len())
    }

    /// σ² of the first component.
    pub fn first(&self) -> Variance {
        self.levels.first().map_or(Variance::LEAST, |level| level.share)
    }

    /// The levels behind the first component, as a vector's [`Noise`](super::Noise) has them.
    ///
    /// # Errors
    /// More than a configuration carries: ask for a greater floor.
    pub fn levels(&self) -> Result<Vec<Level>, PrivacyError> {
        let pairs = self.levels.windows(2);
        let levels: Vec<Level> = pairs
            .filter_map(|pair| match pair {
                [before, level] => {
                    Some(Level { survivors: self.clients - before.dropouts, variance: level.share.units() })
                }
                _ => None,
            })
            .collect();
        if levels.len() > MOST_LEVELS {
            let (found, greatest) = (levels.len() as u64, MOST_LEVELS as u64);
            return Err(PrivacyError::NotDrawn { what: "the number of levels", found, least: 0, greatest });
        }
        Ok(levels)
    }

    /// Which components a survivor discloses when `dropped` clients have vanished.
    ///
    /// # Security
    /// `dropped` must follow from a set of survivors that all clients agree on, and a client answers once. A server
    /// that tells clients different numbers gets more noise removed than the plan allows, as
    /// [`AddThenRemove::remaining_of`] shows.
    ///
    /// # Errors
    /// More dropouts than planned: too little noise remains, and the round must be given up.
    pub fn removed(&self, dropped: u32) -> Result<Range<usize>, PrivacyError> {
        Ok(self.kept(dropped)?..self.levels.len())
    }

    /// How many components of each survivor remain when `dropped` clients have vanished.
    ///
    /// # Errors
    /// More dropouts than planned.
    pub fn kept(&self, dropped: u32) -> Result<usize, PrivacyError> {
        match self.levels.iter().position(|level| level.dropouts >= dropped) {
            Some(at) => Ok(at + 1),
            None => {
                let greatest = self.levels.last().map_or(0, |level| level.dropouts.into());
                let what = "the number of dropouts";
                Err(PrivacyError::NotDrawn { what, found: dropped.into(), least: 0, greatest })
            }
        }
    }

    /// σ² of the noise that remains of the honest survivors, in units of 2^−16: at least the planned one, and above
    /// it by less than one unit a survivor unless the floor joined components.
    ///
    /// # Errors
    /// More dropouts than planned.
    pub fn remaining(&self, dropped: u32) -> Result<u128, PrivacyError> {
        let kept = self.kept(dropped)?;
        Ok(self.remaining_of(std::iter::repeat_n(kept, self.honest(dropped) as usize)))
    }

    /// The same if honest survivors kept these numbers of components, one for each survivor.
    pub fn remaining_of(&self, kept: impl IntoIterator<Item = usize>) -> u128 {
        let share = |kept: usize| kept.checked_sub(1).and_then(|at| self.levels.get(at));
        kept.into_iter().filter_map(share).map(|level| u128::from(level.share.units())).sum()
    }

    /// The guarantee if the components are discrete Gaussians.
    ///
    /// # Errors
    /// More dropouts than planned; components that all are below the mechanism's floor.
    pub fn gaussian(
        &self,
        dropped: u32,
        sensitivity: Sensitivity,
    ) -> Result<DistributedGaussian, PrivacyError> {
        let all = self.sigmas(dropped, 0..self.kept(dropped)?);
        DistributedGaussian::unequal(&all, sensitivity)
    }

    /// The guarantee if the first component is drawn around the client's vector, and the others are discrete
    /// Gaussians around zero.
    ///
    /// # Errors
    /// More dropouts than planned; a first component below the mechanism's floor.
    pub fn centred(&self, dropped: u32, sensitivity: Sensitivity) -> Result<CentredGaussian, PrivacyError> {
        let further = self.sigmas(dropped, 1..self.kept(dropped)?);
        CentredGaussian::unequal(&self.sigmas(dropped, 0..1), &further, sensitivity)
    }

    /// The guarantee if the components are Skellam.
    ///
    /// # Errors
    /// More dropouts than planned.
    pub fn skellam(&self, dropped: u32, sensitivity: Sensitivity) -> Result<Skellam, PrivacyError> {
        Skellam::new(self.remaining(dropped)? as f64 / Variance::ONE as f64, sensitivity)
    }

    fn honest(&self, dropped: u32) -> u32 {
        self.clients.saturating_sub(dropped).saturating_sub(self.colluding)
    }

    fn parts(&self, kept: usize) -> Vec<Variance> {
        let mut before = 0;
        let part = |level: &Enough| {
            let part = level.share.units() - before;
            before = level.share.units();
            // A part is at least the floor, which is a variance, and at most a share.
            Variance::new(part).unwrap_or(level.share)
        };
        self.levels.iter().take(kept).map(part).collect()
    }

    /// σ of these components of all honest survivors.
    fn sigmas(&self, dropped: u32, components: Range<usize>) -> Vec<f64> {
        let parts = self.parts(components.end);
        let some = parts.get(components).unwrap_or_default();
        let of_all = |part: &Variance| std::iter::repeat_n(part.sigma(), self.honest(dropped) as usize);
        some.iter().flat_map(of_all).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Noise, NoiseLaw};
    use super::*;

    fn variance(sigma_squared: f64) -> Variance {
        Variance::new((sigma_squared * Variance::ONE as f64) as u64).unwrap()
    }

    #[test]
    fn the_planned_noise_remains_for_every_number_of_dropouts() {
        for (clients, dropouts, colluding, planned) in
            [(10, 4, 0, 1000.0), (100, 30, 10, 1e5), (1000, 300, 50, 5e8), (3, 1, 1, 40.0)]
        {
            let plan =
                AddThenRemove::new(clients, dropouts, colluding, variance(planned), Variance::LEAST).unwrap();
            assert_eq!(plan.components().len(), dropouts as usize + 1, "no component is below the floor");
            for dropped in 0..=dropouts {
                let (left, wanted) =
                    (plan.remaining(dropped).unwrap(), u128::from(variance(planned).units()));
                assert!(left >= wanted && left < wanted + u128::from(clients), "{dropped}: {left} {wanted}");
                assert_eq!(plan.removed(dropped).unwrap(), dropped as usize + 1..dropouts as usize + 1);
            }
            let refused = plan.removed(dropouts + 1).unwrap_err().to_string();
            assert!(
                refused.contains(&format!("is {}; it must be 0 to {dropouts}", dropouts + 1)),
                "{refused}"
            );
        }
    }

    #[test]
    fn the_floor_joins_components_and_leaves_more_never_less() {
        for floor in [1.0, 4.0, 30.0] {
            let plan = AddThenRemove::new(1000, 200, 20, variance(40_000.0), variance(floor)).unwrap();
            assert!(plan.components().iter().all(|&part| part >= variance(floor)));
            assert!(plan.components().len() < 30);
            for dropped in 0..=200 {
                assert!(plan.remaining(dropped).unwrap() >= u128::from(variance(40_000.0).units()));
            }
            // At the end of the plan nothing is wasted.
            let exact = 780 * u128::from(variance(40_000.0).units().div_ceil(780));
            assert_eq!(plan.remaining(200).unwrap(), exact);
        }
        // A floor that no second component reaches: everything is over-provided.
        let plan = AddThenRemove::new(100, 10, 0, variance(2000.0), variance(20.0)).unwrap();
        assert_eq!((plan.components().len(), plan.removed(0)), (1, Ok(1..1)));
    }

    #[test]
    fn what_a_configuration_carries_keeps_as_many_components() {
        for (clients, dropouts, floor) in [(10, 4, 1.0), (300, 100, 1.0), (7, 0, 1.0)] {
            let plan = AddThenRemove::new(clients, dropouts, 1, variance(4000.0), variance(floor)).unwrap();
            let encoding = super::super::Task {
                clients,
                bits: 20,
                clip: 1.0,
                dimension: 9,
                beta: 0.6,
                wrap: 1e-6,
                greatest_scale: None,
            };
            let encoding = super::super::Encoding::with_multiplier(encoding, 1.0).unwrap();
            let noise = Noise::of(NoiseLaw::DiscreteGaussian, &encoding).unwrap();
            let noise = Noise { variance: plan.first().units(), levels: plan.levels().unwrap(), ..noise };
            assert_eq!(noise.broken(16), None);
            for dropped in 0..=dropouts {
                let kept = plan.kept(dropped).unwrap();
                assert_eq!(noise.kept(clients - dropped), kept, "{clients} {dropped}");
                let honest = clients - dropped - 1;
                assert_eq!(noise.left_of(&[(honest, kept)]), plan.remaining(dropped).unwrap());
            }
            assert_eq!(noise.kept(0), noise.levels.len() + 1);
        }
        let fine = AddThenRemove::new(1000, 300, 0, variance(5e8), Variance::LEAST).unwrap();
        assert!(fine.levels().unwrap_err().to_string().contains("is 300; it must be 0 to 255"));
    }

    /// A server that shows one half of the survivors no dropouts and the other half many has less noise left than
    /// was planned: why the set must be agreed on before any seed is opened.
    #[test]
    fn survivor_sets_that_differ_would_break_the_plan() {
        let plan = AddThenRemove::new(100, 30, 0, variance(1e5), Variance::LEAST).unwrap();
        let (few, many) = (plan.kept(0).unwrap(), plan.kept(30).unwrap());
        let split = plan.remaining_of((0..70).map(|client| if client < 35 { few } else { many }));
        assert!(split < u128::from(variance(1e5).units()) * 9 / 10);
        assert_eq!(plan.remaining_of([many; 70]), plan.remaining(30).unwrap());
    }

    #[test]
    fn every_mechanism_accounts_for_what_remains() {
        let plan = AddThenRemove::new(50, 10, 5, variance(5000.0), variance(1.2)).unwrap();
        let sensitivity = Sensitivity::new(30.0, 256).unwrap();
        let reals = Sensitivity::of_reals(30.0, 256).unwrap();
        for dropped in [0, 3, 10] {
            let variance = plan.remaining(dropped).unwrap() as f64 / Variance::ONE as f64;
            let ideal = 900.0 / (2.0 * variance);
            let (gaussian, centred) = (plan.gaussian(dropped, sensitivity), plan.centred(dropped, reals));
            for rho in [gaussian.unwrap().rho(), centred.unwrap().rho()] {
                assert!(rho >= ideal * (1.0 - 1e-9) && rho < ideal * 1.01, "{dropped}: {rho} {ideal}");
            }
            assert_eq!(plan.skellam(dropped, sensitivity), Skellam::new(variance, sensitivity));
            assert!(ideal <= 900.0 / 10_000.0 * (1.0 + 1e-9));
        }
        assert!(plan.gaussian(11, sensitivity).is_err() && plan.skellam(11, sensitivity).is_err());
    }

    #[test]
    fn plans_that_cannot_be_are_refused_with_what_can() {
        let of = |clients, dropouts, colluding, planned: f64, floor: f64| {
            AddThenRemove::new(clients, dropouts, colluding, variance(planned), variance(floor))
                .unwrap_err()
                .to_string()
        };
        assert!(of(10, 8, 2, 100.0, 1.0).contains("is 8; it must be 0 to 7"));
        assert!(of(0, 0, 0, 100.0, 1.0).contains("is 0; it must be 0 to 0"));
        assert!(of(10, u32::MAX, u32::MAX, 100.0, 1.0).contains("0 to 0"));
        let refused = of(100, 5, 0, 100.0, 2.0);
        assert!(refused.contains("is 65536; it must be 131072"), "{refused}");
    }
}
