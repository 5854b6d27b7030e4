//! Comma-separated tables with a header line, and the outcome of judging one.

use std::fmt;
use std::path::{Path, PathBuf};

/// A file that cannot be judged, with the line at fault (the header is line 1).
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file cannot be read at all.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line that is not a row of the table.
    #[error("{}, line {line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Its line.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
}

/// The outcome of judging a file: prints the rows that differ, then `N passed, N failed`.
#[derive(Debug, Default, PartialEq)]
pub struct Verdict {
    /// Rows without a difference.
    pub passed: usize,
    /// Rows with at least one difference.
    pub failed: usize,
    /// A line for each field that differs.
    pub differences: Vec<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// One row, by column name.
pub(super) struct Row<'a> {
    header: &'a [&'a str],
    cells: Vec<&'a str>,
}

impl Row<'_> {
    /// The text in a column; nothing if the cell is empty or the table has no such column.
    pub(super) fn text(&self, column: &str) -> Option<&str> {
        let at = self.header.iter().position(|&name| name == column)?;
        self.cells.get(at).copied().filter(|cell| !cell.is_empty())
    }

    /// The number in a column, if the cell is not empty.
    pub(super) fn number(&self, column: &str) -> Result<Option<f64>, String> {
        self.text(column)
            .map(|cell| cell.parse().map_err(|_| format!("{column} is no number: {cell}")))
            .transpose()
    }

    /// The number in a column that a row of this kind must fill.
    pub(super) fn given(&self, column: &str) -> Result<f64, String> {
        self.number(column)?.ok_or_else(|| format!("{column} is empty"))
    }

    /// The whole number, within the type's range, in a column that a row of this kind must fill.
    pub(super) fn whole<N: std::str::FromStr>(&self, column: &str) -> Result<N, String> {
        let cell = self.text(column).ok_or_else(|| format!("{column} is empty"))?;
        cell.parse().map_err(|_| format!("{column} is no whole number in range: {cell}"))
    }
}

/// Judges every row of a file; `judge` gives the differences of one row, or why it is none.
pub(super) fn judge(
    path: &Path,
    columns: &[&str],
    judge: impl Fn(&Row) -> Result<Vec<String>, String>,
) -> Result<Verdict, Unreadable> {
    let text =
        std::fs::read_to_string(path).map_err(|source| Unreadable::File { path: path.to_owned(), source })?;
    let at_line = |line, problem| Unreadable::Line { path: path.to_owned(), line, problem };
    let mut lines = text.lines().enumerate();
    let header: Vec<&str> = lines.next().map(|(_, line)| line.split(',').collect()).unwrap_or_default();
    if let Some(missing) = columns.iter().find(|column| !header.contains(column)) {
        return Err(at_line(1, format!("there is no column {missing}")));
    }
    let mut verdict = Verdict::default();
    for (index, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let cells: Vec<&str> = line.split(',').collect();
        if cells.len() != header.len() {
            let problem = format!("{} cells under {} columns", cells.len(), header.len());
            return Err(at_line(index + 1, problem));
        }
        let row = Row { header: &header, cells };
        let differences = judge(&row).map_err(|problem| at_line(index + 1, problem))?;
        match differences.is_empty() {
            true => verdict.passed += 1,
            false => verdict.failed += 1,
        }
        let id = row.text("id").unwrap_or("?");
        verdict.differences.extend(differences.into_iter().map(|what| format!("{id} {what}")));
    }
    Ok(verdict)
}
