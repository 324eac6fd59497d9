//! The program itself under a real mpirun: as a solver with files, and as a demo with a kiosk that the tests play.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where something is not as it should be"
)]

mod bench;
mod gpu;
mod headless;
mod kiosk;
mod live;
mod mpirun;
mod ranks;
mod standby;
