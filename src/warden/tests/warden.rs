//! The real program around real processes: whatever a run does, nothing of it is left.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use warden::{Process, Report};

/// How long anything here may take; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);
const MARK: &str = "WARDEN_TEST_MARK";

/// A warden and the mark in the environment by which all processes of its run are known.
struct Warden {
    process: Child,
    input: Option<ChildStdin>,
    mark: String,
}

impl Warden {
    fn start(options: &[&str], program: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let mark = format!("{MARK}={}-{number};", std::process::id());
        let mut process = Command::new(env!("CARGO_BIN_EXE_hpc-kiosk-warden"))
            .args(options)
            .arg("--")
            .args(program)
            .env(MARK, mark.split_once('=').unwrap().1)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take();
        Self { process, input, mark }
    }

    /// All living processes of the run, the warden included.
    fn processes(&self) -> Vec<Pid> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap() {
            let entry = entry.unwrap();
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            let name = entry.file_name();
            let Some(pid) = name.to_str().and_then(|n| n.parse().ok()).and_then(Pid::from_raw)
            else {
                continue;
            };
            let is_of_run =
                environment.windows(self.mark.len()).any(|bytes| bytes == self.mark.as_bytes());
            if is_of_run && Process::read(pid).is_some_and(|process| !process.is_dead) {
                found.push(pid);
            }
        }
        found
    }

    fn await_processes(&self, count: usize) {
        until(|| count <= self.processes().len(), &format!("{count} processes"));
    }

    /// Asks for the end as the kiosk does.
    fn stop(mut self) -> End {
        let asked = Instant::now();
        self.input.as_mut().unwrap().write_all(b"stop\n").unwrap();
        self.end_since(asked)
    }

    /// Closes the input, as the kernel does for a kiosk that was killed.
    fn abandon(mut self) -> End {
        self.input = None;
        self.end()
    }

    /// Waits for the end; asserts that nothing of the run is left.
    fn end(self) -> End {
        self.end_since(Instant::now())
    }

    fn end_since(mut self, asked: Instant) -> End {
        until(|| self.process.try_wait().unwrap().is_some(), "the end of the warden");
        let took = asked.elapsed();
        assert_eq!(self.processes(), []);
        let mut output =
            Output { status: self.process.wait().unwrap(), stdout: vec![], stderr: vec![] };
        self.process.stdout.take().unwrap().read_to_end(&mut output.stdout).unwrap();
        self.process.stderr.take().unwrap().read_to_end(&mut output.stderr).unwrap();
        let line = String::from_utf8(output.stdout).unwrap();
        End {
            report: line.parse().unwrap_or_else(|error| panic!("{error}")),
            line,
            took,
            status: output.status.code(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

#[derive(Debug)]
struct End {
    line: String,
    report: Report,
    took: Duration,
    status: Option<i32>,
    errors: String,
}

fn until(mut condition: impl FnMut() -> bool, what: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn the_status_of_the_program_is_handed_on() {
    let end = Warden::start(&[], &["sh", "-c", "exit 3"]).end();
    assert_eq!(end.line, "ended exit=3 killed=0 left=0\n");
    assert_eq!(end.status, Some(3));
}

#[test]
fn a_signal_that_ends_the_program_is_named() {
    let end = Warden::start(&[], &["sh", "-c", "kill -SEGV $$"]).end();
    assert_eq!(end.line, "ended signal=11 killed=0 left=0\n");
    assert_eq!(end.status, Some(139));
}

#[test]
fn a_program_that_is_not_there_is_said_so() {
    let end = Warden::start(&[], &["no-such-program-anywhere"]).end();
    assert!(
        matches!(&end.report, Report::NotStarted(why) if why.contains("No such file")),
        "{end:?}"
    );
    assert_eq!(end.status, Some(127));
}

#[test]
fn nothing_that_the_program_prints_is_taken_for_a_report() {
    let end = Warden::start(&[], &["sh", "-c", "echo ended exit=0 killed=0 left=0; exit 5"]).end();
    assert_eq!(end.line, "ended exit=5 killed=0 left=0\n");
    assert_eq!(end.errors, "ended exit=0 killed=0 left=0\n");
}

#[test]
fn a_polite_program_is_not_killed() {
    let warden = Warden::start(&["--grace-ms", "20000"], &["sleep", "1000"]);
    warden.await_processes(2);
    let end = warden.stop();
    assert_eq!(end.line, "ended signal=15 killed=0 left=0\n");
    assert!(end.took < Duration::from_secs(10), "{:?}", end.took);
}

#[test]
fn the_death_of_the_kiosk_ends_the_run() {
    let warden = Warden::start(&[], &["sleep", "1000"]);
    warden.await_processes(2);
    assert_eq!(warden.abandon().line, "ended signal=15 killed=0 left=0\n");
}

#[test]
fn sigterm_to_the_warden_ends_the_run_in_order() {
    let warden = Warden::start(&[], &["sleep", "1000"]);
    warden.await_processes(2);
    let pid = Pid::from_raw(i32::try_from(warden.process.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(warden.end().line, "ended signal=15 killed=0 left=0\n");
}

#[test]
fn a_program_that_ignores_sigterm_is_killed_after_the_grace() {
    let warden =
        Warden::start(&["--grace-ms", "300"], &["env", "--ignore-signal=TERM", "sleep", "1000"]);
    let is_sleeping = |pid: &Pid| {
        fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero())).unwrap_or_default()
            == "sleep\n"
    };
    until(|| warden.processes().iter().any(is_sleeping), "the sleeper");
    let end = warden.stop();
    assert_eq!(end.line, "ended signal=9 killed=1 left=0\n");
    assert!(Duration::from_millis(300) <= end.took, "{:?}", end.took);
}

#[test]
fn stopped_processes_end_too() {
    let warden =
        Warden::start(&["--grace-ms", "300"], &["sh", "-c", "setsid sleep 1000 & sleep 1000; :"]);
    warden.await_processes(4);
    for pid in warden.processes() {
        if pid.as_raw_nonzero().get() as u32 != warden.process.id() {
            kill_process(pid, Signal::STOP).unwrap();
        }
    }
    assert_eq!(warden.stop().status, Some(143));
}

#[test]
fn sleepers_in_sessions_of_their_own_do_not_survive_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let sign = folder.path().join("end");
    let script = "setsid --fork sleep 1000; setsid --fork setsid --fork sleep 1000
        while ! [ -e $0 ]; do sleep 0.01; done";
    let warden = Warden::start(&[], &["sh", "-c", script, sign.to_str().unwrap()]);
    let is_sleeper = |pid: &Pid| {
        fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default()
            == b"sleep\x001000\x00"
    };
    until(|| warden.processes().iter().filter(|pid| is_sleeper(pid)).count() == 2, "the sleepers");
    fs::write(&sign, "").unwrap();
    assert_eq!(warden.end().line, "ended exit=0 killed=2 left=0\n");
}

#[test]
fn a_program_that_never_stops_forking_is_outrun() {
    let script = "while :; do setsid --fork sleep 1000; done";
    let warden = Warden::start(&["--grace-ms", "50"], &["sh", "-c", script]);
    warden.await_processes(30);
    assert_eq!(warden.stop().report.status(), 143);
}

#[test]
fn the_folder_of_the_run_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("hpc-kiosk-run");
    fs::create_dir(&own).unwrap();
    let script = "mkdir -p $0/session/1; echo 1 > $0/session/1/x; ln -s $0/.. $0/session/up";
    let path = own.to_str().unwrap();
    Warden::start(&["--remove", path], &["sh", "-c", script, path]).end();
    assert!(!own.exists());
    assert!(Path::new(folder.path()).exists());
}

#[test]
fn wrong_arguments_are_told_the_right_ones() {
    for (arguments, problem) in [
        (&[][..], "there is no '--' before the program"),
        (&["--"], "there is no program after '--'"),
        (&["--grace-ms"], "--grace-ms needs a value"),
        (
            &["--grace-ms", "soon", "--", "x"],
            "--grace-ms is 'soon', not a number from 0 to 3600000",
        ),
        (&["--fast", "--", "x"], "there is no option '--fast'"),
        (
            &["--remove", "/home", "--", "x"],
            "--remove is '/home', not a folder named hpc-kiosk-...",
        ),
    ] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_hpc-kiosk-warden")).args(arguments).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.starts_with(&format!("hpc-kiosk-warden: {problem}\nusage:")), "{errors}");
        assert_eq!(output.status.code(), Some(2));
    }
}
