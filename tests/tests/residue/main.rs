//! Secrets that are over are nowhere in memory: a session whose client 1, or whose server, is a process of its own, in
//! which this one looks for every secret after each round, after an abort and after the party is dropped.
//!
//! In a control run the process keeps copies; there the search must find them. Linux only, for it reads `/proc`.

mod party;
#[cfg(target_os = "linux")]
mod scan;
#[cfg(target_os = "linux")]
mod secrets;
#[cfg(target_os = "linux")]
mod watch;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("party-client") => party::client(),
        Some("party-server") => party::server(),
        _ => watched(),
    }
}

#[cfg(target_os = "linux")]
fn watched() {
    /// Takes whether the suite is pinned.
    type Check = fn(bool);
    let checks: [(&str, Check); 4] = [
        ("a_client_forgets_each_round", watch::client_rounds),
        ("a_client_forgets_all_when_it_aborts_or_is_dropped", watch::client_ends),
        ("a_server_forgets_shares_and_secrets", watch::server),
        ("copies_are_found", watch::controls),
    ];
    for (name, check) in checks {
        for (suite, pinned) in [(1, false), (3, true)] {
            check(pinned);
            println!("test {name} in suite {suite} ... ok");
        }
    }
    println!(
        "\ntest result: ok. {} passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
        2 * checks.len()
    );
}

#[cfg(not(target_os = "linux"))]
fn watched() {
    println!("LEFT OUT: there is no /proc here");
}
