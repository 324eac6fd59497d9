//! One corrective pass as a stage of the sweep: rows of a field go in, rows of the corrected field come out.

use super::{
    formulae::{
        Ahead, Around, budget_row, corrective_rows, envelope_row, limit_x_row, limit_y_row,
        limits_row,
    },
    ring::{FaceRing, Ring},
};
use crate::{real::Real, rows::wrap};

/// What remains in hand between two rows.
pub struct CorrectivePass<T> {
    n: usize,
    infinite_gauge: bool,
    /// Whether another pass follows, which needs the velocities.
    keep: bool,
    /// What the non-oscillatory option needs beside.
    limiter: Option<Limiter<T>>,
    /// The field that the pass before has left; that pass writes it.
    pub psi: Ring<T>,
    /// The corrective velocities, limited if that option is on; the next pass corrects their error.
    pub velocity: FaceRing<T>,
    flux: FaceRing<T>,
}

struct Limiter<T> {
    upper: Ring<T>,
    lower: Ring<T>,
    up: Ring<T>,
    down: Ring<T>,
}

impl<T: Real> CorrectivePass<T> {
    pub fn new(n: usize, infinite_gauge: bool, non_oscillatory: bool, keep: bool) -> Self {
        let ring = || Ring::new(n);
        let limiter = non_oscillatory.then(|| Limiter {
            upper: ring(),
            lower: ring(),
            up: ring(),
            down: ring(),
        });
        Self {
            n,
            infinite_gauge,
            keep,
            limiter,
            psi: ring(),
            velocity: FaceRing::new(n),
            flux: FaceRing::new(n),
        }
    }

    /// Takes notice of row `row` of [`Self::psi`], `first` being the first row of this sweep.
    ///
    /// `oldest` is the same row at the beginning of the step, `courant` what the pass before moved the field with.
    /// Fills `out` with row `row - reach` of the corrected field; the caller passes `None` while rows are missing.
    /// The rows `ahead` are fetched meanwhile.
    #[inline(always)]
    pub fn feed(
        &mut self,
        row: usize,
        first: usize,
        oldest: &[T],
        courant: &FaceRing<T>,
        out: Option<&mut [T]>,
        ahead: Ahead<'_, T>,
    ) {
        if let Some(limiter) = &mut self.limiter {
            let (upper, lower) = (limiter.upper.row_mut(row), limiter.lower.row_mut(row));
            envelope_row(upper, lower, oldest, self.psi.row(row), self.n);
            wrap(upper, self.n);
            wrap(lower, self.n);
        }
        if row < first + 1 {
            return;
        }
        let mid = row - 1;
        self.faces(mid, first, courant, ahead);
        if row < first + 2 {
            return;
        }
        let complete = if self.limiter.is_some() {
            self.limit(mid, first);
            mid - 1
        } else {
            mid
        };
        if let Some(out) = out {
            let flux = &self.flux;
            let faces = [flux.x.row(complete), flux.x.row(complete + 1), flux.y.row(complete)];
            budget_row(out, self.psi.row(complete), faces, self.n);
            wrap(out, self.n);
        }
    }

    /// Velocities and fluxes of the x faces between the rows `mid` and `mid + 1` and of the y faces inside row `mid`;
    /// the latter are not needed, and not right, where there is no row before `mid`.
    #[inline(always)]
    fn faces(&mut self, mid: usize, first: usize, courant: &FaceRing<T>, ahead: Ahead<'_, T>) {
        let n = self.n;
        let around = Around {
            cells: [mid.max(first + 1) - 1, mid, mid + 1].map(|r| self.psi.row(r)),
            x: [mid, mid + 1].map(|r| courant.x.row(r)),
            y: [mid, mid + 1].map(|r| courant.y.row(r)),
        };
        let flux = [self.flux.x.row_mut(mid + 1), self.flux.y.row_mut(mid)];
        let [vx, vy] = [self.velocity.x.row_mut(mid + 1), self.velocity.y.row_mut(mid)];
        if self.infinite_gauge {
            corrective_rows::<T, true, false>(flux, [vx, vy], around, ahead, n);
        } else if self.keep {
            corrective_rows::<T, false, true>(flux, [&mut *vx, &mut *vy], around, ahead, n);
            wrap(vx, n);
            wrap(vy, n);
        } else {
            corrective_rows::<T, false, false>(flux, [vx, vy], around, ahead, n);
        }
        wrap(self.flux.y.row_mut(mid), n);
    }

    /// Limits the y faces inside row `mid` and the x faces before it.
    #[inline(always)]
    fn limit(&mut self, mid: usize, first: usize) {
        let Some(limiter) = &mut self.limiter else { return };
        let n = self.n;
        let (up, down) = (limiter.up.row_mut(mid), limiter.down.row_mut(mid));
        limits_row(
            [&mut *up, &mut *down],
            self.psi.row(mid),
            limiter.upper.around(mid),
            limiter.lower.around(mid),
            [self.flux.x.row(mid), self.flux.x.row(mid + 1), self.flux.y.row(mid)],
            n,
        );
        wrap(up, n);
        wrap(down, n);
        let (up, down) = (limiter.up.row(mid), limiter.down.row(mid));
        let (flux, velocity) = (self.flux.y.row_mut(mid), self.velocity.y.row_mut(mid));
        if self.keep {
            limit_y_row::<T, true>(flux, velocity, up, down, n);
            wrap(velocity, n);
        } else {
            limit_y_row::<T, false>(flux, velocity, up, down, n);
        }
        wrap(flux, n);
        if mid < first + 2 {
            return;
        }
        let (up, down) = ([limiter.up.row(mid - 1), up], [limiter.down.row(mid - 1), down]);
        let (flux, velocity) = (self.flux.x.row_mut(mid), self.velocity.x.row_mut(mid));
        if self.keep {
            limit_x_row::<T, true>(flux, velocity, up, down, n);
            wrap(velocity, n);
        } else {
            limit_x_row::<T, false>(flux, velocity, up, down, n);
        }
    }
}
