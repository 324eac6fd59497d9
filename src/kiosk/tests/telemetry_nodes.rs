//! The kiosk reads real agents, Debian's real node_exporter, and this machine without either; and offers what it knows to
//! a real Prometheus.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../../agent/tests/running/mod.rs"]
mod running;
#[path = "../../agent/tests/tree/mod.rs"]
mod tree;

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use kiosk::{
    config::{Metrics, NodeAddress, NodeEntry},
    telemetry::{
        Freshness, Node, SharedHistory, Telemetry, Trouble,
        gather::Gatherer,
        history::{Quantity, Span},
        reading::{Complaint, Flag, Origin, Reading, Scope},
    },
};
use running::{Agent, PATIENCE, Prometheus, ask, complaints, get, node_exporter, node_exporter_of};
use tokio::sync::watch;
use tree::{BOARDS, Tree, board};
use wire::channel::Processor;

struct Gathering {
    gatherer: Gatherer,
    shown: watch::Receiver<Telemetry>,
    history: SharedHistory,
    problems: Vec<String>,
}

impl Gathering {
    fn start(nodes: &[(&str, SocketAddr)], listen: Option<&str>) -> Self {
        let entry = |(place, (name, address)): (usize, &(&str, SocketAddr))| NodeEntry {
            name: (*name).to_owned(),
            address: NodeAddress::Agent { host: address.ip().to_string(), port: address.port() },
            colour: place,
            slots: None,
            usb_pair: None,
            processor: Processor::Auto,
        };
        let nodes: Vec<NodeEntry> = nodes.iter().enumerate().map(entry).collect();
        let metrics =
            Metrics { listen: listen.map(|text| text.parse().unwrap()), ..Metrics::default() };
        let (seen, shown) = watch::channel(Telemetry::default());
        let (history, mut problems) = (SharedHistory::default(), Vec::new());
        let gatherer =
            Gatherer::start(&nodes, &metrics, seen, Arc::clone(&history), &mut problems).unwrap();
        Self { gatherer, shown, history, problems }
    }

    fn node(&self, place: usize) -> Arc<Node> {
        Arc::clone(&self.shown.borrow().nodes[place])
    }

    /// What a node says once `wanted` holds.
    fn reading_when(&self, place: usize, wanted: impl Fn(&Reading) -> bool) -> Arc<Reading> {
        let begun = Instant::now();
        loop {
            let node = self.node(place);
            if let Some(reading) = node.reading.clone().filter(|reading| wanted(reading)) {
                return reading;
            }
            assert!(begun.elapsed() < PATIENCE, "never came: {node:#?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn until(&self, place: usize, what: &str, wanted: impl Fn(&Node) -> bool) {
        let begun = Instant::now();
        while !wanted(&self.node(place)) {
            assert!(begun.elapsed() < PATIENCE, "{what} never came: {:#?}", self.node(place));
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn has_load(reading: &Reading) -> bool {
    reading.load.is_some()
}

/// A line of a file of this machine, trimmed.
fn file(path: &str) -> String {
    fs::read_to_string(path).unwrap().trim().to_owned()
}

/// What any source of this machine must say.
fn assert_is_this_machine(reading: &Reading) {
    let load = reading.load.unwrap();
    assert!((0.0..=1.0).contains(&load), "{load}");
    let stat = file("/proc/stat");
    let cores = stat.lines().filter(|line| line.starts_with("cpu")).count() - 1;
    assert_eq!(reading.cores.len(), cores);
    let meminfo = file("/proc/meminfo");
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap();
    let total: f64 = total.trim().trim_end_matches(" kB").parse().unwrap();
    assert_eq!(reading.memory.unwrap().total_bytes, total * 1024.0);
    assert_eq!(reading.host.as_deref(), Some(&file("/proc/sys/kernel/hostname")[..]));
    assert_eq!(reading.kernel.as_deref(), Some(&file("/proc/sys/kernel/osrelease")[..]));
    assert!(reading.disks.iter().any(|disk| disk.mount == "/"), "{:?}", reading.disks);
}

#[test]
fn this_machine_is_read_directly_without_any_agent() {
    let gathering = Gathering::start(&[], None);
    assert_is_this_machine(&gathering.reading_when(0, has_load));
    let node = gathering.node(0);
    assert_eq!(node.name, file("/proc/sys/kernel/hostname").split('.').next().unwrap());
    assert_eq!((node.freshness(Instant::now()), node.refused), (Freshness::Fresh, 0));
    gathering.gatherer.stop().unwrap();
}

#[test]
fn a_node_is_read_by_its_agent_and_by_debians_node_exporter_alike() {
    let (agent, (_exporter, exporter)) = (Agent::start(), node_exporter(&[]));
    let gathering = Gathering::start(&[("ours", agent.address), ("theirs", exporter)], None);
    let [ours, theirs] = [0, 1].map(|place| gathering.reading_when(place, has_load));
    for reading in [&ours, &theirs] {
        assert_is_this_machine(reading);
    }
    let devices = |reading: &Reading| -> Vec<_> {
        let mut devices: Vec<_> = reading
            .networks
            .iter()
            .map(|network| (network.device.clone(), network.up, network.speed_per_s))
            .collect();
        devices.sort_by(|one, other| one.0.cmp(&other.0));
        devices
    };
    assert_eq!(devices(&ours), devices(&theirs));
    // Load averages move every five seconds.
    for (our, their) in ours.load_average.unwrap().iter().zip(theirs.load_average.unwrap()) {
        assert!((our - their).abs() < 1.0, "{our} {their}");
    }
    for place in [0, 1] {
        assert_eq!(gathering.node(place).refused, 0, "nothing of a real answer is absurd");
    }
    gathering.gatherer.stop().unwrap();
}

#[test]
fn each_board_says_the_same_by_its_agent_and_by_a_node_exporter() {
    let trees: Vec<Tree> = BOARDS.iter().map(|(_, board)| Tree::of(board)).collect();
    let sagging = BOARDS.iter().position(|(name, _)| *name == "raspberry-pi-5").unwrap();
    trees[sagging].put("sys/class/hwmon/hwmon3/in0_lcrit_alarm", "1\n");
    let agents: Vec<Agent> = trees.iter().map(|tree| Agent::start_at(tree.root())).collect();
    let exporters: Vec<_> = trees.iter().map(|tree| node_exporter_of(tree.root())).collect();
    let nodes: Vec<(&str, SocketAddr)> = agents
        .iter()
        .map(|agent| agent.address)
        .chain(exporters.iter().map(|(_, at)| *at))
        .map(|at| ("n", at))
        .collect();
    let gathering = Gathering::start(&nodes, None);
    let known = |reading: &Reading| reading.load_average.is_some();
    for (place, (name, _)) in BOARDS.iter().enumerate() {
        let ours = gathering.reading_when(place, known);
        let theirs = gathering.reading_when(place + BOARDS.len(), known);
        assert_eq!(ours.celsius, theirs.celsius, "{name}");
        assert_eq!(ours.load_average, theirs.load_average, "{name}");
        assert_eq!(ours.memory, theirs.memory, "{name}");
        let mut temperatures = [&ours, &theirs].map(|reading| {
            let named = reading.temperatures.iter().map(|t| (t.name.clone(), t.celsius));
            named.collect::<Vec<_>>()
        });
        for list in &mut temperatures {
            list.sort_by(|one, other| one.0.cmp(&other.0));
        }
        assert_eq!(temperatures[0], temperatures[1], "{name}");
        let sags = Flag { complaint: Complaint::UnderVoltage, now: true };
        for reading in [&ours, &theirs] {
            assert_eq!(
                reading.flags.contains(&sags),
                place == sagging,
                "{name}: {:?}",
                reading.flags
            );
        }
    }
    gathering.gatherer.stop().unwrap();
}

#[test]
fn what_a_jetson_and_a_pi_measure_and_estimate_arrives_as_that() {
    let (nano, pi) = (Tree::of(board("jetson-nano")), Tree::of(board("raspberry-pi-5")));
    let agents = [&nano, &pi].map(|tree| Agent::start_at(tree.root()));
    let nodes = [("major-tom", agents[0].address), ("bowie", agents[1].address)];
    let gathering = Gathering::start(&nodes, None);
    let nano = gathering.reading_when(0, |reading| reading.power.is_some());
    let pi = gathering.reading_when(1, |reading| reading.power.is_some());
    let (nano_power, pi_power) = (nano.power.unwrap(), pi.power.unwrap());
    assert_eq!((nano_power.origin, nano_power.scope), (Origin::Measured, Scope::Board));
    assert_eq!((pi_power.origin, pi_power.scope), (Origin::Estimated, Scope::Board));
    assert!((pi_power.watts - 7.3687).abs() < 0.0001, "{pi_power:?}");
    assert!(nano.temperatures.iter().all(|sensor| sensor.name != "PMIC-Die"));
    let now = Instant::now();
    let mut slots = Vec::new();
    gathering.history.lock().unwrap().slots(0, Quantity::Watts, Span::Minute, now, &mut slots);
    let kept: Vec<_> = slots.iter().flatten().collect();
    assert!(!kept.is_empty() && kept.iter().all(|band| band.mean == nano_power.watts as f32));
    gathering.gatherer.stop().unwrap();
}

#[test]
fn a_node_that_goes_is_told_by_its_cause_and_one_that_comes_back_is_read_again() {
    let tree = Tree::of(board("jetson-nano"));
    let agent = Agent::start_at(tree.root());
    let address = agent.address;
    let gathering = Gathering::start(&[("major-tom", address)], None);
    gathering.reading_when(0, |_| true);
    drop(agent);
    gathering.until(0, "the loss", |node| node.trouble == Some(Trouble::NoAgent));
    gathering.until(0, "that it is stale", |node| {
        matches!(node.freshness(Instant::now()), Freshness::Stale { .. })
    });
    let _agent = Agent::start_again(tree.root(), address);
    gathering.until(0, "the return", |node| {
        node.trouble.is_none() && node.freshness(Instant::now()) == Freshness::Fresh
    });
    gathering.gatherer.stop().unwrap();
}

/// A kiosk that offers what two boards and this machine say.
fn offering() -> (Gathering, SocketAddr, Vec<Agent>, [Tree; 2]) {
    let trees = [board("jetson-nano"), board("raspberry-pi-5")].map(Tree::of);
    let mut agents: Vec<Agent> = trees.iter().map(|tree| Agent::start_at(tree.root())).collect();
    agents.push(Agent::start());
    let named = ["major-tom", "bowie", "this-machine"].into_iter().zip(&agents);
    let nodes: Vec<_> = named.map(|(name, agent)| (name, agent.address)).collect();
    let gathering = Gathering::start(&nodes, Some("127.0.0.1:0"));
    let address = gathering.gatherer.offers_at().unwrap();
    gathering.reading_when(0, |reading| reading.power.is_some());
    gathering.reading_when(1, |reading| reading.power.is_some());
    gathering.reading_when(2, has_load);
    (gathering, address, agents, trees)
}

#[test]
fn promtool_and_a_real_prometheus_accept_what_the_kiosk_offers() {
    let (gathering, address, _agents, _trees) = offering();
    let ours = complaints(&get(address, "/metrics", "text/plain").body);
    // node_exporter's own names for memory are not in snake case; promtool says so of its text too.
    let others: Vec<_> = ours.iter().filter(|said| !said.starts_with("node_memory_")).collect();
    assert!(others.is_empty(), "{others:?}");

    let snippet = include_str!("../../../assets/prometheus.yml")
        .replace("127.0.0.1:9102", &address.to_string());
    let job = snippet.find("scrape_configs:").expect("the snippet has scrape_configs");
    let prometheus = Prometheus::start(&snippet[job..]);
    prometheus.until(&[("up==1", 1), ("hpc_node_up==1", 3), ("node_load1", 3)]);
    assert_eq!(prometheus.series("hpc_node_power_watts{node=\"bowie\",origin=\"estimated\"}"), 1);
    let types = prometheus.api("metadata?metric=node_cpu_seconds");
    assert!(types.contains("\"type\":\"counter\""), "it did not read OpenMetrics: {types}");

    // Every query of the dashboard is one that this Prometheus understands and has an answer for.
    for query in queries(include_str!("../../../assets/grafana.json")) {
        let written = query.replace("$node", ".*").replace("$__rate_interval", "5s");
        let begun = Instant::now();
        while prometheus.series(&encoded(&written)) == 0 {
            assert!(
                begun.elapsed() < PATIENCE,
                "no answer to {written}: {}",
                prometheus.api(&format!("query?query={}", encoded(&written)))
            );
            thread::sleep(Duration::from_millis(200));
        }
    }
    gathering.gatherer.stop().unwrap();
}

/// The queries of a dashboard's panels.
fn queries(dashboard: &str) -> Vec<String> {
    let dashboard: serde_json::Value = serde_json::from_str(dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let queries: Vec<String> =
        targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect();
    assert!(8 <= queries.len(), "{queries:?}");
    queries
}

/// Percent-encoded for a query of HTTP.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[test]
fn who_asks_the_kiosk_too_slowly_or_wrongly_keeps_nobody_from_an_answer() {
    let (gathering, address, _agents, _trees) = offering();
    let mut idle: Vec<TcpStream> = (0..40).map(|_| TcpStream::connect(address).unwrap()).collect();
    for stream in &mut idle {
        stream.write_all(b"GET /met").unwrap();
    }
    // The forty are ahead of this one; they are given up after five seconds each, sixteen at a time.
    let begun = Instant::now();
    let answer = get(address, "/metrics", "application/openmetrics-text");
    assert!(begun.elapsed() < PATIENCE);
    assert!(answer.body.ends_with("# EOF\n"));
    assert_eq!(answer.status(), "200");
    drop(idle);

    assert_eq!(get(address, "/", "*/*").status(), "200");
    assert_eq!(get(address, "/etc/passwd", "*/*").status(), "404");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let post = "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(ask(&mut stream, post).status(), "405");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let long = format!("GET /metrics HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(64 << 10));
    // The connection may be closed while it is still being written to.
    let _ = stream.write_all(long.as_bytes());
    let mut refused = Vec::new();
    let _ = stream.read_to_end(&mut refused);
    let refused = String::from_utf8_lossy(&refused);
    assert!(refused.is_empty() || refused.starts_with("HTTP/1.1 431"), "{refused}");

    for place in 0..3 {
        let freshness = gathering.node(place).freshness(Instant::now());
        assert_eq!(freshness, Freshness::Fresh, "asking goes on all the while");
    }
    gathering.gatherer.stop().unwrap();
}

#[test]
fn nothing_is_offered_unless_the_owner_wants_it_and_a_taken_address_is_said() {
    let quiet = Gathering::start(&[], None);
    assert_eq!(quiet.gatherer.offers_at(), None);
    quiet.gatherer.stop().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let gathering = Gathering::start(&[], Some(&address));
    assert_eq!(gathering.gatherer.offers_at(), None);
    let problem = &gathering.problems[0];
    assert!(problem.contains(&address) && problem.contains("[metrics] listen"), "{problem}");
    gathering.reading_when(0, |_| true);
    gathering.gatherer.stop().unwrap();
}
