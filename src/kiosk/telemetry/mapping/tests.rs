use std::time::Duration;

use super::*;
use crate::telemetry::reading::{Complaint, Flag, Power, Scope, Space};

/// The reading of the last of `texts`, which arrive a second apart.
fn last(texts: &[&str]) -> Reading {
    let start = Instant::now();
    let mut counters = Counters::default();
    let readings = texts.iter().zip(0..).map(|(text, second)| {
        let said = Said::read(text).unwrap();
        reading(&said, &mut counters, start + Duration::from_secs(second))
    });
    readings.last().unwrap()
}

fn cpu(core: usize, idle: f64, iowait: f64, user: f64) -> String {
    [("idle", idle), ("iowait", iowait), ("user", user)]
        .map(|(mode, seconds)| {
            format!("node_cpu_seconds_total{{cpu=\"{core}\",mode=\"{mode}\"}} {seconds}\n")
        })
        .concat()
}

#[test]
fn load_is_the_share_of_time_that_was_neither_idle_nor_waiting_for_a_disk() {
    let before = cpu(0, 100.0, 10.0, 50.0) + &cpu(1, 100.0, 10.0, 50.0);
    let after = cpu(0, 100.5, 10.25, 50.25) + &cpu(1, 100.0, 10.0, 51.0);
    assert_eq!(last(&[&before]).load, None, "one reading has no interval");
    let reading = last(&[&before, &after]);
    assert_eq!(reading.cores, [Some(0.25), Some(1.0)]);
    assert_eq!(reading.load, Some(0.625));
}

#[test]
fn a_tick_that_the_kernel_takes_back_does_not_make_a_busy_core_vanish() {
    let cores = |user| cpu(0, 10.0, 0.0, 5.0) + &cpu(1, 50.0, 1.0, user);
    let before = cores(100.0);
    let after = cpu(0, 10.5, 0.0, 5.0) + &cpu(1, 50.0, 0.98, 100.5);
    let reading = last(&[&before, &after]);
    assert_eq!(reading.cores, [Some(0.0), Some(1.0)]);
    assert_eq!(reading.load, Some(0.5));
}

#[test]
fn a_core_that_goes_and_comes_keeps_its_place_and_has_no_load_at_once() {
    let both = |seconds: f64| cpu(0, seconds, 0.0, 0.0) + &cpu(1, 0.0, 0.0, seconds);
    let one = cpu(0, 2.0, 0.0, 0.0);
    assert_eq!(last(&[&both(1.0), &one]).cores, [Some(0.0), None]);
    assert_eq!(last(&[&both(1.0), &one, &both(3.0)]).cores, [Some(0.0), None]);
    assert_eq!(last(&[&both(1.0), &one, &both(3.0), &both(4.0)]).cores, [Some(0.0), Some(1.0)]);
    // node_exporter goes on to list a core that is off-line, with counters that stand still.
    let frozen = cpu(0, 2.0, 0.0, 0.0) + &cpu(1, 0.0, 0.0, 1.0);
    assert_eq!(last(&[&both(1.0), &frozen]).cores, [Some(0.0), None]);
}

#[test]
fn counters_that_fall_give_no_rate_and_the_next_ones_do() {
    let text = |count: f64| {
        let (link, energy) = ("{device=\"eth0\"}", "{index=\"0\",path=\"p\"}");
        format!(
            "{}node_network_receive_bytes_total{link} {count}\nnode_rapl_package_joules_total{energy} {count}\n",
            cpu(0, count, 0.0, count)
        )
    };
    let rates = |reading: Reading| {
        (reading.load, reading.networks[0].received_per_s, reading.power.map(|power| power.watts))
    };
    assert_eq!(rates(last(&[&text(7.0), &text(9.0)])), (Some(0.5), Some(2.0), Some(2.0)));
    assert_eq!(rates(last(&[&text(9.0), &text(1.0)])), (None, None, None));
    assert_eq!(
        rates(last(&[&text(9.0), &text(1.0), &text(5.0)])),
        (Some(0.5), Some(4.0), Some(4.0))
    );
}

#[test]
fn our_agents_words_of_a_jetson_are_understood() {
    let text = r#"
node_thermal_zone_temp{type="AO-therm",zone="0"} 41.5
node_thermal_zone_temp{type="CPU-therm",zone="1"} 34
node_thermal_zone_temp{type="PMIC-Die",zone="4"} 100
hpc_board_info{model="NVIDIA Jetson Nano Developer Kit",release="R32.6.1"} 1
hpc_power_mode_info{mode="MAXN"} 1
hpc_gpu_info{gpu="0",name="GM20B"} 1
hpc_gpu_load_ratio{gpu="0"} 0.453
hpc_gpu_frequency_hertz{gpu="0"} 921600000
hpc_fan_ratio{fan="pwm-fan"} 0.5
hpc_rail_volts{rail="POM_5V_IN",origin="measured"} 4.62
hpc_rail_amperes{rail="POM_5V_IN",origin="measured"} 0.348
hpc_rail_watts{rail="POM_5V_IN",origin="measured"} 1.75
hpc_rail_watts{rail="POM_5V_CPU",origin="measured"} 0.366
hpc_node_power_watts{scope="board",origin="measured",source="ina3221"} 1.75
hpc_throttled{reason="under-voltage",since="now"} 1
hpc_throttled{reason="throttled",since="boot"} 1
hpc_throttled{reason="over-current",since="now"} 0
node_memory_MemTotal_bytes 4156964864
node_memory_MemAvailable_bytes 2078482432
node_uname_info{domainname="(none)",machine="aarch64",nodename="major-tom",release="4.9.253-tegra",sysname="Linux",version="x"} 1
"#;
    let reading = last(&[text]);
    assert_eq!(reading.celsius, Some(34.0));
    let names: Vec<&str> = reading.temperatures.iter().map(|sensor| &sensor.name[..]).collect();
    assert_eq!(names, ["AO-therm", "CPU-therm"]);
    assert_eq!(reading.model.as_deref(), Some("NVIDIA Jetson Nano Developer Kit"));
    assert_eq!(reading.host.as_deref(), Some("major-tom"));
    assert_eq!(reading.power_mode.as_deref(), Some("MAXN"));
    assert_eq!((reading.gpus[0].load, reading.gpus[0].hertz), (Some(0.453), Some(921_600_000.0)));
    assert_eq!(reading.fans[0].ratio, Some(0.5));
    assert_eq!(reading.rails[0].amperes, Some(0.348));
    assert_eq!(
        reading.power,
        Some(Power { watts: 1.75, scope: Scope::Board, origin: Origin::Measured })
    );
    assert_eq!(reading.supply_volts, Some((4.62, Origin::Measured)));
    assert_eq!(
        reading.flags,
        [
            Flag { complaint: Complaint::UnderVoltage, now: true },
            Flag { complaint: Complaint::Throttled, now: false }
        ]
    );
    assert_eq!(
        reading.memory,
        Some(Space { used_bytes: 2_078_482_432.0, total_bytes: 4_156_964_864.0 })
    );
}

#[test]
fn hardware_monitors_are_known_by_driver_and_label() {
    // Chips and names as node_exporter 1.5 writes them on a Pi 5 and a desktop.
    let text = r#"
node_hwmon_chip_names{chip="platform_coretemp_0",chip_name="coretemp"} 1
node_hwmon_chip_names{chip="platform_cooling_fan",chip_name="pwmfan"} 1
node_hwmon_chip_names{chip="soc_firmware_raspberrypi_hwmon",chip_name="rpi_volt"} 1
node_hwmon_chip_names{chip="thermal_thermal_zone0",chip_name="cpu_thermal"} 1
node_hwmon_sensor_label{chip="platform_coretemp_0",label="package_id_0",sensor="temp1"} 1
node_hwmon_temp_celsius{chip="platform_coretemp_0",sensor="temp1"} 51
node_hwmon_temp_celsius{chip="platform_coretemp_0",sensor="temp2"} 49
node_hwmon_temp_celsius{chip="thermal_thermal_zone0",sensor="temp1"} 48.4
node_hwmon_temp_celsius{chip="nameless",sensor="temp1"} 30
node_hwmon_fan_rpm{chip="platform_cooling_fan",sensor="fan1"} 0
node_hwmon_pwm{chip="platform_cooling_fan",sensor="pwm1"} 51
node_hwmon_in_lcrit_alarm_volts{chip="soc_firmware_raspberrypi_hwmon",sensor="in0"} 0.001
"#;
    let alone = last(&[text]);
    let names = |reading: &Reading| {
        let names = reading.temperatures.iter().map(|sensor| sensor.name.clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        names(&alone),
        ["coretemp package_id_0", "coretemp temp2", "cpu_thermal", "nameless"]
    );
    assert_eq!(alone.celsius, Some(51.0));
    assert_eq!((&alone.fans[0].name[..], alone.fans[0].ratio), ("pwmfan", Some(0.2)));
    assert_eq!(alone.fans[0].rpm, None, "0 often means not counted");
    assert_eq!(alone.flags, [Flag { complaint: Complaint::UnderVoltage, now: true }]);

    let with_zone =
        format!("{text}node_thermal_zone_temp{{type=\"cpu-thermal\",zone=\"0\"}} 48.35\n");
    let zone = last(&[&with_zone]);
    assert_eq!(zone.celsius, Some(48.35));
    assert!(!names(&zone).contains(&"cpu_thermal".to_owned()), "{:?}", names(&zone));
}

#[test]
fn rails_of_an_orin_are_found_in_its_hardware_monitor_and_their_input_is_the_board() {
    let mut text = String::from("node_hwmon_chip_names{chip=\"c\",chip_name=\"ina3221\"} 1\n");
    for (number, label, volts, amperes) in
        [(1, "vdd_in", 5.0, 1.5), (2, "vdd_soc", 5.0, 0.5), (3, "nc", 5.0, 0.0)]
    {
        text += &format!(
            "node_hwmon_sensor_label{{chip=\"c\",label=\"{label}\",sensor=\"in{number}\"}} 1\n\
             node_hwmon_in_volts{{chip=\"c\",sensor=\"in{number}\"}} {volts}\n\
             node_hwmon_curr_amps{{chip=\"c\",sensor=\"curr{number}\"}} {amperes}\n"
        );
    }
    text += "node_hwmon_in_volts{chip=\"c\",sensor=\"in7\"} 1\n";
    let reading = last(&[&text]);
    let rails: Vec<_> = reading.rails.iter().map(|rail| (&rail.name[..], rail.watts)).collect();
    assert_eq!(rails, [("vdd_in", Some(7.5)), ("vdd_soc", Some(2.5))]);
    assert_eq!(
        reading.power,
        Some(Power { watts: 7.5, scope: Scope::Board, origin: Origin::Measured })
    );
}

#[test]
fn packages_and_graphics_processors_are_the_power_of_processors_only() {
    let text = |joules: f64| {
        format!(
            "node_rapl_package_joules_total{{index=\"0\",path=\"a\"}} {joules}\n\
             node_rapl_package_joules_total{{index=\"1\",path=\"b\"}} {joules}\n\
             node_rapl_dram_joules_total{{index=\"0\",path=\"c\"}} {joules}\n\
             hpc_gpu_power_watts{{gpu=\"0\",origin=\"measured\"}} 60\n"
        )
    };
    let power = Power { watts: 100.0, scope: Scope::Processors, origin: Origin::Measured };
    assert_eq!(last(&[&text(10.0), &text(30.0)]).power, Some(power));
    assert_eq!(last(&[&text(10.0)]).power, None);
}

#[test]
fn what_is_no_link_and_no_disk_is_left_out() {
    let text = r#"
node_network_receive_bytes_total{device="lo"} 5
node_network_receive_bytes_total{device="eth0"} 5
node_network_speed_bytes{device="eth0"} -125000
node_network_up{device="eth0"} 1
node_filesystem_size_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/mnt/cluster-workspace"} 1000
node_filesystem_avail_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/mnt/cluster-workspace"} 250
node_filesystem_size_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/srv"} 1000
node_filesystem_avail_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/srv"} 250
node_filesystem_size_bytes{device="tmpfs",fstype="tmpfs",mountpoint="/run"} 1000
node_filesystem_avail_bytes{device="tmpfs",fstype="tmpfs",mountpoint="/run"} 250
node_filesystem_size_bytes{device="/dev/sdb1",fstype="ext4",mountpoint="/more-free-than-all"} 1000
node_filesystem_avail_bytes{device="/dev/sdb1",fstype="ext4",mountpoint="/more-free-than-all"} 1001
"#;
    let reading = last(&[text]);
    assert_eq!(reading.networks.len(), 1);
    assert_eq!((reading.networks[0].speed_per_s, reading.networks[0].up), (None, Some(true)));
    assert_eq!(reading.disks.len(), 1);
    assert_eq!((&reading.disks[0].mount[..], reading.disks[0].space.share()), ("/srv", 0.75));
}

#[test]
fn what_is_not_said_is_absent_and_not_zero() {
    let reading = last(&["node_load1 0.5\n", "node_load1 0.5\n"]);
    assert_eq!(reading, Reading::empty(reading.at));
    assert!(charted(&reading).iter().all(|(_, value)| value.is_none()));
}

#[test]
fn a_hostile_answer_of_the_largest_size_costs_bounded_time_and_memory() {
    // Distinct chips and sensors, so that everything that is looked up by another is.
    let mut text = String::new();
    for n in 0..12_000 {
        text += &format!(
            "node_hwmon_chip_names{{chip=\"{n}\",chip_name=\"{n}\"}} 1\n\
             node_hwmon_pwm{{chip=\"{n}\",sensor=\"pwm1\"}} 1\n\
             node_network_up{{device=\"{n}\"}} 1\n\
             node_filesystem_size_bytes{{device=\"{n}\",fstype=\"x\",mountpoint=\"{n}\"}} 1\n"
        );
    }
    let started = Instant::now();
    let reading = last(&[&text]);
    // Generous for a slow test machine; what grows with the square of the answer takes minutes.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!((reading.fans.len(), reading.networks.len()), (MAX_PARTS, MAX_PARTS));
}
