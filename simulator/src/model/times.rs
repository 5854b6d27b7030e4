//! When each client's answer begins and ends, as far as that is not sure to count and entered at once.

use super::books::{Books, Sure};
use super::chunk::Chunk;
use super::tables::{Answers, Table};
use crate::cast::{Answering, Ending, Plain, Scene, Settled};
use crate::exchange::Exchange;
use crate::link::Schedule;
use crate::session::Play;
use crate::transcript::Record;

/// What comes of a client in a round, as far as it is known before the round closes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It begins no answer; its end is when the server notices that.
    Gone,
    /// It begins an answer that does not arrive; its end is when it would.
    Cut,
    /// It answers; its end is when the answer arrives.
    Answers,
}

/// For each client, when its answer begins, in ticks, when that ends, and how.
#[derive(Default)]
pub(super) struct Times {
    begins: Vec<u32>,
    ends: Vec<u64>,
    fates: Vec<Fate>,
    /// When every asked client has answered or is known to be gone.
    pub(super) everyone: u64,
}

impl Times {
    /// Of so many clients, of whom nobody has been asked.
    pub(super) fn clear(&mut self, clients: usize) {
        self.begins.resize(clients, 0);
        self.ends.resize(clients, 0);
        self.fates.resize(clients, Fate::Gone);
        self.everyone = 0;
    }

    /// Notes that a client begins no answer.
    #[inline]
    pub(super) fn lose(&mut self, at: usize, known: u64) {
        self.fates[at] = Fate::Gone;
        self.ends[at] = known;
        self.everyone = self.everyone.max(known);
    }

    /// Notes what clients do whose answers wait for a link that is shared: of those, the group alone.
    #[inline(never)]
    pub(super) fn wait(&mut self, play: &Play<'_>, chunk: &Chunk, answers: &mut Answers) {
        let plain = play.scene.plain();
        for (at, client) in chunk.clients.iter().enumerate() {
            let client = *client as usize;
            if let Some((plain, start)) = chunk.start(plain, at) {
                self.fates[client] = Fate::Answers;
                let (_, class) = plain.classes(chunk.who[at]);
                self.begins[client] = answers.add_plain(chunk.partners[at], class, start);
                continue;
            }
            match chunk.answering(play, at) {
                Answering::Gone { at: gone } => self.lose(client, play.scene.noticed(gone)),
                Answering::Sends { flow } => {
                    self.fates[client] = if chunk.moments[at].is_none() { Fate::Answers } else { Fate::Cut };
                    self.begins[client] = answers.load.add(flow);
                }
            }
        }
    }

    /// Notes what clients do whose answers have the link for themselves; whole answers last as `lasts` has it.
    #[inline(never)]
    pub(super) fn arrive_alone(
        &mut self,
        play: &Play<'_>,
        chunk: &Chunk,
        lasts: &Table<u64>,
        books: &mut Books<'_>,
    ) {
        let (scene, up, plain) = (play.scene, &play.scene.cast.world.up, play.scene.plain());
        for at in 0..chunk.clients.len() {
            if let Some((plain, start)) = chunk.start(plain, at) {
                let (_, class) = plain.classes(chunk.who[at]);
                let sent = up.after(start, lasts.at(chunk.partners[at], class));
                if self.arrive_plain(plain, (chunk, at), (start, sent), books) {
                    continue;
                }
            }
            match chunk.answering(play, at) {
                Answering::Gone { at: gone } => self.lose(chunk.clients[at] as usize, scene.noticed(gone)),
                Answering::Sends { flow } => {
                    let times = (flow.start, up.alone(flow));
                    self.arrive(scene, (chunk, at), chunk.moments[at].is_some(), times, books);
                }
            }
        }
    }

    /// Notes when the answers of clients arrive that have waited for the link.
    #[inline(never)]
    pub(super) fn arrive_shared(
        &mut self,
        scene: &Scene<'_>,
        chunk: &Chunk,
        up: &Schedule,
        books: &mut Books<'_>,
    ) {
        let plain = scene.plain();
        for at in 0..chunk.clients.len() {
            let client = chunk.clients[at] as usize;
            let fate = self.fates[client];
            if fate == Fate::Gone {
                continue;
            }
            let times = up.times(self.begins[client]);
            let plain = plain.filter(|_| fate == Fate::Answers);
            if !plain.is_some_and(|plain| self.arrive_plain(plain, (chunk, at), times, books)) {
                self.arrive(scene, (chunk, at), fate == Fate::Cut, times, books);
            }
        }
    }

    /// Has a client's answer entered in the books, if it is as most are and sure to count; whether it is.
    #[inline(always)]
    pub(super) fn arrive_plain(
        &mut self,
        plain: Plain<'_>,
        (chunk, at): (&Chunk, usize),
        (start, sent): (u32, u64),
        books: &mut Books<'_>,
    ) -> bool {
        let (who, partners, work) = (chunk.who[at], chunk.partners[at], chunk.work[at]);
        let arrival = sent.saturating_add(plain.way(who));
        let sure = plain.stays(who, arrival) && arrival <= books.sure;
        if sure {
            self.everyone = self.everyone.max(arrival);
            let (client, device) = (chunk.clients[at], who.device);
            books.answers.push(Sure { client, device, partners, start, arrival, work });
        }
        sure
    }

    /// Notes when a client's answer begins and has been sent, or, if that is sure to count, has it entered in the books.
    #[cold]
    pub(super) fn arrive(
        &mut self,
        scene: &Scene<'_>,
        (chunk, at): (&Chunk, usize),
        cut: bool,
        (start, sent): (u32, u64),
        books: &mut Books<'_>,
    ) {
        let who = chunk.who[at];
        let arrival = sent.saturating_add(scene.way_up(who));
        let ending = scene.ending(who, cut, arrival);
        let (Ending::Answer { at: known } | Ending::Lost { at: known }) = ending;
        self.everyone = self.everyone.max(known);
        let (client, partners, work) = (chunk.clients[at], chunk.partners[at], chunk.work[at]);
        if matches!(ending, Ending::Answer { .. }) && arrival <= books.sure {
            books.answers.push(Sure { client, device: who.device, partners, start, arrival, work });
            return;
        }
        let at = client as usize;
        (self.begins[at], self.ends[at]) = (start, arrival);
        self.fates[at] = if matches!(ending, Ending::Lost { .. }) { Fate::Cut } else { Fate::Answers };
    }

    /// When a client's answer comes, with the client.
    #[inline]
    pub(super) fn answer(&self, client: u32) -> Option<(u64, u32)> {
        let at = client as usize;
        (self.fates[at] == Fate::Answers).then_some((self.ends[at], client))
    }

    /// What came of a client when the round closed.
    #[inline]
    pub(super) fn settle(
        &self,
        scene: &Scene<'_>,
        client: u32,
        exchange: &Exchange,
        closed: u64,
    ) -> (Settled, Record) {
        let at = client as usize;
        let (fate, start, end) = (self.fates[at], self.begins[at], self.ends[at]);
        let who = scene.cast.who(client);
        let (settled, ended) = match fate {
            Fate::Gone => (Settled::NOTHING, end),
            Fate::Answers => (scene.settle(who, None, exchange, (start, end), closed), end),
            Fate::Cut => {
                let moment = scene.moment(who);
                let (Ending::Answer { at } | Ending::Lost { at }) = scene.ending(who, true, end);
                (scene.settle(who, moment, exchange, (start, end), closed), at)
            }
        };
        let record = Record {
            round: scene.round,
            client: client + 1,
            request: exchange.request,
            began: (fate != Fate::Gone).then(|| u64::from(start) * scene.cast.world.tick),
            ended,
            accepted: settled.accepted,
            sent: settled.sent,
            work: if settled.worked { scene.work(who, exchange) } else { 0 },
        };
        (settled, record)
    }
}
