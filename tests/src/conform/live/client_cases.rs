//! What is played to a client.

use secagg::conformance::session_id;
use secagg::{ClientId, Config};

use super::binding::{NEXT, RELEASED, announcement, frame, header};
use super::case::Case;
use super::scene::{BODY, End};

/// Bytes of a member, and of a bundle with its owner.
const MEMBER: usize = 68;
const OWNED: usize = 84;

/// A case for a client.
pub(super) struct ClientCase {
    pub(super) id: &'static str,
    pub(super) part: Part,
}

/// What is played.
pub(super) enum Part {
    /// A server with another certificate than that of the pin.
    OtherServer,
    /// A session of this degree, if it is not on the complete graph, in which the server may lie once.
    Session {
        degree: Option<u32>,
        /// The other clients that do not answer, for each round.
        lost: [&'static [u32]; 4],
        lie: Option<Lie>,
        told: Told,
    },
}

/// A lie of the server, in place of the request of this stage; stage 6 is the end.
#[derive(Clone, Copy)]
pub(super) struct Lie {
    pub(super) stage: u8,
    pub(super) tell: fn(&Moment<'_>) -> (Vec<u8>, End),
}

/// What the server would say honestly, when it lies.
pub(super) struct Moment<'a> {
    pub(super) config: &'a Config,
    pub(super) task: &'a [u8],
    pub(super) request: &'a [u8],
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

/// All cases.
pub(super) fn cases() -> Vec<ClientCase> {
    [honest(), keys(), encodings(), configurations(), neighbourhoods(), bundles(), survivors(), frames()]
        .into_iter()
        .flatten()
        .collect()
}

fn session(id: &'static str, degree: Option<u32>, lost: [&'static [u32]; 4]) -> ClientCase {
    ClientCase { id, part: Part::Session { degree, lost, lie: None, told: Told::Released } }
}

fn honest() -> Vec<ClientCase> {
    vec![
        session("10.3/session", None, [&[]; 4]),
        session("10.3/session-on-a-regular-graph", Some(4), [&[]; 4]),
        session("10.3/one-lost-in-advertise-keys", None, [&[3], &[], &[], &[]]),
        session("10.3/one-lost-in-share-keys", None, [&[], &[3], &[], &[]]),
        session("10.3/one-lost-in-masked-input", None, [&[], &[], &[3], &[]]),
        session("10.3/one-lost-in-unmasking", None, [&[], &[], &[], &[3]]),
        session("10.3/one-lost-in-each-round", None, [&[5], &[4], &[3], &[]]),
    ]
}

type Change = fn(&Moment<'_>, &mut Vec<u8>);

/// A lie in a good frame; the client aborts with the code of its rule.
macro_rules! lie {
    ($id:expr, $stage:expr, $code:expr, $change:expr) => {
        ClientCase {
            id: $id,
            part: Part::Session {
                degree: None,
                lost: [&[]; 4],
                lie: Some(Lie {
                    stage: $stage,
                    tell: |moment| {
                        let change: Change = $change;
                        let mut request = moment.request.to_vec();
                        change(moment, &mut request);
                        (moment.framed(&request), End::Finish)
                    },
                }),
                told: $code,
            },
        }
    };
}

impl Moment<'_> {
    /// The frame of this request, with the task if it is the first.
    pub(super) fn framed(&self, request: &[u8]) -> Vec<u8> {
        let is_first = self.request.first() == Some(&1);
        if is_first { frame(NEXT, &announcement(self.task, request)) } else { frame(NEXT, request) }
    }
}

/// Changes the members of a request of ShareKeys, and makes the session id follow from them.
fn members(moment: &Moment<'_>, request: &mut Vec<u8>, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let mut members: Vec<Vec<u8>> = request[BODY + 4..].chunks(MEMBER).map(<[u8]>::to_vec).collect();
    change(&mut members);
    let array = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).expect("32 bytes");
    let id = |bytes: &[u8]| ClientId::new(u32::from_be_bytes(bytes.try_into().expect("four bytes")));
    let roster: Vec<_> = members
        .iter()
        .filter_map(|member| {
            Some((id(&member[..4])?, [array(&member[4..36]), array(&member[36..])], None, None))
        })
        .collect();
    let list = members.concat();
    let session = session_id(moment.config, &roster);
    *request = [&[3], &session[..], &(list.len() as u32).to_be_bytes(), &list].concat();
}

/// Changes the bundles of a request of MaskedInputCollection.
fn owned(request: &mut Vec<u8>, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let mut bundles: Vec<Vec<u8>> = request[BODY + 4..].chunks(OWNED).map(<[u8]>::to_vec).collect();
    change(&mut bundles);
    let list = bundles.concat();
    *request = [&request[..BODY], &(list.len() as u32).to_be_bytes(), &list].concat();
}

fn keys() -> Vec<ClientCase> {
    vec![
        lie!("3.2-1/neighbour-zero", 2, Told::Code(1), |moment, request| {
            members(moment, request, |members| members[2][4..36].fill(0));
        }),
        lie!("3.2-2/neighbour-identity", 2, Told::Code(2), |moment, request| {
            members(moment, request, |members| members[2][36..].fill(0));
        }),
        lie!("4.2-3/two-neighbours-with-one-key", 2, Told::Code(10), |moment, request| {
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
        lie!("4.1-1/announcement-cut-off", 1, Told::Code(3), CUT),
        lie!("4.1-1/share-keys-cut-off", 2, Told::Code(3), CUT),
        lie!("4.1-1/masked-input-cut-off", 3, Told::Code(3), CUT),
        lie!("4.1-1/unmasking-one-byte-more", 5, Told::Code(3), MORE),
        lie!("4.1-1/empty", 2, Told::Code(3), |_, request| request.clear()),
        lie!("4.1-1/unknown-type", 3, Told::Code(3), |_, request| request[0] = 0xc0),
        lie!("4.1-2/response", 2, Told::Code(4), |_, request| request[0] = 4),
        lie!("4.1-2/later-request", 2, Told::Code(4), |_, request| request[0] = 5),
        lie!("4.1-3/advertise-keys", 1, Told::Code(5), STRAY),
        lie!("4.1-3/masked-input", 3, Told::Code(5), STRAY),
        lie!("4.1-3/unmasking", 5, Told::Code(5), STRAY),
    ]
}

/// The encoded configuration begins behind the header and the id: version, suite, graph, clients, threshold.
fn configurations() -> Vec<ClientCase> {
    vec![
        lie!("4.2-1/version-2", 1, Told::Code(8), |_, request| request[BODY + 5] = 2),
        lie!("4.2-1/unknown-suite", 1, Told::Code(8), |_, request| request[BODY + 6] = 99),
        lie!("4.2-1/unknown-graph", 1, Told::Code(8), |_, request| request[BODY + 7] = 99),
        lie!("4.2-1/one-client", 1, Told::Code(8), |_, request| request[BODY + 11] = 1),
        lie!("4.2-1/threshold-1", 1, Told::Code(8), |_, request| request[BODY + 15] = 1),
        lie!("4.2-1/threshold-above-clients", 1, Told::Code(8), |_, request| request[BODY + 14] = 1),
        lie!("4.2-2/id-above-clients", 1, Told::Code(9), |_, request| request[BODY + 2] = 1),
    ]
}

fn neighbourhoods() -> Vec<ClientCase> {
    vec![
        lie!("4.3-1/not-ascending", 2, Told::Code(11), |moment, request| {
            members(moment, request, |members| members.swap(2, 3));
        }),
        lie!("4.3-1/without-the-client", 2, Told::Code(11), |moment, request| {
            members(moment, request, |members| drop(members.remove(1)));
        }),
        lie!("4.3-1/other-key-of-the-client", 2, Told::Code(11), |moment, request| {
            members(moment, request, |members| members[1][4] ^= 1);
        }),
        lie!("4.3-1/below-the-threshold", 2, Told::Code(11), |moment, request| {
            members(moment, request, |members| *members = vec![members[1].clone()]);
        }),
        lie!("4.3-2/session-does-not-follow", 2, Told::Code(12), |_, request| request[32] ^= 1),
    ]
}

fn bundles() -> Vec<ClientCase> {
    vec![
        lie!("4.4-1/not-ascending", 3, Told::Code(14), |_, request| {
            owned(request, |bundles| bundles.swap(0, 1));
        }),
        lie!("4.4-1/owner-is-the-client", 3, Told::Code(14), |_, request| {
            owned(request, |bundles| bundles[0][3] = 2);
        }),
        lie!("4.4-2/none", 3, Told::Code(15), |_, request| owned(request, Vec::clear)),
        lie!("4.4-3/bundle-does-not-open", 3, Told::Released, |_, request| {
            owned(request, |bundles| bundles[0][20] ^= 1);
        }),
    ]
}

/// The number of survivors takes four bytes, the length of their list four, and the survivors one.
fn survivors() -> Vec<ClientCase> {
    vec![
        lie!("4.6-1/one-byte-more", 5, Told::Code(19), |_, request| {
            request[BODY + 7] += 1;
            request.push(0);
        }),
        lie!("4.6-1/bit-behind-the-last-member", 5, Told::Code(19), |_, request| request[BODY + 8] |= 0x80),
        lie!("4.6-2/the-client-dropped", 5, Told::Code(20), |_, request| request[BODY + 8] &= !2),
        lie!("4.6-3/the-client-alone", 5, Told::Code(21), |_, request| request[BODY + 8] = 2),
        lie!("4.6-9/of-fewer-than-the-minimum", 5, Told::Code(27), |_, request| request[BODY + 3] = 1),
        lie!("4.6-10/one-fewer-than-the-bits", 5, Told::Code(28), |_, request| request[BODY + 3] -= 1),
    ]
}

fn raw(id: &'static str, stage: u8, told: Told, tell: fn(&Moment<'_>) -> (Vec<u8>, End)) -> ClientCase {
    let lie = Some(Lie { stage, tell });
    ClientCase { id, part: Part::Session { degree: None, lost: [&[]; 4], lie, told } }
}

/// Frames that break section 10.
fn frames() -> Vec<ClientCase> {
    vec![
        ClientCase { id: "10.1/other-certificate", part: Part::OtherServer },
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
