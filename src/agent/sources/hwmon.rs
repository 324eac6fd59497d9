//! Hardware monitors: `/sys/class/hwmon`, named as node_exporter names them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use wire::metrics::family::{self, Family};

use super::{Outcome, Source, thermal::CELSIUS};
use crate::{
    flags, power,
    root::{Root, attribute, in_range, name, names, numbered},
    samples::{Label, Samples},
};

/// Most sensors of one monitor; the largest known have some hundred.
const MOST: usize = 512;

pub struct Hwmon {
    pub root: Root,
    /// Whether a fan is fitted: its driver's files are there either way.
    pub fan_fitted: bool,
}

impl Source for Hwmon {
    fn name(&self) -> &str {
        "hwmon"
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        let monitors = numbered(&self.root.at("sys/class/hwmon"), "hwmon");
        if monitors.is_empty() {
            return Outcome::Missing;
        }
        let mut monitors: Vec<_> =
            monitors.into_iter().map(|(number, folder)| Monitor::of(number, &folder)).collect();
        tell_apart(&mut monitors);
        for monitor in monitors {
            monitor.read(self.fan_fitted, found);
        }
        Outcome::of(found)
    }
}

/// Two monitors of one device get their driver's name as well, as node_exporter does since 2025, or their number.
fn tell_apart(monitors: &mut [Monitor]) {
    let names: Vec<_> = monitors.iter().map(|m| (m.chip.clone(), m.driver.clone())).collect();
    for (index, monitor) in monitors.iter_mut().enumerate() {
        let others = || names.iter().enumerate().filter(|(other, _)| *other != index);
        if others().any(|(_, (chip, _))| *chip == monitor.chip) {
            let same = others().any(|(_, name)| *name == names[index]);
            let number = format!("hwmon{}", monitor.number);
            let suffix = if same || monitor.driver.is_empty() { &number } else { &monitor.driver };
            monitor.chip = format!("{}_{suffix}", monitor.chip);
        }
    }
}

/// What a kind of file holds: its family, its unit in terms of the family's, and what it can say.
type Kind = (&'static Family, f64, std::ops::RangeInclusive<f64>);

/// The kind of `temp1_input`, say, from its two parts.
fn kind(sensor: &str, property: &str) -> Option<Kind> {
    Some(match (sensor.trim_end_matches(|c: char| c.is_ascii_digit()), property) {
        ("temp", "input") => (&family::HWMON_CELSIUS, 1e-3, CELSIUS),
        ("fan", "input") => (&family::HWMON_FAN_RPM, 1.0, 0.0..=50e3),
        ("pwm", "") => (&family::HWMON_PWM, 1.0, 0.0..=255.0),
        ("in", "input") => (&family::HWMON_VOLTS, 1e-3, -100.0..=1e3),
        // node_exporter takes it for a voltage in mV, and so do those who read it.
        ("in", "lcrit_alarm") => (&family::HWMON_LOW_CRITICAL_ALARM, 1e-3, 0.0..=1e-3),
        ("curr", "input") => (&family::HWMON_AMPERES, 1e-3, -1e3..=1e3),
        ("power", "input") => (&family::HWMON_WATTS, 1e-6, 0.0..=10e3),
        ("power", "average") => (&family::HWMON_WATTS_AVERAGE, 1e-6, 0.0..=10e3),
        _ => return None,
    })
}

/// One hardware monitor.
struct Monitor {
    number: u32,
    /// Where its sensors are.
    folder: PathBuf,
    /// What node_exporter calls it.
    chip: String,
    /// What its driver calls it, as node_exporter writes it.
    driver: String,
}

impl Monitor {
    fn of(number: u32, folder: &Path) -> Self {
        let driver = name(&folder.join("name")).map_or(String::new(), |name| clean(&name));
        let chip = chip(folder, &driver);
        // Old drivers keep their sensors with the device.
        let device = folder.join("device");
        let has_sensors = |folder: &Path| sensor_files(folder).next().is_some();
        let folder = if has_sensors(folder) || !has_sensors(&device) { folder } else { &device };
        Self { number, folder: folder.into(), chip, driver }
    }

    fn read(&self, fan_fitted: bool, found: &mut Samples) {
        let chip: Label = ("chip", self.chip.clone().into());
        if !self.driver.is_empty() {
            let name = ("chip_name", self.driver.clone().into());
            found.add(&family::HWMON_CHIP, [chip.clone(), name], 1.0);
        }
        for (file, sensor, kind) in sensor_files(&self.folder).take(MOST) {
            if !fan_fitted && ["fan", "pwm"].iter().any(|kind| sensor.starts_with(kind)) {
                continue;
            }
            let sensor_label: Label = ("sensor", sensor.clone().into());
            let Some((family, unit, range)) = kind else {
                if let Some(label) = name(&self.folder.join(&file)) {
                    let labels = [chip.clone(), ("label", label.into()), sensor_label];
                    found.add(&family::HWMON_LABEL, labels, 1.0);
                }
                continue;
            };
            let raw = attribute(&self.folder.join(&file)).ok();
            let raw = raw.and_then(|raw| raw.parse::<i64>().ok()).map(|raw| raw as f64);
            let Some(value) = raw.and_then(|raw| in_range(raw, unit, range)) else { continue };
            if family == &family::HWMON_FAN_RPM && value == 0.0 && !self.stands(&sensor) {
                continue;
            }
            if family == &family::HWMON_LOW_CRITICAL_ALARM && self.driver == "rpi_volt" {
                let labels = flags::labels(flags::UNDER_VOLTAGE, "now");
                found.add(&family::FLAG, labels, f64::from(u8::from(0.0 < value)));
            }
            if self.is_supply(&sensor) && kind_is_power(family) {
                let labels = power::labels("measured", "board", "hwmon");
                found.add(&family::NODE_WATTS, labels, value);
            }
            found.add(family, [chip.clone(), sensor_label], value);
        }
    }

    /// Whether a fan that counts no revolutions is told to stand: without that, zero means as often that none is
    /// fitted, or that they cannot be counted (a Pi 5's reads 0 while it turns).
    fn stands(&self, fan: &str) -> bool {
        let pwm = fan.replace("fan", "pwm");
        attribute(&self.folder.join(pwm)).is_ok_and(|pwm| pwm == "0")
    }

    /// Whether a sensor is what the whole machine takes: ACPI's power meter, or the total of a supply that can tell.
    fn is_supply(&self, sensor: &str) -> bool {
        match &self.driver[..] {
            "power_meter" => sensor == "power1",
            "corsairpsu" => {
                let label = self.folder.join(format!("{sensor}_label"));
                name(&label).is_some_and(|label| label == "power total")
            }
            _ => false,
        }
    }
}

fn kind_is_power(family: &Family) -> bool {
    family == &family::HWMON_WATTS || family == &family::HWMON_WATTS_AVERAGE
}

/// The files of a monitor that are read: file, sensor, and kind; no kind is a label.
fn sensor_files(folder: &Path) -> impl Iterator<Item = (String, String, Option<Kind>)> {
    names(folder).into_iter().filter_map(|file| {
        let (sensor, property) = file.split_once('_').unwrap_or((&file, ""));
        if !sensor.ends_with(|last: char| last.is_ascii_digit()) {
            return None;
        }
        let kind = kind(sensor, property);
        if kind.is_none() && property != "label" {
            return None;
        }
        Some((file.clone(), sensor.into(), kind))
    })
}

/// As node_exporter names a monitor: by its device and the folder above it, else by its driver, else by its number;
/// only the first two are the same after the next start.
fn chip(folder: &Path, driver: &str) -> String {
    if let Ok(device) = fs::canonicalize(folder.join("device")) {
        let part = |path: Option<&Path>| {
            path.and_then(Path::file_name)
                .map_or(String::new(), |name| clean(&name.to_string_lossy()))
        };
        let (kind, device) = (part(device.parent()), part(Some(&device)));
        match (kind.is_empty(), device.is_empty()) {
            (false, false) => return format!("{kind}_{device}"),
            (true, false) => return device,
            _ => {}
        }
    }
    if !driver.is_empty() {
        return driver.into();
    }
    folder.file_name().map_or(String::new(), |name| clean(&name.to_string_lossy()))
}

/// Lower case, and an underscore for everything that a metric's name cannot have.
fn clean(name: &str) -> String {
    let kept = |character: char| match character.to_ascii_lowercase() {
        character @ ('a'..='z' | '0'..='9' | ':' | '_') => character,
        _ => '_',
    };
    name.chars().map(kept).collect::<String>().trim_matches('_').into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_sensor_and_what_it_says() {
        assert_eq!(kind("temp12", "input").unwrap().0, &family::HWMON_CELSIUS);
        assert_eq!(kind("pwm1", "").unwrap().0, &family::HWMON_PWM);
        assert_eq!(kind("power1", "average").unwrap().0, &family::HWMON_WATTS_AVERAGE);
        assert!(kind("temp1", "crit").is_none() && kind("pwm1", "enable").is_none());
        assert!(kind("intrusion0", "alarm").is_none() && kind("uevent", "").is_none());
    }

    #[test]
    fn monitors_of_one_device_are_told_apart() {
        let monitor = |number, chip: &str, driver: &str| Monitor {
            number,
            folder: PathBuf::new(),
            chip: chip.into(),
            driver: driver.into(),
        };
        let mut monitors = [
            monitor(0, "platform_wmi", "asus"),
            monitor(1, "platform_wmi", "sensors"),
            monitor(2, "pci_1", "nvme"),
            monitor(3, "pci_2", "x"),
            monitor(4, "pci_2", "x"),
        ];
        tell_apart(&mut monitors);
        let chips = monitors.map(|monitor| monitor.chip);
        let expected =
            ["platform_wmi_asus", "platform_wmi_sensors", "pci_1", "pci_2_hwmon3", "pci_2_hwmon4"];
        assert_eq!(chips, expected);
    }

    #[test]
    fn a_device_is_named_as_node_exporter_does() {
        assert_eq!(clean("coretemp.0"), "coretemp_0");
        assert_eq!(clean("0000:00:18.3"), "0000:00:18_3");
        assert_eq!(clean("soc:firmware"), "soc:firmware");
        assert_eq!(clean("_Ż_"), "");
    }
}
