//! The clients' inputs, made when they are needed.

use secagg::privacy::Noise;
use secagg::{Config, Input, VectorSpec};

use crate::draw::{Numbers, Purpose, mix};

/// Seed, session and client.
type Whose = (u64, u64, u32);

/// A client's input.
pub(crate) fn input(config: &Config, whose: Whose) -> Input {
    let vectors = config.vectors.iter().enumerate();
    vectors.fold(Input::new(), |input, (index, spec)| {
        if let Some(noise) = &spec.noise {
            return input.with_real(&spec.name, reals(noise, whose, index));
        }
        let values = values(spec, whose, index);
        match spec.bits {
            ..=16 => input.with(&spec.name, values.map(|value| value as u16).collect::<Vec<_>>()),
            17..=32 => input.with(&spec.name, values.map(|value| value as u32).collect::<Vec<_>>()),
            _ => input.with(&spec.name, values.collect::<Vec<_>>()),
        }
    })
}

/// The plain sum of one vector.
pub(crate) enum Plain {
    /// Modulo 2^bits.
    Integers(Vec<u64>),
    /// Of a vector that gets noise.
    Reals(Vec<f64>),
}

impl Plain {
    /// Nothing yet.
    pub(crate) fn zeros(spec: &VectorSpec) -> Self {
        match &spec.noise {
            None => Self::Integers(vec![0; spec.length as usize]),
            Some(noise) => Self::Reals(vec![0.0; noise.dimension as usize]),
        }
    }
}

/// Adds a client's input to the plain sums.
pub(crate) fn add(config: &Config, whose: Whose, sums: &mut [Plain]) {
    for (index, (spec, sum)) in config.vectors.iter().zip(sums).enumerate() {
        match (sum, &spec.noise) {
            (Plain::Reals(sum), Some(noise)) => {
                sum.iter_mut().zip(reals(noise, whose, index)).for_each(|(sum, value)| *sum += value);
            }
            (Plain::Integers(sum), _) => {
                let mask = (1u64 << spec.bits) - 1;
                for (sum, value) in sum.iter_mut().zip(values(spec, whose, index)) {
                    *sum = (*sum + value) & mask;
                }
            }
            (Plain::Reals(_), None) => {}
        }
    }
}

/// The coordinates of a client's real vector at `index`: even on both sides of zero, and never longer than the clip.
fn reals(noise: &Noise, whose: Whose, index: usize) -> impl Iterator<Item = f64> + use<> {
    let most = noise.clip() / f64::from(noise.dimension).sqrt();
    let mut numbers = numbers(whose, index);
    (0..noise.dimension).map(move |_| most * (((numbers.next() >> 11) as f64) / 52.0f64.exp2() - 1.0))
}

/// The coordinates of a client's vector at `index`.
fn values(spec: &VectorSpec, whose: Whose, index: usize) -> impl Iterator<Item = u64> + use<> {
    let all = (1u64 << spec.bits) - 1;
    let count = spec.bound.map_or(all, |bound| bound.min(all)) + 1;
    let mut numbers = numbers(whose, index);
    // Without a bound it is a power of two, and a division would take longer than the draw.
    let mask = count.is_power_of_two().then(|| count - 1);
    (0..spec.length).map(move |_| {
        let number = numbers.next();
        mask.map_or_else(|| number % count, |mask| number & mask)
    })
}

fn numbers((seed, session, client): Whose, index: usize) -> Numbers {
    let own = mix(seed ^ mix(session ^ mix(u64::from(client) << 8 ^ Purpose::Values as u64)));
    Numbers::new(own ^ mix(index as u64))
}
