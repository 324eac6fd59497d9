//! What a Raspberry Pi's firmware knows: rails and supply of the Pi 5 and why a Pi holds itself back, by `vcgencmd`.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use wire::metrics::family;

use super::{Outcome, Source};
use crate::{
    command, flags, power,
    root::{Root, attribute, names, printable},
    samples::Samples,
};

/// Where the program is, the newest systems first.
const PROGRAMS: [&str; 3] = ["usr/bin/vcgencmd", "bin/vcgencmd", "opt/vc/bin/vcgencmd"];
/// A call takes 10 to 20 ms; one that takes this long hangs.
const LIMIT: Duration = Duration::from_millis(500);
/// Each call starts a process: once per second is enough.
const FRESH: Duration = Duration::from_secs(1);
/// A slow answer does not make the one before absent at once.
const KEPT: Duration = Duration::from_secs(3);
/// The rail that feeds the board. It has no current of its own.
const SUPPLY: &str = "EXT5V";
/// Watts at the input from the sum of the rails: a published calibration of a Pi 5 against a meter (pitop).
const CALIBRATION: (f64, f64) = (1.1451, 0.5879);
const VOLTS: std::ops::RangeInclusive<f64> = 0.0..=30.0;
const AMPERES: std::ops::RangeInclusive<f64> = 0.0..=30.0;

pub struct Firmware {
    root: Root,
}

impl Firmware {
    pub fn new(root: Root) -> Self {
        Self { root }
    }
}

impl Source for Firmware {
    fn name(&self) -> &str {
        "firmware"
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        let program =
            PROGRAMS.iter().map(|program| self.root.at(program)).find(|path| path.exists());
        let file = throttled_file(&self.root);
        if program.is_none() && file.is_none() {
            return Outcome::Missing;
        }
        let ask = |question| command::output(program.as_deref()?, &[question], LIMIT);
        if let Some(rails) = ask("pmic_read_adc").as_deref().map(rails) {
            add_rails(&rails, found);
        }
        let said = ask("get_throttled").or_else(|| attribute(&file?).ok());
        if let Some(bits) = said.as_deref().and_then(throttled) {
            add_flags(bits, found);
        }
        Outcome::of(found)
    }

    fn fresh_for(&self) -> Duration {
        FRESH
    }

    fn kept_for(&self) -> Duration {
        KEPT
    }
}

/// Where the kernel shows the same bits; its place depends on the model.
fn throttled_file(root: &Root) -> Option<PathBuf> {
    let platform = root.at("sys/devices/platform");
    let starts_with_soc = |name: &String| name.starts_with("soc");
    names(&platform).into_iter().filter(starts_with_soc).find_map(|soc| {
        let soc = platform.join(soc);
        let firmware = names(&soc).into_iter().find(|name| name.ends_with(":firmware"))?;
        Some(soc.join(firmware).join("get_throttled")).filter(|file| file.exists())
    })
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Rail {
    volts: Option<f64>,
    amperes: Option<f64>,
    /// The firmware names a current of it, readable or not.
    has_current: bool,
}

/// The rails of `vcgencmd pmic_read_adc`, by name: lines such as ` VDD_CORE_A current(7)=1.11625000A`, whose part with
/// the bracket some releases leave out.
fn rails(said: &str) -> BTreeMap<String, Rail> {
    let mut rails = BTreeMap::<String, Rail>::new();
    for line in said.lines() {
        let Some((what, value)) = line.trim().rsplit_once('=') else { continue };
        let Some(name) = what.split_ascii_whitespace().next() else { continue };
        let number = |unit| value.strip_suffix(unit).and_then(|number| number.parse::<f64>().ok());
        if let Some(rail) = name.strip_suffix("_V") {
            let volts = number('V').filter(|volts| VOLTS.contains(volts));
            rails.entry(printable(rail)).or_default().volts = volts;
        } else if let Some(rail) = name.strip_suffix("_A") {
            let amperes = number('A').filter(|amperes| AMPERES.contains(amperes));
            let rail = rails.entry(printable(rail)).or_default();
            (rail.amperes, rail.has_current) = (amperes, true);
        }
    }
    rails
}

/// Sum of all rails that have both; `None` if one of them is only half known, because the sum would be too small.
fn sum_watts(rails: &BTreeMap<String, Rail>) -> Option<f64> {
    let with_current = rails.values().filter(|rail| rail.has_current);
    let watts: Option<Vec<f64>> =
        with_current.map(|rail| Some(rail.volts? * rail.amperes?)).collect();
    watts.filter(|watts| !watts.is_empty()).map(|watts| watts.iter().sum())
}

fn add_rails(rails: &BTreeMap<String, Rail>, found: &mut Samples) {
    for (name, rail) in rails {
        let labels = || [("origin", "measured".into()), ("rail", name.clone().into())];
        // The supply is told as such; the battery of the clock feeds no rail.
        if rail.amperes.is_some() {
            found.add_some(&family::RAIL_VOLTS, labels(), rail.volts);
            found.add_some(&family::RAIL_AMPERES, labels(), rail.amperes);
            let watts = rail.volts.zip(rail.amperes).map(|(volts, amperes)| volts * amperes);
            found.add_some(&family::RAIL_WATTS, labels(), watts);
        }
    }
    let supply = rails.get(SUPPLY).and_then(|rail| rail.volts).filter(|volts| 0.0 < *volts);
    found.add_some(&family::SUPPLY_VOLTS, [("origin", "measured".into())], supply);
    let estimate = sum_watts(rails).map(|watts| watts * CALIBRATION.0 + CALIBRATION.1);
    let labels = power::labels("estimated", "board", "pmic");
    found.add_some(&family::NODE_WATTS, labels, estimate);
}

/// The bits of `throttled=0x50000`, or of the kernel's file, which has only the digits.
fn throttled(said: &str) -> Option<u32> {
    let digits = said.trim();
    let digits = digits.strip_prefix("throttled=").unwrap_or(digits);
    u32::from_str_radix(digits.strip_prefix("0x").unwrap_or(digits), 16).ok()
}

/// Bits 0 to 3 are now, 16 to 19 the same at some time since the start.
fn add_flags(bits: u32, found: &mut Samples) {
    let reasons =
        [flags::UNDER_VOLTAGE, "frequency-capped", flags::THROTTLED, "soft-temperature-limit"];
    for (bit, reason) in reasons.into_iter().enumerate() {
        for (since, shift) in [("now", 0), ("boot", 16)] {
            let set = bits >> (bit + shift) & 1;
            found.add(&family::FLAG, flags::labels(reason, since), f64::from(set));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rail_is_its_volts_and_amperes_with_or_without_brackets() {
        for said in [
            " VDD_CORE_A current(7)=1.11625000A\n  VDD_CORE_V volt(15)=0.74944980V\n EXT5V_V volt(24)=5.08530000V\n",
            "VDD_CORE_A=1.11625000A\nVDD_CORE_V=0.74944980V\nEXT5V_V=5.08530000V\n",
        ] {
            let rails = rails(said);
            let core = Rail { volts: Some(0.749_449_8), amperes: Some(1.11625), has_current: true };
            assert_eq!(rails["VDD_CORE"], core, "{said}");
            assert_eq!(
                rails["EXT5V"],
                Rail { volts: Some(5.0853), amperes: None, has_current: false }
            );
            assert!((sum_watts(&rails).unwrap() - 0.836_573).abs() < 1e-6);
        }
    }

    #[test]
    fn a_failure_is_no_rail() {
        for said in [
            "error=1 error_msg=\"Command not registered\"",
            "",
            "Can't open device file: /dev/vcio",
            "=",
        ] {
            assert!(rails(said).is_empty(), "{said}");
        }
    }

    #[test]
    fn a_sum_with_a_hole_is_none() {
        let said = "A_A current(0)=1.0A\nA_V volt(1)=1.0V\nB_A current(2)=1.0A\n";
        assert_eq!(sum_watts(&rails(said)), None);
        let said = "A_A current(0)=1.0A\nA_V volt(1)=1.0V\nB_A current(2)=1.0A\nB_V volt(3)=nanV\n";
        assert_eq!(sum_watts(&rails(said)), None);
        let said = "A_A current(0)=1.0A\nA_V volt(1)=1.0V\nB_A current(2)=?A\nB_V volt(3)=1.0V\n";
        assert_eq!(sum_watts(&rails(said)), None, "a current that is named but not told");
        assert_eq!(sum_watts(&rails("EXT5V_V volt(24)=5.0V\n")), None);
    }

    #[test]
    fn the_bits_are_hexadecimal() {
        assert_eq!(throttled("throttled=0x50000\n"), Some(0x50000));
        assert_eq!(throttled("50005\n"), Some(0x50005));
        for text in ["", "throttled=", "throttled=0x", "error=1", "throttled=-1", "0x1ffffffff"] {
            assert_eq!(throttled(text), None, "{text}");
        }
    }

    #[test]
    fn each_bit_is_a_complaint() {
        let mut samples = Samples::default();
        add_flags(0x50001, &mut samples);
        let set: Vec<_> = samples
            .of(&family::FLAG)
            .filter(|flag| flag.value == 1.0)
            .map(|flag| (flag.label("reason").to_owned(), flag.label("since").to_owned()))
            .collect();
        let expected = [("under-voltage", "now"), ("under-voltage", "boot"), ("throttled", "boot")];
        assert_eq!(set, expected.map(|(reason, since)| (reason.into(), since.into())));
        assert_eq!(samples.of(&family::FLAG).count(), 8);
    }
}
