//! `secagg-simulator report`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, cannot_write};
use crate::page::Sources;
use crate::results::write_text;

/// Make one web page of results, with plots, that needs no network
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Reports (JSON), folders with them, or merged tables of a sweep (Parquet)
    #[arg(required = true)]
    sources: Vec<PathBuf>,
    /// The page
    #[arg(short, long, default_value = "report.html")]
    output: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  secagg-simulator run my.toml --out results
  secagg-simulator report results -o my.html
      Plots and tables of one run.
  secagg-simulator report small/report.json large/report.json
      Two runs in the same plots.
  secagg-simulator report sweep.parquet
      What `secagg-simulator merge` made of a sweep.";

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut sources = Sources::default();
    for source in &arguments.sources {
        for file in files(source)? {
            sources.read(&file).map_err(Failure::Usage)?;
        }
    }
    write(&sources, &arguments.output)
}

/// Writes the page.
pub(super) fn write(sources: &Sources, path: &Path) -> Result<(), Failure> {
    write_text(path, &sources.to_html()).map_err(|error| cannot_write(path, &error))
}

/// A file as it is; of a folder its `report.json`, or that of each folder in it.
fn files(source: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !source.is_dir() {
        return Ok(vec![source.to_owned()]);
    }
    let own = source.join("report.json");
    if own.is_file() {
        return Ok(vec![own]);
    }
    let unreadable = |error| Failure::Usage(format!("{}: {error}", source.display()));
    let entries = std::fs::read_dir(source).map_err(unreadable)?;
    let inner = entries.filter_map(|entry| Some(entry.ok()?.path().join("report.json")));
    let mut found: Vec<PathBuf> = inner.filter(|path| path.is_file()).collect();
    found.sort();
    if found.is_empty() {
        return Err(Failure::Usage(format!(
            "{}: no report.json in it; `secagg-simulator run FILE --out FOLDER` writes one, and `secagg-simulator merge` \
             makes one table of the parts of a sweep",
            source.display()
        )));
    }
    Ok(found)
}
