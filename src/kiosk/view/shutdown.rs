//! The page on which the cluster is shut down.

use std::{rc::Rc, time::Instant};

use slint::{ComponentHandle, ModelRc, VecModel};

use super::{View, cluster, navigation::Page};
use crate::{
    intent::Intent,
    owner::{
        Order,
        shutdown::{Leaving, ShutDown},
    },
    ui,
};

/// Computers that have room on the page.
const ROWS: usize = 5;

/// What is kept of the page.
pub struct ShutDownPage {
    computers: Rc<VecModel<ui::LeavingComputer>>,
}

impl ShutDownPage {
    /// Connects the page of `app`.
    pub fn new(app: &ui::App) -> Self {
        let computers = Rc::new(VecModel::default());
        app.global::<ui::ShutDownView>().set_computers(ModelRc::from(Rc::clone(&computers)));
        Self { computers }
    }

    /// Shows how far it is; nothing where nobody wants it, or not any more.
    pub fn show(&self, app: &ui::App, told: &ShutDown, now: Instant) {
        use ui::ShutDownStage as Stage;
        let view = app.global::<ui::ShutDownView>();
        let (stage, until, computers, why) = match told {
            // It was asked for and has not begun, or it was cancelled and this page goes.
            ShutDown::None => return,
            ShutDown::Counting(until) => (Stage::Counting, Some(until), &[][..], ""),
            ShutDown::Others(computers) => (Stage::Others, None, &computers[..], ""),
            ShutDown::Stuck(computers) => (Stage::Stuck, None, &computers[..], ""),
            ShutDown::Last(until) => (Stage::Last, Some(until), &[][..], ""),
            ShutDown::Told => (Stage::Told, None, &[][..], ""),
            ShutDown::Failed(why) => (Stage::Failed, None, &[][..], why.as_str()),
        };
        view.set_stage(stage);
        let left = until.map(|until| until.into_std().saturating_duration_since(now));
        view.set_seconds(left.map_or(0, |left| left.as_secs_f64().ceil() as i32));
        view.set_why(why.into());
        // Those that still answer matter, if not all have room.
        let (silent, answering): (Vec<&Leaving>, Vec<&Leaving>) =
            computers.iter().partition(|computer| computer.is_silent);
        let row = |computer: &Leaving| ui::LeavingComputer {
            name: computer.name.as_str().into(),
            silent: computer.is_silent,
            trouble: computer.trouble.as_deref().unwrap_or_default().into(),
        };
        let all = computers.len() <= ROWS;
        let rows: Vec<_> = match all {
            true => computers.iter().map(row).collect(),
            false => answering.into_iter().chain(silent).take(ROWS).map(row).collect(),
        };
        view.set_more((computers.len() - rows.len()) as i32);
        cluster::update(&self.computers, rows.into_iter());
    }
}

impl View {
    pub(super) fn listen_to_shut_down(self: &Rc<Self>, app: &ui::App) {
        let view = Rc::clone(self);
        app.global::<ui::OwnerView>().on_shut_down(move || {
            view.stop_run();
            view.send(Intent::Owner(Order::ShutDown));
        });
        let page = app.global::<ui::ShutDownView>();
        let view = Rc::clone(self);
        page.on_cancel(move || {
            view.send(Intent::Owner(Order::StayUp));
            view.change(|n| n.page = Page::Owner);
        });
        let view = Rc::clone(self);
        page.on_go_on(move || view.send(Intent::Owner(Order::GoOn)));
    }
}
