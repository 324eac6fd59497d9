//! Pictures of pages that are stored in `tests/pictures`.
//!
//! A picture may differ in 40 pixels by more than 8 of 255 a channel: what other processors round differently. After a wanted
//! change, `HPC_KIOSK_STORE_PICTURES=1 cargo test --package hpc-kiosk --test pictures --test pages_power --test pages_energy` stores the
//! new ones: look at them.

use std::path::Path;

use kiosk::view::Language;

use super::{headless::Headless, inspected};

const CHANNEL_TOLERANCE: u8 = 8;
const DIFFERENT_PIXELS: usize = 40;

/// Where the waiting page counts seconds of real time.
const SECONDS: [std::ops::Range<u32>; 2] = [200..600, 200..250];

/// Compares what is on the screen with the stored picture of that name.
pub fn compare(screen: &Headless, page: &str, language: Language) {
    inspected::check(screen, page, language);
    let name = format!("{page}-{}.png", language.code());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures").join(&name);
    let pixels = screen.pixels();
    let shown =
        image::RgbaImage::from_raw(pixels.width(), pixels.height(), pixels.as_bytes().to_vec());
    let mut shown = image::DynamicImage::from(shown.unwrap()).into_rgb8();
    if page.starts_with("starting") {
        let [columns, rows] = SECONDS;
        // There, the reason stands below the seconds.
        let rows = if page == "starting-queue" { 184..212 } else { rows };
        let places = rows.flat_map(|y| columns.clone().map(move |x| (x, y)));
        places.for_each(|(x, y)| shown.put_pixel(x, y, image::Rgb([0; 3])));
    }
    if std::env::var_os("HPC_KIOSK_STORE_PICTURES").is_some() {
        shown.save(&path).unwrap();
        return;
    }
    let stored = image::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let stored = stored.into_rgb8();
    assert_eq!(shown.dimensions(), stored.dimensions(), "{name}");
    let differs = |(shown, stored): &(&image::Rgb<u8>, &image::Rgb<u8>)| {
        shown
            .0
            .iter()
            .zip(stored.0)
            .any(|(shown, stored)| CHANNEL_TOLERANCE < shown.abs_diff(stored))
    };
    let different = shown.pixels().zip(stored.pixels()).filter(differs).count();
    if DIFFERENT_PIXELS < different {
        let seen = std::env::temp_dir().join(format!("seen-{name}"));
        shown.save(&seen).unwrap();
        panic!("{name}: {different} pixels differ from the stored picture; see {}", seen.display());
    }
}

/// In every language that has pictures.
pub fn in_both(check: impl Fn(Language)) {
    for language in [Language::Polish, Language::English] {
        check(language);
    }
}
