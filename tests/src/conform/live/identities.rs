//! Identities for the suites that have them (section 3.7), in a folder: those of the tester, and that of a client under test.
//!
//! The files are those of `secagg identity`, lines of a word and hexadecimal digits (`tests/conform/README.md`).

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use secagg::conformance::{self, Bytes32, Bytes64};
use secagg::{Client, ClientId, Config, Credentials, Policy, Suite};

use crate::json::trusting;

/// The file of the authority, and the end of the names of public files.
const AUTHORITY: &str = "ca";
const PUBLIC: &str = ".pub";
const CERTIFIED: &str = ".cert";

/// Somebody whom the authority has certified.
#[derive(Clone)]
pub(super) struct Person {
    /// The file with its secret.
    pub(super) file: PathBuf,
    pub(super) secret: Bytes32,
    pub(super) identity: Bytes32,
    pub(super) certificate: Bytes64,
}

/// A suite whose clients have identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Signed {
    /// On the complete graph
    Active,
    /// On a k-out graph; experimental
    Pinned,
}

/// An authority, and whom it has certified, in the order of the names of their files.
#[derive(Clone)]
pub struct Population {
    pub(super) folder: PathBuf,
    /// What they take part in.
    pub(super) suite: Signed,
    pub(super) authority: Bytes32,
    pub(super) people: Arc<[Person]>,
}

impl Population {
    /// Makes a folder with an authority, as many certified identities, and their roster.
    ///
    /// # Errors
    /// The folder is there already or cannot be made.
    pub fn create(folder: &Path, count: usize) -> Result<(), String> {
        fs::create_dir(folder).map_err(|error| at(folder, &error))?;
        let (ca, authority) = key(&folder.join(AUTHORITY), "authority")?;
        let mut roster = format!("secagg roster 1\nauthority {}\n", hex::encode(authority));
        for number in 1..=count {
            let path = folder.join(format!("conform-{number:03}"));
            let (_, identity) = key(&path, "identity")?;
            let signature = conformance::signature(&ca, &conformance::certificate_statement(&identity));
            let [authority, identity, signature] = [&authority[..], &identity, &signature].map(hex::encode);
            let certificate = format!(
                "secagg certificate 1\nauthority {authority}\nidentity {identity}\nsignature {signature}\n"
            );
            write(&with(&path, CERTIFIED), &certificate)?;
            // Writing into a string does not fail.
            let _ = writeln!(roster, "member {identity} {signature}");
        }
        write(&folder.join("roster"), &roster)
    }

    /// Reads a folder: `ca.pub`, and every key that has a certificate beside it.
    ///
    /// # Errors
    /// A file cannot be read or is none, or a certificate is not of its key or not by the authority.
    pub fn read(folder: &Path, suite: Signed) -> Result<Self, String> {
        let [authority] = fields(&with(&folder.join(AUTHORITY), PUBLIC), "authority", ["authority"])?;
        let authority = bytes(&authority)?;
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| at(folder, &error))? {
            let path = entry.map_err(|error| at(folder, &error))?.path();
            let file = path.to_str().and_then(|path| path.strip_suffix(CERTIFIED));
            files.extend(file.map(PathBuf::from));
        }
        files.sort();
        let people =
            files.into_iter().map(|file| Person::read(file, &authority)).collect::<Result<_, _>>()?;
        Ok(Self { folder: folder.to_owned(), suite, authority, people })
    }

    /// The file with the authority's public key.
    pub(super) fn authority_file(&self) -> PathBuf {
        with(&self.folder.join(AUTHORITY), PUBLIC)
    }

    /// Fails if there are fewer.
    pub(super) fn at_least(&self, count: usize) -> Result<(), String> {
        match self.people.len() {
            found if found >= count => Ok(()),
            found => Err(format!("{} has {found} identities, but {count} are needed", self.folder.display())),
        }
    }
}

impl Person {
    fn read(file: PathBuf, authority: &Bytes32) -> Result<Self, String> {
        let [secret] = fields(&file, "identity-key", ["secret"])?;
        let [_, _, signature] =
            fields(&with(&file, CERTIFIED), "certificate", ["authority", "identity", "signature"])?;
        let (secret, certificate) = (bytes(&secret)?, bytes(&signature)?);
        Credentials::new(secret, certificate, *authority)
            .map_err(|misuse| format!("{}: {misuse}", file.display()))?;
        Ok(Self { identity: conformance::identity(&secret), file, secret, certificate })
    }

    pub(super) fn certificate_file(&self) -> PathBuf {
        with(&self.file, CERTIFIED)
    }
}

/// Where a draw commitment is in an advertisement of suite 3: behind the keys.
pub(super) const DRAW_COMMITMENT: usize = 64;

/// Where the parts of a proof are in an advertisement: behind the keys, and in suite 3 behind the draw commitment.
pub(super) struct Proof {
    pub(super) identity: usize,
    pub(super) certificate: usize,
    pub(super) signature: usize,
}

impl Proof {
    pub(super) fn of(config: &Config) -> Self {
        let identity = if is_pinned(config) { DRAW_COMMITMENT + 32 } else { DRAW_COMMITMENT };
        Self { identity, certificate: identity + 32, signature: identity + 96 }
    }
}

/// Whether it is a session of suite 3.
pub(super) fn is_pinned(config: &Config) -> bool {
    matches!(config.suite, Suite::Pinned { .. })
}

/// Puts a signature by this person into an advertisement: over what it holds, this configuration and this id.
pub(super) fn sign_keys(advertisement: &mut [u8], config: &Config, id: u32, by: &Person) {
    let part = |at: usize| advertisement[at..at + 32].try_into().expect("32 bytes");
    let Some(id) = ClientId::new(id) else { return };
    let commitment = is_pinned(config).then(|| part(DRAW_COMMITMENT));
    let keys = [part(0), part(32)];
    let statement = conformance::advertisement_statement(config, id, keys, commitment.as_ref());
    let at = Proof::of(config).signature;
    advertisement[at..].copy_from_slice(&conformance::signature(&by.secret, &statement));
}

/// A client of the core, which signs as the person does if there is one.
pub(super) fn client(entropy: Bytes32, person: Option<(&Population, usize)>) -> Result<Client, String> {
    let Some((population, at)) = person else { return Ok(Client::new(entropy, Policy::default())) };
    population.at_least(at + 1)?;
    let Person { secret, certificate, .. } = population.people[at];
    let safety = (population.suite == Signed::Pinned).then(trusting);
    let credentials = Credentials::new(secret, certificate, population.authority);
    let credentials = credentials.map_err(|misuse| misuse.to_string())?;
    Ok(Client::with_credentials(entropy, Policy { safety, ..Policy::default() }, credentials))
}

/// Makes a key: the secret in the file, its public half in the one beside it.
fn key(path: &Path, kind: &str) -> Result<(Bytes32, Bytes32), String> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| format!("no randomness: {error}"))?;
    let public = conformance::identity(&secret);
    let text = format!("secagg {kind}-key 1\nsecret {}\n", hex::encode(secret));
    let written = private().open(path).and_then(|mut file: File| file.write_all(text.as_bytes()));
    written.map_err(|error| at(path, &error))?;
    write(&with(path, PUBLIC), &format!("secagg {kind} 1\n{kind} {}\n", hex::encode(public)))?;
    Ok((secret, public))
}

/// How a file is made that its owner alone can read.
fn private() -> OpenOptions {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The values of a file of this kind with exactly these words.
fn fields<const N: usize>(path: &Path, kind: &str, words: [&str; N]) -> Result<[String; N], String> {
    let text = fs::read_to_string(path).map_err(|error| at(path, &error))?;
    let mut lines = text.lines();
    let head = lines.next() == Some(&format!("secagg {kind} 1"));
    let values = words.map(|word| lines.next()?.strip_prefix(word)?.strip_prefix(' ').map(str::to_owned));
    if !head || values.contains(&None) || lines.next().is_some() {
        return Err(format!("{}: this is no file of the kind {kind:?}, version 1", path.display()));
    }
    Ok(values.map(Option::unwrap_or_default))
}

fn bytes<const N: usize>(digits: &str) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    hex::decode_to_slice(digits, &mut bytes).map_err(|error| format!("{N} bytes in hexadecimal: {error}"))?;
    Ok(bytes)
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| at(path, &error))
}

fn at(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
