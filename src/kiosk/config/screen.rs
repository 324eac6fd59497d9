//! `[screen]` and `[idle]`: what the screen looks like, and what it does while nobody is there.

use std::time::Duration;

use jiff::civil::Time;
use serde::Deserialize;
use toml::Spanned;
use toml_file::{Source, TomlFileError};

use super::check;

/// How bright the picture may be, percent: darker than this the way back is not found.
const BRIGHTNESS_PERCENT: std::ops::RangeInclusive<i64> = 10..=100;
/// Times that a visitor may be given, seconds.
const TIME_S: std::ops::RangeInclusive<i64> = 10..=3600;

/// `[screen]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Screen {
    /// The language at the start: two letters, ISO 639-1.
    pub language: String,
    /// How bright the picture is, percent.
    pub brightness_percent: u8,
    /// From when to when nobody comes; `None` where the kiosk never sleeps.
    pub night: Option<(Time, Time)>,
}

impl Default for Screen {
    fn default() -> Self {
        Self { language: "pl".into(), brightness_percent: 100, night: None }
    }
}

/// `[idle]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idle {
    /// So long after the last touch or key the kiosk plays demos by itself; `None` for never.
    pub after: Option<Duration>,
    /// How long it plays each.
    pub demo: Duration,
}

impl Default for Idle {
    fn default() -> Self {
        Self { after: Some(Duration::from_secs(120)), demo: Duration::from_secs(64) }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScreenTable {
    language: Option<Spanned<String>>,
    brightness_percent: Option<Spanned<i64>>,
    night_from: Option<Spanned<String>>,
    night_to: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdleTable {
    after_s: Option<Spanned<i64>>,
    demo_s: Option<Spanned<i64>>,
}

pub(super) fn screen(table: ScreenTable, source: &Source<'_>) -> Result<Screen, TomlFileError> {
    let mut screen = Screen::default();
    if let Some(language) = table.language {
        let is_code = language.get_ref().len() == 2
            && language.get_ref().bytes().all(|byte| byte.is_ascii_lowercase());
        let problem = "is not a language; write \"pl\" or \"en\"";
        check(is_code, source, &language, "language", problem)?;
        screen.language = language.into_inner();
    }
    if let Some(percent) = table.brightness_percent {
        let is_percent = BRIGHTNESS_PERCENT.contains(percent.get_ref());
        check(is_percent, source, &percent, "brightness_percent", "is outside 10 to 100")?;
        screen.brightness_percent = percent.into_inner() as u8;
    }
    screen.night = match (table.night_from, table.night_to) {
        (None, None) => None,
        (Some(from), Some(to)) => {
            let from = time(&from, "night_from", source)?;
            let until = time(&to, "night_to", source)?;
            let problem = "is when the night begins; write another time";
            check(from != until, source, &to, "night_to", problem)?;
            Some((from, until))
        }
        (Some(from), None) => {
            return Err(lonely(&from, "night_from", "night_to", source));
        }
        (None, Some(to)) => return Err(lonely(&to, "night_to", "night_from", source)),
    };
    Ok(screen)
}

pub(super) fn idle(table: IdleTable, source: &Source<'_>) -> Result<Idle, TomlFileError> {
    let mut idle = Idle::default();
    if let Some(after) = table.after_s {
        let is_time = *after.get_ref() == 0 || TIME_S.contains(after.get_ref());
        let problem = "is neither 0, which means never, nor in 10 to 3600";
        check(is_time, source, &after, "after_s", problem)?;
        let seconds = after.into_inner() as u64;
        idle.after = (0 < seconds).then(|| Duration::from_secs(seconds));
    }
    if let Some(demo) = table.demo_s {
        check(TIME_S.contains(demo.get_ref()), source, &demo, "demo_s", "is outside 10 to 3600")?;
        idle.demo = Duration::from_secs(demo.into_inner() as u64);
    }
    Ok(idle)
}

fn time(text: &Spanned<String>, key: &str, source: &Source<'_>) -> Result<Time, TomlFileError> {
    let time = text.get_ref().parse().ok();
    let problem = "is not a time of day; write it as \"22:00\"";
    check(time.is_some(), source, text, key, problem)?;
    Ok(time.unwrap_or_default())
}

fn lonely(text: &Spanned<String>, key: &str, other: &str, source: &Source<'_>) -> TomlFileError {
    source.wrong(text.span(), key, format!("says only one end of the night; add {other}"))
}
