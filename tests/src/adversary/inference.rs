//! Inference from the sum alone: noise bounds it, and an attack on simulated sums shows what it bounds.

use secagg_transport::privacy::audit::Audit;
use secagg_transport::privacy::design::{Against, Designer, Question};
use secagg_transport::privacy::loss::Sampling;
use secagg_transport::privacy::scheme::Scheme;

use super::setting::Setting;
use super::trials::{ONCE, Trial, demand};

pub(super) const ALL: &[Trial] = &[Trial {
    name: "inference-from-the-sum",
    threat: "S17",
    side: "server",
    says: "guesses from the sum whether the victim's vector is in it, of which it knows everything else",
    expected: "at most ε",
    grounds: ONCE,
    sizes: 5..=5,
    play,
}];

const EPSILON: f64 = 1.0;
const DELTA: f64 = 1e-3;
/// Sums of both worlds: enough for a bound of more than 4.
const TRIALS: u32 = 4000;

/// All of n clients are honest and add their shares; the bound holds with 99 %, and the seed is fixed.
fn play(setting: Setting) -> Result<String, String> {
    let question = Question {
        clients: setting.n,
        dropped: 0,
        corrupt: 0,
        clip: 1.0,
        dimension: 1,
        rounds: 1,
        sampling: Sampling::None,
        epsilon: EPSILON,
        delta: DELTA,
        against: Against::Server,
        wrap: 6.334e-5,
    };
    let designer = Designer::new(question).map_err(|error| error.to_string())?;
    let mut shown = Vec::new();
    for scheme in [Scheme::Ddg, Scheme::Skellam] {
        let design = designer.design(scheme, 12).map_err(|error| error.to_string())?;
        let attack = |noise_factor: f64| {
            let (encoding, trials) = (design.encoding, TRIALS);
            let audit =
                Audit { scheme, encoding, noise_factor, trials, delta: DELTA, confidence: 0.99, seed: 7 };
            audit.run(|_| ()).map(|found| found.epsilon).map_err(|error| error.to_string())
        };
        let (with, without) = (attack(1.0)?, attack(0.0)?);
        demand(with <= design.figures.server, || format!("ε is {with:.2} at least: more than is claimed"))?;
        demand(without > design.figures.server, || format!("without noise ε is {without:.2} at least"))?;
        shown.push(format!("{without:.1}"));
    }
    Ok(format!("without noise ε is at least {}", shown.join(" and ")))
}
