//! Masks that repeat would cancel where nobody meant them to.

use std::collections::BTreeSet;

use secagg::{ClientId, conformance};

use super::secrets::{Bytes32, Secrets};
use super::setting::{Setting, bytes};
use super::trials::{ONCE, Trial, demand};

pub(super) const ALL: &[Trial] = &[Trial {
    name: "masks-that-repeat",
    threat: "S19",
    side: "server",
    says: "has clients with the same secrets mask many vectors in many sessions, and looks for a mask that comes again",
    expected: "none",
    grounds: ONCE,
    sizes: 3..=16,
    play,
}];

const SESSIONS: u32 = 12;
/// Coordinates of 16 bits: 32 blocks of 32 bytes.
const LENGTH: u32 = 512;
const VECTORS: u8 = 3;

fn play(setting: Setting) -> Result<String, String> {
    let secrets: Vec<Secrets> =
        (1..=setting.n).map(|id| Secrets::new(&setting.config(), id, &bytes("entropy", id))).collect();
    let (mut blocks, mut all) = (BTreeSet::new(), 0);
    for session in (0..SESSIONS).map(|number| bytes("session", number)) {
        for place in 0..VECTORS {
            for mask in masks(&session, &secrets, place)? {
                all += mask.len() / 16;
                blocks.extend(mask.chunks(16).map(<[u64]>::to_vec));
            }
        }
    }
    demand(blocks.len() == all, || format!("{} different of {all} blocks", blocks.len()))?;
    let without = unbound(&secrets);
    demand(without == 1, || format!("without the session id there are {without} masks"))?;
    Ok(format!("without the session id in the derivation {SESSIONS} sessions have {without} mask"))
}

/// The masks of all clients and of all pairs for the vector at a place.
fn masks(session: &Bytes32, secrets: &[Secrets], place: u8) -> Result<Vec<Vec<u64>>, String> {
    let mut masks = Vec::new();
    let vector = (place, 16, LENGTH);
    let named: Vec<(ClientId, Bytes32)> =
        secrets.iter().filter_map(|one| Some((ClientId::new(one.id)?, one.keys[1]))).collect();
    for (at, (one, me)) in secrets.iter().zip(&named).enumerate() {
        masks.push(conformance::own_mask(session, me.0, &one.seed.to_bytes(), vector));
        for other in &named[..at] {
            let mask = conformance::pairwise_mask(session, &one.mask.to_bytes(), me, other, vector);
            masks.push(mask.map_err(|what| what.to_string())?);
        }
    }
    Ok(masks)
}

/// How many masks of the first pair there are in all sessions, if the session id is not in the derivation.
fn unbound(secrets: &[Secrets]) -> usize {
    let mask = |_: u32| {
        let seed = secrets[0].pair_seed(1, &[0; 32], (secrets[1].id, &secrets[1].keys[1]));
        seed.map(|seed| conformance::keystream(&seed, 32))
    };
    (0..SESSIONS).map(mask).collect::<BTreeSet<_>>().len()
}
