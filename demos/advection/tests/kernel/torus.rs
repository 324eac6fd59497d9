//! A grid in one part, stepped inside the test process, without MPI.

use advection::{crew::Cpu, mpdata::Options, part::Part, real::Real, slab::Slab};

/// A whole doubly periodic grid.
pub struct Torus<T> {
    pub nx: usize,
    pub ny: usize,
    pub slab: Slab<T>,
}

impl<T: Real> Torus<T> {
    pub fn new((nx, ny): (usize, usize), options: Options, cpu: impl Into<Cpu>) -> Self {
        options.check().unwrap();
        let slab = Slab::new(Part::whole(nx, ny, options.halo()), options, cpu);
        Self { nx, ny, slab }
    }

    pub fn set(&mut self, psi: impl Fn(usize, usize) -> f64) {
        for i in 0..self.nx {
            self.slab.edit_row(i, |row| {
                row.iter_mut().enumerate().for_each(|(j, cell)| *cell = T::of(psi(i, j)));
            });
        }
    }

    /// `x(i, j)` and `y(i, j)` are the Courant numbers of the faces before row `i` and cell `j`.
    pub fn flow(&mut self, x: impl Fn(usize, usize) -> f64, y: impl Fn(usize, usize) -> f64) {
        fn write<T: Real>(row: &mut [T], c: impl Fn(usize) -> f64) {
            row.iter_mut().enumerate().for_each(|(j, face)| *face = T::of(c(j)));
        }
        self.slab.set_flow(|i, row| write(row, |j| x(i, j)), |i, row| write(row, |j| y(i, j)));
    }

    pub fn advance(&mut self, steps: usize) {
        for _ in 0..steps {
            self.slab.advance_alone(T::ONE);
        }
    }

    /// Gives the outer `width` rows and columns the values of the cells next to them.
    pub fn extend_edges(&mut self, width: usize) {
        if width == 0 {
            return;
        }
        let (nx, ny) = (self.nx, self.ny);
        let inside: Vec<Vec<T>> = (width..nx - width).map(|i| self.slab.row(i).to_vec()).collect();
        for i in 0..nx {
            let nearest = &inside[i.clamp(width, nx - width - 1) - width];
            self.slab.edit_row(i, |row| {
                for (j, cell) in row.iter_mut().enumerate() {
                    *cell = nearest[j.clamp(width, ny - width - 1)];
                }
            });
        }
    }

    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.slab.row(i)[j].to_f64()
    }

    pub fn cells(&self) -> Vec<f64> {
        (0..self.nx).flat_map(|i| self.slab.row(i).iter().map(|cell| cell.to_f64())).collect()
    }

    /// The root of the mean square of the difference to `exact`.
    pub fn distance(&self, exact: impl Fn(usize, usize) -> f64) -> f64 {
        let square = |i, j| (self.at(i, j) - exact(i, j)).powi(2);
        let sum: f64 = (0..self.nx).flat_map(|i| (0..self.ny).map(move |j| square(i, j))).sum();
        (sum / (self.nx * self.ny) as f64).sqrt()
    }
}

pub fn extrema(cells: &[f64]) -> (f64, f64) {
    cells
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), c| (min.min(*c), max.max(*c)))
}
