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

/// What is run.
struct Case {
    name: &'static str,
    /// The first byte of what comes of it, which depends on the secret.
    run: fn() -> u8,
    /// What memcheck has to find.
    found: Found,
}

/// What memcheck has to find in a case.
enum Found {
    /// At most so many places with a branch on a verdict that the protocol makes public, as `verdicts.supp` lists them, and
    /// nothing else.
    Verdicts(u32),
    /// A branch or an address that depends on the secret: it is planted, or the code does not claim otherwise.
    Leak,
}
use Found::{Leak, Verdicts};

const fn case(name: &'static str, found: Found, run: fn() -> u8) -> Case {
    Case { name, run, found }
}

const CASES: &[Case] = &[
    case("leak-branch", Leak, leak_branch),
    case("leak-address", Leak, leak_address),
    case("share", Verdicts(0), share),
    case("reconstruct", Verdicts(1), reconstruct),
    case("mask", Verdicts(0), mask),
    case("encryption-agreement", Verdicts(1), encryption_agreement),
    case("mask-agreement", Verdicts(1), mask_agreement),
    case("seal", Verdicts(3), seal),
    case("open", Verdicts(5), open),
    case("commit", Verdicts(1), commit),
    case("sign", Verdicts(0), sign),
    case("noise-small", Verdicts(1), noise_small),
    case("noise-small-tail", Verdicts(2), noise_small_tail),
    case("noise-centred", Verdicts(1), noise_centred),
    // What these say of themselves: time or addresses depend on the draw, or on the centre (spec, sections 9.3 and 9.5).
    case("noise-large", Leak, noise_large),
    case("noise-two-levels", Leak, noise_two_levels),
    case("noise-skellam", Leak, noise_skellam),
    case("noise-centres", Leak, noise_centres),
];

/// Before the name of a case: with a branch on what comes of it. It has to be found beside the verdicts that are not
/// reported.
const PLANTED: &str = "leak-after-";

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    if name == "list" {
        CASES.iter().for_each(list);
        return ExitCode::SUCCESS;
    }
    let (planted, plain) = match name.strip_prefix(PLANTED) {
        Some(plain) => (true, plain),
        None => (false, name.as_str()),
    };
    let Some(case) = CASES.iter().find(|one| one.name == plain) else {
        eprintln!("secagg-side-channels list, or one of the list");
        return ExitCode::from(2);
    };
    let byte = black_box((case.run)());
    if planted {
        branch(byte);
    }
    ExitCode::SUCCESS
}

/// Name, valgrind's exit code, and the most places with a verdict.
fn list(case: &Case) {
    match case.found {
        Leak => println!("{} 9 0", case.name),
        Verdicts(places) => {
            println!("{} 0 {places}", case.name);
            println!("{PLANTED}{} 9 {places}", case.name);
        }
    }
}

/// Makes these bytes undefined to memcheck. Without it nothing could be found: that is an error.
fn hide<const N: usize>(mut bytes: [u8; N]) -> [u8; N] {
    assert!(!matches!(run_mode(), RunMode::Native), "run this under valgrind");
    // This version takes memcheck's answer, which is -1, for an error.
    let _ = mark_mem(bytes.as_mut_ptr().cast::<c_void>(), bytes.len(), MemState::Undefined);
    bytes
}

fn id(id: u32) -> ClientId {
    ClientId::new(id).expect("not zero")
}

/// A planted leak: memcheck has to find it.
fn leak_branch() -> u8 {
    let [byte] = hide([5]);
    branch(byte);
    byte
}

#[inline(never)]
fn branch(secret: u8) {
    if black_box(secret) > 4 {
        println!("greater");
    }
}

/// Another one: a table that is read at a place that depends on the secret.
fn leak_address() -> u8 {
    let secret = hide([5u8]);
    let table: [u8; 256] = std::array::from_fn(|at| at as u8);
    black_box(&table)[usize::from(black_box(secret)[0])]
}

fn config(clients: u32, threshold: u32, length: u32) -> Config {
    Config {
        suite: Suite::Curious,
        graph: Graph::Complete,
        clients,
        threshold,
        minimum_survivors: threshold,
        vectors: vec![VectorSpec::new("v", length, 16)],
        task: [0; 32],
        nonce: [1; 32],
    }
}

/// Dealing both secrets, with everything that is derived from the entropy before.
fn share() -> u8 {
    let holders: Vec<ClientId> = (1..=5).map(id).collect();
    let [shares, _] =
        conformance::shares(&config(5, 3, 4), id(1), &hide([7; 32]), &holders).expect("a client");
    shares[0][0]
}

fn reconstruct() -> u8 {
    let shares: Vec<(ClientId, [u8; 32])> = (1..=5).map(|at| (id(at), hide([at as u8; 32]))).collect();
    conformance::secret(&shares)[0]
}

fn mask() -> u8 {
    conformance::own_mask(&SESSION, id(1), &hide([3; 32]), (0, 20, 100))[0] as u8
}

fn encryption_agreement() -> u8 {
    conformance::encryption_agreement(&hide([4; 32]), &encryption_key(&[5; 32])).expect("a sound key")[0]
}

fn mask_agreement() -> u8 {
    let [_, _, _, theirs] = conformance::client(&config(2, 2, 1), id(1), &[1; 32]).expect("a client");
    conformance::mask_agreement(&hide([4; 32]), &theirs).expect("a sound key")[0]
}

/// The secrets of the owner and of the holder.
const SECRETS: [[u8; 32]; 2] = [[4; 32], [5; 32]];

/// X25519 with the base point.
fn encryption_key(secret: &[u8; 32]) -> [u8; 32] {
    let base: [u8; 32] = std::array::from_fn(|at| if at == 0 { 9 } else { 0 });
    conformance::encryption_agreement(secret, &base).expect("the base point is sound")
}

fn way() -> Way {
    let [owner, holder] = SECRETS.map(|secret| encryption_key(&secret));
    (SESSION, (id(1), owner), (id(2), holder))
}

fn seal() -> u8 {
    let [key, _] =
        conformance::bundle(&way(), &hide(SECRETS[0]), &hide([5; 32]), &hide([6; 32])).expect("sound keys");
    key[0]
}

fn open() -> u8 {
    let [_, bundle] = conformance::bundle(&way(), &SECRETS[0], &[5; 32], &[6; 32]).expect("sound keys");
    conformance::opened_bundle(&way(), &hide(SECRETS[1]), &bundle).expect("a good bundle")[0][0]
}

fn commit() -> u8 {
    conformance::commitment(&SESSION, id(1), &hide([3; 32]))[0]
}

fn sign() -> u8 {
    conformance::signature(&hide([8; 32]), &[1; 32])[0]
}

fn noise(law: NoiseLaw, variance: u64, count: usize) -> u8 {
    let drawn = conformance::noise(law, variance << 16, &hide([2; 32]), count).expect("noise");
    drawn[count - 1] as u8
}

/// σ² = 4: every word is compared with every threshold.
fn noise_small() -> u8 {
    noise(NoiseLaw::DiscreteGaussian, 4, 1024)
}

/// The last draws are no whole block.
fn noise_small_tail() -> u8 {
    noise(NoiseLaw::DiscreteGaussian, 16, 1027)
}

/// Centred noise of a secret seed, around centres that are taken to be known.
fn noise_centred() -> u8 {
    let centres: Vec<i64> = (0..1027).map(|at| 37 * at - 9000).collect();
    conformance::centred_noise(4 << 16, 4, &centres, &hide([2; 32])).expect("noise")[1026] as u8
}

/// σ² = 100: the table is entered at an index that depends on the draw.
fn noise_large() -> u8 {
    noise(NoiseLaw::DiscreteGaussian, 100, 8)
}

/// σ² = 2^18: draws are rejected too.
fn noise_two_levels() -> u8 {
    noise(NoiseLaw::DiscreteGaussian, 1 << 18, 8)
}

/// The tables of Poisson's law are entered like those of a large σ, whatever σ is.
fn noise_skellam() -> u8 {
    noise(NoiseLaw::Skellam, 4, 8)
}

/// Which row of thresholds is read depends on the centre.
fn noise_centres() -> u8 {
    let centre = i64::from_le_bytes(hide([8, 0, 0, 0, 0, 0, 0, 0]));
    conformance::centred_noise(4 << 16, 4, &[centre], &[2; 32]).expect("noise")[0] as u8
}
