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
}

impl Default for Owner {
    fn default() -> Self {
        Self { pin_file: "/etc/hpc-kiosk/pin".into(), bundle_folder: "/var/lib/hpc-kiosk".into() }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnerTable {
    pin_file: Option<Spanned<String>>,
    bundle_folder: Option<Spanned<String>>,
}

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
    Ok(owner)
}
