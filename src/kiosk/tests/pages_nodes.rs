//! The strip with several nodes, the page of all nodes and the page of one: what a visitor reads and where taps lead.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod headless;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use headless::{Headless, cluster, demo, jetson, node, readings};
use kiosk::{
    telemetry::{
        Telemetry, Trouble,
        reading::{Complaint, Flag, Origin, Reading},
    },
    ui::{self, Page},
    view::Language,
};
use slint::{ComponentHandle, Model, platform::Key};

fn showing(telemetry: Telemetry, language: Language) -> Headless {
    let screen = Headless::new(vec![demo("pipe", 1)], language);
    screen.view.show_telemetry(telemetry, Instant::now());
    screen
}

fn page(screen: &Headless) -> Page {
    screen.app.global::<ui::WindowView>().get_page()
}

/// The nodes of a cluster of three, the second one with this reading.
fn second(reading: Reading) -> Telemetry {
    let mut telemetry = cluster(3);
    telemetry.nodes[1] = Arc::new(node("major-tom", 1, Some(reading)));
    telemetry
}

#[test]
fn every_node_of_the_strip_says_load_temperature_watts_and_fan() {
    let screen = showing(cluster(3), Language::Polish);
    assert_eq!(screen.said("bowie"), "43\u{a0}% 34\u{a0}°C ≈\u{a0}6,4\u{a0}W 60\u{a0}%");
    assert_eq!(screen.said("ground-control"), "57\u{a0}% 40\u{a0}°C 8,4\u{a0}W 74\u{a0}%");
}

#[test]
fn a_node_that_falls_silent_says_since_when_and_the_others_stay() {
    let screen = Headless::new(vec![demo("pipe", 1)], Language::English);
    let (old, start) = (cluster(3), Instant::now());
    let now = start + Duration::from_secs(12);
    let mut telemetry = cluster(3);
    telemetry.nodes[1] = Arc::clone(&old.nodes[1]);
    for index in [0, 2] {
        let reading = Reading { at: now, ..jetson(index) };
        let name = telemetry.nodes[index].name.clone();
        telemetry.nodes[index] = Arc::new(node(&name, index, Some(reading)));
    }
    screen.view.show_telemetry(telemetry, now);
    assert!(screen.said("bowie").starts_with("43"));
    assert!(["12\u{a0}s", "11\u{a0}s"].contains(&&*screen.said("major-tom")));
    let texts = screen.texts();
    assert!(texts.iter().any(|text| text.starts_with("silent for 1")), "{texts:?}");
}

#[test]
fn a_complaint_stands_on_the_card_in_plain_words() {
    let reading = Reading {
        flags: vec![Flag { complaint: Complaint::UnderVoltage, now: true }],
        supply_volts: Some((4.62, Origin::Measured)),
        ..jetson(1)
    };
    for (language, said) in [
        (Language::English, "Under-voltage: the supply sags to 4.62\u{a0}V."),
        (Language::Polish, "Za niskie napięcie: zasilanie spada do 4,62\u{a0}V."),
    ] {
        let screen = showing(second(reading.clone()), language);
        screen.app.global::<ui::StripView>().invoke_opened();
        assert!(screen.texts().contains(&said.to_owned()), "{:?}", screen.texts());
    }
}

#[test]
fn why_a_node_is_lost_is_said() {
    for (trouble, said) in [
        (Some(Trouble::NoAgent), "It is on, but its agent does not answer."),
        (Some(Trouble::NoSuchName), "The network does not know this name."),
        (Some(Trouble::BadAnswer("line 3".into())), "Its answer makes no sense: line 3"),
        (Some(Trouble::NoAnswer), "It has not answered yet."),
    ] {
        let screen = Headless::new(vec![demo("pipe", 1)], Language::English);
        let mut lost = node("major-tom", 1, None);
        lost.trouble = trouble;
        let telemetry = Telemetry { nodes: vec![Arc::new(lost)] };
        screen.view.show_telemetry(telemetry.clone(), Instant::now());
        screen.app.global::<ui::StripView>().invoke_opened();
        screen.view.show_telemetry(telemetry, Instant::now() + Duration::from_secs(11));
        assert!(screen.texts().contains(&said.to_owned()), "{:?}", screen.texts());
    }
}

#[test]
fn a_tap_on_the_strip_opens_the_computers_and_a_tap_on_a_card_one_of_them() {
    let screen = showing(cluster(3), Language::English);
    screen.tap("Computers");
    assert_eq!(page(&screen), Page::Cluster);
    screen.tap("ground-control");
    assert_eq!(page(&screen), Page::Node);
    assert_eq!(screen.said("POM_5V_GPU"), "5.02\u{a0}V  1.75\u{a0}W");
    assert_eq!(screen.said("clock"), "1.22\u{a0}GHz / 1.48\u{a0}GHz");
    screen.tap("Back");
    screen.tap("Back");
    assert_eq!(page(&screen), Page::Home);
}

#[test]
fn an_estimate_is_marked_as_one() {
    let screen = showing(cluster(3), Language::English);
    screen.tap("Computers");
    screen.tap("bowie");
    assert_eq!(screen.said("power"), "≈ 6.4\u{a0}W estimated");
}

#[test]
fn the_run_goes_on_while_the_computers_are_looked_at() {
    let mut screen = showing(cluster(3), Language::English);
    screen.press(Key::F5);
    screen.run("pipe", 2);
    screen.asked();
    screen.tap("Computers");
    assert_eq!(page(&screen), Page::Cluster);
    screen.tap("Back");
    assert_eq!((page(&screen), screen.asked()), (Page::Demo, Vec::new()));
}

#[test]
fn a_finger_on_the_computers_page_does_not_stir() {
    use wire::kiosk::Phase;
    let mut screen = showing(cluster(3), Language::English);
    screen.press(Key::F5);
    screen.run("pipe", 2);
    screen.asked();
    screen.tap("Computers");
    assert!(!screen.view.touched((0, Phase::Down, (0.5, 0.3))));
    assert_eq!(screen.asked(), []);
}

#[test]
fn one_to_sixteen_nodes_have_cards_and_more_are_a_heat_map() {
    for count in [1, 2, 4, 5, 8, 9, 16] {
        let screen = showing(cluster(count), Language::English);
        screen.tap("Computers");
        for node in &cluster(count).nodes {
            let card = screen.button(&node.name);
            let (at, size) = (card.absolute_position(), card.size());
            assert!(at.x + size.width <= 784.5 && at.y + size.height <= 288.5, "{count}");
            assert!(40.0 <= size.height && 150.0 <= size.width, "{count}: {size:?}");
        }
    }
    for count in [17, 1000] {
        let screen = showing(cluster(count), Language::English);
        let texts = screen.texts();
        let said = format!("{count} of {count} computers answer");
        assert!(texts.iter().any(|text| text.starts_with(&said)), "{texts:?}");
        screen.tap("Computers");
        screen.drag(&[(20.0, 76.0), (20.0, 76.0)]);
        assert_eq!(page(&screen), Page::Node, "a square is tapped");
    }
}

#[test]
fn fewer_nodes_than_before_do_not_confuse_the_page_of_one() {
    let screen = showing(cluster(3), Language::English);
    screen.tap("Computers");
    screen.tap("ground-control");
    screen.view.show_telemetry(readings(Some(0.1), None), Instant::now());
    assert_eq!(page(&screen), Page::Cluster);
}

#[test]
fn the_charted_quantity_and_time_are_chosen_by_taps() {
    let screen = showing(cluster(3), Language::English);
    screen.tap("Computers");
    assert!(screen.texts().contains(&"CPU load".to_owned()));
    screen.tap("Charted quantity");
    screen.tap("Charted time");
    let texts = screen.texts();
    assert!(texts.contains(&"GPU load".to_owned()) && texts.contains(&"10 min".to_owned()));
}

#[test]
fn new_readings_leave_alone_what_they_do_not_change() {
    let screen = showing(cluster(3), Language::English);
    let tiles = || screen.app.global::<ui::HomeView>().get_tiles();
    // The demo has no picture: nothing of it changes.
    let before = tiles();
    screen.view.show_telemetry(cluster(3), Instant::now());
    assert!(tiles() == before, "the tiles were set anew, so they are drawn anew");
    screen.tap("Computers");
    let cards = || screen.app.global::<ui::ClusterView>().get_nodes();
    let bars = || cards().row_data(0).unwrap().cores;
    let before = bars();
    screen.view.show_telemetry(cluster(3), Instant::now());
    assert!(bars() == before, "the bars of the cores were set anew");
}
