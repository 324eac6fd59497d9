//! What fingers do to the flow: every stroke stamps a pair of eddies that fades, and the sum stays stable.
//!
//! The stamps add up in one stream function, so however many fingers there are, the flow has no divergence.
//! The arithmetic is plain sums and products: every rank stamps the same bits.

use crate::{
    faces::Faces,
    part::Part,
    real::{Real, larger},
    rows::{Rows, after, here, here_mut, wrap},
    stroke::{Piece, Stroke, periodic_offset},
};

/// Largest `|Cx| + |Cy|` of flow and fingers together. Two-pass MPDATA without limiter is unstable from 0.58 on where
/// both components are equal (von Neumann analysis), long before 1.
pub const LIMIT: f64 = 0.5;
/// Radius of a stamp, cells.
pub const RADIUS: f64 = 44.0;
/// Seconds in which what a finger stirred fades to 1/e: after two seconds a fiftieth is left.
pub const FADE_S: f64 = 0.5;

/// Courant number that a stroke of one [`RADIUS`] leaves behind where it passed.
const PUSH: f64 = 0.4;
/// When the strongest stamp has faded to this Courant number, the stirring is over.
const STILL: f64 = 1e-4;

/// The stirring of a part of the grid.
pub struct Stir<T> {
    /// The stream function on corners: entry `j` of row `g` is the corner before row `g` and cell `j` of the part.
    stream: Rows<T>,
    faces: Faces<T>,
    /// Rows of the stream function that a stamp has touched.
    touched: Vec<bool>,
    /// No corner moves faster than this.
    bound: f64,
}

impl<T: Real> Stir<T> {
    /// No stirring yet.
    pub fn new(part: &Part) -> Self {
        Self {
            stream: Rows::new(part.rows() + 1, part.ny),
            faces: Faces::still(part),
            touched: vec![false; part.rows() + 1],
            bound: 0.0,
        }
    }

    /// The Courant numbers that it adds; `None` while nothing is stirred.
    pub fn faces(&self) -> Option<&Faces<T>> {
        (0.0 < self.bound).then_some(&self.faces)
    }

    /// Lets what is there fade to the share `kept` and adds the strokes.
    pub fn stamp(&mut self, part: &Part, strokes: &[Stroke], kept: f64) {
        if self.bound == 0.0 && strokes.is_empty() {
            return;
        }
        self.bound *= kept;
        if self.bound < STILL && strokes.is_empty() {
            self.clear(part);
            return;
        }
        let kept = T::of(kept);
        for g in (0..=part.rows()).filter(|g| self.touched[*g]) {
            here_mut(self.stream.row_mut(g), part.ny).iter_mut().for_each(|p| *p = *p * kept);
        }
        for piece in strokes.iter().flat_map(|stroke| stroke.pieces()) {
            self.stamp_piece(part, piece);
        }
        self.differentiate(part);
    }

    fn clear(&mut self, part: &Part) {
        for g in 0..=part.rows() {
            self.stream.row_mut(g).fill(T::ZERO);
        }
        self.touched.fill(false);
        self.differentiate(part);
        self.bound = 0.0;
    }

    /// Adds `(u y - v x) (1 - r^2)^3`, `u` and `v` being the finger's way: straight on in the middle, back at the sides.
    fn stamp_piece(&mut self, part: &Part, piece: Piece) {
        let [u, v] = piece.way.map(|component| component * PUSH / RADIUS);
        if u == 0.0 && v == 0.0 {
            return;
        }
        // The window's slope makes it at most 1.9 times the finger's own.
        self.bound += 2.0 * (u.abs() + v.abs());
        for g in 0..=part.rows() {
            let x = periodic_offset(part.global(g) as f64, piece.at[0], part.nx);
            if RADIUS <= x.abs() {
                continue;
            }
            self.touched[g] = true;
            let row = here_mut(self.stream.row_mut(g), part.ny);
            for (j, corner) in row.iter_mut().enumerate() {
                let y = periodic_offset(j as f64, piece.at[1], part.ny);
                let near = 1.0 - (x * x + y * y) / (RADIUS * RADIUS);
                if 0.0 < near {
                    *corner = *corner + T::of((u * y - v * x) * near * near * near);
                }
            }
        }
    }

    /// The faces' Courant numbers from the stream function.
    fn differentiate(&mut self, part: &Part) {
        let n = part.ny;
        for g in 0..part.rows() {
            if !self.touched[g] && !self.touched[g + 1] {
                self.faces.x.row_mut(g).fill(T::ZERO);
                self.faces.y.row_mut(g).fill(T::ZERO);
                continue;
            }
            let (low, high) = (here(self.stream.row(g), n), here(self.stream.row(g + 1), n));
            let x = self.faces.x.row_mut(g);
            for (j, face) in here_mut(x, n).iter_mut().enumerate() {
                *face = low[(j + 1) % n] - low[j];
            }
            wrap(x, n);
            let y = self.faces.y.row_mut(g);
            for (j, face) in here_mut(y, n).iter_mut().enumerate() {
                *face = low[j] - high[j];
            }
            wrap(y, n);
        }
    }

    /// The largest share of the stirring with which `|Cx| + |Cy|` stays within [`LIMIT`] in this rank's cells, on
    /// top of a flow whose strength is anywhere from -1 to 1.
    pub fn share(&self, part: &Part, steady: &Faces<T>) -> f64 {
        let Some(stir) = self.faces() else { return 1.0 };
        // What rounding to `T` may add.
        let limit = LIMIT * (1.0 - 1e-6);
        let mut share = 1.0;
        for g in part.halo..part.halo + part.own.len() {
            if !self.touched[g] && !self.touched[g + 1] {
                continue;
            }
            for (added, there) in speeds(stir, g, part.ny).zip(speeds(steady, g, part.ny)) {
                if limit - there < added * share {
                    share = ((limit - there) / added).max(0.0);
                }
            }
        }
        share
    }
}

/// `|Cx| + |Cy|` of the cells of row `g` of a part, the faster face of either pair.
pub fn speeds<T: Real>(faces: &Faces<T>, g: usize, ny: usize) -> impl Iterator<Item = f64> {
    let pair = |low: &T, high: &T| larger(low.abs(), high.abs()).to_f64();
    let x = here(faces.x.row(g), ny).iter().zip(here(faces.x.row(g + 1), ny));
    let y = here(faces.y.row(g), ny).iter().zip(after(faces.y.row(g), ny));
    x.zip(y)
        .map(move |((x_low, x_high), (y_low, y_high))| pair(x_low, x_high) + pair(y_low, y_high))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::flows::{Flow, Pattern};

    const NX: usize = 96;
    const NY: usize = 64;

    fn part() -> Part {
        Part::whole(NX, NY, 3)
    }

    fn steady(pattern: Pattern) -> Faces<f32> {
        let (flow, mut faces) = (Flow::new(pattern, NX, NY), Faces::still(&part()));
        faces.fill(&part(), |i, row| flow.x_faces(i, row), |i, row| flow.y_faces(i, row));
        faces
    }

    fn strokes() -> impl Strategy<Value = Vec<Stroke>> {
        let point = || (0.0..NX as f64, 0.0..NY as f64).prop_map(|(x, y)| [x, y]);
        prop::collection::vec((point(), point()).prop_map(|(from, to)| Stroke { from, to }), 0..6)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn whatever_fingers_do_the_flow_stays_inside_the_stability_limit(
            frames in prop::collection::vec(strokes(), 1..12),
            pattern in prop::sample::select(vec![Pattern::Swirl, Pattern::Rotation, Pattern::Translation]),
            strength in -1.0_f32..1.0,
        ) {
            let (part, steady) = (part(), steady(pattern));
            let mut stir = Stir::<f32>::new(&part);
            for strokes in &frames {
                stir.stamp(&part, strokes, 0.97);
                let share = stir.share(&part, &steady) as f32;
                let Some(added) = stir.faces() else { continue };
                let sum = |steady: &[f32], added: &[f32], out: &mut [f32]| {
                    for j in 0..out.len() {
                        out[j] = steady[j] * strength + added[j] * share;
                    }
                };
                let mut total = Faces::still(&part);
                for g in 0..part.rows() {
                    sum(steady.x.row(g), added.x.row(g), total.x.row_mut(g));
                    sum(steady.y.row(g), added.y.row(g), total.y.row_mut(g));
                }
                for g in part.halo..part.halo + NX {
                    for speed in speeds(&total, g, NY) {
                        prop_assert!(speed <= LIMIT, "{speed}");
                    }
                }
            }
        }

        #[test]
        fn what_fingers_add_has_no_divergence(frames in prop::collection::vec(strokes(), 1..6)) {
            let part = part();
            let mut stir = Stir::<f32>::new(&part);
            for strokes in &frames {
                stir.stamp(&part, strokes, 0.97);
            }
            let Some(faces) = stir.faces() else { return Ok(()) };
            for g in part.halo..part.halo + NX {
                let (x, next) = (here(faces.x.row(g), NY), here(faces.x.row(g + 1), NY));
                let y = here(faces.y.row(g), NY + 1);
                for j in 0..NY {
                    let out = next[j] - x[j] + y[j + 1] - y[j];
                    prop_assert!(out.abs() < 1e-5, "{out:e}");
                }
            }
        }
    }

    const STROKE: Stroke = Stroke { from: [30.0, 30.0], to: [60.0, 40.0] };

    #[test]
    fn the_flow_under_a_finger_goes_where_the_finger_goes() {
        let part = part();
        let mut stir = Stir::<f64>::new(&part);
        stir.stamp(&part, &[STROKE], 1.0);
        let faces = stir.faces().unwrap();
        let (x, y) =
            (here(faces.x.row(45 + part.halo), NY)[35], here(faces.y.row(45 + part.halo), NY)[35]);
        assert!(0.1 < x && 0.03 < y && y < x, "{x} {y}");
    }

    #[test]
    fn two_fingers_add_up() {
        let part = part();
        let other = Stroke { from: [70.0, 10.0], to: [70.0, 50.0] };
        let stream = |strokes: &[Stroke]| {
            let mut stir = Stir::<f64>::new(&part);
            stir.stamp(&part, strokes, 1.0);
            stir.stream
        };
        let (first, second, both) = (stream(&[STROKE]), stream(&[other]), stream(&[STROKE, other]));
        for g in 0..=part.rows() {
            for j in 0..NY {
                let at = |rows: &Rows<f64>| here(rows.row(g), NY)[j];
                assert!((at(&first) + at(&second) - at(&both)).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn stirring_fades_and_ends() {
        let part = part();
        let mut stir = Stir::<f32>::new(&part);
        stir.stamp(&part, &[STROKE], 1.0);
        let kept = |seconds: f64| (-seconds / FADE_S).exp();
        let fastest = |stir: &Stir<f32>| {
            stir.faces().map_or(0.0, |faces| speeds(faces, 45 + part.halo, NY).fold(0.0, f64::max))
        };
        let first = fastest(&stir);
        stir.stamp(&part, &[], kept(2.0));
        let later = fastest(&stir);
        assert!(0.0 < later && later < 0.02 * first, "{first} {later}");
        stir.stamp(&part, &[], kept(10.0));
        assert!(stir.faces().is_none());
    }
}
