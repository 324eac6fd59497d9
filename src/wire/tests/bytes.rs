//! The bytes of the README's protocol page, written out by hand: an independent reading of the format.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use wire::{WireError, demo, kiosk, record};

/// Splits one record from the front of `stream` as the README says a reader does.
fn first(stream: &[u8]) -> (record::Header, &[u8]) {
    let header = record::Header::decode(stream[..8].try_into().unwrap()).unwrap();
    (header, &stream[8..8 + header.length as usize])
}

fn hello() -> demo::Hello {
    let rank = |x, host: &str, device| demo::Rank {
        x,
        y: 0,
        width: 2,
        height: 3,
        device,
        host: host.into(),
    };
    demo::Hello {
        token: *b"0123456789abcdef0123456789abcdef",
        format: demo::PixelFormat::Indexed,
        width: 4,
        height: 3,
        ranks: vec![
            rank(0, "major-tom", demo::Device::Gpu),
            rank(2, "ground-control", demo::Device::Cpu),
        ],
    }
}

#[test]
fn hello_is_the_bytes_of_the_protocol_page() {
    let mut stream = Vec::new();
    hello().encode(&mut stream);
    let expected = [
        &b"\x01\0\0\0\x5b\0\0\0"[..],             // kind 1, 91 bytes follow
        b"HPCK\x01\0\x01\0",                      // magic, version 1, one byte a pixel
        b"0123456789abcdef0123456789abcdef",      // token
        b"\x04\0\x03\0\x02\0\0\0",                // 4 x 3 pixels, 2 ranks
        b"\0\0\0\0\x02\0\x03\0\x01\x09major-tom", // a GPU's half
        b"\x02\0\0\0\x02\0\x03\0\0\x0eground-control",
    ]
    .concat();
    assert_eq!(stream, expected);
    assert_eq!(demo::Hello::decode(first(&stream).1), Ok(hello()));
}

#[test]
fn frame_is_the_bytes_of_the_protocol_page() {
    let header =
        demo::FrameHeader { step: 258, model_time_s: 1.5, sent_ns: 1 << 32, pointer_sequence: 7 };
    let bytes = header.encode(12);
    let expected = b"\x02\0\0\0\x2c\0\0\0\x02\x01\0\0\0\0\0\0\0\0\0\0\0\0\xf8\x3f\0\0\0\0\x01\0\0\0\x07\0\0\0\0\0\0\0";
    assert_eq!(&bytes, expected);
    assert_eq!(demo::FrameHeader::decode(&bytes[8..]), Ok(header));
}

#[test]
fn pointer_is_the_bytes_of_the_protocol_page() {
    let pointer =
        kiosk::Pointer { sequence: 9, finger: 1, phase: kiosk::Phase::Up, x: -1.0, y: 0.5 };
    let mut stream = Vec::new();
    kiosk::Command::Pointer(pointer).encode(&mut stream);
    let expected = b"\x81\0\0\0\x10\0\0\0\x09\0\0\0\x01\x02\0\0\0\0\x80\xbf\0\0\0\x3f";
    assert_eq!(stream, expected);
}

#[test]
fn every_command_survives_the_wire() {
    let commands = [
        kiosk::Command::Pointer(kiosk::Pointer {
            sequence: 1,
            finger: 0,
            phase: kiosk::Phase::Down,
            x: 10.0,
            y: 20.0,
        }),
        kiosk::Command::Control(kiosk::Control { name: "passes".into(), value: 2.0 }),
        kiosk::Command::Pause(true),
        kiosk::Command::Stop,
    ];
    for command in commands {
        let mut stream = Vec::new();
        command.encode(&mut stream);
        let (header, payload) = first(&stream);
        assert_eq!(kiosk::Command::decode(header, payload), Ok(Some(command)));
    }
}

#[test]
fn statistics_text_alive_and_end_survive_the_wire() {
    let statistics = demo::Statistics {
        interval_s: 0.5,
        steps: 600,
        updates: 600 * 320_000,
        unit: demo::Unit::Cells,
        ranks: vec![
            demo::RankStatistics {
                compute: 0.75,
                communicate: 0.125,
                wait: 0.125,
                halo_bytes: 1 << 40
            };
            3
        ],
    };
    let mut stream = Vec::new();
    statistics.encode(&mut stream);
    assert_eq!(demo::Statistics::decode(first(&stream).1), Ok(statistics));

    let text = demo::Text {
        sentences: vec![(*b"pl", "Zażółć gęślą jaźń".into()), (*b"en", "Stir".into())],
    };
    let mut stream = Vec::new();
    text.encode(&mut stream);
    assert_eq!(demo::Text::decode(first(&stream).1), Ok(text));

    let mut stream = Vec::new();
    demo::Alive { step: 3 }.encode(&mut stream);
    assert_eq!(demo::Alive::decode(first(&stream).1), Ok(demo::Alive { step: 3 }));

    let end = demo::End { reason: demo::EndReason::Failed, detail: "out of memory".into() };
    let mut stream = Vec::new();
    end.encode(&mut stream);
    assert_eq!(demo::End::decode(first(&stream).1), Ok(end));
}

#[test]
fn every_truncation_of_every_record_is_an_error() {
    let mut stream = Vec::new();
    hello().encode(&mut stream);
    for length in 0..stream.len() - 8 {
        let error = demo::Hello::decode(&stream[8..8 + length]).unwrap_err();
        assert!(matches!(error, WireError::Truncated { .. }), "{length}: {error}");
    }
    assert!(demo::FrameHeader::decode(&[0; demo::FrameHeader::LEN - 1]).is_err());
    assert!(demo::Alive::decode(&[0; 7]).is_err());
}

#[test]
fn what_is_outside_its_range_is_named() {
    let broken = |change: fn(&mut Vec<u8>)| {
        let mut stream = Vec::new();
        hello().encode(&mut stream);
        change(&mut stream);
        demo::Hello::decode(&stream[8..]).unwrap_err().to_string()
    };
    assert_eq!(
        broken(|b| b[8] = b'X'),
        "not a demo: the hello starts with [58, 50, 43, 4b] instead of \"HPCK\""
    );
    assert_eq!(
        broken(|b| b[12] = 2),
        "the demo speaks version 2 of the protocol, this kiosk version 1; install both from one release"
    );
    assert!(broken(|b| b[14] = 2).contains("pixel format"), "two bytes a pixel");
    assert!(broken(|b| b[48..50].fill(0)).contains("width"), "no width");
    assert!(
        broken(|b| b[48..52].copy_from_slice(&[0, 8, 0, 8])).contains("width times height"),
        "2048 squared"
    );
    assert!(broken(|b| b[52..54].fill(0)).contains("number of ranks"), "no rank");
    assert!(broken(|b| b[56] = 3).contains("2x3+3+0, outside the picture"), "outside the picture");
}

#[test]
fn text_for_people_cannot_carry_control_characters() {
    let mut stream = Vec::new();
    let end = demo::End { reason: demo::EndReason::Finished, detail: "a\u{1b}[2Jb\0".into() };
    end.encode(&mut stream);
    assert_eq!(demo::End::decode(first(&stream).1).unwrap().detail, "a[2Jb");
}

#[test]
fn a_share_that_is_no_number_is_refused() {
    let statistics = demo::Statistics {
        interval_s: 1.0,
        ranks: vec![demo::RankStatistics { compute: f32::NAN, ..Default::default() }],
        ..Default::default()
    };
    let mut stream = Vec::new();
    statistics.encode(&mut stream);
    assert!(demo::Statistics::decode(&stream[8..]).is_err());
}
