//! `[[control]]` of a demo.toml: the table as it stands in the file, and the checks that turn it into a [`Control`].

use std::{collections::BTreeMap, ops::Range};

use serde::Deserialize;
use toml::Spanned;

use super::{
    Control, ControlKind, ControlText, FALLBACK,
    demo_file::{check_language, ensure},
};
use toml_file::{Source, TomlFileError};

/// Most choices of a control: more do not fit the screen.
const MAX_CHOICES: usize = 5;
/// Longest label, choice and unit, characters.
const MAX_LABEL: usize = 40;
const MAX_UNIT: usize = 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ControlTable {
    name: String,
    kind: ControlKind,
    range: Option<[f64; 2]>,
    default: Option<f64>,
    #[serde(default)]
    unit: String,
    text: BTreeMap<String, Spanned<ControlTextTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ControlTextTable {
    label: String,
    #[serde(default)]
    choices: Vec<String>,
}

impl ControlTable {
    /// `span` is where it stands in `source`.
    pub(super) fn check(
        self,
        source: &Source<'_>,
        span: Range<usize>,
    ) -> Result<Control, TomlFileError> {
        let about = |holds: bool, key: &str, problem: &str| {
            ensure(holds, source, span.clone(), &format!("control.{key}"), problem)
        };
        let is_name_byte = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')
        };
        let is_name = (1..=wire::kiosk::MAX_CONTROL_NAME).contains(&self.name.len())
            && self.name.bytes().all(is_name_byte);
        about(is_name, "name", "is not a name; write 1 to 64 of a to z, 0 to 9, _ and -")?;
        let is_short =
            self.unit.chars().count() <= MAX_UNIT && !self.unit.contains(char::is_control);
        about(is_short, "unit", "is longer than 16 characters; shorten it")?;

        let mut texts = BTreeMap::new();
        for (language, table) in self.text {
            check_language(source, &language, table.span(), texts.len())?;
            let words = std::iter::once(&table.get_ref().label).chain(&table.get_ref().choices);
            for word in words {
                let fits = !word.trim().is_empty()
                    && word.chars().count() <= MAX_LABEL
                    && !word.contains(char::is_control);
                let problem = "a label or choice is empty or longer than 40 characters";
                ensure(fits, source, table.span(), &format!("control.text.{language}"), problem)?;
            }
            let ControlTextTable { label, choices } = table.into_inner();
            texts.insert(language, ControlText { label, choices });
        }
        let choices = texts.get(FALLBACK).map(|text| text.choices.len());
        about(choices.is_some(), "text.en", "the table is missing; add it")?;
        let choices = choices.unwrap_or_default();
        let is_same = texts.values().all(|text| text.choices.len() == choices);
        about(
            is_same,
            "text",
            "the languages have different numbers of choices; give every one the same",
        )?;

        let implied = match self.kind {
            ControlKind::Choice => {
                let fits = (2..=MAX_CHOICES).contains(&choices);
                about(fits, "text.en", "a choice needs 2 to 5 choices")?;
                Some([0.0, choices as f64 - 1.0])
            }
            ControlKind::Button => Some([0.0, 1.0]),
            ControlKind::Slider => None,
        };
        about(
            self.kind == ControlKind::Choice || choices == 0,
            "text",
            "only a choice has choices; remove them",
        )?;
        about(
            implied.is_some() || self.range.is_some(),
            "range",
            "the key is missing; write [smallest, largest]",
        )?;
        let [min, max] = self.range.or(implied).unwrap_or_default();
        let is_range = min.is_finite() && max.is_finite() && min < max;
        about(is_range, "range", "is not a range; write [smallest, largest]")?;
        if let (ControlKind::Choice, Some(implied)) = (self.kind, implied) {
            about(
                [min, max] == implied,
                "range",
                "does not fit the choices, which count from 0; remove it",
            )?;
        }

        let is_slider = self.kind == ControlKind::Slider;
        about(!is_slider || self.default.is_some(), "default", "the key is missing; add it")?;
        let default = self.default.unwrap_or(min);
        about((min..=max).contains(&default), "default", "is outside the range")?;
        let is_whole = self.kind != ControlKind::Choice || default.fract() == 0.0;
        about(is_whole, "default", "is not the number of a choice; they count from 0")?;
        Ok(Control { name: self.name, kind: self.kind, min, max, default, unit: self.unit, texts })
    }
}
