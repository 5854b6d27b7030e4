//! Sessions that are aborted so that clients try again.

use std::collections::{BTreeMap, BTreeSet};

use secagg::{Abort, Config, Policy, Refusal, SessionBudget, conformance};

use super::game::Plan;
use super::session::client;
use super::setting::{Ground, Setting, bytes};
use super::trials::{EVERYWHERE, Trial, demand};
use super::wire::{self, HEADER};

pub(super) const ALL: &[Trial] = &[Trial {
    name: "abort-grinding",
    threat: "S20, S22",
    side: "server",
    says: "breaks off one session after the other before openings are due, and asks for another",
    expected: "130 RetryBudget",
    grounds: EVERYWHERE,
    sizes: 3..=8,
    play,
}];

const BUDGET: u32 = 100;

fn play(setting: Setting) -> Result<String, String> {
    let fresh = |number: u32| Config { nonce: bytes("nonce", number), ..setting.config() };
    let drawn = attempts(setting, &fresh, true)?;
    demand(drawn.refusal == Some((BUDGET, BUDGET)), || format!("refused at {:?}", drawn.refusal))?;
    demand(drawn.keys.len() == drawn.all, || {
        format!("{} different of {} keys", drawn.keys.len(), drawn.all)
    })?;
    let endless = attempts(setting, &fresh, false)?;
    demand(endless.refusal.is_none(), || "a client without a budget refuses".to_owned())?;
    // Only where entropy and nonce both come again are keys the same: then they are seen to be.
    let again = attempts(setting, &|_| fresh(0), false)?;
    demand(again.keys.len() < again.all, || "the same session has other keys".to_owned())?;
    Ok(format!("without a budget session {} begins; with one nonce keys repeat", BUDGET + 1))
}

struct Attempts {
    /// Keys, and commitments to draws.
    keys: BTreeSet<Vec<u8>>,
    all: usize,
    /// Sessions so far, and those that are allowed.
    refusal: Option<(u32, u32)>,
}

/// As many sessions as the budget has, and one more. The client's entropy is the same each time, which is worse than what
/// a client does: its keys differ by the session nevertheless.
fn attempts(setting: Setting, config: &dyn Fn(u32) -> Config, limited: bool) -> Result<Attempts, String> {
    let mut found = Attempts { keys: BTreeSet::new(), all: 0, refusal: None };
    let mut attempted = BTreeMap::new();
    let signed = matches!(setting.ground, Ground::Active | Ground::Pinned);
    for number in 0..=BUDGET {
        let config = config(number);
        let budget = limited.then(|| SessionBudget {
            per_task: BUDGET,
            in_all: 2 * BUDGET,
            attempted: Some(attempted.clone()),
        });
        let policy = Policy { budget, ..Plan::of(setting).policy };
        let parts = [&1u32.to_be_bytes()[..], &conformance::encoded(&config)].concat();
        match client(1, signed, policy).handle(&wire::message(1, &config.id(), &[&parts])) {
            Ok(answer) => {
                let keys = if setting.ground == Ground::Pinned { 3 } else { 2 };
                found.keys.extend(answer[HEADER..].chunks(32).take(keys).map(<[u8]>::to_vec));
                found.all += keys;
                *attempted.entry(config.task).or_insert(0) += 1;
            }
            Err(Abort::Refused(Refusal::RetryBudget { attempted, most, .. })) => {
                demand(number == BUDGET, || format!("session {} is refused", number + 1))?;
                found.refusal = Some((attempted, most));
            }
            Err(abort) => return Err(abort.to_string()),
        }
    }
    Ok(found)
}
