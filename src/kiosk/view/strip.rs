//! The strip below every page: this machine, the ranks of the run in their colours, the clock.

use std::{rc::Rc, time::Instant};

use slint::{Color, ComponentHandle, ModelRc, VecModel};

use super::{
    canvas,
    cluster::{self, MAX_CARDS},
    navigation::{Navigation, Page},
    nodes::{self, ABSENT},
    numbers::{Language, celsius, percent},
    power,
};
use crate::{
    senses::Senses,
    supervisor::{State, Status},
    telemetry::{Freshness, Node, Telemetry},
    ui,
};

/// Most ranks the strip has room for; the picture shows them all.
const MAX_SHOWN: usize = 16;

/// The time of day where the kiosk stands.
pub type Clock = Box<dyn Fn() -> jiff::civil::Time>;

/// The clock of this machine.
pub fn clock() -> Clock {
    Box::new(|| jiff::Zoned::now().time())
}

/// The rows of the strip that are kept from one refresh to the next.
pub struct Strip {
    nodes: Rc<VecModel<ui::NodeState>>,
    ranks: Rc<VecModel<ui::RankShare>>,
}

impl Strip {
    /// Connects the strip of `app`.
    pub fn new(app: &ui::App) -> Self {
        let (nodes, ranks) = (Rc::new(VecModel::default()), Rc::new(VecModel::default()));
        let view = app.global::<ui::StripView>();
        view.set_nodes(ModelRc::from(Rc::clone(&nodes)));
        view.set_ranks(ModelRc::from(Rc::clone(&ranks)));
        Self { nodes, ranks }
    }

    /// Shows what is known at `now`.
    pub fn show(
        &self,
        app: &ui::App,
        telemetry: &Telemetry,
        status: &Status,
        navigation: &Navigation,
        clock: &Clock,
        now: Instant,
    ) {
        let view = app.global::<ui::StripView>();
        let all = &telemetry.nodes;
        let shown = if all.len() <= MAX_CARDS { &all[..] } else { &[] };
        let cells = shown.iter().map(|node| {
            let mut cell = nodes::state(node, navigation.language, now);
            if 1 < all.len() {
                compute(&mut cell, status);
            }
            cell
        });
        cluster::update(&self.nodes, cells);
        if shown.is_empty() {
            summarise(&view, all, now);
        }
        view.set_clock(clock().strftime("%H:%M").to_string().into());
        let at_strip = navigation.selected == Some(navigation.demos);
        view.set_focused(navigation.page == Page::Home && at_strip);
        let at_power = navigation.selected == Some(navigation.demos + 1);
        view.set_power_focused(navigation.page == Page::Home && at_power);
        // Several nodes show the ranks' shares in their own cells.
        let shares = if all.len() <= 1 { rank_shares(status, telemetry) } else { Vec::new() };
        cluster::update(&self.ranks, shares.into_iter());
    }
}

/// The wall power at the right end, if there is a meter.
pub fn show_power(app: &ui::App, senses: &Senses, language: Language, now: Instant) {
    let view = app.global::<ui::StripView>();
    view.set_metered(senses.meter.is_some());
    let Some((_, meter)) = &senses.meter else { return };
    let reading = meter.reading.as_ref();
    let watts = reading.map(|reading| power::watts(reading.measured.watts, language));
    view.set_watts(watts.unwrap_or(ABSENT.into()).into());
    let is_fresh = meter.fresh(now).is_some();
    view.set_watts_fresh(is_fresh);
    let age = reading.filter(|_| !is_fresh);
    let age = age.map(|reading| power::seconds(now.saturating_duration_since(reading.at)));
    view.set_watts_age(age.unwrap_or_default().into());
}

/// More nodes than have room: how they are as a whole.
fn summarise(view: &ui::StripView<'_>, nodes: &[impl AsRef<Node>], now: Instant) {
    let fresh = || {
        let nodes = nodes.iter().map(AsRef::as_ref);
        nodes.filter(|node| node.freshness(now) == Freshness::Fresh)
    };
    view.set_count(nodes.len() as i32);
    view.set_answering(fresh().count() as i32);
    let loads = || fresh().filter_map(|node| node.reading.as_ref()?.load);
    let mean = loads().sum::<f64>() / loads().count().max(1) as f64;
    let load = loads().next().map_or(ABSENT.into(), |_| percent(mean));
    view.set_load(load.into());
    let heat = fresh().filter_map(|node| Some((node, node.reading.as_ref()?.celsius?)));
    let hottest = heat.max_by(|one, other| one.1.total_cmp(&other.1));
    let hottest = hottest
        .map_or(ABSENT.into(), |(node, degrees)| format!("{} {}", celsius(degrees), node.name));
    view.set_hottest(hottest.into());
}

/// The mean shares of the run's ranks on the node of this cell, if there are any.
fn compute(cell: &mut ui::NodeState, status: &Status) {
    let (State::Running { .. }, Some(hello), Some(statistics)) =
        (&status.state, &status.hello, &status.statistics)
    else {
        return;
    };
    let here = hello.ranks.iter().zip(&statistics.ranks);
    let here: Vec<_> = here.filter(|(rank, _)| canvas::same_host(&rank.host, &cell.name)).collect();
    if here.is_empty() {
        return;
    }
    let mean = |share: fn(&wire::demo::RankStatistics) -> f32| {
        here.iter().map(|(_, rank)| share(rank)).sum::<f32>() / here.len() as f32
    };
    cell.computing = true;
    cell.compute = mean(|rank| rank.compute);
    cell.communicate = mean(|rank| rank.communicate);
    cell.wait = mean(|rank| rank.wait);
}

/// The ranks of the run that is on, with their shares once there are statistics.
fn rank_shares(status: &Status, telemetry: &Telemetry) -> Vec<ui::RankShare> {
    if !matches!(status.state, State::Running { .. }) {
        return Vec::new();
    }
    let Some(hello) = &status.hello else { return Vec::new() };
    let statistics = status.statistics.as_ref();
    let nodes: Vec<(String, usize)> =
        telemetry.nodes.iter().map(|node| (node.name.clone(), node.colour)).collect();
    let hues = canvas::hues(hello, &nodes);
    let shares = hues.into_iter().take(MAX_SHOWN).enumerate().map(|(index, [red, green, blue])| {
        let rank = statistics.and_then(|statistics| statistics.ranks.get(index)).copied();
        let shown =
            |share: fn(&wire::demo::RankStatistics) -> f32| rank.as_ref().map_or(0.0, share);
        let text = |share: f32| rank.map_or(String::new(), |_| percent(f64::from(share)));
        let compute = shown(|rank| rank.compute);
        // Waiting for a neighbour is part of the exchange; the bar hatches it apart.
        let exchange = shown(|rank| rank.communicate + rank.wait);
        ui::RankShare {
            hue: Color::from_rgb_u8(red, green, blue),
            number: index as i32 + 1,
            compute,
            communicate: shown(|rank| rank.communicate),
            wait: shown(|rank| rank.wait),
            compute_percent: text(compute).into(),
            communicate_percent: text(exchange.min(1.0)).into(),
        }
    });
    shares.collect()
}
