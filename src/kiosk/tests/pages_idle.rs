//! The screen while nobody is there, and how a visitor or a presenter finds it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod headless;

use std::time::{Duration, Instant};

use headless::{Headless, demo, readings};
use jiff::civil::Time;
use kiosk::{
    display::RawInput,
    intent::{Intent, Scale},
    supervisor::{State, Status},
    ui::{self, Page},
    view::{Language, Wanted},
};
use slint::{
    ComponentHandle, LogicalPosition,
    platform::{Key, PointerEventButton, WindowEvent},
};
use wire::kiosk::Phase;

const AFTER: u64 = 60;

/// At home with two demos; plays by itself after a minute, each demo for half a minute.
fn at_home(start: Instant) -> Headless {
    let screen = Headless::new(vec![demo("pipe", 1), demo("cloud", 2)], Language::Polish);
    let (after, demo) = (Some(Duration::from_secs(AFTER)), Duration::from_secs(30));
    screen.view.rest_as(Wanted { after, demo, night: None }, start);
    screen
}

/// The next readings come so many seconds after `start`; nothing else moves the time on.
fn pass(screen: &Headless, start: Instant, seconds: u64) {
    screen.view.show_telemetry(readings(Some(0.1), None), start + Duration::from_secs(seconds));
}

fn page(screen: &Headless) -> Page {
    screen.app.global::<ui::WindowView>().get_page()
}

fn finger(screen: &Headless, x: f32, y: f32, is_down: bool) {
    let (position, button) = (LogicalPosition::new(x, y), PointerEventButton::Left);
    let event = match is_down {
        true => WindowEvent::PointerPressed { position, button },
        false => WindowEvent::PointerReleased { position, button },
    };
    screen.app.window().dispatch_event(event);
}

#[test]
fn from_whatever_page_it_was_left_on_it_plays_all_demos_in_turn() {
    let ways: [(&str, &[Key]); 5] = [
        ("home", &[]),
        ("the keys", &[Key::F1]),
        ("the self-test", &[Key::F1, Key::PageDown, Key::Return]),
        ("the computers", &[Key::PageDown, Key::PageDown, Key::PageDown, Key::Return]),
        ("a demo", &[Key::F5]),
    ];
    for (way, keys) in ways {
        let start = Instant::now();
        let mut screen = at_home(start);
        pass(&screen, start, 0);
        keys.iter().for_each(|key| screen.press(*key));
        screen.asked();
        pass(&screen, start, AFTER - 1);
        assert_eq!(screen.asked(), [], "{way}");
        let play = |id: &str| Intent::Play(id.to_owned());
        let left = if way == "a demo" { vec![Intent::Stop] } else { Vec::new() };
        pass(&screen, start, AFTER + 1);
        assert_eq!(screen.asked(), [left.clone(), vec![play("pipe")]].concat(), "{way}");
        assert_eq!(
            (page(&screen), screen.view.left()),
            (Page::Attract, left.len() as u64),
            "{way}"
        );
        pass(&screen, start, AFTER + 32);
        assert_eq!(screen.asked(), [Intent::Stop, play("cloud")], "{way}");
        pass(&screen, start, AFTER + 63);
        assert_eq!(screen.asked(), [Intent::Stop, play("pipe")], "{way}");
        assert_eq!(screen.view.left(), left.len() as u64, "its own runs are not a visitor's");
    }
}

#[test]
fn language_and_controls_are_as_at_the_start() {
    let start = Instant::now();
    let mut screen = at_home(start);
    screen.press_text("l");
    screen.press(Key::F5);
    screen.run("pipe", 2);
    // The last of the choices, which stays on the demo's page.
    [Key::PageDown, Key::Return, Key::Return].into_iter().for_each(|key| screen.press(key));
    screen.asked();
    pass(&screen, start, AFTER + 1);
    let captions = screen.texts();
    assert!(captions.contains(&"To nie jest superkomputer.".to_owned()), "{captions:?}");
    assert_eq!(screen.asked(), [Intent::Stop, Intent::Play("pipe".into())]);
    screen.tap("Obudź ekran");
    screen.press(Key::F5);
    screen.run("pipe", 2);
    screen.press(Key::PageDown);
    screen.asked();
    screen.press(Key::Return);
    let first = Intent::Control { name: "scheme".into(), value: 1.0 };
    assert_eq!(screen.asked(), [first], "the control begins at its default");
}

#[test]
fn the_first_touch_or_key_wakes_it_and_presses_nothing() {
    // Where a tile, the strip and the language lie on the page below.
    for (x, y) in [(100.0, 200.0), (300.0, 440.0), (752.0, 32.0)] {
        let start = Instant::now();
        let mut screen = at_home(start);
        pass(&screen, start, AFTER + 1);
        screen.run("pipe", 2);
        screen.asked();
        finger(&screen, x, y, true);
        assert_eq!(page(&screen), Page::Home, "at once");
        // What the finger does until it is up belongs to the touch that woke the screen.
        let moved = LogicalPosition::new(x + 5.0, y);
        screen.app.window().dispatch_event(WindowEvent::PointerMoved { position: moved });
        finger(&screen, x + 5.0, y, false);
        assert_eq!((page(&screen), screen.asked()), (Page::Home, vec![Intent::Stop]), "{x} {y}");
        // The next one is a visitor's.
        finger(&screen, 100.0, 200.0, true);
        finger(&screen, 100.0, 200.0, false);
        assert_eq!(screen.asked(), [Intent::Launch("pipe".into())]);
    }
    for text in ["1", "l", "q", &char::from(Key::F5).to_string()] {
        let start = Instant::now();
        let mut screen = at_home(start);
        pass(&screen, start, AFTER + 1);
        screen.asked();
        screen.press_text(text);
        assert_eq!((page(&screen), screen.asked()), (Page::Home, vec![Intent::Stop]), "{text}");
        assert!(screen.buttons().contains(&"Pokaz pipe".to_owned()), "{text}: still Polish");
    }
}

#[test]
fn every_kind_of_touch_shows_that_somebody_is_there() {
    type Touch = fn(&mut Headless);
    let touches: [(&str, Touch); 4] = [
        ("beside all buttons", |screen| screen.drag(&[(700.0, 396.0), (705.0, 396.0)])),
        ("a key", |screen| screen.press(Key::PageDown)),
        ("a finger on the picture", |screen| {
            screen.press(Key::F5);
            screen.run("pipe", 2);
            screen.view.touched((1, Phase::Down, (0.5, 0.4)));
        }),
        ("a button", |screen| screen.tap("Język")),
    ];
    for (what, touch) in touches {
        let start = Instant::now();
        let mut screen = at_home(start);
        pass(&screen, start, AFTER - 1);
        touch(&mut screen);
        pass(&screen, start, AFTER - 1 + AFTER - 1);
        assert_ne!(page(&screen), Page::Attract, "{what}");
        pass(&screen, start, AFTER - 1 + AFTER);
        assert_eq!(page(&screen), Page::Attract, "{what}");
    }
}

#[test]
fn a_demo_that_ends_is_played_again_and_one_that_breaks_down_is_told_of() {
    use kiosk::supervisor::{Ended, Fault};
    let start = Instant::now();
    let mut screen = at_home(start);
    pass(&screen, start, AFTER + 1);
    let running = screen.run("pipe", 2);
    screen.asked();
    let over = |fault: Option<Fault>| {
        let demo = std::sync::Arc::new(demo("pipe", 1));
        let (at, unreached) = (Instant::now(), Vec::new());
        let ended = Ended { demo, at, fault, verified: true, unreached, processes_killed: 0 };
        Status { state: State::Idle, ended: Some(std::sync::Arc::new(ended)), ..running.clone() }
    };
    screen.view.show_status(over(None), Instant::now());
    assert_eq!(page(&screen), Page::Attract);
    pass(&screen, start, AFTER + 12);
    assert_eq!(screen.asked(), [Intent::Play("cloud".into())]);
    screen.run("cloud", 2);
    pass(&screen, start, AFTER + 43);
    screen.run("pipe", 2);
    screen.view.show_status(over(Some(Fault::Hung { after_s: 3.0 })), Instant::now());
    assert_eq!(page(&screen), Page::Fault);
    screen.asked();
    pass(&screen, start, AFTER + 44);
    assert_eq!(screen.asked(), [], "it is not tried again at once");
    assert_ne!(page(&screen), Page::Attract);
}

#[test]
fn at_night_the_screen_is_dark_nothing_runs_and_a_touch_wakes_it() {
    let start = Instant::now();
    let mut screen = at_home(start);
    let hour = |hour| Time::constant(hour, 0, 0, 0);
    // It is noon, see the screen of the tests.
    let wanted = Wanted { night: Some((hour(11), hour(13))), ..Wanted::default() };
    screen.view.rest_as(wanted, start);
    screen.press(Key::F5);
    screen.run("pipe", 2);
    screen.asked();
    pass(&screen, start, 119);
    assert_eq!(screen.asked(), []);
    pass(&screen, start, 121);
    assert_eq!((screen.asked(), screen.view.left()), (vec![Intent::Stop], 1));
    let ground = screen.pixels().as_slice()[0];
    assert!(screen.pixels().as_slice().iter().all(|pixel| *pixel == ground), "all is dark");
    finger(&screen, 100.0, 200.0, true);
    finger(&screen, 100.0, 200.0, false);
    assert_eq!((page(&screen), screen.asked()), (Page::Home, Vec::new()));
    assert!(screen.pixels().as_slice().iter().any(|pixel| *pixel != ground), "light again");
    pass(&screen, start, 121 + 119);
    assert!(screen.pixels().as_slice().iter().any(|pixel| *pixel != ground), "for two minutes");
    pass(&screen, start, 121 + 121);
    assert!(screen.pixels().as_slice().iter().all(|pixel| *pixel == ground), "and dark again");
}

#[test]
fn a_presenter_who_made_the_screen_dark_has_half_an_hour_to_talk() {
    let start = Instant::now();
    let mut screen = at_home(start);
    screen.press_text(".");
    pass(&screen, start, 1700);
    assert!(screen.app.global::<ui::WindowView>().get_dark());
    assert_eq!(screen.asked(), []);
    pass(&screen, start, 1801);
    assert_eq!(page(&screen), Page::Attract);
}

#[test]
fn the_buttons_of_a_clicker_whose_keys_have_no_text_work_and_wake() {
    let start = Instant::now();
    let mut screen = at_home(start);
    let presentation = |screen: &Headless| screen.view.hear(RawInput::Key(425));
    assert!(presentation(&screen));
    assert_eq!(screen.asked(), [Intent::Launch("pipe".into())]);
    assert!(presentation(&screen));
    assert_eq!(screen.asked(), [Intent::Stop]);
    assert!(screen.view.hear(RawInput::Key(431)));
    assert!(screen.app.global::<ui::WindowView>().get_dark());
    assert!(presentation(&screen), "wakes");
    assert_eq!(screen.asked(), [], "and does nothing else");
    assert!(!screen.view.hear(RawInput::Key(109)), "Page Down comes to us with its text");
}

#[test]
fn a_clicker_alone_puts_a_run_on_other_computers() {
    let start = Instant::now();
    let mut screen = at_home(start);
    screen.press(Key::F5);
    let status = screen.run("pipe", 2);
    let scale = |computers, ranks| Scale {
        computers: Some(computers),
        ranks: Some(ranks),
        ..Scale::default()
    };
    let offers = std::sync::Arc::new(vec![scale(1, 1), scale(2, 1)]);
    screen.view.show_status(Status { offers, ..status }, Instant::now());
    screen.asked();
    // Three controls, then the computers.
    (0..5).for_each(|_| screen.press(Key::PageDown));
    screen.press(Key::Return);
    assert_eq!(screen.asked(), [Intent::Scale(scale(2, 1))]);
}
