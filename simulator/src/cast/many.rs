//! Many clients at a time, in loops without branches: compilers make vector instructions of them.
//!
//! What is said here of a number that no client has means nothing.

use secagg::Round;

use super::{Cast, LinkLots, Scene, Who};
use crate::devices::Devices;
use crate::distribution::Quantiles;
use crate::draw::{Draws, Share};
use crate::exchange::Exchange;
use crate::world::{FAR, rounded_below_far};

/// Clients that are looked at together.
pub(crate) const MANY: usize = 128;

/// Something of each of them.
pub(crate) type Many<T> = [T; MANY];

/// More nanoseconds than any time that is exact here, and less than would overflow in a sum of a few.
pub(crate) const BEYOND: u64 = 1 << 60;

/// Who some clients are that follow each other.
pub(crate) struct Crowd {
    device: Many<u32>,
    /// As [`LinkLots`].
    link: Many<u64>,
    /// Indices of their kinds.
    pub(crate) kinds: Many<u32>,
    /// Nanoseconds from the session's start at which their devices are gone.
    gone: Many<u64>,
}

impl Default for Crowd {
    fn default() -> Self {
        Self { device: [0; MANY], link: [0; MANY], kinds: [0; MANY], gone: [0; MANY] }
    }
}

impl Crowd {
    /// One of them.
    pub(crate) fn who(&self, at: usize) -> Who {
        Who { device: self.device[at], link: LinkLots(self.link[at]), gone: self.gone[at] }
    }

    /// For each client the place that it has among so many equally likely values of a trait of its link.
    #[inline(always)]
    fn places(&self, count: usize, lot: impl Fn(LinkLots) -> u16, places: &mut Many<u32>) {
        for (place, link) in places.iter_mut().zip(&self.link) {
            *place = Quantiles::place_of(count, lot(LinkLots(*link)));
        }
    }
}

/// Fetches a value for each client from a table, of which every place that a client has is in it.
#[inline(always)]
pub(crate) fn look_up<T: Copy>(table: &[T], places: &Many<u32>, values: &mut Many<T>) {
    if let [only] = table {
        return values.fill(*only);
    }
    for (value, place) in values.iter_mut().zip(places) {
        *value = table[*place as usize];
    }
}

/// The nearest whole numbers, as [`crate::world::rounded`] has them, up to [`FAR`]; from there on [`BEYOND`].
#[inline(always)]
fn rounded(times: &Many<f64>, whole: &mut Many<u64>) {
    for (whole, time) in whole.iter_mut().zip(times) {
        let near = rounded_below_far(*time);
        *whole = if *time < FAR as f64 { near } else { BEYOND };
    }
}

/// By how much whole answers are late in a round.
pub(crate) enum Stalls {
    Never,
    /// By class of rates and latency.
    Table(Vec<u64>),
    /// It depends on the number of partners too, or there are fewer clients than a table would have rows.
    Each,
}

impl Stalls {
    /// Of a round with so many clients.
    pub(crate) fn new(scene: &Scene<'_>, exchanges: &[Exchange], clients: u64) -> Self {
        let world = scene.cast.world;
        let (ups, latencies) = (world.up_levels.values().len(), world.latency.values());
        if exchanges.iter().all(|exchange| exchange.slow.is_empty()) {
            return Self::Never;
        }
        match exchanges {
            [first, rest @ ..]
                if clients > (ups * latencies.len()) as u64
                    && rest.iter().all(|exchange| exchange.slow == first.slow) =>
            {
                let stalled =
                    |up| latencies.iter().map(move |way| scene.stalled_at(first, up, *way).min(BEYOND));
                Self::Table((0..ups).flat_map(stalled).collect())
            }
            _ => Self::Each,
        }
    }
}

impl Cast<'_> {
    /// The clients from `first` on, as [`Cast::who`] and [`Cast::class`] have them.
    #[inline(always)]
    pub(crate) fn meet(&self, first: u32, crowd: &mut Crowd) {
        self.links(first, crowd);
        let Crowd { device: devices, kinds, gone, .. } = crowd;
        gone.fill(u64::MAX);
        if let Devices::Listed { leave, .. } = &self.devices {
            for (gone, left) in gone.iter_mut().zip(&leave[first as usize..]) {
                *gone = if *left == u32::MAX { u64::MAX } else { u64::from(*left) * self.world.tick };
            }
        }
        for (at, share) in &self.outages {
            let (lot, share) = (self.traits.region, Share::new(*share));
            for (gone, device) in gone.iter_mut().zip(&devices[..]) {
                *gone = if lot.hits(*device, share) { (*gone).min(*at) } else { *gone };
            }
        }
        kinds.fill(0);
        let before_last = self.world.classes.len().saturating_sub(1);
        for class in &self.world.classes[..before_last] {
            let (lot, until) = (self.traits.class, Share::new(class.until));
            for (kind, device) in kinds.iter_mut().zip(&devices[..]) {
                *kind += u32::from(!lot.hits(*device, until));
            }
        }
    }

    /// The devices of the clients from `first` on, and what their links are like; nothing else of them.
    #[inline(always)]
    pub(crate) fn links(&self, first: u32, crowd: &mut Crowd) {
        let Crowd { device: devices, link, .. } = crowd;
        match &self.devices {
            Devices::Direct(own) => {
                for (at, device) in (0..).zip(&mut devices[..]) {
                    *device = own.wrapping_add(first).wrapping_add(at);
                }
            }
            Devices::Walk(walk) => walk.some(walk.place(first), devices),
            Devices::Listed { devices: list, .. } => {
                let list = &list[first as usize..];
                let count = list.len().min(MANY);
                devices[..count].copy_from_slice(&list[..count]);
            }
        }
        for (link, device) in link.iter_mut().zip(&devices[..]) {
            *link = self.traits.link.bits(*device);
        }
    }
}

/// A factor or time of each client, by its own lot.
#[inline(always)]
fn drawn(values: &Quantiles, lot: Draws, crowd: &Crowd, drawn: &mut Many<f64>) {
    let mut places = [0; MANY];
    let count = values.values().len();
    if count > 1 {
        for (place, device) in places.iter_mut().zip(&crowd.device) {
            *place = Quantiles::chosen_of(count, lot, *device) as u32;
        }
    }
    look_up(values.values(), &places, drawn);
}

impl Scene<'_> {
    /// Nanoseconds of some clients' work, as [`Scene::work`] has it, as far as that is not far. `time` has those of
    /// the round's exchange.
    #[inline(always)]
    pub(crate) fn works(&self, crowd: &Crowd, time: &mut Many<f64>, work: &mut Many<u64>) {
        let (world, traits) = (self.cast.world, &self.cast.traits);
        match &world.classes[..] {
            [class] => match class.factor.values() {
                [only] => time.iter_mut().for_each(|time| *time *= only),
                _ => {
                    let mut factor = [0.0; MANY];
                    drawn(&class.factor, traits.factor, crowd, &mut factor);
                    time.iter_mut().zip(&factor).for_each(|(time, factor)| *time *= factor);
                }
            },
            classes => {
                let clients = crowd.device.iter().zip(&crowd.kinds);
                for (time, (device, kind)) in time.iter_mut().zip(clients) {
                    *time *= classes[*kind as usize].factor.value(traits.factor, *device);
                }
            }
        }
        if self.round == Round::MaskedInputCollection {
            let mut training = [0.0; MANY];
            drawn(&world.training, traits.training, crowd, &mut training);
            for (time, training) in time.iter_mut().zip(&training) {
                *time += training * 1e9;
            }
        }
        if let Some(stragglers) = &world.scenario.faults.stragglers {
            let (lot, share) = (traits.straggler, Share::new(stragglers.share));
            for (time, device) in time.iter_mut().zip(&crowd.device) {
                *time = if lot.hits(*device, share) { *time * stragglers.slowdown } else { *time };
            }
        }
        rounded(time, work);
    }

    /// Notes which clients vanish by a lot of theirs, as [`Scene::moment`] has it.
    #[inline(always)]
    pub(crate) fn vanish(&self, crowd: &Crowd, vanish: &mut Many<bool>) {
        vanish.fill(false);
        for rule in &self.rules {
            for (vanish, device) in vanish.iter_mut().zip(&crowd.device) {
                *vanish |= rule.lot.hits(*device, rule.probability);
            }
        }
    }

    /// By how much the whole answers of some clients are late, as [`Scene::stalled`] has it. `rows` tells of each which
    /// of the `exchanges` it has.
    #[inline(always)]
    pub(crate) fn stalls(
        &self,
        crowd: &Crowd,
        (stalls, exchanges): (&Stalls, &[Exchange]),
        rows: &Many<u32>,
        stalled: &mut Many<u64>,
    ) {
        let world = self.cast.world;
        match stalls {
            Stalls::Never => stalled.fill(0),
            Stalls::Table(table) => {
                let (mut places, mut latencies) = ([0; MANY], [0; MANY]);
                let count = world.latency.values().len();
                crowd.places(world.up_levels.values().len(), LinkLots::up, &mut places);
                crowd.places(count, LinkLots::latency, &mut latencies);
                for (place, latency) in places.iter_mut().zip(&latencies) {
                    *place = *place * count as u32 + latency;
                }
                look_up(table, &places, stalled);
            }
            Stalls::Each => {
                for (stalled, (link, row)) in stalled.iter_mut().zip(crowd.link.iter().zip(rows)) {
                    let (link, exchange) = (LinkLots(*link), &exchanges[*row as usize]);
                    let up = world.up_levels.place(link.up());
                    *stalled = self.stalled_at(exchange, up, world.latency.by(link.latency())).min(BEYOND);
                }
            }
        }
    }

    /// What is the same for all clients of the round, if nothing is ever lost.
    pub(crate) fn plain(&self) -> Option<Plain> {
        let world = self.cast.world;
        let ways = world.ways.as_ref()?.iter().map(|way| (*way).min(BEYOND)).collect();
        let (ups, downs) = (world.up_levels.values().len(), world.down_levels.values().len());
        let (tick, ticks) = (world.tick, 1.0 / world.tick as f64);
        let (opened, far) = (self.opened, FAR.min(tick.saturating_mul(1 << 31)));
        Some(Plain { ways, ups, downs, tick, ticks, opened, far })
    }
}

/// A round as most clients meet it: nothing is lost, and they stay.
pub(crate) struct Plain {
    /// Nanoseconds to the server or back, by latency.
    ways: Vec<u64>,
    ups: usize,
    downs: usize,
    tick: u64,
    /// Ticks of a nanosecond.
    ticks: f64,
    opened: u64,
    /// Nanoseconds from which on a client is not as most are.
    far: u64,
}

/// Each of these is what [`Scene`] has it to be.
impl Plain {
    /// Nanoseconds to the server or back.
    #[inline(always)]
    pub(crate) fn way(&self, crowd: &Crowd, way: &mut Many<u64>) {
        let mut places = [0; MANY];
        crowd.places(self.ways.len(), LinkLots::latency, &mut places);
        look_up(&self.ways, &places, way);
    }

    /// Classes of the greatest rates at which clients receive, as [`Scene::classes`] has them.
    #[inline(always)]
    pub(crate) fn down(&self, crowd: &Crowd, classes: &mut Many<u32>) {
        crowd.places(self.downs, LinkLots::down, classes);
    }

    /// The same for sending.
    #[inline(always)]
    pub(crate) fn up(&self, crowd: &Crowd, classes: &mut Many<u32>) {
        crowd.places(self.ups, LinkLots::up, classes);
    }

    /// The ticks at which clients begin whole answers that may begin when `done` and are late by `stalled`. One that is
    /// gone before that, or is far too late, has its `vanish` set.
    #[inline(always)]
    pub(crate) fn start(
        &self,
        crowd: &Crowd,
        (done, stalled): (&Many<u64>, &Many<u64>),
        start: &mut Many<u64>,
        vanish: &mut Many<bool>,
    ) {
        let times = done.iter().zip(stalled).zip(&crowd.gone);
        for ((start, vanish), ((done, stalled), gone)) in start.iter_mut().zip(vanish).zip(times) {
            let time = done + stalled;
            *vanish |= gone.saturating_sub(self.opened) <= *done || time >= self.far;
            *start = self.first_tick(time);
        }
    }

    /// Takes those from the `sure` ones who are gone before their answers arrive, or whose answers come after `until`.
    #[inline(always)]
    pub(crate) fn stay(&self, crowd: &Crowd, arrival: &Many<u64>, until: u64, sure: &mut Many<bool>) {
        for (sure, (arrival, gone)) in sure.iter_mut().zip(arrival.iter().zip(&crowd.gone)) {
            *sure &= *arrival <= gone.saturating_sub(self.opened) && *arrival <= until;
        }
    }

    /// The first tick that does not come before a time that is not far.
    ///
    /// Without a division, which would cost more than the rest. The product with 1 / tick is off by less than a quarter,
    /// so the nearest whole number is this one or the one before.
    #[inline(always)]
    fn first_tick(&self, time: u64) -> u64 {
        let exact = f64::from_bits(time | (FAR as f64).to_bits()) - FAR as f64;
        let near = rounded_below_far(exact * self.ticks);
        near + u64::from(near.wrapping_mul(self.tick) < time)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ticks_are_those_of_a_division(
            tick in prop_oneof![1000u64..2000, 3_000_000u64..60_000_000_000],
            time in prop_oneof![0..FAR, FAR - 1_000_000..FAR],
            more in prop_oneof![Just(0), Just(1), any::<u64>()],
        ) {
            let time = time.min(tick << 31);
            // Often a whole tick, or the nanosecond after one.
            let time = (time - time % tick + more % tick).min(FAR - 1);
            let plain =
                Plain { ways: Vec::new(), ups: 1, downs: 1, tick, ticks: 1.0 / tick as f64, opened: 0, far: FAR };
            prop_assert_eq!(plain.first_tick(time), time.div_ceil(tick));
        }
    }
}
