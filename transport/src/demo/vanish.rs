//! Who vanishes from a round, and at which point of it.

use std::ops::ControlFlow;
use std::str::FromStr;

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt};
use secagg::{Round, Suite};

use crate::Step;

/// A point at which a client vanishes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Point {
    /// It has the round's request and never answers.
    Before(Round),
    /// Its answer is out, and it is gone.
    After(Round),
    /// It stops in the middle of its masked input, after this share of it.
    MidUpload(f64),
}

impl Point {
    /// Tells a client whether to go on at a step.
    pub fn at(self, step: Step) -> ControlFlow<()> {
        let gone = match (self, step) {
            (Point::Before(round), Step::Received(here)) => round == here,
            (Point::After(round), Step::Sent(here)) => round == here,
            (Point::MidUpload(share), Step::Sending { round, sent, total }) => {
                round == Round::MaskedInputCollection && sent > 0 && sent as f64 >= share * total as f64
            }
            _ => false,
        };
        if gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Draws a point, each as likely as any other.
    pub fn draw(suite: Suite, rng: &mut impl Rng) -> Point {
        let mut points = vec![Point::MidUpload(rng.random_range(0.0..0.75))];
        for round in rounds(suite) {
            points.extend([Point::Before(round), Point::After(round)]);
        }
        points.choose(rng).copied().unwrap_or(Point::Before(Round::AdvertiseKeys))
    }
}

/// Reads `before:ROUND`, `after:ROUND` or `upload:SHARE`.
impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Point, String> {
        let wrong = || format!("{text:?} is no point; give before:ShareKeys, after:ShareKeys or upload:0.5");
        let (when, at) = text.split_once(':').ok_or_else(wrong)?;
        let round = || rounds(Suite::Curious).into_iter().find(|round| round.name() == at).ok_or_else(wrong);
        match when {
            "before" => Ok(Point::Before(round()?)),
            "after" => Ok(Point::After(round()?)),
            "upload" => {
                let share = at.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(wrong)?;
                Ok(Point::MidUpload(share))
            }
            _ => Err(wrong()),
        }
    }
}

/// Draws which of `clients` vanish from one round, and when: the share `dropout`, 0 to 1, rounded
/// to whole clients.
pub fn draw(clients: u32, dropout: f64, suite: Suite, rng: &mut impl Rng) -> Vec<Option<Point>> {
    let vanishing = count(clients, dropout) as usize;
    let mut points: Vec<Option<Point>> =
        (0..clients as usize).map(|at| (at < vanishing).then(|| Point::draw(suite, rng))).collect();
    points.shuffle(rng);
    points
}

/// How many of `clients` vanish from each round.
pub fn count(clients: u32, dropout: f64) -> u32 {
    (f64::from(clients) * dropout).round() as u32
}

/// The rounds of a suite: all but ConsistencyCheck, unless the suite has it.
fn rounds(suite: Suite) -> Vec<Round> {
    let mut rounds =
        vec![Round::AdvertiseKeys, Round::ShareKeys, Round::MaskedInputCollection, Round::Unmasking];
    if suite != Suite::Curious {
        rounds.push(Round::ConsistencyCheck);
    }
    rounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::seed::generator;

    #[test]
    fn the_share_of_clients_vanishes_the_same_way_for_the_same_seed() {
        let draw = |seed| draw(40, 0.15, Suite::Curious, &mut generator(seed, "vanish", &[]));
        assert_eq!(draw(1).iter().flatten().count(), 6);
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn a_point_is_read_or_refused() {
        assert_eq!("before:ShareKeys".parse(), Ok(Point::Before(Round::ShareKeys)));
        assert_eq!("after:Unmasking".parse(), Ok(Point::After(Round::Unmasking)));
        assert_eq!("upload:0.25".parse(), Ok(Point::MidUpload(0.25)));
        for bad in ["", "before", "before:", "upload:2", "upload:NaN", "later:ShareKeys", "after:sharekeys"] {
            assert!(bad.parse::<Point>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_client_vanishes_at_its_point_only() {
        let masked = Round::MaskedInputCollection;
        let sending = |sent| Step::Sending { round: masked, sent, total: 100 };
        assert!(Point::MidUpload(0.0).at(sending(0)).is_continue(), "the upload has to begin");
        assert!(Point::MidUpload(0.5).at(sending(49)).is_continue());
        assert!(Point::MidUpload(0.5).at(sending(50)).is_break());
        assert!(Point::Before(masked).at(Step::Received(masked)).is_break());
        assert!(Point::Before(masked).at(Step::Sent(masked)).is_continue());
        assert!(Point::After(masked).at(Step::Sent(masked)).is_break());
        assert!(Point::After(masked).at(Step::Sent(Round::Unmasking)).is_continue());
    }
}
