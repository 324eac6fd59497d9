//! What real nodes can say, kind by kind; a value outside its range is refused and counted, never clamped.

/// From the smallest to the largest that is believed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Smallest.
    pub least: f64,
    /// Largest.
    pub most: f64,
}

impl Range {
    /// Whether something real can have this value; NaN and infinities are outside every range.
    pub fn holds(self, value: f64) -> bool {
        self.least <= value && value <= self.most
    }
}

const fn range(least: f64, most: f64) -> Range {
    Range { least, most }
}

/// A share of a whole.
pub const SHARE: Range = range(0.0, 1.0);
/// A flag, or an annotation that is always 1.
pub const FLAG: Range = range(0.0, 1.0);
/// Silicon works from -40 and is dead well below 150 degrees Celsius; broken sensors say -256, 255 or 65535.
pub const CELSIUS: Range = range(-40.0, 150.0);
/// Watts of a node, a rail or a processor: a rack has less than 100 kW.
pub const WATTS: Range = range(0.0, 100_000.0);
/// Volts of a supply rail; a -12 V rail is real, mains is the highest that a node has.
pub const VOLTS: Range = range(-500.0, 500.0);
/// Amperes of a supply rail; processors draw hundreds, and a current that flows back is negative.
pub const AMPERES: Range = range(-10_000.0, 10_000.0);
/// Revolutions per minute: small fans reach 30,000.
pub const RPM: Range = range(0.0, 100_000.0);
/// Pulse width of a fan as hwmon writes it.
pub const PWM: Range = range(0.0, 255.0);
/// States of a cooling device; -1 is how some say that they are off.
pub const COOLING_STATE: Range = range(-1.0, 10_000.0);
/// Clocks: up to 100 GHz.
pub const HERTZ: Range = range(0.0, 1e11);
/// Memory and file systems: up to an exabyte.
pub const BYTES: Range = range(0.0, 1e18);
/// Links: up to 8 Tbit/s. Where the kernel does not know the speed it says -1 Mbit/s, -125,000 bytes.
pub const LINK_BYTES_PER_S: Range = range(-125_000.0, 1e12);
/// What goes over a link: up to 8 Tbit/s.
pub const BYTES_PER_S: Range = range(0.0, 1e12);
/// Waiting processes: the kernel counts up to 4 million (`PID_MAX_LIMIT`).
pub const RUN_QUEUE: Range = range(0.0, 4_194_304.0);
/// Counters: they are exact up to here, and no counter of a node gets there in its life.
pub const COUNTER: Range = range(0.0, 1.8446744073709552e19);
/// Seconds since 1970, up to the year 2500.
pub const UNIX_TIME: Range = range(0.0, 16_725_225_600.0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_none_are_in_no_range() {
        for range in [SHARE, CELSIUS, WATTS, VOLTS, BYTES, COUNTER, COOLING_STATE, UNIX_TIME] {
            assert!(range.least < range.most);
            for absurd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300] {
                assert!(!range.holds(absurd), "{absurd} in {range:?}");
            }
        }
    }

    #[test]
    fn what_broken_sensors_say_is_outside() {
        for celsius in [-256.0, -273.15, 255.0, 65535.0, 100_000.0] {
            assert!(!CELSIUS.holds(celsius));
        }
        assert!(CELSIUS.holds(102.5) && CELSIUS.holds(-10.0));
    }
}
