//! Secure aggregation by the thousand: real clients and a real server of the protocol core, in one process, from
//! one seed.
//!
//! Today there is the [`Cohort`]: it runs one session of any number of clients to its end, loses some of them on
//! the way, checks the sum against the plain one, and reports every message and every operation. It never holds
//! the clients' vectors: each is made just before it is needed and is gone when its message is.
//!
//! Virtual time, networks, faults by rule and a mode that counts without computing come later; they will stand on
//! the same scenario and the same counts.
//!
//! ```
//! use secagg::{Graph, VectorSpec};
//! use secagg_simulator::{Cohort, Scenario};
//!
//! let vectors = vec![VectorSpec::new("weights", 10, 20)];
//! let scenario =
//!     Scenario { graph: Graph::Regular { degree: 8 }, clients: 30, threshold: 5, vectors, dropout: 0.05, seed: 1 };
//! let report = Cohort::new(&scenario)?.run(|_| ());
//! assert!(report.exact);
//! # Ok::<(), secagg::Misuse>(())
//! ```

mod calibration;
#[doc(hidden)]
pub mod cli;
mod cohort;
#[cfg(unix)]
pub mod measure;
pub mod quic;
mod random;
pub mod reality;
mod report;
mod scenario;
#[cfg(target_os = "linux")]
pub mod validate;

pub use calibration::{Calibration, CalibrationError, Profile};
pub use cohort::{Cohort, Progress};
pub use report::{Dropped, MessageCount, Operations, Report};
pub use scenario::Scenario;
