//! What the kiosk does when its warden was killed. One test in a program of its own, because a sweep takes
//! everything below the process that sweeps.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, getpid, kill_process};
use warden::{Process, adopt_orphans, children, descendants, sweep};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn the_orphans_of_a_killed_warden_are_found_and_the_kiosks_other_children_kept() {
    adopt_orphans().unwrap();
    // A name that looks like the fields of a dead child of process 1.
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("x) Z 1 (");
    fs::copy("/bin/sleep", &odd).unwrap();
    let mut other = Command::new(&odd).arg("1000").spawn().unwrap();
    let keep = children().unwrap();
    assert_eq!(keep.len(), 1);
    assert_eq!(keep[0].pid.as_raw_nonzero().get() as u32, other.id());

    let script =
        "setsid --fork env -i sleep 1000; env --ignore-signal=TERM sleep 1000 & sleep 1000";
    let mut warden = Command::new(env!("CARGO_BIN_EXE_hpc-kiosk-warden"))
        .args(["--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    until(|| sleepers(&keep) == 3);
    let pid = Pid::from_raw(warden.id() as i32).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    warden.wait().unwrap();

    let mut statuses = 0;
    let swept = sweep(&keep, PATIENCE, |_, status| {
        assert_eq!(status.terminating_signal(), Some(9));
        statuses += 1;
    })
    .unwrap();
    assert_eq!((swept.killed, swept.left), (4, 0));
    // The shell, woken by its own end out of waiting, may still take the status of one sleeper.
    assert!((3..=4).contains(&statuses), "{statuses}");
    assert_eq!(descendants(getpid(), &keep).unwrap(), []);
    assert!(keep[0].is_same_as(&Process::read(keep[0].pid).unwrap()));

    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(descendants(getpid(), &[]).unwrap(), []);
}

/// Living descendants that have become `sleep`.
fn sleepers(keep: &[Process]) -> usize {
    let is_sleeper = |process: &&Process| {
        let name = fs::read_to_string(format!("/proc/{}/comm", process.pid.as_raw_nonzero()));
        !process.is_dead && name.is_ok_and(|name| name == "sleep\n")
    };
    descendants(getpid(), keep).unwrap().iter().filter(is_sleeper).count()
}

fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?}");
        thread::sleep(Duration::from_millis(2));
    }
}
