//! What a session is about: its public parameters (spec §4.2).

use std::collections::BTreeSet;

use crate::crypto::hash;
use crate::crypto::sign::VerifyingKey;
use crate::privacy::{CentredEncoding, Curve, Encoding, Level, Noise, NoiseLaw, PrivacyError};
use crate::wire::{Reader, Writer};
use crate::{Graph, Misbehaviour, Misuse, Suite};

/// The version of the protocol that this crate speaks.
pub const VERSION: u16 = 1;

const MAX_CLIENTS: u32 = 1 << 30;

/// One vector of a session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VectorSpec {
    /// Its name: 1 to 255 printable ASCII characters.
    pub name: String,
    /// Its number of coordinates, at least 1.
    pub length: u32,
    /// Bits of a coordinate, 1 to 62: sums are taken modulo 2^bits.
    pub bits: u8,
    /// The greatest value that a client may put into a coordinate, where the caller declares one.
    ///
    /// A session whose sum could then reach 2^bits is refused.
    pub bound: Option<u64>,
    /// The noise that each client adds and the way of its real vector into the ring; `None` for plain integers.
    pub noise: Option<Noise>,
}

impl VectorSpec {
    /// A vector of `length` coordinates of `bits` bits each, without a declared bound.
    pub fn new(name: impl Into<String>, length: u32, bits: u8) -> Self {
        Self { name: name.into(), length, bits, bound: None, noise: None }
    }

    /// A vector of real numbers, to which each client adds noise of this law, with the numbers of an encoding.
    ///
    /// # Errors
    /// An encoding whose numbers a configuration cannot carry.
    pub fn with_noise(
        name: impl Into<String>,
        law: NoiseLaw,
        encoding: &Encoding,
    ) -> Result<Self, PrivacyError> {
        let noise = Some(Noise::of(law, encoding)?);
        Ok(Self { noise, ..Self::new(name, encoding.padded_dimension(), encoding.task().bits) })
    }

    /// The same with centred noise, drawn around the real vector. **Experimental**, see [`NoiseLaw::Centred`].
    ///
    /// # Errors
    /// An encoding whose numbers a configuration cannot carry.
    pub fn with_centred_noise(
        name: impl Into<String>,
        encoding: &CentredEncoding,
    ) -> Result<Self, PrivacyError> {
        let noise = Some(Noise::centred(encoding)?);
        Ok(Self { noise, ..Self::new(name, encoding.padded_dimension(), encoding.task().bits) })
    }

    /// Declares the greatest value of a coordinate of one client.
    pub fn with_bound(self, bound: u64) -> Self {
        Self { bound: Some(bound), ..self }
    }

    /// Bytes of the vector on the wire: length × bits, rounded up to whole bytes.
    pub fn packed_len(&self) -> u64 {
        (u64::from(self.length) * u64::from(self.bits)).div_ceil(8)
    }

    /// The greatest value that a client may put into a coordinate.
    pub(crate) fn greatest(&self) -> u64 {
        let all = (1 << self.bits) - 1;
        self.bound.map_or(all, |bound| bound.min(all))
    }

    fn check(&self, clients: u32) -> Result<(), Misuse> {
        let name = self.name.clone();
        if !(1..=255).contains(&name.len()) || !name.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return Err(Misuse::VectorName(name));
        }
        if !(1..=62).contains(&self.bits) {
            return Err(Misuse::VectorBits { name, bits: self.bits });
        }
        if self.length == 0 {
            return Err(Misuse::VectorEmpty(name));
        }
        let refused = |what| Err(Misuse::VectorNoise { name: name.clone(), what });
        if let Some(what) = self.noise.as_ref().and_then(|noise| noise.broken(self.length)) {
            return refused(what);
        }
        let Some(bound) = self.bound else { return Ok(()) };
        if self.noise.is_some() {
            return refused("a vector with noise has no bound: noise takes every value");
        }
        let greatest_sum = u128::from(clients) * u128::from(bound);
        if greatest_sum >> self.bits != 0 {
            let needed = 128 - greatest_sum.leading_zeros();
            return Err(Misuse::CouldWrap { name, clients, bound, bits: self.bits, needed });
        }
        Ok(())
    }

    fn encode(&self, out: &mut Writer) {
        out.u8(self.name.len() as u8);
        out.bytes(self.name.as_bytes());
        out.u32(self.length);
        out.u8(self.bits);
        out.u8(u8::from(self.bound.is_some()));
        if let Some(bound) = self.bound {
            out.u64(bound);
        }
        out.u8(self.noise.as_ref().map_or(0, |noise| noise.law as u8));
        if let Some(noise) = &self.noise {
            out.u32(noise.dimension);
            for number in [noise.clip, noise.scale, noise.norm_squared, noise.variance] {
                out.u64(number);
            }
            out.u8(noise.levels.len() as u8);
            for level in &noise.levels {
                out.u32(level.survivors);
                out.u64(level.variance);
            }
        }
    }

    fn decode(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        let name_len = input.u8()?;
        let name = input.take(usize::from(name_len))?;
        let name = String::from_utf8(name.to_vec()).map_err(|_| Misbehaviour::Malformed)?;
        let length = input.u32()?;
        let bits = input.u8()?;
        let bound = match input.u8()? {
            0 => None,
            1 => Some(input.u64()?),
            _ => return Err(Misbehaviour::Malformed),
        };
        let law = match input.u8()? {
            0 => None,
            1 => Some(NoiseLaw::DiscreteGaussian),
            2 => Some(NoiseLaw::Skellam),
            3 => Some(NoiseLaw::Centred),
            _ => return Err(Misbehaviour::BadNoise),
        };
        let noise = law.map(|law| {
            Ok(Noise {
                law,
                dimension: input.u32()?,
                clip: input.u64()?,
                scale: input.u64()?,
                norm_squared: input.u64()?,
                variance: input.u64()?,
                levels: (0..input.u8()?)
                    .map(|_| Ok(Level { survivors: input.u32()?, variance: input.u64()? }))
                    .collect::<Result<_, _>>()?,
            })
        });
        Ok(Self { name, length, bits, bound, noise: noise.transpose()? })
    }
}

/// The public parameters of one session, proposed by the server and checked by every client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The cryptographic suite.
    pub suite: Suite,
    /// Who shares with whom.
    pub graph: Graph,
    /// Number of clients n, 2 to 2^30; their ids are 1 to n.
    pub clients: u32,
    /// Shares that reconstruct a secret, t: 2 to the number of holders of a secret (n on the complete graph,
    /// the degree on the others).
    pub threshold: u32,
    /// Fewest inputs that a sum may be of, 1 to n: no client unmasks a sum of fewer.
    ///
    /// The rounds see to about as many as the threshold by themselves. Who counts on noise that the clients add asks
    /// for the number of shares of noise that the guarantee needs, and for the corrupt clients on top.
    pub minimum_survivors: u32,
    /// What is summed: 1 to 255 vectors with different names.
    pub vectors: Vec<VectorSpec>,
    /// Digest of what the clients are asked to compute, such as SHA-256 of the model; opaque to the protocol.
    pub task: [u8; 32],
    /// 32 uniformly random bytes, fresh for each session.
    pub nonce: [u8; 32],
}

impl Config {
    /// Checks the rules for configurations (spec `[4.2-1]`).
    ///
    /// # Errors
    /// The first rule that is broken, with the numbers.
    pub fn check(&self) -> Result<(), Misuse> {
        let clients = self.clients;
        if !(2..=MAX_CLIENTS).contains(&clients) {
            return Err(Misuse::Clients(clients));
        }
        let holders = match self.graph {
            Graph::Complete => clients,
            Graph::Regular { degree } => {
                if degree < 2 || degree % 2 != 0 || degree >= clients {
                    return Err(Misuse::Degree { degree, clients });
                }
                degree
            }
            Graph::KOut { degree } => {
                if degree < 2 || degree >= clients {
                    return Err(Misuse::Holders { degree, clients });
                }
                degree
            }
        };
        if !(2..=holders).contains(&self.threshold) {
            return Err(Misuse::Threshold { threshold: self.threshold, holders });
        }
        self.check_suite()?;
        if !(1..=clients).contains(&self.minimum_survivors) {
            return Err(Misuse::MinimumSurvivors { minimum: self.minimum_survivors, clients });
        }
        if !(1..=255).contains(&self.vectors.len()) {
            return Err(Misuse::VectorCount(self.vectors.len()));
        }
        let mut names = BTreeSet::new();
        for vector in &self.vectors {
            vector.check(clients)?;
            if !names.insert(&vector.name) {
                return Err(Misuse::VectorName(vector.name.clone()));
            }
        }
        Ok(())
    }

    /// The rules of the suites: their graph, a usable authority in the signed ones, in the active one 2t > n + c, so
    /// that any two sets of t signers have an honest one in common, and in the pinned one a quorum that can be had.
    fn check_suite(&self) -> Result<(), Misuse> {
        let fits = match self.suite {
            Suite::Curious => !matches!(self.graph, Graph::KOut { .. }),
            Suite::Active { .. } => self.graph == Graph::Complete,
            Suite::Pinned { .. } => matches!(self.graph, Graph::KOut { .. }),
        };
        if !fits {
            return Err(Misuse::SuiteGraph(self.suite.name()));
        }
        let (clients, threshold) = (self.clients, self.threshold);
        match self.suite {
            Suite::Active { corrupt, .. }
                if 2 * u64::from(threshold) <= u64::from(clients) + u64::from(corrupt) =>
            {
                return Err(Misuse::Quorum { threshold, clients, corrupt });
            }
            Suite::Pinned { corrupt, .. } if clients < corrupt.saturating_add(2) => {
                return Err(Misuse::QuorumOfRoster { clients, corrupt });
            }
            _ => {}
        }
        let usable = |authority| VerifyingKey::decode(&authority).is_some();
        if self.suite.authority().is_none_or(usable) { Ok(()) } else { Err(Misuse::Authority) }
    }

    /// Signatures that make a survivor set the only one: the threshold, and in the pinned suite more than half of the
    /// roster and of the corrupt together (spec §6.3). The roster, never the sharers, whom the server names.
    pub(crate) fn quorum(&self, roster: usize) -> u32 {
        match self.suite {
            Suite::Pinned { corrupt, .. } => {
                u32::try_from((roster as u64 + u64::from(corrupt)) / 2 + 1).unwrap_or(u32::MAX)
            }
            _ => self.threshold,
        }
    }

    /// The fewest clients that the graph can be laid over.
    pub(crate) fn smallest_roster(&self) -> u32 {
        let of_the_graph = match self.graph {
            Graph::Complete => self.threshold,
            Graph::Regular { degree } | Graph::KOut { degree } => degree + 1,
        };
        match self.suite {
            Suite::Pinned { corrupt, .. } => of_the_graph.max(corrupt.saturating_add(2)),
            _ => of_the_graph,
        }
    }

    /// The hash that names the session until its roster is fixed (spec §6.1).
    pub fn id(&self) -> [u8; 32] {
        let mut out = Writer(Vec::with_capacity(self.encoded_len()));
        self.encode(&mut out);
        hash(self.suite, "config", &[&out.0])
    }

    /// What one session gives away at most against the server through the vectors with noise, whatever number of
    /// survivors it has, if up to `corrupt` of them know their own noise; nothing if no vector has noise. Plain vectors
    /// are not counted.
    ///
    /// Without levels that is the figure for [`Config::minimum_survivors`]. With levels the fewest survivors of each count.
    ///
    /// # Errors
    /// No honest survivor; noise for which there is no guarantee.
    pub fn given_away_at_most(&self, corrupt: u32) -> Result<Curve, PrivacyError> {
        self.given_away_by(|survivors| survivors.saturating_sub(corrupt))
    }

    /// The same if of so many survivors that many are honest.
    pub(crate) fn given_away_by(&self, honest: impl Fn(u32) -> u32) -> Result<Curve, PrivacyError> {
        let fewest = self.minimum_survivors;
        let noises = self.vectors.iter().filter_map(|vector| vector.noise.as_ref());
        let levels = noises.flat_map(|noise| &noise.levels).map(|level| level.survivors);
        let mut numbers: BTreeSet<u32> =
            levels.filter(|number| (fewest..=self.clients).contains(number)).collect();
        numbers.insert(fewest);
        numbers.into_iter().try_fold(Curve::nothing(), |worst, survivors| {
            let left = |noise: &Noise| vec![(honest(survivors), noise.kept(survivors))];
            Ok(worst.or(&given_away(self.vectors.iter(), left)?))
        })
    }

    /// What one session gives away if the inputs of so many survivors are in the sum, up to `corrupt` of which know their
    /// own noise, and what is superfluous of it has been removed.
    ///
    /// # Errors
    /// As [`Config::given_away_at_most`].
    pub fn given_away(&self, survivors: u32, corrupt: u32) -> Result<Curve, PrivacyError> {
        given_away(self.vectors.iter(), |noise| {
            vec![(survivors.saturating_sub(corrupt), noise.kept(survivors))]
        })
    }

    /// How many seeds of superfluous noise a client discloses for a sum of so many inputs (spec §9.6).
    pub(crate) fn disclosed(&self, survivors: u32) -> usize {
        let noises = self.vectors.iter().filter_map(|vector| vector.noise.as_ref());
        noises.filter(|noise| noise.has_superfluous(survivors)).count()
    }

    /// Bytes of a masked input on the wire, without the message's header.
    pub fn packed_len(&self) -> u64 {
        self.vectors.iter().map(VectorSpec::packed_len).sum()
    }

    pub(crate) fn encoded_len(&self) -> usize {
        let graph = match self.graph {
            Graph::Complete => 1,
            Graph::Regular { .. } | Graph::KOut { .. } => 5,
        };
        let suite = if self.suite.is_signed() { 1 + 4 + 32 } else { 1 };
        let vectors: usize = self
            .vectors
            .iter()
            .map(|vector| {
                vector.name.len()
                    + 8
                    + 8 * usize::from(vector.bound.is_some())
                    + vector.noise.as_ref().map_or(0, |noise| 37 + 12 * noise.levels.len())
            })
            .sum();
        2 + suite + graph + 4 + 4 + 4 + 1 + vectors + 32 + 32
    }

    pub(crate) fn encode(&self, out: &mut Writer) {
        out.u16(VERSION);
        self.suite.encode(out);
        match self.graph {
            Graph::Complete => out.u8(1),
            Graph::Regular { degree } => {
                out.u8(2);
                out.u32(degree);
            }
            Graph::KOut { degree } => {
                out.u8(3);
                out.u32(degree);
            }
        }
        out.u32(self.clients);
        out.u32(self.threshold);
        out.u32(self.minimum_survivors);
        out.u8(self.vectors.len() as u8);
        for vector in &self.vectors {
            vector.encode(out);
        }
        out.bytes(&self.task);
        out.bytes(&self.nonce);
    }

    /// Reads a configuration, whose rules are not checked yet but for what its own structure depends on.
    pub(crate) fn decode(input: &mut Reader<'_>) -> Result<Self, Misbehaviour> {
        if input.u16()? != VERSION {
            return Err(Misbehaviour::BadConfig);
        }
        let suite = Suite::decode(input)?;
        let graph = match input.u8()? {
            1 => Graph::Complete,
            2 => Graph::Regular { degree: input.u32()? },
            3 => Graph::KOut { degree: input.u32()? },
            _ => return Err(Misbehaviour::BadConfig),
        };
        let clients = input.u32()?;
        let threshold = input.u32()?;
        let minimum_survivors = input.u32()?;
        let count = input.u8()?;
        let vectors = (0..count).map(|_| VectorSpec::decode(input)).collect::<Result<_, _>>()?;
        let (task, nonce) = (input.array()?, input.array()?);
        Ok(Self { suite, graph, clients, threshold, minimum_survivors, vectors, task, nonce })
    }
}

/// What the vectors with noise give away together, each with the noise of so many clients, in so many components.
pub(crate) fn given_away<'a>(
    vectors: impl Iterator<Item = &'a VectorSpec>,
    left: impl Fn(&Noise) -> Vec<(u32, usize)>,
) -> Result<Curve, PrivacyError> {
    let mut curves =
        vectors.filter_map(|vector| vector.noise.as_ref()).map(|noise| noise.curve_of(&left(noise)));
    curves.try_fold(Curve::nothing(), |sum, one| Ok(sum.and(&one?)))
}
