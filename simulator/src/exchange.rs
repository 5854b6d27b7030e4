//! What a round costs one client and the server, known before anything is computed.

use secagg::{Config, Counts, Graph, Round, Suite, operations, sizes};

use crate::world::{Class, World};

/// The rounds of a suite, in their order.
pub(crate) fn rounds(suite: Suite) -> &'static [Round] {
    match suite {
        Suite::Curious => {
            &[Round::AdvertiseKeys, Round::ShareKeys, Round::MaskedInputCollection, Round::Unmasking]
        }
        _ => &[],
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
    /// them that shared, before that none.
    fn of(config: &Config, round: Round, partners: usize, world: &World) -> Self {
        let nothing = Counts::default();
        let (own, roster) = (usize::from(config.graph == Graph::Complete), config.clients as usize);
        let (request, response, counts, taken_in) = match round {
            Round::AdvertiseKeys => (
                sizes::advertise_keys_request(config),
                sizes::advertise_keys_response(config),
                operations::advertise_keys(),
                operations::receive_keys(),
            ),
            Round::ShareKeys => (
                sizes::share_keys_request(config, partners),
                sizes::share_keys_response(config, partners),
                operations::share_keys(config, partners),
                nothing,
            ),
            Round::MaskedInputCollection => (
                sizes::masked_input_request(config, roster, partners),
                sizes::masked_input_response(config),
                operations::masked_input(config, partners),
                operations::receive_masked_input(config),
            ),
            Round::ConsistencyCheck => (0, 0, nothing, nothing),
            Round::Unmasking => (
                sizes::unmasking_request(config, roster, partners),
                sizes::unmasking_response(partners + own, 0),
                nothing,
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
        Self {
            request,
            response,
            request_wire: world.wire(request + task),
            response_wire: world.wire(response),
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
    /// Those with `first` to `last` partners.
    pub(crate) fn new(config: &Config, round: Round, (first, last): (u32, u32), world: &World) -> Self {
        let (first, last) = (first as usize, last as usize);
        let row = |partners| Exchange::of(config, round, partners, world);
        Self { first, rows: (first..=last).map(row).collect() }
    }

    #[inline]
    pub(crate) fn with(&self, partners: u32) -> &Exchange {
        // The caller has given the range of what it asks for.
        &self.rows[partners as usize - self.first]
    }
}
