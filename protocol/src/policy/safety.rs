//! What a client assumes of the others, and how safe a session must be under it (spec §8.3).

use crate::parameters::{Convention, Fraction, Model, Plan, Question, Verdict};
use crate::{Config, Graph, Refusal, Suite};

/// The greatest degree of a sparse graph that is judged: the planner's work grows with it, and no client of the papers
/// has as many neighbours.
const MAX_DEGREE: u32 = 1 << 20;

/// The assumptions under which the planner, [`crate::parameters`], has to accept a proposal.
///
/// The model follows from the suite and the graph: Bonawitz et al. 2017, curious or active, on the complete graph, Bell
/// et al. 2020 on a regular one, the pinned set on a k-out one. The verdict is exact.
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
    /// no more than the planner does. In the pinned suite this is the floor of A, the honest inputs in *any* sum that can
    /// be computed, and 0 asks for half of what a certificate guarantees.
    pub minimum_honest: u32,
    /// The number R of session ids under which an honest client may draw holders in the pinned suite, for as long as
    /// the security bits have to last: at least honest clients times attempts, unless all rosters are alike.
    ///
    /// `None` refuses that suite, which is experimental.
    pub roots: Option<u64>,
}

impl SafetyPolicy {
    /// 40 bits of security and 20 of correctness, and nothing of the honest inputs.
    pub fn new(corrupt: Fraction, dropout: Fraction) -> Self {
        Self { corrupt, dropout, security_bits: 40, correctness_bits: 20, minimum_honest: 0, roots: None }
    }

    /// Checks a proposal; the client itself reckons with `minimum_corrupt` clients or more.
    pub(super) fn check(&self, config: &Config, minimum_corrupt: u32) -> Result<(), Refusal> {
        let question = self.question(config);
        if let Some(neighbours) = question.degree.filter(|&degree| degree > MAX_DEGREE) {
            return Err(Refusal::TooManyNeighbours { neighbours, maximum: MAX_DEGREE });
        }
        if let Suite::Pinned { corrupt, .. } = config.suite {
            let minimum = self.corrupt_of(config);
            if corrupt < minimum {
                return Err(Refusal::CorruptTooLow { corrupt, minimum });
            }
            // The planner has held every sum to the floor already.
            return judge(&question).map(drop);
        }
        let plan = judge(&question)?;
        // No share is given for a sum of fewer inputs than either number, and more may be corrupt than the fraction says
        // where the proposal or this client reckons with more. A server that lies can name survivors who are in no
        // session with this client; those that sign are, and a threshold of them has to.
        let inputs = match config.suite {
            Suite::Active { .. } => config.threshold,
            _ => config.minimum_survivors.max(config.threshold),
        };
        let corrupt = plan.corrupt.max(config.suite.corrupt().unwrap_or(0)).max(minimum_corrupt);
        match inputs.saturating_sub(corrupt) {
            honest if honest < self.minimum_honest => {
                Err(Refusal::TooFewHonest { honest, corrupt, minimum: self.minimum_honest })
            }
            _ => Ok(()),
        }
    }

    /// Checks the security of a proposal in the pinned suite for the roster that there is: as many corrupt clients weigh
    /// more among fewer. That enough answer is the server's concern.
    pub(super) fn check_roster(&self, config: &Config, members: u32) -> Result<(), Refusal> {
        judge(&self.pinned(config, members, 0)).map(drop)
    }

    /// The clients that are taken to be corrupt in a proposal, by the policy's own fraction.
    pub(super) fn corrupt_of(&self, config: &Config) -> u32 {
        self.corrupt.ceil_of(config.clients).max(1)
    }

    /// The proposal as a question to the planner.
    fn question(&self, config: &Config) -> Question {
        let (model, degree) = match (config.suite, config.graph) {
            (Suite::Active { .. }, _) => (Model::BonawitzActive, None),
            (Suite::Curious, Graph::Complete) => (Model::BonawitzCurious, None),
            (Suite::Curious, Graph::Regular { degree } | Graph::KOut { degree }) => {
                (Model::BellCurious, Some(degree))
            }
            (Suite::Pinned { corrupt, .. }, _) => {
                // Those that are corrupt may fall silent on top.
                let silent = self.dropout.floor_of(config.clients).saturating_add(corrupt);
                return self.pinned(config, config.clients, silent);
            }
        };
        Question {
            degree,
            threshold: Some(config.threshold),
            security_bits: self.security_bits,
            correctness_bits: self.correctness_bits,
            ..Question::new(model, config.clients, self.corrupt, self.dropout)
        }
    }

    /// A proposal in the pinned suite for a roster of `members`, of whom `silent` fall silent.
    fn pinned(&self, config: &Config, members: u32, silent: u32) -> Question {
        let corrupt = config.suite.corrupt().unwrap_or(0);
        Question {
            degree: match config.graph {
                Graph::KOut { degree } => Some(degree),
                _ => None,
            },
            threshold: Some(config.threshold),
            security_bits: self.security_bits,
            correctness_bits: self.correctness_bits,
            min_honest: Some(self.minimum_honest).filter(|&floor| floor > 0),
            roots: self.roots.unwrap_or(u64::MAX),
            // The numbers as they are.
            convention: Convention::Paper,
            ..Question::new(
                Model::PinnedSet,
                members,
                Fraction::of(corrupt, members),
                Fraction::of(silent, members),
            )
        }
    }
}

fn judge(question: &Question) -> Result<Plan, Refusal> {
    let plan = question.answer().map_err(Refusal::NotJudged)?;
    if plan.verdict == Verdict::Accept {
        return Ok(plan);
    }
    Err(Refusal::Unsafe {
        reason: plan.reason,
        threshold: question.threshold.unwrap_or(0),
        corrupt: plan.corrupt,
        dropped: plan.dropped,
        safe: plan.threshold_min.zip(plan.threshold_max).filter(|(least, greatest)| least <= greatest),
    })
}
