//! What a round's passes look up instead of working it out for each client: by number of partners and class.

use crate::cast::{MANY, Many, Scene, Who, look_up};
use crate::exchange::Exchange;
use crate::link::{Flow, Lane, Load, Schedule};
use crate::session::{Play, Requests};

use super::census::Census;
use super::chunk::Chunk;

/// A value for each number of partners that a round has and each class.
pub(super) struct Table<T> {
    fewest: u32,
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
        Self { fewest, classes, values }
    }

    pub(super) fn at(&self, partners: u32, class: u8) -> T {
        self.values[(partners - self.fewest) as usize * self.classes + usize::from(class)]
    }

    pub(super) fn at_mut(&mut self, partners: u32, class: u8) -> &mut T {
        &mut self.values[(partners - self.fewest) as usize * self.classes + usize::from(class)]
    }

    /// The same values for other numbers of partners, from `fewest` on.
    pub(super) fn renamed(self, fewest: u32) -> Self {
        Self { fewest, ..self }
    }

    pub(super) fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }

    /// The places of some clients' values, by row and class.
    #[inline(always)]
    pub(super) fn places(&self, rows: &Many<u32>, classes: &Many<u32>, places: &mut Many<u32>) {
        for (place, (row, class)) in places.iter_mut().zip(rows.iter().zip(classes)) {
            *place = row * self.classes as u32 + class;
        }
    }

    /// The values of some clients, by row and class.
    #[inline(always)]
    pub(super) fn look_up(&self, rows: &Many<u32>, classes: &Many<u32>, values: &mut Many<T>) {
        if let [only] = &self.values[..] {
            return values.fill(*only);
        }
        let mut places = [0; MANY];
        self.places(rows, classes, &mut places);
        look_up(&self.values, &places, values);
    }
}

/// Finds the row of each client of a chunk. One that is not asked may have a number of partners that no table has.
#[inline(always)]
pub(super) fn rows(requests: &Requests, chunk: &mut Chunk) {
    let (fewest, most) = requests.partners;
    for (row, partners) in chunk.rows.iter_mut().zip(&chunk.partners) {
        *row = partners.wrapping_sub(fewest).min(most - fewest);
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
    /// If nothing is ever lost. The `census` tells how many requests are alike if the link is shared.
    pub(super) fn whole(play: &Play<'_>, requests: &Requests, census: Option<&Census>) -> Self {
        let world = play.scene.cast.world;
        let (link, classes) = (&world.down, world.down_levels.values().len());
        let flow = |exchange: &Exchange, class| Flow { start: 0, class, bytes: exchange.request_wire };
        let Some(census) = census else {
            let sent = |exchange: &Exchange, class| link.alone(flow(exchange, class));
            return Self::Table(Table::new(requests, classes, play, sent));
        };
        let mut load = Load::new(requests.messages as usize);
        for partners in requests.partners.0..=requests.partners.1 {
            for class in 0..classes as u8 {
                let count = census.at(partners, class);
                if count > 0 {
                    load.add_many(flow(play.exchanges.with(partners), class), count as u32);
                }
            }
        }
        let schedule = link.share(load);
        let sent = |exchange: &Exchange, class| link.end(&schedule, flow(exchange, class));
        Self::Table(Table::new(requests, classes, play, sent))
    }

    /// If something may be lost. `asked` calls back with the clients and their partners, some at a time.
    pub(super) fn each(
        play: &Play<'_>,
        requests: &Requests,
        asked: impl FnOnce(&mut dyn FnMut(&Chunk)),
    ) -> Self {
        let (scene, link) = (play.scene, &play.scene.cast.world.down);
        if !link.limits() {
            return Self::Each(Schedule::default());
        }
        let mut load = Load::new(requests.messages as usize);
        asked(&mut |chunk| {
            for at in (0..MANY).filter(|at| chunk.asked[*at]) {
                let who = scene.cast.who(chunk.client(at));
                load.add(scene.request(who, play.exchanges.with(chunk.partners[at])));
            }
        });
        Self::Each(link.share(load))
    }

    /// That of one client.
    pub(super) fn to(&self, scene: &Scene<'_>, who: Who, partners: u32, exchange: &Exchange) -> u64 {
        match self {
            Self::Table(table) => table.at(partners, scene.classes(who).0),
            Self::Each(schedule) => scene.cast.world.down.end(schedule, scene.request(who, exchange)),
        }
    }
}

/// The lanes of whole answers without losses on the server's link, by class of rates.
pub(super) struct Lanes(Table<Lane>);

impl Lanes {
    pub(super) fn new(play: &Play<'_>, requests: &Requests, load: &mut Load) -> Self {
        let classes = play.scene.cast.world.up_levels.values().len();
        Self(Table::new(requests, classes, play, |exchange, class| load.lane(class, exchange.response_wire)))
    }

    /// That of a place in tables of these classes.
    #[inline(always)]
    pub(super) fn at(&self, place: u32) -> Lane {
        self.0.values[place as usize]
    }
}
