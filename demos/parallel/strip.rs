//! Which rows of a grid a rank computes.

use std::ops::Range;

/// The rows of rank `rank` of `size` when `rows` rows are dealt out in order; lengths differ by one at most.
///
/// `rank * rows / size` never runs past the end, unlike a rounded-up length times the rank.
pub fn strip(rank: usize, size: usize, rows: usize) -> Range<usize> {
    rank * rows / size..(rank + 1) * rows / size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_cover_every_row_once_and_differ_by_one_row_at_most() {
        for (size, rows) in [(1, 7), (4, 5), (3, 400), (7, 3), (256, 1921)] {
            let strips: Vec<_> = (0..size).map(|rank| strip(rank, size, rows)).collect();
            assert_eq!((strips[0].start, strips[size - 1].end), (0, rows));
            for pair in strips.windows(2) {
                assert_eq!(pair[0].end, pair[1].start);
            }
            let lengths = strips.iter().map(Range::len);
            assert!(lengths.clone().max().unwrap() - lengths.min().unwrap() <= 1);
        }
    }
}
