//! The page of the rack's power: the wall, its parts, the day, the air in the chassis and its fan.

use std::{
    ops::Range,
    rc::Rc,
    time::{Duration, Instant},
};

use slint::{ComponentHandle, ModelRc, VecModel};

use super::{
    chart::{Canvas, Slot},
    cluster,
    navigation::Navigation,
    nodes::ABSENT,
    numbers::{Language, celsius},
    palette::Rgb,
};
use crate::{
    config::MeterEntry,
    energy::LONGEST_GAP,
    fan::Fan,
    meter::{Doing, Meter, Trouble},
    room,
    senses::{CHASSIS, Senses, WALL, boards_watts},
    telemetry::{
        Telemetry,
        history::{Band, History, Quantity, Span},
    },
    ui,
};

/// Pixels of the chart of the wall power.
const WALL_SIZE: (u32, u32) = (432, 154);
/// Pixels of the chart of the temperature.
const CHASSIS_SIZE: (u32, u32) = (432, 112);
/// The lowest pixels of the chart of the wall power, where words stand.
const LEGEND: usize = 24;
const INK: Rgb = [0xEA, 0xF0, 0xF6];
/// Most bars of parts that have room.
const MAX_SHARES: usize = 5;

/// What is kept from one refresh to the next.
pub struct PowerPage {
    wall: Canvas,
    chassis: Canvas,
    bands: Vec<Option<Band>>,
    slots: Vec<Slot>,
    shares: Rc<VecModel<ui::PowerShare>>,
}

impl PowerPage {
    /// Connects the page of `app`.
    pub fn new(app: &ui::App) -> Self {
        let shares = Rc::new(VecModel::default());
        app.global::<ui::PowerView>().set_shares(ModelRc::from(Rc::clone(&shares)));
        Self {
            wall: Canvas::new(WALL_SIZE.0, WALL_SIZE.1),
            chassis: Canvas::new(CHASSIS_SIZE.0, CHASSIS_SIZE.1),
            bands: Vec::new(),
            slots: Vec::new(),
            shares,
        }
    }

    /// Shows what is known at `now`.
    pub fn show(
        &mut self,
        app: &ui::App,
        senses: &Senses,
        telemetry: &Telemetry,
        navigation: &Navigation,
        now: Instant,
    ) {
        let (view, language) = (app.global::<ui::PowerView>(), navigation.language);
        show_meter(&view, senses, language, now);
        show_chassis(&view, senses, language, now);
        cluster::update(&self.shares, shares(senses, telemetry, language, now).into_iter());
        view.set_span(match navigation.span {
            Span::Minute => ui::Span::Minute,
            Span::TenMinutes => ui::Span::TenMinutes,
            Span::Hour => ui::Span::Hour,
        });
        let history = super::lock(&senses.history);
        self.draw_wall(&view, &history, senses, navigation.span, language, now);
        self.draw_chassis(&view, &history, senses, navigation.span, now);
    }

    fn draw_wall(
        &mut self,
        view: &ui::PowerView<'_>,
        history: &History,
        senses: &Senses,
        span: Span,
        language: Language,
        now: Instant,
    ) {
        history.slots(WALL, Quantity::Watts, span, now, &mut self.bands);
        let largest = self.bands.iter().flatten().map(|band| band.max).fold(0.0, f32::max);
        let top = [10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0];
        let top = top.into_iter().find(|top| largest <= *top).unwrap_or(largest);
        self.wall.clear();
        // Where in the chart a moment is, 0 at the left.
        let length = self.length(span);
        let at = |when: Instant| {
            1.0 - now.saturating_duration_since(when).as_secs_f32() / length.as_secs_f32()
        };
        let mut has_runs = false;
        for (began, ended) in &senses.runs {
            let (from, to) = (at(*began), ended.map_or(1.0, at));
            has_runs |= 0.0 < to;
            self.wall.band(from, to);
        }
        self.slots.clear();
        let share = |band: Band| [band.min / top, band.mean / top, band.max / top];
        self.slots.extend(self.bands.iter().map(|band| band.map(share)));
        self.wall.line(&self.slots, INK, true);
        let mut missing = Duration::ZERO;
        for (gap, lasted) in gaps(&self.bands, length / self.bands.len() as u32) {
            // What is drawn of a slot reaches half of the way to its neighbours.
            let at = |slot: usize| (slot as f32 - 0.5) / (self.bands.len() - 1) as f32;
            self.wall.hatch(at(gap.start), at(gap.end), LEGEND);
            missing += lasted;
        }
        let missing = if missing.is_zero() { String::new() } else { seconds(missing) };
        view.set_chart_missing(missing.into());
        for (when, _) in &senses.steps {
            self.wall.tick(at(*when), LEGEND);
        }
        view.set_chart(self.wall.image());
        view.set_chart_top(format!("{}\u{a0}W", language.whole(f64::from(top))).into());
        view.set_chart_empty(self.bands.iter().all(Option::is_none));
        view.set_chart_runs(has_runs);
    }

    fn draw_chassis(
        &mut self,
        view: &ui::PowerView<'_>,
        history: &History,
        senses: &Senses,
        span: Span,
        now: Instant,
    ) {
        history.slots(CHASSIS, Quantity::Celsius, span, now, &mut self.bands);
        let (bottom, top) = (0.0, 80.0f32);
        self.chassis.clear();
        self.slots.clear();
        let height = |celsius: f32| (celsius - bottom) / (top - bottom);
        let share = |band: Band| [height(band.min), height(band.mean), height(band.max)];
        self.slots.extend(self.bands.iter().map(|band| band.map(share)));
        let set_point = senses.fan.map(|fan| fan.entry.set_point_celsius as f32);
        if let Some(set_point) = set_point {
            self.chassis.level(height(set_point));
        }
        self.chassis.line(&self.slots, INK, true);
        view.set_celsius_chart(self.chassis.image());
        view.set_celsius_top(celsius(f64::from(top)).into());
        view.set_celsius_bottom(celsius(f64::from(bottom)).into());
        view.set_set_point_at(set_point.map_or(-1.0, |set_point| 1.0 - height(set_point)));
        view.set_set_point(set_point.map_or(String::new(), |it| celsius(f64::from(it))).into());
    }

    fn length(&self, span: Span) -> Duration {
        Duration::from_secs(match span {
            Span::Minute => 60,
            Span::TenMinutes => 600,
            Span::Hour => 3600,
        })
    }
}

/// Slots without a measurement, and from which measurement to which that was about, where that is more than is bridged.
/// What was before the first measurement is no gap.
fn gaps(bands: &[Option<Band>], slot: Duration) -> impl Iterator<Item = (Range<usize>, Duration)> {
    let mut gaps: Vec<Range<usize>> = Vec::new();
    let first = bands.iter().position(Option::is_some).unwrap_or(bands.len());
    for at in (first..bands.len()).filter(|at| bands[*at].is_none()) {
        match gaps.last_mut().filter(|gap| gap.end == at) {
            Some(gap) => gap.end = at + 1,
            None => gaps.push(at..at + 1),
        }
    }
    // At full rate a measurement stands for its slot and for those up to the one that is awaited.
    let beside = if slot < Duration::from_secs(1) { 3 } else { 1 };
    let lasted = move |gap: &Range<usize>| slot * (gap.len() + beside) as u32;
    gaps.into_iter().map(move |gap| (gap.clone(), lasted(&gap))).filter(|gap| LONGEST_GAP < gap.1)
}

/// An age as the strip and the page write it.
pub fn seconds(age: Duration) -> String {
    match age.as_secs() {
        0..=99 => format!("{}\u{a0}s", age.as_secs()),
        100..=5999 => format!("{}\u{a0}min", age.as_secs() / 60),
        _ => format!("{}\u{a0}h", age.as_secs() / 3600),
    }
}

/// The wall power with three digits.
pub fn watts(watts: f64, language: Language) -> String {
    let decimals = usize::from(watts < 99.95);
    format!("{}\u{a0}W", language.decimal(watts, decimals))
}

fn show_meter(view: &ui::PowerView<'_>, senses: &Senses, language: Language, now: Instant) {
    let nothing = (MeterEntry::default(), Meter::default());
    let (entry, meter) = senses.meter.as_ref().unwrap_or(&nothing);
    let reading = meter.reading.as_ref();
    view.set_watts(reading.map_or(ABSENT.into(), |it| watts(it.measured.watts, language)).into());
    view.set_fresh(meter.fresh(now).is_some());
    let age = |at: Instant| seconds(now.saturating_duration_since(at));
    view.set_age(reading.map_or(String::new(), |reading| age(reading.at)).into());
    view.set_word(match senses.meter {
        Some(_) => word(meter, now),
        None => ui::MeterWord::NotSetUp,
    });
    let again = meter.again_at.filter(|again| now < *again);
    view.set_again(again.map_or(String::new(), |it| seconds(it - now)).into());
    let limit = meter.limit_watts.map_or(String::new(), |limit| format!("{limit}\u{a0}W"));
    view.set_limit(limit.into());
    let measured = reading.map(|reading| reading.measured).unwrap_or_default();
    view.set_volts(format!("{:.0}\u{a0}V", measured.volts).into());
    view.set_hertz(format!("{:.0}\u{a0}Hz", measured.hertz).into());
    let factor = measured.power_factor();
    view.set_factor(factor.map_or(String::new(), |it| language.decimal(it, 2)).into());
    let day = meter.day.as_ref();
    let kilowatt_hours = day.map_or(0.0, |day| day.wh / 1000.0);
    let energy = format!("{}\u{a0}kWh", language.decimal(kilowatt_hours, 3));
    view.set_day(day.map_or(String::new(), |_| energy).into());
    let since = day.map_or(String::new(), |day| day.since.strftime("%H:%M").to_string());
    view.set_day_since(since.into());
    let cost = entry.price_per_kwh.filter(|_| day.is_some()).map(|price| {
        format!("{}\u{a0}{}", language.decimal(price * kilowatt_hours, 2), entry.currency)
    });
    view.set_day_cost(cost.unwrap_or_default().into());
}

/// What there is to say about the meter.
fn word(meter: &Meter, now: Instant) -> ui::MeterWord {
    match meter.trouble {
        Some(Trouble::NoBus) => ui::MeterWord::NoBus,
        Some(Trouble::NoBluetooth) => ui::MeterWord::NoBluetooth,
        Some(Trouble::NoAdapter) => ui::MeterWord::NoAdapter,
        Some(Trouble::AdapterOff) => ui::MeterWord::AdapterOff,
        Some(Trouble::NotFound) => ui::MeterWord::NotFound,
        Some(Trouble::Busy) => ui::MeterWord::Busy,
        Some(Trouble::NoConnection) => ui::MeterWord::NoConnection,
        Some(Trouble::NotAMeter) => ui::MeterWord::NotAMeter,
        Some(Trouble::WrongPin) => ui::MeterWord::WrongPin,
        Some(Trouble::Silent) => ui::MeterWord::Silent,
        Some(Trouble::Damaged) => ui::MeterWord::Damaged,
        Some(Trouble::Lost) => ui::MeterWord::Lost,
        None if meter.doing != Doing::Measuring => ui::MeterWord::Looking,
        None if meter.is_near_limit() => ui::MeterWord::NearLimit,
        None if meter.fresh(now).is_some_and(|it| !it.measured.is_on) => ui::MeterWord::SwitchedOff,
        None => ui::MeterWord::None,
    }
}

fn show_chassis(view: &ui::PowerView<'_>, senses: &Senses, language: Language, now: Instant) {
    let room = senses.room.unwrap_or_default();
    let with_unit = |value: f64, unit: &str| format!("{}\u{a0}{unit}", language.decimal(value, 1));
    let reading = room.reading;
    view.set_celsius(reading.map_or(String::new(), |it| with_unit(it.air.celsius, "°C")).into());
    let humidity = reading.map(|it| format!("{:.0}\u{a0}%", it.air.humidity_percent));
    view.set_humidity(humidity.unwrap_or_default().into());
    let age = reading.filter(|_| room.fresh(now).is_none());
    let age = age.map(|reading| seconds(now.saturating_duration_since(reading.at)));
    view.set_celsius_age(age.unwrap_or_default().into());
    view.set_room(match (senses.room, room.trouble) {
        (None, _) => ui::RoomWord::NotSetUp,
        (_, Some(room::Trouble::NoDriver)) => ui::RoomWord::NoDriver,
        (_, Some(room::Trouble::NoPins)) => ui::RoomWord::NoPins,
        (_, Some(room::Trouble::Taken)) => ui::RoomWord::Taken,
        (_, Some(room::Trouble::Denied)) => ui::RoomWord::Denied,
        (_, Some(room::Trouble::NoAnswer)) => ui::RoomWord::NoAnswer,
        (_, Some(room::Trouble::Damaged)) => ui::RoomWord::Damaged,
        (_, Some(room::Trouble::Absurd)) => ui::RoomWord::Absurd,
        (_, None) if reading.is_none() => ui::RoomWord::Looking,
        (_, None) => ui::RoomWord::None,
    });
    view.set_fan(senses.fan.as_ref().map_or(ui::FanWord::None, fan_word));
    let below = senses.fan.and_then(|fan| Some(fan.entry.set_point_celsius - fan.celsius?));
    view.set_fan_below(below.map_or(String::new(), celsius).into());
    let stop = senses.fan.map(|fan| fan.entry.set_point_celsius - fan.entry.hysteresis_k);
    view.set_fan_stop(stop.map_or(String::new(), celsius).into());
    let wire = senses.fan.and_then(|fan| fan.entry.wire);
    view.set_fan_pin(wire.map_or(String::new(), |wire| wire.gpio.to_string()).into());
}

fn fan_word(fan: &Fan) -> ui::FanWord {
    match fan.sensed {
        Some(true) => return ui::FanWord::OnMeasured,
        Some(false) => return ui::FanWord::OffMeasured,
        None => {}
    }
    match (fan.celsius, fan.runs, fan.is_confirmed()) {
        (None, ..) => ui::FanWord::None,
        (_, None, _) => ui::FanWord::Between,
        (_, Some(true), Some(true)) => ui::FanWord::OnConfirmed,
        (_, Some(true), Some(false)) => ui::FanWord::OnContradicted,
        (_, Some(true), None) => ui::FanWord::On,
        (_, Some(false), Some(false)) => ui::FanWord::OffContradicted,
        (_, Some(false), _) => ui::FanWord::Below,
    }
}

/// The parts of the wall power that are measured, and the outlets against what they may give.
fn shares(
    senses: &Senses,
    telemetry: &Telemetry,
    language: Language,
    now: Instant,
) -> Vec<ui::PowerShare> {
    let mut shares = Vec::new();
    let mut add = |kind, pair: u8, value: String, share: f64, over| {
        let pair = pair.to_string().into();
        shares.push(ui::PowerShare { kind, pair, value: value.into(), share: share as f32, over });
    };
    let wall = senses.meter.as_ref().and_then(|(_, meter)| meter.fresh(now));
    let wall = wall.map(|reading| reading.measured.watts).filter(|watts| 0.0 < *watts);
    let boards = boards_watts(telemetry, now);
    if let (Some(wall), Some(boards)) = (wall, boards) {
        add(ui::PowerPart::Computers, 0, watts(boards, language), boards / wall, wall < boards);
        if boards <= wall {
            let rest = wall - boards;
            add(ui::PowerPart::Rest, 0, watts(rest, language), rest / wall, false);
        }
    }
    let budget = senses
        .meter
        .as_ref()
        .map_or_else(|| MeterEntry::default().usb_pair_watts, |(entry, _)| entry.usb_pair_watts);
    let mut pairs: Vec<u8> = senses.pairs.iter().map(|(_, pair)| *pair).collect();
    pairs.sort_unstable();
    pairs.dedup();
    for pair in pairs {
        let on_it = senses.pairs.iter().filter(|(_, fed)| *fed == pair);
        let powers = on_it.map(|(name, _)| {
            let node = telemetry.nodes.iter().find(|node| node.name == *name)?;
            let power = node.reading.as_ref()?.power?;
            let is_fresh = node.freshness(now) == crate::telemetry::Freshness::Fresh;
            is_fresh.then_some(power.watts)
        });
        let Some(powers) = powers.collect::<Option<Vec<f64>>>() else { continue };
        let sum: f64 = powers.iter().sum();
        let value = format!("{} / {}", watts(sum, language), watts(budget, language));
        add(ui::PowerPart::Pair, pair, value, sum / budget, budget < sum);
    }
    shares.truncate(MAX_SHARES);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_lies_between_two_measurements_or_lasts_still() {
        let band = Some(Band { min: 1.0, mean: 1.0, max: 1.0 });
        let found = |bands: &[Option<Band>], slot: u64| -> Vec<_> {
            gaps(bands, Duration::from_millis(slot))
                .map(|(gap, lasted)| (gap, lasted.as_secs_f64()))
                .collect()
        };
        let hour = [None, band, None, band, band, None, None];
        assert_eq!(found(&hour, 10_000), [(2..3, 20.0), (5..7, 30.0)]);
        // At full rate three seconds are bridged.
        let minute = |missing: usize| [vec![band; 4], vec![None; missing], vec![band]].concat();
        assert_eq!(found(&minute(3), 500), []);
        assert_eq!(found(&minute(4), 500), [(4..8, 3.5)]);
        assert_eq!(found(&[None; 5], 500), [], "never heard of");
    }
}
