//! Real `mpirun`, and what happens to it: kills and stops of it and of its ranks.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use kiosk::{intent::Intent, supervisor::Fault};
use rustix::process::{Pid, Signal};
use warden::Exit;

mod supervised;

use supervised::{Kiosk, WAY_BACK, process, programs, signal};

/// A run of two ranks: the test card and a sleeper.
fn run() -> Kiosk {
    let card = programs().join("testcard");
    let text = format!(
        "mpi = true\nranks = {{ default = 2, min = 2, max = 2 }}\nprogram = 'ranks'\n\
         arguments = ['{}']\nfirst_frame_s = 20",
        card.display()
    );
    let ranks = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ranks");
    let kiosk = Kiosk::with(&[("ranks", &text)], |settings| settings.programs = ranks);
    kiosk.launch("ranks");
    kiosk.until_running();
    assert_eq!(kiosk.status.borrow().processes, 2);
    // The other rank may need a moment more.
    process("sleep");
    kiosk
}

/// How the run ends that this was done to; the way back must be free in time.
fn fault_after(kiosk: &Kiosk, pid: Pid, blow: Signal) -> Option<Fault> {
    let struck = Instant::now();
    signal(pid, blow);
    let ended = kiosk.until_ended();
    assert!(ended.at - struck < WAY_BACK, "{:?} {ended:?}", ended.at - struck);
    ended.fault
}

#[test]
fn ranks_that_do_not_obey_are_gone_three_seconds_after_a_stop() {
    let kiosk = run();
    let tapped = Instant::now();
    kiosk.ask(Intent::Stop);
    let ended = kiosk.until_ended();
    assert!(ended.at - tapped < Duration::from_secs(3), "{:?}", ended.at - tapped);
    assert_eq!(ended.fault, None);
}

#[test]
fn mpirun_is_killed() {
    let kiosk = run();
    let fault = fault_after(&kiosk, process("mpirun"), Signal::KILL);
    assert!(matches!(fault, Some(Fault::Crashed { exit: Exit::Signal(9), .. })), "{fault:?}");
}

#[test]
fn the_rank_that_paints_is_killed() {
    let kiosk = run();
    let fault = fault_after(&kiosk, process("testcard"), Signal::KILL);
    // mpirun hands on the signal as a shell does.
    assert!(matches!(fault, Some(Fault::Crashed { exit: Exit::Code(137), .. })), "{fault:?}");
}

#[test]
fn another_rank_is_killed() {
    let kiosk = run();
    let fault = fault_after(&kiosk, process("sleep"), Signal::KILL);
    let Some(Fault::Crashed { exit: Exit::Code(137), last_line }) = fault else {
        panic!("{fault:?}")
    };
    assert!(last_line.contains("exited on signal 9"), "{last_line}");
}

#[test]
fn the_rank_that_paints_is_stopped() {
    let kiosk = run();
    let fault = fault_after(&kiosk, process("testcard"), Signal::STOP);
    assert_eq!(fault, Some(Fault::Hung { after_s: 2.5 }));
}

#[test]
fn mpirun_is_stopped_and_then_the_visitor_leaves() {
    let kiosk = run();
    signal(process("mpirun"), Signal::STOP);
    signal(process("sleep"), Signal::STOP);
    let tapped = Instant::now();
    kiosk.ask(Intent::Stop);
    let ended = kiosk.until_ended();
    assert!(ended.at - tapped < Duration::from_secs(3), "{:?}", ended.at - tapped);
    assert_eq!(ended.fault, None);
}

#[test]
fn the_warden_is_killed() {
    let kiosk = run();
    let fault = fault_after(&kiosk, process("hpc-kiosk-warde"), Signal::KILL);
    assert_eq!(fault, Some(Fault::Unwatched));
}
