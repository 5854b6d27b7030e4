//! `secagg privacy audit`.

use clap::Args;
use secagg::privacy::round_up;
use secagg_transport::privacy::audit::{Audit, Found};
use secagg_transport::privacy::design::{Against, Design, Designer, Question};
use secagg_transport::privacy::loss::Sampling;
use secagg_transport::privacy::scheme::Scheme;

use super::{positive, probability, progress_bar, refusal, warn_of_experiment, whole};
use crate::cli::fields::{Fields, lines, object};
use crate::cli::{Failure, Format, note, print};

/// Attack simulated sums: a lower bound on ε, which must not exceed the claim
///
/// Plans one round for --epsilon, simulates it many times with the real samplers and the real ring, with
/// the victim's vector in the sum and without it, and tries to tell the two apart. What the attack achieves bounds
/// the true ε from below. If that is above the claim the noise is too small, and the exit code is 1.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The claim: ε of one round
    #[arg(long, value_name = "E", default_value = "1", value_parser = positive)]
    epsilon: f64,
    /// δ of the claim; the smaller it is, the farther out in the tails lies what it hides, and the more
    /// trials it takes to see it
    #[arg(long, value_name = "D", default_value = "1e-3", value_parser = probability)]
    delta: f64,
    /// Mechanism
    #[arg(long, value_enum, default_value = "ddg")]
    mechanism: Scheme,
    /// Sums to simulate, at least 1000
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = |text: &str| whole(text, 1000, 100_000_000))]
    trials: u32,
    /// Noise that is drawn, as a multiple of what the claim needs, 0 to 1: 0.5 halves it, 0 switches it off;
    /// centred draws no share below σ = 1.05 but 0
    #[arg(long, value_name = "F", default_value = "1", value_parser = factor)]
    noise_factor: f64,
    /// Honest survivors, each with its share of the noise
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = |text: &str| whole(text, 1, 1000))]
    clients: u32,
    /// Coordinates of a vector, 1 to 65536
    #[arg(long, value_name = "D", default_value_t = 4, value_parser = |text: &str| whole(text, 1, 1 << 16))]
    dimension: u32,
    /// Bits of a coordinate, 1 to 62
    #[arg(long, value_name = "B", default_value_t = 12, value_parser = clap::value_parser!(u8).range(1..=62))]
    bits: u8,
    /// Probability with which the lower bound holds
    #[arg(long, value_name = "P", default_value = "0.99", value_parser = probability)]
    confidence: f64,
    /// Seed of all that is simulated
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// What to print: text or json (one object)
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  secagg privacy audit --epsilon 1
  secagg privacy audit --epsilon 4 --mechanism skellam --trials 1000000 --format json
  secagg privacy audit --epsilon 1 --noise-factor 0.5
      Must fail: with half of the noise the attack shows that the claim is false.

The bound is the best that the attack achieved, not the true ε: so many trials show at most
greatest_bound, whatever the mechanism.";

/// Coordinates of all sums together that are simulated: some hours.
const GREATEST: u64 = 1 << 40;

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let coordinates =
        u64::from(arguments.trials) * u64::from(arguments.clients) * u64::from(arguments.dimension);
    if coordinates > GREATEST {
        return Err(Failure::Usage(format!(
            "trials times clients times dimension is {coordinates}; it may be at most {GREATEST}"
        )));
    }
    let designer = Designer::new(question(arguments)).map_err(refusal)?;
    let design = designer.design(arguments.mechanism, arguments.bits).map_err(refusal)?;
    let audit = Audit {
        scheme: arguments.mechanism,
        encoding: design.encoding,
        noise_factor: arguments.noise_factor,
        trials: arguments.trials,
        delta: arguments.delta,
        confidence: arguments.confidence,
        seed: arguments.seed,
    };
    let bar = progress_bar(u64::from(arguments.trials), "sums");
    let found = audit.run(|made| bar.inc(u64::from(made)));
    bar.finish_and_clear();
    verdict(arguments, &design, &found.map_err(refusal)?)
}

fn question(arguments: &Arguments) -> Question {
    Question {
        clients: arguments.clients,
        dropped: 0,
        corrupt: 0,
        clip: 1.0,
        dimension: arguments.dimension,
        rounds: 1,
        sampling: Sampling::None,
        epsilon: arguments.epsilon,
        delta: arguments.delta,
        against: Against::Server,
        wrap: 6.334e-5,
    }
}

fn verdict(arguments: &Arguments, design: &Design, found: &Found) -> Result<(), Failure> {
    let claim = design.figures.server;
    let refuted = found.epsilon > claim;
    let fields: Fields = vec![
        ("verdict", if refuted { "refuted" } else { "not refuted" }.into()),
        ("mechanism", arguments.mechanism.name().into()),
        ("experimental", arguments.mechanism.is_experimental().into()),
        ("epsilon_claimed", claim.into()),
        ("epsilon_lower_bound", found.epsilon.into()),
        ("confidence", arguments.confidence.into()),
        ("greatest_bound", found.greatest.into()),
        ("delta", arguments.delta.into()),
        ("noise_factor", arguments.noise_factor.into()),
        ("sigma_integer", design.sigma().into()),
        ("trials", arguments.trials.into()),
        ("judged_with", found.judged.into()),
        ("judged_without", found.judged.into()),
        ("threshold", found.threshold.into()),
        ("at_threshold_with", found.with.into()),
        ("at_threshold_without", found.without.into()),
    ];
    print(&match arguments.format {
        Format::Text => lines(&fields),
        Format::Json => object(&fields),
    })?;
    warn_of_experiment(arguments.mechanism);
    if found.greatest < claim {
        note(&format!(
            "so few trials show an ε of at most {:.2}, so they cannot refute {claim:.2}: take more --trials",
            found.greatest
        ));
    }
    if !refuted {
        return Ok(());
    }
    let (bound, claim) = (format!("{:.4}", found.epsilon), round_up(claim, 4));
    Err(Failure::Failed(format!("ε is at least {bound}, and {claim} was claimed: there is too little noise")))
}

fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if (0.0..=1.0).contains(&factor) => Ok(factor),
        _ => Err("give a factor from 0 to 1, such as 0.5".into()),
    }
}
