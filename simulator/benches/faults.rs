//! Sessions with real clients and faults: how many a CPU minute, and whether every fault was met: `cargo bench -p
//! secagg-simulator --bench faults`.
//!
//! Twenty clients, eight coordinates. Each session ends with the exact sum or is aborted with a reason; anything else
//! ends the bench. It fails too if a cell of the table stays empty.

#[path = "../../protocol/benches/timing/mod.rs"]
mod timing;

use std::collections::BTreeMap;

use secagg::Round;
use secagg_simulator::{Calibration, Mode, Record, Scenario, Simulation};
use timing::{one_thread, time};

/// Sessions of each cell.
const SESSIONS: u32 = 40;

const GRAPHS: [&str; 2] =
    ["{ kind = \"complete\", threshold = 11 }", "{ kind = \"regular\", degree = 6, threshold = 4 }"];

/// The rounds, and a deadline in seconds between those who are slow there and the others.
const ROUNDS: [(Round, &str, f64); 4] = [
    (Round::AdvertiseKeys, "advertise-keys", 0.2),
    (Round::ShareKeys, "share-keys", 4.0),
    (Round::MaskedInputCollection, "masked-input-collection", 1.5),
    (Round::Unmasking, "unmasking", 0.6),
];

/// Who goes wrong, and when in a round: before it works, at work, in the middle of its answer, or by being too late.
const CELLS: [(&str, &str); 7] = [
    ("one client", "before"),
    ("one client", "computing"),
    ("one client", "uploading"),
    ("one client", "late"),
    ("a region", "before"),
    ("a region", "uploading"),
    ("everybody", "late"),
];

fn main() {
    one_thread();
    for graph in GRAPHS {
        let mut met = BTreeMap::new();
        let (mut sessions, mut rounds, mut released) = (0, 0, 0);
        let seconds = time(|| {
            for (cell, at) in (0..CELLS.len()).flat_map(|cell| (0..ROUNDS.len()).map(move |at| (cell, at))) {
                let (report, records) = run(&scenario(graph, at, CELLS[cell]), Mode::Real);
                for session in &report.sessions {
                    assert!(session.exact == Some(true) || session.abort.is_some(), "{session:?}");
                    released += u32::from(session.abort.is_none());
                    rounds += session.rounds.len();
                }
                sessions += report.sessions.len();
                let hits = records.iter().filter(|record| is_hit(record, at, CELLS[cell].1)).count();
                met.insert((cell, at), hits);
            }
        });
        println!("20 clients, 8 coordinates, {graph}: clients that went wrong\n");
        let names = ROUNDS.map(|(round, ..)| round.name());
        println!("| who | when | {} |\n| --- | --- | --- | --- | --- | --- |", names.join(" | "));
        for (cell, (actor, moment)) in CELLS.iter().enumerate() {
            let hits: Vec<String> = (0..ROUNDS.len()).map(|at| met[&(cell, at)].to_string()).collect();
            println!("| {actor} | {moment} | {} |", hits.join(" | "));
        }
        let minute = |count: usize| count as f64 / seconds * 60.0;
        println!(
            "\n{sessions} sessions, {released} with a sum, and {rounds} rounds in {seconds:.1} CPU s: {:.0} sessions \
             and {:.0} rounds a CPU minute\n",
            minute(sessions),
            minute(rounds)
        );
        let empty: Vec<_> = met.iter().filter(|(_, hits)| **hits == 0).collect();
        assert!(empty.is_empty(), "never met: {empty:?}");
    }
}

fn run(scenario: &Scenario, mode: Mode) -> (secagg_simulator::Report, Vec<Record>) {
    let simulation = Simulation::new(scenario.clone(), &Calibration::built_in(), mode);
    simulation.expect("a scenario that works").run_with_records().expect("no mistake in the simulator")
}

/// Sessions in which this goes wrong in this round, and nothing else does. Machines and links are slow, so that every
/// moment lasts.
fn scenario(graph: &str, at: usize, (actor, moment): (&str, &str)) -> Scenario {
    let (_, name, deadline) = ROUNDS[at];
    let key = name.replace('-', "_");
    let base = format!(
        "clients = 20\npopulation = 1000\nsessions = {SESSIONS}\ngraph = {graph}\n\
         vectors = [{{ name = \"v\", length = 8, bits = 16 }}]\nnetwork = {{ up = 2e4, down = 1e6 }}\n\
         compute = {{ classes = [{{ name = \"slow\", profile = \"phone\", factor = 50 }}] }}\n"
    );
    let parse = |more: &str| Scenario::parse(&(base.clone() + more), "bench").expect("a scenario that works");
    match (actor, moment) {
        ("one client", "late") => parse(&format!(
            "faults.stragglers = {{ share = 0.1, slowdown = 1000 }}\nstages.{key} = {{ deadline = {deadline} }}\n\
             stages.all = {{ deadline = 100000 }}\n"
        )),
        ("everybody", _) => parse(&format!("stages.{key} = {{ deadline = 0.03 }}\n")),
        ("a region", _) => {
            let (report, records) = run(&Scenario { sessions: 1, ..parse("") }, Mode::Model);
            let opened = report.sessions[0].rounds[at].opened;
            let quiet = records.iter().find(|record| is_of(record, at)).expect("everybody answers");
            let begins = quiet.began.expect("everybody answers");
            let after = if moment == "before" { 10_000_000 } else { (begins + quiet.ended) / 2 };
            let seconds = (opened + after) as f64 * 1e-9;
            parse(&format!("faults.outages = [{{ at = {seconds}, share = 0.2 }}]\n"))
        }
        _ => parse(&format!(
            "faults.dropouts = [{{ round = {name:?}, probability = 0.1, moment = {moment:?} }}]\n"
        )),
    }
}

fn is_of(record: &Record, at: usize) -> bool {
    record.round == ROUNDS[at].0
}

/// Whether a client went wrong in this round as it should.
fn is_hit(record: &Record, at: usize, moment: &str) -> bool {
    let begun = record.began.is_some();
    let as_it_should = match moment {
        "before" | "computing" => !begun,
        "uploading" => begun && record.sent > 0,
        _ => true,
    };
    is_of(record, at) && !record.accepted && as_it_should
}
