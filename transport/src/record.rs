//! What a client remembers between sessions, as a file: which it took part in, and whom it signed for.
//!
//! Text, a line each; it is read again by this program only:
//!
//! ```text
//! secagg record 1
//! session UNIX_SECONDS TASK          before the client's keys leave
//! cohort IDENTITY IDENTITY ...       before its signature leaves; each different cohort once
//! ```
//!
//! A line is on the disk before the message in question leaves. Nothing is ever forgotten: a server could otherwise
//! make the client forget. Who wants a client to begin anew moves the file away.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secagg::Cohort;
use secagg::privacy::ledger::Torn;

use crate::appended::{AppendError, AppendedFile};
use crate::persist;

const HEAD: &str = "secagg record 1\n";

/// Longest file, in bytes: 4,000 cohorts of 1,000 clients.
const MAX_FILE: u64 = 256 << 20;

/// A record that this process alone has open.
#[derive(Debug)]
pub struct ClientRecord {
    path: PathBuf,
    lines: AppendedFile,
    torn: Option<Torn>,
    /// When, and which task.
    sessions: Vec<(u64, [u8; 32])>,
    signed: Vec<Cohort>,
}

/// Why a record cannot be used. The client then takes no further part in the session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Another process has the record open.
    #[error("{} is in use by another process: give each client a record of its own", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A line that is none.
    #[error("{}, line {line}: this is no line of a client's record", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Its number, from 1.
        line: usize,
    },
    /// A line that was written in part could not be taken back.
    #[error(
        "{} could not be written before and is not used any more; open it anew, which tells what is there", path.display()
    )]
    Broken {
        /// The file.
        path: PathBuf,
    },
    /// The file is too long to go on.
    #[error("{} is full; move it away, and the client begins anew with nothing to compare with", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
}

impl ClientRecord {
    /// Opens a record, or begins one if there is no file; cuts off a last line that a crash has torn, whose message
    /// never left: see [`ClientRecord::torn`].
    ///
    /// # Errors
    /// Another process that has it open; a line that is none; what the operating system says.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let mut lines = AppendedFile::open(path, &private_options()).map_err(|error| of_file(path, error))?;
        let failed = |source| RecordError::Io { path: path.to_owned(), source };
        // Each time, for the one who made the file may have been stopped before its name was on the disk.
        persist::synchronise_directory(path).map_err(failed)?;
        let bytes = lines.read(MAX_FILE + 1).map_err(failed)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(RecordError::Full { path: path.to_owned() });
        }
        let path = path.to_owned();
        let mut record = Self { path, lines, torn: None, sessions: Vec::new(), signed: Vec::new() };
        if is_torn_head(&bytes) {
            record.lines.keep(0).map_err(failed)?;
            record.append(HEAD)?;
            return Ok(record);
        }
        record.torn = Torn::of(&bytes);
        let keep = record.torn.map_or(bytes.len(), |torn| torn.keep);
        record.read(bytes.get(..keep).unwrap_or_default())?;
        record.lines.keep(keep).map_err(failed)?;
        Ok(record)
    }

    /// How many sessions of each task the client has made keys for within `window`. One in the future counts: the clock
    /// may have been set back.
    pub fn attempted(&self, window: Duration) -> BTreeMap<[u8; 32], u32> {
        let since = now().saturating_sub(window.as_secs());
        let mut attempted = BTreeMap::new();
        for (_, task) in self.sessions.iter().filter(|(when, _)| *when >= since) {
            *attempted.entry(*task).or_default() += 1;
        }
        attempted
    }

    /// The last line that was there when the record was opened, if a crash had torn it. It has been cut off: it was not
    /// on the disk yet, so the message that it is about never left.
    pub fn torn(&self) -> Option<Torn> {
        self.torn
    }

    /// The cohorts that the client has signed for, each once.
    pub fn signed(&self) -> &[Cohort] {
        &self.signed
    }

    /// Notes that the client is about to send its keys.
    ///
    /// # Errors
    /// What the operating system says. The keys must then not leave.
    pub fn begin(&mut self, task: [u8; 32]) -> Result<(), RecordError> {
        let when = now();
        self.append(&format!("session {when} {}\n", hex::encode(task)))?;
        self.sessions.push((when, task));
        Ok(())
    }

    /// Notes that the client is about to send its signature over this cohort.
    ///
    /// # Errors
    /// What the operating system says. The signature must then not leave.
    pub fn sign(&mut self, cohort: &Cohort) -> Result<(), RecordError> {
        if self.signed.contains(cohort) {
            return Ok(());
        }
        let identities: String = cohort.identities().map(|one| format!(" {}", hex::encode(one))).collect();
        self.append(&format!("cohort{identities}\n"))?;
        self.signed.push(cohort.clone());
        Ok(())
    }

    /// Takes whole lines in; there is at least the first one.
    fn read(&mut self, bytes: &[u8]) -> Result<(), RecordError> {
        let wrong = |line| RecordError::Line { path: self.path.clone(), line };
        let mut lines = (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n'));
        lines.next().filter(|(_, head)| *head == HEAD.as_bytes()).ok_or_else(|| wrong(1))?;
        for (number, line) in lines {
            let text = str::from_utf8(line).map_err(|_| wrong(number))?;
            match Line::read(text.trim_end_matches('\n')).ok_or_else(|| wrong(number))? {
                Line::Session(when, task) => self.sessions.push((when, task)),
                Line::Cohort(cohort) => self.signed.push(cohort),
            }
        }
        Ok(())
    }

    fn append(&mut self, line: &str) -> Result<(), RecordError> {
        if self.lines.len() + line.len() as u64 > MAX_FILE {
            return Err(RecordError::Full { path: self.path.clone() });
        }
        self.lines.append(line).map_err(|error| of_file(&self.path, error))
    }
}

fn of_file(path: &Path, error: AppendError) -> RecordError {
    let path = path.to_owned();
    match error {
        AppendError::Io(source) => RecordError::Io { path, source },
        AppendError::InUse => RecordError::InUse { path },
        AppendError::Broken => RecordError::Broken { path },
    }
}

/// Whether this is all that a crash left of the first line; a file of anything else is somebody else's.
fn is_torn_head(bytes: &[u8]) -> bool {
    let of_head = bytes.iter().zip(HEAD.as_bytes()).all(|(found, byte)| found == byte || *found == 0);
    bytes.len() <= HEAD.len() && of_head && bytes != HEAD.as_bytes()
}

enum Line {
    Session(u64, [u8; 32]),
    Cohort(Cohort),
}

impl Line {
    fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        match words.next()? {
            "session" => {
                let (when, task) = (words.next()?.parse().ok()?, digits(words.next()?)?);
                words.next().is_none().then_some(Self::Session(when, task))
            }
            "cohort" => {
                words.map(digits).collect::<Option<Vec<_>>>().map(|all| Self::Cohort(Cohort::new(all)))
            }
            _ => None,
        }
    }
}

fn digits(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok().map(|()| bytes)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// It says whom the client has met: for its owner only.
fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn cohort(numbers: std::ops::Range<u8>) -> Cohort {
        Cohort::new(numbers.map(|number| [number; 32]))
    }

    #[test]
    fn what_was_noted_is_there_again_and_no_cohort_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record");
        let mut record = ClientRecord::open(&path).unwrap();
        assert!(matches!(ClientRecord::open(&path), Err(RecordError::InUse { .. })));
        for task in [1, 2, 1] {
            record.begin([task; 32]).unwrap();
        }
        for last in [5, 9, 5] {
            record.sign(&cohort(0..last)).unwrap();
        }
        drop(record);
        let record = ClientRecord::open(&path).unwrap();
        assert_eq!(record.signed(), [cohort(0..5), cohort(0..9)]);
        assert_eq!(record.attempted(HOUR), BTreeMap::from([([1; 32], 2), ([2; 32], 1)]));
    }

    #[test]
    fn old_sessions_do_not_count_and_future_ones_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record");
        let task = "07".repeat(32);
        let [old, young, future] = [now() - 7200, now() - 60, now() + 7200];
        let lines = [old, young, future].map(|when| format!("session {when} {task}\n"));
        fs::write(&path, format!("{HEAD}{}", lines.concat())).unwrap();
        let record = ClientRecord::open(&path).unwrap();
        assert_eq!(record.attempted(HOUR), BTreeMap::from([([7; 32], 2)]));
    }

    /// A crash at every byte: whole lines stay, a torn one goes, and the record can be added to.
    #[test]
    fn a_torn_line_is_cut_off_wherever_it_is_torn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record");
        let mut record = ClientRecord::open(&path).unwrap();
        record.sign(&cohort(0..3)).unwrap();
        record.begin([4; 32]).unwrap();
        drop(record);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, vec![0; HEAD.len()]).unwrap();
        assert_eq!(ClientRecord::open(&path).unwrap().signed(), []);
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let mut record = ClientRecord::open(&path).unwrap();
            let lines = whole[..length].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!((record.signed().len(), record.sessions.len()), (usize::from(lines > 1), 0));
            record.begin([5; 32]).unwrap();
            drop(record);
            assert_eq!(ClientRecord::open(&path).unwrap().attempted(HOUR).len(), 1, "{length}");
        }
    }

    /// What a power cut leaves of a line over many pages, of which some, and the last, were written: the client goes on
    /// with all that was on the disk before, and what was synchronised is never let go.
    #[test]
    fn a_last_line_with_holes_is_cut_off_and_a_line_before_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record");
        let mut record = ClientRecord::open(&path).unwrap();
        record.begin([4; 32]).unwrap();
        record.sign(&cohort(0..3)).unwrap();
        let before = fs::read(&path).unwrap();
        record.sign(&cohort(0..250)).unwrap();
        drop(record);
        let whole = fs::read(&path).unwrap();
        assert!(whole.len() - before.len() > 3 * 4096);
        let pages = (before.len() / 4096..=whole.len() / 4096).collect::<Vec<_>>();
        for page in pages {
            let mut torn = whole.clone();
            torn[(page * 4096).max(before.len())..((page + 1) * 4096).min(whole.len())].fill(0);
            fs::write(&path, &torn).unwrap();
            let mut record = ClientRecord::open(&path).unwrap();
            let bytes = whole.len() - before.len();
            assert_eq!(record.torn(), Some(Torn { line: 4, bytes, keep: before.len() }), "{page}");
            assert_eq!((record.signed(), record.sessions.len()), (&[cohort(0..3)][..], 1));
            assert_eq!(fs::read(&path).unwrap(), before);
            record.begin([5; 32]).unwrap();
            drop(record);
            let record = ClientRecord::open(&path).unwrap();
            assert_eq!((record.torn(), record.sessions.len()), (None, 2));
        }
        // A hole before the last line, or a last line that is wrong without one, is no crash of an append.
        for (at, line) in [(HEAD.len() + 3, 2), (before.len() - 5, 3)] {
            let mut changed = whole.clone();
            changed[at] = 0;
            fs::write(&path, &changed).unwrap();
            let refused = ClientRecord::open(&path).unwrap_err();
            assert!(matches!(refused, RecordError::Line { line: found, .. } if found == line), "{refused}");
            assert_eq!(fs::read(&path).unwrap(), changed);
        }
        let mut changed = whole.clone();
        changed[before.len() + 9] = b'x';
        fs::write(&path, &changed).unwrap();
        assert!(matches!(ClientRecord::open(&path), Err(RecordError::Line { line: 4, .. })));
    }

    #[test]
    fn what_is_no_record_is_named_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record");
        for text in
            ["hello", "hello\n", "secagg record 2\n", &format!("{HEAD}session x {}\n", "00".repeat(32))]
        {
            fs::write(&path, text).unwrap();
            assert!(matches!(ClientRecord::open(&path), Err(RecordError::Line { .. })), "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
