//! The page of all nodes: a card each, or a heat map of many, and one quantity over time.

use std::{rc::Rc, time::Instant};

use slint::{ComponentHandle, Model, ModelRc, VecModel};

use super::{
    chart::{self, Canvas},
    charted::{self, Charted, Drawn},
    navigation::Navigation,
    nodes,
    numbers::Language,
};
use crate::{
    telemetry::{
        Freshness, Node, Telemetry,
        history::{History, Quantity, Span},
        reading::{Network, Reading},
    },
    ui,
};

/// Most nodes that have a card; above that they are squares.
pub const MAX_CARDS: usize = 16;
/// Pixels of the heat map.
const HEAT: (u32, u32) = (768, 216);

/// What is kept from one refresh of the page to the next.
pub struct Cluster {
    cards: Rc<VecModel<ui::NodeState>>,
    /// The bars of each card: models of their own, so that a card whose cores alone have changed stays.
    cores: Vec<Rc<VecModel<f32>>>,
    charted: Charted,
    heat: Canvas,
}

impl Cluster {
    /// Connects the page of `app`.
    pub fn new(app: &ui::App) -> Self {
        let cards = Rc::new(VecModel::default());
        app.global::<ui::ClusterView>().set_nodes(ModelRc::from(Rc::clone(&cards)));
        Self {
            cards,
            cores: Vec::new(),
            charted: Charted::new(),
            heat: Canvas::new(HEAT.0, HEAT.1),
        }
    }

    /// Shows what is known at `now`.
    pub fn show(
        &mut self,
        app: &ui::App,
        telemetry: &Telemetry,
        history: &History,
        navigation: &Navigation,
        now: Instant,
    ) {
        let view = app.global::<ui::ClusterView>();
        let few = telemetry.nodes.len() <= MAX_CARDS;
        let shown = if few { &telemetry.nodes[..] } else { &[] };
        self.cores.resize_with(shown.len(), Rc::default);
        for (bars, node) in self.cores.iter().zip(shown) {
            update(bars, nodes::cores(node, now).into_iter());
        }
        let cards = shown.iter().zip(&self.cores).map(|(node, bars)| ui::NodeState {
            cores: ModelRc::from(Rc::clone(bars)),
            ..nodes::state(node, navigation.language, now)
        });
        update(&self.cards, cards);
        if !few {
            let high = |node: &Node| heat(node, navigation.quantity, now);
            self.heat.squares(telemetry.nodes.iter().map(|node| high(node)));
            view.set_heat(self.heat.image());
            let [least, most] = heat_ends(navigation.quantity, navigation.language);
            view.set_heat_least(least.into());
            view.set_heat_most(most.into());
        }
        view.set_selected(navigation.node.map_or(-1, |node| node as i32));
        view.set_quantity(quantity(navigation.quantity));
        view.set_span(span(navigation.span));
        let all: Vec<(usize, &Node)> =
            telemetry.nodes.iter().map(AsRef::as_ref).enumerate().collect();
        let of = (navigation.quantity, navigation.span);
        let Drawn { picture, top, bottom, labels, empty } =
            self.charted.draw(history, &all, of, navigation.language, now);
        view.set_chart(picture);
        view.set_chart_top(top.into());
        view.set_chart_bottom(bottom.into());
        view.set_chart_labels(labels);
        view.set_chart_empty(empty);
    }
}

/// The node whose square is at these shares of the heat map's width and height.
pub fn square_at(count: usize, x: f32, y: f32) -> Option<usize> {
    let (width, height) = (HEAT.0 as usize, HEAT.1 as usize);
    let (columns, side) = chart::grid(count, width, height);
    let column = (x.clamp(0.0, 1.0) * width as f32) as usize / side;
    let row = (y.clamp(0.0, 1.0) * height as f32) as usize / side;
    let index = row * columns + column;
    (column < columns && index < count).then_some(index)
}

/// Degrees Celsius of the darkest and the brightest square: from a cool room to where processors slow down.
const HEAT_CELSIUS: [f64; 2] = [20.0, 90.0];
/// Watts of the brightest square.
const HEAT_WATTS: f64 = 20.0;

/// How bright a node's square is; `None` if it says nothing current.
fn heat(node: &Node, quantity: Quantity, now: Instant) -> Option<f32> {
    if node.freshness(now) != Freshness::Fresh {
        return None;
    }
    let reading = node.reading.as_deref()?;
    let share = match quantity {
        Quantity::Gpu => reading.gpus.first()?.load?,
        Quantity::Memory => reading.memory?.share(),
        Quantity::Celsius => {
            let [least, most] = HEAT_CELSIUS;
            (reading.celsius? - least) / (most - least)
        }
        Quantity::Watts => reading.power?.watts / HEAT_WATTS,
        Quantity::Fan => reading.fans.iter().find_map(|fan| fan.ratio)?,
        Quantity::Load => reading.load?,
        Quantity::Received => busiest(reading, |network| network.received_per_s)?,
        Quantity::Sent => busiest(reading, |network| network.sent_per_s)?,
    };
    Some(share.clamp(0.0, 1.0) as f32)
}

/// What the darkest and the brightest square stand for; of a link it is how full it is.
fn heat_ends(quantity: Quantity, language: Language) -> [String; 2] {
    let quantity = match quantity {
        Quantity::Received | Quantity::Sent => Quantity::Load,
        other => other,
    };
    let ends = match quantity {
        Quantity::Celsius => HEAT_CELSIUS,
        Quantity::Watts => [0.0, HEAT_WATTS],
        _ => [0.0, 1.0],
    };
    ends.map(|end| charted::write(quantity, end, language))
}

/// How full the fullest link is, of those that say what they can carry.
fn busiest(reading: &Reading, rate: impl Fn(&Network) -> Option<f64>) -> Option<f64> {
    let share = |network: &Network| Some(rate(network)? / network.speed_per_s?);
    reading.networks.iter().filter_map(share).max_by(f64::total_cmp)
}

/// Changes only the rows that differ: an unchanged row is not drawn again.
pub fn update<T: Clone + PartialEq + 'static>(rows: &VecModel<T>, new: impl Iterator<Item = T>) {
    let new: Vec<T> = new.collect();
    if new.len() != rows.row_count() {
        rows.set_vec(new);
        return;
    }
    for (index, row) in new.into_iter().enumerate() {
        if rows.row_data(index).as_ref() != Some(&row) {
            rows.set_row_data(index, row);
        }
    }
}

/// The markup's word for a quantity.
pub fn quantity(quantity: Quantity) -> ui::Quantity {
    match quantity {
        Quantity::Load => ui::Quantity::Load,
        Quantity::Gpu => ui::Quantity::Gpu,
        Quantity::Memory => ui::Quantity::Memory,
        Quantity::Celsius => ui::Quantity::Celsius,
        Quantity::Watts => ui::Quantity::Watts,
        Quantity::Fan => ui::Quantity::Fan,
        Quantity::Received => ui::Quantity::Received,
        Quantity::Sent => ui::Quantity::Sent,
    }
}

/// The markup's word for a span of time.
pub fn span(span: Span) -> ui::Span {
    match span {
        Span::Minute => ui::Span::Minute,
        Span::TenMinutes => ui::Span::TenMinutes,
        Span::Hour => ui::Span::Hour,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tap_on_a_square_finds_its_node() {
        let (columns, side) = chart::grid(1000, 768, 216);
        for index in [0, 1, columns - 1, columns, 999] {
            let x = (index % columns * side + side / 2) as f32 / 768.0;
            let y = (index / columns * side + side / 2) as f32 / 216.0;
            assert_eq!(square_at(1000, x, y), Some(index));
        }
        assert_eq!(square_at(17, 1.0, 1.0), None);
    }
}
