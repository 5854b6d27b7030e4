//! What happens to each client in a session: rates, delays, compute time and fate, as functions of its number.

mod many;

use secagg::Round;

pub(crate) use many::{BEYOND, Crowd, MANY, Many, Plain, Stalls, look_up};

use crate::devices::Devices;
use crate::draw::{Draws, Purpose};
use crate::exchange::Exchange;
use crate::link::Flow;
use crate::quic;
use crate::scenario::Moment;
use crate::world::{Rule, World, nanoseconds, rounded};

/// The clients of one session.
pub(crate) struct Cast<'a> {
    pub(crate) world: &'a World,
    pub(crate) devices: Devices,
    /// Nanoseconds of the run at which the session begins.
    pub(crate) start: u64,
    /// The session's number among all sessions of all cohorts.
    pub(crate) session: u64,
    /// Outages of this session: when, in nanoseconds from its start, and for which share of the devices.
    outages: Vec<(u64, f64)>,
    traits: Traits,
}

/// A client of the session.
#[derive(Clone, Copy)]
pub(crate) struct Who {
    pub(crate) device: u32,
    link: LinkLots,
    /// Nanoseconds from the session's start at which the device is gone.
    gone: u64,
}

/// What a device's link is like, 16 bits for each of its traits: one draw for all of them.
#[derive(Clone, Copy)]
struct LinkLots(u64);

impl LinkLots {
    #[inline(always)]
    fn up(self) -> u16 {
        self.0 as u16
    }

    #[inline(always)]
    fn down(self) -> u16 {
        (self.0 >> 16) as u16
    }

    #[inline(always)]
    fn latency(self) -> u16 {
        (self.0 >> 32) as u16
    }

    #[inline(always)]
    fn loss(self) -> u16 {
        (self.0 >> 48) as u16
    }
}

/// The lots that a device or a client has for good.
struct Traits {
    link: Draws,
    class: Draws,
    factor: Draws,
    region: Draws,
    straggler: Draws,
    training: Draws,
}

/// One round as the clients meet it.
pub(crate) struct Scene<'a> {
    pub(crate) cast: &'a Cast<'a>,
    pub(crate) round: Round,
    /// Nanoseconds from the session's start at which the requests are sent.
    pub(crate) opened: u64,
    rules: Vec<Rule>,
    moments: Draws,
    fractions: Draws,
    again: [Draws; 2],
    /// Bytes per second that an answer has at most while everybody answers, by the client's own rate.
    rates: Vec<f64>,
}

/// What a client does in a round. Times are nanoseconds from the round's opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answering {
    /// It vanishes before its answer begins.
    Gone { at: u64 },
    /// It sends its answer, or the part of it that it sends before it vanishes.
    Sends { flow: Flow },
}

/// How a client's answer ends. Times are nanoseconds from the round's opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The server has it.
    Answer { at: u64 },
    /// The server notices that it will not come.
    Lost { at: u64 },
}

/// What a closed round has had of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    /// The answer came in time.
    pub(crate) accepted: bool,
    /// The client had done its work when the round closed.
    pub(crate) worked: bool,
    /// Bytes of its message that it had sent.
    pub(crate) sent: u64,
}

impl Settled {
    /// Nothing.
    pub(crate) const NOTHING: Self = Self { accepted: false, worked: false, sent: 0 };
}

/// An answer is cut off after a number of sixteenths.
const SIXTEENTHS: u64 = 16;

impl<'a> Cast<'a> {
    pub(crate) fn new(world: &'a World, number: u32, cohort: u32, start: u64) -> Self {
        let devices = Devices::choose(world, number, cohort, start);
        let session = u64::from(number) * u64::from(world.scenario.cohorts) + u64::from(cohort);
        let outage = |(at, outage): (usize, &crate::scenario::Outage)| {
            // One lot for all cohorts of a session: an outage hits them together.
            let lot = world.draws(u64::from(number), Purpose::Region, at as u64 + 1).unit(0);
            (lot < outage.probability).then(|| (nanoseconds(outage.at), outage.share))
        };
        let outages = world.scenario.faults.outages.iter().enumerate().filter_map(outage).collect();
        let own = |purpose| world.draws(0, purpose, 0);
        let traits = Traits {
            link: own(Purpose::Link),
            class: own(Purpose::ComputeClass),
            factor: own(Purpose::ComputeFactor),
            region: own(Purpose::Region),
            straggler: world.draws(session, Purpose::Straggler, 0),
            training: world.draws(session, Purpose::Training, 0),
        };
        Self { world, devices, start, session, outages, traits }
    }

    /// Clients of the session.
    pub(crate) fn clients(&self) -> u32 {
        self.devices.count(self.world.scenario.clients)
    }

    /// A client's rates to and from the network in bits per second, its latency in seconds and its loss.
    pub(crate) fn access(&self, client: u32) -> (f64, f64, f64, f64) {
        let (link, world) = (self.who(client).link, self.world);
        (
            world.up_levels.by(link.up()),
            world.down_levels.by(link.down()),
            self.latency(link),
            self.loss(link),
        )
    }

    /// One of its rounds, which opens so many nanoseconds from the session's start.
    pub(crate) fn scene(&'a self, round: Round, rounds: usize, opened: u64) -> Scene<'a> {
        let draws = |purpose, salt: u64| self.world.draws(self.session, purpose, salt << 8 | round as u64);
        Scene {
            rates: self.world.rates(self.clients()),
            cast: self,
            round,
            opened,
            rules: self.world.rules(self.session, round, rounds),
            moments: draws(Purpose::Moment, 0),
            fractions: draws(Purpose::Fraction, 0),
            again: [draws(Purpose::Retransmission, 0), draws(Purpose::Retransmission, 1)],
        }
    }

    /// The index of a client's kind.
    #[inline]
    pub(crate) fn class(&self, device: u32) -> usize {
        let classes = &self.world.classes;
        if classes.len() == 1 {
            return 0;
        }
        let lot = self.traits.class.unit(device);
        classes.iter().position(|class| lot < class.until).unwrap_or(classes.len() - 1)
    }

    /// Seconds from the device to the server, one way.
    #[inline]
    fn latency(&self, link: LinkLots) -> f64 {
        self.world.latency.by(link.latency())
    }

    #[inline]
    fn loss(&self, link: LinkLots) -> f64 {
        self.world.loss.by(link.loss())
    }

    /// Bytes on the wire with those that are sent again, of so many without losses.
    #[inline]
    fn resent(&self, link: LinkLots, wire: u64) -> u64 {
        if self.world.ways.is_some() {
            return wire;
        }
        match self.loss(link) {
            0.0 => wire,
            loss => (wire as f64 / (1.0 - loss)).ceil() as u64,
        }
    }

    /// A client by its number from 0.
    #[inline(always)]
    pub(crate) fn who(&self, client: u32) -> Who {
        let device = self.devices.of(client);
        let link = LinkLots(self.traits.link.bits(device));
        let left = self.devices.leaves(client);
        let gone = if left == u32::MAX { u64::MAX } else { u64::from(left) * self.world.tick };
        if self.outages.is_empty() {
            return Who { device, link, gone };
        }
        let lot = self.traits.region.unit(device);
        let hit = self.outages.iter().filter(|(_, share)| lot < *share).map(|(at, _)| *at);
        Who { device, link, gone: hit.fold(gone, u64::min) }
    }
}

/// What a round asks of every client is inlined, always, so that a pass draws each of its lots once.
impl Scene<'_> {
    /// When in this round the client vanishes, by its own lot.
    #[inline(always)]
    pub(crate) fn moment(&self, who: Who) -> Option<Moment> {
        let rule = self.rules.iter().find(|rule| rule.lot.hits(who.device, rule.probability))?;
        Some(self.moment_of(rule.moment, who.device))
    }

    /// The moment of a rule that has hit a device.
    #[cold]
    fn moment_of(&self, moment: Moment, device: u32) -> Moment {
        if moment != Moment::Any {
            return moment;
        }
        let any = [Moment::Before, Moment::Computing, Moment::Uploading];
        any[(self.moments.bits(device) % 3) as usize]
    }

    /// Classes of the greatest rates at which a client receives and sends.
    #[inline(always)]
    pub(crate) fn classes(&self, who: Who) -> (u8, u8) {
        let world = self.cast.world;
        (world.down_levels.place(who.link.down()) as u8, world.up_levels.place(who.link.up()) as u8)
    }

    /// The transfer of a client's request.
    #[inline(always)]
    pub(crate) fn request(&self, who: Who, exchange: &Exchange) -> Flow {
        let (class, _) = self.classes(who);
        Flow { start: 0, class, bytes: self.cast.resent(who.link, exchange.request_wire) }
    }

    /// What a client does whose request has been sent completely at `sent`.
    pub(crate) fn answering(
        &self,
        who: Who,
        moment: Option<Moment>,
        exchange: &Exchange,
        sent: u64,
    ) -> Answering {
        self.begins(who, moment, exchange, (sent, self.work(who, exchange)))
    }

    /// The same if its work is known.
    pub(crate) fn begins(
        &self,
        who: Who,
        moment: Option<Moment>,
        exchange: &Exchange,
        (sent, work): (u64, u64),
    ) -> Answering {
        if moment == Some(Moment::Before) {
            return Answering::Gone { at: 0 };
        }
        let gone = self.gone(who);
        let done = sent.saturating_add(self.way(who, 0)).saturating_add(work);
        if moment == Some(Moment::Computing) || gone <= done {
            return Answering::Gone { at: gone.min(done) };
        }
        let mut flow = self.response(who, moment, exchange);
        let whole = flow.bytes == exchange.response_wire;
        let stalled = if whole { self.stalled(who, exchange) } else { self.stalled_part(who, flow) };
        let start = done.saturating_add(stalled).div_ceil(self.cast.world.tick);
        flow.start = u32::try_from(start).unwrap_or(u32::MAX - 1);
        Answering::Sends { flow }
    }

    /// Nanoseconds that a whole answer takes longer because its connection begins with a small window: counted before it
    /// begins, as if the link were idle then and not in between.
    #[inline(always)]
    pub(crate) fn stalled(&self, who: Who, exchange: &Exchange) -> u64 {
        self.stalled_at(exchange, usize::from(self.classes(who).1), self.cast.latency(who.link))
    }

    /// The same for a class of rates and seconds from the device to the server.
    #[inline(always)]
    fn stalled_at(&self, exchange: &Exchange, up: usize, latency: f64) -> u64 {
        exchange.slow.get(up).map_or(0, |slow| nanoseconds(slow.seconds(2.0 * latency)))
    }

    #[cold]
    fn stalled_part(&self, who: Who, Flow { bytes, class, .. }: Flow) -> u64 {
        let window = u64::from(self.cast.world.scenario.network.window);
        let rate = self.rates.get(usize::from(class)).copied().unwrap_or(f64::INFINITY);
        nanoseconds(quic::slow_start(bytes, window, rate, 2.0 * self.cast.latency(who.link)))
    }

    /// The transfer of a client's answer, or of the part of it that it sends, did it begin at once.
    #[inline(always)]
    fn response(&self, who: Who, moment: Option<Moment>, exchange: &Exchange) -> Flow {
        let wire = match moment {
            None => exchange.response_wire,
            _ => self.cast.world.wire(self.begun(who, moment, exchange.response)),
        };
        let (_, class) = self.classes(who);
        Flow { start: 0, class, bytes: self.cast.resent(who.link, wire) }
    }

    /// Nanoseconds from when a client has sent all that it sends to when the server has that.
    #[inline(always)]
    pub(crate) fn way_up(&self, who: Who) -> u64 {
        self.way(who, 1)
    }

    /// How the answer of a client ends that would arrive at `arrival`, were it not `cut` off.
    #[inline(always)]
    pub(crate) fn ending(&self, who: Who, cut: bool, arrival: u64) -> Ending {
        let gone = self.gone(who);
        if cut || gone < arrival {
            return Ending::Lost { at: self.noticed(gone.min(arrival)) };
        }
        Ending::Answer { at: arrival }
    }

    /// When the server notices that a client is gone.
    #[inline]
    pub(crate) fn noticed(&self, gone: u64) -> u64 {
        gone.saturating_add(self.cast.world.silence)
    }

    /// What the round has had of a client, whose answer began at tick `start` and was to arrive at `arrival`, when it
    /// closes at `closed`.
    #[inline(always)]
    pub(crate) fn settle(
        &self,
        who: Who,
        moment: Option<Moment>,
        exchange: &Exchange,
        (start, arrival): (u32, u64),
        closed: u64,
    ) -> Settled {
        let start = u64::from(start) * self.cast.world.tick;
        if start > closed {
            return Settled::NOTHING;
        }
        let message = self.begun(who, moment, exchange.response);
        let until = closed.min(self.gone(who));
        if until >= arrival {
            return Settled { accepted: moment.is_none(), worked: true, sent: message };
        }
        Settled {
            accepted: false,
            worked: true,
            sent: part(message, until.saturating_sub(start), arrival - start),
        }
    }

    /// Nanoseconds from the round's opening at which the client's device is gone.
    #[inline(always)]
    fn gone(&self, who: Who) -> u64 {
        who.gone.saturating_sub(self.opened)
    }

    /// Nanoseconds of a client's work.
    #[inline(always)]
    pub(crate) fn work(&self, who: Who, exchange: &Exchange) -> u64 {
        let (world, traits) = (self.cast.world, &self.cast.traits);
        let class = self.cast.class(who.device);
        let factor = &world.classes[class].factor;
        let mut time = exchange.client[class] * factor.value(traits.factor, who.device);
        if self.round == Round::MaskedInputCollection {
            time += world.training.value(traits.training, who.device) * 1e9;
        }
        if let Some(stragglers) = &world.scenario.faults.stragglers
            && traits.straggler.unit(who.device) < stragglers.share
        {
            time *= stragglers.slowdown;
        }
        rounded(time)
    }

    /// Nanoseconds from a device to the server or back: the latency, and what it costs if the last packet is lost.
    #[inline(always)]
    fn way(&self, who: Who, direction: usize) -> u64 {
        let world = self.cast.world;
        match &world.ways {
            Some(ways) => ways.get(world.latency.place(who.link.latency())).copied().unwrap_or(0),
            None => self.lossy_way(who, direction),
        }
    }

    fn lossy_way(&self, who: Who, direction: usize) -> u64 {
        let latency = self.cast.latency(who.link);
        let loss = self.cast.loss(who.link);
        let mut lost = 0;
        if loss > 0.0 {
            let lot = self.again[direction].unit(who.device);
            let mut all_lost = loss;
            while lot < all_lost {
                lost += 1;
                all_lost *= loss;
            }
        }
        nanoseconds(latency + quic::tail_loss(lost, 2.0 * latency))
    }

    /// Bytes of its message that a client sends before it vanishes.
    #[inline]
    fn begun(&self, who: Who, moment: Option<Moment>, message: u64) -> u64 {
        match moment {
            Some(Moment::Uploading) => {
                let part = 1 + self.fractions.bits(who.device) % (SIXTEENTHS - 1);
                message * part / SIXTEENTHS
            }
            _ => message,
        }
    }
}

/// `whole` · `some` / `all`, rounded down.
#[inline]
fn part(whole: u64, some: u64, all: u64) -> u64 {
    match whole.checked_mul(some) {
        Some(product) => product / all,
        None => (u128::from(whole) * u128::from(some) / u128::from(all)) as u64,
    }
}
