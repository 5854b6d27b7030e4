//! The answers that count whenever the round closes: they are entered in the books as soon as they are known.

use super::tables::Table;
use crate::ledger::{Ledger, Page};
use crate::session::{Play, Requests};
use crate::transcript::Record;

/// An answer that counts whenever the round closes.
#[derive(Clone, Copy)]
pub(super) struct Sure {
    pub(super) client: u32,
    pub(super) device: u32,
    pub(super) partners: u32,
    /// The tick at which it begins.
    pub(super) start: u32,
    pub(super) arrival: u64,
    /// Nanoseconds of the client.
    pub(super) work: u64,
}

/// The books of these answers.
pub(super) struct Books<'a> {
    play: &'a Play<'a>,
    page: &'a mut Page,
    ledger: &'a mut Ledger,
    /// Until when an answer counts whenever the round closes.
    pub(super) sure: u64,
    /// Those that are not yet entered.
    pub(super) answers: Vec<Sure>,
    /// By number of partners and kind of client, how many answers and how many nanoseconds of work.
    sums: Table<(u64, u64)>,
}

impl<'a> Books<'a> {
    pub(super) fn new(
        play: &'a Play<'a>,
        (requests, sure): (&Requests, u64),
        page: &'a mut Page,
        ledger: &'a mut Ledger,
    ) -> Self {
        let classes = play.scene.cast.world.classes.len();
        let sums = Table::new(requests, classes, play, |_, _| (0, 0));
        Self { play, page, ledger, sure, answers: Vec::new(), sums }
    }

    /// Enters the answers that have come to be sure.
    pub(super) fn accept(&mut self, answered: &mut [u8]) {
        let (scene, rows) = (self.play.scene, self.play.exchanges.rows());
        let (round, tick, kinds) = (scene.round, scene.cast.world.tick, scene.cast.world.classes.len());
        let record = move |answer: &Sure| {
            let exchange = rows.of(answer.partners);
            let record = Record {
                round,
                client: answer.client + 1,
                request: exchange.request,
                began: Some(u64::from(answer.start) * tick),
                ended: answer.arrival,
                accepted: true,
                sent: exchange.response,
                work: answer.work,
            };
            (record, exchange.server)
        };
        self.ledger.note_answers(self.page, self.answers.iter().map(record));
        for answer in &self.answers {
            let class = if kinds == 1 { 0 } else { scene.cast.class(answer.device) };
            let (count, work) = self.sums.at_mut(answer.partners, class as u8);
            *count += 1;
            *work += answer.work;
            answered[answer.client as usize] += 1;
        }
        self.answers.clear();
    }

    /// Enters the sums.
    pub(super) fn close(self, requests: &Requests) {
        let Self { play, page, ledger, sums, .. } = self;
        let classes = ledger.classes.len();
        for partners in requests.partners.0..=requests.partners.1 {
            let exchange = play.exchanges.with(partners);
            for class in 0..classes {
                let sums = sums.at(partners, class as u8);
                ledger.note_sums(page, (play.scene.round, class), sums, exchange);
            }
        }
    }
}
