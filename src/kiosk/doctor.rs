//! The self-test: looks at every piece that a run needs and says what is wrong with it and what to do. `hpc-kiosk doctor`
//! prints it, a page of the screen shows it. Changes nothing.

mod ask;
mod examiner;
mod far;
mod finding;
mod here;
mod judged;
mod rights;
mod slurm;
mod versions;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use ask::{LIMIT, Said, ask, look};
pub use examiner::{Examination, examine_when_asked};
pub use finding::{Finding, Level, Matter, Piece, report};

use crate::{
    config::{self, Config},
    display, supervisor,
};

/// How long an examination takes at most: this machine's files, the other computers, the ways between them.
pub const LONGEST: Duration = Duration::from_secs(3 * LIMIT.as_secs());

/// What is examined: a kiosk that is started this way.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// What `--config` names.
    pub config: Option<PathBuf>,
    /// The folders that `--demos` names.
    pub demos: Vec<PathBuf>,
    /// Where `hpc-kiosk` lies.
    pub executable: PathBuf,
}

/// Looks at everything, this machine first; `awaited` is told the computers that have not answered yet.
pub async fn examine(subject: &Subject, awaited: impl Fn(Vec<String>)) -> Vec<Finding> {
    let own = subject.clone();
    let seen = look(move || {
        let mut findings = Vec::new();
        let config = settings(own.config.as_deref(), &mut findings);
        let demos = here::demos(&own.demos, &own.executable, &mut findings);
        here::screen(&mut findings);
        let display = display::choose(display::variable);
        rights::devices(Path::new("/"), display, &mut findings);
        let folders = supervisor::Settings::new(&config, &own.executable, (1, 1)).folders;
        rights::run_folder(&folders, &mut findings);
        let mut meters = Vec::new();
        rights::meters(Path::new("/"), &config, &mut meters);
        (config, demos, findings, meters)
    });
    let Some((config, demos, mut findings, meters)) = seen.await else {
        let found = format!("a folder does not answer within {} s", LIMIT.as_secs());
        let remedy = "see which of kiosk.toml's and the demos' folders lies on a file server that is gone (findmnt, ls)";
        let finding = Finding::wrong("files of this machine", found, remedy);
        return vec![finding.about(Piece::Folder, "").because(Matter::Hangs, "")];
    };
    let (version, far) =
        tokio::join!(here::open_mpi(&config), far::answers(&config, &demos, awaited),);
    let (version, open_mpi) = version;
    findings.push(open_mpi);
    judged::nodes(&config, &far, version.as_deref(), &mut findings);
    slurm::examine(&config, &mut findings).await;
    findings.extend(meters);
    findings
}

fn settings(argument: Option<&Path>, findings: &mut Vec<Finding>) -> Config {
    match Config::load(argument, Path::new(config::INSTALLED)) {
        Ok(config) => {
            let file = argument.map_or_else(
                || match Path::new(config::INSTALLED).exists() {
                    true => config::INSTALLED.to_owned(),
                    false => "none; the defaults hold".to_owned(),
                },
                |file| file.display().to_string(),
            );
            findings.push(Finding::well("configuration", file).about(Piece::Settings, ""));
            config
        }
        Err(error) => {
            let remedy = "correct that line; until then the kiosk runs with its defaults, and so does this examination";
            let finding = Finding::wrong("configuration", error.to_string(), remedy);
            let finding = finding.about(Piece::Settings, "");
            findings.push(finding.because(Matter::WrongLine, error.to_string()));
            Config::default()
        }
    }
}
