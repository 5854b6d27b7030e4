//! What a round's passes look up instead of working it out for each client: by number of partners and class of rates.

use crate::cast::Who;
use crate::exchange::Exchange;
use crate::link::{Flow, Lane, Load, Schedule};
use crate::session::{Play, Requests};

use super::chunk::Chunk;

/// A value for each number of partners that a round has and each class.
pub(super) struct Table<T> {
    fewest: usize,
    classes: usize,
    values: Vec<T>,
}

impl<T: Copy> Table<T> {
    pub(super) fn new(
        requests: &Requests,
        classes: usize,
        play: &Play<'_>,
        mut value: impl FnMut(&Exchange, u8) -> T,
    ) -> Self {
        let (fewest, most) = requests.partners;
        let mut values = Vec::with_capacity((most - fewest + 1) as usize * classes);
        for partners in fewest..=most {
            let exchange = play.exchanges.with(partners);
            values.extend((0..classes).map(|class| value(exchange, class as u8)));
        }
        Self { fewest: fewest as usize, classes, values }
    }

    #[inline(always)]
    pub(super) fn at(&self, partners: u32, class: u8) -> T {
        self.values[self.place(partners, class)]
    }

    #[inline(always)]
    pub(super) fn at_mut(&mut self, partners: u32, class: u8) -> &mut T {
        let place = self.place(partners, class);
        &mut self.values[place]
    }

    #[inline(always)]
    fn place(&self, partners: u32, class: u8) -> usize {
        (partners as usize - self.fewest) * self.classes + usize::from(class)
    }

    /// All values.
    pub(super) fn values(&self) -> impl Iterator<Item = T> {
        self.values.iter().copied()
    }
}

/// When requests have been sent completely, in nanoseconds from the opening of the round.
pub(super) enum Sent {
    /// They depend on the number of partners and the client's rate alone.
    Table(Table<u64>),
    /// With losses, each has its own length.
    Each(Schedule),
}

impl Sent {
    /// `asked` calls back with the clients and their partners, some at a time.
    pub(super) fn new(
        play: &Play<'_>,
        requests: &Requests,
        asked: impl FnOnce(&mut dyn FnMut(&mut Chunk)),
    ) -> Self {
        let (scene, world) = (play.scene, play.scene.cast.world);
        let link = &world.down;
        let classes = world.down_levels.values().len();
        let flow = |exchange: &Exchange, class| Flow { start: 0, class, bytes: exchange.request_wire };
        match (world.ways.is_some(), link.limits()) {
            (true, false) => Self::Table(Table::new(requests, classes, play, |exchange, class| {
                link.alone(flow(exchange, class))
            })),
            (true, true) => {
                let mut counts = Table::new(requests, classes, play, |_, _| 0u64);
                asked(&mut |chunk| {
                    chunk.meet(play);
                    for (who, partners) in chunk.who.iter().zip(&chunk.partners) {
                        *counts.at_mut(*partners, scene.classes(*who).0) += 1;
                    }
                });
                let mut load = Load::new(requests.messages as usize);
                let mut count = counts.values();
                let groups = Table::new(requests, classes, play, |exchange, class| {
                    let flow = flow(exchange, class);
                    count.next().filter(|count| *count > 0).map_or(0, |count| load.add_many(flow, count))
                });
                let schedule = link.share(load);
                let mut groups = groups.values();
                Self::Table(Table::new(requests, classes, play, |_, _| {
                    groups.next().and_then(|group| schedule.get(group)).map_or(0, |(_, end)| end)
                }))
            }
            (false, false) => Self::Each(Schedule::default()),
            (false, true) => {
                let mut load = Load::new(requests.messages as usize);
                asked(&mut |chunk| {
                    chunk.meet(play);
                    for (who, partners) in chunk.who.iter().zip(&chunk.partners) {
                        load.add(scene.request(*who, play.exchanges.with(*partners)));
                    }
                });
                Self::Each(link.share(load))
            }
        }
    }

    /// The times of some clients with so many partners each.
    #[inline(never)]
    pub(super) fn of(&self, play: &Play<'_>, who: &[Who], partners: &[u32], sent: &mut Vec<u64>) {
        sent.clear();
        let (scene, clients) = (play.scene, who.iter().zip(partners));
        match (self, scene.plain()) {
            (Self::Table(table), Some(plain)) => {
                let (fewest, classes, values) = (table.fewest, table.classes, &table.values[..]);
                sent.extend(clients.map(move |(who, partners)| {
                    values[(*partners as usize - fewest) * classes + usize::from(plain.classes(*who).0)]
                }));
            }
            (Self::Table(table), None) => {
                sent.extend(clients.map(|(who, partners)| table.at(*partners, scene.classes(*who).0)));
            }
            (Self::Each(schedule), _) => sent.extend(clients.map(|(who, partners)| {
                let down = &scene.cast.world.down;
                down.end(schedule, scene.request(*who, play.exchanges.with(*partners)))
            })),
        }
    }
}

/// The answers that wait to be put on the server's link, if that is shared.
pub(super) struct Answers {
    pub(super) load: Load,
    /// The lanes of whole answers without losses.
    lanes: Table<Lane>,
}

impl Answers {
    pub(super) fn new(play: &Play<'_>, requests: &Requests) -> Self {
        let world = play.scene.cast.world;
        let classes = world.up_levels.values().len();
        let mut load = Load::new(requests.messages as usize);
        let lanes =
            Table::new(requests, classes, play, |exchange, class| load.lane(class, exchange.response_wire));
        Self { load, lanes }
    }

    /// Adds a whole answer without losses; returns the number of its group.
    #[inline(always)]
    pub(super) fn add_plain(&mut self, partners: u32, class: u8, start: u32) -> u32 {
        self.load.add_in(self.lanes.at(partners, class), start)
    }
}
