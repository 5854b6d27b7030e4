//! The adversary: malicious servers and clients against the core, a leak oracle that knows all secrets, and a control
//! for each scenario in which the attack works (`tests/adversary/README.md`).

pub mod badinput;
mod careless;
mod certificates;
mod clients;
mod dealing_lies;
mod game;
mod lies;
mod oracle;
mod pinned;
mod pinned_lies;
mod proposals;
mod report;
mod rosters;
mod secrets;
mod server;
mod setting;
mod sharers;
mod survivors;
mod twin;
mod twin_pinned;
mod unplayed;
mod wire;

pub use clients::{Lie, lies, tell};
pub use report::Row;
pub use server::{Expect, Scenario, play, scenarios};
pub use setting::{Ground, SIZES, Setting};
pub use unplayed::{UNPLAYED, Unplayed};
