//! What came of a scenario in one setting.

use serde::Serialize;

/// What came of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The scenario.
    pub scenario: &'static str,
    /// Who attacks: `server` or `client`.
    pub side: &'static str,
    /// Clients.
    pub n: u32,
    /// The suite.
    pub suite: &'static str,
    /// The graph.
    pub graph: &'static str,
    /// What had to come of it: the id of a rule, the code of an abort, or a word of the catalogue.
    pub expected: String,
    /// What the control showed; empty if the run is its own control.
    pub control: String,
    /// What went wrong, if anything did.
    pub failure: Option<String>,
}
