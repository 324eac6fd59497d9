//! What the supervisor must know of this machine and of its owner's wishes.

use std::{
    collections::BTreeMap,
    env,
    net::IpAddr,
    path::{Path, PathBuf},
    thread,
};

use crate::config::{Config, Launch, Launcher, Slurm};

/// The program that owns each run; it lies beside this one.
pub const WARDEN: &str = "hpc-kiosk-warden";

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
    /// How runs get to other computers; `None` where they stay here.
    pub remote: Option<Remote>,
}

/// How runs get to other computers.
#[derive(Clone, Debug, PartialEq)]
pub struct Remote {
    /// Whether `mpirun` is started there, on the first one, rather than here.
    pub starts_there: bool,
    /// Starts a program on the computer that is its next argument.
    pub ssh: Vec<String>,
    /// The folder of the warden and the demos' programs there.
    pub programs: PathBuf,
    /// Where to listen for demos.
    pub address: IpAddr,
    /// What Open MPI may talk over, ADDRESS/BITS.
    pub network: Option<String>,
    /// Who must be asked for them before; `None` if nobody.
    pub slurm: Option<Slurm>,
}

impl Remote {
    /// As the owner says; `None` if runs are to stay here.
    fn new(launch: &Launch) -> Option<Self> {
        let starts_there = match launch.launcher {
            Launcher::Local => return None,
            Launcher::Ssh | Launcher::Slurm => true,
            Launcher::Mpirun => false,
        };
        Some(Self {
            starts_there,
            ssh: launch.ssh.clone(),
            programs: launch.programs.clone(),
            address: launch.address?,
            network: launch.network.clone(),
            slurm: launch.slurm.clone().filter(|_| launch.launcher == Launcher::Slurm),
        })
    }

    /// The program `hpc-kiosk-warden` there.
    pub fn warden(&self) -> PathBuf {
        self.programs.join(WARDEN)
    }
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
            remote: Remote::new(&config.launch),
        }
    }
}
