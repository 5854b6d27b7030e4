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
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secagg::Cohort;

const HEAD: &str = "secagg record 1\n";

/// Longest file, in bytes: 4,000 cohorts of 1,000 clients.
const MAX_FILE: u64 = 256 << 20;

/// A record that this process alone has open.
#[derive(Debug)]
pub struct ClientRecord {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    end: u64,
    /// When, and which task.
    sessions: Vec<(u64, [u8; 32])>,
    signed: Vec<Cohort>,
    /// A line could neither be written nor taken back.
    broken: bool,
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
    /// The file is too long to go on.
    #[error("{} is full; move it away, and the client begins anew with nothing to compare with", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
}

impl ClientRecord {
    /// Opens a record, or begins one if there is no file; cuts off a last line that a crash has torn, whose message
    /// never left.
    ///
    /// # Errors
    /// Another process that has it open; a line that is none; what the operating system says.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let failed = |source| RecordError::Io { path: path.to_owned(), source };
        let mut file = private_options().open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RecordError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // Each time, for the one who made the file may have been stopped before its name was on the disk.
        synchronise_directory(path).map_err(failed)?;
        let mut bytes = Vec::new();
        (&mut file).take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
        let mut record = Self {
            path: path.to_owned(),
            file,
            end: 0,
            sessions: Vec::new(),
            signed: Vec::new(),
            broken: false,
        };
        if HEAD.as_bytes().starts_with(&bytes) && bytes.len() < HEAD.len() {
            record.append(HEAD)?;
            return Ok(record);
        }
        if bytes.len() as u64 > MAX_FILE {
            return Err(RecordError::Full { path: path.to_owned() });
        }
        record.read(&bytes)?;
        if record.end < bytes.len() as u64 {
            record.file.set_len(record.end).and_then(|()| record.file.sync_all()).map_err(failed)?;
        }
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

    fn read(&mut self, bytes: &[u8]) -> Result<(), RecordError> {
        for (number, line) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
            let wrong = || RecordError::Line { path: self.path.clone(), line: number };
            if line.last() != Some(&b'\n') {
                // Torn; but a file whose first line is not ours is somebody else's.
                return if number == 1 { Err(wrong()) } else { Ok(()) };
            }
            let text = str::from_utf8(line).map_err(|_| wrong())?;
            match (number, Line::read(text.trim_end_matches('\n'))) {
                (1, _) if text == HEAD => {}
                (2.., Some(Line::Session(when, task))) => self.sessions.push((when, task)),
                (2.., Some(Line::Cohort(cohort))) => self.signed.push(cohort),
                _ => return Err(wrong()),
            }
            self.end += line.len() as u64;
        }
        Ok(())
    }

    fn append(&mut self, line: &str) -> Result<(), RecordError> {
        if self.broken || self.end + line.len() as u64 > MAX_FILE {
            return Err(RecordError::Full { path: self.path.clone() });
        }
        if let Err(source) = write_at(&mut self.file, self.end, line.as_bytes()) {
            self.broken = self.file.set_len(self.end).is_err();
            return Err(RecordError::Io { path: self.path.clone(), source });
        }
        self.end += line.len() as u64;
        Ok(())
    }
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
