//! A Slurm that shares the cluster's computers out among several people: who has which of them, and computers for a run.
//!
//! Slurm's own commands are asked, with formats of ours, so that any version does. Nothing here needs Slurm's MPI: a run
//! that has been given its computers is started on them as any other.

pub mod allocation;
pub mod said;
pub mod watch;

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::geteuid;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    time::timeout,
};

use crate::config::Slurm;

/// How the names of our jobs begin; they end with what no other run has.
pub const JOB: &str = "hpc-kiosk-";
/// How long an answer may take. The commands themselves try for 9 s when nobody answers.
const ANSWER: Duration = Duration::from_secs(3);
/// Most bytes of an answer: some ten thousand jobs.
const MAX_ANSWER: u64 = 4 << 20;

/// Where one of Slurm's commands is.
fn program(slurm: &Slurm, name: &str) -> PathBuf {
    slurm.commands.as_deref().unwrap_or(Path::new("")).join(name)
}

/// Runs one of Slurm's commands; what it says.
///
/// # Errors
/// In a sentence, if it fails, says too much, or takes too long; it is killed then.
pub async fn ask(
    slurm: &Slurm,
    name: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<String, String> {
    let program = program(slurm, name);
    let cannot = |error| format!("{} cannot be run: {error}", program.display());
    let mut child = Command::new(&program)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(cannot)?;
    let (output, complaint) = (child.stdout.take(), child.stderr.take());
    let answer = async {
        let (output, complaint) = tokio::join!(read(output), read(complaint));
        (output, complaint, child.wait().await)
    };
    let answer = timeout(ANSWER, answer).await;
    let (output, complaint, status) =
        answer.map_err(|_| format!("{name} has not answered within {} s", ANSWER.as_secs()))?;
    match status.map_err(cannot)?.success() {
        true if MAX_ANSWER <= output.len() as u64 => {
            Err(format!("{name} said more than {} MiB", MAX_ANSWER >> 20))
        }
        true => Ok(output),
        false => Err(format!("{name}: {}", complaint.lines().last().unwrap_or("failed").trim())),
    }
}

async fn read(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What was read up to an error is what there is.
        let _ = pipe.take(MAX_ANSWER).read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Ends all jobs that kiosks of this user have left; says how many. To be called while no run has one.
///
/// # Errors
/// In a sentence, if Slurm does not answer.
pub async fn cancel_left_over(slurm: &Slurm) -> Result<usize, String> {
    let user = format!("--user={}", geteuid().as_raw());
    let text = ask(slurm, "squeue", ["--noheader", &user, said::JOBS]).await?;
    let left: Vec<String> = said::jobs(&text)
        .filter(|job| job.name.starts_with(JOB) && !job.is_over())
        .map(|job| job.id.to_owned())
        .collect();
    if !left.is_empty() {
        log::warn!("cancels what an earlier kiosk left in Slurm's queue: job {}", left.join(", "));
        ask(slurm, "scancel", [&[user][..], &left].concat()).await?;
    }
    Ok(left.len())
}
