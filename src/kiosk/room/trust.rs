//! Which values are believed: eight bits of a sum let one damaged answer in 256 pass, two in a row that agree do not.

use super::air::Air;

/// What two readings 2 s apart may differ by and still be of the same air, K and percent; the sensor itself takes longer.
const NEAR: (f64, f64) = (1.0, 5.0);

/// The newest value that is believed, and one that waits for a second like it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trust {
    believed: Option<Air>,
    doubted: Option<Air>,
}

impl Trust {
    /// The value, if it is believed: near the last one that was, or near the one before. The very first waits for its second.
    pub fn judge(&mut self, air: Air) -> Option<Air> {
        let is_near = |other: Air| {
            (other.celsius - air.celsius).abs() <= NEAR.0
                && (other.humidity_percent - air.humidity_percent).abs() <= NEAR.1
        };
        let is_believed = [self.believed, self.doubted].into_iter().flatten().any(is_near);
        if is_believed {
            (self.believed, self.doubted) = (Some(air), None);
            return Some(air);
        }
        self.doubted = Some(air);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn air(celsius: f64, humidity_percent: f64) -> Air {
        Air { celsius, humidity_percent }
    }

    #[test]
    fn a_jump_waits_for_a_second_that_agrees() {
        let mut trust = Trust::default();
        let mut judge = |celsius, humidity| trust.judge(air(celsius, humidity)).is_some();
        assert!(!judge(23.4, 48.7), "the first one is on trial");
        assert!(judge(23.5, 48.5));
        assert!(judge(24.3, 44.0), "air warms");
        assert!(!judge(3.9, 40.0));
        assert!(judge(24.4, 44.2), "one stray value changes nothing");
        assert!(!judge(45.0, 40.0));
        assert!(!judge(50.0, 90.0), "two stray values do not confirm each other");
        assert!(!judge(60.0, 30.0));
        assert!(judge(60.3, 31.0), "a real jump is seen two readings later");
    }
}
