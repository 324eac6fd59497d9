//! What touch, mouse and clicker do on every page, and what the pages say, on a screen in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod headless;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use headless::{Headless, demo, readings};
use kiosk::{
    doctor::{Examination, Finding, Level, Matter, Piece},
    intent::{Intent, Scale},
    supervisor::{Ended, Fault, Standby, State, Status},
    ui::Page,
    view::Language,
};
use slint::platform::Key;
use wire::{demo::Statistics, kiosk::Phase};

fn at_home() -> Headless {
    Headless::new(vec![demo("pipe", 1), demo("cloud", 2)], Language::English)
}

/// On the page of a running demo with two ranks; what was asked until then is forgotten.
fn running() -> (Headless, Status) {
    let mut screen = at_home();
    screen.tap("Demo pipe");
    let status = screen.run("pipe", 2);
    screen.asked();
    (screen, status)
}

/// What is said when the run of the pipe is over.
fn over(running: Status, fault: Option<Fault>, verified: bool) -> Status {
    let demo = Arc::new(demo("pipe", 1));
    let (at, unreached) = (Instant::now(), Vec::new());
    let ended = Ended { demo, at, fault, verified, unreached, processes_killed: 0 };
    Status { state: State::Idle, ended: Some(Arc::new(ended)), ..running }
}

fn page(screen: &Headless) -> Page {
    use slint::ComponentHandle;
    screen.app.global::<kiosk::ui::WindowView>().get_page()
}

#[test]
fn a_tap_on_a_tile_launches_its_demo() {
    let mut screen = at_home();
    screen.tap("Demo cloud");
    assert_eq!(screen.asked(), [Intent::Launch("cloud".into())]);
    assert_eq!(page(&screen), Page::Demo);
}

#[test]
fn a_digit_launches_its_demo() {
    let mut screen = at_home();
    screen.press_text("2");
    assert_eq!(screen.asked(), [Intent::Launch("cloud".into())]);
}

#[test]
fn a_clicker_alone_chooses_starts_and_stops() {
    let mut screen = at_home();
    screen.press(Key::PageDown);
    screen.press(Key::PageDown);
    screen.press(Key::Return);
    assert_eq!(screen.asked(), [Intent::Launch("cloud".into())]);
    screen.press(Key::Escape);
    assert_eq!(screen.asked(), [Intent::Stop]);
    assert_eq!(page(&screen), Page::Home);
    screen.press(Key::F5);
    assert_eq!(screen.asked(), [Intent::Launch("cloud".into())], "it starts what is selected");
}

#[test]
fn the_back_arrow_stops_and_returns_home() {
    let (mut screen, _) = running();
    screen.tap("Back");
    assert_eq!(screen.asked(), [Intent::Stop]);
    assert_eq!(page(&screen), Page::Home);
}

#[test]
fn a_held_key_counts_once() {
    use slint::{ComponentHandle, platform::WindowEvent};
    let mut screen = at_home();
    let text = slint::SharedString::from(char::from(Key::F5).to_string());
    screen.app.window().dispatch_event(WindowEvent::KeyPressed { text: text.clone() });
    for _ in 0..20 {
        screen.app.window().dispatch_event(WindowEvent::KeyPressRepeated { text: text.clone() });
    }
    assert_eq!(screen.asked(), [Intent::Launch("pipe".into())]);
}

#[test]
fn a_drag_on_the_canvas_stirs_in_picture_pixels() {
    let (mut screen, _) = running();
    screen.drag(&[(300.0, 200.0), (340.0, 220.0), (380.0, 240.0)]);
    let asked = screen.asked();
    let pointer = |phase, x, y| Intent::Pointer { finger: 0, phase, x, y };
    assert_eq!(asked.first(), Some(&pointer(Phase::Down, 300.0, 200.0)));
    assert!(asked.contains(&pointer(Phase::Moved, 340.0, 220.0)), "{asked:?}");
    assert_eq!(asked.last(), Some(&pointer(Phase::Up, 380.0, 240.0)));
}

#[test]
fn two_fingers_stir_at_once() {
    let (mut screen, _) = running();
    let touch = |finger, phase, x: f64, y: f64| {
        screen.view.touched((finger, phase, (x / 800.0, y / 480.0)))
    };
    assert!(touch(0, Phase::Down, 200.0, 200.0));
    assert!(touch(1, Phase::Down, 600.0, 240.0));
    assert!(touch(0, Phase::Moved, 220.0, 200.0));
    assert!(touch(1, Phase::Moved, 580.0, 240.0));
    assert!(touch(0, Phase::Up, 0.0, 0.0), "the system does not say where");
    assert!(!touch(2, Phase::Down, 40.0, 40.0), "the back button is Slint's");
    let fingers: Vec<(u8, Phase, f32)> = screen
        .asked()
        .into_iter()
        .filter_map(|intent| match intent {
            Intent::Pointer { finger, phase, x, .. } => Some((finger, phase, x.round())),
            _ => None,
        })
        .collect();
    let expected = [
        (1, Phase::Down, 200.0),
        (2, Phase::Down, 600.0),
        (1, Phase::Moved, 220.0),
        (2, Phase::Moved, 580.0),
        (1, Phase::Up, 220.0),
    ];
    assert_eq!(fingers, expected);
}

#[test]
fn controls_are_set_by_a_finger() {
    let (mut screen, _) = running();
    screen.tap("Controls");
    i_slint_backend_testing::mock_elapsed_time(Duration::from_millis(200));
    screen.tap("MPDATA+");
    assert_eq!(screen.asked(), [Intent::Control { name: "scheme".into(), value: 2.0 }]);
    screen.tap("Restart");
    assert_eq!(screen.asked(), [Intent::Control { name: "restart".into(), value: 1.0 }]);
}

#[test]
fn a_finger_on_the_slider_sets_it_and_does_not_stir() {
    let (mut screen, _) = running();
    screen.tap("Controls");
    i_slint_backend_testing::mock_elapsed_time(Duration::from_millis(200));
    // The slider's row lies from y 136 to 200; its track from x 568 to 768.
    screen.drag(&[(560.0, 168.0), (660.0, 168.0), (795.0, 168.0)]);
    let asked = screen.asked();
    assert!(!asked.is_empty());
    for intent in &asked {
        assert!(matches!(intent, Intent::Control { name, .. } if name == "speed"), "{intent:?}");
    }
    assert_eq!(asked.last(), Some(&Intent::Control { name: "speed".into(), value: 8.0 }));
}

#[test]
fn the_computers_are_chosen_by_a_finger_and_their_speed_of_today_stays() {
    let (mut screen, status) = running();
    let scale = |computers, ranks| Scale {
        computers: Some(computers),
        ranks: Some(ranks),
        ..Scale::default()
    };
    let offers = Arc::new(vec![scale(1, 1), scale(2, 1)]);
    let on = |at: usize, updates| {
        let statistics = Statistics { interval_s: 0.5, updates, ..Statistics::default() };
        let (offers, scale) = (Arc::clone(&offers), Some(offers[at]));
        Status { offers, scale, statistics: Some(Arc::new(statistics)), ..status.clone() }
    };
    assert!(!screen.buttons().contains(&"Choose computers".to_owned()), "there is no choice yet");
    screen.view.show_status(on(0, 50_000_000), Instant::now());
    screen.tap("Choose computers");
    screen.tap("2 computers");
    assert_eq!(screen.asked(), [Intent::Scale(scale(2, 1))]);
    let texts = screen.texts();
    let says = |texts: &[String], text: &str| texts.iter().any(|shown| shown == text);
    assert!(says(&texts, "100") && says(&texts, "10.0 s for a billion"), "{texts:?}");
    assert!(says(&texts, "–"), "nothing is known of the other: {texts:?}");
    screen.view.show_status(on(1, 90_000_000), Instant::now());
    let texts = screen.texts();
    assert!(says(&texts, "100") && says(&texts, "180"), "{texts:?}");
    assert!(says(&texts, "1.8 times as fast · 90 %"), "{texts:?}");
    // What is computed while another run starts beside is no measure.
    let disturbed = Status { standby: Standby::Starting(1), ..on(1, 10_000_000) };
    screen.view.show_status(disturbed, Instant::now());
    assert!(says(&screen.texts(), "180"));
    screen.tap("Close computers");
    assert!(!says(&screen.texts(), "180"));
}

#[test]
fn controls_are_set_by_a_clicker() {
    let (mut screen, _) = running();
    screen.press(Key::PageDown);
    screen.press(Key::Return);
    screen.press(Key::Return);
    screen.press(Key::Return);
    let values: Vec<Intent> =
        [1.0, 2.0, 0.0].map(|value| Intent::Control { name: "scheme".into(), value }).into();
    assert_eq!(screen.asked(), values, "after the last choice comes the first");
}

#[test]
fn a_tap_on_the_speed_says_what_the_statistics_say_of_every_rank() {
    use wire::demo::{RankStatistics, Statistics};
    let (mut screen, status) = running();
    let rank = |compute, communicate, wait, halo_bytes| RankStatistics {
        compute,
        communicate,
        wait,
        halo_bytes,
    };
    let ranks = vec![rank(0.75, 0.05, 0.15, 2_000_000), rank(0.6, 0.04, 0.3, 100_000)];
    let statistics = Statistics { interval_s: 0.5, steps: 600, ranks, ..Default::default() };
    let with = |statistics| Status { statistics: Some(Arc::new(statistics)), ..status.clone() };
    screen.view.show_status(with(statistics.clone()), Instant::now());
    assert!(!screen.texts().contains(&"bowie · part 1".to_owned()), "nobody has asked yet");

    screen.tap("Where the time goes");
    let words = |compute, send, wait| {
        format!(
            "{compute}\u{a0}% computes · {send}\u{a0}% sends · {wait}\u{a0}% waits for a neighbour"
        )
    };
    assert_eq!(screen.said("bowie · part 1"), words(75, 5, 15));
    assert_eq!(screen.said("bowie · part 2"), words(60, 4, 30));
    let texts = screen.texts();
    for sent in ["sends 4.0\u{a0}MB/s", "sends 200\u{a0}kB/s"] {
        assert!(texts.contains(&sent.to_owned()), "{texts:?}");
    }
    assert_eq!(screen.asked(), [], "a finger on the speed does not stir");

    let mut later = statistics;
    later.ranks[0] = rank(0.5, 0.1, 0.35, 0);
    screen.view.show_status(with(later), Instant::now());
    assert_eq!(screen.said("bowie · part 1"), words(50, 10, 35));
    screen.press_text("l");
    assert_eq!(
        screen.said("bowie · część 1"),
        "50\u{a0}% liczy · 10\u{a0}% wysyła · 35\u{a0}% czeka na sąsiada"
    );
    screen.tap("Na co idzie czas");
    assert!(!screen.texts().contains(&"bowie · część 1".to_owned()));
}

#[test]
fn the_language_is_switched_by_one_tap_or_key_at_any_moment() {
    let (screen, status) = running();
    screen.press_text("l");
    assert!(screen.buttons().contains(&"Wróć".to_owned()), "{:?}", screen.buttons());
    screen.press(Key::Escape);
    let stopped = Status { state: State::Idle, ..status };
    screen.view.show_status(stopped, Instant::now());
    assert!(screen.buttons().contains(&"Pokaz pipe".to_owned()));
    screen.tap("Język");
    assert!(screen.buttons().contains(&"Demo pipe".to_owned()));
}

#[test]
fn polish_plurals_have_three_forms() {
    let screen = Headless::new(vec![demo("pipe", 1)], Language::Polish);
    screen.press(Key::F5);
    for (processes, said) in
        [(1, "Rusza 1 proces"), (3, "Ruszają 3 procesy"), (5, "Rusza 5 procesów")]
    {
        let since = Instant::now();
        let state = State::Starting { demo: Arc::new(demo("pipe", 1)), since };
        screen.view.show_status(Status { state, processes, ..Default::default() }, since);
        let texts = screen.texts();
        assert!(texts.iter().any(|text| text.starts_with(said)), "{texts:?}");
    }
}

#[test]
fn what_is_not_measured_is_a_dash_and_what_is_old_is_not_shown_as_current() {
    let screen = at_home();
    let start = Instant::now();
    screen.view.show_telemetry(readings(Some(0.25), None), start);
    assert_eq!(screen.said("bowie"), "25\u{a0}% – – –");
    let old = readings(Some(0.25), Some(50.0));
    screen.view.show_telemetry(old, Instant::now() + Duration::from_secs(4));
    assert_eq!(screen.said("bowie"), "4\u{a0}s");
}

#[test]
fn a_run_that_breaks_down_says_so_and_offers_a_way_back_and_another_try() {
    let (mut screen, status) = running();
    let fault = Fault::Failed { detail: "out of memory".into() };
    let ended = over(status, Some(fault), true);
    screen.view.show_status(ended.clone(), Instant::now());
    assert_eq!(page(&screen), Page::Fault);
    let texts = screen.texts();
    assert!(texts.contains(&"“Demo pipe” cannot go on.".to_owned()), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("out of memory")), "{texts:?}");

    screen.tap("Once more");
    assert_eq!(screen.asked(), [Intent::Launch("pipe".into())]);
    assert_eq!(page(&screen), Page::Demo);
    // The old end is still what the supervisor says; it must not throw the visitor back.
    screen.view.show_status(ended, Instant::now());
    assert_eq!(page(&screen), Page::Demo);
}

#[test]
fn a_fault_goes_home_by_itself_after_twenty_seconds() {
    let (screen, status) = running();
    let demo = Arc::new(demo("pipe", 1));
    let fault = Some(Fault::Hung { after_s: 3.0 });
    let state = State::Stopping { demo, since: Instant::now(), fault, next: None };
    screen.view.show_status(Status { state, ..status }, Instant::now());
    assert_eq!(page(&screen), Page::Fault, "said while it is still being ended");
    screen.view.show_telemetry(readings(None, None), Instant::now() + Duration::from_secs(19));
    assert_eq!(page(&screen), Page::Fault);
    screen.view.show_telemetry(readings(None, None), Instant::now() + Duration::from_secs(21));
    assert_eq!(page(&screen), Page::Home);
}

#[test]
fn a_picture_of_the_run_before_is_not_shown_as_the_new_runs_own() {
    use kiosk::supervisor::Pictures;
    let (mut screen, status) = running();
    screen.press_text("2");
    // The old run is still there and sends one more picture.
    screen.painter.picture(&Default::default(), &[255; 320_000]);
    screen.view.show_picture();
    let texts = screen.texts();
    assert!(texts.iter().any(|text| text.starts_with("Waiting")), "{texts:?}");
    let pixels = screen.pixels();
    let corner = pixels.as_slice()[(300 * pixels.width() + 700) as usize];
    assert_eq!((corner.r, corner.g, corner.b), (0x0B, 0x11, 0x18), "the old picture is covered");
    drop(status);
}

#[test]
fn a_second_tap_on_what_runs_changes_nothing() {
    let (mut screen, status) = running();
    screen.press_text("1");
    assert_eq!(screen.asked(), []);
    screen.view.show_status(status, Instant::now());
    assert!(!screen.texts().iter().any(|text| text.starts_with("Waiting")), "{:?}", screen.texts());
}

#[test]
fn a_demo_that_ends_content_says_so() {
    let (screen, status) = running();
    let ended = over(status, None, true);
    screen.view.show_status(ended, Instant::now());
    assert_eq!(page(&screen), Page::Fault);
    let texts = screen.texts();
    assert!(texts.iter().any(|text| text.contains("has computed all it wanted to")), "{texts:?}");
}

#[test]
fn a_demo_that_fails_to_start_says_so_every_time() {
    let mut screen = at_home();
    screen.tap("Demo pipe");
    for _ in 0..3 {
        let fault = Fault::CannotStart { program: "pipe".into(), why: "it is not there".into() };
        let status = over(Status::default(), Some(fault), true);
        screen.view.show_status(status, Instant::now());
        assert_eq!(page(&screen), Page::Fault);
        screen.tap("Once more");
        assert_eq!(page(&screen), Page::Demo);
    }
    assert_eq!(screen.asked().len(), 4);
}

#[test]
fn the_fault_of_the_run_before_does_not_throw_the_visitor_off_the_next() {
    let (screen, status) = running();
    let demo = Arc::new(demo("pipe", 1));
    let since = Instant::now();
    screen.press_text("2");
    let fault = Some(Fault::Hung { after_s: 2.5 });
    let state = State::Stopping { demo, since, fault, next: None };
    screen.view.show_status(Status { state, ..status }, Instant::now());
    assert_eq!(page(&screen), Page::Demo);
}

#[test]
fn a_process_that_does_not_end_is_told_of_even_at_home() {
    let (screen, status) = running();
    screen.tap("Back");
    let ended = over(status, None, false);
    screen.view.show_status(ended.clone(), Instant::now());
    assert_eq!(page(&screen), Page::Fault);
    screen.tap("Back");
    screen.view.show_status(ended, Instant::now());
    assert_eq!(page(&screen), Page::Home, "told once");
}

#[test]
fn a_stop_by_the_visitor_is_no_news() {
    let (screen, status) = running();
    screen.tap("Back");
    let ended = over(status, None, true);
    screen.view.show_status(ended, Instant::now());
    assert_eq!(page(&screen), Page::Home);
}

#[test]
fn the_dark_screen_wakes_by_a_touch_and_presses_nothing() {
    let mut screen = at_home();
    screen.press_text(".");
    screen.press_text("q");
    screen.press_text(".");
    screen.drag(&[(200.0, 200.0), (200.0, 200.0)]);
    assert_eq!(screen.asked(), []);
    screen.drag(&[(200.0, 200.0), (200.0, 200.0)]);
    assert_eq!(screen.asked(), [Intent::Launch("pipe".into())], "the second touch hits the tile");
}

#[test]
fn more_demos_than_fit_are_reached_by_touch() {
    let demos = (0..5).map(|order| demo(&format!("d{order}"), order)).collect();
    let mut screen = Headless::new(demos, Language::English);
    screen.tap("More demos");
    screen.tap("Demo d4");
    assert_eq!(screen.asked(), [Intent::Launch("d4".into())]);
}

#[test]
fn a_kiosk_without_demos_says_what_the_owner_can_do() {
    let screen = Headless::new(Vec::new(), Language::English);
    assert!(screen.texts().iter().any(|text| text.contains("/etc/hpc-kiosk/demos")));
    screen.press(Key::F5);
    screen.press_text("1");
    assert_eq!(page(&screen), Page::Home);
}

#[test]
fn everything_that_can_be_touched_is_finger_sized_on_every_page() {
    use i_slint_backend_testing::AccessibleRole;
    let check = |screen: &Headless, page: &str| {
        for role in [AccessibleRole::Button, AccessibleRole::Slider] {
            for target in screen.elements(|query| query.match_accessible_role(role)) {
                let (size, at) = (target.size(), target.absolute_position());
                let label = target.accessible_label().unwrap_or_default();
                assert!(48.0 <= size.width && 48.0 <= size.height, "{page}: {label} is {size:?}");
                assert!(
                    0.0 <= at.x
                        && at.x + size.width <= 800.0
                        && 0.0 <= at.y
                        && at.y + size.height <= 480.0,
                    "{page}: {label} at {at:?}"
                );
            }
        }
    };
    let (screen, _) = running();
    check(&screen, "demo");
    screen.press(Key::PageDown);
    i_slint_backend_testing::mock_elapsed_time(Duration::from_millis(200));
    check(&screen, "controls");
    screen.press(Key::Escape);
    check(&screen, "home");
    screen.press(Key::F1);
    check(&screen, "help");
    screen.tap("Self-test");
    let at = Instant::now();
    screen.view.show_examination(Examination::Done { findings: findings(), at }, at);
    check(&screen, "self-test");
}

/// Seven lines: one thing is wrong, one is worth knowing, and five pieces are well.
fn findings() -> Arc<Vec<Finding>> {
    let finding = |level, piece, of: &str, matter, detail: &str| Finding {
        level,
        piece,
        of: of.into(),
        matter,
        detail: detail.into(),
        what: "in English".into(),
        found: "in English".into(),
        remedy: None,
    };
    let well = |piece, of| finding(Level::Well, piece, of, Matter::Unsaid, "");
    Arc::new(vec![
        well(Piece::Settings, ""),
        well(Piece::Warden, ""),
        well(Piece::Agent, "major-tom"),
        finding(Level::Note, Piece::Clock, "major-tom", Matter::ClockOff, "2.5\u{a0}s"),
        well(Piece::Agent, "ground-control"),
        finding(Level::Wrong, Piece::Folder, "ground-control", Matter::Hangs, ""),
        well(Piece::Ssh, "major-tom"),
        well(Piece::OpenMpi, ""),
    ])
}

#[test]
fn the_self_test_is_made_when_it_is_opened_first_and_again_when_asked() {
    let mut screen = at_home();
    screen.press(Key::F1);
    screen.tap("Self-test");
    assert_eq!((page(&screen), screen.asked()), (Page::Selftest, vec![Intent::Examine]));
    let since = Instant::now();
    let awaited = vec!["major-tom".to_owned(), "ground-control".to_owned()];
    let going = |awaited: &[String]| Examination::Going { since, awaited: awaited.into() };
    screen.view.show_examination(going(&[]), since + Duration::from_secs(1));
    assert!(screen.texts().contains(&"We look at this machine · 1.0 s".to_owned()));
    screen.view.show_examination(going(&awaited), since + Duration::from_secs(3));
    let waits = "Waiting for major-tom, ground-control · 3.0 s".to_owned();
    assert!(screen.texts().contains(&waits), "{:?}", screen.texts());
    assert!(!screen.buttons().contains(&"Once more".to_owned()), "it goes on");
    screen.press(Key::Return);
    assert_eq!(screen.asked(), [], "it goes on");

    let done = Examination::Done { findings: findings(), at: since };
    screen.view.show_examination(done, since + Duration::from_secs(12));
    let texts = screen.texts();
    assert!(texts.contains(&"1 thing is wrong · 12\u{a0}s ago".to_owned()), "{texts:?}");
    let hangs =
        "It hangs: nothing can be read. Look at the file server, then mount the folder again.";
    assert_eq!(screen.said("Shared folder · ground-control"), hangs);
    assert!(screen.said("Clock · major-tom").starts_with("It is off by 2.5\u{a0}s."));
    assert_eq!(screen.said("Readings"), "Works. major-tom, ground-control");
    screen.tap("Next");
    assert_eq!(screen.said("Open MPI"), "Works.");
    assert!(!screen.texts().contains(&"Shared folder · ground-control".to_owned()));
    screen.tap("Next");
    assert_eq!(screen.said("Shared folder · ground-control"), hangs, "the first after the last");

    screen.tap("Back");
    assert_eq!(page(&screen), Page::Help);
    screen.press(Key::PageDown);
    screen.press(Key::Return);
    assert_eq!(
        (page(&screen), screen.asked()),
        (Page::Selftest, vec![]),
        "it is shown with its age"
    );
    screen.tap("Once more");
    assert_eq!(screen.asked(), [Intent::Examine]);
    screen.press(Key::Escape);
    assert_eq!(page(&screen), Page::Home);
}

#[test]
fn a_finger_reaches_the_self_test_by_the_page_of_the_computers_and_comes_back() {
    let mut screen = at_home();
    screen.tap("Computers");
    screen.tap("Self-test");
    assert_eq!((page(&screen), screen.asked()), (Page::Selftest, vec![Intent::Examine]));
    screen.tap("Back");
    assert_eq!(page(&screen), Page::Cluster);
    screen.tap("Self-test");
    screen.tap("Computers");
    assert_eq!(page(&screen), Page::Cluster, "the strip");
    screen.tap("Back");
    assert_eq!(page(&screen), Page::Home);
}

#[test]
fn programs_of_another_version_elsewhere_are_a_sentence_beside_the_run() {
    use wire::WireError;
    let (screen, status) = running();
    let carried_on = Some(Fault::Garbage(WireError::Version(2)));
    screen
        .view
        .show_status(Status { carried_on, placement: Arc::default(), ..status }, Instant::now());
    let said = "The other computers have another version. We compute here.".to_owned();
    assert!(screen.texts().contains(&said), "{:?}", screen.texts());
}

#[test]
fn a_bigger_display_shows_the_same_screen_bigger() {
    use slint::ComponentHandle;
    let mut screen = at_home();
    screen.view.show_telemetry(readings(Some(0.25), None), Instant::now());
    screen.app.window().set_size(slint::PhysicalSize::new(1920, 1080));
    kiosk::display::fit(&screen.app).unwrap();
    assert_eq!(screen.app.window().scale_factor(), 2.25);
    // 1800 of 1920 pixels wide, in the middle: the strip begins at x 60, the hue bar of its first cell 9 later.
    let pixels = screen.pixels();
    let at = |x: u32, y: u32| pixels.as_slice()[(y * pixels.width() + x) as usize];
    let (outside, inside) = (at(55, 905), at(72, 905));
    assert_eq!((outside.r, outside.g, outside.b), (0x0B, 0x11, 0x18));
    assert_eq!((inside.r, inside.g, inside.b), (0xFF, 0xB0, 0x00));
    screen.tap("Demo cloud");
    assert_eq!(screen.asked(), [Intent::Launch("cloud".into())]);
}

#[test]
fn a_pointer_of_our_own_appears_for_a_mouse_and_goes_for_a_finger() {
    use kiosk::display::RawInput;
    use slint::{ComponentHandle, LogicalPosition, platform::WindowEvent};
    let screen = at_home();
    let ink = |screen: &Headless| {
        let pixels = screen.pixels();
        let pixel = pixels.as_slice()[(310 * pixels.width() + 303) as usize];
        (pixel.r, pixel.g, pixel.b) == (0xEA, 0xF0, 0xF6)
    };
    let position = LogicalPosition::new(300.0, 300.0);
    assert!(!screen.view.hear(RawInput::Mouse));
    screen.app.window().dispatch_event(WindowEvent::PointerMoved { position });
    assert!(ink(&screen), "the arrow stands at the mouse");
    screen.view.hear(RawInput::Touch((0, Phase::Down, (0.5, 0.5))));
    assert!(!ink(&screen));
}
