//! A table: named columns of equal length.

/// Named columns of equal length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The columns, in their order.
    pub columns: Vec<Column>,
}

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its values, row by row.
    pub values: Values,
}

/// The values of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Counts, bytes, nanoseconds.
    Counts(Vec<u64>),
    /// Shares and other measures.
    Numbers(Vec<f64>),
    /// Names.
    Texts(Vec<String>),
}

impl Table {
    /// Adds a column of counts.
    #[must_use]
    pub fn counts(self, name: &str, values: impl IntoIterator<Item = u64>) -> Self {
        self.with(name, Values::Counts(values.into_iter().collect()))
    }

    /// Adds a column of numbers.
    #[must_use]
    pub fn numbers(self, name: &str, values: impl IntoIterator<Item = f64>) -> Self {
        self.with(name, Values::Numbers(values.into_iter().collect()))
    }

    /// Adds a column of texts.
    #[must_use]
    pub fn texts(self, name: &str, values: impl IntoIterator<Item = String>) -> Self {
        self.with(name, Values::Texts(values.into_iter().collect()))
    }

    fn with(mut self, name: &str, values: Values) -> Self {
        self.columns.push(Column { name: name.to_owned(), values });
        self
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// The values of a column.
    pub fn column(&self, name: &str) -> Option<&Values> {
        self.columns.iter().find(|column| column.name == name).map(|column| &column.values)
    }

    /// Adds the other table's rows below.
    ///
    /// # Errors
    /// The name of a column that is not in both tables at the same place with the same kind of values.
    pub fn append(&mut self, other: Self) -> Result<(), String> {
        if self.columns.is_empty() {
            *self = other;
            return Ok(());
        }
        if self.columns.len() != other.columns.len() {
            return Err(format!("{} columns instead of {}", other.columns.len(), self.columns.len()));
        }
        for (mine, theirs) in self.columns.iter_mut().zip(other.columns) {
            if mine.name != theirs.name || !mine.values.append(theirs.values) {
                return Err(format!("column {:?} where {:?} was expected", theirs.name, mine.name));
            }
        }
        Ok(())
    }

    /// The rows in another order, or some of them; `rows` are numbers of rows that there are.
    #[must_use]
    pub fn pick(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter();
        let pick = |column: &Column| Column { name: column.name.clone(), values: column.values.pick(rows) };
        Self { columns: columns.map(pick).collect() }
    }
}

impl Values {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Counts(values) => values.len(),
            Self::Numbers(values) => values.len(),
            Self::Texts(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a row as CSV has it; empty if there is no such row.
    pub fn text(&self, row: usize) -> String {
        match self {
            Self::Counts(values) => values.get(row).map(u64::to_string),
            Self::Numbers(values) => values.get(row).map(f64::to_string),
            Self::Texts(values) => values.get(row).cloned(),
        }
        .unwrap_or_default()
    }

    /// The value of a row as a number, if it is one.
    pub fn number(&self, row: usize) -> Option<f64> {
        match self {
            Self::Counts(values) => values.get(row).map(|value| *value as f64),
            Self::Numbers(values) => values.get(row).copied(),
            Self::Texts(_) => None,
        }
    }

    fn append(&mut self, other: Self) -> bool {
        match (self, other) {
            (Self::Counts(mine), Self::Counts(theirs)) => mine.extend(theirs),
            (Self::Numbers(mine), Self::Numbers(theirs)) => mine.extend(theirs),
            (Self::Texts(mine), Self::Texts(theirs)) => mine.extend(theirs),
            _ => return false,
        }
        true
    }

    fn pick(&self, rows: &[usize]) -> Self {
        match self {
            Self::Counts(values) => Self::Counts(rows.iter().map(|row| values[*row]).collect()),
            Self::Numbers(values) => Self::Numbers(rows.iter().map(|row| values[*row]).collect()),
            Self::Texts(values) => Self::Texts(rows.iter().map(|row| values[*row].clone()).collect()),
        }
    }
}
