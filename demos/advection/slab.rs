//! A rank's part of the field on the processor: rows of cells, the flow that moves them, a step.
//!
//! [`crate::strip`] chooses between this and a GPU.

use parallel::{Job, Stopwatch};

use crate::{
    crew::{Cpu, Crew},
    faces::Faces,
    mpdata::{Field, Motion, Options},
    part::Part,
    real::Real,
    rows::{Rows, here, here_mut, width, wrap},
    stir::Stir,
    stroke::{Stroke, ink},
};

/// A rank's part of the field.
pub struct Slab<T> {
    part: Part,
    psi: Rows<T>,
    next: Rows<T>,
    steady: Faces<T>,
    stir: Stir<T>,
    /// The share of the stirring that the stability limit allows.
    share: T,
    crew: Crew<T>,
}

impl<T: Real> Slab<T> {
    /// An empty field at rest. `part.halo` must be at least `options.halo()`, and `part.own` no shorter than that.
    pub fn new(part: Part, options: Options, cpu: impl Into<Cpu>) -> Self {
        Self {
            psi: Rows::new(part.rows(), part.ny),
            next: Rows::new(part.rows(), part.ny),
            steady: Faces::still(&part),
            stir: Stir::new(&part),
            share: T::ONE,
            crew: Crew::new(options, part.ny, cpu.into()),
            part,
        }
    }

    /// Which rows it holds.
    pub fn part(&self) -> &Part {
        &self.part
    }

    /// Goes on with another member of the family; its halo must fit, as in [`Self::new`].
    pub fn choose(&mut self, options: Options) {
        self.crew.choose(options);
    }

    /// Threads that compute it.
    pub fn threads(&self) -> usize {
        self.crew.threads()
    }

    /// A row of this rank's cells, `i` counted from its first.
    pub fn row(&self, i: usize) -> &[T] {
        here(self.psi.row(self.part.halo + i), self.part.ny)
    }

    /// Lets `edit` change a row of this rank's cells, `i` counted from its first.
    pub fn edit_row(&mut self, i: usize, edit: impl FnOnce(&mut [T])) {
        let row = self.psi.row_mut(self.part.halo + i);
        edit(here_mut(row, self.part.ny));
        wrap(row, self.part.ny);
    }

    /// Replaces the flow; `x` and `y` write rows of the grid's faces, as in [`Faces::fill`].
    pub fn set_flow(&mut self, x: impl FnMut(usize, &mut [T]), y: impl FnMut(usize, &mut [T])) {
        self.steady.fill(&self.part, x, y);
    }

    /// Stirs along `strokes` after what was stirred before has faded to the share `kept`, and leaves tracer there.
    ///
    /// Returns the share of the stirring that is stable in this rank's cells; [`Self::allow`] takes the smallest of all.
    pub fn stir(&mut self, strokes: &[Stroke], kept: f64) -> f64 {
        self.stir.stamp(&self.part, strokes, kept);
        let Part { own, ny, .. } = self.part.clone();
        for (g, i) in own.enumerate().map(|(k, i)| (self.part.halo + k, i)) {
            let row = self.psi.row_mut(g);
            ink(&self.part, i, here_mut(row, ny), strokes);
            wrap(row, ny);
        }
        self.stir.share(&self.part, &self.steady)
    }

    /// Whether anything is stirred; all ranks agree on that.
    pub fn is_stirred(&self) -> bool {
        self.stir.faces().is_some()
    }

    /// Sets the share of the stirring that all ranks use.
    pub fn allow(&mut self, share: f64) {
        self.share = T::of(share);
    }

    /// The member of the family.
    pub fn options(&self) -> Options {
        self.crew.options()
    }

    /// All rows, halo included, for another device; whoever writes them sees to the ends of the rows.
    pub fn rows_mut(&mut self) -> &mut Rows<T> {
        &mut self.psi
    }

    /// The flow at full strength.
    pub fn steady(&self) -> &Faces<T> {
        &self.steady
    }

    /// What is stirred, and the share of it that is allowed.
    pub fn stirred(&self) -> Option<(&Faces<T>, T)> {
        self.stir.faces().map(|faces| (faces, self.share))
    }

    /// Computes one step of a grid that is all in this slab; `strength` is the flow's, -1 to 1.
    pub fn advance_alone(&mut self, strength: T) {
        let (n, halo, reach) = (self.part.own.len(), self.part.halo, self.crew.options().halo());
        let width = width::<T>(self.part.ny);
        let psi = self.psi.all_mut();
        // The rows before the first are the last ones of the torus, and the other way round.
        psi.copy_within((halo + n - reach) * width..(halo + n) * width, (halo - reach) * width);
        psi.copy_within(halo * width..(halo + reach) * width, (halo + n) * width);

        let stir = self.stir.faces().map(|faces| (faces, self.share));
        let motion = Motion { steady: &self.steady, strength, stir };
        let before = Field { entries: self.psi.all(), first: 0 };
        self.crew.sweep(halo - reach..halo + n + reach, before, motion, self.next.all_mut(), || ());
        std::mem::swap(&mut self.psi, &mut self.next);
    }

    /// Computes one step together with the other ranks; `strength` is the flow's, -1 to 1.
    ///
    /// The halo travels while the interior is computed. Returns the bytes of halo sent.
    pub fn advance(&mut self, job: &Job, stopwatch: &mut Stopwatch, strength: T) -> u64 {
        if job.size() == 1 {
            self.advance_alone(strength);
            return 0;
        }
        let (n, halo, reach) = (self.part.own.len(), self.part.halo, self.crew.options().halo());
        let width = width::<T>(self.part.ny);
        let stir = self.stir.faces().map(|faces| (faces, self.share));
        let motion = Motion { steady: &self.steady, strength, stir };
        let (crew, next) = (&mut self.crew, self.next.all_mut());

        let (low, rest) = self.psi.all_mut().split_at_mut(halo * width);
        let (own, high) = rest.split_at_mut(n * width);
        let (low, high) = (&mut low[(halo - reach) * width..], &mut high[..reach * width]);
        let sent = job.exchange(own, low, high, stopwatch, |own, progress| {
            let before = Field { entries: own, first: halo };
            crew.sweep(halo..halo + n, before, motion, next, || progress.poll());
        });

        // The sweep that has done the interior goes on to the last rows; the first rows need one of their own.
        let before = Field { entries: self.psi.all(), first: 0 };
        crew.go_on(halo + n..halo + n + reach, before, motion, next);
        crew.sweep(halo - reach..halo + 2 * reach, before, motion, next, || ());
        std::mem::swap(&mut self.psi, &mut self.next);
        sent
    }
}
