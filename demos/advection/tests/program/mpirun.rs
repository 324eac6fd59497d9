//! Starts the program under mpirun, quietly, and looks after it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_advection");

/// What mpirun needs to keep silent, as root, with more ranks than cores.
const QUIET: [(&str, &str); 8] = [
    ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
    ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
    ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
    ("OMPI_MCA_hwloc_base_binding_policy", "none"),
    ("OMPI_MCA_mpi_yield_when_idle", "1"),
    ("OMPI_MCA_pml", "ob1"),
    ("OMPI_MCA_btl", "self,vader,tcp"),
    ("OMPI_MCA_btl_vader_single_copy_mechanism", "none"),
];

/// A folder that goes when the test ends; Open MPI keeps its own files there too.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("adv-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `mpirun -n RANKS advection`, with nothing of a kiosk in its environment.
pub fn mpirun(ranks: usize, folder: &Folder) -> Command {
    let mut command = Command::new("mpirun");
    command.args(["-n", &ranks.to_string(), PROGRAM]);
    command.envs(QUIET).env("TMPDIR", &folder.0).current_dir(&folder.0);
    // Otherwise a killed run would leave its shared memory in /dev/shm.
    command.env("OMPI_MCA_btl_vader_backing_directory", &folder.0);
    for variable in ["HPC_KIOSK_CHANNEL", "HPC_KIOSK_TOKEN", "HPC_KIOSK_CANVAS"] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs the solver to its end.
pub fn solve(ranks: usize, folder: &Folder, arguments: &[&str]) -> Output {
    mpirun(ranks, folder).arg("--headless").args(arguments).output().unwrap()
}

/// Runs the solver, which must succeed; its one line.
#[track_caller]
pub fn solved(ranks: usize, folder: &Folder, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = solve(ranks, folder, arguments);
    let (out, err) =
        (String::from_utf8(stdout).unwrap(), String::from_utf8_lossy(&stderr).into_owned());
    assert!(status.success(), "{arguments:?}: {err}");
    assert_eq!(err, "", "{arguments:?}");
    assert_eq!(out.lines().count(), 1, "{out}");
    out
}

/// Waits for a process with a deadline; kills it when that has passed.
#[track_caller]
pub fn ends(child: &mut Child, deadline: Duration) -> ExitStatus {
    let until = Instant::now() + deadline;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if until < Instant::now() {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("mpirun is still there after {deadline:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The processes that have `text` in their environment.
pub fn processes_with(text: &str) -> Vec<String> {
    let has = |process: &Path| {
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        environment.windows(text.len()).any(|window| window == text.as_bytes())
    };
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| has(path))
        .map(|path| path.display().to_string())
        .collect()
}
