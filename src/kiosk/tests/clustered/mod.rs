//! A kiosk on the access node of an emulated cluster.

#![allow(dead_code, reason = "every test file uses its own part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use kiosk::{
    computers,
    config::Config,
    intent::Intent,
    slurm::said::Seen,
    supervisor::{Computers, Condition, Settings, State, Status},
    telemetry::{SharedHistory, Telemetry, gather::Gatherer},
};
use tokio::sync::watch;

use crate::{
    emulated::{self, NODES, World},
    supervised::{CANVAS, Kiosk, PATIENCE, programs},
};

/// A demo that begins anew wherever it is started.
pub const DEMO: &str = "mpi = true\nranks = { default = 2, min = 1, max = 4 }\nprogram = 'advection'\nfirst_frame_s = 10";

/// A kiosk on the access node, with its eyes on the others.
pub struct Cluster {
    pub kiosk: Kiosk,
    pub computers: watch::Receiver<Computers>,
    /// What Slurm says, where the kiosk.toml heeds one.
    pub seen: watch::Receiver<Seen>,
    gatherer: Option<Gatherer>,
    files_before: Vec<String>,
}

impl Cluster {
    pub fn start(world: &World, launch: &str) -> Self {
        Self::with(&world.config(launch))
    }

    /// A kiosk with this kiosk.toml.
    pub fn with(config: &str) -> Self {
        Self::with_demo(DEMO, config)
    }

    /// The same with another demo.
    pub fn with_demo(demo: &str, config: &str) -> Self {
        let config = Config::parse(Path::new("kiosk.toml"), config).unwrap();
        let (told, telemetry) = watch::channel(Telemetry::default());
        let (nodes, metrics) = (&config.nodes, &config.metrics);
        let history = SharedHistory::default();
        let gatherer = Gatherer::start(nodes, metrics, told, history, &mut Vec::new()).unwrap();
        let (told, computers) = watch::channel(Computers::default());
        let (seen, watching) = computers::slurm(&config);
        let following = computers::follow(config.clone(), telemetry, seen.clone(), told);
        thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { tokio::join!(following, watching) });
        });
        let mut cluster = Self::playing(demo, &config, computers, Some(gatherer));
        cluster.seen = seen;
        cluster.until_ready(&NODES);
        cluster
    }

    /// A kiosk that is told of the computers by `computers`.
    pub fn on(
        config: &Config,
        computers: watch::Receiver<Computers>,
        gatherer: Option<Gatherer>,
    ) -> Self {
        Self::playing(DEMO, config, computers, gatherer)
    }

    /// The same with another demo.
    pub fn playing(
        demo: &str,
        config: &Config,
        computers: watch::Receiver<Computers>,
        gatherer: Option<Gatherer>,
    ) -> Self {
        let settings = Settings::new(config, &programs().join("hpc-kiosk"), CANVAS);
        let kiosk = Kiosk::on(&[("pipe", demo)], computers.clone(), |changed| {
            changed.remote = settings.remote;
            changed.mca = settings.mca;
        });
        let (_, seen) = watch::channel(Seen::default());
        Self { kiosk, computers, seen, gatherer, files_before: emulated::run_files() }
    }

    /// Waits until exactly these are ready.
    pub fn until_ready(&self, names: &[&str]) {
        let begun = Instant::now();
        loop {
            let known = self.computers.borrow().others.clone();
            let ready = known.iter().filter(|computer| computer.condition == Condition::Ready);
            if ready.map(|computer| &computer.name[..]).eq(names.iter().copied()) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{known:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The hosts of the run that shows pictures now, rank by rank.
    pub fn hosts(&self) -> Vec<String> {
        let hello = self.kiosk.status.borrow().hello.clone();
        hello.unwrap().ranks.iter().map(|rank| rank.host.clone()).collect()
    }

    pub fn launch(&self) -> Status {
        self.kiosk.launch("pipe");
        self.until_running_since(Instant::now())
    }

    /// Waits for a run that began after `since`.
    pub fn until_running_since(&self, since: Instant) -> Status {
        self.kiosk.until("a run", |status| match &status.state {
            State::Running { since: began, .. } => since <= *began + Duration::from_millis(50),
            _ => false,
        })
    }

    /// Stops the run, and sees to it that nothing of it is left anywhere.
    pub fn stop(&self, world: &World) {
        self.kiosk.ask(Intent::Stop);
        let ended = self.kiosk.until_ended();
        assert_eq!((&ended.fault, ended.unreached.len()), (&None, 0), "{ended:?}");
        assert_eq!(world.left(), [] as [String; 0]);
        assert_eq!(emulated::run_files(), self.files_before);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(gatherer) = self.gatherer.take() {
            let _ = gatherer.stop();
        }
    }
}
