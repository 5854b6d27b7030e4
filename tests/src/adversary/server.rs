//! Malicious servers: how a scenario is played and judged.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::game::{Game, Plan};
use super::oracle::{Leak, judge};
use super::report::Row;
use super::setting::{Ground, Setting};
use super::{arcs, certificates, pinned, proposals, rosters, sharers, survivors, withheld};

/// What has to come of a scenario in a suite on a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Every honest client that ends early ends by this rule or abort, at least one does, and nothing leaks.
    Ends(&'static str),
    /// Nothing leaks, however the session ends.
    Silent,
    /// All honest clients answer to the end, and nothing leaks.
    Done,
    /// It leaks, and the specification says so (§11.2): the suite does not promise otherwise.
    Leaks,
    /// It is not played there.
    Absent,
}

/// A malicious server.
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// The threat of the catalogue.
    pub threat: &'static str,
    /// What the server does.
    pub says: &'static str,
    /// In the order of [`Ground::ALL`].
    pub expect: [Expect; 3],
    /// In suite 3.
    pub pinned: Expect,
    /// The numbers of clients that it needs.
    pub(super) sizes: std::ops::RangeInclusive<u32>,
    pub(super) prepare: fn(&mut Plan),
    pub(super) attack: fn(&mut Game),
    pub(super) control: fn(&mut Plan),
}

/// What most scenarios have in common.
pub(super) const PLAIN: Scenario = Scenario {
    name: "",
    threat: "",
    says: "",
    expect: [Expect::Absent; 3],
    pinned: Expect::Absent,
    sizes: 3..=16,
    prepare: |_| (),
    attack: |_| (),
    control: |_| (),
};

/// All scenarios.
pub fn scenarios() -> impl Iterator<Item = &'static Scenario> {
    [
        proposals::ALL,
        rosters::ALL,
        sharers::ALL,
        survivors::ALL,
        arcs::ALL,
        certificates::ALL,
        pinned::ALL,
        withheld::ALL,
    ]
    .into_iter()
    .flatten()
}

impl Scenario {
    /// What has to come of it in a setting; `None` if it is not played there.
    pub fn expected(&self, setting: Setting) -> Option<Expect> {
        let at = Ground::ALL.iter().position(|one| *one == setting.ground);
        let expect = at.map_or(self.pinned, |at| self.expect[at]);
        // With fewer clients than eight suite 3 has no parameters that are worth an attack.
        let enough = setting.ground != Ground::Pinned || setting.n >= 8;
        (expect != Expect::Absent && self.sizes.contains(&setting.n) && enough).then_some(expect)
    }

    fn plan(&self, setting: Setting) -> Plan {
        let mut plan = Plan::of(setting);
        (self.prepare)(&mut plan);
        plan
    }

    fn run(&self, plan: Plan) -> Result<(Game, Leak), String> {
        let mut game = Game::new(plan);
        let run = catch_unwind(AssertUnwindSafe(|| (self.attack)(&mut game)));
        run.map_err(|_| "a panic".to_owned())?;
        let leak = judge(&game);
        Ok((game, leak))
    }
}

/// Plays a scenario, its twin and its control; `None` if it is not played in this setting.
pub fn play(scenario: &Scenario, setting: Setting) -> Option<Row> {
    let expect = scenario.expected(setting)?;
    let (control, failure) = match judged(scenario, setting, expect) {
        Ok(control) => (control, None),
        Err(failure) => (String::new(), Some(failure)),
    };
    let (suite, graph) = setting.ground.names();
    let expected = match expect {
        Expect::Ends(rule) => rule.to_owned(),
        other => format!("{other:?}").to_lowercase(),
    };
    let (scenario, side, n) = (scenario.name, "server", setting.n);
    Some(Row { scenario, side, n, suite, graph, expected, control, failure })
}

fn judged(scenario: &Scenario, setting: Setting, expect: Expect) -> Result<String, String> {
    let plan = scenario.plan(setting);
    let (game, leak) = scenario.run(plan.clone())?;
    met(expect, &game, &leak)?;
    let (twin, _) = scenario.run(Plan { without: Some(&[]), ..plan.clone() })?;
    if let Some(at) =
        (0..game.log.len().max(twin.log.len())).find(|at| game.log.get(*at) != twin.log.get(*at))
    {
        let (core, twin) = (outcome(game.log.get(at)), outcome(twin.log.get(at)));
        return Err(format!("answer {at} of the core is {core}, but of its twin {twin}"));
    }
    if expect == Expect::Leaks {
        return Ok(String::new());
    }
    let mut without = plan;
    (scenario.control)(&mut without);
    match scenario.run(without)? {
        (game, leak) if leak.is_none() => {
            Err(format!("nothing leaks in the control, whose clients ended as {:?}", game.ends))
        }
        (_, leak) => Ok(leak.to_string()),
    }
}

fn met(expect: Expect, game: &Game, leak: &Leak) -> Result<(), String> {
    if leak.is_none() == (expect == Expect::Leaks) {
        return Err(if leak.is_none() { "nothing leaks".to_owned() } else { leak.to_string() });
    }
    let ends = &game.ends;
    let good = match expect {
        Expect::Ends(rule) => !ends.is_empty() && ends.values().all(|end| end == rule),
        Expect::Done => ends.is_empty(),
        Expect::Silent | Expect::Leaks | Expect::Absent => true,
    };
    if good { Ok(()) } else { Err(format!("the honest clients ended as {ends:?}")) }
}

fn outcome(answer: Option<&Result<Vec<u8>, String>>) -> String {
    match answer {
        Some(Ok(bytes)) => format!("{} bytes of type {:?}", bytes.len(), bytes.first()),
        Some(Err(why)) => why.clone(),
        None => "missing".to_owned(),
    }
}
