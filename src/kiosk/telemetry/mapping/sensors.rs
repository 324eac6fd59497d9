//! Temperatures, fans and graphics processors.

use super::{
    MAX_PARTS, Said,
    hwmon::Hwmon,
    named, part,
    said::{Known, Value},
    shown,
};
use crate::telemetry::reading::{Fan, Gpu, Reading, Space, Temperature};

/// Thermal zones that measure the processor, by type, best first (Pi 5, Jetson, Intel, generic ACPI).
const ZONES: [&str; 5] = ["cpu-thermal", "CPU-therm", "x86_pkg_temp", "soc_thermal", "acpitz"];
/// Drivers of hwmon that measure the processor, best first (Intel, AMD, Pi 5); the first sensor is the whole of it.
const DRIVERS: [&str; 3] = ["coretemp", "k10temp", "cpu_thermal"];
/// Zones that are no sensor: the Jetson Nano's power chip always says 50 or 100 degrees.
const DUMMIES: [&str; 1] = ["PMIC-Die"];
/// The cooling device that is a fan on a Jetson and a Pi.
const FAN_DEVICE: &str = "pwm-fan";

pub(super) fn read(said: &Said<'_>, hwmon: &Hwmon<'_>, reading: &mut Reading) {
    temperatures(said, hwmon, reading);
    reading.fans = fans(said, hwmon);
    reading.gpus = gpus(said);
}

fn temperatures(said: &Said<'_>, hwmon: &Hwmon<'_>, reading: &mut Reading) {
    let mut zones: Vec<(String, f64)> = Vec::new();
    for value in said.of(Known::ThermalZone).iter().take(MAX_PARTS) {
        if let Some(kind) = named(value, "type").filter(|kind| !DUMMIES.contains(&&kind[..])) {
            zones.push((kind, value.value));
        }
    }
    // The kernel shows each zone as a chip too, named after its type.
    let is_zone = |chip: &str| zones.iter().any(|(kind, _)| kind.replace('-', "_") == chip);
    let mut sensors: Vec<Temperature> = Vec::new();
    for value in said.of(Known::HwmonCelsius).iter().take(MAX_PARTS) {
        if let Some(chip) = hwmon.chip(value).filter(|chip| !is_zone(chip)) {
            sensors
                .push(Temperature { name: sensor_name(hwmon, value, &chip), celsius: value.value });
        }
    }
    let zone = || {
        ZONES
            .iter()
            .find_map(|wanted| zones.iter().find(|(kind, _)| kind == wanted))
            .map(|zone| zone.1)
    };
    reading.celsius = zone().or_else(|| driver_celsius(said, hwmon));
    let zones = zones.into_iter().map(|(name, celsius)| Temperature { name, celsius });
    reading.temperatures = zones.chain(sensors).take(MAX_PARTS).collect();
}

fn driver_celsius(said: &Said<'_>, hwmon: &Hwmon<'_>) -> Option<f64> {
    DRIVERS.iter().find_map(|driver| {
        said.of(Known::HwmonCelsius)
            .iter()
            .find(|value| {
                value.label("sensor").as_deref() == Some("temp1")
                    && hwmon.chip(value).as_deref() == Some(driver)
            })
            .map(|value| value.value)
    })
}

/// Chip and label; a sensor without a label is known by its number, and the first one by its chip alone.
fn sensor_name(hwmon: &Hwmon<'_>, value: &Value<'_>, chip: &str) -> String {
    let sensor = value.label("sensor").unwrap_or_default();
    let path = value.label("chip").unwrap_or_default();
    let label = hwmon.label(&path, &sensor).map(str::to_owned);
    match label.or_else(|| shown(&sensor).filter(|sensor| sensor != "temp1")) {
        Some(label) => format!("{chip} {label}"),
        None => chip.to_owned(),
    }
}

fn fans(said: &Said<'_>, hwmon: &Hwmon<'_>) -> Vec<Fan> {
    // Each with its name as it is compared.
    let mut fans: Vec<(String, Fan)> = Vec::new();
    for value in said.of(Known::Fan).iter().take(MAX_PARTS) {
        if let Some(name) = named(value, "fan") {
            fans.push((spelled(&name), Fan { name, ratio: Some(value.value), rpm: None }));
        }
    }
    // Fan 1 of a chip is driven by its pulse width 1.
    let revolving = said.of(Known::HwmonFanRpm).iter().map(|value| (value, "fan"));
    let driven = said.of(Known::HwmonPwm).iter().map(|value| (value, "pwm"));
    for (value, kind) in revolving.chain(driven) {
        let (Some(chip), Some(sensor)) = (hwmon.chip(value), value.label("sensor")) else {
            continue;
        };
        let Some(number) = sensor.strip_prefix(kind) else { continue };
        let path = value.label("chip").unwrap_or_default();
        let name = match hwmon.label(&path, &format!("fan{number}")) {
            Some(label) => format!("{chip} {label}"),
            None if number == "1" => chip,
            None => format!("{chip} fan{number}"),
        };
        let compared = spelled(&name);
        let new = || (compared.clone(), Fan { name, ratio: None, rpm: None });
        let Some((_, fan)) = part(&mut fans, |(known, _)| *known == compared, new) else {
            continue;
        };
        if kind == "fan" {
            fan.rpm = Some(value.value).filter(|rpm| 0.0 < *rpm);
        } else {
            fan.ratio = fan.ratio.or(Some(value.value / 255.0));
        }
    }
    // A chip lists every fan that could be plugged in: one that neither turns nor is driven is none.
    let mut fans: Vec<Fan> = fans.into_iter().map(|(_, fan)| fan).collect();
    fans.retain(|fan| fan.ratio.is_some() || fan.rpm.is_some());
    if fans.is_empty() {
        fans.extend(cooling_fan(said));
    }
    fans
}

/// Names of drivers are written with either line.
fn spelled(name: &str) -> String {
    name.replace(['-', '_'], "")
}

fn cooling_fan(said: &Said<'_>) -> Option<Fan> {
    let is_fan = |value: &&Value<'_>| value.label("type").as_deref() == Some(FAN_DEVICE);
    let state = said.of(Known::CoolingState).iter().find(is_fan)?;
    let most = said
        .of(Known::CoolingStateMax)
        .iter()
        .find(|most| is_fan(most) && most.label("name") == state.label("name"))?;
    let ratio = state.value / most.value;
    (0.0..=1.0).contains(&ratio).then(|| Fan {
        name: FAN_DEVICE.into(),
        ratio: Some(ratio),
        rpm: None,
    })
}

fn gpus(said: &Said<'_>) -> Vec<Gpu> {
    let mut gpus: Vec<Gpu> = Vec::new();
    let mut totals: Vec<(String, f64)> = Vec::new();
    for value in said.of(Known::GpuMemoryTotal).iter().take(MAX_PARTS) {
        totals.extend(named(value, "gpu").map(|id| (id, value.value)));
    }
    for known in [
        Known::Gpu,
        Known::GpuLoad,
        Known::GpuFrequency,
        Known::GpuMemoryUsed,
        Known::GpuCelsius,
        Known::GpuWatts,
        Known::GpuFan,
    ] {
        for value in said.of(known) {
            let Some(id) = named(value, "gpu") else { continue };
            let new = || Gpu { id: id.clone(), ..Gpu::default() };
            let Some(gpu) = part(&mut gpus, |gpu| gpu.id == id, new) else { continue };
            let measured = Some(value.value);
            match known {
                Known::Gpu => gpu.name = named(value, "name"),
                Known::GpuLoad => gpu.load = measured,
                Known::GpuFrequency => gpu.hertz = measured,
                Known::GpuMemoryUsed => {
                    let total = totals.iter().find(|(other, _)| *other == id).map(|total| total.1);
                    gpu.memory = total
                        .filter(|total| 0.0 < *total && value.value <= *total)
                        .map(|total| Space { used_bytes: value.value, total_bytes: total });
                }
                Known::GpuCelsius => gpu.celsius = measured,
                Known::GpuWatts => gpu.watts = measured,
                _ => gpu.fan = measured,
            }
        }
    }
    gpus
}
