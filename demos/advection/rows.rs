//! How rows of cells and of faces lie in memory: cell 0 of every row begins a cache line.
//!
//! A vector load that crosses two lines costs twice, so this is worth a fifth of the speed. Rows of cells, of x faces
//! and of y faces are laid out alike: some unused entries, the periodic neighbour of cell 0, the `ny` cells, the
//! neighbour of the last. Face `j` of a row of y faces lies between the cells `j - 1` and `j`; face `ny` is face 0.

use crate::real::Real;

/// Bytes of a cache line, and of the widest vector.
const LINE: usize = 64;

/// Entries before cell 0.
pub const fn margin<T>() -> usize {
    LINE / size_of::<T>()
}

/// Entries of a row of `ny` cells.
pub const fn width<T>(ny: usize) -> usize {
    (margin::<T>() + ny + 1).next_multiple_of(margin::<T>())
}

/// The `n` cells of a row, or the faces on their low side.
#[inline(always)]
pub fn here<T>(row: &[T], n: usize) -> &[T] {
    &row[margin::<T>()..][..n]
}

/// The `n` cells of a row, or the faces on their low side.
#[inline(always)]
pub fn here_mut<T>(row: &mut [T], n: usize) -> &mut [T] {
    &mut row[margin::<T>()..][..n]
}

/// The cells before them.
#[inline(always)]
pub fn before<T>(row: &[T], n: usize) -> &[T] {
    &row[margin::<T>() - 1..][..n]
}

/// The cells after them, or the faces on their high side.
#[inline(always)]
pub fn after<T>(row: &[T], n: usize) -> &[T] {
    &row[margin::<T>() + 1..][..n]
}

/// Writes the periodic neighbours at both ends of a row of `n` cells.
#[inline(always)]
pub fn wrap<T: Copy>(row: &mut [T], n: usize) {
    let first = margin::<T>();
    row[first - 1] = row[first + n - 1];
    row[first + n] = row[first];
}

/// Row `r` of rows that are `width` wide, nothing where there is none.
#[inline(always)]
pub fn row_or_none<T>(entries: &[T], r: usize, width: usize) -> &[T] {
    entries.get(r * width..(r + 1) * width).unwrap_or_default()
}

/// Rows one behind the other.
pub struct Rows<T> {
    entries: Vec<T>,
    skip: usize,
    width: usize,
}

impl<T: Real> Rows<T> {
    /// `count` rows of `ny` zeros.
    pub fn new(count: usize, ny: usize) -> Self {
        let width = width::<T>(ny);
        let entries = vec![T::ZERO; count * width + margin::<T>()];
        let skip = entries.as_ptr().align_offset(LINE).min(margin::<T>());
        Self { entries, skip, width }
    }

    /// Row `r`.
    #[inline(always)]
    pub fn row(&self, r: usize) -> &[T] {
        &self.entries[self.skip + r * self.width..][..self.width]
    }

    /// Row `r`.
    #[inline(always)]
    pub fn row_mut(&mut self, r: usize) -> &mut [T] {
        &mut self.entries[self.skip + r * self.width..][..self.width]
    }

    /// Row `r`, nothing if there is none.
    #[inline(always)]
    pub fn row_or_none(&self, r: usize) -> &[T] {
        row_or_none(self.all(), r, self.width)
    }

    /// All rows.
    #[inline(always)]
    pub fn all(&self) -> &[T] {
        &self.entries[self.skip..][..self.entries.len() - margin::<T>()]
    }

    /// All rows.
    pub fn all_mut(&mut self) -> &mut [T] {
        let length = self.entries.len() - margin::<T>();
        &mut self.entries[self.skip..][..length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cell_0_of_every_row_begins_a_cache_line() {
        fn check<T: Real>(ny: usize) {
            let mut rows = Rows::<T>::new(3, ny);
            for r in 0..3 {
                assert_eq!(here(rows.row(r), ny).as_ptr().addr() % LINE, 0);
                assert_eq!(here_mut(rows.row_mut(r), ny).len(), ny);
            }
            assert_eq!(rows.all().len(), 3 * width::<T>(ny));
        }
        for ny in [1, 7, 8, 61, 400, 512] {
            check::<f32>(ny);
            check::<f64>(ny);
        }
    }

    #[test]
    fn the_ends_of_a_row_are_neighbours() {
        let mut rows = Rows::<f64>::new(1, 5);
        here_mut(rows.row_mut(0), 5).copy_from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        wrap(rows.row_mut(0), 5);
        assert_eq!(before(rows.row(0), 5), [5.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(after(rows.row(0), 5), [2.0, 3.0, 4.0, 5.0, 1.0]);
    }
}
