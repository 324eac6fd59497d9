//! A wire to the fan, for owners who have laid one to a pin of a Raspberry Pi: then whether it runs is measured.

use rppal::gpio::{Gpio, InputPin};

use crate::{
    config::FanWire,
    room::{Trouble, gpio},
};

/// A pin that is high or low.
pub trait Level: Send {
    /// Which of the two.
    fn is_high(&mut self) -> bool;
}

/// A pin of this Raspberry Pi, pulled high: a wire that hangs in the air is no signal.
pub struct PiLevel(InputPin);

impl PiLevel {
    /// Takes the pin with this number (BCM).
    ///
    /// # Errors
    /// If this is no Raspberry Pi, or its pins may not be used.
    pub fn open(gpio: u8) -> Result<Self, Trouble> {
        let pin = Gpio::new().and_then(|pins| pins.get(gpio));
        pin.map(|pin| Self(pin.into_input_pullup())).map_err(|error| gpio::trouble(&error))
    }
}

impl Level for PiLevel {
    fn is_high(&mut self) -> bool {
        self.0.is_high()
    }
}

/// The wire, looked at once a second.
pub struct Sense {
    level: Box<dyn Level>,
    wire: FanWire,
    last: Option<bool>,
}

impl Sense {
    /// A wire at this pin.
    pub fn new(level: impl Level + 'static, wire: FanWire) -> Self {
        Self { level: Box::new(level), wire, last: None }
    }

    /// Whether the fan runs; `None` where this look and the last one differ, since a contact bounces and a motor sparks.
    pub fn look(&mut self) -> Option<bool> {
        let runs = self.level.is_high() == self.wire.on_high;
        let before = self.last.replace(runs);
        (before == Some(runs)).then_some(runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A train of levels, one for each look.
    struct Train(std::vec::IntoIter<bool>);

    impl Level for Train {
        fn is_high(&mut self) -> bool {
            self.0.next().unwrap_or(true)
        }
    }

    fn seen(on_high: bool, levels: &str) -> String {
        let train: Vec<bool> = levels.chars().map(|level| level == '1').collect();
        let looks = train.len();
        let mut sense = Sense::new(Train(train.into_iter()), FanWire { gpio: 17, on_high });
        let word = |_| sense.look().map_or('?', |runs| if runs { 'r' } else { '-' });
        (0..looks).map(word).collect()
    }

    #[test]
    fn a_level_counts_when_two_looks_agree() {
        assert_eq!(seen(true, "0001110010111"), "?--?rr?-???rr");
        assert_eq!(seen(false, "0001110"), "?rr?--?");
        assert_eq!(seen(true, "010101"), "??????", "what never rests says nothing");
    }

    #[test]
    fn without_pins_there_is_a_reason() {
        let Err(trouble) = PiLevel::open(17) else { return };
        assert!(!trouble.to_string().is_empty());
    }
}
