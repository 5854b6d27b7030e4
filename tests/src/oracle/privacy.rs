//! The accountant against `tests/oracles/privacy.csv` and files like it.
//!
//! Tolerances, which came with the file: `params` and what a configuration has in common with it, `tau_kls`,
//! `D2_int` and `scale` to 1e-9 relative; `tau_tight` to 1e-6; `eps_zcdp_opt` to 1e-6; every other ε at most the
//! file's value × (1 + 1e-6) and never below `eps_gauss_pld_dpacc` × (1 − 2e-3). What the file's description does
//! not mention: δ and ρ to 1e-6, the discrete Gaussian's moments and probabilities and the wrap probability to
//! 1e-9. Not judged: `best_order`, the order of the file's own grid at which it found its ε, and
//! `eps_gauss_rdp_dpacc`, another library's figure for the central Gaussian.

use std::path::Path;

use secagg::privacy::distribution::DiscreteGaussian;
use secagg::privacy::{
    Amplification, Curve, DistributedGaussian, Encoding, Mechanism, PrivacyError, Skellam, Task, tau,
    wrap_probability, zcdp,
};

use super::table::{self, Row, Unreadable, Verdict};

/// Judges a file.
///
/// # Errors
/// A file that cannot be read, or a line that is no row of one of the known kinds.
pub fn judge(path: &Path) -> Result<Verdict, Unreadable> {
    table::judge(path, &["id", "kind"], judge_row)
}

fn judge_row(row: &Row) -> Result<Vec<String>, String> {
    let mut findings = Findings { row, differences: Vec::new() };
    let outcome = match row.text("kind") {
        Some("ddg") => gaussian(&mut findings)?,
        Some("skellam") => skellam(&mut findings)?,
        Some("params") => parameters(&mut findings, None)?.map(|_| ()),
        Some("zcdp") => concentrated(&mut findings)?,
        Some("tau") => taus(&mut findings, row.whole("n_noise")?, row.given("sigma_int")?).map(Ok)?,
        Some("dg_stat") => statistic(&mut findings).map(Ok)?,
        Some("wrap") => wrap(&mut findings).map(Ok)?,
        other => return Err(format!("unknown kind {}", other.unwrap_or("(empty)"))),
    };
    if let Err(refusal) = outcome {
        findings.differences.push(format!("the accountant refuses: {refusal}"));
    }
    Ok(findings.differences)
}

/// What an accountant said, within what the row allowed it to be asked.
type Outcome<T> = Result<Result<T, PrivacyError>, String>;

/// The greatest scale of whole configurations, as in the authors' code.
const GREATEST_SCALE: f64 = 1e6;

/// Scale, noise and norm bounds.
fn parameters(findings: &mut Findings, greatest_scale: Option<f64>) -> Outcome<Encoding> {
    let row = findings.row;
    let task = Task {
        clients: row.whole("n_target")?,
        bits: row.whole("bits")?,
        clip: row.given("clip_real")?,
        dimension: row.whole("d_padded")?,
        beta: row.given("beta")?,
        wrap: row.given("modclip_prob")?,
        greatest_scale,
    };
    let encoding = match Encoding::with_multiplier(task, row.given("noise_mult")?) {
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
    let shares = findings.row.whole("n_noise")?;
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
    let (rounds, delta): (u32, f64) = (findings.row.whole("T")?, findings.row.given("delta")?);
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
    let (rounds, delta): (u32, f64) = (findings.row.whole("T")?, findings.row.given("delta")?);
    let variance = f64::from(findings.row.whole::<u32>("n_noise")?) * encoding.sigma().powi(2);
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
    let rate = findings.row.given("q")?;
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
    let (rho, delta) = (row.given("rho_total")?, row.given("delta")?);
    let found_delta = match row.number("eps_in")? {
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
            match row.number("eps_in")?.is_some_and(|epsilon| 1.02 * rho + (0.01 / 1.01f64).ln() > epsilon) {
                true => findings.at_most("delta_out", found_delta)?,
                false => findings.near("delta_out", found_delta, 1e-6)?,
            }
            Ok(Ok(()))
        }
        (Err(refusal), ..) | (_, Err(refusal), _) | (.., Err(refusal)) => Ok(Err(refusal)),
    }
}

fn taus(findings: &mut Findings, shares: u32, sigma: f64) -> Result<(), String> {
    findings.near("tau_kls", tau::equal(shares, sigma), 1e-9)?;
    match findings.row.text("tau_tight") {
        Some(_) => findings.near("tau_tight", dual_series(shares, sigma), 1e-6),
        None => Ok(()),
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

fn statistic(findings: &mut Findings) -> Result<(), String> {
    let row = findings.row;
    let law = DiscreteGaussian::new(row.given("sigma_int")?);
    let what = row.text("x").ok_or("x is empty")?;
    let point = |text: &str| text.parse::<i64>().map_err(|_| format!("unknown statistic {what}"));
    let inside = what.strip_prefix("P(").and_then(|rest| rest.strip_suffix(')'));
    let found = match (what, inside) {
        ("var", _) => law.variance(),
        ("kurt4", _) => law.fourth_moment(),
        (_, Some(inside)) => match inside.strip_prefix(">=") {
            Some(text) => law.tail(point(text)?),
            None => law.probability(point(inside)?),
        },
        _ => return Err(format!("unknown statistic {what}")),
    };
    findings.near("value", found, 1e-9)
}

fn wrap(findings: &mut Findings) -> Result<(), String> {
    let found = wrap_probability(findings.row.whole("bits")?, findings.row.given("sigma_int")?);
    findings.near("value", found, 1e-9)
}

/// The differences of one row.
struct Findings<'a> {
    row: &'a Row<'a>,
    differences: Vec<String>,
}

impl Findings<'_> {
    /// Compares within a relative tolerance either way, if the cell is filled.
    fn near(&mut self, column: &str, found: f64, tolerance: f64) -> Result<(), String> {
        let Some(expected) = self.row.number(column)? else { return Ok(()) };
        // Below the normal range of doubles there are no relative tolerances to keep.
        let close = (found - expected).abs() <= tolerance * expected.abs() + f64::MIN_POSITIVE;
        self.note(close, column, format_args!("{expected:?}"), found);
        Ok(())
    }

    /// Compares with an upper bound, if the cell is filled.
    fn at_most(&mut self, column: &str, found: f64) -> Result<(), String> {
        let Some(expected) = self.row.number(column)? else { return Ok(()) };
        self.note(found <= expected * (1.0 + 1e-6), column, format_args!("at most {expected:?}"), found);
        Ok(())
    }

    /// Compares with an upper bound and with the ε that the central Gaussian cannot go below.
    fn epsilon(&mut self, column: &str, found: f64) -> Result<(), String> {
        self.at_most(column, found)?;
        if let (Some(_), Some(least)) = (self.row.text(column), self.row.number("eps_gauss_pld_dpacc")?) {
            let above = found >= least * (1.0 - 2e-3);
            self.note(above, column, format_args!("at least {least:?}"), found);
        }
        Ok(())
    }

    fn note(&mut self, agrees: bool, column: &str, expected: std::fmt::Arguments, found: f64) {
        if !agrees {
            self.differences.push(format!("{column}: expected {expected}, found {found:?}"));
        }
    }
}
