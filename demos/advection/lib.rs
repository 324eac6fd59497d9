//! Two-dimensional advection by MPDATA over MPI: a picture that fingers stir, and a solver for scientists.
//!
//! In reading order: [`mpdata`] is the scheme on rows of cells, [`crew`] the threads that run it, [`slab`] a rank's part of the field with it, [`gpu`] the same on a
//! GPU, [`strip`] whichever of them there is;
//! [`flows`], [`stir`] and [`pictures`] are what is carried and what carries it; the program in `main.rs` puts a
//! screen or files around them. Only [`slab`] exchanges anything, through `parallel`.

pub mod crew;
pub mod faces;
pub mod flows;
pub mod gpu;
pub mod mpdata;
pub mod paint;
pub mod part;
pub mod pictures;
pub mod real;
pub mod rows;
pub mod simd;
pub mod slab;
pub mod stir;
pub mod strip;
pub mod stroke;
