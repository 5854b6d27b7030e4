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
    let (different, all) = blocks(&secrets, |session| *session)?;
    demand(different == all, || format!("{different} different of {all} blocks"))?;
    // The same masks, own ones and of pairs, with nothing of the session in their derivation.
    let (different, all) = blocks(&secrets, |_| [0; 32])?;
    demand(different * SESSIONS as usize == all, || {
        format!("without the session id {different} of {all} blocks are different")
    })?;
    Ok(format!("without the session id in the derivation {all} blocks are only {different}"))
}

/// How many blocks of the masks of all sessions are different, and how many there are. `bound` is what the derivation
/// takes for the session id.
fn blocks(secrets: &[Secrets], bound: impl Fn(&Bytes32) -> Bytes32) -> Result<(usize, usize), String> {
    let (mut different, mut all) = (BTreeSet::new(), 0);
    for session in (0..SESSIONS).map(|number| bytes("session", number)) {
        for place in 0..VECTORS {
            for mask in masks(&bound(&session), secrets, place)? {
                all += mask.len() / 16;
                different.extend(mask.chunks(16).map(<[u64]>::to_vec));
            }
        }
    }
    Ok((different.len(), all))
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
