//! The page's plots, as SVG.

use std::collections::BTreeMap;

use kuva::backend::svg::SvgBackend;
use kuva::plot::gantt::GanttPlot;
use kuva::plot::{LegendPosition, LinePlot, ScatterPlot};
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::palette::Palette;
use kuva::render::plots::Plot;
use kuva::render::render::render_multiple;

use super::formulas::{bonawitz17_bytes, interval, success};
use super::rows::{Group, Row};
use crate::privacy::{self, Figure};
use crate::report::SessionReport;
use crate::scenario::Scenario;

/// Lines of a plot that can be told apart.
const LINES: usize = 6;

/// The plots over all sessions: bytes against clients and coordinates, success against dropout.
pub(super) fn overview(rows: &[Row]) -> String {
    let done: Vec<&Row> = rows.iter().filter(|row| !row.aborted).collect();
    let mut out = String::new();
    if let Some(coordinates) = most(done.iter().map(|row| row.coordinates)) {
        let shown: Vec<&Row> = done.iter().copied().filter(|row| row.coordinates == coordinates).collect();
        out +=
            &figure("Bytes for each input against the number of clients", BYTES, &bytes_by_clients(&shown));
    }
    if let Some(clients) = most(done.iter().map(|row| row.group.clients)) {
        let shown: Vec<&Row> = done.iter().copied().filter(|row| row.group.clients == clients).collect();
        out += &figure("Bytes for each input against the coordinates", BYTES, &bytes_by_coordinates(&shown));
    }
    if !rows.is_empty() {
        out += &figure("Sessions that give a sum against dropout", SUCCESS, &success_by_dropout(rows));
    }
    out
}

const BYTES: &str = "Points are simulated: messages in both directions, of those who dropped out too, divided by the inputs in \
    the sum. The formula is Bonawitz et al. 2017, section 7, for a client on a complete graph that nobody leaves: \
    2n·a_K + (5n − 4)·a_S + m·⌈log₂ R⌉ bits with 256-bit keys and shares. The floor is bits · d / 8: the vector alone.";
const SUCCESS: &str = "Points are simulated, with 95 % intervals (Wilson). Lines are the planner's: on a regular graph its \
    bound on the probability of a sum, on a complete one whether enough clients are left. It counts everyone \
    who leaves as gone before Unmasking. Outages and deadlines are not in it.";

/// The stages of a session on its time line.
pub(super) fn time_line(session: &SessionReport) -> String {
    let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
    let mut gantt = GanttPlot::new().with_bar_height(0.55).with_show_labels(false);
    for round in &session.rounds {
        let at = |time: u64| seconds(round.opened + time);
        let [first, half, most, last] = round.answers;
        let name = round.round.as_str();
        let bars = [
            ("5 % to 95 % of the answers", first, most, PALE),
            ("half to the last answer", half, last, MIDDLE),
            ("the server closes", round.closed, round.ended, DARK),
        ];
        for (label, from, to, color) in bars {
            gantt = gantt.with_colored_task(format!("{name}: {label}"), at(from), at(to.max(from)), color);
        }
    }
    if session.rounds.is_empty() {
        return String::new();
    }
    let plots = vec![Plot::Gantt(gantt)];
    let height = 60.0 + 26.0 * 3.0 * session.rounds.len() as f64;
    let layout = Layout::auto_from_plots(&plots).with_x_label("seconds of virtual time").with_height(height);
    let note = "When the clients' answers came, and how long the server then worked.";
    figure("Time line of the first session", note, &draw(plots, layout))
}

/// The error of the private vector's sum against the bits of a coordinate.
pub(super) fn errors(scenario: &Scenario) -> String {
    let Some(Figure { lines, central }) = privacy::figure(scenario) else { return String::new() };
    let at = || lines.iter().flat_map(|(_, points)| points).map(|(bits, _)| *bits);
    let ends = (at().fold(f64::INFINITY, f64::min), at().fold(0.0, f64::max));
    if ends.0 > ends.1 {
        return String::new();
    }
    let line = |points| LinePlot::new().with_data::<f64, f64, _>(points);
    let flat = line(vec![(ends.0, central), (ends.1, central)]);
    let mut plots =
        vec![Plot::Line(flat.with_color("#888888").with_dashed().with_legend("central Gaussian"))];
    let palette = Palette::tol_muted();
    for (at, (mechanism, points)) in
        lines.into_iter().enumerate().filter(|(_, (_, points))| !points.is_empty())
    {
        let color = palette[at].to_string();
        let dots = ScatterPlot::new().with_data(points.clone()).with_size(4.0);
        plots.push(Plot::Line(line(points).with_color(color.clone()).with_legend(mechanism.name())));
        plots.push(Plot::Scatter(dots.with_color(color)));
    }
    let layout = Layout::auto_from_plots(&plots).with_log_y().with_height(420.0);
    let layout = layout.with_x_label("bits of a coordinate").with_y_label("error of a coordinate of the sum");
    figure("Error of the private sum against bits", ERRORS, &draw(plots, layout))
}

const ERRORS: &str = "The root of the mean square of a coordinate of the decoded sum when all clients answer, as expected: noise,     roundings and wraps. The central Gaussian is what a trusted server would add for the same guarantee. Where a     mechanism has no point its bits are too few for the target.";

const PALE: &str = "#bcd0e8";
const MIDDLE: &str = "#6f9bd1";
const DARK: &str = "#1f4e8c";

fn bytes_by_clients(rows: &[&Row]) -> String {
    let vector = rows.first().map_or(0, |row| row.packed_bytes) as f64;
    let points = rows.iter().map(|row| (graph(row), row.group.clients as f64, row.bytes));
    let at = axis(rows.iter().map(|row| row.group.clients as f64));
    let coordinates = rows.first().map_or(0, |row| row.coordinates);
    let label = format!("clients n, with d = {coordinates}");
    bytes(points, at, &label, |clients| (bonawitz17_bytes(clients, vector * 8.0), vector))
}

fn bytes_by_coordinates(rows: &[&Row]) -> String {
    let clients = rows.first().map_or(0, |row| row.group.clients);
    // Bytes of a coordinate, which sessions of several vectors may mix.
    let each = rows.first().map_or(0.0, |row| row.packed_bytes as f64 / row.coordinates.max(1) as f64);
    let points = rows.iter().map(|row| (graph(row), row.coordinates as f64, row.bytes));
    let at = axis(rows.iter().map(|row| row.coordinates as f64));
    let label = format!("coordinates d, with n = {clients}");
    bytes(points, at, &label, |d| (bonawitz17_bytes(clients as f64, d * each * 8.0), d * each))
}

fn graph(row: &Row) -> String {
    if row.group.complete { "complete".to_owned() } else { format!("degree {}", row.group.degree) }
}

/// Points by graph, and the lines that `theory` gives: the formula and the floor.
fn bytes(
    points: impl Iterator<Item = (String, f64, f64)>,
    at: Vec<f64>,
    label: &str,
    theory: impl Fn(f64) -> (f64, f64),
) -> String {
    let mut by_graph: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for (graph, x, y) in points {
        by_graph.entry(graph).or_default().push((x, y));
    }
    let formula: Vec<(f64, f64)> = at.iter().map(|x| (*x, theory(*x).0)).collect();
    let floor: Vec<(f64, f64)> = at.iter().map(|x| (*x, theory(*x).1)).collect();
    let line = |points| LinePlot::new().with_data::<f64, f64, _>(points);
    let mut plots = vec![
        Plot::Line(line(formula).with_color("#888888").with_dashed().with_legend("Bonawitz17")),
        Plot::Line(line(floor).with_color("#222222").with_dotted().with_legend("bits · d / 8")),
    ];
    let palette = Palette::tol_muted();
    for (at, (graph, points)) in by_graph.into_iter().take(LINES).enumerate() {
        let dots = ScatterPlot::new().with_data(points).with_size(4.0);
        plots.push(Plot::Scatter(dots.with_color(palette[at].to_string()).with_legend(graph)));
    }
    let layout = Layout::auto_from_plots(&plots).with_log_scale();
    draw(plots, layout.with_x_label(label).with_y_label("bytes for each input").with_height(420.0))
}

fn success_by_dropout(rows: &[Row]) -> String {
    let mut groups: BTreeMap<Group, Vec<&Row>> = BTreeMap::new();
    rows.iter().for_each(|row| groups.entry(row.group).or_default().push(row));
    let mut groups: Vec<(Group, Vec<&Row>)> = groups.into_iter().collect();
    groups.sort_by_key(|(group, rows)| (std::cmp::Reverse(rows.len()), *group));
    let palette = Palette::tol_muted();
    let mut plots = Vec::new();
    for (at, (group, rows)) in groups.into_iter().take(LINES).enumerate() {
        let color = palette[at].to_string();
        let bound = |step: u32| {
            let dropout = f64::from(step) / 100.0;
            success(&group, dropout).map(|success| (100.0 * dropout, 100.0 * success))
        };
        let line: Vec<(f64, f64)> = (0..=60).filter_map(bound).collect();
        plots.push(Plot::Line(
            LinePlot::new().with_data(line).with_color(color.clone()).with_legend(group.name()),
        ));
        plots.push(Plot::Scatter(seen(&rows).with_color(color).with_size(4.0)));
    }
    let layout =
        Layout::auto_from_plots(&plots).with_y_axis_min(0.0).with_y_axis_max(105.0).with_x_axis_min(0.0);
    let layout = layout.with_tick_format(TickFormat::Auto).with_height(420.0);
    draw(plots, layout.with_x_label("dropout (%)").with_y_label("sessions with a sum (%)"))
}

/// The share of the sessions that gave a sum, at each dropout.
fn seen(rows: &[&Row]) -> ScatterPlot {
    let mut by_dropout: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
    for row in rows {
        // Probabilities are not negative, so their bits are in their order.
        let (hits, trials) = by_dropout.entry(row.dropout.to_bits()).or_default();
        *hits += usize::from(!row.aborted);
        *trials += 1;
    }
    let mut points = Vec::new();
    let mut errors = Vec::new();
    for (dropout, (hits, trials)) in by_dropout {
        let share = hits as f64 / trials as f64;
        let (low, high) = interval(hits, trials);
        points.push((100.0 * f64::from_bits(dropout), 100.0 * share));
        errors.push((100.0 * (share - low).max(0.0), 100.0 * (high - share).max(0.0)));
    }
    ScatterPlot::new().with_data(points).with_y_err_asymmetric(errors)
}

/// Where lines are drawn: in equal steps of the logarithm, from half of the least to twice the most.
fn axis(values: impl Iterator<Item = f64> + Clone) -> Vec<f64> {
    let least = values.clone().fold(f64::INFINITY, f64::min).max(2.0) / 2.0;
    let most = values.fold(2.0, f64::max) * 2.0;
    (0..=40).map(|step| least * (most / least).powf(f64::from(step) / 40.0)).collect()
}

/// The value that most sessions have.
fn most(values: impl Iterator<Item = u64>) -> Option<u64> {
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(value, _)| value)
}

fn draw(plots: Vec<Plot>, layout: Layout) -> String {
    let layout = layout.with_width(900.0).with_legend_position(LegendPosition::OutsideRightTop);
    SvgBackend::new().render_scene(&render_multiple(plots, layout))
}

fn figure(title: &str, note: &str, svg: &str) -> String {
    // A declaration of XML has no place within a page.
    let svg = svg.find("<svg").and_then(|start| svg.get(start..)).unwrap_or_default();
    format!("<h3>{title}</h3>\n{svg}\n<p class=\"note\">{note}</p>\n")
}
