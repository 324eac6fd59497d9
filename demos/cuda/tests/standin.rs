//! The crate against the stand-in driver: what works, what fails and how that is said, and what the stand-in catches.

#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where something is not as it should be; the stand-in is told what to do by C functions"
)]

use std::{
    ffi::{CString, c_char},
    path::PathBuf,
};

use cuda::{Buffer, Error, Event, Facts, Gpu, In, Kernel, Locked, Module, Out, Stream, arguments};
use libloading::Library;

const PTX: &str = include_str!("kernels/defects.ptx");
const N: usize = 100;

arguments! {
    /// Those of all kernels here.
    pub struct FromTo<'a, T> {
        /// Read.
        from: In<'a, T>,
        /// Written.
        to: Out<'a, T>,
        /// How many.
        n: u32,
    }
}

arguments! {
    /// Not those of a kernel here.
    pub struct Wrong<'a, T> {
        /// Read.
        from: In<'a, T>,
        /// Not how many.
        n: T,
    }
}

/// The stand-in in the driver's place, made anew for this thread.
struct Standin(Library);

impl Standin {
    /// `plan` is described in `standin/plan.rs`.
    fn new(plan: &str) -> Self {
        let deps = std::env::current_exe().unwrap().parent().unwrap().to_owned();
        let path: PathBuf = deps.parent().unwrap().join("libstandin.so");
        assert!(path.exists(), "build it first: cargo build --package standin");
        // SAFETY: a library of ours. It has the driver's own name, so whoever asks for that gets it.
        let standin = Self(unsafe { Library::new(path) }.unwrap());
        let plan = CString::new(plan).unwrap();
        // SAFETY: the function's own signature.
        unsafe {
            let set =
                standin.0.get::<unsafe extern "C" fn(*const c_char)>(b"standin_plan\0").unwrap();
            set(plan.as_ptr());
        }
        standin
    }

    /// What happened on this thread.
    fn report(&self) -> String {
        let mut text = vec![0_u8; 1 << 16];
        // SAFETY: the function's own signature, and there is room.
        let length = unsafe {
            let report =
                self.0.get::<unsafe extern "C" fn(*mut u8, usize) -> usize>(b"standin_report\0");
            report.unwrap()(text.as_mut_ptr(), text.len())
        };
        text.truncate(length);
        String::from_utf8(text).unwrap()
    }
}

/// Everything that a small program needs.
struct Program {
    from: Buffer<f32>,
    to: Buffer<f32>,
    numbers: Locked<f32>,
    first: Stream,
    second: Stream,
    event: Event,
    gpu: Gpu,
}

impl Program {
    fn new() -> Result<Self, Error> {
        let gpu = Gpu::open(0)?;
        let mut from = Buffer::zeroed(&gpu, N)?;
        from.upload(&[1.5; N])?;
        Ok(Self {
            from,
            to: Buffer::zeroed(&gpu, N)?,
            numbers: Locked::zeroed(&gpu, N)?,
            first: Stream::new(&gpu)?,
            second: Stream::new(&gpu)?,
            event: Event::new(&gpu)?,
            gpu,
        })
    }

    fn kernel(&self, name: &str) -> Result<Kernel<FromTo<'static, f32>>, Error> {
        Module::load(&self.gpu, PTX)?.kernel::<FromTo<'_, f32>>(name)
    }

    /// Queues a kernel in the first stream.
    fn launch(&mut self, name: &str) -> Result<(), Error> {
        let kernel = self.kernel(name)?;
        let arguments = FromTo { from: self.from.read(), to: self.to.write(), n: N as u32 };
        kernel.launch(&self.first, (N as u32, 1), (32, 1), &arguments)
    }

    /// Everything that a run of a demo asks of the driver.
    fn run(&mut self) -> Result<Vec<f32>, Error> {
        self.launch("twice_f32")?;
        self.event.record(&self.first)?;
        self.second.wait_for(&self.event)?;
        self.to.fetch(0, &mut self.numbers, N, &self.second)?;
        self.second.wait()?;
        self.to.repeat(0..10, 20, &self.first)?;
        self.from.send(0, &self.numbers, N, &self.first)?;
        self.first.wait()?;
        let mut all = vec![0.0; N];
        self.from.download(&mut all)?;
        Ok(all)
    }
}

fn small_program() -> Result<Vec<f32>, Error> {
    Program::new()?.run()
}

#[test]
fn a_kernel_computes_and_is_counted() {
    let standin = Standin::new("");
    let mut program = Program::new().unwrap();
    assert_eq!(program.gpu.name(), "CPU stand-in (test only)");
    assert_eq!(program.run().unwrap(), [3.0; N]);
    assert_eq!(standin.report(), "launch twice_f32 1\nopen\n");
    drop(program);
    assert_eq!(standin.report(), "launch twice_f32 1\n", "everything is given back");
}

#[test]
fn the_time_between_two_moments_is_that_of_the_work_between_them() {
    let _standin = Standin::new("");
    let mut program = Program::new().unwrap();
    let [begin, end] = [(); 2].map(|()| Event::timed(&program.gpu).unwrap());
    let clock = std::time::Instant::now();
    begin.record(&program.first).unwrap();
    program.launch("twice_f32").unwrap();
    end.record(&program.first).unwrap();
    let early = end.seconds_since(&begin).err().unwrap().to_string();
    assert_eq!(early, "the GPU offers no event: InvalidHandle (CUDA error 400)", "nothing ran yet");
    program.first.wait().unwrap();
    let seconds = end.seconds_since(&begin).unwrap();
    assert!(0.0 < seconds && seconds < clock.elapsed().as_secs_f64(), "{seconds}");
    begin.record(&program.first).unwrap();
    let early = end.seconds_since(&begin).err().unwrap().to_string();
    assert_eq!(early, "the GPU offers no event: NotReady (CUDA error 600)", "queued anew");
    let untimed = end.seconds_since(&program.event).err().unwrap().to_string();
    assert_eq!(untimed, "the GPU offers no event: InvalidHandle (CUDA error 400)");
}

#[test]
fn the_driver_says_what_device_it_has() {
    let _standin = Standin::new("memory=4000000000");
    let facts = Gpu::open(0).unwrap().facts().unwrap();
    let nano = Facts {
        driver: (10, 2),
        compute_capability: (5, 3),
        multiprocessors: 1,
        memory_bytes: 4_000_000_000,
        // 1600 MHz, two transfers, 64 bit.
        memory_bytes_per_s: 25_600_000_000,
    };
    assert_eq!(facts, nano);
    for call in ["cuDriverGetVersion", "cuDeviceGetAttribute", "cuDeviceTotalMem_v2"] {
        let _standin = Standin::new(&format!("fail={call}:1:101"));
        let error = Gpu::open(0).unwrap().facts().err().unwrap().to_string();
        assert_eq!(error, "the GPU does not answer: InvalidDevice (CUDA error 101)", "{call}");
    }
}

#[test]
fn a_kernel_cannot_be_had_with_other_arguments() {
    let _standin = Standin::new("");
    let gpu = Gpu::open(0).unwrap();
    let module = Module::load(&gpu, PTX).unwrap();
    let error = module.kernel::<Wrong<'_, f32>>("twice_f32").err().unwrap().to_string();
    assert_eq!(error, "the kernel twice_f32 takes u64 u64 u32, not u64 f32");
    let error = module.kernel::<FromTo<'_, f32>>("thrice_f32").err().unwrap().to_string();
    assert_eq!(error, "the kernels have none named thrice_f32");
}

#[test]
fn ptx_that_is_too_new_for_a_jetson_nano_is_refused() {
    let standin = Standin::new("");
    let gpu = Gpu::open(0).unwrap();
    let error = Module::load(&gpu, ".version 7.8\n.target sm_53\n").err().unwrap();
    let said = "the GPU does not take the program's kernels: InvalidPtx (CUDA error 218)";
    assert_eq!(error.to_string(), said);
    assert!(standin.report().contains("PTX 7.8 is newer"), "{}", standin.report());
}

/// Every driver call of a run, what it answers when it fails, and what is said then.
const FAILURES: &[(&str, u32, u32, &str)] = &[
    ("cuInit", 1, 999, "the NVIDIA driver does not start: UnknownError (CUDA error 999)"),
    ("cuInit", 1, 46, "the NVIDIA driver does not start: UnknownError (CUDA error 999)"),
    ("cuDeviceGetCount", 1, 3, "the GPU does not answer: NotInitialized (CUDA error 3)"),
    ("cuDeviceGet", 1, 101, "the GPU does not answer: InvalidDevice (CUDA error 101)"),
    ("cuDeviceGetName", 1, 101, "the GPU does not answer: InvalidDevice (CUDA error 101)"),
    ("cuCtxCreate_v2", 1, 2, "the GPU lets nobody in: OutOfMemory (CUDA error 2)"),
    ("cuMemAlloc_v2", 1, 2, "the GPU cannot set 0.0 MB aside: OutOfMemory (CUDA error 2)"),
    ("cuMemAlloc_v2", 2, 2, "the GPU cannot set 0.0 MB aside: OutOfMemory (CUDA error 2)"),
    ("cuMemsetD8_v2", 1, 719, "the GPU cannot set 0.0 MB aside: LaunchFailed (CUDA error 719)"),
    ("cuMemAllocHost_v2", 1, 2, "0.0 MB cannot be locked for the GPU: OutOfMemory (CUDA error 2)"),
    (
        "cuMemcpyHtoD_v2",
        1,
        700,
        "0.0 MB cannot be copied to or from the GPU: IllegalAddress (CUDA error 700)",
    ),
    ("cuStreamCreateWithPriority", 2, 2, "the GPU offers no stream: OutOfMemory (CUDA error 2)"),
    ("cuEventCreate", 1, 2, "the GPU offers no event: OutOfMemory (CUDA error 2)"),
    (
        "cuModuleLoadDataEx",
        1,
        218,
        "the GPU does not take the program's kernels: InvalidPtx (CUDA error 218)",
    ),
    (
        "cuModuleGetFunction",
        1,
        500,
        "the kernels have none named twice_f32: NotFound (CUDA error 500)",
    ),
    (
        "cuLaunchKernel",
        1,
        719,
        "the GPU does not start the kernel twice_f32: LaunchFailed (CUDA error 719)",
    ),
    ("cuEventRecord", 1, 400, "the GPU offers no event: InvalidHandle (CUDA error 400)"),
    ("cuStreamWaitEvent", 1, 400, "the GPU offers no event: InvalidHandle (CUDA error 400)"),
    (
        "cuMemcpyDtoHAsync_v2",
        1,
        700,
        "0.0 MB cannot be copied to or from the GPU: IllegalAddress (CUDA error 700)",
    ),
    (
        "cuMemcpyDtoDAsync_v2",
        1,
        1,
        "0.0 MB cannot be copied to or from the GPU: InvalidValue (CUDA error 1)",
    ),
    (
        "cuMemcpyHtoDAsync_v2",
        1,
        1,
        "0.0 MB cannot be copied to or from the GPU: InvalidValue (CUDA error 1)",
    ),
    ("cuStreamSynchronize", 1, 719, "the GPU's work failed: LaunchFailed (CUDA error 719)"),
    (
        "cuMemcpyDtoH_v2",
        1,
        719,
        "0.0 MB cannot be copied to or from the GPU: LaunchFailed (CUDA error 719)",
    ),
];

#[test]
fn every_call_that_fails_is_named_and_the_context_is_given_back() {
    for (call, nth, code, said) in FAILURES {
        let standin = Standin::new(&format!("fail={call}:{nth}:{code}"));
        let error = small_program().err().unwrap_or_else(|| panic!("{call} does not fail"));
        assert_eq!(error.to_string(), *said, "{call}");
        let report = standin.report();
        assert!(report.contains(&format!("failed as planned: {call}")), "{report}");
        assert!(!report.contains("open"), "{call}: {report}");
    }
}

#[test]
fn no_device_is_an_absence_and_no_fault() {
    let _standin = Standin::new("devices=0");
    let error = Gpu::open(0).err().unwrap();
    assert!(error.is_absence() && !error.is_out_of_memory(), "{error}");
}

#[test]
fn too_little_memory_is_said_with_how_much_was_wanted() {
    let _standin = Standin::new("memory=4000000");
    let gpu = Gpu::open(0).unwrap();
    let _first = Buffer::<f32>::zeroed(&gpu, 600_000).unwrap();
    let error = Buffer::<f32>::zeroed(&gpu, 600_000).err().unwrap();
    assert!(error.is_out_of_memory() && !error.is_absence());
    assert_eq!(error.to_string(), "the GPU cannot set 2.4 MB aside: OutOfMemory (CUDA error 2)");
}

#[test]
fn after_a_lost_context_every_call_fails_alike() {
    let _standin = Standin::new("fail=cuLaunchKernel:1:719");
    let mut program = Program::new().unwrap();
    assert!(program.launch("twice_f32").is_err());
    let error = program.to.download(&mut [0.0; N]).err().unwrap().to_string();
    assert!(error.ends_with("LaunchFailed (CUDA error 719)"), "{error}");
}

#[test]
fn planted_a_write_out_of_bounds_is_caught() {
    let standin = Standin::new("");
    let mut program = Program::new().unwrap();
    program.launch("beyond_f32").unwrap();
    let error = program.first.wait().err().unwrap().to_string();
    assert_eq!(error, "the GPU's work failed: IllegalAddress (CUDA error 700)");
    let report = standin.report();
    // Of 128 threads the 101st is the fifth of the last block.
    assert!(report.contains("out of bounds in block [3, 0] thread [4, 0]"), "{report}");
}

#[test]
fn planted_a_race_is_caught() {
    let standin = Standin::new("");
    let mut program = Program::new().unwrap();
    program.launch("race_f32").unwrap();
    assert!(program.first.wait().is_err());
    assert!(standin.report().contains("races with another thread"), "{}", standin.report());
}

#[test]
fn planted_a_missing_wait_of_the_host_is_caught() {
    let _standin = Standin::new("");
    let mut program = Program::new().unwrap();
    program.launch("twice_f32").unwrap();
    program.to.fetch(0, &mut program.numbers, N, &program.first).unwrap();
    assert_ne!(*program.numbers, [3.0; N], "nobody has waited yet");
    program.first.wait().unwrap();
    assert_eq!(*program.numbers, [3.0; N]);
}

#[test]
fn planted_a_missing_event_between_streams_is_caught() {
    // What a kernel writes is copied away by another stream.
    let _standin = Standin::new("");
    for ordered in [false, true] {
        let mut program = Program::new().unwrap();
        program.launch("twice_f32").unwrap();
        program.event.record(&program.first).unwrap();
        if ordered {
            program.second.wait_for(&program.event).unwrap();
        }
        program.to.fetch(0, &mut program.numbers, N, &program.second).unwrap();
        program.second.wait().unwrap();
        assert_eq!(*program.numbers == [3.0; N], ordered);
    }
    // What another stream brings is read by a kernel, which is in a hurry.
    let _standin = Standin::new("hurry=1");
    for ordered in [false, true] {
        let mut program = Program::new().unwrap();
        program.numbers.fill(0.25);
        program.from.send(0, &program.numbers, N, &program.second).unwrap();
        program.event.record(&program.second).unwrap();
        if ordered {
            program.first.wait_for(&program.event).unwrap();
        }
        program.launch("twice_f32").unwrap();
        let mut all = [0.0; N];
        program.to.download(&mut all).unwrap();
        assert_eq!(all == [0.5; N], ordered);
    }
}

#[test]
fn planted_a_leak_is_caught() {
    let standin = Standin::new("");
    std::mem::forget(Program::new().unwrap().from);
    assert_eq!(standin.report(), "open\n", "the context is still held by what was forgotten");
}
