//! The air in the chassis, by a DHT22 (AM2302) beside the thermostat: read by the kernel's driver or, where that is not
//! set up, by the kiosk at a pin of the Raspberry Pi; never by both.
//!
//! Reading order: [`pulses`] makes bytes of what the sensor's line does, [`air`] values of the bytes, and [`trust`] says
//! which of them are believed; [`iio`] and [`gpio`] are the two sources, the
//! latter with [`priority`].

pub mod air;
pub mod gpio;
pub mod iio;
pub mod priority;
pub mod pulses;
pub mod trust;

use std::{
    io,
    path::PathBuf,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::config::{RoomEntry, RoomSource};
use air::Air;
use trust::Trust;

/// The sensor converts when it is asked, and answers with the conversion before; asked more often it does not answer.
pub const INTERVAL: Duration = Duration::from_secs(2);
/// A reading older than this is stale: one that fails now and then is normal.
pub const STALE_AFTER: Duration = Duration::from_secs(30);

/// Why there is no new reading; the text is for the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The kernel knows no such sensor.
    #[error(
        "the kernel has no sensor dht11 (dtoverlay=dht11,gpiopin=4 in /boot/firmware/config.txt)"
    )]
    NoDriver,
    /// There are no pins here.
    #[error("this computer is no Raspberry Pi and the kernel has no sensor dht11")]
    NoPins,
    /// The kernel has the sensor: its pin must be left alone.
    #[error(
        "the kernel reads the sensor already; write source = \"iio\" into [room] of kiosk.toml"
    )]
    Taken,
    /// The device may not be opened.
    #[error("the sensor may not be read; the group to join is gpio")]
    Denied,
    /// Nothing comes from the sensor.
    #[error("the sensor does not answer; see its three wires")]
    NoAnswer,
    /// Its answer is damaged.
    #[error("what the sensor answers arrives damaged")]
    Damaged,
    /// Its answer is nothing that air is.
    #[error("what the sensor answers cannot be")]
    Absurd,
}

/// Who has read a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The kernel.
    Iio,
    /// The kiosk at a pin.
    Gpio,
}

/// One value that is believed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// When it arrived, by this host's monotonic clock.
    pub at: Instant,
    /// What was measured.
    pub air: Air,
    /// By whom.
    pub source: Source,
}

/// What is known of the air in the chassis.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Room {
    /// The newest value that is believed.
    pub reading: Option<Reading>,
    /// Why the newest attempt failed.
    pub trouble: Option<Trouble>,
    /// Attempts since the start.
    pub attempts: u64,
    /// Attempts that failed.
    pub failures: u64,
}

impl Room {
    /// The newest value, if it is current.
    pub fn fresh(&self, now: Instant) -> Option<&Reading> {
        let is_fresh =
            |reading: &&Reading| now.saturating_duration_since(reading.at) <= STALE_AFTER;
        self.reading.as_ref().filter(is_fresh)
    }

    /// An attempt is over; what is not believed yet waits for the next one.
    pub fn heard(
        &mut self,
        answer: Result<(Air, Source), Trouble>,
        trust: &mut Trust,
        now: Instant,
    ) {
        self.attempts += 1;
        match answer {
            Ok((air, source)) => {
                self.trouble = None;
                if let Some(air) = trust.judge(air) {
                    self.reading = Some(Reading { at: now, air, source });
                }
            }
            Err(trouble) => {
                self.failures += 1;
                self.trouble = Some(trouble);
            }
        }
    }
}

/// The thread that reads the sensor.
pub struct RoomThread {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl RoomThread {
    /// Begins to read the sensor of a machine whose files are below `root`; what is known goes to `seen`.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(entry: RoomEntry, root: PathBuf, seen: watch::Sender<Room>) -> io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let thread = thread::Builder::new().name("room".into()).spawn(move || {
            let (mut sensor, mut trust) = (Sensor::new(entry, root), Trust::default());
            let mut room = Room::default();
            loop {
                let before = room.trouble;
                room.heard(sensor.read(), &mut trust, Instant::now());
                if room.trouble != before {
                    match room.trouble {
                        Some(trouble) => log::warn!("room sensor: {trouble}"),
                        None => log::info!("room sensor: it answers"),
                    }
                }
                seen.send_replace(room);
                if stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(Self { stop, thread })
    }

    /// Ends the thread and waits for it, which takes as long as a reading: a second at most.
    ///
    /// # Errors
    /// If it has panicked.
    pub fn stop(self) -> thread::Result<()> {
        drop(self.stop);
        self.thread.join()
    }
}

/// The sensor, whoever reads it.
pub struct Sensor {
    entry: RoomEntry,
    root: PathBuf,
    line: Option<gpio::PiLine>,
}

impl Sensor {
    /// Not looked for yet.
    pub fn new(entry: RoomEntry, root: PathBuf) -> Self {
        Self { entry, root, line: None }
    }

    /// Asks once; takes a second at most. Not more often than every [`INTERVAL`].
    ///
    /// # Errors
    /// Why there is no value.
    pub fn read(&mut self) -> Result<(Air, Source), Trouble> {
        let device = iio::find(&self.root);
        match (self.entry.source, device) {
            (RoomSource::Auto | RoomSource::Iio, Some(device)) => {
                iio::read(&device).map(|air| (air, Source::Iio))
            }
            (RoomSource::Iio, None) => Err(Trouble::NoDriver),
            (RoomSource::Gpio, Some(_)) => Err(Trouble::Taken),
            (RoomSource::Auto | RoomSource::Gpio, None) => {
                let line = match &mut self.line {
                    Some(line) => line,
                    None => {
                        let line = gpio::PiLine::open(self.entry.gpio)?;
                        if let Err(error) = priority::raise() {
                            log::info!(
                                "room sensor: without real-time priority ({error}) a reading fails now and then; \
                                 LimitRTPRIO of the unit, or rtprio in limits.conf, allows it"
                            );
                        }
                        self.line.insert(line)
                    }
                };
                gpio::read(line).map(|air| (air, Source::Gpio))
            }
        }
    }
}
