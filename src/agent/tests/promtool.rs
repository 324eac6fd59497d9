//! Prometheus' own tools accept what the agent writes: promtool the text of every board, a real server the OpenMetrics.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod running;
mod tree;

use agent::{Node, Settings};
use running::{Agent, Prometheus, complaints, get, node_exporter};
use tree::{BOARDS, Tree, text};

#[test]
fn promtool_accepts_the_text_of_every_board_and_of_this_machine() {
    // node_exporter's own names for memory are not in snake case; promtool says so of its text too.
    let (_exporter, address) = node_exporter(&[]);
    let theirs = complaints(&get(address, "/metrics", "text/plain").body);
    let this = (String::from("this machine"), text(&Node::start(Settings::default())));
    let boards = BOARDS.iter().map(|(name, board)| {
        let tree = Tree::of(board);
        let node = Node::start(tree.settings());
        let slow = |board: &str| match board {
            "desktop" => "hpc_gpu_load_ratio",
            "raspberry-pi-5" => "hpc_supply_volts",
            _ => "node_load1",
        };
        tree::metrics_when(&node, |metrics| metrics.has(slow(name)));
        ((*name).to_owned(), text(&node))
    });
    for (name, text) in boards.chain([this]) {
        let ours = complaints(&text);
        let own: Vec<_> = ours.iter().filter(|complaint| !theirs.contains(complaint)).collect();
        assert!(own.is_empty(), "{name}: {own:?}");
        let about_memory = |complaint: &&String| complaint.starts_with("node_memory_");
        assert_eq!(ours.iter().filter(about_memory).count(), ours.len(), "{name}: {ours:?}");
    }
}

#[test]
fn promtool_refuses_what_is_wrong() {
    assert_eq!(complaints("# HELP x_total X.\n# TYPE x_total gauge\nx_total 1\n").len(), 1);
}

#[test]
fn a_real_prometheus_scrapes_the_open_metrics() {
    let boards: Vec<Tree> = BOARDS.iter().map(|(_, board)| Tree::of(board)).collect();
    let mut agents: Vec<Agent> = boards.iter().map(|tree| Agent::start_at(tree.root())).collect();
    agents.push(Agent::start());
    let targets: Vec<String> = agents.iter().map(|agent| format!("'{}'", agent.address)).collect();
    let prometheus = Prometheus::start(&format!(
        "scrape_configs: [{{job_name: agent, static_configs: [{{targets: [{}]}}]}}]\n",
        targets.join(", ")
    ));
    // Every target is up and has its samples; a text with a fault would leave its target down.
    prometheus.until(&[("up==1", agents.len()), ("node_load1", agents.len())]);
    assert_eq!(prometheus.series("hpc_node_power_watts{source=\"ina3221\"}"), 2);
    // It reads OpenMetrics' counter by the sample's name, and its type by the family's.
    assert_eq!(prometheus.series("node_cpu_seconds_total{cpu=\"7\",mode=\"nice\"}"), 1);
    let types = prometheus.api("metadata?metric=node_cpu_seconds");
    assert!(types.contains("\"type\":\"counter\""), "it did not read OpenMetrics: {types}");
}
