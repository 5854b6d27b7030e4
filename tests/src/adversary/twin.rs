//! A client written a second time, from which single checks can be taken away: the controls of the scenarios. With
//! all its checks it has to answer as the core does, byte for byte.

use std::collections::BTreeMap;

use curve25519_dalek::ristretto::CompressedRistretto;
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use secagg::{Config, Graph, Misbehaviour, Policy, Suite};
use x25519_dalek::x25519;

use super::secrets::{
    Bytes32, Kind, Secrets, commitment, draw_commitment, hash, holders, mask, own_seed, session_id,
};
use super::twin_pinned::Pinned;
use super::wire::{self, HEADER, Reader};

/// The ids of the checks that a twin leaves out; `"*"` leaves out all.
pub(super) type Without = &'static [&'static str];

/// A client of known secrets.
pub(super) struct Twin {
    entropy: Bytes32,
    pub(super) identity: [u8; 32],
    policy: Policy,
    trusts: Option<Bytes32>,
    certificate: [u8; 64],
    pub(super) input: [u16; 3],
    without: Without,
    next: Option<u8>,
    pub(super) joined: Option<Joined>,
}

/// What it knows of the session it is in.
pub(super) struct Joined {
    pub(super) config: Config,
    pub(super) secrets: Secrets,
    advertisement: Vec<u8>,
    pub(super) session: Bytes32,
    pub(super) roster: Vec<(u32, Vec<u8>)>,
    pub(super) held: BTreeMap<u32, Option<[Bytes32; 2]>>,
    pub(super) signed: Option<(Bytes32, Vec<u32>)>,
    pub(super) pinned: Pinned,
}

/// Who a client is and what it insists on.
pub(super) struct Person {
    pub(super) entropy: Bytes32,
    pub(super) identity: Bytes32,
    pub(super) certificate: [u8; 64],
    pub(super) trusts: Option<Bytes32>,
    pub(super) policy: Policy,
    pub(super) input: [u16; 3],
}

pub(super) type Answer = Result<Vec<u8>, String>;

impl Twin {
    pub(super) fn new(person: Person, without: Without) -> Self {
        let Person { entropy, identity, certificate, trusts, policy, input } = person;
        let (next, joined) = (Some(1), None);
        Self { entropy, identity, policy, trusts, certificate, input, without, next, joined }
    }

    fn checks(&self, rule: &str) -> bool {
        !self.without.contains(&rule) && !self.without.contains(&"*")
    }

    /// An error with the rule's id if it is broken and the twin checks it.
    pub(super) fn must(&self, holds: bool, rule: &str) -> Result<(), String> {
        if holds || !self.checks(rule) { Ok(()) } else { Err(rule.to_owned()) }
    }

    /// Handles the proposal of a session; the configuration is given beside the bytes that name it.
    pub(super) fn join(&mut self, config: &Config, id: u32) -> Answer {
        let answer = self.turn(1).and_then(|()| self.advertise(config, id));
        self.settle(answer, 3)
    }

    /// Handles any other request.
    pub(super) fn handle(&mut self, request: &[u8]) -> Answer {
        let kind = request.first().copied().unwrap_or_default();
        let signed = self.joined.as_ref().is_some_and(|joined| joined.config.suite != Suite::Curious);
        let after = match kind {
            3 => 5,
            5 if signed => 7,
            5 | 7 => 9,
            _ => 0,
        };
        let answer = self.turn(kind).and_then(|()| match kind {
            3 => self.share(request),
            5 if self.is_pinned() => self.mask_pinned(request),
            5 => self.mask(request),
            7 => self.sign(request),
            _ => self.unmask(request),
        });
        self.settle(answer, after)
    }

    fn is_pinned(&self) -> bool {
        self.joined.as_ref().is_some_and(|joined| matches!(joined.config.suite, Suite::Pinned { .. }))
    }

    fn turn(&self, kind: u8) -> Result<(), String> {
        match self.next {
            None => self.must(false, "132"),
            Some(next) => self.must(next == kind, "4.1-2"),
        }
    }

    fn settle(&mut self, answer: Answer, next: u8) -> Answer {
        self.next = if answer.is_ok() && next != 0 { Some(next) } else { None };
        answer
    }

    fn advertise(&mut self, config: &Config, id: u32) -> Answer {
        self.must(config.check().is_ok(), "4.2-1")?;
        let trust = match (config.suite.authority(), self.trusts) {
            (None, None) => None,
            (Some(authority), Some(mine)) if authority == mine => None,
            (Some(_), Some(_)) => Some("WrongAuthority"),
            _ => Some("WrongSuite"),
        };
        let refused = trust.map(str::to_owned).or_else(|| self.policy.check(config).err().map(refusal));
        if let Some(why) = refused.filter(|_| self.checks("130")) {
            return Err(format!("130 {why}"));
        }
        let secrets = Secrets::new(config, id, &self.entropy);
        let mut advertisement = secrets.keys.concat();
        if let Suite::Pinned { .. } = config.suite {
            advertisement.extend(draw_commitment(config, id, &secrets.draw));
        }
        if config.suite != Suite::Curious {
            let key = SigningKey::from_bytes(&self.identity);
            let parts: [&[u8]; 3] = [&config.id(), &id.to_be_bytes(), &advertisement];
            let signature = key.sign(&hash(config.suite.number(), "advertisement", &parts));
            advertisement.extend(key.verifying_key().to_bytes());
            advertisement.extend(self.certificate);
            advertisement.extend(signature.to_bytes());
        }
        let answer = wire::message(2, &config.id(), &[&advertisement]);
        self.joined = Some(Joined {
            config: config.clone(),
            secrets,
            advertisement,
            session: [0; 32],
            roster: Vec::new(),
            held: BTreeMap::new(),
            signed: None,
            pinned: Pinned::default(),
        });
        Ok(answer)
    }

    fn share(&mut self, request: &[u8]) -> Answer {
        let (session, roster) = self.roster(request)?;
        self.check_roster(&session, &roster)?;
        let joined = self.joined.as_mut().ok_or("4.1-2")?;
        (joined.session, joined.roster) = (session, roster);
        let (suite, secrets) = (joined.config.suite.number(), &joined.secrets);
        let mine = joined.drawn_by_me();
        let bundles: Vec<u8> = joined
            .others()
            .filter(|(id, _)| mine.as_ref().is_none_or(|mine| mine.contains(id)))
            .flat_map(|(id, one)| {
                let shares = [Kind::MaskKey, Kind::SelfMask].map(|kind| secrets.share(kind, *id));
                secrets.seal(suite, &session, (*id, &wire::key(one, 0)), shares)
            })
            .collect();
        let commitment = commitment(suite, &session, secrets.id, &secrets.seed);
        let draw: &[u8] = if mine.is_some() { &secrets.draw } else { &[] };
        Ok(wire::message(4, &session, &[&commitment, draw, &wire::list(&bundles)]))
    }

    fn roster(&self, request: &[u8]) -> Result<wire::Named, String> {
        let joined = self.joined.as_ref().ok_or("4.1-2")?;
        wire::roster(request, joined.advertisement.len()).ok_or_else(|| "4.1-1".to_owned())
    }

    /// The checks of §4.3 in their order.
    fn check_roster(&self, session: &Bytes32, roster: &[(u32, Vec<u8>)]) -> Result<(), String> {
        let joined = self.joined.as_ref().ok_or("4.1-2")?;
        let (config, me) = (&joined.config, joined.secrets.id);
        let ascending = roster.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let known = roster.iter().all(|(id, _)| *id <= config.clients);
        let mine = roster.iter().any(|(id, one)| *id == me && *one == joined.advertisement);
        let size = match config.graph {
            Graph::Complete => roster.len() >= config.threshold as usize,
            Graph::Regular { degree } => roster.len() == degree as usize + 1,
            Graph::KOut { degree } => {
                roster.len() > (degree as usize).max(config.suite.corrupt().unwrap_or(0) as usize + 1)
            }
        };
        self.must(ascending && known && mine && size, "4.3-1")?;
        if !matches!(config.graph, Graph::Regular { .. }) {
            self.must(*session == session_id(config, roster), "4.3-2")?;
        }
        let (mut keys, mut identities) = (Vec::new(), Vec::new());
        for (_, one) in roster {
            let [first, second] = [wire::key(one, 0), wire::key(one, 1)];
            let fresh = first != second && !keys.contains(&first) && !keys.contains(&second);
            self.must(fresh, "4.2-3")?;
            keys.extend([first, second]);
            let sound = second != [0; 32] && CompressedRistretto(second).decompress().is_some();
            if one.len() > 64 {
                let identity = wire::key(&one[proof_at(one)..], 0);
                self.must(!identities.contains(&identity), "4.2-5")?;
                identities.push(identity);
            }
            self.must(sound, "3.2-2")?;
            if one.len() > 64 {
                self.must(identity(one).is_some(), "3.7-1")?;
            }
        }
        if let Some(authority) = config.suite.authority() {
            self.check_signatures(config, &authority, roster)?;
        }
        let ids: Vec<u32> = roster.iter().map(|(id, _)| *id).collect();
        let drawn = holders(config, session, me, &joined.secrets.draw, &ids);
        let used = |id: u32| id != me && (!self.is_pinned() || drawn.contains(&id));
        let sound = |(_, one): &(u32, Vec<u8>)| sound_key(&wire::key(one, 0));
        self.must(roster.iter().filter(|(id, _)| used(*id)).all(sound), "3.2-1")
    }

    fn check_signatures(
        &self,
        config: &Config,
        authority: &Bytes32,
        roster: &[(u32, Vec<u8>)],
    ) -> Result<(), String> {
        let by = VerifyingKey::from_bytes(authority).map_err(|_| "4.2-1")?;
        let certified = |one: &[u8]| {
            let proof = &one[proof_at(one)..];
            verified(Some(&by), &hash(0, "certificate", &[&proof[..32]]), &proof[32..96])
        };
        self.must(roster.iter().all(|(_, one)| certified(one)), "3.7-2")?;
        let signed = |(id, one): &(u32, Vec<u8>)| {
            let (what, proof) = one.split_at(proof_at(one));
            let parts: [&[u8]; 3] = [&config.id(), &id.to_be_bytes(), what];
            let statement = hash(config.suite.number(), "advertisement", &parts);
            verified(identity(one).as_ref(), &statement, &proof[96..])
        };
        self.must(roster.iter().all(signed), "4.2-4")
    }

    fn mask(&mut self, request: &[u8]) -> Answer {
        let joined = self.joined.as_ref().ok_or("4.1-2")?;
        let config = &joined.config;
        let bundles = self.body(request).and_then(|body| wire::bundles(&body).ok_or("4.1-1".to_owned()))?;
        self.must(bundles.windows(2).all(|pair| pair[0].0 < pair[1].0), "4.4-1")?;
        let own = usize::from(config.graph == Graph::Complete);
        self.must(bundles.len() + own >= config.threshold as usize, "4.4-2")?;
        let neighbour = |id: u32| joined.others().any(|(other, _)| *other == id);
        self.must(bundles.iter().all(|(id, _)| neighbour(*id)), "4.4-1")?;
        let (suite, session, secrets) = (config.suite.number(), &joined.session, &joined.secrets);
        let mut held = BTreeMap::new();
        for (owner, bundle) in &bundles {
            if let Some((_, one)) = joined.others().find(|(other, _)| other == owner) {
                let (from, me) = ((*owner, &wire::key(one, 0)), (secrets.id, &secrets.keys[0]));
                held.insert(*owner, secrets.open(suite, session, from, me, bundle));
            }
        }
        let mut sum = self.input;
        add(&mut sum, mask(suite, session, &own_seed(suite, session, secrets.id, &secrets.seed)), true);
        for (id, one) in joined.others().filter(|(id, _)| held.contains_key(id)) {
            let seed = secrets.pair_seed(suite, session, (*id, &wire::key(one, 1)));
            add(&mut sum, mask(suite, session, &seed.ok_or("3.2-2")?), secrets.id > *id);
        }
        let answer = wire::message(6, session, &[&wire::packed(sum)]);
        self.joined.as_mut().ok_or("4.1-2")?.held = held;
        Ok(answer)
    }

    fn sign(&mut self, request: &[u8]) -> Answer {
        let body = self.body(request)?;
        let joined = self.joined.as_ref().ok_or("4.1-2")?;
        let (config, me) = (&joined.config, joined.secrets.id);
        let bits = Reader(&body).whole_list(1).ok_or("4.1-1")?.concat();
        let roster: Vec<u32> = joined.roster.iter().map(|(id, _)| *id).collect();
        self.must(bits.len() == roster.len().div_ceil(8), "4.5-1")?;
        let alive = wire::members(&roster, &bits);
        self.must(wire::bits(&roster, |id| alive.contains(&id)) == bits, "4.5-1")?;
        let shared = |id: u32| match self.is_pinned() {
            true => joined.pinned.sharers.contains(&id),
            false => id == me || joined.held.contains_key(&id),
        };
        self.must(alive.iter().all(|id| shared(*id)), "4.5-2")?;
        self.must(alive.contains(&me), "4.5-3")?;
        let least = joined.quorum().max(config.minimum_survivors as usize);
        self.must(alive.len() >= least, "4.5-4")?;
        let short = |(owner, holders): (&u32, &Vec<u32>)| {
            let left = holders.iter().filter(|holder| alive.contains(holder)).count();
            alive.contains(owner) && left < config.threshold as usize
        };
        self.must(!joined.pinned.holders.iter().any(short), "4.5-6")?;
        let sharers = wire::bits(&roster, shared);
        let parts: [&[u8]; 3] = [&joined.session, &sharers, &bits];
        let statement = hash(config.suite.number(), "survivors", &parts);
        let signature = SigningKey::from_bytes(&self.identity).sign(&statement).to_bytes();
        let answer = wire::message(8, &joined.session, &[&signature]);
        self.joined.as_mut().ok_or("4.1-2")?.signed = Some((statement, alive));
        Ok(answer)
    }

    fn unmask(&mut self, request: &[u8]) -> Answer {
        let body = self.body(request)?;
        let joined = self.joined.as_ref().ok_or("4.1-2")?;
        let me = joined.secrets.id;
        let mut members: Vec<u32> = joined.held.keys().copied().chain([me]).collect();
        members.sort_unstable();
        let alive = match joined.config.suite {
            Suite::Curious => self.named(&body, &members)?,
            _ => self.certified(&body)?,
        };
        let (mut unopened, mut shares) = (Vec::new(), Vec::new());
        for id in members {
            match joined.held.get(&id) {
                Some(None) => unopened.extend(id.to_be_bytes()),
                Some(Some([mask_key, seed])) => {
                    shares.extend(if alive.contains(&id) { seed } else { mask_key });
                }
                None if joined.config.graph == Graph::Complete => {
                    shares.extend(joined.secrets.share(Kind::SelfMask, me).to_bytes());
                }
                None => {}
            }
        }
        Ok(wire::message(10, &joined.session, &[&wire::list(&unopened), &wire::list(&shares)]))
    }

    /// The survivors that a request of suite 1 names.
    fn named(&self, body: &[u8], members: &[u32]) -> Result<Vec<u32>, String> {
        let joined = self.joined.as_ref().ok_or("4.1-2")?;
        let config = &joined.config;
        let mut input = Reader(body);
        let count = input.number().ok_or("4.1-1")?;
        let bits = input.whole_list(1).ok_or("4.1-1")?.concat();
        self.must(bits.len() == members.len().div_ceil(8), "4.6-1")?;
        let alive = wire::members(members, &bits);
        self.must(wire::bits(members, |id| alive.contains(&id)) == bits, "4.6-1")?;
        self.must(alive.contains(&joined.secrets.id), "4.6-2")?;
        let complete = config.graph == Graph::Complete;
        let holders = alive.len() - usize::from(!complete && !alive.is_empty());
        self.must(holders >= config.threshold as usize, "4.6-3")?;
        self.must(count >= config.minimum_survivors, "4.6-9")?;
        let seen = alive.len() as u32;
        let most = match config.graph {
            Graph::Complete => seen,
            Graph::Regular { degree } | Graph::KOut { degree } => {
                (config.clients + seen).saturating_sub(degree + 1)
            }
        };
        self.must((seen..=most).contains(&count), "4.6-10")?;
        Ok(alive)
    }

    /// The survivors that a certificate is over.
    fn certified(&self, body: &[u8]) -> Result<Vec<u32>, String> {
        let joined = self.joined.as_ref().ok_or("4.1-2")?;
        let mut input = Reader(body);
        let items = input.items(68).ok_or("4.1-1")?;
        let inputs = if self.is_pinned() { input.items(64).ok_or("4.1-1")? } else { Vec::new() };
        let items: Vec<(u32, &[u8])> = items.iter().map(|one| (wire::number(one), &one[4..])).collect();
        let (statement, alive) = joined.signed.clone().ok_or("4.1-2")?;
        let quorum = items.len() >= joined.quorum()
            && items.windows(2).all(|pair| pair[0].0 < pair[1].0)
            && items.iter().all(|(id, _)| alive.contains(id));
        self.must(quorum, "4.6-11")?;
        let good = |(id, signature): &(u32, &[u8])| {
            let by = joined.roster.iter().find(|(other, _)| other == id).and_then(|(_, one)| identity(one));
            verified(by.as_ref(), &statement, signature)
        };
        self.must(items.iter().all(good), "4.6-12")?;
        if self.is_pinned() {
            self.check_inputs(&inputs, &alive)?;
        }
        Ok(alive)
    }

    pub(super) fn body(&self, request: &[u8]) -> Answer {
        let joined = self.joined.as_ref().ok_or("4.1-2")?;
        self.must(request.get(1..HEADER) == Some(&joined.session[..]), "4.1-3")?;
        Ok(request.get(HEADER..).ok_or("4.1-1")?.to_vec())
    }
}

impl Joined {
    pub(super) fn others(&self) -> impl Iterator<Item = &(u32, Vec<u8>)> {
        self.roster.iter().filter(|(id, _)| *id != self.secrets.id)
    }
}

/// The name of a refusal.
pub(super) fn refusal(why: secagg::Refusal) -> String {
    format!("{why:?}").chars().take_while(|one| one.is_alphanumeric()).collect()
}

/// How the core's end of a session is written.
pub(super) fn end(abort: secagg::Abort) -> String {
    match abort {
        secagg::Abort::Server(what) => Misbehaviour::id(what).to_owned(),
        secagg::Abort::Refused(why) => format!("130 {}", refusal(why)),
        other => other.code().to_string(),
    }
}

pub(super) fn sound_key(key: &Bytes32) -> bool {
    let canonical = key[31] < 0x7f || key[31] == 0x7f && (key[1..31] != [0xff; 30] || key[0] < 0xed);
    canonical && x25519([0x40; 32], *key) != [0; 32]
}

/// Where the proof of a signed suite begins in an advertisement.
pub(super) fn proof_at(advertisement: &[u8]) -> usize {
    advertisement.len().saturating_sub(160)
}

pub(super) fn identity(advertisement: &[u8]) -> Option<VerifyingKey> {
    let identity = wire::key(&advertisement[proof_at(advertisement)..], 0);
    VerifyingKey::from_bytes(&identity).ok().filter(|key| !key.is_weak())
}

pub(super) fn verified(by: Option<&VerifyingKey>, statement: &Bytes32, signature: &[u8]) -> bool {
    let signature = Signature::from_slice(signature).ok();
    by.zip(signature).is_some_and(|(by, signature)| by.verify(statement, &signature).is_ok())
}

/// Adds a mask, or subtracts it.
pub(super) fn add(sum: &mut [u16; 3], mask: [u16; 3], plus: bool) {
    for (one, mask) in sum.iter_mut().zip(mask) {
        *one = if plus { one.wrapping_add(mask) } else { one.wrapping_sub(mask) };
    }
    sum[2] &= 0x0fff;
}
