//! How a run ended, as a sentence and a way back.

use std::{sync::Arc, time::Instant};

use slint::ComponentHandle;

use super::{
    navigation::Navigation,
    numbers::{Language, celsius},
};
use crate::{
    catalogue::Demo,
    supervisor::{Fault, State, Status},
    ui,
};

/// The end of a run that a visitor should be told of.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// What ran.
    pub demo: Arc<Demo>,
    /// Since when it ends, or when it was over.
    pub since: Instant,
    /// How.
    pub how: How,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum How {
    /// It went wrong.
    Fault(Fault),
    /// It was over without anybody having stopped it.
    Finished,
    /// Something of it is left that cannot be ended.
    LeftOver,
}

/// How the last run ended, or is about to; nothing while one goes on or the next is already wanted.
pub fn of(status: &Status) -> Option<Ending> {
    match &status.state {
        State::Stopping { demo, since, fault: Some(fault), next: None } => {
            let how = How::Fault(fault.clone());
            Some(Ending { demo: Arc::clone(demo), since: *since, how })
        }
        State::Idle => {
            let ended = status.ended.as_ref()?;
            let how = match &ended.fault {
                _ if !ended.verified => How::LeftOver,
                Some(fault) => How::Fault(fault.clone()),
                None => How::Finished,
            };
            Some(Ending { demo: Arc::clone(&ended.demo), since: ended.at, how })
        }
        _ => None,
    }
}

/// Fills the page.
pub fn show(app: &ui::App, ending: &Ending, navigation: &Navigation) {
    let language = navigation.language;
    let text = ending.demo.text(language.code());
    let view = app.global::<ui::FaultView>();
    view.set_kind(kind(&ending.how));
    view.set_title(text.map_or(ending.demo.id.as_str(), |text| &text.title).into());
    if let How::Fault(Fault::TooHot(heat)) = &ending.how {
        view.set_host(heat.host.as_str().into());
        view.set_cools_to(celsius(heat.limit_celsius).into());
    }
    view.set_seconds(seconds(&ending.how, language).into());
    let detail = match &ending.how {
        How::Fault(fault) => fault.to_string(),
        How::Finished | How::LeftOver => String::new(),
    };
    view.set_detail(detail.into());
    view.set_focused(navigation.button.map_or(-1, |button| button as i32));
}

fn seconds(how: &How, language: Language) -> String {
    match how {
        How::Fault(Fault::NoPicture { after_s } | Fault::Hung { after_s }) => {
            language.decimal(*after_s, if after_s.fract() == 0.0 { 0 } else { 1 })
        }
        _ => String::new(),
    }
}

fn kind(how: &How) -> ui::FaultKind {
    let fault = match how {
        How::Finished => return ui::FaultKind::Finished,
        How::LeftOver => return ui::FaultKind::LeftOver,
        How::Fault(fault) => fault,
    };
    match fault {
        Fault::CannotStart { .. } => ui::FaultKind::CannotStart,
        Fault::NoPicture { .. } => ui::FaultKind::NoPicture,
        Fault::Hung { .. } => ui::FaultKind::Hung,
        Fault::Crashed { .. } | Fault::Disconnected | Fault::Unwatched => ui::FaultKind::Crashed,
        Fault::Garbage(_) => ui::FaultKind::Garbage,
        Fault::Flood { .. } => ui::FaultKind::Flood,
        Fault::Failed { .. } => ui::FaultKind::Failed,
        Fault::TooHot(_) => ui::FaultKind::Hot,
        // None of them ends a run for good: it goes on here.
        Fault::Taken { .. } | Fault::NotAllocated { .. } | Fault::Revoked { .. } => {
            ui::FaultKind::CannotStart
        }
    }
}
