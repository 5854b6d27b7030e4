//! Why a ledger cannot be read, or a round not be entered.

use crate::privacy::PrivacyError;

/// Why a ledger cannot be read, or a round not be entered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// There is no whole line.
    #[error("the ledger has no whole line: it was never begun, or something else wrote to it")]
    Empty,
    /// A line whose checksum does not follow from it and the line before.
    #[error(
        "line {line} of the ledger has a wrong checksum: it or the line before was changed, moved or removed"
    )]
    Checksum {
        /// Its number, from 1.
        line: usize,
    },
    /// A line that is none.
    #[error("line {line} of the ledger: {fault}")]
    Malformed {
        /// Its number, from 1.
        line: usize,
        /// What is wrong.
        fault: String,
    },
    /// A line that cannot follow those before it.
    #[error("line {line} of the ledger: {fault}")]
    Contradiction {
        /// Its number, from 1.
        line: usize,
        /// What is wrong.
        fault: &'static str,
    },
    /// A round that cannot be entered.
    #[error("{0}")]
    Refused(&'static str),
    /// A name of other characters or length.
    #[error("{what} has the name {found:?}; names are 1 to 64 of A–Z, a–z, 0–9, '.', '_' and '-'")]
    Name {
        /// Of what.
        what: &'static str,
        /// The name.
        found: String,
    },
    /// A round that would exceed the budget.
    #[error(
        "round {round} would bring ε from {spent} to {would}, above the budget of {budget}; {left} more rounds of \
         this kind fit: take more noise, or end here"
    )]
    Overspent {
        /// The round.
        round: String,
        /// What has been spent.
        spent: f64,
        /// What would then be spent.
        would: f64,
        /// The budget.
        budget: f64,
        /// Rounds of this kind that fit.
        left: u32,
    },
    /// A line made for a ledger that has changed since.
    #[error("the line was made before another one was entered; make it again")]
    Stale,
    /// A release that has no guarantee, or numbers out of range.
    #[error(transparent)]
    Privacy(#[from] PrivacyError),
}

impl From<&'static str> for LedgerError {
    fn from(fault: &'static str) -> Self {
        Self::Refused(fault)
    }
}
