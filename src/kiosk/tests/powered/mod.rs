//! Pages of a rack whose wall power is measured.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "every test file uses its own part of it")]

use std::time::Instant;

use kiosk::{
    config::MeterEntry,
    meter::{Doing, Meter, Reading, day::Day, frame::Measurement},
    senses::Senses,
    ui::{self, Page},
    view::Language,
};
use slint::ComponentHandle;

use super::headless::{Headless, cluster, demo};

/// A meter that measured 34.9 W at `at`.
pub fn meter(at: Instant) -> Meter {
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

/// What is known with nothing but this meter.
pub fn measuring(meter: Meter) -> Senses {
    let entry = MeterEntry { price_per_kwh: Some(1.2), ..Default::default() };
    Senses { meter: Some((entry, meter)), ..Default::default() }
}

/// Home, with what is known.
pub fn showing(senses: Senses, language: Language, now: Instant) -> Headless {
    let screen = Headless::new(vec![demo("pipe", 1)], language);
    screen.view.show_senses(senses, now);
    screen.view.show_telemetry(cluster(3), now);
    screen
}

/// The page that is shown.
pub fn page(screen: &Headless) -> Page {
    screen.app.global::<ui::WindowView>().get_page()
}
