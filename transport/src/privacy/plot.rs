//! The error of the decoded sum against the bits of a coordinate, as SVG.

use kuva::backend::svg::SvgBackend;
use kuva::plot::{LegendPosition, LinePlot, LineStyle, ScatterPlot};
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;
use kuva::render::render::render_multiple;

/// One mechanism's errors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// The mechanism's name.
    pub name: String,
    /// Bits of a coordinate and the expected error.
    pub expected: Vec<(f64, f64)>,
    /// Bits of a coordinate and the measured error; may be empty.
    pub measured: Vec<(f64, f64)>,
}

/// Draws the lines, on a logarithmic scale of errors above the central Gaussian's, which is dashed.
pub fn errors(lines: &[Line], central: f64, chosen: Option<(f64, f64)>, subtitle: &str) -> String {
    let points = || lines.iter().flat_map(|line| line.expected.iter().chain(&line.measured));
    let (first, last) =
        points().fold((f64::INFINITY, 0.0f64), |(first, last), (x, _)| (first.min(*x), last.max(*x)));
    let mut plots = vec![Plot::Line(
        LinePlot::new()
            .with_data(vec![(first, central), (last, central)])
            .with_color(GREY)
            .with_line_style(LineStyle::Dashed)
            .with_legend("central Gaussian"),
    )];
    for (line, (color, width)) in lines.iter().zip(STROKES.into_iter().cycle()) {
        if line.expected.is_empty() {
            continue;
        }
        let expected = LinePlot::new().with_data(line.expected.clone()).with_color(color);
        let legend = format!("{}, expected", line.name);
        plots.push(Plot::Line(expected.with_stroke_width(width).with_legend(legend)));
        if !line.measured.is_empty() {
            let measured = ScatterPlot::new().with_data(line.measured.clone()).with_color(color);
            let legend = format!("{}, measured", line.name);
            plots.push(Plot::Scatter(measured.with_size(2.0 + width / 2.0).with_legend(legend)));
        }
    }
    if let Some(chosen) = chosen {
        let ring = ScatterPlot::new().with_data(vec![chosen]).with_color(BLACK).with_size(6.0);
        plots.push(Plot::Scatter(ring.with_legend("chosen")));
    }
    let layout = Layout::auto_from_plots(&plots)
        .with_title("Error of the decoded sum against the width of the ring")
        .with_subtitle(subtitle)
        .with_x_label("bits of a coordinate")
        .with_y_label("root mean square error of a coordinate")
        .with_x_tick_step(1.0)
        .with_log_y()
        .with_width(900.0)
        .with_height(480.0)
        .with_legend_position(LegendPosition::OutsideRightTop);
    SvgBackend::new().render_scene(&render_multiple(plots, layout))
}

/// Colours and widths: lines that nearly coincide lie on one another, the widest below.
const STROKES: [(&str, f64); 3] = [("#92c5de", 9.0), ("#d6604d", 4.0), ("#053061", 1.5)];
const GREY: &str = "#888888";
const BLACK: &str = "#000000";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_axes_are_named() {
        let line = |name: &str| Line {
            name: name.into(),
            expected: vec![(6.0, 9.0), (7.0, 2.0)],
            measured: vec![(6.0, 9.1), (7.0, 2.1)],
        };
        let svg =
            errors(&[line("ddg"), line("skellam"), Line::default()], 1.5, Some((7.0, 2.0)), "100 clients");
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"));
        for label in [
            "bits of a coordinate",
            "ddg, expected",
            "skellam, measured",
            "central Gaussian",
            "chosen",
            "100 clients",
        ] {
            assert!(svg.contains(label), "{label}");
        }
    }

    #[test]
    fn a_single_point_can_be_drawn() {
        let line = Line { name: "ddg".into(), expected: vec![(6.0, 9.0)], measured: vec![] };
        assert!(errors(&[line], 1.5, None, "").ends_with("</svg>"));
    }
}
