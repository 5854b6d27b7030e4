//! Reality beside the simulation.

use std::collections::BTreeMap;

use secagg::Counts;
use serde::Serialize;

use super::simulate::Simulated;
use super::{Case, MEDIAN, TAIL, WIRE};
use crate::reality::Observed;

/// One set-up, seen and simulated.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The set-up's name.
    pub name: String,
    /// Real sessions that were run.
    pub sessions: usize,
    /// Whether every real sum was the sum of its survivors.
    pub exact: bool,
    /// What differs in bytes of frames and in operations, which should be nothing.
    pub differences: Vec<String>,
    /// Bytes of frames, all clients, both directions.
    pub application_bytes: u64,
    /// Bytes on the wire in reality: the mean over the sessions.
    pub wire_seen: f64,
    /// Bytes on the wire, simulated.
    pub wire_simulated: f64,
    /// The rounds in their order.
    pub stages: Vec<StageTimes>,
    /// By how many milliseconds the emulator was late, 99 of 100 packets less: how busy the machine was.
    pub late: f64,
}

/// Stage times over the clients, in seconds; in reality the medians over the sessions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageTimes {
    /// The round's name.
    pub round: String,
    /// Median over the clients, in reality.
    pub median_seen: f64,
    /// Median over the clients, simulated.
    pub median_simulated: f64,
    /// 95th percentile over the clients, in reality.
    pub tail_seen: f64,
    /// 95th percentile over the clients, simulated.
    pub tail_simulated: f64,
}

/// Compares the real sessions of a set-up with the simulated one.
pub fn compare(case: &Case, seen: &[Observed], simulated: &Simulated) -> Comparison {
    let sessions = seen.len().max(1) as f64;
    let wire = |one: &Observed| one.wire.packets.iter().map(|packet| f64::from(packet.bytes)).sum::<f64>();
    let rounds =
        seen.first().map(|one| one.rounds.iter().map(|round| round.round.clone()).collect::<Vec<_>>());
    let mut late: Vec<f64> =
        seen.iter().flat_map(|one| &one.wire.late).map(|late| *late as f64 * 1e-6).collect();
    late.sort_by(f64::total_cmp);
    Comparison {
        name: case.name.clone(),
        sessions: seen.len(),
        exact: seen.iter().all(|one| one.exact),
        differences: seen.iter().flat_map(|one| differences(one, simulated)).collect(),
        application_bytes: simulated
            .clients
            .iter()
            .flat_map(BTreeMap::values)
            .map(|part| part.up + part.down)
            .sum(),
        wire_seen: seen.iter().map(wire).sum::<f64>() / sessions,
        wire_simulated: simulated.wire as f64,
        stages: rounds.unwrap_or_default().into_iter().map(|round| stage(round, seen, simulated)).collect(),
        late: quantile(&late, 0.99),
    }
}

impl Comparison {
    /// How far the simulated bytes on the wire are off, as a share of the real ones.
    pub fn wire_error(&self) -> f64 {
        error(self.wire_simulated, self.wire_seen)
    }

    /// The greatest error of a round's median.
    pub fn median_error(&self) -> f64 {
        greatest(self.stages.iter().map(|stage| error(stage.median_simulated, stage.median_seen)))
    }

    /// The greatest error of a round's 95th percentile.
    pub fn tail_error(&self) -> f64 {
        greatest(self.stages.iter().map(|stage| error(stage.tail_simulated, stage.tail_seen)))
    }

    /// Whether everything is within its bound.
    pub fn holds(&self) -> bool {
        self.exact
            && self.differences.is_empty()
            && self.wire_error().abs() <= WIRE
            && self.median_error().abs() <= MEDIAN
            && self.tail_error().abs() <= TAIL
    }
}

/// What is unequal, in words.
fn differences(seen: &Observed, simulated: &Simulated) -> Vec<String> {
    let mut all = Vec::new();
    if seen.server != simulated.server {
        all.push(format!("the server's operations are {:?}, simulated {:?}", seen.server, simulated.server));
    }
    for (number, (real, model)) in seen.clients.iter().zip(&simulated.clients).enumerate() {
        let bytes: BTreeMap<&str, (u64, u64)> =
            real.rounds.iter().map(|(round, (up, down, _))| (round.as_str(), (*up, *down))).collect();
        let expected: BTreeMap<&str, (u64, u64)> =
            model.iter().map(|(round, part)| (round.name(), (part.up, part.down))).collect();
        if bytes != expected {
            all.push(format!("client {number}'s bytes up and down are {bytes:?}, simulated {expected:?}"));
        }
        let sums = bytes.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        if sums != (real.sent, real.received) {
            let (sent, received) = (real.sent, real.received);
            all.push(format!("client {number} counts {sent} and {received} bytes, the server {sums:?}"));
        }
    }
    let mut did = Counts::default();
    seen.clients.iter().for_each(|client| did += client.operations);
    if did != simulated.operations {
        all.push(format!("the clients' operations are {did:?}, simulated {:?}", simulated.operations));
    }
    all
}

fn stage(round: String, seen: &[Observed], simulated: &Simulated) -> StageTimes {
    let real = |part: f64| {
        let of = |one: &Observed| {
            let times = one.clients.iter().filter_map(|client| client.rounds.get(&round)?.2);
            quantile(&sorted(times), part)
        };
        quantile(&sorted(seen.iter().map(of)), 0.5)
    };
    let model: Vec<f64> = sorted(simulated.clients.iter().filter_map(|rounds| {
        rounds.iter().find(|(name, _)| name.name() == round).and_then(|(_, part)| part.answered_after)
    }));
    StageTimes {
        median_seen: real(0.5),
        median_simulated: quantile(&model, 0.5),
        tail_seen: real(0.95),
        tail_simulated: quantile(&model, 0.95),
        round,
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The value below which this part of them lies, by the nearest rank; 0 of none.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or_default()
}

/// How far `one` is off, as a share of `other`.
fn error(one: f64, other: f64) -> f64 {
    one / other - 1.0
}

fn greatest(errors: impl Iterator<Item = f64>) -> f64 {
    // What is not a number is as wrong as can be.
    let size = |error: &f64| if error.is_nan() { f64::INFINITY } else { error.abs() };
    errors.max_by(|one, other| size(one).total_cmp(&size(other))).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(stages: Vec<StageTimes>) -> Comparison {
        Comparison {
            name: "test".to_owned(),
            sessions: 1,
            exact: true,
            differences: Vec::new(),
            application_bytes: 1,
            wire_seen: 1000.0,
            wire_simulated: 1009.0,
            stages,
            late: 0.0,
        }
    }

    fn times(median_seen: f64, tail_seen: f64) -> StageTimes {
        let round = "ShareKeys".to_owned();
        StageTimes { round, median_seen, median_simulated: 1.0, tail_seen, tail_simulated: 1.0 }
    }

    #[test]
    fn the_worst_round_counts() {
        assert!(comparison(vec![times(1.04, 1.09), times(0.97, 0.93)]).holds());
        assert!(!comparison(vec![times(1.0, 1.0), times(1.06, 1.0)]).holds());
        assert!(!comparison(vec![times(1.0, 1.0), times(1.0, 0.9)]).holds());
        assert!(!comparison(Vec::new()).holds(), "nothing was seen");
        let wire = Comparison { wire_simulated: 1011.0, ..comparison(vec![times(1.0, 1.0)]) };
        assert!(!wire.holds());
        let unequal = Comparison { differences: vec![String::new()], ..comparison(vec![times(1.0, 1.0)]) };
        assert!(!unequal.holds());
    }

    #[test]
    fn quantiles_are_nearest_ranks() {
        let values = [1.0, 2.0, 3.0, 4.0];
        assert_eq!([0.0, 0.5, 0.51, 0.95].map(|part| quantile(&values, part)), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
