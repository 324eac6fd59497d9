//! The frame around every message: kind, length, payload.

use crate::{WireError, demo};

/// Bytes of a record's header.
pub const HEADER_LEN: usize = 8;

/// What a record is. Kinds below 128 travel from the demo to the kiosk, the others from the kiosk to the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`demo::Hello`], the first record of a demo.
    Hello,
    /// [`demo::FrameHeader`] and the pixels.
    Frame,
    /// [`demo::Statistics`].
    Statistics,
    /// [`demo::Text`].
    Text,
    /// [`demo::Alive`].
    Alive,
    /// [`demo::State`].
    State,
    /// [`demo::End`], the last record of a demo.
    End,
    /// [`crate::kiosk::Pointer`].
    Pointer,
    /// [`crate::kiosk::Control`].
    Control,
    /// [`crate::kiosk::Command::Pause`].
    Pause,
    /// [`crate::kiosk::Command::Stop`].
    Stop,
    /// [`crate::kiosk::Command::Begin`].
    Begin,
    /// [`crate::kiosk::Command::Save`].
    Save,
    /// A kind of a later version: its payload is skipped.
    Unknown(u16),
}

impl Kind {
    const KNOWN: [(Kind, u16, &'static str, u32); 13] = [
        (Kind::Hello, 1, "hello", 64 * 1024),
        (Kind::Frame, 2, "frame", demo::MAX_FRAME_LEN),
        (Kind::Statistics, 3, "statistics", 16 * 1024),
        (Kind::Text, 4, "text", 4 * 1024),
        (Kind::Alive, 5, "alive", 64),
        (Kind::End, 6, "end", 1024),
        (Kind::State, 7, "state", demo::MAX_STATE),
        (Kind::Pointer, 129, "pointer", 64),
        (Kind::Control, 130, "control", 256),
        (Kind::Pause, 131, "pause", 64),
        (Kind::Stop, 132, "stop", 64),
        (Kind::Begin, 133, "begin", demo::MAX_STATE),
        (Kind::Save, 134, "save", 64),
    ];

    fn entry(self) -> (u16, &'static str, u32) {
        match self {
            Kind::Unknown(code) => (code, "unknown", 64 * 1024),
            known => Self::KNOWN
                .iter()
                .find(|(kind, ..)| *kind == known)
                .map_or((0, "unknown", 0), |(_, code, name, limit)| (*code, name, *limit)),
        }
    }

    /// The number on the wire.
    pub fn code(self) -> u16 {
        self.entry().0
    }

    /// The word for it in messages.
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// Most bytes its payload may have.
    pub fn limit(self) -> u32 {
        self.entry().2
    }

    fn from_code(code: u16) -> Kind {
        Self::KNOWN
            .iter()
            .find(|(_, known, ..)| *known == code)
            .map_or(Kind::Unknown(code), |k| k.0)
    }
}

/// What stands before every payload: `kind: u16`, `reserved: u16 = 0`, `length: u32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What follows.
    pub kind: Kind,
    /// Bytes that follow.
    pub length: u32,
}

impl Header {
    /// The header's bytes.
    pub fn encode(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..2].copy_from_slice(&self.kind.code().to_le_bytes());
        bytes[4..].copy_from_slice(&self.length.to_le_bytes());
        bytes
    }

    /// Reads a header.
    ///
    /// # Errors
    /// [`WireError::TooLong`] if the payload would be larger than its kind allows.
    pub fn decode(bytes: [u8; HEADER_LEN]) -> Result<Self, WireError> {
        let [k0, k1, _, _, l0, l1, l2, l3] = bytes;
        let kind = Kind::from_code(u16::from_le_bytes([k0, k1]));
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        if kind.limit() < length {
            return Err(WireError::TooLong { kind: kind.name(), length, limit: kind.limit() });
        }
        Ok(Self { kind, length })
    }
}

/// Appends a whole record to `out`: the header, then what `payload` appends.
pub(crate) fn append(out: &mut Vec<u8>, kind: Kind, payload: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_LEN]);
    payload(out);
    let length = (out.len() - start - HEADER_LEN) as u32;
    out[start..start + HEADER_LEN].copy_from_slice(&Header { kind, length }.encode());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_the_wire() {
        for (kind, code, ..) in Kind::KNOWN {
            let header = Header { kind, length: 7 };
            assert_eq!(Header::decode(header.encode()), Ok(header));
            assert_eq!(kind.code(), code);
        }
    }

    #[test]
    fn a_kind_of_a_later_version_is_known_as_unknown() {
        let bytes = [0x2a, 0, 0, 0, 5, 0, 0, 0];
        assert_eq!(Header::decode(bytes), Ok(Header { kind: Kind::Unknown(42), length: 5 }));
    }

    #[test]
    fn a_frame_of_four_gigabytes_is_refused_by_its_header() {
        let bytes = [2, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
        let error = Header::decode(bytes).unwrap_err();
        assert!(
            error.to_string().starts_with("a frame record announces 4294967295 bytes"),
            "{error}"
        );
    }
}
