//! When devices are there.

use std::path::{Path, PathBuf};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::{ScenarioError, share};

/// When devices are there: only those that are can be chosen, and one that goes is lost to its session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Availability {
    /// All, always.
    #[default]
    Always,
    /// More at night than by day. Each device is there or not for `stay` seconds at a time, by lot.
    Diurnal {
        /// Share of the devices that are there at the worst hour.
        low: f64,
        /// Share at the best hour, twelve hours later; in between it changes evenly.
        high: f64,
        /// Hour of the run, 0 to 24, at which most of the first time zone's devices are there.
        #[serde(default)]
        peak: f64,
        /// Time zones, evenly around the globe, over which the devices are spread.
        #[serde(default = "one")]
        zones: u32,
        /// Seconds for which a device's lot holds.
        #[serde(default = "quarter")]
        stay: f64,
    },
    /// As a trace has it.
    Trace(Trace),
}

/// Intervals in which devices were there.
///
/// The file has the header `device,from,to` and a row for each interval: a device's number, and seconds from the
/// start of the run. Device number p of the population follows the trace's device p modulo their number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The CSV file, relative to the scenario's folder.
    pub file: PathBuf,
    /// By device, ascending: from and to, in seconds.
    #[serde(skip)]
    pub(crate) intervals: Vec<Vec<(f64, f64)>>,
}

/// Reads when devices are there. A derived reader would pass over whatever stands beside `kind = "always"`.
pub(super) fn read<'de, D: Deserializer<'de>>(source: D) -> Result<Availability, D::Error> {
    let table = toml::Table::deserialize(source)?;
    let always = table.get("kind").and_then(toml::Value::as_str) == Some("always");
    if let Some(field) = table.keys().find(|field| always && *field != "kind") {
        return Err(D::Error::custom(format!(
            "unknown field `{field}`, with kind = \"always\" there are no others"
        )));
    }
    table.try_into().map_err(|error: toml::de::Error| D::Error::custom(error.message()))
}

impl Availability {
    pub(super) fn check(&self) -> Result<(), String> {
        let Self::Diurnal { low, high, peak, zones, stay } = self else { return Ok(()) };
        share("availability.low", *low)?;
        share("availability.high", *high)?;
        if low > high {
            return Err(format!("availability.low = {low} is above availability.high = {high}"));
        }
        if *high == 0.0 {
            return Err("availability.high = 0: no device is ever there".to_owned());
        }
        if !(0.0..=24.0).contains(peak) {
            return Err(format!("availability.peak = {peak}: it must be 0 to 24 hours"));
        }
        if !(1..=24).contains(zones) {
            return Err(format!("availability.zones = {zones}: it must be 1 to 24"));
        }
        if !(stay.is_finite() && *stay >= 1.0) {
            return Err(format!("availability.stay = {stay}: it must be at least 1 second"));
        }
        Ok(())
    }
}

impl Trace {
    /// Reads the intervals.
    ///
    /// # Errors
    /// The file cannot be read, or a row is bad: file, line and column.
    pub(crate) fn read(&mut self, folder: Option<&Path>) -> Result<(), ScenarioError> {
        let path = folder.unwrap_or(Path::new("")).join(&self.file);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| ScenarioError::Unreadable { path: path.clone(), error })?;
        self.intervals = parse(&text).map_err(|(line, column, message)| ScenarioError::Malformed {
            place: format!("{}:{line}:{column}", path.display()),
            message,
        })?;
        Ok(())
    }
}

type BadRow = (usize, usize, String);

fn parse(text: &str) -> Result<Vec<Vec<(f64, f64)>>, BadRow> {
    let mut devices = std::collections::BTreeMap::<u64, Vec<(f64, f64)>>::new();
    let mut rows = (1..).zip(text.lines());
    match rows.next() {
        Some((_, header)) if header.trim_end() == "device,from,to" => {}
        found => {
            let found = found.map_or("", |(_, header)| header);
            return Err((1, 1, format!("the first line is {found:?}, but must be device,from,to")));
        }
    }
    for (line, row) in rows.filter(|(_, row)| !row.trim().is_empty()) {
        let mut column = 1;
        let mut fields = Vec::with_capacity(3);
        for field in row.split(',') {
            fields.push((column, field.trim()));
            column += field.chars().count() + 1;
        }
        let [device, from, to] = fields[..] else {
            return Err((line, 1, format!("{} fields, but a row has 3: device,from,to", fields.len())));
        };
        let number = device.1.parse::<u64>();
        let number = number.map_err(|_| (line, device.0, format!("{:?} is no device number", device.1)))?;
        let seconds = |(column, text): (usize, &str)| match text.parse::<f64>() {
            Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
            _ => Err((line, column, format!("{text:?} is no number of seconds from 0 up"))),
        };
        let interval = (seconds(from)?, seconds(to)?);
        if interval.1 <= interval.0 {
            return Err((line, to.0, format!("the interval ends at {} and begins at {}", to.1, from.1)));
        }
        devices.entry(number).or_default().push(interval);
    }
    if devices.is_empty() {
        return Err((2, 1, "there are no intervals".to_owned()));
    }
    let mut intervals: Vec<Vec<(f64, f64)>> = devices.into_values().collect();
    intervals.iter_mut().for_each(|list| list.sort_by(|one, other| one.0.total_cmp(&other.0)));
    Ok(intervals)
}

fn one() -> u32 {
    1
}

fn quarter() -> f64 {
    900.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_row_is_named_by_line_and_column() {
        let place = |rows: &str| {
            let (line, column, message) = parse(&format!("device,from,to\n{rows}")).unwrap_err();
            (line, column, message)
        };
        assert_eq!(place("1,0,5\n2,x,7").0, 3);
        assert_eq!(place("1,0,5\n2,x,7").1, 3);
        assert!(place("1,0,5\n12,4,x").2.contains("\"x\" is no number"));
        assert_eq!(place("1,0,5\n12,4,x").1, 6);
        assert!(place("1,9,5").2.contains("ends at 5 and begins at 9"));
        assert!(place("1,9").2.contains("2 fields"));
        let header = (1, 1, "the first line is \"device,from,until\", but must be device,from,to".to_owned());
        assert_eq!(parse("device,from,until\n1,0,5\n"), Err(header));
        assert_eq!(
            parse("device,from,to\n7,10,20\n3,1,2\n7,1,2\n").unwrap(),
            [vec![(1.0, 2.0)], vec![(1.0, 2.0), (10.0, 20.0)]]
        );
    }
}
