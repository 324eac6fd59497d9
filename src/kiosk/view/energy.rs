//! The energy of the run on its page: what it has taken so far, and what that is like.

use slint::ComponentHandle;

use super::numbers::{Language, percent};
use crate::{
    energy::{Comparison, compare},
    senses::{By, Senses},
    ui,
};

/// Shows the energy of the run that is on; nothing before there are two samples.
pub fn show(app: &ui::App, senses: &Senses, language: Language) {
    let view = app.global::<ui::EnergyView>();
    let run = senses.run.filter(|run| run.ended.is_none() && 0.0 < run.energy.covered_s);
    let Some(run) = run else {
        view.set_kind(ui::EnergyKind::None);
        return;
    };
    let energy = run.energy;
    let (kind, value, error) = match (run.by, energy.above_joules) {
        (By::Rails, _) => (ui::EnergyKind::Boards, energy.all_joules, energy.all_error_joules),
        (By::Wall, Some(above)) => (ui::EnergyKind::Above, above, energy.above_error_joules),
        (By::Wall, None) => (ui::EnergyKind::All, energy.all_joules, energy.all_error_joules),
    };
    view.set_kind(kind);
    view.set_joules(joules(value, error, language).into());
    let (like, amount) = match compare(value) {
        None => (ui::EnergyLike::None, String::new()),
        Some(Comparison::Child(metres)) => {
            (ui::EnergyLike::Child, format!("{}\u{a0}m", language.three_digits(metres)))
        }
        Some(Comparison::Phones(part)) if part < 1.0 => (ui::EnergyLike::Charge, percent(part)),
        Some(Comparison::Phones(count)) => (ui::EnergyLike::Charges, language.decimal(count, 1)),
        Some(Comparison::Cups(count)) => (ui::EnergyLike::Cups, language.decimal(count, 1)),
    };
    view.set_like(like);
    view.set_amount(amount.into());
}

/// An energy with what it may be off.
fn joules(value: f64, error: f64, language: Language) -> String {
    let (scale, unit) = match value.abs() {
        small if small < 1e3 => (1.0, "J"),
        middle if middle < 1e6 => (1e3, "kJ"),
        _ => (1e6, "MJ"),
    };
    let decimals = if scale == 1.0 { 0 } else { 2 };
    let number = |value: f64| language.decimal(value / scale, decimals);
    format!("{} ± {}\u{a0}{unit}", number(value), number(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energies_have_a_unit_that_fits_and_what_they_may_be_off() {
        assert_eq!(joules(450.4, 12.0, Language::English), "450 ± 12\u{a0}J");
        assert_eq!(joules(5_310.0, 60.0, Language::Polish), "5,31 ± 0,06\u{a0}kJ");
        assert_eq!(joules(-3.0, 9.0, Language::Polish), "-3 ± 9\u{a0}J");
    }
}
