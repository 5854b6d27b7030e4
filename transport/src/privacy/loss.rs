//! What rounds give away, in two figures: to the server, and to whoever sees only the released sums.

use std::str::FromStr;

use secagg::privacy::{Amplification, Curve, Mechanism, PrivacyError};

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
    /// Whether a smaller loss is claimed for the released sums than for the server.
    ///
    /// For cohorts of a fixed size the core has no bound under zero-out adjacency, so nothing is claimed: the
    /// bound without amplification holds for every way of sampling.
    pub fn amplifies(self) -> bool {
        matches!(self, Self::Poisson(rate) if rate < 1.0)
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

    /// One round of a mechanism.
    ///
    /// # Errors
    /// A sampling rate outside (0, 1].
    pub fn of(mechanism: &impl Mechanism, sampling: Sampling) -> Result<Self, PrivacyError> {
        let server = Curve::of(mechanism);
        let release = match sampling {
            Sampling::Poisson(rate) => Curve::poisson(mechanism, rate, Amplification::Tight)?,
            Sampling::None | Sampling::Fixed { .. } => server.clone(),
        };
        Ok(Self { server, release })
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
    use secagg::privacy::Gaussian;

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
    fn only_a_poisson_sample_amplifies_and_never_against_the_server() {
        let of = |sampling| {
            Loss::of(&Gaussian::new(2.0).unwrap(), sampling).unwrap().times(10).epsilon(1e-5).unwrap()
        };
        let (none, poisson) = (of(Sampling::None), of(Sampling::Poisson(0.01)));
        assert_eq!(none.server, none.release);
        assert_eq!(poisson.server, none.server);
        assert!(poisson.release < none.release / 10.0, "{poisson:?}");
        assert_eq!(of(Sampling::Fixed { clients: 1, population: 100 }), none);
    }
}
