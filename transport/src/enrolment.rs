//! Who may take part in the active suite, as files: keys, certificates and rosters.
//!
//! All are text, a line each. The first names the kind of the file and the version of its form, `1`; each other one is
//! a word and its value in hexadecimal digits. There is nothing else, no comment and no empty line:
//!
//! | first line | the other lines | who has it |
//! | --- | --- | --- |
//! | `secagg authority-key 1` | `secret` (32 bytes) | the authority alone; mode 0600 |
//! | `secagg authority 1` | `authority` (32 bytes) | everybody |
//! | `secagg identity-key 1` | `secret` (32 bytes) | the client alone; mode 0600 |
//! | `secagg identity 1` | `identity` (32 bytes) | the authority |
//! | `secagg certificate 1` | `authority`, `identity`, `signature` (64 bytes) | the client; not secret |
//! | `secagg roster 1` | `authority`, then for each member `member`, with identity and signature | whoever likes |
//!
//! A roster is a list of certificates: each of its lines is signed by the authority, the list is not (spec §3.7). So it
//! proves of everybody on it that they were admitted, and of nobody that they were not.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use secagg::{Authority, Credentials, Misuse};
use zeroize::Zeroizing;

use crate::persist;
use crate::randomness::Randomness;

/// Longest file that is read, in bytes: a roster of some 250,000 members.
const MAX_FILE: u64 = 50 << 20;

/// Bytes of a certificate's signature.
const SIGNATURE: usize = 64;

/// Why a file of keys, certificates or members cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnrolmentError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is a file of that name.
    #[error("{} exists and is not overwritten; choose another name", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others than its owner can read a secret.
    #[error("{} holds a secret and can be read by others; chmod 600 it, and think of who has read it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The file is not of the expected form.
    #[error("{}: {what}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        what: String,
    },
    /// A key or certificate is not what it has to be.
    #[error("{}: {source}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Misuse,
    },
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness: {0}")]
    Entropy(#[from] getrandom::Error),
}

/// A kind of secret, with the public half that is written beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Certifies identities.
    Authority,
    /// Takes part in sessions.
    Identity,
}

impl KeyKind {
    fn word(self) -> &'static str {
        match self {
            KeyKind::Authority => "authority",
            KeyKind::Identity => "identity",
        }
    }

    fn secret_kind(self) -> String {
        format!("{}-key", self.word())
    }

    fn public_of(self, secret: &[u8; 32]) -> [u8; 32] {
        match self {
            KeyKind::Authority => Authority::new(*secret).public(),
            KeyKind::Identity => Credentials::identity_of(secret),
        }
    }

    /// Makes a key: the secret in `path`, for its owner's eyes only, the public half in `path.pub`. Returns the
    /// latter.
    ///
    /// # Errors
    /// [`EnrolmentError::Exists`] if there is one of the files; no randomness; what the operating system says.
    pub fn create(self, path: &Path, randomness: &Randomness) -> Result<[u8; 32], EnrolmentError> {
        let public_path = public_file(path);
        if public_path.try_exists().map_err(|source| unreadable(&public_path, source))? {
            return Err(EnrolmentError::Exists { path: public_path });
        }
        let secret = randomness.secret()?;
        let mut digits = Zeroizing::new([0; 64]);
        // 64 digits are what 32 bytes have.
        let _ = hex::encode_to_slice(*secret, &mut *digits);
        let head = format!("secagg {} 1\nsecret ", self.secret_kind());
        let text = Zeroizing::new([head.as_bytes(), &*digits, b"\n"].concat());
        create(path, &text, true)?;
        let public = self.public_of(&secret);
        create(&public_path, self.public_text(&public).as_bytes(), false)?;
        Ok(public)
    }

    /// Reads a secret that [`KeyKind::create`] has written.
    ///
    /// # Errors
    /// A file that is not one, or that others can read.
    pub fn read_secret(self, path: &Path) -> Result<Zeroizing<[u8; 32]>, EnrolmentError> {
        let text = read(path, true)?;
        let lines = Lines::of(path, &text, &self.secret_kind())?;
        let mut secret = Zeroizing::new([0; 32]);
        lines.only(["secret"])?.decode(0, &mut *secret)?;
        Ok(secret)
    }

    /// Reads a public key: `given` is its 64 hexadecimal digits, or the name of a `.pub` file.
    ///
    /// # Errors
    /// It is neither.
    pub fn public(self, given: &str) -> Result<[u8; 32], EnrolmentError> {
        let mut key = [0; 32];
        if hex::decode_to_slice(given, &mut key).is_ok() {
            return Ok(key);
        }
        let path = Path::new(given);
        let text = read(path, false)?;
        Lines::of(path, &text, self.word())?.only([self.word()])?.decode(0, &mut key)?;
        Ok(key)
    }

    fn public_text(self, public: &[u8; 32]) -> String {
        format!("secagg {0} 1\n{0} {1}\n", self.word(), hex::encode(public))
    }
}

/// The name of the file with the public half of a key.
pub fn public_file(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

/// An identity with the signature of the authority that admits it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The public key of the authority.
    pub authority: [u8; 32],
    /// The identity.
    pub identity: [u8; 32],
    /// The authority's signature.
    pub signature: [u8; SIGNATURE],
}

impl Certificate {
    /// Admits an identity.
    ///
    /// # Errors
    /// The identity is no key that could sign.
    pub fn issue(authority: &Authority, identity: [u8; 32]) -> Result<Self, Misuse> {
        let signature = authority.certify(&identity)?;
        Ok(Self { authority: authority.public(), identity, signature })
    }

    /// Writes it into a new file.
    ///
    /// # Errors
    /// [`EnrolmentError::Exists`]; what the operating system says.
    pub fn create(&self, path: &Path) -> Result<(), EnrolmentError> {
        let [authority, identity] = [self.authority, self.identity].map(hex::encode);
        let signature = hex::encode(self.signature);
        let text = format!(
            "secagg certificate 1\nauthority {authority}\nidentity {identity}\nsignature {signature}\n"
        );
        create(path, text.as_bytes(), false)
    }

    /// Reads a certificate and checks its signature.
    ///
    /// # Errors
    /// A file that is not one, or a signature that is not the authority's over the identity.
    pub fn read(path: &Path) -> Result<Self, EnrolmentError> {
        let text = read(path, false)?;
        let fields = Lines::of(path, &text, "certificate")?.only(["authority", "identity", "signature"])?;
        let mut one = Self { authority: [0; 32], identity: [0; 32], signature: [0; SIGNATURE] };
        fields.decode(0, &mut one.authority)?;
        fields.decode(1, &mut one.identity)?;
        fields.decode(2, &mut one.signature)?;
        one.check().map_err(|source| invalid(path, source))?;
        Ok(one)
    }

    fn check(&self) -> Result<(), Misuse> {
        Authority::check(&self.authority, &self.identity, &self.signature)
    }
}

/// Reads what a client signs with: its key, and the certificate of the authority that it trusts.
///
/// # Errors
/// A file that is not one, a certificate of another identity or by another authority.
pub fn credentials(
    key: &Path,
    certificate: &Path,
    authority: &[u8; 32],
) -> Result<Credentials, EnrolmentError> {
    let secret = KeyKind::Identity.read_secret(key)?;
    let Certificate { signature, .. } = Certificate::read(certificate)?;
    Credentials::new(*secret, signature, *authority).map_err(|source| invalid(certificate, source))
}

/// The members that one authority has admitted, as far as the list goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// The authority.
    pub authority: [u8; 32],
    /// Identities with their certificates' signatures, in the order of the file, each identity once.
    pub members: Vec<([u8; 32], [u8; SIGNATURE])>,
}

impl Roster {
    /// Reads a roster and checks every signature.
    ///
    /// # Errors
    /// A file that is not one; an identity that is in it twice or whose certificate is not the authority's.
    pub fn read(path: &Path) -> Result<Self, EnrolmentError> {
        let text = read(path, false)?;
        let lines = Lines::of(path, &text, "roster")?;
        let mut roster = Self { authority: [0; 32], members: Vec::new() };
        let (first, rest) =
            lines.rows.split_first().ok_or_else(|| lines.wrong(2, "there is no authority"))?;
        let value = first.strip_prefix("authority ");
        lines.decode(2, value.ok_or_else(|| lines.wrong(2, "give authority"))?, &mut roster.authority)?;
        let mut seen = BTreeSet::new();
        for (number, row) in (3..).zip(rest) {
            let (identity, signature) = row
                .strip_prefix("member ")
                .and_then(|row| row.split_once(' '))
                .ok_or_else(|| lines.wrong(number, "give member, an identity and a signature"))?;
            let mut member = ([0; 32], [0; SIGNATURE]);
            lines.decode(number, identity, &mut member.0)?;
            lines.decode(number, signature, &mut member.1)?;
            if !seen.insert(member.0) {
                return Err(lines.wrong(number, "the identity is in the roster before"));
            }
            Authority::check(&roster.authority, &member.0, &member.1)
                .map_err(|source| lines.wrong(number, &source.to_string()))?;
            roster.members.push(member);
        }
        Ok(roster)
    }

    /// Whether the roster has this identity.
    pub fn has(&self, identity: &[u8; 32]) -> bool {
        self.members.iter().any(|(member, _)| member == identity)
    }

    /// Writes the roster, whole or not at all.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn write(&self, path: &Path) -> Result<(), EnrolmentError> {
        let mut text = format!("secagg roster 1\nauthority {}\n", hex::encode(self.authority));
        for (identity, signature) in &self.members {
            text += &format!("member {} {}\n", hex::encode(identity), hex::encode(signature));
        }
        persist::write(path, text.as_bytes())
            .map_err(|source| EnrolmentError::Write { path: path.to_owned(), source })
    }
}

/// The lines of a file behind the first.
struct Lines<'a> {
    path: &'a Path,
    rows: Vec<&'a str>,
}

impl<'a> Lines<'a> {
    fn of(path: &'a Path, text: &'a [u8], kind: &str) -> Result<Self, EnrolmentError> {
        let form = |what: String| EnrolmentError::Form { path: path.to_owned(), what };
        let text = str::from_utf8(text).map_err(|_| form("this is no text".into()))?;
        let mut rows = text.lines();
        let first = rows.next().unwrap_or_default();
        if first == format!("secagg {kind} 1") {
            return Ok(Self { path, rows: rows.collect() });
        }
        Err(form(match first.strip_prefix("secagg ").and_then(|rest| rest.rsplit_once(' ')) {
            Some((found, version)) if found == kind => {
                format!("the {kind} file has version {version:?}, this program knows version 1")
            }
            Some((found, _)) if found.len() < 20 => {
                format!("this is a file of the kind {found:?}, not {kind:?}")
            }
            _ => format!("this is no {kind} file: its first line has to be \"secagg {kind} 1\""),
        }))
    }

    /// The values of exactly these fields.
    fn only<const N: usize>(self, names: [&str; N]) -> Result<Fields<'a, N>, EnrolmentError> {
        let mut values = [""; N];
        for (at, name) in names.iter().enumerate() {
            let row = self.rows.get(at).and_then(|row| row.strip_prefix(name)?.strip_prefix(' '));
            values[at] = row.ok_or_else(|| self.wrong(at + 2, &format!("give {name} and its value here")))?;
        }
        match self.rows.len() {
            count if count > N => Err(self.wrong(N + 2, "the file has more lines than its kind has fields")),
            _ => Ok(Fields { lines: self, values }),
        }
    }

    /// Decodes the hexadecimal digits of a line.
    fn decode(&self, line: usize, digits: &str, bytes: &mut [u8]) -> Result<(), EnrolmentError> {
        hex::decode_to_slice(digits, bytes).map_err(|_| {
            self.wrong(line, &format!("the value has to be {} hexadecimal digits", 2 * bytes.len()))
        })
    }

    fn wrong(&self, line: usize, what: &str) -> EnrolmentError {
        EnrolmentError::Form { path: self.path.to_owned(), what: format!("line {line}: {what}") }
    }
}

/// Named values, not decoded yet.
struct Fields<'a, const N: usize> {
    lines: Lines<'a>,
    values: [&'a str; N],
}

impl<const N: usize> Fields<'_, N> {
    fn decode(&self, at: usize, bytes: &mut [u8]) -> Result<(), EnrolmentError> {
        self.lines.decode(at + 2, self.values[at], bytes)
    }
}

fn create(path: &Path, content: &[u8], private: bool) -> Result<(), EnrolmentError> {
    persist::create(path, content, private).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => EnrolmentError::Exists { path: path.to_owned() },
        _ => EnrolmentError::Write { path: path.to_owned(), source },
    })
}

/// Reads a file whose content is wiped after use; of a secret one, only if its owner alone can.
fn read(path: &Path, secret: bool) -> Result<Zeroizing<Vec<u8>>, EnrolmentError> {
    let failed = |source| unreadable(path, source);
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if secret && is_exposed(&metadata) {
        return Err(EnrolmentError::Exposed { path: path.to_owned() });
    }
    // One allocation, so that no copy of a secret stays behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(metadata.len().min(MAX_FILE) as usize + 1));
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    match bytes.len() as u64 > MAX_FILE {
        true => Err(EnrolmentError::Form { path: path.to_owned(), what: "the file is too long".into() }),
        false => Ok(bytes),
    }
}

#[cfg(unix)]
fn is_exposed(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn is_exposed(_: &fs::Metadata) -> bool {
    false
}

fn unreadable(path: &Path, source: io::Error) -> EnrolmentError {
    EnrolmentError::Read { path: path.to_owned(), source }
}

fn invalid(path: &Path, source: Misuse) -> EnrolmentError {
    EnrolmentError::Invalid { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_certificates_and_rosters_are_read_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let public = KeyKind::Authority.create(&path("ca"), &Randomness::default()).unwrap();
        let identity = KeyKind::Identity.create(&path("ada"), &Randomness::default()).unwrap();
        let authority = Authority::new(*KeyKind::Authority.read_secret(&path("ca")).unwrap());
        assert_eq!(authority.public(), public);
        assert_eq!(KeyKind::Identity.public(path("ada.pub").to_str().unwrap()).unwrap(), identity);
        assert_eq!(KeyKind::Identity.public(&hex::encode(identity)).unwrap(), identity);
        let certificate = Certificate::issue(&authority, identity).unwrap();
        certificate.create(&path("ada.cert")).unwrap();
        assert_eq!(Certificate::read(&path("ada.cert")).unwrap(), certificate);
        let found = credentials(&path("ada"), &path("ada.cert"), &public).unwrap();
        assert_eq!((found.identity(), found.authority()), (identity, public));
        let roster = Roster { authority: public, members: vec![(identity, certificate.signature)] };
        roster.write(&path("roster")).unwrap();
        assert_eq!(Roster::read(&path("roster")).unwrap(), roster);
    }

    #[test]
    fn what_is_not_of_the_form_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let digits = "ab".repeat(32);
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            KeyKind::Identity.public(path.to_str().unwrap()).unwrap_err().to_string()
        };
        for (text, says) in [
            (String::new(), "first line"),
            ("hello".into(), "first line"),
            (format!("secagg identity 2\nidentity {digits}\n"), "version \"2\""),
            (format!("secagg identity-key 1\nsecret {digits}\n"), "kind \"identity-key\""),
            ("secagg identity 1\n".into(), "line 2"),
            (format!("secagg identity 1\nsecret {digits}\n"), "line 2"),
            (format!("secagg identity 1\nidentity {}\n", &digits[2..]), "64 hexadecimal digits"),
            (format!("secagg identity 1\nidentity {digits}\nmore\n"), "line 3"),
        ] {
            assert!(read(&text).contains(says), "{text:?}: {}", read(&text));
        }
        std::fs::write(&path, [0xff]).unwrap();
        assert!(
            KeyKind::Identity.public(path.to_str().unwrap()).unwrap_err().to_string().contains("no text")
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_is_for_its_owner_and_never_overwritten() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        KeyKind::Identity.create(&path, &Randomness::default()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(
            KeyKind::Identity.create(&path, &Randomness::default()),
            Err(EnrolmentError::Exists { .. })
        ));
        fs::remove_file(public_file(&path)).unwrap();
        assert!(matches!(
            KeyKind::Identity.create(&path, &Randomness::default()),
            Err(EnrolmentError::Exists { .. })
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(KeyKind::Identity.read_secret(&path), Err(EnrolmentError::Exposed { .. })));
    }

    #[test]
    fn a_roster_has_everybody_once_and_admitted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roster");
        let authority = Authority::new([1; 32]);
        let of = |secret| Credentials::identity_of(&[secret; 32]);
        let member = |secret| (of(secret), authority.certify(&of(secret)).unwrap());
        let refusal = |members: Vec<_>| {
            Roster { authority: authority.public(), members }.write(&path).unwrap();
            Roster::read(&path).map_err(|error| error.to_string())
        };
        assert!(refusal(vec![member(2), member(3)]).is_ok());
        assert!(refusal(vec![member(2), member(3), member(2)]).unwrap_err().contains("line 5"));
        assert!(refusal(vec![(of(2), member(3).1)]).unwrap_err().contains("line 3"));
        assert!(refusal(Vec::new()).is_ok());
    }
}
