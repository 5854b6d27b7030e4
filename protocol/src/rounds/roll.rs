//! Who was asked in a round and what came back.

use std::collections::{BTreeMap, BTreeSet};

use crate::{ClientId, Misbehaviour};

/// The clients asked in one round, and the valid answers so far.
pub(crate) struct Roll<T> {
    asked: BTreeSet<ClientId>,
    excluded: BTreeSet<ClientId>,
    answers: BTreeMap<ClientId, T>,
}

impl<T> Roll<T> {
    pub(crate) fn new(asked: impl IntoIterator<Item = ClientId>) -> Self {
        Self { asked: asked.into_iter().collect(), excluded: BTreeSet::new(), answers: BTreeMap::new() }
    }

    /// Takes the answer that `check` makes of a message.
    ///
    /// A message out of its round or session leaves its sender in: an honest network may duplicate or delay.
    /// Any other fault puts the sender out of the session.
    pub(crate) fn receive(
        &mut self,
        from: ClientId,
        check: impl FnOnce() -> Result<T, Misbehaviour>,
    ) -> Result<(), Misbehaviour> {
        if !self.asked.contains(&from) || self.excluded.contains(&from) {
            return Err(Misbehaviour::UnknownClient);
        }
        if self.answers.contains_key(&from) {
            return Err(Misbehaviour::Duplicate);
        }
        match check() {
            Ok(answer) => {
                self.answers.insert(from, answer);
                Ok(())
            }
            Err(what) => {
                if !matches!(what, Misbehaviour::WrongRound | Misbehaviour::WrongSession) {
                    self.excluded.insert(from);
                }
                Err(what)
            }
        }
    }

    /// Whether a valid answer of `id` could still come.
    pub(crate) fn awaits(&self, id: ClientId) -> bool {
        self.asked.contains(&id) && !self.excluded.contains(&id) && !self.answers.contains_key(&id)
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.len()
    }

    pub(crate) fn answers(&self) -> &BTreeMap<ClientId, T> {
        &self.answers
    }

    pub(crate) fn into_answers(self) -> BTreeMap<ClientId, T> {
        self.answers
    }

    /// The clients that answered.
    pub(crate) fn answered(&self) -> BTreeSet<ClientId> {
        self.answers.keys().copied().collect()
    }

    /// The clients that were asked and gave no valid answer, ascending.
    pub(crate) fn missing(&self) -> Vec<ClientId> {
        self.asked.iter().copied().filter(|id| !self.answers.contains_key(id)).collect()
    }
}
