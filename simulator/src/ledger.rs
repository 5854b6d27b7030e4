//! The books of a session: every record of every client adds to them, in whatever order.

use secagg::{Counts, Round};

use crate::exchange::Exchange;
use crate::histogram::Histogram;
use crate::inbox::Inbox;
use crate::report::{ClassReport, Traffic};
use crate::transcript::{Record, Transcript};

/// The books of one round.
pub(crate) struct Page {
    pub(crate) asked: u32,
    pub(crate) requests: Traffic,
    pub(crate) responses: Traffic,
    pub(crate) wasted: Traffic,
    pub(crate) answers: Histogram,
    pub(crate) inbox: Inbox,
    /// What the server did to take the answers in.
    pub(crate) taken_in: Counts,
}

impl Page {
    pub(crate) fn new(deadline: u64) -> Self {
        Self {
            asked: 0,
            requests: Traffic::default(),
            responses: Traffic::default(),
            wasted: Traffic::default(),
            answers: Histogram::default(),
            inbox: Inbox::new(deadline),
            taken_in: Counts::default(),
        }
    }

    /// Valid answers in time.
    pub(crate) fn answered(&self) -> u32 {
        self.responses.messages as u32
    }
}

/// The books of one session.
pub(crate) struct Ledger {
    pub(crate) transcript: Transcript,
    pub(crate) classes: Vec<ClassReport>,
    /// What all clients did.
    pub(crate) clients: Counts,
    /// The round whose answer makes a client one that finished.
    last: Round,
    /// Every record, where they are wanted.
    pub(crate) records: Option<Vec<Record>>,
}

impl Ledger {
    pub(crate) fn new(classes: Vec<ClassReport>, last: Round, keep: bool) -> Self {
        let (transcript, clients) = (Transcript::default(), Counts::default());
        Self { transcript, classes, clients, last, records: keep.then(Vec::new) }
    }

    /// Notes what a client did. The operations are noted by whoever knows them.
    #[inline]
    pub(crate) fn note(&mut self, page: &mut Page, class: usize, record: Record, exchange: &Exchange) {
        page.asked += 1;
        page.requests.add(record.request);
        let books = &mut self.classes[class];
        books.down += record.request;
        books.up += record.sent;
        books.work = books.work.saturating_add(record.work);
        if record.accepted {
            page.responses.add(record.sent);
            page.answers.add(record.ended);
            page.inbox.add(record.ended, exchange.server);
            books.finished += u32::from(record.round == self.last);
        } else if record.sent > 0 {
            page.wasted.add(record.sent);
        }
        self.transcript.note(&record);
        if let Some(records) = &mut self.records {
            records.push(record);
        }
    }

    /// Puts the records of the last round in the order of the clients.
    pub(crate) fn order(&mut self, round: Round) {
        if let Some(records) = &mut self.records {
            let first = records.partition_point(|record| record.round < round);
            records[first..].sort_unstable_by_key(|record| record.client);
        }
    }

    /// Notes so many answers that count, of clients of one kind and with as many partners: all but when they come and how
    /// long each has worked.
    pub(crate) fn note_many(
        &mut self,
        page: &mut Page,
        (round, class): (Round, usize),
        count: u64,
        exchange: &Exchange,
    ) {
        let many = |bytes: u64| Traffic { messages: count, bytes: count * bytes };
        let (requests, responses) = (many(exchange.request), many(exchange.response));
        page.asked += count as u32;
        page.requests += requests;
        page.responses += responses;
        page.taken_in += exchange.taken_in * count;
        self.clients += exchange.counts * count;
        let books = &mut self.classes[class];
        books.down += requests.bytes;
        books.up += responses.bytes;
        books.finished += if round == self.last { count as u32 } else { 0 };
    }
}
