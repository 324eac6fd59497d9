//! The owner's menu: who gets in, what it can do, and that it does not stay open.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod headless;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use headless::{Headless, demo, readings};
use kiosk::{
    display::RawInput,
    intent::Intent,
    owner::{
        Bundle, Entrance, Order, Told,
        shutdown::{Leaving, ShutDown},
    },
    ui::{self, Page},
    view::{Language, Wanted},
};
use slint::{
    ComponentHandle, LogicalPosition,
    platform::{Key, PointerEventButton, WindowEvent},
};

fn page(screen: &Headless) -> Page {
    screen.app.global::<ui::WindowView>().get_page()
}

/// A finger rests on the name for so many seconds.
fn hold(screen: &Headless, seconds: u64) {
    let (position, button) = (LogicalPosition::new(100.0, 30.0), PointerEventButton::Left);
    screen.app.window().dispatch_event(WindowEvent::PointerPressed { position, button });
    i_slint_backend_testing::mock_elapsed_time(Duration::from_secs(seconds));
    screen.app.window().dispatch_event(WindowEvent::PointerReleased { position, button });
}

fn at_home() -> Headless {
    Headless::new(vec![demo("pipe", 1)], Language::English)
}

fn told(entrance: Entrance) -> Told {
    let (addresses, log) = (vec!["192.168.0.1".into()], vec!["INFO all is well".into()]);
    Told { entrance, addresses, log, ..Told::default() }
}

/// In the menu.
fn inside() -> Headless {
    let mut screen = at_home();
    hold(&screen, 4);
    screen.view.show_owner(told(Entrance::Open), Instant::now());
    assert_eq!(page(&screen), Page::Owner);
    screen.asked();
    screen
}

fn says(screen: &Headless, text: &str) -> bool {
    screen.texts().iter().any(|shown| shown.contains(text))
}

#[test]
fn a_finger_that_rests_on_the_name_is_asked_for_the_pin_and_a_tap_is_not() {
    let screen = at_home();
    hold(&screen, 2);
    assert_eq!(page(&screen), Page::Home);
    hold(&screen, 4);
    assert_eq!(page(&screen), Page::Pin);
}

#[test]
fn the_pin_is_sent_and_never_shown() {
    let mut screen = at_home();
    hold(&screen, 4);
    for digit in ["9", "0", "1", "2", "3"] {
        screen.tap(digit);
    }
    screen.tap("Rub out");
    assert_eq!(screen.said("Digits"), "4");
    assert!(!says(&screen, "9012"));
    screen.tap("Enter");
    assert_eq!(screen.asked(), [Intent::Owner(Order::Enter("9012".into()))]);
    assert_eq!((page(&screen), &screen.said("Digits")[..]), (Page::Pin, "0"));
    screen.tap("Enter");
    assert_eq!(screen.asked(), [], "no digits are no PIN");
    (0..20).for_each(|_| screen.tap("7"));
    assert_eq!(screen.said("Digits"), "12");
}

#[test]
fn a_wrong_pin_says_how_long_the_next_has_to_wait() {
    let screen = at_home();
    hold(&screen, 4);
    let now = Instant::now();
    screen.view.show_owner(told(Entrance::Wrong(None)), now);
    assert!(says(&screen, "That is not the PIN."));
    screen.view.show_owner(told(Entrance::Wrong(Some(now + Duration::from_secs(10)))), now);
    assert!(says(&screen, "Wait 10 seconds."), "{:?}", screen.texts());
    screen.view.show_telemetry(readings(None, None), now + Duration::from_secs(11));
    assert!(!says(&screen, "Wait"));
    screen.view.show_owner(told(Entrance::NotSet), now);
    assert!(says(&screen, "sudo hpc-kiosk set-pin"));
    assert_eq!(page(&screen), Page::Pin);
}

#[test]
fn an_answer_that_comes_when_somebody_has_gone_opens_nothing() {
    let mut screen = at_home();
    hold(&screen, 4);
    screen.tap("Back");
    screen.view.show_owner(told(Entrance::Open), Instant::now());
    assert_eq!(page(&screen), Page::Home);
    assert_eq!(screen.asked(), [Intent::Owner(Order::Leave)]);
}

#[test]
fn the_menu_shows_addresses_and_opens_the_log_the_keys_and_the_self_test() {
    let mut screen = inside();
    assert!(says(&screen, "192.168.0.1") && says(&screen, env!("CARGO_PKG_VERSION")));
    screen.tap("Log");
    assert!(says(&screen, "all is well"));
    screen.tap("Write it to a file");
    assert_eq!(screen.asked(), [Intent::Owner(Order::Bundle)]);
    let bundle = Bundle::Written("/var/lib/hpc-kiosk/hpc-kiosk-bundle.txt".into());
    screen.view.show_owner(Told { bundle, ..told(Entrance::Open) }, Instant::now());
    assert!(says(&screen, "/var/lib/hpc-kiosk/hpc-kiosk-bundle.txt"));
    screen.tap("Back");
    screen.tap("Self-test");
    assert_eq!((page(&screen), screen.asked()), (Page::Selftest, vec![Intent::Examine]));
    screen.tap("Back");
    assert_eq!(page(&screen), Page::Owner, "still open");
    screen.tap("Start the kiosk anew");
    assert_eq!(screen.asked(), [Intent::Owner(Order::Restart)]);
}

#[test]
fn the_menu_closes_itself_however_it_is_left() {
    type Way = fn(&Headless);
    let ways: [(&str, Way); 4] = [
        ("back", |screen| screen.tap("Back")),
        ("a clicker", |screen| screen.press(Key::Escape)),
        ("the strip", |screen| screen.tap("Computers")),
        ("nobody is there any more", |screen| {
            let wanted = Wanted {
                after: Some(Duration::from_secs(60)),
                demo: Duration::from_secs(60),
                night: None,
            };
            let now = Instant::now();
            screen.view.rest_as(wanted, now);
            screen.view.show_telemetry(readings(None, None), now + Duration::from_secs(61));
        }),
    ];
    for (way, leave) in ways {
        let mut screen = inside();
        leave(&screen);
        assert!(screen.asked().contains(&Intent::Owner(Order::Leave)), "{way}");
        // Wherever "back" leads now, it is not into the menu.
        screen.view.show_telemetry(readings(None, None), Instant::now());
        screen.press(Key::Escape);
        assert_ne!(page(&screen), Page::Owner, "{way}");
    }
}

#[test]
fn no_page_of_the_owners_is_reached_without_the_pin() {
    let screen = at_home();
    // As a mistake in the way there would.
    screen.app.global::<ui::OwnerView>().invoke_log_book();
    assert_eq!(page(&screen), Page::Home);
    screen.app.global::<ui::OwnerView>().invoke_key_tester();
    assert_eq!(page(&screen), Page::Home);
}

#[test]
fn brightness_goes_round_and_language_is_switched() {
    let screen = inside();
    let brightness = || screen.app.global::<ui::WindowView>().get_brightness();
    let mut seen = Vec::new();
    for _ in 0..4 {
        screen.tap("Brightness");
        seen.push((100.0 * brightness()).round() as i32);
    }
    assert_eq!(seen, [70, 40, 20, 100]);
    screen.tap("Language");
    assert!(says(&screen, "Dla gospodarza"));
    assert_eq!(page(&screen), Page::Owner);
}

#[test]
fn the_owners_demos_stand_in_the_menu_only() {
    let mut screen = at_home();
    screen.view.set_owners_demos(vec![Arc::new(demo("testcard", 0))]);
    assert!(!screen.buttons().contains(&"Demo testcard".to_owned()));
    hold(&screen, 4);
    screen.view.show_owner(told(Entrance::Open), Instant::now());
    screen.asked();
    screen.tap("Demo testcard");
    assert_eq!(page(&screen), Page::Demo);
    assert!(screen.asked().contains(&Intent::Launch("testcard".into())));
    screen.run("testcard", 2);
    screen.press(Key::Escape);
    assert_eq!((page(&screen), screen.asked()), (Page::Home, vec![Intent::Stop]));
}

#[test]
fn the_key_tester_shows_keys_and_does_nothing_else() {
    let mut screen = inside();
    screen.tap("Keys");
    screen.press(Key::PageDown);
    assert!(says(&screen, "Page Down") && says(&screen, "next"));
    screen.press(Key::F5);
    screen.press_text("1");
    screen.press_text("q");
    assert!(says(&screen, "nothing here"));
    // Of a display of its own the number comes first, and then the text.
    assert!(screen.view.hear(RawInput::Key(425)));
    assert!(says(&screen, "425"));
    assert!(!screen.view.hear(RawInput::Key(104)));
    screen.press(Key::PageUp);
    assert!(says(&screen, "Page Up · 104"), "{:?}", screen.texts());
    assert_eq!((page(&screen), screen.asked()), (Page::KeyTester, Vec::new()));
    (0..20).for_each(|_| screen.press(Key::Tab));
    assert_eq!(screen.texts().iter().filter(|text| *text == "Tab").count(), 8);
    screen.tap("Back");
    assert_eq!(page(&screen), Page::Owner);
}

/// In the menu, with the shut-down so far.
fn shutting(screen: &Headless, stage: ShutDown) {
    screen.view.show_owner(Told { shut_down: stage, ..told(Entrance::Open) }, Instant::now());
}

fn leaving(name: &str, is_silent: bool, trouble: Option<&str>) -> Leaving {
    Leaving { name: name.into(), is_silent, trouble: trouble.map(str::to_owned) }
}

#[test]
fn the_cluster_is_shut_down_with_a_countdown_that_can_be_cancelled() {
    let mut screen = inside();
    screen.tap("Shut the cluster down");
    assert!(screen.asked().contains(&Intent::Owner(Order::ShutDown)));
    assert_eq!(page(&screen), Page::Owner, "nothing has begun yet");
    let until = Instant::now() + Duration::from_millis(9500);
    shutting(&screen, ShutDown::Counting(until.into()));
    assert_eq!(page(&screen), Page::ShutDown);
    assert!(says(&screen, "10 s") && says(&screen, "this one last"), "{:?}", screen.texts());
    screen.view.show_telemetry(readings(None, None), until - Duration::from_millis(2100));
    assert!(says(&screen, "3 s"), "{:?}", screen.texts());
    screen.tap("Cancel");
    assert_eq!(screen.asked(), [Intent::Owner(Order::StayUp)]);
    assert_eq!(page(&screen), Page::Owner);
    shutting(&screen, ShutDown::None);
    assert_eq!(page(&screen), Page::Owner);
}

#[test]
fn the_shut_down_says_who_still_answers_and_why_and_goes_on_only_if_told() {
    let mut screen = inside();
    let silent = leaving("major-tom", true, Some("it said nothing"));
    let stubborn = leaving("ziggy", false, Some("a password is required"));
    shutting(&screen, ShutDown::Others(vec![silent.clone(), stubborn.clone()]));
    assert!(says(&screen, "answers no more") && says(&screen, "switching off"));
    assert!(!screen.buttons().contains(&"Switch this one off all the same".to_owned()));
    shutting(&screen, ShutDown::Stuck(vec![silent, stubborn]));
    assert!(says(&screen, "still answers: a password is required"), "{:?}", screen.texts());
    screen.tap("Switch this one off all the same");
    assert_eq!(screen.asked(), [Intent::Owner(Order::GoOn)]);
    shutting(&screen, ShutDown::Last((Instant::now() + Duration::from_secs(5)).into()));
    assert!(says(&screen, "5 s") && says(&screen, "Pull the plug"), "{:?}", screen.texts());
    shutting(&screen, ShutDown::Told);
    assert!(!screen.buttons().contains(&"Cancel".to_owned()), "it is too late");
    shutting(&screen, ShutDown::Failed("access denied".into()));
    assert!(says(&screen, "cannot switch itself off: access denied"));
    screen.tap("Cancel");
    assert_eq!(page(&screen), Page::Owner);
}

#[test]
fn of_many_computers_those_that_answer_are_shown_and_the_rest_is_counted() {
    let screen = inside();
    let computers = (0..16).map(|k| leaving(&format!("node-{k}"), k != 11, None)).collect();
    shutting(&screen, ShutDown::Stuck(computers));
    assert!(says(&screen, "node-11") && says(&screen, "still answers"));
    assert!(says(&screen, "and 11 more"), "{:?}", screen.texts());
}

#[test]
fn a_shut_down_is_not_interrupted_by_a_show_and_who_leaves_it_cancels_it() {
    let mut screen = inside();
    let now = Instant::now();
    let minute = Duration::from_secs(60);
    screen.view.rest_as(Wanted { after: Some(minute), demo: minute, night: None }, now);
    shutting(&screen, ShutDown::Others(vec![leaving("major-tom", false, None)]));
    screen.view.show_telemetry(readings(None, None), now + 5 * minute);
    assert_eq!((page(&screen), screen.asked()), (Page::ShutDown, Vec::new()));
    screen.press(Key::Escape);
    assert_eq!((page(&screen), screen.asked()), (Page::Home, vec![Intent::Owner(Order::Leave)]));
}
