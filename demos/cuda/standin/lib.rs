//! Stands in for NVIDIA's driver where there is no GPU: a `libcuda.so.1` that interprets the very PTX that ships. For tests
//! only, never packaged.
//!
//! [`ptx`] reads it, [`threads`] runs it with every access checked, [`memory`] is the device's memory, [`host`] runs the kernels compiled for this machine instead, [`machine`] the
//! driver's state: queued work runs as late as the rules of CUDA allow, so a missing wait shows. Every thread of the
//! host has a machine of its own, so tests do not meet. What there is, and what fails, a [`plan`] says.

#![allow(
    unsafe_code,
    non_snake_case,
    missing_docs,
    clippy::missing_safety_doc,
    reason = "C functions with the driver's own names and contracts"
)]

mod host;
mod machine;
mod memory;
mod plan;
mod ptx;
mod threads;

use std::{
    cell::RefCell,
    ffi::{CStr, c_char, c_int, c_uint, c_void},
};

use machine::{Code, Machine, Work};

/// The name of the device, which tests ask for: no test takes a real GPU or none for this one.
const NAME: &[u8] = b"CPU stand-in (test only)";

/// The flag of an event without times.
const DISABLE_TIMING: c_uint = 2;

thread_local! {
    static MACHINE: RefCell<Machine> = RefCell::new(Machine::new(plan::Plan::from_environment()));
}

/// Does a call on this thread's machine unless the plan wants it to fail.
fn call(name: &str, work: impl FnOnce(&mut Machine) -> Result<(), Code>) -> c_uint {
    let done = MACHINE.try_with(|machine| {
        let mut machine = machine.borrow_mut();
        let done = machine.enter(name).and_then(|()| work(&mut machine));
        machine.leave(done)
    });
    // The thread is ending, and the machine with it.
    done.unwrap_or(Code::DEINITIALIZED.0)
}

/// Reads what the caller's pointer names.
unsafe fn put<T>(to: *mut T, value: T) -> Result<(), Code> {
    if to.is_null() {
        return Err(Code::INVALID_VALUE);
    }
    // SAFETY: the caller gives room for it, as the driver demands.
    unsafe { to.write(value) };
    Ok(())
}

/// Makes a machine anew for this thread with what `plan` says; see [`plan`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn standin_plan(plan: *const c_char) {
    // SAFETY: the test gives a C string.
    let text = unsafe { CStr::from_ptr(plan) }.to_string_lossy().into_owned();
    MACHINE.with(|machine| machine.replace(Machine::new(plan::Plan::read(&text))));
}

/// Writes what happened on this thread as text of at most `room` bytes; its length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn standin_report(to: *mut u8, room: usize) -> usize {
    let text = MACHINE.with(|machine| machine.borrow().report());
    let length = text.len().min(room);
    // SAFETY: the test gives room for that many bytes.
    unsafe { to.copy_from_nonoverlapping(text.as_ptr(), length) };
    length
}

#[unsafe(no_mangle)]
pub extern "C" fn cuInit(_flags: c_uint) -> c_uint {
    call("cuInit", |machine| if machine.plan.devices == 0 { Err(Code::NO_DEVICE) } else { Ok(()) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDriverGetVersion(version: *mut c_int) -> c_uint {
    // SAFETY: as `put` says.
    call("cuDriverGetVersion", |_| unsafe { put(version, 10020) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetErrorString(_code: c_uint, text: *mut *const c_char) -> c_uint {
    // SAFETY: as `put` says.
    call("cuGetErrorString", |_| unsafe { put(text, c"an error of the stand-in".as_ptr()) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetCount(count: *mut c_int) -> c_uint {
    // SAFETY: as `put` says.
    call("cuDeviceGetCount", |machine| unsafe { put(count, machine.plan.devices) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGet(device: *mut c_int, ordinal: c_int) -> c_uint {
    call("cuDeviceGet", |machine| {
        if !(0..machine.plan.devices).contains(&ordinal) {
            return Err(Code::INVALID_DEVICE);
        }
        // SAFETY: as `put` says.
        unsafe { put(device, ordinal) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetName(
    name: *mut c_char,
    length: c_int,
    _device: c_int,
) -> c_uint {
    call("cuDeviceGetName", |_| {
        if (length as usize) <= NAME.len() {
            return Err(Code::INVALID_VALUE);
        }
        // SAFETY: there is room, and the rest is the end of the string.
        unsafe {
            name.cast::<u8>().copy_from_nonoverlapping(NAME.as_ptr(), NAME.len());
            name.add(NAME.len()).write(0);
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetAttribute(
    value: *mut c_int,
    attribute: c_uint,
    _device: c_int,
) -> c_uint {
    call("cuDeviceGetAttribute", |machine| {
        // Those of a Jetson Nano; the numbers of the attributes are cuda.h's.
        let answer = match attribute {
            16 => 1,                             // MULTIPROCESSOR_COUNT
            36 => machine.plan.memory_clock_khz, // MEMORY_CLOCK_RATE
            37 => 64,                            // GLOBAL_MEMORY_BUS_WIDTH, bits
            75 => 5,                             // COMPUTE_CAPABILITY_MAJOR
            76 => 3,                             // COMPUTE_CAPABILITY_MINOR
            _ => 0,
        };
        // SAFETY: as `put` says.
        unsafe { put(value, answer) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceTotalMem_v2(bytes: *mut usize, _device: c_int) -> c_uint {
    // SAFETY: as `put` says.
    call("cuDeviceTotalMem_v2", |machine| unsafe { put(bytes, machine.plan.memory_bytes) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuCtxCreate_v2(
    context: *mut *mut c_void,
    _flags: c_uint,
    _device: c_int,
) -> c_uint {
    call("cuCtxCreate_v2", |machine| {
        // SAFETY: as `put` says.
        machine.open().and_then(|handle| unsafe { put(context, handle as *mut c_void) })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxDestroy_v2(context: *mut c_void) -> c_uint {
    call("cuCtxDestroy_v2", |machine| machine.close(context as u64))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleLoadDataEx(
    module: *mut *mut c_void,
    image: *const c_void,
    _count: c_uint,
    _options: *mut c_uint,
    _values: *mut *mut c_void,
) -> c_uint {
    call("cuModuleLoadDataEx", |machine| {
        // SAFETY: the program gives PTX as a C string.
        let text = unsafe { CStr::from_ptr(image.cast()) }.to_string_lossy();
        // SAFETY: as `put` says.
        machine.load(&text).and_then(|handle| unsafe { put(module, handle as *mut c_void) })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleGetFunction(
    function: *mut *mut c_void,
    module: *mut c_void,
    name: *const c_char,
) -> c_uint {
    call("cuModuleGetFunction", |machine| {
        // SAFETY: the program gives a C string.
        let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
        let found = machine.function(module as u64, &name);
        // SAFETY: as `put` says.
        found.and_then(|handle| unsafe { put(function, handle as *mut c_void) })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuModuleUnload(module: *mut c_void) -> c_uint {
    call("cuModuleUnload", |machine| machine.discard("module", module as u64))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAlloc_v2(pointer: *mut u64, bytes: usize) -> c_uint {
    call("cuMemAlloc_v2", |machine| {
        // SAFETY: as `put` says.
        machine.allocate(bytes).and_then(|address| unsafe { put(pointer, address) })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemFree_v2(pointer: u64) -> c_uint {
    call("cuMemFree_v2", |machine| machine.free(pointer))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAllocHost_v2(pointer: *mut *mut c_void, bytes: usize) -> c_uint {
    call("cuMemAllocHost_v2", |machine| {
        // SAFETY: as `put` says.
        machine.lock(bytes).and_then(|address| unsafe { put(pointer, address as *mut c_void) })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemFreeHost(pointer: *mut c_void) -> c_uint {
    call("cuMemFreeHost", |machine| machine.unlock(pointer as u64))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD8_v2(pointer: u64, value: u8, count: usize) -> c_uint {
    call("cuMemsetD8_v2", |machine| {
        machine.finish_all()?;
        machine.memory.write(pointer, count)?.fill(value);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyHtoD_v2(to: u64, from: *const c_void, bytes: usize) -> c_uint {
    call("cuMemcpyHtoD_v2", |machine| {
        machine.finish_all()?;
        machine.run(Work::FromHost { to, from: from as u64, bytes })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyDtoH_v2(to: *mut c_void, from: u64, bytes: usize) -> c_uint {
    call("cuMemcpyDtoH_v2", |machine| {
        machine.finish_all()?;
        machine.run(Work::ToHost { to: to as u64, from, bytes })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyHtoDAsync_v2(
    to: u64,
    from: *const c_void,
    bytes: usize,
    stream: *mut c_void,
) -> c_uint {
    call("cuMemcpyHtoDAsync_v2", |machine| {
        machine.is_locked(from as u64, bytes)?;
        machine.queue(stream as u64, Work::FromHost { to, from: from as u64, bytes })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyDtoHAsync_v2(
    to: *mut c_void,
    from: u64,
    bytes: usize,
    stream: *mut c_void,
) -> c_uint {
    call("cuMemcpyDtoHAsync_v2", |machine| {
        machine.is_locked(to as u64, bytes)?;
        machine.queue(stream as u64, Work::ToHost { to: to as u64, from, bytes })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyDtoDAsync_v2(
    to: u64,
    from: u64,
    bytes: usize,
    stream: *mut c_void,
) -> c_uint {
    call("cuMemcpyDtoDAsync_v2", |machine| {
        machine.queue(stream as u64, Work::OnDevice { to, from, bytes })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamCreateWithPriority(
    stream: *mut *mut c_void,
    _flags: c_uint,
    _priority: c_int,
) -> c_uint {
    call("cuStreamCreateWithPriority", |machine| {
        // SAFETY: as `put` says.
        machine.add_stream().and_then(|handle| unsafe { put(stream, handle as *mut c_void) })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamDestroy_v2(stream: *mut c_void) -> c_uint {
    call("cuStreamDestroy_v2", |machine| machine.remove_stream(stream as u64))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamSynchronize(stream: *mut c_void) -> c_uint {
    call("cuStreamSynchronize", |machine| machine.finish(stream as u64))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamWaitEvent(
    stream: *mut c_void,
    event: *mut c_void,
    _flags: c_uint,
) -> c_uint {
    call("cuStreamWaitEvent", |machine| machine.wait_for(stream as u64, event as u64))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventCreate(event: *mut *mut c_void, flags: c_uint) -> c_uint {
    call("cuEventCreate", |machine| {
        let is_timed = flags & DISABLE_TIMING == 0;
        // SAFETY: as `put` says.
        machine.add_event(is_timed).and_then(|handle| unsafe { put(event, handle as *mut c_void) })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventDestroy_v2(event: *mut c_void) -> c_uint {
    call("cuEventDestroy_v2", |machine| machine.remove_event(event as u64))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventRecord(event: *mut c_void, stream: *mut c_void) -> c_uint {
    call("cuEventRecord", |machine| machine.record(event as u64, stream as u64))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventElapsedTime(
    milliseconds: *mut f32,
    start: *mut c_void,
    end: *mut c_void,
) -> c_uint {
    call("cuEventElapsedTime", |machine| {
        let elapsed = machine.elapsed_ms(start as u64, end as u64);
        // SAFETY: as `put` says.
        elapsed.and_then(|elapsed| unsafe { put(milliseconds, elapsed) })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuLaunchKernel(
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
    _extra: *mut *mut c_void,
) -> c_uint {
    call("cuLaunchKernel", |machine| {
        if grid_z != 1 || block_z != 1 || shared_bytes != 0 {
            return Err(Code::NOT_SUPPORTED);
        }
        let kernel = machine.kernel(function as u64)?;
        let value = |(k, bytes): (usize, &usize)| {
            let mut value = [0_u8; 8];
            // SAFETY: the program gives an address for every parameter, of as many bytes as that has.
            unsafe {
                let from = arguments.add(k).read().cast::<u8>();
                value.as_mut_ptr().copy_from_nonoverlapping(from, *bytes);
            }
            u64::from_le_bytes(value)
        };
        let values = kernel.parameter_bytes().iter().enumerate().map(value).collect();
        machine.launch(stream as u64, kernel, [grid_x, grid_y], [block_x, block_y], values)
    })
}
