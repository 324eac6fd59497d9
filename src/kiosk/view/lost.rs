//! The part of a picture whose computer is lost: hatched until pictures of whoever is left arrive.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use slint::{ComponentHandle, ModelRc, VecModel};
use wire::demo::Hello;

use super::{canvas::same_host, cluster::update, touch};
use crate::{
    supervisor::{Condition, State, Status},
    telemetry::{Freshness, Node, Telemetry},
    ui,
};

/// Without a new picture for so long, a picture is no sign of life of whoever computed it.
const QUIET: Duration = Duration::from_secs(1);

/// The hatched parts of the picture on the screen.
pub struct Lost {
    regions: Rc<VecModel<ui::LostRegion>>,
    /// Who computes the pictures, as the run that showed some has said.
    hello: RefCell<Option<Arc<Hello>>>,
    /// When the newest one came.
    painted: Cell<Option<Instant>>,
}

impl Lost {
    /// Connects the page of `app`.
    pub fn new(app: &ui::App) -> Self {
        let regions = Rc::new(VecModel::default());
        app.global::<ui::DemoView>().set_lost(ModelRc::from(Rc::clone(&regions)));
        Self { regions, hello: RefCell::default(), painted: Cell::new(None) }
    }

    /// A new picture is on the screen.
    pub fn painted(&self, now: Instant) {
        self.painted.set(Some(now));
    }

    /// Hatches what nobody computes any more at `now`.
    pub fn show(&self, telemetry: &Telemetry, status: &Status, now: Instant) {
        // A run that only starts has said who will compute its pictures, not who has computed the one on the screen.
        if let (State::Running { .. }, Some(hello)) = (&status.state, &status.hello) {
            *self.hello.borrow_mut() = Some(Arc::clone(hello));
        }
        let is_quiet = |at: Instant| QUIET < now.saturating_duration_since(at);
        let hello = self.hello.borrow();
        let quiet = hello.as_ref().filter(|_| self.painted.get().is_some_and(is_quiet));
        let regions = quiet.map_or(Vec::new(), |hello| {
            let is_lost = |host: &str| is_lost(host, telemetry, status, now);
            let size = (hello.width, hello.height);
            let ranks = hello.ranks.iter().filter(|rank| is_lost(&rank.host));
            ranks
                .map(|rank| {
                    let [x, y, width, height] =
                        [rank.x, rank.y, rank.width, rank.height].map(f32::from);
                    let (left, top) = touch::on_canvas((x, y), size);
                    let (right, bottom) = touch::on_canvas((x + width, y + height), size);
                    ui::LostRegion { left, top, width: right - left, height: bottom - top }
                })
                .collect()
        });
        update(&self.regions, regions.into_iter());
    }
}

/// Whether a computer that took part does not answer any more.
fn is_lost(host: &str, telemetry: &Telemetry, status: &Status, now: Instant) -> bool {
    let is_silent = |node: &Arc<Node>| {
        let is_fresh = matches!(node.freshness(now), Freshness::Fresh | Freshness::Awaited);
        same_host(&node.name, host) && (node.trouble.is_some() || !is_fresh)
    };
    let is_left_out = |(name, condition): &(String, Condition)| {
        same_host(name, host) && *condition == Condition::Silent
    };
    status.placement.left_out.iter().any(is_left_out) || telemetry.nodes.iter().any(is_silent)
}
