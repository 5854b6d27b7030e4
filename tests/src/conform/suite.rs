//! All tests, and how they are run.

use super::known::Known;
use super::pairing::play;
use super::replay::{Outcome, replay};
use super::report::{Entry, Verdict};
use super::sessions::{Session, sessions};
use super::shim::Shim;
use super::vectors::{Case, File, Level};

/// One test of one or two implementations.
pub struct Test {
    /// The section or rule, and a name.
    pub id: String,
    /// How deep it goes.
    pub level: Level,
    kind: Kind,
}

enum Kind {
    Case { case: Case, shim: usize },
    Pairing { session: Session, clients: Vec<usize>, server: usize },
}

impl Test {
    /// The tests for this number of implementations, the shallow ones first; of one section or rule if one is given.
    pub fn all(shims: usize, section: Option<&str>) -> Vec<Self> {
        let mut tests: Vec<Self> = File::all()
            .into_iter()
            .flat_map(|file| file.cases)
            .flat_map(|case| (0..shims).map(move |shim| Self::of_case(case.clone(), shim)))
            .chain(sessions().into_iter().flat_map(|session| pairings(&session, shims)))
            .filter(|test| section.is_none_or(|section| is_in(&test.id, section)))
            .collect();
        tests.sort_by_key(|test| test.level);
        tests
    }

    fn of_case(case: Case, shim: usize) -> Self {
        Self { id: case.id.clone(), level: case.level, kind: Kind::Case { case, shim } }
    }

    /// Runs the test. Whatever the implementations do, it comes to an end.
    pub fn run(&self, shims: &mut [Shim]) -> Outcome {
        match &self.kind {
            Kind::Case { case, shim } => replay(case, &mut shims[*shim]),
            Kind::Pairing { session, clients, server } => play(session, shims, clients, *server),
        }
    }

    /// The names of the implementations under test.
    pub fn subject(&self, names: &[String]) -> String {
        match &self.kind {
            Kind::Case { shim, .. } => names[*shim].clone(),
            Kind::Pairing { clients, server, .. } => {
                let clients: Vec<&str> = clients.iter().map(|&client| names[client].as_str()).collect();
                format!("clients: {}; server: {}", clients.join(", "), names[*server])
            }
        }
    }
}

/// Every implementation as the server of every one, and of two at once.
fn pairings(session: &Session, shims: usize) -> Vec<Test> {
    let alone = (0..shims).map(|shim| vec![shim]);
    let mixed = (shims > 1).then(|| (0..shims).collect::<Vec<_>>());
    let clients: Vec<Vec<usize>> = alone.chain(mixed).collect();
    (0..shims)
        .flat_map(|server| clients.iter().map(move |clients| (clients.clone(), server)))
        .map(|(clients, server)| Test {
            id: session.id.to_owned(),
            level: Level::Pairing,
            kind: Kind::Pairing { session: session.clone(), clients, server },
        })
        .collect()
}

/// Whether a test is of a section or rule, such as `4`, `4.3` or `4.3-2`, or is the one of that name.
pub(super) fn is_in(id: &str, section: &str) -> bool {
    id.strip_prefix(section).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '/']))
}

/// Runs the tests in turn and tells of each as it ends.
pub fn run(
    tests: &[Test],
    shims: &mut [Shim],
    known: &mut Known,
    tell: &mut dyn FnMut(&Entry),
) -> Vec<Entry> {
    let names: Vec<String> = shims.iter_mut().map(Shim::name).collect();
    let mut entries = Vec::with_capacity(tests.len());
    for test in tests {
        let begun = std::time::Instant::now();
        let outcome = test.run(shims);
        let subject = test.subject(&names);
        let is_known = known.contains(&test.id, &subject);
        let verdict = Verdict::of(outcome, is_known);
        let entry = Entry { id: test.id.clone(), level: test.level, subject, verdict, took: begun.elapsed() };
        tell(&entry);
        entries.push(entry);
    }
    entries
}
