//! When a round closes, and whether the protocol goes on: the transport's rule and the core's, over flat arrays.

use secagg::{Abort, ClientId, Graph, Round};

use super::{Model, Times};
use crate::circle::{Circle, count};
use crate::histogram::{Histogram, bucket};
use crate::report::Reason;
use crate::session::Play;
use crate::world::nanoseconds;

impl Model {
    /// When and why the round closes.
    pub(super) fn close(&self, play: &Play<'_>, times: &Times) -> (u64, Reason) {
        let deadline = nanoseconds(play.stage.deadline);
        let (closed, reason) = match times.everyone <= deadline {
            true => (times.everyone, Reason::Everyone),
            false => (deadline, Reason::Deadline),
        };
        let quorum = self.quorum(play, times, closed);
        let grace = nanoseconds(play.stage.grace);
        match quorum.map(|at| at + grace) {
            Some(at) if at < closed => (at, Reason::Quorum),
            _ => (closed, reason),
        }
    }

    /// When the quorum has answered and the protocol could go on, if that is before `limit`.
    fn quorum(&self, play: &Play<'_>, times: &Times, limit: u64) -> Option<u64> {
        let asked = self.requests.messages as u32;
        let quorum = u64::from(play.stage.quorum_of(asked));
        if quorum == u64::from(asked) {
            return None;
        }
        let mut histogram = Histogram::default();
        times.answers().for_each(|(at, _)| histogram.add(at));
        let (first, below) = histogram.bucket_of(quorum)?;
        let mut near: Vec<(u64, u32)> = times.answers().filter(|(at, _)| bucket(*at) == first).collect();
        near.sort_unstable();
        let mut last = *near.get((quorum - below - 1) as usize)?;
        while last.0 < limit {
            match self.after(times, last) {
                Ok(()) => return Some(last.0),
                Err(Abort::TooFew { more, about, .. }) => last = self.enough(times, last, more, about)?,
                Err(_) => return None,
            }
        }
        None
    }

    /// Whether the protocol could go on with the answers up to this one.
    fn after(&self, times: &Times, last: (u64, u32)) -> Result<(), Abort> {
        let mut answered = self.answered.clone();
        for (_, client) in times.answers().filter(|answer| *answer <= last) {
            answered[client as usize] += 1;
        }
        let circle = Circle::new(self.config.graph, &answered);
        self.check(&answered, &circle)
    }

    /// The answer after `last` before which the protocol cannot go on, because so many `more` are missing. A secret
    /// that is needed stays needed as answers come, so the holders of one that has too few must answer first.
    fn enough(
        &self,
        times: &Times,
        last: (u64, u32),
        more: u32,
        about: Option<ClientId>,
    ) -> Option<(u64, u32)> {
        let mut place = 0;
        let mut owner = 0;
        let mut roster = 0;
        for (client, answered) in (0..).zip(&self.answered) {
            let member = usize::from(self.closed == 0 || *answered > 0);
            if about.is_some_and(|about| about.get() == client + 1) {
                owner = roster;
            }
            roster += member;
        }
        let mut later = Vec::new();
        let mut answers = times.answers().peekable();
        for (client, answered) in (0..).zip(&self.answered) {
            if self.closed > 0 && *answered == 0 {
                continue;
            }
            let holds = about.is_none() || self.circle.holds(place, owner, roster);
            let answer = answers.next_if(|(_, of)| *of == client);
            later.extend(answer.filter(|answer| holds && *answer > last));
            place += 1;
        }
        later.sort_unstable();
        later.get(more as usize - 1).copied()
    }

    /// The core's rule for going on, were `answered` what the clients have answered when the round closes.
    pub(super) fn check(&self, answered: &[u8], circle: &Circle) -> Result<(), Abort> {
        let round = self.rounds[usize::from(self.closed)];
        let present = self.closed + 1;
        let missing = || {
            let out = (1..).zip(answered).filter(|(_, rounds)| **rounds == self.closed);
            out.filter_map(|(id, _)| ClientId::new(id)).collect::<Vec<_>>()
        };
        let count = count(answered, |rounds| rounds >= present) as u32;
        let threshold = self.config.threshold;
        if self.closed == 0 {
            let needed = match self.config.graph {
                Graph::Complete => threshold,
                Graph::Regular { degree } | Graph::KOut { degree } => degree + 1,
            };
            return match needed.max(self.config.minimum_survivors).saturating_sub(count) {
                0 => Ok(()),
                more => Err(Abort::TooFew { round, missing: missing(), more, about: None }),
            };
        }
        let few = self.config.minimum_survivors.saturating_sub(count);
        if few > 0 && matches!(round, Round::ShareKeys | Round::MaskedInputCollection) {
            return Err(Abort::TooFew { round, missing: missing(), more: few, about: None });
        }
        let complete = self.config.graph == Graph::Complete;
        let least = if complete { count } else { circle.least_partners(present) };
        // Of some their secrets are needed, and all have enough holders.
        if count > 0 && least >= threshold {
            return Ok(());
        }
        let held = || circle.held(present).map(|held| if complete { held.and(Some(count)) } else { held });
        let least = held().map(|held| held.unwrap_or(u32::MAX)).min();
        if least.is_some_and(|held| (threshold..u32::MAX).contains(&held)) {
            return Ok(());
        }
        let roster = (1..).zip(answered).filter(|(_, rounds)| **rounds > 0);
        let owners = roster.zip(held()).filter_map(|((id, _), held)| Some((held?, id)));
        match owners.min() {
            None => Err(Abort::TooFew { round, missing: missing(), more: threshold, about: None }),
            Some((held, owner)) => {
                let missing = missing();
                let about = (!complete || missing.is_empty()).then(|| ClientId::new(owner)).flatten();
                Err(Abort::TooFew { round, missing, more: threshold - held, about })
            }
        }
    }
}
