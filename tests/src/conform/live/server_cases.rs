//! What is played to a server.

use secagg::{Config, Graph, Suite};

use super::binding::{JOIN, LONGEST_JOIN, VERSION, frame, header, join};
use super::case::Case;
use super::identities::Signed;
use super::scene::{Act, BODY, End, Scene, Turn};
use super::{active_server_cases, pinned_server_cases};

/// ℓ, the order of the group, as a share would be encoded (section 2).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// A case for a server.
#[derive(Clone)]
pub(super) struct ServerCase {
    pub(super) id: &'static str,
    pub(super) part: Part,
}

/// What is played.
#[derive(Clone)]
pub(super) enum Part {
    /// A handshake with another application protocol, which must fail.
    Handshake(&'static [u8]),
    /// A first stream that is refused with one of these codes.
    Door { bytes: Vec<u8>, end: End, told: &'static [u8] },
    /// Two connections join under the same name.
    Replaced,
    /// A session of all clients.
    Session(Play),
}

/// A session in which one client may take a turn of its own.
#[derive(Clone, Copy)]
pub(super) struct Play {
    pub(super) turn: Option<Turn>,
    /// It is told one of these codes.
    pub(super) told: &'static [u8],
    pub(super) then: Then,
}

/// What comes of the session for the others.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Then {
    /// They go on without the one that took its turn, if they are enough.
    WithoutIt,
    /// The same, but it may have answered the round, and be lost in the next one.
    WithoutItLater,
    /// The sum is released to all, if one client more has come than the threshold.
    Released,
    /// A secret cannot be reconstructed.
    Aborted,
}

impl Case for ServerCase {
    fn id(&self) -> &'static str {
        self.id
    }
}

/// All cases for a server of a suite with identities, or for one of suite 1.
pub(super) fn cases(signed: Option<Signed>) -> Vec<ServerCase> {
    let own = match signed {
        None => curious(),
        Some(Signed::Active) => active_server_cases::cases(),
        Some(Signed::Pinned) => [active_server_cases::cases(), pinned_server_cases::cases()].concat(),
    };
    [keys(), encodings(), bundles(), inputs(), shares(), doors(), frames(), ends(), own]
        .into_iter()
        .flatten()
        .collect()
}

pub(super) type Do = fn(&Scene<'_>) -> Option<Act>;

/// A client takes its turn, is told one of these codes and put out.
pub(super) fn session(id: &'static str, stage: u8, told: &'static [u8], act: Do) -> ServerCase {
    whole(id, stage, told, Then::WithoutIt, act)
}

/// The same, and this comes of it for the others.
pub(super) fn whole(id: &'static str, stage: u8, told: &'static [u8], then: Then, act: Do) -> ServerCase {
    ServerCase { id, part: Part::Session(Play { turn: Some(Turn { stage, act }), told, then }) }
}

/// In suite 1 there is no stage 4, and an advertisement is short enough for ShareKeys.
fn curious() -> Vec<ServerCase> {
    vec![
        session("4.1-2/earlier-response", 2, &[4], |scene| Some(Act::Say(scene.previous.to_vec()))),
        session("10.2/stage-of-no-round", 5, &[196], |scene| one(frame(4, scene.response), End::Finish)),
    ]
}

/// The client is told the code of its section and put out.
fn keys() -> Vec<ServerCase> {
    vec![
        session("3.2-1/zero", 1, &[1], |scene| scene.with(0, &[0; 32])),
        session("3.2-1/all-bits", 1, &[1], |scene| scene.with(0, &[0xff; 32])),
        session("3.2-1/top-bit", 1, &[1], |scene| scene.changed(|response| response[BODY + 31] |= 0x80)),
        session("3.2-2/identity", 1, &[2], |scene| scene.with(32, &[0; 32])),
        session("3.2-2/no-encoding", 1, &[2], |scene| scene.with(32, &[0xff; 32])),
        session("4.2-3/one-key-in-both-places", 1, &[10], |scene| {
            scene.advertised(|keys| keys.copy_within(32..64, 0))
        }),
    ]
}

fn encodings() -> Vec<ServerCase> {
    vec![
        session("4.1-1/empty", 1, &[3], |_| Some(Act::Say(Vec::new()))),
        session("4.1-1/header-cut-off", 2, &[3], |scene| {
            scene.changed(|response| response.truncate(BODY - 1))
        }),
        session("4.1-1/advertise-keys-cut-off", 1, &[3], cut),
        session("4.1-1/share-keys-cut-off", 2, &[3], cut),
        session("4.1-1/unmasking-cut-off", 5, &[3], cut),
        session("4.1-1/unknown-type", 3, &[3], |scene| scene.changed(|response| response[0] = 0xc0)),
        session("4.1-2/request", 1, &[4], |scene| scene.changed(|response| response[0] = scene.request[0])),
        session("4.1-3/advertise-keys", 1, &[5], stray),
        session("4.1-3/share-keys", 2, &[5], stray),
        session("4.1-3/masked-input", 3, &[5], stray),
        session("4.1-3/unmasking", 5, &[5], stray),
    ]
}

pub(super) fn cut(scene: &Scene<'_>) -> Option<Act> {
    scene.changed(|response| response.truncate(response.len() - 1))
}

pub(super) fn stray(scene: &Scene<'_>) -> Option<Act> {
    scene.changed(|response| response[32] ^= 1)
}

fn bundles() -> Vec<ServerCase> {
    let one_fewer: Do = |scene| {
        scene.changed(|response| {
            response.truncate(response.len() - 80);
            relength(response, BODY + scene.bundles());
        })
    };
    let spoilt: Do = |scene| scene.changed(|response| *response.last_mut().expect("a bundle") ^= 1);
    let commitment: Do = |scene| scene.changed(|response| response[BODY] ^= 1);
    vec![
        session("4.3-3/one-bundle-fewer", 2, &[13], one_fewer),
        session("4.3-3/no-bundles", 2, &[13], |scene| {
            scene.changed(|response| {
                let place = BODY + scene.bundles();
                response.truncate(place + 4);
                relength(response, place);
            })
        }),
        whole("4.4-3/bundle-does-not-open", 2, &[192], Then::Released, spoilt),
        whole("4.6-8/other-commitment", 2, &[129], Then::Aborted, commitment),
    ]
}

/// Writes the length of a list that goes on to the end of the message.
fn relength(message: &mut [u8], place: usize) {
    let length = (message.len() - place - 4) as u32;
    message[place..place + 4].copy_from_slice(&length.to_be_bytes());
}

fn inputs() -> Vec<ServerCase> {
    vec![
        session("4.4-4/one-byte-fewer", 3, &[17], cut),
        session("4.4-4/empty", 3, &[17], |scene| {
            scene.changed(|response| response.truncate(BODY + scene.packed()))
        }),
        session("4.4-5/bit-behind-the-end", 3, &[18], |scene| {
            let (mut end, mut place) = (BODY + scene.packed(), None);
            for spec in &scene.config.vectors {
                end += spec.packed_len() as usize;
                place = place.or((u64::from(spec.length) * u64::from(spec.bits) % 8 != 0).then_some(end - 1));
            }
            place.and_then(|place| scene.changed(|response| response[place] |= 0x80))
        }),
    ]
}

fn shares() -> Vec<ServerCase> {
    vec![
        session("4.6-4/not-asked-for", 5, &[22], |scene| unopened(scene, &[scene.config.clients + 1])),
        session("4.6-4/not-ascending", 5, &[22], |scene| unopened(scene, &[3, 1])),
        session("4.6-4/the-client-itself", 5, &[22], |scene| unopened(scene, &[2])),
        session("4.6-5/one-share-fewer", 5, &[23], |scene| {
            last_share(scene)?;
            scene.changed(|response| {
                response.truncate(response.len() - 32);
                relength(response, BODY + 4);
            })
        }),
        session("4.6-6/share-is-the-order", 5, &[24], |scene| {
            let place = last_share(scene)?;
            scene.changed(|response| {
                response[place..].copy_from_slice(&ORDER);
            })
        }),
        whole("4.6-7/wrong-share", 5, &[192], Then::Released, |scene| {
            let place = last_share(scene)?;
            scene.changed(|response| response[place] ^= 1)
        }),
    ]
}

/// Where the last share is in an answer to Unmasking, if there is one: in suite 3 nobody may have drawn the client.
fn last_share(scene: &Scene<'_>) -> Option<usize> {
    scene.response.len().checked_sub(32).filter(|place| *place >= BODY + 8)
}

/// An answer to Unmasking with these ids as owners of bundles that did not open, and as many shares fewer.
fn unopened(scene: &Scene<'_>, ids: &[u32]) -> Option<Act> {
    let listed: Vec<u8> = ids.iter().flat_map(|id| id.to_be_bytes()).collect();
    let shares = scene.response.get(BODY + 8..scene.response.len().checked_sub(32 * ids.len())?)?;
    let lengths = [listed.len() as u32, shares.len() as u32].map(u32::to_be_bytes);
    Some(Act::Say([&scene.response[..BODY], &lengths[0], &listed, &lengths[1], shares].concat()))
}

fn door(id: &'static str, bytes: Vec<u8>, end: End, told: &'static [u8]) -> ServerCase {
    ServerCase { id, part: Part::Door { bytes, end, told } }
}

/// A whole join in a good frame.
fn joining(id: &'static str, body: Vec<u8>, told: &'static [u8]) -> ServerCase {
    door(id, frame(JOIN, &body), End::Finish, told)
}

/// Clients that do not come in.
fn doors() -> Vec<ServerCase> {
    let good = join(VERSION, b"conform");
    let with = |change: fn(&mut Vec<u8>)| {
        let mut body = join(VERSION, b"conform");
        change(&mut body);
        body
    };
    let trailing = [frame(JOIN, &good), vec![0]].concat();
    let part = frame(JOIN, &good)[..12].to_vec();
    vec![
        ServerCase { id: "10.1/other-application-protocol", part: Part::Handshake(b"secagg/2") },
        door("10.2/join-without-a-frame", Vec::new(), End::Finish, &[194]),
        door("10.2/join-header-cut-off", header(JOIN, 3)[..8].to_vec(), End::Finish, &[194]),
        door("10.2/join-cut-off", part.clone(), End::Finish, &[194]),
        door("10.2/join-reset", part.clone(), End::Reset, &[194]),
        door("10.2/join-goes-on-behind-the-frame", trailing, End::Finish, &[194]),
        door("10.2/join-one-above-the-limit", header(JOIN, LONGEST_JOIN + 1), End::Open, &[195]),
        door("10.2/join-greatest-length", header(JOIN, u64::MAX), End::Open, &[195]),
        door("10.2/first-stage-is-a-round", frame(1, &good), End::Finish, &[196]),
        door("10.2/first-stage-is-unknown", frame(9, &good), End::Finish, &[196]),
        joining("10.3/join-empty", Vec::new(), &[194]),
        joining("10.3/join-without-a-name", good[..2].to_vec(), &[194]),
        joining("10.3/join-name-shorter-than-it-says", with(|body| body[2] += 1), &[194]),
        joining("10.3/join-name-longer-than-it-says", with(|body| body[2] -= 1), &[194]),
        joining("10.3/join-version-0", join(0, b"conform"), &[197]),
        joining("10.3/join-version-2", join(2, b"conform"), &[197]),
        joining("10.3/join-version-2-of-another-form", vec![0, 2, 0xff, 0xff], &[197]),
        joining("10.3/name-empty", join(VERSION, b""), &[198]),
        joining("10.3/name-65-bytes", join(VERSION, &[b'a'; 65]), &[195]),
        joining("10.3/name-line-feed", join(VERSION, b"con\nform"), &[198]),
        joining("10.3/name-delete", join(VERSION, b"con\x7fform"), &[198]),
        joining("10.3/name-next-line", join(VERSION, "con\u{85}form".as_bytes()), &[198]),
        joining("10.3/name-not-utf-8", join(VERSION, b"con\xffform"), &[198]),
        ServerCase { id: "10.3/name-taken-by-a-newer-connection", part: Part::Replaced },
        door("10.4/silent-before-the-join", Vec::new(), End::Open, &[201]),
        door("10.4/silent-in-the-join", part, End::Open, &[201]),
    ]
}

pub(super) fn one(bytes: Vec<u8>, end: End) -> Option<Act> {
    Some(Act::Streams(vec![(bytes, end)]))
}

/// Frames that break section 10.2 in the rounds.
fn frames() -> Vec<ServerCase> {
    vec![
        session("10.2/unknown-stage", 1, &[196], |scene| one(frame(9, scene.response), End::Finish)),
        session("10.2/join-again", 2, &[196], |scene| one(frame(JOIN, scene.response), End::Finish)),
        session("10.2/earlier-stage", 3, &[196], |scene| one(frame(2, scene.response), End::Finish)),
        session("10.2/later-stage", 2, &[196], |scene| one(frame(3, scene.response), End::Finish)),
        session("10.2/greatest-length", 1, &[195], |scene| one(header(scene.stage, u64::MAX), End::Open)),
        session("10.2/advertise-keys-above-the-limit", 1, &[195], above),
        session("10.2/share-keys-above-the-limit", 2, &[195], above),
        session("10.2/masked-input-above-the-limit", 3, &[195], above),
        session("10.2/no-frame", 1, &[194], |_| one(Vec::new(), End::Finish)),
        session("10.2/header-cut-off", 2, &[194], |scene| {
            one(frame(scene.stage, scene.response)[..5].to_vec(), End::Finish)
        }),
        session("10.2/body-cut-off", 3, &[194], |scene| one(half(scene), End::Finish)),
        session("10.2/body-reset", 3, &[194], |scene| one(half(scene), End::Reset)),
        session("10.2/goes-on-behind-the-frame", 2, &[194], |scene| {
            one([frame(scene.stage, scene.response), vec![0]].concat(), End::Finish)
        }),
        whole("10.2/two-streams-in-advertise-keys", 1, &[196], Then::WithoutItLater, twice),
        session("10.2/two-streams-in-share-keys", 2, &[196], twice),
    ]
}

/// One byte is announced above the length of every valid answer.
pub(super) fn above(scene: &Scene<'_>) -> Option<Act> {
    one(header(scene.stage, scene.response.len() as u64 + 1), End::Open)
}

fn half(scene: &Scene<'_>) -> Vec<u8> {
    let frame = frame(scene.stage, scene.response);
    frame[..frame.len() - 1].to_vec()
}

pub(super) fn twice(scene: &Scene<'_>) -> Option<Act> {
    let bytes = frame(scene.stage, scene.response);
    Some(Act::Streams(vec![(bytes.clone(), End::Finish), (bytes, End::Finish)]))
}

pub(super) fn silent(_: &Scene<'_>) -> Option<Act> {
    Some(Act::Streams(Vec::new()))
}

/// Clients that vanish or fall silent, and nobody who does.
fn ends() -> Vec<ServerCase> {
    let honest = Part::Session(Play { turn: None, told: &[192], then: Then::Released });
    vec![
        ServerCase { id: "10.3/session", part: honest },
        session("10.3/lost-in-advertise-keys", 1, &[204], |_| Some(Act::Leave)),
        session("10.3/lost-in-share-keys", 2, &[204], |_| Some(Act::Leave)),
        session("10.3/lost-in-masked-input", 3, &[204], |_| Some(Act::Leave)),
        session("10.3/lost-in-unmasking", 5, &[204], |_| Some(Act::Leave)),
        session("10.4/silent-in-advertise-keys", 1, &[193], silent),
        session("10.4/silent-in-share-keys", 2, &[193], silent),
        session("10.4/silent-in-masked-input", 3, &[193], silent),
        session("10.4/silent-in-unmasking", 5, &[192, 193], silent),
        session("10.4/silent-in-a-body", 3, &[193, 201], |scene| one(half(scene), End::Open)),
    ]
}

/// The codes that honest clients may be told when one is lost in this stage.
pub(super) fn told_to_others(config: &Config, stage: u8, then: Then) -> &'static [u8] {
    let left = config.clients - 1;
    match (then, config.graph) {
        (Then::WithoutItLater, _) => {
            let codes = [stage, stage + 1].map(|stage| told_to_others(config, stage, Then::WithoutIt));
            if codes[0] == codes[1] { codes[0] } else { &[128, 192] }
        }
        (Then::Aborted, _) => &[129],
        (Then::Released, _) => &[192],
        (Then::WithoutIt, Graph::Complete) if left >= config.threshold => &[192],
        (Then::WithoutIt, Graph::Complete) => &[128],
        (Then::WithoutIt, Graph::Regular { degree } | Graph::KOut { degree }) if stage == 1 => {
            if left > degree && left >= quorum(config, left) { &[192] } else { &[128] }
        }
        (Then::WithoutIt, _) if left < quorum(config, config.clients) => &[128],
        // Of one lost client's secret a holder may still be missing.
        (Then::WithoutIt, Graph::Regular { degree } | Graph::KOut { degree })
            if degree > config.threshold =>
        {
            &[192]
        }
        (Then::WithoutIt, Graph::Regular { .. } | Graph::KOut { .. }) => &[128, 192],
    }
}

/// How many clients have to go on in suite 3, if so many are in the roster (section 6.3).
fn quorum(config: &Config, roster: u32) -> u32 {
    match config.suite {
        Suite::Pinned { corrupt, .. } => (roster + corrupt) / 2 + 1,
        _ => 0,
    }
}

/// Whether a session of this configuration can show what the case is about.
pub(super) fn fits(config: &Config, then: Then) -> bool {
    let holders = match config.graph {
        Graph::Complete => config.clients,
        Graph::Regular { degree } | Graph::KOut { degree } => degree,
    };
    let spare = holders > config.threshold && config.clients > quorum(config, config.clients);
    then != Then::Released || spare
}
