//! MPDATA's formulae, one function per formula, applied to whole rows; nothing here knows of passes, ranks or time.
//!
//! Rows are laid out as [`crate::rows`] says; `n` is the number of cells of a row. Every loop runs over slices of
//! one length, which is what lets the compiler vectorise it.

use crate::{
    real::{Real, larger, smaller},
    rows::{after, before, here, here_mut},
};

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

/// Corrective fluxes, and velocities if `KEEP`, of the x faces between two rows of cells.
#[inline(always)]
pub fn corrective_x_row<T: Real, const GAUGE: bool, const KEEP: bool>(
    flux: &mut [T],
    velocity: &mut [T],
    [low, high]: [&[T]; 2],
    courant: &[T],
    [y_low, y_high]: [&[T]; 2],
    n: usize,
) {
    let (low_l, low_m, low_r) = (before(low, n), here(low, n), after(low, n));
    let (high_l, high_m, high_r) = (before(high, n), here(high, n), after(high, n));
    let (y_low_l, y_low_r) = (here(y_low, n), after(y_low, n));
    let (y_high_l, y_high_r) = (here(y_high, n), after(y_high, n));
    let (courant, flux, velocity) = (here(courant, n), here_mut(flux, n), here_mut(velocity, n));
    for j in 0..n {
        let c = corrective::<T, GAUGE>(
            (low_m[j], high_m[j]),
            (low_l[j] + high_l[j], low_r[j] + high_r[j]),
            courant[j],
            (y_low_l[j] + y_low_r[j]) + (y_high_l[j] + y_high_r[j]),
        );
        if KEEP {
            velocity[j] = c;
        }
        flux[j] = if GAUGE { c } else { donor(low_m[j], high_m[j], c) };
    }
}

/// Corrective fluxes, and velocities if `KEEP`, of the y faces inside the middle one of three rows of cells.
#[inline(always)]
pub fn corrective_y_row<T: Real, const GAUGE: bool, const KEEP: bool>(
    flux: &mut [T],
    velocity: &mut [T],
    [low, row, high]: [&[T]; 3],
    courant: &[T],
    [x_low, x_high]: [&[T]; 2],
    n: usize,
) {
    let (low_l, low_r) = (before(low, n), here(low, n));
    let (row_l, row_r) = (before(row, n), here(row, n));
    let (high_l, high_r) = (before(high, n), here(high, n));
    let (x_low_l, x_low_r) = (before(x_low, n), here(x_low, n));
    let (x_high_l, x_high_r) = (before(x_high, n), here(x_high, n));
    let (courant, flux, velocity) = (here(courant, n), here_mut(flux, n), here_mut(velocity, n));
    for j in 0..n {
        let c = corrective::<T, GAUGE>(
            (row_l[j], row_r[j]),
            (low_l[j] + low_r[j], high_l[j] + high_r[j]),
            courant[j],
            (x_low_l[j] + x_low_r[j]) + (x_high_l[j] + x_high_r[j]),
        );
        if KEEP {
            velocity[j] = c;
        }
        flux[j] = if GAUGE { c } else { donor(row_l[j], row_r[j], c) };
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
