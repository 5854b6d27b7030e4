//! One primitive on secrets that memcheck is told are undefined: it then reports each branch and each address that
//! depends on one. `tests/side-channels/run` runs all of them.

use std::ffi::c_void;
use std::hint::black_box;
use std::process::ExitCode;

use crabgrind::memcheck::{MemState, mark_mem};
use crabgrind::{RunMode, run_mode};
use secagg::conformance::{self, Way};
use secagg::privacy::NoiseLaw;
use secagg::{ClientId, Config, Graph, Suite, VectorSpec};

const SESSION: [u8; 32] = [9; 32];

/// What is run, by name.
const CASES: &[(&str, fn())] = &[
    ("leak-branch", leak_branch),
    ("leak-address", leak_address),
    ("share", share),
    ("reconstruct", reconstruct),
    ("mask", mask),
    ("encryption-agreement", encryption_agreement),
    ("mask-agreement", mask_agreement),
    ("seal", seal),
    ("open", open),
    ("commit", commit),
    ("sign", sign),
    ("noise-small", noise_small),
    ("noise-large", noise_large),
    ("noise-skellam", noise_skellam),
];

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    if name == "list" {
        CASES.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    let Some((_, case)) = CASES.iter().find(|(one, _)| *one == name) else {
        eprintln!("secagg-side-channels list, or one of the list");
        return ExitCode::from(2);
    };
    case();
    ExitCode::SUCCESS
}

/// Makes these bytes undefined to memcheck. Without it nothing could be found: that is an error.
fn hide<const N: usize>(mut bytes: [u8; N]) -> [u8; N] {
    mark(&mut bytes, MemState::Undefined);
    bytes
}

/// What everybody may see again: a public key, a signature, a tag.
fn publish(bytes: &mut [u8]) {
    mark(bytes, MemState::Defined);
}

fn mark(bytes: &mut [u8], state: MemState) {
    assert!(!matches!(run_mode(), RunMode::Native), "run this under valgrind");
    // This version takes memcheck's answer, which is -1, for an error.
    let _ = mark_mem(bytes.as_mut_ptr().cast::<c_void>(), bytes.len(), state);
}

fn id(id: u32) -> ClientId {
    ClientId::new(id).expect("not zero")
}

/// A planted leak: memcheck has to find it.
fn leak_branch() {
    let secret = hide([5u8]);
    if black_box(secret)[0] > 4 {
        println!("greater");
    }
}

/// Another one: a table that is read at a place that depends on the secret.
fn leak_address() {
    let secret = hide([5u8]);
    let table: [u8; 256] = std::array::from_fn(|at| at as u8);
    black_box(black_box(&table)[usize::from(black_box(secret)[0])]);
}

/// Dealing both secrets, with everything that is derived from the entropy before.
fn share() {
    let entropy = hide([7; 32]);
    let config = Config {
        suite: Suite::Curious,
        graph: Graph::Complete,
        clients: 5,
        threshold: 3,
        minimum_survivors: 3,
        vectors: vec![VectorSpec::new("v", 4, 16)],
        task: [0; 32],
        nonce: [1; 32],
    };
    let holders: Vec<ClientId> = (1..=5).map(id).collect();
    black_box(conformance::shares(&config, id(1), &entropy, &holders));
}

fn reconstruct() {
    let shares: Vec<(ClientId, [u8; 32])> = (1..=5).map(|at| (id(at), hide([at as u8; 32]))).collect();
    black_box(conformance::secret(&shares));
}

fn mask() {
    black_box(conformance::own_mask(&SESSION, id(1), &hide([3; 32]), (0, 20, 100)));
}

/// A public key of each kind: encryption and mask.
fn public(seed: u8) -> [[u8; 32]; 2] {
    let config = Config {
        suite: Suite::Curious,
        graph: Graph::Complete,
        clients: 2,
        threshold: 2,
        minimum_survivors: 2,
        vectors: vec![VectorSpec::new("v", 1, 16)],
        task: [0; 32],
        nonce: [1; 32],
    };
    let [_, _, encryption, mask] = conformance::client(&config, id(1), &[seed; 32]).expect("a client");
    [encryption, mask]
}

fn encryption_agreement() {
    let [theirs, _] = public(1);
    let _ = black_box(conformance::encryption_agreement(&hide([4; 32]), &theirs));
}

fn mask_agreement() {
    let [_, theirs] = public(1);
    let _ = black_box(conformance::mask_agreement(&hide([4; 32]), &theirs));
}

fn way() -> Way {
    let ([mine, _], [theirs, _]) = (public(1), public(2));
    (SESSION, (id(1), mine), (id(2), theirs))
}

fn seal() {
    let _ = black_box(conformance::bundle(&way(), &hide([4; 32]), &hide([5; 32]), &hide([6; 32])));
}

fn open() {
    // With another secret than the one that it was sealed for it does not open; what is looked at is the same.
    let [_, mut bundle] =
        conformance::bundle(&way(), &[4; 32], &[5; 32], &[6; 32]).expect("sound keys");
    publish(&mut bundle);
    let _ = black_box(conformance::opened_bundle(&way(), &hide([4; 32]), &bundle));
}

fn commit() {
    black_box(conformance::commitment(&SESSION, id(1), &hide([3; 32])));
}

fn sign() {
    black_box(conformance::signature(&hide([8; 32]), &[1; 32]));
}

/// σ² = 4: by the distribution function, in time that does not depend on the draw.
fn noise_small() {
    black_box(conformance::noise(NoiseLaw::DiscreteGaussian, 4 << 16, &hide([2; 32]), 64));
}

/// σ² = 10,000.
fn noise_large() {
    black_box(conformance::noise(NoiseLaw::DiscreteGaussian, 10_000 << 16, &hide([2; 32]), 8));
}

fn noise_skellam() {
    black_box(conformance::noise(NoiseLaw::Skellam, 100 << 16, &hide([2; 32]), 8));
}
