//! The board itself: what it is, its power, and what it complains about.

use super::{
    MAX_PARTS, Said,
    hwmon::Hwmon,
    named, origin, part,
    said::{Known, Value},
};
use crate::telemetry::{
    range,
    reading::{Complaint, Flag, Origin, Power, Rail, Reading, Scope},
};

/// Rails that carry all the others (Jetson Nano, Jetson Orin): the power of the board, never to be added to theirs.
/// node_exporter writes labels in small letters.
const INPUTS: [&str; 2] = ["POM_5V_IN", "VDD_IN"];
/// Label of a channel that is not connected.
const NOT_CONNECTED: &str = "NC";
/// The Pi's driver whose alarm says that the supply sags.
const PI_SUPPLY: &str = "rpi_volt";

/// Energy that a processor package has taken since some time.
#[derive(Debug)]
pub(super) struct Package {
    path: String,
    joules: f64,
}

/// `seconds` have passed since the counters `before`; `None` if there are none.
pub(super) fn read(
    said: &Said<'_>,
    hwmon: &Hwmon<'_>,
    before: &mut Vec<Package>,
    seconds: Option<f64>,
    reading: &mut Reading,
) {
    if let Some(uname) = said.of(Known::Uname).first() {
        reading.host = named(uname, "nodename");
        reading.kernel = named(uname, "release");
    }
    reading.model = said.of(Known::Board).first().and_then(|board| named(board, "model"));
    reading.power_mode = said.of(Known::PowerMode).first().and_then(|mode| named(mode, "mode"));
    reading.rails = rails(said, hwmon);
    let packages = packages(said);
    let power = power(said, &reading.rails);
    reading.power = power.or_else(|| processors(before, &packages, seconds?, reading));
    *before = packages;
    reading.supply_volts = said
        .of(Known::SupplyVolts)
        .first()
        .map(|volts| (volts.value, origin(volts)))
        .or_else(|| input(&reading.rails).and_then(|rail| Some((rail.volts?, rail.origin))));
    reading.flags = flags(said, hwmon);
}

fn input(rails: &[Rail]) -> Option<&Rail> {
    let is_input = |name: &str| INPUTS.iter().any(|input| input.eq_ignore_ascii_case(name));
    rails.iter().find(|rail| is_input(&rail.name))
}

/// What the agent says of the rails; where it says nothing, the channels of hwmon that have a current or a power.
fn rails(said: &Said<'_>, hwmon: &Hwmon<'_>) -> Vec<Rail> {
    let mut rails = Vec::new();
    for known in [Known::RailVolts, Known::RailAmperes, Known::RailWatts] {
        for value in said.of(known) {
            let Some(name) = named(value, "rail") else { continue };
            if let Some(rail) = rail(&mut rails, name, origin(value)) {
                set(rail, known, value.value);
            }
        }
    }
    if !rails.is_empty() {
        return rails;
    }
    for (known, kind) in [
        (Known::HwmonAmperes, "curr"),
        (Known::HwmonWatts, "power"),
        (Known::HwmonWattsAverage, "power"),
        (Known::HwmonVolts, "in"),
    ] {
        for value in said.of(known) {
            let Some(name) = channel(hwmon, value, kind) else { continue };
            // A voltage alone is one of the many that a main board lists.
            let is_rail =
                known != Known::HwmonVolts || rails.iter().any(|rail: &Rail| rail.name == name);
            if let Some(rail) = is_rail.then(|| rail(&mut rails, name, Origin::Measured)).flatten()
            {
                set(rail, known, value.value);
            }
        }
    }
    for rail in &mut rails {
        let product = rail.volts.zip(rail.amperes).map(|(volts, amperes)| volts * amperes);
        rail.watts = rail.watts.or(product.filter(|watts| range::WATTS.holds(*watts)));
    }
    rails
}

fn rail(rails: &mut Vec<Rail>, name: String, origin: Origin) -> Option<&mut Rail> {
    let is = |rail: &Rail| rail.name == name;
    let new = || Rail { name: name.clone(), volts: None, amperes: None, watts: None, origin };
    part(rails, is, new)
}

fn set(rail: &mut Rail, known: Known, value: f64) {
    match known {
        Known::RailVolts | Known::HwmonVolts => rail.volts = Some(value),
        Known::RailAmperes | Known::HwmonAmperes => rail.amperes = Some(value),
        _ => rail.watts = Some(value),
    }
}

/// Current 1, voltage 1 and power 1 of a chip are one rail; its name is the label of whichever of them has one.
fn channel(hwmon: &Hwmon<'_>, value: &Value<'_>, kind: &str) -> Option<String> {
    let (path, sensor) = (value.label("chip")?, value.label("sensor")?);
    let number = sensor.strip_prefix(kind)?;
    let label = ["in", "curr", "power"]
        .iter()
        .find_map(|kind| hwmon.label(&path, &format!("{kind}{number}")));
    match label {
        Some(label) => (!label.eq_ignore_ascii_case(NOT_CONNECTED)).then(|| label.to_owned()),
        None => Some(format!("{} {number}", hwmon.chip(value)?)),
    }
}

/// What is known of the whole board, best first; else what the agent says of the processors.
fn power(said: &Said<'_>, rails: &[Rail]) -> Option<Power> {
    let told = |scope: &str, measured: bool| {
        said.of(Known::NodeWatts).iter().find(|value| {
            value.label("scope").as_deref() == Some(scope)
                && (origin(value) == Origin::Measured) == measured
        })
    };
    let as_told =
        |value: &Value<'_>, scope| Power { watts: value.value, scope, origin: origin(value) };
    told("board", true)
        .map(|value| as_told(value, Scope::Board))
        .or_else(|| {
            let rail = input(rails)?;
            Some(Power { watts: rail.watts?, scope: Scope::Board, origin: rail.origin })
        })
        .or_else(|| told("board", false).map(|value| as_told(value, Scope::Board)))
        .or_else(|| {
            let value = told("processors", true).or_else(|| told("processors", false))?;
            Some(as_told(value, Scope::Processors))
        })
}

fn packages(said: &Said<'_>) -> Vec<Package> {
    let package = |value: &Value<'_>| {
        let path = named(value, "path").or_else(|| named(value, "index"))?;
        Some(Package { path, joules: value.value })
    };
    said.of(Known::RaplPackageJoules).iter().take(MAX_PARTS).filter_map(package).collect()
}

/// Energy over time of every package, and the power of the graphics processors; `None` where a package's counter fell,
/// as it does when it is full, because a sum that lacks one is wrong.
fn processors(
    before: &[Package],
    now: &[Package],
    seconds: f64,
    reading: &Reading,
) -> Option<Power> {
    if now.is_empty() {
        return None;
    }
    let mut watts: f64 = reading.gpus.iter().filter_map(|gpu| gpu.watts).sum();
    for package in now {
        let earlier = before.iter().find(|earlier| earlier.path == package.path)?;
        let joules = package.joules - earlier.joules;
        watts += (0.0 <= joules).then_some(joules / seconds)?;
    }
    let power = Power { watts, scope: Scope::Processors, origin: Origin::Measured };
    range::WATTS.holds(watts).then_some(power)
}

fn flags(said: &Said<'_>, hwmon: &Hwmon<'_>) -> Vec<Flag> {
    let mut flags = Vec::new();
    for value in said.of(Known::Flag).iter().filter(|value| value.value == 1.0) {
        let complaint = match value.label("reason").as_deref() {
            Some("under-voltage") => Complaint::UnderVoltage,
            Some("over-current") => Complaint::OverCurrent,
            Some("throttled") => Complaint::Throttled,
            Some("soft-temperature-limit") => Complaint::SoftTemperatureLimit,
            Some("frequency-capped") => Complaint::FrequencyCapped,
            _ => continue,
        };
        flags.push(Flag { complaint, now: value.label("since").as_deref() == Some("now") });
    }
    let sags = said
        .of(Known::HwmonLowCriticalAlarm)
        .iter()
        .any(|alarm| 0.0 < alarm.value && hwmon.chip(alarm).as_deref() == Some(PI_SUPPLY));
    if sags {
        flags.push(Flag { complaint: Complaint::UnderVoltage, now: true });
    }
    let is_held = said.of(Known::CoolingState).iter().any(|state| {
        0.0 < state.value && state.label("type").is_some_and(|kind| kind.contains("throttle"))
    });
    if is_held {
        flags.push(Flag { complaint: Complaint::Throttled, now: true });
    }
    flags.sort_by_key(|flag| (flag.complaint, !flag.now));
    flags.dedup();
    flags
}
