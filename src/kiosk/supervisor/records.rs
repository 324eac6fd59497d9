//! Puts a demo's byte stream together into records, whatever pieces it arrives in. Pure: somebody else reads.
//!
//! Memory is set aside once, for the picture that the hello announced; pixels are read straight into it.

use wire::{
    WireError,
    demo::{Alive, End, FrameHeader, Hello, Statistics, Text},
    record::{HEADER_LEN, Header, Kind},
};

/// Bytes for what is not pixels; what is skipped passes through it too.
const SMALL: usize = 16 * 1024;

/// A whole record.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A picture; its pixels are [`Assembler::pixels`] until the next byte is taken.
    Frame(FrameHeader),
    /// How fast the run is.
    Statistics(Statistics),
    /// A sentence for the visitor.
    Text(Text),
    /// A sign of progress.
    Alive(Alive),
    /// Why the demo ends.
    End(End),
    /// What another run can go on from, after it was asked for.
    State(Vec<u8>),
    /// A kind that this version does not know.
    Unknown,
}

/// The records of a demo after its hello.
pub struct Assembler {
    pixels: Box<[u8]>,
    small: Box<[u8]>,
    /// A state is asked for; nobody else's takes memory.
    wants_state: bool,
    state: Vec<u8>,
    part: Part,
    /// Bytes of the part that have arrived.
    filled: usize,
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug)]
enum Part {
    Header,
    FrameHeader,
    Pixels(FrameHeader),
    Payload(Header),
    State(Header),
    Skipped(Header),
}

impl Assembler {
    /// For the pictures that `hello` announces; its decoder has checked their size.
    pub fn new(hello: &Hello) -> Self {
        Self {
            pixels: vec![0; hello.picture_len()].into(),
            small: vec![0; SMALL].into(),
            wants_state: false,
            state: Vec::new(),
            part: Part::Header,
            filled: 0,
        }
    }

    /// The pixels of the newest [`Record::Frame`].
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The next state that comes is wanted.
    pub fn want_state(&mut self) {
        self.wants_state = true;
    }

    /// Where the next bytes belong; never empty.
    pub fn space(&mut self) -> &mut [u8] {
        let length = self.part_len();
        match self.part {
            Part::Pixels(_) => &mut self.pixels[self.filled..],
            Part::State(_) => &mut self.state[self.filled..],
            Part::Skipped(_) => &mut self.small[..SMALL.min(length - self.filled)],
            Part::Header | Part::FrameHeader | Part::Payload(_) => {
                &mut self.small[self.filled..length]
            }
        }
    }

    /// `count` bytes have been put at the front of [`Self::space`]; the record that they complete.
    ///
    /// # Errors
    /// If the stream is not the protocol; then nothing after it can be understood.
    pub fn advance(&mut self, count: usize) -> Result<Option<Record>, WireError> {
        self.filled += count;
        while self.filled == self.part_len() {
            self.filled = 0;
            match self.part {
                Part::Header => {
                    let mut bytes = [0; HEADER_LEN];
                    bytes.copy_from_slice(&self.small[..HEADER_LEN]);
                    self.part = self.after(Header::decode(bytes)?)?;
                    if let Part::State(header) = self.part {
                        // The header's decoder has checked its length.
                        self.state = vec![0; header.length as usize];
                    }
                }
                Part::FrameHeader => {
                    let header = FrameHeader::decode(&self.small[..FrameHeader::LEN])?;
                    self.part = Part::Pixels(header);
                }
                Part::Pixels(header) => {
                    self.part = Part::Header;
                    return Ok(Some(Record::Frame(header)));
                }
                Part::Payload(header) => {
                    self.part = Part::Header;
                    return decode(header.kind, &self.small[..header.length as usize]).map(Some);
                }
                Part::State(_) => {
                    self.part = Part::Header;
                    self.wants_state = false;
                    return Ok(Some(Record::State(std::mem::take(&mut self.state))));
                }
                Part::Skipped(_) => {
                    self.part = Part::Header;
                    return Ok(Some(Record::Unknown));
                }
            }
        }
        Ok(None)
    }

    /// What is missing if the stream ends here; `None` between two records.
    pub fn cut(&self) -> Option<WireError> {
        let (kind, field) = match self.part {
            Part::Header if self.filled == 0 => return None,
            Part::Header => ("next", "header"),
            Part::FrameHeader => ("frame", "header"),
            Part::Pixels(_) => ("frame", "pixels"),
            Part::Payload(header) | Part::State(header) | Part::Skipped(header) => {
                (header.kind.name(), "payload")
            }
        };
        Some(WireError::Truncated { kind, length: self.filled, field })
    }

    /// What comes after a record's header.
    fn after(&self, header: Header) -> Result<Part, WireError> {
        let out_of_place = |field, value: String, range| {
            Err(WireError::OutOfRange { kind: header.kind.name(), field, value, range })
        };
        match header.kind {
            Kind::Frame if header.length as usize != FrameHeader::LEN + self.pixels.len() => {
                out_of_place(
                    "length",
                    header.length.to_string(),
                    "the size that the hello announced",
                )
            }
            Kind::Frame => Ok(Part::FrameHeader),
            Kind::Hello => out_of_place("place", "in the stream".into(), "its beginning"),
            Kind::Statistics | Kind::Text | Kind::Alive | Kind::End => Ok(Part::Payload(header)),
            Kind::State if self.wants_state && 0 < header.length => Ok(Part::State(header)),
            // Those that the kiosk sends mean nothing from a demo.
            Kind::State
            | Kind::Pointer
            | Kind::Control
            | Kind::Pause
            | Kind::Stop
            | Kind::Begin
            | Kind::Save
            | Kind::Unknown(_) => Ok(Part::Skipped(header)),
        }
    }

    fn part_len(&self) -> usize {
        match self.part {
            Part::Header => HEADER_LEN,
            Part::FrameHeader => FrameHeader::LEN,
            Part::Pixels(_) => self.pixels.len(),
            Part::Payload(header) | Part::State(header) | Part::Skipped(header) => {
                header.length as usize
            }
        }
    }
}

fn decode(kind: Kind, payload: &[u8]) -> Result<Record, WireError> {
    Ok(match kind {
        Kind::Statistics => Record::Statistics(Statistics::decode(payload)?),
        Kind::Text => Record::Text(Text::decode(payload)?),
        Kind::Alive => Record::Alive(Alive::decode(payload)?),
        Kind::End => Record::End(End::decode(payload)?),
        _ => Record::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use wire::demo::{Device, EndReason, PixelFormat, Rank, State, TOKEN_LEN};

    use super::*;

    fn hello() -> Hello {
        let rank = Rank { x: 0, y: 0, width: 3, height: 2, device: Device::Cpu, host: "pi".into() };
        let token = [b'x'; TOKEN_LEN];
        Hello { token, format: PixelFormat::Indexed, width: 3, height: 2, ranks: vec![rank] }
    }

    #[test]
    fn a_state_takes_memory_only_where_it_was_asked_for() {
        let mut stream = Vec::new();
        State(vec![7; 100_000]).encode(&mut stream);
        Alive { step: 2 }.encode(&mut stream);
        for (asked, expected) in [(false, Record::Unknown), (true, Record::State(vec![7; 100_000]))]
        {
            let mut assembler = Assembler::new(&hello());
            if asked {
                assembler.want_state();
            }
            let (mut rest, mut records) = (&stream[..], Vec::new());
            while !rest.is_empty() {
                let space = assembler.space();
                let count = space.len().min(rest.len()).min(999);
                space[..count].copy_from_slice(&rest[..count]);
                records.extend(assembler.advance(count).unwrap());
                rest = &rest[count..];
            }
            assert_eq!(records, [expected, Record::Alive(Alive { step: 2 })]);
        }
        // One that is larger than any may be is refused by its header.
        let header = [7, 0, 0, 0, 0, 0, 0, 2];
        let mut assembler = Assembler::new(&hello());
        assembler.want_state();
        assembler.space()[..8].copy_from_slice(&header);
        assert!(assembler.advance(8).is_err());
    }

    /// Each record with the pixels that were there when it was whole.
    type Records = Vec<(Record, Vec<u8>)>;

    /// Feeds `stream` in pieces of at most `piece` bytes.
    fn feed(stream: &[u8], piece: usize) -> (Records, Assembler, Option<WireError>) {
        let mut assembler = Assembler::new(&hello());
        let mut records = Vec::new();
        let mut rest = stream;
        while !rest.is_empty() {
            let space = assembler.space();
            let count = space.len().min(rest.len()).min(piece);
            space[..count].copy_from_slice(&rest[..count]);
            rest = &rest[count..];
            match assembler.advance(count) {
                Ok(Some(record)) => records.push((record, assembler.pixels().to_vec())),
                Ok(None) => {}
                Err(error) => return (records, assembler, Some(error)),
            }
        }
        (records, assembler, None)
    }

    fn frame(step: u64, pixels: &[u8]) -> Vec<u8> {
        let header = FrameHeader { step, ..Default::default() };
        [&header.encode(pixels.len())[..], pixels].concat()
    }

    #[test]
    fn records_are_whole_whatever_pieces_they_arrive_in() {
        let mut stream = frame(1, b"abcdef");
        Statistics { interval_s: 0.5, steps: 7, ..Default::default() }.encode(&mut stream);
        Text { sentences: vec![(*b"en", "hi".into())] }.encode(&mut stream);
        Alive { step: 2 }.encode(&mut stream);
        // A kind of a later version, and one without payload.
        stream.extend_from_slice(&[42, 0, 0, 0, 0, 0x80, 0, 0]);
        stream.extend_from_slice(&[0xaa; 0x8000]);
        stream.extend_from_slice(&[43, 0, 0, 0, 0, 0, 0, 0]);
        stream.extend(frame(3, b"ABCDEF"));
        End { reason: EndReason::Finished, detail: String::new() }.encode(&mut stream);

        for piece in [1, 7, 4096, usize::MAX] {
            let (records, assembler, error) = feed(&stream, piece);
            assert_eq!((error, assembler.cut()), (None, None));
            let kinds: Vec<_> = records
                .iter()
                .map(|(record, pixels)| match record {
                    Record::Frame(header) => {
                        format!("{} {}", header.step, String::from_utf8_lossy(pixels))
                    }
                    Record::Statistics(statistics) => format!("{} steps", statistics.steps),
                    Record::Text(text) => text.sentences[0].1.clone(),
                    Record::Alive(alive) => format!("alive at {}", alive.step),
                    Record::End(end) => format!("{:?}", end.reason),
                    Record::State(state) => format!("{} bytes of state", state.len()),
                    Record::Unknown => "unknown".into(),
                })
                .collect();
            let expected = [
                "1 abcdef",
                "7 steps",
                "hi",
                "alive at 2",
                "unknown",
                "unknown",
                "3 ABCDEF",
                "Finished",
            ];
            assert_eq!(kinds, expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_frame_of_another_size_than_announced_is_refused_at_its_header() {
        for pixels in [&b"abcde"[..], b"abcdefg", b""] {
            let (records, _, error) = feed(&frame(1, pixels), usize::MAX);
            assert_eq!(records, []);
            let error = error.unwrap().to_string();
            assert!(error.ends_with("outside the size that the hello announced"), "{error}");
        }
    }

    #[test]
    fn a_second_hello_is_refused() {
        let mut stream = Vec::new();
        hello().encode(&mut stream);
        let (_, _, error) = feed(&stream, usize::MAX);
        assert!(error.unwrap().to_string().contains("hello"));
    }

    #[test]
    fn a_stream_that_ends_inside_a_record_says_where() {
        let stream = frame(1, b"abcdef");
        for (length, field) in [(3, "header"), (20, "header"), (42, "pixels")] {
            let (_, assembler, _) = feed(&stream[..length], usize::MAX);
            let cut = assembler.cut().unwrap();
            assert!(matches!(cut, WireError::Truncated { field: f, .. } if f == field), "{cut}");
        }
    }
}
