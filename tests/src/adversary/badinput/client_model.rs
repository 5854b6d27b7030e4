//! What an honest client has to make of a message, in each state (spec §4).

use std::collections::BTreeSet;

use secagg::{Config, Graph};

use super::super::secrets::{Bytes32, draw_commitment, hash, holders, session_id};
use super::super::wire::{self, BUNDLE, Reader};
use super::expected::{
    Check, Expected, ascending, certified, header, identity, keys, keys_signed, must, named, quorum, signed,
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
        1 => proposal::judge(message, scene),
        3 => client.share_keys(message).into(),
        5 if scene.is_pinned() => client.pinned_masked_input(body(message)).into(),
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
        let own = self.scene.advertisement(self.id).expect("it has advertised");
        let (_, roster) = wire::roster(&self.scene.rounds[1].requests[&self.id], own.len()).expect("honest");
        roster
    }

    fn ids(&self) -> Vec<u32> {
        self.roster().iter().map(|(id, _)| *id).collect()
    }

    /// The holders that an owner has drawn, among these clients.
    fn drawn(&self, session: &Bytes32, owner: u32, draw: &Bytes32, ids: &[u32]) -> Vec<u32> {
        holders(self.config, session, owner, draw, ids)
    }

    /// Its own draw, as it has disclosed it, or will.
    fn draw(&self) -> Bytes32 {
        wire::key(body(&self.scene.rounds[1].responses[&self.id]), 1)
    }

    /// What the honest server has told it in suite 3: the bits of the sharers, and the bundles.
    fn told(&self) -> (Vec<u8>, Vec<wire::Drawn>) {
        wire::drawn_bundles(body(&self.scene.rounds[2].requests[&self.id])).expect("honest")
    }

    /// The holders of each client of whom it knows them: of itself and of the owners of its bundles.
    fn known_holders(&self) -> Vec<(u32, Vec<u32>)> {
        let (session, ids) = (self.scene.session(), self.ids());
        let of = |owner: u32, draw: &Bytes32| (owner, self.drawn(&session, owner, draw, &ids));
        let owners = self.told().1;
        let owners = owners.iter().map(|(owner, draw, _)| of(*owner, draw.first_chunk().expect("32 bytes")));
        owners.chain([of(self.id, &self.draw())]).collect()
    }

    /// Those whose bundles it has, and itself, ascending; in suite 3 those of whom it was told.
    fn sharers(&self) -> Vec<u32> {
        if self.scene.is_pinned() {
            return wire::members(&self.ids(), &self.told().0);
        }
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
            Graph::KOut { degree } => {
                ids.len() > degree.max(self.config.suite.corrupt().unwrap_or(0) + 1) as usize
            }
        };
        let known = ids.iter().all(|id| *id <= self.config.clients);
        let mine = roster.iter().any(|(id, one)| *id == self.id && one == own);
        must(ascending(&ids) && known && mine && size, "4.3-1")?;
        let sees_all = !matches!(self.config.graph, Graph::Regular { .. });
        must(!sees_all || session == session_id(self.config, &roster), "4.3-2")?;
        let (mut used, mut identities) = (BTreeSet::new(), BTreeSet::new());
        for (_, one) in &roster {
            must(keys(one).into_iter().all(|key| used.insert(key)), "4.2-3")?;
            must(!self.scene.is_signed() || identities.insert(named(one)), "4.2-5")?;
            must(sound_mask_key(one), "3.2-2")?;
            must(!self.scene.is_signed() || identity(&named(one)).is_some(), "3.7-1")?;
        }
        if let Some(authority) = self.scene.trusts() {
            must(roster.iter().all(|(_, one)| certified(&authority, one)), "3.7-2")?;
            must(roster.iter().all(|(id, one)| keys_signed(self.config, *id, one)), "4.2-4")?;
        }
        // The keys that it uses: in suite 3 those of its holders.
        let drawn = self.scene.is_pinned().then(|| self.drawn(&session, self.id, &self.draw(), &ids));
        let used = |id: &u32| drawn.as_ref().is_none_or(|drawn| drawn.contains(id));
        must(roster.iter().filter(|(id, _)| used(id)).all(|(_, one)| sound_encryption_key(one)), "3.2-1")
    }

    fn pinned_masked_input(&self, body: &[u8]) -> Check {
        let (bits, bundles) = wire::drawn_bundles(body).ok_or("4.1-1")?;
        let owners: Vec<u32> = bundles.iter().map(|(owner, ..)| *owner).collect();
        must(!owners.contains(&0), "4.1-1")?;
        let (session, roster) = (self.scene.session(), self.roster());
        let ids = self.ids();
        let sharers = set(&ids, &bits).ok_or("4.4-6")?;
        must(sharers.contains(&self.id), "4.4-7")?;
        let mine = self.drawn(&session, self.id, &self.draw(), &ids);
        let mine = mine.iter().filter(|holder| sharers.contains(holder)).count();
        let enough = sharers.len() >= quorum(self.config, ids.len());
        must(enough && mine >= self.config.threshold as usize, "4.4-2")?;
        let shared = |owner: &u32| *owner != self.id && sharers.contains(owner);
        must(ascending(&owners) && owners.iter().all(shared), "4.4-1")?;
        let right = |(owner, draw, _): &wire::Drawn| {
            let draw: &Bytes32 = draw.first_chunk().expect("32 bytes");
            let (_, one) = roster.iter().find(|(id, _)| id == owner).expect("a sharer");
            wire::key(one, 2) == draw_commitment(self.config, *owner, draw)
                && self.drawn(&session, *owner, draw, &ids).contains(&self.id)
        };
        must(bundles.iter().all(right), "4.4-8")
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
        let roster = self.ids();
        let alive = set(&roster, &bits).ok_or("4.5-1")?;
        let sharers = self.sharers();
        must(alive.iter().all(|id| sharers.contains(id)), "4.5-2")?;
        must(alive.contains(&self.id), "4.5-3")?;
        let least = quorum(self.config, roster.len()).max(self.config.minimum_survivors as usize);
        must(alive.len() >= least, "4.5-4")?;
        if !self.scene.is_pinned() {
            return Ok(());
        }
        let held = |(owner, holders): &(u32, Vec<u32>)| {
            let left = holders.iter().filter(|holder| alive.contains(holder)).count();
            !alive.contains(owner) || left >= self.config.threshold as usize
        };
        must(self.known_holders().iter().all(held), "4.5-6")
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
            Graph::KOut { .. } => unreachable!("suite 3 is signed"),
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
        let mut input = Reader(body);
        let items = input.items(68).ok_or("4.1-1")?;
        let inputs = if self.scene.is_pinned() { input.items(64).ok_or("4.1-1")? } else { Vec::new() };
        must(input.0.is_empty(), "4.1-1")?;
        let signers: Vec<u32> = items.iter().map(|one| wire::number(one)).collect();
        must(signers.iter().all(|id| *id != 0), "4.1-1")?;
        let roster = self.roster();
        let ids: Vec<u32> = roster.iter().map(|(id, _)| *id).collect();
        let bits = Reader(super::layout::body(&self.scene.rounds[3].requests[&self.id]))
            .whole_list(1)
            .expect("honest")
            .concat();
        let alive = set(&ids, &bits).expect("honest");
        let enough = signers.len() >= quorum(self.config, ids.len());
        must(enough && ascending(&signers) && signers.iter().all(|id| alive.contains(id)), "4.6-11")?;
        let sharers = self.sharers();
        let sharers = wire::bits(&ids, |id| sharers.contains(&id));
        let (suite, session) = (self.scene.suite(), self.scene.session());
        let good = |id: u32, statement: &Bytes32, signature: &[u8]| {
            let signer = roster.iter().find(|(other, _)| *other == id);
            signer.is_some_and(|(_, one)| signed(&named(one), statement, signature))
        };
        let statement = hash(suite, "survivors", &[&session, &sharers, &bits]);
        must(items.iter().all(|one| good(wire::number(one), &statement, &one[4..])), "4.6-12")?;
        if !self.scene.is_pinned() {
            return Ok(());
        }
        let owners: Vec<u32> = self.told().1.iter().map(|(owner, ..)| *owner).collect();
        let owners: Vec<u32> = owners.into_iter().filter(|owner| alive.contains(owner)).collect();
        must(owners.len() == inputs.len(), "4.6-13")?;
        let statement = hash(suite, "sharers", &[&session, &sharers]);
        let good = |(owner, one): (&u32, &&[u8])| good(*owner, &statement, one);
        must(owners.iter().zip(&inputs).all(good), "4.6-14")
    }
}

/// The members whose bits are set; none if the bits are not one for each, padded with zeros.
fn set(members: &[u32], bits: &[u8]) -> Option<Vec<u32>> {
    let alive = wire::members(members, bits);
    (wire::bits(members, |id| alive.contains(&id)) == bits).then_some(alive)
}
