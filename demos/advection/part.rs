//! Which rows of which grid a rank holds.

use std::ops::Range;

/// A rank's strip of a doubly periodic grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Rows of the whole grid, the first dimension.
    pub nx: usize,
    /// Cells of a row, the second dimension.
    pub ny: usize,
    /// The rows that this rank computes.
    pub own: Range<usize>,
    /// Rows that it knows beyond them on either side.
    pub halo: usize,
}

impl Part {
    /// The whole grid in one part.
    pub fn whole(nx: usize, ny: usize, halo: usize) -> Self {
        Self { nx, ny, own: 0..nx, halo }
    }

    /// Rows that it holds, halo included; row `g` here is row `own.start + g - halo` of the periodic grid.
    pub fn rows(&self) -> usize {
        self.own.len() + 2 * self.halo
    }

    /// The row of the grid that row `g` of the part is.
    pub fn global(&self, g: usize) -> usize {
        (self.nx + self.own.start + g - self.halo) % self.nx
    }
}
