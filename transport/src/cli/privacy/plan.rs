//! `secagg privacy plan`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use secagg::parameters::Fraction;
use secagg::privacy::{Level, PrivacyError, round_up};
use secagg::sizes::{self, Traffic};
use secagg::{Graph, Suite, VectorSpec};
use secagg_transport::privacy::design::{Against, Design, Designer, Question};
use secagg_transport::privacy::loss::{Figures, Sampling};
use secagg_transport::privacy::scheme::Scheme;
use secagg_transport::privacy::{measure, plot, sizing};
use secagg_transport::{Threshold, write_file};
use serde_json::Value;

use super::{clients, dimension, positive, probability, progress_bar, refusal, warn_of_experiment, whole};
use crate::cli::fields::{Fields, lines, object};
use crate::cli::{Failure, Format, note, print};

/// From a target ε: noise, bits, scale, error and bytes
///
/// The noise is sized for the fewest honest survivors: all clients but those that may drop out and those
/// that may be corrupt. Unless --bits is given, the fewest bits are chosen whose error is within a twentieth of
/// the least of all widths. If no noise meets the target the exit code is 3.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Target ε of all rounds together
    #[arg(long, value_name = "E", value_parser = positive)]
    epsilon: f64,
    /// δ; well below one over the number of people
    #[arg(long, value_name = "D", value_parser = probability)]
    delta: f64,
    /// Clients of a round, 1 to 2^20
    #[arg(long, value_name = "N", value_parser = clients)]
    clients: u32,
    /// Fraction of the clients that may drop out, such as 0.1
    #[arg(long, value_name = "F")]
    dropout: Fraction,
    /// Fraction of the clients that may be corrupt and know their own noise, such as 0.05
    #[arg(long, value_name = "F")]
    corrupt: Fraction,
    /// Greatest Euclidean norm of a client's vector; longer ones are scaled down to it
    #[arg(long, value_name = "C", value_parser = positive)]
    clip: f64,
    /// Coordinates of a vector, 1 to 2^28
    #[arg(long, value_name = "D", value_parser = dimension)]
    dimension: u32,
    /// Rounds, in all of which a client may take part
    #[arg(long, value_name = "R", default_value_t = 1, value_parser = |text: &str| whole(text, 1, u32::MAX))]
    rounds: u32,
    /// How clients are drawn, secretly: none, poisson:RATE or fixed:N/POPULATION
    #[arg(long, default_value = "none")]
    sampling: Sampling,
    /// Who shall learn no more than ε: whoever sees the released sums only, or the server too
    #[arg(long, value_enum, default_value = "server")]
    against: Against,
    /// Mechanism
    #[arg(long, value_enum, default_value = "ddg")]
    mechanism: Scheme,
    /// What becomes of noise that turns out to be too much
    #[arg(long, value_enum, default_value = "over-provision")]
    noise: Surplus,
    /// Bits of a coordinate, 1 to 62 [default: chosen]
    #[arg(long, value_name = "B", value_parser = clap::value_parser!(u8).range(1..=62))]
    bits: Option<u8>,
    /// Probability with which one coordinate of the sum may wrap [default: that of four standard deviations]
    #[arg(long, value_name = "P", default_value_t = FOUR_DEVIATIONS, value_parser = probability)]
    #[arg(hide_default_value = true)]
    wrap: f64,
    /// Neighbours of each client, for the bytes [default: all other clients]
    #[arg(long, value_name = "K")]
    degree: Option<u32>,
    /// Measure the errors of the table as well, by so many simulated sums each
    #[arg(long, value_name = "N", value_parser = |text: &str| whole(text, 1, 1000))]
    measure: Option<u32>,
    /// Seed of the measurement
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Draw the errors of all mechanisms against the bits, as SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// What to print: text or json (one object)
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Surplus {
    /// It stays: who does not drop out adds to the noise
    OverProvision,
    /// It is removed once the survivors are known (not with centred noise yet)
    AddThenRemove,
}

const FOUR_DEVIATIONS: f64 = 6.334e-5;

/// Coordinates of all clients together up to which a sum is simulated: some minutes each.
const GREATEST_MEASURED: u64 = 1 << 32;

/// Coordinates of one vector up to which a sum is simulated: some hundred MiB.
const GREATEST_MEASURED_DIMENSION: u64 = 1 << 22;

const EXAMPLES: &str = "\
Examples:
  secagg privacy plan --epsilon 4 --delta 1e-6 --clients 100 --dropout 0.1 --corrupt 0.05 \\
      --clip 1 --dimension 10000 --rounds 50
  secagg privacy plan --epsilon 2 --delta 1e-7 --clients 1000 --dropout 0.2 --corrupt 0 \\
      --clip 1 --dimension 100000 --rounds 500 --sampling poisson:0.001 --against release \\
      --mechanism skellam --format json
  secagg privacy plan --epsilon 1 --delta 1e-5 --clients 100 --dropout 0 --corrupt 0 \\
      --clip 1 --dimension 4096 --measure 5 --plot errors.svg
  secagg privacy plan --epsilon 4 --delta 1e-6 --clients 100 --dropout 0.3 --corrupt 0.05 \\
      --clip 1 --dimension 10000 --noise add-then-remove

sigma is the noise of one client in the units of --clip, sigma_integer the same times scale, as it is drawn;
variance_units is its square in 2^-16ths; with add-then-remove it is that of the part that always stays, and levels are
the parts that are added for ever fewer survivors. `secagg serve --noise NAME:PLAN.json` runs what --format json prints.
Errors are the root of the mean square of a coordinate when all clients answer; the central Gaussian is what a
trusted server would add for the same ε. The table gives errors as multiples of it; * marks the chosen width.
The column centred is experimental. Sampling lessens ε for whoever sees only the released sums, never for the
server.";

/// A row of the table: the width, and for each mechanism its design and measured error, if there are any.
struct Row {
    bits: u8,
    cells: Vec<Option<(Design, Option<f64>)>>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let question = question(arguments)?;
    let designer = Designer::new(question).map_err(refusal)?;
    let design = match arguments.bits {
        Some(bits) => designer.design(arguments.mechanism, bits),
        None => designer.choose(arguments.mechanism),
    };
    let design = design.map_err(refusal)?;
    let central = designer.central_error();
    let mut rows = table(&designer, design.encoding.task().bits);
    if let Some(repetitions) = arguments.measure {
        fill_in(&mut rows, repetitions, arguments)?;
    }
    let mut fields = fields(arguments, &question, &design, central)?;
    if arguments.noise == Surplus::AddThenRemove {
        fields.extend(both_sizings(arguments, &question, &design).map_err(refusal)?);
    }
    let levels = levels(arguments, &question, &design).map_err(refusal)?;
    print(&match arguments.format {
        Format::Text => lines(&fields) + "\n" + &text_table(&rows, &design, central),
        Format::Json => json(fields, levels, &rows, central),
    })?;
    warn(arguments);
    arguments.plot.as_ref().map_or(Ok(()), |path| {
        let svg = draw(&question, &rows, &design, central);
        write_file(path, svg.as_bytes())
            .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", path.display())))?;
        note(&format!("wrote {}", path.display()));
        Ok(())
    })
}

fn question(arguments: &Arguments) -> Result<Question, Failure> {
    let clients = arguments.clients;
    let question = Question {
        clients,
        dropped: arguments.dropout.floor_of(clients),
        corrupt: arguments.corrupt.floor_of(clients),
        clip: arguments.clip,
        dimension: arguments.dimension,
        rounds: arguments.rounds,
        sampling: arguments.sampling,
        epsilon: arguments.epsilon,
        delta: arguments.delta,
        against: arguments.against,
        wrap: arguments.wrap,
    };
    if question.minimum_honest() == 0 {
        return Err(Failure::Refused(format!(
            "refused: of {clients} clients {} may drop out and {} may be corrupt, which leaves no honest one in the sum; \
             together they must be at most {}",
            question.dropped,
            question.corrupt,
            clients - 1,
        )));
    }
    match arguments.sampling {
        Sampling::Fixed { clients: drawn, .. } if drawn != clients => Err(Failure::Usage(format!(
            "--sampling draws {drawn} clients and --clients says {clients}; give the same"
        ))),
        _ => Ok(question),
    }
}

fn table(designer: &Designer, more: u8) -> Vec<Row> {
    let tables: Vec<_> = Scheme::ALL.map(|scheme| designer.table(scheme, more)).into();
    let widths: Vec<u8> = tables.first().into_iter().flatten().map(|(bits, _)| *bits).collect();
    let mut columns: Vec<_> = tables.into_iter().map(Vec::into_iter).collect();
    let cell =
        |column: &mut std::vec::IntoIter<(u8, Result<Design, _>)>| Some((column.next()?.1.ok()?, None));
    widths.into_iter().map(|bits| Row { bits, cells: columns.iter_mut().map(cell).collect() }).collect()
}

/// Measures every cell of the table.
fn fill_in(rows: &mut [Row], repetitions: u32, arguments: &Arguments) -> Result<(), Failure> {
    let (clients, dimension) = (u64::from(arguments.clients), u64::from(arguments.dimension));
    if clients * dimension > GREATEST_MEASURED || dimension > GREATEST_MEASURED_DIMENSION {
        return Err(Failure::Usage(format!(
            "{clients} vectors of {dimension} coordinates are too many for --measure; it takes up to \
             {GREATEST_MEASURED_DIMENSION} coordinates, and {GREATEST_MEASURED} of all clients"
        )));
    }
    let cells = || rows.iter().flat_map(|row| &row.cells).flatten();
    let bar = progress_bar(cells().count() as u64, "measuring");
    for (design, measured) in rows.iter_mut().flat_map(|row| &mut row.cells).flatten() {
        *measured = Some(measure::error(design, repetitions, arguments.seed).map_err(refusal)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

fn fields(
    arguments: &Arguments,
    question: &Question,
    design: &Design,
    central: f64,
) -> Result<Fields, Failure> {
    let (encoding, clients) = (&design.encoding, f64::from(question.clients));
    let traffic = traffic(arguments, design)?;
    let (server, release) = (design.figures.server, design.figures.release);
    let epsilon = |value: f64| epsilon(arguments, value);
    Ok(vec![
        ("mechanism", design.scheme.name().into()),
        ("experimental", design.scheme.is_experimental().into()),
        ("clients", question.clients.into()),
        ("dimension", question.dimension.into()),
        ("clip", question.clip.into()),
        ("bits", encoding.task().bits.into()),
        ("sigma", encoding.sigma_real().into()),
        ("sigma_integer", design.sigma().into()),
        ("scale", encoding.scale().into()),
        ("epsilon_server", epsilon(server)),
        ("epsilon_release", epsilon(release)),
        ("delta", question.delta.into()),
        ("minimum_survivors", question.minimum_survivors().into()),
        ("minimum_honest_survivors", question.minimum_honest().into()),
        ("error_sum", design.error().into()),
        ("error_sum_central", central.into()),
        ("error_mean", (design.error() / clients).into()),
        ("error_mean_central", (central / clients).into()),
        ("wrap_probability", encoding.wrap_probability().into()),
        ("padded_dimension", encoding.padded_dimension().into()),
        ("norm_bound_integer", encoding.norm_squared().sqrt().into()),
        ("norm_squared", encoding.greatest_sum_of_squares().into()),
        ("variance_units", encoding.variance().map_err(refusal)?.units().into()),
        ("bytes_up_per_client", traffic.up.into()),
        ("bytes_down_per_client", traffic.down.into()),
    ])
}

/// What noise that stays comes to, beside noise of which the surplus is removed.
fn both_sizings(arguments: &Arguments, question: &Question, design: &Design) -> Result<Fields, PrivacyError> {
    let (stays, removed) =
        (sizing::over_provision(question, design)?, sizing::add_then_remove(question, design)?);
    let epsilon = |figures: Figures| epsilon(arguments, question.against.of(figures));
    Ok(vec![
        ("components", removed.components.into()),
        ("error_all_answer_over_provision", stays.error_all.into()),
        ("error_all_answer_add_then_remove", removed.error_all.into()),
        ("epsilon_all_answer_over_provision", epsilon(stays.all)),
        ("epsilon_all_answer_add_then_remove", epsilon(removed.all)),
        ("epsilon_fewest_answer_over_provision", epsilon(stays.fewest)),
        ("epsilon_fewest_answer_add_then_remove", epsilon(removed.fewest)),
    ])
}

/// JSON keeps all digits, which are rounded up already; fewer are rounded up again.
fn epsilon(arguments: &Arguments, value: f64) -> Value {
    match arguments.format {
        Format::Text => round_up(value, 4).into(),
        Format::Json => value.into(),
    }
}

/// Bytes of a client in one round that nobody leaves.
fn traffic(arguments: &Arguments, design: &Design) -> Result<Traffic, Failure> {
    let graph = arguments.degree.map_or(Graph::Complete, |degree| Graph::Regular { degree });
    let encoding = &design.encoding;
    let config = secagg::Config {
        suite: Suite::Curious,
        graph,
        clients: arguments.clients,
        threshold: Threshold::Default.of(Suite::Curious, graph, arguments.clients),
        minimum_survivors: 1,
        vectors: vec![VectorSpec::new("vector", encoding.padded_dimension(), encoding.task().bits)],
        task: [0; 32],
        nonce: [0; 32],
    };
    config.check().map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(sizes::per_client(&config))
}

fn text_table(rows: &[Row], design: &Design, central: f64) -> String {
    let measured = rows.iter().flat_map(|row| &row.cells).flatten().any(|(_, measured)| measured.is_some());
    let column =
        |name: &str| if measured { format!("{name:>12}{:>10}", "measured") } else { format!("{name:>12}") };
    let mut text = format!("{:>6} {:>12}", "bits", "KiB");
    text += &(Scheme::ALL.map(|scheme| column(scheme.name())).concat() + "\n");
    let ratio = |error: f64| format!("{:.3}", error / central);
    for row in rows {
        let chosen = if row.bits == design.encoding.task().bits { "*" } else { " " };
        let kib = f64::from(design.encoding.padded_dimension()) * f64::from(row.bits) / 8192.0;
        text += &format!("{chosen:>2}{:>4} {kib:>12.1}", row.bits);
        for cell in &row.cells {
            let expected = cell.as_ref().map_or("-".into(), |(design, _)| ratio(design.error()));
            let found = cell.as_ref().and_then(|(_, found)| found.map(ratio)).unwrap_or("-".into());
            text += &if measured { format!("{expected:>12}{found:>10}") } else { format!("{expected:>12}") };
        }
        text += "\n";
    }
    text + "       centred is experimental: nobody outside of this project has checked its proof\n"
}

/// The components of a client's noise, as `serve` reads them: the first replaces the whole share.
fn levels(
    arguments: &Arguments,
    question: &Question,
    design: &Design,
) -> Result<Option<(u64, Value)>, PrivacyError> {
    if arguments.noise == Surplus::OverProvision {
        return Ok(None);
    }
    let plan = sizing::removal(question, design)?;
    let one =
        |level: &Level| serde_json::json!({"survivors": level.survivors, "variance_units": level.variance});
    Ok(Some((plan.first().units(), plan.levels()?.iter().map(one).collect())))
}

fn json(mut fields: Fields, levels: Option<(u64, Value)>, rows: &[Row], central: f64) -> String {
    if let Some((first, levels)) = levels {
        fields.retain(|(name, _)| *name != "variance_units");
        fields.extend([("variance_units", first.into()), ("levels", levels)]);
    }
    let cell = |row: &Row, (design, measured): &(Design, Option<f64>)| {
        serde_json::json!({
            "bits": row.bits,
            "mechanism": design.scheme.name(),
            "experimental": design.scheme.is_experimental(),
            "sigma_integer": design.sigma(),
            "scale": design.encoding.scale(),
            "error_sum": design.error(),
            "error_sum_measured": measured,
            "error_over_central": design.error() / central,
            "wrap_probability": design.encoding.wrap_probability(),
        })
    };
    let cells = rows.iter().flat_map(|row| row.cells.iter().flatten().map(|found| cell(row, found)));
    fields.push(("table", cells.collect()));
    object(&fields)
}

fn draw(question: &Question, rows: &[Row], design: &Design, central: f64) -> String {
    let point = |row: &Row, error: f64| (f64::from(row.bits), error);
    let line = |(index, scheme): (usize, Scheme)| {
        let cells = || rows.iter().filter_map(|row| Some((row, row.cells.get(index)?.as_ref()?)));
        plot::Line {
            name: scheme.label(),
            expected: cells().map(|(row, (design, _))| point(row, design.error())).collect(),
            measured: cells().filter_map(|(row, (_, found))| Some(point(row, (*found)?))).collect(),
        }
    };
    let lines: Vec<plot::Line> = (0..).zip(Scheme::ALL).map(line).collect();
    let subtitle = format!(
        "{} clients, at least {} honest survivors, {} coordinates, clip {}, rounds {}, ε = {}, δ = {:e}",
        question.clients,
        question.minimum_honest(),
        question.dimension,
        question.clip,
        question.rounds,
        question.epsilon,
        question.delta,
    );
    let chosen = (f64::from(design.encoding.task().bits), design.error());
    plot::errors(&lines, central, Some(chosen), &subtitle)
}

fn warn(arguments: &Arguments) {
    warn_of_experiment(arguments.mechanism);
    if arguments.delta * f64::from(arguments.clients) >= 1.0 {
        note("δ is not below one over the number of clients: it allows one of them to be shown in the clear");
    }
    if arguments.against == Against::Release {
        note(
            "the target is met for the released sums only: against the server, epsilon_server is what holds",
        );
    }
}
