//! The clients' inputs, made when they are needed.

use secagg::{Config, Input, Lanes, VectorSpec};

use crate::draw::{Numbers, Purpose, mix};

/// Seed, session and client.
type Whose = (u64, u64, u32);

/// A client's input.
pub(crate) fn input(config: &Config, whose: Whose) -> Input {
    let vectors = config.vectors.iter().enumerate();
    vectors.fold(Input::new(), |input, (index, spec)| {
        let values = values(spec, whose, index);
        match spec.bits {
            ..=16 => input.with(&spec.name, values.map(|value| value as u16).collect::<Vec<_>>()),
            17..=32 => input.with(&spec.name, values.map(|value| value as u32).collect::<Vec<_>>()),
            _ => input.with(&spec.name, values.collect::<Vec<_>>()),
        }
    })
}

/// Adds a client's input to the plain sums, which are in lanes of 64 bits.
pub(crate) fn add(config: &Config, whose: Whose, sums: &mut [Lanes]) {
    for (index, (spec, sum)) in config.vectors.iter().zip(sums).enumerate() {
        let Lanes::U64(sum) = sum else { continue };
        let mask = (1u64 << spec.bits) - 1;
        for (sum, value) in sum.iter_mut().zip(values(spec, whose, index)) {
            *sum = (*sum + value) & mask;
        }
    }
}

/// The coordinates of a client's vector at `index`.
fn values(
    spec: &VectorSpec,
    (seed, session, client): Whose,
    index: usize,
) -> impl Iterator<Item = u64> + use<> {
    let all = (1u64 << spec.bits) - 1;
    let count = spec.bound.map_or(all, |bound| bound.min(all)) + 1;
    let own = mix(seed ^ mix(session ^ mix(u64::from(client) << 8 ^ Purpose::Values as u64)));
    let mut numbers = Numbers::new(own ^ mix(index as u64));
    (0..spec.length).map(move |_| numbers.next() % count)
}
