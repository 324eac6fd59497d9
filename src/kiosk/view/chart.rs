//! Draws lines over time and heat maps into pixels; knows colours and shares, not what they mean.

use slint::{Rgb8Pixel, SharedPixelBuffer};

use super::palette::{GROUND, Rgb};

/// Thickness of a line, pixels.
const THICKNESS: f32 = 3.0;
/// From one stroke of a hatched stretch to the next, pixels.
const HATCH: usize = 8;
const PANEL: Rgb = [0x14, 0x1D, 0x27];
const GRID: Rgb = [0x26, 0x34, 0x42];
const INK: Rgb = [0xEA, 0xF0, 0xF6];
const LOST: Rgb = [0x93, 0xA4, 0xB5];

/// Smallest, mean and largest of a slot of time, as shares of the chart's height from the bottom.
pub type Slot = Option<[f32; 3]>;

/// A chart that is drawn anew into the same pixels.
pub struct Canvas {
    pixels: SharedPixelBuffer<Rgb8Pixel>,
}

impl Canvas {
    /// An empty chart.
    pub fn new(width: u32, height: u32) -> Self {
        Self { pixels: SharedPixelBuffer::new(width, height) }
    }

    /// What is drawn, for the screen.
    pub fn image(&self) -> slint::Image {
        slint::Image::from_rgb8(self.pixels.clone())
    }

    /// The panel with a line at a quarter, half and three quarters of the height.
    pub fn clear(&mut self) {
        let (width, height) = self.size();
        let pixels = self.pixels.make_mut_bytes();
        pixels.chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&PANEL));
        for quarter in 1..4 {
            let row = (height * quarter / 4) * width * 3;
            let row = &mut pixels[row..row + width * 3];
            row.chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&GRID));
        }
    }

    /// A line through the means of the slots, oldest at the left; missing slots are gaps. With `spread` the range
    /// from smallest to largest is drawn behind it.
    pub fn line(&mut self, slots: &[Slot], hue: Rgb, spread: bool) {
        let (width, height) = self.size();
        if slots.len() < 2 || width == 0 || height == 0 {
            return;
        }
        let pixels = self.pixels.make_mut_bytes();
        let pale =
            std::array::from_fn(|at| ((u16::from(PANEL[at]) * 3 + u16::from(hue[at])) / 4) as u8);
        let row = |share: f32| {
            let inner = height as f32 - THICKNESS;
            THICKNESS / 2.0 + (1.0 - share.clamp(0.0, 1.0)) * inner
        };
        let per_pixel = (slots.len() - 1) as f32 / (width - 1).max(1) as f32;
        for column in 0..width {
            let at = column as f32 * per_pixel;
            let left = (at as usize).min(slots.len() - 1);
            let right = (left + 1).min(slots.len() - 1);
            let part = at - left as f32;
            let value = |which: usize| {
                let between =
                    |low: [f32; 3], high: [f32; 3]| low[which] + (high[which] - low[which]) * part;
                match (slots[left], slots[right]) {
                    (Some(low), Some(high)) => Some((between(low, high), high[which] - low[which])),
                    // A slot beside a gap is seen as a dot.
                    (Some(low), None) if part < 0.5 => Some((low[which], 0.0)),
                    (None, Some(high)) if 0.5 <= part => Some((high[which], 0.0)),
                    _ => None,
                }
            };
            let Some((mean, rise)) = value(1) else { continue };
            if spread && let (Some((min, _)), Some((max, _))) = (value(0), value(2)) {
                fill(pixels, width, height, column, row(max), row(min), pale);
            }
            // The column's share of a slanted line is taller than the line is thick.
            let slope = rise * per_pixel * (height as f32 - THICKNESS);
            let reach = THICKNESS / 2.0 * (1.0 + slope * slope).sqrt().min(height as f32);
            // It ends where the slots' values do, or a step would have horns.
            let ends = [mean - rise * part, mean + rise * (1.0 - part)].map(row);
            let top = (row(mean) - reach).max(ends[0].min(ends[1]) - THICKNESS / 2.0);
            let bottom = (row(mean) + reach).min(ends[0].max(ends[1]) + THICKNESS / 2.0);
            fill(pixels, width, height, column, top, bottom, hue);
        }
    }

    /// A lighter stretch of time behind the lines, from and to as shares of the chart's width.
    pub fn band(&mut self, from: f32, to: f32) {
        self.columns(from, to, 0, GRID);
    }

    /// A stretch of time that nothing is known of, from and to as shares of the chart's width; not where a legend of so
    /// many pixels stands at the bottom.
    pub fn hatch(&mut self, from: f32, to: f32, legend: usize) {
        let (width, height) = self.size();
        let column = |share: f32| (share.clamp(0.0, 1.0) * width as f32).round() as usize;
        let pixels = self.pixels.make_mut_bytes();
        for y in 0..height.saturating_sub(legend) {
            for x in (column(from)..column(to)).filter(|x| (x + y) % HATCH == 0) {
                let at = (y * width + x) * 3;
                pixels[at..at + 3].copy_from_slice(&LOST);
            }
        }
    }

    /// A moment, as a share of the chart's width; none outside of it, nor where a legend stands at the bottom.
    pub fn tick(&mut self, at: f32, legend: usize) {
        let (width, _) = self.size();
        if (0.0..=1.0).contains(&at) {
            let half = 1.0 / width.max(1) as f32;
            self.columns(at - half, at + half, legend, LOST);
        }
    }

    /// A level, as a share of the chart's height from the bottom; dashed, so that it is no grid line.
    pub fn level(&mut self, share: f32) {
        let (width, height) = self.size();
        let row = ((1.0 - share.clamp(0.0, 1.0)) * height.saturating_sub(2) as f32) as usize;
        let pixels = self.pixels.make_mut_bytes();
        for column in (0..width).filter(|column| column % 12 < 8) {
            for y in row..(row + 2).min(height) {
                let at = (y * width + column) * 3;
                pixels[at..at + 3].copy_from_slice(&LOST);
            }
        }
    }

    fn columns(&mut self, from: f32, to: f32, legend: usize, colour: Rgb) {
        let (width, height) = self.size();
        let column = |share: f32| (share.clamp(0.0, 1.0) * width as f32) as usize;
        let pixels = self.pixels.make_mut_bytes();
        for y in 0..height.saturating_sub(legend) {
            let row = y * width;
            let row =
                &mut pixels[(row + column(from)) * 3..(row + column(to).max(column(from))) * 3];
            row.chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&colour));
        }
    }

    /// A square for every value, row by row: the brighter the more; `None` is hatched.
    pub fn squares(&mut self, values: impl ExactSizeIterator<Item = Option<f32>>) {
        let (width, height) = self.size();
        let (columns, side) = grid(values.len(), width, height);
        let pixels = self.pixels.make_mut_bytes();
        pixels.chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&GROUND));
        let gap = usize::from(5 < side);
        for (index, value) in values.enumerate() {
            let (left, top) = (index % columns * side, index / columns * side);
            for y in top..(top + side - gap).min(height) {
                for x in left..(left + side - gap).min(width) {
                    let colour = match value {
                        Some(share) => mix(GRID, INK, share.clamp(0.0, 1.0)),
                        None if (x + y) % 4 == 0 => LOST,
                        None => GROUND,
                    };
                    let at = (y * width + x) * 3;
                    pixels[at..at + 3].copy_from_slice(&colour);
                }
            }
        }
    }

    fn size(&self) -> (usize, usize) {
        (self.pixels.width() as usize, self.pixels.height() as usize)
    }
}

/// Columns, and pixels a side, of as many squares as fit into the room; both at least 1.
pub fn grid(count: usize, width: usize, height: usize) -> (usize, usize) {
    let side = (1..=height.min(width)).rev().find(|side| count <= (width / side) * (height / side));
    let side = side.unwrap_or(1);
    ((width / side).max(1), side)
}

/// Lays `colour` over the pixels of a column between two heights, by how much of each pixel is between them.
fn fill(
    pixels: &mut [u8],
    width: usize,
    height: usize,
    column: usize,
    top: f32,
    bottom: f32,
    colour: Rgb,
) {
    let first = top.max(0.0) as usize;
    let last = (bottom.min(height as f32).ceil() as usize).min(height);
    for y in first..last {
        let cover = (bottom.min(y as f32 + 1.0) - top.max(y as f32)).clamp(0.0, 1.0);
        let at = (y * width + column) * 3;
        let pixel = &mut pixels[at..at + 3];
        let mixed = mix([pixel[0], pixel[1], pixel[2]], colour, cover);
        pixel.copy_from_slice(&mixed);
    }
}

fn mix(from: Rgb, to: Rgb, share: f32) -> Rgb {
    std::array::from_fn(|at| {
        (f32::from(from[at]) + (f32::from(to[at]) - f32::from(from[at])) * share).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUE: Rgb = [0xFF, 0xB0, 0x00];

    fn pixel(canvas: &Canvas, x: usize, y: usize) -> Rgb {
        let at = (y * canvas.pixels.width() as usize + x) * 3;
        canvas.pixels.as_bytes()[at..at + 3].try_into().unwrap()
    }

    fn flat(share: f32, slots: usize) -> Vec<Slot> {
        vec![Some([share; 3]); slots]
    }

    #[test]
    fn a_steady_value_is_a_level_line_of_the_stated_thickness() {
        let mut canvas = Canvas::new(101, 33);
        canvas.clear();
        canvas.line(&flat(0.5, 11), HUE, false);
        for x in 0..101 {
            let coloured = (0..33).filter(|y| pixel(&canvas, x, *y) == HUE).count();
            assert_eq!(coloured, 3, "column {x}");
            assert_eq!(pixel(&canvas, x, 16), HUE);
        }
    }

    #[test]
    fn an_absurd_value_stays_inside_the_chart() {
        let mut canvas = Canvas::new(50, 20);
        canvas.clear();
        for share in [f32::MAX, -f32::MAX, f32::INFINITY] {
            canvas.line(&flat(share, 3), HUE, true);
        }
        assert_eq!((pixel(&canvas, 10, 1), pixel(&canvas, 10, 18)), (HUE, HUE));
    }

    #[test]
    fn a_gap_is_a_gap() {
        let mut canvas = Canvas::new(101, 20);
        canvas.clear();
        let mut slots = flat(0.9, 11);
        slots[4..7].fill(None);
        canvas.line(&slots, HUE, false);
        let drawn = |x: usize| (0..20).any(|y| pixel(&canvas, x, y) == HUE);
        assert!(drawn(20) && drawn(80));
        assert!(!(45..60).any(drawn), "a line leads through the gap");
    }

    #[test]
    fn bands_ticks_and_levels_stay_where_they_belong() {
        let mut canvas = Canvas::new(100, 20);
        canvas.clear();
        canvas.band(-3.0, 0.25);
        canvas.tick(0.5, 4);
        canvas.tick(1.5, 4);
        canvas.level(7.0);
        assert_eq!((pixel(&canvas, 24, 8), pixel(&canvas, 25, 8)), (GRID, PANEL));
        assert_eq!((pixel(&canvas, 50, 8), pixel(&canvas, 99, 8)), (LOST, PANEL));
        assert_eq!((pixel(&canvas, 24, 18), pixel(&canvas, 50, 18)), (GRID, PANEL), "the legend");
        assert_eq!(pixel(&canvas, 40, 0), LOST);
    }

    #[test]
    fn a_hatched_stretch_has_strokes_and_its_neighbours_have_none() {
        let mut canvas = Canvas::new(100, 20);
        canvas.clear();
        canvas.hatch(0.2, 0.6, 4);
        let strokes = |x: usize| (0..20).filter(|y| pixel(&canvas, x, *y) == LOST).count();
        assert!((20..60).all(|x| strokes(x) == 2));
        assert!((0..100).all(|x| (16..20).all(|y| pixel(&canvas, x, y) == PANEL)), "the legend");
        assert!((0..20).chain(60..100).all(|x| strokes(x) == 0));
    }

    #[test]
    fn every_node_of_a_heat_map_has_a_square_of_its_own() {
        for count in [1, 17, 100, 1000, 4096] {
            let (columns, side) = grid(count, 768, 216);
            let rows = count.div_ceil(columns);
            assert!(columns * side <= 768 && rows * side <= 216 && 1 < side, "{count}");
        }
        let mut canvas = Canvas::new(40, 20);
        canvas.squares([Some(1.0), Some(0.0), None].into_iter());
        let (columns, side) = grid(3, 40, 20);
        assert!(columns >= 2);
        assert_eq!(pixel(&canvas, 1, 1), INK);
        assert_eq!(pixel(&canvas, side + 1, 1), GRID);
    }

    #[test]
    fn the_colours_are_those_of_the_theme() {
        let theme = include_str!("../../../ui/theme.slint");
        for (name, [red, green, blue]) in
            [("panel", PANEL), ("line", GRID), ("ink", INK), ("faint", LOST)]
        {
            assert!(theme.contains(&format!("{name}: #{red:02X}{green:02X}{blue:02X}")), "{name}");
        }
    }
}
