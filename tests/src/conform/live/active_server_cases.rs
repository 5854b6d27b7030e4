//! What is played to a server of suite 2 or 3 only.

use secagg::Config;
use secagg::conformance::{self, Bytes32};

use super::binding::frame;
use super::identities::{Person, sign_keys};
use super::scene::{Act, BODY, End, Scene};
use super::server_cases::{Do, ServerCase, Then, above, cut, one, session, silent, stray, twice, whole};

/// The stages of AdvertiseKeys, ConsistencyCheck and Unmasking.
const ADVERTISE_KEYS: u8 = 1;
const CONSISTENCY_CHECK: u8 = 4;
const UNMASKING: u8 = 5;

pub(super) fn cases() -> Vec<ServerCase> {
    [identities(), signatures(), consents(), frames()].into_iter().flatten().collect()
}

/// An identity that nobody has certified.
const STRANGER: Bytes32 = [0x53; 32];

fn identities() -> Vec<ServerCase> {
    fn advertisement(id: &'static str, code: &'static [u8], act: Do) -> ServerCase {
        session(id, ADVERTISE_KEYS, code, act)
    }
    vec![
        advertisement("3.7-1/no-point", &[30], |scene| scene.with(scene.proof().identity, &[0xff; 32])),
        advertisement("3.7-1/small-order", &[30], |scene| scene.with(scene.proof().identity, &neutral())),
        advertisement("3.7-2/spoilt", &[31], |scene| {
            scene.changed(|response| response[BODY + scene.proof().certificate + 40] ^= 1)
        }),
        advertisement("3.7-2/of-another", &[31], |scene| {
            scene.with(scene.proof().certificate, &scene.person(1)?.certificate)
        }),
        advertisement("3.7-2/for-another-identity", &[31], |scene| {
            scene.with(scene.proof().identity, &conformance::identity(&STRANGER))
        }),
        advertisement("3.7-2/by-itself", &[31], |scene| {
            let own = scene.person(scene.id)?;
            let statement = conformance::certificate_statement(&own.identity);
            scene.with(scene.proof().certificate, &conformance::signature(&own.secret, &statement))
        }),
        session("4.2-5/of-another", ADVERTISE_KEYS, &[33], |scene| {
            // Of two clients the first to arrive is kept.
            let twin = scene.person(1)?;
            let mut response = scene.response.to_vec();
            let (advertisement, proof) = (&mut response[BODY..], scene.proof());
            advertisement[proof.identity..proof.certificate].copy_from_slice(&twin.identity);
            advertisement[proof.certificate..proof.signature].copy_from_slice(&twin.certificate);
            sign_keys(advertisement, scene.config, scene.id, twin);
            Some(Act::Late(response))
        }),
    ]
}

/// The neutral element: every signature of zeros with R like it is one under this key.
fn neutral() -> Bytes32 {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    neutral
}

/// The honest advertisement, signed for this configuration and id.
fn signed_for(scene: &Scene<'_>, config: &Config, id: u32, by: &Person) -> Option<Act> {
    scene.changed(|response| sign_keys(&mut response[BODY..], config, id, by))
}

fn signatures() -> Vec<ServerCase> {
    fn signature(id: &'static str, act: Do) -> ServerCase {
        session(id, ADVERTISE_KEYS, &[32], act)
    }
    vec![
        signature("4.2-4/spoilt", |scene| {
            scene.changed(|response| response[BODY + scene.proof().signature + 40] ^= 1)
        }),
        signature("4.2-4/other-encryption-key", |scene| scene.changed(|response| response[BODY] ^= 1)),
        signature("4.2-4/certificate-in-its-place", |scene| {
            scene.with(scene.proof().signature, &scene.person(scene.id)?.certificate)
        }),
        signature("4.2-4/by-another", |scene| signed_for(scene, scene.config, scene.id, scene.person(1)?)),
        signature("4.2-4/for-another-id", |scene| {
            signed_for(scene, scene.config, 1, scene.person(scene.id)?)
        }),
        signature("4.2-4/for-another-session", |scene| {
            let config = Config { nonce: [0x5e; 32], ..scene.config.clone() };
            signed_for(scene, &config, scene.id, scene.person(scene.id)?)
        }),
    ]
}

/// A client that is put out in ConsistencyCheck is in the sum all the same.
fn consents() -> Vec<ServerCase> {
    fn consent(id: &'static str, act: Do) -> ServerCase {
        whole(id, CONSISTENCY_CHECK, &[38], Then::Released, act)
    }
    vec![
        consent("4.5-5/spoilt", |scene| scene.changed(|response| response[BODY + 40] ^= 1)),
        consent("4.5-5/zeros", |scene| scene.with(0, &[0; 64])),
        consent("4.5-5/by-another", |scene| {
            let (sharers, survivors) = (asked(scene)?, asked(scene)?);
            consented(scene, scene.person(1)?, &sharers, &survivors)
        }),
        consent("4.5-5/over-other-survivors", |scene| {
            let sharers = asked(scene)?;
            let mut survivors = sharers.clone();
            survivors[0] &= !1;
            consented(scene, scene.person(scene.id)?, &sharers, &survivors)
        }),
        consent("4.5-5/over-other-sharers", |scene| {
            let survivors = asked(scene)?;
            let mut sharers = survivors.clone();
            sharers[0] &= !1;
            consented(scene, scene.person(scene.id)?, &sharers, &survivors)
        }),
    ]
}

/// The bits of the survivors that the server asks about: here everybody has shared and survived.
fn asked(scene: &Scene<'_>) -> Option<Vec<u8>> {
    Some(scene.request.get(BODY + 4..)?.to_vec()).filter(|bits| !bits.is_empty())
}

/// A signature by this person over these bits, for this session.
fn consented(scene: &Scene<'_>, by: &Person, sharers: &[u8], survivors: &[u8]) -> Option<Act> {
    let session = scene.request.get(1..BODY)?.try_into().ok()?;
    let number = scene.config.suite.number().into();
    let statement = conformance::survivors_statement(number, &session, sharers, survivors);
    scene.with(0, &conformance::signature(&by.secret, &statement))
}

fn frames() -> Vec<ServerCase> {
    vec![
        session("4.1-1/consistency-check-cut-off", CONSISTENCY_CHECK, &[3], cut),
        session("4.1-1/advertisement-of-suite-1", ADVERTISE_KEYS, &[3], |scene| {
            scene.changed(|response| response.truncate(BODY + 64))
        }),
        // A long one is above the limit.
        session("4.1-2/masked-input-again", CONSISTENCY_CHECK, &[4, 195], |scene| {
            Some(Act::Say(scene.previous.to_vec()))
        }),
        session("4.1-2/consent-in-unmasking", UNMASKING, &[4], |scene| {
            Some(Act::Say(scene.previous.to_vec()))
        }),
        session("4.1-3/consistency-check", CONSISTENCY_CHECK, &[5], stray),
        session("10.2/unmasking-before-consistency-check", CONSISTENCY_CHECK, &[196], |scene| {
            one(frame(UNMASKING, scene.response), End::Finish)
        }),
        session("10.2/consistency-check-again", UNMASKING, &[196], |scene| {
            one(frame(CONSISTENCY_CHECK, scene.previous), End::Finish)
        }),
        session("10.2/consistency-check-above-the-limit", CONSISTENCY_CHECK, &[195], above),
        session("10.2/two-streams-in-consistency-check", CONSISTENCY_CHECK, &[196], twice),
        session("10.3/lost-in-consistency-check", CONSISTENCY_CHECK, &[204], |_| Some(Act::Leave)),
        session("10.4/silent-in-consistency-check", CONSISTENCY_CHECK, &[193], silent),
    ]
}
