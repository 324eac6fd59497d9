//! A frame costs no memory once the buffers exist: neither where it is coloured nor where it is shown.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod headless;

use headless::{Headless, demo};
use kiosk::{supervisor::Pictures, view::Language};
use slint::platform::Key;
use wire::demo::{RankStatistics, Statistics};

#[test]
fn a_live_picture_allocates_nothing() {
    let mut screen = Headless::new(vec![demo("pipe", 1)], Language::Polish);
    screen.press(Key::F5);
    screen.run("pipe", 3);
    let pixels = vec![100; 320_000];
    let rank = RankStatistics { halo_bytes: 5_000_000, ..Default::default() };
    let statistics = Statistics { interval_s: 0.5, ranks: vec![rank; 3], ..Default::default() };
    let frames = |screen: &mut Headless, count: usize| {
        for _ in 0..count {
            screen.painter.statistics(&statistics);
            screen.painter.picture(&Default::default(), &pixels);
            screen.view.show_picture();
        }
    };
    frames(&mut screen, 10);
    let allocated = allocation_counter::measure(|| frames(&mut screen, 100));
    assert_eq!(allocated.count_total, 0, "{allocated:?}");
}
