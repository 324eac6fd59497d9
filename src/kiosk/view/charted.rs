//! One quantity of some nodes over time, as a picture with its axis and the newest values.

use std::time::Instant;

use slint::{ModelRc, VecModel};

use super::{
    chart::{Canvas, Slot},
    nodes,
    numbers::{Language, celsius, percent, rate},
    palette::{self, Rgb},
};
use crate::{
    telemetry::{
        Node,
        history::{Band, History, Quantity, Span},
        reading::Origin,
    },
    ui,
};

/// Pixels of the picture.
const SIZE: (u32, u32) = (624, 96);
/// More lines than this cannot be told apart: their common range and mean are drawn instead.
pub const MAX_LINES: usize = super::cluster::MAX_CARDS;
/// Labels at line ends that fit above each other.
const MAX_LABELS: usize = 5;
const INK: Rgb = [0xEA, 0xF0, 0xF6];

/// The picture and the room to prepare it in, kept from one refresh to the next.
pub struct Charted {
    canvas: Canvas,
    bands: Vec<Option<Band>>,
    lines: Vec<Vec<Option<Band>>>,
    slots: Vec<Slot>,
}

/// What a page shows of it.
pub struct Drawn {
    /// The lines.
    pub picture: slint::Image,
    /// Upper end of the axis.
    pub top: String,
    /// Lower end.
    pub bottom: String,
    /// The newest values.
    pub labels: ModelRc<ui::ChartLabel>,
    /// There is nothing to draw.
    pub empty: bool,
}

impl Charted {
    /// Nothing drawn yet.
    pub fn new() -> Self {
        let canvas = Canvas::new(SIZE.0, SIZE.1);
        Self { canvas, bands: Vec::new(), lines: Vec::new(), slots: Vec::new() }
    }

    /// Draws `quantity` of the nodes with these indices.
    pub fn draw(
        &mut self,
        history: &History,
        nodes: &[(usize, &Node)],
        (quantity, span): (Quantity, Span),
        language: Language,
        now: Instant,
    ) -> Drawn {
        self.lines.resize_with(nodes.len().clamp(1, MAX_LINES), Vec::new);
        self.lines.iter_mut().for_each(Vec::clear);
        if nodes.len() <= MAX_LINES {
            for ((index, _), line) in nodes.iter().zip(&mut self.lines) {
                history.slots(*index, quantity, span, now, line);
            }
        } else {
            self.gather(history, nodes, quantity, span, now);
        }
        let known = || self.lines.iter().flatten().flatten();
        let largest = known().map(|band| band.max).fold(0.0, f32::max);
        let high = axis(quantity, largest);
        let empty = known().next().is_none();

        self.canvas.clear();
        let mut labels = Vec::new();
        for (line, (_, node)) in self.lines.iter().zip(nodes) {
            let alone = self.lines.len() == 1;
            let hue = match nodes.len() {
                0..=MAX_LINES => palette::NODES[node.colour % palette::NODES.len()],
                _ => INK,
            };
            let share = |band: &Option<Band>| {
                band.map(|band| [band.min / high, band.mean / high, band.max / high])
            };
            self.slots.clear();
            self.slots.extend(line.iter().map(share));
            self.canvas.line(&self.slots, hue, alone);
            let newest = line.iter().rev().take(8).flatten().next();
            if let Some(newest) = newest {
                labels.push((newest.mean, hue));
            }
        }
        Drawn {
            picture: self.canvas.image(),
            top: write(quantity, f64::from(high), language),
            bottom: write(quantity, 0.0, language),
            labels: ModelRc::new(VecModel::from(place(labels, high, quantity, language))),
            empty,
        }
    }

    /// The range and the mean of all nodes as one line.
    fn gather(
        &mut self,
        history: &History,
        nodes: &[(usize, &Node)],
        quantity: Quantity,
        span: Span,
        now: Instant,
    ) {
        let mut counts: Vec<u32> = Vec::new();
        self.lines.truncate(1);
        let [line] = &mut self.lines[..] else { return };
        for (index, _) in nodes {
            history.slots(*index, quantity, span, now, &mut self.bands);
            line.resize(self.bands.len(), None);
            counts.resize(self.bands.len(), 0);
            for ((sum, band), count) in line.iter_mut().zip(&self.bands).zip(&mut counts) {
                let Some(band) = band else { continue };
                *count += 1;
                *sum = Some(match *sum {
                    None => *band,
                    Some(sum) => Band {
                        min: sum.min.min(band.min),
                        mean: sum.mean + band.mean,
                        max: sum.max.max(band.max),
                    },
                });
            }
        }
        for (sum, count) in line.iter_mut().zip(counts) {
            if let Some(sum) = sum {
                sum.mean /= count as f32;
            }
        }
    }
}

/// The upper end of the axis: fixed where the quantity has a natural end, else the next round number, and never more
/// than anything real has.
fn axis(quantity: Quantity, largest: f32) -> f32 {
    let round = |least: f32, most: f32| {
        let largest = largest.clamp(least, most);
        let decade = 10f32.powf(largest.log10().floor());
        [1.0, 2.0, 5.0, 10.0].map(|step| step * decade).into_iter().find(|end| largest <= *end)
    };
    match quantity {
        Quantity::Load | Quantity::Gpu | Quantity::Memory | Quantity::Fan => 1.0,
        Quantity::Celsius => 100.0,
        Quantity::Watts => round(5.0, 10_000.0).unwrap_or(10_000.0),
        Quantity::Received | Quantity::Sent => round(10_000.0, 50e9).unwrap_or(50e9),
    }
}

/// A value with its unit.
pub fn write(quantity: Quantity, value: f64, language: Language) -> String {
    match quantity {
        Quantity::Load | Quantity::Gpu | Quantity::Memory | Quantity::Fan => percent(value),
        Quantity::Celsius => celsius(value),
        Quantity::Watts => nodes::watts(value, Origin::Measured, language),
        Quantity::Received | Quantity::Sent => rate(value, language),
    }
}

/// Labels beside the ends of their lines, moved apart where they would overlap; none if they do not fit.
fn place(
    mut ends: Vec<(f32, Rgb)>,
    high: f32,
    quantity: Quantity,
    language: Language,
) -> Vec<ui::ChartLabel> {
    if MAX_LABELS < ends.len() {
        return Vec::new();
    }
    ends.sort_by(|one, other| other.0.total_cmp(&one.0));
    let apart = 1.0 / MAX_LABELS as f32;
    let mut places: Vec<f32> =
        ends.iter().map(|(value, _)| (1.0 - value / high).clamp(apart / 2.0, 1.0)).collect();
    for index in 1..places.len() {
        places[index] = places[index].max(places[index - 1] + apart);
    }
    let mut limit = 1.0 - apart / 2.0;
    for place in places.iter_mut().rev() {
        *place = place.min(limit);
        limit = *place - apart;
    }
    let label = |((value, [red, green, blue]), at): ((f32, Rgb), f32)| ui::ChartLabel {
        text: write(quantity, f64::from(value), language).into(),
        hue: slint::Color::from_rgb_u8(red, green, blue),
        at,
    };
    ends.into_iter().zip(places).map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number_and_cannot_be_stretched() {
        assert_eq!(axis(Quantity::Watts, 3.2), 5.0);
        assert_eq!(axis(Quantity::Watts, 5.1), 10.0);
        assert_eq!(axis(Quantity::Watts, 14.0), 20.0);
        assert_eq!(axis(Quantity::Watts, f32::MAX), 10_000.0);
        assert_eq!(axis(Quantity::Celsius, 4000.0), 100.0);
        assert_eq!(axis(Quantity::Received, 117e6), 200e6);
    }

    #[test]
    fn labels_never_overlap_and_stay_inside() {
        for values in [vec![0.5; 5], vec![1.0, 0.99, 0.98], vec![0.0, 0.01], vec![0.9, 0.1]] {
            let ends: Vec<(f32, Rgb)> = values.iter().map(|value| (*value, INK)).collect();
            let labels = place(ends, 1.0, Quantity::Load, Language::English);
            assert_eq!(labels.len(), values.len());
            for pair in labels.windows(2) {
                assert!(0.199 < pair[1].at - pair[0].at, "{values:?}");
            }
            assert!(labels.iter().all(|label| (0.09..=0.91).contains(&label.at)), "{values:?}");
        }
        assert!(place(vec![(0.5, INK); 6], 1.0, Quantity::Load, Language::English).is_empty());
    }
}
