//! Fractions of the clients, as the decimals that people write.

use std::fmt;
use std::str::FromStr;

const MAX_DIGITS: usize = 18;

/// A fraction from 0 to 1 with up to 18 decimal places, held exactly.
///
/// ```
/// use secagg::parameters::Fraction;
///
/// let third: Fraction = "0.33".parse()?;
/// assert_eq!((third.floor_of(1000), third.ceil_of(10)), (330, 4));
/// # Ok::<(), secagg::parameters::FractionError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fraction {
    /// In units of 10^-18.
    units: u64,
}

const ONE: u64 = 10u64.pow(MAX_DIGITS as u32);

impl Fraction {
    /// Nothing at all.
    pub const ZERO: Self = Self { units: 0 };

    /// The least fraction of which `part` is the [`Self::floor_of`] of `whole`, at least 1; at most 1.
    pub fn of(part: u32, whole: u32) -> Self {
        let (part, whole) = (u128::from(part.min(whole)), u128::from(whole.max(1)));
        Self { units: (part * u128::from(ONE)).div_ceil(whole) as u64 }
    }

    /// The greatest number of `clients` that is at most this fraction of them.
    pub fn floor_of(self, clients: u32) -> u32 {
        (self.times(clients) / u128::from(ONE)) as u32
    }

    /// The least number of `clients` that is at least this fraction of them.
    pub fn ceil_of(self, clients: u32) -> u32 {
        self.times(clients).div_ceil(u128::from(ONE)) as u32
    }

    fn times(self, clients: u32) -> u128 {
        u128::from(self.units) * u128::from(clients)
    }
}

/// The text is no decimal fraction from 0 to 1 with up to 18 places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give a decimal fraction from 0 to 1, such as 0.05")]
pub struct FractionError;

impl FromStr for Fraction {
    type Err = FractionError;

    fn from_str(text: &str) -> Result<Self, FractionError> {
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let empty = whole.is_empty() && places.is_empty();
        if empty || !digits(whole) || !digits(places) || places.len() > MAX_DIGITS {
            return Err(FractionError);
        }
        let whole: u64 = format!("0{whole}").parse().map_err(|_| FractionError)?;
        let places: u64 = format!("{places:0<MAX_DIGITS$}").parse().map_err(|_| FractionError)?;
        match (whole, places) {
            (0, units) => Ok(Self { units }),
            (1, 0) => Ok(Self { units: ONE }),
            _ => Err(FractionError),
        }
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = format!("{:018}", self.units % ONE);
        match (self.units / ONE, places.trim_end_matches('0')) {
            (whole, "") => write!(f, "{whole}"),
            (whole, places) => write!(f, "{whole}.{places}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        for (text, shown, floor, ceil) in [
            ("0", "0", 0, 0),
            ("1", "1", 100, 100),
            ("1.000", "1", 100, 100),
            (".07", "0.07", 7, 7),
            ("0.29", "0.29", 29, 29), // 28.999... in binary
            ("0.001", "0.001", 0, 1),
            ("0.999999999999999999", "0.999999999999999999", 99, 100),
        ] {
            let fraction: Fraction = text.parse().unwrap();
            assert_eq!(fraction.to_string(), shown);
            assert_eq!((fraction.floor_of(100), fraction.ceil_of(100)), (floor, ceil), "{text}");
        }
    }

    #[test]
    fn parts_are_what_they_were() {
        for whole in (1..200).chain([999_983, 1 << 30, u32::MAX]) {
            for part in [0, 1, whole / 3, whole / 2, whole - 1, whole].map(|part| part.min(whole)) {
                assert_eq!(Fraction::of(part, whole).floor_of(whole), part, "{part} of {whole}");
            }
        }
        assert_eq!((Fraction::of(7, 3), Fraction::of(0, 0)), (Fraction::of(3, 3), Fraction::ZERO));
    }

    #[test]
    fn what_is_no_fraction_is_refused() {
        for text in
            ["", ".", "1.1", "2", "-0.1", "+0.1", "1e-2", "0.1.2", "nan", "0.0000000000000000001", " 0"]
        {
            assert_eq!(text.parse::<Fraction>(), Err(FractionError), "{text:?}");
        }
    }
}
