//! The real thing: the advection demo on two ranks that exchange halos, and what a visitor or bad luck does to it.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::{
    fs,
    time::{Duration, Instant},
};

use kiosk::{
    intent::Intent,
    supervisor::{Ended, Fault},
};
use rustix::process::{Pid, Signal};
use warden::Exit;

mod supervised;

use supervised::{Kiosk, WAY_BACK, process, processes, programs, signal};

fn run() -> Kiosk {
    let program = programs().join("advection");
    assert!(
        program.is_file(),
        "{} is missing: run `cargo build --workspace` first",
        program.display()
    );
    let text = "mpi = true\nranks = { default = 2, min = 2, max = 2 }\nprogram = 'advection'\n\
        first_frame_s = 20";
    let kiosk = Kiosk::new(&[("pipe", text)]);
    kiosk.launch("pipe");
    kiosk.until_running();
    kiosk
}

/// The process that is this rank.
fn rank(number: usize) -> Pid {
    let mark = format!("\0OMPI_COMM_WORLD_RANK={number}\0").into_bytes();
    let is_it = |pid: &Pid| {
        let environment =
            fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).unwrap_or_default();
        environment.windows(mark.len()).any(|bytes| bytes == mark)
    };
    processes("advection").into_iter().find(is_it).unwrap()
}

/// How the run ends that this was done to; the way back must be free in time.
fn end_after(kiosk: &Kiosk, pid: Pid, blow: Signal) -> Ended {
    let struck = Instant::now();
    signal(pid, blow);
    let ended = kiosk.until_ended();
    assert!(ended.at - struck < WAY_BACK, "{:?} {ended:?}", ended.at - struck);
    ended
}

#[test]
fn it_runs_on_two_ranks_and_ends_by_itself_when_asked() {
    let kiosk = run();
    let status = kiosk.until("statistics", |status| status.statistics.is_some());
    assert_eq!(status.hello.unwrap().ranks.len(), 2);
    assert_eq!(status.statistics.unwrap().ranks.len(), 2);
    let tapped = Instant::now();
    kiosk.ask(Intent::Stop);
    let ended = kiosk.until_ended();
    assert!(ended.at - tapped < Duration::from_secs(3), "{:?}", ended.at - tapped);
    assert_eq!((ended.fault, ended.processes_killed), (None, 0));
}

#[test]
fn a_rank_is_killed() {
    for number in [0, 1] {
        let ended = end_after(&run(), rank(number), Signal::KILL);
        let fault = ended.fault;
        assert!(matches!(fault, Some(Fault::Crashed { exit: Exit::Code(137), .. })), "{fault:?}");
    }
}

#[test]
fn a_rank_is_stopped() {
    for number in [0, 1] {
        let ended = end_after(&run(), rank(number), Signal::STOP);
        assert_eq!(ended.fault, Some(Fault::Hung { after_s: 2.5 }), "rank {number}");
    }
}

#[test]
fn mpirun_is_killed_and_its_shared_memory_goes_too() {
    let kiosk = run();
    let files = kiosk.files();
    assert!(files.iter().any(|name| name.starts_with("vader_segment")), "{files:?}");
    let fault = end_after(&kiosk, process("mpirun"), Signal::KILL).fault;
    assert!(matches!(fault, Some(Fault::Crashed { exit: Exit::Signal(9), .. })), "{fault:?}");
}

#[test]
fn the_warden_is_killed() {
    let ended = end_after(&run(), process("hpc-kiosk-warde"), Signal::KILL);
    assert_eq!(ended.fault, Some(Fault::Unwatched));
}
