//! The functions of the CUDA driver that cust calls: each looks for the machine's driver when it is called first.
//!
//! So a program does not need the driver to start; without one every function answers that there is no device. What is
//! not in this list cannot be called: the program would not link. All are functions of a CUDA 10.2 driver.

#![allow(
    unsafe_code,
    non_snake_case,
    reason = "the driver is a C library, found when the program runs; the names are its own"
)]

use std::{
    ffi::{c_char, c_int, c_uint, c_void},
    sync::OnceLock,
};

use libloading::Library;

/// The driver's answer where there is none: `CUDA_ERROR_NO_DEVICE`.
const NO_DEVICE: c_uint = 100;
/// The driver lacks a function: `CUDA_ERROR_SHARED_OBJECT_SYMBOL_NOT_FOUND`.
const NO_FUNCTION: c_uint = 302;
/// `CUDA_ERROR_UNKNOWN`
const UNKNOWN: c_uint = 999;

/// The codes that cust knows. To take another for one of its own would be undefined behaviour, so a newer driver's
/// further codes become [`UNKNOWN`].
const KNOWN: &[c_uint] = &[
    0, 1, 2, 3, 4, 5, 6, 7, 8, 100, 101, 200, 201, 202, 205, 206, 207, 208, 209, 210, 211, 212,
    213, 214, 215, 216, 217, 218, 219, 220, 300, 301, 302, 303, 304, 400, 500, 600, 700, 701, 702,
    703, 704, 705, 708, 709, 710, 711, 712, 713, 714, 715, 716, 717, 718, 719, 800, 801, 999,
];

fn library() -> Option<&'static Library> {
    static LIBRARY: OnceLock<Option<Library>> = OnceLock::new();
    // SAFETY: NVIDIA's driver may be loaded into any process; its initialisers ask nothing of it.
    LIBRARY.get_or_init(|| unsafe { Library::new("libcuda.so.1") }.ok()).as_ref()
}

/// Whether this machine has a driver; loads it.
// Never inlined: the program must call something of this file, or the linker would leave the file out.
#[inline(never)]
pub fn is_present() -> bool {
    library().is_some() && !FORWARDED.is_empty()
}

fn known(code: c_uint) -> c_uint {
    if KNOWN.contains(&code) { code } else { UNKNOWN }
}

macro_rules! forward {
    ($(fn $name:ident($($argument:ident: $type:ty),*);)*) => {
        $(
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name($($argument: $type),*) -> c_uint {
                type Function = unsafe extern "C" fn($($type),*) -> c_uint;
                static FOUND: OnceLock<Option<Function>> = OnceLock::new();
                let Some(library) = library() else { return NO_DEVICE };
                let look = || {
                    // SAFETY: the signature is that of cuda.h, which all drivers since CUDA 10.2 keep.
                    let found = unsafe { library.get::<Function>(concat!(stringify!($name), "\0").as_bytes()) };
                    found.ok().map(|function| *function)
                };
                match FOUND.get_or_init(look) {
                    // SAFETY: the caller keeps the driver's own contract; the library is never unloaded.
                    Some(function) => known(unsafe { function($($argument),*) }),
                    None => NO_FUNCTION,
                }
            }
        )*
        /// The names of all.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];
        #[used]
        static FORWARDED: [Address; NAMES.len()] = [$(Address($name as *const ())),*];
    };
}

/// Where a function is: only to keep it in the program.
struct Address(#[expect(dead_code, reason = "kept, never read")] *const ());

// SAFETY: an address of code, which nobody reads.
unsafe impl Sync for Address {}

forward! {
    fn cuInit(flags: c_uint);
    fn cuDriverGetVersion(version: *mut c_int);
    fn cuGetErrorString(code: c_uint, text: *mut *const c_char);
    fn cuDeviceGet(device: *mut c_int, ordinal: c_int);
    fn cuDeviceGetCount(count: *mut c_int);
    fn cuDeviceGetName(name: *mut c_char, length: c_int, device: c_int);
    fn cuDeviceGetAttribute(value: *mut c_int, attribute: c_uint, device: c_int);
    fn cuDeviceTotalMem_v2(bytes: *mut usize, device: c_int);
    fn cuCtxCreate_v2(context: *mut *mut c_void, flags: c_uint, device: c_int);
    fn cuCtxDestroy_v2(context: *mut c_void);
    fn cuModuleLoadDataEx(
        module: *mut *mut c_void,
        image: *const c_void,
        count: c_uint,
        options: *mut c_uint,
        values: *mut *mut c_void
    );
    fn cuModuleGetFunction(function: *mut *mut c_void, module: *mut c_void, name: *const c_char);
    fn cuModuleUnload(module: *mut c_void);
    fn cuMemAlloc_v2(pointer: *mut u64, bytes: usize);
    fn cuMemFree_v2(pointer: u64);
    fn cuMemAllocHost_v2(pointer: *mut *mut c_void, bytes: usize);
    fn cuMemFreeHost(pointer: *mut c_void);
    fn cuMemsetD8_v2(pointer: u64, value: u8, count: usize);
    fn cuMemcpyHtoD_v2(to: u64, from: *const c_void, bytes: usize);
    fn cuMemcpyDtoH_v2(to: *mut c_void, from: u64, bytes: usize);
    fn cuMemcpyHtoDAsync_v2(to: u64, from: *const c_void, bytes: usize, stream: *mut c_void);
    fn cuMemcpyDtoHAsync_v2(to: *mut c_void, from: u64, bytes: usize, stream: *mut c_void);
    fn cuMemcpyDtoDAsync_v2(to: u64, from: u64, bytes: usize, stream: *mut c_void);
    fn cuStreamCreateWithPriority(stream: *mut *mut c_void, flags: c_uint, priority: c_int);
    fn cuStreamDestroy_v2(stream: *mut c_void);
    fn cuStreamSynchronize(stream: *mut c_void);
    fn cuStreamWaitEvent(stream: *mut c_void, event: *mut c_void, flags: c_uint);
    fn cuEventCreate(event: *mut *mut c_void, flags: c_uint);
    fn cuEventDestroy_v2(event: *mut c_void);
    fn cuEventRecord(event: *mut c_void, stream: *mut c_void);
    fn cuEventElapsedTime(milliseconds: *mut f32, start: *mut c_void, end: *mut c_void);
    fn cuLaunchKernel(
        function: *mut c_void,
        grid_x: c_uint,
        grid_y: c_uint,
        grid_z: c_uint,
        block_x: c_uint,
        block_y: c_uint,
        block_z: c_uint,
        shared_bytes: c_uint,
        stream: *mut c_void,
        arguments: *mut *mut c_void,
        extra: *mut *mut c_void
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_one_of_a_cuda_10_2_driver() {
        let allowed = include_str!("tests/cuda-10.2-driver-functions.txt");
        for name in NAMES {
            assert!(allowed.lines().any(|line| line.trim() == *name), "{name} is newer");
        }
    }

    #[test]
    fn a_code_that_cust_does_not_know_is_an_unknown_error() {
        // 46 is CUDA_ERROR_DEVICE_UNAVAILABLE of newer drivers.
        assert_eq!([0, 2, 719, 46, 12345].map(known), [0, 2, 719, UNKNOWN, UNKNOWN]);
    }
}
