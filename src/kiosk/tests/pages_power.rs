//! The wall power in the strip and the page of the rack's power: what a visitor reads, and every sentence of a fault.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod headless;
mod inspected;
mod powered;
mod stored;

use std::{
    ops::Range,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use headless::cluster;
use kiosk::{
    config::{FanEntry, FanWire},
    fan::Fan,
    meter::{Doing, Meter, Trouble},
    room::{self, Room, air::Air},
    senses::{CHASSIS, Senses, WALL},
    telemetry::history::{History, Quantity},
    ui::{self, Page},
    view::Language,
};
use powered::{measuring, meter, page, showing};
use slint::{ComponentHandle, platform::Key};
use stored::{compare, in_both};

#[test]
fn without_a_meter_the_strip_is_a_clock() {
    let screen = showing(Senses::default(), Language::Polish, Instant::now());
    assert!(!screen.buttons().contains(&"Moc".to_owned()));
    assert!(screen.texts().contains(&"12:00".to_owned()));
}

#[test]
fn the_wall_power_in_the_strip_opens_its_page_and_closes_it() {
    let now = Instant::now();
    let screen = showing(measuring(meter(now)), Language::Polish, now);
    assert!(screen.texts().contains(&"34,9\u{a0}W".to_owned()), "{:?}", screen.texts());
    screen.tap("Moc");
    assert_eq!(page(&screen), Page::Power);
    assert_eq!(screen.said("wall power"), "34,9\u{a0}W");
    assert_eq!(screen.said("age"), "zmierzone w gniazdku 0\u{a0}s temu");
    assert_eq!(screen.said("mains"), "231\u{a0}V  50\u{a0}Hz  wsp. mocy 0,68");
    assert_eq!(screen.said("day"), "0,253\u{a0}kWh od 09:30 · 0,30\u{a0}zł");
    screen.tap("Wróć");
    assert_eq!(page(&screen), Page::Home);
    // By keys: past the tile and the computers.
    for _ in 0..3 {
        screen.press(Key::PageDown);
    }
    screen.press(Key::Return);
    assert_eq!(page(&screen), Page::Power);
}

#[test]
fn an_old_measurement_is_shown_with_its_age_and_never_as_current() {
    let start = Instant::now();
    let screen = showing(measuring(meter(start)), Language::English, start);
    screen.tap("Power");
    let view = screen.app.global::<ui::PowerView>();
    assert!(view.get_fresh());
    screen.view.show_telemetry(cluster(3), start + Duration::from_secs(14));
    assert!(!view.get_fresh());
    let age = screen.said("age");
    assert!(age.starts_with("measured at the wall 14"), "{age}");
    let texts = screen.texts();
    assert!(texts.iter().any(|text| text.contains("14\u{a0}s ago · 12:00")), "{texts:?}");
}

#[test]
fn every_trouble_has_its_sentence_in_both_languages() {
    for (trouble, polish, english) in [
        (Trouble::NoBus, "D-Bus tego", "This computer's D-Bus"),
        (Trouble::NoBluetooth, "Usługa Bluetooth", "The Bluetooth service does not run."),
        (Trouble::NoAdapter, "Nie ma adaptera", "There is no Bluetooth adapter"),
        (Trouble::AdapterOff, "Bluetooth jest wyłączony", "Bluetooth is switched off."),
        (Trouble::NotFound, "Nie widać miernika", "No meter to be found"),
        (Trouble::Busy, "Miernik zajęty", "Meter busy: another device is connected to it"),
        (Trouble::NoConnection, "Miernik słychać", "The meter can be heard"),
        (Trouble::NotAMeter, "To urządzenie nie", "What is connected is no power meter."),
        (Trouble::WrongPin, "Miernik odrzuca PIN", "The meter refuses the PIN."),
        (Trouble::Silent, "Miernik jest połączony", "The meter is connected and does not"),
        (Trouble::Damaged, "Odpowiedzi miernika", "What the meter answers"),
        (Trouble::Lost, "Połączenie z miernikiem", "The connection to the meter is lost."),
    ] {
        for (language, said) in [(Language::Polish, polish), (Language::English, english)] {
            let now = Instant::now();
            let again_at = Some(now + Duration::from_secs(30));
            let trouble = Some(trouble);
            let waiting = Meter { trouble, again_at, doing: Doing::Waiting, ..meter(now) };
            let screen = showing(measuring(waiting), language, now);
            screen.app.global::<ui::StripView>().invoke_power_opened();
            let sentence = screen.said("meter");
            assert!(sentence.starts_with(said), "{sentence}");
            assert!(sentence.contains("30\u{a0}s") || sentence.contains("29\u{a0}s"), "{sentence}");
        }
    }
}

/// A minute of wall power with a run in it and the fan's start, and of the air that it cools; nothing of the wall power in
/// these seconds.
fn an_eventful_minute(now: Instant, missing: Range<u64>) -> Senses {
    let at = |second: u64| now - Duration::from_secs(59 - second);
    let mut history = History::new(Duration::from_secs(1));
    for second in 0..60 {
        let running = if (12..40).contains(&second) { 13.0 } else { 0.0 };
        let fan = if 30 <= second { 2.4 } else { 0.0 };
        let watts = 19.5 + running + fan + 0.2 * (second * 7 % 5) as f64;
        if !missing.contains(&second) {
            history.record(WALL, Quantity::Watts, watts, at(second));
        }
        history.record(CHASSIS, Quantity::Celsius, 58.0 + 0.05 * second as f64, at(second));
    }
    let air = Air { celsius: 61.0, humidity_percent: 18.0 };
    let reading = room::Reading { at: now, air, source: room::Source::Iio };
    let mut fan = Fan::new(FanEntry { watts: Some(2.4), ..FanEntry::default() });
    fan.feel(61.0);
    fan.step = Some((true, at(30)));
    let mut meter = meter(now);
    meter.reading.as_mut().unwrap().measured.watts = 22.1;
    Senses {
        room: Some(Room { reading: Some(reading), ..Room::default() }),
        fan: Some(fan),
        runs: vec![(at(12), Some(at(40)))],
        steps: vec![(at(30), true)],
        history: Arc::new(Mutex::new(history)),
        ..measuring(meter)
    }
}

#[test]
fn the_power_page_as_a_picture() {
    in_both(|language| {
        let now = Instant::now();
        let screen = showing(an_eventful_minute(now, 0..0), language, now);
        screen.tap(power(language));
        // A tap shows what is known by then; the picture is that of a moment.
        screen.view.show_telemetry(cluster(3), now);
        compare(&screen, "power", language);
    });
}

fn power(language: Language) -> &'static str {
    if language == Language::English { "Power" } else { "Moc" }
}

#[test]
fn a_gap_in_the_wall_power_is_hatched_and_said_and_a_late_measurement_is_none() {
    let now = Instant::now();
    let legend = |missing: Range<u64>| {
        let screen = showing(an_eventful_minute(now, missing), Language::English, now);
        screen.tap("Power");
        screen.view.show_telemetry(cluster(3), now);
        screen.said("legend")
    };
    assert_eq!(legend(0..0), "light bands: runs");
    assert_eq!(legend(20..22), "light bands: runs", "three seconds are bridged");
    assert_eq!(legend(20..31), "light bands: runs · hatched: 12\u{a0}s not measured");
    // Before the meter was heard for the first time there was no gap.
    assert_eq!(legend(0..30), "light bands: runs");
    // One that lasts still.
    assert_eq!(legend(50..60), "light bands: runs · hatched: 10\u{a0}s not measured");
    in_both(|language| {
        let now = Instant::now();
        let screen = showing(an_eventful_minute(now, 20..31), language, now);
        screen.tap(power(language));
        screen.view.show_telemetry(cluster(3), now);
        compare(&screen, "power-gap", language);
    });
}

#[test]
fn a_tap_on_the_fan_says_how_it_is_known() {
    let now = Instant::now();
    let open = |change: &dyn Fn(&mut Fan), language: Language| {
        let mut senses = an_eventful_minute(now, 0..0);
        change(senses.fan.as_mut().unwrap());
        let screen = showing(senses, language, now);
        screen.tap(power(language));
        screen.view.show_telemetry(cluster(3), now);
        screen
    };
    let why = |change: &dyn Fn(&mut Fan)| {
        let screen = open(change, Language::English);
        screen.tap("How the fan is known");
        screen.said("fan")
    };
    let inferred = "Inferred, not measured: the thermostat starts the fan at 60\u{a0}°C and stops it \
                    at 55\u{a0}°C; the air beside it has 61.0\u{a0}°C.";
    assert_eq!(why(&|_| ()), format!("{inferred} The last step of the wall power agrees."));
    let opposite = format!("{inferred} The last step of the wall power says the opposite.");
    assert_eq!(why(&|fan| fan.step = Some((false, now))), opposite);
    assert_eq!(why(&|fan| fan.step = None), inferred);
    let between = format!("{inferred} Since the start it was neither that warm nor that cool.");
    assert_eq!(why(&|fan| fan.runs = None), between);
    let wired = |fan: &mut Fan| {
        fan.entry.wire = Some(FanWire { gpio: 17, on_high: false });
        fan.sensed = Some(true);
    };
    let measured = "Measured: once a second, at a wire to pin 17 of this computer.";
    assert_eq!(why(&wired), measured);

    // A second tap closes it; who asks for nothing is told nothing.
    let screen = open(&|_| (), Language::English);
    let is_open = || screen.texts().iter().any(|text| text.starts_with("Inferred"));
    for open in [false, true, false] {
        assert_eq!(is_open(), open);
        screen.tap("How the fan is known");
    }
    in_both(|language| {
        let ask = if language == Language::English {
            "How the fan is known"
        } else {
            "Skąd to wiadomo o wentylatorze"
        };
        let screen = open(&|fan| fan.step = Some((false, now)), language);
        screen.tap(ask);
        compare(&screen, "power-fan-inferred", language);
        let screen = open(&wired, language);
        screen.tap(ask);
        compare(&screen, "power-fan-measured", language);
    });
}

#[test]
fn the_limit_at_which_everything_goes_off_is_said_before_it_is_reached() {
    let now = Instant::now();
    let near = Meter { limit_watts: Some(70), ..meter(now) };
    let screen = showing(measuring(near), Language::English, now);
    screen.tap("Power");
    let said = "Near the meter's limit: above 70\u{a0}W it switches everything off.";
    assert_eq!(screen.said("meter"), said);
}

#[test]
fn the_chassis_says_how_far_it_is_from_the_fans_start_and_that_the_fan_is_inferred() {
    let now = Instant::now();
    let air = Air { celsius: 35.1, humidity_percent: 65.2 };
    let reading = room::Reading { at: now, air, source: room::Source::Iio };
    let mut fan = Fan::new(FanEntry::default());
    fan.feel(35.1);
    let room = Room { reading: Some(reading), ..Default::default() };
    let senses = Senses { room: Some(room), fan: Some(fan), ..measuring(meter(now)) };
    let screen = showing(senses, Language::English, now);
    screen.tap("Power");
    let said =
        "In the chassis 35.1\u{a0}°C · 65\u{a0}% humidity · fan ≈ off: 25\u{a0}°C below its start";
    assert_eq!(screen.said("chassis"), said);
    // A wire of its own counts more, with or without a temperature.
    for (sensed, room, said) in [
        (
            true,
            Some(room),
            "In the chassis 35.1\u{a0}°C · 65\u{a0}% humidity · fan on, measured at its wire",
        ),
        (false, None, "No sensor of the chassis is set up. · fan off, measured at its wire"),
    ] {
        let fan = Some(Fan { sensed: Some(sensed), ..fan });
        let senses = Senses { room, fan, ..measuring(meter(now)) };
        let screen = showing(senses, Language::English, now);
        screen.tap("Power");
        assert_eq!(screen.said("chassis"), said);
    }
    let silent = Room { trouble: Some(room::Trouble::NoPins), ..Default::default() };
    let senses = Senses { room: Some(silent), ..measuring(meter(now)) };
    screen.view.show_senses(senses, now);
    screen.view.show_telemetry(cluster(3), now);
    assert_eq!(screen.said("chassis"), "This computer has no pins for a sensor.");
}
