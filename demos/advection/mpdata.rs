//! MPDATA in two dimensions on a part of a doubly periodic grid: one sweep down the rows does all passes of a step.
//!
//! Every pass is a stage that holds the few rows it needs, so a step reads and writes each cell once. Nothing here
//! knows of ranks: rows beyond the part (the halo) are rows like the others, and each output row is computed by the
//! same operations in the same order wherever its part begins.

use std::ops::Range;

use crate::{
    faces::Faces,
    real::Real,
    rows::{Rows, row_or_none, width, wrap},
    simd::{Kernel, Level},
};

mod formulae;
mod pass;
mod ring;

use formulae::{Ahead, budget_row, donor_x_row, donor_y_row};
use pass::CorrectivePass;
use ring::FaceRing;

/// Most passes; a fifth changes nothing that can be seen.
pub const MAX_PASSES: usize = 4;

/// Which member of the MPDATA family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Passes, the donor-cell pass included: 1 is upwind. PyMPDATA's `n_iters`.
    pub passes: usize,
    /// Corrective fluxes of a field on an infinite background (Smolarkiewicz & Clark 1986): fields of any sign,
    /// smaller error; two passes only.
    pub infinite_gauge: bool,
    /// Corrective fluxes limited so that no new extremum appears (Smolarkiewicz & Grabowski 1990).
    pub non_oscillatory: bool,
}

/// An [`Options`] that does not make sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// Too few or too many passes.
    #[error("{0} passes: there are 1 (upwind) to {MAX_PASSES}")]
    Passes(usize),
    /// What a third pass would correct is not a velocity.
    #[error("the infinite gauge takes 2 passes, not {0}: what it leaves is not a velocity")]
    Gauge(usize),
    /// Upwind has nothing to limit.
    #[error("the non-oscillatory option takes at least 2 passes: upwind has nothing to limit")]
    Limiter,
}

impl Options {
    /// Donor cell alone.
    pub const UPWIND: Options =
        Options { passes: 1, infinite_gauge: false, non_oscillatory: false };
    /// The classic two passes.
    pub const BASIC: Options = Options { passes: 2, ..Options::UPWIND };
    /// Two passes without overshoots.
    pub const NON_OSCILLATORY: Options = Options { non_oscillatory: true, ..Options::BASIC };
    /// Two passes with the infinite gauge, without overshoots.
    pub const GAUGE_NON_OSCILLATORY: Options =
        Options { infinite_gauge: true, ..Options::NON_OSCILLATORY };

    /// Rows beyond the part that a step reads on each side.
    pub fn halo(self) -> usize {
        1 + (self.passes - 1) * self.reach()
    }

    /// Rows that a corrective pass reads on each side.
    fn reach(self) -> usize {
        if self.non_oscillatory { 2 } else { 1 }
    }

    /// Whether the options fit together.
    ///
    /// # Errors
    /// Says which do not.
    pub fn check(self) -> Result<(), OptionsError> {
        if !(1..=MAX_PASSES).contains(&self.passes) {
            return Err(OptionsError::Passes(self.passes));
        }
        if self.infinite_gauge && self.passes != 2 {
            return Err(OptionsError::Gauge(self.passes));
        }
        if self.non_oscillatory && self.passes < 2 {
            return Err(OptionsError::Limiter);
        }
        Ok(())
    }
}

/// Rows of cells as [`crate::rows`] lays them out, row `first` being the first.
#[derive(Clone, Copy)]
pub struct Field<'a, T> {
    /// The entries.
    pub entries: &'a [T],
    /// The number of the first row.
    pub first: usize,
}

impl<'a, T> Field<'a, T> {
    #[inline(always)]
    fn row(&self, r: usize, width: usize) -> &'a [T] {
        &self.entries[(r - self.first) * width..][..width]
    }
}

/// As [`Field`], to be written.
pub struct FieldMut<'a, T> {
    /// The entries.
    pub entries: &'a mut [T],
    /// The number of the first row.
    pub first: usize,
}

impl<T> FieldMut<'_, T> {
    #[inline(always)]
    fn row(&mut self, r: usize, width: usize) -> &mut [T] {
        &mut self.entries[(r - self.first) * width..][..width]
    }

    /// The rows before row `r`, and the entries from there on.
    #[inline(always)]
    fn split_at(&mut self, r: usize, width: usize) -> (FieldMut<'_, T>, &[T]) {
        let end = (r.saturating_sub(self.first) * width).min(self.entries.len());
        let (entries, later) = self.entries.split_at_mut(end);
        (FieldMut { entries, first: self.first }, later)
    }
}

/// What moves the field in a step.
#[derive(Clone, Copy)]
pub struct Motion<'a, T> {
    /// The flow at full strength.
    pub steady: &'a Faces<T>,
    /// Its strength now, -1 to 1.
    pub strength: T,
    /// What fingers add, and the share of it that keeps the sum inside the stability limit.
    pub stir: Option<(&'a Faces<T>, T)>,
}

/// The stages of a step and the rows they hold.
pub struct Mpdata<T> {
    options: Options,
    level: Level,
    ny: usize,
    first: usize,
    courant: FaceRing<T>,
    flux: FaceRing<T>,
    passes: Vec<CorrectivePass<T>>,
}

impl<T: Real> Mpdata<T> {
    /// Stages for rows of `ny` cells; `options` must have passed [`Options::check`].
    pub fn new(options: Options, ny: usize, level: Level) -> Self {
        let pass = |k| {
            let another = k + 2 < options.passes;
            CorrectivePass::new(ny, options.infinite_gauge, options.non_oscillatory, another)
        };
        Self {
            options,
            level,
            ny,
            first: 0,
            courant: FaceRing::new(ny),
            flux: FaceRing::new(ny),
            passes: (0..options.passes - 1).map(pass).collect(),
        }
    }

    /// The member of the family.
    pub fn options(&self) -> Options {
        self.options
    }

    /// Begins a sweep at row `first`; the first row it yields is `first + halo`.
    pub fn begin(&mut self, first: usize) {
        self.first = first;
    }

    /// Goes on with the rows `inputs` of `before` and writes the rows of `after` that are complete then:
    /// those from where the sweep began up to `inputs.end - halo`, which must be there. Rows of both and of the flow's faces
    /// are numbered alike.
    pub fn sweep(
        &mut self,
        inputs: Range<usize>,
        before: Field<'_, T>,
        motion: Motion<'_, T>,
        after: FieldMut<'_, T>,
    ) {
        self.level.run(Sweep { mpdata: self, inputs, before, motion, after });
    }

    /// Takes row `g` of `before` and passes what becomes complete by it from stage to stage.
    #[inline(always)]
    fn feed(
        &mut self,
        g: usize,
        before: Field<'_, T>,
        motion: Motion<'_, T>,
        after: &mut FieldMut<'_, T>,
    ) {
        let n = self.ny;
        let width = width::<T>(n);
        let mut first = self.first;
        let high = before.row(g, width);
        self.donor_y(g, high, motion);
        if g < first + 1 {
            return;
        }
        let low = before.row(g - 1, width);
        self.donor_x(g, [low, high], motion);
        if g < first + 2 {
            return;
        }

        let mut row = g - 1;
        let (mut after, later) = after.split_at((g + 1).saturating_sub(self.options.halo()), width);
        let out = match self.passes.first_mut() {
            Some(pass) => pass.psi.row_mut(row),
            None => after.row(row, width),
        };
        let flux = &self.flux;
        budget_row(out, low, [flux.x.row(row), flux.x.row(g), flux.y.row(row)], n);
        wrap(out, n);
        let stirred = |of: fn(&Faces<T>) -> &Rows<T>| {
            motion.stir.map_or(&[][..], |(stir, _)| of(stir).row_or_none(g + 1))
        };
        let mut ahead = Ahead([
            row_or_none(before.entries, g + 1 - before.first, width),
            motion.steady.x.row_or_none(g + 1),
            motion.steady.y.row_or_none(g + 1),
            stirred(|faces| &faces.x),
            stirred(|faces| &faces.y),
            row_or_none(later, 0, width),
        ]);

        first += 1;
        let reach = self.options.reach();
        for k in 0..self.passes.len() {
            let (done, rest) = self.passes.split_at_mut(k);
            let Some((pass, next)) = rest.split_first_mut() else { return };
            let courant = done.last().map_or(&self.courant, |pass| &pass.velocity);
            let oldest = before.row(row, width);
            if row < first + 2 * reach {
                pass.feed(row, first, oldest, courant, None, ahead);
                return;
            }
            let target = row - reach;
            let out = match next.first_mut() {
                Some(next) => next.psi.row_mut(target),
                None => after.row(target, width),
            };
            pass.feed(row, first, oldest, courant, Some(out), ahead);
            ahead = Ahead::NOTHING;
            (row, first) = (target, first + reach);
        }
    }

    #[inline(always)]
    fn donor_x(&mut self, g: usize, cells: [&[T]; 2], motion: Motion<'_, T>) {
        let stir = motion.stir.map(|(stir, share)| (stir.x.row(g), share));
        let (flux, courant) = (self.flux.x.row_mut(g), self.courant.x.row_mut(g));
        donor_x_row(
            [flux, &mut *courant],
            cells,
            motion.steady.x.row(g),
            motion.strength,
            stir,
            self.ny,
        );
        wrap(courant, self.ny);
    }

    #[inline(always)]
    fn donor_y(&mut self, g: usize, cells: &[T], motion: Motion<'_, T>) {
        let stir = motion.stir.map(|(stir, share)| (stir.y.row(g), share));
        let (flux, courant) = (self.flux.y.row_mut(g), self.courant.y.row_mut(g));
        donor_y_row(
            [&mut *flux, &mut *courant],
            cells,
            motion.steady.y.row(g),
            motion.strength,
            stir,
            self.ny,
        );
        wrap(flux, self.ny);
        wrap(courant, self.ny);
    }
}

struct Sweep<'a, T> {
    mpdata: &'a mut Mpdata<T>,
    inputs: Range<usize>,
    before: Field<'a, T>,
    motion: Motion<'a, T>,
    after: FieldMut<'a, T>,
}

impl<T: Real> Kernel for Sweep<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        for g in self.inputs {
            self.mpdata.feed(g, self.before, self.motion, &mut self.after);
        }
    }
}
