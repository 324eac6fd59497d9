//! Contrast and hue, from the pixels of a page and the colours of the brief.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex},
};

use i_slint_core::lengths::LogicalRect;
use kiosk::view::palette::{GROUND, NODES, Rgb, shade, table};
use slint::{Rgba8Pixel, SharedPixelBuffer};

/// WCAG 2.2, 1.4.3, for text of any size.
pub const LEAST_CONTRAST: f64 = 4.5;
/// Ink and faint of the brief.
const INK: Rgb = [0xEA, 0xF0, 0xF6];
const FAINT: Rgb = [0x93, 0xA4, 0xB5];
const WHITE: Rgb = [0xFF; 3];
/// How far a pixel may be from the colours that are allowed, in steps of a channel: rounding, and mixing by light
/// in one place and by code values in another.
const NEAR: f64 = 12.0;

/// The contrast ratio of two colours by WCAG 2.2.
pub fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(colour: Rgb) -> f64 {
    let [red, green, blue] = colour.map(|code| {
        let code = f64::from(code) / 255.0;
        if code <= 0.04045 { code / 12.92 } else { ((code + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// How a text stands on what is behind it.
pub struct Written {
    /// The most frequent colour that is not the text's.
    pub behind: Rgb,
    /// The best contrast to it that any pixel has.
    pub best: f64,
    /// The share of pixels that are neither text nor what is behind it nor between them.
    pub across: f64,
}

/// The screen's pixels.
pub struct Pixels(pub SharedPixelBuffer<Rgba8Pixel>);

impl Pixels {
    /// How often each colour occurs in a part of the screen.
    fn count(&self, area: LogicalRect) -> HashMap<Rgb, usize> {
        let (width, height) = (self.0.width() as usize, self.0.height() as usize);
        let within = |at: f32, end: usize| (at.max(0.0) as usize).min(end);
        let columns = within(area.min_x(), width)..within(area.max_x().ceil(), width);
        let mut found = HashMap::new();
        let alike = |one: &Rgba8Pixel, other: &Rgba8Pixel| one == other;
        for y in within(area.min_y(), height)..within(area.max_y().ceil(), height) {
            let row = &self.0.as_slice()[y * width..][columns.clone()];
            for run in row.chunk_by(alike) {
                *found.entry([run[0].r, run[0].g, run[0].b]).or_default() += run.len();
            }
        }
        found
    }

    /// What a text of this colour is written on; `None` where all is of that colour.
    pub fn written(&self, area: LogicalRect, colour: Rgb) -> Option<Written> {
        let found = self.count(area);
        let others = found.iter().filter(|(other, _)| NEAR < distance(**other, colour));
        let (&behind, _) = others.max_by_key(|(other, count)| (**count, **other))?;
        let best = found.keys().map(|pixel| contrast(*pixel, behind)).fold(1.0, f64::max);
        let is_crossing = |pixel: Rgb| NEAR < from_line(pixel, [behind, colour]);
        let all: usize = found.values().sum();
        let across: usize =
            found.iter().filter(|(pixel, _)| is_crossing(**pixel)).map(|(_, count)| count).sum();
        Some(Written { behind, best, across: across as f64 / all as f64 })
    }

    /// The colours that are neither ink nor a shade of a node's hue, the most frequent first. In pictures, lines of
    /// two nodes may cross.
    pub fn foreign(&self, pictures: &[LogicalRect]) -> Vec<(Rgb, usize)> {
        let (width, height) = (self.0.width() as f32, self.0.height() as f32);
        let whole = LogicalRect::new(Default::default(), [width, height].into());
        let mut found: HashMap<Rgb, usize> =
            self.count(whole).into_iter().filter(|(colour, _)| !is_allowed(*colour)).collect();
        for picture in pictures {
            for (colour, count) in self.count(*picture) {
                if let Some(left) = found.get_mut(&colour).filter(|_| is_crossing(colour)) {
                    *left = left.saturating_sub(count);
                }
            }
        }
        let mut found: Vec<_> = found.into_iter().filter(|(_, count)| 0 < *count).collect();
        found.sort_by_key(|(colour, count)| (usize::MAX - count, *colour));
        found
    }
}

/// Whether a colour is ink, a shade of a node's hue, or a mixture of one of them with what lies behind or light.
fn is_allowed(colour: Rgb) -> bool {
    static KNOWN: LazyLock<Mutex<HashMap<Rgb, bool>>> = LazyLock::new(Mutex::default);
    *KNOWN.lock().unwrap().entry(colour).or_insert_with(|| is_ink_or_hue(colour))
}

fn is_ink_or_hue(colour: Rgb) -> bool {
    let between = |hue: Rgb, light: Rgb| from_triangle(colour, [GROUND, hue, light]) <= NEAR;
    let of = |node| (0..4).map(move |rank| shade(node, rank));
    between(FAINT, INK)
        || (0..NODES.len()).flat_map(of).any(|hue| between(hue, WHITE))
        || (0..NODES.len())
            .flat_map(of)
            .any(|hue| table(hue).into_iter().any(|amount| distance(colour, amount) <= NEAR))
}

/// Whether a colour is a mixture of two nodes' hues with what lies behind.
fn is_crossing(colour: Rgb) -> bool {
    let hues = NODES.into_iter().enumerate();
    hues.flat_map(|(at, hue)| NODES[at + 1..].iter().map(move |other| [GROUND, hue, *other]))
        .any(|corners| from_triangle(colour, corners) <= NEAR)
}

fn distance(one: Rgb, other: Rgb) -> f64 {
    length(minus(one.map(f64::from), other.map(f64::from)))
}

type Vector = [f64; 3];

fn minus(one: Vector, other: Vector) -> Vector {
    std::array::from_fn(|axis| one[axis] - other[axis])
}

fn dot(one: Vector, other: Vector) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn length(vector: Vector) -> f64 {
    dot(vector, vector).sqrt()
}

/// How far a colour is from all mixtures of three others.
fn from_triangle(colour: Rgb, corners: [Rgb; 3]) -> f64 {
    let [origin, a, b] = corners.map(|corner| corner.map(f64::from));
    let (to, a, b) = (minus(colour.map(f64::from), origin), minus(a, origin), minus(b, origin));
    let (aa, ab, bb) = (dot(a, a), dot(a, b), dot(b, b));
    let (ta, tb) = (dot(to, a), dot(to, b));
    let determinant = aa * bb - ab * ab;
    let (u, v) = ((bb * ta - ab * tb) / determinant, (aa * tb - ab * ta) / determinant);
    if 0.0 <= u && 0.0 <= v && u + v <= 1.0 {
        return length(std::array::from_fn(|axis| to[axis] - u * a[axis] - v * b[axis]));
    }
    // Outside, the nearest mixture is one of two.
    let [one, two, three] = corners;
    let edges = [[one, two], [one, three], [two, three]];
    edges.into_iter().map(|edge| from_line(colour, edge)).fold(f64::MAX, f64::min)
}

/// How far a colour is from all mixtures of two others.
fn from_line(colour: Rgb, [from, to]: [Rgb; 2]) -> f64 {
    let [colour, from, to] = [colour, from, to].map(|colour| colour.map(f64::from));
    let (along, to) = (minus(to, from), minus(colour, from));
    let share = (dot(to, along) / dot(along, along).max(1.0)).clamp(0.0, 1.0);
    length(std::array::from_fn(|axis| to[axis] - share * along[axis]))
}
