//! Five hundred reconnections to the meter leave no descriptor, task or memory behind. The talk goes on in a process of its
//! own, because the bus is found by an environment variable, and faster than a real meter would bear.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod bluez;

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use bluez::{Behaviour, Bluez};
use kiosk::{
    config::MeterEntry,
    meter::{Meter, bluetooth, session::Pace},
};
use tokio::sync::watch;

/// Says that this process is the one that talks.
const TALKS: &str = "HPC_KIOSK_TEST_TALKS";
const RECONNECTIONS: u64 = 500;
/// What may be there more after all of them than after the first hundred: what is open for a moment.
const SPARE: u64 = 4;
const SPARE_KIB: u64 = 4096;

fn quick() -> Pace {
    let ms = Duration::from_millis;
    Pace {
        settle: ms(1),
        gap: ms(1),
        login: ms(300),
        answer: ms(500),
        interval: ms(10),
        pauses: [ms(5); 5],
        wrong_pin: ms(100),
    }
}

/// Descriptors and resident memory of this process, KiB.
fn used() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib = resident.split_whitespace().nth(1).unwrap().parse().unwrap();
    (std::fs::read_dir("/proc/self/fd").unwrap().count() as u64, kib)
}

/// The process that talks: a line after every hundredth connection.
fn talk() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (seen, mut meter) = watch::channel(Meter::default());
        let telling = async {
            let mut told = 0;
            while told < RECONNECTIONS && meter.changed().await.is_ok() {
                let connections = meter.borrow_and_update().connections;
                if told + 100 <= connections {
                    told += 100;
                    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
                    let (files, kib) = used();
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "used {connections} {files} {tasks} {kib}").unwrap();
                }
            }
        };
        tokio::select! {
            () = telling => {}
            () = bluetooth::talk(MeterEntry::default(), quick(), seen) => {}
        }
    });
}

#[test]
fn five_hundred_reconnections_leave_nothing_behind() {
    if std::env::var_os(TALKS).is_some() {
        talk();
        return;
    }
    let behaviour = Behaviour {
        resolving: Duration::from_millis(5),
        latency: Duration::from_millis(2),
        ..Default::default()
    };
    let bluez = Bluez::start(behaviour);
    let (name, value) = bluez.variable();
    let mut talking = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "five_hundred_reconnections_leave_nothing_behind", "--nocapture"])
        .env(TALKS, "1")
        .env(name, value)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = talking.stdout.take().unwrap();
    let reading = std::thread::spawn(move || {
        let lines = BufReader::new(out).lines().map_while(Result::ok);
        let used = lines.filter(|line| line.contains("used "));
        used.map(|line| {
            let numbers = line.split_whitespace().filter_map(|word| word.parse().ok());
            numbers.collect::<Vec<u64>>()
        })
        .collect::<Vec<_>>()
    });
    let start = Instant::now();
    let mut dropped = 0;
    while !reading.is_finished() {
        assert!(start.elapsed() < Duration::from_secs(240), "{dropped} links dropped only");
        // A link is dropped once something was measured over it.
        let measured = bluez.written().iter().any(|frame| frame[2] == 4);
        if measured && dropped < bluez.connections() {
            dropped = bluez.connections();
            bluez.forget();
            bluez.drop_link();
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let used = reading.join().unwrap();
    let _ = talking.kill();
    talking.wait().unwrap();
    println!("connections, descriptors, tasks, KiB: {used:?}");
    let (first, last) = (&used[0], used.last().unwrap());
    assert!(RECONNECTIONS <= last[0]);
    assert!(last[1] <= first[1] + SPARE && last[2] <= first[2] + SPARE, "{used:?}");
    assert!(last[3] <= first[3] + SPARE_KIB, "{used:?}");
}
