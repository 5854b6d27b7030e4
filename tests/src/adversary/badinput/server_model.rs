//! What the server has to make of a message, in each state (spec §4, §5).

use std::collections::BTreeSet;

use curve25519_dalek::scalar::Scalar;
use secagg::Graph;

use super::super::secrets::{Bytes32, draw_commitment, hash};
use super::super::wire::{self, BUNDLE, Reader};
use super::expected::{
    Check, Expected, ascending, certified, header, identity, keys, keys_signed, must, named, signed,
    sound_encryption_key, sound_mask_key,
};
use super::layout::body;
use super::scene::Scene;

/// A state of the server: the open round and who has answered it; none once the session is over.
pub(super) type State<'a> = Option<(usize, &'a [u32])>;

/// What the server has to say to a message of `sender`, and whether that client is out of the round.
pub(super) fn judge(scene: &Scene, state: State<'_>, sender: u32, out: bool, message: &[u8]) -> Expected {
    let Some((place, answered)) = state else { return Expected::only("4.1-2") };
    let server = Server { scene, answered };
    server.check(place, sender, out, message).into()
}

/// Bytes of an advertisement, by suite.
const ADVERTISEMENT: [usize; 3] = [64, 224, 256];

struct Server<'a> {
    scene: &'a Scene,
    answered: &'a [u32],
}

impl Server<'_> {
    fn check(&self, place: usize, sender: u32, out: bool, message: &[u8]) -> Check {
        let round = &self.scene.rounds[place];
        must(round.requests.contains_key(&sender) && !out, "4.1-5")?;
        must(!self.answered.contains(&sender), "4.1-4")?;
        let session = if place == 0 { self.scene.config.id() } else { self.scene.session() };
        header(message, round.kind + 1, Some(&session))?;
        match message[0] {
            2 => self.advertisement(sender, body(message)),
            4 => self.bundles(sender, body(message)),
            6 => self.masked(sender, body(message)),
            8 => self.signature(sender, body(message)),
            _ => self.shares(sender, body(message)),
        }
    }

    fn advertisement(&self, sender: u32, one: &[u8]) -> Check {
        let signed = self.scene.is_signed();
        must(one.len() == ADVERTISEMENT[usize::from(self.scene.suite()) - 1], "4.1-1")?;
        must(sound_encryption_key(one), "3.2-1")?;
        must(sound_mask_key(one), "3.2-2")?;
        if let Some(authority) = self.scene.trusts() {
            must(identity(&named(one)).is_some(), "3.7-1")?;
            must(certified(&authority, one), "3.7-2")?;
            must(keys_signed(&self.scene.config, sender, one), "4.2-4")?;
        }
        let others = || self.answered.iter().filter_map(|id| self.scene.advertisement(*id));
        let mut used: BTreeSet<_> = others().flat_map(keys).collect();
        must(keys(one).into_iter().all(|key| used.insert(key)), "4.2-3")?;
        let known = signed && others().any(|other| named(other) == named(one));
        must(!known, "4.2-5")
    }

    fn bundles(&self, sender: u32, body: &[u8]) -> Check {
        let before = if self.scene.is_pinned() { 64 } else { 32 };
        let items = body.get(before..).and_then(|rest| Reader(rest).whole_list(BUNDLE)).ok_or("4.1-1")?;
        let asked = body_of_items(&self.scene.rounds[1].requests[&sender]);
        let holders = match self.scene.config.graph {
            Graph::KOut { degree } => degree as usize,
            _ => asked / (4 + ADVERTISEMENT[usize::from(self.scene.suite()) - 1]) - 1,
        };
        must(items.len() == holders, "4.3-3")?;
        if !self.scene.is_pinned() {
            return Ok(());
        }
        let commitment = wire::key(self.scene.advertisement(sender).expect("it has advertised"), 2);
        must(commitment == draw_commitment(&self.scene.config, sender, &wire::key(body, 1)), "4.3-4")
    }

    fn masked(&self, sender: u32, body: &[u8]) -> Check {
        let before = if self.scene.is_pinned() { 64 } else { 0 };
        let (signature, packed) = body.split_at_checked(before).ok_or("4.1-1")?;
        // Two coordinates of 16 bits, and one of 12.
        must(packed.len() == 4 + 2, "4.4-4")?;
        must(packed[5] >> 4 == 0, "4.4-5")?;
        let pin = || self.statement("sharers", &[&self.scene.session(), &self.bits(1)]);
        must(!self.scene.is_pinned() || self.is_signed_by(sender, &pin(), signature), "4.4-9")
    }

    /// The bits of those that have answered this round.
    fn bits(&self, place: usize) -> Vec<u8> {
        let roster: Vec<u32> = self.scene.rounds[0].responses.keys().copied().collect();
        wire::bits(&roster, |id| self.scene.rounds[place].responses.contains_key(&id))
    }

    fn statement(&self, label: &str, parts: &[&[u8]]) -> Bytes32 {
        hash(self.scene.suite(), label, parts)
    }

    fn is_signed_by(&self, sender: u32, statement: &Bytes32, signature: &[u8]) -> bool {
        signed(&named(self.scene.advertisement(sender).expect("it has advertised")), statement, signature)
    }

    fn signature(&self, sender: u32, body: &[u8]) -> Check {
        must(body.len() == 64, "4.1-1")?;
        let parts: [&[u8]; 3] = [&self.scene.session(), &self.bits(1), &self.bits(2)];
        must(self.is_signed_by(sender, &self.statement("survivors", &parts), body), "4.5-5")
    }

    fn shares(&self, sender: u32, body: &[u8]) -> Check {
        let mut input = Reader(body);
        let unopened = input.items(4).ok_or("4.1-1")?;
        let shares = input.items(32).ok_or("4.1-1")?;
        // Seeds of noise come without a length, and no session here has any.
        must(input.0.len().is_multiple_of(32), "4.1-1")?;
        let unopened: Vec<u32> = unopened.iter().map(|one| wire::number(one)).collect();
        must(unopened.iter().all(|id| *id != 0), "4.1-1")?;
        let told = super::layout::body(&self.scene.rounds[2].requests[&sender]);
        let owners: Vec<u32> = match self.scene.is_pinned() {
            true => wire::drawn_bundles(told).expect("honest").1.iter().map(|(id, ..)| *id).collect(),
            false => wire::bundles(told).expect("honest").iter().map(|(id, _)| *id).collect(),
        };
        must(ascending(&unopened) && unopened.iter().all(|id| owners.contains(id)), "4.6-4")?;
        let own = usize::from(self.scene.config.graph == Graph::Complete);
        must(unopened.len() + shares.len() == owners.len() + own, "4.6-5")?;
        let below = |one: &&[u8]| bool::from(Scalar::from_canonical_bytes(wire::key(one, 0)).is_some());
        must(shares.iter().all(below), "4.6-6")?;
        must(input.0.is_empty(), "4.6-15")
    }
}

/// Bytes of the list that an honest request consists of.
fn body_of_items(request: &[u8]) -> usize {
    wire::number(body(request)) as usize
}
