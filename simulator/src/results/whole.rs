//! Files that appear whole or not at all.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf, is_separator};

use tempfile::NamedTempFile;

/// Links that are followed one after the other at the most, as on Linux.
const LINKS: usize = 40;

/// Has `write` write a file under another name and gives it its own when it is whole; what was there before is there until
/// then, and its permissions stay. What is no file, such as a pipe or `/dev/null`, and what this process has open, as
/// `/dev/stdout`, is written as it is.
///
/// # Errors
/// Those of `write`, of [`check_writable`], and the system's; nothing is left of the file then.
pub(crate) fn write_whole<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let (folder, name) = match find(path)? {
        Place::AsItIs => return write(path),
        Place::File { folder, name } => (folder, name),
    };
    let place = folder.join(&name);
    let unfinished = unfinished(&folder, &name)?;
    write(unfinished.path())?;
    if let Ok(before) = fs::metadata(&place) {
        unfinished.as_file().set_permissions(before.permissions())?;
    }
    // Whole on the disk too: a name must not outlive a power cut that its bytes do not.
    unfinished.as_file().sync_all()?;
    unfinished.persist(&place).map_err(|failed| failed.error)?;
    Ok(())
}

/// As [`write_whole`], of a text.
///
/// # Errors
/// As there.
pub(crate) fn write_text(path: &Path, text: &str) -> io::Result<()> {
    write_whole(path, |place| fs::write(place, text))
}

/// Finds out before long work whether [`write_whole`] will have a place to write to; leaves nothing.
///
/// # Errors
/// The path has no file name or is a folder's, the file may not be written to, or the system's.
pub(crate) fn check_writable(path: &Path) -> io::Result<()> {
    match find(path)? {
        Place::AsItIs => Ok(()),
        Place::File { folder, name } => unfinished(&folder, &name).map(drop),
    }
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
    unfinished(folder, "report").map(drop)
}

/// Where a path leads.
enum Place {
    /// What is not to be replaced.
    AsItIs,
    /// A file, or nothing yet.
    File { folder: PathBuf, name: OsString },
}

/// Follows links, also to what is not there yet: they stay, and what they lead to is written.
fn find(path: &Path) -> io::Result<Place> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let (folder, name) = split(&path)?;
        let place = folder.join(&name);
        // Links in these folders stand for what a process has open, which has to stay that.
        if folder.starts_with("/proc") || folder.starts_with("/dev/fd") {
            return Ok(Place::AsItIs);
        }
        if let Ok(target) = fs::read_link(&place) {
            path = folder.join(target);
            continue;
        }
        let Ok(there) = fs::metadata(&place) else { return Ok(Place::File { folder, name }) };
        if !there.is_file() {
            return Ok(Place::AsItIs);
        }
        if there.permissions().readonly() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        // Whoever may write to the folder could replace a file of somebody else's.
        File::options().write(true).open(&place)?;
        return Ok(Place::File { folder, name });
    }
    Err(io::Error::other("too many links lead to each other"))
}

/// The folder of a path, which must be there, and the name in it.
fn split(path: &Path) -> io::Result<(PathBuf, OsString)> {
    let bytes = path.as_os_str().as_encoded_bytes();
    // `file_name` overlooks what comes after the name here.
    let last = bytes.rsplit(|byte| is_separator(char::from(*byte))).next();
    match (path.file_name(), last) {
        (None, _) | (_, None | Some(b"" | b".")) => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "the path ends without a file name"))
        }
        (Some(name), _) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            Ok((fs::canonicalize(folder.unwrap_or(Path::new(".")))?, name.to_owned()))
        }
    }
}

/// A new empty file, which is removed when it is dropped. Several processes, also on several machines, may write one file:
/// each has its own, by a random part of its name, and whichever is last gives it the file's.
fn unfinished(folder: &Path, name: impl AsRef<OsStr>) -> io::Result<NamedTempFile> {
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    // Not by the library, whose files only their owner may read.
    tempfile::Builder::new().prefix(&prefix).suffix(".tmp").make_in(folder, |path| File::create_new(path))
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
    fn a_path_without_a_file_name_is_refused_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        for end in ["/", "/.", "/.."] {
            let path = PathBuf::from(format!("{}{end}", path.display()));
            check_writable(&path).unwrap_err();
            write_text(&path, "lost").unwrap_err();
        }
        check_writable(Path::new("")).unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_may_not_be_written_to_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        write_text(&path, "kept").unwrap();
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).unwrap();
        assert_eq!(check_writable(&path).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        write_text(&path, "new").unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
    }

    #[test]
    #[cfg(unix)]
    fn a_file_keeps_its_permissions_and_a_new_one_has_those_of_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        let (plain, path) = (folder.path().join("plain"), folder.path().join("table.csv"));
        fs::write(&plain, "").unwrap();
        write_text(&path, "new").unwrap();
        assert_eq!(mode(&path), mode(&plain));
        for bits in [0o600, 0o640, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
            write_text(&path, "again").unwrap();
            assert_eq!(mode(&path) & 0o777, bits);
        }
    }

    #[test]
    #[cfg(unix)]
    fn links_are_followed_to_what_is_not_there_yet() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("inner")).unwrap();
        symlink("inner/second", at("first")).unwrap();
        symlink("target", at("inner/second")).unwrap();
        check_writable(&at("first")).unwrap();
        assert!(!at("inner/target").exists());
        write_text(&at("first"), "new").unwrap();
        assert!(at("first").is_symlink() && at("inner/second").is_symlink());
        assert_eq!(fs::read_to_string(at("inner/target")).unwrap(), "new");
        symlink("round", at("round")).unwrap();
        check_writable(&at("round")).unwrap_err();
        symlink("nowhere/target", at("lost")).unwrap();
        check_writable(&at("lost")).unwrap_err();
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_a_process_has_open_is_written_in_place() {
        use std::os::fd::AsRawFd;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut open = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
        for folder in ["/proc/self/fd", "/dev/fd"] {
            let name = PathBuf::from(format!("{folder}/{}", open.as_raw_fd()));
            check_writable(&name).unwrap();
            write_text(&name, folder).unwrap();
            io::Seek::rewind(&mut open).unwrap();
            assert_eq!(io::read_to_string(&open).unwrap(), folder);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
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
