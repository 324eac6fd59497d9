//! How much a demo may send. Pure: the time is an argument.

use std::time::{Duration, Instant};

/// Most pictures a second.
const FRAMES: u32 = 250;
/// Most bytes a second from the demo's connection: a picture of 1920x1080 in RGBx 48 times a second.
const BYTES: usize = 400_000_000;
/// Most other records a second.
const RECORDS: u32 = 1000;
/// Most bytes a second that it may print.
const PRINTED: usize = 4_000_000;

/// The demo sends too much; the limit it went beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flood(pub &'static str);

/// Counts over windows of one second.
#[derive(Debug, Default)]
pub struct Rate {
    window: Option<Instant>,
    frames: u32,
    bytes: usize,
    records: u32,
    printed: usize,
}

impl Rate {
    /// Counts a picture.
    ///
    /// # Errors
    /// If it is one too many, as with the other counters.
    pub fn frame(&mut self, now: Instant) -> Result<(), Flood> {
        self.turn(now);
        self.frames += 1;
        check(self.frames <= FRAMES, "250 pictures a second")
    }

    /// Counts a record that is no picture.
    ///
    /// # Errors
    /// If it is one too many.
    pub fn record(&mut self, now: Instant) -> Result<(), Flood> {
        self.turn(now);
        self.records += 1;
        check(self.records <= RECORDS, "1000 records a second")
    }

    /// Counts bytes of the connection.
    ///
    /// # Errors
    /// If they are too many.
    pub fn bytes(&mut self, count: usize, now: Instant) -> Result<(), Flood> {
        self.turn(now);
        self.bytes += count;
        check(self.bytes <= BYTES, "400 MB a second")
    }

    /// Counts bytes of the demo's outputs.
    ///
    /// # Errors
    /// If they are too many.
    pub fn printed(&mut self, count: usize, now: Instant) -> Result<(), Flood> {
        self.turn(now);
        self.printed += count;
        check(self.printed <= PRINTED, "4 MB of printed lines a second")
    }

    fn turn(&mut self, now: Instant) {
        let is_over =
            |start: Instant| Duration::from_secs(1) <= now.saturating_duration_since(start);
        if self.window.is_none_or(is_over) {
            *self = Self { window: Some(now), ..Self::default() };
        }
    }
}

fn check(holds: bool, limit: &'static str) -> Result<(), Flood> {
    if holds { Ok(()) } else { Err(Flood(limit)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_pictures_a_second_are_never_too_many() {
        let mut rate = Rate::default();
        let start = Instant::now();
        for number in 0..600 {
            let now = start + Duration::from_secs(1) * number / 60;
            assert_eq!(rate.frame(now), Ok(()));
            assert_eq!(rate.bytes(800 * 400, now), Ok(()));
        }
    }

    #[test]
    fn the_picture_after_the_limit_is_too_many_and_a_second_later_it_is_not() {
        let mut rate = Rate::default();
        let start = Instant::now();
        for _ in 0..250 {
            assert_eq!(rate.frame(start), Ok(()));
        }
        assert_eq!(rate.frame(start), Err(Flood("250 pictures a second")));
        assert_eq!(rate.frame(start + Duration::from_secs(1)), Ok(()));
    }

    #[test]
    fn bytes_records_and_printed_lines_have_limits_of_their_own() {
        let mut rate = Rate::default();
        let now = Instant::now();
        assert_eq!(rate.bytes(400_000_000, now), Ok(()));
        assert_eq!(rate.bytes(1, now), Err(Flood("400 MB a second")));
        assert!((0..1000).all(|_| rate.record(now).is_ok()));
        assert_eq!(rate.record(now), Err(Flood("1000 records a second")));
        assert_eq!(rate.printed(4_000_000, now), Ok(()));
        assert!(rate.printed(1, now).is_err());
    }
}
