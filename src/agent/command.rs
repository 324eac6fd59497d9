//! Runs a command that knows more than the files do: bounded in time and in what it says, never by a shell.

use std::{
    io::Read,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, Signal, kill_process_group},
};

/// Most bytes of what a command says.
const MAX_OUTPUT: usize = 64 * 1024;

/// What the command prints; `None` if it cannot be run, takes longer than `limit`, fails, or prints no text.
///
/// Whatever it does, nothing of it is left running.
pub fn output(program: &Path, arguments: &[&str], limit: Duration) -> Option<String> {
    let deadline = Instant::now() + limit;
    let mut child = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .ok()?;
    let said = listen(&mut child, deadline);
    if said.is_none() {
        kill(&child);
    }
    // It has closed its output or is killed; one that closes it and stays is killed now.
    let status = match child.try_wait() {
        Ok(Some(status)) => Some(status),
        _ => wait(&mut child, deadline),
    };
    said.filter(|_| status.is_some_and(|status| status.success()))
}

fn listen(child: &mut Child, deadline: Instant) -> Option<String> {
    let mut pipe = child.stdout.take()?;
    let mut said = Vec::new();
    let mut part = [0; 4096];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).ok()?;
        let mut ready = [PollFd::new(&pipe, PollFlags::IN)];
        if left.tv_sec == 0 && left.tv_nsec == 0 || poll(&mut ready, Some(&left)).ok()? == 0 {
            return None;
        }
        match pipe.read(&mut part).ok()? {
            0 => return String::from_utf8(said).ok(),
            count if MAX_OUTPUT < said.len() + count => return None,
            count => said.extend_from_slice(&part[..count]),
        }
    }
}

/// Waits for the end of one that has nothing more to say, by a few short looks; kills it when its time is over.
fn wait(child: &mut Child, deadline: Instant) -> Option<std::process::ExitStatus> {
    while Instant::now() < deadline {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    kill(child);
    // A killed process ends, unless the kernel itself holds it; then this thread is held with it.
    child.wait().ok()
}

fn kill(child: &Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit_ms: u64) -> Option<String> {
        output(Path::new("/bin/sh"), &["-c", script], Duration::from_millis(limit_ms))
    }

    #[test]
    fn what_a_command_prints_is_its_output() {
        assert_eq!(shell("echo one; sleep 0.05; echo two", 5000).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_command_that_fails_says_nothing() {
        assert_eq!(shell("echo one; exit 3", 5000), None);
        assert_eq!(output(Path::new("/nowhere"), &[], Duration::from_secs(5)), None);
        assert_eq!(shell("printf '\\377\\376'", 5000), None);
    }

    #[test]
    fn a_command_that_hangs_is_ended_with_all_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pids = folder.path().join("pids");
        let begun = Instant::now();
        let script = format!("sleep 60 & echo $! $$ > '{}'; wait", pids.display());
        assert_eq!(shell(&script, 300), None);
        assert!(begun.elapsed() < Duration::from_secs(5));
        for pid in std::fs::read_to_string(pids).unwrap().split_whitespace() {
            let stat = format!("/proc/{pid}/stat");
            let deadline = Instant::now() + Duration::from_secs(5);
            while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
                assert!(Instant::now() < deadline, "{pid} is left running");
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn a_command_that_never_stops_talking_is_ended() {
        let begun = Instant::now();
        assert_eq!(shell("yes", 5000), None);
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_command_that_closes_its_output_and_stays_is_ended() {
        let begun = Instant::now();
        assert_eq!(shell("echo one; exec >&-; sleep 60", 300), None);
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
