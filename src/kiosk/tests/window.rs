//! The real program in a window of a real X server: a tap starts a real MPI run, its pixels move, and when the
//! kiosk is killed nothing of the run is left.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod xserver;

use std::{path::Path, time::Duration};

use xserver::{Program, XServer, checkout_demo, demos, until};

const GROUND: u32 = 0x0B1118;
const START: Duration = Duration::from_secs(20);

/// A point in the middle of the only tile.
const TILE: (i16, i16) = (400, 232);

fn advection_alone() -> tempfile::TempDir {
    let (_, text) = checkout_demo("advection");
    demos(&[("advection", text)])
}

fn start(server: &XServer, demos: &Path) -> Program {
    let program = Program::start(Path::new(env!("CARGO_BIN_EXE_hpc-kiosk")), server, demos);
    // The strip's hue bar is there as soon as the first frame is.
    until("the first frame", START, || server.pixel(6, 402) == 0xFFB000);
    program
}

/// A part of the canvas where the waiting page shows nothing and the demo its first rank's colours.
fn painted(server: &XServer) -> Vec<u32> {
    server.pixels(80, 100, 110, 240)
}

fn run_advection(server: &XServer, program: &Program) {
    server.tap(TILE.0, TILE.1);
    until("two ranks", START, || {
        2 <= program.processes_of_runs().iter().filter(|(_, name)| name == "advection").count()
    });
    // The first rank's mark in the strip stands there once there are pictures.
    until("the ranks in the strip", START, || server.pixel(210, 440) == 0xFFB000);
    until("a live picture", START, || painted(server).iter().any(|pixel| *pixel != GROUND));
    let first = painted(server);
    until("a picture that moves", START, || {
        let now = painted(server);
        now != first && now.iter().any(|pixel| *pixel != GROUND)
    });
}

#[test]
fn a_tap_starts_a_real_run_and_back_leaves_nothing_of_it_after_three_seconds() {
    let (server, demos) = (XServer::start(), advection_alone());
    let program = start(&server, demos.path());
    run_advection(&server, &program);
    server.tap(44, 44);
    until("the end of every process", Duration::from_secs(3), || {
        program.processes_of_runs().is_empty()
    });
}

#[test]
fn a_killed_kiosk_leaves_neither_mpirun_nor_ranks() {
    let (server, demos) = (XServer::start(), advection_alone());
    let mut program = start(&server, demos.path());
    run_advection(&server, &program);
    program.process.kill().unwrap();
    program.process.wait().unwrap();
    until("the end of every process", Duration::from_secs(5), || {
        program.processes_of_runs().is_empty()
    });
}

#[test]
fn sigterm_ends_the_run_and_the_kiosk_in_order() {
    let (server, demos) = (XServer::start(), advection_alone());
    let mut program = start(&server, demos.path());
    run_advection(&server, &program);
    let process = rustix::process::Pid::from_child(&program.process);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    until("the end of the kiosk", Duration::from_secs(5), || {
        program.process.try_wait().unwrap().is_some()
    });
    assert!(program.process.wait().unwrap().success());
    assert_eq!(program.processes_of_runs(), []);
}
