//! NVIDIA's graphics processors: by NVML, which is looked for at run time, else by `nvidia-smi`. Jetsons before Thor
//! have neither.

mod smi;

use std::{
    ffi::OsStr,
    path::PathBuf,
    time::{Duration, Instant},
};

use nvml_wrapper::{
    Device, Nvml,
    enum_wrappers::device::{Clock, TemperatureSensor},
};
use wire::metrics::family;

use super::{Outcome, Source, thermal::CELSIUS};
use crate::{
    command,
    root::{Root, printable},
    samples::{Label, Samples},
};

/// The library's name; the dynamic loader knows where it is.
const LIBRARY: &str = "libnvidia-ml.so.1";
/// Where it is in a captured tree.
const PLACES: [&str; 5] = [
    "usr/lib/x86_64-linux-gnu",
    "usr/lib/aarch64-linux-gnu",
    "usr/lib64",
    "usr/lib",
    "usr/lib/wsl/lib",
];
/// Most processors of one node.
const MOST: u32 = 64;
/// A library that is not there, or lost its driver, is looked for again after this.
const RETRY: Duration = Duration::from_secs(30);
/// The tool starts a process and, without the persistence daemon, the driver: a second.
const TOOL_LIMIT: Duration = Duration::from_secs(5);
const TOOL_FRESH: Duration = Duration::from_secs(2);
const TOOL_KEPT: Duration = Duration::from_secs(8);
const WATTS: std::ops::RangeInclusive<f64> = 0.0..=5000.0;

pub struct Nvidia {
    root: Root,
    library: Library,
    by_tool: bool,
}

enum Library {
    Loaded(Box<Nvml>),
    /// It was not there when it was looked for.
    Absent(Instant),
    NotTried,
}

/// One processor as either way tells it; what it does not tell is absent.
#[derive(Clone, Debug, Default, PartialEq)]
struct Gpu {
    id: String,
    name: Option<String>,
    load_percent: Option<f64>,
    celsius: Option<f64>,
    watts: Option<f64>,
    fan_percent: Option<f64>,
    memory_used_bytes: Option<f64>,
    memory_total_bytes: Option<f64>,
    hertz: Option<f64>,
}

impl Nvidia {
    pub fn new(root: Root) -> Self {
        Self { root, library: Library::NotTried, by_tool: false }
    }

    /// The library, if it is there and knows its driver.
    fn library(&mut self) -> Option<&Nvml> {
        let try_again = match &self.library {
            Library::Loaded(_) => false,
            Library::Absent(since) => RETRY < since.elapsed(),
            Library::NotTried => true,
        };
        if try_again {
            let path = self.library_path();
            let loaded = path.and_then(|path| Nvml::builder().lib_path(&path).init().ok());
            self.library = match loaded {
                Some(library) => Library::Loaded(Box::new(library)),
                None => Library::Absent(Instant::now()),
            };
        }
        match &self.library {
            Library::Loaded(library) => Some(library),
            _ => None,
        }
    }

    fn library_path(&self) -> Option<std::ffi::OsString> {
        if self.root.is_live() {
            return Some(OsStr::new(LIBRARY).into());
        }
        let places = PLACES.iter().map(|place| self.root.at(place).join(LIBRARY));
        places.into_iter().find(|path| path.exists()).map(PathBuf::into_os_string)
    }

    fn by_library(&mut self) -> Option<Vec<Gpu>> {
        let library = self.library()?;
        let Ok(count) = library.device_count() else {
            // The driver was unloaded or updated below it.
            self.library = Library::Absent(Instant::now());
            return None;
        };
        // One that has failed leaves its number free.
        let devices = (0..count.min(MOST))
            .filter_map(|index| Some((index as usize, library.device_by_index(index).ok()?)));
        Some(devices.map(|(index, device)| asked(index, &device)).collect())
    }

    fn by_tool(&mut self) -> Option<Vec<Gpu>> {
        let tool = self.root.at("usr/bin/nvidia-smi");
        if !tool.exists() {
            return None;
        }
        let query = format!("--query-gpu={}", smi::QUERY);
        let said = command::output(&tool, &[&query, "--format=csv"], TOOL_LIMIT);
        Some(said.as_deref().map(smi::gpus).unwrap_or_default())
    }
}

impl Source for Nvidia {
    fn name(&self) -> &str {
        "nvidia"
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        let by_library = self.by_library();
        self.by_tool = by_library.is_none();
        let Some(gpus) = by_library.or_else(|| self.by_tool()) else { return Outcome::Missing };
        for gpu in &gpus {
            gpu.add(found);
        }
        Outcome::of(found)
    }

    fn fresh_for(&self) -> Duration {
        if self.by_tool { TOOL_FRESH } else { Duration::ZERO }
    }

    fn kept_for(&self) -> Duration {
        if self.by_tool { TOOL_KEPT } else { Duration::ZERO }
    }
}

fn asked(index: usize, device: &Device) -> Gpu {
    let memory = device.memory_info().ok();
    Gpu {
        id: index.to_string(),
        name: device.name().ok(),
        load_percent: device.utilization_rates().ok().map(|rates| f64::from(rates.gpu)),
        celsius: device.temperature(TemperatureSensor::Gpu).ok().map(f64::from),
        watts: device.power_usage().ok().map(|milliwatts| f64::from(milliwatts) / 1e3),
        fan_percent: device.fan_speed(0).ok().map(f64::from),
        memory_used_bytes: memory.as_ref().map(|memory| memory.used as f64),
        memory_total_bytes: memory.as_ref().map(|memory| memory.total as f64),
        hertz: device.clock_info(Clock::SM).ok().map(|megahertz| f64::from(megahertz) * 1e6),
    }
}

impl Gpu {
    fn add(&self, found: &mut Samples) {
        let gpu = || -> Label { ("gpu", printable(&self.id).into()) };
        if let Some(name) = &self.name {
            found.add(&family::GPU, [gpu(), ("name", printable(name).into())], 1.0);
        }
        let share = |percent: Option<f64>| {
            percent.filter(|percent| (0.0..=100.0).contains(percent)).map(|percent| percent / 100.0)
        };
        found.add_some(&family::GPU_LOAD, [gpu()], share(self.load_percent));
        found.add_some(&family::GPU_FAN, [gpu()], share(self.fan_percent));
        let celsius = self.celsius.filter(|celsius| CELSIUS.contains(celsius));
        found.add_some(&family::GPU_CELSIUS, [gpu()], celsius);
        let watts = self.watts.filter(|watts| WATTS.contains(watts));
        found.add_some(&family::GPU_WATTS, [gpu(), ("origin", "measured".into())], watts);
        let total = self.memory_total_bytes.filter(|total| 0.0 < *total);
        let used = self.memory_used_bytes.filter(|used| total.is_none_or(|total| *used <= total));
        found.add_some(&family::GPU_MEMORY_TOTAL, [gpu()], total);
        found.add_some(&family::GPU_MEMORY_USED, [gpu()], used);
        let hertz = self.hertz.filter(|hertz| (0.0..=10e9).contains(hertz));
        found.add_some(&family::GPU_FREQUENCY, [gpu()], hertz);
    }
}
