//! When to ask which node; pure, time and chance are arguments.

use std::time::{Duration, Instant};

/// A node that does not answer is asked at least this often, so that one that comes back is seen soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long after the start the node at `place` of `count` is first asked: they are spread over the interval, so that
/// neither this machine nor the network has all of them at once.
pub fn phase(place: usize, count: usize, interval: Duration) -> Duration {
    interval.mul_f64(place as f64 / count.max(1) as f64)
}

/// When a node that was due at `due` and has answered by `now` is asked again: in its own rhythm; what it was too slow
/// for is left out, never caught up with.
pub fn next(due: Instant, interval: Duration, now: Instant) -> Instant {
    let late = now.saturating_duration_since(due);
    let steps = late.as_nanos() / interval.as_nanos().max(1) + 1;
    due + interval * u32::try_from(steps).unwrap_or(u32::MAX)
}

/// How long to leave a node alone after `failures` in a row: an interval, then twice as long every time, up to
/// 5 s or the interval; `chance`, 0 to 1, shortens it by up to half, so that nodes that went together do not come
/// together.
pub fn pause(failures: u32, interval: Duration, chance: f64) -> Duration {
    let doubled = interval.saturating_mul(2u32.saturating_pow(failures.saturating_sub(1)));
    let longest = doubled.min(LONGEST_PAUSE.max(interval));
    longest.mul_f64(1.0 - 0.5 * chance.clamp(0.0, 1.0)).max(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(500);

    #[test]
    fn nodes_are_spread_over_the_interval() {
        let phases: Vec<_> = (0..5).map(|place| phase(place, 5, INTERVAL).as_millis()).collect();
        assert_eq!(phases, [0, 100, 200, 300, 400]);
        assert_eq!(phase(0, 0, INTERVAL), Duration::ZERO);
    }

    #[test]
    fn a_node_keeps_its_rhythm_and_misses_what_it_is_too_slow_for() {
        let due = Instant::now();
        let after =
            |milliseconds| next(due, INTERVAL, due + Duration::from_millis(milliseconds)) - due;
        assert_eq!(after(3), INTERVAL);
        assert_eq!(after(499), INTERVAL);
        assert_eq!(after(1_700), INTERVAL * 4);
    }

    #[test]
    fn pauses_grow_to_five_seconds_and_no_longer() {
        let pauses: Vec<_> =
            (1..7).map(|failures| pause(failures, INTERVAL, 0.0).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 5000, 5000]);
        assert_eq!(pause(u32::MAX, INTERVAL, 0.0), LONGEST_PAUSE);
        let minute = Duration::from_secs(60);
        assert_eq!(pause(9, minute, 0.0), minute, "never more often than the owner wants");
    }

    #[test]
    fn chance_shortens_a_pause_by_half_at_most_and_never_below_the_interval() {
        assert_eq!(pause(5, INTERVAL, 1.0), Duration::from_millis(2500));
        assert_eq!(pause(5, INTERVAL, 0.5), Duration::from_millis(3750));
        assert_eq!(pause(1, INTERVAL, 1.0), INTERVAL);
    }
}
