//! How often a PIN may be tried. Pure: time is an argument.

use std::time::{Duration, Instant};

/// Wrong PINs after which each further one costs time.
const FREE: u32 = 3;
/// The first wait; it doubles with every further wrong PIN.
const FIRST_WAIT: Duration = Duration::from_secs(10);
/// The longest one: 288 tries a day, so that four digits take 17 days on average.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Counts the wrong PINs since the last right one.
#[derive(Debug, Default)]
pub struct Door {
    wrong: u32,
    shut_until: Option<Instant>,
}

impl Door {
    /// Until when no PIN is looked at; `None` if one is at `now`.
    pub fn shut_until(&self, now: Instant) -> Option<Instant> {
        self.shut_until.filter(|until| now < *until)
    }

    /// A PIN was wrong; until when the next one has to wait.
    pub fn wrong(&mut self, now: Instant) -> Option<Instant> {
        self.wrong = self.wrong.saturating_add(1);
        let beyond = self.wrong.checked_sub(FREE)?;
        let wait = FIRST_WAIT.saturating_mul(1 << beyond.min(16)).min(LONGEST_WAIT);
        self.shut_until = Some(now + wait);
        self.shut_until
    }

    /// A PIN was right.
    pub fn right(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_pin_after_the_third_waits_longer_up_to_five_minutes() {
        let (mut door, mut now) = (Door::default(), Instant::now());
        assert_eq!([door.wrong(now), door.wrong(now)], [None; 2]);
        for expected in [10, 20, 40, 80, 160, 300, 300] {
            let until = door.wrong(now).unwrap();
            assert_eq!(until - now, Duration::from_secs(expected));
            assert_eq!(door.shut_until(until - Duration::from_millis(1)), Some(until));
            assert_eq!(door.shut_until(until), None);
            now = until;
        }
        for _ in 0..100 {
            assert_eq!(door.wrong(now), Some(now + LONGEST_WAIT));
        }
        door.right();
        assert_eq!((door.shut_until(now), door.wrong(now)), (None, None));
    }
}
