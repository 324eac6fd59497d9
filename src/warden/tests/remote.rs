//! A warden as it is started on another computer: told what to run over its input, and alone when nobody is heard any more.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::{
    fs,
    io::{Read, Write},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use warden::{Exit, Order, Report};

const PATIENCE: Duration = Duration::from_secs(20);

fn start(options: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_hpc-kiosk-warden"))
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn ordered(order: &Order) -> Child {
    let mut warden = start(&["--grace-ms", "300", "--heartbeat-ms", "600", "--read-order"]);
    warden.stdin.as_mut().unwrap().write_all(&order.encode()).unwrap();
    warden
}

/// Its report and what the run printed.
fn end(mut warden: Child) -> (Report, String) {
    let deadline = Instant::now() + PATIENCE;
    while warden.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "it does not end");
        thread::sleep(Duration::from_millis(5));
    }
    let (mut said, mut printed) = (String::new(), String::new());
    warden.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    warden.stderr.take().unwrap().read_to_string(&mut printed).unwrap();
    (said.parse().unwrap_or_else(|error| panic!("{error}; {printed}")), printed)
}

fn is_alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn an_order_is_obeyed_word_for_word_in_a_folder_of_its_own() {
    let above = tempfile::tempdir().unwrap();
    let folder = above.path().join("hpc-kiosk-run");
    let script = "printf '%s|' \"$@\" \"$GREETING\"; stat -c %a \"$FOLDER\"";
    let order = Order {
        program: "sh".into(),
        arguments: ["-c", script, "sh", "a b", "$(touch x); 'y'", "\n"].map(Into::into).into(),
        environment: vec![
            "GREETING=good=morning \"you\"".into(),
            format!("FOLDER={}", folder.display()).into(),
        ],
        folder: Some(folder.clone()),
    };
    let (report, printed) = end(ordered(&order));
    assert_eq!(report, Report::Ended { exit: Exit::Code(0), killed: 0, left: 0 });
    assert_eq!(printed, "a b|$(touch x); 'y'|\n|good=morning \"you\"|700\n");
    assert!(!folder.exists());
}

#[test]
fn a_run_goes_on_while_its_kiosk_is_heard_and_ends_when_it_is_not() {
    let order = Order {
        program: "sh".into(),
        arguments: ["-c", "echo $$ >&2; sleep 1000 & wait"].map(Into::into).into(),
        ..Order::default()
    };
    let mut warden = ordered(&order);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1500) {
        warden.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        assert_eq!(warden.try_wait().unwrap(), None, "it ends although the kiosk is heard");
        thread::sleep(Duration::from_millis(100));
    }
    // Nothing is closed: the input is only silent, as behind a cable that was pulled.
    let silent = Instant::now();
    let input = warden.stdin.take();
    let (report, printed) = end(warden);
    drop(input);
    assert!(Duration::from_millis(500) < silent.elapsed(), "it does not wait for the heartbeat");
    assert!(silent.elapsed() < Duration::from_secs(5));
    assert!(matches!(report, Report::Ended { left: 0, .. }), "{report:?}");
    assert!(!is_alive(printed.trim()));
}

#[test]
fn what_is_no_order_starts_nothing() {
    for (bytes, problem) in [
        (&b"shell 2\nrm\n"[..], "there is no order in it: an item is of an unknown kind"),
        (b"program 5\ntouch\n", "standard input ends before the order does"),
        (b"program 4\ntrue\nfolder 4\n/etc\ngo 0\n\n", "not a folder named hpc-kiosk-"),
    ] {
        let mut warden = start(&["--read-order"]);
        warden.stdin.take().unwrap().write_all(bytes).unwrap();
        let output = warden.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(said.contains(problem), "{said}");
    }
}

#[test]
fn what_carries_the_mark_is_ended_and_nothing_else() {
    let token = format!("{:032}", std::process::id());
    let sleeper = |value: &str| {
        Command::new("sh")
            .args(["-c", "sleep 1000 & wait"])
            .env("HPC_KIOSK_TOKEN", value)
            .spawn()
            .unwrap()
    };
    let (mut ours, mut other) = (sleeper(&token), sleeper(&format!("{token}x")));
    let above = tempfile::tempdir().unwrap();
    let folder = above.path().join("hpc-kiosk-run");
    fs::create_dir_all(folder.join("segments")).unwrap();
    let mut warden = start(&["--sweep-marked"]);
    let line = format!("HPC_KIOSK_TOKEN={token}\n{}\n", folder.display());
    warden.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
    let (report, _) = end(warden);
    let Report::Ended { killed, left: 0, .. } = report else { panic!("{report:?}") };
    assert!((1..=3).contains(&killed), "the shell and its sleep: {killed}");
    assert!(!folder.exists(), "what the run had there goes too");
    ours.wait().unwrap();
    assert_eq!(other.try_wait().unwrap(), None, "it is somebody else's");
    other.kill().unwrap();
    other.wait().unwrap();
    // The second sleep has lost its shell.
    let mut warden = start(&["--sweep-marked"]);
    warden
        .stdin
        .take()
        .unwrap()
        .write_all(format!("HPC_KIOSK_TOKEN={token}x\n").as_bytes())
        .unwrap();
    assert!(matches!(end(warden).0, Report::Ended { killed: 0..=1, left: 0, .. }));

    for refused in ["A=short\n", "A=0123456789abcdef\n/etc\n", "A=0123456789abcdef\nhpc-kiosk-x\n"]
    {
        let mut warden = start(&["--sweep-marked"]);
        warden.stdin.take().unwrap().write_all(refused.as_bytes()).unwrap();
        assert_eq!(warden.wait_with_output().unwrap().status.code(), Some(2), "{refused}");
    }
}
