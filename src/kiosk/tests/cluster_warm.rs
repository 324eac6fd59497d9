//! Runs that wait for the visitor on other computers, take over from one that is here, and go over to more or fewer
//! computers while somebody watches.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod clustered;
mod emulated;
mod supervised;

use std::{
    cell::Cell,
    fs, thread,
    time::{Duration, Instant},
};

use clustered::Cluster;
use emulated::{NODES, World, world};
use kiosk::{
    intent::{Intent, Scale},
    supervisor::{Standby, State, Status},
};

/// A demo that can be started in advance.
const DEMO: &str = "mpi = true\nranks = { default = 2, min = 1, max = 4 }\nprogram = 'advection'\nfirst_frame_s = 10\n\
                    resumes = true";

fn cluster(world: &World) -> Cluster {
    Cluster::with_demo(DEMO, &world.config("launcher = 'ssh'"))
}

impl Cluster {
    fn until_asleep(&self) {
        self.kiosk.until("a run asleep on all computers", |status| {
            matches!(status.state, State::Idle) && status.standby == Standby::Ready(2)
        });
    }

    /// Waits until the picture is computed by exactly these.
    fn until_on(&self, hosts: &[&str]) -> Status {
        self.kiosk.until("a run there", |status| {
            matches!(status.state, State::Running { .. })
                && status.statistics.is_some()
                && status.hello.as_ref().is_some_and(|hello| {
                    hello.ranks.iter().map(|rank| &rank.host[..]).eq(hosts.iter().copied())
                })
        })
    }

    fn step(&self) -> u64 {
        self.kiosk.shown().header.step
    }
}

/// What all processes of runs on the nodes have used, each with its name.
fn cpu_times(world: &World) -> Vec<(String, Duration)> {
    let mut times = Vec::new();
    for (node, host) in NODES.iter().enumerate() {
        for name in ["advection", "mpirun", "orted", "hpc-kiosk-warde"] {
            for pid in world.named(node, name) {
                let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
                let ns = threads.map(|thread| {
                    let path = thread.unwrap().path().join("schedstat");
                    let text = fs::read_to_string(path).unwrap();
                    text.split_ascii_whitespace().next().unwrap().parse::<u64>().unwrap()
                });
                times.push((format!("{name} on {host}"), Duration::from_nanos(ns.sum())));
            }
        }
    }
    times
}

#[test]
fn a_tap_on_a_warm_cluster_shows_its_first_picture_within_half_a_second() {
    let test = "a_tap_on_a_warm_cluster_shows_its_first_picture_within_half_a_second";
    let Some(world) = world(test) else { return };
    let files_before = emulated::run_files();
    let cluster = cluster(&world);
    let mut times = Vec::new();
    for round in 0..5 {
        cluster.until_asleep();
        if round == 0 {
            // Not a wait for something: the time over which the sleep is measured.
            let (before, since) = (cpu_times(&world), Instant::now());
            thread::sleep(Duration::from_secs(3));
            let passed = since.elapsed();
            let after = cpu_times(&world);
            assert!(5 <= after.len() && after.len() == before.len(), "{before:?} {after:?}");
            for ((name, before), (_, after)) in before.iter().zip(&after) {
                let share = (*after - *before).as_secs_f64() / passed.as_secs_f64();
                println!("asleep: {name}: {:.2} % of a core", 100.0 * share);
                assert!(share < 0.01, "{name}: {share}");
            }
        }
        let status = cluster.launch();
        let State::Running { first_frame_after, .. } = status.state else { panic!() };
        assert_eq!(cluster.hosts(), NODES);
        times.push(first_frame_after);
        cluster.until_on(&NODES);
        cluster.kiosk.ask(Intent::Stop);
    }
    times.sort();
    println!("from the tap to the first picture, warm: {times:?}");
    assert!(times.iter().all(|time| *time < Duration::from_millis(500)), "{times:?}");
    drop(cluster);
    assert_eq!(world.left(), [] as [String; 0]);
    assert_eq!(emulated::run_files(), files_before);
}

#[test]
fn on_a_cold_cluster_the_picture_is_there_at_once_and_goes_over_to_all_without_a_break() {
    let test =
        "on_a_cold_cluster_the_picture_is_there_at_once_and_goes_over_to_all_without_a_break";
    let Some(world) = world(test) else { return };
    let cluster = cluster(&world);
    let tapped = Instant::now();
    let status = cluster.launch();
    let State::Running { first_frame_after, .. } = status.state else { panic!() };
    assert!(cluster.hosts().iter().all(|host| !NODES.contains(&&host[..])), "not here first");
    assert_eq!(status.standby, Standby::Starting(2));
    let (before, most_back) = (Cell::new(0_u64), Cell::new(0_u64));
    let status = cluster.kiosk.until("all computers", |status| {
        let step = cluster.step();
        most_back.set(most_back.get().max(before.get().saturating_sub(step)));
        before.set(step);
        status.placement.ranks() == 2 && status.standby == Standby::None
    });
    let (before, most_back) = (before.get(), most_back.get());
    let taken_over = tapped.elapsed();
    cluster.until_on(&NODES);
    println!(
        "cold: first picture after {first_frame_after:.2?}, on all computers after {taken_over:.2?}, {most_back} of {before} steps done twice"
    );
    assert!(first_frame_after < Duration::from_secs(3) && taken_over < Duration::from_secs(5));
    assert!(100 < before, "it was under way");
    assert!(most_back < 1200 / 2, "more than half a second is lost: {most_back}");
    assert_eq!(status.carried_on, None, "nothing went wrong");
    // What was taken over from is gone.
    cluster.kiosk.until("its end", |_| supervised::processes("advection").is_empty());

    cluster.kiosk.ask(Intent::Stop);
    cluster.until_asleep();
    drop(cluster);
    assert_eq!(world.left(), [] as [String; 0]);
}

#[test]
fn whoever_watches_chooses_how_many_computers_and_ranks_and_the_picture_goes_on() {
    let test = "whoever_watches_chooses_how_many_computers_and_ranks_and_the_picture_goes_on";
    let Some(world) = world(test) else { return };
    let cluster = cluster(&world);
    cluster.until_asleep();
    cluster.launch();
    let [tom, ground] = NODES;
    let own = rustix::system::uname().nodename().to_str().unwrap().to_owned();
    let own = own.split('.').next().unwrap();
    let scale = |computers, ranks| Scale {
        computers: Some(computers),
        ranks: Some(ranks),
        ..Scale::default()
    };
    for (wanted, hosts) in [
        (scale(1, 1), &[tom][..]),
        (scale(2, 2), &[tom, tom, ground, ground]),
        (scale(0, 1), &[own]),
        (scale(0, 3), &[own, own, own]),
        (Scale::default(), &[tom, ground]),
    ] {
        let (asked, step) = (Instant::now(), cluster.step());
        cluster.kiosk.ask(Intent::Scale(wanted));
        let status = cluster.until_on(hosts);
        println!("{wanted:?}: {} ranks after {:.2?}", hosts.len(), asked.elapsed());
        assert!(step <= cluster.step() + 600, "it began anew: {step} {}", cluster.step());
        assert_eq!(usize::from(status.processes), hosts.len());
    }
    cluster.kiosk.ask(Intent::Stop);
    drop(cluster);
    assert_eq!(world.left(), [] as [String; 0]);
}

#[test]
fn a_warm_run_is_given_up_with_its_computers_and_a_lost_one_goes_on_here_at_once() {
    let test = "a_warm_run_is_given_up_with_its_computers_and_a_lost_one_goes_on_here_at_once";
    let Some(world) = world(test) else { return };
    let cluster = cluster(&world);
    cluster.until_asleep();
    world.signal(1, "hpc-kiosk-agent", "-STOP");
    cluster.kiosk.until("a run asleep on the one that is left", |status| {
        status.standby == Standby::Ready(1)
    });
    world.signal(1, "hpc-kiosk-agent", "-CONT");
    cluster.until_asleep();

    cluster.launch();
    cluster.until_on(&NODES);
    let struck = Instant::now();
    world.power_off(1);
    let status = cluster.until_running_since(struck);
    println!("powered off: runs here after {:.2?}", struck.elapsed());
    assert!(status.carried_on.is_some());
    // Its silence is noticed after 2.5 s.
    assert!(struck.elapsed() < Duration::from_secs(4));
    let [tom, _] = NODES;
    cluster.until_on(&[tom, tom]);
    println!("powered off: runs on the rest after {:.2?}", struck.elapsed());
    world.power_on(1);
    // It is back, and takes part again.
    cluster.until_on(&NODES);
    cluster.kiosk.ask(Intent::Stop);
    drop(cluster);
    let begun = Instant::now();
    while !world.left().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", world.left());
        thread::sleep(Duration::from_millis(20));
    }
}
