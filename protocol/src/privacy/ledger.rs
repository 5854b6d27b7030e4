//! The privacy ledger of a population: what has been spent of a budget, and whether another round fits.
//!
//! It is a text file of lines that are only ever appended. This module reads, checks, composes, decides and writes
//! lines; a caller opens, locks, appends and synchronises the file (`secagg-transport` does).
//!
//! # Use
//!
//! **Reserve before releasing.** [`Ledger::reserve`] with the noise that is sure to be in the sum, the fewest survivors;
//! append the line and synchronise; only then let the sum be unmasked. Afterwards [`Ledger::settle`] with the noise that
//! was there, which is usually more, or [`Ledger::cancel`] if nothing was released and nothing will be. A crash between
//! the two leaves the round counted at its reservation.
//!
//! # Lines
//!
//! Fields are separated by one tab, lines end with one line feed, and the last field is a checksum: the first 8
//! bytes, in hexadecimal, of SHA-256 of the checksum of the line before (nothing for the first) and of the line
//! up to and including the last tab. A changed, missing, doubled or moved line breaks the chain. Lines cut off
//! the end do not: to notice that, keep the last checksum elsewhere.
//!
//! ```text
//! secagg-ledger-1  POPULATION  server|public  EPSILON  DELTA  CHECKSUM
//! reserve          ROUND  MECHANISM  SHARES  NORM  DIMENSION  SAMPLING  CHECKSUM
//! settle           ROUND  MECHANISM  SHARES  NORM  DIMENSION  SAMPLING  CHECKSUM
//! cancel           ROUND  CHECKSUM
//! ```
//!
//! The budget is against the server or for the public, see [`Against`]. MECHANISM is `gaussian`, `centred` or `skellam`.
//! SHARES are the honest shares of noise in the sum, as count `x` σ² in units of 2^−16, joined by `+`; of `centred` the
//! first are those around the clients' vectors. NORM is the sensitivity D in integer units, a decimal that reads back
//! as the same double. SAMPLING is `all`, `poisson:RATE` or `fixed:COHORT/POPULATION`. Names are 1 to 64 characters of
//! `A–Z a–z 0–9 . _ -`.
//!
//! A last line without its line feed, or with a byte of zero, was torn by a crash: a power cut may leave a hole where a
//! page was not written yet. Nothing was released on its account, because the line was not yet synchronised; it is reported
//! and cut off. Every other fault is an error with the number of the line.

mod error;
mod line;
mod release;

use std::collections::{BTreeMap, btree_map};

pub use error::LedgerError;
pub use release::{Kind, Release, Sampling};

use super::Curve;
use super::error::{PrivacyError, positive, probability};
use line::{Record, checked_name};

/// Whose view a budget limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// The server, which knows who takes part: sampling amplifies nothing.
    Server,
    /// Those who see the released sums only, where samples are secret.
    Public,
}

/// What may be spent on a population: (ε, δ), against whom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Whose view it limits.
    pub against: Against,
    /// The greatest ε.
    pub epsilon: f64,
    /// δ.
    pub delta: f64,
}

/// What has been spent, at the budget's δ, both figures rounded up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spent {
    /// ε against the server.
    pub server: f64,
    /// ε for the public.
    pub public: f64,
}

/// What became of a round.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Counted at what was reserved for it.
    Reserved(Release),
    /// Counted at what was released.
    Settled(Release),
    /// Nothing was released.
    Cancelled,
}

/// A last line that was torn by a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Torn {
    /// The number of the line, from 1.
    pub line: usize,
    /// Bytes of it that are there.
    pub bytes: usize,
    /// Bytes of the ledger before it: what is to be kept.
    pub keep: usize,
}

impl Torn {
    /// The last line of a text to which whole lines were added, if a crash has torn it.
    pub fn of(text: &[u8]) -> Option<Self> {
        let starts = |part: &[u8]| part.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let body = text.strip_suffix(b"\n").unwrap_or(text);
        let (before, last) = text.split_at(starts(body));
        let whole = body.len() < text.len() && !last.contains(&0);
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        (!whole && !text.is_empty()).then_some(Self { line, bytes: last.len(), keep: before.len() })
    }
}

/// A ledger as its lines say.
#[derive(Clone, Debug)]
pub struct Ledger {
    population: String,
    budget: Budget,
    rounds: BTreeMap<String, State>,
    /// The curves of each kind of release, against the server and for the public: rounds are mostly alike.
    curves: BTreeMap<String, (Curve, Curve)>,
    chain: String,
}

/// A line that may be appended: [`Ledger::commit`] counts it once it is on the disk.
#[derive(Clone, Debug)]
#[must_use = "the line is to be appended, and then committed"]
pub struct Entry {
    record: Record,
    line: String,
    before: String,
}

impl Entry {
    /// The line, with its line feed.
    pub fn line(&self) -> &str {
        &self.line
    }
}

impl Ledger {
    /// A new ledger, and its first line.
    ///
    /// # Errors
    /// A name that is no name; an ε that is not positive, or a δ outside (0, 1).
    pub fn new(population: &str, budget: Budget) -> Result<(Self, String), LedgerError> {
        let header = line::header(checked_name("the population", population)?, checked_budget(budget)?);
        let (line, chain) = line::seal("", &header);
        Ok((Self::empty(population.to_owned(), budget, chain), line))
    }

    /// Reads all lines, and tells whether the last one is torn.
    ///
    /// # Errors
    /// A line that is not one, whose checksum is wrong, or that contradicts those before it, with its number.
    pub fn read(text: &[u8]) -> Result<(Self, Option<Torn>), LedgerError> {
        let torn = Torn::of(text);
        let (whole, _) = text.split_at(torn.map_or(text.len(), |torn| torn.keep));
        let mut lines = whole.split_inclusive(|&byte| byte == b'\n').zip(1..);
        let (first, _) = lines.next().ok_or(LedgerError::Empty)?;
        let (body, chain) = line::open("", first, 1)?;
        let (population, budget) = line::read_header(body)?;
        let mut ledger = Self::empty(population, checked_budget(budget)?, chain);
        for (line, number) in lines {
            let (body, chain) = line::open(&ledger.chain, line, number)?;
            let record = line::read_record(body, number)?;
            ledger.allowed(&record).map_err(|fault| LedgerError::Contradiction { line: number, fault })?;
            ledger.count(record, chain)?;
        }
        Ok((ledger, torn))
    }

    fn empty(population: String, budget: Budget, chain: String) -> Self {
        Self { population, budget, rounds: BTreeMap::new(), curves: BTreeMap::new(), chain }
    }

    /// The line that sets aside what `round` may release at most, if that fits into the budget.
    ///
    /// # Errors
    /// A round that would overspend, with what is left; a name that is none or was used before; a release that has
    /// no guarantee.
    pub fn reserve(&self, round: &str, release: Release) -> Result<Entry, LedgerError> {
        let one = self.budgeted(&release.curves()?);
        let spent = self.composed();
        let would = self.at_budget(&spent.and(&one))?;
        if would > self.budget.epsilon {
            let spent = self.at_budget(&spent)?;
            let left = self.rounds_left(&release)?;
            let budget = self.budget.epsilon;
            return Err(LedgerError::Overspent { round: round.to_owned(), spent, would, budget, left });
        }
        self.entry(Record::Reserve(checked_name("the round", round)?.to_owned(), release))
    }

    /// The line that replaces a reservation by what was released. It is taken even if it is more than was reserved or
    /// than the budget allows, because it has happened; later reservations are then refused.
    ///
    /// # Errors
    /// A round that is not reserved; a release that has no guarantee.
    pub fn settle(&self, round: &str, release: Release) -> Result<Entry, LedgerError> {
        release.curves()?;
        self.entry(Record::Settle(round.to_owned(), release))
    }

    /// The line that gives a reservation back, because nothing was released and nothing will be.
    ///
    /// # Errors
    /// A round that is not reserved.
    pub fn cancel(&self, round: &str) -> Result<Entry, LedgerError> {
        self.entry(Record::Cancel(round.to_owned()))
    }

    fn entry(&self, record: Record) -> Result<Entry, LedgerError> {
        self.allowed(&record)?;
        let (line, _) = line::seal(&self.chain, &record.to_string());
        Ok(Entry { record, line, before: self.chain.clone() })
    }

    /// Counts a line that has been appended and synchronised.
    ///
    /// # Errors
    /// A line that was made before another was committed.
    pub fn commit(&mut self, entry: Entry) -> Result<(), LedgerError> {
        if entry.before != self.chain {
            return Err(LedgerError::Stale);
        }
        let (_, chain) = line::seal(&self.chain, &entry.record.to_string());
        self.count(entry.record, chain)
    }

    /// How many more rounds with such a release fit into the budget, up to a billion.
    ///
    /// # Errors
    /// A release that has no guarantee.
    pub fn rounds_left(&self, release: &Release) -> Result<u32, LedgerError> {
        let (spent, one) = (self.composed(), self.budgeted(&release.curves()?));
        let (mut fits, mut not) = (0, 1_000_000_001);
        while not - fits > 1 {
            let middle = u32::midpoint(fits, not);
            match self.at_budget(&spent.and(&one.times(middle)))? <= self.budget.epsilon {
                true => fits = middle,
                false => not = middle,
            }
        }
        Ok(fits)
    }

    /// The name PREFIX-N with the first N, counted from the number of rounds, that no round has yet.
    pub fn unused_name(&self, prefix: &str) -> String {
        let mut names = (self.rounds.len() as u64 + 1..).map(|number| format!("{prefix}-{number}"));
        names.find(|name| !self.rounds.contains_key(name)).unwrap_or_default()
    }

    /// What has been spent, reservations included.
    ///
    /// # Errors
    /// None for a ledger that was read or made here.
    pub fn spent(&self) -> Result<Spent, LedgerError> {
        let (server, public) = self.curves();
        let at = |curve: Curve| curve.epsilon(self.budget.delta).map(|found| found.epsilon);
        Ok(Spent { server: at(server)?, public: at(public)? })
    }

    /// The population.
    pub fn population(&self) -> &str {
        &self.population
    }

    /// The budget.
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// The rounds by name.
    pub fn rounds(&self) -> impl ExactSizeIterator<Item = (&str, &State)> {
        self.rounds.iter().map(|(round, state)| (round.as_str(), state))
    }

    /// The last line's checksum: kept elsewhere, it shows whether lines were cut off the end.
    pub fn last_checksum(&self) -> &str {
        &self.chain
    }

    /// Whether the record may follow.
    fn allowed(&self, record: &Record) -> Result<(), &'static str> {
        match (record, self.rounds.get(record.round())) {
            (Record::Reserve(..), None) => Ok(()),
            (Record::Reserve(..), Some(_)) => Err("the round is in the ledger already"),
            (_, Some(State::Reserved(_))) => Ok(()),
            (_, Some(_)) => Err("the round is settled or cancelled already"),
            (_, None) => Err("the round was not reserved"),
        }
    }

    fn count(&mut self, record: Record, chain: String) -> Result<(), LedgerError> {
        let (round, state) = match record {
            Record::Reserve(round, release) => (round, State::Reserved(release)),
            Record::Settle(round, release) => (round, State::Settled(release)),
            Record::Cancel(round) => (round, State::Cancelled),
        };
        if let State::Reserved(release) | State::Settled(release) = &state
            && let btree_map::Entry::Vacant(place) = self.curves.entry(release.to_string())
        {
            place.insert(release.curves()?);
        }
        self.rounds.insert(round, state);
        self.chain = chain;
        Ok(())
    }

    /// The curves of all rounds together.
    fn curves(&self) -> (Curve, Curve) {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for state in self.rounds.values() {
            if let State::Reserved(release) | State::Settled(release) = state {
                *counts.entry(release.to_string()).or_default() += 1;
            }
        }
        let all = counts.iter().filter_map(|(kind, &count)| Some((self.curves.get(kind)?, count)));
        all.fold((Curve::nothing(), Curve::nothing()), |(server, public), ((one, other), count)| {
            (server.and(&one.times(count)), public.and(&other.times(count)))
        })
    }

    fn composed(&self) -> Curve {
        self.budgeted(&self.curves())
    }

    /// Of two curves, the one that the budget is for.
    fn budgeted(&self, (server, public): &(Curve, Curve)) -> Curve {
        match self.budget.against {
            Against::Server => server.clone(),
            Against::Public => public.clone(),
        }
    }

    fn at_budget(&self, curve: &Curve) -> Result<f64, LedgerError> {
        Ok(curve.epsilon(self.budget.delta)?.epsilon)
    }
}

fn checked_budget(budget: Budget) -> Result<Budget, PrivacyError> {
    positive("the budget's ε", budget.epsilon)?;
    probability("the budget's δ", budget.delta)?;
    Ok(budget)
}

#[cfg(test)]
mod tests;
