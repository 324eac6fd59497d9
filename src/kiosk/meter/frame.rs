//! The words of a Voltcraft SEM6000 ("SPB012BLE"), as pure functions of bytes. `0f LEN P0 P1 … CKS ff ff`: P0 is the
//! command, CKS one more than the sum of the P, numbers are big endian.
//!
//! Sources: Heckie75/voltcraft-sem-6000 (API.md), trimm-b/sem6000 (PROTOCOL.md), magcode/sem6000-mqtt; where they
//! disagree, what all captured frames fit.

use jiff::civil::DateTime;

/// Every frame begins with it.
const START: u8 = 0x0f;
/// Nothing the meter says is longer than 127 bytes; the shell client asks for an MTU of 160.
const MAX_BYTES: usize = 160;
/// The answer to `MEASURE` has this many bytes, whatever its length byte says: hardware 3 says two too few.
const MEASUREMENT_BYTES: usize = 19;

/// Sets the clock, without which the meter keeps no history.
pub const CLOCK: u8 = 0x01;
/// Asks what is measured now.
pub const MEASURE: u8 = 0x04;
/// Asks for the 24 hours up to the running one.
pub const HOURS: u8 = 0x0a;
/// Asks what it is set to.
pub const SETTINGS: u8 = 0x10;
/// Everything about the PIN.
pub const LOGIN: u8 = 0x17;

/// What the meter measures, about once a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measurement {
    /// The socket is on.
    pub is_on: bool,
    /// Real power, W.
    pub watts: f64,
    /// Whole volts, measured before the relay.
    pub volts: f64,
    /// A.
    pub amperes: f64,
    /// Whole Hz.
    pub hertz: f64,
    /// Energy since its counter was reset, Wh; hardware before 3 has none.
    pub total_wh: Option<f64>,
}

impl Measurement {
    /// Real power as a share of voltage times current; undefined without current.
    pub fn power_factor(&self) -> Option<f64> {
        let apparent = self.volts * self.amperes;
        (0.0 < apparent).then(|| (self.watts / apparent).min(1.0))
    }
}

/// What the meter answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// To a login.
    Login {
        /// The PIN was right.
        is_accepted: bool,
    },
    /// The clock is set.
    Clock,
    /// To `MEASURE`.
    Measurement(Measurement),
    /// To `SETTINGS`.
    Settings {
        /// Above this it switches everything off, W.
        limit_watts: u16,
    },
    /// To `HOURS`: Wh of 24 hours, the running one last.
    Hours([u16; 24]),
    /// Something we did not ask for; its command.
    Other(u8),
}

/// Why bytes are no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A byte is another one than was sent.
    #[error("its checksum is wrong")]
    Checksum,
    /// Its length fits nothing that the meter says.
    #[error("its length is wrong")]
    Length,
}

/// The request `payload` as bytes.
fn request(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![START, payload.len() as u8 + 1];
    frame.extend(payload);
    frame.extend([checksum(payload), 0xff, 0xff]);
    frame
}

fn checksum(payload: &[u8]) -> u8 {
    payload.iter().fold(1, |sum, byte| sum.wrapping_add(*byte))
}

/// Logs in with a PIN of four digits, each a byte of its own.
pub fn login(pin: [u8; 4]) -> Vec<u8> {
    let [one, two, three, four] = pin;
    request(&[LOGIN, 0, 0, one, two, three, four, 0, 0, 0, 0])
}

/// Sets the clock to this local time.
pub fn clock(now: DateTime) -> Vec<u8> {
    let [high, low] = now.year().to_be_bytes();
    let fields = [now.second(), now.minute(), now.hour(), now.day(), now.month()];
    let [second, minute, hour, day, month] = fields.map(|field| field as u8);
    request(&[CLOCK, 0, second, minute, hour, day, month, high, low, 0, 0])
}

/// Asks by `MEASURE`, `SETTINGS` or `HOURS`.
pub fn ask(command: u8) -> Vec<u8> {
    request(&[command, 0, 0, 0])
}

/// Joins what arrives in pieces of 20 bytes (hardware 2) or at once (hardware 3).
#[derive(Debug, Default)]
pub struct Assembly {
    bytes: Vec<u8>,
}

impl Assembly {
    /// Forgets what is half here: before every request, after a silence, when the link is gone.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// One piece has arrived.
    pub fn push(&mut self, piece: &[u8]) {
        if self.bytes.is_empty() && piece.first() != Some(&START) {
            // The end mark of an answer that was complete without it.
            return;
        }
        if MAX_BYTES < self.bytes.len() + piece.len() {
            self.bytes.clear();
            return;
        }
        self.bytes.extend(piece);
    }

    /// The next complete answer, if there is one.
    pub fn take(&mut self) -> Option<Result<Answer, FrameError>> {
        let skipped = self.bytes.iter().position(|byte| *byte == START);
        self.bytes.drain(..skipped.unwrap_or(self.bytes.len()));
        let &[_, length, command, ..] = &self.bytes[..] else { return None };
        let length = match command {
            MEASURE => MEASUREMENT_BYTES,
            _ => 2 + usize::from(length),
        };
        if !(4..=MAX_BYTES).contains(&length) {
            self.bytes.clear();
            return Some(Err(FrameError::Length));
        }
        if self.bytes.len() < length {
            return None;
        }
        let frame: Vec<u8> = self.bytes.drain(..length).collect();
        if self.bytes.starts_with(&[0xff, 0xff]) {
            self.bytes.drain(..2);
        }
        Some(decode(&frame))
    }
}

/// One frame without its end mark.
fn decode(frame: &[u8]) -> Result<Answer, FrameError> {
    let [_, _, payload @ .., sum] = frame else { return Err(FrameError::Length) };
    if checksum(payload) != *sum {
        return Err(FrameError::Checksum);
    }
    let (command, rest) = payload.split_first().ok_or(FrameError::Length)?;
    match (*command, rest) {
        (CLOCK, _) => Ok(Answer::Clock),
        // What follows says which of the PIN's commands is answered.
        (LOGIN, [_, status, 0, ..]) => Ok(Answer::Login { is_accepted: *status == 0 }),
        (MEASURE, _) => measurement(frame).map(Answer::Measurement),
        (SETTINGS, [_, _, _, _, _, _, _, _, _, _, high, low, ..]) => {
            Ok(Answer::Settings { limit_watts: u16::from_be_bytes([*high, *low]) })
        }
        (HOURS, [_, hours @ ..]) => {
            let mut all = [0; 24];
            if hours.len() != 2 * all.len() {
                return Err(FrameError::Length);
            }
            for (hour, bytes) in all.iter_mut().zip(hours.chunks_exact(2)) {
                *hour = u16::from_be_bytes([bytes[0], bytes[1]]);
            }
            Ok(Answer::Hours(all))
        }
        (SETTINGS, _) => Err(FrameError::Length),
        (other, _) => Ok(Answer::Other(other)),
    }
}

fn measurement(frame: &[u8]) -> Result<Measurement, FrameError> {
    let frame: &[u8; MEASUREMENT_BYTES] = frame.try_into().map_err(|_| FrameError::Length)?;
    let total = u32::from_be_bytes([frame[14], frame[15], frame[16], frame[17]]);
    let milliwatts = u32::from_be_bytes([0, frame[5], frame[6], frame[7]]);
    Ok(Measurement {
        is_on: frame[4] == 1,
        watts: f64::from(milliwatts) / 1000.0,
        volts: f64::from(frame[8]),
        amperes: f64::from(u16::from_be_bytes([frame[9], frame[10]])) / 1000.0,
        hertz: f64::from(frame[11]),
        total_wh: (0 < total).then(|| f64::from(total)),
    })
}

/// What the meter says of itself when `fff1` is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Major and minor release of what runs in it.
    pub firmware: (u8, u8),
    /// Generation of its hardware.
    pub hardware: (u8, u8),
}

impl Info {
    /// `None` if the vendor is another one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let is_ours = bytes.starts_with(b"VOLCFT") && 15 <= bytes.len();
        is_ours.then(|| Self { firmware: (bytes[11], bytes[12]), hardware: (bytes[13], bytes[14]) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of a frame as it is written in protocol descriptions.
    fn bytes(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pairs = digits.chunks_exact(2).map(|pair| std::str::from_utf8(pair).unwrap());
        pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    }

    /// What the frame says when it arrives in pieces of so many bytes.
    fn heard(text: &str, piece: usize) -> Vec<Result<Answer, FrameError>> {
        let mut assembly = Assembly::default();
        let mut answers = Vec::new();
        for piece in bytes(text).chunks(piece) {
            assembly.push(piece);
            answers.extend(std::iter::from_fn(|| assembly.take()));
        }
        answers
    }

    #[test]
    fn requests_are_those_that_the_makers_app_sends() {
        assert_eq!(login([0; 4]), bytes("0f0c17 00 00 00000000 00000000 18 ffff"));
        assert_eq!(login([1, 2, 3, 4]), bytes("0f0c17 00 00 01020304 00000000 22 ffff"));
        let time = jiff::civil::date(2019, 6, 22).at(10, 24, 41, 0);
        assert_eq!(clock(time), bytes("0f0c0100 29 18 0a 16 06 07e3 0000 53 ffff"));
        let time = jiff::civil::date(2020, 6, 7).at(10, 55, 22, 0);
        assert_eq!(clock(time), bytes("0f0c0100 16 37 0a 07 06 07e4 0000 51 ffff"));
        assert_eq!(ask(MEASURE), bytes("0f050400000005ffff"));
        assert_eq!(ask(SETTINGS), bytes("0f051000000011ffff"));
        assert_eq!(ask(HOURS), bytes("0f050a0000000bffff"));
    }

    #[test]
    fn captured_measurements_of_both_generations_are_read() {
        for (frame, is_on, watts, volts, amperes, hertz, total_wh) in [
            ("0f11 0400 01 005f18 e7 00df 32 0000 00000000 75", true, 24.344, 231, 0.223, 50, None),
            ("0f11 0400 01 002cc8 ea 0059 32 0000 00000000 6f", true, 11.464, 234, 0.089, 50, None),
            ("0f11 0400 01 000000 eb 000c 32 0000 00000000 2f", true, 0.0, 235, 0.012, 50, None),
            ("0f11 0400 00 000000 e9 0000 00 0000 00000000 ee", false, 0.0, 233, 0.0, 0, None),
            // Hardware 3: the length byte is two short.
            (
                "0f0f 0400 01 008850 dc 00d6 32 0100 00000067 2a",
                true,
                34.896,
                220,
                0.214,
                50,
                Some(103.0),
            ),
        ] {
            let (volts, hertz) = (f64::from(volts), f64::from(hertz));
            let expected = Measurement { is_on, watts, volts, amperes, hertz, total_wh };
            for piece in [1, 7, 20, 160] {
                assert_eq!(heard(frame, piece), [Ok(Answer::Measurement(expected))], "{frame}");
            }
        }
    }

    #[test]
    fn the_power_factor_is_what_power_is_of_volts_times_amperes() {
        let measured =
            |watts, amperes| Measurement { watts, volts: 231.0, amperes, ..Default::default() };
        let factor = measured(24.344, 0.223).power_factor().unwrap();
        assert!((factor - 0.473).abs() < 0.0005, "{factor}");
        assert_eq!(measured(60.0, 0.223).power_factor(), Some(1.0));
        assert_eq!(measured(0.0, 0.0).power_factor(), None);
    }

    #[test]
    fn the_other_answers_are_read() {
        let well = |answer| [Ok(answer)];
        assert_eq!(
            heard("0f061700 00 0000 18 ffff", 20),
            well(Answer::Login { is_accepted: true })
        );
        assert_eq!(heard("0f06170001000019ffff", 20), well(Answer::Login { is_accepted: false }));
        // To a changed PIN, which we never ask for.
        assert_eq!(heard("0f0617 00 00 01 00 19 ffff", 20), well(Answer::Other(LOGIN)));
        assert_eq!(heard("0f0401000002ffff", 20), well(Answer::Clock));
        for (frame, limit_watts) in [
            ("0f0e 1000 00 c8 64 0000 0000 01 00 0e60 ac ffff", 3680),
            ("0f0e100000c86400000000010009064dffff", 2310),
        ] {
            assert_eq!(heard(frame, 20), well(Answer::Settings { limit_watts }));
        }
        assert_eq!(heard("0f0403000004ffff", 20), well(Answer::Other(3)));
        let serial = "0f1511004d4c303144313030313230303030303000 0064ffff";
        assert_eq!(heard(serial, 20), well(Answer::Other(0x11)));
    }

    const DAY: &str = "0f330a00000e000e000e000e000c00090008000b 000e000e0011000f0010000f000d000e000e000e \
        000e000e000e000e000d000042ffff";

    #[test]
    fn a_day_comes_in_three_pieces_or_at_once() {
        let hours = [
            14, 14, 14, 14, 12, 9, 8, 11, 14, 14, 17, 15, 16, 15, 13, 14, 14, 14, 14, 14, 14, 14,
            13, 0,
        ];
        for piece in [20, 160] {
            assert_eq!(heard(DAY, piece), [Ok(Answer::Hours(hours))]);
        }
        let other = "0f330a0000000000000000000000000000000005000b000b00000000000000000000000000000000000000000\
            0000001000d00063affff";
        let [Ok(Answer::Hours(hours))] = heard(other, 20)[..] else { panic!() };
        assert_eq!(
            (hours[7..10].to_vec(), hours[21..].to_vec()),
            (vec![5, 11, 11], vec![1, 13, 6])
        );
        // Twelve months, which we never ask for.
        let months = format!("0f330c00{}0004e300f4ffff", "00".repeat(44));
        assert_eq!(heard(&months, 20), [Ok(Answer::Other(0x0c))]);
    }

    #[test]
    fn pieces_in_a_wrong_order_are_no_answer() {
        let whole = bytes(DAY);
        let mut assembly = Assembly::default();
        for piece in [&whole[..20], &whole[40..], &whole[20..40]] {
            assembly.push(piece);
        }
        assert_eq!(assembly.take(), Some(Err(FrameError::Checksum)));
        // The stray end mark of it is not taken for a beginning.
        assert_eq!(assembly.take(), None);
        assembly.push(&bytes("0f0401000002ffff"));
        assert_eq!(assembly.take(), Some(Ok(Answer::Clock)));
    }

    #[test]
    fn a_changed_byte_is_noticed_wherever_it_is() {
        let frame = bytes("0f11 0400 01 005f18 e7 00df 32 0000 00000000 75");
        for place in 3..frame.len() {
            for change in 1..=255u8 {
                let mut bad = frame.clone();
                bad[place] ^= change;
                let mut assembly = Assembly::default();
                assembly.push(&bad);
                assert_eq!(assembly.take(), Some(Err(FrameError::Checksum)), "byte {place}");
            }
        }
    }

    #[test]
    fn what_never_ends_is_bounded() {
        let mut assembly = Assembly::default();
        for _ in 0..1000 {
            assembly.push(&[0x0f, 0xff, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            assert!(assembly.bytes.len() <= MAX_BYTES);
            let _ = assembly.take();
        }
    }

    #[test]
    fn the_meter_says_who_it_is() {
        let info = |text| Info::read(&bytes(text));
        let info_of = |firmware| Some(Info { firmware, hardware: (2, 0) });
        assert_eq!(info("56 4f 4c 43 46 54 04 00 00 00 00 01 0d 02 00 1e"), info_of((1, 13)));
        assert_eq!(info("56 4f 4c 43 46 54 04 00 03 00 00 01 0f 02 00 19"), info_of((1, 15)));
        assert_eq!(info("41 4f 4c 43 46 54 04 00 03 00 00 01 0f 02 00 19"), None);
        assert_eq!(info("56 4f 4c 43 46 54"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_in_any_pieces_do_no_harm(pieces: Vec<Vec<u8>>) {
            let mut assembly = Assembly::default();
            for piece in pieces {
                assembly.push(&piece);
                for answer in std::iter::from_fn(|| assembly.take()) {
                    if let Ok(Answer::Measurement(measured)) = answer {
                        proptest::prop_assert!(measured.watts <= 16_777.215);
                    }
                }
            }
        }
    }
}
