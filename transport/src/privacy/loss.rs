//! What rounds give away, in two figures: to the server, and to whoever sees only the released sums.

use std::str::FromStr;

use secagg::privacy::{Amplification, Curve, Gaussian, Mechanism, PrivacyError, Sensitivity, ledger};

/// How the clients of a round are drawn from the population, secretly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sampling {
    /// They are not: everyone takes part, or the choice is known.
    None,
    /// Each takes part with this probability, independently, above 0 and at most 1.
    Poisson(f64),
    /// So many are drawn without replacement from so many.
    Fixed {
        /// Clients of a round.
        clients: u32,
        /// Clients there are.
        population: u32,
    },
}

impl Sampling {
    /// Whether a smaller loss may be claimed for the released sums than for the server.
    pub fn amplifies(self) -> bool {
        match self {
            Self::None => false,
            Self::Poisson(rate) => rate < 1.0,
            Self::Fixed { clients, population } => clients < population,
        }
    }
}

impl From<Sampling> for ledger::Sampling {
    fn from(sampling: Sampling) -> Self {
        match sampling {
            Sampling::None => Self::All,
            Sampling::Poisson(rate) => Self::Poisson(rate),
            Sampling::Fixed { clients, population } => Self::Fixed { cohort: clients, population },
        }
    }
}

impl FromStr for Sampling {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let usage =
            || format!("{text:?} is neither none, poisson:RATE such as poisson:0.01, nor fixed:N/POPULATION");
        if text == "none" {
            return Ok(Self::None);
        }
        let (kind, value) = text.split_once(':').ok_or_else(usage)?;
        match kind {
            "poisson" => match value.parse() {
                Ok(rate) if rate > 0.0 && rate <= 1.0 => Ok(Self::Poisson(rate)),
                _ => Err(format!("the sampling rate is {value}; it must be above 0 and at most 1")),
            },
            "fixed" => {
                let (clients, population) = value.split_once('/').ok_or_else(usage)?;
                match (clients.parse(), population.parse()) {
                    (Ok(clients), Ok(population)) if 0 < clients && clients <= population => {
                        Ok(Self::Fixed { clients, population })
                    }
                    _ => {
                        Err(format!("{value} is no sample: give N/POPULATION with 1 ≤ N ≤ POPULATION < 2^32"))
                    }
                }
            }
            _ => Err(usage()),
        }
    }
}

/// The curves of what was released so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    server: Curve,
    release: Curve,
}

/// A pair of ε, both rounded up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Against the server, which chose the cohort or saw who came: no amplification.
    pub server: f64,
    /// For the released sums alone.
    pub release: f64,
}

impl Loss {
    /// Nothing released yet.
    pub fn nothing() -> Self {
        Self { server: Curve::nothing(), release: Curve::nothing() }
    }

    /// One round of the mechanism that `at` makes of a sensitivity: of this one, and for cohorts of a fixed size of the
    /// one under replacement too, for another client is in the victim's place where the victim is not.
    ///
    /// # Errors
    /// As `at`; a sampling rate outside (0, 1]; a sample larger than the population.
    pub fn of<M: Mechanism>(
        sensitivity: Sensitivity,
        sampling: Sampling,
        at: impl Fn(Sensitivity) -> Result<M, PrivacyError>,
    ) -> Result<Self, PrivacyError> {
        let mechanism = at(sensitivity)?;
        let server = Curve::of(&mechanism);
        let release = match sampling {
            Sampling::None => server.clone(),
            Sampling::Poisson(rate) => Curve::poisson(&mechanism, rate, Amplification::Tight)?,
            Sampling::Fixed { clients, population } => {
                Curve::fixed_size(&mechanism, &at(sensitivity.for_replacement())?, clients, population)?
            }
        };
        Ok(Self { server, release })
    }

    /// One round of the central Gaussian, with noise of `multiplier` times the sensitivity.
    ///
    /// # Errors
    /// As [`Loss::of`].
    pub fn of_central(multiplier: f64, sampling: Sampling) -> Result<Self, PrivacyError> {
        Self::of(Sensitivity::new(1.0, 1)?, sampling, |by| Gaussian::new(multiplier / by.l2()))
    }

    /// What these rounds and the others give away together.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self { server: self.server.and(&other.server), release: self.release.and(&other.release) }
    }

    /// What `rounds` such rounds give away.
    #[must_use]
    pub fn times(&self, rounds: u32) -> Self {
        Self { server: self.server.times(rounds), release: self.release.times(rounds) }
    }

    /// Both ε at δ.
    ///
    /// # Errors
    /// A δ outside (0, 1).
    pub fn epsilon(&self, delta: f64) -> Result<Figures, PrivacyError> {
        let of = |curve: &Curve| curve.epsilon(delta).map(|found| found.epsilon);
        Ok(Figures { server: of(&self.server)?, release: of(&self.release)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samplings_are_read_and_nonsense_is_not() {
        assert_eq!("none".parse(), Ok(Sampling::None));
        assert_eq!("poisson:0.25".parse(), Ok(Sampling::Poisson(0.25)));
        assert_eq!("fixed:10/1000".parse(), Ok(Sampling::Fixed { clients: 10, population: 1000 }));
        for text in [
            "",
            "poisson",
            "poisson:0",
            "poisson:nan",
            "poisson:1.1",
            "poisson:-1",
            "fixed:10",
            "fixed:0/1",
            "fixed:2/1",
        ] {
            assert!(text.parse::<Sampling>().is_err(), "{text}");
        }
    }

    #[test]
    fn samples_amplify_but_never_against_the_server() {
        let of = |sampling| Loss::of_central(4.0, sampling).unwrap().times(10).epsilon(1e-5).unwrap();
        let fixed = |clients| of(Sampling::Fixed { clients, population: 1000 });
        let (none, poisson) = (of(Sampling::None), of(Sampling::Poisson(0.01)));
        assert_eq!(none.server, none.release);
        assert_eq!((poisson.server, fixed(10).server), (none.server, none.server));
        assert!(poisson.release < none.release / 10.0, "{poisson:?}");
        assert!(fixed(10).release < none.release / 5.0 && fixed(10).release > poisson.release);
        assert_eq!(fixed(1000), none);
        assert!(Loss::of_central(4.0, Sampling::Fixed { clients: 2, population: 1 }).is_err());
    }
}
