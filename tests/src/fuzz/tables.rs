//! The reader of the tables that `secagg-oracle` judges by, and of the fractions in them.

use secagg::parameters::Fraction;

use crate::oracle::table::Table;

pub(super) fn tables(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = text.lines().count().max(1);
    match Table::read(&text, &["n", "gamma"]) {
        Ok(table) => {
            assert!(table.rows().count() < lines, "there is a header");
            for row in table.rows() {
                let number = row.value::<u32>("n").map_err(|error| error.line);
                assert_eq!(number.is_ok(), row.cell("n").is_empty() || row.cell("n").parse::<u32>().is_ok());
                assert!(number.err().is_none_or(|line| line <= lines));
                if let Ok(fraction) = row.needed::<Fraction>("gamma") {
                    assert_eq!(fraction.to_string().parse::<Fraction>().ok(), Some(fraction));
                }
            }
        }
        Err(error) => assert!(error.line <= lines),
    }
}
