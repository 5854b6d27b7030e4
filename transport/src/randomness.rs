//! Where random bytes come from: every draw of this crate goes through here.

use std::fmt;
use std::sync::Arc;

use secagg::Entropy;
use zeroize::Zeroizing;

/// A source of random bytes: the operating system's by default.
///
/// TLS draws for itself, in its cryptographic library.
#[derive(Clone)]
pub struct Randomness(Arc<Source>);

type Source = dyn Fn(&mut [u8]) -> Result<(), getrandom::Error> + Send + Sync;

impl Default for Randomness {
    fn default() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that draws")]
        Self(Arc::new(getrandom::fill))
    }
}

impl Randomness {
    /// Another source, for tests: it fills what it is given with uniformly random bytes, or fails.
    ///
    /// # Security
    /// All secrets of a client follow from what it draws here.
    pub fn of(source: impl Fn(&mut [u8]) -> Result<(), getrandom::Error> + Send + Sync + 'static) -> Self {
        Self(Arc::new(source))
    }

    /// What a client's secrets in one session follow from.
    pub(crate) fn entropy(&self) -> Result<Entropy, getrandom::Error> {
        Entropy::draw(|bytes| (self.0)(bytes))
    }

    /// The secret of a long-term key, or of noise.
    pub(crate) fn secret(&self) -> Result<Zeroizing<[u8; 32]>, getrandom::Error> {
        let mut secret = Zeroizing::new([0; 32]);
        (self.0)(&mut *secret)?;
        Ok(secret)
    }

    /// Bytes that all may know and that come only once.
    pub(crate) fn nonce<const N: usize>(&self) -> Result<[u8; N], getrandom::Error> {
        let mut nonce = [0; N];
        (self.0)(&mut nonce)?;
        Ok(nonce)
    }
}

impl fmt::Debug for Randomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Randomness")
    }
}
