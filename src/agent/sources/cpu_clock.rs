//! The cores' clocks: cpufreq in sysfs.

use wire::metrics::family;

use super::{Outcome, Source};
use crate::{
    root::{Root, numbered, quantity},
    samples::Samples,
};

/// The files are in kHz.
const KILOHERTZ: f64 = 1e3;
/// What a core's clock can be: 1 MHz to 20 GHz.
const HERTZ: std::ops::RangeInclusive<f64> = 1e6..=20e9;

pub struct CpuClock(pub Root);

impl Source for CpuClock {
    fn name(&self) -> &str {
        "cpufreq"
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        let mut missing = true;
        for (core, folder) in numbered(&self.0.at("sys/devices/system/cpu"), "cpu") {
            let folder = folder.join("cpufreq");
            let files = [
                ("scaling_cur_freq", &family::CPU_FREQUENCY),
                ("scaling_max_freq", &family::CPU_FREQUENCY_MAX),
            ];
            for (file, family) in files {
                let hertz = quantity(&folder.join(file), KILOHERTZ, HERTZ);
                found.add_some(family, [("cpu", core.to_string().into())], hertz);
            }
            missing = missing && !folder.exists();
        }
        if missing { Outcome::Missing } else { Outcome::of(found) }
    }
}
