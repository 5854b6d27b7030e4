//! Whole answers of clients that stay: when they begin and arrive, of many clients at a time.

use crate::cast::{BEYOND, MANY, Many, Plain, Stalls};
use crate::session::{Play, Requests};
use crate::world::FAR;

use super::chunk::Chunk;
use super::tables::{Sent, Table, rows};
use super::times::NONE;

/// What they depend on in a round.
pub(super) struct Whole<'a> {
    play: &'a Play<'a>,
    requests: &'a Requests,
    /// If nothing is ever lost; else no answer is as most are. With when requests have been sent.
    plain: Option<(&'a Plain, &'a Table<u64>)>,
    /// Nanoseconds of the client's work without its own factor, by kind.
    base: Table<f64>,
    /// Nanoseconds of an answer that has all it can take, by class of rates.
    lasts: Table<u64>,
    /// What the small window at the beginning costs.
    stalls: Stalls,
    /// Until when answers count whenever the round closes, and their times are exact.
    until: u64,
}

impl<'a> Whole<'a> {
    pub(super) fn new(
        play: &'a Play<'a>,
        requests: &'a Requests,
        (plain, sent): (Option<&'a Plain>, &'a Sent),
        sure: u64,
    ) -> Self {
        let sent = match sent {
            Sent::Table(sent) => Some(sent),
            Sent::Each(_) => None,
        };
        let world = play.scene.cast.world;
        let base = Table::new(requests, world.classes.len(), play, |exchange, class| {
            exchange.client.get(usize::from(class)).copied().unwrap_or(0.0)
        });
        let lasts = Table::new(requests, world.up_levels.values().len(), play, |exchange, class| {
            world.up.lasts(class, exchange.response_wire).min(BEYOND)
        });
        let stalls = Stalls::new(play.scene, play.exchanges.rows(), requests.messages);
        Self { play, requests, plain: plain.zip(sent), base, lasts, stalls, until: sure.min(FAR - 1) }
    }

    /// When clients' answers arrive that have the link for themselves. Of the chunk, who is asked and the partners are
    /// known.
    pub(super) fn arrive_alone(&self, chunk: &mut Chunk) {
        pulp::Arch::new().dispatch(Alone { whole: self, chunk });
    }

    /// When clients' answers begin that wait for a link that is shared, and the places in tables by class of rates.
    pub(super) fn begin(&self, chunk: &mut Chunk, begins: &mut Many<u32>, places: &mut Many<u32>) {
        pulp::Arch::new().dispatch(Waiting { whole: self, chunk, begins, places });
    }

    /// Who the clients are once more, with whole answers that begin as they did; these are taken to be sure.
    pub(super) fn meet(&self, chunk: &mut Chunk, begins: &Many<u32>, places: &mut Many<u32>) {
        pulp::Arch::new().dispatch(Meeting { whole: self, chunk, begins, places });
    }

    /// When clients' answers arrive that are taken to be sure and have been sent at `sent`, and which of them are not.
    pub(super) fn arrive_shared(&self, chunk: &mut Chunk, sent: &Many<u64>) {
        pulp::Arch::new().dispatch(Shared { whole: self, chunk, sent });
    }

    /// Who the clients are, their rows in the tables, and their work.
    #[inline(always)]
    fn work(&self, chunk: &mut Chunk) {
        let scene = self.play.scene;
        scene.cast.meet(chunk.first, &mut chunk.crowd);
        rows(self.requests, chunk);
        let mut time = [0.0; MANY];
        self.base.look_up(&chunk.rows, &chunk.crowd.kinds, &mut time);
        scene.works(&chunk.crowd, &mut time, &mut chunk.work);
    }

    /// Who the clients are, when their answers begin that are as most are, their ways to the server, and their classes of
    /// rates. None if something may be lost: then nobody is as most are.
    #[inline(always)]
    fn start(&self, chunk: &mut Chunk, way: &mut Many<u64>, ups: &mut Many<u32>) -> Option<&'a Plain> {
        self.work(chunk);
        let Some((plain, sent)) = self.plain else {
            chunk.sure.fill(false);
            return None;
        };
        plain.way(&chunk.crowd, way);
        plain.up(&chunk.crowd, ups);
        let scene = self.play.scene;
        let (mut vanish, mut classes) = ([false; MANY], [0; MANY]);
        let (mut done, mut stalled) = ([0; MANY], [0; MANY]);
        scene.vanish(&chunk.crowd, &mut vanish);
        scene.stalls(&chunk.crowd, (&self.stalls, self.play.exchanges.rows()), &chunk.rows, &mut stalled);
        plain.down(&chunk.crowd, &mut classes);
        sent.look_up(&chunk.rows, &classes, &mut done);
        for (done, (way, work)) in done.iter_mut().zip(way.iter().zip(&chunk.work)) {
            *done = (*done).min(BEYOND) + way + work;
        }
        plain.start(&chunk.crowd, (&done, &stalled), &mut chunk.start, &mut vanish);
        for (whole, (asked, vanish)) in chunk.sure.iter_mut().zip(chunk.asked.iter().zip(&vanish)) {
            *whole = *asked && !vanish;
        }
        Some(plain)
    }
}

/// [`Whole::arrive_alone`].
struct Alone<'a> {
    whole: &'a Whole<'a>,
    chunk: &'a mut Chunk,
}

impl pulp::NullaryFnOnce for Alone<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { whole, chunk } = self;
        let (mut way, mut classes, mut lasts) = ([0; MANY], [0; MANY], [0; MANY]);
        let Some(plain) = whole.start(chunk, &mut way, &mut classes) else { return };
        whole.lasts.look_up(&chunk.rows, &classes, &mut lasts);
        let tick = whole.play.scene.cast.world.tick;
        let times = chunk.start.iter().zip(way.iter().zip(&lasts));
        for (arrival, (start, (way, lasts))) in chunk.arrival.iter_mut().zip(times) {
            *arrival = start.wrapping_mul(tick).wrapping_add(lasts + way);
        }
        plain.stay(&chunk.crowd, &chunk.arrival, whole.until, &mut chunk.sure);
    }
}

/// [`Whole::begin`].
struct Waiting<'a> {
    whole: &'a Whole<'a>,
    chunk: &'a mut Chunk,
    begins: &'a mut Many<u32>,
    places: &'a mut Many<u32>,
}

impl pulp::NullaryFnOnce for Waiting<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { whole, chunk, begins, places } = self;
        let (mut way, mut classes) = ([0; MANY], [0; MANY]);
        whole.start(chunk, &mut way, &mut classes);
        for (begins, (start, whole)) in begins.iter_mut().zip(chunk.start.iter().zip(&chunk.sure)) {
            *begins = if *whole { *start as u32 } else { NONE };
        }
        whole.lasts.places(&chunk.rows, &classes, places);
    }
}

/// [`Whole::meet`].
struct Meeting<'a> {
    whole: &'a Whole<'a>,
    chunk: &'a mut Chunk,
    begins: &'a Many<u32>,
    places: &'a mut Many<u32>,
}

impl pulp::NullaryFnOnce for Meeting<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { whole, chunk, begins, places } = self;
        whole.work(chunk);
        for ((start, sure), begins) in chunk.start.iter_mut().zip(&mut chunk.sure).zip(begins) {
            (*start, *sure) = (u64::from(*begins), *begins != NONE);
        }
        if let Some((plain, _)) = whole.plain {
            let mut classes = [0; MANY];
            plain.up(&chunk.crowd, &mut classes);
            whole.lasts.places(&chunk.rows, &classes, places);
        }
    }
}

/// [`Whole::arrive_shared`].
struct Shared<'a> {
    whole: &'a Whole<'a>,
    chunk: &'a mut Chunk,
    sent: &'a Many<u64>,
}

impl pulp::NullaryFnOnce for Shared<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { whole, chunk, sent } = self;
        let Some((plain, _)) = whole.plain else { return };
        let mut way = [0; MANY];
        plain.way(&chunk.crowd, &mut way);
        for (arrival, (way, sent)) in chunk.arrival.iter_mut().zip(way.iter().zip(sent)) {
            *arrival = (*sent).min(BEYOND) + way;
        }
        plain.stay(&chunk.crowd, &chunk.arrival, whole.until, &mut chunk.sure);
    }
}
