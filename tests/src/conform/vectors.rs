//! The vectors: scripted conversations with a shim, one file a section (`spec/vectors/README.md`).

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The cases of one section of the specification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The section, such as `4.3`.
    pub section: String,
    /// Its cases.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The section or rule, and a name, such as `4.3-2/session-id-not-derived`.
    pub id: String,
    /// How deep it goes.
    pub level: Level,
    /// Whether all that is sent keeps the rules.
    pub valid: bool,
    /// The rule that is broken, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub must: Option<String>,
    /// What is asked, in order.
    pub operations: Vec<Operation>,
}

/// The levels of the tests, the shallow ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Messages one by one.
    Decode,
    /// Derivations, with their results.
    KnownAnswer,
    /// A client or a server through a whole session, with its messages byte by byte.
    Session,
    /// Two implementations together, or one with itself.
    Pairing,
    /// A peer that breaks a rule.
    Misbehaviour,
    /// An endpoint over QUIC; no vector has it.
    Live,
}

impl Level {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::KnownAnswer => "known-answer",
            Self::Session => "session",
            Self::Pairing => "pairing",
            Self::Misbehaviour => "misbehaviour",
            Self::Live => "live",
        }
    }
}

/// A request and the answer that it must get: every field that stands here, and maybe more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// A request of the shim protocol, without its id.
    pub request: Value,
    /// `ok` or `error`.
    pub answer: Value,
}

impl File {
    /// All files, in the order of the sections.
    ///
    /// # Panics
    /// If one of them is not in the format.
    pub fn all() -> Vec<Self> {
        let parse = |(name, text): &(&str, &str)| match serde_json::from_str(text) {
            Ok(file) => file,
            Err(error) => panic!("{name}: {error}"),
        };
        secagg_spec::VECTORS.iter().map(parse).collect()
    }

    /// The file, one operation a line.
    ///
    /// # Panics
    /// Never.
    pub fn to_text(&self) -> String {
        let mut out = format!("{{\n\"section\": \"{}\",\n\"cases\": [", self.section);
        for (at, case) in self.cases.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let must = case.must.as_ref().map_or(String::new(), |must| format!(", \"must\": \"{must}\""));
            write!(
                out,
                "{comma}\n{{\"id\": \"{}\", \"level\": \"{}\", \"valid\": {}{must}, \"operations\": [",
                case.id,
                case.level.name(),
                case.valid
            )
            .expect("a string takes everything");
            for (at, Operation { request, answer }) in case.operations.iter().enumerate() {
                let comma = if at == 0 { "" } else { "," };
                write!(out, "{comma}\n  {{\"request\": {request}, \"answer\": {answer}}}")
                    .expect("a string takes everything");
            }
            out.push_str("]}");
        }
        out.push_str("\n]\n}\n");
        out
    }
}
