//! What a private run gave away, beside what was planned.

use secagg::privacy::round_up;
use serde::{Deserialize, Serialize};

/// The privacy of a whole run: the plan, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrivacyReport {
    /// Name of the mechanism.
    pub mechanism: String,
    /// Whether the mechanism's guarantee has had no outside review.
    pub experimental: bool,
    /// ε of the planned rounds if every sum holds the fewest survivors.
    pub epsilon_planned: f64,
    /// ε of the sums that were released, for the survivors that were really in them.
    pub epsilon_achieved: f64,
    /// δ of both.
    pub delta: f64,
    /// The fewest survivors for which the noise was sized.
    pub minimum_survivors: u32,
    /// Greatest length of a client's update.
    pub clip: f64,
    /// Noise of one client, in the units of the clip.
    pub sigma: f64,
    /// Factor from these units to the ring's.
    pub scale: f64,
    /// Bits of a coordinate.
    pub bits: u8,
    /// The probability that a coordinate of a sum wraps.
    pub wrap_probability: f64,
    /// Bytes that a client sends in a round that nobody leaves.
    pub bytes_up_per_client: u64,
    /// The same of the run without noise.
    pub plain_bytes_up_per_client: u64,
}

impl PrivacyReport {
    /// One line for a title.
    pub fn title(&self) -> String {
        format!("{}, {} bits, ε = {}, δ = {:e}", self.label(), self.bits, self.achieved(), self.delta)
    }

    /// The lines below the table.
    pub fn summary(&self) -> String {
        format!(
            "privacy: each client has ε = {} at δ = {:e} against the server (planned {}), \
             {}, σ {:.3} a client at clip {}\n\
             bytes up per client and round: private {}, plain {}\n",
            self.achieved(),
            self.delta,
            round_up(self.epsilon_planned, 3),
            self.label(),
            self.sigma,
            self.clip,
            self.bytes_up_per_client,
            self.plain_bytes_up_per_client,
        )
    }

    fn label(&self) -> String {
        format!("{}{}", self.mechanism, if self.experimental { " (experimental)" } else { "" })
    }

    fn achieved(&self) -> String {
        round_up(self.epsilon_achieved, 3)
    }
}
