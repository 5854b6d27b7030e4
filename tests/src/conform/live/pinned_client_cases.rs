//! What is played to a client of suite 3 only: of six clients each has drawn all others, four shares open a secret, and
//! a quorum is four.

use secagg::conformance;

use super::active_client_cases::{by, set, third};
use super::client_cases::{Change, ClientCase, ID, Lost, Moment, Told, array, lie, lie_with, members, owned};
use super::identities::DRAW_COMMITMENT;
use super::scene::BODY;

/// Bytes of a signature.
const SIGNATURE: usize = 64;

pub(super) fn cases() -> Vec<ClientCase> {
    [proposals(), rosters(), sharers(), survivors(), inputs()].into_iter().flatten().collect()
}

/// The kind of graph and the degree, rule 11 of section 8.1.
fn proposals() -> Vec<ClientCase> {
    fn proposal(id: &'static str, change: Change) -> ClientCase {
        lie(id, 1, Told::Code(8), change)
    }
    vec![
        proposal("4.2-1/pinned-but-complete", |moment, request| {
            let graph = moment.graph();
            request.splice(graph..graph + 5, [1]);
        }),
        proposal("4.2-1/pinned-but-regular", |moment, request| {
            let graph = moment.graph();
            request.splice(graph..graph + 5, [2, 0, 0, 0, 4]);
        }),
        proposal("4.2-1/degree-of-all-and-itself", |moment, request| request[moment.graph() + 4] = 6),
        proposal("4.2-1/degree-below-the-threshold", |moment, request| request[moment.graph() + 4] = 3),
    ]
}

fn rosters() -> Vec<ClientCase> {
    vec![
        lie("4.2-4/neighbour-other-draw-commitment", 2, Told::Code(32), |moment, request| {
            third(moment, request, |one, _| one[DRAW_COMMITMENT] ^= 1);
        }),
        lie("4.3-1/other-draw-commitment-of-the-client", 2, Told::Code(11), |moment, request| {
            members(moment, request, |members| members[1][ID + DRAW_COMMITMENT] ^= 1);
        }),
        lie("4.3-1/as-many-as-the-degree", 2, Told::Code(11), |moment, request| {
            members(moment, request, |members| drop(members.pop()));
        }),
    ]
}

fn sharers() -> Vec<ClientCase> {
    fn told(id: &'static str, code: u8, change: Change) -> ClientCase {
        lie(id, 3, Told::Code(code), change)
    }
    vec![
        told("4.4-6/no-bytes", 42, |_, request| bits(request, &[])),
        told("4.4-6/one-byte-more", 42, |moment, request| bits(request, &[moment.all(), 0])),
        told("4.4-6/bit-behind-the-last-member", 42, |moment, request| {
            bits(request, &[moment.all() << 1 | 1]);
        }),
        told("4.4-7/without-the-client", 43, |moment, request| bits(request, &[moment.without(2)])),
        told("4.4-2/one-below-a-quorum", 15, |_, request| bits(request, &[0b00_0111])),
        told("4.4-2/too-few-holders", 15, |_, request| bits(request, &[0b00_1111])),
        told("4.4-1/owner-is-no-sharer", 14, |moment, request| bits(request, &[moment.without(4)])),
        told("4.4-8/one-bit-other", 44, |moment, request| {
            owned(moment, request, |bundles| bundles[0][ID] ^= 1);
        }),
        told("4.4-8/of-another-owner", 44, |moment, request| {
            owned(moment, request, |bundles| {
                let draw: [u8; 32] = array(&bundles[1][ID..]);
                bundles[0][ID..ID + 32].copy_from_slice(&draw);
            });
        }),
    ]
}

/// Tells of these sharers.
fn bits(request: &mut Vec<u8>, bits: &[u8]) {
    let told = u32::from_be_bytes(array(&request[BODY..])) as usize;
    let behind = request[BODY + 4 + told..].to_vec();
    *request = [&request[..BODY], &(bits.len() as u32).to_be_bytes(), bits, &behind].concat();
}

fn survivors() -> Vec<ClientCase> {
    vec![
        lie("4.5-4/one-below-a-quorum", 4, Told::Code(37), |_, request| set(request, &[0b00_0111])),
        lie("4.5-6/too-few-holders", 4, Told::Code(46), |_, request| set(request, &[0b00_1111])),
    ]
}

fn inputs() -> Vec<ClientCase> {
    fn shown(id: &'static str, code: u8, change: Change) -> ClientCase {
        lie(id, 5, Told::Code(code), change)
    }
    const LAST_LOST: Lost = [&[], &[], &[6], &[], &[]];
    vec![
        shown("4.6-11/one-below-a-quorum", 39, |moment, request| by(moment, request, [1, 2, 3])),
        shown("4.6-13/none", 47, |_, request| pinned(request, Vec::clear)),
        shown("4.6-13/one-fewer", 47, |_, request| pinned(request, |inputs| drop(inputs.pop()))),
        shown("4.6-13/one-more", 47, |_, request| pinned(request, |inputs| inputs.push(inputs[0].clone()))),
        lie_with("4.6-13/of-one-that-dropped", LAST_LOST, 5, Told::Code(47), |moment, request| {
            let input = over(moment, 6, moment.all());
            pinned(request, |inputs| inputs.push(input));
        }),
        shown("4.6-14/spoilt", 48, |_, request| pinned(request, |inputs| inputs[0][40] ^= 1)),
        shown("4.6-14/of-another", 48, |_, request| pinned(request, |inputs| inputs.swap(0, 1))),
        // The lie for which they are there: the last client has masked with fewer than the others.
        shown("4.6-14/over-other-sharers", 48, |moment, request| {
            let input = over(moment, 6, moment.without(3));
            pinned(request, |inputs| *inputs.last_mut().expect("five owners") = input);
        }),
        shown("4.6-14/over-survivors", 48, |moment, request| {
            let all = [moment.all()];
            let statement = conformance::survivors_statement(3, &moment.session(), &all, &all);
            let input = conformance::signature(&secret(moment, 6), &statement).to_vec();
            pinned(request, |inputs| *inputs.last_mut().expect("five owners") = input);
        }),
    ]
}

/// Changes the signatures of masked inputs in a request of Unmasking.
fn pinned(request: &mut Vec<u8>, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let place = BODY + 4 + u32::from_be_bytes(array(&request[BODY..])) as usize;
    let mut inputs: Vec<Vec<u8>> = request[place + 4..].chunks(SIGNATURE).map(<[u8]>::to_vec).collect();
    change(&mut inputs);
    let list = inputs.concat();
    *request = [&request[..place], &(list.len() as u32).to_be_bytes(), &list].concat();
}

/// The signature of a client over these sharers.
fn over(moment: &Moment<'_>, id: u32, sharers: u8) -> Vec<u8> {
    let statement = conformance::sharers_statement(&moment.session(), &[sharers]);
    conformance::signature(&secret(moment, id), &statement).to_vec()
}

fn secret(moment: &Moment<'_>, id: u32) -> [u8; 32] {
    moment.identities.map_or([0; 32], |population| population.player(id).secret)
}
