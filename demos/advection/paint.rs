//! Turns a rank's rows of amounts into its part of the picture.

use crate::{real::Real, slab::Slab};

/// Rows that are turned at once: their bytes share cache lines of the picture.
const BLOCK: usize = 16;

/// What painting needs from frame to frame.
pub struct Painter {
    block: Vec<u8>,
    /// Cells along each side of a pixel.
    fine: usize,
    /// A column of pixels while their cells are added up.
    sums: Vec<f32>,
}

impl Painter {
    /// For a picture of `height` pixels, each of `fine` times `fine` cells.
    pub fn new(height: usize, fine: usize) -> Self {
        Self { block: vec![0; BLOCK * height], fine, sums: vec![0.0; height] }
    }

    /// Cells along each side of a pixel.
    pub fn fine(&self) -> usize {
        self.fine
    }

    /// Writes amounts from 0 to 1 as 0 to 255; others as the nearest of these. A pixel is the mean of its cells.
    ///
    /// The field's first dimension runs to the right and its second down, so a row of cells is a column of `tile`,
    /// which is as wide as the part has rows, the top row first.
    pub fn paint<T: Real>(&mut self, slab: &Slab<T>, tile: &mut [u8]) {
        let fine = self.fine;
        let (width, height) = (slab.part().own.len() / fine, slab.part().ny / fine);
        for left in (0..width).step_by(BLOCK) {
            let columns = BLOCK.min(width - left);
            for column in 0..columns {
                let bytes = &mut self.block[column * height..][..height];
                if fine == 1 {
                    for (byte, amount) in bytes.iter_mut().zip(slab.row(left + column)) {
                        *byte = quantise(*amount);
                    }
                    continue;
                }
                self.sums.fill(0.0);
                for row in 0..fine {
                    let cells = slab.row(fine * (left + column) + row).chunks_exact(fine);
                    for (sum, cells) in self.sums.iter_mut().zip(cells) {
                        *sum += cells.iter().map(|cell| cell.to_f64() as f32).sum::<f32>();
                    }
                }
                for (byte, sum) in bytes.iter_mut().zip(&self.sums) {
                    *byte = quantise(*sum / (fine * fine) as f32);
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
        Painter::new(ny, 1).paint(&slab, &mut tile);
        for i in 0..nx {
            for j in 0..ny {
                assert_eq!(tile[j * nx + i], (amount(i, j) * 255.0).round() as u8, "{i}, {j}");
            }
        }
    }

    #[test]
    fn a_pixel_of_several_cells_is_their_mean() {
        let (width, height, fine) = (19, 3, 2);
        let (nx, ny) = (fine * width, fine * height);
        let mut slab = Slab::<f32>::new(Part::whole(nx, ny, 1), Options::UPWIND, Level::widest());
        for i in 0..nx {
            // One of the four cells of a pixel has something.
            let amount = |j: usize| if i % 2 == 1 && j % 2 == 1 { 0.8 } else { 0.0 };
            slab.edit_row(i, |row| (0..ny).for_each(|j| row[j] = amount(j)));
        }
        let mut tile = vec![0; width * height];
        Painter::new(height, fine).paint(&slab, &mut tile);
        assert!(tile.iter().all(|pixel| *pixel == 51), "{tile:?}");
    }

    #[test]
    fn overshoots_are_cut_off() {
        assert_eq!([-0.1, 0.0, 0.5, 1.0, 1.2, f32::NAN].map(quantise), [0, 0, 128, 255, 255, 0]);
    }
}
