//! The solver inside the test process, without MPI: peers' fields, published figures, properties of the scheme.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where something is not as it should be"
)]

mod figures;
mod gpu;
mod properties;
mod reference;
mod torus;
