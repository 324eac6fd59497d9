//! The wall power meter of the cluster: a Voltcraft SEM6000 plug, read over Bluetooth Low Energy; it is never switched.
//!
//! Reading order: [`frame`] knows its bytes, [`session`] what is said when (a state machine without any radio or clock),
//! [`bluetooth`] the radio, [`day`] the energy since midnight.

pub mod bluetooth;
pub mod day;
pub mod frame;
pub mod session;

use std::time::{Duration, Instant};

use day::Day;
use frame::{Info, Measurement};

/// A reading older than this is stale: shown with its age, never as current.
pub const STALE_AFTER: Duration = Duration::from_secs(3);
/// The meter switches everything off at its limit; nearer to it than this factor is worth a warning.
const NEAR_LIMIT: f64 = 1.2;

/// One measurement and when it arrived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// By this host's monotonic clock.
    pub at: Instant,
    /// What was measured.
    pub measured: Measurement,
}

/// Why there is no new reading; the text is for the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Nobody to ask for Bluetooth.
    #[error("this computer's D-Bus does not answer")]
    NoBus,
    /// D-Bus is there, bluetoothd is not.
    #[error("the Bluetooth service of this computer does not run (systemctl status bluetooth)")]
    NoBluetooth,
    /// No adapter that can be used.
    #[error("this computer has no Bluetooth adapter that can be used (bluetoothctl list)")]
    NoAdapter,
    /// The adapter is off.
    #[error("Bluetooth is switched off (bluetoothctl power on; rfkill list)")]
    AdapterOff,
    /// Nothing of the kind shows itself.
    #[error(
        "no meter to be found: it has no power, is too far away, or another device is connected to it"
    )]
    NotFound,
    /// It is known and takes no connection.
    #[error("meter busy: another device is connected to it, or it has no power")]
    Busy,
    /// It can be heard and takes no connection.
    #[error("the meter can be heard, but no connection comes about")]
    NoConnection,
    /// What is at the address is something else.
    #[error("what is connected is no SEM6000; see address and name in [meter] of kiosk.toml")]
    NotAMeter,
    /// The PIN of kiosk.toml is not the meter's.
    #[error("the meter refuses the PIN; see pin in [meter] of kiosk.toml")]
    WrongPin,
    /// Connected, and no answer comes.
    #[error("the meter is connected and does not answer")]
    Silent,
    /// Connected, and answers are damaged.
    #[error("what the meter answers arrives damaged")]
    Damaged,
    /// The link has gone.
    #[error("the connection to the meter is lost")]
    Lost,
}

/// What is being done about the meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Doing {
    /// Looking for it, or connecting to it.
    #[default]
    Connecting,
    /// Telling it the PIN.
    LoggingIn,
    /// Measuring.
    Measuring,
    /// Waiting for the next attempt.
    Waiting,
}

/// What is known of the meter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meter {
    /// The newest measurement.
    pub reading: Option<Reading>,
    /// What is being done.
    pub doing: Doing,
    /// Why the newest attempt failed; `None` once a measurement has arrived again.
    pub trouble: Option<Trouble>,
    /// When the next attempt begins, while it waits.
    pub again_at: Option<Instant>,
    /// Above this it switches everything off, W.
    pub limit_watts: Option<u16>,
    /// The largest power since the start, W.
    pub largest_watts: f64,
    /// What it says of itself.
    pub info: Option<Info>,
    /// Energy since midnight.
    pub day: Option<Day>,
    /// Answers that arrived damaged since the start.
    pub damaged: u64,
    /// Connections since the start.
    pub connections: u64,
}

impl Meter {
    /// The newest measurement, if it is current.
    pub fn fresh(&self, now: Instant) -> Option<&Reading> {
        let is_fresh =
            |reading: &&Reading| now.saturating_duration_since(reading.at) <= STALE_AFTER;
        self.reading.as_ref().filter(is_fresh)
    }

    /// The largest power came near the limit at which the meter switches everything off.
    pub fn is_near_limit(&self) -> bool {
        self.limit_watts.is_some_and(|limit| f64::from(limit) < NEAR_LIMIT * self.largest_watts)
    }
}
