//! Whether the tests can fail: an implementation that is broken on purpose, in one way at a time, must be caught
//! by a test of the very section or rule that it breaks.

use serde_json::Value;

use super::replay::Outcome;
use super::shim::{Answer, Limits, Shim, Trouble};
use super::suite::Test;

/// The variable that tells a shim which mutant to be.
const VARIABLE: &str = "SECAGG_MUTANT";

/// A way in which a shim can be broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// Its name.
    pub name: String,
    /// The section or rule that it breaks.
    pub breaks: String,
}

/// The mutants that a shim offers.
///
/// # Errors
/// The shim misbehaves.
pub fn offered(command: &str, limits: Limits) -> Result<Vec<Mutant>, Trouble> {
    let Answer::Ok(hello) = Shim::new(command, limits).ask(&serde_json::json!({"command": "hello"}))? else {
        return Ok(Vec::new());
    };
    let mutant = |value: &Value| {
        let field = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        Some(Mutant { name: field("name")?, breaks: field("breaks")? })
    };
    Ok(hello.get("mutants").and_then(Value::as_array).into_iter().flatten().filter_map(mutant).collect())
}

/// The first test that the mutant fails and the shim itself passes, and why; nothing if it is not caught.
pub fn catch(mutant: &Mutant, command: &str, limits: Limits) -> Option<(String, String)> {
    let mut broken = [Shim::new(command, limits).with_variable(VARIABLE, &mutant.name)];
    let mut sound = [Shim::new(command, limits)];
    Test::all(1, Some(&mutant.breaks)).iter().find_map(|test| match test.run(&mut broken) {
        Outcome::Failed(why) if test.run(&mut sound) == Outcome::Passed => Some((test.id.clone(), why)),
        _ => None,
    })
}
