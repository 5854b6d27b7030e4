//! All secrets from all shares: wrong ones are found, named and left out (spec §4.6).

use std::collections::{BTreeMap, BTreeSet};

use curve25519_dalek::scalar::Scalar;
use rayon::prelude::*;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::share_keys::commit;
use crate::crypto::agree::mask_public_key;
use crate::crypto::decode::{ATTEMPTS, decode};
use crate::crypto::prg::{Bytes, Keystream};
use crate::crypto::sharing::Basis;
use crate::crypto::{Kept, and_wipe};
use crate::{Abort, ClientId, Fault, Misbehaviour, Suite};

/// What a reconstructed secret must fit.
#[derive(Clone, Copy)]
pub(crate) enum Secret {
    /// A mask key: the public key that its owner advertised.
    MaskKey([u8; 32]),
    /// A self mask seed: the commitment that its owner sent with its shares.
    SelfMask([u8; 32]),
}

/// The shares of one secret, by holder, ascending.
pub(crate) struct Collected {
    pub(crate) owner: ClientId,
    pub(crate) shares: Vec<(ClientId, Scalar)>,
    pub(crate) secret: Secret,
}

impl Collected {
    fn holders(&self) -> Vec<ClientId> {
        self.shares.iter().map(|(holder, _)| *holder).collect()
    }

    fn values(&self) -> Zeroizing<Vec<Scalar>> {
        Zeroizing::new(self.shares.iter().map(|(_, share)| *share).collect())
    }

    /// Takes the shares of doubtful holders away as long as enough others are left.
    fn leave_out(&mut self, doubtful: &BTreeSet<ClientId>, threshold: usize) {
        let others = self.shares.iter().filter(|(holder, _)| !doubtful.contains(holder)).count();
        if others >= threshold {
            self.shares.retain(|(holder, _)| !doubtful.contains(holder));
        }
    }
}

/// The shares open masks: they are wiped once they have done so.
impl Drop for Collected {
    fn drop(&mut self) {
        self.shares.iter_mut().for_each(|(_, share)| share.zeroize());
    }
}

/// Reconstructed secrets by owner.
pub(crate) type Secrets = BTreeMap<ClientId, Kept<Scalar>>;

/// Reconstructs each secret; `challenge` must depend on all shares. Who gave wrong shares is added to `faults`,
/// also if a secret cannot be had.
pub(crate) fn reconstruct(
    suite: Suite,
    session: &[u8; 32],
    threshold: u32,
    mut open: Vec<Collected>,
    challenge: &[u8; 32],
    faults: &mut Vec<Fault>,
) -> Result<Secrets, Abort> {
    let threshold = threshold as usize;
    let most = open.iter().map(|collected| collected.shares.len()).max().unwrap_or_default();
    let keystream = Keystream::new(challenge);
    let mut random = Bytes::new(&keystream);
    let challenge: Vec<Scalar> = (threshold..most).map(|_| random.scalar()).collect();
    let fits = |owner: ClientId, secret: &Secret, found: &Scalar| match secret {
        Secret::MaskKey(public) => mask_public_key(found).ct_eq(public).into(),
        Secret::SelfMask(commitment) => commit(suite, session, owner, found).ct_eq(commitment).into(),
    };
    let mut found = Secrets::new();
    let mut doubtful = BTreeSet::new();
    let mut attempts = ATTEMPTS;
    loop {
        let (good, bad) = try_all(open, threshold, &challenge, &fits);
        found.extend(good);
        open = bad;
        if open.is_empty() {
            return Ok(found);
        }
        let first = open.remove(0);
        // Each turn of the loop ends with a secret more, and usually with a liar whom the others need not meet. What all
        // turns together may cost is bounded: owners that deal wrong shares have no liar in common.
        let basis = Basis::new(&first.holders(), threshold, &challenge);
        let values = first.values();
        let committed = |secret: &Scalar| fits(first.owner, &first.secret, secret);
        let Some(decoded) = decode(&basis, threshold, &values, &mut attempts, committed) else {
            let agree = values.len() > threshold && basis.consistent(&values);
            return Err(unrecoverable(&first, agree));
        };
        found.insert(first.owner, Box::new(Zeroizing::new(decoded.secret)));
        let holder = |at: &usize| first.shares.get(*at).map(|(holder, _)| *holder);
        doubtful.extend(decoded.left_out.iter().filter_map(holder));
        faults.extend(decoded.wrong.iter().filter_map(holder).map(|culprit| Fault {
            culprit,
            what: Misbehaviour::WrongShare,
            about: Some(first.owner),
        }));
        open.iter_mut().for_each(|collected| collected.leave_out(&doubtful, threshold));
    }
}

/// More shares than the threshold that all agree convict their owner; otherwise every one of them is in doubt.
fn unrecoverable(collected: &Collected, agree: bool) -> Abort {
    let owner = collected.owner;
    if agree {
        return Abort::Unrecoverable { owner, what: Misbehaviour::WrongCommitment, suspects: vec![owner] };
    }
    let mut suspects = collected.holders();
    if let Err(place) = suspects.binary_search(&owner) {
        suspects.insert(place, owner);
    }
    Abort::Unrecoverable { owner, what: Misbehaviour::WrongShare, suspects }
}

/// Bases that are made with one inversion: few enough that sessions of some dozens of clients still use every core.
const BASES_AT_A_TIME: usize = 8;

/// Combines the shares of each secret; those that do not fit come back, ascending by owner.
fn try_all(
    open: Vec<Collected>,
    threshold: usize,
    challenge: &[Scalar],
    fits: &(impl Fn(ClientId, &Secret, &Scalar) -> bool + Sync),
) -> (Vec<(ClientId, Kept<Scalar>)>, Vec<Collected>) {
    // Secrets with the same holders share one basis; on the complete graph that is all of them.
    let mut groups: BTreeMap<Vec<ClientId>, Vec<Collected>> = BTreeMap::new();
    for collected in open {
        groups.entry(collected.holders()).or_default().push(collected);
    }
    let one = |basis: &Basis, collected: Collected| {
        let values = collected.values();
        let secret = Box::new(Zeroizing::new(basis.combine(&values)));
        let good = basis.consistent(&values) && fits(collected.owner, &collected.secret, &secret);
        if good { Ok((collected.owner, secret)) } else { Err(collected) }
    };
    let groups: Vec<_> = groups.into_iter().collect();
    let results: Vec<_> = groups
        .into_par_iter()
        .chunks(BASES_AT_A_TIME)
        .flat_map_iter(|some| {
            let (holders, groups): (Vec<_>, Vec<_>) = some.into_iter().unzip();
            let bases = Basis::all(&holders, threshold, challenge);
            let each = |(basis, group): (Basis, Vec<Collected>)| -> Vec<_> {
                group.into_par_iter().map(|collected| and_wipe(|| one(&basis, collected))).collect()
            };
            bases.into_iter().zip(groups).flat_map(each).collect::<Vec<_>>()
        })
        .collect();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(secret) => good.push(secret),
            Err(collected) => bad.push(collected),
        }
    }
    bad.sort_unstable_by_key(|collected: &Collected| collected.owner);
    (good, bad)
}
