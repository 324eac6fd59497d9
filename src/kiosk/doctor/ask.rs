//! Asks commands and folders, none of which may take long: what hangs is given up, what says much is cut.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};

pub use crate::command::Said;
use crate::command::{self, Limits};

/// How long any one command or folder may take.
pub const LIMIT: Duration = Duration::from_secs(8);
/// Most bytes of what a command says.
const MAX_SAID: u64 = 64 * 1024;
/// Most looks at folders that have not come back; each is a thread that nothing can end.
const MAX_LOST: usize = 8;

impl Said {
    /// Whether it is ssh itself that failed, which it says by this status.
    pub fn is_sshs(&self) -> bool {
        self.status == Some(255)
    }
}

/// Runs a command: a program and its arguments.
///
/// # Errors
/// As [`command::ask`].
pub async fn ask(words: &[String]) -> Result<Said, String> {
    let (program, arguments) = words.split_first().ok_or("there is no program to run")?;
    command::ask(program, arguments, Limits { time: LIMIT, bytes: MAX_SAID }).await
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

    #[test]
    fn what_is_seen_in_time_is_told() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(runtime.block_on(look(|| 7)), Some(7));
    }
}
