//! `secagg-simulator validate`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use clap::Args;
use secagg::{Graph, VectorSpec};

use super::{Failure, Format, print};
use crate::reality::{Access, Direction, Network, Setup, observe};

/// Run sessions in reality and in the simulator, and compare
#[derive(Args)]
pub(super) struct Arguments {
    /// The program `secagg`
    #[arg(long)]
    secagg: PathBuf,
    #[arg(long, default_value_t = 10)]
    clients: usize,
    #[arg(long, default_value_t = 1000)]
    dimension: u32,
    #[arg(long, default_value_t = 10e6)]
    rate: f64,
    #[arg(long, default_value_t = 20e6)]
    server: f64,
    #[arg(long, default_value_t = 20)]
    latency: u64,
    #[arg(long, default_value_t = 0.0)]
    loss: f64,
    #[arg(long)]
    packets: Option<PathBuf>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let access = Access {
        up: arguments.rate,
        down: arguments.rate,
        latency: arguments.latency * 1_000_000,
        jitter: 0,
        loss: arguments.loss,
    };
    let network = Network {
        clients: vec![access; arguments.clients],
        server_up: arguments.server,
        server_down: arguments.server,
        queue: 1 << 20,
        seed: 1,
    };
    let setup = Setup {
        graph: Graph::Complete,
        threshold: arguments.clients as u32 * 2 / 3 + 1,
        vectors: vec![VectorSpec::new("v", arguments.dimension, 16)],
        vanish: BTreeMap::new(),
        network,
        deadline: 60,
    };
    let observed = observe(&setup, &arguments.secagg, &AtomicBool::new(false), |_| ())
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let mut text = format!("exact {}\n", observed.exact);
    for round in &observed.rounds {
        let mut times: Vec<f64> =
            observed.clients.iter().filter_map(|c| c.rounds.get(&round.round).and_then(|r| r.2)).collect();
        times.sort_by(f64::total_cmp);
        let (up, down) = observed
            .clients
            .iter()
            .filter_map(|c| c.rounds.get(&round.round))
            .fold((0, 0), |a, r| (a.0 + r.0, a.1 + r.1));
        text += &format!(
            "{:24} {:.4} s  min {:.4} p50 {:.4} max {:.4}  up {up} down {down}\n",
            round.round,
            round.seconds,
            times[0],
            times[times.len() / 2],
            times[times.len() - 1]
        );
    }
    for direction in [Direction::Up, Direction::Down] {
        let of: Vec<_> = observed.wire.packets.iter().filter(|p| p.direction == direction).collect();
        text += &format!(
            "{direction:?} {} packets {} bytes\n",
            of.len(),
            of.iter().map(|p| u64::from(p.bytes)).sum::<u64>()
        );
    }
    let mut late = observed.wire.late.clone();
    late.sort_unstable();
    text += &format!(
        "late p50 {} p99 {} max {} ns, {:?}\n",
        late[late.len() / 2],
        late[late.len() * 99 / 100],
        late[late.len() - 1],
        observed.wire.fates
    );
    if let Some(path) = &arguments.packets {
        let lines: String = observed
            .wire
            .packets
            .iter()
            .map(|p| format!("{},{:?},{},{}\n", p.at, p.direction, p.client, p.bytes))
            .collect();
        std::fs::write(path, lines).map_err(|e| Failure::Failed(e.to_string()))?;
    }
    let _ = arguments.format;
    print(&text)
}
