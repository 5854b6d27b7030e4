//! What comes of the clients of a round whose answers are not sure to count and entered at once.

use super::chunk::Chunk;
use super::tables::{Answers, Sent};
use crate::cast::{Answering, Ending, MANY, Many, Scene, Settled};
use crate::exchange::Exchange;
use crate::link::Schedule;
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
    /// Of each client while its answer waits for a link that is shared: the number of its group there, with [`CUT`] if the
    /// answer does not arrive, or [`GONE`].
    groups: Vec<u32>,
    /// Those who begin no answer first, if answers have waited; otherwise in the order of the clients.
    rest: Vec<Rest>,
    /// When every asked client has answered or is known to be gone, but for the answers that are sure.
    pub(super) everyone: u64,
}

const CUT: u32 = 1 << 31;
const GONE: u32 = u32::MAX;

impl Times {
    pub(super) fn clear(&mut self) {
        self.rest.clear();
        self.everyone = 0;
    }

    /// Notes that a client begins no answer.
    fn lose(&mut self, scene: &Scene<'_>, (chunk, at): (&Chunk, usize), gone: u64) {
        let known = scene.noticed(gone);
        self.rest.push(Rest::new(scene, (chunk, at), (0, known), Fate::Gone));
        self.everyone = self.everyone.max(known);
    }

    /// Notes what clients do whose answers wait for a link that is shared: of those, the group alone. Of the chunk it is
    /// known which clients begin whole answers, and when; `lanes` are those of the answers.
    pub(super) fn wait(
        &mut self,
        play: &Play<'_>,
        (chunk, lanes): (&Chunk, &Many<u32>),
        sent: &Sent,
        answers: &mut Answers,
    ) {
        let first = chunk.first as usize;
        if self.groups.len() < first + MANY {
            self.groups.resize(first + MANY, GONE);
        }
        let groups = &mut self.groups[first..first + MANY];
        for (at, (group, whole)) in groups.iter_mut().zip(&chunk.sure).enumerate() {
            *group = if *whole { answers.add_whole(lanes[at], chunk.start[at] as u32) } else { GONE };
        }
        for at in chunk.others() {
            match answering(play, chunk, sent, at) {
                (_, Answering::Gone { at: gone }) => self.lose(play.scene, (chunk, at), gone),
                (cut, Answering::Sends { flow }) => {
                    self.groups[first + at] = answers.load.add(flow) | if cut { CUT } else { 0 };
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

    /// Finds when answers have been sent that have waited for the link. Those of the chunk are begun that were to be
    /// whole, and taken to be sure.
    pub(super) fn sent(&self, chunk: &mut Chunk, up: &Schedule, sent: &mut Many<u64>) {
        let groups = &self.groups[chunk.first as usize..][..MANY];
        for (at, group) in groups.iter().enumerate() {
            chunk.sure[at] = chunk.asked[at] && *group < CUT;
            if chunk.sure[at] {
                let (start, end) = up.times(*group);
                (chunk.start[at], sent[at]) = (u64::from(start), end);
            }
        }
    }

    /// Notes when the answers arrive that have waited for the link and are not sure.
    pub(super) fn arrive_shared(&mut self, play: &Play<'_>, chunk: &mut Chunk, up: &Schedule, sure: u64) {
        for at in chunk.others() {
            let group = self.groups[chunk.client(at) as usize];
            if group != GONE {
                self.arrive(play, (chunk, at), group >= CUT, up.times(group & !CUT), sure);
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
        self.rest.push(Rest::new(scene, (chunk, at), (begins, arrival), fate));
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
