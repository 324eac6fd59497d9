//! A rank's strip of the field on the device that computes it, and the way back when a GPU fails.
//!
//! The host's [`Slab`] is always there: it has the flow and what is stirred, and the field when it was needed here last.
//! A GPU that fails loses the steps since [`Strip::keep`]; then all ranks go back to that moment together, and the
//! rank goes on without it.

use std::{env, num::NonZero, thread};

use cuda::Gpu;
use parallel::{Job, Stopwatch};

use crate::{
    crew::Cpu,
    gpu::{GpuSlab, Strength},
    mpdata::Options,
    paint::Painter,
    part::Part,
    real::Real,
    rows::{here_mut, wrap},
    slab::Slab,
    stroke::Stroke,
};

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// A GPU if this machine has one.
    Auto,
    /// The processor.
    Cpu,
    /// A GPU, and it is an error if there is none.
    Gpu,
}

/// Where the newest field is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Newest {
    Host,
    Gpu,
    Both,
}

/// A rank's strip of the field.
pub struct Strip<T: Real> {
    slab: Slab<T>,
    gpu: Option<GpuSlab<T>>,
    newest: Newest,
    /// The flow there is not that of the host.
    flow_changed: bool,
    /// What is stirred there is not that of the host.
    stir_changed: bool,
    failure: Option<cuda::Error>,
    /// This rank's rows when all ranks were well.
    kept: Vec<T>,
}

impl<T: Real> Strip<T> {
    /// An empty field at rest, for any of `schemes`, the first of them to begin with; see [`Slab::new`].
    ///
    /// The `local_rank`th process of a machine takes the GPU whose turn it is.
    ///
    /// Returns with it why there is no GPU although one is wanted.
    pub fn new(
        part: Part,
        schemes: &[Options],
        cpu: impl Into<Cpu>,
        device: Device,
        local_rank: usize,
    ) -> (Self, Option<cuda::Error>) {
        let options = schemes.first().copied().unwrap_or(Options::UPWIND);
        let open = || GpuSlab::new(Gpu::open(local_rank)?, part.clone(), schemes);
        let (gpu, refusal) = match device {
            Device::Cpu => (None, None),
            Device::Auto | Device::Gpu => match open() {
                Ok(gpu) => (Some(gpu), None),
                Err(error) => (None, Some(error)),
            },
        };
        let strip = Self {
            slab: Slab::new(part, options, cpu),
            gpu,
            newest: Newest::Host,
            flow_changed: true,
            stir_changed: false,
            failure: None,
            kept: Vec::new(),
        };
        (strip, refusal)
    }

    /// Which rows it holds.
    pub fn part(&self) -> &Part {
        self.slab.part()
    }

    /// The name of the GPU that computes, if one does.
    pub fn gpu(&self) -> Option<&str> {
        self.gpu.as_ref().map(GpuSlab::device)
    }

    /// Threads of the processor that compute; on a GPU none does.
    pub fn threads(&self) -> usize {
        if self.gpu.is_some() { 0 } else { self.slab.threads() }
    }

    /// Goes on with another member of the family.
    pub fn choose(&mut self, options: Options) {
        self.slab.choose(options);
        if let Some(gpu) = &mut self.gpu {
            gpu.choose(options);
        }
    }

    /// Brings the field to the host, where [`Self::row`] reads it.
    pub fn settle(&mut self) {
        if self.newest != Newest::Gpu || self.failure.is_some() {
            return;
        }
        if let Some(gpu) = &self.gpu {
            match gpu.download(self.slab.rows_mut()) {
                Ok(()) => self.newest = Newest::Both,
                Err(error) => self.failure = Some(error),
            }
        }
    }

    /// A row of this rank's cells, `i` counted from its first, as it was when the field was settled last.
    pub fn row(&self, i: usize) -> &[T] {
        self.slab.row(i)
    }

    /// Lets `edit` change a row of this rank's cells, `i` counted from its first.
    pub fn edit_row(&mut self, i: usize, edit: impl FnOnce(&mut [T])) {
        self.settle();
        self.slab.edit_row(i, edit);
        self.newest = Newest::Host;
    }

    /// Replaces the flow; see [`Slab::set_flow`].
    pub fn set_flow(&mut self, x: impl FnMut(usize, &mut [T]), y: impl FnMut(usize, &mut [T])) {
        self.slab.set_flow(x, y);
        self.flow_changed = true;
    }

    /// Stirs along `strokes`; see [`Slab::stir`].
    pub fn stir(&mut self, strokes: &[Stroke], kept: f64) -> f64 {
        if !strokes.is_empty() {
            // Ink falls into the field.
            self.settle();
            self.newest = Newest::Host;
        }
        self.stir_changed = true;
        self.slab.stir(strokes, kept)
    }

    /// Whether anything is stirred; all ranks agree on that.
    pub fn is_stirred(&self) -> bool {
        self.slab.is_stirred()
    }

    /// Sets the share of the stirring that all ranks use.
    pub fn allow(&mut self, share: f64) {
        self.slab.allow(share);
    }

    /// Computes one step together with the other ranks; see [`Slab::advance`].
    pub fn advance(&mut self, job: &Job, stopwatch: &mut Stopwatch, strength: T) -> u64 {
        if self.gpu.is_none() {
            return self.slab.advance(job, stopwatch, strength);
        }
        let ready = self.bring_to_gpu();
        let stir = self.slab.stirred().map(|(_, share)| share);
        let Some(gpu) = &mut self.gpu else { return 0 };
        let (sent, done) = match ready {
            Ok(()) => gpu.advance(job, stopwatch, Strength { steady: strength, stir }),
            // The other ranks wait for messages, whatever is in them.
            Err(error) => (gpu.exchange(job, stopwatch), Err(error)),
        };
        self.newest = Newest::Gpu;
        self.failure = done.err();
        sent
    }

    /// Computes one step of a grid that is all in this strip.
    pub fn advance_alone(&mut self, strength: T) {
        if self.gpu.is_none() {
            return self.slab.advance_alone(strength);
        }
        let ready = self.bring_to_gpu();
        let stir = self.slab.stirred().map(|(_, share)| share);
        let Some(gpu) = &mut self.gpu else { return };
        let done = ready.and_then(|()| gpu.advance_alone(Strength { steady: strength, stir }));
        self.newest = Newest::Gpu;
        self.failure = done.err();
    }

    /// Waits until the steps so far are done; on a GPU they were only queued.
    pub fn wait(&mut self) {
        if self.failure.is_some() {
            return;
        }
        if let Some(gpu) = &self.gpu {
            self.failure = gpu.wait().err();
        }
    }

    /// Gives the GPU whatever has changed on the host.
    fn bring_to_gpu(&mut self) -> Result<(), cuda::Error> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let Some(gpu) = &mut self.gpu else { return Ok(()) };
        if self.flow_changed {
            gpu.set_flow(self.slab.steady())?;
            self.flow_changed = false;
        }
        if self.stir_changed
            && let Some((stir, _)) = self.slab.stirred()
        {
            gpu.set_stir(stir)?;
        }
        self.stir_changed = false;
        if self.newest == Newest::Host {
            gpu.upload(self.slab.rows_mut())?;
            self.newest = Newest::Both;
        }
        Ok(())
    }

    /// Writes this rank's tile of the picture; after a failure it stays as it was.
    pub fn paint(&mut self, painter: &mut Painter, tile: &mut [u8]) {
        let ready = self.bring_to_gpu();
        let Some(gpu) = &mut self.gpu else { return painter.paint(&self.slab, tile) };
        self.failure = ready.and_then(|()| gpu.paint(painter.fine(), tile)).err();
    }

    /// Remembers the field of the host as a moment when all ranks were well.
    pub fn keep(&mut self) {
        let rows = 0..self.part().own.len();
        self.kept.clear();
        for i in rows {
            let row = self.slab.row(i);
            self.kept.extend_from_slice(row);
        }
    }

    /// Asks all ranks whether their GPUs are well; if one is not, all go back to the moment that was kept. All ranks
    /// must call it. With `keep` this is the next such moment, if all are well.
    ///
    /// Returns whether they went back; this rank's own failure, if it is that, is printed.
    pub fn check(&mut self, job: &Job, keep: bool) -> bool {
        if keep {
            self.settle();
        }
        if job.maximum(if self.failure.is_some() { 1.0 } else { 0.0 }) == 0.0 {
            if keep {
                self.keep();
            }
            return false;
        }
        if let Some(error) = self.failure.take() {
            parallel::say(format_args!(
                "advection: rank {}: {error}; the processor goes on",
                job.rank()
            ));
            self.gpu = None;
        }
        let Part { ny, halo, .. } = *self.part();
        for (i, from) in self.kept.chunks_exact(ny).enumerate() {
            let row = self.slab.rows_mut().row_mut(halo + i);
            here_mut(row, ny).copy_from_slice(from);
            wrap(row, ny);
        }
        self.newest = Newest::Host;
        true
    }
}

/// Which process of its machine this one is, as Open MPI, Slurm or MPICH say; the first if nobody does.
pub fn local_rank() -> usize {
    from_environment(["OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID", "MPI_LOCALRANKID"])
        .unwrap_or(0)
}

/// The cores that are for this process where its machine's are shared among its processes of the job, `kept` of them
/// being for somebody else; at least 1.
pub fn local_cores(kept: usize) -> usize {
    let names = ["OMPI_COMM_WORLD_LOCAL_SIZE", "SLURM_NTASKS_PER_NODE", "MPI_LOCALNRANKS"];
    let processes = from_environment(names).unwrap_or(1).max(1);
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    (cores.saturating_sub(kept) / processes).max(1)
}

fn from_environment(names: [&str; 3]) -> Option<usize> {
    names.iter().find_map(|name| env::var(name).ok()?.parse().ok())
}
