//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Has `write` write a file under another name and gives it its own when it is whole; what was there before is there until
/// then. What is no file, such as a pipe or `/dev/null`, is written as it is.
///
/// # Errors
/// Those of `write`, and the system's; nothing is left of the file then.
pub(crate) fn write_whole<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    // A link stays one: what it leads to is written.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if place.exists() && !place.is_file() {
        return write(&place);
    }
    let unfinished = unfinished(&place);
    let written = write(&unfinished).and_then(|()| {
        // Whole on the disk too: a name must not outlive a power cut that its bytes do not.
        File::open(&unfinished)?.sync_all()?;
        Ok(fs::rename(&unfinished, &place)?)
    });
    written.inspect_err(|_| {
        // What is left of it; it may never have been there.
        let _ = fs::remove_file(&unfinished);
    })
}

/// As [`write_whole`], of a text.
///
/// # Errors
/// The system's.
pub(crate) fn write_text(path: &Path, text: &str) -> io::Result<()> {
    write_whole(path, |place| fs::write(place, text))
}

/// Finds out before long work whether [`write_whole`] will have a place to write to; leaves nothing.
///
/// # Errors
/// The system's.
pub(crate) fn check_writable(path: &Path) -> io::Result<()> {
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if place.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if place.exists() && !place.is_file() {
        return Ok(());
    }
    let unfinished = unfinished(&place);
    fs::write(&unfinished, "")?;
    fs::remove_file(&unfinished)
}

/// As [`check_writable`], of the files in a folder, which is made if it is not there.
///
/// # Errors
/// The system's.
pub(crate) fn check_folder(folder: &Path) -> io::Result<()> {
    if folder.exists() && !folder.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    fs::create_dir_all(folder)?;
    check_writable(&folder.join("report"))
}

/// Several processes may write the same file: each its own, and whichever is last gives it its name.
fn unfinished(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays_until_the_new_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        write_text(&path, "old").unwrap();
        let failed = write_whole(&path, |place| {
            fs::write(place, "ha")?;
            assert_eq!(fs::read_to_string(&path).unwrap(), "old");
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        write_text(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_place_that_cannot_be_written_to_is_found_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        check_writable(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(check_writable(folder.path()).is_err());
        assert!(check_writable(&folder.path().join("none/table.csv")).is_err());
        write_text(&path, "a file").unwrap();
        assert_eq!(check_folder(&path).unwrap_err().kind(), io::ErrorKind::NotADirectory);
        check_folder(&folder.path().join("some/where")).unwrap();
        assert_eq!(fs::read_dir(folder.path().join("some/where")).unwrap().count(), 0);
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        write_text(&link, "new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        // A socket stands for devices: nobody can write to it, so it is seen whether it is replaced.
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        check_writable(&socket).unwrap();
        write_text(&socket, "gone").unwrap_err();
        assert!(socket.exists() && !socket.is_file());
    }
}
