//! `[meter]`, `[room]` and `[fan]`: what the rack itself can tell.

use serde::Deserialize;
use toml::Spanned;
use toml_file::{Source, TomlFileError};

use super::check;

/// Longest name that the meter can be given.
const MAX_NAME: usize = 18;
/// Pins of a Raspberry Pi's header.
const GPIOS: std::ops::RangeInclusive<i64> = 0..=27;
/// The thermostat's dial, degrees Celsius.
const SET_POINT_CELSIUS: std::ops::RangeInclusive<f64> = 0.0..=100.0;
/// What a thermostat's contact may lag, K.
const HYSTERESIS_K: std::ops::RangeInclusive<f64> = 0.5..=30.0;
/// What a fan of a chassis may draw, W.
const FAN_WATTS: std::ops::RangeInclusive<f64> = 1.0..=1000.0;
/// What a pair of USB outlets may give, W.
const PAIR_WATTS: std::ops::RangeInclusive<f64> = 1.0..=500.0;
/// What a kilowatt hour may cost, in whatever currency.
const PRICE: std::ops::RangeInclusive<f64> = 0.0..=1_000_000.0;

/// `[meter]`: the wall power meter, a Voltcraft SEM6000.
#[derive(Clone, Debug, PartialEq)]
pub struct MeterEntry {
    /// Its Bluetooth address; `None` to find it by its service and name.
    pub address: Option<String>,
    /// The name that it was given; `None` for the factory's.
    pub name: Option<String>,
    /// Its PIN, four digits.
    pub pin: [u8; 4],
    /// The Bluetooth adapter, as BlueZ calls it; `None` for the first.
    pub adapter: Option<String>,
    /// What a kilowatt hour costs; `None` where no cost is shown.
    pub price_per_kwh: Option<f64>,
    /// What the price is in.
    pub currency: String,
    /// What one pair of the supply's USB outlets may give, W.
    pub usb_pair_watts: f64,
}

impl Default for MeterEntry {
    fn default() -> Self {
        Self {
            address: None,
            name: None,
            pin: [0; 4],
            adapter: None,
            price_per_kwh: None,
            currency: "zł".into(),
            usb_pair_watts: 10.5,
        }
    }
}

/// `[room]`: the sensor of the air in the chassis, a DHT22.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoomEntry {
    /// Who reads it.
    pub source: RoomSource,
    /// The pin that its data line is on, for `Gpio`.
    pub gpio: u8,
}

/// Who reads the sensor; never both, they would talk into each other's pulses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoomSource {
    /// The kernel, if it has the sensor, else the kiosk.
    #[default]
    Auto,
    /// The kernel's driver.
    Iio,
    /// The kiosk, at a pin.
    Gpio,
}

/// `[fan]`: the chassis' fan and its thermostat, which have no data line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FanEntry {
    /// The thermostat closes here, degrees Celsius.
    pub set_point_celsius: f64,
    /// It opens this much lower, K.
    pub hysteresis_k: f64,
    /// What the fan's plate says, W; `None` where the wall power is not to tell of it.
    pub watts: Option<f64>,
    /// A wire that says whether it runs, if the owner has laid one.
    pub wire: Option<FanWire>,
}

/// A wire from the fan to a pin of this Raspberry Pi.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FanWire {
    /// The pin's number (BCM).
    pub gpio: u8,
    /// Whether the pin is high while the fan runs; else it is low then.
    pub on_high: bool,
}

/// What the pin is while the fan runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum PinLevel {
    High,
    Low,
}

impl Default for FanEntry {
    fn default() -> Self {
        Self { set_point_celsius: 60.0, hysteresis_k: 5.0, watts: None, wire: None }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MeterTable {
    address: Option<Spanned<String>>,
    name: Option<Spanned<String>>,
    pin: Option<Spanned<String>>,
    adapter: Option<Spanned<String>>,
    price_per_kwh: Option<Spanned<f64>>,
    currency: Option<Spanned<String>>,
    usb_pair_watts: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoomTable {
    source: Option<Spanned<RoomSource>>,
    gpio: Option<Spanned<i64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FanTable {
    set_point_celsius: Option<Spanned<f64>>,
    hysteresis_k: Option<Spanned<f64>>,
    watts: Option<Spanned<f64>>,
    gpio: Option<Spanned<i64>>,
    on: Option<Spanned<PinLevel>>,
}

/// Reads `[meter]`; without the table there is none.
///
/// # Errors
/// Names the first wrong line.
pub(super) fn meter(
    table: Option<MeterTable>,
    source: &Source<'_>,
) -> Result<Option<MeterEntry>, TomlFileError> {
    let Some(table) = table else { return Ok(None) };
    let mut entry = MeterEntry::default();
    if let Some(address) = table.address {
        let parts: Vec<&str> = address.get_ref().split(':').collect();
        let is_byte = |part: &&str| part.len() == 2 && u8::from_str_radix(part, 16).is_ok();
        let is_address = parts.len() == 6 && parts.iter().all(is_byte);
        let problem = "is no Bluetooth address; write it as \"FC:69:47:06:CB:C6\"";
        check(is_address, source, &address, "address", problem)?;
        entry.address = Some(address.into_inner());
    }
    if let Some(name) = table.name {
        let is_name = name.get_ref().is_ascii() && (1..=MAX_NAME).contains(&name.get_ref().len());
        check(is_name, source, &name, "name", "is not a name of 1 to 18 plain letters")?;
        entry.name = Some(name.into_inner());
    }
    if let Some(pin) = table.pin {
        let digits: Vec<u8> = pin.get_ref().bytes().map(|digit| digit.wrapping_sub(b'0')).collect();
        let digits: Option<[u8; 4]> = digits.try_into().ok();
        let digits = digits.filter(|digits| digits.iter().all(|digit| *digit <= 9));
        check(digits.is_some(), source, &pin, "pin", "is no PIN; write four digits in quotes")?;
        entry.pin = digits.unwrap_or_default();
    }
    if let Some(adapter) = table.adapter {
        let number = adapter.get_ref().strip_prefix("hci").unwrap_or_default();
        let is_adapter = number.parse::<u8>().is_ok();
        check(is_adapter, source, &adapter, "adapter", "is no adapter; write one as \"hci0\"")?;
        entry.adapter = Some(adapter.into_inner());
    }
    if let Some(price) = table.price_per_kwh {
        let is_price = PRICE.contains(price.get_ref());
        check(is_price, source, &price, "price_per_kwh", "is outside 0 to 1000000")?;
        entry.price_per_kwh = Some(price.into_inner());
    }
    if let Some(currency) = table.currency {
        let is_short = (1..=4).contains(&currency.get_ref().chars().count());
        check(is_short, source, &currency, "currency", "is not 1 to 4 characters")?;
        entry.currency = currency.into_inner();
    }
    if let Some(watts) = table.usb_pair_watts {
        check(
            PAIR_WATTS.contains(watts.get_ref()),
            source,
            &watts,
            "usb_pair_watts",
            "is outside 1 to 500",
        )?;
        entry.usb_pair_watts = watts.into_inner();
    }
    Ok(Some(entry))
}

/// Reads `[room]`; without the table there is none.
///
/// # Errors
/// Names the first wrong line.
pub(super) fn room(
    table: Option<RoomTable>,
    source: &Source<'_>,
) -> Result<Option<RoomEntry>, TomlFileError> {
    let Some(table) = table else { return Ok(None) };
    let mut entry = RoomEntry { source: RoomSource::Auto, gpio: 4 };
    if let Some(wanted) = table.source {
        entry.source = wanted.into_inner();
    }
    if let Some(gpio) = table.gpio {
        check(GPIOS.contains(gpio.get_ref()), source, &gpio, "gpio", "is outside 0 to 27")?;
        entry.gpio = u8::try_from(gpio.into_inner()).unwrap_or_default();
    }
    Ok(Some(entry))
}

/// Reads `[fan]`; without the table there is none that we are to speak of.
///
/// # Errors
/// Names the first wrong line.
pub(super) fn fan(
    table: Option<FanTable>,
    source: &Source<'_>,
) -> Result<Option<FanEntry>, TomlFileError> {
    let Some(table) = table else { return Ok(None) };
    let mut entry = FanEntry::default();
    if let Some(at) = table.set_point_celsius {
        let is_set = SET_POINT_CELSIUS.contains(at.get_ref());
        check(is_set, source, &at, "set_point_celsius", "is outside 0 to 100")?;
        entry.set_point_celsius = at.into_inner();
    }
    if let Some(lag) = table.hysteresis_k {
        let is_lag = HYSTERESIS_K.contains(lag.get_ref());
        check(is_lag, source, &lag, "hysteresis_k", "is outside 0.5 to 30")?;
        entry.hysteresis_k = lag.into_inner();
    }
    if let Some(watts) = table.watts {
        check(
            FAN_WATTS.contains(watts.get_ref()),
            source,
            &watts,
            "watts",
            "is outside 1 to 1000",
        )?;
        entry.watts = Some(watts.into_inner());
    }
    let on_high = table.on.is_none_or(|on| on.into_inner() == PinLevel::High);
    if let Some(gpio) = table.gpio {
        check(GPIOS.contains(gpio.get_ref()), source, &gpio, "gpio", "is outside 0 to 27")?;
        let gpio = u8::try_from(gpio.into_inner()).unwrap_or_default();
        entry.wire = Some(FanWire { gpio, on_high });
    }
    Ok(Some(entry))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(Path::new("kiosk.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_table_is_a_meter_of_the_factory() {
        assert_eq!(parse("").unwrap().meter, None);
        assert_eq!(parse("[meter]\n").unwrap().meter, Some(Default::default()));
        let set = "[meter]\naddress = 'fc:69:47:06:cb:c6'\npin = '0815'\n";
        assert_eq!(parse(set).unwrap().meter.unwrap().pin, [0, 8, 1, 5]);
        assert_eq!(parse("[room]\n").unwrap().room.unwrap().gpio, 4);
        assert_eq!(parse("[fan]\nwatts = 30\n").unwrap().fan.unwrap().watts, Some(30.0));
        let wire = |text| parse(text).unwrap().fan.unwrap().wire;
        assert_eq!(wire("[fan]\non = 'low'\n"), None);
        let on_high = true;
        assert_eq!(wire("[fan]\ngpio = 17\n"), Some(super::FanWire { gpio: 17, on_high }));
        let on_high = false;
        let set = wire("[fan]\ngpio = 17\non = 'low'\n");
        assert_eq!(set, Some(super::FanWire { gpio: 17, on_high }));
    }

    #[test]
    fn wrong_values_are_named_with_line_and_key() {
        for (text, message) in [
            (
                "[meter]\npni = '0000'\n",
                "key 'pni': there is no such key; the nearest known one is 'pin'",
            ),
            ("[meter]\npin = '123'\n", "key 'pin': '123' is no PIN; write four digits in quotes"),
            ("[meter]\npin = '12a4'\n", "key 'pin': '12a4' is no PIN; write four digits in quotes"),
            (
                "[meter]\naddress = 'FC:69:47:06:CB'\n",
                "key 'address': 'FC:69:47:06:CB' is no Bluetooth address; write it as \"FC:69:47:06:CB:C6\"",
            ),
            (
                "[meter]\nadapter = 'eth0'\n",
                "key 'adapter': 'eth0' is no adapter; write one as \"hci0\"",
            ),
            ("[meter]\nprice_per_kwh = -1\n", "key 'price_per_kwh': '-1' is outside 0 to 1000000"),
            ("[room]\ngpio = 40\n", "key 'gpio': '40' is outside 0 to 27"),
            ("[fan]\ngpio = -1\n", "key 'gpio': '-1' is outside 0 to 27"),
            (
                "[fan]\nset_point_celsius = 200\n",
                "key 'set_point_celsius': '200' is outside 0 to 100",
            ),
        ] {
            assert_eq!(parse(text), Err(format!("kiosk.toml, line 2, {message}")));
        }
    }
}
