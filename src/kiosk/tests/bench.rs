//! `hpc-kiosk bench`: asks every demo that can measure, here and through ssh, and tells what each has printed or why not.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};

const DEMO: &str = "order = 1\naudience = \"visitor\"\nprogram = \"NAME\"\nmpi = false\n\
                    [text.en]\ntitle = \"t\"\nline = \"l\"\n";

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A folder with demos, with what stands in for ssh, and with a configuration of two computers.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let demo = |name: &str, more: &str| {
        let toml = DEMO.replace("NAME", name).replacen("[text", &format!("{more}\n[text"), 1);
        write(&at(&format!("demos/{name}/demo.toml")), &toml);
    };
    demo("quick", "bench = [\"bench\", \"--size=4\"]");
    demo("lame", "bench = [\"bench\"]");
    demo("other", "");
    let quick =
        "#!/bin/sh\necho \"{\\\"host\\\": \\\"${FAR:-near}\\\", \\\"arguments\\\": \\\"$*\\\"}\"\n";
    for place in ["demos/quick/quick", "far/quick"] {
        write(&at(place), quick);
    }
    for place in ["demos/lame/lame", "far/lame"] {
        write(&at(place), "#!/bin/sh\necho 'it is too hot here' >&2\nexit 3\n");
    }
    // Runs what it is told on the computer that it is told.
    write(&at("ssh"), "#!/bin/sh\nFAR=$1; export FAR; shift; exec sh -c \"$*\"\n");
    let config = format!(
        "[launch]\nlauncher = \"ssh\"\naddress = \"10.0.0.1\"\nssh = [\"{}\"]\nprograms = \"{}\"\n\
         [[node]]\nname = \"pi\"\naddress = \"local\"\n[[node]]\nname = \"major-tom\"\naddress = \"10.0.0.2\"\n",
        at("ssh").display(),
        at("far").display()
    );
    fs::write(at("kiosk.toml"), config).unwrap();
    // Away from the checkout, whose demos would take minutes.
    fs::copy(env!("CARGO_BIN_EXE_hpc-kiosk"), at("hpc-kiosk")).unwrap();
    folder
}

fn bench(folder: &Path, computers: &[&str]) -> (Value, String, bool) {
    let mut command = Command::new(folder.join("hpc-kiosk"));
    command.arg("--config").arg(folder.join("kiosk.toml"));
    command.arg("--demos").arg(folder.join("demos")).arg("bench").args(computers);
    let Output { status, stdout, stderr } = command.output().unwrap();
    let figures = serde_json::from_slice(&stdout).unwrap_or(Value::Null);
    (figures, String::from_utf8(stderr).unwrap(), status.success())
}

/// What a computer's demo has said.
fn of<'a>(figures: &'a Value, computer: usize, demo: &str) -> &'a Value {
    let demos = figures["computers"][computer]["demos"].as_array().unwrap();
    demos.iter().find(|entry| entry["demo"] == demo).unwrap()
}

#[test]
fn every_demo_that_can_measures_every_computer_that_is_named() {
    let folder = folder();
    let (figures, said, success) = bench(folder.path(), &["major-tom", "pi"]);
    assert!(!success && said.contains("'trouble' says why"), "{said}");
    assert_eq!(figures["computers"][0]["computer"], "major-tom");
    assert_eq!(figures["computers"][1]["computer"], "pi");
    let measured = |host: &str| json!({"host": host, "arguments": "bench --size=4"});
    assert_eq!(of(&figures, 0, "quick")["figures"], measured("10.0.0.2"));
    assert_eq!(of(&figures, 1, "quick")["figures"], measured("near"));
    for computer in [0, 1] {
        let lame = of(&figures, computer, "lame");
        assert!(lame["figures"].is_null());
        let trouble = lame["trouble"].as_str().unwrap();
        assert!(
            trouble.ends_with("lame bench ended with status 3: it is too hot here"),
            "{trouble}"
        );
        let demos = figures["computers"][computer]["demos"].as_array().unwrap();
        assert!(demos.iter().all(|entry| entry["demo"] != "other"), "it cannot measure");
    }
}

#[test]
fn a_name_that_is_not_in_the_configuration_is_said() {
    let folder = folder();
    let (figures, said, success) = bench(folder.path(), &["ziggy"]);
    assert!(!success && figures.is_null());
    assert!(said.contains("no computer named ziggy; it has: pi, major-tom"), "{said}");
}
