//! Sweeps: one scenario at many points of a design, in parts that any engine can run.

mod design;

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use self::design::{Chosen, Design};
use crate::broken::Found;
use crate::results::{Table, Values, read_parquet, sessions, write_parquet};
use crate::scenario::{Availability, Scenario, ScenarioError, malformed};
use crate::{Calibration, Mode, Progress, RunError, Simulation};

/// A run of a sweep.
#[derive(Debug)]
pub struct Point {
    /// Which it is, with the values that the design gives it.
    pub place: String,
    /// What is run.
    pub scenario: Scenario,
    values: Vec<Chosen>,
}

/// A sweep that is ready to run.
pub struct Sweep {
    design: Design,
    folder: PathBuf,
    base: toml::Table,
    calibration: Calibration,
    /// The hash of all that the parts follow from, but for a trace.
    digest: String,
}

impl Sweep {
    /// Reads a design and its scenario, to be charged by a calibration. Its points are read when they are run, or by
    /// [`Sweep::scenarios`].
    ///
    /// # Errors
    /// A file cannot be read or is not in its form.
    pub fn read(path: &Path, calibration: Calibration) -> Result<Self, String> {
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let text = read(path)?;
        let malformed =
            |text: &str, path: &Path, error| malformed(text, &path.display().to_string(), &error).to_string();
        let design: Design = toml::from_str(&text).map_err(|error| malformed(&text, path, error))?;
        design.check().map_err(|error| format!("{}: {error}", path.display()))?;
        let scenario = path.parent().unwrap_or(Path::new("")).join(&design.scenario);
        let base = read(&scenario)?;
        // Every profile has a form in TOML, so this does not fail.
        let costs = toml::to_string(&calibration).unwrap_or_default();
        let version = env!("CARGO_PKG_VERSION");
        let digest = hex::encode(Sha256::digest(format!("{version}\0{costs}\0{text}\0{base}")));
        let base = toml::from_str(&base).map_err(|error| malformed(&base, &scenario, error))?;
        let folder = scenario.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self { design, folder, base, calibration, digest })
    }

    /// What operations cost.
    pub fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// What is run of these parts of `of`: nothing of those that are in the folder already.
    ///
    /// # Errors
    /// The first point that cannot be run in this mode, and why.
    pub fn scenarios(&self, parts: &[u64], of: u64, mode: Mode, folder: &Path) -> Result<Vec<Point>, String> {
        let missing = parts.iter().filter(|index| !Self::part(folder, **index, of).is_file());
        let points: Vec<u64> = missing.flat_map(|index| self.points_of((*index, of))).collect();
        // Noise takes long to design.
        let points = points.into_par_iter().map(|point| {
            let point = self.point(point)?;
            let simulation = Simulation::new(point.scenario.clone(), &self.calibration, mode);
            simulation.map_err(|error| format!("{}: {error}", point.place))?;
            Ok(point)
        });
        let points: Vec<Result<Point, String>> = points.collect();
        points.into_iter().collect()
    }

    /// The number of runs.
    pub fn points(&self) -> u64 {
        self.design.points()
    }

    /// The points of part `index` of `of`.
    fn points_of(&self, (index, of): (u64, u64)) -> impl Iterator<Item = u64> + use<> {
        (index..self.points()).step_by(usize::try_from(of).unwrap_or(usize::MAX))
    }

    /// Where a part is kept.
    pub fn part(folder: &Path, index: u64, of: u64) -> PathBuf {
        folder.join(format!("part-{index:06}-of-{of:06}.parquet"))
    }

    /// Runs the points `index`, `index + of`, … and writes them as one file; nothing if the file is there. False if
    /// `observe` ended it: then there is no file.
    ///
    /// # Errors
    /// A point failed, the file cannot be written, or the one that is there belongs to another design.
    pub fn run(
        &self,
        (index, of): (u64, u64),
        mode: Mode,
        folder: &Path,
        observe: &(dyn Fn(Progress) -> bool + Sync),
    ) -> Result<bool, String> {
        let path = Self::part(folder, index, of);
        let note = format!("{} {}", self.digest, mode.name());
        if path.is_file() {
            let (_, found) = read_part(&path)?;
            return if found == note {
                Ok(true)
            } else {
                Err(format!(
                    "{}: it belongs to another design, scenario, mode, calibration or version; give an empty folder",
                    path.display()
                ))
            };
        }
        let mut table = Table::default();
        for point in self.points_of((index, of)) {
            let Point { place, scenario, values } = self.point(point)?;
            let place = |error: &dyn std::fmt::Display| format!("{place}: {error}");
            let simulation = Simulation::new(scenario.clone(), &self.calibration, mode);
            let report = simulation.map_err(|error| place(&error))?.run(observe);
            let report = report.map_err(|error| match error {
                RunError::Scenario(error) => place(&error),
                RunError::Broken(error) => {
                    let (scenario, beside) = (&scenario, self.folder.as_path());
                    let found = Found { scenario, beside, calibration: &self.calibration, mode };
                    let kept = found.keep(&folder.join(format!("secagg-broken-{point}")), observe);
                    place(&format!("{error}; {kept}"))
                }
            })?;
            if !report.complete {
                return Ok(false);
            }
            table.append(self.label(point, &values, sessions(&report)))?;
        }
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        write_parquet(&table, &note, &path).map_err(|error| error.to_string())?;
        Ok(true)
    }

    /// The rows with the point and its values before them; a value's column is named after its field.
    fn label(&self, point: u64, values: &[Chosen], rows: Table) -> Table {
        let count = rows.rows();
        let mut table = Table::default().counts("point", std::iter::repeat_n(point, count));
        for Chosen { field, value, numeric } in values {
            let name = format!("set.{field}");
            let number = value.as_float().or(value.as_integer().map(|whole| whole as f64));
            table = match number.filter(|_| *numeric) {
                Some(number) => table.numbers(&name, std::iter::repeat_n(number, count)),
                None => table.texts(&name, std::iter::repeat_n(value.to_string(), count)),
            };
        }
        table.columns.extend(rows.columns);
        table
    }

    /// What is run at a point.
    fn point(&self, point: u64) -> Result<Point, String> {
        let (values, seed) = self.design.point(point);
        let mut value = toml::Value::Table(self.base.clone());
        for Chosen { field, value: choice, .. } in &values {
            set(&mut value, field, choice)?;
        }
        let chosen: Vec<String> =
            values.iter().map(|Chosen { field, value, .. }| format!("{field} = {value}")).collect();
        let name = if chosen.is_empty() {
            format!("point {point}")
        } else {
            format!("point {point} ({})", chosen.join(", "))
        };
        let place = |error: &dyn std::fmt::Display| format!("{name}: {error}");
        let text = toml::to_string(&value).map_err(|error| place(&error))?;
        let mut scenario = Scenario::parse(&text, "").map_err(|error| match error {
            // Where it is in a text that nobody has written does not help.
            ScenarioError::Malformed { message, .. } => place(&message),
            error => place(&error),
        })?;
        scenario.seed += seed;
        if let Availability::Trace(trace) = &mut scenario.availability {
            trace.read(Some(&self.folder)).map_err(|error| place(&error))?;
        }
        Ok(Point { place: name, scenario, values })
    }
}

/// Reads all parts in a folder and puts their rows in the order of the points, however many parts there are.
///
/// # Errors
/// A part is missing or unreadable, or parts of several sweeps are there.
pub fn merge(folder: &Path) -> Result<(Table, String), String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
    let of = |name: String| {
        name.strip_prefix("part-")?.strip_suffix(".parquet")?.split_once("-of-")?.1.parse().ok()
    };
    let mut counts: Vec<u64> = names.filter_map(of).collect();
    counts.sort_unstable();
    counts.dedup();
    let [of] = counts[..] else {
        let counts: Vec<String> = counts.iter().map(u64::to_string).collect();
        return Err(match counts.is_empty() {
            true => format!(
                "{}: no parts in it; `secagg-simulator sweep DESIGN --out {0}` writes them",
                folder.display()
            ),
            false => format!(
                "{}: parts of several sweeps, of {} parts each; keep those of one",
                folder.display(),
                counts.join(" and of ")
            ),
        });
    };
    let missing: Vec<u64> = (0..of).filter(|index| !Sweep::part(folder, *index, of).is_file()).collect();
    if let Some(first) = missing.first() {
        return Err(format!(
            "{} of {of} parts are missing, the first is --index {first}; `secagg-simulator sweep DESIGN --of {of} --out \
             {}` makes those that are",
            missing.len(),
            folder.display()
        ));
    }
    let (mut table, mut note) = (Table::default(), None);
    for index in 0..of {
        let path = Sweep::part(folder, index, of);
        let (part, own) = read_part(&path)?;
        if *note.get_or_insert_with(|| own.clone()) != own {
            return Err(format!(
                "{}: it belongs to another design, scenario, mode, calibration or version",
                path.display()
            ));
        }
        if let Some(point) = points(&part).iter().find(|point| *point % of != index) {
            return Err(format!("{}: it is another part, which has point {point}", path.display()));
        }
        if part.rows() > 0 {
            table.append(part).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    let mut order: Vec<usize> = (0..table.rows()).collect();
    if let points @ [_, ..] = points(&table) {
        order.sort_by_key(|row| points[*row]);
    }
    Ok((table.pick(&order), note.unwrap_or_default()))
}

/// The point of each row.
fn points(table: &Table) -> &[u64] {
    match table.column("point") {
        Some(Values::Counts(points)) => points,
        _ => &[],
    }
}

/// A part's rows and note.
fn read_part(path: &Path) -> Result<(Table, String), String> {
    read_parquet(path)
        .map_err(|error| format!("{error}; remove the file and run the sweep again to have it made anew"))
}

/// Sets a field that a dotted path names; a number picks an entry of a list.
fn set(value: &mut toml::Value, path: &str, choice: &toml::Value) -> Result<(), String> {
    let mut place = value;
    for part in path.split('.') {
        place = match place {
            toml::Value::Table(table) => match table.get(part) {
                None if part.parse::<usize>().is_ok() => {
                    return Err(format!(
                        "field {path:?}: the scenario has no list there; give it one with entry {part}"
                    ));
                }
                _ => table.entry(part).or_insert_with(|| toml::Value::Table(toml::Table::new())),
            },
            toml::Value::Array(list) => {
                let entry = part.parse().ok().and_then(|at: usize| list.get_mut(at));
                entry.ok_or_else(|| format!("field {path:?}: the scenario's list has no entry {part}"))?
            }
            _ => return Err(format!("field {path:?}: {part:?} lies within a value")),
        };
    }
    *place = choice.clone();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a design beside a small scenario, when it is read or its points are.
    fn said(design: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let scenario = "clients = 10\nvectors = [{ name = \"v\", length = 3, bits = 8 }]\n";
        std::fs::write(at("scenario.toml"), scenario).unwrap();
        std::fs::write(at("design.toml"), format!("scenario = \"scenario.toml\"\n{design}")).unwrap();
        let read = Sweep::read(&at("design.toml"), Calibration::built_in());
        let points = read.and_then(|sweep| sweep.scenarios(&[0], 1, Mode::Model, folder.path()));
        points.unwrap_err().replace(folder.path().to_str().unwrap(), "")
    }

    #[test]
    fn a_design_that_cannot_be_run_is_said_by_its_place_or_its_values() {
        for (design, part) in [
            ("[random]\npoints = 3", "/design.toml:2:1: missing field `fields`"),
            (
                "seeds = -1",
                "/design.toml:2:9: invalid value: integer `-1`, expected a whole number from 0 up",
            ),
            ("[grid]\nclients = 5", "/design.toml:3:11: invalid type: integer `5`, expected a list"),
            (
                "[grid]\nclients = [5, -2]",
                "point 1 (clients = -2): invalid value: integer `-2`, expected a whole",
            ),
            ("[grid]\nclints = [5]", "point 0 (clints = 5): unknown field `clints`"),
            ("[grid]\nclients = [5, 1]", "point 1 (clients = 1): 1 clients"),
            ("[grid]\n\"compute.server\" = [\"abacus\"]", "point 0 (compute.server = \"abacus\"): "),
            ("[grid]\n\"faults.dropouts.0.probability\" = [0.1]", "the scenario has no list there"),
            ("[grid]\n\"vectors.3.length\" = [5]", "the scenario's list has no entry 3"),
            ("[grid]\n\"clients.x\" = [5]", "\"x\" lies within a value"),
        ] {
            let said = said(design);
            assert!(said.contains(part), "{design}: {said}");
        }
    }

    #[test]
    fn what_cannot_be_merged_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let said = || merge(folder.path()).map(drop).unwrap_err();
        assert!(said().contains("no parts in it; `secagg-simulator sweep DESIGN --out"), "{}", said());
        std::fs::write(Sweep::part(folder.path(), 1, 3), "torn").unwrap();
        assert!(said().contains("2 of 3 parts are missing, the first is --index 0; `secagg-simulator sweep"));
        std::fs::write(Sweep::part(folder.path(), 0, 2), "").unwrap();
        assert!(said().contains("parts of several sweeps, of 2 and of 3 parts each; keep those of one"));
        std::fs::remove_file(Sweep::part(folder.path(), 0, 2)).unwrap();
        for index in [0, 2] {
            std::fs::write(Sweep::part(folder.path(), index, 3), "torn").unwrap();
        }
        assert!(said().contains("remove the file and run the sweep again"), "{}", said());
    }
}
