//! CPU time by core and mode, and when the node was started: `/proc/stat`.

use wire::metrics::family;

use super::{Outcome, Source};
use crate::{root::Root, samples::Samples};

/// Ticks per second of `/proc/stat`; Linux tells user space 100 on every architecture we know, node_exporter relies on it too.
const TICKS_PER_SECOND: f64 = 100.0;
/// The columns, in their order (proc(5)); what follows is contained in the first two.
const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
/// A time before this is a clock that was not set: 2010.
const EARLIEST_BOOT: f64 = 1_262_304_000.0;

pub struct Cpu(pub Root);

impl Source for Cpu {
    fn name(&self) -> &str {
        "cpu"
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        let Ok(text) = self.0.text("proc/stat") else { return Outcome::Failed };
        for (core, ticks) in cores(&text) {
            for (mode, ticks) in MODES.into_iter().zip(ticks) {
                let labels = [("cpu", core.to_string().into()), ("mode", mode.into())];
                found.add(&family::CPU_SECONDS, labels, ticks as f64 / TICKS_PER_SECOND);
            }
        }
        found.add_some(&family::BOOT_TIME, [], boot_time(&text));
        Outcome::of(found)
    }
}

/// The cores that are on-line, by their number, and their ticks in each mode. A line that is not whole is left out.
fn cores(stat: &str) -> impl Iterator<Item = (u32, [u64; MODES.len()])> {
    stat.lines().filter_map(|line| {
        let mut words = line.strip_prefix("cpu")?.split_ascii_whitespace();
        // The line of the total begins with a space and so has no number here.
        let core = if line.starts_with("cpu ") { None } else { words.next()?.parse().ok() }?;
        let mut ticks = [0; MODES.len()];
        for tick in &mut ticks {
            *tick = words.next()?.parse().ok()?;
        }
        Some((core, ticks))
    })
}

/// Seconds since 1970.
fn boot_time(stat: &str) -> Option<f64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok().filter(|seconds| EARLIEST_BOOT < *seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Captured on a Debian 12 machine with two cores.
    const STAT: &str = "cpu  56527 0 15970 1512650 1004 0 105 43 0 0\n\
        cpu0 27768 0 6116 758828 305 0 26 20 0 0\n\
        cpu1 28759 0 9854 753822 699 0 79 23 0 0\n\
        intr 1862012 0 0 0 0\nctxt 4224310\nbtime 1795426656\nprocesses 81022\n";

    #[test]
    fn cores_are_told_by_their_number() {
        let cores: Vec<_> = cores(STAT).collect();
        assert_eq!(cores[0], (0, [27768, 0, 6116, 758_828, 305, 0, 26, 20]));
        assert_eq!(cores.len(), 2);
        assert_eq!(boot_time(STAT), Some(1_795_426_656.0));
    }

    #[test]
    fn a_core_that_is_off_line_leaves_a_gap() {
        let stat = "cpu 1 1 1 1 1 1 1 1 1 1\ncpu0 1 1 1 1 1 1 1 1 0 0\ncpu3 2 2 2 2 2 2 2 2 0 0\n";
        assert_eq!(cores(stat).map(|(core, _)| core).collect::<Vec<_>>(), [0, 3]);
    }

    #[test]
    fn a_line_that_is_not_whole_is_no_core() {
        for line in
            ["", "cpu", "cpu0", "cpu0 1 2 3", "cpu0 1 2 3 4 5 6 7 -8", "cpux 1 1 1 1 1 1 1 1"]
        {
            assert_eq!(cores(line).count(), 0, "{line}");
        }
        let cut = STAT.find(" 20 0 0\n").unwrap();
        for length in 0..cut {
            assert_eq!(cores(&STAT[..length]).count(), 0, "{}", &STAT[..length]);
        }
    }

    #[test]
    fn a_clock_that_was_not_set_tells_no_boot_time() {
        assert_eq!(boot_time("btime 12\n"), None);
        assert_eq!(boot_time("btime -1\n"), None);
    }
}
