//! Every secret of a session, computed by the one who searches.

use secagg::conformance::{Bytes32, client, encryption_agreement, key, mask_agreement, shares};
use secagg::{ClientId, Config, Suite};

/// A secret of a client and the number of answers after which it is over.
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) bytes: Bytes32,
    pub(crate) over: usize,
}

pub(crate) fn entropy(id: ClientId) -> Bytes32 {
    key(1, "entropy", &[3; 32], &[], &id.get().to_be_bytes())
}

/// The secret of a client's identity, in suite 3.
pub(crate) fn identity(id: ClientId) -> Bytes32 {
    key(1, "identity", &[3; 32], &[], &id.get().to_be_bytes())
}

/// The coordinates of a client's input as they lie in memory.
pub(crate) fn input(id: ClientId) -> Bytes32 {
    let mut bytes = key(1, "input", &[3; 32], &[], &id.get().to_be_bytes());
    bytes.iter_mut().skip(7).step_by(8).for_each(|byte| *byte &= 0x3f);
    bytes
}

/// How often a client answers: suite 3 has a round more.
pub(crate) fn rounds(config: &Config) -> usize {
    if is_pinned(config) { 5 } else { 4 }
}

fn is_pinned(config: &Config) -> bool {
    matches!(config.suite, Suite::Pinned { .. })
}

pub(crate) fn everyone() -> Vec<ClientId> {
    (1..=4).filter_map(ClientId::new).collect()
}

/// The secrets of client `me` in a session in which all four advertised keys and shared; those in `given` it gives
/// away in the end: the self mask shares of survivors, the mask key shares of the others.
pub(crate) fn of_client(
    config: &Config,
    session: &Bytes32,
    me: ClientId,
    survivors: &[ClientId],
) -> Vec<Secret> {
    let mut all = Vec::new();
    let mut note = |over, name: String, bytes| all.push(Secret { name, bytes, over });
    let (suite, last) = (u32::from(config.suite.number()), rounds(config));
    let derived = |label| key(suite, label, &config.id(), &entropy(me), &me.get().to_be_bytes());
    let known = |id| client(config, id, &entropy(id)).expect("a client");
    let [mask_key, self_mask, encryption, mask] = known(me);
    note(1, "entropy".into(), entropy(me));
    note(2, "coefficients' seed".into(), derived("coefficients"));
    let secret = derived("encryption key");
    // In suite 3 a client learns who its owners are with their bundles, which are opened at once.
    let pinned = is_pinned(config);
    note(if pinned { 3 } else { 2 }, "encryption key".into(), secret);
    if pinned {
        note(last, "identity".into(), identity(me));
    }
    note(3, "mask key".into(), mask_key);
    note(3, "self mask seed".into(), self_mask);
    note(3, "input".into(), input(me));
    let own_seed = key(suite, "self mask", session, &self_mask, &me.get().to_be_bytes());
    note(3, "own mask's seed".into(), own_seed);
    note(3, "own mask's key".into(), key(suite, "mask keystream", session, &own_seed, &[0]));
    let dealt = shares(config, me, &entropy(me), &everyone()).expect("shares");
    for (place, other) in everyone().into_iter().enumerate().filter(|(_, other)| *other != me) {
        let [_, _, their_encryption, their_mask] = known(other);
        note(2, format!("share of the mask key for {other}"), dealt[0][place]);
        note(2, format!("share of the self mask for {other}"), dealt[1][place]);
        let agreed = encryption_agreement(&secret, &their_encryption).expect("an agreement");
        note(2, format!("encryption agreement with {other}"), agreed);
        let ids = |one: ClientId, two: ClientId| [one.get().to_be_bytes(), two.get().to_be_bytes()].concat();
        let there = [&ids(me, other)[..], &encryption, &their_encryption].concat();
        let back = [&ids(other, me)[..], &their_encryption, &encryption].concat();
        note(2, format!("sealing key for {other}"), key(suite, "share key", session, &agreed, &there));
        note(3, format!("opening key for {other}"), key(suite, "share key", session, &agreed, &back));
        let agreed = mask_agreement(&mask_key, &their_mask).expect("an agreement");
        note(3, format!("mask agreement with {other}"), agreed);
        let (low, high) =
            if me < other { ((me, mask), (other, their_mask)) } else { ((other, their_mask), (me, mask)) };
        let parts = [&ids(low.0, high.0)[..], &low.1, &high.1].concat();
        let seed = key(suite, "pairwise mask", session, &agreed, &parts);
        note(3, format!("pairwise seed with {other}"), seed);
        note(
            3,
            format!("pairwise mask's key with {other}"),
            key(suite, "mask keystream", session, &seed, &[0]),
        );
        let held = shares(config, other, &entropy(other), &[me]).expect("shares");
        let kept = if survivors.contains(&other) { held[0][0] } else { held[1][0] };
        note(last, format!("share held for {other}"), kept);
    }
    all
}

/// What a server learns in Unmasking: the shares, the secrets, the seeds.
pub(crate) fn of_server(config: &Config, session: &Bytes32, survivors: &[ClientId]) -> Vec<Secret> {
    let (suite, mut all) = (u32::from(config.suite.number()), Vec::new());
    for owner in everyone() {
        let [mask_key, self_mask, ..] = client(config, owner, &entropy(owner)).expect("a client");
        let survives = survivors.contains(&owner);
        let kind = usize::from(survives);
        for (holder, share) in
            survivors.iter().zip(&shares(config, owner, &entropy(owner), survivors).expect("shares")[kind])
        {
            all.push((format!("share of {owner} from {holder}"), *share));
        }
        if survives {
            let seed = key(suite, "self mask", session, &self_mask, &owner.get().to_be_bytes());
            all.extend([
                (format!("self mask seed of {owner}"), self_mask),
                (format!("own seed of {owner}"), seed),
            ]);
        } else {
            all.push((format!("mask key of {owner}"), mask_key));
            let theirs = of_client(config, session, owner, survivors).into_iter();
            let mut theirs: Vec<Secret> =
                theirs.filter(|secret| secret.name.starts_with("pairwise")).collect();
            theirs.retain(|secret| survivors.iter().any(|id| secret.name.ends_with(&id.to_string())));
            all.extend(theirs.into_iter().map(|secret| (secret.name, secret.bytes)));
        }
    }
    all.into_iter().map(|(name, bytes)| Secret { name, bytes, over: rounds(config) }).collect()
}
