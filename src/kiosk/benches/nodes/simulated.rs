//! Nodes that are simulated by another process, so that their cost is not the kiosk's: this program itself, started with
//! a word in its environment.

use std::{
    cell::RefCell,
    env,
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::{LocalSet, spawn_local},
};

const WORD: &str = "HPC_KIOSK_SIMULATED_NODES";

/// What the nodes say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// What our agent says on a Jetson; every value moves.
    Jetson,
    /// What a real node_exporter of this machine says.
    NodeExporter,
}

/// The process with the nodes.
pub struct Simulated {
    child: Child,
    asks: ChildStdin,
    says: BufReader<ChildStdout>,
    /// Where all of them listen, each at its own address.
    pub port: u16,
}

/// What the nodes have seen since they were told to forget.
pub struct Report {
    /// How often each was asked.
    pub per_node: Vec<u64>,
    /// How much later than a second after the question before the latest came, milliseconds.
    pub latest_ms: f64,
    /// Bytes of the newest answer.
    pub bytes: u64,
}

/// The address of a node: all of 127.0.0.0/8 is this machine.
pub fn host(place: usize) -> String {
    format!("127.8.{}.{}", place / 250, place % 250 + 1)
}

impl Simulated {
    /// Starts `count` nodes.
    pub fn start(answer: Answer, count: usize) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .env(WORD, format!("{answer:?} {count}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let asks = child.stdin.take().unwrap();
        let mut says = BufReader::new(child.stdout.take().unwrap());
        let mut port = String::new();
        says.read_line(&mut port).unwrap();
        let port = port.trim().parse().expect("the simulated nodes did not start");
        Self { child, asks, says, port }
    }

    /// Lets them forget what they have seen.
    pub fn reset(&mut self) {
        self.report();
    }

    /// What they have seen, and lets them forget it.
    pub fn report(&mut self) -> Report {
        self.asks.write_all(b"report\n").unwrap();
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        let mut words = line.split_ascii_whitespace();
        let latest_ms = words.next().unwrap().parse().unwrap();
        let bytes = words.next().unwrap().parse().unwrap();
        Report { per_node: words.map(|word| word.parse().unwrap()).collect(), latest_ms, bytes }
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        // It may have ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether this process is the one with the nodes.
pub fn is_child() -> bool {
    env::var_os(WORD).is_some()
}

#[derive(Default)]
struct Seen {
    asked: Vec<u64>,
    last: Vec<Option<Instant>>,
    latest: Duration,
    bytes: usize,
}

/// Serves until it is killed.
pub fn serve() {
    let word = env::var(WORD).unwrap();
    let (answer, count) = word.split_once(' ').unwrap();
    let count: usize = count.parse().unwrap();
    let fixed = (answer == "NodeExporter").then(node_exporter);
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    let seen = Rc::new(RefCell::new(Seen {
        asked: vec![0; count],
        last: vec![None; count],
        ..Seen::default()
    }));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        let first = TcpListener::bind((host(0), 0)).await.unwrap();
        let port = first.local_addr().unwrap().port();
        let mut first = Some(first);
        for place in 0..count {
            let listener = match first.take() {
                Some(listener) => listener,
                None => TcpListener::bind((host(place), port)).await.unwrap(),
            };
            let (seen, fixed) = (Rc::clone(&seen), fixed.clone());
            spawn_local(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    spawn_local(node(place, stream, Rc::clone(&seen), fixed.clone()));
                }
            });
        }
        println!("{port}");
        let (told, mut hear) = tokio::sync::mpsc::unbounded_channel();
        thread::spawn(move || {
            for line in std::io::stdin().lines() {
                told.send(line.unwrap()).unwrap();
            }
        });
        while hear.recv().await.is_some() {
            let mut seen = seen.borrow_mut();
            let mut line = format!("{} {}", seen.latest.as_secs_f64() * 1e3, seen.bytes);
            for asked in &mut seen.asked {
                write!(line, " {asked}").unwrap();
                *asked = 0;
            }
            seen.latest = Duration::ZERO;
            println!("{line}");
        }
    });
}

async fn node(
    place: usize,
    mut stream: tokio::net::TcpStream,
    seen: Rc<RefCell<Seen>>,
    fixed: Option<Rc<str>>,
) {
    let mut question = [0; 4096];
    let mut filled = 0;
    let mut text = String::new();
    let start = Instant::now();
    while let Ok(length @ 1..) = stream.read(&mut question[filled..]).await {
        filled += length;
        if !question[..filled].ends_with(b"\r\n\r\n") {
            continue;
        }
        filled = 0;
        text.clear();
        match &fixed {
            Some(fixed) => text.push_str(fixed),
            None => jetson(place, start.elapsed().as_secs_f64(), &mut text),
        }
        {
            let (now, mut seen) = (Instant::now(), seen.borrow_mut());
            if let Some(last) = seen.last[place].replace(now) {
                let late = (now - last).saturating_sub(Duration::from_secs(1));
                seen.latest = seen.latest.max(late);
            }
            seen.asked[place] += 1;
            seen.bytes = text.len();
        }
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
            text.len()
        );
        let mut answer = head.into_bytes();
        answer.extend_from_slice(text.as_bytes());
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// What our agent says on a Jetson Nano, about 90 series.
fn jetson(place: usize, t: f64, out: &mut String) {
    let wave = |size: f64| size * (1.0 + (t * 0.7 + place as f64).sin()) / 2.0;
    let mut family = |name: &str, kind: &str, samples: &[(String, f64)]| {
        write!(
            out,
            "# HELP {name} As node_exporter or hpc-kiosk-agent explain it.\n# TYPE {name} {kind}\n"
        )
        .unwrap();
        for (labels, value) in samples {
            writeln!(out, "{name}{labels} {value}").unwrap();
        }
    };
    let one = |value: f64| vec![(String::new(), value)];
    let modes = ["idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"];
    let cpu: Vec<_> = (0..4)
        .flat_map(|core| modes.iter().map(move |mode| (core, mode)))
        .map(|(core, mode)| {
            let rate = if *mode == "idle" { 0.6 } else { 0.05 };
            let seconds = 1e5 + (t * rate * 100.0).round() / 100.0 + wave(0.2);
            (format!("{{cpu=\"{core}\",mode=\"{mode}\"}}"), seconds)
        })
        .collect();
    family("node_cpu_seconds_total", "counter", &cpu);
    let cores = |value: f64| -> Vec<_> {
        (0..4).map(|core| (format!("{{cpu=\"{core}\"}}"), value)).collect()
    };
    family("node_cpu_scaling_frequency_hertz", "gauge", &cores(1.479e9 - wave(5e8).round()));
    family("node_cpu_scaling_frequency_max_hertz", "gauge", &cores(1.479e9));
    for name in ["node_load1", "node_load5", "node_load15"] {
        family(name, "gauge", &one((wave(400.0)).round() / 100.0));
    }
    family("node_memory_MemTotal_bytes", "gauge", &one(4156964864.0));
    family("node_memory_MemAvailable_bytes", "gauge", &one(2e9 + wave(1e9).round()));
    family("node_memory_SwapTotal_bytes", "gauge", &one(2078482432.0));
    family("node_memory_SwapFree_bytes", "gauge", &one(2078482432.0));
    let devices = |value: f64| -> Vec<_> {
        ["eth0", "lo", "docker0"]
            .map(|device| (format!("{{device=\"{device}\"}}"), value.round()))
            .to_vec()
    };
    family("node_network_receive_bytes_total", "counter", &devices(1e9 + t * 1e6));
    family("node_network_transmit_bytes_total", "counter", &devices(2e9 + t * 2e6));
    family("node_network_speed_bytes", "gauge", &devices(125e6));
    family("node_network_up", "gauge", &devices(1.0));
    let disk = |value: f64| {
        vec![("{device=\"/dev/mmcblk0p1\",fstype=\"ext4\",mountpoint=\"/\"}".into(), value)]
    };
    family("node_filesystem_size_bytes", "gauge", &disk(1.4e10));
    family("node_filesystem_avail_bytes", "gauge", &disk(4e9));
    let zones: Vec<_> = ["AO-therm", "CPU-therm", "GPU-therm", "PLL-therm", "thermal-fan-est"]
        .iter()
        .enumerate()
        .map(|(zone, kind)| {
            (format!("{{type=\"{kind}\",zone=\"{zone}\"}}"), 40.0 + wave(30.0).round() / 2.0)
        })
        .collect();
    family("node_thermal_zone_temp", "gauge", &zones);
    let uname = format!(
        "{{domainname=\"(none)\",machine=\"aarch64\",nodename=\"node{place}\",release=\"4.9.253-tegra\",sysname=\"Linux\",version=\"#1 SMP PREEMPT Sat Feb 19 08:59:22 PST 2022\"}}"
    );
    family("node_uname_info", "gauge", &[(uname, 1.0)]);
    family("node_boot_time_seconds", "gauge", &one(1.7e9));
    let label = |text: &str, value: f64| vec![(text.to_owned(), value)];
    family(
        "hpc_board_info",
        "gauge",
        &label("{model=\"NVIDIA Jetson Nano Developer Kit\",release=\"R32.6.1\"}", 1.0),
    );
    family("hpc_power_mode_info", "gauge", &label("{mode=\"MAXN\"}", 1.0));
    family("hpc_gpu_info", "gauge", &label("{gpu=\"0\",name=\"GM20B\"}", 1.0));
    family("hpc_gpu_load_ratio", "gauge", &label("{gpu=\"0\"}", wave(1.0)));
    family("hpc_gpu_frequency_hertz", "gauge", &label("{gpu=\"0\"}", 9.216e8));
    family("hpc_fan_ratio", "gauge", &label("{fan=\"pwm-fan\"}", wave(1.0)));
    for (name, size) in
        [("hpc_rail_volts", 5.0), ("hpc_rail_amperes", 1.0), ("hpc_rail_watts", 5.0)]
    {
        let rails: Vec<_> = ["POM_5V_CPU", "POM_5V_GPU", "POM_5V_IN"]
            .iter()
            .map(|rail| {
                (
                    format!("{{origin=\"measured\",rail=\"{rail}\"}}"),
                    (wave(size) * 1e3).round() / 1e3,
                )
            })
            .collect();
        family(name, "gauge", &rails);
    }
    family(
        "hpc_node_power_watts",
        "gauge",
        &label(
            "{origin=\"measured\",scope=\"board\",source=\"ina3221\"}",
            (wave(8e3)).round() / 1e3,
        ),
    );
    family("hpc_supply_volts", "gauge", &label("{origin=\"measured\"}", 5.024));
    let flags: Vec<_> = ["under-voltage", "throttled"]
        .map(|reason| (format!("{{reason=\"{reason}\",since=\"now\"}}"), 0.0))
        .to_vec();
    family("hpc_throttled", "gauge", &flags);
    family("process_cpu_seconds_total", "counter", &one(t / 100.0));
    family("process_resident_memory_bytes", "gauge", &one(3e6));
    family("hpc_agent_build_info", "gauge", &label("{version=\"0.1.0\"}", 1.0));
}

/// The answer of a real node_exporter.
fn node_exporter() -> Rc<str> {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut exporter = Command::new("prometheus-node-exporter")
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stderr(Stdio::null())
        .spawn()
        .expect("prometheus-node-exporter is missing; ./kiosk bench fetches it");
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut stream = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => break stream,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        thread::yield_now();
    };
    // Without keep-alive and chunks the body is the rest.
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    exporter.kill().unwrap();
    exporter.wait().unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.into()
}
