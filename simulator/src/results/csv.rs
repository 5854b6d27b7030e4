//! Tables as CSV (RFC 4180, with line feeds).

use super::{Table, Values};

impl Table {
    /// The table as CSV: a header, then a row a line; texts with a comma, a quote or a line break are quoted.
    pub fn to_csv(&self) -> String {
        let names = self.columns.iter().map(|column| field(&column.name));
        let mut out = names.collect::<Vec<_>>().join(",") + "\n";
        for row in 0..self.rows() {
            let values = self.columns.iter().map(|column| match &column.values {
                Values::Texts(_) => field(&column.values.text(row)),
                _ => column.values.text(row),
            });
            out += &(values.collect::<Vec<_>>().join(",") + "\n");
        }
        out
    }
}

fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_a_row_is_quoted() {
        let table = Table::default()
            .texts("class", ["a,b".to_owned(), "say \"x\"".to_owned()])
            .counts("n", [1, 2])
            .numbers("share", [0.5, 1.0]);
        assert_eq!(table.to_csv(), "class,n,share\n\"a,b\",1,0.5\n\"say \"\"x\"\"\",2,1\n");
    }
}
