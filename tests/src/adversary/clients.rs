//! Malicious clients against the core's server: the last one or the last ones lie in one round, and everybody else is
//! honest.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use secagg::{
    Abort, Aggregate, Client, ClientId, Closed, Credentials, Graph, Input, Misbehaviour, Round, Server,
};

use super::careless::harm;
use super::game::Plan;
use super::report::Row;
use super::setting::{Ground, Setting, authority, bytes, certified, input};
use super::twin::add;
use super::wire::{self, HEADER};

/// What has to come of a lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The liar is put out for this when its message comes; the sum of the others is right.
    PutOut(Misbehaviour),
    /// The message is refused for this, the liar keeps its place, and the sum of all is right.
    Refused(Misbehaviour),
    /// A fault with this culprit is found as the session ends; the sum of all is right.
    Found(Misbehaviour),
    /// The session aborts with this code.
    Aborts(u8),
    /// The sum is off by what the liar added, and nobody can tell (§11.2).
    Unseen,
    /// There is no fault, and the sum is right.
    Harmless,
    /// The sum of all is right, or the session aborts with 129; nobody honest is blamed.
    RightOrNone,
}

/// How many lie: the last clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Liars {
    One,
    /// With m holders of a secret as many as ⌊(m − t) / 2⌋ wrong shares are found by decoding. So many, or one more.
    Decoded,
    OneMore,
    /// The least with which fewer than t right shares are left.
    TooMany,
}

/// A malicious client.
pub struct Lie {
    /// Its name.
    pub name: &'static str,
    /// The threat of the catalogue.
    pub threat: &'static str,
    /// What the client does.
    pub says: &'static str,
    pub(super) grounds: &'static [Ground],
    pub(super) sizes: std::ops::RangeInclusive<u32>,
    pub(super) round: Round,
    pub(super) tell: fn(&Scene, Vec<u8>) -> Vec<Vec<u8>>,
    pub(super) outcome: Outcome,
    pub(super) liars: Liars,
    /// Why the lie does no harm to a server without checks, if it does not.
    pub harmless: Option<&'static str>,
}

/// What a lie may need to know.
pub(super) struct Scene {
    pub(super) plan: Plan,
    /// The liar.
    pub(super) liar: u32,
    /// The honest answers of this round that came before the liar's.
    pub(super) others: BTreeMap<u32, Vec<u8>>,
    /// The liar's own honest answers of the rounds before.
    pub(super) before: Vec<Vec<u8>>,
    /// What the liar was asked, in this round and those before.
    pub(super) asked: Vec<Vec<u8>>,
}

impl Scene {
    pub(super) fn is_pinned(&self) -> bool {
        self.plan.setting.ground == Ground::Pinned
    }

    /// Those of whom the liar is asked for shares, ascending: on the complete graph itself is one of them.
    pub(super) fn owners(&self) -> Vec<u32> {
        let told = &self.asked[2][HEADER..];
        let mut owners: Vec<u32> = match self.is_pinned() {
            true => wire::drawn_bundles(told).map(|(_, all)| all.iter().map(|(id, ..)| *id).collect()),
            false => wire::bundles(told).map(|all| all.iter().map(|(id, _)| *id).collect()),
        }
        .unwrap_or_default();
        owners.extend((self.plan.config.graph == Graph::Complete).then_some(self.liar));
        owners.sort_unstable();
        owners
    }
}

/// All lies.
pub fn lies() -> impl Iterator<Item = &'static Lie> {
    [super::dealing_lies::ALL, super::lies::ALL, super::pinned_lies::ALL].into_iter().flatten()
}

/// Plays a lie; `None` if it is not told in this setting.
pub fn tell(lie: &Lie, setting: Setting) -> Option<Row> {
    // With three clients a k-out graph has two holders and needs both.
    let too_small = setting.ground == Ground::Pinned && setting.n < 5;
    if !lie.grounds.contains(&setting.ground) || !lie.sizes.contains(&setting.n) || too_small {
        return None;
    }
    let plan = plan(setting);
    if liars(&plan, Some(lie)).is_empty() {
        return None; // there is no share to spare
    }
    let run = catch_unwind(AssertUnwindSafe(|| judged(lie, &plan)));
    let (control, failure) = match run.unwrap_or_else(|_| Err("a panic".to_owned())) {
        Ok(control) => (control, None),
        Err(why) => (String::new(), Some(why)),
    };
    let (suite, graph) = setting.ground.names();
    let expected = match lie.outcome {
        Outcome::PutOut(_) | Outcome::Found(_) if none_to_spare(lie, setting) => "128 or 129".to_owned(),
        Outcome::PutOut(what) | Outcome::Refused(what) | Outcome::Found(what) => what.id().to_owned(),
        Outcome::Aborts(code) => code.to_string(),
        Outcome::RightOrNone => "right or 129".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    };
    let (scenario, side, n) = (lie.name, "client", setting.n);
    Some(Row { scenario, side, n, suite, graph, expected, control, failure })
}

/// Whether every holder of a secret is needed, or every client of the roster so that there are as many holders: then a
/// lie costs the session, but never the sum its truth.
fn none_to_spare(lie: &Lie, setting: Setting) -> bool {
    match setting.ground {
        Ground::Sparse => setting.n == 3,
        Ground::Pinned => setting.n == 5 && lie.round == Round::AdvertiseKeys,
        _ => false,
    }
}

fn plan(setting: Setting) -> Plan {
    let mut plan = Plan::of(setting);
    if !setting.ground.is_signed() {
        plan.config.threshold = 2; // shares to spare
    }
    plan
}

/// The clients that lie.
pub(super) fn liars(plan: &Plan, lie: Option<&Lie>) -> Vec<u32> {
    let n = plan.setting.n;
    let holders = match plan.config.graph {
        Graph::KOut { degree } => degree,
        _ => n,
    };
    let spare = holders - plan.threshold();
    let count = lie.map_or(0, |lie| match lie.liars {
        Liars::One => 1,
        Liars::Decoded => spare / 2,
        Liars::OneMore if spare < 2 => 0,
        Liars::OneMore => spare / 2 + 1,
        Liars::TooMany => spare + 1,
    });
    (n - count + 1..=n).collect()
}

/// Plays a lie to the core's server and then, for the control, to one without checks. What the lie does there, if it
/// does anything.
fn judged(lie: &Lie, plan: &Plan) -> Result<String, String> {
    met(lie, plan)?;
    if matches!(lie.outcome, Outcome::Unseen) {
        return Ok("the sum is off, and nobody can tell".to_owned());
    }
    if let Some(why) = harm(plan, None) {
        return Err(format!("a server without checks harms an honest session: {why}"));
    }
    match (harm(plan, Some(lie)), lie.harmless) {
        (Some(why), None) => Ok(why),
        (None, Some(_)) => Ok(String::new()),
        (None, None) => Err("a server without checks is not harmed".to_owned()),
        (Some(why), Some(_)) if none_to_spare(lie, plan.setting) => Ok(why),
        (Some(why), Some(_)) => Err(format!("it does harm a server without checks: {why}")),
    }
}

fn met(lie: &Lie, plan: &Plan) -> Result<(), String> {
    let setting = plan.setting;
    // Where there is no lie all goes well: what is seen below comes of the lie.
    let honest = session(plan, None)?;
    let liars = liars(plan, Some(lie));
    let everybody: Vec<u32> = (1..=setting.n).collect();
    right_sum(&honest.1.map_err(|abort| format!("an honest session ended by {abort}"))?, &everybody, None)?;
    let (mut faults, outcome) = session(plan, Some(lie))?;
    faults.dedup();
    let others: Vec<u32> = everybody.iter().copied().filter(|id| !liars.contains(id)).collect();
    let in_sum = lie.round >= Round::ConsistencyCheck;
    let expect = |expected: &[Misbehaviour]| {
        if faults == expected { Ok(()) } else { Err(format!("the faults were {faults:?}")) }
    };
    if let Outcome::Aborts(code) = lie.outcome {
        return match outcome {
            Err(abort) if abort.code() == code => named(&abort, &liars, setting.ground),
            other => Err(format!("instead of abort {code}: {other:?}")),
        };
    }
    if none_to_spare(lie, setting) && matches!(lie.outcome, Outcome::PutOut(_) | Outcome::Found(_)) {
        return match outcome {
            Err(abort) if matches!(abort.code(), 128 | 129) => named(&abort, &liars, setting.ground),
            other => Err(format!("instead of an abort: {other:?}")),
        };
    }
    if let (Outcome::RightOrNone, Err(abort)) = (lie.outcome, &outcome) {
        return if abort.code() == 129 {
            named(abort, &liars, setting.ground)
        } else {
            Err(format!("{abort}"))
        };
    }
    let aggregate = outcome.map_err(|abort| format!("the session ended by {abort}"))?;
    let honest_faults: Vec<_> =
        aggregate.faults.iter().filter(|fault| !liars.contains(&fault.culprit.get())).collect();
    match lie.outcome {
        Outcome::PutOut(what) => {
            expect(&[what])?;
            right_sum(&aggregate, if in_sum { &everybody } else { &others }, None)?;
        }
        Outcome::Refused(what) => {
            expect(&[what])?;
            right_sum(&aggregate, &everybody, None)?;
        }
        Outcome::Found(what) => {
            expect(&[])?;
            let about = |liar: &u32| {
                aggregate.faults.iter().any(|fault| {
                    fault.what == what
                        && (fault.culprit.get() == *liar || fault.about.is_some_and(|id| id.get() == *liar))
                })
            };
            if !liars.iter().all(about) {
                return Err(format!("not all of {liars:?} are in {:?}", aggregate.faults));
            }
            right_sum(&aggregate, &everybody, None)?;
        }
        Outcome::Unseen => {
            expect(&[])?;
            right_sum(&aggregate, &everybody, Some([1, 0, 0]))?;
        }
        Outcome::RightOrNone => {
            expect(&[])?;
            right_sum(&aggregate, &everybody, None)?;
        }
        Outcome::Harmless | Outcome::Aborts(_) => {
            expect(&[])?;
            right_sum(&aggregate, if in_sum { &everybody } else { &others }, None)?;
        }
    }
    // An honest client may be the other one of a fault that cannot be pinned (§5), but is never put out.
    let blamed = |fault: &&&secagg::Fault| fault.about.is_none_or(|id| !liars.contains(&id.get()));
    match honest_faults.iter().find(blamed) {
        Some(fault) => Err(format!("an honest client is blamed: {fault}")),
        None => Ok(()),
    }
}

/// An abort for a secret that is lost names the liars among the suspects: all of them where everybody holds a share of
/// it, and otherwise some, for liars may not be its holders or have been named for another secret.
fn named(abort: &Abort, liars: &[u32], ground: Ground) -> Result<(), String> {
    let Abort::Unrecoverable { suspects, .. } = abort else { return Ok(()) };
    let suspected = |liar: &u32| suspects.iter().any(|id| id.get() == *liar);
    let named = match ground {
        Ground::Pinned => liars.iter().any(suspected),
        _ => liars.iter().all(suspected),
    };
    if named { Ok(()) } else { Err(format!("too few of {liars:?} are suspects: {abort}")) }
}

fn right_sum(aggregate: &Aggregate, of: &[u32], off_by: Option<[u16; 3]>) -> Result<(), String> {
    let survivors: Vec<u32> = aggregate.survivors.iter().map(|id| id.get()).collect();
    if survivors != of {
        return Err(format!("the survivors are {survivors:?}"));
    }
    let mut sum = off_by.unwrap_or_default();
    add(&mut sum, right(of), true);
    let found: Vec<u64> = aggregate.vectors.iter().flat_map(|(_, lanes)| lanes.iter()).collect();
    if found == sum.map(u64::from) { Ok(()) } else { Err("a wrong sum was released".to_owned()) }
}

/// The sum of the inputs of these clients.
pub(super) fn right(of: &[u32]) -> [u16; 3] {
    let mut sum = [0; 3];
    of.iter().for_each(|id| add(&mut sum, input(*id), true));
    sum
}

type End = (Vec<Misbehaviour>, Result<Aggregate, Abort>);

/// Runs a session; the faults are those of messages as they come, which must all be the liars'.
fn session(plan: &Plan, lie: Option<&Lie>) -> Result<End, String> {
    let mut clients: BTreeMap<ClientId, Client> = BTreeMap::new();
    let (mut server, mut requests) =
        Server::open(plan.config.clone()).map_err(|misuse| misuse.to_string())?;
    let mut faults = Vec::new();
    let liars = liars(plan, lie);
    let mut before: BTreeMap<u32, Vec<Vec<u8>>> = BTreeMap::new();
    let mut asked: BTreeMap<u32, Vec<Vec<u8>>> = BTreeMap::new();
    loop {
        let mut others = BTreeMap::new();
        let round = server.progress().map(|progress| progress.round);
        for (id, request) in requests {
            let client = clients.entry(id).or_insert_with(|| client(id.get(), plan.setting.ground));
            let response = client.handle(&request).map_err(|abort| format!("{id} ended by {abort}"))?;
            let before = before.entry(id.get()).or_default();
            let asked = asked.entry(id.get()).or_default();
            asked.push(request);
            let told = lie.filter(|lie| liars.contains(&id.get()) && Some(lie.round) == round);
            let messages = told.map_or_else(
                || vec![response.clone()],
                |lie| {
                    let (plan, others) = (plan.clone(), others.clone());
                    let (before, asked) = (before.clone(), asked.clone());
                    (lie.tell)(&Scene { plan, liar: id.get(), others, before, asked }, response.clone())
                },
            );
            for message in messages {
                match server.receive(id, &message) {
                    Err(fault) if liars.contains(&fault.culprit.get()) => faults.push(fault.what),
                    Err(fault) => return Err(format!("an honest client is put out: {fault}")),
                    Ok(()) => {}
                }
            }
            before.push(response.clone());
            others.insert(id.get(), response);
        }
        match server.close_round() {
            Ok(Closed::Next(next)) => requests = next,
            Ok(Closed::Done(aggregate)) => return Ok((faults, Ok(aggregate))),
            Err(abort) => return Ok((faults, Err(abort))),
        }
    }
}

pub(super) fn client(id: u32, ground: Ground) -> Client {
    let identity = bytes("identity", id);
    let mut client = if ground.is_signed() {
        let credentials = Credentials::new(identity, certified(&identity), authority().public());
        let credentials = credentials.expect("it is certified");
        Client::with_credentials(bytes("entropy", id), ground.policy(), credentials)
    } else {
        Client::new(bytes("entropy", id), ground.policy())
    };
    let [first, second, third] = input(id);
    let input = Input::new().with("v", vec![first, second]).with("w", vec![third]);
    client.set_input(input).expect("there is no configuration yet");
    client
}
