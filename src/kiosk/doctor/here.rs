//! What this machine has.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Finding, Matter, Piece, ask, versions};
use crate::{
    catalogue::{self, Catalogue},
    config::Config,
    display::{self, Display},
    supervisor::settings::WARDEN,
};

/// The demos, their programs, and the warden.
pub fn demos(named: &[PathBuf], executable: &Path, findings: &mut Vec<Finding>) -> Catalogue {
    let catalogue = Catalogue::find(&catalogue::folders(named, executable), named.len());
    for problem in &catalogue.problems {
        let remedy = "correct it; the other demos are there all the same";
        let finding = Finding::wrong("demos", problem.clone(), remedy).about(Piece::Demos, "");
        findings.push(finding.because(Matter::WrongLine, problem.clone()));
    }
    let beside = executable.parent().unwrap_or(Path::new("."));
    let is_there = |folder: &Path, program: &str| {
        folder.join(program).is_file() || beside.join(program).is_file()
    };
    if catalogue.demos.is_empty() && catalogue.problems.is_empty() {
        let remedy = "put demo folders into /etc/hpc-kiosk/demos, or name a folder with --demos";
        let finding = Finding::wrong("demos", "there is none", remedy).about(Piece::Demos, "");
        findings.push(finding.because(Matter::NoDemo, ""));
    }
    for demo in &catalogue.demos {
        let what = format!("demo {}", demo.id);
        findings.push(match is_there(&demo.folder, &demo.program) {
            true => Finding::well(what, format!("its program {} is there", demo.program))
                .about(Piece::Demos, &demo.id),
            false => Finding::wrong(
                what,
                format!("its program {} is not there", demo.program),
                format!(
                    "build or install it into {} or {}",
                    demo.folder.display(),
                    beside.display()
                ),
            )
            .about(Piece::Demos, &demo.id)
            .because(Matter::NoProgram, ""),
        });
    }
    findings.push(match is_there(beside, WARDEN) {
        true => {
            let found =
                format!("{WARDEN} is there, beside hpc-kiosk {}", env!("CARGO_PKG_VERSION"));
            Finding::well("warden", found).about(Piece::Warden, "")
        }
        false => Finding::wrong(
            "warden",
            format!("{WARDEN} is not beside {}", executable.display()),
            "install the package anew, or build the whole workspace",
        )
        .about(Piece::Warden, "")
        .because(Matter::NoProgram, ""),
    });
    catalogue
}

/// Which screen the kiosk would take.
pub fn screen(findings: &mut Vec<Finding>) {
    if display::choose(display::variable) == Display::Window {
        let finding = Finding::well("screen", "a window of the desktop");
        findings.push(finding.about(Piece::Screen, ""));
        return;
    }
    let connectors = fs::read_dir("/sys/class/drm").into_iter().flatten().flatten();
    let connected: Vec<String> = connectors
        .filter(|connector| {
            let status = fs::read_to_string(connector.path().join("status"));
            status.is_ok_and(|status| status.trim() == "connected")
        })
        .filter_map(|connector| connector.file_name().into_string().ok())
        .collect();
    findings.push(match &connected[..] {
        [] => Finding::wrong(
            "screen",
            "there is neither a desktop nor a connector with a display",
            "plug the display in, or force its connector (README, KMS); over ssh this is as it should be only where nobody sits at the screen",
        )
        .about(Piece::Screen, "")
        .because(Matter::NoDisplay, ""),
        some => Finding::well("screen", format!("KMS, with a display at {}", some.join(", ")))
            .about(Piece::Screen, ""),
    });
}

/// Open MPI, without which only demos without MPI run; its version.
pub async fn open_mpi(config: &Config) -> (Option<String>, Finding) {
    let mpirun = config.launch.mpirun.display().to_string();
    let said = ask(&[mpirun.clone(), "--version".into()]).await;
    let version = said.as_ref().ok().and_then(|said| versions::open_mpi(&said.output));
    let version = version.map(str::to_owned);
    let finding = match (&version, said) {
        (Some(version), _) => Finding::well("Open MPI", format!("{version} here")),
        (None, Ok(_)) => Finding::wrong(
            "Open MPI",
            format!("{mpirun} is not Open MPI's"),
            "write Open MPI's mpirun into [launch] mpirun; sudo apt-get install openmpi-bin",
        )
        .because(Matter::NoMpi, ""),
        (None, Err(why)) => Finding::wrong(
            "Open MPI",
            why,
            "sudo apt-get install openmpi-bin, or correct the path in [launch] mpirun",
        )
        .because(Matter::NoMpi, ""),
    };
    (version, finding.about(Piece::OpenMpi, ""))
}
