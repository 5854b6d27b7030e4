//! How vectors were encoded, and which noise each client added: what `account` and `ledger` are told alike.

use clap::Args;
use secagg::privacy::{CentredEncoding, Encoding, PrivacyError, Task, Variance};
use secagg_transport::privacy::coding::Coding;
use secagg_transport::privacy::design::usual_beta;
use secagg_transport::privacy::scheme::Scheme;

use super::{dimension, positive};

#[derive(Args)]
pub(super) struct Encoded {
    /// Noise of one client in integer units: sigma_integer of the plan
    #[arg(long, value_name = "S", value_parser = positive)]
    pub(super) sigma: f64,
    /// Factor from real to integer units: scale of the plan
    #[arg(long, value_name = "S", value_parser = positive)]
    scale: f64,
    /// Greatest Euclidean norm of a client's vector, in real units
    #[arg(long, value_name = "C", value_parser = positive)]
    clip: f64,
    /// Coordinates of a vector, 1 to 2^28
    #[arg(long, value_name = "D", value_parser = dimension)]
    dimension: u32,
    /// Mechanism
    #[arg(long, value_enum, default_value = "ddg")]
    pub(super) mechanism: Scheme,
}

impl Encoded {
    /// The encoding of this scale: the widest ring would allow a finer one, which is then limited.
    pub(super) fn coding(&self) -> Result<Coding, PrivacyError> {
        let task = Task {
            clients: 1,
            bits: 62,
            clip: self.clip,
            dimension: self.dimension,
            beta: usual_beta(),
            wrap: 0.1,
            greatest_scale: Some(self.scale),
        };
        let coding = match self.mechanism {
            Scheme::Ddg | Scheme::Skellam => Coding::Rounded(Encoding::new(task, self.sigma / self.scale)?),
            // The norm bound is the same for every σ, and a plan takes no scale at which σ is above 4.
            Scheme::Centred => Coding::Centred(CentredEncoding::new(task, self.sigma.min(3.9) / self.scale)?),
        };
        if coding.scale() == self.scale {
            return Ok(coding);
        }
        let (what, range) = ("the clip or the noise in integer units", "small enough for a ring of 62 bits");
        Err(PrivacyError::OutOfRange { what, found: self.scale * self.clip, range })
    }
}

/// The variance that was drawn: the greatest multiple of 2^-16 that is at most σ², so that no noise is counted that
/// was not there. A part in 10^12 is allowed for σ being printed as its root.
pub(super) fn drawn(sigma: f64) -> Result<Variance, PrivacyError> {
    // What is too large saturates, and is refused.
    Variance::new((sigma * sigma * Variance::ONE as f64 * (1.0 + 1e-12)).floor() as u64)
}
