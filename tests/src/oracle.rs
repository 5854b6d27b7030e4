//! Judging the project by tables of answers that were computed without it.

pub mod parameters;
pub mod privacy;
pub mod table;

use std::fmt;

/// A cell of a row in which the project gives another answer than the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The row's id.
    pub row: String,
    /// The column.
    pub field: &'static str,
    /// What the table has.
    pub expected: String,
    /// What the project gives.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: expected {}, found {}", self.row, self.field, self.expected, self.found)
    }
}

/// What judging a table came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Rows in which every cell is met.
    pub passed: usize,
    /// Rows in which one is not.
    pub failed: usize,
    /// The cells that are not met.
    pub differences: Vec<Difference>,
}

impl Judgement {
    /// Counts a row with its differences.
    pub fn note(&mut self, differences: Vec<Difference>) {
        if differences.is_empty() {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
        self.differences.extend(differences);
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        writeln!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}
