//! Inputs that are too great: a sum that wraps around, and a client that puts in what it should not.

use std::collections::BTreeMap;

use secagg::{Abort, Client, ClientId, Config, Input, Misuse, Policy, Round, VectorSpec, conformance};

use super::game::Plan;
use super::session::{client, run, run_changed, sum};
use super::setting::{Setting, bytes};
use super::trials::{EVERYWHERE, ONCE, Trial, demand};
use super::twin::add;
use super::wire;

pub(super) const ALL: &[Trial] = &[
    Trial {
        name: "sum-that-wraps",
        threat: "M6",
        side: "client",
        says: "puts the greatest value that is declared into a coordinate, and so do all others",
        expected: "4.2-1",
        grounds: ONCE,
        sizes: 3..=16,
        play: wraps,
    },
    Trial {
        name: "greatest-input",
        threat: "M5",
        side: "client",
        says: "puts the greatest residue into every coordinate, whatever bound is declared",
        expected: "unseen",
        grounds: EVERYWHERE,
        sizes: 3..=16,
        play: poisons,
    },
];

const CONFIGURATIONS: u32 = 5000;

/// A configuration of one coordinate with a declared bound.
fn bounded(setting: Setting, clients: u32, bits: u8, bound: u64) -> Config {
    let vectors = vec![VectorSpec::new("v", 1, bits).with_bound(bound)];
    Config { clients, threshold: 2, vectors, ..setting.config() }
}

fn wraps(setting: Setting) -> Result<String, String> {
    let mut accepted = 0;
    for number in 0..CONFIGURATIONS {
        let drawn = bytes("configuration", number);
        let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| drawn[8 * at + byte]));
        // Sizes of every order of magnitude, and bounds on both sides of what just fits.
        let clients = 2 + (word(0) % (1 << (1 + word(1) % 29))) as u32;
        let bits = 1 + (word(2) % 62) as u8;
        let just = ((1u64 << bits) - 1) / u64::from(clients);
        let bound = match word(3) % 4 {
            0 => just,
            1 => just + 1,
            2 => word(3) >> (word(1) >> 32 & 63),
            _ => just.saturating_sub(1),
        };
        let fits = u128::from(bound) * u128::from(clients) < 1 << bits;
        let found = bounded(setting, clients, bits, bound).check();
        let right = match &found {
            Ok(()) => fits,
            Err(Misuse::CouldWrap { .. }) => !fits,
            Err(_) => false,
        };
        demand(right, || format!("{clients} clients, {bits} bits, bound {bound}: {found:?}"))?;
        accepted += u32::from(fits);
    }
    demand((1..CONFIGURATIONS).contains(&accepted), || format!("{accepted} were accepted"))?;
    let n = u64::from(setting.n);
    let just = ((1 << 16) - 1) / n;
    let right = greatest(bounded(setting, setting.n, 16, just), just)?;
    demand(right == n * just, || format!("{right} is not the sum of {n} times {just}"))?;
    // One more, which no configuration with a bound may have; without one nothing is checked.
    let mut unchecked = bounded(setting, setting.n, 16, just);
    unchecked.vectors = vec![VectorSpec::new("v", 1, 16)];
    let wrapped = greatest(unchecked, just + 1)?;
    demand(wrapped < n * (just + 1), || "the sum does not wrap".to_owned())?;
    Ok(format!("without a declared bound {n} times {} is released as {wrapped}", just + 1))
}

/// The sum of a session in which everybody puts in this value.
fn greatest(config: Config, value: u64) -> Result<u64, String> {
    let mut clients = BTreeMap::new();
    for id in (1..=config.clients).filter_map(ClientId::new) {
        let mut one = Client::new(bytes("entropy", id.get()), Policy::default());
        one.set_input(Input::new().with("v", vec![value])).map_err(|misuse| misuse.to_string())?;
        clients.insert(id, one);
    }
    let aggregate = run(&config, &mut clients, &[])?.outcome.map_err(|abort| abort.to_string())?;
    aggregate.vectors.iter().flat_map(|(_, lanes)| lanes.iter()).next().ok_or("no sum".to_owned())
}

/// A client that ignores the bound moves each coordinate of the sum by what it put in above an honest value: less than
/// 2^bits, which is all that is promised (§11.2), and no other coordinate.
fn poisons(setting: Setting) -> Result<String, String> {
    let mut config = setting.config();
    for vector in &mut config.vectors {
        vector.bound = Some(((1 << vector.bits) - 1) / u64::from(setting.n));
    }
    let honest = session(setting, &config, |_, message| message)?;
    let expected: u16 = (1..=setting.n as u16).sum();
    demand(honest == [expected; 3], || format!("the honest sum is {honest:?}"))?;
    let liar = setting.n;
    for coordinate in 0..3 {
        let shift = greatest_residue(coordinate) - liar as u16;
        let found = session(setting, &config, |id, mut message| {
            if id == liar {
                let lane = message.len() - 6 + 2 * coordinate;
                let masked = u16::from_le_bytes([message[lane], message[lane + 1]]).wrapping_add(shift);
                let masked = masked & greatest_residue(coordinate);
                message[lane..lane + 2].copy_from_slice(&masked.to_le_bytes());
            }
            message
        })?;
        let mut moved = [0; 3];
        moved[coordinate] = shift;
        add(&mut moved, honest, true);
        demand(found == moved, || format!("coordinate {coordinate}: {found:?}, not {moved:?}"))?;
    }
    let above = vec![greatest_residue(0); 2];
    let above = Input::new().with("v", above).with("w", vec![greatest_residue(2)]);
    let answer = poisoner(setting, &config, above);
    demand(matches!(answer, Err(Abort::Misuse(Misuse::InputValue { .. }))), || {
        "the core takes an input above its bound".to_owned()
    })?;
    Ok("the sum is off by less than 2^bits, and nobody can tell".to_owned())
}

/// The greatest residue of a coordinate.
fn greatest_residue(coordinate: usize) -> u16 {
    if coordinate == 2 { 0x0fff } else { u16::MAX }
}

/// The sum of a session in which everybody's coordinates are its id, and masked inputs are changed on their way.
fn session(
    setting: Setting,
    config: &Config,
    change: impl Fn(u32, Vec<u8>) -> Vec<u8>,
) -> Result<[u16; 3], String> {
    let mut clients = BTreeMap::new();
    for id in (1..=setting.n).filter_map(ClientId::new) {
        let value = id.get() as u16;
        let mut one = client(id.get(), config.suite.is_signed(), Plan::of(setting).policy);
        one.set_input(Input::new().with("v", vec![value; 2]).with("w", vec![value]))
            .map_err(|misuse| misuse.to_string())?;
        clients.insert(id, one);
    }
    let change = |round, id: ClientId, message| match round {
        Some(Round::MaskedInputCollection) => change(id.get(), message),
        _ => message,
    };
    let aggregate = run_changed(config, &mut clients, &[], change)?.outcome;
    aggregate.map(|aggregate| sum(&aggregate)).map_err(|abort| abort.to_string())
}

/// A client of the core that is given this input for a proposal.
fn poisoner(setting: Setting, config: &Config, input: Input) -> Result<Vec<u8>, Abort> {
    let mut one = client(1, config.suite.is_signed(), Plan::of(setting).policy);
    one.set_input(input)?;
    let parts = [&1u32.to_be_bytes()[..], &conformance::encoded(config)].concat();
    one.handle(&wire::message(1, &config.id(), &[&parts]))
}
