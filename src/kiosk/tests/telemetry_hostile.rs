//! Whatever answers at a node's address costs a bounded time and memory, ends as a message about that node, and delays
//! no other.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod scripted;

use std::{
    fs, io,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use kiosk::{
    config::{Metrics, NodeAddress, NodeEntry},
    telemetry::{
        Freshness, Telemetry, Trouble,
        gather::Gatherer,
        history::History,
        http::{Budget, Client, MAX_BODY},
        mapping::Said,
    },
};
use scripted::{Asker, Scripted, answer};
use tokio::sync::watch;
use wire::channel::Processor;

/// How long a question may take, as the client promises, and what a busy machine may add.
const LIMIT: Duration = Duration::from_millis(2_000 + 1_500);
/// What one answer may take at most: the growing text and its larger successor.
const MOST_MEMORY: u64 = 4 * MAX_BODY as u64;
/// What the system's buffers between two programs may hold beyond what was read.
const BUFFERS: u64 = 16 << 20;

const TEXT: &str = "Content-Type: text/plain; version=0.0.4\r\n";
const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";
const MEMORY_LINE: &str = "node_memory_MemTotal_bytes 4156964864\n";

/// A chunk of `length` times `byte`.
fn chunk(byte: u8, length: usize) -> Vec<u8> {
    [format!("{length:x}\r\n").into_bytes(), vec![byte; length], b"\r\n".to_vec()].concat()
}

fn endless(head: &'static str, piece: Vec<u8>) -> Scripted {
    Scripted::start(move |asker| {
        asker.send(head.as_bytes())?;
        asker.send_for_ever(&piece)
    })
}

fn silent_after(bytes: &'static str) -> Scripted {
    Scripted::start(move |asker| {
        asker.send(bytes.as_bytes())?;
        asker.fall_silent()
    })
}

/// One that says one byte after the other, never quick enough and never quite silent.
fn dripping(head: &'static str, bytes: String) -> Scripted {
    Scripted::start(move |asker: &mut Asker| -> io::Result<()> {
        asker.send(head.as_bytes())?;
        asker.drip(bytes.as_bytes(), Duration::from_millis(20))
    })
}

/// Every hostile agent with what is said about it.
fn hostile() -> Vec<(&'static str, Scripted, &'static str)> {
    let slow = "x".repeat(10_000);
    let too_large = "answers with more than 4194304 bytes; check its address and port";
    let not_http = "answers with something that is not HTTP; check its address and port";
    let many_headers = "answers with more headers than metrics have";
    let ok = |headers: &str, body: &str| Scripted::saying(answer("200 OK", headers, body));
    vec![
        ("an endless body in chunks", endless(CHUNKED, chunk(b'\n', 65_536)), too_large),
        (
            "an endless body without a length",
            endless("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n", vec![b'\n'; 65_536]),
            too_large,
        ),
        (
            "a line of a gigabyte",
            endless(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1073741824\r\n\r\n",
                vec![b'a'; 65_536],
            ),
            too_large,
        ),
        ("a line of a gigabyte in chunks", endless(CHUNKED, chunk(b'a', 65_536)), too_large),
        (
            "a line as long as an answer may be",
            ok(TEXT, &"a".repeat(MAX_BODY - 1)),
            "its answer is refused: line 1 is longer than",
        ),
        ("chunks of a byte", endless(CHUNKED, chunk(b'\n', 1).repeat(1000)), "answers in more pieces than metrics have"),
        (
            "a chunk of 16 exabytes",
            Scripted::saying([CHUNKED, "fffffffffffffffff\r\n\n"].concat()),
            "",
        ),
        ("endless trailers", endless(CHUNKED, b"0\r\nX: y\r\n".to_vec()), ""),
        (
            "a slow drip of body",
            dripping("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10000\r\n\r\n", slow.clone()),
            "does not finish its answer within 2 s",
        ),
        (
            "a slow drip of head",
            dripping("HTTP/1.1 200 OK\r\nX: ", slow),
            "takes the question and says nothing for 2 s",
        ),
        ("silence", silent_after(""), "takes the question and says nothing for 2 s"),
        (
            "silence in the middle",
            silent_after("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nnode"),
            "does not finish its answer within 2 s",
        ),
        (
            "endless interim answers",
            endless("", b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1000)),
            many_headers,
        ),
        ("endless headers", endless("HTTP/1.1 200 OK\r\n", b"X: y\r\n".repeat(1000)), many_headers),
        ("a header of a gigabyte", endless("HTTP/1.1 200 OK\r\nX: ", vec![b'x'; 65_536]), many_headers),
        (
            "a page for people",
            ok("Content-Type: text/html\r\n", "<html>"),
            "answers with 'text/html' instead of metrics; check its address and port",
        ),
        ("no type", ok("", MEMORY_LINE), "does not say what its answer is (no Content-Type)"),
        (
            "a packed answer",
            ok(&format!("{TEXT}Content-Encoding: gzip\r\n"), MEMORY_LINE),
            "answers in the encoding 'gzip', which was not asked for",
        ),
        (
            "an error",
            Scripted::saying(answer("404 Not Found", TEXT, "nothing\n")),
            "answers 404 Not Found instead of metrics; check its agent",
        ),
        ("another protocol", Scripted::saying("SSH-2.0-OpenSSH_9.2p1\r\n"), not_http),
        ("noise", Scripted::saying([0xff, 0x00, 0x80, 0x0d].repeat(64)), not_http),
        ("an end at once", Scripted::saying(""), "ends the connection without an answer"),
        (
            "an end too early",
            Scripted::saying("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 90\r\n\r\nnode"),
            "ends the connection before its answer is complete",
        ),
        (
            "bytes that are no text",
            Scripted::saying(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\n\xff\xfe\n".to_vec()),
            "answers with something that is not UTF-8 text",
        ),
        (
            "text that is no metric",
            ok(TEXT, "Welcome!\n"),
            "its answer is refused: line 1 is no metric: ",
        ),
        (
            "one series twice",
            ok(TEXT, &[MEMORY_LINE, "node_load1 1\nnode_load1 2\n"].concat()),
            "its answer is refused: the series node_load1 stands there twice",
        ),
        (
            "metrics of something else",
            ok(TEXT, "http_requests_total 5\n"),
            "its answer is refused: there is no metric of a node in it; write the address of an agent or a node_exporter into [[node]]",
        ),
        (
            "a redirect",
            Scripted::saying(answer("302 Found", "Location: http://10.0.0.1/metrics\r\n", "")),
            "answers with a redirect to 'http://10.0.0.1/metrics', which is not followed; write that address into [[node]]",
        ),
    ]
}

#[test]
fn a_hostile_agent_costs_bounded_time_and_memory_and_is_told_by_name() {
    thread::scope(|scope| {
        for (what, agent, message) in hostile() {
            scope.spawn(move || {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let begun = Instant::now();
                let mut trouble = None;
                let allocated = allocation_counter::measure(|| {
                    let mut client = Client::new("127.0.0.1", agent.address.port());
                    let text = runtime.block_on(client.metrics(&Budget::default()));
                    trouble = text
                        .and_then(|text| {
                            let text = std::str::from_utf8(&text).unwrap();
                            Said::read(text).map(|_| ()).map_err(Trouble::from)
                        })
                        .err();
                });
                assert!(begun.elapsed() < LIMIT, "{what} takes {:?}", begun.elapsed());
                let trouble = trouble.unwrap_or_else(|| panic!("{what} is accepted")).to_string();
                assert!(trouble.starts_with(message), "{what}: {trouble}");
                assert!((1..400).contains(&trouble.len()), "{what}: {trouble}");
                assert!(!trouble.contains(char::is_control), "{what}: {trouble}");
                assert!(
                    allocated.bytes_max < MOST_MEMORY,
                    "{what} takes {} bytes",
                    allocated.bytes_max
                );
                drop(runtime);
                assert!(agent.sent() < 2 * MAX_BODY as u64 + BUFFERS, "{what}: {}", agent.sent());
            });
        }
    });
}

#[test]
fn nobody_there_and_nobody_listening_are_told_apart() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let trouble = |host: &str, port| {
        let mut client = Client::new(host, port);
        runtime.block_on(client.metrics(&Budget::default())).unwrap_err()
    };
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(trouble("127.0.0.1", unused), Trouble::NoAgent);
    // RFC 6761 keeps this name from ever being one.
    assert_eq!(trouble("major-tom.invalid", 9101), Trouble::NoSuchName);
}

#[test]
fn a_connection_that_the_agent_has_closed_meanwhile_is_no_trouble() {
    let agent = Scripted::saying(answer("200 OK", TEXT, MEMORY_LINE));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut client = Client::new("127.0.0.1", agent.address.port());
    for _ in 0..3 {
        assert!(runtime.block_on(client.metrics(&Budget::default())).is_ok());
        thread::sleep(Duration::from_millis(20));
    }
}

fn node(name: String, agent: &Scripted, place: usize) -> NodeEntry {
    NodeEntry {
        name,
        address: NodeAddress::Agent { host: "127.0.0.1".into(), port: agent.address.port() },
        colour: place,
        slots: None,
        usb_pair: None,
        processor: Processor::Auto,
    }
}

fn gather(nodes: &[NodeEntry]) -> (Gatherer, watch::Receiver<Telemetry>) {
    let (seen, shown) = watch::channel(Telemetry::default());
    let history = Arc::new(Mutex::new(History::default()));
    let metrics = Metrics::default();
    (Gatherer::start(nodes, &metrics, seen, history, &mut Vec::new()).unwrap(), shown)
}

#[test]
fn hostile_and_silent_nodes_delay_no_other_and_are_asked_less_and_less() {
    let honest = Scripted::honest(&[MEMORY_LINE, "node_load1 NaN\nnode_load5 1\n"].concat());
    let others = hostile();
    let mut nodes = vec![node("honest".into(), &honest, 0)];
    for (place, (what, agent, _)) in others.iter().enumerate() {
        nodes.push(node((*what).to_owned(), agent, place + 1));
    }
    let (gatherer, shown) = gather(&nodes);
    let begun = Instant::now();
    let mut worst = Duration::ZERO;
    let mut answered = false;
    while begun.elapsed() < Duration::from_secs(6) {
        let telemetry = shown.borrow().clone();
        if let Some(reading) = &telemetry.nodes[0].reading {
            answered = true;
            worst = worst.max(reading.at.elapsed());
        }
        thread::sleep(Duration::from_millis(5));
    }
    assert!(answered);
    // Every half second, and what this test's own work and that of others beside it takes.
    assert!(worst < Duration::from_millis(1500), "a reading was {worst:?} old");
    let asked = honest.asked();
    assert!((9..=14).contains(&asked), "asked {asked} times in 6 s");

    let telemetry = shown.borrow().clone();
    let now = Instant::now();
    let node = &telemetry.nodes[0];
    assert_eq!((node.freshness(now), &node.trouble), (Freshness::Fresh, &None));
    assert_eq!(node.reading.as_ref().unwrap().load_average, None, "NaN is no load average");
    assert!(asked / 2 < node.refused, "what is refused is counted");
    for (node, (what, agent, message)) in telemetry.nodes[1..].iter().zip(&others) {
        assert_eq!(node.freshness(now), Freshness::Lost { age: None }, "{what}");
        let trouble = node.trouble.as_ref().unwrap_or_else(|| panic!("{what} has no message"));
        assert!(trouble.to_string().starts_with(message), "{what}: {trouble}");
        assert!(agent.asked() <= 5, "{what} was asked {} times", agent.asked());
    }
    gatherer.stop().unwrap();
}

/// The most memory that this process has had so far.
fn peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
fn a_hundred_endless_answers_at_once_share_what_there_is() {
    let agent = endless(CHUNKED, chunk(b'\n', 65_536));
    let nodes: Vec<_> = (0..100).map(|place| node(format!("n{place}"), &agent, place)).collect();
    let before = peak_bytes();
    let (gatherer, shown) = gather(&nodes);
    let begun = Instant::now();
    while shown.borrow().nodes.iter().any(|node| node.trouble.is_none()) {
        assert!(begun.elapsed() < Duration::from_secs(20), "not all are told of");
        thread::sleep(Duration::from_millis(10));
    }
    // 64 MiB for all, 256 KiB for each, twice while a text grows; and this test's own hundred threads.
    let grown = peak_bytes() - before;
    assert!(grown < 300 << 20, "{grown} bytes for a hundred endless answers");
    gatherer.stop().unwrap();
}
