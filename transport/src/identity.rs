//! A server's self-signed development certificate, and the pin by which clients know it.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};

use crate::persist;

/// File in the state directory with the certificate and its private key.
const IDENTITY_FILE: &str = "identity.pem";

/// File in the state directory with the pin alone, to be given to clients.
const PIN_FILE: &str = "pin";

/// The SHA-256 of a certificate's DER encoding: what a client must know of a server beforehand.
///
/// Written and read as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin([u8; 32]);

impl Pin {
    /// Returns the pin of a certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Pin {
        Pin(Sha256::digest(certificate.as_ref()).into())
    }

    /// Returns the hash itself.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

/// Reads 64 hexadecimal digits, white space around them ignored.
impl FromStr for Pin {
    type Err = BadPin;

    fn from_str(text: &str) -> Result<Pin, BadPin> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| BadPin)?;
        Ok(Pin(bytes))
    }
}

/// A text is not a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pin is the 64 hexadecimal digits that `secagg serve` prints")]
pub struct BadPin;

/// A certificate with its private key.
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Makes an identity that lives only as long as this value.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Generate`] if the cryptographic library cannot make a key.
    pub fn ephemeral() -> Result<Identity, IdentityError> {
        let generated = generate()?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(generated.signing_key.serialize_der()));
        Ok(Identity { certificate: generated.cert.der().clone(), key })
    }

    /// Opens the identity kept in a state directory; makes directory and identity on first use.
    ///
    /// The private key's file can be read by its owner only. Both files appear whole or not at
    /// all.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] names the file that could not be read, understood or written.
    pub fn open(state: &Path) -> Result<Identity, IdentityError> {
        let path = state.join(IDENTITY_FILE);
        match fs::read(&path) {
            Ok(pem) => Identity::parse(&pem).map_err(|what| IdentityError::Damaged { path, what }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Identity::create(state, &path),
            Err(source) => Err(IdentityError::Read { path, source }),
        }
    }

    /// Returns where [`Identity::open`] writes the pin for clients to be given.
    pub fn pin_file(state: &Path) -> PathBuf {
        state.join(PIN_FILE)
    }

    /// Returns the pin by which clients know this identity.
    pub fn pin(&self) -> Pin {
        Pin::of(&self.certificate)
    }

    /// Returns the certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }

    fn create(state: &Path, path: &Path) -> Result<Identity, IdentityError> {
        let generated = generate()?;
        let pem = format!("{}{}", generated.cert.pem(), generated.signing_key.serialize_pem());
        let write_error = |path: &Path| {
            let path = path.to_owned();
            move |source| IdentityError::Write { path, source }
        };
        persist::create_private_directory(state).map_err(write_error(state))?;
        persist::write_private(path, pem.as_bytes()).map_err(write_error(path))?;
        let identity = Identity::parse(pem.as_bytes()).map_err(IdentityError::Generate)?;
        let pin_file = Identity::pin_file(state);
        persist::write(&pin_file, format!("{}\n", identity.pin()).as_bytes())
            .map_err(write_error(&pin_file))?;
        Ok(identity)
    }

    fn parse(pem: &[u8]) -> Result<Identity, String> {
        let certificate = CertificateDer::from_pem_slice(pem).map_err(|e| format!("no certificate: {e}"))?;
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|e| format!("no private key: {e}"))?;
        Ok(Identity { certificate, key })
    }
}

/// Shows the pin and never the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("pin", &self.pin()).field("key", &"<redacted>").finish()
    }
}

/// Why a server has no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The cryptographic library could not make a key or a certificate.
    #[error("cannot make a certificate: {0}")]
    Generate(String),
    /// The identity is there and cannot be read.
    #[error("cannot read {}: {source}; make it readable or name another directory with --state", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The identity is there and is not a certificate with its key.
    #[error("{} is damaged ({what}); remove it to make a new identity, and give clients the new pin", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The identity cannot be kept.
    #[error("cannot write {}: {source}; name a writable directory with --state", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

fn generate() -> Result<rcgen::CertifiedKey<rcgen::KeyPair>, IdentityError> {
    rcgen::generate_simple_self_signed([crate::tls::SERVER_NAME.to_owned()])
        .map_err(|error| IdentityError::Generate(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_made_once_and_found_again() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("new/state");
        let first = Identity::open(&state).unwrap();
        assert_eq!(Identity::open(&state).unwrap().pin(), first.pin());
        let pin: Pin = fs::read_to_string(Identity::pin_file(&state)).unwrap().parse().unwrap();
        assert_eq!(pin, first.pin());
        assert_eq!(fs::read_dir(&state).unwrap().count(), 2, "no temporary file stays");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        Identity::open(directory.path()).unwrap();
        let mode = fs::metadata(directory.path().join(IDENTITY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_identity_is_named_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(IDENTITY_FILE);
        fs::write(&path, "not a certificate").unwrap();
        let error = Identity::open(directory.path()).unwrap_err();
        assert!(error.to_string().contains(IDENTITY_FILE), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"not a certificate");
    }

    #[test]
    fn a_pin_reads_what_it_writes_and_nothing_else() {
        let pin = Identity::ephemeral().unwrap().pin();
        assert_eq!(format!(" {pin}\n").parse(), Ok(pin));
        let text = pin.to_string();
        for bad in ["", "00", &text[1..], &format!("{text}0"), &text.replace(&text[..1], "g")] {
            assert_eq!(bad.parse::<Pin>(), Err(BadPin), "{bad:?}");
        }
    }

    #[test]
    fn the_key_is_not_shown() {
        let shown = format!("{:?}", Identity::ephemeral().unwrap());
        assert!(shown.contains("<redacted>"), "{shown}");
    }
}
