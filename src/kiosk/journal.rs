//! The newest lines of the log, kept in memory for the owner's menu; they go to standard error as ever.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use log::{Log, Metadata, Record};

/// Most lines that are kept.
const MOST: usize = 400;
/// Most characters of a line that are kept.
const LONGEST: usize = 400;

static LINES: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// A log that keeps what it lets through.
pub struct Journal<L>(pub L);

impl<L: Log> Log for Journal<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if self.0.enabled(record.metadata()) {
            keep(format!("{} {}", record.level(), record.args()));
        }
        self.0.log(record);
    }

    fn flush(&self) {
        self.0.flush();
    }
}

/// Keeps a line, and forgets the oldest if there are too many.
fn keep(line: String) {
    let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    if lines.len() == MOST {
        lines.pop_front();
    }
    lines.push_back(line.replace('\n', " ").chars().take(LONGEST).collect());
}

/// The newest lines, the oldest of them first.
pub fn lines(most: usize) -> Vec<String> {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().skip(lines.len().saturating_sub(most)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_are_kept_and_none_is_endless() {
        for number in 0..MOST + 5 {
            keep(format!("line {number}\nof two"));
        }
        keep("x".repeat(10 * LONGEST));
        let newest = lines(2);
        assert_eq!((&newest[0][..], newest[1].len()), ("line 404 of two", LONGEST));
        assert_eq!(lines(usize::MAX).len(), MOST);
    }
}
