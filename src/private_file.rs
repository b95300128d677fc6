//! Files that only the service's own user may read: the database with what belongs to it, and the secret
//! key. They are created with mode 0600; wider modes of files that are there already are warned about and
//! left as they are, since an operator may have meant them.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Reading and writing for the owner alone.
const MODE: u32 = 0o600;

/// Opens a file for writing, and creates it for the owner alone if it is not there. What it holds stays.
pub fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(MODE).open(path)
}

/// Warns if anybody but the owner may read or write the file. `what` names it, because the path may hold
/// names of people.
pub fn warn_if_exposed(path: &Path, what: &'static str) {
    if let Some(mode) = exposed(path) {
        tracing::warn!(file = what, mode = %format_args!("{mode:04o}"), "file.exposed");
    }
}

/// Returns the mode of a file that others than its owner may read or write.
fn exposed(path: &Path) -> Option<u32> {
    let mode = fs::metadata(path).ok()?.mode() & 0o7777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_new_file_is_its_owners_alone_and_an_old_one_keeps_its_mode_and_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(exposed(&path), None);

        fs::write(&path, "content").unwrap();
        for mode in [0o640, 0o604, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            open(&path).unwrap();
            assert_eq!(exposed(&path), Some(mode));
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "content");
        assert_eq!(exposed(&folder.path().join("absent")), None);
    }
}
