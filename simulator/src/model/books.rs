//! The answers that count whenever the round closes: they are entered in the books as soon as they are known.

use super::chunk::Chunk;
use super::tables::Table;
use crate::cast::{MANY, Many, look_up};
use crate::histogram::bucket;
use crate::inbox::Inbox;
use crate::ledger::{Ledger, Page};
use crate::session::{Play, Requests};
use crate::transcript::{Record, Stem, word};

/// The books of these answers.
pub(super) struct Books<'a> {
    play: &'a Play<'a>,
    requests: &'a Requests,
    page: &'a mut Page,
    ledger: &'a mut Ledger,
    /// Until when an answer counts whenever the round closes.
    pub(super) sure: u64,
    /// When the last of them arrives.
    pub(super) last: u64,
    /// What the records of answers have in common, by number of partners.
    stems: Vec<Stem>,
    /// Nanoseconds of the server to take an answer in, by number of partners.
    server: Vec<u64>,
    /// By number of partners and kind of client, how many answers.
    counts: Table<u64>,
    /// By kind of client, nanoseconds of work.
    work: Vec<u64>,
    /// Of the chunk that is entered.
    found: Found,
}

impl<'a> Books<'a> {
    pub(super) fn new(
        play: &'a Play<'a>,
        (requests, sure): (&'a Requests, u64),
        page: &'a mut Page,
        ledger: &'a mut Ledger,
    ) -> Self {
        let kinds = play.scene.cast.world.classes.len();
        let counts = Table::new(requests, kinds, play, |_, _| 0);
        let exchanges = play.exchanges.rows();
        let stem = |exchange: &crate::exchange::Exchange| {
            Stem::new(play.scene.round, exchange.request, exchange.response, true)
        };
        let stems = exchanges.iter().map(stem).collect();
        let server = exchanges.iter().map(|exchange| exchange.server).collect();
        Self {
            play,
            requests,
            page,
            ledger,
            sure,
            last: 0,
            stems,
            server,
            counts,
            work: vec![0; kinds],
            found: Found::default(),
        }
    }

    /// Enters the sure answers of a chunk.
    pub(super) fn accept(&mut self, chunk: &Chunk, answered: &mut [u8]) {
        let (stems, server, inbox) = (&self.stems[..], &self.server[..], &self.page.inbox);
        let (tick, found) = (self.play.scene.cast.world.tick, &mut self.found);
        pulp::Arch::new().dispatch(Finding { stems, server, inbox, tick, chunk, found });
        let Found { word, last, count, work, .. } = *found;
        self.last = self.last.max(last);
        self.ledger.transcript.add(word);
        self.page.answers.add_some(&found.buckets, &chunk.sure, (count, last));
        self.page.inbox.add_some(&found.bins, (&found.arrivals, &found.server), last);
        self.count(chunk, (count, work));
        for (answered, sure) in answered[chunk.first as usize..].iter_mut().zip(&chunk.sure) {
            *answered += u8::from(*sure);
        }
        self.record(chunk);
    }

    /// Counts the answers and their work by partners and kind.
    fn count(&mut self, chunk: &Chunk, (count, work): (u64, u64)) {
        if let [only] = &mut self.work[..] {
            *only = only.saturating_add(work);
        } else {
            for ((kind, work), sure) in chunk.crowd.kinds.iter().zip(&chunk.work).zip(&chunk.sure) {
                let sum = &mut self.work[*kind as usize];
                *sum = sum.saturating_add(if *sure { *work } else { 0 });
            }
        }
        if let [only] = self.counts.values_mut() {
            *only += count;
            return;
        }
        let mut places = [0; MANY];
        self.counts.places(&chunk.rows, &chunk.crowd.kinds, &mut places);
        let counts = self.counts.values_mut();
        for (place, sure) in places.iter().zip(&chunk.sure) {
            counts[*place as usize] += u64::from(*sure);
        }
    }

    /// Keeps the records, where they are wanted.
    fn record(&mut self, chunk: &Chunk) {
        let Some(records) = &mut self.ledger.records else { return };
        let scene = self.play.scene;
        for at in (0..MANY).filter(|at| chunk.sure[*at]) {
            let exchange = self.play.exchanges.with(chunk.partners[at]);
            records.push(Record {
                round: scene.round,
                client: chunk.client(at) + 1,
                request: exchange.request,
                began: Some(chunk.start[at] * scene.cast.world.tick),
                ended: chunk.arrival[at],
                accepted: true,
                sent: exchange.response,
                work: chunk.work[at],
            });
        }
    }

    /// Enters the sums.
    pub(super) fn close(self) {
        let Self { play, requests, page, ledger, counts, work, .. } = self;
        for (class, work) in ledger.classes.iter_mut().zip(&work) {
            class.work = class.work.saturating_add(*work);
        }
        for partners in requests.partners.0..=requests.partners.1 {
            let exchange = play.exchanges.with(partners);
            for class in 0..work.len() {
                let count = counts.at(partners, class as u8);
                ledger.note_many(page, (play.scene.round, class), count, exchange);
            }
        }
    }
}

/// What is found of the sure answers of a chunk.
struct Found {
    /// All bits set for each of them, none for the others.
    mask: Many<u64>,
    stems: Many<Stem>,
    /// The sum of their words in the transcript.
    word: u64,
    /// The latest arrival.
    last: u64,
    count: u64,
    /// Nanoseconds of their clients' work.
    work: u64,
    /// For each, where it is counted among the times of answers.
    buckets: Many<u32>,
    /// For each, its bin in the server's inbox.
    bins: Many<u32>,
    /// Their arrivals; none of the others ever arrives.
    arrivals: Many<u64>,
    /// Nanoseconds of the server to take each in; none for the others.
    server: Many<u64>,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            mask: [0; MANY],
            stems: [Stem::default(); MANY],
            word: 0,
            last: 0,
            count: 0,
            work: 0,
            buckets: [0; MANY],
            bins: [0; MANY],
            arrivals: [0; MANY],
            server: [0; MANY],
        }
    }
}

struct Finding<'a> {
    stems: &'a [Stem],
    server: &'a [u64],
    inbox: &'a Inbox,
    tick: u64,
    chunk: &'a Chunk,
    found: &'a mut Found,
}

impl pulp::NullaryFnOnce for Finding<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { stems, server, inbox, tick, chunk, found } = self;
        let Found { mask, stems: stem, buckets, bins, arrivals, server: taken_in, .. } = &mut *found;
        for (mask, sure) in mask.iter_mut().zip(&chunk.sure) {
            *mask = if *sure { u64::MAX } else { 0 };
        }
        look_up(stems, &chunk.rows, stem);
        look_up(server, &chunk.rows, taken_in);
        taken_in.iter_mut().zip(&*mask).for_each(|(server, mask)| *server &= mask);
        for (one, (arrival, mask)) in arrivals.iter_mut().zip(chunk.arrival.iter().zip(&*mask)) {
            *one = arrival | !mask;
        }
        let places = buckets.iter_mut().zip(bins);
        for ((bucket_of, bin), (arrival, mask)) in places.zip(chunk.arrival.iter().zip(&*mask)) {
            *bucket_of = bucket(arrival & mask) as u32;
            *bin = inbox.bin(arrival & mask);
        }
        let word = words(chunk, tick, stem, mask);
        let (last, count, work) = totals(&chunk.arrival, &chunk.work, mask);
        (found.word, found.last, found.count, found.work) = (word, last, count, work);
    }
}

/// The latest arrival, how many there are, and all their work.
#[inline(always)]
fn totals(arrivals: &Many<u64>, work: &Many<u64>, mask: &Many<u64>) -> (u64, u64, u64) {
    let (mut last, mut count, mut sum) = (0, 0, 0);
    for ((arrival, work), mask) in arrivals.iter().zip(work).zip(mask) {
        last = last.max(arrival & mask);
        count += mask & 1;
        sum += work & mask;
    }
    (last, count, sum)
}

/// The sum of the answers' words in the transcript.
#[inline(always)]
fn words(chunk: &Chunk, tick: u64, stems: &Many<Stem>, mask: &Many<u64>) -> u64 {
    let mut sum = 0u64;
    for at in 0..MANY {
        let client = u64::from(chunk.first) + at as u64 + 1;
        let (began, ended) = (chunk.start[at].wrapping_mul(tick), chunk.arrival[at]);
        sum = sum.wrapping_add(word(stems[at], client, began, ended, chunk.work[at]) & mask[at]);
    }
    sum
}
