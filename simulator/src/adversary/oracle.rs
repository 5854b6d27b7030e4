//! The leak oracle: what a server and the clients that collude with it can compute of the others' inputs.
//!
//! It counts the shares in their hands. A secret opens with as many shares as the threshold. A masked input whose own
//! mask is open is hidden only by its masks with others; clients between whom such masks are closed are hidden
//! together, and the sum of their inputs is what can be computed.

use std::collections::{BTreeMap, BTreeSet};

use secagg::ClientId;

use super::{BUNDLE, HEADER};

/// The two secrets of a client that are shared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    MaskKey,
    SelfMask,
}

/// What the server and its clients have seen.
pub(super) struct Oracle {
    threshold: u32,
    /// Whether clients hold a share of their own self mask seed.
    complete: bool,
    pub(super) colluding: BTreeSet<ClientId>,
    /// For each client, of whom it was sent a bundle.
    sharers: BTreeMap<ClientId, Vec<ClientId>>,
    /// The clients whose masked input the server has.
    pub(super) masked: BTreeSet<ClientId>,
    /// The clients that are named survivors to those who are told the truth.
    pub(super) survivors: BTreeSet<ClientId>,
    /// Whose shares of a secret have been seen.
    seen: BTreeMap<(ClientId, Kind), BTreeSet<ClientId>>,
}

impl Oracle {
    pub(super) fn new(threshold: u32, complete: bool, colluding: BTreeSet<ClientId>) -> Self {
        Self {
            threshold,
            complete,
            colluding,
            sharers: BTreeMap::new(),
            masked: BTreeSet::new(),
            survivors: BTreeSet::new(),
            seen: BTreeMap::new(),
        }
    }

    pub(super) fn colludes(&self, id: ClientId) -> bool {
        self.colluding.contains(&id)
    }

    /// Notes who is sent whose bundles: colluding clients open theirs.
    pub(super) fn bundles(&mut self, requests: &BTreeMap<ClientId, Vec<u8>>) {
        for (holder, request) in requests {
            let items = request.get(HEADER + 4..).unwrap_or_default().chunks_exact(4 + BUNDLE);
            let owners: Vec<ClientId> = items.filter_map(first_id).collect();
            if self.colludes(*holder) {
                for owner in &owners {
                    self.see(*owner, Kind::MaskKey, *holder);
                    self.see(*owner, Kind::SelfMask, *holder);
                }
            }
            self.sharers.insert(*holder, owners);
        }
    }

    /// Whether the client was sent the bundles of others, as those are that shared.
    pub(super) fn has_shared(&self, id: ClientId) -> bool {
        self.sharers.contains_key(&id)
    }

    /// A client and its neighbours that shared, ascending.
    pub(super) fn members(&self, id: ClientId) -> Vec<ClientId> {
        let mut members = self.sharers.get(&id).cloned().unwrap_or_default();
        members.push(id);
        members.sort_unstable();
        members
    }

    /// Notes the shares of an answer to Unmasking of a holder that was told that one of the survivors, `dropped`, is
    /// none.
    pub(super) fn shares(&mut self, holder: ClientId, dropped: Option<ClientId>, answer: &[u8]) {
        let body = answer.get(HEADER..).unwrap_or_default();
        let length = body.first_chunk().map_or(0, |four| u32::from_be_bytes(*four) as usize);
        let listed = body.get(4..4 + length).unwrap_or_default();
        let unopened: Vec<ClientId> = listed.chunks_exact(4).filter_map(first_id).collect();
        for owner in self.members(holder) {
            if unopened.contains(&owner) || (owner == holder && !self.complete) {
                continue;
            }
            let survives = self.survivors.contains(&owner) && dropped != Some(owner);
            self.see(owner, if survives { Kind::SelfMask } else { Kind::MaskKey }, holder);
        }
    }

    fn see(&mut self, owner: ClientId, kind: Kind, holder: ClientId) {
        self.seen.entry((owner, kind)).or_default().insert(holder);
    }

    fn opens(&self, owner: ClientId, kind: Kind) -> bool {
        self.seen.get(&(owner, kind)).is_some_and(|holders| holders.len() >= self.threshold as usize)
    }

    /// Whether nobody but the two knows the mask between them.
    fn hides(&self, one: ClientId, other: ClientId) -> bool {
        !self.colludes(other) && !self.opens(one, Kind::MaskKey) && !self.opens(other, Kind::MaskKey)
    }

    /// The fewest inputs of clients that do not collude in a sum that can be computed; none if no sum can.
    pub(super) fn smallest(&self) -> Option<u32> {
        let mut left: BTreeSet<ClientId> =
            self.masked.iter().copied().filter(|id| !self.colludes(*id)).collect();
        let mut smallest = None;
        while let Some(first) = left.pop_first() {
            let (mut open, mut size, mut next) = (true, 0, vec![first]);
            while let Some(id) = next.pop() {
                size += 1;
                open &= self.opens(id, Kind::SelfMask);
                let partners = self.sharers.get(&id).map(Vec::as_slice).unwrap_or_default();
                for other in partners.iter().copied().filter(|other| self.hides(id, *other)) {
                    // The mask with one whose input never came is on nothing else.
                    open &= self.masked.contains(&other);
                    if left.remove(&other) {
                        next.push(other);
                    }
                }
            }
            if open {
                smallest = Some(smallest.map_or(size, |smallest: u32| smallest.min(size)));
            }
        }
        smallest
    }
}

fn first_id(bytes: &[u8]) -> Option<ClientId> {
    bytes.first_chunk().and_then(|four| ClientId::new(u32::from_be_bytes(*four)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> ClientId {
        ClientId::new(number).unwrap()
    }

    /// Four clients on the complete graph, each with a share of all, and a threshold of three.
    fn oracle(colluding: &[u32]) -> Oracle {
        let mut oracle = Oracle::new(3, true, colluding.iter().map(|number| id(*number)).collect());
        let request = |holder: u32| {
            let items = (1..=4u32).filter(|owner| *owner != holder);
            let items = items.flat_map(|owner| [owner.to_be_bytes().to_vec(), vec![0; BUNDLE]].concat());
            (id(holder), [vec![0; HEADER + 4], items.collect()].concat())
        };
        oracle.bundles(&(1..=4).map(request).collect());
        oracle.masked = (1..=4).map(id).collect();
        oracle.survivors = oracle.masked.clone();
        oracle
    }

    fn answer(oracle: &mut Oracle, holder: u32, dropped: Option<u32>) {
        oracle.shares(id(holder), dropped.map(id), &[0; HEADER + 8]);
    }

    #[test]
    fn an_honest_session_gives_the_sum_and_nothing_less() {
        let mut oracle = oracle(&[]);
        assert_eq!(oracle.smallest(), None);
        (1..=4).for_each(|holder| answer(&mut oracle, holder, None));
        assert_eq!(oracle.smallest(), Some(4));
    }

    #[test]
    fn two_stories_give_an_input_if_both_have_enough_holders() {
        let mut told = oracle(&[3, 4]);
        answer(&mut told, 1, None);
        answer(&mut told, 2, Some(1));
        // Those who collude hold both kinds of shares of all, and 2 gives the third share of the mask key.
        assert_eq!(told.smallest(), Some(1));
        let mut alone = oracle(&[]);
        (1..=2).for_each(|holder| answer(&mut alone, holder, None));
        (3..=4).for_each(|holder| answer(&mut alone, holder, Some(1)));
        assert_eq!(alone.smallest(), None);
    }

    #[test]
    fn a_mask_with_one_that_never_came_hides() {
        let mut oracle = oracle(&[]);
        oracle.masked.remove(&id(4));
        (1..=3).for_each(|holder| answer(&mut oracle, holder, None));
        assert_eq!(oracle.smallest(), None);
        // Named dropped, it is opened.
        oracle.survivors.remove(&id(4));
        (1..=3).for_each(|holder| answer(&mut oracle, holder, None));
        assert_eq!(oracle.smallest(), Some(3));
    }
}
