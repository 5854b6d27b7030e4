//! The privacy ledger of a population, as a file: locked, appended to, synchronised.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use secagg::privacy::ledger::{Budget, Entry, Ledger, LedgerError, Release, Torn};

use crate::persist;

/// A ledger that this process alone has open.
///
/// Every call that adds a line returns after the line is on the disk, or adds nothing. Reserve a round before its sum is
/// unmasked, settle or cancel it afterwards: see [`secagg::privacy::ledger`].
#[derive(Debug)]
pub struct LedgerFile {
    path: PathBuf,
    file: File,
    ledger: Ledger,
    /// Bytes of whole lines.
    end: u64,
    /// A line could neither be written nor taken back: what is on the disk is not known any more.
    broken: bool,
}

/// Why a ledger's file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerFileError {
    /// The operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Another process has the ledger open.
    #[error("{path} is in use by another process: two that spend from one budget would overspend it")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The ledger's lines, or the round.
    #[error("{path}: {source}")]
    Ledger {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: LedgerError,
    },
    /// A line that was written in part could not be taken back.
    #[error(
        "{path} could not be written before and is not used any more; open it anew, which tells what is there"
    )]
    Broken {
        /// The file.
        path: PathBuf,
    },
}

impl LedgerFile {
    /// Begins a ledger in a file that must not exist.
    ///
    /// # Errors
    /// A file of that name; a name or budget that is none; what the operating system says.
    pub fn create(path: &Path, population: &str, budget: Budget) -> Result<Self, LedgerFileError> {
        let (_, line) = Ledger::new(population, budget).map_err(|source| wrong(path, source))?;
        if path.try_exists().map_err(|source| failed(path, source))? {
            let exists = io::Error::new(io::ErrorKind::AlreadyExists, "there is a file already; open it");
            return Err(failed(path, exists));
        }
        persist::write(path, line.as_bytes()).map_err(|source| failed(path, source))?;
        synchronise_directory(path).map_err(|source| failed(path, source))?;
        Ok(Self::open(path)?.0)
    }

    /// Opens a ledger, and cuts off a last line that a crash has torn: then it is told which.
    ///
    /// # Errors
    /// No such file; one that another process has open; a line that is none or whose checksum is wrong, with its
    /// number.
    pub fn open(path: &Path) -> Result<(Self, Option<Torn>), LedgerFileError> {
        let io = |source| failed(path, source);
        let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LedgerFileError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(io)?;
        let (ledger, torn) = Ledger::read(&text).map_err(|source| wrong(path, source))?;
        let end = torn.map_or(text.len(), |torn| torn.keep) as u64;
        if torn.is_some() {
            file.set_len(end).and_then(|()| file.sync_all()).map_err(io)?;
        }
        Ok((Self { path: path.to_owned(), file, ledger, end, broken: false }, torn))
    }

    /// What the ledger says.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Sets aside what `round` may release at most.
    ///
    /// # Errors
    /// As [`Ledger::reserve`]; what the operating system says. The sum must then not be unmasked.
    pub fn reserve(&mut self, round: &str, release: Release) -> Result<(), LedgerFileError> {
        let entry = self.ledger.reserve(round, release);
        self.append(entry)
    }

    /// Replaces a reservation by what was released.
    ///
    /// # Errors
    /// As [`Ledger::settle`]; what the operating system says. The reservation then still counts.
    pub fn settle(&mut self, round: &str, release: Release) -> Result<(), LedgerFileError> {
        let entry = self.ledger.settle(round, release);
        self.append(entry)
    }

    /// Gives a reservation back.
    ///
    /// # Errors
    /// As [`Ledger::cancel`]; what the operating system says. The reservation then still counts.
    pub fn cancel(&mut self, round: &str) -> Result<(), LedgerFileError> {
        let entry = self.ledger.cancel(round);
        self.append(entry)
    }

    fn append(&mut self, entry: Result<Entry, LedgerError>) -> Result<(), LedgerFileError> {
        if self.broken {
            return Err(LedgerFileError::Broken { path: self.path.clone() });
        }
        let entry = entry.map_err(|source| wrong(&self.path, source))?;
        if let Err(source) = write_at(&mut self.file, self.end, entry.line().as_bytes()) {
            self.broken = self.file.set_len(self.end).and_then(|()| self.file.sync_all()).is_err();
            return Err(failed(&self.path, source));
        }
        self.end += entry.line().len() as u64;
        self.ledger.commit(entry).map_err(|source| wrong(&self.path, source))
    }
}

fn write_at(file: &mut File, end: u64, line: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(end))?;
    file.write_all(line)?;
    file.sync_all()
}

/// So that the new file's name is on the disk too.
fn synchronise_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match cfg!(unix) {
        true => File::open(parent)?.sync_all(),
        false => Ok(()),
    }
}

fn failed(path: &Path, source: io::Error) -> LedgerFileError {
    LedgerFileError::Io { path: path.to_owned(), source }
}

fn wrong(path: &Path, source: LedgerError) -> LedgerFileError {
    LedgerFileError::Ledger { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use secagg::privacy::Variance;
    use secagg::privacy::ledger::{Against, Kind, Sampling};

    use super::*;

    fn release(shares: u32) -> Release {
        let shares = vec![(shares, Variance::new(100 << 16).unwrap())];
        Release { kind: Kind::Gaussian, shares, norm: 20.0, dimension: 64, sampling: Sampling::All }
    }

    fn created(directory: &Path) -> (PathBuf, LedgerFile) {
        let path = directory.join("ledger.tsv");
        let budget = Budget { against: Against::Server, epsilon: 8.0, delta: 1e-6 };
        let file = LedgerFile::create(&path, "phones", budget).unwrap();
        (path, file)
    }

    #[test]
    fn lines_are_on_the_disk_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let (path, mut file) = created(directory.path());
        file.reserve("one", release(70)).unwrap();
        file.settle("one", release(90)).unwrap();
        file.reserve("two", release(70)).unwrap();
        file.cancel("two").unwrap();
        let (spent, checksum) = (file.ledger().spent().unwrap(), file.ledger().last_checksum().to_owned());
        drop(file);
        let (again, torn) = LedgerFile::open(&path).unwrap();
        assert_eq!((torn, again.ledger().spent().unwrap()), (None, spent));
        assert_eq!(again.ledger().last_checksum(), checksum);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 5);
    }

    #[test]
    fn a_round_that_overspends_leaves_no_line() {
        let directory = tempfile::tempdir().unwrap();
        let (path, mut file) = created(directory.path());
        let before = std::fs::read(&path).unwrap();
        let refused = file.reserve("loud", release(1)).unwrap_err().to_string();
        assert!(refused.contains("above the budget of 8"), "{refused}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        file.reserve("quiet", release(100)).unwrap();
    }

    /// A crash after any byte of an append: the lines before are kept, the torn one is told and cut off, and the ledger
    /// goes on.
    #[test]
    fn a_crash_after_any_byte_of_an_append_loses_no_whole_line() {
        let directory = tempfile::tempdir().unwrap();
        let (path, mut file) = created(directory.path());
        file.reserve("one", release(70)).unwrap();
        let before = std::fs::read(&path).unwrap();
        file.reserve("two", release(80)).unwrap();
        let after = std::fs::read(&path).unwrap();
        drop(file);
        for cut in before.len()..=after.len() {
            std::fs::write(&path, &after[..cut]).unwrap();
            let (mut file, torn) = LedgerFile::open(&path).unwrap();
            let whole = cut == after.len();
            assert_eq!(file.ledger().rounds().len(), if whole { 2 } else { 1 }, "{cut}");
            match torn {
                Some(torn) => {
                    assert_eq!((torn.line, torn.bytes, torn.keep), (3, cut - before.len(), before.len()))
                }
                None => assert!(whole || cut == before.len()),
            }
            file.reserve("three", release(90)).unwrap();
            drop(file);
            let (file, torn) = LedgerFile::open(&path).unwrap();
            assert_eq!((torn, file.ledger().rounds().len()), (None, if whole { 3 } else { 2 }));
        }
    }

    /// A process that appends without end is killed at some moment, again and again: whatever is on the disk opens,
    /// and every line that the process was told of is there.
    #[cfg(unix)]
    #[test]
    fn a_killed_process_loses_no_line_that_it_was_told_of() {
        let directory = tempfile::tempdir().unwrap();
        let (path, file) = created(directory.path());
        drop(file);
        for kill in 0..6u32 {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["ledger::tests::appends_without_end", "--exact", "--ignored", "--nocapture"])
                .env("SECAGG_LEDGER_TEST", &path)
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut told = String::new();
            let mut output = child.stdout.take().unwrap();
            let mut byte = [0];
            // Each line that was committed is told by a letter.
            while told.matches('C').count() < 3 + kill as usize && output.read(&mut byte).unwrap() == 1 {
                told.push(char::from(byte[0]));
            }
            child.kill().unwrap();
            output.read_to_string(&mut told).unwrap();
            child.wait().unwrap();
            let (file, _) = LedgerFile::open(&path).unwrap();
            let (found, told) = (file.ledger().rounds().len(), told.matches('C').count());
            assert!(told >= 3 && found >= told, "{found} rounds, {told} were told");
            drop(file);
            std::fs::remove_file(&path).unwrap();
            drop(created(directory.path()));
        }
    }

    #[test]
    #[ignore = "it ends only when the test before kills it"]
    fn appends_without_end() {
        let Some(path) = std::env::var_os("SECAGG_LEDGER_TEST") else { return };
        let (mut file, _) = LedgerFile::open(Path::new(&path)).unwrap();
        for round in 0.. {
            // So much noise that the budget never ends.
            let shares = vec![(1 << 20, Variance::new(1 << 40).unwrap())];
            let quiet = Release { kind: Kind::Skellam, shares, ..release(1) };
            file.reserve(&format!("round-{round}"), quiet).unwrap();
            print!("C");
            io::stdout().flush().unwrap();
        }
    }

    #[test]
    fn two_do_not_have_it_open() {
        let directory = tempfile::tempdir().unwrap();
        let (path, file) = created(directory.path());
        assert!(matches!(LedgerFile::open(&path), Err(LedgerFileError::InUse { .. })));
        drop(file);
        LedgerFile::open(&path).unwrap();
        let budget = Budget { against: Against::Server, epsilon: 8.0, delta: 1e-6 };
        let refused = LedgerFile::create(&path, "phones", budget).unwrap_err().to_string();
        assert!(refused.contains("open it"), "{refused}");
    }

    #[test]
    fn a_changed_line_is_refused_with_its_number_and_nothing_is_touched() {
        let directory = tempfile::tempdir().unwrap();
        let (path, mut file) = created(directory.path());
        file.reserve("one", release(70)).unwrap();
        drop(file);
        let changed = std::fs::read_to_string(&path).unwrap().replace("70x", "71x");
        std::fs::write(&path, &changed).unwrap();
        let refused = LedgerFile::open(&path).unwrap_err().to_string();
        assert!(refused.contains("line 2") && refused.contains("checksum"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), changed);
        assert!(LedgerFile::open(&directory.path().join("none")).is_err());
    }

    #[test]
    fn a_line_that_cannot_be_written_counts_for_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let (path, mut file) = created(directory.path());
        let before = std::fs::read(&path).unwrap();
        // A handle that cannot be written to stands for a full disk; neither can it take anything back.
        file.file = File::open(&path).unwrap();
        assert!(matches!(file.reserve("one", release(70)), Err(LedgerFileError::Io { .. })));
        assert_eq!((file.ledger().rounds().len(), std::fs::read(&path).unwrap()), (0, before));
        assert!(matches!(file.reserve("one", release(70)), Err(LedgerFileError::Broken { .. })));
    }
}
