//! The adversary: malicious servers and clients against the core, a leak oracle that knows all secrets, and a control
//! for each scenario in which the attack works (`tests/adversary/README.md`).

mod clients;
mod game;
mod lies;
mod oracle;
mod pinned;
mod proposals;
mod report;
mod rosters;
mod secrets;
mod server;
mod survivors;
mod twin;
mod twin_pinned;
mod wire;

pub use clients::{Lie, lies, tell};
pub use game::{Ground, SIZES, Setting};
pub use report::Row;
pub use server::{Expect, Scenario, play, scenarios};
