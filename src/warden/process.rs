//! One process as `/proc/PID/stat` tells it. Reads, never signals.

use std::{fs, io::Read, path::Path};

use rustix::process::Pid;

/// Longest `stat` line: some fifty numbers of at most twenty digits and a name.
const MAX_STAT: u64 = 4096;

/// A process; equal only to itself, because a number that is used again comes with another start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    /// Its number.
    pub pid: Pid,
    /// The number of its parent; 0 for those that the kernel started.
    pub parent: i32,
    /// Clock ticks from boot to its start.
    pub started: u64,
    /// Whether it has ended and only waits to be asked for its status.
    pub is_dead: bool,
}

impl Process {
    /// The process that has this number now; `None` if none has.
    pub fn read(pid: Pid) -> Option<Self> {
        Self::read_in(Path::new("/proc"), pid)
    }

    /// As [`Self::read`], from a process file system mounted elsewhere.
    pub fn read_in(proc: &Path, pid: Pid) -> Option<Self> {
        let path = proc.join(pid.as_raw_nonzero().to_string()).join("stat");
        let mut line = Vec::with_capacity(512);
        fs::File::open(path).ok()?.take(MAX_STAT).read_to_end(&mut line).ok()?;
        parse_stat(&line)
    }

    /// Whether both are the same process, seen at different times.
    pub fn is_same_as(&self, other: &Process) -> bool {
        self.pid == other.pid && self.started == other.started
    }
}

/// Reads a line of `/proc/PID/stat` (proc(5)); `None` if it is not one.
///
/// The second field is the program's name in parentheses; it may itself contain spaces, parentheses and line ends,
/// so fields are counted from the last closing parenthesis.
pub fn parse_stat(line: &[u8]) -> Option<Process> {
    let open = line.iter().position(|byte| *byte == b'(')?;
    let close = line.iter().rposition(|byte| *byte == b')')?;
    let pid = std::str::from_utf8(line.get(..open)?).ok()?.trim().parse().ok()?;
    let fields = std::str::from_utf8(line.get(close + 1..)?).ok()?;
    // `fields` starts with field 3.
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let threads: i64 = fields.nth(15)?.parse().ok()?; // field 20
    let started = fields.nth(1)?.parse().ok()?; // field 22
    // A zombie with threads is a process whose main thread has ended while others run on.
    let is_dead = matches!(state, "Z" | "X" | "x") && threads <= 1;
    Some(Process { pid: Pid::from_raw(pid)?, parent, started, is_dead })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Captured from a Debian 12 machine (kernel 6.18); the names are the only change.
    const REST: &str = "S 51220 51232 51220 0 -1 4194304 124 0 0 0 1 2 0 0 20 0 1 0 158437 5943296 473 \
        18446744073709551615 94222951874560 94222951894441 140729153926944 0 0 0 0 0 0 1 0 0 17 0 0 0 0 0 0 \
        94222951908272 94222951909592 94223323029504 140729153933600 140729153933611 140729153933611 \
        140729153937385 0\n";

    #[test]
    fn the_name_of_a_program_may_look_like_fields() {
        for name in ["sleep", "tmux: server", ") R 1 (", "a)\n(b", "(sd-pam)", ""] {
            let process = parse_stat(format!("51232 ({name}) {REST}").as_bytes()).unwrap();
            assert_eq!(process.pid.as_raw_nonzero().get(), 51232, "{name}");
            assert_eq!((process.parent, process.started, process.is_dead), (51220, 158437, false));
        }
    }

    #[test]
    fn a_name_that_is_not_text_is_no_obstacle() {
        let line = [b"51232 (\xff\xfe) ", REST.as_bytes()].concat();
        assert_eq!(parse_stat(&line).unwrap().parent, 51220);
    }

    #[test]
    fn a_zombie_is_dead_unless_threads_of_it_run_on() {
        let zombie = REST.replacen('S', "Z", 1);
        assert!(parse_stat(format!("51232 (sleep) {zombie}").as_bytes()).unwrap().is_dead);
        let headless = zombie.replacen(" 20 0 1 0 ", " 20 0 3 0 ", 1);
        assert!(!parse_stat(format!("51232 (sleep) {headless}").as_bytes()).unwrap().is_dead);
    }

    #[test]
    fn a_line_that_is_cut_short_is_no_process() {
        let line = format!("51232 (sleep) {REST}");
        let needed = line.find("158437").unwrap();
        for length in 0..needed {
            assert_eq!(parse_stat(&line.as_bytes()[..length]), None, "{}", &line[..length]);
        }
    }
}
