//! The field on a GPU beside that on the processor, bit for bit, inside the test process: what fingers stir, and the picture.
//!
//! The driver is the stand-in of `demos/cuda/standin`.

#![allow(unsafe_code, reason = "the stand-in is told what to do by C functions")]

use std::{
    ffi::{CString, c_char},
    sync::OnceLock,
};

use advection::{
    flows::{Flow, Pattern},
    mpdata::Options,
    paint::Painter,
    part::Part,
    simd::Level,
    strip::{Device, Strip},
    stroke::Stroke,
};
use libloading::Library;

const NX: usize = 96;
const NY: usize = 70;

/// The stand-in in the driver's place, made anew for this thread.
fn new_standin() {
    let standin = library();
    let plan = CString::new("").unwrap();
    // SAFETY: the function's own signature.
    unsafe {
        standin.get::<unsafe extern "C" fn(*const c_char)>(b"standin_plan\0").unwrap()(
            plan.as_ptr(),
        );
    }
}

fn library() -> &'static Library {
    static STANDIN: OnceLock<Library> = OnceLock::new();
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let path = deps.parent().unwrap().join("libstandin.so");
    assert!(path.exists(), "build it first: cargo build --package standin");
    // SAFETY: a library of ours. It has the driver's own name, so whoever asks for that gets it.
    STANDIN.get_or_init(|| unsafe { Library::new(path) }.unwrap())
}

fn report() -> String {
    let mut text = vec![0_u8; 1 << 16];
    // SAFETY: the function's own signature, and there is room.
    let length = unsafe {
        let report =
            library().get::<unsafe extern "C" fn(*mut u8, usize) -> usize>(b"standin_report\0");
        report.unwrap()(text.as_mut_ptr(), text.len())
    };
    String::from_utf8(text[..length].to_vec()).unwrap()
}

fn strip(device: Device, options: Options) -> Strip<f32> {
    let part = Part::whole(NX, NY, options.halo());
    let (mut strip, refusal) = Strip::new(part, &[options], Level::widest(), device, 0);
    assert_eq!(refusal, None);
    let expected = (device == Device::Gpu).then_some("CPU stand-in (test only)");
    assert_eq!(strip.gpu(), expected);
    let flow = Flow::new(Pattern::Swirl, NX, NY);
    strip.set_flow(|i, row| flow.x_faces(i, row), |i, row| flow.y_faces(i, row));
    for i in 0..NX {
        strip.edit_row(i, |row| {
            row.iter_mut().enumerate().for_each(|(j, cell)| *cell = ((i / 9 + j / 7) % 2) as f32);
        });
    }
    strip
}

/// Steps while fingers stir and rest, and the tiles of the pictures.
fn play(mut strip: Strip<f32>) -> (Vec<Vec<f32>>, Vec<Vec<u8>>) {
    let (mut fields, mut tiles) = (Vec::new(), Vec::new());
    let stroke = Stroke { from: [30.0, 20.0], to: [50.0, 45.0] };
    for strokes in [&[][..], &[stroke], &[], &[stroke, stroke], &[]] {
        let share = strip.stir(strokes, 0.9);
        strip.allow(share);
        for step in 0..3 {
            strip.advance_alone(1.0 - 0.3 * step as f32);
        }
        for fine in [1, 2] {
            let mut tile = vec![0; (NX / fine) * (NY / fine)];
            strip.paint(&mut Painter::new(NY / fine, fine), &mut tile);
            tiles.push(tile);
        }
        strip.settle();
        fields.push((0..NX).flat_map(|i| strip.row(i).to_vec()).collect());
    }
    (fields, tiles)
}

#[test]
fn what_fingers_stir_and_what_is_painted_is_the_same_on_a_gpu() {
    new_standin();
    for options in [Options::UPWIND, Options::BASIC, Options::GAUGE_NON_OSCILLATORY] {
        let (fields, tiles) = play(strip(Device::Gpu, options));
        let (want_fields, want_tiles) = play(strip(Device::Cpu, options));
        for (field, want) in fields.iter().zip(&want_fields) {
            let other = field.iter().zip(want).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
            assert_eq!(other, 0, "{options:?}");
        }
        assert!(tiles == want_tiles, "{options:?}");
        assert!(tiles[0] != tiles[2], "the picture moves");
    }
    let report = report();
    for launched in ["launch donor_f32 45", "launch corrected_f32 15", "launch painted_f32 30"] {
        assert!(report.contains(launched), "{report}");
    }
    assert!(!report.contains("note") && !report.contains("open"), "{report}");
}
