//! What a round costs one client and the server, known before anything is computed.

use secagg::{Config, Counts, Graph, Round, Suite, operations, sizes};

use crate::quic::SlowStart;
use crate::session::Requests;
use crate::world::{Class, World};

/// The rounds of a suite, in their order.
pub(crate) fn rounds(suite: Suite) -> &'static [Round] {
    match suite {
        Suite::Curious => {
            &[Round::AdvertiseKeys, Round::ShareKeys, Round::MaskedInputCollection, Round::Unmasking]
        }
        Suite::Active { .. } => &[
            Round::AdvertiseKeys,
            Round::ShareKeys,
            Round::MaskedInputCollection,
            Round::ConsistencyCheck,
            Round::Unmasking,
        ],
        _ => &[],
    }
}

/// Bytes of a round's request to a client with so many partners, in a session of so many that advertised keys.
pub(crate) fn request(config: &Config, round: Round, partners: usize, roster: usize) -> u64 {
    match round {
        Round::AdvertiseKeys => sizes::advertise_keys_request(config),
        Round::ShareKeys => sizes::share_keys_request(config, partners),
        Round::MaskedInputCollection => sizes::masked_input_request(config, roster, partners),
        Round::ConsistencyCheck => sizes::consistency_check_request(roster),
        Round::Unmasking => sizes::unmasking_request(config, roster, partners),
    }
}

/// A request and its answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exchange {
    /// Bytes of the request's message.
    pub(crate) request: u64,
    /// Bytes of the answer's message.
    pub(crate) response: u64,
    /// Bytes of the request on the wire, with what goes with it, without losses.
    pub(crate) request_wire: u64,
    /// Bytes of the answer on the wire, without losses.
    pub(crate) response_wire: u64,
    /// By the client's class of rates, what the small window at the beginning costs the whole answer without losses;
    /// empty if that fits the window.
    pub(crate) slow: Vec<SlowStart>,
    /// What the client does.
    pub(crate) counts: Counts,
    /// What the server does to take the answer in.
    pub(crate) taken_in: Counts,
    /// Nanoseconds of the client, by kind, without its own factor.
    pub(crate) client: Vec<f64>,
    /// Nanoseconds of the server to take the answer in.
    pub(crate) server: u64,
}

impl Exchange {
    /// The exchange of a round with a client that has so many `partners`: in ShareKeys its neighbours, later those of
    /// them that shared, before that none. The `roster` are those that advertised keys.
    fn of(config: &Config, round: Round, (partners, roster): (usize, usize), world: &World) -> Self {
        let request = request(config, round, partners, roster);
        let nothing = Counts::default();
        let own = usize::from(config.graph == Graph::Complete);
        let (response, counts, taken_in) = match round {
            Round::AdvertiseKeys => (
                sizes::advertise_keys_response(config),
                operations::advertise_keys(config),
                operations::receive_keys(config),
            ),
            Round::ShareKeys => (
                sizes::share_keys_response(config, partners),
                operations::share_keys(config, partners),
                nothing,
            ),
            Round::MaskedInputCollection => (
                sizes::masked_input_response(config),
                operations::masked_input(config, partners),
                operations::receive_masked_input(config),
            ),
            Round::ConsistencyCheck => (
                sizes::consistency_check_response(),
                operations::consistency_check(),
                operations::receive_signature(),
            ),
            Round::Unmasking => (
                sizes::unmasking_response(config, partners + own, 0, config.clients),
                operations::unmasking(config),
                nothing,
            ),
        };
        let task = match round {
            // The task's length goes before it.
            Round::AdvertiseKeys => 8 + world.scenario.task_bytes,
            _ => 0,
        };
        let time = |class: &Class| {
            class.profile.nanoseconds(&counts, config) + class.profile.messages(2, request + response)
        };
        let server = world.server.nanoseconds(&taken_in, config) + world.server.messages(1, response);
        let response_wire = world.wire(response);
        let window = u64::from(world.scenario.network.window);
        let slow = |rate: &f64| SlowStart::new(response_wire, window, *rate);
        Self {
            slow: world.rates(config.clients).iter().filter_map(slow).collect(),
            request,
            response,
            request_wire: world.wire(request + task),
            response_wire,
            counts,
            taken_in,
            client: world.classes.iter().map(time).collect(),
            server: server.round() as u64,
        }
    }
}

/// The exchanges of a round by number of partners.
pub(crate) struct Exchanges {
    first: usize,
    rows: Vec<Exchange>,
}

impl Exchanges {
    /// Those of all numbers of partners that the requests have.
    pub(crate) fn new(config: &Config, round: Round, requests: &Requests, world: &World) -> Self {
        let (first, last) = (requests.partners.0 as usize, requests.partners.1 as usize);
        let row = |partners| Exchange::of(config, round, (partners, requests.roster as usize), world);
        Self { first, rows: (first..=last).map(row).collect() }
    }

    #[inline]
    pub(crate) fn with(&self, partners: u32) -> &Exchange {
        // The caller has given the range of what it asks for.
        &self.rows[partners as usize - self.first]
    }

    /// All of them, by number of partners.
    pub(crate) fn rows(&self) -> &[Exchange] {
        &self.rows
    }
}
