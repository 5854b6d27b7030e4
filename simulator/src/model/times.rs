//! What comes of the clients of a round whose answers are not sure to count and entered at once.

use std::collections::VecDeque;

use super::chunk::Chunk;
use super::tables::{Lanes, Sent};
use crate::cast::{Answering, Ending, MANY, Many, Scene, Settled};
use crate::exchange::Exchange;
use crate::link::{Flow, Load, Schedule};
use crate::session::Play;
use crate::transcript::Record;

/// What comes of a client in a round, as far as it is known before the round closes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It begins no answer; its end is when the server notices that.
    Gone,
    /// It begins an answer that does not arrive; its end is when it would.
    Cut,
    /// It answers; its end is when the answer arrives.
    Answers,
}

/// A client whose answer was not entered at once.
#[derive(Clone, Copy)]
pub(super) struct Rest {
    ends: u64,
    pub(super) client: u32,
    pub(super) partners: u32,
    /// The tick at which its answer begins.
    begins: u32,
    /// The index of its kind.
    pub(super) kind: u16,
    /// The class of the rate at which it receives.
    pub(super) down: u8,
    fate: Fate,
}

/// What comes of the clients of a round.
#[derive(Default)]
pub(super) struct Times {
    /// Of each client whose whole answer waits for a link that is shared: the tick at which it begins. Of all others
    /// [`NONE`].
    begins: Vec<u32>,
    /// The others whose answers wait, in the order of the clients.
    waiting: VecDeque<Waiting>,
    /// Those who begin no answer first, if answers have waited; otherwise in the order of the clients.
    rest: Vec<Rest>,
    /// When every asked client has answered or is known to be gone, but for the answers that are sure.
    pub(super) everyone: u64,
}

pub(super) const NONE: u32 = u32::MAX;

/// A client whose answer waits and is not as most are.
struct Waiting {
    client: u32,
    /// The answer does not arrive.
    cut: bool,
    flow: Flow,
}

impl Times {
    /// For a round of so many clients, whose answers may have to wait for a link that is shared.
    pub(super) fn clear(&mut self, clients: usize, wait: bool) {
        self.rest.clear();
        self.everyone = 0;
        if wait {
            // As many as whole chunks have.
            let waiting = clients.next_multiple_of(MANY);
            self.begins.reserve_exact(waiting - self.begins.len());
            self.begins.resize(waiting, NONE);
        }
    }

    /// In a list that grows by eighths: it may be as long as there are clients.
    fn keep(&mut self, rest: Rest) {
        if self.rest.len() == self.rest.capacity() {
            self.rest.reserve_exact(self.rest.len() / 8 + MANY);
        }
        self.rest.push(rest);
    }

    /// Notes that a client begins no answer.
    fn lose(&mut self, scene: &Scene<'_>, (chunk, at): (&Chunk, usize), gone: u64) {
        let known = scene.noticed(gone);
        self.keep(Rest::new(scene, (chunk, at), (0, known), Fate::Gone));
        self.everyone = self.everyone.max(known);
    }

    /// The ticks at which whole answers begin that wait for a link that is shared, of the clients from `first` on.
    pub(super) fn begins(&mut self, first: usize) -> &mut Many<u32> {
        let (chunks, _) = self.begins.as_chunks_mut();
        &mut chunks[first / MANY]
    }

    /// Notes what clients do whose answers wait for a link that is shared. Of the chunk it is known which clients begin whole
    /// answers, and when; `places` are those of their lanes.
    pub(super) fn wait(
        &mut self,
        play: &Play<'_>,
        (chunk, places): (&Chunk, &Many<u32>),
        sent: &Sent,
        (load, lanes): (&mut Load, &Lanes),
    ) {
        // Without a branch: nobody foresees who has none.
        for (begins, place) in self.begins(chunk.first as usize).iter().zip(places) {
            let count = u32::from(*begins != NONE);
            load.add_in(lanes.at(*place), begins * count, count);
        }
        for at in chunk.others() {
            match answering(play, chunk, sent, at) {
                (_, Answering::Gone { at: gone }) => self.lose(play.scene, (chunk, at), gone),
                (cut, Answering::Sends { flow }) => {
                    load.add(flow);
                    self.waiting.push_back(Waiting { client: chunk.client(at), cut, flow });
                }
            }
        }
    }

    /// Notes what the clients do that are not as most are and whose answers have the link for themselves.
    pub(super) fn arrive_alone(&mut self, play: &Play<'_>, chunk: &mut Chunk, sent: &Sent, sure: u64) {
        let (scene, up) = (play.scene, &play.scene.cast.world.up);
        for at in chunk.others() {
            match answering(play, chunk, sent, at) {
                (_, Answering::Gone { at: gone }) => self.lose(scene, (chunk, at), gone),
                (cut, Answering::Sends { flow }) => {
                    self.arrive(play, (chunk, at), cut, (flow.start, up.alone(flow)), sure);
                }
            }
        }
    }

    /// Finds when whole answers have been sent that have waited for the link; `places` are those of their lanes.
    pub(super) fn sent(
        &mut self,
        first: usize,
        (places, lanes): (&Many<u32>, &Lanes),
        up: &Schedule,
        sent: &mut Many<u64>,
    ) {
        for ((sent, begins), place) in sent.iter_mut().zip(self.begins(first).iter()).zip(places) {
            *sent = up.end_in(lanes.at(*place), begins * u32::from(*begins != NONE));
        }
    }

    /// Notes when the answers arrive that have waited for the link and are not sure; the whole ones have been sent at `sent`.
    pub(super) fn arrive_shared(
        &mut self,
        play: &Play<'_>,
        chunk: &mut Chunk,
        (schedule, sent): (&Schedule, &Many<u64>),
        sure: u64,
    ) {
        let up = &play.scene.cast.world.up;
        for at in chunk.others() {
            let client = chunk.client(at);
            let waits = self.waiting.front().is_some_and(|next| next.client == client);
            if waits && let Some(Waiting { cut, flow, .. }) = self.waiting.pop_front() {
                self.arrive(play, (chunk, at), cut, (flow.start, up.end(schedule, flow)), sure);
            } else if self.begins[client as usize] != NONE {
                self.arrive(play, (chunk, at), false, (self.begins[client as usize], sent[at]), sure);
            }
        }
    }

    /// Notes when a client's answer begins and has been sent, or, if that is sure to count, that it is.
    fn arrive(
        &mut self,
        play: &Play<'_>,
        (chunk, at): (&mut Chunk, usize),
        cut: bool,
        (begins, sent): (u32, u64),
        sure: u64,
    ) {
        let (scene, who) = (play.scene, chunk.crowd.who(at));
        let arrival = sent.saturating_add(scene.way_up(who));
        let ending = scene.ending(who, cut, arrival);
        let (Ending::Answer { at: known } | Ending::Lost { at: known }) = ending;
        self.everyone = self.everyone.max(known);
        if matches!(ending, Ending::Answer { .. }) && arrival <= sure {
            chunk.sure[at] = true;
            (chunk.start[at], chunk.arrival[at]) = (u64::from(begins), arrival);
            chunk.work[at] = chunk.work(scene, at, play.exchanges.with(chunk.partners[at]));
            return;
        }
        let fate = if matches!(ending, Ending::Lost { .. }) { Fate::Cut } else { Fate::Answers };
        self.keep(Rest::new(scene, (chunk, at), (begins, arrival), fate));
    }

    /// Those whose answers were not entered at once.
    pub(super) fn rest(&self) -> &[Rest] {
        &self.rest
    }

    /// When the answers of these come, with their clients, ascending.
    pub(super) fn answers(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        let answers = self.rest.iter().filter(|rest| rest.fate == Fate::Answers);
        answers.map(|rest| (rest.ends, rest.client))
    }
}

impl Rest {
    fn new(scene: &Scene<'_>, (chunk, at): (&Chunk, usize), (begins, ends): (u32, u64), fate: Fate) -> Self {
        let (down, _) = scene.classes(chunk.crowd.who(at));
        let (client, partners, kind) = (chunk.client(at), chunk.partners[at], chunk.crowd.kinds[at] as u16);
        Self { ends, client, partners, begins, kind, down, fate }
    }

    /// What came of the client when the round closed.
    pub(super) fn settle(&self, scene: &Scene<'_>, exchange: &Exchange, closed: u64) -> (Settled, Record) {
        let Self { ends, client, begins, fate, .. } = *self;
        let who = || scene.cast.who(client);
        let (settled, ended) = match fate {
            Fate::Gone => (Settled::NOTHING, ends),
            Fate::Answers => (scene.settle(who(), None, exchange, (begins, ends), closed), ends),
            Fate::Cut => {
                let who = who();
                let (Ending::Answer { at } | Ending::Lost { at }) = scene.ending(who, true, ends);
                (scene.settle(who, scene.moment(who), exchange, (begins, ends), closed), at)
            }
        };
        let record = Record {
            round: scene.round,
            client: client + 1,
            request: exchange.request,
            began: (fate != Fate::Gone).then(|| u64::from(begins) * scene.cast.world.tick),
            ended,
            accepted: settled.accepted,
            sent: settled.sent,
            work: if settled.worked { scene.work(who(), exchange) } else { 0 },
        };
        (settled, record)
    }
}

/// Whether the answer of a client that is not as most are does not arrive, and what it does.
fn answering(play: &Play<'_>, chunk: &Chunk, sent: &Sent, at: usize) -> (bool, Answering) {
    let (scene, who, partners) = (play.scene, chunk.crowd.who(at), chunk.partners[at]);
    let exchange = play.exchanges.with(partners);
    let moment = scene.moment(who);
    let times = (sent.to(scene, who, partners, exchange), chunk.work(scene, at, exchange));
    (moment.is_some(), scene.begins(who, moment, exchange, times))
}
