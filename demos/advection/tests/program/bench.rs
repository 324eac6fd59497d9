//! `advection bench` against the stand-in for NVIDIA's driver: every figure is there, and what was launched is what is told.

use std::process::{Command, Output};

use serde_json::Value;

use crate::{
    gpu::Driver,
    mpirun::{Folder, PROGRAM, mpirun},
};

/// As little as can be measured: the stand-in is slow.
const QUICK: [&str; 7] = ["bench", "--size", "20x24", "--seconds", "0", "--repeats", "2"];
const CELLS: f64 = 20.0 * 24.0;

struct Run {
    figures: Value,
    said: String,
    code: Option<i32>,
    reports: Vec<String>,
}

fn run(plan: &str, more: &[&str]) -> Run {
    let folder = Folder::new();
    let driver = Driver::new(&folder);
    let mut command = Command::new(PROGRAM);
    command.args(QUICK).args(more).envs(driver.variables(plan)).env("TMPDIR", folder.path(""));
    let Output { status, stdout, stderr } = command.output().unwrap();
    Run {
        figures: serde_json::from_slice(&stdout).unwrap_or(Value::Null),
        said: String::from_utf8(stderr).unwrap(),
        code: status.code(),
        reports: driver.reports(),
    }
}

fn close(a: &Value, b: f64) -> bool {
    // Three decimals are told.
    (a.as_f64().unwrap() - b).abs() <= 1e-3 * b.abs() + 2e-3
}

#[test]
fn every_kernel_and_every_step_is_measured_on_the_gpu_that_is_named() {
    let Run { figures, said, code, reports } = run("", &["--peak-gb-s", "0.1", "--device", "gpu"]);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(figures["processor"].is_null());
    let gpu = &figures["gpu"];
    assert_eq!(gpu["name"], "CPU stand-in (test only)");
    assert_eq!(gpu["compute_capability"], "5.3");
    assert_eq!(gpu["driver_cuda"], "10.2");
    assert_eq!(gpu["peak_origin"], "--peak-gb-s");

    // One step to see how long it takes and two that are measured; twice as many launches as fill the GPU's clock.
    let (steps, profiled) = (3, 2 * 20);
    let launches = |schemes: usize| schemes * (steps + profiled);
    let want = [
        ("carried", launches(1)),
        ("corrected", launches(1)),
        ("donor", launches(3)),
        ("limits", launches(1)),
        ("painted", 3 * profiled),
        ("velocities", launches(1)),
    ];
    let want: Vec<String> =
        want.iter().map(|(kernel, count)| format!("launch {kernel}_f32 {count}")).collect();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].lines().collect::<Vec<_>>(), want);

    let list = |key: &str, of: &str| -> Vec<String> {
        let entries = gpu[key].as_array().unwrap();
        entries.iter().map(|entry| entry[of].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(list("steps", "scheme"), ["upwind", "two passes", "limited, infinite gauge"]);
    let kernels = "donor painted donor corrected painted donor velocities limits carried painted";
    let kernels: Vec<String> = kernels.split(' ').map(|name| format!("{name}_f32")).collect();
    assert_eq!(list("kernels", "kernel"), kernels);
    let bytes: Vec<u64> = gpu["steps"].as_array().unwrap().iter().map(bytes_per_cell).collect();
    assert_eq!(bytes, [16, 32, 16 + 20 + 24 + 24], "as the README counts them");
    let bytes: Vec<u64> = gpu["kernels"].as_array().unwrap().iter().map(bytes_per_cell).collect();
    assert_eq!(bytes, [16, 5, 16, 16, 5, 16, 20, 24, 24, 5]);
    for figure in gpu["steps"].as_array().unwrap().iter().chain(gpu["kernels"].as_array().unwrap())
    {
        let rate = figure["mcell_updates_per_s"].as_f64().unwrap();
        assert!(0.0 < rate, "{figure}");
        let bandwidth = rate * bytes_per_cell(figure) as f64 * 1e-3;
        assert!(close(&figure["bandwidth_gb_per_s"], bandwidth), "{figure}");
        assert!(close(&figure["share_of_peak"], bandwidth / 0.1), "{figure}");
    }
    for kernel in gpu["kernels"].as_array().unwrap() {
        // A row of the velocities is a row of faces, and rows beyond the grid are computed for the passes that follow.
        let cells =
            kernel["mcell_updates_per_s"].as_f64().unwrap() * kernel["launch_us"].as_f64().unwrap();
        assert!((0.99 * CELLS..1.5 * CELLS).contains(&cells), "{kernel}");
    }
}

fn bytes_per_cell(figure: &Value) -> u64 {
    figure["bytes_per_cell"].as_u64().unwrap()
}

#[test]
fn the_processor_is_measured_on_one_core_and_on_all() {
    let Run { figures, said, code, reports } = run("", &["--device", "cpu"]);
    assert_eq!((code, said.as_str(), reports.len()), (Some(0), "", 0));
    assert_eq!(figures["gpu_missing"], "only the processor was asked for");
    let cores = figures["cores"].as_u64().unwrap();
    let steps = figures["processor"]["steps"].as_array().unwrap();
    assert_eq!(steps.len(), if cores == 1 { 6 } else { 12 });
    assert_eq!((&steps[0]["threads"], &steps[0]["precision"]), (&1.into(), &"f32".into()));
    let copy = &figures["processor"]["copy_gb_per_s_one_core"];
    let (mut bytes, copy) = (Vec::new(), copy.as_f64().unwrap());
    for step in &steps[..6] {
        bytes.push(bytes_per_cell(step));
        let rate = step["mcell_updates_per_s"].as_f64().unwrap();
        let bandwidth = rate * bytes_per_cell(step) as f64 * 1e-3;
        assert!(close(&step["bandwidth_gb_per_s"], bandwidth), "{step}");
        assert!(close(&step["share_of_copy"], bandwidth / copy), "{step}");
    }
    assert_eq!(bytes, [16, 32, 16, 32, 16, 32], "four numbers of either kind");
}

#[test]
fn a_peak_that_copies_surpass_is_none() {
    // As on some Jetsons, whose driver says 13 MHz and means another clock: 0.208 GB/s. Here still less.
    let Run { figures, .. } = run("clock=13", &["--device", "gpu"]);
    assert!(figures["gpu"]["peak_gb_per_s"].is_null());
    let why = figures["gpu"]["peak_origin"].as_str().unwrap();
    assert!(why.contains("less than copies get, so it is wrong"), "{why}");
    assert!(figures["gpu"]["steps"][0]["share_of_peak"].is_null());
    assert!(0.0 < figures["gpu"]["steps"][0]["share_of_copy"].as_f64().unwrap());
}

#[test]
fn a_gpu_that_is_not_there_or_fails_is_a_sentence_beside_the_processors_figures() {
    let failures = [
        ("devices=0", "NoDevice"),
        (
            "fail=cuLaunchKernel:90:719",
            "two passes on 20x24 cells: the GPU does not start the kernel",
        ),
        ("fail=cuEventElapsedTime:3:719", "the GPU offers no event: LaunchFailed"),
        ("memory=10000", "the GPU cannot set"),
    ];
    for (plan, words) in failures {
        let Run { figures, code, .. } = run(plan, &[]);
        assert_eq!(code, Some(0), "{plan}");
        assert!(figures["gpu"].is_null(), "{plan}");
        let missing = figures["gpu_missing"].as_str().unwrap();
        assert!(missing.contains(words), "{plan}: {missing}");
        assert!(figures["processor"]["steps"].is_array(), "{plan}");
        let Run { said, code, .. } = run(plan, &["--device", "gpu"]);
        assert_eq!(code, Some(2), "{plan}");
        assert!(said.contains(&format!("--device gpu cannot be had: {missing}")), "{said}");
    }
}

#[test]
fn several_ranks_are_sent_away() {
    let folder = Folder::new();
    let Output { status, stderr, .. } = mpirun(2, &folder).args(QUICK).output().unwrap();
    let said = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(2), "{said}");
    assert!(said.contains("bench measures one computer by itself"), "{said}");
}
