//! Bad messages given to the core, and what came of them compared with what had to.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use secagg::{Abort, ClientId, Fault, Misuse, Server};
use serde::Serialize;

use super::super::setting::Ground;
use super::expected::{Expected, RULES};
use super::layout::MESSAGES;
use super::mutate::{Bad, Donor, few, mutate};
use super::scene::{self, CLIENTS, Scene, name};
use super::{client_model, server_model};

/// The states, as they are called.
pub const STATES: [&str; 7] = [
    "advertise-keys",
    "share-keys",
    "masked-input-collection",
    "consistency-check",
    "unmasking",
    "no-input",
    "over",
];

/// Runs a step and returns the greatest number of bytes that it had allocated at one time.
pub type Measure = fn(&mut dyn FnMut()) -> u64;

/// Bytes that a party may allocate beyond twice the message and twice its answer: for the tables with which signatures
/// are checked (21 KB for up to 479 signatures), and for the 255 vectors that a proposal of a few bytes each can name.
const ROOM: u64 = 24 << 10;

/// In the states where a message is out of place one in so many of its bad forms is sent.
const SPARSE: usize = 40;

/// One in so many bad messages to the server is sent again in a session that is then played to its end.
const TO_THE_END: usize = 97;

/// A fault that is planted, to see that it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// A client takes messages of other sessions.
    Accept,
    /// A party makes room for as much as the first length of a message announces.
    Allocate,
    /// A party panics at an empty message.
    Panic,
    /// A bad message costs an honest client its place.
    Harm,
}

/// What can be planted, by its name.
pub const PLANTS: [(&str, Plant); 4] = [
    ("accept", Plant::Accept),
    ("allocate", Plant::Allocate),
    ("panic", Plant::Panic),
    ("harm", Plant::Harm),
];

/// What is played.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Clients of each session: [`CLIENTS`], or more, and then only a few forms of each message that is awaited.
    pub clients: u32,
    /// Only this message, of [`MESSAGES`].
    pub message: Option<String>,
    /// Only this state, of [`STATES`].
    pub state: Option<String>,
    /// Of the messages that are made one in so many.
    pub every: usize,
    /// Drawn messages for each that is changed.
    pub random: usize,
    /// Where they are drawn from.
    pub seed: u64,
    /// A fault that is planted.
    pub plant: Option<Plant>,
}

/// A bad message that did not end as it had to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Failure {
    /// The suite and the graph.
    pub ground: &'static str,
    /// Who got it: `client` or `server`.
    pub party: &'static str,
    /// In which state.
    pub state: &'static str,
    /// The message that was changed.
    pub message: &'static str,
    /// How.
    pub how: String,
    /// Who got it, or sent it to the server.
    pub client: u32,
    /// What had to come of it: ids of rules, codes of aborts, or `ok`.
    pub expected: String,
    /// What did.
    pub found: String,
}

/// What came of all.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Bad messages that ended as they had to.
    pub passed: u64,
    /// The others.
    pub failures: Vec<Failure>,
    /// How many had to end in which way.
    pub expected: BTreeMap<String, u64>,
    /// The greatest number of bytes that was allocated beyond twice the message.
    pub most_beyond: u64,
    /// Sessions that were played to their end.
    pub to_the_end: u64,
}

impl Summary {
    fn merge(&mut self, other: Summary) {
        self.passed += other.passed;
        self.failures.extend(other.failures);
        for (expected, count) in other.expected {
            *self.expected.entry(expected).or_default() += count;
        }
        self.most_beyond = self.most_beyond.max(other.most_beyond);
        self.to_the_end += other.to_the_end;
    }
}

/// One party in one state.
struct Task<'a> {
    scene: &'a Scene,
    /// Another session of the same people; with none, few forms of each message are sent.
    other: Option<&'a Scene>,
    who: Who,
}

#[derive(Clone, Copy)]
enum Who {
    Client(u32, client_model::State),
    /// The server in this round, or after the last one.
    Server(Option<usize>),
}

/// Plays all that is chosen, on all cores. `made` is told how many messages there are more to send, `sent` of each that
/// was sent.
pub fn run(choice: &Choice, measure: Measure, made: impl Fn(u64) + Sync, sent: impl Fn() + Sync) -> Summary {
    let grounds = || Ground::ALL.into_iter().chain([Ground::Pinned]);
    let is_small = choice.clients == CLIENTS;
    let session = |number| grounds().map(move |ground| Scene::new(ground, number, choice.clients)).collect();
    let (scenes, others): (Vec<Scene>, Vec<Scene>) =
        (session(0), if is_small { session(1) } else { Vec::new() });
    let proposals = [
        (Scene::pinned(), others.first()),
        (Scene::with_noise(), others.get(1)),
        (Scene::with_centred_noise(), others.get(1)),
    ];
    let without_spare = Scene::without_spare();
    let mut tasks: Vec<Task<'_>> = Vec::new();
    for (at, scene) in scenes.iter().enumerate() {
        let whos = clients(scene.rounds.len()).chain(servers(scene.rounds.len()));
        tasks.extend(whos.map(|who| Task { scene, other: others.get(at), who }));
    }
    let who = Who::Client(2, client_model::State::Awaits(0));
    tasks.extend(proposals.iter().map(|(scene, other)| Task { scene, other: *other, who }));
    // Elsewhere no survivor set that is large enough leaves a survivor too few holders.
    let who = Who::Client(2, client_model::State::Awaits(3));
    tasks.push(Task { scene: &without_spare, other: others.last(), who });
    tasks.retain(|task| choice.state.as_deref().is_none_or(|state| state == state_name(task)));
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Summary::default()));
    let work = || {
        // What the core spreads over threads stays on this one, where it is measured.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
        let _pool = pool.expect("a pool of this thread");
        while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let summary =
                Player { task, choice, measure, made: &made, sent: &sent, summary: Summary::default() }
                    .play();
            all.lock().expect("no worker panics").merge(summary);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    let mut all = all.into_inner().expect("no worker panics");
    all.failures.sort();
    all
}

fn clients(rounds: usize) -> impl Iterator<Item = Who> {
    use client_model::State::{Awaits, NoInput, Over};
    let states = (0..rounds).map(Awaits).chain([NoInput, Over]);
    states.flat_map(|state| [2, 6].map(|id| Who::Client(id, state)))
}

fn servers(rounds: usize) -> impl Iterator<Item = Who> {
    (0..rounds).map(Some).chain([None]).map(Who::Server)
}

fn state_name(task: &Task<'_>) -> &'static str {
    let of_round = |place: usize| STATES[usize::from(task.scene.rounds[place].kind) / 2];
    match task.who {
        Who::Client(_, client_model::State::Awaits(place)) | Who::Server(Some(place)) => of_round(place),
        Who::Client(_, client_model::State::NoInput) => "no-input",
        Who::Client(_, client_model::State::Over) | Who::Server(None) => "over",
    }
}

struct Player<'a> {
    task: &'a Task<'a>,
    choice: &'a Choice,
    measure: Measure,
    made: &'a (dyn Fn(u64) + Sync),
    sent: &'a (dyn Fn() + Sync),
    summary: Summary,
}

impl Player<'_> {
    fn play(mut self) -> Summary {
        match self.task.who {
            Who::Client(id, state) => {
                let place = match state {
                    client_model::State::Awaits(place) => Some(place),
                    client_model::State::NoInput => Some(2),
                    client_model::State::Over => None,
                };
                let messages = self.messages(id, place, true);
                (self.made)(messages.len() as u64);
                for (kind, bad) in messages {
                    self.tell_client(id, state, kind, &bad);
                }
            }
            Who::Server(place) => self.tell_server(place),
        }
        self.summary
    }

    /// The bad forms of all messages of this client, and the type of each: of the request that is awaited all, of the
    /// others some.
    fn messages(&self, id: u32, place: Option<usize>, requests: bool) -> Vec<(u8, Bad)> {
        let Task { scene, other, .. } = *self.task;
        let mut rng = ChaCha8Rng::seed_from_u64(self.choice.seed ^ u64::from(id));
        let said = |scene: &Scene, id: u32| -> Vec<Vec<u8>> {
            let both = |round: &scene::Exchange| {
                [round.requests.get(&id), round.responses.get(&id)].map(|one| one.cloned())
            };
            scene.rounds.iter().flat_map(both).flatten().collect()
        };
        let mine = said(scene, id);
        let theirs = other.map(|other| said(other, id)).unwrap_or_default();
        let neighbour = said(scene, id % (scene.dropped() - 1) + 1);
        let awaited = place.map(|place| scene.rounds[place].kind + u8::from(!requests));
        let mut all = Vec::new();
        for message in &mine {
            let kind = message[0];
            if self.choice.message.as_deref().is_some_and(|only| only != MESSAGES[usize::from(kind) - 1]) {
                continue;
            }
            if other.is_none() {
                // Only what is awaited.
                let bads = if awaited == Some(kind) { few(message) } else { Vec::new() };
                all.extend(bads.into_iter().map(|bad| (kind, bad)));
                continue;
            }
            let of_kind = |from: &[Vec<u8>]| from.iter().find(|one| one[0] == kind).cloned();
            let near = [("another session", of_kind(&theirs)), ("another client", of_kind(&neighbour))];
            let rounds = mine.iter().filter(|one| one[0] != kind);
            let donors: Vec<Donor> = near
                .into_iter()
                .filter_map(|(whose, message)| Some(Donor { whose, message: message? }))
                .chain(
                    rounds
                        .map(|one| Donor { whose: MESSAGES[usize::from(one[0]) - 1], message: one.clone() }),
                )
                .collect();
            let every = self.choice.every * if awaited == Some(kind) { 1 } else { SPARSE };
            let bads = mutate(scene, message, &donors, self.choice.random, every, &mut rng);
            all.extend(bads.into_iter().map(|bad| (kind, bad)));
        }
        all
    }

    fn tell_client(&mut self, id: u32, state: client_model::State, kind: u8, bad: &Bad) {
        use client_model::State::{Awaits, NoInput, Over};
        let scene = self.task.scene;
        let expected = client_model::judge(scene, id, state, &bad.message);
        let plant = self.choice.plant;
        let mut client = match state {
            Awaits(place) => scene.client_after(id, place, true),
            NoInput => scene.client_after(id, 2, false),
            Over => {
                let mut client = scene.client_after(id, scene.rounds.len(), true);
                let _ = client.handle(&[]);
                client
            }
        };
        let before = client.round();
        let (answer, peak) = self.watched(&bad.message, || client.handle(&bad.message));
        let answer = answer.map(|answer| match answer {
            Err(Abort::Server(what)) if plant == Some(Plant::Accept) && what.id() == "4.1-3" => Ok(vec![]),
            answer => answer,
        });
        let mut found = match &answer {
            Err(panic) => format!("panic: {panic}"),
            Ok(Ok(_)) => "ok".to_owned(),
            Ok(Err(abort)) => of_abort(abort),
        };
        if let Ok(Err(Abort::Misuse(misuse))) = &answer
            && (*misuse != Misuse::NoInput || client.round() != before)
        {
            found = format!("{misuse:?}");
        }
        if let Ok(Err(abort)) = &answer
            && !matches!(abort, Abort::Misuse(_))
            && (client.round().is_some() || client.handle(&bad.message) != Err(Abort::Over))
        {
            found = format!("{found}, and the client goes on");
        }
        let answer = answer.ok().and_then(Result::ok).unwrap_or_default();
        self.note(id, kind, (bad, &answer), &expected, found, peak);
    }

    fn tell_server(&mut self, place: Option<usize>) {
        let scene = self.task.scene;
        let answered: &[u32] = if place.is_some() { &[1] } else { &[] };
        let state = place.map(|place| (place, answered));
        let mut kept: Option<Server> = None;
        let messages = self.to_server_from(place);
        let is_small = self.task.other.is_some();
        (self.made)(messages.len() as u64);
        for (count, (sender, out, kind, bad)) in messages.into_iter().enumerate() {
            let expected = server_model::judge(scene, state, sender, out, &bad.message);
            let mut server = kept.take().unwrap_or_else(|| self.server(place, answered));
            if out {
                let _ = server.receive(name(sender), &[]);
            }
            let before = server.progress();
            // One server hears many messages as long as they change nothing.
            let mut unchanged = expected.spares_the_sender() && !out;
            let (answer, peak) = self.watched(&bad.message, || server.receive(name(sender), &bad.message));
            let mut found = match &answer {
                Err(panic) => format!("panic: {panic}"),
                Ok(Ok(())) => "ok".to_owned(),
                Ok(Err(fault)) => of_fault(fault, name(sender)),
            };
            if let Ok(answer) = &answer {
                if server.progress().map(|now| now.answered)
                    != before.map(|before| before.answered + u32::from(answer.is_ok()))
                {
                    found += ", and the count of answers is wrong";
                }
                let honest = place.and_then(|place| scene.rounds[place].responses.get(&sender));
                if let (Some(honest), false) = (honest, expected.is_ok()) {
                    let after = after(sender, out, answered, &expected);
                    let then = server.receive(name(sender), honest).map_err(|fault| fault.what.id());
                    if then != after {
                        found += ", and the sender's place is not as it should be";
                    }
                    unchanged &= after.is_err();
                }
            }
            if is_small
                && count % TO_THE_END == 0
                && let (Some(place), false, false) = (place, expected.is_ok(), out)
            {
                let harm = self.unharmed(place, sender, answered, &expected, &bad.message);
                harm.err().into_iter().for_each(|harm| found = format!("{found}, {harm}"));
            }
            if unchanged {
                kept = Some(server);
            }
            self.note(sender, kind, (&bad, &[]), &expected, found, peak);
        }
    }

    /// Who sends what to the server; whether the sender was put out before.
    fn to_server_from(&self, place: Option<usize>) -> Vec<(u32, bool, u8, Bad)> {
        let mut all = Vec::new();
        let senders: &[u32] = if self.task.other.is_some() { &[2, 6] } else { &[2] };
        for &sender in senders {
            let bads = self.messages(sender, place, false);
            all.extend(bads.into_iter().map(|(kind, bad)| (sender, false, kind, bad)));
        }
        if self.task.other.is_none() {
            return all;
        }
        let dropped = self.task.scene.dropped();
        for (sender, out) in
            [(1, false), (3, true), (dropped, false), (dropped + 1, false), (u32::MAX, false)]
        {
            // A client that never was sends what another one would.
            let bads = self.messages(if sender > dropped { 4 } else { sender }, place, false);
            let some = bads.into_iter().step_by(SPARSE);
            all.extend(some.map(|(kind, bad)| (sender, out, kind, bad)));
        }
        // A good message from whom none is taken is bad too.
        let Some(place) = place else { return all };
        for (id, message) in &self.task.scene.rounds[place].responses {
            let good = || Bad { how: "as it should be".to_owned(), message: message.clone() };
            let from = [(1, false), (3, true), (dropped, false), (dropped + 1, false)];
            all.extend(from.map(|(sender, out)| (sender, out, message[0], good())));
            if *id == 4 {
                all.push((4, false, message[0], good()));
            }
        }
        all
    }

    fn server(&self, place: Option<usize>, answered: &[u32]) -> Server {
        match place {
            Some(place) => self.task.scene.server_in(place, answered),
            None => {
                let mut server = self.task.scene.server_in(0, &[]);
                let _ = server.close_round();
                server
            }
        }
    }

    /// Plays the session to its end with the bad message in it: the sum is that of all but a sender that is put out
    /// before its input is in.
    fn unharmed(
        &mut self,
        place: usize,
        sender: u32,
        answered: &[u32],
        expected: &Expected,
        message: &[u8],
    ) -> Result<(), String> {
        self.summary.to_the_end += 1;
        if sender >= self.task.scene.dropped() || answered.contains(&sender) {
            return Ok(()); // nobody comes of whom the session knows
        }
        let harms = (self.choice.plant == Some(Plant::Harm)).then_some(4);
        let bad = scene::Bad { place, sender, message, harms };
        let mut scene = self.task.scene.anew();
        let aggregate = scene.play(Some(&bad)).map_err(|abort| format!("and the session ends by {abort}"))?;
        let out = place < 3 && !expected.spares_the_sender();
        let survivors: Vec<ClientId> = (1..CLIENTS).filter(|id| !(out && *id == sender)).map(name).collect();
        let mut sum = [0; 3];
        for id in &survivors {
            sum.iter_mut().zip(scene::values(id.get())).for_each(|(sum, one)| *sum += one);
        }
        let sum = [sum[0] & 0xffff, sum[1] & 0xffff, sum[2] & 0x0fff];
        let found: Vec<u64> = aggregate.vectors.iter().flat_map(|(_, lanes)| lanes.iter()).collect();
        match () {
            () if aggregate.survivors != survivors => Err(format!("and {:?} survive", aggregate.survivors)),
            () if found != sum => Err("and the sum is wrong".to_owned()),
            () if aggregate.faults.iter().any(|fault| fault.culprit != name(sender)) => {
                Err(format!("and others are blamed: {:?}", aggregate.faults))
            }
            () => Ok(()),
        }
    }

    /// What a step gives, or its panic, and the memory that it took.
    fn watched<T>(&self, message: &[u8], step: impl FnOnce() -> T) -> (Result<T, String>, u64) {
        let (mut step, mut outcome) = (Some(step), None);
        let peak = (self.measure)(&mut || {
            let Some(step) = step.take() else { return };
            let run = AssertUnwindSafe(|| {
                if self.choice.plant == Some(Plant::Panic) {
                    assert!(!message.is_empty(), "planted");
                }
                if self.choice.plant == Some(Plant::Allocate)
                    && let Some(length) = message.get(33..37)
                {
                    let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
                    drop(std::hint::black_box(Vec::<u8>::with_capacity(length as usize)));
                }
                step()
            });
            outcome = Some(catch_unwind(run).map_err(|panic| of_panic(panic.as_ref())));
        });
        (outcome.unwrap_or_else(|| Err("it was not run".to_owned())), peak)
    }

    /// Notes what came of a message and its answer, which is mostly none.
    fn note(
        &mut self,
        client: u32,
        kind: u8,
        (bad, answer): (&Bad, &[u8]),
        expected: &Expected,
        found: String,
        peak: u64,
    ) {
        (self.sent)();
        let size = 2 * (bad.message.len() + answer.len()) as u64;
        let beyond = peak.saturating_sub(size);
        *self.summary.expected.entry(expected.to_string()).or_default() += 1;
        let found = match beyond > ROOM {
            true => format!("{found}, with {peak} bytes of memory for {} of the message", bad.message.len()),
            false => found,
        };
        if beyond <= ROOM {
            self.summary.most_beyond = self.summary.most_beyond.max(beyond);
        }
        if expected.allows(&found) {
            self.summary.passed += 1;
            return;
        }
        let (suite, graph) = self.task.scene.ground.names();
        let ground = match (suite, graph) {
            ("active" | "pinned", _) => suite,
            (_, "regular") => "curious, regular",
            _ => "curious",
        };
        let party = if matches!(self.task.who, Who::Client(..)) { "client" } else { "server" };
        self.summary.failures.push(Failure {
            ground,
            party,
            state: state_name(self.task),
            message: MESSAGES[usize::from(kind) - 1],
            how: bad.how.clone(),
            client,
            expected: expected.to_string(),
            found,
        });
    }
}

/// What the sender's honest message meets with after a bad one that had to be refused like this (spec §5).
fn after(sender: u32, out: bool, answered: &[u32], expected: &Expected) -> Result<(), &'static str> {
    match () {
        () if out || !expected.spares_the_sender() => Err("4.1-5"),
        () if answered.contains(&sender) => Err("4.1-4"),
        () => Ok(()),
    }
}

/// The rule or the code of an abort, if its code is the one of the registry.
fn of_abort(abort: &Abort) -> String {
    match abort {
        Abort::Server(what) => of_rule(*what, abort.code()),
        other => other.code().to_string(),
    }
}

fn of_fault(fault: &Fault, sender: ClientId) -> String {
    let rule = of_rule(fault.what, fault.what.code());
    match fault.culprit == sender && fault.about.is_none() {
        true => rule,
        false => format!("{rule}, of another culprit"),
    }
}

fn of_rule(what: secagg::Misbehaviour, code: u8) -> String {
    match RULES.get(usize::from(code).wrapping_sub(1)) {
        Some(rule) if *rule == what.id() => what.id().to_owned(),
        _ => format!("{} with the code {code}", what.id()),
    }
}

fn of_panic(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// The rules that no single bad message breaks by itself when it comes: they show when a round closes, or a bundle is
/// opened.
#[cfg(test)]
const LATER: [&str; 3] = ["4.4-3", "4.6-7", "4.6-8"];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rule_is_broken_by_some_message() {
        let (clients, random, seed) = (CLIENTS, 0, 1);
        let all = Choice { clients, message: None, state: None, every: 9, random, seed, plant: None };
        // Few survivor sets leave a survivor too few holders.
        let (message, state) = (Some("consistency-check-request".into()), Some("consistency-check".into()));
        let survivors = Choice { message, state, every: 3, ..all.clone() };
        let unmeasured: Measure = |step| {
            step();
            0
        };
        let mut summary = run(&all, unmeasured, |_| (), || ());
        summary.merge(run(&survivors, unmeasured, |_| (), || ()));
        assert_eq!(summary.failures, []);
        let alone: BTreeSet<&str> = summary.expected.keys().map(String::as_str).collect();
        let missing: Vec<&&str> =
            RULES.iter().filter(|rule| !alone.contains(**rule) && !LATER.contains(rule)).collect();
        assert_eq!(missing, [&""; 0]);
    }
}
