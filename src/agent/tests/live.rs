//! What the agent says of this machine, against `/proc` read by the test itself and against Debian's node_exporter
//! beside it; and of each captured tree, against node_exporter reading the same tree.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod running;
mod tree;

use std::fs;

use agent::{Node, Settings};
use running::{get, node_exporter, node_exporter_of};
use tree::{BOARDS, Metrics, Tree, text};

/// The number of a line of `/proc/meminfo`, in bytes.
fn meminfo(field: &str) -> f64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap();
    let line = text.lines().find(|line| line.split(':').next() == Some(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 1024.0
}

/// The numbers of each line of `/proc/stat` that is a core's.
fn cores() -> Vec<Vec<f64>> {
    let text = fs::read_to_string("/proc/stat").unwrap();
    let core = |line: &&str| line.starts_with("cpu") && !line.starts_with("cpu ");
    let numbers =
        |line: &str| line.split(' ').skip(1).map(|number| number.parse().unwrap()).collect();
    text.lines().filter(core).map(numbers).collect()
}

fn this_machine() -> Metrics {
    Metrics::of(&text(&Node::start(Settings::default())))
}

#[test]
fn values_are_those_of_proc() {
    let before = cores();
    let metrics = this_machine();
    let after = cores();
    let modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
    for (core, (before, after)) in before.iter().zip(&after).enumerate() {
        for (mode, (before, after)) in modes.iter().zip(before.iter().zip(after)) {
            let series = format!("node_cpu_seconds_total{{cpu=\"{core}\",mode=\"{mode}\"}}");
            let seconds = metrics.get(&series).unwrap();
            // The kernel itself may take back a tick of these two.
            let back = if ["idle", "iowait"].contains(mode) { 0.05 } else { 0.0 };
            let (least, most) = (before / 100.0 - back, after / 100.0 + back);
            assert!((least..=most).contains(&seconds), "{series}: {least} <= {seconds} <= {most}");
        }
    }
    assert_eq!(metrics.get("node_memory_MemTotal_bytes"), Some(meminfo("MemTotal")));
    assert_eq!(metrics.get("node_memory_SwapTotal_bytes"), Some(meminfo("SwapTotal")));
    let available = metrics.get("node_memory_MemAvailable_bytes").unwrap();
    assert!((available - meminfo("MemAvailable")).abs() < 0.1 * meminfo("MemTotal"));
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let uname = metrics.family("node_uname_info");
    assert!(uname[0].0.contains(&format!("release=\"{}\"", release.trim())));
    assert!(uname[0].0.contains(&format!("nodename=\"{}\"", host.trim())));
    let space = Command::df();
    assert_eq!(metrics.family("node_filesystem_size_bytes")[0].1, space);
    let resident = metrics.get("process_resident_memory_bytes").unwrap();
    assert!((1e6..1e9).contains(&resident), "{resident}");
}

/// Asks coreutils' df.
struct Command;

impl Command {
    fn df() -> f64 {
        let output = std::process::Command::new("df")
            .args(["--block-size=1", "--output=size", "/"])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().lines().nth(1).unwrap().trim().parse().unwrap()
    }
}

/// Families that both tell, and how far apart two readings may be: absolute, and as a share.
const BOTH: &[(&str, f64, f64)] = &[
    ("node_cpu_seconds_total", 5.0, 0.0),
    ("node_load1", 0.5, 0.2),
    ("node_load5", 0.5, 0.2),
    ("node_load15", 0.5, 0.2),
    ("node_memory_MemTotal_bytes", 0.0, 0.0),
    ("node_memory_MemAvailable_bytes", 0.0, 0.2),
    ("node_memory_SwapTotal_bytes", 0.0, 0.0),
    ("node_memory_SwapFree_bytes", 0.0, 0.1),
    ("node_network_receive_bytes_total", 20e6, 0.0),
    ("node_network_transmit_bytes_total", 20e6, 0.0),
    ("node_network_up", 0.0, 0.0),
    ("node_filesystem_size_bytes", 0.0, 0.0),
    ("node_filesystem_avail_bytes", 5e9, 0.0),
    ("node_boot_time_seconds", 1.0, 0.0),
    ("node_uname_info", 0.0, 0.0),
    ("node_cpu_scaling_frequency_max_hertz", 0.0, 0.0),
    ("node_cpu_scaling_frequency_hertz", 5e9, 0.0),
    ("node_hwmon_chip_names", 0.0, 0.0),
    ("node_hwmon_temp_celsius", 20.0, 0.0),
    ("node_thermal_zone_temp", 20.0, 0.0),
];

#[test]
fn names_labels_and_values_are_those_of_node_exporter() {
    let (_exporter, address) = node_exporter(&[]);
    let ours = this_machine();
    let theirs = Metrics::of(&get(address, "/metrics", "text/plain").body);
    for (family, apart, share) in BOTH {
        for (series, value) in ours.family(family) {
            let their =
                theirs.get(series).unwrap_or_else(|| panic!("node_exporter has no {series}"));
            let apart = apart.max(share * their.abs());
            assert!(
                (value - their).abs() <= apart,
                "{series}: {value}, and {their} by node_exporter"
            );
        }
    }
    for family in ["node_cpu_seconds_total", "node_network_receive_bytes_total", "node_load1"] {
        assert_eq!(ours.family(family).len(), theirs.family(family).len(), "{family}");
    }
    let speeds = theirs.family("node_network_speed_bytes");
    for (series, speed) in speeds.into_iter().filter(|(series, _)| !series.contains("\"lo\"")) {
        // -1 Mbit/s, which it tells of an interface without a speed, is not a speed.
        assert_eq!(ours.get(series), Some(speed).filter(|speed| 0.0 < *speed), "{series}");
    }
}

/// What node_exporter has and we leave out on purpose.
fn left_out(series: &str, value: f64) -> bool {
    // The sensor of a device that is a zone's own file, told as a zone.
    let zone = series.contains("sensor=\"temp0\"");
    let dummy = series.contains("PMIC-Die");
    let is_temperature = ["node_hwmon_temp_celsius", "node_thermal_zone_temp"]
        .iter()
        .any(|family| series.starts_with(family));
    let no_temperature = is_temperature && value < -40.0;
    // 0 revolutions of a fan that is told to turn.
    let not_counted = series.starts_with("node_hwmon_fan_rpm") && value == 0.0;
    let loopback = series.contains("device=\"lo\"");
    zone || dummy || no_temperature || not_counted || loopback
}

/// Whether it is of a core that was never idle and never busy: node_exporter fills the gaps between cores with zeros.
fn off_line(theirs: &Metrics, series: &str) -> bool {
    let Some((core, _)) = series.split_once(",mode=") else { return false };
    theirs.0.iter().all(|(series, value)| !series.starts_with(core) || *value == 0.0)
}

#[test]
fn each_captured_tree_is_read_as_node_exporter_reads_it() {
    let families = [
        "node_cpu_seconds_total",
        "node_boot_time_seconds",
        "node_load1",
        "node_load5",
        "node_load15",
        "node_memory_MemTotal_bytes",
        "node_memory_MemAvailable_bytes",
        "node_memory_SwapTotal_bytes",
        "node_memory_SwapFree_bytes",
        "node_network_receive_bytes_total",
        "node_network_transmit_bytes_total",
        "node_hwmon_chip_names",
        "node_hwmon_sensor_label",
        "node_hwmon_temp_celsius",
        "node_hwmon_fan_rpm",
        "node_hwmon_pwm",
        "node_hwmon_in_volts",
        "node_hwmon_curr_amps",
        "node_hwmon_in_lcrit_alarm_volts",
        "node_thermal_zone_temp",
        "node_cooling_device_cur_state",
        "node_cooling_device_max_state",
        "node_rapl_package_joules_total",
    ];
    let mut compared = 0;
    for (name, board) in BOARDS {
        let tree = Tree::of(board);
        let alarm = "sys/class/hwmon/hwmon3/in0_lcrit_alarm";
        if tree.root().join(alarm).exists() {
            tree.put(alarm, "1\n");
        }
        let sys = tree.at("sys");
        let (_exporter, address) = node_exporter_of(tree.root());
        let theirs = Metrics::of(&get(address, "/metrics", "text/plain").body);
        let ours = tree.metrics();
        for family in families {
            for (series, value) in theirs.family(family) {
                // It writes where it reads; we write where the kernel has it.
                let plain = series.replace(sys.to_str().unwrap(), "/sys");
                if !left_out(&plain, value) && !off_line(&theirs, &plain) {
                    let our =
                        ours.get(&plain).unwrap_or_else(|| panic!("{name}: we have no {plain}"));
                    assert!(
                        (our - value).abs() <= 1e-9 * value.abs(),
                        "{name}: {plain} {our}, theirs {value}"
                    );
                    compared += 1;
                }
            }
            for (series, value) in ours.family(family) {
                let there = theirs
                    .0
                    .keys()
                    .any(|their| their.replace(sys.to_str().unwrap(), "/sys") == series);
                assert!(there, "{name}: node_exporter has no {series} {value}");
            }
        }
    }
    assert!(150 < compared, "only {compared} series were compared");
}
