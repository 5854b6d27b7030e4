//! How many of each client's neighbours have got so far: sums over a window of the circle.

use secagg::Graph;

/// Rounds after which a client has shared its secrets, and after which its input is in the sum.
pub(crate) const SHARED: u8 = 2;
pub(crate) const SURVIVED: u8 = 3;

/// The clients of a roster, ascending, in the order in which they stand on the circle.
pub(crate) struct Circle {
    graph: Graph,
    /// For each member, how many rounds it has answered.
    answered: Vec<u8>,
}

impl Circle {
    /// The circle of all clients that have answered the first round.
    pub(crate) fn new(graph: Graph, clients: &[u8]) -> Self {
        let mut circle = Self { graph, answered: Vec::new() };
        circle.renew(clients);
        circle
    }

    /// The same for what the clients have answered since; in the same memory.
    pub(crate) fn renew(&mut self, clients: &[u8]) {
        self.answered.clear();
        self.answered.extend(clients.iter().copied().filter(|answered| *answered > 0));
    }

    /// Members.
    pub(crate) fn members(&self) -> u32 {
        self.answered.len() as u32
    }

    /// Neighbours of each member.
    pub(crate) fn degree(&self) -> u32 {
        match self.graph {
            Graph::Complete => (self.answered.len() as u32).saturating_sub(1),
            // No scenario has a k-out graph yet.
            Graph::Regular { degree } | Graph::KOut { degree } => degree,
        }
    }

    /// Whether the member at one place holds shares of the secrets of the member at another, of so many.
    pub(crate) fn holds(&self, place: usize, owner: usize, members: usize) -> bool {
        let apart = place.abs_diff(owner);
        match self.graph {
            Graph::Complete => true,
            Graph::Regular { degree } | Graph::KOut { degree } => {
                apart > 0 && apart.min(members - apart) <= degree as usize / 2
            }
        }
    }

    /// For each member whose secrets are needed, how many of its neighbours have answered at least `present` rounds: it
    /// has shared them, and its input is in the sum or a neighbour's is, as far as these rounds have come.
    pub(crate) fn held(&self, present: u8) -> impl Iterator<Item = Option<u32>> + '_ {
        let sum = present.min(SURVIVED);
        let mut survivors = (present > sum).then(|| self.partners(sum));
        self.answered.iter().zip(self.partners(present)).map(move |(rounds, held)| {
            let survivors = survivors.as_mut().map_or(Some(held), Iterator::next).unwrap_or_default();
            (*rounds >= SHARED && (*rounds >= sum || survivors > 0)).then_some(held)
        })
    }

    /// For each member, how many of its neighbours have answered at least so many rounds.
    pub(crate) fn partners(&self, rounds: u8) -> Partners<'_> {
        let all = self.answered.iter().filter(|answered| **answered >= rounds).count() as u32;
        let size = self.answered.len();
        let half = match self.graph {
            Graph::Complete => 0,
            Graph::Regular { degree } | Graph::KOut { degree } => degree as usize / 2,
        };
        let mut partners = Partners { circle: self, rounds, all, half, at: 0, inside: 0 };
        if half > 0 && size > 0 {
            let around = (0..=2 * half).map(|step| (size + step - half) % size);
            partners.inside = around.filter(|at| partners.there(*at)).count() as u32;
        }
        partners
    }
}

/// The counts of [`Circle::partners`], member by member.
pub(crate) struct Partners<'a> {
    circle: &'a Circle,
    rounds: u8,
    all: u32,
    half: usize,
    at: usize,
    /// Those in the window around `at`, its own member included.
    inside: u32,
}

impl Partners<'_> {
    #[inline]
    fn there(&self, at: usize) -> bool {
        self.circle.answered[at] >= self.rounds
    }
}

impl Iterator for Partners<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let size = self.circle.answered.len();
        let at = self.at;
        if at == size {
            return None;
        }
        self.at += 1;
        let own = u32::from(self.there(at));
        if self.half == 0 {
            return Some(self.all - own);
        }
        let count = self.inside - own;
        let (leaves, enters) = (at + size - self.half, at + self.half + 1);
        let leaves = if leaves >= size { leaves - size } else { leaves };
        let enters = if enters >= size { enters - size } else { enters };
        self.inside -= u32::from(self.there(leaves));
        self.inside += u32::from(self.there(enters));
        Some(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn windows_are_what_they_are_one_by_one(half in 1usize..5, clients in prop::collection::vec(0u8..4, 12..40)) {
            let roster: Vec<u8> = clients.iter().copied().filter(|answered| *answered > 0).collect();
            let size = roster.len();
            prop_assume!(size > 2 * half);
            let circle = Circle::new(Graph::Regular { degree: 2 * half as u32 }, &clients);
            for rounds in 1..4 {
                let expected: Vec<u32> = (0..size)
                    .map(|at| {
                        let around = (1..=half).flat_map(|step| [(at + step) % size, (at + size - step) % size]);
                        around.filter(|other| roster[*other] >= rounds).count() as u32
                    })
                    .collect();
                prop_assert_eq!(circle.partners(rounds).collect::<Vec<_>>(), expected);
            }
        }
    }
}
