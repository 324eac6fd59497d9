//! A folder of one run alone: its socket, its session directories, its shared memory. Goes when it is dropped.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process,
};

use super::channel::new_token;

/// Longest path of the folder, bytes: a socket's path, in the folder, may have 107.
const MAX_PATH: usize = 96;

/// A folder that only this user may enter.
#[derive(Debug)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// Makes a new folder in the first of `places` that allows it.
    ///
    /// # Errors
    /// If none does: what the last one said.
    pub fn new(places: &[PathBuf]) -> io::Result<Self> {
        let chance = new_token()?;
        let chance = String::from_utf8_lossy(&chance[..8]);
        let mut refused = io::Error::other("no place is given for a run's folder");
        for place in places {
            let folder = place.join(format!("hpc-kiosk-{}-{chance}", process::id()));
            if MAX_PATH < folder.as_os_str().len() {
                refused = io::Error::other(format!("the path {} is too long", folder.display()));
                continue;
            }
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => return Ok(Self(folder)),
                Err(error) => {
                    let text = format!("cannot make {}: {error}", folder.display());
                    refused = io::Error::new(error.kind(), text);
                }
            }
        }
        Err(refused)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // Usually the warden has removed it already; what neither can remove does no harm beyond its bytes.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_first_place_that_works_is_taken_and_nobody_else_may_enter() {
        let place = tempfile::tempdir().unwrap();
        let long = place.path().join("x".repeat(100));
        fs::create_dir(&long).unwrap();
        let folder = RunFolder::new(&["/nonexistent".into(), long, place.path().into()]).unwrap();
        assert_eq!(folder.path().parent(), Some(place.path()));
        let mode = fs::metadata(folder.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);

        let path = folder.path().to_path_buf();
        fs::write(path.join("segment"), "x").unwrap();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn no_place_at_all_is_an_error_that_names_the_last() {
        let error = RunFolder::new(&["/nonexistent".into()]).unwrap_err().to_string();
        assert!(error.starts_with("cannot make /nonexistent/hpc-kiosk-"), "{error}");
    }
}
