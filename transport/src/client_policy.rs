//! A client's policy as a file.
//!
//! TOML; every field may be left out, and none that is not in this list is accepted:
//!
//! | field | refuses a session | default |
//! | --- | --- | --- |
//! | `version` | version of this form: 1 | required |
//! | `minimum_clients`, `maximum_clients` | of fewer or more clients | 2, 1048576 |
//! | `maximum_neighbours` | with more neighbours to share with: n − 1 on the complete graph | 16384 |
//! | `minimum_threshold`, `maximum_threshold` | of a lower or higher threshold | 2, 16384 |
//! | `maximum_coordinates` | with more coordinates in all its vectors together | 134217728 |
//! | `minimum_survivors` | that would give a sum of fewer inputs | 1 |
//! | `minimum_corrupt` | in a signed suite that withstands fewer corrupt clients | 0 |
//! | `task` | of another task than the one with this SHA-256, 64 hexadecimal digits | any |
//! | `experimental_noise` | with noise of an experimental law, if false; `laws` of `[privacy]` go before it | false |
//! | `[safety]` | that the planner does not accept under these assumptions | not asked |
//! | `corrupt`, `dropout` | fractions of the clients: numbers such as 0.05, or "0.05" | required |
//! | `security_bits`, `correctness_bits` | not secure or correct except with probability 2^-bits | 40, 20 |
//! | `minimum_honest` | that would give a sum of fewer honest inputs | 0 |
//! | `roots` | in suite pinned, which is experimental, if it is not safe under so many session ids; without it, any | none |
//! | `[[vector]]` | with any vector that no such entry names | all allowed |
//! | `name` | | required |
//! | `maximum_length`, `maximum_bits` | in which it has more coordinates, or more bits in each | any within `maximum_coordinates`, 62 |
//! | `maximum_bound` | in which no bound is declared, or a greater one | not asked |
//! | `[privacy]` | in which a vector has too little noise | not asked |
//! | `epsilon`, `delta` | that gives away more than ε at δ, by this client's own account | required |
//! | `corrupt` | survivors whose noise does not count | required |
//! | `laws` | with noise of another law: "discrete-gaussian", "skellam", "centred-discrete-gaussian", which is experimental | the first two |
//! | `plain` | with other vectors than these that have no noise | none |
//! | `[cohorts]` | in suite curious, or of too low a threshold for it; and signs no survivor set too near an earlier one | not asked |
//! | `minimum_difference` | clients in one and not in the other, unless there is none | required |
//! | `[budget]` | after too many sessions, however they ended | not asked |
//! | `per_task`, `in_all` | sessions of one task, and of all | any, any |
//! | `window_seconds` | how long a session counts | 86400 |
//!
//! `[cohorts]` and `[budget]` need a [`crate::ClientRecord`].

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secagg::parameters::Fraction;
use secagg::privacy::NoiseLaw;
use secagg::{AllowedVector, CohortPolicy, Policy, PrivacyPolicy, SafetyPolicy, SessionBudget};
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// What a file says that a client insists on.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientPolicy {
    /// The policy, without what the client remembers.
    pub policy: Policy,
    /// How long a session counts against the budget.
    pub window: Duration,
}

impl ClientPolicy {
    /// Reads a file of the form above.
    ///
    /// # Errors
    /// A file that cannot be read; what is wrong in it, with the line.
    pub fn read(path: &Path) -> Result<Self, PolicyFileError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| PolicyFileError::Read { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|what| PolicyFileError::Form { path: path.to_owned(), what })
    }

    /// Whether what the client has done before matters, so that there must be a record of it.
    pub fn needs_record(&self) -> bool {
        self.policy.budget.is_some() || self.policy.cohorts.is_some()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let form: Form = toml::from_str(text).map_err(|error| {
            let line =
                error.span().map(|span| text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1);
            let message = error.message().trim().replace('\n', " ");
            line.map_or(message.clone(), |line| format!("line {line}: {message}"))
        })?;
        form.check()?;
        Ok(form.policy())
    }
}

/// Why a policy file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFileError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}; check --policy", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is not of the form.
    #[error("{}: {what}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line if it is one's fault.
        what: String,
    },
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    version: u32,
    minimum_clients: Option<u32>,
    maximum_clients: Option<u32>,
    maximum_neighbours: Option<u32>,
    minimum_threshold: Option<u32>,
    maximum_threshold: Option<u32>,
    maximum_coordinates: Option<u64>,
    minimum_survivors: Option<u32>,
    minimum_corrupt: Option<u32>,
    task: Option<Digest>,
    experimental_noise: Option<bool>,
    safety: Option<Safety>,
    vector: Option<Vec<Vector>>,
    privacy: Option<Privacy>,
    cohorts: Option<Cohorts>,
    budget: Option<Budget>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Safety {
    corrupt: Share,
    dropout: Share,
    security_bits: Option<u32>,
    correctness_bits: Option<u32>,
    minimum_honest: Option<u32>,
    roots: Option<u64>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    maximum_length: Option<u32>,
    maximum_bits: Option<u8>,
    maximum_bound: Option<u64>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Privacy {
    epsilon: f64,
    delta: f64,
    corrupt: u32,
    laws: Option<Vec<Law>>,
    plain: Option<Vec<String>>,
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Law {
    DiscreteGaussian,
    Skellam,
    CentredDiscreteGaussian,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Cohorts {
    minimum_difference: u32,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    per_task: Option<u32>,
    in_all: Option<u32>,
    window_seconds: Option<u64>,
}

/// How long a session counts if the file does not say it.
const DAY: u64 = 24 * 3600;

/// The most bits that the planner can be asked for.
const MAX_BITS: u32 = 4096;

impl Form {
    /// What the types leave open.
    fn check(&self) -> Result<(), String> {
        let not = |wrong: bool, what: &str| if wrong { Err(what.to_owned()) } else { Ok(()) };
        not(self.version != 1, "version: this program knows version 1")?;
        let crossed =
            |least: Option<u32>, greatest: Option<u32>| least.zip(greatest).is_some_and(|(a, b)| a > b);
        not(crossed(self.minimum_clients, self.maximum_clients), "minimum_clients is above maximum_clients")?;
        let thresholds = crossed(self.minimum_threshold, self.maximum_threshold);
        not(thresholds, "minimum_threshold is above maximum_threshold")?;
        if let Some(safety) = &self.safety {
            let bits = safety.security_bits.max(safety.correctness_bits);
            not(bits.is_some_and(|bits| bits > MAX_BITS), "[safety]: give at most 4096 bits")?;
        }
        let mut names = BTreeSet::new();
        for vector in self.vector.iter().flatten() {
            not(!names.insert(&vector.name), &format!("[[vector]]: {:?} is there twice", vector.name))?;
        }
        if let Some(privacy) = &self.privacy {
            not(
                !privacy.epsilon.is_finite() || privacy.epsilon <= 0.0,
                "[privacy]: epsilon has to be above 0",
            )?;
            let within = (f64::MIN_POSITIVE..1.0).contains(&privacy.delta);
            not(!within, "[privacy]: delta has to be between 0 and 1")?;
        }
        let idle = self.cohorts.as_ref().is_some_and(|cohorts| cohorts.minimum_difference < 2);
        not(idle, "[cohorts]: minimum_difference has to be at least 2, or nothing is refused")?;
        let budget = self.budget.as_ref();
        let idle = budget.is_some_and(|budget| budget.per_task.is_none() && budget.in_all.is_none());
        not(idle, "[budget]: give per_task, in_all or both")
    }

    fn policy(self) -> ClientPolicy {
        let default = Policy::default();
        let window = self.budget.as_ref().and_then(|budget| budget.window_seconds).unwrap_or(DAY);
        let policy = Policy {
            minimum_clients: self.minimum_clients.unwrap_or(default.minimum_clients),
            maximum_clients: self.maximum_clients.unwrap_or(default.maximum_clients),
            maximum_neighbours: self.maximum_neighbours.unwrap_or(default.maximum_neighbours),
            minimum_threshold: self.minimum_threshold.unwrap_or(default.minimum_threshold),
            maximum_threshold: self.maximum_threshold.unwrap_or(default.maximum_threshold),
            maximum_coordinates: self.maximum_coordinates.unwrap_or(default.maximum_coordinates),
            minimum_corrupt: self.minimum_corrupt.unwrap_or(default.minimum_corrupt),
            minimum_survivors: self.minimum_survivors.unwrap_or(default.minimum_survivors),
            task: self.task.map(|task| task.0),
            vectors: self.vector.map(|vectors| vectors.into_iter().map(Vector::rule).collect()),
            safety: self.safety.map(Safety::rule),
            privacy: self.privacy.map(Privacy::rule),
            experimental_noise: self.experimental_noise.unwrap_or(default.experimental_noise),
            budget: self.budget.map(|Budget { per_task, in_all, .. }| SessionBudget {
                per_task: per_task.unwrap_or(u32::MAX),
                in_all: in_all.unwrap_or(u32::MAX),
                attempted: None,
            }),
            cohorts: self
                .cohorts
                .map(|Cohorts { minimum_difference }| CohortPolicy { minimum_difference, signed: None }),
        };
        ClientPolicy { policy, window: Duration::from_secs(window) }
    }
}

impl Safety {
    fn rule(self) -> SafetyPolicy {
        let usual = SafetyPolicy::new(self.corrupt.0, self.dropout.0);
        SafetyPolicy {
            security_bits: self.security_bits.unwrap_or(usual.security_bits),
            correctness_bits: self.correctness_bits.unwrap_or(usual.correctness_bits),
            minimum_honest: self.minimum_honest.unwrap_or(usual.minimum_honest),
            roots: self.roots,
            ..usual
        }
    }
}

impl Vector {
    fn rule(self) -> AllowedVector {
        let usual = AllowedVector::new(self.name);
        AllowedVector {
            maximum_length: self.maximum_length.unwrap_or(usual.maximum_length),
            maximum_bits: self.maximum_bits.unwrap_or(usual.maximum_bits),
            maximum_bound: self.maximum_bound,
            ..usual
        }
    }
}

impl Privacy {
    fn rule(self) -> PrivacyPolicy {
        let usual = PrivacyPolicy::new(self.epsilon, self.delta, self.corrupt);
        let law = |law: Law| match law {
            Law::DiscreteGaussian => NoiseLaw::DiscreteGaussian,
            Law::Skellam => NoiseLaw::Skellam,
            Law::CentredDiscreteGaussian => NoiseLaw::Centred,
        };
        PrivacyPolicy {
            laws: self.laws.map_or(usual.laws, |laws| laws.into_iter().map(law).collect()),
            plain: self.plain.unwrap_or_default(),
            ..usual
        }
    }
}

/// 64 hexadecimal digits.
struct Digest([u8; 32]);

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(String::deserialize(from)?, &mut bytes)
            .map_err(|_| de::Error::custom("give 64 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

/// A fraction: text, or a number, of which its shortest decimal form is meant.
struct Share(Fraction);

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ShareVisitor).map(Self)
    }
}

struct ShareVisitor;

impl Visitor<'_> for ShareVisitor {
    type Value = Fraction;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal fraction from 0 to 1, such as 0.05")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Fraction, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Fraction, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Fraction, E> {
        self.visit_str(&number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &str = r#"
version = 1
minimum_clients = 10
maximum_clients = 1000
maximum_neighbours = 999
minimum_threshold = 3
maximum_threshold = 700
maximum_coordinates = 5000
minimum_survivors = 8
minimum_corrupt = 2
task = "0101010101010101010101010101010101010101010101010101010101010101"
experimental_noise = true

[safety]
corrupt = 0.05
dropout = "0.1"
security_bits = 64
correctness_bits = 30
minimum_honest = 7
roots = 1048576

[[vector]]
name = "weights"
maximum_length = 1000
maximum_bits = 24
maximum_bound = 16000

[[vector]]
name = "count"

[privacy]
epsilon = 1.5
delta = 1e-6
corrupt = 1
laws = ["skellam"]
plain = ["count"]

[cohorts]
minimum_difference = 9

[budget]
per_task = 3
in_all = 20
window_seconds = 3600
"#;

    #[test]
    fn every_field_is_read() {
        let found = ClientPolicy::parse(ALL).unwrap();
        let [corrupt, dropout] = ["0.05", "0.1"].map(|text| text.parse().unwrap());
        let weights = AllowedVector {
            maximum_length: 1000,
            maximum_bits: 24,
            maximum_bound: Some(16000),
            ..AllowedVector::new("weights")
        };
        let policy = Policy {
            minimum_clients: 10,
            maximum_clients: 1000,
            maximum_neighbours: 999,
            minimum_threshold: 3,
            maximum_threshold: 700,
            maximum_coordinates: 5000,
            minimum_corrupt: 2,
            minimum_survivors: 8,
            task: Some([1; 32]),
            vectors: Some(vec![weights, AllowedVector::new("count")]),
            safety: Some(SafetyPolicy {
                corrupt,
                dropout,
                security_bits: 64,
                correctness_bits: 30,
                minimum_honest: 7,
                roots: Some(1 << 20),
            }),
            privacy: Some(PrivacyPolicy {
                laws: vec![NoiseLaw::Skellam],
                plain: vec!["count".into()],
                ..PrivacyPolicy::new(1.5, 1e-6, 1)
            }),
            experimental_noise: true,
            budget: Some(SessionBudget { per_task: 3, in_all: 20, attempted: None }),
            cohorts: Some(CohortPolicy { minimum_difference: 9, signed: None }),
        };
        assert_eq!(found, ClientPolicy { policy, window: Duration::from_secs(3600) });
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let least = ClientPolicy::parse("version = 1").unwrap();
        assert_eq!(least, ClientPolicy { policy: Policy::default(), window: Duration::from_secs(DAY) });
        let safety = "version = 1\n[safety]\ncorrupt = 1\ndropout = 0\n";
        let usual = SafetyPolicy::new("1".parse().unwrap(), Fraction::ZERO);
        assert_eq!(ClientPolicy::parse(safety).unwrap().policy.safety, Some(usual));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, says) in [
            ("", "version"),
            ("version = 2", "version 1"),
            ("version = 1\nminimum_client = 3", "line 2"),
            ("version = 1\nminimum_client = 3", "minimum_client"),
            ("version = 1\nminimum_clients = -3", "line 2"),
            ("version = 1\nminimum_clients = 3.5", "line 2"),
            ("version = 1\nminimum_clients = 5000000000", "line 2"),
            ("version = 1\nminimum_clients = 3\nminimum_clients = 4", "line 3"),
            ("version = 1\nminimum_clients = 5\nmaximum_clients = 4", "above maximum_clients"),
            ("version = 1\nminimum_threshold = 5\nmaximum_threshold = 4", "above maximum_threshold"),
            ("version = 1\ntask = \"01\"", "64 hexadecimal digits"),
            ("version = 1\n[safety]\ncorrupt = 0.1", "dropout"),
            ("version = 1\n[safety]\ncorrupt = 1.1\ndropout = 0", "from 0 to 1"),
            ("version = 1\n[safety]\ncorrupt = nan\ndropout = 0", "from 0 to 1"),
            ("version = 1\n[safety]\ncorrupt = true\ndropout = 0", "from 0 to 1"),
            ("version = 1\n[safety]\ncorrupt = 0\ndropout = 0\nsecurity_bits = 5000", "4096"),
            ("version = 1\n[safety]\ncorrupt = 0\ndropout = 0\nbits = 5", "bits"),
            ("version = 1\n[[vector]]\nname = \"x\"\n[[vector]]\nname = \"x\"", "twice"),
            ("version = 1\n[[vector]]\nlength = 3", "length"),
            ("version = 1\n[vector]\nname = \"x\"", "line 2"),
            ("version = 1\n[privacy]\nepsilon = 0.0\ndelta = 0.1\ncorrupt = 0", "epsilon"),
            ("version = 1\n[privacy]\nepsilon = nan\ndelta = 0.1\ncorrupt = 0", "epsilon"),
            ("version = 1\n[privacy]\nepsilon = inf\ndelta = 0.1\ncorrupt = 0", "epsilon"),
            ("version = 1\n[privacy]\nepsilon = 1.0\ndelta = 1.0\ncorrupt = 0", "delta"),
            (
                "version = 1\n[privacy]\nepsilon = 1.0\ndelta = 0.1\ncorrupt = 0\nlaws = [\"laplace\"]",
                "laplace",
            ),
            ("version = 1\n[cohorts]\nminimum_difference = 1", "at least 2"),
            ("version = 1\n[budget]\nwindow_seconds = 10", "per_task"),
            ("version = 1\n[", "line 2"),
            ("\u{0}", "line 1"),
        ] {
            let error = ClientPolicy::parse(text).unwrap_err();
            assert!(error.contains(says), "{text:?}: {error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
}
