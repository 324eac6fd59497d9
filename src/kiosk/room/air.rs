//! What the sensor's five bytes mean: humidity and temperature in tenths, the latter as sign and magnitude, and the sum.

use super::Trouble;

/// The air at the sensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Air {
    /// Degrees Celsius.
    pub celsius: f64,
    /// Relative humidity, percent.
    pub humidity_percent: f64,
}

impl Air {
    /// A value that the sensor's data sheet allows: -40 to 80 degrees, 0 to 100 percent.
    pub fn checked(celsius: f64, humidity_percent: f64) -> Result<Self, Trouble> {
        let is_real =
            (-40.0..=80.0).contains(&celsius) && (0.0..=100.0).contains(&humidity_percent);
        if is_real { Ok(Self { celsius, humidity_percent }) } else { Err(Trouble::Absurd) }
    }

    /// Humidity, temperature (two bytes each) and their sum.
    ///
    /// # Errors
    /// If the sum is another one, or no air is like that.
    pub fn decode(bytes: [u8; 5]) -> Result<Self, Trouble> {
        let [wet, wet_low, warm, warm_low, sum] = bytes;
        let all = [wet, wet_low, warm, warm_low].iter().fold(0u8, |sum, it| sum.wrapping_add(*it));
        if all != sum {
            return Err(Trouble::Damaged);
        }
        if bytes == [0; 5] {
            // A line that is stuck has a right sum.
            return Err(Trouble::Absurd);
        }
        let magnitude = f64::from(u16::from_be_bytes([warm & 0x7f, warm_low])) / 10.0;
        let celsius = if warm & 0x80 == 0 { magnitude } else { -magnitude };
        Self::checked(celsius, f64::from(u16::from_be_bytes([wet, wet_low])) / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_data_sheet_are_read() {
        let air = |celsius, humidity_percent| Ok(Air { celsius, humidity_percent });
        assert_eq!(Air::decode([0x02, 0x8c, 0x01, 0x5f, 0xee]), air(35.1, 65.2));
        assert_eq!(Air::decode([0x02, 0x8c, 0x80, 0x65, 0x73]), air(-10.1, 65.2));
    }

    #[test]
    fn stuck_lines_have_right_sums_and_are_refused() {
        assert_eq!(Air::decode([0; 5]), Err(Trouble::Absurd));
        assert_eq!(Air::decode([0xff, 0xff, 0xff, 0xff, 0xfc]), Err(Trouble::Absurd));
        assert_eq!(Air::decode([0x02, 0x8c, 0x01, 0x5f, 0xef]), Err(Trouble::Damaged));
    }

    #[test]
    fn every_changed_bit_of_an_answer_is_noticed() {
        for bit in 0..40 {
            let mut bytes = [0x02, 0x8c, 0x01, 0x5f, 0xee];
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Air::decode(bytes), Err(Trouble::Damaged), "bit {bit}");
        }
    }
}
