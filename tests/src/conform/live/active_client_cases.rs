//! What is played to a client of suites 2 and 3, and of suite 2 only.

use secagg::conformance::{self, Bytes32};
use secagg::{Config, Graph, Suite};

use super::client_cases::{
    Change, ClientCase, ID, Lost, Moment, SOME_AUTHORITY, Told, array, lie, lie_with, members, no_bundles,
    propose, session,
};
use super::identities::{Proof, sign_keys};
use super::scene::BODY;

pub(super) fn cases() -> Vec<ClientCase> {
    [honest(), proposals(), advertisements(), survivors(), certificates()].into_iter().flatten().collect()
}

fn honest() -> Vec<ClientCase> {
    vec![
        session("10.3/one-lost-in-consistency-check", None, [&[], &[], &[], &[3], &[]]),
        session("10.3/two-lost", None, [&[5], &[], &[], &[4], &[]]),
        lie("4.6/signatures-of-all", 5, Told::Released, |moment, request| {
            by(moment, request, [1, 2, 3, 4, 5]);
        }),
    ]
}

/// The client's own suite and authority (section 3.7), and rule 10 of section 8.1.
fn proposals() -> Vec<ClientCase> {
    fn proposal(id: &'static str, code: u8, change: Change) -> ClientCase {
        lie(id, 1, Told::Code(code), change)
    }
    vec![
        proposal("3.7/another-authority", 130, |moment, request| {
            let authority = SOME_AUTHORITY;
            let suite = match moment.config.suite {
                Suite::Pinned { corrupt, .. } => Suite::Pinned { corrupt, authority },
                _ => Suite::Active { corrupt: 0, authority },
            };
            propose(request, &Config { suite, ..moment.config.clone() });
        }),
        proposal("3.7/curious-suite", 130, |moment, request| {
            let (suite, graph) = (Suite::Curious, Graph::Complete);
            propose(request, &Config { suite, graph, ..moment.config.clone() });
        }),
        // Behind the number of the suite come the corrupt clients and the authority.
        proposal("4.2-1/too-many-corrupt", 8, |_, request| request[BODY + 10] = 5),
        proposal("4.2-1/authority-is-no-key", 8, |_, request| request[BODY + 11..BODY + 43].fill(0xff)),
        proposal("4.2-1/authority-of-small-order", 8, |_, request| {
            request[BODY + 11..BODY + 43].copy_from_slice(&neutral());
        }),
    ]
}

/// What there is in suite 2 only.
pub(super) fn of_suite_2() -> Vec<ClientCase> {
    vec![
        // Whoever does not allow it says 130, and who has no such suite 8.
        lie("3.7/pinned-suite", 1, Told::NotReleased, |moment, request| {
            let authority = moment.identities.map_or([0; 32], |population| population.authority);
            let (suite, graph) = (Suite::Pinned { corrupt: 1, authority }, Graph::KOut { degree: 4 });
            propose(request, &Config { suite, graph, ..moment.config.clone() });
        }),
        lie("4.2-1/threshold-of-half", 1, Told::Code(8), |moment, request| request[moment.graph() + 8] = 2),
        lie("4.2-1/signed-but-regular", 1, Told::Code(8), |moment, request| {
            let graph = moment.graph();
            request.splice(graph..=graph, [2, 0, 0, 0, 4]);
        }),
        no_bundles(),
    ]
}

fn neutral() -> Bytes32 {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    neutral
}

/// An identity that nobody has certified.
const STRANGER: Bytes32 = [0x53; 32];

fn advertisements() -> Vec<ClientCase> {
    fn neighbour(id: &'static str, code: u8, change: Change) -> ClientCase {
        lie(id, 2, Told::Code(code), change)
    }
    vec![
        neighbour("3.7-1/neighbour-is-no-point", 30, |moment, request| {
            third(moment, request, |one, proof| one[proof.identity..proof.certificate].fill(0xff));
        }),
        neighbour("3.7-1/neighbour-of-small-order", 30, |moment, request| {
            third(moment, request, |one, proof| put(one, proof.identity, &neutral()));
        }),
        neighbour("3.7-2/neighbour-spoilt", 31, |moment, request| {
            third(moment, request, |one, proof| one[proof.certificate + 40] ^= 1);
        }),
        neighbour("3.7-2/neighbour-uncertified", 31, |moment, request| {
            let identity = conformance::identity(&STRANGER);
            third(moment, request, |one, proof| put(one, proof.identity, &identity));
        }),
        neighbour("3.7-2/neighbour-certified-by-itself", 31, |moment, request| {
            let identity = conformance::identity(&STRANGER);
            let statement = conformance::certificate_statement(&identity);
            let own = conformance::signature(&STRANGER, &statement);
            third(moment, request, |one, proof| {
                put(one, proof.identity, &identity);
                put(one, proof.certificate, &own);
            });
        }),
        neighbour("3.7-2/certificates-before-signatures", 31, |moment, request| {
            let proof = Proof::of(moment.config);
            members(moment, request, |members| {
                members[0][ID + proof.signature] ^= 1;
                members[4][ID + proof.certificate] ^= 1;
            });
        }),
        neighbour("4.2-4/neighbour-spoilt", 32, |moment, request| {
            third(moment, request, |one, proof| one[proof.signature + 40] ^= 1);
        }),
        neighbour("4.2-4/neighbour-other-encryption-key", 32, |moment, request| {
            third(moment, request, |one, _| one[0] ^= 1);
        }),
        neighbour("4.2-4/neighbour-for-another-id", 32, |moment, request| {
            third(moment, request, |one, _| resigned(moment, one, moment.config, 4, 3));
        }),
        neighbour("4.2-4/neighbour-for-another-session", 32, |moment, request| {
            let config = Config { nonce: [0x5e; 32], ..moment.config.clone() };
            third(moment, request, |one, _| resigned(moment, one, &config, 3, 3));
        }),
        neighbour("4.2-4/neighbour-signed-by-another", 32, |moment, request| {
            third(moment, request, |one, _| resigned(moment, one, moment.config, 3, 4));
        }),
        neighbour("4.2-5/identity-of-the-client", 33, |moment, request| {
            members(moment, request, |members| twin(moment, members, 1, 2));
        }),
        neighbour("4.2-5/two-neighbours-with-one-identity", 33, |moment, request| {
            members(moment, request, |members| twin(moment, members, 0, 2));
        }),
        neighbour("4.3-1/other-identity-of-the-client", 11, |moment, request| {
            own(moment, request, |proof| proof.identity);
        }),
        neighbour("4.3-1/other-certificate-of-the-client", 11, |moment, request| {
            own(moment, request, |proof| proof.certificate);
        }),
        neighbour("4.3-1/other-signature-of-the-client", 11, |moment, request| {
            own(moment, request, |proof| proof.signature);
        }),
        neighbour("4.3-2/other-signature-of-a-neighbour", 12, |_, request| {
            *request.last_mut().expect("a signature") ^= 1;
        }),
    ]
}

/// Changes the advertisement of the third member.
pub(super) fn third(moment: &Moment<'_>, request: &mut Vec<u8>, change: impl FnOnce(&mut [u8], Proof)) {
    members(moment, request, |members| change(&mut members[2][ID..], Proof::of(moment.config)));
}

fn put(one: &mut [u8], place: usize, bytes: &[u8]) {
    one[place..place + bytes.len()].copy_from_slice(bytes);
}

/// Changes a byte of the client's own advertisement.
fn own(moment: &Moment<'_>, request: &mut Vec<u8>, place: fn(Proof) -> usize) {
    members(moment, request, |members| members[1][ID + place(Proof::of(moment.config))] ^= 1);
}

/// Signs an advertisement for this configuration and id, with the identity of the player `by`.
fn resigned(moment: &Moment<'_>, advertisement: &mut [u8], config: &Config, id: u32, by: u32) {
    if let Some(population) = moment.identities {
        sign_keys(advertisement, config, id, population.player(by));
    }
}

/// Gives the member at place `to` the identity of the one at place `from`, rightly signed.
fn twin(moment: &Moment<'_>, members: &mut [Vec<u8>], from: usize, to: usize) {
    let proof = Proof::of(moment.config);
    let certified = members[from][ID + proof.identity..ID + proof.signature].to_vec();
    let one = &mut members[to][ID..];
    put(one, proof.identity, &certified);
    resigned(moment, one, moment.config, to as u32 + 1, from as u32 + 1);
}

fn survivors() -> Vec<ClientCase> {
    fn asked(id: &'static str, code: u8, change: Change) -> ClientCase {
        lie(id, 4, Told::Code(code), change)
    }
    const FOUR_NEVER_SHARED: Lost = [&[], &[4], &[], &[], &[]];
    vec![
        asked("4.1-1/consistency-check-cut-off", 3, |_, request| request.truncate(request.len() - 1)),
        asked("4.1-1/consistency-check-one-byte-more", 3, |_, request| request.push(0)),
        asked("4.1-2/unmasking-before-consistency-check", 4, |moment, request| {
            request[0] = 9;
            by(moment, request, [1, 2, 3]);
        }),
        asked("4.1-3/consistency-check", 5, |_, request| request[32] ^= 1),
        asked("4.5-1/no-bytes", 34, |_, request| set(request, &[])),
        asked("4.5-1/one-byte-more", 34, |moment, request| set(request, &[moment.all(), 0])),
        asked("4.5-1/bit-behind-the-last-member", 34, |moment, request| {
            set(request, &[moment.all() << 1 | 1]);
        }),
        lie_with("4.5-2/no-sharer-among-them", FOUR_NEVER_SHARED, 4, Told::Code(35), |moment, request| {
            set(request, &[moment.all()]);
        }),
        lie_with(
            "4.5-2/no-sharer-in-place-of-one",
            FOUR_NEVER_SHARED,
            4,
            Told::Code(35),
            |moment, request| {
                set(request, &[moment.without(5)]);
            },
        ),
        asked("4.5-3/without-the-client", 36, |moment, request| {
            set(request, &[moment.without(2)]);
        }),
        asked("4.5-4/one-below-the-threshold", 37, |_, request| set(request, &[0b0_0011])),
        asked("4.5-4/the-client-alone", 37, |_, request| set(request, &[0b0_0010])),
    ]
}

/// Asks about these survivors.
pub(super) fn set(request: &mut Vec<u8>, bits: &[u8]) {
    *request = [&request[..BODY], &(bits.len() as u32).to_be_bytes(), bits].concat();
}

fn certificates() -> Vec<ClientCase> {
    fn shown(id: &'static str, code: u8, change: Change) -> ClientCase {
        lie(id, 5, Told::Code(code), change)
    }
    const LAST_LOST: Lost = [&[], &[], &[5], &[], &[]];
    vec![
        shown("4.1-2/consistency-check-again", 4, |moment, request| {
            request[0] = 7;
            set(request, &[moment.without(5)]);
        }),
        shown("4.6-11/none", 39, |_, request| certificate(request, [])),
        shown("4.6-11/one-too-few", 39, |moment, request| by(moment, request, [1, 2])),
        shown("4.6-11/not-ascending", 39, |moment, request| by(moment, request, [1, 3, 2, 4])),
        shown("4.6-11/one-twice", 39, |moment, request| by(moment, request, [1, 3, 3, 4])),
        shown("4.6-11/a-stranger-beside-enough", 39, |moment, request| {
            by(moment, request, [1, 2, 3, 4, 5]);
            request[BODY + 4 + 4 * SIGNED + 3] = 9;
        }),
        lie_with("4.6-11/signer-is-no-survivor", LAST_LOST, 5, Told::Code(39), |moment, request| {
            over(moment, request, moment.all(), moment.without(5));
        }),
        shown("4.6-12/spoilt", 40, |_, request| request[BODY + 4 + 4 + 40] ^= 1),
        shown("4.6-12/spoilt-beside-enough", 40, |moment, request| {
            by(moment, request, [1, 2, 3, 4, 5]);
            request[BODY + 4 + 5 * SIGNED - 1] ^= 1;
        }),
        shown("4.6-12/of-another", 40, |moment, request| {
            by(moment, request, [1, 2, 4, 5]);
            request[BODY + 4 + 2 * SIGNED + 3] = 3;
        }),
        // The lie for which the round is there: the others have signed that the client dropped.
        shown("4.6-12/over-other-survivors", 40, |moment, request| {
            over(moment, request, moment.all(), moment.without(2));
        }),
        shown("4.6-12/over-other-sharers", 40, |moment, request| {
            over(moment, request, moment.without(2), moment.all());
        }),
        shown("4.6-12/of-another-session", 40, |moment, request| {
            let mut other = moment.request.to_vec();
            other[1] ^= 1;
            let other = Moment { request: &other, ..*moment };
            let signatures = OTHERS.map(|id| signed(&other, id, moment.all(), moment.all()));
            certificate(request, signatures);
        }),
    ]
}

/// Four clients that are not the one under test: a quorum.
const OTHERS: [u32; 4] = [1, 3, 4, 5];

/// Bytes of a signature with the id of its signer.
const SIGNED: usize = 68;

/// Shows the true signatures of these clients.
pub(super) fn by<const N: usize>(moment: &Moment<'_>, request: &mut Vec<u8>, ids: [u32; N]) {
    certificate(request, ids.map(|id| signed(moment, id, moment.all(), moment.all())));
}

/// Shows signatures of a quorum over these bits.
fn over(moment: &Moment<'_>, request: &mut Vec<u8>, sharers: u8, survivors: u8) {
    certificate(request, OTHERS.map(|id| signed(moment, id, sharers, survivors)));
}

/// Shows these signatures; what is behind them in suite 3 stays.
fn certificate<const N: usize>(request: &mut Vec<u8>, signatures: [Vec<u8>; N]) {
    let list = signatures.concat();
    let shown = u32::from_be_bytes(array(&request[BODY..])) as usize;
    let behind = request[BODY + 4 + shown..].to_vec();
    *request = [&request[..BODY], &(list.len() as u32).to_be_bytes(), &list, &behind].concat();
}

/// The signature of a client over these bits, with its id.
fn signed(moment: &Moment<'_>, id: u32, sharers: u8, survivors: u8) -> Vec<u8> {
    let number = moment.config.suite.number().into();
    let statement = conformance::survivors_statement(number, &moment.session(), &[sharers], &[survivors]);
    let secret = moment.identities.map_or([0; 32], |population| population.player(id).secret);
    [&id.to_be_bytes()[..], &conformance::signature(&secret, &statement)].concat()
}
