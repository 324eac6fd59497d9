//! The solver for scientists: fields from files or formulas, a number of steps, one line, and a file.

use std::{io::Write, path::Path, time::Instant};

use advection::{
    crew::Cpu,
    flows::Flow,
    mpdata::Options,
    part::Part,
    pictures::Picture,
    simd::Level,
    strip::{Device, Strip, local_rank},
};
use anyhow::{Context, bail};
use ndarray::{Array2, Axis};
use parallel::{Activity, Job, Shares, Stopwatch, strip};
use rustix::time::{ClockId, clock_gettime};

use crate::{
    agreement::agree,
    arguments::{Arguments, Precision},
};

mod deal;
mod files;

use deal::{Initial, collect, deal_field, deal_flow};
use files::FileElement;

/// Difference that the two ends of a periodic row of faces may have: sines of multiples of pi are not quite 0.
const SAME_FACE: f64 = 1e-6;

/// Computes what the arguments ask for; every rank calls it, and every rank gets the same answer.
///
/// # Errors
/// Says what to change, on one rank; the others know only that there is something.
pub fn run(job: &Job, arguments: &Arguments) -> anyhow::Result<()> {
    match arguments.precision {
        Precision::F32 => advect::<f32>(job, arguments),
        Precision::F64 => advect::<f64>(job, arguments),
    }
}

/// Steps between two looks whether the GPUs are well.
const GUARDED: u64 = 500;

/// Why there is no GPU: an error if one was asked for, a sentence if one is there, nothing to speak of if not.
fn accept(device: Device, refusal: Option<cuda::Error>) -> anyhow::Result<()> {
    match refusal {
        Some(error) if device == Device::Gpu => Err(error).context("--device gpu cannot be had"),
        Some(error) if !error.is_absence() => {
            parallel::say(format_args!("advection: {error}; the processor computes"));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What rank 0 has read.
struct Inputs<T> {
    psi: Initial<T>,
    courant: Option<[Array2<T>; 2]>,
}

fn advect<T: FileElement>(job: &Job, arguments: &Arguments) -> anyhow::Result<()> {
    let (options, level) = agree(job, check(job, arguments))?;
    let inputs = job.is_root().then(|| read_inputs::<T>(arguments));
    let inputs = agree(job, inputs.transpose())?;
    let ((nx, ny), halo) = (arguments.size, options.halo());
    let part = |rank| Part { nx, ny, own: strip(rank, job.size(), nx), halo };
    let cpu = Cpu { level, threads: arguments.threads.unwrap_or(1).into() };
    let (mut slab, refusal) =
        Strip::<T>::new(part(job.rank()), &[options], cpu, arguments.device(), local_rank());
    agree(job, accept(arguments.device(), refusal))?;
    let flow = Flow::new(arguments.flow.pattern(), nx, ny);
    let (psi, courant) = inputs.map(|inputs| (inputs.psi, inputs.courant)).unzip();
    deal_field(job, &mut slab, psi, part);
    let from_files = arguments.courant_x.is_some();
    if from_files {
        deal_flow(job, &mut slab, courant.flatten(), part);
    } else {
        slab.set_flow(|i, row| flow.x_faces(i, row), |i, row| flow.y_faces(i, row));
    }

    let before = mass(job, &slab);
    let (began, cpu) = (Instant::now(), cpu_s());
    let mut stopwatch = Stopwatch::new(began);
    stopwatch.switch(Activity::Compute);
    let mut halo_bytes = 0;
    let guarded = job.maximum(if slab.gpu().is_some() { 1.0 } else { 0.0 }) != 0.0;
    if guarded {
        slab.keep();
    }
    let mut done = 0;
    while done < arguments.steps {
        let until = if guarded { arguments.steps.min(done + GUARDED) } else { arguments.steps };
        for step in done..until {
            let strength = if from_files { 1.0 } else { flow.strength(step) };
            halo_bytes += slab.advance(job, &mut stopwatch, T::of(strength));
        }
        // A GPU that has failed costs the steps since the last look.
        if !(guarded && slab.check(job, true)) {
            done = until;
        }
    }
    let own_s = began.elapsed().as_secs_f64();
    let spent = ranks(job, stopwatch.lap(Instant::now()), own_s, halo_bytes);
    let wall_s = job.maximum(own_s);
    let cpu_s = job.sum(cpu_s() - cpu);
    let after = mass(job, &slab);
    let gpus = job.gather(&gpu_name(slab.gpu()));

    let line = || {
        let rate = arguments.steps as f64 / wall_s.max(f64::MIN_POSITIVE);
        let change = if before == 0.0 { after } else { (after - before) / before };
        let line = format!(
            "size={nx}x{ny} ranks={} threads={} simd={level} {} steps={} wall_s={wall_s:.6} cpu_s={cpu_s:.6} \
             steps_per_s={rate:.3} cell_updates_per_s={:.4e} relative_mass_change={change:.3e} {spent}",
            job.size(),
            slab.threads(),
            list_gpus(&gpus),
            arguments.steps,
            rate * (nx * ny) as f64,
        );
        writeln!(std::io::stdout(), "{line}").context("the result cannot be printed")
    };
    agree(job, job.is_root().then(line).transpose())?;
    let Some(path) = &arguments.output else { return Ok(()) };
    let field = collect(job, &slab, part);
    let written = job.is_root().then(|| files::write(path, arguments.size, &field));
    agree(job, written.transpose()).map(|_| ())
}

/// Longest name of a GPU that is printed.
const MAX_NAME: usize = 64;

/// A rank's GPU, for the others; nothing if it has none.
fn gpu_name(name: Option<&str>) -> [u8; MAX_NAME] {
    let mut bytes = [0; MAX_NAME];
    if let Some(name) = name {
        let length = name.floor_char_boundary(MAX_NAME);
        bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
    }
    bytes
}

/// How many ranks have a GPU, and the name of the first, in one word.
fn list_gpus(names: &[u8]) -> String {
    let names: Vec<String> = names
        .chunks_exact(MAX_NAME)
        .map(|name| String::from_utf8_lossy(name).trim_end_matches('\0').replace(' ', "_"))
        .filter(|name| !name.is_empty())
        .collect();
    format!("gpus={} gpu={}", names.len(), names.first().map_or("none", String::as_str))
}

/// Where every rank's time went, and what it sent to its neighbours, in the order of the ranks: only on rank 0.
fn ranks(job: &Job, shares: Shares, own_s: f64, halo_bytes: u64) -> String {
    let [compute, communicate, wait] =
        [shares.compute, shares.communicate, shares.wait].map(|share| f64::from(share) * own_s);
    let all = job.gather(&[compute, communicate, wait, halo_bytes as f64]);
    let list = |column: usize, decimals: usize| {
        let numbers = all.chunks_exact(4).map(|rank| format!("{:.decimals$}", rank[column]));
        numbers.collect::<Vec<_>>().join(",")
    };
    format!(
        "compute_s={} communicate_s={} wait_s={} halo_bytes={}",
        list(0, 6),
        list(1, 6),
        list(2, 6),
        list(3, 0)
    )
}

/// What can be checked without files: the options among each other, this processor, the number of ranks.
fn check(job: &Job, arguments: &Arguments) -> anyhow::Result<(Options, Level)> {
    let (options, level) = (arguments.options()?, arguments.level()?);
    let (rows, needed) = (arguments.size.0, options.halo());
    if rows / job.size() < needed {
        bail!(
            "{rows} rows on {} ranks leave some fewer than the {needed} that these options need: \
             use fewer ranks or a larger --size",
            job.size()
        );
    }
    Ok((options, level))
}

fn read_inputs<T: FileElement>(arguments: &Arguments) -> anyhow::Result<Inputs<T>> {
    let (nx, ny) = arguments.size;
    let psi = match arguments.initial.as_str() {
        "cone" => Initial::Picture(Picture::Cone),
        "gaussian" => Initial::Picture(Picture::Gaussian),
        "board" => Initial::Picture(Picture::Board),
        "pipe" => Initial::Picture(Picture::pipe(nx, ny).context("the pipe cannot be decoded")?),
        path if path.ends_with(".png") => {
            Initial::Picture(files::read_picture(Path::new(path), (nx, ny))?)
        }
        path if path.ends_with(".npy") => Initial::Field(read_field(Path::new(path), arguments)?),
        other => bail!(
            "'{other}' is no field to begin with: name cone, gaussian, board, pipe, a .png or a .npy"
        ),
    };
    let courant = match (&arguments.courant_x, &arguments.courant_y) {
        (Some(x), Some(y)) => {
            let x = read_courant(x, (nx + 1, ny), Axis(0))?;
            Some([x, read_courant(y, (nx, ny + 1), Axis(1))?])
        }
        _ => None,
    };
    Ok(Inputs { psi, courant })
}

fn read_field<T: FileElement>(path: &Path, arguments: &Arguments) -> anyhow::Result<Array2<T>> {
    let psi = files::read::<T>(path, arguments.size)?;
    let any_sign = arguments.infinite_gauge || arguments.passes == 1;
    let negative = psi.indexed_iter().find(|(_, value)| **value < T::ZERO);
    match negative {
        Some(((i, j), value)) if !any_sign => bail!(
            "{} is {value} at [{i}, {j}]: negative amounts need --infinite-gauge or --passes 1",
            path.display()
        ),
        _ => Ok(psi),
    }
}

/// Reads the Courant numbers of the faces across `axis`, whose first and last layer are the same faces.
fn read_courant<T: FileElement>(
    path: &Path,
    shape: (usize, usize),
    axis: Axis,
) -> anyhow::Result<Array2<T>> {
    let name = path.display();
    let faces = files::read::<T>(path, shape)?;
    if let Some(((i, j), value)) = faces.indexed_iter().find(|(_, c)| T::ONE < c.abs()) {
        bail!("{name} holds {value} at [{i}, {j}]: a Courant number is -1 to 1");
    }
    let (first, last) = (faces.index_axis(axis, 0), faces.index_axis(axis, faces.len_of(axis) - 1));
    for (k, (first, last)) in first.iter().zip(last).enumerate() {
        if SAME_FACE < (*first - *last).abs().to_f64() {
            let end = faces.len_of(axis) - 1;
            bail!(
                "{name} is not periodic: along axis {}, number {k} of layer 0 is {first} and that of layer {end}, \
                 the same face, is {last}",
                axis.index()
            );
        }
    }
    Ok(faces)
}

/// The sum over all cells.
fn mass<T: FileElement>(job: &Job, slab: &Strip<T>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0);
    for amount in (0..slab.part().own.len()).flat_map(|i| slab.row(i)) {
        // Neumaier's summation: the rounding of the sum must not pass for a change of mass.
        let amount = amount.to_f64();
        let next = sum + amount;
        lost +=
            if sum.abs() < amount.abs() { (amount - next) + sum } else { (sum - next) + amount };
        sum = next;
    }
    job.sum(sum + lost)
}

/// Processor time of this process, s.
fn cpu_s() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
