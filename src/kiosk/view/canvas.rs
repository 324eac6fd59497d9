//! From the pictures of a run to the picture on the screen: coloured on the worker's side, shown on the UI's.
//!
//! Four buffers go round: free, being coloured, ready, shown. The newest picture wins, and once the four
//! exist nothing is allocated: a buffer comes back one picture after it was replaced, because the item that
//! draws it lets go of it only when it is next drawn.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use slint::{Image, Rgb8Pixel, SharedPixelBuffer};
use wire::demo::{FrameHeader, Hello, PixelFormat, Statistics};

use super::palette::{self, GROUND, Rgb};
use crate::supervisor::Pictures;

type Buffer = SharedPixelBuffer<Rgb8Pixel>;

/// Width of the line in a rank's colour along its border, pixels.
const BORDER: usize = 2;
/// Width of the seam between two ranks, pixels on each side.
const SEAM: usize = 1;

/// The two ends of a canvas; `wake` is called on the worker's side when there is a new picture and the UI
/// side has not been woken for an earlier one.
pub fn canvas(wake: impl Fn() + Send + 'static) -> (Painter, Easel) {
    let shared = Arc::new(Mutex::new(Shared::default()));
    let painter = Painter {
        shared: Arc::clone(&shared),
        wake: Box::new(wake),
        plan: None,
        nodes: Vec::new(),
    };
    (painter, Easel { shared, shown: None, leaving: None })
}

#[derive(Default)]
struct Shared {
    /// The newest coloured picture, until the UI takes it.
    ready: Option<(Buffer, FrameHeader)>,
    free: Vec<Buffer>,
    /// The UI was woken and has not come yet.
    woken: bool,
    counts: Counts,
}

/// How often something happened that costs; for benchmarks and tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pictures coloured.
    pub painted: u64,
    /// Pictures taken by the UI.
    pub shown: u64,
    /// Buffers allocated.
    pub allocated: u64,
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The worker's end: colours what the demo sends.
pub struct Painter {
    shared: Arc<Mutex<Shared>>,
    wake: Box<dyn Fn() + Send>,
    plan: Option<Plan>,
    nodes: Vec<(String, usize)>,
}

/// How to colour the pictures of one run.
struct Plan {
    width: usize,
    height: usize,
    format: PixelFormat,
    regions: Vec<Region>,
    /// Pixels that belong to no rank show the ground.
    gaps: bool,
}

struct Region {
    /// Whose it is.
    rank: usize,
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    hue: Rgb,
    /// The colour of its side of the seams: what it sends to its neighbours, as [`palette::seam`] shows it.
    seam: Rgb,
    /// The colour of every amount: red in the lowest byte, green, blue, zero.
    table: [u32; 256],
}

impl Plan {
    fn new(hello: &Hello, nodes: &[(String, usize)]) -> Self {
        let hues = hues(hello, nodes);
        let regions: Vec<Region> = hello
            .ranks
            .iter()
            .zip(hues)
            .enumerate()
            .filter(|(_, (rank, _))| 0 < rank.width && 0 < rank.height)
            .map(|(number, (rank, hue))| Region {
                rank: number,
                left: rank.x.into(),
                top: rank.y.into(),
                width: rank.width.into(),
                height: rank.height.into(),
                hue,
                seam: GROUND,
                table: palette::table(hue)
                    .map(|[red, green, blue]| u32::from_le_bytes([red, green, blue, 0])),
            })
            .collect();
        let (width, height) = (usize::from(hello.width), usize::from(hello.height));
        let covered: usize = regions.iter().map(|region| region.width * region.height).sum();
        Self { width, height, format: hello.format, regions, gaps: covered < width * height }
    }

    /// Lights every rank's side of the seams by what it has sent since the statistics before these.
    fn light_seams(&mut self, statistics: &Statistics) {
        for region in &mut self.regions {
            let sent = statistics.ranks.get(region.rank).map_or(0, |rank| rank.halo_bytes);
            region.seam = palette::seam(sent as f64 / f64::from(statistics.interval_s));
        }
    }

    fn paint(&self, pixels: &[u8], picture: &mut [u8]) {
        let stride = 3 * self.width;
        match self.format {
            PixelFormat::Indexed => {
                if self.gaps {
                    picture.chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&GROUND));
                }
                for region in &self.regions {
                    for row in region.top..region.top + region.height {
                        let source = &pixels[row * self.width + region.left..][..region.width];
                        let target =
                            &mut picture[row * stride + 3 * region.left..][..3 * region.width];
                        colour_row(source, &region.table, target);
                    }
                }
            }
            PixelFormat::Rgb => picture.copy_from_slice(pixels),
            PixelFormat::Rgbx => {
                for (target, source) in picture.chunks_exact_mut(3).zip(pixels.chunks_exact(4)) {
                    target.copy_from_slice(&source[..3]);
                }
            }
        }
        if 1 < self.regions.len() {
            for region in &self.regions {
                self.outline(region, picture);
            }
        }
    }

    /// A line in the rank's colour along those borders where another rank may begin, and the seam outside it.
    fn outline(&self, region: &Region, picture: &mut [u8]) {
        let (right, bottom) = (region.left + region.width, region.top + region.height);
        let mut fill =
            |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>, colour: Rgb| {
                for row in rows {
                    let start = 3 * (row * self.width + columns.start);
                    let line = &mut picture[start..start + 3 * columns.len()];
                    line.chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&colour));
                }
            };
        let thickness = |side: usize| (BORDER + SEAM).min(side / 2);
        let (wide, high) = (thickness(region.width), thickness(region.height));
        for (depth, colour) in [(wide, region.hue), (SEAM.min(wide), region.seam)] {
            if 0 < region.left {
                fill(region.top..bottom, region.left..region.left + depth, colour);
            }
            if right < self.width {
                fill(region.top..bottom, right - depth..right, colour);
            }
        }
        for (depth, colour) in [(high, region.hue), (SEAM.min(high), region.seam)] {
            if 0 < region.top {
                fill(region.top..region.top + depth, region.left..right, colour);
            }
            if bottom < self.height {
                fill(bottom - depth..bottom, region.left..right, colour);
            }
        }
    }
}

/// Three bytes for each amount of a row. Four pixels at a time make three whole words, which halves the time of
/// writing byte by byte; this is done sixty times a second for every pixel of the screen.
fn colour_row(amounts: &[u8], table: &[u32; 256], row: &mut [u8]) {
    let colour = |amount: u8| table[usize::from(amount)];
    let (fours, rest) = amounts.as_chunks::<4>();
    let (words, last) = row.split_at_mut(12 * fours.len());
    for (words, four) in words.as_chunks_mut::<12>().0.iter_mut().zip(fours) {
        let [a, b, c, d] = four.map(colour);
        words[..4].copy_from_slice(&(a | b << 24).to_le_bytes());
        words[4..8].copy_from_slice(&(b >> 8 | c << 16).to_le_bytes());
        words[8..].copy_from_slice(&(c >> 16 | d << 8).to_le_bytes());
    }
    for (pixel, amount) in last.chunks_exact_mut(3).zip(rest) {
        pixel.copy_from_slice(&colour(*amount).to_le_bytes()[..3]);
    }
}

/// The colour of every rank: its node's hue, shaded when several share a node. `nodes` are the names and colours of
/// the configuration; hosts that it does not name take the next colours as they first appear.
pub fn hues(hello: &Hello, nodes: &[(String, usize)]) -> Vec<Rgb> {
    let mut hosts: Vec<(&str, usize, usize)> = Vec::new();
    let mut unnamed = nodes.iter().map(|(_, colour)| colour + 1).max().unwrap_or(0);
    let mut hue = |host| {
        let known = hosts.iter().position(|(name, ..)| *name == host);
        let index = known.unwrap_or_else(|| {
            let named = nodes.iter().find(|(name, _)| same_host(name, host));
            let colour = named.map_or(unnamed, |(_, colour)| *colour);
            unnamed += usize::from(named.is_none());
            hosts.push((host, colour, 0));
            hosts.len() - 1
        });
        let (_, colour, on_node) = &mut hosts[index];
        *on_node += 1;
        palette::shade(*colour, *on_node - 1)
    };
    hello.ranks.iter().map(|rank| hue(rank.host.as_str())).collect()
}

/// Whether two names are the same computer's: with or without its domain, in any case (RFC 4343).
pub fn same_host(one: &str, other: &str) -> bool {
    let short = |name: &'_ str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    short(one) == short(other)
}

impl Painter {
    /// Colours ranks on these nodes, by name and colour, as the configuration wants.
    pub fn with_nodes(self, nodes: Vec<(String, usize)>) -> Self {
        Self { nodes, ..self }
    }
}

impl Pictures for Painter {
    fn begin(&mut self, hello: &Hello) {
        self.plan = Some(Plan::new(hello, &self.nodes));
        let mut shared = lock(&self.shared);
        shared.ready = None;
        shared.free.clear();
    }

    fn picture(&mut self, header: &FrameHeader, pixels: &[u8]) {
        let Some(plan) = &self.plan else { return };
        let mut shared = lock(&self.shared);
        // A picture that the UI has not taken is overtaken: its buffer serves the newer one.
        let free = shared.free.pop().or_else(|| Some(shared.ready.take()?.0));
        drop(shared);
        // The run before may have had pictures of another size.
        let size = (plan.width as u32, plan.height as u32);
        let free = free.filter(|buffer| (buffer.width(), buffer.height()) == size);
        let mut allocated = 0;
        let mut buffer = free.unwrap_or_else(|| {
            allocated += 1;
            Buffer::new(size.0, size.1)
        });
        let before = buffer.as_bytes().as_ptr();
        let bytes = buffer.make_mut_bytes();
        // Somebody still held the buffer: Slint has copied it.
        allocated += u64::from(before != bytes.as_ptr().cast_mut());
        plan.paint(pixels, bytes);

        let mut shared = lock(&self.shared);
        shared.counts.painted += 1;
        shared.counts.allocated += allocated;
        let overtaken = shared.ready.replace((buffer, *header));
        shared.free.extend(overtaken.map(|(buffer, _)| buffer));
        let wake = !std::mem::replace(&mut shared.woken, true);
        drop(shared);
        if wake {
            (self.wake)();
        }
    }

    fn statistics(&mut self, statistics: &Statistics) {
        if let Some(plan) = &mut self.plan {
            plan.light_seams(statistics);
        }
    }

    fn end(&mut self) {
        self.plan = None;
        lock(&self.shared).ready = None;
    }
}

/// The UI's end: takes the newest picture and gives old buffers back.
pub struct Easel {
    shared: Arc<Mutex<Shared>>,
    shown: Option<Image>,
    leaving: Option<Image>,
}

impl Easel {
    /// The newest picture, if there is one that was not taken yet.
    pub fn take(&mut self) -> Option<(Image, FrameHeader)> {
        let mut shared = lock(&self.shared);
        shared.woken = false;
        let (buffer, header) = shared.ready.take()?;
        shared.counts.shown += 1;
        drop(shared);

        let image = Image::from_rgb8(buffer);
        let left = std::mem::replace(&mut self.leaving, self.shown.replace(image.clone()));
        if let Some(buffer) = left.and_then(|image| image.to_rgb8()) {
            let mut shared = lock(&self.shared);
            if buffer.size() == image.size() && shared.free.len() < 3 {
                shared.free.push(buffer);
            }
        }
        Some((image, header))
    }

    /// Lets go of every picture, so that an idle kiosk holds none.
    pub fn clear(&mut self) {
        self.shown = None;
        self.leaving = None;
        lock(&self.shared).free.clear();
    }

    /// What it has cost so far.
    pub fn counts(&self) -> Counts {
        lock(&self.shared).counts
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use wire::demo::{Device, Rank, RankStatistics};

    use super::*;

    fn hello(format: PixelFormat, ranks: &[(u16, u16, &str)]) -> Hello {
        let rank = |(x, width, host): &(u16, u16, &str)| Rank {
            x: *x,
            y: 0,
            width: *width,
            height: 10,
            device: Device::Cpu,
            host: (*host).into(),
        };
        let ranks = ranks.iter().map(rank).collect();
        Hello { token: [b'0'; 32], format, width: 40, height: 10, ranks }
    }

    fn pixel(image: &Image, x: usize, y: usize) -> Rgb {
        let buffer = image.to_rgb8().unwrap();
        let pixel = buffer.as_slice()[y * buffer.width() as usize + x];
        [pixel.r, pixel.g, pixel.b]
    }

    #[test]
    fn each_ranks_part_has_its_nodes_colour_with_a_seam_between() {
        let (mut painter, mut easel) = canvas(|| {});
        let two_nodes = [(0, 20, "major-tom"), (20, 20, "ground-control")];
        painter.begin(&hello(PixelFormat::Indexed, &two_nodes));
        painter.picture(&FrameHeader::default(), &[158; 400]);
        let (image, _) = easel.take().unwrap();
        // 158 is where the table passes through the hue itself.
        assert_eq!(pixel(&image, 5, 5), palette::table(palette::NODES[0])[158]);
        assert_eq!(pixel(&image, 35, 5), palette::table(palette::NODES[1])[158]);
        assert_eq!((pixel(&image, 19, 5), pixel(&image, 20, 5)), (GROUND, GROUND));
        assert_eq!(pixel(&image, 18, 5), palette::NODES[0]);
        assert_eq!(pixel(&image, 21, 5), palette::NODES[1]);
        assert_eq!(pixel(&image, 0, 5), pixel(&image, 5, 5), "no line at the edge of the screen");
    }

    #[test]
    fn each_side_of_a_seam_glows_with_what_its_rank_sends() {
        let (mut painter, mut easel) = canvas(|| {});
        let ranks = [(0, 10, "a"), (10, 10, "a"), (20, 20, "b")];
        painter.begin(&hello(PixelFormat::Indexed, &ranks));
        let mut seams = |halo_bytes: [u64; 3]| {
            let rank = |halo_bytes| RankStatistics { halo_bytes, ..Default::default() };
            let ranks = halo_bytes.map(rank).into();
            painter.statistics(&Statistics { interval_s: 0.5, ranks, ..Default::default() });
            painter.picture(&FrameHeader::default(), &[158; 400]);
            let image = easel.take().unwrap().0;
            assert_eq!(pixel(&image, 39, 5), pixel(&image, 30, 5), "the edge is no seam");
            [9, 10, 19, 20].map(|x| pixel(&image, x, 5))
        };
        // Half a second: twice as many a second.
        let [little, more] = [palette::seam(2e5), palette::seam(6e6)];
        assert_eq!(seams([100_000, 3_000_000, 0]), [little, more, more, GROUND]);
        assert_eq!(seams([0; 3]), [GROUND; 4], "it goes out when nothing is sent any more");
    }

    #[test]
    fn ranks_on_one_machine_are_shades_of_its_hue() {
        let hello = hello(PixelFormat::Indexed, &[(0, 20, "bowie"), (20, 20, "bowie")]);
        assert_eq!(hues(&hello, &[]), [palette::shade(0, 0), palette::shade(0, 1)]);
    }

    #[test]
    fn a_node_has_the_colour_of_its_configuration_wherever_its_ranks_stand() {
        let ranks = [(0, 10, "Ground-Control.local"), (10, 20, "aladdin"), (30, 10, "bowie")];
        let hello = hello(PixelFormat::Indexed, &ranks);
        let nodes = [("bowie".to_owned(), 0), ("ground-control".to_owned(), 2)];
        assert_eq!(
            hues(&hello, &nodes),
            [palette::shade(2, 0), palette::shade(3, 0), palette::shade(0, 0)]
        );
    }

    #[test]
    fn a_row_of_any_length_is_coloured_pixel_by_pixel() {
        let colours = palette::table(palette::NODES[2]);
        let words = colours.map(|[red, green, blue]| u32::from_le_bytes([red, green, blue, 0]));
        for length in 0..=9u8 {
            let amounts: Vec<u8> = (0..length).map(|index| 255 - 27 * index).collect();
            let mut row = vec![0; 3 * amounts.len()];
            colour_row(&amounts, &words, &mut row);
            let expected: Vec<u8> =
                amounts.iter().flat_map(|at| colours[usize::from(*at)]).collect();
            assert_eq!(row, expected);
        }
    }

    #[test]
    fn pixels_that_nobody_computes_show_the_ground() {
        let (mut painter, mut easel) = canvas(|| {});
        painter.begin(&hello(PixelFormat::Indexed, &[(0, 20, "bowie")]));
        painter.picture(&FrameHeader::default(), &[255; 400]);
        assert_eq!(pixel(&easel.take().unwrap().0, 30, 5), GROUND);
    }

    #[test]
    fn colours_of_a_coloured_picture_are_kept() {
        for (format, pixels) in [
            (PixelFormat::Rgb, [1, 2, 3].repeat(400)),
            (PixelFormat::Rgbx, [1, 2, 3, 9].repeat(400)),
        ] {
            let (mut painter, mut easel) = canvas(|| {});
            painter.begin(&hello(format, &[(0, 40, "bowie")]));
            painter.picture(&FrameHeader::default(), &pixels);
            assert_eq!(pixel(&easel.take().unwrap().0, 17, 3), [1, 2, 3]);
        }
    }

    #[test]
    fn the_newest_picture_wins_and_wakes_the_screen_once() {
        static WOKEN: AtomicUsize = AtomicUsize::new(0);
        let (mut painter, mut easel) = canvas(|| {
            WOKEN.fetch_add(1, Ordering::Relaxed);
        });
        painter.begin(&hello(PixelFormat::Indexed, &[(0, 40, "bowie")]));
        for step in 1..=5 {
            painter.picture(&FrameHeader { step, ..Default::default() }, &[0; 400]);
        }
        assert_eq!(easel.take().unwrap().1.step, 5);
        assert!(easel.take().is_none());
        assert_eq!(WOKEN.load(Ordering::Relaxed), 1);
        painter.picture(&FrameHeader::default(), &[0; 400]);
        assert_eq!(WOKEN.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn buffers_go_round_without_allocation() {
        let (mut painter, mut easel) = canvas(|| {});
        painter.begin(&hello(PixelFormat::Indexed, &[(0, 40, "bowie")]));
        let mut on_screen = None;
        for _ in 0..1000 {
            painter.picture(&FrameHeader::default(), &[7; 400]);
            // The item on the screen holds the picture before until it draws the new one.
            let previous = on_screen.replace(easel.take().unwrap().0);
            drop(previous);
        }
        let counts = easel.counts();
        assert_eq!((counts.painted, counts.shown), (1000, 1000));
        assert!(counts.allocated <= 4, "{counts:?}");
    }

    #[test]
    fn a_run_with_larger_pictures_follows_one_with_smaller_ones() {
        let (mut painter, mut easel) = canvas(|| {});
        for (width, height) in [(40, 10), (400, 100), (40, 10)] {
            let mut hello = hello(PixelFormat::Rgb, &[(0, 40, "bowie")]);
            (hello.width, hello.height) = (width, height);
            painter.begin(&hello);
            for value in 1..=6u8 {
                let pixels = vec![value; 3 * usize::from(width) * usize::from(height)];
                painter.picture(&FrameHeader::default(), &pixels);
                let (image, _) = easel.take().unwrap();
                assert_eq!(
                    (image.size().width, image.size().height),
                    (width.into(), height.into())
                );
                assert_eq!(
                    pixel(&image, usize::from(width) - 1, usize::from(height) - 1),
                    [value; 3]
                );
            }
        }
    }

    #[test]
    fn a_new_run_never_shows_the_last_picture_of_the_old_one() {
        let (mut painter, mut easel) = canvas(|| {});
        painter.begin(&hello(PixelFormat::Indexed, &[(0, 40, "bowie")]));
        painter.picture(&FrameHeader::default(), &[7; 400]);
        painter.end();
        assert!(easel.take().is_none());
    }
}
