//! What the rack tells, put together: which samples belong to which run, and what is remembered of it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod headless;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use headless::{demo, jetson, node, running};
use kiosk::{
    config::{Config, FanEntry, MeterEntry, RoomEntry},
    meter::{self, Meter, frame::Measurement},
    room::{self, Room, air::Air},
    senses::{By, CHASSIS, Heard, Senses, Sensing, WALL, boards_watts, follow},
    supervisor::{State, Status},
    telemetry::{
        Telemetry,
        history::{Quantity, Span},
        reading::{Origin, Power, Reading, Scope},
    },
};
use tokio::sync::watch;
use wire::demo::{Statistics, Unit};

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn metered() -> Senses {
    Senses::new(&Config { meter: Some(MeterEntry::default()), ..Config::default() })
}

/// The meter measured so much at `at`.
fn measured(watts: f64, at: Instant) -> Meter {
    let measured = Measurement { is_on: true, watts, volts: 230.0, ..Default::default() };
    Meter { reading: Some(meter::Reading { at, measured }), ..Default::default() }
}

/// Computers whose boards measure so much, and what else each of them says.
fn boards(watts: &[f64], change: impl Fn(usize, &mut Reading)) -> Telemetry {
    let board = |(index, watts): (usize, &f64)| {
        let power = Power { watts: *watts, scope: Scope::Board, origin: Origin::Measured };
        let mut reading = Reading { power: Some(power), ..jetson(index) };
        change(index, &mut reading);
        Arc::new(node(&format!("node-{index}"), index, Some(reading)))
    };
    Telemetry { nodes: watts.iter().enumerate().map(board).collect() }
}

fn stopping(demo: &str, next: Option<&str>) -> Status {
    let named = |id: &str| Arc::new(self::demo(id, 1));
    let (demo, next) = (named(demo), next.map(named));
    let state = State::Stopping { demo, since: Instant::now(), fault: None, next };
    Status { state, ..Default::default() }
}

#[test]
fn the_wall_power_between_launch_and_end_is_the_runs_and_none_else() {
    let (mut sensing, start) = (Sensing::new(metered()), Instant::now());
    for second in 0..=40 {
        sensing.meter(measured(20.0, start + seconds(f64::from(second))));
    }
    assert!(sensing.senses.run.is_none());
    sensing.status(&running("pipe", 2), start + seconds(40.5));
    for second in 41..=51 {
        sensing.meter(measured(50.0, start + seconds(f64::from(second))));
    }
    sensing.status(&Status::default(), start + seconds(51.5));
    sensing.meter(measured(90.0, start + seconds(52.0)));
    let run = sensing.senses.run.unwrap();
    assert_eq!(run.by, By::Wall);
    assert!((run.energy.all_joules - 500.0).abs() < 1e-6, "{run:?}");
    assert!((run.energy.above_joules.unwrap() - 300.0).abs() < 1e-6, "{run:?}");
    assert_eq!(run.ended, Some(start + seconds(51.5)));
    assert_eq!(sensing.senses.runs, [(start + seconds(40.5), Some(start + seconds(51.5)))]);
    let mut slots = Vec::new();
    let history = sensing.senses.history.lock().unwrap();
    history.slots(WALL, Quantity::Watts, Span::Hour, start + seconds(52.0), &mut slots);
    let largest = slots.iter().flatten().map(|band| band.max).fold(0.0, f32::max);
    assert_eq!(largest, 90.0, "the chart knows every sample");
}

#[test]
fn a_measurement_that_is_told_again_counts_once() {
    let start = Instant::now();
    let energy = |again: bool| {
        let mut sensing = Sensing::new(metered());
        sensing.status(&running("pipe", 2), start);
        for second in 0..20 {
            let watts = 40.0 + f64::from(second % 3);
            let told = measured(watts, start + seconds(f64::from(second)));
            sensing.meter(told.clone());
            if again {
                // Whoever tells has something else to say.
                sensing.meter(Meter { limit_watts: Some(3680), ..told });
            }
        }
        sensing.senses.run.unwrap().energy
    };
    assert_eq!(energy(true), energy(false));
}

#[test]
fn a_run_that_is_carried_on_elsewhere_is_the_same_and_another_demo_is_another() {
    let (mut sensing, start) = (Sensing::new(metered()), Instant::now());
    let at = |second: u32| start + seconds(f64::from(second));
    sensing.status(&running("pipe", 2), at(0));
    sensing.status(&stopping("pipe", Some("pipe")), at(10));
    sensing.status(&running("pipe", 1), at(12));
    assert_eq!(sensing.senses.runs, [(at(0), None)]);
    sensing.status(&stopping("pipe", Some("race")), at(20));
    sensing.status(&running("race", 1), at(21));
    assert_eq!(sensing.senses.runs, [(at(0), Some(at(20))), (at(20), None)]);
    sensing.status(&stopping("race", None), at(30));
    sensing.status(&Status::default(), at(31));
    assert_eq!(sensing.senses.runs[1], (at(20), Some(at(30))));
    // More than an hour of visitors is not remembered.
    for second in 40..240 {
        sensing.status(&running("pipe", 1), at(second));
        sensing.status(&Status::default(), at(second));
    }
    assert_eq!(sensing.senses.runs.len(), 64);
    assert_eq!(sensing.senses.runs[63], (at(239), Some(at(239))));
}

#[test]
fn a_silence_during_a_run_is_missing_from_it_while_it_lasts_and_after_it() {
    let (mut sensing, start) = (Sensing::new(metered()), Instant::now());
    let at = |second: f64| start + seconds(second);
    let missing = |sensing: &Sensing, now: f64| {
        let run = sensing.senses.run.unwrap();
        (run.missing(at(now)).as_secs_f64() * 10.0).round() / 10.0
    };
    sensing.status(&running("pipe", 2), at(0.0));
    assert_eq!((missing(&sensing, 2.9), missing(&sensing, 4.5)), (0.0, 4.5), "no word so far");
    sensing.meter(measured(30.0, at(5.0)));
    sensing.meter(measured(30.0, at(8.0)));
    assert_eq!((missing(&sensing, 8.0), missing(&sensing, 11.0)), (5.0, 5.0));
    assert_eq!(missing(&sensing, 14.0), 11.0);
    sensing.meter(measured(30.0, at(15.0)));
    sensing.meter(measured(30.0, at(16.0)));
    assert_eq!(missing(&sensing, 16.0), 12.0);
    sensing.status(&Status::default(), at(20.0));
    assert_eq!((missing(&sensing, 20.0), missing(&sensing, 900.0)), (16.0, 16.0));
    assert!((sensing.senses.run.unwrap().energy.all_joules - 120.0).abs() < 1e-6);
}

#[test]
fn without_a_meter_a_run_is_measured_on_the_boards_if_every_one_of_them_does() {
    let (mut sensing, start) = (Sensing::new(Senses::new(&Config::default())), Instant::now());
    let both = boards(&[6.0, 9.0], |_, _| ());
    assert_eq!(boards_watts(&both, start), Some(15.0));
    sensing.status(&running("pipe", 2), start);
    // Told twice a second, taken once.
    for half in 0..=20 {
        let now = start + seconds(0.5 * f64::from(half));
        sensing.telemetry(&boards(&[6.0, 9.0], |_, reading| reading.at = now), now);
        let newest = start + seconds(f64::from(half / 2));
        assert_eq!(sensing.senses.run.unwrap().newest, newest);
    }
    let run = sensing.senses.run.unwrap();
    assert_eq!((run.by, run.energy.covered_s), (By::Rails, 10.0));
    assert!((run.energy.all_joules - 150.0).abs() < 1e-6, "{run:?}");

    let now = Instant::now();
    let partly = boards(&[6.0, 9.0], |index, reading| {
        if index == 1 {
            reading.power = None;
        }
    });
    let estimated = boards(&[6.0, 9.0], |index, reading| {
        if index == 1 {
            reading.power.as_mut().unwrap().origin = Origin::Estimated;
        }
    });
    for telemetry in [partly, estimated, Telemetry::default()] {
        assert_eq!(boards_watts(&telemetry, now), None);
    }
    assert_eq!(boards_watts(&both, now + seconds(60.0)), None, "too old");
}

#[test]
fn updates_are_counted_once_and_only_while_the_run_is_on() {
    let (mut sensing, start) = (Sensing::new(metered()), Instant::now());
    let told = |updates: u64| {
        let statistics = Statistics { updates, unit: Unit::Droplets, ..Default::default() };
        Some(Arc::new(statistics))
    };
    let first = Status { statistics: told(700), ..running("pipe", 2) };
    sensing.status(&first, start);
    // The same statistics in another status.
    sensing.status(&first.clone(), start + seconds(1.0));
    sensing.status(&Status { statistics: told(300), ..running("pipe", 2) }, start + seconds(1.0));
    let late = Status { statistics: told(5_000), ..Status::default() };
    sensing.status(&late, start + seconds(2.0));
    let run = sensing.senses.run.unwrap();
    assert_eq!((run.updates, run.unit), (1_000.0, Unit::Droplets));
}

#[test]
fn the_fan_is_felt_by_the_air_and_seen_in_the_wall_power_that_computers_do_not_explain() {
    let fan = FanEntry { watts: Some(30.0), ..FanEntry::default() };
    let config = Config { fan: Some(fan), room: Some(RoomEntry::default()), ..Config::default() };
    let senses =
        Senses { meter: Some((MeterEntry::default(), Meter::default())), ..Senses::new(&config) };
    let (mut sensing, start) = (Sensing::new(senses), Instant::now());
    let air = Air { celsius: 61.5, humidity_percent: 20.0 };
    let reading = Some(room::Reading { at: start, air, source: room::Source::Iio });
    sensing.room(Room { reading, ..Default::default() });
    assert_eq!(
        sensing.senses.fan.map(|fan| (fan.runs, fan.celsius)),
        Some((Some(true), Some(61.5)))
    );
    let mut slots = Vec::new();
    let history = Arc::clone(&sensing.senses.history);
    history.lock().unwrap().slots(CHASSIS, Quantity::Celsius, Span::Minute, start, &mut slots);
    assert_eq!(slots[119].map(|band| band.max), Some(61.5));

    let mut second = 0;
    let mut pass = |sensing: &mut Sensing, count: u32, unexplained: f64, computers: Option<f64>| {
        for _ in 0..count {
            let now = Instant::now();
            let known = boards(&computers.map_or(vec![], |watts| vec![watts]), |_, _| ());
            sensing.telemetry(&known, now);
            second += 1;
            let jitter = 0.1 * f64::from(second % 3);
            let watts = unexplained + computers.unwrap_or_default() + jitter;
            sensing.meter(measured(watts, start + seconds(f64::from(second))));
        }
    };
    // A computer that begins to compute is no fan.
    pass(&mut sensing, 15, 8.0, Some(10.0));
    pass(&mut sensing, 15, 8.0, Some(40.0));
    assert_eq!(sensing.senses.steps, []);
    // Nor is what came about while nobody knew what the computers take.
    pass(&mut sensing, 15, 8.0, Some(10.0));
    pass(&mut sensing, 3, 8.0, None);
    pass(&mut sensing, 15, 38.0, Some(10.0));
    assert_eq!(sensing.senses.steps, []);
    let steps = |sensing: &Sensing| -> Vec<bool> {
        sensing.senses.steps.iter().map(|step| step.1).collect()
    };
    pass(&mut sensing, 15, 8.0, Some(10.0));
    assert_eq!(steps(&sensing), [false]);
    pass(&mut sensing, 15, 36.0, Some(10.0));
    assert_eq!(steps(&sensing), [false, true]);
    assert_eq!(sensing.senses.fan.and_then(|fan| fan.is_confirmed()), Some(true));
    // What the wire says is told when it is new.
    assert_eq!((sensing.wire(Some(true)), sensing.wire(Some(true))), (true, false));
    assert_eq!(sensing.senses.fan.and_then(|fan| fan.sensed), Some(true));
}

#[test]
fn what_is_not_set_up_says_nothing() {
    let (mut sensing, now) = (Sensing::new(Senses::new(&Config::default())), Instant::now());
    sensing.meter(measured(20.0, now));
    let air = Air { celsius: 30.0, humidity_percent: 20.0 };
    let reading = Some(room::Reading { at: now, air, source: room::Source::Iio });
    sensing.room(Room { reading, ..Default::default() });
    assert!(!sensing.wire(Some(true)));
    let Senses { meter, room, fan, history, .. } = &sensing.senses;
    assert!(meter.is_none() && room.is_none() && fan.is_none());
    assert_eq!(history.lock().unwrap().series(), 0);
}

#[tokio::test]
async fn whoever_tells_is_followed_until_there_are_no_runs_any_more() {
    let (meter, meter_seen) = watch::channel(Meter::default());
    let (room, room_seen) = watch::channel(Room::default());
    let (nodes, nodes_seen) = watch::channel(Telemetry::default());
    let (status, status_seen) = watch::channel(Status::default());
    let heard =
        Heard { meter: meter_seen, room: room_seen, telemetry: nodes_seen, status: status_seen };
    let (told, mut seen) = watch::channel(Senses::default());
    let following = tokio::spawn(follow(metered(), heard, told));
    let limit = seconds(20.0);
    // Those that are not set up hang up at once; nobody is followed less for it.
    drop((room, nodes));
    let at = Instant::now();
    meter.send_replace(measured(33.0, at));
    let is_known = |senses: &Senses| {
        senses.meter.as_ref().is_some_and(|(_, meter)| *meter == measured(33.0, at))
    };
    tokio::time::timeout(limit, seen.wait_for(is_known)).await.unwrap().unwrap();
    status.send_replace(running("pipe", 2));
    let runs = |senses: &Senses| senses.runs.len() == 1;
    tokio::time::timeout(limit, seen.wait_for(runs)).await.unwrap().unwrap();
    drop(status);
    tokio::time::timeout(limit, following).await.unwrap().unwrap();
}
