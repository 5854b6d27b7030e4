//! Where a client is in a session, for those who watch it.

use std::ops::ControlFlow;

use secagg::Round;

/// A point in a session at which an observer is asked whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The request of a round is here and not answered yet.
    Received(Round),
    /// The answer of a round is being sent: `sent` of `total` bytes of its body are on the way.
    Sending {
        /// The round.
        round: Round,
        /// Bytes handed to the network.
        sent: u64,
        /// Bytes in all.
        total: u64,
    },
    /// The answer of a round is sent.
    Sent(Round),
}

/// Is asked at every step; `Break` makes the client vanish.
pub(crate) type Observer = Box<dyn FnMut(Step) -> ControlFlow<()> + Send>;
