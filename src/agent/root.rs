//! The tree that is read: the machine's own, or a captured one. Every read is bounded.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Most bytes of one file; `/proc/stat` of a machine with 1,000 cores is some 100 kB.
const MAX_TEXT: usize = 256 * 1024;
/// Most bytes of one sysfs attribute: the kernel gives a page at most.
const MAX_ATTRIBUTE: usize = 4096;
/// Most characters of a name that becomes a label.
const MAX_NAME: usize = 120;
/// Most entries of one folder.
const MAX_ENTRIES: usize = 1024;

/// Where `proc`, `sys`, `etc` and the commands lie.
#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Root {
    /// The tree at `folder`.
    pub fn new(folder: &Path) -> Self {
        Self(folder.into())
    }

    /// Whether it is this machine itself; what has no file is asked of the system only then.
    pub fn is_live(&self) -> bool {
        self.0 == Path::new("/")
    }

    /// The path of what lies at `below`, given without a leading slash.
    pub fn at(&self, below: &str) -> PathBuf {
        self.0.join(below)
    }

    /// A whole file, such as `/proc/stat`; lines beyond the limit are left out.
    ///
    /// # Errors
    /// As the system says.
    pub fn text(&self, below: &str) -> io::Result<String> {
        text(&self.at(below))
    }
}

/// As [`Root::text`].
///
/// # Errors
/// As the system says.
pub fn text(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut bytes = vec![0; 16 * 1024];
    let mut filled = 0;
    loop {
        if filled == bytes.len() {
            if MAX_TEXT <= filled {
                // The last line may be cut: half a number is a wrong number.
                filled = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                break;
            }
            bytes.resize(2 * filled, 0);
        }
        match file.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(String::from_utf8_lossy(&bytes[..filled]).into_owned())
}

/// An attribute of sysfs without the white space around it. Opened anew each time: a kept one does not refresh.
///
/// # Errors
/// As the system says; if it is empty or no text.
pub fn attribute(path: &Path) -> io::Result<String> {
    let mut bytes = [0; MAX_ATTRIBUTE];
    // One read is all: sysfs gives an attribute whole.
    let count = File::open(path)?.read(&mut bytes)?;
    let text = std::str::from_utf8(&bytes[..count]).map_err(io::Error::other)?;
    let text = text.trim_matches(|edge: char| edge.is_whitespace() || edge == '\0');
    if text.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(text.into()) }
}

/// An attribute that is a whole number, in the unit of its file; `None` if it is missing, fails or is none.
pub fn number(path: &Path) -> Option<i64> {
    attribute(path).ok()?.parse().ok()
}

/// An attribute that is a whole number, times `unit`, if that lies in `range`.
pub fn quantity(path: &Path, unit: f64, range: std::ops::RangeInclusive<f64>) -> Option<f64> {
    in_range(number(path)? as f64, unit, range)
}

/// `raw` times `unit`, if that lies in `range`. Units below one are divided by: 24500 * 0.001 is not 24.5.
pub fn in_range(raw: f64, unit: f64, range: std::ops::RangeInclusive<f64>) -> Option<f64> {
    let value = if unit < 1.0 { raw / (1.0 / unit).round() } else { raw * unit };
    range.contains(&value).then_some(value)
}

/// An attribute as a name for people: no control characters, not endless.
pub fn name(path: &Path) -> Option<String> {
    attribute(path).ok().map(|text| printable(&text))
}

/// What of a text can stand in a label.
pub fn printable(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(MAX_NAME).collect()
}

/// The names in a folder, in order; none if it cannot be listed.
pub fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let names = entries.flatten().take(MAX_ENTRIES);
    let mut names: Vec<String> =
        names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

/// The folders in `folder` whose names are `prefix` and a number, with that number, in its order.
pub fn numbered(folder: &Path, prefix: &str) -> Vec<(u32, PathBuf)> {
    let number = |name: String| {
        let number = name.strip_prefix(prefix)?.parse().ok()?;
        Some((number, folder.join(name)))
    };
    let mut found: Vec<_> = names(folder).into_iter().filter_map(number).collect();
    found.sort_unstable_by_key(|(number, _)| *number);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_its_text_without_the_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        fs::write(&path, b"Raspberry Pi 5 Model B Rev 1.1\0").unwrap();
        assert_eq!(name(&path).unwrap(), "Raspberry Pi 5 Model B Rev 1.1");
        fs::write(&path, b" 42\n").unwrap();
        assert_eq!(number(&path), Some(42));
        for nothing in ["", "\n", "4 2", "0x2a", "4.2", "1e3", "99999999999999999999"] {
            fs::write(&path, nothing).unwrap();
            assert_eq!(number(&path), None, "{nothing:?}");
        }
        fs::write(&path, b"\xff\xfe").unwrap();
        assert!(attribute(&path).is_err());
    }

    #[test]
    fn a_value_outside_its_range_is_none() {
        assert_eq!(in_range(24500.0, 1e-3, -40.0..=150.0), Some(24.5));
        assert_eq!(in_range(-256_000.0, 1e-3, -40.0..=150.0), None);
    }

    #[test]
    fn a_file_that_is_too_long_ends_with_a_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stat");
        fs::write(&path, "cpu 12345\n".repeat(MAX_TEXT)).unwrap();
        let text = text(&path).unwrap();
        assert!(text.len() <= MAX_TEXT && text.ends_with("cpu 12345\n"));
    }

    #[test]
    fn folders_are_ordered_by_their_number() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["hwmon10", "hwmon2", "hwmon", "hwmonx", "other1"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let found = numbered(folder.path(), "hwmon");
        assert_eq!(found.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2, 10]);
    }
}
