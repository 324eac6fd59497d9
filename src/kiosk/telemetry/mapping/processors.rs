//! Processors and main memory.

use super::{
    Said,
    said::{Known, Value},
};
use crate::telemetry::reading::{Reading, Space};

/// Most cores; a number beyond it is not a core's.
const MAX_CORES: usize = 4096;

/// How far the time that a core was idle may fall without its having started anew, seconds.
const TAKEN_BACK_S: f64 = 0.05;

/// Seconds of each core since the start, by its number; `None` where there is no such core, or not now.
pub(super) type CoreTimes = Vec<Option<Times>>;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Times {
    /// Doing nothing, or waiting for a disk.
    idle: f64,
    /// Anything else.
    busy: f64,
}

pub(super) fn read(said: &Said<'_>, before: &mut CoreTimes, reading: &mut Reading) {
    let now = core_times(said.of(Known::CpuSeconds), before.len());
    (reading.cores, reading.load) = loads(before, &now);
    *before = now;

    let averages = [Known::Load1, Known::Load5, Known::Load15].map(|known| said.one(known));
    if let [Some(one), Some(five), Some(fifteen)] = averages {
        reading.load_average = Some([one, five, fifteen]);
    }
    let highest = |known| {
        said.of(known).iter().map(|value| value.value).filter(|hertz| 0.0 < *hertz).reduce(f64::max)
    };
    reading.cpu_hertz =
        highest(Known::CpuFrequency).map(|hertz| (hertz, highest(Known::CpuFrequencyMax)));
    if let (Some(total), Some(available)) =
        (said.one(Known::MemoryTotal), said.one(Known::MemoryAvailable))
        && 0.0 < total
        && available <= total
    {
        reading.memory = Some(Space { used_bytes: total - available, total_bytes: total });
    }
}

/// `count` cores at least: one that went off-line keeps its place.
fn core_times(seconds: &[Value<'_>], count: usize) -> CoreTimes {
    let mut cores: CoreTimes = vec![None; count];
    for value in seconds {
        let number = value.label("cpu").and_then(|cpu| cpu.parse::<usize>().ok());
        let Some(number) = number.filter(|number| *number < MAX_CORES) else { continue };
        if cores.len() <= number {
            cores.resize(number + 1, None);
        }
        let times = cores[number].get_or_insert_default();
        match value.label("mode").as_deref() {
            Some("idle" | "iowait") => times.idle += value.value,
            Some(_) => times.busy += value.value,
            None => {}
        }
    }
    cores
}

/// The load of each core and of all that are on-line.
fn loads(before: &CoreTimes, now: &CoreTimes) -> (Vec<Option<f64>>, Option<f64>) {
    let passed: Vec<Option<Times>> = now
        .iter()
        .enumerate()
        .map(|(number, now)| passed(before.get(number).copied().flatten()?, (*now)?))
        .collect();
    let share = |times: Times| times.busy / (times.idle + times.busy);
    let all = passed
        .iter()
        .flatten()
        .copied()
        .reduce(|sum, core| Times { idle: sum.idle + core.idle, busy: sum.busy + core.busy });
    (passed.iter().map(|core| core.map(share)).collect(), all.map(share))
}

/// What a core did in between; `None` if its counters fell, because it started anew, or stood still, as those of a core
/// that is off-line do.
fn passed(before: Times, now: Times) -> Option<Times> {
    let (mut idle, busy) = (now.idle - before.idle, now.busy - before.busy);
    // The kernel takes back a tick of waiting for a disk now and then.
    if (-TAKEN_BACK_S..0.0).contains(&idle) {
        idle = 0.0;
    }
    (0.0 <= idle && 0.0 <= busy && 0.0 < idle + busy).then_some(Times { idle, busy })
}
