//! What is known of one node at one moment; every part is absent unless it was read.

use std::time::Instant;

/// How a value came about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// By a sensor or a counter.
    #[default]
    Measured,
    /// Computed from measured values that do not cover all of it.
    Estimated,
    /// Concluded from something else.
    Inferred,
    /// By a model, for trying things out.
    Simulated,
}

/// One answer of one node.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// When it arrived, by this host's monotonic clock.
    pub at: Instant,
    /// What the node calls itself.
    pub host: Option<String>,
    /// The board, as its maker calls it.
    pub model: Option<String>,
    /// The kernel's release.
    pub kernel: Option<String>,
    /// Share of time that each core was not idle since the reading before, 0 to 1, by the core's number; `None`
    /// for a core that is off-line or has only just appeared.
    pub cores: Vec<Option<f64>>,
    /// The same for all cores that are on-line.
    pub load: Option<f64>,
    /// Mean length of the run queue over 1, 5 and 15 minutes.
    pub load_average: Option<[f64; 3]>,
    /// Current and highest clock of the fastest core, Hz.
    pub cpu_hertz: Option<(f64, Option<f64>)>,
    /// Main memory.
    pub memory: Option<Space>,
    /// The processor's temperature: the one that stands for the node.
    pub celsius: Option<f64>,
    /// Every temperature.
    pub temperatures: Vec<Temperature>,
    /// Graphics processors.
    pub gpus: Vec<Gpu>,
    /// Fans.
    pub fans: Vec<Fan>,
    /// Supply rails.
    pub rails: Vec<Rail>,
    /// Power of the node.
    pub power: Option<Power>,
    /// Voltage at the supply input.
    pub supply_volts: Option<(f64, Origin)>,
    /// What the board complains about; none where it complains about nothing or cannot.
    pub flags: Vec<Flag>,
    /// Network interfaces.
    pub networks: Vec<Network>,
    /// File systems.
    pub disks: Vec<Disk>,
    /// The power mode the board is set to.
    pub power_mode: Option<String>,
    /// Values of this answer that were refused because nothing real can have them.
    pub refused: u64,
}

impl Reading {
    /// Nothing was read at `at`.
    pub fn empty(at: Instant) -> Self {
        Self {
            at,
            host: None,
            model: None,
            kernel: None,
            cores: Vec::new(),
            load: None,
            load_average: None,
            cpu_hertz: None,
            memory: None,
            celsius: None,
            temperatures: Vec::new(),
            gpus: Vec::new(),
            fans: Vec::new(),
            rails: Vec::new(),
            power: None,
            supply_volts: None,
            flags: Vec::new(),
            networks: Vec::new(),
            disks: Vec::new(),
            power_mode: None,
            refused: 0,
        }
    }
}

/// How much of something there is, bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Space {
    /// In use.
    pub used_bytes: f64,
    /// All of it.
    pub total_bytes: f64,
}

impl Space {
    /// In use, 0 to 1.
    pub fn share(self) -> f64 {
        (self.used_bytes / self.total_bytes).clamp(0.0, 1.0)
    }
}

/// One temperature sensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Temperature {
    /// Zone type, or driver and label.
    pub name: String,
    /// Degrees Celsius.
    pub celsius: f64,
}

/// One graphics processor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gpu {
    /// Its number or name among the node's.
    pub id: String,
    /// As its maker calls it.
    pub name: Option<String>,
    /// Share of time it was busy, 0 to 1.
    pub load: Option<f64>,
    /// Current clock.
    pub hertz: Option<f64>,
    /// Its own memory; absent where it shares the main memory.
    pub memory: Option<Space>,
    /// Degrees Celsius.
    pub celsius: Option<f64>,
    /// Power of it alone.
    pub watts: Option<f64>,
    /// Its fan, share of full speed.
    pub fan: Option<f64>,
}

/// One fan.
#[derive(Clone, Debug, PartialEq)]
pub struct Fan {
    /// As its driver calls it.
    pub name: String,
    /// What it is told to do, share of full speed.
    pub ratio: Option<f64>,
    /// Revolutions per minute, where the sensor says more than zero: zero often means "not counted".
    pub rpm: Option<f64>,
}

/// One supply rail.
#[derive(Clone, Debug, PartialEq)]
pub struct Rail {
    /// As the board's maker calls it.
    pub name: String,
    /// Volts.
    pub volts: Option<f64>,
    /// Amperes.
    pub amperes: Option<f64>,
    /// Watts.
    pub watts: Option<f64>,
    /// How they are known.
    pub origin: Origin,
}

/// What the power of a node covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The board, without USB devices and losses before it.
    Board,
    /// CPU and GPU packages only.
    Processors,
}

/// Power of a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Power {
    /// Watts.
    pub watts: f64,
    /// What it covers.
    pub scope: Scope,
    /// How it is known.
    pub origin: Origin,
}

/// What a board may complain about; the order is that of severity, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Complaint {
    /// The supply sags.
    UnderVoltage,
    /// The supply's current limit is reached.
    OverCurrent,
    /// It runs slower because it is hot.
    Throttled,
    /// It is near the temperature at which it runs slower.
    SoftTemperatureLimit,
    /// Its clock is held below its maximum.
    FrequencyCapped,
}

/// A complaint that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag {
    /// What it is about.
    pub complaint: Complaint,
    /// Now, rather than at some time since the board was started.
    pub now: bool,
}

/// One network interface.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Its name.
    pub device: String,
    /// Bytes per second received since the reading before.
    pub received_per_s: Option<f64>,
    /// Bytes per second sent since the reading before.
    pub sent_per_s: Option<f64>,
    /// What the link can carry, bytes per second.
    pub speed_per_s: Option<f64>,
    /// Whether it has a link.
    pub up: Option<bool>,
}

/// One file system.
#[derive(Clone, Debug, PartialEq)]
pub struct Disk {
    /// Where it is mounted.
    pub mount: String,
    /// How full it is.
    pub space: Space,
}
