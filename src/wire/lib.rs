//! What crosses between our processes, as pure functions of bytes: the demo protocol, and the nodes' [`metrics`].
//!
//! Nothing here reads, writes or waits. A stream in either direction is a sequence of [`record`]s; what the
//! demo sends is in [`demo`], what the kiosk sends in [`kiosk`], and how the two find each other in [`channel`].
//! The README's protocol page describes the same bytes for implementers in other languages; every number
//! is little-endian, every size is bounded, and a size is checked before memory is set aside for it.

pub mod channel;
pub mod demo;
pub mod kiosk;
pub mod metrics;
pub mod record;

mod bytes;

/// The version of the protocol; a demo that says another one is refused with a sentence.
pub const VERSION: u16 = 1;

/// Why bytes are not what the protocol says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A record announces more bytes than its kind may have.
    #[error("a {kind} record announces {length} bytes, more than the {limit} it may have")]
    TooLong {
        /// What the record claims to be.
        kind: &'static str,
        /// Bytes it announces.
        length: u32,
        /// Bytes it may have.
        limit: u32,
    },
    /// A record is shorter than its fixed part, or than the lengths inside it say.
    #[error("a {kind} record ends after {length} bytes, in the middle of its {field}")]
    Truncated {
        /// What the record claims to be.
        kind: &'static str,
        /// Bytes it has.
        length: usize,
        /// The field that is not complete.
        field: &'static str,
    },
    /// A field holds a value outside its range.
    #[error("the {field} of a {kind} record is {value}, outside {range}")]
    OutOfRange {
        /// What the record claims to be.
        kind: &'static str,
        /// The field.
        field: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        range: &'static str,
    },
    /// The stream does not start as a demo's stream does.
    #[error("not a demo: the hello starts with {0:02x?} instead of \"HPCK\"")]
    Magic([u8; 4]),
    /// The demo speaks another version of the protocol.
    #[error(
        "the demo speaks version {0} of the protocol, this kiosk version {VERSION}; install both from one release"
    )]
    Version(u16),
}
