//! Main memory and swap: `/proc/meminfo`.

use wire::metrics::family::{self, Family};

use super::{Outcome, Source};
use crate::{root::Root, samples::Samples};

const FIELDS: [(&str, &Family); 4] = [
    ("MemTotal", &family::MEMORY_TOTAL),
    ("MemAvailable", &family::MEMORY_AVAILABLE),
    ("SwapTotal", &family::SWAP_TOTAL),
    ("SwapFree", &family::SWAP_FREE),
];

pub struct Memory(pub Root);

impl Source for Memory {
    fn name(&self) -> &str {
        "meminfo"
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        let Ok(text) = self.0.text("proc/meminfo") else { return Outcome::Failed };
        for (name, family) in FIELDS {
            found.add_some(family, [], bytes(&text, name));
        }
        Outcome::of(found)
    }
}

/// A field in bytes. The file says kB and means 1,024 bytes.
fn bytes(meminfo: &str, name: &str) -> Option<f64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let mut words = line.split_ascii_whitespace();
    let kib: u64 = words.next()?.parse().ok()?;
    (words.next() == Some("kB")).then_some(kib as f64 * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_in_bytes() {
        let text = "MemTotal:        4156676 kB\nMemFree:  1 kB\nSwapTotal:             0 kB\n";
        assert_eq!(bytes(text, "MemTotal"), Some(4_256_436_224.0));
        assert_eq!(bytes(text, "SwapTotal"), Some(0.0), "a machine without swap has none of it");
        assert_eq!(bytes(text, "MemAvailable"), None);
    }

    #[test]
    fn a_field_that_is_cut_or_no_number_is_absent() {
        for text in
            ["MemTotal:", "MemTotal: 415", "MemTotal: -5 kB", "MemTotal: x kB", "MemTotal 5 kB"]
        {
            assert_eq!(bytes(text, "MemTotal"), None, "{text}");
        }
    }
}
