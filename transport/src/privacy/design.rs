//! From a target to noise, scale and width.

use rayon::prelude::*;
use secagg::privacy::{PrivacyError, Task};

use super::coding::Coding;
use super::loss::{Figures, Loss, Sampling};
use super::scheme::{Scheme, no_survivor};

/// What is to be released, to whom, and how private it shall be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Question {
    /// Clients of a round, n.
    pub clients: u32,
    /// Clients that may be missing from the sum.
    pub dropped: u32,
    /// Clients whose noise the adversary may know.
    pub corrupt: u32,
    /// Greatest Euclidean norm of a client's vector, in real units.
    pub clip: f64,
    /// Coordinates of a vector.
    pub dimension: u32,
    /// Rounds that are composed, in all of which a client may take part.
    pub rounds: u32,
    /// How the clients are drawn.
    pub sampling: Sampling,
    /// The target ε, at δ.
    pub epsilon: f64,
    /// δ.
    pub delta: f64,
    /// Which of the two ε shall meet the target.
    pub against: Against,
    /// The probability with which one coordinate of the sum may wrap.
    pub wrap: f64,
}

/// Whose view is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Against {
    /// The server, which chose the cohort or saw who came
    Server,
    /// Whoever sees only the released sums
    Release,
}

impl Against {
    /// Its figure of the two.
    pub fn of(self, figures: Figures) -> f64 {
        match self {
            Self::Server => figures.server,
            Self::Release => figures.release,
        }
    }
}

/// The widths that a plan compares.
pub const WIDTHS: std::ops::RangeInclusive<u8> = 6..=20;

/// By how much the error of the chosen width may exceed that of the widest.
const EXCESS: f64 = 0.05;

/// How far the greatest noise that a sampler draws is kept above what will be needed.
const HEADROOM: f64 = 2.5;

/// The widths to choose from: beyond, the ring is finer than any sampler.
const CHOICE: std::ops::RangeInclusive<u8> = 1..=40;

/// The β of Kairouz, Liu, Steinke 2021, e^(−1/2).
pub fn usual_beta() -> f64 {
    (-0.5f64).exp()
}

impl Question {
    /// The fewest clients that a released sum may hold.
    pub fn minimum_survivors(&self) -> u32 {
        self.clients.saturating_sub(self.dropped)
    }

    /// The fewest shares of noise in a sum that the adversary does not know: if all that are missing are honest.
    pub fn minimum_honest(&self) -> u32 {
        self.minimum_survivors().saturating_sub(self.corrupt)
    }

    /// The server's ε is the same for every sampling, and quickest without.
    fn sampling_that_counts(&self) -> Sampling {
        match self.against {
            Against::Server => Sampling::None,
            Against::Release => self.sampling,
        }
    }

    /// Both ε of all rounds if one round gives away `round`.
    pub(super) fn total(&self, round: &Loss) -> Result<Figures, PrivacyError> {
        round.times(self.rounds).epsilon(self.delta)
    }

    /// The noise, as a multiple of the clip, with which the central Gaussian meets the target.
    fn central_multiplier(&self) -> Result<f64, PrivacyError> {
        let sampling = self.sampling_that_counts();
        let epsilon = |z: f64| Ok(self.against.of(self.total(&Loss::of_central(z, sampling)?)?));
        let (mut low, mut high) = (f64::exp2(-20.0), f64::exp2(40.0));
        // In the exponent first: the ends are eighteen orders of magnitude apart.
        for step in 0..60 {
            let middle = if step < 10 { (low * high).sqrt() } else { f64::midpoint(low, high) };
            if epsilon(middle)? <= self.epsilon { high = middle } else { low = middle }
        }
        Ok(high)
    }
}

/// Finds the designs that meet a question's target.
#[derive(Clone, Debug)]
pub struct Designer {
    question: Question,
    /// Noise over clip of the central Gaussian.
    central: f64,
}

impl Designer {
    /// Checks the question's numbers and sizes the central Gaussian.
    ///
    /// # Errors
    /// A number outside its range; no honest survivor.
    pub fn new(question: Question) -> Result<Self, PrivacyError> {
        if question.minimum_honest() == 0 {
            return Err(no_survivor());
        }
        Ok(Self { central: question.central_multiplier()?, question })
    }

    /// The central Gaussian's error at the same ε: of a coordinate of the sum, in real units.
    pub fn central_error(&self) -> f64 {
        self.central * self.question.clip
    }

    /// The design with the least noise that meets the target with so many bits.
    ///
    /// # Errors
    /// A number outside its range; a target that no noise reaches with these bits.
    pub fn design(&self, scheme: Scheme, bits: u8) -> Result<Design, PrivacyError> {
        let question = &self.question;
        // Finer than the sampler draws is of no use. What will be needed is a little more than a share of the
        // central noise, and the search for it tries up to twice as much.
        let share = self.central_error() / f64::from(question.minimum_honest()).sqrt();
        let task = Task {
            clients: question.clients,
            bits,
            clip: question.clip,
            dimension: question.dimension,
            beta: usual_beta(),
            wrap: question.wrap,
            greatest_scale: Some(scheme.greatest_sigma() / (HEADROOM * share)),
        };
        let figures = |encoding: &Coding, sampling: Sampling| {
            question.total(&scheme.loss(encoding, question.minimum_honest(), sampling)?)
        };
        let epsilon = |encoding: &Coding| {
            figures(encoding, question.sampling_that_counts()).map(|found| question.against.of(found))
        };
        let encoding = scheme.calibrate(task, question.epsilon, epsilon)?;
        Ok(Design { scheme, encoding, figures: figures(&encoding, question.sampling)? })
    }

    /// The design of every width of [`WIDTHS`] and of `more`.
    pub fn table(&self, scheme: Scheme, more: u8) -> Vec<(u8, Result<Design, PrivacyError>)> {
        let mut widths: Vec<u8> = WIDTHS.chain([more]).collect();
        widths.sort_unstable();
        widths.dedup();
        widths.into_par_iter().map(|bits| (bits, self.design(scheme, bits))).collect()
    }

    /// The fewest bits whose error exceeds that of the widest ring by at most a twentieth.
    ///
    /// # Errors
    /// Why even the widest fails, if no width meets the target.
    pub fn choose(&self, scheme: Scheme) -> Result<Design, PrivacyError> {
        let (mut low, mut high) = CHOICE.into_inner();
        let mut chosen = self.design(scheme, high)?;
        let enough = chosen.error() * (1.0 + EXCESS);
        // Errors fall with the width: bits that are too few for the target are a limiting case.
        while low < high {
            let middle = u8::midpoint(low, high);
            match self.design(scheme, middle) {
                Ok(design) if design.error() <= enough => (chosen, high) = (design, middle),
                _ => low = middle + 1,
            }
        }
        Ok(chosen)
    }
}

/// A way to meet a question's target.
#[derive(Clone, Debug, PartialEq)]
pub struct Design {
    /// The mechanism.
    pub scheme: Scheme,
    /// Scale, noise and norm bound.
    pub encoding: Coding,
    /// Both ε of all rounds, if every sum holds the fewest honest survivors.
    pub figures: Figures,
}

impl Design {
    /// The error to be expected of a coordinate of the decoded sum of all clients: the root of the mean square, in
    /// real units.
    pub fn error(&self) -> f64 {
        self.error_with(self.sigma().powi(2))
    }

    /// The same if σ² of each client's share, in squared integer units, is `share`.
    pub(super) fn error_with(&self, share: f64) -> f64 {
        self.encoding.expected_error(self.encoding.task().clients, share)
    }

    /// The σ of a share as it is drawn, in integer units.
    pub fn sigma(&self) -> f64 {
        self.encoding.variance().map_or(f64::INFINITY, |variance| variance.sigma())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question {
        Question {
            clients: 100,
            dropped: 20,
            corrupt: 5,
            clip: 1.0,
            dimension: 1000,
            rounds: 10,
            sampling: Sampling::None,
            epsilon: 4.0,
            delta: 1e-6,
            against: Against::Server,
            wrap: 6.334e-5,
        }
    }

    fn designer(question: Question) -> Designer {
        Designer::new(question).unwrap()
    }

    #[test]
    fn every_design_meets_the_target_and_hardly_less() {
        for scheme in Scheme::ALL {
            let designer = designer(question());
            for (bits, design) in designer.table(scheme, 30) {
                let Ok(design) = design else { continue };
                let found = design.figures;
                assert!(found.server <= 4.0 && found.server > 3.99, "{} {bits} {found:?}", scheme.name());
                assert!(design.error() >= designer.central_error(), "{} {bits}", scheme.name());
            }
        }
    }

    #[test]
    fn noise_is_sized_for_the_fewest_honest_survivors() {
        let sigma =
            |question: Question| designer(question).design(Scheme::Ddg, 18).unwrap().encoding.sigma_real();
        let all = sigma(Question { dropped: 0, corrupt: 0, ..question() });
        let few = sigma(question());
        assert!((few / all / (100.0f64 / 75.0).sqrt() - 1.0).abs() < 1e-3, "{few} {all}");
        assert_eq!((question().minimum_survivors(), question().minimum_honest()), (80, 75));
        assert!(Designer::new(Question { dropped: 95, ..question() }).is_err());
    }

    #[test]
    fn the_release_target_needs_less_noise_than_the_servers() {
        let sampled = Question { sampling: Sampling::Poisson(0.01), ..question() };
        let released = Question { against: Against::Release, ..sampled };
        let of = |question| designer(question).design(Scheme::Ddg, 18).unwrap();
        let (server, release) = (of(sampled), of(released));
        assert!(release.encoding.sigma_real() < server.encoding.sigma_real() / 2.0);
        assert!(release.figures.release <= 4.0 && release.figures.server > 4.0, "{release:?}");
    }

    #[test]
    fn the_chosen_width_is_the_first_that_is_nearly_as_good_as_any() {
        let designer = designer(question());
        for scheme in Scheme::ALL {
            let chosen = designer.choose(scheme).unwrap();
            let bits = chosen.encoding.task().bits;
            let best = designer.design(scheme, 40).unwrap().error();
            assert!(chosen.error() <= best * 1.05, "{}", scheme.name());
            assert!(designer.design(scheme, bits - 1).map_or(true, |less| less.error() > best * 1.05));
        }
    }

    #[test]
    fn wide_rings_are_scaled_to_what_can_be_drawn() {
        for scheme in Scheme::ALL {
            let design = designer(question()).design(scheme, 62).unwrap();
            assert!(design.sigma() > scheme.greatest_sigma() / 3.0, "{}", design.sigma());
            assert!(scheme.noise(design.sigma()).is_ok());
        }
    }
}
