//! This machine's processor load and temperature, from the files the kernel offers.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::Instant,
};

use super::reading::Reading;

/// Most bytes read of one file; `/proc/stat` of a 1,000-core machine is smaller.
const MAX_FILE: u64 = 1 << 20;
/// What a processor can plausibly have; dummies and broken sensors are outside.
const PLAUSIBLE_CELSIUS: std::ops::RangeInclusive<f64> = -40.0..=120.0;
/// Thermal zones that measure the processor, by type, best first (Pi 5, Jetson, Intel, generic ACPI).
const ZONES: [&str; 5] = ["cpu-thermal", "CPU-therm", "x86_pkg_temp", "soc_thermal", "acpitz"];
/// Drivers of `/sys/class/hwmon` that measure the processor, best first (Intel, AMD, Pi 5).
const DRIVERS: [&str; 3] = ["coretemp", "k10temp", "cpu_thermal"];

/// Time the cores spent, in clock ticks since boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CpuTimes {
    busy: u64,
    total: u64,
}

/// Reads the host below `root`, which is `/` outside tests.
pub struct HostReader {
    root: PathBuf,
    previous: Option<CpuTimes>,
}

impl HostReader {
    /// A reader of the tree below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), previous: None }
    }

    /// Reads once; the load is that since the previous call, so the first call has none.
    pub fn read(&mut self, now: Instant) -> Reading {
        let times = read_small(&self.root.join("proc/stat")).and_then(|text| cpu_times(&text));
        let load = match (self.previous, times) {
            (Some(previous), Some(times)) => load_between(previous, times),
            _ => None,
        };
        self.previous = times;
        Reading { load, celsius: self.celsius(), ..Reading::empty(now) }
    }

    fn celsius(&self) -> Option<f64> {
        self.zone_celsius().or_else(|| self.driver_celsius())
    }

    /// Zones are known by type: their numbers change between boots.
    fn zone_celsius(&self) -> Option<f64> {
        let zones = entries(&self.root.join("sys/class/thermal"), "thermal_zone");
        best(&ZONES, &zones, |zone| zone.join("type"), |zone| zone.join("temp"))
    }

    fn driver_celsius(&self) -> Option<f64> {
        let chips = entries(&self.root.join("sys/class/hwmon"), "hwmon");
        best(&DRIVERS, &chips, |chip| chip.join("name"), |chip| chip.join("temp1_input"))
    }
}

/// The first plausible value in the order of `wanted` names.
fn best(
    wanted: &[&str],
    folders: &[PathBuf],
    name: impl Fn(&Path) -> PathBuf,
    value: impl Fn(&Path) -> PathBuf,
) -> Option<f64> {
    wanted.iter().find_map(|wanted| {
        let named = folders
            .iter()
            .filter(|folder| read_small(&name(folder)).is_some_and(|text| text.trim() == *wanted));
        named.filter_map(|folder| millidegrees(&read_small(&value(folder))?)).next()
    })
}

fn entries(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(listing) = std::fs::read_dir(folder) else { return Vec::new() };
    let named = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(prefix))
    };
    let mut found: Vec<_> =
        listing.filter_map(|entry| Some(entry.ok()?.path())).filter(named).take(256).collect();
    found.sort();
    found
}

fn read_small(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_FILE).read_to_string(&mut text).ok()?;
    Some(text)
}

/// A kernel temperature, millidegrees Celsius, in degrees if it is plausible.
fn millidegrees(text: &str) -> Option<f64> {
    let celsius = text.trim().parse::<i64>().ok()? as f64 / 1000.0;
    PLAUSIBLE_CELSIUS.contains(&celsius).then_some(celsius)
}

/// The first line of `/proc/stat`: user nice system idle iowait irq softirq steal (proc(5)).
fn cpu_times(stat: &str) -> Option<CpuTimes> {
    let mut fields = stat.lines().next()?.split_ascii_whitespace();
    if fields.next()? != "cpu" {
        return None;
    }
    let ticks: Vec<u64> = fields.take(8).map_while(|field| field.parse().ok()).collect();
    let [_, _, _, idle, ..] = ticks[..] else { return None };
    let waiting = ticks.get(4).copied().unwrap_or(0);
    let total = ticks.iter().try_fold(0u64, |sum, ticks| sum.checked_add(*ticks))?;
    Some(CpuTimes { busy: total.checked_sub(idle)?.checked_sub(waiting)?, total })
}

/// `None` where the counters did not advance or went backwards, as they may for input/output waits.
fn load_between(earlier: CpuTimes, later: CpuTimes) -> Option<f64> {
    let total = later.total.checked_sub(earlier.total).filter(|ticks| 0 < *ticks)?;
    let busy = later.busy.checked_sub(earlier.busy)?;
    Some((busy as f64 / total as f64).min(1.0))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn load_is_the_share_of_ticks_between_two_reads_that_were_not_idle() {
        let root = tree(&[("proc/stat", "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 2\n")]);
        let mut host = HostReader::new(root.path());
        assert_eq!(host.read(Instant::now()).load, None, "one reading has no interval");
        // 30 more ticks busy, 60 idle, 10 waiting for input/output.
        fs::write(root.path().join("proc/stat"), "cpu  120 0 110 760 110 0 0 0 0 0\n").unwrap();
        assert_eq!(host.read(Instant::now()).load.unwrap(), 0.3);
    }

    #[test]
    fn counters_that_stand_still_or_run_backwards_are_no_load() {
        let root = tree(&[("proc/stat", "cpu 100 0 100 700 100 0 0 0\n")]);
        let mut host = HostReader::new(root.path());
        host.read(Instant::now());
        assert_eq!(host.read(Instant::now()).load, None);
        fs::write(root.path().join("proc/stat"), "cpu 90 0 100 800 100 0 0 0\n").unwrap();
        assert_eq!(host.read(Instant::now()).load, None);
    }

    #[test]
    fn a_jetson_shows_its_cpu_and_not_the_dummy_of_its_power_chip() {
        let root = tree(&[
            ("sys/class/thermal/thermal_zone0/type", "AO-therm\n"),
            ("sys/class/thermal/thermal_zone0/temp", "41500\n"),
            ("sys/class/thermal/thermal_zone1/type", "CPU-therm\n"),
            ("sys/class/thermal/thermal_zone1/temp", "34000\n"),
            ("sys/class/thermal/thermal_zone4/type", "PMIC-Die\n"),
            ("sys/class/thermal/thermal_zone4/temp", "100000\n"),
        ]);
        assert_eq!(HostReader::new(root.path()).read(Instant::now()).celsius.unwrap(), 34.0);
    }

    #[test]
    fn a_desktop_without_zones_is_read_through_its_driver() {
        let root = tree(&[
            ("sys/class/hwmon/hwmon0/name", "nvme\n"),
            ("sys/class/hwmon/hwmon0/temp1_input", "51850\n"),
            ("sys/class/hwmon/hwmon3/name", "k10temp\n"),
            ("sys/class/hwmon/hwmon3/temp1_input", "44125\n"),
        ]);
        assert_eq!(HostReader::new(root.path()).read(Instant::now()).celsius.unwrap(), 44.125);
    }

    #[test]
    fn what_is_missing_garbled_or_absurd_is_absent() {
        for (zone, stat) in
            [("", ""), ("-\n", "cpu x\n"), ("999000\n", "intr 5\n"), ("-273000", "cpu 1 2")]
        {
            let root = tree(&[
                ("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n"),
                ("sys/class/thermal/thermal_zone0/temp", zone),
                ("proc/stat", stat),
            ]);
            let mut host = HostReader::new(root.path());
            host.read(Instant::now());
            let now = Instant::now();
            assert_eq!(host.read(now), Reading::empty(now), "{zone:?} {stat:?}");
        }
        let now = Instant::now();
        assert_eq!(HostReader::new("/nonexistent").read(now), Reading::empty(now));
    }
}
