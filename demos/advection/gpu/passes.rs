//! Which kernels make a step, and on which rows: each pass is right on fewer rows than the one before.

use std::ops::Range;

use cuda::{Arguments, Buffer, Error, Gpu, Kernel, Stream};

use super::{
    BLOCK, FaceBuffers, Strength,
    kernels::{Carried, Corrected, Donor, Flow, Kernels, Limited, Limits, Velocities, Window},
    profile::Timer,
};
use crate::{
    mpdata::Options,
    real::Real,
    rows::{margin, width},
};

/// What is in between the passes of a step; of what no scheme needs there is one number.
pub struct Passes<T: Real> {
    fields: [Buffer<T>; 2],
    velocities: [FaceBuffers<T>; 2],
    up: Buffer<T>,
    down: Buffer<T>,
}

/// What moves the field.
pub struct Motion<'a, T: Real> {
    pub steady: &'a FaceBuffers<T>,
    pub stir: &'a FaceBuffers<T>,
    pub strength: Strength<T>,
}

/// The velocities of a pass as what moves the field: nothing is multiplied but with one.
fn kept<T: Real>(velocities: &FaceBuffers<T>) -> Flow<'_, T> {
    let strength = Strength { steady: T::ONE, stir: None };
    Motion { steady: velocities, stir: velocities, strength }.flow()
}

impl<'a, T: Real> Motion<'a, T> {
    fn flow(&self) -> Flow<'a, T> {
        let Self { steady, stir, strength } = *self;
        Flow {
            steady_x: steady.x.read(),
            steady_y: steady.y.read(),
            stir_x: stir.x.read(),
            stir_y: stir.y.read(),
            strength: strength.steady,
            share: strength.stir.unwrap_or(T::ZERO),
            stirred: strength.stir.is_some().into(),
        }
    }
}

/// Where kernels are queued.
pub struct Queue<'a, T: Real> {
    pub kernels: &'a Kernels<T>,
    pub stream: &'a Stream,
    pub ny: usize,
    /// Times every launch, if they are to be timed.
    pub timer: Option<&'a mut Timer>,
}

impl<T: Real> Queue<'_, T> {
    fn window(&self, rows: &Range<usize>) -> Window {
        Window {
            pitch: width::<T>(self.ny) as u32,
            lead: margin::<T>() as u32,
            cells: self.ny as u32,
            first: rows.start as u32,
            count: rows.len() as u32,
        }
    }

    /// A thread for every cell of `rows`.
    fn launch<A: Arguments>(
        &mut self,
        kernel: &Kernel<A::Key>,
        rows: &Range<usize>,
        arguments: &A,
    ) -> Result<(), Error> {
        let (stream, threads) = (self.stream, (self.ny as u32, rows.len() as u32));
        let launch = || kernel.launch(stream, threads, BLOCK, arguments);
        match &mut self.timer {
            Some(timer) => timer.time(stream, kernel.name(), self.ny * rows.len(), launch),
            None => launch(),
        }
    }
}

impl<T: Real> Passes<T> {
    pub fn new(gpu: &Gpu, length: usize, schemes: &[Options]) -> Result<Self, Error> {
        let needed = |need: fn(&Options) -> bool| if schemes.iter().any(need) { length } else { 1 };
        let two = needed(|options| 1 < options.passes);
        let three = needed(|options| 2 < options.passes);
        let limited = needed(|options| options.non_oscillatory);
        Ok(Self {
            fields: [Buffer::zeroed(gpu, two)?, Buffer::zeroed(gpu, three)?],
            velocities: [
                FaceBuffers::zeroed(gpu, limited.max(three))?,
                FaceBuffers::zeroed(gpu, three)?,
            ],
            up: Buffer::zeroed(gpu, limited)?,
            down: Buffer::zeroed(gpu, limited)?,
        })
    }

    /// Queues a step from `psi` to `next`, `psi` being right on `rows`.
    pub fn run(
        &mut self,
        queue: &mut Queue<'_, T>,
        options: Options,
        psi: &Buffer<T>,
        motion: &Motion<'_, T>,
        next: &mut Buffer<T>,
        rows: Range<usize>,
    ) -> Result<(), Error> {
        let mut rows = inner(rows, 1);
        let out = if options.passes == 1 { &mut *next } else { &mut self.fields[0] };
        let donor = Donor {
            psi: psi.read(),
            out: out.write(),
            flow: motion.flow(),
            window: queue.window(&rows),
        };
        let kernels = queue.kernels;
        queue.launch(&kernels.donor, &rows, &donor)?;
        for k in 0..options.passes - 1 {
            rows = self.correct(queue, options, k, psi, motion, next, rows)?;
        }
        Ok(())
    }

    /// Queues corrective pass `k`; returns the rows on which its result is right.
    #[allow(clippy::too_many_arguments, reason = "they are those of `run`, and two more")]
    fn correct(
        &mut self,
        queue: &mut Queue<'_, T>,
        options: Options,
        k: usize,
        old: &Buffer<T>,
        motion: &Motion<'_, T>,
        next: &mut Buffer<T>,
        rows: Range<usize>,
    ) -> Result<Range<usize>, Error> {
        let Self { fields: [even, odd], velocities: [first, second], up, down } = self;
        let (psi, other) = if k.is_multiple_of(2) { (&*even, odd) } else { (&*odd, even) };
        let keep = k + 2 < options.passes;
        let out = if keep { other } else { next };
        let kernels = queue.kernels;
        let gauge = options.infinite_gauge.into();
        // With the limiter the second pair always has the limited velocities; without, the pairs take turns.
        let swapped = !options.non_oscillatory && !k.is_multiple_of(2);
        let (made, from) = if swapped { (second, first) } else { (first, second) };
        let flow = if k == 0 { motion.flow() } else { kept(from) };

        let inside = inner(rows.clone(), 1);
        if !keep && !options.non_oscillatory {
            let (psi, out, window) = (psi.read(), out.write(), queue.window(&inside));
            let corrected = Corrected { psi, out, gauge, flow, window };
            queue.launch(&kernels.corrected, &inside, &corrected)?;
            return Ok(inside);
        }
        // One row more: that of the x faces behind the last cells.
        let faces = inside.start..rows.end;
        let (x, y, window) = (made.x.write(), made.y.write(), queue.window(&faces));
        let velocities = Velocities { psi: psi.read(), x, y, gauge, flow, window };
        queue.launch(&kernels.velocities, &faces, &velocities)?;
        if options.non_oscillatory {
            let limits = Limits {
                old: old.read(),
                psi: psi.read(),
                x: made.x.read(),
                y: made.y.read(),
                up: up.write(),
                down: down.write(),
                gauge,
                window: queue.window(&inside),
            };
            queue.launch(&kernels.limits, &inside, &limits)?;
        }
        let done = inner(rows.clone(), if options.non_oscillatory { 2 } else { 1 });
        let carried = Carried {
            psi: psi.read(),
            out: out.write(),
            x: made.x.read(),
            y: made.y.read(),
            up: up.read(),
            down: down.read(),
            gauge,
            unlimited: (!options.non_oscillatory).into(),
            keep: keep.into(),
            window: queue.window(&done),
        };
        queue.launch(&kernels.carried, &done, &carried)?;
        if keep && options.non_oscillatory {
            let faces = done.start..done.end + 1;
            let limited = Limited {
                x: made.x.read(),
                y: made.y.read(),
                up: up.read(),
                down: down.read(),
                limited_x: from.x.write(),
                limited_y: from.y.write(),
                window: queue.window(&faces),
            };
            queue.launch(&kernels.limited, &faces, &limited)?;
        }
        Ok(done)
    }
}

/// `rows` without `reach` of them on either side.
fn inner(rows: Range<usize>, reach: usize) -> Range<usize> {
    let start = rows.start + reach;
    start..rows.end.saturating_sub(reach).max(start)
}
