//! Sessions by numbers alone and with real clients: `cargo bench -p secagg-simulator --bench rounds`.

#[path = "../../protocol/benches/timing/mod.rs"]
mod timing;

use secagg_simulator::{Calibration, Mode, Scenario, Simulation};
use timing::{median, one_thread, time};

const MODEL: &str = r#"
    clients = 1000000
    graph = { kind = "regular", degree = 100, threshold = 51 }
    vectors = [{ name = "weights", length = 100000, bits = 16 }]
    network = { up = { median = 8e6, sigma = 0.7 }, latency = { median = 0.04, sigma = 0.5 }, tick = 0.1 }
    compute = { training = { median = 20, sigma = 0.5 } }
    stages.all = { deadline = 600 }
    faults.dropouts = [{ probability = 0.08, moment = "any" }]
"#;

/// Five rounds, on a complete graph: what each client is sent is so long that devices must stay for days.
const FIVE: &str = r#"
    clients = 1000000
    population = 10000000
    suite = "active"
    availability = { kind = "diurnal", low = 0.2, high = 0.8, zones = 6, stay = 864000 }
    vectors = [{ name = "weights", length = 100000, bits = 16 }]
    compute = { server_cores = 4096, training = { median = 20, sigma = 0.5 } }
    stages.all = { deadline = 360000 }
    faults.dropouts = [{ probability = 0.08, moment = "any" }]

    [network]
    up = { median = 8e6, sigma = 0.7 }
    latency = { median = 0.04, sigma = 0.5 }
    server_up = 1e13
    server_down = 1e13
    tick = 10
"#;

fn main() {
    one_thread();
    let plain = scenario(MODEL);
    let mut diurnal = scenario(MODEL);
    diurnal.population = Some(10_000_000);
    let kind = "kind = \"diurnal\"\nlow = 0.2\nhigh = 0.8\nzones = 6";
    diurnal.availability = toml::from_str(kind).expect("an availability");
    let mut shared = diurnal.clone();
    (shared.network.server_up, shared.network.server_down) = (Some(1e11), Some(1e11));
    println!("a session of four rounds, 10^6 clients, degree 100, 8 % dropout, by numbers alone");
    for (name, scenario) in [("plain", &plain), ("diurnal", &diurnal), ("diurnal, shared link", &shared)] {
        println!("  {name:<24}{:>8.3} CPU s", seconds(scenario, Mode::Model, 3));
    }
    println!("a session of five rounds, the same on a complete graph, by numbers alone");
    let five = scenario(FIVE);
    println!("  {:<24}{:>8.3} CPU s", "diurnal, shared link", seconds(&five, Mode::Model, 3));
    println!("a session with real clients, degree 100, 8 % dropout, 16 bits");
    for (clients, length) in [(1_000, 1_000), (1_000, 100_000)] {
        let mut real = scenario(MODEL);
        real.clients = clients;
        real.vectors.iter_mut().for_each(|vector| vector.length = length);
        println!("  {clients} clients, d = {length:<10}{:>8.3} CPU s", seconds(&real, Mode::Real, 1));
    }
}

fn scenario(text: &str) -> Scenario {
    Scenario::parse(text, "bench").expect("a scenario that works")
}

/// The median of some runs.
fn seconds(scenario: &Scenario, mode: Mode, runs: u64) -> f64 {
    median((1..=runs).map(|seed| {
        let scenario = Scenario { seed, ..scenario.clone() };
        let simulation =
            Simulation::new(scenario, &Calibration::built_in(), mode).expect("a scenario that works");
        time(|| simulation.run(&|_| true).expect("no mistake in the simulator"))
    }))
}
