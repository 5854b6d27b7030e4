//! Threats that are more than the lies of one session: of many sessions, of none, or of what comes after one. Each is
//! played by a function of its own, which plays its control too.

use std::panic::catch_unwind;

use super::report::Row;
use super::setting::{Ground, Setting};
use super::{announced, differences, inference, inventory, overflow, retries, streams};

/// A threat that is played by a function of its own.
pub struct Trial {
    /// Its name.
    pub name: &'static str,
    /// The threat of the catalogue.
    pub threat: &'static str,
    /// Who attacks: `server` or `client`.
    pub side: &'static str,
    /// What the attacker does.
    pub says: &'static str,
    /// What has to come of it, in a word or the code of an abort.
    pub(super) expected: &'static str,
    pub(super) grounds: &'static [Ground],
    /// The numbers of clients that it is played with.
    pub(super) sizes: std::ops::RangeInclusive<u32>,
    /// Plays it and its control: what the control showed, or what went wrong.
    pub(super) play: fn(Setting) -> Result<String, String>,
}

/// Every suite on every graph.
pub(super) const EVERYWHERE: &[Ground] = &[Ground::Active, Ground::Curious, Ground::Sparse, Ground::Pinned];

/// One setting, for what does not depend on it.
pub(super) const ONCE: &[Ground] = &[Ground::Curious];

/// All trials.
pub fn trials() -> impl Iterator<Item = &'static Trial> {
    [
        announced::ALL,
        differences::ALL,
        inference::ALL,
        inventory::ALL,
        overflow::ALL,
        retries::ALL,
        streams::ALL,
    ]
    .into_iter()
    .flatten()
}

/// Plays a trial; `None` if it is not played in this setting.
pub fn hold(trial: &Trial, setting: Setting) -> Option<Row> {
    let enough = setting.ground != Ground::Pinned || setting.n >= 8;
    if !trial.grounds.contains(&setting.ground) || !trial.sizes.contains(&setting.n) || !enough {
        return None;
    }
    let played = catch_unwind(|| (trial.play)(setting)).unwrap_or_else(|_| Err("a panic".to_owned()));
    let (control, failure) = match played {
        Ok(control) => (control, None),
        Err(why) => (String::new(), Some(why)),
    };
    let (suite, graph) = setting.ground.names();
    let (scenario, side, expected) = (trial.name, trial.side, trial.expected.to_owned());
    Some(Row { scenario, side, n: setting.n, suite, graph, expected, control, failure })
}

/// An error if it does not hold.
pub(super) fn demand(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}
