//! The privacy ledger of a population, as a file: locked, appended to, synchronised.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use secagg::privacy::ledger::{Budget, Entry, Ledger, LedgerError, Release, Torn};

use crate::appended::{AppendError, AppendedFile};
use crate::persist;

/// A ledger that this process alone has open.
///
/// Every call that adds a line returns after the line is on the disk, or adds nothing. Reserve a round before its sum is
/// unmasked, settle or cancel it afterwards: see [`secagg::privacy::ledger`].
#[derive(Debug)]
pub struct LedgerFile {
    path: PathBuf,
    lines: AppendedFile,
    ledger: Ledger,
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
        persist::create(path, line.as_bytes(), false)
            .map_err(|source| match source.kind() {
                kind @ io::ErrorKind::AlreadyExists => {
                    io::Error::new(kind, "there is a file already; open it")
                }
                _ => source,
            })
            .and_then(|()| persist::synchronise_directory(path))
            .map_err(|source| failed(path, source))?;
        Ok(Self::open(path)?.0)
    }

    /// Opens a ledger, and cuts off a last line that a crash has torn: then it is told which.
    ///
    /// # Errors
    /// No such file; one that another process has open; a line that is none or whose checksum is wrong, with its
    /// number.
    pub fn open(path: &Path) -> Result<(Self, Option<Torn>), LedgerFileError> {
        let mut lines = AppendedFile::open(path, OpenOptions::new().read(true).write(true))
            .map_err(|error| of_file(path, error))?;
        // Whoever created it may have gone before its name was on the disk.
        persist::synchronise_directory(path).map_err(|source| failed(path, source))?;
        let text = lines.read(u64::MAX).map_err(|source| failed(path, source))?;
        let (ledger, torn) = Ledger::read(&text).map_err(|source| wrong(path, source))?;
        let keep = torn.map_or(text.len(), |torn| torn.keep);
        lines.keep(keep).map_err(|source| failed(path, source))?;
        Ok((Self { path: path.to_owned(), lines, ledger }, torn))
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
        let entry = entry.map_err(|source| wrong(&self.path, source))?;
        self.lines.append(entry.line()).map_err(|error| of_file(&self.path, error))?;
        self.ledger.commit(entry).map_err(|source| wrong(&self.path, source))
    }
}

fn of_file(path: &Path, error: AppendError) -> LedgerFileError {
    match error {
        AppendError::Io(source) => failed(path, source),
        AppendError::InUse => LedgerFileError::InUse { path: path.to_owned() },
        AppendError::Broken => LedgerFileError::Broken { path: path.to_owned() },
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
    use std::io::{Read, Write};
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

    /// What a power cut leaves of a line over two pages of which the second one alone was written.
    #[test]
    fn a_last_line_with_a_hole_is_cut_off_and_one_before_it_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let (path, mut file) = created(directory.path());
        file.reserve("one", release(70)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        file.reserve("two", release(80)).unwrap();
        drop(file);
        let mut torn = std::fs::read(&path).unwrap();
        torn[whole.len()..whole.len() + 9].fill(0);
        std::fs::write(&path, &torn).unwrap();
        let (file, found) = LedgerFile::open(&path).unwrap();
        assert_eq!(found, Some(Torn { line: 3, bytes: torn.len() - whole.len(), keep: whole.len() }));
        assert_eq!((file.ledger().rounds().len(), std::fs::read(&path).unwrap()), (1, whole.clone()));
        drop(file);
        torn[..5].fill(0);
        std::fs::write(&path, &torn).unwrap();
        assert!(LedgerFile::open(&path).unwrap_err().to_string().contains("line 1"));
        assert_eq!(std::fs::read(&path).unwrap(), torn);
    }

    /// Several begin the same ledger at once: one does, and the others leave it alone.
    #[test]
    fn one_of_several_begins_a_ledger() {
        let directory = tempfile::tempdir().unwrap();
        let path = &directory.path().join("ledger.tsv");
        let started = &std::sync::Barrier::new(8);
        let begun: Vec<String> = std::thread::scope(|scope| {
            let one = |number: u32| {
                started.wait();
                let budget = Budget { against: Against::Server, epsilon: 8.0, delta: 1e-6 };
                let population = format!("p{number}");
                let created = LedgerFile::create(path, &population, budget);
                // One that another opens before it can is begun all the same.
                let begun = !matches!(&created, Err(LedgerFileError::Io { .. }));
                begun.then_some(population)
            };
            let all: Vec<_> = (0..8).map(|number| scope.spawn(move || one(number))).collect();
            all.into_iter().filter_map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(begun.len(), 1, "{begun:?}");
        assert_eq!(LedgerFile::open(path).unwrap().0.ledger().population(), begun[0]);
    }
}
