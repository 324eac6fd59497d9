//! The invariants of the README, read off the sources: who may know whom, where `unsafe` and colours stand.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every file below `folder` with this ending, as a path from the root, and its text without comments.
fn sources(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|known| known == ending) {
                let text = fs::read_to_string(&path).unwrap();
                let code: Vec<&str> =
                    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect();
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push((name, code.join("\n")));
            }
        }
    }
    assert!(!found.is_empty(), "no .{ending} files below {folder}");
    found.sort();
    found
}

/// The files of `among` that contain one of `words` although `may` does not allow it.
fn offenders<'a>(
    among: &'a [(String, String)],
    words: &[&str],
    may: impl Fn(&str) -> bool,
) -> Vec<&'a str> {
    let says = |text: &str| words.iter().any(|word| text.contains(word));
    among
        .iter()
        .filter(|(name, text)| says(text) && !may(name))
        .map(|(name, _)| name.as_str())
        .collect()
}

fn none(offenders: &[&str], rule: &str) {
    assert!(offenders.is_empty(), "{rule}; but see {offenders:?}");
}

#[test]
fn telemetry_knows_neither_the_screen_nor_the_runs() {
    let files: Vec<_> = sources("src/kiosk", "rs")
        .into_iter()
        .filter(|(name, _)| name.contains("/telemetry"))
        .collect();
    assert!(!files.is_empty());
    let words = ["ui::", "view::", "supervisor::", "slint"];
    none(&offenders(&files, &words, |_| false), "telemetry names no ui, view or supervisor");
}

#[test]
fn the_supervisor_knows_neither_the_screen_nor_the_readings() {
    let files: Vec<_> = sources("src/kiosk", "rs")
        .into_iter()
        .filter(|(name, _)| name.contains("/supervisor") && !name.contains("/tests/"))
        .collect();
    assert!(!files.is_empty());
    none(
        &offenders(&files, &["ui::", "view::", "telemetry::", "slint"], |_| false),
        "the supervisor names no ui, view or telemetry",
    );
}

#[test]
fn only_the_view_and_the_wiring_know_the_markup() {
    let files = sources("src/kiosk", "rs");
    let may = |name: &str| {
        let name = name.trim_start_matches("src/kiosk/");
        let wiring = ["view.rs", "main.rs", "program.rs", "display.rs", "lib.rs"];
        name.starts_with("view/")
            || name.starts_with("tests/")
            || name.starts_with("examples/")
            || name.starts_with("benches/")
            || wiring.contains(&name)
    };
    none(&offenders(&files, &["ui::"], may), "only view and the wiring name ui");
}

#[test]
fn wire_does_no_input_or_output() {
    let files = sources("src/wire", "rs");
    let words =
        ["std::io", "std::fs", "std::process", "std::thread", "TcpStream", "UnixStream", "tokio"];
    none(
        &offenders(&files, &words, |name| name.contains("/tests/")),
        "wire does no input or output",
    );
}

#[test]
fn only_the_parallel_crate_and_a_demos_main_and_halo_know_mpi() {
    let files = [sources("src", "rs"), sources("demos", "rs")].concat();
    let may = |name: &str| {
        let wiring = ["/main.rs", "/halo.rs", "/structure.rs"];
        name.starts_with("demos/parallel/") || wiring.iter().any(|ending| name.ends_with(ending))
    };
    none(
        &offenders(&files, &["mpi::"], may),
        "only demos/parallel and a demo's main and halo name mpi",
    );
}

#[test]
fn only_the_cuda_crate_knows_cust() {
    let files = [sources("src", "rs"), sources("demos", "rs")].concat();
    let may = |name: &str| name.starts_with("demos/cuda/") || name.ends_with("/structure.rs");
    none(&offenders(&files, &["cust::"], may), "only demos/cuda names cust");
}

#[test]
fn unsafe_stands_only_where_the_readme_says() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let listed = |name: &str| readme.contains(&format!("`{name}`"));
    let files = [sources("src", "rs"), sources("demos", "rs")].concat();
    let unsafe_code = |text: &str| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe")
    };
    let found: Vec<&str> = files
        .iter()
        .filter(|(name, text)| {
            unsafe_code(text) && !listed(name) && !name.ends_with("structure.rs")
        })
        .map(|(name, _)| name.as_str())
        .collect();
    none(&found, "unsafe stands only in modules listed in the README");
}

#[test]
fn only_the_theme_names_colours_font_sizes_and_durations() {
    let files = sources("ui", "slint");
    let may = |name: &str| name == "ui/theme.slint";
    let literal = |text: &str| {
        let colour = text.match_indices('#').any(|(at, _)| {
            let digits = text[at + 1..].chars().take_while(char::is_ascii_hexdigit).count();
            matches!(digits, 3 | 4 | 6 | 8)
        });
        let after = |key: &str| {
            text.match_indices(key).any(|(at, key)| {
                let value = text[at + key.len()..].trim_start();
                value.starts_with(|first: char| first.is_ascii_digit())
            })
        };
        colour || after("font-size:") || after("duration:") || after("font-weight:")
    };
    let found: Vec<&str> = files
        .iter()
        .filter(|(name, text)| !may(name) && literal(text))
        .map(|(name, _)| name.as_str())
        .collect();
    none(&found, "only ui/theme.slint names colours, font sizes and durations");
}

#[test]
fn the_top_level_holds_only_the_agreed_names() {
    let agreed = [
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "assets",
        "demos",
        "kiosk",
        "src",
        "systemd",
        "target",
        "ui",
    ];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name.starts_with('.') || agreed.contains(&name.as_str()),
            "{name} at the top level"
        );
    }
}
