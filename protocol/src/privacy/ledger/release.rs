//! What one round releases, as a ledger keeps it.

use std::fmt;
use std::str::FromStr;

use crate::privacy::{
    Amplification, CentredGaussian, Curve, DistributedGaussian, Mechanism, PrivacyError, Sensitivity,
    Skellam, Variance,
};

/// The mechanism of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`DistributedGaussian`].
    Gaussian,
    /// [`CentredGaussian`].
    Centred,
    /// [`Skellam`].
    Skellam,
}

/// How the members of a round were chosen, and that nobody but the server knows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sampling {
    /// All take part, or it is known who does.
    All,
    /// Each with this probability, independently.
    Poisson(f64),
    /// So many out of so many.
    Fixed {
        /// Members of the round.
        cohort: u32,
        /// Members of the population.
        population: u32,
    },
}

/// What one round releases: all that its guarantee follows from.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// The mechanism.
    pub kind: Kind,
    /// The honest shares of noise in the sum: how many of each σ². Of the centred mechanism, the first are those around
    /// the clients' vectors.
    pub shares: Vec<(u32, Variance)>,
    /// The sensitivity D, in integer units, under zero-out adjacency.
    pub norm: f64,
    /// Coordinates after padding.
    pub dimension: u32,
    /// How the members were chosen.
    pub sampling: Sampling,
}

/// The most shares of one round, all kinds together.
const GREATEST_SHARES: u64 = 1 << 24;

impl Release {
    /// The curves against the server, which knows the sample, and for the public.
    ///
    /// # Errors
    /// Numbers that give no guarantee.
    pub fn curves(&self) -> Result<(Curve, Curve), PrivacyError> {
        let count: u64 = self.shares.iter().map(|&(count, _)| u64::from(count)).sum();
        if !(1..=GREATEST_SHARES).contains(&count) {
            let what = "the number of noise shares";
            return Err(PrivacyError::NotDrawn { what, found: count, least: 1, greatest: GREATEST_SHARES });
        }
        let sensitivity = match self.kind {
            Kind::Centred => Sensitivity::of_reals(self.norm, self.dimension)?,
            Kind::Gaussian | Kind::Skellam => Sensitivity::new(self.norm, self.dimension)?,
        };
        match self.kind {
            Kind::Gaussian => self.of(sensitivity, |by| DistributedGaussian::unequal(&self.sigmas(0), by)),
            Kind::Centred => self.of(sensitivity, |by| {
                let first = self.shares.iter().take(1).flat_map(repeated).collect::<Vec<_>>();
                CentredGaussian::unequal(&first, &self.sigmas(1), by)
            }),
            Kind::Skellam => {
                let units = |&(count, variance): &(u32, Variance)| f64::from(count) * variance.units() as f64;
                let variance = self.shares.iter().map(units).sum::<f64>() / Variance::ONE as f64;
                self.of(sensitivity, |by| Skellam::new(variance, by))
            }
        }
    }

    fn of<M: Mechanism>(
        &self,
        sensitivity: Sensitivity,
        at: impl Fn(Sensitivity) -> Result<M, PrivacyError>,
    ) -> Result<(Curve, Curve), PrivacyError> {
        let mechanism = at(sensitivity)?;
        let public = match self.sampling {
            Sampling::All => Curve::of(&mechanism),
            Sampling::Poisson(rate) => Curve::poisson(&mechanism, rate, Amplification::Tight)?,
            Sampling::Fixed { cohort, population } => {
                Curve::fixed_size(&mechanism, &at(sensitivity.for_replacement())?, cohort, population)?
            }
        };
        Ok((Curve::of(&mechanism), public))
    }

    /// σ of each share of the kinds from `first` on.
    fn sigmas(&self, first: usize) -> Vec<f64> {
        self.shares.iter().skip(first).flat_map(repeated).collect()
    }
}

fn repeated(&(count, variance): &(u32, Variance)) -> impl Iterator<Item = f64> + use<> {
    std::iter::repeat_n(variance.sigma(), count as usize)
}

impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Gaussian => "gaussian",
            Kind::Centred => "centred",
            Kind::Skellam => "skellam",
        };
        let shares: Vec<String> =
            self.shares.iter().map(|(count, variance)| format!("{count}x{}", variance.units())).collect();
        write!(formatter, "{kind}\t{}\t{:?}\t{}\t", shares.join("+"), self.norm, self.dimension)?;
        match self.sampling {
            Sampling::All => write!(formatter, "all"),
            Sampling::Poisson(rate) => write!(formatter, "poisson:{rate:?}"),
            Sampling::Fixed { cohort, population } => write!(formatter, "fixed:{cohort}/{population}"),
        }
    }
}

impl FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split('\t').collect();
        let &[kind, shares, norm, dimension, sampling] = fields.as_slice() else {
            return Err(format!("a release has 5 fields; there are {}", fields.len()));
        };
        let kind = match kind {
            "gaussian" => Kind::Gaussian,
            "centred" => Kind::Centred,
            "skellam" => Kind::Skellam,
            other => return Err(format!("{other:?} is no mechanism")),
        };
        let shares = shares.split('+').map(share).collect::<Result<_, _>>()?;
        let (norm, dimension) = (number(norm)?, number(dimension)?);
        Ok(Self { kind, shares, norm, dimension, sampling: self::sampling(sampling)? })
    }
}

fn share(text: &str) -> Result<(u32, Variance), String> {
    let (count, units) = text.split_once('x').ok_or_else(|| format!("{text:?} is no count x σ²"))?;
    Ok((number(count)?, Variance::new(number(units)?).map_err(|refusal| refusal.to_string())?))
}

fn sampling(text: &str) -> Result<Sampling, String> {
    let unknown = || format!("{text:?} is no sampling");
    match text.split_once(':') {
        None if text == "all" => Ok(Sampling::All),
        Some(("poisson", rate)) => Ok(Sampling::Poisson(number(rate)?)),
        Some(("fixed", of)) => {
            let (cohort, population) = of.split_once('/').ok_or_else(unknown)?;
            Ok(Sampling::Fixed { cohort: number(cohort)?, population: number(population)? })
        }
        _ => Err(unknown()),
    }
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is no number of its range"))
}
