//! What the kiosk costs and how fast it answers: the release program in an X server without a screen.
//!
//! `cargo bench --package hpc-kiosk` after `cargo build --release --workspace --bins --examples`; needs Xvfb and mpirun.
//! Prints figures and decides nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints"
)]

#[path = "../tests/xserver/mod.rs"]
mod xserver;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use kiosk::view::chart::{Canvas, Slot};
use xserver::{Program, XServer, checkout_demo, demos, test_card, until};

const PATIENCE: Duration = Duration::from_secs(30);
const GROUND: u32 = 0x0B1118;
/// What the supervisor sets for two ranks on two cores (src/kiosk/supervisor/launch.rs).
const OPEN_MPI: [(&str, &str); 12] = [
    ("OMPI_MCA_odls_base_sigkill_timeout", "0"),
    ("OMPI_MCA_osc_sm_backing_directory", "/dev/shm"),
    ("OMPI_MCA_osc_rdma_backing_directory", "/dev/shm"),
    ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
    ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
    ("OMPI_MCA_pml", "ob1"),
    ("OMPI_MCA_btl", "self,vader,tcp"),
    ("OMPI_MCA_hwloc_base_binding_policy", "none"),
    ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
    ("OMPI_MCA_btl_vader_single_copy_mechanism", "none"),
    ("OMPI_MCA_mpi_yield_when_idle", "1"),
    ("OMPI_MCA_btl_vader_backing_directory", "/dev/shm"),
];

fn main() {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load average before: {}", load.trim());
    let program = PathBuf::from(env!("CARGO_BIN_EXE_hpc-kiosk"));
    let programs = program.parent().unwrap();
    for needed in ["hpc-kiosk-warden", "testcard", "advection", "examples/hello"] {
        let path = programs.join(needed);
        assert!(
            path.exists(),
            "{} is missing: cargo build --release --workspace --bins --examples",
            path.display()
        );
    }
    let server = XServer::start();
    start_up(&program, &server);
    idle(&program, &server);
    tap_to_picture(&program, &server, &programs.join("examples/hello"));
    charts();
    canvas(&program, &server);
    latency(&program, &server);
}

/// Sorted, with its smallest, middle and largest figure in milliseconds.
fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let (first, middle, last) = (times[0], times[times.len() / 2], times[times.len() - 1]);
    format!("median {:.2} ms (of {}: {:.2} to {:.2})", ms(middle), times.len(), ms(first), ms(last))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn first_frame(server: &XServer) -> Duration {
    until("the first frame", PATIENCE, || server.pixel(6, 402) == 0xFFB000)
}

/// A kiosk that has drawn its home page; the window of the one before is gone first.
fn open(program: &Path, server: &XServer, demos: &Path) -> Program {
    until("an empty screen", PATIENCE, || server.pixel(6, 402) == 0);
    let kiosk = Program::start(program, server, demos);
    first_frame(server);
    kiosk
}

fn start_up(program: &Path, server: &XServer) {
    let demos = demos(&[("card", test_card(1, &[]))]);
    let mut times = Vec::new();
    for _ in 0..11 {
        until("an empty screen", PATIENCE, || server.pixel(6, 402) == 0);
        let started = Instant::now();
        let kiosk = open(program, server, demos.path());
        times.push(started.elapsed());
        drop(kiosk);
    }
    println!("process to first painted frame: {}", spread(times));
}

fn idle(program: &Path, server: &XServer) {
    let (_, text) = checkout_demo("advection");
    let demos = demos(&[("advection", text)]);
    let kiosk = open(program, server, demos.path());
    thread::sleep(Duration::from_secs(3));
    let (cpu, since) = (kiosk.cpu_time(), Instant::now());
    thread::sleep(Duration::from_secs(30));
    let share = (kiosk.cpu_time() - cpu).as_secs_f64() / since.elapsed().as_secs_f64();
    println!(
        "idle home page over 30 s: {:.2} % of one core, {:.1} MB resident",
        100.0 * share,
        kiosk.resident_kb() as f64 / 1024.0
    );
}

fn tap_to_picture(program: &Path, server: &XServer, hello: &Path) {
    let (_, text) = checkout_demo("advection");
    let demos = demos(&[("advection", text)]);
    let kiosk = open(program, server, demos.path());
    thread::sleep(Duration::from_secs(1));
    let (mut taps, mut hellos) = (Vec::new(), Vec::new());
    for _ in 0..15 {
        let since = Instant::now();
        server.tap(400, 232);
        until("the waiting page", PATIENCE, || server.pixel(100, 300) == GROUND);
        until("the first picture", PATIENCE, || {
            server.pixels(90, 100, 100, 280).iter().any(|pixel| *pixel != GROUND)
        });
        taps.push(since.elapsed());
        server.tap(44, 44);
        until("its end", PATIENCE, || kiosk.processes_of_runs().is_empty());
        until("the home page", PATIENCE, || server.pixel(700, 300) != GROUND);

        let since = Instant::now();
        let done = Command::new("mpirun")
            .args(["-n", "2"])
            .arg(hello)
            .envs(OPEN_MPI)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(done.success());
        hellos.push(since.elapsed());
    }
    let ratio = median(taps.clone()).as_secs_f64() / median(hellos.clone()).as_secs_f64();
    println!("tap to first picture, 2 ranks:  {}", spread(taps));
    println!("mpirun -n 2 hello, whole:       {}", spread(hellos));
    println!("ratio of the medians:           {ratio:.2}");
}

/// Charts are drawn at the rate of the readings while their page is shown, on the thread that draws everything else.
fn charts() {
    let line: Vec<Slot> = (0..360)
        .map(|slot| {
            let mean = 0.5 + 0.45 * (slot as f32 / 9.0).sin();
            (slot % 37 != 0).then_some([mean - 0.04, mean, mean + 0.04])
        })
        .collect();
    for lines in [1, 4, 16] {
        let mut chart = Canvas::new(624, 96);
        let times = (0..200).map(|_| {
            let since = Instant::now();
            chart.clear();
            (0..lines).for_each(|_| chart.line(&line, [0xFF, 0xB0, 0x00], lines == 1));
            since.elapsed()
        });
        println!("chart of an hour, {lines} lines: {}", spread(times.collect()));
    }
    let mut map = Canvas::new(768, 216);
    let times = (0..200).map(|_| {
        let since = Instant::now();
        map.squares((0..1000).map(|node| Some(node as f32 / 1000.0)));
        since.elapsed()
    });
    println!("heat map of 1000 nodes: {}", spread(times.collect()));
}

fn canvas(program: &Path, server: &XServer) {
    for (name, arguments) in [
        ("one byte a pixel", ["--frames-per-second", "60"].as_slice()),
        ("three bytes a pixel", ["--frames-per-second", "60", "--format", "rgb"].as_slice()),
    ] {
        let demos = demos(&[("card", test_card(1, arguments))]);
        let kiosk = open(program, server, demos.path());
        server.tap(400, 232);
        thread::sleep(Duration::from_secs(8));
        let (cpu, since) = (kiosk.cpu_time(), Instant::now());
        thread::sleep(Duration::from_secs(20));
        let share = (kiosk.cpu_time() - cpu).as_secs_f64() / since.elapsed().as_secs_f64();
        println!(
            "canvas 800x400 at 60 frames/s, {name}: {:.1} % of one core, {:.1} MB resident",
            100.0 * share,
            kiosk.resident_kb() as f64 / 1024.0
        );
    }
}

/// The test card writes the time at which it handed a picture over into the picture; here it is read off the screen.
fn latency(program: &Path, server: &XServer) {
    let demos = demos(&[("card", test_card(1, &["--frames-per-second", "60", "--stamp"]))]);
    let _kiosk = open(program, server, demos.path());
    server.tap(400, 232);
    thread::sleep(Duration::from_secs(3));
    let mut last = 0;
    let mut times = Vec::new();
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(15) {
        // 64 squares of 8 pixels in one row of the canvas, the lowest bit first.
        let row = server.pixels(120, 204, 512, 1);
        let bit = |square: usize| u64::from(0x80 < (row[8 * square + 4] >> 16 & 0xff));
        let stamp = (0..64).fold(0, |stamp, square| stamp | bit(square) << square);
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let now = now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64;
        if stamp != last && stamp < now && now - stamp < 1_000_000_000 {
            last = stamp;
            times.push(Duration::from_nanos(now - stamp));
        }
        thread::sleep(Duration::from_micros(500));
    }
    assert!(!times.is_empty(), "no time stamp was seen on the screen");
    println!("handed over by the demo to seen on the screen: {}", spread(times));
}
