//! What the test card looks like. Pure: time and touches in, pixels out.

use std::time::Duration;

use wire::{
    demo::PixelFormat,
    kiosk::{Control, Phase, Pointer},
};

/// The bars of a test card, from the brightest to the darkest: red, green, blue.
const BARS: [[u8; 3]; 8] = [
    [255, 255, 255],
    [255, 255, 0],
    [0, 255, 255],
    [0, 255, 0],
    [255, 0, 255],
    [255, 0, 0],
    [0, 0, 255],
    [0, 0, 0],
];
/// Half the width of a cross, pixels.
const ARM: i32 = 12;
/// How long a cross stays after the finger has left, s of model time.
const STAY_S: f64 = 1.5;
/// Most crosses; the oldest goes first.
const MAX_CROSSES: usize = 64;
/// Width of the marker, pixels.
const MARKER: u16 = 6;

/// The picture and what moves on it.
pub struct Card {
    width: u16,
    height: u16,
    format: PixelFormat,
    time_s: f64,
    /// Left edge of the marker, pixels.
    marker: f64,
    /// Pixels a second; control `speed`.
    speed: f64,
    /// A ramp instead of bars; control `pattern`.
    is_ramp: bool,
    crosses: Vec<Cross>,
    newest_touch: u32,
}

struct Cross {
    x: i32,
    y: i32,
    until_s: f64,
}

impl Card {
    pub fn new(width: u16, height: u16, format: PixelFormat) -> Self {
        Self {
            width,
            height,
            format,
            time_s: 0.0,
            marker: 0.0,
            speed: 120.0,
            is_ramp: false,
            crosses: Vec::new(),
            newest_touch: 0,
        }
    }

    /// Model time, s.
    pub fn time_s(&self) -> f64 {
        self.time_s
    }

    /// Number of the newest touch that the picture shows.
    pub fn newest_touch(&self) -> u32 {
        self.newest_touch
    }

    /// A finger did something: a cross is there.
    pub fn touch(&mut self, pointer: Pointer) {
        self.newest_touch = pointer.sequence;
        if pointer.phase == Phase::Up {
            return;
        }
        if self.crosses.len() == MAX_CROSSES {
            self.crosses.remove(0);
        }
        let until_s = self.time_s + STAY_S;
        self.crosses.push(Cross { x: pointer.x as i32, y: pointer.y as i32, until_s });
    }

    /// Writes the bits of `number` into a picture, the lowest first: bright and dark squares of 8 pixels in a row
    /// from (120, 200). Nothing if they do not fit.
    pub fn stamp(&self, number: u64, pixels: &mut [u8]) {
        const SQUARE: usize = 8;
        const LEFT: usize = 120;
        const TOP: usize = 200;
        let (width, height) = (usize::from(self.width), usize::from(self.height));
        if width < LEFT + 64 * SQUARE || height < TOP + SQUARE {
            return;
        }
        let bytes = self.format.bytes();
        for square in 0..64 {
            let value = if number >> square & 1 == 1 { u8::MAX } else { 0 };
            for row in TOP..TOP + SQUARE {
                let start = bytes * (row * width + LEFT + SQUARE * square);
                pixels[start..start + bytes * SQUARE].fill(value);
            }
        }
    }

    /// A control has a new value; the names are those of demo.toml.
    pub fn control(&mut self, control: &Control) {
        match control.name.as_str() {
            "speed" => self.speed = control.value,
            "pattern" => self.is_ramp = control.value != 0.0,
            "clear" => self.crosses.clear(),
            _ => {}
        }
    }

    /// Lets time pass.
    pub fn advance(&mut self, interval: Duration) {
        self.time_s += interval.as_secs_f64();
        let way = self.speed * interval.as_secs_f64();
        self.marker = (self.marker + way).rem_euclid(f64::from(self.width));
        self.crosses.retain(|cross| self.time_s < cross.until_s);
    }

    /// Fills a picture, the top row first.
    pub fn paint(&self, pixels: &mut [u8]) {
        let bytes = self.format.bytes();
        let row_len = usize::from(self.width) * bytes;
        let (first, rest) = pixels.split_at_mut(row_len);
        for (x, pixel) in (0..self.width).zip(first.chunks_exact_mut(bytes)) {
            self.paint_pixel(pixel, self.background(x));
        }
        for row in rest.chunks_exact_mut(row_len) {
            row.copy_from_slice(first);
        }
        for cross in &self.crosses {
            for along in -ARM..=ARM {
                self.paint_at(pixels, cross.x + along, cross.y);
                self.paint_at(pixels, cross.x, cross.y + along);
            }
        }
    }

    /// The colour of a column.
    fn background(&self, x: u16) -> [u8; 3] {
        if (self.marker as u16..).take(usize::from(MARKER)).any(|column| column % self.width == x) {
            return [128; 3];
        }
        let share = |parts: u32| u32::from(x) * parts / u32::from(self.width);
        if self.is_ramp { [share(256) as u8; 3] } else { BARS[share(8) as usize] }
    }

    fn paint_at(&self, pixels: &mut [u8], x: i32, y: i32) {
        let is_inside =
            (0..i32::from(self.width)).contains(&x) && (0..i32::from(self.height)).contains(&y);
        if !is_inside {
            return;
        }
        let bytes = self.format.bytes();
        let at = (y as usize * usize::from(self.width) + x as usize) * bytes;
        self.paint_pixel(&mut pixels[at..at + bytes], [192; 3]);
    }

    /// As a colour, or as an amount: how bright it is (ITU-R BT.601).
    fn paint_pixel(&self, pixel: &mut [u8], [red, green, blue]: [u8; 3]) {
        let weighted = 299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue);
        match pixel {
            [amount] => *amount = (weighted / 1000) as u8,
            [r, g, b, ..] => [*r, *g, *b] = [red, green, blue],
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(card: &Card) -> Vec<u8> {
        let bytes = usize::from(card.width) * usize::from(card.height) * card.format.bytes();
        let mut pixels = vec![7; bytes];
        card.paint(&mut pixels);
        pixels
    }

    #[test]
    fn the_bars_have_the_colours_of_a_test_card() {
        let mut card = Card::new(80, 2, PixelFormat::Rgb);
        // The marker covers the left end of a bar, never its middle.
        card.advance(Duration::ZERO);
        let pixels = painted(&card);
        let row = 80 * 3;
        for (number, colour) in BARS.iter().enumerate() {
            for y in 0..2 {
                let at = y * row + (number * 10 + 8) * 3;
                assert_eq!(pixels[at..at + 3], *colour, "bar {number}");
            }
        }
    }

    #[test]
    fn bars_of_amounts_darken_from_left_to_right() {
        let pixels = painted(&Card::new(80, 1, PixelFormat::Indexed));
        let bars: Vec<u8> = (0..8).map(|number| pixels[number * 10 + 8]).collect();
        assert_eq!(bars, [255, 225, 178, 149, 105, 76, 29, 0]);
    }

    #[test]
    fn the_marker_moves_as_fast_as_the_control_says_and_comes_back() {
        let mut card = Card::new(100, 1, PixelFormat::Indexed);
        card.control(&Control { name: "speed".into(), value: 40.0 });
        card.advance(Duration::from_secs(1));
        let grey = |card: &Card| {
            painted(card).iter().enumerate().filter(|(_, a)| **a == 128).map(|(x, _)| x).collect()
        };
        let columns: Vec<usize> = grey(&card);
        assert_eq!(columns, [40, 41, 42, 43, 44, 45]);
        card.advance(Duration::from_secs_f64(1.45));
        let columns: Vec<usize> = grey(&card);
        assert_eq!(columns, [0, 1, 2, 3, 98, 99]);
    }

    #[test]
    fn a_cross_is_where_the_finger_is_and_stays_inside_the_picture() {
        let mut card = Card::new(100, 60, PixelFormat::Indexed);
        let before = painted(&card);
        let touch = |sequence, x, y| Pointer { sequence, finger: 0, phase: Phase::Down, x, y };
        card.touch(touch(4, 33.0, 30.0));
        card.touch(touch(5, -3.0, 1e9));
        card.touch(touch(6, 99.0, 59.0));
        let after = painted(&card);
        assert_eq!(after[30 * 100 + 33], 192);
        assert_eq!(after[59 * 100 + 99], 192);
        assert_eq!(after[20 * 100 + 35], before[20 * 100 + 35]);
        assert_eq!(card.newest_touch(), 6);

        card.control(&Control { name: "clear".into(), value: 1.0 });
        assert_eq!(painted(&card), before);
    }

    #[test]
    fn a_cross_goes_after_a_while() {
        let mut card = Card::new(100, 60, PixelFormat::Indexed);
        card.control(&Control { name: "speed".into(), value: 0.0 });
        let before = painted(&card);
        card.touch(Pointer { sequence: 1, finger: 0, phase: Phase::Moved, x: 9.0, y: 9.0 });
        card.advance(Duration::from_secs(1));
        assert_ne!(painted(&card), before);
        card.advance(Duration::from_secs(1));
        assert_eq!(painted(&card), before);
    }
}
