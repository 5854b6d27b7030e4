//! What an honest client has to make of a message, in each state (spec §4).

use std::collections::BTreeSet;

use secagg::{Config, Graph};

use super::super::secrets::{hash, session_id};
use super::super::wire::{self, BUNDLE, Reader};
use super::expected::{
    Check, Expected, ascending, certified, header, identity, keys, keys_signed, must, signed,
    sound_encryption_key, sound_mask_key,
};
use super::layout::body;
use super::proposal;
use super::scene::Scene;

/// A state of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It awaits the request of this round.
    Awaits(usize),
    /// It awaits the request for its masked input, and has none.
    NoInput,
    /// It has answered all, or has ended early.
    Over,
}

/// What client `id` has to say.
pub(super) fn judge(scene: &Scene, id: u32, state: State, message: &[u8]) -> Expected {
    let place = match state {
        State::Awaits(place) => place,
        State::NoInput => return Expected::only("131"),
        State::Over => return Expected::only("132"),
    };
    let session = scene.session();
    let known = Some(&session).filter(|_| place >= 2);
    if let Err(rule) = header(message, scene.rounds[place].kind, known) {
        return Expected::only(rule);
    }
    let client = Client { scene, id, config: &scene.config };
    match message[0] {
        1 => proposal::judge(message, scene.trusts().as_ref()),
        3 => client.share_keys(message).into(),
        5 => client.masked_input(body(message)),
        7 => client.consistency(body(message)).into(),
        _ if scene.is_signed() => client.certificate(body(message)).into(),
        _ => client.survivors(body(message)),
    }
}

struct Client<'a> {
    scene: &'a Scene,
    id: u32,
    config: &'a Config,
}

impl Client<'_> {
    fn is_complete(&self) -> bool {
        self.config.graph == Graph::Complete
    }

    /// Its closed neighbourhood, as the honest server has told it: ids and advertisements.
    fn roster(&self) -> Vec<(u32, Vec<u8>)> {
        let advertisement = if self.scene.is_signed() { 224 } else { 64 };
        let (_, roster) =
            wire::roster(&self.scene.rounds[1].requests[&self.id], advertisement).expect("honest");
        roster
    }

    /// Those whose bundles it has, and itself, ascending.
    fn sharers(&self) -> Vec<u32> {
        let bundles = wire::bundles(body(&self.scene.rounds[2].requests[&self.id])).expect("honest");
        let mut sharers: Vec<u32> = bundles.iter().map(|(id, _)| *id).chain([self.id]).collect();
        sharers.sort_unstable();
        sharers
    }

    fn share_keys(&self, message: &[u8]) -> Check {
        let own = self.scene.advertisement(self.id).expect("it has advertised");
        let (session, roster) = wire::roster(message, own.len()).ok_or("4.1-1")?;
        let ids: Vec<u32> = roster.iter().map(|(id, _)| *id).collect();
        must(ids.iter().all(|id| *id != 0), "4.1-1")?;
        let size = match self.config.graph {
            Graph::Complete => ids.len() >= self.config.threshold as usize,
            Graph::Regular { degree } => ids.len() == degree as usize + 1,
            Graph::KOut { .. } => unreachable!("suite 3 is not played here"),
        };
        let known = ids.iter().all(|id| *id <= self.config.clients);
        let mine = roster.iter().any(|(id, one)| *id == self.id && one == own);
        must(ascending(&ids) && known && mine && size, "4.3-1")?;
        must(!self.is_complete() || session == session_id(self.config, &roster), "4.3-2")?;
        let (mut used, mut identities) = (BTreeSet::new(), BTreeSet::new());
        for (_, one) in &roster {
            must(keys(one).into_iter().all(|key| used.insert(key)), "4.2-3")?;
            must(!self.scene.is_signed() || identities.insert(wire::key(one, 2)), "4.2-5")?;
            must(sound_mask_key(one), "3.2-2")?;
            must(!self.scene.is_signed() || identity(&wire::key(one, 2)).is_some(), "3.7-1")?;
        }
        if let Some(authority) = self.scene.trusts() {
            must(roster.iter().all(|(_, one)| certified(&authority, one)), "3.7-2")?;
            let config = self.config.id();
            must(roster.iter().all(|(id, one)| keys_signed(&config, *id, one)), "4.2-4")?;
        }
        must(roster.iter().all(|(_, one)| sound_encryption_key(one)), "3.2-1")
    }

    fn masked_input(&self, body: &[u8]) -> Expected {
        let Some(items) = Reader(body).whole_list(4 + BUNDLE) else { return Expected::only("4.1-1") };
        let owners: Vec<u32> = items.iter().map(|one| wire::number(one)).collect();
        if owners.contains(&0) {
            return Expected::only("4.1-1");
        }
        let roster = self.roster();
        let neighbour = |id: &u32| *id != self.id && roster.iter().any(|(other, _)| other == id);
        let mut rules = BTreeSet::new();
        if !ascending(&owners) || !owners.iter().all(neighbour) {
            rules.insert("4.4-1");
        }
        if owners.len() + usize::from(self.is_complete()) < self.config.threshold as usize {
            rules.insert("4.4-2");
        }
        Expected::any(rules)
    }

    fn consistency(&self, body: &[u8]) -> Check {
        let bits = Reader(body).whole_list(1).ok_or("4.1-1")?.concat();
        let roster: Vec<u32> = self.roster().iter().map(|(id, _)| *id).collect();
        let alive = set(&roster, &bits).ok_or("4.5-1")?;
        let sharers = self.sharers();
        must(alive.iter().all(|id| sharers.contains(id)), "4.5-2")?;
        must(alive.contains(&self.id), "4.5-3")?;
        let least = self.config.threshold.max(self.config.minimum_survivors);
        must(alive.len() >= least as usize, "4.5-4")
    }

    fn survivors(&self, body: &[u8]) -> Expected {
        let mut input = Reader(body);
        let count = input.number();
        let (Some(count), Some(bits)) = (count, input.whole_list(1)) else {
            return Expected::only("4.1-1");
        };
        let members = self.sharers();
        let seen = || {
            let alive = set(&members, &bits.concat()).ok_or("4.6-1")?;
            must(alive.contains(&self.id), "4.6-2")?;
            let holders = alive.len() - usize::from(!self.is_complete());
            must(holders >= self.config.threshold as usize, "4.6-3")?;
            Ok(alive.len() as u32)
        };
        let seen = match seen() {
            Ok(seen) => seen,
            Err(rule) => return Expected::only(rule),
        };
        let most = match self.config.graph {
            Graph::Complete => seen,
            Graph::Regular { degree } => self.config.clients - (degree + 1 - seen),
            Graph::KOut { .. } => unreachable!("suite 3 is not played here"),
        };
        let mut rules = BTreeSet::new();
        if count < self.config.minimum_survivors {
            rules.insert("4.6-9");
        }
        if !(seen..=most).contains(&count) {
            rules.insert("4.6-10");
        }
        Expected::any(rules)
    }

    fn certificate(&self, body: &[u8]) -> Check {
        let items = Reader(body).whole_list(68).ok_or("4.1-1")?;
        let signers: Vec<u32> = items.iter().map(|one| wire::number(one)).collect();
        must(signers.iter().all(|id| *id != 0), "4.1-1")?;
        let roster = self.roster();
        let ids: Vec<u32> = roster.iter().map(|(id, _)| *id).collect();
        let bits = Reader(super::layout::body(&self.scene.rounds[3].requests[&self.id]))
            .whole_list(1)
            .expect("honest")
            .concat();
        let alive = set(&ids, &bits).expect("honest");
        let quorum = signers.len() >= self.config.threshold as usize;
        must(quorum && ascending(&signers) && signers.iter().all(|id| alive.contains(id)), "4.6-11")?;
        let sharers = self.sharers();
        let sharers = wire::bits(&ids, |id| sharers.contains(&id));
        let statement = hash(2, "survivors", &[&self.scene.session(), &sharers, &bits]);
        let good = |one: &&[u8]| {
            let signer = roster.iter().find(|(id, _)| *id == wire::number(one));
            signer.is_some_and(|(_, keys)| signed(&wire::key(keys, 2), &statement, &one[4..]))
        };
        must(items.iter().all(good), "4.6-12")
    }
}

/// The members whose bits are set; none if the bits are not one for each, padded with zeros.
fn set(members: &[u32], bits: &[u8]) -> Option<Vec<u32>> {
    let alive = wire::members(members, bits);
    (wire::bits(members, |id| alive.contains(&id)) == bits).then_some(alive)
}
