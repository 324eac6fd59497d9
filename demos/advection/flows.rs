//! The flows that carry the picture, as Courant numbers on the faces of a doubly periodic grid.
//!
//! Each is the curl of a stream function on the corners of the cells, so what enters a cell leaves it, to rounding.
//! Sines come from `libm`, not from the system: all hosts of a run compute the same bits.

use std::f64::consts::{PI, SQRT_2};

use crate::real::Real;

/// Largest `|Cx| + |Cy|` of a flow; the rest to [`crate::stir::LIMIT`] is the fingers'.
pub const PEAK: f64 = 0.25;

/// Where the rotating disc's rim begins, as a share of its squared radius.
const RIM: f64 = 0.7;

/// A flow on the whole grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// One vortex as large as the grid that slows down, turns round, and undoes what it has done
    /// (after LeVeque 1996, 10.1137/0733033).
    Swirl,
    /// Solid-body rotation of the largest disc that fits, about the centre; a smooth rim, rest outside.
    Rotation,
    /// The same velocity everywhere, along a diagonal.
    Translation,
}

/// A [`Pattern`] on a grid of a given size.
pub struct Flow {
    pattern: Pattern,
    nx: usize,
    ny: usize,
    /// `sin^2 (pi x / nx)` and `sin^2 (pi y / ny)` at the corners, for the swirl.
    arches: [Vec<f64>; 2],
}

impl Flow {
    /// The pattern on `nx` times `ny` cells.
    pub fn new(pattern: Pattern, nx: usize, ny: usize) -> Self {
        let arch = |n: usize| {
            let sines = (0..n).map(|k| libm::sin(PI * k as f64 / n as f64));
            sines.map(|sine| sine * sine).collect()
        };
        let arches = match pattern {
            Pattern::Swirl => [arch(nx), arch(ny)],
            Pattern::Rotation | Pattern::Translation => [Vec::new(), Vec::new()],
        };
        Self { pattern, nx, ny, arches }
    }

    /// Steps after which the swirl has brought the picture back; it turns round after half of them.
    pub fn period(&self) -> u64 {
        // The fastest cell travels about nine tenths of the longer side before the turn.
        let longer = self.nx.max(self.ny) as f64;
        2 * (0.45 * PI * longer / PEAK).ceil() as u64
    }

    /// The strength during step `step`, counted from 0: 1 for a steady flow, -1 to 1 for the swirl.
    pub fn strength(&self, step: u64) -> f64 {
        if self.pattern != Pattern::Swirl {
            return 1.0;
        }
        // Taken in the middle of the step, so that the strengths of a period cancel in pairs.
        let phase = (step % (2 * self.period())) as f64 + 0.5;
        libm::cos(PI * phase / self.period() as f64)
    }

    /// Writes the Courant numbers of the faces before row `i`.
    pub fn x_faces<T: Real>(&self, i: usize, row: &mut [T]) {
        if self.pattern == Pattern::Translation {
            return row.fill(T::of(0.8 * PEAK));
        }
        let mut low = self.stream(i, 0);
        for (j, face) in row.iter_mut().enumerate() {
            let high = self.stream(i, j + 1);
            *face = T::of(high - low);
            low = high;
        }
    }

    /// Writes the Courant numbers of the faces on the low sides of the cells of row `i`.
    pub fn y_faces<T: Real>(&self, i: usize, row: &mut [T]) {
        if self.pattern == Pattern::Translation {
            return row.fill(T::of(0.2 * PEAK));
        }
        for (j, face) in row.iter_mut().enumerate() {
            *face = T::of(self.stream(i, j) - self.stream(i + 1, j));
        }
    }

    /// The stream function at the corner before row `i` and cell `j`.
    fn stream(&self, i: usize, j: usize) -> f64 {
        let (nx, ny) = (self.nx as f64, self.ny as f64);
        let (i, j) = (i % self.nx, j % self.ny);
        match self.pattern {
            Pattern::Swirl => {
                let [x, y] = &self.arches;
                PEAK / (PI / nx + PI / ny) * x[i] * y[j]
            }
            Pattern::Rotation => {
                let radius = 0.5 * nx.min(ny);
                let square = |offset: f64| offset * offset;
                let r2 = square(i as f64 - 0.5 * nx) + square(j as f64 - 0.5 * ny);
                let q = r2 / square(radius);
                // Velocity is r times the derivative: 1 in the disc, falling to 0 over the rim.
                let s = ((q - RIM) / (1.0 - RIM)).clamp(0.0, 1.0);
                let integral = q.min(RIM) + (1.0 - RIM) * (s - s * s * s * (1.0 - 0.5 * s));
                -PEAK / (SQRT_2 * radius) * 0.5 * square(radius) * integral
            }
            Pattern::Translation => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATTERNS: [Pattern; 3] = [Pattern::Swirl, Pattern::Rotation, Pattern::Translation];

    struct Grid {
        x: Vec<Vec<f64>>,
        y: Vec<Vec<f64>>,
    }

    fn grid(flow: &Flow) -> Grid {
        let rows = |write: &dyn Fn(usize, &mut [f64])| {
            let row = |i| {
                let mut row = vec![0.0; flow.ny];
                write(i, &mut row);
                row
            };
            (0..flow.nx).map(row).collect()
        };
        Grid {
            x: rows(&|i, row: &mut [f64]| flow.x_faces(i, row)),
            y: rows(&|i, row: &mut [f64]| flow.y_faces(i, row)),
        }
    }

    #[test]
    fn what_enters_a_cell_leaves_it() {
        for pattern in PATTERNS {
            let flow = Flow::new(pattern, 80, 40);
            let Grid { x, y } = grid(&flow);
            for i in 0..80 {
                for j in 0..40 {
                    let out = x[(i + 1) % 80][j] - x[i][j] + y[i][(j + 1) % 40] - y[i][j];
                    assert!(out.abs() < 1e-14, "{pattern:?} at {i}, {j}: {out:e}");
                }
            }
        }
    }

    #[test]
    fn no_flow_is_faster_than_its_peak_and_none_much_slower() {
        for pattern in PATTERNS {
            for (nx, ny) in [(80, 40), (37, 91), (64, 64)] {
                let Grid { x, y } = grid(&Flow::new(pattern, nx, ny));
                let sum = |i: usize, j: usize| {
                    x[i][j].abs().max(x[(i + 1) % nx][j].abs())
                        + y[i][j].abs().max(y[i][(j + 1) % ny].abs())
                };
                let cells = (0..nx).flat_map(|i| (0..ny).map(move |j| (i, j)));
                let peak = cells.map(|(i, j)| sum(i, j)).fold(0.0, f64::max);
                assert!(peak <= PEAK + 1e-15, "{pattern:?}: {peak}");
                assert!(0.4 * PEAK < peak, "{pattern:?}: {peak}");
            }
        }
    }

    #[test]
    fn the_disc_rotates_as_a_solid_body() {
        let flow = Flow::new(Pattern::Rotation, 100, 60);
        let Grid { x, y } = grid(&flow);
        let turn = PEAK / (SQRT_2 * 30.0);
        for (i, j) in [(50, 30), (60, 40), (45, 12), (70, 35)] {
            let (dx, dy) = (i as f64 - 50.0, j as f64 - 30.0);
            assert!((x[i][j] + turn * (dy + 0.5)).abs() < 1e-14);
            assert!((y[i][j] - turn * (dx + 0.5)).abs() < 1e-14);
        }
        assert_eq!((x[2][30], y[2][30]), (0.0, 0.0));
    }

    #[test]
    fn the_strengths_of_a_period_cancel() {
        let flow = Flow::new(Pattern::Swirl, 80, 40);
        let period = flow.period();
        let sum: f64 = (0..period).map(|step| flow.strength(step)).sum();
        assert!(sum.abs() < 1e-11, "{sum:e}");
        let half: f64 = (0..period / 2).map(|step| flow.strength(step)).sum();
        assert!((half * PEAK / 80.0 - 0.9).abs() < 0.01, "{half}");
    }
}
