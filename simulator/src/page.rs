//! Reports as one web page that needs no network: plots, tables, and the commands that give the same again.

mod formulas;
mod plots;
mod points;
mod rows;

pub use formulas::bonawitz17_bytes;

use std::collections::BTreeMap;

use secagg::privacy::round_up;

use crate::report::{Amplification, PrivacyReport, Report, SessionReport};
use crate::results::{Table, Values, read_parquet, sessions};
use rows::Row;

/// What a page is made of: whole reports, and tables of sessions such as a sweep leaves.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Reports of runs.
    pub reports: Vec<Report>,
    /// Tables as [`sessions`] makes them, with their names.
    pub tables: Vec<(String, Table)>,
}

/// Reports whose rounds are shown; of more the plots and the table of sessions tell.
const IN_FULL: usize = 12;
/// Rows of a table on the page.
const ROWS: usize = 500;

impl Sources {
    /// Adds a file: `.parquet` is a table of sessions, anything else a report in JSON.
    ///
    /// # Errors
    /// The file cannot be read, or is neither.
    pub fn read(&mut self, path: &std::path::Path) -> Result<(), String> {
        let name = path.display().to_string();
        if path.extension().is_some_and(|end| end == "parquet") {
            let (table, _) = read_parquet(path).map_err(|error| error.to_string())?;
            rows::of(&table).map_err(|missing| format!("{name}: no table of sessions: {missing}"))?;
            self.tables.push((name, table));
            return Ok(());
        }
        let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        let report = serde_json::from_str(&text).map_err(|error| format!("{name}: no report: {error}"))?;
        self.reports.push(report);
        Ok(())
    }

    /// The page, as HTML.
    pub fn to_html(&self) -> String {
        let made: Vec<Table> = self.reports.iter().map(sessions).collect();
        let tables = made.iter().chain(self.tables.iter().map(|(_, table)| table));
        let all: Vec<Row> = tables.filter_map(|table| rows::of(table).ok()).flatten().collect();
        let mut out = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<title>{}</title>\n<style>{STYLE}\
             </style>\n</head>\n<body>\n<h1>{0}</h1>\n",
            escape(&self.title())
        );
        out += &summary(&all);
        out += &plots::overview(&all);
        for (report, table) in self.reports.iter().zip(&made).take(IN_FULL) {
            out += &run(report, table);
        }
        if self.reports.len() > IN_FULL {
            let more = self.reports.len() - IN_FULL;
            out += &format!("<p>{more} more runs are in the plots above and not shown one by one.</p>\n");
        }
        for (name, table) in &self.tables {
            out += &format!("<h2>{}</h2>\n", escape(name));
            if let Some(points) = points::of(table) {
                out += &format!("<h3>By the values of the design</h3>\n{}", rows_of(&points));
                out += "<h3>Sessions</h3>\n";
            }
            out += &html_table(table);
        }
        out + "</body>\n</html>\n"
    }

    fn title(&self) -> String {
        match self.reports.as_slice() {
            [report] if self.tables.is_empty() && !report.title.is_empty() => report.title.clone(),
            _ => "Secure aggregation, simulated".to_owned(),
        }
    }
}

const STYLE: &str = "\
body{font-family:system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222;line-height:1.45}\
svg{max-width:100%;height:auto}table{border-collapse:collapse;font-size:.85rem;display:block;overflow-x:auto}\
th,td{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #ddd;white-space:nowrap}th{background:#f4f4f4}\
pre{background:#f4f4f4;padding:.6rem;overflow-x:auto}p.note{color:#555;font-size:.9rem}";

fn summary(rows: &[Row]) -> String {
    let done = rows.iter().filter(|row| !row.aborted).count();
    format!("<p>Sessions: {}, with a sum: {done}.</p>\n", rows.len())
}

fn run(report: &Report, sessions: &Table) -> String {
    let title = if report.title.is_empty() { "A run" } else { &report.title };
    let mut out = format!("<h2>{}</h2>\n", escape(title));
    if !report.complete {
        out += "<p>Interrupted: these are the sessions that were done.</p>\n";
    }
    if let Some(session) = report.sessions.first() {
        out += &outcome(session);
        out += &plots::time_line(session);
    }
    if let Some(amplification) = &report.amplification {
        out += &attacked(amplification, &report.sessions);
    }
    if let Some(privacy) = &report.privacy {
        out += &given_away(privacy, report);
        out += &plots::errors(&report.scenario);
    }
    out += &format!("<h3>Sessions</h3>\n{}", html_table(sessions));
    out += &format!("<h3>Rounds</h3>\n{}", html_table(&crate::results::rounds(report)));
    out += &format!("<h3>Clients</h3>\n{}", html_table(&crate::results::classes(report)));
    out += &format!("<h3>The scenario</h3>\n<pre>{}</pre>\n", escape(&report.scenario.to_toml()));
    let replay = if report.replay.is_empty() { "no file" } else { &report.replay };
    out + &format!(
        "<h3>The same again</h3>\n<pre>{}</pre>\n<p class=\"note\">{} mode, seed {}, transcript <code>{}</code></p>\n",
        escape(replay),
        escape(&report.mode),
        report.seed,
        escape(&report.transcript)
    )
}

fn outcome(session: &SessionReport) -> String {
    let end = match &session.abort {
        Some(abort) => format!("aborted: {}", escape(abort)),
        None => format!("{} survivors", session.survivors),
    };
    let seconds = session.duration as f64 / 1e9;
    format!("<p>The first session: {} clients, {seconds:.3} s of virtual time, {end}.</p>\n", session.clients)
}

fn attacked(cost: &Amplification, sessions: &[SessionReport]) -> String {
    let all = || sessions.iter().filter_map(|session| session.adversary.as_ref());
    let lies: u32 = all().map(|one| one.liars).sum();
    let named: u32 = all().map(|one| one.named).sum();
    let leaked = all().filter(|one| one.leaked).count();
    let mut rules = BTreeMap::<&str, u64>::new();
    for (rule, count) in all().flat_map(|one| one.rules.iter().chain(&one.refusals)) {
        *rules.entry(rule).or_default() += count;
    }
    let rows: String = rules
        .iter()
        .map(|(rule, count)| format!("<tr><td>{}</td><td>{count}</td></tr>\n", escape(rule)))
        .collect();
    format!(
        "<h3>Adversaries</h3>\n<p>{lies} clients lied, {named} of them were named. In {leaked} of {} sessions a single \
         input can be computed. Against the same run without adversaries: {:.3} times the time, {:.3} the bytes, {:.3} the \
         clients' work, {:.3} the server's.</p>\n<table>\n<tr><th>broken rule</th><th>found</th></tr>\n{rows}</table>\n",
        sessions.len(),
        cost.duration,
        cost.bytes,
        cost.client_work,
        cost.server_work
    )
}

fn given_away(privacy: &PrivacyReport, report: &Report) -> String {
    let delta = report.scenario.privacy.as_ref().map_or(0.0, |privacy| privacy.delta);
    let end = match (privacy.ended, privacy.left) {
        (true, _) => "; then the budget had not enough left for another".to_owned(),
        (false, Some(left)) => format!("; {left} more fit into the budget"),
        (false, None) => String::new(),
    };
    format!(
        "<h3>Privacy</h3>\n<p>{} sums were released{end}. Together they give away ε = {} against the server and ε = {} \
         for the released sums alone, at δ = {delta:e}. {} noise of σ = {:.3} in integer units a client, scale {:.3}, {} \
         bits; the noise was chosen for {} honest shares.</p>\n",
        privacy.sessions,
        round_up(privacy.server, 4),
        round_up(privacy.release, 4),
        privacy.mechanism,
        privacy.sigma,
        privacy.scale,
        privacy.bits,
        privacy.fewest_shares
    )
}

/// A table whose times are nanoseconds.
fn html_table(table: &Table) -> String {
    rows_of(table) + "<p class=\"note\">Times are nanoseconds.</p>\n"
}

fn rows_of(table: &Table) -> String {
    let head: String =
        table.columns.iter().map(|column| format!("<th>{}</th>", escape(&column.name))).collect();
    let mut out = format!("<table>\n<tr>{head}</tr>\n");
    for row in 0..table.rows().min(ROWS) {
        let cell = |values: &Values| format!("<td>{}</td>", escape(&values.text(row)));
        let cells: String = table.columns.iter().map(|column| cell(&column.values)).collect();
        out += &format!("<tr>{cells}</tr>\n");
    }
    out += "</table>\n";
    if table.rows() > ROWS {
        out += &format!("<p class=\"note\">{} more rows are not shown.</p>\n", table.rows() - ROWS);
    }
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
