//! Judging the planner (spec §8).

use std::fmt::Display;

use secagg::parameters::{Convention, Fraction, Model, Plan, Question};

use super::table::{Row, Table, TableError};
use super::{Difference, Judgement};

const COLUMNS: [&str; 22] = [
    "id",
    "kind",
    "model",
    "n",
    "gamma",
    "delta",
    "c",
    "d",
    "sigma",
    "eta",
    "k",
    "t",
    "verdict",
    "reason",
    "log2_p_share",
    "log2_p_graph",
    "log2_p_sec",
    "log2_p_corr",
    "min_honest",
    "k_min",
    "t_min",
    "t_max",
];

/// Half a unit of the sixth decimal place, to which the table is rounded, and as much again.
const LOG2_TOLERANCE: f64 = 1e-6;

/// Judges every row of the table.
///
/// # Errors
/// The table cannot be read, or a row asks something that is no question.
pub fn judge(text: &str) -> Result<Judgement, TableError> {
    let mut judgement = Judgement::default();
    for row in Table::read(text, &COLUMNS)?.rows() {
        judgement.note(judge_row(&row)?);
    }
    Ok(judgement)
}

fn judge_row(row: &Row<'_>) -> Result<Vec<Difference>, TableError> {
    let search = match row.cell("kind") {
        "check" => false,
        "search" => true,
        kind => return Err(row.error(format!("{kind:?} is no kind: check or search"))),
    };
    let model = model(row)?;
    let question = Question {
        model,
        clients: row.needed("n")?,
        corrupt: row.needed::<Fraction>("gamma")?,
        dropout: row.needed::<Fraction>("delta")?,
        convention: Convention::Paper,
        security_bits: row.needed("sigma")?,
        correctness_bits: row.needed("eta")?,
        degree: if search { None } else { Some(row.needed("k")?) },
        threshold: if search { None } else { Some(row.needed("t")?) },
        min_honest: Some(1),
        roots: 1,
    };
    let plan = question.answer().map_err(|error| row.error(error.to_string()))?;
    let complete = matches!(model, Model::BonawitzCurious | Model::BonawitzActive);
    let mut cells = Cells { row, differences: Vec::new() };
    cells.verdict(&plan);
    cells.number("c", Some(plan.corrupt))?;
    cells.number("d", Some(plan.dropped))?;
    cells.number("k", plan.degree)?;
    cells.number("t", plan.threshold)?;
    cells.number("min_honest", Some(plan.min_honest))?;
    // The smallest degree is what a search finds; the complete graph has no other.
    cells.number("k_min", if search || complete { plan.degree } else { None })?;
    cells.number("t_min", plan.threshold_min)?;
    cells.number("t_max", plan.threshold_max)?;
    cells.log2("log2_p_share", plan.log2_share)?;
    cells.log2("log2_p_graph", plan.log2_graph)?;
    cells.log2("log2_p_sec", plan.log2_security)?;
    cells.log2("log2_p_corr", plan.log2_correctness)?;
    Ok(cells.differences)
}

fn model(row: &Row<'_>) -> Result<Model, TableError> {
    match row.cell("model") {
        "BS" => Ok(Model::BonawitzCurious),
        "BA" => Ok(Model::BonawitzActive),
        "HS" => Ok(Model::BellCurious),
        "HA" => Ok(Model::BellEquivocation),
        "KA" => Ok(Model::PinnedSet),
        other => Err(row.error(format!("{other:?} is no model: BS, BA, HS, HA or KA"))),
    }
}

/// Compares a row's cells. An empty one asks nothing.
struct Cells<'a> {
    row: &'a Row<'a>,
    differences: Vec<Difference>,
}

impl Cells<'_> {
    fn verdict(&mut self, plan: &Plan) {
        let expected = self.row.cell("verdict");
        self.note("verdict", plan.verdict.to_string() == expected, &plan.verdict);
        // Where several reasons hold, the table names one.
        let reason = self.row.cell("reason");
        let holds = plan.reasons.iter().chain([&plan.reason]).any(|one| one.to_string() == reason);
        self.note("reason", reason.is_empty() || holds, &plan.reason);
    }

    fn number(&mut self, field: &'static str, found: Option<u32>) -> Result<(), TableError> {
        let expected: Option<i64> = self.row.value(field)?;
        // No input guaranteed is none, however the table's formula puts it.
        let expected = if field == "min_honest" { expected.map(|number| number.max(0)) } else { expected };
        let met = expected.is_none_or(|expected| found.map(i64::from) == Some(expected));
        self.note(field, met, &found.map_or("nothing".to_owned(), |found| found.to_string()));
        Ok(())
    }

    fn log2(&mut self, field: &'static str, found: Option<f64>) -> Result<(), TableError> {
        let expected: Option<f64> = self.row.value(field)?;
        let met = match (expected, found) {
            (None, _) => true,
            (Some(expected), Some(found)) => expected == found || (expected - found).abs() <= LOG2_TOLERANCE,
            (Some(_), None) => false,
        };
        self.note(field, met, &found.map_or("nothing".to_owned(), |found| format!("{found:.6}")));
        Ok(())
    }

    fn note(&mut self, field: &'static str, met: bool, found: &impl Display) {
        if !met {
            self.differences.push(Difference {
                row: self.row.cell("id").to_owned(),
                field,
                expected: self.row.cell(field).to_owned(),
                found: found.to_string(),
            });
        }
    }
}
