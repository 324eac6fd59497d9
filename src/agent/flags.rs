//! What several sources complain about, as one complaint.

use wire::metrics::family;

use crate::samples::{Label, Samples};

/// The supply sags below the board's limit.
pub const UNDER_VOLTAGE: &str = "under-voltage";
/// The board runs slower because it is hot.
pub const THROTTLED: &str = "throttled";

/// The labels of a complaint.
pub fn labels(reason: &'static str, since: &'static str) -> [Label; 2] {
    [("reason", reason.into()), ("since", since.into())]
}

/// Of each complaint, whether any source has it. On a Pi both the firmware and the kernel watch the supply, and the
/// kernel clears what the firmware remembers.
pub fn combine(samples: &mut Samples) {
    let mut flags = samples.take(&family::FLAG);
    flags.sort_by(|a, b| a.labels.cmp(&b.labels));
    for said in flags.chunk_by(|a, b| a.labels == b.labels) {
        let any = said.iter().any(|flag| flag.value != 0.0);
        samples.add(&family::FLAG, said[0].labels.clone(), f64::from(u8::from(any)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_that_complains_is_enough() {
        let mut samples = Samples::default();
        samples.add(&family::FLAG, labels(UNDER_VOLTAGE, "now"), 0.0);
        samples.add(&family::FLAG, labels(THROTTLED, "now"), 0.0);
        samples.add(&family::FLAG, labels(UNDER_VOLTAGE, "now"), 1.0);
        combine(&mut samples);
        let said: Vec<_> =
            samples.of(&family::FLAG).map(|f| (f.label("reason"), f.value)).collect();
        assert_eq!(said, [("throttled", 0.0), ("under-voltage", 1.0)]);
    }
}
