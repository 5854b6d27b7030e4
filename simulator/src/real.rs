//! A session of the protocol's own clients and server: real bytes, real cryptography, virtual time.
//!
//! When an answer arrives follows from how long it is and what it takes to make, and both are known beforehand. So a
//! client is run only when its answer arrives, and no more than one masked input is in memory; that it did what was
//! foretold is checked each time.

use std::collections::BTreeMap;

use secagg::{Abort, Aggregate, Client, ClientId, Closed, Config, Counts, Fault, Round, Server};

use crate::adversary::Adversary;
use crate::cast::{Answering, Ending, Settled};
use crate::exchange::{Exchange, request};
use crate::identities;
use crate::inputs::{self, Plain};
use crate::ledger::{Ledger, Page};
use crate::link::{Flow, Load};
use crate::queue::{EventQueue, When};
use crate::report::{Reason, SessionAdversary};
use crate::scenario::ScenarioError;
use crate::session::{Broken, Closing, Mode, Next, Play, Requests};
use crate::transcript::Record;
use crate::world::nanoseconds;

/// The session.
pub(crate) struct Real {
    seed: u64,
    session: u64,
    server: Server,
    requests: BTreeMap<ClientId, Vec<u8>>,
    clients: BTreeMap<ClientId, Client>,
    /// For each client, the partners of which its last request told.
    partners: Vec<u32>,
    /// Clients that have advertised keys.
    roster: u32,
    plain: Vec<Plain>,
    buffer: Vec<u8>,
    adversary: Option<Adversary>,
}

/// Events of one time happen in this order: an answer that is there is taken before the clock is looked at.
const ARRIVAL: u8 = 0;
const CLOSE: u8 = 1;

enum Event {
    Answer(ClientId),
    Lost,
    Close(Reason),
}

/// What is known of a client's answer before it is made.
struct Foretold<'a> {
    exchange: &'a Exchange,
    /// Its transfer, if it begins.
    sends: Option<Flow>,
    /// When it would have arrived, or when the server notices that it will not come.
    ends: u64,
    known: u64,
    /// It will arrive.
    answers: bool,
}

impl Real {
    /// Opens the session.
    ///
    /// # Errors
    /// The configuration breaks a rule.
    pub(crate) fn new(
        config: &Config,
        seed: u64,
        session: u64,
        adversary: Option<Adversary>,
    ) -> Result<Self, ScenarioError> {
        let opened = Server::open_in_order(config.clone());
        let (server, requests) = opened.map_err(|misuse| ScenarioError::Impossible(misuse.to_string()))?;
        let mut clients = BTreeMap::new();
        for (id, _) in &requests {
            clients.insert(*id, identities::client(config.suite, (seed, session), *id)?);
        }
        let plain = config.vectors.iter().map(Plain::zeros).collect();
        let mut real = Self {
            seed,
            session,
            server,
            requests: BTreeMap::new(),
            clients,
            partners: vec![0; config.clients as usize],
            roster: 0,
            plain,
            buffer: Vec::new(),
            adversary,
        };
        real.take(requests);
        Ok(real)
    }

    /// Takes the requests of a round and reads off them how many partners each client has.
    fn take(&mut self, requests: secagg::Requests) {
        self.requests = requests.into_iter().collect();
        let Some(round) = self.round() else { return };
        if let Some(adversary) = &mut self.adversary {
            adversary.requests(round, &mut self.requests);
            let truth = self.requests.values().next().filter(|_| round == Round::Unmasking);
            for (id, certificate) in truth.map_or(Vec::new(), |truth| adversary.shows(truth)) {
                let answer = self.clients.get_mut(&id).map(|client| client.handle(&certificate));
                answer.iter().for_each(|answer| adversary.shown(id, answer));
            }
        }
        let config = self.server.config();
        let first = request(config, round, 0, 0);
        let each = request(config, round, 1, 0) - first;
        if round == Round::ShareKeys {
            self.roster = self.requests.len() as u32;
        }
        // Later requests have bits or signatures; for their partners the one before them has spoken.
        if round <= Round::MaskedInputCollection {
            for (id, request) in &self.requests {
                let partners = (request.len() as u64 - first).checked_div(each).unwrap_or(0);
                self.partners[id.get() as usize - 1] = partners as u32;
            }
        }
    }

    fn round(&self) -> Option<Round> {
        self.server.progress().map(|progress| progress.round)
    }

    fn partners_of(&self, id: ClientId) -> u32 {
        self.partners[id.get() as usize - 1]
    }

    /// When each answer will come.
    fn foretell<'a>(&self, play: &Play<'a>) -> BTreeMap<ClientId, Foretold<'a>> {
        let (scene, world) = (play.scene, play.scene.cast.world);
        let exchange = |id: ClientId| play.exchanges.with(self.partners_of(id));
        let asked: Vec<ClientId> = self.requests.keys().copied().collect();
        let who = |id: ClientId| scene.cast.who(id.get() - 1);
        let mut load = Load::new(asked.len());
        for id in &asked {
            load.add(scene.request(who(*id), exchange(*id)));
        }
        let down = world.down.share(load);
        let mut load = Load::new(asked.len());
        let mut foretold = BTreeMap::new();
        for id in asked {
            let (who, exchange) = (who(id), exchange(id));
            let moment = scene.moment(who);
            let sent = world.down.end(&down, scene.request(who, exchange));
            let (sends, ends) = match scene.answering(who, moment, exchange, sent) {
                Answering::Gone { at } => (None, scene.noticed(at)),
                Answering::Sends { flow } => {
                    load.add(flow);
                    (Some(flow), 0)
                }
            };
            foretold.insert(id, Foretold { exchange, sends, ends, known: ends, answers: false });
        }
        let up = world.up.share(load);
        for (id, one) in &mut foretold {
            let Some(flow) = one.sends else { continue };
            let who = who(*id);
            one.ends = world.up.end(&up, flow).saturating_add(scene.way_up(who));
            let ending = scene.ending(who, scene.moment(who).is_some(), one.ends);
            one.answers = matches!(ending, Ending::Answer { .. });
            one.known = match ending {
                Ending::Answer { at } | Ending::Lost { at } => at,
            };
        }
        foretold
    }

    /// Lets the answers come until the round closes; returns when and why it does.
    fn collect(
        &mut self,
        play: &Play<'_>,
        foretold: &BTreeMap<ClientId, Foretold<'_>>,
        taken_in: &mut Vec<ClientId>,
        page: &mut Page,
    ) -> Result<(u64, Reason), Broken> {
        let mut queue = EventQueue::new();
        queue.push(
            When { time: nanoseconds(play.stage.deadline), class: CLOSE },
            Event::Close(Reason::Deadline),
        );
        for (id, one) in foretold {
            let event = if one.answers { Event::Answer(*id) } else { Event::Lost };
            queue.push(When { time: one.known, class: ARRIVAL }, event);
        }
        let quorum = play.stage.quorum_of(foretold.len() as u32);
        let (mut waiting, mut answered, mut reached) = (foretold.len(), 0, false);
        while let Some((when, event)) = queue.pop() {
            match event {
                Event::Close(reason) => return Ok((when.time, reason)),
                Event::Lost => waiting -= 1,
                Event::Answer(id) => {
                    waiting -= 1;
                    if let Some(one) = foretold.get(&id)
                        && self.answer(play, id, one.exchange, page)?
                    {
                        answered += 1;
                        taken_in.push(id);
                    }
                }
            }
            if waiting == 0 {
                return Ok((when.time, Reason::Everyone));
            }
            let enough = !reached && answered >= quorum;
            if enough && self.server.progress().is_some_and(|progress| progress.sufficient) {
                reached = true;
                let time = when.time + nanoseconds(play.stage.grace);
                queue.push(When { time, class: CLOSE }, Event::Close(Reason::Quorum));
            }
        }
        Err(self.broken(play, "the round never closed".to_owned()))
    }

    /// Has a client answer, and the server take the answer in; false if it is not taken, which only a lie explains.
    fn answer(
        &mut self,
        play: &Play<'_>,
        id: ClientId,
        exchange: &Exchange,
        page: &mut Page,
    ) -> Result<bool, Broken> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let answered = self.work(play, id, exchange, |response| {
            response.for_each(|chunk| buffer.extend_from_slice(&chunk))
        })?;
        let before = self.server.counts();
        let taken = answered && self.receive(play, id, &buffer)?;
        self.buffer = buffer;
        let work = self.server.counts() - before;
        page.taken_in += work;
        if !self.may_lie(id) && work != exchange.taken_in {
            return Err(self.broken(play, format!("the server did {work:?}, not {:?}", exchange.taken_in)));
        }
        if taken && play.scene.round == Round::MaskedInputCollection {
            inputs::add(play.config, (self.seed, self.session, id.get()), &mut self.plain);
            self.adversary.iter_mut().for_each(|adversary| adversary.masked(id));
        }
        Ok(taken)
    }

    /// Gives the server what comes of a client's honest answer; whether it takes it.
    fn receive(&mut self, play: &Play<'_>, id: ClientId, answer: &[u8]) -> Result<bool, Broken> {
        let Some(adversary) = &mut self.adversary else {
            return self
                .server
                .receive(id, answer)
                .map(|()| true)
                .map_err(|fault| self.refused(play, &fault));
        };
        let mut taken = false;
        for message in adversary.messages(play.scene.round, id, answer) {
            match self.server.receive(id, &message) {
                Ok(()) => taken = true,
                Err(fault) if !self.may_lie(id) => return Err(self.refused(play, &fault)),
                Err(_) => {}
            }
        }
        Ok(taken)
    }

    fn refused(&self, play: &Play<'_>, fault: &Fault) -> Broken {
        self.broken(play, format!("an honest answer was refused: {fault}"))
    }

    /// Whether the client lies or was lied to.
    fn may_lie(&self, id: ClientId) -> bool {
        self.adversary.as_ref().is_some_and(|adversary| adversary.concerns(id))
    }

    /// Has a client do its work; what `with` leaves of the response is never made. False if it refuses, as one may that
    /// was lied to.
    fn work(
        &mut self,
        play: &Play<'_>,
        id: ClientId,
        exchange: &Exchange,
        with: impl FnOnce(secagg::Response),
    ) -> Result<bool, Broken> {
        let request = self.requests.remove(&id).unwrap_or_default();
        let Some(client) = self.clients.get_mut(&id) else {
            return Err(self.broken(play, format!("{id} is unknown")));
        };
        let before = client.counts();
        let input = (play.scene.round == Round::MaskedInputCollection)
            .then(|| inputs::input(play.config, (self.seed, self.session, id.get())));
        let set = input.map_or(Ok(()), |input| client.set_input(input)).map_err(Abort::from);
        let response = set.and_then(|()| client.respond(&request));
        let expected = sum(before, exchange.counts);
        // What others say of bundles that do not open is in the answers of the honest.
        let as_long = self.adversary.is_some() && play.scene.round == Round::Unmasking;
        if let (Err(abort), Some(adversary)) = (&response, &mut self.adversary)
            && adversary.concerns(id)
        {
            adversary.refused(abort);
            return Ok(false);
        }
        let Some(client) = self.clients.get(&id) else { return Ok(false) };
        let wrong = match &response {
            Err(abort) => Some(format!("{id} refused an honest request: {abort}")),
            Ok(response) if response.len() != exchange.response && !as_long => {
                Some(format!("{id} answered with {} bytes, not {}", response.len(), exchange.response))
            }
            Ok(_) if request.len() as u64 != exchange.request => {
                Some(format!("{id} was sent {} bytes, not {}", request.len(), exchange.request))
            }
            Ok(_) if client.counts() != expected => {
                Some(format!("{id} did {:?}, not {expected:?}", client.counts()))
            }
            Ok(_) => None,
        };
        if let Some(what) = wrong {
            return Err(self.broken(play, what));
        }
        if let Ok(response) = response {
            with(response);
        }
        Ok(true)
    }

    fn broken(&self, play: &Play<'_>, what: String) -> Broken {
        Broken { session: self.session, round: play.scene.round, what }
    }

    /// Whether the released sums without noise are those of the inputs that were taken in.
    fn exact(&self, aggregate: &Aggregate) -> bool {
        // A mistake for the tests of what is kept of one.
        #[cfg(test)]
        if aggregate.survivors.len() < self.clients.len() && aggregate.vector("planted").is_some() {
            return false;
        }
        let mut sums = aggregate.vectors.iter().zip(&self.plain);
        sums.all(|((_, sum), plain)| match plain {
            Plain::Integers(plain) => sum.iter().eq(plain.iter().copied()),
            Plain::Reals(_) => true,
        })
    }

    /// The root of the mean square by which a coordinate of the sum with noise is off, in real units.
    fn error(&self, aggregate: &Aggregate) -> Option<f64> {
        let mut sums = aggregate.vectors.iter().zip(&self.plain);
        sums.find_map(|((spec, _), plain)| {
            let Plain::Reals(plain) = plain else { return None };
            let sum = aggregate.real(&spec.name)?;
            let squares: f64 = sum.iter().zip(plain).map(|(sum, plain)| (sum - plain).powi(2)).sum();
            Some((squares / plain.len() as f64).sqrt())
        })
    }

    fn close(&mut self, play: &Play<'_>) -> Result<(Next, Counts), Broken> {
        let before = self.server.counts();
        let next = match self.server.close_round() {
            Err(abort) => Next::Abort(abort),
            Ok(Closed::Next(requests)) => {
                self.take(requests);
                Next::Round
            }
            Ok(Closed::Done(aggregate)) => {
                let (survivors, exact) = (aggregate.survivors.len() as u32, self.exact(&aggregate));
                if !exact && self.adversary.is_none() {
                    return Err(self.broken(play, "the sum is not the plain sum".to_owned()));
                }
                Next::Done { survivors, exact: Some(exact), error: self.error(&aggregate) }
            }
        };
        Ok((next, self.server.counts() - before))
    }
}

impl Mode for Real {
    fn requests(&self) -> Requests {
        let partners = || self.requests.keys().map(|id| self.partners_of(*id));
        Requests {
            messages: self.requests.len() as u64,
            bytes: self.requests.values().map(|request| request.len() as u64).sum(),
            partners: (partners().min().unwrap_or(0), partners().max().unwrap_or(0)),
            roster: self.roster,
        }
    }

    fn play(&mut self, play: &Play<'_>, page: &mut Page, ledger: &mut Ledger) -> Result<Closing, Broken> {
        let foretold = self.foretell(play);
        let mut taken_in = Vec::new();
        let (closed, reason) = self.collect(play, &foretold, &mut taken_in, page)?;
        taken_in.sort_unstable();
        for (id, one) in &foretold {
            let scene = play.scene;
            let who = scene.cast.who(id.get() - 1);
            let mut settled = one.sends.map_or(Settled::NOTHING, |flow| {
                scene.settle(who, scene.moment(who), one.exchange, (flow.start, one.ends), closed)
            });
            let (in_time, taken) = (settled.accepted, taken_in.binary_search(id).is_ok());
            if in_time != taken && !(in_time && self.may_lie(*id)) {
                return Err(self.broken(play, format!("{id}: the clock and the queue disagree")));
            }
            settled.accepted = taken;
            if settled.worked && !in_time {
                self.work(play, *id, one.exchange, drop)?;
            }
            let record = Record {
                round: scene.round,
                client: id.get(),
                request: one.exchange.request,
                began: one.sends.map(|flow| u64::from(flow.start) * scene.cast.world.tick),
                ended: one.known,
                accepted: settled.accepted,
                sent: settled.sent,
                work: if settled.worked { scene.work(who, one.exchange) } else { 0 },
            };
            ledger.note(page, scene.cast.class(who.device), record, one.exchange);
        }
        let (next, work) = self.close(play)?;
        if !matches!(next, Next::Round) {
            self.clients.values().for_each(|client| ledger.clients += client.counts());
        }
        Ok(Closing { reason, closed, work, next })
    }

    fn adversary(&self) -> Option<SessionAdversary> {
        self.adversary.as_ref().map(|adversary| adversary.report(self.server.faults()))
    }
}

fn sum(mut counts: Counts, more: Counts) -> Counts {
    counts += more;
    counts
}
