//! The other computers that a run was on: when it is over there, what is left of it is ended, and whoever cannot be asked is
//! named.

use std::{io, path::PathBuf, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    task::JoinSet,
    time::timeout,
};
use warden::Report;

use super::{channel::Token, launch::MARK_VARIABLE, placement::Placement, settings::Remote};

/// How long a computer may take to answer; one that is switched off never does.
const ANSWER: Duration = Duration::from_secs(2);
/// How long it may take from SIGKILL to the end of whatever asks.
const LEAVING: Duration = Duration::from_millis(300);
/// Most bytes of an answer.
const MAX_REPORT: u64 = 4096;

/// The computers of one run.
#[derive(Clone, Debug)]
pub struct FarEnd {
    ssh: Vec<String>,
    warden: PathBuf,
    mark: Token,
    /// The run's folder on each of them.
    folder: PathBuf,
    /// Name and address of each.
    hosts: Vec<(String, String)>,
}

/// What a look at all of them has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FarSwept {
    /// Processes that were killed.
    pub killed: usize,
    /// Processes that could not be.
    pub left: usize,
    /// Computers that did not answer, by name.
    pub unreached: Vec<String>,
}

impl FarEnd {
    /// Those of `placement`, for the run with this mark and this folder there.
    pub fn new(remote: &Remote, placement: &Placement, mark: Token, folder: PathBuf) -> Self {
        let hosts = placement.hosts.iter().map(|host| (host.name.clone(), host.address.clone()));
        let (ssh, warden) = (remote.ssh.clone(), remote.warden());
        Self { ssh, warden, mark, folder, hosts: hosts.collect() }
    }

    /// Ends what is left of the run on each of them, all at the same time.
    pub async fn sweep(self) -> FarSwept {
        let (mark, folder) = (String::from_utf8_lossy(&self.mark), self.folder.display());
        let mark = format!("{MARK_VARIABLE}={mark}\n{folder}\n");
        let mut asked = JoinSet::new();
        for (name, address) in self.hosts {
            let (ssh, warden, mark) = (self.ssh.clone(), self.warden.clone(), mark.clone());
            asked.spawn(async move { (name, ask(&ssh, &address, &warden, &mark).await.ok()) });
        }
        let mut swept = FarSwept::default();
        for (name, report) in asked.join_all().await {
            match report {
                Some(Report::Ended { killed, left, .. }) => {
                    swept.killed += killed;
                    swept.left += left;
                }
                _ => swept.unreached.push(name),
            }
        }
        swept.unreached.sort();
        if !swept.unreached.is_empty() {
            let names = swept.unreached.join(", ");
            log::warn!("what is left of a run there is not known, because no answer came: {names}");
        }
        swept
    }
}

async fn ask(ssh: &[String], address: &str, warden: &PathBuf, mark: &str) -> io::Result<Report> {
    let (program, arguments) = ssh.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut child = Command::new(program)
        .args(arguments)
        .arg(address)
        .arg(warden)
        .arg("--sweep-marked")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let answered = timeout(ANSWER, hear(&mut child, mark)).await;
    if !matches!(answered, Ok(Ok(_))) {
        // Killed and waited for here: a child that is only dropped stays as a dead one until another one ends.
        let _ = timeout(LEAVING, child.kill()).await;
    }
    answered?
}

async fn hear(child: &mut Child, mark: &str) -> io::Result<Report> {
    if let Some(mut input) = child.stdin.take() {
        input.write_all(mark.as_bytes()).await?;
    }
    let mut said = String::new();
    if let Some(output) = child.stdout.take() {
        output.take(MAX_REPORT).read_to_string(&mut said).await?;
    }
    child.wait().await?;
    said.parse().map_err(io::Error::other)
}
