//! Reports as CSV, one row for a round or for a kind of clients.

use crate::Report;

/// A row for each round of each session. Times are nanoseconds.
pub(super) fn rounds(report: &Report) -> String {
    let mut out =
        "session,cohort,round,opened,closed,ended,reason,asked,answered,requests,request_bytes,responses,\
                   response_bytes,wasted,wasted_bytes,answers_p5,answers_p50,answers_p95,answers_last\n"
            .to_owned();
    for session in &report.sessions {
        for round in &session.rounds {
            let reason = match round.reason {
                crate::Reason::Everyone => "everyone",
                crate::Reason::Quorum => "quorum",
                crate::Reason::Deadline => "deadline",
            };
            let mut row =
                vec![session.session.to_string(), session.cohort.to_string(), round.round.to_owned()];
            row.extend([round.opened, round.closed, round.ended].map(|time| time.to_string()));
            row.push(reason.to_owned());
            row.extend([round.asked, round.answered].map(|count| count.to_string()));
            for traffic in [round.requests, round.responses, round.wasted] {
                row.extend([traffic.messages, traffic.bytes].map(|number| number.to_string()));
            }
            row.extend(round.answers.map(|time| time.to_string()));
            out += &(row.join(",") + "\n");
        }
    }
    out
}

/// A row for each kind of clients of each session.
pub(super) fn classes(report: &Report) -> String {
    let mut out = "session,cohort,class,clients,finished,up_bytes,down_bytes,work_ns\n".to_owned();
    for session in &report.sessions {
        for class in &session.classes {
            let name = class.class.replace('"', "\"\"");
            out += &format!(
                "{},{},\"{name}\",{},{},{},{},{}\n",
                session.session,
                session.cohort,
                class.clients,
                class.finished,
                class.up,
                class.down,
                class.work
            );
        }
    }
    out
}
