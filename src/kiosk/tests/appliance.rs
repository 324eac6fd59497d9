//! The kiosk as an appliance, as far as that shows without a machine of its own: units that may do little, and a real
//! program that is up, fed to its watchdog, and shows its demos whatever the owner has written.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod xserver;

use std::{
    fs,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use xserver::{Program, XServer, demos, test_card, until};

const PATIENCE: Duration = Duration::from_secs(20);
const KIOSK: &str = env!("CARGO_BIN_EXE_hpc-kiosk");
/// The plate on which the owner is told something.
const PLATE: u32 = 0xEAF0F6;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What `systemd-analyze security` makes of a unit's files, and whether it is at most `limit`.
fn exposed(unit: &Path, limit: f64) -> (bool, String) {
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager"])
        .arg(format!("--threshold={:.0}", limit * 10.0))
        .arg(unit)
        .output()
        .expect("systemd-analyze runs (Debian package systemd; ./kiosk test installs it)");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = text.lines().rfind(|line| line.contains("Overall exposure")).unwrap_or_default();
    assert!(!last.is_empty(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    (output.status.success(), last.to_owned())
}

#[test]
fn the_units_may_do_little() {
    // Drop-ins count only where they lie beside the unit.
    let alone = tempfile::tempdir().unwrap();
    let agent = alone.path().join("hpc-kiosk-agent.service");
    fs::copy(root().join("systemd/hpc-kiosk-agent.service"), &agent).unwrap();
    for (unit, limit) in [
        (root().join("systemd/hpc-kiosk.service"), 3.0),
        (agent, 1.5),
        (root().join("systemd/hpc-kiosk-agent.service"), 2.0),
    ] {
        let (holds, said) = exposed(&unit, limit);
        assert!(holds, "{said}; at most {limit}");
        println!("{said}; at most {limit}");
    }
    let (holds, said) = exposed(&root().join("systemd/hpc-kiosk.service"), 0.5);
    assert!(!holds, "a limit that nothing keeps is not kept: {said}");
}

#[test]
fn wrong_settings_are_told_on_the_screen_and_the_demos_run() {
    let server = XServer::start();
    let demos = demos(&[("card", test_card(1, &[]))]);
    let settings = demos.path().join("kiosk.toml");
    for text in ["[launch\n", "[lunch]\nranks = 3\n", "[launch]\nranks = 0\n", "\u{0}"] {
        fs::write(&settings, text).unwrap();
        let arguments = [Path::new("--config"), &settings, Path::new("--demos"), demos.path()];
        let kiosk = Program::start_with(Path::new(KIOSK), &server, &arguments);
        until("the first frame", PATIENCE, || server.pixel(6, 402) == 0xFFB000);
        until("what is wrong", PATIENCE, || server.pixel(24, 32) == PLATE);
        server.tap(400, 232);
        until("the run", PATIENCE, || {
            kiosk.processes_of_runs().iter().any(|(_, name)| name == "testcard")
        });
        server.tap(44, 44);
        until("its end", PATIENCE, || kiosk.processes_of_runs().is_empty());
    }
}

#[test]
fn a_watchdog_is_fed_by_a_kiosk_that_draws_and_by_no_other() {
    let server = XServer::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&path).unwrap();
    systemd.set_read_timeout(Some(PATIENCE)).unwrap();
    let heard = || {
        let mut bytes = [0; 256];
        let length = systemd.recv(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes[..length]).into_owned())
    };
    let demos = demos(&[("card", test_card(1, &[]))]);
    let mut kiosk = Program::start_noticed(Path::new(KIOSK), &server, demos.path(), &path);
    assert_eq!(heard().unwrap(), "READY=1\nWATCHDOG=1\nSTATUS=the screen is up");
    until("the first frame", PATIENCE, || server.pixel(6, 402) == 0xFFB000);
    for _ in 0..2 {
        let since = Instant::now();
        assert_eq!(heard().unwrap(), "WATCHDOG=1");
        assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
    }

    // The X server stands still, and with it the thread that draws a run's pictures; the worker goes on.
    server.tap(400, 232);
    until("a picture", PATIENCE, || {
        let row = server.pixels(100, 200, 600, 1);
        row.iter().any(|pixel| *pixel != row[0])
    });
    server.stand_still(true);
    systemd.set_read_timeout(Some(Duration::from_secs(4))).unwrap();
    let mut last = Instant::now();
    let since = Instant::now();
    while heard().is_some() {
        last = Instant::now();
        assert!(since.elapsed() < PATIENCE, "it is fed although nothing is drawn");
    }
    assert!(last.elapsed() >= Duration::from_secs(4));
    server.stand_still(false);
    systemd.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(heard().unwrap(), "WATCHDOG=1");

    kill_process(Pid::from_child(&kiosk.process), Signal::TERM).unwrap();
    until("the end", PATIENCE, || kiosk.process.try_wait().unwrap().is_some());
    let rest: Vec<String> = std::iter::from_fn(|| {
        systemd.set_nonblocking(true).unwrap();
        heard()
    })
    .collect();
    assert_eq!(rest.last().map(String::as_str), Some("STOPPING=1"));
}
