//! MPDATA's formulae, one function per formula, applied to whole rows; nothing here knows of passes, ranks or time.
//!
//! Rows are laid out as [`crate::rows`] says; `n` is the number of cells of a row. Every loop runs over slices of
//! one length, which is what lets the compiler vectorise it.

use crate::{
    real::{Real, larger, smaller},
    rows::{after, before, here, here_mut},
    simd::fetch,
};

/// Cells computed between two orders for what comes next: the processor keeps some twenty lines on their way.
const CHUNK: usize = 128;

/// Rows that are needed soon: a field's, of four kinds of faces, and of the field that is written.
#[derive(Clone, Copy)]
pub struct Ahead<'a, T>(pub [&'a [T]; 6]);

impl<T> Ahead<'_, T> {
    /// No rows.
    pub const NOTHING: Self = Self([&[]; 6]);

    #[inline(always)]
    fn fetch(self, start: usize) {
        for row in self.0 {
            let chunk = row.get(start..).unwrap_or_default();
            fetch(&chunk[..CHUNK.min(chunk.len())]);
        }
    }
}

/// What crosses a face in a step, positive towards the right: the donor-cell or upwind flux.
#[inline(always)]
pub fn donor<T: Real>(left: T, right: T, courant: T) -> T {
    larger(courant, T::ZERO) * left + smaller(courant, T::ZERO) * right
}

/// The Courant number of a face, and what the donor-cell pass lets through it, for a row of faces.
///
/// The two are one loop because the flow comes from memory and the arithmetic of the pass hides the wait for it.
#[inline(always)]
fn donor_row<T: Real>(
    [flux, courant]: [&mut [T]; 2],
    [low, high]: [&[T]; 2],
    steady: &[T],
    strength: T,
    stir: Option<(&[T], T)>,
    n: usize,
) {
    let (flux, courant, steady) = (here_mut(flux, n), here_mut(courant, n), here(steady, n));
    let Some((stir, share)) = stir else {
        for j in 0..n {
            courant[j] = steady[j] * strength;
            flux[j] = donor(low[j], high[j], courant[j]);
        }
        return;
    };
    let stir = here(stir, n);
    for j in 0..n {
        courant[j] = steady[j] * strength + stir[j] * share;
        flux[j] = donor(low[j], high[j], courant[j]);
    }
}

/// [`donor_row`] for the x faces between two rows.
#[inline(always)]
pub fn donor_x_row<T: Real>(
    out: [&mut [T]; 2],
    [low, high]: [&[T]; 2],
    steady: &[T],
    strength: T,
    stir: Option<(&[T], T)>,
    n: usize,
) {
    donor_row(out, [here(low, n), here(high, n)], steady, strength, stir, n);
}

/// [`donor_row`] for the y faces inside a row.
#[inline(always)]
pub fn donor_y_row<T: Real>(
    out: [&mut [T]; 2],
    row: &[T],
    steady: &[T],
    strength: T,
    stir: Option<(&[T], T)>,
    n: usize,
) {
    donor_row(out, [before(row, n), here(row, n)], steady, strength, stir, n);
}

/// The budget of a row of cells: what enters through the four faces less what leaves; [`Real::TRACE`] says what is
/// too little to count.
#[inline(always)]
pub fn budget_row<T: Real>(out: &mut [T], psi: &[T], [x_low, x_high, y]: [&[T]; 3], n: usize) {
    let (out, psi) = (here_mut(out, n), here(psi, n));
    let (x_low, x_high, y_low, y_high) = (here(x_low, n), here(x_high, n), here(y, n), after(y, n));
    for j in 0..n {
        let sum = psi[j] + (x_low[j] - x_high[j]) + (y_low[j] - y_high[j]);
        out[j] = if sum.abs() < T::TRACE { T::ZERO } else { sum };
    }
}

/// The corrective velocity of a face: Smolarkiewicz 1984, eq. 13, with the quotients of its two terms,
/// `(right - left) / (right + left)` and `(up - down) / (up + down)`, brought to one denominator.
///
/// With the infinite gauge (Smolarkiewicz & Clark 1986) the denominators are constants and the result is a flux.
/// `across` is the sum of the Courant numbers of the four surrounding faces of the other direction.
#[inline(always)]
pub fn corrective<T: Real, const GAUGE: bool>(
    (left, right): (T, T),
    (down, up): (T, T),
    courant: T,
    across: T,
) -> T {
    let along = courant.abs() - courant * courant;
    let across = T::HALF * T::QUARTER * courant * across;
    if GAUGE {
        return along * (T::HALF * (right - left)) - across * (T::QUARTER * (up - down));
    }
    let (a, b) = (right + left + T::EPSILON, up + down + T::EPSILON);
    (along * (right - left) * b - across * (up - down) * a) / (a * b)
}

/// What the corrective fluxes of a row of cells are made of.
#[derive(Clone, Copy)]
pub struct Around<'a, T> {
    /// The row before, the row itself, the row after.
    pub cells: [&'a [T]; 3],
    /// Courant numbers of the x faces before and after the row.
    pub x: [&'a [T]; 2],
    /// Courant numbers of the y faces inside the row and the one after.
    pub y: [&'a [T]; 2],
}

/// Corrective fluxes, and velocities if `KEEP`, of the x faces after a row of cells and of the y faces inside it.
/// Both are one loop because they read the same cells and faces.
///
/// Meanwhile `ahead`, the rows that are needed next, come from memory: the loop computes long enough to hide that.
#[inline(always)]
pub fn corrective_rows<T: Real, const GAUGE: bool, const KEEP: bool>(
    [flux_x, flux_y]: [&mut [T]; 2],
    [velocity_x, velocity_y]: [&mut [T]; 2],
    around: Around<'_, T>,
    ahead: Ahead<'_, T>,
    n: usize,
) {
    let (flux_x, flux_y) = (here_mut(flux_x, n), here_mut(flux_y, n));
    let (velocity_x, velocity_y) = (here_mut(velocity_x, n), here_mut(velocity_y, n));
    let whole = n / CHUNK * CHUNK;
    // Chunks of a known length have no remainder; the last one is what remains of the row.
    for start in (0..whole).step_by(CHUNK) {
        ahead.fetch(start);
        corrective_chunk::<T, GAUGE, KEEP>(
            &mut flux_x[start..][..CHUNK],
            &mut flux_y[start..][..CHUNK],
            &mut velocity_x[start..][..CHUNK],
            &mut velocity_y[start..][..CHUNK],
            around,
            start,
            n,
        );
    }
    if whole < n {
        ahead.fetch(whole);
        corrective_chunk::<T, GAUGE, KEEP>(
            &mut flux_x[whole..],
            &mut flux_y[whole..],
            &mut velocity_x[whole..],
            &mut velocity_y[whole..],
            around,
            whole,
            n,
        );
    }
}

/// [`corrective_rows`] for `flux_x.len()` cells from `start` on.
///
/// The slices that are written come one by one, not in an array, because only so does the compiler know that they are
/// apart from each other and from all that is read; and all slices are cut to one length here, next to the loop.
#[inline(always)]
fn corrective_chunk<T: Real, const GAUGE: bool, const KEEP: bool>(
    flux_x: &mut [T],
    flux_y: &mut [T],
    velocity_x: &mut [T],
    velocity_y: &mut [T],
    Around { cells: [low, mid, high], x: [x_low, x_high], y: [y_mid, y_high] }: Around<'_, T>,
    start: usize,
    n: usize,
) {
    let count = flux_x.len();
    let (flux_y, velocity_x) = (&mut flux_y[..count], &mut velocity_x[..count]);
    let velocity_y = &mut velocity_y[..count];
    let (low_l, low_m) = (&before(low, n)[start..][..count], &here(low, n)[start..][..count]);
    let (mid_l, mid_m) = (&before(mid, n)[start..][..count], &here(mid, n)[start..][..count]);
    let (high_l, high_m) = (&before(high, n)[start..][..count], &here(high, n)[start..][..count]);
    let (mid_r, high_r) = (&after(mid, n)[start..][..count], &after(high, n)[start..][..count]);
    let (x_low_l, x_low_m) =
        (&before(x_low, n)[start..][..count], &here(x_low, n)[start..][..count]);
    let (x_high_l, x_high_m) =
        (&before(x_high, n)[start..][..count], &here(x_high, n)[start..][..count]);
    let (y_mid_m, y_mid_r) =
        (&here(y_mid, n)[start..][..count], &after(y_mid, n)[start..][..count]);
    let (y_high_m, y_high_r) =
        (&here(y_high, n)[start..][..count], &after(y_high, n)[start..][..count]);
    for j in 0..count {
        let along_x = corrective::<T, GAUGE>(
            (mid_m[j], high_m[j]),
            (mid_l[j] + high_l[j], mid_r[j] + high_r[j]),
            x_high_m[j],
            (y_mid_m[j] + y_mid_r[j]) + (y_high_m[j] + y_high_r[j]),
        );
        let along_y = corrective::<T, GAUGE>(
            (mid_l[j], mid_m[j]),
            (low_l[j] + low_m[j], high_l[j] + high_m[j]),
            y_mid_m[j],
            (x_low_l[j] + x_low_m[j]) + (x_high_l[j] + x_high_m[j]),
        );
        if KEEP {
            velocity_x[j] = along_x;
            velocity_y[j] = along_y;
        }
        flux_x[j] = if GAUGE { along_x } else { donor(mid_m[j], high_m[j], along_x) };
        flux_y[j] = if GAUGE { along_y } else { donor(mid_l[j], mid_m[j], along_y) };
    }
}

/// The larger and the smaller of two fields, cell by cell.
#[inline(always)]
pub fn envelope_row<T: Real>(upper: &mut [T], lower: &mut [T], a: &[T], b: &[T], n: usize) {
    let (upper, lower, a, b) = (here_mut(upper, n), here_mut(lower, n), here(a, n), here(b, n));
    for j in 0..n {
        upper[j] = larger(a[j], b[j]);
        lower[j] = smaller(a[j], b[j]);
    }
}

/// What of the incoming (`up`) and outgoing (`down`) corrective fluxes a cell can take without a new extremum:
/// the beta ratios of Smolarkiewicz & Grabowski 1990, extrema over the cell and its four neighbours.
///
/// The factor [`Real::MARGIN`] keeps the rounding of the budget from passing the bound: a field that is nowhere
/// negative stays so to the last bit.
#[inline(always)]
pub fn limits_row<T: Real>(
    [up, down]: [&mut [T]; 2],
    psi: &[T],
    upper: [&[T]; 3],
    lower: [&[T]; 3],
    [x_low, x_high, y]: [&[T]; 3],
    n: usize,
) {
    let (up, down, psi) = (here_mut(up, n), here_mut(down, n), here(psi, n));
    let (upper_b, upper_a) = (here(upper[0], n), here(upper[2], n));
    let (upper_l, upper_m, upper_r) = (before(upper[1], n), here(upper[1], n), after(upper[1], n));
    let (lower_b, lower_a) = (here(lower[0], n), here(lower[2], n));
    let (lower_l, lower_m, lower_r) = (before(lower[1], n), here(lower[1], n), after(lower[1], n));
    let (x_low, x_high, y_low, y_high) = (here(x_low, n), here(x_high, n), here(y, n), after(y, n));
    for j in 0..n {
        let most = larger(larger(upper_b[j], upper_a[j]), larger(upper_l[j], upper_r[j]));
        let least = smaller(smaller(lower_b[j], lower_a[j]), smaller(lower_l[j], lower_r[j]));
        let enters = larger(x_low[j], T::ZERO) - smaller(x_high[j], T::ZERO)
            + (larger(y_low[j], T::ZERO) - smaller(y_high[j], T::ZERO));
        let leaves = larger(x_high[j], T::ZERO) - smaller(x_low[j], T::ZERO)
            + (larger(y_high[j], T::ZERO) - smaller(y_low[j], T::ZERO));
        up[j] = (larger(most, upper_m[j]) - psi[j]) * T::MARGIN / (enters + T::EPSILON);
        down[j] = (psi[j] - smaller(least, lower_m[j])) * T::MARGIN / (leaves + T::EPSILON);
    }
}

/// Limits the corrective fluxes of a row of faces, and their velocities if `KEEP`, to the share that the cells on
/// both sides can take.
#[inline(always)]
fn limit_row<T: Real, const KEEP: bool>(
    flux: &mut [T],
    velocity: &mut [T],
    [up_l, up_r]: [&[T]; 2],
    [down_l, down_r]: [&[T]; 2],
    n: usize,
) {
    let (flux, velocity) = (here_mut(flux, n), here_mut(velocity, n));
    for j in 0..n {
        let direction = if KEEP { velocity[j] } else { flux[j] };
        let right = smaller(down_l[j], up_r[j]);
        let left = smaller(up_l[j], down_r[j]);
        let share = smaller(T::ONE, if T::ZERO < direction { right } else { left });
        if KEEP {
            velocity[j] = velocity[j] * share;
        }
        flux[j] = flux[j] * share;
    }
}

/// [`limit_row`] for the x faces between the rows whose limits are given.
#[inline(always)]
pub fn limit_x_row<T: Real, const KEEP: bool>(
    flux: &mut [T],
    velocity: &mut [T],
    up: [&[T]; 2],
    down: [&[T]; 2],
    n: usize,
) {
    limit_row::<T, KEEP>(
        flux,
        velocity,
        up.map(|row| here(row, n)),
        down.map(|row| here(row, n)),
        n,
    );
}

/// [`limit_row`] for the y faces inside a row.
#[inline(always)]
pub fn limit_y_row<T: Real, const KEEP: bool>(
    flux: &mut [T],
    velocity: &mut [T],
    up: &[T],
    down: &[T],
    n: usize,
) {
    let (ups, downs) = ([before(up, n), here(up, n)], [before(down, n), here(down, n)]);
    limit_row::<T, KEEP>(flux, velocity, ups, downs, n);
}
