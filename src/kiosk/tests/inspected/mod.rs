//! A page against the brief of its look: targets, type, room, contrast and hue, with a table of what is meant to differ.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "every test file uses its own part of it")]

mod colours;
mod rules;
mod seen;

use kiosk::view::Language;
use slint::ComponentHandle;

use super::headless::Headless;
use colours::Pixels;
pub use rules::{Broken, Rule};

/// What differs from the brief on purpose: a page (or the beginning of its name), a rule, a part of the message, why.
const DELIBERATE: &[(&str, Rule, &str, &str)] = &[
    ("attract", Rule::Apart, "Wake the screen", "the first touch wakes, wherever it is"),
    ("attract", Rule::Apart, "Obudź ekran", "the first touch wakes, wherever it is"),
    ("dark", Rule::Apart, "", "a touch of the dark screen wakes it, wherever it is"),
    ("dark", Rule::Fact, "", "the presenter wants nothing on the screen"),
    ("home-dimmed", Rule::Contrast, "", "the owner wants the screen darker than it is made"),
    ("power-gap", Rule::Contrast, "jasne pasy", "the words about the bands lie on them"),
    ("power-gap", Rule::Contrast, "light bands", "the words about the bands lie on them"),
    ("node", Rule::Room, "/mnt/cluster-workspace", "a folder's name is as long as it is"),
    ("node", Rule::Room, "NVIDIA Jetson Nano", "a board's name is as long as it is"),
];

/// Where more than four computers share the room of four, names that come from outside are shortened.
const CROWDED: &[&str] =
    &["strip-5", "strip-8", "cluster-5", "cluster-8", "cluster-9", "cluster-16"];
const NAMES: &[&str] = &["'major-tom'", "'ground-control'"];

/// All that is wrong with a window.
pub fn broken(window: &slint::Window) -> Vec<Broken> {
    let seen = seen::look_at(window);
    rules::broken(&seen, &Pixels(window.take_snapshot().unwrap()))
}

/// Fails if the page that is shown does not keep to the brief.
pub fn check(screen: &Headless, page: &str, language: Language) {
    let is_meant = |broken: &Broken| {
        let Broken { rule, what } = broken;
        let is_name = NAMES.iter().any(|name| what.starts_with(name));
        let is_crowded = CROWDED.iter().any(|crowded| page.starts_with(crowded));
        let is_listed = |(on, for_rule, part, _): &(&str, Rule, &str, &str)| {
            page.starts_with(on) && rule == for_rule && what.contains(part)
        };
        is_crowded && is_name && what.ends_with("is shortened") || DELIBERATE.iter().any(is_listed)
    };
    let broken: Vec<String> = broken(screen.app.window())
        .into_iter()
        .filter(|broken| !is_meant(broken))
        .map(|broken| format!("{page}-{} {:?}: {}", language.code(), broken.rule, broken.what))
        .collect();
    if !broken.is_empty() {
        let seen = std::env::temp_dir().join(format!("look-{page}-{}.png", language.code()));
        save(screen, &seen);
        panic!("{}\nsee {}", broken.join("\n"), seen.display());
    }
}

fn save(screen: &Headless, path: &std::path::Path) {
    let pixels = screen.pixels();
    let (width, height) = (pixels.width(), pixels.height());
    image::RgbaImage::from_raw(width, height, pixels.as_bytes().to_vec())
        .unwrap()
        .save(path)
        .unwrap();
}
