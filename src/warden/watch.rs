//! The life of one run, from the start of its program to the proof that nothing of it is left.

use std::{
    ffi::{OsStr, OsString},
    io::{self, ErrorKind, Read, stderr, stdin},
    os::{fd::AsFd, unix::ffi::OsStrExt, unix::net::UnixStream, unix::process::CommandExt},
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{
        Pid, Resource, Rlimit, Signal, WaitOptions, WaitStatus, kill_process_group, setrlimit, wait,
    },
};
use signal_hook::{
    consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM},
    low_level::pipe,
};

use crate::{Exit, Report, adopt_orphans, sweep};

/// How long killed processes may take to go; only one that is stuck in the kernel takes longer.
const SWEEP: Duration = Duration::from_secs(2);
/// Most bytes of an unfinished line on standard input that are kept.
const MAX_LINE: usize = 64;

/// What to run and how to end it.
#[derive(Clone, Debug)]
pub struct Watched {
    /// A path, or a name to be looked up in `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Time between the polite signal and the firm one.
    pub grace: Duration,
    /// What its environment has beyond ours, `NAME=VALUE` each.
    pub environment: Vec<OsString>,
    /// A folder of this run alone, removed when the run is over: sockets, session directories, shared memory.
    pub remove: Option<PathBuf>,
    /// Longest silence on standard input: who asked for the run, far away, may be gone without a word.
    pub heartbeat: Option<Duration>,
}

/// Runs it until it ends, until a line `stop` or the end of standard input arrives, until standard input has been silent
/// for longer than a heartbeat may be, or until this process gets SIGTERM, SIGINT or SIGHUP; then ends everything that
/// descends from it.
///
/// The program gets no input, a process group of its own, and the standard error of this process for both its
/// outputs, so that nothing it prints can be taken for a report.
///
/// # Errors
/// If this process cannot adopt orphans, catch signals or read `/proc`: then nothing is started.
pub fn watch(watched: &Watched) -> io::Result<Report> {
    adopt_orphans()?;
    // The kiosk may let a thread of its own go before all others; its runs may not, or they could stop the screen.
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // Less is always allowed.
    let _ = setrlimit(Resource::Rtprio, none);
    let mut signs = Signs::new(watched.heartbeat)?;
    let environment = watched.environment.iter().filter_map(|entry| {
        let bytes = entry.as_bytes();
        let equals = bytes.iter().position(|byte| *byte == b'=')?;
        Some((OsStr::from_bytes(&bytes[..equals]), OsStr::from_bytes(&bytes[equals + 1..])))
    });
    let started = Command::new(&watched.program)
        .args(&watched.arguments)
        .envs(environment)
        .stdin(Stdio::null())
        .stdout(stderr().as_fd().try_clone_to_owned()?)
        .process_group(0)
        .spawn();
    let report = match started {
        Err(error) => Report::NotStarted(error.to_string()),
        Ok(child) => {
            let mut family = Family { program: pid_of(child.id())?, status: None };
            family.live(&mut signs, watched.grace)?;
            family.end()?
        }
    };
    if let Some(folder) = &watched.remove {
        // The kiosk removes it as well; what neither can remove does no harm beyond its bytes.
        let _ = std::fs::remove_dir_all(folder);
    }
    Ok(report)
}

fn pid_of(number: u32) -> io::Result<Pid> {
    let pid = i32::try_from(number).ok().and_then(Pid::from_raw);
    pid.ok_or_else(|| io::Error::other(format!("{number} is not a process number")))
}

/// The program and all that it started.
struct Family {
    program: Pid,
    status: Option<WaitStatus>,
}

impl Family {
    /// Returns when the program has ended, or when it was asked to and has not within `grace`.
    fn live(&mut self, signs: &mut Signs, grace: Duration) -> io::Result<()> {
        let mut until = None;
        loop {
            self.reap();
            if self.status.is_some() {
                return Ok(());
            }
            let now = Instant::now();
            // Read even when a stop is under way: what is not read would wake the next wait at once.
            let says_stop = signs.say_stop();
            if until.is_none() && says_stop {
                until = Some(now + grace);
                // A stopped process takes no polite signal before it is continued. One that is gone needs none.
                let _ = kill_process_group(self.program, Signal::TERM);
                let _ = kill_process_group(self.program, Signal::CONT);
            }
            if until.is_some_and(|until| until <= now) {
                return Ok(());
            }
            signs.wait(until.map(|until| until - now))?;
        }
    }

    /// Kills all that is left, until the kernel says that this process has no child, hence no descendant.
    fn end(mut self) -> io::Result<Report> {
        let deadline = Instant::now() + SWEEP;
        let mut killed = 0;
        let mut left = 0;
        let mut is_alone = !self.reap();
        while !is_alone && Instant::now() < deadline {
            let limit = deadline.saturating_duration_since(Instant::now());
            let swept = sweep(&[], limit, |pid, status| {
                if pid == self.program {
                    self.status = Some(status);
                }
            })?;
            killed += swept.killed;
            is_alone = !self.reap();
            left = if is_alone { 0 } else { swept.left.max(1) };
        }
        let exit = match self.status {
            Some(status) => status
                .exit_status()
                .map(Exit::Code)
                .or(status.terminating_signal().map(Exit::Signal))
                .unwrap_or(Exit::Unknown),
            None => Exit::Unknown,
        };
        Ok(Report::Ended { exit, killed, left })
    }

    /// Takes the status of every child that has ended; whether there are others.
    fn reap(&mut self) -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == self.program => self.status = Some(status),
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }
}

/// What this process can be told: by its standard input, by signals, by the ends of children.
struct Signs {
    line: Vec<u8>,
    input_ended: bool,
    heartbeat: Option<Duration>,
    heard: Instant,
    asked: UnixStream,
    children: UnixStream,
}

impl Signs {
    fn new(heartbeat: Option<Duration>) -> io::Result<Self> {
        let (asked, ask) = UnixStream::pair()?;
        let (children, ended) = UnixStream::pair()?;
        for stream in [&asked, &children] {
            stream.set_nonblocking(true)?;
        }
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            pipe::register(signal, ask.try_clone()?)?;
        }
        pipe::register(SIGCHLD, ended)?;
        let (line, heard) = (Vec::new(), Instant::now());
        Ok(Self { line, input_ended: false, heartbeat, heard, asked, children })
    }

    /// Waits until something may have happened, or for `limit`.
    fn wait(&mut self, limit: Option<Duration>) -> io::Result<()> {
        let input = stdin();
        let mut handles = vec![
            PollFd::new(&self.children, PollFlags::IN),
            PollFd::new(&self.asked, PollFlags::IN),
        ];
        if !self.input_ended {
            handles.push(PollFd::new(&input, PollFlags::IN));
        }
        let silence = self.heartbeat.map(|longest| longest.saturating_sub(self.heard.elapsed()));
        let limit = limit.into_iter().chain(silence.filter(|_| !self.input_ended)).min();
        let limit = limit.map(|limit| Timespec {
            tv_sec: limit.as_secs() as _,
            tv_nsec: limit.subsec_nanos() as _,
        });
        match poll(&mut handles, limit.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let input_has_news = handles.get(2).is_some_and(|input| !input.revents().is_empty());
        drop(handles);
        drain(&self.children);
        if input_has_news {
            self.read_input();
        }
        Ok(())
    }

    /// Whether anyone has asked for the end.
    fn say_stop(&mut self) -> bool {
        self.input_ended |= self.heartbeat.is_some_and(|longest| longest <= self.heard.elapsed());
        drain(&self.asked) | self.input_ended
    }

    fn read_input(&mut self) {
        let mut bytes = [0; MAX_LINE];
        let count = match rustix::io::read(stdin(), &mut bytes) {
            Ok(count) => count,
            Err(Errno::INTR | Errno::AGAIN) => return,
            Err(_) => 0,
        };
        self.input_ended |= count == 0;
        self.heard = Instant::now();
        for byte in &bytes[..count] {
            if *byte == b'\n' {
                self.input_ended |= self.line == b"stop";
                self.line.clear();
            } else if self.line.len() < MAX_LINE {
                self.line.push(*byte);
            }
        }
    }
}

/// Empties a signal's pipe; whether there was anything in it.
fn drain(mut pipe: &UnixStream) -> bool {
    let mut bytes = [0; 64];
    let mut any = false;
    loop {
        match pipe.read(&mut bytes) {
            Ok(0) => return any,
            Ok(_) => any = true,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return any,
        }
    }
}
