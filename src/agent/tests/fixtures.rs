//! What the agent makes of each board's captured tree.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod tree;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use agent::{Node, Settings};
use tree::{Metrics, Tree, board, metrics_when};

/// The agent's own output for a tree, run as a user without any right but those that `capabilities` give, as
/// setpriv(1) takes them.
fn once_unprivileged(tree: &Tree, capabilities: &[&str]) -> Output {
    // A copy that everyone may run, wherever the build is.
    let program = tree.at("hpc-kiosk-agent");
    fs::copy(env!("CARGO_BIN_EXE_hpc-kiosk-agent"), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .args(capabilities)
            .arg(&program);
        command
    } else {
        Command::new(&program)
    };
    command.args(["--once", "--root"]).arg(tree.root()).output().unwrap()
}

fn close(found: Option<f64>, expected: f64) {
    let found = found.unwrap_or_else(|| panic!("absent instead of {expected}"));
    assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found} is not {expected}");
}

const RAILS: &str = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0";

#[test]
fn a_jetson_nano_tells_its_rails_gpu_zones_and_fan() {
    let tree = Tree::of(board("jetson-nano"));
    let metrics = tree.metrics_when(|metrics| metrics.has("hpc_power_mode_info"));
    let rail = |name: &str| format!("origin=\"measured\",rail=\"{name}\"");
    let (input, gpu, cpu) = (rail("POM_5V_IN"), rail("POM_5V_GPU"), rail("POM_5V_CPU"));
    metrics.assert_family("hpc_rail_watts", &[(&input, 1.828), (&gpu, 0.121), (&cpu, 0.243)]);
    metrics.assert_family("hpc_rail_volts", &[(&input, 5.024), (&gpu, 5.016), (&cpu, 5.016)]);
    metrics.assert_family("hpc_rail_amperes", &[(&input, 0.364), (&gpu, 0.024), (&cpu, 0.048)]);
    // The rail at the input, not 1.828 + 0.121 + 0.243.
    let node = "origin=\"measured\",scope=\"board\",source=\"ina3221\"";
    metrics.assert_family("hpc_node_power_watts", &[(node, 1.828)]);
    metrics.assert_family("hpc_supply_volts", &[("origin=\"measured\"", 5.024)]);
    metrics.assert_family("hpc_gpu_load_ratio", &[("gpu=\"0\"", 0.453)]);
    metrics.assert_family("hpc_gpu_frequency_hertz", &[("gpu=\"0\"", 76.8e6)]);
    metrics.assert_family("hpc_fan_ratio", &[("fan=\"pwm-fan\"", 0.4)]);
    metrics.assert_family(
        "node_thermal_zone_temp",
        &[
            ("type=\"AO-therm\",zone=\"0\"", 31.0),
            ("type=\"CPU-therm\",zone=\"1\"", 24.5),
            ("type=\"GPU-therm\",zone=\"2\"", 26.5),
            ("type=\"PLL-therm\",zone=\"3\"", 24.5),
            ("type=\"thermal-fan-est\",zone=\"5\"", 25.5),
        ],
    );
    metrics.assert_family(
        "hpc_throttled",
        &[
            ("reason=\"throttled\",since=\"now\"", 0.0),
            ("reason=\"under-voltage\",since=\"now\"", 0.0),
        ],
    );
    metrics.assert_family(
        "hpc_board_info",
        &[("model=\"NVIDIA Jetson Nano Developer Kit\",release=\"L4T 32.6.1\"", 1.0)],
    );
    metrics.assert_family("hpc_power_mode_info", &[("mode=\"MAXN\"", 1.0)]);
    metrics.assert_family("node_cpu_scaling_frequency_hertz", &[("cpu=\"0\"", 1036.8e6)]);
    metrics.assert_family("node_cpu_scaling_frequency_max_hertz", &[("cpu=\"0\"", 1479e6)]);
    metrics.assert_family("node_network_speed_bytes", &[("device=\"eth0\"", 125e6)]);
    close(metrics.get("node_memory_MemTotal_bytes"), 4_156_641_280.0);
    close(metrics.get("node_cpu_seconds_total{cpu=\"3\",mode=\"iowait\"}"), 2.61);
    // Its memory is shared: a graphics memory of its own would be invented.
    assert!(
        !metrics.has("hpc_gpu_memory_size_bytes") && !metrics.has("hpc_gpu_temperature_celsius")
    );
}

#[test]
fn a_jetson_without_a_fan_reports_none() {
    let tree = Tree::of(board("jetson-nano"));
    // The files of the connector are there all the same: its owner says so.
    let node = Node::start(Settings { fan_fitted: false, ..tree.settings() });
    let metrics = metrics_when(&node, |metrics| metrics.has("hpc_gpu_load_ratio"));
    assert!(!metrics.has("hpc_fan_ratio"));
    assert_eq!(metrics.up("fan"), None);
    // Nor by any other name, from which a reader could conclude that there is one.
    for family in ["node_cooling_device_cur_state", "node_hwmon_pwm", "node_hwmon_fan_rpm"] {
        let of_a_fan = |(series, _): &(&str, f64)| series.contains("fan");
        assert_eq!(metrics.family(family).into_iter().find(of_a_fan), None);
    }
    // A board without the connector has no files.
    tree.remove("sys/devices/pwm-fan");
    tree.remove("sys/class/thermal/cooling_device0");
    let metrics = tree.metrics();
    assert!(!metrics.has("hpc_fan_ratio"));
    assert_eq!(metrics.up("fan"), None, "what is not there has not failed");
}

#[test]
fn rails_that_may_not_be_read_are_absent_and_their_source_is_down() {
    let tree = Tree::of(board("jetson-nano"));
    for kind in ["voltage", "current", "power"] {
        for channel in 0..3 {
            let file = tree.at(&format!("{RAILS}/in_{kind}{channel}_input"));
            fs::set_permissions(file, fs::Permissions::from_mode(0o000)).unwrap();
        }
    }
    let output = once_unprivileged(&tree, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metrics = Metrics::of(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(metrics.up("rails"), Some(0.0));
    for absent in ["hpc_rail_watts", "hpc_rail_volts", "hpc_node_power_watts", "hpc_supply_volts"] {
        assert!(!metrics.has(absent), "{absent} was invented");
    }
    assert_eq!(metrics.get("hpc_throttled{reason=\"under-voltage\",since=\"now\"}"), None);
    // What everybody may read is there.
    close(metrics.get("hpc_gpu_load_ratio{gpu=\"0\"}"), 0.453);
    assert_eq!(metrics.family("node_thermal_zone_temp").len(), 5);
    // The right that systemd/hpc-kiosk-agent.service.d/power.conf gives is enough; only root can give it here.
    if rustix::process::geteuid().is_root() {
        let right = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
        let output = once_unprivileged(&tree, &right);
        let metrics = Metrics::of(&String::from_utf8(output.stdout).unwrap());
        assert_eq!(metrics.up("rails"), Some(1.0));
        assert!(metrics.has("hpc_node_power_watts"));
    }
}

#[test]
fn rails_that_fail_in_part_give_the_rest() {
    let tree = Tree::of(board("jetson-nano"));
    tree.remove(&format!("{RAILS}/in_power0_input"));
    tree.at(&format!("{RAILS}/in_power0_input/x"));
    let metrics = tree.metrics();
    // Without the rail at the input there is no total; the branches are not added up.
    assert!(!metrics.has("hpc_node_power_watts"));
    assert_eq!(metrics.family("hpc_rail_watts").len(), 2);
    metrics.assert_family("hpc_supply_volts", &[("origin=\"measured\"", 5.024)]);
}

#[test]
fn a_jetson_that_sags_or_throttles_says_so() {
    let tree = Tree::of(board("jetson-nano"));
    tree.put(&format!("{RAILS}/in_voltage0_input"), "4744\n");
    tree.put("sys/class/thermal/cooling_device1/cur_state", "1\n");
    tree.metrics().assert_family(
        "hpc_throttled",
        &[
            ("reason=\"throttled\",since=\"now\"", 1.0),
            ("reason=\"under-voltage\",since=\"now\"", 1.0),
        ],
    );
}

#[test]
fn the_load_of_a_jetsons_gpu_is_averaged_between_scrapes() {
    let tree = Tree::of(board("jetson-nano"));
    let node = Node::start(tree.settings());
    let load = |metrics: &Metrics| metrics.get("hpc_gpu_load_ratio{gpu=\"0\"}");
    assert_eq!(load(&metrics_when(&node, |metrics| load(metrics).is_some())), Some(0.453));
    tree.put("sys/devices/57000000.gpu/load", "1000\n");
    // A momentary value would jump from one to the other; a mean has values between.
    let between = metrics_when(&node, |m| load(m).is_some_and(|load| 0.453 < load));
    assert!(load(&between).unwrap() <= 1.0);
    metrics_when(&node, |metrics| load(metrics) == Some(1.0));
}

#[test]
fn an_orin_tells_its_rails_by_their_labels() {
    let tree = Tree::of(board("jetson-orin-nano"));
    let metrics = tree.metrics_when(|metrics| metrics.has("hpc_power_mode_info"));
    let rail = |name: &str| format!("origin=\"measured\",rail=\"{name}\"");
    let (input, compute) = (rail("VDD_IN"), rail("VDD_CPU_GPU_CV"));
    metrics.assert_family("hpc_rail_watts", &[(&input, 4.8768), (&compute, 0.48768)]);
    let node = "origin=\"measured\",scope=\"board\",source=\"ina3221\"";
    metrics.assert_family("hpc_node_power_watts", &[(node, 4.8768)]);
    // 5.08 V is no under-voltage, and a board that is not fed with 5 V has no such limit.
    assert!(!metrics.has("hpc_throttled"));
    metrics.assert_family("hpc_gpu_load_ratio", &[("gpu=\"0\"", 0.12)]);
    metrics.assert_family("hpc_gpu_frequency_hertz", &[("gpu=\"0\"", 306e6)]);
    metrics.assert_family("hpc_power_mode_info", &[("mode=\"7W\"", 1.0)]);
    let zones =
        [("type=\"cpu-thermal\",zone=\"0\"", 47.406), ("type=\"tj-thermal\",zone=\"8\"", 47.406)];
    metrics.assert_family("node_thermal_zone_temp", &zones);
    close(metrics.get("hpc_fan_ratio{fan=\"pwmfan\"}"), 77.0 / 255.0);
}

#[test]
fn a_pi_5_tells_an_estimate_its_supply_and_its_fan() {
    let tree = Tree::of(board("raspberry-pi-5"));
    let metrics = tree.metrics_when(|metrics| metrics.has("hpc_supply_volts"));
    // Computed from the listing by hand: the rails sum to 5.921612 W; times 1.1451 plus 0.5879.
    let node = "origin=\"estimated\",scope=\"board\",source=\"pmic\"";
    metrics.assert_family("hpc_node_power_watts", &[(node, 7.368_738_161_303_534_5)]);
    metrics.assert_family("hpc_supply_volts", &[("origin=\"measured\"", 4.9245)]);
    assert_eq!(metrics.family("hpc_rail_watts").len(), 12);
    let core = metrics.get("hpc_rail_watts{origin=\"measured\",rail=\"VDD_CORE\"}");
    close(core, 5.03652 * 0.893_698_8);
    metrics.assert_family("hpc_fan_ratio", &[("fan=\"pwmfan\"", 125.0 / 255.0)]);
    let fan = ("chip=\"platform_cooling_fan\",sensor=\"fan1\"", 1468.0);
    metrics.assert_family("node_hwmon_fan_rpm", &[fan]);
    let flags = metrics.family("hpc_throttled");
    assert_eq!(flags.len(), 8);
    assert!(flags.iter().all(|(_, value)| *value == 0.0));
    metrics.assert_family("node_thermal_zone_temp", &[("type=\"cpu-thermal\",zone=\"0\"", 61.15)]);
    let board = "model=\"Raspberry Pi 5 Model B Rev 1.1\",release=\"\"";
    metrics.assert_family("hpc_board_info", &[(board, 1.0)]);
    // An interface without a link has no speed.
    metrics
        .assert_family("node_network_up", &[("device=\"eth0\"", 1.0), ("device=\"wlan0\"", 0.0)]);
    metrics.assert_family("node_network_speed_bytes", &[("device=\"eth0\"", 125e6)]);
}

#[test]
fn a_pi_whose_supply_sags_says_so_whoever_notices() {
    let alarm =
        "sys/devices/platform/soc/soc:firmware/raspberrypi-hwmon/hwmon/hwmon3/in0_lcrit_alarm";
    let now = "hpc_throttled{reason=\"under-voltage\",since=\"now\"}";
    let boot = "hpc_throttled{reason=\"under-voltage\",since=\"boot\"}";
    let tree = Tree::of(board("raspberry-pi-5"));
    tree.put(alarm, "1\n");
    let metrics = tree.metrics_when(|metrics| metrics.get(boot).is_some());
    assert_eq!((metrics.get(now), metrics.get(boot)), (Some(1.0), Some(0.0)), "the kernel noticed");
    tree.put(alarm, "0\n");
    let program = fs::read_to_string(tree.at("usr/bin/vcgencmd")).unwrap();
    tree.put("usr/bin/vcgencmd", program.replace("throttled=0x0", "throttled=0x50005"));
    fs::set_permissions(tree.at("usr/bin/vcgencmd"), fs::Permissions::from_mode(0o755)).unwrap();
    let metrics = tree.metrics_when(|metrics| metrics.get(boot).is_some());
    assert_eq!(
        (metrics.get(now), metrics.get(boot)),
        (Some(1.0), Some(1.0)),
        "the firmware noticed"
    );
}

#[test]
fn a_pi_before_the_5_has_flags_and_no_watts() {
    let tree = Tree::of(board("raspberry-pi-5"));
    let program = fs::read_to_string(tree.at("usr/bin/vcgencmd")).unwrap();
    tree.put("usr/bin/vcgencmd", program.replace("pmic_read_adc)", "no_such_question)"));
    fs::set_permissions(tree.at("usr/bin/vcgencmd"), fs::Permissions::from_mode(0o755)).unwrap();
    let metrics = tree.metrics_when(|metrics| metrics.family("hpc_throttled").len() == 8);
    assert!(!metrics.has("hpc_node_power_watts") && !metrics.has("hpc_rail_watts"));
}

#[test]
fn a_fan_that_counts_nothing_is_not_said_to_stand() {
    let tree = Tree::of(board("raspberry-pi-5"));
    let monitor = "sys/devices/platform/cooling_fan/hwmon/hwmon2";
    // As github.com/raspberrypi/linux/issues/7556 has it: 0 revolutions at a pwm of 150, while the fan turns.
    tree.put(&format!("{monitor}/fan1_input"), "0\n");
    tree.put(&format!("{monitor}/pwm1"), "150\n");
    let metrics = tree.metrics();
    assert!(!metrics.has("node_hwmon_fan_rpm"));
    close(metrics.get("hpc_fan_ratio{fan=\"pwmfan\"}"), 150.0 / 255.0);
    tree.put(&format!("{monitor}/pwm1"), "0\n");
    let fan = ("chip=\"platform_cooling_fan\",sensor=\"fan1\"", 0.0);
    tree.metrics().assert_family("node_hwmon_fan_rpm", &[fan]);
}

#[test]
fn a_desktop_tells_its_card_by_nvidia_smi() {
    let tree = Tree::of(board("desktop"));
    let metrics = tree.metrics_when(|metrics| metrics.has("hpc_gpu_load_ratio"));
    let gpu = "gpu=\"0\"";
    metrics.assert_family("hpc_gpu_load_ratio", &[(gpu, 0.26)]);
    metrics.assert_family("hpc_gpu_temperature_celsius", &[(gpu, 56.0)]);
    metrics.assert_family("hpc_gpu_fan_ratio", &[(gpu, 0.34)]);
    metrics.assert_family("hpc_gpu_frequency_hertz", &[(gpu, 1.32e9)]);
    metrics.assert_family("hpc_gpu_power_watts", &[("gpu=\"0\",origin=\"measured\"", 83.92)]);
    // It was not asked for the memory.
    assert!(!metrics.has("hpc_gpu_memory_used_bytes"));
    // A board without a power meter of its own: a card alone is not the node.
    assert!(!metrics.has("hpc_node_power_watts"));
    let chip = |sensor: &str| format!("chip=\"platform_nct6775_656\",sensor=\"{sensor}\"");
    let fans = [(&chip("fan2")[..], 1098.0), (&chip("fan3"), 0.0)];
    metrics.assert_family("node_hwmon_fan_rpm", &fans);
    let temperature = metrics.get(&format!("node_hwmon_temp_celsius{{{}}}", chip("temp1")));
    assert_eq!(temperature, None, "-61 degrees are no temperature");
}

#[test]
fn processors_power_is_what_their_counter_rose_by() {
    let tree = Tree::of(board("desktop"));
    let counter = "sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/energy_uj";
    // 1 J below the highest, so that it wraps.
    tree.put(counter, "262142328850\n");
    let node = Node::start(tree.settings());
    let package =
        "node_rapl_package_joules_total{index=\"0\",path=\"/sys/class/powercap/intel-rapl:0\"}";
    let begun = std::time::Instant::now();
    let first = metrics_when(&node, |metrics| metrics.has("hpc_gpu_power_watts"));
    assert_eq!(first.get(package), Some(262_142.328_85));
    let first_read = begun.elapsed();
    tree.put(counter, "19000000\n");
    let second = metrics_when(&node, |metrics| metrics.get(package) == Some(19.0));
    let longest = begun.elapsed();
    // 20 J in a time that is known from outside only within limits; the card's 83.92 W are added.
    let watts = second
        .get("hpc_node_power_watts{origin=\"measured\",scope=\"processors\",source=\"rapl+gpu\"}");
    let watts = watts.unwrap() - 83.92;
    let least = 20.0 / longest.as_secs_f64();
    assert!(least <= watts && watts.is_finite(), "{watts} W is less than {least} W");
    assert!(watts <= 20.0 / 0.02, "{watts} W within {first_read:?} to {longest:?}");
}

#[test]
fn a_card_is_asked_by_nvidias_library_where_it_is() {
    let tree = Tree::of(board("desktop"));
    let library = tree.at("usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/nvml.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-w", "-o"]).arg(&library).arg(source);
    assert!(compiler.status().expect("cc is needed; apt-get install gcc").success());
    let metrics = tree.metrics_when(|metrics| metrics.has("hpc_gpu_memory_used_bytes"));
    let (first, second) = ("gpu=\"0\"", "gpu=\"1\"");
    metrics.assert_family("hpc_gpu_load_ratio", &[(first, 0.26), (second, 0.07)]);
    metrics.assert_family("hpc_gpu_temperature_celsius", &[(first, 56.0), (second, 41.0)]);
    metrics.assert_family("hpc_gpu_frequency_hertz", &[(first, 1.32e9), (second, 0.3e9)]);
    let mebibytes = |count: f64| count * 1024.0 * 1024.0;
    let used = [(first, mebibytes(4639.0)), (second, mebibytes(100.0))];
    metrics.assert_family("hpc_gpu_memory_used_bytes", &used);
    let total = [(first, mebibytes(10014.0)), (second, mebibytes(2002.0))];
    metrics.assert_family("hpc_gpu_memory_size_bytes", &total);
    // What the second does not support is absent.
    metrics.assert_family("hpc_gpu_power_watts", &[("gpu=\"0\",origin=\"measured\"", 83.92)]);
    metrics.assert_family("hpc_gpu_fan_ratio", &[(first, 0.34)]);
    let names = [
        ("gpu=\"0\",name=\"NVIDIA GeForce RTX 3080\"", 1.0),
        ("gpu=\"1\",name=\"NVIDIA GeForce MX150\"", 1.0),
    ];
    metrics.assert_family("hpc_gpu_info", &names);
}

#[test]
fn a_bare_machine_tells_what_it_has_and_nothing_else() {
    let metrics = Tree::of(board("bare-vm")).metrics();
    // As node_exporter's own e2e-output.txt has them.
    for (series, value) in [
        ("node_load1", 0.21),
        ("node_load15", 0.39),
        ("node_boot_time_seconds", 1.418_183_276e9),
        ("node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"}", 10_870.69),
        ("node_cpu_seconds_total{cpu=\"0\",mode=\"softirq\"}", 34.1),
        ("node_cpu_seconds_total{cpu=\"7\",mode=\"nice\"}", 2.68),
        ("node_memory_MemTotal_bytes", 3.831_959_552e9),
        ("node_memory_SwapTotal_bytes", 4.294_963_2e9),
        ("node_memory_SwapFree_bytes", 3.231_088_64e9),
        ("node_network_receive_bytes_total{device=\"eth0\"}", 6.821_003_555_2e10),
        ("node_network_transmit_bytes_total{device=\"ibr10:30\"}", 0.0),
    ] {
        match value {
            0.0 => assert_eq!(metrics.get(series), Some(0.0), "{series}"),
            value => close(metrics.get(series), value),
        }
    }
    assert_eq!(metrics.family("node_cpu_seconds_total").len(), 8 * 8);
    assert_eq!(metrics.get("node_memory_MemAvailable_bytes"), None, "a kernel of before 2014");
    let known = ["node_", "process_", "hpc_agent_"];
    let others: Vec<_> = metrics
        .0
        .keys()
        .filter(|series| !known.iter().any(|known| series.starts_with(known)))
        .collect();
    assert!(others.is_empty(), "a bare machine has no {others:?}");
    let down: Vec<_> =
        metrics.family("hpc_agent_source_up").into_iter().filter(|(_, up)| *up != 1.0).collect();
    assert!(down.is_empty(), "{down:?}");
    // The space of a captured tree would be this machine's.
    assert!(!metrics.has("node_filesystem_size_bytes"));
}

#[test]
fn a_board_without_a_total_has_the_sum_of_its_rails_if_all_are_known() {
    let tree = Tree::of(board("jetson-nano"));
    let folder = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0";
    // As on an AGX Orin, no rail feeds all the others.
    tree.put(&format!("{folder}/rail_name_0"), "VDD_GPU_SOC\n");
    let metrics = tree.metrics();
    let watts: f64 = metrics.family("hpc_rail_watts").iter().map(|(_, watts)| watts).sum();
    let node = "origin=\"measured\",scope=\"board\",source=\"ina3221\"";
    metrics.assert_family("hpc_node_power_watts", &[(node, watts)]);
    tree.put(&format!("{folder}/in_power1_input"), "garbage\n");
    assert!(!tree.metrics().has("hpc_node_power_watts"));
}
