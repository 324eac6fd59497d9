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
    time::Duration,
};

use rustix::process::geteuid;

use crate::{
    command::{self, Limits},
    config::Slurm,
};

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
    let limits = Limits { time: ANSWER, bytes: MAX_ANSWER };
    let said = command::ask(program(slurm, name), arguments, limits).await;
    let said = said.map_err(|why| format!("{name}: {why}"))?;
    match said.is_content {
        true if MAX_ANSWER <= said.output.len() as u64 => {
            Err(format!("{name} said more than {} MiB", MAX_ANSWER >> 20))
        }
        true => Ok(said.output),
        false if said.complaint.is_empty() => Err(format!("{name}: failed")),
        false => Err(format!("{name}: {}", said.complaint)),
    }
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
