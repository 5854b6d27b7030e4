//! What is simulated: a TOML file, read, checked and explained.

mod adversaries;
mod availability;
mod compute;
mod faults;
mod malformed;
mod network;
mod privacy;
mod protocol;
mod stages;

use std::path::{Path, PathBuf};

use secagg::Suite;
use serde::{Deserialize, Serialize};

use crate::exchange::rounds;
use crate::privacy::Design;

pub use adversaries::{Adversaries, Liars, Lie, ServerConduct};
pub use availability::{Availability, Trace};
pub use compute::{Compute, DeviceClass};
pub use faults::{Dropout, Faults, Moment, Outage, RoundName, Stragglers};
pub(crate) use malformed::malformed;
pub use network::Network;
pub use privacy::{Against, Mechanism, Privacy};
pub(crate) use protocol::authority;
pub use protocol::{GraphChoice, SuiteName, Vector};
pub use stages::{Stage, Stages};

/// One scenario: all that happens in a run follows from it and from the calibration.
///
/// `simulator/scenarios/README.md` lists the fields with their units and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// One line that says what the scenario is for.
    #[serde(default)]
    pub title: String,
    /// Where keys, inputs, rates and fates come from.
    #[serde(default = "one_u64")]
    pub seed: u64,
    /// Clients that a cohort asks for, 2 to 2^30.
    pub clients: u32,
    /// Devices from which cohorts are chosen, at least `clients` × `cohorts`; none for just these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub population: Option<u32>,
    /// Sessions of each cohort, one after the other, each with clients chosen anew.
    #[serde(default = "one")]
    pub sessions: u32,
    /// Seconds between the end of a session and the start of the next.
    #[serde(default)]
    pub pause: f64,
    /// Cohorts that run side by side, each with a server and a link of its own.
    #[serde(default = "one")]
    pub cohorts: u32,
    /// Sums that one aggregator of the tree above the cohorts adds up, 2 or more.
    #[serde(default = "eight")]
    pub fan_in: u32,
    /// The suite.
    #[serde(default)]
    pub suite: SuiteName,
    /// Share of the clients that may be corrupt, 0 to 1: what the active suite must withstand.
    #[serde(default)]
    pub corrupt: f64,
    /// Fewest inputs that a sum may be of, 1 to `clients`.
    #[serde(default = "one")]
    pub minimum_survivors: u32,
    /// Bytes that each client is given with its first request, such as a model; they are no bytes of messages in reports.
    #[serde(default)]
    pub task_bytes: u64,
    /// Who shares with whom.
    #[serde(default)]
    pub graph: GraphChoice,
    /// What is summed without noise.
    #[serde(default)]
    pub vectors: Vec<Vector>,
    /// What is summed with noise, after the other vectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
    /// Rates, delays, losses.
    #[serde(default)]
    pub network: Network,
    /// How fast the machines are.
    #[serde(default)]
    pub compute: Compute,
    /// How long the server waits.
    #[serde(default)]
    pub stages: Stages,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Faults,
    /// Who attacks; real mode only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adversaries: Option<Adversaries>,
    /// When devices are there.
    #[serde(default, deserialize_with = "availability::read")]
    pub availability: Availability,
}

/// Seconds of virtual time that a run may take by its deadlines and pauses: 126 years. Nanoseconds are counted in 64 bits,
/// and what the servers compute comes on top.
const LONGEST: f64 = 4e9;

/// Why a scenario cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A file is not in its form.
    #[error("{place}: {message}")]
    Malformed {
        /// The file, and the line and column where they are known.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// A number that cannot work.
    #[error("{0}")]
    Impossible(String),
}

/// 4 GiB: with whatever packets add, lengths on the wire stay below 2⁵⁶.
const MOST_TASK_BYTES: u64 = 1 << 32;

impl Scenario {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// The file cannot be read, has an unknown field, or a number that cannot work.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ScenarioError::Unreadable { path: path.to_owned(), error })?;
        let name = path.display().to_string();
        let mut scenario = Self::parse(&text, &name).map_err(|error| match error {
            ScenarioError::Impossible(why) => ScenarioError::Impossible(format!("{name}: {why}")),
            error => error,
        })?;
        if let Availability::Trace(trace) = &mut scenario.availability {
            trace.read(path.parent())?;
        }
        Ok(scenario)
    }

    /// Reads and checks a text; `name` is what errors call it. A trace is not read.
    ///
    /// # Errors
    /// As [`Scenario::read`].
    pub fn parse(text: &str, name: &str) -> Result<Self, ScenarioError> {
        let mut scenario: Self = toml::from_str(text).map_err(|error| malformed(text, name, &error))?;
        let design = scenario.designed()?;
        if let (Some(privacy), Some(design)) = (&mut scenario.privacy, design) {
            // Whoever reads the scenario next need not choose again.
            privacy.bits = Some(design.spec.bits);
        }
        Ok(scenario)
    }

    /// Checks every number.
    ///
    /// # Errors
    /// The first number that cannot work.
    pub fn check(&self) -> Result<(), ScenarioError> {
        self.designed().map(drop)
    }

    /// Checks every number; returns the design of the private vector, if there is one.
    pub(crate) fn designed(&self) -> Result<Option<Design>, ScenarioError> {
        self.check_numbers().map_err(ScenarioError::Impossible)?;
        let design = Design::of(self)?;
        self.config(self.clients, [0; 32], design.as_ref())?;
        Ok(design)
    }

    fn check_numbers(&self) -> Result<(), String> {
        if self.vectors.is_empty() && self.privacy.is_none() {
            return Err("there is nothing to sum: give vectors, such as [{ name = \"v\", length = 1000, bits = 16 }], or \
                        [privacy]"
                .to_owned());
        }
        let devices = u64::from(self.clients) * u64::from(self.cohorts);
        if let Some(population) = self.population
            && u64::from(population) < devices
        {
            return Err(format!("population = {population}: the cohorts alone have {devices} clients"));
        }
        if devices > u64::from(u32::MAX) {
            return Err(format!("{devices} clients in all cohorts: at most {} can be simulated", u32::MAX));
        }
        for (name, number) in [("sessions", self.sessions), ("cohorts", self.cohorts)] {
            if number == 0 {
                return Err(format!("{name} = 0: there must be at least 1"));
            }
        }
        if self.task_bytes > MOST_TASK_BYTES {
            return Err(format!("task_bytes = {}: at most {MOST_TASK_BYTES}", self.task_bytes));
        }
        if self.fan_in < 2 {
            return Err(format!("fan_in = {}: an aggregator adds at least 2 sums", self.fan_in));
        }
        not_negative("pause", self.pause)?;
        share("corrupt", self.corrupt)?;
        self.network.check()?;
        self.compute.check()?;
        self.stages.check(self.network.tick)?;
        let longest = (self.stages.longest() + self.pause) * f64::from(self.sessions);
        if longest > LONGEST {
            return Err(format!(
                "pause = {:?} and the stages' deadlines let {} sessions take {longest:.1e} s of virtual time: at most \
                 {LONGEST:.0e} can be simulated",
                self.pause, self.sessions
            ));
        }
        self.faults.check()?;
        self.privacy.as_ref().map_or(Ok(()), Privacy::check)?;
        let signed = self.suite == SuiteName::Active;
        let padded = self.lengths().last().is_some_and(|(length, bits)| length * bits % 8 != 0);
        let private = self.privacy.as_ref().map(|_| self.corrupt);
        self.adversaries.as_ref().map_or(Ok(()), |adversaries| adversaries.check(signed, padded, private))?;
        self.availability.check()
    }

    /// Clients that must be there for a session to begin.
    pub(crate) fn fewest_clients(&self) -> u32 {
        let threshold = match self.graph {
            GraphChoice::Complete { threshold } => threshold.unwrap_or(2),
            _ => 2,
        };
        threshold.max(self.minimum_survivors).max(2)
    }

    /// The probability that a client meets one of the dropout rules before the end of a session.
    pub fn dropout_probability(&self) -> f64 {
        // Who the corrupt clients are changes no round.
        let suite = self.suite_of(self.clients).unwrap_or(Suite::Curious);
        self.faults.dropout_probability(rounds(suite))
    }

    /// Coordinates of all vectors.
    pub fn coordinates(&self) -> u64 {
        self.lengths().map(|(length, _)| length).sum()
    }

    /// Bytes of one client's vectors if each coordinate has just its bits: the least that any protocol sends.
    pub fn packed_bytes(&self) -> u64 {
        self.lengths().map(|(length, bits)| (length * bits).div_ceil(8)).sum()
    }

    /// Coordinates and bits of each vector, the private one padded as it is sent.
    fn lengths(&self) -> impl Iterator<Item = (u64, u64)> {
        let plain = self.vectors.iter().map(|vector| (vector.length.into(), vector.bits.into()));
        let private = self.privacy.iter().map(|privacy| {
            (privacy.dimension.next_power_of_two().into(), privacy.bits.unwrap_or_default().into())
        });
        plain.chain(private)
    }

    /// The scenario as a file.
    pub fn to_toml(&self) -> String {
        // Every field has a form in TOML, so this does not fail.
        toml::to_string(self).unwrap_or_default()
    }
}

/// A number of seconds, or the like, that must be finite and not negative.
fn not_negative(field: &str, value: f64) -> Result<(), String> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(format!("{field} = {value}: it must be a number of at least 0"))
}

/// A share of something.
fn share(field: &str, value: f64) -> Result<(), String> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(format!("{field} = {value}: it must be 0 to 1"))
}

fn one() -> u32 {
    1
}

fn one_u64() -> u64 {
    1
}

fn eight() -> u32 {
    8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_scenario_is_said_in_its_own_words() {
        let vectors = "vectors = [{ name = \"v\", length = 3, bits = 8 }]\n";
        for (text, said) in [
            (
                "clients = -3",
                "s.toml:2:11: invalid value: integer `-3`, expected a whole number from 0 to 4294967295",
            ),
            ("clients = 2.5", "expected a whole number from 0 to"),
            ("clients = 9\ntitle = 5", "s.toml:3:9: invalid type: integer `5`, expected a text in quotes"),
            ("clients = 9\nfaults.dropouts = 5", "expected a list"),
            ("clients = 9\nclint = 5", "unknown field `clint`"),
            ("clients = 9\nnetwork = 5", "invalid type: integer `5`, expected a table"),
            (
                "clients = 9\navailability = { kind = \"always\", low = 0.5 }",
                "s.toml:3:16: unknown field `low`",
            ),
            (
                "clients = 9\npause = 1e10\nsessions = 2",
                "2 sessions take 2.0e10 s of virtual time: at most 4e9",
            ),
            (
                "clients = 9\nnetwork.tick = 60\nstages.all.deadline = 5e9",
                "1 sessions take 2.5e10 s of virtual time",
            ),
            (
                "clients = 9\nstages.all.deadline = 1e300",
                "stages, AdvertiseKeys: deadline = 1e300: with network.tick = 0.001 at most 1000000.0",
            ),
            (
                "clients = 9\nnetwork.latency = { values = [1, 2], weights = [1e308, 1e308] }",
                "network.latency.weights add up to more than there are numbers for",
            ),
            (
                "clients = 9\ncompute.classes = [{ name = \"a\", profile = \"phone\", weight = 1e308 }, \
                 { name = \"b\", profile = \"phone\", weight = 1e308 }]",
                "the weights of compute.classes add up to more",
            ),
            (
                "clients = 500\ngraph = { kind = \"planner\", corrupt = 0.6, dropout = 0.5 }",
                "graph: no degree is safe for 500 clients if 0.6 of them are corrupt and 0.5 drop out",
            ),
            ("clients = 9\ngraph = { kind = \"complete\", threshold = 10 }", "threshold 10: with this graph"),
            ("clients = 9\nminimum_survivors = 10", "minimum of survivors 10"),
            (
                "clients = 9\nadversaries.lies = [{ lie = \"bad-identity\", share = 0.1 }]",
                "adversaries.lies: \"bad-identity\" needs the suite \"active\"",
            ),
            ("clients = 9\nnetwork.up = -5", "network.up = -5: it must be a number of at least 1"),
            ("clients = 9\nnetwork.latency = { median = -1, sigma = 1 }", "network.latency = -1"),
        ] {
            let error = Scenario::parse(&format!("{vectors}{text}"), "s.toml").unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
        let error = Scenario::parse("clients = 9", "s.toml").unwrap_err().to_string();
        assert!(error.starts_with("there is nothing to sum: give vectors"), "{error}");
    }

    #[test]
    fn the_dropout_of_a_session_is_that_of_all_its_rounds() {
        let of = |text: &str| {
            let vectors = "clients = 50\nvectors = [{ name = \"v\", length = 3, bits = 8 }]\n";
            Scenario::parse(&format!("{vectors}{text}"), "s.toml").unwrap().dropout_probability()
        };
        assert_eq!(of(""), 0.0);
        // A tenth in each of four rounds.
        assert!((of("faults.dropouts = [{ probability = 0.4 }]") - (1.0 - 0.9f64.powi(4))).abs() < 1e-12);
        assert!(
            (of("suite = \"active\"\nfaults.dropouts = [{ probability = 1 }]") - (1.0 - 0.8f64.powi(5)))
                .abs()
                < 1e-12
        );
        let two = "faults.dropouts = [{ round = \"unmasking\", probability = 0.5 }, \
                   { round = \"consistency-check\", probability = 0.5 }]";
        assert_eq!(of(two), 0.5);
        assert_eq!(of(&format!("suite = \"active\"\n{two}")), 0.75);
    }

    #[test]
    fn a_number_that_cannot_work_is_said_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, "clients = 1\nvectors = [{ name = \"v\", length = 3, bits = 8 }]").unwrap();
        let error = Scenario::read(&path).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: ", path.display())), "{error}");
    }

    #[test]
    fn the_planner_takes_shares_as_numbers_and_as_texts() {
        let of = |corrupt: &str, dropout: &str| {
            let text = format!(
                "clients = 200\nvectors = [{{ name = \"v\", length = 3, bits = 8 }}]\n\
                 graph = {{ kind = \"planner\", corrupt = {corrupt}, dropout = {dropout} }}"
            );
            Scenario::parse(&text, "s.toml").map_err(|error| error.to_string())
        };
        assert_eq!(of("0.05", "0").unwrap(), of("\"0.05\"", "\"0\"").unwrap());
        assert!(of("true", "0.1").unwrap_err().contains("a share such as 0.05"));
    }
}
