//! What a run has shown.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use secagg::Counts;
use serde::{Deserialize, Serialize};

use crate::scenario::Scenario;

/// A run of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The scenario's title.
    pub title: String,
    /// How it was run: `real` or `model`.
    pub mode: String,
    /// The seed that gives the same run again.
    pub seed: u64,
    /// The command that gives the same run again; empty if the scenario came from no file.
    pub replay: String,
    /// What was simulated.
    pub scenario: Scenario,
    /// The hash of what all that happens follows from: scenario, trace, calibration and version; the same for both modes.
    #[serde(default)]
    pub origin: String,
    /// Whether all sessions were run; false after an interruption.
    pub complete: bool,
    /// All sessions, by number and cohort.
    pub sessions: Vec<SessionReport>,
    /// Sessions that an interruption has cut off, with the rounds that were done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfinished: Vec<SessionReport>,
    /// For each session number, the end of the tree above the cohorts; empty with one cohort.
    pub trees: Vec<TreeReport>,
    /// What the run has given away, if it has a private vector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<PrivacyReport>,
    /// What adversaries cost, if the scenario has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amplification: Option<Amplification>,
    /// The hash of all that happened, in hexadecimal; the same for both modes.
    pub transcript: String,
}

/// One session of one cohort. Times are in nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionReport {
    /// Its number, from 0.
    pub session: u32,
    /// Its cohort, from 0.
    pub cohort: u32,
    /// When it began, from the start of the run.
    pub start: u64,
    /// How long it took.
    pub duration: u64,
    /// Clients that were chosen.
    pub clients: u32,
    /// Neighbours of each client, if the graph is regular.
    pub degree: Option<u32>,
    /// Shares that reconstruct a secret.
    pub threshold: u32,
    /// Clients whose inputs are in the sum; 0 if the session was aborted.
    pub survivors: u32,
    /// Why the session was aborted, if it was.
    pub abort: Option<String>,
    /// Whether the sum is the plain sum of the survivors' inputs; none where no sum is computed.
    pub exact: Option<bool>,
    /// What the session has given away, if it has a private vector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<SessionPrivacy>,
    /// What came of the adversaries, if the scenario has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adversary: Option<SessionAdversary>,
    /// The rounds, in their order.
    pub rounds: Vec<RoundReport>,
    /// The kinds of clients, in the scenario's order.
    pub classes: Vec<ClassReport>,
    /// What all clients did.
    pub client_operations: Counts,
    /// What the server did.
    pub server_operations: Counts,
    /// Nanoseconds of one core that the server worked.
    pub server_work: u64,
    /// Bytes that the server must hold at once: the sums, and for each client keys and sealed shares.
    pub server_memory: u64,
    /// The hash of all that happened in it, in hexadecimal.
    #[serde(default)]
    pub digest: String,
}

/// The noise of a run, and what the run has given away: ε is rounded up, at the scenario's δ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrivacyReport {
    /// The mechanism.
    pub mechanism: String,
    /// Bits of a coordinate.
    pub bits: u8,
    /// Coordinates, padded to a power of two.
    pub dimension: u32,
    /// σ of a client's share of noise, in integer units.
    pub sigma: f64,
    /// The factor from real to integer units.
    pub scale: f64,
    /// The fewest honest shares of noise in a sum, for which the noise was chosen.
    pub fewest_shares: u32,
    /// Expected error of a coordinate of the sum when all clients answer: root of the mean square, in real units.
    pub error: f64,
    /// The same of the central Gaussian with the same guarantee.
    pub error_central: f64,
    /// Sessions that have released a sum.
    pub sessions: u32,
    /// ε of all of them together against the server.
    pub server: f64,
    /// ε of all of them together for the released sums alone.
    pub release: f64,
    /// Whether the run ended because the budget had not enough left for another session.
    pub ended: bool,
    /// How many more sessions fit into the budget, if there is one.
    pub left: Option<u32>,
}

/// What one session has given away: ε is rounded up, at the scenario's δ. All zero if no sum was released.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionPrivacy {
    /// Honest shares of noise in the sum: the survivors less the corrupt clients.
    pub shares: u32,
    /// ε against the server.
    pub server: f64,
    /// ε for the released sum alone.
    pub release: f64,
    /// ε against the server of all sessions up to this one.
    pub composed_server: f64,
    /// ε for the released sums of all sessions up to this one.
    pub composed_release: f64,
    /// Expected error of a coordinate of the sum: root of the mean square, in real units.
    pub error_expected: f64,
    /// The error that the sum had; none where no sum is computed.
    pub error_measured: Option<f64>,
}

/// What came of the adversaries of one session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionAdversary {
    /// Clients that lie, if their round comes.
    pub liars: u32,
    /// Those of them that the server has named, as culprit or as the other one of a fault that cannot be pinned.
    pub named: u32,
    /// Faults that name honest clients only.
    pub blamed: u32,
    /// For each rule that clients broke, in words and with its id, how many faults the server found.
    pub rules: BTreeMap<String, u64>,
    /// Clients that collude with the server.
    pub colluding: u32,
    /// For each rule that the server broke, how many honest clients refused for it.
    pub refusals: BTreeMap<String, u64>,
    /// Whether a single input of a client that does not collude can be computed by the server and those who do.
    pub leaked: bool,
    /// The fewest such inputs in a sum that they can compute; none if they can compute no sum.
    pub smallest: Option<u32>,
}

/// A run as a multiple of the same one without its adversaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Amplification {
    /// Virtual time of the sessions.
    pub duration: f64,
    /// Bytes of messages, both ways.
    pub bytes: f64,
    /// Work of the clients.
    pub client_work: f64,
    /// Work of the server.
    pub server_work: f64,
}

impl Amplification {
    /// Of a run, against an honest one.
    pub(crate) fn of(report: &Report, honest: &Report) -> Self {
        let ratio = |cost: fn(&SessionReport) -> u64| {
            let [mine, honest] = [report, honest].map(|run| run.sessions.iter().map(cost).sum::<u64>());
            mine as f64 / honest.max(1) as f64
        };
        Self {
            duration: ratio(|session| session.duration),
            bytes: ratio(|session| session.classes.iter().map(|class| class.up + class.down).sum()),
            client_work: ratio(|session| {
                session.classes.iter().map(|class| class.work).fold(0, u64::saturating_add)
            }),
            server_work: ratio(|session| session.server_work),
        }
    }
}

/// One round of a session. Times are in nanoseconds from its opening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundReport {
    /// Its name.
    pub round: String,
    /// When it opened, from the session's start.
    pub opened: u64,
    /// When the server stopped waiting.
    pub closed: u64,
    /// When the server had done its work and the next round could open.
    pub ended: u64,
    /// Why the server stopped waiting.
    pub reason: Reason,
    /// Clients that were asked.
    pub asked: u32,
    /// Valid answers in time.
    pub answered: u32,
    /// Messages to clients: their number and bytes.
    pub requests: Traffic,
    /// Whole answers in time: their number and bytes.
    pub responses: Traffic,
    /// Answers that were cut off or late: their number and the bytes sent for nothing.
    pub wasted: Traffic,
    /// When answers came: the time that 5, 50, 95 % of them do not exceed, to a thousandth, and the last.
    pub answers: [u64; 4],
}

/// Messages and their bytes, without framing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// How many.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Traffic {
    #[inline]
    pub(crate) fn add(&mut self, bytes: u64) {
        self.messages += 1;
        self.bytes += bytes;
    }
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.bytes += other.bytes;
    }
}

/// Why the server stopped waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Every client has answered or is known to be gone.
    Everyone,
    /// The quorum had answered and the grace time had passed.
    Quorum,
    /// The deadline.
    Deadline,
}

impl Reason {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Quorum => "quorum",
            Self::Deadline => "deadline",
        }
    }
}

/// The clients of one kind in a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassReport {
    /// The kind's name.
    pub class: String,
    /// Clients of it.
    pub clients: u32,
    /// Those whose answer to the last round counted.
    pub finished: u32,
    /// Bytes of messages that they sent.
    pub up: u64,
    /// Bytes of messages that they were sent.
    pub down: u64,
    /// Nanoseconds that they worked, training included.
    pub work: u64,
}

/// The sum of all cohorts' sums. Times are in nanoseconds from the start of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeReport {
    /// The session's number.
    pub session: u32,
    /// Cohorts that gave a sum.
    pub sums: u32,
    /// Clients whose inputs are in the whole sum.
    pub survivors: u64,
    /// Levels of aggregators above the cohorts.
    pub levels: u32,
    /// Bytes between aggregators.
    pub bytes: u64,
    /// When the whole sum is there.
    pub ended: u64,
}
