//! `[owner]`: what the owner's menu needs.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;
use toml_file::{Source, TomlFileError};

use super::check;

/// `[owner]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Where the hash of the PIN is; `hpc-kiosk set-pin` writes it.
    pub pin_file: PathBuf,
    /// Where the one file for whoever helps is written.
    pub bundle_folder: PathBuf,
    /// The program that switches this computer off, and its arguments.
    pub shut_down: Vec<String>,
    /// What switches another computer off, in a shell there.
    pub node_shut_down: Vec<String>,
}

impl Default for Owner {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            pin_file: "/etc/hpc-kiosk/pin".into(),
            bundle_folder: "/var/lib/hpc-kiosk".into(),
            shut_down: words(&["systemctl", "poweroff"]),
            node_shut_down: words(&["sudo", "--non-interactive", "systemctl", "poweroff"]),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnerTable {
    pin_file: Option<Spanned<String>>,
    bundle_folder: Option<Spanned<String>>,
    shut_down: Option<Spanned<Vec<String>>>,
    node_shut_down: Option<Spanned<Vec<String>>>,
}

/// Most words of a command.
const MAX_WORDS: usize = 64;

pub(super) fn owner(table: OwnerTable, source: &Source<'_>) -> Result<Owner, TomlFileError> {
    let mut owner = Owner::default();
    let place = |value: Option<Spanned<String>>, key: &str, place: &mut PathBuf| {
        let Some(value) = value else { return Ok(()) };
        let is_place = value.get_ref().starts_with('/') && !value.get_ref().contains('\0');
        check(is_place, source, &value, key, "is not a place; write a path that begins with /")?;
        *place = value.into_inner().into();
        Ok(())
    };
    place(table.pin_file, "pin_file", &mut owner.pin_file)?;
    place(table.bundle_folder, "bundle_folder", &mut owner.bundle_folder)?;
    if let Some(words) = table.shut_down {
        let is_word = |word: &String| !word.is_empty() && !word.contains('\0');
        let holds = is_command(words.get_ref(), is_word);
        let problem = "is no program and its arguments; write [\"systemctl\", \"poweroff\"]";
        if !holds {
            return Err(source.wrong(words.span(), "shut_down", problem));
        }
        owner.shut_down = words.into_inner();
    }
    if let Some(words) = table.node_shut_down {
        // ssh hands them to a shell.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._=-".contains(&byte);
        let is_word = |word: &String| !word.is_empty() && word.bytes().all(is_plain);
        let holds = is_command(words.get_ref(), is_word);
        let problem = "is no list of words of letters, digits and / . _ = -; write [\"sudo\", \"--non-interactive\", \"systemctl\", \"poweroff\"]";
        if !holds {
            return Err(source.wrong(words.span(), "node_shut_down", problem));
        }
        owner.node_shut_down = words.into_inner();
    }
    Ok(owner)
}

fn is_command(words: &[String], is_word: impl Fn(&String) -> bool) -> bool {
    (1..=MAX_WORDS).contains(&words.len()) && words.iter().all(is_word)
}
