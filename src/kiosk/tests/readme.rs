//! The README's own example of a demo is a demo.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod xserver;

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use xserver::{Program, XServer, demos, until};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn the_python_demo_of_the_protocol_page_is_shown_as_it_stands_there() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
    let source = readme.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let text = "order = 1\naudience = 'visitor'\nprogram = 'ramp.py'\nmpi = false\ngpu = 'no'\n\
        first_frame_s = 5\n[text.en]\ntitle = 'Ramp'\nline = 'From Python'\n";
    let demos = demos(&[("ramp", text.to_owned())]);
    let program = demos.path().join("ramp/ramp.py");
    fs::write(&program, format!("#!/usr/bin/env python3\n{source}")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();

    let server = XServer::start();
    let kiosk = Program::start(Path::new(env!("CARGO_BIN_EXE_hpc-kiosk")), &server, demos.path());
    until("the first frame", PATIENCE, || server.pixel(6, 402) == 0xFFB000);
    server.tap(400, 232);
    // A ramp moves to the left: a row is brighter and brighter but for one fall, and that moves.
    let falls = || {
        let row = server.pixels(0, 200, 800, 1);
        let brightness = |pixel: &u32| (pixel >> 16 & 255) + (pixel >> 8 & 255) + (pixel & 255);
        let row: Vec<u32> = row.iter().map(brightness).collect();
        let fall = |pair: &[u32]| pair[1] + 30 < pair[0];
        (row.windows(2).position(fall), row.windows(2).filter(|pair| fall(pair)).count())
    };
    until("a ramp with one fall", PATIENCE, || falls().1 == 1);
    let first = falls().0;
    until("a ramp that moves", PATIENCE, || falls().1 == 1 && falls().0 != first);
    server.tap(44, 44);
    until("its end", Duration::from_secs(3), || kiosk.processes_of_runs().is_empty());
}
