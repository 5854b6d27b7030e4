//! What a run has shown.

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
