//! The agent as a server, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod running;

use std::{
    io::{Read, Write},
    net::TcpStream,
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
    sync::mpsc::RecvTimeoutError,
    time::{Duration, Instant},
};

use running::{Agent, PATIENCE, Running, ask, get, lines, take};

/// What Prometheus 2.42 (Debian 12) asks for.
const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
    text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

fn request(method: &str, path: &str, fields: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: node\r\n{fields}\r\n")
}

/// Everything until the server closes; a reset is a close too.
fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn a_connection_is_kept_and_each_request_gets_its_format() {
    let agent = Agent::start();
    let mut stream = agent.connect();
    for _ in 0..3 {
        let text = ask(&mut stream, &request("GET", "/metrics", "Accept: text/plain\r\n"));
        assert_eq!(text.status(), "200");
        let kind = "text/plain; version=0.0.4; charset=utf-8";
        assert_eq!(text.field("Content-Type"), Some(kind));
        assert!(text.body.contains("# TYPE node_cpu_seconds_total counter\n"));
        assert!(!text.body.contains("# EOF"));
        let accept = format!("Accept: {PROMETHEUS}\r\n");
        let open = ask(&mut stream, &request("GET", "/metrics", &accept));
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!(open.field("Content-Type"), Some(kind));
        assert!(open.body.contains("# TYPE node_cpu_seconds counter\n"));
        assert!(open.body.ends_with("\n# EOF\n"));
    }
    // As curl asks.
    let any = ask(&mut stream, &request("GET", "/metrics", "Accept: */*\r\n"));
    assert!(any.field("Content-Type").unwrap().starts_with("text/plain"));
}

#[test]
fn requests_that_arrive_together_are_answered_in_order() {
    let agent = Agent::start();
    let mut stream = agent.connect();
    let three =
        [request("GET", "/", ""), request("HEAD", "/metrics", ""), request("GET", "/nothing", "")];
    stream.write_all(three.concat().as_bytes()).unwrap();
    assert!(take(&mut stream, true).body.contains("/metrics"));
    let head = take(&mut stream, false);
    assert_eq!(head.status(), "200");
    assert_ne!(head.field("Content-Length"), Some("0"));
    assert_eq!(take(&mut stream, true).status(), "404");
}

#[test]
fn a_client_that_closes_after_one_answer_gets_it_whole() {
    let agent = Agent::start();
    let answer = get(agent.address, "/metrics", "text/plain");
    assert_eq!(answer.status(), "200");
    let length: usize = answer.field("Content-Length").unwrap().parse().unwrap();
    assert_eq!(answer.body.len(), length);
    assert_eq!(answer.field("Connection"), Some("close"));
}

#[test]
fn what_is_not_understood_is_refused_with_its_reason() {
    let agent = Agent::start();
    let mut stream = agent.connect();
    let post = ask(&mut stream, &request("POST", "/metrics", ""));
    assert_eq!((post.status(), post.field("Allow")), ("405", Some("GET, HEAD")));
    let cases = [
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n".to_owned(), "400"),
        ("GET\r\n\r\n".into(), "400"),
        (request("GET", "/metrics", "Content-Length: 10\r\n"), "400"),
        (request("GET", "/metrics", "Transfer-Encoding: chunked\r\n"), "400"),
        (request("GET", "/metrics", &format!("X: {}\r\n", "x".repeat(9000))), "431"),
        (request("GET", "/metrics", &"X: y\r\n".repeat(100)), "431"),
        (request("GET", &"x".repeat(100_000), ""), "431"),
    ];
    for (text, status) in cases {
        let mut stream = agent.connect();
        // It may close before it has taken everything.
        let _ = stream.write_all(text.as_bytes());
        let said = rest(&mut stream);
        let start = format!("HTTP/1.1 {status} ");
        assert!(said.starts_with(&start), "{:.40}: {said:.80}", text);
        assert!(said.contains("Connection: close"));
    }
}

#[test]
fn who_sends_too_slowly_or_nothing_is_left_and_others_are_served() {
    let agent = Agent::start();
    let mut slow = agent.connect();
    let mut silent = agent.connect();
    let begun = Instant::now();
    let text = request("GET", "/metrics", "");
    let mut bytes = text.bytes().cycle();
    slow.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let ended = loop {
        // Never the end of a request: a byte every 200 ms.
        let sent = slow.write_all(&[bytes.next().unwrap_or(b'x').max(b'A')]);
        let mut answer = [0];
        match (sent, slow.read(&mut answer)) {
            (Err(_), _) | (_, Ok(0)) => break begun.elapsed(),
            (Ok(()), Ok(_)) => panic!("half a request was answered"),
            (Ok(()), Err(error)) if error.kind() != std::io::ErrorKind::WouldBlock => {
                break begun.elapsed();
            }
            _ => assert!(begun.elapsed() < PATIENCE, "it waits for ever"),
        }
        assert_eq!(get(agent.address, "/", "").status(), "200");
    };
    assert!(Duration::from_secs(4) < ended, "it was left after {ended:?} already");
    assert_eq!(rest(&mut silent), "");
    assert!(begun.elapsed() < PATIENCE);
}

#[test]
fn more_connections_than_there_are_places_are_refused() {
    let agent = Agent::start();
    let mut places: Vec<TcpStream> = (0..16).map(|_| agent.connect()).collect();
    for place in &mut places {
        assert_eq!(ask(place, &request("GET", "/", "")).status(), "200");
    }
    for _ in 0..5 {
        let refused = get(agent.address, "/metrics", "");
        assert_eq!(refused.status(), "503");
        assert!(refused.body.contains("all 16 connections are in use"));
    }
    // Those who have a place are served all the same, and a place that is left is free.
    assert_eq!(ask(&mut places[7], &request("GET", "/metrics", "")).status(), "200");
    places.pop();
    let deadline = Instant::now() + PATIENCE;
    while get(agent.address, "/", "").status() != "200" {
        assert!(Instant::now() < deadline, "the place is not free");
    }
}

#[test]
fn who_takes_no_answers_is_left() {
    let agent = Agent::start();
    let asked = request("GET", "/metrics", "").repeat(50);
    let mut deaf: Vec<TcpStream> = (0..16).map(|_| agent.connect()).collect();
    for stream in &mut deaf {
        stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        // Until the agent takes no more, because its answers are not taken.
        while stream.write_all(asked.as_bytes()).is_ok() {}
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut stream = agent.connect();
        let _ = stream.write_all(request("GET", "/", "Connection: close\r\n").as_bytes());
        if rest(&mut stream).starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(Instant::now() < deadline, "those who take nothing keep their places");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_agent_ends_at_once_when_it_is_told_to() {
    let mut agent = Agent::start();
    let _kept = agent.connect();
    let begun = Instant::now();
    let pid = rustix::process::Pid::from_child(&agent.running.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let status = agent.running.0.wait().unwrap();
    assert_eq!(status.signal(), Some(15));
    assert!(begun.elapsed() < Duration::from_secs(1));
}

/// What the agent says with this configuration.
fn started_with(config: &str) -> (Running, std::sync::mpsc::Receiver<String>) {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("agent.toml");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hpc-kiosk-agent"));
    let mut running =
        Running(command.arg("--config").arg(&file).stderr(Stdio::piped()).spawn().unwrap());
    let said = lines(running.0.stderr.take().unwrap());
    // Kept until it is read.
    let first = said.recv_timeout(PATIENCE).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    sender.send(first).unwrap();
    std::thread::spawn(move || said.iter().all(|line| sender.send(line).is_ok()));
    (running, receiver)
}

#[test]
fn an_address_that_is_taken_is_said_with_a_remedy() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let (mut running, said) = started_with(&format!("listen = '{address}'\n"));
    let line = said.recv_timeout(PATIENCE).unwrap();
    let message = format!(
        "hpc-kiosk-agent: cannot listen at {address}; end the program that does, or set another 'listen'"
    );
    assert!(line.starts_with(&message), "{line}");
    assert_eq!(running.0.wait().unwrap().code(), Some(1));
}

#[test]
fn an_address_that_is_not_there_yet_is_waited_for_and_said_once() {
    // TEST-NET-1 (RFC 5737): no machine has it.
    let (mut running, said) = started_with("listen = '192.0.2.1:9101'\n");
    let line = said.recv_timeout(PATIENCE).unwrap();
    assert_eq!(line, "hpc-kiosk-agent: this machine does not have 192.0.2.1 yet; waiting for it");
    let again = said.recv_timeout(Duration::from_millis(2500));
    assert_eq!(again, Err(RecvTimeoutError::Timeout));
    assert!(running.0.try_wait().unwrap().is_none());
}

#[test]
fn a_configuration_that_is_wrong_is_named_with_its_line() {
    let (mut running, said) = started_with("listen = '127.0.0.1:0'\nstorrage = []\n");
    let line = said.recv_timeout(PATIENCE).unwrap();
    let message = "agent.toml, line 2, key 'storrage': there is no such key; the nearest known one is 'storage'";
    assert!(line.ends_with(message), "{line}");
    assert_eq!(running.0.wait().unwrap().code(), Some(1));
}

#[test]
fn arguments_that_are_wrong_are_answered_with_the_usage() {
    for arguments in [&["--twice"][..], &["--root"], &["--config"]] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_hpc-kiosk-agent")).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().contains("usage: hpc-kiosk-agent"));
    }
    let output = Command::new(env!("CARGO_BIN_EXE_hpc-kiosk-agent"))
        .args(["--once", "--root", "/nowhere"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("/nowhere has neither proc nor sys in it"), "{said}");
}
