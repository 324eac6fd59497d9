//! Ranks on GPUs under a real mpirun: the same bits as on processors, and a run that goes on when a GPU does not.
//!
//! The driver is the stand-in of `demos/cuda/standin`; every test looks at its reports, so nothing here can pass on the
//! processor unnoticed.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use wire::demo::{Device, Text};

use crate::{
    kiosk::{Kiosk, Said},
    mpirun::{Folder, PROGRAM, mpirun},
};

/// What the stand-in says that it is.
const NAME: &str = "CPU_stand-in_(test_only)";
const STEPS: usize = 12;
/// A grid that no number of ranks or lanes divides.
const SIZE: &str = "47x53";
const CELLS: usize = 47 * 53;

/// A scheme, and how often a step launches each of its kernels on rows that have their neighbours.
type Variant = (&'static [&'static str], &'static [(&'static str, usize)]);

const UPWIND: Variant = (&["--passes", "1"], &[("donor", 1)]);
const BASIC: Variant = (&["--passes", "2"], &[("donor", 1), ("corrected", 1)]);
const LIMITED: Variant =
    (&["--non-oscillatory"], &[("donor", 1), ("velocities", 1), ("limits", 1), ("carried", 1)]);
const SHOWN: Variant = (
    &["--non-oscillatory", "--infinite-gauge"],
    &[("donor", 1), ("velocities", 1), ("limits", 1), ("carried", 1)],
);
const GAUGE: Variant = (&["--infinite-gauge"], &[("donor", 1), ("corrected", 1)]);
const FOUR: Variant =
    (&["--passes", "4"], &[("donor", 1), ("velocities", 2), ("carried", 2), ("corrected", 1)]);
const THREE_LIMITED: Variant = (
    &["--non-oscillatory", "--passes", "3"],
    &[("donor", 1), ("velocities", 2), ("limits", 2), ("carried", 2), ("limited", 1)],
);

/// The stand-in as this machine's driver, for programs that get these variables.
pub struct Driver {
    folder: PathBuf,
    reports: PathBuf,
}

impl Driver {
    pub fn new(folder: &Folder) -> Self {
        let standin = Path::new(PROGRAM).with_file_name("libstandin.so");
        assert!(standin.exists(), "build it first: cargo build --package standin");
        let driver = Self { folder: folder.path("driver"), reports: folder.path("reports") };
        fs::create_dir(&driver.folder).unwrap();
        fs::create_dir(&driver.reports).unwrap();
        symlink(standin, driver.folder.join("libcuda.so.1")).unwrap();
        driver
    }

    pub fn variables(&self, plan: &str) -> [(&'static str, String); 3] {
        [
            ("LD_LIBRARY_PATH", self.folder.display().to_string()),
            ("STANDIN_REPORTS", self.reports.display().to_string()),
            ("STANDIN_PLAN", plan.into()),
        ]
    }

    /// What the stand-in has to say of every process that opened it.
    pub fn reports(&self) -> Vec<String> {
        let files = fs::read_dir(&self.reports).unwrap();
        files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }
}

/// A run that has ended.
struct Run {
    field: Vec<u8>,
    line: String,
    said: String,
    success: bool,
    reports: Vec<String>,
}

/// Some steps of the swirl with a rank on each of `devices`.
fn run(devices: &[&str], precision: &str, variant: &[&str], plan: &str) -> Run {
    let folder = Folder::new();
    let driver = Driver::new(&folder);
    let output = folder.path("out.npy");
    let steps = STEPS.to_string();
    let mut command: Command = mpirun(1, &folder);
    for (k, device) in devices.iter().enumerate() {
        if k != 0 {
            command.args([":", "-n", "1", PROGRAM]);
        }
        command.args(["--headless", "--size", SIZE, "--steps", &steps, "--device", device]);
        command.args(["--initial", "board", "--flow", "swirl", "--precision", precision]);
        command.args(variant).arg("--output").arg(&output);
    }
    let Output { status, stdout, stderr } = command.envs(driver.variables(plan)).output().unwrap();
    Run {
        field: fs::read(output).unwrap_or_default(),
        line: String::from_utf8(stdout).unwrap(),
        said: String::from_utf8_lossy(&stderr).into_owned(),
        success: status.success(),
        reports: driver.reports(),
    }
}

/// The field that one processor computes.
fn expected(precision: &str, variant: &[&str]) -> Vec<u8> {
    let Run { field, reports, .. } = run(&["cpu"], precision, variant, "");
    assert_eq!(field.len(), 128 + CELLS * if precision == "f32" { 4 } else { 8 });
    assert!(reports.is_empty(), "the processor asks no driver");
    field
}

#[track_caller]
fn computes_the_same(devices: &[&str], precision: &str, variant: Variant) {
    computes_the_same_with(devices, precision, variant, "");
}

#[track_caller]
fn computes_the_same_with(
    devices: &[&str],
    precision: &str,
    (variant, launches): Variant,
    plan: &str,
) {
    let context = format!("{devices:?} {precision} {variant:?} {plan}");
    let want = expected(precision, variant);
    let Run { field, line, said, reports, .. } = run(devices, precision, variant, plan);
    assert_eq!(said, "", "{context}");
    assert!(field == want, "{context}: other bits");
    let gpus = devices.iter().filter(|device| **device == "gpu").count();
    assert!(line.contains(&format!(" gpus={gpus} gpu={NAME} ")), "{context}: {line}");
    assert_eq!(reports.len(), gpus, "{context}");
    // The interior, and the rows on either side that wait for the halo.
    let sweeps = if devices.len() == 1 { 1 } else { 3 };
    let how = if plan.contains("host=") { "host-built " } else { "" };
    let mut want: Vec<String> = launches
        .iter()
        .map(|(kernel, count)| {
            format!("launch {how}{kernel}_{precision} {}", STEPS * sweeps * count)
        })
        .collect();
    want.sort();
    for report in reports {
        assert_eq!(report.lines().collect::<Vec<_>>(), want, "{context}");
    }
}

#[test]
fn up_to_four_gpus_compute_the_bits_of_a_processor() {
    for ranks in 1..=4 {
        for variant in [UPWIND, BASIC, SHOWN] {
            computes_the_same(&["gpu"; 4][..ranks], "f32", variant);
        }
    }
}

#[test]
fn every_option_computes_the_bits_of_a_processor() {
    for ranks in [1, 2] {
        for variant in [GAUGE, LIMITED, FOUR, THREE_LIMITED] {
            computes_the_same(&["gpu"; 4][..ranks], "f32", variant);
        }
        for variant in [BASIC, SHOWN] {
            computes_the_same(&["gpu"; 4][..ranks], "f64", variant);
        }
    }
}

#[test]
fn ranks_with_and_without_a_gpu_share_a_run() {
    for devices in [&["gpu", "cpu"][..], &["cpu", "gpu", "cpu"], &["gpu", "cpu", "gpu", "gpu"]] {
        for variant in [UPWIND, BASIC, SHOWN] {
            computes_the_same(devices, "f32", variant);
        }
    }
}

/// The plan with the kernels as this machine's own compiler makes them.
fn host_built() -> String {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/kernels/mpdata.cu");
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libmpdata_host.so");
    let mut command = Command::new("c++");
    command.args(["-x", "c++", "-std=c++17", "-O2", "-ffp-contract=off", "-Wall", "-Werror"]);
    command.args(["-D", "FOR_THE_HOST", "-shared", "-fPIC", "-o"]).arg(&library).arg(source);
    let Output { status, stderr, .. } = command.output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    format!("host={}", library.display())
}

#[test]
fn kernels_that_another_compiler_made_for_the_processor_compute_the_same_bits() {
    let plan = host_built();
    for variant in [UPWIND, BASIC, SHOWN, GAUGE, LIMITED, FOUR, THREE_LIMITED] {
        for devices in [&["gpu"][..], &["gpu", "gpu"], &["gpu", "cpu", "gpu"], &["gpu"; 4]] {
            computes_the_same_with(devices, "f32", variant, &plan);
        }
        computes_the_same_with(&["gpu", "gpu"], "f64", variant, &plan);
    }
}

#[test]
fn whichever_stream_is_early_the_bits_are_the_same() {
    for plan in ["hurry=1", "hurry=2"] {
        for variant in [BASIC, SHOWN] {
            computes_the_same_with(&["gpu", "cpu", "gpu"], "f32", variant, plan);
        }
    }
}

#[test]
fn a_gpu_that_fails_midway_costs_a_sentence_and_no_bit() {
    let want = expected("f32", SHOWN.0);
    let failures = [
        ("cuLaunchKernel:40:719", "the GPU does not start the kernel"),
        ("cuStreamSynchronize:7:700", "the GPU's work failed: IllegalAddress (CUDA error 700)"),
        ("cuMemcpyDtoHAsync_v2:9:719", "cannot be copied to or from the GPU: LaunchFailed"),
        ("cuMemcpyHtoDAsync_v2:9:719", "cannot be copied to or from the GPU: LaunchFailed"),
        ("cuEventRecord:10:719", "the GPU offers no event: LaunchFailed"),
        ("cuStreamWaitEvent:11:719", "the GPU offers no event: LaunchFailed"),
        // When the field is fetched.
        ("cuMemcpyDtoH_v2:1:719", "cannot be copied to or from the GPU: LaunchFailed"),
    ];
    for (failure, words) in failures {
        let plan = format!("fail={failure}");
        for devices in [&["gpu", "cpu"][..], &["cpu", "gpu", "gpu"]] {
            let Run { field, line, said, success, reports } = run(devices, "f32", SHOWN.0, &plan);
            assert!(success && field == want, "{failure}: {said}");
            assert!(said.contains(words), "{failure}: {said}");
            assert!(said.contains("; the processor goes on"), "{failure}: {said}");
            assert!(line.contains(" gpus=0 gpu=none "), "{failure}: {line}");
            for report in reports {
                assert!(report.contains("note failed as planned"), "{failure}: {report}");
                assert!(!report.contains("open"), "{failure}: {report}");
            }
        }
    }
}

#[test]
fn a_gpu_that_cannot_be_had_is_an_error_only_where_it_was_asked_for() {
    let want = expected("f32", BASIC.0);
    let refusals =
        ["cuInit:1:999", "cuDeviceGet:1:101", "cuCtxCreate_v2:1:46", "cuModuleLoadDataEx:1:218"];
    let refusals = refusals.iter().map(|failure| format!("fail={failure}"));
    // Every piece of memory that is set aside, until there are no more.
    let memory = (1..=12).map(|nth| format!("fail=cuMemAlloc_v2:{nth}:2"));
    let locked = (1..=4).map(|nth| format!("fail=cuMemAllocHost_v2:{nth}:2"));
    for plan in refusals.chain(memory).chain(locked) {
        let Run { field, said, success, reports, line } = run(&["auto"], "f32", BASIC.0, &plan);
        assert!(success && field == want, "{plan}: {said}");
        assert!(said.contains("; the processor computes"), "{plan}: {said}");
        assert!(line.contains(" gpus=0 gpu=none "), "{plan}: {line}");
        assert!(reports.iter().all(|report| !report.contains("open")), "{plan}: {reports:?}");
    }
    let Run { said, success, .. } = run(&["gpu"], "f32", BASIC.0, "fail=cuMemAlloc_v2:1:2");
    assert!(!success && said.contains("--device gpu cannot be had: the GPU cannot set"), "{said}");
}

#[test]
fn without_a_device_the_processor_computes_and_nothing_is_said() {
    let Run { field, said, .. } = run(&["auto", "auto"], "f32", BASIC.0, "devices=0");
    assert_eq!(said, "");
    assert!(field == expected("f32", BASIC.0));
    let Run { said, success, .. } = run(&["gpu"], "f32", BASIC.0, "devices=0");
    assert!(!success && said.contains("--device gpu cannot be had"), "{said}");
}

fn start(ranks: usize, plan: &str) -> (Kiosk, Driver, Folder) {
    let folder = Folder::new();
    let driver = Driver::new(&folder);
    let variables = driver.variables(plan);
    let more: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let kiosk = Kiosk::start_with(ranks, (80, 40), &more, &["--device", "auto"]);
    (kiosk, driver, folder)
}

#[test]
fn on_the_screen_ranks_are_gpus_and_the_picture_is_painted_there() {
    let (mut kiosk, driver, _folder) = start(2, "");
    assert!(kiosk.hello.ranks.iter().all(|rank| rank.device == Device::Gpu));
    let step = |said| match said {
        Said::Frame(header, pixels) if 3 < header.step => Some((header.step, pixels)),
        _ => None,
    };
    let (reached, pixels) = kiosk.until(step);
    assert!(0 < reached && pixels.iter().any(|pixel| 100 < *pixel));
    kiosk.say(&wire::kiosk::Command::Stop);
    kiosk.ends();
    for report in driver.reports() {
        for kernel in ["donor", "velocities", "limits", "carried", "painted"] {
            assert!(report.contains(&format!("launch {kernel}_f32 ")), "{kernel}: {report}");
        }
        assert!(!report.contains("note") && !report.contains("open"), "{report}");
    }
}

#[test]
fn on_the_screen_a_gpu_that_fails_is_told_and_the_run_goes_on() {
    let (mut kiosk, driver, _folder) = start(2, "fail=cuLaunchKernel:50:719");
    let sentences =
        |Text { sentences }: Text| sentences.into_iter().map(|(_, said)| said).collect();
    let told: Vec<String> = kiosk.until(|said| match said {
        Said::Text(text) => Some(sentences(text)),
        _ => None,
    });
    assert_eq!(
        told,
        [
            "Karta graficzna zawiodła: liczy procesor.",
            "A graphics chip has failed: the processor computes."
        ]
    );
    let (first, _) = kiosk.frame();
    kiosk.until(|said| match said {
        Said::Frame(header, _) if first.step + 20 < header.step => Some(()),
        _ => None,
    });
    kiosk.say(&wire::kiosk::Command::Stop);
    kiosk.ends();
    for report in driver.reports() {
        assert!(report.contains("failed as planned") && !report.contains("open"), "{report}");
    }
}
