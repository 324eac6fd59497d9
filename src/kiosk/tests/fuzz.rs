//! Whatever comes in from outside, damaged at random: nothing panics, nothing absurd is taken for a value, and whoever wrote
//! the file is told the line.
//!
//! The corpus is what real devices and programs have said (`tests/corpus`) and the files that ship. A case takes one of them
//! and changes it some times; `PROPTEST_CASES=100000 cargo test --release --package hpc-kiosk --test fuzz` looks further.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::{Duration, Instant},
};

use kiosk::{
    catalogue::{Control, Demo},
    config::Config,
    meter::frame::{Answer, Assembly},
    telemetry::mapping::{self, Counters, Said},
};
use proptest::{collection::vec, prelude::*, sample::Index};
use wire::{
    WireError,
    demo::{Alive, End, FrameHeader, Hello, Statistics, Text},
    kiosk::Command,
    record::{HEADER_LEN, Header, Kind},
};

/// Something that happens to bytes.
#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Cut(Index, usize),
    Repeat(Index, usize),
    Insert(Index, Vec<u8>),
    Truncate(Index),
    /// A word that means something to one of the readers.
    Word(Index, Index),
    /// Goes on as another of the corpus from there.
    Splice(Index, Index),
}

/// Words and numbers at which readers have their limits.
const WORDS: [&[u8]; 23] = [
    b"\0",
    b"\xff\xff\xff\xff",
    b"\x0f",
    b"\n",
    b"\"",
    b"{",
    b"}",
    b"[[node]]\n",
    b"[",
    b"=",
    b"#",
    b"NaN",
    b"+Inf",
    b"-1",
    b"1e309",
    b"18446744073709551616",
    b"0x7fffffffffffffff",
    b"2026-02-30",
    b"\xc3",
    b"\xf0\x9f\x94\xa5",
    b"\r\n",
    b"true",
    b"-0.0",
];

fn damage() -> impl Strategy<Value = Damage> {
    let place = any::<Index>;
    prop_oneof![
        4 => (place(), 1..=255u8).prop_map(|(at, change)| Damage::Flip(at, change)),
        2 => (place(), 1..64usize).prop_map(|(at, length)| Damage::Cut(at, length)),
        1 => (place(), 1..512usize).prop_map(|(at, length)| Damage::Repeat(at, length)),
        1 => (place(), vec(any::<u8>(), 1..16)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        1 => place().prop_map(Damage::Truncate),
        3 => (place(), place()).prop_map(|(at, word)| Damage::Word(at, word)),
        1 => (place(), place()).prop_map(|(at, other)| Damage::Splice(at, other)),
    ]
}

/// One of the corpus, and what happens to it.
fn damages() -> impl Strategy<Value = (Index, Vec<Damage>)> {
    (any::<Index>(), vec(damage(), 0..6))
}

fn damaged(corpus: &[Vec<u8>], (seed, damages): &(Index, Vec<Damage>)) -> Vec<u8> {
    let mut bytes = seed.get(corpus).clone();
    for damage in damages {
        let length = bytes.len();
        let at = |index: &Index| index.index(length + 1);
        let stretch = |index: &Index, most: usize| at(index)..(at(index) + most).min(length);
        match damage {
            Damage::Flip(index, change) if 0 < length => bytes[index.index(length)] ^= change,
            Damage::Flip(..) => {}
            Damage::Cut(index, most) => drop(bytes.drain(stretch(index, *most))),
            Damage::Repeat(index, most) => {
                let again = bytes[stretch(index, *most)].to_vec();
                bytes.splice(at(index)..at(index), again);
            }
            Damage::Insert(index, more) => {
                bytes.splice(at(index)..at(index), more.iter().copied());
            }
            Damage::Truncate(index) => bytes.truncate(at(index)),
            Damage::Word(index, word) => {
                bytes.splice(at(index)..at(index), word.get(&WORDS[..]).iter().copied());
            }
            Damage::Splice(index, other) => {
                let other = other.get(corpus);
                bytes.truncate(at(index));
                bytes.extend_from_slice(&other[index.index(other.len() + 1)..]);
            }
        }
    }
    bytes
}

fn in_tests(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// These files, or those in these folders, in the order of their names.
fn files(paths: &[&str]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for path in paths.iter().map(|path| in_tests(path)) {
        match path.is_dir() {
            true => all.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path())),
            false => all.push(path),
        }
    }
    all.sort();
    assert!(!all.is_empty(), "no corpus");
    all.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

static FRAMES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let text = fs::read_to_string(in_tests("corpus/sem6000.hex")).unwrap();
    let line = |line: &str| {
        let digits: Vec<u8> = line.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    };
    text.lines().filter(|line| !line.starts_with('#')).map(line).collect()
});
static METRICS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| files(&["corpus/metrics"]));
static STREAMS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| files(&["corpus/streams"]));
static DEMOS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let ours = ["../../../demos/advection/demo.toml", "../../../demos/testcard/demo.toml"];
    files(&[&["fixtures/demos/valid", "fixtures/demos/invalid"], &ours[..]].concat())
});
/// The shipped file, and the same with every key as an owner would set it.
static CONFIGS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let shipped = fs::read_to_string(in_tests("../../../assets/kiosk.toml")).unwrap();
    let set = |line: &str| {
        line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).map(str::to_owned)
    };
    let all: Vec<String> = shipped.lines().map(|line| set(line).unwrap_or(line.into())).collect();
    vec![shipped.into_bytes(), all.join("\n").into_bytes()]
});

/// A sentence about a file of `text` names the file and one of its lines.
fn names_a_line(message: &str, file: &str, text: &str) -> bool {
    let line = message.strip_prefix(file).and_then(|rest| rest.strip_prefix(", line "));
    let number = line.and_then(|rest| rest.split([',', ':']).next()?.parse().ok());
    number.is_some_and(|number: usize| (1..=text.lines().count() + 1).contains(&number))
}

/// The record of what was understood of a payload; nothing for a kind that has no more to it than its bytes.
fn understood(header: Header, payload: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut record = Vec::new();
    match header.kind {
        Kind::Hello => Hello::decode(payload)?.encode(&mut record),
        Kind::Frame => drop(FrameHeader::decode(payload)?),
        Kind::Statistics => Statistics::decode(payload)?.encode(&mut record),
        Kind::Text => Text::decode(payload)?.encode(&mut record),
        Kind::Alive => Alive::decode(payload)?.encode(&mut record),
        Kind::End => End::decode(payload)?.encode(&mut record),
        _ => {
            if let Some(command) = Command::decode(header, payload)? {
                command.encode(&mut record);
            }
        }
    }
    Ok(record)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn frames_of_the_meter(damages in damages(), piece in 1..40usize) {
        let bytes = damaged(&FRAMES, &damages);
        let mut assembly = Assembly::default();
        let mut answers = 0;
        for piece in bytes.chunks(piece) {
            assembly.push(piece);
            while let Some(answer) = assembly.take() {
                answers += 1;
                prop_assert!(answers <= bytes.len(), "it never ends");
                if let Ok(Answer::Measurement(measured)) = answer {
                    let factor = measured.power_factor();
                    prop_assert!(factor.is_none_or(|factor| 0.0 <= factor), "{factor:?}");
                    prop_assert!((0.0..16_777.216).contains(&measured.watts));
                }
            }
        }
    }

    #[test]
    fn metrics_of_a_node(damages in damages()) {
        let text = String::from_utf8_lossy(&damaged(&METRICS, &damages)).into_owned();
        let mut counters = Counters::default();
        let start = Instant::now();
        // What is whole comes first, so that there are rates.
        for (second, text) in [(0, str::from_utf8(&METRICS[0]).unwrap()), (1, &text)] {
            match Said::read(text) {
                Ok(said) => {
                    let at = start + Duration::from_secs(second);
                    let reading = mapping::reading(&said, &mut counters, at);
                    for (quantity, value) in mapping::charted(&reading) {
                        let is_sane = value.is_none_or(|value| quantity.range().holds(value));
                        prop_assert!(is_sane, "{quantity:?} {value:?}");
                    }
                    for load in reading.cores.iter().flatten().chain(&reading.load) {
                        prop_assert!((0.0..=1.0).contains(load), "{load}");
                    }
                }
                Err(error) => {
                    let message = error.to_string();
                    prop_assert!(!message.is_empty() && message.len() < 1000, "{message}");
                }
            }
        }
    }

    #[test]
    fn streams_of_a_demo_and_of_the_kiosk(damages in damages()) {
        let bytes = damaged(&STREAMS, &damages);
        let mut rest = &bytes[..];
        while let Some((head, after)) = rest.split_first_chunk::<HEADER_LEN>() {
            let Ok(header) = Header::decode(*head) else { break };
            let Some((payload, after)) = after.split_at_checked(header.length as usize) else { break };
            rest = after;
            let Ok(record) = understood(header, payload) else { continue };
            // What was understood can be said, and is understood as the same.
            if let Some((head, payload)) = record.split_first_chunk::<HEADER_LEN>() {
                let header = Header::decode(*head);
                prop_assert!(header.is_ok(), "{header:?}");
                let again = understood(header.unwrap(), payload);
                prop_assert_eq!(again.as_ref().ok(), Some(&record));
            }
        }
    }

    #[test]
    fn demo_toml(damages in damages()) {
        let text = String::from_utf8_lossy(&damaged(&DEMOS, &damages)).into_owned();
        match Demo::parse("x", Path::new(""), "x86_64", &text) {
            Ok(demo) => {
                let ranks = demo.ranks;
                prop_assert!(1 <= ranks.min && ranks.min <= ranks.default && ranks.default <= ranks.max);
                prop_assert!(demo.text("en").is_some());
                let is_sane = |control: &Control| {
                    let ends = [control.min, control.max];
                    ends.iter().all(|end| end.is_finite())
                        && (control.min..=control.max).contains(&control.default)
                };
                prop_assert!(demo.controls.iter().all(is_sane));
            }
            Err(error) => {
                let message = error.to_string();
                prop_assert!(names_a_line(&message, "demo.toml", &text), "{message}");
            }
        }
    }

    #[test]
    fn kiosk_toml(damages in damages()) {
        let text = String::from_utf8_lossy(&damaged(&CONFIGS, &damages)).into_owned();
        if let Err(error) = Config::parse(Path::new("kiosk.toml"), &text) {
            let message = error.to_string();
            prop_assert!(names_a_line(&message, "kiosk.toml", &text), "{message}");
        }
    }
}

#[test]
fn the_corpus_itself_is_understood() {
    for frame in &*FRAMES {
        let mut assembly = Assembly::default();
        assembly.push(frame);
        assert!(matches!(assembly.take(), Some(Ok(_))), "{frame:02x?}");
    }
    for text in &*METRICS {
        assert!(Said::read(str::from_utf8(text).unwrap()).is_ok());
    }
    for stream in &*STREAMS {
        let (head, rest) = stream.split_first_chunk::<HEADER_LEN>().unwrap();
        let header = Header::decode(*head).unwrap();
        assert!(understood(header, &rest[..header.length as usize]).is_ok());
    }
    for text in &*CONFIGS {
        Config::parse(Path::new("kiosk.toml"), str::from_utf8(text).unwrap()).unwrap();
    }
}
