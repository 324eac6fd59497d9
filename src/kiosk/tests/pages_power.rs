//! The wall power in the strip and the page of the rack's power: what a visitor reads, and every sentence of a fault.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod headless;
mod inspected;
mod stored;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use headless::{Headless, cluster, demo};
use kiosk::{
    config::{FanEntry, MeterEntry},
    energy::Energy,
    fan::Fan,
    meter::{Doing, Meter, Reading, Trouble, day::Day, frame::Measurement},
    room::{self, Room, air::Air},
    senses::{By, CHASSIS, RunEnergy, Senses, WALL},
    supervisor::Status,
    telemetry::history::{History, Quantity},
    ui::{self, Page},
    view::Language,
};
use slint::{ComponentHandle, platform::Key};
use stored::{compare, in_both};
use wire::demo::Unit;

/// A meter that measured 34.9 W at `at`.
fn meter(at: Instant) -> Meter {
    let measured = Measurement {
        is_on: true,
        watts: 34.896,
        volts: 231.0,
        amperes: 0.223,
        hertz: 50.0,
        total_wh: None,
    };
    let mut day = Day::new(jiff::civil::date(2026, 7, 1).at(9, 30, 0, 0));
    day.wh = 253.0;
    Meter {
        reading: Some(Reading { at, measured }),
        doing: Doing::Measuring,
        limit_watts: Some(3680),
        largest_watts: 60.0,
        day: Some(day),
        ..Default::default()
    }
}

fn measuring(meter: Meter) -> Senses {
    let entry = MeterEntry { price_per_kwh: Some(1.2), ..Default::default() };
    Senses { meter: Some((entry, meter)), ..Default::default() }
}

fn showing(senses: Senses, language: Language, now: Instant) -> Headless {
    let screen = Headless::new(vec![demo("pipe", 1)], language);
    screen.view.show_senses(senses, now);
    screen.view.show_telemetry(cluster(3), now);
    screen
}

fn page(screen: &Headless) -> Page {
    screen.app.global::<ui::WindowView>().get_page()
}

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
    let now = Instant::now();
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

/// A minute of wall power with a run in it and the fan's start, and of the air that it cools.
fn an_eventful_minute(now: Instant) -> Senses {
    let at = |second: u64| now - Duration::from_secs(59 - second);
    let mut history = History::new(Duration::from_secs(1));
    for second in 0..60 {
        let running = if (12..40).contains(&second) { 13.0 } else { 0.0 };
        let fan = if 30 <= second { 2.4 } else { 0.0 };
        let watts = 19.5 + running + fan + 0.2 * (second * 7 % 5) as f64;
        history.record(WALL, Quantity::Watts, watts, at(second));
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
        let screen = showing(an_eventful_minute(now), language, now);
        screen.tap(if language == Language::English { "Power" } else { "Moc" });
        compare(&screen, "power", language);
    });
}

#[test]
fn the_energy_of_the_run_stands_on_its_page_with_what_it_is_like() {
    let now = Instant::now();
    let energy = Energy {
        covered_s: 30.0,
        missing_s: 0.0,
        all_joules: 1047.0,
        above_joules: Some(450.0),
        all_error_joules: 13.0,
        above_error_joules: 9.0,
    };
    let run = RunEnergy {
        began: now,
        ended: None,
        energy,
        updates: 0.0,
        unit: Unit::Cells,
        by: By::Wall,
    };
    let shown = |run: RunEnergy| {
        let mut screen = showing(measuring(meter(now)), Language::English, now);
        screen.press(Key::F5);
        screen.run("pipe", 2);
        let senses = Senses { run: Some(run), ..measuring(meter(now)) };
        screen.view.show_senses(senses, now);
        screen.view.show_telemetry(cluster(3), now);
        screen.said("energy")
    };
    assert_eq!(shown(run), "450 ± 9\u{a0}J above idle · lifts a child 2.00\u{a0}m");
    let gross = Energy { above_joules: None, ..energy };
    let said = "1.05 ± 0.01\u{a0}kJ all in · lifts a child 4.66\u{a0}m";
    assert_eq!(shown(RunEnergy { energy: gross, ..run }), said);
    let boards = shown(RunEnergy { by: By::Rails, ..run });
    assert!(boards.contains("on the boards"), "{boards}");
}

/// Home again after a run that took 42 s, in the language; the run is as `change` makes it.
fn after_a_run(
    language: Language,
    change: impl FnOnce(&mut RunEnergy),
) -> (Headless, Senses, Instant) {
    let ended = Instant::now();
    let began = ended - Duration::from_secs(42);
    let mut screen = showing(measuring(meter(ended)), language, ended);
    screen.press(Key::F5);
    screen.run("pipe", 2);
    let energy = Energy {
        covered_s: 40.0,
        missing_s: 0.0,
        all_joules: 1896.0,
        above_joules: Some(450.0),
        all_error_joules: 21.0,
        above_error_joules: 12.0,
    };
    let (unit, by) = (Unit::Cells, By::Wall);
    let mut run = RunEnergy { began, ended: None, energy, updates: 1.35e10, unit, by };
    change(&mut run);
    let senses = Senses { run: Some(run), ..measuring(meter(ended)) };
    screen.view.show_senses(senses.clone(), ended);
    screen.view.show_telemetry(cluster(3), ended);
    screen.press(Key::Escape);
    screen.view.show_status(Status::default(), ended);
    let run = Some(RunEnergy { ended: Some(ended), ..run });
    let senses = Senses { run, ..senses };
    screen.view.show_senses(senses.clone(), ended);
    assert_eq!(page(&screen), Page::Home);
    (screen, senses, ended)
}

#[test]
fn when_a_run_is_over_a_card_tells_its_energy_for_a_while() {
    in_both(|language| compare(&after_a_run(language, |_| ()).0, "home-energy", language));
    let (screen, _, ended) = after_a_run(Language::English, |_| ());
    let card = "Your run: 42 s, 450 ± 12\u{a0}J above idle · 1.90 ± 0.02\u{a0}kJ all in · \
                33.3\u{a0}mJ for a million cells · lifts a child 2.00\u{a0}m";
    assert_eq!(screen.said("energy of the run"), card);
    screen.view.show_telemetry(cluster(3), ended + Duration::from_secs(21));
    assert!(!screen.texts().iter().any(|text| text.contains("450")), "{:?}", screen.texts());

    let (screen, ..) = after_a_run(Language::Polish, |run| {
        (run.unit, run.energy.above_joules) = (Unit::Droplets, None);
    });
    let card = "Twoje obliczenia: 42 s, 1,90 ± 0,02\u{a0}kJ razem ze wszystkim · \
                140\u{a0}mJ na milion kropel · podnosi dziecko o 8,44\u{a0}m";
    assert_eq!(screen.said("energy of the run"), card);

    let (screen, ..) = after_a_run(Language::English, |run| {
        (run.by, run.updates) = (By::Rails, 0.0);
    });
    let card = "Your run: 42 s, 1.90 ± 0.02\u{a0}kJ on the boards · lifts a child 8.44\u{a0}m";
    assert_eq!(screen.said("energy of the run"), card);
}

#[test]
fn no_card_tells_of_a_run_that_nobody_watched_or_that_nobody_measured() {
    let silent = |screen: &Headless| !screen.texts().iter().any(|text| text.contains("Your run"));
    let (screen, ..) = after_a_run(Language::English, |run| run.energy = Energy::default());
    assert!(silent(&screen), "{:?}", screen.texts());
    let (screen, senses, ended) = after_a_run(Language::English, |_| ());
    assert!(!silent(&screen));
    // The kiosk's own, in attract mode.
    let run = senses.run.map(|run| RunEnergy { began: ended, ..run });
    screen.view.show_senses(Senses { run, ..senses }, ended);
    screen.view.show_telemetry(cluster(3), ended);
    assert!(silent(&screen), "{:?}", screen.texts());
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
