//! The asked clients, counted by what their requests depend on.

use super::chunk::Chunk;
use super::tables::{Table, rows};
use crate::cast::{MANY, Plain};
use crate::session::{Play, Requests};

/// By number of partners and class of the rate at which they receive, how many clients a round asks.
pub(super) struct Census(Table<u64>);

impl Census {
    /// Of nobody yet.
    pub(super) fn new(play: &Play<'_>, requests: &Requests) -> Self {
        Self(Table::new(requests, play.scene.cast.world.down_levels.values().len(), play, |_, _| 0))
    }

    /// Adds the asked clients of a chunk.
    pub(super) fn add(&mut self, play: &Play<'_>, requests: &Requests, plain: &Plain, chunk: &mut Chunk) {
        pulp::Arch::new().dispatch(Adding { census: self, play, requests, plain, chunk });
    }

    /// Takes one off that the next round does not ask.
    pub(super) fn remove(&mut self, partners: u32, class: u8) {
        *self.0.at_mut(partners, class) -= 1;
    }

    /// Of the next round's, which asks those that are left; none if only looking at each can tell.
    pub(super) fn next(self, before: &Requests, requests: &Requests, same_partners: bool) -> Option<Self> {
        let (fewest, most) = requests.partners;
        if same_partners {
            return Some(self);
        }
        // They all had as many, and have.
        (before.partners.0 == before.partners.1 && fewest == most).then(|| Self(self.0.renamed(fewest)))
    }

    pub(super) fn at(&self, partners: u32, class: u8) -> u64 {
        self.0.at(partners, class)
    }
}

/// [`Census::add`].
struct Adding<'a> {
    census: &'a mut Census,
    play: &'a Play<'a>,
    requests: &'a Requests,
    plain: &'a Plain,
    chunk: &'a mut Chunk,
}

impl pulp::NullaryFnOnce for Adding<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { census: Census(counts), play, requests, plain, chunk } = self;
        play.scene.cast.links(chunk.first, &mut chunk.crowd);
        rows(requests, chunk);
        let (mut classes, mut places) = ([0; MANY], [0; MANY]);
        plain.down(&chunk.crowd, &mut classes);
        counts.places(&chunk.rows, &classes, &mut places);
        let counts = counts.values_mut();
        for (place, asked) in places.iter().zip(&chunk.asked) {
            counts[*place as usize] += u64::from(*asked);
        }
    }
}
