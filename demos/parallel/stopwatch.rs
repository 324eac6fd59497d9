//! Where a rank's time goes.

use std::time::{Duration, Instant};

/// What a rank does at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It computes.
    Compute = 0,
    /// It hands messages to MPI and copies pictures.
    Communicate = 1,
    /// It waits for other ranks, in MPI, with a busy core.
    Wait = 2,
    /// It sleeps because there is nothing to do.
    Rest = 3,
}

/// Shares of an interval, 0 to 1; what is missing to 1 was rest.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shares {
    /// Of [`Activity::Compute`].
    pub compute: f32,
    /// Of [`Activity::Communicate`].
    pub communicate: f32,
    /// Of [`Activity::Wait`].
    pub wait: f32,
}

/// Adds up the time per activity.
#[derive(Clone, Debug)]
pub struct Stopwatch {
    spent: [Duration; 4],
    activity: Activity,
    since: Instant,
}

impl Stopwatch {
    /// Starts at `now` with [`Activity::Rest`].
    pub fn new(now: Instant) -> Self {
        Self { spent: [Duration::ZERO; 4], activity: Activity::Rest, since: now }
    }

    /// Something else begins now.
    pub fn switch(&mut self, activity: Activity) {
        self.switch_at(activity, Instant::now());
    }

    /// Something else began at `now`.
    pub fn switch_at(&mut self, activity: Activity, now: Instant) {
        self.spent[self.activity as usize] += now.saturating_duration_since(self.since);
        (self.activity, self.since) = (activity, now);
    }

    /// The shares since the last call, or since the start; a new interval begins at `now`.
    pub fn lap(&mut self, now: Instant) -> Shares {
        self.switch_at(self.activity, now);
        let spent = std::mem::take(&mut self.spent);
        let all: Duration = spent.iter().sum();
        if all.is_zero() {
            return Shares::default();
        }
        let share =
            |activity| Duration::div_duration_f32(spent[activity as usize], all).clamp(0.0, 1.0);
        Shares {
            compute: share(Activity::Compute),
            communicate: share(Activity::Communicate),
            wait: share(Activity::Wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_the_interval() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut stopwatch = Stopwatch::new(start);
        stopwatch.switch_at(Activity::Compute, at(250));
        stopwatch.switch_at(Activity::Communicate, at(750));
        stopwatch.switch_at(Activity::Wait, at(875));
        let first = stopwatch.lap(at(1000));
        assert_eq!(first, Shares { compute: 0.5, communicate: 0.125, wait: 0.125 });
        let second = stopwatch.lap(at(1500));
        assert_eq!(second, Shares { compute: 0.0, communicate: 0.0, wait: 1.0 });
    }

    #[test]
    fn an_interval_without_length_has_no_shares() {
        let start = Instant::now();
        assert_eq!(Stopwatch::new(start).lap(start), Shares::default());
    }
}
