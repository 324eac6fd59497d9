//! The space of the file system that holds a folder, such as the shared one. Asking one whose server is gone can
//! block for ever, so each folder is a source of its own.

use std::path::{Path, PathBuf};

use wire::metrics::family;

use super::{Outcome, Source};
use crate::{
    root::{Root, printable},
    samples::Samples,
};

pub struct Storage {
    root: Root,
    folder: PathBuf,
    name: String,
}

impl Storage {
    pub fn new(root: Root, folder: &Path) -> Self {
        let name = printable(&format!("storage {}", folder.display()));
        Self { root, folder: folder.into(), name }
    }
}

impl Source for Storage {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        // Of a captured tree only the list of mounts is there; the space would be this machine's.
        if !self.root.is_live() {
            return Outcome::Missing;
        }
        let Ok(mounts) = self.root.text("proc/self/mounts") else { return Outcome::Failed };
        let Some(mount) = holding(&mounts, &self.folder) else { return Outcome::Failed };
        let Ok(space) = rustix::fs::statvfs(&self.folder) else { return Outcome::Failed };
        let labels = || {
            [
                ("device", printable(&mount.device).into()),
                ("fstype", printable(&mount.kind).into()),
                ("mountpoint", printable(&mount.point.to_string_lossy()).into()),
            ]
        };
        if 0 < space.f_blocks {
            let unit = space.f_frsize as f64;
            found.add(&family::FILESYSTEM_SIZE, labels(), space.f_blocks as f64 * unit);
            found.add(&family::FILESYSTEM_AVAILABLE, labels(), space.f_bavail as f64 * unit);
        }
        Outcome::of(found)
    }
}

#[derive(Debug, PartialEq)]
struct Mount {
    device: String,
    point: PathBuf,
    kind: String,
}

/// The mount that holds `folder`: the deepest one above it, the last of those at the same place.
fn holding(mounts: &str, folder: &Path) -> Option<Mount> {
    let mount = |line: &str| {
        let mut words = line.split(' ').map(plain);
        let (device, point, kind) = (words.next()?, words.next()?, words.next()?);
        Some(Mount { device, point: point.into(), kind })
    };
    mounts
        .lines()
        .filter_map(mount)
        .filter(|mount| folder.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.components().count())
}

/// The text of a field of `/proc/mounts`, in which white space and the backslash are written in octal (fstab(5)).
fn plain(field: &str) -> String {
    let codes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    codes.iter().fold(field.into(), |text: String, (code, character)| text.replace(code, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "/dev/mmcblk0p1 / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\n\
        10.0.0.1:/srv/cluster\\040files /mnt/cluster-workspace nfs4 rw,vers=4.2 0 0\n";

    fn at(folder: &str) -> Option<String> {
        holding(MOUNTS, Path::new(folder)).map(|mount| mount.point.display().to_string())
    }

    #[test]
    fn a_folder_is_held_by_the_deepest_mount_above_it() {
        assert_eq!(at("/mnt/cluster-workspace/runs").unwrap(), "/mnt/cluster-workspace");
        assert_eq!(at("/mnt/cluster-workspace2").unwrap(), "/");
        assert_eq!(at("/").unwrap(), "/");
        assert_eq!(at("relative"), None);
        assert_eq!(holding("", Path::new("/")), None);
        assert_eq!(holding("/dev/sda1 /", Path::new("/")), None);
    }

    #[test]
    fn white_space_in_a_mount_is_written_in_octal() {
        let mount = holding(MOUNTS, Path::new("/mnt/cluster-workspace")).unwrap();
        assert_eq!((&mount.device[..], &mount.kind[..]), ("10.0.0.1:/srv/cluster files", "nfs4"));
    }
}
