//! Reports for people.

use std::collections::BTreeMap;

use secagg::privacy::round_up;

use crate::report::{PrivacyReport, Report, RoundReport, SessionAdversary, SessionReport};

/// Sessions that are shown in full; of more there is one line each.
const IN_FULL: usize = 3;

pub(super) fn report(report: &Report) -> String {
    let mut out = String::new();
    if !report.title.is_empty() {
        out += &format!("{}\n\n", report.title);
    }
    for (at, session) in report.sessions.iter().enumerate() {
        out += &outcome(session);
        if at < IN_FULL {
            out += &detail(session);
        }
    }
    for tree in &report.trees {
        out += &format!(
            "session {}: {} sums of {} clients, added up by {} levels of aggregators at {:.3} s\n",
            tree.session,
            tree.sums,
            tree.survivors,
            tree.levels,
            seconds(tree.ended)
        );
    }
    if let Some(privacy) = &report.privacy {
        out += &given_away(privacy);
    }
    if let Some(cost) = &report.amplification {
        out += &format!(
            "with the adversaries: {:.3} times the time, {:.3} the bytes, {:.3} the clients' work, {:.3} the server's\n",
            cost.duration, cost.bytes, cost.client_work, cost.server_work
        );
    }
    if !report.complete {
        out +=
            "interrupted: these are the sessions that were done; with --out the others can be done later\n";
        for session in &report.unfinished {
            let (done, last) = (session.rounds.len(), session.rounds.last().map_or("", |round| &round.round));
            let (session, cohort) = (session.session, session.cohort);
            out += &format!(
                "session {session}, cohort {cohort}: cut off after {done} rounds, the last {last}\n"
            );
        }
    }
    out += &format!("transcript {} ({} mode)\n", report.transcript, report.mode);
    out += &format!("again: {}\n", report.replay);
    out
}

fn outcome(session: &SessionReport) -> String {
    let graph = session.degree.map_or("complete graph".to_owned(), |degree| format!("degree {degree}"));
    let end = match (&session.abort, session.exact) {
        (Some(abort), _) => format!("aborted: {abort}"),
        (None, Some(false)) => {
            format!("{} survivors, the sum is NOT that of their inputs", session.survivors)
        }
        (None, Some(true)) => format!("{} survivors, the sum is exact", session.survivors),
        (None, None) => format!("{} survivors", session.survivors),
    };
    let privacy = session.privacy.as_ref().filter(|_| session.abort.is_none()).map_or(String::new(), |one| {
        let [server, composed] = [one.server, one.composed_server].map(|epsilon| round_up(epsilon, 3));
        format!("; ε {server} against the server, {composed} so far")
    });
    format!(
        "session {}, cohort {}: {} clients, {graph}, threshold {}, {:.3} s: {end}{privacy}\n",
        session.session,
        session.cohort,
        session.clients,
        session.threshold,
        seconds(session.duration)
    )
}

fn attacked(adversary: &SessionAdversary) -> String {
    let end = match (adversary.leaked, adversary.smallest) {
        (true, _) => "A SINGLE INPUT LEAKED".to_owned(),
        (false, Some(inputs)) => format!("no sum of fewer than {inputs} inputs can be computed"),
        (false, None) => "no sum can be computed".to_owned(),
    };
    let mut out = format!(
        "\n  adversaries: {} of {} liars named, {} honest clients blamed, {} clients collude: {end}\n",
        adversary.named, adversary.liars, adversary.blamed, adversary.colluding
    );
    let lines = |title: &str, rules: &BTreeMap<String, u64>| {
        rules.iter().map(|(rule, count)| format!("    {count:>6} {title} {rule}\n")).collect::<String>()
    };
    out += &lines("broke", &adversary.rules);
    out += &lines("refused:", &adversary.refusals);
    out
}

fn given_away(privacy: &PrivacyReport) -> String {
    let end = match (privacy.ended, privacy.left) {
        (true, _) => ": the budget is spent".to_owned(),
        (false, Some(left)) => format!("; {left} more fit into the budget"),
        (false, None) => String::new(),
    };
    format!(
        "privacy: {} noise, {} bits, error {:.4} of a coordinate of the sum (central Gaussian {:.4}); {} sums gave away \
         ε {} against the server, {} for the released sums alone{end}\n",
        privacy.mechanism,
        privacy.bits,
        privacy.error,
        privacy.error_central,
        privacy.sessions,
        round_up(privacy.server, 3),
        round_up(privacy.release, 3)
    )
}

fn detail(session: &SessionReport) -> String {
    let mut out = format!(
        "\n  {:<22}{:>10}{:>10}{:>11}{:>10}{:>10}{:>10}{:>14}{:>14}\n",
        "round", "asked", "answered", "closed, by", "p50", "p95", "took", "bytes down", "bytes up"
    );
    session.rounds.iter().for_each(|one| out += &round(one));
    out += &format!(
        "\n  {:<22}{:>10}{:>10}{:>14}{:>14}{:>12}\n",
        "clients", "all", "finished", "up", "down", "work"
    );
    for class in &session.classes {
        let each = |total: u64| total as f64 / f64::from(class.clients.max(1));
        out += &format!(
            "  {:<22}{:>10}{:>10}{:>12.0} B{:>12.0} B{:>10.3} s\n",
            class.class,
            class.clients,
            class.finished,
            each(class.up),
            each(class.down),
            each(class.work) / 1e9
        );
    }
    if let Some(adversary) = &session.adversary {
        out += &attacked(adversary);
    }
    let memory = session.server_memory as f64 / f64::from(1 << 20);
    out += &format!("  server: {:.3} s of a core, {memory:.1} MiB\n\n", seconds(session.server_work));
    out
}

fn round(round: &RoundReport) -> String {
    let reason = round.reason.name();
    let [_, half, most, _] = round.answers;
    let times = [half, most, round.ended].map(|time| format!("{:>8.3} s", seconds(time))).concat();
    format!(
        "  {:<22}{:>10}{:>10}{reason:>11}{times}{:>14}{:>14}\n",
        round.round,
        round.asked,
        round.answered,
        round.requests.bytes,
        round.responses.bytes + round.wasted.bytes
    )
}

fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}
