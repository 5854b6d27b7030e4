//! Designs: which fields of a scenario have which values at which point.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::Distribution;
use crate::draw::{Draws, Purpose};

/// Runs of a whole sweep, at the most: `merge` holds the rows of all of them in memory, some hundred bytes each.
const POINTS: u64 = 10_000_000;

/// A design as its file has it. Its points are all drawn ones, each at all points of the grid, each with all seeds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Design {
    /// The scenario, relative to the design's folder.
    pub(super) scenario: PathBuf,
    /// Runs of each point, with the seeds that follow the scenario's.
    #[serde(default = "one")]
    pub(super) seeds: u64,
    /// Fields, such as `graph.degree` or `faults.dropouts.0.probability`, with all values of each.
    #[serde(default)]
    grid: BTreeMap<String, Vec<toml::Value>>,
    /// Fields whose values are drawn.
    #[serde(default)]
    random: Random,
}

/// Fields whose values are drawn: the value of a field at drawn point i follows from the seed, the field and i alone.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Random {
    points: u64,
    #[serde(default = "one")]
    seed: u64,
    fields: BTreeMap<String, Field>,
}

/// What a field is drawn from.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "give a list of values, { from, to, step, scale }, or a distribution")]
enum Field {
    /// Equally likely values.
    Values(Vec<toml::Value>),
    Range(Range),
    Distribution(Distribution),
}

/// From one number to another, both included. If both are whole, so is what is drawn.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    from: toml::Value,
    to: toml::Value,
    /// Of whole numbers, only those that lie so many times this above the first.
    step: Option<i64>,
    #[serde(default)]
    scale: Scale,
}

/// What is equally likely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Scale {
    /// Numbers.
    #[default]
    Linear,
    /// Their logarithms.
    Log,
}

/// A field with its value at a point.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) field: String,
    pub(super) value: toml::Value,
    /// Its column in a table holds numbers.
    pub(super) numeric: bool,
}

impl Design {
    /// The number of runs, for [`Design::check`] has found it to be one.
    pub(super) fn points(&self) -> u64 {
        self.counted().unwrap_or(u64::MAX)
    }

    /// The number of runs; none if it does not fit.
    fn counted(&self) -> Option<u64> {
        let cells = self.grid.values().try_fold(1u64, |cells, values| cells.checked_mul(values.len() as u64));
        self.random.points.checked_mul(cells?)?.checked_mul(self.seeds)
    }

    /// Checks that there is something to run and that every field can be drawn.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        for (name, field) in &self.random.fields {
            if self.grid.contains_key(name) {
                return Err(format!("{name:?} is in the grid and is drawn as well"));
            }
            field.check().map_err(|error| format!("random.fields.{name:?}: {error}"))?;
        }
        match self.counted() {
            Some(0) => Err("there are no points: seeds, random.points or a list is 0 or empty".to_owned()),
            Some(..=POINTS) => Ok(()),
            _ => Err(format!("more than {POINTS} runs: fewer seeds, random.points or values")),
        }
    }

    /// The values at a point, and which of the seeds it has.
    pub(super) fn point(&self, point: u64) -> (Vec<Chosen>, u64) {
        let (mut rest, seed) = (point / self.seeds, point % self.seeds);
        let mut chosen = Vec::new();
        for (name, choices) in &self.grid {
            let count = choices.len() as u64;
            let value = choices[(rest % count) as usize].clone();
            chosen.push(Chosen { field: name.clone(), value, numeric: false });
            rest /= count;
        }
        for (name, field) in &self.random.fields {
            let draws = Draws::new(self.random.seed, rest, Purpose::Design, salt(name));
            let numeric = !matches!(field, Field::Values(_));
            chosen.push(Chosen { field: name.clone(), value: field.draw(draws), numeric });
        }
        (chosen, seed)
    }
}

impl Default for Random {
    /// Nothing is drawn: one point.
    fn default() -> Self {
        Self { points: 1, seed: one(), fields: BTreeMap::new() }
    }
}

impl Field {
    fn check(&self) -> Result<(), String> {
        match self {
            Self::Values(values) if values.is_empty() => Err("the list is empty".to_owned()),
            Self::Values(_) => Ok(()),
            Self::Range(range) => range.check(),
            Self::Distribution(distribution) => distribution.check("values", f64::MIN),
        }
    }

    fn draw(&self, draws: Draws) -> toml::Value {
        match self {
            Self::Values(values) => values[at(draws, values.len() as u64) as usize].clone(),
            Self::Range(range) => range.draw(draws),
            Self::Distribution(distribution) => toml::Value::Float(distribution.quantiles().value(draws, 0)),
        }
    }
}

impl Range {
    fn check(&self) -> Result<(), String> {
        let (from, to) = (number(&self.from)?, number(&self.to)?);
        if from > to {
            return Err(format!("from = {from} is above to = {to}"));
        }
        if self.scale == Scale::Log && from <= 0.0 {
            return Err(format!("from = {from}: a logarithm needs a number above 0"));
        }
        match self.step {
            Some(step) if step < 1 => Err(format!("step = {step}: it must be at least 1")),
            Some(_) if self.whole().is_none() || self.scale == Scale::Log => {
                Err("step is for whole numbers on a linear scale".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// The ends, if both are whole.
    fn whole(&self) -> Option<(i64, i64)> {
        Some((self.from.as_integer()?, self.to.as_integer()?))
    }

    fn draw(&self, draws: Draws) -> toml::Value {
        // `check` has been passed.
        let [from, to] = [&self.from, &self.to].map(|end| number(end).unwrap_or_default());
        let log = |to: f64| libm::exp(libm::log(from) + draws.unit(0) * (libm::log(to) - libm::log(from)));
        match (self.whole(), self.scale) {
            (Some((from, to)), Scale::Linear) => {
                let step = self.step.unwrap_or(1).cast_unsigned();
                let count = from.abs_diff(to) / step + 1;
                toml::Value::Integer(from.wrapping_add_unsigned(at(draws, count) * step))
            }
            (Some((from, until)), Scale::Log) => {
                // A whole number stands for all from it to the next.
                toml::Value::Integer((log(to + 1.0) as i64).clamp(from, until))
            }
            (None, Scale::Linear) => toml::Value::Float(from + draws.unit(0) * (to - from)),
            (None, Scale::Log) => toml::Value::Float(log(to)),
        }
    }
}

/// One of so many, equally likely.
fn at(draws: Draws, count: u64) -> u64 {
    ((u128::from(draws.bits(0)) * u128::from(count)) >> 64) as u64
}

fn number(value: &toml::Value) -> Result<f64, String> {
    let number = value.as_float().or(value.as_integer().map(|whole| whole as f64));
    number.filter(|number| number.is_finite()).ok_or_else(|| format!("{value} is no number"))
}

/// What tells the draws of one field from those of another.
fn salt(name: &str) -> u64 {
    let hash = Sha256::digest(name);
    hash.iter().take(8).fold(0, |salt, byte| salt << 8 | u64::from(*byte))
}

fn one() -> u64 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn design(fields: &str) -> Result<Design, String> {
        let text =
            format!("scenario = \"s.toml\"\n[random]\npoints = 2000\nseed = 5\n[random.fields]\n{fields}");
        let design: Design = toml::from_str(&text).map_err(|error| error.to_string())?;
        design.check().map(|()| design)
    }

    /// All values of the first field.
    fn drawn(design: &Design) -> Vec<toml::Value> {
        (0..design.points()).map(|point| design.point(point).0.remove(0).value).collect()
    }

    #[test]
    fn a_point_follows_from_the_seed_the_field_and_its_number_alone() {
        let alone = drawn(&design("clients = { from = 10, to = 1000 }").unwrap());
        let beside = design("clients = { from = 10, to = 1000 }\npause = { from = 0.5, to = 1.0 }").unwrap();
        assert_eq!(alone, drawn(&beside));
        let mut fewer = beside.clone();
        fewer.random.points = 7;
        assert_eq!(alone[..7], drawn(&fewer));
        let mut other = beside.clone();
        other.random.seed = 6;
        assert_ne!(alone, drawn(&other));
        let both = beside.point(3).0;
        let same = design("a = { from = 0.0, to = 1.0 }\nb = { from = 0.0, to = 1.0 }").unwrap().point(3).0;
        assert_eq!((both[0].field.as_str(), both[1].field.as_str()), ("clients", "pause"));
        assert_ne!(same[0].value, same[1].value);
    }

    #[test]
    fn what_is_drawn_lies_where_it_should_and_reaches_both_ends() {
        let whole = |fields: &str| -> Vec<i64> {
            drawn(&design(fields).unwrap()).iter().map(|value| value.as_integer().unwrap()).collect()
        };
        let ends = |values: &[i64]| (*values.iter().min().unwrap(), *values.iter().max().unwrap());
        assert_eq!(ends(&whole("n = { from = -3, to = 9 }")), (-3, 9));
        let even = whole("n = { from = 10, to = 21, step = 4 }");
        assert_eq!(ends(&even), (10, 18));
        assert!(even.iter().all(|value| (value - 10) % 4 == 0));
        let log = whole("n = { from = 1, to = 1000, scale = \"log\" }");
        assert!(ends(&log).0 == 1 && (990..=1000).contains(&ends(&log).1));
        assert_eq!(ends(&whole("n = { from = 3, to = 12, scale = \"log\" }")), (3, 12));
        // One of three decades each.
        let small = log.iter().filter(|value| **value < 10).count();
        assert!((590..740).contains(&small), "{small}");
        for value in drawn(&design("x = { from = 1e6, to = 1e9, scale = \"log\" }").unwrap()) {
            assert!((1e6..=1e9).contains(&value.as_float().unwrap()));
        }
        let normal = drawn(&design("x = { median = 2.0, sigma = 0.5 }").unwrap());
        let below = normal.iter().filter(|value| value.as_float().unwrap() < 2.0).count();
        assert!((900..1100).contains(&below), "{below}");
        let texts = drawn(&design("x = [\"a\", \"b\"]").unwrap());
        assert!(texts.contains(&"a".into()) && texts.contains(&"b".into()));
    }

    #[test]
    fn what_cannot_be_drawn_is_named() {
        for (fields, said) in [
            ("x = { from = 3, to = 2 }", "from = 3 is above to = 2"),
            ("x = { from = 0, to = 2, scale = \"log\" }", "needs a number above 0"),
            ("x = { from = 0.5, to = 2, step = 1 }", "step is for whole numbers"),
            ("x = { from = 1, to = 2, step = 0 }", "step = 0"),
            ("x = { from = \"a\", to = 2 }", "is no number"),
            ("x = []", "the list is empty"),
            ("x = { form = 1, to = 2 }", "give a list of values, { from, to, step, scale }"),
        ] {
            let error = design(fields).unwrap_err();
            assert!(error.contains(said), "{fields}: {error}");
        }
        let both = "scenario = \"s\"\n[grid]\nx = [1]\n[random]\npoints = 2\nfields = { x = [1] }";
        assert!(toml::from_str::<Design>(both).unwrap().check().unwrap_err().contains("in the grid"));
        let none = "scenario = \"s\"\n[grid]\nx = []";
        assert!(toml::from_str::<Design>(none).unwrap().check().unwrap_err().contains("no points"));
        let many = format!("scenario = \"s\"\nseeds = {}\n[grid]\nx = [1, 2, 3]", i64::MAX);
        assert!(toml::from_str::<Design>(&many).unwrap().check().unwrap_err().contains("more than 10000000"));
    }
}
