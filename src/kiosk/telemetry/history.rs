//! An hour of every charted quantity of every node, in fixed memory: a series costs [`SERIES_BYTES`], once it has a
//! sample.

mod ring;

use std::time::{Duration, Instant};

use super::range;
use ring::Ring;

/// A slot of the last minute: the default interval, so that every sample of it is seen.
const FINE: Duration = Duration::from_millis(500);
const FINE_SLOTS: usize = 120;
/// A slot of the hour.
const COARSE: Duration = Duration::from_secs(10);
const COARSE_SLOTS: usize = 360;
/// Most nodes; what `[[node]]` may have.
const MAX_NODES: usize = 4096;

/// What a series costs: 480 slots of minimum, mean and maximum, 12 bytes each, and where its rings stand.
pub const SERIES_BYTES: usize = size_of::<Series>();

/// What is kept and charted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Load of the CPU, 0 to 1.
    #[default]
    Load,
    /// Load of the first GPU, 0 to 1.
    Gpu,
    /// Main memory in use, 0 to 1.
    Memory,
    /// Temperature of the processor, degrees Celsius.
    Celsius,
    /// Power, watts.
    Watts,
    /// The first fan, share of full speed.
    Fan,
    /// Received over all interfaces but the loopback, bytes per second.
    Received,
    /// Sent over all interfaces but the loopback, bytes per second.
    Sent,
}

impl Quantity {
    /// All of them, in the order of the screens.
    pub const ALL: [Quantity; 8] = [
        Quantity::Load,
        Quantity::Gpu,
        Quantity::Memory,
        Quantity::Celsius,
        Quantity::Watts,
        Quantity::Fan,
        Quantity::Received,
        Quantity::Sent,
    ];

    /// What the quantity can be; anything else is not kept, so that no sample stretches an axis.
    pub fn range(self) -> range::Range {
        match self {
            Quantity::Load | Quantity::Gpu | Quantity::Memory | Quantity::Fan => range::SHARE,
            Quantity::Celsius => range::CELSIUS,
            Quantity::Watts => range::WATTS,
            Quantity::Received | Quantity::Sent => range::BYTES_PER_S,
        }
    }
}

/// How far back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Span {
    /// At full rate.
    #[default]
    Minute,
    /// Every 10 s.
    TenMinutes,
    /// Every 10 s.
    Hour,
}

/// What a quantity did in one slot of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Smallest.
    pub min: f32,
    /// Mean.
    pub mean: f32,
    /// Largest.
    pub max: f32,
}

/// The last minute and the last hour of one quantity of one node.
struct Series {
    minute: Ring<FINE_SLOTS>,
    hour: Ring<COARSE_SLOTS>,
}

type NodeSeries = [Option<Box<Series>>; Quantity::ALL.len()];

/// The history of all nodes.
///
/// A sample stands for the time up to the next one that the interval lets expect; a slot is a gap where not even that
/// reaches it. So a missing sample at the default rate is a slot of half a second at most that repeats the one before.
pub struct History {
    interval: Duration,
    /// When the slots begin to count: the first sample.
    start: Option<Instant>,
    nodes: Vec<NodeSeries>,
}

impl Default for History {
    fn default() -> Self {
        Self::new(FINE)
    }
}

impl History {
    /// Nothing yet; samples are expected every `interval`.
    pub fn new(interval: Duration) -> Self {
        Self { interval, start: None, nodes: Vec::new() }
    }

    /// Keeps a sample that was taken at `at`; one that the quantity cannot have is dropped, and so is one that is
    /// older than what is kept.
    pub fn record(&mut self, node: usize, quantity: Quantity, value: f64, at: Instant) {
        if MAX_NODES <= node || !quantity.range().holds(value) {
            return;
        }
        let start = *self.start.get_or_insert(at);
        if self.nodes.len() <= node {
            self.nodes.resize_with(node + 1, Default::default);
        }
        let series = self.nodes[node][quantity as usize]
            .get_or_insert_with(|| Box::new(Series { minute: Ring::new(), hour: Ring::new() }));
        series.minute.add(slot(start, at, FINE), value as f32, held(self.interval, FINE));
        series.hour.add(slot(start, at, COARSE), value as f32, held(self.interval, COARSE));
    }

    /// The slots of `span` up to `now`, oldest first, into `out`, which is emptied first; a slot without any sample
    /// is `None`. Their number depends on `span` only (120 for the minute, 60 for ten minutes, 360 for the hour).
    pub fn slots(
        &self,
        node: usize,
        quantity: Quantity,
        span: Span,
        now: Instant,
        out: &mut Vec<Option<Band>>,
    ) {
        out.clear();
        let (length, count) = match span {
            Span::Minute => (FINE, FINE_SLOTS),
            Span::TenMinutes => (COARSE, COARSE_SLOTS / 6),
            Span::Hour => (COARSE, COARSE_SLOTS),
        };
        let series = self.nodes.get(node).and_then(|node| node[quantity as usize].as_deref());
        let (Some(start), Some(series)) = (self.start, series) else {
            out.resize(count, None);
            return;
        };
        let last = slot(start, now, length);
        let held = held(self.interval, length);
        match span {
            Span::Minute => series.minute.copy(last, count, held, out),
            Span::TenMinutes | Span::Hour => series.hour.copy(last, count, held, out),
        }
    }

    /// How many series have a sample.
    pub fn series(&self) -> usize {
        self.nodes.iter().flatten().flatten().count()
    }
}

/// The number of the slot that holds `at`.
fn slot(start: Instant, at: Instant, length: Duration) -> u64 {
    let since = at.saturating_duration_since(start);
    (since.as_nanos() / length.as_nanos()) as u64
}

/// How many slots after its own a sample stands for: none where every slot gets one anyway, else until the next one is
/// due.
fn held(interval: Duration, length: Duration) -> u64 {
    // A fifth is what the arrival of an answer may vary by.
    if interval.mul_f64(1.2) <= length {
        return 0;
    }
    let jitter = (interval / 5).as_nanos() / length.as_nanos();
    (interval.as_nanos().div_ceil(length.as_nanos()) + jitter) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn means(history: &History, span: Span, now: Instant) -> Vec<Option<f32>> {
        let mut out = Vec::new();
        history.slots(0, Quantity::Load, span, now, &mut out);
        out.iter().map(|band| band.map(|band| band.mean)).collect()
    }

    #[test]
    fn a_series_costs_under_six_kilobytes_so_that_a_thousand_nodes_cost_under_fifty_megabytes() {
        assert_eq!(SERIES_BYTES, 480 * size_of::<Band>() + 2 * 16);
        assert!(1000 * Quantity::ALL.len() * SERIES_BYTES < 50_000_000);
    }

    #[test]
    fn a_series_costs_nothing_before_its_first_sample() {
        let mut history = History::default();
        let now = Instant::now();
        assert_eq!(history.series(), 0);
        history.record(3, Quantity::Watts, 7.5, now);
        assert_eq!(history.series(), 1);
        let mut out = vec![None; 7];
        history.slots(2, Quantity::Watts, Span::Hour, now, &mut out);
        assert_eq!(out, vec![None; 360]);
    }

    #[test]
    fn the_last_minute_is_kept_at_full_rate() {
        let (mut history, start) = (History::default(), Instant::now());
        for index in 0..200 {
            history.record(0, Quantity::Load, f64::from(index) / 200.0, start + ms(500) * index);
        }
        let kept = means(&history, Span::Minute, start + ms(500) * 199);
        let expected: Vec<_> = (80..200).map(|index| Some(index as f32 / 200.0)).collect();
        assert_eq!(kept, expected);
    }

    #[test]
    fn the_hour_has_minimum_mean_and_maximum_of_every_ten_seconds() {
        let (mut history, start) = (History::default(), Instant::now());
        for index in 0..40 {
            let value = f64::from(index % 20) / 20.0;
            history.record(0, Quantity::Load, value, start + ms(500) * index);
        }
        let mut out = Vec::new();
        history.slots(0, Quantity::Load, Span::Hour, start + ms(19_999), &mut out);
        assert_eq!((out.len(), &out[..358]), (360, &[None; 358][..]));
        for band in &out[358..] {
            let band = band.unwrap();
            assert_eq!((band.min, band.max), (0.0, 0.95));
            assert!((band.mean - 0.475).abs() < 1e-6, "{}", band.mean);
        }
        let ten_minutes = means(&history, Span::TenMinutes, start + ms(19_999));
        assert_eq!(ten_minutes.len(), 60);
        assert_eq!(ten_minutes.iter().flatten().count(), 2);
    }

    #[test]
    fn a_silence_is_a_gap_and_not_a_line() {
        let (mut history, start) = (History::default(), Instant::now());
        history.record(0, Quantity::Load, 0.25, start);
        history.record(0, Quantity::Load, 0.75, start + ms(5_000));
        let kept = means(&history, Span::Minute, start + ms(5_000));
        // Its own slot, and the one that the next sample is awaited in.
        assert_eq!(kept[109..111], [Some(0.25); 2]);
        assert_eq!(kept[111..119], [None; 8]);
        assert_eq!(kept[119], Some(0.75));
        // A minute later nothing of it is left, and an hour later nothing at all.
        assert_eq!(means(&history, Span::Minute, start + ms(66_000)), vec![None; 120]);
        assert_eq!(means(&history, Span::Hour, start + ms(3_700_000)), vec![None; 360]);
    }

    #[test]
    fn a_slow_interval_leaves_no_false_gaps() {
        for (interval, uneven) in [(1_000, 150), (2_000, 300), (60_000, 2_000)] {
            let (mut history, start) = (History::new(ms(interval)), Instant::now());
            let mut at = start;
            for index in 0..200 {
                at = start + ms(interval * index + if index % 2 == 0 { 0 } else { uneven });
                history.record(0, Quantity::Load, 0.5, at);
            }
            assert_eq!(means(&history, Span::Minute, at), vec![Some(0.5); 120], "{interval} ms");
        }
    }

    #[test]
    fn jitter_at_the_default_rate_is_no_gap_and_a_lost_node_is_one_at_once() {
        let (mut history, start) = (History::default(), Instant::now());
        let mut at = start;
        for index in 0..200u64 {
            at = start + ms(500 * index + if index % 3 == 0 { 60 } else { 0 });
            history.record(0, Quantity::Load, 0.5, at);
        }
        assert!(means(&history, Span::Minute, at).iter().all(Option::is_some));
        assert_eq!(means(&history, Span::Minute, at + ms(1_000))[119], None);
    }

    #[test]
    fn faster_samples_than_slots_are_averaged_and_their_extremes_kept() {
        let (mut history, start) = (History::new(ms(100)), Instant::now());
        for (index, value) in [0.1, 0.2, 0.9, 0.2, 0.1].into_iter().enumerate() {
            history.record(0, Quantity::Load, value, start + ms(100) * index as u32);
        }
        let mut out = Vec::new();
        history.slots(0, Quantity::Load, Span::Minute, start + ms(499), &mut out);
        let band = out[119].unwrap();
        assert_eq!((band.min, band.max), (0.1, 0.9));
        assert!((band.mean - 0.3).abs() < 1e-6);
    }

    #[test]
    fn absurd_samples_do_not_enter() {
        let (mut history, now) = (History::default(), Instant::now());
        for value in [f64::NAN, f64::INFINITY, -0.1, 1.1, 1e308] {
            history.record(0, Quantity::Load, value, now);
        }
        for value in [-300.0, 1e6] {
            history.record(0, Quantity::Celsius, value, now);
            history.record(0, Quantity::Watts, value, now);
        }
        history.record(usize::MAX, Quantity::Load, 0.5, now);
        assert_eq!(history.series(), 0);
    }

    #[test]
    fn a_sample_from_before_what_is_kept_changes_nothing() {
        let (mut history, start) = (History::default(), Instant::now());
        history.record(0, Quantity::Load, 0.5, start + ms(10_000));
        history.record(0, Quantity::Load, 0.5, start + ms(20_000));
        history.record(0, Quantity::Load, 0.9, start);
        let kept = means(&history, Span::Minute, start + ms(20_000));
        assert!(kept.iter().flatten().all(|mean| *mean == 0.5), "{kept:?}");
    }
}
