//! Sweeps: one scenario at many points of a design, in parts that any engine can run.

mod design;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use self::design::{Chosen, Design};
use crate::broken::Found;
use crate::results::{Column, Table, Values, read_parquet, sessions, write_parquet};
use crate::scenario::{Availability, Scenario};
use crate::{Calibration, Mode, Progress, RunError, Simulation};

/// A sweep that is ready to run.
pub struct Sweep {
    design: Design,
    folder: PathBuf,
    base: toml::Table,
    /// The hash of all that the parts follow from, but for a trace.
    digest: String,
}

impl Sweep {
    /// Reads a design and its scenario. Its points are read when they are run, or by [`Sweep::scenarios`].
    ///
    /// # Errors
    /// A file cannot be read or is not in its form.
    pub fn read(path: &Path) -> Result<Self, String> {
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let text = read(path)?;
        let design: Design = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        design.check().map_err(|error| format!("{}: {error}", path.display()))?;
        let scenario = path.parent().unwrap_or(Path::new("")).join(&design.scenario);
        let base = read(&scenario)?;
        // Every profile has a form in TOML, so this does not fail.
        let costs = toml::to_string(&Calibration::built_in()).unwrap_or_default();
        let version = env!("CARGO_PKG_VERSION");
        let digest = hex::encode(Sha256::digest(format!("{version}\0{costs}\0{text}\0{base}")));
        let base = toml::from_str(&base).map_err(|error| format!("{}: {error}", scenario.display()))?;
        let folder = scenario.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self { design, folder, base, digest })
    }

    /// The scenarios of a part; none if it is in the folder already. Each can fail: which point cannot be run in this
    /// mode and why.
    pub fn scenarios(
        &self,
        (index, of): (u64, u64),
        mode: Mode,
        folder: &Path,
    ) -> impl Iterator<Item = Result<Scenario, String>> {
        let there = Self::part(folder, index, of).is_file();
        let points = self.points_of((index, of)).filter(move |_| !there);
        let calibration = Calibration::built_in();
        points.map(move |point| {
            let (scenario, _) = self.scenario(point)?;
            let simulation = Simulation::new(scenario.clone(), &calibration, mode);
            simulation.map(|_| scenario).map_err(|error| format!("point {point}: {error}"))
        })
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
            let (_, found) = read_parquet(&path).map_err(|error| error.to_string())?;
            return if found == note {
                Ok(true)
            } else {
                Err(format!(
                    "{}: it belongs to another design, scenario, mode or version; give an empty folder",
                    path.display()
                ))
            };
        }
        let mut table = Table::default();
        for point in self.points_of((index, of)) {
            let (scenario, values) = self.scenario(point)?;
            let calibration = Calibration::built_in();
            let place = |error: &dyn std::fmt::Display| format!("point {point}: {error}");
            let simulation = Simulation::new(scenario.clone(), &calibration, mode);
            let report = simulation.map_err(|error| place(&error))?.run(observe);
            let report = report.map_err(|error| match error {
                RunError::Scenario(error) => place(&error),
                RunError::Broken(error) => {
                    let (scenario, beside) = (&scenario, self.folder.as_path());
                    let found = Found { scenario, beside, calibration: &calibration, mode };
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

    /// The scenario of a point, and the values that make it so.
    fn scenario(&self, point: u64) -> Result<(Scenario, Vec<Chosen>), String> {
        let (values, seed) = self.design.point(point);
        let mut value = toml::Value::Table(self.base.clone());
        for Chosen { field, value: choice, .. } in &values {
            set(&mut value, field, choice)?;
        }
        let place = |error: &dyn std::fmt::Display| format!("point {point}: {error}");
        let text = toml::to_string(&value).map_err(|error| place(&error))?;
        let mut scenario = Scenario::parse(&text, "scenario").map_err(|error| place(&error))?;
        scenario.seed += seed;
        if let Availability::Trace(trace) = &mut scenario.availability {
            trace.read(Some(&self.folder)).map_err(|error| place(&error))?;
        }
        Ok((scenario, values))
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
        return Err(format!("{}: parts of {} sweeps, not of one", folder.display(), counts.len()));
    };
    let missing: Vec<u64> = (0..of).filter(|index| !Sweep::part(folder, *index, of).is_file()).collect();
    if let Some(first) = missing.first() {
        return Err(format!("{} of {of} parts are missing, the first is --index {first}", missing.len()));
    }
    let (mut table, mut note) = (Table::default(), None);
    for index in 0..of {
        let path = Sweep::part(folder, index, of);
        let (part, own) = read_parquet(&path).map_err(|error| error.to_string())?;
        if *note.get_or_insert_with(|| own.clone()) != own {
            return Err(format!(
                "{}: it belongs to another design, scenario, mode or version",
                path.display()
            ));
        }
        if part.rows() > 0 {
            table.append(part).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    let mut order: Vec<usize> = (0..table.rows()).collect();
    if let Some(Column { values: Values::Counts(points), .. }) = table.columns.first() {
        order.sort_by_key(|row| points[*row]);
    }
    Ok((table.pick(&order), note.unwrap_or_default()))
}

/// Sets a field that a dotted path names; a number picks an entry of a list.
fn set(value: &mut toml::Value, path: &str, choice: &toml::Value) -> Result<(), String> {
    let mut place = value;
    for part in path.split('.') {
        place = match place {
            toml::Value::Table(table) => {
                table.entry(part).or_insert_with(|| toml::Value::Table(toml::Table::new()))
            }
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
