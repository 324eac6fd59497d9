//! What the agent itself takes, by the names that Prometheus' clients use; always of this machine.

use std::path::Path;

use rustix::time::{ClockId, clock_gettime};
use wire::metrics::family;

use super::{Outcome, Source};
use crate::{root::attribute, samples::Samples};

pub struct Process;

impl Source for Process {
    fn name(&self) -> &str {
        "process"
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        let used = clock_gettime(ClockId::ProcessCPUTime);
        let seconds = used.tv_sec as f64 + used.tv_nsec as f64 / 1e9;
        found.add(&family::AGENT_CPU_SECONDS, [], seconds);
        let pages = attribute(Path::new("/proc/self/statm")).ok().as_deref().and_then(resident);
        let bytes = pages.map(|pages| (pages * rustix::param::page_size() as u64) as f64);
        found.add_some(&family::AGENT_MEMORY, [], bytes);
        found.add(&family::AGENT_BUILD, [("version", env!("CARGO_PKG_VERSION").into())], 1.0);
        Outcome::Read
    }
}

/// Pages in memory, the second field of `/proc/PID/statm` (proc(5)).
fn resident(statm: &str) -> Option<u64> {
    statm.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_field_is_what_is_in_memory() {
        assert_eq!(resident("1451 473 384 5 0 113 0\n"), Some(473));
        assert_eq!(resident("1451"), None);
    }
}
