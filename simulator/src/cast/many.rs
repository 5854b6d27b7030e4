//! Many clients at a time. What all of them share is fetched before the loop: otherwise each would cost it again.

use secagg::Round;

use super::{Cast, LinkLots, Scene, Who};
use crate::devices::Devices;
use crate::exchange::Exchanges;
use crate::scenario::Moment;
use crate::world::{Rule, nanoseconds, rounded};

impl Cast<'_> {
    /// Some clients by their numbers from 0, as [`Cast::who`] has them.
    pub(crate) fn meet(&self, clients: &[u32], who: &mut Vec<Who>) {
        who.clear();
        let (draws, tick) = (self.traits.link, self.world.tick);
        match &self.devices {
            Devices::Direct(first) if self.outages.is_empty() => {
                let first = *first;
                who.extend(clients.iter().map(move |client| {
                    let device = first + client;
                    Who { device, link: LinkLots(draws.bits(device)), gone: u64::MAX }
                }));
            }
            Devices::Listed { devices, leave } if self.outages.is_empty() => {
                let (devices, leave) = (&devices[..], &leave[..]);
                who.extend(clients.iter().map(move |client| {
                    let (device, left) = (devices[*client as usize], leave[*client as usize]);
                    let gone = if left == u32::MAX { u64::MAX } else { u64::from(left) * tick };
                    Who { device, link: LinkLots(draws.bits(device)), gone }
                }));
            }
            _ => who.extend(clients.iter().map(|client| self.who(*client))),
        }
    }
}

impl Scene<'_> {
    /// When some clients vanish, as [`Scene::moment`] has it.
    #[inline(never)]
    pub(crate) fn moments(&self, who: &[Who], moments: &mut Vec<Option<Moment>>) {
        moments.clear();
        moments.resize(who.len(), None);
        for Rule { lot, probability, moment: when } in &self.rules {
            let (lot, probability) = (*lot, *probability);
            for (who, moment) in who.iter().zip(moments.iter_mut()) {
                if lot.hits(who.device, probability) && moment.is_none() {
                    *moment = Some(self.moment_of(*when, who.device));
                }
            }
        }
    }

    /// What some clients with so many partners each work, as [`Scene::work`] has it.
    #[inline(never)]
    pub(crate) fn works(&self, who: &[Who], partners: &[u32], exchanges: &Exchanges, work: &mut Vec<u64>) {
        work.clear();
        let (world, training) = (self.cast.world, self.cast.traits.training);
        let clients = who.iter().zip(partners);
        let ([class], None) = (&world.classes[..], world.scenario.faults.stragglers) else {
            return work.extend(clients.map(|(who, partners)| self.work(*who, exchanges.with(*partners))));
        };
        let (rows, factor, factors) = (exchanges.rows(), &class.factor, self.cast.traits.factor);
        let own =
            move |who: &Who, partners: &u32| rows.of(*partners).client[0] * factor.value(factors, who.device);
        match self.round == Round::MaskedInputCollection {
            true => {
                let trainings = &world.training;
                work.extend(clients.map(move |(who, partners)| {
                    rounded(own(who, partners) + trainings.value(training, who.device) * 1e9)
                }));
            }
            false => work.extend(clients.map(move |(who, partners)| rounded(own(who, partners)))),
        }
    }

    /// By how much the whole answers of some clients are late, as [`Scene::stalled`] has it.
    #[inline(never)]
    pub(crate) fn stalls(
        &self,
        who: &[Who],
        partners: &[u32],
        exchanges: &Exchanges,
        stalled: &mut Vec<u64>,
    ) {
        stalled.clear();
        let rows = exchanges.rows();
        if rows.all().iter().all(|exchange| exchange.slow.is_empty()) {
            return stalled.resize(who.len(), 0);
        }
        let (ups, latency) = (&self.cast.world.up_levels, &self.cast.world.latency);
        stalled.extend(who.iter().zip(partners).map(move |(who, partners)| {
            match rows.of(*partners).slow.get(ups.place(who.link.up())) {
                Some(slow) => nanoseconds(slow.seconds(2.0 * latency.by(who.link.latency()))),
                None => 0,
            }
        }));
    }

    /// What is the same for all clients of the round, if nothing is ever lost.
    pub(crate) fn plain(&self) -> Option<Plain<'_>> {
        let world = self.cast.world;
        let (ways, ups) = (world.ways.as_deref()?, world.up_levels.values().len());
        let downs = world.down_levels.values().len();
        let (tick, ticks) = (world.tick, 1.0 / world.tick as f64);
        Some(Plain { ways, ups, downs, tick, ticks, opened: self.opened })
    }
}

/// Nanoseconds below which a time is exact as a floating-point number.
const FAR: u64 = 1 << 53;

/// A round as most clients meet it: nothing is lost, and they stay.
#[derive(Clone, Copy)]
pub(crate) struct Plain<'a> {
    ways: &'a [u64],
    ups: usize,
    downs: usize,
    tick: u64,
    /// Ticks of a nanosecond.
    ticks: f64,
    opened: u64,
}

/// Each of these is what [`Scene`] has it to be.
impl Plain<'_> {
    /// Classes of the greatest rates at which a client receives and sends, as [`Scene::classes`] has them.
    #[inline(always)]
    pub(crate) fn classes(self, who: Who) -> (u8, u8) {
        let place = |lot: u16, count| ((usize::from(lot) * count) >> 16) as u8;
        (place(who.link.down(), self.downs), place(who.link.up(), self.ups))
    }

    /// Nanoseconds to the server or back.
    #[inline(always)]
    pub(crate) fn way(self, who: Who) -> u64 {
        self.ways[(usize::from(who.link.latency()) * self.ways.len()) >> 16]
    }

    /// The tick at which a client begins its whole answer; none if it is gone before, or far too late.
    #[inline(always)]
    pub(crate) fn start(self, who: Who, (sent, work, stalled): (u64, u64, u64)) -> Option<u32> {
        let done = sent + self.way(who) + work;
        if who.gone.saturating_sub(self.opened) <= done {
            return None;
        }
        self.ticks(done + stalled)
    }

    /// The first tick that does not come before a time; none if that is too far away to be sure.
    ///
    /// Without a division, which would cost more than the rest: the product with 1 / tick is too great or too small by
    /// one at most.
    #[inline(always)]
    fn ticks(self, time: u64) -> Option<u32> {
        if time >= FAR.min(self.tick.saturating_mul(1 << 31)) {
            return None;
        }
        let near = (time as i64 as f64 * self.ticks) as i64 as u64;
        let below = u64::from(near * self.tick > time);
        let near = near - below;
        let near = near + u64::from(near * self.tick < time);
        Some((near + u64::from(near * self.tick < time)) as u32)
    }

    /// Whether a client is still there when its answer arrives.
    #[inline(always)]
    pub(crate) fn stays(self, who: Who, arrival: u64) -> bool {
        who.gone.saturating_sub(self.opened) >= arrival
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ticks_are_those_of_a_division(
            tick in prop_oneof![1000u64..2000, 1_000_000u64..60_000_000_000],
            ticks in 0u64..1 << 28,
            more in prop_oneof![Just(0), Just(1), any::<u64>()],
        ) {
            let plain = Plain { ways: &[], ups: 1, downs: 1, tick, ticks: 1.0 / tick as f64, opened: 0 };
            let time = ticks * tick + more % tick;
            let expected = (time < FAR).then(|| time.div_ceil(tick) as u32);
            prop_assert_eq!(plain.ticks(time), expected);
        }
    }
}
