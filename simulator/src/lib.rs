//! Secure aggregation in virtual time: what a session costs and survives, repeatable from a seed.
//!
//! A [`Scenario`] is a TOML file; `simulator/scenarios/README.md` lists its fields. A [`Simulation`] runs it in one of
//! two modes that give the same events, bytes, operations and times:
//!
//! - [`Mode::Real`] drives the protocol's own clients and server, with real bytes and real cryptography;
//! - [`Mode::Model`] knows how long each message is and how many operations each step takes, and computes nothing else,
//!   so it reaches a hundred million clients.
//!
//! Time is virtual: a step takes as long as a [`Calibration`] says that its operations do, never as long as it took.
//!
//! ```
//! use secagg_simulator::{Calibration, Mode, Scenario, Simulation};
//!
//! let scenario = r#"
//!     clients = 30
//!     graph = { kind = "regular", degree = 8, threshold = 5 }
//!     vectors = [{ name = "weights", length = 10, bits = 20 }]
//!     faults.dropouts = [{ probability = 0.05 }]
//! "#;
//! let scenario = Scenario::parse(scenario, "example")?;
//! let run = |mode| Simulation::new(scenario.clone(), &Calibration::built_in(), mode)?.run(&|_| true);
//! let (real, model) = (run(Mode::Real)?, run(Mode::Model)?);
//! assert_eq!(real.sessions[0].exact, Some(true));
//! assert_eq!(real.transcript, model.transcript);
//! # Ok::<(), secagg_simulator::RunError>(())
//! ```

mod adversary;
mod broken;
mod calibration;
mod cast;
mod circle;
#[doc(hidden)]
pub mod cli;
mod devices;
mod distribution;
mod draw;
pub mod estimate;
mod exchange;
mod histogram;
mod identities;
mod inbox;
mod inputs;
mod ledger;
mod link;
#[cfg(unix)]
pub mod measure;
mod model;
pub mod page;
mod privacy;
mod queue;
pub mod quic;
mod real;
pub mod reality;
mod report;
pub mod results;
pub mod scenario;
mod session;
mod simulation;
pub mod sweep;
mod transcript;
#[cfg(target_os = "linux")]
pub mod validate;
mod world;

pub use calibration::{Calibration, CalibrationError, Profile};
pub use distribution::Distribution;
pub use queue::{EventQueue, When};
pub use report::{
    Amplification, ClassReport, PrivacyReport, Reason, Report, RoundReport, SessionAdversary, SessionPrivacy,
    SessionReport, Traffic, TreeReport,
};
pub use scenario::{Scenario, ScenarioError};
pub use session::{Broken, Progress};
pub use simulation::{Mode, RunError, Simulation};
pub use transcript::Record;
