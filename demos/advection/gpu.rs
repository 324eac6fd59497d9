//! A rank's part of the field on a GPU: the passes as kernels, halos that travel while the interior is computed.
//!
//! Rows lie there as in [`crate::rows`], so a row is copied as it is. Two streams: kernels are queued in one, rows of the
//! halo travel in the other, and events say which waits for which. A step sets no memory aside, and the host waits in it
//! only for the rows that its neighbours need.

use std::ops::Range;

use cuda::{Buffer, Error, Event, Gpu, Locked, Stream};
use parallel::{Job, Stopwatch};

use crate::{
    faces::Faces,
    mpdata::Options,
    part::Part,
    real::Real,
    rows::{Rows, margin, width, wrap},
};

mod kernels;
mod passes;
mod profile;

pub use kernels::PTX;
use kernels::{Kernels, Painted};
use passes::Passes;
use profile::Timer;
pub use profile::{KernelTime, bytes_per_cell, copy_bytes_per_s};

/// Threads of a block along rows and across them: whole warps that read neighbouring cells.
pub const BLOCK: (u32, u32) = (64, 4);

/// Numbers on the faces of the part.
struct FaceBuffers<T: Real> {
    x: Buffer<T>,
    y: Buffer<T>,
}

impl<T: Real> FaceBuffers<T> {
    fn zeroed(gpu: &Gpu, length: usize) -> Result<Self, Error> {
        Ok(Self { x: Buffer::zeroed(gpu, length)?, y: Buffer::zeroed(gpu, length)? })
    }

    fn upload(&mut self, faces: &Faces<T>) -> Result<(), Error> {
        self.x.upload(faces.x.all())?;
        self.y.upload(faces.y.all())
    }
}

/// A flow's strength now, and the share of what is stirred, if anything is.
#[derive(Clone, Copy)]
pub struct Strength<T> {
    /// The steady flow's, -1 to 1.
    pub steady: T,
    /// The stirring's.
    pub stir: Option<T>,
}

/// A rank's part of the field on a GPU. Buffers are dropped before what they are in.
pub struct GpuSlab<T: Real> {
    part: Part,
    options: Options,
    psi: Buffer<T>,
    next: Buffer<T>,
    steady: FaceBuffers<T>,
    stir: FaceBuffers<T>,
    passes: Passes<T>,
    tile: Option<Buffer<u8>>,
    /// The first and the last rows of the part, for the neighbours.
    edges: [Locked<T>; 2],
    /// The same side by side, as they are sent.
    sent: Vec<T>,
    /// What the neighbours send.
    halos: [Locked<T>; 2],
    kernels: Kernels<T>,
    compute: Stream,
    travel: Stream,
    /// All that was computed before is done.
    computed: Event,
    /// The halo is there.
    arrived: Event,
    gpu: Gpu,
}

impl<T: Real> GpuSlab<T> {
    /// An empty field at rest on `gpu`, for any of `schemes`; the first of them to begin with.
    ///
    /// # Errors
    /// If the GPU has not enough memory or refuses the kernels.
    pub fn new(gpu: Gpu, part: Part, schemes: &[Options]) -> Result<Self, Error> {
        let pitch = width::<T>(part.ny);
        let field = || Buffer::zeroed(&gpu, part.rows() * pitch);
        let faces = || FaceBuffers::zeroed(&gpu, part.rows() * pitch);
        let halo = part.halo * pitch;
        let locked = || Locked::zeroed(&gpu, halo);
        Ok(Self {
            options: schemes.first().copied().unwrap_or(Options::UPWIND),
            psi: field()?,
            next: field()?,
            steady: faces()?,
            stir: faces()?,
            passes: Passes::new(&gpu, part.rows() * pitch, schemes)?,
            tile: None,
            edges: [locked()?, locked()?],
            sent: vec![T::ZERO; 2 * halo],
            halos: [locked()?, locked()?],
            kernels: Kernels::load(&gpu)?,
            compute: Stream::new(&gpu)?,
            travel: Stream::new(&gpu)?,
            computed: Event::new(&gpu)?,
            arrived: Event::new(&gpu)?,
            part,
            gpu,
        })
    }

    /// The device's own name.
    pub fn device(&self) -> &str {
        self.gpu.name()
    }

    /// Goes on with another member of the family.
    pub fn choose(&mut self, options: Options) {
        self.options = options;
    }

    /// Takes the field from the host.
    ///
    /// # Errors
    /// If the GPU fails.
    pub fn upload(&mut self, psi: &Rows<T>) -> Result<(), Error> {
        self.psi.upload(psi.all())
    }

    /// Gives the field to the host.
    ///
    /// # Errors
    /// If the GPU fails, now or with a step before.
    pub fn download(&self, psi: &mut Rows<T>) -> Result<(), Error> {
        self.psi.download(psi.all_mut())?;
        for g in 0..self.part.rows() {
            wrap(psi.row_mut(g), self.part.ny);
        }
        Ok(())
    }

    /// Takes the flow from the host.
    ///
    /// # Errors
    /// If the GPU fails.
    pub fn set_flow(&mut self, steady: &Faces<T>) -> Result<(), Error> {
        self.steady.upload(steady)
    }

    /// Takes what is stirred from the host.
    ///
    /// # Errors
    /// If the GPU fails.
    pub fn set_stir(&mut self, stir: &Faces<T>) -> Result<(), Error> {
        self.stir.upload(stir)
    }

    /// Waits until all that was queued is done.
    ///
    /// # Errors
    /// If any of it failed.
    pub fn wait(&self) -> Result<(), Error> {
        self.compute.wait()
    }

    /// Writes the tile of the picture, as [`crate::paint`] does.
    ///
    /// # Errors
    /// If the GPU fails, now or with a step before.
    pub fn paint(&mut self, fine: usize, tile: &mut [u8]) -> Result<(), Error> {
        self.queue_tile(fine, tile.len(), None)?;
        self.tile.as_ref().map_or(Ok(()), |buffer| buffer.download(tile))
    }

    /// Queues the kernel that writes the tile, of `length` bytes.
    fn queue_tile(
        &mut self,
        fine: usize,
        length: usize,
        timer: Option<&mut Timer>,
    ) -> Result<(), Error> {
        let buffer = match &mut self.tile {
            Some(buffer) if buffer.len() == length => buffer,
            other => other.insert(Buffer::zeroed(&self.gpu, length)?),
        };
        let (columns, height) = (self.part.own.len() / fine, self.part.ny / fine);
        let threads = (columns as u32, height as u32);
        let arguments = Painted {
            psi: self.psi.read(),
            tile: buffer.write(),
            width: threads.0,
            height: threads.1,
            fine: fine as u32,
            pitch: width::<T>(self.part.ny) as u32,
            lead: margin::<T>() as u32,
            first: self.part.halo as u32,
        };
        let (painted, stream) = (&self.kernels.painted, &self.compute);
        let launch = || painted.launch(stream, threads, BLOCK, &arguments);
        match timer {
            Some(timer) => {
                timer.time(stream, painted.name(), self.part.own.len() * self.part.ny, launch)
            }
            None => launch(),
        }
    }

    /// Queues one step of a grid that is all in this part.
    ///
    /// # Errors
    /// If the GPU fails, now or with a step before.
    pub fn advance_alone(&mut self, strength: Strength<T>) -> Result<(), Error> {
        self.step_alone(strength, None)
    }

    /// Does a step of a grid that is all in this part, and a tile of the picture, and times each kernel in that over so
    /// many launches.
    ///
    /// # Errors
    /// If the GPU fails, now or with a step before.
    pub fn profile(
        &mut self,
        strength: Strength<T>,
        launches: u32,
    ) -> Result<Vec<KernelTime>, Error> {
        let mut timer = Timer::new(&self.gpu, launches)?;
        self.step_alone(strength, Some(&mut timer))?;
        self.queue_tile(1, self.part.own.len() * self.part.ny, Some(&mut timer))?;
        Ok(timer.times)
    }

    fn step_alone(
        &mut self,
        strength: Strength<T>,
        timer: Option<&mut Timer>,
    ) -> Result<(), Error> {
        let (n, halo, reach) = (self.part.own.len(), self.part.halo, self.options.halo());
        let pitch = width::<T>(self.part.ny);
        let rows = |rows: Range<usize>| rows.start * pitch..rows.end * pitch;
        // The rows before the first are the last ones of the torus, and the other way round.
        let (first, last) = (rows(halo..halo + reach), rows(halo + n - reach..halo + n));
        self.psi.repeat(last, (halo - reach) * pitch, &self.compute)?;
        self.psi.repeat(first, (halo + n) * pitch, &self.compute)?;
        self.sweep(halo - reach..halo + n + reach, strength, timer)?;
        std::mem::swap(&mut self.psi, &mut self.next);
        Ok(())
    }

    /// Queues one step together with the other ranks; returns the bytes of halo sent.
    ///
    /// The messages are exchanged even if the GPU fails, so the other ranks go on; then what is sent means nothing.
    pub fn advance(
        &mut self,
        job: &Job,
        stopwatch: &mut Stopwatch,
        strength: Strength<T>,
    ) -> (u64, Result<(), Error>) {
        if job.size() == 1 {
            return (0, self.advance_alone(strength));
        }
        let begun = self.begin_step(strength);
        let sent = self.exchange(job, stopwatch);
        (sent, begun.and_then(|()| self.end_step(strength)))
    }

    /// Sends what a healthy rank would send.
    pub fn exchange(&mut self, job: &Job, stopwatch: &mut Stopwatch) -> u64 {
        if job.size() == 1 {
            return 0;
        }
        let length = self.options.halo() * width::<T>(self.part.ny);
        let [low, high] = &mut self.halos;
        let own = &self.sent[..2 * length];
        let (low, high) = (&mut low[..length], &mut high[..length]);
        job.exchange(own, low, high, stopwatch, |_, progress| progress.poll())
    }

    /// Fetches the rows for the neighbours while the interior is computed.
    fn begin_step(&mut self, strength: Strength<T>) -> Result<(), Error> {
        let (n, halo, reach) = (self.part.own.len(), self.part.halo, self.options.halo());
        let pitch = width::<T>(self.part.ny);
        self.computed.record(&self.compute)?;
        self.travel.wait_for(&self.computed)?;
        let [first, last] = &mut self.edges;
        self.psi.fetch(halo * pitch, first, reach * pitch, &self.travel)?;
        self.psi.fetch((halo + n - reach) * pitch, last, reach * pitch, &self.travel)?;
        if 2 * reach < n {
            self.sweep(halo..halo + n, strength, None)?;
        }
        self.travel.wait()?;
        let length = reach * pitch;
        for (edge, sent) in self.edges.iter().zip(self.sent.chunks_exact_mut(length)) {
            sent.copy_from_slice(&edge[..length]);
            sent.chunks_exact_mut(pitch).for_each(|row| wrap(row, self.part.ny));
        }
        Ok(())
    }

    /// Computes the first and the last rows, for which the halo was needed.
    fn end_step(&mut self, strength: Strength<T>) -> Result<(), Error> {
        let (n, halo, reach) = (self.part.own.len(), self.part.halo, self.options.halo());
        let pitch = width::<T>(self.part.ny);
        let [low, high] = &self.halos;
        self.psi.send((halo - reach) * pitch, low, reach * pitch, &self.travel)?;
        self.psi.send((halo + n) * pitch, high, reach * pitch, &self.travel)?;
        self.arrived.record(&self.travel)?;
        self.compute.wait_for(&self.arrived)?;
        self.sweep(halo - reach..halo + 2 * reach, strength, None)?;
        self.sweep(halo + n - 2 * reach..halo + n + reach, strength, None)?;
        std::mem::swap(&mut self.psi, &mut self.next);
        Ok(())
    }

    /// Queues all passes for the rows whose neighbours are among `rows`.
    fn sweep(
        &mut self,
        rows: Range<usize>,
        strength: Strength<T>,
        timer: Option<&mut Timer>,
    ) -> Result<(), Error> {
        let Self { passes, kernels, compute, part, options, .. } = self;
        let flow = passes::Motion { steady: &self.steady, stir: &self.stir, strength };
        let mut queue = passes::Queue { kernels, stream: compute, ny: part.ny, timer };
        passes.run(&mut queue, *options, &self.psi, &flow, &mut self.next, rows)
    }
}
