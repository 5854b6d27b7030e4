//! What is played to a client of suite 2 only.

use secagg::conformance::{self, Bytes32};
use secagg::{Config, Suite};

use super::client_cases::{
    Change, ClientCase, Lost, Moment, SOME_AUTHORITY, Told, lie, lie_with, members, propose, session,
};
use super::identities::{CERTIFICATE, IDENTITY, SIGNATURE, sign_keys};
use super::scene::BODY;

/// Where a member's advertisement begins, behind its id.
const ID: usize = 4;

/// The bits of all five clients.
const ALL: u8 = 0b1_1111;

pub(super) fn cases() -> Vec<ClientCase> {
    [honest(), proposals(), advertisements(), survivors(), certificates()].into_iter().flatten().collect()
}

fn honest() -> Vec<ClientCase> {
    vec![
        session("10.3/one-lost-in-consistency-check", None, [&[], &[], &[], &[3], &[]]),
        session("10.3/two-lost", None, [&[5], &[], &[], &[4], &[]]),
        lie("4.6/signatures-of-all", 5, Told::Released, |moment, request| {
            certificate(moment, request, [1, 2, 3, 4, 5].map(|id| signed(moment, id, ALL, ALL)));
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
            let suite = Suite::Active { corrupt: 0, authority: SOME_AUTHORITY };
            propose(request, &Config { suite, ..moment.config.clone() });
        }),
        proposal("3.7/curious-suite", 130, |moment, request| {
            propose(request, &Config { suite: Suite::Curious, ..moment.config.clone() });
        }),
        // Behind the number of the suite come the corrupt clients and the authority.
        proposal("4.2-1/too-many-corrupt", 8, |_, request| request[BODY + 10] = 1),
        proposal("4.2-1/threshold-of-half", 8, |moment, request| request[moment.graph() + 8] = 2),
        proposal("4.2-1/authority-is-no-key", 8, |_, request| request[BODY + 11..BODY + 43].fill(0xff)),
        proposal("4.2-1/authority-of-small-order", 8, |_, request| {
            request[BODY + 11..BODY + 43].copy_from_slice(&neutral());
        }),
        proposal("4.2-1/signed-but-regular", 8, |moment, request| {
            let graph = moment.graph();
            request.splice(graph..=graph, [2, 0, 0, 0, 4]);
        }),
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
            third(moment, request, |one| one[IDENTITY..CERTIFICATE].fill(0xff));
        }),
        neighbour("3.7-1/neighbour-of-small-order", 30, |moment, request| {
            third(moment, request, |one| one[IDENTITY..CERTIFICATE].copy_from_slice(&neutral()));
        }),
        neighbour("3.7-2/neighbour-spoilt", 31, |moment, request| {
            third(moment, request, |one| one[CERTIFICATE + 40] ^= 1);
        }),
        neighbour("3.7-2/neighbour-uncertified", 31, |moment, request| {
            let identity = conformance::identity(&STRANGER);
            third(moment, request, |one| one[IDENTITY..CERTIFICATE].copy_from_slice(&identity));
        }),
        neighbour("3.7-2/neighbour-certified-by-itself", 31, |moment, request| {
            let identity = conformance::identity(&STRANGER);
            let statement = conformance::certificate_statement(&identity);
            let own = conformance::signature(&STRANGER, &statement);
            third(moment, request, |one| {
                one[IDENTITY..CERTIFICATE].copy_from_slice(&identity);
                one[CERTIFICATE..SIGNATURE].copy_from_slice(&own);
            });
        }),
        neighbour("3.7-2/certificates-before-signatures", 31, |moment, request| {
            members(moment, request, |members| {
                members[0][ID + SIGNATURE] ^= 1;
                members[4][ID + CERTIFICATE] ^= 1;
            });
        }),
        neighbour("4.2-4/neighbour-spoilt", 32, |moment, request| {
            third(moment, request, |one| one[SIGNATURE + 40] ^= 1);
        }),
        neighbour("4.2-4/neighbour-other-encryption-key", 32, |moment, request| {
            third(moment, request, |one| one[0] ^= 1);
        }),
        neighbour("4.2-4/neighbour-for-another-id", 32, |moment, request| {
            third(moment, request, |one| resigned(moment, one, moment.config, 4, 3));
        }),
        neighbour("4.2-4/neighbour-for-another-session", 32, |moment, request| {
            let config = Config { nonce: [0x5e; 32], ..moment.config.clone() };
            third(moment, request, |one| resigned(moment, one, &config, 3, 3));
        }),
        neighbour("4.2-4/neighbour-signed-by-another", 32, |moment, request| {
            third(moment, request, |one| resigned(moment, one, moment.config, 3, 4));
        }),
        neighbour("4.2-5/identity-of-the-client", 33, |moment, request| {
            members(moment, request, |members| twin(moment, members, 1, 2));
        }),
        neighbour("4.2-5/two-neighbours-with-one-identity", 33, |moment, request| {
            members(moment, request, |members| twin(moment, members, 0, 2));
        }),
        neighbour("4.3-1/other-identity-of-the-client", 11, |moment, request| {
            members(moment, request, |members| members[1][ID + IDENTITY] ^= 1);
        }),
        neighbour("4.3-1/other-certificate-of-the-client", 11, |moment, request| {
            members(moment, request, |members| members[1][ID + CERTIFICATE] ^= 1);
        }),
        neighbour("4.3-1/other-signature-of-the-client", 11, |moment, request| {
            members(moment, request, |members| members[1][ID + SIGNATURE] ^= 1);
        }),
        neighbour("4.3-2/other-signature-of-a-neighbour", 12, |_, request| {
            *request.last_mut().expect("a signature") ^= 1;
        }),
    ]
}

/// Changes the advertisement of the third member.
fn third(moment: &Moment<'_>, request: &mut Vec<u8>, change: impl FnOnce(&mut [u8])) {
    members(moment, request, |members| change(&mut members[2][ID..]));
}

/// Signs an advertisement for this configuration and id, with the identity of the player `by`.
fn resigned(moment: &Moment<'_>, advertisement: &mut [u8], config: &Config, id: u32, by: u32) {
    if let Some(population) = moment.identities {
        sign_keys(advertisement, config, id, population.player(by));
    }
}

/// Gives the member at place `to` the identity of the one at place `from`, rightly signed.
fn twin(moment: &Moment<'_>, members: &mut [Vec<u8>], from: usize, to: usize) {
    let proof = members[from][ID + IDENTITY..ID + SIGNATURE].to_vec();
    let one = &mut members[to][ID..];
    one[IDENTITY..SIGNATURE].copy_from_slice(&proof);
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
            certificate(moment, request, [1, 2, 3].map(|id| signed(moment, id, ALL, ALL)));
        }),
        asked("4.1-3/consistency-check", 5, |_, request| request[32] ^= 1),
        asked("4.5-1/no-bytes", 34, |_, request| set(request, &[])),
        asked("4.5-1/one-byte-more", 34, |_, request| set(request, &[ALL, 0])),
        asked("4.5-1/bit-behind-the-last-member", 34, |_, request| set(request, &[ALL | 0x20])),
        lie_with("4.5-2/no-sharer-among-them", FOUR_NEVER_SHARED, 4, Told::Code(35), |_, request| {
            set(request, &[ALL]);
        }),
        lie_with("4.5-2/no-sharer-in-place-of-one", FOUR_NEVER_SHARED, 4, Told::Code(35), |_, request| {
            set(request, &[0b0_1111]);
        }),
        asked("4.5-3/without-the-client", 36, |_, request| set(request, &[0b1_1101])),
        asked("4.5-4/one-below-the-threshold", 37, |_, request| set(request, &[0b0_0011])),
        asked("4.5-4/the-client-alone", 37, |_, request| set(request, &[0b0_0010])),
    ]
}

/// Asks about these survivors.
fn set(request: &mut Vec<u8>, bits: &[u8]) {
    *request = [&request[..BODY], &(bits.len() as u32).to_be_bytes(), bits].concat();
}

fn certificates() -> Vec<ClientCase> {
    fn shown(id: &'static str, code: u8, change: Change) -> ClientCase {
        lie(id, 5, Told::Code(code), change)
    }
    const LAST_LOST: Lost = [&[], &[], &[5], &[], &[]];
    vec![
        shown("4.1-2/consistency-check-again", 4, |_, request| {
            request[0] = 7;
            set(request, &[0b0_1111]);
        }),
        shown("4.6-11/none", 39, |moment, request| certificate(moment, request, [])),
        shown("4.6-11/one-too-few", 39, |moment, request| by(moment, request, [1, 2])),
        shown("4.6-11/not-ascending", 39, |moment, request| by(moment, request, [1, 3, 2])),
        shown("4.6-11/one-twice", 39, |moment, request| by(moment, request, [1, 3, 3])),
        shown("4.6-11/a-stranger-beside-enough", 39, |moment, request| {
            let mut last = signed(moment, 5, ALL, ALL);
            last[3] = 9;
            let [first, second, third] = [1, 2, 3].map(|id| signed(moment, id, ALL, ALL));
            certificate(moment, request, [first, second, third, last]);
        }),
        lie_with("4.6-11/signer-is-no-survivor", LAST_LOST, 5, Told::Code(39), |moment, request| {
            certificate(moment, request, [1, 3, 5].map(|id| signed(moment, id, ALL, 0b0_1111)));
        }),
        shown("4.6-12/spoilt", 40, |_, request| request[BODY + 4 + 4 + 40] ^= 1),
        shown("4.6-12/spoilt-beside-enough", 40, |moment, request| {
            by(moment, request, [1, 2, 3, 4]);
            *request.last_mut().expect("a signature") ^= 1;
        }),
        shown("4.6-12/of-another", 40, |moment, request| {
            let mut borrowed = signed(moment, 4, ALL, ALL);
            borrowed[3] = 3;
            let [first, second] = [1, 2].map(|id| signed(moment, id, ALL, ALL));
            certificate(moment, request, [first, second, borrowed]);
        }),
        // The lie for which the round is there: the others have signed that client 5 dropped.
        shown("4.6-12/over-other-survivors", 40, |moment, request| {
            certificate(moment, request, [1, 3, 4].map(|id| signed(moment, id, ALL, 0b0_1111)));
        }),
        shown("4.6-12/over-other-sharers", 40, |moment, request| {
            certificate(moment, request, [1, 3, 4].map(|id| signed(moment, id, 0b0_1111, ALL)));
        }),
        shown("4.6-12/of-another-session", 40, |moment, request| {
            let mut other = moment.request.to_vec();
            other[1] ^= 1;
            let other = Moment { request: &other, ..*moment };
            certificate(moment, request, [1, 3, 4].map(|id| signed(&other, id, ALL, ALL)));
        }),
    ]
}

/// Shows the true signatures of these clients.
fn by<const N: usize>(moment: &Moment<'_>, request: &mut Vec<u8>, ids: [u32; N]) {
    certificate(moment, request, ids.map(|id| signed(moment, id, ALL, ALL)));
}

/// Shows these signatures.
fn certificate<const N: usize>(moment: &Moment<'_>, request: &mut Vec<u8>, signatures: [Vec<u8>; N]) {
    let (kind, header) = (request[0], &moment.request[1..BODY]);
    let list = signatures.concat();
    *request = [&[kind], header, &(list.len() as u32).to_be_bytes(), &list].concat();
}

/// The signature of a client over these bits, with its id.
fn signed(moment: &Moment<'_>, id: u32, sharers: u8, survivors: u8) -> Vec<u8> {
    let session: Bytes32 = moment.request[1..BODY].try_into().expect("32 bytes");
    let statement = conformance::survivors_statement(2, &session, &[sharers], &[survivors]);
    let secret = moment.identities.map_or([0; 32], |population| population.player(id).secret);
    [&id.to_be_bytes()[..], &conformance::signature(&secret, &statement)].concat()
}
