//! Every way in which a demo can fail: each is a message and a way back within 5 s, and no process is left.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::time::{Duration, Instant};

use kiosk::{
    intent::Intent,
    supervisor::{Fault, State},
};
use rustix::process::Signal;
use warden::Exit;
use wire::WireError;

mod supervised;

use supervised::{Kiosk, PATIENCE, process, signal};

const AT_ONCE: Duration = Duration::ZERO;

/// The fault of the test card that misbehaves in this way after three pictures.
fn fault_of(name: &str) -> Option<Fault> {
    fault_with(name, "")
}

fn fault_with(name: &str, lines: &str) -> Option<Fault> {
    let text = format!("arguments = ['--fault', '{name}']\n{lines}");
    Kiosk::new(&[("card", &text)]).fault_of("card", AT_ONCE)
}

fn is_crash(fault: &Option<Fault>, expected: Exit) -> bool {
    matches!(fault, Some(Fault::Crashed { exit, .. }) if *exit == expected)
}

#[test]
fn a_crash_at_the_start() {
    let fault = fault_of("crash-at-start");
    assert!(is_crash(&fault, Exit::Signal(6)), "{fault:?}");
}

#[test]
fn a_crash_while_it_runs() {
    let fault = fault_of("crash");
    assert!(is_crash(&fault, Exit::Signal(6)), "{fault:?}");
}

#[test]
fn an_exit_without_a_word_is_told_with_the_last_line_that_was_printed() {
    let expected = Fault::Crashed {
        exit: Exit::Code(3),
        last_line: "the test card leaves with status 3".into(),
    };
    assert_eq!(fault_of("exit"), Some(expected));
}

#[test]
fn a_panic_is_quoted() {
    let fault = fault_of("panic");
    assert!(is_crash(&fault, Exit::Code(101)), "{fault:?}");
    assert!(fault.unwrap().to_string().contains("panics because it was asked to"));
}

#[test]
fn an_exit_with_status_0_after_pictures_is_no_fault() {
    assert_eq!(fault_of("leave"), None);
}

#[test]
fn a_demo_that_hangs() {
    let expected = Fault::Hung { after_s: 1.0 };
    assert_eq!(fault_with("hang", "progress_s = 1.0"), Some(expected));
}

#[test]
fn demos_that_never_connect_or_never_speak_or_never_paint_or_do_not_know_the_token() {
    for name in ["silent", "mute", "no-frame", "wrong-token"] {
        let fault = fault_with(name, "first_frame_s = 0.5");
        assert_eq!(fault, Some(Fault::NoPicture { after_s: 0.5 }), "{name}");
    }
}

#[test]
fn floods_of_pictures_of_texts_and_of_printed_lines() {
    for name in ["flood", "flood-text", "flood-log"] {
        let fault = fault_of(name);
        assert!(matches!(fault, Some(Fault::Flood { .. })), "{name}: {fault:?}");
    }
}

#[test]
fn bytes_that_are_no_record() {
    let expected = WireError::TooLong { kind: "unknown", length: 0xa5a5_a5a5, limit: 65536 };
    assert_eq!(fault_of("garbage"), Some(Fault::Garbage(expected)));
}

#[test]
fn a_header_of_4_gb() {
    let fault = fault_of("huge-frame");
    let expected = "breaks the protocol: a frame record announces 4294967295 bytes";
    assert!(fault.as_ref().is_some_and(|f| f.to_string().starts_with(expected)), "{fault:?}");
}

#[test]
fn something_else_than_hello_and_another_version() {
    let fault = fault_of("garbage-at-start");
    assert!(matches!(fault, Some(Fault::Garbage(_))), "{fault:?}");
    assert_eq!(fault_of("wrong-version"), Some(Fault::Garbage(WireError::Version(2))));
}

#[test]
fn a_picture_of_another_size_and_half_a_picture() {
    let fault = fault_of("wrong-size");
    assert!(matches!(fault, Some(Fault::Garbage(WireError::OutOfRange { .. }))), "{fault:?}");
    let fault = fault_of("truncated");
    assert!(matches!(fault, Some(Fault::Garbage(WireError::Truncated { .. }))), "{fault:?}");
}

#[test]
fn a_demo_that_closes_its_connection_and_goes_on() {
    assert_eq!(fault_of("disconnect"), Some(Fault::Disconnected));
}

#[test]
fn a_demo_that_gives_up_says_why() {
    let expected = Fault::Failed { detail: "the pipe is blocked".into() };
    assert_eq!(fault_of("fail"), Some(expected));
    // Even if it comes and goes within a moment.
    let expected = Fault::Failed { detail: "the pipe is blocked".into() };
    let text = "arguments = ['--fault', 'fail', '--after', '0']";
    assert_eq!(Kiosk::new(&[("card", text)]).fault_of("card", AT_ONCE), Some(expected));
}

#[test]
fn a_demo_that_is_done() {
    assert_eq!(fault_of("finish"), None);
    assert_eq!(fault_of("finish-and-stay"), None);
}

#[test]
fn a_process_in_a_session_of_its_own_does_not_outlive_its_demo() {
    let kiosk = Kiosk::new(&[("card", "arguments = ['--fault', 'orphan']")]);
    kiosk.launch("card");
    let ended = kiosk.until_ended();
    assert_eq!((ended.fault, ended.processes_killed), (None, 1));
}

#[test]
fn a_stop_ends_whoever_ignores_it_within_three_seconds() {
    for (name, killed) in [("ignore-stop", 0), ("ignore-term", 1)] {
        let text = format!("arguments = ['--fault', '{name}']");
        let kiosk = Kiosk::new(&[("card", &text)]);
        kiosk.launch("card");
        kiosk.until_shown("pictures after the fault", |shown| 5 < shown.count);
        let tapped = Instant::now();
        kiosk.ask(Intent::Stop);
        let ended = kiosk.until_ended();
        assert!(ended.at - tapped < Duration::from_secs(3), "{name}: {:?}", ended.at - tapped);
        assert_eq!((ended.fault, ended.processes_killed), (None, killed), "{name}");
    }
}

#[test]
fn a_program_that_is_not_there() {
    let kiosk = Kiosk::new(&[("card", "program = 'no-such-demo'")]);
    let fault = kiosk.fault_of("card", AT_ONCE);
    let Some(Fault::CannotStart { program, why }) = fault else { panic!("{fault:?}") };
    assert_eq!(program, "no-such-demo");
    assert!(why.ends_with("build or install it"), "{why}");
}

#[test]
fn a_program_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pipe"), "not executable").unwrap();
    let place = folder.path().to_path_buf();
    let kiosk = Kiosk::with(&[("card", "program = 'pipe'")], |settings| settings.programs = place);
    let fault = kiosk.fault_of("card", AT_ONCE);
    let Some(Fault::CannotStart { program, why }) = fault else { panic!("{fault:?}") };
    assert_eq!(program, folder.path().join("pipe").display().to_string());
    assert!(why.starts_with("Permission denied"), "{why}");
}

#[test]
fn an_mpirun_that_is_not_there() {
    let text = "mpi = true\nranks = { default = 2, min = 1, max = 2 }";
    let kiosk =
        Kiosk::with(&[("card", text)], |settings| settings.mpirun = "no-such-mpirun".into());
    let fault = kiosk.fault_of("card", AT_ONCE);
    let Some(Fault::CannotStart { program, why }) = fault else { panic!("{fault:?}") };
    assert_eq!(program, "no-such-mpirun");
    assert!(why.contains("install Open MPI"), "{why}");
}

#[test]
fn a_warden_that_is_not_there() {
    let kiosk = Kiosk::with(&[("card", "")], |settings| settings.warden = "/no-such-warden".into());
    let fault = kiosk.fault_of("card", AT_ONCE);
    assert!(
        matches!(&fault, Some(Fault::CannotStart { program, .. }) if program == "/no-such-warden"),
        "{fault:?}"
    );
}

#[test]
fn a_warden_that_is_killed() {
    // Its orphan is one that only the last signal reaches.
    let kiosk = Kiosk::new(&[("card", "arguments = ['--fault', 'ignore-term']")]);
    kiosk.launch("card");
    kiosk.until_shown("pictures after the fault", |shown| 5 < shown.count);
    let killed = Instant::now();
    signal(process("hpc-kiosk-warde"), Signal::KILL);
    let ended = kiosk.until_ended();
    assert!(ended.at - killed < Duration::from_secs(3), "{:?}", ended.at - killed);
    assert_eq!((ended.fault, ended.processes_killed), (Some(Fault::Unwatched), 1));
}

#[test]
fn a_warden_that_is_stopped() {
    let kiosk = Kiosk::new(&[("card", "arguments = ['--fault', 'ignore-stop']")]);
    kiosk.launch("card");
    kiosk.until_running();
    signal(process("hpc-kiosk-warde"), Signal::STOP);
    let tapped = Instant::now();
    kiosk.ask(Intent::Stop);
    let ended = kiosk.until_ended();
    assert!(ended.at - tapped < Duration::from_secs(3), "{:?}", ended.at - tapped);
    assert_eq!((ended.fault, ended.processes_killed), (None, 1));
}

#[test]
fn after_every_fault_the_kiosk_is_as_new() {
    let faults = ["crash", "exit", "garbage", "orphan", "finish"];
    let demos = faults.map(|name| (name, format!("arguments = ['--fault', '{name}']")));
    let mut demos: Vec<(&str, &str)> =
        demos.iter().map(|(id, text)| (*id, text.as_str())).collect();
    demos.push(("card", ""));
    let kiosk = Kiosk::new(&demos);
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    kiosk.fault_of("crash", AT_ONCE);
    let before = descriptors();
    for _ in 0..4 {
        for name in faults {
            kiosk.fault_of(name, AT_ONCE);
        }
    }
    let deadline = Instant::now() + PATIENCE;
    while before < descriptors() {
        assert!(Instant::now() < deadline, "{before} descriptors before, {} after", descriptors());
        std::thread::sleep(Duration::from_millis(2));
    }
    kiosk.launch("card");
    kiosk.until_running();
    assert!(matches!(kiosk.status.borrow().state, State::Running { .. }));
}
