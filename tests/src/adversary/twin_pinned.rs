//! What the twin does otherwise in the pinned suite (spec §4.4, §4.6, §6.2, §6.3).

use std::collections::BTreeMap;

use ed25519_dalek::{Signer, SigningKey};
use secagg::Suite;

use super::secrets::{Bytes32, draw_commitment, hash, holders, mask, own_seed};
use super::twin::{Answer, Joined, Twin, add, identity, sound_key, verified};
use super::wire;

/// What a twin of the pinned suite is told with the bundles.
#[derive(Default)]
pub(super) struct Pinned {
    pub(super) sharers: Vec<u32>,
    /// The holders of the client itself, and of each owner of whom it holds shares.
    pub(super) holders: BTreeMap<u32, Vec<u32>>,
    /// What it has signed with its masked input.
    signed: Bytes32,
}

impl Joined {
    /// The signatures that make a certificate.
    pub(super) fn quorum(&self) -> usize {
        match self.config.suite {
            Suite::Pinned { corrupt, .. } => (self.roster.len() + corrupt as usize) / 2 + 1,
            _ => self.config.threshold as usize,
        }
    }

    fn ids(&self) -> Vec<u32> {
        self.roster.iter().map(|(id, _)| *id).collect()
    }

    /// The holders that the client draws, in the pinned suite.
    pub(super) fn drawn_by_me(&self) -> Option<Vec<u32>> {
        let Suite::Pinned { .. } = self.config.suite else { return None };
        Some(holders(&self.config, &self.session, self.secrets.id, &self.secrets.draw, &self.ids()))
    }

    fn advertised(&self, id: u32) -> Option<&Vec<u8>> {
        self.others().find(|(other, _)| *other == id).map(|(_, one)| one)
    }
}

impl Twin {
    pub(super) fn mask_pinned(&mut self, request: &[u8]) -> Answer {
        let body = self.body(request)?;
        let joined = self.joined.as_ref().ok_or("4.1-2")?;
        let (config, me, roster) = (&joined.config, joined.secrets.id, joined.ids());
        let (bits, bundles) = wire::drawn_bundles(&body).ok_or("4.1-1")?;
        let sharers = wire::members(&roster, &bits);
        let again = wire::bits(&roster, |id| sharers.contains(&id));
        self.must(again == bits, "4.4-6")?;
        self.must(sharers.contains(&me), "4.4-7")?;
        let mine = joined.drawn_by_me().unwrap_or_default();
        let alive = mine.iter().filter(|id| sharers.contains(id)).count();
        self.must(sharers.len() >= joined.quorum() && alive >= config.threshold as usize, "4.4-2")?;
        let owners: Vec<u32> = bundles.iter().map(|(owner, ..)| *owner).collect();
        let ascending = owners.windows(2).all(|pair| pair[0] < pair[1]);
        let shared = owners.iter().all(|owner| *owner != me && sharers.contains(owner));
        self.must(ascending && shared, "4.4-1")?;
        let mut lists = BTreeMap::from([(me, mine.clone())]);
        for (owner, draw, _) in &bundles {
            let draw: &Bytes32 = draw.first_chunk().ok_or("4.1-1")?;
            let one = joined.advertised(*owner).ok_or("4.4-1")?;
            let drawn = holders(config, &joined.session, *owner, draw, &roster);
            let commits = wire::key(one, 2) == draw_commitment(config, *owner, draw);
            self.must(commits && drawn.contains(&me), "4.4-8")?;
            lists.insert(*owner, drawn);
        }
        let (suite, session, secrets) = (config.suite.number(), &joined.session, &joined.secrets);
        let mut held = BTreeMap::new();
        for (owner, _, bundle) in &bundles {
            let key = wire::key(joined.advertised(*owner).ok_or("4.4-1")?, 0);
            self.must(sound_key(&key), "3.2-1")?;
            let opened = secrets.open(suite, session, (*owner, &key), (me, &secrets.keys[0]), bundle);
            held.insert(*owner, opened);
        }
        let mut sum = self.input;
        add(&mut sum, mask(suite, session, &own_seed(suite, session, me, &secrets.seed)), true);
        let masks_with = |id: u32| owners.contains(&id) || mine.contains(&id) && sharers.contains(&id);
        for (id, one) in joined.others().filter(|(id, _)| masks_with(*id)) {
            let seed = secrets.pair_seed(suite, session, (*id, &wire::key(one, 1)));
            add(&mut sum, mask(suite, session, &seed.ok_or("3.2-2")?), me > *id);
        }
        let signed = hash(suite, "sharers", &[session, &bits]);
        let signature = SigningKey::from_bytes(&self.identity).sign(&signed).to_bytes();
        let answer = wire::message(6, session, &[&signature, &wire::packed(sum)]);
        let joined = self.joined.as_mut().ok_or("4.1-2")?;
        (joined.held, joined.pinned) = (held, Pinned { sharers, holders: lists, signed });
        Ok(answer)
    }

    /// The signatures that came with the masked inputs of the surviving owners.
    pub(super) fn check_inputs(&self, inputs: &[&[u8]], alive: &[u32]) -> Result<(), String> {
        let joined = self.joined.as_ref().ok_or("4.1-2")?;
        let owners: Vec<u32> = joined.held.keys().copied().filter(|owner| alive.contains(owner)).collect();
        self.must(owners.len() == inputs.len(), "4.6-13")?;
        let good = |(owner, signature): (&u32, &&[u8])| {
            let by = joined.advertised(*owner).and_then(|one| identity(one));
            verified(by.as_ref(), &joined.pinned.signed, signature)
        };
        self.must(owners.iter().zip(inputs).all(good), "4.6-14")
    }
}
