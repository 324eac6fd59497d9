//! What every rank does for a command: its part of the picture, its steps, its pixels.

use std::time::{Duration, Instant};

use advection::{
    crew::Cpu,
    flows::Flow,
    paint::Painter,
    part::Part,
    pictures::Picture,
    strip::{Device, Strip, local_rank},
};
use anyhow::{Context, bail};
use parallel::{Activity, Job, Stopwatch, Tiles, strip};
use wire::demo::{MAX_PIXELS, MAX_SIDE};

use super::{
    command::{Choice, Command, MOTIFS, PATTERNS, SCHEMES},
    director::Score,
    pace::MOST_STEPS,
};

/// The rows of a grid of `nx` that belong to the pixels of a rank.
fn rows(rank: usize, size: usize, nx: usize, fine: usize) -> std::ops::Range<usize> {
    let columns = strip(rank, size, nx / fine);
    fine * columns.start..fine * columns.end
}

/// A rank's part of the run.
pub struct Stage {
    /// Where the time goes.
    pub stopwatch: Stopwatch,
    /// Bytes of halo sent since the last statistics.
    pub halo_bytes: u64,
    /// Cells along each side of a pixel.
    fine: usize,
    /// Cells.
    size: (usize, usize),
    slab: Strip<f32>,
    /// Some rank computes on a GPU, which may fail.
    guarded: bool,
    /// Step and clock of the field that the strips have kept.
    kept: (u64, u64),
    /// A GPU was to be had and was not.
    pub refused: bool,
    /// Steps that a failing GPU has cost since somebody asked.
    lost: Option<u64>,
    flow: Flow,
    pictures: [Picture; MOTIFS],
    choice: Choice,
    step: u64,
    /// Steps since the flow's time began.
    clock: u64,
    painter: Painter,
    tile: Vec<u8>,
    tiles: Tiles,
    /// Columns of the picture that each rank paints.
    widths: Vec<usize>,
}

impl Stage {
    /// The first picture on a canvas of `width` times `height` pixels, each of `fine` times `fine` cells.
    ///
    /// # Errors
    /// If the canvas is too large for a picture, or too narrow for so many ranks.
    pub fn new(
        job: &Job,
        (width, height): (usize, usize),
        fine: usize,
        (cpu, device): (Cpu, Device),
    ) -> anyhow::Result<Self> {
        if usize::from(MAX_SIDE) < width.max(height) || (MAX_PIXELS as usize) < width * height {
            bail!("a canvas of {width}x{height} pixels is more than the {MAX_PIXELS} of a picture");
        }
        let (nx, ny) = (fine * width, fine * height);
        let halo = SCHEMES.iter().map(|scheme| scheme.halo()).max().unwrap_or(1);
        if width / job.size() < halo {
            bail!(
                "a canvas {width} pixels wide is too narrow for {} ranks: start fewer",
                job.size()
            );
        }
        let own = rows(job.rank(), job.size(), nx, fine);
        let widths: Vec<usize> =
            (0..job.size()).map(|rank| strip(rank, job.size(), width).len()).collect();
        let lengths: Vec<usize> = widths.iter().map(|width| width * height).collect();
        let choice = Choice::FIRST;
        let pipe = Picture::pipe(nx, ny).context("the picture of the pipe is damaged")?;
        let pictures = [pipe, Picture::Cone, Picture::Board];
        let part = Part { nx, ny, own, halo };
        // The first scheme counts first; a GPU sets memory aside for all of them.
        let schemes: Vec<_> = [SCHEMES[choice.scheme]].into_iter().chain(SCHEMES).collect();
        let (slab, refusal) = Strip::new(part, &schemes, cpu, device, local_rank());
        let refusal = refusal.filter(|error| device == Device::Gpu || !error.is_absence());
        if let Some(error) = &refusal {
            parallel::say(format_args!(
                "advection: rank {}: {error}; the processor computes",
                job.rank()
            ));
        }
        let mut stage = Self {
            guarded: false,
            kept: (0, 0),
            lost: None,
            refused: refusal.is_some(),
            stopwatch: Stopwatch::new(Instant::now()),
            halo_bytes: 0,
            fine,
            size: (nx, ny),
            tile: vec![0; lengths[job.rank()]],
            slab,
            flow: Flow::new(PATTERNS[choice.flow], nx, ny),
            pictures,
            choice,
            step: 0,
            clock: 0,
            painter: Painter::new(height, fine),
            tiles: Tiles::new(job, &lengths),
            widths,
        };
        stage.set_flow();
        stage.set_picture();
        Ok(stage)
    }

    /// Whether this rank computes on a GPU.
    pub fn has_gpu(&self) -> bool {
        self.slab.gpu().is_some()
    }

    /// The ranks come to know whether any of them has a GPU; all must call it.
    pub fn guard(&mut self, job: &Job) {
        self.guarded = job.maximum(if self.has_gpu() { 1.0 } else { 0.0 }) != 0.0;
    }

    /// The steps that a failing GPU has cost, once.
    pub fn take_lost(&mut self) -> Option<u64> {
        self.lost.take()
    }

    /// The flow.
    pub fn flow(&self) -> &Flow {
        &self.flow
    }

    /// Steps since the start of the run.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Cells of the whole grid.
    pub fn cells(&self) -> usize {
        self.size.0 * self.size.1
    }

    /// Goes on where another run was: with this rank's part of its field, `strip`, row by row.
    pub fn resume(&mut self, score: Score, step: u64, strip: &[f32]) {
        self.choose(score.choice);
        (self.step, self.clock) = (step, score.clock);
        let ny = self.size.1;
        for (k, from) in strip.chunks_exact(ny).enumerate() {
            self.slab.edit_row(k, |row| row.copy_from_slice(from));
        }
        self.keep();
    }

    /// The field on the host is one to which all ranks could go back.
    fn keep(&mut self) {
        self.slab.keep();
        self.kept = (self.step, self.clock);
    }

    /// Brings the field to the host, for [`Self::strip`].
    pub fn settle(&mut self) {
        self.slab.settle();
    }

    /// This rank's part of the field, row by row.
    pub fn strip(&self) -> Vec<f32> {
        let rows = 0..self.slab.part().own.len();
        rows.flat_map(|k| self.slab.row(k).iter().copied()).collect()
    }

    /// Cells along each side of a pixel.
    pub fn fine(&self) -> usize {
        self.fine
    }

    /// Steps per frame at most: as the eye can follow, or, in a race, as the machine can.
    pub fn most_steps(&self) -> u32 {
        if self.fine == 1 { MOST_STEPS } else { u32::MAX }
    }

    /// The rows that a rank of `job` has.
    pub fn rows(&self, job: &Job, rank: usize) -> std::ops::Range<usize> {
        rows(rank, job.size(), self.size.0, self.fine)
    }

    /// Rows of the whole field, and cells in each.
    pub fn size(&self) -> (usize, usize) {
        self.size
    }

    /// Does what a command says; returns what its first step took, and its other steps together.
    pub fn obey(&mut self, job: &Job, command: &Command) -> (Duration, Duration) {
        self.stopwatch.switch(Activity::Compute);
        self.choose(command.choice);
        if command.restart {
            self.set_picture();
        }
        if command.rewind {
            self.clock = 0;
            self.kept.1 = 0;
        }
        self.stir(job, command);

        let (began, mut first) = (Instant::now(), Duration::ZERO);
        for k in 0..command.batch {
            let strength = self.flow.strength(self.clock) as f32;
            self.halo_bytes += self.slab.advance(job, &mut self.stopwatch, strength);
            self.step += 1;
            self.clock += 1;
            if k == 0 {
                self.slab.wait();
                first = began.elapsed();
            }
        }
        // Whoever chooses the number of steps must know what they take, not how fast they are queued.
        self.slab.wait();
        let later = began.elapsed() - first;

        if command.paint {
            self.slab.paint(&mut self.painter, &mut self.tile);
            self.stopwatch.switch(Activity::Communicate);
            self.tiles.gather(job, &self.tile);
        }
        if self.guarded {
            self.look_after(job, command.statistics);
        }
        (first, later)
    }

    /// Looks whether the GPUs are well; if one is not, all ranks go back to where all were.
    fn look_after(&mut self, job: &Job, keep: bool) {
        if !self.slab.check(job, keep) {
            if keep {
                self.kept = (self.step, self.clock);
            }
            return;
        }
        self.lost = Some(self.step - self.kept.0);
        (self.step, self.clock) = self.kept;
        self.guard(job);
    }

    fn stir(&mut self, job: &Job, command: &Command) {
        if command.fingers == 0 && !self.slab.is_stirred() {
            return;
        }
        let mut strokes = command.strokes;
        let fine = self.fine as f64;
        for stroke in &mut strokes {
            (stroke.from, stroke.to) = (stroke.from.map(|x| fine * x), stroke.to.map(|x| fine * x));
        }
        let share = self.slab.stir(&strokes[..command.fingers], command.kept);
        self.stopwatch.switch(Activity::Wait);
        // The smallest of some numbers does not depend on their order: all ranks get the same bits.
        self.slab.allow(job.minimum(share));
        self.stopwatch.switch(Activity::Compute);
    }

    /// Writes the whole picture from the ranks' tiles, the top row first; rank 0 only, after a painted command.
    pub fn assemble(&self, picture: &mut [u8]) {
        let mut left = 0;
        for (rank, width) in self.widths.iter().copied().enumerate() {
            let tile = self.tiles.tile(rank).chunks_exact(width);
            for (row, from) in picture.chunks_exact_mut(self.size.0 / self.fine).zip(tile) {
                row[left..left + width].copy_from_slice(from);
            }
            left += width;
        }
    }

    fn choose(&mut self, choice: Choice) {
        if choice == self.choice {
            return;
        }
        let before = std::mem::replace(&mut self.choice, choice);
        self.slab.choose(SCHEMES[choice.scheme]);
        if choice.flow != before.flow {
            self.flow = Flow::new(PATTERNS[choice.flow], self.size.0, self.size.1);
            self.set_flow();
        }
    }

    fn set_flow(&mut self) {
        let flow = &self.flow;
        self.slab.set_flow(|i, row| flow.x_faces(i, row), |i, row| flow.y_faces(i, row));
    }

    fn set_picture(&mut self) {
        let own = self.slab.part().own.clone();
        for (k, i) in own.enumerate() {
            let picture = &self.pictures[self.choice.motif];
            let size = self.size;
            self.slab.edit_row(k, |row| {
                for (j, cell) in row.iter_mut().enumerate() {
                    *cell = picture.amount((i, j), size) as f32;
                }
            });
        }
        self.keep();
    }
}
