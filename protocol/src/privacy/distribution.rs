//! The laws of the noise, in double precision: for tests, plans and plots, not for sampling.

/// N_Z(0, σ²): the probability of x is proportional to exp(−x²/2σ²) on the integers (Canonne, Kamath, Steinke
/// 2020, definition 1). Its variance is at most σ².
#[derive(Clone, Debug, PartialEq)]
pub struct DiscreteGaussian {
    sigma: f64,
    /// Σ_x exp(−x²/2σ²).
    mass: f64,
}

impl DiscreteGaussian {
    /// With the given parameter σ above 0.
    pub fn new(sigma: f64) -> Self {
        let mut law = Self { sigma, mass: 1.0 };
        law.mass = 1.0 + 2.0 * law.sum(1, |_| 1.0);
        law
    }

    /// The probability of `x`.
    pub fn probability(&self, x: i64) -> f64 {
        self.weight(x) / self.mass
    }

    /// The probability of `x` and more, for `x` from 0 on.
    pub fn tail(&self, x: i64) -> f64 {
        self.sum(x, |_| 1.0) / self.mass
    }

    /// The variance.
    pub fn variance(&self) -> f64 {
        2.0 * self.sum(1, |x| x * x) / self.mass
    }

    /// The fourth moment.
    pub fn fourth_moment(&self) -> f64 {
        2.0 * self.sum(1, |x| x * x * x * x) / self.mass
    }

    fn weight(&self, x: i64) -> f64 {
        let x = x as f64 / self.sigma;
        (-x * x / 2.0).exp()
    }

    /// Σ f(x)·exp(−x²/2σ²) from `x` to where nothing is left, from the far end so that small terms count.
    fn sum(&self, x: i64, f: impl Fn(f64) -> f64) -> f64 {
        let last = (x as f64).hypot(9.5 * self.sigma) as i64 + 2;
        (x..=last).rev().map(|x| f(x as f64) * self.weight(x)).sum()
    }
}
