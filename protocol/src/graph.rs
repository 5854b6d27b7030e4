//! Who is whose neighbour: the graph over the clients that advertised keys (spec §6.2).

use std::collections::{BTreeMap, BTreeSet};

use crate::crypto::derive;
use crate::crypto::prg::{Bytes, Keystream};
use crate::{ClientId, Config, Graph, Suite};

/// The neighbourhoods of all clients of a roster.
pub(crate) struct Neighbourhoods {
    roster: Vec<ClientId>,
    edges: Edges,
}

enum Edges {
    Complete,
    /// The neighbours of each member, in the order of the roster, each list ascending.
    Regular(Vec<Vec<ClientId>>),
    /// The holders of those that have disclosed their draws, and the owners of whom each is a holder, all ascending.
    KOut {
        degree: usize,
        holders: BTreeMap<ClientId, Vec<ClientId>>,
        owners: BTreeMap<ClientId, BTreeSet<ClientId>>,
    },
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
    /// The graph of the session over its roster, ascending. A k-out graph has no edges yet.
    pub(crate) fn new(config: &Config, session: &[u8; 32], roster: Vec<ClientId>, order: Circle) -> Self {
        let edges = match config.graph {
            Graph::Complete => Edges::Complete,
            Graph::Regular { degree } => {
                let circle = match order {
                    Circle::Ascending => (0..roster.len()).collect(),
                    Circle::Drawn => {
                        let seed = derive(config.suite, "graph", session, &[], &[]);
                        permutation(roster.len(), &Keystream::new(&seed))
                    }
                };
                Edges::Regular(harary(&roster, degree as usize, &circle))
            }
            Graph::KOut { degree } => {
                Edges::KOut { degree: degree as usize, holders: BTreeMap::new(), owners: BTreeMap::new() }
            }
        };
        Self { roster, edges }
    }

    /// Adds the edges from an owner to the holders that follow from its draw, on a k-out graph.
    pub(crate) fn disclose(&mut self, scope: (Suite, &[u8; 32]), owner: ClientId, draw: &[u8; 32]) {
        self.join(owner, drawn_holders(scope, owner, draw, &self.roster, self.degree(owner)));
    }

    fn join(&mut self, owner: ClientId, drawn: Vec<ClientId>) {
        if let Edges::KOut { holders, owners, .. } = &mut self.edges {
            for holder in &drawn {
                owners.entry(*holder).or_default().insert(owner);
            }
            holders.insert(owner, drawn);
        }
    }

    /// The clients whose keys a member is shown: its neighbours, and on a k-out graph everybody; ascending.
    pub(crate) fn shown(&self, id: ClientId) -> impl Iterator<Item = ClientId> + '_ {
        let members = match &self.edges {
            Edges::KOut { .. } => self.roster.as_slice(),
            _ => self.listed(id),
        };
        members.iter().copied().filter(move |&other| other != id)
    }

    /// The neighbours of `id`, with whom it masks; ascending but on a k-out graph, where owners follow holders.
    pub(crate) fn of(&self, id: ClientId) -> impl Iterator<Item = ClientId> + '_ {
        let first = self.listed(id);
        let more = match &self.edges {
            Edges::KOut { owners, .. } => owners.get(&id),
            _ => None,
        };
        let more = more.into_iter().flatten().copied().filter(|other| first.binary_search(other).is_err());
        first.iter().copied().filter(move |&other| other != id).chain(more)
    }

    /// The others whose shares `id` holds, ascending.
    pub(crate) fn owners(&self, id: ClientId) -> impl Iterator<Item = ClientId> + '_ {
        let (listed, drawn): (&[ClientId], _) = match &self.edges {
            Edges::KOut { owners, .. } => (&[], owners.get(&id)),
            _ => (self.listed(id), None),
        };
        listed.iter().copied().filter(move |&other| other != id).chain(drawn.into_iter().flatten().copied())
    }

    /// The others that hold shares of `owner`, ascending.
    pub(crate) fn holders_of(&self, owner: ClientId) -> impl Iterator<Item = ClientId> + '_ {
        self.listed(owner).iter().copied().filter(move |&other| other != owner)
    }

    /// How many others `id` shares its secrets with.
    pub(crate) fn degree(&self, id: ClientId) -> usize {
        match &self.edges {
            Edges::Complete => self.roster.len().saturating_sub(1),
            Edges::Regular(_) => self.listed(id).len(),
            Edges::KOut { degree, .. } => *degree,
        }
    }

    /// Whether an owner keeps a share of its own secrets.
    pub(crate) fn owner_holds(&self) -> bool {
        matches!(self.edges, Edges::Complete)
    }

    /// How many of `present` hold shares of the secrets of `owner`.
    pub(crate) fn holders(&self, owner: ClientId, present: &BTreeSet<ClientId>) -> usize {
        if self.owner_holds() {
            return present.len();
        }
        self.listed(owner).iter().filter(|holder| present.contains(holder)).count()
    }

    /// The holders of `id`, ascending: on the complete graph the roster, `id` itself included.
    fn listed(&self, id: ClientId) -> &[ClientId] {
        let list = match &self.edges {
            Edges::Complete => Some(&self.roster),
            Edges::Regular(lists) => self.roster.binary_search(&id).ok().and_then(|at| lists.get(at)),
            Edges::KOut { holders, .. } => holders.get(&id),
        };
        list.map_or(&[], Vec::as_slice)
    }
}

/// The holders of a client on a k-out graph: `degree` others of the roster that follow from its draw, ascending (spec
/// §6.2). The roster is ascending, with more members than that.
pub(crate) fn drawn_holders(
    (suite, session): (Suite, &[u8; 32]),
    owner: ClientId,
    draw: &[u8; 32],
    roster: &[ClientId],
    degree: usize,
) -> Vec<ClientId> {
    let seed = derive(suite, "holders", session, draw, &[&owner.get().to_be_bytes()]);
    let keystream = Keystream::new(&seed);
    let mut random = Bytes::new(&keystream);
    let own = roster.partition_point(|&id| id < owner);
    let others = roster.len().saturating_sub(1);
    let mut holders = BTreeSet::new();
    while holders.len() < degree.min(others) {
        let at = random.below(others as u32) as usize;
        holders.extend(roster.get(at + usize::from(at >= own)));
    }
    holders.into_iter().copied().collect()
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
                prop_assert!(graph.holders_of(id).eq(list.iter().copied()));
                for &other in &list {
                    prop_assert!(graph.of(other).any(|back| back == id));
                }
            }
        }
    }

    #[test]
    fn another_session_gives_another_graph() {
        let lists = |nonce| match graph(30, 4, nonce).edges {
            Edges::Regular(lists) => lists,
            _ => panic!("regular"),
        };
        assert_eq!(lists(1), lists(1));
        assert_ne!(lists(1), lists(2));
    }

    const PINNED: Suite = Suite::Pinned { corrupt: 0, authority: [0; 32] };

    #[test]
    fn every_set_of_holders_is_drawn_about_equally_often_and_never_the_owner() {
        let roster: Vec<ClientId> = [2, 3, 5, 8, 9, 11].into_iter().filter_map(ClientId::new).collect();
        let owner = roster[2];
        let mut seen: BTreeMap<Vec<ClientId>, u32> = BTreeMap::new();
        let draws = 20_000u32;
        for number in 0..draws {
            let mut draw = [0; 32];
            draw[..4].copy_from_slice(&number.to_be_bytes());
            let holders = drawn_holders((PINNED, &[1; 32]), owner, &draw, &roster, 2);
            assert!(holders.len() == 2 && holders[0] < holders[1] && !holders.contains(&owner));
            *seen.entry(holders).or_default() += 1;
        }
        // Ten sets, 2000 each: chi squared with nine degrees of freedom is above 33.7 once in ten thousand times.
        let expected = f64::from(draws) / 10.0;
        let chi: f64 = seen.values().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
        assert!(seen.len() == 10 && chi < 33.7, "{chi}: {seen:?}");
    }

    #[test]
    fn all_others_are_drawn_if_there_are_no_more() {
        let roster: Vec<ClientId> = ClientId::first(9).collect();
        for &owner in &roster {
            let holders = drawn_holders((PINNED, &[7; 32]), owner, &[3; 32], &roster, 8);
            assert!(holders.iter().eq(roster.iter().filter(|&&id| id != owner)));
        }
    }

    #[test]
    fn a_k_out_graph_knows_both_ends_of_an_edge() {
        let config = Config {
            suite: PINNED,
            graph: Graph::KOut { degree: 2 },
            clients: 4,
            threshold: 2,
            minimum_survivors: 1,
            vectors: vec![VectorSpec::new("v", 1, 1)],
            task: [0; 32],
            nonce: [0; 32],
        };
        let ids = |numbers: &[u32]| numbers.iter().filter_map(|&n| ClientId::new(n)).collect::<Vec<_>>();
        let mut graph = Neighbourhoods::new(&config, &[0; 32], ids(&[1, 2, 3, 4]), Circle::Drawn);
        let one = |number| ClientId::new(number).unwrap();
        assert_eq!(graph.shown(one(2)).collect::<Vec<_>>(), ids(&[1, 3, 4]));
        graph.join(one(1), ids(&[2, 4]));
        graph.join(one(2), ids(&[1, 3]));
        graph.join(one(4), ids(&[1, 2]));
        assert_eq!(graph.of(one(1)).collect::<Vec<_>>(), ids(&[2, 4]));
        assert_eq!(graph.of(one(2)).collect::<Vec<_>>(), ids(&[1, 3, 4]));
        assert_eq!(graph.of(one(3)).collect::<Vec<_>>(), ids(&[2]));
        assert_eq!(graph.owners(one(2)).collect::<Vec<_>>(), ids(&[1, 4]));
        assert!(graph.holders_of(one(1)).eq(ids(&[2, 4])) && graph.holders_of(one(3)).next().is_none());
        assert_eq!(graph.holders(one(2), &ids(&[2, 3]).into_iter().collect()), 1);
        assert_eq!((graph.degree(one(3)), graph.owner_holds()), (2, false));
    }
}
