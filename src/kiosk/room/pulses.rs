//! What the sensor's line does, as bytes; a pure function of when it rose and fell.
//!
//! The sensor pulls the line low for 80 us and lets it go for 80 us; then 40 bits, each 50 us low and 26 to 28 us (0) or 70 us
//! (1) high (data sheet; drivers/iio/humidity/dht11.c of Linux). Whoever reads it in a loop may be preempted and sees an
//! edge late, two of them, or none; so a pulse that is neither a clear 0 nor a clear 1 spoils the answer, which comes again in 2 s.

use std::{ops::RangeInclusive, time::Duration};

use super::Trouble;

/// Edges of a whole answer: two for its beginning, two for each bit and two for its end, and a few too many.
pub const MAX_EDGES: usize = 96;
const BITS: usize = 40;

/// What is taken for the beginning, us.
const BEGIN_US: RangeInclusive<f64> = 65.0..=95.0;
/// What is taken for the low part of a bit, us.
const LOW_US: RangeInclusive<f64> = 38.0..=65.0;
/// What is taken for the high part of a 0, us.
const ZERO_US: RangeInclusive<f64> = 16.0..=40.0;
/// What is taken for the high part of a 1, us.
const ONE_US: RangeInclusive<f64> = 56.0..=84.0;

/// The line has changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// When, since anything.
    pub at: Duration,
    /// It has risen.
    pub rose: bool,
}

/// The five bytes of an answer.
///
/// # Errors
/// `NoAnswer` if the line did next to nothing, `Damaged` if it did something else.
pub fn decode(edges: &[Edge]) -> Result<[u8; 5], Trouble> {
    if edges.len() < 4 {
        return Err(Trouble::NoAnswer);
    }
    let alternates = edges.windows(2).all(|pair| pair[0].rose != pair[1].rose);
    if !alternates || MAX_EDGES < edges.len() {
        return Err(Trouble::Damaged);
    }
    // From each edge to the next one: what the line was, and for how long.
    let pulses = edges.windows(2).map(|pair| {
        let length = pair[1].at.saturating_sub(pair[0].at);
        (pair[0].rose, length.as_secs_f64() * 1e6)
    });
    let pulses: Vec<(bool, f64)> = pulses.collect();
    // The line is let go of before the sensor takes it: what comes before its beginning is ours.
    let begins = |pair: &[(bool, f64)]| {
        !pair[0].0 && BEGIN_US.contains(&pair[0].1) && BEGIN_US.contains(&pair[1].1)
    };
    let begin = pulses.windows(2).take(4).position(begins).ok_or(Trouble::Damaged)?;
    let bits = &pulses[begin + 2..];
    // After the last bit the line is low for a moment and then let go of.
    if !(2 * BITS..=2 * BITS + 1).contains(&bits.len()) {
        return Err(Trouble::Damaged);
    }
    let mut bytes = [0u8; 5];
    for (place, bit) in bits.chunks_exact(2).take(BITS).enumerate() {
        let (low, high) = (bit[0].1, bit[1].1);
        let is_clear = LOW_US.contains(&low);
        let one = match (is_clear, ZERO_US.contains(&high), ONE_US.contains(&high)) {
            (true, true, _) => 0,
            (true, _, true) => 1,
            _ => return Err(Trouble::Damaged),
        };
        bytes[place / 8] = bytes[place / 8] << 1 | one;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
