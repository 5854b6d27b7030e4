//! One case of the vectors, played to one shim.

use super::compare::{difference, short};
use super::shim::{Answer, Shim};
use super::vectors::Case;

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As expected.
    Passed,
    /// Not so, and why.
    Failed(String),
    /// A shim does not have what it takes.
    Skipped(String),
}

/// Plays the case to the shim.
pub fn replay(case: &Case, shim: &mut Shim) -> Outcome {
    for (at, operation) in case.operations.iter().enumerate() {
        let command = operation.request.get("command").and_then(|command| command.as_str()).unwrap_or("?");
        let found = match shim.ask(&operation.request) {
            Err(trouble) => return Outcome::Failed(format!("operation {at}, {command}: {trouble}")),
            Ok(Answer::Unsupported) => {
                return ended(shim, Outcome::Skipped(format!("{command} is unsupported")));
            }
            Ok(answer) => answer.to_json(),
        };
        if let Some(difference) = difference(&operation.answer, &found) {
            let difference = if found.get("error").is_some() != operation.answer.get("error").is_some() {
                format!("expected {}, found {}", short(&operation.answer), short(&found))
            } else {
                difference
            };
            return Outcome::Failed(format!("operation {at}, {command}: {difference}"));
        }
    }
    ended(shim, Outcome::Passed)
}

/// The outcome, if the shim has nothing more to say.
fn ended(shim: &mut Shim, outcome: Outcome) -> Outcome {
    match shim.quiet() {
        Err(trouble) => Outcome::Failed(trouble.to_string()),
        Ok(()) => outcome,
    }
}
