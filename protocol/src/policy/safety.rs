//! What a client assumes of the others, and how safe a session must be under it (spec §8.3).

use crate::parameters::{Fraction, Model, Question, Verdict};
use crate::{Config, Graph, Refusal, Suite};

/// The greatest degree of a sparse graph that is judged: the planner's work grows with it, and no client of the papers
/// has as many neighbours.
const MAX_DEGREE: u32 = 1 << 20;

/// The assumptions under which the planner, [`crate::parameters`], has to accept a proposal.
///
/// The model follows from the suite and the graph: Bonawitz et al. 2017, curious or active, on the complete graph, Bell
/// et al. 2020 on a regular one. The verdict is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SafetyPolicy {
    /// The fraction of the clients that may be corrupt; c = max(1, ⌈fraction · n⌉). It is one of every cohort that the
    /// server can form, not of the population: a server that picks the cohort can pick the corrupt ones first.
    pub corrupt: Fraction,
    /// The fraction of the clients that may drop out; d = ⌊fraction · n⌋.
    pub dropout: Fraction,
    /// Secure except with probability 2^-security_bits; up to 4096.
    pub security_bits: u32,
    /// Correct except with probability 2^-correctness_bits; up to 4096.
    pub correctness_bits: u32,
    /// The fewest honest inputs in a sum: those without which no share is given, less the corrupt clients. 0 asks for
    /// no more than the planner does.
    pub minimum_honest: u32,
}

impl SafetyPolicy {
    /// 40 bits of security and 20 of correctness, and nothing of the honest inputs.
    pub fn new(corrupt: Fraction, dropout: Fraction) -> Self {
        Self { corrupt, dropout, security_bits: 40, correctness_bits: 20, minimum_honest: 0 }
    }

    /// Checks a proposal; the client itself reckons with `minimum_corrupt` clients or more.
    pub(super) fn check(&self, config: &Config, minimum_corrupt: u32) -> Result<(), Refusal> {
        let question = self.question(config);
        if let Some(neighbours) = question.degree.filter(|&degree| degree > MAX_DEGREE) {
            return Err(Refusal::TooManyNeighbours { neighbours, maximum: MAX_DEGREE });
        }
        let plan = question.answer().map_err(Refusal::NotJudged)?;
        if plan.verdict != Verdict::Accept {
            return Err(Refusal::Unsafe {
                reason: plan.reason,
                threshold: config.threshold,
                corrupt: plan.corrupt,
                dropped: plan.dropped,
                safe: plan
                    .threshold_min
                    .zip(plan.threshold_max)
                    .filter(|(least, greatest)| least <= greatest),
            });
        }
        // No share is given for a sum of fewer inputs than either number, and more may be corrupt than the fraction says
        // where the proposal or this client reckons with more.
        let inputs = config.minimum_survivors.max(config.threshold);
        let proposed = match config.suite {
            Suite::Active { corrupt, .. } => corrupt,
            Suite::Curious => 0,
        };
        let corrupt = plan.corrupt.max(proposed).max(minimum_corrupt);
        match inputs.saturating_sub(corrupt) {
            honest if honest < self.minimum_honest => {
                Err(Refusal::TooFewHonest { honest, corrupt, minimum: self.minimum_honest })
            }
            _ => Ok(()),
        }
    }

    /// The clients that are taken to be corrupt in a proposal.
    pub(super) fn corrupt_of(&self, config: &Config) -> u32 {
        self.question(config).counts().0
    }

    /// The proposal as a question to the planner.
    fn question(&self, config: &Config) -> Question {
        let (model, degree) = match (config.suite, config.graph) {
            (Suite::Curious, Graph::Complete) => (Model::BonawitzCurious, None),
            (Suite::Active { .. }, Graph::Complete) => (Model::BonawitzActive, None),
            (Suite::Curious, Graph::Regular { degree }) => (Model::BellCurious, Some(degree)),
            // No configuration yet; this is its model.
            (Suite::Active { .. }, Graph::Regular { degree }) => (Model::PinnedSet, Some(degree)),
        };
        Question {
            degree,
            threshold: Some(config.threshold),
            security_bits: self.security_bits,
            correctness_bits: self.correctness_bits,
            ..Question::new(model, config.clients, self.corrupt, self.dropout)
        }
    }
}
