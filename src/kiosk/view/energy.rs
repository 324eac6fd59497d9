//! The energy of the run on its page: what it has taken so far, and what that is like.

use std::time::{Duration, Instant};

use slint::ComponentHandle;
use wire::demo::Unit;

use super::{
    numbers::{Language, percent},
    power::seconds,
};
use crate::{
    energy::{Comparison, compare},
    senses::{By, RunEnergy, Senses},
    ui,
};

/// Shows the energy of the run that is on; nothing before there are two samples.
pub fn show(app: &ui::App, senses: &Senses, language: Language, now: Instant) {
    let view = app.global::<ui::EnergyView>();
    let run = senses.run.filter(|run| run.ended.is_none() && 0.0 < run.energy.covered_s);
    let Some(run) = run else {
        view.set_kind(ui::EnergyKind::None);
        return;
    };
    let (kind, value, error) = shown(&run);
    view.set_kind(kind);
    view.set_joules(joules(value, error, language).into());
    show_completeness(&view, &run, value, language, now);
}

/// What the energy is like, or, where a part of the run was not measured, how much of it.
fn show_completeness(
    view: &ui::EnergyView,
    run: &RunEnergy,
    value: f64,
    language: Language,
    now: Instant,
) {
    let missing = run.missing(now);
    if missing.is_zero() {
        view.set_missing(Default::default());
        show_likeness(view, compare(value), language);
    } else {
        view.set_missing(seconds(missing).into());
        show_likeness(view, None, language);
    }
}

/// How long the energy of a run stays on the home page after its end.
const CARD_SHOWN: Duration = Duration::from_secs(20);

/// Shows for a while what the run that is over has taken, if it is the one that `began` then: a visitor's.
pub fn show_card(
    app: &ui::App,
    senses: &Senses,
    began: Option<Instant>,
    language: Language,
    now: Instant,
) {
    let view = app.global::<ui::EnergyView>();
    let is_new = |ended: Instant| now.saturating_duration_since(ended) < CARD_SHOWN;
    let is_told = |run: &RunEnergy| {
        Some(run.began) == began && 0.0 < run.energy.covered_s && run.ended.is_some_and(is_new)
    };
    let Some(run) = senses.run.filter(is_told) else { return view.set_told(false) };
    let energy = run.energy;
    let (kind, value, error) = shown(&run);
    let length =
        run.ended.map_or(0.0, |ended| ended.saturating_duration_since(run.began).as_secs_f64());
    view.set_kind(kind);
    view.set_seconds(language.decimal(length, 0).into());
    view.set_joules(joules(value, error, language).into());
    view.set_all(joules(energy.all_joules, energy.all_error_joules, language).into());
    // Nothing below what it may be off is divided, and no part of a run by all of its updates.
    let is_known = 0.0 < run.updates && error < value && run.missing(now).is_zero();
    let each = is_known.then(|| small_joules(value / (run.updates / 1e6), language));
    view.set_each(each.unwrap_or_default().into());
    view.set_droplets(run.unit == Unit::Droplets);
    show_completeness(&view, &run, value, language, now);
    view.set_told(true);
}

/// Which of its energies is the one to show, and what it may be off.
fn shown(run: &RunEnergy) -> (ui::EnergyKind, f64, f64) {
    let energy = run.energy;
    match (run.by, energy.above_joules) {
        (By::Rails, _) => (ui::EnergyKind::Boards, energy.all_joules, energy.all_error_joules),
        (By::Wall, Some(above)) => (ui::EnergyKind::Above, above, energy.above_error_joules),
        (By::Wall, None) => (ui::EnergyKind::All, energy.all_joules, energy.all_error_joules),
    }
}

fn show_likeness(view: &ui::EnergyView, like: Option<Comparison>, language: Language) {
    let (like, amount) = match like {
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

/// A small energy in three digits.
fn small_joules(value: f64, language: Language) -> String {
    let (scale, unit) = match value {
        large if 1.0 <= large => (1.0, "J"),
        middle if 1e-3 <= middle => (1e-3, "mJ"),
        _ => (1e-6, "µJ"),
    };
    format!("{}\u{a0}{unit}", language.three_digits(value / scale))
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
        assert_eq!(small_joules(2.5, Language::English), "2.50\u{a0}J");
        assert_eq!(small_joules(0.0334, Language::Polish), "33,4\u{a0}mJ");
        assert_eq!(small_joules(4.2e-5, Language::English), "42.0\u{a0}µJ");
        assert_eq!(joules(-3.0, 9.0, Language::Polish), "-3 ± 9\u{a0}J");
    }
}
