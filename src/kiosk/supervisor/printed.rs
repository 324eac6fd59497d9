//! What a demo prints: read without end, kept as one last line, passed on to the log within limits.

use std::time::{Duration, Instant};

use tokio::{io::AsyncReadExt, process::ChildStderr};

use super::rate::{Flood, Rate};

/// Bytes read at a time.
const CHUNK: usize = 4096;
/// Longest line that is kept, bytes; the rest of it is dropped.
const MAX_LINE: usize = 300;
/// Most lines a second that reach the log.
const LOGGED: u32 = 20;

/// The outputs of a demo and of its `mpirun`.
pub struct Printed {
    pipe: Option<ChildStderr>,
    chunk: Box<[u8]>,
    lines: Lines,
    rate: Rate,
}

impl Printed {
    /// Reads from `pipe`; `name` stands before every line in the log.
    pub fn new(pipe: Option<ChildStderr>, name: &str) -> Self {
        let (chunk, rate) = (vec![0; CHUNK].into(), Rate::default());
        Self { pipe, chunk, lines: Lines { name: name.into(), ..Lines::default() }, rate }
    }

    /// Takes what is printed until that is too much, or until its end (`None`). May be dropped and called again
    /// without loss.
    pub async fn next(&mut self) -> Option<Flood> {
        while let Some(pipe) = &mut self.pipe {
            let count = pipe.read(&mut self.chunk).await.unwrap_or(0);
            if count == 0 {
                self.pipe = None;
                break;
            }
            let now = Instant::now();
            for line in self.lines.take(&self.chunk[..count], now) {
                log::info!("{line}");
            }
            if let Err(flood) = self.rate.printed(count, now) {
                return Some(flood);
            }
        }
        None
    }

    /// Whether all that was printed has been read.
    pub fn is_over(&self) -> bool {
        self.pipe.is_none()
    }

    /// The last line that says something; empty if none does.
    pub fn last_line(&self) -> String {
        self.lines.last.clone()
    }
}

/// What a panic of Rust prints: a place, a message, a backtrace. The message is what matters.
#[derive(Debug, Default, PartialEq)]
enum Panic {
    #[default]
    None,
    Place,
    Message,
}

/// Puts lines together. Pure.
#[derive(Debug, Default)]
struct Lines {
    name: String,
    unfinished: Vec<u8>,
    last: String,
    panic: Panic,
    window: Option<Instant>,
    logged: u32,
}

impl Lines {
    /// The lines for the log that `bytes` complete.
    fn take(&mut self, bytes: &[u8], now: Instant) -> Vec<String> {
        let mut wanted = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                if self.unfinished.len() < MAX_LINE {
                    self.unfinished.push(*byte);
                }
                continue;
            }
            let text = String::from_utf8_lossy(&self.unfinished);
            let line: String = text.trim().chars().filter(|c| !c.is_control()).collect();
            self.unfinished.clear();
            // Open MPI frames its messages with dashes.
            if !line.contains(char::is_alphanumeric) {
                continue;
            }
            self.keep(&line);
            wanted.extend(self.ration(&line, now));
        }
        wanted
    }

    fn keep(&mut self, line: &str) {
        if self.panic == Panic::Message {
            return;
        }
        self.last = line.into();
        self.panic = match self.panic {
            Panic::None if line.starts_with("thread '") && line.contains(" panicked at ") => {
                Panic::Place
            }
            Panic::None => Panic::None,
            Panic::Place | Panic::Message => Panic::Message,
        };
    }

    fn ration(&mut self, line: &str, now: Instant) -> Option<String> {
        let is_over =
            |start: Instant| Duration::from_secs(1) <= now.saturating_duration_since(start);
        if self.window.is_none_or(is_over) {
            (self.window, self.logged) = (Some(now), 0);
        }
        self.logged += 1;
        match self.logged {
            ..=LOGGED => Some(format!("{}: {line}", self.name)),
            more if more == LOGGED + 1 => Some(format!("{}: (more lines are left out)", self.name)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Lines {
        Lines { name: "pipe".into(), ..Lines::default() }
    }

    #[test]
    fn the_last_line_that_says_something_is_kept() {
        let mut lines = lines();
        let now = Instant::now();
        // Open MPI 4.1.4 after kill -9 of a rank.
        let banner =
            b"--------------------------------------------------------------------------\n\
            mpirun noticed that process rank 1 with PID 0 on node pi exited on signal 9 (Killed).\n\
            --------------------------------------------------------------------------\n";
        assert_eq!(lines.take(banner, now).len(), 1);
        let expected =
            "mpirun noticed that process rank 1 with PID 0 on node pi exited on signal 9 (Killed).";
        assert_eq!(lines.last, expected);
    }

    #[test]
    fn of_a_panic_the_message_is_kept() {
        let mut lines = lines();
        // Rust 1.95 with RUST_BACKTRACE=1.
        let printed = b"\nthread '<unnamed>' (812) panicked at demos/pipe/main.rs:7:5:\nindex out of bounds\n\
            stack backtrace:\n   0: core::panicking::panic_fmt\n\
            note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.\n";
        lines.take(printed, Instant::now());
        assert_eq!(lines.last, "index out of bounds");
    }

    #[test]
    fn lines_may_arrive_in_pieces_and_without_text() {
        let mut lines = lines();
        let now = Instant::now();
        assert_eq!(lines.take(b"one ", now), [""; 0]);
        assert_eq!(lines.take(b"\xff\x1b[31mline\n", now), ["pipe: one \u{fffd}[31mline"]);
    }

    #[test]
    fn a_line_without_end_costs_no_memory() {
        let mut lines = lines();
        for _ in 0..1000 {
            lines.take(&[b'x'; CHUNK], Instant::now());
        }
        assert_eq!(lines.unfinished.len(), MAX_LINE);
    }

    #[test]
    fn the_log_gets_so_many_lines_a_second_and_a_word_about_the_rest() {
        let mut lines = lines();
        let now = Instant::now();
        let logged = lines.take(&b"line\n".repeat(1000), now);
        assert_eq!(logged.len(), 21);
        assert_eq!(logged[20], "pipe: (more lines are left out)");
        assert_eq!(lines.take(b"line\n", now + Duration::from_secs(1)).len(), 1);
    }
}
