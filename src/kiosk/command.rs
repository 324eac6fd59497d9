//! Asks a program that only answers: what it says is cut, and it is killed if it takes too long.

use std::{ffi::OsStr, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    time::timeout,
};

/// What a program may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From its start to its end.
    pub time: Duration,
    /// Most bytes of each of its outputs; the rest is not read.
    pub bytes: u64,
}

/// What a program has said.
pub struct Said {
    /// Its status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// Whether it was content.
    pub is_content: bool,
    /// Its standard output, no longer than the limit.
    pub output: String,
    /// The last line of its standard error.
    pub complaint: String,
}

/// Runs a program without input.
///
/// # Errors
/// In a sentence, if it cannot be run or takes too long; it is killed then.
pub async fn ask(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    limits: Limits,
) -> Result<Said, String> {
    let program = program.as_ref();
    let mut child = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A signal from a terminal is for the kiosk.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("{} cannot be run: {error}", program.display()))?;
    let (output, complaint) = (child.stdout.take(), child.stderr.take());
    let said = async {
        let (output, complaint) =
            tokio::join!(hear(output, limits.bytes), hear(complaint, limits.bytes));
        child.wait().await.map(|status| (status, output, complaint))
    };
    let said = timeout(limits.time, said).await;
    let said = said.map_err(|_| format!("no answer within {} s", limits.time.as_secs()))?;
    let (status, output, complaint) =
        said.map_err(|error| format!("how {} ended is unknown: {error}", program.display()))?;
    Ok(Said {
        status: status.code(),
        is_content: status.success(),
        output,
        complaint: complaint.lines().last().unwrap_or_default().trim().to_owned(),
    })
}

/// The first bytes that come; whoever says more is told so by a closed pipe.
async fn hear(from: Option<impl AsyncRead + Unpin>, most: u64) -> String {
    let mut said = Vec::new();
    if let Some(from) = from {
        // What came before it broke is what there is.
        let _ = from.take(most).read_to_end(&mut said).await;
    }
    String::from_utf8_lossy(&said).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(line: &str, limits: Limits) -> Result<Said, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut words = line.split(' ');
        runtime.block_on(super::ask(words.next().unwrap(), words, limits))
    }

    const LIMITS: Limits = Limits { time: Duration::from_secs(20), bytes: 1000 };

    #[test]
    fn a_command_that_is_not_there_or_fails_is_said() {
        let missing = ask("/nonexistent x", LIMITS);
        assert!(missing.is_err_and(|said| said.contains("/nonexistent")));
        let said = ask("ls /nonexistent", LIMITS).unwrap();
        assert!(!said.is_content && said.complaint.contains("No such file"), "{}", said.complaint);
    }

    #[test]
    fn a_command_that_never_ends_is_given_up() {
        let said = ask("sleep 1000", Limits { time: Duration::from_secs(1), ..LIMITS });
        assert_eq!(said.err().as_deref(), Some("no answer within 1 s"));
    }

    #[test]
    fn of_a_command_that_never_stops_talking_the_beginning_is_heard() {
        assert_eq!(ask("yes", LIMITS).unwrap().output.len(), 1000);
    }
}
