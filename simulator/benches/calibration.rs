//! How well counts times calibration predict the CPU time of sessions.
//!
//! `cargo bench -p secagg-simulator --bench calibration`

use secagg_simulator::measure::{SessionShape, machine, measure, predict};

/// Sessions of each shape; the median of their ratios is shown.
const TIMES: usize = 5;

fn main() {
    let measured = measure("bench", |_, _| ()).expect("honest sessions succeed");
    println!("{}\npredicted / measured CPU time, medians of {TIMES} sessions\n", machine());
    println!(
        "{:>8}{:>8}{:>9}{:>6}{:>9}{:>10}{:>10}",
        "clients", "degree", "d", "bits", "dropped", "clients", "server"
    );
    for (clients, degree, length, bits, dropped) in [
        (50, 10, 100, 20, 0),
        (100, 20, 10_000, 24, 5),
        (200, 40, 1_000, 32, 20),
        (100, 20, 200_000, 20, 5),
        (30, 10, 1_000_000, 32, 3),
    ] {
        let shape = SessionShape { clients, degree, length, bits, dropped };
        let runs: Vec<_> = (0..TIMES).filter_map(|_| predict(&measured.profile, &shape).ok()).collect();
        let median = |ratio: fn(&secagg_simulator::measure::Prediction) -> f64| {
            let mut ratios: Vec<f64> = runs.iter().map(ratio).collect();
            ratios.sort_by(f64::total_cmp);
            ratios[ratios.len() / 2]
        };
        println!(
            "{clients:>8}{degree:>8}{length:>9}{bits:>6}{dropped:>9}{:>10.2}{:>10.2}",
            median(|run| run.clients.ratio()),
            median(|run| run.server.ratio())
        );
    }
}
