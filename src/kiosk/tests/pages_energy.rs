//! The energy of a run: on its page while it is on, and on a card when it is over.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod headless;
mod inspected;
mod powered;
mod stored;

use std::time::{Duration, Instant};

use headless::{Headless, cluster};
use kiosk::{
    energy::Energy,
    senses::{By, RunEnergy, Senses},
    supervisor::Status,
    ui::Page,
    view::Language,
};
use powered::{measuring, meter, page, showing};
use slint::platform::Key;
use stored::{compare, in_both};
use wire::demo::Unit;

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
        newest: now,
        updates: 0.0,
        unit: Unit::Cells,
        by: By::Wall,
    };
    let shown = |run: RunEnergy| during(run, Language::English, now).said("energy");
    assert_eq!(shown(run), "450 ± 9\u{a0}J above idle · lifts a child 2.00\u{a0}m");
    let gross = Energy { above_joules: None, ..energy };
    let said = "1.05 ± 0.01\u{a0}kJ all in · lifts a child 4.66\u{a0}m";
    assert_eq!(shown(RunEnergy { energy: gross, ..run }), said);
    let boards = shown(RunEnergy { by: By::Rails, ..run });
    assert!(boards.contains("on the boards"), "{boards}");

    // A gap, and one that lasts still: neither is told as if it had been measured, nor compared with anything.
    let late = RunEnergy { energy: Energy { missing_s: 12.4, ..energy }, ..run };
    assert_eq!(shown(late), "450 ± 9\u{a0}J above idle · 12\u{a0}s not measured");
    let silent = RunEnergy { newest: now - Duration::from_secs(5), ..late };
    assert_eq!(shown(silent), "450 ± 9\u{a0}J above idle · 17\u{a0}s not measured");
    in_both(|language| compare(&during(late, language, now), "demo-energy-gap", language));
}

/// The page of the run that is on.
fn during(run: RunEnergy, language: Language, now: Instant) -> Headless {
    let mut screen = showing(measuring(meter(now)), language, now);
    screen.press(Key::F5);
    screen.run("pipe", 2);
    let senses = Senses { run: Some(run), ..measuring(meter(now)) };
    screen.view.show_senses(senses, now);
    screen.view.show_telemetry(cluster(3), now);
    screen
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
    let mut run =
        RunEnergy { began, ended: None, energy, newest: ended, updates: 1.35e10, unit, by };
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
fn a_card_says_how_much_of_the_run_was_not_measured_and_divides_nothing_by_it() {
    let gap = |run: &mut RunEnergy| {
        (run.energy.covered_s, run.energy.missing_s) = (28.0, 12.0);
    };
    in_both(|language| compare(&after_a_run(language, gap).0, "home-energy-gap", language));
    let (screen, ..) = after_a_run(Language::English, gap);
    let card = "Your run: 42 s, 450 ± 12\u{a0}J above idle · 1.90 ± 0.02\u{a0}kJ all in · \
                12\u{a0}s not measured";
    assert_eq!(screen.said("energy of the run"), card);
    // The meter fell silent and the run ended; later nothing more of it is missing.
    let (screen, _, ended) = after_a_run(Language::Polish, |run| {
        run.newest = run.began + Duration::from_secs(33);
    });
    for later in [0, 15] {
        screen.view.show_telemetry(cluster(3), ended + Duration::from_secs(later));
        let card = "Twoje obliczenia: 42 s, 450 ± 12\u{a0}J ponad spoczynek · \
                    1,90 ± 0,02\u{a0}kJ razem ze wszystkim · 9\u{a0}s bez pomiaru";
        assert_eq!(screen.said("energy of the run"), card);
    }
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
