//! The few rows of an intermediate field that are alive at a time.

use crate::{real::Real, rows::Rows};

/// Rows alive at once, a power of two: the widest reach of a later stage is three rows back.
const ALIVE: usize = 4;

/// Remembers the last [`ALIVE`] rows; row `r` overwrites row `r - ALIVE`.
pub struct Ring<T>(Rows<T>);

impl<T: Real> Ring<T> {
    pub fn new(ny: usize) -> Self {
        Self(Rows::new(ALIVE, ny))
    }

    #[inline(always)]
    pub fn row(&self, r: usize) -> &[T] {
        self.0.row(r % ALIVE)
    }

    #[inline(always)]
    pub fn row_mut(&mut self, r: usize) -> &mut [T] {
        self.0.row_mut(r % ALIVE)
    }

    /// The rows `r - 1`, `r` and `r + 1`.
    #[inline(always)]
    pub fn around(&self, r: usize) -> [&[T]; 3] {
        [self.row(r - 1), self.row(r), self.row(r + 1)]
    }
}

/// Numbers on the faces of the rows that are alive: x face `r` lies between the rows of cells `r - 1` and `r`.
pub struct FaceRing<T> {
    pub x: Ring<T>,
    pub y: Ring<T>,
}

impl<T: Real> FaceRing<T> {
    pub fn new(ny: usize) -> Self {
        Self { x: Ring::new(ny), y: Ring::new(ny) }
    }
}
