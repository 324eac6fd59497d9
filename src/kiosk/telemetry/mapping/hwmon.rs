//! The names of the kernel's hardware monitors: which driver a chip has, and how it calls its sensors.

use std::{borrow::Cow, collections::HashMap};

use super::{
    Said, named,
    said::{Known, Value},
    shown,
};

/// The annotations of one answer.
pub(super) struct Hwmon<'a> {
    /// Driver by the chip's path.
    drivers: HashMap<Cow<'a, str>, String>,
    /// Label by the chip's path, then by the sensor.
    labels: HashMap<Cow<'a, str>, HashMap<Cow<'a, str>, String>>,
}

impl<'a> Hwmon<'a> {
    pub(super) fn of(said: &Said<'a>) -> Self {
        let driver = |value: &Value<'a>| Some((value.label("chip")?, named(value, "chip_name")?));
        let mut labels: HashMap<_, HashMap<_, _>> = HashMap::new();
        for value in said.of(Known::HwmonLabel) {
            if let (Some(path), Some(sensor), Some(label)) =
                (value.label("chip"), value.label("sensor"), named(value, "label"))
            {
                labels.entry(path).or_default().insert(sensor, label);
            }
        }
        Self { drivers: said.of(Known::HwmonChip).iter().filter_map(driver).collect(), labels }
    }

    /// The chip that a value is from: its driver's name, its path where it has none.
    pub(super) fn chip(&self, value: &Value<'_>) -> Option<String> {
        let path = value.label("chip")?;
        self.drivers.get(&path[..]).cloned().or_else(|| shown(&path))
    }

    /// The label that the driver gives to a sensor of the chip with this path.
    pub(super) fn label(&self, path: &str, sensor: &str) -> Option<&str> {
        self.labels.get(path)?.get(sensor).map(String::as_str)
    }
}
