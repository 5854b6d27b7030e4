//! Tables as Parquet files: every column required, without compression.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError as Error;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::whole::write_whole;
use super::{Column, Table, Values};

/// Why a table cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct ParquetError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub error: Box<dyn std::error::Error + Send + Sync>,
}

/// Writes a table, and a note that [`read_parquet`] gives back. The file appears whole or not at all.
///
/// # Errors
/// The system's.
pub fn write_parquet(table: &Table, note: &str, path: &Path) -> Result<(), ParquetError> {
    write_whole(path, |place| write(table, note, place)).map_err(|error| failed(path, error))
}

/// Reads a table and its note, which is empty if the file has none.
///
/// # Errors
/// The system's, or the file is not a table of unsigned integers, doubles and texts.
pub fn read_parquet(path: &Path) -> Result<(Table, String), ParquetError> {
    read(path).map_err(|error| failed(path, error))
}

fn failed(path: &Path, error: Error) -> ParquetError {
    let error = match error {
        // The system's, which the library only passes on.
        Error::External(error) => error,
        error => error.into(),
    };
    ParquetError { path: path.to_owned(), error }
}

/// The key of the note in the file's metadata.
const NOTE: &str = "secagg-simulator";

fn write(table: &Table, note: &str, path: &Path) -> Result<(), Error> {
    let fields = table.columns.iter().map(|column| Ok(Arc::new(field(column)?)));
    let fields = fields.collect::<Result<Vec<_>, Error>>()?;
    let schema = Arc::new(Type::group_type_builder("table").with_fields(fields).build()?);
    let note = KeyValue::new(NOTE.to_owned(), note.to_owned());
    let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![note])).build();
    let mut writer = SerializedFileWriter::new(File::create(path)?, schema, Arc::new(properties))?;
    let mut rows = writer.next_row_group()?;
    for column in &table.columns {
        let Some(mut out) = rows.next_column()? else { break };
        match (out.untyped(), &column.values) {
            (ColumnWriter::Int64ColumnWriter(out), Values::Counts(values)) => {
                let values: Vec<i64> = values.iter().map(|value| value.cast_signed()).collect();
                out.write_batch(&values, None, None)?;
            }
            (ColumnWriter::DoubleColumnWriter(out), Values::Numbers(values)) => {
                out.write_batch(values, None, None)?;
            }
            (ColumnWriter::ByteArrayColumnWriter(out), Values::Texts(values)) => {
                let values: Vec<ByteArray> = values.iter().map(|value| value.as_str().into()).collect();
                out.write_batch(&values, None, None)?;
            }
            _ => return Err(Error::General(format!("column {:?} has another type", column.name))),
        }
        out.close()?;
    }
    rows.close()?;
    Ok(writer.into_inner()?.flush()?)
}

fn field(column: &Column) -> Result<Type, Error> {
    let (physical, logical) = match &column.values {
        Values::Counts(_) => (Physical::INT64, Some(LogicalType::integer(64, false))),
        Values::Numbers(_) => (Physical::DOUBLE, None),
        Values::Texts(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type(logical)
        .build()
}

fn read(path: &Path) -> Result<(Table, String), Error> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let metadata = reader.metadata();
    let notes = metadata.file_metadata().key_value_metadata().into_iter().flatten();
    let note = notes.filter(|pair| pair.key == NOTE).find_map(|pair| pair.value.clone());
    let names: Vec<String> =
        metadata.file_metadata().schema_descr().columns().iter().map(|c| c.name().to_owned()).collect();
    let mut table = Table::default();
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group)?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        let mut part = Table::default();
        for (at, name) in names.iter().enumerate() {
            let values = values(group.get_column_reader(at)?, rows)?;
            part.columns.push(Column { name: name.clone(), values });
        }
        table.append(part).map_err(Error::General)?;
    }
    Ok((table, note.unwrap_or_default()))
}

fn values(column: ColumnReader, rows: usize) -> Result<Values, Error> {
    Ok(match column {
        ColumnReader::Int64ColumnReader(column) => {
            Values::Counts(all(column, rows)?.into_iter().map(i64::cast_unsigned).collect())
        }
        ColumnReader::DoubleColumnReader(column) => Values::Numbers(all(column, rows)?),
        ColumnReader::ByteArrayColumnReader(column) => {
            let text = |value: ByteArray| Ok(value.as_utf8()?.to_owned());
            Values::Texts(all(column, rows)?.into_iter().map(text).collect::<Result<_, Error>>()?)
        }
        _ => return Err(Error::General("a column is no unsigned integer, double or text".to_owned())),
    })
}

fn all<T: DataType>(mut column: ColumnReaderImpl<T>, rows: usize) -> Result<Vec<T::T>, Error> {
    let mut values = Vec::new();
    while values.len() < rows {
        let (_, read, _) = column.read_records(rows - values.len(), None, None, &mut values)?;
        if read == 0 {
            return Err(Error::EOF("a column is too short".to_owned()));
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_and_its_note_survive_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let table = Table::default()
            .counts("faults.dropouts.0.probability", [0, u64::MAX])
            .numbers("share", [0.1, f64::INFINITY])
            .texts("abort", ["".to_owned(), "ß, \"x\"".to_owned()]);
        write_parquet(&table, "a note", &path).unwrap();
        assert_eq!(read_parquet(&path).unwrap(), (table, "a note".to_owned()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        std::fs::write(&path, b"PAR1 but not really PAR1").unwrap();
        let error = read_parquet(&path).unwrap_err().to_string();
        assert!(error.contains("t.parquet"), "{error}");
        let nowhere = read_parquet(&folder.path().join("none.parquet")).unwrap_err().to_string();
        assert!(nowhere.contains("none.parquet: No such file"), "{nowhere}");
    }
}
