//! What a visitor does with a demo that behaves: starts, touches, sets, changes and stops it.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::time::{Duration, Instant};

use kiosk::{
    intent::Intent,
    supervisor::{
        Computer, Computers, Condition, Equipment, Fault, Heat, State, Status, settings::Remote,
    },
};
use tokio::sync::watch;
use wire::{demo::PixelFormat, kiosk::Phase};

mod supervised;

use supervised::{CANVAS, Kiosk, processes, programs};

const CONTROLS: &str = "[[control]]\nname = 'pattern'\nkind = 'choice'\ndefault = 1\n\
    [control.text.en]\nlabel = 'Pattern'\nchoices = ['Bars', 'Ramp']\n\
    [[control]]\nname = 'speed'\nkind = 'slider'\nrange = [0, 600]\ndefault = 0\n\
    [control.text.en]\nlabel = 'Speed'\n";

/// Amounts of the first row, right of the marker, which stands at the left end where the speed is 0.
fn row(pixels: &[u8]) -> &[u8] {
    pixels.get(10..usize::from(CANVAS.0)).unwrap_or_default()
}

fn is_ramp(pixels: &[u8]) -> bool {
    let row = row(pixels);
    row.is_sorted() && row.first() < row.last()
}

fn is_bars(pixels: &[u8]) -> bool {
    let row = row(pixels);
    row.is_sorted_by(|left, right| right <= left) && row.last() < row.first()
}

#[test]
fn a_launch_shows_pictures_figures_and_words_and_a_stop_ends_them() {
    let controls = CONTROLS.replace("default = 1", "default = 0");
    let kiosk = Kiosk::new(&[("card", &controls)]);
    let tapped = Instant::now();
    kiosk.launch("card");
    let status = kiosk.until("statistics", |status| status.statistics.is_some());
    let State::Running { demo, first_frame_after, since } = &status.state else {
        panic!("{status:?}")
    };
    assert_eq!(demo.id, "card");
    assert!(tapped <= *since && *first_frame_after < Duration::from_secs(3));
    let hello = status.hello.unwrap();
    assert_eq!(
        (hello.width, hello.height, hello.format),
        (CANVAS.0, CANVAS.1, PixelFormat::Indexed)
    );
    let statistics = status.statistics.unwrap();
    assert!(0 < statistics.steps);
    assert_eq!(statistics.updates, statistics.steps * u64::from(CANVAS.0) * u64::from(CANVAS.1));
    assert!(status.text.unwrap().sentences.iter().any(|(language, _)| language == b"pl"));
    assert!(is_bars(&kiosk.shown().pixels));

    let tapped = Instant::now();
    kiosk.ask(Intent::Stop);
    let ended = kiosk.until_ended();
    assert!(ended.at - tapped < Duration::from_secs(3), "{:?}", ended.at - tapped);
    assert_eq!((ended.fault, ended.processes_killed), (None, 0));
    assert_eq!(kiosk.shown().ends, 1);
}

#[test]
fn a_finger_leaves_a_cross_where_it_is() {
    let kiosk = Kiosk::new(&[("card", CONTROLS)]);
    kiosk.launch("card");
    kiosk.until_running();
    let at = 80 * usize::from(CANVAS.0) + 40;
    kiosk.until_shown("a ramp", |shown| is_ramp(&shown.pixels));
    assert_ne!(kiosk.shown().pixels[at], 192);
    kiosk.ask(Intent::Pointer { finger: 0, phase: Phase::Down, x: 40.0, y: 80.0 });
    kiosk.until_shown("a cross", |shown| {
        shown.header.pointer_sequence == 1 && shown.pixels[at] == 192
    });
    kiosk.ask(Intent::Pointer { finger: 0, phase: Phase::Up, x: 40.0, y: 80.0 });
    kiosk.until_shown("the end of the touch", |shown| shown.header.pointer_sequence == 2);
}

#[test]
fn a_demo_knows_its_controls_from_the_start_and_hears_of_changes() {
    let kiosk = Kiosk::new(&[("card", CONTROLS)]);
    kiosk.launch("card");
    kiosk.until_shown("the default", |shown| is_ramp(&shown.pixels));
    kiosk.ask(Intent::Control { name: "no-such-control".into(), value: 1.0 });
    kiosk.ask(Intent::Control { name: "pattern".into(), value: f64::NAN });
    kiosk.ask(Intent::Control { name: "pattern".into(), value: -7.0 });
    kiosk.until_shown("the change", |shown| is_bars(&shown.pixels));
    kiosk.ask(Intent::Control { name: "pattern".into(), value: 7.0 });
    kiosk.until_shown("the change", |shown| is_ramp(&shown.pixels));
}

#[test]
fn a_control_that_is_set_while_a_demo_starts_is_not_forgotten() {
    let kiosk = Kiosk::new(&[("card", CONTROLS)]);
    kiosk.launch("card");
    kiosk.ask(Intent::Control { name: "pattern".into(), value: 0.0 });
    // Fingers on the canvas of a demo that is not there yet are nobody's.
    kiosk.ask(Intent::Pointer { finger: 0, phase: Phase::Down, x: 1.0, y: 1.0 });
    kiosk.until_shown("bars", |shown| 20 < shown.count && is_bars(&shown.pixels));
    assert_eq!(kiosk.shown().header.pointer_sequence, 0);
}

#[test]
fn a_launch_while_another_runs_ends_that_one_first() {
    let rgb = "arguments = ['--format', 'rgb']";
    let kiosk = Kiosk::new(&[("amounts", ""), ("colours", rgb)]);
    kiosk.launch("amounts");
    kiosk.until_running();
    kiosk.launch("colours");
    let runs = |id: &'static str| move |status: &Status| matches!(&status.state, State::Running { demo, .. } if demo.id == id);
    let status = kiosk.until("the other", runs("colours"));
    assert_eq!(status.hello.unwrap().format, PixelFormat::Rgb);
    assert_eq!(processes("testcard").len(), 1);
    assert_eq!(kiosk.shown().ends, 1);
}

#[test]
fn quick_taps_on_everything_lead_to_the_last_one() {
    let kiosk = Kiosk::new(&[("a", ""), ("b", ""), ("c", "")]);
    for id in ["a", "b", "a", "c", "b"] {
        kiosk.launch(id);
    }
    kiosk.until(
        "the last",
        |status| matches!(&status.state, State::Running { demo, .. } if demo.id == "b"),
    );
    for intent in [Intent::Stop, Intent::Launch("a".into()), Intent::Stop, Intent::Stop] {
        kiosk.ask(intent);
    }
    assert_eq!(kiosk.until_ended().fault, None);
}

#[test]
fn a_stop_while_a_demo_starts_ends_it() {
    let kiosk = Kiosk::new(&[("card", "arguments = ['--fault', 'silent']")]);
    kiosk.launch("card");
    kiosk.until("a start", |status| matches!(status.state, State::Starting { .. }));
    let tapped = Instant::now();
    kiosk.ask(Intent::Stop);
    let ended = kiosk.until_ended();
    assert!(ended.at - tapped < Duration::from_secs(3), "{:?}", ended.at - tapped);
    assert_eq!(ended.fault, None);
}

#[test]
fn a_machine_that_is_too_hot_stops_computing_and_says_what_it_waits_for() {
    let heat = Heat { host: "bowie".into(), celsius: 91.2, limit_celsius: 85.0 };
    let hot = Computers { here: Some(heat.clone()), ..Computers::default() };
    let (told, computers) = watch::channel(Computers::default());
    let kiosk = Kiosk::on(&[("card", "")], computers, |_| {});
    kiosk.launch("card");
    kiosk.until_running();
    told.send_replace(hot);
    let ended = kiosk.until_ended();
    assert_eq!(ended.fault, Some(Fault::TooHot(heat.clone())));
    // And does not begin before it has cooled down.
    kiosk.launch("card");
    assert_eq!(kiosk.until_ended().fault, Some(Fault::TooHot(heat)));
    assert_eq!(kiosk.shown().ends, 1, "no second run had a picture");
    told.send_replace(Computers::default());
    kiosk.launch("card");
    kiosk.until_running();
    kiosk.ask(Intent::Stop);
    assert_eq!(kiosk.until_ended().fault, None);
}

#[test]
fn a_demo_can_come_over_the_network_and_who_cannot_be_asked_about_its_end_is_named() {
    let here = Computer {
        name: "here".into(),
        address: "127.0.0.1".into(),
        slots: 2,
        equipment: Equipment::default(),
        condition: Condition::Ready,
        is_wanted: false,
    };
    let (_told, computers) = watch::channel(vec![here].into());
    let text = "mpi = true\nranks = { default = 2, min = 1, max = 2 }\nprogram = 'advection'";
    let kiosk = Kiosk::on(&[("pipe", text)], computers, |settings| {
        settings.remote = Some(Remote {
            starts_there: false,
            // Nobody can be reached by it; mpirun does not need to, for this machine.
            ssh: vec!["false".into()],
            programs: programs(),
            address: [127, 0, 0, 1].into(),
            network: None,
            slurm: None,
        });
    });
    kiosk.launch("pipe");
    kiosk.until_running();
    kiosk.ask(Intent::Pointer { finger: 0, phase: Phase::Down, x: 40.0, y: 80.0 });
    kiosk.until_shown("the touch", |shown| shown.header.pointer_sequence == 1);
    kiosk.ask(Intent::Stop);
    let ended = kiosk.until_ended();
    assert_eq!((ended.processes_killed, ended.unreached), (0, vec!["here".to_owned()]));
}

#[test]
fn the_end_of_the_kiosk_is_the_end_of_the_run() {
    let kiosk = Kiosk::new(&[("card", "")]);
    kiosk.launch("card");
    kiosk.until_running();
    // Waits for the supervisor and asserts that nothing is left.
    drop(kiosk);
    assert_eq!(processes("testcard").len(), 0);
}

#[test]
fn a_demo_that_does_not_exist_changes_nothing() {
    let kiosk = Kiosk::new(&[("card", "")]);
    kiosk.launch("no-such-demo");
    kiosk.launch("card");
    kiosk.until_running();
}

#[test]
fn what_nobody_asked_for_leaves_computers_that_somebody_else_wants() {
    let here = Computer {
        name: "here".into(),
        address: "127.0.0.1".into(),
        slots: 2,
        equipment: Equipment::default(),
        condition: Condition::Ready,
        is_wanted: false,
    };
    let (told, computers) = watch::channel(vec![here.clone()].into());
    let text = "mpi = true\nranks = { default = 2, min = 1, max = 2 }\nprogram = 'advection'";
    let kiosk = Kiosk::on(&[("pipe", text)], computers, |settings| {
        settings.remote = Some(Remote {
            starts_there: false,
            ssh: vec!["false".into()],
            programs: programs(),
            address: [127, 0, 0, 1].into(),
            network: None,
            slurm: None,
        });
    });
    let hosts = |status: &Status| status.placement.hosts.len();
    let runs = |status: &Status| matches!(status.state, State::Running { .. });
    kiosk.ask(Intent::Play("pipe".into()));
    kiosk.until("a play on the other computer", |status| runs(status) && hosts(status) == 1);
    // A job in the queue is enough.
    told.send_replace(vec![Computer { is_wanted: true, ..here }].into());
    let status =
        kiosk.until("the play on this machine", |status| runs(status) && hosts(status) == 0);
    assert_eq!(status.carried_on, Some(Fault::Taken { host: "here".into() }));
    kiosk.ask(Intent::Stop);
    kiosk.until("its end", |status| matches!(status.state, State::Idle));
    // From the start, too; but what a visitor asks for goes there.
    kiosk.ask(Intent::Play("pipe".into()));
    kiosk.until("a play that begins here", |status| runs(status) && hosts(status) == 0);
    kiosk.ask(Intent::Stop);
    kiosk.until("its end", |status| matches!(status.state, State::Idle));
    kiosk.launch("pipe");
    kiosk.until("a visitor's run there", |status| runs(status) && hosts(status) == 1);
}
