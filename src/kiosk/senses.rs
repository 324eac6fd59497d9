//! What the rack itself tells, put together: wall power, the air in the chassis, its fan, and the energy of the runs. Pure
//! but for [`follow`], which is told by whoever reads, and tells whoever shows.

use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;
use wire::demo::Unit;

use crate::{
    config::{Config, FanWire, MeterEntry},
    energy::{Baseline, Energy, Run, gap},
    fan::{
        Fan, StepDetector,
        sense::{PiLevel, Sense},
    },
    meter::Meter,
    room::Room,
    supervisor::{State, Status},
    telemetry::{
        Freshness, SharedHistory, Telemetry,
        history::{History, Quantity},
        reading::{Origin, Scope},
    },
};

/// Where the wall power stands in the history of the senses.
pub const WALL: usize = 0;
/// Where the air of the chassis stands.
pub const CHASSIS: usize = 1;
/// Runs that are remembered: more than an hour of visitors has.
const MAX_RUNS: usize = 64;
/// Steps of the fan that are remembered.
const MAX_STEPS: usize = 32;
/// How often the fan's wire is looked at.
const LOOKS: Duration = Duration::from_secs(1);
/// Samples of the computers' own power come no more often than this: the wall's come as often.
const RAILS_INTERVAL: Duration = Duration::from_millis(950);

/// Where the power of a run was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// At the wall: everything.
    Wall,
    /// On the computers' boards, without their supplies, the switch and the display.
    Rails,
}

/// The energy of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunEnergy {
    /// When it was launched.
    pub began: Instant,
    /// When it was over.
    pub ended: Option<Instant>,
    /// What it took.
    pub energy: Energy,
    /// When the newest sample was taken; the launch while there is none.
    pub newest: Instant,
    /// Cells or droplets that were computed anew, as far as was told.
    pub updates: f64,
    /// Which of them.
    pub unit: Unit,
    /// Where it was measured.
    pub by: By,
}

impl RunEnergy {
    /// What of the run nobody has measured, up to `now` or its end: every gap, also one that lasts still.
    pub fn missing(&self, now: Instant) -> Duration {
        let silent = gap(self.newest, self.ended.unwrap_or(now));
        Duration::from_secs_f64(self.energy.missing_s) + silent
    }
}

/// Everything that the rack tells.
#[derive(Clone, Default)]
pub struct Senses {
    /// The wall power meter; `None` where none is set up.
    pub meter: Option<(MeterEntry, Meter)>,
    /// The air in the chassis; `None` where no sensor is set up.
    pub room: Option<Room>,
    /// The chassis' fan; `None` where nothing is to be said of one.
    pub fan: Option<Fan>,
    /// The energy of the run that is on, or of the last one.
    pub run: Option<RunEnergy>,
    /// When runs began and ended, the newest last.
    pub runs: Vec<(Instant, Option<Instant>)>,
    /// When the wall power said that the fan was switched, and whether on.
    pub steps: Vec<(Instant, bool)>,
    /// Which computer is fed by which pair of USB outlets.
    pub pairs: Arc<Vec<(String, u8)>>,
    /// An hour of wall power and temperature.
    pub history: SharedHistory,
}

impl Senses {
    /// What is set up, and nothing known yet.
    pub fn new(config: &Config) -> Self {
        let pair = |node: &crate::config::NodeEntry| Some((node.name.clone(), node.usb_pair?));
        let history = History::new(Duration::from_secs(1));
        Self {
            meter: config.meter.clone().map(|entry| (entry, Meter::default())),
            room: config.room.map(|_| Room::default()),
            fan: config.fan.map(Fan::new),
            pairs: Arc::new(config.nodes.iter().filter_map(pair).collect()),
            history: Arc::new(std::sync::Mutex::new(history)),
            ..Default::default()
        }
    }
}

/// Power of all computers, if each of them has measured its whole board just now.
pub fn boards_watts(telemetry: &Telemetry, now: Instant) -> Option<f64> {
    let watts = |node: &Arc<crate::telemetry::Node>| {
        let power = node.reading.as_ref()?.power?;
        let is_whole = power.scope == Scope::Board && power.origin == Origin::Measured;
        (is_whole && node.freshness(now) == Freshness::Fresh).then_some(power.watts)
    };
    let all: Option<Vec<f64>> = telemetry.nodes.iter().map(watts).collect();
    all.filter(|all| !all.is_empty()).map(|all| all.iter().sum())
}

/// Puts together what is told.
pub struct Sensing {
    /// What is known.
    pub senses: Senses,
    baseline: Baseline,
    run: Option<(String, Run)>,
    detector: Option<StepDetector>,
    boards: Option<f64>,
    boards_at: Option<Instant>,
    sampled_at: Option<Instant>,
    statistics: Option<Arc<wire::demo::Statistics>>,
}

impl Sensing {
    /// Nothing was told yet.
    pub fn new(senses: Senses) -> Self {
        let watts = senses.fan.and_then(|fan| fan.entry.watts);
        Self {
            senses,
            baseline: Baseline::default(),
            run: None,
            detector: watts.map(StepDetector::new),
            boards: None,
            boards_at: None,
            sampled_at: None,
            statistics: None,
        }
    }

    /// The meter has said something, or is silent for a reason.
    pub fn meter(&mut self, newest: Meter) {
        let Some((_, known)) = &mut self.senses.meter else { return };
        let sample = newest.reading.filter(|_| newest.reading != known.reading);
        *known = newest;
        let Some(sample) = sample else { return };
        self.sample(sample.at, sample.measured.watts);
        record(&self.senses.history, WALL, Quantity::Watts, sample.measured.watts, sample.at);
        self.step(sample.at, sample.measured.watts);
    }

    /// The sensor of the chassis has said something, or is silent for a reason.
    pub fn room(&mut self, newest: Room) {
        let Some(known) = &mut self.senses.room else { return };
        let value = newest.reading.filter(|_| newest.reading != known.reading);
        *known = newest;
        let Some(value) = value else { return };
        if let Some(fan) = &mut self.senses.fan {
            fan.feel(value.air.celsius);
        }
        record(&self.senses.history, CHASSIS, Quantity::Celsius, value.air.celsius, value.at);
    }

    /// What the fan's wire says; returns whether that is new.
    pub fn wire(&mut self, runs: Option<bool>) -> bool {
        let fan = self.senses.fan.as_mut().filter(|fan| fan.sensed != runs);
        fan.map(|fan| fan.sensed = runs).is_some()
    }

    /// The computers have said something; without a meter their own power is what a run is measured by.
    pub fn telemetry(&mut self, telemetry: &Telemetry, now: Instant) {
        self.boards = boards_watts(telemetry, now);
        let is_due = self.boards_at.is_none_or(|at| RAILS_INTERVAL <= now.duration_since(at));
        if let Some(watts) = self.boards.filter(|_| self.senses.meter.is_none() && is_due) {
            self.boards_at = Some(now);
            self.sample(now, watts);
        }
    }

    /// The run changed its state.
    pub fn status(&mut self, status: &Status, now: Instant) {
        let on = match &status.state {
            State::Starting { demo, .. } | State::Running { demo, .. } => Some(&demo.id),
            // One that is carried on elsewhere is the same run.
            State::Stopping { next, .. } => next.as_ref().map(|demo| &demo.id),
            State::Idle => None,
        };
        let was = self.run.as_ref().map(|(demo, _)| demo);
        if was != on {
            self.end(now);
            if let Some(demo) = on {
                self.begin(demo.clone(), now);
            }
        }
        if status.statistics.as_ref().map(Arc::as_ptr) != self.statistics.as_ref().map(Arc::as_ptr)
        {
            self.statistics = status.statistics.clone();
            let newest = status.statistics.as_ref();
            if let (Some(newest), Some(run), true) = (newest, &mut self.senses.run, on.is_some()) {
                run.updates += newest.updates as f64;
                run.unit = newest.unit;
            }
        }
    }

    fn begin(&mut self, demo: String, now: Instant) {
        let run = Run::new(self.baseline.idle(now), now);
        let by = if self.senses.meter.is_some() { By::Wall } else { By::Rails };
        let energy = run.energy();
        self.senses.run = Some(RunEnergy {
            began: now,
            ended: None,
            energy,
            newest: now,
            updates: 0.0,
            unit: Unit::default(),
            by,
        });
        self.run = Some((demo, run));
        self.senses.runs.push((now, None));
        if MAX_RUNS < self.senses.runs.len() {
            self.senses.runs.remove(0);
        }
    }

    fn end(&mut self, now: Instant) {
        if self.run.take().is_some() {
            if let Some(run) = &mut self.senses.run {
                run.ended = Some(now);
            }
            if let Some((_, end)) = self.senses.runs.last_mut() {
                *end = Some(now);
            }
        }
    }

    fn sample(&mut self, at: Instant, watts: f64) {
        self.baseline.add(at, watts, self.run.is_none());
        if let (Some((_, run)), Some(shown)) = (&mut self.run, &mut self.senses.run) {
            run.add(at, watts);
            (shown.energy, shown.newest) = (run.energy(), run.newest());
        }
    }

    fn step(&mut self, at: Instant, watts: f64) {
        let (Some(detector), Some(fan)) = (&mut self.detector, &mut self.senses.fan) else {
            return;
        };
        let gap = self
            .sampled_at
            .replace(at)
            .is_none_or(|before| crate::energy::LONGEST_GAP < at.saturating_duration_since(before));
        let Some(boards) = self.boards.filter(|_| !gap) else {
            // A computer that begins to compute would be taken for the fan.
            detector.forget();
            return;
        };
        if let Some(rose) = detector.add(watts - boards) {
            fan.step = Some((rose, at));
            self.senses.steps.push((at, rose));
            if MAX_STEPS < self.senses.steps.len() {
                self.senses.steps.remove(0);
            }
        }
    }
}

fn record(history: &SharedHistory, place: usize, quantity: Quantity, value: f64, at: Instant) {
    let mut history = history.lock().unwrap_or_else(PoisonError::into_inner);
    history.record(place, quantity, value, at);
}

/// What there is to hear.
pub struct Heard {
    /// The meter.
    pub meter: watch::Receiver<Meter>,
    /// The sensor of the chassis.
    pub room: watch::Receiver<Room>,
    /// The computers.
    pub telemetry: watch::Receiver<Telemetry>,
    /// The run.
    pub status: watch::Receiver<Status>,
}

/// The fan's wire; where its pin cannot be read, what is concluded about the fan is all there is.
fn open_wire(wire: FanWire) -> Option<Sense> {
    match PiLevel::open(wire.gpio) {
        Ok(level) => Some(Sense::new(level, wire)),
        Err(trouble) => {
            log::warn!("the fan's wire at pin {}: {trouble}", wire.gpio);
            None
        }
    }
}

/// Follows everything until the run's end of the line is gone.
pub async fn follow(senses: Senses, mut heard: Heard, told: watch::Sender<Senses>) {
    let mut sense = senses.fan.and_then(|fan| open_wire(fan.entry.wire?));
    let mut looks = tokio::time::interval(LOOKS);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut sensing = Sensing::new(senses);
    // A sender that is gone belongs to what is not set up.
    let (mut has_meter, mut has_room, mut has_nodes) = (true, true, true);
    told.send_replace(sensing.senses.clone());
    loop {
        tokio::select! {
            changed = heard.meter.changed(), if has_meter => match changed {
                Ok(()) => sensing.meter(heard.meter.borrow_and_update().clone()),
                Err(_) => has_meter = false,
            },
            changed = heard.room.changed(), if has_room => match changed {
                Ok(()) => sensing.room(*heard.room.borrow_and_update()),
                Err(_) => has_room = false,
            },
            changed = heard.telemetry.changed(), if has_nodes => match changed {
                Ok(()) => {
                    let telemetry = heard.telemetry.borrow_and_update().clone();
                    sensing.telemetry(&telemetry, Instant::now());
                }
                Err(_) => has_nodes = false,
            },
            changed = heard.status.changed() => match changed {
                Ok(()) => {
                    let status = heard.status.borrow_and_update().clone();
                    sensing.status(&status, Instant::now());
                }
                Err(_) => return,
            },
            _ = looks.tick(), if sense.is_some() => {
                if !sensing.wire(sense.as_mut().and_then(Sense::look)) {
                    continue;
                }
            }
        }
        told.send_replace(sensing.senses.clone());
    }
}
