//! What a client contributes: integers, or real numbers that the client encodes and adds noise to (spec §7, §9).

use std::collections::BTreeMap;
use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::crypto::derive;
use crate::privacy::{Noise, Prepared, PrivacyError};
use crate::removal::Removal;
use crate::vector::Arranged;
use crate::{ClientId, Config, Lanes, Misuse, Suite, VectorSpec};

/// What one client contributes: a value for each named vector of the session. Wiped when dropped.
#[derive(Default)]
pub struct Input {
    vectors: BTreeMap<String, Values>,
}

/// The coordinates of one vector, as they are given.
enum Values {
    Integers(Lanes),
    Real(Zeroizing<Vec<f64>>),
    /// Real numbers after the steps in floating point.
    Grid(Zeroizing<Vec<i64>>),
}

impl Input {
    /// An input without vectors yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a vector of integers; any lane does, the session's bit width decides what is kept.
    pub fn with(self, name: &str, values: impl Into<Lanes>) -> Self {
        self.with_values(name, Values::Integers(values.into()))
    }

    /// Adds a vector of real numbers, for a vector of the session with noise: the client clips, rotates and rounds
    /// it and adds its share of the noise.
    pub fn with_real(self, name: &str, values: impl IntoIterator<Item = impl Into<f64>>) -> Self {
        self.with_values(name, Values::Real(Zeroizing::new(values.into_iter().map(Into::into).collect())))
    }

    /// Adds a vector that is on the input grid already, in units of 2⁻²⁴ (spec §9.2): the steps in floating point are
    /// not taken. For vectors of the specification and for nothing else.
    #[doc(hidden)]
    pub fn with_grid(self, name: &str, values: Vec<i64>) -> Self {
        self.with_values(name, Values::Grid(Zeroizing::new(values)))
    }

    fn with_values(mut self, name: &str, values: Values) -> Self {
        self.vectors.insert(name.to_owned(), values);
        self
    }

    /// What a client of this number and entropy hands in for each vector, before it is masked: the ring elements, with
    /// noise where there is any. They are as secret as the input; for programs that play all parties.
    ///
    /// # Errors
    /// An input that does not fit the configuration; a real vector that cannot be encoded.
    pub fn encoded(
        self,
        config: &Config,
        session: &[u8; 32],
        id: ClientId,
        entropy: &[u8; 32],
    ) -> Result<Vec<Lanes>, Misuse> {
        let seeds = noise_seeds(entropy, config, &config.id(), id);
        let removal = Removal::new(config, session, id, &seeds);
        let shares = prepare(config, seeds, &removal)?;
        Ok(std::mem::take(&mut self.check(config)?.arrange(config, session, &shares)?.0))
    }

    /// Brings the vectors into the order and the lanes of the configuration, and checks them.
    pub(crate) fn check(mut self, config: &Config) -> Result<Checked, Misuse> {
        let expected: Vec<String> = config.vectors.iter().map(|spec| spec.name.clone()).collect();
        let mut sorted = expected.clone();
        sorted.sort();
        if !self.vectors.keys().eq(sorted.iter()) {
            return Err(Misuse::InputVectors { found: self.vectors.keys().cloned().collect(), expected });
        }
        let mut checked = Checked(Vec::with_capacity(expected.len()));
        for spec in &config.vectors {
            if let Some(values) = self.vectors.remove(&spec.name) {
                checked.0.push(values.check(spec)?);
            }
        }
        Ok(checked)
    }
}

impl Values {
    fn check(mut self, spec: &VectorSpec) -> Result<Self, Misuse> {
        let name = || spec.name.clone();
        let (found, expected) = match (&self, &spec.noise) {
            (Self::Integers(lanes), None) => (lanes.len(), spec.length),
            (Self::Real(values), Some(noise)) => (values.len(), noise.dimension),
            (Self::Grid(values), Some(_)) => (values.len(), spec.length),
            (_, None) => return Err(Misuse::InputKind { name: name(), expected: "integers" }),
            (_, Some(_)) => return Err(Misuse::InputKind { name: name(), expected: "real numbers" }),
        };
        if found != expected as usize {
            return Err(Misuse::InputLength { name: name(), found, expected });
        }
        match &mut self {
            Self::Integers(lanes) => {
                let greatest = spec.greatest();
                if let Some(at) = lanes.first_above(greatest) {
                    return Err(Misuse::InputValue { name: name(), at, greatest });
                }
                lanes.move_into_lane_of(spec.bits);
            }
            Self::Real(values) => {
                if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                    return Err(not_encodable(spec, PrivacyError::NoNumber { at }));
                }
            }
            Self::Grid(_) => {}
        }
        Ok(self)
    }
}

impl Drop for Values {
    fn drop(&mut self) {
        if let Self::Integers(lanes) = self {
            lanes.zeroize();
        }
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Input {{ {} vectors, <redacted> }}", self.vectors.len())
    }
}

/// An input that fits its configuration, in its order. Wiped when dropped.
pub(crate) struct Checked(Vec<Values>);

impl Checked {
    /// The ring elements of every vector: real ones are encoded, with the noise that was drawn for them.
    pub(crate) fn arrange(
        self,
        config: &Config,
        session: &[u8; 32],
        shares: &[Option<Share>],
    ) -> Result<Arranged, Misuse> {
        let mut arranged = Arranged(Vec::with_capacity(self.0.len()));
        let vectors = (0..=u8::MAX).zip(&config.vectors).zip(shares);
        for (((place, spec), share), mut values) in vectors.zip(self.0) {
            let of = |noise: &Noise, share: &Share| {
                let share = (&*share.seed, &share.noise);
                match &values {
                    Values::Real(values) => {
                        noise.encode(spec.bits, values, rotation(config.suite, session, place), share)
                    }
                    Values::Grid(values) => noise.encode_grid(spec.bits, values, share),
                    Values::Integers(_) => Ok(Vec::new()),
                }
            };
            let lanes = match (&spec.noise, share) {
                (Some(noise), Some(share)) => {
                    let mut lanes = Lanes::from(of(noise, share).map_err(|why| not_encodable(spec, why))?);
                    lanes.move_into_lane_of(spec.bits);
                    lanes
                }
                _ => match &mut values {
                    Values::Integers(lanes) => std::mem::replace(lanes, Lanes::U16(Vec::new())),
                    Values::Real(_) | Values::Grid(_) => Lanes::U16(Vec::new()),
                },
            };
            arranged.0.push(lanes);
        }
        Ok(arranged)
    }
}

pub(crate) fn not_encodable(spec: &VectorSpec, why: PrivacyError) -> Misuse {
    Misuse::InputNotEncodable { name: spec.name.clone(), why: why.to_string() }
}

/// A client's share of the noise of one vector, and the seed that it came from and the rounding will come from; noise
/// around the vector will come from it too.
pub(crate) struct Share {
    seed: Zeroizing<[u8; 32]>,
    noise: Prepared,
}

/// The seeds of a client's noise, for each vector that has any (spec §9.3).
pub(crate) fn noise_seeds(
    entropy: &[u8; 32],
    config: &Config,
    config_id: &[u8; 32],
    id: ClientId,
) -> Vec<Option<Zeroizing<[u8; 32]>>> {
    let id = id.get().to_be_bytes();
    let seed = |place: u8| derive(config.suite, "noise", config_id, entropy, &[&id, &[place]]);
    (0..=u8::MAX).zip(&config.vectors).map(|(place, spec)| spec.noise.as_ref().map(|_| seed(place))).collect()
}

/// Draws the noise, or makes the sampler of noise around the input: before the input is looked at, so that the time it
/// takes tells nothing about their sum.
pub(crate) fn prepare(
    config: &Config,
    seeds: Vec<Option<Zeroizing<[u8; 32]>>>,
    removal: &Removal,
) -> Result<Vec<Option<Share>>, Misuse> {
    let share = |((place, spec), seed): ((u8, &VectorSpec), Option<Zeroizing<[u8; 32]>>)| {
        let (Some(noise), Some(seed)) = (&spec.noise, seed) else { return Ok(None) };
        let prepared = || {
            // With levels the seed gives the first component.
            let mut prepared = noise.prepare(&seed, spec.length as usize)?;
            if let Prepared::Drawn(drawn) = &mut prepared {
                removal.add_to(place, drawn)?;
            }
            Ok(prepared)
        };
        Ok(Some(Share { noise: prepared().map_err(|why| not_encodable(spec, why))?, seed }))
    };
    (0..=u8::MAX).zip(&config.vectors).zip(seeds).map(share).collect()
}

/// The public seed of a vector's rotation (spec §9.2).
pub(crate) fn rotation(suite: Suite, session: &[u8; 32], place: u8) -> [u8; 32] {
    *derive(suite, "rotation", session, &[], &[&[place]])
}
