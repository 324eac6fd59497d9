//! A finger's way over the picture, and the tracer that it leaves there.
//!
//! The arithmetic is plain sums and products: every rank draws the same bits.

use crate::{part::Part, real::Real};

/// A stroke counts in pieces no longer than this, cells: less than the radius of anything that follows it.
const PIECE: f64 = 11.0;
/// Most pieces of a stroke; those of a longer one are longer.
const MOST_PIECES: f64 = 64.0;
/// Radius of the tracer that a finger leaves, cells.
const INK_RADIUS: f64 = 15.0;
/// Share of the way to 1 that the tracer under a finger goes per piece of a stroke.
const INK: f64 = 0.35;

/// The way of a finger between two frames, in cells from the grid's corner; a finger at rest has no length.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stroke {
    /// Where it began.
    pub from: [f64; 2],
    /// Where it ended.
    pub to: [f64; 2],
}

/// A piece of a stroke: where it is, and how far the finger went.
#[derive(Clone, Copy)]
pub struct Piece {
    /// Its middle, in cells from the grid's corner.
    pub at: [f64; 2],
    /// The finger's way along it.
    pub way: [f64; 2],
}

impl Stroke {
    /// Its pieces in order; a finger at rest has one.
    pub fn pieces(self) -> impl Iterator<Item = Piece> {
        let way = [self.to[0] - self.from[0], self.to[1] - self.from[1]];
        let length = (way[0] * way[0] + way[1] * way[1]).sqrt();
        let count = (length / PIECE).ceil().clamp(1.0, MOST_PIECES);
        let step = way.map(|component| component / count);
        (0..count as usize).map(move |k| {
            let k = k as f64 + 0.5;
            Piece { at: [self.from[0] + k * step[0], self.from[1] + k * step[1]], way: step }
        })
    }
}

/// Leaves tracer where fingers are: cells under them go part of the way to 1, and never beyond.
///
/// `row` and its number `i` belong to the grid; rows are independent of each other.
pub fn ink<T: Real>(part: &Part, i: usize, row: &mut [T], strokes: &[Stroke]) {
    for piece in strokes.iter().flat_map(|stroke| stroke.pieces()) {
        let x = periodic_offset(i as f64 + 0.5, piece.at[0], part.nx);
        if INK_RADIUS <= x.abs() {
            continue;
        }
        for (j, cell) in row.iter_mut().enumerate() {
            let y = periodic_offset(j as f64 + 0.5, piece.at[1], part.ny);
            let near = 1.0 - (x * x + y * y) / (INK_RADIUS * INK_RADIUS);
            if 0.0 < near {
                *cell = *cell + T::of(INK * near) * (T::ONE - *cell);
            }
        }
    }
}

/// How far `from` is from `to` on a circle of `n` cells, -n/2 to n/2.
pub fn periodic_offset(from: f64, to: f64, n: usize) -> f64 {
    let n = n as f64;
    let offset = from - to;
    offset - n * (offset / n).round()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NX: usize = 96;
    const NY: usize = 64;

    fn strokes() -> impl Strategy<Value = Vec<Stroke>> {
        let point = || (0.0..NX as f64, 0.0..NY as f64).prop_map(|(x, y)| [x, y]);
        prop::collection::vec((point(), point()).prop_map(|(from, to)| Stroke { from, to }), 0..6)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn ink_never_leaves_the_range_of_amounts(
            strokes in strokes(), i in 0..NX, before in prop::collection::vec(0.0_f32..=1.0, NY),
        ) {
            let mut row = before.clone();
            ink(&Part::whole(NX, NY, 1), i, &mut row, &strokes);
            for (after, before) in row.iter().zip(&before) {
                prop_assert!(before <= after && *after <= 1.0);
            }
        }
    }

    #[test]
    fn pieces_cover_the_stroke_once() {
        let stroke = Stroke { from: [10.0, 50.0], to: [70.0, 5.0] };
        let pieces: Vec<Piece> = stroke.pieces().collect();
        assert_eq!(pieces.len(), 7);
        let sum = |axis: usize| pieces.iter().map(|piece| piece.way[axis]).sum::<f64>();
        assert!((sum(0) - 60.0).abs() < 1e-12 && (sum(1) + 45.0).abs() < 1e-12);
        assert_eq!(Stroke { from: [3.0, 4.0], to: [3.0, 4.0] }.pieces().count(), 1);
    }

    #[test]
    fn ink_crosses_the_edge_of_the_periodic_grid() {
        let part = Part::whole(NX, NY, 1);
        let stroke = Stroke { from: [1.0, 1.0], to: [1.0, 1.0] };
        let mut row = vec![0.0_f64; NY];
        ink(&part, NX - 1, &mut row, &[stroke]);
        assert!(0.2 < row[0] && 0.2 < row[NY - 1] && row[NY / 2] == 0.0);
    }
}
