//! What a run reports: JSON for programs, plots and a table for people.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use kuva::backend::svg::SvgBackend;
use kuva::plot::{BarPlot, LegendPosition, LinePlot, ScatterPlot};
use kuva::render::layout::Layout;
use kuva::render::palette::Palette;
use kuva::render::plots::Plot;
use kuva::render::render::render_multiple;
use secagg::privacy::round_up;
use serde::{Deserialize, Serialize};

use super::spent::PrivacyReport;
use crate::persist;

/// A whole run: its parameters, its rounds and the models' final accuracy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Clients that took part.
    pub clients: u32,
    /// The share of the clients that was made to drop out of each round, 0.0 to 1.0.
    pub dropout: f64,
    /// Neighbours of each client; `None` in the complete graph.
    pub degree: Option<u32>,
    /// Shares that reconstruct a secret.
    pub threshold: u32,
    /// Name of the suite: `curious`, `active` or `pinned`.
    pub suite: String,
    /// Whether nobody outside of the project has reviewed what the suite promises.
    #[serde(default)]
    pub experimental: bool,
    /// The seed that replays the run.
    pub seed: u64,
    /// The rounds of training, in order.
    pub rounds: Vec<RoundReport>,
    /// Held-out accuracy of the model trained through secure aggregation, 0.0 to 1.0.
    pub final_accuracy: f64,
    /// Held-out accuracy of the model trained on plain averages, 0.0 to 1.0.
    pub plain_final_accuracy: f64,
    /// What a private run gave away; `None` if the sums are exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<PrivacyReport>,
}

/// One round of training, which is one session of secure aggregation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RoundReport {
    /// Clients whose vectors are in the sum.
    pub survivors: u32,
    /// Clients that vanished, by the protocol round in which they did.
    pub dropped: BTreeMap<String, u32>,
    /// Held-out accuracy after this round of the model trained through secure aggregation.
    pub accuracy: f64,
    /// Held-out accuracy after this round of the model trained on plain averages.
    pub plain_accuracy: f64,
    /// Whether the secure sum equals the plain sum in every coordinate; `None` if there is no sum.
    pub sum_exact: Option<bool>,
    /// Why the session was aborted, if it was.
    pub aborted: Option<String>,
    /// Bytes that a client sent, averaged over all clients.
    pub bytes_up_per_client: f64,
    /// Bytes that a client received, averaged over all clients.
    pub bytes_down_per_client: f64,
    /// Wall-clock seconds by protocol round.
    pub seconds: BTreeMap<String, f64>,
    /// Bytes over all clients and both directions, by kind of message.
    pub bytes_by_message: BTreeMap<String, u64>,
    /// ε against the server of this and all earlier rounds, for the survivors that were there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
}

/// Writes `accuracy.svg`, `bytes.svg` and `report.json` into `folder`, which is made if need be.
///
/// Returns their paths. Older files of these names are replaced; each file appears whole or not at all.
///
/// # Errors
///
/// The operating system's, with the path in the message, if a file cannot be written.
pub fn write(report: &RunReport, folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).map_err(|error| at(folder, &error))?;
    let contents = [
        ("accuracy.svg", accuracy_plot(report)),
        ("bytes.svg", bytes_plot(report)),
        ("report.json", serde_json::to_string_pretty(report)? + "\n"),
    ];
    contents.iter().map(|(name, text)| replace(&folder.join(name), text)).collect()
}

/// Draws held-out accuracy by round, secure and plain, as SVG.
pub fn accuracy_plot(report: &RunReport) -> String {
    let points = |accuracy: fn(&RoundReport) -> f64| -> Vec<(f64, f64)> {
        (1..).zip(&report.rounds).map(|(round, r)| (f64::from(round), 100.0 * accuracy(r))).collect()
    };
    let (plain, secure) = (points(|r| r.plain_accuracy), points(|r| r.accuracy));
    let secure_name = if report.privacy.is_some() { "private" } else { "secure aggregation" };
    // The lines nearly coincide: the plain one is wide and pale, the secure one thin on top of it. The
    // dots make a run of a single round visible.
    let line = |points: &[(f64, f64)]| LinePlot::new().with_data(points.to_vec());
    let dots = |points: Vec<(f64, f64)>| ScatterPlot::new().with_data(points);
    let plots = vec![
        Plot::Line(line(&plain).with_color(PALE).with_stroke_width(8.0).with_legend("plain average")),
        Plot::Scatter(dots(plain).with_color(PALE).with_size(4.0)),
        Plot::Line(line(&secure).with_color(DARK).with_stroke_width(1.5).with_legend(secure_name)),
        Plot::Scatter(dots(secure).with_color(DARK).with_size(2.5)),
    ];
    let layout = Layout::auto_from_plots(&plots)
        .with_title("Held-out accuracy by round")
        .with_y_label("accuracy (%)")
        .with_x_axis_min(0.0)
        .with_x_axis_max(report.rounds.len().max(1) as f64)
        .with_x_tick_step(f64::from(tick_step(report)));
    draw(report, plots, layout)
}

/// Draws the bytes of all clients by round, stacked by kind of message, as SVG.
pub fn bytes_plot(report: &RunReport) -> String {
    let kinds = message_kinds(report);
    let palette = Palette::tol_muted();
    let step = tick_step(report);
    let mut bars = BarPlot::new().with_stacked();
    for (round, r) in (1_u32..).zip(&report.rounds) {
        let parts = kinds.iter().enumerate().map(|(i, kind)| {
            let bytes = r.bytes_by_message.get(kind).copied().unwrap_or(0);
            (bytes as f64 / 1024.0, palette[i].to_string())
        });
        let label = if round.is_multiple_of(step) { round.to_string() } else { String::new() };
        bars = bars.with_group(label, parts.collect::<Vec<_>>());
    }
    // kuva panics on a legend without bars.
    if !kinds.is_empty() {
        bars = bars.with_legend(kinds.iter().map(String::as_str).collect());
    }
    let plots = vec![Plot::Bar(bars)];
    let layout = Layout::auto_from_plots(&plots)
        .with_title("Bytes by round and message")
        .with_y_label("KiB, all clients, both directions");
    draw(report, plots, layout)
}

fn draw(report: &RunReport, plots: Vec<Plot>, layout: Layout) -> String {
    let layout = layout
        .with_subtitle(parameters(report))
        .with_x_label("round")
        .with_width(900.0)
        .with_height(440.0)
        .with_legend_position(LegendPosition::OutsideRightTop);
    SvgBackend::new().render_scene(&render_multiple(plots, layout))
}

/// Rounds between two labels of the axis: a round number, with room for at most 20 labels.
fn tick_step(report: &RunReport) -> u32 {
    let mut steps = (0..).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u32.pow(power)));
    steps.find(|&step| report.rounds.len() <= 20 * step as usize).expect("steps grow without end")
}

fn parameters(report: &RunReport) -> String {
    let graph = report.degree.map_or("complete graph".to_owned(), |degree| format!("degree {degree}"));
    let privacy =
        report.privacy.as_ref().map_or_else(String::new, |privacy| format!(", {}", privacy.title()));
    format!(
        "{} clients, {:.0} % dropout, {graph}, threshold {}, suite {}{}, seed {}{privacy}",
        report.clients,
        100.0 * report.dropout,
        report.threshold,
        report.suite,
        if report.experimental { " (EXPERIMENTAL)" } else { "" },
        report.seed,
    )
}

/// The kinds of message in the report, the heaviest over the whole run first.
fn message_kinds(report: &RunReport) -> Vec<String> {
    let mut totals: BTreeMap<&String, u64> = BTreeMap::new();
    for (kind, bytes) in report.rounds.iter().flat_map(|r| &r.bytes_by_message) {
        *totals.entry(kind).or_default() += bytes;
    }
    let mut kinds: Vec<_> = totals.into_iter().collect();
    kinds.sort_by_key(|&(kind, bytes)| (Reverse(bytes), kind));
    kinds.into_iter().map(|(kind, _)| kind.clone()).collect()
}

/// Puts `text` at `path` in one step, so that a reader sees the old file or the new one.
fn replace(path: &Path, text: &str) -> io::Result<PathBuf> {
    persist::write(path, text.as_bytes()).map_err(|error| at(path, &error))?;
    Ok(path.to_owned())
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
}

/// Sets the run as an aligned plain-text table, one line a round, at most 100 columns wide.
///
/// Reasons of aborted sessions and the final accuracies follow below it.
pub fn table(report: &RunReport) -> String {
    let steps = protocol_rounds(report);
    let last = if report.privacy.is_some() { "ε so far" } else { "seconds" };
    let mut text = heading(&steps, last);
    for (round, r) in (1..).zip(&report.rounds) {
        text += &line(round, r, &steps);
    }
    let legend: Vec<_> = steps.iter().map(|step| format!("{} {step}", &step[..3])).collect();
    text += &format!("\n{}\n", legend.join(", "));
    for (round, r) in (1..).zip(&report.rounds) {
        if let Some(reason) = &r.aborted {
            text += &format!("round {round} aborted: {reason}\n");
        }
    }
    text + &summary(report)
}

/// The protocol's rounds as columns: ConsistencyCheck only in a run that has it.
fn protocol_rounds(report: &RunReport) -> Vec<&'static str> {
    let mentioned =
        |step| report.rounds.iter().any(|r| r.seconds.contains_key(step) || r.dropped.contains_key(step));
    PROTOCOL_ROUNDS.into_iter().filter(|&step| step != CONSISTENCY_CHECK || mentioned(step)).collect()
}

fn heading(steps: &[&str], last: &str) -> String {
    let columns: String = steps.iter().map(|step| format!("  {}", &step[..3])).collect();
    format!(
        "{:18}{:width$}   {:15}         {:>17}\n{:>5}  {:>9}  {columns}   {:>6}  {:>7}   {:>5}  {:>8}  {:>8}  {:>8}\n",
        "",
        "  dropped in",
        "  accuracy (%)",
        "KiB per client",
        "round",
        "survivors",
        "secure",
        "plain",
        "exact",
        "up",
        "down",
        last,
        width = columns.len(),
    )
}

fn line(round: u32, r: &RoundReport, steps: &[&str]) -> String {
    let dropped = steps.iter().map(|&step| r.dropped.get(step).copied().unwrap_or(0));
    let columns: String = dropped.map(|count| format!("  {count:>3}")).collect();
    let exact = match r.sum_exact {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "none",
    };
    let last = match r.epsilon {
        Some(epsilon) => round_up(epsilon, 3),
        None => format!("{:.2}", r.seconds.values().sum::<f64>()),
    };
    format!(
        "{round:>5}  {:>9}  {columns}   {:>6.2}  {:>7.2}   {exact:>5}  {:>8.1}  {:>8.1}  {last:>8}\n",
        r.survivors,
        100.0 * r.accuracy,
        100.0 * r.plain_accuracy,
        r.bytes_up_per_client / 1024.0,
        r.bytes_down_per_client / 1024.0,
    )
}

fn summary(report: &RunReport) -> String {
    let sums = report.rounds.iter().filter(|r| r.sum_exact.is_some()).count();
    let exact = report.rounds.iter().filter(|r| r.sum_exact == Some(true)).count();
    format!(
        "final accuracy: secure {:.2} %, plain {:.2} %; {exact} of {sums} sums exact; {} of {} rounds aborted\n",
        100.0 * report.final_accuracy,
        100.0 * report.plain_final_accuracy,
        report.rounds.iter().filter(|r| r.aborted.is_some()).count(),
        report.rounds.len(),
    ) + &report.privacy.as_ref().map_or_else(String::new, PrivacyReport::summary)
}

/// The rounds of the protocol by their names in the paper, which are the keys of the maps above.
pub const PROTOCOL_ROUNDS: [&str; 5] =
    ["AdvertiseKeys", "ShareKeys", "MaskedInputCollection", CONSISTENCY_CHECK, "Unmasking"];

const CONSISTENCY_CHECK: &str = "ConsistencyCheck";

const PALE: &str = "#f4a582";
const DARK: &str = "#053061";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_documented_keys_and_reads_back() {
        let json = serde_json::to_string(&sample()).unwrap();
        for key in
            [r#""degree":null"#, r#""sum_exact":null"#, r#""sum_exact":true"#, r#""final_accuracy":0.9583"#]
        {
            assert!(json.contains(key), "{key}");
        }
        let read: RunReport = serde_json::from_str(&json).unwrap();
        assert_eq!(read.rounds[6].aborted, sample().rounds[6].aborted);
        assert_eq!(read.rounds[29].bytes_by_message, sample().rounds[29].bytes_by_message);
    }

    #[test]
    fn the_folder_is_made_filled_and_left_without_partial_files() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("new/report");
        let paths = write(&sample(), &folder).unwrap();
        assert_eq!(write(&sample(), &folder).unwrap(), paths);
        let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["accuracy.svg", "bytes.svg", "report.json"]);
        for svg in &paths[..2] {
            let text = fs::read_to_string(svg).unwrap();
            assert!(text.starts_with("<svg") && text.ends_with("</svg>"));
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = write(&sample(), &file.path().join("report")).unwrap_err();
        assert!(error.to_string().starts_with(&format!("cannot write {}", file.path().display())), "{error}");
    }

    #[test]
    fn plots_name_their_units_and_lines() {
        let accuracy = accuracy_plot(&sample());
        for label in ["accuracy (%)", "round", "secure aggregation", "plain average"] {
            assert!(accuracy.contains(label), "{label}");
        }
        let bytes = bytes_plot(&sample());
        for label in ["KiB, all clients", "round", "MaskedInput", "ShareKeys request"] {
            assert!(bytes.contains(label), "{label}");
        }
    }

    #[test]
    fn a_run_without_rounds_can_be_reported() {
        let report = RunReport { rounds: vec![], ..sample() };
        let scratch = tempfile::tempdir().unwrap();
        write(&report, scratch.path()).unwrap();
        assert!(table(&report).contains("0 of 0 sums exact"));
    }

    #[test]
    fn the_table_is_aligned_and_narrow() {
        let table = table(&sample());
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines.iter().all(|line| line.len() <= 100), "{table}");
        let width = lines[1].len();
        assert!(lines[2..32].iter().all(|line| line.len() == width), "{table}");
        assert!(!lines[1].contains("Con"));
        assert_eq!(lines[32], "");
        assert_eq!(lines[34], "round 7 aborted: 3 clients too few to unmask");
        assert!(lines[35].ends_with("29 of 29 sums exact; 1 of 30 rounds aborted"));
    }

    #[test]
    fn the_consistency_check_has_a_column_where_it_happens() {
        let mut report = sample();
        report.rounds[3].dropped.insert(CONSISTENCY_CHECK.into(), 2);
        let table = table(&report);
        assert!(table.contains("  Mas  Con  Unm  "));
        assert!(table.lines().all(|line| line.len() <= 100), "{table}");
    }

    fn sample() -> RunReport {
        RunReport {
            clients: 40,
            dropout: 0.15,
            degree: None,
            threshold: 27,
            suite: "curious".into(),
            experimental: false,
            seed: 7,
            rounds: (1..=30).map(sample_round).collect(),
            final_accuracy: 0.9583,
            plain_final_accuracy: 0.9611,
            privacy: None,
        }
    }

    fn sample_round(round: u32) -> RoundReport {
        let aborted = round == 7;
        let accuracy = 0.96 - 0.5 / f64::from(round * round);
        let named = |value: fn(f64) -> f64| {
            PROTOCOL_ROUNDS
                .into_iter()
                .filter(|step| *step != CONSISTENCY_CHECK)
                .enumerate()
                .map(move |(i, step)| (step.to_owned(), value(i as f64)))
        };
        RoundReport {
            survivors: if aborted { 0 } else { 34 },
            dropped: named(|i| i).map(|(step, count)| (step, count as u32)).collect(),
            accuracy,
            plain_accuracy: accuracy + if round.is_multiple_of(3) { 0.0028 } else { 0.0 },
            sum_exact: if aborted { None } else { Some(true) },
            aborted: aborted.then(|| "3 clients too few to unmask".into()),
            bytes_up_per_client: 8600.0,
            bytes_down_per_client: 123_456.0,
            seconds: named(|i| 0.1 * (i + 1.0)).collect(),
            bytes_by_message: BTreeMap::from([
                ("AdvertiseKeys request".into(), 2_000),
                ("AdvertiseKeys response".into(), 4_000),
                ("ShareKeys request".into(), 110_000),
                ("ShareKeys response".into(), 190_000),
                ("MaskedInputCollection request".into(), 180_000),
                ("MaskedInputCollection response".into(), 89_000 - 700 * u64::from(round % 5)),
                ("Unmasking request".into(), 6_000),
                ("Unmasking response".into(), 90_000),
            ]),
            epsilon: None,
        }
    }
}
