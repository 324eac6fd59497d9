//! The choice of computers beside a running demo: what it may be put on, and how fast it was on each today.

use std::{collections::HashMap, rc::Rc};

use slint::{ComponentHandle, ModelRc, VecModel};
use wire::channel::Processor;

use super::{cluster, numbers::Language};
use crate::{
    intent::Scale,
    supervisor::{Standby, Status},
    ui,
};

/// Speeds that were measured, million updates a second, by demo and by what it was on; and the rows of the page.
pub struct Scales {
    speeds: HashMap<(String, Scale), f64>,
    rows: Rc<VecModel<ui::ScaleRow>>,
}

impl Scales {
    /// Connects the page of `app`.
    pub fn new(app: &ui::App) -> Self {
        let rows = Rc::new(VecModel::default());
        app.global::<ui::DemoView>().set_scales(ModelRc::from(Rc::clone(&rows)));
        Self { speeds: HashMap::new(), rows }
    }

    /// Takes notice of the newest statistics; while another run starts beside, they are not what the computers can do.
    pub fn learn(&mut self, demo: &str, status: &Status) {
        let (Some(scale), Some(statistics)) = (status.scale, &status.statistics) else { return };
        if status.standby == Standby::None && status.scale_awaited.is_none() {
            let speed = statistics.updates as f64 / f64::from(statistics.interval_s) / 1e6;
            self.speeds.insert((demo.to_owned(), scale), speed);
        }
    }

    /// Fills the rows.
    pub fn show(&self, demo: &str, status: &Status, language: Language) {
        let speed = |scale: &Scale| self.speeds.get(&(demo.to_owned(), *scale)).copied();
        let measured = |scale: &Scale| Some((cores(scale), speed(scale)?));
        let baseline = status.offers.first().and_then(measured);
        let is_queued = matches!(status.standby, Standby::Queued(_));
        let rows = status.offers.iter().map(|scale| {
            // Efficiency is among equals: cores beside a core, graphics processors beside one.
            let is_like = |other: &&Scale| other.processor == scale.processor;
            let like = status.offers.iter().find(is_like).and_then(measured);
            let measured = measured(scale).map(|measured| Measured::new(measured, baseline, like));
            ui::ScaleRow {
                gpu: scale.processor == Processor::Gpu,
                queued: is_queued,
                computers: scale.computers.map_or(1, |computers| computers.max(1)).into(),
                each: cores_of_each(scale).into(),
                cores: cores(scale).into(),
                chosen: status.scale == Some(*scale),
                awaited: status.scale_awaited == Some(*scale),
                speed: measured.map_or_else(String::new, |m| language.three_digits(m.speed)).into(),
                seconds: measured
                    .map_or_else(String::new, |m| language.decimal(m.seconds, 1))
                    .into(),
                times: measured
                    .and_then(|m| m.times)
                    .map_or_else(String::new, |times| language.decimal(times, 1))
                    .into(),
                percent: measured
                    .and_then(|m| m.efficiency)
                    .map_or_else(String::new, |share| language.decimal(100.0 * share, 0))
                    .into(),
            }
        });
        cluster::update(&self.rows, rows);
    }
}

/// Cores on each computer, or graphics processors.
fn cores_of_each(scale: &Scale) -> u16 {
    scale.ranks.unwrap_or(1).saturating_mul(scale.threads.unwrap_or(1))
}

/// In all.
fn cores(scale: &Scale) -> u16 {
    scale.computers.unwrap_or(1).max(1).saturating_mul(cores_of_each(scale))
}

/// How fast a run was on something.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Measured {
    /// Million updates a second.
    speed: f64,
    /// For a thousand million updates, s.
    seconds: f64,
    /// Speed-up over the smallest offer, if that was measured.
    times: Option<f64>,
    /// Parallel efficiency against the smallest offer of its kind: the speed-up by how many times the ranks there are.
    efficiency: Option<f64>,
}

impl Measured {
    fn new(
        (ranks, speed): (u16, f64),
        baseline: Option<(u16, f64)>,
        like: Option<(u16, f64)>,
    ) -> Self {
        let faster = |(ranks, slow): (u16, f64)| (0.0 < slow).then_some((ranks, speed / slow));
        let times = baseline.and_then(faster).map(|(_, times)| times);
        let efficiency = like.filter(|(fewest, _)| *fewest < ranks).and_then(faster);
        let efficiency =
            efficiency.map(|(fewest, times)| times * f64::from(fewest) / f64::from(ranks));
        Self { speed, seconds: 1e3 / speed.max(1e-3), times, efficiency }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_up_and_efficiency_are_against_the_smallest() {
        let one = Some((1, 100.0));
        let measured = Measured::new((4, 300.0), one, one);
        assert_eq!((measured.times, measured.efficiency), (Some(3.0), Some(0.75)));
        assert!((measured.seconds - 10.0 / 3.0).abs() < 1e-12);
        let unknown = Measured::new((4, 300.0), None, None);
        assert_eq!((unknown.times, unknown.efficiency), (None, None));
        assert_eq!(Measured::new((4, 300.0), Some((1, 0.0)), None).times, None);
        // Two graphics processors: as fast as so many cores, as good as so many of their kind.
        let graphics = Measured::new((2, 900.0), one, Some((1, 500.0)));
        assert_eq!((graphics.times, graphics.efficiency), (Some(9.0), Some(0.9)));
        assert_eq!(Measured::new((1, 500.0), one, Some((1, 500.0))).efficiency, None);
    }
}
