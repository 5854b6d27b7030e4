//! Tables: comma-separated values with a header, without quotes.

use std::str::FromStr;

/// Why a table cannot be used, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct TableError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<(usize, Vec<String>)>,
}

impl Table {
    /// Reads a table that has at least the columns `required`, and a row.
    ///
    /// # Errors
    /// A column is missing or there twice, a row has more or fewer cells than the header, or there is no row.
    pub fn read(text: &str, required: &[&str]) -> Result<Self, TableError> {
        let cells = |line: &str| line.split(',').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let (line, header) =
            lines.next().ok_or_else(|| TableError { line: 1, problem: "there is no header".into() })?;
        let columns = cells(header);
        for name in required {
            match columns.iter().filter(|column| column == name).count() {
                1 => {}
                0 => return Err(TableError { line, problem: format!("there is no column {name}") }),
                _ => return Err(TableError { line, problem: format!("the column {name} is there twice") }),
            }
        }
        let rows: Vec<_> = lines.map(|(line, text)| (line, cells(text))).collect();
        if let Some((line, row)) = rows.iter().find(|(_, row)| row.len() != columns.len()) {
            let problem = format!("{} cells under {} columns", row.len(), columns.len());
            return Err(TableError { line: *line, problem });
        }
        if rows.is_empty() {
            return Err(TableError { line, problem: "there is no row below the header".into() });
        }
        Ok(Self { columns, rows })
    }

    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, cells)| Row { columns: &self.columns, line: *line, cells })
    }
}

/// A row of a table.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    columns: &'a [String],
    line: usize,
    cells: &'a [String],
}

impl<'a> Row<'a> {
    /// The cell under `column`; empty if there is no such column.
    pub fn cell(&self, column: &str) -> &'a str {
        let at = self.columns.iter().position(|name| name == column);
        at.and_then(|at| self.cells.get(at)).map_or("", String::as_str)
    }

    /// The value of a cell; `None` if it is empty.
    ///
    /// # Errors
    /// It is no such value.
    pub fn value<T: FromStr>(&self, column: &str) -> Result<Option<T>, TableError> {
        match self.cell(column) {
            "" => Ok(None),
            text => match text.parse() {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(self.error(format!("{text:?} is no value of column {column}"))),
            },
        }
    }

    /// The value of a cell that may not be empty.
    ///
    /// # Errors
    /// It is empty, or no such value.
    pub fn needed<T: FromStr>(&self, column: &str) -> Result<T, TableError> {
        self.value(column)?.ok_or_else(|| self.error(format!("column {column} is empty")))
    }

    /// An error in this row.
    pub fn error(&self, problem: String) -> TableError {
        TableError { line: self.line, problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_by_its_columns() {
        let table = Table::read("b,a\r\n1, 2 \n\n,3\n", &["a"]).unwrap();
        let rows: Vec<Row<'_>> = table.rows().collect();
        assert_eq!(rows[0].needed::<u8>("a"), Ok(2));
        assert_eq!(rows[1].value::<u8>("b"), Ok(None));
        assert_eq!(rows[1].needed::<u8>("b").unwrap_err().line, 4);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, line) in [("", 1), ("b\n1\n", 1), ("a,a\n1,2\n", 1), ("a\n", 1), ("a\n1\n\n1,2\n", 4)] {
            assert_eq!(Table::read(text, &["a"]).unwrap_err().line, line, "{text:?}");
        }
    }
}
