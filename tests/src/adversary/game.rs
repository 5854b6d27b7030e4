//! One session with an adversary: honest clients, and a server and corrupt clients that do as a scenario says.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer, SigningKey};
use secagg::{Client, Config, Credentials, Input, Policy, Suite, conformance};

use super::secrets::{Bytes32, Secrets, hash, holders, session_id};
use super::setting::{Setting, authority, bytes, certified, input};
use super::twin::{Person, Twin, Without, end};
use super::wire::{self, BUNDLE, HEADER, Reader};

/// What is settled before a session begins.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) setting: Setting,
    pub(super) config: Config,
    pub(super) policy: Policy,
    /// Corrupt clients: the last ids.
    pub(super) corrupt: u32,
    /// Fewest honest inputs that a revealed sum may be of.
    pub(super) minimum: u32,
    /// Honest clients are twins that leave out these checks; the core's if there is none.
    pub(super) without: Option<Without>,
}

impl Plan {
    pub(super) fn of(setting: Setting) -> Self {
        let (config, corrupt) = (setting.config(), setting.corrupt());
        let minimum = config.threshold.saturating_sub(corrupt).max(2);
        Self { setting, config, policy: setting.ground.policy(), corrupt, minimum, without: None }
    }

    pub(super) fn threshold(&self) -> u32 {
        self.config.threshold
    }
}

enum Player {
    Core(Box<Client>),
    Twin(Box<Twin>),
}

/// What an honest client has sent, and to what.
pub(super) struct Record {
    pub(super) secrets: Secrets,
    pub(super) config: Config,
    /// Its input says nothing: it was told another task.
    pub(super) void: bool,
    pub(super) shown: Option<wire::Named>,
    pub(super) told: Option<Vec<u32>>,
    /// The owners whose bundles it was given, in suite 3.
    pub(super) held: Vec<u32>,
    /// The survivors that it was last asked to sign for.
    pub(super) survivors: Vec<u32>,
    pub(super) gave: Vec<Vec<u8>>,
}

/// A session under way.
pub(super) struct Game {
    pub(super) plan: Plan,
    players: BTreeMap<u32, Player>,
    pub(super) records: BTreeMap<u32, Record>,
    /// How honest clients ended that ended early.
    pub(super) ends: BTreeMap<u32, String>,
    /// All that honest clients answered, in order.
    pub(super) log: Vec<Result<Vec<u8>, String>>,
    /// Secrets of the adversary: of corrupt clients and invented ones.
    pub(super) known: Vec<Secrets>,
    pub(super) advertised: BTreeMap<u32, Vec<u8>>,
    /// What owners sealed to holders.
    pub(super) sealed: BTreeMap<(u32, u32), Vec<u8>>,
    /// What the server gives to holders as that.
    pub(super) bundles: BTreeMap<(u32, u32), Vec<u8>>,
    /// Draws that were disclosed, in suite 3.
    pub(super) draws: BTreeMap<u32, Bytes32>,
    /// Signatures over the sharers, in suite 3.
    pub(super) pins: BTreeMap<u32, Vec<u8>>,
}

impl Game {
    pub(super) fn new(plan: Plan) -> Self {
        let active = plan.setting.ground.is_signed();
        let honest = plan.setting.n - plan.corrupt;
        let player = |id: u32| {
            let without = if id > honest { Some(&["*"][..]) } else { plan.without };
            player(id, active, &plan.policy, without)
        };
        let players = (1..=plan.setting.n).map(|id| (id, player(id))).collect();
        Self {
            plan,
            players,
            records: BTreeMap::new(),
            ends: BTreeMap::new(),
            log: Vec::new(),
            known: Vec::new(),
            advertised: BTreeMap::new(),
            sealed: BTreeMap::new(),
            bundles: BTreeMap::new(),
            draws: BTreeMap::new(),
            pins: BTreeMap::new(),
        }
    }

    pub(super) fn everybody(&self) -> Vec<u32> {
        (1..=self.plan.setting.n).collect()
    }

    pub(super) fn honest(&self) -> Vec<u32> {
        (1..=self.plan.setting.n - self.plan.corrupt).collect()
    }

    pub(super) fn corrupt(&self) -> Vec<u32> {
        self.everybody().split_off(self.honest().len())
    }

    pub(super) fn is_active(&self) -> bool {
        self.plan.config.suite != Suite::Curious
    }

    /// Sends a request and notes what comes of it; `None` if the client refuses.
    pub(super) fn send(&mut self, id: u32, request: &[u8]) -> Option<Vec<u8>> {
        let answer = match self.players.get_mut(&id)? {
            Player::Core(client) => client.handle(request).map_err(end),
            Player::Twin(twin) => twin.handle(request),
        };
        self.note(id, answer)
    }

    fn note(&mut self, id: u32, answer: Result<Vec<u8>, String>) -> Option<Vec<u8>> {
        if !self.honest().contains(&id) {
            return answer.ok();
        }
        self.log.push(answer.clone());
        answer.map_err(|why| self.ends.entry(id).or_insert(why)).ok()
    }

    /// Proposes a session of this configuration to a client.
    pub(super) fn propose(&mut self, id: u32, config: &Config) {
        let parts = [&id.to_be_bytes()[..], &conformance::encoded(config)].concat();
        let request = wire::message(1, &config.id(), &[&parts]);
        let answer = match self.players.get_mut(&id) {
            Some(Player::Core(client)) => client.handle(&request).map_err(end),
            Some(Player::Twin(twin)) => twin.join(config, id),
            None => return,
        };
        let Some(response) = self.note(id, answer) else { return };
        let secrets = Secrets::new(config, id, &bytes("entropy", id));
        self.advertised.insert(id, response[HEADER..].to_vec());
        if self.honest().contains(&id) {
            let (config, void) = (config.clone(), config.task != self.plan.config.task);
            let (shown, told, gave) = (None, None, Vec::new());
            let (held, survivors) = (Vec::new(), Vec::new());
            self.records.insert(id, Record { secrets, config, void, shown, told, held, survivors, gave });
        } else {
            self.known.push(secrets);
        }
    }

    /// The planned proposal, to everybody.
    pub(super) fn advertise(&mut self) {
        let config = self.plan.config.clone();
        (1..=config.clients).for_each(|id| self.propose(id, &config));
    }

    pub(super) fn roster(&self) -> Vec<(u32, Vec<u8>)> {
        self.advertised.iter().map(|(id, one)| (*id, one.clone())).collect()
    }

    pub(super) fn session(&self) -> Bytes32 {
        session_id(&self.plan.config, &self.roster())
    }

    /// The closed neighbourhood of a client, as the graph has it.
    pub(super) fn neighbourhood(&self, id: u32) -> Vec<(u32, Vec<u8>)> {
        let ids: Vec<_> = self.advertised.keys().copied().collect();
        if self.is_pinned() {
            return self.roster();
        }
        let names: Vec<_> = ids.iter().filter_map(|id| secagg::ClientId::new(*id)).collect();
        let Ok(lists) = conformance::graph(&self.plan.config, &self.session(), &names) else {
            return Vec::new(); // there is no such graph
        };
        let list = ids.iter().zip(lists).find(|(other, _)| **other == id).map(|(_, list)| list);
        let near = |other: u32| other == id || list.as_ref().is_some_and(|list| list.contains(&other));
        self.roster().into_iter().filter(|(other, _)| near(*other)).collect()
    }

    /// ShareKeys as it should be, with those who have advertised.
    pub(super) fn share(&mut self) {
        let session = self.session();
        for id in self.advertised.keys().copied().collect::<Vec<_>>() {
            let members = self.neighbourhood(id);
            self.show(id, &session, &members);
        }
    }

    /// Shows a client these members; whether it shares its secrets with them.
    pub(super) fn show(&mut self, id: u32, session: &Bytes32, members: &[(u32, Vec<u8>)]) -> bool {
        let request = wire::share_request(session, members);
        let Some(response) = self.send(id, &request) else { return false };
        let ids: Vec<u32> = members.iter().map(|(other, _)| *other).collect();
        let (bundles, holders) = if self.is_pinned() {
            let draw = wire::key(&response[HEADER..], 1);
            self.draws.insert(id, draw);
            (&response[HEADER + 64..], holders(&self.plan.config, session, id, &draw, &ids))
        } else {
            (&response[HEADER + 32..], ids.into_iter().filter(|other| *other != id).collect())
        };
        let bundles = Reader(bundles).whole_list(BUNDLE).unwrap_or_default();
        for (holder, bundle) in holders.into_iter().zip(bundles) {
            self.sealed.insert((id, holder), bundle.to_vec());
            self.bundles.insert((id, holder), bundle.to_vec());
        }
        if let Some(record) = self.records.get_mut(&id) {
            record.shown = Some((*session, members.to_vec()));
        }
        true
    }

    /// MaskedInputCollection as it should be.
    pub(super) fn mask(&mut self) {
        self.everybody().into_iter().for_each(|id| self.tell_all(id));
    }

    pub(super) fn is_pinned(&self) -> bool {
        matches!(self.plan.config.suite, Suite::Pinned { .. })
    }

    /// The holders that a client has drawn, in suite 3.
    pub(super) fn drawn_by(&self, id: u32) -> Vec<u32> {
        let ids: Vec<u32> = self.advertised.keys().copied().collect();
        let draw = self.draws.get(&id);
        let of = |draw| holders(&self.plan.config, &self.session_of(id), id, draw, &ids);
        draw.map(of).unwrap_or_default()
    }

    /// Names a client these sharers in suite 3, with the bundles of those of them that have drawn it.
    fn pin(&mut self, id: u32, sharers: &[u32]) -> bool {
        let ids: Vec<u32> = self.advertised.keys().copied().collect();
        let bits = wire::bits(&ids, |one| one == id || sharers.contains(&one));
        let drawn = |owner: &u32| {
            let bundle = self.bundles.get(&(*owner, id))?;
            Some((*owner, self.draws.get(owner)?.to_vec(), bundle.clone()))
        };
        let mut bundles: Vec<_> = sharers.iter().filter_map(drawn).collect();
        bundles.sort_unstable();
        let held: Vec<u32> = bundles.iter().map(|(owner, ..)| *owner).collect();
        let request = wire::pinned_mask_request(&self.session_of(id), &bits, &bundles);
        let Some(response) = self.send(id, &request) else { return false };
        self.pins.insert(id, response[HEADER..HEADER + 64].to_vec());
        let mine = self.drawn_by(id).into_iter().filter(|holder| sharers.contains(holder));
        let told = mine.chain(held.iter().copied()).collect();
        if let Some(record) = self.records.get_mut(&id) {
            (record.told, record.held) = (Some(told), held);
        }
        true
    }

    pub(super) fn tell_all(&mut self, id: u32) {
        if self.is_pinned() {
            let sharers: Vec<u32> = self.draws.keys().copied().filter(|one| *one != id).collect();
            self.pin(id, &sharers);
            return;
        }
        let owners: Vec<u32> =
            self.bundles.keys().filter(|(_, to)| *to == id).map(|(from, _)| *from).collect();
        self.tell(id, &owners);
    }

    /// Names a client these sharers; whether it sends its masked input.
    pub(super) fn tell(&mut self, id: u32, owners: &[u32]) -> bool {
        if self.is_pinned() {
            return self.pin(id, owners);
        }
        let bundle = |owner: u32| self.bundles.get(&(owner, id)).cloned().unwrap_or(vec![0; BUNDLE]);
        let bundles: Vec<_> = owners.iter().map(|owner| (*owner, bundle(*owner))).collect();
        let request = wire::mask_request(&self.session_of(id), &bundles);
        let masked = self.send(id, &request).is_some();
        if let Some(record) = self.records.get_mut(&id).filter(|_| masked) {
            record.told = Some(owners.to_vec());
        }
        masked
    }

    pub(super) fn session_of(&self, id: u32) -> Bytes32 {
        let shown = self.records.get(&id).and_then(|record| record.shown.as_ref());
        shown.map_or_else(|| self.session(), |(session, _)| *session)
    }

    /// Has a client sign this survivor set (suite 2).
    pub(super) fn sign(&mut self, id: u32, survivors: &[u32]) -> Option<(u32, Vec<u8>)> {
        let request = self.sign_request(id, survivors);
        if let Some(record) = self.records.get_mut(&id) {
            record.survivors = survivors.to_vec();
        }
        Some((id, self.send(id, &request)?[HEADER..].to_vec()))
    }

    pub(super) fn sign_request(&self, id: u32, survivors: &[u32]) -> Vec<u8> {
        let ids: Vec<u32> = self.advertised.keys().copied().collect();
        let bits = wire::bits(&ids, |one| survivors.contains(&one));
        wire::message(7, &self.session_of(id), &[&wire::list(&bits)])
    }

    /// Asks a client for its shares under these signatures (suite 2).
    pub(super) fn certify(&mut self, id: u32, signatures: &[(u32, Vec<u8>)]) {
        let session = self.session_of(id);
        let request = match self.records.get(&id).filter(|_| self.is_pinned()) {
            None => wire::certificate(&session, signatures),
            Some(record) => {
                let owners = record.held.iter().filter(|owner| record.survivors.contains(owner));
                let pin = |owner: &u32| self.pins.get(owner).cloned().unwrap_or(vec![0; 64]);
                wire::pinned_certificate(&session, signatures, &owners.map(pin).collect::<Vec<_>>())
            }
        };
        self.take_shares(id, &request);
    }

    pub(super) fn take_shares(&mut self, id: u32, request: &[u8]) {
        let Some(response) = self.send(id, request) else { return };
        if let Some(record) = self.records.get_mut(&id) {
            record.gave.push(response);
        }
    }

    /// Asks a client for its shares with these survivors, of so many in all (suite 1).
    pub(super) fn ask(&mut self, id: u32, survivors: &[u32], count: u32) {
        let request = self.ask_request(id, survivors, count);
        self.take_shares(id, &request);
    }

    pub(super) fn ask_request(&self, id: u32, survivors: &[u32], count: u32) -> Vec<u8> {
        let told = self.records.get(&id).and_then(|record| record.told.clone()).unwrap_or_default();
        let mut members: Vec<u32> = told.into_iter().chain([id]).collect();
        members.sort_unstable();
        let bits = wire::bits(&members, |one| survivors.contains(&one));
        wire::message(9, &self.session_of(id), &[&count.to_be_bytes(), &wire::list(&bits)])
    }

    /// The survivors of this set that a client sees, itself among them.
    pub(super) fn seen(&self, id: u32, survivors: &[u32]) -> u32 {
        let told = self.records.get(&id).and_then(|record| record.told.clone()).unwrap_or_default();
        survivors.iter().filter(|one| **one == id || told.contains(one)).count() as u32
    }

    /// Asks `asked` for their shares over one survivor set, signed by them and the corrupt if need be.
    pub(super) fn unmask(&mut self, asked: &[u32], survivors: &[u32]) {
        if !self.is_active() {
            asked.iter().for_each(|id| self.ask(*id, survivors, survivors.len() as u32));
            return;
        }
        let mut signers: Vec<u32> = asked.to_vec();
        signers.extend(self.corrupt().iter().filter(|id| survivors.contains(id) && !asked.contains(id)));
        signers.sort_unstable();
        let signatures: Vec<_> = signers.iter().filter_map(|id| self.sign(*id, survivors)).collect();
        for id in asked.iter().filter(|id| signatures.iter().any(|(signer, _)| signer == *id)) {
            self.certify(*id, &signatures);
        }
    }

    /// What a client of this identity would advertise with these keys at this place.
    pub(super) fn forge(&self, keys: &[Bytes32; 2], at: u32, identity: &Bytes32, by: [u8; 64]) -> Vec<u8> {
        let mut keys = keys.concat();
        if !self.is_active() {
            return keys;
        }
        if self.is_pinned() {
            keys.extend(bytes("draw commitment", at));
        }
        let (config, key) = (&self.plan.config, SigningKey::from_bytes(identity));
        let parts: [&[u8]; 3] = [&config.id(), &at.to_be_bytes(), &keys];
        let signature = key.sign(&hash(config.suite.number(), "advertisement", &parts)).to_bytes();
        [&keys[..], &key.verifying_key().to_bytes(), &by, &signature].concat()
    }
}

fn player(id: u32, active: bool, policy: &Policy, without: Option<Without>) -> Player {
    let (entropy, identity) = (bytes("entropy", id), bytes("identity", id));
    let certificate = certified(&identity);
    let [first, second, third] = input(id);
    let trusts = active.then(|| authority().public());
    let policy = policy.clone();
    if let Some(without) = without {
        let input = [first, second, third];
        let person = Person { entropy, identity, certificate, trusts, policy, input };
        return Player::Twin(Box::new(Twin::new(person, without)));
    }
    let mut client = match trusts {
        Some(trusts) => {
            let credentials = Credentials::new(identity, certificate, trusts).expect("it is certified");
            Client::with_credentials(entropy, policy, credentials)
        }
        None => Client::new(entropy, policy),
    };
    let input = Input::new().with("v", vec![first, second]).with("w", vec![third]);
    client.set_input(input).expect("there is no configuration yet");
    Player::Core(Box::new(client))
}
