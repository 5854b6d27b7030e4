//! Confidence bounds on a probability from successes in trials (Clopper and Pearson 1934).

/// Bounds for a fixed number of trials.
pub(super) struct Trials {
    trials: usize,
    /// ln k! at index k.
    ln_factorials: Vec<f64>,
}

impl Trials {
    pub(super) fn new(trials: usize) -> Self {
        let mut sum = 0.0;
        let next = |k: usize| {
            sum += if k == 0 { 0.0 } else { (k as f64).ln() };
            sum
        };
        Self { trials, ln_factorials: (0..=trials).map(next).collect() }
    }

    /// The bound that the probability exceeds in at most a share `error` of all experiments: the greatest p with
    /// a probability of at least `error` for at most `successes`.
    pub(super) fn upper(&self, successes: usize, error: f64) -> f64 {
        if successes >= self.trials {
            return 1.0;
        }
        let (mut low, mut high) = (successes as f64 / self.trials as f64, 1.0);
        for _ in 0..50 {
            let middle = f64::midpoint(low, high);
            if self.at_most(successes, middle) > error { low = middle } else { high = middle }
        }
        high
    }

    /// The bound that the probability falls below in at most a share `error` of all experiments.
    pub(super) fn lower(&self, successes: usize, error: f64) -> f64 {
        1.0 - self.upper(self.trials.saturating_sub(successes), error)
    }

    /// The probability of at most `successes` where that of one is `p`, above successes/trials: terms fall from the first.
    fn at_most(&self, successes: usize, p: f64) -> f64 {
        let ln_factorial = |k: usize| self.ln_factorials[k];
        let (n, k) = (self.trials, successes);
        let ln_choose = ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
        let mut term = (ln_choose + k as f64 * p.ln() + (n - k) as f64 * (-p).ln_1p()).exp();
        let mut sum = term;
        for i in (1..=k).rev() {
            term *= i as f64 * (1.0 - p) / ((n - i + 1) as f64 * p);
            sum += term;
            if term < sum * 1e-16 {
                break;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_clopper_and_pearsons() {
        // No success: 1 − error^(1/n). All successes: error^(1/n).
        let trials = Trials::new(100);
        assert!((trials.upper(0, 0.05) - (1.0 - 0.05f64.powf(0.01))).abs() < 1e-12);
        assert!((trials.lower(100, 0.05) - 0.05f64.powf(0.01)).abs() < 1e-12);
        assert_eq!((trials.upper(100, 0.05), trials.lower(0, 0.05)), (1.0, 0.0));
        // 3 of 4 at 2.5 %: the roots of p⁴ + 4p³(1−p) = 0.025 and of 1 − p⁴ = 0.025.
        let four = Trials::new(4);
        let lower = four.lower(3, 0.025);
        assert!((lower.powi(4) + 4.0 * lower.powi(3) * (1.0 - lower) - 0.025).abs() < 1e-12);
        assert!((four.upper(3, 0.025) - 0.975f64.powf(0.25)).abs() < 1e-12);
    }

    #[test]
    fn large_numbers_agree_with_the_normal_approximation() {
        let trials = Trials::new(100_000);
        for successes in [1_000, 50_000, 99_000] {
            let p = successes as f64 / 1e5;
            let deviation = (p * (1.0 - p) / 1e5).sqrt();
            let (lower, upper) = (trials.lower(successes, 0.025), trials.upper(successes, 0.025));
            assert!(((upper - p) / deviation - 1.96).abs() < 0.1, "{upper}");
            assert!(((p - lower) / deviation - 1.96).abs() < 0.1, "{lower}");
        }
    }
}
