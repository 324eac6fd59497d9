//! The graphics processor of a Jetson: a momentary load in per mille, sampled on a thread of its own and averaged.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

use wire::metrics::family;

use super::{Outcome, Source};
use crate::{
    root::{Root, name, names, number, quantity},
    samples::Samples,
};

/// Between two samples: eight per second.
const INTERVAL: Duration = Duration::from_millis(125);
/// Without a new sample for so long the file blocks or fails, and the mean before is told no more.
const STALE: Duration = Duration::from_millis(500);
/// Nobody asked for so long: the sampling ends, until somebody asks again.
const FORGOTTEN: Duration = Duration::from_secs(10);
/// The file's full load.
const FULL: i64 = 1000;
/// What a graphics clock can be.
const HERTZ: std::ops::RangeInclusive<f64> = 1e6..=10e9;
/// Where the load is known to be, the oldest releases last.
const PLACES: [&str; 3] =
    ["sys/devices/gpu.0", "sys/devices/57000000.gpu", "sys/devices/platform/host1x/57000000.gpu"];
/// The names of Jetsons' graphics processors in their device trees (jetson_stats knows them by these).
const NAMES: [&str; 5] = ["gpu", "gp10b", "gv11b", "ga10b", "gb10b"];

pub struct JetsonGpu {
    root: Root,
    sampled: Option<Arc<Sampled>>,
}

/// What the sampling thread adds to and a reading takes.
struct Sampled {
    state: Mutex<State>,
}

struct State {
    sum: f64,
    count: u32,
    /// When there was a sample last.
    sampled: Instant,
    /// What was told last: who asks oftener than is sampled is told it again.
    told: Option<f64>,
    asked: Instant,
    ended: bool,
}

impl JetsonGpu {
    pub fn new(root: Root) -> Self {
        Self { root, sampled: None }
    }
}

impl Source for JetsonGpu {
    fn name(&self) -> &str {
        "jetson-gpu"
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        let Some(folder) = folder(&self.root) else { return Outcome::Missing };
        let file = folder.join("load");
        let running = self.sampled.as_ref().filter(|sampled| !sampled.lock().ended);
        let mean = match running {
            Some(sampled) => sampled.take(),
            None => {
                self.sampled = Sampled::start(file.clone());
                per_mille(&file)
            }
        };
        let labels = || [("gpu", "0".into())];
        found.add_some(&family::GPU_LOAD, labels(), mean.map(|load| load / FULL as f64));
        found.add_some(&family::GPU_FREQUENCY, labels(), frequency(&folder));
        Outcome::of(found)
    }
}

impl Sampled {
    /// Starts sampling `file` until nobody asks or whoever asked is gone.
    fn start(file: PathBuf) -> Option<Arc<Self>> {
        let now = Instant::now();
        let state =
            State { sum: 0.0, count: 0, sampled: now, told: None, asked: now, ended: false };
        let sampled = Arc::new(Self { state: Mutex::new(state) });
        let weak = Arc::downgrade(&sampled);
        let thread = thread::Builder::new().name("gpu".into()).stack_size(64 * 1024);
        thread.spawn(move || sample(&file, &weak)).ok()?;
        Some(sampled)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The mean since it was taken before; `None` if nothing can be read.
    fn take(&self) -> Option<f64> {
        let mut state = self.lock();
        if 0 < state.count {
            state.told = Some(state.sum / f64::from(state.count));
        } else if STALE < state.sampled.elapsed() {
            state.told = None;
        }
        (state.sum, state.count, state.asked) = (0.0, 0, Instant::now());
        state.told
    }
}

fn sample(file: &Path, sampled: &Weak<Sampled>) {
    loop {
        // Read without holding it: the file may block, and whoever asks must not.
        let load = per_mille(file);
        let Some(sampled) = sampled.upgrade() else { return };
        let mut state = sampled.lock();
        if FORGOTTEN < state.asked.elapsed() {
            state.ended = true;
            return;
        }
        if let Some(load) = load {
            state.sum += load;
            state.count += 1;
            state.sampled = Instant::now();
        }
        drop(state);
        drop(sampled);
        thread::sleep(INTERVAL);
    }
}

fn per_mille(file: &Path) -> Option<f64> {
    number(file).filter(|load| (0..=FULL).contains(load)).map(|load| load as f64)
}

/// The folder with the file `load`.
fn folder(root: &Root) -> Option<PathBuf> {
    let known = PLACES.map(|place| root.at(place)).into_iter();
    known.chain(by_name(root)).find(|folder| folder.join("load").exists())
}

fn by_name(root: &Root) -> Vec<PathBuf> {
    let class = root.at("sys/class/devfreq");
    let devices = names(&class).into_iter().map(|entry| class.join(entry).join("device"));
    let is_gpu = |device: &PathBuf| {
        name(&device.join("of_node/name")).is_some_and(|name| NAMES.contains(&&name[..]))
    };
    devices.filter(is_gpu).collect()
}

fn frequency(folder: &Path) -> Option<f64> {
    let devfreq = folder.join("devfreq");
    let mut found = names(&devfreq).into_iter();
    found.find_map(|entry| quantity(&devfreq.join(entry).join("cur_freq"), 1.0, HERTZ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_beyond_full_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("load");
        let loads = [("453\n", Some(453.0)), ("1000", Some(1000.0)), ("1001", None), ("-1", None)];
        for (text, load) in loads {
            std::fs::write(&file, text).unwrap();
            assert_eq!(per_mille(&file), load, "{text}");
        }
    }

    #[test]
    fn the_load_is_the_mean_since_it_was_taken() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("load");
        std::fs::write(&file, "400").unwrap();
        let sampled = Sampled::start(file.clone()).unwrap();
        let wait = |wanted: &dyn Fn(&State) -> bool| {
            let deadline = Instant::now() + Duration::from_secs(10);
            while !wanted(&sampled.lock()) {
                assert!(Instant::now() < deadline, "it never came");
                thread::yield_now();
            }
        };
        wait(&|state| 2 <= state.count);
        assert_eq!(sampled.take(), Some(400.0));
        sampled.lock().sum = 1000.0;
        sampled.lock().count = 1;
        wait(&|state| 2 <= state.count);
        let mean = sampled.take().unwrap();
        assert!(400.0 < mean && mean < 1000.0, "{mean}");
        std::fs::write(&file, "garbage").unwrap();
        wait(&|state| STALE < state.sampled.elapsed());
        sampled.take();
        assert_eq!(sampled.take(), None, "what cannot be read is not the mean of before");
    }
}
