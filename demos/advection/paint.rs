//! Turns a rank's rows of amounts into its part of the picture.

use crate::{real::Real, slab::Slab};

/// Rows that are turned at once: their bytes share cache lines of the picture.
const BLOCK: usize = 16;

/// What painting needs from frame to frame.
pub struct Painter {
    block: Vec<u8>,
}

impl Painter {
    /// For rows of `ny` cells.
    pub fn new(ny: usize) -> Self {
        Self { block: vec![0; BLOCK * ny] }
    }

    /// Writes amounts from 0 to 1 as 0 to 255; others as the nearest of these.
    ///
    /// The field's first dimension runs to the right and its second down, so a row of cells is a column of `tile`,
    /// which is as wide as the part has rows, the top row first.
    pub fn paint<T: Real>(&mut self, slab: &Slab<T>, tile: &mut [u8]) {
        let (width, height) = (slab.part().own.len(), slab.part().ny);
        for left in (0..width).step_by(BLOCK) {
            let columns = BLOCK.min(width - left);
            for column in 0..columns {
                let bytes = &mut self.block[column * height..][..height];
                for (byte, amount) in bytes.iter_mut().zip(slab.row(left + column)) {
                    *byte = quantise(*amount);
                }
            }
            for y in 0..height {
                let pixels = &mut tile[y * width + left..][..columns];
                for (column, pixel) in pixels.iter_mut().enumerate() {
                    *pixel = self.block[column * height + y];
                }
            }
        }
    }
}

fn quantise<T: Real>(amount: T) -> u8 {
    // The conversion saturates: what is below nothing is 0, what is above one is 255.
    (amount.to_f64() as f32 * 255.0 + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{mpdata::Options, part::Part, simd::Level};

    #[test]
    fn the_first_dimension_runs_to_the_right_and_the_second_down() {
        let (nx, ny) = (37, 5);
        let mut slab = Slab::<f32>::new(Part::whole(nx, ny, 1), Options::UPWIND, Level::widest());
        let amount = |i: usize, j: usize| (i * ny + j) as f32 / (nx * ny) as f32;
        for i in 0..nx {
            slab.edit_row(i, |row| (0..ny).for_each(|j| row[j] = amount(i, j)));
        }
        let mut tile = vec![0; nx * ny];
        Painter::new(ny).paint(&slab, &mut tile);
        for i in 0..nx {
            for j in 0..ny {
                assert_eq!(tile[j * nx + i], (amount(i, j) * 255.0).round() as u8, "{i}, {j}");
            }
        }
    }

    #[test]
    fn overshoots_are_cut_off() {
        assert_eq!([-0.1, 0.0, 0.5, 1.0, 1.2, f32::NAN].map(quantise), [0, 0, 128, 255, 255, 0]);
    }
}
