//! What is played to a server of suite 3 only.

use secagg::conformance::{self, Bytes32};

use super::identities::{DRAW_COMMITMENT, Person};
use super::scene::{Act, BODY, Scene};
use super::server_cases::{Do, ServerCase, session};

const ADVERTISE_KEYS: u8 = 1;
const SHARE_KEYS: u8 = 2;
const MASKED_INPUT: u8 = 3;

/// Where a draw is in the body of an answer to ShareKeys.
const DRAW: usize = 32;

/// Bytes of a signature.
const SIGNATURE: usize = 64;

pub(super) fn cases() -> Vec<ServerCase> {
    [commitments(), draws(), sharers()].into_iter().flatten().collect()
}

fn commitments() -> Vec<ServerCase> {
    vec![
        session("4.1-1/advertisement-of-suite-2", ADVERTISE_KEYS, &[3], |scene| {
            scene
                .changed(|response| drop(response.drain(BODY + DRAW_COMMITMENT..BODY + DRAW_COMMITMENT + 32)))
        }),
        session("4.2-4/other-draw-commitment", ADVERTISE_KEYS, &[32], |scene| {
            scene.changed(|response| response[BODY + DRAW_COMMITMENT] ^= 1)
        }),
    ]
}

fn draws() -> Vec<ServerCase> {
    fn draw(id: &'static str, act: Do) -> ServerCase {
        session(id, SHARE_KEYS, &[41], act)
    }
    vec![
        draw("4.3-4/one-bit-other", |scene| scene.changed(|response| response[BODY + DRAW] ^= 1)),
        draw("4.3-4/zeros", |scene| scene.with(DRAW, &[0; 32])),
        // What is committed to is not the draw.
        draw("4.3-4/its-commitment", |scene| {
            let commitment = scene.previous.get(BODY + DRAW_COMMITMENT..)?.first_chunk::<32>()?;
            scene.with(DRAW, commitment)
        }),
    ]
}

fn sharers() -> Vec<ServerCase> {
    fn signature(id: &'static str, act: Do) -> ServerCase {
        session(id, MASKED_INPUT, &[45], act)
    }
    vec![
        session("4.1-1/masked-input-without-a-signature", MASKED_INPUT, &[3], |scene| {
            scene.changed(|response| response.truncate(BODY + SIGNATURE - 1))
        }),
        signature("4.4-9/spoilt", |scene| scene.changed(|response| response[BODY + 40] ^= 1)),
        signature("4.4-9/zeros", |scene| scene.with(0, &[0; SIGNATURE])),
        signature("4.4-9/by-another", |scene| signed(scene, scene.person(1)?, &told(scene)?)),
        signature("4.4-9/over-other-sharers", |scene| {
            let mut bits = told(scene)?;
            bits[0] &= !1;
            signed(scene, scene.person(scene.id)?, &bits)
        }),
        // The statement of ConsistencyCheck, before there are survivors.
        signature("4.4-9/over-survivors", |scene| {
            let bits = told(scene)?;
            let statement = conformance::survivors_statement(3, &session_of(scene)?, &bits, &bits);
            scene.with(0, &conformance::signature(&scene.person(scene.id)?.secret, &statement))
        }),
    ]
}

/// The bits of the sharers that the server tells of: a list at the beginning.
fn told(scene: &Scene<'_>) -> Option<Vec<u8>> {
    let (length, rest) = scene.request.get(BODY..)?.split_first_chunk()?;
    Some(rest.get(..u32::from_be_bytes(*length) as usize)?.to_vec()).filter(|bits| !bits.is_empty())
}

fn session_of(scene: &Scene<'_>) -> Option<Bytes32> {
    scene.request.get(1..BODY)?.try_into().ok()
}

/// The masked input with a signature by this person over these sharers.
fn signed(scene: &Scene<'_>, by: &Person, sharers: &[u8]) -> Option<Act> {
    let statement = conformance::sharers_statement(&session_of(scene)?, sharers);
    scene.with(0, &conformance::signature(&by.secret, &statement))
}
