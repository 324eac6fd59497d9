//! From a change on a node to the pixel: a real agent reads a tree of files, the real kiosk in a real window scrapes it
//! at the default rate, and a file of the tree changes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../../agent/tests/running/mod.rs"]
mod running;
mod xserver;

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use running::{Agent, PATIENCE};
use xserver::{Program, XServer, demos, test_card, until};

/// What the issue of this product allows from the change to the pixel.
const LIMIT: Duration = Duration::from_secs(1);

/// The node's temperature changes at once, as a kernel file does.
fn set_celsius(root: &Path, millidegrees: u32) {
    let zone = root.join("sys/class/thermal/thermal_zone0");
    fs::create_dir_all(&zone).unwrap();
    fs::write(zone.join("type"), "CPU-therm\n").unwrap();
    fs::write(zone.join("next"), format!("{millidegrees}\n")).unwrap();
    fs::rename(zone.join("next"), zone.join("temp")).unwrap();
}

/// The numbers of the only node's cell in the strip.
fn numbers(server: &XServer) -> Vec<u32> {
    server.pixels(8, 440, 400, 36)
}

#[test]
fn a_change_on_a_node_is_on_the_screen_within_a_second() {
    let (root, settings) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    set_celsius(root.path(), 34_000);
    let agent = Agent::start_at(root.path());
    let port = agent.address.port();
    let kiosk_file = settings.path().join("kiosk.toml");
    let node = format!("name = \"major-tom\"\naddress = \"127.0.0.1\"\nagent_port = {port}\n");
    fs::write(&kiosk_file, format!("[[node]]\n{node}")).unwrap();

    let program = Path::new(env!("CARGO_BIN_EXE_hpc-kiosk"));
    let server = XServer::start();
    let demos = demos(&[("card", test_card(1, &[]))]);
    let arguments = [Path::new("--demos"), demos.path(), Path::new("--config"), &kiosk_file];
    let _kiosk = Program::start_with(program, &server, &arguments);
    until("the first frame", PATIENCE, || server.pixel(6, 402) == 0xFFB000);

    // Awaited, then 34 degrees: the picture of the one is not known, that of the other is the one that stays.
    let mut shown = numbers(&server);
    let mut since = Instant::now();
    until("a first reading that stays", PATIENCE, || {
        let now = numbers(&server);
        if now != shown {
            (shown, since) = (now, Instant::now());
        }
        Duration::from_secs(2) < since.elapsed()
    });
    let mut times = Vec::new();
    for (turn, millidegrees) in [57_000, 34_000].into_iter().cycle().take(12).enumerate() {
        // Every turn begins at another phase of the kiosk's half second.
        thread::sleep(Duration::from_millis(300 + 41 * turn as u64));
        let (before, changed) = (numbers(&server), Instant::now());
        set_celsius(root.path(), millidegrees);
        until("the changed temperature", PATIENCE, || numbers(&server) != before);
        times.push(changed.elapsed());
    }
    times.sort();
    println!("from a change on a node to the pixel: {times:?}");
    assert!(times.iter().all(|time| *time < LIMIT), "{times:?}");
}
