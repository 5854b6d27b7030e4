//! What came of the tests, for people and for programs.

use std::fmt;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value, json};

use super::replay::Outcome;
use super::vectors::Level;

/// One test and what came of it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields of `Test`, and the time that it took")]
pub struct Entry {
    pub id: String,
    pub level: Level,
    pub subject: String,
    pub verdict: Verdict,
    pub took: Duration,
}

/// What came of a test, in view of what was known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Passed,
    /// Not so, and why.
    Failed(String),
    /// The implementation does not have what it takes.
    Skipped(String),
    /// It failed, and that was known.
    KnownFailure(String),
    /// It passed though it was known to fail: the list is to be mended.
    UnexpectedPass,
}

impl Verdict {
    /// The verdict on a test that is or is not known to fail.
    pub fn of(outcome: Outcome, is_known: bool) -> Self {
        match (outcome, is_known) {
            (Outcome::Passed, false) => Self::Passed,
            (Outcome::Passed, true) => Self::UnexpectedPass,
            (Outcome::Failed(why), false) => Self::Failed(why),
            (Outcome::Failed(why), true) => Self::KnownFailure(why),
            (Outcome::Skipped(why), _) => Self::Skipped(why),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
            Self::KnownFailure(_) => "known failure",
            Self::UnexpectedPass => "unexpected pass",
        }
    }

    fn why(&self) -> &str {
        match self {
            Self::Passed => "",
            Self::Failed(why) | Self::Skipped(why) | Self::KnownFailure(why) => why,
            Self::UnexpectedPass => "it is in the list of known failures: take it out",
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = self.verdict.why().replace('\n', "\n    ");
        write!(f, "{} {} [{}] {why}", self.verdict.word(), self.id, self.subject)?;
        sentence(&self.id).map_or(Ok(()), |sentence| write!(f, "\n    the rule: {sentence}"))
    }
}

impl Entry {
    /// The entry as an object.
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "level": self.level.name(),
            "subject": self.subject,
            "outcome": self.verdict.word(),
            "why": self.verdict.why(),
            "rule": sentence(&self.id),
            "seconds": self.took.as_secs_f64(),
        })
    }
}

/// The sentence of the rule that a test is of: its id begins with that of the rule.
pub fn sentence(test: &str) -> Option<String> {
    let rule = test.split('/').next()?;
    secagg_spec::musts().into_iter().find(|must| must.id == rule).map(|must| must.text)
}

/// How many tests ended how. Known failures count as skipped, unexpected passes as failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
}

impl Counts {
    /// The counts of these entries.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut counts = Self::default();
        for entry in entries {
            match entry.verdict {
                Verdict::Passed => counts.passed += 1,
                Verdict::Failed(_) | Verdict::UnexpectedPass => counts.failed += 1,
                Verdict::Skipped(_) | Verdict::KnownFailure(_) => counts.skipped += 1,
            }
        }
        counts
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// The entries as JUnit's XML, a suite for each level.
///
/// # Errors
/// If it cannot be written, which does not happen.
pub fn junit(entries: &[Entry]) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("secagg-conform");
    let levels =
        [Level::Decode, Level::KnownAnswer, Level::Session, Level::Pairing, Level::Misbehaviour, Level::Live];
    for level in levels.into_iter().filter(|level| entries.iter().any(|entry| entry.level == *level)) {
        let mut suite = TestSuite::new(level.name());
        suite.add_test_cases(entries.iter().filter(|entry| entry.level == level).map(junit_case));
        report.add_test_suite(suite);
    }
    report.to_string()
}

fn junit_case(entry: &Entry) -> TestCase {
    let mut status = match entry.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Failed(_) | Verdict::UnexpectedPass => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Skipped(_) | Verdict::KnownFailure(_) => TestCaseStatus::skipped(),
    };
    if entry.verdict != Verdict::Passed {
        status.set_message(format!("{}: {}", entry.verdict.word(), entry.verdict.why()));
    }
    let mut case = TestCase::new(entry.id.as_str(), status);
    case.set_classname(entry.subject.as_str());
    case.set_time(entry.took);
    case
}
