//! The processor: whole steps on one core and on all, and what its memory gives to copies.

use std::{fs, thread, time::Instant};

use advection::{
    crew::{Cpu, MAX_THREADS},
    flows::{Flow, Pattern},
    mpdata::Options,
    part::Part,
    pictures::Picture,
    real::Real,
    simd::Level,
    slab::Slab,
};
use serde::Serialize;

use super::{SCHEMES, StepFigures, cores, pace, rounded, size_text};
use crate::arguments::MeasureArguments;

/// Numbers that a step reads and writes per cell, however many passes it has: the field and the flow on two faces, the field.
const NUMBERS: usize = 4;
/// Bytes of what is copied, more than any cache has.
const COPIED: usize = 128 << 20;

/// All figures of a processor.
#[derive(Serialize)]
pub struct ProcessorFigures {
    name: Option<String>,
    simd: String,
    /// Bytes read and written per second by copies, on one core and on all.
    copy_gb_per_s_one_core: f64,
    copy_gb_per_s: f64,
    steps: Vec<StepFigures>,
}

/// Measures them.
pub fn measure(arguments: &MeasureArguments, level: Level) -> ProcessorFigures {
    let all = cores().min(MAX_THREADS);
    let (one_copy, all_copy) = (copy_gb_per_s(1), copy_gb_per_s(all));
    let mut steps = Vec::new();
    let mut counts = vec![(1, one_copy)];
    if all > 1 {
        counts.push((all, all_copy));
    }
    for &(threads, copy) in &counts {
        let cpu = Cpu { level, threads };
        for &size in &arguments.sizes {
            for (scheme, options) in SCHEMES {
                steps.push(step::<f32>(arguments, cpu, copy, size, scheme, options));
                steps.push(step::<f64>(arguments, cpu, copy, size, scheme, options));
            }
        }
    }
    ProcessorFigures {
        name: name(),
        simd: level.to_string(),
        copy_gb_per_s_one_core: rounded(one_copy),
        copy_gb_per_s: rounded(all_copy),
        steps,
    }
}

/// A field and a flow to begin with.
pub fn prepared<T: Real>(size: (usize, usize), options: Options, cpu: Cpu) -> Slab<T> {
    let (nx, ny) = size;
    let mut slab = Slab::new(Part::whole(nx, ny, options.halo()), options, cpu);
    let flow = Flow::new(Pattern::Rotation, nx, ny);
    slab.set_flow(|i, row| flow.x_faces(i, row), |i, row| flow.y_faces(i, row));
    for i in 0..nx {
        slab.edit_row(i, |row| {
            for (j, cell) in row.iter_mut().enumerate() {
                *cell = T::of(Picture::Board.amount((i, j), size));
            }
        });
    }
    slab
}

fn step<T: Real>(
    arguments: &MeasureArguments,
    cpu: Cpu,
    copy_gb_per_s: f64,
    size: (usize, usize),
    scheme: &'static str,
    options: Options,
) -> StepFigures {
    let mut slab = prepared::<T>(size, options, cpu);
    let Ok(pace) = pace::measure(arguments.seconds, arguments.repeats.into(), |count| {
        (0..count).for_each(|_| slab.advance_alone(T::ONE));
        Ok::<(), std::convert::Infallible>(())
    });
    let rate = pace.per_second * (size.0 * size.1) as f64;
    let bytes = NUMBERS * size_of::<T>();
    let bandwidth = rate * bytes as f64 * 1e-9;
    StepFigures {
        scheme,
        size: size_text(size),
        precision: T::SUFFIX,
        mcell_updates_per_s: rounded(rate * 1e-6),
        spread_percent: rounded(pace.spread_percent),
        bytes_per_cell: bytes,
        bandwidth_gb_per_s: rounded(bandwidth),
        share_of_copy: rounded(bandwidth / copy_gb_per_s),
        share_of_peak: None,
        threads: Some(slab.threads()),
    }
}

/// Bytes that `threads` read and write per second when each copies its part, the best of five times, 1e9/s.
fn copy_gb_per_s(threads: usize) -> f64 {
    let entries = COPIED / size_of::<u64>();
    let (from, mut to) = (vec![1_u64; entries], vec![0_u64; entries]);
    let part = entries.div_ceil(threads);
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let begun = Instant::now();
        thread::scope(|scope| {
            for (to, from) in to.chunks_mut(part).zip(from.chunks(part)) {
                scope.spawn(|| to.copy_from_slice(from));
            }
        });
        best = best.min(begun.elapsed().as_secs_f64());
    }
    // What was copied is looked at, so that it had to be copied.
    debug_assert!(to.iter().all(|entry| *entry == 1));
    std::hint::black_box(&to);
    2e-9 * COPIED as f64 / best
}

/// What the processor calls itself.
fn name() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
