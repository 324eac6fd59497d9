//! What can go wrong with a file: each fault makes its own metrics absent, never wrong, and hides nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod tree;

use std::{
    fs,
    io::Write,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use agent::Node;
use tree::{BOARDS, Metrics, Tree, board, metrics_when, text};

/// The agent promises 150 ms; the machine of a test is busy with others.
const LONGEST: Duration = Duration::from_millis(450);

/// Every file of a tree that the agent may read, as a path below it; programs are left out.
fn files(tree: &Tree) -> Vec<String> {
    fn below(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            if kind.is_dir() {
                below(&path, found);
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    below(tree.root(), &mut found);
    let name = |path: PathBuf| path.strip_prefix(tree.root()).unwrap().to_str().unwrap().to_owned();
    let mut names: Vec<String> = found.into_iter().map(name).collect();
    names.retain(|name| !name.contains("bin/"));
    names.sort();
    names
}

/// Fails if `now` says anything that `before` did not say: a fault may take values away, never change one.
fn assert_nothing_is_wrong(before: &Metrics, now: &Metrics, fault: &str) {
    for (series, value) in &now.0 {
        let about_the_agent =
            ["hpc_agent_", "process_"].iter().any(|name| series.starts_with(name));
        if !about_the_agent {
            assert_eq!(before.get(series), Some(*value), "{fault}: {series}");
        }
    }
}

/// Series of `before` that `now` lacks.
fn lost<'a>(before: &'a Metrics, now: &Metrics) -> Vec<&'a str> {
    let about_the_agent = |series: &&str| series.starts_with("hpc_agent_");
    let all = before.0.keys().map(String::as_str).filter(|series| !about_the_agent(series));
    all.filter(|series| now.get(series).is_none()).collect()
}

/// Without programs every reading is the same.
fn without_programs(board: &str) -> Tree {
    let tree = Tree::of(board);
    for program in ["usr/bin/vcgencmd", "usr/bin/nvidia-smi", "usr/sbin/nvpmodel"] {
        let _ = fs::remove_file(tree.at(program));
    }
    tree
}

#[test]
fn a_file_that_is_missing_empty_garbage_or_unreadable_takes_only_its_own_away() {
    type Fault = (&'static str, fn(&Tree, &str));
    let faults: [Fault; 7] = [
        ("missing", |tree, file| tree.remove(file)),
        ("empty", |tree, file| tree.put(file, "")),
        ("garbage", |tree, file| tree.put(file, b"\x00\xff\xfe{}\"\\\n= ,,,\n:\n")),
        ("words", |tree, file| tree.put(file, "cpu0 x y z\nMemTotal: kB\nN/A\n")),
        ("a folder", |tree, file| {
            tree.remove(file);
            tree.at(&format!("{file}/x"));
        }),
        ("a link to itself", |tree, file| {
            tree.remove(file);
            symlink(tree.at(file), tree.at(file)).unwrap();
        }),
        ("huge", |tree, file| tree.put(file, "9".repeat(1_000_000))),
    ];
    for (name, text) in BOARDS {
        let tree = without_programs(text);
        let before = tree.metrics();
        for file in files(&tree) {
            let content = fs::read(tree.at(&file)).unwrap();
            for (kind, spoil) in faults {
                spoil(&tree, &file);
                let fault = format!("{name}: {file} is {kind}");
                let node = Node::start(tree.settings());
                let now = Metrics::of(&tree::text(&node));
                if !names_something(&file) && !is_fan(&file) {
                    assert_nothing_is_wrong(&before, &now, &fault);
                }
                let others_there =
                    file.starts_with("proc/loadavg") || now.get("node_load1").is_some();
                assert!(others_there, "{fault} hides the load");
                tree.put(&file, &content);
            }
        }
    }
}

/// What is in these files is told as a name, whatever it is.
fn names_something(file: &str) -> bool {
    let files = [
        "name",
        "type",
        "label",
        "model",
        "vendor",
        "release",
        "rail_name_",
        "nvpmodel",
        "proc/sys/kernel",
    ];
    let last = file.rsplit('/').next().unwrap();
    files.iter().any(|name| last.contains(name) || file.starts_with(name))
}

/// A fan is told from the next best file where the best one fails.
fn is_fan(file: &str) -> bool {
    file.contains("pwm") || file.contains("cooling_device0")
}

#[test]
fn a_value_beyond_what_its_sensor_can_say_is_absent() {
    let rails = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0";
    let gpu = "hpc_gpu_load_ratio{gpu=\"0\"}";
    let zone = "node_thermal_zone_temp{type=\"CPU-therm\",zone=\"1\"}";
    let input = "origin=\"measured\",rail=\"POM_5V_IN\"";
    let cases = [
        ("sys/devices/57000000.gpu/load", vec!["-1", "1001", "4294967295"], gpu.to_owned()),
        (
            "sys/class/thermal/thermal_zone1/temp",
            vec!["-256000", "151000", "-2147483648"],
            zone.into(),
        ),
        (
            &format!("{rails}/in_power0_input"),
            vec!["-1", "99999999"],
            format!("hpc_rail_watts{{{input}}}"),
        ),
        (
            &format!("{rails}/in_voltage0_input"),
            vec!["-5", "70000"],
            format!("hpc_rail_volts{{{input}}}"),
        ),
        (
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq",
            vec!["0", "-1", "99999999999"],
            "node_cpu_scaling_frequency_hertz{cpu=\"0\"}".into(),
        ),
        (
            "sys/class/net/eth0/speed",
            vec!["-1", "0", "4294967295"],
            "node_network_speed_bytes{device=\"eth0\"}".into(),
        ),
        (
            "sys/class/thermal/cooling_device1/cur_state",
            vec!["-1"],
            "hpc_throttled{reason=\"throttled\",since=\"now\"}".into(),
        ),
    ];
    let tree = without_programs(board("jetson-nano"));
    for (file, values, series) in cases {
        let content = fs::read(tree.at(file)).unwrap();
        assert!(tree.metrics().get(&series).is_some(), "{series} is not read from {file}");
        for value in values {
            tree.put(file, format!("{value}\n"));
            assert_eq!(tree.metrics().get(&series), None, "{file} says {value}");
        }
        tree.put(file, content);
    }
}

#[test]
fn files_that_block_take_only_their_source_away_and_the_agent_keeps_its_rate() {
    let tree = without_programs(board("jetson-nano"));
    let before = tree.metrics();
    // Rails, zones, clocks: three drivers that hang at once.
    let blocked = [
        ("sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0/in_power0_input", "1828\n"),
        ("sys/class/thermal/thermal_zone2/temp", "26500\n"),
        ("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1036800\n"),
    ];
    for (file, _) in blocked {
        tree.block(file);
    }
    let node = Node::start(tree.settings());
    for scrape in 0..20 {
        let begun = Instant::now();
        let metrics = Metrics::of(&text(&node));
        assert!(begun.elapsed() < LONGEST, "scrape {scrape} took {:?}", begun.elapsed());
        for source in ["rails", "thermal", "cpufreq"] {
            assert_eq!(metrics.up(source), Some(0.0), "{source}");
        }
        for source in
            ["cpu", "loadavg", "meminfo", "network", "uname", "fan", "board", "jetson-gpu"]
        {
            assert_eq!(metrics.up(source), Some(1.0), "{source} at scrape {scrape}");
        }
        for there in ["node_cpu_seconds_total", "node_load1", "hpc_gpu_load_ratio", "hpc_fan_ratio"]
        {
            assert!(metrics.has(there), "{there} at scrape {scrape}");
        }
        for absent in ["hpc_rail_watts", "hpc_node_power_watts", "node_thermal_zone_temp"] {
            assert!(!metrics.has(absent), "{absent} at scrape {scrape}");
        }
        assert_nothing_is_wrong(&before, &metrics, "three files block");
        // What is younger than 20 ms would be told again.
        std::thread::sleep(Duration::from_millis(105));
    }
    for (file, content) in blocked {
        release(&tree, file, content);
    }
    let metrics = metrics_when(&node, |metrics| lost(&before, metrics).is_empty());
    assert_nothing_is_wrong(&before, &metrics, "the drivers came back");
}

/// Lets whoever waits for the file have its content, and those after it a plain file.
fn release(tree: &Tree, file: &str, content: &str) {
    let mut pipe = fs::OpenOptions::new().write(true).open(tree.at(file)).unwrap();
    tree.put(file, content);
    pipe.write_all(content.as_bytes()).unwrap();
}

#[test]
fn a_load_of_a_gpu_that_blocks_is_absent() {
    let tree = without_programs(board("jetson-nano"));
    let node = Node::start(tree.settings());
    metrics_when(&node, |metrics| metrics.has("hpc_gpu_load_ratio"));
    tree.block("sys/devices/57000000.gpu/load");
    let metrics = metrics_when(&node, |metrics| !metrics.has("hpc_gpu_load_ratio"));
    assert!(metrics.has("hpc_gpu_frequency_hertz") && metrics.has("node_load1"));
}

#[test]
fn programs_that_hang_are_ended_and_take_only_their_own_away() {
    for (name, program, absent, there) in [
        ("raspberry-pi-5", "usr/bin/vcgencmd", "hpc_node_power_watts", "hpc_fan_ratio"),
        ("desktop", "usr/bin/nvidia-smi", "hpc_gpu_load_ratio", "node_hwmon_temp_celsius"),
        ("jetson-nano", "usr/sbin/nvpmodel", "hpc_power_mode_info", "hpc_rail_watts"),
    ] {
        let tree = Tree::of(board(name));
        let marker = tree.at("asked");
        tree.put(
            program,
            format!("#!/bin/sh\necho $$ >> '{}'\nexec sleep 600\n", marker.display()),
        );
        let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
        fs::set_permissions(tree.at(program), mode).unwrap();
        let node = Node::start(tree.settings());
        for _ in 0..10 {
            let begun = Instant::now();
            let metrics = Metrics::of(&text(&node));
            assert!(begun.elapsed() < LONGEST, "{name}: {:?}", begun.elapsed());
            assert!(!metrics.has(absent) && metrics.has(there), "{name}");
            std::thread::sleep(Duration::from_millis(105));
        }
        let asked = fs::read_to_string(&marker).unwrap();
        let first = asked.lines().next().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while fs::read_to_string(format!("/proc/{first}/cmdline"))
            .is_ok_and(|line| line.contains("600"))
        {
            assert!(Instant::now() < deadline, "{program} is left running");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn files_that_come_and_go_while_they_are_read_are_there_or_absent() {
    let tree = without_programs(board("raspberry-pi-5"));
    let before = tree.metrics();
    let node = Node::start(tree.settings());
    let monitor = tree.at("sys/class/hwmon/hwmon2");
    let target = fs::read_link(&monitor).unwrap();
    let temp = tree.at("sys/devices/virtual/thermal/thermal_zone0/temp");
    let until = Instant::now() + Duration::from_secs(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while Instant::now() < until {
                fs::remove_file(&monitor).unwrap();
                fs::write(&temp, "").unwrap();
                fs::write(&temp, "61150\n").unwrap();
                symlink(&target, &monitor).unwrap();
            }
        });
        while Instant::now() < until {
            let now = Metrics::of(&text(&node));
            // Without the monitor's own word the fan is told from its cooling device: 2 of 4 steps.
            let ratio = now.get("hpc_fan_ratio{fan=\"pwmfan\"}");
            assert!(ratio.is_none_or(|ratio| ratio == 125.0 / 255.0), "{ratio:?}");
            let zone = now.get("node_thermal_zone_temp{type=\"cpu-thermal\",zone=\"0\"}");
            assert!(zone.is_none_or(|celsius| celsius == 61.15), "{zone:?}");
            assert!(now.has("node_load1"));
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    let metrics = metrics_when(&node, |metrics| lost(&before, metrics).is_empty());
    assert_nothing_is_wrong(&before, &metrics, "afterwards");
}

#[test]
fn a_counter_is_told_as_it_is_when_it_wraps() {
    let tree = without_programs(board("bare-vm"));
    let line = |bytes: u64| format!("  eth0: {bytes} 0 0 0 0 0 0 0 {bytes} 0 0 0 0 0 0 0\n");
    for bytes in [u64::MAX, 0, 5] {
        tree.put("proc/net/dev", line(bytes));
        let received = tree.metrics().get("node_network_receive_bytes_total{device=\"eth0\"}");
        assert_eq!(received, Some(bytes as f64));
    }
}

#[test]
fn a_tree_with_nothing_in_it_is_no_reason_to_fail() {
    let tree = Tree::of("");
    let metrics = Metrics::of(&text(&Node::start(tree.settings())));
    let known = ["hpc_agent_", "process_"];
    let invented: Vec<_> = metrics
        .0
        .keys()
        .filter(|series| !known.iter().any(|known| series.starts_with(known)))
        .collect();
    assert!(invented.is_empty(), "{invented:?}");
    assert_eq!(metrics.up("cpu"), Some(0.0));
}
