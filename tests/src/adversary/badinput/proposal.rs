//! What a client has to make of an AdvertiseKeysRequest (spec §4.2, §8.1, §9.1).

use std::collections::BTreeSet;

use secagg::{Config, Graph};

use super::super::secrets::{Bytes32, hash};
use super::super::wire::Reader;
use super::expected::{Expected, identity};
use super::layout::body;
use super::scene::Scene;

/// Why reading stops.
enum Stop {
    /// The encoding is broken.
    Malformed,
    /// What follows cannot be read by whoever does not know this.
    Unreadable,
}

/// What was read so far.
#[derive(Default)]
struct Proposal {
    /// Rules that are broken.
    broken: BTreeSet<&'static str>,
    /// Of these, the ones that may be reported before the encoding is read to its end.
    early: BTreeSet<&'static str>,
    id: u32,
    clients: u32,
    threshold: u32,
    degree: Option<u32>,
    corrupt: Option<u32>,
    suite: u8,
    authority: Option<Bytes32>,
    coordinates: u64,
    /// Whether some noise cannot be rounded for, or the session is larger than the core's default policy allows.
    refused: bool,
    /// Whether some noise is of a law that a policy has to allow.
    experimental: bool,
}

/// `message` has a header of the right type, and comes to a client of this session.
pub(super) fn judge(message: &[u8], scene: &Scene) -> Expected {
    let mut proposal = Proposal::default();
    match proposal.read(body(message)) {
        Err(Stop::Malformed) => {
            let rules = proposal.early.into_iter().chain(["4.1-1"]).collect();
            return Expected::any(rules);
        }
        Err(Stop::Unreadable) => return Expected::any(proposal.broken),
        Ok(()) if !proposal.broken.is_empty() => return Expected::any(proposal.broken),
        Ok(()) => {}
    }
    let config_id = hash(proposal.suite, "config", &[&body(message)[4..]]);
    // The core's default policy does not allow suite 3.
    let allows = proposal.suite != 3 || scene.policy.safety.is_some();
    let allows = allows && (!proposal.experimental || scene.policy.experimental_noise);
    let own = allows && proposal.authority == scene.trusts();
    let rule = match () {
        () if message[1..33] != config_id => "4.1-3",
        () if proposal.id > proposal.clients => "4.2-2",
        () if !own || proposal.refused => "130",
        // What the planner makes of other numbers is not for this model.
        () if scene.policy.safety.is_some() && proposal.numbers() != numbers(&scene.config) => {
            return Expected::any(BTreeSet::from(["130", "ok"]));
        }
        () => return Expected::ok(),
    };
    Expected::only(rule)
}

/// What a planner judges: clients, degree, threshold, corrupt clients.
type Numbers = (u32, Option<u32>, u32, Option<u32>);

fn numbers(config: &Config) -> Numbers {
    let degree = match config.graph {
        Graph::Complete => None,
        Graph::Regular { degree } | Graph::KOut { degree } => Some(degree),
    };
    (config.clients, degree, config.threshold, config.suite.corrupt())
}

impl Proposal {
    fn numbers(&self) -> Numbers {
        (self.clients, self.degree, self.threshold, self.corrupt)
    }

    fn rule(&mut self, holds: bool, rule: &'static str) {
        if !holds {
            self.broken.insert(rule);
        }
    }

    fn early(&mut self, rule: &'static str) {
        self.broken.insert(rule);
        self.early.insert(rule);
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let mut from = Reader(bytes);
        self.id = number(&mut from)?;
        if self.id == 0 {
            self.early("4.1-1");
        }
        if unsigned(&mut from, 2)? != 1 {
            self.early("4.2-1");
        }
        let suite = unsigned(&mut from, 1)?;
        let corrupt = match suite {
            1 => None,
            2 | 3 => {
                let corrupt = number(&mut from)?;
                self.authority = from.take(32).and_then(|key| key.try_into().ok());
                Some((corrupt, self.authority.ok_or(Stop::Malformed)?))
            }
            _ => return self.unreadable("4.2-1"),
        };
        self.suite = suite as u8;
        let kind = unsigned(&mut from, 1)?;
        let degree = match kind {
            1 => None,
            2 | 3 => Some(number(&mut from)?),
            _ => return self.unreadable("4.2-1"),
        };
        let [clients, threshold, minimum] = [number(&mut from)?, number(&mut from)?, number(&mut from)?];
        (self.clients, self.threshold, self.degree) = (clients, threshold, degree);
        self.corrupt = corrupt.map(|(corrupt, _)| corrupt);
        self.rule((2..=1 << 30).contains(&clients), "4.2-1");
        self.rule((1..=clients).contains(&minimum), "4.2-1");
        if let Some(degree) = degree {
            self.rule(degree >= 2 && (kind == 3 || degree % 2 == 0) && degree < clients, "4.2-1");
        }
        self.rule((2..=degree.unwrap_or(clients)).contains(&threshold), "4.2-1");
        // Suite 3 and the k-out graph go together.
        self.rule((suite == 3) == (kind == 3), "4.2-1");
        if let Some((corrupt, authority)) = corrupt {
            let (n, c, t) = (u64::from(clients), u64::from(corrupt), u64::from(threshold));
            let counts = if suite == 3 { c + 2 <= n } else { kind == 1 && 2 * t > n + c };
            self.rule(counts && identity(&authority).is_some(), "4.2-1");
        }
        let (neighbours, shares) = (degree.unwrap_or(0), threshold);
        self.refused |= clients > 1 << 20 || neighbours > 1 << 14 || shares > 1 << 14;
        let count = unsigned(&mut from, 1)?;
        self.rule(count > 0, "4.2-1");
        let mut names = BTreeSet::new();
        for _ in 0..count {
            let name = self.vector(&mut from)?;
            self.rule(names.insert(name), "4.2-1");
        }
        self.refused |= self.coordinates > 1 << 27;
        from.take(64).ok_or(Stop::Malformed)?;
        if from.0.is_empty() { Ok(()) } else { Err(Stop::Malformed) }
    }

    fn unreadable(&mut self, rule: &'static str) -> Result<(), Stop> {
        self.early(rule);
        Err(Stop::Unreadable)
    }

    fn vector(&mut self, from: &mut Reader<'_>) -> Result<Vec<u8>, Stop> {
        let length = unsigned(from, 1)? as usize;
        let name = from.take(length).ok_or(Stop::Malformed)?.to_vec();
        if std::str::from_utf8(&name).is_err() {
            self.early("4.1-1");
        }
        self.rule(!name.is_empty() && name.iter().all(|byte| (0x20..=0x7e).contains(byte)), "4.2-1");
        let length = number(from)?;
        self.coordinates += u64::from(length);
        let bits = unsigned(from, 1)?;
        self.rule(length >= 1 && (1..=62).contains(&bits), "4.2-1");
        let bound = match unsigned(from, 1)? {
            0 => None,
            1 => Some(unsigned(from, 8)?),
            _ => {
                self.early("4.1-1");
                return Err(Stop::Malformed);
            }
        };
        if let Some(bound) = bound.filter(|_| bits <= 62) {
            self.rule(u128::from(bound) * u128::from(self.clients) < 1 << bits, "4.2-1");
        }
        let law = unsigned(from, 1)?;
        match law {
            0 => {}
            1..=3 => self.noise(from, law, length, bound)?,
            _ => self.unreadable("9.1-1")?,
        }
        Ok(name)
    }

    fn noise(
        &mut self,
        from: &mut Reader<'_>,
        law: u64,
        length: u32,
        bound: Option<u64>,
    ) -> Result<(), Stop> {
        self.experimental |= law == 3;
        let dimension = number(from)?;
        let [clip, scale] = [unsigned(from, 8)?, unsigned(from, 8)?].map(f64::from_bits);
        let [norm_squared, variance] = [unsigned(from, 8)?, unsigned(from, 8)?];
        let padded = (1..=1 << 28).contains(&dimension) && dimension.next_power_of_two() == length;
        let real = |one: f64| one.is_normal() && one > 0.0;
        let allowed = match law {
            1 => 1 << 14..=1 << 60,
            2 => 1 << 14..=1 << 40,
            _ => 72_254..=1 << 22,
        };
        let sound = bound.is_none() && padded && real(clip) && real(scale) && norm_squared >= 1;
        self.rule(sound && allowed.contains(&variance), "9.1-1");
        let (mut survivors, mut share) = (None, variance);
        for _ in 0..unsigned(from, 1)? {
            let (next, greater) = (number(from)?, unsigned(from, 8)?);
            let descends = survivors.is_none_or(|before| next < before);
            let ascends = greater.saturating_sub(share) >= 1 << 14 && allowed.contains(&greater);
            self.rule(law != 3 && descends && ascends, "9.1-1");
            (survivors, share) = (Some(next), greater);
            self.coordinates += u64::from(length);
        }
        let fraction = match law {
            3 => (0..12)
                .find(|f| u128::from(norm_squared) << (2 * f) >= u128::from(length) << 31)
                .unwrap_or(12),
            _ => 0,
        };
        let greatest = if law == 3 { norm_squared >> (2 * (12 - fraction)) } else { norm_squared };
        let unit = f64::from(1u32 << fraction);
        let (long, root) = (clip * scale * unit, f64::from(length).sqrt());
        let likely = (2.0 * (1.0 / 0.99f64).ln()).sqrt() * (long + root / 2.0);
        let least = (long + root).powi(2).min(long.powi(2) + f64::from(length) / 4.0 + likely).floor();
        self.refused |= !(scale * unit * f64::from(1 << 24)).is_finite() || (greatest as f64) < least;
        Ok(())
    }
}

fn unsigned(from: &mut Reader<'_>, bytes: usize) -> Result<u64, Stop> {
    let taken = from.take(bytes).ok_or(Stop::Malformed)?;
    Ok(taken.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn number(from: &mut Reader<'_>) -> Result<u32, Stop> {
    from.number().ok_or(Stop::Malformed)
}
