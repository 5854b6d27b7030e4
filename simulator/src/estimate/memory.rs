//! The memory of a session, by its parts.
//!
//! Messages have the lengths that the core tells. What clients and the server make of them is counted in bytes asked of
//! the allocator for each client and each neighbour; `tests/estimate.rs` holds these numbers to what is asked in truth.

use secagg::{Config, Graph, sizes};

use crate::Mode;
use crate::distribution::Distribution;
use crate::scenario::{Availability, Mechanism, Scenario, ScenarioError};
use crate::session::lane;

/// Of a client before it has answered anything, with what the server keeps of it: configuration, policy, secrets.
const CLIENT_AT_FIRST: u64 = 7_400;
/// The same once it has shared.
const CLIENT: u64 = 2_800;
/// Of each neighbour of a client that has shared: keys, the one that opens the neighbour's bundle, and the bundle's place
/// at the server.
const NEIGHBOUR: u64 = 112;
/// Of each mask key that a client keeps decoded until it masks, and how many it keeps at the most.
const DECODED: u64 = 168;
const DECODED_AT_MOST: u64 = 32;
/// In a suite with signatures, of each client of the roster at each client: a key that is ready to verify with.
const IDENTITY: u64 = 200;

/// A coordinate of a client's noise, which is drawn when it shares and kept until it masks.
const DRAWN: u64 = 8;
/// For each coordinate of one private vector on its way from real numbers to ring elements, or of the sum on its way back.
const ENCODING: u64 = 26;
/// The tables of Skellam's sampler at its greatest variance.
const SKELLAM_TABLES: u64 = 16 << 20;

/// In model mode, of a client: how far it is, twice, and its partners.
const MODELLED_CLIENT: u64 = 6;
/// When its answer begins, where answers wait for a link that is shared.
const MODELLED_WAIT: u64 = 4;
/// Where packets are lost, more: what it sends.
const MODELLED_LOSSY_WAIT: u64 = 48;
/// The tables of a shared link, by the tick at which answers begin: of a client at the most, and altogether as a rule.
const MODELLED_LINK: (u64, u64) = (48, 1 << 20);
/// Of one whose answer is not sure to count as soon as it is known, while the list of these grows.
const MODELLED_REST: u64 = 48;
/// Of a device that is chosen, with when it leaves.
const MODELLED_DEVICE: u64 = 8;
/// The tables of a round.
const MODELLED_TABLES: u64 = 250_000;

/// What the allocator holds for many small pieces, as a multiple of what was asked of it.
const HELD: f64 = 1.25;

/// Bytes asked of the allocator at the peak of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Clients, what the server keeps of them, and requests that wait for their answers: many small pieces.
    pub clients: u64,
    /// In model mode the arrays by client instead.
    pub arrays: u64,
    /// The sum with its check, one input, one masked input.
    pub vectors: u64,
    /// What noise adds to a private vector.
    pub noise: u64,
    /// Answers that liars keep.
    pub adversaries: u64,
}

impl Parts {
    /// Of one session of a scenario.
    ///
    /// # Errors
    /// A number of the scenario cannot work.
    pub fn of(scenario: &Scenario, mode: Mode) -> Result<Self, ScenarioError> {
        let config = scenario.plain()?.config(scenario.clients, [0; 32], None)?;
        Ok(match mode {
            Mode::Model => Self { arrays: arrays(scenario, &config), ..Self::default() },
            Mode::Real => Self {
                clients: clients(&config),
                arrays: 0,
                vectors: vectors(&config),
                noise: noise(scenario, &config),
                adversaries: adversaries(scenario, &config),
            },
        })
    }

    /// All that is asked of the allocator.
    pub fn asked(&self) -> u64 {
        self.clients + self.arrays + self.vectors + self.noise + self.adversaries
    }

    /// What the allocator holds for it.
    pub fn held(&self) -> u64 {
        (self.clients as f64 * HELD) as u64 + self.asked() - self.clients
    }
}

fn partners(config: &Config) -> u64 {
    match config.graph {
        Graph::Complete => u64::from(config.clients) - 1,
        Graph::Regular { degree } | Graph::KOut { degree } => degree.into(),
    }
}

fn arrays(scenario: &Scenario, config: &Config) -> u64 {
    let clients = u64::from(config.clients);
    let waits = match (&scenario.network.server_down, &scenario.network.loss) {
        (None, _) => 0,
        (Some(_), Distribution::Constant(0.0)) => MODELLED_WAIT,
        (Some(_), _) => MODELLED_WAIT + MODELLED_LOSSY_WAIT,
    };
    let link = if waits > 0 { (MODELLED_LINK.0 * clients).min(MODELLED_LINK.1) } else { 0 };
    // A device and when it leaves, where these are chosen one by one.
    let devices = if scenario.availability == Availability::Always { 0 } else { MODELLED_DEVICE };
    let rounds = crate::exchange::rounds(config.suite);
    let has_quorum = rounds.iter().any(|round| scenario.stages.of(*round).quorum < 1.0);
    // Until a quorum is there, nothing is sure. Otherwise it is about those who vanish in one round; who leaves by the
    // hour, or comes after the deadline, is not foreseen.
    let rest = if has_quorum { 1.0 } else { scenario.faults.vanish_at_once(rounds) };
    let rest = (clients as f64 * rest) as u64 * MODELLED_REST;
    MODELLED_TABLES + link + clients * (MODELLED_CLIENT + waits + devices) + rest
}

/// At the first requests for shares, or when shares are in: the server keeps each bundle once, with its holder's.
fn clients(config: &Config) -> u64 {
    let (clients, partners) = (u64::from(config.clients), partners(config));
    let neighbours = partners as usize;
    let at_first = CLIENT_AT_FIRST + sizes::share_keys_request(config, neighbours);
    let identities = if config.suite.is_signed() {
        // It is made without knowing how long it gets.
        IDENTITY * clients.next_power_of_two()
    } else {
        0
    };
    let bundles = sizes::masked_input_request(config, clients as usize, neighbours);
    let kept = NEIGHBOUR * partners + DECODED * partners.min(DECODED_AT_MOST);
    clients * at_first.max(CLIENT + kept + identities + bundles)
}

/// The plain sum in 8 bytes a coordinate; the server's sum and one client's input in lanes; one masked input.
fn vectors(config: &Config) -> u64 {
    let lanes = |(length, bits)| u64::from(length) * (8 + 2 * lane(bits));
    let lanes: u64 = config.vectors.iter().map(|spec| lanes((spec.length, spec.bits))).sum();
    lanes + config.packed_len()
}

fn noise(scenario: &Scenario, config: &Config) -> u64 {
    let Some(privacy) = &scenario.privacy else { return 0 };
    let tables = match privacy.mechanism {
        Mechanism::Ddg => 0,
        Mechanism::Skellam => SKELLAM_TABLES,
    };
    let length = u64::from(privacy.dimension.next_power_of_two());
    // The tables are gone when the first vector is encoded.
    DRAWN * length * u64::from(config.clients) + (ENCODING * length).max(tables)
}

/// One honest answer, and of each liar that gets so far its answer, as long as a masked input.
fn adversaries(scenario: &Scenario, config: &Config) -> u64 {
    let Some(adversaries) = &scenario.adversaries else { return 0 };
    let liars = adversaries.lies.iter().filter(|liars| !liars.lie.is_put_out_before_masking());
    let share: f64 = liars.map(|liars| liars.share).sum();
    let liars = (share.min(1.0) * f64::from(config.clients)).ceil() as u64;
    (1 + liars) * sizes::masked_input_response(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Parts {
        let base =
            "clients = 20\nminimum_survivors = 10\nvectors = [{ name = \"v\", length = 1000, bits = 16 }]\n";
        Parts::of(&Scenario::parse(&format!("{base}{text}"), "test").unwrap(), Mode::Real).unwrap()
    }

    #[test]
    fn each_part_is_counted_where_it_is() {
        let plain = parts("");
        assert_eq!((plain.noise, plain.adversaries, plain.arrays), (0, 0, 0));
        assert_eq!(plain.vectors, 1000 * (8 + 2 * 2) + 2000);
        assert!(parts("suite = \"active\"").clients > plain.clients + 20 * 20 * IDENTITY);
        let private = parts("privacy = { multiplier = 4, delta = 1e-5, dimension = 100, bits = 20 }");
        assert_eq!(private.noise, 128 * (20 * DRAWN + ENCODING));
        assert_eq!(private.vectors - plain.vectors, 128 * (8 + 2 * 4) + 320);
        assert_eq!(private.clients, plain.clients);
        let lies = |lie: &str| parts(&format!("adversaries.lies = [{{ lie = \"{lie}\", share = 0.25 }}]"));
        assert_eq!(lies("missing-bundle").adversaries, 2033);
        assert_eq!(lies("wrong-shares").adversaries, 6 * 2033);
        assert!(lies("wrong-shares").held() > lies("wrong-shares").asked());
    }
}
