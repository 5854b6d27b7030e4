//! Who is whose neighbour: the graph over the clients that advertised keys (spec §6.2).

use std::collections::BTreeSet;

use crate::crypto::derive;
use crate::crypto::prg::{Bytes, Keystream};
use crate::{ClientId, Config, Graph};

/// The neighbourhoods of all clients of a roster.
pub(crate) struct Neighbourhoods {
    roster: Vec<ClientId>,
    /// For a regular graph: the neighbours of each member, in the order of the roster, each list ascending.
    regular: Option<Vec<Vec<ClientId>>>,
}

/// In which order the clients stand on the circle of a regular graph.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Circle {
    /// In an order drawn from the session id: what every session over a network has.
    Drawn,
    /// By ascending id.
    Ascending,
}

impl Neighbourhoods {
    /// Draws the graph of the session over its roster, ascending.
    pub(crate) fn new(config: &Config, session: &[u8; 32], roster: Vec<ClientId>, order: Circle) -> Self {
        let regular = match config.graph {
            Graph::Complete => None,
            Graph::Regular { degree } => {
                let circle = match order {
                    Circle::Ascending => (0..roster.len()).collect(),
                    Circle::Drawn => {
                        let seed = derive(config.suite, "graph", session, &[], &[]);
                        permutation(roster.len(), &Keystream::new(&seed))
                    }
                };
                Some(harary(&roster, degree as usize, &circle))
            }
        };
        Self { roster, regular }
    }

    /// The neighbours of `id`, ascending, `id` itself not among them.
    pub(crate) fn of(&self, id: ClientId) -> impl Iterator<Item = ClientId> + '_ {
        let members: &[ClientId] = match &self.regular {
            None => &self.roster,
            Some(lists) => {
                self.roster.binary_search(&id).ok().and_then(|at| lists.get(at)).map_or(&[], Vec::as_slice)
            }
        };
        members.iter().copied().filter(move |&other| other != id)
    }

    /// The place of `holder` among the neighbours of `owner`.
    pub(crate) fn place(&self, owner: ClientId, holder: ClientId) -> Option<usize> {
        match &self.regular {
            None => {
                let at = self.roster.binary_search(&holder).ok()?;
                Some(at - usize::from(owner < holder))
            }
            Some(lists) => {
                let list = lists.get(self.roster.binary_search(&owner).ok()?)?;
                list.binary_search(&holder).ok()
            }
        }
    }

    /// How many neighbours `id` has.
    pub(crate) fn degree(&self, id: ClientId) -> usize {
        match &self.regular {
            None => self.roster.len().saturating_sub(1),
            Some(_) => self.of(id).count(),
        }
    }

    /// Whether an owner keeps a share of its own secrets.
    pub(crate) fn owner_holds(&self) -> bool {
        self.regular.is_none()
    }

    /// How many of `present` hold shares of the secrets of `owner`.
    pub(crate) fn holders(&self, owner: ClientId, present: &BTreeSet<ClientId>) -> usize {
        if self.regular.is_none() {
            return present.len();
        }
        self.of(owner).filter(|holder| present.contains(holder)).count()
    }
}

/// A random order of 0 to `count` − 1.
fn permutation(count: usize, keystream: &Keystream) -> Vec<usize> {
    let mut circle: Vec<usize> = (0..count).collect();
    let mut random = Bytes::new(keystream);
    for at in (1..count).rev() {
        circle.swap(at, random.below(at as u32 + 1) as usize);
    }
    circle
}

/// The Harary graph of an even degree on a permutation of the roster: each is joined to the nearest
/// `degree / 2` on either side of the circle (Bell et al. 2020, algorithm 1).
fn harary(roster: &[ClientId], degree: usize, circle: &[usize]) -> Vec<Vec<ClientId>> {
    let count = roster.len();
    let mut lists = vec![Vec::with_capacity(degree); count];
    for (place, &member) in circle.iter().enumerate() {
        let around =
            (1..=degree / 2).flat_map(|step| [(place + step) % count, (place + count - step) % count]);
        let mut list: Vec<ClientId> =
            around.filter_map(|place| roster.get(*circle.get(place)?).copied()).collect();
        list.sort_unstable();
        if let Some(slot) = lists.get_mut(member) {
            *slot = list;
        }
    }
    lists
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Suite, VectorSpec};

    fn graph(count: u32, degree: u32, nonce: u8) -> Neighbourhoods {
        let config = Config {
            suite: Suite::Curious,
            graph: Graph::Regular { degree },
            clients: count,
            threshold: 2,
            minimum_survivors: 1,
            vectors: vec![VectorSpec::new("v", 1, 1)],
            task: [0; 32],
            nonce: [nonce; 32],
        };
        Neighbourhoods::new(&config, &[nonce; 32], ClientId::first(count).collect(), Circle::Drawn)
    }

    proptest! {
        #[test]
        fn a_regular_graph_is_regular_symmetric_and_connected(half in 1u32..6, more in 1u32..40, nonce: u8) {
            let (degree, count) = (2 * half, 2 * half + more);
            let graph = graph(count, degree, nonce);
            let mut reached = BTreeSet::from([graph.roster[0]]);
            let mut next = vec![graph.roster[0]];
            while let Some(id) = next.pop() {
                next.extend(graph.of(id).filter(|&other| reached.insert(other)));
            }
            prop_assert_eq!(reached.len(), count as usize);
            for &id in &graph.roster {
                let list: Vec<_> = graph.of(id).collect();
                prop_assert_eq!(list.len(), degree as usize);
                prop_assert!(list.windows(2).all(|pair| pair[0] < pair[1]));
                for (at, &other) in list.iter().enumerate() {
                    prop_assert_eq!(graph.place(id, other), Some(at));
                    prop_assert!(graph.of(other).any(|back| back == id));
                }
            }
        }
    }

    #[test]
    fn another_session_gives_another_graph() {
        let lists = |nonce| graph(30, 4, nonce).regular.unwrap();
        assert_eq!(lists(1), lists(1));
        assert_ne!(lists(1), lists(2));
    }
}
