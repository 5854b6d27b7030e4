//! A case, and how all of them are run.

use std::time::Instant;

use super::limit::Failure;
use crate::conform::known::Known;
use crate::conform::replay::Outcome;
use crate::conform::report::{Entry, Verdict};
use crate::conform::suite::is_in;
use crate::conform::vectors::Level;

/// How often in a row nothing may come from the other end before it is given up: each time costs the whole limit.
const PATIENCE: u32 = 3;

/// A part to be played to an endpoint.
pub(super) trait Case {
    /// The section or rule, and a name.
    fn id(&self) -> &'static str;
}

/// Those of a section or rule, if one is given.
pub(super) fn of_section<C: Case>(cases: Vec<C>, section: Option<&str>) -> Vec<C> {
    cases.into_iter().filter(|case| section.is_none_or(|section| is_in(case.id(), section))).collect()
}

/// Plays the cases in turn and tells of each as it ends.
pub(super) async fn run<C: Case>(
    cases: &[C],
    subject: &str,
    known: &mut Known,
    tell: &mut dyn FnMut(&Entry),
    mut play: impl AsyncFnMut(&C) -> Result<Outcome, Failure>,
) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(cases.len());
    let mut silences = 0;
    for case in cases {
        let begun = Instant::now();
        let outcome = if silences >= PATIENCE {
            Outcome::Failed("not run: nothing came from the other end too often".to_owned())
        } else {
            play(case).await.unwrap_or_else(|failure| {
                silences = if failure.silent { silences + 1 } else { 0 };
                Outcome::Failed(failure.why)
            })
        };
        if matches!(outcome, Outcome::Passed) {
            silences = 0;
        }
        let verdict = Verdict::of(outcome, known.contains(case.id(), subject));
        let (id, subject) = (case.id().to_owned(), subject.to_owned());
        let entry = Entry { id, level: Level::Live, subject, verdict, took: begun.elapsed() };
        tell(&entry);
        entries.push(entry);
    }
    entries
}
