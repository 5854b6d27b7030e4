//! Noise against dropouts: too much of it for everybody, or the surplus taken out again.
//!
//! *Over-provision* is what the protocol does: each client adds the share that the fewest honest survivors need, and
//! who else survives adds to it. *Add-then-remove* adds the same in components, and once the survivors are known
//! removes those that are not needed ([`AddThenRemove`], spec §9.6).

use secagg::privacy::{AddThenRemove, LEAST_CENTRED_SIGMA, PrivacyError, Variance};

use super::design::{Design, Question};
use super::loss::{Figures, Loss};
use super::scheme::Scheme;

/// What a way to size the noise comes to, if all clients answer and if as few as may.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sized {
    /// The expected error of a coordinate of the sum if all answer, in real units.
    pub error_all: f64,
    /// Both ε of all rounds if all answer in each.
    pub all: Figures,
    /// Both ε of all rounds if the fewest answer in each.
    pub fewest: Figures,
    /// Components of a client's noise, each with a seed of its own.
    pub components: usize,
}

/// Shares of components of one sum, all together, that are accounted for one by one.
const GREATEST_SHARES: u64 = 1 << 23;

/// Every share is added, and stays.
///
/// # Errors
/// A δ outside (0, 1).
pub fn over_provision(question: &Question, design: &Design) -> Result<Sized, PrivacyError> {
    let honest = question.clients.saturating_sub(question.corrupt);
    let loss = design.scheme.loss(&design.encoding, honest, question.sampling)?;
    let all = question.total(&loss)?;
    Ok(Sized { error_all: design.error(), all, fewest: design.figures, components: 1 })
}

/// What the number of dropouts shows to be too much is removed.
///
/// # Errors
/// A share of noise below the floor of a component; more components than can be accounted for.
pub fn add_then_remove(question: &Question, design: &Design) -> Result<Sized, PrivacyError> {
    let (clients, dropped, corrupt) = (question.clients, question.dropped, question.corrupt);
    let plan = removal(question, design)?;
    let components = plan.components().len();
    let shares = components as u64 * u64::from(clients);
    if shares > GREATEST_SHARES {
        let what = "the number of clients times that of the components of their noise";
        return Err(PrivacyError::NotDrawn { what, found: shares, least: 1, greatest: GREATEST_SHARES });
    }
    let sensitivity = design.encoding.sensitivity()?;
    let of = |dropped: u32| {
        let loss = match design.scheme {
            Scheme::Ddg => Loss::of(sensitivity, question.sampling, |by| plan.gaussian(dropped, by)),
            Scheme::Skellam => Loss::of(sensitivity, question.sampling, |by| plan.skellam(dropped, by)),
            Scheme::Centred => Loss::of(sensitivity, question.sampling, |by| plan.centred(dropped, by)),
        };
        question.total(&loss?)
    };
    let remaining = plan.remaining(0)? as f64 / Variance::ONE as f64;
    let error_all = design.error_with(remaining / f64::from(clients.saturating_sub(corrupt)));
    Ok(Sized { error_all, all: of(0)?, fewest: of(dropped)?, components })
}

/// The components: each adds at least a twentieth of the first, so that few are drawn and little more than is needed
/// stays.
///
/// # Errors
/// A share of noise below the floor of a component.
pub fn removal(question: &Question, design: &Design) -> Result<AddThenRemove, PrivacyError> {
    let share = design.encoding.variance()?;
    let planned = Variance::new(share.units().saturating_mul(question.minimum_honest().into()))?;
    let honest = question.clients.saturating_sub(question.corrupt).max(1);
    let step = Variance::new((planned.units() / u64::from(honest) / FEW).max(Variance::LEAST.units()))?;
    let floor = floor(design.scheme)?.max(step);
    AddThenRemove::new(question.clients, question.dropped, question.corrupt, planned, floor)
}

/// A component is at least this part of the first.
const FEW: u64 = 20;

/// σ² below which no component is made. A sum of small discrete Gaussians is none, which at σ = 2 costs less than
/// 10⁻³⁰ a share; centred noise counts from its own floor on; Skellam sums to Skellam, however small.
fn floor(scheme: Scheme) -> Result<Variance, PrivacyError> {
    match scheme {
        Scheme::Ddg => Variance::at_least(2.0),
        Scheme::Centred => Variance::at_least(LEAST_CENTRED_SIGMA),
        Scheme::Skellam => Ok(Variance::LEAST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::design::{Against, Designer};
    use crate::privacy::loss::Sampling;

    #[test]
    fn removal_leaves_the_noise_of_the_plan_and_over_provision_more() {
        for scheme in Scheme::ALL {
            let question = Question {
                clients: 60,
                dropped: 20,
                corrupt: 4,
                clip: 1.0,
                dimension: 500,
                rounds: 3,
                sampling: Sampling::None,
                epsilon: 4.0,
                delta: 1e-6,
                against: Against::Server,
                wrap: 6.334e-5,
            };
            let design = Designer::new(question).unwrap().design(scheme, 18).unwrap();
            let (over, removed) =
                (over_provision(&question, &design).unwrap(), add_then_remove(&question, &design).unwrap());
            let figures = |sized: &Sized| (sized.all.server, sized.fewest.server);
            assert!(removed.components > 1, "{}", scheme.name());
            // Rounding σ² to whole units moves ε by less than a part in a thousand; a joined component lowers it.
            assert!(removed.all.server <= 4.0 * 1.001 && removed.fewest.server <= 4.0 * 1.001, "{removed:?}");
            assert!(figures(&over).0 < figures(&removed).0 && over.fewest.server <= 4.0, "{over:?}");
            assert!(removed.error_all < over.error_all && removed.error_all > 0.7 * over.error_all);
        }
    }
}
