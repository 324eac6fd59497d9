//! This computer in figures: how fast its processor and its GPU compute, against what their memories give. One JSON object.

use std::{env::consts::ARCH, fs, io::Write, num::NonZero, thread};

use advection::{mpdata::Options, simd::Level};
use anyhow::{Context, ensure};
use parallel::Job;
use serde::Serialize;

use crate::arguments::MeasureArguments;

mod gpu;
mod pace;
mod processor;

use gpu::GpuFigures;
use processor::ProcessorFigures;

/// What is measured: names and schemes.
const SCHEMES: [(&str, Options); 3] = [
    ("upwind", Options::UPWIND),
    ("two passes", Options::BASIC),
    ("limited, infinite gauge", Options::GAUGE_NON_OSCILLATORY),
];

/// Everything, as it is printed. Units stand in the names; giga and mega are powers of ten.
#[derive(Serialize)]
struct Figures {
    program: &'static str,
    host: String,
    machine: &'static str,
    /// What the board calls itself, where there is a device tree.
    board: Option<String>,
    cores: usize,
    /// Over the minute before, and over the last one when all was measured, by other work and by this one.
    load_before: Option<f64>,
    load_after: Option<f64>,
    /// Time of one measurement, and how many there are of each.
    seconds: f64,
    repeats: u32,
    processor: Option<ProcessorFigures>,
    gpu: Option<GpuFigures>,
    /// Why there are no figures of a GPU.
    gpu_missing: Option<String>,
}

/// A scheme on a grid.
#[derive(Serialize)]
struct StepFigures {
    scheme: &'static str,
    size: String,
    precision: &'static str,
    /// Million cells that are taken a step further in a second: the median, and the range over the repeats in per cent of it.
    mcell_updates_per_s: f64,
    spread_percent: f64,
    /// What a step reads and writes per cell, each field once per sweep, and what that makes per second.
    bytes_per_cell: usize,
    bandwidth_gb_per_s: f64,
    /// Of what copies get out of the same memory.
    share_of_copy: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    share_of_peak: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threads: Option<usize>,
}

/// Measures and prints.
///
/// # Errors
/// Says why nothing could be measured.
pub fn run(job: &Job, arguments: &MeasureArguments) -> anyhow::Result<()> {
    ensure!(
        job.size() == 1,
        "bench measures one computer by itself: start it without mpirun, once on every computer"
    );
    let load_before = load();
    let sees_gpu = arguments.device.wants_gpu();
    let measured = sees_gpu.then(|| gpu::measure(arguments)).transpose();
    let (gpu, gpu_missing) = match measured {
        Ok(Some(figures)) => (Some(figures), None),
        Ok(None) => (None, Some("only the processor was asked for".to_owned())),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    if let (true, Some(missing)) = (arguments.device.must_be_gpu(), &gpu_missing) {
        anyhow::bail!("--device gpu cannot be had: {missing}");
    }
    let processor =
        arguments.device.wants_processor().then(|| processor::measure(arguments, Level::widest()));
    let figures = Figures {
        program: concat!("advection ", env!("CARGO_PKG_VERSION")),
        host: job.host(),
        machine: ARCH,
        board: board(),
        cores: cores(),
        load_before,
        load_after: load(),
        seconds: arguments.seconds,
        repeats: arguments.repeats.into(),
        processor,
        gpu,
        gpu_missing,
    };
    let text = serde_json::to_string_pretty(&figures).context("the figures cannot be written")?;
    writeln!(std::io::stdout(), "{text}").context("the figures cannot be printed")
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Processes that ran or waited for the disk, over the last minute.
fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

fn board() -> Option<String> {
    let text = fs::read_to_string("/proc/device-tree/model").ok()?;
    Some(text.trim_end_matches('\0').to_owned())
}

/// Three decimals: more would not be the same the next time.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() * 1e-3
}

fn size_text((nx, ny): (usize, usize)) -> String {
    format!("{nx}x{ny}")
}
