//! Why a run ended by itself, as a sentence and a way back.

use std::sync::Arc;

use slint::ComponentHandle;

use super::navigation::Navigation;
use crate::{
    catalogue::Demo,
    supervisor::{Fault, State, Status},
    ui,
};

/// Something a visitor should be told about a run that ends or has ended.
#[derive(Debug, PartialEq)]
pub struct Trouble {
    /// What ran.
    pub demo: Arc<Demo>,
    /// What went wrong; `None` if something of the run is left that cannot be ended.
    pub fault: Option<Fault>,
}

/// What there is to tell; nothing if the visitor ended the run, or has already asked for the next one.
pub fn of(status: &Status) -> Option<Trouble> {
    if let State::Stopping { demo, fault, next: None, .. } = &status.state {
        return fault.clone().map(|fault| Trouble { demo: Arc::clone(demo), fault: Some(fault) });
    }
    let ended = status.ended.as_ref().filter(|_| matches!(status.state, State::Idle))?;
    let trouble = ended.fault.is_some() || !ended.verified;
    let fault = ended.fault.clone().filter(|_| ended.verified);
    trouble.then(|| Trouble { demo: Arc::clone(&ended.demo), fault })
}

/// Fills the page.
pub fn show(app: &ui::App, status: &Status, navigation: &Navigation) {
    let Some(trouble) = of(status) else { return };
    let language = navigation.language;
    let text = trouble.demo.text(language.code());
    let seconds = match trouble.fault {
        Some(Fault::NoPicture { after_s } | Fault::Hung { after_s }) => {
            language.decimal(after_s, if after_s.fract() == 0.0 { 0 } else { 1 })
        }
        _ => String::new(),
    };
    let view = app.global::<ui::FaultView>();
    view.set_kind(kind(trouble.fault.as_ref()));
    view.set_title(text.map_or(trouble.demo.id.as_str(), |text| &text.title).into());
    view.set_seconds(seconds.into());
    view.set_detail(trouble.fault.map(|fault| fault.to_string()).unwrap_or_default().into());
    view.set_focused(navigation.button.map_or(-1, |button| button as i32));
}

fn kind(fault: Option<&Fault>) -> ui::FaultKind {
    match fault {
        None => ui::FaultKind::LeftOver,
        Some(Fault::CannotStart { .. }) => ui::FaultKind::CannotStart,
        Some(Fault::NoPicture { .. }) => ui::FaultKind::NoPicture,
        Some(Fault::Hung { .. }) => ui::FaultKind::Hung,
        Some(Fault::Crashed { .. } | Fault::Disconnected | Fault::Unwatched) => {
            ui::FaultKind::Crashed
        }
        Some(Fault::Garbage(_)) => ui::FaultKind::Garbage,
        Some(Fault::Flood { .. }) => ui::FaultKind::Flood,
        Some(Fault::Failed { .. }) => ui::FaultKind::Failed,
    }
}
