//! The leak oracle: what a server and corrupt clients can know of honest inputs from all that they saw.
//!
//! It knows every secret. It counts the true shares in the adversary's hands, byte by byte, and with the masks that
//! these open it asks by elimination which sums of honest inputs are left without a mask.

use std::collections::{BTreeMap, BTreeSet};

use super::game::{Game, Record};
use super::secrets::{Bytes32, Kind, own_seed};
use super::wire::{self, HEADER};

/// What has leaked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Leak {
    /// Honest clients of whom both secrets can be reconstructed, or opened otherwise.
    pub(super) both: Vec<u32>,
    /// Honest inputs in the smallest sum that can be isolated, if that is below the minimum.
    pub(super) smallest: Option<usize>,
}

impl Leak {
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl std::fmt::Display for Leak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "both secrets of {:?} open", self.both)?;
        self.smallest.map_or(Ok(()), |size| write!(f, ", and a sum of {size} honest inputs is isolated"))
    }
}

/// Judges all that the adversary saw.
pub(super) fn judge(game: &Game) -> Leak {
    let opened = opened(game);
    let both = |id: &&u32| [Kind::MaskKey, Kind::SelfMask].iter().all(|kind| opened.contains(&(**id, *kind)));
    let both = game.records.keys().filter(both).copied().collect();
    let smallest = smallest(&sums(game, &opened), game.plan.minimum as usize);
    Leak { both, smallest }
}

/// The secrets of honest clients of which the adversary has as many different shares as it takes.
fn opened(game: &Game) -> BTreeSet<(u32, Kind)> {
    let mut dealt: BTreeMap<Bytes32, (u32, Kind, u32)> = BTreeMap::new();
    for (id, record) in &game.records {
        for kind in [Kind::MaskKey, Kind::SelfMask] {
            for holder in 1..=2 * game.plan.setting.n {
                dealt.insert(record.secrets.share(kind, holder).to_bytes(), (*id, kind, holder));
            }
        }
    }
    let mut held: BTreeMap<(u32, Kind), BTreeSet<u32>> = BTreeMap::new();
    for share in game.records.iter().flat_map(|(id, record)| seen(game, *id, record)) {
        if let Some((owner, kind, holder)) = dealt.get(&share) {
            held.entry((*owner, *kind)).or_default().insert(*holder);
        }
    }
    let enough = |(owner, _): &(u32, Kind), holders: &BTreeSet<u32>| {
        holders.len() >= game.records[owner].config.threshold as usize
    };
    held.into_iter().filter(|(secret, holders)| enough(secret, holders)).map(|(secret, _)| secret).collect()
}

/// All shares that came of one honest client: those that it gave, and those that it sealed for whom the adversary is.
fn seen(game: &Game, id: u32, record: &Record) -> Vec<Bytes32> {
    let given = record.gave.iter().filter_map(|response| {
        let mut input = wire::Reader(response.get(HEADER..)?);
        input.items(4)?;
        Some(input.items(32)?.iter().map(|share| wire::key(share, 0)).collect::<Vec<_>>())
    });
    let mut shares: Vec<Bytes32> = given.flatten().collect();
    let Some((session, members)) = &record.shown else { return shares };
    let suite = record.config.suite.number();
    for (holder, one) in members {
        let Some(bundle) = game.sealed.get(&(id, *holder)) else { continue };
        let place = (*holder, &wire::key(one, 0));
        let owner = (id, &record.secrets.keys[0]);
        for secrets in game.known.iter().filter(|known| {
            // The top bit says nothing to X25519, and a key of low order opens for everybody.
            known.keys[0][..31] == place.1[..31] || *place.1 == [0; 32]
        }) {
            shares.extend(secrets.open(suite, session, owner, place, bundle).into_iter().flatten());
        }
    }
    shares
}

/// The masked inputs less the masks that are open, each as the columns of its masks and of its input.
struct Sums {
    rows: Vec<Vec<u64>>,
    masks: usize,
    inputs: usize,
}

fn sums(game: &Game, opened: &BTreeSet<(u32, Kind)>) -> Sums {
    let mut columns: BTreeMap<Bytes32, usize> = BTreeMap::new();
    let mut sparse = Vec::new();
    let mut inputs = 0;
    for (id, record) in &game.records {
        let Some(masks) = masks(game, *id, record, opened) else { continue };
        let row = masks.into_iter().map(|(seed, sign): (Bytes32, u64)| {
            let next = columns.len();
            (*columns.entry(seed).or_insert(next), sign)
        });
        sparse.push((row.collect(), (!record.void).then_some(inputs)));
        inputs += usize::from(!record.void);
    }
    let masks = columns.len();
    let dense = |(row, input): (Vec<(usize, u64)>, Option<usize>)| {
        let mut dense = vec![0; masks + inputs];
        row.into_iter().for_each(|(at, sign)| dense[at] = sign);
        input.into_iter().for_each(|at| dense[masks + at] = 1);
        dense
    };
    Sums { rows: sparse.into_iter().map(dense).collect(), masks, inputs }
}

/// The masks on what a client sent that the adversary cannot take off; none if it sent nothing.
fn masks(
    game: &Game,
    id: u32,
    record: &Record,
    opened: &BTreeSet<(u32, Kind)>,
) -> Option<Vec<(Bytes32, u64)>> {
    let (told, (session, members)) = (record.told.as_ref()?, record.shown.as_ref()?);
    let (suite, secrets) = (record.config.suite.number(), &record.secrets);
    let mut masks = Vec::new();
    if !opened.contains(&(id, Kind::SelfMask)) {
        masks.push((own_seed(suite, session, id, &secrets.seed), 1));
    }
    for (other, one) in members.iter().filter(|(other, _)| told.contains(other) && *other != id) {
        let key = wire::key(one, 1);
        let theirs = game.records.get(other).is_some_and(|record| record.secrets.keys[1] == key);
        let open = opened.contains(&(id, Kind::MaskKey))
            || theirs && opened.contains(&(*other, Kind::MaskKey))
            || key == [0; 32]
            || game.known.iter().any(|known| known.keys[1] == key);
        if let Some(seed) = secrets.pair_seed(suite, session, (*other, &key)).filter(|_| !open) {
            masks.push((seed, if id > *other { 1 } else { PRIME - 1 }));
        }
    }
    Some(masks)
}

/// Elimination is over this prime; the true coefficients are small.
const PRIME: u64 = (1 << 31) - 1;

/// The fewest inputs of any combination without a mask, if they are below the minimum.
fn smallest(sums: &Sums, minimum: usize) -> Option<usize> {
    let mut rows = sums.rows.clone();
    let used = eliminate(&mut rows, 0..sums.masks);
    let mut free: Vec<Vec<u64>> = rows.split_off(used).iter().map(|row| row[sums.masks..].to_vec()).collect();
    let rank = eliminate(&mut free, 0..sums.inputs);
    free.truncate(rank);
    if rank <= 1 {
        let support = free.first().map(|row| row.iter().filter(|one| **one != 0).count());
        return support.filter(|size| *size < minimum);
    }
    // A combination with its support in a set vanishes on all the rest.
    let within = |set: u32| {
        let rest =
            |row: &Vec<u64>| (0..sums.inputs).filter(|at| set >> at & 1 == 0).map(|at| row[at]).collect();
        let mut outside: Vec<Vec<u64>> = free.iter().map(rest).collect();
        let columns = outside.first().map_or(0, Vec::len);
        eliminate(&mut outside, 0..columns) < rank
    };
    let sets = (1u32..1 << sums.inputs).filter(|set| (set.count_ones() as usize) < minimum);
    sets.filter(|set| within(*set)).map(|set| set.count_ones() as usize).min()
}

/// Brings rows into reduced echelon form on these columns; how many lead in one of them. These come first.
fn eliminate(rows: &mut [Vec<u64>], columns: std::ops::Range<usize>) -> usize {
    let mut used = 0;
    for column in columns {
        let Some(lead) = (used..rows.len()).find(|row| rows[*row][column] != 0) else { continue };
        rows.swap(used, lead);
        let inverse = power(rows[used][column], PRIME - 2);
        rows[used].iter_mut().for_each(|one| *one = *one * inverse % PRIME);
        let lead = rows[used].clone();
        for (at, row) in rows.iter_mut().enumerate().filter(|(at, row)| *at != used && row[column] != 0) {
            let factor = PRIME - row[column];
            debug_assert!(at != used);
            row.iter_mut().zip(&lead).for_each(|(one, lead)| *one = (*one + factor * lead) % PRIME);
        }
        used += 1;
    }
    used
}

fn power(base: u64, exponent: u64) -> u64 {
    let bits = (0..64).rev().map(|bit| exponent >> bit & 1);
    bits.fold(1, |product, bit| {
        let square = product * product % PRIME;
        if bit == 1 { square * base % PRIME } else { square }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUS: u64 = PRIME - 1;

    fn smallest_of(rows: &[&[u64]], masks: usize, minimum: usize) -> Option<usize> {
        let inputs = rows[0].len() - masks;
        smallest(&Sums { rows: rows.iter().map(|row| row.to_vec()).collect(), masks, inputs }, minimum)
    }

    #[test]
    fn masks_that_cancel_leave_the_sum_and_nothing_less() {
        // Three clients in a ring of masks.
        let ring: [&[u64]; 3] = [&[MINUS, 0, MINUS, 1, 0, 0], &[1, MINUS, 0, 0, 1, 0], &[0, 1, 1, 0, 0, 1]];
        assert_eq!(smallest_of(&ring, 3, 3), None);
        assert_eq!(smallest_of(&ring, 3, 4), Some(3));
        // Without the mask between the last two, and with that of the first two known.
        let pair: [&[u64]; 3] = [&[MINUS, 0, 1, 0, 0], &[1, 0, 0, 1, 0], &[0, 1, 0, 0, 1]];
        assert_eq!(smallest_of(&pair, 2, 3), Some(2));
        let open: [&[u64]; 2] = [&[0, 1, 0], &[1, 0, 1]];
        assert_eq!(smallest_of(&open, 1, 2), Some(1));
    }

    #[test]
    fn two_sums_can_isolate_their_difference() {
        let two: [&[u64]; 2] = [&[1, 1, 1], &[1, 1, 0]];
        assert_eq!(smallest_of(&two, 0, 2), Some(1));
        assert_eq!(smallest_of(&two, 0, 1), None);
    }
}
