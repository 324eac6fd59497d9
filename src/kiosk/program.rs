//! Wires the kiosk together: one thread draws, one does everything else.

use std::{
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use anyhow::Context;
use slint::ComponentHandle;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{Notify, mpsc, watch},
};
use tokio_util::sync::CancellationToken;

use crate::{
    appliance::systemd::{self, Drawing, Systemd},
    catalogue::{Audience, Catalogue, Demo},
    computers,
    config::Config,
    doctor::{Examination, Subject, examine_when_asked},
    intent::Intent,
    meter::{Meter, bluetooth::MeterThread},
    owner::{
        self, Order, Told,
        shutdown::{Pace, Switches},
    },
    room::{Room, RoomThread},
    senses::{self, Heard, Senses},
    supervisor::{self, Computers, Settings, Status},
    telemetry::{SharedHistory, Telemetry, gather::Gatherer, history::History},
    ui,
    view::{self, Language, Painter, Sources, View, Wanted},
};

/// Pixels of the canvas: pictures of this size are drawn one to one.
const CANVAS: (u16, u16) = (800, 400);
/// Requests of the visitor that may wait for the worker; a finger makes about a hundred a second.
const INTENTS: usize = 256;

/// What the kiosk was started with.
pub struct Setup {
    /// How it was started; the warden and our demos' programs lie beside its executable.
    pub subject: Subject,
    /// The owner's settings.
    pub config: Config,
    /// What may be launched.
    pub catalogue: Catalogue,
    /// What the owner should know about both, one sentence each.
    pub problems: Vec<String>,
    /// Whoever watches over this process.
    pub systemd: Option<Arc<Systemd>>,
}

/// A kiosk whose worker runs; the event loop is the caller's.
pub struct Kiosk {
    /// What draws.
    pub view: Rc<View>,
    stop: CancellationToken,
    is_to_begin_anew: Arc<AtomicBool>,
    worker: JoinHandle<anyhow::Result<()>>,
    gatherer: Gatherer,
    _drawing: Drawing,
    meter: Option<MeterThread>,
    room: Option<RoomThread>,
}

impl Kiosk {
    /// Fills `app`, starts the worker and lets both talk.
    ///
    /// # Errors
    /// If a thread cannot be started or Slint has no event loop.
    pub fn start(app: &ui::App, setup: Setup) -> anyhow::Result<Self> {
        let Setup { subject, config, catalogue, mut problems, systemd } = setup;
        let catalogue = Arc::new(catalogue);
        let visitors = |demo: &&Arc<Demo>| demo.audience == Audience::Visitor;
        let (demos, owners): (Vec<Arc<Demo>>, Vec<Arc<Demo>>) =
            catalogue.demos.iter().cloned().partition(|demo| visitors(&demo));
        let language = Language::from_code(&config.screen.language).unwrap_or_default();
        let (painter, easel, painted) = view::canvas();
        let (intents, asked) = mpsc::channel(INTENTS);
        let (status, status_seen) = watch::channel(Status::default());
        let (telemetry, telemetry_seen) = watch::channel(Telemetry::default());
        let telemetry_told = telemetry_seen.clone();
        let history: SharedHistory = Arc::new(Mutex::new(History::new(config.metrics.interval)));
        let gatherer = Gatherer::start(
            &config.nodes,
            &config.metrics,
            telemetry,
            Arc::clone(&history),
            &mut problems,
        )
        .context("the nodes cannot be asked")?;
        let (meter_told, meter_seen) = watch::channel(Meter::default());
        let meter = config.meter.clone().map(|entry| MeterThread::start(entry, meter_told));
        let meter = meter.transpose().context("there is no thread for the meter")?;
        let (room_told, room_seen) = watch::channel(Room::default());
        let room = config.room.map(|entry| RoomThread::start(entry, "/".into(), room_told));
        let room = room.transpose().context("there is no thread for the room sensor")?;
        let heard = Heard {
            meter: meter_seen,
            room: room_seen,
            telemetry: telemetry_seen.clone(),
            status: status_seen.clone(),
        };
        let (senses_told, senses_seen) = watch::channel(Senses::new(&config));
        let notice = match &problems[..] {
            [] => String::new(),
            [only] => only.clone(),
            [first, others @ ..] => format!("{first} (+{})", others.len()),
        };

        let sources = Sources { easel, history };
        let view =
            View::connect(app, demos.clone(), notice, language, view::clock(), intents, sources);
        view.rest_as(
            Wanted { after: config.idle.after, demo: config.idle.demo, night: config.screen.night },
            Instant::now(),
        );
        view.set_owners_demos(owners);
        view.set_brightness(config.screen.brightness_percent);
        view.show_telemetry(telemetry_seen.borrow().clone(), Instant::now());
        view.follow(status_seen, telemetry_seen, painted).context("Slint has no event loop")?;
        let (examined, examination) = watch::channel(Examination::default());
        view.follow_examination(examination).context("Slint has no event loop")?;
        let sensed = senses_seen.borrow().clone();
        view.show_senses(sensed.clone(), Instant::now());
        view.follow_senses(senses_seen).context("Slint has no event loop")?;
        let (owner_told, owner_seen) = watch::channel(Told::default());
        view.follow_owner(owner_seen).context("Slint has no event loop")?;

        let (drawing, drawn) = systemd::drawing();
        let stop = CancellationToken::new();
        let is_to_begin_anew = Arc::new(AtomicBool::new(false));
        let worker = thread::Builder::new().name("worker".into()).spawn({
            let stop = stop.clone();
            let anew = Arc::clone(&is_to_begin_anew);
            let settings = Settings::new(&config, &subject.executable, CANVAS);
            move || {
                let _window = CloseWindow;
                let telling = (config, telemetry_told);
                let examining = (subject, examined);
                let life = (stop, systemd, drawn);
                let catalogue = (catalogue, settings);
                let owning = (owner_told, anew);
                let sensing = senses::follow(sensed, heard, senses_told);
                work(catalogue, telling, examining, owning, sensing, asked, status, painter, life)
            }
        })?;
        show_tile_pictures(&view, app, demos)?;
        Ok(Self { view, stop, is_to_begin_anew, worker, gatherer, meter, room, _drawing: drawing })
    }

    /// Whether the owner has ended it so that it begins anew.
    pub fn is_to_begin_anew(&self) -> bool {
        self.is_to_begin_anew.load(Ordering::Relaxed)
    }

    /// Ends the run, if there is one, the worker and the asking of the nodes; waits for all of them.
    ///
    /// # Errors
    /// What the worker could not do.
    pub fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        let gathered = self.gatherer.stop();
        let meter = self.meter.map_or(Ok(()), MeterThread::stop);
        let room = self.room.map_or(Ok(()), RoomThread::stop);
        self.worker.join().map_err(|_| anyhow::anyhow!("the worker thread panicked"))??;
        let sensed = meter.and(room);
        sensed.map_err(|_| anyhow::anyhow!("the thread of the meter or of the room panicked"))?;
        gathered.map_err(|_| anyhow::anyhow!("the telemetry thread panicked"))
    }
}

/// Reads the pictures of the tiles beside the first frame, not before it.
fn show_tile_pictures(view: &Rc<View>, app: &ui::App, demos: Vec<Arc<Demo>>) -> anyhow::Result<()> {
    let (sender, mut pictures) = mpsc::channel(1);
    thread::Builder::new().name("pictures".into()).spawn(move || {
        view::decode_pictures(&demos, |picture| {
            // Nobody to show it to: the window is closed.
            let _ = sender.blocking_send(picture);
        });
    })?;
    let (view, app) = (Rc::clone(view), app.as_weak());
    slint::spawn_local(async move {
        while let Some(picture) = pictures.recv().await {
            if app.upgrade().is_some() {
                view.show_tile_picture(picture);
            }
        }
    })
    .context("Slint has no event loop")?;
    Ok(())
}

/// The worker: everything that happens to the kiosk and is not drawing.
#[tokio::main(flavor = "current_thread")]
#[allow(clippy::too_many_arguments, reason = "it is the one place where everything meets")]
async fn work(
    (catalogue, settings): (Arc<Catalogue>, Settings),
    (config, telemetry): (Config, watch::Receiver<Telemetry>),
    (subject, examined): (Subject, watch::Sender<Examination>),
    (owner_told, anew): (watch::Sender<Told>, Arc<AtomicBool>),
    sensing: impl Future<Output = ()>,
    asked: mpsc::Receiver<Intent>,
    status: watch::Sender<Status>,
    painter: Painter,
    (stop, systemd, drawn): (CancellationToken, Option<Arc<Systemd>>, Arc<Notify>),
) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let stopped = stop.clone().cancelled_owned();
    let (told, computers) = watch::channel(Computers::default());
    let (wishes, wished) = mpsc::channel(INTENTS);
    let (examine, examination) = mpsc::channel(1);
    let (order, orders) = mpsc::channel(INTENTS);
    let begin_anew = || {
        anew.store(true, Ordering::Relaxed);
        stop.cancel();
    };
    let switches = Switches::new(&config, Pace::default());
    let (owner, for_owner) = (config.owner.clone(), subject.clone());
    let owning = owner::run(owner, switches, for_owner, orders, owner_told, begin_anew);
    tokio::pin!(owning);
    let mut is_owning = true;
    let sorting = sort(asked, wishes, examine, order);
    tokio::pin!(sorting);
    let mut is_sorting = true;
    let examining = examine_when_asked(subject, examination, examined);
    tokio::pin!(examining);
    let mut is_examining = true;
    let supervising =
        supervisor::run(catalogue, settings, computers, wished, status, painter, stopped);
    tokio::pin!(supervising);
    let (seen, watching) = computers::slurm(&config);
    let telling = computers::follow(config, telemetry, seen, told);
    let telling = async { tokio::join!(telling, watching) };
    tokio::pin!(telling);
    let mut is_telling = true;
    let feeding = systemd::feed(systemd.clone(), drawn);
    tokio::pin!(feeding);
    tokio::pin!(sensing);
    let mut is_sensing = true;
    loop {
        tokio::select! {
            () = &mut supervising => break,
            () = &mut sorting, if is_sorting => is_sorting = false,
            _ = &mut telling, if is_telling => is_telling = false,
            () = &mut sensing, if is_sensing => is_sensing = false,
            () = &mut owning, if is_owning => is_owning = false,
            () = &mut examining, if is_examining => is_examining = false,
            () = &mut feeding => {},
            _ = terminate.recv() => stop.cancel(),
            _ = interrupt.recv() => stop.cancel(),
        }
    }
    if let Some(systemd) = systemd {
        systemd.stopping();
    }
    Ok(())
}

/// Hands every wish to whom it is for, until nobody wishes any more.
async fn sort(
    mut asked: mpsc::Receiver<Intent>,
    wishes: mpsc::Sender<Intent>,
    examine: mpsc::Sender<()>,
    order: mpsc::Sender<Order>,
) {
    while let Some(intent) = asked.recv().await {
        match intent {
            // One that waits is the same examination.
            Intent::Examine => drop(examine.try_send(())),
            Intent::Owner(wish) => {
                let _ = order.send(wish).await;
            }
            intent => {
                // Nobody takes it: the supervisor has ended, and with it the worker.
                let _ = wishes.send(intent).await;
            }
        }
    }
}

/// Ends the event loop when the worker ends, even by a panic: a screen that nobody serves is worse than a restart.
struct CloseWindow;

impl Drop for CloseWindow {
    fn drop(&mut self) {
        // The window is gone already if closing it is what ended the worker.
        let _ = slint::quit_event_loop();
    }
}
