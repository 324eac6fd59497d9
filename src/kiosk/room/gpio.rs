//! The sensor at a pin of a Raspberry Pi, read in a loop: edge interrupts lose edges, because a pulse is shorter than it
//! takes to wake a thread.

use std::time::{Duration, Instant};

use rppal::gpio::{self, Gpio, IoPin, Mode};

use super::{
    Trouble,
    air::Air,
    pulses::{self, Edge, MAX_EDGES},
};

/// How long the line is held low to wake the sensor: 1 ms at least.
const WAKE: Duration = Duration::from_millis(2);
/// An answer takes 5 ms.
const LISTEN: Duration = Duration::from_millis(8);

/// The sensor's data line, and a clock.
pub trait Line {
    /// Holds it low.
    fn hold(&mut self);
    /// Lets go of it: the resistor pulls it high unless the sensor holds it.
    fn release(&mut self);
    /// What it is.
    fn is_high(&mut self) -> bool;
    /// Time since anything.
    fn now(&mut self) -> Duration;
    /// Lets time pass.
    fn wait(&mut self, time: Duration);
}

/// Wakes the sensor and listens to it.
///
/// # Errors
/// Why there is no value.
pub fn read(line: &mut impl Line) -> Result<Air, Trouble> {
    // Nothing is allocated between two looks at the line.
    let mut edges = [Edge { at: Duration::ZERO, rose: false }; MAX_EDGES];
    let mut count = 0;
    line.hold();
    line.wait(WAKE);
    line.release();
    let start = line.now();
    let mut was_high = false;
    loop {
        let (is_high, at) = (line.is_high(), line.now());
        if is_high != was_high {
            was_high = is_high;
            edges[count] = Edge { at, rose: is_high };
            count += 1;
        }
        if count == MAX_EDGES || LISTEN < at.saturating_sub(start) {
            break;
        }
    }
    Air::decode(pulses::decode(&edges[..count])?)
}

/// A pin of this Raspberry Pi.
pub struct PiLine {
    pin: IoPin,
    start: Instant,
}

impl PiLine {
    /// Takes the pin with this number (BCM).
    ///
    /// # Errors
    /// If this is no Raspberry Pi, or its pins may not be used.
    pub fn open(gpio: u8) -> Result<Self, Trouble> {
        let pin = Gpio::new().and_then(|pins| pins.get(gpio)).map_err(|error| trouble(&error))?;
        Ok(Self { pin: pin.into_io(Mode::Input), start: Instant::now() })
    }
}

/// What is wrong with the pins.
pub(crate) fn trouble(error: &gpio::Error) -> Trouble {
    match error {
        gpio::Error::PermissionDenied(_) => Trouble::Denied,
        gpio::Error::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Trouble::Denied
        }
        gpio::Error::PinUsed(_) => Trouble::Taken,
        _ => Trouble::NoPins,
    }
}

impl Line for PiLine {
    fn hold(&mut self) {
        self.pin.set_mode(Mode::Output);
        self.pin.set_low();
    }

    fn release(&mut self) {
        self.pin.set_mode(Mode::Input);
    }

    fn is_high(&mut self) -> bool {
        self.pin.is_high()
    }

    fn now(&mut self) -> Duration {
        self.start.elapsed()
    }

    fn wait(&mut self, time: Duration) {
        std::thread::sleep(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sensor in simulated time; a look at the line takes a microsecond.
    struct Simulated {
        now_us: u64,
        released_us: Option<u64>,
        held_us: u64,
        /// Lengths of the sensor's pulses after the line was let go of, high first.
        pulses: Vec<u64>,
    }

    impl Simulated {
        fn answering(bytes: [u8; 5]) -> Self {
            let mut pulses = vec![30, 80, 80];
            for bit in 0..40 {
                pulses.extend([50, if bytes[bit / 8] >> (7 - bit % 8) & 1 == 1 { 70 } else { 27 }]);
            }
            pulses.push(50);
            Self { now_us: 0, released_us: None, held_us: 0, pulses }
        }
    }

    impl Line for Simulated {
        fn hold(&mut self) {
            self.released_us = None;
            self.held_us = self.now_us;
        }

        fn release(&mut self) {
            assert!(1_000 <= self.now_us - self.held_us, "the sensor sleeps on");
            self.released_us = Some(self.now_us);
        }

        fn is_high(&mut self) -> bool {
            self.now_us += 1;
            let Some(released) = self.released_us else { return false };
            let mut since = self.now_us - released;
            for (index, length) in self.pulses.iter().enumerate() {
                match since.checked_sub(*length) {
                    Some(rest) => since = rest,
                    None => return index % 2 == 0,
                }
            }
            true
        }

        fn now(&mut self) -> Duration {
            Duration::from_micros(self.now_us)
        }

        fn wait(&mut self, time: Duration) {
            self.now_us += time.as_micros() as u64;
        }
    }

    #[test]
    fn a_sensor_at_the_pin_is_read() {
        let air = |celsius, humidity_percent| Ok(Air { celsius, humidity_percent });
        let mut line = Simulated::answering([0x02, 0x8c, 0x01, 0x5f, 0xee]);
        assert_eq!(read(&mut line), air(35.1, 65.2));
        assert_eq!(read(&mut line), air(35.1, 65.2), "and once more");
        let mut line = Simulated::answering([0x02, 0x8c, 0x80, 0x65, 0x73]);
        assert_eq!(read(&mut line), air(-10.1, 65.2));
    }

    #[test]
    fn no_sensor_and_noise_end_by_themselves() {
        let silent = || Simulated { pulses: Vec::new(), ..Simulated::answering([0; 5]) };
        assert_eq!(read(&mut silent()), Err(Trouble::NoAnswer));
        let stuck = Simulated { pulses: vec![0, u64::MAX], ..silent() };
        assert_eq!(read(&mut { stuck }), Err(Trouble::NoAnswer));
        let noise = Simulated { pulses: vec![3; 5_000], ..silent() };
        assert_eq!(read(&mut { noise }), Err(Trouble::Damaged));
    }

    #[test]
    fn what_rppal_says_is_a_sentence() {
        assert_eq!(trouble(&gpio::Error::UnknownModel), Trouble::NoPins);
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        assert_eq!(trouble(&gpio::Error::Io(denied)), Trouble::Denied);
        assert_eq!(trouble(&gpio::Error::PinUsed(4)), Trouble::Taken);
    }
}
