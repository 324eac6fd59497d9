//! How many steps the machine can do between two frames.

use std::time::Duration;

/// Time from frame to frame.
pub const FRAME: Duration = Duration::from_nanos(16_666_667);
/// Steps per frame at most: the fastest cells then travel 600 cells a second.
pub const MOST_STEPS: u32 = 20;
/// The share of a frame that the ranks may use: the kiosk wants a core for a moment.
const OURS: f64 = 0.92;
/// The weight of the newest frame.
const NEWEST: f64 = 0.2;

/// How long a frame took, on rank 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameTime {
    /// Steps in it.
    pub steps: u32,
    /// The first step: with it, ranks wait for those that woke up late.
    pub first_step: Duration,
    /// The other steps together.
    pub later_steps: Duration,
    /// Everything, from the command to the picture.
    pub whole: Duration,
}

/// How many steps fit between two frames, learnt from the frames before.
pub struct Pace {
    most_steps: u32,
    /// Seconds that one more step takes, smoothed; 0 while nothing is known.
    step_s: f64,
    /// Seconds per frame for everything else, smoothed.
    other_s: f64,
}

impl Pace {
    /// For so many steps per frame at most.
    pub fn new(most_steps: u32) -> Self {
        Self { most_steps, step_s: 0.0, other_s: 0.0 }
    }

    /// Takes notice of a frame.
    pub fn learn(&mut self, time: FrameTime) {
        let step = match time.steps {
            0 => return,
            1 => time.first_step,
            steps => time.later_steps / (steps - 1),
        };
        let step_s = step.as_secs_f64();
        let other_s = (time.whole.as_secs_f64() - f64::from(time.steps) * step_s).max(0.0);
        let known = 0.0 < self.step_s;
        let smooth = |old: f64, new: f64| if known { old + NEWEST * (new - old) } else { new };
        (self.step_s, self.other_s) = (smooth(self.step_s, step_s), smooth(self.other_s, other_s));
    }

    /// Steps for the next frame: 2 at least, to tell a step from the wait before it, or 1 where that is too long.
    pub fn batch(&self) -> u32 {
        let frame_s = FRAME.as_secs_f64();
        let fewest = if frame_s < self.step_s { 1 } else { 2 };
        if self.step_s <= 0.0 {
            return fewest;
        }
        // Where everything else is slow, pictures come late rather than stand still.
        let room_s = (OURS * frame_s - self.other_s).max(0.5 * frame_s);
        ((room_s / self.step_s) as u32).clamp(fewest, self.most_steps.max(fewest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn us(us: u64) -> Duration {
        Duration::from_micros(us)
    }

    /// A frame whose steps take `step` each, after a wait, besides something else.
    fn frame(steps: u32, step: Duration, wait: Duration, rest: Duration) -> FrameTime {
        let (first_step, later_steps) = (wait + step, (steps - 1) * step);
        FrameTime { steps, first_step, later_steps, whole: first_step + later_steps + rest }
    }

    /// The steps per frame that a machine comes to.
    fn settled(step: Duration, wait: Duration, rest: Duration) -> u32 {
        let mut pace = Pace::new(MOST_STEPS);
        for _ in 0..50 {
            pace.learn(frame(pace.batch(), step, wait, rest));
        }
        pace.batch()
    }

    #[test]
    fn steps_fill_a_frame_and_no_more_than_the_eye_can_follow() {
        assert_eq!(settled(us(1000), us(0), us(1200)), 14);
        assert_eq!(settled(us(1), us(0), us(1000)), MOST_STEPS);
        assert_eq!(settled(us(300_000), us(0), us(1000)), 1);
    }

    #[test]
    fn a_race_goes_as_fast_as_the_machine_can() {
        let mut pace = Pace::new(u32::MAX);
        for _ in 0..50 {
            pace.learn(frame(pace.batch(), us(10), us(0), us(1000)));
        }
        assert!((1200..1540).contains(&pace.batch()), "{}", pace.batch());
    }

    #[test]
    fn a_rank_that_wakes_up_late_does_not_stop_the_picture() {
        assert_eq!(settled(us(100), us(30_000), us(1000)), MOST_STEPS);
        assert_eq!(settled(us(1000), us(5000), us(1000)), 9);
    }

    #[test]
    fn one_slow_frame_changes_little() {
        let mut pace = Pace::new(MOST_STEPS);
        (0..50).for_each(|_| pace.learn(frame(14, us(1000), us(0), us(1200))));
        pace.learn(frame(14, us(2000), us(5000), us(5000)));
        assert!((6..14).contains(&pace.batch()), "{}", pace.batch());
    }
}
