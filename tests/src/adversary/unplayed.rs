//! Threats of the catalogue that are not played here, each with the reason and with what is tested instead.

/// A threat without a scenario.
pub struct Unplayed {
    /// Its id.
    pub threat: &'static str,
    /// What it is.
    pub says: &'static str,
    /// Why it is not played, and where it is tested.
    pub why: &'static str,
}

const fn row(threat: &'static str, says: &'static str, why: &'static str) -> Unplayed {
    Unplayed { threat, says, why }
}

/// All of them.
pub const UNPLAYED: &[Unplayed] = &[
    row(
        "S14",
        "a server announces a wrong sum",
        "clients are told no sum (spec §10.3): there is no message to forge",
    ),
    row(
        "S15",
        "a helper is asked twice for different sums",
        "there are no helpers; clients that are asked twice are `unmask-twice` and `sign-twice`",
    ),
    row(
        "S16",
        "sums of nearly the same clients are subtracted",
        "it takes two sessions that are each as they should be; the client's record refuses the second: \
         `transport/tests/active.rs`",
    ),
    row(
        "S17",
        "inference from the sum alone",
        "no check of a client prevents it: noise does, and `secagg privacy audit` measures it",
    ),
    row(
        "S18",
        "plain fields beside the masked vector",
        "no message has any: an unknown byte is [4.1-1], tested with all vectors and by fuzzing",
    ),
    row(
        "S19",
        "masks that repeat",
        "the oracle sees one session; that a mask follows from the session id is in the vectors of section 3",
    ),
    row(
        "S20",
        "aborts to make clients try again",
        "a session that is opened anew is `set-up-again`; the budget of attempts is the record's: \
         `transport/tests/active.rs`",
    ),
    row(
        "S22",
        "seeds ground by late openings",
        "in suite 3 a client opens its draw only once, for a roster that is settled: `protocol/tests/pinned.rs`; on \
         the regular graph of suite 1 the server grinds by leaving clients out: `graph-grinding`",
    ),
    row(
        "S12",
        "a short arc is cut off by naming the gaps dropped",
        "a degree and a threshold rule it out, not a check: `secagg plan`, `protocol/src/parameters/harary.rs`; \
         the shortest arc is `everybody-alone`",
    ),
    row(
        "M5",
        "inputs out of range, with proofs",
        "there are no proofs; what an input can do without them is `garbage-mask`",
    ),
    row(
        "M6",
        "the sum wraps around",
        "a configuration whose sum could wrap is [4.2-1]: `protocol/src/config.rs`; no message of a client can",
    ),
    row(
        "M11",
        "corrupt clients give their shares to the server",
        "it has no scenario of its own: they do in every scenario of a server",
    ),
];
