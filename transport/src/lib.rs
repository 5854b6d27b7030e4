//! Secure aggregation over QUIC.
//!
//! The protocol core, crate `secagg`, turns bytes into bytes. This crate moves those bytes: a
//! [`SecaggServer`] holds one UDP endpoint, lets clients join, and runs one [`SessionPlan`] after
//! another; a [`SecaggClient`] joins, gives its input and learns how the session ended. When a
//! round closes is decided here, by a [`SessionPolicy`], because the core has no clock.
//!
//! Transport security is TLS 1.3 with one pinned server certificate ([`Identity`], [`Pin`]). It
//! hides traffic from the network; from the server it is the core that hides the inputs.

mod appended;
mod client;
pub mod client_policy;
mod connect;
mod credit;
#[doc(hidden)]
pub mod demo;
mod endpoint;
pub mod enrolment;
mod error;
mod frame;
mod identity;
mod ledger;
mod lobby;
mod meter;
mod outcome;
mod peer;
mod persist;
mod plan;
mod policy;
#[doc(hidden)]
pub mod privacy;
mod randomness;
mod record;
mod server;
mod session;
mod status;
mod step;
mod tls;
mod upload;

pub use client::{Announcement, Participation, SecaggClient};
pub use client_policy::{ClientPolicy, PolicyFileError};
pub use error::Error;
pub use frame::{HEADER_BYTES, Stage};
pub use identity::{BadPin, Identity, IdentityError, Pin};
pub use ledger::{LedgerFile, LedgerFileError};
pub use lobby::{VERSION, is_valid_name};
pub use meter::Meter;
pub use outcome::{Outcome, StageReport, Traffic};
pub use persist::write as write_file;
pub use plan::{SessionPlan, Threshold};
pub use policy::{SessionPolicy, StagePolicy};
pub use randomness::Randomness;
pub use record::{ClientRecord, RecordError};
pub use server::{Limits, SecaggServer};
pub use status::Status;
pub use step::Step;
pub use tls::{ALPN, TlsSetup};
