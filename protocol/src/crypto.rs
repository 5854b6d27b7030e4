//! The primitives, each behind the few calls that the rounds need (spec §3).

pub(crate) mod agree;
pub(crate) mod decode;
pub(crate) mod field;
pub(crate) mod prg;
pub(crate) mod seal;
pub(crate) mod sharing;
pub(crate) mod sign;
pub(crate) mod x25519;

use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::{Zeroizing, zeroize_stack};

use crate::Suite;

/// A secret in one place of the heap: to move it moves a pointer, and leaves no copy on the stack.
pub(crate) type Kept<T> = Box<Zeroizing<T>>;

/// Runs a step out of line and then overwrites the stack that it has used, where moved secrets leave copies.
pub(crate) fn and_wipe<T>(step: impl FnOnce() -> T) -> T {
    #[inline(never)]
    fn out_of_line<T>(step: impl FnOnce() -> T) -> T {
        step()
    }
    let result = out_of_line(step);
    zeroize_stack::<STACK>();
    result
}

/// Bytes of stack below a step that may hold secrets.
const STACK: usize = 32 << 10;

/// SHA-256 under a label of the registry (spec §3.1). All parts but the last are of fixed width.
///
/// Without a suite: what outlives sessions, such as certificates.
pub(crate) fn hash(suite: impl Into<Option<Suite>>, label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut state = Sha256::new();
    for part in prefix(suite, label, parts) {
        state.update(part);
    }
    state.finalize().into()
}

/// HKDF-SHA-256 under a label of the registry (spec §3.1): `N` bytes, at most 255 · 32.
pub(crate) fn derive<const N: usize>(
    suite: Suite,
    label: &str,
    salt: &[u8; 32],
    secret: &[u8],
    parts: &[&[u8]],
) -> Zeroizing<[u8; N]> {
    Extracted::new(salt, secret).derive(suite, label, parts)
}

/// What HKDF-Extract gives (RFC 5869, with SHA-256): for several derivations from one salt and one secret.
pub(crate) struct Extracted(Hkdf<Sha256>);

impl Extracted {
    pub(crate) fn new(salt: &[u8], secret: &[u8]) -> Self {
        Self(Hkdf::new(Some(salt), secret))
    }

    /// As [`derive`].
    pub(crate) fn derive<const N: usize>(
        &self,
        suite: Suite,
        label: &str,
        parts: &[&[u8]],
    ) -> Zeroizing<[u8; N]> {
        const { assert!(N <= 255 * 32) };
        let mut out = Zeroizing::new([0; N]);
        let info: Vec<&[u8]> = prefix(suite, label, parts).collect();
        let expanded = self.expand(&info, out.as_mut_slice());
        debug_assert!(expanded.is_some(), "N is within HKDF's limit");
        out
    }

    /// HKDF-Expand; `None` if more than 255 · 32 bytes are asked for.
    pub(crate) fn expand(&self, info: &[&[u8]], out: &mut [u8]) -> Option<()> {
        self.0.expand_multi_info(info, out).ok()
    }
}

/// `"secagg/1" ‖ suite ‖ label ‖ 0 ‖ parts`, piece by piece. No label contains a zero byte.
fn prefix<'a>(
    suite: impl Into<Option<Suite>>,
    label: &'a str,
    parts: &'a [&'a [u8]],
) -> impl Iterator<Item = &'a [u8]> {
    let head: &[u8] = match suite.into() {
        None => b"secagg/1\x00",
        Some(Suite::Curious) => b"secagg/1\x01",
        Some(Suite::Active { .. }) => b"secagg/1\x02",
        Some(Suite::Pinned { .. }) => b"secagg/1\x03",
    };
    [head, label.as_bytes(), &[0]].into_iter().chain(parts.iter().copied())
}
