//! A report's sessions, rounds and kinds of clients as tables. Times are nanoseconds.

use super::Table;
use crate::report::{ClassReport, Report, RoundReport, SessionAdversary, SessionPrivacy, SessionReport};

/// A row for each session of each cohort.
///
/// `degree` of a complete graph is the number of the others. `dropout` is the probability with which the scenario's
/// rules make a client vanish before the end of its session, outages not counted. `packed_bytes` is what one client's
/// vectors take when each coordinate has just its bits: the least that any protocol sends. Bytes are those of all clients together.
/// What a session has given away has columns if the scenario has a private vector, as in [`SessionPrivacy`], and what
/// came of adversaries if it has any, as in [`SessionAdversary`].
pub fn sessions(report: &Report) -> Table {
    let scenario = &report.scenario;
    let all = || report.sessions.iter();
    let counts =
        |table: Table, name: &str, value: fn(&SessionReport) -> u64| table.counts(name, all().map(value));
    let privacy = |table: Table, name: &str, value: fn(&SessionPrivacy) -> f64| {
        table.numbers(name, all().map(|session| session.privacy.as_ref().map_or(0.0, value)))
    };
    let same = |table: Table, name: &str, value: u64| table.counts(name, all().map(|_| value));
    let mut table = same(Table::default(), "seed", report.seed);
    table = counts(table, "session", |session| session.session.into());
    table = counts(table, "cohort", |session| session.cohort.into());
    table = counts(table, "clients", |session| session.clients.into());
    let graph = |session: &SessionReport| session.degree.map_or("complete", |_| "regular").to_owned();
    table = table.texts("graph", all().map(graph));
    table = counts(table, "degree", |s| s.degree.unwrap_or(s.clients.saturating_sub(1)).into());
    table = counts(table, "threshold", |session| session.threshold.into());
    table = same(table, "coordinates", scenario.coordinates());
    table = same(table, "packed_bytes", scenario.packed_bytes());
    let dropout = scenario.dropout_probability();
    table = table.numbers("dropout", all().map(|_| dropout));
    table = counts(table, "survivors", |session| session.survivors.into());
    table = table.texts("abort", all().map(|session| session.abort.clone().unwrap_or_default()));
    let exact = |session: &SessionReport| session.exact.map_or(String::new(), |exact| exact.to_string());
    table = table.texts("exact", all().map(exact));
    table = counts(table, "start", |session| session.start);
    table = counts(table, "duration", |session| session.duration);
    table = counts(table, "up_bytes", |session| session.classes.iter().map(|class| class.up).sum());
    table = counts(table, "down_bytes", |session| session.classes.iter().map(|class| class.down).sum());
    table = counts(table, "client_work", |session| {
        session.classes.iter().map(|class| class.work).fold(0, u64::saturating_add)
    });
    table = counts(table, "server_work", |session| session.server_work);
    table = counts(table, "server_memory", |session| session.server_memory);
    if scenario.adversaries.is_some() {
        table = adversaries(table, report);
    }
    if scenario.privacy.is_none() {
        return table;
    }
    table = counts(table, "noise_shares", |s| s.privacy.map_or(0, |privacy| privacy.shares.into()));
    table = privacy(table, "epsilon_server", |privacy| privacy.server);
    table = privacy(table, "epsilon_release", |privacy| privacy.release);
    table = privacy(table, "composed_epsilon_server", |privacy| privacy.composed_server);
    table = privacy(table, "composed_epsilon_release", |privacy| privacy.composed_release);
    table = privacy(table, "error_expected", |privacy| privacy.error_expected);
    let measured = |session: &SessionReport| session.privacy?.error_measured;
    let text = |session| measured(session).map_or(String::new(), |error: f64| error.to_string());
    table.texts("error_measured", all().map(text))
}

/// What came of the adversaries; `smallest` is 0 where no sum can be computed.
fn adversaries(mut table: Table, report: &Report) -> Table {
    let all = || report.sessions.iter().map(|session| session.adversary.clone().unwrap_or_default());
    let counts =
        |table: Table, name: &str, value: fn(SessionAdversary) -> u64| table.counts(name, all().map(value));
    table = counts(table, "liars", |adversary| adversary.liars.into());
    table = counts(table, "liars_named", |adversary| adversary.named.into());
    table = counts(table, "honest_blamed", |adversary| adversary.blamed.into());
    table = counts(table, "faults", |adversary| adversary.rules.values().sum());
    table = counts(table, "colluding", |adversary| adversary.colluding.into());
    table = counts(table, "refusals", |adversary| adversary.refusals.values().sum());
    table = table.texts("leaked", all().map(|adversary| adversary.leaked.to_string()));
    counts(table, "smallest", |adversary| adversary.smallest.unwrap_or(0).into())
}

/// A row for each round of each session.
pub fn rounds(report: &Report) -> Table {
    let all = || {
        let sessions = report.sessions.iter();
        sessions.flat_map(|session| session.rounds.iter().map(move |round| (session, round)))
    };
    let counts = |table: Table, name: &str, value: fn(&RoundReport) -> u64| {
        table.counts(name, all().map(|(_, round)| value(round)))
    };
    let mut table = Table::default()
        .counts("session", all().map(|(session, _)| session.session.into()))
        .counts("cohort", all().map(|(session, _)| session.cohort.into()))
        .texts("round", all().map(|(_, round)| round.round.clone()));
    table = counts(table, "opened", |round| round.opened);
    table = counts(table, "closed", |round| round.closed);
    table = counts(table, "ended", |round| round.ended);
    table = table.texts("reason", all().map(|(_, round)| round.reason.name().to_owned()));
    table = counts(table, "asked", |round| round.asked.into());
    table = counts(table, "answered", |round| round.answered.into());
    table = counts(table, "requests", |round| round.requests.messages);
    table = counts(table, "request_bytes", |round| round.requests.bytes);
    table = counts(table, "responses", |round| round.responses.messages);
    table = counts(table, "response_bytes", |round| round.responses.bytes);
    table = counts(table, "wasted", |round| round.wasted.messages);
    table = counts(table, "wasted_bytes", |round| round.wasted.bytes);
    table = counts(table, "answers_p5", |round| round.answers[0]);
    table = counts(table, "answers_p50", |round| round.answers[1]);
    table = counts(table, "answers_p95", |round| round.answers[2]);
    counts(table, "answers_last", |round| round.answers[3])
}

/// A row for each kind of clients of each session.
pub fn classes(report: &Report) -> Table {
    let all = || {
        let sessions = report.sessions.iter();
        sessions.flat_map(|session| session.classes.iter().map(move |class| (session, class)))
    };
    let counts = |table: Table, name: &str, value: fn(&ClassReport) -> u64| {
        table.counts(name, all().map(|(_, class)| value(class)))
    };
    let mut table = Table::default()
        .counts("session", all().map(|(session, _)| session.session.into()))
        .counts("cohort", all().map(|(session, _)| session.cohort.into()))
        .texts("class", all().map(|(_, class)| class.class.clone()));
    table = counts(table, "clients", |class| class.clients.into());
    table = counts(table, "finished", |class| class.finished.into());
    table = counts(table, "up_bytes", |class| class.up);
    table = counts(table, "down_bytes", |class| class.down);
    counts(table, "work", |class| class.work)
}
