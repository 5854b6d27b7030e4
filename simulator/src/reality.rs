//! The same session in reality: one server process and one process for each client, the program `secagg`, through
//! an emulated network.
//!
//! The network is a userspace program between two TUN devices, so it needs no `netem` in the kernel; it needs Linux,
//! `/dev/net/tun`, the command `ip`, and the right to make network namespaces.

mod fair;
mod link;
#[cfg(target_os = "linux")]
mod namespaces;
#[cfg(target_os = "linux")]
mod pump;
#[cfg(target_os = "linux")]
mod session;

use std::io;

pub use link::{Access, Delivery, Direction, Emulator, Fates, Network};
#[cfg(target_os = "linux")]
pub use pump::{Sent, Wire};
#[cfg(target_os = "linux")]
pub use session::{ClientSeen, Observed, RoundSeen, Setup, observe};

/// Why a session could not be run in reality.
#[derive(Debug, thiserror::Error)]
pub enum RealityError {
    /// The system has no `ip`.
    #[error("cannot run the command `ip`: {error}; install iproute2")]
    NoIp {
        /// What the system says.
        error: io::Error,
    },
    /// Namespaces are not permitted.
    #[error("`{command}` failed: {said}; real sessions need root, or CAP_NET_ADMIN and CAP_SYS_ADMIN")]
    Namespaces {
        /// The command.
        command: String,
        /// What it said.
        said: String,
    },
    /// TUN devices are not permitted or not there.
    #[error("cannot make a TUN device: {error}; real sessions need /dev/net/tun and root, or CAP_NET_ADMIN")]
    Device {
        /// What the system says.
        error: io::Error,
    },
    /// The program `secagg` cannot be run.
    #[error(
        "cannot run {program}: {error}; build it with `cargo build --release -p secagg-transport` or name it \
             with --secagg"
    )]
    Program {
        /// The program.
        program: String,
        /// What the system says.
        error: io::Error,
    },
    /// A file cannot be written or read, or a device has failed.
    #[error("the session's files or devices failed: {0}")]
    Io(#[from] io::Error),
    /// More clients than there are addresses, or fewer links than clients.
    #[error("{0}")]
    Setup(String),
    /// A process of the session failed or said what cannot be understood.
    #[error("{who}: {said}")]
    Process {
        /// Which process.
        who: String,
        /// What it said last.
        said: String,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl RealityError {
    /// Whether this machine does not permit real sessions at all.
    pub fn is_not_permitted(&self) -> bool {
        matches!(self, Self::NoIp { .. } | Self::Namespaces { .. } | Self::Device { .. })
    }
}
