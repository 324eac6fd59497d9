//! `hpc-kiosk-warden`: owns one run for the kiosk. Reads its arguments and says the report; the rest is the library.

use std::{
    env,
    ffi::OsString,
    io::{Write, stdout},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use warden::{Watched, watch};

const USAGE: &str = "usage: hpc-kiosk-warden [--grace-ms N] [--remove DIR] -- PROGRAM [ARGUMENT...]

Runs PROGRAM until it ends, until a line 'stop' or the end of standard input, or until SIGTERM; then
ends everything that descends from it, removes DIR (named hpc-kiosk-...), and says so in one line on standard output.";

/// Grace unless told otherwise: `mpirun` needs 1.04 s from SIGTERM to its own end.
const GRACE_MS: u64 = 1200;
/// Longest grace, an hour.
const MAX_GRACE_MS: u64 = 3_600_000;

fn main() -> ExitCode {
    let watched = match read_arguments(env::args_os().skip(1)) {
        Ok(watched) => watched,
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

fn read_arguments(mut arguments: impl Iterator<Item = OsString>) -> Result<Watched, String> {
    let mut grace_ms = GRACE_MS;
    let mut remove = None;
    loop {
        let Some(option) = arguments.next() else {
            return Err("there is no '--' before the program".into());
        };
        let mut value = || arguments.next().ok_or(format!("{} needs a value", option.display()));
        match option.to_str() {
            Some("--") => break,
            Some("--grace-ms") => {
                let value = value()?;
                let number = value.to_str().and_then(|value| value.parse().ok());
                grace_ms = number.filter(|ms| *ms <= MAX_GRACE_MS).ok_or(format!(
                    "--grace-ms is '{}', not a number from 0 to {MAX_GRACE_MS}",
                    value.display()
                ))?;
            }
            Some("--remove") => remove = Some(read_folder(value()?)?),
            _ => return Err(format!("there is no option '{}'", option.display())),
        }
    }
    let program = arguments.next().ok_or("there is no program after '--'")?;
    let grace = Duration::from_millis(grace_ms);
    Ok(Watched { program, arguments: arguments.collect(), grace, remove })
}

/// Only a folder that is named as a run's: a slip of the keyboard must not remove anything else.
fn read_folder(value: OsString) -> Result<PathBuf, String> {
    let folder = PathBuf::from(value);
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name.starts_with("hpc-kiosk-") {
        return Ok(folder);
    }
    Err(format!("--remove is '{}', not a folder named hpc-kiosk-...", folder.display()))
}
