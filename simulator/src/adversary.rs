//! Attacks on a session in real mode: clients that lie, and a server that tells two stories.

mod lies;
mod oracle;

use std::collections::{BTreeMap, BTreeSet};

use secagg::{Abort, ClientId, Config, Fault, Graph, Round, Suite, VectorSpec, conformance};

use crate::draw::Purpose;
use crate::identities;
use crate::report::SessionAdversary;
use crate::scenario::{Lie, ServerConduct};
use crate::world::World;
use oracle::Oracle;

/// Bytes before a message's body: its type and the session.
const HEADER: usize = 33;
/// The type of a request for shares.
const UNMASKING_REQUEST: u8 = 9;
/// Bytes of a sealed bundle of shares.
const BUNDLE: usize = 80;

/// The adversaries of one session.
pub(crate) struct Adversary {
    lies: BTreeMap<ClientId, Lie>,
    conduct: ServerConduct,
    signed: bool,
    /// The session's first vector, which clients change that lie about their input.
    first: Option<VectorSpec>,
    roster: Vec<ClientId>,
    victim: Option<ClientId>,
    /// The clients that are told that the victim has dropped out.
    misled: BTreeSet<ClientId>,
    /// The answers to ConsistencyCheck of those of them that have signed it.
    signers: BTreeMap<ClientId, Vec<u8>>,
    /// Of the run and of the session, from which the identities of colluding clients follow.
    seeds: (u64, u64),
    threshold: u32,
    /// What lying clients answered, honestly, in the round before.
    before: BTreeMap<ClientId, Vec<u8>>,
    /// An honest answer of the open round.
    sample: Vec<u8>,
    oracle: Oracle,
    refusals: BTreeMap<String, u64>,
}

impl Adversary {
    /// The adversaries of a session, if the scenario has any.
    pub(crate) fn new(world: &World, config: &Config, session: u64) -> Option<Self> {
        let adversaries = world.scenario.adversaries.as_ref()?;
        let hit = |salt: u64, share: f64, id: ClientId| {
            world.draws(session, Purpose::Adversary, salt).unit(id.get()) < share
        };
        let ids = || (1..=config.clients).filter_map(ClientId::new);
        let told = |id| {
            let mut lies = (1..).zip(&adversaries.lies);
            lies.find(|(salt, liars)| hit(*salt, liars.share, id)).map(|(_, liars)| (id, liars.lie))
        };
        let colluding = ids().filter(|id| hit(0, adversaries.colluding, *id)).collect();
        Some(Self {
            lies: ids().filter_map(told).collect(),
            conduct: adversaries.server,
            signed: config.suite != Suite::Curious,
            first: config.vectors.first().cloned(),
            roster: Vec::new(),
            victim: None,
            misled: BTreeSet::new(),
            signers: BTreeMap::new(),
            seeds: (world.scenario.seed, session),
            threshold: config.threshold,
            before: BTreeMap::new(),
            sample: Vec::new(),
            oracle: Oracle::new(config.threshold, config.graph == Graph::Complete, colluding),
            refusals: BTreeMap::new(),
        })
    }

    /// Notes the requests of a round, and changes them where the server lies.
    pub(crate) fn requests(&mut self, round: Round, requests: &mut BTreeMap<ClientId, Vec<u8>>) {
        match round {
            Round::ShareKeys => self.roster = requests.keys().copied().collect(),
            Round::MaskedInputCollection => self.oracle.bundles(requests),
            _ => {}
        }
        let signing = if self.signed { Round::ConsistencyCheck } else { Round::Unmasking };
        if round == signing {
            self.oracle.survivors = requests.keys().copied().collect();
            if self.conduct == ServerConduct::Equivocating {
                self.equivocate(requests);
            }
        }
    }

    /// Tells every second honest survivor that the first one has dropped out.
    fn equivocate(&mut self, requests: &mut BTreeMap<ClientId, Vec<u8>>) {
        let honest: Vec<ClientId> =
            requests.keys().copied().filter(|id| !self.oracle.colludes(*id)).collect();
        let Some((victim, others)) = honest.split_first() else { return };
        self.victim = Some(*victim);
        for id in others.iter().step_by(2) {
            let members = if self.signed { self.roster.clone() } else { self.oracle.members(*id) };
            let Some(request) = requests.get_mut(id) else { continue };
            let Ok(place) = members.binary_search(victim) else { continue };
            // The bits come last; in the suite without signatures the number of survivors comes first.
            let bits = request.len() - members.len().div_ceil(8);
            request[bits + place / 8] &= !(1 << (place % 8));
            if !self.signed
                && let Some(count) = request.get_mut(HEADER..).and_then(|body| body.first_chunk_mut())
            {
                *count = (u32::from_be_bytes(*count) - 1).to_be_bytes();
            }
            self.misled.insert(*id);
        }
    }

    /// What the aggregating server is given for a client's honest answer: nothing of those who were told another story,
    /// whose answers the server keeps for itself.
    pub(crate) fn messages(&mut self, round: Round, id: ClientId, answer: &[u8]) -> Vec<Vec<u8>> {
        if round == Round::Unmasking {
            let dropped = self.victim.filter(|_| self.misled.contains(&id));
            self.oracle.shares(id, dropped, answer);
        }
        if self.misled.contains(&id) {
            if round == Round::ConsistencyCheck {
                self.signers.insert(id, answer.to_vec());
            }
            return Vec::new();
        }
        let messages = match self.lies.get(&id) {
            Some(lie) if lie.round() == round => {
                let before = self.before.get(&id).map(Vec::as_slice).unwrap_or_default();
                let knowledge =
                    lies::Knowledge { id, first: self.first.as_ref(), before, sample: &self.sample };
                lies::tell(*lie, answer, &knowledge)
            }
            _ => vec![answer.to_vec()],
        };
        if self.lies.contains_key(&id) {
            self.before.insert(id, answer.to_vec());
        } else {
            self.sample.clear();
            self.sample.extend_from_slice(answer);
        }
        messages
    }

    /// Notes that the server has a client's masked input.
    pub(crate) fn masked(&mut self, id: ClientId) {
        self.oracle.masked.insert(id);
    }

    /// Whether the client lies or was lied to: its answer may be refused, or not be made.
    pub(crate) fn concerns(&self, id: ClientId) -> bool {
        self.lies.contains_key(&id) || self.misled.contains(&id)
    }

    /// The clients that have signed another story, each with the certificate that it is shown: of what it signed if
    /// those who collude make a quorum of it, or else of the true story.
    pub(crate) fn shows(&self, truth: &[u8]) -> Vec<(ClientId, Vec<u8>)> {
        let certificate = self.certificate().unwrap_or_else(|| truth.to_vec());
        self.signers.keys().map(|id| (*id, certificate.clone())).collect()
    }

    /// The certificate of the false story, with the signatures of those who collude, if there are enough.
    fn certificate(&self) -> Option<Vec<u8>> {
        let header = self.signers.values().next()?.get(..HEADER)?;
        let session = header.get(1..)?.try_into().ok()?;
        let bits = |set: &dyn Fn(&ClientId) -> bool| {
            let mut bits = vec![0; self.roster.len().div_ceil(8)];
            let there = self.roster.iter().enumerate().filter(|(_, id)| set(id));
            there.for_each(|(place, _)| bits[place / 8] |= 1 << (place % 8));
            bits
        };
        let survives = |id: &ClientId| self.oracle.survivors.contains(id) && Some(*id) != self.victim;
        let sharers = bits(&|id| self.oracle.has_shared(*id));
        let statement = conformance::survivors_statement(2, &session, &sharers, &bits(&survives));
        let identity = |id: &ClientId| identities::secret(self.seeds, *id);
        let collude = self.oracle.colluding.iter().filter(|id| survives(id));
        let mut signatures: BTreeMap<ClientId, Vec<u8>> =
            collude.map(|id| (*id, conformance::signature(&identity(id), &statement).to_vec())).collect();
        signatures.extend(self.signers.iter().map(|(id, answer)| (*id, answer[HEADER..].to_vec())));
        if signatures.len() < self.threshold as usize {
            return None;
        }
        let items: Vec<u8> =
            signatures.iter().flat_map(|(id, one)| [&id.get().to_be_bytes()[..], one].concat()).collect();
        let length = (items.len() as u32).to_be_bytes();
        Some([&[UNMASKING_REQUEST], &session[..], &length, &items].concat())
    }

    /// Notes what such a client gave for it.
    pub(crate) fn shown(&mut self, id: ClientId, answer: &Result<Vec<u8>, Abort>) {
        match answer {
            Ok(answer) => self.oracle.shares(id, self.victim, answer),
            Err(abort) => self.refused(abort),
        }
    }

    /// Notes that a client that was lied to has refused a request.
    pub(crate) fn refused(&mut self, abort: &Abort) {
        let rule = match abort {
            Abort::Server(what) => what.to_string(),
            other => other.to_string(),
        };
        *self.refusals.entry(rule).or_default() += 1;
    }

    /// What came of it all.
    pub(crate) fn report(&self, faults: &[Fault]) -> SessionAdversary {
        let lied = |fault: &Fault| {
            let liars = [Some(fault.culprit), fault.about];
            liars.into_iter().flatten().filter(|id| self.lies.contains_key(id)).collect::<Vec<_>>()
        };
        let named: BTreeSet<ClientId> = faults.iter().flat_map(lied).collect();
        let mut rules = BTreeMap::new();
        for fault in faults {
            *rules.entry(fault.what.to_string()).or_default() += 1;
        }
        let smallest = self.oracle.smallest();
        SessionAdversary {
            liars: self.lies.len() as u32,
            named: named.len() as u32,
            blamed: faults.iter().filter(|fault| lied(fault).is_empty()).count() as u32,
            rules,
            colluding: self.oracle.colluding.len() as u32,
            refusals: self.refusals.clone(),
            leaked: smallest == Some(1),
            smallest,
        }
    }
}
