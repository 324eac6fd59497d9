//! The GPU: whole steps, each kernel by the GPU's own clock, and what its memory gives to copies.

use advection::{
    crew::Cpu,
    gpu::{GpuSlab, Strength, bytes_per_cell, copy_bytes_per_s},
    mpdata::Options,
    simd::Level,
};
use anyhow::Context;
use cuda::{Facts, Gpu};
use serde::Serialize;

use super::{SCHEMES, StepFigures, pace, processor::prepared, rounded, size_text};
use crate::arguments::MeasureArguments;

/// Boards whose driver does not know the clock of their memory, by the device's name, and what their data sheets say, 1e9/s:
/// the Jetson Nano and the Jetson TX1 (NVIDIA, Jetson Nano System-on-Module Data Sheet DS-09366-001, 4 x 16 bit LPDDR4 at
/// 1600 MHz).
const BOARDS: &[(&str, f64)] = &[("NVIDIA Tegra X1", 25.6)];
/// Bytes that are copied to see what the memory gives.
const COPIED: usize = 64 << 20;
/// Launches of a kernel between two looks at the clock.
const LAUNCHES: u32 = 20;

/// All figures of a GPU.
#[derive(Serialize)]
pub struct GpuFigures {
    name: String,
    compute_capability: String,
    driver_cuda: String,
    multiprocessors: u32,
    memory_gb: f64,
    /// What the memory can do at most, who says so, and why nobody does.
    peak_gb_per_s: Option<f64>,
    peak_origin: String,
    /// What copies get out of it, bytes read and written per second.
    copy_gb_per_s: f64,
    steps: Vec<StepFigures>,
    kernels: Vec<KernelFigures>,
}

/// A kernel on a grid.
#[derive(Serialize)]
struct KernelFigures {
    kernel: String,
    scheme: &'static str,
    size: String,
    /// Time of a launch: the median, and the range over the repeats in per cent of it.
    launch_us: f64,
    spread_percent: f64,
    mcell_updates_per_s: f64,
    bytes_per_cell: usize,
    bandwidth_gb_per_s: f64,
    share_of_copy: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    share_of_peak: Option<f64>,
}

/// What shares are taken of, 1e9/s.
#[derive(Clone, Copy)]
struct Memory {
    copy: f64,
    peak: Option<f64>,
}

/// Measures the first GPU of this computer.
///
/// # Errors
/// If there is none, or it fails.
pub fn measure(arguments: &MeasureArguments) -> anyhow::Result<GpuFigures> {
    let gpu = Gpu::open(0)?;
    let facts = gpu.facts()?;
    let bytes = COPIED.min(facts.memory_bytes as usize / 8);
    let copy = copy_bytes_per_s(&gpu, bytes, arguments.repeats.into())? * 1e-9;
    let (peak, peak_origin) = peak(arguments.peak_gb_s, gpu.name(), &facts, copy);
    let memory = Memory { copy, peak };
    let (mut steps, mut kernels) = (Vec::new(), Vec::new());
    for &size in &arguments.sizes {
        for (scheme, options) in SCHEMES {
            let (step, parts) = scheme_on(&gpu, arguments, memory, size, scheme, options)
                .with_context(|| format!("{scheme} on {} cells", size_text(size)))?;
            steps.push(step);
            kernels.extend(parts);
        }
    }
    let pair = |(major, minor)| format!("{major}.{minor}");
    Ok(GpuFigures {
        name: gpu.name().into(),
        compute_capability: pair(facts.compute_capability),
        driver_cuda: pair(facts.driver),
        multiprocessors: facts.multiprocessors,
        memory_gb: rounded(facts.memory_bytes as f64 * 1e-9),
        peak_gb_per_s: peak,
        peak_origin,
        copy_gb_per_s: rounded(copy),
        steps,
        kernels,
    })
}

/// What the memory can do at most, 1e9/s, and who says so.
fn peak(told: Option<f64>, name: &str, facts: &Facts, copy: f64) -> (Option<f64>, String) {
    if let Some(told) = told {
        return (Some(told), "--peak-gb-s".into());
    }
    if let Some((board, peak)) = BOARDS.iter().find(|(board, _)| *board == name) {
        return (Some(*peak), format!("data sheet of the boards with {board}"));
    }
    let driver = facts.memory_bytes_per_s as f64 * 1e-9;
    if driver == 0.0 {
        let why = "the driver does not know it; --peak-gb-s tells what the data sheet says";
        return (None, why.into());
    }
    if driver < copy {
        let why = format!(
            "the driver's {driver:.3} GB/s is less than copies get, so it is wrong; --peak-gb-s tells what the data sheet says"
        );
        return (None, why);
    }
    (Some(rounded(driver)), "driver: clock and width of the memory, two transfers a clock".into())
}

fn scheme_on(
    gpu: &Gpu,
    arguments: &MeasureArguments,
    memory: Memory,
    size: (usize, usize),
    scheme: &'static str,
    options: Options,
) -> Result<(StepFigures, Vec<KernelFigures>), cuda::Error> {
    let mut field = prepared::<f32>(size, options, Cpu::from(Level::widest()));
    let mut slab = GpuSlab::new(gpu.clone(), field.part().clone(), &[options])?;
    slab.set_flow(field.steady())?;
    slab.upload(field.rows_mut())?;
    let strength = Strength { steady: 1.0, stir: None };
    let pace = pace::measure(arguments.seconds, arguments.repeats.into(), |count| {
        (0..count).try_for_each(|_| slab.advance_alone(strength))?;
        slab.wait()
    })?;

    // The kernels of a step, in its order, and after them the picture's; one column per repeat.
    let mut profiles = Vec::new();
    for _ in 0..arguments.repeats {
        profiles.push(slab.profile(strength, LAUNCHES)?);
    }
    let kernels: Vec<KernelFigures> = (0..profiles[0].len())
        .map(|k| {
            let kernel = &profiles[0][k];
            let mut seconds: Vec<f64> = profiles.iter().map(|times| times[k].seconds).collect();
            seconds.sort_by(f64::total_cmp);
            let median = seconds[seconds.len() / 2].max(f64::MIN_POSITIVE);
            let bytes = bytes_per_cell(&kernel.kernel, size_of::<f32>()).unwrap_or(0);
            let rate = kernel.cells as f64 / median;
            let bandwidth = rate * bytes as f64 * 1e-9;
            KernelFigures {
                kernel: kernel.kernel.clone(),
                scheme,
                size: size_text(size),
                launch_us: rounded(median * 1e6),
                spread_percent: rounded(100.0 * (seconds[seconds.len() - 1] - seconds[0]) / median),
                mcell_updates_per_s: rounded(rate * 1e-6),
                bytes_per_cell: bytes,
                bandwidth_gb_per_s: rounded(bandwidth),
                share_of_copy: rounded(bandwidth / memory.copy),
                share_of_peak: memory.peak.map(|peak| rounded(bandwidth / peak)),
            }
        })
        .collect();
    let picture = |kernel: &&KernelFigures| kernel.kernel.starts_with("painted");
    let bytes =
        kernels.iter().filter(|kernel| !picture(kernel)).map(|kernel| kernel.bytes_per_cell).sum();
    let rate = pace.per_second * (size.0 * size.1) as f64;
    let bandwidth = rate * bytes as f64 * 1e-9;
    let step = StepFigures {
        scheme,
        size: size_text(size),
        precision: "f32",
        mcell_updates_per_s: rounded(rate * 1e-6),
        spread_percent: rounded(pace.spread_percent),
        bytes_per_cell: bytes,
        bandwidth_gb_per_s: rounded(bandwidth),
        share_of_copy: rounded(bandwidth / memory.copy),
        share_of_peak: memory.peak.map(|peak| rounded(bandwidth / peak)),
        threads: None,
    };
    Ok((step, kernels))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(gb_per_s: f64) -> Facts {
        Facts {
            driver: (10, 2),
            compute_capability: (5, 3),
            multiprocessors: 1,
            memory_bytes: 1 << 32,
            memory_bytes_per_s: (gb_per_s * 1e9) as u64,
        }
    }

    #[test]
    fn the_peak_is_told_or_known_or_the_drivers_if_that_can_be() {
        let of = |told, name, driver, copy| peak(told, name, &facts(driver), copy);
        assert_eq!(of(Some(30.0), "NVIDIA Tegra X1", 0.2, 18.0).0, Some(30.0));
        // A Jetson Nano's driver says 13 MHz.
        assert_eq!(of(None, "NVIDIA Tegra X1", 0.208, 18.0).0, Some(25.6));
        assert_eq!(of(None, "another", 336.0, 280.0).0, Some(336.0));
        let (peak, why) = of(None, "another", 0.208, 18.0);
        assert!(peak.is_none() && why.contains("0.208 GB/s is less than copies get"), "{why}");
        let (peak, why) = of(None, "another", 0.0, 18.0);
        assert!(peak.is_none() && why.contains("does not know it"), "{why}");
    }
}
