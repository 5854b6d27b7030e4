//! The accountant against exact laws: sums of shares by convolution, divergences by their definition.

use super::distribution::DiscreteGaussian;
use super::subsample::Amplification;
use super::{Curve, DistributedGaussian, Mechanism, Sensitivity, Skellam, tau};

/// Probabilities of −REACH to REACH.
type Law = Vec<f64>;
const REACH: i64 = 60;

fn law(probability: impl Fn(i64) -> f64) -> Law {
    (-REACH..=REACH).map(probability).collect()
}

fn gaussian(sigma: f64) -> Law {
    let law_of = DiscreteGaussian::new(sigma);
    law(|x| law_of.probability(x))
}

/// The difference of two Poisson variables of mean `variance`/2 each.
fn skellam(variance: f64) -> Law {
    let mut term = (-variance / 2.0).exp();
    let poisson: Vec<f64> = (1..=2 * REACH)
        .map(|k| {
            let next = term * variance / 2.0 / k as f64;
            std::mem::replace(&mut term, next)
        })
        .collect();
    law(|x| {
        let x = x.unsigned_abs() as usize;
        poisson.iter().zip(poisson.iter().skip(x)).map(|(one, other)| one * other).sum()
    })
}

fn convolve(one: &Law, other: &Law) -> Law {
    law(|x| (-REACH..=REACH).filter(|y| (x - y).abs() <= REACH).map(|y| at(one, y) * at(other, x - y)).sum())
}

fn at(law: &Law, x: i64) -> f64 {
    law.get((x + REACH) as usize).copied().unwrap_or(0.0)
}

/// ln Σ P^α Q^(1−α) / (α−1).
fn divergence(p: &Law, q: &Law, order: f64) -> f64 {
    let terms = p.iter().zip(q).filter(|&(&p, &q)| p > 0.0 && q > 0.0);
    let sum: f64 = terms.map(|(p, q)| (order * p.ln() + (1.0 - order) * q.ln()).exp()).sum();
    sum.ln() / (order - 1.0)
}

fn shifted(of: &Law, by: i64) -> Law {
    law(|x| at(of, x - by))
}

/// The greater divergence of a law from itself, moved, either way.
fn moved(of: &Law, by: i64, order: f64) -> f64 {
    let other = shifted(of, by);
    divergence(of, &other, order).max(divergence(&other, of, order))
}

const ORDERS: [f64; 6] = [1.01, 1.5, 2.0, 2.5, 4.0, 8.0];

fn one_coordinate(moved: i64) -> Sensitivity {
    Sensitivity::new(moved as f64, 1).unwrap()
}

#[test]
fn the_gaussian_bounds_hold_for_exact_sums() {
    let equal = |shares: usize, sigma: f64| vec![sigma; shares];
    let mut cases: Vec<Vec<f64>> = [0.5, 0.55, 0.7, 1.0, 1.5].iter().map(|&s| equal(2, s)).collect();
    cases.extend((3..=6).flat_map(|n| [equal(n, 0.5), equal(n, 0.8)]));
    cases.extend([vec![0.5, 1.0, 2.0], vec![3.0, 0.6], vec![0.9, 0.5, 0.5, 1.3]]);
    for sigmas in cases {
        let sum =
            sigmas.iter().map(|&sigma| gaussian(sigma)).reduce(|one, other| convolve(&one, &other)).unwrap();
        for by in 1..=2 {
            let mechanism = DistributedGaussian::unequal(&sigmas, one_coordinate(by)).unwrap();
            for order in ORDERS {
                let (exact, bound) = (moved(&sum, by, order), mechanism.divergence(order));
                assert!(exact <= bound + 1e-12, "{sigmas:?} by {by} order {order}: {exact} > {bound}");
                assert!(bound <= mechanism.rho() * order + 1e-12);
            }
        }
    }
}

#[test]
fn leaving_out_tau_would_be_wrong() {
    // Two shares of σ = ½ are no discrete Gaussian: moving by one costs more than one of their variance allows.
    let sum = convolve(&gaussian(0.5), &gaussian(0.5));
    let without_tau = 8.0 / (2.0 * 2.0 * 0.25);
    assert!(moved(&sum, 1, 8.0) > without_tau * 1.01);
    // σ belongs into τ in integer units: in real units it would be another number altogether.
    assert!(tau::equal(2, 0.5) > 0.8 && tau::equal(2, 5.0) < 1e-100);
}

#[test]
fn the_bound_is_close_where_shares_are_large() {
    let sum = convolve(&gaussian(1.5), &gaussian(1.5));
    let mechanism = DistributedGaussian::new(2, 1.5, one_coordinate(1)).unwrap();
    let (exact, bound) = (moved(&sum, 1, 4.0), mechanism.divergence(4.0));
    assert!(exact > bound * (1.0 - 1e-6), "{exact} {bound}");
}

#[test]
fn the_skellam_bound_holds_exactly() {
    for variance in [0.5, 1.0, 4.0, 16.0] {
        let sum = skellam(variance);
        assert!((sum.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for by in 1..=2 {
            let mechanism = Skellam::new(variance, one_coordinate(by)).unwrap();
            for order in ORDERS {
                let (exact, bound) = (moved(&sum, by, order), mechanism.divergence(order));
                assert!(exact <= bound + 1e-12, "μ {variance} by {by} order {order}: {exact} > {bound}");
            }
        }
    }
    // Shares add up exactly, so a sum needs no τ.
    let (sum, whole) = (convolve(&skellam(1.5), &skellam(2.5)), skellam(4.0));
    assert!(sum.iter().zip(&whole).all(|(one, other)| (one - other).abs() < 1e-14));
}

/// A mechanism that is known exactly.
struct Exact {
    law: Law,
    by: i64,
}

impl Mechanism for Exact {
    fn divergence(&self, order: f64) -> f64 {
        moved(&self.law, self.by, order)
    }
}

#[test]
fn the_amplified_bounds_hold_for_exact_mixtures() {
    for (sigma, by) in [(1.0, 1), (2.0, 1), (0.7, 1), (3.0, 4)] {
        let exact = Exact { law: gaussian(sigma), by };
        for rate in [0.001, 0.05, 0.3, 0.9] {
            let tight = Curve::poisson(&exact, rate, Amplification::Tight).unwrap();
            let general = Curve::poisson(&exact, rate, Amplification::General).unwrap();
            let inside = shifted(&exact.law, by);
            let mixture: Law = inside
                .iter()
                .zip(&exact.law)
                .map(|(inside, outside)| rate * inside + (1.0 - rate) * outside)
                .collect();
            for order in [1.5, 2.0, 3.0, 4.0, 5.0] {
                let forth = divergence(&mixture, &exact.law, order);
                let back = divergence(&exact.law, &mixture, order);
                let bound = tight.at(order).unwrap();
                assert!(
                    forth.max(back) <= bound * (1.0 + 1e-9),
                    "σ {sigma} q {rate} order {order}: {forth} {back} > {bound}"
                );
                assert!(bound <= general.at(order).unwrap() * (1.0 + 1e-9));
                assert!(bound <= exact.divergence(order) * (1.0 + 1e-9));
                if order >= 2.0 && bound < exact.divergence(order) * 0.99 {
                    // For a Gaussian shape the bound is attained.
                    assert!(
                        forth >= bound * (1.0 - 1e-6),
                        "σ {sigma} q {rate} order {order}: {forth} {bound}"
                    );
                }
            }
        }
    }
}

/// Every population of four whose members hold −1, 0 or 1, of which two take part: the law of what is released,
/// over all cohorts, against that of the population without its first member's vector.
#[test]
fn the_bound_for_cohorts_of_a_fixed_size_holds_for_exact_mixtures() {
    for sigma in [0.7, 1.5, 4.0] {
        let at = |by| Exact { law: gaussian(sigma), by };
        let bound = Curve::fixed_size(&at(1), &at(2), 2, 4).unwrap();
        let release = |members: [i64; 4]| {
            let cohorts = (0..4).flat_map(|one| (0..one).map(move |other| (one, other)));
            let laws = cohorts.map(|(one, other)| shifted(&at(1).law, members[one] + members[other]));
            laws.reduce(|sum, law| sum.iter().zip(&law).map(|(one, other)| one + other).collect()).unwrap()
        };
        let normal = |law: Law| law.iter().map(|weight| weight / 6.0).collect::<Law>();
        for others in (0..27).map(|code| [code / 9 - 1, code / 3 % 3 - 1, code % 3 - 1]) {
            let [b, c, d] = others;
            let (with, without) = (normal(release([1, b, c, d])), normal(release([0, b, c, d])));
            for order in [1.5, 2.0, 3.0, 6.0] {
                let exact = divergence(&with, &without, order).max(divergence(&without, &with, order));
                assert!(
                    exact <= bound.at(order).unwrap() * (1.0 + 1e-9),
                    "σ {sigma} {others:?} order {order}"
                );
            }
        }
    }
    // The figure of zeroing alone, put into the bound, would be below what replacing costs.
    let (zeroing, replacing) = (Exact { law: gaussian(4.0), by: 1 }, Exact { law: gaussian(4.0), by: 2 });
    let wrong = Curve::fixed_size_replacing(&zeroing, 4, 4).unwrap();
    assert!(replacing.divergence(2.0) > 3.0 * wrong.at(2.0).unwrap());
}

/// Exact sums stay below both readings of what τ costs: ½τd, as theorem 1 of Kairouz, Liu and Steinke prints it, and
/// 2τd, which follows from their proposition 14 and is the one in use.
#[test]
fn neither_reading_of_tau_is_contradicted_and_the_greater_is_used() {
    for shares in 2..=5u32 {
        for sigma in [0.5, 0.6, 0.8, 1.0] {
            let sum = (1..shares).fold(gaussian(sigma), |sum, _| convolve(&sum, &gaussian(sigma)));
            let (variance, tau) = (f64::from(shares) * sigma * sigma, tau::equal(shares, sigma));
            let printed = (1.0 / variance + tau / 2.0) / 2.0;
            for order in ORDERS {
                assert!(
                    moved(&sum, 1, order) <= order * printed + 1e-12,
                    "{shares} of {sigma}, order {order}"
                );
            }
            // What is used is proposition 14's at every order, and never below the printed one where τd decides.
            let used = DistributedGaussian::new(shares, sigma, one_coordinate(1)).unwrap();
            let followed = (1.0 / variance + 2.0 * tau) / 2.0;
            assert!(used.rho() <= followed * (1.0 + 1e-12) && followed > printed);
        }
    }
}
