//! The whole kiosk with a real MPI run: tapped, stirred and left, through the pages, with a look at every pixel.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "headless/live.rs"]
mod live;

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use kiosk::{
    catalogue::Catalogue,
    config::Config,
    doctor::Subject,
    program::Setup,
    ui::{self, Page},
    view::palette::{GROUND, Rgb, shade, table},
};
use live::Visitor;
use slint::{ComponentHandle, Model, Rgba8Pixel, SharedPixelBuffer};
use warden::descendants;

/// Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(30);
/// A part of the canvas without plates or seams, in the left rank's half and in the right rank's.
const LEFT: (u32, u32, u32, u32) = (100, 100, 280, 240);
const RIGHT: (u32, u32, u32, u32) = (420, 100, 280, 200);

fn pixel(pixels: &SharedPixelBuffer<Rgba8Pixel>, x: u32, y: u32) -> Rgb {
    let pixel = pixels.as_slice()[(y * pixels.width() + x) as usize];
    [pixel.r, pixel.g, pixel.b]
}

/// The amounts that a rank's colours stand for.
fn amounts_of(rank: usize) -> HashMap<Rgb, usize> {
    table(shade(0, rank)).into_iter().enumerate().map(|(amount, colour)| (colour, amount)).collect()
}

/// Every pixel of a part, as an amount of the rank that should have computed it.
fn amounts(
    visitor: &Visitor,
    (x, y, width, height): (u32, u32, u32, u32),
    rank: usize,
) -> Vec<usize> {
    let (pixels, known) = (visitor.pixels(), amounts_of(rank));
    let places = (y..y + height).flat_map(|y| (x..x + width).map(move |x| (x, y)));
    places
        .map(|(x, y)| {
            let colour = pixel(&pixels, x, y);
            *known
                .get(&colour)
                .unwrap_or_else(|| panic!("{colour:?} at {x},{y} is not rank {rank}'s"))
        })
        .collect()
}

async fn visit(visitor: Visitor) {
    visitor.press("1");
    assert_eq!(visitor.page(), Page::Demo);
    visitor
        .until("a picture", PATIENCE, |visitor| {
            let pixels = visitor.pixels();
            (100..380).any(|x| pixel(&pixels, x, 200) != GROUND)
        })
        .await;

    // Each rank's half is painted in its own shade, and in no other colour.
    let before = amounts(&visitor, LEFT, 0);
    amounts(&visitor, RIGHT, 1);

    // The field moves by itself...
    visitor
        .until("a picture that moves", PATIENCE, |visitor| amounts(visitor, LEFT, 0) != before)
        .await;

    // ... and where a finger rubs over a dark place, tracer appears.
    let darkest = |visitor: &Visitor| {
        let amounts = amounts(visitor, LEFT, 0);
        let mean = |x: u32, y: u32| {
            let sum: usize = (0..24u32)
                .flat_map(|dy| (0..24u32).map(move |dx| (dx, dy)))
                .map(|(dx, dy)| amounts[((y + dy) * LEFT.2 + x + dx) as usize])
                .sum();
            sum / 576
        };
        let places =
            (0..LEFT.3 / 24).flat_map(|y| (0..LEFT.2 / 24 - 1).map(move |x| (24 * x, 24 * y)));
        let (x, y) =
            places.filter(|(_, y)| y + 24 <= LEFT.3).min_by_key(|(x, y)| mean(*x, *y)).unwrap();
        (LEFT.0 + x + 12, LEFT.1 + y + 12, mean(x, y))
    };
    let (x, y, dark) = darkest(&visitor);
    assert!(dark < 60, "no dark place to stir: {dark}");
    let at = (x as f32, y as f32);
    visitor.down(at);
    let known = amounts_of(0);
    let mut turn = 0.0f32;
    visitor
        .until("tracer under the finger", Duration::from_secs(5), |visitor| {
            turn += 0.6;
            visitor.moved((at.0 + 6.0 * turn.cos(), at.1 + 6.0 * turn.sin()));
            let pixels = visitor.pixels();
            let near = (x - 6..x + 6).filter_map(|x| known.get(&pixel(&pixels, x, y)));
            near.max().is_some_and(|brightest| dark + 80 < *brightest)
        })
        .await;
    visitor.up(at);

    // Leaving: home at once, and nothing of the run is left three seconds later.
    visitor.press(char::from(slint::platform::Key::Escape));
    assert_eq!(visitor.page(), Page::Home);
    let myself = rustix::process::getpid();
    visitor
        .until("the end of every process", Duration::from_secs(3), |_| {
            descendants(myself, &[]).unwrap().is_empty()
        })
        .await;

    // The self-test is asked for by a tap, and done by the worker that did the run.
    visitor.press(char::from(slint::platform::Key::F1));
    visitor.tap("Samosprawdzenie");
    assert_eq!(visitor.page(), Page::Selftest);
    let page = visitor.app.global::<ui::SelftestView>();
    visitor
        .until("the end of the self-test", PATIENCE, |_| {
            !page.get_going() && 0 < page.get_rows().row_count()
        })
        .await;
    assert!(!page.get_age().is_empty());
    let rows: Vec<ui::FindingRow> = page.get_rows().iter().collect();
    // The settings are well; what this machine has no devices for is not.
    let is_well = |row: &ui::FindingRow| {
        row.piece == ui::FindingPiece::Settings && row.level == ui::FindingLevel::Well
    };
    assert!(rows.iter().any(is_well), "{rows:?}");
}

#[test]
fn a_visitor_stirs_a_real_run_and_leaves_nothing_behind() {
    let demos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demos");
    let mut catalogue = Catalogue::find(&[demos], 1);
    catalogue.demos.retain(|demo| demo.id == "advection");
    assert_eq!(catalogue.demos.len(), 1, "{:?}", catalogue.problems);
    for demo in &mut catalogue.demos {
        // Two halves, however many cores this machine has.
        Arc::make_mut(demo).ranks.max = 2;
    }
    let executable = live::executable();
    let subject = Subject { executable, ..Subject::default() };
    let setup = Setup {
        subject,
        config: Config::default(),
        catalogue,
        problems: Vec::new(),
        systemd: None,
    };
    live::visit(setup, visit).unwrap();
}
