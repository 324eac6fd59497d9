//! Builds a captured tree from a text file, and reads what the agent says of it.
//!
//! In the text a line `== path` begins a file, up to the next such line; `== path -> target` is a link,
//! `== path (program)` may be run, `== path (fifo)` blocks whoever opens it, `== path (folder)` cannot be read as a file.
//! Lines before the first are comments.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "not every test needs everything")]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use agent::{Node, Settings};
use tempfile::TempDir;
use wire::metrics::{Format, samples};

/// Every board's fixture, by name.
pub const BOARDS: &[(&str, &str)] = &[
    ("jetson-nano", include_str!("../fixtures/jetson-nano.txt")),
    ("raspberry-pi-5", include_str!("../fixtures/raspberry-pi-5.txt")),
    ("desktop", include_str!("../fixtures/desktop.txt")),
    ("jetson-orin-nano", include_str!("../fixtures/jetson-orin-nano.txt")),
    ("bare-vm", include_str!("../fixtures/bare-vm.txt")),
];

/// The text of a board's fixture.
pub fn board(name: &str) -> &'static str {
    BOARDS.iter().find(|(board, _)| *board == name).unwrap().1
}

/// A tree in a folder of its own.
pub struct Tree(TempDir);

impl Tree {
    pub fn of(text: &str) -> Self {
        let tree = Self(TempDir::new().unwrap());
        // Others may look into it: tests run the agent as another user.
        fs::set_permissions(tree.root(), fs::Permissions::from_mode(0o755)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let begins = |line: &&str| line.starts_with("== ");
        let mut rest = &lines[lines.iter().position(begins).unwrap_or(lines.len())..];
        while let Some((head, after)) = rest.split_first() {
            let length = after.iter().position(begins).unwrap_or(after.len());
            tree.add(&head[3..], &after[..length]);
            rest = &after[length..];
        }
        tree
    }

    fn add(&self, head: &str, lines: &[&str]) {
        if let Some((path, target)) = head.split_once(" -> ") {
            symlink(target, self.at(path)).unwrap();
            return;
        }
        let (path, kind) = head.split_once(" (").unwrap_or((head, ""));
        match kind {
            "folder)" => fs::create_dir_all(self.at(path)).unwrap(),
            "fifo)" => self.block(path),
            _ => self.put(path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()),
        }
        if kind == "program)" {
            fs::set_permissions(self.at(path), fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    pub fn root(&self) -> &Path {
        self.0.path()
    }

    /// Where `path` is; the folders above it are there.
    pub fn at(&self, path: &str) -> PathBuf {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    pub fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.at(path);
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        }
        // Anew: what was a pipe must not be opened.
        let _ = fs::remove_file(&path);
        fs::write(path, content).unwrap();
    }

    pub fn remove(&self, path: &str) {
        let path = self.at(path);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap()
        } else {
            fs::remove_file(path).unwrap()
        }
    }

    /// A pipe that nobody writes into stands for a driver that does not come back.
    pub fn block(&self, path: &str) {
        let path = self.at(path);
        let _ = fs::remove_file(&path);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    }

    pub fn settings(&self) -> Settings {
        Settings { root: self.root().into(), storage: vec!["/".into()], fan_fitted: true }
    }

    /// What the agent says of it, once `wanted` holds.
    pub fn metrics_when(&self, wanted: impl Fn(&Metrics) -> bool) -> Metrics {
        metrics_when(&Node::start(self.settings()), wanted)
    }

    /// What the agent says of it when every source has answered.
    pub fn metrics(&self) -> Metrics {
        // A machine that is out of breath may not read all in time; a source that is broken stays down.
        let until = Instant::now() + Duration::from_secs(1);
        self.metrics_when(|metrics| {
            let is_up = |(_, up): (&str, f64)| up == 1.0;
            let all_up = metrics.family("hpc_agent_source_up").into_iter().all(is_up);
            metrics.get("node_load1").is_some() && (all_up || until < Instant::now())
        })
    }
}

/// Reads until `wanted` holds: programs take their time on a busy machine.
pub fn metrics_when(node: &Node, wanted: impl Fn(&Metrics) -> bool) -> Metrics {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let metrics = Metrics::of(&text(node));
        if wanted(&metrics) {
            return metrics;
        }
        assert!(Instant::now() < deadline, "never came: {metrics:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn text(node: &Node) -> String {
    let mut text = String::new();
    node.metrics(Format::Prometheus, &mut text);
    text
}

/// Values by series, written as `name` or `name{label="value",…}`.
#[derive(Debug, Default, PartialEq)]
pub struct Metrics(pub BTreeMap<String, f64>);

impl Metrics {
    pub fn of(text: &str) -> Self {
        let mut all = BTreeMap::new();
        for sample in samples(text) {
            let sample = sample.unwrap();
            let mut labels: Vec<_> =
                sample.labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
            labels.sort();
            let series = match labels.is_empty() {
                true => sample.name.into(),
                false => format!("{}{{{}}}", sample.name, labels.join(",")),
            };
            let before = all.insert(series.clone(), sample.value);
            assert_eq!(before, None, "{series} is there twice");
        }
        Self(all)
    }

    pub fn get(&self, series: &str) -> Option<f64> {
        self.0.get(series).copied()
    }

    /// The series of one family and their values.
    pub fn family(&self, name: &str) -> Vec<(&str, f64)> {
        let of = |series: &str| series.split('{').next() == Some(name);
        self.0.iter().filter(|(s, _)| of(s)).map(|(s, value)| (&s[..], *value)).collect()
    }

    pub fn has(&self, name: &str) -> bool {
        !self.family(name).is_empty()
    }

    pub fn up(&self, source: &str) -> Option<f64> {
        self.get(&format!("hpc_agent_source_up{{source=\"{source}\"}}"))
    }

    /// Fails unless exactly these series of the family are there.
    #[track_caller]
    pub fn assert_family(&self, name: &str, expected: &[(&str, f64)]) {
        let mut expected: Vec<_> = expected
            .iter()
            .map(|(labels, value)| (format!("{name}{{{labels}}}"), *value))
            .collect();
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        let found = self.family(name);
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
        let same = found.len() == expected.len()
            && found.iter().zip(&expected).all(|(a, b)| a.0 == b.0 && close(a.1, b.1));
        assert!(same, "{name} is {found:#?}, not {expected:#?}");
    }
}
