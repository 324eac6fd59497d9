//! What a source of metrics is, and which there are. Each parses text by pure functions and reads below a root.

mod amd_gpu;
mod board;
mod cpu;
mod cpu_clock;
mod fan;
mod firmware;
mod hwmon;
mod jetson_gpu;
mod load;
mod memory;
mod network;
mod nvidia;
mod process;
mod rails;
mod rapl;
mod storage;
mod system;
mod thermal;

use std::time::Duration;

use crate::{Settings, root::Root, samples::Samples};

/// What came of reading a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was read, at least in part.
    Read,
    /// This machine does not have it.
    Missing,
    /// It is there and cannot be read.
    Failed,
}

impl Outcome {
    /// A source that is there and gives nothing has failed.
    fn of(samples: &Samples) -> Self {
        if samples.is_empty() { Outcome::Failed } else { Outcome::Read }
    }
}

/// Something that is read as one, by one thread at a time; it may block for ever.
pub trait Source: Send {
    /// What `hpc_agent_source_up` calls it.
    fn name(&self) -> &str;

    /// Reads it now.
    fn read(&mut self, found: &mut Samples) -> Outcome;

    /// How long a reading is told again before the next one: for what is dear to read.
    fn fresh_for(&self) -> Duration {
        Duration::ZERO
    }

    /// How long a reading is told while the next one is not there.
    fn kept_for(&self) -> Duration {
        Duration::ZERO
    }
}

/// Every source, the quick ones first.
pub fn all(settings: &Settings) -> Vec<Box<dyn Source>> {
    let (root, fan_fitted) = (|| Root::new(&settings.root), settings.fan_fitted);
    let mut sources: Vec<Box<dyn Source>> = vec![
        Box::new(cpu::Cpu(root())),
        Box::new(cpu_clock::CpuClock(root())),
        Box::new(load::Load(root())),
        Box::new(memory::Memory(root())),
        Box::new(network::Network(root())),
        Box::new(system::System(root())),
        Box::new(process::Process),
        Box::new(thermal::Thermal { root: root(), fan_fitted }),
        Box::new(rapl::Rapl::new(root())),
        Box::new(jetson_gpu::JetsonGpu::new(root())),
        Box::new(amd_gpu::AmdGpu(root())),
        Box::new(rails::Rails(root())),
        Box::new(hwmon::Hwmon { root: root(), fan_fitted }),
    ];
    if fan_fitted {
        sources.push(Box::new(fan::Fan(root())));
    }
    for mount in &settings.storage {
        sources.push(Box::new(storage::Storage::new(root(), mount)));
    }
    sources.push(Box::new(firmware::Firmware::new(root())));
    sources.push(Box::new(nvidia::Nvidia::new(root())));
    sources.push(Box::new(board::Board::new(root())));
    sources
}
