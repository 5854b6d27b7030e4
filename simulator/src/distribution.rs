//! Distributions of rates, times and factors, as scenarios give them.

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::draw::Draws;

/// Values that are equally likely, for what the shared link must group: see [`Distribution::levels`].
pub(crate) const LEVELS: usize = 32;

/// Values that are equally likely, for everything else.
const FINE: usize = 256;

/// How a number differs from client to client.
///
/// In a scenario: a number for all (`latency = 0.05`), a log-normal distribution by its median and the standard
/// deviation of its natural logarithm (`{ median = 0.05, sigma = 0.4 }`), or a table of values, equally likely unless
/// it has weights (`{ values = [1, 2], weights = [3, 1] }`).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Distribution {
    /// The same for all.
    Constant(f64),
    /// Log-normal; drawn from 256 quantiles, so nothing lies beyond 2.9 sigma.
    LogNormal {
        /// Half of the clients have less.
        median: f64,
        /// Standard deviation of the natural logarithm, 0 to 5.
        sigma: f64,
    },
    /// A table.
    Table {
        /// The values.
        values: Vec<f64>,
        /// How likely each is, in any unit; empty if all are equally likely.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        weights: Vec<f64>,
    },
}

impl Distribution {
    /// Checks that every value is finite and at least `least`.
    ///
    /// # Errors
    /// The number that is wrong, in words.
    pub(crate) fn check(&self, field: &str, least: f64) -> Result<(), String> {
        let good = |value: &f64| value.is_finite() && *value >= least;
        let bad = |value: f64| Err(format!("{field} = {value}: it must be a number of at least {least}"));
        match self {
            Self::Constant(value) if !good(value) => bad(*value),
            Self::LogNormal { median, .. } if !good(median) => bad(*median),
            Self::LogNormal { sigma, .. } if !(0.0..=5.0).contains(sigma) => {
                Err(format!("{field}.sigma = {sigma}: it must be 0 to 5"))
            }
            Self::Table { values, .. } if values.is_empty() => Err(format!("{field}.values is empty")),
            Self::Table { values, weights } => {
                if let Some(value) = values.iter().find(|value| !good(value)) {
                    return bad(*value);
                }
                if !weights.is_empty() && weights.len() != values.len() {
                    let (values, weights) = (values.len(), weights.len());
                    return Err(format!("{field} has {values} values and {weights} weights"));
                }
                if let Some(weight) = weights.iter().find(|weight| !weight.is_finite() || **weight < 0.0) {
                    return Err(format!("{field}.weights has {weight}: a weight is 0 or more"));
                }
                let total: f64 = weights.iter().sum();
                if !weights.is_empty() && total <= 0.0 {
                    return Err(format!("{field}.weights are all 0"));
                }
                if !total.is_finite() {
                    return Err(format!("{field}.weights add up to more than there are numbers for"));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The distribution as equally likely values, ascending if it is log-normal.
    pub(crate) fn quantiles(&self) -> Quantiles {
        self.tabled(FINE)
    }

    /// The distribution as at most [`LEVELS`] equally likely values.
    pub(crate) fn levels(&self) -> Quantiles {
        self.tabled(LEVELS)
    }

    fn tabled(&self, count: usize) -> Quantiles {
        Quantiles(match self {
            Self::Constant(value) => vec![*value],
            Self::LogNormal { median, sigma } => {
                (0..count).map(|at| median * libm::exp(sigma * normal_quantile(at, count))).collect()
            }
            Self::Table { values, weights } if weights.is_empty() && values.len() <= count => values.clone(),
            Self::Table { values, weights } => spread(values, weights, count),
        })
    }
}

/// `count` values in which each of `values` has its weight's share, to one in `count`.
fn spread(values: &[f64], weights: &[f64], count: usize) -> Vec<f64> {
    let weight = |at: usize| if weights.is_empty() { 1.0 } else { weights.get(at).copied().unwrap_or(0.0) };
    let total: f64 = (0..values.len()).map(weight).sum();
    let mut spread = Vec::with_capacity(count);
    let mut seen = 0.0;
    for (at, value) in values.iter().enumerate() {
        seen += weight(at);
        let until = (seen / total * count as f64).round() as usize;
        spread.resize(until.clamp(spread.len(), count), *value);
    }
    spread
}

/// Equally likely values.
#[derive(Clone, Debug)]
pub(crate) struct Quantiles(Vec<f64>);

impl Quantiles {
    /// The value that a device draws.
    #[inline(always)]
    pub(crate) fn value(&self, draws: Draws, device: u32) -> f64 {
        match &self.0[..] {
            [only] => *only,
            values => values.get(Self::chosen_of(values.len(), draws, device)).copied().unwrap_or(0.0),
        }
    }

    /// The index of the value that a device draws, of so many.
    #[inline(always)]
    pub(crate) fn chosen_of(count: usize, draws: Draws, device: u32) -> usize {
        (((draws.bits(device) >> 32) * count as u64) >> 32) as usize
    }

    /// The value that 16 random bits choose.
    #[inline(always)]
    pub(crate) fn by(&self, lot: u16) -> f64 {
        self.0.get(self.place(lot)).copied().unwrap_or(0.0)
    }

    /// The index of the value that 16 random bits choose.
    #[inline(always)]
    pub(crate) fn place(&self, lot: u16) -> usize {
        Self::place_of(self.0.len(), lot) as usize
    }

    /// The same of so many values.
    #[inline(always)]
    pub(crate) fn place_of(count: usize, lot: u16) -> u32 {
        (u32::from(lot) * count as u32) >> 16
    }

    pub(crate) fn values(&self) -> &[f64] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Distribution {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    median: Option<f64>,
    sigma: Option<f64>,
    values: Option<Vec<f64>>,
    weights: Option<Vec<f64>>,
}

impl<'de> Visitor<'de> for Reader {
    type Value = Distribution;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number, { median, sigma }, or { values, weights }")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Distribution, E> {
        Ok(Distribution::Constant(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Distribution, E> {
        Ok(Distribution::Constant(value as f64))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Distribution, E> {
        Ok(Distribution::Constant(value as f64))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Distribution, A::Error> {
        match Fields::deserialize(MapAccessDeserializer::new(map))? {
            Fields { median: Some(median), sigma: Some(sigma), values: None, weights: None } => {
                Ok(Distribution::LogNormal { median, sigma })
            }
            Fields { median: None, sigma: None, values: Some(values), weights } => {
                Ok(Distribution::Table { values, weights: weights.unwrap_or_default() })
            }
            _ => Err(A::Error::custom("give a number, { median, sigma }, or { values, weights }")),
        }
    }
}

/// The quantile (2·at + 1) / (2·count) of the standard normal distribution; `count` is 256 or a divisor of it.
fn normal_quantile(at: usize, count: usize) -> f64 {
    let step = FINE / count;
    let fine = |at: usize| match at.checked_sub(FINE / 2) {
        Some(above) => NORMAL.get(above).copied().unwrap_or(0.0),
        None => -NORMAL.get(FINE / 2 - 1 - at).copied().unwrap_or(0.0),
    };
    match step {
        0 | 1 => fine(at),
        _ => (fine(at * step + step / 2 - 1) + fine(at * step + step / 2)) / 2.0,
    }
}

/// The quantiles 128.5/256 to 255.5/256 of the standard normal distribution.
#[rustfmt::skip]
const NORMAL: [f64; 128] = [
    0.004895778, 0.014687803, 0.024481237, 0.034277019, 0.044076092, 0.053879399,
    0.063687887, 0.073502506, 0.083324211, 0.093153960, 0.102992719, 0.112841457,
    0.122701154, 0.132572794, 0.142457370, 0.152355884, 0.162269350, 0.172198789,
    0.182145235, 0.192109734, 0.202093346, 0.212097141, 0.222122208, 0.232169649,
    0.242240584, 0.252336148, 0.262457496, 0.272605804, 0.282782265, 0.292988097,
    0.303224538, 0.313492853, 0.323794329, 0.334130282, 0.344502056, 0.354911023,
    0.365358588, 0.375846185, 0.386375287, 0.396947399, 0.407564066, 0.418226873,
    0.428937444, 0.439697450, 0.450508606, 0.461372678, 0.472291481, 0.483266885,
    0.494300814, 0.505395256, 0.516552258, 0.527773935, 0.539062471, 0.550420123,
    0.561849226, 0.573352197, 0.584931540, 0.596589849, 0.608329816, 0.620154233,
    0.632066002, 0.644068139, 0.656163781, 0.668356196, 0.680648785, 0.693045098,
    0.705548839, 0.718163874, 0.730894247, 0.743744190, 0.756718131, 0.769820715,
    0.783056814, 0.796431544, 0.809950284, 0.823618695, 0.837442740, 0.851428708,
    0.865583240, 0.879913354, 0.894426480, 0.909130490, 0.924033739, 0.939145103,
    0.954474028, 0.970030579, 0.985825500, 1.001870276, 1.018177206, 1.034759481,
    1.051631282, 1.068807875, 1.086305736, 1.104142679, 1.122338012, 1.140912709,
    1.159889619, 1.179293690, 1.199152251, 1.219495323, 1.240355994, 1.261770862,
    1.283780553, 1.306430351, 1.329770950, 1.353859364, 1.378760043, 1.404546248,
    1.431301759, 1.459123025, 1.488121896, 1.518429141, 1.550199041, 1.583615476,
    1.618900144, 1.656323865, 1.696222505, 1.739019972, 1.785262490, 1.835671537,
    1.891229238, 1.953323708, 2.024013624, 2.106554088, 2.206575217, 2.335233040,
    2.520502217, 2.885634912,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Holder {
        it: Distribution,
    }

    fn parse(text: &str) -> Result<Distribution, String> {
        toml::from_str::<Holder>(&format!("it = {text}")).map(|it| it.it).map_err(|error| error.to_string())
    }

    #[test]
    fn the_three_forms_are_read() {
        assert_eq!(parse("3").unwrap(), Distribution::Constant(3.0));
        let log_normal = Distribution::LogNormal { median: 2.0, sigma: 0.5 };
        assert_eq!(parse("{ median = 2, sigma = 0.5 }").unwrap(), log_normal);
        let table = Distribution::Table { values: vec![1.0, 2.0], weights: vec![] };
        assert_eq!(parse("{ values = [1, 2] }").unwrap(), table);
        assert!(parse("{ median = 2 }").unwrap_err().contains("give a number"));
        assert!(parse("{ mean = 2 }").unwrap_err().contains("unknown field `mean`"));
    }

    #[test]
    fn quantiles_have_the_median_the_spread_and_the_weights() {
        let log_normal = Distribution::LogNormal { median: 100.0, sigma: 1.0 };
        for table in [log_normal.quantiles(), log_normal.levels()] {
            let logs: Vec<f64> = table.0.iter().map(|value| (value / 100.0).ln()).collect();
            let variance = logs.iter().map(|log| log * log).sum::<f64>() / logs.len() as f64;
            assert!(logs.iter().sum::<f64>().abs() < 1e-9);
            assert!((0.95..1.0).contains(&variance), "{variance}");
            assert!(table.0.windows(2).all(|pair| pair[0] < pair[1]));
        }
        let table = Distribution::Table { values: vec![1.0, 2.0], weights: vec![3.0, 1.0] };
        assert_eq!(table.levels().0.iter().filter(|&&value| value == 1.0).count(), 24);
    }

    #[test]
    fn numbers_that_cannot_be_are_named() {
        let error = Distribution::Constant(-1.0).check("network.latency", 0.0).unwrap_err();
        assert_eq!(error, "network.latency = -1: it must be a number of at least 0");
        let uneven = Distribution::Table { values: vec![1.0], weights: vec![1.0, 2.0] };
        assert!(uneven.check("x", 0.0).unwrap_err().contains("1 values and 2 weights"));
    }
}
