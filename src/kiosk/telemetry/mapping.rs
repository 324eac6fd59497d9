//! From what a node says to a [`Reading`]: our agent's metrics, and those of any node_exporter, by their names.
//! Pure: text, the counters before and the time in; what is known out.

mod board;
mod hwmon;
mod processors;
mod said;
mod sensors;
mod traffic;

use std::time::Instant;

use super::{
    history::Quantity,
    reading::{Origin, Reading},
};
pub use said::{AnswerError, Known, Said, Value};

/// Most parts of one kind (sensors, fans, links, file systems, ...) that a reading holds; no real node has more.
const MAX_PARTS: usize = 256;
/// Most characters of a name that is shown.
const MAX_TEXT: usize = 64;

/// The counters of one answer, from which the next one's rates are made.
#[derive(Debug, Default)]
pub struct Counters {
    at: Option<Instant>,
    cores: processors::CoreTimes,
    links: Vec<traffic::Link>,
    packages: Vec<board::Package>,
}

/// What `said` means, at `now`; `counters` are those of the answer before and become those of this one.
pub fn reading(said: &Said<'_>, counters: &mut Counters, now: Instant) -> Reading {
    let seconds = counters
        .at
        .map(|before| now.saturating_duration_since(before).as_secs_f64())
        .filter(|seconds| 0.0 < *seconds);
    let mut reading = Reading { refused: said.refused, ..Reading::empty(now) };
    processors::read(said, &mut counters.cores, &mut reading);
    traffic::read(said, &mut counters.links, seconds, &mut reading);
    let hwmon = hwmon::Hwmon::of(said);
    sensors::read(said, &hwmon, &mut reading);
    board::read(said, &hwmon, &mut counters.packages, seconds, &mut reading);
    counters.at = Some(now);
    reading
}

/// What of a reading is charted.
pub fn charted(reading: &Reading) -> [(Quantity, Option<f64>); Quantity::ALL.len()] {
    let sum = |rate: fn(&super::reading::Network) -> Option<f64>| {
        reading.networks.iter().filter_map(rate).reduce(|sum, rate| sum + rate)
    };
    Quantity::ALL.map(|quantity| {
        let value = match quantity {
            Quantity::Load => reading.load,
            Quantity::Gpu => reading.gpus.first().and_then(|gpu| gpu.load),
            Quantity::Memory => reading.memory.map(|memory| memory.share()),
            Quantity::Celsius => reading.celsius,
            Quantity::Watts => reading.power.map(|power| power.watts),
            Quantity::Fan => reading.fans.first().and_then(|fan| fan.ratio),
            Quantity::Received => sum(|network| network.received_per_s),
            Quantity::Sent => sum(|network| network.sent_per_s),
        };
        (quantity, value)
    })
}

/// How a value came about, by its label; measured where that is not said, as in everything of node_exporter.
fn origin(value: &Value<'_>) -> Origin {
    match value.label("origin").as_deref() {
        Some("estimated") => Origin::Estimated,
        Some("inferred") => Origin::Inferred,
        Some("simulated") => Origin::Simulated,
        _ => Origin::Measured,
    }
}

/// A text of the node as it may be shown: short, on one line; `None` if nothing of it is left.
fn shown(text: &str) -> Option<String> {
    let printable = text.chars().filter(|character| !character.is_control());
    let clipped: String = printable.take(MAX_TEXT).collect();
    let trimmed = clipped.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// The label's text as it may be shown.
fn named(value: &Value<'_>, label: &str) -> Option<String> {
    shown(&value.label(label)?)
}

/// The element for which `is` holds; a new one where there is none yet and `MAX_PARTS` are not reached.
fn part<T>(parts: &mut Vec<T>, is: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> Option<&mut T> {
    match parts.iter().position(is) {
        Some(place) => parts.get_mut(place),
        None if parts.len() < MAX_PARTS => {
            parts.push(new());
            parts.last_mut()
        }
        None => None,
    }
}

#[cfg(test)]
mod tests;
