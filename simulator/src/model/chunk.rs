//! A few asked clients at a time, in passes that do one thing each: what a pass needs then stays in registers, and what
//! it hands on in the fastest cache.

use crate::cast::{Answering, Plain, Who};
use crate::circle::count;
use crate::scenario::Moment;
use crate::session::Play;

use super::Source;
use super::tables::Sent;

/// Clients that are looked at together.
const CLIENTS: usize = 256;

/// Clients of whom none is looked at on its own if none is asked.
const BLOCK: usize = 16;

/// Some of the asked clients, and what is known of each.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) clients: Vec<u32>,
    pub(super) partners: Vec<u32>,
    pub(super) who: Vec<Who>,
    pub(super) moments: Vec<Option<Moment>>,
    /// Nanoseconds of its work.
    pub(super) work: Vec<u64>,
    sent: Vec<u64>,
    stalled: Vec<u64>,
}

/// Goes through the asked clients of a round.
pub(super) struct Walk<'a> {
    source: Source<'a>,
    closed: u8,
    next: usize,
    window: Vec<u32>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(source: Source<'a>, closed: u8) -> Self {
        Self { source, closed, next: 0, window: Vec::new() }
    }

    /// The next of the clients, of whom so many rounds each are answered; false if there are no more.
    pub(super) fn take(&mut self, answered: &[u8], chunk: &mut Chunk) -> bool {
        let Some(rest) = answered.get(self.next..).filter(|rest| !rest.is_empty()) else { return false };
        let some = &rest[..rest.len().min(CLIENTS)];
        let closed = self.closed;
        let member = |answered: u8| closed == 0 || answered > 0;
        let members = count(some, member);
        // Where few are asked, each is cheaper found on its own.
        if count(some, |answered| answered == closed) * (64 + self.source.window()) <= 8 * some.len() {
            self.take_few(some, chunk);
            self.source.pass(members);
            self.next += some.len();
            return true;
        }
        self.window.clear();
        self.source.fill(members, &mut self.window);
        // One that is read and not taken.
        self.window.push(0);
        chunk.clients.resize(some.len() + 1, 0);
        chunk.partners.resize(some.len() + 1, 0);
        let (clients, partners, window) = (&mut chunk.clients[..], &mut chunk.partners[..], &self.window[..]);
        let (mut place, mut asked) = (0, 0);
        for (client, answered) in (self.next as u32..).zip(some) {
            // Each is written, and the place only taken if it was asked: no processor foresees who was.
            clients[asked] = client;
            partners[asked] = window[place];
            place += usize::from(member(*answered));
            asked += usize::from(*answered == closed);
        }
        chunk.clients.truncate(asked);
        chunk.partners.truncate(asked);
        self.next += some.len();
        true
    }

    /// The asked ones of the next clients, which are few.
    fn take_few(&self, some: &[u8], chunk: &mut Chunk) {
        let closed = self.closed;
        let member = |answered: u8| closed == 0 || answered > 0;
        chunk.clients.clear();
        chunk.partners.clear();
        let (mut client, mut place) = (self.next as u32, 0);
        for block in some.chunks(BLOCK) {
            if count(block, |answered| answered == closed) > 0 {
                for (at, _) in block.iter().enumerate().filter(|(_, answered)| **answered == closed) {
                    let before = count(&block[..at], member);
                    chunk.clients.push(client + at as u32);
                    chunk.partners.push(self.source.ahead(place + before));
                }
            }
            client += block.len() as u32;
            place += count(block, member);
        }
    }
}

impl Chunk {
    /// Who the clients are.
    pub(super) fn meet(&mut self, play: &Play<'_>) {
        play.scene.cast.meet(&self.clients, &mut self.who);
    }

    /// How long each works.
    pub(super) fn work(&mut self, play: &Play<'_>) {
        play.scene.works(&self.who, &self.partners, play.exchanges, &mut self.work);
    }

    /// When each vanishes, has its request, and how long its answer waits for the window.
    pub(super) fn begin(&mut self, play: &Play<'_>, sent: &Sent) {
        play.scene.moments(&self.who, &mut self.moments);
        play.scene.stalls(&self.who, &self.partners, play.exchanges, &mut self.stalled);
        sent.of(play, &self.who, &self.partners, &mut self.sent);
    }

    /// When a client begins its whole answer, if it is as most are.
    #[inline(always)]
    pub(super) fn start<'a>(&self, plain: Option<Plain<'a>>, at: usize) -> Option<(Plain<'a>, u32)> {
        let plain = plain.filter(|_| self.moments[at].is_none())?;
        Some((plain, plain.start(self.who[at], (self.sent[at], self.work[at], self.stalled[at]))?))
    }

    /// What a client does, however it is.
    #[cold]
    pub(super) fn answering(&self, play: &Play<'_>, at: usize) -> Answering {
        let exchange = play.exchanges.with(self.partners[at]);
        let times = (self.sent[at], self.work[at], self.stalled[at]);
        play.scene.begins(self.who[at], self.moments[at], exchange, times)
    }
}
