//! The session's public parameters.

use secagg::parameters::{Fraction, Model, Question};
use secagg::{Authority, Config, Graph, Suite, VectorSpec};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Dropout, Moment, Scenario, ScenarioError};
use crate::privacy::Design;

/// Against whom a session protects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuiteName {
    /// A server and clients that are curious and honest.
    #[default]
    Curious,
    /// A malicious server together with malicious clients; on the complete graph.
    Active,
}

/// Who shares with whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum GraphChoice {
    /// Everyone with everyone.
    Complete {
        /// Shares that reconstruct a secret; without it two thirds of the clients, rounded up.
        #[serde(skip_serializing_if = "Option::is_none")]
        threshold: Option<u32>,
    },
    /// Everyone with `degree` others.
    Regular {
        /// Neighbours of a client, even.
        degree: u32,
        /// Shares that reconstruct a secret; without it just over half of the degree.
        #[serde(skip_serializing_if = "Option::is_none")]
        threshold: Option<u32>,
    },
    /// The smallest degree and threshold that are safe, by exact computation.
    Planner {
        /// Share of corrupt clients, such as 0.05 or "0.05".
        #[serde(deserialize_with = "decimal")]
        corrupt: String,
        /// Share of clients that drop out, such as 0.1 or "0.1".
        #[serde(deserialize_with = "decimal")]
        dropout: String,
    },
}

impl Default for GraphChoice {
    fn default() -> Self {
        Self::Complete { threshold: None }
    }
}

/// A decimal, written as a number or as a text.
fn decimal<'de, D: Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "give a share such as 0.05")]
    enum Decimal {
        Text(String),
        // The shortest decimal of a number is what was written.
        Number(f64),
    }
    Ok(match Decimal::deserialize(source)? {
        Decimal::Text(text) => text,
        Decimal::Number(number) => number.to_string(),
    })
}

/// One vector of the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// Its name: 1 to 255 printable ASCII characters.
    pub name: String,
    /// Number of coordinates.
    pub length: u32,
    /// Bits of a coordinate, 1 to 62.
    pub bits: u8,
    /// The greatest value of a coordinate of one client; none for all that the bits allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<u64>,
}

impl Scenario {
    /// With other cohorts out of as many more or fewer devices; the threshold of a complete graph becomes the default,
    /// and the minimum of survivors keeps its share.
    pub(crate) fn with_clients(&self, clients: u32) -> Self {
        let share = |all: u32| (u64::from(all) * u64::from(clients)).div_ceil(u64::from(self.clients)) as u32;
        let graph = match &self.graph {
            GraphChoice::Complete { .. } => GraphChoice::Complete { threshold: None },
            graph => graph.clone(),
        };
        let (population, minimum_survivors) =
            (self.population.map(share), share(self.minimum_survivors).min(clients));
        Self { clients, graph, population, minimum_survivors, ..self.clone() }
    }

    /// With a private vector's coordinates as integers, and with liars that vanish where their lies are noticed.
    ///
    /// # Errors
    /// There is no noise for the private vector.
    pub(crate) fn plain(&self) -> Result<Self, ScenarioError> {
        let private = self.privacy.as_ref().map(|privacy| {
            let (name, length) = (privacy.name.clone(), privacy.dimension.next_power_of_two());
            // They were chosen when the scenario was read.
            let chosen = || Ok(Design::of(self)?.map_or(1, |design| design.spec.bits));
            privacy.bits.map_or_else(chosen, Ok).map(|bits| Vector { name, length, bits, bound: None })
        });
        let vectors = self.vectors.iter().cloned().chain(private.transpose()?).collect();
        let lies = self.adversaries.iter().flat_map(|adversaries| &adversaries.lies);
        let lost = lies.filter(|liars| liars.lie.loses_its_answer());
        let mut faults = self.faults.clone();
        faults.dropouts.extend(lost.map(|liars| Dropout {
            round: Some(liars.lie.round().into()),
            probability: liars.share,
            moment: Moment::Uploading,
        }));
        Ok(Self { vectors, privacy: None, adversaries: None, faults, ..self.clone() })
    }

    /// The configuration of a session of so many clients. If they are too few for the degree, the graph is complete.
    ///
    /// # Errors
    /// The rule for configurations that it breaks, or the planner's reason why nothing is safe.
    pub(crate) fn config(
        &self,
        clients: u32,
        nonce: [u8; 32],
        design: Option<&Design>,
    ) -> Result<Config, ScenarioError> {
        let suite = self.suite_of(clients)?;
        let (graph, threshold) = self.graph.choose(clients, suite)?;
        let vectors =
            self.vectors.iter().map(Vector::spec).chain(design.map(|design| design.spec.clone())).collect();
        let (minimum_survivors, task) = (self.minimum_survivors, [0; 32]);
        let config = Config { suite, graph, clients, threshold, minimum_survivors, vectors, task, nonce };
        config.check().map_err(|misuse| ScenarioError::Impossible(misuse.to_string()))?;
        Ok(config)
    }

    /// The suite of a session of so many clients.
    ///
    /// # Errors
    /// A share of corrupt clients that cannot be reckoned with.
    pub(crate) fn suite_of(&self, clients: u32) -> Result<Suite, ScenarioError> {
        Ok(match self.suite {
            SuiteName::Curious => Suite::Curious,
            SuiteName::Active => {
                Suite::Active { corrupt: self.corrupt_of(clients)?, authority: authority(self.seed).public() }
            }
        })
    }

    /// How many of so many clients may be corrupt, rounded up.
    pub(crate) fn corrupt_of(&self, clients: u32) -> Result<u32, ScenarioError> {
        // The shortest decimal of the number is what was written.
        let fraction: Result<Fraction, _> = self.corrupt.to_string().parse();
        let wrong = |error| ScenarioError::Impossible(format!("corrupt = {}: {error}", self.corrupt));
        fraction.map(|fraction| fraction.ceil_of(clients)).map_err(wrong)
    }
}

/// Who certifies the clients of a run.
pub(crate) fn authority(seed: u64) -> Authority {
    Authority::new(crate::draw::bytes(seed, 0, "authority", 0))
}

impl Vector {
    fn spec(&self) -> VectorSpec {
        let spec = VectorSpec::new(&self.name, self.length, self.bits);
        self.bound.map_or(spec.clone(), |bound| spec.with_bound(bound))
    }
}

impl GraphChoice {
    fn choose(&self, clients: u32, suite: Suite) -> Result<(Graph, u32), ScenarioError> {
        let complete = |threshold: &Option<u32>| threshold.unwrap_or(usual(clients, suite));
        match self {
            Self::Regular { degree, threshold } if *degree < clients => {
                Ok((Graph::Regular { degree: *degree }, threshold.unwrap_or(degree / 2 + 1)))
            }
            Self::Planner { corrupt, dropout } => planned(clients, corrupt, dropout),
            Self::Complete { threshold } => Ok((Graph::Complete, complete(threshold))),
            Self::Regular { .. } => Ok((Graph::Complete, usual(clients, suite))),
        }
    }
}

/// Two thirds of the clients, rounded up; in the active suite at least a quorum against the corrupt ones.
fn usual(clients: u32, suite: Suite) -> u32 {
    let two_thirds = (u64::from(clients) * 2).div_ceil(3) as u32;
    match suite {
        Suite::Active { corrupt, .. } => {
            two_thirds.max(((u64::from(clients) + u64::from(corrupt)) / 2) as u32 + 1)
        }
        _ => two_thirds,
    }
}

fn planned(clients: u32, corrupt: &str, dropout: &str) -> Result<(Graph, u32), ScenarioError> {
    let fraction = |field: &str, text: &str| {
        let parsed: Result<Fraction, _> = text.parse();
        parsed.map_err(|error| ScenarioError::Impossible(format!("graph.{field} = {text:?}: {error}")))
    };
    let (corrupt, dropout) = (fraction("corrupt", corrupt)?, fraction("dropout", dropout)?);
    let question = Question::new(Model::BellCurious, clients, corrupt, dropout);
    let plan = question.answer().map_err(|error| ScenarioError::Impossible(error.to_string()))?;
    match (plan.degree, plan.threshold) {
        (Some(degree), Some(threshold)) if degree + 1 < clients => Ok((Graph::Regular { degree }, threshold)),
        (Some(_), Some(threshold)) => Ok((Graph::Complete, threshold)),
        _ => Err(ScenarioError::Impossible(format!(
            "graph: no degree is safe for {clients} clients if {corrupt} of them are corrupt and {dropout} drop out"
        ))),
    }
}
