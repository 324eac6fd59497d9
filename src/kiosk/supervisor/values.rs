//! The values of the controls of what a visitor launched: they outlive a run that carries on elsewhere.

use std::{collections::BTreeMap, sync::Arc};

use wire::kiosk::Control;

use crate::catalogue::{ControlKind, Demo};

/// Values by control.
#[derive(Clone, Debug)]
pub struct Values {
    demo: Arc<Demo>,
    values: BTreeMap<String, f64>,
}

impl Values {
    /// The defaults of a demo.
    pub fn new(demo: &Arc<Demo>) -> Self {
        let values = demo.controls.iter().map(|c| (c.name.clone(), c.default)).collect();
        Self { demo: Arc::clone(demo), values }
    }

    /// Sets a control within its range; what the demo is to be told. A control that it does not have is ignored, and so is
    /// what is no number.
    pub fn set(&mut self, name: &str, value: f64) -> Option<Control> {
        let control = self.demo.controls.iter().find(|control| control.name == name)?;
        if value.is_nan() {
            return None;
        }
        let value = value.clamp(control.min, control.max);
        self.values.insert(name.into(), value);
        Some(Control { name: name.into(), value })
    }

    /// What a demo that has just introduced itself is told: all but the buttons, which are not pressed again.
    pub fn all(&self) -> impl Iterator<Item = Control> {
        let lasting = self.demo.controls.iter().filter(|c| c.kind != ControlKind::Button);
        lasting.map(|control| Control {
            name: control.name.clone(),
            value: self.values.get(&control.name).copied().unwrap_or(control.default),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn values() -> Values {
        let text = "order = 1\naudience = 'visitor'\nprogram = 'p'\nmpi = false\nfirst_frame_s = 5\n\
            [text.en]\ntitle = 'T'\nline = 'L'\n\
            [[control]]\nname = 'speed'\nkind = 'slider'\nrange = [0.0, 2.0]\ndefault = 1.0\n\
            [control.text.en]\nlabel = 'Speed'\n\
            [[control]]\nname = 'again'\nkind = 'button'\n[control.text.en]\nlabel = 'Again'\n";
        Values::new(&Arc::new(Demo::parse("p", Path::new("/p"), "x86_64", text).unwrap()))
    }

    #[test]
    fn values_stay_within_their_range_and_buttons_are_pressed_once() {
        let mut values = values();
        let control = |name: &str, value| Control { name: name.into(), value };
        assert_eq!(values.all().collect::<Vec<_>>(), [control("speed", 1.0)]);
        assert_eq!(values.set("speed", 9.0), Some(control("speed", 2.0)));
        assert!(values.set("again", 1.0).is_some());
        assert_eq!(values.set("speed", f64::NAN), None);
        assert_eq!(values.set("colour", 1.0), None);
        assert_eq!(values.all().collect::<Vec<_>>(), [control("speed", 2.0)]);
    }
}
