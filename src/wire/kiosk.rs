//! What the kiosk sends to a running demo: fingers, controls, pause, stop, begin, save.

use crate::{
    WireError,
    bytes::{Cursor, fitting},
    record::{Header, Kind, append},
};

/// Longest name of a control, bytes of UTF-8.
pub const MAX_CONTROL_NAME: usize = 64;

/// What a finger did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It touched the canvas.
    Down = 0,
    /// It moved.
    Moved = 1,
    /// It left the canvas, or was lost.
    Up = 2,
}

/// A finger (or the mouse) on the canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pointer {
    /// Counts all pointer events of a run from 1.
    pub sequence: u32,
    /// Which finger, from 0; reused once it is up.
    pub finger: u8,
    /// What it did.
    pub phase: Phase,
    /// Picture pixels from the left edge; a finger that slides off may be outside the picture.
    pub x: f32,
    /// Picture pixels from the top edge.
    pub y: f32,
}

/// A control of the demo, as its demo.toml names it, has a new value.
#[derive(Clone, Debug, PartialEq)]
pub struct Control {
    /// Its name.
    pub name: String,
    /// Its value, inside the range that demo.toml states.
    pub value: f64,
}

/// Everything the kiosk says.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A finger.
    Pointer(Pointer),
    /// A control.
    Control(Control),
    /// Hold (`true`) or go on (`false`); a held demo still sends signs of life.
    Pause(bool),
    /// End now, within 0.7 s; the end of the stream means the same.
    Stop,
    /// A demo that was started in advance begins: with what [`crate::demo::State`] another run of it handed over, or from the
    /// start if that is empty.
    Begin(Vec<u8>),
    /// Hand over the state, and go on.
    Save,
}

impl Command {
    /// Appends the record.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Command::Pointer(pointer) => append(out, Kind::Pointer, |out| {
                out.extend_from_slice(&pointer.sequence.to_le_bytes());
                out.extend_from_slice(&[pointer.finger, pointer.phase as u8, 0, 0]);
                out.extend_from_slice(&pointer.x.to_le_bytes());
                out.extend_from_slice(&pointer.y.to_le_bytes());
            }),
            Command::Control(control) => append(out, Kind::Control, |out| {
                let name = fitting(&control.name, MAX_CONTROL_NAME);
                out.extend_from_slice(&control.value.to_le_bytes());
                out.push(name.len() as u8);
                out.extend_from_slice(name.as_bytes());
            }),
            Command::Pause(held) => append(out, Kind::Pause, |out| out.push(u8::from(*held))),
            Command::Stop => append(out, Kind::Stop, |_| {}),
            Command::Begin(state) => append(out, Kind::Begin, |out| out.extend_from_slice(state)),
            Command::Save => append(out, Kind::Save, |_| {}),
        }
    }

    /// Reads the payload that belongs to `header`; `None` for a kind that a later kiosk may send.
    ///
    /// # Errors
    /// Names the first field that is missing or outside its range.
    pub fn decode(header: Header, payload: &[u8]) -> Result<Option<Self>, WireError> {
        let mut cursor = Cursor::new(header.kind.name(), payload);
        Ok(Some(match header.kind {
            Kind::Pointer => {
                let sequence = cursor.u32("sequence")?;
                let (finger, phase) = (cursor.u8("finger")?, cursor.u8("phase")?);
                cursor.check(phase <= 2, "phase", phase, "0 to 2")?;
                let phase = [Phase::Down, Phase::Moved, Phase::Up][usize::from(phase)];
                cursor.u16("reserved bytes")?;
                let (x, y) = (cursor.f32("x")?, cursor.f32("y")?);
                Command::Pointer(Pointer { sequence, finger, phase, x, y })
            }
            Kind::Control => {
                let value = cursor.f64("value")?;
                let length = usize::from(cursor.u8("length of the name")?);
                Command::Control(Control { name: cursor.text(length, "name")?, value })
            }
            Kind::Pause => Command::Pause(cursor.u8("state")? != 0),
            Kind::Stop => Command::Stop,
            Kind::Begin => Command::Begin(payload.to_vec()),
            Kind::Save => Command::Save,
            _ => return Ok(None),
        }))
    }
}
