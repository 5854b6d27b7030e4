//! A set-up in virtual time: what the simulator says about each client, and what that is on the wire.

use std::collections::BTreeMap;

use secagg::{Counts, Round};

use super::case::Case;
use crate::Calibration;
use crate::quic;
use crate::simulation::{Mode, RunError, Simulation};
use crate::transcript::Record;

/// Bytes of a frame's header in `secagg-transport`.
const FRAME: u64 = 9;

/// Bytes of the length before the task, in the first frame from the server.
const TASK_LENGTH: u64 = 8;

/// Bytes of the message by which a client joins: version, length of the name, and the name itself, as
/// [`crate::reality`] gives them.
const JOIN: u64 = 2 + 1 + 12;

/// What a set-up comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulated {
    /// By client, what it did in each round.
    pub clients: Vec<BTreeMap<Round, Part>>,
    /// The clients that vanished, numbered from 0, and the rounds.
    pub vanished: Vec<(usize, Round)>,
    /// What all clients did.
    pub operations: Counts,
    /// What the server did.
    pub server: Counts,
    /// Bytes on the wire in both directions, all clients together.
    pub wire: u64,
}

/// One client's part in a round.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Part {
    /// Bytes of frames to the server.
    pub up: u64,
    /// Bytes of frames from the server.
    pub down: u64,
    /// Seconds from the requests to the whole answer, if there was one.
    pub answered_after: Option<f64>,
}

/// Runs a set-up in the simulator's real mode.
///
/// # Errors
/// The scenario cannot be run, or the simulator is broken.
pub fn simulate(case: &Case, calibration: &Calibration) -> Result<Simulated, RunError> {
    let simulation = Simulation::new(case.scenario.clone(), calibration, Mode::Real)?;
    let (report, records) = simulation.run_with_records()?;
    let clients = vec![BTreeMap::new(); case.scenario.clients as usize];
    let session = report.sessions.first();
    let [operations, server] = match session {
        Some(session) => [session.client_operations, session.server_operations],
        None => [Counts::default(); 2],
    };
    let mut simulated = Simulated { clients, vanished: Vec::new(), operations, server, wire: 0 };
    for record in &records {
        let asked_again =
            records.iter().any(|other| other.client == record.client && other.round > record.round);
        simulated.note(record, asked_again);
    }
    Ok(simulated)
}

impl Simulated {
    fn note(&mut self, record: &Record, asked_again: bool) {
        let client = record.client as usize - 1;
        let first = |bytes| if record.round == Round::AdvertiseKeys { bytes } else { 0 };
        let request = FRAME + first(TASK_LENGTH) + record.request;
        self.wire += quic::message(request)
            + quic::acknowledgements_before_answer(request)
            + first(quic::CONNECTION_UP + quic::CONNECTION_DOWN);
        let Some(rounds) = self.clients.get_mut(client) else { return };
        let part = rounds.entry(record.round).or_default();
        part.down += request;
        part.up += first(FRAME + JOIN);
        if !record.accepted {
            self.vanished.push((client, record.round));
            return;
        }
        let answer = FRAME + record.sent;
        part.up += answer;
        part.answered_after = Some(record.ended as f64 * 1e-9);
        // A last word to those who are not asked any more.
        part.down += if asked_again { 0 } else { FRAME };
        self.wire += quic::message(answer) + quic::acknowledgements(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simulated(name: &str) -> (Case, Simulated) {
        let mut case = Case::built_in().unwrap().into_iter().find(|case| case.name == name).unwrap();
        let profile = Calibration::built_in().profiles["server"].clone();
        let calibration = case.on_one_machine(profile);
        let simulated = simulate(&case, &calibration).unwrap();
        (case, simulated)
    }

    #[test]
    fn a_slow_link_decides_the_stage_time() {
        let (case, simulated) = simulated("plain");
        let config = case.scenario.config(8, [0; 32], None).unwrap();
        let seconds = simulated.clients[3][&Round::MaskedInputCollection].answered_after.unwrap();
        let wire = quic::message(FRAME + secagg::sizes::masked_input_response(&config)) as f64;
        let least = wire * 8.0 / 2e6 + 0.2;
        assert!((least..least + 0.4).contains(&seconds), "{seconds} {least}");
    }

    #[test]
    fn who_vanishes_sends_no_answer_and_gets_no_last_word() {
        let (_, simulated) = simulated("dropouts");
        let rounds: std::collections::BTreeSet<Round> =
            simulated.vanished.iter().map(|(_, round)| *round).collect();
        assert!(
            rounds.len() >= 2,
            "the set-up is to have dropouts in several rounds: {:?}",
            simulated.vanished
        );
        for (client, round) in &simulated.vanished {
            let rounds = &simulated.clients[*client];
            assert_eq!(rounds.last_key_value().map(|(last, _)| last), Some(round));
            assert_eq!((rounds[round].up, rounds[round].answered_after), (0, None));
        }
    }
}
