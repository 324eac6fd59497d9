//! The demos as tiles.

use std::{fs::File, io::BufReader, path::Path, sync::Arc};

use slint::{Model, ModelRc, Rgb8Pixel, SharedPixelBuffer, VecModel};

use crate::{catalogue::Demo, ui};

/// The largest place for a picture: the hero tile.
const HERO: (u32, u32) = (488, 320);
/// Most memory that decoding one picture may take.
const MAX_DECODED: u64 = 64 << 20;

/// The picture of a tile, read and reduced.
pub struct TilePicture {
    /// Which of the visitors' demos it belongs to.
    pub demo: usize,
    /// The picture.
    pub pixels: SharedPixelBuffer<Rgb8Pixel>,
}

/// What the tile of `demo` says in the language with this code.
pub fn tile(demo: &Demo, picture: Option<&slint::Image>, language: &str) -> ui::DemoTile {
    let text = demo.text(language);
    ui::DemoTile {
        title: text.map_or("", |text| &text.title).into(),
        line: text.map_or("", |text| &text.line).into(),
        picture: picture.cloned().unwrap_or_default(),
    }
}

/// Shows `tiles`, and touches nothing that already shows them.
pub fn update(view: &ui::HomeView, tiles: Vec<ui::DemoTile>) {
    let shown = view.get_tiles();
    if shown.row_count() != tiles.len()
        || !shown.iter().zip(&tiles).all(|(old, new)| same(&old, new))
    {
        view.set_tiles(ModelRc::new(VecModel::from(tiles)));
    }
}

/// Whether both look the same. Slint has no two empty pictures be equal.
fn same(one: &ui::DemoTile, other: &ui::DemoTile) -> bool {
    let is_empty = |tile: &ui::DemoTile| tile.picture.size().width == 0;
    let pictures = one.picture == other.picture || is_empty(one) && is_empty(other);
    pictures && one.title == other.title && one.line == other.line
}

/// Reads the pictures of all tiles one by one and hands each over; a bad one is logged and left out.
///
/// Blocks; not for the UI thread.
pub fn decode_pictures(demos: &[Arc<Demo>], mut ready: impl FnMut(TilePicture)) {
    for (index, demo) in demos.iter().enumerate() {
        let Some(path) = &demo.picture else { continue };
        match decode(path) {
            Ok(pixels) => ready(TilePicture { demo: index, pixels }),
            Err(error) => log::warn!("the picture {} cannot be shown: {error:#}", path.display()),
        }
    }
}

fn decode(path: &Path) -> anyhow::Result<SharedPixelBuffer<Rgb8Pixel>> {
    let mut reader = image::ImageReader::new(BufReader::new(File::open(path)?));
    reader.set_format(image::ImageFormat::Png);
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(4096);
    limits.max_image_height = Some(4096);
    limits.max_alloc = Some(MAX_DECODED);
    reader.limits(limits);
    let mut picture = reader.decode()?;
    if HERO.0 < picture.width() || HERO.1 < picture.height() {
        let filter = image::imageops::FilterType::Triangle;
        picture = picture.resize_to_fill(HERO.0, HERO.1, filter);
    }
    let picture = picture.into_rgb8();
    Ok(SharedPixelBuffer::clone_from_slice(picture.as_raw(), picture.width(), picture.height()))
}
