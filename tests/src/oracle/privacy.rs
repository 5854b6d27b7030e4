//! The accountant against `tests/oracles/privacy.csv` and files like it.
//!
//! Tolerances, which came with the file: `params` and what a configuration has in common with it, `tau_kls`,
//! `D2_int` and `scale` to 1e-9 relative; `tau_tight` to 1e-6; `eps_zcdp_opt` to 1e-6; every other ε at most the
//! file's value × (1 + 1e-6) and never below `eps_gauss_pld_dpacc` × (1 − 2e-3). What the file's description does
//! not mention: δ and ρ to 1e-6, the discrete Gaussian's moments and probabilities and the wrap probability to
//! 1e-9. Not judged: `best_order`, the order of the file's own grid at which it found its ε, and
//! `eps_gauss_rdp_dpacc`, another library's figure for the central Gaussian.

use secagg::privacy::distribution::DiscreteGaussian;
use secagg::privacy::{
    Amplification, Curve, DistributedGaussian, Encoding, Mechanism, PrivacyError, Skellam, Task, tau,
    wrap_probability, zcdp,
};

use super::table::{Row, Table, TableError};
use super::{Difference, Judgement};

/// Judges every row of the table.
///
/// # Errors
/// The table cannot be read, or a line is no row of one of the known kinds.
pub fn judge(text: &str) -> Result<Judgement, TableError> {
    let mut judgement = Judgement::default();
    for row in Table::read(text, &["id", "kind"])?.rows() {
        judgement.note(judge_row(&row)?);
    }
    Ok(judgement)
}

fn judge_row(row: &Row<'_>) -> Result<Vec<Difference>, TableError> {
    let mut findings = Findings { row, differences: Vec::new() };
    let outcome = match row.cell("kind") {
        "ddg" => gaussian(&mut findings)?,
        "skellam" => skellam(&mut findings)?,
        "params" => parameters(&mut findings, None)?.map(|_| ()),
        "zcdp" => concentrated(&mut findings)?,
        "tau" => taus(&mut findings, row.needed("n_noise")?, row.needed("sigma_int")?).map(Ok)?,
        "dg_stat" => statistic(&mut findings).map(Ok)?,
        "wrap" => wrap(&mut findings).map(Ok)?,
        other => return Err(row.error(format!("unknown kind {other:?}"))),
    };
    if let Err(refusal) = outcome {
        findings.note(false, "kind", "an answer".into(), format!("the accountant refuses: {refusal}"));
    }
    Ok(findings.differences)
}

/// What an accountant said, within what the row allowed it to be asked.
type Outcome<T> = Result<Result<T, PrivacyError>, TableError>;

/// The greatest scale of whole configurations, as in the authors' code.
const GREATEST_SCALE: f64 = 1e6;

/// Scale, noise and norm bounds.
fn parameters(findings: &mut Findings, greatest_scale: Option<f64>) -> Outcome<Encoding> {
    let row = findings.row;
    let task = Task {
        clients: row.needed("n_target")?,
        bits: row.needed("bits")?,
        clip: row.needed("clip_real")?,
        dimension: row.needed("d_padded")?,
        beta: row.needed("beta")?,
        wrap: row.needed("modclip_prob")?,
        greatest_scale,
    };
    let encoding = match Encoding::with_multiplier(task, row.needed("noise_mult")?) {
        Ok(encoding) => encoding,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let sensitivity = match encoding.sensitivity() {
        Ok(sensitivity) => sensitivity,
        Err(refusal) => return Ok(Err(refusal)),
    };
    for (column, found) in [
        ("k_stddevs", encoding.deviations()),
        ("sigma_local_real", encoding.sigma_real()),
        ("scale", encoding.scale()),
        ("sigma_int", encoding.sigma()),
        ("D2_int", sensitivity.l2()),
        ("D1_int", sensitivity.l1()),
    ] {
        findings.near(column, found, 1e-9)?;
    }
    Ok(Ok(encoding))
}

fn gaussian(findings: &mut Findings) -> Outcome<()> {
    let encoding = match parameters(findings, Some(GREATEST_SCALE))? {
        Ok(encoding) => encoding,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let shares = findings.row.needed("n_noise")?;
    taus(findings, shares, encoding.sigma())?;
    let mechanism = encoding
        .sensitivity()
        .and_then(|sensitivity| DistributedGaussian::new(shares, encoding.sigma(), sensitivity));
    match mechanism {
        Ok(mechanism) => gaussian_epsilons(findings, &mechanism),
        Err(refusal) => Ok(Err(refusal)),
    }
}

fn gaussian_epsilons(findings: &mut Findings, mechanism: &DistributedGaussian) -> Outcome<()> {
    let (rounds, delta): (u32, f64) = (findings.row.needed("T")?, findings.row.needed("delta")?);
    let rho = mechanism.rho() * f64::from(rounds);
    findings.at_most("eps_cdp_round", (2.0 * mechanism.rho()).sqrt())?;
    findings.near("rho_total", rho, 1e-6)?;
    match (zcdp::epsilon(rho, delta), zcdp::loose_epsilon(rho, delta), mechanism.epsilon(rounds, delta)) {
        (Ok(best), Ok(loose), Ok(exact)) => {
            findings.near("eps_zcdp_opt", best, 1e-6)?;
            findings.epsilon("eps_zcdp_bs16", loose)?;
            findings.epsilon("eps_opendp", best)?;
            findings.epsilon("eps_rdp_full", exact)?;
        }
        (Err(refusal), ..) | (_, Err(refusal), _) | (.., Err(refusal)) => return Ok(Err(refusal)),
    }
    amplified(findings, mechanism, rounds, delta)
}

fn skellam(findings: &mut Findings) -> Outcome<()> {
    let encoding = match parameters(findings, Some(GREATEST_SCALE))? {
        Ok(encoding) => encoding,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (rounds, delta): (u32, f64) = (findings.row.needed("T")?, findings.row.needed("delta")?);
    let variance = f64::from(findings.row.needed::<u32>("n_noise")?) * encoding.sigma().powi(2);
    let mechanism = match encoding.sensitivity().and_then(|sensitivity| Skellam::new(variance, sensitivity)) {
        Ok(mechanism) => mechanism,
        Err(refusal) => return Ok(Err(refusal)),
    };
    match Curve::of(&mechanism).times(rounds).epsilon(delta) {
        Ok(found) => findings.epsilon("eps_rdp_full", found.epsilon)?,
        Err(refusal) => return Ok(Err(refusal)),
    }
    amplified(findings, &mechanism, rounds, delta)
}

/// The columns of secret Poisson samples; `eps_google` is what the authors' code gives, by the general bound.
fn amplified(findings: &mut Findings, mechanism: &impl Mechanism, rounds: u32, delta: f64) -> Outcome<()> {
    let rate = findings.row.needed("q")?;
    for (column, amplification) in [
        ("eps_rdp_q_general", Amplification::General),
        ("eps_rdp_q_tight", Amplification::Tight),
        ("eps_google", Amplification::General),
    ] {
        let curve = Curve::poisson(mechanism, rate, amplification);
        match curve.and_then(|curve| curve.times(rounds).epsilon(delta)) {
            Ok(found) => findings.epsilon(column, found.epsilon)?,
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    Ok(Ok(()))
}

fn concentrated(findings: &mut Findings) -> Outcome<()> {
    let row = findings.row;
    let (rho, delta) = (row.needed("rho_total")?, row.needed("delta")?);
    let found_delta = match row.value::<f64>("eps_in")? {
        Some(epsilon) => zcdp::delta(rho, epsilon),
        None => Ok(f64::NAN),
    };
    match (zcdp::epsilon(rho, delta), zcdp::loose_epsilon(rho, delta), found_delta) {
        (Ok(best), Ok(loose), Ok(found_delta)) => {
            findings.near("eps_zcdp_opt", best, 1e-6)?;
            findings.epsilon("eps_zcdp_bs16", loose)?;
            findings.epsilon("eps_opendp", best)?;
            findings.epsilon("value", best)?;
            // The file's search for the best order begins at 1.01; where the slope is positive there, a better
            // one lies below.
            match row
                .value::<f64>("eps_in")?
                .is_some_and(|epsilon| 1.02 * rho + (0.01 / 1.01f64).ln() > epsilon)
            {
                true => findings.at_most("delta_out", found_delta)?,
                false => findings.near("delta_out", found_delta, 1e-6)?,
            }
            Ok(Ok(()))
        }
        (Err(refusal), ..) | (_, Err(refusal), _) | (.., Err(refusal)) => Ok(Err(refusal)),
    }
}

fn taus(findings: &mut Findings, shares: u32, sigma: f64) -> Result<(), TableError> {
    findings.near("tau_kls", tau::equal(shares, sigma), 1e-9)?;
    match findings.row.cell("tau_tight") {
        "" => Ok(()),
        _ => findings.near("tau_tight", dual_series(shares, sigma), 1e-6),
    }
}

/// ln(max r / min r) of the series r(x) = Σ_m C(n,m)·exp(−2π²σ²m(n−m)/n)·cos(2πmx/n) over m = 0, …, n−1: how far
/// the sum of n discrete Gaussians is from one, by the dual vectors in {0,1}^n alone. A reference, not a bound.
fn dual_series(shares: u32, sigma: f64) -> f64 {
    let n = f64::from(shares);
    let mut ln_choose = 0.0;
    let mut weights = Vec::new();
    for m in (1..shares).map(f64::from) {
        ln_choose += ((n - m + 1.0) / m).ln();
        weights.push((ln_choose - 2.0 * (std::f64::consts::PI * sigma).powi(2) * m * (n - m) / n).exp());
    }
    // What is beyond 1, so that differences far below it survive.
    let beyond = |x: u32| -> f64 {
        let turn = |m: u64| (m * u64::from(x) % u64::from(shares)) as f64 / n;
        let cosine = |m: u64| (2.0 * std::f64::consts::PI * turn(m)).cos();
        (1..).zip(&weights).map(|(m, weight)| weight * cosine(m)).sum()
    };
    // The series is symmetric in x.
    let values: Vec<f64> = (0..=shares / 2).map(beyond).collect();
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    ((most - least) / (1.0 + least)).ln_1p()
}

fn statistic(findings: &mut Findings) -> Result<(), TableError> {
    let row = findings.row;
    let law = DiscreteGaussian::new(row.needed("sigma_int")?);
    let what = row.cell("x");
    let unknown = || row.error(format!("unknown statistic {what:?}"));
    let point = |text: &str| text.parse::<i64>().map_err(|_| unknown());
    let inside = what.strip_prefix("P(").and_then(|rest| rest.strip_suffix(')'));
    let found = match (what, inside) {
        ("var", _) => law.variance(),
        ("kurt4", _) => law.fourth_moment(),
        (_, Some(inside)) => match inside.strip_prefix(">=") {
            Some(text) => law.tail(point(text)?),
            None => law.probability(point(inside)?),
        },
        _ => return Err(unknown()),
    };
    findings.near("value", found, 1e-9)
}

fn wrap(findings: &mut Findings) -> Result<(), TableError> {
    let found = wrap_probability(findings.row.needed("bits")?, findings.row.needed("sigma_int")?);
    findings.near("value", found, 1e-9)
}

/// The differences of one row.
struct Findings<'a> {
    row: &'a Row<'a>,
    differences: Vec<Difference>,
}

impl Findings<'_> {
    /// Compares within a relative tolerance either way, if the cell is filled.
    fn near(&mut self, column: &'static str, found: f64, tolerance: f64) -> Result<(), TableError> {
        let Some(expected) = self.row.value::<f64>(column)? else { return Ok(()) };
        // Below the normal range of doubles there are no relative tolerances to keep.
        let close = (found - expected).abs() <= tolerance * expected.abs() + f64::MIN_POSITIVE;
        self.note(close, column, format!("{expected:?}"), format!("{found:?}"));
        Ok(())
    }

    /// Compares with an upper bound, if the cell is filled.
    fn at_most(&mut self, column: &'static str, found: f64) -> Result<(), TableError> {
        let Some(expected) = self.row.value::<f64>(column)? else { return Ok(()) };
        let met = found <= expected * (1.0 + 1e-6);
        self.note(met, column, format!("at most {expected:?}"), format!("{found:?}"));
        Ok(())
    }

    /// Compares with an upper bound and with the ε that the central Gaussian cannot go below.
    fn epsilon(&mut self, column: &'static str, found: f64) -> Result<(), TableError> {
        self.at_most(column, found)?;
        let least: Option<f64> = self.row.value("eps_gauss_pld_dpacc")?;
        if let (false, Some(least)) = (self.row.cell(column).is_empty(), least) {
            let above = found >= least * (1.0 - 2e-3);
            self.note(above, column, format!("at least {least:?}"), format!("{found:?}"));
        }
        Ok(())
    }

    fn note(&mut self, met: bool, field: &'static str, expected: String, found: String) {
        if !met {
            let row = self.row.cell("id").to_owned();
            self.differences.push(Difference { row, field, expected, found });
        }
    }
}
