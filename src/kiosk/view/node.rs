//! The page of one node: everything that is known of it, line by line.

use std::{rc::Rc, time::Instant};

use slint::{ComponentHandle, ModelRc, VecModel};

use super::{
    charted::{Charted, Drawn},
    cluster,
    navigation::Navigation,
    nodes,
    numbers::{Language, bytes, celsius, hertz, percent, rate},
};
use crate::{
    telemetry::{
        Freshness, Telemetry,
        history::History,
        reading::{Origin, Reading, Scope},
    },
    ui,
};

/// Lines there is room for.
const MAX_ROWS: usize = 27;

/// What is kept from one refresh of the page to the next.
pub struct NodePage {
    rows: Rc<VecModel<ui::NodeRow>>,
    charted: Charted,
}

impl NodePage {
    /// Connects the page of `app`.
    pub fn new(app: &ui::App) -> Self {
        let rows = Rc::new(VecModel::default());
        app.global::<ui::NodeView>().set_rows(ModelRc::from(Rc::clone(&rows)));
        Self { rows, charted: Charted::new() }
    }

    /// Shows what is known of the selected node at `now`.
    pub fn show(
        &mut self,
        app: &ui::App,
        telemetry: &Telemetry,
        history: &History,
        navigation: &Navigation,
        now: Instant,
    ) {
        let index = navigation.node.unwrap_or(0);
        let Some(node) = telemetry.nodes.get(index) else { return };
        let view = app.global::<ui::NodeView>();
        let language = navigation.language;
        view.set_node(nodes::state(node, language, now));
        let current = node.freshness(now) == Freshness::Fresh;
        let reading = node.reading.as_deref().filter(|_| current);
        let rows = reading.map_or(Vec::new(), |reading| rows(reading, language));
        cluster::update(&self.rows, rows.into_iter());
        view.set_quantity(cluster::quantity(navigation.quantity));
        view.set_span(cluster::span(navigation.span));
        let of = (navigation.quantity, navigation.span);
        let Drawn { picture, top, bottom, labels, empty } =
            self.charted.draw(history, &[(index, node)], of, language, now);
        view.set_chart(picture);
        view.set_chart_top(top.into());
        view.set_chart_bottom(bottom.into());
        view.set_chart_labels(labels);
        view.set_chart_empty(empty);
    }
}

/// Collects lines.
struct Rows {
    rows: Vec<ui::NodeRow>,
    language: Language,
}

impl Rows {
    fn add(&mut self, kind: ui::RowKind, name: &str, value: String) {
        self.add_from(kind, name, value, Origin::Measured);
    }

    fn add_from(&mut self, kind: ui::RowKind, name: &str, value: String, origin: Origin) {
        let origin = match origin {
            Origin::Measured => ui::Origin::Measured,
            Origin::Estimated => ui::Origin::Estimated,
            Origin::Inferred => ui::Origin::Inferred,
            Origin::Simulated => ui::Origin::Simulated,
        };
        self.rows.push(ui::NodeRow { kind, name: name.into(), value: value.into(), origin });
    }

    /// A value with its unit on the same line.
    fn with_unit(&self, value: f64, decimals: usize, unit: &str) -> String {
        format!("{}\u{a0}{unit}", self.language.decimal(value, decimals))
    }
}

/// What is known, most wanted first; what does not fit is counted in the last line.
fn rows(reading: &Reading, language: Language) -> Vec<ui::NodeRow> {
    use ui::RowKind as Kind;
    let mut rows = Rows { rows: Vec::new(), language };
    if let Some(load) = reading.load {
        rows.add(Kind::Load, "", percent(load));
    }
    if let Some((now, most)) = reading.cpu_hertz {
        let most = most.map_or(String::new(), |most| format!(" / {}", hertz(most, language)));
        rows.add(Kind::Clock, "", format!("{}{most}", hertz(now, language)));
    }
    if let Some(queue) = reading.load_average {
        let all = queue.map(|queue| language.decimal(queue, 2)).join("  ");
        rows.add(Kind::Queue, "", all);
    }
    if let Some(memory) = reading.memory {
        let (used, total) =
            (bytes(memory.used_bytes, language), bytes(memory.total_bytes, language));
        rows.add(Kind::Memory, "", format!("{used} / {total}"));
    }
    gpu_rows(&mut rows, reading);
    if let Some(power) = reading.power {
        let kind = match power.scope {
            Scope::Board => Kind::Power,
            Scope::Processors => Kind::PowerProcessors,
        };
        rows.add_from(kind, "", rows.with_unit(power.watts, 1, "W"), power.origin);
    }
    if let Some((volts, origin)) = reading.supply_volts {
        rows.add_from(Kind::Supply, "", rows.with_unit(volts, 2, "V"), origin);
    }
    for temperature in &reading.temperatures {
        rows.add(Kind::Temperature, &temperature.name, celsius(temperature.celsius));
    }
    for fan in &reading.fans {
        let parts = [fan.ratio.map(percent), fan.rpm.map(|rpm| format!("{rpm:.0}\u{a0}/min"))];
        let value = parts.into_iter().flatten().collect::<Vec<_>>().join("  ");
        if !value.is_empty() {
            rows.add(Kind::Fan, &fan.name, value);
        }
    }
    for network in reading.networks.iter().filter(|network| network.up != Some(false)) {
        let part = |arrow: &str, rate_per_s: Option<f64>| {
            rate_per_s.map(|per_s| format!("{arrow}{}", rate(per_s, language)))
        };
        let parts = [part("↓", network.received_per_s), part("↑", network.sent_per_s)];
        let value = parts.into_iter().flatten().collect::<Vec<_>>().join("  ");
        if !value.is_empty() {
            rows.add(Kind::Network, &network.device, value);
        }
    }
    for disk in &reading.disks {
        let (used, total) =
            (bytes(disk.space.used_bytes, language), bytes(disk.space.total_bytes, language));
        rows.add(Kind::Disk, &disk.mount, format!("{used} / {total}"));
    }
    for rail in &reading.rails {
        // The current follows from the other two.
        let amperes = rail.amperes.filter(|_| rail.watts.is_none() || rail.volts.is_none());
        let parts = [
            rail.volts.map(|volts| rows.with_unit(volts, 2, "V")),
            amperes.map(|amperes| rows.with_unit(amperes, 2, "A")),
            rail.watts.map(|watts| rows.with_unit(watts, 2, "W")),
        ];
        let value = parts.into_iter().flatten().collect::<Vec<_>>().join("  ");
        rows.add_from(Kind::Rail, &rail.name, value, rail.origin);
    }
    if let Some(mode) = &reading.power_mode {
        rows.add(Kind::Mode, "", mode.clone());
    }
    if let Some(model) = &reading.model {
        rows.add(Kind::Board, "", model.clone());
    }
    if let Some(kernel) = &reading.kernel {
        rows.add(Kind::System, "", kernel.clone());
    }
    let Rows { mut rows, .. } = rows;
    if MAX_ROWS < rows.len() {
        let left = rows.len() - (MAX_ROWS - 1);
        rows.truncate(MAX_ROWS - 1);
        let value = format!("+{left}").into();
        let (kind, origin) = (Kind::More, ui::Origin::Measured);
        rows.push(ui::NodeRow { kind, name: "".into(), value, origin });
    }
    rows
}

fn gpu_rows(rows: &mut Rows, reading: &Reading) {
    use ui::RowKind as Kind;
    for gpu in &reading.gpus {
        // One graphics processor needs no name.
        let name = if reading.gpus.len() == 1 { "" } else { gpu.id.as_str() };
        let parts = [
            gpu.load.map(percent),
            gpu.celsius.map(celsius),
            gpu.watts.map(|watts| rows.with_unit(watts, 1, "W")),
        ];
        let value = parts.into_iter().flatten().collect::<Vec<_>>().join("  ");
        if !value.is_empty() {
            rows.add(Kind::Gpu, name, value);
        }
        if let Some(now) = gpu.hertz {
            rows.add(Kind::GpuClock, name, hertz(now, rows.language));
        }
        if let Some(memory) = gpu.memory {
            let (used, total) =
                (bytes(memory.used_bytes, rows.language), bytes(memory.total_bytes, rows.language));
            rows.add(Kind::GpuMemory, name, format!("{used} / {total}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::reading::{Power, Rail, Temperature};

    #[test]
    fn nothing_known_is_no_line() {
        assert!(rows(&Reading::empty(Instant::now()), Language::English).is_empty());
    }

    #[test]
    fn an_estimate_says_so() {
        let power = Some(Power { watts: 3.2, scope: Scope::Board, origin: Origin::Estimated });
        let reading = Reading { power, ..Reading::empty(Instant::now()) };
        let rows = rows(&reading, Language::Polish);
        assert_eq!((rows[0].value.as_str(), rows[0].origin), ("3,2\u{a0}W", ui::Origin::Estimated));
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let temperature = |index| Temperature { name: format!("zone {index}"), celsius: 40.0 };
        let reading = Reading {
            temperatures: (0..20).map(temperature).collect(),
            rails: (0..12)
                .map(|index| Rail {
                    name: format!("rail {index}"),
                    volts: Some(5.0),
                    amperes: None,
                    watts: None,
                    origin: Origin::Measured,
                })
                .collect(),
            ..Reading::empty(Instant::now())
        };
        let rows = rows(&reading, Language::English);
        assert_eq!(rows.len(), MAX_ROWS);
        assert_eq!((rows[26].kind, rows[26].value.as_str()), (ui::RowKind::More, "+6"));
    }
}
