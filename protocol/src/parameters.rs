//! The planner: which degree and threshold are safe, by computation (spec §8).
//!
//! A session is *secure* if, except with probability 2^-σ, no coalition of the server and c corrupt clients
//! learns more than one sum over enough honest clients; it is *correct* if, except with probability 2^-η, the sum
//! comes out although d clients have dropped. A [`Question`] names the model and the numbers; its [`Plan`] is
//! the smallest degree that is both, with all thresholds that are safe there, or the reason why there is none.
//! There is no "closest" answer.
//!
//! # How the verdict is exact
//! The probabilities are rational numbers whose numerators have too many digits to write out for large n. Each is
//! therefore enclosed between two numbers of 128 significant bits, rounded outwards at every step; if both are on
//! one side of 2^-σ, so is the exact number. If they are not, the fraction is computed in integers of any size and
//! compared. Only where the pinned set's sum over groups would have more than 2^20 binary digits does a tie that
//! the bounds leave open count against acceptance. No floating-point number takes part in a verdict; the
//! logarithms of a plan are for people.
//!
//! ```
//! use secagg::parameters::{Model, Question, Verdict};
//!
//! let question = Question::new(Model::BellCurious, 1000, "0.05".parse()?, "0.1".parse()?);
//! let plan = question.answer()?;
//! assert_eq!(plan.verdict, Verdict::Accept);
//! assert_eq!((plan.degree, plan.threshold), (Some(36), Some(18)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod binomial;
mod bounds;
mod complete;
mod exact;
mod fraction;
mod harary;
mod hypergeometric;
mod pinned;
mod scaled;
mod setting;
mod sparse;

use std::fmt;

use bounds::Bounds;
use complete::Complete;
pub use fraction::{Fraction, FractionError};
use harary::Harary;
use pinned::Pinned;
use setting::{Figures, Range, Setting};
use sparse::Sparse;

const MAX_CLIENTS: u32 = 1 << 30;
const MAX_BITS: u32 = 4096;

/// A protocol, its graph and its adversary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Model {
    /// The complete graph, server and clients curious: Bonawitz et al. 2017, theorem 6.3. Secure for t > c.
    BonawitzCurious,
    /// The complete graph, server and clients active, with ConsistencyCheck and a public-key infrastructure:
    /// Bonawitz et al. 2017, theorem 6.5. Secure for 2t > n + c.
    BonawitzActive,
    /// A Harary graph under random labels, server and clients curious: Bell et al. 2020, definition of a good
    /// graph.
    BellCurious,
    /// The same graph when the server may tell two stories about one survivor. It is one condition of an active
    /// adversary and not security against one.
    BellEquivocation,
    /// The pinned set: k random holders for each client, one certified survivor set, an active server.
    /// Experimental: its proof is this project's own and has had no outside reader.
    PinnedSet,
}

/// How fractions become numbers of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Convention {
    /// As a client's policy has it: c = max(1, ⌈γn⌉) corrupt clients, d = ⌊δn⌋ dropped ones; in the pinned set
    /// the corrupt ones may fall silent beside those.
    Policy,
    /// As the papers have it: c = ⌊γn⌋, d = ⌊δn⌋.
    Paper,
}

/// A question to the planner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The protocol, its graph and its adversary.
    pub model: Model,
    /// Clients n, 2 to 2^30.
    pub clients: u32,
    /// The fraction γ of the clients that may be corrupt.
    pub corrupt: Fraction,
    /// The fraction δ of the clients that may drop out.
    pub dropout: Fraction,
    /// How fractions become numbers of clients.
    pub convention: Convention,
    /// σ: secure except with probability 2^-σ; up to 4096.
    pub security_bits: u32,
    /// η: correct except with probability 2^-η; up to 4096.
    pub correctness_bits: u32,
    /// Neighbours of a client, itself not counted; the smallest that is safe if `None`.
    pub degree: Option<u32>,
    /// Shares that reconstruct a secret; the smallest that is safe if `None`. On a sparse graph it needs a degree.
    pub threshold: Option<u32>,
    /// The number of honest inputs that any revealed sum must hold. If `None`: 1, and in the pinned set half of
    /// what its certificate guarantees on the complete graph.
    pub min_honest: Option<u32>,
    /// The number R of roots under which an honest client may draw a graph, at least 1: attempts times rounds.
    /// Only the pinned set asks.
    pub roots: u64,
}

impl Question {
    /// Asks for the smallest safe degree at 40 bits of security and 20 of correctness, as a client's policy.
    pub fn new(model: Model, clients: u32, corrupt: Fraction, dropout: Fraction) -> Self {
        Self {
            model,
            clients,
            corrupt,
            dropout,
            convention: Convention::Policy,
            security_bits: 40,
            correctness_bits: 20,
            degree: None,
            threshold: None,
            min_honest: None,
            roots: 1,
        }
    }

    /// The numbers of clients that may be corrupt and that may drop out.
    pub fn counts(&self) -> (u32, u32) {
        let dropped = self.dropout.floor_of(self.clients);
        match self.convention {
            Convention::Paper => (self.corrupt.floor_of(self.clients), dropped),
            Convention::Policy => {
                let corrupt = self.corrupt.ceil_of(self.clients).max(1);
                let silent = if self.model == Model::PinnedSet { corrupt } else { 0 };
                (corrupt, dropped.saturating_add(silent).min(self.clients))
            }
        }
    }

    /// Searches, or judges what is given.
    ///
    /// The work grows with the degree rather than with the number of clients: milliseconds for 10^9 clients of whom
    /// half are corrupt or drop out, seconds if 99 % are. Only between that and all of them it can be minutes.
    ///
    /// # Errors
    /// If the question cannot be asked. A plan that refuses is an answer and no error.
    pub fn answer(&self) -> Result<Plan, QuestionError> {
        self.check()?;
        let setting = Setting::of(self);
        Ok(match self.model {
            Model::BonawitzCurious => self.complete(Complete { setting, active: false }),
            Model::BonawitzActive => self.complete(Complete { setting, active: true }),
            Model::BellCurious => self.sparse(&Harary { setting, equivocation: false }, Vec::new()),
            Model::BellEquivocation => self.sparse(&Harary { setting, equivocation: true }, Vec::new()),
            Model::PinnedSet => {
                let pinned = Pinned { setting };
                let hopeless = if pinned.has_quorum() { Vec::new() } else { vec![Reason::Quorum] };
                self.sparse(&pinned, hopeless)
            }
        })
    }

    fn check(&self) -> Result<(), QuestionError> {
        if !(2..=MAX_CLIENTS).contains(&self.clients) {
            return Err(QuestionError::Clients(self.clients));
        }
        if self.security_bits > MAX_BITS || self.correctness_bits > MAX_BITS {
            return Err(QuestionError::Bits);
        }
        if self.roots == 0 {
            return Err(QuestionError::Roots);
        }
        let complete = matches!(self.model, Model::BonawitzCurious | Model::BonawitzActive);
        if !complete && self.threshold.is_some() && self.degree.is_none() {
            return Err(QuestionError::ThresholdWithoutDegree);
        }
        Ok(())
    }

    fn complete(&self, graph: Complete) -> Plan {
        let degree = self.degree.map_or(graph.degree(), u64::from);
        let range = graph.range();
        let threshold = self.threshold.map(u64::from).or(range.least());
        let found = match threshold {
            Some(threshold) => graph.figures(degree, threshold),
            None => Figures::refusing([Reason::ThresholdRange]),
        };
        self.plan(Some(degree), threshold, range, found)
    }

    fn sparse(&self, graph: &impl Sparse, hopeless: Vec<Reason>) -> Plan {
        let nothing = Range { min: None, max: None };
        let Some(degree) = self.degree.map(u64::from) else {
            let degree = if hopeless.is_empty() { graph.search() } else { None };
            let Some(degree) = degree else {
                let reasons = hopeless.into_iter().chain([Reason::Degree, Reason::ThresholdRange]);
                return self.plan(None, None, nothing, Figures::refusing(reasons));
            };
            let range = graph.range(degree);
            return self.judged(graph, degree, range.least(), range);
        };
        let range =
            if (1..u64::from(self.clients)).contains(&degree) { graph.range(degree) } else { nothing };
        self.judged(graph, degree, self.threshold.map(u64::from).or(range.least()), range)
    }

    fn judged(&self, graph: &impl Sparse, degree: u64, threshold: Option<u64>, range: Range) -> Plan {
        let found = match threshold {
            Some(threshold) => graph.figures(degree, threshold),
            None => Figures::refusing([Reason::ThresholdRange]),
        };
        self.plan(Some(degree), threshold, range, found)
    }

    fn plan(&self, degree: Option<u64>, threshold: Option<u64>, range: Range, found: Figures) -> Plan {
        let number = |number: u64| number.min(u32::MAX.into()) as u32;
        let (corrupt, dropped) = self.counts();
        let accepted = found.reasons.is_empty();
        Plan {
            verdict: if accepted { Verdict::Accept } else { Verdict::Refuse },
            reason: found.reasons.first().copied().unwrap_or(Reason::Ok),
            reasons: found.reasons,
            corrupt,
            dropped,
            degree: degree.map(number),
            threshold: threshold.map(number),
            threshold_min: range.min.map(number),
            threshold_max: range.max.map(number),
            min_honest: number(found.min_honest),
            log2_share: found.share.map(Bounds::log2),
            log2_graph: found.graph.map(Bounds::log2),
            log2_security: found.security.map(Bounds::log2),
            log2_correctness: found.correctness.map(Bounds::log2),
        }
    }
}

/// Whether a session may be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It is secure and correct.
    Accept,
    /// It is not, or nothing is.
    Refuse,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accept => "accept",
            Self::Refuse => "refuse",
        })
    }
}

/// Why a plan is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Nothing is wrong.
    Ok,
    /// Of a pair: no such graph has this degree. Of a search: no degree is safe.
    Degree,
    /// Of a pair: the threshold is not between 1 and the number of holders. Of a search: no threshold is safe.
    ThresholdRange,
    /// A quorum of signatures cannot be had when all who may drop have dropped.
    Quorum,
    /// The chance of a disclosure is above 2^-σ.
    Insecure,
    /// The chance that the sum does not come out is above 2^-η, or a quorum is not certain.
    Incorrect,
    /// A revealed sum may hold fewer honest inputs than asked for.
    MinHonest,
}

impl Reason {
    /// Those that hold, the ones first that leave least to be saved.
    fn that_hold(reasons: impl IntoIterator<Item = (bool, Self)>) -> Vec<Self> {
        let mut reasons: Vec<Self> =
            reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect();
        reasons.sort_unstable();
        reasons
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Degree => "degree",
            Self::ThresholdRange => "threshold_range",
            Self::Quorum => "quorum",
            Self::Insecure => "insecure",
            Self::Incorrect => "incorrect",
            Self::MinHonest => "min_honest",
        })
    }
}

/// The planner's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Whether a session may be run.
    pub verdict: Verdict,
    /// The first reason against it, or [`Reason::Ok`].
    pub reason: Reason,
    /// All reasons against it.
    pub reasons: Vec<Reason>,
    /// The number c of clients that may be corrupt.
    pub corrupt: u32,
    /// The number d of clients that may drop out.
    pub dropped: u32,
    /// Neighbours of a client: as given, or the smallest that is safe.
    pub degree: Option<u32>,
    /// Shares that reconstruct a secret: as given, or the least that is safe.
    pub threshold: Option<u32>,
    /// The least threshold at that degree that is secure.
    pub threshold_min: Option<u32>,
    /// The greatest threshold at that degree that is correct. It may be below the least secure one.
    pub threshold_max: Option<u32>,
    /// The number of honest inputs that any revealed sum holds, as far as the model's conditions hold.
    pub min_honest: u32,
    /// log2 of the bound on the chance that any client has too many corrupt neighbours; `None` on the complete
    /// graph, where there is no chance in it. Minus infinity for an impossible event.
    pub log2_share: Option<f64>,
    /// log2 of the bound on the chance that the graph falls apart into groups that are too small.
    pub log2_graph: Option<f64>,
    /// log2 of the two together.
    pub log2_security: Option<f64>,
    /// log2 of the bound on the chance that any client keeps too few neighbours.
    pub log2_correctness: Option<f64>,
}

/// Why a question cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// Too few or too many clients.
    #[error("{0} clients: give 2 to 2^30")]
    Clients(u32),
    /// Too many bits.
    #[error("give at most 4096 bits of security and of correctness")]
    Bits,
    /// No root.
    #[error("give at least 1 root")]
    Roots,
    /// A sparse graph's threshold means nothing by itself.
    #[error("a threshold on a sparse graph needs a degree")]
    ThresholdWithoutDegree,
}

#[cfg(test)]
mod tests;
