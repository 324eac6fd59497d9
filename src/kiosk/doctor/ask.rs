//! Asks commands and folders, none of which may take long: what hangs is given up, what says much is cut.

use std::{
    process::Stdio,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    sync::oneshot,
    time::timeout,
};

/// How long any one command or folder may take.
pub const LIMIT: Duration = Duration::from_secs(8);
/// Most bytes of what a command says.
const MAX_SAID: u64 = 64 * 1024;
/// Most looks at folders that have not come back; each is a thread that nothing can end.
const MAX_LOST: usize = 8;

/// What a command says.
pub struct Said {
    /// Its status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// Whether it was content.
    pub is_content: bool,
    /// Its standard output.
    pub output: String,
    /// The last line of its standard error.
    pub complaint: String,
}

impl Said {
    /// Whether it is ssh itself that failed, which it says by this status.
    pub fn is_sshs(&self) -> bool {
        self.status == Some(255)
    }
}

/// Runs a command without input.
///
/// # Errors
/// In a sentence, if it cannot be run or takes too long; it is killed then.
pub async fn ask(words: &[String]) -> Result<Said, String> {
    ask_within(words, LIMIT).await
}

/// The same with another limit.
///
/// # Errors
/// The same.
pub async fn ask_within(words: &[String], limit: Duration) -> Result<Said, String> {
    let (program, arguments) = words.split_first().ok_or("there is no program to run")?;
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
        .map_err(|error| format!("{program} cannot be run: {error}"))?;
    let (output, complaint) = (child.stdout.take(), child.stderr.take());
    let said = async {
        let (output, complaint) = tokio::join!(hear(output), hear(complaint));
        child.wait().await.map(|status| (status, output, complaint))
    };
    let said = timeout(limit, said).await;
    let said = said.map_err(|_| format!("no answer within {} s", limit.as_secs()))?;
    let (status, output, complaint) =
        said.map_err(|error| format!("how {program} ended is unknown: {error}"))?;
    Ok(Said {
        status: status.code(),
        is_content: status.success(),
        output,
        complaint: complaint.lines().last().unwrap_or_default().trim().to_owned(),
    })
}

/// The first bytes that come; whoever says more is told so by a closed pipe.
async fn hear(from: Option<impl AsyncRead + Unpin>) -> String {
    let mut said = Vec::new();
    if let Some(from) = from {
        // What came before it broke is what there is.
        let _ = from.take(MAX_SAID).read_to_end(&mut said).await;
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// Does `look`, which may stand still in a folder whose server is gone, on a thread of its own; `None` if it takes too long.
pub async fn look<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    static LOST: AtomicUsize = AtomicUsize::new(0);
    if MAX_LOST <= LOST.fetch_add(1, Ordering::Relaxed) {
        LOST.fetch_sub(1, Ordering::Relaxed);
        return None;
    }
    let (sender, seen) = oneshot::channel();
    let looking = thread::Builder::new().name("look".into()).spawn(move || {
        // Nobody listens any more to what comes too late.
        let _ = sender.send(look());
        LOST.fetch_sub(1, Ordering::Relaxed);
    });
    if looking.is_err() {
        LOST.fetch_sub(1, Ordering::Relaxed);
        return None;
    }
    timeout(LIMIT, seen).await.ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_command_that_is_not_there_or_fails_is_said() {
        let missing = block_on(ask(&words("/nonexistent x")));
        assert!(missing.is_err_and(|said| said.contains("/nonexistent")));
        let said = block_on(ask(&words("ls /nonexistent"))).unwrap();
        assert!(!said.is_content && said.complaint.contains("No such file"), "{}", said.complaint);
    }

    #[test]
    fn a_command_that_never_ends_is_given_up() {
        let said = block_on(ask_within(&words("sleep 1000"), Duration::from_secs(1)));
        assert_eq!(said.err().as_deref(), Some("no answer within 1 s"));
    }

    #[test]
    fn of_a_command_that_never_stops_talking_the_beginning_is_heard() {
        let said = block_on(ask(&words("yes"))).unwrap();
        assert_eq!(said.output.len() as u64, MAX_SAID);
    }

    #[test]
    fn what_is_seen_in_time_is_told() {
        assert_eq!(block_on(look(|| 7)), Some(7));
    }
}
