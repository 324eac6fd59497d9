//! What a demo sends: one hello, then frames, statistics and texts as they come, one end.

use crate::{
    VERSION, WireError,
    bytes::{Cursor, fitting},
    record::{Kind, append},
};

/// Largest width and height of a picture, pixels.
pub const MAX_SIDE: u16 = 4096;
/// Most pixels of a picture.
pub const MAX_PIXELS: u32 = 1920 * 1080;
/// Most ranks that a hello or statistics may describe.
pub const MAX_RANKS: u16 = 256;
/// Bytes of a run's token, ASCII letters and digits.
pub const TOKEN_LEN: usize = 32;
/// Longest host name, bytes of UTF-8.
pub const MAX_HOST: usize = 64;

/// Most bytes of a state that a demo hands over for another run to go on from.
pub const MAX_STATE: u32 = 16 << 20;

const MAGIC: [u8; 4] = *b"HPCK";
pub(crate) const MAX_FRAME_LEN: u32 = FrameHeader::LEN as u32 + 4 * MAX_PIXELS;

/// How a pixel is written; the code on the wire is its number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelFormat {
    /// One byte, 0 to 255: an amount, which the kiosk colours by the rank that computed it.
    Indexed = 1,
    /// Red, green, blue.
    Rgb = 3,
    /// Red, green, blue, and a fourth byte that is ignored.
    Rgbx = 4,
}

impl PixelFormat {
    /// Bytes per pixel.
    pub fn bytes(self) -> usize {
        self as usize
    }
}

/// What computes a rank's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// Processor cores.
    Cpu = 0,
    /// A graphics processor.
    Gpu = 1,
}

/// One MPI rank and its part of the picture (pixels, origin top left); an empty rectangle computes unseen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rank {
    /// Left edge.
    pub x: u16,
    /// Top edge.
    pub y: u16,
    /// Width.
    pub width: u16,
    /// Height.
    pub height: u16,
    /// What computes it.
    pub device: Device,
    /// The name of the host it runs on, as `gethostname` says it there.
    pub host: String,
}

/// The first record: who is there and what the pictures look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The run's token, as the kiosk gave it.
    pub token: [u8; TOKEN_LEN],
    /// How pixels are written.
    pub format: PixelFormat,
    /// Picture width, pixels.
    pub width: u16,
    /// Picture height, pixels.
    pub height: u16,
    /// Every rank, in order; at least one.
    pub ranks: Vec<Rank>,
}

impl Hello {
    /// Appends the record.
    pub fn encode(&self, out: &mut Vec<u8>) {
        append(out, Kind::Hello, |out| {
            out.extend_from_slice(&MAGIC);
            out.extend_from_slice(&VERSION.to_le_bytes());
            out.extend_from_slice(&[self.format as u8, 0]);
            out.extend_from_slice(&self.token);
            out.extend_from_slice(&self.width.to_le_bytes());
            out.extend_from_slice(&self.height.to_le_bytes());
            let ranks = &self.ranks[..self.ranks.len().min(usize::from(MAX_RANKS))];
            out.extend_from_slice(&(ranks.len() as u16).to_le_bytes());
            out.extend_from_slice(&[0, 0]);
            for rank in ranks {
                for side in [rank.x, rank.y, rank.width, rank.height] {
                    out.extend_from_slice(&side.to_le_bytes());
                }
                let host = fitting(&rank.host, MAX_HOST);
                out.extend_from_slice(&[rank.device as u8, host.len() as u8]);
                out.extend_from_slice(host.as_bytes());
            }
        });
    }

    /// Reads the payload of a hello.
    ///
    /// # Errors
    /// Names the first field that is missing or outside its range.
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut cursor = Cursor::new("hello", payload);
        let mut magic = [0; 4];
        magic.copy_from_slice(cursor.take(4, "magic")?);
        if magic != MAGIC {
            return Err(WireError::Magic(magic));
        }
        let version = cursor.u16("version")?;
        if version != VERSION {
            return Err(WireError::Version(version));
        }
        let format = cursor.u8("pixel format")?;
        cursor.u8("reserved byte")?;
        let mut token = [0; TOKEN_LEN];
        token.copy_from_slice(cursor.take(TOKEN_LEN, "token")?);
        let (width, height) = (cursor.u16("width")?, cursor.u16("height")?);
        let count = cursor.u16("number of ranks")?;
        cursor.u16("reserved bytes")?;

        let format = match format {
            1 => PixelFormat::Indexed,
            3 => PixelFormat::Rgb,
            4 => PixelFormat::Rgbx,
            other => {
                cursor.check(false, "pixel format", other, "1 (indexed), 3 (RGB) and 4 (RGBx)")?;
                PixelFormat::Indexed
            }
        };
        cursor.check((1..=MAX_SIDE).contains(&width), "width", width, "1 to 4096")?;
        cursor.check((1..=MAX_SIDE).contains(&height), "height", height, "1 to 4096")?;
        let pixels = u32::from(width) * u32::from(height);
        cursor.check(pixels <= MAX_PIXELS, "width times height", pixels, "1 to 2073600")?;
        cursor.check((1..=MAX_RANKS).contains(&count), "number of ranks", count, "1 to 256")?;

        let mut ranks = Vec::with_capacity(usize::from(count));
        let mut area = 0;
        for _ in 0..count {
            let (x, y) = (cursor.u16("left edge of a rank")?, cursor.u16("top edge of a rank")?);
            let (w, h) = (cursor.u16("width of a rank")?, cursor.u16("height of a rank")?);
            let device = cursor.u8("device of a rank")?;
            let host_len = usize::from(cursor.u8("host length of a rank")?);
            cursor.check(host_len <= MAX_HOST, "host length of a rank", host_len, "0 to 64")?;
            let inside = u32::from(x) + u32::from(w) <= u32::from(width)
                && u32::from(y) + u32::from(h) <= u32::from(height);
            cursor.check(
                inside,
                "rectangle of a rank",
                format!("{w}x{h}+{x}+{y}"),
                "the picture",
            )?;
            area += u32::from(w) * u32::from(h);
            cursor.check(area <= pixels, "area of all ranks", area, "the picture: they overlap")?;
            cursor.check(device <= 1, "device of a rank", device, "0 (CPU) and 1 (GPU)")?;
            let device = if device == 1 { Device::Gpu } else { Device::Cpu };
            let host = cursor.text(host_len, "host of a rank")?;
            ranks.push(Rank { x, y, width: w, height: h, device, host });
        }
        Ok(Self { token, format, width, height, ranks })
    }

    /// Bytes of one picture.
    pub fn picture_len(&self) -> usize {
        usize::from(self.width) * usize::from(self.height) * self.format.bytes()
    }
}

/// What stands before the pixels of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FrameHeader {
    /// Time steps since the start.
    pub step: u64,
    /// Model time, s.
    pub model_time_s: f64,
    /// When the demo handed the frame over: `CLOCK_MONOTONIC` of its host in ns, 0 if it does not say.
    pub sent_ns: u64,
    /// [`crate::kiosk::Pointer::sequence`] of the newest pointer event that this picture shows, 0 for none.
    pub pointer_sequence: u32,
}

impl FrameHeader {
    /// Bytes before the pixels.
    pub const LEN: usize = 32;

    /// The bytes before the pixels, the record's own header included.
    pub fn encode(self, picture_len: usize) -> [u8; crate::record::HEADER_LEN + Self::LEN] {
        let length = (Self::LEN + picture_len) as u32;
        let mut bytes = [0; crate::record::HEADER_LEN + Self::LEN];
        bytes[..8].copy_from_slice(&crate::record::Header { kind: Kind::Frame, length }.encode());
        bytes[8..16].copy_from_slice(&self.step.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.model_time_s.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.sent_ns.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.pointer_sequence.to_le_bytes());
        bytes
    }

    /// Reads the part of a frame's payload that stands before the pixels.
    ///
    /// # Errors
    /// If the payload is shorter than [`Self::LEN`] or the model time is not a finite number.
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut cursor = Cursor::new("frame", payload);
        let step = cursor.u64("step")?;
        let model_time_s = cursor.f64("model time")?;
        let sent_ns = cursor.u64("time stamp")?;
        let pointer_sequence = cursor.u32("pointer sequence")?;
        cursor.u32("reserved bytes")?;
        Ok(Self { step, model_time_s, sent_ns, pointer_sequence })
    }
}

/// What a run's speed is counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Grid cells advanced by one step.
    #[default]
    Cells = 0,
    /// (Super-)droplets advanced by one step.
    Droplets = 1,
}

/// How one rank spent the interval; the shares add up to at most 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RankStatistics {
    /// Share of time computing.
    pub compute: f32,
    /// Share of time sending and receiving.
    pub communicate: f32,
    /// Share of time waiting for a neighbour.
    pub wait: f32,
    /// Bytes of halo sent in the interval.
    pub halo_bytes: u64,
}

/// How fast the run was over an interval; about two a second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Length of the interval, s, 0.001 to 3600.
    pub interval_s: f32,
    /// Time steps in it.
    pub steps: u64,
    /// Updates in it, counted in [`Self::unit`].
    pub updates: u64,
    /// What an update is.
    pub unit: Unit,
    /// Every rank, in the order of the hello.
    pub ranks: Vec<RankStatistics>,
}

impl Statistics {
    /// Appends the record.
    pub fn encode(&self, out: &mut Vec<u8>) {
        append(out, Kind::Statistics, |out| {
            out.extend_from_slice(&self.interval_s.to_le_bytes());
            let ranks = &self.ranks[..self.ranks.len().min(usize::from(MAX_RANKS))];
            out.extend_from_slice(&(ranks.len() as u16).to_le_bytes());
            out.extend_from_slice(&[self.unit as u8, 0]);
            out.extend_from_slice(&self.steps.to_le_bytes());
            out.extend_from_slice(&self.updates.to_le_bytes());
            for rank in ranks {
                for share in [rank.compute, rank.communicate, rank.wait, 0.0] {
                    out.extend_from_slice(&share.to_le_bytes());
                }
                out.extend_from_slice(&rank.halo_bytes.to_le_bytes());
            }
        });
    }

    /// Reads the payload of a statistics record.
    ///
    /// # Errors
    /// Names the first field that is missing or outside its range.
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut cursor = Cursor::new("statistics", payload);
        let interval_s = cursor.f32("interval")?;
        cursor.check(
            (0.001..=3600.0).contains(&interval_s),
            "interval",
            interval_s,
            "0.001 s to 1 h",
        )?;
        let count = cursor.u16("number of ranks")?;
        cursor.check(count <= MAX_RANKS, "number of ranks", count, "0 to 256")?;
        let unit = if cursor.u8("unit")? == 1 { Unit::Droplets } else { Unit::Cells };
        cursor.u8("reserved byte")?;
        let (steps, updates) = (cursor.u64("steps")?, cursor.u64("updates")?);
        let mut ranks = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let mut share = |field| {
                let share = cursor.f32(field)?;
                cursor.check((0.0..=1.0).contains(&share), field, share, "0 to 1")?;
                Ok(share)
            };
            let compute = share("computing share")?;
            let communicate = share("communicating share")?;
            let wait = share("waiting share")?;
            // Clocks are read one after the other, so a percent too much is no lie.
            let sum = compute + communicate + wait;
            cursor.check(sum <= 1.01, "sum of a rank's shares", sum, "0 to 1")?;
            cursor.u32("reserved bytes")?;
            let halo_bytes = cursor.u64("halo bytes")?;
            ranks.push(RankStatistics { compute, communicate, wait, halo_bytes });
        }
        Ok(Self { interval_s, steps, updates, unit, ranks })
    }
}

/// A sentence for the visitor, in every language the demo knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// Language (two letters, ISO 639-1) and sentence.
    pub sentences: Vec<([u8; 2], String)>,
}

impl Text {
    /// Longest sentence, bytes of UTF-8.
    pub const MAX_SENTENCE: usize = 240;
    /// Most languages.
    pub const MAX_LANGUAGES: usize = 16;

    /// Appends the record.
    pub fn encode(&self, out: &mut Vec<u8>) {
        append(out, Kind::Text, |out| {
            let sentences = &self.sentences[..self.sentences.len().min(Self::MAX_LANGUAGES)];
            out.push(sentences.len() as u8);
            for (language, sentence) in sentences {
                let sentence = fitting(sentence, Self::MAX_SENTENCE);
                out.extend_from_slice(language);
                out.push(sentence.len() as u8);
                out.extend_from_slice(sentence.as_bytes());
            }
        });
    }

    /// Reads the payload of a text record.
    ///
    /// # Errors
    /// If it ends in the middle of a sentence or has too many.
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut cursor = Cursor::new("text", payload);
        let count = usize::from(cursor.u8("number of languages")?);
        cursor.check(count <= Self::MAX_LANGUAGES, "number of languages", count, "0 to 16")?;
        let mut sentences = Vec::with_capacity(count);
        for _ in 0..count {
            let language = [cursor.u8("language")?, cursor.u8("language")?];
            let length = usize::from(cursor.u8("length of a sentence")?);
            sentences.push((language, cursor.text(length, "sentence")?));
        }
        Ok(Self { sentences })
    }
}

/// A sign of progress from a demo that has no picture to show just now; at least one a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Alive {
    /// Time steps since the start.
    pub step: u64,
}

impl Alive {
    /// Appends the record.
    pub fn encode(self, out: &mut Vec<u8>) {
        append(out, Kind::Alive, |out| out.extend_from_slice(&self.step.to_le_bytes()));
    }

    /// Reads the payload of an alive record.
    ///
    /// # Errors
    /// If it is too short.
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        Ok(Self { step: Cursor::new("alive", payload).u64("step")? })
    }
}

/// What another run of the same demo, on other computers, goes on from; only the demo knows what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State(pub Vec<u8>);

impl State {
    /// Appends the record.
    pub fn encode(&self, out: &mut Vec<u8>) {
        append(out, Kind::State, |out| {
            out.extend_from_slice(&self.0[..self.0.len().min(MAX_STATE as usize)]);
        });
    }
}

/// Why a demo ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// It has computed all it meant to.
    Finished = 0,
    /// It was asked to.
    Stopped = 1,
    /// It cannot go on.
    Failed = 2,
}

/// The last record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Why.
    pub reason: EndReason,
    /// What the owner needs to know, in English; may be empty.
    pub detail: String,
}

impl End {
    /// Longest detail, bytes of UTF-8.
    pub const MAX_DETAIL: usize = 512;

    /// Appends the record.
    pub fn encode(&self, out: &mut Vec<u8>) {
        append(out, Kind::End, |out| {
            let detail = fitting(&self.detail, Self::MAX_DETAIL);
            out.extend_from_slice(&[self.reason as u8, 0]);
            out.extend_from_slice(&(detail.len() as u16).to_le_bytes());
            out.extend_from_slice(detail.as_bytes());
        });
    }

    /// Reads the payload of an end record.
    ///
    /// # Errors
    /// Names the first field that is missing or outside its range.
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut cursor = Cursor::new("end", payload);
        let reason = cursor.u8("reason")?;
        cursor.check(reason <= 2, "reason", reason, "0 to 2")?;
        let reason = match reason {
            0 => EndReason::Finished,
            1 => EndReason::Stopped,
            _ => EndReason::Failed,
        };
        cursor.u8("reserved byte")?;
        let length = usize::from(cursor.u16("length of the detail")?);
        Ok(Self { reason, detail: cursor.text(length, "detail")? })
    }
}
