//! When nobody is there: whether the kiosk is awake, plays by itself or sleeps. A pure state machine; time is an argument.

use std::time::{Duration, Instant};

use jiff::civil::Time;

/// So long after the last touch the night begins for a kiosk that a visitor has woken.
const AWAKE_AT_NIGHT: Duration = Duration::from_secs(120);
/// A demo that ends by itself makes room for the next one, but not faster than this.
const SHORTEST_PLAY: Duration = Duration::from_secs(10);

/// What the owner wants; nothing of it unless said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// So long after the last touch or key the demos are played; `None` for never.
    pub after: Option<Duration>,
    /// How long each is played.
    pub demo: Duration,
    /// From when to when the kiosk sleeps.
    pub night: Option<(Time, Time)>,
}

/// What the kiosk does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rest {
    /// Somebody is or was there.
    #[default]
    Awake,
    /// It plays the demos.
    Playing,
    /// It sleeps.
    Night,
}

/// What has to be done because of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Play the demo with this index.
    Play(usize),
    /// Stop what runs and be dark.
    Sleep,
    /// Be at home, light again.
    Rise,
}

/// Whether somebody is there.
#[derive(Debug)]
pub struct Idle {
    wanted: Wanted,
    rest: Rest,
    /// The last touch or key.
    touched: Instant,
    /// Since when this demo is played.
    since: Instant,
    /// Since when there is playing at all.
    began: Instant,
    /// It is over before its time.
    is_over: bool,
    next: usize,
}

impl Idle {
    /// Awake.
    pub fn new(wanted: Wanted, now: Instant) -> Self {
        let rest = Rest::Awake;
        Self { wanted, rest, touched: now, since: now, began: now, is_over: false, next: 0 }
    }

    /// What the kiosk does.
    pub fn rest(&self) -> Rest {
        self.rest
    }

    /// For how long it has been playing.
    pub fn played(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }

    /// Somebody is there; says whether that woke the kiosk.
    pub fn touch(&mut self, now: Instant) -> bool {
        self.touched = self.touched.max(now);
        std::mem::take(&mut self.rest) != Rest::Awake
    }

    /// The demo that is played has ended.
    pub fn over(&mut self) {
        self.is_over = true;
    }

    /// What is to be done at `now`, which is `time` of the day, with so many demos; `patience` is for how long a
    /// presenter may keep everything as it is.
    pub fn turn(
        &mut self,
        now: Instant,
        time: Time,
        demos: usize,
        patience: Duration,
    ) -> Option<Turn> {
        let quiet = now.saturating_duration_since(self.touched);
        let is_night = self.wanted.night.is_some_and(|night| is_within(time, night));
        match self.rest {
            Rest::Night if is_night => None,
            Rest::Night => {
                // Nobody has come yet: it goes on as on any other day.
                self.rest = Rest::Awake;
                Some(Turn::Rise)
            }
            Rest::Playing if is_night => self.sleep(),
            Rest::Awake if is_night => {
                if AWAKE_AT_NIGHT.max(patience) <= quiet {
                    self.sleep()
                } else {
                    None
                }
            }
            Rest::Awake => {
                let is_due = self.wanted.after.is_some_and(|after| after.max(patience) <= quiet);
                if !is_due || demos == 0 {
                    return None;
                }
                self.rest = Rest::Playing;
                self.began = now;
                Some(self.play(now, demos))
            }
            Rest::Playing => {
                let played = now.saturating_duration_since(self.since);
                let is_done = self.wanted.demo <= played && 1 < demos;
                let is_over = self.is_over && SHORTEST_PLAY <= played;
                (is_done || is_over).then(|| self.play(now, demos))
            }
        }
    }

    fn sleep(&mut self) -> Option<Turn> {
        self.rest = Rest::Night;
        Some(Turn::Sleep)
    }

    fn play(&mut self, now: Instant, demos: usize) -> Turn {
        let demo = self.next % demos.max(1);
        (self.next, self.since, self.is_over) = (demo + 1, now, false);
        Turn::Play(demo)
    }
}

/// Whether `time` is in the night, which may go over midnight; its end is morning already.
fn is_within(time: Time, (from, to): (Time, Time)) -> bool {
    if from < to { from <= time && time < to } else { from <= time || time < to }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Time = Time::constant(12, 0, 0, 0);
    const LATE: Time = Time::constant(23, 0, 0, 0);

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn idle(start: Instant) -> Idle {
        let night = Some((Time::constant(22, 0, 0, 0), Time::constant(8, 0, 0, 0)));
        Idle::new(Wanted { after: Some(seconds(60)), demo: seconds(30), night }, start)
    }

    #[test]
    fn demos_are_played_one_after_the_other_once_nobody_has_touched_for_long_enough() {
        let start = Instant::now();
        let mut idle = idle(start);
        let mut turn = |at: u64| idle.turn(start + seconds(at), NOON, 2, Duration::ZERO);
        assert_eq!([turn(0), turn(59)], [None; 2]);
        assert_eq!([turn(60), turn(61), turn(89)], [Some(Turn::Play(0)), None, None]);
        assert_eq!([turn(90), turn(119)], [Some(Turn::Play(1)), None]);
        assert_eq!(turn(120), Some(Turn::Play(0)));
        assert!(idle.touch(start + seconds(121)) && !idle.touch(start + seconds(122)));
        let mut turn = |at: u64| idle.turn(start + seconds(at), NOON, 2, Duration::ZERO);
        assert_eq!([turn(181), turn(182)], [None, Some(Turn::Play(1))]);
    }

    #[test]
    fn the_only_demo_goes_on_and_begins_anew_when_it_has_ended() {
        let start = Instant::now();
        let mut idle = idle(start);
        let at = |at: u64| start + seconds(at);
        assert_eq!(idle.turn(at(60), NOON, 1, Duration::ZERO), Some(Turn::Play(0)));
        assert_eq!(idle.turn(at(500), NOON, 1, Duration::ZERO), None);
        idle.over();
        assert_eq!(idle.turn(at(501), NOON, 1, Duration::ZERO), Some(Turn::Play(0)));
        idle.over();
        assert_eq!(idle.turn(at(510), NOON, 1, Duration::ZERO), None, "not in a hurry");
        assert_eq!(idle.turn(at(511), NOON, 1, Duration::ZERO), Some(Turn::Play(0)));
    }

    #[test]
    fn without_a_time_or_a_demo_nothing_is_played_and_a_presenter_has_time() {
        let start = Instant::now();
        let later = start + seconds(100_000);
        assert_eq!(idle(start).turn(later, NOON, 0, Duration::ZERO), None);
        let mut never = Idle::new(Wanted::default(), start);
        assert_eq!(never.turn(later, NOON, 3, Duration::ZERO), None);
        assert_eq!(idle(start).turn(start + seconds(1000), NOON, 3, seconds(1800)), None);
    }

    #[test]
    fn at_night_it_sleeps_wakes_for_a_visitor_and_rises_in_the_morning() {
        let start = Instant::now();
        let mut idle = idle(start);
        let turn = |idle: &mut Idle, at: u64, time| {
            idle.turn(start + seconds(at), time, 2, Duration::ZERO)
        };
        assert_eq!(turn(&mut idle, 60, NOON), Some(Turn::Play(0)));
        assert_eq!(turn(&mut idle, 61, LATE), Some(Turn::Sleep));
        assert_eq!((turn(&mut idle, 5000, LATE), idle.rest()), (None, Rest::Night));
        assert!(idle.touch(start + seconds(5000)));
        assert_eq!(turn(&mut idle, 5119, LATE), None, "somebody is there");
        assert_eq!(turn(&mut idle, 5120, LATE), Some(Turn::Sleep));
        assert_eq!(turn(&mut idle, 9000, Time::constant(8, 0, 0, 0)), Some(Turn::Rise));
        assert_eq!(turn(&mut idle, 9001, NOON), Some(Turn::Play(1)));
    }

    #[test]
    fn a_night_may_lie_on_either_side_of_midnight() {
        let at = |hour| Time::constant(hour, 30, 0, 0);
        let over = (at(22), at(8));
        assert!(is_within(at(23), over) && is_within(at(0), over) && is_within(at(22), over));
        assert!(!is_within(at(8), over) && !is_within(at(12), over));
        assert!(is_within(at(13), (at(12), at(14))) && !is_within(at(14), (at(12), at(14))));
    }
}
