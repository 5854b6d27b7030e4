//! The tests of live endpoints over QUIC: this program is the other end, honest or not, of any server or client that
//! speaks the binding of section 10 (`tests/conform/README.md`).
//!
//! It is written from the document and on `quinn` alone, so that the binding has been read twice. The rounds are the
//! core's. The endpoint under test is not trusted: every wait has an end, and no frame is read beyond a limit.

mod active_client_cases;
mod active_server_cases;
mod binding;
mod case;
pub mod client;
mod client_cases;
mod host;
mod identities;
mod limit;
mod pinned_client_cases;
mod pinned_server_cases;
mod player;
mod quic;
mod scene;
pub mod server;
mod server_cases;
mod session;
mod spawn;

pub use identities::{Population, Signed};
pub use quic::Pin;
