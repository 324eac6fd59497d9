//! Runs a kernel that was compiled for this machine instead of its PTX. Nothing is checked there: that is what the PTX is for.

use std::{ffi::c_void, path::Path};

use libloading::Library;

use crate::{memory::Memory, threads::Launch};

/// `NAME_host` of kernels/host.h.
type Run = unsafe extern "C" fn(*mut *mut c_void, *const u32, *const u32);

/// Kernels compiled for this machine.
pub struct Host(Library);

impl Host {
    pub fn open(path: &Path) -> Self {
        // SAFETY: a library of kernels, which has nothing to do when it is loaded.
        let library = unsafe { Library::new(path) };
        Self(library.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// Runs all threads; `false` if there is no such kernel.
    pub fn run(&self, launch: &Launch, memory: &mut Memory) -> bool {
        let name = format!("{}_host\0", launch.kernel.name());
        // SAFETY: the type is that of host.h.
        let Ok(run) = (unsafe { self.0.get::<Run>(name.as_bytes()) }) else { return false };
        // The addresses among the arguments are those of the stand-in's memory.
        let really = |value: &u64| memory.really(*value).map_or(*value, |at| at as u64);
        let mut values: Vec<u64> = launch.values.iter().map(really).collect();
        let arguments = values.iter_mut().map(|value| std::ptr::from_mut(value).cast());
        let mut arguments: Vec<*mut c_void> = arguments.collect();
        // SAFETY: the arguments are as the kernel's PTX has them, little-endian, and the memory behind them stays.
        unsafe { run(arguments.as_mut_ptr(), launch.grid.as_ptr(), launch.block.as_ptr()) };
        true
    }
}
