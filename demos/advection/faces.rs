//! Courant numbers on the faces of a rank's part of the grid.

use crate::{
    part::Part,
    real::Real,
    rows::{Rows, here_mut, wrap},
};

/// Courant numbers of every face of a part, halo included, positive towards higher indices.
pub struct Faces<T> {
    /// x face `g` lies between the rows of cells `g - 1` and `g` of the part.
    pub x: Rows<T>,
    /// y face `j` of a row lies between its cells `j - 1` and `j`.
    pub y: Rows<T>,
}

impl<T: Real> Faces<T> {
    /// No flow.
    pub fn still(part: &Part) -> Self {
        Self { x: Rows::new(part.rows(), part.ny), y: Rows::new(part.rows(), part.ny) }
    }

    /// The flow that `x` and `y` give: they write the `ny` faces of row `i` of the periodic grid, those before row
    /// `i` and those on the low sides of its cells.
    pub fn fill(
        &mut self,
        part: &Part,
        mut x: impl FnMut(usize, &mut [T]),
        mut y: impl FnMut(usize, &mut [T]),
    ) {
        for g in 0..part.rows() {
            let i = part.global(g);
            x(i, here_mut(self.x.row_mut(g), part.ny));
            y(i, here_mut(self.y.row_mut(g), part.ny));
            wrap(self.x.row_mut(g), part.ny);
            wrap(self.y.row_mut(g), part.ny);
        }
    }
}
