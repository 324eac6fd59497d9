//! `hpc-kiosk-warden`: owns one run for the kiosk. Reads its arguments and says the report; the rest is the library.

use std::{
    env,
    ffi::OsString,
    fs::DirBuilder,
    io::{Read, Write, stdin, stdout},
    os::unix::{ffi::OsStringExt, fs::DirBuilderExt},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use warden::{Exit, Order, Report, Watched, order::MAX_ORDER, sweep_marked, watch};

const USAGE: &str = "usage: hpc-kiosk-warden [--grace-ms N] [--remove DIR] -- PROGRAM [ARGUMENT...]
       hpc-kiosk-warden [--grace-ms N] --heartbeat-ms N --read-order
       hpc-kiosk-warden --sweep-marked

Runs PROGRAM until it ends, until a line 'stop' or the end of standard input, or until SIGTERM; then
ends everything that descends from it, removes DIR (named hpc-kiosk-...), and says so in one line on standard output.
With --read-order, what to run comes first on standard input, which must not be silent for longer than the heartbeat.
With --sweep-marked, ends every process that has the first line on standard input, NAME=VALUE, in its environment, and
removes the folder that the second line names, if there is one.";

/// Grace unless told otherwise: `mpirun` needs 1.04 s from SIGTERM to its own end.
const GRACE_MS: u64 = 1200;
/// Longest time that an option takes, an hour.
const MAX_MS: u64 = 3_600_000;
/// How long whoever asks may take to say for what.
const ASKING: Duration = Duration::from_secs(10);
/// How long marked processes may take to go; whoever asks waits little longer, and must hear of those that stay.
const SWEEP: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let watched = match read_arguments(env::args_os().skip(1)) {
        Ok(Asked::Watch(watched)) => watched,
        Ok(Asked::SweepMarked(mark, folder)) => return sweep(&mark, folder.as_deref()),
        Err(problem) => {
            eprintln!("hpc-kiosk-warden: {problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match watch(&watched) {
        Ok(report) => {
            // Who does not listen any more does not need the line.
            let _ = writeln!(stdout(), "{report}");
            ExitCode::from(report.status())
        }
        Err(error) => {
            eprintln!("hpc-kiosk-warden: cannot watch over {}: {error}", watched.program.display());
            ExitCode::from(2)
        }
    }
}

/// What the arguments ask for.
enum Asked {
    Watch(Watched),
    SweepMarked(OsString, Option<PathBuf>),
}

fn sweep(mark: &OsString, folder: Option<&Path>) -> ExitCode {
    match sweep_marked(mark.as_encoded_bytes(), SWEEP) {
        Ok(swept) => {
            if let Some(folder) = folder {
                // Not there on most computers; and what cannot be removed does no harm beyond its bytes.
                let _ = std::fs::remove_dir_all(folder);
            }
            let exit = Exit::Code(0);
            let report = Report::Ended { exit, killed: swept.killed, left: swept.left };
            let _ = writeln!(stdout(), "{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("hpc-kiosk-warden: cannot look for processes: {error}");
            ExitCode::from(2)
        }
    }
}

fn read_arguments(mut arguments: impl Iterator<Item = OsString>) -> Result<Asked, String> {
    let mut grace = Duration::from_millis(GRACE_MS);
    let mut heartbeat = None;
    let mut remove = None;
    loop {
        let Some(option) = arguments.next() else {
            return Err("there is no '--' before the program".into());
        };
        let mut value = || arguments.next().ok_or(format!("{} needs a value", option.display()));
        match option.to_str() {
            Some("--") => break,
            Some("--grace-ms") => grace = read_time("--grace-ms", value()?)?,
            Some("--heartbeat-ms") => heartbeat = Some(read_time("--heartbeat-ms", value()?)?),
            Some("--sweep-marked") => {
                let (mark, folder) = read_mark()?;
                return Ok(Asked::SweepMarked(mark, folder));
            }
            Some("--read-order") => {
                let Order { program, arguments, environment, folder } = read_order()?;
                let remove = folder.map(make_folder).transpose()?;
                return Ok(Asked::Watch(Watched {
                    program,
                    arguments,
                    grace,
                    environment,
                    remove,
                    heartbeat,
                }));
            }
            Some("--remove") => remove = Some(read_folder(value()?)?),
            _ => return Err(format!("there is no option '{}'", option.display())),
        }
    }
    let program = arguments.next().ok_or("there is no program after '--'")?;
    let (arguments, environment) = (arguments.collect(), Vec::new());
    Ok(Asked::Watch(Watched { program, arguments, grace, environment, remove, heartbeat }))
}

fn read_time(option: &str, value: OsString) -> Result<Duration, String> {
    let number = value.to_str().and_then(|value| value.parse().ok());
    number
        .filter(|ms| *ms <= MAX_MS)
        .map(Duration::from_millis)
        .ok_or(format!("{option} is '{}', not a number from 0 to {MAX_MS}", value.display()))
}

/// Reads no byte beyond the order: the rest of standard input is for the watch.
fn read_order() -> Result<Order, String> {
    let mut bytes = Vec::new();
    let mut input = unbuffered();
    while bytes.len() <= MAX_ORDER {
        let mut byte = [0];
        match input.read(&mut byte).map_err(|error| format!("cannot read the order: {error}"))? {
            0 => return Err("standard input ends before the order does".into()),
            _ => bytes.push(byte[0]),
        }
        // An order can only be complete at the end of a line.
        if byte == *b"\n"
            && let Some((order, _)) = Order::decode(&bytes).map_err(|error| error.to_string())?
        {
            return Ok(order);
        }
    }
    Err(format!("the order is longer than {MAX_ORDER} bytes"))
}

/// The mark, and the folder if one is named.
fn read_mark() -> Result<(OsString, Option<PathBuf>), String> {
    let mut text = Vec::new();
    let read = unbuffered().take(4096).read_to_end(&mut text);
    read.map_err(|error| format!("cannot read the mark: {error}"))?;
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec);
    let mark = lines.next().unwrap_or_default();
    // A short one could be somebody else's too.
    let value = mark.iter().position(|byte| *byte == b'=').map_or(0, |at| mark.len() - at - 1);
    if value < 16 {
        return Err("the mark is not NAME=VALUE with at least 16 characters of value".into());
    }
    let folder = lines.next().filter(|line| !line.is_empty());
    let folder = folder.map(|line| read_folder(OsString::from_vec(line))).transpose()?;
    Ok((OsString::from_vec(mark), folder))
}

/// Standard input, which must not be silent for ever.
fn unbuffered() -> impl Read {
    struct Input(Instant);
    impl Read for Input {
        fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
            let left = self.0.saturating_duration_since(Instant::now());
            let left = Timespec { tv_sec: left.as_secs() as _, tv_nsec: left.subsec_nanos() as _ };
            let input = stdin();
            let mut handles = [PollFd::new(&input, PollFlags::IN)];
            if rustix::io::retry_on_intr(|| poll(&mut handles, Some(&left)))? == 0 {
                return Err(std::io::ErrorKind::TimedOut.into());
            }
            Ok(rustix::io::retry_on_intr(|| rustix::io::read(stdin(), &mut *bytes))?)
        }
    }
    Input(Instant::now() + ASKING)
}

/// Makes the folder, which must be named as a run's and must not be there.
fn make_folder(folder: PathBuf) -> Result<PathBuf, String> {
    let folder = read_folder(folder.into_os_string())?;
    let made = DirBuilder::new().mode(0o700).create(&folder);
    made.map_err(|error| format!("cannot make {}: {error}", Path::display(&folder)))?;
    Ok(folder)
}

/// Only a folder that is named as a run's: a slip of the keyboard must not remove anything else.
fn read_folder(value: OsString) -> Result<PathBuf, String> {
    let folder = PathBuf::from(value);
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if folder.is_absolute() && name.starts_with("hpc-kiosk-") {
        return Ok(folder);
    }
    Err(format!("--remove is '{}', not a folder named hpc-kiosk-...", folder.display()))
}
