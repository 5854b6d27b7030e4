//! A server without checks, for the controls of the lies: it takes whatever comes for what it should be, and opens every
//! secret with as few shares as it takes.

use std::collections::{BTreeMap, BTreeSet};

use curve25519_dalek::scalar::Scalar;
use secagg::{Client, ClientId, Graph, Round, conformance};

use super::clients::{Lie, Scene, client, liars, right};
use super::game::Plan;
use super::secrets::{Bytes32, holders, mask, own_seed, session_id};
use super::setting::Ground;
use super::twin::add;
use super::wire::{self, BUNDLE, HEADER, Reader};

/// What the lie does to the session of such a server; nothing if the sum is right.
pub(super) fn harm(plan: &Plan, lie: Option<&Lie>) -> Option<String> {
    match Session::new(plan, lie).run() {
        Err(why) => Some(why),
        Ok(sum) if sum != right(&everybody(plan)) => Some("a wrong sum is released".to_owned()),
        Ok(_) => None,
    }
}

fn everybody(plan: &Plan) -> Vec<u32> {
    (1..=plan.setting.n).collect()
}

struct Session<'a> {
    plan: &'a Plan,
    lie: Option<&'a Lie>,
    clients: BTreeMap<u32, Client>,
    before: BTreeMap<u32, Vec<Vec<u8>>>,
    asked: BTreeMap<u32, Vec<Vec<u8>>>,
}

/// What came of each client: mostly one message.
type Said = BTreeMap<u32, Vec<Vec<u8>>>;

impl<'a> Session<'a> {
    fn new(plan: &'a Plan, lie: Option<&'a Lie>) -> Self {
        let clients = everybody(plan).into_iter().map(|id| (id, client(id, plan.setting.ground))).collect();
        Self { plan, lie, clients, before: BTreeMap::new(), asked: BTreeMap::new() }
    }

    fn is_pinned(&self) -> bool {
        self.plan.setting.ground == Ground::Pinned
    }

    fn run(mut self) -> Result<[u16; 3], String> {
        let (config, ids) = (self.plan.config.clone(), everybody(self.plan));
        let proposal = |id: u32| {
            let parts = [&id.to_be_bytes()[..], &conformance::encoded(&config)].concat();
            wire::message(1, &config.id(), &[&parts])
        };
        let advertised = self.ask(Round::AdvertiseKeys, proposal)?;
        let length = match self.plan.setting.ground {
            Ground::Active => 224,
            Ground::Pinned => 256,
            _ => 64,
        };
        let roster: Vec<(u32, Vec<u8>)> =
            advertised.iter().map(|(id, said)| (*id, body(said, length))).collect();
        let session = session_id(&config, &roster);
        let near = self.neighbours(&session)?;

        let closed =
            |id: u32| roster.iter().filter(|(other, _)| near[&id].contains(other)).cloned().collect();
        let shared = self.ask(Round::ShareKeys, |id| {
            let members: Vec<_> = closed(id);
            wire::share_request(&session, &members)
        })?;
        let before = if self.is_pinned() { 64 } else { 32 };
        let mut bundles: BTreeMap<u32, Vec<wire::Drawn>> = ids.iter().map(|id| (*id, Vec::new())).collect();
        for (owner, said) in &shared {
            let said = said.first().and_then(|one| one.get(HEADER..)).unwrap_or_default();
            let draw = wire::key(said, 1);
            let holders = match self.is_pinned() {
                true => holders(&config, &session, *owner, &draw, &ids),
                false => near[owner].iter().copied().filter(|holder| holder != owner).collect(),
            };
            let sealed = said.get(before + 4..).unwrap_or_default();
            for (holder, bundle) in holders.into_iter().zip(sealed.chunks(BUNDLE)) {
                bundles.entry(holder).or_default().push((*owner, draw.to_vec(), bundle.to_vec()));
            }
        }
        let held: Held = bundles
            .iter()
            .map(|(id, owners)| (*id, owners.iter().map(|(owner, ..)| *owner).collect()))
            .collect();

        let all = wire::bits(&ids, |_| true);
        let pinned = self.is_pinned();
        let masked = self.ask(Round::MaskedInputCollection, |id| match pinned {
            true => wire::pinned_mask_request(&session, &all, &bundles[&id]),
            false => {
                let bundles = bundles[&id].iter().map(|(owner, _, bundle)| (*owner, bundle.clone()));
                wire::mask_request(&session, &bundles.collect::<Vec<_>>())
            }
        })?;
        let (mut sum, mut pins) = ([0; 3], BTreeMap::new());
        for (id, one) in masked.iter().flat_map(|(id, said)| said.iter().map(move |one| (id, one))) {
            let before = if pinned { HEADER + 64 } else { HEADER };
            let pin = one.get(HEADER..before).map_or_else(|| vec![0; 64], <[u8]>::to_vec);
            pins.insert(*id, pin);
            let mut packed = one.get(before..).unwrap_or_default().to_vec();
            packed.resize(6, 0);
            let lane = |at: usize| u16::from_le_bytes([packed[2 * at], packed[2 * at + 1]]);
            add(&mut sum, [lane(0), lane(1), lane(2)], true);
        }

        let given = self.unmask(&session, &held, &pins)?;
        for owner in ids {
            let shares = given.get(&owner).ok_or("a secret has no shares")?;
            let seed = open(shares, config.threshold as usize);
            add(
                &mut sum,
                mask(
                    config.suite.number(),
                    &session,
                    &own_seed(config.suite.number(), &session, owner, &seed),
                ),
                false,
            );
        }
        Ok(sum)
    }

    /// The shares of the self mask seed of each owner, by holder.
    fn unmask(
        &mut self,
        session: &Bytes32,
        held: &Held,
        pins: &BTreeMap<u32, Vec<u8>>,
    ) -> Result<BTreeMap<u32, Vec<(u32, Scalar)>>, String> {
        let ids = everybody(self.plan);
        let all = wire::bits(&ids, |_| true);
        let (complete, pinned) = (self.plan.config.graph == Graph::Complete, self.is_pinned());
        let said = if self.plan.setting.ground.is_signed() {
            let signed =
                self.ask(Round::ConsistencyCheck, |_| wire::message(7, session, &[&wire::list(&all)]))?;
            let signed: Vec<_> = signed.iter().map(|(id, said)| (*id, body(said, 64))).collect();
            self.ask(Round::Unmasking, |id| match pinned {
                true => {
                    let inputs: Vec<Vec<u8>> =
                        held[&id].iter().filter_map(|owner| pins.get(owner).cloned()).collect();
                    wire::pinned_certificate(session, &signed, &inputs)
                }
                false => wire::certificate(session, &signed),
            })?
        } else {
            let count = (ids.len() as u32).to_be_bytes();
            self.ask(Round::Unmasking, |id| {
                let members: Vec<u32> = held[&id].iter().copied().chain([id]).collect();
                wire::message(9, session, &[&count, &wire::list(&wire::bits(&members, |_| true))])
            })?
        };
        let mut given: BTreeMap<u32, Vec<(u32, Scalar)>> = BTreeMap::new();
        for (holder, said) in said {
            let mut input = Reader(said.first().and_then(|one| one.get(HEADER..)).unwrap_or_default());
            let unopened: Vec<u32> =
                input.items(4).unwrap_or_default().into_iter().map(wire::number).collect();
            let mut owners: BTreeSet<u32> = held[&holder].clone();
            owners.extend(complete.then_some(holder));
            let owners = owners.into_iter().filter(|owner| !unopened.contains(owner));
            for (owner, share) in owners.zip(input.items(32).unwrap_or_default()) {
                let share = Scalar::from_bytes_mod_order(wire::key(share, 0));
                given.entry(owner).or_default().push((holder, share));
            }
        }
        Ok(given)
    }

    /// The closed neighbourhoods; on a k-out graph everybody's is the roster, as everybody sees it.
    fn neighbours(&self, session: &Bytes32) -> Result<BTreeMap<u32, BTreeSet<u32>>, String> {
        let ids = everybody(self.plan);
        if !matches!(self.plan.config.graph, Graph::Regular { .. }) {
            let all: BTreeSet<u32> = ids.iter().copied().collect();
            return Ok(ids.into_iter().map(|id| (id, all.clone())).collect());
        }
        let names: Vec<_> = ids.iter().filter_map(|id| ClientId::new(*id)).collect();
        let lists =
            conformance::graph(&self.plan.config, session, &names).map_err(|error| error.to_string())?;
        let closed = |(id, list): (u32, Vec<u32>)| (id, list.into_iter().chain([id]).collect());
        Ok(ids.into_iter().zip(lists).map(closed).collect())
    }

    /// Asks everybody; in its round a liar lies. An honest client that refuses pays for another's lie.
    fn ask(&mut self, round: Round, request: impl Fn(u32) -> Vec<u8>) -> Result<Said, String> {
        let liars = liars(self.plan, self.lie);
        let (mut said, mut others) = (Said::new(), BTreeMap::new());
        for (id, client) in &mut self.clients {
            let request = request(*id);
            let answer = client.handle(&request);
            let asked = self.asked.entry(*id).or_default();
            asked.push(request);
            let is_liar = liars.contains(id);
            let response = answer.map_err(|abort| format!("client {id} ends by {abort}"))?;
            let before = self.before.entry(*id).or_default();
            let messages = match self.lie.filter(|lie| is_liar && lie.round == round) {
                Some(lie) => {
                    let (plan, others) = (self.plan.clone(), others.clone());
                    let (before, asked) = (before.clone(), asked.clone());
                    (lie.tell)(&Scene { plan, liar: *id, others, before, asked }, response.clone())
                }
                None => vec![response.clone()],
            };
            before.push(response.clone());
            others.insert(*id, response);
            said.insert(*id, messages);
        }
        Ok(said)
    }
}

/// The owners whose bundles a holder was given.
type Held = BTreeMap<u32, BTreeSet<u32>>;

/// The body of the first message, made as long as it should be.
fn body(said: &[Vec<u8>], length: usize) -> Vec<u8> {
    let mut body = said.first().and_then(|one| one.get(HEADER..)).unwrap_or_default().to_vec();
    body.resize(length, 0);
    body
}

/// The secret of the first shares and the last, if they are of one polynomial.
fn open(shares: &[(u32, Scalar)], threshold: usize) -> Scalar {
    let first = shares.iter().take(threshold - 1);
    let chosen: Vec<_> = first.chain(shares.last().filter(|_| shares.len() >= threshold)).collect();
    let mut secret = Scalar::ZERO;
    for (at, share) in &chosen {
        let others = chosen.iter().map(|(other, _)| *other).filter(|other| other != at);
        let (above, below) = others.fold((Scalar::ONE, Scalar::ONE), |(above, below), other| {
            let (other, at) = (Scalar::from(other), Scalar::from(*at));
            (above * other, below * (other - at))
        });
        secret += share * above * below.invert();
    }
    secret
}
