//! How many of each client's neighbours have got so far: sums over a window of the circle.

use secagg::Graph;

/// Rounds after which a client has shared its secrets, and after which its input is in the sum.
pub(crate) const SHARED: u8 = 2;
pub(crate) const SURVIVED: u8 = 3;

/// The clients of a roster, ascending, in the order in which they stand on the circle.
pub(crate) struct Circle {
    graph: Graph,
    /// For each member, how many rounds it has answered; before the first and after the last member, half a window of
    /// those beyond the other end.
    answered: Vec<u8>,
    members: usize,
}

impl Circle {
    /// The circle of all clients that have answered the first round.
    pub(crate) fn new(graph: Graph, clients: &[u8]) -> Self {
        let mut circle = Self { graph, answered: Vec::new(), members: 0 };
        circle.renew(clients);
        circle
    }

    /// The same for what the clients have answered since; in the same memory.
    pub(crate) fn renew(&mut self, clients: &[u8]) {
        let half = self.half();
        let ring = &mut self.answered;
        ring.reserve_exact((clients.len() + 2 * half + 1).saturating_sub(ring.len()));
        ring.resize(half + clients.len(), 0);
        ring[..half].fill(0);
        // Each is written, and the place only taken if it is a member.
        let mut next = half;
        for answered in clients {
            ring[next] = *answered;
            next += usize::from(*answered > 0);
        }
        self.members = next - half;
        ring.truncate(next);
        if self.members > 2 * half {
            ring.extend_from_within(half..=2 * half);
            ring.copy_within(next - half..next, 0);
        }
    }

    /// How far the window reaches to either side; 0 if all are neighbours.
    fn half(&self) -> usize {
        match self.graph {
            Graph::Complete => 0,
            Graph::Regular { degree } | Graph::KOut { degree } => degree as usize / 2,
        }
    }

    /// Members.
    pub(crate) fn members(&self) -> u32 {
        self.members as u32
    }

    /// For each member, how many rounds it has answered.
    fn answered(&self) -> &[u8] {
        let half = self.half();
        &self.answered[half..half + self.members]
    }

    /// Neighbours of each member.
    pub(crate) fn degree(&self) -> u32 {
        match self.graph {
            Graph::Complete => self.members().saturating_sub(1),
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
        self.answered().iter().zip(self.partners(present)).map(move |(rounds, held)| {
            let survivors = survivors.as_mut().map_or(Some(held), Iterator::next).unwrap_or_default();
            (*rounds >= SHARED && (*rounds >= sum || survivors > 0)).then_some(held)
        })
    }

    /// Neighbours that have answered at least so many rounds, as many as every member has at least. It may be fewer than
    /// that, but is found without looking at each member: any window of the circle has some blocks in it whole.
    pub(crate) fn least_partners(&self, rounds: u8) -> u32 {
        let window = 2 * self.half() + 1;
        let whole = (window + 1).saturating_sub(BLOCK) / BLOCK;
        if whole == 0 || self.members < window {
            return 0;
        }
        let there = |block: &[u8; BLOCK]| count(block, |answered| answered >= rounds) as u8;
        let blocks: Vec<u8> = self.answered.as_chunks().0.iter().map(there).collect();
        let windows = blocks.windows(whole).map(|window| window.iter().map(|there| u32::from(*there)).sum());
        // The member itself is none of them.
        windows.min().map_or(0, |least: u32| least.saturating_sub(1))
    }

    /// For each member, how many of its neighbours have answered at least so many rounds.
    pub(crate) fn partners(&self, rounds: u8) -> Partners<'_> {
        let there = |list: &[u8]| count(list, |answered| answered >= rounds) as u32;
        let half = self.half();
        let inside = match half {
            0 => there(self.answered()),
            _ => self.answered.get(..2 * half + 1).map_or(0, there),
        };
        let (ring, members) = (&self.answered, self.members);
        Partners { ring, rounds, half, inside, at: 0, members, buffer: Vec::new().into_iter() }
    }

    /// That of one member on its own, if not all are neighbours.
    pub(crate) fn partners_of(&self, place: usize, rounds: u8) -> u32 {
        let window = self.answered.get(place..=place + 2 * self.half()).unwrap_or_default();
        let others = count(window, |answered| answered >= rounds);
        let own = window.get(self.half()).is_some_and(|answered| *answered >= rounds);
        (others - usize::from(own)) as u32
    }

    /// The same as [`Circle::partners`], client by client: nothing is said of those who are not members.
    pub(crate) fn by_client(&self, clients: &[u8], rounds: u8, by_client: &mut Vec<u32>) {
        by_client.clear();
        by_client.reserve_exact(clients.len());
        let (mut partners, mut list) = (self.partners(rounds), Vec::with_capacity(AT_ONCE + 1));
        for clients in clients.chunks(AT_ONCE) {
            list.clear();
            partners.fill(count(clients, |answered| answered > 0), &mut list);
            // One that is read and means nothing.
            list.push(0);
            let mut place = 0;
            by_client.extend(clients.iter().map(|answered| {
                let partners = list[place];
                place += usize::from(*answered > 0);
                partners
            }));
        }
    }
}

/// The counts of [`Circle::partners`], member by member.
pub(crate) struct Partners<'a> {
    ring: &'a [u8],
    rounds: u8,
    half: usize,
    /// Those in the window around the next member, itself included.
    inside: u32,
    at: usize,
    members: usize,
    /// For those who take them one by one.
    buffer: std::vec::IntoIter<u32>,
}

/// Counts that are taken one by one are made so many at a time.
const AT_ONCE: usize = 256;

/// Members of a block of [`Circle::least_partners`].
const BLOCK: usize = 16;

/// Of how many clients the number of rounds they have answered is one of `which`.
#[inline(always)]
pub(crate) fn count(answered: &[u8], which: impl Fn(u8) -> bool) -> usize {
    // As many as a byte counts: sixteen of them are then added in one instruction.
    let few = |some: &[u8]| some.iter().map(|answered| u8::from(which(*answered))).sum::<u8>();
    answered.chunks(255).map(|some| usize::from(few(some))).sum()
}

impl Partners<'_> {
    /// Adds the counts of the next so many members to a list.
    fn fill(&mut self, count: usize, list: &mut Vec<u32>) {
        let (at, half) = (self.at, self.half);
        let count = count.min(self.members - at);
        let there = |answered: &u8| u32::from(*answered >= self.rounds);
        let from = |at: usize| self.ring.get(at..at + count).unwrap_or_default();
        let mut inside = self.inside;
        if half == 0 {
            list.extend(from(at).iter().map(|own| inside - there(own)));
        } else {
            let ends = from(at).iter().zip(from(at + 2 * half + 1));
            list.extend(from(at + half).iter().zip(ends).map(|(own, (leaves, enters))| {
                let others = inside - there(own);
                inside = inside + there(enters) - there(leaves);
                others
            }));
        }
        (self.inside, self.at) = (inside, at + count);
    }
}

impl Iterator for Partners<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        if let Some(count) = self.buffer.next() {
            return Some(count);
        }
        let mut list = Vec::with_capacity(AT_ONCE);
        self.fill(AT_ONCE, &mut list);
        self.buffer = list.into_iter();
        self.buffer.next()
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
                prop_assert_eq!(&circle.partners(rounds).collect::<Vec<_>>(), &expected);
                let ones: Vec<u32> = (0..size).map(|place| circle.partners_of(place, rounds)).collect();
                prop_assert_eq!(&ones, &expected);
                let mut by_client = Vec::new();
                circle.by_client(&clients, rounds, &mut by_client);
                let members = clients.iter().zip(by_client).filter(|(answered, _)| **answered > 0);
                prop_assert_eq!(members.map(|(_, partners)| partners).collect::<Vec<_>>(), expected);
            }
        }

        #[test]
        fn no_member_has_fewer_partners_than_the_least(
            half in 8usize..40,
            clients in prop::collection::vec(0u8..4, 20..300),
        ) {
            let circle = Circle::new(Graph::Regular { degree: 2 * half as u32 }, &clients);
            prop_assume!(circle.members > 2 * half);
            for rounds in 1..4 {
                let least = circle.partners(rounds).min().unwrap_or(0);
                prop_assert!(circle.least_partners(rounds) <= least);
            }
            // All have answered one round: of any window all but the ends are whole blocks.
            let whole = (2 * half + 2 - BLOCK) / BLOCK * BLOCK;
            prop_assert_eq!(circle.least_partners(1), whole.saturating_sub(1) as u32);
        }
    }
}
