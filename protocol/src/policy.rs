//! What a client insists on, whatever the server proposes.

mod history;
mod safety;
mod vectors;

pub use history::{Cohort, CohortPolicy, SessionBudget};
pub use safety::SafetyPolicy;
pub use vectors::AllowedVector;

use crate::privacy::{NoiseLaw, round_up};
use crate::{Config, Graph, Refusal, Suite, VectorSpec};

/// What a client insists on: it makes no key for a session that asks for less (spec §8.4).
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The smallest cohort, in clients.
    pub minimum_clients: u32,
    /// The greatest cohort, in clients.
    pub maximum_clients: u32,
    /// The most neighbours that the client works for: all others on the complete graph.
    pub maximum_neighbours: u32,
    /// The lowest threshold, in shares.
    pub minimum_threshold: u32,
    /// The greatest threshold, in shares.
    pub maximum_threshold: u32,
    /// The most coordinates of all vectors together, each counted once more for each level of its noise. The client may
    /// draw noise for as many, 8 bytes each, before it is given its input.
    pub maximum_coordinates: u64,
    /// The number of corrupt clients that a session in a signed suite must withstand: in any cohort that a server
    /// can form of the identities that the authority has certified.
    pub minimum_corrupt: u32,
    /// The fewest inputs that a sum may be of: the least that the proposal must ask for.
    pub minimum_survivors: u32,
    /// The only task that the client takes part in, where it knows it.
    pub task: Option<[u8; 32]>,
    /// The vectors that the client hands in; all if `None`.
    pub vectors: Option<Vec<AllowedVector>>,
    /// How safe the threshold and the graph must be, by the planner; not asked if `None`.
    pub safety: Option<SafetyPolicy>,
    /// The privacy that one session must give, where the client insists on any.
    pub privacy: Option<PrivacyPolicy>,
    /// Whether noise of an experimental law is accepted where there is no `privacy` to say which laws are.
    pub experimental_noise: bool,
    /// How many sessions the client takes part in; without end if `None`.
    pub budget: Option<SessionBudget>,
    /// By how much survivor sets must differ; not compared if `None`. The client looks at it when it is to sign, and
    /// takes part only where enough must sign for the rule to hold.
    pub cohorts: Option<CohortPolicy>,
}

/// The differential privacy that a client insists on in one session, against a server that follows the protocol.
///
/// The client computes ε itself, from the numbers of the configuration and for the fewest shares of noise that can be
/// in a sum: `minimum_survivors` less the corrupt clients.
#[derive(Clone, Debug, PartialEq)]
pub struct PrivacyPolicy {
    /// The greatest ε of the session's vectors with noise together.
    pub epsilon: f64,
    /// δ, between 0 and 1.
    pub delta: f64,
    /// The most survivors that may work with the server, so that their noise does not count.
    pub corrupt: u32,
    /// The laws of noise that are accepted.
    pub laws: Vec<NoiseLaw>,
    /// The vectors that need no noise. All others must have it.
    pub plain: Vec<String>,
}

/// The most levels of all noise together for which a client computes what they give away: that takes time.
const MAX_LEVELS: usize = 255;

impl PrivacyPolicy {
    /// At most `epsilon` at `delta` although `corrupt` survivors work with the server, with noise in every vector, of any
    /// law but experimental ones: those have to be asked for.
    pub fn new(epsilon: f64, delta: f64, corrupt: u32) -> Self {
        let laws = NoiseLaw::ALL.into_iter().filter(|law| !law.is_experimental()).collect();
        Self { epsilon, delta, corrupt, laws, plain: Vec::new() }
    }

    /// The shares of noise that are certain to be in a sum over so many survivors and unknown to the server. In the
    /// pinned suite a sum over all may come apart into sums of fewer honest inputs, and only the safety policy bounds
    /// these.
    fn shares(&self, config: &Config, safety: Option<&SafetyPolicy>, survivors: u32) -> u32 {
        let honest = survivors.saturating_sub(self.corrupt);
        match config.suite {
            Suite::Pinned { .. } => honest.min(safety.map_or(0, |safety| safety.minimum_honest)),
            _ => honest,
        }
    }

    fn check(&self, config: &Config, safety: Option<&SafetyPolicy>) -> Result<(), Refusal> {
        for vector in &config.vectors {
            match &vector.noise {
                None if self.plain.contains(&vector.name) => {}
                None => return Err(Refusal::NoNoise(vector.name.clone())),
                Some(noise) if self.laws.contains(&noise.law) => {}
                Some(noise) => {
                    return Err(Refusal::NoiseLaw { vector: vector.name.clone(), law: noise.law });
                }
            }
        }
        let noises = config.vectors.iter().filter_map(|vector| vector.noise.as_ref());
        let levels = noises.map(|noise| noise.levels.len()).sum();
        if levels > MAX_LEVELS {
            return Err(Refusal::TooManyLevels { levels, maximum: MAX_LEVELS });
        }
        // What cannot be accounted is no guarantee; neither is a comparison with a number that is none.
        let found = config.given_away_by(|survivors| self.shares(config, safety, survivors));
        let found = found.and_then(|curve| curve.epsilon(self.delta));
        let epsilon = found.map_or(f64::INFINITY, |found| found.epsilon);
        if epsilon <= self.epsilon && epsilon.is_finite() {
            return self.check_shares(config, safety);
        }
        let shares = self.shares(config, safety, config.minimum_survivors);
        let (delta, greatest) = (self.delta.to_string(), self.epsilon.to_string());
        Err(Refusal::TooLittlePrivacy { shares, epsilon: round_up(epsilon, 3), delta, greatest })
    }

    /// Noise in a sum protects nobody whose input can be unmasked alone: so many corrupt clients may not have the shares
    /// for it, and on a regular graph that is the planner's to say.
    fn check_shares(&self, config: &Config, safety: Option<&SafetyPolicy>) -> Result<(), Refusal> {
        let Config { clients, threshold, .. } = *config;
        let minimum = match (config.graph, config.suite) {
            (Graph::Regular { .. } | Graph::KOut { .. }, _) => {
                let judged = safety.is_some_and(|safety| safety.corrupt_of(config) >= self.corrupt);
                return if judged {
                    Ok(())
                } else {
                    Err(Refusal::PrivacyNotJudged { corrupt: self.corrupt })
                };
            }
            (Graph::Complete, Suite::Curious) => self.corrupt.saturating_add(1),
            (Graph::Complete, Suite::Active { .. } | Suite::Pinned { .. }) => {
                clients.saturating_add(self.corrupt) / 2 + 1
            }
        };
        if threshold < minimum { Err(Refusal::ThresholdTooLow { threshold, minimum }) } else { Ok(()) }
    }
}

impl Policy {
    /// Checks a proposal that keeps the rules for configurations ([`Config::check`]).
    ///
    /// # Errors
    /// The first rule of the policy that the proposal does not meet. What is cheap to see comes first.
    pub fn check(&self, config: &Config) -> Result<(), Refusal> {
        self.check_sizes(config)?;
        self.check_trust(config)?;
        self.check_laws(config)?;
        self.vectors.as_ref().map_or(Ok(()), |allowed| vectors::check(allowed, &config.vectors))?;
        self.budget.as_ref().map_or(Ok(()), |budget| budget.check(config))?;
        self.safety.as_ref().map_or(Ok(()), |safety| safety.check(config, self.minimum_corrupt))?;
        self.privacy.as_ref().map_or(Ok(()), |privacy| privacy.check(config, self.safety.as_ref()))
    }

    /// Checks the roster of a session in the pinned suite, before the client draws its holders: the fewer there are, the
    /// more weigh the corrupt ones.
    pub(crate) fn check_roster(&self, config: &Config, members: usize) -> Result<(), Refusal> {
        match &self.safety {
            Some(safety) if config.suite.is_pinned() => safety.check_roster(config, members as u32),
            _ => Ok(()),
        }
    }

    /// What the session costs the client, and how well it hides in it.
    fn check_sizes(&self, config: &Config) -> Result<(), Refusal> {
        let &Config { clients, threshold, graph, .. } = config;
        let neighbours = match graph {
            Graph::Complete => clients.saturating_sub(1),
            Graph::Regular { degree } | Graph::KOut { degree } => degree,
        };
        if clients < self.minimum_clients {
            return Err(Refusal::TooFewClients { clients, minimum: self.minimum_clients });
        }
        if clients > self.maximum_clients {
            return Err(Refusal::TooManyClients { clients, maximum: self.maximum_clients });
        }
        if neighbours > self.maximum_neighbours {
            return Err(Refusal::TooManyNeighbours { neighbours, maximum: self.maximum_neighbours });
        }
        if threshold < self.minimum_threshold {
            return Err(Refusal::ThresholdTooLow { threshold, minimum: self.minimum_threshold });
        }
        if threshold > self.maximum_threshold {
            return Err(Refusal::ThresholdTooHigh { threshold, maximum: self.maximum_threshold });
        }
        // A client draws every component of its noise.
        let drawn =
            |vector: &VectorSpec| 1 + vector.noise.as_ref().map_or(0, |noise| noise.levels.len() as u64);
        let coordinates = config.vectors.iter().map(|vector| u64::from(vector.length) * drawn(vector)).sum();
        if coordinates > self.maximum_coordinates {
            return Err(Refusal::TooManyCoordinates { coordinates, maximum: self.maximum_coordinates });
        }
        Ok(())
    }

    /// The most corrupt clients of a cohort that any rule of the policy reckons with, or the proposal where its quorum
    /// is a number of its own.
    fn corrupt_of(&self, config: &Config) -> u32 {
        let proposed = match config.suite {
            Suite::Active { corrupt, .. } => corrupt,
            _ => 0,
        };
        let assumed = self.safety.as_ref().map_or(0, |safety| safety.corrupt_of(config));
        let private = self.privacy.as_ref().map_or(0, |privacy| privacy.corrupt);
        proposed.max(self.minimum_corrupt).max(assumed).max(private)
    }

    fn check_trust(&self, config: &Config) -> Result<(), Refusal> {
        if config.suite.is_pinned() && self.safety.is_none_or(|safety| safety.roots.is_none()) {
            return Err(Refusal::PinnedNotAllowed);
        }
        if let Some(corrupt) = config.suite.corrupt().filter(|&corrupt| corrupt < self.minimum_corrupt) {
            return Err(Refusal::CorruptTooLow { corrupt, minimum: self.minimum_corrupt });
        }
        if let Some(cohorts) = &self.cohorts {
            cohorts.check_quorum(config, self.corrupt_of(config))?;
        }
        if config.minimum_survivors < self.minimum_survivors {
            return Err(Refusal::MinimumSurvivorsTooLow {
                proposed: config.minimum_survivors,
                minimum: self.minimum_survivors,
            });
        }
        if self.task.is_some_and(|task| task != config.task) {
            return Err(Refusal::WrongTask);
        }
        let cramped = |vector: &&VectorSpec| vector.noise.as_ref().is_some_and(|noise| !noise.has_room());
        match config.vectors.iter().find(cramped) {
            Some(vector) => Err(Refusal::NoRoom(vector.name.clone())),
            None => Ok(()),
        }
    }

    /// No client hands in a vector under an experimental law without having been told to.
    fn check_laws(&self, config: &Config) -> Result<(), Refusal> {
        if self.experimental_noise || self.privacy.is_some() {
            return Ok(());
        }
        let noises = config.vectors.iter().filter_map(|vector| Some((vector, vector.noise.as_ref()?.law)));
        match noises.into_iter().find(|(_, law)| law.is_experimental()) {
            Some((vector, law)) => Err(Refusal::NoiseLaw { vector: vector.name.clone(), law }),
            None => Ok(()),
        }
    }
}

/// What the protocol allows, up to sizes that a client can bear without having been asked: 2^20 clients, 2^14
/// neighbours and shares, 2^27 coordinates, of which noise takes 1 GiB. Who means to take part in greater sessions, or
/// has less memory, says so.
impl Default for Policy {
    fn default() -> Self {
        Self {
            minimum_clients: 2,
            maximum_clients: 1 << 20,
            maximum_neighbours: 1 << 14,
            minimum_threshold: 2,
            maximum_threshold: 1 << 14,
            maximum_coordinates: 1 << 27,
            minimum_corrupt: 0,
            minimum_survivors: 1,
            task: None,
            vectors: None,
            safety: None,
            privacy: None,
            experimental_noise: false,
            budget: None,
            cohorts: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::{Encoding, Task};

    /// A lying server can have the sum come apart into sums of as many honest inputs as the safety policy asks for.
    #[test]
    fn in_the_pinned_suite_only_the_floor_of_honest_inputs_counts_as_noise() {
        let task = Task {
            clients: 100,
            bits: 16,
            clip: 1.0,
            dimension: 100,
            beta: 0.6,
            wrap: 1e-6,
            greatest_scale: None,
        };
        let encoding = Encoding::with_multiplier(task, 1.0).unwrap();
        let vectors = vec![VectorSpec::with_noise("v", NoiseLaw::DiscreteGaussian, &encoding).unwrap()];
        let suite = Suite::Pinned { corrupt: 5, authority: [0; 32] };
        let (graph, task, nonce) = (Graph::KOut { degree: 40 }, [0; 32], [0; 32]);
        let config =
            Config { suite, graph, clients: 100, threshold: 20, minimum_survivors: 90, vectors, task, nonce };
        let epsilon = |honest: u32| {
            let curve = config.given_away(honest + 5, 5).unwrap();
            curve.epsilon(1e-5).unwrap().epsilon
        };
        let judged = |epsilon: f64, minimum_honest: u32| {
            let fraction = |text: &str| text.parse().unwrap();
            let safety = SafetyPolicy {
                minimum_honest,
                roots: Some(1),
                ..SafetyPolicy::new(fraction("0.05"), fraction("0.1"))
            };
            PrivacyPolicy::new(epsilon, 1e-5, 5).check(&config, Some(&safety))
        };
        assert!(epsilon(40) > epsilon(85) * 1.2);
        assert_eq!(judged(epsilon(40), 40), Ok(()));
        assert!(matches!(judged(epsilon(40) * 0.999, 40), Err(Refusal::TooLittlePrivacy { shares: 40, .. })));
        assert_eq!(judged(epsilon(85), 99), Ok(()), "no more than survive");
        assert!(matches!(judged(1e9, 0), Err(Refusal::TooLittlePrivacy { shares: 0, .. })));
    }
}
