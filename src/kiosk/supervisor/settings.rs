//! What the supervisor must know of this machine and of its owner's wishes.

use std::{
    collections::BTreeMap,
    env,
    net::IpAddr,
    path::{Path, PathBuf},
    thread,
};

use crate::config::Config;

/// The program that owns each run; it lies beside this one.
const WARDEN: &str = "hpc-kiosk-warden";

/// What the supervisor must know of this machine and of its owner's wishes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program `hpc-kiosk-warden`.
    pub warden: PathBuf,
    /// Where a demo's program is looked for if it is not in the demo's folder.
    pub programs: PathBuf,
    /// Open MPI's launcher: a path, or a name to be found in `PATH`.
    pub mpirun: PathBuf,
    /// Further settings of Open MPI; they win over ours.
    pub mca: BTreeMap<String, String>,
    /// Most ranks of a run.
    pub most_ranks: Option<u16>,
    /// Processor cores of this machine.
    pub cores: u16,
    /// Width and height of the canvas, pixels.
    pub canvas: (u16, u16),
    /// Whether this process is root's, whom Open MPI asks for confirmation.
    pub is_root: bool,
    /// Where a run's folder may be made; the first that works is taken. Best in memory: Open MPI's shared memory
    /// lies in it.
    pub folders: Vec<PathBuf>,
    /// Where to listen for demos on other hosts; `None` for demos on this one.
    pub network: Option<IpAddr>,
}

impl Settings {
    /// For this machine, with `config`, where `executable` is the path of this program.
    pub fn new(config: &Config, executable: &Path, canvas: (u16, u16)) -> Self {
        let programs = executable.parent().map(Path::to_path_buf).unwrap_or_default();
        let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
        let runtime = env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty());
        let mut folders: Vec<PathBuf> = runtime.map(PathBuf::from).into_iter().collect();
        folders.extend(["/run/hpc-kiosk".into(), "/dev/shm".into(), env::temp_dir()]);
        Self {
            warden: programs.join(WARDEN),
            programs,
            mpirun: config.launch.mpirun.clone(),
            mca: config.launch.mca.clone(),
            most_ranks: config.launch.ranks,
            cores: u16::try_from(cores).unwrap_or(u16::MAX),
            canvas,
            is_root: rustix::process::geteuid().is_root(),
            folders,
            network: None,
        }
    }
}
