//! What others' formulas and the planner say, to draw beside what was simulated.

use secagg::parameters::{Convention, Model, Question, Reason};

use super::rows::Group;

/// Bytes that a client sends and receives in Bonawitz et al. 2017 (section 7, communication of a user): 2n·a_K +
/// (5n − 4)·a_S + m·⌈log₂ R⌉ bits, with keys and shares of 256 bits; `vector_bits` is m·⌈log₂ R⌉.
pub fn bonawitz17_bytes(clients: f64, vector_bits: f64) -> f64 {
    (2.0 * clients * 256.0 + (5.0 * clients - 4.0) * 256.0 + vector_bits) / 8.0
}

/// The planner's bound: the least probability with which a session gives its sum if this share of its clients drops
/// out; none if the question cannot be asked.
pub(super) fn success(group: &Group, dropout: f64) -> Option<f64> {
    let model = if group.complete { Model::BonawitzCurious } else { Model::BellCurious };
    let fraction = |share: f64| format!("{share:.4}").parse().ok();
    let question = Question {
        degree: Some(u32::try_from(group.degree).ok()?),
        threshold: Some(u32::try_from(group.threshold).ok()?),
        convention: Convention::Paper,
        ..Question::new(model, u32::try_from(group.clients).ok()?, fraction(0.0)?, fraction(dropout)?)
    };
    let plan = question.answer().ok()?;
    match plan.log2_correctness {
        Some(log2) => Some(1.0 - log2.exp2().min(1.0)),
        // The complete graph has no chance in it.
        None => Some(if plan.reasons.contains(&Reason::Incorrect) { 0.0 } else { 1.0 }),
    }
}

/// A 95 % interval of a probability of which `hits` of `trials` were seen (Wilson's score).
pub(super) fn interval(hits: usize, trials: usize) -> (f64, f64) {
    let (trials, z) = (trials.max(1) as f64, 1.96);
    let share = hits as f64 / trials;
    let middle = (share + z * z / (2.0 * trials)) / (1.0 + z * z / trials);
    let spread = (share * (1.0 - share) / trials + z * z / (4.0 * trials * trials)).sqrt();
    let spread = z * spread / (1.0 + z * z / trials);
    ((middle - spread).max(0.0), (middle + spread).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paper's abstract: 1.73× for 2^10 users and 2^20 values of 16 bits, 1.98× for 2^14 and 2^24.
    #[test]
    fn the_formula_gives_the_expansions_of_the_papers_abstract() {
        let expansion = |users: u32, values: u32| {
            let (clients, coordinates) = (2_f64.powi(users as i32), 2_f64.powi(values as i32));
            let bits = f64::from(16 + users);
            bonawitz17_bytes(clients, coordinates * bits) / (coordinates * 2.0)
        };
        assert!((expansion(10, 20) - 1.73).abs() < 0.005, "{}", expansion(10, 20));
        assert!((expansion(14, 24) - 1.98).abs() < 0.005, "{}", expansion(14, 24));
    }

    #[test]
    fn the_planner_falls_where_the_threshold_is() {
        let complete = Group { complete: true, clients: 100, degree: 99, threshold: 67 };
        assert_eq!(success(&complete, 0.33), Some(1.0));
        assert_eq!(success(&complete, 0.34), Some(0.0));
        let regular = Group { complete: false, clients: 1000, degree: 36, threshold: 18 };
        assert!(success(&regular, 0.1).unwrap() > 0.999_999);
        assert_eq!(success(&regular, 0.7), Some(0.0));
    }

    #[test]
    fn the_interval_holds_the_share() {
        let (low, high) = interval(9, 10);
        assert!(0.5 < low && low < 0.9 && 0.9 < high && high < 1.0, "{low} {high}");
    }
}
