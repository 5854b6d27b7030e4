//! Files that appear whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::randomness::Randomness;

/// Writes a file through a temporary neighbour and a rename.
///
/// # Errors
///
/// What the operating system says. A file that was there before is then unchanged.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    replace(path, content, &options())
}

/// Writes a file that only its owner can read, through a temporary neighbour and a rename.
///
/// # Errors
///
/// What the operating system says. A file that was there before is then unchanged.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    replace(path, content, &options)
}

/// Writes a file of a name that nothing has yet; if `private`, only its owner can read it.
///
/// # Errors
///
/// [`io::ErrorKind::AlreadyExists`], and what else the operating system says. Nothing is then left behind.
pub(crate) fn create(path: &Path, content: &[u8], private: bool) -> io::Result<()> {
    let mut options = options();
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let file = options.open(path)?;
    fill(file, content).inspect_err(|_| {
        // The first error is the one to tell.
        let _ = fs::remove_file(path);
    })
}

/// Makes a directory, with its parents, that only its owner can enter; one that exists is left
/// as it is.
///
/// # Errors
///
/// What the operating system says.
pub(crate) fn create_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Puts the name of a new file on the disk, as its content is.
///
/// # Errors
///
/// What the operating system says.
pub(crate) fn synchronise_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match cfg!(unix) {
        true => File::open(parent)?.sync_all(),
        false => Ok(()),
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

fn replace(path: &Path, content: &[u8], options: &OpenOptions) -> io::Result<()> {
    let temporary = neighbour(path)?;
    let written = options.open(&temporary).and_then(|file| fill(file, content));
    let done = written.and_then(|()| fs::rename(&temporary, path));
    if done.is_err() {
        // The first error is the one to tell; a temporary file that cannot be removed either adds nothing.
        let _ = fs::remove_file(&temporary);
    }
    done
}

fn fill(mut file: File, content: &[u8]) -> io::Result<()> {
    file.write_all(content)?;
    file.sync_all()
}

/// Names a file beside `path` that nothing else uses.
fn neighbour(path: &Path) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "this is not the name of a file"))?;
    let salt = u64::from_be_bytes(Randomness::default().nonce().map_err(io::Error::other)?);
    let name = format!(".{}.{salt:016x}.tmp", name.to_string_lossy());
    Ok(path.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sum.json");
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("taken");
        fs::create_dir(&path).unwrap();
        assert!(write(&path, b"x").is_err());
        assert!(write(Path::new("/"), b"x").is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
