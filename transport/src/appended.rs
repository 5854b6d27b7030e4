//! A file of lines to which lines are only ever added: locked, synchronised, rolled back.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// A file that this process alone has open.
#[derive(Debug)]
pub(crate) struct AppendedFile {
    file: File,
    /// Bytes of whole lines.
    end: u64,
    /// A line could neither be written nor taken back: what is on the disk is not known any more.
    broken: bool,
}

/// Why a line cannot be added, or the file not be opened.
#[derive(Debug)]
pub(crate) enum AppendError {
    Io(io::Error),
    /// Another process has it open.
    InUse,
    /// A line that was written in part could not be taken back before.
    Broken,
}

impl From<io::Error> for AppendError {
    fn from(source: io::Error) -> Self {
        Self::Io(source)
    }
}

impl AppendedFile {
    /// Opens and locks a file; nothing of it is kept yet.
    pub(crate) fn open(path: &Path, options: &OpenOptions) -> Result<Self, AppendError> {
        let file = options.open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file, end: 0, broken: false }),
            Err(TryLockError::WouldBlock) => Err(AppendError::InUse),
            Err(TryLockError::Error(source)) => Err(source.into()),
        }
    }

    /// What is in it, up to `most` bytes.
    pub(crate) fn read(&mut self, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        (&mut self.file).take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Goes on after the first `end` bytes; what is behind them is cut off.
    pub(crate) fn keep(&mut self, end: usize) -> io::Result<()> {
        self.end = end as u64;
        if self.file.metadata()?.len() > self.end {
            self.file.set_len(self.end)?;
            self.file.sync_all()?;
        }
        Ok(())
    }

    /// Bytes of whole lines.
    pub(crate) fn len(&self) -> u64 {
        self.end
    }

    /// Adds a line: it is on the disk, or counts for nothing.
    pub(crate) fn append(&mut self, line: &str) -> Result<(), AppendError> {
        if self.broken {
            return Err(AppendError::Broken);
        }
        if let Err(source) = self.write(line.as_bytes()) {
            self.broken = self.file.set_len(self.end).and_then(|()| self.file.sync_all()).is_err();
            return Err(source.into());
        }
        self.end += line.len() as u64;
        Ok(())
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(line)?;
        self.file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_can_be_neither_written_nor_taken_back_is_the_last_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lines");
        std::fs::write(&path, "one\n").unwrap();
        let mut lines = AppendedFile::open(&path, OpenOptions::new().read(true).write(true)).unwrap();
        assert!(matches!(AppendedFile::open(&path, OpenOptions::new().read(true)), Err(AppendError::InUse)));
        lines.keep(4).unwrap();
        // A handle that cannot be written to stands for a full disk; neither can it take anything back.
        let writable = std::mem::replace(&mut lines.file, File::open(&path).unwrap());
        assert!(matches!(lines.append("two\n"), Err(AppendError::Io(_))));
        lines.file = writable;
        assert!(matches!(lines.append("three\n"), Err(AppendError::Broken)));
        assert_eq!((lines.len(), std::fs::read(&path).unwrap()), (4, b"one\n".to_vec()));
    }

    #[test]
    fn what_is_not_kept_is_cut_off_and_lines_follow_what_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lines");
        std::fs::write(&path, "one\ntw").unwrap();
        let mut lines = AppendedFile::open(&path, OpenOptions::new().read(true).write(true)).unwrap();
        assert_eq!((lines.read(3).unwrap(), lines.len()), (b"one".to_vec(), 0));
        lines.keep(4).unwrap();
        lines.append("three\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\nthree\n");
    }
}
