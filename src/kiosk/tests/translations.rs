//! Every text of the pages has a counterpart in every language, with the same places to fill in.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn ui() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui")
}

/// A text and the component it stands in, as gettext identifies it.
type Message = (String, String);

/// All `@tr("…")` of the markup: the component and the text (the singular of a plural).
fn in_markup() -> BTreeSet<Message> {
    let mut messages = BTreeSet::new();
    let mut folders = vec![ui()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "slint") {
                collect(&fs::read_to_string(&path).unwrap(), &mut messages);
            }
        }
    }
    messages
}

fn collect(markup: &str, messages: &mut BTreeSet<Message>) {
    let mut component = String::new();
    for line in markup.lines() {
        if let Some((_, rest)) = line.split_once("component ") {
            component = rest.split([' ', '{']).next().unwrap().to_owned();
        }
        for after in line.split("@tr(\"").skip(1) {
            let text = after.split('"').next().unwrap();
            messages.insert((component.clone(), text.to_owned()));
        }
    }
}

/// The entries of a catalogue: context and text, with all its translations.
fn in_catalogue(catalogue: &str) -> BTreeMap<Message, Vec<String>> {
    let mut entries = BTreeMap::new();
    for block in catalogue.split("\n\n") {
        let value = |line: &str| line.split_once('"').unwrap().1.trim_end_matches('"').to_owned();
        let of = |key: &str| {
            block.lines().filter(|line| line.starts_with(key)).map(value).collect::<Vec<_>>()
        };
        let (contexts, texts) = (of("msgctxt "), of("msgid "));
        if let ([context], [text]) = (&contexts[..], &texts[..]) {
            entries.insert((context.clone(), text.clone()), of("msgstr"));
        }
    }
    entries
}

fn catalogues() -> Vec<(PathBuf, String)> {
    let languages = fs::read_dir(ui().join("lang")).unwrap();
    let files: Vec<_> = languages
        .map(|entry| entry.unwrap().path().join("LC_MESSAGES/hpc-kiosk.po"))
        .map(|path| (path.clone(), fs::read_to_string(&path).unwrap()))
        .collect();
    assert!(!files.is_empty());
    files
}

#[test]
fn every_text_is_translated_and_no_translation_is_left_over() {
    let markup = in_markup();
    assert!(20 < markup.len(), "the markup was not read: {markup:?}");
    for (path, catalogue) in catalogues() {
        let entries = in_catalogue(&catalogue);
        let translated: BTreeSet<Message> = entries.keys().cloned().collect();
        let missing: Vec<_> = markup.difference(&translated).collect();
        let left_over: Vec<_> = translated.difference(&markup).collect();
        assert!(missing.is_empty(), "{} lacks {missing:?}", path.display());
        assert!(left_over.is_empty(), "{} has too much: {left_over:?}", path.display());
    }
}

#[test]
fn translations_keep_the_places_to_fill_in() {
    for (_, catalogue) in catalogues() {
        for ((_, text), translations) in in_catalogue(&catalogue) {
            assert!(!translations.is_empty(), "{text}");
            for translation in translations {
                assert!(!translation.is_empty(), "{text}");
                for place in ["{}", "{n}"] {
                    let count = |text: &str| text.matches(place).count();
                    assert_eq!(count(&text), count(&translation), "{text} / {translation}");
                }
            }
        }
    }
}
