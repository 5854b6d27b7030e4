//! What the server has to make of a message, in each state (spec §4, §5).

use std::collections::BTreeSet;

use curve25519_dalek::scalar::Scalar;
use secagg::Graph;

use super::super::secrets::hash;
use super::super::wire::{self, BUNDLE, Reader};
use super::expected::{
    Check, Expected, ascending, certified, header, identity, keys, keys_signed, must, signed,
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
            6 => self.masked(body(message)),
            8 => self.signature(sender, body(message)),
            _ => self.shares(sender, body(message)),
        }
    }

    fn advertisement(&self, sender: u32, one: &[u8]) -> Check {
        let signed = self.scene.is_signed();
        must(one.len() == if signed { 224 } else { 64 }, "4.1-1")?;
        must(sound_encryption_key(one), "3.2-1")?;
        must(sound_mask_key(one), "3.2-2")?;
        if let Some(authority) = self.scene.trusts() {
            must(identity(&wire::key(one, 2)).is_some(), "3.7-1")?;
            must(certified(&authority, one), "3.7-2")?;
            must(keys_signed(&self.scene.config.id(), sender, one), "4.2-4")?;
        }
        let others = || self.answered.iter().filter_map(|id| self.scene.advertisement(*id));
        let mut used: BTreeSet<_> = others().flat_map(keys).collect();
        must(keys(one).into_iter().all(|key| used.insert(key)), "4.2-3")?;
        let known = others().any(|other| wire::key(other, 2) == wire::key(one, 2));
        must(!signed || !known, "4.2-5")
    }

    fn bundles(&self, sender: u32, body: &[u8]) -> Check {
        let items = body.get(32..).and_then(|rest| Reader(rest).whole_list(BUNDLE)).ok_or("4.1-1")?;
        let asked = body_of_items(&self.scene.rounds[1].requests[&sender]);
        let member = if self.scene.is_signed() { 228 } else { 68 };
        must(items.len() == asked / member - 1, "4.3-3")
    }

    fn masked(&self, body: &[u8]) -> Check {
        // Two coordinates of 16 bits, and one of 12.
        must(body.len() == 4 + 2, "4.4-4")?;
        must(body[5] >> 4 == 0, "4.4-5")
    }

    fn signature(&self, sender: u32, body: &[u8]) -> Check {
        must(body.len() == 64, "4.1-1")?;
        let scene = self.scene;
        let roster: Vec<u32> = scene.rounds[0].responses.keys().copied().collect();
        let bits = |place: usize| wire::bits(&roster, |id| scene.rounds[place].responses.contains_key(&id));
        let statement = hash(2, "survivors", &[&scene.session(), &bits(1), &bits(2)]);
        let identity = wire::key(scene.advertisement(sender).expect("it has advertised"), 2);
        must(signed(&identity, &statement, body), "4.5-5")
    }

    fn shares(&self, sender: u32, body: &[u8]) -> Check {
        let mut input = Reader(body);
        let unopened = input.items(4).ok_or("4.1-1")?;
        let shares = input.items(32).ok_or("4.1-1")?;
        // Seeds of noise come without a length, and no session here has any.
        must(input.0.len().is_multiple_of(32), "4.1-1")?;
        let unopened: Vec<u32> = unopened.iter().map(|one| wire::number(one)).collect();
        must(unopened.iter().all(|id| *id != 0), "4.1-1")?;
        let owners = wire::bundles(super::layout::body(&self.scene.rounds[2].requests[&sender]));
        let owners: Vec<u32> = owners.expect("honest").iter().map(|(id, _)| *id).collect();
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
