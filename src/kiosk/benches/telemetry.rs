//! What asking many nodes costs: 10, 100 and 1,000 simulated ones at 1 Hz, each a listener of another process.
//!
//! `cargo bench --package hpc-kiosk --bench telemetry`; prints figures, and fails if a scrape is dropped or the cost is
//! above what the README promises. `BENCH_SECONDS` in the environment is how long each figure is measured, 20 unless said.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints"
)]

#[path = "nodes/simulated.rs"]
mod simulated;

use std::{
    env, fs,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use kiosk::{
    config::{Metrics, NodeAddress, NodeEntry},
    telemetry::{
        Freshness, Telemetry,
        gather::Gatherer,
        history::{History, SERIES_BYTES},
    },
};
use rustix::time::{ClockId, clock_gettime};
use simulated::{Answer, Simulated};
use tokio::sync::watch;
use wire::channel::Processor;

const INTERVAL: Duration = Duration::from_secs(1);
/// Of one core.
const MOST_CPU: f64 = 0.15;
const MOST_MEBIBYTES: f64 = 200.0;

fn main() {
    if simulated::is_child() {
        return simulated::serve();
    }
    let seconds = env::var("BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load average before: {}", load.trim());
    println!(
        "{seconds} s each, every node once a second; {SERIES_BYTES} bytes for an hour of one series"
    );
    println!(
        "{:<14} {:>5} {:>9} {:>8} {:>11} {:>10} {:>8} {:>8} {:>9}",
        "answers",
        "nodes",
        "bytes",
        "CPU %",
        "us/scrape",
        "RSS MiB",
        "scrapes",
        "dropped",
        "latest ms"
    );
    for count in [10, 100, 1000] {
        measure(Answer::Jetson, count, seconds);
    }
    measure(Answer::NodeExporter, 1000, seconds);
}

fn measure(answer: Answer, count: usize, seconds: u64) {
    let mut simulated = Simulated::start(answer, count);
    let nodes: Vec<NodeEntry> = (0..count)
        .map(|place| NodeEntry {
            name: format!("node{place}"),
            address: NodeAddress::Agent { host: simulated::host(place), port: simulated.port },
            colour: place,
            slots: None,
            usb_pair: None,
            processor: Processor::Auto,
        })
        .collect();
    let (seen, shown) = watch::channel(Telemetry::default());
    let metrics = Metrics { interval: INTERVAL, listen: None };
    let history = Arc::new(Mutex::new(History::new(INTERVAL)));
    let gatherer =
        Gatherer::start(&nodes, &metrics, seen, Arc::clone(&history), &mut Vec::new()).unwrap();
    // Connections and first answers are not what is measured.
    thread::sleep(3 * INTERVAL);
    simulated.reset();
    let (before, started) = (cpu_seconds(), Instant::now());
    thread::sleep(Duration::from_secs(seconds));
    let cpu = (cpu_seconds() - before) / started.elapsed().as_secs_f64();
    let report = simulated.report();
    let resident = resident_mebibytes();

    let now = Instant::now();
    let telemetry = shown.borrow().clone();
    let well = telemetry.nodes.iter().filter(|node| {
        node.freshness(now) == Freshness::Fresh && node.trouble.is_none() && node.refused == 0
    });
    assert_eq!(well.count(), count, "a node is not read as it should be");
    gatherer.stop().unwrap();

    // A window may begin just after a node was asked and end just before.
    let dropped: u64 =
        report.per_node.iter().map(|asked| (seconds - 1).saturating_sub(*asked)).sum();
    let scrapes: u64 = report.per_node.iter().sum();
    println!(
        "{:<14} {count:>5} {:>9} {:>8.2} {:>11.1} {resident:>10.1} {scrapes:>8} {dropped:>8} {:>9.1}",
        format!("{answer:?}"),
        report.bytes,
        100.0 * cpu,
        1e6 * cpu / count as f64,
        report.latest_ms,
    );
    assert_eq!(dropped, 0, "scrapes are missing");
    if answer == Answer::Jetson {
        assert!(cpu < MOST_CPU, "more than 15 % of a core");
        assert!(resident < MOST_MEBIBYTES, "more than 200 MiB");
    }
}

/// Of this process: nothing but the asking runs in it.
fn cpu_seconds() -> f64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

fn resident_mebibytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
