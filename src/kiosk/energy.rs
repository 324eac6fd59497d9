//! The energy of a run: the wall power from its launch to its end, above what the machine takes while it does nothing.
//! Pure arithmetic on samples; who takes them and who shows the sum is elsewhere.
//!
//! Between two samples power is taken for a straight line (trapezoid); what happened in a gap is not guessed, and what is
//! missing is said.

mod compare;

use std::time::{Duration, Instant};

pub use compare::{Comparison, compare};

/// Longest time between two measurements that is still known: what happened in a longer one is not guessed.
pub const LONGEST_GAP: Duration = Duration::from_secs(3);
/// The idle power is the mean of this time before the launch.
pub const BASELINE: Duration = Duration::from_secs(30);
/// Fewer samples than this are no baseline.
const LEAST_BASELINE: usize = 10;
/// A run that ended this shortly before leaves the machine warm and its fans on: no baseline then.
const SETTLE: Duration = Duration::from_secs(5);
/// What the meter's scale may be off: the maker promises nothing; 1 % is what meters of this kind are sold with.
pub const SCALE_ERROR: f64 = 0.01;
/// Two-sided 95 % of a normal distribution, in standard deviations.
const COVER: f64 = 1.96;

/// A mean with what it may be off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Idle {
    /// W.
    pub watts: f64,
    /// Standard error of the mean, W.
    pub error_watts: f64,
}

/// The idle power just now: samples of the last half minute while nothing ran.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    samples: std::collections::VecDeque<(Instant, f64)>,
    quiet_since: Option<Instant>,
}

impl Baseline {
    /// A sample; `is_idle` says whether nothing ran.
    pub fn add(&mut self, at: Instant, watts: f64, is_idle: bool) {
        if !is_idle {
            self.samples.clear();
            self.quiet_since = None;
            return;
        }
        let since = *self.quiet_since.get_or_insert(at);
        if at.saturating_duration_since(since) < SETTLE {
            return;
        }
        self.samples.push_back((at, watts));
        let is_old = |first: &(Instant, f64)| BASELINE < at.saturating_duration_since(first.0);
        while self.samples.front().is_some_and(is_old) {
            self.samples.pop_front();
        }
    }

    /// The mean, if there was enough quiet before `now`.
    pub fn idle(&self, now: Instant) -> Option<Idle> {
        let recent = |at: Instant| now.saturating_duration_since(at) <= BASELINE + LONGEST_GAP;
        let known: Vec<f64> =
            self.samples.iter().filter(|sample| recent(sample.0)).map(|sample| sample.1).collect();
        if known.len() < LEAST_BASELINE {
            return None;
        }
        let count = known.len() as f64;
        let watts = known.iter().sum::<f64>() / count;
        let squares = known.iter().map(|sample| (sample - watts).powi(2)).sum::<f64>();
        Some(Idle { watts, error_watts: (squares / (count - 1.0) / count).sqrt() })
    }
}

/// What a run has taken so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Energy {
    /// From the first sample to the last, without gaps, s.
    pub covered_s: f64,
    /// Gaps, and the time from the launch to a late first sample, s.
    pub missing_s: f64,
    /// All that the wall gave, J.
    pub all_joules: f64,
    /// The same above the idle power, if that is known, J.
    pub above_joules: Option<f64>,
    /// What `all_joules` may be off, in 95 of 100 runs, J.
    pub all_error_joules: f64,
    /// The same for `above_joules`.
    pub above_error_joules: f64,
}

/// The time between two moments, if it is longer than what is bridged.
pub fn gap(from: Instant, to: Instant) -> Duration {
    let elapsed = to.saturating_duration_since(from);
    if LONGEST_GAP < elapsed { elapsed } else { Duration::ZERO }
}

/// Adds up a run.
#[derive(Clone, Debug)]
pub struct Run {
    idle: Option<Idle>,
    began: Instant,
    last: Option<(Instant, f64)>,
    energy: Energy,
    /// Sum of the squares of what the samples weigh, s².
    weights: f64,
    /// What the sample before weighs so far, s.
    weight: f64,
    /// How samples scatter around the line through their neighbours: sum of squares and count.
    scatter: (f64, u32),
    before_last: Option<(Instant, f64)>,
}

impl Run {
    /// A run begins; without an idle power only all of it is known.
    pub fn new(idle: Option<Idle>, began: Instant) -> Self {
        Self {
            idle,
            began,
            last: None,
            energy: Energy { above_joules: idle.map(|_| 0.0), ..Default::default() },
            weights: 0.0,
            weight: 0.0,
            scatter: (0.0, 0),
            before_last: None,
        }
    }

    /// A sample of the wall power; one that is older than the last is dropped.
    pub fn add(&mut self, at: Instant, watts: f64) {
        let Some((before, were)) = self.last else {
            self.energy.missing_s = gap(self.began, at).as_secs_f64();
            self.last = Some((at, watts));
            return;
        };
        let Some(elapsed) = at.checked_duration_since(before) else { return };
        let seconds = elapsed.as_secs_f64();
        self.weights += self.weight.powi(2);
        if LONGEST_GAP < elapsed {
            self.energy.missing_s += seconds;
            self.before_last = None;
            self.weight = 0.0;
        } else {
            self.energy.covered_s += seconds;
            self.energy.all_joules += (were + watts) / 2.0 * seconds;
            // The weight of a sample is half of the time on each of its sides.
            self.weights += (self.weight + seconds / 2.0).powi(2) - self.weight.powi(2);
            self.weight = seconds / 2.0;
            if let Some((first_at, first)) = self.before_last {
                let whole = at.saturating_duration_since(first_at).as_secs_f64();
                let part = before.saturating_duration_since(first_at).as_secs_f64() / whole;
                let off = were - (first + (watts - first) * part);
                // The variance of such a difference is that of a sample times 1 + part² + (1 - part)².
                let share = 1.0 + part.powi(2) + (1.0 - part).powi(2);
                self.scatter.0 += off.powi(2) / share;
                self.scatter.1 += 1;
            }
            self.before_last = Some((before, were));
        }
        self.last = Some((at, watts));
        self.reckon();
    }

    /// What it has taken so far.
    pub fn energy(&self) -> Energy {
        self.energy
    }

    /// When the newest sample was taken; the launch while there is none.
    pub fn newest(&self) -> Instant {
        self.last.map_or(self.began, |(at, _)| at)
    }

    fn reckon(&mut self) {
        let (squares, count) = self.scatter;
        let variance = if count == 0 { 0.0 } else { squares / f64::from(count) };
        let weights = self.weights + self.weight.powi(2);
        let energy = &mut self.energy;
        let samples = variance * weights;
        energy.all_error_joules =
            COVER * (samples + (SCALE_ERROR / COVER * energy.all_joules).powi(2)).sqrt();
        let Some(idle) = self.idle else { return };
        let above = energy.all_joules - idle.watts * energy.covered_s;
        energy.above_joules = Some(above);
        let base = (idle.error_watts * energy.covered_s).powi(2);
        energy.above_error_joules =
            COVER * (samples + base + (SCALE_ERROR / COVER * above).powi(2)).sqrt();
    }
}

#[cfg(test)]
mod tests;
