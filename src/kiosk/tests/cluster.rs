//! Runs on other computers, and what becomes of them when cables are pulled: a real Open MPI, real ssh, real agents, two
//! emulated compute nodes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod clustered;
mod emulated;
mod supervised;

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use clustered::Cluster;
use emulated::{NODES, World, world};
use kiosk::{
    config::Config,
    intent::Intent,
    supervisor::{Computer, Computers, Condition, Equipment, State},
};
use supervised::programs;
use tokio::sync::watch;
use wire::kiosk::Phase;

#[test]
fn a_tap_runs_on_all_computers_and_leaves_nothing_on_any() {
    let Some(world) = world("a_tap_runs_on_all_computers_and_leaves_nothing_on_any") else {
        return;
    };
    for launcher in ["ssh", "mpirun"] {
        let cluster = Cluster::start(&world, &format!("launcher = '{launcher}'"));
        let mut times = Vec::new();
        for _ in 0..5 {
            let status = cluster.launch();
            let State::Running { first_frame_after, .. } = status.state else { panic!() };
            times.push(first_frame_after);
            assert_eq!(cluster.hosts(), NODES);
            assert_eq!(status.placement.ranks(), 2);
            cluster.kiosk.until("statistics", |status| status.statistics.is_some());
            for (node, name) in NODES.iter().enumerate() {
                assert_eq!(world.named(node, "advection").len(), 1, "{name}");
            }
            assert_eq!(world.named(0, "mpirun").len(), usize::from(launcher == "ssh"));
            cluster.stop(&world);
        }
        times.sort();
        println!("{launcher}: from the launch to the first picture, cold: {times:?}");
        assert!(times.iter().all(|time| *time < Duration::from_secs(3)), "{times:?}");
    }
}

/// What can happen to a run on two computers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Blow {
    /// The cable of a node is pulled.
    Cut(usize),
    /// A node is switched off.
    PowerOff(usize),
    /// `mpirun` is killed, which runs on the first node.
    KillMpirun,
    /// Open MPI's daemon on the second node is killed.
    KillDaemon,
    /// A rank of the second node stands still.
    Freeze,
    /// A rank of the first node is killed.
    KillRank,
}

impl Blow {
    fn strike(self, world: &World) {
        match self {
            Blow::Cut(node) => world.cut(node),
            Blow::PowerOff(node) => world.power_off(node),
            Blow::KillMpirun => world.signal(0, "mpirun", "-KILL"),
            Blow::KillDaemon => world.signal(1, "orted", "-KILL"),
            Blow::Freeze => world.signal(1, "advection", "-STOP"),
            Blow::KillRank => world.signal(0, "advection", "-KILL"),
        }
    }

    fn repair(self, world: &World) {
        match self {
            Blow::Cut(node) => world.heal(node),
            Blow::PowerOff(node) => world.power_on(node),
            _ => {}
        }
    }

    /// The node that is lost by it.
    fn lost(self) -> Option<usize> {
        match self {
            Blow::Cut(node) | Blow::PowerOff(node) => Some(node),
            _ => None,
        }
    }
}

#[test]
fn whatever_happens_to_a_node_the_run_carries_on_with_the_others() {
    let test = "whatever_happens_to_a_node_the_run_carries_on_with_the_others";
    let Some(world) = world(test) else { return };
    let cluster = Cluster::start(&world, "launcher = 'ssh'");
    let blows = [
        Blow::Cut(1),
        Blow::PowerOff(1),
        Blow::Cut(0),
        Blow::PowerOff(0),
        Blow::KillMpirun,
        Blow::KillDaemon,
        Blow::Freeze,
        Blow::KillRank,
    ];
    for blow in blows {
        cluster.launch();
        cluster.kiosk.until("statistics", |status| status.statistics.is_some());
        assert_eq!(cluster.hosts(), NODES, "before {blow:?}");

        let struck = Instant::now();
        blow.strike(&world);
        cluster.kiosk.until(
            "that it is noticed",
            |status| !matches!(status.state, State::Running { since, .. } if since < struck),
        );
        let noticed = struck.elapsed();
        let status = cluster.until_running_since(struck);
        let back = struck.elapsed();
        let hosts = cluster.hosts();
        println!(
            "{blow:?}: noticed after {noticed:.2?}, runs on {hosts:?} after {back:.2?}: {:?}",
            status.carried_on
        );
        assert!(noticed < Duration::from_secs(3), "{blow:?}: noticed after {noticed:?}");
        assert!(back - noticed < Duration::from_secs(5), "{blow:?}: back after {back:?}");
        let fault = status.carried_on.expect("it carries on for something");
        assert!(!fault.to_string().is_empty());
        if let Some(lost) = blow.lost() {
            let others: Vec<&str> = NODES
                .iter()
                .enumerate()
                .filter(|(node, _)| *node != lost)
                .map(|(_, name)| *name)
                .collect();
            assert!(hosts.iter().all(|host| others.contains(&&host[..])), "{blow:?}: {hosts:?}");
            assert_eq!(status.placement.left_out, [(NODES[lost].to_owned(), Condition::Silent)]);
        } else {
            assert_eq!(hosts, NODES, "{blow:?}");
        }

        blow.repair(&world);
        cluster.until_ready(&NODES);
        // What a lost node still had of the run before is gone when Open MPI's own patience is over.
        let begun = Instant::now();
        cluster.kiosk.ask(Intent::Stop);
        let ended = cluster.kiosk.until_ended();
        assert_eq!(ended.fault, None);
        while !world.left().is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(10), "{blow:?}: {:?}", world.left());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_node_whose_agent_is_silent_takes_no_part_until_it_is_back() {
    let Some(world) = world("a_node_whose_agent_is_silent_takes_no_part_until_it_is_back") else {
        return;
    };
    let cluster = Cluster::start(&world, "launcher = 'ssh'");
    cluster.launch();
    assert_eq!(cluster.hosts(), NODES);
    let began = Instant::now();
    world.signal(1, "hpc-kiosk-agent", "-STOP");
    cluster.until_ready(&NODES[..1]);
    // Its agent is not its rank: what runs goes on.
    cluster.kiosk.until("pictures all the while", |status| {
        assert!(matches!(status.state, State::Running { .. }), "{status:?}");
        Duration::from_secs(4) < began.elapsed()
    });
    cluster.stop(&world);
    let status = cluster.launch();
    assert_eq!(cluster.hosts(), [NODES[0]; 2]);
    assert_eq!(status.placement.left_out, [(NODES[1].to_owned(), Condition::Silent)]);
    cluster.stop(&world);
    world.signal(1, "hpc-kiosk-agent", "-CONT");
    cluster.until_ready(&NODES);
    cluster.launch();
    assert_eq!(cluster.hosts(), NODES);

    // A warden that is killed is missed by nobody but the last look round, which it does not depend on.
    world.signal(0, "hpc-kiosk-warde", "-KILL");
    cluster.kiosk.ask(Intent::Stop);
    let ended = cluster.kiosk.until_ended();
    assert_eq!(ended.fault, None);
    assert_eq!(world.left(), [] as [String; 0]);
}

#[test]
fn with_no_computer_left_it_runs_here() {
    let Some(world) = world("with_no_computer_left_it_runs_here") else { return };
    let cluster = Cluster::start(&world, "launcher = 'ssh'");
    for node in 0..NODES.len() {
        world.power_off(node);
    }
    cluster.until_ready(&[]);
    let status = cluster.launch();
    assert_eq!((status.placement.hosts.len(), status.placement.left_out.len()), (0, 2));
    assert!(cluster.hosts().iter().all(|host| !NODES.contains(&&host[..])));
    cluster.stop(&world);
    for node in 0..NODES.len() {
        world.power_on(node);
    }
    cluster.until_ready(&NODES);
    cluster.launch();
    assert_eq!(cluster.hosts(), NODES);
    cluster.stop(&world);
}

/// Open files, threads and resident memory in kB of this process.
fn belongings() -> (usize, usize, u64) {
    let count = |folder: &str| std::fs::read_dir(folder).unwrap().count();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let resident = line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap();
    (count("/proc/self/fd"), count("/proc/self/task"), resident)
}

#[test]
fn what_cannot_be_reached_is_named_and_the_run_is_here() {
    let Some(world) = world("what_cannot_be_reached_is_named_and_the_run_is_here") else { return };
    // A key that no computer knows: ssh refuses at once, and the agents answer all the same.
    let refused = "#!/bin/sh\nexec ssh -F none -i /nonexistent -o BatchMode=yes -o StrictHostKeyChecking=no \
                   -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \"$@\"\n";
    let program = world.program("refused", refused);
    let missing = format!("launcher = 'ssh'\nprograms = '{}'", world.file("nowhere", ""));
    let cases = [
        (world.config("launcher = 'ssh'").replace(&world.ssh(), &program), "Permission denied"),
        (world.config(&missing).replacen("programs", "#", 1), "No"),
    ];
    for (text, why) in cases {
        let cluster = Cluster::with(&text);
        let since = Instant::now();
        cluster.launch();
        let status = cluster.until_running_since(since);
        let took = since.elapsed();
        let said = status.carried_on.expect("it was tried").to_string();
        println!("{said}: runs here after {took:.2?}");
        assert!(said.contains("major-tom") && said.contains(why), "{said}");
        assert!(cluster.hosts().iter().all(|host| !NODES.contains(&&host[..])));
        assert!(took < Duration::from_secs(5), "{took:?}");
        cluster.kiosk.ask(Intent::Stop);
        assert_eq!(cluster.kiosk.until_ended().fault, None);
    }
}

#[test]
fn after_fifty_faults_the_kiosk_is_as_new() {
    let Some(world) = world("after_fifty_faults_the_kiosk_is_as_new") else { return };
    let cluster = Cluster::start(&world, "launcher = 'ssh'");
    let mut before = None;
    for number in 0..50 {
        cluster.launch();
        let struck = Instant::now();
        let blow = [Blow::KillMpirun, Blow::KillDaemon, Blow::KillRank][number % 3];
        blow.strike(&world);
        cluster.until_running_since(struck);
        let status = cluster.kiosk.status.borrow().clone();
        assert_eq!(cluster.hosts(), NODES, "fault {number}: {:?}", status.carried_on);
        cluster.stop(&world);
        // What the first few set up stays.
        if number == 5 {
            before = Some(belongings());
        }
    }
    let ((files, threads, resident), (files_after, threads_after, resident_after)) =
        (before.unwrap(), belongings());
    println!(
        "after 50 faults: {files_after} files ({files}), {threads_after} threads ({threads}), {resident_after} kB ({resident})"
    );
    assert!(files_after <= files + 2, "{files} {files_after}");
    assert!(threads_after <= threads + 1, "{threads} {threads_after}");
    assert!(resident_after < resident + 4096, "{resident} {resident_after}");
}

#[test]
fn a_computer_that_becomes_too_hot_is_relieved_and_named_with_what_it_cools_down_to() {
    let test = "a_computer_that_becomes_too_hot_is_relieved_and_named_with_what_it_cools_down_to";
    let Some(world) = world(test) else { return };
    let config = world.config("launcher = 'ssh'");
    let config = Config::parse(Path::new("kiosk.toml"), &config).unwrap();
    let computer = |(node, name): (usize, &&str)| Computer {
        name: (*name).into(),
        address: emulated::address(node),
        slots: 2,
        equipment: Equipment::default(),
        condition: Condition::Ready,
        is_wanted: false,
    };
    let mut known: Vec<Computer> = NODES.iter().enumerate().map(computer).collect();
    let (told, computers) = watch::channel(Computers::from(known.clone()));
    let cluster = Cluster::on(&config, computers, None);
    cluster.launch();
    assert_eq!(cluster.hosts(), NODES);
    let since = Instant::now();
    let hot = Condition::Hot { celsius: 91.5, limit_celsius: 85.0 };
    known[1].condition = hot;
    told.send_replace(known.clone().into());
    let status = cluster.until_running_since(since);
    assert_eq!(cluster.hosts(), [NODES[0]; 2]);
    assert_eq!(status.placement.left_out, [(NODES[1].to_owned(), hot)]);
    let said = status.carried_on.unwrap().to_string();
    assert_eq!(said, "ground-control has 91.5 degrees Celsius, its limit is 85");
    // That it is still hot is no reason to stop what runs elsewhere.
    known[1].condition = Condition::Hot { celsius: 90.0, limit_celsius: 85.0 };
    told.send_replace(known.into());
    cluster.kiosk.until("statistics", |status| status.statistics.is_some());
    cluster.stop(&world);
}

#[test]
fn a_finger_is_in_the_picture_of_two_computers_within_a_tenth_of_a_second() {
    let test = "a_finger_is_in_the_picture_of_two_computers_within_a_tenth_of_a_second";
    let Some(world) = world(test) else { return };
    let cluster = Cluster::start(&world, "launcher = 'ssh'");
    cluster.launch();
    cluster.kiosk.until("statistics", |status| status.statistics.is_some());
    let mut latencies = Vec::new();
    for number in 0..200u32 {
        let phase = if number == 0 { Phase::Down } else { Phase::Moved };
        let x = 60.0 + (number % 100) as f32;
        let asked = Instant::now();
        cluster.kiosk.ask(Intent::Pointer { finger: 0, phase, x, y: 80.0 });
        // Fingers are counted from 1.
        cluster.kiosk.until_shown("the finger", |shown| number < shown.header.pointer_sequence);
        latencies.push(asked.elapsed());
    }
    latencies.sort();
    let (median, p95) = (latencies[100], latencies[190]);
    println!(
        "from the finger to the picture in the kiosk: median {median:.1?}, 95 % {p95:.1?}, all {:.1?}",
        latencies[199]
    );
    // Colours and drawing take 10 ms more.
    assert!(p95 < Duration::from_millis(90), "{p95:?}");
    cluster.stop(&world);
}

/// What `hpc-kiosk doctor` prints with this kiosk.toml, and whether all is well.
fn doctor(world: &World, text: &str) -> (String, bool) {
    let file = world.file("kiosk.toml", text);
    let output = std::process::Command::new(programs().join("hpc-kiosk"))
        .args(["--config", &file, "doctor"])
        .env("DISPLAY", ":0")
        .output()
        .unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.success())
}

#[test]
fn the_doctor_finds_what_keeps_a_run_from_the_other_computers() {
    let Some(world) = world("the_doctor_finds_what_keeps_a_run_from_the_other_computers") else {
        return;
    };
    let says = |text: &str, lines: &[&str]| {
        let (said, is_well) = doctor(&world, text);
        for line in lines {
            assert!(said.contains(line), "'{line}' is not in\n{said}");
        }
        assert!(!is_well, "{said}");
    };
    let config = world.config("launcher = 'ssh'");
    let (said, is_well) = doctor(&world, &config);
    assert!(is_well, "{said}");
    for line in [
        "ok    agent of ground-control: answers",
        "ok    ssh to major-tom: works without a password",
        "ok    programs on major-tom: are all there",
        "ok    ssh from major-tom to ground-control: works without a password",
    ] {
        assert!(said.contains(line), "'{line}' is not in\n{said}");
    }

    // One computer has another Open MPI.
    let script = "#!/bin/sh\ncase $(hostname) in\n  ground-control) echo 'mpirun (Open MPI) 2.1.1' ;;\n  *) echo 'mpirun (Open MPI) 4.1.4' ;;\nesac\n";
    let mpirun = world.program("mpirun", script);
    let differs = world.config(&format!("launcher = 'ssh'\nmpirun = '{mpirun}'"));
    says(
        &differs,
        &[
            "WRONG Open MPI on all computers: 2.1.1 on ground-control, 4.1.4 on major-tom",
            "install the same version on all computers that compute",
        ],
    );
    // This machine has another one than they: that matters only where mpirun is started here.
    let script = "#!/bin/sh\ncase $(hostname) in\n  major-tom | ground-control) echo 'mpirun (Open MPI) 2.1.1' ;;\n  *) echo 'mpirun (Open MPI) 4.1.6' ;;\nesac\n";
    let mpirun = world.program("mpirun-here", script);
    let (said, is_well) =
        doctor(&world, &world.config(&format!("launcher = 'ssh'\nmpirun = '{mpirun}'")));
    assert!(
        is_well && said.contains("2.1.1; that this machine has 4.1.6 does not matter"),
        "{said}"
    );
    says(
        &world.config(&format!("launcher = 'mpirun'\nmpirun = '{mpirun}'")),
        &[
            "4.1.6 on this machine",
            "set launcher = \"ssh\", which starts mpirun on the first of the others",
        ],
    );

    let folder = world.config("launcher = 'ssh'").replace("programs = '", "programs = '/nowhere");
    says(&folder, &["WRONG programs on major-tom: /nowhere", "mount the shared folder there"]);
    world.signal(1, "hpc-kiosk-agent", "-STOP");
    says(&config, &["WRONG agent of ground-control: ", "what to do: "]);
    world.signal(1, "hpc-kiosk-agent", "-CONT");
    world.power_off(0);
    says(
        &config,
        &[
            "WRONG agent of major-tom: no answer",
            "switch it on, plug its cable in",
            "WRONG ssh to major-tom: ",
            "ssh-copy-id 10.77.0.11",
            "ok    ssh to ground-control",
        ],
    );
    says("[lunch]\n", &["WRONG configuration: ", "line 1, key 'lunch'"]);
}
