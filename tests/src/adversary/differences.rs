//! Sums of nearly the same clients, subtracted from one another (So et al. 2021, arXiv 2106.03328; Lam, Wei, Cao, Reagen,
//! Mitzenmacher, arXiv 2106.06089).
//!
//! The rule is about *two* sums: the cohorts of any two that one honest client has signed are the same or differ in at
//! least B identities. So no combination of two of them, αS + βS′, is without all but fewer than B. Of combinations of
//! three and more it promises nothing, and the trial shows three that isolate fewer.

use std::collections::BTreeMap;

use secagg::{Abort, ClientId, Cohort, CohortPolicy, Config, Policy, Refusal, Suite};

use super::game::Plan;
use super::session::{Ran, client, difference, run, sum};
use super::setting::{Ground, Setting, bytes};
use super::trials::{Trial, demand};
use super::twin::add;

pub(super) const ALL: &[Trial] = &[
    Trial {
        name: "difference-of-two-sums",
        threat: "S16",
        side: "server",
        says: "has a second sum made of nearly the same clients, with each number of others below and at the bound",
        expected: "130 CohortDifference",
        grounds: &[Ground::Active, Ground::Pinned],
        sizes: 3..=16,
        play: boundary,
    },
    Trial {
        name: "differences-of-many-sums",
        threat: "S16",
        side: "server",
        says: "has a sum made of one random cohort after the other, and combines any two that came about",
        expected: "130 CohortDifference",
        grounds: &[Ground::Active],
        sizes: 5..=8,
        play: many,
    },
    Trial {
        name: "combination-of-three-sums",
        threat: "S16",
        side: "server",
        says: "combines three sums whose cohorts differ in all but the half of each: the rule does not promise more",
        expected: "leaks",
        grounds: &[Ground::Active],
        sizes: 8..=16,
        play: three,
    },
];

/// The greatest bound B that the rule can be had for with the setting's clients, for two honest inputs in a difference
/// where the suite has a quorum to spare, and a configuration that it holds in.
fn rule(setting: Setting) -> (u32, Config) {
    let (n, c, mut config) = (setting.n, setting.corrupt(), setting.config());
    if setting.ground == Ground::Pinned {
        return (2, config);
    }
    let bound = 2 + 2 * c;
    config.threshold = (n + c + (bound - 1) / 2) / 2 + 1;
    debug_assert!(matches!(config.suite, Suite::Active { .. }));
    (bound, config)
}

/// What each person's record has of the cohorts that it signed.
type Records = BTreeMap<u32, Vec<Cohort>>;

/// A session of these people, in this order, under the rule with their records if there is a bound.
fn session(
    setting: Setting,
    (bound, config): (Option<u32>, &Config),
    people: &[u32],
    silent: &[u32],
    records: &mut Records,
) -> Result<Ran, String> {
    let ids = || (1..=config.clients).filter_map(ClientId::new).zip(people);
    let mut clients = BTreeMap::new();
    for (id, person) in ids() {
        let signed = Some(records.get(person).cloned().unwrap_or_default());
        let cohorts = bound.map(|minimum_difference| CohortPolicy { minimum_difference, signed });
        let policy = Policy { cohorts, ..Plan::of(setting).policy };
        clients.insert(id, client(*person, true, policy));
    }
    let silent: Vec<u32> =
        ids().filter(|(_, person)| silent.contains(person)).map(|(id, _)| id.get()).collect();
    let ran = run(config, &mut clients, &silent)?;
    for (id, person) in ids() {
        records.entry(*person).or_default().extend(clients[&id].signed_cohort().cloned());
    }
    Ok(ran)
}

/// As [`session`], with another nonce each time.
fn at(number: u32, config: &Config) -> Config {
    Config { nonce: bytes("nonce", number), ..config.clone() }
}

fn boundary(setting: Setting) -> Result<String, String> {
    let (n, (bound, config)) = (setting.n, rule(setting));
    let people: Vec<u32> = (1..=n).collect();
    let mut records = Records::new();
    let first = session(setting, (Some(bound), &config), &people, &[], &mut records)?;
    let first = first.outcome.map_err(|abort| abort.to_string())?;
    let mut isolated = Vec::new();
    for apart in 0..=bound {
        // Each newcomer takes somebody's place, which makes two; a client that drops out makes one.
        let (new, silent) = (apart / 2, &people[..(apart % 2) as usize]);
        let cohort: Vec<u32> = people[..(n - new) as usize].iter().copied().chain(n + 1..=n + new).collect();
        let config = at(apart, &config);
        let ran = session(setting, (Some(bound), &config), &cohort, silent, &mut records.clone())?;
        let near = (1..bound).contains(&apart);
        judge(&ran, near.then_some((apart, bound)), (n - new) as usize - silent.len())?;
        demand(near == ran.outcome.is_err(), || format!("{apart} apart: {:?}", ran.outcome.is_ok()))?;
        if near {
            let second = session(setting, (None, &config), &cohort, silent, &mut Records::new())?;
            let mut found = sum(&first);
            add(&mut found, sum(&second.outcome.map_err(|abort| abort.to_string())?), false);
            let gone: Vec<u32> = silent.iter().chain(&people[(n - new) as usize..]).copied().collect();
            let came: Vec<u32> = (n + 1..=n + new).collect();
            demand(found == difference(&gone, &came), || format!("{apart} apart: another difference"))?;
            isolated.push(apart);
        }
    }
    Ok(format!("without the rule the differences are those of {isolated:?} inputs"))
}

/// All the `old` clients that remember refuse for this difference, or nobody refuses.
fn judge(ran: &Ran, near: Option<(u32, u32)>, old: usize) -> Result<(), String> {
    let good = match near {
        None => ran.ends.is_empty(),
        Some((difference, minimum)) => {
            let refusal = Abort::Refused(Refusal::CohortDifference { difference, minimum });
            ran.ends.len() == old && ran.ends.values().all(|end| *end == refusal)
        }
    };
    demand(good, || format!("instead of {near:?} for {old}: {:?}", ran.ends))
}

/// How many cohorts the server tries.
const ROUNDS: u32 = 24;

fn many(setting: Setting) -> Result<String, String> {
    let (bound, config) = rule(setting);
    let nearest = |rule: Option<u32>| -> Result<(usize, u32), String> {
        let (mut records, mut sums) = (Records::new(), Vec::<Cohort>::new());
        for round in 0..ROUNDS {
            // The people by a drawn number, of whom the first come; one more than a cohort in odd rounds, else many.
            let population = if round % 2 == 1 { setting.n + 1 } else { setting.n + bound };
            let mut people: Vec<u32> = (1..=population).collect();
            people.sort_by_key(|person| bytes("cohort", 1000 * round + person));
            people.truncate(setting.n as usize);
            let ran = session(setting, (rule, &at(round, &config)), &people, &[], &mut records)?;
            if ran.outcome.is_ok() {
                sums.push(Cohort::new(people.iter().map(|person| bytes("identity", *person))));
            }
        }
        let pairs = sums.iter().enumerate().flat_map(|(at, one)| {
            let apart = |other: &Cohort| one.difference(other);
            sums[..at].iter().map(apart).filter(|apart| *apart > 0).collect::<Vec<_>>()
        });
        Ok((sums.len(), pairs.min().unwrap_or(u32::MAX)))
    };
    let (sums, apart) = nearest(Some(bound))?;
    demand(sums > 1 && (sums as u32) < ROUNDS, || format!("{sums} of {ROUNDS} sums came about"))?;
    demand(apart >= bound, || format!("two sums differ by {apart}, of which {bound} are promised"))?;
    match nearest(None)? {
        (_, apart) if apart < bound => Ok(format!("without the rule two sums differ by {apart}")),
        (_, apart) => Err(format!("without the rule all sums differ by {apart} or more")),
    }
}

/// Cohorts of two of three halves each: any two have one half in common and differ in both others, n identities. The
/// sums of the first two less the third is twice the first half: fewer than B.
fn three(setting: Setting) -> Result<String, String> {
    let (bound, config) = rule(setting);
    let half = setting.n / 2;
    demand(half < bound && setting.n >= bound, || format!("{half} are not fewer than {bound}"))?;
    let people = |part: u32| part * half + 1..=(part + 1) * half;
    let mut records = Records::new();
    let mut of = |number: u32, parts: [u32; 2]| {
        let cohort: Vec<u32> = parts.into_iter().flat_map(people).collect();
        let ran = session(setting, (Some(bound), &at(number, &config)), &cohort, &[], &mut records)?;
        ran.outcome.map(|aggregate| sum(&aggregate)).map_err(|abort| abort.to_string())
    };
    let (mut left, second, third) = (of(0, [0, 1])?, of(1, [0, 2])?, of(2, [1, 2])?);
    add(&mut left, second, true);
    add(&mut left, third, false);
    let twice: Vec<u32> = people(0).chain(people(0)).collect();
    demand(left == difference(&twice, &[]), || "another combination".to_owned())?;
    Ok(format!("twice the sum of {half} inputs, where two sums differ by {bound} at least"))
}
