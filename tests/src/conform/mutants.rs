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

/// The test that caught a mutant, and why it failed.
pub type Caught = Option<(String, String)>;

/// For each mutant the first test that it fails and the shim itself passes, on every core.
pub fn catch_all(mutants: &[Mutant], command: &str, limits: Limits) -> Vec<Caught> {
    let workers = std::thread::available_parallelism().map_or(1, |count| count.get());
    let share = mutants.len().div_ceil(workers).max(1);
    std::thread::scope(|scope| {
        let work = |some: &[Mutant]| {
            let mut sound = [Shim::new(command, limits)];
            some.iter().map(|mutant| catch(mutant, &mut sound, limits)).collect::<Vec<_>>()
        };
        let workers: Vec<_> = mutants.chunks(share).map(|some| scope.spawn(move || work(some))).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}

fn catch(mutant: &Mutant, sound: &mut [Shim; 1], limits: Limits) -> Caught {
    let mut broken = [Shim::new(sound[0].command(), limits).with_variable(VARIABLE, &mutant.name)];
    Test::all(1, Some(&mutant.breaks)).iter().find_map(|test| match test.run(&mut broken) {
        Outcome::Failed(why) if test.run(sound) == Outcome::Passed => Some((test.id.clone(), why)),
        _ => None,
    })
}
