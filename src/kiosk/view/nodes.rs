//! One node in a visitor's words and numbers: what its cell in the strip and its card show.

use std::time::{Duration, Instant};

use slint::{Color, ModelRc};

use super::{
    numbers::{Language, celsius, percent},
    palette,
};
use crate::{
    telemetry::{
        Freshness, Node, Trouble,
        reading::{Complaint, Origin, Reading},
    },
    ui,
};

/// Characters of the last line of a card where four are beside each other.
const MORE: usize = 19;

/// Not known.
pub const ABSENT: &str = "–";

/// Everything that cells and cards show of `node` at `now`, but for its cores.
pub fn state(node: &Node, language: Language, now: Instant) -> ui::NodeState {
    let freshness = node.freshness(now);
    let age = match freshness {
        Freshness::Stale { age } | Freshness::Lost { age: Some(age) } => self::age(age),
        _ => String::new(),
    };
    let (word, detail) = word(node, &freshness, language);
    // What is old is shown as old, what is lost is not shown any more.
    let is_known = matches!(freshness, Freshness::Fresh | Freshness::Stale { .. });
    let known = node.reading.as_deref().filter(|_| is_known);
    let gpu = known.and_then(|reading| reading.gpus.first()?.load);
    let memory = known.and_then(|reading| Some(reading.memory?.share()));
    let load = known.and_then(|reading| reading.load);
    ui::NodeState {
        name: node.name.as_str().into(),
        hue: hue(node.colour),
        notches: (node.colour % palette::NODES.len()) as i32 + 1,
        freshness: match freshness {
            Freshness::Awaited => ui::Freshness::Awaited,
            Freshness::Fresh => ui::Freshness::Fresh,
            Freshness::Stale { .. } => ui::Freshness::Stale,
            Freshness::Lost { .. } => ui::Freshness::Lost,
        },
        age: age.into(),
        // A sensor that talks nonsense is no complaint of the computer.
        flagged: !matches!(
            word,
            ui::NodeWord::Fine | ui::NodeWord::Awaited | ui::NodeWord::Refused
        ),
        word,
        detail: detail.into(),
        load: text(load, percent),
        load_share: share(load),
        temperature: text(known.and_then(|reading| reading.celsius), celsius),
        watts: known
            .and_then(|reading| reading.power)
            .map_or(ABSENT.into(), |power| watts(power.watts, power.origin, language).into()),
        fan: text(known.and_then(|reading| reading.fans.iter().find_map(|fan| fan.ratio)), percent),
        memory: text(memory, percent),
        memory_share: share(memory),
        more: known.map_or(String::new(), |reading| more(reading, language)).into(),
        gpu: text(gpu, percent),
        gpu_share: share(gpu),
        cores: ModelRc::default(),
        computing: false,
        compute: 0.0,
        communicate: 0.0,
        wait: 0.0,
    }
}

/// The load of each core that a card shows of `node` at `now`.
pub fn cores(node: &Node, now: Instant) -> Vec<f32> {
    let is_lost = matches!(node.freshness(now), Freshness::Lost { .. });
    let known = node.reading.as_deref().filter(|_| !is_lost);
    known.map_or(Vec::new(), |reading| reading.cores.iter().map(|core| share(*core)).collect())
}

/// A bar's length as its text says it, so that neither is drawn anew for what cannot be seen; -1 where nothing is known.
fn share(share: Option<f64>) -> f32 {
    share.map_or(-1.0, |share| ((share * 100.0).round() / 100.0) as f32)
}

/// One line of what a card has no bars for: further temperatures, and the rails that are not the whole board, as many
/// as fit into the narrowest card.
fn more(reading: &Reading, language: Language) -> String {
    let whole = reading.power.map(|power| power.watts);
    let others = reading.temperatures.iter().filter(|one| Some(one.celsius) != reading.celsius);
    let temperatures = others.take(1).map(|one| (short(&one.name), celsius(one.celsius)));
    let rails = reading.rails.iter().filter(|rail| rail.watts != whole);
    let rails = rails
        .filter_map(|rail| Some((short(&rail.name), watts(rail.watts?, rail.origin, language))));
    let mut line = String::new();
    let mut last = "";
    for (name, value) in temperatures.chain(rails) {
        let part = if name == last { format!(" {value}") } else { format!("  {name} {value}") };
        if MORE < line.trim_start().chars().count() + part.chars().count() {
            break;
        }
        line.push_str(&part);
        last = name;
    }
    line.trim_start().to_owned()
}

/// A sensor's name without what all of its maker's have in common.
fn short(name: &str) -> &str {
    let name =
        ["POM_5V_", "VDD_"].iter().find_map(|start| name.strip_prefix(start)).unwrap_or(name);
    ["-therm", "-thermal"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// The colour of a node.
pub fn hue(colour: usize) -> Color {
    let [red, green, blue] = palette::NODES[colour % palette::NODES.len()];
    Color::from_rgb_u8(red, green, blue)
}

fn text(value: Option<f64>, write: impl Fn(f64) -> String) -> slint::SharedString {
    value.map_or(ABSENT.into(), |value| write(value).into())
}

/// Watts, marked where they are not measured.
pub fn watts(watts: f64, origin: Origin, language: Language) -> String {
    let mark = if origin == Origin::Measured { "" } else { "≈\u{a0}" };
    let decimals = usize::from(watts < 9.95);
    format!("{mark}{}\u{a0}W", language.decimal(watts, decimals))
}

/// An age in the largest unit that leaves it at least one.
pub fn age(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..120 => format!("{seconds}\u{a0}s"),
        seconds @ 120..7200 => format!("{}\u{a0}min", seconds / 60),
        seconds => format!("{}\u{a0}h", seconds / 3600),
    }
}

/// The worst that can be said of the node, and what the sentence names.
fn word(node: &Node, freshness: &Freshness, language: Language) -> (ui::NodeWord, String) {
    match freshness {
        Freshness::Lost { age } => lost(node, *age),
        Freshness::Stale { age } => (ui::NodeWord::Slow, self::age(*age)),
        Freshness::Awaited => (ui::NodeWord::Awaited, String::new()),
        Freshness::Fresh => {
            let complaint =
                node.reading.as_deref().and_then(|reading| complaint(reading, language));
            let refused = node.reading.as_deref().map_or(0, |reading| reading.refused);
            complaint.unwrap_or_else(|| match refused {
                0 => (ui::NodeWord::Fine, String::new()),
                refused => (ui::NodeWord::Refused, refused.to_string()),
            })
        }
    }
}

fn lost(node: &Node, age: Option<Duration>) -> (ui::NodeWord, String) {
    match (&node.trouble, age) {
        (Some(Trouble::NoSuchName), _) => (ui::NodeWord::NoName, String::new()),
        (Some(Trouble::NoAgent), _) => (ui::NodeWord::NoAgent, String::new()),
        (Some(Trouble::BadAnswer(answer)), _) => (ui::NodeWord::BadAnswer, answer.clone()),
        (_, Some(age)) => (ui::NodeWord::Silent, self::age(age)),
        (_, None) => (ui::NodeWord::Unheard, String::new()),
    }
}

fn complaint(reading: &Reading, language: Language) -> Option<(ui::NodeWord, String)> {
    // What is the matter now stands before what was.
    let flag = reading.flags.iter().min_by_key(|flag| (!flag.now, flag.complaint))?;
    let volts = || {
        let volts = reading.supply_volts.map(|(volts, _)| language.decimal(volts, 2));
        volts.map_or(String::new(), |volts| format!("{volts}\u{a0}V"))
    };
    Some(match (flag.complaint, flag.now) {
        (Complaint::UnderVoltage, true) => (ui::NodeWord::UnderVoltage, volts()),
        (Complaint::UnderVoltage, false) => (ui::NodeWord::WasUnderVoltage, String::new()),
        (Complaint::OverCurrent, true) => (ui::NodeWord::OverCurrent, String::new()),
        (Complaint::Throttled, true) => (ui::NodeWord::Throttled, String::new()),
        (Complaint::SoftTemperatureLimit, true) => (ui::NodeWord::Hot, String::new()),
        (Complaint::FrequencyCapped, true) => (ui::NodeWord::Capped, String::new()),
        (_, false) => (ui::NodeWord::WasLimited, String::new()),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::telemetry::reading::{Flag, Rail, Temperature};

    fn node(reading: Option<Reading>, now: Instant) -> Node {
        Node {
            name: "major-tom".into(),
            colour: 1,
            since: now,
            reading: reading.map(Arc::new),
            trouble: None,
            refused: 0,
        }
    }

    #[test]
    fn a_sagging_supply_is_the_word_and_names_its_volts() {
        let now = Instant::now();
        let flag = |complaint, now| Flag { complaint, now };
        let reading = Reading {
            flags: vec![flag(Complaint::Throttled, true), flag(Complaint::UnderVoltage, true)],
            supply_volts: Some((4.62, Origin::Measured)),
            ..Reading::empty(now)
        };
        let shown = state(&node(Some(reading), now), Language::Polish, now);
        assert_eq!(
            (shown.word, shown.detail.as_str()),
            (ui::NodeWord::UnderVoltage, "4,62\u{a0}V")
        );
    }

    #[test]
    fn what_is_now_comes_before_what_was() {
        let now = Instant::now();
        let flags = vec![
            Flag { complaint: Complaint::UnderVoltage, now: false },
            Flag { complaint: Complaint::FrequencyCapped, now: true },
        ];
        let reading = Reading { flags, ..Reading::empty(now) };
        let shown = state(&node(Some(reading), now), Language::English, now);
        assert_eq!(shown.word, ui::NodeWord::Capped);
    }

    #[test]
    fn a_node_that_falls_silent_is_stale_then_lost_and_never_shows_old_numbers_as_new() {
        let start = Instant::now();
        let reading = Reading { load: Some(0.5), celsius: Some(50.0), ..Reading::empty(start) };
        let node = node(Some(reading), start);
        let at = |seconds| state(&node, Language::English, start + Duration::from_secs(seconds));
        assert_eq!((at(1).freshness, at(1).load.as_str()), (ui::Freshness::Fresh, "50\u{a0}%"));
        assert_eq!((at(5).freshness, at(5).load.as_str()), (ui::Freshness::Stale, "50\u{a0}%"));
        assert_eq!(at(5).age, "5\u{a0}s");
        assert_eq!((at(200).freshness, at(200).age.as_str()), (ui::Freshness::Lost, "3\u{a0}min"));
        assert_eq!((at(200).word, at(200).load.as_str()), (ui::NodeWord::Silent, ABSENT));
    }

    #[test]
    fn a_card_names_what_belongs_together_once_and_only_what_fits() {
        let now = Instant::now();
        let sensor = |name: &str, celsius| Temperature { name: name.into(), celsius };
        let rail = |name: &str, watts| Rail {
            name: name.into(),
            volts: None,
            amperes: None,
            watts: Some(watts),
            origin: Origin::Measured,
        };
        let reading = Reading {
            celsius: Some(34.0),
            temperatures: vec![sensor("CPU-therm", 34.0), sensor("GPU-therm", 31.0)],
            rails: vec![rail("POM_5V_GPU", 1.75), rail("POM_5V_CPU", 0.366)],
            ..Reading::empty(now)
        };
        assert_eq!(more(&reading, Language::English), "GPU 31\u{a0}°C 1.8\u{a0}W");
        let pi = Reading { temperatures: Vec::new(), ..reading };
        assert_eq!(more(&pi, Language::Polish), "GPU 1,8\u{a0}W");
        assert_eq!(more(&Reading::empty(now), Language::English), "");
    }

    #[test]
    fn a_sensor_that_talks_nonsense_is_said_while_it_does_and_is_no_complaint() {
        let now = Instant::now();
        let shown = |refused| {
            let node = node(Some(Reading { refused, ..Reading::empty(now) }), now);
            state(&Node { refused: 7, ..node }, Language::English, now)
        };
        assert_eq!((shown(2).word, shown(2).flagged), (ui::NodeWord::Refused, false));
        assert_eq!(shown(0).word, ui::NodeWord::Fine);
    }

    #[test]
    fn watts_say_whether_they_are_measured() {
        let shown = |origin| watts(6.42, origin, Language::English);
        assert_eq!(shown(Origin::Measured), "6.4\u{a0}W");
        assert_eq!(shown(Origin::Estimated), "≈\u{a0}6.4\u{a0}W");
    }
}
