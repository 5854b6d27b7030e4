//! What the plots need to know of each session.

use crate::results::{Table, Values};

/// One session.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) group: Group,
    pub(super) coordinates: u64,
    pub(super) packed_bytes: u64,
    pub(super) dropout: f64,
    pub(super) aborted: bool,
    /// Bytes in both directions for each input in the sum.
    pub(super) bytes: f64,
}

/// Sessions between which only the dropout and the vectors differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub(super) complete: bool,
    pub(super) clients: u64,
    pub(super) degree: u64,
    pub(super) threshold: u64,
}

impl Group {
    pub(super) fn name(&self) -> String {
        let Self { clients, degree, threshold, .. } = self;
        if self.complete {
            format!("n = {clients}, complete, t = {threshold}")
        } else {
            format!("n = {clients}, k = {degree}, t = {threshold}")
        }
    }
}

/// The rows of a table of sessions in which clients were there.
///
/// # Errors
/// The column that is missing or of another kind.
pub(super) fn of(table: &Table) -> Result<Vec<Row>, String> {
    let count = |name: &'static str| match table.column(name) {
        Some(Values::Counts(values)) => Ok(values),
        _ => Err(format!("no column {name:?} of counts")),
    };
    let text = |name: &'static str| match table.column(name) {
        Some(Values::Texts(values)) => Ok(values),
        _ => Err(format!("no column {name:?} of texts")),
    };
    let Some(Values::Numbers(dropout)) = table.column("dropout") else {
        return Err("no column \"dropout\" of numbers".to_owned());
    };
    let (clients, degree, threshold) = (count("clients")?, count("degree")?, count("threshold")?);
    let (coordinates, packed) = (count("coordinates")?, count("packed_bytes")?);
    let survivors = count("survivors")?;
    let (up, down) = (count("up_bytes")?, count("down_bytes")?);
    let (graph, abort) = (text("graph")?, text("abort")?);
    let row = |at: usize| Row {
        group: Group {
            complete: graph[at] == "complete",
            clients: clients[at],
            degree: degree[at],
            threshold: threshold[at],
        },
        coordinates: coordinates[at],
        packed_bytes: packed[at],
        dropout: dropout[at],
        aborted: !abort[at].is_empty(),
        bytes: (up[at] + down[at]) as f64 / survivors[at].max(1) as f64,
    };
    Ok((0..table.rows()).filter(|at| clients[*at] > 0).map(row).collect())
}
