//! The newest reading of every source, and how old it is; knows nothing of who shows it.

pub mod host;

use std::time::{Duration, Instant};

/// A source that stays silent this long is stale, never zero.
pub const STALE_AFTER: Duration = Duration::from_secs(3);

/// A value and when it was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample<T> {
    /// What was measured.
    pub value: T,
    /// When.
    pub at: Instant,
}

impl<T> Sample<T> {
    /// Whether the value is too old to be shown as current.
    pub fn is_stale(&self, now: Instant) -> bool {
        STALE_AFTER < now.saturating_duration_since(self.at)
    }
}

/// What is known about this machine; `None` is "not measured here".
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Telemetry {
    /// Share of all cores' time that was not idle, 0 to 1.
    pub load: Option<Sample<f64>>,
    /// Temperature of the processor.
    pub celsius: Option<Sample<f64>>,
}
