//! What a board's fan is told to do; its revolutions are the hardware monitors' matter.

use wire::metrics::family;

use super::{Outcome, Source};
use crate::{
    root::{Root, name, number, numbered, quantity},
    samples::Samples,
};

/// Full speed in the files.
const FULL: f64 = 255.0;

pub struct Fan(pub Root);

impl Source for Fan {
    fn name(&self) -> &str {
        "fan"
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        let jetson = self.0.at("sys/devices/pwm-fan");
        let mut there = jetson.exists();
        if there {
            let now = quantity(&jetson.join("cur_pwm"), 1.0, 0.0..=FULL)
                .or_else(|| quantity(&jetson.join("target_pwm"), 1.0, 0.0..=FULL));
            let labels = [("fan", "pwm-fan".into())];
            found.add_some(&family::FAN, labels, now.map(|pwm| pwm / FULL));
        }
        // The Pi 5's, and Jetsons' since JetPack 5.
        for (_, folder) in numbered(&self.0.at("sys/class/hwmon"), "hwmon") {
            if let Some(driver) = name(&folder.join("name")).filter(|name| name == "pwmfan") {
                there = true;
                let pwm = quantity(&folder.join("pwm1"), 1.0, 0.0..=FULL);
                let labels = [("fan", driver.into())];
                found.add_some(&family::FAN, labels, pwm.map(|pwm| pwm / FULL));
            }
        }
        // Only where neither said a thing: the steps of a cooling device are coarser.
        if found.is_empty() {
            for (_, folder) in numbered(&self.0.at("sys/class/thermal"), "cooling_device") {
                let Some(kind) = name(&folder.join("type")).filter(|kind| is_fan(kind)) else {
                    continue;
                };
                there = true;
                let current = number(&folder.join("cur_state"));
                let most = number(&folder.join("max_state")).filter(|most| 0 < *most);
                let ratio = current.zip(most).map(|(current, most)| current as f64 / most as f64);
                let ratio = ratio.filter(|ratio| (0.0..=1.0).contains(ratio));
                found.add_some(&family::FAN, [("fan", kind.into())], ratio);
            }
        }
        if there { Outcome::of(found) } else { Outcome::Missing }
    }
}

/// ACPI's are called `Fan`; a machine may have several, of which the first stands for all.
pub fn is_fan(kind: &str) -> bool {
    ["pwm-fan", "gpio-fan", "Fan"].contains(&kind)
}
