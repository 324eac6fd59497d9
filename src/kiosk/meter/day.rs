//! The energy of a day, from the meter's own history up to the start and from its measurements since then.
//!
//! Its hours are enough for that. Its days are not asked for: sources disagree whether today is one of them, and no captured
//! answer tells.

use std::time::Instant;

use jiff::civil::{Date, DateTime, Time};

use crate::energy::LONGEST_GAP;

/// Energy since midnight, or since the first measurement where the meter has no history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Day {
    /// Wh.
    pub wh: f64,
    /// From when on it counts.
    pub since: Time,
    date: Date,
    last: Option<(Instant, f64)>,
}

impl Day {
    /// Nothing yet.
    pub fn new(now: DateTime) -> Self {
        Self { wh: 0.0, since: now.time(), date: now.date(), last: None }
    }

    /// The meter has told its hours, the running one last; zeros only are a meter that has forgotten the time. It went on
    /// counting while nobody heard it, but it counts whole watt hours: what was counted here is not made less.
    pub fn remember(&mut self, hours: &[u16; 24], now: DateTime) {
        self.turn(now);
        let today = &hours[23 - now.hour().clamp(0, 23) as usize..];
        let wh: f64 = today.iter().copied().map(f64::from).sum();
        if 0.0 < wh {
            (self.wh, self.since) = (wh.max(self.wh), Time::midnight());
        }
    }

    /// A measurement; what happened in a gap is not guessed.
    pub fn add(&mut self, at: Instant, watts: f64, now: DateTime) {
        self.turn(now);
        if let Some((before, were)) = self.last {
            let elapsed = at.saturating_duration_since(before);
            if elapsed <= LONGEST_GAP {
                self.wh += (were + watts) / 2.0 * elapsed.as_secs_f64() / 3600.0;
            }
        }
        self.last = Some((at, watts));
    }

    /// A new day may have begun.
    fn turn(&mut self, now: DateTime) {
        if self.date != now.date() {
            *self = Self { since: Time::midnight(), ..Self::new(now) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(hour: i8, minute: i8) -> DateTime {
        jiff::civil::date(2026, 7, 1).at(hour, minute, 0, 0)
    }

    #[test]
    fn the_meters_hours_since_midnight_count_and_those_of_yesterday_do_not() {
        let mut day = Day::new(at(2, 30));
        let mut hours = [100; 24];
        hours[21..].copy_from_slice(&[7, 8, 3]);
        day.remember(&hours, at(2, 30));
        assert_eq!((day.wh, day.since), (18.0, Time::midnight()));
        // A second connection does not count them twice.
        let start = Instant::now();
        day.add(start, 3600.0, at(2, 30));
        day.add(start + Duration::from_secs(1), 3600.0, at(2, 30));
        day.remember(&hours, at(2, 31));
        assert_eq!(day.wh, 19.0);
    }

    #[test]
    fn what_the_meter_counted_while_nobody_heard_it_belongs_to_the_day() {
        let mut day = Day::new(at(2, 30));
        let mut hours = [0; 24];
        hours[23] = 18;
        day.remember(&hours, at(2, 30));
        hours[23] = 31;
        day.remember(&hours, at(2, 50));
        assert_eq!((day.wh, day.since), (31.0, Time::midnight()));
        // Heard again on the next day only.
        hours = [50; 24];
        day.remember(&hours, at(0, 10).tomorrow().unwrap());
        assert_eq!((day.wh, day.since), (50.0, Time::midnight()));
    }

    #[test]
    fn a_meter_that_forgot_the_time_says_nothing_of_the_day() {
        let mut day = Day::new(at(14, 5));
        day.remember(&[0; 24], at(14, 5));
        assert_eq!((day.wh, day.since), (0.0, at(14, 5).time()));
    }

    #[test]
    fn gaps_are_not_filled_and_midnight_begins_anew() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut day = Day::new(at(14, 5));
        for (seconds, watts) in [(0, 3600.0), (1, 3600.0), (60, 7200.0), (62, 7200.0)] {
            day.add(start + second * seconds, watts, at(14, 5));
        }
        assert_eq!(day.wh, 1.0 + 4.0);
        day.add(start + second * 63, 3600.0, at(0, 0).tomorrow().unwrap());
        assert_eq!((day.wh, day.since), (0.0, Time::midnight()));
    }
}
