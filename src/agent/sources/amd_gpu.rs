//! AMD's graphics processors: what their driver shows in `/sys/class/drm`.

use wire::metrics::family;

use super::{Outcome, Source, thermal::CELSIUS};
use crate::{
    root::{Root, name, number, numbered, quantity},
    samples::Samples,
};

const WATTS: std::ops::RangeInclusive<f64> = 0.0..=2000.0;
const HERTZ: std::ops::RangeInclusive<f64> = 0.0..=10e9;

pub struct AmdGpu(pub Root);

impl Source for AmdGpu {
    fn name(&self) -> &str {
        "amd-gpu"
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        let mut missing = true;
        for (card, folder) in numbered(&self.0.at("sys/class/drm"), "card") {
            let device = folder.join("device");
            if !device.join("gpu_busy_percent").exists() {
                continue;
            }
            missing = false;
            let labels = || [("gpu", format!("card{card}").into())];
            let busy = quantity(&device.join("gpu_busy_percent"), 1.0, 0.0..=100.0);
            found.add_some(&family::GPU_LOAD, labels(), busy.map(|percent| percent / 100.0));
            let bytes = |file| number(&device.join(file)).filter(|bytes| 0 <= *bytes);
            let used = bytes("mem_info_vram_used").map(|bytes| bytes as f64);
            found.add_some(&family::GPU_MEMORY_USED, labels(), used);
            let total = bytes("mem_info_vram_total").filter(|bytes| 0 < *bytes);
            found.add_some(&family::GPU_MEMORY_TOTAL, labels(), total.map(|bytes| bytes as f64));
            if let Some(product) = name(&device.join("product_name")) {
                let labels = [("gpu", format!("card{card}").into()), ("name", product.into())];
                found.add(&family::GPU, labels, 1.0);
            }
            if let Some((_, monitor)) = numbered(&device.join("hwmon"), "hwmon").first() {
                let read = |file, unit, range| quantity(&monitor.join(file), unit, range);
                found.add_some(&family::GPU_CELSIUS, labels(), read("temp1_input", 1e-3, CELSIUS));
                found.add_some(&family::GPU_FREQUENCY, labels(), read("freq1_input", 1.0, HERTZ));
                let fan = read("pwm1", 1.0, 0.0..=255.0).map(|pwm| pwm / 255.0);
                found.add_some(&family::GPU_FAN, labels(), fan);
                let watts = read("power1_average", 1e-6, WATTS)
                    .or_else(|| read("power1_input", 1e-6, WATTS));
                // On a processor with graphics this voltage is there, and the power is that of the whole processor, which
                // RAPL tells too (docs.kernel.org, amdgpu, hwmon interfaces).
                let is_part_of_the_processor = name(&monitor.join("in1_label")).is_some();
                let watts = watts.filter(|_| !is_part_of_the_processor);
                let labels = [("gpu", format!("card{card}").into()), ("origin", "measured".into())];
                found.add_some(&family::GPU_WATTS, labels, watts);
            }
        }
        if missing { Outcome::Missing } else { Outcome::of(found) }
    }
}
