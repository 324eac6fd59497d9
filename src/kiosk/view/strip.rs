//! The strip below every page: this machine, the ranks of the run in their colours, the clock.

use std::{rc::Rc, time::Instant};

use slint::{Color, ComponentHandle, Model, ModelRc, VecModel};

use super::{
    canvas,
    numbers::{celsius, percent},
};
use crate::{
    supervisor::{State, Status},
    telemetry::{Sample, Telemetry},
    ui,
};

/// Most ranks the strip has room for; the picture shows them all.
const MAX_SHOWN: usize = 16;
const ABSENT: &str = "–";

/// Where the kiosk stands.
pub struct Machine {
    /// What it calls itself.
    pub host: String,
    /// The time of day there.
    pub clock: Box<dyn Fn() -> jiff::civil::Time>,
}

impl Machine {
    /// This machine: its name up to the first dot, its clock.
    pub fn this() -> Self {
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let host = name.split('.').next().unwrap_or_default().to_owned();
        Self { host, clock: Box::new(|| jiff::Zoned::now().time()) }
    }
}

/// The rows of the strip that are kept from one refresh to the next.
pub struct Strip {
    ranks: Rc<VecModel<ui::RankShare>>,
}

impl Strip {
    /// Connects the strip of `app`.
    pub fn new(app: &ui::App) -> Self {
        let ranks = Rc::new(VecModel::default());
        let view = app.global::<ui::StripView>();
        view.set_ranks(ModelRc::from(Rc::clone(&ranks)));
        Self { ranks }
    }

    /// Shows what is known at `now`.
    pub fn show(
        &self,
        app: &ui::App,
        telemetry: &Telemetry,
        status: &Status,
        machine: &Machine,
        now: Instant,
    ) {
        let view = app.global::<ui::StripView>();
        view.set_host(machine.host.as_str().into());
        let load = fresh(telemetry.load, now);
        view.set_load(load.map_or(ABSENT.into(), |load| percent(load).into()));
        view.set_load_share(load.map_or(-1.0, |load| load as f32));
        let degrees = fresh(telemetry.celsius, now);
        view.set_temperature(degrees.map_or(ABSENT.into(), |degrees| celsius(degrees).into()));
        view.set_clock((machine.clock)().strftime("%H:%M").to_string().into());
        self.show_ranks(rank_shares(status));
    }

    fn show_ranks(&self, shares: Vec<ui::RankShare>) {
        if shares.len() != self.ranks.row_count() {
            self.ranks.set_vec(shares);
            return;
        }
        for (row, share) in shares.into_iter().enumerate() {
            if self.ranks.row_data(row).as_ref() != Some(&share) {
                self.ranks.set_row_data(row, share);
            }
        }
    }
}

fn fresh(sample: Option<Sample<f64>>, now: Instant) -> Option<f64> {
    sample.filter(|sample| !sample.is_stale(now)).map(|sample| sample.value)
}

/// The ranks of the run that is on, with their shares once there are statistics.
fn rank_shares(status: &Status) -> Vec<ui::RankShare> {
    if !matches!(status.state, State::Running { .. }) {
        return Vec::new();
    }
    let Some(hello) = &status.hello else { return Vec::new() };
    let statistics = status.statistics.as_ref();
    let hues = canvas::hues(hello);
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
