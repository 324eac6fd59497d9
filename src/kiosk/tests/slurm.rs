//! A shared cluster: a real Slurm gives computers to runs, to other people, or to nobody, and is itself sometimes away.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod clustered;
mod emulated;
mod supervised;

use std::{
    thread,
    time::{Duration, Instant},
};

use clustered::{Cluster, DEMO};
use emulated::{NODES, World, slurm_world};
use kiosk::{
    intent::Intent,
    slurm::said::Why,
    supervisor::{Condition, Fault, Standby, State, Status},
};
use supervised::PATIENCE;

impl Cluster {
    fn until_all_are(&self, conditions: [Condition; 2]) {
        let begun = Instant::now();
        loop {
            let known = self.computers.borrow().others.clone();
            if known.iter().map(|computer| computer.condition).eq(conditions) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "waited for {conditions:?}, got {known:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn is_here(&self) -> bool {
        self.hosts().iter().all(|host| !NODES.contains(&&host[..]))
    }

    /// What becomes of the run that a blow hit after `struck` and before `hit`: within 3 s of that it is noticed, within 5 s more there are pictures again.
    #[allow(clippy::print_stdout, reason = "times are measured figures of the README")]
    fn until_carried_on(&self, what: &str, struck: Instant, hit: Instant) -> Status {
        self.kiosk.until(
            "that it is noticed",
            |status| !matches!(status.state, State::Running { since, .. } if since < struck),
        );
        let noticed = hit.elapsed();
        let status = self.until_running_since(struck);
        let back = hit.elapsed();
        println!(
            "{what}: noticed after {noticed:.2?}, back after {back:.2?}: {:?}",
            status.carried_on
        );
        assert!(noticed < Duration::from_secs(3), "{what}: noticed after {noticed:?}");
        assert!(back - noticed < Duration::from_secs(5), "{what}: back after {back:?}");
        status
    }

    /// Stops the run, and sees to it that nothing of it is left anywhere, not even in the queue.
    fn stop_and_return(&self, world: &World) {
        self.stop(world);
        let ours = world.slurm("squeue -h --user=0 --states=PENDING,RUNNING -o %i|%T|%j");
        assert_eq!(ours, "");
    }
}

/// What `hpc-kiosk doctor` prints with this kiosk.toml.
fn doctor(world: &World, text: &str) -> String {
    let file = world.file("kiosk.toml", text);
    let mut doctor = std::process::Command::new(env!("CARGO_BIN_EXE_hpc-kiosk"));
    let output = doctor.args(["--config", &file, "doctor"]).env("DISPLAY", ":0").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn slurm_gives_a_run_its_computers_and_has_them_back_afterwards() {
    let test = "slurm_gives_a_run_its_computers_and_has_them_back_afterwards";
    let Some(world) = slurm_world(test) else { return };
    // What a kiosk left that was killed in the wrong moment.
    let work = world.program("work", "#!/bin/sh\nexec sleep 600\n");
    world.slurm(&format!("sbatch --job-name=hpc-kiosk-left --output=/dev/null --nodes=2 {work}"));
    let cluster = Cluster::start(&world, "launcher = 'slurm'\n[launch.slurm]\npartition = 'debug'");
    world.until_no_job();

    let mut times = Vec::new();
    for _ in 0..3 {
        let status = cluster.launch();
        let State::Running { first_frame_after, .. } = status.state else { panic!() };
        times.push(first_frame_after);
        assert_eq!((cluster.hosts(), status.queue), (NODES.map(str::to_owned).to_vec(), None));
        for (node, name) in NODES.iter().enumerate() {
            assert_eq!(world.named(node, "advection").len(), 1, "{name}");
        }
        let job = world.slurm("squeue -h -o %T|%j|%N");
        assert!(job.starts_with("RUNNING|hpc-kiosk-"), "{job}");
        assert_eq!(world.slurm("sinfo -h -N -o %T"), "allocated\nallocated\n");
        cluster.stop_and_return(&world);
    }
    println!("slurm: from the launch to the first picture, cold: {times:.2?}");
    assert!(times.iter().all(|time| *time < Duration::from_secs(3)), "{times:?}");
    assert!(cluster.seen.borrow().is_idle());

    // A node that is drained while it computes may finish what it does.
    let status = cluster.launch();
    let State::Running { since, .. } = status.state else { panic!() };
    world.slurm("scontrol update nodename=ground-control state=drain reason=fan");
    cluster.until_all_are([Condition::Ready, Condition::OutOfService]);
    let is_same =
        |status: &Status| matches!(status.state, State::Running { since: now, .. } if now == since);
    assert!(is_same(&cluster.kiosk.status.borrow()));
    cluster.stop_and_return(&world);
    // Afterwards it takes no part.
    let status = cluster.launch();
    assert_eq!(cluster.hosts(), [NODES[0]; 2]);
    assert_eq!(status.placement.left_out, [(NODES[1].to_owned(), Condition::OutOfService)]);
    cluster.stop_and_return(&world);
    // The doctor says so.
    let launch = "launcher = 'slurm'\n[launch.slurm]\npartition = 'debug'";
    let said = doctor(&world, &world.config(launch));
    for line in [
        "ok    munge: answers",
        "ok    Slurm: answers",
        "ok    partition debug: is up",
        "ok    major-tom in Slurm: is in service",
        "WRONG ground-control in Slurm: is out of service, drained: fan",
        "sudo scontrol update nodename=ground-control state=resume",
    ] {
        assert!(said.contains(line), "'{line}' is not in\n{said}");
    }
    let said = doctor(&world, &world.config(&launch.replace("debug", "gpu")));
    assert!(said.contains("WRONG partition gpu: there is none"), "{said}");
    world.slurm("scontrol update nodename=ground-control state=resume");
    cluster.until_all_are([Condition::Ready; 2]);
    cluster.launch();
    assert_eq!(cluster.hosts(), NODES);
    cluster.stop_and_return(&world);
}

#[test]
fn somebody_elses_work_comes_first() {
    let Some(world) = slurm_world("somebody_elses_work_comes_first") else { return };
    let cluster = Cluster::start(&world, "launcher = 'slurm'\n[launch.slurm]\nqueue_wait_s = 3");
    let job = world.somebody_elses_job("major-tom,ground-control");
    cluster.until_all_are([Condition::Taken; 2]);
    assert_eq!((cluster.seen.borrow().others_jobs, cluster.seen.borrow().is_idle()), (1, false));
    let status = cluster.launch();
    assert!(cluster.is_here(), "{status:?}");
    let taken = NODES.map(|name| (name.to_owned(), Condition::Taken));
    assert_eq!(status.placement.left_out, taken);
    cluster.stop_and_return(&world);
    world.slurm(&format!("scancel {job}"));
    cluster.until_all_are([Condition::Ready; 2]);

    // One of two.
    let job = world.somebody_elses_job("major-tom");
    cluster.until_all_are([Condition::Taken, Condition::Ready]);
    cluster.launch();
    assert_eq!(cluster.hosts(), [NODES[1]; 2]);
    cluster.stop_and_return(&world);
    world.slurm(&format!("scancel {job}"));
    cluster.until_all_are([Condition::Ready; 2]);

    // In the queue: it is said, and it begins when it may.
    world.slurm("scontrol update partition=debug state=down");
    cluster.kiosk.launch("pipe");
    let launched = Instant::now();
    let status = cluster.kiosk.until("the queue", |status| status.queue.is_some());
    let queue = status.queue.unwrap();
    assert_eq!((queue.why, queue.limit), (Why::Unavailable, Duration::from_secs(3)));
    world.slurm("scontrol update partition=debug state=up");
    let status = cluster.until_running_since(launched);
    assert_eq!((cluster.hosts(), status.queue), (NODES.map(str::to_owned).to_vec(), None));
    cluster.stop_and_return(&world);

    // Left by the visitor.
    world.slurm("scontrol update partition=debug state=down");
    cluster.kiosk.launch("pipe");
    cluster.kiosk.until("the queue", |status| status.queue.is_some());
    cluster.stop_and_return(&world);
    // Too long.
    let launched = Instant::now();
    cluster.kiosk.launch("pipe");
    let status =
        cluster.kiosk.until("a run", |status| matches!(status.state, State::Running { .. }));
    println!(
        "from the launch to the first picture here when the queue is too long: {:.2?}",
        launched.elapsed()
    );
    assert!(launched.elapsed() < Duration::from_secs(3 + 3));
    assert!(matches!(status.carried_on, Some(Fault::NotAllocated { .. })), "{status:?}");
    assert!(cluster.is_here());
    cluster.stop_and_return(&world);
    world.slurm("scontrol update partition=debug state=up");
    drop(cluster);

    // Without asking Slurm for computers, what others are given is theirs all the same.
    let cluster = Cluster::start(&world, "launcher = 'ssh'\n[launch.slurm]\npartition = 'debug'");
    cluster.launch();
    assert_eq!(cluster.hosts(), NODES);
    let struck = Instant::now();
    let job = world.somebody_elses_job("ground-control");
    // Slurm itself lets a batch job wait up to 3 s for company.
    while world.slurm(&format!("squeue -h --job={job} -o %T")).trim() != "RUNNING" {
        assert!(struck.elapsed() < PATIENCE, "the other job does not begin");
    }
    let status =
        cluster.until_carried_on("somebody else's job on one of two", struck, Instant::now());
    assert_eq!(status.carried_on, Some(Fault::Taken { host: NODES[1].to_owned() }));
    assert_eq!(cluster.hosts(), [NODES[0]; 2]);
    cluster.stop_and_return(&world);
    world.slurm(&format!("scancel {job}"));
}

#[test]
fn what_begins_here_says_that_it_waits_and_what_nobody_asked_for_asks_for_nothing() {
    let test = "what_begins_here_says_that_it_waits_and_what_nobody_asked_for_asks_for_nothing";
    let Some(world) = slurm_world(test) else { return };
    let launch = "launcher = 'slurm'\n[launch.slurm]\nqueue_wait_s = 60";
    let demo = format!("{DEMO}\nresumes = true");
    let cluster = Cluster::with_demo(&demo, &world.config(launch));
    let runs = |status: &Status| matches!(status.state, State::Running { .. });

    // The picture is there at once, on this machine, while the others are waited for; then they take over.
    world.slurm("scontrol update partition=debug state=down");
    cluster.kiosk.launch("pipe");
    let queued = Standby::Queued(Why::Unavailable);
    cluster.kiosk.until("a picture and the queue", |status| {
        runs(status) && status.standby == queued && status.placement.hosts.is_empty()
    });
    assert!(cluster.is_here());
    world.slurm("scontrol update partition=debug state=up");
    cluster.kiosk.until("the others", |status| {
        runs(status) && status.placement.hosts.len() == 2 && status.standby == Standby::None
    });
    assert_eq!(cluster.hosts(), NODES);
    cluster.stop_and_return(&world);

    // Somebody else's job that only waits is enough to keep a play off, and nothing of ours is in the queue.
    let job = world.somebody_elses_job("major-tom");
    cluster.until_all_are([Condition::Taken, Condition::Ready]);
    let second = world.somebody_elses_job("major-tom");
    let begun = Instant::now();
    while cluster.seen.borrow().others_jobs < 2 {
        assert!(begun.elapsed() < PATIENCE, "{:?}", cluster.seen.borrow());
        thread::sleep(Duration::from_millis(10));
    }
    cluster.kiosk.ask(Intent::Play("pipe".into()));
    let began = Instant::now();
    cluster.kiosk.until("three seconds of a play", |status| {
        let is_here = status.placement.hosts.is_empty() && status.standby == Standby::None;
        assert!(is_here || matches!(status.state, State::Idle), "{status:?}");
        runs(status) && Duration::from_secs(3) < began.elapsed()
    });
    assert_eq!(world.slurm("squeue -h --user=0 --states=PENDING,RUNNING -o %i"), "");
    cluster.kiosk.ask(Intent::Stop);
    cluster.kiosk.until_ended();
    // A visitor, who is there, gets what is left.
    cluster.kiosk.launch("pipe");
    cluster.kiosk.until("a visitor's run", |status| {
        runs(status) && status.placement.hosts.len() == 1 && status.standby == Standby::None
    });
    cluster.stop_and_return(&world);
    world.slurm(&format!("scancel {second} {job}"));
    cluster.until_all_are([Condition::Ready; 2]);
    cluster.kiosk.ask(Intent::Play("pipe".into()));
    cluster.kiosk.until("a play there", |status| runs(status) && status.placement.hosts.len() == 2);
    cluster.stop_and_return(&world);
}

#[test]
fn a_run_whose_job_is_ended_from_outside_goes_on_here_and_slurmctld_may_come_and_go() {
    let test = "a_run_whose_job_is_ended_from_outside_goes_on_here_and_slurmctld_may_come_and_go";
    let Some(world) = slurm_world(test) else { return };
    let cluster = Cluster::start(&world, "launcher = 'slurm'");
    cluster.launch();
    assert_eq!(cluster.hosts(), NODES);
    let struck = Instant::now();
    world.slurm("scancel --user=0");
    let status = cluster.until_carried_on("scancel", struck, struck);
    assert!(matches!(status.carried_on, Some(Fault::Revoked { .. })), "{status:?}");
    assert!(cluster.is_here());
    cluster.stop_and_return(&world);

    let status = cluster.launch();
    let State::Running { since, .. } = status.state else { panic!() };
    assert_eq!(cluster.hosts(), NODES);
    let went_on = |seconds: u64| {
        let began = Instant::now();
        cluster.kiosk.until("pictures all the while", |status| {
            let is_same = matches!(status.state, State::Running { since: now, .. } if now == since);
            assert!(is_same, "{status:?}");
            Duration::from_secs(seconds) < began.elapsed()
        });
    };
    world.stop_slurmctld();
    went_on(6);
    world.let_slurmctld_back();
    went_on(6);
    cluster.stop_and_return(&world);

    // Without it a run goes here, and with it there again.
    world.stop_slurmctld();
    let status = cluster.launch();
    assert!(matches!(status.carried_on, Some(Fault::NotAllocated { .. })), "{status:?}");
    assert!(cluster.is_here());
    world.let_slurmctld_back();
    let begun = Instant::now();
    while !std::process::Command::new("squeue").output().unwrap().status.success() {
        assert!(begun.elapsed() < PATIENCE, "slurmctld does not come back");
    }
    cluster.stop_and_return(&world);
    cluster.until_all_are([Condition::Ready; 2]);
    cluster.launch();
    assert_eq!(cluster.hosts(), NODES);
    cluster.stop_and_return(&world);
}
