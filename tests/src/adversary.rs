//! The adversary: malicious servers and clients against the core, a leak oracle that knows all secrets, and a control
//! for each scenario in which the attack works (`tests/adversary/README.md`).

mod announced;
mod arcs;
pub mod badinput;
mod careless;
mod certificates;
mod clients;
mod dealing_lies;
mod differences;
mod game;
mod inference;
mod inventory;
mod lies;
mod oracle;
mod overflow;
mod pinned;
mod pinned_lies;
mod proposals;
mod report;
mod retries;
mod rosters;
mod secrets;
mod server;
mod session;
mod setting;
mod sharers;
mod streams;
mod survivors;
mod trials;
mod twin;
mod twin_pinned;
mod wire;
mod withheld;

pub use announced::{Unsound, audit};
pub use clients::{Lie, lies, tell};
pub use report::Row;
pub use server::{Expect, Scenario, play, scenarios};
pub use setting::{Ground, SIZES, Setting};
pub use trials::{Trial, hold, trials};
