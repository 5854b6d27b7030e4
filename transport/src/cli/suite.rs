//! The suite, and what the signed ones need, on the command line.

use clap::{Args, ValueEnum};
use secagg::Suite;
use secagg_transport::enrolment::KeyKind;

use super::Failure;

/// The suite of a server.
#[derive(Args)]
pub(super) struct SuiteArguments {
    /// Protocol suite: active is for servers and clients that may lie, and needs the complete graph, --authority and
    /// --corrupt; pinned, which is experimental, needs --degree too
    #[arg(long, value_enum, default_value = "curious")]
    suite: SuiteName,
    /// Who certifies the clients of a signed suite: 64 hexadecimal digits, or a file such as ca.pub
    #[arg(long, value_name = "HEX|FILE", required_if_eq_any([("suite", "active"), ("suite", "pinned")]))]
    authority: Option<String>,
    /// Corrupt clients that a signed suite withstands; a certificate is signed by more than half of these and all clients
    /// together
    #[arg(long, value_name = "C", required_if_eq_any([("suite", "active"), ("suite", "pinned")]))]
    corrupt: Option<u32>,
}

/// The name of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SuiteName {
    /// The server follows the protocol and remembers what it sees
    Curious,
    /// Neither the server nor corrupt clients need follow it
    Active,
    /// The same on a sparse graph; experimental
    Pinned,
}

impl SuiteArguments {
    /// The suite with its numbers.
    pub(super) fn suite(&self) -> Result<Suite, Failure> {
        match (self.suite, &self.authority, self.corrupt) {
            (SuiteName::Curious, None, None) => Ok(Suite::Curious),
            (SuiteName::Active, Some(authority), Some(corrupt)) => {
                let authority = KeyKind::Authority.public(authority).map_err(Failure::failed)?;
                Ok(Suite::Active { corrupt, authority })
            }
            (SuiteName::Pinned, Some(authority), Some(corrupt)) => {
                let authority = KeyKind::Authority.public(authority).map_err(Failure::failed)?;
                Ok(Suite::Pinned { corrupt, authority })
            }
            _ => Err(Failure::Usage("--authority and --corrupt belong to --suite active or pinned".into())),
        }
    }
}
