//! Temperatures by zone and the devices that cool or throttle: `/sys/class/thermal`.

use wire::metrics::family;

use super::{Outcome, Source, fan::is_fan};
use crate::{
    flags,
    root::{Root, name, number, numbered, quantity},
    samples::Samples,
};

/// The files are in thousandths of a degree.
const MILLI: f64 = 1e-3;
/// What a part of a running board can be; off-line sensors of a Jetson say -256.
pub const CELSIUS: std::ops::RangeInclusive<f64> = -40.0..=150.0;
/// Zones without a sensor: the Jetson's says 100 or 50 degrees for ever, Intel's platform device 20.
const DUMMIES: [&str; 2] = ["PMIC-Die", "INT3400 Thermal"];

pub struct Thermal {
    pub root: Root,
    /// Whether a fan is fitted: its cooling device is there either way.
    pub fan_fitted: bool,
}

impl Source for Thermal {
    fn name(&self) -> &str {
        "thermal"
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        let folder = self.root.at("sys/class/thermal");
        let zones = numbered(&folder, "thermal_zone");
        let devices = numbered(&folder, "cooling_device");
        if zones.is_empty() && devices.is_empty() {
            return Outcome::Missing;
        }
        for (zone, folder) in zones {
            let Some(kind) = name(&folder.join("type")) else { continue };
            if !DUMMIES.contains(&&kind[..]) {
                let labels = [("type", kind.into()), ("zone", zone.to_string().into())];
                let celsius = quantity(&folder.join("temp"), MILLI, CELSIUS);
                found.add_some(&family::THERMAL_ZONE, labels, celsius);
            }
        }
        for (device, folder) in devices {
            let Some(kind) = name(&folder.join("type")) else { continue };
            if !self.fan_fitted && is_fan(&kind) {
                continue;
            }
            let state = |file| number(&folder.join(file)).filter(|state| 0 <= *state);
            let current = state("cur_state");
            if let Some(current) = current.filter(|_| throttles(&kind)) {
                let throttled = f64::from(u8::from(0 < current));
                found.add(&family::FLAG, flags::labels(flags::THROTTLED, "now"), throttled);
            }
            let labels = || [("name", device.to_string().into()), ("type", kind.clone().into())];
            found.add_some(&family::COOLING_STATE, labels(), current.map(|state| state as f64));
            let most = state("max_state").map(|state| state as f64);
            found.add_some(&family::COOLING_STATE_MAX, labels(), most);
        }
        Outcome::of(found)
    }
}

/// Whether a cooling device of this type is a Jetson's own throttle: NVIDIA's driver makes `gpu-throttle-alert` and
/// `cpu-balanced`, say.
fn throttles(kind: &str) -> bool {
    kind.contains("throttle") || kind.ends_with("-balanced")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fan_is_no_throttle() {
        assert!(throttles("gpu-throttle-alert") && throttles("cpu-balanced"));
        assert!(!throttles("pwm-fan") && !throttles("Processor") && !throttles("intel_powerclamp"));
    }
}
