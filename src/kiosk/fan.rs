//! The chassis' fan has no data line: whether it runs is concluded from the temperature beside its thermostat, and a step of
//! the wall power by what its plate says confirms that or contradicts it.

pub mod sense;

use std::{collections::VecDeque, time::Instant};

use crate::config::FanEntry;

/// Samples that are compared on each side of a step, one a second.
const SIDE: usize = 5;
/// Between them: the time a step takes to be seen whole.
const BETWEEN: usize = 2;
/// A step is one if it is this share of what the plate says: fans draw less than their plate, and more cold.
const SHARE: std::ops::RangeInclusive<f64> = 0.6..=1.4;
/// A step is one if it is so many times what the means scatter by.
const CLEAR: f64 = 6.0;

/// What is concluded about the fan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fan {
    /// What the thermostat and the fan are.
    pub entry: FanEntry,
    /// Whether it runs, by the temperature; `None` between the two temperatures of the thermostat, before either was passed.
    pub runs: Option<bool>,
    /// The temperature that this is concluded from.
    pub celsius: Option<f64>,
    /// Whether the last step of the wall power says that it runs, and when it was.
    pub step: Option<(bool, Instant)>,
    /// Whether it runs by a wire of its own, which counts more than what is concluded.
    pub sensed: Option<bool>,
}

impl Fan {
    /// Nothing is known yet.
    pub fn new(entry: FanEntry) -> Self {
        Self { entry, runs: None, celsius: None, step: None, sensed: None }
    }

    /// A temperature beside the thermostat.
    pub fn feel(&mut self, celsius: f64) {
        self.celsius = Some(celsius);
        if self.entry.set_point_celsius <= celsius {
            self.runs = Some(true);
        } else if celsius <= self.entry.set_point_celsius - self.entry.hysteresis_k {
            self.runs = Some(false);
        }
    }

    /// What the wall power's last step says about what the temperature says: confirmed, contradicted, or nothing.
    pub fn is_confirmed(&self) -> Option<bool> {
        Some(self.step?.0 == self.runs?)
    }
}

/// Sees the fan being switched in the wall power that the computers do not account for.
#[derive(Clone, Debug)]
pub struct StepDetector {
    watts: f64,
    samples: VecDeque<f64>,
}

impl StepDetector {
    /// For a fan with this power on its plate.
    pub fn new(watts: f64) -> Self {
        Self { watts, samples: VecDeque::new() }
    }

    /// Forgets what it has seen: a sample is missing, or the computers' load is not known.
    pub fn forget(&mut self) {
        self.samples.clear();
    }

    /// A sample of the wall power less the computers', one a second; says whether the fan was just switched on or off.
    pub fn add(&mut self, watts: f64) -> Option<bool> {
        self.samples.push_back(watts);
        if self.samples.len() < 2 * SIDE + BETWEEN {
            return None;
        }
        let side = |from: usize| {
            let side: Vec<f64> = self.samples.range(from..from + SIDE).copied().collect();
            let mean = side.iter().sum::<f64>() / SIDE as f64;
            let squares = side.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>();
            (mean, squares / (SIDE - 1) as f64)
        };
        let ((before, scatter), (after, other)) = (side(0), side(SIDE + BETWEEN));
        self.samples.pop_front();
        let step = after - before;
        let error = ((scatter + other) / SIDE as f64).sqrt();
        let is_one = SHARE.contains(&(step.abs() / self.watts)) && CLEAR * error < step.abs();
        if is_one {
            self.samples.clear();
        }
        is_one.then_some(0.0 < step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chance without a library: xorshift64* (Vigna 2016), the same at every run.
    struct Chance(u64);

    impl Chance {
        fn share(&mut self) -> f64 {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
        }

        /// Normally distributed (Box and Muller 1958).
        fn normal(&mut self) -> f64 {
            let radius = (-2.0 * (1.0 - self.share()).ln()).sqrt();
            radius * (std::f64::consts::TAU * self.share()).cos()
        }
    }

    #[test]
    fn the_thermostat_has_two_temperatures() {
        let entry =
            FanEntry { set_point_celsius: 60.0, hysteresis_k: 5.0, watts: None, wire: None };
        let mut fan = Fan::new(entry);
        for (celsius, runs) in [
            (57.0, None),
            (54.0, Some(false)),
            (59.9, Some(false)),
            (60.0, Some(true)),
            (56.0, Some(true)),
            (55.0, Some(false)),
        ] {
            fan.feel(celsius);
            assert_eq!(fan.runs, runs, "{celsius}");
        }
        assert_eq!(fan.is_confirmed(), None);
        fan.step = Some((false, Instant::now()));
        assert_eq!(fan.is_confirmed(), Some(true));
        fan.step = Some((true, Instant::now()));
        assert_eq!(fan.is_confirmed(), Some(false));
    }

    #[test]
    fn a_fan_of_thirty_watts_is_seen_within_ten_seconds() {
        let mut chance = Chance(3);
        let mut seen = 0;
        for turn in 0..1_000 {
            let (mut detector, is_on) = (StepDetector::new(30.0), turn % 2 == 0);
            let found = (0..40).find_map(|second| {
                let fan = if (second < 20) == is_on { 0.0 } else { 27.0 };
                let step = detector.add(8.0 + fan + 0.7 * chance.normal())?;
                Some((second, step))
            });
            seen += u32::from(
                found.is_some_and(|(second, step)| (20..30).contains(&second) && step == is_on),
            );
        }
        assert_eq!(seen, 1_000);
    }

    #[test]
    fn false_alarms_are_fewer_than_one_a_week_on_noise_and_loads() {
        // Twelve days of a second each: noise, a slow drift, and computers whose steps are accounted for up to 2 W.
        const SECONDS: u32 = 1_000_000;
        let (mut chance, mut detector) = (Chance(11), StepDetector::new(30.0));
        let (mut alarms, mut unexplained) = (0, 0.0);
        for second in 0..SECONDS {
            if second % 600 == 0 {
                unexplained = 4.0 * (chance.share() - 0.5);
            }
            let drift = 3.0 * (f64::from(second) / 9_000.0).sin();
            let sample = 8.0 + drift + unexplained + 1.0 * chance.normal();
            alarms += u32::from(detector.add(sample).is_some());
        }
        println!("{alarms} false alarms in {SECONDS} s");
        assert!(alarms <= 1, "{alarms}");
    }
}
