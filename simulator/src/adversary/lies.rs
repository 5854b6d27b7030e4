//! What lying clients send instead of their honest answer (layouts of spec §4).

use secagg::{ClientId, VectorSpec};

use super::{BUNDLE, HEADER};
use crate::scenario::Lie;

/// What a lying client knows besides its honest answer.
pub(super) struct Knowledge<'a> {
    /// Its own id.
    pub(super) id: ClientId,
    /// The first vector of the session, if it has any.
    pub(super) first: Option<&'a VectorSpec>,
    /// Its honest answer of the round before.
    pub(super) before: &'a [u8],
    /// Another client's honest answer of this round.
    pub(super) sample: &'a [u8],
}

/// The messages that are sent for an honest `answer`.
pub(super) fn tell(lie: Lie, answer: &[u8], knowledge: &Knowledge<'_>) -> Vec<Vec<u8>> {
    let Knowledge { id, first, before, sample } = *knowledge;
    let mut message = answer.to_vec();
    match lie {
        Lie::BadEncryptionKey => write(&mut message, HEADER, &[0; 32]),
        Lie::BadMaskKey => write(&mut message, HEADER + 32, &[0xff; 32]),
        Lie::CopiedKeys if !sample.is_empty() => message = sample.to_vec(),
        Lie::CopiedKeys => {}
        Lie::BadIdentity => write(&mut message, HEADER + 64, &[0xff; 32]),
        Lie::BadCertificate => write(&mut message, HEADER + 96, &[1; 64]),
        Lie::BadKeySignature => write(&mut message, HEADER + 160, &[1; 64]),
        Lie::Malformed | Lie::WrongLength => message.truncate(answer.len() - 1),
        Lie::MissingBundle => shorten(&mut message, HEADER + 32, BUNDLE),
        Lie::GarbageBundle => message[HEADER + 36] ^= 1,
        Lie::FalseCommitment => message[HEADER] ^= 1,
        Lie::WrongInput => first.into_iter().for_each(|vector| {
            let coordinate = u64::from(id.get()) % u64::from(vector.length.max(1));
            complement(&mut message[HEADER..], coordinate, vector.bits);
        }),
        Lie::Padding => message.iter_mut().last().into_iter().for_each(|byte| *byte |= 0x80),
        Lie::Duplicate => return vec![answer.to_vec(), message],
        Lie::Replay => return vec![before.to_vec(), message],
        Lie::OtherSession => {
            message[1] ^= 1;
            return vec![message, answer.to_vec()];
        }
        Lie::BadConsent => write(&mut message, HEADER, &[1; 64]),
        Lie::WrongShares => {
            message.iter_mut().skip(HEADER + 8).step_by(32).for_each(|byte| *byte ^= 1);
        }
        Lie::NonCanonicalShare => write(&mut message, HEADER + 8, &[0xff; 32]),
        Lie::MissingShare => shorten(&mut message, HEADER + 4, 32),
        Lie::FalseComplaint => {
            // An id that no session has, and as many shares as before.
            let shares = message.split_off(HEADER + 4);
            message[HEADER..].copy_from_slice(&4u32.to_be_bytes());
            message.extend([0xff; 4]);
            message.extend(shares);
        }
    }
    vec![message]
}

fn write(message: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = message.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// Complements all bits of a coordinate of the first packed vector, and so adds an odd number to it, which is random as what is
/// masked is. Clients that change different coordinates do not cancel, nor does an odd number of them in one.
fn complement(packed: &mut [u8], coordinate: u64, bits: u8) {
    let bits = u64::from(bits);
    for bit in coordinate * bits..(coordinate + 1) * bits {
        packed[(bit / 8) as usize] ^= 1 << (bit % 8);
    }
}

/// Takes the last item off the list whose length is at `at`.
fn shorten(message: &mut Vec<u8>, at: usize, item: usize) {
    message.truncate(message.len() - item);
    let length = (message.len() - at - 4) as u32;
    write(message, at, &length.to_be_bytes());
}
