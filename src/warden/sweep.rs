//! Finds and kills everything that descends from this process.
//!
//! Complete only where this process adopts orphans ([`crate::adopt_orphans`]): then whatever a descendant does (fork
//! twice, start a session), its chain of parents ends here.

use std::{
    collections::HashSet,
    io,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{
        Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, getpid, kill_process, pidfd_open,
        pidfd_send_signal, waitpid,
    },
};

use crate::Process;

/// How long a killed process may take before the next look; it usually takes far less.
const PATIENCE: Duration = Duration::from_millis(20);

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Processes that were killed.
    pub killed: usize,
    /// Processes that are still there.
    pub left: usize,
}

/// The children of this process.
///
/// # Errors
/// If `/proc` cannot be read.
pub fn children() -> io::Result<Vec<Process>> {
    let own = getpid().as_raw_nonzero().get();
    Ok(all()?.into_iter().filter(|process| process.parent == own).collect())
}

/// Everything below `root`, dead children included; what is in `keep` and below it is left out.
///
/// # Errors
/// If `/proc` cannot be read.
pub fn descendants(root: Pid, keep: &[Process]) -> io::Result<Vec<Process>> {
    let mut others = all()?;
    others.retain(|process| !keep.iter().any(|kept| kept.is_same_as(process)));
    let mut found = Vec::new();
    let mut parents = HashSet::from([root.as_raw_nonzero().get()]);
    loop {
        let before = found.len();
        others.retain(|process| {
            let is_below = parents.contains(&process.parent);
            if is_below {
                found.push(*process);
            }
            !is_below
        });
        parents.extend(found[before..].iter().map(|process| process.pid.as_raw_nonzero().get()));
        if before == found.len() {
            return Ok(found);
        }
    }
}

/// Kills every descendant of this process except `keep` and what is below it, again and again until none is left or
/// `limit` has passed, and takes the status of those that become its children, handing each to `reaped`.
///
/// Blocks. Do not let it run beside code that waits for a child which is not in `keep`.
///
/// # Errors
/// If `/proc` cannot be read.
pub fn sweep(
    keep: &[Process],
    limit: Duration,
    mut reaped: impl FnMut(Pid, WaitStatus),
) -> io::Result<Swept> {
    let own = getpid();
    let deadline = Instant::now() + limit;
    let mut killed = HashSet::new();
    loop {
        let found = descendants(own, keep)?;
        let mut dying = Vec::new();
        let mut left = 0;
        let mut any_reaped = false;
        for process in &found {
            if !process.is_dead {
                left += 1;
                if let Some(handle) = kill(process) {
                    killed.insert((process.pid, process.started));
                    dying.extend(handle);
                }
            } else if process.parent == own.as_raw_nonzero().get() {
                // A child's number is not used again before its status is taken.
                if let Ok(Some((pid, status))) = waitpid(Some(process.pid), WaitOptions::NOHANG) {
                    any_reaped = true;
                    reaped(pid, status);
                }
            }
        }
        if found.is_empty() || deadline <= Instant::now() {
            return Ok(Swept { killed: killed.len(), left });
        }
        if !any_reaped {
            await_ends(&dying);
        }
    }
}

/// Kills `process`, and nobody who got its number since; `None` if it is gone or cannot be killed.
///
/// The inner value tells when it has ended, where the kernel knows such handles (5.3 and later).
pub(crate) fn kill(process: &Process) -> Option<Option<OwnedFd>> {
    let is_still_there =
        || Process::read(process.pid).is_some_and(|now| now.is_same_as(process) && !now.is_dead);
    match pidfd_open(process.pid, PidfdFlags::empty()) {
        Ok(handle) => {
            let sent = is_still_there() && pidfd_send_signal(&handle, Signal::KILL).is_ok();
            sent.then_some(Some(handle))
        }
        Err(Errno::NOSYS) => {
            let sent = is_still_there() && kill_process(process.pid, Signal::KILL).is_ok();
            sent.then_some(None)
        }
        Err(_) => None,
    }
}

/// Returns when all have ended, or after [`PATIENCE`].
fn await_ends(dying: &[OwnedFd]) {
    let deadline = Instant::now() + PATIENCE;
    for handle in dying {
        wait(&mut [PollFd::new(handle, PollFlags::IN)], deadline);
    }
    if dying.is_empty() {
        wait(&mut [], deadline);
    }
}

fn wait(handles: &mut [PollFd<'_>], deadline: Instant) {
    let left = deadline.saturating_duration_since(Instant::now());
    let left = Timespec { tv_sec: left.as_secs() as _, tv_nsec: left.subsec_nanos() as _ };
    // An early return only makes the next look come sooner.
    let _ = poll(handles, Some(&left));
}

pub(crate) fn all() -> io::Result<Vec<Process>> {
    let mut processes = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let pid = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        // One that ends between the two looks is no error.
        processes.extend(pid.and_then(Process::read));
    }
    Ok(processes)
}
