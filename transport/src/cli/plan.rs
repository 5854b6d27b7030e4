//! `secagg plan`.

use clap::{Args, ValueEnum};
use secagg::parameters::{Fraction, Model, Plan, Question, Reason, Verdict};
use secagg::{Authority, Config, Graph, Suite, VectorSpec, sizes};

use super::fields::{Fields, lines, object};
use super::{Failure, Format, note, print};

/// Find the smallest safe degree and threshold, or judge a pair
///
/// Secure: except with probability 2^-S (--security-bits), the server and the corrupt clients learn
/// one sum over enough honest clients and nothing else. Correct: except with probability 2^-C
/// (--correctness-bits), the sum comes out. The verdict is exact. If nothing is safe the reason is
/// printed and the exit code is 3.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Clients, 2 to 2^30
    #[arg(long, value_name = "N")]
    clients: u32,
    /// Fraction of the clients that may be corrupt, such as 0.05; at least one client always is
    #[arg(long, value_name = "F")]
    corrupt: Fraction,
    /// Fraction of the clients that may drop out, such as 0.1
    #[arg(long, value_name = "F")]
    dropout: Fraction,
    /// Whether the server and the corrupt clients follow the protocol
    #[arg(long, value_enum, default_value = "curious")]
    suite: PlannedSuite,
    /// Who shares with whom [default: complete, or sparse if there is a --degree]
    #[arg(long, value_enum)]
    graph: Option<PlannedGraph>,
    /// Bits of security
    #[arg(long, value_name = "S", default_value_t = 40)]
    security_bits: u32,
    /// Bits of correctness
    #[arg(long, value_name = "C", default_value_t = 20)]
    correctness_bits: u32,
    /// Neighbours of each client [default: the fewest that are safe]
    #[arg(long, value_name = "K")]
    degree: Option<u32>,
    /// Shares that rebuild a secret [default: the fewest that are safe]
    #[arg(long, value_name = "T")]
    threshold: Option<u32>,
    /// Honest inputs that any revealed sum must hold [default: 1; for pinned half of what a
    /// certificate guarantees]
    #[arg(long, value_name = "M")]
    min_honest: Option<u32>,
    /// Session ids under which honest clients may draw, attempts times rounds (pinned)
    #[arg(long, value_name = "R", default_value_t = 1)]
    roots: u64,
    /// Coordinates of the vector, for the bytes
    #[arg(long, value_name = "D", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    dimension: u32,
    /// Bits of a coordinate, 1 to 62, for the bytes
    #[arg(long, value_name = "B", default_value_t = 32, value_parser = clap::value_parser!(u8).range(1..=62))]
    bits: u8,
    /// What to print: text or json (one object)
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  secagg plan --clients 1000 --corrupt 0.05 --dropout 0.1 --graph sparse
  secagg plan --clients 1000 --corrupt 0.2 --dropout 0.2 --degree 100 --threshold 40
  secagg plan --clients 100 --corrupt 0.33 --dropout 0.3 --suite active --format json

A dash, null in JSON, stands for what there is none of: log2_security and log2_correctness where
nothing is left to chance. The bytes are those of a session that nobody leaves; expansion is bytes
up over the bytes of the bare vector.

--suite active answers for Bonawitz et al. 2017 on the complete graph. On a sparse graph it is the
suite pinned, which is experimental: silent corrupt clients count as dropped, and the figures are
for all of --clients. Who expects some to leave before they advertise keys asks for fewer as well.";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlannedSuite {
    /// All follow the protocol and pool what they see
    Curious,
    /// None does
    Active,
    /// None does, on a sparse graph; experimental
    Pinned,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlannedGraph {
    /// Everyone with everyone
    Complete,
    /// Everyone with a few others
    Sparse,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let question = question(&arguments);
    let plan = question.answer().map_err(|error| Failure::Usage(error.to_string()))?;
    let fields = fields(&arguments, question.model, &plan);
    print(&match arguments.format {
        Format::Text => lines(&fields),
        Format::Json => object(&fields),
    })?;
    if question.model == Model::PinnedSet {
        note("the suite pinned is experimental: its theorem has had no outside review");
    }
    match plan.verdict {
        Verdict::Accept => Ok(()),
        Verdict::Refuse => Err(Failure::Refused(format!(
            "refused, {}: {}",
            plan.reason,
            explanation(&question, plan.reason)
        ))),
    }
}

fn question(arguments: &Arguments) -> Question {
    let model = match (arguments.suite, graph(arguments)) {
        (PlannedSuite::Curious, PlannedGraph::Complete) => Model::BonawitzCurious,
        (PlannedSuite::Curious, PlannedGraph::Sparse) => Model::BellCurious,
        (PlannedSuite::Active, PlannedGraph::Complete) => Model::BonawitzActive,
        (PlannedSuite::Active, PlannedGraph::Sparse) | (PlannedSuite::Pinned, _) => Model::PinnedSet,
    };
    Question {
        security_bits: arguments.security_bits,
        correctness_bits: arguments.correctness_bits,
        degree: arguments.degree,
        threshold: arguments.threshold,
        min_honest: arguments.min_honest,
        roots: arguments.roots,
        ..Question::new(model, arguments.clients, arguments.corrupt, arguments.dropout)
    }
}

fn graph(arguments: &Arguments) -> PlannedGraph {
    let sparse = arguments.degree.is_some() || arguments.suite == PlannedSuite::Pinned;
    let usual = if sparse { PlannedGraph::Sparse } else { PlannedGraph::Complete };
    arguments.graph.unwrap_or(usual)
}

fn fields(arguments: &Arguments, model: Model, plan: &Plan) -> Fields {
    let traffic = config(arguments, plan).map(|config| sizes::per_client(&config));
    let bare = f64::from(arguments.dimension) * f64::from(arguments.bits) / 8.0;
    let log2 = |log2: Option<f64>| log2.map(rounded).into();
    vec![
        ("verdict", plan.verdict.to_string().into()),
        ("reason", plan.reason.to_string().into()),
        ("degree", plan.degree.into()),
        ("threshold", plan.threshold.into()),
        ("threshold_min", plan.threshold_min.into()),
        ("threshold_max", plan.threshold_max.into()),
        ("min_honest", plan.min_honest.into()),
        ("log2_security", log2(plan.log2_security)),
        ("log2_correctness", log2(plan.log2_correctness)),
        ("bytes_up_per_client", traffic.map(|traffic| traffic.up).into()),
        ("bytes_down_per_client", traffic.map(|traffic| traffic.down).into()),
        ("expansion", traffic.map(|traffic| rounded(traffic.up as f64 / bare)).into()),
        ("model", name(model).into()),
        ("experimental", (model == Model::PinnedSet).into()),
        ("corrupt", plan.corrupt.into()),
        ("dropped", plan.dropped.into()),
    ]
}

fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

/// The session that the plan speaks of, if there is one and this version can run it.
fn config(arguments: &Arguments, plan: &Plan) -> Option<Config> {
    // The bytes do not depend on who the authority is.
    let active = Suite::Active { corrupt: plan.corrupt, authority: Authority::new([0; 32]).public() };
    let (suite, graph) = match (arguments.suite, graph(arguments)) {
        (PlannedSuite::Active, PlannedGraph::Sparse) | (PlannedSuite::Pinned, _) => {
            let authority = Authority::new([0; 32]).public();
            (Suite::Pinned { corrupt: plan.corrupt, authority }, Graph::KOut { degree: plan.degree? })
        }
        (PlannedSuite::Active, PlannedGraph::Complete) => (active, Graph::Complete),
        (PlannedSuite::Curious, PlannedGraph::Complete) => (Suite::Curious, Graph::Complete),
        (PlannedSuite::Curious, PlannedGraph::Sparse) => {
            (Suite::Curious, Graph::Regular { degree: plan.degree? })
        }
    };
    let config = Config {
        suite,
        graph,
        clients: arguments.clients,
        threshold: plan.threshold?,
        minimum_survivors: plan.threshold?,
        vectors: vec![VectorSpec::new("vector", arguments.dimension, arguments.bits)],
        task: [0; 32],
        nonce: [0; 32],
    };
    config.check().is_ok().then_some(config)
}

fn name(model: Model) -> &'static str {
    match model {
        Model::BonawitzCurious => "Bonawitz et al. 2017, curious, complete graph",
        Model::BonawitzActive => "Bonawitz et al. 2017, active, complete graph",
        Model::BellCurious => "Bell et al. 2020, curious, Harary graph",
        Model::PinnedSet => "pinned set, active, random graph",
        _ => "",
    }
}

fn explanation(question: &Question, reason: Reason) -> &'static str {
    let searched = question.degree.is_none();
    match reason {
        Reason::Ok => "nothing is wrong",
        Reason::Degree if searched => {
            "no degree has a threshold that is both secure and correct; with few clients use --graph complete"
        }
        Reason::Degree => "no such graph has this degree",
        Reason::ThresholdRange if question.threshold.is_none() => {
            "no threshold is both secure and correct: too many clients may be corrupt or drop out"
        }
        Reason::ThresholdRange => "the threshold is not between 1 and the number of holders of a secret",
        Reason::Quorum => "a quorum of signatures is not certain when so many drop out or fall silent",
        Reason::Insecure => "the threshold is too low: the chance of a disclosure is above the limit",
        Reason::Incorrect => "the threshold is too high: the chance that no sum comes out is above the limit",
        Reason::MinHonest => "a revealed sum may hold fewer honest inputs than --min-honest",
        _ => "it is not safe",
    }
}
