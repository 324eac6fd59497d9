//! The supply rails that an INA3221 watches on a Jetson: an IIO device up to JetPack 4, a hardware monitor since 5.
//! Rails are found by the names they are given, never by number.

use std::path::Path;

use wire::metrics::family;

use super::{Outcome, Source};
use crate::{
    flags, power,
    root::{Root, name, names, quantity},
    samples::Samples,
};

/// The files are in mV, mA and mW.
const MILLI: f64 = 1e-3;
const VOLTS: std::ops::RangeInclusive<f64> = 0.0..=60.0;
const AMPERES: std::ops::RangeInclusive<f64> = 0.0..=100.0;
const WATTS: std::ops::RangeInclusive<f64> = 0.0..=500.0;
/// The rails that feed the whole module; the others are branches of them.
const TOTALS: [&str; 2] = ["POM_5V_IN", "VDD_IN"];
/// The rail of a board that is fed with 5 V, and the voltage below which it is about to brown out.
const FIVE_VOLTS: (&str, f64) = ("POM_5V_IN", 4.75);

pub struct Rails(pub Root);

#[derive(Default)]
struct Rail {
    volts: Option<f64>,
    amperes: Option<f64>,
    watts: Option<f64>,
}

impl Source for Rails {
    fn name(&self) -> &str {
        "rails"
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        let mut named = Vec::new();
        let drivers = self.0.at("sys/bus/i2c/drivers");
        for (driver, inside) in [("ina3221x", "iio"), ("ina3221", "hwmon")] {
            let driver = drivers.join(driver);
            for device in names(&driver).iter().filter(|name| name.contains('-')) {
                let device = driver.join(device);
                if inside == "iio" {
                    let is_iio =
                        |name: &&String| name.starts_with("iio") && name.contains("device");
                    for folder in names(&device).iter().filter(is_iio) {
                        named.extend(read_iio(&device.join(folder), found));
                    }
                } else {
                    for folder in names(&device.join("hwmon")) {
                        named.extend(read_hwmon(&device.join("hwmon").join(folder), found));
                    }
                }
            }
        }
        if !named.iter().any(|rail| TOTALS.contains(&&rail[..])) {
            add_sum(named.len(), found);
        }
        if named.is_empty() { Outcome::Missing } else { Outcome::of(found) }
    }
}

/// A board without a rail that feeds all of it, such as the AGX Orin, has the sum of its rails; none if one is unknown.
fn add_sum(rails: usize, found: &mut Samples) {
    let watts: Vec<f64> = found.of(&family::RAIL_WATTS).map(|rail| rail.value).collect();
    if !watts.is_empty() && watts.len() == rails {
        let total = power::labels("measured", "board", "ina3221");
        found.add(&family::NODE_WATTS, total, watts.iter().sum());
    }
}

/// Reads `rail_name_N`, `in_voltageN_input`, `in_currentN_input` and `in_powerN_input`; the names of all rails.
fn read_iio(folder: &Path, found: &mut Samples) -> Vec<String> {
    let mut named = Vec::new();
    for channel in 0..3 {
        let Some(rail) = name(&folder.join(format!("rail_name_{channel}"))) else { continue };
        let file = |kind: &str| folder.join(format!("in_{kind}{channel}_input"));
        let values = Rail {
            volts: quantity(&file("voltage"), MILLI, VOLTS),
            amperes: quantity(&file("current"), MILLI, AMPERES),
            watts: quantity(&file("power"), MILLI, WATTS),
        };
        add(&rail, &values, found);
        named.push(rail);
    }
    named
}

/// Reads `inN_label`, `inN_input` and `currN_input` of the three channels; the files beyond are sums of shunt voltages.
fn read_hwmon(folder: &Path, found: &mut Samples) -> Vec<String> {
    let mut named = Vec::new();
    for channel in 1..=3 {
        let label = name(&folder.join(format!("in{channel}_label")));
        // Nothing is connected to a channel with this label.
        let Some(rail) = label.filter(|label| label != "NC") else { continue };
        let volts = quantity(&folder.join(format!("in{channel}_input")), MILLI, VOLTS);
        let amperes = quantity(&folder.join(format!("curr{channel}_input")), MILLI, AMPERES);
        let watts = volts.zip(amperes).map(|(volts, amperes)| volts * amperes);
        add(&rail, &Rail { volts, amperes, watts }, found);
        named.push(rail);
    }
    named
}

fn add(rail: &str, values: &Rail, found: &mut Samples) {
    let labels = || [("origin", "measured".into()), ("rail", rail.to_string().into())];
    found.add_some(&family::RAIL_VOLTS, labels(), values.volts);
    found.add_some(&family::RAIL_AMPERES, labels(), values.amperes);
    found.add_some(&family::RAIL_WATTS, labels(), values.watts);
    if !TOTALS.contains(&rail) {
        return;
    }
    let total = power::labels("measured", "board", "ina3221");
    found.add_some(&family::NODE_WATTS, total, values.watts);
    found.add_some(&family::SUPPLY_VOLTS, [("origin", "measured".into())], values.volts);
    if rail == FIVE_VOLTS.0
        && let Some(volts) = values.volts
    {
        let low = f64::from(u8::from(volts < FIVE_VOLTS.1));
        found.add(&family::FLAG, flags::labels(flags::UNDER_VOLTAGE, "now"), low);
    }
}
