//! What is played to a client.

use secagg::conformance::{Bytes32, encoded, session_id};
use secagg::{ClientId, Config, Graph, Suite};

use super::binding::{NEXT, RELEASED, announcement, frame, header};
use super::case::Case;
use super::identities::{DRAW_COMMITMENT, Population, Proof, Signed, is_pinned, sign_keys};
use super::scene::{BODY, End};
use super::{active_client_cases, pinned_client_cases};

/// Bytes of a member in suite 1, and of a bundle with its owner; in suite 3 the owner's draw is between them.
const MEMBER: usize = 68;
const OWNED: usize = 84;
const DRAW: usize = 32;

/// Where a member's advertisement begins, behind its id.
pub(super) const ID: usize = 4;

/// A case for a client.
#[derive(Clone)]
pub(super) struct ClientCase {
    pub(super) id: &'static str,
    pub(super) part: Part,
}

/// What is played.
#[derive(Clone)]
pub(super) enum Part {
    /// A server with another certificate than that of the pin.
    OtherServer,
    /// A server that speaks this application protocol.
    OtherProtocol(&'static [u8]),
    /// A session.
    Session(Play),
}

/// A session in which the server may lie once.
#[derive(Clone, Copy)]
pub(super) struct Play {
    /// The degree in suite 1, if it is not on the complete graph.
    pub(super) degree: Option<u32>,
    pub(super) lost: Lost,
    pub(super) lie: Option<Lie>,
    pub(super) told: Told,
}

/// The other clients that do not answer, for each stage from 1.
pub(super) type Lost = [&'static [u32]; 5];

/// A lie of the server, in place of the request of this stage; stage 6 is the end.
#[derive(Clone, Copy)]
pub(super) struct Lie {
    pub(super) stage: u8,
    pub(super) tell: Tell,
}

/// What the server says.
#[derive(Clone, Copy)]
pub(super) enum Tell {
    /// Its honest request, changed, in a good frame.
    Changed(Change),
    /// These bytes.
    Bytes(fn(&Moment<'_>) -> (Vec<u8>, End)),
}

pub(super) type Change = fn(&Moment<'_>, &mut Vec<u8>);

/// What the server would say honestly, when it lies.
pub(super) struct Moment<'a> {
    pub(super) config: &'a Config,
    pub(super) task: &'a [u8],
    pub(super) request: &'a [u8],
    /// Who signs, if anybody does.
    pub(super) identities: Option<&'a Population>,
}

/// How the client has to close the connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Told {
    /// With this code, at once.
    Code(u8),
    /// At once, and not as if the sum had been released.
    NotReleased,
    /// When the sum is released.
    Released,
}

impl Case for ClientCase {
    fn id(&self) -> &'static str {
        self.id
    }
}

/// All cases for a client of a suite with identities, or for one of suite 1.
pub(super) fn cases(signed: Option<Signed>) -> Vec<ClientCase> {
    let own = match signed {
        None => curious(),
        Some(Signed::Active) => [active_client_cases::cases(), active_client_cases::of_suite_2()].concat(),
        Some(Signed::Pinned) => [active_client_cases::cases(), pinned_client_cases::cases()].concat(),
    };
    [honest(), keys(), encodings(), configurations(), neighbourhoods(), bundles(), frames(), own]
        .into_iter()
        .flatten()
        .collect()
}

/// A session without a lie.
pub(super) fn session(id: &'static str, degree: Option<u32>, lost: Lost) -> ClientCase {
    ClientCase { id, part: Part::Session(Play { degree, lost, lie: None, told: Told::Released }) }
}

fn honest() -> Vec<ClientCase> {
    vec![
        session("10.3/session", None, [&[]; 5]),
        session("10.3/one-lost-in-advertise-keys", None, [&[3], &[], &[], &[], &[]]),
        session("10.3/one-lost-in-share-keys", None, [&[], &[3], &[], &[], &[]]),
        session("10.3/one-lost-in-masked-input", None, [&[], &[], &[3], &[], &[]]),
        session("10.3/one-lost-in-unmasking", None, [&[], &[], &[], &[], &[3]]),
    ]
}

/// What there is in suite 1 only.
fn curious() -> Vec<ClientCase> {
    let mut cases = vec![
        session("10.3/session-on-a-regular-graph", Some(4), [&[]; 5]),
        session("10.3/one-lost-in-each-round", None, [&[5], &[4], &[3], &[], &[]]),
        // Whoever has no such suite at all says 8.
        lie("3.7/active-suite", 1, Told::NotReleased, |moment, request| {
            let suite = Suite::Active { corrupt: 0, authority: SOME_AUTHORITY };
            propose(request, &Config { suite, threshold: 3, ..moment.config.clone() });
        }),
    ];
    cases.extend(survivors());
    cases.push(no_bundles());
    cases
}

/// In suite 3 it would be no breach.
pub(super) fn no_bundles() -> ClientCase {
    lie("4.4-2/none", 3, Told::Code(15), |moment, request| owned(moment, request, Vec::clear))
}

/// The base point of the curve: an authority whose secret is nobody's.
pub(super) const SOME_AUTHORITY: [u8; 32] = {
    let mut key = [0x66; 32];
    key[0] = 0x58;
    key
};

/// A proposal of another configuration, to the same client.
pub(super) fn propose(request: &mut Vec<u8>, config: &Config) {
    let id = &request[BODY..BODY + 4];
    *request = [&[1], &config.id()[..], id, &encoded(config)].concat();
}

/// A lie in a good frame; the client ends so.
pub(super) fn lie(id: &'static str, stage: u8, told: Told, change: Change) -> ClientCase {
    lie_with(id, [&[]; 5], stage, told, change)
}

/// The same when these clients are lost.
pub(super) fn lie_with(id: &'static str, lost: Lost, stage: u8, told: Told, change: Change) -> ClientCase {
    let lie = Some(Lie { stage, tell: Tell::Changed(change) });
    ClientCase { id, part: Part::Session(Play { degree: None, lost, lie, told }) }
}

impl Moment<'_> {
    /// Where the kind of graph is in a proposal.
    pub(super) fn graph(&self) -> usize {
        BODY + 7 + if self.identities.is_some() { 36 } else { 0 }
    }

    /// Where the number of clients is in a proposal: behind the graph.
    pub(super) fn clients(&self) -> usize {
        self.graph() + if self.config.graph == Graph::Complete { 1 } else { 5 }
    }

    /// The id of the session of the request.
    pub(super) fn session(&self) -> Bytes32 {
        array(&self.request[1..])
    }

    /// The bits of all clients.
    pub(super) fn all(&self) -> u8 {
        (1 << self.config.clients) - 1
    }

    /// The bits of all clients but one.
    pub(super) fn without(&self, id: u32) -> u8 {
        self.all() & !(1 << (id - 1))
    }

    /// Signs a member's advertisement anew, as that member would, if there are signatures.
    pub(super) fn sign(&self, member: &mut [u8]) {
        let (number, advertisement) = member.split_at_mut(ID);
        let id = u32::from_be_bytes(array(number));
        if let Some(population) = self.identities {
            sign_keys(advertisement, self.config, id, population.player(id));
        }
    }

    /// The frame of this request, with the task if it is the first.
    pub(super) fn framed(&self, request: &[u8]) -> Vec<u8> {
        let is_first = self.request.first() == Some(&1);
        if is_first { frame(NEXT, &announcement(self.task, request)) } else { frame(NEXT, request) }
    }
}

/// Changes the members of a request of ShareKeys, and makes the session id follow from them.
pub(super) fn members(moment: &Moment<'_>, request: &mut Vec<u8>, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let proof = Proof::of(moment.config);
    let length = if moment.identities.is_some() { ID + proof.signature + 64 } else { MEMBER };
    let mut members: Vec<Vec<u8>> = request[BODY + 4..].chunks(length).map(<[u8]>::to_vec).collect();
    change(&mut members);
    let id = |bytes: &[u8]| ClientId::new(u32::from_be_bytes(bytes.try_into().expect("four bytes")));
    let signed = |one: &[u8]| {
        (array(&one[proof.identity..]), array(&one[proof.certificate..]), array(&one[proof.signature..]))
    };
    let roster: Vec<_> = members
        .iter()
        .filter_map(|member| {
            let (number, one) = member.split_at(ID);
            let keys = [array(one), array(&one[32..])];
            let commitment = is_pinned(moment.config).then(|| array(&one[DRAW_COMMITMENT..]));
            Some((id(number)?, keys, commitment, moment.identities.map(|_| signed(one))))
        })
        .collect();
    let list = members.concat();
    let session = session_id(moment.config, &roster);
    *request = [&[3], &session[..], &(list.len() as u32).to_be_bytes(), &list].concat();
}

pub(super) fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    *bytes.first_chunk().expect("as many bytes")
}

/// Changes the bundles of a request of MaskedInputCollection; in suite 3 they are behind the sharers.
pub(super) fn owned(moment: &Moment<'_>, request: &mut Vec<u8>, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let (place, length) = match is_pinned(moment.config) {
        true => (BODY + 4 + u32::from_be_bytes(array(&request[BODY..])) as usize, OWNED + DRAW),
        false => (BODY, OWNED),
    };
    let mut bundles: Vec<Vec<u8>> = request[place + 4..].chunks(length).map(<[u8]>::to_vec).collect();
    change(&mut bundles);
    let list = bundles.concat();
    *request = [&request[..place], &(list.len() as u32).to_be_bytes(), &list].concat();
}

fn keys() -> Vec<ClientCase> {
    vec![
        lie("3.2-1/neighbour-zero", 2, Told::Code(1), |moment, request| {
            members(moment, request, |members| {
                members[2][4..36].fill(0);
                // The signature is looked at before the key is used.
                moment.sign(&mut members[2]);
            });
        }),
        lie("3.2-2/neighbour-identity", 2, Told::Code(2), |moment, request| {
            members(moment, request, |members| members[2][36..].fill(0));
        }),
        lie("4.2-3/two-neighbours-with-one-key", 2, Told::Code(10), |moment, request| {
            members(moment, request, |members| {
                let key = members[0][4..36].to_vec();
                members[2][4..36].copy_from_slice(&key);
            });
        }),
    ]
}

fn encodings() -> Vec<ClientCase> {
    const CUT: Change = |_, request| request.truncate(request.len() - 1);
    const MORE: Change = |_, request| request.push(0);
    const STRAY: Change = |_, request| request[32] ^= 1;
    vec![
        lie("4.1-1/announcement-cut-off", 1, Told::Code(3), CUT),
        lie("4.1-1/share-keys-cut-off", 2, Told::Code(3), CUT),
        lie("4.1-1/masked-input-cut-off", 3, Told::Code(3), CUT),
        lie("4.1-1/unmasking-one-byte-more", 5, Told::Code(3), MORE),
        lie("4.1-1/empty", 2, Told::Code(3), |_, request| request.clear()),
        lie("4.1-1/unknown-type", 3, Told::Code(3), |_, request| request[0] = 0xc0),
        lie("4.1-2/response", 2, Told::Code(4), |_, request| request[0] = 4),
        lie("4.1-2/later-request", 2, Told::Code(4), |_, request| request[0] = 5),
        lie("4.1-3/advertise-keys", 1, Told::Code(5), STRAY),
        lie("4.1-3/masked-input", 3, Told::Code(5), STRAY),
        lie("4.1-3/unmasking", 5, Told::Code(5), STRAY),
    ]
}

/// The encoded configuration begins behind the header and the id: version, suite and what it is made for, graph,
/// clients, threshold.
fn configurations() -> Vec<ClientCase> {
    vec![
        lie("4.2-1/version-2", 1, Told::Code(8), |_, request| request[BODY + 5] = 2),
        lie("4.2-1/unknown-suite", 1, Told::Code(8), |_, request| request[BODY + 6] = 99),
        lie("4.2-1/unknown-graph", 1, Told::Code(8), |moment, request| request[moment.graph()] = 99),
        lie("4.2-1/one-client", 1, Told::Code(8), |moment, request| request[moment.clients() + 3] = 1),
        lie("4.2-1/threshold-1", 1, Told::Code(8), |moment, request| request[moment.clients() + 7] = 1),
        lie("4.2-1/threshold-above-clients", 1, Told::Code(8), |moment, request| {
            request[moment.clients() + 6] = 1;
        }),
        lie("4.2-2/id-above-clients", 1, Told::Code(9), |_, request| request[BODY + 2] = 1),
    ]
}

fn neighbourhoods() -> Vec<ClientCase> {
    vec![
        lie("4.3-1/not-ascending", 2, Told::Code(11), |moment, request| {
            members(moment, request, |members| members.swap(2, 3));
        }),
        lie("4.3-1/without-the-client", 2, Told::Code(11), |moment, request| {
            members(moment, request, |members| drop(members.remove(1)));
        }),
        lie("4.3-1/other-key-of-the-client", 2, Told::Code(11), |moment, request| {
            members(moment, request, |members| members[1][4] ^= 1);
        }),
        lie("4.3-1/below-the-threshold", 2, Told::Code(11), |moment, request| {
            members(moment, request, |members| *members = vec![members[1].clone()]);
        }),
        lie("4.3-2/session-does-not-follow", 2, Told::Code(12), |_, request| request[32] ^= 1),
    ]
}

fn bundles() -> Vec<ClientCase> {
    vec![
        lie("4.4-1/not-ascending", 3, Told::Code(14), |moment, request| {
            owned(moment, request, |bundles| bundles.swap(0, 1));
        }),
        lie("4.4-1/owner-is-the-client", 3, Told::Code(14), |moment, request| {
            owned(moment, request, |bundles| bundles[0][3] = 2);
        }),
        lie("4.4-3/bundle-does-not-open", 3, Told::Released, |moment, request| {
            owned(moment, request, |bundles| *bundles[0].last_mut().expect("a bundle") ^= 1);
        }),
    ]
}

/// The number of survivors takes four bytes, the length of their list four, and the survivors one.
fn survivors() -> Vec<ClientCase> {
    vec![
        lie("4.6-1/one-byte-more", 5, Told::Code(19), |_, request| {
            request[BODY + 7] += 1;
            request.push(0);
        }),
        lie("4.6-1/bit-behind-the-last-member", 5, Told::Code(19), |_, request| request[BODY + 8] |= 0x80),
        lie("4.6-2/the-client-dropped", 5, Told::Code(20), |_, request| request[BODY + 8] &= !2),
        lie("4.6-3/the-client-alone", 5, Told::Code(21), |_, request| request[BODY + 8] = 2),
        lie("4.6-9/of-fewer-than-the-minimum", 5, Told::Code(27), |_, request| request[BODY + 3] = 1),
        lie("4.6-10/one-fewer-than-the-bits", 5, Told::Code(28), |_, request| request[BODY + 3] -= 1),
    ]
}

fn raw(id: &'static str, stage: u8, told: Told, tell: fn(&Moment<'_>) -> (Vec<u8>, End)) -> ClientCase {
    let lie = Some(Lie { stage, tell: Tell::Bytes(tell) });
    ClientCase { id, part: Part::Session(Play { degree: None, lost: [&[]; 5], lie, told }) }
}

/// Frames that break section 10.
fn frames() -> Vec<ClientCase> {
    vec![
        ClientCase { id: "10.1/other-certificate", part: Part::OtherServer },
        ClientCase { id: "10.1/other-application-protocol", part: Part::OtherProtocol(b"secagg/2") },
        raw("10.2/announcement-greatest-length", 1, Told::Code(195), |_| (header(NEXT, u64::MAX), End::Open)),
        raw("10.2/request-greatest-length", 3, Told::Code(195), |_| (header(NEXT, u64::MAX), End::Open)),
        raw("10.2/no-frame", 2, Told::Code(194), |_| (Vec::new(), End::Finish)),
        raw("10.2/header-cut-off", 2, Told::Code(194), |_| (vec![NEXT, 0], End::Finish)),
        raw("10.2/announcement-frame-cut-off", 1, Told::Code(194), |moment| (short(moment), End::Finish)),
        raw("10.2/request-frame-cut-off", 3, Told::Code(194), |moment| (short(moment), End::Finish)),
        raw("10.2/request-reset", 3, Told::Code(194), |moment| (short(moment), End::Reset)),
        raw("10.2/goes-on-behind-the-frame", 3, Told::Code(194), |moment| {
            ([moment.framed(moment.request), vec![0]].concat(), End::Finish)
        }),
        raw("10.3/task-is-not-the-configured-one", 1, Told::Code(130), |moment| {
            (frame(NEXT, &announcement(b"another task", moment.request)), End::Finish)
        }),
        raw("10.3/task-longer-than-the-announcement", 1, Told::Code(194), |moment| {
            let mut body = announcement(moment.task, moment.request);
            body[..8].fill(0xff);
            (frame(NEXT, &body), End::Finish)
        }),
        raw("10.3/announcement-of-seven-bytes", 1, Told::Code(194), |_| (frame(NEXT, &[0; 7]), End::Finish)),
        raw("10.3/released-before-the-beginning", 1, Told::NotReleased, |_| {
            (frame(RELEASED, &[]), End::Finish)
        }),
        raw("10.3/released-before-unmasking", 3, Told::NotReleased, |_| (frame(RELEASED, &[]), End::Finish)),
        raw("10.3/request-after-the-end", 6, Told::NotReleased, |moment| {
            (frame(NEXT, moment.request), End::Finish)
        }),
        raw("10.4/put-out", 3, Told::NotReleased, |_| (frame(193, &[]), End::Finish)),
        raw("10.4/aborted", 5, Told::NotReleased, |_| (frame(128, &[]), End::Finish)),
        raw("10.4/unknown-status", 3, Told::NotReleased, |_| (frame(250, &[]), End::Finish)),
    ]
}

/// A frame without its last byte.
fn short(moment: &Moment<'_>) -> Vec<u8> {
    let mut bytes = moment.framed(moment.request);
    bytes.truncate(bytes.len() - 1);
    bytes
}
