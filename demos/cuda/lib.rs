//! The GPU for every demo: a context, memory, streams, and kernels that cannot be launched with wrong arguments.
//!
//! A program that uses this needs no CUDA to build and none to start: [`driver`] looks for the machine's driver when
//! the first [`Gpu`] is opened, and where there is none that is an [`Error`] like any other. Only functions that a CUDA
//! 10.2 driver has are called. Only this crate names cust.

mod arguments;
mod driver;
mod error;
mod gpu;
mod kernel;
mod memory;
mod stream;

pub use arguments::{Arguments, Float, In, Kind, Number, Out, Packed};
pub use error::Error;
pub use gpu::{Facts, Gpu};
pub use kernel::{Kernel, Module};
pub use memory::{Buffer, Locked};
pub use stream::{Event, Stream};
