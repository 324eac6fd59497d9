//! The owner's PIN: digits, of which only a hash is kept, in a file that nobody else may read.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, fchown},
    path::Path,
};

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier, password_hash::SaltString};

/// How many digits a PIN has.
pub const DIGITS: std::ops::RangeInclusive<usize> = 4..=12;
/// Most bytes of the file; a hash has about a hundred.
const MAX_BYTES: u64 = 1024;
/// Bytes of salt (RFC 9106 asks for 16).
const SALT: usize = 16;
/// Whom the kiosk runs as; the file is for its group and root.
const GROUP: &str = "hpc-kiosk";

/// Whether it can be a PIN.
pub fn is_pin(text: &str) -> bool {
    DIGITS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The hash of a PIN, Argon2id with its crate's parameters, as a PHC string.
///
/// # Errors
/// If the system has no random numbers or too little memory.
pub fn hash(pin: &str) -> io::Result<String> {
    let mut salt = [0; SALT];
    getrandom::fill(&mut salt).map_err(|error| io::Error::other(error.to_string()))?;
    let salt = SaltString::encode_b64(&salt).map_err(io::Error::other)?;
    let hash = Argon2::default().hash_password(pin.as_bytes(), &salt).map_err(io::Error::other)?;
    Ok(hash.to_string())
}

/// What a file with a hash says to a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is the owner's.
    Right,
    /// It is not.
    Wrong,
    /// No PIN is set: there is no file, or nothing in it that can be read as a hash.
    NotSet,
}

/// Whether `pin` is the one whose hash `file` holds. Takes some ten milliseconds and 19 MiB, on purpose.
pub fn verify(pin: &str, file: &Path) -> Answer {
    let mut text = String::new();
    let opened =
        fs::File::open(file).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
    if let Err(error) = opened {
        if error.kind() != io::ErrorKind::NotFound {
            log::warn!("the PIN's file {} cannot be read: {error}", file.display());
        }
        return Answer::NotSet;
    }
    let Ok(hash) = PasswordHash::new(text.trim()) else {
        log::warn!("{} holds no hash of a PIN; set it anew: hpc-kiosk set-pin", file.display());
        return Answer::NotSet;
    };
    match Argon2::default().verify_password(pin.as_bytes(), &hash) {
        Ok(()) => Answer::Right,
        Err(_) => Answer::Wrong,
    }
}

/// Puts the hash of `pin` into `file`, all at once: a power cut leaves the old PIN or the new one.
///
/// # Errors
/// If the file or its folder cannot be written.
pub fn set(pin: &str, file: &Path) -> io::Result<()> {
    let hash = hash(pin)?;
    let beside = file.with_extension("new");
    let mut options = OpenOptions::new();
    let mut written = options.write(true).create(true).truncate(true).mode(0o640).open(&beside)?;
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    if let Some(group) = number_of(GROUP, &groups) {
        // Who may not give it away sets the PIN of a kiosk of their own.
        let _ = fchown(&written, None, Some(group));
    }
    writeln!(written, "{hash}")?;
    written.sync_all()?;
    fs::rename(&beside, file)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// The number of a group in the text of /etc/group.
fn number_of(group: &str, groups: &str) -> Option<u32> {
    let line = groups.lines().find(|line| line.split(':').next() == Some(group))?;
    line.split(':').nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_pin_is_four_to_twelve_digits() {
        for pin in ["1234", "000000000000"] {
            assert!(is_pin(pin), "{pin}");
        }
        for other in ["", "123", "1234567890123", "12a4", "１２３４", "12 34"] {
            assert!(!is_pin(other), "{other}");
        }
    }

    #[test]
    fn only_the_pin_that_was_set_is_right_and_the_file_does_not_say_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pin");
        assert_eq!(verify("1234", &file), Answer::NotSet);
        set("1234", &file).unwrap();
        assert_eq!([verify("1234", &file), verify("1235", &file)], [Answer::Right, Answer::Wrong]);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("$argon2id$") && !text.contains("1234"), "{text}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o007, 0);
        set("4321", &file).unwrap();
        assert_eq!([verify("1234", &file), verify("4321", &file)], [Answer::Wrong, Answer::Right]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        for nonsense in ["", "1234", "$argon2id$", "\u{0}"] {
            fs::write(&file, nonsense).unwrap();
            assert_eq!(verify("1234", &file), Answer::NotSet, "{nonsense}");
        }
    }

    #[test]
    fn the_same_pin_has_another_hash_every_time() {
        assert_ne!(hash("1234").unwrap(), hash("1234").unwrap());
    }

    #[test]
    fn a_group_is_found_by_its_whole_name() {
        let groups = "root:x:0:\nhpc-kiosk-x:x:7:\nhpc-kiosk:x:991:it\n";
        assert_eq!(number_of("hpc-kiosk", groups), Some(991));
        assert_eq!(number_of("hpc", groups), None);
    }
}
