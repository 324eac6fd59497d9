//! A reading in lines: quantity = value unit, origin, age.

use std::{fmt::Write, time::Instant};

use kiosk::telemetry::{
    Trouble,
    reading::{Complaint, Origin, Reading, Scope, Space},
};

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

/// Everything that is known, a line each.
pub fn reading(reading: &Reading, refused: u64, now: Instant, out: &mut String) {
    let age = now.saturating_duration_since(reading.at).as_secs_f64();
    let mut line = |quantity: &str, value: String, origin: Origin| {
        let origin = match origin {
            Origin::Measured => "measured",
            Origin::Estimated => "estimated",
            Origin::Inferred => "inferred",
            Origin::Simulated => "simulated",
        };
        // Writing into a string does not fail.
        let _ = writeln!(out, "{quantity} = {value}, {origin}, {age:.1} s old");
    };
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let space = |space: Space| {
        format!("{:.2} of {:.2} GiB", space.used_bytes / GIB, space.total_bytes / GIB)
    };
    let measured = Origin::Measured;

    for (quantity, text) in [
        ("host", &reading.host),
        ("board", &reading.model),
        ("kernel", &reading.kernel),
        ("power mode", &reading.power_mode),
    ] {
        if let Some(text) = text {
            line(quantity, text.clone(), measured);
        }
    }
    if let Some(load) = reading.load {
        line("load", percent(load), measured);
    }
    for (core, load) in reading.cores.iter().enumerate() {
        let load = load.map_or_else(|| "not known".into(), percent);
        line(&format!("core {core}"), load, measured);
    }
    if let Some([one, five, fifteen]) = reading.load_average {
        line("load average", format!("{one} {five} {fifteen} processes"), measured);
    }
    if let Some((hertz, most)) = reading.cpu_hertz {
        let most = most.map_or_else(String::new, |most| format!(" of {:.0}", most / 1e6));
        line("clock", format!("{:.0}{most} MHz", hertz / 1e6), measured);
    }
    if let Some(memory) = reading.memory {
        line("memory", space(memory), measured);
    }
    if let Some(celsius) = reading.celsius {
        line("temperature", format!("{celsius:.1} \u{b0}C"), measured);
    }
    for sensor in &reading.temperatures {
        let name = format!("temperature {}", sensor.name);
        line(&name, format!("{:.1} \u{b0}C", sensor.celsius), measured);
    }
    for gpu in &reading.gpus {
        let name = |what: &str| format!("gpu {} {what}", gpu.id);
        let parts = [
            ("name", gpu.name.clone()),
            ("load", gpu.load.map(percent)),
            ("clock", gpu.hertz.map(|hertz| format!("{:.0} MHz", hertz / 1e6))),
            ("memory", gpu.memory.map(space)),
            ("temperature", gpu.celsius.map(|celsius| format!("{celsius:.1} \u{b0}C"))),
            ("power", gpu.watts.map(|watts| format!("{watts:.2} W"))),
            ("fan", gpu.fan.map(percent)),
        ];
        for (what, value) in parts {
            if let Some(value) = value {
                line(&name(what), value, measured);
            }
        }
    }
    for fan in &reading.fans {
        if let Some(ratio) = fan.ratio {
            line(&format!("fan {}", fan.name), percent(ratio), measured);
        }
        if let Some(rpm) = fan.rpm {
            line(&format!("fan {}", fan.name), format!("{rpm:.0} rpm"), measured);
        }
    }
    for rail in &reading.rails {
        for (value, unit) in [(rail.volts, "V"), (rail.amperes, "A"), (rail.watts, "W")] {
            if let Some(value) = value {
                line(&format!("rail {}", rail.name), format!("{value:.3} {unit}"), rail.origin);
            }
        }
    }
    if let Some(power) = reading.power {
        let scope = match power.scope {
            Scope::Board => "power of the board",
            Scope::Processors => "power of CPU and GPU only",
        };
        line(scope, format!("{:.2} W", power.watts), power.origin);
    }
    if let Some((volts, origin)) = reading.supply_volts {
        line("supply", format!("{volts:.2} V"), origin);
    }
    for flag in &reading.flags {
        let complaint = match flag.complaint {
            Complaint::UnderVoltage => "under-voltage",
            Complaint::OverCurrent => "over-current",
            Complaint::Throttled => "throttled",
            Complaint::SoftTemperatureLimit => "soft temperature limit",
            Complaint::FrequencyCapped => "frequency capped",
        };
        let when = if flag.now { "now" } else { "since the start" };
        line(complaint, when.into(), measured);
    }
    for network in &reading.networks {
        let parts = [
            ("received", network.received_per_s),
            ("sent", network.sent_per_s),
            ("link", network.speed_per_s),
        ];
        for (what, rate) in parts {
            if let Some(rate) = rate {
                let name = format!("network {} {what}", network.device);
                line(&name, format!("{:.1} kB/s", rate / 1e3), measured);
            }
        }
        if let Some(up) = network.up {
            let name = format!("network {}", network.device);
            line(&name, if up { "up" } else { "down" }.into(), measured);
        }
    }
    for disk in &reading.disks {
        line(&format!("disk {}", disk.mount), space(disk.space), measured);
    }
    if refused != 0 {
        let _ = writeln!(out, "{refused} values are refused: nothing real can have them");
    }
}

/// Why there is no reading.
pub fn trouble(trouble: &Trouble, out: &mut String) {
    let _ = writeln!(out, "no reading: {trouble}");
}
