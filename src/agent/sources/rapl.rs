//! Energy of the processor packages (Intel's RAPL, AMD's too): `/sys/class/powercap`. Its counters are readable with a
//! right only; power is what they rose by since the reading before.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use wire::metrics::family;

use super::{Outcome, Source};
use crate::{
    power,
    root::{Root, name, names, number},
    samples::Samples,
};

/// The files are in microjoules.
const MICRO: f64 = 1e6;
/// A counter may have wrapped twice in a longer time: a package at 500 W wraps its 262 kJ in nine minutes.
const LONGEST: Duration = Duration::from_secs(300);
/// The counters are refreshed about every millisecond; over a shorter time their steps show.
const SHORTEST: Duration = Duration::from_millis(20);
/// What a package can take, in watts.
const WATTS: std::ops::RangeInclusive<f64> = 0.0..=2000.0;

pub struct Rapl {
    root: Root,
    /// The packages' counters at the reading before.
    before: Option<(Instant, BTreeMap<String, Counter>)>,
}

/// An energy counter in microjoules.
#[derive(Clone, Copy)]
struct Counter {
    energy: u64,
    /// The highest it can show.
    range: u64,
}

impl Rapl {
    pub fn new(root: Root) -> Self {
        Self { root, before: None }
    }
}

impl Source for Rapl {
    fn name(&self) -> &str {
        "rapl"
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        let folder = self.root.at("sys/class/powercap");
        // `intel-rapl-mmio` shows the same packages by another way.
        let zones = names(&folder).into_iter().filter(|zone| zone.starts_with("intel-rapl:"));
        let (mut zones_seen, mut dram, mut packages) = (0, 0, BTreeMap::new());
        let now = Instant::now();
        for zone in zones {
            let path = folder.join(&zone);
            let Some(kind) = name(&path.join("name")) else { continue };
            zones_seen += 1;
            let count = |file| number(&path.join(file)).and_then(|count| u64::try_from(count).ok());
            let Some(energy) = count("energy_uj") else { continue };
            let Some((family, index)) = family_of(&kind, &mut dram) else { continue };
            // As node_exporter writes it, whatever the root is.
            let place = format!("/sys/class/powercap/{zone}");
            let labels = [("index", index.into()), ("path", place.into())];
            found.add(family, labels, energy as f64 / MICRO);
            if let Some(range) = count("max_energy_range_uj").filter(|range| energy <= *range)
                && kind.starts_with("package-")
            {
                packages.insert(zone, Counter { energy, range });
            }
        }
        if zones_seen == 0 {
            return Outcome::Missing;
        }
        if let Some((then, before)) = &self.before {
            let watts = watts(before, &packages, now.duration_since(*then));
            let labels = power::labels("measured", "processors", power::RAPL);
            found.add_some(&family::NODE_WATTS, labels, watts);
        }
        self.before = Some((now, packages));
        Outcome::of(found)
    }
}

/// The family and index of a zone by its name, `package-0`, `dram`; cores and uncore are within their package.
fn family_of(kind: &str, dram: &mut u32) -> Option<(&'static family::Family, String)> {
    if let Some(index) = kind.strip_prefix("package-") {
        return Some((&family::RAPL_PACKAGE_JOULES, index.into()));
    }
    (kind == "dram").then(|| {
        *dram += 1;
        (&family::RAPL_DRAM_JOULES, (*dram - 1).to_string())
    })
}

/// Mean power of all packages; `None` unless all that are there now were there before.
fn watts(
    before: &BTreeMap<String, Counter>,
    now: &BTreeMap<String, Counter>,
    apart: Duration,
) -> Option<f64> {
    if now.is_empty() || !(SHORTEST..=LONGEST).contains(&apart) {
        return None;
    }
    let mut watts = 0.0;
    for (zone, counter) in now {
        let earlier = before.get(zone).filter(|earlier| earlier.range == counter.range)?;
        let package = rise(*earlier, *counter) as f64 / MICRO / apart.as_secs_f64();
        watts += Some(package).filter(|watts| WATTS.contains(watts))?;
    }
    Some(watts)
}

/// Microjoules between two readings of a counter that begins anew after its highest.
fn rise(before: Counter, now: Counter) -> u64 {
    match now.energy.checked_sub(before.energy) {
        Some(rise) => rise,
        None => before.range - before.energy + now.energy + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: u64 = 262_143_328_850;

    fn package(energy: u64) -> BTreeMap<String, Counter> {
        BTreeMap::from([("intel-rapl:0".into(), Counter { energy, range: RANGE })])
    }

    #[test]
    fn power_is_the_rise_over_time() {
        let second = Duration::from_secs(1);
        assert_eq!(watts(&package(1_000_000), &package(16_000_000), second), Some(15.0));
        assert_eq!(watts(&package(0), &package(5_000_000), second / 2), Some(10.0));
    }

    #[test]
    fn a_counter_that_wrapped_has_risen() {
        let (before, now) = (package(RANGE - 999_999), package(4_000_000));
        assert_eq!(watts(&before, &now, Duration::from_secs(1)), Some(5.0));
    }

    #[test]
    fn what_cannot_be_known_is_none() {
        let second = Duration::from_secs(1);
        assert_eq!(watts(&BTreeMap::new(), &package(5), second), None, "a package appeared");
        assert_eq!(watts(&package(5), &BTreeMap::new(), second), None, "it is gone");
        assert_eq!(watts(&package(5), &package(6), Duration::ZERO), None);
        assert_eq!(watts(&package(5), &package(6), Duration::from_secs(3600)), None);
        assert_eq!(watts(&package(5_000_000_000), &package(0), second), None, "a reset, no 257 kW");
    }
}
