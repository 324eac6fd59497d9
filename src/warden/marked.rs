//! Ends the processes of a run on a computer where no warden owns them: those that Open MPI's daemon started there. They
//! are known by a mark in their environment that only this run has.

use std::{
    collections::HashSet,
    fs,
    io::{self, Read},
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::{Pid, getpid};

use crate::{Process, Swept, sweep};

/// Most bytes of an environment that are looked at; longer ones are the kernel's limit of a single string and more.
const MAX_ENVIRONMENT: u64 = 4 << 20;

/// Kills every process of this computer that has `mark`, `NAME=VALUE`, in its environment, again and again until none is
/// left or `limit` has passed. Never this process itself, nor processes of another network namespace, which is another
/// computer to all that runs in it.
///
/// # Errors
/// If `/proc` cannot be read.
pub fn sweep_marked(mark: &[u8], limit: Duration) -> io::Result<Swept> {
    let own = getpid();
    let network = network_of(own);
    let is_of_run = |process: &Process| {
        process.pid != own && network_of(process.pid) == network && has_mark(process.pid, mark)
    };
    let deadline = Instant::now() + limit;
    let mut killed = HashSet::new();
    loop {
        let alive = sweep::all()?.into_iter().filter(|process| !process.is_dead);
        let found: Vec<Process> = alive.filter(is_of_run).collect();
        let sent = found.iter().filter(|process| sweep::kill(process).is_some());
        killed.extend(sent.map(|process| (process.pid, process.started)));
        if found.is_empty() || deadline <= Instant::now() {
            return Ok(Swept { killed: killed.len(), left: found.len() });
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn has_mark(pid: Pid, mark: &[u8]) -> bool {
    let path = Path::new("/proc").join(pid.as_raw_nonzero().to_string()).join("environ");
    let mut environment = Vec::new();
    // Other users' cannot be read, and are not the run's.
    let read = fs::File::open(path)
        .and_then(|file| file.take(MAX_ENVIRONMENT).read_to_end(&mut environment));
    read.is_ok() && environment.split(|byte| *byte == 0).any(|entry| entry == mark)
}

fn network_of(pid: Pid) -> Option<std::path::PathBuf> {
    fs::read_link(format!("/proc/{}/ns/net", pid.as_raw_nonzero())).ok()
}
