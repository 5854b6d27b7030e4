//! Results as tables: one row a session, a round or a kind of clients; as CSV and as Parquet.

mod csv;
mod parquet;
mod table;
mod tables;
mod whole;

pub use parquet::{ParquetError, read_parquet, write_parquet};
pub use table::{Column, Table, Values};
pub use tables::{classes, rounds, sessions};
pub(crate) use whole::{check_folder, check_writable, write_text};
